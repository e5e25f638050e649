//! Owns the lessons file of a repository: what is added to it, and which lessons fit a goal.
//! Does not know its form; `autoresearch_core::lessons` does.
//! Invariant: a lessons file that cannot be written never fails a trial that was measured.

use autoresearch_core::event::{Decided, StrategyRow};
use autoresearch_core::lessons;
use autoresearch_core::value::Value;

use crate::run::Run;
use crate::store::{Disk, RealDisk};

/// How many lessons a brief quotes.
const QUOTED: usize = 3;

/// What worked.
pub fn after_keep(run: &Run<'_>, decided: &Decided) {
    let metric = &run.store.state.config().metric.name;
    let delta = decided
        .delta
        .as_ref()
        .map(Value::signed)
        .unwrap_or_default();
    add(
        run,
        "keep",
        &format!("{} ({metric} {delta})", decided.message),
    );
}

/// What was abandoned, and why.
pub fn after_pivot(run: &Run<'_>, row: &StrategyRow) {
    add(
        run,
        "pivot",
        &format!("{} (goal: {})", row.message, run.store.state.config().goal),
    );
}

/// How a run ended.
pub fn at_end(run: &Run<'_>) {
    let state = &run.store.state;
    let counts = &state.counts;
    let metric = &state.config().metric.name;
    let summary = format!(
        "{}: {metric} {} -> {} with {} of {} trials kept",
        state.config().goal,
        state.start.measurement.value,
        state.incumbent.measurement.value,
        counts.keep,
        counts.iterations()
    );
    add(run, "end", &summary);
}

/// Best effort: a lesson that is lost is no reason to fail what was measured.
fn add(run: &Run<'_>, kind: &str, text: &str) {
    let path = run.store.layout.lessons();
    let date: String = run.world.now_text().chars().take(10).collect();
    let after = lessons::add(&read(run), &date, kind, text);
    if !path.is_symlink() {
        let _ = RealDisk.replace(&path, after.as_bytes());
    }
}

fn read(run: &Run<'_>) -> String {
    let bytes = RealDisk
        .read(&run.store.layout.lessons())
        .ok()
        .flatten()
        .unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The lessons that match the run's goal.
#[must_use]
pub fn matching(run: &Run<'_>) -> Vec<String> {
    lessons::matching(&read(run), &run.store.state.config().goal, QUOTED)
        .into_iter()
        .map(ToOwned::to_owned)
        .collect()
}
