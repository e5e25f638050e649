//! Several work trees of one repository, and settings that make git look at another folder than the one it stands in.
//!
//! The invariant: one branch is never checked out twice by us, and git's own files are never committed.

use std::path::{Path, PathBuf};

use crate::shown::assert_answer;
use crate::testbed::{Answer, CONFIG, Testbed, finish};

/// The answer with the folders and commits of this case replaced by their names.
fn plain(bed: &Testbed, text: &str) -> String {
    let base = bed.folder.path().canonicalize().unwrap();
    let mut text = text.replace(base.to_str().unwrap(), "");
    for name in ["main", "autoresearch/demo"] {
        let answer = bed.try_git(&["rev-parse", "-q", "--verify", name]);
        if answer.code == 0 {
            let commit = answer.out.trim();
            let word = name.rsplit('/').next().unwrap().to_uppercase();
            text = text.replace(commit, &word).replace(&commit[..7], &word);
        }
    }
    let id = text
        .split("/trees/")
        .nth(1)
        .map(|rest| rest[..12].to_owned());
    id.map_or(text.clone(), |id| text.replace(&id, "ID"))
        .trim_end()
        .to_owned()
}

/// A folder beside the repository.
fn beside(bed: &Testbed, name: &str) -> PathBuf {
    bed.repo.parent().unwrap().join(name)
}

fn git_in(bed: &Testbed, folder: &Path, arguments: &[&str]) -> Answer {
    let folder = folder.to_str().unwrap();
    bed.try_git(&[&["-C", folder], arguments].concat())
}

fn head_of(bed: &Testbed, folder: &Path) -> String {
    let answer = git_in(bed, folder, &["rev-parse", "--symbolic-full-name", "HEAD"]);
    answer.ok().out.trim().to_owned()
}

/// The binary in another folder than the repository's root.
fn run_in(bed: &Testbed, folder: &Path, arguments: &[&str]) -> Answer {
    let mut command = bed.command(arguments);
    command.current_dir(folder);
    finish(command)
}

/// Finishes with a kept trial while `main` is held elsewhere; the text of the answer. HEAD must be detached at `main`, the
/// files those of `main`.
fn finish_without_main(bed: &Testbed) -> String {
    let answer = bed.run(&["finish"]).ok();
    assert_eq!(head_of(bed, &bed.repo), "HEAD", "detached");
    assert_eq!(bed.head(), bed.git(&["rev-parse", "main"]).trim());
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
    assert_eq!(bed.run_commits("autoresearch/demo").len(), 1);
    plain(bed, &answer.out)
}

#[test]
fn finish_leaves_a_branch_to_the_work_tree_that_has_it_checked_out() {
    let bed = Testbed::started(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
    let other = beside(&bed, "other tree");
    bed.git(&["worktree", "add", "-q", other.to_str().unwrap(), "main"]);
    insta::assert_snapshot!(finish_without_main(&bed), @"
    run `demo` ended: user-stop (finished by a person)
    improved: any_count 10 -> 9, 1 trial kept on autoresearch/demo
    claim: a gain of 10 %: a clean checkout of the last commit was measured again
      DEMO experiment: 4 any
    checked out: MAIN without a branch
    main is checked out in /other tree, and git allows a branch in one work tree only: this one is at the same commit without a branch
    left here: branch autoresearch/demo, folder autoresearch-results/demo; `autoresearch clean` lists what can be removed
    next: look at it with `git log -p MAIN..autoresearch/demo`, then `git -C '/other tree' merge autoresearch/demo`; `git branch -D autoresearch/demo` discards it
    ");
    std::fs::write(other.join("theirs"), "x\n").unwrap();
    git_in(&bed, &other, &["add", "theirs"]).ok();
    git_in(&bed, &other, &["commit", "-qm", "theirs"]).ok();
    assert_eq!(
        bed.git(&["status", "--porcelain"]),
        "",
        "nothing shows here"
    );
    git_in(
        &bed,
        &other,
        &["merge", "-q", "--no-edit", "autoresearch/demo"],
    )
    .ok();
}

#[test]
fn finish_leaves_a_branch_to_the_work_tree_that_rebases_or_bisects_it() {
    for (how, begin) in [
        (
            "being rebased",
            vec!["rebase", "-q", "--exec", "false", "--root"],
        ),
        ("being bisected", vec!["bisect", "start", "main", "main~1"]),
    ] {
        let bed = Testbed::new();
        bed.git(&["commit", "-q", "--allow-empty", "-m", "second"]);
        bed.start(CONFIG);
        assert_eq!(bed.try_count(4), "keep");
        let other = beside(&bed, "other");
        bed.git(&["worktree", "add", "-q", other.to_str().unwrap(), "main"]);
        git_in(&bed, &other, &begin);
        if how == "being bisected" {
            git_in(&bed, &other, &["checkout", "-q", "--detach"]).ok();
        }
        assert_eq!(head_of(&bed, &other), "HEAD", "{how}");
        let said = finish_without_main(&bed);
        assert!(said.contains(&format!("main is {how} in ")), "{said}");
    }
}

#[test]
fn finish_goes_back_to_a_branch_whose_other_work_tree_was_deleted_by_hand() {
    let bed = Testbed::started(CONFIG);
    let other = beside(&bed, "other");
    bed.git(&["worktree", "add", "-q", other.to_str().unwrap(), "main"]);
    std::fs::remove_dir_all(&other).unwrap();
    assert_answer!(bed.run(&["finish"]).ok(), @"
    run `demo` ended: user-stop (finished by a person)
    no improvement: any_count 10 -> 10, 0 trials kept on autoresearch/demo
    checked out: main
    left here: branch autoresearch/demo, folder autoresearch-results/demo; `autoresearch clean` lists what can be removed
    next: nothing to merge; `autoresearch log` shows what was tried
    ");
    assert_eq!(head_of(&bed, &bed.repo), "refs/heads/main");
}

#[test]
fn a_run_whose_branch_another_work_tree_took_moves_it_no_further() {
    let bed = Testbed::started(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
    let (other, kept) = (beside(&bed, "other"), bed.head());
    let add = ["worktree", "add", "-q", "--force", other.to_str().unwrap()];
    bed.git(&[&add[..], &["autoresearch/demo"]].concat());
    bed.edit(3);
    let answer = bed.run(&["trial", "-m", "three"]).fails(4);
    insta::assert_snapshot!(plain(&bed, &answer.err), @r"
    error: the branch autoresearch/demo is checked out in another work tree, /other: what is committed here would show there as changes
    hint: nothing was changed. `git -C /other switch --detach` frees it there; then run the command again
    ");
    assert_eq!(bed.run(&["resume"]).fails(4).err, answer.err);
    assert_eq!(bed.head(), kept);
    assert_eq!(
        bed.read("src/a"),
        "any\n".repeat(3),
        "the edit is left alone"
    );
    git_in(&bed, &other, &["switch", "-q", "--detach"]).ok();
    assert_eq!(bed.trial("three")["verdict"], "keep");
    bed.run(&["finish"]).ok();
    assert_eq!(head_of(&bed, &bed.repo), "refs/heads/main");
}

#[test]
fn a_run_in_place_needs_its_branch_for_itself() {
    let bed = Testbed::new();
    let other = beside(&bed, "other");
    let add = ["worktree", "add", "-q", "--force", other.to_str().unwrap()];
    bed.git(&[&add[..], &["main"]].concat());
    let answer = bed.try_start(&format!("{CONFIG}isolation: in-place\n"));
    let answer = answer.fails(4);
    insta::assert_snapshot!(plain(&bed, &answer.err), @r"
    error: the branch main is checked out in another work tree, /other: what is committed here would show there as changes
    hint: nothing was changed. `git -C /other switch --detach` frees it there; then run the command again
    ");
    assert!(!bed.path("autoresearch-results").exists());
    bed.start(&format!("{CONFIG}isolation: branch\n"));
}

#[test]
fn a_start_that_was_cut_short_does_not_take_over_a_branch_that_somebody_made_meanwhile() {
    let bed = Testbed::new();
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    bed.run_with(
        &["start", "--config", file.to_str().unwrap()],
        &[("SEALED_CRASH_AT", "git branch")],
    );
    assert_eq!(head_of(&bed, &bed.repo), "refs/heads/main");
    let theirs = bed.git(&["commit-tree", "-m", "theirs", "HEAD^{tree}"]);
    bed.git(&["branch", "autoresearch/demo", theirs.trim()]);
    assert_answer!(bed.run(&["resume"]).fails(4), @"
    exit code 4
    --- stderr
    error: the run's branch autoresearch/demo was made by somebody else: it is at <commit> and not at <commit>
    hint: nothing was changed. Rename that branch (`git branch -m`), then run the command again
    ");
    assert_eq!(
        bed.git(&["rev-parse", "autoresearch/demo"]),
        theirs,
        "their branch is where it was"
    );
    bed.git(&["branch", "-m", "autoresearch/demo", "theirs"]);
    bed.run(&["resume"]).ok();
    assert_eq!(bed.try_count(4), "keep");
}

#[test]
fn finish_says_what_is_checked_out_in_each_folder() {
    let bed = Testbed::new();
    bed.start(&format!("{CONFIG}isolation: worktree\n"));
    let own = bed.own_tree();
    std::fs::write(own.join("src/a"), "any\n").unwrap();
    run_in(&bed, &own, &["trial", "-m", "one"])
        .ok()
        .says("keep");
    // From the tree itself, which stays as long as somebody stands in it; then from anywhere else.
    insta::assert_snapshot!(plain(&bed, &run_in(&bed, &own, &["finish"]).ok().out), @"
    run `demo` ended: user-stop (finished by a person)
    improved: any_count 10 -> 6, 1 trial kept on autoresearch/demo
    claim: a gain of 40 %: a clean checkout of the last commit was measured again
      DEMO experiment: one
    checked out: autoresearch/demo in /state/trees/ID/autoresearch-demo
    checked out: main in /repo
    the work tree /state/trees/ID/autoresearch-demo stays: this command was called in it; from another folder `autoresearch clean --yes` removes it
    left here: branch autoresearch/demo, work tree /state/trees/ID/autoresearch-demo, folder ../../../../repo/autoresearch-results/demo; `autoresearch clean` lists what can be removed
    next: look at it with `git log -p MAIN..autoresearch/demo`, then `git merge autoresearch/demo`
    ");
    let elsewhere = plain(&bed, &bed.run(&["finish"]).ok().out);
    insta::assert_snapshot!(elsewhere, @"
    run `demo` ended: user-stop (finished by a person)
    improved: any_count 10 -> 6, 1 trial kept on autoresearch/demo
    claim: a gain of 40 %: a clean checkout of the last commit was measured again
      DEMO experiment: one
    checked out: main
    left here: branch autoresearch/demo, folder autoresearch-results/demo; `autoresearch clean` lists what can be removed
    next: look at it with `git log -p MAIN..autoresearch/demo`, then `git merge autoresearch/demo`; `git branch -D autoresearch/demo` discards it
    ");
    assert_eq!(plain(&bed, &bed.run(&["finish"]).ok().out), elsewhere);
    assert_eq!(bed.git(&["worktree", "list"]).lines().count(), 1);

    let bed = Testbed::new();
    bed.start(&format!("{CONFIG}isolation: in-place\n"));
    assert_eq!(bed.try_count(4), "keep");
    let report = bed.run(&["finish", "--json"]).ok().json();
    assert_eq!(
        report["checked_out"],
        serde_json::json!([{"folder": bed.repo, "head": "main", "detached": false}])
    );
}

/// A repository that is a submodule of another, where a tool has switched `extensions.worktreeConfig` on.
fn submodule_with_worktree_config() -> (Testbed, PathBuf) {
    let bed = Testbed::new();
    let above = beside(&bed, "above");
    std::fs::create_dir(&above).unwrap();
    git_in(&bed, &above, &["init", "-q", "-b", "main"]).ok();
    let from = bed.repo.to_str().unwrap();
    let add = ["-c", "protocol.file.allow=always", "submodule", "-q", "add"];
    git_in(&bed, &above, &[&add[..], &[from, "lib"]].concat()).ok();
    git_in(&bed, &above, &["commit", "-qm", "lib"]).ok();
    let lib = above.join("lib");
    git_in(&bed, &lib, &["config", "extensions.worktreeConfig", "true"]).ok();
    (bed, lib)
}

#[test]
fn a_work_tree_in_which_git_sees_another_folder_is_refused_and_taken_away() {
    let (bed, lib) = submodule_with_worktree_config();
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, format!("{CONFIG}isolation: worktree\n")).unwrap();
    let start = ["start", "--config", file.to_str().unwrap()];
    let answer = run_in(&bed, &lib, &start).fails(4);
    insta::assert_snapshot!(plain(&bed, &answer.err), @r#"
    error: in /state/trees/ID/autoresearch-demo git works on the files of /above/.git/modules/lib
    hint: nothing was changed. `git config --show-origin --get-all core.worktree` (and core.bare) says which setting does it. For a submodule with extensions.worktreeConfig, move it to where only one work tree has it: in the submodule `git config --worktree core.worktree "$(git config core.worktree)"`, then `git config --local --unset core.worktree`
    "#);
    assert!(!lib.join("autoresearch-results").exists());
    let list = git_in(&bed, &lib, &["worktree", "list", "--porcelain"]).out;
    assert_eq!(list.matches("worktree ").count(), 1, "{list}");
    let branches = git_in(&bed, &lib, &["branch", "--list", "autoresearch/*"]).out;
    assert_eq!(branches, "");

    // The remedy, as it is said.
    let named = git_in(&bed, &lib, &["config", "core.worktree"]).ok().out;
    git_in(
        &bed,
        &lib,
        &["config", "--worktree", "core.worktree", named.trim()],
    )
    .ok();
    git_in(
        &bed,
        &lib,
        &["config", "--local", "--unset", "core.worktree"],
    )
    .ok();
    run_in(&bed, &lib, &start).ok();
    let trees = git_in(&bed, &lib, &["worktree", "list", "--porcelain"]).out;
    let listed = trees
        .lines()
        .find(|line| line.ends_with("autoresearch-demo"));
    let own = PathBuf::from(listed.unwrap().strip_prefix("worktree ").unwrap());
    std::fs::write(own.join("src/a"), "any\n").unwrap();
    run_in(&bed, &own, &["trial", "-m", "one"])
        .ok()
        .says("keep");
    let files = git_in(&bed, &own, &["show", "--name-only", "--format="]).out;
    assert_eq!(files, "src/a\n");
}

#[test]
fn a_submodule_can_be_the_place_of_a_run_on_a_branch() {
    let (bed, lib) = submodule_with_worktree_config();
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    run_in(&bed, &lib, &["start", "--config", file.to_str().unwrap()]).ok();
    std::fs::write(lib.join("src/a"), "any\n").unwrap();
    run_in(&bed, &lib, &["trial", "-m", "one"])
        .ok()
        .says("keep");
    run_in(&bed, &lib, &["finish"])
        .ok()
        .says("checked out: main");
}

/// What is turned, how, the git folder afterwards, and what is said.
type Turn = (&'static str, fn(&Testbed), &'static str, &'static str);

fn turn_by_worktree(bed: &Testbed) {
    let other = beside(bed, "elsewhere");
    std::fs::create_dir(&other).unwrap();
    bed.git(&["config", "core.worktree", other.to_str().unwrap()]);
}

fn turn_by_bare(bed: &Testbed) {
    bed.git(&["config", "core.bare", "true"]);
}

/// The git folder is a copy of the old one.
fn turn_by_link(bed: &Testbed) {
    let (from, copy) = (bed.path(".git"), beside(bed, "copy.git"));
    let to = copy.to_str().unwrap();
    bed.git(&["clone", "-q", "--bare", from.to_str().unwrap(), to]);
    bed.git(&["--git-dir", to, "config", "core.bare", "false"]);
    std::fs::rename(&from, beside(bed, "kept.git")).unwrap();
    std::fs::write(&from, format!("gitdir: {to}\n")).unwrap();
}

#[test]
fn nothing_is_staged_where_git_is_turned_to_another_folder_during_a_run() {
    let turns: [Turn; 3] = [
        (
            "core.worktree",
            turn_by_worktree,
            "repo/.git",
            "git works on the files of /elsewhere",
        ),
        (
            "core.bare",
            turn_by_bare,
            "repo/.git",
            "is a bare repository",
        ),
        (
            "a file .git",
            turn_by_link,
            "copy.git",
            "the git folder of this work tree is /copy.git now",
        ),
    ];
    for (name, turn, folder, words) in turns {
        let bed = Testbed::started(CONFIG);
        let kept = bed.head();
        bed.edit(3);
        turn(&bed);
        let answer = bed.run(&["trial", "-m", "three"]);
        let said = plain(&bed, &answer.err);
        assert!(said.contains(words) && said.contains("hint: "), "{said}");
        assert!([4, 6].contains(&answer.code), "{name}: {answer:?}");
        assert_eq!(bed.read("src/a"), "any\n".repeat(3), "{name}");
        let folder = beside(&bed, folder);
        let head = ["--git-dir", folder.to_str().unwrap(), "rev-parse", "HEAD"];
        assert_eq!(bed.git(&head).trim(), kept, "{name}");
    }
}

#[test]
fn a_work_tree_that_is_reached_through_a_link_is_the_work_tree() {
    let bed = Testbed::new();
    let link = beside(&bed, "link");
    std::os::unix::fs::symlink(&bed.repo, &link).unwrap();
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    run_in(&bed, &link, &["start", "--config", file.to_str().unwrap()]).ok();
    bed.edit(3);
    run_in(&bed, &link.join("src"), &["trial", "-m", "three"])
        .ok()
        .says("keep");
    run_in(&bed, &link, &["finish"])
        .ok()
        .says("checked out: main");
}
