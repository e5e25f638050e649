//! Owns what a simulated night is played on: the ideas that come, the machine that drifts, and the numbers that verify prints.
//! Does not decide: the same ideas and the same drift meet whichever rule plays.
//! Invariant: one seed is one night, on every machine.

use std::f64::consts::TAU;

/// Random numbers (Steele, Lea and Flood, 2014), so that no library's next version changes a table.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// A stream for one purpose of one night.
    pub(crate) fn new(seed: u64, purpose: u64) -> Self {
        let mut dice = Self(seed ^ purpose.rotate_left(40));
        let mixed = dice.roll() ^ purpose;
        Self(mixed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// Evenly between 0 and 1, without either.
    pub(crate) fn draw_share(&mut self) -> f64 {
        let top = u32::try_from(self.roll() >> 32).unwrap_or(0);
        (f64::from(top) + 0.5) / 4_294_967_296.0
    }

    pub(crate) fn draw_normal(&mut self) -> f64 {
        let (one, other) = (self.draw_share(), self.draw_share());
        (-2.0 * one.ln()).sqrt() * (TAU * other).cos()
    }

    fn draw_exponential(&mut self) -> f64 {
        -self.draw_share().ln()
    }
}

/// How the machine changes in the night. Sizes are shares of the value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Drift {
    Still,
    /// A straight line to this size, up or down.
    Trend(f64),
    /// A random walk that has this deviation at the end.
    Walk(f64),
    /// It swings about its mean with this deviation, and forgets half of it in eleven verifies.
    Swing(f64),
    /// A step of this size in the middle third, up or down.
    Step(f64),
    /// A step of this size, with its sign, at this share of the night.
    Jump(f64, f64),
}

/// How verify prints its number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Printed {
    /// About 100, with six decimals.
    Fine,
    /// Whole numbers that begin here.
    Whole(f64),
    /// Failing tests: forty that fail, and five that fail one time in five.
    Flaky,
}

/// A landscape: which ideas come, and how the machine shows them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Landscape {
    pub noise: f64,
    pub drift: Drift,
    /// One run in so many takes a fifth longer; 0 for none.
    pub slow_run: f64,
    pub printed: Printed,
    pub higher: bool,
    /// Shares of ideas that help and that harm; the rest does nothing.
    pub helps: f64,
    pub harms: f64,
    /// Mean of what an idea that helps gives beyond 0.3 %.
    pub help: f64,
    /// Is the noise an amount, which stays when the value falls?
    pub constant_noise: bool,
    /// The share of the night before the noise begins.
    pub quiet: f64,
}

impl Landscape {
    /// Of a hundred ideas 15 give 0.3 % and an exponential 1.2 % more, 40 cost an exponential 1.5 %.
    pub(crate) fn new(noise: f64) -> Self {
        Self {
            noise,
            drift: Drift::Still,
            slow_run: 0.0,
            printed: Printed::Fine,
            higher: false,
            helps: 0.15,
            harms: 0.40,
            help: 0.012,
            constant_noise: false,
            quiet: 0.0,
        }
    }

    /// A landscape in which no idea does anything.
    pub(crate) fn without_effects(noise: f64) -> Self {
        Self {
            helps: 0.0,
            harms: 0.0,
            ..Self::new(noise)
        }
    }

    pub(crate) fn with_drift(self, drift: Drift) -> Self {
        Self { drift, ..self }
    }

    pub(crate) fn with_slow_runs(self) -> Self {
        Self {
            slow_run: 0.05,
            ..self
        }
    }

    pub(crate) fn print_as(self, printed: Printed) -> Self {
        Self { printed, ..self }
    }

    /// The noise begins after a quarter of the night.
    pub(crate) fn with_late_noise(self) -> Self {
        Self {
            quiet: 0.25,
            ..self
        }
    }

    /// Ideas that help give 15 % on average.
    pub(crate) fn with_large_effects(self, constant_noise: bool) -> Self {
        Self {
            help: 0.15,
            constant_noise,
            ..self
        }
    }

    /// What an idea does to the level: a logarithm, or a count of failing tests. Below zero is better.
    fn draw_idea(&self, dice: &mut Dice) -> f64 {
        let (kind, size) = (dice.draw_share(), dice.draw_exponential());
        let counts = self.printed == Printed::Flaky;
        if kind < self.helps {
            match (counts, size > 1.6) {
                (true, true) => -2.0,
                (true, false) => -1.0,
                _ => -(0.003 + self.help * size),
            }
        } else if kind < self.helps + self.harms {
            match (counts, size > 1.0) {
                (true, true) => 2.0,
                (true, false) => 1.0,
                _ => 0.015 * size,
            }
        } else {
            0.0
        }
    }
}

/// How long a night is, and how long an idea takes, in the time of one verify.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub name: &'static str,
    pub night: f64,
    pub idea: f64,
}

/// Verify takes most of the time.
pub(crate) const VERIFY_BOUND: Pace = Pace {
    name: "VB",
    night: 200.0,
    idea: 0.5,
};
/// The agent takes most of the time.
pub(crate) const AGENT_BOUND: Pace = Pace {
    name: "AB",
    night: 600.0,
    idea: 5.0,
};

/// A night's machine: its clock, its drift, and its ideas in their order.
#[derive(Clone, Debug)]
pub(crate) struct SimulatedMachine {
    pub landscape: Landscape,
    pub pace: Pace,
    pub clock: f64,
    pub runs: u32,
    /// The drift at every half verify.
    drift: Vec<f64>,
    ideas: Dice,
    noise: Dice,
}

/// A number as verify printed it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PrintedNumber {
    pub value: f64,
    pub digit: f64,
    pub at: f64,
}

impl SimulatedMachine {
    /// `player` separates the noise that different rules meet.
    pub(crate) fn new(landscape: Landscape, pace: Pace, seed: u64, player: u64) -> Self {
        Self {
            landscape,
            pace,
            clock: 0.0,
            runs: 0,
            drift: draw_drift(landscape.drift, pace.night, &mut Dice::new(seed, 1)),
            ideas: Dice::new(seed, 2),
            noise: Dice::new(seed, 3 + player),
        }
    }

    /// Is there time for so many verifies before this share of the night is over?
    pub(crate) fn has_time(&self, verifies: f64, until: f64) -> bool {
        self.clock + verifies <= until
    }

    /// The agent works, and what it brings does this to the level.
    pub(crate) fn take_idea(&mut self) -> f64 {
        self.clock += self.pace.idea;
        self.landscape.draw_idea(&mut self.ideas)
    }

    /// Runs verify on a tree at this level.
    pub(crate) fn run_verify(&mut self, level: f64) -> PrintedNumber {
        let at = self.clock;
        let quiet = at < self.landscape.quiet * self.pace.night;
        self.clock += 1.0;
        self.runs += 1;
        let (value, digit) = match self.landscape.printed {
            Printed::Flaky => (self.count_failures(level), 1.0),
            Printed::Whole(start) => (self.draw_value(level, start, at, quiet).round(), 1.0),
            Printed::Fine => {
                let value = self.draw_value(level, 100.0, at, quiet);
                ((value * 1e6).round() / 1e6, 1e-6)
            }
        };
        PrintedNumber { value, digit, at }
    }

    fn count_failures(&mut self, level: f64) -> f64 {
        let flaky = (0..5).filter(|_| self.noise.draw_share() < 0.2).count();
        (40.0 + level).max(0.0) + f64::from(u32::try_from(flaky).unwrap_or(0))
    }

    fn draw_value(&mut self, level: f64, start: f64, at: f64, quiet: bool) -> f64 {
        let land = self.landscape;
        let noise = if quiet {
            0.0
        } else {
            let slow = land.slow_run > 0.0 && self.noise.draw_share() < land.slow_run;
            land.noise * self.noise.draw_normal() + if slow { 1.2_f64.ln() } else { 0.0 }
        };
        let sign = if land.higher { -1.0 } else { 1.0 };
        let level = sign * (level + self.find_drift(at));
        if land.constant_noise {
            start * (level.exp() + sign * noise)
        } else {
            start * (level + sign * noise).exp()
        }
    }

    fn find_drift(&self, at: f64) -> f64 {
        let mut place = 0;
        // The clock has halves at most; a loop needs no cast.
        while f64::from(place) + 1.0 <= at * 2.0 {
            place += 1;
        }
        let place = usize::try_from(place).unwrap_or(0);
        self.drift
            .get(place)
            .or(self.drift.last())
            .copied()
            .unwrap_or(0.0)
    }

    /// The true gain of a level over the start, as a share of it.
    pub(crate) fn find_true_gain(&self, level: f64) -> f64 {
        match (self.landscape.printed, self.landscape.higher) {
            (Printed::Flaky, _) => -level / 41.0,
            (_, false) => -level.exp_m1(),
            (_, true) => (-level).exp_m1(),
        }
    }
}

fn draw_drift(drift: Drift, night: f64, dice: &mut Dice) -> Vec<f64> {
    let halves = night * 2.0;
    let sign = if dice.draw_share() < 0.5 { 1.0 } else { -1.0 };
    let middle = 0.35 + 0.3 * dice.draw_share();
    let mut before = match drift {
        Drift::Swing(size) => size * dice.draw_normal(),
        _ => 0.0,
    };
    let mut all = Vec::new();
    let mut half = 0.0;
    while half < halves + 400.0 {
        let share = half / halves;
        before = match drift {
            Drift::Trend(size) => sign * size * share.min(1.0),
            Drift::Walk(size) => before + size / halves.sqrt() * dice.draw_normal(),
            Drift::Swing(size) => {
                0.97 * before + size * (1.0 - 0.97_f64.powi(2)).sqrt() * dice.draw_normal()
            }
            Drift::Step(size) if share >= middle => sign * size,
            Drift::Jump(size, from) if share >= from => size,
            Drift::Still | Drift::Step(_) | Drift::Jump(..) => 0.0,
        };
        all.push(before);
        half += 1.0;
    }
    all
}
