//! Owns `Evidence`: a place in a file, or an experiment, as the tool saw it; and what an experiment was expected to show.
//! Does not look at a file or run a command.
//! Invariant: what is recorded is what was there, and never what somebody says was there.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::git_names::CommitId;
use crate::metric::rate::RateInterval;
use crate::metric::value::Value;
use crate::words::text::{escape_line, escape_text, format_count};

/// What the tool saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    Place(Place),
    Experiment(Box<Experiment>),
}

/// A quotation that stands in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// From the repository's root.
    pub path: String,
    /// Where it stands, from 1.
    pub line: u32,
    /// The line that was named, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<u32>,
    pub quote: String,
    pub found_in: FileState,
}

/// Which state of a file it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileState {
    /// That of a commit.
    Commit(CommitId),
    /// That of the work tree, which differs: the SHA-256 of the file.
    WorkTree(String),
}

/// A command that was run, and what it showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Experiment {
    pub command: String,
    pub expects: Expectation,
    pub runs: u32,
    /// In so many of them it was as expected.
    pub met: u32,
    /// In so many it had to be.
    pub at_least: u32,
    /// How the run that is shown ended.
    pub ended: String,
    /// What that run printed that says most.
    pub said: String,
    /// The file with all that it printed, from the ledger's folder, and its SHA-256.
    pub output: String,
    pub output_hash: String,
    /// The commit of HEAD, and how many files differed from it.
    pub commit: CommitId,
    pub changed: u32,
    /// Was it in the sandbox of the tool?
    pub sandboxed: bool,
}

impl Experiment {
    /// Did it show what was claimed?
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.met >= self.at_least
    }

    /// In how many of the runs, and what that leaves possible: `seen in 3 of 60: 5 % (1 to 14), 95 % interval`.
    #[must_use]
    pub fn describe_rate(&self) -> String {
        if self.runs == 1 {
            let seen = if self.met == 1 { "seen" } else { "not seen" };
            return seen.to_owned();
        }
        let met = Value::from(i64::from(self.met));
        let rate = RateInterval::of_runs([&met], self.runs);
        rate.map_or_else(String::new, |rate| format!("seen in {rate}"))
    }
}

/// What a run has to show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<ExpectedEnd>,
    /// What it prints on one of its streams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prints: Option<String>,
    /// What it does not print.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prints_not: Option<String>,
}

/// How a run is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum ExpectedEnd {
    Status(u8),
    /// With any other status than 0, or by a signal.
    Fails,
    /// Not within its time.
    Hangs,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEnd {
    Status(i32),
    Signal(i32),
    TimedOut,
}

impl Expectation {
    /// Is there anything to hold a run against?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Is a run as expected? One that had to be ended is, only where that was expected.
    #[must_use]
    pub fn is_met(&self, end: RunEnd, printed: &str) -> bool {
        let ended = match (self.exit, end) {
            (Some(ExpectedEnd::Status(wanted)), RunEnd::Status(status)) => {
                i32::from(wanted) == status
            }
            (Some(ExpectedEnd::Fails), RunEnd::Status(status)) => status != 0,
            (Some(ExpectedEnd::Fails), RunEnd::Signal(_))
            | (Some(ExpectedEnd::Hangs), RunEnd::TimedOut)
            | (None, RunEnd::Status(_) | RunEnd::Signal(_)) => true,
            _ => false,
        };
        let prints =
            |text: &Option<String>| text.as_ref().map(|text| printed.contains(text.as_str()));
        ended && prints(&self.prints) != Some(false) && prints(&self.prints_not) != Some(true)
    }
}

impl FromStr for ExpectedEnd {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "fails" => Ok(Self::Fails),
            "hangs" => Ok(Self::Hangs),
            _ => text.parse().map(Self::Status).map_err(|_| {
                "an exit status from 0 to 255, `fails` or `hangs` is meant".to_owned()
            }),
        }
    }
}

impl TryFrom<String> for ExpectedEnd {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ExpectedEnd> for String {
    fn from(end: ExpectedEnd) -> Self {
        end.to_string()
    }
}

impl fmt::Display for ExpectedEnd {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(out, "{status}"),
            Self::Fails => out.write_str("fails"),
            Self::Hangs => out.write_str("hangs"),
        }
    }
}

impl fmt::Display for RunEnd {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(out, "exit status {status}"),
            Self::Signal(signal) => write!(out, "killed by signal {signal}"),
            Self::TimedOut => out.write_str("did not end in time"),
        }
    }
}

impl fmt::Display for Expectation {
    /// `exit status 1, prints "503"`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exit = self.exit.map(|exit| match exit {
            ExpectedEnd::Status(status) => format!("exit status {status}"),
            ExpectedEnd::Fails => "it fails".to_owned(),
            ExpectedEnd::Hangs => "it does not end in time".to_owned(),
        });
        let quote = |word: &str, text: &Option<String>| {
            text.as_ref()
                .map(|text| format!("{word} \"{}\"", escape_text(text)))
        };
        let parts = [
            exit,
            quote("prints", &self.prints),
            quote("does not print", &self.prints_not),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        out.write_str(&parts.join(", "))
    }
}

impl fmt::Display for Place {
    /// `src/api.rs:12 (named as line 10): if n > limit {`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", escape_text(&self.path), self.line)?;
        if let Some(line) = self.moved_from {
            write!(out, " (named as line {line})")?;
        }
        if let FileState::WorkTree(_) = self.found_in {
            out.write_str(" (not committed)")?;
        }
        let quote: Vec<String> = self
            .quote
            .trim()
            .lines()
            .map(|line| escape_line(line.trim()))
            .collect();
        write!(out, ": {}", quote.join(" \u{23ce} "))
    }
}

impl fmt::Display for Experiment {
    /// With what was expected, and how often that was seen.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changed = match self.changed {
            0 => String::new(),
            changed => format!(" with {}", format_count(changed, "changed file")),
        };
        write!(
            out,
            "`{}`: {}, {}; at commit {}{changed}; all that it printed: {}",
            escape_text(&self.command),
            self.expects,
            self.describe_rate(),
            self.commit.short(),
            self.output,
        )
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(place) => place.fmt(out),
            Self::Experiment(experiment) => experiment.fmt(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expect(exit: Option<&str>, prints: Option<&str>, prints_not: Option<&str>) -> Expectation {
        Expectation {
            exit: exit.map(|exit| exit.parse().unwrap()),
            prints: prints.map(ToOwned::to_owned),
            prints_not: prints_not.map(ToOwned::to_owned),
        }
    }

    #[test]
    fn a_run_is_as_expected_only_if_all_of_it_is() {
        use RunEnd::{Signal, Status, TimedOut};
        for (expected, end, printed, is_met) in [
            (expect(Some("1"), None, None), Status(1), "", true),
            (expect(Some("1"), None, None), Status(0), "", false),
            (expect(Some("1"), None, None), Signal(1), "", false),
            (expect(Some("fails"), None, None), Status(7), "", true),
            (expect(Some("fails"), None, None), Signal(11), "", true),
            (expect(Some("fails"), None, None), Status(0), "", false),
            (expect(Some("fails"), None, None), TimedOut, "", false),
            (expect(Some("hangs"), None, None), TimedOut, "", true),
            (expect(Some("hangs"), None, None), Status(0), "", false),
            (expect(None, Some("503"), None), Status(1), "HTTP 503", true),
            (expect(None, Some("503"), None), TimedOut, "HTTP 503", false),
            (
                expect(Some("0"), Some("503"), None),
                Status(1),
                "503",
                false,
            ),
            (
                expect(None, None, Some("503")),
                Status(0),
                "HTTP 503",
                false,
            ),
            (
                expect(Some("0"), Some("ok"), Some("503")),
                Status(0),
                "ok",
                true,
            ),
        ] {
            assert_eq!(expected.is_met(end, printed), is_met, "{expected} of {end}");
        }
    }

    #[test]
    fn an_end_is_a_status_or_one_of_two_words() {
        for text in ["0", "255", "fails", "hangs"] {
            assert_eq!(text.parse::<ExpectedEnd>().unwrap().to_string(), text);
        }
        for text in ["256", "-1", "", "Fails", "1x"] {
            assert!(text.parse::<ExpectedEnd>().is_err(), "{text}");
        }
    }
}
