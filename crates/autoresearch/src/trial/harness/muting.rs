//! Owns what the search for muted findings gets of a run: what its metric counts, and readers of settings.
//! Does not search; `muting` of the core does.
//! Invariant: a file of settings that cannot be read hides nothing else.

use autoresearch_core::decide::gaming::ChangedFile;
use autoresearch_core::decide::muting::{MuteSubject, find_suppressions};
use autoresearch_core::journal::event::Why;
use autoresearch_core::journal::state::RunState;
use autoresearch_core::shell::executed::list_executed_words;
use serde_json::Value;

use crate::run::tree::Tree;
use autoresearch_sys::regular_files::read_text;
use autoresearch_sys::store::path_from_key;
use autoresearch_sys::toml::parse_toml;
use autoresearch_sys::yaml::parse_yaml;

/// A longer script is a program, and names more tools than it calls.
const LONGEST: u64 = 16 * 1024;
/// Endings of scripts that call tools.
const SCRIPTS: [&str; 3] = ["sh", "bash", "zsh"];

/// Why a trial that mutes what the run's metric counts is void.
pub(crate) fn find_muted(tree: &Tree<'_>, state: &RunState, files: &[ChangedFile]) -> Option<Why> {
    let unit = state.metric_unit();
    let known = (&unit, &state.incumbent.measurement.value);
    let scripts = read_scripts(tree, &state.config().verify.command);
    let subject = MuteSubject::of_config(state.config(), Some(known), &scripts);
    if subject.is_empty() {
        return None;
    }
    let found = find_suppressions(files, subject, &read_settings);
    (!found.is_empty()).then_some(Why::Muted(found))
}

/// The scripts that verify calls, without their comments.
fn read_scripts(tree: &Tree<'_>, verify: &str) -> Vec<String> {
    let words = list_executed_words(verify);
    let pinned = tree.pinned.yardstick.keys().map(|key| path_from_key(key));
    let scripts = pinned.filter(|path| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        let is_called = words
            .iter()
            .any(|word| path.ends_with(word.trim_start_matches("./")));
        is_called && ending.is_some_and(|ending| SCRIPTS.contains(&ending))
    });
    let texts = scripts.filter_map(|path| read_text(&tree.path().join(path), LONGEST).ok());
    let plain = |text: String| -> String {
        let lines = text.lines();
        let code = lines.filter(|line| !line.trim_start().starts_with('#'));
        code.collect::<Vec<_>>().join("\n")
    };
    texts.map(plain).collect()
}

/// A file of YAML or of TOML as JSON.
#[must_use]
pub fn read_settings(path: &str, text: &str) -> Option<Value> {
    let ending = path.rsplit('.').next();
    if ending == Some("toml") {
        return parse_toml(text);
    }
    parse_yaml(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_and_yaml_are_read_as_the_same_values_and_what_is_neither_is_nothing() {
        let toml = "[a]\nb = [1, 'x', true]\nc.d = 1.5\n[[e]]\nf = {g = 'h'}\n";
        let yaml = "a: {b: [1, x, true], c: {d: 1.5}}\ne: [{f: {g: h}}]\n";
        let read = read_settings("pyproject.toml", toml).unwrap();
        assert_eq!(Some(&read), read_settings("x.yaml", yaml).as_ref());
        assert_eq!(read_settings("ruff.toml", "a = ["), None);
        assert_eq!(read_settings("x.yml", "a: [\n b"), None);
    }
}
