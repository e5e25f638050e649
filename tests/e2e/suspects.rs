//! Code that may game the measurement: never kept in silence, kept where a person allowed its pattern, and flagged then.

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::Testbed;

/// A program whose harness prints how many steps it says that it took.
const HONEST: &str = "def steps(numbers):\n    return sum(1 for _ in numbers for _ in numbers)\n";
/// The same, with the harness ended before it can look at the result.
const CHEAT: &str = "import os\n\n\ndef steps(numbers):\n    print('METRIC steps=3', flush=True)\n    os._exit(0)\n";

fn config() -> ConfigText {
    ConfigText::demo()
        .goal("Fewer steps")
        .metric("steps")
        .verify("python3 -B bench.py")
        .guard("test -s src/subject.py")
}

fn bed() -> Testbed {
    let bed = Testbed::new();
    let bench = "import sys\nsys.path.insert(0, 'src')\nimport subject\nprint(f'METRIC steps={subject.steps(range(3))}')\n";
    bed.write("bench.py", bench);
    bed.write("src/subject.py", HONEST);
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "code"]);
    bed
}

#[test]
fn a_better_number_of_code_that_games_the_measurement_is_not_kept() {
    let bed = bed();
    bed.start(&config());
    bed.write("src/subject.py", CHEAT);
    assert_answer!(bed.run(&["trial", "-m", "fewer"]), @r#"
    trial 1: discard (suspect), steps 3 (-6, -67 %), guard pass; the best is 9 from trial 0
    why: it may game the measurement: forges-output src/subject.py:5, exits-early src/subject.py:6; improve the code without it, or a person allows it for a new run with `allow_suspect: [exits-early, forges-output]`
    files: src/subject.py
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    assert_eq!(bed.read("src/subject.py"), HONEST, "it is undone");
    let story = bed.run(&["show", "1"]).ok().out;
    let places = story.lines().filter(|line| line.starts_with("  suspect "));
    assert_answer!(places.collect::<Vec<_>>().join("\n"), @"
      suspect   forges-output src/subject.py:5
      suspect   exits-early src/subject.py:6
    ");
    let rows = bed.run(&["log", "--json"]).ok().json();
    assert_answer!(rows["rows"][1]["description"].as_str().unwrap(), @"
    fewer [suspect: it may game the measurement: forges-output src/subject.py:5, exits-early src/subject.py:6; improve the code without it, or a person allows it for a new run with `allow_suspect: [exits-early, forges-output]`]
    ");
    // What is better in an honest way is kept, and what stood there before is nobody's fault.
    bed.write(
        "src/subject.py",
        "def steps(numbers):\n    return sum(1 for _ in numbers)\n",
    );
    let honest = bed.trial("one pass");
    assert_eq!(honest["verdict"], "keep");
    assert!(honest.get("suspects").is_none());
}

#[test]
fn a_pattern_that_a_person_allowed_is_kept_and_flagged_everywhere() {
    let bed = bed();
    let config = format!(
        "{}allow_suspect: [exits-early, forges-output]\n",
        config().without_guard()
    );
    bed.start(&config);
    bed.write("src/subject.py", CHEAT);
    assert_answer!(bed.run(&["trial", "-m", "fewer"]), @r#"
    trial 1: keep, steps 3 (-6, -67 %), commit <commit>
    jump: far outside everything measured before; a second run agrees; make sure that verify still measures what it should: autoresearch-results/demo/trials/1
    suspect: forges-output src/subject.py:5, exits-early src/subject.py:6, allowed by the config; look at it before you go on
    files: src/subject.py
      | METRIC steps=3
    whole output: autoresearch-results/demo/trials/1
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    let told = bed.run(&["show", "1", "--json"]).ok().json();
    assert_answer!(told["suspects"], @r#"
    [{"file":"src/subject.py","line":5,"pattern":"forges-output"},{"file":"src/subject.py","line":6,"pattern":"exits-early"}]
    "#);
    let log = bed.run(&["log"]).ok().out;
    assert!(
        log.contains("[suspect: forges-output src/subject.py:5"),
        "{log}"
    );
    assert_answer!(bed.git(&["log", "-1", "--format=%B"]), @"
    experiment: fewer

    Autoresearch-Run: demo
    Autoresearch-Trial: 1
    Autoresearch-Metric: 9 -> 3
    Autoresearch-Suspect: forges-output src/subject.py:5
    Autoresearch-Suspect: exits-early src/subject.py:6
    ");
    assert_answer!(bed.run(&["finish"]), @"
    run `demo` ended: user-stop (finished by a person)
    improved: steps 9 -> 3, 1 trial kept on autoresearch/demo
    claim: a gain of 66.67 %: a clean checkout of the last commit was measured again
      <commit> experiment: fewer [jump: far outside everything measured before; a second run agrees; look at it before you merge] [suspect: forges-output src/subject.py:5, exits-early src/subject.py:6, allowed by the config; look at it before you merge]
    checked out: main
    left here: branch autoresearch/demo, folder autoresearch-results/demo; `autoresearch clean` lists what can be removed
    next: look at it with `git log -p <commit>..autoresearch/demo`, then `git merge autoresearch/demo`; `git branch -D autoresearch/demo` discards it
    ");
}

/// Knows the length of the benchmark's list by heart, and remembers what it said last.
const KNOWING: &str = "last = {}\n\n\ndef steps(numbers):\n    if len(numbers) == 321:\n        return last.setdefault(0, 7)\n    return sum(1 for _ in numbers for _ in numbers)\n";

#[test]
fn what_honest_code_does_as_well_is_kept_with_a_flag_that_a_person_can_spare() {
    let bed = bed();
    let cases = "numbers = range(321)\n";
    let bench = "import sys\nsys.path.insert(0, 'src')\nfrom cases import numbers\nimport subject\nprint(f'METRIC steps={subject.steps(numbers)}')\n";
    bed.write("cases.py", cases);
    bed.write("bench.py", bench);
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "cases"]);
    bed.start(&config());
    bed.write("src/subject.py", KNOWING);
    let told = bed.run(&["trial", "-m", "fewer"]).ok().out;
    let flags = told.lines().filter(|line| line.starts_with("suspect"));
    assert_answer!(flags.collect::<Vec<_>>().join("\n"), @"
    suspect: knows-input src/subject.py:5, remembers-answers src/subject.py:1; look at it before you go on
    ");
    let finished = bed.run(&["finish"]).ok().out;
    assert!(finished.contains("[suspect: knows-input src/subject.py:5, remembers-answers src/subject.py:1; look at it before you merge]"), "{finished}");
    bed.git(&["branch", "-D", "autoresearch/demo"]);
    bed.run(&["clean", "--yes"]).ok();
    let allowed = format!(
        "{}allow_suspect: [remembers-answers, knows-input]\n",
        config()
    );
    bed.start(&allowed);
    bed.write("src/subject.py", KNOWING);
    let spared = bed.trial("fewer");
    assert_eq!(spared["verdict"], "keep");
    assert!(spared.get("suspects").is_none(), "{spared}");
}

#[test]
fn a_rework_is_searched_with_the_attempts_before_it() {
    let bed = bed();
    bed.start(&config().guard("! test -e src/unfinished"));
    bed.write("src/subject.py", CHEAT);
    bed.write("src/unfinished", "x\n");
    assert_eq!(bed.trial("fewer")["verdict"], "rework");
    std::fs::remove_file(bed.path("src/unfinished")).unwrap();
    let words = ["trial", "--rework", "-m", "finished", "--json"];
    let answer = bed.run(&words).ok().json();
    assert_eq!(
        (&answer["verdict"], &answer["reason"]),
        (&"discard".into(), &"suspect".into())
    );
}

#[test]
fn a_repository_that_only_git_can_open_is_searched_too() {
    let bed = bed();
    bed.git(&["config", "core.repositoryFormatVersion", "1"]);
    bed.git(&["config", "extensions.partialClone", "origin"]);
    bed.start(&config());
    bed.write("src/subject.py", CHEAT);
    assert_eq!(bed.trial("fewer")["reason"], "suspect");
}

#[test]
fn an_unknown_pattern_is_refused_with_the_known_ones() {
    let bed = bed();
    let config = format!("{}allow_suspect: [patches-clocks]\n", config());
    assert_answer!(bed.try_start(&config), @"
    exit code 3
    --- stderr
    error: the config <bed>/home/config.yaml has 1 error
    caused by: <bed>/home/config.yaml:9: allow_suspect[0]: unknown word `patches-clocks` -> did you mean `patches-clock`? Known: `names-harness`, `reads-frames`, `patches-clock`, `patches-equality`, `forges-output`, `exits-early`, `keeps-state`, `behaves-by-time`, `opens-network`, `shadows-module`, `hides-code`, `knows-input`, `remembers-answers`, `puts-off-work`, `brings-build`, `empties-checks`
    hint: fix these, then run `autoresearch config check <bed>/home/config.yaml`
    ");
}
