//! Owns the run's own index: made of the commit of HEAD, and known to nobody else.
//! Does not commit, and does not judge whose a change is.
//! Invariant: no flag, time or entry in the user's index decides what is seen, staged or committed. The user's index is
//! told afterwards of the paths of a trial, and of no other.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use autoresearch_core::git_names::{CommitId, RepoPath};
use serde::{Deserialize, Serialize};

use super::commit::is_behind_link;
use super::error::GitError;
use super::index_file::{IndexSnapshot, NotedFile};
use super::program::{Git, Input, join_nul, split_paths};
use crate::regular_files::{NOTE_BYTES, read_file};
use crate::replacement::{Durability, replace_file};

/// File times and ours are by two clocks, of which one counts in ticks.
const SLACK: i64 = 2;
/// The bytes of a larger file are not read only so that git knows its times.
const LARGE: u32 = 16 << 20;
/// So many entries at once go into the words of one command.
const FEW: usize = 200;

/// The index of a run's work tree that the run alone uses.
pub struct PrivateIndex<'g> {
    /// git with the index that everybody else sees.
    users: &'g Git,
    git: Git,
    file: PathBuf,
}

/// In what the user's index differs from the run's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexDifference {
    /// The paths in conflict: no other index knows of these.
    pub conflicts: Vec<RepoPath>,
    /// The paths with another object or another mode, or that only one of the two has.
    pub differing: Vec<RepoPath>,
}

/// What is known of the index file besides what is in it.
#[derive(Serialize, Deserialize)]
struct IndexNote {
    /// The commit that it was made of, and that HEAD named.
    head: CommitId,
    /// The second of the last look at entries that had just changed.
    looked_at: i64,
}

impl<'g> PrivateIndex<'g> {
    /// The index in a file of ours, by its absolute path. Nothing is made yet.
    #[must_use]
    pub fn new(users: &'g Git, file: &Path) -> Self {
        Self {
            users,
            git: users.with_index(file),
            file: file.to_owned(),
        }
    }

    /// git at work with this index.
    #[must_use]
    pub fn git(&self) -> &Git {
        &self.git
    }

    /// Makes sure that the index is one of this commit, which HEAD names, and that the next `git status` looks at every file
    /// that could have changed since the last. `now` is in seconds since 1970.
    ///
    /// git compares times by the second: a file that is written twice within one, and given its old time again, is the same
    /// to it for ever. So entries that changed about when git last looked are compared to the nanosecond here.
    pub fn prepare(&self, head: &CommitId, now: i64) -> Result<(), GitError> {
        let note = self.read_note().filter(|note| note.head == *head);
        match (note, self.read_snapshot(head)) {
            (Some(note), Some(snapshot)) => {
                let recent = snapshot.list_changed_since(note.looked_at - SLACK);
                let recent = recent.filter(|file| file.is_noted() && file.is_file());
                let lied = recent.filter(|file| file.hides_change(self.git.work_tree()));
                let lines: Vec<Vec<u8>> = lied.map(|file| format_entry(&file)).collect();
                if !lines.is_empty() {
                    self.git.enter_lines(&lines)?;
                }
            }
            _ => self.make_of(head)?,
        }
        self.write_note(head, now)?;
        let pending: Vec<RepoPath> = self.read_pending().into_iter().collect();
        if pending.is_empty() {
            return Ok(());
        }
        self.update_users(&pending, head)
    }

    /// Says that HEAD names another commit now, whose tree is in the index.
    pub fn note_head(&self, head: &CommitId) -> Result<(), GitError> {
        let looked_at = self.read_note().map_or(0, |note| note.looked_at);
        self.write_note(head, looked_at)
    }

    /// What the index holds now; `None` where there is none that can be read.
    #[must_use]
    pub fn read_snapshot(&self, head: &CommitId) -> Option<Rc<IndexSnapshot>> {
        self.git.read_index(&self.file, is_sha256(head))
    }

    /// What the user's index, whose file is handed in, says otherwise than this one.
    pub fn compare_users(
        &self,
        users: &Path,
        head: &CommitId,
    ) -> Result<IndexDifference, GitError> {
        let seen = self.users.read_index(users, is_sha256(head));
        let known = seen.as_ref().is_some_and(|seen| !seen.has_conflict());
        let conflicts = if known {
            Vec::new()
        } else {
            self.users.list_unmerged()?
        };
        let own = self.read_snapshot(head);
        let differing = match (seen, own) {
            (Some(seen), Some(own)) => seen.list_differing(&own),
            // The user's index is of a version that only git reads.
            _ => self.users.list_staged(head)?,
        };
        Ok(IndexDifference {
            conflicts,
            differing,
        })
    }

    fn make_of(&self, head: &CommitId) -> Result<(), GitError> {
        for left in [self.file.clone(), self.beside("lock")] {
            // The run is held by this process alone: a lock was left by a git that was killed.
            let _ = std::fs::remove_file(left);
        }
        self.git.run_for_text(&["read-tree", head.as_str()])?;
        if self.git.is_setting_on("core.sparseCheckout") {
            self.leave_out_sparse()?;
        }
        Ok(())
    }

    /// What a sparse checkout leaves out is no deletion. git looks at such a file as soon as it is there.
    fn leave_out_sparse(&self) -> Result<(), GitError> {
        let listed = self.users.list_skipped()?;
        let is_absent = |path: &RepoPath| {
            let path = self.users.work_tree().join(path.as_path());
            path.symlink_metadata().is_err()
        };
        let absent: Vec<RepoPath> = listed.into_iter().filter(is_absent).collect();
        let words = ["update-index", "-z", "--skip-worktree", "--stdin"].map(OsStr::new);
        self.git
            .run_git(words, Input::Bytes(&join_nul(&absent)))
            .map(drop)
    }

    /// Moves the index to another file of the same disk. Where that fails, it is made anew there when it is needed.
    pub fn move_to(self, file: &Path) {
        for extension in ["note", ""] {
            let _ = std::fs::rename(self.beside(extension), file.with_extension(extension));
        }
    }

    /// Notes that HEAD is about to move, and that the user's index has to learn of these paths: the next look sees to it where
    /// this command does not come to it.
    pub fn expect_update(&self, paths: &[RepoPath]) -> Result<(), GitError> {
        let mut pending = self.read_pending();
        pending.extend(paths.iter().cloned());
        let bytes = join_nul(&pending.into_iter().collect::<Vec<_>>());
        self.write_beside("pending", &bytes)
    }

    /// Is there something that the user's index has not learnt yet?
    #[must_use]
    pub fn is_update_pending(&self) -> bool {
        self.beside("pending").exists()
    }

    /// Gives the user's index the entries that this one has for these paths. Where somebody holds that index for long, the
    /// next look does it.
    pub fn update_users(&self, paths: &[RepoPath], head: &CommitId) -> Result<(), GitError> {
        match self.enter_into_users(paths, head) {
            Err(GitError::Locked { .. }) => Ok(()),
            Err(error) => Err(error),
            Ok(()) => {
                let _ = std::fs::remove_file(self.beside("pending"));
                Ok(())
            }
        }
    }

    fn enter_into_users(&self, paths: &[RepoPath], head: &CommitId) -> Result<(), GitError> {
        let Some(snapshot) = self.read_snapshot(head) else {
            return Ok(());
        };
        let (mut here, mut gone) = (Vec::new(), Vec::new());
        for path in paths {
            match snapshot.find_file(path.as_bytes()) {
                Some(file) => here.push(file),
                None => gone.push(format_gone(path, head)),
            }
        }
        // An entry that is made anew loses the flags that hide it, and the times. Then git is shown the files that are still
        // what was entered, so that nobody else has to compare their bytes.
        let work_tree = self.users.work_tree();
        let stands = |file: &&NotedFile<'_>| {
            let path = RepoPath::new(file.path);
            file.size() <= LARGE
                && file.is_untouched(work_tree)
                && !is_behind_link(work_tree, path.as_path())
        };
        let shown: Vec<&[u8]> = here.iter().filter(stands).map(|file| file.path).collect();
        if gone.is_empty() && here.len() <= FEW {
            return self.users.enter_and_show(&here, &shown);
        }
        let lines = gone.into_iter().chain(here.iter().map(format_entry));
        self.users.enter_lines(&lines.collect::<Vec<_>>())?;
        self.users.enter_and_show(&[], &shown)
    }

    fn beside(&self, extension: &str) -> PathBuf {
        self.file.with_extension(extension)
    }

    fn read_pending(&self) -> BTreeSet<RepoPath> {
        let bytes = read_file(&self.beside("pending"), NOTE_BYTES).unwrap_or_default();
        split_paths(&bytes).collect()
    }

    fn read_note(&self) -> Option<IndexNote> {
        serde_json::from_slice(&read_file(&self.beside("note"), NOTE_BYTES).ok()?).ok()
    }

    fn write_note(&self, head: &CommitId, looked_at: i64) -> Result<(), GitError> {
        let note = IndexNote {
            head: head.clone(),
            looked_at,
        };
        self.write_beside("note", &serde_json::to_vec(&note).unwrap_or_default())
    }

    /// Not synced: what is lost is made again of the commit.
    fn write_beside(&self, extension: &str, bytes: &[u8]) -> Result<(), GitError> {
        let path = self.beside(extension);
        replace_file(&path, Durability::Unsynced, None, |file| {
            file.write_all(bytes)
        })
        .map_err(|source| GitError::NoScratch { source })
    }
}

impl Git {
    /// Enters lines of `update-index --index-info`: paths with a mode and an object, without the times of a file.
    fn enter_lines(&self, lines: &[Vec<u8>]) -> Result<(), GitError> {
        let arguments = ["update-index", "-z", "--index-info"].map(OsStr::new);
        self.run_git(arguments, Input::Bytes(&join_nul(lines)))
            .map(drop)
    }

    /// Enters a few paths with mode and object, and then the files at the paths that are shown, with their times.
    fn enter_and_show(&self, few: &[NotedFile<'_>], shown: &[&[u8]]) -> Result<(), GitError> {
        if few.is_empty() && shown.is_empty() {
            return Ok(());
        }
        let entry = |file: &NotedFile<'_>| {
            let head = format!("{:06o},{},", file.mode(), format_object(file.object));
            let word = [head.as_bytes(), file.path].concat();
            [OsString::from("--cacheinfo"), OsString::from_vec(word)]
        };
        let words = ["update-index", "-z", "--add", "--remove", "--replace"].map(OsString::from);
        let entered = words
            .into_iter()
            .chain(few.iter().flat_map(entry))
            .collect::<Vec<_>>();
        let all: Vec<&OsStr> = entered.iter().map(OsString::as_os_str).collect();
        let showing = all.iter().copied().chain([OsStr::new("--stdin")]);
        match self.run_git(showing, Input::Bytes(&join_nul(shown))) {
            // Without the times of a file that git cannot read now, everybody looks at it once more.
            Err(GitError::Failed { .. }) if !few.is_empty() => {
                self.run_git(all, Input::Nothing).map(drop)
            }
            Err(GitError::Failed { .. }) => Ok(()),
            done => done.map(drop),
        }
    }
}

/// Does a repository name its objects by SHA-256? Such a name is longer.
fn is_sha256(commit: &CommitId) -> bool {
    commit.as_str().len() > 40
}

fn format_object(object: &[u8]) -> String {
    object
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn format_entry(file: &NotedFile<'_>) -> Vec<u8> {
    let head = format!("{:06o} {}\t", file.mode(), format_object(file.object));
    [head.as_bytes(), file.path].concat()
}

fn format_gone(path: &RepoPath, head: &CommitId) -> Vec<u8> {
    let none = "0".repeat(head.as_str().len());
    [format!("0 {none}\t").as_bytes(), path.as_bytes()].concat()
}

#[cfg(test)]
mod tests;
