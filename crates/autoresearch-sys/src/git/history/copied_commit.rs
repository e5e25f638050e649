//! Owns the copy of a commit that differs from it in its message alone.
//! Does not move a reference: until one names it, the copy is an object that nobody sees.
//! Invariant: every other byte of the commit is that of the original.

use autoresearch_core::git_names::CommitId;
use git2::{ObjectType, Oid};

use super::repository::{History, HistoryError};

impl History {
    /// Writes a copy of a commit with lines behind its message. This is the one object that libgit2 writes: it is made of the
    /// bytes of another, so that identity, dates and encoding need no git to be known. `None` where libgit2 is not asked, or
    /// where others share the repository and git alone sets the rights of new objects.
    pub fn copy_commit(
        &self,
        commit: &CommitId,
        lines: &str,
    ) -> Result<Option<CommitId>, HistoryError> {
        let read = |source| HistoryError::Read {
            what: format!("the commit {commit}"),
            source,
        };
        let is_shared = || {
            let config = self.repository.config();
            config.is_ok_and(|config| config.get_entry("core.sharedRepository").is_ok())
        };
        if self.asked_git().is_some() || is_shared() {
            return Ok(None);
        }
        let objects = self.repository.odb().map_err(read)?;
        let original = Oid::from_str(commit.as_str()).map_err(read)?;
        let original = objects.read(original).map_err(read)?;
        let Some(copied) = add_lines(original.data(), lines) else {
            return Ok(None);
        };
        let written = objects.write(ObjectType::Commit, &copied).map_err(read)?;
        Ok(Some(CommitId::from_bytes(written.as_bytes())))
    }
}

/// The bytes of a commit with lines behind its message; `None` for what is no commit with a message, or a signed one, whose
/// signature would be a lie.
fn add_lines(commit: &[u8], lines: &str) -> Option<Vec<u8>> {
    let head = commit.windows(2).position(|pair| pair == b"\n\n")?;
    let is_signed = commit[..head]
        .split(|byte| *byte == b'\n')
        .any(|line| line.starts_with(b"gpgsig"));
    let message = commit[head + 2..].trim_ascii_end();
    if is_signed || message.is_empty() {
        return None;
    }
    Some([&commit[..head + 2], message, b"\n", lines.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::scratch::ScratchRepository;

    #[test]
    fn a_copy_has_every_byte_of_its_commit_and_the_lines_behind() {
        let repository = ScratchRepository::with_files(&["a"]);
        repository.run(&["config", "i18n.commitEncoding", "ISO-8859-1"]);
        repository.write("a", "second");
        repository.run(&["commit", "--quiet", "-am", "second\n\nRun: fast"]);
        let history = History::open_folder(repository.root()).unwrap();
        let head = repository.find_commit("HEAD");
        let copy = history
            .copy_commit(&head, "Metric: 47 -> 40\n")
            .unwrap()
            .unwrap();
        let show = |commit: &CommitId| repository.run(&["cat-file", "commit", commit.as_str()]);
        assert_eq!(show(&copy), show(&head) + "\nMetric: 47 -> 40");
        insta::assert_snapshot!(repository.run(&["log", "-1", "--format=%(trailers)", copy.as_str()]), @"
        Run: fast
        Metric: 47 -> 40
        ");
        repository.run(&["update-ref", "HEAD", copy.as_str()]);
        assert_eq!(repository.run(&["fsck", "--strict", "--no-dangling"]), "");
    }

    #[test]
    fn where_others_share_the_repository_git_writes() {
        let repository = ScratchRepository::with_files(&["a"]);
        repository.run(&["config", "core.sharedRepository", "group"]);
        let history = History::open_folder(repository.root()).unwrap();
        let head = repository.find_commit("HEAD");
        assert_eq!(
            history.copy_commit(&head, "Metric: 1 -> 0\n").unwrap(),
            None
        );
    }

    #[test]
    fn what_is_signed_or_has_no_message_is_not_copied() {
        let head = "tree 0\nauthor A <a@b> 1 +0000\n";
        let add = |commit: String| add_lines(commit.as_bytes(), "x: y\n");
        assert!(add(format!("{head}\nwords\n\n")).is_some());
        for commit in [
            format!("{head}gpgsig -----BEGIN\n -----END\n\nwords\n"),
            format!("{head}gpgsig-sha256 -----BEGIN\n -----END\n\nwords\n"),
            format!("{head}\n\n"),
            head.to_owned(),
        ] {
            assert_eq!(add(commit.clone()), None, "{commit}");
        }
    }
}
