//! Tries the program in many ways that a seed chooses: `cargo run -p autoresearch-tests --bin campaign -- --help`. It prints
//! one line of figures, and on standard error what these are made of.
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

mod asked;
mod batches;
mod belongings;
mod bench;
#[path = "../cheats/cases.rs"]
mod cases;
mod cheats;
mod crowd;
mod dice;
mod disk;
mod drift;
mod fuzz;
mod kills;
mod life;
mod night;
mod nights;
#[path = "../cheats/real.rs"]
mod real;
mod rounds;
mod small_disk;
#[path = "../sealed/world.rs"]
mod world;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use asked::Asked;

/// What a campaign came to.
pub(crate) struct Figures {
    pub line: String,
    /// Did every promise hold?
    pub held: bool,
}

/// The exit code of a usage error, as the program has it.
const USAGE: u8 = 2;
/// The exit code of a campaign that a person ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let name = std::env::args_os().next().map(PathBuf::from);
    if name.is_some_and(|name| name.file_name() == Some("git".as_ref())) {
        return fuzz::scene::run_as_git();
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = words.first().map_or("--help", String::as_str);
    let campaign: fn(&Asked) -> Figures = match word {
        "kills" => kills::try_kills,
        "disk" => disk::try_disks,
        "crowd" => crowd::try_crowd,
        "fuzz" => fuzz::try_inputs,
        "fuzz-worker" => return fuzz::run_worker(&words[1..]),
        "cheats" => cheats::try_cheats,
        "nights" => nights::try_nights,
        "drift" => drift::try_drifts,
        "batches" => batches::try_batches,
        "--help" | "-h" => return print(asked::HELP, ExitCode::SUCCESS),
        _ => return autoresearch::cli::main(&world::sealed()),
    };
    let rest = &words[1..];
    if rest.iter().any(|word| word == "--help" || word == "-h") {
        return print(asked::HELP, ExitCode::SUCCESS);
    }
    match Asked::read(word, rest) {
        Ok(asked) => run_campaign(campaign, &asked),
        Err(problem) => {
            rounds::say(&format!("error: {problem}\nhint: campaign --help"));
            ExitCode::from(USAGE)
        }
    }
}

fn run_campaign(campaign: fn(&Asked) -> Figures, asked: &Asked) -> ExitCode {
    rounds::take_interruptions();
    let figures = campaign(asked);
    let code = match (figures.held, rounds::is_interrupted()) {
        (false, _) => ExitCode::FAILURE,
        (true, true) => ExitCode::from(INTERRUPTED),
        (true, false) => ExitCode::SUCCESS,
    };
    print(&format!("{}\n", figures.line), code)
}

fn print(text: &str, code: ExitCode) -> ExitCode {
    match write!(std::io::stdout(), "{text}") {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}
