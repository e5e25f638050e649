//! Owns `hooks status`: what Codex says of each of our hooks, and the step that arms it.
//! Does not arm anything.
//! Invariant: what was not found out is `unknown`, and never shown as fine.

use std::fmt;
use std::path::Path;

use autoresearch_core::agent::caller::HookReadiness;
use serde::Serialize;

use super::places::{HOOK_NAME, installed_path};
use crate::app_server::{AppServer, ListedHook};
use crate::config::our_hooks::{HOOKS, Hook};
use crate::config::trust::TrustConfig;
use crate::config::{armed, files};
use crate::home;
use crate::home::{CodexHome, SKILL};
use autoresearch_sys::env::World;

#[derive(Clone, Debug, Serialize)]
pub struct HookStanding {
    pub event: &'static str,
    /// Will Codex run it?
    pub state: HookReadiness,
    pub step: Option<String>,
}

/// The answer of `hooks status`.
#[derive(Clone, Debug, Serialize)]
pub struct HooksReport {
    /// Was Codex itself asked?
    pub asked: bool,
    pub hooks: Vec<HookStanding>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
}

const INSTALL: &str = "autoresearch hooks install";

/// Asks Codex about our hooks, as a session in this folder would have them.
#[must_use]
pub fn report_hooks(world: &World, folder: &Path) -> HooksReport {
    let home = match CodexHome::find_in(world) {
        Ok(home) => home,
        Err(error) => return report_same_state(HookReadiness::Unknown, &error.to_string(), false),
    };
    let can_ask = home.exists && !home::is_in_session(world);
    let Some(program) = home::find_program(world).filter(|_| can_ask) else {
        return report_from_files(world, &home);
    };
    let answer = AppServer::start(world, &program).and_then(|mut server| server.list_hooks(folder));
    let (listed, faults) = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let step = format!("{error}; when Codex works again: autoresearch hooks status");
            return report_same_state(HookReadiness::Unknown, &step, false);
        }
    };
    let off = are_hooks_off(&home);
    let hooks: Vec<HookStanding> = HOOKS
        .iter()
        .map(|hook| judge_hook(world, hook, &listed, off))
        .collect();
    let mut notes: Vec<String> = faults
        .into_iter()
        .map(|fault| format!("Codex: {fault}"))
        .collect();
    let armed = hooks.iter().all(|hook| hook.state == HookReadiness::Armed);
    let from_plugin = listed.iter().any(is_from_plugin);
    let from_file = listed.iter().any(|each| is_our_program(world, each));
    if from_file && from_plugin {
        notes.push("the plugin and hooks.json both register our hooks, and both run: `autoresearch hooks uninstall` removes one".to_owned());
    }
    if armed && !from_plugin && armed::read_armed(world) != HookReadiness::Armed {
        notes.push(format!(
            "`{INSTALL}` again records the trust, so that commands need not ask Codex"
        ));
    }
    HooksReport {
        asked: true,
        hooks,
        notes,
    }
}

fn are_hooks_off(home: &CodexHome) -> bool {
    let text = files::read_text(&home.config_file()).ok().flatten();
    text.and_then(|text| TrustConfig::parse_text(&text).ok())
        .is_some_and(|config| config.are_hooks_off())
}

fn report_same_state(state: HookReadiness, step: &str, asked: bool) -> HooksReport {
    let hooks = HOOKS
        .iter()
        .map(|hook| HookStanding {
            event: hook.event,
            state,
            step: (state != HookReadiness::Armed).then(|| step.to_owned()),
        })
        .collect();
    HooksReport {
        asked,
        hooks,
        notes: Vec::new(),
    }
}

fn report_from_files(world: &World, home: &CodexHome) -> HooksReport {
    let state = armed::read_armed(world);
    let step = match state {
        _ if are_hooks_off(home) => ON.to_owned(),
        HookReadiness::Unknown => {
            "Codex was not asked: in your own shell, with codex on PATH, run autoresearch hooks status".to_owned()
        }
        _ => INSTALL.to_owned(),
    };
    report_same_state(state, &step, false)
}

const ON: &str = "remove `hooks = false` under `[features]` in Codex's config.toml";

fn is_from_plugin(listed: &ListedHook) -> bool {
    let plugin = listed.plugin_id.as_deref().unwrap_or_default();
    plugin.split('@').next() == Some(SKILL)
}

fn is_our_program(world: &World, listed: &ListedHook) -> bool {
    let program = installed_path(world, HOOK_NAME);
    let program = program.to_string_lossy();
    let command = listed.command.as_deref().unwrap_or_default();
    HOOKS.iter().any(|hook| hook.is_command(command, &program))
}

fn judge_hook(world: &World, hook: &Hook, listed: &[ListedHook], off: bool) -> HookStanding {
    let event = hook.event.to_lowercase();
    let ours: Vec<&ListedHook> = listed
        .iter()
        .filter(|each| {
            each.event_name.to_lowercase().replace('_', "") == event
                && (is_our_program(world, each) || is_from_plugin(each))
        })
        .collect();
    let (state, step) = match ours.as_slice() {
        _ if off => (HookReadiness::NotArmed, Some(ON.to_owned())),
        [] => (HookReadiness::NotArmed, Some(INSTALL.to_owned())),
        ours if ours.iter().any(|hook| hook.is_trusted() && hook.enabled) => {
            (HookReadiness::Armed, None)
        }
        [first, ..] if !first.enabled => (
            HookReadiness::NotArmed,
            Some("in Codex, type /hooks and switch it on".to_owned()),
        ),
        [first, ..] => (
            HookReadiness::NotArmed,
            Some(format!(
                "it is {}: {}in Codex, type /hooks, review and trust it",
                first.trust_status,
                if is_from_plugin(first) {
                    String::new()
                } else {
                    format!("{INSTALL}; or ")
                }
            )),
        ),
    };
    HookStanding {
        event: hook.event,
        state,
        step,
    }
}

impl fmt::Display for HookStanding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:<13} {}", self.event, self.state.as_str())?;
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

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::{Value, json};

    use super::*;
    use crate::install::bench::{InstallBench, ask_for_hooks};

    fn list_hook(more: &Value) -> ListedHook {
        let mut hook = json!({"key": "k", "eventName": "stop", "trustStatus": "untrusted"});
        hook.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        serde_json::from_value(hook).unwrap()
    }

    #[test]
    fn the_state_of_a_hook_is_what_codex_says_of_ours_and_of_no_other() {
        let bench = InstallBench::new();
        let program = installed_path(&bench.world, HOOK_NAME)
            .display()
            .to_string();
        let ours =
            |status: &str| json!({"command": format!("{program} stop"), "trustStatus": status});
        let plugin =
            |status: &str| json!({"pluginId": "codex-autoresearch@m", "trustStatus": status});
        let off = json!({"command": format!("{program} stop"), "trustStatus": "trusted", "enabled": false});
        let review = "in Codex, type /hooks, review and trust it";
        let registered = format!("it is modified: autoresearch hooks install; or {review}");
        for (listed, state, step) in [
            (vec![], HookReadiness::NotArmed, INSTALL),
            (
                vec![json!({"command": "say done"})],
                HookReadiness::NotArmed,
                INSTALL,
            ),
            (
                vec![json!({"pluginId": "other@codex-autoresearch"})],
                HookReadiness::NotArmed,
                INSTALL,
            ),
            (
                vec![json!({"command": format!("{program} stop"), "eventName": "interrupt"})],
                HookReadiness::NotArmed,
                INSTALL,
            ),
            (vec![ours("trusted")], HookReadiness::Armed, ""),
            (vec![ours("managed")], HookReadiness::Armed, ""),
            (vec![plugin("trusted")], HookReadiness::Armed, ""),
            (
                vec![ours("modified"), plugin("trusted")],
                HookReadiness::Armed,
                "",
            ),
            (
                vec![off],
                HookReadiness::NotArmed,
                "in Codex, type /hooks and switch it on",
            ),
            (vec![ours("modified")], HookReadiness::NotArmed, &registered),
            (
                vec![plugin("untrusted")],
                HookReadiness::NotArmed,
                &format!("it is untrusted: {review}"),
            ),
        ] {
            let listed: Vec<ListedHook> = listed.iter().map(list_hook).collect();
            let standing = judge_hook(&bench.world, &HOOKS[1], &listed, false);
            assert_eq!(
                (standing.event, standing.state),
                ("Stop", state),
                "{listed:?}"
            );
            assert_eq!(standing.step.unwrap_or_default(), step, "{listed:?}");
        }
    }

    #[test]
    fn where_hooks_are_switched_off_not_even_a_trusted_one_is_armed() {
        let bench = InstallBench::new();
        let trusted = json!({"pluginId": "codex-autoresearch@m", "trustStatus": "trusted"});
        for listed in [vec![], vec![list_hook(&trusted)]] {
            let standing = judge_hook(&bench.world, &HOOKS[1], &listed, true);
            let found = (standing.state, standing.step.as_deref());
            assert_eq!(found, (HookReadiness::NotArmed, Some(ON)));
        }
    }

    #[test]
    fn an_event_is_known_in_every_spelling_of_codexs() {
        let bench = InstallBench::new();
        for name in ["SessionStart", "sessionStart", "session_start"] {
            let more = json!({"eventName": name, "pluginId": "codex-autoresearch", "trustStatus": "trusted"});
            let standing = judge_hook(&bench.world, &HOOKS[0], &[list_hook(&more)], false);
            assert_eq!(standing.state, HookReadiness::Armed, "{name}");
        }
    }

    #[test]
    fn without_codex_the_files_have_to_do_and_the_report_says_so() {
        let bench = InstallBench::of_a_user();
        let report = || bench.show(&report_hooks(&bench.world, &bench.world.cwd));
        assert_snapshot!(report(), @"
        SessionStart  not armed  (autoresearch hooks install)
        Stop          not armed  (autoresearch hooks install)
        Interrupt     not armed  (autoresearch hooks install)
        from files; Codex was not asked
        ");
        bench.write("home/.codex/config.toml", "features.hooks = false\n");
        assert_snapshot!(report(), @"
        SessionStart  not armed  (remove `hooks = false` under `[features]` in Codex's config.toml)
        Stop          not armed  (remove `hooks = false` under `[features]` in Codex's config.toml)
        Interrupt     not armed  (remove `hooks = false` under `[features]` in Codex's config.toml)
        from files; Codex was not asked
        ");
        bench.write(
            "home/.codex/config.toml",
            "[plugins.codex-autoresearch]\nenabled = true\n",
        );
        assert_snapshot!(report(), @"
        SessionStart  unknown  (Codex was not asked: in your own shell, with codex on PATH, run autoresearch hooks status)
        Stop          unknown  (Codex was not asked: in your own shell, with codex on PATH, run autoresearch hooks status)
        Interrupt     unknown  (Codex was not asked: in your own shell, with codex on PATH, run autoresearch hooks status)
        from files; Codex was not asked
        ");
    }

    #[test]
    fn hooks_of_the_file_and_of_the_plugin_are_told_to_run_both() {
        let plugin = json!({"key": "p", "eventName": "stop", "pluginId": "codex-autoresearch@m", "trustStatus": "untrusted"});
        let bench = InstallBench::with_codex_home(&[]).with_codex(0, &[plugin]);
        bench.try_install(&ask_for_hooks()).unwrap();
        let report = report_hooks(&bench.world, &bench.world.cwd);
        assert_snapshot!(bench.show(&report), @"
        SessionStart  armed
        Stop          armed
        Interrupt     armed
        note: the plugin and hooks.json both register our hooks, and both run: `autoresearch hooks uninstall` removes one
        as Codex says
        ");
    }

    #[test]
    fn a_codex_that_does_not_answer_makes_each_hook_unknown_with_its_words() {
        let mut bench = InstallBench::with_codex_home(&[]).with_codex(0, &[]);
        std::fs::remove_file(bench.path("listed")).unwrap();
        let report = report_hooks(&bench.world, &bench.world.cwd);
        let step = "`codex app-server` ended before it answered `hooks/list`; when Codex works again: autoresearch hooks status";
        assert!(!report.asked);
        for hook in report.hooks {
            assert_eq!(
                (hook.state, hook.step.as_deref()),
                (HookReadiness::Unknown, Some(step))
            );
        }
        // Nor is it asked from within a session of its own, or where it has no home.
        bench
            .world
            .vars
            .insert("CODEX_THREAD_ID".into(), "t".into());
        let report = report_hooks(&bench.world, &bench.world.cwd);
        assert_eq!(
            (report.asked, report.hooks[0].state),
            (false, HookReadiness::NotArmed)
        );
        bench.world.vars.insert("CODEX_HOME".into(), "/none".into());
        let report = report_hooks(&bench.world, &bench.world.cwd);
        assert_eq!(
            report.hooks[0].step.as_deref(),
            Some("CODEX_HOME is /none, which does not exist")
        );
    }
}
