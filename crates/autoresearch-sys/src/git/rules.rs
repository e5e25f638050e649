//! Owns the reading of git's own rules: the settings, index flags and lists that decide what `git status` shows and
//! which bytes a commit or a file gets.
//! Does not compare them with anything.
//! Invariant: a setting that decides neither (a remote, an alias, a name) is left out.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use autoresearch_core::git_names::RepoPath;

use super::error::GitError;
use super::program::{Git, Input, split_nul};

/// The settings of `core` that count; `git` is called with fixed values for `fsmonitor`, `checkStat`, `trustctime` and
/// `ignoreStat`.
const CORE: [&str; 13] = [
    "attributesfile",
    "autocrlf",
    "bare",
    "bigfilethreshold",
    "eol",
    "excludesfile",
    "filemode",
    "ignorecase",
    "precomposeunicode",
    "sparsecheckout",
    "sparsecheckoutcone",
    "symlinks",
    "worktree",
];

/// A path that the index marks as one not to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlaggedPath {
    pub flag: &'static str,
    /// The path from the repository's root.
    pub path: RepoPath,
}

impl Git {
    /// The settings that count, each with the value that wins.
    pub fn read_settings(&self) -> Result<BTreeMap<String, String>, GitError> {
        let output = self.run_git(["config", "--list", "-z"].map(OsStr::new), Input::Nothing)?;
        let mut settings = BTreeMap::new();
        for item in split_nul(&output.stdout) {
            let text = String::from_utf8_lossy(&item);
            let (key, value) = text.split_once('\n').unwrap_or((&text, "true"));
            if is_rule(key) {
                settings.insert(key.to_owned(), value.to_owned());
            }
        }
        Ok(settings)
    }

    /// From now on these settings have no value. A filter without a program lets the bytes through as they are.
    pub fn disarm_settings(&mut self, keys: &[String]) {
        if keys.is_empty() {
            return;
        }
        // Behind those that the environment of the start has. Not with `-c`: the name of a filter may have a `=` in it.
        let count = self
            .find_variable("GIT_CONFIG_COUNT")
            .and_then(OsStr::to_str);
        let first: usize = count.and_then(|count| count.parse().ok()).unwrap_or(0);
        let count = (first + keys.len()).to_string();
        self.env.retain(|(name, _)| name != "GIT_CONFIG_COUNT");
        self.env.push(("GIT_CONFIG_COUNT".into(), count.into()));
        for (index, key) in (first..).zip(keys) {
            let value = if key.ends_with(".required") {
                "false"
            } else {
                ""
            };
            self.env
                .push((format!("GIT_CONFIG_KEY_{index}").into(), key.into()));
            self.env
                .push((format!("GIT_CONFIG_VALUE_{index}").into(), value.into()));
        }
    }

    /// The paths that the index marks; for these `git status` believes the mark and not the file.
    pub fn list_flagged(&self) -> Result<Vec<FlaggedPath>, GitError> {
        let arguments = ["ls-files", "-v", "-z", "--sparse"].map(OsStr::new);
        let output = self.run_git(arguments, Input::Nothing)?;
        let lines = output.stdout.split(|byte| *byte == 0);
        Ok(lines.filter_map(parse_flagged).collect())
    }

    /// The files that the index marks as not to be in the work tree, one by one also where a sparse index holds a folder.
    pub(super) fn list_skipped(&self) -> Result<Vec<RepoPath>, GitError> {
        let arguments = ["ls-files", "-t", "-z"].map(OsStr::new);
        let output = self.run_git(arguments, Input::Nothing)?;
        let lines = split_nul(&output.stdout);
        let skipped = lines.filter_map(|line| line.strip_prefix(b"S ").map(RepoPath::new));
        Ok(skipped.collect())
    }

    /// The files outside the work tree that hold rules, whether they exist or not.
    #[must_use]
    pub fn rule_lists(&self, settings: &BTreeMap<String, String>, common: &Path) -> Vec<PathBuf> {
        let named = |key: &str, default: &str| match settings.get(key) {
            Some(value) => Some(self.expand_path(value)),
            None => self.settings_folder().map(|folder| folder.join(default)),
        };
        // `grafts` and `shallow` give commits other parents.
        let own = ["info/exclude", "info/attributes", "info/grafts", "shallow"];
        let mut lists: Vec<PathBuf> = own.iter().map(|name| common.join(name)).collect();
        lists.extend(named("core.excludesfile", "ignore"));
        lists.extend(named("core.attributesfile", "attributes"));
        lists
    }

    fn settings_folder(&self) -> Option<PathBuf> {
        let configured = self.find_variable("XDG_CONFIG_HOME").map(PathBuf::from);
        let home = || Some(Path::new(self.find_variable("HOME")?).join(".config"));
        configured.or_else(home).map(|folder| folder.join("git"))
    }

    fn expand_path(&self, value: &str) -> PathBuf {
        match (value.strip_prefix("~/"), self.find_variable("HOME")) {
            (Some(rest), Some(home)) => Path::new(home).join(rest),
            _ => self.work_tree().join(value),
        }
    }

    pub(super) fn find_variable(&self, name: &str) -> Option<&OsStr> {
        let found = self.env.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.as_os_str())
            .filter(|value| !value.is_empty())
    }
}

/// Does a setting decide what is seen or which bytes are written?
pub(super) fn is_rule(key: &str) -> bool {
    match key.split_once('.') {
        Some(("core", name)) => CORE.contains(&name),
        Some(_) if hides_submodules(key) => true,
        Some((section, _)) => ["attr", "filter", "sparse"].contains(&section),
        None => false,
    }
}

/// Does a setting say which changes of submodules are shown?
fn hides_submodules(key: &str) -> bool {
    key == "diff.ignoresubmodules" || (key.starts_with("submodule.") && key.ends_with(".ignore"))
}

/// Settings that earlier versions did not pin, or for which git had another value when it was called by them.
#[must_use]
pub fn is_newly_pinned(key: &str) -> bool {
    hides_submodules(key) || key == "core.ignorecase"
}

fn parse_flagged(line: &[u8]) -> Option<FlaggedPath> {
    let (tag, path) = (line.first()?, line.get(2..)?);
    let flag = match tag {
        b'S' | b's' => "skip-worktree",
        b'a'..=b'z' => "assume-unchanged",
        _ => return None,
    };
    Some(FlaggedPath {
        flag,
        path: RepoPath::new(path),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_settings_that_decide_what_is_seen_or_committed_count() {
        for key in [
            "core.excludesfile",
            "core.autocrlf",
            "filter.lfs.clean",
            "attr.tree",
            "submodule.lib/x.ignore",
            "diff.ignoresubmodules",
        ] {
            assert!(is_rule(key), "{key}");
        }
        for key in [
            "core.editor",
            "core.hookspath",
            "remote.origin.url",
            "alias.filter",
            "submodule.lib.url",
            "diff.renames",
            "user.name",
        ] {
            assert!(!is_rule(key), "{key}");
        }
    }

    #[test]
    fn flags_are_read_from_the_letters_of_ls_files() {
        let of = |line: &[u8]| parse_flagged(line).map(|found| (found.flag, found.path));
        assert_eq!(of(b"H a"), None);
        assert_eq!(of(b"M a"), None);
        assert_eq!(of(b""), None);
        assert_eq!(of(b"S a b"), Some(("skip-worktree", RepoPath::new(b"a b"))));
        assert_eq!(of(b"s a"), Some(("skip-worktree", RepoPath::new(b"a"))));
        assert_eq!(
            of(b"h a\nb"),
            Some(("assume-unchanged", RepoPath::new(b"a\nb")))
        );
    }
}
