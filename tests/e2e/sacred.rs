//! Nothing of the user's is ever touched.

use std::collections::BTreeMap;

use crate::testbed::{CONFIG, Testbed, wait_until};

/// A repository with 3 modified, 2 untracked and one ignored file, a staged hunk, a stash and a submodule.
fn lived_in() -> Testbed {
    let bed = Testbed::new();
    let module = bed.folder.path().join("module");
    std::fs::create_dir(&module).unwrap();
    let at = module.to_str().unwrap();
    bed.git(&["-C", at, "init", "-q"]);
    std::fs::write(module.join("m"), "module\n").unwrap();
    bed.git(&["-C", at, "add", "m"]);
    bed.git(&["-C", at, "commit", "-qm", "module"]);
    bed.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "add",
        "-q",
        at,
        "libs/module",
    ]);
    for name in [
        "docs/one",
        "docs/two",
        "docs/three",
        "docs/staged",
        "docs/stashed",
    ] {
        bed.write(name, "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    }
    bed.write(".gitignore", "*.log\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "more"]);
    bed.write("docs/stashed", "stash\n");
    bed.git(&["stash", "-q"]);
    for name in ["docs/one", "docs/two", "docs/three"] {
        bed.write(name, "mine\n");
    }
    // One hunk staged, another not, in the same file.
    bed.write("docs/staged", "one\n2\n3\n4\n5\n6\n7\n8\n9\n");
    bed.git(&["add", "docs/staged"]);
    bed.write("docs/staged", "one\n2\n3\n4\n5\n6\n7\n8\nnine\n");
    bed.write("mine.txt", "untracked\n");
    bed.write("docs/also mine.txt", "untracked too\n");
    bed.write("debug.log", "ignored\n");
    bed.write("libs/module/m", "dirty module\n");
    bed
}

/// The fingerprint without the scope, whose files are the run's while it lasts, and without HEAD.
fn theirs(bed: &Testbed) -> BTreeMap<String, String> {
    let mut all = bed.fingerprint();
    all.retain(|name, _| !name.starts_with("src/") && name != "(HEAD)");
    let outside: Vec<String> = all["(index)"]
        .lines()
        .filter(|line| !line.contains("\tsrc/"))
        .map(ToOwned::to_owned)
        .collect();
    all.insert("(index)".to_owned(), outside.join("\n"));
    all.insert(
        "(staged)".to_owned(),
        bed.git(&["diff", "--cached", "--", "docs", "libs"]),
    );
    all.insert(
        "(unstaged)".to_owned(),
        bed.git(&["diff", "--submodule=diff", "--", "docs", "libs"]),
    );
    all
}

fn kill_during_verify(bed: &Testbed) {
    let mark = bed.home.join("slow");
    bed.write("src/slow", &format!("{}\n", mark.display()));
    let mut child = bed.command(&["trial", "-m", "killed"]).spawn().unwrap();
    wait_until("verify runs", || mark.exists());
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_whole_run_with_a_kill_leaves_the_users_files_index_stash_and_submodule_byte_identical() {
    let bed = lived_in();
    bed.write("count.sh", "test -f src/slow && { touch \"$(cat src/slow)\"; sleep 1000; }\ntest -f src/b || exit 9\ncat src/* | grep -c '^any$'\n");
    bed.git(&["add", "count.sh"]);
    bed.git(&["commit", "-qm", "count", "--", "count.sh"]);
    let (whole, before) = (bed.fingerprint(), theirs(&bed));
    bed.start(CONFIG);
    let mut step = 0;
    let mut same = || {
        step += 1;
        assert_eq!(theirs(&bed), before, "after step {step}");
    };
    same();
    assert_eq!(bed.try_count(4), "keep");
    same();
    assert_eq!(bed.try_count(8), "discard");
    same();
    std::fs::remove_file(bed.path("src/b")).unwrap();
    assert_eq!(bed.trial("no b")["verdict"], "crash");
    same();
    kill_during_verify(&bed);
    same();
    bed.run(&["resume"]).ok().says("interrupted");
    same();
    assert_eq!(bed.try_count(2), "keep");
    bed.edit(1);
    bed.write("src/state", "bad\n");
    assert_eq!(bed.trial("guard")["verdict"], "rework");
    same();
    bed.run(&["finish"]).ok();
    assert_eq!(
        bed.fingerprint(),
        whole,
        "after finish everything is as it was, the scope included"
    );
    let commits = bed.run_commits("autoresearch/demo");
    assert_eq!(commits.len(), 2);
    for (commit, files) in commits {
        assert!(
            files.iter().all(|file| file.starts_with("src/")),
            "{commit} {files:?}"
        );
    }
}

#[test]
fn stop_drop_and_doctor_touch_nothing_of_the_users() {
    let bed = lived_in();
    let (whole, before) = (bed.fingerprint(), theirs(&bed));
    bed.start(CONFIG);
    bed.edit(2);
    bed.run(&["trial", "--drop"]).ok();
    assert_eq!(theirs(&bed), before);
    bed.run(&["doctor", "--repair"]).ok();
    bed.run(&["stop"]).ok();
    bed.run(&["finish"]).ok();
    assert_eq!(bed.fingerprint(), whole);
    let saved = "refs/autoresearch/demo/interrupted-1";
    let delete = ["update-ref", "-d", saved];
    bed.run(&["doctor", "--clean", "--yes"])
        .ok()
        .says(&format!("`git {}` deletes it", delete.join(" ")));
    assert_eq!(bed.fingerprint(), whole);
    bed.git(&delete);
    assert_eq!(
        bed.git(&[
            "for-each-ref",
            "--format=%(refname)",
            "refs/autoresearch",
            "refs/heads/autoresearch"
        ]),
        ""
    );
    assert!(!bed.run_file("journal.jsonl").exists());
}

#[test]
fn finish_refuses_to_overwrite_what_the_user_changed_meanwhile() {
    let bed = Testbed::started(CONFIG);
    bed.try_count(4);
    // Somebody moves `main` on to a state in which a file of the user's would be overwritten.
    bed.git(&["branch", "-f", "other", "main"]);
    let tree = bed.folder.path().join("tree");
    bed.git(&["worktree", "add", "-q", tree.to_str().unwrap(), "main"]);
    std::fs::write(tree.join("notes"), "theirs\n").unwrap();
    bed.git(&["-C", tree.to_str().unwrap(), "add", "notes"]);
    bed.git(&["-C", tree.to_str().unwrap(), "commit", "-qm", "notes"]);
    bed.write("notes", "mine\n");
    bed.run(&["finish"]).fails(4).says("Move it away");
    assert_eq!(bed.read("notes"), "mine\n");
    std::fs::remove_file(bed.path("notes")).unwrap();
}
