//! Owns where Codex is for this process: its home, its program, the session that started us.
//! Does not read what is in its files.
//! Invariant: a home is known by its real path, as Codex knows it.

use std::path::PathBuf;

use crate::error::CodexError;
use autoresearch_sys::env::World;

/// The name of the skill.
pub const SKILL: &str = "codex-autoresearch";

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
                    "CODEX_HOME is {}, which does not exist",
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
