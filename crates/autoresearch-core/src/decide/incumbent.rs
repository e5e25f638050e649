//! Owns `Incumbent`: the kept state that a trial must beat.
//! Does not say which state that is; the fold over the journal does.
//! Invariant: its measurement was made on its tree.

use serde::{Deserialize, Serialize};

use crate::git_names::{CommitId, TreeId};
use crate::metric::measurement::Measurement;

/// The kept state that a trial must beat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incumbent {
    /// The trial that made it; 0 is the baseline.
    pub trial: u32,
    pub commit: CommitId,
    pub tree: TreeId,
    /// What was measured there.
    pub measurement: Measurement,
    /// The labels of its trial.
    pub labels: Vec<String>,
}
