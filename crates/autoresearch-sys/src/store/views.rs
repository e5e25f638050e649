//! Owns the two views of a run: the table for people and the snapshot for programs.
//! Does not read them back: they are never trusted.
//! Invariant: each can be deleted and is made again from the journal.

use std::io;

use autoresearch_core::journal::chain::ChainHead;
use autoresearch_core::journal::event::Start;
use autoresearch_core::journal::state::{RunState, Step};
use autoresearch_core::journal::story::Story;
use autoresearch_core::words::table;
use autoresearch_core::words::table::Row;
use serde_json::json;

use super::disk::{Disk, FileSignature, RealDisk, encode_pretty_json, replace_file_unsynced};
use super::error::{FORMAT, StoreError};
use super::layout::Layout;

/// Writes the whole table.
pub(super) fn write_table(
    layout: &Layout,
    start: &Start,
    story: &Story<'_>,
) -> Result<(), StoreError> {
    let mut text = table::format_header(start);
    for (_, row) in story.list_rows() {
        text.push_str(&table::format_line(&row));
    }
    let path = layout.table_path();
    replace_file_unsynced(&path, text.as_bytes()).map_err(StoreError::io_error("write", &path))
}

/// Adds one row to a table that nobody touched since we left it; fails otherwise, and it will be written again.
pub(super) fn append_row(layout: &Layout, known: FileSignature, row: &Row) -> io::Result<()> {
    let path = layout.table_path();
    if FileSignature::read_of(&path) != Some(known) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    RealDisk.append_bytes(&path, table::format_line(row).as_bytes())
}

pub(super) fn write_snapshot(
    layout: &Layout,
    state: &RunState,
    head: &ChainHead,
) -> Result<(), StoreError> {
    let path = layout.snapshot_path();
    let text = encode_pretty_json(&path, &make_snapshot(state, head))?;
    replace_file_unsynced(&path, &text).map_err(StoreError::io_error("write", &path))
}

/// The run as one JSON object; GUIDE.md describes it.
#[must_use]
pub(super) fn make_snapshot(state: &RunState, head: &ChainHead) -> serde_json::Value {
    let config = state.config();
    let incumbent = &state.incumbent;
    let due = match state.next_step() {
        Step::Trial => "trial",
        Step::Rework { .. } => "rework",
        Step::Strategy(strategy) => strategy.as_str(),
        Step::Batch => "batch",
        Step::Ended(_) => "finish",
    };
    json!({
        "format": FORMAT,
        "run": state.start.run,
        "goal": config.goal,
        "mode": config.mode,
        "metric": {"name": config.metric.name, "direction": config.metric.direction, "target": config.metric.target},
        "baseline": state.start.measurement.value,
        "incumbent": {
            "trial": incumbent.trial,
            "commit": incumbent.commit,
            "value": incumbent.measurement.value,
            "metrics": incumbent.measurement.metrics,
            "labels": incumbent.labels,
        },
        "iterations": {"used": state.counts.count_iterations(), "limit": state.limits.iterations},
        "counts": state.counts,
        "ladder": state.ladder,
        "noise": {"deterministic": state.evidence.is_exact(), "spread": state.find_run_spread()},
        "branch": state.start.branch,
        "base": state.start.base,
        "due": due,
        "end": state.end,
        "records": head.next,
    })
}
