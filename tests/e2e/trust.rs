//! Nothing of a run is believed or executed unless the anchor outside the repository agrees with it.

use std::path::PathBuf;

use autoresearch_core::journal::chain::ChainHead;
use autoresearch_core::journal::event::{Event, Record};
use serde_json::Value;

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::{CONFIG, Testbed};

/// A run whose verify leaves a mark each time it runs.
fn marked() -> (Testbed, PathBuf) {
    let bed = Testbed::new();
    let mark = bed.home.join("mark");
    bed.write(
        "count.sh",
        &format!(
            "echo x >> {}\ncat src/* | grep -c '^any$' || [ $? -eq 1 ]\n",
            mark.display()
        ),
    );
    bed.git(&["commit", "-qam", "mark"]);
    bed.start(CONFIG);
    bed.try_count(4);
    (bed, mark)
}

fn marks(mark: &PathBuf) -> usize {
    std::fs::read_to_string(mark)
        .unwrap_or_default()
        .lines()
        .count()
}

/// What every command that acts answers alike: it is blocked, nothing is run, and HEAD does not move.
#[track_caller]
fn show_blocked(bed: &Testbed, mark: &PathBuf) -> String {
    let (before, head) = (marks(mark), bed.head());
    bed.edit(1);
    let told = bed.run(&["trial", "-m", "x"]).fails(4).to_string();
    for arguments in [
        &["resume"][..],
        &["strategy", "pivot", "-m", "x"],
        &["stop"],
        &["finish"],
        &["trial", "--drop"],
    ] {
        let answer = bed.run(arguments).fails(4);
        assert_eq!(answer.to_string(), told, "{arguments:?}");
    }
    bed.run(&["doctor"]).fails(4);
    assert_eq!(marks(mark), before, "a command was run");
    assert_eq!(bed.head(), head);
    told
}

#[test]
fn an_edited_journal_line_is_blocked_before_any_command_is_run() {
    let (bed, mark) = marked();
    let path = bed.run_file("journal.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"value\":9,", "\"value\":1,")).unwrap();
    assert_answer!(show_blocked(&bed, &mark), @"
    exit code 4
    --- stderr
    error: the run's files are not what this tool left
    caused by: the run `demo` was changed from outside: the last line of its journal was edited
    hint: nothing of it was run. Restore the file, or delete the run's folder in autoresearch-results and start a new run: the branch autoresearch/<run> still holds what was kept
    ");
    std::fs::write(&path, text).unwrap();
    bed.run(&["resume"]).ok();
}

#[test]
fn a_rewritten_journal_with_a_valid_chain_is_blocked() {
    let (bed, mark) = marked();
    let path = bed.run_file("journal.jsonl");
    let text = std::fs::read_to_string(&path)
        .unwrap()
        .replace("\"value\":9,", "\"value\":1,");
    let mut head = ChainHead::default();
    let mut forged = String::new();
    for line in text.lines() {
        let record: Record = serde_json::from_str(line).unwrap();
        let line = head.format_record(&record.at, record.event);
        head = head.after_line(&line);
        forged.push_str(&(line + "\n"));
    }
    std::fs::write(&path, &forged).unwrap();
    assert_answer!(show_blocked(&bed, &mark), @"
    exit code 4
    --- stderr
    error: the run's files are not what this tool left
    caused by: the run `demo` was changed from outside: the last line of its journal was edited
    hint: nothing of it was run. Restore the file, or delete the run's folder in autoresearch-results and start a new run: the branch autoresearch/<run> still holds what was kept
    ");
}

#[test]
fn a_forged_record_with_a_valid_chain_is_blocked() {
    let (bed, mark) = marked();
    let path = bed.run_file("journal.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let head = text
        .lines()
        .fold(ChainHead::default(), |head, line| head.after_line(line));
    let forged = head.format_record("2026-01-01T00:00:00Z", Event::Ready);
    std::fs::write(&path, format!("{text}{forged}\n")).unwrap();
    assert_answer!(show_blocked(&bed, &mark), @"
    exit code 4
    --- stderr
    error: the run's files are not what this tool left
    caused by: the run `demo` was changed from outside: its journal ends at record 5, its anchor at record 4
    hint: nothing of it was run. Restore the file, or delete the run's folder in autoresearch-results and start a new run: the branch autoresearch/<run> still holds what was kept
    ");
}

#[test]
fn a_journal_that_lost_records_is_blocked() {
    let (bed, mark) = marked();
    let path = bed.run_file("journal.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    std::fs::write(&path, lines[..lines.len() - 2].join("\n") + "\n").unwrap();
    assert_answer!(show_blocked(&bed, &mark), @"
    exit code 4
    --- stderr
    error: the run's files are not what this tool left
    caused by: the run `demo` was changed from outside: its journal ends at record 2, its anchor at record 4
    hint: nothing of it was run. Restore the file, or delete the run's folder in autoresearch-results and start a new run: the branch autoresearch/<run> still holds what was kept
    ");
}

#[test]
fn an_edited_frozen_config_is_blocked() {
    let (bed, mark) = marked();
    let path = bed.run_file("config.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("sh count.sh", "echo 0")).unwrap();
    assert_answer!(show_blocked(&bed, &mark), @"
    exit code 4
    --- stderr
    error: the run's files are not what this tool left
    caused by: the run `demo` was changed from outside: its frozen config.yaml was edited
    hint: nothing of it was run. Restore the file, or delete the run's folder in autoresearch-results and start a new run: the branch autoresearch/<run> still holds what was kept
    ");
    std::fs::remove_file(&path).unwrap();
    assert_answer!(show_blocked(&bed, &mark), @"
    exit code 4
    --- stderr
    error: the run's files are not what this tool left
    caused by: the run `demo` was changed from outside: its frozen config.yaml is gone
    hint: nothing of it was run. Restore the file, or delete the run's folder in autoresearch-results and start a new run: the branch autoresearch/<run> still holds what was kept
    ");
}

#[test]
fn a_run_folder_that_came_with_a_clone_is_blocked() {
    let (bed, mark) = marked();
    std::fs::remove_dir_all(bed.state.join("runs")).unwrap();
    assert_answer!(show_blocked(&bed, &mark), @"
    exit code 4
    --- stderr
    error: the run `demo` was not started by this user on this machine: it has no anchor
    hint: nothing of it was run. If you did not expect this run, delete its folder in autoresearch-results; a new `start` makes your own run
    ");
    assert_answer!(bed.run(&["status"]).fails(4), @"
    exit code 4
    --- stderr
    error: the run `demo` was not started by this user on this machine: it has no anchor
    hint: nothing of it was run. If you did not expect this run, delete its folder in autoresearch-results; a new `start` makes your own run
    ");
}

#[test]
fn a_copied_repository_is_blocked_and_a_moved_one_goes_on() {
    let (mut bed, mark) = marked();
    let original = bed.repo.clone();
    let copy = original.with_file_name("copy");
    assert!(
        std::process::Command::new("cp")
            .arg("-a")
            .arg(&original)
            .arg(&copy)
            .status()
            .unwrap()
            .success()
    );
    bed.repo.clone_from(&copy);
    assert_answer!(show_blocked(&bed, &mark), @"
    exit code 4
    --- stderr
    error: the run `demo` is a copy: the original is in <bed>/repo/autoresearch-results/demo
    hint: work in the original, or delete the copied folder
    ");
    std::fs::remove_dir_all(&copy).unwrap();
    std::fs::rename(&original, &copy).unwrap();
    assert_eq!(bed.try_count(3), "keep");
}

#[test]
fn views_are_never_believed() {
    let (bed, _) = marked();
    for name in ["research-results.tsv", "autoresearch-state.json"] {
        let path = bed.run_file(name);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace('9', "1").replace("keep", "discard")).unwrap();
    }
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(
        (status["incumbent"].as_u64(), status["keep"].as_u64()),
        (Some(9), Some(1))
    );
    assert_eq!(bed.try_count(5), "discard");
    assert_eq!(bed.story(), ["0 baseline", "1 keep", "2 discard"]);
    let snapshot: Value = serde_json::from_str(
        &std::fs::read_to_string(bed.run_file("autoresearch-state.json")).unwrap(),
    )
    .unwrap();
    assert_eq!(snapshot["incumbent"]["value"], 9);
    std::fs::remove_file(bed.run_file("research-results.tsv")).unwrap();
    std::fs::remove_file(bed.run_file("autoresearch-state.json")).unwrap();
    bed.run(&["doctor", "--repair"]).ok();
    assert_eq!(bed.story(), ["0 baseline", "1 keep", "2 discard"]);
}

#[test]
fn variables_of_the_caller_change_neither_commands_nor_git_nor_the_anchor() {
    let (bed, _) = marked();
    let fake = bed.home.join("fake");
    std::fs::create_dir(&fake).unwrap();
    for name in ["git", "grep", "cat", "sh"] {
        crate::testbed::write_program(&fake.join(name), "#!/bin/sh\necho 0\n");
    }
    let path = format!("{}:{}", fake.display(), std::env::var("PATH").unwrap());
    let elsewhere = bed.home.join("elsewhere");
    let elsewhere = elsewhere.to_str().unwrap();
    bed.edit(6);
    let report = bed
        .run_with(
            &["trial", "-m", "with a poisoned environment", "--json"],
            &[
                ("PATH", &path),
                ("HOME", elsewhere),
                ("XDG_STATE_HOME", elsewhere),
                ("XDG_CONFIG_HOME", elsewhere),
                ("GIT_DIR", elsewhere),
                ("GIT_INDEX_FILE", elsewhere),
                ("GIT_WORK_TREE", elsewhere),
                ("GIT_CONFIG_COUNT", "1"),
                ("GIT_CONFIG_KEY_0", "core.hooksPath"),
                ("GIT_CONFIG_VALUE_0", elsewhere),
                ("ENV", elsewhere),
                ("BASH_ENV", elsewhere),
            ],
        )
        .ok()
        .json();
    assert_eq!(
        (report["verdict"].as_str(), report["value"].as_u64()),
        (Some("discard"), Some(11))
    );
}

#[test]
fn verify_sees_the_named_variables_as_they_were_at_start_and_no_others() {
    let bed = Testbed::new();
    bed.write(
        "count.sh",
        "echo ${NAMED:-none} ${UNNAMED:-none} ${TOKEN_X:-none} >&2\ncat src/* | grep -c any\n",
    );
    bed.git(&["commit", "-qam", "env"]);
    let file = bed.home.join("c.yaml");
    std::fs::write(&file, format!("{CONFIG}env: [NAMED]\nsecrets: [TOKEN_X]\n")).unwrap();
    let start = ["start", "--config", file.to_str().unwrap()];
    let without = bed.run_with(&start, &[("NAMED", "one"), ("UNNAMED", "x")]);
    assert_answer!(without.fails(3), @"
    exit code 3
    --- stderr
    error: the secret `TOKEN_X` is not set
    hint: export TOKEN_X, then start again
    ");
    bed.run_with(
        &start,
        &[("NAMED", "one"), ("UNNAMED", "x"), ("TOKEN_X", "hush-hush")],
    )
    .ok();
    bed.edit(4);
    let trial = ["trial", "-m", "x", "--json"];
    assert_answer!(bed.run_with(&trial, &[("NAMED", "two")]).fails(4), @r#"
    exit code 4
    {"caused_by":[],"error":"the secret `TOKEN_X` is not set","exit_code":4,"hint":"export TOKEN_X with the value that it had at start","kind":"blocked","warnings":[]}
    "#);
    assert_answer!(bed.run_with(&trial, &[("TOKEN_X", "other")]).fails(4), @r#"
    exit code 4
    {"caused_by":[],"error":"the secret `TOKEN_X` has changed since the start","exit_code":4,"hint":"export the same value, or start a new run","kind":"blocked","warnings":[]}
    "#);
    bed.run_with(
        &trial,
        &[("NAMED", "two"), ("UNNAMED", "y"), ("TOKEN_X", "hush-hush")],
    )
    .ok();
    let seen = std::fs::read_to_string(bed.run_file("trials/1/verify-1.err")).unwrap();
    assert_eq!(seen.trim(), "one none hush-hush");
    // The value of the secret is in none of our files but the command's own output.
    let ours = std::process::Command::new("grep")
        .args(["-rl", "hush-hush"])
        .arg(&bed.state)
        .arg(bed.run_file("journal.jsonl"))
        .arg(bed.run_file("config.yaml"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&ours.stdout), "");
}

#[test]
fn symbolic_links_in_place_of_our_files_are_refused() {
    for name in [
        "journal.jsonl",
        "config.yaml",
        "trials",
        "research-results.tsv",
    ] {
        let (bed, mark) = marked();
        let path = bed.run_file(name);
        let target = bed.home.join("target");
        std::fs::rename(&path, &target).unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        let refused = format!(
            "exit code 4\n--- stderr\nerror: {} is a symbolic link\nhint: nothing was run. Remove the link\n",
            path.display()
        );
        assert_eq!(show_blocked(&bed, &mark), refused);
    }
}

#[test]
fn a_run_folder_that_git_tracks_is_refused() {
    let (bed, mark) = marked();
    bed.git(&["add", "-f", "autoresearch-results/demo/journal.jsonl"]);
    let before = marks(&mark);
    bed.edit(1);
    assert_answer!(bed.run(&["trial", "-m", "x"]).fails(4), @"
    exit code 4
    --- stderr
    error: git tracks files in autoresearch-results: a run must not come with a repository
    hint: nothing of it was run. `git rm -r --cached autoresearch-results` and commit, if the files are yours
    ");
    assert_eq!(marks(&mark), before);
}

#[test]
fn a_newer_format_is_refused_with_its_number() {
    let (bed, _) = marked();
    let path = bed.vault().join("anchor.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("\"format\":2", "\"format\":9", 1)).unwrap();
    assert_answer!(bed.run(&["trial", "-m", "x"]).fails(4), @"
    exit code 4
    --- stderr
    error: <bed>/state/runs/<id>/anchor.json has format 9; this version reads up to format 2
    hint: update autoresearch
    ");
}

#[test]
fn a_torn_last_line_is_set_aside_and_the_record_written_again() {
    let (bed, _) = marked();
    let path = bed.run_file("journal.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.len() - 40]).unwrap();
    assert_answer!(bed.run(&["resume"]).ok(), @r#"
    repaired: an incomplete line of <count> bytes was moved to journal.torn
    repaired: the last record was written to the journal again
    autoresearch run `demo`. Goal: "Fewer any"
    best: any_count 9 (lower is better, start 10, -10 %) from trial 1
    so far: 1 of 100 iterations: 1 keep, 0 discard, 0 crash, 0 no-op; 0 failed in a row
    edit only: src/**; never: the scripts that verify and guard run
      #1 keep 9 (-1) "4 any"
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    assert!(bed.run_file("journal.torn").exists());
    assert_eq!(bed.try_count(3), "keep");
}

#[test]
fn output_is_never_written_through_a_planted_link() {
    let (bed, _) = marked();
    let victim = bed.home.join("victim");
    std::fs::write(&victim, "mine\n").unwrap();
    std::fs::create_dir(bed.run_file("trials/2")).unwrap();
    for name in ["verify-1.out", "verify-1.err", "index", "message"] {
        std::os::unix::fs::symlink(&victim, bed.run_file("trials/2").join(name)).unwrap();
    }
    assert_eq!(bed.try_count(3), "keep");
    std::os::unix::fs::symlink(&bed.home, bed.run_file("trials/3")).unwrap();
    bed.edit(2);
    assert_answer!(bed.run(&["trial", "-m", "x"]).fails(4), @"
    exit code 4
    --- stderr
    error: <bed>/repo/autoresearch-results/demo/trials/3 is a symbolic link
    hint: nothing was run. Remove the link
    ");
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "mine\n");
    assert!(!bed.home.join("verify-1.out").exists());
    std::fs::remove_file(bed.run_file("trials/3")).unwrap();
    bed.run(&["resume"]).ok();
}

#[test]
fn a_number_written_into_the_output_file_from_outside_is_not_read() {
    let bed = Testbed::new();
    let (mark, go) = (bed.home.join("mark"), bed.home.join("go"));
    let wait = format!(
        "test -f src/wait && {{ touch {}; while [ ! -f {} ]; do sleep 0.02; done; }}\n",
        mark.display(),
        go.display()
    );
    bed.write("count.sh", &(wait + "cat src/* | grep -c '^any$'\n"));
    bed.git(&["commit", "-qam", "wait"]);
    bed.start(CONFIG);
    bed.edit(4);
    bed.write("src/wait", "x\n");
    let command = bed.command(&["trial", "-m", "forged", "--json"]);
    let waiting = std::thread::spawn(move || crate::testbed::finish(command));
    crate::testbed::wait_until("verify runs", || mark.exists());
    std::fs::write(bed.run_file("trials/1/verify-1.out"), "0\n").unwrap();
    std::fs::write(&go, "").unwrap();
    let report = waiting.join().unwrap().ok().json();
    assert_eq!(
        (report["verdict"].as_str(), report["value"].as_u64()),
        (Some("keep"), Some(9))
    );
    assert_eq!(
        std::fs::read_to_string(bed.run_file("trials/1/verify-1.out")).unwrap(),
        "9\n"
    );
}

#[test]
fn a_run_whose_folder_lost_its_gitignore_goes_on_and_commits_none_of_it() {
    let (bed, _) = marked();
    std::fs::remove_file(bed.path("autoresearch-results/.gitignore")).unwrap();
    assert_eq!(bed.try_count(3), "keep");
    assert!(
        bed.run_commits("autoresearch/demo")
            .iter()
            .all(|(_, files)| files == &["src/a"])
    );
}

/// A repository whose git settings name a program for everything that git can be made to run; the program leaves a mark.
fn arm_with_programs(bed: &Testbed) -> std::path::PathBuf {
    let mark = bed.home.join("ran");
    let evil = bed.home.join("evil.sh");
    let script = format!("#!/bin/sh\necho \"$0 $*\" >> {}\ncat\n", mark.display());
    crate::testbed::write_program(&evil, &script);
    let evil = evil.to_str().unwrap();
    let hooks = bed.home.join("hooks");
    std::fs::create_dir(&hooks).unwrap();
    for hook in [
        "post-checkout",
        "post-index-change",
        "pre-commit",
        "reference-transaction",
    ] {
        std::os::unix::fs::symlink(evil, hooks.join(hook)).unwrap();
    }
    bed.write(".gitattributes", "* filter=evil diff=evil\n");
    for (key, value) in [
        ("filter.evil.clean", evil),
        ("filter.evil.smudge", evil),
        ("filter.evil.required", "true"),
        ("core.fsmonitor", evil),
        ("core.hooksPath", hooks.to_str().unwrap()),
        ("core.pager", evil),
        ("core.editor", evil),
        ("core.sshCommand", evil),
        ("diff.external", evil),
        ("diff.evil.textconv", evil),
        ("gpg.program", evil),
        ("commit.gpgSign", "true"),
    ] {
        bed.git(&["config", key, value]);
    }
    touch_sources(bed);
    bed.try_git(&["status", "--porcelain"]);
    assert!(mark.exists(), "a plain git status runs it");
    std::fs::remove_file(&mark).unwrap();
    mark
}

/// Other bytes of the same length: git has to look into the files, and so to ask the filter.
fn touch_sources(bed: &Testbed) {
    for file in ["src/a", "src/b", "src/c"] {
        let text = bed.read(file);
        let other = if text.contains("any") { "anx" } else { "any" };
        bed.write(file, &text.replace(&text[..3], other));
    }
}

/// The words that an execution rule lets out of the sandbox, in a repository that an agent has made: with `-C`, or in
/// the folder in which the command is started, which comes to the same.
#[test]
fn in_a_repository_without_an_anchor_no_word_of_the_rule_runs_what_the_repository_names() {
    let calls = autoresearch_codex::config::rules::ALLOWED.map(|word| match word {
        "trial" | "propose" | "stop" => vec![word, "-m", "x"],
        "strategy" => vec![word, "refine", "-m", "x"],
        "show" | "retry" => vec![word, "1"],
        "parallel" => vec![word, "open", "-m", "x", "-m", "y"],
        word => vec![word],
    });
    let more = [
        vec!["parallel", "close"],
        vec!["parallel", "abort"],
        vec!["doctor", "--repair"],
        vec!["trial", "--drop"],
        vec!["log", "--json"],
        vec!["show", "1", "--diff"],
    ];
    // These look at everything that is there, and say what they think of it.
    let lists = ["doctor", "runs"];
    for forged in ["nothing", "a folder", "a copied run"] {
        let bed = Testbed::new();
        let theirs = Testbed::started(CONFIG);
        match forged {
            "a folder" => {
                bed.write("autoresearch-results/demo/journal.jsonl", "{}\n");
                bed.write("autoresearch-results/demo/config.yaml", CONFIG);
            }
            "a copied run" => {
                // With the state folder of the run that it was copied from.
                std::fs::remove_dir_all(&bed.state).ok();
                std::os::unix::fs::symlink(&theirs.state, &bed.state).unwrap();
                let from = theirs.path("autoresearch-results");
                let to = bed.path("autoresearch-results");
                let copied = std::process::Command::new("cp")
                    .arg("-R")
                    .args([from, to])
                    .status();
                assert!(copied.unwrap().success());
            }
            _ => {}
        }
        let mark = arm_with_programs(&bed);
        let before = theirs.head();
        for call in calls.iter().chain(&more) {
            let root = bed.repo.to_str().unwrap();
            let there = [call.as_slice(), &["-C", root]].concat();
            for words in [call, &there] {
                touch_sources(&bed);
                let mut command = bed.command(words);
                if words.contains(&"-C") {
                    command.current_dir("/");
                }
                command.env("CODEX_SESSION_ID", "0199-me");
                let answer = crate::testbed::finish(command);
                let ran = std::fs::read_to_string(&mark).unwrap_or_default();
                assert_eq!(ran, "", "{forged}: {words:?}: {answer:?}");
                assert!(
                    lists.contains(&call[0]) || answer.code != 0,
                    "{forged}: {words:?}: {answer:?}"
                );
            }
        }
        assert_eq!(theirs.head(), before);
        touch_sources(&bed);
        bed.try_git(&["status", "--porcelain"]);
        assert!(mark.exists(), "a plain git status still runs it");
    }
}

/// Nobody has vouched for the repository yet: a check only reads, also where the answer depends on what git ignores.
#[test]
fn a_check_of_a_config_runs_nothing_that_the_repository_names() {
    let bed = Testbed::new();
    bed.write(".gitignore", "built/\n*.log\n");
    bed.write("built/package.json", "{}\n");
    bed.write("logs/one.log", "1\n");
    let mark = arm_with_programs(&bed);
    let config = ConfigText::demo().protect(&["package.json"]);
    bed.write("autoresearch.yaml", &config.to_string());
    touch_sources(&bed);
    assert_answer!(bed.run(&["config", "check"]).ok(), @"
    warning: autoresearch.yaml:4: protect[0]: `package.json` matches no file -> check the pattern: it protects nothing now
    warning: autoresearch.yaml:4: protect[0]: `package.json` also matches 1 file in folders that git ignores (built/): not pinned -> write `/package.json` for the root alone, or name an ignored folder to pin what is in it
    autoresearch.yaml: 0 errors, 2 warnings
    ");
    bed.run(&["config", "example"]).ok();
    let ran = std::fs::read_to_string(&mark).unwrap_or_default();
    assert_eq!(ran, "", "a check compares no file");
}

/// Codex protects the `.git` of its own folder and not of those below: an agent may change the settings of a run's
/// repository there. git itself would then run a program at the first look, outside of any sandbox.
#[test]
fn a_filter_that_was_set_after_the_start_is_not_run_by_any_command_of_the_run() {
    let bed = Testbed::started(CONFIG);
    let mark = arm_with_programs(&bed);
    bed.git(&[
        "config",
        "filter.a=b.clean",
        bed.home.join("evil.sh").to_str().unwrap(),
    ]);
    bed.write("src/.gitattributes", "a filter=a=b\n");
    for words in [
        &["status"][..],
        &["doctor"],
        &["doctor", "--repair"],
        &["resume"],
        &["propose", "-m", "x"],
        &["trial", "-m", "x"],
        &["strategy", "refine", "-m", "x"],
        &["trial", "--drop"],
        &["stop"],
        &["finish"],
    ] {
        touch_sources(&bed);
        let answer = bed.agent("0199-me", words);
        let ran = std::fs::read_to_string(&mark).unwrap_or_default();
        assert_eq!(ran, "", "{words:?}: {answer:?}");
    }
    assert_eq!(bed.rows()[1][5], "discard", "the trial is void");
    assert_answer!(bed.rows()[1][6], @"x [protected: protected files were changed: .gitattributes, src/.gitattributes, git config filter.a=b.clean, git config filter.evil.clean, git config filter.evil.required and 1 more]");
}

#[test]
fn a_filter_of_the_start_goes_on_working_beside_one_that_was_set_later() {
    let bed = Testbed::new();
    bed.git(&["config", "filter.known.clean", "sed s/SECRET/hidden/"]);
    bed.write(".gitattributes", "src/a filter=known\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "filter"]);
    bed.start(CONFIG);
    bed.write("src/a", "any\nSECRET\n");
    assert_eq!(bed.trial("filtered")["verdict"], "keep");
    let kept = bed.git(&["show", "autoresearch/demo:src/a"]);
    assert_eq!(kept, "any\nhidden\n");
    bed.git(&["config", "filter.later.clean", "sed s/any/none/"]);
    bed.write("src/a", "SECRET\n");
    assert_eq!(bed.trial("another filter")["verdict"], "discard");
    bed.git(&["config", "--unset", "filter.later.clean"]);
    bed.write("src/a", "SECRET\n");
    assert_eq!(bed.trial("as at the start")["verdict"], "keep");
}
