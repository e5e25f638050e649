//! Owns the meaning of `gates`: what was typed becomes the checks of a release.
//! Does not look at what they execute; the caller does that for all commands alike.
//! Invariant: no two gates have one name, for a checklist tells them apart by it.

use crate::config::file::{CommandFile, ConfigFile};
use crate::config::gate::{ExpectFile, Gate, GateFile};
use crate::config::meaning::ConfigMeaning;
use crate::metric::matches::MatchPattern;

/// The longest name, in characters.
const LONGEST_NAME: usize = 60;

impl ConfigMeaning<'_> {
    /// The gates that are meant, in the order in which they run.
    pub(in crate::config) fn resolve_gates(&mut self, file: &ConfigFile) -> Vec<Gate> {
        let gates = file.gates.iter().enumerate();
        let meant = gates.map(|(index, gate)| {
            let place = format!("gates[{index}]");
            self.check_gate_name(&place, gate, &file.gates[..index]);
            self.check_expectation(&format!("{place}.expect"), &gate.expect);
            self.resolve_gate(&place, gate)
        });
        let meant: Vec<Gate> = meant.collect();
        self.check_gauged_gates(file);
        meant
    }

    fn resolve_gate(&mut self, place: &str, file: &GateFile) -> Gate {
        let command = CommandFile {
            command: file.command.clone(),
            shell: file.shell,
            timeout: file.timeout.clone(),
            working_directory: file.working_directory.clone(),
            ok_exit: vec![file.expect.exit],
            retries: 0,
        };
        Gate {
            name: file.name.trim().to_owned(),
            command: self.resolve_command(place, &command),
            prints: file.expect.prints.clone(),
            prints_not: file.expect.prints_not.clone(),
            required: file.required,
        }
    }

    fn check_gate_name(&mut self, place: &str, gate: &GateFile, before: &[GateFile]) {
        let name = gate.name.trim();
        let wrong = if name.is_empty() {
            "the name is empty".to_owned()
        } else if name.chars().any(char::is_control) || name.chars().count() > LONGEST_NAME {
            format!("the name is not one line of at most {LONGEST_NAME} characters")
        } else if before.iter().any(|other| other.name.trim() == name) {
            format!("another gate is called `{name}` too")
        } else {
            return;
        };
        self.note_error(
            &format!("{place}.name"),
            wrong,
            "say in a few words what the gate checks, such as `tests pass`",
        );
    }

    fn check_expectation(&mut self, place: &str, expect: &ExpectFile) {
        if matches!(expect.exit, 126 | 127) {
            self.note_error(
                &format!("{place}.exit"),
                format!(
                    "the shell ends with {} when it cannot run the command",
                    expect.exit
                ),
                "expect a status that only the command itself gives",
            );
        }
        for (key, pattern) in [
            ("prints", &expect.prints),
            ("prints_not", &expect.prints_not),
        ] {
            if let Some(Err(error)) = pattern.as_deref().map(MatchPattern::new) {
                self.note_error(
                    &format!("{place}.{key}"),
                    error.to_string(),
                    "write a regular expression for a part of what is printed; `\\` makes the next letter plain",
                );
            }
        }
        if expect.prints.is_some() && expect.prints == expect.prints_not {
            self.note_error(
                &format!("{place}.prints_not"),
                "`prints` asks for what `prints_not` forbids",
                "keep one of them",
            );
        }
    }

    /// A metric that counts gates needs one that counts.
    fn check_gauged_gates(&mut self, file: &ConfigFile) {
        let mut problems = self.problems.iter();
        let is_faulty = problems.any(|problem| problem.place.starts_with("gates"));
        if !file.verify.gates || is_faulty || file.gates.iter().any(|gate| gate.required) {
            return;
        }
        let message = if file.gates.is_empty() {
            "the config has no gates, so none of them could be open"
        } else {
            "no gate is required, so none of them would be counted"
        };
        self.note_error(
            "verify.gates",
            message,
            "add one: `gates: [{name: tests pass, command: make test}]`",
        );
    }
}

#[cfg(test)]
mod tests;
