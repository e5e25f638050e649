//! Owns `Gauge`: what of a command or of files is the metric, where it is not what verify prints.
//! Does not measure; `metric` reads reports, and the product runs commands.
//! Invariant: the unit follows from the kind alone, so that nothing that is printed can choose it.

pub(super) mod run_condition;

use serde::{Deserialize, Serialize};

use crate::config::choices::Vary;
use crate::config::command::UserCommand;
use crate::metric::unit::Unit;

/// The metric of all that matches are counted among.
pub const TOTAL: &str = "total";

/// How verify becomes a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gauge {
    pub kind: GaugeKind,
    /// Runs before those that count.
    #[serde(default)]
    pub warmup: u32,
    /// Runs of which the median counts.
    #[serde(default = "one")]
    pub repeats: u32,
    /// The command that must succeed before anything is measured.
    #[serde(default)]
    pub check: Option<UserCommand>,
}

/// What is measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GaugeKind {
    /// A number that the command prints.
    Printed,
    /// How long the command takes.
    Wall,
    /// The processor time of the command and of all that it starts.
    Cpu,
    /// The memory of its largest process.
    PeakMemory,
    /// The bytes of files.
    Size {
        files: Vec<String>,
        /// After gzip.
        gzip: bool,
    },
    /// The matches of a regular expression in files.
    Count {
        pattern: String,
        /// What the matches are a part of, such as the tests that ran.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<String>,
        files: Vec<String>,
    },
    /// How many of these runs fail.
    ExitRate {
        runs: u32,
        /// What differs between them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        vary: Vec<Vary>,
    },
    /// How many of the required gates are open.
    Gates,
    /// The share of covered lines in a report that the command writes.
    Covered { report: String },
}

fn one() -> u32 {
    1
}

impl Default for Gauge {
    fn default() -> Self {
        Self {
            kind: GaugeKind::Printed,
            warmup: 0,
            repeats: 1,
            check: None,
        }
    }
}

impl Gauge {
    /// Is it what counts when nothing is written?
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl GaugeKind {
    /// The key of `verify` that asks for it.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Printed => "command",
            Self::Wall => "wall",
            Self::Cpu => "cpu",
            Self::PeakMemory => "peak_memory",
            Self::Size { .. } => "size",
            Self::Count { .. } => "count",
            Self::ExitRate { .. } => "exit_rate",
            Self::Gates => "gates",
            Self::Covered { .. } => "covered",
        }
    }

    /// The unit of the metric; a printed one brings its own.
    #[must_use]
    pub fn unit(&self) -> Unit {
        Unit::from_text(match self {
            Self::Printed | Self::Count { .. } => "",
            Self::Wall | Self::Cpu => "ms",
            Self::PeakMemory | Self::Size { .. } => "bytes",
            Self::ExitRate { .. } => "failed runs",
            Self::Gates => "open gates",
            Self::Covered { .. } => "%",
        })
    }

    /// How many cases are counted, where the metric is how many of them fail.
    #[must_use]
    pub fn count_cases(&self) -> Option<u32> {
        match self {
            Self::ExitRate { runs, .. } => Some(*runs),
            _ => None,
        }
    }

    /// Is it taken from each run of the command? Then runs can be repeated.
    #[must_use]
    pub fn is_of_a_run(&self) -> bool {
        matches!(self, Self::Wall | Self::Cpu | Self::PeakMemory)
    }

    /// Further metrics that are measured along with it, for conditions.
    #[must_use]
    pub fn list_further(&self) -> &'static [&'static str] {
        match self {
            Self::Printed | Self::ExitRate { .. } | Self::Gates => &[],
            Self::Wall | Self::Cpu | Self::PeakMemory => &["wall", "cpu", "peak_memory"],
            Self::Count { of: Some(_), .. } => &["files", TOTAL],
            Self::Size { .. } | Self::Count { .. } => &["files"],
            Self::Covered { .. } => &["lines"],
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_gauge_is_written_down_as_it_is_read() {
        let check = UserCommand {
            command: "make check".to_owned(),
            shell: crate::config::Shell::Sh,
            timeout: std::time::Duration::from_secs(9),
            working_directory: ".".to_owned(),
            ok_exit: vec![0],
            retries: 0,
        };
        for kind in [
            GaugeKind::Wall,
            GaugeKind::Size {
                files: vec!["dist/**".to_owned()],
                gzip: true,
            },
            GaugeKind::ExitRate {
                runs: 20,
                vary: Vec::new(),
            },
            GaugeKind::ExitRate {
                runs: 20,
                vary: vec![Vary::Seed, Vary::Load],
            },
        ] {
            let gauge = Gauge {
                kind,
                warmup: 1,
                repeats: 3,
                check: Some(check.clone()),
            };
            let text = serde_json::to_string(&gauge).unwrap();
            assert_eq!(serde_json::from_str::<Gauge>(&text).unwrap(), gauge);
        }
        let short: Gauge = serde_json::from_value(json!({"kind": "printed"})).unwrap();
        assert!(short.is_default());
    }

    #[test]
    fn a_unit_converts_into_what_a_person_would_write() {
        for (kind, text, number) in [
            (GaugeKind::Wall, "1.5 s", "1500"),
            (GaugeKind::PeakMemory, "2 MiB", "2097152"),
            (
                GaugeKind::ExitRate {
                    runs: 9,
                    vary: Vec::new(),
                },
                "1 failed run",
                "1",
            ),
            (
                GaugeKind::Covered {
                    report: "lcov.info".to_owned(),
                },
                "80 percent",
                "80",
            ),
        ] {
            let typed: crate::metric::unit::Quantity = text.parse().unwrap();
            let found = typed.in_unit(&kind.unit(), crate::metric::unit::Doubt::Refuse);
            assert_eq!(found.unwrap().to_string(), number, "{text}");
        }
    }
}
