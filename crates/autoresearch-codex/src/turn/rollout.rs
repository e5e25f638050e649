//! Owns what Codex wrote of a thread in its home: the tokens, the error of the last turn, the account's windows.
//! Does not write there, and does not judge what it finds.
//! Invariant: only the last megabytes of a file are read, and a line that is not understood says nothing.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;

use crate::home::CodexHome;
use autoresearch_sys::regular_files::open_file;

/// So much of the end of a file is read, in bytes. One line can hold what a command printed, but Codex clips that.
const TAIL: u64 = 8 * 1024 * 1024;

/// The end of the file of a thread.
#[derive(Debug, Default)]
pub(super) struct Rollout {
    /// What the thread has cost since it began, in tokens of input and output.
    pub tokens: Option<u64>,
    /// The error that the last turn ended with.
    pub error: Option<TurnError>,
    /// When the last used-up window of the account is open again, in seconds since 1970; from the last turn only.
    pub resets_at: Option<u64>,
}

/// How a turn failed.
#[derive(Debug)]
pub(super) struct TurnError {
    /// As it was printed.
    pub message: String,
    /// Codex's own kind: a word, or an object with the word for its only key.
    pub info: Value,
    /// When it was written down.
    pub at: Timestamp,
}

impl Rollout {
    /// The file of a thread; `None` if there is none, or none that can be read.
    pub(super) fn find_by_thread(home: &CodexHome, thread: &str) -> Option<Self> {
        let path = find_newest_file(&home.root.join("sessions"), &format!("-{thread}.jsonl"), 3)?;
        let text = read_tail(&path).ok()?;
        let mut rollout = Self::default();
        for line in text.split(|byte| *byte == b'\n') {
            rollout.read_record(line);
        }
        Some(rollout)
    }

    fn read_record(&mut self, line: &[u8]) {
        let Ok(record) = serde_json::from_slice::<Value>(line) else {
            return;
        };
        let payload = &record["payload"];
        let kind = match record["type"].as_str() {
            Some("event_msg") => payload["type"].as_str(),
            kind => kind,
        };
        match kind {
            // What is told of an earlier turn is not about this one.
            Some("task_started") => (self.error, self.resets_at) = (None, None),
            Some("token_usage_record") => {
                self.tokens = Some(count_tokens(&payload["thread_token_usage"]));
            }
            Some("token_count") => {
                self.resets_at = find_reset_time(&payload["rate_limits"]).or(self.resets_at);
            }
            Some("task_complete") => self.error = parse_turn_error(&record),
            _ => {}
        }
    }
}

fn parse_turn_error(record: &Value) -> Option<TurnError> {
    let error = &record["payload"]["error"];
    Some(TurnError {
        message: error["message"].as_str()?.to_owned(),
        info: error["codex_error_info"].clone(),
        at: record["timestamp"].as_str()?.parse().ok()?,
    })
}

/// When the last of the windows that are used up is open again.
fn find_reset_time(limits: &Value) -> Option<u64> {
    let windows = ["primary", "secondary"].map(|name| &limits[name]);
    let full = |window: &&Value| {
        window["used_percent"]
            .as_f64()
            .is_some_and(|percent| percent >= 100.0)
    };
    let full = windows.into_iter().filter(full);
    full.filter_map(|window| window["resets_at"].as_u64()).max()
}

/// The newest file with this ending, this many folders deep; the folders are year, month and day.
fn find_newest_file(folder: &Path, ending: &str, depth: u32) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let mut newest = paths.into_iter().rev();
    if depth > 0 {
        return newest.find_map(|path| find_newest_file(&path, ending, depth - 1));
    }
    newest.find(|path| path.to_string_lossy().ends_with(ending))
}

fn read_tail(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = open_file(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut text = Vec::new();
    file.take(TAIL).read_to_end(&mut text)?;
    Ok(text)
}

/// The tokens of a `usage` object. Cached input is part of the input.
pub(super) fn count_tokens(usage: &Value) -> u64 {
    let count = |name: &str| usage[name].as_u64().unwrap_or(0);
    count("input_tokens").saturating_add(count("output_tokens"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_window_that_is_used_up_says_when_to_go_on_and_the_last_of_two() {
        let window = |percent: f64, at: u64| json!({"used_percent": percent, "resets_at": at});
        let open = json!({"primary": window(99.0, 7), "secondary": null});
        assert_eq!(find_reset_time(&open), None);
        let one = json!({"primary": window(100.0, 7), "secondary": window(40.0, 9)});
        assert_eq!(find_reset_time(&one), Some(7));
        let both = json!({"primary": window(100.0, 7), "secondary": window(100.0, 9)});
        assert_eq!(find_reset_time(&both), Some(9));
    }

    #[test]
    fn an_error_and_a_window_of_an_earlier_turn_are_forgotten_and_the_tokens_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let day = folder.path().join("sessions/2026/11/25");
        std::fs::create_dir_all(&day).unwrap();
        let lines = [
            json!({"type": "token_usage_record", "payload": {"thread_token_usage": {"input_tokens": 4, "output_tokens": 1}}}),
            json!({"type": "event_msg", "payload": {"type": "token_count", "rate_limits": {"primary": {"used_percent": 100.0, "resets_at": 7}}}}),
            json!({"type": "event_msg", "timestamp": "2026-11-25T23:55:49.777Z",
                "payload": {"type": "task_complete", "error": {"message": "no", "codex_error_info": "other"}}}),
        ];
        let text = lines.map(|line| line.to_string()).join("\n");
        let path = day.join("rollout-2026-11-25T23-55-49-abc.jsonl");
        std::fs::write(&path, format!("cut off\n{text}\n")).unwrap();
        let home = CodexHome {
            root: folder.path().to_owned(),
            exists: true,
        };
        let first = Rollout::find_by_thread(&home, "abc").unwrap();
        assert_eq!((first.tokens, first.resets_at), (Some(5), Some(7)));
        assert_eq!(first.error.unwrap().message, "no");
        let next = r#"{"type":"event_msg","payload":{"type":"task_started"}}"#;
        std::fs::write(&path, format!("{text}\n{next}")).unwrap();
        let second = Rollout::find_by_thread(&home, "abc").unwrap();
        assert_eq!((second.tokens, second.resets_at), (Some(5), None));
        assert!(second.error.is_none());
        assert!(Rollout::find_by_thread(&home, "abd").is_none());
    }

    /// What the lines of a thread's file leave, one after the other.
    fn read_records(lines: &[Value]) -> Rollout {
        let mut rollout = Rollout::default();
        for line in lines {
            rollout.read_record(line.to_string().as_bytes());
        }
        rollout
    }

    #[test]
    fn lines_that_are_not_understood_say_nothing_and_take_nothing_away() {
        let before = [
            json!({"type": "token_usage_record", "payload": {"thread_token_usage": {"input_tokens": 2, "output_tokens": 3}}}),
            json!({"type": "event_msg", "timestamp": "2026-11-25T23:55:49.777Z",
                "payload": {"type": "task_complete", "error": {"message": "no", "codex_error_info": null}}}),
        ];
        for line in [
            json!(null),
            json!([]),
            json!("task_started"),
            json!({}),
            json!({"type": "response_item", "payload": {"type": "message"}}),
            json!({"type": "event_msg"}),
            json!({"type": "event_msg", "payload": {"type": "token_count"}}),
            json!({"type": "event_msg", "payload": {"type": "token_count", "rate_limits": {"primary": {"used_percent": "100"}}}}),
            json!({"type": "session_meta", "payload": {"type": "task_started"}}),
        ] {
            let found = read_records(&[&before[..], std::slice::from_ref(&line)].concat());
            assert_eq!((found.tokens, found.resets_at), (Some(5), None), "{line}");
            assert_eq!(found.error.unwrap().message, "no", "{line}");
        }
    }

    #[test]
    fn the_error_of_a_turn_needs_a_message_and_a_time() {
        let complete = |error: &Value, at: &str| json!({"type": "event_msg", "timestamp": at, "payload": {"type": "task_complete", "error": error}});
        let at = "2026-11-25T23:55:49Z";
        let error = json!({"message": "no", "codex_error_info": "other"});
        let found = read_records(&[complete(&error, at)]).error.unwrap();
        assert_eq!(
            (found.message.as_str(), &found.info),
            ("no", &json!("other"))
        );
        assert_eq!(found.at.to_string(), at);
        for (error, at) in [
            (&json!(null), at),
            (&json!("no"), at),
            (&json!({"message": 1}), at),
            (&error, ""),
            (&error, "yesterday"),
        ] {
            assert!(
                read_records(&[complete(error, at)]).error.is_none(),
                "{error} {at}"
            );
        }
    }

    #[test]
    fn tokens_are_those_of_input_and_output_and_never_overflow() {
        for (usage, tokens) in [
            (json!(null), 0),
            (json!({}), 0),
            (json!({"input_tokens": 7}), 7),
            (
                json!({"input_tokens": 7, "cached_input_tokens": 5, "output_tokens": 2, "reasoning_output_tokens": 1}),
                9,
            ),
            (json!({"input_tokens": -7, "output_tokens": "2"}), 0),
            (
                json!({"input_tokens": u64::MAX, "output_tokens": 2}),
                u64::MAX,
            ),
        ] {
            assert_eq!(count_tokens(&usage), tokens, "{usage}");
        }
    }

    #[test]
    fn of_several_files_of_a_thread_the_newest_counts_and_only_its_end_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let home = CodexHome {
            root: folder.path().to_owned(),
            exists: true,
        };
        assert!(Rollout::find_by_thread(&home, "abc").is_none());
        let write = |day: &str, name: &str, text: &str| {
            let day = folder.path().join("sessions").join(day);
            std::fs::create_dir_all(&day).unwrap();
            std::fs::write(day.join(name), text).unwrap();
        };
        let spent = |tokens: u64| {
            json!({"type": "token_usage_record", "payload": {"thread_token_usage": {"input_tokens": tokens}}}).to_string()
        };
        write(
            "2025/12/31",
            "rollout-2025-12-31T09-00-00-abc.jsonl",
            &spent(1),
        );
        write(
            "2026/01/02",
            "rollout-2026-01-02T08-00-00-abc.jsonl",
            &spent(2),
        );
        write(
            "2026/01/02",
            "rollout-2026-01-02T09-00-00-abc.jsonl",
            &spent(3),
        );
        write(
            "2026/01/03",
            "rollout-2026-01-03T09-00-00-xyz.jsonl",
            &spent(4),
        );
        assert_eq!(
            Rollout::find_by_thread(&home, "abc").unwrap().tokens,
            Some(3)
        );
        let filler = "x".repeat(usize::try_from(TAIL).unwrap());
        write(
            "2026/01/04",
            "rollout-2026-01-04T09-00-00-abc.jsonl",
            &format!("{}\n{filler}", spent(5)),
        );
        assert_eq!(Rollout::find_by_thread(&home, "abc").unwrap().tokens, None);
        write(
            "2026/01/04",
            "rollout-2026-01-04T09-00-00-abc.jsonl",
            &format!("{filler}\n{}", spent(5)),
        );
        assert_eq!(
            Rollout::find_by_thread(&home, "abc").unwrap().tokens,
            Some(5)
        );
    }
}
