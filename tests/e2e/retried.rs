//! `retry` brings the changes of a trial back as edits, whatever became of the trial, and changes nothing where it refuses.

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::{Answer, Testbed, wait_until};

fn unladdered() -> String {
    format!("{}ladder: off\n", ConfigText::demo())
}

fn retry(bed: &Testbed, trial: &str) -> Answer {
    bed.run(&["retry", trial])
}

/// Files, index and references as they are.
fn everything(bed: &Testbed) -> (std::collections::BTreeMap<String, String>, String) {
    (bed.fingerprint(), bed.git(&["for-each-ref"]))
}

#[track_caller]
fn refuses(bed: &Testbed, trial: &str, code: i32) -> Answer {
    let before = everything(bed);
    let answer = retry(bed, trial).fails(code);
    assert!(everything(bed) == before, "nothing is changed: {answer:?}");
    answer
}

#[test]
fn a_discarded_trial_comes_back_on_top_of_what_was_kept_since_also_after_gc() {
    let bed = Testbed::new();
    let lines = |first: &str, last: &str| {
        let middle = "x\n".repeat(20);
        format!("{first}\n{middle}{last}\n")
    };
    bed.write("src/both", &lines("any", "any"));
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "both"]);
    bed.start(&unladdered());
    bed.write("src/both", &lines("other", "any"));
    bed.write("src/worse", &"any\n".repeat(3));
    std::fs::remove_file(bed.path("src/state")).unwrap();
    assert_eq!(bed.trial("not yet")["verdict"], "discard");
    bed.write("src/both", &lines("any", "gone"));
    assert_eq!(bed.trial("a keep")["verdict"], "keep");
    bed.git(&["reflog", "expire", "--expire=now", "--all"]);
    bed.git(&["gc", "-q", "--prune=now"]);
    let index = bed.git(&["ls-files", "--stage"]);
    assert_answer!(retry(&bed, "1").ok(), @r#"
    trial 1 is back as edits on top of <commit>: src/both, src/state, src/worse
    next: change of these edits what you want, then run: autoresearch trial -m "what you changed"; `autoresearch trial --drop` undoes them
    "#);
    assert_eq!(bed.git(&["ls-files", "--stage"]), index);
    assert_eq!(bed.read("src/both"), lines("other", "gone"));
    assert!(!bed.path("src/state").exists());
    bed.write("src/state", "ok\n");
    std::fs::remove_file(bed.path("src/worse")).unwrap();
    assert_eq!(bed.trial("now")["verdict"], "keep");
    bed.run(&["doctor"]).ok().says("no problems");
}

#[test]
fn crashed_void_interrupted_and_dropped_trials_come_back_in_every_kind_of_repository() {
    for (words, isolation) in [
        (&[][..], "branch"),
        (&["--object-format=sha256"][..], "branch"),
        (&[][..], "worktree"),
    ] {
        let bed = Testbed::new();
        std::fs::remove_dir_all(bed.path(".git")).unwrap();
        let init = ["init", "-q", "-b", "main", "--template="];
        bed.git(&[&init[..], words].concat());
        bed.write(
            "count.sh",
            "test ! -e src/stop || exit 3\ncat src/* | grep -c '^any$'\n",
        );
        bed.git(&["add", "-A"]);
        bed.git(&["commit", "-qm", "first"]);
        bed.start(&format!(
            "{}ladder: off\n",
            ConfigText::demo().isolation(isolation)
        ));
        let root = match isolation {
            "worktree" => bed.own_tree(),
            _ => bed.repo.clone(),
        };
        let place = format!("{words:?} {isolation}");
        let write = |name: &str, bytes: &[u8]| std::fs::write(root.join(name), bytes).unwrap();
        let read = |name: &str| std::fs::read(root.join(name)).unwrap_or_default();
        let odd = "src/a name with \u{e4} and\ttab";
        write("src/stop", b"x\n");
        write(odd, b"text\n");
        write("src/picture", &[0, 159, 146, 150, 0]);
        std::fs::remove_file(root.join("src/b")).unwrap();
        assert_eq!(bed.trial("crashes")["verdict"], "crash", "{place}");
        write("src/a", b"any\n");
        write("elsewhere", b"x\n");
        assert_eq!(bed.trial("void")["reason"], "out-of-scope", "{place}");
        let _ = std::fs::remove_file(root.join("elsewhere"));
        write("src/killed", b"any\n");
        let died = bed.run_with(&["trial", "-m", "dies"], &[("SEALED_CRASH_AT", "7")]);
        assert_eq!(died.code, -1, "{place}: {died:?}");
        bed.run(&["resume"])
            .ok()
            .says("`autoresearch retry 3` brings its edits back");
        retry(&bed, "3").ok().says("src/killed");
        assert_eq!(read("src/killed"), b"any\n", "{place}");
        bed.run(&["trial", "--drop"]).ok();
        assert_eq!(read("src/killed"), b"", "{place}");
        retry(&bed, "4").ok();
        assert_eq!(read("src/killed"), b"any\n", "{place}: dropped");
        bed.run(&["trial", "--drop"]).ok();
        let void = retry(&bed, "2").ok();
        assert_eq!(read("src/a"), b"any\n", "{place}");
        if isolation == "worktree" {
            void.says("left out, because no trial may change it: elsewhere");
            assert!(!root.join("elsewhere").exists());
        }
        assert_eq!(
            bed.trial("the void one again")["verdict"],
            "keep",
            "{place}"
        );
        retry(&bed, "1").ok();
        assert_eq!(read("src/picture"), [0, 159, 146, 150, 0], "{place}");
        assert_eq!(read(odd), b"text\n", "{place}");
        assert!(!root.join("src/b").exists(), "{place}: it was deleted");
        std::fs::remove_file(root.join("src/stop")).unwrap();
        assert_eq!(bed.trial("without its fault")["verdict"], "keep", "{place}");
        bed.run(&["doctor"]).ok().says("no problems");
    }
}

#[test]
fn what_cannot_be_brought_back_is_refused_and_nothing_is_changed() {
    let bed = Testbed::new();
    // A file of this name is ignored, a folder is not.
    bed.write(".gitignore", "src/folder\n!src/folder/\n");
    bed.git(&["add", ".gitignore"]);
    bed.git(&["commit", "-qm", "ignore"]);
    bed.start(&unladdered());
    assert_eq!(bed.try_count(20), "discard");
    bed.write("src/folder/new", "any\n");
    assert_eq!(bed.trial("adds")["verdict"], "discard");
    assert_eq!(bed.try_count(4), "keep");
    assert_eq!(bed.agents_trial("nothing")["verdict"], "no-op");
    assert_answer!(refuses(&bed, "1", 2), @"
    exit code 2
    --- stderr
    error: trial 1 and what was kept since changed the same places of 1 file: src/a
    hint: nothing was changed. `autoresearch show 1 --diff` shows what it changed: make of it by hand what still fits, then run a trial
    ");
    refuses(&bed, "3", 2).says("trial 3 was kept");
    refuses(&bed, "4", 2).says("trial 4 has no commit to bring back");
    refuses(&bed, "9", 2).says("has no trial 9");
    bed.write("src/c", "edited\n");
    assert_answer!(refuses(&bed, "2", 2), @r#"
    exit code 2
    --- stderr
    error: there are unmeasured edits in the scope: src/c
    hint: nothing was changed. `autoresearch trial -m "what you changed"` measures them, `autoresearch trial --drop` undoes them; then retry again
    "#);
    bed.git(&["restore", "src/c"]);
    // What git ignores stands where a file would be written.
    bed.write("src/folder", "precious\n");
    refuses(&bed, "2", 4).says("src/folder is in the way of a file of trial 2");
    std::fs::remove_file(bed.path("src/folder")).unwrap();
    retry(&bed, "2").ok();
    bed.run(&["trial", "--drop"]).ok();
    bed.run(&["finish"]).ok();
    refuses(&bed, "2", 2).says("has ended");
}

#[test]
fn what_is_in_the_kept_state_already_or_waits_for_a_rework_is_not_brought_back() {
    let bed = Testbed::started(&unladdered());
    bed.edit(4);
    bed.write("src/state", "bad\n");
    assert_eq!(bed.trial("guard fails")["verdict"], "rework");
    refuses(&bed, "1", 2).says("trial 1 waits for a rework");
    bed.run(&["trial", "--drop"]).ok();
    retry(&bed, "1").ok();
    assert_eq!(bed.read("src/state"), "bad\n");
    bed.write("src/state", "ok\n");
    assert_eq!(bed.trial("fixed")["verdict"], "keep");
    bed.edit(4);
    bed.write("src/b", &"any\n".repeat(9));
    assert_eq!(bed.trial("worse")["verdict"], "discard");
    bed.write("src/b", &"any\n".repeat(9));
    bed.write("src/a", "");
    assert_eq!(bed.trial("more than before")["verdict"], "discard");
}

#[test]
fn a_run_that_another_process_works_on_is_not_touched() {
    let verify = "test ! -e ../home/wait || { touch ../home/at-work; while test -e ../home/wait; do sleep 0.02; done; }; sh count.sh";
    let bed = Testbed::started(&ConfigText::demo().verify(verify));
    assert_eq!(bed.try_count(20), "discard");
    let wait = bed.home.join("wait");
    std::fs::write(&wait, "").unwrap();
    bed.edit(4);
    let mut trial = bed
        .command(&["trial", "-m", "slow"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_until("verify runs", || bed.home.join("at-work").exists());
    refuses(&bed, "1", 5);
    std::fs::remove_file(&wait).unwrap();
    assert!(trial.wait().unwrap().success());
}

/// A crash in a retry leaves nothing, or edits: retrying again comes to the same, and so does dropping them.
#[test]
fn a_crash_at_every_step_of_a_retry_leaves_what_the_next_command_deals_with() {
    let bed = Testbed::started(&unladdered());
    bed.edit(20);
    bed.write("src/new", "any\n");
    std::fs::remove_file(bed.path("src/b")).unwrap();
    assert_eq!(bed.trial("many files")["verdict"], "discard");
    let file = bed.home.join("steps");
    bed.run_with(&["retry", "1"], &[("SEALED_STEPS", file.to_str().unwrap())])
        .ok();
    let whole = bed.fingerprint();
    let steps = std::fs::read_to_string(&file).unwrap();
    let steps: Vec<&str> = steps.lines().collect();
    assert!(
        steps.contains(&"git merge") && steps.contains(&"git write"),
        "{steps:?}"
    );
    for (number, step) in steps.iter().enumerate() {
        bed.run(&["trial", "--drop"]).ok();
        let at = (number + 1).to_string();
        let crashed = bed.run_with(&["retry", "1"], &[("SEALED_CRASH_AT", &at)]);
        assert_eq!(crashed.code, -1, "{step}: {crashed:?}");
        bed.run(&["resume"]).ok();
        retry(&bed, "1").ok();
        assert!(bed.fingerprint() == whole, "crash before {step}");
        // The edits of a retry that was interrupted are undone like any others.
        bed.run(&["trial", "--drop"]).ok();
        bed.run_with(&["retry", "1"], &[("SEALED_CRASH_AT", &at)]);
        if !bed.git(&["status", "--porcelain"]).is_empty() {
            bed.run(&["trial", "--drop"]).ok();
        }
        assert_eq!(
            bed.git(&["status", "--porcelain"]),
            "",
            "crash before {step}"
        );
        bed.run(&["doctor"]).ok().says("no problems");
        retry(&bed, "1").ok();
    }
}

/// In a session whose sandbox keeps git from being written, the hook does it.
#[test]
fn a_registered_retry_is_carried_out_by_the_hook() {
    let bed = Testbed::started(&unladdered());
    assert_eq!(bed.try_count(20), "discard");
    bed.hook("session-start", "s1").ok();
    bed.agent("s1", &["resume"]).ok();
    let proposal = bed.run_file("proposal.json");
    bed.edit(7);
    bed.agent("s1", &["propose", "-m", "x"]).ok();
    let text = std::fs::read_to_string(&proposal).unwrap();
    let mut object: serde_json::Value = serde_json::from_str(&text).unwrap();
    object["order"] = serde_json::json!({"retry": {"trial": 1}});
    std::fs::write(&proposal, object.to_string()).unwrap();
    bed.git(&["restore", "src/a"]);
    bed.hook("stop", "s1").ok().says("trial 1 is back as edits");
    assert_eq!(bed.read("src/a"), "any\n".repeat(20));
}
