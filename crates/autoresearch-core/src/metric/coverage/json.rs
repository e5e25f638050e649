//! Owns the coverage reports in JSON: Istanbul's two, coverage.py's, and `llvm-cov export`.
//! Does not keep what is not needed: such a report can be large.
//! Invariant: what has the shape of none of them is refused.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::lines::{CoverageError, LineCoverage, LineTally};

/// The reports that hold sums. Each has another key for them.
#[derive(Deserialize)]
struct SummedReport {
    /// Istanbul's coverage-summary.json.
    total: Option<IstanbulTotal>,
    /// coverage.py.
    totals: Option<PythonTotals>,
    /// llvm-cov.
    data: Option<Vec<LlvmExport>>,
}

#[derive(Deserialize)]
struct IstanbulTotal {
    lines: IstanbulLines,
}

#[derive(Deserialize)]
struct IstanbulLines {
    total: u64,
    covered: u64,
}

#[derive(Deserialize)]
struct PythonTotals {
    covered_lines: u64,
    num_statements: u64,
}

#[derive(Deserialize)]
struct LlvmExport {
    totals: LlvmTotals,
}

#[derive(Deserialize)]
struct LlvmTotals {
    lines: LlvmLines,
}

#[derive(Deserialize)]
struct LlvmLines {
    count: u64,
    covered: u64,
}

/// A file of Istanbul's coverage-final.json: a line is covered where a statement that begins in it ran.
#[derive(Deserialize)]
struct IstanbulFile {
    #[serde(rename = "statementMap")]
    statements: BTreeMap<String, StatementPlace>,
    s: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct StatementPlace {
    start: StatementStart,
}

#[derive(Deserialize)]
struct StatementStart {
    line: u64,
}

pub(super) fn read_json(bytes: &[u8]) -> Result<LineCoverage, CoverageError> {
    match serde_json::from_slice::<SummedReport>(bytes) {
        Ok(SummedReport {
            total: Some(total), ..
        }) => Ok(LineCoverage {
            covered: total.lines.covered,
            lines: total.lines.total,
        }),
        Ok(SummedReport {
            totals: Some(totals),
            ..
        }) => Ok(LineCoverage {
            covered: totals.covered_lines,
            lines: totals.num_statements,
        }),
        Ok(SummedReport {
            data: Some(exports),
            ..
        }) => Ok(sum_exports(&exports)),
        Err(error) if !error.is_data() => Err(CoverageError::Damaged(error.to_string())),
        Ok(_) | Err(_) => read_istanbul_files(bytes),
    }
}

fn sum_exports(exports: &[LlvmExport]) -> LineCoverage {
    let lines = exports.iter().map(|export| &export.totals.lines);
    lines.fold(LineCoverage::default(), |sum, lines| LineCoverage {
        covered: sum.covered.saturating_add(lines.covered),
        lines: sum.lines.saturating_add(lines.count),
    })
}

fn read_istanbul_files(bytes: &[u8]) -> Result<LineCoverage, CoverageError> {
    let files: BTreeMap<String, IstanbulFile> =
        serde_json::from_slice(bytes).map_err(|_| CoverageError::Unknown)?;
    let mut tally = LineTally::default();
    for (name, file) in &files {
        for (id, place) in &file.statements {
            let hits = file.s.get(id).copied().unwrap_or_default();
            tally.note_line(name, place.start.line, hits > 0);
        }
    }
    Ok(tally.count_lines())
}
