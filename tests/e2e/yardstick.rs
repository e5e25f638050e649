//! The yardstick is out of reach: what verify and guard name, and what is protected.

use crate::config_text::ConfigText;
use crate::testbed::{CONFIG, Testbed};

#[test]
fn a_trial_that_touches_the_verify_script_is_void() {
    let bed = Testbed::started(CONFIG);
    bed.edit(4);
    bed.write("count.sh", "echo 0\n");
    let report = bed.trial("cheat");
    assert_eq!(
        (report["verdict"].as_str(), report["reason"].as_str()),
        (Some("discard"), Some("protected"))
    );
    assert!(report["detail"].as_str().unwrap().contains("count.sh"));
    assert!(report["value"].is_null(), "verify must not have run");
    assert_eq!(
        bed.read("src/a").lines().count(),
        5,
        "the edits in the scope are undone"
    );
    assert_eq!(
        bed.read("count.sh"),
        "echo 0\n",
        "in the user's tree the file is only reported"
    );
    bed.edit(4);
    assert_eq!(bed.trial("still there")["reason"], "protected");
    bed.git(&["checkout", "--", "count.sh"]);
    assert_eq!(bed.try_count(4), "keep");
}

#[test]
fn a_pinned_script_in_the_scope_is_pinned_all_the_same() {
    let bed = Testbed::new();
    bed.write("src/bench.sh", "grep -c '^any$' src/a\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "bench"]);
    bed.start(&ConfigText::demo().verify("cd src && cd .. && sh ./src/bench.sh"));
    bed.write("src/bench.sh", "echo 0\n");
    assert_eq!(bed.trial("cheat")["reason"], "protected");
    assert_eq!(bed.read("src/bench.sh"), "echo 0\n");
}

#[test]
fn protected_files_are_pinned_also_when_git_ignores_them() {
    let bed = Testbed::new();
    bed.write(".gitignore", "data/\n");
    bed.write("data/fixture.csv", "1,2,3\n");
    bed.git(&["add", ".gitignore"]);
    bed.git(&["commit", "-qm", "ignore"]);
    bed.start(&format!("{CONFIG}protect: [\"data/**\"]\n"));
    bed.edit(4);
    bed.write("data/fixture.csv", "1\n");
    assert_eq!(bed.trial("a smaller fixture")["reason"], "protected");
    bed.write("data/fixture.csv", "1,2,3\n");
    bed.edit(4);
    bed.write("data/more.csv", "new\n");
    assert_eq!(bed.trial("one more fixture")["reason"], "protected");
    std::fs::remove_file(bed.path("data/more.csv")).unwrap();
    assert_eq!(bed.try_count(4), "keep", "the same bytes are the same file");
}

#[test]
fn hiding_a_change_from_git_does_not_hide_it_from_the_yardstick() {
    let bed = Testbed::started(CONFIG);
    bed.git(&["update-index", "--assume-unchanged", "count.sh"]);
    bed.write("count.sh", "echo 0\n");
    bed.edit(4);
    assert_eq!(bed.trial("assume-unchanged")["reason"], "protected");
    bed.write(".git/info/exclude", "*\n");
    assert_eq!(bed.trial("exclude")["reason"], "protected");
}

#[test]
fn files_outside_the_scope_make_a_trial_void_whatever_they_are_called() {
    for name in [
        "other/state.json",
        "src2/a",
        "other/src/a",
        "research-results.tsv",
        "README",
    ] {
        let bed = Testbed::started(CONFIG);
        bed.edit(4);
        bed.write(name, "x\n");
        let report = bed.trial("outside");
        assert_eq!(report["reason"], "out-of-scope", "{name}");
        assert!(report["detail"].as_str().unwrap().contains(name));
        assert!(bed.path(name).exists());
    }
}

#[test]
fn a_file_in_scope_that_changes_while_verify_runs_voids_the_trial_and_is_not_lost() {
    let bed = Testbed::new();
    // The trial's own file makes verify write to another file in the scope.
    bed.write(
        "count.sh",
        "test -f src/meddle && echo late > src/b\ncat src/* | grep -c '^any$'\n",
    );
    bed.git(&["commit", "-qam", "meddle"]);
    bed.start(CONFIG);
    let before = bed.fingerprint();
    bed.edit(1);
    bed.write("src/meddle", "x\n");
    let report = bed.trial("meddles");
    assert_eq!(
        (report["verdict"].as_str(), report["reason"].as_str()),
        (Some("discard"), Some("changed-during-verify"))
    );
    assert_eq!(bed.fingerprint(), before);
    let reflog = bed.git(&["log", "-g", "--format=%H", "HEAD"]);
    assert!(
        reflog
            .lines()
            .any(|hash| bed.try_git(&["show", &format!("{hash}:src/b")]).out == "late\n"),
        "the late edit can be found again"
    );
}

#[test]
fn a_pinned_file_that_changes_while_verify_runs_voids_the_trial() {
    let bed = Testbed::new();
    bed.write(
        "count.sh",
        "test -f src/meddle && echo '# x' >> guard.sh\ncat src/* | grep -c '^any$'\n",
    );
    bed.git(&["commit", "-qam", "meddle"]);
    bed.start(CONFIG);
    bed.edit(1);
    bed.write("src/meddle", "x\n");
    let report = bed.trial("meddles");
    assert_eq!(report["reason"], "changed-during-verify");
    assert!(report["detail"].as_str().unwrap().contains("guard.sh"));
}

#[test]
fn untracked_files_that_verify_leaves_are_put_aside_and_never_committed() {
    let bed = Testbed::new();
    bed.write(
        "count.sh",
        "test -f src/drop && echo x > report.txt\ncat src/* | grep -c '^any$'\n",
    );
    bed.git(&["commit", "-qam", "drops"]);
    bed.start(CONFIG);
    bed.edit(4);
    bed.write("src/drop", "x\n");
    let report = bed.trial("drops a report");
    assert_eq!(
        (report["verdict"].as_str(), report["droppings"].to_string()),
        (Some("keep"), "[]".to_owned())
    );
    assert_eq!(
        bed.try_count(3),
        "keep",
        "what is put aside is held against nobody"
    );
    assert!(
        bed.run_commits("autoresearch/demo")
            .iter()
            .all(|(_, files)| files.iter().all(|file| file.starts_with("src/")))
    );
    assert!(!bed.path("report.txt").exists());
    assert!(bed.run_file("trials/1/aside-1/report.txt").exists());
}

#[test]
fn a_pinned_file_that_becomes_endless_or_a_pipe_voids_the_trial_and_is_not_waited_for() {
    for name in ["data/fixture", "data/empty", "count.sh"] {
        for kind in ["endless", "pipe", "folder"] {
            let bed = Testbed::new();
            bed.write("data/fixture", "1\n");
            bed.write("data/empty", "");
            bed.git(&["add", "-A"]);
            bed.git(&["commit", "-qm", "data"]);
            bed.start(&format!("{CONFIG}protect: [\"data/**\"]\n"));
            let path = bed.path(name);
            std::fs::remove_file(&path).unwrap();
            match kind {
                "endless" => std::os::unix::fs::symlink("/dev/zero", &path).unwrap(),
                "pipe" => make_pipe(&path),
                _ => std::fs::create_dir(&path).unwrap(),
            }
            bed.edit(4);
            assert_eq!(bed.trial("cheat")["reason"], "protected", "{name}: {kind}");
        }
    }
}

#[test]
fn a_new_file_under_protect_is_seen_although_git_ignores_it_and_a_changed_mode_although_git_does_not_look()
 {
    let bed = Testbed::new();
    bed.write(".gitignore", "*.csv\n");
    bed.write("src/known.csv", "1\n");
    bed.git(&["add", ".gitignore"]);
    bed.git(&["commit", "-qm", "ignore"]);
    bed.git(&["config", "core.fileMode", "false"]);
    bed.start(&format!("{CONFIG}protect: [\"*.csv\"]\n"));
    assert_eq!(bed.try_count(4), "keep");
    for name in ["src/deep/new.csv", "new.csv"] {
        bed.edit(3);
        bed.write(name, "1\n");
        assert_eq!(bed.trial("new")["reason"], "protected", "{name}");
        std::fs::remove_file(bed.path(name)).unwrap();
    }
    assert_eq!(bed.try_count(3), "keep");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(bed.path("count.sh"), mode).unwrap();
    bed.edit(2);
    assert_eq!(bed.trial("mode")["reason"], "protected");
}

#[test]
fn a_hard_link_in_the_scope_is_made_a_file_of_its_own_before_anything_is_measured() {
    let bed = Testbed::started(CONFIG);
    let outside = bed.home.join("outside");
    std::fs::write(&outside, "any\n".repeat(4)).unwrap();
    std::fs::remove_file(bed.path("src/a")).unwrap();
    std::fs::hard_link(&outside, bed.path("src/a")).unwrap();
    let modified = || std::fs::metadata(&outside).unwrap().modified().unwrap();
    let before = modified();
    let report = bed.trial("linked");
    assert_eq!(report["verdict"], "keep", "{report}");
    let notes = report["notes"].to_string();
    assert!(notes.contains("src/a: it was a hard link"), "{notes}");
    assert_eq!(modified(), before, "not even its time is changed");
    std::fs::write(&outside, "").unwrap();
    assert_eq!(bed.read("src/a").lines().count(), 4);
    assert_eq!(bed.git(&["status", "--porcelain", "--", "src"]), "");

    // A name of a pinned file is a change of that file as soon as it is written.
    std::fs::hard_link(bed.path("count.sh"), bed.path("src/count")).unwrap();
    std::fs::write(bed.path("src/count"), "echo 0\n").unwrap();
    assert_eq!(bed.trial("through it")["reason"], "protected");
}

fn make_pipe(path: &std::path::Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success());
}
