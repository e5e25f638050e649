//! Owns what kind of trouble a turn met, and when it is over, if Codex knows.
//! Does not wait, retry or give up; that is for who asked for the turn.
//! Invariant: a reset time lies behind the moment of the refusal, and is never earlier than the service's own.

use autoresearch_core::agent::outage::TurnFault;
use autoresearch_core::words::text::{clip_text, escape_text};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::rollout::{Rollout, TurnError};
use autoresearch_sys::env::time_zone;

/// The fault behind a message of a failed turn, and what the thread's file has of it.
pub(super) fn classify_fault(message: &str, rollout: Option<&Rollout>) -> TurnFault {
    let error = rollout.and_then(|rollout| rollout.error.as_ref());
    let error = error.filter(|error| error.message == message);
    match error
        .and_then(classify_info)
        .unwrap_or_else(|| classify_text(message))
    {
        TurnFault::UsageLimit { .. } => {
            let told = || parse_reset_time(message, error?.at, &time_zone()?);
            let kept = rollout.and_then(|rollout| rollout.resets_at);
            let kept = kept.filter(|at| error.is_some_and(|error| is_after(*at, error.at)));
            TurnFault::UsageLimit {
                resets_at: kept.or_else(told),
            }
        }
        fault => fault,
    }
}

fn is_after(seconds: u64, moment: Timestamp) -> bool {
    i64::try_from(seconds).is_ok_and(|seconds| seconds > moment.as_second())
}

/// The fault by Codex's own kind of it; `None` for a kind that says nothing, or that is new.
fn classify_info(error: &TurnError) -> Option<TurnFault> {
    let text = format_one_line(&error.message);
    let (kind, detail) = match &error.info {
        Value::String(kind) => (kind.as_str(), &Value::Null),
        Value::Object(fields) => fields
            .iter()
            .next()
            .map(|(kind, detail)| (kind.as_str(), detail))?,
        _ => return None,
    };
    let status = || detail["http_status_code"].as_u64();
    Some(match kind {
        // Of the same kind, but no time brings these back.
        "usage_limit_exceeded" => {
            find_lasting_fault(&error.message).unwrap_or(TurnFault::UsageLimit { resets_at: None })
        }
        "rate_limit_exceeded"
        | "server_overloaded"
        | "internal_server_error"
        | "response_stream_disconnected" => TurnFault::Server(text),
        "http_connection_failed"
        | "response_stream_connection_failed"
        | "response_too_many_failed_attempts" => classify_status(status(), text),
        "context_window_exceeded" => TurnFault::Context,
        "unauthorized" => TurnFault::Auth(text),
        "model_not_found" => TurnFault::Setup(text),
        _ => return None,
    })
}

/// The fault by the status of HTTP; without one there was no answer at all.
fn classify_status(status: Option<u64>, text: String) -> TurnFault {
    match status {
        None => TurnFault::Network(text),
        Some(401 | 403) => TurnFault::Auth(text),
        Some(404 | 405 | 407) => TurnFault::Setup(text),
        Some(408 | 429 | 500..) => TurnFault::Server(text),
        Some(_) => TurnFault::Other(text),
    }
}

/// A kind of fault, which wants a text.
type FaultFromText = fn(String) -> TurnFault;

/// Words of Codex for what it has no kind for, and for when the thread's file is not there.
const WORDS: [(&str, FaultFromText); 14] = [
    ("hit your usage limit", |_| TurnFault::UsageLimit {
        resets_at: None,
    }),
    ("ran out of room in the model's context window", |_| {
        TurnFault::Context
    }),
    ("Missing environment variable", TurnFault::Auth),
    ("Connection failed", TurnFault::Network),
    ("error sending request", TurnFault::Network),
    ("stream disconnected before completion", TurnFault::Server),
    ("idle timeout", TurnFault::Server),
    ("rate limit exceeded", TurnFault::Server),
    ("exceeded retry limit", TurnFault::Server),
    ("experiencing high demand", TurnFault::Server),
    ("is at capacity", TurnFault::Server),
    ("request timed out", TurnFault::Server),
    ("is not supported when using Codex", TurnFault::Setup),
    ("waiting for network", TurnFault::Network),
];

fn classify_text(message: &str) -> TurnFault {
    let text = format_one_line(message);
    if let Some(fault) = find_lasting_fault(message) {
        return fault;
    }
    if let Some((_, rest)) = message.split_once("unexpected status ") {
        let status = rest.split(' ').next().and_then(|word| word.parse().ok());
        if status.is_some() {
            return classify_status(status, text);
        }
    }
    let known = WORDS.iter().find(|(words, _)| message.contains(words));
    known.map_or_else(
        || TurnFault::Other(text.clone()),
        |(_, fault)| fault(text.clone()),
    )
}

/// A plan or a budget without Codex in it. For Codex it is a usage limit, but no time brings it back.
fn find_lasting_fault(message: &str) -> Option<TurnFault> {
    let words = ["Quota exceeded", "To use Codex with your ChatGPT plan"];
    let lasts = words.iter().any(|words| message.starts_with(words));
    lasts.then(|| TurnFault::Setup(format_one_line(message)))
}

/// The end of the minute that a message tells for "try again at": `4:55 AM.` on the day of the message, else
/// `Nov 26th, 2026 3:27 AM.`, always English and by the local clock. `None` for every other form, for a clock that shows
/// this time twice or never, and for a time that is over.
fn parse_reset_time(message: &str, at: Timestamp, zone: &TimeZone) -> Option<u64> {
    let (_, rest) = message.rsplit_once("ry again at ")?;
    let words: Vec<&str> = rest.trim_end().trim_end_matches('.').split(' ').collect();
    let time = |text: &[&str]| Time::strptime("%I:%M %p", text.join(" ")).ok();
    let local = match words.as_slice() {
        text @ [_, _] => DateTime::from_parts(find_message_day(at, zone)?, time(text)?),
        [month, day, year, text @ ..] => {
            let day = day.trim_end_matches(|letter: char| !letter.is_ascii_digit());
            let date = Date::strptime("%b %d %Y", format!("{month} {day} {year}")).ok()?;
            DateTime::from_parts(date, time(text)?)
        }
        _ => return None,
    };
    let minute = zone.to_ambiguous_timestamp(local).unambiguous().ok()?;
    let end = minute.as_second().checked_add(60)?;
    u64::try_from(end).ok().filter(|end| is_after(*end, at))
}

/// The day on which a message was made that was written down at a moment; `None` close behind midnight.
fn find_message_day(at: Timestamp, zone: &TimeZone) -> Option<Date> {
    let date = |moment: Timestamp| zone.to_datetime(moment).date();
    let before = at.checked_sub(SignedDuration::from_secs(5)).ok()?;
    (date(before) == date(at)).then(|| date(at))
}

/// A message as one short line without control characters.
pub(super) fn format_one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    clip_text(&escape_text(&words.join(" ")), 300)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LIMIT: &str = "You’ve hit your usage limit. Upgrade to Pro (https://chatgpt.com/explore/pro), or try again at ";

    /// The seconds from a moment to the told time.
    fn told_after(text: &str, at: &str, hours: i8) -> Option<i64> {
        let at: Timestamp = at.parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(hours));
        let told = parse_reset_time(&format!("{LIMIT}{text}"), at, &zone)?;
        Some(i64::try_from(told).unwrap() - at.as_second())
    }

    #[test]
    fn a_told_time_is_of_the_local_day_of_the_message_and_its_minute_has_passed() {
        let at = "2026-11-25T23:58:53Z";
        assert_eq!(told_after("7:08 PM.", at, -5), Some(9 * 60 + 7 + 60));
        assert_eq!(told_after("11:59 PM.", at, 0), Some(67));
        assert_eq!(
            told_after("Nov 26th, 2026 1:55 AM.", at, 0),
            Some(3600 + 56 * 60 + 7 + 60)
        );
        assert_eq!(
            told_after("Dec 1st, 2026 12:00 AM.", at, 0),
            Some(5 * 86_400 + 67 + 60)
        );
    }

    #[test]
    fn a_time_that_is_over_or_unclear_or_in_another_form_is_not_told() {
        let at = "2026-11-25T23:58:53Z";
        for text in [
            "6:48 PM.",
            "later.",
            "",
            "7:08.",
            "13:08 PM.",
            "Nov 26th, 2026.",
            "Nob 26th, 2026 1:55 AM.",
        ] {
            assert_eq!(told_after(text, at, -5), None, "{text}");
        }
        assert_eq!(told_after("11:59 PM.", "2026-11-26T00:00:02Z", 0), None);
        let zone = TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").unwrap();
        let at: Timestamp = "2026-10-30T12:00:00Z".parse().unwrap();
        assert_eq!(
            parse_reset_time(&format!("{LIMIT}Nov 1st, 2026 1:30 AM."), at, &zone),
            None
        );
        assert!(parse_reset_time(&format!("{LIMIT}Nov 1st, 2026 3:30 AM."), at, &zone).is_some());
    }

    fn kind(message: &str, info: Value) -> TurnFault {
        let rollout = Rollout {
            error: Some(TurnError {
                message: message.to_owned(),
                info,
                at: "2026-11-25T23:58:53Z".parse().unwrap(),
            }),
            ..Rollout::default()
        };
        classify_fault(message, Some(&rollout))
    }

    #[test]
    fn codexs_own_kind_counts_before_its_words() {
        let status =
            |code: Option<u64>| json!({"http_connection_failed": {"http_status_code": code}});
        let text = "Connection failed".to_owned();
        assert_eq!(kind(&text, status(None)), TurnFault::Network(text.clone()));
        assert_eq!(
            kind(&text, status(Some(401))),
            TurnFault::Auth(text.clone())
        );
        assert_eq!(
            kind(&text, status(Some(502))),
            TurnFault::Server(text.clone())
        );
        assert_eq!(
            kind(&text, json!("context_window_exceeded")),
            TurnFault::Context
        );
        assert_eq!(
            kind(&text, json!("unauthorized")),
            TurnFault::Auth(text.clone())
        );
        assert_eq!(
            kind(&text, json!("a kind of tomorrow")),
            TurnFault::Network(text.clone())
        );
        assert_eq!(kind("no", Value::Null), TurnFault::Other("no".into()));
        assert_eq!(kind("no", json!({})), TurnFault::Other("no".into()));
    }

    #[test]
    fn a_reset_time_of_the_account_counts_only_when_it_is_ahead() {
        let at: Timestamp = "2026-11-25T23:58:53Z".parse().unwrap();
        let now = u64::try_from(at.as_second()).unwrap();
        let reset = |resets_at| {
            let rollout = Rollout {
                tokens: None,
                error: Some(TurnError {
                    message: LIMIT.into(),
                    info: json!("usage_limit_exceeded"),
                    at,
                }),
                resets_at: Some(resets_at),
            };
            classify_fault(LIMIT, Some(&rollout))
        };
        assert_eq!(
            reset(now + 20),
            TurnFault::UsageLimit {
                resets_at: Some(now + 20)
            }
        );
        assert_eq!(reset(now - 20), TurnFault::UsageLimit { resets_at: None });
    }

    #[test]
    fn without_the_threads_file_the_words_have_to_do() {
        let fault = |message| classify_fault(message, None);
        assert_eq!(fault(LIMIT), TurnFault::UsageLimit { resets_at: None });
        assert!(matches!(
            fault("unexpected status 403 Forbidden: no, url: x"),
            TurnFault::Auth(_)
        ));
        assert!(matches!(
            fault("Reconnecting... 1/5 (unexpected status 502 Bad Gateway: x)"),
            TurnFault::Server(_)
        ));
        assert!(matches!(
            fault("Quota exceeded. Check your plan."),
            TurnFault::Setup(_)
        ));
        assert!(matches!(
            fault("unexpected status abc"),
            TurnFault::Other(_)
        ));
    }

    /// The kind of a fault, without its text.
    fn name_fault(fault: &TurnFault) -> &'static str {
        match fault {
            TurnFault::UsageLimit { .. } => "limit",
            TurnFault::Auth(_) => "auth",
            TurnFault::Server(_) => "server",
            TurnFault::Network(_) => "network",
            TurnFault::Context => "context",
            TurnFault::Thread(_) => "thread",
            TurnFault::Setup(_) => "setup",
            TurnFault::Deadline => "deadline",
            TurnFault::Other(_) => "other",
        }
    }

    #[test]
    fn each_kind_that_codex_names_is_a_fault_and_each_status_behind_it() {
        for (word, expected) in [
            ("usage_limit_exceeded", "limit"),
            ("rate_limit_exceeded", "server"),
            ("server_overloaded", "server"),
            ("internal_server_error", "server"),
            ("response_stream_disconnected", "server"),
            ("http_connection_failed", "network"),
            ("response_stream_connection_failed", "network"),
            ("response_too_many_failed_attempts", "network"),
            ("context_window_exceeded", "context"),
            ("unauthorized", "auth"),
            ("model_not_found", "setup"),
            ("other", "other"),
        ] {
            assert_eq!(name_fault(&kind("no", json!(word))), expected, "{word}");
            // A kind with details is an object with the kind for its key.
            assert_eq!(
                name_fault(&kind("no", json!({word: {}}))),
                expected,
                "{word}"
            );
        }
        for (status, expected) in [
            (400, "other"),
            (401, "auth"),
            (403, "auth"),
            (404, "setup"),
            (405, "setup"),
            (407, "setup"),
            (408, "server"),
            (422, "other"),
            (429, "server"),
            (500, "server"),
            (503, "server"),
            (529, "server"),
        ] {
            let info = json!({"response_too_many_failed_attempts": {"http_status_code": status}});
            assert_eq!(name_fault(&kind("no", info)), expected, "{status}");
            let words = format!("unexpected status {status} Words: body");
            assert_eq!(
                name_fault(&classify_fault(&words, None)),
                expected,
                "{status}"
            );
        }
    }

    #[test]
    fn messages_as_codex_prints_them_are_faults_without_its_kind() {
        for (message, expected) in [
            ("You've hit your usage limit. Try again later.", "limit"),
            (
                "Codex ran out of room in the model's context window. Start a new thread",
                "context",
            ),
            ("Missing environment variable: `OPENAI_API_KEY`.", "auth"),
            ("unexpected status 401 Unauthorized: Missing bearer", "auth"),
            (
                "Connection failed: error sending request for url (https://x/)",
                "network",
            ),
            (
                "stream disconnected before completion: error sending request for url",
                "network",
            ),
            (
                "stream disconnected before completion: idle timeout waiting for SSE",
                "server",
            ),
            ("rate limit exceeded: slow down", "server"),
            (
                "exceeded retry limit, last status: 429 Too Many Requests",
                "server",
            ),
            ("We're currently experiencing high demand", "server"),
            (
                "Selected model is at capacity. Please try a different model.",
                "server",
            ),
            ("request timed out", "server"),
            (
                "The 'x' model is not supported when using Codex with a ChatGPT account.",
                "setup",
            ),
            ("Reconnecting... waiting for network", "network"),
            (
                "Quota exceeded. Check your plan and billing details.",
                "setup",
            ),
            (
                "To use Codex with your ChatGPT plan, upgrade to Plus",
                "setup",
            ),
            ("She said: Quota exceeded", "other"),
            ("unexpected status ", "other"),
            ("", "other"),
        ] {
            assert_eq!(
                name_fault(&classify_fault(message, None)),
                expected,
                "{message}"
            );
        }
    }

    #[test]
    fn what_is_kept_of_a_message_is_one_short_line() {
        for (message, expected) in [
            ("two\nlines\t and   blanks ", "two lines and blanks"),
            ("\u{1b}[31mred\u{7}", "\\u{1b}[31mred\\u{7}"),
            ("", ""),
        ] {
            assert_eq!(
                classify_fault(message, None),
                TurnFault::Other(expected.to_owned())
            );
        }
        let long = classify_fault(&"a ".repeat(1_000), None);
        assert_eq!(
            long,
            TurnFault::Other("a ".repeat(150)[..299].to_owned() + "…")
        );
    }

    #[test]
    fn an_error_of_another_message_in_the_threads_file_says_nothing_of_this_one() {
        let rollout = Rollout {
            error: Some(TurnError {
                message: "of before".to_owned(),
                info: json!("context_window_exceeded"),
                at: "2026-11-25T23:58:53Z".parse().unwrap(),
            }),
            ..Rollout::default()
        };
        assert_eq!(
            classify_fault("no", Some(&rollout)),
            TurnFault::Other("no".into())
        );
        assert_eq!(
            classify_fault("of before", Some(&rollout)),
            TurnFault::Context
        );
    }
}
