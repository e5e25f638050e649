//! Owns the registration of our hooks: the plan for `hooks.json`, and the trust that Codex is asked for.
//! Does not write `config.toml`: Codex does.
//! Invariant: hooks count as trusted only after Codex has listed them so.

use std::path::Path;

use super::places::{HOOK_NAME, installed_path, path_to_text};
use super::plan::{FileDiff, InstallPlan, TrustRequest};
use crate::app_server::{AppServer, ListedHook};
use crate::config::manifest::{Manifest, RegisteredHooks};
use crate::config::our_hooks::HOOKS;
use crate::config::trust;
use crate::config::trust::TrustConfig;
use crate::config::{files, hooks_file};
use crate::error::CodexError;
use crate::home;
use crate::home::{CodexHome, SKILL};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};

/// Adds the registration to a plan.
pub(super) fn plan_registration(world: &World, plan: &mut InstallPlan) -> Result<()> {
    let home = CodexHome::find_in(world)?;
    let target = installed_path(world, HOOK_NAME);
    let program = path_to_text(&target)?;
    if !target.exists() && !plan.writes.iter().any(|write| write.path == target) {
        return Err(Failure::environment(format!(
            "{} cannot be read, and {} is not there",
            world.program.display(),
            target.display()
        ))
        .hint("build it: cargo install --path crates/autoresearch --locked --force"));
    }
    let path = home.hooks_file();
    let now = files::read_text(&path)?;
    let after = hooks_file::add_our_hooks(now.as_deref(), &program)
        .map_err(CodexError::wrap_fault(&path))?;
    let keys = list_trust_keys(&after, &path, &program)?;
    let edited = now.as_deref() != Some(after.as_str());
    if edited {
        let original = plan
            .manifest
            .compute_original(&path, now.as_deref(), |text, before| {
                hooks_file::remove_our_hooks(text, before, &program)
            });
        let original = original.map_err(CodexError::wrap_fault(&path))?;
        plan.manifest.note_patched_file(&path, original);
        plan.add_edit(&path, now, Some(after));
        plan.notes.push("hooks run outside Codex's sandbox, in every session; ours do nothing unless a run of that session is open, and in a run they execute its verify and guard, and so code that the agent has edited".to_owned());
    }
    let ours = OurHooks {
        home: &home,
        program: &program,
        keys,
        edited,
    };
    plan_trust(world, plan, &ours)
}

/// The keys of trust of our hooks in this text.
pub(super) fn list_trust_keys(text: &str, path: &Path, program: &str) -> Result<Vec<String>> {
    let mut keys = Vec::new();
    for hook in &HOOKS {
        let spots =
            hooks_file::find_spots(text, hook, program).map_err(CodexError::wrap_fault(path))?;
        keys.extend(
            spots
                .iter()
                .map(|spot| hook.format_trust_key(path, spot.group, spot.handler)),
        );
    }
    Ok(keys)
}

/// Our hooks as they will stand.
struct OurHooks<'a> {
    home: &'a CodexHome,
    program: &'a str,
    keys: Vec<String>,
    /// Does their file change?
    edited: bool,
}

fn plan_trust(world: &World, plan: &mut InstallPlan, ours: &OurHooks<'_>) -> Result<()> {
    let path = ours.home.config_file();
    let now = files::read_text(&path)?;
    let config = TrustConfig::parse_text(now.as_deref().unwrap_or_default())
        .map_err(CodexError::wrap_fault(&path))?;
    let known = plan.manifest.find_registered_hooks(&ours.home.root);
    if !ours.edited && known.is_some_and(|known| is_trust_confirmed(known, ours, &config)) {
        return Ok(());
    }
    if ours.edited || known.is_none() {
        let root = &ours.home.root;
        plan.manifest.hooks.retain(|hooks| hooks.home != *root);
        plan.manifest.hooks.push(RegisteredHooks {
            home: root.clone(),
            program: ours.program.to_owned(),
            keys: ours.keys.iter().map(|key| (key.clone(), None)).collect(),
        });
    }
    if config.has_plugin(SKILL) {
        plan.warnings.push("the Codex plugin brings the same hooks, and both would run: keep one of them (`codex plugin remove`, or `autoresearch hooks uninstall`)".to_owned());
    }
    if config.are_hooks_off() {
        plan.warnings.push(format!(
            "hooks are switched off in {} (`hooks = false` under `[features]`): not armed. Remove that line, then run `autoresearch hooks install` again",
            path.display()
        ));
        return Ok(());
    }
    let Some(codex) = home::find_program(world) else {
        plan.warnings.push(
            "codex was not found on PATH, so the hooks are not armed: run `autoresearch hooks install` where it is, or trust them in Codex with /hooks".to_owned(),
        );
        return Ok(());
    };
    let original = plan
        .manifest
        .compute_original(&path, now.as_deref(), |text, before| {
            trust::remove_trust_keys(text, &ours.keys, before).map(Some)
        });
    plan.manifest
        .note_patched_file(&path, original.map_err(CodexError::wrap_fault(&path))?);
    let preview = trust::preview_trust_lines(now.as_deref().unwrap_or_default(), &ours.keys);
    plan.changes
        .push(FileDiff::new(&path, now.as_deref(), Some(&preview)));
    plan.notes.push(
        "Codex itself writes these lines: with them it runs the hooks without a review".to_owned(),
    );
    plan.trust = Some(TrustRequest {
        codex,
        program: ours.program.to_owned(),
        home: ours.home.root.clone(),
    });
    Ok(())
}

/// Did Codex confirm the trust of just these hooks, and does it still hold?
fn is_trust_confirmed(known: &RegisteredHooks, ours: &OurHooks<'_>, config: &TrustConfig) -> bool {
    let confirmed = |key: &String| {
        let hash = known.keys.iter().find(|(each, _)| each == key);
        let hash = hash.and_then(|(_, hash)| hash.clone());
        hash.is_some()
            && config
                .find_hook_state(key)
                .and_then(|state| state.trusted_hash)
                == hash
    };
    known.program == ours.program && ours.keys.iter().all(confirmed)
}

/// Has Codex trust our hooks, and checks that it does.
pub(super) fn trust_our_hooks(
    world: &World,
    trust: &TrustRequest,
    manifest: &mut Manifest,
) -> Result<()> {
    let config = trust.home.join("config.toml");
    let outcome = ask_for_trust(world, trust);
    let hint = "the hooks are registered but not armed: `autoresearch hooks status` says what is missing; in Codex, /hooks trusts them";
    let keys = outcome.map_err(|failure| failure.hint(hint))?;
    for hooks in &mut manifest.hooks {
        if hooks.home == trust.home {
            // Where they stood before is not forgotten: that trust has to go with them one day.
            hooks.keys.retain(|(key, hash)| {
                hash.is_some() && !keys.iter().any(|(known, _)| known == key)
            });
            hooks.keys.extend(keys.iter().cloned());
        }
    }
    let now = files::read_text(&config)?;
    let same = |original: &Option<String>| *original == now;
    if manifest
        .find_patched_file(&config)
        .is_some_and(|changed| same(&changed.original))
    {
        // The user had trusted them already.
        manifest.changed.retain(|changed| changed.path != config);
    } else if let Some(now) = now {
        manifest.note_written_hash(&config, &files::hash_bytes(now.as_bytes()));
    }
    Ok(())
}

fn ask_for_trust(world: &World, trust: &TrustRequest) -> Result<Vec<(String, Option<String>)>> {
    let mut server = AppServer::start(world, &trust.codex)?;
    let (listed, faults) = server.list_hooks(&trust.home)?;
    let ours = filter_our_hooks(listed, trust);
    if ours.len() != HOOKS.len() {
        let mut failure = Failure::environment(format!(
            "Codex lists {} of our {} hooks",
            ours.len(),
            HOOKS.len()
        ));
        failure.causes = faults;
        return Err(failure);
    }
    let (_, fresh): (Vec<_>, Vec<_>) = ours.into_iter().partition(ListedHook::is_trusted);
    if !fresh.is_empty() {
        server.trust_hooks(&fresh)?;
    }
    let (listed, _) = server.list_hooks(&trust.home)?;
    let ours = self::filter_our_hooks(listed, trust);
    if let Some(hook) = ours.iter().find(|hook| !hook.is_trusted()) {
        return Err(Failure::environment(format!(
            "Codex says that the hook {} is {}",
            hook.key, hook.trust_status
        )));
    }
    Ok(ours
        .into_iter()
        .map(|hook| (hook.key, Some(hook.current_hash)))
        .collect())
}

fn filter_our_hooks(listed: Vec<ListedHook>, trust: &TrustRequest) -> Vec<ListedHook> {
    let file = trust.home.join("hooks.json").display().to_string();
    let is_ours = |listed: &ListedHook| {
        let command = listed.command.as_deref().unwrap_or_default();
        let mut hooks = HOOKS.iter();
        listed.key.starts_with(&file) && hooks.any(|hook| hook.is_command(command, &trust.program))
    };
    listed.into_iter().filter(is_ours).collect()
}
