//! Owns the landscapes that are played, and the figures of many nights.
//! Does not play; `night` does.
//! Invariant: a night without a keep has no false share of keeps and no claim, and counts as such.

use crate::machine::{Drift, Landscape, Pace, Printed, SimulatedMachine};
use crate::night::{NightEnd, play_greedy, play_night};

pub(crate) const HEADER: &str = "\
| landscape | gain % | of greedy's | keeps | false keeps | nights with one | worse than start | claim off by | its rms | covered | \
runs a trial |\n|---|---|---|---|---|---|---|---|---|---|---|";

/// All landscapes, with their names.
pub(crate) fn list_landscapes() -> Vec<(&'static str, Landscape)> {
    let mut all = list_machines();
    all.extend(list_metrics());
    all.extend(list_nulls());
    all
}

/// The machine differs.
fn list_machines() -> Vec<(&'static str, Landscape)> {
    let noise = Landscape::new;
    let one = noise(0.01);
    let swing = Drift::Swing(0.02);
    vec![
        ("exact", noise(0.0)),
        ("0.3 %", noise(0.003)),
        ("1 %", one),
        ("3 %", noise(0.03)),
        ("0.3 % swing", noise(0.003).with_drift(swing)),
        ("1 % swing", one.with_drift(swing)),
        ("3 % swing", noise(0.03).with_drift(swing)),
        ("1 % trend", one.with_drift(Drift::Trend(0.02))),
        ("1 % walk", one.with_drift(Drift::Walk(0.02))),
        ("1 % step", one.with_drift(Drift::Step(0.03))),
        ("1 % faster", one.with_drift(Drift::Jump(-0.05, 0.3))),
        ("1 % slower", one.with_drift(Drift::Jump(0.05, 0.3))),
        ("0.3 % slow runs", noise(0.003).with_slow_runs()),
        ("1 % slow runs", one.with_slow_runs()),
        ("1 % late noise", one.with_late_noise()),
    ]
}

/// What is measured differs, or how it is printed.
fn list_metrics() -> Vec<(&'static str, Landscape)> {
    let noise = Landscape::new;
    let one = noise(0.01);
    let higher = Landscape {
        higher: true,
        ..one
    };
    let no_help = Landscape { helps: 0.0, ..one };
    let small = Landscape {
        helps: 0.5,
        help: 0.002,
        ..one
    };
    vec![
        ("1 % higher is better", higher),
        (
            "0.3 % whole near 100",
            noise(0.003).print_as(Printed::Whole(100.0)),
        ),
        ("1 % whole near 100", one.print_as(Printed::Whole(100.0))),
        ("1 % whole near 12", one.print_as(Printed::Whole(12.0))),
        (
            "3 % whole near 12",
            noise(0.03).print_as(Printed::Whole(12.0)),
        ),
        ("flaky tests", one.print_as(Printed::Flaky)),
        ("1 % large effects", one.with_large_effects(false)),
        (
            "1 % large effects, constant noise",
            one.with_large_effects(true),
        ),
        ("1 % many small effects", small),
        ("1 % no idea helps", no_help),
    ]
}

/// No idea does anything.
fn list_nulls() -> Vec<(&'static str, Landscape)> {
    let noise = Landscape::without_effects;
    let one = noise(0.01);
    vec![
        ("A/A 0.3 %", noise(0.003)),
        ("A/A 1 %", one),
        ("A/A 3 %", noise(0.03)),
        ("A/A 1 % swing", one.with_drift(Drift::Swing(0.02))),
        ("A/A 1 % faster", one.with_drift(Drift::Jump(-0.05, 0.3))),
        ("A/A 1 % slow runs", one.with_slow_runs()),
        (
            "A/A 0.3 % whole near 100",
            noise(0.003).print_as(Printed::Whole(100.0)),
        ),
        (
            "A/A 3 % whole near 12",
            noise(0.03).print_as(Printed::Whole(12.0)),
        ),
        ("A/A 1 % late noise", one.with_late_noise()),
    ]
}

/// The sums of many nights.
#[derive(Clone, Debug, Default)]
pub(crate) struct NightFigures {
    nights: f64,
    gain: f64,
    greedy: f64,
    keeps: f64,
    false_share: f64,
    false_nights: f64,
    worse: f64,
    claims: f64,
    gap: f64,
    squared_gap: f64,
    covered: f64,
    runs_a_trial: f64,
}

impl NightFigures {
    fn add_night(&mut self, end: &NightEnd, greedy: &NightEnd) {
        let keeps = f64::from(u32::try_from(end.kept.len()).unwrap_or(u32::MAX));
        let wrong = f64::from(end.count_false());
        self.nights += 1.0;
        self.gain += end.true_gain;
        self.greedy += greedy.true_gain;
        self.keeps += keeps;
        self.false_share += wrong / keeps.max(1.0);
        self.false_nights += f64::from(u8::from(wrong > 0.0));
        self.worse += f64::from(u8::from(end.true_gain < -1e-9));
        self.runs_a_trial += f64::from(end.runs) / f64::from(end.trials.max(1));
        if let Some((gain, low, high)) = end.claim {
            let gap = gain - end.true_gain;
            self.claims += 1.0;
            self.gap += gap;
            self.squared_gap += gap * gap;
            let rounding = 1e-7;
            let inside = low - rounding <= end.true_gain && end.true_gain <= high + rounding;
            self.covered += f64::from(u8::from(inside));
        }
    }

    pub(crate) fn mean_false_share(&self) -> f64 {
        self.false_share / self.nights
    }

    pub(crate) fn share_of_false_nights(&self) -> f64 {
        self.false_nights / self.nights
    }

    pub(crate) fn share_of_worse(&self) -> f64 {
        self.worse / self.nights
    }

    pub(crate) fn share_of_greedy(&self) -> f64 {
        self.gain / self.greedy
    }

    pub(crate) fn mean_gap(&self) -> f64 {
        self.gap / self.claims.max(1.0)
    }

    pub(crate) fn share_covered(&self) -> f64 {
        self.covered / self.claims.max(1.0)
    }

    pub(crate) fn mean_runs(&self) -> f64 {
        self.runs_a_trial / self.nights
    }

    pub(crate) fn write_row(&self, title: &str) -> String {
        let of = |sum: f64| 100.0 * sum / self.nights;
        let greedy = if self.greedy > 0.0 {
            format!("{:.0} %", 100.0 * self.share_of_greedy())
        } else {
            "-".to_owned()
        };
        let rms = 100.0 * (self.squared_gap / self.claims.max(1.0)).sqrt();
        format!(
            "| {title} | {:.1} | {greedy} | {:.1} | {:.1} % | {:.1} % | {:.1} % | {:+.2} | {rms:.2} | {:.1} % | {:.2} |",
            of(self.gain),
            self.keeps / self.nights,
            100.0 * self.mean_false_share(),
            100.0 * self.share_of_false_nights(),
            100.0 * self.share_of_worse(),
            100.0 * self.mean_gap(),
            100.0 * self.share_covered(),
            self.mean_runs(),
        )
    }
}

/// Plays many nights, by the rule and greedily.
pub(crate) fn play_nights(
    landscape: Landscape,
    pace: Pace,
    seed: u64,
    nights: u64,
) -> NightFigures {
    let mut figures = NightFigures::default();
    for night in 0..nights {
        let machine = |player| SimulatedMachine::new(landscape, pace, seed + night, player);
        figures.add_night(&play_night(&mut machine(1)), &play_greedy(&mut machine(2)));
    }
    figures
}
