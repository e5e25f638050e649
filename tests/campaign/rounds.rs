//! Owns the rounds of a campaign: how many, what was broken in which, and how they end early.
//! Does not know what a round tries.
//! Invariant: each round is tried with dice of its own, so that it can be tried again alone.

use std::any::Any;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use super::asked::Asked;
use super::dice::Dice;

/// A person has asked for the end.
static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// What unwinds a round that a person ended.
struct Interrupted;

/// Takes Ctrl-C from here on.
pub(crate) fn take_interruptions() {
    let flag = INTERRUPTED.get_or_init(Arc::default);
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let _ = signal_hook::flag::register(signal, Arc::clone(flag));
    }
}

pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED
        .get()
        .is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// Ends the round if a person asked for it. What the round has made goes as it unwinds.
pub(crate) fn end_if_interrupted() {
    if is_interrupted() && !std::thread::panicking() {
        resume_unwind(Box::new(Interrupted));
    }
}

/// What the rounds came to.
#[derive(Default)]
pub(crate) struct Tried {
    pub rounds: u64,
    pub broken: u64,
}

impl Tried {
    /// `seed 1: 100 rounds, 3 broken`.
    pub(crate) fn opening(&self, asked: &Asked) -> String {
        let broken = match self.broken {
            0 => "nothing broken".to_owned(),
            some => format!("{some} BROKEN"),
        };
        format!(
            "{}, seed {}: {} rounds, {broken}",
            asked.word, asked.seed, self.rounds
        )
    }
}

/// Tries rounds until they are all tried, or the time is over. A round that panics has found something.
pub(crate) fn try_rounds(
    asked: &Asked,
    every: u64,
    mut try_round: impl FnMut(u64, &mut Dice),
) -> Tried {
    let begun = Instant::now();
    note_places();
    let mut tried = Tried::default();
    let numbers = match asked.only {
        Some(round) => round..=round,
        None => 1..=asked.rounds,
    };
    for round in numbers {
        if begun.elapsed() >= asked.time() || is_interrupted() {
            break;
        }
        let mut dice = Dice::of_round(asked.seed, round);
        let ended = catch_unwind(AssertUnwindSafe(|| try_round(round, &mut dice)));
        match ended {
            Err(thrown) if thrown.is::<Interrupted>() => break,
            Err(thrown) => {
                tried.broken += 1;
                say_broken(asked, round, &read_thrown(thrown.as_ref()));
            }
            Ok(()) => {}
        }
        tried.rounds += 1;
        if round.is_multiple_of(every) {
            say(&format!(
                "{}: round {round}, {} broken, {} s",
                asked.word,
                tried.broken,
                begun.elapsed().as_secs()
            ));
        }
    }
    tried
}

/// Where in the campaign the last round was given up.
static PLACE: Mutex<String> = Mutex::new(String::new());

fn lock_place() -> MutexGuard<'static, String> {
    PLACE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From here on a panic says nothing, and where it was is kept.
pub(crate) fn note_places() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        *lock_place() = place.unwrap_or_default();
    }));
}

/// What a panic said, and where.
pub(crate) fn read_thrown(thrown: &(dyn Any + Send)) -> String {
    let text = thrown
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| thrown.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap_or_default();
    format!("{}: {text}", lock_place())
}

/// Says what was broken, and how to try it again.
pub(crate) fn say_broken(asked: &Asked, round: u64, what: &str) {
    let (word, seed) = (&asked.word, asked.seed);
    say(&format!(
        "BROKEN: {word}, seed {seed}, round {round}, {what}\n  again: campaign {word} --seed {seed} --only {round}"
    ));
}

/// Says something to whoever watches.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
