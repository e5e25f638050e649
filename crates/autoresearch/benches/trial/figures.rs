//! Owns figures: samples, medians, and the rows of the tables.
//! Does not measure anything by itself.
//! Invariant: a figure is a median, never a mean or a best.

use std::time::Duration;

use autoresearch_sys::env::Stopwatch;

use crate::Stop;
use crate::bed::{Kind, Turn};

/// Figures of one kind.
#[derive(Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    /// Runs and times.
    pub(crate) fn time(&mut self, work: impl FnOnce() -> Result<(), Stop>) -> Result<(), Stop> {
        let watch = Stopwatch::start();
        work()?;
        self.0.push(millis(watch.elapsed()));
        Ok(())
    }

    /// The median.
    pub(crate) fn median(&self) -> f64 {
        median(self.0.clone())
    }
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A span in milliseconds.
pub(crate) fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The head of a table of trials.
pub(crate) fn head(size: &str) -> String {
    format!(
        "{size:>8}  {:<8} {:>7} {:>9} {:>7} {:>8} {:>9} {:>9} {:>12}  budget for own",
        "kind", "own", "reported", "syncs", "process", "whole", "floor", "whole/floor"
    )
}

fn find_median(kind: Kind, turns: &[Turn], figure: fn(&Turn) -> f64) -> f64 {
    let mine = turns.iter().filter(|turn| turn.kind == kind);
    median(mine.map(figure).collect())
}

/// The own cost of trials of a kind.
pub(crate) fn find_own_cost(kind: Kind, turns: &[Turn]) -> f64 {
    find_median(kind, turns, |turn| turn.own)
}

/// One row of it.
pub(crate) fn row(size: &str, kind: Kind, turns: &[Turn], budget: Option<f64>) -> String {
    let of = |figure: fn(&Turn) -> f64| find_median(kind, turns, figure);
    let own = find_own_cost(kind, turns);
    let judged = match budget {
        Some(most) if own <= most => format!("{most:.1} ms: budget held"),
        Some(most) => {
            // A slow or busy disk shows here; it is in every budget all the same.
            let rest = of(|turn| turn.own - turn.syncs);
            format!("{most:.1} ms: BUDGET MISSED ({rest:.2} without syncs)")
        }
        None => "-".to_owned(),
    };
    format!(
        "{size:>8}  {:<8} {own:>7.2} {:>9.2} {:>7.2} {:>8.2} {:>9.2} {:>9.2} {:>11.2}x  {judged}",
        kind.word(),
        of(|turn| turn.reported),
        of(|turn| turn.syncs),
        of(|turn| turn.process),
        of(|turn| turn.whole),
        of(|turn| turn.floor),
        of(|turn| turn.whole / turn.floor),
    )
}
