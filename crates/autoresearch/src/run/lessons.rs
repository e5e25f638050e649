//! Owns the lessons file of a repository: what is added to it, and which lessons fit a goal.
//! Does not know its form; `autoresearch_core::words::lessons` does.
//! Invariant: a lessons file that cannot be written never fails a trial that was measured.

use autoresearch_core::config::Mode;
use autoresearch_core::journal::event::{Decision, StrategyRow};
use autoresearch_core::metric::value::Value;
use autoresearch_core::words::lessons;

use crate::run::Run;
use autoresearch_sys::store::{Disk, Layout, RealDisk, RunStore};

/// How many lessons a brief quotes.
const QUOTED: usize = 3;
/// A larger file is not one of ours.
const MAX: u64 = 1 << 20;

pub fn add_keep_lesson(run: &Run<'_>, decided: &Decision) {
    let metric = &run.store.state.config().metric.name;
    let delta = decided
        .delta
        .as_ref()
        .map(Value::format_signed)
        .unwrap_or_default();
    add_lesson(
        run,
        "keep",
        &format!("{} ({metric} {delta})", decided.message),
    );
}

/// What was kept and is taken back, since it was worth nothing.
pub fn add_no_gain_lesson(run: &Run<'_>, decided: &Decision) {
    add_lesson(run, "no-gain", &decided.message);
}

/// What was abandoned, and why.
pub fn add_pivot_lesson(run: &Run<'_>, row: &StrategyRow) {
    add_lesson(
        run,
        "pivot",
        &format!("{} (goal: {})", row.message, run.store.state.config().goal),
    );
}

/// How a run ended.
pub fn add_end_lesson(run: &Run<'_>) {
    let state = &run.store.state;
    let counts = &state.counts;
    let metric = &state.config().metric.name;
    let summary = format!(
        "{}: {metric} {} with {} of {} trials kept",
        state.config().goal,
        state.describe_gain(),
        counts.keep,
        counts.count_iterations()
    );
    add_lesson(run, "end", &summary);
}

/// Best effort: a lost lesson must not fail what was measured.
fn add_lesson(run: &Run<'_>, kind: &str, text: &str) {
    // A CI job reads lessons and leaves none.
    if run.store.state.config().mode == Mode::Exec {
        return;
    }
    let Some(before) = read_lessons(&run.store.layout) else {
        return;
    };
    let date: String = run.world.now_text().chars().take(10).collect();
    let after = lessons::add_lesson(&before, &date, kind, text);
    let _ = RealDisk.replace_file(&run.store.layout.lessons_path(), after.as_bytes());
}

/// The file's text; none where something else stands in its place.
fn read_lessons(layout: &Layout) -> Option<String> {
    let path = layout.lessons_path();
    if RealDisk.file_length(&path).ok()? > MAX {
        return None;
    }
    let bytes = RealDisk.read_file(&path).ok()?.unwrap_or_default();
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The lessons that match the run's goal.
#[must_use]
pub fn find_matching_lessons(store: &RunStore<'_>) -> Vec<String> {
    lessons::find_matching_lessons(
        &read_lessons(&store.layout).unwrap_or_default(),
        &store.state.config().goal,
        QUOTED,
    )
    .into_iter()
    .map(ToOwned::to_owned)
    .collect()
}
