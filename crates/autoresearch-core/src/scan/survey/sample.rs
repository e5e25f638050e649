//! Owns small surveys for the tests of the room.
//! Does not read a file.
//! Invariant: what is said of a repository is what its files would say.

use std::collections::BTreeMap;

use crate::metric::matches::MatchPattern;
use crate::scan::manifest::{Manifest, ManifestContent};
use crate::scan::survey::{Machine, Survey, SurveyFile, find_stack_of, list_counts_of};

/// A repository of these files, on a machine with these programs.
pub(in crate::scan) fn make_survey(files: &[(&str, &str)], programs: &str) -> Survey {
    let mut survey = Survey {
        is_counted: true,
        machine: Machine {
            cores: 2,
            programs: programs.split_whitespace().map(ToOwned::to_owned).collect(),
            ..Machine::default()
        },
        ..Survey::default()
    };
    for (path, text) in files {
        if path.contains("node_modules") || path.contains(".venv") || path.starts_with("vendor/bin")
        {
            survey.installed.insert((*path).to_owned());
            continue;
        }
        survey.files.push(SurveyFile {
            path: (*path).to_owned(),
            bytes: text.len() as u64 + 1,
            counts: count_all(path, text),
        });
        let content = match serde_json::from_str(text) {
            Ok(document) => ManifestContent::Document(document),
            Err(_) => ManifestContent::Text((*text).to_owned()),
        };
        survey.manifests.push(Manifest {
            path: (*path).to_owned(),
            content,
        });
    }
    survey
}

fn count_all(path: &str, text: &str) -> BTreeMap<String, u64> {
    let Some(stack) = find_stack_of(path) else {
        return BTreeMap::new();
    };
    let counts = list_counts_of(stack).into_iter().map(|counted| {
        let pattern = MatchPattern::new(&counted.pattern).unwrap();
        (counted.metric.clone(), pattern.count_in(text.as_bytes()))
    });
    counts.filter(|(_, matches)| *matches > 0).collect()
}
