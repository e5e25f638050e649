//! Owns the count of what the first broken check finds: verify of its recipe, run once.
//! Does not run a check.
//! Invariant: a count is at least 1, for the check fails; where nothing counts that, the failed runs of it do.

use std::path::Path;

use autoresearch_core::config::check_config;
use autoresearch_core::metric::matches::MatchPattern;
use autoresearch_core::metric::value::Value;
use autoresearch_core::scan::{Candidate, Check, CheckedProject, STATUS_RUNS};
use autoresearch_core::words::text::{clip_text, escape_text};
use autoresearch_sys::error::Result;
use autoresearch_sys::regular_files::{open_unlinked, read_whole};

use crate::trial::measure::Bench;

/// So many findings are shown.
const SHOWN: usize = 5;
/// No line of one is longer.
const WIDTH: usize = 110;
/// No longer report is looked through for findings to show.
const MOST: u64 = 16 << 20;

/// What the first broken check comes to.
pub(super) struct Counted {
    /// The config that brings it to zero, without its guard.
    pub candidate: Candidate,
    pub value: Value,
    /// The first findings.
    pub items: Vec<String>,
    /// Why the failed runs are the number, where they are.
    pub instead: Option<String>,
}

/// What a counter gave.
enum Count {
    Findings(Value),
    /// Why there is no number that could be one of findings.
    Without(String),
}

/// Counts what a broken check finds; `None` where no file could be changed to repair it.
pub(super) fn count_findings(
    bench: &mut Bench<'_>,
    project: &CheckedProject<'_>,
    (check, timed_out): (Option<&Check>, bool),
) -> Result<Option<Counted>> {
    let Some(check) = check else {
        return Ok(None);
    };
    let instead = match project.make_counter(check) {
        // It would run into its deadline as well.
        _ if timed_out => "it did not end in time".to_owned(),
        None => "nothing here counts what it finds".to_owned(),
        Some(candidate) => match run_counter(bench, &candidate)? {
            Count::Findings(value) => {
                return Ok(Some(Counted {
                    items: list_items(bench.work_tree, &candidate),
                    candidate,
                    value,
                    instead: None,
                }));
            }
            Count::Without(why) => why,
        },
    };
    let candidate = project.make_status(check);
    Ok(candidate.map(|candidate| Counted {
        candidate,
        value: Value::from(i64::from(STATUS_RUNS)),
        items: Vec::new(),
        instead: Some(instead),
    }))
}

fn run_counter(bench: &mut Bench<'_>, candidate: &Candidate) -> Result<Count> {
    let Some(config) = check_config(&candidate.config).config else {
        return Ok(Count::Without("its recipe does not fit here".to_owned()));
    };
    Ok(match bench.run_verify(&config)? {
        Ok(measured) if measured.value > Value::zero() => Count::Findings(measured.value),
        Ok(_) => Count::Without(format!(
            "{} is 0, so it fails for another reason than findings, or now and then",
            config.metric.name
        )),
        Err(why) => Count::Without(format!(
            "{} has no number ({why}), so it fails for another reason than findings",
            config.metric.name
        )),
    })
}

/// The first findings of the report in which a config counts, each as its line says it.
fn list_items(root: &Path, candidate: &Candidate) -> Vec<String> {
    let pattern = candidate.config["verify"]["count"]["pattern"].as_str();
    let (Some(report), Some(pattern)) = (&candidate.report, pattern) else {
        return Vec::new();
    };
    let opened = open_unlinked(&root.join(report)).and_then(|file| read_whole(&file, MOST));
    let (Ok(bytes), Ok(pattern)) = (opened, MatchPattern::new(pattern)) else {
        return Vec::new();
    };
    let found = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| pattern.count_in(line) > 0);
    // A report of a single line, as JSON is, shows nothing to a person.
    let short = found.filter(|line| line.len() < 1_000);
    let shown = short.take(SHOWN).map(|line| {
        let text = String::from_utf8_lossy(line);
        clip_text(&escape_text(text.trim()), WIDTH)
    });
    shown.collect()
}

#[cfg(test)]
mod tests;
