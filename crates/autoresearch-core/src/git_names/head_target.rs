//! Owns `HeadTarget`: what HEAD names.
//! Does not know what else a commit or a branch is.
//! Invariant: a text is a branch if it is a full name, and a commit otherwise, as git tells them apart.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::git_names::object_id::CommitId;
use crate::git_names::ref_name::RefName;

/// A branch, or a commit where HEAD is detached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum HeadTarget {
    Branch(RefName),
    Commit(CommitId),
}

impl HeadTarget {
    /// The branch, unless HEAD is detached.
    #[must_use]
    pub fn branch(&self) -> Option<&RefName> {
        match self {
            Self::Branch(name) => Some(name),
            Self::Commit(_) => None,
        }
    }

    /// The branch's short name, or the whole hash of the commit.
    #[must_use]
    pub fn short(&self) -> &str {
        match self {
            Self::Branch(name) => name.short(),
            Self::Commit(commit) => commit.as_str(),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Branch(name) => name.as_str(),
            Self::Commit(commit) => commit.as_str(),
        }
    }
}

impl From<String> for HeadTarget {
    fn from(text: String) -> Self {
        match RefName::parse(&text) {
            Some(name) => Self::Branch(name),
            None => Self::Commit(CommitId::of_record(text)),
        }
    }
}

impl From<HeadTarget> for String {
    fn from(target: HeadTarget) -> Self {
        target.as_str().to_owned()
    }
}

impl fmt::Display for HeadTarget {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_by_the_text_whether_head_was_detached() {
        let hash = "0123456789012345678901234567890123456789";
        for (text, branch, short) in [
            ("refs/heads/main", Some(RefName::of_branch("main")), "main"),
            (hash, None, hash),
        ] {
            let json = format!("\"{text}\"");
            let target: HeadTarget = serde_json::from_str(&json).unwrap();
            assert_eq!(target.branch(), branch.as_ref());
            assert_eq!(target.short(), short);
            assert_eq!(target.to_string(), text);
            assert_eq!(serde_json::to_string(&target).unwrap(), json);
        }
    }
}
