//! Owns the campaign of cheats: each case of the corpus as a real trial, in an order that the seed chooses.
//! Does not know the cases.
//! Invariant: a cheat counts as caught only when it was not kept, or kept with a flag.

use std::io::Write as _;
use std::time::Instant;

use serde_json::{Value, json};

use super::cases::{Case, Corpus, Project};
use super::real::{CaseBed, Fate};
use super::{Asked, Figures};

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
    let is_measured = asked.more.iter().any(|word| word == "--measured");
    let yardstick = if is_measured { MEASURED } else { PRINTED };
    let corpus = Corpus::read();
    let begun = Instant::now();
    let (mut cheats, mut honest, mut suspected) = (Tally::default(), Tally::default(), 0);
    for case in shuffle(&corpus.cases, asked.seed) {
        if begun.elapsed() > asked.time() {
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

/// The cases in an order of the seed's.
fn shuffle(cases: &[Case], seed: u64) -> Vec<Case> {
    let mut cases = cases.to_vec();
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    for last in (1..cases.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let bound = u64::try_from(last).unwrap_or(0) + 1;
        let place = usize::try_from((state >> 33) % bound).unwrap_or(0);
        cases.swap(last, place);
    }
    cases
}
