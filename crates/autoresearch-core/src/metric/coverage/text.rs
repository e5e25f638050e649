//! Owns the coverage reports that are lines of text: lcov and Go's cover profile.
//! Does not choose between them.
//! Invariant: a line that is cut off makes the report damaged.

use std::collections::BTreeMap;

use super::lines::{CoverageError, LineCoverage, LineTally};
use crate::words::text::clip_text;

/// How much of a line is quoted.
const MAX_QUOTED: usize = 80;

fn refuse_line(line: &str) -> CoverageError {
    CoverageError::Damaged(format!("`{}`", clip_text(line, MAX_QUOTED)))
}

/// `SF:file`, then `DA:line,hits` for each line of it.
pub(super) fn read_lcov(text: &str) -> Result<LineCoverage, CoverageError> {
    let mut tally = LineTally::default();
    let mut file = None;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("SF:") {
            file = Some(name.trim());
        } else if line.trim() == "end_of_record" {
            file = None;
        } else if let Some(entry) = line.strip_prefix("DA:") {
            let mut parts = entry.trim().split(',');
            let number = parts.next().and_then(|part| part.parse().ok());
            let hits = parts.next().and_then(|part| part.parse::<f64>().ok());
            let (Some(file), Some(number), Some(hits)) = (file, number, hits) else {
                return Err(refuse_line(line));
            };
            tally.note_line(file, number, hits > 0.0);
        }
    }
    if file.is_some() {
        return Err(CoverageError::Damaged("it ends within a record".to_owned()));
    }
    if !text.lines().any(|line| line.starts_with("SF:")) {
        return Err(CoverageError::Unknown);
    }
    Ok(tally.count_lines())
}

/// `file.go:from,to statements hits`. A block that several test programs name counts once.
pub(super) fn read_go_profile(text: &str) -> Result<LineCoverage, CoverageError> {
    let mut blocks: BTreeMap<&str, (u64, bool)> = BTreeMap::new();
    let entries = text.lines().skip(1).filter(|line| !line.trim().is_empty());
    for line in entries.filter(|line| !line.starts_with("mode:")) {
        let read = || {
            let (rest, hits) = line.trim_end().rsplit_once(' ')?;
            let (block, statements) = rest.rsplit_once(' ')?;
            let hits: u64 = hits.parse().ok()?;
            Some((block, statements.parse::<u64>().ok()?, hits > 0))
        };
        let (block, statements, is_covered) = read().ok_or_else(|| refuse_line(line))?;
        blocks.entry(block).or_insert((statements, false)).1 |= is_covered;
    }
    let mut found = LineCoverage::default();
    for (statements, is_covered) in blocks.into_values() {
        found.lines = found.lines.saturating_add(statements);
        if is_covered {
            found.covered = found.covered.saturating_add(statements);
        }
    }
    Ok(found)
}
