//! Owns the flags for the ceilings of a run without a person.
//! Does not enforce them; the run's state does.
//! Invariant: what is not given stays as it is.

use autoresearch_core::config::TimeOfDay;
use autoresearch_core::event::Raise;
use autoresearch_core::span;
use clap::Args;

use crate::env::World;
use crate::error::{Failure, Result};

/// Ceilings that a person sets or raises.
#[derive(Args, Debug)]
pub struct Ceilings {
    /// The most trials, all in all
    #[arg(long, value_name = "N")]
    pub iterations: Option<u32>,
    /// The most time since the start, such as 8h
    #[arg(long, value_name = "SPAN")]
    pub time_limit: Option<String>,
    /// The most tokens, all in all
    #[arg(long, value_name = "N")]
    pub tokens: Option<u64>,
    /// The most runs of verify in trials, all in all
    #[arg(long, value_name = "N")]
    pub verify_runs: Option<u32>,
    /// The next time of the day to end at, such as 07:00
    #[arg(long, value_name = "HH:MM")]
    pub until: Option<String>,
}

impl Ceilings {
    /// What they raise.
    pub fn raise(&self, world: &World) -> Result<Raise> {
        let time_limit = self.time_limit.as_ref().map(|text| {
            span::parse(text).map_err(|error| {
                Failure::usage(format!("--time-limit: {error}")).hint("write it like `90m` or `8h`")
            })
        });
        let until = self.until.as_ref().map(|text| {
            TimeOfDay::parse(text).ok_or_else(|| {
                Failure::usage(format!("--until: `{text}` is no time of the day"))
                    .hint("write hours and minutes, such as `07:00`")
            })
        });
        Ok(Raise {
            iterations: self.iterations,
            time_limit_ms: time_limit.transpose()?.map(span::whole_millis),
            tokens: self.tokens,
            verify_runs: self.verify_runs,
            until_ms: until.transpose()?.map(|time| world.next_ms(time)),
        })
    }
}
