//! Owns the tests of work trees in real repositories: which there are, who holds a branch, what only a submodule holds.
//! Does not test what is committed in one.
//! Invariant: each test has a repository of its own, and no setting of the machine counts.

use std::fs;
use std::path::Path;

use super::{WorkTree, parse_work_trees};
use crate::git::GitError;
use crate::git::scratch::ScratchRepository;
use crate::git::tests::show_status;
use autoresearch_core::git_names::RefName;

#[test]
fn a_work_tree_is_made_listed_and_removed_unless_it_holds_something() {
    let repository = ScratchRepository::with_files(&["a"]);
    let git = &repository.git;
    let first = repository.find_commit("HEAD");
    for name in ["one", "two", "three"] {
        git.create_branch(&RefName::of_branch(name), &first)
            .unwrap();
        git.add_work_tree(&repository.beside(name), &RefName::of_branch(name))
            .unwrap();
    }
    let three = repository.beside("three");
    repository.run(&["worktree", "lock", three.to_str().unwrap()]);
    git.at_folder(&three)
        .run_for_text(&["switch", "--quiet", "--detach"])
        .unwrap();
    let list = || {
        let trees = git.list_work_trees().unwrap().into_iter().map(|tree| {
            let name = tree.path.file_name().unwrap().to_str().unwrap().to_owned();
            let branch = tree.branch.as_ref().map_or("", RefName::as_str);
            format!(
                "{name} {branch} locked: {} gone: {}",
                tree.locked, tree.gone
            )
        });
        trees.collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(list(), @"
    repo refs/heads/main locked: false gone: false
    one refs/heads/one locked: false gone: false
    three  locked: true gone: false
    two refs/heads/two locked: false gone: false
    ");
    let (one, two) = (repository.beside("one"), repository.beside("two"));
    let uncommitted = |path: &Path| git.at_folder(path).find_first_uncommitted().unwrap();
    assert_eq!(uncommitted(&one), None);
    fs::write(one.join("new file"), "").unwrap();
    assert_eq!(uncommitted(&one).as_deref(), Some("new file"));
    assert!(git.remove_work_tree(&one).is_err() && one.exists());
    git.discard_work_tree(&one).unwrap();
    git.remove_work_tree(&two).unwrap();
    assert!(!one.exists() && !two.exists());
    assert!(git.remove_work_tree(&three).is_err(), "it is locked");
}

#[test]
fn every_kind_of_work_tree_is_read_from_the_list() {
    let text = b"worktree /a b\0HEAD 1\0branch refs/heads/main\0\0worktree /c\nd\0HEAD 2\0detached\0locked\0\0\
        worktree /e\0HEAD 3\0branch refs/heads/x\0locked why\0prunable gitdir file points to nothing\0\0worktree /f\0bare\0\0";
    let tree = |path: &str, branch: Option<&str>, locked, gone| WorkTree {
        path: path.into(),
        branch: branch.map(RefName::of_branch),
        locked,
        gone,
    };
    assert_eq!(
        parse_work_trees(text).unwrap(),
        [
            tree("/a b", Some("main"), false, false),
            tree("/c\nd", None, true, false),
            tree("/e", Some("x"), true, true),
            tree("/f", None, false, false),
        ]
    );
    let odd = parse_work_trees(b"worktree /a\0branch main\0").unwrap_err();
    insta::assert_snapshot!(odd, @"`git worktree list` gave an unexpected answer: main");
}

#[test]
fn a_branch_is_held_by_the_work_tree_that_has_it_or_will_come_back_to_it() {
    let repository = ScratchRepository::with_files(&["a"]);
    let git = &repository.git;
    let first = repository.find_commit("HEAD");
    let names = ["checked", "rebased", "stacked", "bisected", "gone"];
    for name in names.into_iter().chain(["free"]) {
        git.create_branch(&RefName::of_branch(name), &first)
            .unwrap();
    }
    for name in names {
        git.add_work_tree(&repository.beside(name), &RefName::of_branch(name))
            .unwrap();
    }
    let leave = |name: &str, file: &str, text: &str| {
        let own = git.at_folder(&repository.beside(name));
        own.run_for_text(&["switch", "--quiet", "--detach"])
            .unwrap();
        let folder = own.read_surroundings().unwrap().git_folder;
        fs::create_dir_all(folder.join(file).parent().unwrap()).unwrap();
        fs::write(folder.join(file), text).unwrap();
    };
    leave("rebased", "rebase-merge/head-name", "refs/heads/rebased\n");
    let stack = "refs/heads/other\n0\n0\nrefs/heads/stacked\n0\n0\n";
    leave("stacked", "rebase-merge/update-refs", stack);
    leave("bisected", "BISECT_START", "bisected\n");
    fs::remove_dir_all(repository.beside("gone")).unwrap();
    let holder = |branch: &RefName| {
        let found = git.find_branch_holder(branch).unwrap();
        found.map_or("nobody".to_owned(), |held| {
            format!(
                "{} in {}",
                held.how,
                held.root.file_name().unwrap().display()
            )
        })
    };
    let branches = names.into_iter().chain(["free", "main"]);
    let told: Vec<String> = branches
        .map(RefName::of_branch)
        .map(|branch| format!("{branch}: {}", holder(&branch)))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    refs/heads/checked: checked out in checked
    refs/heads/rebased: being rebased in rebased
    refs/heads/stacked: being rebased in stacked
    refs/heads/bisected: being bisected in bisected
    refs/heads/gone: nobody
    refs/heads/free: nobody
    refs/heads/main: nobody
    ");
}

#[test]
fn what_only_a_submodule_holds_is_told() {
    let library = ScratchRepository::with_files(&["lib"]);
    let repository = ScratchRepository::with_files(&["a"]);
    let git = &repository.git;
    let url = library.root().to_str().unwrap();
    for name in ["clean", "dirty", "ahead", "stashed", "empty"] {
        let allow = "protocol.file.allow=always";
        repository.run(&["-c", allow, "submodule", "--quiet", "add", url, name]);
    }
    repository.commit("submodules");
    let inside = |name: &str| git.at_folder(&repository.root().join(name));
    repository.write("dirty/lib", "changed");
    repository.write("stashed/lib", "changed");
    inside("stashed")
        .run_for_text(&["stash", "--quiet"])
        .unwrap();
    let empty = ["commit", "--quiet", "--allow-empty", "-m", "own"];
    inside("ahead").run_for_text(&empty).unwrap();
    repository.run(&["submodule", "--quiet", "deinit", "--force", "empty"]);
    let found = git.list_populated_submodules().unwrap().into_iter();
    let told = found.map(|module| format!("{}: {:?}", module.path.display(), module.only_copy));
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r#"
    ahead: Some("commits that no remote has")
    clean: None
    dirty: Some("changes that are not committed")
    stashed: Some("a stash")
    "#);
    let status = show_status(&git.read_status().unwrap());
    assert_eq!(
        status,
        "ahead: 160000 unstaged submodule\ndirty: 160000 unstaged submodule"
    );
    assert_eq!(
        git.find_first_uncommitted().unwrap().as_deref(),
        Some("ahead")
    );
}

#[test]
fn the_surroundings_of_a_folder_are_those_that_git_sees() {
    let repository = ScratchRepository::with_files(&["deep/er/a"]);
    let git = &repository.git;
    let places = git
        .at_folder(&repository.root().join("deep/er"))
        .read_surroundings()
        .unwrap();
    let own = repository.root().join(".git");
    assert_eq!(
        (
            places.root.as_path(),
            &places.git_folder,
            &places.common_folder
        ),
        (repository.root(), &own, &own)
    );
    // A line break in the path.
    let other = repository.beside("line\nbreak");
    git.begin_branch(&RefName::of_branch("run"), &repository.find_commit("HEAD"))
        .unwrap();
    git.add_work_tree(&other, &RefName::of_branch("main"))
        .unwrap();
    let places = git.at_folder(&other).read_surroundings().unwrap();
    assert_eq!((places.root, places.common_folder), (other, own.clone()));
    assert!(places.git_folder.starts_with(own.join("worktrees")));
    let outside = git.at_folder(&repository.beside(""));
    assert!(matches!(
        outside.read_surroundings(),
        Err(GitError::Failed { .. })
    ));
    assert_eq!(outside.find_refused_root(), None);
}
