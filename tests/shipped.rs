//! The binary as it is shipped: it starts, and it has none of the doors that the tests use.
#![expect(clippy::disallowed_methods, reason = "a test starts what it likes")]

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

const SHIPPED: &str = env!("CARGO_BIN_EXE_autoresearch");

#[test]
fn the_shipped_binary_has_none_of_the_variables_of_the_sealed_one() {
    let bytes = std::fs::read(SHIPPED).unwrap();
    let has = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
    assert!(has(b"codex-autoresearch"), "the search itself works");
    for word in [
        "SEALED_STATE",
        "SEALED_DATA",
        "SEALED_PROGRAM",
        "SEALED_CRASH_AT",
        "SEALED_STEPS",
    ] {
        assert!(!has(word.as_bytes()), "{word}");
    }
}

#[test]
fn the_shipped_binary_says_its_version_and_its_help() {
    let says = |argument: &str| {
        String::from_utf8(Command::new(SHIPPED).arg(argument).output().unwrap().stdout).unwrap()
    };
    assert_eq!(
        says("--version").trim(),
        concat!("autoresearch ", env!("CARGO_PKG_VERSION"))
    );
    assert!(says("--help").contains("A first run:"));
}

#[test]
fn the_names_of_the_helpers_and_the_hidden_words_lead_to_the_same_program() {
    let run = |name: &str, words: &[&str]| {
        let mut command = Command::new(SHIPPED);
        command.arg0(name).args(words).stdin(Stdio::null());
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let quiet = |code: i32| (Some(code), String::new(), String::new());
    for name in ["autoresearch-hook", "autoresearch-supervisor"] {
        let version = format!("{name} {}\n", env!("CARGO_PKG_VERSION"));
        let answer = run(name, &["--version"]);
        assert_eq!(answer, (Some(0), version, String::new()));
    }
    // A hook never fails, and a supervisor has nobody to tell.
    assert_eq!(run("/bin/autoresearch-hook", &["no such event"]), quiet(0));
    assert_eq!(run("autoresearch", &["hook", "stop"]), quiet(0));
    assert_eq!(run("autoresearch-supervisor", &["trial"]), quiet(2));
    let words = ["supervisor", "-C", "/", "--run", "none"];
    let (code, out, err) = run("autoresearch", &words);
    assert_ne!(code, Some(0));
    assert_eq!((out, err), (String::new(), String::new()));
    // A person who mistypes `hooks` is told.
    let (code, _, err) = run("autoresearch", &["hook", "status"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("'hooks'"), "{err}");
}
