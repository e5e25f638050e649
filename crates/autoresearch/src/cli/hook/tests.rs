//! What a hook takes for a payload, and which sessions own nothing.

use std::io::repeat;

use proptest::prelude::{any, prop_assert, proptest};

use super::*;

fn parse(text: &str) -> Option<HookPayload> {
    read_payload(text.as_bytes())
}

#[test]
fn a_payload_that_is_broken_is_none() {
    for text in [
        "",
        " ",
        "{",
        "null",
        "7",
        "\"stop\"",
        "{\"session_id\": 7}",
        "{\"cwd\": [\"/\"]}",
        "{} {}",
    ] {
        assert!(parse(text).is_none(), "{text}");
    }
    assert!(
        read_payload(&b"{\"session_id\": \"\xff\"}"[..]).is_none(),
        "not UTF-8"
    );
}

#[test]
fn a_payload_has_what_it_names_and_what_others_add_is_passed_over() {
    let text = r#"{"session_id": "s1", "cwd": "/repo", "agent_id": "a", "turn": {"deep": [1]}}"#;
    let read = parse(text).unwrap();
    assert_eq!(read.session_id.as_deref(), Some("s1"));
    assert_eq!(read.cwd.as_deref(), Some(std::path::Path::new("/repo")));
    assert_eq!(read.agent_id.as_deref(), Some("a"));
    let empty = parse("{}").unwrap();
    assert!(empty.session_id.is_none() && empty.cwd.is_none() && empty.agent_id.is_none());
    assert!(
        parse(r#"{"session_id": null}"#)
            .unwrap()
            .session_id
            .is_none()
    );
}

#[test]
fn a_payload_without_an_end_is_given_up() {
    assert!(read_payload(repeat(b' ')).is_none());
}

#[test]
fn a_session_without_an_id_a_folder_or_runs_around_it_owns_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cwd = serde_json::to_string(folder.path()).unwrap();
    for text in [
        "{}".to_owned(),
        r#"{"session_id": "s1"}"#.to_owned(),
        format!(r#"{{"cwd": {cwd}}}"#),
        format!(r#"{{"session_id": "s1", "cwd": {cwd}}}"#),
        r#"{"session_id": "s1", "cwd": "relative"}"#.to_owned(),
        r#"{"session_id": "s1", "cwd": "/gone/away"}"#.to_owned(),
    ] {
        let payload = parse(&text).unwrap();
        assert!(hook::find_owned_runs(&payload).is_empty(), "{text}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_reading_of_a_payload_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let read = read_payload(bytes.as_slice());
        let is_json = serde_json::from_slice::<Value>(&bytes).is_ok();
        prop_assert!(is_json || read.is_none());
    }
}
