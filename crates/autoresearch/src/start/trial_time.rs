//! Owns `TrialTime`: how long the measuring of one trial takes, and how many trials fit into the limits.
//! Does not know what an agent needs to think of a change.
//! Invariant: it promises no trial that the measuring alone leaves no time for.

use std::fmt;
use std::time::Duration;

use autoresearch_core::config::Config;
use autoresearch_core::config::span::{format_span, whole_millis};
use autoresearch_core::words::text::format_count;
use serde::Serialize;

/// Verify runs once for a discard, and once more for a keep.
const EXACT_RUNS: u64 = 2;

/// What the measuring of trials costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrialTime {
    /// One trial that is kept at once, the guard included, in milliseconds.
    pub trial_ms: u64,
    /// One that takes all the runs that noise may ask for.
    pub longest_ms: u64,
    pub iterations: Option<u32>,
    pub time_limit_ms: Option<u64>,
    /// So many trials can be measured within the time limit, if an agent needed no time.
    pub fit: Option<u64>,
}

impl TrialTime {
    /// Of a config whose verify and guard took so long; noise may ask for `most_runs` of verify.
    pub(super) fn estimate(
        config: &Config,
        (verify_ms, guard_ms): (u64, u64),
        most_runs: Option<u64>,
    ) -> Self {
        let of_runs = |runs: u64| verify_ms.saturating_mul(runs).saturating_add(guard_ms);
        let trial_ms = of_runs(EXACT_RUNS);
        let time_limit_ms = config.time_limit.map(|limit| whole_millis(limit.span));
        Self {
            trial_ms,
            longest_ms: of_runs(most_runs.unwrap_or(EXACT_RUNS).max(EXACT_RUNS)),
            iterations: config.iterations,
            time_limit_ms,
            fit: time_limit_ms.map(|limit| limit / trial_ms.max(1)),
        }
    }
}

/// Seconds are enough where there are some.
fn round_span(ms: u64) -> String {
    let span = Duration::from_millis(ms);
    if ms < 1_000 {
        return format_span(span);
    }
    format_span(Duration::from_secs(ms.saturating_add(500) / 1_000))
}

impl fmt::Display for TrialTime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} of measuring", round_span(self.trial_ms))?;
        if self.longest_ms > self.trial_ms {
            write!(out, ", with noise up to {}", round_span(self.longest_ms))?;
        }
        let whole = |count: u32| self.trial_ms.saturating_mul(count.into());
        match (self.iterations, self.time_limit_ms.zip(self.fit)) {
            (Some(count), Some((limit, fit))) if fit < count.into() => write!(
                out,
                "; {} hold no more than {fit} of the {count} iterations",
                round_span(limit)
            ),
            (Some(count), Some((limit, _))) => write!(
                out,
                "; measuring {} takes {} of the {}, and the agent's time comes on top",
                format_count(count, "iteration"),
                round_span(whole(count)),
                round_span(limit)
            ),
            (Some(count), None) => write!(
                out,
                "; measuring {} takes {}, and the agent's time comes on top",
                format_count(count, "iteration"),
                round_span(whole(count))
            ),
            (None, Some((limit, fit))) => write!(
                out,
                "; {} hold no more than {fit} trials, and the agent's time comes on top",
                round_span(limit)
            ),
            (None, None) => write!(
                out,
                "; nothing limits the run: set `iterations` or `time_limit`"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use autoresearch_core::config::check_config;
    use serde_json::{Value, json};

    use super::*;

    fn estimate(limits: &[(&str, Value)], times: (u64, u64), most_runs: Option<u64>) -> TrialTime {
        let mut config = json!({
            "goal": "fewer", "scope": ["src/**"], "metric": {"name": "any", "direction": "lower"},
            "verify": {"command": "make count"}, "guard": {"command": "make test"},
        });
        for (key, value) in limits {
            config[*key] = value.clone();
        }
        let config = check_config(&config).config.unwrap();
        TrialTime::estimate(&config, times, most_runs)
    }

    #[test]
    fn it_says_what_the_limits_hold() {
        let both = [("iterations", json!(40)), ("time_limit", json!("8h"))];
        let told = [
            estimate(&both, (250, 150), None),
            estimate(&both, (10_000, 4_400), Some(20)),
            estimate(&both, (600_000, 90_000), None),
            estimate(&[("iterations", json!(1))], (1_000, 0), None),
            estimate(&[("time_limit", json!("30m"))], (61_000, 0), None),
            estimate(&[], (0, 0), None),
        ];
        insta::assert_snapshot!(told.map(|time| time.to_string()).join("\n"), @"
        650ms of measuring; measuring 40 iterations takes 26s of the 8h, and the agent's time comes on top
        24s of measuring, with noise up to 3m24s; measuring 40 iterations takes 16m16s of the 8h, and the agent's time comes on top
        21m30s of measuring; 8h hold no more than 22 of the 40 iterations
        2s of measuring; measuring 1 iteration takes 2s, and the agent's time comes on top
        2m2s of measuring; 30m hold no more than 14 of the 50 iterations
        0ms of measuring; measuring 50 iterations takes 0ms, and the agent's time comes on top
        ");
    }

    #[test]
    fn no_limit_is_divided_by_nothing_and_long_times_do_not_overflow() {
        let hours = [("time_limit", json!("1h"))];
        assert_eq!(estimate(&hours, (0, 0), None).fit, Some(3_600_000));
        let endless = estimate(&hours, (u64::MAX, u64::MAX), Some(20));
        assert_eq!((endless.trial_ms, endless.fit), (u64::MAX, Some(0)));
    }
}
