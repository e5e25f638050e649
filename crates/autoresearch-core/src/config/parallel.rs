//! Owns the part of a config that is for batches: how many hypotheses are tried at once, and how they are measured.
//! Does not measure.
//! Invariant: nothing in it changes what a keep needs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::choices::Vary;
use crate::config::gauge::GaugeKind;
use crate::config::problem::Problem;

/// Several hypotheses at once, each in a work tree of its own. Default: one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParallelFile {
    /// How many hypotheses background and exec runs try at once. Default: 1.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 3))]
    pub workers: u32,
    /// Whether their measurements run at the same time.
    #[serde(default)]
    pub measuring: MeasuringRule,
    /// Are further winners of a batch tried on top of the first, each in a trial of its own?
    #[serde(default)]
    pub stack: bool,
    /// A device for each worker, such as `["0", "1"]`: its measurements see it in the variable of `device_variable`.
    #[serde(default)]
    pub devices: Vec<String>,
    /// The variable in which a worker's device is named, such as `CUDA_VISIBLE_DEVICES`.
    #[serde(default)]
    pub device_variable: Option<String>,
}

impl Default for ParallelFile {
    fn default() -> Self {
        Self {
            workers: one(),
            measuring: MeasuringRule::default(),
            stack: false,
            devices: Vec::new(),
            device_variable: None,
        }
    }
}

fn one() -> u32 {
    1
}

/// Whether the measurements of a batch run at the same time, as a person wants it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MeasuringRule {
    /// At the same time where the metric counts, one after the other where it is a time or noisy.
    #[default]
    Auto,
    /// One after the other.
    Serial,
    /// At the same time.
    Concurrent,
}

/// How the measurements of a batch run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measuring {
    /// One after the other.
    Serial,
    /// At the same time.
    Concurrent,
}

/// How hypotheses are tried at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Parallel {
    pub workers: u32,
    pub measuring: MeasuringRule,
    pub stack: bool,
    /// What each worker's measurements see in the variable; empty where no device is given.
    pub devices: Vec<String>,
    pub device_variable: Option<String>,
}

impl Default for Parallel {
    fn default() -> Self {
        Self::of_file(&ParallelFile::default())
    }
}

impl Parallel {
    /// Is it what counts when nothing is written?
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The variable of a worker's device, with its value. `index` counts workers from 0; where there are fewer devices than
    /// workers, they are shared.
    #[must_use]
    pub fn find_device(&self, index: usize) -> Option<(&str, &str)> {
        let variable = self.device_variable.as_deref()?;
        let device = self.devices.get(index % self.devices.len().max(1))?;
        Some((variable, device))
    }

    fn of_file(file: &ParallelFile) -> Self {
        Self {
            workers: file.workers,
            measuring: file.measuring,
            stack: file.stack,
            devices: file.devices.clone(),
            device_variable: file.device_variable.clone(),
        }
    }
}

impl Parallel {
    /// How the measurements of a batch run, and why. `is_exact` says whether equal trees gave equal numbers so far.
    #[must_use]
    pub fn choose_measuring(&self, gauge: &GaugeKind, is_exact: bool) -> (Measuring, &'static str) {
        let takes_time = matches!(gauge, GaugeKind::Wall | GaugeKind::Cpu);
        let makes_load =
            matches!(gauge, GaugeKind::ExitRate { vary, .. } if vary.contains(&Vary::Load));
        match self.measuring {
            MeasuringRule::Serial => (Measuring::Serial, "the config says so"),
            MeasuringRule::Concurrent => (Measuring::Concurrent, "the config says so"),
            MeasuringRule::Auto if takes_time => (
                Measuring::Serial,
                "the metric is a time, which neighbours would disturb",
            ),
            MeasuringRule::Auto if makes_load => (
                Measuring::Serial,
                "every second run makes load, which would disturb neighbours",
            ),
            MeasuringRule::Auto if !is_exact => (
                Measuring::Serial,
                "the metric is noisy, and neighbours would disturb it",
            ),
            MeasuringRule::Auto => (
                Measuring::Concurrent,
                "the metric is exact, so neighbours do not change it",
            ),
        }
    }
}

/// What was typed, as it is true; what cannot be is noted.
pub(super) fn resolve_parallel(file: &ParallelFile, problems: &mut Vec<Problem>) -> Parallel {
    let mut refuse = |place: &str, message: &str, remedy: &str| {
        problems.push(Problem::error(place, message.to_owned(), remedy));
    };
    if file.workers == 0 || file.workers > 3 {
        refuse(
            "parallel.workers",
            "it is not from 1 to 3",
            "write 1 to try one hypothesis after the other, or 2 or 3",
        );
    }
    if file.devices.is_empty() != file.device_variable.is_none() {
        refuse(
            "parallel.devices",
            "`devices` and `device_variable` belong together",
            "name both, such as `devices: [\"0\", \"1\"]` and `device_variable: CUDA_VISIBLE_DEVICES`, or neither",
        );
    }
    let is_name = |name: &str| {
        let mut bytes = name.bytes();
        bytes
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if file
        .device_variable
        .as_deref()
        .is_some_and(|name| !is_name(name))
    {
        refuse(
            "parallel.device_variable",
            "it is not the name of a variable",
            "write a name of letters, digits and _, such as CUDA_VISIBLE_DEVICES",
        );
    }
    if file.devices.iter().any(|device| device.contains('\0')) {
        refuse("parallel.devices", "a device holds a NUL", "remove it");
    }
    Parallel::of_file(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(file: &ParallelFile) -> (Parallel, Vec<String>) {
        let mut problems = Vec::new();
        let resolved = resolve_parallel(file, &mut problems);
        let places = problems.into_iter().map(|problem| problem.place);
        (resolved, places.collect())
    }

    #[test]
    fn an_empty_block_and_none_mean_one_after_the_other() {
        let empty: ParallelFile = serde_json::from_str("{}").unwrap();
        assert_eq!(empty, ParallelFile::default());
        let (resolved, problems) = resolve(&empty);
        assert!(resolved.is_default() && problems.is_empty());
        assert_eq!(resolved.find_device(0), None);
    }

    #[test]
    fn devices_are_shared_where_there_are_fewer_than_workers() {
        let file: ParallelFile = serde_json::from_str(
            r#"{"workers": 3, "devices": ["0", "1"], "device_variable": "GPU"}"#,
        )
        .unwrap();
        let (resolved, problems) = resolve(&file);
        assert!(problems.is_empty());
        let devices: Vec<_> = (0..3)
            .map(|index| resolved.find_device(index).unwrap())
            .collect();
        assert_eq!(devices, [("GPU", "0"), ("GPU", "1"), ("GPU", "0")]);
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (text, place) in [
            (r#"{"workers": 0}"#, "parallel.workers"),
            (r#"{"workers": 4}"#, "parallel.workers"),
            (r#"{"devices": ["0"]}"#, "parallel.devices"),
            (r#"{"device_variable": "GPU"}"#, "parallel.devices"),
            (
                r#"{"devices": ["0"], "device_variable": "A=B"}"#,
                "parallel.device_variable",
            ),
            (
                r#"{"devices": ["0"], "device_variable": "1A"}"#,
                "parallel.device_variable",
            ),
            (
                r#"{"devices": ["0\u0000"], "device_variable": "GPU"}"#,
                "parallel.devices",
            ),
        ] {
            let file: ParallelFile = serde_json::from_str(text).unwrap();
            assert_eq!(resolve(&file).1, [place], "{text}");
        }
        assert!(serde_json::from_str::<ParallelFile>(r#"{"worker": 2}"#).is_err());
    }

    #[test]
    fn what_counts_is_measured_at_once_and_what_takes_time_alone() {
        let mut parallel = Parallel::default();
        assert_eq!(
            parallel.choose_measuring(&GaugeKind::Printed, true).0,
            Measuring::Concurrent
        );
        assert_eq!(
            parallel.choose_measuring(&GaugeKind::Printed, false).0,
            Measuring::Serial
        );
        assert_eq!(
            parallel.choose_measuring(&GaugeKind::Wall, true).0,
            Measuring::Serial
        );
        for (vary, expected) in [
            (vec![Vary::Seed, Vary::Zone], Measuring::Concurrent),
            (vec![Vary::Load], Measuring::Serial),
        ] {
            let gauge = GaugeKind::ExitRate { runs: 9, vary };
            assert_eq!(parallel.choose_measuring(&gauge, true).0, expected);
        }
        parallel.measuring = MeasuringRule::Concurrent;
        assert_eq!(
            parallel.choose_measuring(&GaugeKind::Printed, false).0,
            Measuring::Concurrent
        );
        parallel.measuring = MeasuringRule::Serial;
        assert_eq!(
            parallel.choose_measuring(&GaugeKind::Printed, true).0,
            Measuring::Serial
        );
    }
}
