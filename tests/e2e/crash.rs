//! A crash before every step of every command that writes, and before every step of the repair that follows.
//!
//! After each: the next command repairs, `doctor` finds nothing, git and journal agree, and the work can be done as if
//! nothing had happened. The steps met are printed and must be those of `crates/docs/journal.md`.

use autoresearch_core::journal::event::Event;
use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::config_text::ConfigText;
use crate::testbed::{CONFIG, Testbed};

/// A command to crash in.
struct Scenario {
    name: &'static str,
    config: String,
    /// What happened before.
    prepare: fn(&Testbed),
    /// The edits, and the arguments of the command that is crashed.
    act: fn(&Testbed) -> &'static [&'static str],
    /// What an agent does after the repair, until the work is done.
    redo: fn(&Testbed),
    /// The row that must be in the log in the end, as `story` tells it without the number.
    row: &'static str,
    /// The metric of the incumbent in the end.
    value: u64,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            name: "",
            config: CONFIG.to_owned(),
            prepare: |_| {},
            act: |_| &[],
            redo: |bed| redo_trial(bed, |bed| bed.edit(6)),
            row: "discard",
            value: 10,
        }
    }
}

const TRIAL: &[&str] = &["trial", "-m", "the idea"];
/// A trial without an edit is a row only where an agent asks for it.
const AGENT: [(&str, &str); 1] = [("CODEX_CI", "1")];
const REWORK: &[&str] = &["trial", "--rework", "-m", "mend"];

fn redo_trial(bed: &Testbed, edit: fn(&Testbed)) {
    edit(bed);
    bed.run_with(TRIAL, &AGENT).ok();
}

fn break_guard(bed: &Testbed) {
    bed.edit(1);
    bed.write("src/state", "bad\n");
}

fn ignored_in_the_place_of_a_file(bed: &Testbed) {
    let _ = std::fs::remove_file(bed.path("src/c"));
    bed.write("src/c/mine.log", "precious\n");
    bed.edit(20);
}

fn in_mode(extra: &str) -> String {
    format!("{CONFIG}{extra}\n")
}

fn verdicts() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "keep",
            act: |bed| {
                bed.edit(4);
                TRIAL
            },
            redo: |bed| redo_trial(bed, |bed| bed.edit(4)),
            row: "keep",
            value: 9,
            ..Scenario::default()
        },
        Scenario {
            name: "discard",
            act: |bed| {
                bed.edit(6);
                bed.write("src/new", "x\n");
                TRIAL
            },
            ..Scenario::default()
        },
        Scenario {
            name: "crash",
            act: |bed| {
                bed.write("src/b", "stop\n");
                TRIAL
            },
            redo: |bed| redo_trial(bed, |bed| bed.write("src/b", "stop\n")),
            row: "crash",
            ..Scenario::default()
        },
        Scenario {
            name: "void",
            act: |bed| {
                bed.edit(4);
                bed.write("elsewhere", "x\n");
                TRIAL
            },
            redo: |bed| {
                redo_trial(bed, |bed| {
                    bed.edit(4);
                    bed.write("elsewhere", "x\n");
                });
            },
            ..Scenario::default()
        },
        Scenario {
            name: "no-op",
            act: |_| TRIAL,
            redo: |bed| redo_trial(bed, |_| {}),
            row: "no-op",
            ..Scenario::default()
        },
    ]
}

fn reworks() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "guard fails",
            act: |bed| {
                break_guard(bed);
                TRIAL
            },
            redo: |bed| {
                if bed.run(&["status", "--json"]).ok().json()["due"] != "rework" {
                    redo_trial(bed, break_guard);
                }
                bed.run(&["trial", "--drop"]).ok();
            },
            ..Scenario::default()
        },
        Scenario {
            name: "rework kept",
            prepare: |bed| redo_trial(bed, break_guard),
            act: |bed| {
                bed.write("src/state", "ok\n");
                REWORK
            },
            redo: |bed| match bed.run(&["status", "--json"]).ok().json()["due"].as_str() {
                Some("rework") => {
                    bed.write("src/state", "ok\n");
                    bed.run(REWORK).ok();
                }
                _ => redo_trial(bed, |bed| bed.edit(1)),
            },
            row: "keep",
            value: 6,
            ..Scenario::default()
        },
        Scenario {
            name: "rework dropped",
            prepare: |bed| redo_trial(bed, break_guard),
            act: |bed| {
                bed.write("src/state", "worse\n");
                &["trial", "--drop"]
            },
            redo: |bed| {
                if bed.run(&["status", "--json"]).ok().json()["due"] != "rework" {
                    redo_trial(bed, break_guard);
                }
                bed.run(&["trial", "--drop"]).ok();
            },
            ..Scenario::default()
        },
    ]
}

/// The commit of a failed guard is measured once more.
fn measured_again() -> Scenario {
    Scenario {
        name: "measured again",
        config: ConfigText::demo()
            .guard("test ! -e ../home/flaky")
            .to_string(),
        prepare: |bed| {
            let flaky = bed.home.join("flaky");
            std::fs::write(&flaky, "").unwrap();
            redo_trial(bed, |bed| bed.edit(1));
            std::fs::remove_file(&flaky).unwrap();
        },
        act: |_| &["trial", "--again"],
        redo: |bed| match bed.run(&["status", "--json"]).ok().json()["due"].as_str() {
            Some("rework") => drop(bed.run(&["trial", "--again"]).ok()),
            _ => redo_trial(bed, |bed| bed.edit(1)),
        },
        row: "keep",
        value: 6,
    }
}

/// What the holdout passes, and what it does not.
fn held_out() -> Vec<Scenario> {
    let config = || in_mode("holdout: {command: \"! grep -q cheat src/b\"}");
    vec![
        Scenario {
            name: "passes the holdout",
            config: config(),
            act: |bed| {
                bed.edit(4);
                TRIAL
            },
            redo: |bed| redo_trial(bed, |bed| bed.edit(4)),
            row: "keep",
            value: 9,
            ..Scenario::default()
        },
        Scenario {
            name: "fails the holdout",
            config: config(),
            act: |bed| {
                bed.edit(1);
                bed.write("src/b", "cheat\n");
                TRIAL
            },
            redo: |bed| {
                redo_trial(bed, |bed| {
                    bed.edit(1);
                    bed.write("src/b", "cheat\n");
                });
            },
            ..Scenario::default()
        },
    ]
}

fn modes() -> Vec<Scenario> {
    let discard = || Scenario {
        act: |bed| {
            bed.edit(6);
            bed.write("src/new", "x\n");
            TRIAL
        },
        ..Scenario::default()
    };
    vec![
        Scenario {
            name: "revert",
            config: in_mode("rollback: revert"),
            ..discard()
        },
        Scenario {
            name: "in-place",
            config: in_mode("isolation: in-place"),
            ..discard()
        },
        Scenario {
            name: "revert of a rework",
            config: in_mode("rollback: revert"),
            prepare: |bed| redo_trial(bed, break_guard),
            act: |_| &["trial", "--drop"],
            redo: |bed| {
                if bed.run(&["status", "--json"]).ok().json()["due"] != "rework" {
                    redo_trial(bed, break_guard);
                }
                bed.run(&["trial", "--drop"]).ok();
            },
            ..Scenario::default()
        },
    ]
}

fn others() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "drop",
            act: |bed| {
                bed.edit(6);
                &["trial", "--drop"]
            },
            redo: |bed| {
                bed.edit(6);
                bed.run(&["trial", "--drop"]).ok();
            },
            row: "interrupted",
            ..Scenario::default()
        },
        Scenario {
            name: "strategy",
            act: |_| &["strategy", "pivot", "-m", "another way"],
            redo: |bed| drop(bed.run(&["strategy", "pivot", "-m", "another way"]).ok()),
            row: "pivot",
            ..Scenario::default()
        },
        Scenario {
            name: "finish",
            prepare: |bed| redo_trial(bed, |bed| bed.edit(4)),
            act: |bed| {
                bed.edit(2);
                &["finish"]
            },
            redo: |bed| drop(bed.run(&["finish"]).ok()),
            row: "keep",
            value: 9,
            ..Scenario::default()
        },
    ]
}

/// A discard where an ignored file stands in the place of a kept one.
fn over_an_ignored_file() -> Scenario {
    Scenario {
        name: "over an ignored file",
        act: |bed| {
            ignored_in_the_place_of_a_file(bed);
            TRIAL
        },
        redo: |bed| redo_trial(bed, ignored_in_the_place_of_a_file),
        ..Scenario::default()
    }
}

/// The bench of a scenario, before the command.
fn bed_of(scenario: &Scenario) -> Testbed {
    let bed = Testbed::new();
    bed.write(".gitignore", "*.log\n");
    bed.write(
        "count.sh",
        "grep -q stop src/b && exit 3\ncat src/* | grep -c '^any$' || [ $? -eq 1 ]\n",
    );
    bed.git(&["add", ".gitignore"]);
    bed.git(&["commit", "-qam", "count"]);
    bed.start(&scenario.config);
    (scenario.prepare)(&bed);
    bed
}

/// A copy of everything below the bench's folder, to be laid back.
pub(crate) struct Saved(PathBuf);

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp")
        .arg("-a")
        .arg(from)
        .arg(to)
        .status()
        .unwrap();
    assert!(status.success());
}

impl Saved {
    pub(crate) fn of(bed: &Testbed, name: &str) -> Self {
        let saved = bed.folder.path().join(name);
        let _ = std::fs::remove_dir_all(&saved);
        std::fs::create_dir(&saved).unwrap();
        copy(&bed.repo, &saved);
        if bed.state.exists() {
            copy(&bed.state, &saved);
        }
        Self(saved)
    }

    pub(crate) fn lay_back(&self, bed: &Testbed) {
        for folder in [&bed.repo, &bed.state] {
            let _ = std::fs::remove_dir_all(folder);
            let saved = self.0.join(folder.file_name().unwrap());
            if saved.exists() {
                copy(&saved, folder);
            }
        }
        follow_copied_trees(&bed.state);
    }
}

/// A note knows its tree by the inode, and a copy has another one.
fn follow_copied_trees(state: &Path) {
    let notes = std::fs::read_dir(state.join("tree-notes"));
    for note in notes.into_iter().flatten() {
        let file = note.unwrap().path().join("tree.json");
        let Ok(text) = std::fs::read_to_string(&file) else {
            continue;
        };
        let mut note: serde_json::Value = serde_json::from_str(&text).unwrap();
        let path = Path::new(note["path"].as_str().unwrap());
        if let (true, Ok(meta)) = (note["inode"].is_u64(), path.metadata()) {
            note["inode"] = meta.ino().into();
            std::fs::write(&file, note.to_string()).unwrap();
        }
    }
}

/// Runs a command to its end and returns the names of its steps.
pub(crate) fn steps_of(bed: &Testbed, arguments: &[&str]) -> Vec<String> {
    let file = bed.home.join("steps");
    let _ = std::fs::remove_file(&file);
    bed.run_with(arguments, &[("SEALED_STEPS", file.to_str().unwrap())])
        .ok();
    std::fs::read_to_string(&file)
        .unwrap_or_default()
        .lines()
        .map(ToOwned::to_owned)
        .collect()
}

fn crash(bed: &Testbed, arguments: &[&str], step: usize) {
    let answer = bed.run_with(
        arguments,
        &[("SEALED_CRASH_AT", &step.to_string()), AGENT[0]],
    );
    assert_eq!(
        answer.code, -1,
        "step {step} of {arguments:?} was to be the last: {answer:?}"
    );
}

/// Is a second crash, in the repair, cut here as well? Every pair of places takes minutes: without the whole campaign each
/// crash has a third of its repairs cut, and each step of a repair is cut after a third of the crashes.
fn is_cut_again(step: usize, again: usize) -> bool {
    std::env::var_os("AUTORESEARCH_CRASHES").is_some() || (step + again).is_multiple_of(3)
}

/// Crashes before each step, and before steps of the repair. Returns all steps met.
fn crash_everywhere(scenario: &Scenario) -> BTreeSet<String> {
    let bed = bed_of(scenario);
    let before = Saved::of(&bed, "before");
    let arguments = (scenario.act)(&bed);
    let mut met: BTreeSet<String> = steps_of(&bed, arguments).into_iter().collect();
    before.lay_back(&bed);
    (scenario.act)(&bed);
    let steps = steps_of(&bed, arguments);
    check(&bed, scenario, "without a crash");
    for step in 1..=steps.len() {
        let place = format!(
            "{}: crash before step {step}, {}",
            scenario.name,
            steps[step - 1]
        );
        before.lay_back(&bed);
        (scenario.act)(&bed);
        crash(&bed, arguments, step);
        let crashed = Saved::of(&bed, "crashed");
        let repair = steps_of(&bed, &["resume"]);
        check(&bed, scenario, &place);
        for again in (1..=repair.len()).filter(|again| is_cut_again(step, *again)) {
            crashed.lay_back(&bed);
            crash(&bed, &["resume"], again);
            check(
                &bed,
                scenario,
                &format!("{place}; and in the repair before {}", repair[again - 1]),
            );
        }
        met.extend(repair);
    }
    met.extend(steps);
    met
}

/// The next command repairs; nothing is wrong; the work can be done; git and journal agree.
fn check(bed: &Testbed, scenario: &Scenario, place: &str) {
    let resumed = bed.run(&["resume"]);
    assert_eq!(resumed.code, 0, "{place}: {resumed:?}");
    let told = || {
        bed.story()
            .iter()
            .any(|row| row.split(' ').nth(1) == Some(scenario.row))
    };
    let finished = || bed.run(&["status", "--json"]).ok().json()["end"].is_string();
    if !told()
        || (scenario.name == "finish"
            && (!finished() || bed.git(&["branch", "--show-current"]).trim() != "main"))
    {
        let _ = std::fs::remove_file(bed.path("elsewhere"));
        (scenario.redo)(bed);
    }
    assert!(told(), "{place}: {:?}", bed.story());
    let _ = std::fs::remove_file(bed.path("elsewhere"));
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(status["incumbent"], scenario.value, "{place}");
    assert_eq!(bed.git(&["status", "--porcelain"]), "", "{place}");
    let tree = |what: &str| bed.git(&["rev-parse", &format!("{what}^{{tree}}")]);
    if scenario.name != "finish" {
        assert_eq!(
            tree("HEAD"),
            tree(status["incumbent_commit"].as_str().unwrap()),
            "{place}"
        );
    }
    assert_eq!(bed.run(&["doctor"]).code, 0, "{place}");
    let rows: Vec<String> = bed
        .story()
        .into_iter()
        .filter(|row| row.ends_with(scenario.row))
        .collect();
    assert_eq!(
        rows.len(),
        1,
        "{place}: done once, not twice: {:?}",
        bed.story()
    );
}

#[test]
fn a_crash_at_every_step_of_every_verdict_converges() {
    for scenario in verdicts() {
        crash_everywhere(&scenario);
    }
}

#[test]
fn a_crash_at_every_step_of_a_rework_converges() {
    for scenario in reworks() {
        crash_everywhere(&scenario);
    }
}

#[test]
fn a_crash_at_every_step_with_revert_converges() {
    for scenario in modes() {
        crash_everywhere(&scenario);
    }
}

#[test]
fn a_crash_at_every_step_of_the_other_commands_converges() {
    for scenario in others() {
        crash_everywhere(&scenario);
    }
}

#[test]
fn a_crash_at_every_step_of_a_discard_over_an_ignored_file_converges() {
    crash_everywhere(&over_an_ignored_file());
}

#[test]
fn a_crash_at_every_step_of_a_trial_that_is_measured_again_converges() {
    crash_everywhere(&measured_again());
}

#[test]
fn a_crash_at_every_step_of_a_trial_that_is_held_out_converges() {
    for scenario in held_out() {
        crash_everywhere(&scenario);
    }
}

#[test]
fn a_crash_at_every_step_of_a_start_leaves_no_run_or_a_whole_one() {
    let bed = Testbed::new();
    let before = Saved::of(&bed, "before");
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    let arguments = ["start", "--config", file.to_str().unwrap()];
    let steps = steps_of(&bed, &arguments);
    for step in 1..=steps.len() {
        before.lay_back(&bed);
        crash(&bed, &arguments, step);
        if bed.run(&["status"]).code != 0 {
            assert_eq!(bed.git(&["branch", "--show-current"]).trim(), "main");
            bed.run(&arguments).ok();
        }
        bed.run(&["resume"]).ok();
        bed.edit(4);
        assert_eq!(
            bed.trial("goes on")["verdict"],
            "keep",
            "crash before {}",
            steps[step - 1]
        );
        bed.run(&["finish"]).ok();
        let items = bed.run(&["doctor", "--clean", "--json"]).json();
        assert!(items["made"].as_array().unwrap().len() >= 3);
    }
}

/// A repository with ignored files, and the config of a run whose tree gets them.
fn with_ignored_files(view: &str) -> (Testbed, PathBuf) {
    let bed = Testbed::new();
    bed.write(".gitignore", "deps/\nout/\nmade\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "ignore"]);
    bed.write("deps/a", "linked\n");
    bed.write("out/b", "copied\n");
    let file = bed.home.join("config.yaml");
    let config = ConfigText::demo()
        .isolation("worktree")
        .verify("cat deps/a out/b made >/dev/null && sh count.sh");
    let setup = "link: deps\ncopy: out\nprepare: echo ran > made\n";
    std::fs::write(&file, format!("{config}{setup}{view}")).unwrap();
    (bed, file)
}

/// The run's tree has everything, and a trial in it can be kept.
fn keeps_a_trial_in_its_tree(bed: &Testbed, place: &str) {
    let status = bed.run(&["status", "--json"]).ok().json();
    let tree = bed.own_tree_of(status["run"].as_str().unwrap());
    assert!(tree.join("deps/a").is_symlink(), "{place}");
    assert_eq!(std::fs::read(tree.join("out/b")).unwrap(), b"copied\n");
    std::fs::write(tree.join("src/a"), "any\n").unwrap();
    let report = bed.trial("goes on");
    assert_eq!(report["verdict"], "keep", "{place}: {report}");
}

#[test]
fn a_crash_at_every_step_of_filling_the_tree_of_a_start_leaves_no_run_or_a_whole_one() {
    let (bed, file) = with_ignored_files("view: off\n");
    let before = Saved::of(&bed, "before");
    let arguments = ["start", "--config", file.to_str().unwrap()];
    let steps = steps_of(&bed, &arguments);
    assert!(steps.contains(&"tree prepare".to_owned()), "{steps:?}");
    for step in 1..=steps.len() {
        before.lay_back(&bed);
        crash(&bed, &arguments, step);
        if bed.run(&["status"]).code != 0 {
            bed.run(&arguments).ok();
        }
        bed.run(&["resume"]).ok();
        let place = format!("crash before {}", steps[step - 1]);
        keeps_a_trial_in_its_tree(&bed, &place);
    }
}

#[test]
fn a_crash_at_every_step_of_filling_a_tree_again_leaves_a_tree_that_is_filled_by_the_next_command()
{
    let (bed, file) = with_ignored_files("view: off\n");
    bed.run(&["start", "--config", file.to_str().unwrap()]).ok();
    std::fs::remove_dir_all(bed.own_tree()).unwrap();
    let before = Saved::of(&bed, "before");
    let steps = steps_of(&bed, &["resume"]);
    let filling: Vec<&String> = steps
        .iter()
        .filter(|step| step.starts_with("tree"))
        .collect();
    assert_eq!(
        filling,
        [
            "tree note",
            "tree folder",
            "tree link",
            "tree copy",
            "tree touch",
            "tree prepare",
            "tree filled"
        ]
    );
    for step in 1..=steps.len() {
        before.lay_back(&bed);
        crash(&bed, &["resume"], step);
        bed.run(&["resume"]).ok();
        let place = format!("crash before {}", steps[step - 1]);
        keeps_a_trial_in_its_tree(&bed, &place);
        bed.run(&["finish"]).ok();
    }
}

#[test]
fn a_crash_at_every_step_of_finishing_a_run_with_a_tree_of_its_own_is_completed_by_the_next_finish()
{
    let bed = Testbed::started(&ConfigText::demo().isolation("worktree"));
    std::fs::write(bed.own_tree().join("src/a"), "any\n").unwrap();
    assert_eq!(bed.trial("one")["verdict"], "keep");
    let before = Saved::of(&bed, "before");
    before.lay_back(&bed);
    let steps = steps_of(&bed, &["finish"]);
    for step in ["git worktree remove", "tree note removal"] {
        assert!(steps.iter().any(|met| met == step), "{steps:?}");
    }
    for step in 1..=steps.len() {
        before.lay_back(&bed);
        crash(&bed, &["finish"], step);
        let place = format!("crash before {}", steps[step - 1]);
        let report = bed.run(&["finish", "--json"]).ok().json();
        assert_eq!(report["kept"].as_array().unwrap().len(), 1, "{place}");
        assert_eq!(bed.git(&["worktree", "list"]).lines().count(), 1, "{place}");
        assert_eq!(bed.run_commits("autoresearch/demo").len(), 1, "{place}");
        let notes = std::fs::read_dir(bed.state.join("tree-notes"));
        assert_eq!(notes.map_or(0, Iterator::count), 0, "{place}");
        assert_eq!(bed.run(&["doctor"]).code, 0, "{place}");
    }
}

/// A run without a person, at its start: each turn of its agent would reach the target.
fn driven(iterations: u32) -> Testbed {
    let bed = Testbed::new();
    bed.start(
        &ConfigText::demo()
            .target(5)
            .iterations(iterations)
            .agent(": > src/a"),
    );
    bed
}

/// The supervisor goes on to the end: one keep, and nothing twice.
fn goes_to_its_end(bed: &Testbed, place: &str) {
    let answer = bed.supervise(&[]);
    assert_eq!(answer.code, 0, "{place}: {answer:?}");
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(status["end"], "target", "{place}: {status}");
    let keeps = bed
        .story()
        .iter()
        .filter(|row| row.ends_with("keep"))
        .count();
    assert_eq!(keeps, 1, "{place}: {:?}", bed.story());
    assert_eq!(bed.run_commits("autoresearch/demo").len(), 1, "{place}");
    assert_eq!(bed.git(&["status", "--porcelain"]), "", "{place}");
    assert_eq!(bed.run(&["doctor"]).code, 0, "{place}");
}

/// The steps of a supervisor that goes to its end.
fn steps_of_a_supervisor(bed: &Testbed) -> Vec<String> {
    let file = bed.home.join("steps");
    let _ = std::fs::remove_file(&file);
    bed.supervise(&[("SEALED_STEPS", file.to_str().unwrap())])
        .ok();
    let text = std::fs::read_to_string(&file).unwrap();
    text.lines().map(ToOwned::to_owned).collect()
}

#[test]
fn a_crash_of_the_supervisor_at_every_step_of_a_turn_converges() {
    let bed = driven(100);
    let before = Saved::of(&bed, "before");
    let steps = steps_of_a_supervisor(&bed);
    for step in 1..=steps.len() {
        before.lay_back(&bed);
        let crashed = bed.supervise(&[("SEALED_CRASH_AT", &step.to_string())]);
        assert_eq!(crashed.code, -1, "{crashed:?}");
        goes_to_its_end(&bed, &format!("crash before {}", steps[step - 1]));
    }
}

/// A run that came to its ceiling without a keep, and the command that raises it.
fn at_its_ceiling() -> Testbed {
    let bed = driven(1);
    bed.edit(7);
    assert_eq!(bed.trial("worse")["verdict"], "discard");
    bed
}

const RAISE: [&str; 3] = ["raise", "--iterations", "2"];

#[test]
fn a_crash_while_a_ceiling_is_raised_leaves_a_run_that_can_be_raised() {
    let bed = at_its_ceiling();
    let before = Saved::of(&bed, "before");
    let steps = steps_of(&bed, &RAISE);
    assert!(steps.contains(&"journal raise".to_owned()), "{steps:?}");
    for step in 1..=steps.len() {
        before.lay_back(&bed);
        // A person raises it, so no session of an agent is there.
        let answer = bed.run_with(&RAISE, &[("SEALED_CRASH_AT", &step.to_string())]);
        assert_eq!(answer.code, -1, "step {step} of {RAISE:?}: {answer:?}");
        bed.run(&RAISE).ok();
        bed.run(&["background", "start"]).ok();
        crate::testbed::wait_until("the run ends", || {
            bed.run(&["background", "status", "--json"]).ok().json()["alive"] == false
        });
        let status = bed.run(&["status", "--json"]).ok().json();
        assert_eq!(
            status["end"], "target",
            "crash before step {step}: {status}"
        );
        assert_eq!(status["iterations_limit"], 2);
    }
}

/// The steps in the table of the journal's page; its EVENT stands for each event.
fn listed_steps() -> BTreeSet<String> {
    let document = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/docs/journal.md"),
    )
    .unwrap();
    document
        .lines()
        .skip_while(|line| !line.starts_with("| step |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').nth(1).unwrap().trim().trim_matches('`'))
        .flat_map(|step| match step.strip_suffix("EVENT") {
            Some(where_to) => Event::WORDS
                .iter()
                .map(|word| format!("{where_to}{word}"))
                .collect(),
            None => vec![step.to_owned()],
        })
        .collect()
}

/// One pass of each scenario without a crash, and one repair, meet every step of the protocol and no other.
#[test]
fn the_steps_of_the_protocol_are_those_of_the_architecture_document() {
    let mut met = BTreeSet::new();
    for scenario in verdicts()
        .into_iter()
        .chain(reworks())
        .chain(modes())
        .chain(others())
        .chain(held_out())
        .chain([over_an_ignored_file(), measured_again()])
    {
        let bed = bed_of(&scenario);
        let arguments = (scenario.act)(&bed);
        met.extend(steps_of(&bed, arguments));
    }
    met.extend(steps_of_a_supervisor(&driven(100)));
    let bed = at_its_ceiling();
    met.extend(steps_of(&bed, &RAISE));
    crate::testbed::wait_until("the run ends", || {
        bed.run(&["background", "status", "--json"]).ok().json()["alive"] == false
    });
    let bed = Testbed::new();
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    met.extend(steps_of(
        &bed,
        &["start", "--config", file.to_str().unwrap()],
    ));
    let (filled, file) = with_ignored_files("view: off\n");
    let arguments = ["start", "--config", file.to_str().unwrap()];
    met.extend(steps_of(&filled, &arguments));
    bed.edit(4);
    crash(&bed, TRIAL, 7);
    met.extend(steps_of(&bed, &["resume"]));
    bed.edit(4);
    crash(&bed, TRIAL, 2);
    let journal = bed.run_file("journal.jsonl");
    let torn = std::fs::read_to_string(&journal).unwrap() + "{\"seq\":";
    std::fs::write(&journal, torn).unwrap();
    met.extend(steps_of(&bed, &["resume"]));
    met.extend(steps_of(&bed, &["retry", "1"]));
    met.extend(steps_of(&bed, &["remeasure", "--runs", "1"]));
    met.extend(crate::batch::crash::list_steps());
    met.extend(crate::debug::list_steps());
    let listed = listed_steps();
    let list = met
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("\n  ");
    // Straight to the stream: the test harness would swallow a print.
    writeln!(
        std::io::stderr(),
        "steps at which the crash tests crash:\n  {list}"
    )
    .unwrap();
    assert_eq!(
        met, listed,
        "left: met by the tests; right: listed in crates/docs/journal.md"
    );
}
