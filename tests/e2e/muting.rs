//! Trials that mute findings instead of fixing them: void before anything is measured, unless a person allows it.

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::Testbed;

/// What stands for a linter: each `bad` is a finding, unless its line says that it is none.
const LINT: &str = "import pathlib\nfiles = sorted(pathlib.Path('src').rglob('*.py'))\nlines = [line for file in files for line in file.read_text().splitlines()]\nfound = [line for line in lines if 'bad(' in line and 'noqa' not in line and 'type: ignore' not in line]\nprint(f'METRIC lint_errors={len(found)}')\n";
const CODE: &str = "bad(1)\nbad(2)\nbad(3)\ngood(4)  # noqa: B1\n";

fn config() -> ConfigText {
    ConfigText::demo()
        .goal("No findings")
        .metric("lint_errors")
        .verify("python3 -B lint.py")
        .guard("test -s src/a.py")
        .scope(&["src/**", "tests/**", "pyproject.toml"])
}

fn bed() -> Testbed {
    let bed = Testbed::new();
    bed.write("lint.py", LINT);
    bed.write("src/a.py", CODE);
    bed.write("pyproject.toml", "[tool.ruff]\nselect = [\"E\", \"B\"]\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "code"]);
    bed
}

#[test]
fn a_trial_that_mutes_a_finding_is_void_with_its_place_and_nothing_is_measured() {
    let bed = bed();
    bed.start(&config());
    bed.write("src/a.py", &CODE.replace("bad(1)", "bad(1)  # noqa"));
    assert_answer!(bed.run(&["trial", "-m", "fewer"]), @r#"
    trial 1: discard (muted); the best is 3 from trial 0
    why: it mutes findings: fix their cause without this, or ask the person for `suppressions: allow` in a new run: src/a.py:1 `noqa`
    files: src/a.py
    your edits in the scope were undone; they are in commit <commit>
    next: change one thing in scope (src/** tests/** pyproject.toml), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    assert_eq!(bed.read("src/a.py"), CODE, "it is undone");
    let rows = bed.run(&["log", "--json"]).ok().json();
    assert_answer!(rows["rows"][1]["description"].as_str().unwrap(), @"fewer [muted: it mutes findings: fix their cause without this, or ask the person for `suppressions: allow` in a new run: src/a.py:1 `noqa`]");
    let outputs = std::fs::read_dir(bed.run_file("trials/1"));
    assert_eq!(outputs.map_or(0, Iterator::count), 0, "verify did not run");
    // The honest way is kept, and so is a comment that moves.
    let fixed = "good(4)  # noqa: B1\nbad(2)\nbad(3)\ngood(1)\n";
    bed.write("src/a.py", fixed);
    assert_eq!(bed.trial("fixed")["verdict"], "keep");
}

#[test]
fn skipped_tests_looser_rules_and_escapes_are_void_too_each_by_its_line() {
    let bed = bed();
    bed.write("tests/test_a.py", "def test_a():\n    assert f()\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "test"]);
    bed.start(&config());
    let fixed = CODE.replace("bad(1)", "good(1)");
    let cheats = [
        (
            "tests/test_a.py",
            "import pytest\n\n\n@pytest.mark.skip\ndef test_a():\n    assert f()\n",
        ),
        (
            "pyproject.toml",
            "[tool.ruff]\nselect = [\"E\", \"B\"]\nignore = [\"B1\"]\n",
        ),
        ("pyproject.toml", "[tool.ruff]\nselect = [\"E\"]\n"),
        ("src/b.rs", "#[allow(dead_code)]\nfn f() {}\n"),
    ];
    let mut told = String::new();
    for (path, text) in cheats {
        bed.write("src/a.py", &fixed);
        bed.write(path, text);
        let answer = bed.trial("muted");
        assert_eq!(answer["reason"], "muted", "{answer}");
        told.push_str(answer["detail"].as_str().unwrap());
        told.push('\n');
        if bed.run(&["status", "--json"]).ok().json()["due"] != "trial" {
            bed.run(&["strategy", "refine", "-m", "fix the cause"]).ok();
        }
    }
    assert_answer!(told, @"
    it mutes findings: fix their cause without this, or ask the person for `suppressions: allow` in a new run: tests/test_a.py:4 `mark.skip`
    it mutes findings: fix their cause without this, or ask the person for `suppressions: allow` in a new run: pyproject.toml:3 `ignore = B1`
    it mutes findings: fix their cause without this, or ask the person for `suppressions: allow` in a new run: pyproject.toml:2 `without select = B`
    it mutes findings: fix their cause without this, or ask the person for `suppressions: allow` in a new run: src/b.rs:1 `#[allow(dead_code)]`
    ");
}

#[test]
fn what_a_person_allows_is_measured_and_another_metric_counts_no_findings() {
    let muted = CODE.replace("bad(1)", "bad(1)  # noqa");
    let first = bed();
    first.start(&format!("{}suppressions: allow\n", config()));
    first.write("src/a.py", &muted);
    assert_eq!(first.trial("allowed")["verdict"], "keep");
    let second = bed();
    second.start(
        &config()
            .metric("steps")
            .verify("python3 -B lint.py | sed s/lint_errors/steps/"),
    );
    second.write("src/a.py", &muted);
    assert_eq!(second.trial("a metric of its own")["verdict"], "keep");
    let third = bed();
    let always = config()
        .metric("steps")
        .verify("python3 -B lint.py | sed s/lint_errors/steps/");
    third.start(&format!("{always}suppressions: void\n"));
    third.write("src/a.py", &muted);
    assert_eq!(third.trial("void")["reason"], "muted");
}

#[test]
fn a_rework_that_mutes_is_void_with_the_attempts_before_it() {
    let bed = bed();
    bed.start(&config().guard("! test -e src/unfinished"));
    bed.write("src/a.py", &CODE.replace("bad(1)", "good(1)"));
    bed.write("src/unfinished", "x\n");
    assert_eq!(bed.trial("fewer")["verdict"], "rework");
    std::fs::remove_file(bed.path("src/unfinished")).unwrap();
    let muted = CODE
        .replace("bad(1)", "good(1)")
        .replace("bad(2)", "bad(2)  # type: ignore");
    bed.write("src/a.py", &muted);
    let words = ["trial", "--rework", "-m", "finished", "--json"];
    let answer = bed.run(&words).ok().json();
    assert_eq!(answer["reason"], "muted");
    assert_eq!(bed.read("src/a.py"), CODE);
}

#[test]
fn an_unknown_word_is_refused_with_the_known_ones() {
    let bed = bed();
    let config = format!("{}suppressions: never\n", config());
    assert_answer!(bed.try_start(&config), @"
    exit code 3
    --- stderr
    error: the config <bed>/home/config.yaml has 1 error
    caused by: <bed>/home/config.yaml:9: suppressions: unknown word `never` -> use one of `auto`, `void`, `allow`
    hint: fix these, then run `autoresearch config check <bed>/home/config.yaml`
    ");
}
