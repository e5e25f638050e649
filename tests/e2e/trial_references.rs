//! Every trial can be seen again: a reference names its commit from the moment of the commit until the run's folder goes,
//! and nobody else gets it.

use serde_json::Value;

use crate::config_text::ConfigText;
use crate::testbed::Testbed;

/// What the reference to a trial names; empty where there is none.
fn named(bed: &Testbed, trial: usize) -> String {
    let name = format!("refs/autoresearch/demo/trial/{trial}");
    let answer = bed.try_git(&["rev-parse", "-q", "--verify", &name]);
    answer.out.trim().to_owned()
}

fn list_names(bed: &Testbed) -> Vec<String> {
    let names = bed.git(&[
        "for-each-ref",
        "--format=%(refname)",
        "refs/autoresearch/demo/trial",
    ]);
    names.lines().map(ToOwned::to_owned).collect()
}

/// Asks for a trial that dies after its commit, before verify; the next command undoes it.
fn interrupt(bed: &Testbed) {
    let died = bed.run_with(&["trial", "-m", "dies"], &[("SEALED_CRASH_AT", "7")]);
    assert_eq!(died.code, -1, "{died:?}");
    bed.run(&["resume"]).ok().says("interrupted");
}

/// A keep, a discard, a crash, a void trial, an interrupted one, one that was reworked and dropped, and a no-op.
fn make_trials(bed: &Testbed) {
    assert_eq!(bed.try_count(4), "keep");
    assert_eq!(bed.try_count(20), "discard");
    bed.write("src/stop", "crash\n");
    assert_eq!(bed.trial("crash")["reason"], "verify-failed");
    bed.edit(3);
    bed.write("elsewhere", "x\n");
    assert_eq!(bed.trial("void")["reason"], "out-of-scope");
    let _ = std::fs::remove_file(bed.path("elsewhere"));
    bed.write("src/interrupted", "any\n");
    interrupt(bed);
    bed.edit(2);
    bed.write("src/state", "bad\n");
    assert_eq!(bed.trial("guard fails")["verdict"], "rework");
    bed.write("src/reworked", "still bad\n");
    let words = ["trial", "--rework", "-m", "again", "--json"];
    assert_eq!(bed.run(&words).ok().json()["verdict"], "rework");
    bed.run(&["trial", "--drop"]).ok();
    assert_eq!(bed.agents_trial("nothing")["verdict"], "no-op");
}

fn expire(bed: &Testbed) {
    bed.git(&["reflog", "expire", "--expire=now", "--all"]);
    bed.git(&["gc", "-q", "--prune=now"]);
}

/// What each trial of `make_trials` changed is still there, by its reference.
fn check_contents(bed: &Testbed, place: &str) {
    let shown = |trial: usize, path: &str| {
        bed.git(&[
            "show",
            &format!("refs/autoresearch/demo/trial/{trial}:{path}"),
        ])
    };
    let any = |count: usize| "any\n".repeat(count);
    assert_eq!(shown(1, "src/a"), any(4), "{place}: a keep");
    assert_eq!(shown(2, "src/a"), any(20), "{place}: a discard");
    assert_eq!(shown(3, "src/stop"), "crash\n", "{place}: a crash");
    assert_eq!(shown(4, "src/a"), any(3), "{place}: void");
    assert_eq!(shown(5, "src/interrupted"), "any\n", "{place}: interrupted");
    assert_eq!(shown(6, "src/state"), "bad\n", "{place}: its first attempt");
    assert_eq!(shown(6, "src/reworked"), "still bad\n", "{place}: reworked");
    assert_eq!(list_names(bed).len(), 6, "{place}: a no-op has no commit");
}

/// `log` tells programs the hash of each trial; the table keeps its dashes.
fn check_log(bed: &Testbed, place: &str) {
    let log = bed.run(&["log", "--json"]).ok().json();
    for row in log["rows"].as_array().unwrap() {
        let number = row["iteration"].as_u64().unwrap();
        let hash = row["hash"].as_str().unwrap_or_default();
        if number > 0 {
            let name = named(bed, usize::try_from(number).unwrap());
            assert_eq!(hash, name, "{place}: {row}");
        }
        let kept = ["keep", "baseline"].contains(&row["status"].as_str().unwrap());
        assert_eq!(row["commit"] == "-", !kept, "{place}: {row}");
    }
    let dashes = bed.rows().iter().filter(|row| row[1] == "-").count();
    assert_eq!(dashes, 6, "{place}");
    let discarded: String = named(bed, 2).chars().take(7).collect();
    bed.run(&["log", "--status", "discard"]).ok().says(&format!(
        "[worse-metric: the metric is not better] ({discarded})"
    ));
}

fn make_bed(words: &[&str], config: &str) -> Testbed {
    let bed = Testbed::bare();
    std::fs::remove_dir_all(bed.path(".git")).unwrap();
    let init = ["init", "-q", "-b", "main", "--template="];
    bed.git(&[&init[..], words].concat());
    let count = "test ! -e src/stop || exit 3\ncat src/* | grep -c '^any$'\n";
    bed.write("count.sh", count);
    bed.write("guard.sh", "grep -qx ok src/state\n");
    bed.edit(5);
    bed.write("src/b", "any\nany\nany\n");
    bed.write("src/state", "ok\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "first"]);
    bed.start(config);
    bed
}

#[test]
fn every_trial_keeps_a_name_whatever_became_of_it_also_after_finish_and_gc() {
    let ways: [(&str, &[&str], String); 3] = [
        ("branch", &[], String::new()),
        ("SHA-256", &["--object-format=sha256"], String::new()),
        ("revert", &[], "rollback: revert\n".to_owned()),
    ];
    for (place, words, more) in ways {
        let config = format!("{}ladder: off\n{more}", ConfigText::demo());
        let bed = make_bed(words, &config);
        make_trials(&bed);
        check_contents(&bed, place);
        check_log(&bed, place);
        bed.run(&["finish"]).ok();
        expire(&bed);
        check_contents(&bed, place);
        bed.run(&["doctor"]).ok().says("no problems");
    }
}

#[test]
fn a_trial_in_a_separate_work_tree_keeps_its_name_with_all_that_voided_it() {
    let bed = Testbed::started(&ConfigText::demo().isolation("worktree"));
    let write = |name: &str, text: &str| {
        std::fs::write(bed.own_tree().join(name), text).unwrap();
    };
    write("src/a", "any\n");
    write("count.sh", "echo 0\n");
    let void = bed.trial("a better yardstick");
    assert_eq!(void["reason"], "protected");
    let name = named(&bed, 1);
    assert_eq!(void["hash"], name, "{void}");
    expire(&bed);
    assert_eq!(bed.git(&["show", &format!("{name}:count.sh")]), "echo 0\n");
    assert_eq!(bed.git(&["show", &format!("{name}:src/a")]), "any\n");
}

#[test]
fn the_answer_of_a_trial_names_its_commit_whatever_the_verdict() {
    let bed = Testbed::started(&ConfigText::demo());
    for (count, verdict) in [(4, "keep"), (20, "discard")] {
        bed.edit(count);
        let answer = bed.trial("an edit");
        assert_eq!(answer["verdict"], verdict);
        let trial = usize::try_from(answer["trial"].as_u64().unwrap()).unwrap();
        assert_eq!(answer["hash"], named(&bed, trial), "{answer}");
        assert_eq!(answer["commit"].is_null(), verdict != "keep", "{answer}");
    }
    let nothing = bed.agents_trial("nothing");
    assert_eq!(
        (&nothing["hash"], &nothing["verdict"]),
        (&Value::Null, &"no-op".into())
    );
}

#[test]
fn neither_a_clone_nor_a_fetch_nor_a_push_takes_the_trials_along() {
    let bed = Testbed::started(&ConfigText::demo());
    bed.try_count(4);
    bed.try_count(20);
    let beside = |name: &str| bed.home.join(name).display().to_string();
    let (bare, clone) = (beside("bare.git"), beside("clone"));
    let source = bed.repo.display().to_string();
    let names_in = |folder: &str| {
        let all = ["-C", folder, "for-each-ref", "--format=%(refname)"];
        bed.git(&all)
    };
    bed.git(&["clone", "-q", &source, &clone]);
    bed.git(&["-C", &clone, "fetch", "-q", "origin"]);
    bed.git(&["-C", &clone, "fetch", "-q", "--tags", "--all"]);
    bed.git(&["init", "-q", "--bare", "--template=", &bare]);
    bed.git(&["remote", "add", "origin", &bare]);
    bed.git(&["push", "-q", "origin", "main"]);
    bed.git(&["push", "-q", "--all", "origin"]);
    bed.git(&["push", "-q", "--tags", "origin"]);
    bed.git(&["-c", "push.default=matching", "push", "-q", "origin"]);
    for folder in [&clone, &bare] {
        let names = names_in(folder);
        assert!(names.contains("autoresearch/demo\n"), "the branch: {names}");
        assert!(!names.contains("refs/autoresearch"), "{names}");
    }
    assert_eq!(list_names(&bed).len(), 2);
}

#[test]
fn the_names_go_with_the_folder_of_the_run_and_stay_with_it() {
    let bed = Testbed::started(&ConfigText::demo());
    bed.try_count(4);
    bed.try_count(20);
    bed.run(&["clean", "--yes"])
        .ok()
        .says("(keep: the run `demo` is active)");
    bed.run(&["finish"]).ok();
    bed.run(&["clean", "--yes"]).ok().says(
        "refs/autoresearch/demo/trial/* (2 trials) (keep: their log, the run's folder, stays)",
    );
    assert_eq!(list_names(&bed).len(), 2);
    // What nobody made is nobody's to remove.
    bed.git(&["update-ref", "refs/autoresearch/demo/trial/2", "main"]);
    bed.git(&["merge", "-q", "autoresearch/demo"]);
    bed.run(&["clean", "--yes"])
        .ok()
        .says("refs/autoresearch/demo/trial/* (1 trial) (removed)")
        .says("refs/autoresearch/demo/trial/2 (keep: no note outside the repository says");
    assert_eq!(list_names(&bed), ["refs/autoresearch/demo/trial/2"]);
    assert!(!bed.run_file("").exists());
    // The run is gone: what is left of its trials is named, with the command that deletes it.
    bed.run(&["clean", "--yes"]).ok().says("git for-each-ref");
    bed.git(&["update-ref", "-d", "refs/autoresearch/demo/trial/2"]);
    assert_eq!(
        bed.run(&["clean", "--json"]).ok().json()["made"],
        Value::Array(Vec::new())
    );
}

/// A run of the version before has no names: nothing fails, and what has no commit that is known says none.
#[test]
fn a_trial_that_an_older_version_committed_gets_its_name_when_it_is_undone() {
    let bed = Testbed::started(&ConfigText::demo());
    bed.edit(20);
    let died = bed.run_with(&["trial", "-m", "dies"], &[("SEALED_CRASH_AT", "7")]);
    assert_eq!(died.code, -1, "{died:?}");
    let commit = bed.head();
    bed.git(&["update-ref", "-d", "refs/autoresearch/demo/trial/1"]);
    bed.run(&["resume"]).ok().says("interrupted");
    assert_eq!(named(&bed, 1), commit);
    bed.git(&["update-ref", "-d", "refs/autoresearch/demo/trial/1"]);
    bed.run(&["log"]).ok();
    bed.run(&["doctor"]).ok().says("no problems");
    assert_eq!(bed.try_count(4), "keep");
}

/// The trailers of a commit, as git reads them.
fn list_trailers(bed: &Testbed, commit: &str) -> Vec<String> {
    let message = bed.git(&["log", "-1", "--format=%B", commit]);
    let file = bed.home.join("message");
    std::fs::write(&file, message).unwrap();
    let parse = ["interpret-trailers", "--parse", file.to_str().unwrap()];
    let trailers = bed.git(&parse);
    trailers.lines().map(ToOwned::to_owned).collect()
}

#[test]
fn a_kept_commit_has_the_metric_before_and_after_as_a_trailer_and_no_other_has() {
    for words in [&[][..], &["--object-format=sha256"][..]] {
        let verify = "sh count.sh | sed 's/$/ ms/'";
        let config = format!("{}ladder: off\n", ConfigText::demo().verify(verify));
        let bed = make_bed(words, &config);
        let lists = |trial: u32, last: Option<&str>| {
            let mut trailers = vec![
                "Autoresearch-Run: demo".to_owned(),
                format!("Autoresearch-Trial: {trial}"),
            ];
            trailers.extend(last.map(|last| format!("Autoresearch-Metric: {last}")));
            trailers
        };
        assert_eq!(bed.try_count(4), "keep");
        assert_eq!(list_trailers(&bed, "HEAD"), lists(1, Some("8 ms -> 7 ms")));
        assert_eq!(bed.try_count(20), "discard");
        assert_eq!(list_trailers(&bed, &named(&bed, 2)), lists(2, None));
        bed.edit(2);
        bed.write("src/state", "bad\n");
        assert_eq!(bed.trial("guard fails")["verdict"], "rework");
        bed.write("src/state", "ok\n");
        let words = ["trial", "--rework", "-m", "fixed", "--json"];
        let kept = bed.run(&words).ok().json();
        assert_eq!(kept["verdict"], "keep");
        let commits = bed.run_commits("autoresearch/demo");
        let reworked: Vec<_> = commits.iter().map(|(hash, _)| hash.as_str()).collect();
        assert_eq!(reworked.len(), 3);
        assert_eq!(
            list_trailers(&bed, reworked[1]),
            lists(3, None),
            "it failed"
        );
        assert_eq!(
            list_trailers(&bed, reworked[2]),
            lists(3, Some("7 ms -> 5 ms"))
        );
        // The journal, the branch and the reference name the same commit.
        assert_eq!(
            (reworked[2], kept["commit"].as_str()),
            (named(&bed, 3).as_str(), kept["hash"].as_str())
        );
        assert_eq!(kept["hash"], reworked[2]);
        bed.run(&["doctor"]).ok().says("no problems");
    }
}

#[test]
fn a_keep_is_not_lost_where_its_message_cannot_be_changed() {
    let lock = ".git/refs/heads/autoresearch/demo.lock";
    // The guard also runs at start, where nothing is to stand in the way.
    let guard = format!("test ! -e .git/go || touch {lock}");
    let bed = Testbed::started(&ConfigText::demo().guard(&guard));
    std::fs::write(bed.path(".git/go"), "").unwrap();
    bed.edit(4);
    let kept = bed.trial("kept");
    std::fs::remove_file(bed.path(lock)).unwrap();
    std::fs::remove_file(bed.path(".git/go")).unwrap();
    assert_eq!(
        (&kept["verdict"], &kept["hash"]),
        (&"keep".into(), &bed.head().into())
    );
    assert_eq!(list_trailers(&bed, "HEAD").len(), 2);
    assert_eq!(bed.try_count(3), "keep");
    assert_eq!(list_trailers(&bed, "HEAD").len(), 3);
}
