//! Owns the hooks that we register: their events, their commands, their keys of trust.
//! Does not know where they stand.
//! Invariant: what a command is made of is part of the trust in it, so nothing in it changes from version to version.

use std::path::Path;

use autoresearch_core::shell::quote::quote_word;

/// A hook that we register.
#[derive(Debug)]
pub struct Hook {
    /// The event, as `hooks.json` names it.
    pub event: &'static str,
    /// The event, as keys of trust name it.
    pub snake: &'static str,
    pub word: &'static str,
    /// Seconds until Codex ends it.
    pub timeout: u64,
    /// What Codex shows while it runs.
    pub status: Option<&'static str>,
}

/// The hooks that we register. Codex clamps `Interrupt` to three seconds, with a warning at every start if it must.
pub const HOOKS: [Hook; 3] = [
    Hook {
        event: "SessionStart",
        snake: "session_start",
        word: "session-start",
        timeout: 10,
        status: None,
    },
    Hook {
        event: "Stop",
        snake: "stop",
        word: "stop",
        timeout: 1_000_000,
        status: Some("autoresearch: measuring"),
    },
    Hook {
        event: "Interrupt",
        snake: "interrupt",
        word: "interrupt",
        timeout: 3,
        status: None,
    },
];

impl Hook {
    /// What Codex gives to the shell.
    #[must_use]
    pub fn format_command(&self, program: &str) -> String {
        format!("{} {}", quote_word(program), self.word)
    }

    /// Is a command of Codex's files this hook? Earlier versions put more paths into quotes, and what Codex trusts is the
    /// command to the letter: their spelling stays as good as ours.
    #[must_use]
    pub fn is_command(&self, command: &str, program: &str) -> bool {
        let in_quotes = format!("'{}' {}", program.replace('\'', r"'\''"), self.word);
        command == in_quotes || command == self.format_command(program)
    }

    /// The key of trust of a hook at a place of a `hooks.json`.
    #[must_use]
    pub fn format_trust_key(&self, hooks_file: &Path, group: usize, handler: usize) -> String {
        format!("{}:{}:{group}:{handler}", hooks_file.display(), self.snake)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_known_in_our_spelling_and_in_that_of_earlier_versions() {
        let hook = &HOOKS[1];
        for (program, ours, earlier) in [
            (
                "/h/größe/hook",
                "/h/größe/hook stop",
                "'/h/größe/hook' stop",
            ),
            (
                "/h/50%=x/hook",
                "/h/50%=x/hook stop",
                "'/h/50%=x/hook' stop",
            ),
            (
                "/h/it's/hook",
                r"'/h/it'\''s/hook' stop",
                r"'/h/it'\''s/hook' stop",
            ),
            ("/h/plain/hook", "/h/plain/hook stop", "/h/plain/hook stop"),
        ] {
            assert_eq!(hook.format_command(program), ours);
            assert!(hook.is_command(ours, program) && hook.is_command(earlier, program));
            assert!(!hook.is_command(&ours.replace("/h/", "/i/"), program));
        }
        assert!(!hook.is_command("/h/plain/hook interrupt", "/h/plain/hook"));
    }

    #[test]
    fn what_codex_trusts_of_our_hooks_is_the_same_in_every_version() {
        let all = HOOKS.map(|hook| {
            let command = hook.format_command("/h/hook");
            let key = hook.format_trust_key(Path::new("/home/u/.codex/hooks.json"), 1, 0);
            (command, hook.timeout, hook.status, key)
        });
        insta::assert_debug_snapshot!(all, @r#"
        [
            (
                "/h/hook session-start",
                10,
                None,
                "/home/u/.codex/hooks.json:session_start:1:0",
            ),
            (
                "/h/hook stop",
                1000000,
                Some(
                    "autoresearch: measuring",
                ),
                "/home/u/.codex/hooks.json:stop:1:0",
            ),
            (
                "/h/hook interrupt",
                3,
                None,
                "/home/u/.codex/hooks.json:interrupt:1:0",
            ),
        ]
        "#);
    }
}
