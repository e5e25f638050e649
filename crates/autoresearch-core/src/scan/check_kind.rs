//! Owns `CheckKind`: what can be broken in a project.
//! Does not know a command.
//! Invariant: the kinds are ordered as they are repaired.

use serde::{Deserialize, Serialize};

use crate::scan::goal::Aim;

/// What can be broken, in the order in which it is repaired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckKind {
    Build,
    Tests,
    Types,
    Lint,
}

impl CheckKind {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Tests => "tests",
            Self::Types => "types",
            Self::Lint => "lint",
        }
    }

    /// The aim of the recipes that count what it finds.
    pub(super) fn aim(self) -> Aim {
        match self {
            Self::Build => Aim::BuildErrors,
            Self::Tests => Aim::FailingTests,
            Self::Types => Aim::Types,
            Self::Lint => Aim::Lint,
        }
    }
}
