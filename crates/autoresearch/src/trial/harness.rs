//! Owns what is read of the harness: the code of verify and guard outside the scope, and what that code names.
//! Does not search the code under work; `gaming` does.
//! Invariant: a bounded number of bounded files is read, and none that a trial may change.

pub mod muting;

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use autoresearch_core::config::Config;
use autoresearch_core::config::globs::Globs;
use autoresearch_core::decide::gaming::Harness;

use crate::run::tree::Tree;
use crate::watch::command_files::{name_path, tidy_path};
use autoresearch_sys::regular_files::read_text;
use autoresearch_sys::store::path_from_key;

/// No harness that a person wrote has more files.
const MOST_FILES: usize = 64;
/// A longer file holds data and no code.
const LONGEST: u64 = 256 * 1024;
/// Endings of code that measures.
const CODE: [&str; 14] = [
    "py", "js", "mjs", "cjs", "ts", "mts", "cts", "sh", "bash", "rb", "pl", "rs", "go", "java",
];

/// What the code under work has no reason to name or to know.
pub(crate) fn read_harness(tree: &Tree<'_>, config: &Config) -> Harness {
    let mut harness = Harness::of_config(config);
    let Ok(scope) = Globs::new(&config.scope) else {
        return harness;
    };
    let root = tree.path();
    let pinned = tree.pinned.yardstick.keys().map(|key| path_from_key(key));
    let mut waiting: VecDeque<PathBuf> = pinned.map(|path| root.join(path)).collect();
    let mut seen = BTreeSet::new();
    while let Some(path) = waiting.pop_front() {
        let name = name_path(root, &path);
        let is_ours = !Path::new(&name).is_absolute() && !scope.matches_path(&name);
        if !is_ours || !is_code(&path) || seen.len() == MOST_FILES || !seen.insert(path.clone()) {
            continue;
        }
        let Ok(text) = read_text(&path, LONGEST) else {
            continue;
        };
        harness.add_file(&name, &text);
        waiting.extend(list_named_files(root, &path, &text));
    }
    harness
}

fn is_code(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| CODE.contains(&ending))
}

/// The files of code that a text names: by their path, from its folder or from the root, or as a module of Python.
fn list_named_files(root: &Path, path: &Path, text: &str) -> BTreeSet<PathBuf> {
    let is_part = |letter: char| letter.is_alphanumeric() || "_./-".contains(letter);
    let mut names: BTreeSet<String> = text
        .split(|letter| !is_part(letter))
        .filter(|word| is_code(Path::new(word)))
        .map(ToOwned::to_owned)
        .collect();
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("import ") || line.starts_with("from ") {
            let words = line.split(|letter: char| !is_part(letter));
            names.extend(words.map(|word| word.replace('.', "/") + ".py"));
        }
    }
    let folder = path.parent().unwrap_or(root);
    let places = names
        .iter()
        .flat_map(|name| [folder.join(name), root.join(name)]);
    let found = places.map(|place| tidy_path(&place));
    found.filter(|place| place.is_file()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_harness_names_its_files_by_path_and_by_module() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("bench/lib")).unwrap();
        for name in [
            "bench/run.sh",
            "bench/main.rs",
            "cases.py",
            "bench/lib/more.py",
            "data.csv",
        ] {
            std::fs::write(root.join(name), "").unwrap();
        }
        let text = "rustc -o x ./main.rs data.csv bench/absent.py\n  import cases\nfrom lib.more import x\n";
        let found = list_named_files(root, &root.join("bench/run.sh"), text);
        let names: Vec<String> = found.iter().map(|path| name_path(root, path)).collect();
        assert_eq!(names, ["bench/lib/more.py", "bench/main.rs", "cases.py"]);
    }
}
