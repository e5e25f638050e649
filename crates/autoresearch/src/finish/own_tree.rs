//! Owns what becomes of a run's work trees when it is finished: they go, where nothing in them is the only copy.
//! Does not decide what may go: that is the rule by which `clean` decides.
//! Invariant: what stays is named with its reason, and a tree in which the caller stands stays.

use autoresearch_core::config::Isolation;
use autoresearch_core::journal::state::RunState;
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;
use autoresearch_sys::git::surroundings::resolve_links;
use autoresearch_sys::store::{Access, Layout, RunStore, TreeNote};

use crate::doctor::inventory::{InventoryItem, list_items, remove_items};
use crate::run::glance::Glance;

const CALLER_IS_INSIDE: &str =
    "this command was called in it; from another folder `autoresearch clean --yes` removes it";

/// Removes the work trees of a finished run that has one of its own, and opens the run again where it stands then. Also
/// returns why a tree stays.
pub(super) fn leave_own_tree(glance: Glance<'_>) -> Result<(Glance<'_>, Vec<String>)> {
    let (world, state) = (glance.run.world, &glance.run.store.state);
    if state.finish.is_none() || !has_trees(world, state) {
        return Ok((glance, Vec::new()));
    }
    let layout = glance.run.store.layout.clone();
    // What is held stays, also by us.
    drop(glance);
    // The run is finished, whatever comes of its trees.
    let notes = remove_trees(world, &layout).unwrap_or_else(|failure| {
        vec![format!(
            "the run's work tree stays: {}; `autoresearch clean --yes` removes it",
            failure.error
        )]
    });
    let store = RunStore::open_run(world, layout.clone(), Access::Glance, "finish")?;
    Ok((Glance::from_store(world, store)?, notes))
}

/// Has the run a tree of its own, or one in which its kept state was measured?
fn has_trees(world: &World, state: &RunState) -> bool {
    let lent = |note: &TreeNote| note.id == state.start.id;
    state.config().isolation == Isolation::Worktree
        || TreeNote::list_all(&world.state_folder).iter().any(lent)
}

/// Removes the work trees of a run by the rule of `clean`; returns why one stays.
fn remove_trees(world: &World, layout: &Layout) -> Result<Vec<String>> {
    let (root, run) = (layout.root.as_path(), &layout.run);
    let listed = list_items(world, root, std::slice::from_ref(run))?.into_iter();
    let ours = listed.filter(|item| item.kind == "worktree" && &item.run == run);
    let mut trees: Vec<InventoryItem> = ours
        .map(|mut item| {
            if resolve_links(&world.cwd).starts_with(&item.name) {
                item.kept_because
                    .get_or_insert_with(|| CALLER_IS_INSIDE.to_owned());
            }
            item
        })
        .collect();
    remove_items(world, root, &mut trees)?;
    let stays = trees.into_iter().filter_map(|tree| {
        let why = tree.kept_because?;
        Some(format!("the work tree {} stays: {why}", tree.name))
    });
    Ok(stays.collect())
}
