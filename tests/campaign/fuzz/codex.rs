//! Owns the inputs that come from Codex: the events of a turn, what its threads say of it, the answers of its server, and the
//! manifest of what was installed for it.
//! Does not start Codex: a script stands for it.
//! Invariant: another program's words end as an answer or as an error.

use std::path::{Path, PathBuf};

use autoresearch_codex::app_server::{AppServer, read_rule_decision, read_version};
use autoresearch_codex::config::manifest::Manifest;
use autoresearch_codex::home::CodexHome;
use autoresearch_codex::turn::read_turn_result;
use autoresearch_sys::env::World;

use super::mutate::spoil;
use crate::bench::write_file;
use crate::dice::Dice;

const THREAD: &str = "0199a213-81c0-7800-8aa1-bbab2a035a53";

const EVENTS: &str = r#"{"type":"thread.started","thread_id":"0199a213-81c0-7800-8aa1-bbab2a035a53"}
{"type":"turn.started"}
{"type":"item.completed","item":{"id":"i","type":"agent_message","text":"done"}}
{"type":"turn.completed","usage":{"input_tokens":10,"cached_input_tokens":2,"output_tokens":5}}
"#;

const FAILED: &str = r#"{"type":"thread.started","thread_id":"0199a213-81c0-7800-8aa1-bbab2a035a53"}
{"type":"error","message":"stream disconnected before completion"}
{"type":"turn.failed","error":{"message":"You've hit your usage limit. Try again at 7:45 AM."}}
"#;

const ROLLOUT: &str = r#"{"timestamp":"2026-11-27T07:00:00Z","type":"session_meta","payload":{"id":"0199a213-81c0-7800-8aa1-bbab2a035a53"}}
{"timestamp":"2026-11-27T07:00:01Z","type":"event_msg","payload":{"type":"token_count","info":{"total_token_usage":{"total_tokens":17}},"rate_limits":{"primary":{"used_percent":100.0,"window_minutes":300,"resets_at":1795800000}}}}
{"timestamp":"2026-11-27T07:00:02Z","type":"event_msg","payload":{"type":"error","message":"usage limit","codex_error_info":"usage_limit_exceeded"}}
"#;

const ANSWERS: &str = r#"{"id":1,"result":{"userAgent":"codex"}}
{"method":"configWarning","params":{}}
{"id":2,"result":{"data":[{"cwd":"/r","hooks":[{"key":"k","eventName":"stop","command":"c","source":"user","sourcePath":"/h/hooks.json","enabled":true,"isManaged":false,"currentHash":"h","trustStatus":"trusted"}],"warnings":[],"errors":[{"message":"m"}]}]}}
{"id":3,"result":{"data":[{"cwd":"/r","skills":[{"name":"codex-autoresearch","path":"/s/SKILL.md"}]}]}}
"#;

const DECISION: &str =
    r#"{"matchedRules":[{"prefixRuleMatch":{"decision":"allow"}}],"decision":"allow"}"#;

const MANIFEST: &str = r#"{"format":1,"version":"0.1.0","files":[],"folders":[]}"#;

/// A home of Codex's, and the script that stands for it.
pub(crate) struct CodexStand {
    folder: tempfile::TempDir,
    world: World,
}

impl CodexStand {
    pub(crate) fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("codex");
        let said = folder.path().join("said");
        // A child writes it, so that this process never holds it open.
        let script = format!(
            "printf '#!/bin/sh\\ncat {}\\n' > \"$0\" && chmod 755 \"$0\"",
            said.display()
        );
        let mut writer = std::process::Command::new("sh");
        let written = writer.arg("-c").arg(script).arg(&program).status().unwrap();
        assert!(written.success());
        let mut world = World::from_process();
        world.data_folder = folder.path().join("data");
        Self { folder, world }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Feeds one of them; its name.
    pub(crate) fn feed(&self, dice: &mut Dice) -> &'static str {
        match dice.below(4) {
            0 => self.feed_turn(dice),
            1 => self.feed_server(dice),
            2 => self.feed_answer(dice),
            _ => self.feed_manifest(dice),
        }
    }

    fn feed_turn(&self, dice: &mut Dice) -> &'static str {
        let rollout = self.path(&format!(
            "sessions/2026/11/27/rollout-2026-11-27T07-00-00-{THREAD}.jsonl"
        ));
        write_file(&rollout, "");
        std::fs::write(&rollout, spoil(ROLLOUT.as_bytes(), EVENTS.as_bytes(), dice)).unwrap();
        let printed = dice.pick(&[EVENTS, FAILED]);
        let printed = spoil(printed.as_bytes(), ROLLOUT.as_bytes(), dice);
        let home = CodexHome {
            root: self.folder.path().to_owned(),
            exists: true,
        };
        let exited = dice.pick(&[None, Some(0), Some(1)]);
        let result = read_turn_result(&home, 3, &printed, &printed, exited);
        let thread = result.thread.unwrap_or_default();
        assert!(!thread.contains('/'), "a thread that is a path: {thread}");
        "turns of codex"
    }

    fn say(&self, seed: &str, dice: &mut Dice) -> PathBuf {
        let said = spoil(seed.as_bytes(), EVENTS.as_bytes(), dice);
        std::fs::write(self.path("said"), said).unwrap();
        self.path("codex")
    }

    fn feed_server(&self, dice: &mut Dice) -> &'static str {
        let program = self.say(ANSWERS, dice);
        if let Ok(mut server) = AppServer::start(&self.world, &program) {
            let _ = server.list_hooks(Path::new("/r"));
            let _ = server.list_skills(Path::new("/r"));
        }
        "answers of codex's server"
    }

    fn feed_answer(&self, dice: &mut Dice) -> &'static str {
        let program = self.say(DECISION, dice);
        let _ = read_rule_decision(&self.world, &program, Path::new("/rules"), &["a", "start"]);
        let program = self.say("codex-cli 0.130.0\n", dice);
        let _ = read_version(&self.world, &program);
        "answers of codex"
    }

    fn feed_manifest(&self, dice: &mut Dice) -> &'static str {
        let path = Manifest::path_in(&self.world);
        write_file(&path, "");
        std::fs::write(&path, spoil(MANIFEST.as_bytes(), EVENTS.as_bytes(), dice)).unwrap();
        if let Ok(mut manifest) = Manifest::read_from(&self.world) {
            let is_written = manifest.write_to(&self.world).is_ok();
            assert!(is_written && Manifest::read_from(&self.world).is_ok());
        }
        "manifests"
    }
}
