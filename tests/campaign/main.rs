//! Tries the program in many ways that a seed chooses: `cargo run -p autoresearch-tests --bin campaign -- cheats [--measured]
//! --seed N --minutes M`. It prints one line of figures, and on standard error what these are made of.
//!
//! By any other words it is the program under test, so that nothing else has to be built.

#![expect(
    clippy::unwrap_used,
    reason = "a campaign whose own bench fails has no figures"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "a campaign calls the program from outside, as a test does"
)]

#[path = "../cheats/cases.rs"]
mod cases;
mod cheats;
#[path = "../cheats/real.rs"]
mod real;
#[path = "../sealed/world.rs"]
mod world;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

/// How a campaign was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub seed: u64,
    pub minutes: u64,
    /// What follows the word and is none of these.
    pub more: Vec<String>,
}

impl Asked {
    pub(crate) fn time(&self) -> Duration {
        Duration::from_mins(self.minutes)
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let figures = match words.split_first() {
        Some((word, rest)) if word == "cheats" => cheats::try_cheats(&read_words(rest)),
        _ => return autoresearch::cli::main(&world::sealed()),
    };
    let written = writeln!(std::io::stdout(), "{}", figures.line);
    if figures.held && written.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What a campaign came to.
pub(crate) struct Figures {
    pub line: String,
    /// Did every promise hold?
    pub held: bool,
}

fn read_words(words: &[String]) -> Asked {
    let mut asked = Asked {
        seed: 1,
        minutes: 60,
        more: Vec::new(),
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|text| text.parse().ok());
        match word.as_str() {
            "--seed" => asked.seed = number().unwrap_or(asked.seed),
            "--minutes" => asked.minutes = number().unwrap_or(asked.minutes),
            more => asked.more.push(more.to_owned()),
        }
    }
    asked
}
