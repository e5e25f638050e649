//! What `start` refuses: it says what to change, and leaves nothing behind.

use std::fmt::Display;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::{Answer, CONFIG, Testbed, finish};

fn with(extra: &str) -> String {
    format!("{CONFIG}{extra}\n")
}

/// The config with another verify.
fn verify(command: &str) -> ConfigText {
    ConfigText::demo().verify(command)
}

/// Everything that a start could leave: the tool's folders, references, work trees, anchors.
fn leftovers(bed: &Testbed) -> Vec<String> {
    let mut found = Vec::new();
    if bed.path("autoresearch-results").symlink_metadata().is_ok() {
        found.push("autoresearch-results".to_owned());
    }
    let runs = std::fs::read_dir(bed.state.join("runs"))
        .into_iter()
        .flatten();
    found.extend(runs.map(|entry| entry.unwrap().path().display().to_string()));
    found.extend(
        bed.git(&["for-each-ref", "--format=%(refname)"])
            .lines()
            .map(ToOwned::to_owned),
    );
    found.extend(
        bed.git(&["worktree", "list"])
            .lines()
            .map(ToOwned::to_owned),
    );
    found
}

/// A refusal on standard error alone, with a hint.
#[track_caller]
fn hinted(answer: &Answer) -> &Answer {
    explained(answer, answer.code, &[]);
    answer
}

/// Start refuses this config here, and nothing differs afterwards.
#[track_caller]
fn refused(bed: &Testbed, config: &(impl Display + ?Sized)) -> Answer {
    let before = (bed.fingerprint(), leftovers(bed));
    let answer = bed.try_start(config);
    hinted(&answer);
    assert_eq!((bed.fingerprint(), leftovers(bed)), before);
    answer
}

/// The answer must have this code, these words, and a hint.
#[track_caller]
fn explained(answer: &Answer, code: i32, words: &[&str]) {
    assert_eq!(answer.code, code, "{answer:?}");
    assert!(answer.out.is_empty(), "{answer:?}");
    for word in words {
        assert!(
            answer.err.contains(word),
            "`{word}` is missing in {answer:?}"
        );
    }
    assert!(
        answer
            .err
            .lines()
            .any(|line| line.len() > "hint: ".len() && line.starts_with("hint: ")),
        "no hint in {answer:?}"
    );
}

/// Start refuses this config here, with this code and these words, and nothing differs afterwards.
#[track_caller]
fn refuses(bed: &Testbed, config: &(impl Display + ?Sized), code: i32, words: &[&str]) {
    explained(&refused(bed, config), code, words);
}

/// A refused start in another folder, which must be empty of ours afterwards.
#[track_caller]
fn refused_in(bed: &Testbed, folder: &Path) -> Answer {
    let file = bed.folder.path().join("config.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    let names = || {
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    let before = names();
    let (folder, file) = (folder.to_str().unwrap(), file.to_str().unwrap());
    let answer = bed.run(&["-C", folder, "start", "--config", file]);
    hinted(&answer);
    assert_eq!(names(), before);
    assert!(!bed.state.join("runs").exists());
    answer
}

#[test]
fn a_folder_that_is_no_repository_is_refused() {
    let bed = Testbed::new();
    assert_answer!(refused_in(&bed, &bed.home), @"
    exit code 6
    --- stderr
    error: the repository cannot be used
    caused by: <bed>/home is not inside a git repository
    hint: run this inside a git repository, or name one with -C; `git init` makes one
    ");
}

#[test]
fn a_repository_without_a_commit_is_refused() {
    let bed = Testbed::bare();
    bed.write("src/a", "any\n");
    assert_answer!(refused_in(&bed, &bed.repo), @"
    exit code 4
    --- stderr
    error: the repository has no commit yet
    hint: commit something first: a run starts from a commit
    ");
}

#[test]
fn a_bare_repository_is_refused() {
    let bed = Testbed::new();
    let folder = bed.home.join("bare.git");
    bed.git(&["clone", "-q", "--bare", ".", folder.to_str().unwrap()]);
    assert_answer!(refused_in(&bed, &folder), @"
    exit code 6
    --- stderr
    error: the repository cannot be used
    caused by: <bed>/home/bare.git/ is a bare repository: it has no files to work on
    hint: run this in a clone that has files
    ");
}

#[test]
fn a_merge_under_way_is_refused() {
    let bed = Testbed::new();
    bed.git(&["switch", "-q", "-c", "side"]);
    bed.write("other/notes.md", "side\n");
    bed.git(&["commit", "-qam", "side"]);
    bed.git(&["switch", "-q", "main"]);
    bed.write("other/notes.md", "main\n");
    bed.git(&["commit", "-qam", "main"]);
    bed.try_git(&["merge", "-q", "side"]).fails(1);
    assert_answer!(refused(&bed, CONFIG), @"
    exit code 4
    --- stderr
    error: a merge is in progress
    hint: finish or abort the merge first
    ");
    assert!(bed.path(".git/MERGE_HEAD").exists());
}

#[test]
fn a_rebase_under_way_is_refused() {
    let bed = Testbed::new();
    bed.git(&["commit", "-q", "--allow-empty", "-m", "second"]);
    bed.write("other/notes.md", "third\n");
    bed.git(&["commit", "-qam", "third"]);
    bed.git(&[
        "-c",
        "sequence.editor=sed -i s/^pick/edit/",
        "rebase",
        "-q",
        "-i",
        "HEAD~1",
    ]);
    assert_answer!(refused(&bed, CONFIG), @"
    exit code 4
    --- stderr
    error: a rebase is in progress
    hint: finish or abort the rebase first
    ");
}

#[test]
fn uncommitted_changes_in_the_scope_are_refused_by_name() {
    type Change = fn(&Testbed);
    let changes: [(&str, Change); 5] = [
        ("src/b", |bed| bed.write("src/b", "dirty\n")),
        ("src/new", |bed| bed.write("src/new", "untracked\n")),
        ("src/c", |bed| {
            bed.write("src/c", "staged\n");
            bed.git(&["add", "src/c"]);
        }),
        ("src/c", |bed| {
            drop(bed.git(&["rm", "-q", "--cached", "src/c"]));
        }),
        ("src/b", |bed| bed.executable("src/b")),
    ];
    for (name, change) in changes {
        let bed = Testbed::new();
        change(&bed);
        refuses(
            &bed,
            CONFIG,
            4,
            &[
                "files in the scope have uncommitted changes",
                name,
                "commit them",
            ],
        );
    }
}

#[test]
fn a_verify_without_a_usable_number_is_refused_with_its_words() {
    for (command, words) in [
        ("true", "printed nothing"),
        ("echo all good", "not a number"),
        ("echo nan", "not a finite number"),
        ("echo 1; echo -Infinity", "not a finite number"),
        ("echo 3 of 4", "more than one number"),
    ] {
        refuses(
            &Testbed::new(),
            &verify(command),
            3,
            &[
                "verify gives no metric on the untouched tree",
                words,
                "verify must end with the number",
            ],
        );
    }
}

#[test]
fn a_verify_that_fails_is_refused_with_its_last_lines() {
    let failing = verify("echo the reason >&2; exit 1");
    assert_answer!(refused(&Testbed::new(), &failing), @"
    exit code 3
    --- stderr
    error: verify gives no metric on the untouched tree: verify failed: exit status 1
    caused by: its last lines: the reason
    hint: run the command by hand; statuses that count as success belong in `verify.ok_exit`
    ");
    assert_answer!(refused(&Testbed::new(), &verify("no-such-command")), @"
    exit code 3
    --- stderr
    error: verify gives no metric on the untouched tree: verify failed: exit status 127 (command not found)
    caused by: its last lines: /bin/sh: 1: no-such-command: not found
    hint: verify sees PATH as it is now, and only the variables named under `env`
    ");
    assert_answer!(refused(&Testbed::new(), &verify("kill -9 $$")), @"
    exit code 3
    --- stderr
    error: verify gives no metric on the untouched tree: verify failed: killed by signal 9
    hint: run the command by hand; statuses that count as success belong in `verify.ok_exit`
    ");
}

#[test]
fn a_verify_that_times_out_is_refused() {
    let config = verify("sleep 1000").verify_with("timeout", "300ms");
    assert_answer!(refused(&Testbed::new(), &config), @"
    exit code 3
    --- stderr
    error: verify gives no metric on the untouched tree: verify failed: timed out after 300ms
    hint: raise `verify.timeout`, or make verify faster
    ");
}

#[test]
fn the_trap_of_a_counting_grep_is_explained() {
    let config = verify("grep -L ok src/state | grep -c .");
    assert_answer!(refused(&Testbed::new(), &config), @"
    exit code 3
    --- stderr
    error: verify gives no metric on the untouched tree: verify failed: exit status 1
    caused by: its last lines: 0
    hint: `grep -c` exits with 1 when it counts zero: add `ok_exit: [0, 1]` to verify
    ");
    let bed = Testbed::new();
    assert_answer!(bed.start(&config.verify_with("ok_exit", "[0, 1]")), @r#"
    warning: <bed>/home/config.yaml:6: verify.command: `sh` reports only the status of the last command in a pipe, so an earlier failure is hidden -> add `shell: bash` to verify, which fails when any part of a pipe fails
    run `demo` started: Fewer any
      metric    any_count = 0 (lower is better)
      noise     none: 3 equal runs; a keep takes two equal runs or three, a discard one
      guard     pass
      scope     src/**
      pinned    1 file: guard.sh; a trial that changes one is void
      branch    autoresearch/demo in <bed>/repo
      limits    100 iterations
      log       autoresearch-results/demo/research-results.tsv
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
}

#[test]
fn a_target_that_is_already_met_is_refused() {
    for target in [10, 11] {
        let config = ConfigText::demo().target(target);
        refuses(
            &Testbed::new(),
            &config,
            3,
            &[
                "the target is already met: any_count is 10",
                "or set a lower `metric.target`",
            ],
        );
    }
    let higher = ConfigText::demo().direction("higher").target(9);
    assert_answer!(refused(&Testbed::new(), &higher), @"
    exit code 3
    --- stderr
    error: the target is already met: any_count is 10
    hint: nothing is left to do here: take another candidate of `autoresearch scan`, or set a higher `metric.target`
    ");
}

#[test]
fn what_the_tool_measures_and_cannot_be_better_is_refused_without_a_target_too() {
    let verify = r#"verify: {command: "sh count.sh", timeout: 20s}"#;
    let of = |gauge: &str| ConfigText::demo().to_string().replace(verify, gauge);
    let counted = of(r"verify: {count: {pattern: 'nowhere', files: src/**}}");
    assert_answer!(refused(&Testbed::new(), &counted), @"
    exit code 3
    --- stderr
    error: any_count is 0 already, and cannot be better
    hint: nothing is left to do here: take another candidate of `autoresearch scan`
    ");
    let steady = of(r#"verify: {exit_rate: "test -e src/a", runs: 2}"#);
    assert_answer!(refused(&Testbed::new(), &steady), @"
    exit code 3
    --- stderr
    error: any_count is 0 failed runs already, and cannot be better
    hint: nothing is left to do here: take another candidate of `autoresearch scan`
    ");
    let growing = of(r"verify: {count: {pattern: 'nowhere', files: src/**}}");
    let growing = growing.replace("direction: lower", "direction: higher");
    Testbed::new().start(&growing);
}

#[test]
fn a_stop_condition_that_already_holds_is_refused() {
    let config = with("stop_when: [{metric: any_count, op: \"<=\", value: 10}]");
    assert_answer!(refused(&Testbed::new(), &config), @"
    exit code 3
    --- stderr
    error: `stop_when` already holds on the untouched tree
    hint: raise its values, or leave it out
    ");
}

#[test]
fn a_condition_on_a_metric_that_is_not_printed_is_refused() {
    for key in ["keep_when", "stop_when"] {
        let config = with(&format!("{key}: [{{metric: p95, op: \"<\", value: 1}}]"));
        refuses(
            &Testbed::new(),
            &config,
            3,
            &[
                "`p95 < 1` names a metric that verify does not print",
                "verify prints: any_count",
            ],
        );
    }
}

/// A command that dirties the tree is refused; what it did is there, and nothing of ours.
#[track_caller]
fn dirtied(config: &(impl Display + ?Sized)) -> Answer {
    let bed = Testbed::new();
    let before = leftovers(&bed);
    let answer = bed.try_start(config);
    hinted(&answer);
    assert_eq!(leftovers(&bed), before);
    assert_eq!(
        bed.git(&["rev-parse", "--abbrev-ref", "HEAD"]).trim(),
        "main"
    );
    answer
}

#[test]
fn a_verify_that_leaves_the_tree_dirty_is_refused() {
    assert_answer!(dirtied(&verify("echo x >> other/notes.md; sh count.sh")), @"
    exit code 3
    --- stderr
    error: verify leaves the tree dirty: other/notes.md
    hint: let it write to a temporary or ignored folder: add the file to .gitignore or .git/info/exclude (and remove it), or restore it if git tracks it
    ");
    assert_answer!(dirtied(&verify("echo x > report.txt; sh count.sh")), @"
    exit code 3
    --- stderr
    error: verify leaves the tree dirty: report.txt
    hint: let it write to a temporary or ignored folder: add the file to .gitignore or .git/info/exclude (and remove it), or restore it if git tracks it
    ");
    assert_answer!(dirtied(&verify("echo x > src/cache; sh count.sh")), @"
    exit code 3
    --- stderr
    error: verify leaves the tree dirty: src/cache
    hint: let it write to a temporary or ignored folder: add the file to .gitignore or .git/info/exclude (and remove it), or restore it if git tracks it
    ");
}

#[test]
fn a_guard_that_leaves_the_tree_dirty_is_refused() {
    assert_answer!(dirtied(&ConfigText::demo().guard("echo x > report.txt")), @"
    exit code 3
    --- stderr
    error: the guard leaves the tree dirty: report.txt
    hint: let it write to a temporary or ignored folder: add the file to .gitignore or .git/info/exclude (and remove it), or restore it if git tracks it
    ");
}

#[test]
fn a_verify_that_changes_its_own_script_is_refused() {
    let bed = Testbed::new();
    bed.write(".gitignore", "ignored.sh\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "ignore"]);
    bed.write("ignored.sh", "echo '#' >> ignored.sh; sh count.sh\n");
    assert_answer!(hinted(&bed.try_start(&verify("sh ignored.sh"))), @"
    exit code 3
    --- stderr
    error: verify or guard changed a pinned file: ignored.sh
    hint: verify must not write to its own scripts or to protected files; write reports to a temporary folder. If verify builds the file, delete it before the start
    ");
    assert!(!bed.path("autoresearch-results").exists());
}

#[test]
fn a_guard_that_fails_on_the_untouched_tree_is_refused() {
    let bed = Testbed::new();
    bed.write("guard.sh", "echo the guard says no; exit 5\n");
    bed.git(&["commit", "-qam", "guard"]);
    assert_answer!(refused(&bed, CONFIG), @"
    exit code 3
    --- stderr
    error: the guard fails on the untouched tree: exit status 5
    caused by: its last lines: the guard says no
    hint: a guard must pass before the first trial: fix the code or the guard; for a flaky guard, there is `guard.retries`
    ");
}

#[test]
fn a_refused_start_takes_its_own_work_tree_away_again() {
    let config = format!("{}isolation: worktree\n", verify("exit 3"));
    let bed = Testbed::new();
    assert_answer!(refused(&bed, &config), @"
    exit code 3
    --- stderr
    error: verify gives no metric on the untouched tree: verify failed: exit status 3
    hint: run the command by hand; statuses that count as success belong in `verify.ok_exit`
    ");
    assert!(!bed.path(".git/worktrees").exists());
    let dirty = format!(
        "{}isolation: worktree\n",
        verify("echo x > report.txt; sh count.sh")
    );
    assert_answer!(refused(&bed, &dirty), @"
    exit code 3
    --- stderr
    error: verify leaves the tree dirty: report.txt
    hint: let it write to a temporary or ignored folder: add the file to .gitignore or .git/info/exclude (and remove it), or restore it if git tracks it
    ");
    bed.start(&with("isolation: worktree"));
}

#[test]
fn a_secret_that_is_not_set_is_refused() {
    let bed = Testbed::new();
    assert_answer!(refused(&bed, &with("secrets: [API_TOKEN]")), @"
    exit code 3
    --- stderr
    error: the secret `API_TOKEN` is not set
    hint: export API_TOKEN, then start again
    ");
}

#[test]
fn a_second_run_in_the_same_work_tree_is_refused() {
    let bed = Testbed::started(CONFIG);
    let other = ConfigText::demo().tag("other");
    assert_answer!(refused(&bed, &other), @"
    exit code 4
    --- stderr
    error: the run `demo` works in this work tree
    hint: continue it (`autoresearch resume`), end it (`autoresearch finish --run demo`), or use `isolation: worktree`
    ");
    assert!(!bed.path("autoresearch-results/other").exists());
    bed.run(&["stop"]).ok();
    assert_answer!(refused(&bed, &other), @"
    exit code 4
    --- stderr
    error: the run `demo` works in this work tree
    hint: `autoresearch finish --run demo` goes back to your branch
    ");
    bed.run(&["finish"]).ok();
    bed.start(&other);
}

/// An agent whose command was cut off, or a person who lost the answer, asks once more.
#[test]
fn a_start_that_was_made_already_answers_again_and_measures_nothing() {
    let bed = Testbed::new();
    let ran = bed.home.join("ran");
    let counted = verify(&format!("echo x >> {}; sh count.sh", ran.display()));
    let first = bed.start(&counted);
    let runs = std::fs::read_to_string(&ran).unwrap();
    let records = bed.read("autoresearch-results/demo/journal.jsonl");
    bed.start(&counted)
        .says("the run `demo` was started before with this config and has no trial yet")
        .says(first.out.lines().last().unwrap());
    assert_eq!(std::fs::read_to_string(&ran).unwrap(), runs);
    assert_eq!(bed.read("autoresearch-results/demo/journal.jsonl"), records);
    // Another config, a trial, or another HEAD: it is not the start that was asked for.
    bed.try_start(&counted.clone().tag("other")).fails(4);
    bed.git(&["checkout", "-q", "main"]);
    bed.try_start(&counted).fails(4);
    bed.git(&["checkout", "-q", "autoresearch/demo"]);
    bed.try_count(4);
    assert_answer!(bed.try_start(&counted), @"
    exit code 4
    --- stderr
    error: the run `demo` works in this work tree
    hint: continue it (`autoresearch resume`), end it (`autoresearch finish --run demo`), or use `isolation: worktree`
    ");
}

#[test]
fn a_branch_that_is_called_autoresearch_is_refused() {
    let bed = Testbed::new();
    bed.git(&["branch", "autoresearch"]);
    assert_answer!(refused(&bed, CONFIG), @"
    exit code 4
    --- stderr
    error: a branch called `autoresearch` exists, so `autoresearch/<run>` cannot
    hint: rename it: git branch -m autoresearch autoresearch-old
    ");
}

#[test]
fn a_results_folder_that_git_tracks_is_refused() {
    for committed in [true, false] {
        let bed = Testbed::new();
        bed.write("autoresearch-results/demo/journal.jsonl", "{}\n");
        bed.git(&["add", "-Af"]);
        if committed {
            bed.git(&["commit", "-qm", "somebody's run"]);
        }
        refuses(
            &bed,
            CONFIG,
            4,
            &[
                "git tracks files in autoresearch-results",
                "git rm -r --cached",
            ],
        );
        assert_eq!(bed.read("autoresearch-results/demo/journal.jsonl"), "{}\n");
    }
}

#[test]
fn a_results_folder_that_is_a_symbolic_link_is_refused_and_not_followed() {
    let bed = Testbed::new();
    let outside = bed.home.join("outside");
    std::fs::create_dir(&outside).unwrap();
    symlink(&outside, bed.path("autoresearch-results")).unwrap();
    assert_answer!(refused(&bed, CONFIG), @"
    exit code 4
    --- stderr
    error: <bed>/repo/autoresearch-results is a symbolic link
    hint: nothing was run. Remove the link
    ");
    assert_eq!(
        std::fs::read_dir(&outside).unwrap().count(),
        0,
        "nothing was written behind the link"
    );
    assert_eq!(
        std::fs::read_link(bed.path("autoresearch-results")).unwrap(),
        outside
    );
}

#[test]
fn a_results_folder_that_is_a_link_to_nowhere_is_refused_and_nothing_is_made_there() {
    let bed = Testbed::new();
    let outside = bed.home.join("outside");
    symlink(&outside, bed.path("autoresearch-results")).unwrap();
    assert_answer!(refused(&bed, CONFIG), @"
    exit code 4
    --- stderr
    error: <bed>/repo/autoresearch-results is a symbolic link
    hint: nothing was run. Remove the link
    ");
    assert!(!outside.exists());
}

#[test]
fn a_git_that_is_too_old_is_refused() {
    let bed = Testbed::new();
    let folder = bed.home.join("old");
    std::fs::create_dir(&folder).unwrap();
    let real = std::env::var("PATH").unwrap();
    let script = format!(
        "#!/bin/sh\nfor word; do [ \"$word\" != --version ] || {{ echo git version 2.20.0; exit 0; }}; done\nPATH='{real}' exec git \"$@\"\n"
    );
    crate::testbed::write_program(&folder.join("git"), &script);
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    let (before, path) = (
        (bed.fingerprint(), leftovers(&bed)),
        format!("{}:{real}", folder.display()),
    );
    let answer = bed.run_with(
        &["start", "--config", file.to_str().unwrap()],
        &[("PATH", &path)],
    );
    assert_answer!(hinted(&answer), @"
    exit code 6
    --- stderr
    error: git 2.20.0 is too old
    hint: install git 2.36 or newer
    ");
    assert_eq!((bed.fingerprint(), leftovers(&bed)), before);
    let doctor = bed.run_with(&["doctor"], &[("PATH", &path)]).fails(4);
    assert_answer!(doctor, @"
    exit code 4
    PROBLEM  git: 2.20.0 is too old
             install git 2.36 or newer
    ok       runs: no run was started here
    <sandbox>
    <codex>
    1 problem
    ");
}

/// Gives everything below a folder to a user and group.
fn give_away(at: &Path, id: u32) {
    std::os::unix::fs::lchown(at, Some(id), Some(id)).unwrap();
    if at.symlink_metadata().unwrap().is_dir() {
        for entry in std::fs::read_dir(at).unwrap() {
            give_away(&entry.unwrap().path(), id);
        }
    }
}

/// Runs a command as a user whom rights can stop: root becomes `nobody`, to whom the test bed then belongs.
fn as_mortal(bed: &Testbed, arguments: &[&str]) -> Answer {
    const NOBODY: u32 = 65_534;
    let mut command = bed.command(arguments);
    if rustix::process::getuid().is_root() {
        let program = bed.folder.path().join("autoresearch-sealed");
        if !program.exists() {
            crate::testbed::copy_program(Path::new(command.get_program()), &program);
        }
        give_away(bed.folder.path(), NOBODY);
        let mut copy = std::process::Command::new(program);
        copy.args(arguments)
            .current_dir(&bed.repo)
            .env_clear()
            .envs(bed.env())
            .uid(NOBODY)
            .gid(NOBODY);
        command = copy;
    }
    finish(command)
}

/// Takes or gives the right to write in the git folder.
fn git_folder_writable(bed: &Testbed, writable: bool) {
    let mode = if writable { 0o755 } else { 0o555 };
    for folder in ["", "objects", "refs", "refs/heads"] {
        std::fs::set_permissions(
            bed.path(".git").join(folder),
            PermissionsExt::from_mode(mode),
        )
        .unwrap();
    }
}

#[test]
fn a_git_folder_that_cannot_be_written_is_refused_at_once_with_the_way_out() {
    let bed = Testbed::new();
    let file = bed.home.join("config.yaml");
    let ran = bed.home.join("ran");
    let telling = format!("touch '{}'; sh count.sh", ran.display());
    std::fs::write(&file, verify(&telling).to_string()).unwrap();
    let start = ["start", "--config", file.to_str().unwrap()];
    git_folder_writable(&bed, false);
    let answer = as_mortal(&bed, &start);
    assert_answer!(hinted(&answer), @r#"
    exit code 6
    --- stderr
    error: git cannot write to its folder
    hint: inside a Codex sandbox, run this command outside it: call it again with `sandbox_permissions: "require_escalated"` and a `justification`, and the person is asked; where nobody can be asked (codex exec), a person runs it in a terminal. Once the run is started, trials work from inside with `autoresearch install --hooks` or `--rule`
    "#);
    assert!(!ran.exists(), "nothing is measured before the refusal");
    assert!(!bed.path("autoresearch-results").exists() && !bed.state.join("runs").exists());
    git_folder_writable(&bed, true);
    as_mortal(&bed, &start).ok();
}

#[test]
fn a_git_folder_that_becomes_read_only_stops_a_trial_before_it_begins() {
    let bed = Testbed::new();
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    as_mortal(&bed, &["start", "--config", file.to_str().unwrap()]).ok();
    bed.edit(4);
    let journal = std::fs::read_to_string(bed.run_file("journal.jsonl")).unwrap();
    git_folder_writable(&bed, false);
    let answer = as_mortal(&bed, &["trial", "-m", "locked in a sandbox"]);
    assert_answer!(hinted(&answer), @r#"
    exit code 6
    --- stderr
    error: git cannot write to its folder
    hint: inside a Codex sandbox, run this command outside it: call it again with `sandbox_permissions: "require_escalated"` and a `justification`, and the person is asked; where nobody can be asked (codex exec), a person runs it in a terminal. Once the run is started, trials work from inside with `autoresearch install --hooks` or `--rule`
    "#);
    assert_eq!(
        bed.read("src/a"),
        "any\n".repeat(4),
        "the edit is still there"
    );
    assert_eq!(
        std::fs::read_to_string(bed.run_file("journal.jsonl")).unwrap(),
        journal,
        "no commit is claimed"
    );
    git_folder_writable(&bed, true);
    let report = as_mortal(&bed, &["trial", "-m", "now", "--json"])
        .ok()
        .json();
    assert_eq!(report["verdict"], "keep");
}

#[test]
fn a_refused_start_keeps_warnings_apart_from_the_causes() {
    let bed = Testbed::new();
    let config = verify("grep -c any src/a")
        .iterations(0)
        .protect(&["nowhere/**"]);
    let text = bed.try_start(&config).fails(3);
    assert_answer!(text, @"
    exit code 3
    --- stderr
    error: the config <bed>/home/config.yaml has 1 error
    caused by: <bed>/home/config.yaml:9: iterations: 0 is out of range -> write a number from 1 to <most>
    warning: <bed>/home/config.yaml:7: verify.command: `grep -c` exits with 1 when it counts zero, so reaching zero would count as a crash -> add `ok_exit: [0, 1]` to verify
    hint: fix these, then run `autoresearch config check <bed>/home/config.yaml`
    ");
    assert!(!text.err.contains("caused by: warning"), "{text:?}");
    let file = bed.home.join("config.yaml");
    let report = bed
        .run(&["start", "--config", file.to_str().unwrap(), "--json"])
        .fails(3)
        .json();
    let causes = report["caused_by"].as_array().unwrap();
    assert_eq!(causes.len(), 1, "{report}");
    assert_answer!(causes[0].as_str().unwrap(), @"<bed>/home/config.yaml:9: iterations: 0 is out of range -> write a number from 1 to <most>");
    let warnings = report["warnings"].as_array().unwrap();
    assert_answer!(warnings[0].as_str().unwrap(), @"warning: <bed>/home/config.yaml:7: verify.command: `grep -c` exits with 1 when it counts zero, so reaching zero would count as a crash -> add `ok_exit: [0, 1]` to verify");
}
