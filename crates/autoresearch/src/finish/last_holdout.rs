//! Owns the holdout of the end: it is asked once, about what was kept, before the run is left.
//! Does not take anything back, and does not tell what the holdout is.
//! Invariant: a holdout that waits for the end and was not asked is no pass.

use autoresearch_core::config::HoldoutTime;

use crate::run::ready::Ready;
use crate::trial::holdout::{ArmedHoldout, HoldoutQuestion};
use crate::trial::measure::Bench;
use crate::watch::unseen_files;
use autoresearch_sys::error::Result;
use autoresearch_sys::process::LocalExecutor;
use autoresearch_sys::store::RunStore;

/// Is there one that waits for the end, and something that it is about?
pub(super) fn waits_for_end(store: &RunStore<'_>) -> bool {
    let note = store.holdout.as_ref();
    let is_last = note.is_some_and(|note| note.check.every == HoldoutTime::End);
    is_last && store.state.counts.keep > 0
}

/// Does what was kept pass? Nothing, where nothing waits for the end. The kept state stands in the tree.
pub(super) fn ask_last_holdout(ready: &mut Ready<'_>) -> Result<Option<bool>> {
    if !waits_for_end(&ready.run.store) {
        return Ok(None);
    }
    ready.run.admit_secrets()?;
    let Ready { run, tree, .. } = &*ready;
    let state = &run.store.state;
    let Some(holdout) = ArmedHoldout::of_run(&run.store) else {
        return Ok(None);
    };
    if holdout.check_files().is_err() {
        return Ok(Some(false));
    }
    let folder = tree.layout.make_trial_folder(state.incumbent.trial)?;
    let executor = LocalExecutor::new(run.world, &run.env);
    let mut bench = Bench::new(
        &executor,
        (run.world.progress, run.world.clock),
        tree.path(),
        folder,
        "",
    );
    bench.view.clone_from(&tree.pinned.view);
    bench.confine(tree.pinned.confinement.as_ref());
    tree.notes.mark_measuring(true)?;
    let question = HoldoutQuestion {
        state,
        tree: &state.incumbent.tree,
        name: "end".to_owned(),
    };
    let passes = holdout.ask(&mut bench, &question)?;
    unseen_files::note_cut_short(tree, state.config())?;
    Ok(Some(passes))
}
