//! The text that `init` writes is read back as the config.

use autoresearch_core::scan::{
    Manifest, ManifestContent, Survey, SurveyFile, propose_configs, read_wish,
};
use autoresearch_sys::yaml::parse_yaml;
use serde_json::json;

use super::*;

/// The candidates for a repository whose one folder has this name.
fn propose(folder: &str, sentence: &str) -> Vec<Candidate> {
    let file = |name: &str| SurveyFile {
        path: format!("{folder}/{name}"),
        bytes: 10,
        ..SurveyFile::default()
    };
    let manifest = Manifest {
        path: format!("{folder}/package.json"),
        content: ManifestContent::Document(
            json!({"devDependencies": {"vitest": "3", "eslint": "9"}, "scripts": {"build": "x", "bench": "x"}}),
        ),
    };
    let mut survey = Survey {
        files: ["package.json", "src/a.ts", "src/a.test.ts"]
            .map(file)
            .into(),
        manifests: vec![manifest],
        ..Survey::default()
    };
    survey.machine.programs = ["node", "npm", "npx", "vitest", "eslint"]
        .map(ToOwned::to_owned)
        .into();
    propose_configs(&survey, &read_wish(sentence)).candidates
}

#[test]
fn what_is_written_is_read_back_as_the_config_of_the_candidate() {
    for folder in [
        "web", "my app", "it's", "a: b", "- x", "#c", "[id]", "{x}", "ünï", "\"q\"", "true",
        "&a *b", "%d", "a' #",
    ] {
        for sentence in [
            "",
            "raise coverage to 80 %",
            "fix: the \"any\" types # now",
            "- a\u{202e}b",
            "flaky tests",
            "faster",
        ] {
            for candidate in propose(folder, sentence) {
                let text = format_config_text(&candidate, "scan");
                assert_eq!(parse_yaml(&text).unwrap(), candidate.config, "{text}");
            }
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_folder_and_any_sentence_are_read_back(folder in "[ -~äß„]{1,20}", sentence in "(?s).{0,60}") {
        for candidate in propose(folder.trim_matches('/'), &sentence) {
            let text = format_config_text(&candidate, "scan");
            proptest::prop_assert_eq!(parse_yaml(&text).unwrap(), candidate.config, "{}", text);
        }
    }
}
