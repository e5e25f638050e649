//! Owns `GateOutcome`: whether a gate passes, by how its command ended and what it printed.
//! Does not run it.
//! Invariant: a gate that could not run neither passes nor is open: nothing is known of what it checks.

use serde::{Deserialize, Serialize};

use crate::config::Gate;
use crate::decide::why::CommandFailure;
use crate::metric::matches::MatchPattern;
use crate::words::text::{clip_text, escape_line, escape_text};

/// The shell could not find or start the command.
const NOT_FOUND: [i32; 2] = [126, 127];
/// HUP, INT, KILL and TERM: somebody else ended it, or the system for want of memory. That says nothing of what is checked.
const FROM_OUTSIDE: [i32; 4] = [1, 2, 9, 15];
/// No printed line is told longer, in characters.
const WIDTH: usize = 80;

/// What became of a gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateOutcome {
    Passes,
    /// Why it does not pass.
    Open(String),
    /// What it lacks.
    CannotRun(String),
}

impl GateOutcome {
    /// Why it does not pass, where it does not.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Passes => None,
            Self::Open(why) | Self::CannotRun(why) => Some(why),
        }
    }
}

/// Judges a gate by how its command ended (`Ok` with the status that it expects) and by both of its outputs.
#[must_use]
pub fn judge_gate(
    gate: &Gate,
    ended: Result<(), &CommandFailure>,
    printed: [&[u8]; 2],
) -> GateOutcome {
    match ended {
        Err(CommandFailure::Exit { status }) if NOT_FOUND.contains(status) => {
            let how = CommandFailure::Exit { status: *status };
            return GateOutcome::CannotRun(how.to_string());
        }
        Err(CommandFailure::Signal { signal }) if FROM_OUTSIDE.contains(signal) => {
            let how = CommandFailure::Signal { signal: *signal };
            return GateOutcome::CannotRun(how.to_string());
        }
        Err(how @ CommandFailure::Start { .. }) => {
            return GateOutcome::CannotRun(escape_text(&how.to_string()));
        }
        Err(CommandFailure::Exit { status }) => {
            let expected = gate.command.ok_exit.first().copied().unwrap_or_default();
            let instead = if expected == 0 {
                String::new()
            } else {
                format!(", not {expected}")
            };
            return GateOutcome::Open(format!("exit status {status}{instead}"));
        }
        Err(how) => return GateOutcome::Open(escape_text(&how.to_string())),
        Ok(()) => {}
    }
    let forbidden = find_line(gate.prints_not.as_deref(), printed);
    if let (Some(pattern), Some(line)) = (&gate.prints_not, forbidden) {
        let pattern = escape_line(pattern);
        return GateOutcome::Open(format!("prints what `{pattern}` matches: {line}"));
    }
    match &gate.prints {
        Some(pattern) if find_line(Some(pattern), printed).is_none() => GateOutcome::Open(format!(
            "prints nothing that `{}` matches",
            escape_line(pattern)
        )),
        _ => GateOutcome::Passes,
    }
}

/// The first line that a pattern matches, of standard output before standard error.
fn find_line(pattern: Option<&str>, printed: [&[u8]; 2]) -> Option<String> {
    let pattern = MatchPattern::new(pattern?).ok()?;
    let mut lines = printed
        .into_iter()
        .flat_map(|bytes| pattern.find_lines(bytes, 1));
    let line = lines.next()?;
    Some(clip_text(escape_line(line.text.trim()).trim(), WIDTH))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Shell, UserCommand};

    fn gate(exit: u8, prints: Option<&str>, prints_not: Option<&str>) -> Gate {
        Gate {
            name: "g".to_owned(),
            command: UserCommand {
                command: "x".to_owned(),
                shell: Shell::Sh,
                timeout: std::time::Duration::from_secs(9),
                working_directory: ".".to_owned(),
                ok_exit: vec![exit],
                retries: 0,
            },
            prints: prints.map(ToOwned::to_owned),
            prints_not: prints_not.map(ToOwned::to_owned),
            required: true,
        }
    }

    fn judge(gate: &Gate, ended: &Result<(), CommandFailure>, out: &str, err: &str) -> String {
        match judge_gate(
            gate,
            ended.as_ref().copied(),
            [out.as_bytes(), err.as_bytes()],
        ) {
            GateOutcome::Passes => "passes".to_owned(),
            GateOutcome::Open(why) => format!("open: {why}"),
            GateOutcome::CannotRun(why) => format!("cannot run: {why}"),
        }
    }

    #[test]
    fn the_status_is_what_counts_where_nothing_else_is_expected() {
        let exit = |status| Err(CommandFailure::Exit { status });
        for (expected, ended, told) in [
            (0, Ok(()), "passes"),
            (0, exit(1), "open: exit status 1"),
            (1, exit(0), "open: exit status 0, not 1"),
            (
                0,
                exit(127),
                "cannot run: exit status 127 (command not found)",
            ),
            (0, exit(126), "cannot run: exit status 126"),
            (
                0,
                Err(CommandFailure::Timeout { limit_ms: 9_000 }),
                "open: timed out after 9s",
            ),
            (
                0,
                Err(CommandFailure::Signal { signal: 11 }),
                "open: killed by signal 11",
            ),
            (
                0,
                Err(CommandFailure::Signal { signal: 9 }),
                "cannot run: killed by signal 9",
            ),
            (
                0,
                Err(CommandFailure::Start {
                    error: "no\nfolder".to_owned(),
                }),
                "cannot run: could not be started: no\\nfolder",
            ),
        ] {
            assert_eq!(judge(&gate(expected, None, None), &ended, "", ""), told);
        }
    }

    #[test]
    fn what_is_printed_counts_in_both_outputs_and_only_with_the_status() {
        let version = gate(0, Some("^1\\.2\\.0$"), None);
        assert_eq!(judge(&version, &Ok(()), "v\n1.2.0\n", ""), "passes");
        assert_eq!(judge(&version, &Ok(()), "", "1.2.0"), "passes");
        assert_eq!(
            judge(&version, &Ok(()), "1.2.01", ""),
            "open: prints nothing that `^1\\.2\\.0$` matches"
        );
        let failed = Err(CommandFailure::Exit { status: 2 });
        assert_eq!(judge(&version, &failed, "1.2.0", ""), "open: exit status 2");
        let clean = gate(0, None, Some("dbg!|TODO"));
        assert_eq!(judge(&clean, &Ok(()), "fine", ""), "passes");
        assert_eq!(
            judge(&clean, &Ok(()), "a\n src/a.rs:3: \x1b[31mdbg!(x)\n", "TODO"),
            "open: prints what `dbg!|TODO` matches: src/a.rs:3: \\u{1b}[31mdbg!(x)"
        );
        let both = gate(0, Some("ok"), Some("warning"));
        assert_eq!(judge(&both, &Ok(()), "ok", ""), "passes");
        assert_eq!(
            judge(&both, &Ok(()), "ok", "warning: old"),
            "open: prints what `warning` matches: warning: old"
        );
    }
}
