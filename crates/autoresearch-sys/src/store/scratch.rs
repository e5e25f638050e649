//! Owns a run in a temporary folder, for the tests of the files of a run.
//! Does not exist outside tests, and has no repository: to the files it is one more folder.
//! Invariant: its clock stands still, and its state folder is this user's alone.

#![cfg(test)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use autoresearch_core::agent::outage::OutagePatience;
use autoresearch_core::config::check_config;
use autoresearch_core::journal::event::{Event, Start};
use serde_json::json;

use super::{Access, Layout, Pinned, RunStore, StoreError, anchor_folder};
use crate::env::{Clock, ProcessRole, World};
use crate::error::Failure;

/// The id of the one run.
pub(super) const ID: &str = "0123456789abcdef0123456789abcdef";

pub(super) struct ScratchRun {
    folder: tempfile::TempDir,
    pub(super) world: World,
    pub(super) layout: Layout,
}

impl ScratchRun {
    /// A run that is ready for its first trial, and that nobody holds.
    pub(super) fn start() -> Self {
        Self::start_with(&[Event::Ready])
    }

    /// A run with these events behind its start.
    pub(super) fn start_with(events: &[Event]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        let world = make_world(&base);
        std::fs::create_dir(base.join("repo")).unwrap();
        let layout = Layout::new(&base.join("repo"), "fast");
        layout.create_folders().unwrap();
        let run = Self {
            folder,
            world,
            layout,
        };
        let start = Event::Start(Box::new(make_start()));
        let layout = run.layout.clone();
        let store = RunStore::create_run(&run.world, layout, start, Pinned::default(), "goal: x\n");
        let mut store = store.unwrap();
        for event in events {
            store.record_event(event.clone()).unwrap();
        }
        drop(store);
        run
    }

    pub(super) fn open(&self, access: Access) -> Result<RunStore<'_>, StoreError> {
        RunStore::open_run(&self.world, self.layout.clone(), access, "test")
    }

    /// The folder in which all of it is.
    pub(super) fn base(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    pub(super) fn anchor_folder(&self) -> PathBuf {
        anchor_folder(&self.world.state_folder, ID)
    }

    /// What an error says, with the folder of the test left out.
    pub(super) fn tell_error(&self, error: &StoreError) -> String {
        let causes = Failure::blocked("").because(error).causes.join(": ");
        causes.replace(&self.base().display().to_string(), "")
    }
}

pub(crate) fn make_world(base: &Path) -> World {
    World {
        cwd: base.to_owned(),
        reader_at: None,
        program: base.join("autoresearch"),
        state_folder: base.join("state"),
        data_folder: base.join("data"),
        vars: BTreeMap::new(),
        clock: Clock::Fixed("2026-01-02T03:04:05.678Z".parse().unwrap()),
        session: None,
        role: ProcessRole::Command,
        patience: OutagePatience::default(),
        load: || None,
        step: |_| {},
        progress: |_| {},
        interrupted: Arc::new(AtomicBool::new(false)),
        dealing: Arc::new(AtomicBool::new(false)),
    }
}

/// The start of a run that lowers `ms` from 100.
pub(super) fn make_start() -> Start {
    let document = json!({
        "goal": "faster", "scope": ["src/**"], "metric": {"name": "ms", "direction": "lower"},
        "verify": {"command": "./bench"},
    });
    let start = json!({
        "format": 1, "run": "fast", "id": ID, "version": "0.0.0", "started_ms": 0,
        "config": check_config(&document).config.unwrap(),
        "branch": "refs/heads/autoresearch/fast", "origin": "refs/heads/main",
        "base": "c0", "tree": "t0", "worktree": null,
        "measurement": {"value": 100, "metrics": {"ms": 100}, "missing": {}},
        "samples": [100, 100], "guard": "not-run", "verify_ms": 1, "environment": "test",
    });
    serde_json::from_value(start).unwrap()
}

/// The intention and the decision of a trial, kept or not, and what closes it.
pub(super) fn make_trial(trial: u32, value: u32, is_kept: bool) -> Vec<Event> {
    let intent = json!({"intent": {
        "trial": trial, "attempt": 0, "message": format!("idea {trial}"), "labels": ["cache"],
        "simplify": false, "parent": "c0",
    }});
    let verdict = json!({"verdict": {
        "trial": trial, "verdict": if is_kept { "keep" } else { "discard" },
        "why": if is_kept { json!(null) } else { json!("worse-metric") },
        "message": format!("idea {trial}"), "labels": ["cache"],
        "commit": format!("c{trial}"), "tree": format!("t{trial}"),
        "measurement": {"value": value, "metrics": {"ms": value}, "missing": {}},
        "samples": [], "delta": null, "guard": "not-run", "droppings": [],
    }});
    let close = json!({"close": {"trial": trial, "head": "c0"}});
    let mut events = vec![intent, verdict];
    if !is_kept {
        events.push(close);
    }
    let read = |event| serde_json::from_value(event).unwrap();
    events.into_iter().map(read).collect()
}
