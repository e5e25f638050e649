//! Owns `RefName`: the full name of a reference, and how people call it.
//! Does not know whether the reference exists.
//! Invariant: a name that git or this program gave begins with `refs/`; one of a record is what the record says.

use std::ffi::OsStr;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What every full name begins with.
const ROOT: &str = "refs/";
/// Where branches are.
const BRANCHES: &str = "refs/heads/";
/// Where the branches of remotes are, each below the remote's name.
const REMOTES: &str = "refs/remotes/";

/// The full name of a reference, such as `refs/heads/main`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RefName(String);

impl RefName {
    /// The name in an answer of git's; none where the text is not a full name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix(ROOT)?;
        let fits = |letter: char| !letter.is_control() && letter != ' ';
        (!name.is_empty() && name.chars().all(fits)).then(|| Self(text.to_owned()))
    }

    /// The branch that people call so.
    #[must_use]
    pub fn of_branch(short: &str) -> Self {
        Self(format!("{BRANCHES}{short}"))
    }

    /// The branch of a run's trials.
    #[must_use]
    pub fn of_trials(run: &str) -> Self {
        Self(format!("{BRANCHES}autoresearch/{run}"))
    }

    /// A reference with which a run holds commits that are on no branch.
    #[must_use]
    pub fn of_run(run: &str, name: &str) -> Self {
        Self(Self::folder_of_run(run) + name)
    }

    /// What the names of a run's references begin with.
    #[must_use]
    pub fn folder_of_run(run: &str) -> String {
        format!("refs/autoresearch/{run}/")
    }

    /// The reference by which a trial of a run can be seen again.
    #[must_use]
    pub fn of_trial(run: &str, number: u32) -> Self {
        Self(format!("{}{number}", Self::folder_of_trials(run)))
    }

    /// What the names of those references begin with.
    #[must_use]
    pub fn folder_of_trials(run: &str) -> String {
        Self::folder_of_run(run) + "trial/"
    }

    /// The branch's short name; a reference that is not a branch keeps its full one.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.strip_prefix(BRANCHES).unwrap_or(&self.0)
    }

    /// The short name that a branch of a remote has there.
    #[must_use]
    pub fn remote_branch(&self) -> Option<&str> {
        let (_, branch) = self.0.strip_prefix(REMOTES)?.split_once('/')?;
        Some(branch)
    }

    #[must_use]
    pub fn is_branch(&self) -> bool {
        self.0.starts_with(BRANCHES)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RefName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl AsRef<str> for RefName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl AsRef<OsStr> for RefName {
    fn as_ref(&self) -> &OsStr {
        OsStr::new(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_loses_the_folder_of_branches_once_and_other_references_keep_their_names() {
        for (full, short) in [
            ("refs/heads/autoresearch/x", "autoresearch/x"),
            ("refs/heads/refs/heads/x", "refs/heads/x"),
            ("refs/remotes/origin/x", "refs/remotes/origin/x"),
        ] {
            let name = RefName::parse(full).unwrap();
            assert_eq!(name.short(), short);
            assert_eq!(name.to_string(), full);
        }
        assert!(RefName::of_branch("x").is_branch());
        assert_eq!(
            RefName::of_trials("x"),
            RefName::of_branch("autoresearch/x")
        );
        assert!(!RefName::of_run("fast", "interrupted-1").is_branch());
        let trial = RefName::of_trial("fast", 3);
        assert_eq!(trial.as_str(), "refs/autoresearch/fast/trial/3");
    }

    #[test]
    fn a_branch_of_a_remote_has_the_name_behind_the_remote() {
        let of = |full| RefName::parse(full)?.remote_branch().map(ToOwned::to_owned);
        assert_eq!(of("refs/remotes/origin/a/b").as_deref(), Some("a/b"));
        assert_eq!(of("refs/remotes/origin"), None);
        assert_eq!(of("refs/heads/origin/a"), None);
    }

    #[test]
    fn only_a_full_name_is_read_from_an_answer() {
        for text in [
            "",
            "main",
            "HEAD",
            "refs/",
            "refs/heads/a b",
            "refs/heads/a\nb",
            "-d",
        ] {
            assert_eq!(RefName::parse(text), None, "{text}");
        }
        let name = RefName::parse("refs/heads/größer");
        assert_eq!(name, Some(RefName::of_branch("größer")));
    }

    #[test]
    fn a_name_is_a_plain_text_on_disk_and_any_text_of_a_record_is_read() {
        let name = RefName::of_run("fast", "interrupted-3");
        let text = serde_json::to_string(&name).unwrap();
        assert_eq!(text, r#""refs/autoresearch/fast/interrupted-3""#);
        assert_eq!(serde_json::from_str::<RefName>(&text).unwrap(), name);
        let odd: RefName = serde_json::from_str(r#""main""#).unwrap();
        assert_eq!(odd.as_str(), "main");
    }
}
