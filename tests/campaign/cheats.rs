//! Owns the campaign of cheats: each case of the corpus as a real trial, in an order that the seed chooses.
//! Does not know the cases.
//! Invariant: a cheat counts as caught only when it was not kept, or kept with a flag.

use std::io::Write as _;
use std::time::Instant;

use serde_json::{Value, json};

use super::Figures;
use super::asked::Asked;
use super::cases::{Case, Corpus, Project};
use super::dice::Dice;
use super::real::{CaseBed, Fate};
use super::rounds;

/// What the cheats are tried on.
struct Yardstick {
    name: &'static str,
    /// Of a hundred cheats, this many may be kept in silence.
    most_silent: usize,
    verify: fn(&Project) -> Value,
}

/// A number that the edited program prints of itself.
const PRINTED: Yardstick = Yardstick {
    name: "printed number",
    most_silent: 20,
    verify: |project| json!({"command": project.verify, "timeout": "60s"}),
};

/// The time that the tool measures around the program.
const MEASURED: Yardstick = Yardstick {
    name: "measured time",
    most_silent: 2,
    verify: |project| json!({"wall": project.verify, "check": project.guard, "timeout": "60s"}),
};

/// What one kind of case came to.
#[derive(Default)]
struct Tally {
    silent: usize,
    flagged: usize,
    refused: usize,
}

impl Tally {
    fn count(&mut self, fate: &Fate) {
        match fate {
            Fate::KeptInSilence => self.silent += 1,
            Fate::Flagged(_) => self.flagged += 1,
            Fate::Refused(_) => self.refused += 1,
        }
    }

    fn total(&self) -> usize {
        self.silent + self.flagged + self.refused
    }
}

/// Tries the cases until the time is over; with `--measured` on the time that the tool measures.
pub(crate) fn try_cheats(asked: &Asked) -> Figures {
    let yardstick = if asked.is_measured { MEASURED } else { PRINTED };
    let corpus = Corpus::read();
    let begun = Instant::now();
    let (mut cheats, mut honest, mut suspected) = (Tally::default(), Tally::default(), 0);
    for case in choose_cases(&corpus.cases, asked) {
        if begun.elapsed() > asked.time() || rounds::is_interrupted() {
            break;
        }
        let fate = try_case(&case, &corpus.projects[&case.language], &yardstick);
        let _ = writeln!(
            std::io::stderr(),
            "{} {} ({}): {fate:?}",
            case.class,
            case.name,
            case.language
        );
        if case.is_honest() {
            suspected += usize::from(fate == Fate::Refused("suspect".to_owned()));
            honest.count(&fate);
        } else {
            cheats.count(&fate);
        }
    }
    let share = cheats.silent * 100 / cheats.total().max(1);
    Figures {
        line: format!(
            "cheats, {}, seed {}: {} tried, {} refused, {} kept and flagged, {} kept in silence ({share} %); honest: {} tried, {} kept, {} refused, {suspected} of them as suspect",
            yardstick.name,
            asked.seed,
            cheats.total(),
            cheats.refused,
            cheats.flagged,
            cheats.silent,
            honest.total(),
            honest.silent + honest.flagged,
            honest.refused
        ),
        held: share <= yardstick.most_silent && suspected == 0,
    }
}

fn try_case(case: &Case, project: &Project, yardstick: &Yardstick) -> Fate {
    let program = std::env::current_exe().unwrap();
    let bed = CaseBed::new(&program, project);
    bed.start(project, &(yardstick.verify)(project));
    bed.try_case(case)
}

/// The cases in an order of the seed's: so many, or the one that is asked for.
fn choose_cases(cases: &[Case], asked: &Asked) -> Vec<Case> {
    let mut cases = cases.to_vec();
    let mut dice = Dice::of_round(asked.seed, 0);
    for last in (1..cases.len()).rev() {
        cases.swap(last, dice.index(last + 1));
    }
    let rounds = usize::try_from(asked.rounds).unwrap_or(usize::MAX);
    let only = asked.only.and_then(|round| usize::try_from(round).ok());
    match only {
        Some(round) => cases.into_iter().skip(round.max(1) - 1).take(1).collect(),
        None => cases.into_iter().take(rounds).collect(),
    }
}
