//! The work tree of a run lies where none of the user's tools walk, and nowhere but where the config says.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::{Testbed, finish};

fn in_own_tree(trees: &str) -> String {
    format!(
        "{}trees: {trees}\n",
        ConfigText::demo().isolation("worktree")
    )
}

/// What the user's own tools see: git, a recursive search, and every file outside git's folder and the run's log.
fn see_as_user(bed: &Testbed) -> String {
    let look = "git status --porcelain --ignored && git worktree list | wc -l >/dev/null && \
                grep -rn --exclude-dir=.git '^any$' . | sort && \
                find . -path ./.git -prune -o -path ./autoresearch-results -prune -o -print | sort";
    let mut shell = Command::new("sh");
    shell.args(["-c", look]).current_dir(&bed.repo);
    let seen = finish(shell).ok().out;
    seen.replace("!! autoresearch-results/\n", "")
}

#[test]
fn the_users_tools_see_the_same_before_during_and_after_a_run() {
    let bed = Testbed::new();
    let before = see_as_user(&bed);
    bed.start(&ConfigText::demo().isolation("worktree"));
    assert_eq!(see_as_user(&bed), before, "during");
    std::fs::write(bed.own_tree().join("src/a"), "any\n").unwrap();
    assert_eq!(bed.trial("one")["verdict"], "keep");
    assert_eq!(see_as_user(&bed), before, "after a keep");
    bed.run(&["finish"]).ok();
    assert_eq!(see_as_user(&bed), before, "after");
    assert_eq!(bed.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn trees_names_another_place_and_each_folder_of_it_is_the_owners_alone() {
    let bed = Testbed::new();
    bed.start(&in_own_tree("~/run trees"));
    let tree = bed.own_tree();
    assert!(
        tree.starts_with(bed.home.join("run trees")),
        "{}",
        tree.display()
    );
    for folder in tree.ancestors().skip(1).take(2) {
        let mode = folder.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", folder.display());
    }
    std::fs::write(tree.join("src/a"), "any\n").unwrap();
    assert_eq!(bed.trial("one")["verdict"], "keep");
    bed.run(&["finish"]).ok();
    assert!(!tree.exists());
}

#[test]
fn a_place_in_a_work_tree_of_the_repository_is_refused_also_behind_a_link() {
    let bed = Testbed::new();
    let before = bed.fingerprint();
    let inside = bed.path("trees");
    assert_answer!(bed.try_start(&in_own_tree(inside.to_str().unwrap())), @"
    exit code 3
    --- stderr
    error: the run's work trees would lie in <bed>/repo/trees, inside the work tree <bed>/repo: its tools would walk into them
    hint: name a folder outside the repository with `trees:` in the config
    ");
    symlink(&bed.repo, bed.home.join("way")).unwrap();
    assert_answer!(bed.try_start(&in_own_tree("~/way/trees")), @"
    exit code 3
    --- stderr
    error: the run's work trees would lie in <bed>/repo/trees, inside the work tree <bed>/repo: its tools would walk into them
    hint: name a folder outside the repository with `trees:` in the config
    ");
    assert_answer!(bed.try_start(&in_own_tree("../trees")), @"
    exit code 3
    --- stderr
    error: the config <bed>/home/config.yaml has 1 error
    caused by: <bed>/home/config.yaml:10: trees: `../trees` is not a whole path -> name a folder outside the repository, such as `~/trees` or `/data/trees`
    hint: fix these, then run `autoresearch config check <bed>/home/config.yaml`
    ");
    assert_eq!(bed.fingerprint(), before);
}

#[test]
fn a_place_that_others_can_write_or_that_cannot_be_made_is_refused_and_nothing_is_left() {
    let bed = Testbed::new();
    let before = bed.fingerprint();
    let shared = bed.home.join("shared");
    std::fs::create_dir(&shared).unwrap();
    std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o777)).unwrap();
    assert_answer!(bed.try_start(&in_own_tree("~/shared")), @"
    exit code 4
    --- stderr
    error: <bed>/home/shared is writable by others, so nothing in it can be trusted
    hint: nothing was run. If what is in it is yours, `chmod go-w <bed>/home/shared` as its owner; if not, move it away
    ");
    std::fs::write(bed.home.join("file"), "mine\n").unwrap();
    assert_answer!(bed.try_start(&in_own_tree("~/file")), @"
    exit code 6
    --- stderr
    error: could not create <bed>/home/file/<id>/autoresearch-demo
    caused by: Not a directory (os error 20)
    hint: `trees:` in the config names another place for the run's work trees
    ");
    assert_eq!(bed.fingerprint(), before);
    assert_eq!(std::fs::read(bed.home.join("file")).unwrap(), b"mine\n");
    assert!(std::fs::read_dir(&shared).unwrap().next().is_none());
    assert!(is_empty(&bed.state.join("tree-notes")));
}

#[test]
fn a_tree_whose_folder_was_replaced_is_not_ours_and_stays() {
    let bed = Testbed::new();
    bed.start(&ConfigText::demo().isolation("worktree"));
    let tree = bed.own_tree();
    let copy = tree.with_file_name("copy");
    let mut cp = Command::new("cp");
    cp.arg("-a").arg(&tree).arg(&copy);
    assert!(cp.status().unwrap().success());
    std::fs::remove_dir_all(&tree).unwrap();
    std::fs::rename(&copy, &tree).unwrap();
    bed.run(&["finish"])
        .ok()
        .says("no note outside the repository says that this tool made it");
    assert!(tree.join("src/a").exists());
}

#[test]
fn a_run_is_finished_although_its_tree_cannot_go_now_and_the_next_finish_removes_it() {
    let bed = Testbed::new();
    bed.start(&ConfigText::demo().isolation("worktree"));
    let tree = bed.own_tree();
    // Somebody else is starting a run in this repository.
    let starts = bed.state.join("starts");
    let folder = std::fs::read_dir(&starts).unwrap().next().unwrap();
    let lock = std::fs::File::open(folder.unwrap().path().join("lock")).unwrap();
    lock.lock().unwrap();
    bed.run(&["finish"])
        .ok()
        .says("the run's work tree stays: ")
        .says("`autoresearch clean --yes` removes it");
    assert!(tree.exists());
    assert_eq!(bed.run(&["status", "--json"]).ok().json()["state"], "ended");
    lock.unlock().unwrap();
    bed.run(&["finish"]).ok();
    assert!(!tree.exists());
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}
