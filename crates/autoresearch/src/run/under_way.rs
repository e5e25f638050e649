//! Owns what a command says while another process works on the run: which trial, what it is at, for how long, and to wait.
//! Does not wait, and does not take the lock.
//! Invariant: whoever looks while a trial is measured is never told to edit: an edit would void that trial.

use std::path::Path;
use std::time::Duration;

use autoresearch_core::config::span;
use serde::Serialize;

use autoresearch_sys::env::World;
use autoresearch_sys::store;
use autoresearch_sys::store::TrialPhase;

/// What another process does on a run now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnderWay {
    /// Unknown for the moment in which it begins.
    pub pid: Option<u32>,
    pub command: String,
    /// The trial that it makes, if it makes one.
    pub trial: Option<u32>,
    /// `committing`, `verify`, `guard`, `deciding` or `undoing`.
    pub phase: Option<&'static str>,
    /// Which run of verify it is in this trial.
    pub verify_run: Option<u32>,
    /// How long this phase has lasted, in milliseconds.
    pub phase_ms: Option<u64>,
    /// How long the command has lasted, in milliseconds.
    pub elapsed_ms: Option<u64>,
}

impl UnderWay {
    /// Looks at the lock of a run, and at the note of whoever holds it.
    #[must_use]
    pub fn find_at(world: &World, anchor_folder: &Path) -> Option<Self> {
        let (holder, note) = store::find_acting_holder(anchor_folder)?;
        let now = world.now_ms();
        let (phase, verify_run) = match note.as_ref().map(|note| note.phase) {
            None => (None, None),
            Some(TrialPhase::Committing) => (Some("committing"), None),
            Some(TrialPhase::Verify(run)) => (Some("verify"), Some(run)),
            Some(TrialPhase::VerifyIncumbent(run)) => (Some("verify-kept"), Some(run)),
            Some(TrialPhase::Guard) => (Some("guard"), None),
            Some(TrialPhase::Holdout) => (Some("holdout"), None),
            Some(TrialPhase::Deciding) => (Some("deciding"), None),
            Some(TrialPhase::Undoing) => (Some("undoing"), None),
        };
        Some(Self {
            pid: holder.known_pid(),
            command: holder.command,
            trial: note.as_ref().map(|note| note.trial),
            phase,
            verify_run,
            phase_ms: note.as_ref().map(|note| now.saturating_sub(note.since_ms)),
            elapsed_ms: note.as_ref().map(|note| now.saturating_sub(note.began_ms)),
        })
    }

    /// What is being done, in a phrase: `trial 4 is being measured: verify run 2 for 1m5s, 3m10s in all`.
    #[must_use]
    pub fn describe_work(&self) -> String {
        let (Some(trial), Some(phase)) = (self.trial, self.phase) else {
            return self.pid.map_or_else(
                || "another process works on the run".to_owned(),
                |pid| format!("process {pid} (`{}`) works on the run", self.command),
            );
        };
        let doing = match (phase, self.verify_run) {
            ("verify", Some(run)) => format!("verify run {run}"),
            ("verify-kept", Some(run)) => format!("verify run {run} on the kept state"),
            ("committing", _) => "committing the edits".to_owned(),
            ("undoing", _) => "taking back what was not kept".to_owned(),
            ("deciding", _) => "deciding".to_owned(),
            (other, _) => other.to_owned(),
        };
        let [here, all] =
            [self.phase_ms, self.elapsed_ms].map(|ms| show_whole_seconds(ms.unwrap_or_default()));
        format!("trial {trial} is being measured: {doing} for {here}, {all} in all")
    }

    /// The next step of somebody who looks meanwhile.
    #[must_use]
    pub fn next_step(&self, program: &str) -> String {
        format!(
            "next: wait and change no file: {}. Its answer comes where it was started; `{program} status` looks again",
            self.describe_work()
        )
    }
}

/// A time for people: whole seconds.
#[must_use]
pub fn show_whole_seconds(ms: u64) -> String {
    match ms / 1_000 {
        0 => "0s".to_owned(),
        seconds => span::format_span(Duration::from_secs(seconds)),
    }
}

#[cfg(test)]
mod tests;
