//! Owns `uninstall`: everything of ours out, everything of the user's as it was.
//! Does not touch run folders, anchors or git.
//! Invariant: a file that nobody else changed gets its bytes back; from one that somebody changed only our parts go.

use std::path::Path;

use super::plan::{Plan, Report, State};
use super::register::{fault_in, keys};
use super::{check_unchanged, lock};
use crate::config::manifest::{Manifest, Registered};
use crate::config::trust;
use crate::config::trust::Config;
use crate::config::{files, hooks_file};
use crate::home::HOOKS;
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;

/// What to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    All,
    /// The hooks.
    Hooks,
}

/// What a removal is going to do.
pub fn plan(world: &World, scope: Scope) -> Result<Plan> {
    let mut plan = Plan {
        action: match scope {
            Scope::All => "uninstall",
            Scope::Hooks => "hooks uninstall",
        },
        manifest: Manifest::load(world)?,
        ..Plan::default()
    };
    for hooks in plan.manifest.hooks.clone() {
        unregister(&mut plan, &hooks)?;
    }
    if scope == Scope::All {
        for made in plan.manifest.files.clone() {
            match files::read(&made.path)? {
                None => {}
                Some(bytes) if made.hashes.contains(&files::hash(&bytes)) => {
                    plan.deletes.push(made.path);
                }
                Some(_) => plan.warnings.push(format!(
                    "{} was changed by somebody else and stays",
                    made.path.display()
                )),
            }
        }
    }
    Ok(plan)
}

fn unregister(plan: &mut Plan, hooks: &Registered) -> Result<()> {
    let path = hooks.home.join("hooks.json");
    let now = files::read_text(&path)?;
    let mut ours = Vec::new();
    let mut moves = Vec::new();
    if let Some(text) = &now {
        ours = keys(text, &path, &hooks.program)?;
        moves = moved_keys(text, &path, &hooks.program)?;
        let after = plan
            .manifest
            .original(&path, now.as_deref(), |text, before| {
                hooks_file::without_ours(text, before, &hooks.program)
            });
        let after = after.map_err(fault_in(&path))?;
        plan_edit(plan, &path, now, after);
    }
    distrust(plan, hooks, ours, &moves)?;
    if !moves.is_empty() {
        plan.notes.push(format!(
            "{} hook(s) behind ours in {} move up; their trust, which names their place, is moved with them",
            moves.len(),
            path.display()
        ));
    }
    Ok(())
}

/// Takes the trust of our hooks out: where they stand, and where we know them to have stood.
fn distrust(
    plan: &mut Plan,
    hooks: &Registered,
    mut ours: Vec<String>,
    moves: &[(String, String)],
) -> Result<()> {
    let path = hooks.home.join("config.toml");
    let Some(now) = files::read_text(&path)? else {
        return Ok(());
    };
    let config = Config::parse(&now).map_err(fault_in(&path))?;
    for (key, hash) in &hooks.keys {
        let trusted = config.hook(key).and_then(|state| state.trusted_hash);
        if trusted.is_some() && trusted == *hash && !ours.contains(key) {
            ours.push(key.clone());
        }
    }
    let strip = |text: &str, before: Option<&str>| {
        let text = trust::without(text, &ours, before)?;
        let text = trust::moved(&text, moves);
        Ok((before.is_some() || !text.trim().is_empty()).then_some(text))
    };
    let after = match plan.manifest.changed(&path) {
        Some(_) => plan.manifest.original(&path, Some(&now), strip),
        // The user gave the trust by hand, in Codex.
        None => trust::without(&now, &ours, None).map(|text| Some(trust::moved(&text, moves))),
    };
    let after = after.map_err(fault_in(&path))?;
    plan_edit(plan, &path, Some(now), after);
    Ok(())
}

/// Adds an edit that gives the rights back too when it gives all bytes back.
fn plan_edit(plan: &mut Plan, path: &Path, now: Option<String>, after: Option<String>) {
    let changed = plan.manifest.changed(path);
    let mode = changed
        .filter(|changed| changed.original == after)
        .and_then(|changed| changed.mode);
    let edits = plan.edits.len();
    plan.edit(path, now, after);
    if let Some(edit) = plan.edits.get_mut(edits) {
        edit.mode = mode;
    }
}

/// Old and new keys of the hooks that stand behind groups of ours.
fn moved_keys(text: &str, path: &Path, program: &str) -> Result<Vec<(String, String)>> {
    let mut moves = Vec::new();
    for hook in &HOOKS {
        let spots = hooks_file::spots(text, hook, program).map_err(fault_in(path))?;
        if let [spot] = spots.as_slice()
            && spot.alone
        {
            for group in spot.group + 1..=spot.group + spot.behind {
                let handlers = hooks_file::handlers(text, hook, group).map_err(fault_in(path))?;
                moves.extend((0..handlers).map(|handler| {
                    (
                        hook.key(path, group, handler),
                        hook.key(path, group - 1, handler),
                    )
                }));
            }
        }
    }
    Ok(moves)
}

/// Does what the plan says.
pub fn apply(world: &World, mut plan: Plan, scope: Scope) -> Result<Report> {
    if plan.manifest.is_empty() || (scope == Scope::Hooks && plan.manifest.hooks.is_empty()) {
        return Ok(plan.report(State::NothingToDo));
    }
    let locked = lock(&world.data_folder)?;
    check_unchanged(&plan)?;
    for edit in &plan.edits {
        (world.step)("uninstall edit");
        match &edit.after {
            Some(text) => {
                files::put(&edit.path, text.as_bytes(), 0o600)?;
                if let Some(mode) = edit.mode {
                    files::set_mode(&edit.path, mode)?;
                }
            }
            None => files::remove(&edit.path)?,
        }
    }
    for path in &plan.deletes {
        (world.step)("uninstall file");
        files::remove(path)?;
    }
    (world.step)("uninstall end");
    plan.manifest.hooks.clear();
    plan.manifest.changed.clear();
    if scope == Scope::All {
        plan.manifest.files.clear();
    }
    plan.manifest.save(world)?;
    drop(locked);
    if plan.manifest.is_empty() {
        for folder in plan.manifest.folders.iter().rev() {
            // One that is not empty is somebody else's too.
            let _ = std::fs::remove_dir(folder);
        }
    }
    Ok(plan.report(State::Done))
}
