//! Owns the question whether a branch's content is part of another one, though its commits are not: squashed, rebased,
//! or picked.
//! Does not write objects: no merge is tried.
//! Invariant: a yes is a proof; where nothing proves it, the answer is no.

use autoresearch_core::git_names::{CommitId, HeadTarget, RepoPath};
use git2::{Commit, Oid, Sort};

use super::repository::{History, HistoryError};

/// How far back the other branch is looked through.
const MOST: usize = 1_000;

impl History {
    /// Is what `tip` changes since `base` part of `into`? Either a commit of `into` holds all of
    /// its files as `tip` has them, or one has the same patch.
    pub fn holds_content(
        &self,
        base: &CommitId,
        tip: &CommitId,
        into: &HeadTarget,
    ) -> Result<bool, HistoryError> {
        let Some(into) = self.read_target(into) else {
            return Ok(false);
        };
        let read = |source| HistoryError::Read {
            what: format!("the content of {tip} in {into}"),
            source,
        };
        let paths = self.changed_paths(base, tip)?;
        if paths.is_empty() {
            return Ok(true);
        }
        if self.asked_git().is_some() {
            // Without libgit2 nothing proves it.
            return Ok(false);
        }
        let wanted = self.find_commit(tip)?;
        let patch = self
            .patch_of(&self.find_commit(base)?, &wanted)
            .map_err(read)?;
        let mut walk = self.repository.revwalk().map_err(read)?;
        let start = Oid::from_str(into.as_str()).map_err(read)?;
        walk.set_sorting(Sort::TOPOLOGICAL).map_err(read)?;
        walk.push(start).map_err(read)?;
        walk.hide(Oid::from_str(base.as_str()).map_err(read)?)
            .map_err(read)?;
        for id in walk.take(MOST) {
            let commit = self
                .repository
                .find_commit(id.map_err(read)?)
                .map_err(read)?;
            if agree_on_paths(&commit, &wanted, &paths).map_err(read)? {
                return Ok(true);
            }
            let Some(parent) = commit.parents().next() else {
                continue;
            };
            if patch.is_some() && self.patch_of(&parent, &commit).map_err(read)? == patch {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The first of a branch, and of what remotes have under its name, that holds what `tip` changes since `base`.
    pub fn find_content_holder(
        &self,
        base: &CommitId,
        tip: &CommitId,
        branch: &HeadTarget,
    ) -> Result<Option<HeadTarget>, HistoryError> {
        let mut places = vec![branch.clone()];
        if let Some(name) = branch.branch().filter(|name| name.is_branch()) {
            let remotes = self.list_references("refs/remotes/")?.into_iter();
            let names = remotes.map(|(other, _)| other);
            let same = names.filter(|other| other.remote_branch() == Some(name.short()));
            places.extend(same.map(HeadTarget::Branch));
        }
        for place in places {
            if self.holds_content(base, tip, &place)? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// What names the difference of two commits, wherever it is applied. A binary file has no such name.
    fn patch_of(&self, from: &Commit<'_>, to: &Commit<'_>) -> Result<Option<Oid>, git2::Error> {
        let (old, new) = (from.tree()?, to.tree()?);
        let difference = self
            .repository
            .diff_tree_to_tree(Some(&old), Some(&new), None)?;
        // Counting the lines reads the files, and tells which are binary.
        difference.stats()?;
        if difference.deltas().any(|delta| delta.flags().is_binary()) {
            return Ok(None);
        }
        difference.patchid(None).map(Some)
    }
}

/// Do two commits hold the same at these paths?
fn agree_on_paths(
    one: &Commit<'_>,
    other: &Commit<'_>,
    paths: &[RepoPath],
) -> Result<bool, git2::Error> {
    let (one, other) = (one.tree()?, other.tree()?);
    let at = |tree: &git2::Tree<'_>, path: &RepoPath| {
        tree.get_path(path.as_path())
            .ok()
            .map(|entry| (entry.id(), entry.filemode()))
    };
    Ok(paths.iter().all(|path| at(&one, path) == at(&other, path)))
}
