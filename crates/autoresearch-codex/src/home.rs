//! Owns the user's Codex configuration: where it is, what we add to it, and whether that is in force.
//! Does not ask the person: a use case shows the change and gets the yes.
//! Invariant: what is not ours keeps its bytes, and trust is given by Codex itself, never by a hash of our own making.

use autoresearch_sys::error::Failure;
use std::path::{Path, PathBuf};

pub use crate::config::armed::{HookReadiness, read_armed};
pub use crate::turn::outage::TurnFault;
use autoresearch_sys::env::World;

/// The name of the skill.
pub const SKILL: &str = "codex-autoresearch";

/// Something about the Codex configuration did not work.
#[derive(Debug, thiserror::Error)]
pub enum CodexError {
    /// The file system said no.
    #[error("could not {what} {}", path.display())]
    Io {
        what: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    /// A file of the user's is not what Codex expects there.
    #[error("{} {fault}", path.display())]
    Unreadable {
        path: PathBuf,
        /// What is wrong with it, and where.
        fault: String,
    },
    /// A manifest of a newer version.
    #[error("{} has format {format}, which this version does not know", path.display())]
    Newer { path: PathBuf, format: u64 },
    /// Codex would have to be asked with a home that goes again, and none can be made.
    #[error("no temporary folder can be made")]
    NoScratch(#[source] std::io::Error),
    /// Codex has no home.
    #[error("{0}")]
    NoHome(String),
    /// Codex did not answer as expected.
    #[error("`{command}` {fault}")]
    Codex { command: String, fault: String },
}

impl CodexError {
    /// Wraps an error of the file system.
    pub fn wrap_io(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}

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

/// The folder of Codex's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodexHome {
    /// Its real path: Codex keys trust by it, whatever links lead there.
    pub root: PathBuf,
    pub exists: bool,
}

impl CodexHome {
    /// The home that Codex would use with these variables. Codex refuses a `CODEX_HOME` that does not exist.
    pub fn find_in(world: &World) -> Result<Self, CodexError> {
        if let Some(named) = world
            .find_variable("CODEX_HOME")
            .filter(|home| !home.is_empty())
        {
            let named = world.cwd.join(named);
            return match named.canonicalize() {
                Ok(root) => Ok(Self { root, exists: true }),
                Err(_) => Err(CodexError::NoHome(format!(
                    "CODEX_HOME names {}, which is not there",
                    named.display()
                ))),
            };
        }
        let home = find_user_home(world)?;
        let root = home.join(".codex");
        Ok(match root.canonicalize() {
            Ok(root) => Self { root, exists: true },
            Err(_) => Self {
                root: home.canonicalize().unwrap_or(home).join(".codex"),
                exists: false,
            },
        })
    }

    /// The file of the user's hooks.
    #[must_use]
    pub fn hooks_file(&self) -> PathBuf {
        self.root.join("hooks.json")
    }

    /// The configuration, which also holds what is trusted.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.root.join("config.toml")
    }

    /// The file of our execution rule.
    #[must_use]
    pub fn rules_file(&self) -> PathBuf {
        self.root.join("rules/autoresearch.rules")
    }
}

/// The home folder, as Codex takes it.
pub fn find_user_home(world: &World) -> Result<PathBuf, CodexError> {
    match world.find_variable("HOME").map(PathBuf::from) {
        Some(home) if home.is_absolute() => Ok(home),
        _ => Err(CodexError::NoHome("HOME is not set".to_owned())),
    }
}

/// Was this process started by a Codex session? In its sandbox Codex's own files cannot be written, so that no second
/// Codex can be asked from there.
#[must_use]
pub fn is_in_session(world: &World) -> bool {
    world
        .find_variable("CODEX_THREAD_ID")
        .is_some_and(|id| !id.is_empty())
}

/// The release of the Codex that runs this session, as it tells every command that it starts.
#[must_use]
pub fn read_session_release(world: &World) -> Option<String> {
    let told = world
        .find_variable("CODEX_VERSION")
        .filter(|_| is_in_session(world))?;
    Some(told.to_str()?.to_owned()).filter(|told| !told.is_empty())
}

/// The `codex` program on `PATH`.
#[must_use]
pub fn find_program(world: &World) -> Option<PathBuf> {
    World::find_program(&world.vars, "codex")
}

impl From<CodexError> for Failure {
    fn from(error: CodexError) -> Self {
        use CodexError as E;
        match &error {
            E::Io { what, path, source } => {
                Self::io(format!("could not {what} {}", path.display()), source)
            }
            E::Unreadable { path, .. } => Self::blocked(error.to_string()).hint(format!(
                "nothing was written. Mend {} and run the command again",
                path.display()
            )),
            E::Newer { .. } => Self::blocked(error.to_string()).hint("update autoresearch"),
            E::NoScratch(_) => Self::environment("Codex was not asked")
                .because(&error)
                .hint("set TMPDIR to a folder that this process can write"),
            E::NoHome(_) => Self::environment(error.to_string())
                .hint("create that folder, or unset CODEX_HOME to use ~/.codex"),
            E::Codex { .. } => Self::environment("Codex did not answer")
                .because(&error)
                .hint("`codex --version` must work here, and `codex doctor` says what is wrong with Codex itself"),
        }
    }
}
