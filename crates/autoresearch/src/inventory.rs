//! Owns the list of everything that the tool made for the runs of a work tree, and its removal.
//! Does not touch what a run still needs, nor commits that are merged nowhere.
//! Invariant: removal follows the list; what is not on it stays.

use std::path::{Path, PathBuf};

use autoresearch_core::config::Isolation;
use autoresearch_core::state::RunState;
use serde::Serialize;

use crate::env::World;
use crate::error::{Failure, Result};
use crate::git::Git;
use crate::git::history::History;
use crate::start::lock_folder;
use crate::store::{Access, FOLDER, Layout, RunStore, holder, vault, vaults};

/// Something that the tool made.
#[derive(Clone, Debug, Serialize)]
pub struct Item {
    /// `folder`, `branch`, `worktree`, `reference` or `anchor`.
    pub kind: &'static str,
    /// Its path or name.
    pub name: String,
    /// Why it stays; absent when it can go.
    pub kept_because: Option<String>,
    /// The commit that a branch or reference must still name to be deleted.
    #[serde(skip)]
    commit: String,
    /// Was the work tree only just made, so that what is in it is nobody's?
    #[serde(skip)]
    fresh: bool,
}

impl Item {
    fn new(kind: &'static str, name: impl Into<String>, kept_because: Option<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            kept_because,
            commit: String::new(),
            fresh: false,
        }
    }
}

/// Everything of the named runs, and anchors whose runs are gone.
pub fn inventory(world: &World, root: &Path, names: &[String]) -> Result<Vec<Item>> {
    let history = History::discover(root)?;
    let mut items = Vec::new();
    for name in names {
        let layout = Layout::new(root, name);
        match RunStore::open(world, layout.clone(), Access::Read, "doctor") {
            Ok(store) => of_run(&history, &store.state, &store, &mut items)?,
            Err(error) => items.push(Item::new(
                "folder",
                layout.folder().display().to_string(),
                Some(error.to_string()),
            )),
        }
    }
    let start = holder(&lock_folder(world, &history))
        .map(|holder| format!("a start is under way: {holder}"));
    for name in unfinished(root) {
        of_unfinished(
            &history,
            &Layout::new(root, &name),
            start.as_ref(),
            &mut items,
        )?;
    }
    strays(&history, root, &mut items)?;
    items.extend(orphans(world, start.as_ref()));
    Ok(items)
}

fn of_run(
    history: &History,
    state: &RunState,
    store: &RunStore<'_>,
    items: &mut Vec<Item>,
) -> Result<()> {
    let open = match (&state.end, &state.finish) {
        (None, _) => Some(format!("the run `{}` is active", state.start.run)),
        (_, None) if state.config().isolation == Isolation::Branch => {
            Some("`autoresearch finish` first".to_owned())
        }
        _ => None,
    };
    if state.start.worktree.is_some() {
        items.push(Item::new(
            "worktree",
            store.layout.worktree().display().to_string(),
            open.clone(),
        ));
    }
    for (name, commit) in history.references(&format!("refs/autoresearch/{}/", state.start.run))? {
        items.push(reference(history, name, commit, open.clone())?);
    }
    if state.config().isolation != Isolation::InPlace
        && let Some(tip) = history.reference(&state.start.branch)
    {
        let merged = tip == state.start.base || history.is_merged(&tip, &state.start.origin)?;
        let unmerged = || {
            format!(
                "{} kept commit(s) are not merged; `git branch -D` deletes it",
                state.counts.keep
            )
        };
        let reason = open.clone().or_else(|| (!merged).then(unmerged));
        items.push(Item {
            commit: tip,
            ..Item::new("branch", state.start.branch.clone(), reason)
        });
    }
    items.push(Item::new(
        "folder",
        store.layout.folder().display().to_string(),
        open.clone(),
    ));
    items.push(Item::new("anchor", store.vault.display().to_string(), open));
    Ok(())
}

/// A reference to edits that no branch holds is their only copy: it is named, and a person deletes it.
fn reference(
    history: &History,
    name: String,
    commit: String,
    open: Option<String>,
) -> Result<Item> {
    let held = history.is_held_elsewhere(&name, &commit)?;
    let only = || {
        format!(
            "the only copy of edits that were cut short or given up; `git update-ref -d {name}` deletes it"
        )
    };
    let reason = open.or_else(|| (!held).then(only));
    Ok(Item {
        commit,
        ..Item::new("reference", name, reason)
    })
}

/// References of runs whose folders are gone.
fn strays(history: &History, root: &Path, items: &mut Vec<Item>) -> Result<()> {
    let runs = Layout::runs(root);
    for (name, commit) in history.references("refs/autoresearch/")? {
        let run = name.split('/').nth(2).unwrap_or_default();
        if !runs.iter().any(|known| known == run) {
            items.push(reference(history, name, commit, None)?);
        }
    }
    Ok(())
}

/// What a start that was cut short left: its folder, and with `isolation: worktree` a work tree and a branch.
fn of_unfinished(
    history: &History,
    layout: &Layout,
    start: Option<&String>,
    items: &mut Vec<Item>,
) -> Result<()> {
    if layout.worktree().exists() {
        items.push(Item {
            fresh: true,
            ..Item::new(
                "worktree",
                layout.worktree().display().to_string(),
                start.cloned(),
            )
        });
        let branch = format!("refs/heads/autoresearch/{}", layout.run);
        if let Some(commit) = history.reference(&branch) {
            let held = history.is_held_elsewhere(&branch, &commit)?;
            let only = || "no other branch holds its commit; `git branch -D` deletes it".to_owned();
            let reason = start.cloned().or_else(|| (!held).then(only));
            items.push(Item {
                commit,
                ..Item::new("branch", branch, reason)
            });
        }
    }
    items.push(Item::new(
        "folder",
        layout.folder().display().to_string(),
        start.cloned(),
    ));
    Ok(())
}

/// Folders of starts that were cut short, by name: they hold no journal.
fn unfinished(root: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(root.join(FOLDER))
        .into_iter()
        .flatten()
        .flatten();
    let folders = entries.filter(|entry| is_unfinished(&entry.path()));
    folders
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

/// Is this a folder that a start made and no run came to be in? It holds `trials` and nothing that we do not make.
fn is_unfinished(folder: &Path) -> bool {
    let ours = ["trials", "config.yaml", "worktree"];
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.iter().any(|name| name == "trials")
        && names.iter().all(|name| ours.contains(&name.as_str()))
}

/// Anchors whose runs are gone from where they were, or never came to be.
fn orphans(world: &World, start: Option<&String>) -> Vec<Item> {
    let lost = |folder: &PathBuf| {
        let anchor: Option<crate::store::Anchor> = std::fs::read(folder.join("anchor.json"))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        anchor.is_some_and(|anchor| {
            let folder = Layout::new(&anchor.root, &anchor.run).folder();
            anchor.root.exists()
                && (!folder.exists() || (start.is_none() && is_unfinished(&folder)))
        })
    };
    vaults(&world.state_folder)
        .into_iter()
        .filter(lost)
        .map(|folder| Item::new("anchor", folder.display().to_string(), None))
        .collect()
}

/// A work tree that somebody deleted by hand: what is left is git's note of it, if that is not gone as well.
fn forget(git: &Git, path: &Path) -> Result<()> {
    let _ = std::fs::remove_dir(path);
    if path.exists() {
        return Err(Failure::blocked(
            "it holds files and is no work tree any more",
        ));
    }
    let _ = git.discard_worktree(path);
    Ok(())
}

/// Removes what can go.
pub fn remove(world: &World, root: &Path, items: &mut [Item]) -> Result<()> {
    let program = World::find(&world.vars, "git")
        .ok_or_else(|| Failure::environment("git was not found on PATH"))?;
    let env: Vec<_> = world
        .vars
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .filter(|(name, _)| !name.to_string_lossy().starts_with("GIT_"))
        .collect();
    let git = Git::new(&program, root, &env);
    let runs = vault(&world.state_folder, "");
    for item in items.iter_mut().filter(|item| item.kept_because.is_none()) {
        let path = PathBuf::from(&item.name);
        let gone = match item.kind {
            "worktree" if item.fresh => git.discard_worktree(&path).map_err(Failure::from),
            "worktree" if !path.join(".git").exists() => forget(&git, &path),
            "worktree" => git.remove_worktree(&path).map_err(Failure::from),
            "branch" | "reference" => git
                .delete_branch(&item.name, &item.commit)
                .map_err(Failure::from),
            _ if path.join("worktree").exists() => {
                Err(Failure::blocked("its work tree could not be removed"))
            }
            _ if path.starts_with(root.join(FOLDER)) || path.starts_with(&runs) => {
                std::fs::remove_dir_all(&path).map_err(|error| {
                    Failure::io(format!("could not remove {}", path.display()), &error)
                })
            }
            _ => Err(Failure::blocked(format!(
                "{} lies outside the tool's folders",
                path.display()
            ))),
        };
        if let Err(failure) = gone {
            item.kept_because = Some(failure.error);
        }
    }
    Ok(())
}
