//! Owns `uninstall`: everything of ours out, everything of the user's as it was.
//! Does not touch run folders, anchors or git.
//! Invariant: a file that nobody else changed gets its bytes back; from one that somebody changed only our parts go.

use std::path::Path;

use super::plan::{InstallPlan, InstallReport, InstallState};
use super::register::list_trust_keys;
use super::safety::{check_unchanged, lock_installation};
use autoresearch_core::words::text::format_count;

use crate::config::manifest::{Manifest, RegisteredHooks};
use crate::config::our_hooks::HOOKS;
use crate::config::trust;
use crate::config::trust::TrustConfig;
use crate::config::{files, hooks_file};
use crate::error::CodexError;
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovalScope {
    All,
    Hooks,
}

/// What a removal is going to do.
pub fn plan_removal(world: &World, scope: RemovalScope) -> Result<InstallPlan> {
    let mut plan = InstallPlan {
        action: match scope {
            RemovalScope::All => "uninstall",
            RemovalScope::Hooks => "hooks uninstall",
        },
        manifest: Manifest::read_from(world)?,
        ..InstallPlan::default()
    };
    for hooks in plan.manifest.hooks.clone() {
        plan_unregistration(&mut plan, &hooks)?;
    }
    if scope == RemovalScope::All {
        for made in plan.manifest.files.clone() {
            match files::hash_file(&made.path)? {
                None => {}
                Some(now) if made.hashes.contains(&now) => plan.deletes.push(made.path),
                Some(_) => plan.warnings.push(format!(
                    "{} was changed by somebody else and stays",
                    made.path.display()
                )),
            }
        }
    }
    Ok(plan)
}

fn plan_unregistration(plan: &mut InstallPlan, hooks: &RegisteredHooks) -> Result<()> {
    let path = hooks.home.join("hooks.json");
    let now = files::read_text(&path)?;
    let mut ours = Vec::new();
    let mut moves = Vec::new();
    if let Some(text) = &now {
        ours = list_trust_keys(text, &path, &hooks.program)?;
        moves = list_moved_keys(text, &path, &hooks.program)?;
        let after = plan
            .manifest
            .compute_original(&path, now.as_deref(), |text, before| {
                hooks_file::remove_our_hooks(text, before, &hooks.program)
            });
        let after = after.map_err(CodexError::wrap_fault(&path))?;
        plan_edit(plan, &path, now, after);
    }
    plan_distrust(plan, hooks, ours, &moves)?;
    if !moves.is_empty() {
        plan.notes.push(format!(
            "{} after ours in {} move up; their trust names their position, so it is moved with them",
            format_count(moves.len(), "hook"),
            path.display()
        ));
    }
    Ok(())
}

/// Takes the trust of our hooks out: where they stand, and where we know them to have stood.
fn plan_distrust(
    plan: &mut InstallPlan,
    hooks: &RegisteredHooks,
    mut ours: Vec<String>,
    moves: &[(String, String)],
) -> Result<()> {
    let path = hooks.home.join("config.toml");
    let Some(now) = files::read_text(&path)? else {
        return Ok(());
    };
    let config = TrustConfig::parse_text(&now).map_err(CodexError::wrap_fault(&path))?;
    for (key, hash) in &hooks.keys {
        let trusted = config
            .find_hook_state(key)
            .and_then(|state| state.trusted_hash);
        if trusted.is_some() && trusted == *hash && !ours.contains(key) {
            ours.push(key.clone());
        }
    }
    let strip = |text: &str, before: Option<&str>| {
        let text = trust::remove_trust_keys(text, &ours, before)?;
        let text = trust::rename_trust_keys(&text, moves);
        Ok((before.is_some() || !text.trim().is_empty()).then_some(text))
    };
    let after = match plan.manifest.find_patched_file(&path) {
        Some(_) => plan.manifest.compute_original(&path, Some(&now), strip),
        // The user gave the trust by hand, in Codex.
        None => trust::remove_trust_keys(&now, &ours, None)
            .map(|text| Some(trust::rename_trust_keys(&text, moves))),
    };
    let after = after.map_err(CodexError::wrap_fault(&path))?;
    plan_edit(plan, &path, Some(now), after);
    Ok(())
}

/// Adds an edit that gives the rights back too when it gives all bytes back.
fn plan_edit(plan: &mut InstallPlan, path: &Path, now: Option<String>, after: Option<String>) {
    let changed = plan.manifest.find_patched_file(path);
    let mode = changed
        .filter(|changed| changed.original == after)
        .and_then(|changed| changed.mode);
    let edits = plan.edits.len();
    plan.add_edit(path, now, after);
    if let Some(edit) = plan.edits.get_mut(edits) {
        edit.mode = mode;
    }
}

/// Old and new keys of the hooks that stand behind groups of ours.
fn list_moved_keys(text: &str, path: &Path, program: &str) -> Result<Vec<(String, String)>> {
    let mut moves = Vec::new();
    for hook in &HOOKS {
        let spots =
            hooks_file::find_spots(text, hook, program).map_err(CodexError::wrap_fault(path))?;
        if let [spot] = spots.as_slice()
            && spot.alone
        {
            for group in spot.group + 1..=spot.group + spot.behind {
                let handlers = hooks_file::count_handlers(text, hook, group)
                    .map_err(CodexError::wrap_fault(path))?;
                moves.extend((0..handlers).map(|handler| {
                    (
                        hook.format_trust_key(path, group, handler),
                        hook.format_trust_key(path, group - 1, handler),
                    )
                }));
            }
        }
    }
    Ok(moves)
}

/// Does what the plan says.
pub fn apply_removal(
    world: &World,
    mut plan: InstallPlan,
    scope: RemovalScope,
) -> Result<InstallReport> {
    if plan.manifest.is_empty() || (scope == RemovalScope::Hooks && plan.manifest.hooks.is_empty())
    {
        return Ok(plan.to_report(InstallState::NothingToDo));
    }
    let locked = lock_installation(&world.data_folder)?;
    check_unchanged(&plan)?;
    for edit in &plan.edits {
        (world.step)("uninstall edit");
        match &edit.after {
            Some(text) => {
                files::replace_file(&edit.path, text.as_bytes(), 0o600)?;
                if let Some(mode) = edit.mode {
                    files::set_mode(&edit.path, mode)?;
                }
            }
            None => files::remove_if_present(&edit.path)?,
        }
    }
    for path in &plan.deletes {
        (world.step)("uninstall file");
        files::remove_if_present(path)?;
    }
    (world.step)("uninstall end");
    plan.manifest.hooks.clear();
    plan.manifest.changed.clear();
    if scope == RemovalScope::All {
        plan.manifest.files.clear();
    }
    plan.manifest.write_to(world)?;
    drop(locked);
    if plan.manifest.is_empty() {
        for folder in plan.manifest.folders.iter().rev() {
            // One that is not empty is somebody else's too.
            let _ = std::fs::remove_dir(folder);
        }
    }
    Ok(plan.to_report(InstallState::Done))
}
