//! Owns `hooks status`: what Codex says of each of our hooks, and the step that arms it.
//! Does not arm anything.
//! Invariant: what was not found out is `unknown`, and never shown as fine.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::register::is_trusted;
use super::stable;
use crate::app_server::{ListedHook, Server};
use crate::config::files;
use crate::config::trust::Config;
use crate::home;
use crate::home::{Armed, HOOKS, Home, Hook, SKILL};
use autoresearch_sys::env::World;

/// One hook.
#[derive(Clone, Debug, Serialize)]
pub struct Standing {
    /// Its event.
    pub event: &'static str,
    /// Will Codex run it?
    pub state: Armed,
    /// What arms it.
    pub step: Option<String>,
}

/// The answer of `hooks status`.
#[derive(Clone, Debug, Serialize)]
pub struct HooksReport {
    /// Was Codex itself asked?
    pub asked: bool,
    /// Each hook.
    pub hooks: Vec<Standing>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
}

const INSTALL: &str = "autoresearch hooks install";

/// Asks Codex about our hooks, as a session in this folder would have them.
#[must_use]
pub fn look(world: &World, folder: &Path) -> HooksReport {
    let home = match Home::of(world) {
        Ok(home) => home,
        Err(error) => return all(Armed::Unknown, &error.to_string(), false),
    };
    let can_ask = home.exists && !home::in_session(world);
    let Some(program) = home::program(world).filter(|_| can_ask) else {
        return from_files(world, &home);
    };
    let answer = Server::start(world, &program).and_then(|mut server| server.hooks(folder));
    let (listed, faults) = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let step = format!("{error}; when Codex works again: autoresearch hooks status");
            return all(Armed::Unknown, &step, false);
        }
    };
    let off = are_off(&home);
    let hooks: Vec<Standing> = HOOKS
        .iter()
        .map(|hook| standing(world, hook, &listed, off))
        .collect();
    let mut notes: Vec<String> = faults
        .into_iter()
        .map(|fault| format!("Codex: {fault}"))
        .collect();
    let armed = hooks.iter().all(|hook| hook.state == Armed::Armed);
    let from_plugin = listed.iter().any(is_plugins);
    let from_file = listed.iter().any(|each| is_own(world, each));
    if from_file && from_plugin {
        notes.push("the plugin and hooks.json both register our hooks, and both run: `autoresearch hooks uninstall` takes one out".to_owned());
    }
    if armed && !from_plugin && home::armed(world) != Armed::Armed {
        notes.push(format!(
            "`{INSTALL}` once more notes the trust, so that commands need not ask Codex"
        ));
    }
    HooksReport {
        asked: true,
        hooks,
        notes,
    }
}

fn are_off(home: &Home) -> bool {
    let text = files::read_text(&home.config_file()).ok().flatten();
    text.and_then(|text| Config::parse(&text).ok())
        .is_some_and(|config| config.hooks_are_off())
}

fn all(state: Armed, step: &str, asked: bool) -> HooksReport {
    let hooks = HOOKS
        .iter()
        .map(|hook| Standing {
            event: hook.event,
            state,
            step: (state != Armed::Armed).then(|| step.to_owned()),
        })
        .collect();
    HooksReport {
        asked,
        hooks,
        notes: Vec::new(),
    }
}

fn from_files(world: &World, home: &Home) -> HooksReport {
    let state = home::armed(world);
    let step = match state {
        _ if are_off(home) => ON.to_owned(),
        Armed::Unknown => {
            "Codex was not asked: in a shell of your own that finds codex, run autoresearch hooks status".to_owned()
        }
        _ => INSTALL.to_owned(),
    };
    all(state, &step, false)
}

const ON: &str = "remove `hooks = false` under `[features]` in Codex's config.toml";

fn is_plugins(listed: &ListedHook) -> bool {
    let plugin = listed.plugin_id.as_deref().unwrap_or_default();
    plugin.split('@').next() == Some(SKILL)
}

fn is_own(world: &World, listed: &ListedHook) -> bool {
    let program = stable(world, "autoresearch-hook");
    let program = program.to_string_lossy();
    let ours = |hook: &Hook| listed.command.as_deref() == Some(&hook.command(&program));
    HOOKS.iter().any(ours)
}

fn standing(world: &World, hook: &Hook, listed: &[ListedHook], off: bool) -> Standing {
    let event = hook.event.to_lowercase();
    let ours: Vec<&ListedHook> = listed
        .iter()
        .filter(|each| {
            each.event_name.to_lowercase().replace('_', "") == event
                && (is_own(world, each) || is_plugins(each))
        })
        .collect();
    let (state, step) = match ours.as_slice() {
        _ if off => (Armed::NotArmed, Some(ON.to_owned())),
        [] => (Armed::NotArmed, Some(INSTALL.to_owned())),
        ours if ours.iter().any(|hook| is_trusted(hook) && hook.enabled) => (Armed::Armed, None),
        [first, ..] if !first.enabled => (
            Armed::NotArmed,
            Some("in Codex, type /hooks and switch it on".to_owned()),
        ),
        [first, ..] => (
            Armed::NotArmed,
            Some(format!(
                "it is {}: {}in Codex, type /hooks, review and trust it",
                first.trust_status,
                if is_plugins(first) {
                    String::new()
                } else {
                    format!("{INSTALL}; or ")
                }
            )),
        ),
    };
    Standing {
        event: hook.event,
        state,
        step,
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:<13} {}", self.event, self.state.word())?;
        match &self.step {
            Some(step) => write!(out, "  ({step})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for HooksReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for hook in &self.hooks {
            writeln!(out, "{hook}")?;
        }
        for note in &self.notes {
            writeln!(out, "note: {note}")?;
        }
        let asked = if self.asked {
            "as Codex says"
        } else {
            "from files; Codex was not asked"
        };
        write!(out, "{asked}")
    }
}
