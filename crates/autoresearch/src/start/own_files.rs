//! Owns the look at whether verify or guard count the run's own files: some that quote goal, metric and commands, laid
//! where the run will have them, and taken away again.
//! Does not run anything.
//! Invariant: without a run nothing of it stays; the outputs of the baseline are moved into the run at its end.

use std::path::{Path, PathBuf};

use autoresearch_core::config::{Config, Isolation};
use tempfile::TempDir;

use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::process::MAX_OUTPUT;
use autoresearch_sys::regular_files::read_file;
use autoresearch_sys::store::{Layout, write_output};

/// What to do about a command that counts them.
pub const REMEDY: &str = "exclude `autoresearch-results` (grep: `--exclude-dir=autoresearch-results`; find: `-not -path './autoresearch-results/*'`), name the folders to look at instead of `.`, or use `isolation: worktree`";

/// How many times less likely than chance: standard errors between the means with and without the files.
const FAR: f64 = 12.0;

/// The run's own files during the baseline.
pub struct OwnFiles<'a> {
    layout: &'a Layout,
    config: &'a Config,
    /// The outputs of the baseline, out of the repository as long as the run does not stand.
    outputs: TempDir,
}

impl<'a> OwnFiles<'a> {
    /// None are there yet. `outside` is a folder outside the repository.
    pub fn new(layout: &'a Layout, config: &'a Config, outside: &Path) -> Result<Self> {
        let outputs = tempfile::Builder::new()
            .prefix("baseline-")
            .tempdir_in(outside)
            .map_err(|error| {
                Failure::io(
                    format!("could not make a folder in {}", outside.display()),
                    &error,
                )
            })?;
        Ok(Self {
            layout,
            config,
            outputs,
        })
    }

    /// Where the outputs go meanwhile.
    #[must_use]
    pub fn output_folder(&self) -> PathBuf {
        self.outputs.path().to_owned()
    }

    /// Can the commands see the run's files at all? In the run's separate work tree they cannot.
    #[must_use]
    pub fn are_in_sight(&self) -> bool {
        self.config.isolation != Isolation::Worktree
    }

    /// Lays the files as a run has them after its first trial, where the commands can see them.
    pub fn lay_out(&self) -> Result<()> {
        if !self.are_in_sight() {
            return Ok(());
        }
        let config = serde_json::to_string_pretty(self.config).map_err(|error| {
            Failure::new(
                FailureKind::Internal,
                "the config could not be written down",
            )
            .because(&error)
        })?;
        let (goal, metric) = (&self.config.goal, &self.config.metric.name);
        let row = format!(
            "# metric: {metric}\n# goal: {goal}\niteration\tcommit\tmetric\tdelta\tguard\tstatus\tdescription\n1\t-\t1\t0\tpass\tkeep\t{goal} {metric}\n"
        );
        for (path, text) in [
            (self.layout.config_path(), &config),
            (self.layout.snapshot_path(), &config),
            (self.layout.table_path(), &row),
        ] {
            write_output(&path, text.as_bytes())?;
        }
        for number in 0..2 {
            let trial = self.layout.make_trial_folder(number)?;
            write_output(&trial.join("verify-1.out"), row.as_bytes())?;
        }
        Ok(())
    }

    /// Takes them away again.
    pub fn take_away(&self) -> Result<()> {
        if !self.are_in_sight() {
            return Ok(());
        }
        let layout = self.layout;
        for path in [
            layout.config_path(),
            layout.snapshot_path(),
            layout.table_path(),
        ] {
            check_removed(std::fs::remove_file(&path), &path)?;
        }
        for path in [layout.trial_folder(0), layout.trial_folder(1)] {
            check_removed(std::fs::remove_dir_all(&path), &path)?;
        }
        Ok(())
    }

    /// Brings the outputs so far to where the run keeps them.
    pub fn bring_outputs(&self) -> Result<()> {
        let to = self.layout.make_trial_folder(0)?;
        let entries = std::fs::read_dir(self.outputs.path()).into_iter().flatten();
        for entry in entries.flatten() {
            let bytes = read_file(&entry.path(), MAX_OUTPUT).map_err(|error| {
                Failure::io(format!("could not read {}", entry.path().display()), &error)
            })?;
            write_output(&to.join(entry.file_name()), &bytes)?;
        }
        Ok(())
    }
}

fn check_removed(done: std::io::Result<()>, path: &Path) -> Result<()> {
    match done {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::io(
            format!("could not remove {}", path.display()),
            &error,
        )),
        _ => Ok(()),
    }
}

/// Do the values without the files (the first, the third, ...) and those with them differ by more than noise?
#[must_use]
pub fn differ_by_more_than_noise(values: &[f64]) -> bool {
    let every_second = |from: usize| values.iter().copied().skip(from).step_by(2).collect();
    let (without, with): (Vec<f64>, Vec<f64>) = (every_second(0), every_second(1));
    if without.len() < 3 || with.len() < 3 {
        return false;
    }
    let (first, second) = (mean_value(&without), mean_value(&with));
    #[expect(clippy::cast_precision_loss, reason = "a handful of runs")]
    let (many, more) = (without.len() as f64, with.len() as f64);
    let spread =
        ((sum_squares(&without, first) + sum_squares(&with, second)) / (many + more - 2.0)).sqrt();
    let error = spread * (1.0 / many + 1.0 / more).sqrt();
    (first - second).abs() > FAR * error
}

fn mean_value(values: &[f64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a handful of runs")]
    let count = values.len() as f64;
    values.iter().sum::<f64>() / count
}

fn sum_squares(values: &[f64], mean: f64) -> f64 {
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_difference_that_follows_the_files_is_more_than_noise() {
        for far in [
            [2.0, 5.0, 2.0, 5.0, 2.0, 5.0],
            [2.0, 50.0, 2.1, 50.1, 1.9, 49.9],
        ] {
            assert!(differ_by_more_than_noise(&far), "{far:?}");
        }
        for near in [
            &[2.0, 2.0, 2.0, 2.0, 2.0, 2.0][..],
            &[9.0, 10.0, 9.0, 10.0, 10.0, 10.0],
            &[1.0, 1.3, 1.1, 1.2, 0.9, 1.4],
            &[9.0, 2.0, 2.0, 2.0, 2.0, 2.0],
            &[2.0, 5.0],
        ] {
            assert!(!differ_by_more_than_noise(near), "{near:?}");
        }
    }
}
