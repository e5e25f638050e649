//! The check that the one who edits is not shown: it decides about keeps, and nothing in the repository tells what it is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::{Answer, CONFIG, Testbed, note_skipped, processes_with};

/// Words of the check that must be nowhere: of its command, its file, what it prints to each stream, its value.
const SECRETS: [&str; 5] = [
    "unguessable",
    "hidden-argument",
    "told-on-stdout",
    "told-on-stderr",
    "70313",
];

/// Refuses `cheat` in `src/b`; its value grows with `src/c`.
const CHECK: &str = "echo told-on-stdout; echo told-on-stderr >&2
grep -qx cheat src/b && exit 7
echo METRIC any_count=70313$(grep -c any src/c)
";

/// A bench with the check in the home folder, and the lines of a config that name it.
fn bed() -> (Testbed, String) {
    let bed = Testbed::new();
    let folder = bed.home.join("unguessable");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("check.sh"), CHECK).unwrap();
    (bed, holdout(""))
}

fn holdout(more: &str) -> String {
    format!(
        "holdout: {{command: \"sh $HOME/unguessable/check.sh hidden-argument\", timeout: 20s{more}}}\n"
    )
}

fn started() -> Testbed {
    let (bed, holdout) = bed();
    bed.start(&format!("{CONFIG}{holdout}"));
    bed
}

fn note(bed: &Testbed) -> PathBuf {
    bed.vault().join("holdout.json")
}

/// Every file below a folder that holds one of the secrets, also in its name.
fn find_secrets(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = if path.is_dir() && !path.is_symlink() {
            found.extend(find_secrets(&path));
            Vec::new()
        } else {
            fs::read(&path).unwrap_or_default()
        };
        let text = format!("{}\n{}", path.display(), String::from_utf8_lossy(&bytes));
        let told = SECRETS.iter().filter(|secret| text.contains(*secret));
        found.extend(told.map(|secret| format!("{secret} in {}", path.display())));
    }
    found
}

#[track_caller]
fn tells_nothing(answer: &Answer) {
    let text = answer.to_string();
    for secret in SECRETS {
        assert!(!text.contains(secret), "`{secret}` in {text}");
    }
}

#[test]
fn a_keep_that_the_holdout_fails_is_taken_back_and_nobody_is_told_how() {
    let bed = started();
    bed.edit(2);
    bed.write("src/b", "cheat\n");
    assert_answer!(bed.run(&["trial", "-m", "fewer"]), @r#"
    trial 1: discard (holdout), any_count 4 (-6, -60 %), guard pass; the best is 10 from trial 0
    why: a check that is not shown did not pass
    files: src/a, src/b
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    assert_eq!(bed.read("src/b"), "any\nany\nany\n", "it is undone");
    assert_answer!(bed.run(&["log"]), @"
    iter  commit       metric     delta  guard  status       description
       0  <commit>          10         0  pass   baseline     the untouched tree, 3 runs
       1  -                 4        -6  pass   discard      fewer [holdout: a check that is not shown did not pass] (<commit>)
    ");
    let kept = bed.vault().join("holdout");
    let read = |name: &str| fs::read_to_string(kept.join(name)).unwrap();
    assert_eq!(read("trial-1.out"), "told-on-stdout\n", "for the person");
    assert_eq!(read("trial-1.reason"), "exit status 7\n");
    assert_eq!(kept.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(bed.try_count(4), "keep", "an honest one is kept");
}

#[test]
fn a_keep_whose_hidden_value_falls_below_the_last_accepted_one_is_taken_back() {
    let bed = started();
    let try_counts = |a: usize, c: usize| {
        bed.edit(a);
        bed.write("src/c", &"any\n".repeat(c));
        let report = bed.trial("move");
        let reason = report["reason"].as_str().unwrap_or("-").to_owned();
        (report["verdict"].as_str().unwrap().to_owned(), reason)
    };
    let kept = ("keep".to_owned(), "-".to_owned());
    let fell = ("discard".to_owned(), "holdout".to_owned());
    assert_eq!(try_counts(2, 3), fell, "the start had two");
    assert_eq!(try_counts(4, 2), kept, "as good is good enough");
    assert_eq!(try_counts(4, 1), kept);
    assert_eq!(try_counts(1, 2), fell, "the last one that was kept had one");
    assert_eq!(try_counts(1, 1), kept);
    let reason = bed.vault().join("holdout/trial-1.reason");
    let told = fs::read_to_string(reason).unwrap();
    assert_eq!(told, "it fell: 703133 after 703132\n");
}

#[test]
fn a_value_that_is_not_printed_any_more_is_no_pass() {
    let (bed, holdout) = bed();
    let check = "test -e src/quiet || echo METRIC any_count=1\n";
    fs::write(bed.home.join("unguessable/check.sh"), check).unwrap();
    bed.start(&format!("{CONFIG}{holdout}"));
    bed.write("src/quiet", "x\n");
    bed.edit(2);
    assert_eq!(bed.trial("quiet")["reason"], "holdout");
}

#[test]
fn no_file_no_answer_no_brief_and_no_process_tells_the_agent_what_the_holdout_is() {
    let (bed, holdout) = bed();
    let agent = r#"number=$(ls "$HOME" | grep -c '^seen')
{ cat; env; tr '\0' ' ' < /proc/$PPID/environ; } > "$HOME/seen-$number"
case $number in
0) printf 'any\nany\n' > src/a; echo cheat > src/b ;;
1) printf 'any\nany\n' > src/a ;;
2) echo any > src/a; printf 'any\nany\nany\n' > src/c; echo any > src/b ;;
esac
echo '{"message": "did it", "hypothesis": "fewer", "strategy": "another way"}'
"#;
    fs::write(bed.home.join("agent.sh"), agent).unwrap();
    let config = ConfigText::demo()
        .agent("sh \"$HOME/agent.sh\"")
        .iterations(3);
    let file = bed.home.join("night.yaml");
    fs::write(&file, format!("# unguessable\n{config}{holdout}")).unwrap();
    let ended = bed.run_with(
        &["exec", "--config", file.to_str().unwrap()],
        &[("SEALED_PATIENCE", "20")],
    );
    tells_nothing(&ended);
    assert_eq!(ended.code, 0, "{ended:?}");
    let verdicts: Vec<String> = bed.story();
    assert_eq!(verdicts, ["0 baseline", "1 discard", "2 keep", "3 discard"]);
    for arguments in [
        &["status"][..],
        &["status", "--json"],
        &["log"],
        &["log", "--json"],
        &["runs"],
        &["show", "1"],
        &["show", "1", "--json"],
        &["show", "2", "--diff"],
        &["show", "3", "--output"],
        &["doctor"],
        &["doctor", "--json"],
        &["background", "status"],
        &["background", "logs"],
        &["resume"],
        &["clean"],
    ] {
        tells_nothing(&bed.run(arguments));
        tells_nothing(&bed.run_with(arguments, &[("CODEX_CI", "1")]));
    }
    assert_eq!(find_secrets(&bed.repo), Vec::<String>::new());
    for number in 0..3 {
        let seen = fs::read_to_string(bed.home.join(format!("seen-{number}"))).unwrap();
        assert!(seen.contains("AUTORESEARCH"), "{seen}");
        let told = SECRETS.iter().filter(|secret| seen.contains(*secret));
        assert_eq!(told.count(), 0, "{seen}");
    }
    assert_eq!(processes_with("hidden-argument"), Vec::<String>::new());
    // What the searches above look for is where it has to be.
    assert!(!find_secrets(&bed.vault()).is_empty());
    bed.git(&["merge", "-q", "autoresearch/demo"]);
    bed.run(&["clean", "--yes"]).ok();
    assert_eq!(find_secrets(&bed.state), Vec::<String>::new());
}

#[test]
fn what_a_session_is_told_of_a_run_with_a_holdout_is_not_the_holdout() {
    let bed = started();
    bed.edit(2);
    bed.write("src/b", "cheat\n");
    let arguments = ["trial", "-m", "fewer"];
    tells_nothing(&bed.agent("s1", &arguments));
    for event in ["SessionStart", "UserPromptSubmit", "Stop"] {
        tells_nothing(&bed.hook(event, "s1"));
    }
    for arguments in [&["status"][..], &["log"], &["show", "1"], &["resume"]] {
        tells_nothing(&bed.agent("s1", arguments));
    }
    assert_eq!(find_secrets(&bed.repo), Vec::<String>::new());
}

#[test]
fn a_trial_that_is_killed_while_the_holdout_runs_runs_it_again_before_a_keep() {
    let (bed, holdout) = bed();
    let ran = bed.home.join("ran");
    let check = format!("echo x >> {}\n", ran.display());
    fs::write(bed.home.join("unguessable/check.sh"), check).unwrap();
    bed.start(&format!("{CONFIG}{holdout}"));
    let count = || fs::read_to_string(&ran).unwrap().lines().count();
    assert_eq!(count(), 1, "at start");
    let steps = bed.home.join("steps");
    bed.edit(4);
    bed.run_with(
        &["trial", "-m", "kept"],
        &[("SEALED_STEPS", steps.to_str().unwrap())],
    )
    .ok();
    assert_eq!(count(), 2);
    let steps = fs::read_to_string(&steps).unwrap();
    let at = steps.lines().position(|step| step == "holdout").unwrap() + 1;
    // Before the holdout, and before the verdict that follows it.
    for (step, runs) in [(at, 2), (at + 2, 3)] {
        bed.edit(3);
        let crash = [("SEALED_CRASH_AT", step.to_string())];
        let crash = crash
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        bed.run_with(&["trial", "-m", "cut"], &crash).fails(-1);
        assert_eq!(count(), runs);
        bed.run(&["resume"]).ok();
        assert_eq!(bed.run(&["status", "--json"]).json()["incumbent"], 9);
    }
    assert_eq!(bed.try_count(3), "keep");
    assert_eq!(count(), 4);
}

#[test]
fn a_note_or_a_check_that_was_changed_blocks_the_run_and_names_nothing() {
    let bed = started();
    let text = fs::read_to_string(note(&bed)).unwrap();
    bed.edit(2);
    fs::write(note(&bed), text.replace("check.sh", "other.sh")).unwrap();
    let edited = bed.run(&["trial", "-m", "x"]).fails(4);
    tells_nothing(&edited);
    assert_answer!(edited, @"
    exit code 4
    --- stderr
    error: the run's files are not what this tool left
    caused by: the run `demo` was changed from outside: the note of its holdout was edited
    hint: nothing of it was run. Restore the file, or delete the run's folder in autoresearch-results and start a new run: the branch autoresearch/<run> still holds what was kept
    ");
    fs::remove_file(note(&bed)).unwrap();
    assert_answer!(bed.run(&["status"]).fails(4), @"
    exit code 4
    --- stderr
    error: the run's files are not what this tool left
    caused by: the run `demo` was changed from outside: the note of its holdout is gone
    hint: nothing of it was run. Restore the file, or delete the run's folder in autoresearch-results and start a new run: the branch autoresearch/<run> still holds what was kept
    ");
    fs::write(note(&bed), &text).unwrap();
    let script = bed.home.join("unguessable/check.sh");
    fs::write(&script, "true\n").unwrap();
    let swapped = bed.run(&["trial", "-m", "x"]).fails(4);
    tells_nothing(&swapped);
    assert_answer!(swapped, @"
    exit code 4
    --- stderr
    error: a file of the holdout was changed since the start
    hint: nothing was done. A person puts it back as it was, or ends this run and starts a new one
    ");
    fs::write(&script, CHECK).unwrap();
    assert_eq!(
        bed.trial("x")["verdict"],
        "keep",
        "the edits were left alone"
    );
}

#[test]
fn a_holdout_in_the_work_tree_is_refused_and_one_that_executes_a_file_of_it_is_warned_of() {
    let (bed, holdout) = bed();
    let config = format!("{CONFIG}{holdout}");
    bed.write("autoresearch.yaml", &config);
    let before = bed.fingerprint();
    assert_answer!(bed.run(&["start"]).fails(3), @"
    exit code 3
    --- stderr
    error: the config autoresearch.yaml has 1 error
    caused by: autoresearch.yaml:9: holdout: this config lies in the work tree, where the agent reads it -> move the config outside the repository, as to `~/night.yaml`, and start with `--config ~/night.yaml`
    hint: fix these, then run `autoresearch config check autoresearch.yaml`
    ");
    assert_answer!(bed.run(&["config", "check", "autoresearch.yaml"]).fails(3), @"
    exit code 3
    autoresearch.yaml:9: holdout: this config lies in the work tree, where the agent reads it -> move the config outside the repository, as to `~/night.yaml`, and start with `--config ~/night.yaml`
    autoresearch.yaml: 1 error, 0 warnings
    ");
    let outside = bed.home.join("night.yaml");
    fs::write(&outside, &config).unwrap();
    fs::remove_file(bed.path("autoresearch.yaml")).unwrap();
    std::os::unix::fs::symlink(&outside, bed.path("autoresearch.yaml")).unwrap();
    bed.run(&["start"]).fails(3).says("lies in the work tree");
    fs::remove_file(bed.path("autoresearch.yaml")).unwrap();
    bed.write("autoresearch.yaml", &config);
    assert_eq!(bed.fingerprint(), before);
    fs::remove_file(bed.path("autoresearch.yaml")).unwrap();
    fs::write(
        &outside,
        format!("{CONFIG}holdout: {{command: sh guard.sh}}\n"),
    )
    .unwrap();
    let checked = bed.run(&["config", "check", outside.to_str().unwrap()]);
    assert_answer!(checked, @"
    warning: <bed>/home/night.yaml:9: holdout.command: it executes a file of the work tree, which the agent reads -> keep the check itself outside the repository
    <bed>/home/night.yaml: 0 errors, 1 warning
    ");
    fs::write(
        &outside,
        format!("{CONFIG}holdout: {{comand: x, every: hour}}\n"),
    )
    .unwrap();
    let checked = bed.run(&["config", "check", outside.to_str().unwrap()]);
    assert_answer!(checked, @"
    exit code 3
    <bed>/home/night.yaml:9: holdout.comand: unknown key `comand` -> did you mean `command`?
    <bed>/home/night.yaml:9: holdout.every: unknown word `hour` -> use one of `keep`, `end`
    <bed>/home/night.yaml:9: holdout: `command` is missing -> add `command:` (The text for the shell. A status other than 0 fails; a line `METRIC name=value` with the metric of the config must not get worse)
    <bed>/home/night.yaml: 3 errors, 0 warnings
    ");
}

#[test]
fn a_holdout_that_fails_or_leaves_a_file_at_the_start_starts_no_run() {
    let (bed, holdout) = bed();
    let script = bed.home.join("unguessable/check.sh");
    let config = format!("{CONFIG}{holdout}");
    let before = bed.fingerprint();
    fs::write(&script, "echo not yet; exit 1\n").unwrap();
    assert_answer!(bed.try_start(&config).fails(3), @"
    exit code 3
    --- stderr
    error: the holdout does not pass on the untouched tree: exit status 1
    caused by: its last lines: not yet
    hint: run the command by hand; it must pass before the first trial
    ");
    fs::write(&script, "touch left\n").unwrap();
    bed.try_start(&config)
        .fails(3)
        .says("the holdout leaves the tree dirty: left");
    fs::remove_file(bed.path("left")).unwrap();
    fs::write(&script, "echo METRIC any_count=many\n").unwrap();
    bed.try_start(&config)
        .fails(3)
        .says("the holdout prints no metric");
    assert_eq!(bed.fingerprint(), before);
    assert!(
        fs::read_dir(bed.state.join("runs"))
            .unwrap()
            .next()
            .is_none()
    );
    fs::write(&script, CHECK).unwrap();
    bed.run(&[
        "config",
        "try",
        bed.home.join("config.yaml").to_str().unwrap(),
    ])
    .ok();
    assert!(
        fs::read_dir(bed.state.join("runs"))
            .unwrap()
            .next()
            .is_none()
    );
}

#[test]
fn no_agent_starts_a_run_with_a_holdout() {
    let (bed, holdout) = bed();
    let file = bed.home.join("night.yaml");
    let config = ConfigText::demo().agent("true");
    fs::write(&file, format!("{config}{holdout}")).unwrap();
    let file = file.to_str().unwrap();
    let refused = bed.agent("s1", &["start", "--config", file]).fails(4);
    assert_answer!(refused, @"
    exit code 4
    --- stderr
    error: to start a run with a holdout is for the person, not for an agent's session
    hint: nothing was done. Tell the person the command; they run it in their own terminal
    ");
    for (words, code) in [(&["background", "start"][..], 4), (&["exec"], 2)] {
        let words = [words, &["--config", file]].concat();
        let refused = bed.agent("s1", &words).fails(code);
        assert!(refused.err.contains("is for the person"), "{refused}");
    }
    assert!(!bed.path("autoresearch-results").exists());
}

#[test]
fn the_same_start_twice_is_one_run_and_with_another_holdout_it_is_another() {
    let (bed, holdout) = bed();
    let config = format!("{CONFIG}{holdout}");
    bed.start(&config);
    bed.start(&config)
        .says("was started before with this config");
    let other = config.replace("hidden-argument", "other");
    bed.try_start(&other).fails(4);
}

/// What verify finds of the secrets, beside the anchor, in the config and in the files that the holdout names; and what it
/// names itself.
const LOOK: &str = "
test -e src/look && { grep -rlsE 'hidden-argument|told-on-stdout|far-sample' STATE HOME; cat HOME/shared; }
cat src/* | grep -c '^any$'
";

#[test]
fn code_that_verify_runs_in_its_sandbox_cannot_read_the_holdout() {
    let (bed, _) = bed();
    let samples = bed.home.join("night/samples");
    fs::create_dir_all(&samples).unwrap();
    fs::write(samples.join("1"), "far-sample\n").unwrap();
    fs::write(bed.home.join("shared"), "for-both\n").unwrap();
    let check = "grep -q far-sample \"$2/1\" || exit 9\n".to_owned() + CHECK;
    fs::write(bed.home.join("unguessable/check.sh"), check).unwrap();
    let holdout = "holdout: {command: \"sh ~/unguessable/check.sh hidden-argument ~/night/samples ~/shared\"}\n";
    let look = LOOK
        .replace("STATE", bed.state.to_str().unwrap())
        .replace("HOME", bed.home.to_str().unwrap());
    bed.write("count.sh", &look);
    bed.git(&["commit", "-qam", "look"]);
    let everything = [
        "config.yaml",
        "for-both",
        "holdout.json",
        "samples/1",
        "start.out",
        "unguessable/check.sh",
    ];
    for (sandbox, seen) in [("false", &everything[..]), ("true", &["for-both"])] {
        let config = ConfigText::demo()
            .verify_with("sandbox", sandbox)
            .verify("sh count.sh ~/shared");
        let started = bed.try_start(&format!("{config}{holdout}"));
        if sandbox == "true" && started.code == 6 {
            note_skipped("there is no sandbox here");
            return;
        }
        started.ok();
        bed.edit(2);
        bed.write("src/look", "");
        let report = bed.trial("look for it");
        let read = fs::read_to_string(bed.run_file("trials/1/verify-1.out")).unwrap();
        let mut found: Vec<&str> = everything.to_vec();
        found.retain(|place| read.contains(place));
        assert_eq!(found, seen, "sandbox: {sandbox}, {report}");
        assert_eq!(report["verdict"], "keep", "the holdout itself can read it");
        bed.run(&["finish"]).ok();
        bed.git(&["branch", "-D", "autoresearch/demo"]);
        bed.run(&["clean", "--yes"]).ok();
    }
}

#[test]
fn a_holdout_of_the_end_is_asked_once_about_what_was_kept_and_its_failure_is_said_first() {
    let (bed, _) = bed();
    bed.start(&format!("{CONFIG}{}", holdout(", every: end")));
    bed.edit(2);
    bed.write("src/b", "cheat\n");
    assert_eq!(
        bed.trial("fewer")["verdict"],
        "keep",
        "nothing is asked yet"
    );
    let folder = bed.vault().join("holdout");
    assert!(!folder.join("trial-1.out").exists());
    for arguments in [&["status"][..], &["log"], &["show", "1"]] {
        tells_nothing(&bed.run(arguments));
    }
    let finished = bed.run(&["finish"]).ok();
    tells_nothing(&finished);
    assert_answer!(finished, @"
    holdout: what was kept did not pass a check that is not shown; do not merge it as it is
    run `demo` ended: user-stop (finished by a person)
    improved: any_count 10 -> 4, 1 trial kept on autoresearch/demo
    claim: a gain of 60 %: a clean checkout of the last commit was measured again
      <commit> experiment: fewer [jump: far outside everything measured before; a second run agrees; look at it before you merge]
    checked out: main
    left here: branch autoresearch/demo, folder autoresearch-results/demo; `autoresearch clean` lists what can be removed
    next: look at it with `git log -p <commit>..autoresearch/demo`, then `git merge autoresearch/demo`; `git branch -D autoresearch/demo` discards it
    ");
    let reason = fs::read_to_string(folder.join("end.reason")).unwrap();
    assert_eq!(reason, "exit status 7\n");
    let journal = bed.read("autoresearch-results/demo/journal.jsonl");
    assert_eq!(journal.matches("\"holdout\":false").count(), 1, "{journal}");
    assert_eq!(find_secrets(&bed.repo), Vec::<String>::new());

    let check = bed.home.join("unguessable/check.sh");
    fs::write(check, "touch $HOME/asked-again\n").unwrap();
    let again = bed.run(&["finish", "--json"]).ok().json();
    assert_eq!(again["reason"], "holdout");
    assert!(!bed.home.join("asked-again").exists());
}

#[test]
fn a_holdout_of_the_end_that_passes_says_nothing_and_one_that_fell_or_was_swapped_does() {
    // What the trial writes to `src/c` is its hidden value; the start had two.
    for (counted, swapped, reason) in [
        (1, false, serde_json::Value::Null),
        (3, false, "holdout".into()),
        (1, true, "holdout".into()),
    ] {
        let (bed, _) = bed();
        bed.start(&format!("{CONFIG}{}", holdout(", every: end")));
        bed.edit(0);
        bed.write("src/c", &"any\n".repeat(counted));
        assert_eq!(bed.trial("fewer")["verdict"], "keep");
        if swapped {
            fs::write(bed.home.join("unguessable/check.sh"), "exit 0\n").unwrap();
        }
        let finished = bed.run(&["finish", "--json"]).ok().json();
        assert_eq!(
            finished["reason"], reason,
            "{counted} {swapped}: {finished}"
        );
    }
}

#[test]
fn a_holdout_of_the_end_is_not_asked_where_nothing_was_kept_and_unasked_is_no_pass() {
    let (bed, _) = bed();
    let config = format!("{CONFIG}{}", holdout(", every: end"));
    bed.start(&config);
    let finished = bed.run(&["finish", "--json"]).ok().json();
    assert!(finished.get("reason").is_none(), "{finished}");
    assert!(!bed.vault().join("holdout/end.out").exists());
    bed.git(&["branch", "-D", "autoresearch/demo"]);
    bed.run(&["clean", "--yes"]).ok();

    bed.start(&config);
    assert_eq!(bed.try_count(2), "keep");
    bed.git(&["checkout", "-q", "main"]);
    let finished = bed.run(&["finish", "--json"]).ok().json();
    assert_eq!(finished["reason"], "holdout", "{finished}");
}

#[test]
fn a_job_whose_kept_state_fails_the_holdout_of_the_end_does_not_end_well() {
    let (bed, _) = bed();
    let agent = "cat >/dev/null; echo any > src/a; echo cheat > src/b\n";
    fs::write(bed.home.join("agent.sh"), agent).unwrap();
    let config = ConfigText::demo()
        .agent("sh \"$HOME/agent.sh\"")
        .iterations(1);
    let file = bed.home.join("night.yaml");
    let text = format!("{config}{}", holdout(", every: end"));
    fs::write(&file, text).unwrap();
    let ended = bed.run_with(
        &["exec", "--config", file.to_str().unwrap()],
        &[("SEALED_PATIENCE", "20")],
    );
    tells_nothing(&ended);
    let summary: serde_json::Value =
        serde_json::from_str(ended.out.lines().last().unwrap()).unwrap();
    assert_eq!(
        (ended.code, &summary["improved"], &summary["reason"]),
        (1, &true.into(), &"holdout".into()),
        "{ended}"
    );
}
