//! Files that are nobody's change, and that verify sees all the same: dirty before the run, or left by verify.

use crate::config_text::ConfigText;
use crate::testbed::{CONFIG, Testbed};

/// The trial is void because of this file outside the scope, and was not measured.
#[track_caller]
fn is_void(bed: &Testbed, name: &str) {
    bed.edit(1);
    let report = bed.trial("with another file changed");
    assert_eq!(
        (report["verdict"].as_str(), report["reason"].as_str()),
        (Some("discard"), Some("out-of-scope")),
        "{report}"
    );
    let detail = report["detail"].as_str().unwrap();
    assert!(detail.contains(name), "`{name}` is missing in {detail}");
    assert!(report["value"].is_null(), "verify must not have run");
}

/// A repository with a dirty tracked file and an untracked one outside the scope.
fn dirty() -> Testbed {
    let bed = Testbed::new();
    bed.write("other/notes.md", "mine\n");
    bed.write("data.csv", "1,2,3\n");
    bed
}

#[test]
fn a_file_that_was_dirty_at_start_and_changes_voids_one_trial_and_is_then_taken_as_it_is() {
    for (name, text) in [
        ("other/notes.md", Some("changed\n")),
        ("other/notes.md", Some("notes\n")),
        ("other/notes.md", None),
        ("data.csv", Some("1\n")),
        ("data.csv", None),
    ] {
        let bed = dirty();
        bed.start(CONFIG);
        assert_eq!(bed.try_count(4), "keep");
        match text {
            Some(text) => bed.write(name, text),
            None => std::fs::remove_file(bed.path(name)).unwrap(),
        }
        let before = bed.git(&["status", "--porcelain"]);
        is_void(&bed, name);
        assert_eq!(bed.git(&["status", "--porcelain"]), before, "it is left");
        assert_eq!(bed.try_count(3), "keep", "it is asked about once");
        assert_eq!(bed.run_commits("autoresearch/demo").len(), 2);
    }
}

#[test]
fn a_dirty_file_that_is_written_again_with_the_same_bytes_is_no_change() {
    let bed = dirty();
    bed.start(CONFIG);
    bed.write("other/notes.md", "mine\n");
    bed.write("data.csv", "1,2,3\n");
    assert_eq!(bed.try_count(4), "keep");
}

#[test]
fn an_untracked_file_of_the_users_that_verify_writes_is_verifys_to_write_and_not_the_agents() {
    let bed = Testbed::new();
    bed.write(
        "count.sh",
        "cat src/* | grep -c '^any$' > report.txt; cat report.txt\n",
    );
    bed.git(&["commit", "-qam", "reports"]);
    bed.write("report.txt", "old\n");
    bed.start(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
    assert_eq!(bed.try_count(3), "keep");
    bed.write("report.txt", "0\n");
    is_void(&bed, "report.txt");
    assert_eq!(bed.try_count(2), "keep");
}

#[test]
fn what_verify_left_in_one_trial_decides_no_other() {
    let bed = Testbed::new();
    bed.write(
        "count.sh",
        "n=$(cat src/* | grep -c '^any$'); test -f cache.txt && n=0; test -f src/cache && echo $n >> cache.txt\necho $n\n",
    );
    bed.git(&["commit", "-qam", "caches"]);
    bed.start(CONFIG);
    bed.write("src/cache", "x\n");
    let report = bed.trial("keeps something for the next run");
    assert_eq!(report["verdict"], "discard", "{report}");
    assert!(!bed.path("cache.txt").exists());
    let note = report["notes"].as_array().unwrap()[0].as_str().unwrap();
    assert!(
        note.starts_with("cache.txt was left by verify or guard"),
        "{note}"
    );
    assert!(bed.run_file("trials/1/aside-1/cache.txt").exists());
    assert_eq!(bed.try_count(4), "keep");
    // Planted by hand it is a change like any other.
    bed.write("cache.txt", "0\n");
    is_void(&bed, "cache.txt");
}

#[test]
fn a_guard_that_passes_only_with_what_verify_left_does_not_pass() {
    for planted in ["pytest.ini", "deep/conftest.py"] {
        let bed = Testbed::new();
        bed.write(
            "count.sh",
            "test -f src/plant && . src/plant\ncat src/a src/b | grep -c '^any$'\n",
        );
        bed.write(
            "guard.sh",
            &format!("test -f {planted} || ! grep -q broken src/a\n"),
        );
        bed.git(&["commit", "-qam", "reads what it finds"]);
        bed.start(CONFIG);
        bed.write("src/a", &("any\n".repeat(4) + "broken\n"));
        bed.write("src/plant", &format!("mkdir -p deep; : > {planted}\n"));
        let report = bed.trial("plants");
        assert_eq!(report["reason"], "changed-during-verify", "{report}");
        let told = report["detail"].as_str().unwrap();
        assert!(
            told.contains(&format!(
                "{planted} (left by verify or guard; without it the guard fails)"
            )),
            "{told}"
        );
        assert!(!bed.path(planted).exists());
    }
}

#[test]
fn what_a_guard_leaves_is_put_aside_also_when_it_is_asked_again() {
    let bed = Testbed::new();
    bed.write("guard.sh", "test -f src/plant && : > pytest.ini; true\n");
    bed.git(&["commit", "-qam", "leaves a file"]);
    bed.start(CONFIG);
    bed.write("src/plant", "x\n");
    assert_eq!(bed.try_count(4), "keep");
    assert!(!bed.path("pytest.ini").exists());
    for folder in ["aside-1", "aside-2"] {
        assert!(
            bed.run_file(&format!("trials/1/{folder}/pytest.ini"))
                .exists()
        );
    }
    assert_eq!(
        bed.try_count(3),
        "keep",
        "nothing of it voids the next trial"
    );
}

#[test]
fn the_files_of_a_measurement_that_is_thrown_away_are_named_too() {
    let bed = Testbed::new();
    bed.write(
        "count.sh",
        "if test -f src/once && test ! -f .git/done; then touch other/notes.md .git/done; : > left.txt; fi\ncat src/a src/b | grep -c '^any$'\n",
    );
    bed.git(&["commit", "-qam", "touches and leaves once"]);
    bed.start(CONFIG);
    bed.edit(4);
    bed.write("src/once", "x\n");
    let report = bed.trial("touches and leaves");
    assert_eq!(report["verdict"], "keep", "{report}");
    let notes = report["notes"].to_string();
    assert!(
        notes.contains("left.txt was left by verify or guard"),
        "{notes}"
    );
    assert!(bed.run_file("trials/1/aside-1/left.txt").exists());
}

#[test]
fn a_pinned_file_that_is_swapped_for_the_guard_and_put_back_voids_the_trial() {
    let swap = "grep -q broken guard.sh && { cp -p guard.sh /tmp/guard.$$; printf 'cp -p /tmp/guard.%s guard.sh; rm /tmp/guard.%s\\n' $$ $$ > guard.sh; }\n";
    let weight = "cp -p other/notes.md .git/notes; echo 0 > other/notes.md; . ./count-with-notes; cp -p .git/notes other/notes.md\n";
    for (name, plant) in [("guard.sh", swap), ("other/notes.md", weight)] {
        let bed = Testbed::new();
        bed.write(
            "count.sh",
            "test -f src/plant && . ./src/plant\ncat src/a src/b | grep -c '^any$'\n",
        );
        bed.write("count-with-notes", ":\n");
        bed.write("guard.sh", "! grep -q broken src/a\n");
        bed.git(&["add", "-A"]);
        bed.git(&["commit", "-qm", "a guard"]);
        bed.start(CONFIG);
        bed.write("src/a", &("any\n".repeat(4) + "broken\n"));
        bed.write("src/plant", plant);
        let report = bed.trial("swaps");
        assert_eq!(report["reason"], "changed-during-verify", "{report}");
        let told = report["detail"].as_str().unwrap();
        assert!(told.contains(name), "{told}");
        assert_eq!(bed.git(&["status", "--porcelain"]), "");
    }
}

#[test]
fn a_measurement_that_touched_a_file_once_is_made_anew_and_counts() {
    let bed = Testbed::new();
    bed.write(
        "count.sh",
        "test -f src/once && test ! -f .git/done && touch other/notes.md .git/done\ncat src/a src/b | grep -c '^any$'\n",
    );
    bed.git(&["commit", "-qam", "touches once"]);
    bed.start(CONFIG);
    bed.edit(4);
    bed.write("src/once", "x\n");
    let report = bed.trial("touches");
    assert_eq!(report["verdict"], "keep", "{report}");
    let note = report["notes"].as_array().unwrap()[0].as_str().unwrap();
    assert_eq!(
        note,
        "other/notes.md was written while verify or guard ran, and has its bytes again: that measurement was thrown away, and repeated"
    );
    assert!(bed.run_file("trials/1/second-verify-1.out").exists());
}

#[test]
fn what_verify_writes_again_at_every_run_is_named_at_start_and_compared_by_its_bytes() {
    let bed = Testbed::new();
    bed.write(
        "count.sh",
        "cp other/notes.md copy; cat copy > other/notes.md; rm copy; test -f src/plant && echo other > other/notes.md\ncat src/a src/b | grep -c '^any$'\n",
    );
    bed.git(&["commit", "-qam", "writes again"]);
    let started = bed.start(CONFIG);
    let warnings = started.to_string();
    assert!(
        warnings.contains("writes files again that no trial may change (other/notes.md)"),
        "{warnings}"
    );
    assert_eq!(bed.try_count(4), "keep");
    bed.write("src/plant", "x\n");
    bed.edit(3);
    assert_eq!(bed.trial("changes it")["reason"], "changed-during-verify");
}

#[test]
fn a_dirty_tracked_file_that_changes_while_verify_runs_voids_the_trial_once() {
    let bed = dirty();
    bed.write(
        "count.sh",
        "test -f src/meddle && echo x > other/notes.md\ncat src/* | grep -c '^any$'\n",
    );
    bed.git(&["commit", "-qm", "meddle", "--", "count.sh"]);
    bed.start(CONFIG);
    bed.edit(4);
    bed.write("src/meddle", "x\n");
    let report = bed.trial("meddles");
    assert_eq!(report["reason"], "changed-during-verify", "{report}");
    let detail = report["detail"].as_str().unwrap();
    assert!(detail.contains("other/notes.md"), "{detail}");
    assert_eq!(bed.try_count(3), "keep");
}

#[test]
fn a_verify_that_changes_a_dirty_tracked_file_is_refused_at_start() {
    let bed = dirty();
    bed.write(
        "count.sh",
        "echo x >> other/notes.md\ncat src/* | grep -c '^any$'\n",
    );
    bed.git(&["commit", "-qm", "meddle", "--", "count.sh"]);
    bed.try_start(CONFIG)
        .fails(3)
        .says("verify or guard changed one of your files: other/notes.md");
}

#[test]
fn a_killed_verify_is_not_held_against_the_next_trial() {
    let bed = Testbed::new();
    let mark = bed.home.join("mark");
    bed.write(
        "count.sh",
        &format!(
            "echo x >> log.txt; test -f src/slow && {{ touch {}; sleep 1000; }}\ncat src/* | grep -c '^any$'\n",
            mark.display()
        ),
    );
    bed.git(&["commit", "-qam", "slow"]);
    bed.write("log.txt", "");
    bed.start(CONFIG);
    bed.write("src/slow", "x\n");
    let mut child = bed.command(&["trial", "-m", "killed"]).spawn().unwrap();
    crate::testbed::wait_until("verify runs", || mark.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    bed.run(&["resume"]).ok();
    assert_eq!(bed.try_count(4), "keep");
}

#[test]
fn a_file_that_an_index_flag_hid_before_the_start_is_watched_outside_and_refused_inside_the_scope()
{
    for flag in ["skip-worktree", "assume-unchanged"] {
        let bed = Testbed::new();
        bed.git(&["update-index", &format!("--{flag}"), "other/notes.md"]);
        bed.write("other/notes.md", "local\n");
        bed.start(CONFIG);
        assert_eq!(bed.try_count(4), "keep");
        bed.write("other/notes.md", "other\n");
        is_void(&bed, "other/notes.md");
        assert_eq!(bed.try_count(3), "keep");
        let bed = Testbed::new();
        bed.git(&["update-index", &format!("--{flag}"), "src/b"]);
        bed.try_start(CONFIG)
            .fails(4)
            .says("hides a file in the scope from git: src/b");
    }
}

#[test]
fn a_sparse_checkout_can_be_the_place_of_a_run() {
    let bed = Testbed::new();
    bed.git(&["sparse-checkout", "set", "--no-cone", "/*", "!/other/"]);
    assert!(!bed.path("other/notes.md").exists());
    bed.start(&ConfigText::demo().scope(&["src/**", "other/**"]));
    assert_eq!(bed.try_count(4), "keep");
    bed.write("other/notes.md", "here again\n");
    bed.edit(3);
    assert_eq!(bed.trial("outside of the cone")["verdict"], "keep");
    assert_eq!(
        bed.git(&["show", "HEAD:other/notes.md"]),
        "here again\n",
        "what verify saw is in the commit"
    );
}

#[test]
fn a_rule_file_that_was_dirty_at_start_must_stay_as_it_is() {
    let bed = Testbed::new();
    bed.write(".gitignore", "*.tmp\n");
    bed.start(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
    bed.write(".gitignore", "*.tmp\nhelper\n");
    bed.edit(3);
    assert_eq!(bed.trial("hides")["reason"], "protected");
    bed.write(".gitignore", "*.tmp\n");
    assert_eq!(bed.try_count(3), "keep");
}
