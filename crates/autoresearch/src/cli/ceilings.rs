//! Owns the flags for the ceilings of a run without a person.
//! Does not enforce them; the run's state does.
//! Invariant: what is not given stays as it is.

use autoresearch_core::config::TimeOfDay;
use autoresearch_core::config::span;
use autoresearch_core::journal::event::Raise;
use clap::Args;
use std::str::FromStr;

use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};

/// Ceilings that a person sets or raises.
#[derive(Args, Debug)]
pub(super) struct Ceilings {
    /// The most trials in total; `none` only at start, if something else ends the run
    #[arg(long, value_name = "N")]
    pub iterations: Option<TrialCount>,
    /// The most time since the start, such as 8h
    #[arg(long, value_name = "SPAN")]
    pub time_limit: Option<String>,
    /// The most tokens in total
    #[arg(long, value_name = "N")]
    pub tokens: Option<u64>,
    /// The most runs of verify in trials, in total
    #[arg(long, value_name = "N")]
    pub verify_runs: Option<u32>,
    /// End at this time of day, such as 07:00
    #[arg(long, value_name = "HH:MM")]
    pub until: Option<String>,
}

/// A number of trials on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TrialCount {
    /// This many.
    Most(u32),
    /// As many as come.
    Unlimited,
}

impl FromStr for TrialCount {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if text == "none" {
            return Ok(Self::Unlimited);
        }
        let number = text.parse().ok().filter(|number| *number > 0);
        number
            .map(Self::Most)
            .ok_or_else(|| "write a number of trials, such as 50, or `none`".to_owned())
    }
}

impl TrialCount {
    /// As the config has it.
    pub(super) fn to_json(self) -> serde_json::Value {
        match self {
            Self::Most(number) => number.into(),
            Self::Unlimited => "none".into(),
        }
    }
}

impl Ceilings {
    /// What they raise.
    pub(super) fn to_raise(&self, world: &World) -> Result<Raise> {
        let time_limit = self.time_limit.as_ref().map(|text| {
            span::parse_span(text).map_err(|error| {
                Failure::usage(format!("--time-limit: {error}")).hint("write it like `90m` or `8h`")
            })
        });
        let until = self.until.as_ref().map(|text| {
            TimeOfDay::parse(text).ok_or_else(|| {
                Failure::usage(format!("--until: `{text}` is not a time of day"))
                    .hint("write hours and minutes, such as `07:00`")
            })
        });
        let iterations = match self.iterations {
            Some(TrialCount::Unlimited) => {
                return Err(Failure::usage(
                    "--iterations: a run has a number of trials from its start on",
                )
                .hint("write a number; `iterations: none` is for the config of a new run"));
            }
            Some(TrialCount::Most(number)) => Some(number),
            None => None,
        };
        Ok(Raise {
            iterations,
            time_limit_ms: time_limit.transpose()?.map(span::whole_millis),
            tokens: self.tokens,
            verify_runs: self.verify_runs,
            until_ms: until
                .transpose()?
                .map(|time| world.next_time_of_day_ms(time)),
        })
    }
}

#[cfg(test)]
mod tests;
