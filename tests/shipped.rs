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

/// `script` gives a program a terminal: standard output and standard error are one there.
#[test]
fn in_a_terminal_fix_check_lists_its_commands_before_the_first_runs() {
    let folder = tempfile::tempdir().unwrap();
    let repo = folder.path().join("repo");
    std::fs::create_dir(&repo).unwrap();
    std::fs::write(repo.join("run.sh"), "echo ok\n").unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&repo)
            .env("HOME", folder.path())
            .env("XDG_STATE_HOME", folder.path().join("state"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env_remove("GIT_DIR")
            .stdin(Stdio::null());
        command.output().map(|output| {
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        })
    };
    run("git", &["init", "-q"]).unwrap();
    run("git", &["add", "-A"]).unwrap();
    let person = ["-c", "user.name=a", "-c", "user.email=a@b"];
    run("git", &[&person[..], &["commit", "-qm", "first"]].concat()).unwrap();
    let call = format!("'{SHIPPED}' fix check");
    // Not every system has it.
    let Ok(text) = run("script", &["-qec", &call, "/dev/null"]) else {
        return;
    };
    let listed = text.find("…   build: git ls-files").unwrap();
    let begun = text.find("… build runs, for at most 15m").unwrap();
    let answered = text.find("build       passes").unwrap();
    assert!(listed < begun && begun < answered, "{text}");
    assert!(
        text.contains("… these run in ., one after the other, each for at most 15m:"),
        "{text}"
    );
}
