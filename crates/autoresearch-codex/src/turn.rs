//! Owns one non-interactive turn of Codex, seen from outside: the words it is started with, and what it left.
//! Does not start it, end it or wait for it, and does not read the agent's answer.
//! Invariant: a turn that did not say that it was completed has a fault, whatever else it printed.

pub mod outage;
pub mod rollout;

use std::ffi::OsString;
use std::path::Path;

use autoresearch_core::agent::outage::TurnFault;
use autoresearch_core::config::Sandbox;
use serde_json::Value;

use self::outage::format_one_line;
use self::rollout::{Rollout, count_tokens};
use crate::home::CodexHome;

/// What a turn is asked with. The prompt comes on standard input, which must end, and the work tree is the current
/// folder.
#[derive(Clone, Copy, Debug)]
pub struct TurnArguments<'a> {
    pub program: &'a Path,
    /// The thread to go on with, by the id that an earlier turn left; `None` for a fresh one. Codex takes anything that
    /// is not an id for a name, and starts a fresh thread in silence where it knows none.
    pub thread: Option<&'a str>,
    /// The file with the schema of the answer; an absolute path. It must be there.
    pub schema: &'a Path,
    /// The file for the answer; an absolute path. Codex writes it at the end, and empties it after a failure. Where it did
    /// not begin, or was killed, an older answer stays: the file has to be removed before the turn.
    pub answer: &'a Path,
    /// What the turn may touch.
    pub sandbox: Sandbox,
    /// The model; `None` for the one of the user's configuration.
    pub model: Option<&'a str>,
}

/// The settings of every turn. `exec` never asks for approval, so nothing needs to be said of that.
///
/// - Hooks are off by `--disable`, which fails where Codex does not know them under this name: a hook of ours that
///   answers the turn of a background run would be worse than a turn that does not begin.
/// - With the default, a refused connection is tried for ever. A setting that Codex does not know is a warning only.
/// - For each command the sandbox makes and removes mount points in every folder that may be written in. In `/tmp`, which
///   all Codexes share, they would remove them under each other's hands. So a turn that needs a temporary folder needs a
///   separate `TMPDIR`.
const SETTINGS: [&str; 7] = [
    "--json",
    "--disable",
    "hooks",
    "-c",
    "features.unbounded_connection_retries=false",
    "-c",
    "sandbox_workspace_write.exclude_slash_tmp=true",
];

/// The words of the command. All options stand before `resume`, which does not know each of them but obeys them all.
#[must_use]
pub fn make_command_words(ask: &TurnArguments<'_>) -> Vec<OsString> {
    let sandbox = match ask.sandbox {
        Sandbox::WorkspaceWrite => "workspace-write",
        Sandbox::FullAccess => "danger-full-access",
    };
    let mut words: Vec<OsString> = vec![ask.program.into(), "exec".into()];
    words.extend(SETTINGS.map(OsString::from));
    words.extend(["--sandbox".into(), sandbox.into()]);
    words.extend(["--output-schema".into(), ask.schema.into()]);
    words.extend(["-o".into(), ask.answer.into()]);
    words.extend(ask.model.map(|model| format!("--model={model}").into()));
    if let Some(thread) = ask.thread {
        words.extend(["resume".into(), "--".into(), thread.into()]);
    }
    words.push("-".into());
    words
}

/// What a finished turn left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnResult {
    /// The thread that it worked in, if it came so far.
    pub thread: Option<String>,
    /// What this turn cost: tokens of the input (cached ones too) and of the output, without those of subagents.
    pub tokens: u64,
    /// Why it was not completed.
    pub fault: Option<TurnFault>,
}

/// Reads what `codex exec --json` printed and, where that does not say enough, what Codex wrote of the thread in its home.
///
/// `before` is what the thread had cost before this turn, because Codex counts over the whole thread: the sum of `tokens`
/// of its earlier turns. `exited` is the exit code, `None` for a turn that was ended by a signal.
#[must_use]
pub fn read_turn_result(
    home: &CodexHome,
    before: u64,
    stdout: &[u8],
    stderr: &[u8],
    exited: Option<i32>,
) -> TurnResult {
    let printed = TurnEvents::parse_lines(stdout);
    if let Some(TurnEnd::Completed(total)) = printed.end {
        return TurnResult {
            thread: printed.thread,
            tokens: total.saturating_sub(before),
            fault: None,
        };
    }
    let rollout = printed.thread.as_deref();
    let rollout = rollout.and_then(|thread| Rollout::find_by_thread(home, thread));
    let total = rollout.as_ref().and_then(|rollout| rollout.tokens);
    let fault = match (&printed.end, &printed.thread) {
        (Some(TurnEnd::Failed(message)), _) => outage::classify_fault(message, rollout.as_ref()),
        (_, Some(_)) => explain_cut_turn(&printed, exited),
        (_, None) => explain_unbegun_turn(stderr, exited),
    };
    TurnResult {
        tokens: total.unwrap_or(0).saturating_sub(before),
        thread: printed.thread,
        fault: Some(fault),
    }
}

/// How a turn ended, by its own words.
enum TurnEnd {
    /// With the tokens of the whole thread.
    Completed(u64),
    Failed(String),
}

/// What the JSON events on standard output say.
#[derive(Default)]
struct TurnEvents {
    thread: Option<String>,
    end: Option<TurnEnd>,
    /// The message of the last event, if that was an error: a trouble that was not over when the turn was ended.
    trouble: Option<String>,
}

impl TurnEvents {
    /// Reads the events. A line that is cut off, or that is none, says nothing.
    fn parse_lines(stdout: &[u8]) -> Self {
        let mut printed = Self::default();
        for line in stdout.split(|byte| *byte == b'\n') {
            let Ok(event) = serde_json::from_slice::<Value>(line) else {
                continue;
            };
            let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
            printed.trouble = None;
            match event["type"].as_str() {
                Some("thread.started") => printed.thread = text(&event["thread_id"]),
                Some("turn.completed") => {
                    printed.end = Some(TurnEnd::Completed(count_tokens(&event["usage"])));
                }
                Some("turn.failed") => {
                    let message = text(&event["error"]["message"]);
                    printed.end = Some(TurnEnd::Failed(message.unwrap_or_default()));
                }
                Some("error") => printed.trouble = text(&event["message"]),
                _ => {}
            }
        }
        printed
    }
}

/// Why a turn stopped in its middle: the trouble that it was in, else nothing that Codex said.
fn explain_cut_turn(printed: &TurnEvents, exited: Option<i32>) -> TurnFault {
    if let Some(trouble) = &printed.trouble {
        return outage::classify_fault(trouble, None);
    }
    TurnFault::Other(match exited {
        Some(code) => format!("codex ended with code {code} before the turn did"),
        None => "codex was killed before the turn ended".to_owned(),
    })
}

/// Why not even a thread came: what is wrong with the thread that was asked for, or with the set-up.
///
/// There is no structured form of this, so the words of standard error have to do. All that Codex checks before it
/// begins is its configuration, its rules, the arguments and the files that they name.
fn explain_unbegun_turn(stderr: &[u8], exited: Option<i32>) -> TurnFault {
    let text = String::from_utf8_lossy(stderr);
    let said = find_complaint(&text);
    let broken_start = ["Error: thread/start", "panicked at"];
    let setup = text.contains("required MCP servers")
        || !broken_start.iter().any(|words| text.contains(words));
    match exited {
        None => TurnFault::Other(format!("codex was killed before the turn began; {said}")),
        Some(_) if text.contains("thread/resume") => TurnFault::Thread(said),
        Some(1 | 2) if setup && !text.trim().is_empty() => TurnFault::Setup(said),
        Some(code) => TurnFault::Other(format!(
            "codex ended with code {code} before the turn began; {said}"
        )),
    }
}

/// From the first line that begins with "Error" on, else everything; as one line.
fn find_complaint(stderr: &str) -> String {
    let is_error = |line: &&str| line.to_ascii_lowercase().starts_with("error");
    let at = stderr.lines().find(is_error);
    let at = at.and_then(|line| stderr.find(line)).unwrap_or(0);
    format_one_line(&stderr[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARTED: &str = r#"{"type":"thread.started","thread_id":"t"}"#;

    fn heard(lines: &[&str], stderr: &str, exited: Option<i32>) -> TurnResult {
        let folder = tempfile::tempdir().unwrap();
        let home = CodexHome {
            root: folder.path().to_owned(),
            exists: true,
        };
        read_turn_result(
            &home,
            5,
            lines.join("\n").as_bytes(),
            stderr.as_bytes(),
            exited,
        )
    }

    #[test]
    fn a_completed_turn_costs_what_the_thread_cost_since_the_last_one() {
        let usage = r#"{"type":"turn.completed","usage":{"input_tokens":20,"cached_input_tokens":9,"output_tokens":3}}"#;
        let expected = TurnResult {
            thread: Some("t".into()),
            tokens: 18,
            fault: None,
        };
        assert_eq!(heard(&[STARTED, usage, ""], "", Some(0)), expected);
    }

    #[test]
    fn a_turn_that_is_cut_off_in_trouble_has_the_fault_of_the_trouble() {
        let reconnecting = r#"{"type":"error","message":"Reconnecting... 2/5 (Connection failed: error sending request)"}"#;
        let item = r#"{"type":"item.started","item":{}}"#;
        let fault = |lines: &[&str]| heard(lines, "", None).fault.unwrap();
        assert!(matches!(
            fault(&[STARTED, reconnecting]),
            TurnFault::Network(_)
        ));
        assert!(matches!(
            fault(&[STARTED, reconnecting, item, "{\"type"]),
            TurnFault::Other(_)
        ));
        assert!(matches!(fault(&[]), TurnFault::Other(_)));
    }

    #[test]
    fn nothing_that_is_printed_breaks_the_reading() {
        for line in [
            "null",
            "[]",
            "{}",
            "\u{0}",
            r#"{"type":"turn.failed"}"#,
            r#"{"type":3,"usage":[]}"#,
        ] {
            assert!(
                heard(&[STARTED, line], "", Some(0)).fault.is_some(),
                "{line}"
            );
        }
        assert!(
            read_turn_result(
                &CodexHome {
                    root: "/".into(),
                    exists: true
                },
                0,
                &[0xff, b'\n', 0xfe],
                &[0xff],
                Some(1)
            )
            .fault
            .is_some()
        );
    }

    #[test]
    fn a_complaint_leaves_out_what_was_logged_before_it() {
        let stderr =
            "2026-11-25T23:56:59Z ERROR codex_core: no\nError loading config.toml: bad\nin `x`\n";
        assert_eq!(
            heard(&[], stderr, Some(1)).fault,
            Some(TurnFault::Setup(
                "Error loading config.toml: bad in `x`".into()
            ))
        );
    }

    #[test]
    fn the_words_of_a_turn_have_all_options_before_the_thread() {
        let show = |sandbox, model, thread| {
            let words = make_command_words(&TurnArguments {
                program: Path::new("/b/codex"),
                thread,
                schema: Path::new("/s.json"),
                answer: Path::new("/a.json"),
                sandbox,
                model,
            });
            let words: Vec<String> = words
                .iter()
                .map(|word| word.display().to_string())
                .collect();
            words.join(" ")
        };
        assert_eq!(
            show(Sandbox::WorkspaceWrite, None, None),
            "/b/codex exec --json --disable hooks -c features.unbounded_connection_retries=false -c \
             sandbox_workspace_write.exclude_slash_tmp=true --sandbox workspace-write --output-schema /s.json -o /a.json -"
        );
        assert_eq!(
            show(Sandbox::FullAccess, Some("m"), Some("t")),
            "/b/codex exec --json --disable hooks -c features.unbounded_connection_retries=false -c \
             sandbox_workspace_write.exclude_slash_tmp=true --sandbox danger-full-access --output-schema /s.json \
             -o /a.json --model=m resume -- t -"
        );
    }

    fn other(text: &str) -> TurnFault {
        TurnFault::Other(text.to_owned())
    }

    #[test]
    fn a_turn_that_had_begun_ends_with_what_codex_said_last_or_with_its_code() {
        let failed = r#"{"type":"turn.failed","error":{"message":"no"}}"#;
        let idle = r#"{"type":"turn.failed","error":{"message":"idle timeout"}}"#;
        let begun = r#"{"type":"turn.started"}"#;
        for (line, exited, expected) in [
            (
                "",
                Some(1),
                other("codex ended with code 1 before the turn did"),
            ),
            (
                begun,
                Some(0),
                other("codex ended with code 0 before the turn did"),
            ),
            (begun, None, other("codex was killed before the turn ended")),
            (failed, Some(1), other("no")),
            (idle, Some(1), TurnFault::Server("idle timeout".into())),
        ] {
            let found = heard(&[STARTED, line], "Error: late", exited);
            assert_eq!(found.fault, Some(expected), "{line}");
        }
    }

    #[test]
    fn a_turn_that_did_not_begin_says_with_which_code_and_complaint() {
        let early = "codex ended with code 1 before the turn began; ";
        for (stderr, exited, expected) in [
            (
                "Error: x",
                None,
                "codex was killed before the turn began; Error: x",
            ),
            ("", Some(1), early),
            ("  \n", Some(1), early),
            (
                "Error: x",
                Some(101),
                "codex ended with code 101 before the turn began; Error: x",
            ),
            (
                "Error: thread/start: full",
                Some(1),
                &format!("{early}Error: thread/start: full"),
            ),
            (
                "'main' panicked at x",
                Some(1),
                &format!("{early}'main' panicked at x"),
            ),
        ] {
            assert_eq!(
                heard(&[], stderr, exited).fault,
                Some(other(expected)),
                "{stderr}"
            );
        }
    }

    #[test]
    fn a_thread_that_is_not_there_and_a_broken_set_up_are_told_apart() {
        for (stderr, code) in [
            ("error: unexpected argument '-x'", 2),
            ("Error: thread/start failed: required MCP servers failed", 1),
        ] {
            let fault = heard(&[], stderr, Some(code)).fault;
            assert_eq!(fault, Some(TurnFault::Setup(stderr.to_owned())));
        }
        let stderr = "Error: thread/resume: no rollout found for t";
        for code in [0, 1, 2, 101] {
            let fault = heard(&[], stderr, Some(code)).fault;
            assert_eq!(fault, Some(TurnFault::Thread(stderr.to_owned())));
        }
    }

    #[test]
    fn a_turn_that_was_completed_at_last_has_no_fault_whatever_came_before() {
        let trouble = r#"{"type":"error","message":"Reconnecting... 1/5"}"#;
        let failed = r#"{"type":"turn.failed","error":{"message":"no"}}"#;
        let done = r#"{"type":"turn.completed","usage":{"input_tokens":3,"output_tokens":1}}"#;
        for (lines, tokens) in [
            (vec![STARTED, trouble, done], 0),
            (vec![STARTED, failed, "half a line", done], 0),
            (vec![done, STARTED], 0),
        ] {
            let expected = TurnResult {
                thread: Some("t".into()),
                tokens,
                fault: None,
            };
            assert_eq!(heard(&lines, "Error: late", Some(1)), expected);
        }
    }
}
