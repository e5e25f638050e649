//! Owns what the first runs say of a noisy metric to a person: how small a change can be told, and what makes it noisy.
//! Does not decide trials; `evidence` does.
//! Invariant: a cause is named only where the runs show it; noise without a shape has none.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use crate::decide::evidence::Evidence;
use crate::decide::evidence::normal::{find_median, find_robust_deviation};
use crate::decide::evidence::rule::TRIAL_RUNS;

/// A spread above this, in per cent, is worth a warning: half of the changes of 5 % are lost in it.
const NOISY: f64 = 10.0;
/// The first run is slow when it is so many deviations of the others off their median.
const FIRST: f64 = 5.0;
/// Two groups of values are modes when the gap between them is so many times the largest gap within them.
const GAP: f64 = 3.0;
/// Fewer runs show no shape: four in a row rise or fall by chance once in twelve times.
const SHAPE_RUNS: usize = 5;

/// How busy the machine was before the first run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MachineLoad {
    /// How many processes ran or waited for a core, on average over a minute.
    pub running: f64,
    pub cores: u32,
}

impl MachineLoad {
    /// Did some have to wait?
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.running > f64::from(self.cores)
    }
}

/// What makes the runs differ, as far as they show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoiseCause {
    /// The first run differs from all others, as one does that fills caches.
    FirstRun,
    /// Each run is higher than the one before, or each lower.
    Trend,
    /// The values fall into two groups.
    TwoModes,
    /// More processes than cores were at work before the first run.
    Load,
}

/// How noisy a metric is at the start.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// The standard deviation of one run, in per cent of the value.
    pub spread_percent: f64,
    /// The gain that half of the candidates that have it are kept for in one trial, in per cent.
    pub visible_percent: f64,
    /// The same in cases, for a metric that counts them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visible_cases: Option<f64>,
    pub runs: usize,
    /// So many runs at most has a trial, of both trees.
    pub trial_runs: u32,
    pub causes: Vec<NoiseCause>,
    /// How busy the machine was, where that is a cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<MachineLoad>,
}

impl Calibration {
    /// What these first values and what is believed after them say; `None` for an exact metric.
    #[must_use]
    pub fn find(evidence: &Evidence, values: &[f64]) -> Option<Self> {
        (evidence.is_calibrated() && !evidence.is_exact()).then(|| Self {
            spread_percent: round_percent(evidence.find_run_spread()),
            visible_percent: round_percent(evidence.find_visible_gain()),
            visible_cases: evidence.find_visible_cases().map(round_tenths),
            runs: values.len(),
            trial_runs: TRIAL_RUNS,
            causes: match evidence.find_visible_cases() {
                Some(_) => Vec::new(),
                None => list_causes(values),
            },
            load: None,
        })
    }

    /// The same, knowing how busy the machine was before the first run: what verify makes it do comes after that. A load is blamed
    /// only for noise that is worth a warning.
    #[must_use]
    pub fn with_load(mut self, load: Option<MachineLoad>) -> Self {
        if self.is_too_noisy() {
            self.load = load.filter(MachineLoad::is_crowded);
            let cause = self.load.map(|_| NoiseCause::Load);
            self.causes.splice(0..0, cause);
        }
        self
    }

    /// Is it so noisy that a person should do something about it first?
    #[must_use]
    pub fn is_too_noisy(&self) -> bool {
        self.visible_cases.is_none() && self.spread_percent > NOISY
    }

    /// What a person can do, one sentence each.
    #[must_use]
    pub fn list_remedies(&self) -> Vec<Cow<'static, str>> {
        let mut remedies: Vec<Cow<'static, str>> = self
            .causes
            .iter()
            .map(|cause| self.find_remedy(*cause))
            .collect();
        if self.is_too_noisy() {
            remedies.push(Cow::Borrowed(
                "let verify repeat the work and print the median or the minimum, count instructions (`perf stat -e instructions:u`) instead of time, pin it to one core (`taskset`), or set `min_improvement` to what matters",
            ));
        }
        remedies
    }

    fn find_remedy(&self, cause: NoiseCause) -> Cow<'static, str> {
        match (cause, &self.load) {
            (NoiseCause::Load, Some(MachineLoad { running, cores })) => Cow::Owned(format!(
                "other programs kept the machine busy before the first run (load {running:.1} on {cores} cores): end them or wait, then start again"
            )),
            _ => Cow::Borrowed(cause.remedy()),
        }
    }
}

impl fmt::Display for Calibration {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(cases) = self.visible_cases {
            return write!(
                out,
                "that of counting at least ({} runs): a change of less than about {cases} cases cannot be told in one trial of at most {} runs",
                self.runs, self.trial_runs
            );
        }
        write!(
            out,
            "{} % a run ({} runs): a change smaller than about {} % cannot be told in one trial of at most {} runs",
            self.spread_percent, self.runs, self.visible_percent, self.trial_runs
        )
    }
}

impl NoiseCause {
    fn remedy(self) -> &'static str {
        match self {
            Self::Load => {
                "other programs kept the machine busy: end them or wait, then start again"
            }
            Self::FirstRun => {
                "the first run differs from all others: let verify warm up before it measures"
            }
            Self::Trend => {
                "the runs go one way all the time: the machine warms up or fills up; wait, or let verify clean up first"
            }
            Self::TwoModes => {
                "the values fall into two groups: a core, a frequency or a cache that is hit or missed; pin verify to one core, or let it print the minimum"
            }
        }
    }
}

fn list_causes(values: &[f64]) -> Vec<NoiseCause> {
    let shaped = values.len() >= SHAPE_RUNS;
    let found = [
        (NoiseCause::Trend, is_trend(values)),
        (NoiseCause::TwoModes, has_two_modes(values)),
        (NoiseCause::FirstRun, is_first_apart(values)),
    ];
    let shown = found.into_iter().filter(|(_, is_so)| shaped && *is_so);
    shown.map(|(cause, _)| cause).take(1).collect()
}

fn is_first_apart(values: &[f64]) -> bool {
    let Some((first, others)) = values.split_first() else {
        return false;
    };
    let deviation = find_robust_deviation(others);
    deviation > 0.0 && (first - find_median(others)).abs() > FIRST * deviation
}

fn is_trend(values: &[f64]) -> bool {
    values.windows(2).all(|pair| pair[0] < pair[1])
        || values.windows(2).all(|pair| pair[0] > pair[1])
}

fn has_two_modes(values: &[f64]) -> bool {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let gaps: Vec<f64> = sorted.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let Some(widest) = (0..gaps.len()).max_by(|one, other| gaps[*one].total_cmp(&gaps[*other]))
    else {
        return false;
    };
    let inner = gaps.iter().enumerate().filter(|(at, _)| *at != widest);
    let inner = inner.map(|(_, gap)| *gap).fold(0.0, f64::max);
    let both = widest >= 1 && widest + 2 < sorted.len();
    both && inner > 0.0 && gaps[widest] > GAP * inner
}

/// Cases with one digit behind the point.
fn round_tenths(cases: f64) -> f64 {
    (cases * 10.0).round() / 10.0
}

/// Per cent with two digits that count.
fn round_percent(share: f64) -> f64 {
    let percent = share * 100.0;
    if percent <= 0.0 || !percent.is_finite() {
        return percent;
    }
    let unit = 10.0_f64.powf(percent.log10().floor() - 1.0);
    let rounded = (percent / unit).round() * unit;
    (rounded * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::evidence::level::Side;
    use crate::decide::evidence::rule::VerifyRun;
    use crate::metric::definition::Direction;

    fn calibrate(values: &[f64]) -> Option<Calibration> {
        let mut evidence = Evidence::new(Direction::Lower, 0.0);
        let mut at = 0.0;
        for value in values {
            let run = VerifyRun {
                at,
                took: 1.0,
                side: Side::Incumbent,
                value: *value,
                digit: 0.01,
            };
            evidence.record_run(run);
            at += 1.0;
        }
        Calibration::find(&evidence, values)
    }

    #[test]
    fn an_exact_metric_and_too_few_runs_have_none() {
        assert_eq!(calibrate(&[5.0; 3]), None);
        assert_eq!(calibrate(&[5.0, 6.0]), None);
    }

    #[test]
    fn what_can_be_told_stands_beside_the_noise_and_too_much_of_it_has_a_remedy() {
        let calm = calibrate(&[100.0, 101.0, 99.0, 100.5, 99.5, 100.2]).unwrap();
        insta::assert_snapshot!(calm, @"
        0.71 % a run (6 runs): a change smaller than about 0.69 % cannot be told in one trial of at most 20 runs
        ");
        assert_eq!(calm.list_remedies(), Vec::<Cow<'_, str>>::new());
        let wild = calibrate(&[20.0, 31.0, 14.0, 24.0, 18.0, 27.0]).unwrap();
        assert!(wild.is_too_noisy() && wild.causes.is_empty());
        insta::assert_snapshot!(wild, @"
        29 % a run (6 runs): a change smaller than about 22 % cannot be told in one trial of at most 20 runs
        ");
    }

    #[test]
    fn what_can_be_told_of_counts_is_told_in_cases_and_equal_ones_have_noise_too() {
        let calibrate_cases = |count: f64| {
            let mut evidence = Evidence::new(Direction::Lower, 0.0).of_cases(Some(60));
            for at in 0..6_u8 {
                assert!(!evidence.is_calibrated());
                evidence.record_run(VerifyRun {
                    at: f64::from(at),
                    took: 1.0,
                    side: Side::Incumbent,
                    value: count,
                    digit: 1.0,
                });
            }
            Calibration::find(&evidence, &[count; 6]).unwrap()
        };
        insta::assert_snapshot!(calibrate_cases(6.0), @"that of counting at least (6 runs): a change of less than about 2.1 cases cannot be told in one trial of at most 20 runs");
        insta::assert_snapshot!(calibrate_cases(0.0), @"that of counting at least (6 runs): a change of less than about 0.6 cases cannot be told in one trial of at most 20 runs");
        assert_eq!(
            calibrate_cases(6.0).list_remedies(),
            Vec::<Cow<'_, str>>::new()
        );
    }

    #[test]
    fn a_busy_machine_is_blamed_for_much_noise_and_for_nothing_else() {
        let busy = Some(MachineLoad {
            running: 8.13,
            cores: 2,
        });
        let idle = Some(MachineLoad {
            running: 2.0,
            cores: 2,
        });
        let wild = || calibrate(&[20.0, 31.0, 14.0, 24.0, 18.0, 27.0]).unwrap();
        let blamed = wild().with_load(busy);
        assert_eq!(blamed.causes, [NoiseCause::Load]);
        insta::assert_snapshot!(blamed.list_remedies()[0], @"other programs kept the machine busy before the first run (load 8.1 on 2 cores): end them or wait, then start again");
        insta::assert_snapshot!(serde_json::to_string(&blamed).unwrap(), @r#"{"spread_percent":29.0,"visible_percent":22.0,"runs":6,"trial_runs":20,"causes":["load"],"load":{"running":8.13,"cores":2}}"#);
        for load in [idle, None] {
            assert_eq!(wild().with_load(load), wild());
        }
        let calm = || calibrate(&[100.0, 101.0, 99.0, 100.5, 99.5, 100.2]).unwrap();
        assert_eq!(calm().with_load(busy), calm(), "it did no harm");
        // Beside a shape of the runs it stands first.
        let rising = calibrate(&[100.0, 130.0, 160.0, 190.0, 220.0, 250.0]).unwrap();
        let causes = rising.with_load(busy).causes;
        assert_eq!(causes, [NoiseCause::Load, NoiseCause::Trend]);
    }

    #[test]
    fn a_shape_of_the_runs_names_its_cause() {
        let cause = |values: &[f64]| calibrate(values).unwrap().causes;
        assert_eq!(
            cause(&[140.0, 100.0, 101.0, 99.0, 100.5, 99.5]),
            [NoiseCause::FirstRun]
        );
        assert_eq!(
            cause(&[100.0, 101.0, 102.5, 103.0, 104.5, 106.0]),
            [NoiseCause::Trend]
        );
        assert_eq!(
            cause(&[100.0, 120.0, 101.0, 121.0, 100.5, 120.5]),
            [NoiseCause::TwoModes]
        );
    }
}
