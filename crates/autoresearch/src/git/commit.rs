//! Owns the making of a commit from exactly the given paths.
//! Does not choose the paths.
//! Invariant: what the user had staged elsewhere is not in the commit, and is still staged afterwards.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::status::{Entry, Kind};
use super::{Git, GitError, Input, nul_joined};

/// A commit to make.
pub struct NewCommit<'a> {
    /// The commit below.
    pub parent: &'a str,
    /// The whole message, trailers included.
    pub message: &'a str,
    /// A folder for the temporary index and message.
    pub scratch: &'a Path,
    /// Author and committer date, as git reads it.
    pub date: &'a str,
}

/// A path that git does not take into the index as it is: a filter fails, line ends are mixed, its name or kind is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The path.
    pub path: Vec<u8>,
    /// What git said.
    pub words: String,
}

/// Do the repository's hooks see a commit?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hooks {
    /// No.
    Bypass,
    /// `pre-commit` and `commit-msg` run and may refuse it.
    Run,
}

impl Git {
    /// Puts the work tree's state of the paths into the index, through the repository's filters. Paths that are gone are
    /// removed from it. What git refuses is returned; everything else is staged.
    pub fn stage(&self, paths: &[Vec<u8>]) -> Result<Vec<Refused>, GitError> {
        let (gone, here): (Vec<Vec<u8>>, Vec<Vec<u8>>) = paths
            .iter()
            .cloned()
            .partition(|path| is_behind_link(self.work_tree(), path) || self.is_folder(path));
        if !gone.is_empty() {
            // A folder became a link, or a file a folder: git refuses to look there, and for git the files are gone.
            let arguments = ["update-index", "-z", "--force-remove", "--stdin"];
            self.run(arguments.map(OsStr::new), Input::Bytes(&nul_joined(&gone)))?;
        }
        let mut refused = Vec::new();
        self.stage_these(&here, &mut refused)?;
        Ok(refused)
    }

    fn is_folder(&self, path: &[u8]) -> bool {
        let path = self.work_tree().join(OsStr::from_bytes(path));
        path.symlink_metadata().is_ok_and(|meta| meta.is_dir())
    }

    /// Stages paths. When git fails, its words tell a person which path it was; halving tells us.
    fn stage_these(&self, paths: &[Vec<u8>], refused: &mut Vec<Refused>) -> Result<(), GitError> {
        let arguments = [
            "update-index",
            "-z",
            "--add",
            "--remove",
            "--replace",
            "--stdin",
        ];
        match self.run(arguments.map(OsStr::new), Input::Bytes(&nul_joined(paths))) {
            // A name that git never tracks, such as `git~1`, is skipped with a word and without an error.
            Ok(output) if !output.stderr.is_empty() => {
                let skipped = self.not_staged(paths)?;
                refused.extend(skipped.into_iter().map(|path| Refused {
                    path,
                    words: "git does not take a file of this name".to_owned(),
                }));
                Ok(())
            }
            Ok(_) => Ok(()),
            Err(GitError::Failed { stderr, .. }) if paths.len() == 1 => {
                self.check_writing()?;
                // A filter that failed for reasons of the moment gets a second try.
                match self.run(arguments.map(OsStr::new), Input::Bytes(&nul_joined(paths))) {
                    Ok(_) => Ok(()),
                    Err(GitError::Failed { .. }) => {
                        refused.push(Refused {
                            path: paths[0].clone(),
                            words: last_words(&stderr),
                        });
                        Ok(())
                    }
                    Err(error) => Err(error),
                }
            }
            Err(GitError::Failed { .. }) => {
                let (first, rest) = paths.split_at(paths.len() / 2);
                self.stage_these(first, refused)?;
                self.stage_these(rest, refused)
            }
            Err(error) => Err(error),
        }
    }

    /// Can objects and the index be written at all? A full disk is not the fault of a path.
    fn check_writing(&self) -> Result<(), GitError> {
        // An object that exists already would not be written: the text is never the same twice.
        let text = format!(
            "autoresearch looks whether git can write: {:?}\n",
            self.spent()
        );
        self.run(
            ["hash-object", "-w", "--stdin"].map(OsStr::new),
            Input::Bytes(text.as_bytes()),
        )?;
        self.text(&["update-index", "--force-write-index"])
            .map(drop)
    }

    /// Paths among these whose files still differ from the index.
    fn not_staged(&self, paths: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, GitError> {
        let mut found = self.listed(
            &["--others", "--modified", "--deleted", "--deduplicate"],
            paths,
        )?;
        found.retain(|path| paths.contains(path));
        Ok(found)
    }

    /// The tree of the index without what was staged by others: `foreign` are the entries whose index state must stay out.
    pub fn tree_without(
        &self,
        foreign: &[Entry],
        new: &NewCommit<'_>,
        hooks: Hooks,
    ) -> Result<String, GitError> {
        let staged: Vec<&Entry> = foreign.iter().filter(|entry| is_staged(entry)).collect();
        if staged.is_empty() && hooks == Hooks::Bypass {
            return self.text(&["write-tree"]);
        }
        let index = new.scratch.join("index");
        // The folder is the run's own, and no other git of ours is at work: a lock there was left by one that was killed.
        let _ = std::fs::remove_file(new.scratch.join("index.lock"));
        let index_env = [("GIT_INDEX_FILE", index.as_os_str())];
        self.copy_index(&index)?;
        let lines = index_lines(&staged);
        self.run_with(
            ["update-index", "-z", "--index-info"].map(OsStr::new),
            Input::Bytes(&lines),
            &index_env,
        )?;
        if hooks == Hooks::Run {
            self.hook("pre-commit", &[], &index_env)?;
        }
        let tree = self.run_with([OsStr::new("write-tree")], Input::Nothing, &index_env)?;
        let _ = std::fs::remove_file(&index);
        Ok(String::from_utf8_lossy(&tree.stdout).trim().to_owned())
    }

    /// Makes the commit object. No reference moves.
    pub fn commit_tree(
        &self,
        tree: &str,
        new: &NewCommit<'_>,
        hooks: Hooks,
    ) -> Result<String, GitError> {
        let mut message = new.message.to_owned();
        if hooks == Hooks::Run {
            let file = new.scratch.join("message");
            let io = |source| GitError::Start {
                program: file.clone(),
                source,
            };
            let _ = std::fs::remove_file(&file);
            std::fs::write(&file, &message).map_err(io)?;
            self.hook("commit-msg", &[file.as_os_str()], &[])?;
            message = std::fs::read_to_string(&file).map_err(io)?;
            let _ = std::fs::remove_file(&file);
        }
        let env = [
            ("GIT_AUTHOR_DATE", OsStr::new(new.date)),
            ("GIT_COMMITTER_DATE", OsStr::new(new.date)),
        ];
        let arguments = [
            "commit-tree",
            "--no-gpg-sign",
            "-p",
            new.parent,
            "-F",
            "-",
            tree,
        ]
        .map(OsStr::new);
        let output = self.run_with(arguments, Input::Bytes(message.as_bytes()), &env)?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// The identity that commits would carry, when git knows one.
    pub fn identity(&self) -> Result<String, GitError> {
        self.text(&["var", "GIT_AUTHOR_IDENT"])
    }

    /// Lends an identity to a repository that has none, for the commands of this `Git` only.
    pub fn lend_identity(&mut self) {
        for (role, value) in [
            ("NAME", "autoresearch"),
            ("EMAIL", "autoresearch@localhost"),
        ] {
            for who in ["AUTHOR", "COMMITTER"] {
                self.env
                    .push((OsString::from(format!("GIT_{who}_{role}")), value.into()));
            }
        }
    }

    fn copy_index(&self, to: &Path) -> Result<(), GitError> {
        let from = PathBuf::from(self.text(&[
            "rev-parse",
            "--path-format=absolute",
            "--git-path",
            "index",
        ])?);
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

/// The line of git's message that says most, without its level.
fn last_words(stderr: &str) -> String {
    let first = stderr.lines().next().unwrap_or_default();
    let level = ["error: ", "fatal: "];
    let plain = level.iter().find_map(|level| first.strip_prefix(level));
    plain.unwrap_or(first).to_owned()
}

/// Is a folder above this path a symbolic link now?
fn is_behind_link(work_tree: &Path, path: &[u8]) -> bool {
    let above = Path::new(OsStr::from_bytes(path)).ancestors().skip(1);
    let mut folders = above.filter(|folder| !folder.as_os_str().is_empty());
    folders.any(|folder| work_tree.join(folder).is_symlink())
}

fn is_staged(entry: &Entry) -> bool {
    matches!(&entry.kind, Kind::Tracked(tracked) if tracked.staged)
}

/// Lines for `update-index --index-info` that take entries back to their state in HEAD.
fn index_lines(staged: &[&Entry]) -> Vec<u8> {
    let mut lines = Vec::new();
    for entry in staged {
        if let Kind::Tracked(tracked) = &entry.kind {
            lines.extend_from_slice(format!("{} {}\t", tracked.head.0, tracked.head.1).as_bytes());
            lines.extend_from_slice(&entry.path);
            lines.push(0);
        }
    }
    lines
}
