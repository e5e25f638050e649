//! Owns the tests of git at work in real repositories: what is read of them, staged, committed and moved.
//! Does not test the reading with libgit2; `history` does.
//! Invariant: each test has a repository of its own, and no setting of the machine counts.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use super::scratch::ScratchRepository;
use super::status::{StatusEntry, StatusKind};
use super::{Git, GitError, Hooks, IndexEntry, NewCommit, PrivateIndex, RefusedPath};
use crate::env::sleep_for;
use autoresearch_core::git_names::{CommitId, HeadTarget, RefName, RepoPath};

fn show(path: &RepoPath) -> String {
    path.as_bytes().escape_ascii().to_string()
}

fn show_all(paths: &[RepoPath]) -> String {
    paths.iter().map(show).collect::<Vec<_>>().join("\n")
}

fn to_paths<const N: usize>(names: [&str; N]) -> Vec<RepoPath> {
    names.map(RepoPath::new).into()
}

pub(super) fn show_status(entries: &[StatusEntry]) -> String {
    let shown = entries.iter().map(|entry| {
        let kind = match &entry.kind {
            StatusKind::Tracked(change) => {
                let mut words = vec![change.head.0.as_str()];
                words.extend(change.staged.then_some("staged"));
                words.extend(change.unstaged.then_some("unstaged"));
                words.extend(change.submodule.then_some("submodule"));
                words.join(" ")
            }
            kind => format!("{kind:?}"),
        };
        format!("{}: {kind}", show(&entry.path))
    });
    shown.collect::<Vec<_>>().join("\n")
}

#[test]
fn status_names_every_path_that_differs_byte_by_byte_and_a_rename_twice() {
    let repository =
        ScratchRepository::with_files(&["a b", "gone", "old", "same", "staged", "tool"]);
    repository.write(".gitignore", "*.log\nout/\n");
    repository.commit("ignore");
    for (name, text) in [
        ("a b", "changed"),
        ("staged", "once"),
        ("new\nline", ""),
        ("folder/new", ""),
        ("x.log", ""),
        ("out/deep/y", ""),
    ] {
        repository.write(name, text);
    }
    repository.write(Path::new(OsStr::from_bytes(b"bad\xff")), "");
    repository.run(&["add", "staged"]);
    repository.write("staged", "twice");
    repository.run(&["mv", "old", "renamed"]);
    repository.run(&["update-index", "--chmod=+x", "tool"]);
    fs::remove_file(repository.root().join("gone")).unwrap();
    fs::create_dir(repository.root().join("nested")).unwrap();
    repository
        .git
        .at_folder(&repository.root().join("nested"))
        .init_repository()
        .unwrap();
    let all = repository.git.read_status_with_ignored().unwrap();
    insta::assert_snapshot!(show_status(&all), @r"
    a b: 100644 unstaged
    gone: 100644 unstaged
    old: 100644 staged
    renamed: 000000 staged
    staged: 100644 staged unstaged
    tool: 100644 staged unstaged
    bad\xff: Untracked
    folder/new: Untracked
    nested/: NestedRepository
    new\nline: Untracked
    out/: Ignored
    x.log: Ignored
    ");
    let mut seen = repository.git.read_status().unwrap();
    seen.extend(
        all.iter()
            .filter(|entry| entry.kind == StatusKind::Ignored)
            .cloned(),
    );
    assert_eq!(seen, all);
}

#[test]
fn status_tells_what_a_merge_left_unmerged_and_the_merge_can_be_forgotten() {
    let repository = ScratchRepository::with_files(&["a", "b"]);
    repository.run(&["branch", "other"]);
    repository.write("a", "ours");
    repository.commit("ours");
    repository.run(&["switch", "--quiet", "other"]);
    repository.write("a", "theirs");
    repository.commit("theirs");
    repository.git.run_for_text(&["merge", "main"]).unwrap_err();
    let status = || show_status(&repository.git.read_status().unwrap());
    assert_eq!(status(), "a: Unmerged");
    let merged = repository.read("a");
    repository.git.quit_operation("merge").unwrap();
    assert!(!repository.root().join(".git/MERGE_HEAD").exists());
    assert_eq!(repository.read("a"), merged);
    repository.run(&["reset", "--quiet", "--hard"]);
    repository.run(&["bisect", "start"]);
    let log = repository.root().join(".git/BISECT_LOG");
    assert!(log.exists());
    repository.git.quit_operation("bisect").unwrap();
    assert!(!log.exists());
}

#[test]
fn folders_are_ignored_by_their_names_and_not_because_all_of_their_files_are() {
    let repository = ScratchRepository::with_files(&["src/a"]);
    assert_eq!(
        repository.git.list_ignored_folders().unwrap(),
        Vec::<String>::new()
    );
    repository.write(".gitignore", "*.log\nout/\n/[[]x]/\n");
    for name in ["logs/a.log", "out/a", "src/out/a", "[x]/a", "x/a"] {
        repository.write(name, "");
    }
    assert_eq!(
        repository.git.list_ignored_folders().unwrap(),
        ["[x]", "out", "src/out"]
    );
}

#[test]
fn files_are_listed_modified_and_restored_by_their_literal_names() {
    let repository = ScratchRepository::with_files(&["*", "a", "d/b", "d/c"]);
    let git = &repository.git;
    repository.write(".git/info/exclude", "hidden\n");
    repository.write("hidden", "");
    repository.write("new", "");
    assert_eq!(show_all(&git.list_files().unwrap()), "new\n*\na\nd/b\nd/c");
    assert_eq!(show_all(&git.list_tracked_below("d").unwrap()), "d/b\nd/c");
    assert_eq!(show_all(&git.list_tracked_below("*").unwrap()), "*");
    let all = to_paths(["*", "a", "d/b", "new"]);
    assert_eq!(show_all(&git.list_modified(&all).unwrap()), "");
    for name in ["*", "a"] {
        repository.write(name, "changed");
    }
    fs::remove_file(repository.root().join("d/b")).unwrap();
    assert_eq!(
        show_all(&git.list_modified(&all).unwrap()),
        "*\na\nd/b\nd/b"
    );
    assert_eq!(show_all(&git.list_modified(&to_paths(["*"])).unwrap()), "*");
    git.restore_from_index(&to_paths(["*", "d/b"])).unwrap();
    assert_eq!(
        ["*", "a", "d/b"].map(|name| repository.read(name)),
        ["*\n", "changed", "d/b\n"]
    );
    git.refresh_index(&to_paths(["*", "a", "d/b", "d", "absent"]));
    assert_eq!(
        show_status(&git.read_status().unwrap()),
        "a: 100644 unstaged\nnew: Untracked"
    );
    assert_eq!(
        git.read_checked_out(&repository.find_commit("HEAD"), &RepoPath::new(b"a"))
            .unwrap(),
        b"a\n"
    );
    assert!(
        git.read_checked_out(&repository.find_commit("HEAD"), &RepoPath::new(b"new"))
            .is_err()
    );
}

#[test]
fn a_checkout_and_large_files_follow_the_attributes() {
    let repository = ScratchRepository::init();
    repository.write(".gitattributes", "*.txt eol=crlf\n*.bin filter=lfs\n");
    repository.write("a.txt", "one\r\ntwo\r\n");
    repository.commit("first");
    let git = &repository.git;
    assert_eq!(
        git.read_checked_out(&repository.find_commit("HEAD"), &RepoPath::new(b"a.txt"))
            .unwrap(),
        b"one\r\ntwo\r\n"
    );
    assert_eq!(
        repository.run(&["cat-file", "blob", "HEAD:a.txt"]),
        "one\ntwo"
    );
    assert!(
        git.is_large_file(&RepoPath::new(b"x/y.bin")).unwrap()
            && !git.is_large_file(&RepoPath::new(b"a.txt")).unwrap()
    );
}

#[test]
fn what_is_there_is_staged_what_is_gone_is_removed_and_what_git_refuses_is_told() {
    let repository =
        ScratchRepository::with_files(&["changed", "gone", "folder/file", "became/file"]);
    repository.write(".gitattributes", "*.fail filter=fail\n");
    repository.commit("attributes");
    repository.run(&["config", "filter.fail.clean", "echo never >&2; exit 3"]);
    repository.run(&["config", "filter.fail.required", "true"]);
    repository.write("changed", "now");
    repository.write("new", "new");
    repository.write("x.fail", "");
    repository.write("git~1", "");
    for name in ["gone", "folder/file", "became/file"] {
        fs::remove_file(repository.root().join(name)).unwrap();
    }
    for name in ["folder", "became"] {
        fs::remove_dir(repository.root().join(name)).unwrap();
    }
    repository.write("folder", "a file now");
    symlink("/etc", repository.root().join("became")).unwrap();
    let paths = [
        "changed",
        "gone",
        "new",
        "x.fail",
        "folder",
        "folder/file",
        "became",
        "became/file",
        "git~1",
    ];
    let refused = repository.git.stage_paths(&to_paths(paths)).unwrap();
    let told = refused
        .iter()
        .map(|RefusedPath { path, words }| format!("{}: {words}", show(path)));
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @"
    x.fail: never
    git~1: git does not take a file of this name
    ");
    insta::assert_snapshot!(repository.run(&["diff", "--cached", "--name-status", "--no-renames"]), @"
    A	became
    D	became/file
    M	changed
    A	folder
    D	folder/file
    D	gone
    A	new
    ");
}

fn new_commit<'a>(parent: &'a CommitId, scratch: &'a Path) -> NewCommit<'a> {
    NewCommit {
        parent,
        message: "experiment: faster\n\nRun: fast\nTrial: 1\n",
        scratch,
        date: "1700000000 +0000",
    }
}

#[test]
fn a_commit_holds_the_given_paths_alone_and_what_was_staged_elsewhere_stays_staged() {
    let repository = ScratchRepository::with_files(&["ours", "theirs", "moved"]);
    let git = &repository.git;
    let parent = repository.find_commit("HEAD");
    let index = PrivateIndex::new(git, &repository.beside("index"));
    index.prepare(&parent, 0).unwrap();
    for name in ["theirs", "added"] {
        repository.write(name, "staged by the user");
    }
    repository.run(&["add", "theirs", "added"]);
    repository.run(&["rm", "--quiet", "--cached", "moved"]);
    repository.write("ours", "edited");
    let ours = to_paths(["ours"]);
    index.git().stage_paths(&ours).unwrap();
    let scratch = repository.beside("scratch");
    fs::create_dir(&scratch).unwrap();
    let new = new_commit(&parent, &scratch);
    let tree = index.git().write_index_tree(&new, Hooks::Bypass).unwrap();
    let commit = git.commit_tree(&tree, &new, Hooks::Bypass).unwrap();
    assert_eq!(
        repository.run(&["diff", "--name-status", parent.as_str(), commit.as_str()]),
        "M\tours"
    );
    index.expect_update(&ours).unwrap();
    git.move_head(&parent, &commit, "trial").unwrap();
    index.note_head(&commit).unwrap();
    index.update_users(&ours, &commit).unwrap();
    assert!(!index.is_update_pending());
    assert!(
        git.move_head(&parent, &commit, "again").is_err(),
        "HEAD has moved"
    );
    insta::assert_snapshot!(show_status(&git.read_status().unwrap()), @"
    added: 000000 staged
    moved: 100644 staged
    theirs: 100644 staged
    moved: Untracked
    ");
    let form = "--format=%an <%ae>%n%cn <%ce>%n%at %ct%n%B";
    insta::assert_snapshot!(repository.run(&["log", "-1", form]), @"
    A U Thor <author@example.org>
    C O Mitter <committer@example.org>
    1700000000 1700000000
    experiment: faster

    Run: fast
    Trial: 1
    ");
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0);
}

#[test]
fn hooks_of_the_repository_see_a_commit_only_where_they_are_asked_and_may_refuse_it() {
    let repository = ScratchRepository::with_files(&["a"]);
    let git = &repository.git;
    let (parent, scratch) = (repository.find_commit("HEAD"), repository.beside("scratch"));
    fs::create_dir(&scratch).unwrap();
    fs::write(scratch.join("index.lock"), "left by a git that was killed").unwrap();
    let new = new_commit(&parent, &scratch);
    let make = |hooks| {
        let tree = git.write_index_tree(&new, hooks)?;
        let commit = git.commit_tree(&tree, &new, hooks)?;
        Ok::<String, GitError>(repository.run(&["log", "-1", "--format=%B", commit.as_str()]))
    };
    let hook = |name: &str, script: &str| {
        let folder = repository.root().join(".git/hooks");
        fs::create_dir_all(&folder).unwrap();
        // The shell that a script names reads it, so that nobody waits for a file that is still being written.
        fs::write(folder.join("script"), script).unwrap();
        let linked = folder.join(name);
        let _ = fs::remove_file(&linked);
        fs::write(&linked, "#!/bin/sh\n. \"$(dirname \"$0\")/script\"\n").unwrap();
        repository.run(&["config", "core.hooksPath", ".git/hooks"]);
        let rights = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&linked, rights).unwrap();
        linked
    };
    assert_eq!(make(Hooks::Run).unwrap(), make(Hooks::Bypass).unwrap());
    let linked = hook(
        "commit-msg",
        "sed -i.bak '1s/$/ [T-1]/' \"$1\"; echo 'Signed-off-by: A <a@b>' >> \"$1\"",
    );
    insta::assert_snapshot!(make(Hooks::Run).unwrap(), @"
    experiment: faster [T-1]

    Run: fast
    Trial: 1
    Signed-off-by: A <a@b>
    ");
    assert!(!make(Hooks::Bypass).unwrap().contains("T-1"));
    hook("commit-msg", ": > \"$1\"");
    insta::assert_snapshot!(make(Hooks::Run).unwrap_err(), @"the commit-msg hook refused the commit: it left no message");
    fs::remove_file(linked).unwrap();
    hook("pre-commit", "echo 'line 3 is too long' >&2; exit 1");
    insta::assert_snapshot!(make(Hooks::Run).unwrap_err(), @"the pre-commit hook refused the commit: line 3 is too long");
    make(Hooks::Bypass).unwrap();
}

#[test]
fn an_identity_is_lent_only_where_git_knows_none() {
    let mut repository = ScratchRepository::with_files(&["a"]);
    repository.run(&["config", "user.useConfigOnly", "true"]);
    let ident = |git: &Git| {
        let roles = ["GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"];
        roles.map(|role| {
            let known = git.run_for_text(&["var", role]);
            known.map_or("unknown".to_owned(), |who| {
                who.split('>').next().unwrap().to_owned() + ">"
            })
        })
    };
    let (author, own) = (
        "A U Thor <author@example.org>",
        "autoresearch <autoresearch@localhost>",
    );
    let committer = "C O Mitter <committer@example.org>";
    let git = &mut repository.git;
    assert!(git.knows_identity());
    git.lend_identity();
    assert_eq!(ident(git), [author, committer]);
    git.env.retain(|(name, _)| name != "GIT_COMMITTER_EMAIL");
    assert_eq!(ident(git), [author, "unknown"]);
    assert!(!git.knows_identity());
    git.lend_identity();
    assert_eq!(ident(git), [author, own]);
    git.take_own_identity();
    assert_eq!(ident(git), [own, own]);
}

#[test]
fn a_reference_moves_only_from_where_the_caller_says_it_is() {
    let repository = ScratchRepository::with_files(&["a"]);
    let git = &repository.git;
    let first = repository.find_commit("HEAD");
    let second = repository.commit("second");
    let branch = &RefName::of_trials("fast");
    let trial = &RefName::of_run("fast", "1");
    let list = || repository.run(&["for-each-ref", "--format=%(refname) %(subject)"]);
    git.create_branch(branch, &first).unwrap();
    assert!(git.create_branch(branch, &second).is_err(), "it exists");
    git.set_reference(trial, &second).unwrap();
    insta::assert_snapshot!(list(), @"
    refs/autoresearch/fast/1 second
    refs/heads/autoresearch/fast first
    refs/heads/main second
    ");
    assert!(
        git.delete_branch(branch, &second).is_err(),
        "it names another commit"
    );
    git.delete_branch(branch, &first).unwrap();
    git.begin_branch(branch, &second).unwrap();
    git.begin_branch(branch, &second).unwrap();
    assert_eq!(repository.run(&["symbolic-ref", "HEAD"]), branch.as_str());
    git.move_head(&second, &first, "back").unwrap();
    insta::assert_snapshot!(list(), @"
    refs/autoresearch/fast/1 second
    refs/heads/autoresearch/fast first
    refs/heads/main second
    ");
    assert_eq!(repository.find_commit("main"), second);
}

#[test]
fn another_state_is_checked_out_around_what_the_user_changed() {
    let repository = ScratchRepository::with_files(&["a", "b", "c"]);
    let git = &repository.git;
    let first = repository.find_commit("HEAD");
    repository.write("a", "new");
    repository.write("d", "new");
    let second = repository.commit("second");
    repository.write("b", "unstaged");
    repository.write("c", "staged");
    repository.run(&["add", "c"]);
    let files = || ["a", "b", "c"].map(|name| repository.read(name));
    let detached = HeadTarget::Commit(first.clone());
    git.check_out(&second, &first, &detached).unwrap();
    assert_eq!(files(), ["a\n", "unstaged", "staged"]);
    assert!(!repository.root().join("d").exists());
    assert_eq!(
        repository.run(&["rev-parse", "--abbrev-ref", "HEAD"]),
        "HEAD",
        "detached"
    );
    let main = HeadTarget::Branch(RefName::of_branch("main"));
    git.check_out(&first, &second, &main).unwrap();
    assert_eq!(files(), ["new", "unstaged", "staged"]);
    let status = || show_status(&git.read_status().unwrap());
    assert_eq!(status(), "b: 100644 unstaged\nc: 100644 staged");
    repository.write("a", "the user's");
    assert!(git.move_tree(&second, &first).is_err(), "it would be lost");
    assert_eq!(files(), ["the user's", "unstaged", "staged"]);
    git.point_head(&RefName::of_branch("other"), &first)
        .unwrap();
    assert_eq!(
        repository.run(&["symbolic-ref", "HEAD"]),
        "refs/heads/other"
    );
    insta::assert_snapshot!(status(), @"
    a: 100644 unstaged
    b: 100644 unstaged
    c: 100644 unstaged
    d: Untracked
    ");
    assert_eq!(files(), ["the user's", "unstaged", "staged"]);
}

#[test]
fn the_first_commit_holds_the_given_paths_or_is_not_made() {
    let repository = ScratchRepository::init();
    for name in ["a", "b", "git~1"] {
        repository.write(name, name);
    }
    let git = &repository.git;
    let refused = git
        .make_first_commit(&to_paths(["a", "git~1"]), "first")
        .unwrap_err();
    insta::assert_snapshot!(refused, @"`git update-index` gave an unexpected answer: git does not take a file of this name");
    git.make_first_commit(&to_paths(["a"]), "first").unwrap();
    assert_eq!(repository.run(&["ls-tree", "--name-only", "main"]), "a");
    assert_eq!(
        show_status(&git.read_status().unwrap()),
        "b: Untracked\ngit~1: Untracked"
    );
}

#[test]
fn rules_are_the_settings_lists_and_flags_that_count_and_a_filter_can_be_disarmed() {
    let mut repository = ScratchRepository::with_files(&["a", "b", "c", "d.x"]);
    for (key, value) in [
        ("core.excludesFile", "~/ignored"),
        ("core.attributesFile", "lists/attributes"),
        ("filter.a=b.clean", "sed s/x/y/"),
        ("filter.a=b.required", "true"),
        ("user.name", "not a rule"),
    ] {
        repository.run(&["config", key, value]);
    }
    repository.run(&["update-index", "--skip-worktree", "a"]);
    repository.run(&["update-index", "--assume-unchanged", "b"]);
    let git = &repository.git;
    let mut settings = git.read_settings().unwrap();
    settings.remove("core.precomposeunicode");
    let told: Vec<String> = settings
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    core.attributesfile=lists/attributes
    core.bare=false
    core.excludesfile=~/ignored
    core.filemode=true
    core.ignorecase=false
    filter.a=b.clean=sed s/x/y/
    filter.a=b.required=true
    ");
    let flagged = git.list_flagged().unwrap().into_iter();
    let flagged: Vec<_> = flagged
        .map(|found| format!("{} {}", found.flag, show(&found.path)))
        .collect();
    assert_eq!(flagged, ["skip-worktree a", "assume-unchanged b"]);
    let common = repository.root().join(".git");
    let lists = git.rule_lists(&settings, &common).into_iter();
    let base = repository.beside("").display().to_string();
    let lists: Vec<_> = lists
        .map(|path| path.display().to_string().replace(&base, ""))
        .collect();
    insta::assert_snapshot!(lists.join("\n"), @"
    repo/.git/info/exclude
    repo/.git/info/attributes
    repo/.git/info/grafts
    repo/.git/shallow
    ignored
    repo/lists/attributes
    ");
    repository.git.disarm_settings(&[]);
    let keys = ["filter.a=b.clean", "filter.a=b.required"].map(ToOwned::to_owned);
    repository.git.disarm_settings(&keys);
    let settings = repository.git.read_settings().unwrap();
    assert_eq!(keys.map(|key| settings[&key].clone()), ["", "false"]);
}

/// git asks of a submodule by a second git, which follows the settings of the submodule.
#[test]
fn a_status_without_submodules_runs_no_filter_that_one_of_them_names() {
    let repository = ScratchRepository::init();
    let (inner, mark) = (repository.root().join("inner"), repository.beside("ran"));
    let filter = format!("sh -c 'touch {}; cat'", mark.display());
    repository.run(&["init", "-q", "inner"]);
    std::fs::write(inner.join("f"), "one\n").unwrap();
    repository.run(&["-C", "inner", "add", "f"]);
    let person = ["-C", "inner", "-c", "user.name=a", "-c", "user.email=a@b"];
    repository.run(&[&person[..], &["commit", "-qm", "f"]].concat());
    repository.run(&["-C", "inner", "config", "filter.x.clean", &filter]);
    std::fs::write(inner.join(".gitattributes"), "* filter=x\n").unwrap();
    repository.run(&["add", "inner"]);
    std::fs::write(inner.join("f"), "two\n").unwrap();
    repository.git.read_own_status().unwrap();
    assert!(!mark.exists());
    // What it is for: the other one does.
    repository.git.read_status().unwrap();
    assert!(mark.exists());
}

#[test]
fn a_setting_is_on_as_the_user_has_it_and_not_as_we_call_git() {
    let repository = ScratchRepository::init();
    let git = &repository.git;
    assert!(git.tells_case());
    for (value, is_on) in [("true", true), ("yes", true), ("1", true), ("false", false)] {
        repository.run(&["config", "core.ignoreCase", value]);
        assert_eq!(git.is_setting_on("core.ignoreCase"), is_on, "{value}");
    }
    assert!(!git.is_setting_on("core.sparseCheckout"));
}

#[test]
fn a_git_that_is_absent_or_says_something_else_is_told_from_one_that_fails() {
    let repository = ScratchRepository::init();
    let git = &repository.git;
    let ((major, _), text) = git.read_version().unwrap();
    assert!(major >= 2 && text.starts_with(&major.to_string()), "{text}");
    let of = |program: &str| Git::new(Path::new(program), Path::new("/"), &[]).read_version();
    insta::assert_snapshot!(of("/absent/git").unwrap_err(), @"could not start /absent/git");
    insta::assert_snapshot!(of("/bin/echo").unwrap_err().to_string().split(" gave").next().unwrap(), @"`git --version`");
    let failed = git
        .run_for_text(&["rev-parse", "--verify", "no such thing"])
        .unwrap_err();
    insta::assert_snapshot!(failed.to_string().replace(&repository.beside("").display().to_string(), ""), @"`git rev-parse --verify no such thing` failed in repo: fatal: Needed a single revision");
    assert!(git.time_spent() > Duration::ZERO);
}

#[test]
fn a_lock_that_goes_in_time_is_waited_for_and_nothing_is_lost() {
    let repository = ScratchRepository::with_files(&["a"]);
    let lock = repository.root().join(".git/index.lock");
    fs::write(&lock, "").unwrap();
    repository.write("b", "");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            sleep_for(Duration::from_millis(100));
            fs::remove_file(&lock).unwrap();
        });
        assert_eq!(repository.git.stage_paths(&to_paths(["b"])).unwrap(), []);
    });
    assert_eq!(repository.run(&["ls-files"]), "a\nb");
    fs::write(&lock, "").unwrap();
    repository.write("b", "changed");
    let error = repository.git.stage_paths(&to_paths(["b"])).unwrap_err();
    assert!(
        matches!(&error, GitError::Locked { lock: held } if *held == lock),
        "{error}"
    );
}

#[test]
fn entries_are_listed_with_their_kind_and_leave_the_index_while_the_files_stay() {
    let repository = ScratchRepository::with_files(&["a", "odd \t\"name\"", "src/b"]);
    let link = repository.root().join("link");
    std::os::unix::fs::symlink("a", link).unwrap();
    repository.commit("link");
    let git = &repository.git;
    let all = git.list_index().unwrap();
    let names: Vec<_> = all.iter().map(|entry| entry.path.as_bytes()).collect();
    assert_eq!(names, [&b"a"[..], b"link", b"odd \t\"name\"", b"src/b"]);
    let files: Vec<_> = all.iter().map(IndexEntry::is_file).collect();
    assert_eq!(files, [true, false, true, true]);
    git.drop_from_index(&all[2..]).unwrap();
    assert_eq!(repository.run(&["ls-files"]), "a\nlink");
    assert_eq!(repository.read("src/b"), "src/b\n");
    assert_eq!(git.list_index().unwrap(), all[..2]);
}
