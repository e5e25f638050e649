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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::bench::{InstallBench, ask_for_hooks};

    /// How a home in which all is well becomes another one, and what is said then.
    type Change = fn(&mut InstallBench);

    fn replace(bench: &InstallBench, name: &str, from: &str, to: &str) {
        let text = bench.read(&format!("home/.codex/{name}"));
        assert!(text.contains(from));
        bench.write(&format!("home/.codex/{name}"), &text.replacen(from, to, 1));
    }

    const CHANGES: [(Change, HookReadiness); 14] = [
        (|_| {}, HookReadiness::Armed),
        (
            |bench| replace(bench, "config.toml", "sha256:stop", "sha256:other"),
            HookReadiness::Unknown,
        ),
        (
            |bench| replace(bench, "config.toml", "trusted_hash = \"sha256:stop\"", ""),
            HookReadiness::NotArmed,
        ),
        (
            |bench| {
                replace(
                    bench,
                    "config.toml",
                    "trusted_hash",
                    "enabled = false\ntrusted_hash",
                );
            },
            HookReadiness::NotArmed,
        ),
        (
            |bench| bench.write("home/.codex/config.toml", "features.hooks = false"),
            HookReadiness::NotArmed,
        ),
        (
            |bench| bench.write("home/.codex/config.toml", "= no toml"),
            HookReadiness::Unknown,
        ),
        (
            |bench| bench.write("home/.codex/config.toml", ""),
            HookReadiness::NotArmed,
        ),
        (
            |bench| {
                bench.write(
                    "home/.codex/config.toml",
                    "plugins.codex-autoresearch.enabled = true",
                );
            },
            HookReadiness::Unknown,
        ),
        (
            |bench| replace(bench, "hooks.json", "\"timeout\": 3}", "\"timeout\": 2}"),
            HookReadiness::Unknown,
        ),
        (
            |bench| replace(bench, "hooks.json", " stop\"", " halt\""),
            HookReadiness::NotArmed,
        ),
        (
            |bench| bench.write("home/.codex/hooks.json", "no json"),
            HookReadiness::Unknown,
        ),
        (
            |bench| std::fs::remove_file(bench.path("home/.codex/hooks.json")).unwrap(),
            HookReadiness::NotArmed,
        ),
        (
            |bench| {
                bench.set_mode(
                    "home/.local/share/codex-autoresearch/bin/autoresearch-hook",
                    0o644,
                );
            },
            HookReadiness::NotArmed,
        ),
        (
            |bench| drop(bench.world.vars.insert("CODEX_HOME".into(), "/none".into())),
            HookReadiness::Unknown,
        ),
    ];

    #[test]
    fn hooks_are_armed_only_as_long_as_nothing_changed_since_codex_confirmed_the_trust() {
        for (at, (change, expected)) in CHANGES.into_iter().enumerate() {
            let mut bench = InstallBench::with_codex_home(&[]).with_codex(0, &[]);
            bench.try_install(&ask_for_hooks()).unwrap();
            change(&mut bench);
            assert_eq!(read_armed(&bench.world), expected, "change {at}");
        }
    }

    #[test]
    fn hooks_that_no_manifest_lists_are_unknown_where_a_person_wrote_some_of_ours() {
        for (text, expected) in [
            ("{}", HookReadiness::NotArmed),
            (
                "{\"hooks\": \"autoresearch-hook stop\"}",
                HookReadiness::Unknown,
            ),
        ] {
            let bench = InstallBench::with_codex_home(&[("hooks.json", text)]);
            assert_eq!(read_armed(&bench.world), expected, "{text}");
        }
        assert_eq!(
            read_armed(&InstallBench::new().world),
            HookReadiness::NotArmed
        );
    }
}
