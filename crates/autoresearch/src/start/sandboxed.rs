//! Owns the comparison of verify in its sandbox with verify outside of it, at start and in `config try`.
//! Does not close a sandbox.
//! Invariant: a run has its sandbox only where verify gave the same value with it and without.

use std::ffi::OsString;

use autoresearch_core::config::Config;
use autoresearch_core::journal::event::Why;
use autoresearch_core::metric::value::Value;
use serde::Serialize;

use crate::start::baseline::{Baseline, measure_baseline};
use crate::start::own_files::{OwnFiles, differ_by_more_than_noise};
use crate::start::reaction::CheckPatience;
use crate::trees::sandboxing::describe_confinement;
use crate::trial::measure::Bench;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::git::Git;
use autoresearch_sys::process::{Confinement, LocalExecutor, TreeView};

/// So many values of each side tell noise from a difference.
const ENOUGH: usize = 3;

/// The sandbox, as `config try` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct SandboxReport {
    /// Does the config ask for it?
    pub on: bool,
    /// Do verify and guard work in it as they do outside?
    pub works: bool,
    /// In a sentence.
    pub said: String,
}

/// What verify and guard are compared on.
pub(super) struct SandboxScene<'a> {
    pub(super) world: &'a World,
    pub(super) tree: &'a Git,
    pub(super) env: &'a [(OsString, OsString)],
    pub(super) config: &'a Config,
    pub(super) own: &'a OwnFiles<'a>,
    pub(super) view: Option<&'a TreeView>,
    /// The sandbox that the config asks for, or the one that it would get.
    pub(super) confinement: &'a Confinement,
}

/// Where a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Inside,
    Outside,
}

/// What one side came to that the other did not.
#[derive(Debug)]
enum Comparison {
    Same,
    /// The values of the two.
    Differs(Value, Value),
    /// In words, with the end of what was printed.
    Fails(String),
}

impl SandboxScene<'_> {
    fn with_bench<T>(
        &self,
        side: Side,
        use_bench: impl FnOnce(&mut Bench<'_>) -> Result<T>,
    ) -> Result<T> {
        let executor = LocalExecutor::new(self.world, self.env);
        let prefix = match side {
            Side::Inside => "in-sandbox-",
            Side::Outside => "without-sandbox-",
        };
        let mut bench = Bench::new(
            &executor,
            (self.world.progress, self.world.clock),
            self.tree.work_tree(),
            self.own.output_folder(),
            prefix,
        );
        bench.most = self.config.outputs.file_bytes();
        bench.view = self.view.cloned();
        bench.confine(Some(self.confinement).filter(|_| side == Side::Inside));
        use_bench(&mut bench)
    }

    /// Runs the guard; why it fails, if it does.
    fn find_guard_failure(&self, side: Side) -> Result<Option<String>> {
        let Some(guard) = &self.config.guard else {
            return Ok(None);
        };
        self.with_bench(side, |bench| {
            let passed = bench.run_guard(guard)?;
            let failed = passed.err();
            Ok(failed.map(|how| describe_failed(bench, "the guard fails", &how)))
        })
    }

    /// Runs the guard and verify once; why they fail, if they do.
    fn find_failure(&self, side: Side) -> Result<Option<String>> {
        if let Some(failed) = self.find_guard_failure(side)? {
            return Ok(Some(failed));
        }
        self.with_bench(side, |bench| {
            let measured = bench.run_verify(self.config)?;
            Ok(measured.err().map(|why| describe_unmeasured(bench, &why)))
        })
    }

    /// Compares verify on this side with the baseline, which the other side gave.
    fn compare_with(&self, baseline: &Baseline, side: Side) -> Result<Comparison> {
        let other = match side {
            Side::Inside => Side::Outside,
            Side::Outside => Side::Inside,
        };
        let mut there = baseline.samples.clone();
        let mut here = Vec::new();
        let mut next = side;
        loop {
            let found = self.with_bench(next, |bench| {
                bench.reading = Some(baseline.reading.clone());
                let measured = bench.run_verify(self.config)?;
                Ok(measured.map_err(|why| describe_unmeasured(bench, &why)))
            })?;
            match found {
                Err(failed) => return Ok(Comparison::Fails(failed)),
                Ok(measured) if next == side => here.push(measured.value),
                Ok(measured) => there.push(measured.value),
            }
            if there.iter().all(|value| *value == here[0]) {
                return Ok(Comparison::Same);
            }
            next = match (here.len() < ENOUGH, there.len() < ENOUGH) {
                (true, _) => side,
                (false, true) => other,
                (false, false) => break,
            };
        }
        let pairs = there.iter().zip(&here);
        let mixed: Vec<f64> = pairs
            .flat_map(|(there, here)| [there.to_double(), here.to_double()])
            .collect();
        Ok(if differ_by_more_than_noise(&mixed) {
            Comparison::Differs(there[0].clone(), here[0].clone())
        } else {
            Comparison::Same
        })
    }

    /// The sandbox that verify and guard run in.
    fn wanted(&self) -> Option<&Confinement> {
        self.config.sandbox.as_ref().map(|_| self.confinement)
    }

    /// Measures the untouched tree as the config says.
    pub(super) fn measure_baseline(&self) -> Result<Baseline> {
        let seen = (self.own, self.view, self.wanted());
        measure_baseline(self.world, self.tree, self.env, self.config, seen)
            .map_err(|failure| self.explain_failure(failure))
    }

    /// Compares it with what the other side of the sandbox gives: where it is asked for, and in `config try`.
    pub(super) fn look_at_sandbox(
        &self,
        baseline: &Baseline,
        patience: CheckPatience,
    ) -> Result<Option<SandboxReport>> {
        match (self.wanted(), patience) {
            (Some(_), _) => self.check_values(baseline).map(Some),
            (None, CheckPatience::Full) => self.examine_sandbox(baseline).map(Some),
            (None, CheckPatience::Brief) => Ok(None),
        }
    }

    /// Refuses a sandbox in which verify gives another value than without.
    fn check_values(&self, baseline: &Baseline) -> Result<SandboxReport> {
        let name = &self.config.metric.name;
        match self.compare_with(baseline, Side::Outside)? {
            Comparison::Same => Ok(SandboxReport {
                on: true,
                works: true,
                said: format!(
                    "{}; {name} is the same without it",
                    describe_confinement(self.confinement)
                ),
            }),
            Comparison::Differs(inside, outside) => Err(Failure::config(format!(
                "verify gives {inside} in its sandbox and {outside} without it"
            ))
            .hint("what it measures depends on the network or on a folder outside the tree: name that in `verify.sandbox`, or leave `sandbox` out")),
            Comparison::Fails(failed) => Err(Failure::config(format!(
                "verify works in its sandbox alone: without it, {failed}"
            ))
            .hint("run the command by hand: it must work outside a sandbox too")),
        }
    }

    /// Why a baseline in the sandbox failed, where nothing but the sandbox is at fault.
    fn explain_failure(&self, failure: Failure) -> Failure {
        if self.wanted().is_none() || failure.kind != FailureKind::Config {
            return failure;
        }
        let inside = self.find_failure(Side::Inside);
        match (inside, self.find_failure(Side::Outside)) {
            (Ok(Some(failed)), Ok(None)) => Failure::config(format!(
                "in the sandbox, {failed}; without it, verify and guard work"
            ))
            .hint("there is no network in it, and only the tree and the temporary folder ($TMPDIR) can be written: add `network: true` or `writable: [FOLDER]` under `verify.sandbox`, or leave it out"),
            _ => failure,
        }
    }

    /// Would verify and guard work in a sandbox as they do without?
    fn examine_sandbox(&self, baseline: &Baseline) -> Result<SandboxReport> {
        let (works, said) = match self.examine_inside(baseline) {
            Ok(None) => {
                let who = match self.config.guard {
                    Some(_) => "verify and guard work",
                    None => "verify works",
                };
                (
                    true,
                    format!(
                        "{who} in a sandbox too: add `sandbox: true` under `verify`, above all for background and exec runs"
                    ),
                )
            }
            Ok(Some(why)) => (false, format!("in a sandbox, {why}")),
            Err(failure) if failure.kind == FailureKind::Environment => (false, failure.error),
            Err(failure) => return Err(failure),
        };
        Ok(SandboxReport {
            on: false,
            works,
            said,
        })
    }

    /// What is otherwise inside.
    fn examine_inside(&self, baseline: &Baseline) -> Result<Option<String>> {
        if let Some(failed) = self.find_guard_failure(Side::Inside)? {
            return Ok(Some(failed));
        }
        Ok(match self.compare_with(baseline, Side::Inside)? {
            Comparison::Same => None,
            Comparison::Differs(outside, inside) => {
                Some(format!("verify gives {inside}, and {outside} without it"))
            }
            Comparison::Fails(failed) => Some(failed),
        })
    }
}

fn describe_unmeasured(bench: &Bench<'_>, why: &Why) -> String {
    describe_failed(bench, "verify gives no metric", why)
}

fn describe_failed(bench: &Bench<'_>, what: &str, how: &impl std::fmt::Display) -> String {
    let tail = bench.tail.replace('\n', " | ");
    let last = if tail.is_empty() {
        String::new()
    } else {
        format!(" (its last lines: {tail})")
    };
    format!("{what}: {how}{last}")
}
