//! `config check`, `config schema` and `config example`: every problem at once, each with its line and a remedy.

use std::io::Write;
use std::process::Stdio;

use crate::config_text::ConfigText;
use crate::testbed::{Answer, CONFIG, Testbed};

/// The answer of `config check` on this text, in a file called `run.yaml` outside the repository.
fn check(bed: &Testbed, text: &[u8]) -> Answer {
    let file = bed.home.join("run.yaml");
    std::fs::write(&file, text).unwrap();
    let mut answer = bed.run(&["config", "check", file.to_str().unwrap()]);
    answer.out = answer.out.replace(bed.home.to_str().unwrap(), "~");
    answer
}

/// A command that reads its config from standard input.
fn with_stdin(bed: &Testbed, arguments: &[&str], text: &str) -> Answer {
    let mut command = bed.command(arguments);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that refuses early may close the pipe.
    let _ = stdin.write_all(text.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    Answer {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

const BAD: &str = r#"gaol: Fewer any
scope: []
metric:
  name: any count
  direction: down
verify:
  command: "grep -c any src/a"
  timout: 5m
guard: npm test
iterations: 0
env:
  - GITHUB_TOKEN
"#;

#[test]
fn config_check_reports_every_problem_at_once_with_its_line() {
    let bed = Testbed::new();
    let answer = check(&bed, BAD.as_bytes()).fails(3);
    insta::assert_snapshot!(answer.out.trim_end(), @r"
    ~/run.yaml:1: gaol: unknown key `gaol` -> did you mean `goal`?
    ~/run.yaml:9: guard: expected a block of keys, found `npm test` -> write a block of keys, such as `{command: ...}` for a command
    ~/run.yaml:10: iterations: 0 is out of range -> write a number from 1 to 1000000
    ~/run.yaml:5: metric.direction: unknown word `down` -> use one of `lower`, `higher`
    ~/run.yaml:8: verify.timout: unknown key `timout` -> did you mean `timeout`?
    ~/run.yaml: `goal` is missing -> add `goal:` (What to improve, in one sentence)
    ~/run.yaml:2: scope: the scope is empty: no trial could change anything -> name the files to improve, such as `src/**`
    ~/run.yaml:11: env[0]: `GITHUB_TOKEN` looks like a secret, and values under `env` are written to a file -> list it under `secrets` instead
    ~/run.yaml:4: metric.name: `any count` is not a valid metric name -> use letters, digits, `_`, `-`, `.`, such as `any_count`
    warning: ~/run.yaml:7: verify.command: `grep -c` exits with 1 when it counts zero, so reaching zero would count as a crash -> add `ok_exit: [0, 1]` to verify
    ~/run.yaml: 9 errors, 1 warning
    ");
}

#[test]
fn config_check_gives_programs_the_same_as_one_object() {
    let bed = Testbed::new();
    let file = bed.home.join("run.yaml");
    std::fs::write(&file, BAD).unwrap();
    let report = bed
        .run(&["config", "check", file.to_str().unwrap(), "--json"])
        .fails(3)
        .json();
    assert_eq!(
        (report["ok"].as_bool(), report["in_repository"].as_bool()),
        (Some(false), Some(true))
    );
    let problems = report["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 10);
    for problem in problems {
        for field in ["severity", "message", "remedy"] {
            assert!(
                problem[field].as_str().is_some_and(|text| !text.is_empty()),
                "{field} of {problem}"
            );
        }
    }
    assert_eq!(
        (problems[4]["place"].as_str(), problems[4]["line"].as_u64()),
        (Some("verify.timout"), Some(8))
    );
}

#[test]
fn start_refuses_what_config_check_refuses_with_the_same_lines() {
    let bed = Testbed::new();
    let answer = bed
        .try_start(BAD)
        .fails(3)
        .says("has 9 errors")
        .says("did you mean `goal`?");
    assert!(
        answer.err.contains("config.yaml:5: metric.direction"),
        "{answer:?}"
    );
    assert!(!bed.path("autoresearch-results").exists());
}

#[test]
fn a_good_config_passes_the_check_without_a_word_of_complaint() {
    let bed = Testbed::new();
    let before = bed.fingerprint();
    let answer = check(&bed, CONFIG.as_bytes()).ok();
    assert_eq!(answer.out, "~/run.yaml: no problems\n");
    assert_eq!(bed.fingerprint(), before);
    assert!(
        !bed.path("autoresearch-results").exists() && !bed.state.exists(),
        "a check leaves nothing"
    );
}

#[test]
fn config_check_knows_what_the_repository_does_not_have() {
    let bed = Testbed::new();
    let text = r#"goal: Fewer any
scope:
  - "source/**"
protect:
  - "nothing/**"
metric: {name: any_count, direction: lower}
verify:
  command: sh count.sh
  working_directory: missing
guard: {command: sh guard.sh}
"#;
    insta::assert_snapshot!(check(&bed, text.as_bytes()).fails(3).out.trim_end(), @r"
    ~/run.yaml:2: scope: the scope matches no file of the repository -> check the patterns: they start at the repository's root, and ignored files do not count
    warning: ~/run.yaml:4: protect[0]: `nothing/**` matches no file -> check the pattern: it protects nothing now
    ~/run.yaml:9: verify.working_directory: `missing` is not a folder -> name a folder inside the repository
    ~/run.yaml: 2 errors, 1 warning
    ");
}

#[test]
fn config_check_finds_protected_and_pinned_files_in_the_scope() {
    let bed = Testbed::new();
    let checked = |config: ConfigText| check(&bed, config.to_string().as_bytes());
    let whole = ConfigText::demo().scope(&["src/**", "*.sh"]);
    let both = whole.clone().protect(&["src/state"]);
    insta::assert_snapshot!(checked(both).fails(3).out.trim_end(), @r#"
    ~/run.yaml:4: protect: protected paths lie inside the scope: src/state -> take them out of the scope: add "!src/state" to it
    ~/run.yaml: 1 error, 0 warnings
    "#);
    insta::assert_snapshot!(checked(whole).ok().out.trim_end(), @r#"
    warning: ~/run.yaml:4: scope: verify or guard execute `count.sh`, `guard.sh` or take rules from it, and the scope holds it: a trial that changes it is void -> take it out: add "!count.sh" to the scope; or, if trials are to change it, name it there without a wildcard: "count.sh"
    ~/run.yaml: 0 errors, 1 warning
    "#);
    let mended = ConfigText::demo().scope(&["src/**", "!src/state"]);
    let mended = mended.protect(&["src/state"]);
    checked(mended).ok().says("no problems");
}

#[test]
fn outside_a_repository_config_check_says_what_it_did_not_check() {
    let bed = Testbed::new();
    let file = bed.home.join("run.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    let home = bed.home.to_str().unwrap();
    bed.run(&["-C", home, "config", "check", file.to_str().unwrap()])
        .ok()
        .says("were not checked");
}

#[test]
fn a_config_is_read_from_standard_input() {
    let bed = Testbed::new();
    let answer = with_stdin(
        &bed,
        &["config", "check", "-"],
        &ConfigText::demo().direction("down").to_string(),
    );
    answer
        .fails(3)
        .says("standard input:5: metric.direction: unknown word `down`");
    with_stdin(&bed, &["start", "--config", "-"], CONFIG)
        .ok()
        .says("run `demo` started");
    assert_eq!(
        std::fs::read_to_string(bed.run_file("config.yaml")).unwrap(),
        CONFIG,
        "the text is frozen letter by letter"
    );
}

#[test]
fn a_config_that_is_no_yaml_is_refused_with_its_line() {
    let bed = Testbed::new();
    check(&bed, b"goal: x\nmetric: {name: y\n")
        .fails(3)
        .says("not YAML")
        .says("line 3");
    check(&bed, b"goal: x\n\tscope: y\n")
        .fails(3)
        .says("not YAML")
        .says("line 2");
    check(&bed, b"")
        .fails(3)
        .says("the config is not a block of `key: value` lines");
    check(&bed, b"goal: \xff\n").fails(3).says("UTF-8");
}

#[test]
fn a_key_that_is_written_twice_is_refused() {
    let bed = Testbed::new();
    check(&bed, format!("{CONFIG}iterations: 5\n").as_bytes())
        .fails(3)
        .says("iterations");
    let nested = ConfigText::demo()
        .metric("other, name: any_count")
        .to_string();
    check(&bed, nested.as_bytes()).fails(3).says("name");
}

#[test]
fn a_config_over_64_kib_is_refused() {
    let bed = Testbed::new();
    let padded = |length: usize| format!("{CONFIG}#{}", "x".repeat(length - CONFIG.len() - 1));
    check(&bed, padded(64 * 1024).as_bytes()).ok();
    check(&bed, padded(64 * 1024 + 1).as_bytes())
        .fails(3)
        .says("65537 bytes")
        .says("at most 65536");
    with_stdin(&bed, &["config", "check", "-"], &padded(3 << 20))
        .fails(3)
        .says("at most 65536");
}

#[test]
fn a_config_that_is_not_there_is_named() {
    let bed = Testbed::new();
    bed.run(&["config", "check"])
        .fails(3)
        .says("autoresearch.yaml")
        .says("config example");
    bed.run(&["start"])
        .fails(3)
        .says("could not read the config autoresearch.yaml");
}

#[test]
fn an_unknown_domain_suggests_the_nearest() {
    let bed = Testbed::new();
    bed.run(&["config", "example", "test-coverge"])
        .fails(2)
        .says("did you mean `test-coverage`?");
    bed.run(&["config", "example", "zzz"])
        .fails(2)
        .says("known: binary-size, ");
}

#[test]
fn config_schema_prints_the_file_that_is_published() {
    let bed = Testbed::new();
    let published = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../skill/codex-autoresearch/config.schema.json"
    );
    let printed = bed.run(&["config", "schema"]).ok().out;
    let hint =
        "make it anew: autoresearch config schema > skill/codex-autoresearch/config.schema.json";
    assert_eq!(
        printed,
        std::fs::read_to_string(published).unwrap(),
        "{hint}"
    );
    let schema: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert_eq!(schema["additionalProperties"], false);
    for key in ["goal", "scope", "metric", "verify"] {
        assert!(
            schema["required"].as_array().unwrap().contains(&key.into()),
            "{key} is required"
        );
        assert!(
            schema["properties"][key]["description"].is_string(),
            "{key} is described"
        );
    }
}

#[test]
fn a_config_without_end_is_refused() {
    let bed = Testbed::new();
    bed.run(&["config", "check", "/dev/zero"])
        .fails(3)
        .says("a config has at most");
}
