//! Places and states that cannot be written down or worked with are refused at start, before anything is made.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::testbed::{CONFIG, Testbed, finish};

/// A name that is not UTF-8.
fn unwritable_name() -> &'static OsStr {
    OsStr::from_bytes(b"bad\xffname")
}

/// The repository under a name that is not UTF-8.
fn renamed(bed: &mut Testbed) -> PathBuf {
    let before = bed.repo.clone();
    bed.repo = before.with_file_name(unwritable_name());
    std::fs::rename(&before, &bed.repo).unwrap();
    before
}

/// Is there no trace of a start, here or in the state folder?
fn is_untouched(bed: &Testbed, work_tree: &Path) -> bool {
    let runs = std::fs::read_dir(bed.state.join("runs")).map_or(0, Iterator::count);
    !work_tree.join("autoresearch-results").exists()
        && runs == 0
        && !bed
            .git(&["branch", "--list", "autoresearch/*"])
            .contains("demo")
}

#[test]
fn a_repository_at_a_path_that_is_not_utf8_is_refused_before_anything_is_made() {
    for isolation in ["branch", "worktree", "in-place"] {
        let mut bed = Testbed::new();
        renamed(&mut bed);
        bed.try_start(&format!("{CONFIG}isolation: {isolation}\n"))
            .fails(4)
            .says("the path of the repository is not UTF-8")
            .says("Rename the folder");
        assert!(is_untouched(&bed, &bed.repo), "{isolation}");
    }
}

#[test]
fn a_git_folder_at_a_path_that_is_not_utf8_is_refused_too() {
    let bed = Testbed::new();
    let elsewhere = bed.home.join(unwritable_name());
    std::fs::rename(bed.path(".git"), &elsewhere).unwrap();
    let link = [b"gitdir: ", elsewhere.as_os_str().as_bytes(), b"\n"].concat();
    std::fs::write(bed.path(".git"), link).unwrap();
    bed.try_start(CONFIG)
        .fails(4)
        .says("the path of the git folder is not UTF-8");
    assert!(is_untouched(&bed, &bed.repo));
}

#[test]
fn a_work_tree_of_the_users_at_a_path_that_is_not_utf8_is_refused_and_the_main_one_works() {
    let bed = Testbed::new();
    let tree = bed.home.join(unwritable_name());
    let mut add = std::process::Command::new("git");
    add.args(["worktree", "add", "-q", "--detach"])
        .arg(&tree)
        .current_dir(&bed.repo)
        .env_clear()
        .envs(bed.env());
    finish(add).ok();
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    let mut start = bed.command(&["start", "--config", file.to_str().unwrap()]);
    start.current_dir(&tree);
    finish(start).fails(4).says("is not UTF-8");
    assert!(is_untouched(&bed, &tree));
    bed.start(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
}

#[test]
fn a_run_that_is_moved_to_a_path_that_is_not_utf8_keeps_its_anchor_and_goes_on_when_it_is_moved_back()
 {
    let mut bed = Testbed::started(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
    let anchor = bed.vault().join("anchor.json");
    let before = std::fs::read(&anchor).unwrap();
    let home = renamed(&mut bed);
    bed.edit(3);
    bed.run(&["trial", "-m", "x"])
        .fails(4)
        .says("was moved to a path that is not UTF-8")
        .says("and the run can continue");
    assert_eq!(std::fs::read(&anchor).unwrap(), before);
    std::fs::rename(&bed.repo, &home).unwrap();
    bed.repo = home;
    assert_eq!(bed.try_count(3), "keep");
}

#[test]
fn an_anchor_that_is_empty_or_torn_is_called_that_with_what_is_left_to_do() {
    for (file, text, words) in [
        ("anchor.json", "", "anchor.json of the run `demo` is empty"),
        ("anchor.json", "{\"format\":1,", "cannot be read"),
        ("pinned.json", "", "pinned.json of the run `demo` is empty"),
    ] {
        let bed = Testbed::started(CONFIG);
        assert_eq!(bed.try_count(4), "keep");
        std::fs::write(bed.vault().join(file), text).unwrap();
        for command in [
            &["trial", "-m", "x"][..],
            &["finish"],
            &["resume"],
            &["doctor"],
        ] {
            bed.run(command)
                .fails(4)
                .says(words)
                .says("The branch autoresearch/demo still holds what was kept");
        }
        assert_eq!(bed.run_commits("autoresearch/demo").len(), 1);
    }
}

#[test]
fn a_variable_that_is_not_utf8_is_refused_by_its_name_and_never_left_out() {
    let bed = Testbed::new();
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, format!("{CONFIG}env: [WEIGHTS]\n")).unwrap();
    let path = [std::env::var("PATH").unwrap().as_bytes(), b":/opt/\xff"].concat();
    for (name, value) in [("WEIGHTS", &b"/data/\xff"[..]), ("PATH", &path)] {
        let mut start = bed.command(&["start", "--config", file.to_str().unwrap()]);
        start.env(name, OsStr::from_bytes(value));
        finish(start).fails(3).says(&format!(
            "the variable `{name}` holds bytes that are not UTF-8"
        ));
        assert!(is_untouched(&bed, &bed.repo));
    }
}

/// A repository in which a file outside the scope is in conflict, with no merge under way.
fn in_conflict(make: fn(&Testbed)) -> Testbed {
    let bed = Testbed::new();
    bed.write("other/notes.md", "one\n");
    make(&bed);
    assert!(
        bed.git(&["status", "--porcelain"])
            .contains("other/notes.md")
    );
    assert!(!bed.path(".git/MERGE_HEAD").exists());
    bed
}

fn by_a_stash(bed: &Testbed) {
    bed.git(&["stash", "-q"]);
    bed.write("other/notes.md", "two\n");
    bed.git(&["commit", "-qam", "two"]);
    assert_ne!(bed.try_git(&["stash", "pop", "-q"]).code, 0);
}

/// Both sides of a file that was deleted on one of them.
fn by_a_deletion(bed: &Testbed) {
    bed.git(&["stash", "-q"]);
    bed.git(&["rm", "-q", "other/notes.md"]);
    bed.git(&["commit", "-qm", "gone"]);
    assert_ne!(bed.try_git(&["stash", "pop", "-q"]).code, 0);
}

/// A merge whose state was thrown away while its files stayed in conflict.
fn by_a_merge_that_was_forgotten(bed: &Testbed) {
    bed.git(&["commit", "-qam", "one"]);
    bed.git(&["switch", "-qc", "side", "HEAD~1"]);
    bed.write("other/notes.md", "two\n");
    bed.git(&["commit", "-qam", "two"]);
    bed.git(&["switch", "-q", "main"]);
    assert_ne!(bed.try_git(&["merge", "-q", "side"]).code, 0);
    for name in ["MERGE_HEAD", "MERGE_MSG", "MERGE_MODE"] {
        let _ = std::fs::remove_file(bed.path(".git").join(name));
    }
}

#[test]
fn a_file_in_conflict_outside_the_scope_is_refused_at_start_with_the_remedy_that_works() {
    for make in [by_a_stash, by_a_deletion, by_a_merge_that_was_forgotten] {
        let bed = in_conflict(make);
        for isolation in ["branch", "in-place"] {
            bed.try_start(&format!("{CONFIG}isolation: {isolation}\n"))
                .fails(4)
                .says("files are in conflict: other/notes.md")
                .says("git add");
            assert!(is_untouched(&bed, &bed.repo));
        }
        bed.write("other/notes.md", "both\n");
        bed.git(&["add", "other/notes.md"]);
        bed.start(CONFIG);
        assert_eq!(bed.try_count(4), "keep");
        bed.run(&["finish"]).ok();
        assert_eq!(bed.read("other/notes.md"), "both\n");
    }
}

#[test]
fn a_file_in_conflict_is_no_matter_where_the_run_has_a_work_tree_of_its_own() {
    let bed = in_conflict(by_a_stash);
    let before = bed.fingerprint();
    bed.start(&format!("{CONFIG}isolation: worktree\n"));
    bed.run(&["finish"]).ok();
    assert_eq!(bed.fingerprint(), before);
}
