//! Owns the hooks that we register: their events, their commands, their keys of trust.
//! Does not know where they stand.
//! Invariant: what a command is made of is part of the trust in it, so nothing in it changes from version to version.

use std::path::Path;

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
        format!("{} {}", quote_shell_word(program), self.word)
    }

    /// The key of trust of a hook at a place of a `hooks.json`.
    #[must_use]
    pub fn format_trust_key(&self, hooks_file: &Path, group: usize, handler: usize) -> String {
        format!("{}:{}:{group}:{handler}", hooks_file.display(), self.snake)
    }
}

/// A text as one word of a shell command.
#[must_use]
pub fn quote_shell_word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@:,".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
