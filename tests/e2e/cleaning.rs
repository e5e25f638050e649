//! `clean` removes only what a note outside the repository says the tool made, and nothing that is the only copy.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::shown::assert_answer;
use crate::testbed::{Answer, CONFIG, Testbed, finish};

/// Kind, name and reason of each item.
fn listed(answer: &Answer) -> Vec<(String, String, Option<String>)> {
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let items = answer.json()["made"].as_array().unwrap().clone();
    items
        .iter()
        .map(|item| {
            let kind = text(&item["kind"]).unwrap();
            (
                kind,
                text(&item["name"]).unwrap(),
                text(&item["kept_because"]),
            )
        })
        .collect()
}

/// Cleans up; the dry run and the run gave the same list, with the same reasons. Returns what was kept: kind and reason.
#[track_caller]
fn clean(bed: &Testbed) -> Vec<(String, String)> {
    let dry = listed(&bed.run(&["clean", "--json"]));
    let wet = listed(&bed.run(&["clean", "--yes", "--json"]));
    assert_eq!(dry, wet);
    let kept = wet.into_iter();
    kept.filter_map(|(kind, _, reason)| Some((kind, reason?)))
        .collect()
}

/// What was kept, one thing a line, with the reason.
fn show_kept(kept: &[(String, String)]) -> String {
    let lines = kept
        .iter()
        .map(|(kind, reason)| format!("{kind}: {reason}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Was something of this kind kept, for a reason with these words?
#[track_caller]
fn assert_kept(kept: &[(String, String)], kind: &str, words: &str) {
    assert!(
        kept.iter()
            .any(|(which, reason)| which == kind && reason.contains(words)),
        "no {kind} was kept because of `{words}`: {kept:?}"
    );
}

/// Finishes; a work tree of the run's own stays, because the command is called in it.
fn finish_and_keep_the_tree(bed: &Testbed) {
    let mut command = bed.command(&["finish"]);
    let tree = bed.own_tree();
    command.current_dir(if tree.exists() { &tree } else { &bed.repo });
    finish(command).ok();
}

/// A finished run with one kept trial, not merged yet.
fn finished(extra: &str) -> Testbed {
    let bed = Testbed::started(&format!("{CONFIG}{extra}"));
    let folder = bed.own_tree();
    if folder.exists() {
        std::fs::write(folder.join("src/a"), "any\n".repeat(4)).unwrap();
    } else {
        bed.edit(4);
    }
    bed.run(&["trial", "--run", "demo", "-m", "four"]).ok();
    finish_and_keep_the_tree(&bed);
    bed
}

/// The same, merged.
fn merged(extra: &str) -> Testbed {
    let bed = finished(extra);
    bed.git(&["merge", "-q", "autoresearch/demo"]);
    bed
}

fn is_gone(bed: &Testbed) -> bool {
    !bed.run_file("").exists()
        && bed.git(&["branch", "--list", "autoresearch/*"]).is_empty()
        && std::fs::read_dir(bed.state.join("runs")).unwrap().count() == 0
}

/// A folder outside the repository that looks like what a killed start leaves.
fn look_alike(bed: &Testbed) -> PathBuf {
    let folder = bed.home.join("precious/sweep");
    std::fs::create_dir_all(folder.join("trials/0")).unwrap();
    std::fs::write(folder.join("trials/0/verify-1.out"), "data\n").unwrap();
    std::fs::write(folder.join("config.yaml"), "lr: 1\n").unwrap();
    folder
}

#[test]
fn nothing_is_removed_through_a_link_at_any_level() {
    let bed = Testbed::new();
    let folder = look_alike(&bed);
    let is_whole =
        || folder.join("trials/0/verify-1.out").exists() && folder.join("config.yaml").exists();
    symlink(folder.parent().unwrap(), bed.path("autoresearch-results")).unwrap();
    assert_answer!(show_kept(&clean(&bed)), @"folder: <bed>/repo/autoresearch-results is a symbolic link");
    assert!(is_whole());
    std::fs::remove_file(bed.path("autoresearch-results")).unwrap();
    std::fs::create_dir(bed.path("autoresearch-results")).unwrap();
    symlink(&folder, bed.path("autoresearch-results/sweep")).unwrap();
    assert_answer!(show_kept(&clean(&bed)), @"folder: no note outside the repository says that this tool made it");
    assert!(is_whole());
    // In the folder of a run of ours, in place of what was a folder.
    let bed = merged("");
    let folder = look_alike(&bed);
    std::fs::remove_dir_all(bed.run_file("trials/1")).unwrap();
    symlink(&folder, bed.run_file("trials/1")).unwrap();
    assert_answer!(show_kept(&clean(&bed)), @"
    trials: their log, the run's folder, stays
    folder: it holds a file that this tool did not write: autoresearch-results/demo/trials/1; move it out first
    anchor: its folder stays, and the anchor is needed to remove it later
    ");
    assert!(folder.join("config.yaml").exists());
    assert!(bed.run_file("journal.jsonl").exists());
}

#[test]
fn a_folder_or_a_work_tree_or_a_branch_of_the_users_that_looks_like_ours_stays() {
    let bed = Testbed::new();
    let tree = bed.path("autoresearch-results/mine/worktree");
    std::fs::create_dir_all(bed.path("autoresearch-results/mine/trials")).unwrap();
    bed.git(&[
        "worktree",
        "add",
        "-q",
        "-b",
        "autoresearch/mine",
        tree.to_str().unwrap(),
    ]);
    std::fs::write(tree.join("src/new"), "not committed\n").unwrap();
    let elsewhere = bed.home.join("feature");
    bed.git(&[
        "worktree",
        "add",
        "-q",
        "-b",
        "feature",
        elsewhere.to_str().unwrap(),
    ]);
    std::fs::create_dir_all(bed.path("autoresearch-results/zz/trials")).unwrap();
    symlink(&elsewhere, bed.path("autoresearch-results/zz/worktree")).unwrap();
    bed.git(&["update-ref", "refs/autoresearch/mine/interrupted-1", "main"]);
    let kept = clean(&bed);
    assert_answer!(show_kept(&kept), @"
    folder: no note outside the repository says that this tool made it
    folder: no note outside the repository says that this tool made it
    reference: no note outside the repository says that this tool made it; `git update-ref -d refs/autoresearch/mine/interrupted-1` deletes it
    ");
    assert!(tree.join("src/new").exists() && elsewhere.join("src/a").exists());
    assert_eq!(bed.git(&["worktree", "list"]).lines().count(), 3);
    bed.git(&[
        "rev-parse",
        "-q",
        "--verify",
        "refs/heads/autoresearch/mine",
    ]);
    bed.git(&[
        "rev-parse",
        "-q",
        "--verify",
        "refs/autoresearch/mine/interrupted-1",
    ]);
}

#[test]
fn a_run_folder_that_was_renamed_stays_and_so_does_a_folder_that_took_its_place() {
    let bed = merged("");
    std::fs::rename(bed.run_file(""), bed.path("autoresearch-results/kept")).unwrap();
    std::fs::create_dir_all(bed.run_file("trials/3")).unwrap();
    std::fs::write(bed.run_file("trials/3/paper.tex"), "mine\n").unwrap();
    let kept = clean(&bed);
    assert_answer!(show_kept(&kept), @"
    folder: the run's files are not what this tool left
    folder: it holds a file that this tool did not write: autoresearch-results/demo/trials/3/paper.tex; move it out first
    anchor: its folder stays, and the anchor is needed to remove it later
    ");
    assert!(bed.path("autoresearch-results/kept/journal.jsonl").exists());
    assert!(bed.run_file("trials/3/paper.tex").exists());
    assert!(
        bed.vault().join("anchor.json").exists(),
        "the anchor of the renamed one"
    );
}

#[test]
fn a_file_that_was_put_aside_keeps_its_folder_until_somebody_takes_it_out() {
    let bed = Testbed::new();
    bed.write(".gitignore", "*.log\n");
    bed.write("src/conf", "tracked\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "conf"]);
    bed.start(CONFIG);
    std::fs::remove_file(bed.path("src/conf")).unwrap();
    bed.write("src/conf/secret.log", "the only copy\n");
    bed.edit(20);
    assert_eq!(bed.trial("a folder now")["verdict"], "discard");
    bed.run(&["finish"]).ok();
    let aside = bed.run_file("trials/1/aside-1/src/conf/secret.log");
    let kept = clean(&bed);
    assert_answer!(show_kept(&kept), @"
    trials: their log, the run's folder, stays
    folder: it holds the only copy of a file that was moved away: autoresearch-results/demo/trials/1/aside-1/src/conf/secret.log; move it out first
    anchor: its folder stays, and the anchor is needed to remove it later
    ");
    assert_eq!(std::fs::read_to_string(&aside).unwrap(), "the only copy\n");
    assert!(bed.run_file("journal.jsonl").exists());
    std::fs::rename(&aside, bed.home.join("secret.log")).unwrap();
    assert_eq!(clean(&bed), []);
    assert!(is_gone(&bed));
}

#[test]
fn a_file_of_the_users_in_a_runs_folder_keeps_it_and_lessons_are_never_removed() {
    for name in [
        "notes.md",
        "trials/1/plot.png",
        "trials/extra/verify-1.out",
        "nested/.git/HEAD",
    ] {
        let bed = merged("");
        let lessons = bed.path("autoresearch-results/lessons.md");
        std::fs::write(&lessons, "# Lessons\n\nby hand\n").unwrap();
        let file = bed.run_file(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "mine\n").unwrap();
        assert_kept(
            &clean(&bed),
            "folder",
            &format!("autoresearch-results/demo/{name}"),
        );
        assert!(
            file.exists() && bed.run_file("journal.jsonl").exists(),
            "{name}"
        );
        std::fs::remove_file(&file).unwrap();
        assert_eq!(clean(&bed), []);
        assert!(is_gone(&bed), "{name}");
        assert!(
            std::fs::read_to_string(&lessons)
                .unwrap()
                .contains("by hand")
        );
    }
}

#[test]
fn the_log_of_a_branch_that_stays_stays_with_it() {
    let bed = finished("");
    let kept = clean(&bed);
    assert_answer!(show_kept(&kept), @"
    branch: 1 kept commit not merged yet; `git branch -D autoresearch/demo` deletes it
    trials: their log, the run's folder, stays
    folder: it is the log of autoresearch/demo, which stays
    anchor: it is the log of autoresearch/demo, which stays, and the anchor is needed to remove it later
    ");
    assert_eq!(bed.story(), ["0 baseline", "1 keep"]);
    bed.git(&["branch", "-qD", "autoresearch/demo"]);
    assert_eq!(clean(&bed), []);
    assert!(is_gone(&bed));
}

#[test]
fn a_merged_branch_stays_while_it_is_checked_out_or_was_moved() {
    let bed = merged("");
    bed.git(&["switch", "-q", "autoresearch/demo"]);
    assert_answer!(show_kept(&clean(&bed)), @"
    branch: it is checked out in <bed>/repo
    trials: their log, the run's folder, stays
    folder: it is the log of autoresearch/demo, which stays
    anchor: it is the log of autoresearch/demo, which stays, and the anchor is needed to remove it later
    ");
    bed.git(&["commit", "-q", "--allow-empty", "-m", "mine"]);
    bed.git(&["switch", "-q", "main"]);
    assert_answer!(show_kept(&clean(&bed)), @"
    branch: it names <commit> and not <commit>, where the run left it; `git branch -D autoresearch/demo` deletes it
    trials: their log, the run's folder, stays
    folder: it is the log of autoresearch/demo, which stays
    anchor: it is the log of autoresearch/demo, which stays, and the anchor is needed to remove it later
    ");
    bed.git(&["branch", "-qf", "autoresearch/demo", "HEAD"]);
    bed.git(&["rev-parse", "-q", "--verify", "autoresearch/demo"]);
    let tree = bed.home.join("tree");
    bed.git(&[
        "worktree",
        "add",
        "-q",
        tree.to_str().unwrap(),
        "autoresearch/demo",
    ]);
    assert_answer!(show_kept(&clean(&bed)), @"
    branch: it is checked out in <bed>/home/tree
    trials: their log, the run's folder, stays
    folder: it is the log of autoresearch/demo, which stays
    anchor: it is the log of autoresearch/demo, which stays, and the anchor is needed to remove it later
    ");
    bed.git(&["worktree", "remove", tree.to_str().unwrap()]);
    assert_eq!(clean(&bed), []);
    assert!(is_gone(&bed));
}

#[test]
fn a_reference_that_the_run_did_not_make_stays() {
    let bed = merged("");
    let name = "refs/autoresearch/demo/mine";
    bed.git(&["update-ref", name, "main"]);
    for _ in 0..2 {
        assert_kept(&clean(&bed), "reference", "no note outside the repository");
    }
    bed.git(&["rev-parse", "-q", "--verify", name]);
    assert!(!bed.run_file("").exists());
}

/// Thirty lines, of which these are other than their number.
fn thirty(others: &[(usize, &str)]) -> String {
    let line = |number: usize| {
        let other = others.iter().find(|(at, _)| *at == number);
        other.map_or_else(|| format!("{number}\n"), |(_, text)| format!("{text}\n"))
    };
    (1..=30).map(line).collect()
}

/// A finished run with two kept trials, in two files.
fn two_kept() -> Testbed {
    let bed = Testbed::new();
    bed.write("src/long", &thirty(&[(2, "any")]));
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "long"]);
    bed.start(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
    bed.write("src/long", &thirty(&[(2, "none")]));
    assert_eq!(bed.trial("none in long")["verdict"], "keep");
    bed.run(&["finish"]).ok();
    bed
}

fn squash(bed: &Testbed) {
    bed.git(&["merge", "-q", "--squash", "autoresearch/demo"]);
    bed.git(&["commit", "-qm", "squashed"]);
}

#[test]
fn content_that_came_by_a_squash_a_rebase_or_picks_is_known_as_merged() {
    let ways: [fn(&Testbed); 4] = [
        squash,
        |bed| {
            // Others went on before and after.
            bed.write("other/notes.md", "before\n");
            bed.git(&["commit", "-qam", "before"]);
            squash(bed);
            bed.write("src/a", "any\nand more\n");
            bed.git(&["commit", "-qam", "after"]);
        },
        |bed| {
            // The same patch on a file that had moved on.
            bed.write("src/long", &thirty(&[(2, "any"), (28, "others")]));
            bed.git(&["commit", "-qam", "more"]);
            squash(bed);
        },
        |bed| {
            bed.write("other/notes.md", "before\n");
            bed.git(&["commit", "-qam", "before"]);
            bed.git(&["cherry-pick", "main~1..autoresearch/demo"]);
        },
    ];
    for (number, merge) in ways.iter().enumerate() {
        let bed = two_kept();
        merge(&bed);
        let answer = bed.run(&["finish", "--json"]).ok().json();
        assert!(answer["merge"].is_null(), "{number}: {answer}");
        assert!(
            answer["next"]
                .as_str()
                .unwrap()
                .contains("is in main already"),
            "{number}: {answer}"
        );
        assert_eq!(clean(&bed), [], "{number}");
        assert!(is_gone(&bed), "{number}");
    }
}

#[test]
fn half_of_a_branch_or_a_merge_that_changed_it_is_not_taken_for_all_of_it() {
    let ways: [fn(&Testbed); 2] = [
        |bed| drop(bed.git(&["cherry-pick", "autoresearch/demo~1"])),
        |bed| {
            bed.git(&["merge", "-q", "--squash", "autoresearch/demo"]);
            bed.write("src/long", &thirty(&[(2, "nothing")]));
            bed.git(&["commit", "-qam", "not quite"]);
        },
    ];
    for merge in ways {
        let bed = two_kept();
        merge(&bed);
        let kept = clean(&bed);
        assert_kept(&kept, "branch", "2 kept commits not merged yet");
        assert_kept(&kept, "folder", "which stays");
        assert!(!bed.run(&["finish", "--json"]).ok().json()["merge"].is_null());
    }
}

/// Every reason for which a work tree stays, in a merged run.
#[track_caller]
fn work_tree_stays(make: impl FnOnce(&Testbed, &Path), words: &str) {
    let bed = merged("isolation: worktree\n");
    let tree = bed.own_tree();
    make(&bed, &tree);
    for _ in 0..2 {
        let kept = clean(&bed);
        assert_kept(&kept, "worktree", words);
        assert_kept(&kept, "branch", "its work tree stays");
        assert_kept(&kept, "folder", "its work tree stays");
        assert_kept(&kept, "anchor", "needed to remove it later");
    }
    assert!(tree.join("src/a").exists(), "{words}");
}

fn git_at(bed: &Testbed, tree: &Path, arguments: &[&str]) {
    bed.git(&[&["-C", tree.to_str().unwrap()][..], arguments].concat());
}

#[test]
fn a_work_tree_stays_with_what_is_not_committed_in_it_with_a_lock_and_on_another_branch() {
    let words = "files that are not committed (src/a)";
    work_tree_stays(
        |_, tree| std::fs::write(tree.join("src/a"), "mine\n").unwrap(),
        words,
    );
    let words = "files that are not committed (new)";
    work_tree_stays(
        |_, tree| std::fs::write(tree.join("new"), "mine\n").unwrap(),
        words,
    );
    work_tree_stays(
        |bed, tree| drop(bed.git(&["worktree", "lock", tree.to_str().unwrap()])),
        "git worktree unlock",
    );
    work_tree_stays(
        |bed, tree| git_at(bed, tree, &["switch", "-qc", "mine"]),
        "another branch than the run's is checked out in it",
    );
}

#[test]
fn a_work_tree_stays_with_a_repository_of_its_own_that_git_ignores() {
    work_tree_stays(
        |bed, tree| {
            let exclude = bed.path(".git/info/exclude");
            std::fs::create_dir_all(exclude.parent().unwrap()).unwrap();
            std::fs::write(exclude, "vendored/\n").unwrap();
            let nested = tree.join("vendored/lib");
            std::fs::create_dir_all(&nested).unwrap();
            git_at(bed, &nested, &["init", "-q"]);
            git_at(
                bed,
                &nested,
                &["commit", "-q", "--allow-empty", "-m", "only here"],
            );
        },
        "it contains another repository: vendored/lib",
    );
}

/// What somebody does in a folder of a testbed.
type Way = fn(&Testbed, &Path);

/// A run whose work tree has a submodule with its files in it, merged.
fn with_a_submodule() -> Testbed {
    let bed = Testbed::new();
    let library = bed.home.join("library");
    std::fs::create_dir(&library).unwrap();
    git_at(&bed, &library, &["init", "-q", "-b", "main"]);
    std::fs::write(library.join("l"), "l\n").unwrap();
    git_at(&bed, &library, &["add", "l"]);
    git_at(&bed, &library, &["commit", "-qm", "l"]);
    let allow = ["-c", "protocol.file.allow=always"];
    let add = [
        "submodule",
        "--quiet",
        "add",
        library.to_str().unwrap(),
        "vendor",
    ];
    bed.git(&[&allow[..], &add].concat());
    bed.git(&["commit", "-qm", "vendor"]);
    bed.start(&format!("{CONFIG}isolation: worktree\n"));
    let tree = bed.own_tree();
    std::fs::write(tree.join("src/a"), "any\n").unwrap();
    bed.run(&["trial", "--run", "demo", "-m", "one"]).ok();
    finish_and_keep_the_tree(&bed);
    bed.git(&["merge", "-q", "autoresearch/demo"]);
    let update = ["submodule", "--quiet", "update", "--init"];
    git_at(&bed, &tree, &[&allow[..], &update].concat());
    assert!(tree.join("vendor/l").exists());
    bed
}

#[test]
fn a_work_tree_with_a_populated_submodule_is_removed_whole() {
    let bed = with_a_submodule();
    assert_eq!(clean(&bed), []);
    assert!(is_gone(&bed));
    assert_eq!(bed.git(&["worktree", "list"]).lines().count(), 1);
    assert!(bed.path("vendor/l").exists(), "the user's own is as it was");
    bed.git(&["submodule", "status"]);
}

#[test]
fn a_work_tree_stays_with_what_only_its_submodule_has() {
    let ways: [(Way, &str); 3] = [
        (
            |bed, vendor| {
                git_at(bed, vendor, &["switch", "-qc", "mine"]);
                git_at(
                    bed,
                    vendor,
                    &["commit", "-q", "--allow-empty", "-m", "only here"],
                );
                git_at(bed, vendor, &["switch", "-q", "--detach", "HEAD~1"]);
            },
            "its submodule vendor holds commits that no remote has",
        ),
        (
            |bed, vendor| {
                std::fs::write(vendor.join("l"), "changed\n").unwrap();
                git_at(bed, vendor, &["stash", "-q"]);
            },
            "its submodule vendor holds a stash",
        ),
        (
            |_, vendor| std::fs::write(vendor.join("l"), "changed\n").unwrap(),
            "files that are not committed (vendor)",
        ),
    ];
    for (make, words) in ways {
        let bed = with_a_submodule();
        let vendor = bed.own_tree().join("vendor");
        make(&bed, &vendor);
        for _ in 0..2 {
            let kept = clean(&bed);
            assert_kept(&kept, "worktree", words);
            assert_kept(&kept, "anchor", "needed to remove it later");
        }
        assert!(vendor.join("l").exists(), "{words}");
        bed.git(&["rev-parse", "-q", "--verify", "autoresearch/demo"]);
    }
}

#[test]
fn what_a_killed_start_left_goes_but_for_what_somebody_put_there_since() {
    for extra in ["", "isolation: worktree\n"] {
        let bed = Testbed::new();
        let file = bed.home.join("config.yaml");
        std::fs::write(&file, format!("{CONFIG}{extra}")).unwrap();
        let start = ["start", "--config", file.to_str().unwrap()];
        let crashed = bed.run_with(&start, &[("SEALED_CRASH_AT", "anchor start")]);
        assert_eq!(crashed.code, -1, "{crashed:?}");
        let mine = if extra.is_empty() {
            bed.run_file("notes.md")
        } else {
            bed.own_tree().join("new")
        };
        std::fs::write(&mine, "mine\n").unwrap();
        assert_kept(&clean(&bed), "anchor", "needed to remove it later");
        assert!(mine.exists(), "{extra}");
        std::fs::remove_file(&mine).unwrap();
        assert_eq!(clean(&bed), []);
        assert!(is_gone(&bed), "{extra}");
    }
}

#[test]
fn a_folder_that_took_the_place_of_a_killed_starts_folder_stays() {
    let bed = Testbed::new();
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    let start = ["start", "--config", file.to_str().unwrap()];
    bed.run_with(&start, &[("SEALED_CRASH_AT", "anchor start")]);
    let other = bed.path("autoresearch-results/other");
    std::fs::create_dir_all(other.join("trials/0")).unwrap();
    std::fs::write(other.join("trials/0/verify-1.out"), "mine\n").unwrap();
    std::fs::remove_dir_all(bed.run_file("")).unwrap();
    std::fs::rename(&other, bed.run_file("")).unwrap();
    assert_answer!(show_kept(&clean(&bed)), @"
    folder: it is not the folder that the start made
    anchor: its folder stays, and the note is needed to remove it later
    ");
    assert!(bed.run_file("trials/0/verify-1.out").exists());
}

#[test]
fn a_copy_of_a_repository_and_another_repository_touch_nothing_of_this_one() {
    let mut bed = merged("");
    let original = bed.repo.clone();
    let copy = original.with_file_name("copy");
    let mut command = std::process::Command::new("cp");
    command.arg("-a").arg(&original).arg(&copy);
    assert!(command.status().unwrap().success());
    bed.repo.clone_from(&copy);
    assert_kept(&clean(&bed), "folder", "is a copy");
    assert!(bed.vault().join("anchor.json").exists());
    // The original is gone, or its disk is not there: the anchor still names it.
    let away = original.with_file_name("away");
    std::fs::rename(&original, &away).unwrap();
    assert_kept(&clean(&bed), "folder", "its anchor names ");
    assert!(bed.run_file("journal.jsonl").exists());
    std::fs::rename(&away, &original).unwrap();
    // A repository without runs lists no anchor of another one, also where that one's folder is gone.
    std::fs::remove_dir_all(original.join("autoresearch-results")).unwrap();
    let other = Testbed::new();
    bed.repo.clone_from(&other.repo);
    assert_eq!(listed(&bed.run(&["clean", "--yes", "--json"]).ok()), []);
    assert!(bed.vault().join("anchor.json").exists());
}

#[test]
fn a_search_for_a_cause_goes_when_it_has_ended_and_holds_nothing_of_the_users() {
    let bed = Testbed::new();
    bed.run(&["debug", "start", "-m", "it hangs"]).ok();
    bed.run(&["hypothesis", "add", "-m", "a", "--predicts", "b"])
        .ok();
    let words = [
        "experiment",
        "1",
        "lead",
        "-m",
        "x",
        "--command",
        "true",
        "--expect-exit",
        "0",
    ];
    bed.run(&words).ok();
    let folder = bed.path("autoresearch-results/debug-1");
    let open = bed.run(&["clean", "--yes"]).ok();
    assert!(
        open.out.contains("keep: the search `debug-1` is open"),
        "{open:?}"
    );
    bed.run(&["debug", "stop", "-m", "enough"]).ok();
    std::fs::write(folder.join("evidence/mine"), "mine").unwrap();
    let kept = bed.run(&["clean", "--yes"]).ok();
    assert!(
        kept.out.contains(
            "a file that this tool did not write: autoresearch-results/debug-1/evidence/mine"
        ),
        "{kept:?}"
    );
    std::fs::remove_file(folder.join("evidence/mine")).unwrap();
    bed.run(&["clean", "--yes"]).ok().says("removed");
    assert!(!folder.exists());
    assert_eq!(
        std::fs::read_dir(bed.state.join("ledgers"))
            .unwrap()
            .count(),
        0
    );
}
