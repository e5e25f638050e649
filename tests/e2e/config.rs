//! `config check`, `config schema` and `config example`: every problem at once, each with its line and a remedy.

use std::io::Write;
use std::process::Stdio;

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
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
    let answer = bed.try_start(BAD).fails(3);
    assert_answer!(answer, @"
    exit code 3
    --- stderr
    error: the config <bed>/home/config.yaml has 9 errors
    caused by: <bed>/home/config.yaml:1: gaol: unknown key `gaol` -> did you mean `goal`?
    caused by: <bed>/home/config.yaml:9: guard: expected a block of keys, found `npm test` -> write a block of keys, such as `{command: ...}` for a command
    caused by: <bed>/home/config.yaml:10: iterations: 0 is out of range -> write a number from 1 to <most>
    caused by: <bed>/home/config.yaml:5: metric.direction: unknown word `down` -> use one of `lower`, `higher`
    caused by: <bed>/home/config.yaml:8: verify.timout: unknown key `timout` -> did you mean `timeout`?
    caused by: <bed>/home/config.yaml: `goal` is missing -> add `goal:` (What to improve, in one sentence)
    caused by: <bed>/home/config.yaml:2: scope: the scope is empty: no trial could change anything -> name the files to improve, such as `src/**`
    caused by: <bed>/home/config.yaml:11: env[0]: `GITHUB_TOKEN` looks like a secret, and values under `env` are written to a file -> list it under `secrets` instead
    caused by: <bed>/home/config.yaml:4: metric.name: `any count` is not a valid metric name -> use letters, digits, `_`, `-`, `.`, such as `any_count`
    warning: <bed>/home/config.yaml:7: verify.command: `grep -c` exits with 1 when it counts zero, so reaching zero would count as a crash -> add `ok_exit: [0, 1]` to verify
    hint: fix these, then run `autoresearch config check <bed>/home/config.yaml`
    ");
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
    assert_answer!(checked(mended), @"~/run.yaml: no problems");
}

#[test]
fn outside_a_repository_config_check_says_what_it_did_not_check() {
    let bed = Testbed::new();
    let file = bed.home.join("run.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    let home = bed.home.to_str().unwrap();
    assert_answer!(bed.run(&["-C", home, "config", "check", file.to_str().unwrap()]), @"
    this is not a git repository with a commit, so the file patterns were not checked
    <bed>/home/run.yaml: no problems
    ");
}

#[test]
fn a_config_is_read_from_standard_input() {
    let bed = Testbed::new();
    let answer = with_stdin(
        &bed,
        &["config", "check", "-"],
        &ConfigText::demo().direction("down").to_string(),
    );
    assert_answer!(answer, @"
    exit code 3
    standard input:5: metric.direction: unknown word `down` -> use one of `lower`, `higher`
    standard input: 1 error, 0 warnings
    ");
    assert_answer!(with_stdin(&bed, &["start", "--config", "-"], CONFIG), @r#"
    run `demo` started: Fewer any
      metric    any_count = 10 (lower is better)
      noise     none: 3 equal runs; a keep takes two equal runs or three, a discard one
      guard     pass
      scope     src/**
      pinned    2 files: count.sh, guard.sh; a trial that changes one is void
      branch    autoresearch/demo in <bed>/repo
      limits    100 iterations
      log       autoresearch-results/demo/research-results.tsv
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    assert_eq!(
        std::fs::read_to_string(bed.run_file("config.yaml")).unwrap(),
        CONFIG,
        "the text is frozen letter by letter"
    );
}

#[test]
fn a_config_that_is_no_yaml_is_refused_with_its_line() {
    let bed = Testbed::new();
    assert_answer!(check(&bed, b"goal: x\nmetric: {name: y\n"), @"
    exit code 3
    ~/run.yaml: not YAML: did not find expected ',' or '}' at line 3 column 1, while parsing a flow mapping at line 2 column 9 -> fix the YAML; `autoresearch config example lint` shows a good one
    ~/run.yaml: 1 error, 0 warnings
    ");
    assert_answer!(check(&bed, b"goal: x\n\tscope: y\n"), @"
    exit code 3
    ~/run.yaml: not YAML: found a tab character that violates indentation at line 2 column 1, while scanning a plain scalar at line 1 column 7 -> fix the YAML; `autoresearch config example lint` shows a good one
    ~/run.yaml: 1 error, 0 warnings
    ");
    assert_answer!(check(&bed, b""), @"
    exit code 3
    ~/run.yaml: the config is not a block of `key: value` lines -> start from `autoresearch config example`
    ~/run.yaml: 1 error, 0 warnings
    ");
    assert_answer!(check(&bed, b"goal: \xff\n"), @"
    exit code 3
    --- stderr
    error: could not read the config <bed>/home/run.yaml
    caused by: it is not UTF-8: invalid utf-8 sequence of 1 bytes from index 6
    hint: save it as UTF-8
    ");
}

#[test]
fn a_key_that_is_written_twice_is_refused() {
    let bed = Testbed::new();
    assert_answer!(check(&bed, format!("{CONFIG}iterations: 5\n").as_bytes()), @r#"
    exit code 3
    ~/run.yaml: not YAML: duplicate entry with key "iterations" at line 2 column 1 -> fix the YAML; `autoresearch config example lint` shows a good one
    ~/run.yaml: 1 error, 0 warnings
    "#);
    let nested = ConfigText::demo()
        .metric("other, name: any_count")
        .to_string();
    assert_answer!(check(&bed, nested.as_bytes()), @r#"
    exit code 3
    ~/run.yaml: not YAML: metric: duplicate entry with key "name" at line 5 column 9 -> fix the YAML; `autoresearch config example lint` shows a good one
    ~/run.yaml: 1 error, 0 warnings
    "#);
}

#[test]
fn a_config_over_64_kib_is_refused() {
    let bed = Testbed::new();
    let padded = |length: usize| format!("{CONFIG}#{}", "x".repeat(length - CONFIG.len() - 1));
    check(&bed, padded(64 * 1024).as_bytes()).ok();
    assert_answer!(check(&bed, padded(64 * 1024 + 1).as_bytes()), @"
    exit code 3
    ~/run.yaml: the file has 65537 bytes; a config has at most 65536 -> fix the YAML; `autoresearch config example lint` shows a good one
    ~/run.yaml: 1 error, 0 warnings
    ");
    assert_answer!(with_stdin(&bed, &["config", "check", "-"], &padded(3 << 20)), @"
    exit code 3
    standard input: the file has <count> bytes; a config has at most 65536 -> fix the YAML; `autoresearch config example lint` shows a good one
    standard input: 1 error, 0 warnings
    ");
}

#[test]
fn a_config_that_is_not_there_is_named() {
    let bed = Testbed::new();
    assert_answer!(bed.run(&["config", "check"]), @"
    exit code 3
    --- stderr
    error: could not read the config autoresearch.yaml
    caused by: No such file or directory (os error 2)
    hint: `autoresearch config example lint > autoresearch.yaml` writes one to start from
    ");
    assert_answer!(bed.run(&["start"]), @"
    exit code 3
    --- stderr
    error: could not read the config autoresearch.yaml
    caused by: No such file or directory (os error 2)
    hint: `autoresearch config example lint > autoresearch.yaml` writes one to start from
    ");
}

#[test]
fn an_unknown_domain_suggests_the_nearest() {
    let bed = Testbed::new();
    assert_answer!(bed.run(&["config", "example", "test-coverge"]), @"
    exit code 2
    --- stderr
    error: there is no example for `test-coverge`
    hint: did you mean `test-coverage`?
    ");
    assert_answer!(bed.run(&["config", "example", "zzz"]), @"
    exit code 2
    --- stderr
    error: there is no example for `zzz`
    hint: known: binary-size, build-time, bundle-size, failing-tests, flaky-tests-go, flaky-tests-python, flaky-tests-rust, flaky-tests-typescript, latency, lint, memory, prompt-evaluation, slow-function-go, slow-function-python, slow-function-rust, slow-function-typescript, test-coverage, throughput, training-loss, type-errors
    ");
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
    assert_answer!(bed.run(&["config", "check", "/dev/zero"]), @"
    exit code 3
    /dev/zero: the file has <count> bytes; a config has at most 65536 -> fix the YAML; `autoresearch config example lint` shows a good one
    /dev/zero: 1 error, 0 warnings
    ");
}
