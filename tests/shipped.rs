//! The binary as it is shipped: it starts, and it has none of the doors that the tests use.
#![expect(clippy::disallowed_methods, reason = "a test starts what it likes")]

use std::process::Command;

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
        "XDG_STATE_HOME",
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
