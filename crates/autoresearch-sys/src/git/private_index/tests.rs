//! Tests of the run's own index: what it sees that others hide, and what the user's index is told.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use autoresearch_core::git_names::{CommitId, RepoPath};

use super::{IndexDifference, PrivateIndex};
use crate::git::scratch::ScratchRepository;
use crate::git::{Hooks, NewCommit};

fn index_file(repository: &ScratchRepository) -> PathBuf {
    repository.beside("index")
}

fn list_seen(index: &PrivateIndex<'_>) -> Vec<String> {
    let seen = index.git().read_status().unwrap();
    seen.iter().map(|entry| entry.path.to_string()).collect()
}

fn to_paths(names: &[&str]) -> Vec<RepoPath> {
    names.iter().map(|name| RepoPath::new(*name)).collect()
}

/// Commits what stands at these paths, as a trial does.
fn commit(index: &PrivateIndex<'_>, repository: &ScratchRepository, names: &[&str]) -> CommitId {
    let (paths, parent) = (to_paths(names), repository.find_commit("HEAD"));
    assert_eq!(index.git().stage_paths(&paths).unwrap(), []);
    let scratch = repository.beside("scratch");
    let new = NewCommit {
        parent: &parent,
        message: "trial\n",
        scratch: &scratch,
        date: "1700000000 +0000",
    };
    let tree = index.git().write_index_tree(&new, Hooks::Bypass).unwrap();
    let commit = repository
        .git
        .commit_tree(&tree, &new, Hooks::Bypass)
        .unwrap();
    index.expect_update(&paths).unwrap();
    repository.git.move_head(&parent, &commit, "trial").unwrap();
    index.note_head(&commit).unwrap();
    commit
}

#[test]
fn no_flag_in_the_users_index_hides_a_change() {
    let repository = ScratchRepository::with_files(&["assumed", "skipped", "plain"]);
    repository.run(&["update-index", "--assume-unchanged", "assumed"]);
    repository.run(&["update-index", "--skip-worktree", "skipped"]);
    for name in ["assumed", "skipped", "plain"] {
        repository.write(name, "edited");
    }
    assert_eq!(repository.run(&["status", "--short"]).trim(), "M plain");
    let index = PrivateIndex::new(&repository.git, &index_file(&repository));
    index.prepare(&repository.find_commit("HEAD"), 0).unwrap();
    assert_eq!(list_seen(&index), ["assumed", "plain", "skipped"]);
}

#[test]
fn an_index_that_was_told_that_a_file_is_clean_hides_nothing() {
    let repository = ScratchRepository::with_files(&["a"]);
    let attributes = repository.beside("attributes");
    fs::write(&attributes, "a filter=lie\n").unwrap();
    repository.write("a", "another weight");
    make_old(&repository.root().join("a"));
    let told = format!("core.attributesFile={}", attributes.display());
    let clean = "filter.lie.clean=git cat-file blob HEAD:a";
    repository.run(&["-c", &told, "-c", clean, "update-index", "a"]);
    assert_eq!(repository.run(&["status", "--short"]), "");
    let index = PrivateIndex::new(&repository.git, &index_file(&repository));
    index.prepare(&repository.find_commit("HEAD"), 0).unwrap();
    assert_eq!(list_seen(&index), ["a"]);
}

/// Sets a file's time of change, long enough ago that git believes its index.
fn make_old(path: &std::path::Path) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_mins(25_000_000))
        .unwrap();
}

/// Has the index file say of its only file that it changed in this second, which is where its first entry begins.
fn date_entry(index: &std::path::Path, second: i64) {
    let mut bytes = fs::read(index).unwrap();
    bytes[12..16].copy_from_slice(&u32::try_from(second).unwrap().to_be_bytes());
    fs::write(index, bytes).unwrap();
}

#[test]
fn a_change_within_the_second_of_the_last_look_is_seen_though_its_time_was_put_back() {
    let repository = ScratchRepository::with_files(&["a"]);
    let (file, path) = (index_file(&repository), repository.root().join("a"));
    let index = PrivateIndex::new(&repository.git, &file);
    let head = repository.find_commit("HEAD");
    make_old(&path);
    index.prepare(&head, 0).unwrap();
    assert_eq!(list_seen(&index), Vec::<String>::new());
    // Other bytes of the same length, with the old time. That the last change was in the same second is said by hand, so that
    // no clock decides.
    fs::write(&path, "b\n").unwrap();
    make_old(&path);
    let changed = fs::metadata(&path).unwrap().ctime();
    date_entry(&file, changed);
    assert_eq!(
        list_seen(&index),
        Vec::<String>::new(),
        "git alone sees nothing"
    );
    index.prepare(&head, changed).unwrap();
    assert_eq!(list_seen(&index), ["a"]);
}

#[test]
fn the_users_index_learns_of_the_trials_paths_and_keeps_every_other_entry() {
    let repository = ScratchRepository::with_files(&["ours", "dropped", "staged", "flagged"]);
    let index = PrivateIndex::new(&repository.git, &index_file(&repository));
    index.prepare(&repository.find_commit("HEAD"), 0).unwrap();
    repository.write("staged", "staged by the user");
    repository.write("intended", "");
    repository.run(&["add", "staged"]);
    repository.run(&["add", "-N", "intended"]);
    repository.run(&["update-index", "--assume-unchanged", "flagged", "ours"]);
    let list_others = || {
        let listed = repository.run(&["ls-files", "-v", "--stage"]);
        let others = listed.lines().filter(|line| !line.ends_with("ours"));
        others
            .map(|line| line.to_owned() + "\n")
            .collect::<String>()
    };
    let before = list_others().replace(&list_line(&list_others(), "dropped"), "");
    repository.write("ours", "edited");
    repository.write("made", "new");
    fs::remove_file(repository.root().join("dropped")).unwrap();
    let names = ["ours", "made", "dropped"];
    let head = commit(&index, &repository, &names);
    index.update_users(&to_paths(&names), &head).unwrap();
    assert!(!index.is_update_pending());
    let after = list_others().replace(&list_line(&list_others(), "made"), "");
    assert_eq!(after, before);
    insta::assert_snapshot!(repository.run(&["status", "--short"]), @"
    A intended
    M  staged
    ");
    let diff = repository.run(&["diff", "--name-status", "HEAD~", "HEAD"]);
    assert_eq!(diff, "D\tdropped\nA\tmade\nM\tours");
}

fn list_line(listed: &str, name: &str) -> String {
    let line = listed.lines().find(|line| line.ends_with(name));
    line.map(|line| line.to_owned() + "\n").unwrap_or_default()
}

#[test]
fn what_the_users_index_could_not_learn_it_learns_at_the_next_look() {
    let repository = ScratchRepository::with_files(&["ours"]);
    let index = PrivateIndex::new(&repository.git, &index_file(&repository));
    index.prepare(&repository.find_commit("HEAD"), 0).unwrap();
    let lock = repository.root().join(".git/index.lock");
    fs::write(&lock, "an editor at work").unwrap();
    repository.write("ours", "edited");
    let head = commit(&index, &repository, &["ours"]);
    index.update_users(&to_paths(&["ours"]), &head).unwrap();
    assert!(index.is_update_pending());
    fs::remove_file(&lock).unwrap();
    index.prepare(&head, 0).unwrap();
    assert!(!index.is_update_pending());
    assert_eq!(repository.run(&["status", "--short"]), "");
}

#[test]
fn an_index_of_another_commit_or_without_sense_is_made_again() {
    let repository = ScratchRepository::with_files(&["a", "b"]);
    let file = index_file(&repository);
    let index = PrivateIndex::new(&repository.git, &file);
    let first = repository.find_commit("HEAD");
    index.prepare(&first, 0).unwrap();
    repository.write("a", "second");
    repository.run(&["commit", "--quiet", "-am", "second"]);
    let second = repository.find_commit("HEAD");
    for damage in ["", "DIRC", "a lock is left too"] {
        fs::write(&file, damage).unwrap();
        fs::write(file.with_extension("lock"), "").unwrap();
        index.prepare(&second, 0).unwrap();
        assert_eq!(list_seen(&index), Vec::<String>::new(), "{damage}");
    }
    index.prepare(&first, 0).unwrap();
    assert_eq!(
        list_seen(&index),
        ["a"],
        "HEAD is not where it is said to be"
    );
    index.prepare(&second, 0).unwrap();
    let moved = repository.beside("elsewhere");
    index.move_to(&moved);
    assert!(moved.exists() && !file.exists());
}

#[test]
fn what_a_sparse_checkout_leaves_out_is_no_change_until_it_is_there() {
    let repository = ScratchRepository::with_files(&["src/a", "other/b", "other/c"]);
    repository.run(&["sparse-checkout", "set", "--no-cone", "/*", "!/other/"]);
    let index = PrivateIndex::new(&repository.git, &index_file(&repository));
    let head = repository.find_commit("HEAD");
    index.prepare(&head, 0).unwrap();
    assert_eq!(list_seen(&index), Vec::<String>::new());
    repository.write("other/b", "here again");
    fs::remove_file(repository.root().join("src/a")).unwrap();
    assert_eq!(list_seen(&index), ["other/b", "src/a"]);
}

#[test]
fn what_the_users_index_has_otherwise_is_told_by_path() {
    let repository = ScratchRepository::with_files(&["a", "dropped", "same", "staged"]);
    let index = PrivateIndex::new(&repository.git, &index_file(&repository));
    let head = repository.find_commit("HEAD");
    index.prepare(&head, 0).unwrap();
    repository.run(&["rm", "--quiet", "--cached", "dropped"]);
    repository.write("staged", "other");
    repository.write("new", "");
    repository.run(&["add", "staged", "new"]);
    repository.run(&["update-index", "--chmod=+x", "a"]);
    let users = repository.root().join(".git/index");
    let found = index.compare_users(&users, &head).unwrap();
    let staged = to_paths(&["a", "dropped", "new", "staged"]);
    assert_eq!(found.differing, staged);
    // A version that only git reads.
    repository.run(&["update-index", "--index-version", "4"]);
    let found = index.compare_users(&users, &head).unwrap();
    assert_eq!(found.differing, staged);
}

#[test]
fn conflicts_are_told_by_the_users_index() {
    let repository = ScratchRepository::with_files(&["a"]);
    let index = PrivateIndex::new(&repository.git, &index_file(&repository));
    let head = repository.find_commit("HEAD");
    let users = repository.root().join(".git/index");
    index.prepare(&head, 0).unwrap();
    assert_eq!(
        index.compare_users(&users, &head).unwrap(),
        IndexDifference::default()
    );
    repository.run(&["checkout", "--quiet", "-b", "side"]);
    repository.write("a", "side");
    repository.run(&["commit", "--quiet", "-am", "side"]);
    repository.run(&["checkout", "--quiet", "main"]);
    repository.write("a", "main");
    repository.run(&["stash", "--quiet"]);
    repository.run(&["merge", "--quiet", "side"]);
    repository.git.run_for_text(&["stash", "pop"]).unwrap_err();
    let head = repository.find_commit("HEAD");
    index.prepare(&head, 0).unwrap();
    let found = index.compare_users(&users, &head).unwrap();
    assert_eq!(found.conflicts, to_paths(&["a"]));
}
