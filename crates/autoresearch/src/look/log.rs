//! Owns `log`: the rows of a run, filtered, and followed while it goes on.
//! Does not read the table; the rows come from the journal.
//! Invariant: following never locks the run, and ends with it.

use std::ops::ControlFlow;
use std::time::Duration;

use autoresearch_core::git_names::CommitId;
use autoresearch_core::journal::story::Story;
use autoresearch_core::words::table;
use autoresearch_core::words::table::Row;
use autoresearch_core::words::text::clip_text;
use serde::Serialize;

use crate::run::glance::Glance;
use crate::run::place::{Place, WantedRun};
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;
use autoresearch_sys::polling::{PollLimit, poll_until};
use autoresearch_sys::store::{Access, RunStore};

/// How often a followed log is looked at.
const GLANCE: Duration = Duration::from_millis(250);

/// Which rows to show.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogFilter {
    /// Only rows of these statuses; all when empty.
    pub statuses: Vec<String>,
    /// Only the last ones.
    pub last: Option<usize>,
}

/// The answer of `log`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LogReport {
    pub run: String,
    /// The rows, oldest first.
    pub rows: Vec<Row>,
    /// When each was written, in UTC.
    #[serde(skip)]
    pub times: Vec<String>,
}

/// The rows of a run.
pub(crate) fn read_log(world: &World, place: &Place, filter: &LogFilter) -> Result<LogReport> {
    let run = Glance::open_run(world, place, WantedRun::Latest, Access::Read, "log")?.run;
    let mut rows = read_rows(&run.store, filter)?;
    let from = filter
        .last
        .map_or(0, |last| rows.len().saturating_sub(last));
    let (times, rows) = rows.split_off(from).into_iter().unzip();
    Ok(LogReport {
        run: run.store.layout.run.clone(),
        rows,
        times,
    })
}

/// The rows that are wanted, each with the time at which it was written.
fn read_rows(store: &RunStore<'_>, filter: &LogFilter) -> Result<Vec<(String, Row)>> {
    let wanted = |row: &Row| {
        filter.statuses.is_empty() || filter.statuses.iter().any(|status| status == row.status)
    };
    let records = store.read_records()?;
    Ok(Story::of(&store.state.start, &records)
        .list_rows()
        .filter(|(_, row)| wanted(row))
        .map(|(at, row)| (at.to_owned(), row))
        .collect())
}

/// Shows the rows, and each new one as it comes, until the run ends or a person interrupts.
pub(crate) fn follow_log(
    world: &World,
    place: &Place,
    filter: &LogFilter,
    mut show: impl FnMut(&str, &Row),
) -> Result<()> {
    let layout = place.find_run(world, WantedRun::Latest)?;
    let mut shown = None;
    let mut length = None;
    let mut show_new = || -> Result<bool> {
        let now = std::fs::metadata(layout.journal_path())
            .map(|meta| meta.len())
            .ok();
        if now != length {
            length = now;
            let store = RunStore::open_run(world, layout.clone(), Access::Read, "log")?;
            let rows = read_rows(&store, filter)?;
            let from = shown.unwrap_or_else(|| {
                filter
                    .last
                    .map_or(0, |last| rows.len().saturating_sub(last))
            });
            for (at, row) in rows.iter().skip(from) {
                show(at, row);
            }
            shown = Some(rows.len());
            if store.state.end.is_some() {
                return Ok(true);
            }
        }
        Ok(world.is_interrupted())
    };
    poll_until(PollLimit::Endless, GLANCE, || match show_new() {
        Ok(false) => ControlFlow::Continue(Ok(())),
        over => ControlFlow::Break(over.map(drop)),
    })
}

/// A row for people: aligned columns, as much of the description as fits into the width, and of a trial that was not kept
/// the short hash of its commit.
#[must_use]
pub(crate) fn format_row(row: &Row, width: usize) -> String {
    let metric = row
        .metric
        .as_ref()
        .map_or_else(|| "-".to_owned(), ToString::to_string);
    let delta = row.delta.as_deref().unwrap_or("-");
    let head = format!(
        "{:>4}  {:<7}  {metric:>10}  {delta:>8}  {:<5}  {:<11}  ",
        row.iteration, row.commit, row.guard, row.status
    );
    let room = width.saturating_sub(head.chars().count()).max(20);
    let description = table::format_description(row);
    let shown = clip_text(&description, room);
    let undone = row.hash.as_ref().filter(|_| row.commit == "-");
    let shown = match undone.map(CommitId::short) {
        // The row of an interrupted trial says it already.
        Some(hash) if !shown.contains(hash) => {
            let hash = format!(" ({hash})");
            let room = room.saturating_sub(hash.chars().count()).max(20);
            clip_text(&description, room) + &hash
        }
        _ => shown,
    };
    format!("{head}{shown}").trim_end().to_owned()
}

/// The heads of the columns that `line` makes.
#[must_use]
pub(crate) fn format_head() -> String {
    format!(
        "{:>4}  {:<7}  {:>10}  {:>8}  {:<5}  {:<11}  description",
        "iter", "commit", "metric", "delta", "guard", "status"
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn row(description: &str) -> Row {
        Row {
            iteration: "12".to_owned(),
            commit: "0123abc".to_owned(),
            metric: Some("9.25".parse().unwrap()),
            delta: Some("-0.75".to_owned()),
            guard: "pass",
            status: "keep",
            description: description.to_owned(),
            gain: None,
            rate: None,
            metrics: BTreeMap::new(),
            hash: CommitId::parse(&"0123abcd".repeat(5)),
        }
    }

    #[test]
    fn a_row_stands_under_its_heads() {
        assert_eq!(
            format!("{}\n{}", format_head(), format_row(&row("fewer"), 80)),
            "iter  commit       metric     delta  guard  status       description\n  \
             12  0123abc        9.25     -0.75  pass   keep         fewer"
        );
    }

    #[test]
    fn a_row_without_a_measurement_has_dashes_and_no_blanks_at_its_end() {
        let empty = Row {
            metric: None,
            delta: None,
            guard: "-",
            ..row("")
        };
        let shown = format_row(&empty, 80);
        assert_eq!(shown, "  12  0123abc           -         -  -      keep");
    }

    #[test]
    fn a_row_that_was_not_kept_ends_with_the_hash_of_its_commit_however_long_it_is() {
        let undone = Row {
            commit: "-".to_owned(),
            ..row(&"x".repeat(300))
        };
        let shown = format_row(&undone, 100);
        assert!(shown.ends_with("x… (0123abc)"), "{shown}");
        assert_eq!(shown.chars().count(), 100);
        let unknown = Row {
            hash: None,
            ..undone.clone()
        };
        assert!(format_row(&unknown, 100).ends_with('…'));
        let told = Row {
            description: "cut [its changes are in commit 0123abc]".to_owned(),
            ..undone
        };
        assert!(format_row(&told, 200).ends_with("commit 0123abc]"));
    }

    #[test]
    fn a_description_is_cut_to_the_width_but_never_to_less_than_twenty_letters() {
        let long = row(&"x".repeat(300));
        let width = |width| format_row(&long, width).chars().count();
        assert_eq!(width(100), 100);
        let head = format_row(&row(""), 0).chars().count();
        assert!(width(0) > head + 15 && width(0) < head + 40, "{}", width(0));
    }
}
