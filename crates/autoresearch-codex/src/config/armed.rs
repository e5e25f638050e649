//! Owns the cheap answer to "will Codex run our hooks?": from files alone, without starting Codex.
//! Does not ask Codex; `hooks status` does.
//! Invariant: `Armed` only if Codex confirmed the trust at the installation and nothing of it has changed since.

pub use autoresearch_core::agent::caller::Armed;

use std::path::Path;

use super::manifest::{Manifest, Registered};
use super::trust::Config;
use super::{files, hooks_file};
use crate::home::{HOOKS, Home, SKILL};
use autoresearch_sys::env::World;

/// Stands in every command that calls our hook program.
const SKILL_WORD: &str = "autoresearch";

/// Will Codex run our hooks, as far as files tell?
#[must_use]
pub fn armed(world: &World) -> Armed {
    look(world).unwrap_or(Armed::Unknown)
}

fn look(world: &World) -> Option<Armed> {
    let home = Home::of(world).ok()?;
    let manifest = Manifest::load(world).ok()?;
    let text = files::read_text(&home.config_file()).ok()?;
    let config = Config::parse(&text.unwrap_or_default()).ok()?;
    if config.hooks_are_off() {
        return Some(Armed::NotArmed);
    }
    let found = match manifest.registered(&home.root) {
        Some(hooks) => registered(&home, hooks, &config)?,
        // A person may have registered them by hand: only Codex can tell whether it trusts them.
        None if text_of(&home.hooks_file()).contains(SKILL_WORD) => Armed::Unknown,
        None => Armed::NotArmed,
    };
    // The trust of a plugin's hooks covers all of its files: only Codex can tell.
    if found == Armed::NotArmed && config.has_plugin(SKILL) {
        return Some(Armed::Unknown);
    }
    Some(found)
}

fn text_of(path: &Path) -> String {
    files::read_text(path).ok().flatten().unwrap_or_default()
}

fn registered(home: &Home, hooks: &Registered, config: &Config) -> Option<Armed> {
    let path = home.hooks_file();
    let Some(text) = files::read_text(&path).ok()? else {
        return Some(Armed::NotArmed);
    };
    if files::mode(hooks.program.as_ref()).is_none_or(|mode| mode & 0o111 == 0) {
        return Some(Armed::NotArmed);
    }
    let mut found = Armed::Armed;
    for hook in &HOOKS {
        let spots = hooks_file::spots(&text, hook, &hooks.program).ok()?;
        let [spot] = spots.as_slice() else {
            return Some(Armed::NotArmed);
        };
        let key = hook.key(&path, spot.group, spot.handler);
        let state = config.hook(&key).unwrap_or_default();
        let confirmed = hooks.keys.iter().find(|(known, _)| *known == key);
        let confirmed = confirmed.and_then(|(_, hash)| hash.as_ref());
        match (state.trusted_hash, confirmed) {
            _ if state.disabled => return Some(Armed::NotArmed),
            (None, _) => return Some(Armed::NotArmed),
            (Some(trusted), Some(confirmed)) if trusted == *confirmed && spot.exact => {}
            _ => found = Armed::Unknown,
        }
    }
    Some(found)
}
