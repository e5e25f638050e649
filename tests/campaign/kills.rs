//! Owns the campaign of kills: who is killed in which command, and when.
//! Does not judge: `life` knows what must be true afterwards.
//! Invariant: a kill counts only when it hit a command that had not ended.

use std::collections::BTreeMap;
use std::time::Duration;

use rustix::process::Signal;

use super::Figures;
use super::asked::Asked;
use super::bench::{Bench, Started, make_folder};
use super::dice::Dice;
use super::life::{Act, Life, Pace};
use super::rounds;

/// Kills in one round.
const KILLS: u64 = 10;

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Victims {
    /// The tool alone: what it started goes on for a while.
    Tool,
    /// The tool and what is in its process group, as a closed terminal does.
    Group,
    /// The tool and everything that it started, as a loss of power does.
    Tree,
    /// A git that it started.
    Git,
    /// Any one process that it started.
    One,
    /// The tool, before a step of the journal's protocol.
    Step,
}

const ALL: [Victims; 6] = [
    Victims::Tool,
    Victims::Group,
    Victims::Tree,
    Victims::Git,
    Victims::One,
    Victims::Step,
];

impl Victims {
    fn word(self) -> &'static str {
        match self {
            Self::Tool => "one process",
            Self::Group => "its group",
            Self::Tree => "the tree",
            Self::Git => "git alone",
            Self::One => "any process",
            Self::Step => "before a step",
        }
    }
}

/// Kills in small runs, until the rounds are over.
pub(crate) fn try_kills(asked: &Asked) -> Figures {
    let mut pace = Pace::default();
    let mut hits: BTreeMap<Victims, u64> = BTreeMap::new();
    let mut missed = 0;
    let tried = rounds::try_rounds(asked, 1, |round, dice| {
        let bench = Bench::new(make_folder(), Bench::side_by_side);
        let mut life = Life::begin(bench, dice);
        for kill in 1..=KILLS {
            let case = format!("kill {kill} of round {round}");
            match harm_once(&mut life, dice, &mut pace, &case) {
                Some(victims) => *hits.entry(victims).or_default() += 1,
                None => missed += 1,
            }
            if dice.chance(20) {
                let act = life.choose_act(dice);
                life.do_unharmed(act, &case);
            }
        }
        life.end();
    });
    let shares: Vec<String> = ALL
        .iter()
        .map(|victims| {
            format!(
                "{} {}",
                hits.get(victims).copied().unwrap_or(0),
                victims.word()
            )
        })
        .collect();
    Figures {
        line: format!(
            "{}; {} kills ({}), {missed} came too late",
            tried.opening(asked),
            hits.values().sum::<u64>(),
            shares.join(", ")
        ),
        held: tried.broken == 0,
    }
}

/// One command that is killed, perhaps the next one as well, and the look at what is left; who was hit.
fn harm_once(life: &mut Life, dice: &mut Dice, pace: &mut Pace, case: &str) -> Option<Victims> {
    let act = life.choose_act(dice);
    let victims = dice.pick(&ALL);
    let case = format!("{case}: {act:?}, {victims:?}");
    let words = life.prepare(act);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let hit = kill_command(life, act, &words, (victims, dice, pace));
    if hit && dice.chance(30) {
        let again = dice.pick(&ALL);
        kill_command(life, Act::Resume, &["resume"], (again, dice, pace));
    }
    let next = dice.pick::<&[&str]>(&[
        &[],
        &["status"],
        &["doctor", "--repair"],
        &["doctor"],
        &["log"],
        &["stop"],
        &["trial", "-m", "after the kill"],
    ]);
    life.converge(
        act,
        next,
        &format!("{case}, {}", if hit { "hit" } else { "missed" }),
    );
    hit.then_some(victims)
}

/// Starts a command and kills at some moment; was it in time?
fn kill_command(
    life: &mut Life,
    act: Act,
    words: &[&str],
    (victims, dice, pace): (Victims, &mut Dice, &mut Pace),
) -> bool {
    let mut command = life.bench.tool(words);
    if victims == Victims::Step {
        command.env("SEALED_CRASH_AT", (1 + dice.below(20)).to_string());
    }
    let usual = pace.of(act).as_micros();
    let within = u64::try_from(usual).unwrap_or(u64::MAX).max(1);
    let moment = Duration::from_micros(dice.below(within));
    let share = dice.below(1 << 20);
    let mut started = life.bench.started(command);
    let hit = match victims {
        Victims::Step => false,
        _ => started.outlasts(moment) && kill_now(&life.bench, &mut started, victims, share),
    };
    let age = started.age();
    let said = started.finish();
    if victims == Victims::Step {
        return said.code == -1;
    }
    if !hit {
        let may_refuse = [Act::Retry, Act::Resume].contains(&act);
        let is_fine = said.code == 0 || may_refuse && said.code < 64;
        assert!(is_fine, "{words:?}, which nobody killed: {said:?}");
        pace.learn(act, age.max(pace.of(act) / 2));
    }
    if said.code != -1 {
        assert!(said.code < 64, "{words:?} met an internal error: {said:?}");
        life.note_answer(act, &said);
    }
    hit
}

/// Kills; false where nobody was there any more.
fn kill_now(bench: &Bench, started: &mut Started<'_>, victims: Victims, share: u64) -> bool {
    let tool = started.pid();
    let kill = |pid| rustix::process::kill_process(pid, Signal::KILL).is_ok();
    match victims {
        Victims::Tool | Victims::Step => kill(tool),
        Victims::Group => rustix::process::kill_process_group(tool, Signal::KILL).is_ok(),
        Victims::Tree => {
            let _ = rustix::process::kill_process(tool, Signal::STOP);
            bench.kill_all();
            true
        }
        Victims::Git | Victims::One => loop {
            let mut found = bench.processes();
            found.retain(|(pid, name)| *pid != tool && (victims == Victims::One || name == "git"));
            if !found.is_empty() {
                let index = usize::try_from(share).unwrap_or(0) % found.len();
                break kill(found[index].0);
            }
            if started.has_ended() {
                break false;
            }
        },
    }
}
