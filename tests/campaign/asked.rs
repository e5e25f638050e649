//! Owns how a campaign is asked for: its words, and the help that teaches them.
//! Does not run one.
//! Invariant: a word that means nothing is refused, so that no figures belong to another campaign than the one asked for.

use std::time::Duration;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Tries the program in many ways that a seed chooses, and prints one line of figures.

Usage: campaign <WORD> [--seed N] [--minutes M] [--rounds K] [--only R]

Words:
  kills    small runs whose commands are killed at any moment: the tool, its group, everything that it started, its git
           alone, or any one of its processes; a round is a small run with ten kills
  disk     small runs whose disk gets full (repository, state folder or temporary folder) or that meet a limit (length of
           a file, open files, processes); a round is a small run with ten of these
  crowd    many commands at the same time on one repository; a round is a run and 100 commands, 25 at a time
  fuzz     inputs that nobody would write, for every parser; a round is one input
  cheats   edits that game the measurement, as real trials; --measured has the tool measure the time itself
  nights   whole `exec` runs of 16 trials at 1 % noise, three of thirteen with one idea that gains 3 %; 260 rounds are 200
           nights without a good idea and 60 with one
  drift    whole `exec` runs of 16 trials on a machine whose speed swings by 2 %, with ideas of every size; what each
           claims beside 30 pairs of its first and last commit that are measured afterwards, without the tool
  batches  whole `exec` runs at 1 % noise in which no idea helps: one of 8 trials, and one of 8 batches of three ideas at
           once; how often each kept something

Options:
  --seed N      chooses what is tried [default: 1]
  --minutes M   begins no round later than this [default: 60]
  --rounds K    ends after so many rounds, if the time is not over before
  --only R      tries this round alone, as a campaign with the same seed had it

Each word leaves nothing behind, also after Ctrl-C. The progress is on standard error. Exit codes: 0 nothing was broken, 1
something was (standard error says in which round, and how to try that round alone), 2 usage error, 130 interrupted.

Examples:
  cargo run -p autoresearch-tests --bin campaign -- kills --seed 1 --rounds 100
  cargo run -p autoresearch-tests --bin campaign -- kills --seed 1 --only 37
";

/// How a campaign was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub word: String,
    pub seed: u64,
    pub minutes: u64,
    pub rounds: u64,
    pub only: Option<u64>,
    /// The time that the tool measures, in place of a printed number (cheats).
    pub is_measured: bool,
}

impl Asked {
    /// Reads what follows the word.
    pub(crate) fn read(word: &str, words: &[String]) -> Result<Self, String> {
        let mut asked = Self {
            word: word.to_owned(),
            seed: 1,
            minutes: 60,
            rounds: u64::MAX,
            only: None,
            is_measured: false,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut number = || {
                let text = words
                    .next()
                    .ok_or_else(|| format!("{word} wants a number"))?;
                let read = text.parse::<u64>();
                read.map_err(|_| format!("{word} wants a number, and `{text}` is none"))
            };
            match word.as_str() {
                "--seed" => asked.seed = number()?,
                "--minutes" => asked.minutes = number()?,
                "--rounds" => asked.rounds = number()?,
                "--only" => asked.only = Some(number()?),
                "--measured" if asked.word == "cheats" => asked.is_measured = true,
                other => return Err(format!("`{other}` is not an option of {}", asked.word)),
            }
        }
        Ok(asked)
    }

    pub(crate) fn time(&self) -> Duration {
        Duration::from_secs(self.minutes.saturating_mul(60))
    }
}
