//! Owns what the records of a run tell the rule: the runs that they hold, those that older versions only imply, and of how
//! many cases their values are counts.
//! Does not fold them; `state` does.
//! Invariant: a run that was not recorded is implied only where its value was.

use crate::config::Config;
use crate::decide::evidence::Evidence;
use crate::decide::evidence::level::Side;
use crate::decide::judge::find_least_share;
use crate::decide::watched::WatchedEvidence;
use crate::journal::event::{Decision, Start, Verdict, Why};
use crate::journal::runs::{RecordedRun, RunTime, imply_runs, record_runs};
use crate::metric::measurement::Reading;
use crate::metric::rate::RateInterval;

/// What the baseline says of the metric. Older versions were content with two equal runs, and their runs go on as exact.
#[must_use]
pub fn begin_evidence(start: &Start) -> Evidence {
    let (direction, baseline) = (start.config.metric.direction, &start.measurement.value);
    let least = find_least_share(&start.config, baseline);
    let mut evidence = Evidence::new(direction, least).of_cases(count_cases(start));
    if !start.runs.is_empty() {
        record_runs(&mut evidence, &start.runs);
        evidence.close_watch();
        return evidence;
    }
    let mut values = start.samples.clone();
    if let [one, other] = &start.samples[..]
        && one == other
    {
        values.push(one.clone());
    }
    let first = RunTime {
        at_ms: start.started_ms,
        took_ms: start.verify_ms,
    };
    record_runs(&mut evidence, &imply_runs(Side::Incumbent, &values, first));
    evidence
}

/// What the baseline says of the metrics that no keep makes worse.
#[must_use]
pub fn begin_watched(start: &Start) -> WatchedEvidence {
    let mut watched = WatchedEvidence::new(&start.config.watched);
    watched.record_runs(&start.runs);
    watched.close_watch();
    watched
}

/// Of how many cases the metric is a count; `None` where it is no rate.
#[must_use]
pub fn count_cases(start: &Start) -> Option<u32> {
    read_cases(&start.config, start.reading.as_ref())
}

/// The same before the run has started.
#[must_use]
pub fn read_cases(config: &Config, reading: Option<&Reading>) -> Option<u32> {
    let printed = || reading?.unit_of(&config.metric.name).count_cases();
    config.gauge.kind.count_cases().or_else(printed)
}

/// What all runs of the baseline say of the rate.
#[must_use]
pub fn find_start_rate(start: &Start) -> Option<RateInterval> {
    RateInterval::of_runs(&start.samples, count_cases(start)?)
}

/// What all runs of a trial's commit say of the rate.
#[must_use]
pub fn find_decided_rate(decided: &Decision, cases: u32) -> Option<RateInterval> {
    let own = |run: &&RecordedRun| run.side == Side::Candidate;
    let values = decided.runs.iter().filter(own).map(|run| &run.value);
    RateInterval::of_runs(values, cases)
        .or_else(|| RateInterval::of_runs([&decided.measurement.as_ref()?.value], cases))
}

/// The runs of a verdict; those of one by an older version, as far as it tells them. `made` runs of verify were counted
/// since the start.
#[must_use]
pub fn list_decided_runs(start: &Start, decided: &Decision, made: u32) -> Vec<RecordedRun> {
    if !decided.runs.is_empty() || decided.count_verify_runs() == 0 {
        return decided.runs.clone();
    }
    let values = match (&decided.why, &decided.measurement) {
        (Some(Why::NotRepeated { first, second }), _) => vec![first.clone(), second.clone()],
        _ if !decided.samples.is_empty() => decided.samples.clone(),
        (_, Some(measurement)) => {
            let runs = if decided.verdict == Verdict::Keep {
                2
            } else {
                1
            };
            vec![measurement.value.clone(); runs]
        }
        (_, None) => Vec::new(),
    };
    let took_ms = start.verify_ms;
    let passed = took_ms.saturating_mul(u64::from(made));
    let at_ms = start.started_ms.saturating_add(passed);
    imply_runs(Side::Candidate, &values, RunTime { at_ms, took_ms })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::GaugeKind;
    use crate::journal::sample::{make_decision, make_start};

    fn sides_and_values(runs: &[RecordedRun]) -> Vec<(Side, String)> {
        let shown = runs.iter().map(|run| (run.side, run.value.to_string()));
        shown.collect()
    }

    #[test]
    fn an_old_start_that_was_content_with_two_equal_runs_goes_on_as_exact() {
        let mut start = make_start(47);
        assert!(begin_evidence(&start).is_exact());
        start.samples[1] = 48.into();
        assert!(
            !begin_evidence(&start).is_calibrated(),
            "it is measured further"
        );
    }

    #[test]
    fn an_old_verdict_implies_its_runs_one_verify_apart() {
        let mut start = make_start(47);
        start.verify_ms = 10;
        let candidate = |value: &str| (Side::Candidate, value.to_owned());
        let kept = make_decision(1, Verdict::Keep, Some(40));
        let runs = list_decided_runs(&start, &kept, 3);
        assert_eq!(sides_and_values(&runs), [candidate("40"), candidate("40")]);
        assert_eq!((runs[0].at_ms, runs[1].at_ms), (30, 40));
        let mut noisy = make_decision(2, Verdict::Keep, Some(40));
        noisy.samples = vec![39.into(), 41.into()];
        let runs = list_decided_runs(&start, &noisy, 0);
        assert_eq!(sides_and_values(&runs), [candidate("39"), candidate("41")]);
        let mut dropped = make_decision(3, Verdict::Discard, Some(50));
        assert_eq!(list_decided_runs(&start, &dropped, 0).len(), 1);
        dropped.verify_runs = Some(0);
        assert_eq!(list_decided_runs(&start, &dropped, 0), [], "nothing ran");
    }

    #[test]
    fn a_rate_is_told_of_all_runs_of_one_tree() {
        let mut start = make_start(3);
        assert_eq!((count_cases(&start), find_start_rate(&start)), (None, None));
        start.config.gauge.kind = GaugeKind::ExitRate {
            runs: 20,
            vary: Vec::new(),
        };
        start.samples = vec![3.into(), 2.into(), 4.into()];
        assert_eq!(count_cases(&start), Some(20));
        insta::assert_snapshot!(find_start_rate(&start).unwrap(), @"9 of 60: 15 % (7.1 to 27), 95 % interval");

        let mut decided = make_decision(1, Verdict::Keep, Some(0));
        decided.runs.clear();
        // An older version did not record the runs: what was measured counts as one.
        insta::assert_snapshot!(find_decided_rate(&decided, 20).unwrap(), @"0 of 20: at most 14 %, with 95 % confidence");
        let time = RunTime {
            at_ms: 0,
            took_ms: 5,
        };
        for (side, failed) in [
            (Side::Candidate, 0),
            (Side::Incumbent, 7),
            (Side::Candidate, 0),
            (Side::Candidate, 0),
        ] {
            decided
                .runs
                .push(RecordedRun::new(side, failed.into(), time));
        }
        insta::assert_snapshot!(find_decided_rate(&decided, 20).unwrap(), @"0 of 60: at most 4.9 %, with 95 % confidence");
        decided.measurement = None;
        decided.runs.clear();
        assert_eq!(find_decided_rate(&decided, 20), None);
    }
}
