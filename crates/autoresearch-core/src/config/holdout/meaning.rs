//! Owns the meaning of `holdout`: what was typed becomes a command and the time at which it runs.
//! Does not know in which file it was typed; the caller looks whether that is a secret one.
//! Invariant: it is checked as every command is, and handed on beside the config, never in it.

use crate::config::file::{CommandFile, ConfigFile};
use crate::config::holdout::Holdout;
use crate::config::meaning::ConfigMeaning;

impl ConfigMeaning<'_> {
    /// The check that is meant, where one was typed.
    pub(in crate::config) fn resolve_holdout(&mut self, file: &ConfigFile) -> Option<Holdout> {
        let typed = file.holdout.as_ref()?;
        let command = CommandFile {
            command: typed.command.clone(),
            shell: typed.shell,
            timeout: typed.timeout.clone(),
            working_directory: typed.working_directory.clone(),
            ok_exit: typed.ok_exit.clone(),
            retries: 0,
        };
        Some(Holdout {
            command: self.resolve_command("holdout", &command),
            every: typed.every,
        })
    }
}
