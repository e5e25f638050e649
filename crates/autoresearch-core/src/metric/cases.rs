//! Owns `Cases`: what single cases gave beside the metric, and how those of two trees differ.
//! Does not decide a trial: no verdict depends on a case.
//! Invariant: a case is called worse or better only where two trees differ by more than the runs of either did.

pub mod line;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::metric::definition::Direction;
use crate::metric::value::Value;
use crate::words::text::{clip_text, escape_text};

/// How many cases are named that got worse.
const MOST_NAMED: usize = 5;
/// How much of an id is shown to people.
const MAX_SHOWN: usize = 50;
/// A smaller chance is told as less than this one.
const LEAST_CHANCE: f64 = 0.0001;
/// Digits of a chance behind its first one.
const CHANCE_DIGITS: usize = 1;

/// What the cases of one tree gave, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cases {
    /// The mean over the runs that printed the case.
    values: BTreeMap<String, Value>,
    /// By how much runs of one tree differed; a case that repeated itself has none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    spreads: BTreeMap<String, Value>,
}

impl Cases {
    /// The cases of one run.
    #[must_use]
    pub fn of_run(values: BTreeMap<String, Value>) -> Self {
        Self {
            values,
            spreads: BTreeMap::new(),
        }
    }

    /// The cases of several runs of one tree. One that some runs did not print is that of the others.
    #[must_use]
    pub fn mean_of<'c>(runs: impl IntoIterator<Item = &'c Self>) -> Self {
        let mut gathered: BTreeMap<&String, Vec<Value>> = BTreeMap::new();
        let mut mean = Self::default();
        for run in runs {
            for (id, value) in &run.values {
                gathered.entry(id).or_default().push(value.clone());
            }
            mean.learn_spreads(run);
        }
        for (id, values) in gathered {
            let (Some(low), Some(high)) = (values.iter().min(), values.iter().max()) else {
                continue;
            };
            let middle = if low == high {
                Some(low.clone())
            } else {
                mean.widen_spread(id, &(high - low));
                Value::mean_of(&values)
            };
            mean.values.extend(middle.map(|value| (id.clone(), value)));
        }
        mean
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The sum of the cases, where each is 0 or 1.
    #[must_use]
    pub fn count_ones(&self) -> Option<usize> {
        let one = Value::from(1);
        let is_count = |value: &Value| *value == one || *value == Value::zero();
        let all = self.values.values().all(is_count);
        all.then(|| self.values.values().filter(|value| **value == one).count())
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Takes over how much other runs of these cases differed: what varied once may vary again.
    pub fn learn_spreads(&mut self, other: &Self) {
        for (id, spread) in &other.spreads {
            self.widen_spread(id, spread);
        }
    }

    /// Takes one more run of the same tree, which tells how far a run may be from these.
    pub fn meet_run(&mut self, run: &Self) {
        let far: Vec<(String, Value)> = run
            .values
            .iter()
            .filter_map(|(id, value)| {
                let far = (self.values.get(id)? - value).magnitude();
                (far > Value::zero()).then(|| (id.clone(), far))
            })
            .collect();
        for (id, far) in far {
            self.widen_spread(&id, &far);
        }
    }

    fn widen_spread(&mut self, id: &str, spread: &Value) {
        if self.spreads.get(id).is_none_or(|known| known < spread) {
            self.spreads.insert(id.to_owned(), spread.clone());
        }
    }

    /// Do two values of a case differ by more than its runs do?
    fn is_change(&self, other: &Self, id: &str, difference: &Value) -> bool {
        let within = |cases: &Self| {
            cases
                .spreads
                .get(id)
                .is_some_and(|spread| difference.magnitude() <= *spread)
        };
        *difference != Value::zero() && !within(self) && !within(other)
    }
}

/// How the cases of a trial differ from those of the kept state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseChanges {
    /// The cases of the kept state.
    pub compared: usize,
    pub better: usize,
    /// Those that got worse, the vanished ones included.
    pub worse: usize,
    /// Those that the trial did not print.
    pub vanished: usize,
    /// Those that only the trial printed.
    pub added: usize,
    /// At most five that got worse: the vanished ones first, then by how much.
    pub named: Vec<WorseCase>,
    /// The chance of so many better ones or more among those that changed, if better and worse were equally likely (the sign
    /// test, one-sided). Only where both trees printed the same cases and none of them varied between runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chance: Option<Value>,
}

/// A case that got worse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorseCase {
    pub case: String,
    pub before: Value,
    /// None of a case that vanished.
    pub after: Option<Value>,
}

impl WorseCase {
    /// How far it fell; nothing is further than vanishing.
    fn find_loss(&self) -> Option<Value> {
        Some((self.after.as_ref()? - &self.before).magnitude())
    }
}

impl CaseChanges {
    /// Compares two trees case by case; `None` where the first printed none.
    #[must_use]
    pub fn between(before: &Cases, after: &Cases, direction: Direction) -> Option<Self> {
        if before.is_empty() {
            return None;
        }
        let mut found = Self {
            compared: before.len(),
            ..Self::default()
        };
        let mut worse = Vec::new();
        for (id, old) in &before.values {
            let new = after.values.get(id);
            let rise = new.map(|new| new - old);
            let is_better = rise.as_ref().is_some_and(|rise| match direction {
                Direction::Lower => *rise < Value::zero(),
                Direction::Higher => *rise > Value::zero(),
            });
            if rise.is_some_and(|rise| !before.is_change(after, id, &rise)) {
                continue;
            }
            if is_better {
                found.better += 1;
                continue;
            }
            found.vanished += usize::from(new.is_none());
            worse.push(WorseCase {
                case: id.clone(),
                before: old.clone(),
                after: new.cloned(),
            });
        }
        found.worse = worse.len();
        let is_new = |id: &&String| !before.values.contains_key(*id);
        found.added = after.values.keys().filter(is_new).count();
        let is_steady = before.spreads.is_empty() && after.spreads.is_empty();
        if is_steady && found.vanished + found.added == 0 && found.better + found.worse > 0 {
            found.chance = Some(round_chance(find_sign_chance(found.better, found.worse)));
        }
        // Stable: cases that lost as much stay in the order of their ids.
        worse.sort_by(|one, other| match (one.find_loss(), other.find_loss()) {
            (Some(one), Some(other)) => other.cmp(&one),
            (one, other) => one.is_some().cmp(&other.is_some()),
        });
        worse.truncate(MOST_NAMED);
        found.named = worse;
        Some(found)
    }
}

/// The chance of at least so many better ones when each that changed is better or worse with equal chance: the exact sign test
/// (Dixon and Mood 1946), which for cases that pass or fail is the exact test of `McNemar` (1947).
#[must_use]
pub fn find_sign_chance(better: usize, worse: usize) -> f64 {
    let as_double = |count: usize| u32::try_from(count).map_or(f64::INFINITY, f64::from);
    let all = better + worse;
    // From all better downwards: each term is the one before times k / (n - k + 1).
    let mut term = (-as_double(all) * std::f64::consts::LN_2).exp();
    let mut chance = term;
    for count in (better + 1..=all).rev() {
        term *= as_double(count) / as_double(all - count + 1);
        chance += term;
    }
    chance.min(1.0)
}

/// With two digits that count.
fn round_chance(chance: f64) -> Value {
    let text = format!("{chance:.CHANCE_DIGITS$e}");
    text.parse().unwrap_or_else(|_| Value::zero())
}

impl fmt::Display for WorseCase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = clip_text(&escape_text(&self.case), MAX_SHOWN);
        match &self.after {
            Some(after) => write!(out, "{id} {} -> {after}", self.before),
            None => write!(out, "{id} {} -> gone", self.before),
        }
    }
}

impl fmt::Display for CaseChanges {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.worse {
            0 => write!(out, "none of {} worse", self.compared)?,
            worse => {
                let named: Vec<String> = self.named.iter().map(ToString::to_string).collect();
                write!(
                    out,
                    "{worse} of {} worse: {}",
                    self.compared,
                    named.join(", ")
                )?;
                if let more @ 1.. = worse.saturating_sub(named.len()) {
                    write!(out, " and {more} more")?;
                }
            }
        }
        write!(out, "; {} better", self.better)?;
        if self.added > 0 {
            write!(out, "; {} new", self.added)?;
        }
        match &self.chance {
            Some(chance) if self.better > self.worse && chance.to_double() < LEAST_CHANCE => {
                write!(out, "; sign test p < {LEAST_CHANCE}")
            }
            Some(chance) if self.better > self.worse => write!(out, "; sign test p = {chance}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
