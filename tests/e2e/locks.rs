//! git's locks: held by others for a moment or for long, and left behind by a git that was killed.

use std::path::Path;

use crate::shown::assert_answer;
use crate::testbed::{CONFIG, Testbed};

/// Makes a git that is a script in front of the real one, and returns the `PATH` with it. The script does `act` for commands
/// with this word, as long as there are lines in the file `armed` of the test's home: each time, one is taken off.
fn front(bed: &Testbed, word: &str, act: &str) -> String {
    let path = std::env::var("PATH").unwrap();
    let mut folders = path.split(':').map(|folder| Path::new(folder).join("git"));
    let real = folders.find(|git| git.is_file()).unwrap();
    let folder = bed.home.join("front");
    std::fs::create_dir_all(&folder).unwrap();
    let script = format!(
        "#!/bin/sh\narmed='{home}/armed'\ncase \" $* \" in *\" {word} \"*) if [ -s \"$armed\" ]; then sed -i 1d \"$armed\"; {act}; fi;; esac\nexec '{real}' \"$@\"\n",
        home = bed.home.display(),
        real = real.display(),
    );
    let git = folder.join("git");
    crate::testbed::write_program(&git, &script);
    format!("{}:{path}", folder.display())
}

/// A run whose git is such a script.
fn started_behind(bed: &Testbed, word: &str, act: &str) {
    let path = front(bed, word, act);
    let config = bed.home.join("config.yaml");
    std::fs::write(&config, CONFIG).unwrap();
    let start = ["start", "--config", config.to_str().unwrap()];
    bed.run_with(&start, &[("PATH", &path)]).ok();
}

fn arm(bed: &Testbed, times: usize) {
    std::fs::write(bed.home.join("armed"), "x\n".repeat(times)).unwrap();
}

fn all_shots_were_fired(bed: &Testbed) -> bool {
    std::fs::read(bed.home.join("armed")).unwrap().is_empty()
}

#[test]
fn a_lock_that_is_gone_when_somebody_looks_costs_no_trial_whichever_lock_it_is() {
    // What git says, and no file: the other process was done in the meantime.
    for (word, status, words) in [
        (
            "update-index",
            128,
            "fatal: Unable to create '.git/index.lock': File exists.",
        ),
        (
            "write-tree",
            128,
            "fatal: Unable to create '.git/index.lock': File exists.",
        ),
        (
            "update-ref",
            128,
            "fatal: update_ref failed for ref 'HEAD': cannot lock ref 'HEAD': Unable to create '.git/HEAD.lock': File exists.",
        ),
        (
            "update-ref",
            1,
            "error: cannot lock ref 'refs/heads/autoresearch/demo': Unable to create '.git/refs/heads/autoresearch/demo.lock': File exists.",
        ),
        (
            "update-ref",
            1,
            "error: Unable to create '.git/packed-refs.lock': File exists.",
        ),
        (
            "update-ref",
            255,
            "error: could not lock config file .git/config: File exists",
        ),
        (
            "commit-tree",
            128,
            "fatal: Unable to create '.git/shallow.lock': File exists.",
        ),
    ] {
        let bed = Testbed::new();
        let act = format!(
            "echo \"{words}\" >&2; echo >&2; echo 'Another git process seems to be running' >&2; exit {status}"
        );
        started_behind(&bed, word, &act);
        arm(&bed, 3);
        assert_eq!(bed.try_count(3), "keep", "{words}");
        assert!(all_shots_were_fired(&bed), "{words}");
        assert_eq!(bed.git(&["status", "--porcelain"]), "");
    }
}

#[test]
fn an_undo_waits_for_a_lock_of_the_moment_as_well() {
    let bed = Testbed::new();
    let before = bed.fingerprint();
    started_behind(
        &bed,
        "read-tree",
        "echo \"fatal: Unable to create '.git/index.lock': File exists.\" >&2; exit 128",
    );
    arm(&bed, 2);
    assert_eq!(bed.try_count(4), "keep");
    assert_eq!(bed.try_count(9), "discard");
    assert!(all_shots_were_fired(&bed));
    assert_eq!(bed.read("src/a").lines().count(), 4);
    bed.run(&["finish"]).ok();
    assert_eq!(bed.fingerprint(), before);
}

#[test]
fn edits_that_a_standing_lock_kept_from_being_committed_can_be_tried_again() {
    let mut told = String::new();
    for (word, lock) in [
        ("update-ref", ".git/HEAD.lock"),
        ("update-ref", ".git/refs/heads/autoresearch/demo.lock"),
    ] {
        let bed = Testbed::new();
        let lock = bed.path(lock);
        started_behind(&bed, word, &format!("touch '{}'", lock.display()));
        arm(&bed, 1);
        bed.edit(3);
        told += &bed.run(&["trial", "-m", "three any"]).fails(6).to_string();
        assert!(lock.exists(), "it is not ours");
        assert_eq!(bed.read("src/a"), "any\n".repeat(3));
        std::fs::remove_file(&lock).unwrap();
        assert_eq!(bed.trial("three any")["verdict"], "keep");
        assert_eq!(bed.story(), ["0 baseline", "1 interrupted", "2 keep"]);
    }
    assert_answer!(told, @"
    exit code 6
    --- stderr
    error: the git repository is locked; nothing was measured, and your edits are still in the work tree
    caused by: the repository is locked by <bed>/repo/.git/HEAD.lock
    hint: wait for the other git process; if none is running, delete <bed>/repo/.git/HEAD.lock
    exit code 6
    --- stderr
    error: the git repository is locked; nothing was measured, and your edits are still in the work tree
    caused by: the repository is locked by <bed>/repo/.git/refs/heads/autoresearch/demo.lock
    hint: wait for the other git process; if none is running, delete <bed>/repo/.git/refs/heads/autoresearch/demo.lock
    ");
}

#[test]
fn locks_that_a_git_left_when_it_was_killed_alone_are_removed() {
    let mut told = String::new();
    for (word, lock) in [
        ("update-index", ".git/index.lock"),
        ("write-tree", ".git/index.lock"),
        ("update-ref", ".git/HEAD.lock"),
        ("update-ref", ".git/refs/heads/autoresearch/demo.lock"),
        ("update-ref", ".git/packed-refs.lock"),
    ] {
        let bed = Testbed::new();
        let lock = bed.path(lock);
        let act = format!("touch '{}'; kill -9 $$", lock.display());
        started_behind(&bed, word, &act);
        arm(&bed, 1);
        bed.edit(3);
        told += &bed.run(&["trial", "-m", "three any"]).fails(6).to_string();
        assert!(!lock.exists(), "{} stands", lock.display());
        assert_eq!(bed.trial("three any")["verdict"], "keep", "{word}");
        assert_eq!(bed.git(&["status", "--porcelain"]), "");
    }
    assert_answer!(told, @"
    exit code 6
    --- stderr
    error: git was killed; nothing was measured, and your edits are still in the work tree
    caused by: `git update-index -z --add --remove --replace --stdin` was killed by signal 9
    hint: out of memory, or a limit of the shell: remove the cause, then run the command again
    exit code 6
    --- stderr
    error: git was killed; nothing was measured, and your edits are still in the work tree
    caused by: `git write-tree` was killed by signal 9
    hint: out of memory, or a limit of the shell: remove the cause, then run the command again
    exit code 6
    --- stderr
    error: git was killed; nothing was measured, and your edits are still in the work tree
    caused by: `git update-ref -m autoresearch: trial 1 --stdin` was killed by signal 9
    hint: out of memory, or a limit of the shell: remove the cause, then run the command again
    exit code 6
    --- stderr
    error: git was killed; nothing was measured, and your edits are still in the work tree
    caused by: `git update-ref -m autoresearch: trial 1 --stdin` was killed by signal 9
    hint: out of memory, or a limit of the shell: remove the cause, then run the command again
    exit code 6
    --- stderr
    error: git was killed; nothing was measured, and your edits are still in the work tree
    caused by: `git update-ref -m autoresearch: trial 1 --stdin` was killed by signal 9
    hint: out of memory, or a limit of the shell: remove the cause, then run the command again
    ");
}

#[test]
fn a_lock_that_a_git_left_when_it_was_killed_as_it_made_or_removed_a_work_tree_is_removed() {
    let own = format!("{CONFIG}isolation: worktree\n");
    let branch = ".git/refs/heads/autoresearch/demo.lock";
    for (config, word, lock, victims) in [
        (CONFIG, "worktree add", ".git/packed-refs.lock", "$PPID $$"),
        (CONFIG, "worktree remove", ".git/packed-refs.lock", "$$"),
        (&own, "worktree add", ".git/config.lock", "$$"),
        (&own, "update-ref", branch, "$PPID $$"),
    ] {
        let bed = Testbed::new();
        let lock = bed.path(lock);
        let folder = lock.parent().unwrap().display();
        let act = format!(
            "mkdir -p '{folder}'; touch '{}'; kill -9 {victims}",
            lock.display()
        );
        let path = front(&bed, word, &act);
        let file = bed.home.join("config.yaml");
        std::fs::write(&file, config).unwrap();
        let start = ["start", "--config", file.to_str().unwrap()];
        arm(&bed, 1);
        let killed = bed.run_with(&start, &[("PATH", &path)]);
        let case = format!("{word}, {victims}: {killed:?}");
        assert!(all_shots_were_fired(&bed), "{case}");
        assert_eq!(victims == "$$", !lock.exists(), "{case}");
        if bed.run(&["resume"]).code != 0 {
            bed.run(&start).ok();
        }
        assert!(!lock.exists(), "{case}");
        assert_eq!(bed.run(&["finish"]).code, 0, "{case}");
        bed.run(&["doctor"]).ok();
    }
}

/// `git worktree remove` looks for changes with a git of its own, and dies when that one is killed.
#[test]
fn a_lock_of_a_git_that_our_git_had_started_is_removed_whoever_of_both_died() {
    for act in [
        "touch \"$lock\"; echo \"fatal: failed to run 'git status', code 137\" >&2; exit 128",
        "touch \"$lock\"; kill -9 $PPID $$",
    ] {
        let bed = Testbed::new();
        let find = format!(
            "lock=$(echo '{}'/.git/worktrees/autoresearch-demo*)/index.lock",
            bed.repo.display()
        );
        let path = front(&bed, "worktree remove", &format!("{find}; {act}"));
        bed.start(&format!("{CONFIG}isolation: worktree\n"));
        let tree = bed.own_tree();
        arm(&bed, 1);
        let killed = bed.run_with(&["finish"], &[("PATH", &path)]);
        assert!(all_shots_were_fired(&bed), "{killed:?}");
        assert!(tree.exists(), "{killed:?}");
        bed.run(&["finish"]).ok();
        assert!(!tree.exists(), "{killed:?}");
        bed.run(&["doctor"]).ok();
    }
}

#[test]
fn an_undo_whose_git_was_killed_alone_is_done_by_the_next_command() {
    let bed = Testbed::new();
    let lock = bed.path(".git/index.lock");
    started_behind(
        &bed,
        "read-tree",
        &format!("touch '{}'; kill -9 $$", lock.display()),
    );
    arm(&bed, 1);
    bed.edit(9);
    bed.run(&["trial", "-m", "worse"]).fails(6);
    assert!(!lock.exists());
    let resumed = bed.run(&["resume", "--json"]).ok().json();
    assert_answer!(resumed["repaired"], @r#"["trial 1 (discard) was undone"]"#);
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
    assert_eq!(bed.try_count(3), "keep");
}

#[test]
fn a_lock_that_stood_before_our_git_was_killed_is_not_ours() {
    let bed = Testbed::new();
    let lock = bed.path(".git/packed-refs.lock");
    started_behind(&bed, "update-index", "kill -9 $$");
    std::fs::write(&lock, "").unwrap();
    let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_hours(1);
    let file = std::fs::File::options().write(true).open(&lock).unwrap();
    file.set_modified(hour_ago).unwrap();
    arm(&bed, 1);
    bed.edit(3);
    bed.run(&["trial", "-m", "three any"]).fails(6);
    assert!(lock.exists());
}

#[test]
fn a_trial_whose_index_somebody_takes_meanwhile_is_measured_and_that_index_learns_of_it_later() {
    let bed = Testbed::new();
    let lock = bed.path(".git/index.lock");
    started_behind(&bed, "write-tree", &format!("touch '{}'", lock.display()));
    arm(&bed, 1);
    bed.edit(3);
    assert_eq!(bed.trial("three any")["verdict"], "keep");
    assert!(lock.exists(), "it is not ours");
    assert_eq!(bed.git(&["diff", "--cached", "--name-only"]), "src/a\n");
    std::fs::remove_file(&lock).unwrap();
    assert_eq!(bed.try_count(2), "keep");
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
    assert_eq!(bed.story(), ["0 baseline", "1 keep", "2 keep"]);
}

#[test]
fn a_lock_on_our_own_index_stops_no_run() {
    let bed = Testbed::new();
    bed.write("other/notes.md", "staged\n");
    bed.git(&["add", "other/notes.md"]);
    started_behind(
        &bed,
        "write-tree",
        "echo \"$GIT_INDEX_FILE\" > told; : > \"$GIT_INDEX_FILE.lock\"; kill -9 $PPID; kill -9 $$",
    );
    arm(&bed, 1);
    bed.edit(3);
    bed.run(&["trial", "-m", "killed"]).fails(-1);
    let index = bed.read("told");
    std::fs::remove_file(bed.path("told")).unwrap();
    let lock = format!("{}.lock", index.trim());
    assert!(std::path::Path::new(&lock).exists());
    bed.run(&["resume"]).ok();
    assert_eq!(bed.try_count(3), "keep");
    assert_eq!(
        bed.git(&["diff", "--cached", "--name-only"]),
        "other/notes.md\n"
    );
}

#[test]
fn a_filter_that_fails_for_a_moment_costs_no_trial() {
    let bed = Testbed::new();
    let flag = bed.home.join("fails-once");
    let filter = format!(
        "if [ -e '{0}' ]; then rm '{0}'; exit 1; else cat; fi",
        flag.display()
    );
    bed.git(&["config", "filter.odd.clean", &filter]);
    bed.git(&["config", "filter.odd.required", "true"]);
    bed.write(".gitattributes", "src/a filter=odd\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "filter"]);
    bed.start(CONFIG);
    std::fs::write(&flag, "").unwrap();
    bed.edit(3);
    // The size differs, so `git status` does not ask the filter: the staging is the first that does.
    assert_eq!(bed.trial("three any")["verdict"], "keep");
    assert!(!flag.exists());
}

#[test]
fn a_driver_tries_a_trial_again_whose_git_was_killed() {
    let bed = Testbed::new();
    let agent = r#"seq 3 | sed s/.*/any/ > src/a; echo '{"message": "three any"}'"#;
    std::fs::write(bed.home.join("agent.sh"), agent).unwrap();
    let config = format!("{CONFIG}agent: {{command: 'sh \"$HOME/agent.sh\"', timeout: 20s}}\n");
    let path = front(&bed, "update-index", "kill -9 $$");
    std::fs::write(bed.home.join("config.yaml"), config).unwrap();
    arm(&bed, 1);
    let file = bed.home.join("config.yaml");
    let exec = [
        "exec",
        "--config",
        file.to_str().unwrap(),
        "--iterations",
        "1",
    ];
    let answer = bed.run_with(&exec, &[("PATH", &path), ("SEALED_PATIENCE", "20")]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(all_shots_were_fired(&bed));
    assert_eq!(bed.story(), ["0 baseline", "1 interrupted", "2 keep"]);
}
