//! Owns the reading of what a git that failed said last: did it not get a lock, and why did it not?
//! Does not look at the file system: a lock that was held for a moment is gone when somebody looks.
//! Invariant: only git's own last message counts; what a filter or a hook printed before it does not.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// git did not get a lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LockRefusal {
    /// Another process held it.
    Held(PathBuf),
    /// The file could not be created: the folder is read-only, or the disk is full.
    Denied(PathBuf),
}

/// Reads git's last message. git runs with `LC_ALL=C`, so the system's words are English too.
pub(super) fn read_lock_refusal(stderr: &str, work_tree: &Path) -> Option<LockRefusal> {
    let is_message = |line: &&str| line.starts_with("fatal: ") || line.starts_with("error: ");
    let line = stderr.lines().rfind(is_message)?;
    let (lock, why) = if let Some((_, rest)) = line.split_once("could not lock config file ") {
        let (file, why) = rest.rsplit_once(": ")?;
        (format!("{file}.lock"), why)
    } else {
        let (_, rest) = line.split_once("Unable to create '")?;
        let (lock, why) = rest.rsplit_once("': ")?;
        (lock.to_owned(), why)
    };
    let lock = work_tree.join(lock);
    if lock.extension().is_none_or(|end| end != "lock") {
        return None;
    }
    Some(if why.starts_with("File exists") {
        LockRefusal::Held(lock)
    } else {
        LockRefusal::Denied(lock)
    })
}

/// The signal that ended a git, also when a script stands in front of it and passes its status on.
pub(super) fn read_signal(status: ExitStatus) -> Option<i32> {
    // 128 is git's own status for a fatal error, 129 for a wrong call.
    let passed_on = status.code().filter(|code| (130..=192).contains(code));
    status.signal().or(passed_on.map(|code| code - 128))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stderr: &str) -> Option<LockRefusal> {
        read_lock_refusal(stderr, Path::new("/r"))
    }

    #[test]
    fn every_kind_of_lock_that_is_held_is_read_from_the_words() {
        let advice = "\n\nAnother git process seems to be running in this repository, e.g.\nan editor opened by 'git commit'.";
        for (before, lock) in [
            ("fatal: ", "/r/.git/index.lock"),
            ("fatal: ", "/r/it's here/.git/index.lock"),
            (
                "fatal: update_ref failed for ref 'HEAD': cannot lock ref 'HEAD': ",
                "/r/.git/HEAD.lock",
            ),
            ("error: cannot lock ref 'HEAD': ", "/r/.git/HEAD.lock"),
            (
                "fatal: update_ref failed for ref 'refs/heads/autoresearch/x': cannot lock ref 'refs/heads/autoresearch/x': ",
                "/r/.git/refs/heads/autoresearch/x.lock",
            ),
            ("error: ", "/r/.git/packed-refs.lock"),
            ("fatal: ", "/r/.git/shallow.lock"),
        ] {
            let held = format!("{before}Unable to create '{lock}': File exists.{advice}");
            assert_eq!(read(&held), Some(LockRefusal::Held(lock.into())), "{held}");
        }
        assert_eq!(
            read("error: could not lock config file .git/config: File exists"),
            Some(LockRefusal::Held("/r/.git/config.lock".into()))
        );
    }

    #[test]
    fn a_lock_that_cannot_be_created_is_not_one_that_is_held() {
        for why in [
            "No space left on device",
            "Read-only file system",
            "Permission denied",
        ] {
            let denied = format!("fatal: Unable to create '/r/.git/index.lock': {why}");
            let lock = PathBuf::from("/r/.git/index.lock");
            assert_eq!(read(&denied), Some(LockRefusal::Denied(lock)));
        }
    }

    #[test]
    fn words_of_a_filter_before_the_message_of_git_do_not_count() {
        let filter = "fatal: Unable to create '/r/lfs/x.lock': File exists.\nerror: external filter 'lfs' failed 128\nfatal: src/a: clean filter 'lfs' failed";
        assert_eq!(read(filter), None);
        assert_eq!(read("the file 'x.lock' is in use"), None);
        assert_eq!(read("fatal: Unable to create 'x.txt': File exists."), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn a_signal_is_seen_behind_a_script_and_the_statuses_of_git_are_none() {
        let of = |raw| read_signal(ExitStatus::from_raw(raw));
        assert_eq!(of(9), Some(9));
        assert_eq!(of(137 << 8), Some(9));
        for status in [0, 1, 128, 129, 255] {
            assert_eq!(of(status << 8), None, "{status}");
        }
    }
}
