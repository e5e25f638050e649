//! Owns the copy of a commit that differs from it in its message alone.
//! Does not move a reference: until one names it, the copy is an object that nobody sees.
//! Invariant: every other byte of the commit is that of the original.

use autoresearch_core::git_names::CommitId;
use git2::{ErrorCode, ObjectType, Oid};

use super::repository::History;

/// Settings by which git gives new objects other rights, or has them outlive a loss of power.
const SAY_HOW_TO_WRITE: [&str; 4] = [
    "core.sharedRepository",
    "core.fsync",
    "core.fsyncMethod",
    "core.fsyncObjectFiles",
];

impl History {
    /// Writes a copy of a commit with lines behind its message. This is the one object that libgit2 writes: it is made of the
    /// bytes of another, so that identity, dates and encoding need no git to be known. `None` where git has to write it:
    /// libgit2 cannot read or write here, or a setting says how objects are written, which git alone knows in full.
    #[must_use]
    pub fn copy_commit(&self, commit: &CommitId, lines: &str) -> Option<CommitId> {
        if self.asked_git().is_some() || !self.writes_as_git() {
            return None;
        }
        let objects = self.repository.odb().ok()?;
        let original = Oid::from_str(commit.as_str()).ok()?;
        let original = objects.read(original).ok()?;
        let copied = match original.kind() {
            ObjectType::Commit => add_lines(original.data(), lines)?,
            _ => return None,
        };
        let written = objects.write(ObjectType::Commit, &copied).ok()?;
        Some(CommitId::from_bytes(written.as_bytes()))
    }

    /// Does no setting say how objects are written? What cannot be read may say it.
    fn writes_as_git(&self) -> bool {
        let Ok(config) = self.repository.config() else {
            return false;
        };
        SAY_HOW_TO_WRITE.iter().all(|name| {
            let entry = config.get_entry(name);
            entry.is_err_and(|error| error.code() == ErrorCode::NotFound)
        })
    }
}

/// The bytes of a commit with lines behind its message; `None` for what is no commit with a message, for a signed one, whose
/// signature would be a lie, and for lines that its encoding does not have.
fn add_lines(commit: &[u8], lines: &str) -> Option<Vec<u8>> {
    let head = commit.windows(2).position(|pair| pair == b"\n\n")?;
    let has_header = |name: &[u8]| {
        let mut header = commit[..head].split(|byte| *byte == b'\n');
        header.any(|line| line.starts_with(name))
    };
    let is_foreign = has_header(b"encoding ") && !lines.is_ascii();
    let message = commit[head + 2..].trim_ascii_end();
    if has_header(b"gpgsig") || is_foreign || message.is_empty() {
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
        let copy = history.copy_commit(&head, "Metric: 47 -> 40\n").unwrap();
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
    fn git_writes_where_a_setting_says_how() {
        let repository = ScratchRepository::with_files(&["a"]);
        let copy = |commit: &CommitId| {
            let history = History::open_folder(repository.root()).unwrap();
            history.copy_commit(commit, "Metric: 1 -> 0\n")
        };
        let head = repository.find_commit("HEAD");
        for (name, value) in [
            ("core.sharedRepository", "group"),
            ("core.fsync", "loose-object"),
            ("core.fsyncMethod", "batch"),
            ("core.fsyncobjectfiles", "true"),
        ] {
            repository.run(&["config", name, value]);
            assert_eq!(copy(&head), None, "{name}");
            repository.run(&["config", "--unset", name]);
            assert!(copy(&head).is_some(), "without {name}");
        }
        let tree = repository.find_commit("HEAD^{tree}");
        assert_eq!(copy(&tree), None, "a tree is no commit");
    }

    #[test]
    fn git_writes_where_libgit2_cannot_read_the_commit() {
        let repository = ScratchRepository::with_files(&["a"]);
        let history = History::open_folder(repository.root()).unwrap();
        let head = repository.find_commit("HEAD");
        let hex = head.as_str();
        let object = format!(".git/objects/{}/{}", &hex[..2], &hex[2..]);
        std::fs::remove_file(repository.root().join(object)).unwrap();
        assert_eq!(history.copy_commit(&head, "Metric: 1 -> 0\n"), None);
    }

    #[test]
    fn what_is_signed_has_no_message_or_another_encoding_is_not_copied() {
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
        let latin = format!("{head}encoding ISO-8859-1\n\nwords\n");
        assert!(add(latin.clone()).is_some());
        assert_eq!(add_lines(latin.as_bytes(), "x: 47 \u{b5}s\n"), None);
    }
}
