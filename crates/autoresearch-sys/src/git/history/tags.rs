//! Owns the list of tags, each with the commit that it is of.
//! Does not check a signature.
//! Invariant: a tag of something else than a commit is left out.

use autoresearch_core::git_names::CommitId;

use super::repository::{History, HistoryError};

/// Where tags are.
const TAGS: &str = "refs/tags/";

impl History {
    /// The tags by their short names.
    pub fn list_tags(&self) -> Result<Vec<(String, CommitId)>, HistoryError> {
        if let Some(git) = self.asked_git() {
            return Ok(git.ask_tags()?);
        }
        let read = |source| HistoryError::Read {
            what: "tags".to_owned(),
            source,
        };
        let found = self
            .repository
            .references_glob(&format!("{TAGS}*"))
            .map_err(read)?;
        let named = found.flatten().filter_map(|reference| {
            let name = reference.name().ok()?.strip_prefix(TAGS)?.to_owned();
            let commit = reference.peel_to_commit().ok()?.id();
            Some((name, CommitId::from_bytes(commit.as_bytes())))
        });
        Ok(named.collect())
    }
}
