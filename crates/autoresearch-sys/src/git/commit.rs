//! Owns the making of a commit from exactly the given paths.
//! Does not choose the paths.
//! Invariant: what the user had staged elsewhere is not in the commit, and is still staged afterwards.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use autoresearch_core::git_names::{CommitId, RepoPath, TreeId};

use super::error::GitError;
use super::program::{Git, Input, join_nul};
use super::reading::{read_commit_id, read_tree_id};
use crate::regular_files::{NOTE_BYTES, read_file};

/// A commit to make.
pub struct NewCommit<'a> {
    pub parent: &'a CommitId,
    /// The whole message, trailers included.
    pub message: &'a str,
    /// A folder for the temporary index and message.
    pub scratch: &'a Path,
    /// Author and committer date, as git reads it.
    pub date: &'a str,
}

/// A path that git does not take into the index as it is: a filter fails, line ends are mixed, its name or kind is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedPath {
    pub path: RepoPath,
    pub words: String,
}

/// Do the repository's hooks see a commit?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hooks {
    Bypass,
    /// `pre-commit`, `prepare-commit-msg` and `commit-msg` run and may refuse it; the last two may change the message.
    Run,
}

impl Git {
    /// Puts the work tree's state of the paths into the index, through the repository's filters. Paths that are gone are
    /// removed from it. What git refuses is returned; everything else is staged.
    pub fn stage_paths(&self, paths: &[RepoPath]) -> Result<Vec<RefusedPath>, GitError> {
        let (gone, here): (Vec<RepoPath>, Vec<RepoPath>) =
            paths.iter().cloned().partition(|path| {
                is_behind_link(self.work_tree(), path.as_path()) || self.is_folder(path)
            });
        if !gone.is_empty() {
            // A folder became a link, or a file a folder: git refuses to look there, and for git the files are gone.
            let arguments = ["update-index", "-z", "--force-remove", "--stdin"];
            self.run_git(arguments.map(OsStr::new), Input::Bytes(&join_nul(&gone)))?;
        }
        let mut refused = Vec::new();
        self.stage_by_halving(&here, &mut refused)?;
        Ok(refused)
    }

    fn is_folder(&self, path: &RepoPath) -> bool {
        let path = self.work_tree().join(path.as_path());
        path.symlink_metadata().is_ok_and(|meta| meta.is_dir())
    }

    /// Stages paths. When git fails, its words tell a person which path it was; halving tells us.
    fn stage_by_halving(
        &self,
        paths: &[RepoPath],
        refused: &mut Vec<RefusedPath>,
    ) -> Result<(), GitError> {
        let arguments = [
            "update-index",
            "-z",
            "--add",
            "--remove",
            "--replace",
            "--stdin",
        ];
        match self.run_git(arguments.map(OsStr::new), Input::Bytes(&join_nul(paths))) {
            // A name that git never tracks, such as `git~1`, is skipped with a word and without an error.
            Ok(output) if !output.stderr.is_empty() => {
                let skipped = self.list_unstaged(paths)?;
                refused.extend(skipped.into_iter().map(|path| RefusedPath {
                    path,
                    words: "git does not take a file of this name".to_owned(),
                }));
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(GitError::Failed { stderr, .. }) if paths.len() == 1 => {
                self.check_writing()?;
                // A filter that failed for reasons of the moment gets a second try.
                match self.run_git(arguments.map(OsStr::new), Input::Bytes(&join_nul(paths))) {
                    Ok(_) => Ok(()),
                    Err(GitError::Failed { .. }) => {
                        refused.push(RefusedPath {
                            path: paths[0].clone(),
                            words: find_main_message(&stderr),
                        });
                        Ok(())
                    }
                    Err(error) => Err(error),
                }
            }
            Err(GitError::Failed { .. }) => {
                let (first, rest) = paths.split_at(paths.len() / 2);
                self.stage_by_halving(first, refused)?;
                self.stage_by_halving(rest, refused)
            }
            Err(error) => Err(error),
        }
    }

    /// Can objects and the index be written at all? A full disk is not the fault of a path.
    fn check_writing(&self) -> Result<(), GitError> {
        // An object that exists already would not be written: the text is never the same twice.
        let text = format!(
            "autoresearch looks whether git can write: {:?}\n",
            self.time_spent()
        );
        self.run_git(
            ["hash-object", "-w", "--stdin"].map(OsStr::new),
            Input::Bytes(text.as_bytes()),
        )?;
        self.run_for_text(&["update-index", "--force-write-index"])
            .map(drop)
    }

    /// Paths among these whose files still differ from the index.
    fn list_unstaged(&self, paths: &[RepoPath]) -> Result<Vec<RepoPath>, GitError> {
        let mut found = self.list_among(
            &["--others", "--modified", "--deleted", "--deduplicate"],
            paths,
        )?;
        found.retain(|path| paths.contains(path));
        Ok(found)
    }

    /// The tree of the index, after the hook `pre-commit` saw it where it is to. What the hook stages is in the tree and not
    /// in the index.
    pub fn write_index_tree(&self, new: &NewCommit<'_>, hooks: Hooks) -> Result<TreeId, GitError> {
        if hooks == Hooks::Bypass {
            let tree = self.run_for_text(&["write-tree"])?;
            return read_tree_id("write-tree", tree.as_bytes());
        }
        let index = new.scratch.join("index");
        // The folder is the run's own, and no other git of ours is at work: a lock there was left by one that was killed.
        let _ = std::fs::remove_file(new.scratch.join("index.lock"));
        let index_env = [("GIT_INDEX_FILE", index.as_os_str())];
        self.copy_index(&index)?;
        self.run_hook("pre-commit", &[], &index_env)?;
        let tree = self.run_with_env([OsStr::new("write-tree")], Input::Nothing, &index_env)?;
        let _ = std::fs::remove_file(&index);
        read_tree_id("write-tree", &tree.stdout)
    }

    /// Makes the commit object. No reference moves.
    pub fn commit_tree(
        &self,
        tree: &TreeId,
        new: &NewCommit<'_>,
        hooks: Hooks,
    ) -> Result<CommitId, GitError> {
        let message = match hooks {
            Hooks::Run => self.message_by_hooks(new)?,
            Hooks::Bypass => new.message.to_owned(),
        };
        let env = [
            ("GIT_AUTHOR_DATE", OsStr::new(new.date)),
            ("GIT_COMMITTER_DATE", OsStr::new(new.date)),
        ];
        let arguments = [
            "commit-tree",
            "--no-gpg-sign",
            "-p",
            new.parent.as_str(),
            "-F",
            "-",
            tree.as_str(),
        ]
        .map(OsStr::new);
        let output = self.run_with_env(arguments, Input::Bytes(message.as_bytes()), &env)?;
        read_commit_id("commit-tree", &output.stdout)
    }

    /// The message after the hooks of the repository had their say.
    fn message_by_hooks(&self, new: &NewCommit<'_>) -> Result<String, GitError> {
        let file = new.scratch.join("message");
        let io = |source| GitError::Start {
            program: file.clone(),
            source,
        };
        let _ = std::fs::remove_file(&file);
        std::fs::write(&file, new.message).map_err(io)?;
        // As `git commit -m` calls it.
        let source = OsStr::new("message");
        self.run_hook("prepare-commit-msg", &[file.as_os_str(), source], &[])?;
        self.run_hook("commit-msg", &[file.as_os_str()], &[])?;
        let message = read_file(&file, NOTE_BYTES).map_err(io)?;
        let _ = std::fs::remove_file(&file);
        let message = String::from_utf8_lossy(&message);
        with_trailers(&message, new.message).ok_or_else(|| GitError::Hook {
            hook: "commit-msg",
            output: "it left no message".to_owned(),
        })
    }

    /// Does git know who author and committer are?
    #[must_use]
    pub fn knows_identity(&self) -> bool {
        ROLES.iter().all(|role| self.knows_role(role))
    }

    fn knows_role(&self, role: &str) -> bool {
        self.run_for_text(&["var", &format!("GIT_{role}_IDENT")])
            .is_ok()
    }

    /// Lends an identity where git knows none, for the commands of this `Git` only. An author that git knows stays the
    /// author.
    pub fn lend_identity(&mut self) {
        let unknown: Vec<&str> = ROLES
            .into_iter()
            .filter(|role| !self.knows_role(role))
            .collect();
        self.set_identity(&unknown);
    }

    /// Commits with the program's own identity, whatever git knows.
    pub fn take_own_identity(&mut self) {
        self.set_identity(&ROLES);
    }

    fn set_identity(&mut self, roles: &[&str]) {
        for role in roles {
            for (what, value) in [
                ("NAME", "autoresearch"),
                ("EMAIL", "autoresearch@localhost"),
            ] {
                let name = OsString::from(format!("GIT_{role}_{what}"));
                self.env.retain(|(known, _)| *known != name);
                self.env.push((name, value.into()));
            }
        }
    }

    fn copy_index(&self, to: &Path) -> Result<(), GitError> {
        let from = self.index_file()?;
        // What stands there may be a link.
        let _ = std::fs::remove_file(to);
        std::fs::copy(&from, to)
            .map(drop)
            .map_err(|source| GitError::Start {
                program: from,
                source,
            })
    }
}

/// The two who sign a commit with their names.
const ROLES: [&str; 2] = ["AUTHOR", "COMMITTER"];

/// The message as the hooks left it, with the trailers of `before` and those that a hook added in one block, as git reads
/// them. `None` where nothing is left.
fn with_trailers(message: &str, before: &str) -> Option<String> {
    let mut paragraphs = split_paragraphs(message);
    let mut trailers: Vec<String> = Vec::new();
    while paragraphs.len() > 1 && paragraphs.last().is_some_and(|last| is_trailers(last)) {
        let block = paragraphs.pop().unwrap_or_default();
        trailers.splice(0..0, block);
    }
    if paragraphs.is_empty() {
        return None;
    }
    let ours = last_paragraph(before);
    let lost: Vec<String> = ours
        .into_iter()
        .filter(|line| !trailers.contains(line))
        .collect();
    trailers.splice(0..0, lost);
    paragraphs.push(trailers);
    let blocks: Vec<String> = paragraphs.iter().map(|lines| lines.join("\n")).collect();
    Some(blocks.join("\n\n") + "\n")
}

fn last_paragraph(message: &str) -> Vec<String> {
    split_paragraphs(message).pop().unwrap_or_default()
}

/// The lines between empty lines.
fn split_paragraphs(message: &str) -> Vec<Vec<String>> {
    let mut found: Vec<Vec<String>> = vec![Vec::new()];
    for line in message.lines().map(str::trim_end) {
        match found.last_mut() {
            Some(last) if !line.is_empty() => last.push(line.to_owned()),
            Some(last) if !last.is_empty() => found.push(Vec::new()),
            _ => {}
        }
    }
    found.retain(|lines| !lines.is_empty());
    found
}

/// Is every line `Key: value`, or the continuation of one?
fn is_trailers(lines: &[String]) -> bool {
    let is_key = |key: &str| {
        !key.is_empty()
            && key
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
    };
    let is_trailer = |line: &String| line.split_once(':').is_some_and(|(key, _)| is_key(key));
    let continues = |line: &String| line.starts_with([' ', '\t']);
    lines.first().is_some_and(is_trailer)
        && lines.iter().all(|line| is_trailer(line) || continues(line))
}

/// The line of git's message that says most, without its level.
fn find_main_message(stderr: &str) -> String {
    let first = stderr.lines().next().unwrap_or_default();
    let level = ["error: ", "fatal: "];
    let plain = level.iter().find_map(|level| first.strip_prefix(level));
    plain.unwrap_or(first).to_owned()
}

/// Is a folder above this path a symbolic link now?
#[must_use]
pub fn is_behind_link(work_tree: &Path, path: &Path) -> bool {
    let above = path.ancestors().skip(1);
    let mut folders = above.filter(|folder| !folder.as_os_str().is_empty());
    folders.any(|folder| work_tree.join(folder).is_symlink())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "experiment: nine\n\nRun: t\nTrial: 1\n";

    #[test]
    fn trailers_of_hooks_and_ours_are_one_block() {
        for (left, made) in [
            (OURS, OURS),
            (
                "experiment: nine\n\nRun: t\nTrial: 1\n\nSigned-off-by: A <a@b>\n",
                "experiment: nine\n\nRun: t\nTrial: 1\nSigned-off-by: A <a@b>\n",
            ),
            (
                "[T-1] experiment: nine\n\n\nwords of a hook\n\nRun: t\nTrial: 1\n\nX: 1\n  more\n\n\n",
                "[T-1] experiment: nine\n\nwords of a hook\n\nRun: t\nTrial: 1\nX: 1\n  more\n",
            ),
            ("only this\n", "only this\n\nRun: t\nTrial: 1\n"),
            (
                "feat: nine\n\nTrial: 1\n",
                "feat: nine\n\nRun: t\nTrial: 1\n",
            ),
        ] {
            assert_eq!(with_trailers(left, OURS).as_deref(), Some(made), "{left}");
        }
        assert_eq!(with_trailers("", OURS), None);
        assert_eq!(with_trailers(" \n\n", OURS), None);
    }

    #[test]
    fn trailers_are_keys_with_values_and_what_goes_on_below_them() {
        let lines = |text: &str| -> Vec<String> { text.lines().map(ToOwned::to_owned).collect() };
        for text in [
            "Run: t",
            "Run: t\nTrial: 1",
            "X: 1\n  more\n\tand more",
            "A-1: x",
        ] {
            assert!(is_trailers(&lines(text)), "{text}");
        }
        for text in [
            "",
            "words",
            "  more\nX: 1",
            "two words: x",
            ": x",
            "X: 1\nwords",
        ] {
            assert!(!is_trailers(&lines(text)), "{text}");
        }
    }

    #[test]
    fn what_git_says_first_is_told_without_its_level() {
        for (said, told) in [
            ("error: no\nhint: more\n", "no"),
            ("fatal: no", "no"),
            ("warning: odd\nerror: no", "warning: odd"),
            ("", ""),
        ] {
            assert_eq!(find_main_message(said), told);
        }
    }

    #[test]
    fn a_path_is_behind_a_link_when_a_folder_above_it_is_one() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("real/deep")).unwrap();
        std::os::unix::fs::symlink("real", root.path().join("link")).unwrap();
        for (path, behind) in [
            ("link/deep/a", true),
            ("link/a", true),
            ("link", false),
            ("real/deep/a", false),
            ("absent/a", false),
        ] {
            assert_eq!(
                is_behind_link(root.path(), Path::new(path)),
                behind,
                "{path}"
            );
        }
    }
}
