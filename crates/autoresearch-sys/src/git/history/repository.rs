//! Owns the reading of a repository: references, commits, trees, the state of HEAD. With libgit2, and where that cannot
//! open what git opens (another owner, a partial clone, SHA-256, reftables, unknown extensions), with the git program.
//! Does not write anything, and reads no index.
//! Invariant: the environment has no say in which repository is opened.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use autoresearch_core::git_names::{BlobId, CommitId, HeadTarget, RefName, RepoPath, TreeId};
use git2::{Commit, DiffOptions, Oid, Repository, RepositoryOpenFlags, Tree};

use crate::git::error::GitError;
use crate::git::program::Git;
use crate::git::reading::{DiffSize, HeadState, read_ref_name};
use crate::git::surroundings::Surroundings;

/// A repository, for reading.
pub struct History {
    /// Where git is asked instead, one without anything in it.
    pub(super) repository: Repository,
    asked: Option<AskedGit>,
}

/// The git program in place of libgit2.
struct AskedGit {
    git: Git,
    places: Surroundings,
}

/// The repository could not be read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error("{} is not inside a git repository", .0.display())]
    NotFound(PathBuf),
    /// It has no work tree.
    #[error("{} is a bare repository: it has no files to work on", .0.display())]
    Bare(PathBuf),
    /// It cannot be opened.
    #[error("the repository at {} cannot be read", path.display())]
    Open { path: PathBuf, source: git2::Error },
    /// git refuses it, because its folder belongs to somebody else.
    #[error("git refuses the repository at {}: it belongs to another user", .0.display())]
    Owner(PathBuf),
    /// git cannot open it either.
    #[error("git cannot use the repository at {}", path.display())]
    Refused { path: PathBuf, source: GitError },
    /// The git program could not read what was asked.
    #[error("git could not read the repository")]
    Asked(#[from] GitError),
    /// An object or reference cannot be read.
    #[error("{what} cannot be read")]
    Read { what: String, source: git2::Error },
}

/// What a tree holds at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TreeContent {
    /// A file, with its object where libgit2 reads it.
    File(Option<BlobId>),
    Link,
}

impl History {
    /// Opens the repository that a folder lies in.
    pub fn open_folder(from: &Path) -> Result<Self, HistoryError> {
        // `Repository::discover` would forget the file `.git` by which it found a git folder that lies elsewhere.
        let flags = RepositoryOpenFlags::empty();
        let opened = Repository::open_ext(from, flags, NO_CEILING);
        let repository = opened.map_err(|source| match source.code() {
            git2::ErrorCode::NotFound => HistoryError::NotFound(from.to_owned()),
            _ => HistoryError::Open {
                path: from.to_owned(),
                source,
            },
        })?;
        if repository.workdir().is_none() {
            return Err(HistoryError::Bare(repository.path().to_owned()));
        }
        Ok(Self {
            repository,
            asked: None,
        })
    }

    /// Opens the repository that a folder lies in, the one in which `git` is at work. What git accepts is accepted, and
    /// what neither accepts is refused in git's words.
    pub fn open_with_git(git: &Git) -> Result<Self, HistoryError> {
        let path = git.work_tree().to_owned();
        let failure = match Self::open_folder(&path) {
            Ok(history) => return Ok(history),
            Err(failure) => failure,
        };
        match (git.read_surroundings(), failure) {
            (Ok(places), _) => Self::from_asked_git(git.at_folder(&places.root), places),
            (Err(source), HistoryError::Open { .. }) => match git.find_refused_root() {
                Some(root) => Err(HistoryError::Owner(root)),
                None => Err(HistoryError::Refused { path, source }),
            },
            (Err(_), failure) => Err(failure),
        }
    }

    pub(super) fn from_asked_git(git: Git, places: Surroundings) -> Result<Self, HistoryError> {
        let empty = git2::Odb::new().and_then(Repository::from_odb);
        let repository = empty.map_err(|source| HistoryError::Open {
            path: places.root.clone(),
            source,
        })?;
        Ok(Self {
            repository,
            asked: Some(AskedGit { git, places }),
        })
    }

    pub(super) fn asked_git(&self) -> Option<&Git> {
        self.asked.as_ref().map(|asked| &asked.git)
    }

    /// The work tree, without a slash at its end.
    #[must_use]
    pub fn work_tree(&self) -> PathBuf {
        if let Some(asked) = &self.asked {
            return asked.places.root.clone();
        }
        self.repository
            .workdir()
            .map(|path| path.components().collect())
            .unwrap_or_default()
    }

    /// The git folder of this work tree.
    #[must_use]
    pub fn git_folder(&self) -> PathBuf {
        if let Some(asked) = &self.asked {
            return asked.places.git_folder.clone();
        }
        self.repository.path().components().collect()
    }

    /// The git folder that all work trees share.
    #[must_use]
    pub fn common_folder(&self) -> PathBuf {
        if let Some(asked) = &self.asked {
            return asked.places.common_folder.clone();
        }
        self.repository.commondir().components().collect()
    }

    /// The operation that is under way, such as a rebase or a merge.
    #[must_use]
    pub fn find_operation(&self) -> Option<&'static str> {
        if let Some(asked) = &self.asked {
            return find_operation_in(&asked.places.git_folder);
        }
        match self.repository.state() {
            git2::RepositoryState::Clean => None,
            git2::RepositoryState::Merge => Some("merge"),
            git2::RepositoryState::Revert | git2::RepositoryState::RevertSequence => Some("revert"),
            git2::RepositoryState::CherryPick | git2::RepositoryState::CherryPickSequence => {
                Some("cherry-pick")
            }
            git2::RepositoryState::Bisect => Some("bisect"),
            git2::RepositoryState::Rebase
            | git2::RepositoryState::RebaseInteractive
            | git2::RepositoryState::RebaseMerge => Some("rebase"),
            git2::RepositoryState::ApplyMailbox | git2::RepositoryState::ApplyMailboxOrRebase => {
                Some("am")
            }
        }
    }

    pub fn read_head(&self) -> Result<HeadState, HistoryError> {
        if let Some(git) = self.asked_git() {
            return Ok(git.ask_head()?);
        }
        let read = |source| HistoryError::Read {
            what: "HEAD".to_owned(),
            source,
        };
        let head = self.repository.find_reference("HEAD").map_err(read)?;
        let branch = head.symbolic_target().map_err(read)?;
        let branch = branch
            .map(|name| read_ref_name("symbolic-ref", name))
            .transpose()?;
        let commit = match self.repository.head() {
            Ok(target) => target.target().map(name_commit),
            Err(error) if error.code() == git2::ErrorCode::UnbornBranch => None,
            Err(error) => return Err(read(error)),
        };
        Ok(HeadState { branch, commit })
    }

    /// The commit that a reference names.
    #[must_use]
    pub fn read_reference(&self, name: &RefName) -> Option<CommitId> {
        // A record may say anything, and git would look for a branch or a commit of this name.
        RefName::parse(name.as_str())?;
        if let Some(git) = self.asked_git() {
            return git.ask_reference(name).ok().flatten();
        }
        self.repository
            .refname_to_id(name.as_str())
            .ok()
            .map(name_commit)
    }

    /// The commit of what HEAD names, or named once; none where the branch is gone.
    #[must_use]
    pub fn read_target(&self, target: &HeadTarget) -> Option<CommitId> {
        match target {
            HeadTarget::Branch(name) => self.read_reference(name),
            HeadTarget::Commit(commit) => Some(commit.clone()),
        }
    }

    /// The references whose full names begin with a prefix, with their commits.
    pub fn list_references(&self, prefix: &str) -> Result<Vec<(RefName, CommitId)>, HistoryError> {
        if let Some(git) = self.asked_git() {
            return Ok(git.ask_references(prefix)?);
        }
        let read = |source| HistoryError::Read {
            what: format!("references {prefix}*"),
            source,
        };
        let found = self
            .repository
            .references_glob(&format!("{prefix}*"))
            .map_err(read)?;
        let named = found.flatten().filter_map(|reference| {
            Some((
                RefName::parse(reference.name().ok()?)?,
                name_commit(reference.target()?),
            ))
        });
        Ok(named.collect())
    }

    /// Is a commit part of what another one holds?
    pub fn is_merged(&self, commit: &CommitId, tip: &CommitId) -> Result<bool, HistoryError> {
        let read = |source| HistoryError::Read {
            what: format!("commit {commit}"),
            source,
        };
        if let Some(git) = self.asked_git() {
            return Ok(git.ask_is_ancestor(commit, tip)?);
        }
        let (tip, commit) = (
            Oid::from_str(tip.as_str()).map_err(read)?,
            Oid::from_str(commit.as_str()).map_err(read)?,
        );
        Ok(tip == commit
            || self
                .repository
                .graph_descendant_of(tip, commit)
                .map_err(read)?)
    }

    /// Do other branches, or HEAD, hold this commit of a reference?
    pub fn is_held_elsewhere(
        &self,
        name: &RefName,
        commit: &CommitId,
    ) -> Result<bool, HistoryError> {
        let mut others = self.list_references("refs/heads/")?;
        others.extend(self.list_references("refs/remotes/")?);
        others.retain(|(other, _)| other != name);
        let head = self.read_head()?;
        let head_elsewhere = head.commit.filter(|_| head.branch.as_ref() != Some(name));
        for tip in others.into_iter().map(|(_, tip)| tip).chain(head_elsewhere) {
            if self.is_merged(commit, &tip)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn find_commit(&self, commit: &CommitId) -> Result<Commit<'_>, HistoryError> {
        let read = |source| HistoryError::Read {
            what: format!("commit {commit}"),
            source,
        };
        let id = Oid::from_str(commit.as_str()).map_err(read)?;
        self.repository.find_commit(id).map_err(read)
    }

    /// The tree of a commit.
    pub fn tree_of(&self, commit: &CommitId) -> Result<TreeId, HistoryError> {
        if let Some(git) = self.asked_git() {
            return Ok(git.ask_tree(commit)?);
        }
        let tree = self.find_commit(commit)?.tree_id();
        Ok(TreeId::from_bytes(tree.as_bytes()))
    }

    /// Does a commit's tree hold a file, or a link, at this path?
    pub fn has_file(&self, commit: &CommitId, path: &RepoPath) -> Result<bool, HistoryError> {
        if let Some(git) = self.asked_git() {
            let mode = git.ask_mode(commit, path)?;
            return Ok(mode.is_some_and(|mode| mode != "040000"));
        }
        let read = |source| HistoryError::Read {
            what: format!("the tree of {commit}"),
            source,
        };
        let tree = self.find_commit(commit)?.tree().map_err(read)?;
        Ok(tree
            .get_path(path.as_path())
            .is_ok_and(|entry| entry.filemode() != FOLDER_MODE))
    }

    /// Does a commit's tree hold anything at this path, a folder too?
    pub fn has_path(&self, commit: &CommitId, path: &Path) -> Result<bool, HistoryError> {
        if let Some(git) = self.asked_git() {
            let path = RepoPath::new(path.as_os_str().as_bytes());
            return Ok(git.ask_mode(commit, &path)?.is_some());
        }
        let read = |source| HistoryError::Read {
            what: format!("the tree of {commit}"),
            source,
        };
        let tree = self.find_commit(commit)?.tree().map_err(read)?;
        Ok(tree.get_path(path).is_ok())
    }

    /// What a commit's tree holds at this path, if it is a file or a link.
    pub fn read_content(
        &self,
        commit: &CommitId,
        path: &RepoPath,
    ) -> Result<Option<TreeContent>, HistoryError> {
        if let Some(git) = self.asked_git() {
            let mode = git.ask_mode(commit, path)?;
            return Ok(mode.and_then(|mode| match mode.as_str() {
                "120000" => Some(TreeContent::Link),
                "040000" | "160000" => None,
                _ => Some(TreeContent::File(None)),
            }));
        }
        let read = |source| HistoryError::Read {
            what: format!("the tree of {commit}"),
            source,
        };
        let tree = self.find_commit(commit)?.tree().map_err(read)?;
        let entry = tree.get_path(path.as_path());
        Ok(entry.ok().and_then(|entry| match entry.filemode() {
            LINK_MODE => Some(TreeContent::Link),
            FOLDER_MODE | SUBMODULE_MODE => None,
            _ => {
                let object = BlobId::from_bytes(entry.id().as_bytes());
                Some(TreeContent::File(Some(object)))
            }
        }))
    }

    /// The object that the bytes of a file are, as they are; `None` where there is no file.
    pub fn hash_of(&self, path: &Path) -> Result<Option<BlobId>, HistoryError> {
        if !path.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
            return Ok(None);
        }
        let hash = Oid::hash_file(git2::ObjectType::Blob, path);
        hash.map(|id| Some(BlobId::from_bytes(id.as_bytes())))
            .map_err(|source| HistoryError::Read {
                what: path.display().to_string(),
                source,
            })
    }

    /// The first parent of a commit.
    pub fn parent_of(&self, commit: &CommitId) -> Result<Option<CommitId>, HistoryError> {
        if let Some(git) = self.asked_git() {
            return Ok(git.ask_parent(commit)?);
        }
        // As the commit itself says: libgit2 would follow `info/grafts`.
        let commit = self.find_commit(commit)?;
        let mut lines = commit.raw_header_bytes().split(|byte| *byte == b'\n');
        let parent = lines.find_map(|line| line.strip_prefix(b"parent "));
        let parent = parent.and_then(|hex| Oid::from_str(std::str::from_utf8(hex).ok()?).ok());
        Ok(parent.map(name_commit))
    }

    /// The message of a commit.
    pub fn message_of(&self, commit: &CommitId) -> Result<String, HistoryError> {
        if let Some(git) = self.asked_git() {
            return Ok(git.ask_message(commit)?);
        }
        Ok(String::from_utf8_lossy(self.find_commit(commit)?.message_bytes()).into_owned())
    }

    /// Does the root of a commit's tree hold this name?
    pub fn has_at_root(&self, commit: &CommitId, name: &str) -> Result<bool, HistoryError> {
        if let Some(git) = self.asked_git() {
            return Ok(git.ask_mode(commit, &RepoPath::new(name))?.is_some());
        }
        let read = |source| HistoryError::Read {
            what: format!("the tree of {commit}"),
            source,
        };
        Ok(self
            .find_commit(commit)?
            .tree()
            .map_err(read)?
            .get_name(name)
            .is_some())
    }

    /// The paths in which two commits differ. Folders that are equal are not looked into.
    pub fn changed_paths(
        &self,
        from: &CommitId,
        to: &CommitId,
    ) -> Result<Vec<RepoPath>, HistoryError> {
        if let Some(git) = self.asked_git() {
            return Ok(git.ask_changed_paths(from, to)?);
        }
        let read = |source| HistoryError::Read {
            what: format!("the difference of {from} and {to}"),
            source,
        };
        let old = self.find_commit(from)?.tree().map_err(read)?;
        let new = self.find_commit(to)?.tree().map_err(read)?;
        let mut found = Vec::new();
        self.compare_trees(&[], Some(&old), Some(&new), &mut found)
            .map_err(read)?;
        found.sort();
        found.dedup();
        Ok(found)
    }

    fn compare_trees(
        &self,
        above: &[u8],
        old: Option<&Tree<'_>>,
        new: Option<&Tree<'_>>,
        found: &mut Vec<RepoPath>,
    ) -> Result<(), git2::Error> {
        let (old, new) = (list_entries(old), list_entries(new));
        for name in old
            .keys()
            .chain(new.keys().filter(|name| !old.contains_key(*name)))
        {
            let (before, after) = (old.get(name), new.get(name));
            if before == after {
                continue;
            }
            let path = if above.is_empty() {
                name.clone()
            } else {
                [above, b"/", name].concat()
            };
            let file =
                |entry: Option<&(Oid, i32)>| entry.is_some_and(|(_, mode)| *mode != FOLDER_MODE);
            let folder = |entry: Option<&(Oid, i32)>| match entry {
                Some((id, FOLDER_MODE)) => self.repository.find_tree(*id).map(Some),
                _ => Ok(None),
            };
            if file(before) || file(after) {
                found.push(RepoPath::new(path.clone()));
            }
            let (before, after) = (folder(before)?, folder(after)?);
            if before.is_some() || after.is_some() {
                self.compare_trees(&path, before.as_ref(), after.as_ref(), found)?;
            }
        }
        Ok(())
    }

    /// By how many lines two commits differ.
    pub fn count_changed_lines(
        &self,
        from: &CommitId,
        to: &CommitId,
    ) -> Result<DiffSize, HistoryError> {
        if let Some(git) = self.asked_git() {
            return Ok(git.ask_diff_size(from, to)?);
        }
        let read = |source| HistoryError::Read {
            what: format!("the difference of {from} and {to}"),
            source,
        };
        let paths = self.changed_paths(from, to)?;
        if paths.is_empty() {
            return Ok(DiffSize::default());
        }
        let old = self.find_commit(from)?.tree().map_err(read)?;
        let new = self.find_commit(to)?.tree().map_err(read)?;
        // Without their names libgit2 looks into every folder, also into those that are equal.
        let mut options = DiffOptions::new();
        options.disable_pathspec_match(true);
        for path in &paths {
            options.pathspec(path.as_path());
        }
        let difference =
            self.repository
                .diff_tree_to_tree(Some(&old), Some(&new), Some(&mut options));
        let stats = difference.and_then(|difference| difference.stats());
        let stats = stats.map_err(read)?;
        Ok(DiffSize {
            added: stats.insertions(),
            removed: stats.deletions(),
        })
    }

    /// Commits after `base` up to `tip`, oldest first, as hash and subject; at most `most`.
    pub fn list_commits(
        &self,
        base: &CommitId,
        tip: &CommitId,
        most: usize,
    ) -> Result<Vec<(CommitId, String)>, HistoryError> {
        let mut found = Vec::new();
        let mut at = tip.clone();
        while at != *base && found.len() < most {
            let subject = self
                .message_of(&at)?
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned();
            let parent = self.parent_of(&at)?;
            found.push((at, subject));
            match parent {
                Some(parent) => at = parent,
                None => break,
            }
        }
        found.reverse();
        Ok(found)
    }
}

/// The operation that is under way in a work tree, by what it leaves in the git folder.
fn find_operation_in(git_folder: &Path) -> Option<&'static str> {
    let traces = [
        ("rebase-merge", "rebase"),
        ("rebase-apply/rebasing", "rebase"),
        ("rebase-apply", "am"),
        ("MERGE_HEAD", "merge"),
        ("REVERT_HEAD", "revert"),
        ("CHERRY_PICK_HEAD", "cherry-pick"),
        ("BISECT_LOG", "bisect"),
    ];
    let here = |(name, _): &&(&str, _)| git_folder.join(name).exists();
    traces.iter().find(here).map(|(_, operation)| *operation)
}

/// A repository is looked for up to the root of the file system.
const NO_CEILING: [&OsStr; 0] = [];

/// The mode of a folder's entry in a tree.
const FOLDER_MODE: i32 = 0o040_000;
/// The mode of a symbolic link.
const LINK_MODE: i32 = 0o120_000;
/// The mode of a submodule.
const SUBMODULE_MODE: i32 = 0o160_000;

/// The entries of a tree by name; none for no tree.
fn list_entries(tree: Option<&Tree<'_>>) -> BTreeMap<Vec<u8>, (Oid, i32)> {
    let all = tree.into_iter().flat_map(Tree::iter);
    all.map(|entry| (entry.name_bytes().to_vec(), (entry.id(), entry.filemode())))
        .collect()
}

fn name_commit(id: Oid) -> CommitId {
    CommitId::from_bytes(id.as_bytes())
}

#[cfg(test)]
mod tests;
