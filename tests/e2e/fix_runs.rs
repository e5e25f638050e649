//! Mode fix as a whole: from `fix check --write` to zero, kind by kind, with a scripted agent that first tries to mute.

use serde_json::Value;

use crate::fix::{hide_spans, path_with_cargo, project};
use crate::shown::assert_answer;
use crate::testbed::{Answer, Testbed};

/// Takes the next line of `$HOME/moves`, does it, and answers.
const AGENT: &str = r#"cat > /dev/null
move=$(head -n 1 "$HOME/moves"); sed -i 1d "$HOME/moves"
eval "$move"
echo "{\"message\": \"the next cause\", \"hypothesis\": \"fewer\", \"strategy\": \"another way\"}"
"#;

const MANIFEST: &str = "[package]\nname = \"own\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
const LOCK: &str = "version = 3\n\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n";
const SOURCE: &str = "pub fn sum(a: i32, b: i32) -> i32 {\n    return a - b;\n}\n\npub fn half(a: i32) -> i32 {\n    a / 3\n}\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn adds() {\n        assert_eq!(sum(1, 2), 3);\n    }\n\n    #[test]\n    fn halves() {\n        assert_eq!(half(4), 2);\n    }\n}\n";

fn run(bed: &Testbed, arguments: &[&str]) -> Answer {
    bed.run_with(
        arguments,
        &[
            ("PATH", &path_with_cargo()),
            ("AUTORESEARCH_AGENT_COMMAND", "sh \"$HOME/agent.sh\""),
            ("SEALED_PATIENCE", "20"),
        ],
    )
}

/// A run whose agent makes these moves: what became of each trial, and how it ended.
fn work(bed: &Testbed, moves: &[&str]) -> String {
    std::fs::write(bed.home.join("moves"), moves.join("\n") + "\n").unwrap();
    let answer = run(bed, &["exec", "--config", "autoresearch.yaml"]).ok();
    let lines = answer.out.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        match line["type"].as_str() {
            Some("summary") => format!(
                "{}: {} -> {}",
                line["status"].as_str().unwrap(),
                line["baseline"],
                line["best"]
            ),
            _ => format!(
                "{} {} {}",
                line["verdict"].as_str().unwrap_or("?"),
                line["reason"].as_str().unwrap_or("-"),
                line["detail"].as_str().unwrap_or("-")
            ),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn each_kind_goes_to_zero_in_turn_and_no_trial_that_mutes_is_kept() {
    let bed = project(&[
        ("Cargo.toml", MANIFEST),
        ("Cargo.lock", LOCK),
        ("src/lib.rs", SOURCE),
        (".gitignore", "/target\n"),
    ]);
    std::fs::write(bed.home.join("agent.sh"), AGENT).unwrap();
    let mut found = hide_spans(&run(&bed, &["fix", "check", "--write"]));
    // Tests run at once, and end in any order.
    for name in ["tests::adds", "tests::halves"] {
        assert!(found.contains(name), "{found}");
        found = found.replace(name, "<test>");
    }
    assert_answer!(found, @"
    project     Rust in .
    build       passes (<span>)  cargo check --locked --quiet; cargo check --locked --quiet --tests
    tests       fails (<span>)  cargo test --locked --quiet
                exit status 101
    lint        fails (<span>)  cargo clippy --locked --quiet -- -D warnings
                exit status 101
    count       failing_tests is 2
                test <test> ... FAILED
                test <test> ... FAILED
    wrote       autoresearch.yaml
    not in it   lint: no guard holds what is broken already, so look that it gets no worse
    next: read it, then autoresearch config try, then autoresearch start; at zero move it away and call autoresearch fix check --write for lint
    ");
    assert_answer!(work(&bed, &[
        "sed -i 's/    fn adds/    #[ignore]\\n    fn adds/' src/lib.rs",
        "sed -i '/fn halves/,/^    }/d' src/lib.rs",
        "sed -i 's/a - b/a + b/' src/lib.rs",
        "sed -i 's,a / 3,a / 2,' src/lib.rs",
    ]), @"
    discard muted it mutes findings: fix their cause without this, or ask the person for `suppressions: allow` in a new run: src/lib.rs:14 `[ignore]`
    discard muted it mutes findings: fix their cause without this, or ask the person for `suppressions: allow` in a new run: src/lib.rs:1 `the tests ask 1 times, not 2`
    keep - -
    keep - -
    target: 2 -> 0
    ");
    bed.git(&[
        "merge",
        "-q",
        "--ff-only",
        "autoresearch/make-every-test-pass",
    ]);
    std::fs::remove_file(bed.path("autoresearch.yaml")).unwrap();
    assert_answer!(hide_spans(&run(&bed, &["fix", "check", "--write"])), @"
    project     Rust in .
    build       passes (<span>)  cargo check --locked --quiet; cargo check --locked --quiet --tests
    tests       passes (<span>)  cargo test --locked --quiet
    lint        fails (<span>)  cargo clippy --locked --quiet -- -D warnings
                exit status 101
    count       clippy_findings is 1
                src/lib.rs:2:5: warning: unneeded `return` statement
    wrote       autoresearch.yaml
    next: read it, then autoresearch config try, then autoresearch start
    ");
    assert_answer!(work(&bed, &[
        "sed -i '1i #[allow(clippy::needless_return)]' src/lib.rs",
        "sed -i 's/return a + b;/a + b/' src/lib.rs",
    ]), @"
    discard muted it mutes findings: fix their cause without this, or ask the person for `suppressions: allow` in a new run: src/lib.rs:1 `#[allow(clippy::needless_return)]`
    keep - -
    target: 1 -> 0
    ");
    bed.git(&[
        "merge",
        "-q",
        "--ff-only",
        "autoresearch/fix-what-clippy-finds",
    ]);
    std::fs::remove_file(bed.path("autoresearch.yaml")).unwrap();
    assert_answer!(hide_spans(&run(&bed, &["fix", "check"])), @"
    project     Rust in .
    build       passes (<span>)  cargo check --locked --quiet; cargo check --locked --quiet --tests
    tests       passes (<span>)  cargo test --locked --quiet
    lint        passes (<span>)  cargo clippy --locked --quiet -- -D warnings
    next: nothing is broken; autoresearch scan proposes what to improve
    ");
    let source = bed.read("src/lib.rs");
    assert!(
        !source.contains("ignore") && !source.contains("allow"),
        "{source}"
    );
}
