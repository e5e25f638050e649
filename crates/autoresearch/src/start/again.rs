//! Owns the answer to a `start` that was made already: a caller that lost the first answer gets it once more.
//! Does not start, measure or record anything.
//! Invariant: only a run with the same config, in this work tree and without a trial, is taken for the one that was asked for.

use std::path::Path;

use autoresearch_core::config::{Config, Holdout};

use crate::config::ConfigSource;
use crate::run::glance::Glance;
use crate::run::session;
use crate::start::report::{StartReport, make_start_report};
use crate::watch::tree_changes;
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;
use autoresearch_sys::regular_files::{NOTE_BYTES, read_text};
use autoresearch_sys::store::{Access, Layout, RunStore};

/// The run that an earlier call with the same config started here, if nothing has happened in it yet.
pub(super) fn find_same_start(
    world: &World,
    root: &Path,
    source: &ConfigSource,
    (config, holdout): (&Config, Option<&Holdout>),
) -> Result<Option<StartReport>> {
    let wanted = source.frozen_text();
    for name in Layout::list_runs(root) {
        let Ok(store) =
            RunStore::open_run(world, Layout::new(root, &name), Access::Glance, "start")
        else {
            continue;
        };
        // Opening has compared the frozen config with its hash outside the repository.
        let frozen = read_text(&store.layout.config_path(), NOTE_BYTES).unwrap_or_default();
        let state = &store.state;
        let untried = state.ready && state.next_trial == 1 && state.open_trial.is_none();
        let armed = store.holdout.as_ref().map(|note| &note.check);
        let same = frozen == wanted && state.config() == config && armed == holdout;
        if state.start.worktree.is_some() || state.end.is_some() || !untried || !same {
            continue;
        }
        let glance = Glance::from_store(world, store)?;
        if tree_changes::check_head(glance.tree()?, &glance.run.store.state).is_err() {
            continue;
        }
        session::claim_run(&glance.run, glance.seat.history());
        let pinned = &glance.run.store.pinned;
        let names = pinned.yardstick.keys().cloned().collect();
        let mut report = make_start_report(&glance, pinned.dirty_files.len(), (names, None));
        report.warnings = vec![format!(
            "warning: the run `{name}` was started before with this config and has no trial yet: nothing was measured again"
        )];
        return Ok(Some(report));
    }
    Ok(None)
}
