//! Owns the cheap answer to "will Codex run our hooks?": from files alone, without starting Codex.
//! Does not ask Codex; `hooks status` does.
//! Invariant: `Armed` only if Codex confirmed the trust at the installation and nothing of it has changed since.

use std::path::Path;

use autoresearch_core::agent::caller::HookReadiness;

use super::manifest::{Manifest, RegisteredHooks};
use super::our_hooks::HOOKS;
use super::trust::TrustConfig;
use super::{files, hooks_file};
use crate::home::{CodexHome, SKILL};
use autoresearch_sys::env::World;

/// Stands in every command that calls our hook program.
const SKILL_WORD: &str = "autoresearch";

/// Will Codex run our hooks, as far as files tell?
#[must_use]
pub fn read_armed(world: &World) -> HookReadiness {
    judge_files(world).unwrap_or(HookReadiness::Unknown)
}

fn judge_files(world: &World) -> Option<HookReadiness> {
    let home = CodexHome::find_in(world).ok()?;
    let manifest = Manifest::read_from(world).ok()?;
    let text = files::read_text(&home.config_file()).ok()?;
    let config = TrustConfig::parse_text(&text.unwrap_or_default()).ok()?;
    if config.are_hooks_off() {
        return Some(HookReadiness::NotArmed);
    }
    let found = match manifest.find_registered_hooks(&home.root) {
        Some(hooks) => judge_registered_hooks(&home, hooks, &config)?,
        // A person may have registered them by hand: only Codex can tell whether it trusts them.
        None if read_text_or_empty(&home.hooks_file()).contains(SKILL_WORD) => {
            HookReadiness::Unknown
        }
        None => HookReadiness::NotArmed,
    };
    // The trust of a plugin's hooks covers all of its files: only Codex can tell.
    if found == HookReadiness::NotArmed && config.has_plugin(SKILL) {
        return Some(HookReadiness::Unknown);
    }
    Some(found)
}

fn read_text_or_empty(path: &Path) -> String {
    files::read_text(path).ok().flatten().unwrap_or_default()
}

fn judge_registered_hooks(
    home: &CodexHome,
    hooks: &RegisteredHooks,
    config: &TrustConfig,
) -> Option<HookReadiness> {
    let path = home.hooks_file();
    let Some(text) = files::read_text(&path).ok()? else {
        return Some(HookReadiness::NotArmed);
    };
    if files::read_mode(hooks.program.as_ref()).is_none_or(|mode| mode & 0o111 == 0) {
        return Some(HookReadiness::NotArmed);
    }
    let mut found = HookReadiness::Armed;
    for hook in &HOOKS {
        let spots = hooks_file::find_spots(&text, hook, &hooks.program).ok()?;
        let [spot] = spots.as_slice() else {
            return Some(HookReadiness::NotArmed);
        };
        let key = hook.format_trust_key(&path, spot.group, spot.handler);
        let state = config.find_hook_state(&key).unwrap_or_default();
        let confirmed = hooks.keys.iter().find(|(known, _)| *known == key);
        let confirmed = confirmed.and_then(|(_, hash)| hash.as_ref());
        match (state.trusted_hash, confirmed) {
            _ if state.disabled => return Some(HookReadiness::NotArmed),
            (None, _) => return Some(HookReadiness::NotArmed),
            (Some(trusted), Some(confirmed)) if trusted == *confirmed && spot.exact => {}
            _ => found = HookReadiness::Unknown,
        }
    }
    Some(found)
}
