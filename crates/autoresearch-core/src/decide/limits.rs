//! Owns the ceilings of a run and what it has used up, in trials, time, tokens and runs of verify.
//! Does not end the run; the state does, with what is found here.
//! Invariant: a ceiling is reached at its number, not above it, and only a person raises one.

use serde::{Deserialize, Serialize};

use crate::config::ClaimMode;
use crate::journal::claim::{CLAIM_RUNS, WEAK_RUNS};
use crate::journal::event::{End, Raise, Start, Turn};

/// At most a fifth of a limit is kept back.
const MOST_RESERVED: u64 = 5;
const MOST_RESERVED_RUNS: u32 = 5;

/// What a run has used up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Turns of the agent in runs without a person.
    pub turns: u32,
    /// Tokens of these turns.
    pub tokens: u64,
    /// Runs of verify in trials.
    pub verify_runs: u32,
    /// The agent's thread, while it is to be resumed.
    pub thread: Option<String>,
    /// Turns in that thread.
    pub thread_turns: u32,
    /// Tokens in that thread.
    pub thread_tokens: u64,
}

/// The ceilings of a run: those of the config, until a person raises them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Trials; `None`: as many as come.
    pub iterations: Option<u32>,
    /// Time since the start, in milliseconds.
    pub time_limit_ms: Option<u64>,
    pub tokens: Option<u64>,
    pub verify_runs: Option<u32>,
    /// A moment, in milliseconds since 1970.
    pub until_ms: Option<u64>,
    /// What is kept back for the measurement at the end.
    #[serde(default)]
    pub reserve: Reserve,
}

/// Time in milliseconds and runs of verify that trials may not use: the gain of a noisy metric is measured afresh with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserve {
    pub ms: u64,
    pub verify_runs: u32,
}

impl Reserve {
    /// For a run that began so; nothing for an exact metric. Never more than a fifth of a limit, see `keep_back`.
    fn of_start(start: &Start) -> Self {
        let noisy = start.samples.windows(2).any(|pair| pair[0] != pair[1]);
        if !noisy || start.config.claim == ClaimMode::Never {
            return Self::default();
        }
        let verify_runs = CLAIM_RUNS + WEAK_RUNS;
        Self {
            ms: start.verify_ms.saturating_mul(u64::from(verify_runs)),
            verify_runs,
        }
    }
}

/// What is left of a limit for trials.
fn keep_back(limit: u64, reserve: u64) -> u64 {
    limit - reserve.min(limit / MOST_RESERVED)
}

impl Limits {
    /// Those of a run at its start.
    #[must_use]
    pub fn of_start(start: &Start) -> Self {
        let config = &start.config;
        Self {
            iterations: config.iterations,
            time_limit_ms: config
                .time_limit
                .map(|limit| crate::config::span::whole_millis(limit.span)),
            tokens: config.budget.tokens,
            verify_runs: config.budget.verify_runs,
            until_ms: start.until_ms,
            reserve: Reserve::of_start(start),
        }
    }

    /// What a person changes.
    pub fn apply_raise(&mut self, raise: &Raise) {
        self.iterations = raise.iterations.or(self.iterations);
        self.time_limit_ms = raise.time_limit_ms.or(self.time_limit_ms);
        self.tokens = raise.tokens.or(self.tokens);
        self.verify_runs = raise.verify_runs.or(self.verify_runs);
        self.until_ms = raise.until_ms.or(self.until_ms);
    }

    /// The ceilings that `raise` would set above where they are now. Where there is none, nothing lifts it.
    #[must_use]
    pub fn list_lifted(&self, raise: &Raise) -> Vec<Ceiling> {
        fn is_lifted<N: PartialOrd>(now: Option<N>, then: Option<N>) -> bool {
            now.zip(then).is_some_and(|(now, then)| then > now)
        }
        let all = [
            (
                Ceiling::Iterations,
                is_lifted(self.iterations, raise.iterations),
            ),
            (
                Ceiling::TimeLimit,
                is_lifted(self.time_limit_ms, raise.time_limit_ms),
            ),
            (Ceiling::Until, is_lifted(self.until_ms, raise.until_ms)),
            (Ceiling::Tokens, is_lifted(self.tokens, raise.tokens)),
            (
                Ceiling::VerifyRuns,
                is_lifted(self.verify_runs, raise.verify_runs),
            ),
        ];
        let lifted = all.into_iter().filter(|(_, lifts)| *lifts);
        lifted.map(|(ceiling, _)| ceiling).collect()
    }

    /// What is kept back of a limit of time.
    fn describe_reserve(&self) -> String {
        if self.reserve.ms == 0 {
            return String::new();
        }
        let whole_seconds = std::time::Duration::from_secs(self.reserve.ms.div_ceil(1_000));
        format!(
            ", less up to {} for the claim at the end",
            crate::config::span::format_span(whole_seconds)
        )
    }

    /// Runs of verify, each of `verify_ms`, that a run has left which began and is now at these moments, in milliseconds since
    /// 1970. What is kept back for the claim is part of it. `None` where nothing limits them.
    #[must_use]
    pub fn count_runs_left(
        &self,
        spent: u32,
        (began_ms, now_ms): (u64, u64),
        verify_ms: u64,
    ) -> Option<u64> {
        let ends = self
            .time_limit_ms
            .map(|limit| began_ms.saturating_add(limit));
        let in_time = [ends, self.until_ms].into_iter().flatten();
        let in_time = in_time.map(|end| end.saturating_sub(now_ms) / verify_ms.max(1));
        let in_budget = self
            .verify_runs
            .map(|limit| limit.saturating_sub(spent).into());
        in_time.chain(in_budget).min()
    }

    /// The ceiling that a run has reached, and why: after this many trials, this much time since its start, and at this moment,
    /// both in milliseconds (the moment since 1970).
    #[must_use]
    pub fn find_reached(
        &self,
        spent: &Spent,
        iterations: u32,
        elapsed_ms: u64,
        now_ms: u64,
    ) -> Option<(Ceiling, String)> {
        if let Some(limit) = self.iterations.filter(|limit| iterations >= *limit) {
            let why = match limit {
                1 => "the only iteration is used".to_owned(),
                _ => format!("all {limit} iterations are used"),
            };
            return Some((Ceiling::Iterations, why));
        }
        let is_over = |limit: &u64| elapsed_ms >= keep_back(*limit, self.reserve.ms);
        if let Some(limit) = self.time_limit_ms.filter(is_over) {
            let limit = crate::config::span::format_span(std::time::Duration::from_millis(limit));
            let why = format!(
                "reached the time limit of {limit}{}",
                self.describe_reserve()
            );
            return Some((Ceiling::TimeLimit, why));
        }
        // A moment has no length of which a fifth could be taken: the run's own is.
        let began_ms = now_ms.saturating_sub(elapsed_ms);
        let is_over = |until: &u64| {
            let whole = until.saturating_sub(began_ms);
            now_ms >= began_ms.saturating_add(keep_back(whole, self.reserve.ms))
        };
        if let Some(until) = self.until_ms.filter(is_over) {
            let minutes = until / 60_000 % (24 * 60);
            let why = format!(
                "reached the deadline {:02}:{:02} UTC{}",
                minutes / 60,
                minutes % 60,
                self.describe_reserve()
            );
            return Some((Ceiling::Until, why));
        }
        if let Some(limit) = self.tokens.filter(|limit| spent.tokens >= *limit) {
            let why = format!("{} of {limit} tokens are used", spent.tokens);
            return Some((Ceiling::Tokens, why));
        }
        let is_used = |limit: &u32| {
            let kept_back = self.reserve.verify_runs.min(limit / MOST_RESERVED_RUNS);
            spent.verify_runs >= limit - kept_back
        };
        if let Some(limit) = self.verify_runs.filter(is_used) {
            let why = format!("{} of {limit} runs of verify are used", spent.verify_runs);
            return Some((Ceiling::VerifyRuns, why));
        }
        None
    }
}

/// One of the ceilings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceiling {
    Iterations,
    /// Time since the start.
    TimeLimit,
    /// A time of day.
    Until,
    /// Tokens of the agent.
    Tokens,
    VerifyRuns,
}

impl Ceiling {
    /// The end of a run that comes to it.
    #[must_use]
    pub fn to_end(self) -> End {
        match self {
            Self::Iterations => End::IterationCap,
            Self::TimeLimit | Self::Until => End::TimeLimit,
            Self::Tokens | Self::VerifyRuns => End::Budget,
        }
    }

    /// The flag of `raise` that moves it, with what it takes.
    #[must_use]
    pub fn as_flag(self) -> &'static str {
        match self {
            Self::Iterations => "--iterations N",
            Self::TimeLimit => "--time-limit SPAN",
            Self::Until => "--until HH:MM",
            Self::Tokens => "--tokens N",
            Self::VerifyRuns => "--verify-runs N",
        }
    }
}

impl Spent {
    pub fn add_turn(&mut self, turn: Turn) {
        self.turns += 1;
        self.tokens += turn.tokens;
        if turn.worker.is_some() {
            // It has a thread of its own, which nobody goes on with.
            return;
        }
        if self.thread != turn.thread {
            self.thread_turns = 0;
            self.thread_tokens = 0;
        }
        self.thread = turn.thread;
        self.thread_turns += 1;
        self.thread_tokens += turn.tokens;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(thread: &str, tokens: u64) -> Turn {
        Turn {
            trial: 1,
            thread: Some(thread.to_owned()),
            tokens,
            ms: 0,
            hypothesis: String::new(),
            fault: None,
            worker: None,
            given_up: false,
        }
    }

    #[test]
    fn a_fresh_thread_counts_anew_and_the_run_counts_on() {
        let mut spent = Spent::default();
        for (thread, tokens) in [("a", 5), ("a", 6), ("b", 7)] {
            spent.add_turn(turn(thread, tokens));
        }
        assert_eq!((spent.turns, spent.tokens), (3, 18));
        assert_eq!((spent.thread_turns, spent.thread_tokens), (1, 7));
    }

    #[test]
    fn each_ceiling_ends_a_run_when_it_is_reached_and_not_before() {
        let spent = Spent {
            tokens: 10,
            verify_runs: 4,
            ..Spent::default()
        };
        let free = Limits {
            iterations: Some(3),
            ..Limits::default()
        };
        let end = |limits: Limits| {
            let found = limits.find_reached(&spent, 2, 1_000, 5_000)?;
            Some(found.0.to_end())
        };
        assert_eq!(end(free), None);
        let cases = [
            (
                Limits {
                    iterations: Some(2),
                    ..free
                },
                End::IterationCap,
            ),
            (
                Limits {
                    time_limit_ms: Some(1_000),
                    ..free
                },
                End::TimeLimit,
            ),
            (
                Limits {
                    until_ms: Some(5_000),
                    ..free
                },
                End::TimeLimit,
            ),
            (
                Limits {
                    tokens: Some(10),
                    ..free
                },
                End::Budget,
            ),
            (
                Limits {
                    verify_runs: Some(4),
                    ..free
                },
                End::Budget,
            ),
        ];
        for (limits, wanted) in cases {
            assert_eq!(end(limits), Some(wanted), "{limits:?}");
        }
        let above = Limits {
            tokens: Some(11),
            verify_runs: Some(5),
            ..free
        };
        assert_eq!(end(above), None);
    }

    #[test]
    fn the_runs_that_are_left_are_those_of_the_nearest_ceiling() {
        let left = |limits: &Limits| limits.count_runs_left(12, (5_000, 25_000), 1_000);
        assert_eq!(left(&Limits::default()), None);
        let runs = Limits {
            verify_runs: Some(40),
            ..Limits::default()
        };
        assert_eq!(left(&runs), Some(28));
        let time = Limits {
            time_limit_ms: Some(30_000),
            ..runs
        };
        assert_eq!(left(&time), Some(10));
        let moment = Limits {
            until_ms: Some(24_000),
            ..time
        };
        assert_eq!(left(&moment), Some(0), "it is over");
    }

    #[test]
    fn what_the_claim_needs_is_kept_back_and_never_more_than_a_fifth() {
        let mut start = crate::journal::sample::make_start(47);
        start.verify_ms = 1_000;
        assert_eq!(Reserve::of_start(&start), Reserve::default(), "it is exact");
        start.samples[1] = 48.into();
        let reserve = Reserve::of_start(&start);
        assert_eq!((reserve.ms, reserve.verify_runs), (28_000, 28));
        start.config.claim = ClaimMode::Never;
        assert_eq!(Reserve::of_start(&start), Reserve::default());
        let limits = Limits {
            time_limit_ms: Some(100_000),
            verify_runs: Some(20),
            reserve,
            ..Limits::default()
        };
        let why = |spent: u32, elapsed: u64| {
            let spent = Spent {
                verify_runs: spent,
                ..Spent::default()
            };
            let found = limits.find_reached(&spent, 0, elapsed, elapsed);
            found.map(|(_, why)| why)
        };
        assert_eq!(why(15, 79_999), None);
        let told = why(15, 80_000).unwrap();
        assert_eq!(
            told,
            "reached the time limit of 1m40s, less up to 28s for the claim at the end"
        );
        assert_eq!(why(16, 0).unwrap(), "16 of 20 runs of verify are used");
        let short = Limits {
            time_limit_ms: Some(10_000),
            ..limits
        };
        let found = |elapsed| short.find_reached(&Spent::default(), 0, elapsed, elapsed);
        assert!(found(7_999).is_none() && found(8_000).is_some());
        let moment = Limits {
            until_ms: Some(60_000),
            reserve,
            ..Limits::default()
        };
        let found = |now| moment.find_reached(&Spent::default(), 0, now, now);
        assert!(found(47_999).is_none() && found(48_000).is_some());
    }

    #[test]
    fn the_limit_of_trials_is_named_also_where_it_is_one() {
        let why = |iterations| {
            let limits = Limits {
                iterations: Some(iterations),
                ..Limits::default()
            };
            let found = limits.find_reached(&Spent::default(), iterations, 0, 0);
            found.unwrap().1
        };
        assert_eq!(why(1), "the only iteration is used");
        assert_eq!(why(2), "all 2 iterations are used");
    }

    #[test]
    fn a_run_without_a_limit_of_trials_never_comes_to_it() {
        let without = Limits::default();
        assert_eq!(
            without.find_reached(&Spent::default(), u32::MAX, 1, 1),
            None
        );
    }

    #[test]
    fn a_ceiling_is_lifted_by_a_higher_one_and_by_no_lower_and_no_first_one() {
        let now = Limits {
            iterations: Some(10),
            time_limit_ms: Some(1_000),
            ..Limits::default()
        };
        let lifted = |raise: Raise| now.list_lifted(&raise);
        assert_eq!(lifted(Raise::default()), []);
        let lower = Raise {
            iterations: Some(10),
            time_limit_ms: Some(999),
            tokens: Some(5),
            until_ms: Some(7),
            verify_runs: Some(1),
        };
        assert_eq!(lifted(lower), []);
        let higher = Raise {
            iterations: Some(11),
            time_limit_ms: Some(1_001),
            ..Raise::default()
        };
        assert_eq!(lifted(higher), [Ceiling::Iterations, Ceiling::TimeLimit]);
    }

    proptest::proptest! {
        #[test]
        fn a_ceiling_that_was_reached_stays_reached_until_it_is_raised(
            limit in 1_u32..20, used in 0_u32..40, more in 0_u32..20, raised in 0_u32..60,
        ) {
            let limits = Limits { iterations: Some(limit), ..Limits::default() };
            let reached = |limits: &Limits, used| limits.find_reached(&Spent::default(), used, 0, 0).is_some();
            proptest::prop_assert_eq!(reached(&limits, used), used >= limit);
            if reached(&limits, used) {
                proptest::prop_assert!(reached(&limits, used + more));
            }
            let raise = Raise { iterations: Some(raised), ..Raise::default() };
            proptest::prop_assert_eq!(limits.list_lifted(&raise) == [Ceiling::Iterations], raised > limit);
            let mut later = limits;
            later.apply_raise(&raise);
            proptest::prop_assert_eq!(reached(&later, used), used >= raised);
        }

        #[test]
        fn a_raise_that_names_nothing_changes_nothing(tokens in 1_u64..9, runs in 1_u32..9, until in 1_u64..9) {
            let limits = Limits {
                tokens: Some(tokens),
                verify_runs: Some(runs),
                until_ms: Some(until),
                ..Limits::default()
            };
            let mut later = limits;
            later.apply_raise(&Raise::default());
            proptest::prop_assert_eq!(later, limits);
            proptest::prop_assert!(limits.list_lifted(&Raise::default()).is_empty());
        }

        #[test]
        fn what_was_spent_is_the_sum_of_the_turns_and_a_thread_counts_its_own(
            turns in proptest::collection::vec((0..3_u8, 0_u64..1_000), 0..30),
        ) {
            let mut spent = Spent::default();
            for (thread, tokens) in &turns {
                spent.add_turn(turn(&format!("t{thread}"), *tokens));
            }
            proptest::prop_assert_eq!(spent.turns as usize, turns.len());
            proptest::prop_assert_eq!(spent.tokens, turns.iter().map(|(_, tokens)| tokens).sum::<u64>());
            let last = turns.last().map(|(thread, _)| *thread);
            let own = turns.iter().rev().take_while(|(thread, _)| Some(*thread) == last).count();
            proptest::prop_assert_eq!(spent.thread_turns as usize, own);
        }
    }
}
