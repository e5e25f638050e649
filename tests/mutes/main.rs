//! Counts the commits of repositories that the search for muted findings would make void, if each were a trial: `cargo run -p
//! autoresearch-tests --bin mutes -- [--last N] [--show] FOLDER...`. Honest commits mute too; the figure is how often.

#![expect(
    clippy::unwrap_used,
    reason = "a count whose own git fails has no figures"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "it asks git for a list of commits, as a person does"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use autoresearch::trial::harness::muting::read_settings;
use autoresearch_core::decide::muting::{MuteSubject, Suppression, find_suppressions};
use autoresearch_core::git_names::CommitId;
use autoresearch_sys::git::history::History;
use serde_json::json;

/// What a run of a kind asks for.
const SUBJECTS: [(&str, MuteSubject); 3] = [
    ("lint", make_subject(false, false)),
    ("types", make_subject(true, false)),
    ("tests", make_subject(false, true)),
];

const fn make_subject(types: bool, tests: bool) -> MuteSubject {
    MuteSubject {
        findings: true,
        types,
        tests,
        unwraps: false,
        coverage: false,
    }
}

/// A commit and its parent, of those that are no merge.
fn list_commits(folder: &str, last: &str) -> Vec<(CommitId, CommitId)> {
    let words = ["log", "--no-merges", "--format=%H %P", "-n", last];
    let mut git = Command::new("git");
    let listed = git.arg("-C").arg(folder).args(words).output().unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    let id = |text: &str| serde_json::from_value::<CommitId>(json!(text)).unwrap();
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    pairs
        .filter(|(_, parent)| !parent.is_empty())
        .map(|(commit, parent)| (id(commit), id(parent)))
        .collect()
}

fn show_commit(shown: &mut String, commit: &CommitId, found: &[Suppression]) {
    let _ = writeln!(shown, "{}", commit.short());
    for one in found {
        let _ = writeln!(shown, "  {:?} {one}", one.kind);
    }
}

/// The row of a repository: the commits, and how many of them are void in a run of each kind.
fn count_folder(folder: &str, last: &str, shown: &mut String) -> String {
    let history = History::open_folder(Path::new(folder)).unwrap();
    let commits = list_commits(folder, last);
    let mut void: BTreeMap<&str, usize> = BTreeMap::new();
    for (commit, parent) in &commits {
        let files = history.read_changed_files(parent, commit).unwrap();
        for (word, subject) in SUBJECTS {
            let found = find_suppressions(&files, subject, &read_settings);
            *void.entry(word).or_default() += usize::from(!found.is_empty());
            if !found.is_empty() {
                let _ = write!(shown, "{word} ");
                show_commit(shown, commit, &found);
            }
        }
    }
    let name = folder.rsplit('/').next().unwrap_or(folder);
    let counts = SUBJECTS.map(|(word, _)| void.get(word).copied().unwrap_or(0).to_string());
    format!("| {name} | {} | {} |\n", commits.len(), counts.join(" | "))
}

fn main() -> std::io::Result<()> {
    let mut asked = std::env::args().skip(1);
    let (mut last, mut is_told) = ("200".to_owned(), false);
    let mut table =
        String::from("| repository | commits | lint | types | tests |\n|---|---|---|---|---|\n");
    let mut shown = String::new();
    while let Some(word) = asked.next() {
        match word.as_str() {
            "--last" => last = asked.next().unwrap_or_default(),
            "--show" => is_told = true,
            folder => table.push_str(&count_folder(folder, &last, &mut shown)),
        }
    }
    if is_told {
        std::io::stderr().write_all(shown.as_bytes())?;
    }
    std::io::stdout().write_all(table.as_bytes())
}
