//! Owns the ceilings of a run and what it has used up, in trials, time, tokens and runs of verify.
//! Does not end the run; the state does, with what is found here.
//! Invariant: a ceiling is reached at its number, not above it, and only a person raises one.

use serde::{Deserialize, Serialize};

use crate::event::{End, Ending, Raise, Start, Turn};

/// What a run has used up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Turns of the agent in runs without a person.
    pub turns: u32,
    /// Tokens of these turns.
    pub tokens: u64,
    /// Runs of verify in trials.
    pub verify_runs: u32,
    /// The agent's thread, while it is to be gone on with.
    pub thread: Option<String>,
    /// Turns in that thread.
    pub thread_turns: u32,
    /// Tokens in that thread.
    pub thread_tokens: u64,
}

/// The ceilings of a run: those of the config, until a person raises them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Trials.
    pub iterations: u32,
    /// Time since the start, in milliseconds.
    pub time_limit_ms: Option<u64>,
    /// Tokens.
    pub tokens: Option<u64>,
    /// Runs of verify.
    pub verify_runs: Option<u32>,
    /// A moment, in milliseconds since 1970.
    pub until_ms: Option<u64>,
}

impl Limits {
    /// Those of a run at its start.
    #[must_use]
    pub fn of(start: &Start) -> Self {
        let config = &start.config;
        Self {
            iterations: config.iterations,
            time_limit_ms: config
                .time_limit
                .map(|limit| crate::span::whole_millis(limit.span)),
            tokens: config.budget.tokens,
            verify_runs: config.budget.verify_runs,
            until_ms: start.until_ms,
        }
    }

    /// What a person changes.
    pub fn raise(&mut self, raise: &Raise) {
        self.iterations = raise.iterations.unwrap_or(self.iterations);
        self.time_limit_ms = raise.time_limit_ms.or(self.time_limit_ms);
        self.tokens = raise.tokens.or(self.tokens);
        self.verify_runs = raise.verify_runs.or(self.verify_runs);
        self.until_ms = raise.until_ms.or(self.until_ms);
    }

    /// The ceiling that a run has come to: after so many trials, so much time since its start, and at this moment, both in
    /// milliseconds (the moment since 1970).
    #[must_use]
    pub fn reached(
        &self,
        spent: &Spent,
        iterations: u32,
        elapsed_ms: u64,
        now_ms: u64,
    ) -> Option<Ending> {
        let ending = |end, why: String| Some(Ending { end, why });
        if iterations >= self.iterations {
            let why = format!("all {} iterations are used", self.iterations);
            return ending(End::IterationCap, why);
        }
        if let Some(limit) = self.time_limit_ms.filter(|limit| elapsed_ms >= *limit) {
            let limit = crate::span::show(std::time::Duration::from_millis(limit));
            return ending(End::TimeLimit, format!("{limit} have passed"));
        }
        if self.until_ms.is_some_and(|until| now_ms >= until) {
            return ending(End::TimeLimit, "the time of the day has come".to_owned());
        }
        if let Some(limit) = self.tokens.filter(|limit| spent.tokens >= *limit) {
            let why = format!("{} of {limit} tokens are used", spent.tokens);
            return ending(End::Budget, why);
        }
        if let Some(limit) = self.verify_runs.filter(|limit| spent.verify_runs >= *limit) {
            let why = format!("{} of {limit} runs of verify are used", spent.verify_runs);
            return ending(End::Budget, why);
        }
        None
    }
}

impl Spent {
    /// Adds a turn.
    pub fn turn(&mut self, turn: Turn) {
        self.turns += 1;
        self.tokens += turn.tokens;
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
        }
    }

    #[test]
    fn a_fresh_thread_counts_anew_and_the_run_counts_on() {
        let mut spent = Spent::default();
        for (thread, tokens) in [("a", 5), ("a", 6), ("b", 7)] {
            spent.turn(turn(thread, tokens));
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
            iterations: 3,
            ..Limits::default()
        };
        let end = |limits: Limits| {
            let found = limits.reached(&spent, 2, 1_000, 5_000);
            found.map(|ending| ending.end)
        };
        assert_eq!(end(free), None);
        let cases = [
            (
                Limits {
                    iterations: 2,
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
}
