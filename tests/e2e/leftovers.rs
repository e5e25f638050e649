//! What an undoing cannot delete: folders that the trial made read-only, or that belong to somebody else.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::testbed::{Answer, CONFIG, Testbed, finish};

/// A user without the rights of root, for whom rights of folders mean something.
const USER: u32 = 4242;

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Gives the bench to a user, if the test is run by root.
fn give(bed: &Testbed, user: u32) {
    if is_root() {
        let status = Command::new("chown")
            .args(["-R", &format!("{user}:{user}")])
            .arg(bed.folder.path())
            .status();
        assert!(status.unwrap().success());
    }
}

/// The binary, called by a user who is not root.
fn run(bed: &Testbed, arguments: &[&str]) -> Answer {
    let mut command = bed.command(arguments);
    if is_root() {
        command.uid(USER).gid(USER);
    }
    finish(command)
}

/// git, called by the owner of the repository.
fn git(bed: &Testbed, arguments: &[&str]) -> String {
    give(bed, 0);
    let text = bed.git(arguments);
    give(bed, USER);
    text
}

fn started(prepare: impl FnOnce(&Testbed)) -> Testbed {
    let bed = Testbed::new();
    prepare(&bed);
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-q", "--allow-empty", "-m", "prepared"]);
    std::fs::write(bed.home.join("config.yaml"), CONFIG).unwrap();
    let config = bed.home.join("config.yaml");
    give(&bed, USER);
    run(&bed, &["start", "--config", config.to_str().unwrap()]).ok();
    bed
}

fn set_mode(bed: &Testbed, name: &str, mode: u32) {
    std::fs::set_permissions(bed.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Tries what lies in the work tree, in which these folders are read-only; it must be discarded and leave nothing.
#[track_caller]
fn is_taken_back(bed: &Testbed, folders: &[&str]) {
    bed.edit(20);
    give(bed, USER);
    for folder in folders {
        set_mode(bed, folder, 0o555);
    }
    let answer = run(bed, &["trial", "-m", "worse", "--json"]).ok();
    let report = answer.json();
    assert_eq!(report["reason"], "worse-metric", "{report}");
    let notes = report["notes"].to_string();
    for folder in folders {
        let named = notes.contains(&format!("{folder}: this folder was read-only"));
        assert!(named, "{notes}");
    }
    assert_eq!(git(bed, &["status", "--porcelain"]), "");
    bed.edit(4);
    give(bed, USER);
    let report = run(bed, &["trial", "-m", "better", "--json"]).ok().json();
    assert_eq!(report["verdict"], "keep", "{report}");
    assert_eq!(report["files"], serde_json::json!(["src/a"]));
}

#[test]
fn a_file_that_a_discarded_trial_added_in_a_read_only_folder_is_taken_back_and_the_folder_named() {
    let bed = started(|_| {});
    bed.write("src/gen/out", "bad\n");
    bed.write("src/gen/deep/er", "bad\n");
    is_taken_back(&bed, &["src/gen/deep", "src/gen"]);
    assert!(!bed.path("src/gen").exists());
}

#[test]
fn tracked_files_that_were_changed_and_deleted_in_a_read_only_folder_come_back() {
    let bed = started(|bed| {
        bed.write("src/lib/one", "1\n");
        bed.write("src/lib/two", "2\n");
    });
    bed.write("src/lib/one", "changed\n");
    std::fs::remove_file(bed.path("src/lib/two")).unwrap();
    bed.write("src/lib/three", "new\n");
    is_taken_back(&bed, &["src/lib"]);
    assert_eq!(bed.read("src/lib/one") + &bed.read("src/lib/two"), "1\n2\n");
    let mode = bed.path("src/lib").metadata().unwrap().permissions().mode();
    assert_eq!(
        mode & 0o777,
        0o555,
        "a folder that stays is as it was found"
    );
    set_mode(&bed, "src/lib", 0o755);
}

#[test]
fn a_file_comes_back_where_a_read_only_folder_took_its_place() {
    let bed = started(|bed| bed.write("src/thing", "kept\n"));
    std::fs::remove_file(bed.path("src/thing")).unwrap();
    bed.write("src/thing/part/x", "of the trial\n");
    is_taken_back(&bed, &["src/thing/part", "src/thing"]);
    assert_eq!(bed.read("src/thing"), "kept\n");
}

#[test]
fn a_file_that_stays_stops_the_run_by_name_until_it_is_gone_and_enters_no_commit() {
    if !is_root() {
        // Only root can make a folder that belongs to somebody else.
        return;
    }
    let bed = started(|_| {});
    bed.write("src/gen/out", "bad\n");
    bed.edit(20);
    give(&bed, USER);
    let whose = |user| std::os::unix::fs::chown(bed.path("src/gen"), Some(user), Some(user));
    whose(0).unwrap();
    for _ in 0..2 {
        run(&bed, &["trial", "-m", "worse"])
            .fails(4)
            .says("files of the trial are still there: src/gen/out");
    }
    std::fs::remove_dir_all(bed.path("src/gen")).unwrap();
    run(&bed, &["resume"]).ok().says("was undone");
    bed.edit(4);
    give(&bed, USER);
    let report = run(&bed, &["trial", "-m", "better", "--json"]).ok().json();
    assert_eq!(report["files"], serde_json::json!(["src/a"]));
    assert_eq!(bed.story()[1..], ["1 discard", "2 keep"]);
}
