//! Keeps that noise alone may have made: tried again at the end, and taken back where fresh pairs show no gain.

use std::collections::BTreeMap;

use crate::crash::Saved;
use crate::noise::{DEVIATIONS, NoisyBed, VERIFY};
use crate::testbed::processes_with;

/// Two runs in a row have no noise on average, so it does not matter how many came before.
const EVEN: [i32; 2] = [5, -5];

/// A run that kept a note by luck: as long as `lucky` lay outside of the repository, what `src/note` calls lucky ran faster.
/// From then on runs have no noise, so that fresh pairs say the same however many runs the trial took.
fn start_with_luck(more: &str) -> NoisyBed {
    let bed = NoisyBed::new(&DEVIATIONS);
    let lucky = "\
speed=$(cat \"$BED/speed\")
[ ! -e \"$BED/lucky\" ] || ! grep -q lucky src/note || speed=0.972
";
    let verify = VERIFY.replace("awk -v", &format!("{lucky}awk -v"));
    let verify = verify.replace("speed=\"$(cat \"$BED/speed\")\"", "speed=\"$speed\"");
    bed.0.write("verify.sh", &verify);
    bed.0.write("src/note", "plain\n");
    bed.0.git(&["add", "-A"]);
    bed.0.git(&["commit", "-qm", "luck"]);
    bed.start(more);
    bed.set_noise(&EVEN);
    bed.set("lucky", "");
    write(&bed, "src/note", "lucky\n");
    try_edits(&bed, "a lucky note");
    std::fs::remove_file(bed.0.home.join("lucky")).unwrap();
    bed.set_noise(&[0]);
    bed
}

/// Writes a file in the tree in which the run works.
fn write(bed: &NoisyBed, name: &str, text: &str) {
    let own = bed.0.own_tree();
    let tree = if own.exists() {
        own
    } else {
        bed.0.repo.clone()
    };
    std::fs::write(tree.join(name), text).unwrap();
}

fn try_edits(bed: &NoisyBed, message: &str) {
    let tried = bed.run(&["trial", "-m", message, "--json"]).ok().json();
    assert_eq!(tried["verdict"], "keep", "{tried}");
}

fn at_branch(bed: &NoisyBed, name: &str) -> String {
    bed.0.git(&["show", &format!("autoresearch/demo:{name}")])
}

#[test]
fn a_weak_keep_that_fresh_pairs_do_not_show_is_taken_back_by_a_trial_on_top() {
    for isolation in ["branch", "worktree"] {
        let bed = start_with_luck(&format!("isolation: {isolation}\n"));
        write(&bed, "src/cost", "80\n");
        try_edits(&bed, "less work");
        let ended = bed.run(&["finish"]).ok();
        let told = "trial 1 was taken back: fresh pairs without it and with it showed no gain\n";
        assert!(ended.out.contains(told), "{ended:?}");
        assert!(ended.out.contains(", 1 trial kept on "), "{ended:?}");
        assert!(!ended.out.contains("experiment: a lucky note"), "{ended:?}");
        let files = ["src/note", "src/cost"].map(|name| at_branch(&bed, name));
        assert_eq!(files, ["plain\n", "80\n"]);
        assert_eq!(bed.0.run_commits("autoresearch/demo").len(), 3);
        let rows = bed.run(&["log", "--json"]).ok().json();
        let description = |row: usize| rows["rows"][row]["description"].as_str().unwrap();
        assert!(
            description(1).ends_with(" [taken back by trial 3]"),
            "{rows}"
        );
        assert_eq!(
            description(3),
            "take trial 1 back, \"a lucky note\": fresh pairs showed no gain of it"
        );
        let status = bed.run(&["status", "--json"]).ok().json();
        assert_eq!(status["keep"], 1, "{status}");
        let made = bed.records("claim")[0]["verify_runs"].as_u64().unwrap();
        assert!(made > 14, "the pairs before it count too: {made}");
        assert_eq!(bed.run(&["doctor"]).code, 0);
        let lessons = bed.0.read("autoresearch-results/lessons.md");
        let lesson = " no-gain: take trial 1 back, \"a lucky note\": fresh pairs showed no gain of it (ms; src)\n";
        assert!(lessons.contains(lesson), "{lessons}");
    }
}

#[test]
fn where_every_keep_is_taken_back_nothing_is_claimed() {
    let bed = start_with_luck("");
    let ended = bed.run(&["finish", "--json"]).ok().json();
    assert_eq!(ended["kept"].as_array().unwrap().len(), 0, "{ended}");
    assert_eq!(ended["improved"], false, "{ended}");
    assert_eq!(ended["claim"], serde_json::Value::Null, "{ended}");
    assert_eq!(at_branch(&bed, "src/note"), "plain\n");
    assert_eq!(bed.records("claim").len(), 0);
}

#[test]
fn a_weak_keep_stays_where_nobody_waits_or_later_keeps_build_on_it_or_the_guard_needs_it() {
    let waits = start_with_luck("");
    waits.run(&["finish", "--no-claim"]).ok();
    assert_eq!(at_branch(&waits, "src/note"), "lucky\n");

    let spent = start_with_luck("budget: {verify_runs: 17}\n");
    spent.run(&["finish"]).ok();
    assert_eq!(
        at_branch(&spent, "src/note"),
        "lucky\n",
        "the claim goes first"
    );
    let enough = start_with_luck("budget: {verify_runs: 40}\n");
    enough.run(&["finish"]).ok();
    assert_eq!(at_branch(&enough, "src/note"), "plain\n");

    let built_on = start_with_luck("");
    built_on.0.write("src/note", "lucky and more\n");
    built_on.0.write("src/cost", "80\n");
    try_edits(&built_on, "less work");
    let ended = built_on.run(&["finish"]).ok();
    let told = "trial 1 may be noise alone; what was kept later builds on it, so it stays\n";
    assert!(ended.out.contains(told), "{ended:?}");
    assert_eq!(at_branch(&built_on, "src/note"), "lucky and more\n");

    let guarded =
        start_with_luck("guard: {command: \"test ! -e $BED/armed || grep -q lucky src/note\"}\n");
    guarded.set("armed", "");
    let ended = guarded.run(&["finish"]).ok();
    let told =
        "fresh pairs showed no gain of trial 1; it stays, because the run does not pass without it";
    assert!(ended.out.contains(told), "{ended:?}");
    assert_eq!(at_branch(&guarded, "src/note"), "lucky\n");
    assert_eq!(guarded.0.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_gain_that_pairs_show_stays() {
    let bed = NoisyBed::new(&DEVIATIONS);
    bed.start("");
    bed.set_noise(&EVEN);
    assert_eq!(bed.try_cost("97\n")["verdict"], "keep");
    bed.set_noise(&[0]);
    let ended = bed.run(&["finish"]).ok();
    assert!(!ended.out.contains("taken back"), "{ended:?}");
    assert_eq!(at_branch(&bed, "src/cost"), "97\n");
}

/// Crashes before the first and the last of the steps of each name.
#[test]
fn a_crash_while_a_keep_is_taken_back_is_completed_by_the_next_finish() {
    let bed = start_with_luck("");
    let before = Saved::of(&bed.0, "before");
    let count = std::fs::read_to_string(bed.0.home.join("count")).unwrap();
    let lay_back = || {
        before.lay_back(&bed.0);
        bed.set("count", &count);
    };
    let place = bed.0.home.display().to_string();
    let crash = |words: &[&str], variables: &[(&str, &str)]| {
        let all = [variables, &[("BED", place.as_str())]].concat();
        bed.0.run_with(words, &all)
    };
    let file = bed.0.home.join("steps");
    crash(&["finish"], &[("SEALED_STEPS", file.to_str().unwrap())]).ok();
    let steps = std::fs::read_to_string(&file).unwrap();
    let mut met: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for (step, name) in steps.lines().enumerate() {
        met.entry(name).or_insert([step + 1, 0])[1] = step + 1;
    }
    assert!(met.contains_key("bring back"), "{met:?}");
    for (name, [first, last]) in met {
        for step in if first == last {
            vec![first]
        } else {
            vec![first, last]
        } {
            lay_back();
            let crashed = crash(&["finish"], &[("SEALED_CRASH_AT", &step.to_string())]);
            assert_eq!(crashed.code, -1, "{name}: {crashed:?}");
            let ended = bed.run(&["finish"]);
            let place = format!("crash before step {step}, {name}");
            assert_eq!(ended.code, 0, "{place}: {ended:?}");
            assert_eq!(
                bed.0.git(&["branch", "--show-current"]),
                "main\n",
                "{place}"
            );
            assert_eq!(bed.0.git(&["status", "--porcelain"]), "", "{place}");
            assert_eq!(bed.run(&["doctor"]).code, 0, "{place}");
            let status = bed.run(&["status", "--json"]).ok().json();
            let incumbent = status["incumbent_commit"].as_str().unwrap();
            let tip = bed.0.git(&["rev-parse", "autoresearch/demo"]);
            assert!(tip.starts_with(incumbent), "{place}: {status}");
            let note = at_branch(&bed, "src/note");
            let taken_back = status["keep"] == 0;
            assert_eq!(note == "plain\n", taken_back, "{place}: {status}");
        }
    }
    assert_eq!(processes_with(&place), [] as [String; 0]);
}
