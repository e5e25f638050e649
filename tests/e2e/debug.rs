//! The search for a cause: what is believed of a claim, what is refused with what is there, and that nothing of the user's changes.

use std::collections::BTreeSet;
use std::net::TcpListener;

use crate::crash::{Saved, steps_of};
use crate::sandboxes::can_be_closed;
use crate::shown::assert_answer;
use crate::testbed::{Answer, Testbed};

const POOL: &str = "free=3\nask() {\n  [ \"$free\" -gt 0 ] || { echo 503; return; }\n  free=$((free - 1))\n  [ \"$1\" = bad ] && { echo 500; return; }\n  free=$((free + 1))\n  echo 200\n}\n";
const PROBE: &str = ". ./src/pool.sh\nfor n in 1 2 3 4; do ask bad > answer; answer=$(cat answer); echo \"$answer\"; done\n[ \"$answer\" != 503 ]\n";

/// A program with a fault, a probe that shows it, and work of the user's that is not committed.
fn prepare() -> Testbed {
    let bed = Testbed::new();
    bed.write("src/pool.sh", POOL);
    bed.write("probe.sh", PROBE);
    bed.write(
        ".gitignore",
        "autoresearch-results\nnode_modules\n*.log\nanswer\n",
    );
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "pool"]);
    bed
}

fn open(bed: &Testbed) {
    bed.run(&["debug", "start", "-m", "it answers 503"]).ok();
    let add = [
        "hypothesis",
        "add",
        "-m",
        "a connection is lost on an error",
    ];
    let predicts = ["--predicts", "503 after three errors"];
    bed.run(&[&add[..], &predicts[..]].concat()).ok();
}

fn say(bed: &Testbed, words: &[&str]) -> Answer {
    bed.run(&[&["hypothesis", "result", "1"], words].concat())
}

/// A claim that the hypothesis is the cause.
fn confirm(bed: &Testbed, evidence: &[&str]) -> Answer {
    say(bed, &[&["confirmed", "-m", "it is so"], evidence].concat())
}

const SHOWN: [&str; 6] = [
    "--command",
    "sh probe.sh",
    "--expect-exit",
    "1",
    "--expect-output",
    "503",
];

#[test]
fn a_search_goes_from_the_symptom_to_a_cause_and_to_the_run_that_mends_it() {
    if !can_be_closed() {
        return;
    }
    let bed = prepare();
    assert_answer!(bed.run(&["debug", "start", "-m", "it answers 503"]), @r#"
    debug-1: opened
    next: name what could be the cause: autoresearch hypothesis add -m "..." --predicts "what would be seen"
    "#);
    open_second(&bed);
    let add = [
        "hypothesis",
        "add",
        "-m",
        "a connection is lost on an error",
    ];
    assert_answer!(bed.run(&[&add[..], &["--predicts", "503 after three errors"]].concat()), @r#"
    debug-1: hypothesis 1 added
    next: look for what would be seen if it were true and not otherwise, then: autoresearch hypothesis result 1 confirmed|disproven|inconclusive|lead -m "what it says" with --at PATH:LINE --quote TEXT, or --command COMMAND --expect-exit STATUS
    "#);
    let limit = [
        "hypothesis",
        "add",
        "-m",
        "the limit is too low",
        "--predicts",
        "503 without an error",
    ];
    bed.run(&limit).ok();
    let good = ". ./src/pool.sh; for n in 1 2 3 4 5 6; do ask good; done";
    let disproven = [
        "hypothesis",
        "result",
        "2",
        "disproven",
        "-m",
        "not without errors",
    ];
    let seen = [
        "--command",
        good,
        "--expect-exit",
        "0",
        "--expect-no-output",
        "503",
        "--runs",
        "3",
    ];
    assert_answer!(bed.run(&[&disproven[..], &seen[..]].concat()), @r#"
    debug-1: hypothesis 2 is disproven
    seen        `. ./src/pool.sh; for n in 1 2 3 4 5 6; do ask good; done`: exit status 0, does not print "503", seen in 3 of 3: at least 37 %, with 95 % confidence; at commit <commit>; all that it printed: evidence/3.txt
    next: look for what would be seen if it were true and not otherwise, then: autoresearch hypothesis result 1 confirmed|disproven|inconclusive|lead -m "what it says" with --at PATH:LINE --quote TEXT, or --command COMMAND --expect-exit STATUS
    "#);
    let place = [
        "--at",
        "src/pool.sh:4",
        "--quote",
        "[ \"$1\" = bad ] && {  echo 500; return; }",
    ];
    assert_answer!(confirm(&bed, &[&place[..], &SHOWN[..]].concat()), @r#"
    debug-1: hypothesis 1 is confirmed
    seen        src/pool.sh:5 (named as line 4): [ "$1" = bad ] && {  echo 500; return; }
    seen        `sh probe.sh`: exit status 1, prints "503", seen; at commit <commit>; all that it printed: evidence/4.txt
    ended       the cause is confirmed, hypothesis 1: a connection is lost on an error
    next: tell the person the cause with its evidence (autoresearch-results/debug-1/summary.md) and offer a fix; on their yes: autoresearch debug fix
    "#);
    for page in ["summary.md", "findings.md", "eliminated.md"] {
        let text = bed.read(&format!("autoresearch-results/debug-1/{page}"));
        insta::with_settings!({filters => crate::shown::CHANGING}, {
            insta::assert_snapshot!(format!("debug_{page}"), text);
        });
    }
    assert_answer!(bed.run(&["debug", "status"]), @"
    debug-1: it answers 503
       1 confirmed    a connection is lost on an error
       2 disproven    the limit is too low
    pages       autoresearch-results/debug-1
    ended       the cause is confirmed, hypothesis 1: a connection is lost on an error
    next: tell the person the cause with its evidence (autoresearch-results/debug-1/summary.md) and offer a fix; on their yes: autoresearch debug fix
    ");
    assert_answer!(bed.run(&["debug", "list"]), @"debug-1    confirmed    2  it answers 503");
    let lessons = bed.read("autoresearch-results/lessons.md");
    assert_answer!(lessons.lines().last().unwrap(), @"- <date> cause: it answers 503: a connection is lost on an error (cause; src/pool.sh)");
    assert_answer!(bed.run(&["debug", "fix"]), @"
    wrote       autoresearch.yaml
    verify      sh probe.sh
    guard       none yet: add what must keep passing, such as the tests
    next: read it, then autoresearch config try, then autoresearch start
    ");
    assert_answer!(bed.read("autoresearch.yaml"), @"
    # Proposed by `autoresearch debug fix`. Change what you like, then: autoresearch config try
    # Why: debug-1: a connection is lost on an error
    goal: 'Fix the cause of: it answers 503'
    mode: fix

    # What a trial may change.
    scope:
      - src/pool.sh

    metric:
      name: failed_runs
      direction: lower
      target: 0

    # How the number is made.
    verify:
      exit_rate: sh probe.sh
      runs: 2
      timeout: 10m

    # To go on working in these files meanwhile, let the run work in a separate tree:
    # isolation: worktree
    ");
    bed.run(&["start"]).ok();
    bed.write(
        "src/pool.sh",
        &POOL.replace("&& { echo 500;", "&& { free=$((free + 1)); echo 500;"),
    );
    let trial = bed.run(&["trial", "-m", "give it back", "--json"]).json();
    assert_eq!(trial["end"], "target", "{trial}");
}

/// Another search cannot be opened beside it.
fn open_second(bed: &Testbed) {
    assert_answer!(bed.run(&["debug", "start", "-m", "another"]), @r#"
    exit code 2
    --- stderr
    error: the search `debug-1` is open: it answers 503
    hint: go on with it (`autoresearch debug status`), or end it: autoresearch debug stop -m "why"
    "#);
}

#[test]
fn a_claim_whose_evidence_is_not_there_is_refused_with_what_is_there() {
    let bed = prepare();
    assert_answer!(bed.run(&["hypothesis", "add", "-m", "x", "--predicts", "y"]), @r#"
    exit code 2
    --- stderr
    error: no search for a cause is open here
    hint: autoresearch debug start -m "the symptom" opens one
    "#);
    open(&bed);
    let records = bed.read("autoresearch-results/debug-1/ledger.jsonl");
    assert_answer!(confirm(&bed, &[]), @"
    exit code 2
    --- stderr
    error: `confirmed` takes evidence: a place in a file, or a command that was run
    hint: nothing was recorded. Add --at PATH:LINE --quote TEXT, or --command COMMAND with --expect-exit or --expect-output; without evidence the outcome is `inconclusive` or `lead`
    ");
    assert_answer!(confirm(&bed, &["--at", "src/pool.sh:4", "--quote", "free=$((free - 2))"]), @"
    exit code 2
    --- stderr
    error: the quotation does not stand in src/pool.sh: line 4 is: free=$((free - 1))
    hint: nothing was recorded. Read the file again, and quote what stands there
    ");
    assert_answer!(confirm(&bed, &["--at", "src/pool.sh:400", "--quote", "free=$((free - 2))"]), @"
    exit code 2
    --- stderr
    error: the quotation does not stand in src/pool.sh: it has no line 400
    hint: nothing was recorded. Read the file again, and quote what stands there
    ");
    assert_answer!(confirm(&bed, &["--at", "src/none.sh:4", "--quote", "free"]), @"
    exit code 2
    --- stderr
    error: there is no file src/none.sh in the repository
    hint: nothing was recorded. Name a file that git tracks or would track, from the current folder or from the root of the repository
    ");
    assert_answer!(confirm(&bed, &["--at", "src/pool.sh:4", "--quote", " }"]), @"
    exit code 2
    --- stderr
    error: the quotation for src/pool.sh is empty or too short
    hint: nothing was recorded. Quote what stands there, at least three letters of it
    ");
    for outside in [
        "../other:1",
        "/etc/passwd:1",
        ".git/config:1",
        "src/../../x:1",
    ] {
        let answer = confirm(&bed, &["--at", outside, "--quote", "root"]).fails(2);
        assert!(
            answer.err.contains("lies outside the repository"),
            "{answer:?}"
        );
    }
    std::os::unix::fs::symlink("/etc/passwd", bed.path("src/link")).unwrap();
    std::os::unix::fs::symlink("/etc", bed.path("src/etc")).unwrap();
    for link in ["src/link:1", "src/etc/passwd:1"] {
        let answer = confirm(&bed, &["--at", link, "--quote", "root"]).fails(2);
        assert!(answer.err.contains("there is no file"), "{answer:?}");
    }
    let unknown = ["hypothesis", "result", "7", "lead", "-m", "x"];
    assert_answer!(bed.run(&unknown), @"
    exit code 2
    --- stderr
    error: there is no hypothesis 7: there are 1
    hint: nothing was recorded. `autoresearch debug status` lists them; `autoresearch hypothesis add` adds one
    ");
    assert_answer!(say(&bed, &["lead", "-m", " "]), @"
    exit code 2
    --- stderr
    error: what it says is empty
    hint: say it in one sentence
    ");
    let command = ["--command", "true"];
    assert_answer!(confirm(&bed, &command), @"
    exit code 2
    --- stderr
    error: it is not said what the command shows
    hint: nothing was run or recorded. Add --expect-exit STATUS (or fails, hangs), --expect-output TEXT or --expect-no-output TEXT: what would be seen if the claim is true, and not otherwise
    ");
    let at_least = [
        "--command",
        "true",
        "--expect-exit",
        "0",
        "--runs",
        "2",
        "--at-least",
        "3",
    ];
    assert_answer!(confirm(&bed, &at_least), @"
    exit code 2
    --- stderr
    error: --at-least is more than the runs, or nothing
    hint: nothing was run or recorded. Say in how many of --runs it has to be seen
    ");
    assert_eq!(
        bed.read("autoresearch-results/debug-1/ledger.jsonl"),
        records
    );
}

#[test]
fn a_command_that_does_not_show_what_is_claimed_is_refused_with_what_it_showed() {
    if !can_be_closed() {
        return;
    }
    let bed = prepare();
    open(&bed);
    let records = bed.read("autoresearch-results/debug-1/ledger.jsonl");
    let refuse = |evidence: &[&str]| confirm(&bed, evidence).fails(2);
    assert_answer!(refuse(&["--command", "sh probe.sh", "--expect-exit", "0"]), @r#"
    exit code 2
    --- stderr
    error: the command does not show it: expected: exit status 0; seen: exit status 1; it printed: 500\n500\n503
    hint: nothing was recorded. What was seen may speak against the hypothesis, or the command does not test it
    "#);
    assert_answer!(refuse(&["--command", "echo fine", "--expect-output", "503", "--runs", "4", "--at-least", "1"]), @r#"
    exit code 2
    --- stderr
    error: the command does not show it: expected: prints "503" in 0 of 4 runs, and at least 1 were asked for; seen: exit status 0; it printed: fine
    hint: nothing was recorded. What was seen may speak against the hypothesis, or the command does not test it
    "#);
    assert_answer!(refuse(&["--command", "no-such-program", "--expect-exit", "fails"]), @"
    exit code 2
    --- stderr
    error: the command, or one that it calls, was not found or could not be started (exit status 127): /bin/sh: 1: no-such-program: not found
    hint: nothing was recorded. The command runs in a copy of what git tracks or would track, without `.git`
    ");
    assert_answer!(refuse(&["--command", "sleep 100", "--expect-exit", "fails", "--timeout", "1s"]), @"
    exit code 2
    --- stderr
    error: the command does not show it: expected: it fails; seen: did not end in time; it printed nothing
    hint: nothing was recorded. What was seen may speak against the hypothesis, or the command does not test it
    ");
    assert_eq!(
        bed.read("autoresearch-results/debug-1/ledger.jsonl"),
        records
    );
    // Every second run: `runs` counts in a folder of its own, so the copy is where they meet.
    let flaky = "n=$(cat n 2>/dev/null || echo 0); echo $((n + 1)) > n; exit $((n % 2))";
    let now_and_then = [
        "--command",
        flaky,
        "--expect-exit",
        "1",
        "--runs",
        "10",
        "--at-least",
        "1",
    ];
    assert_answer!(say(&bed, &[&["inconclusive", "-m", "half of the time"], &now_and_then[..]].concat()), @r#"
    debug-1: hypothesis 1 is inconclusive
    seen        `n=$(cat n 2>/dev/null || echo 0); echo $((n + 1)) > n; exit $((n % 2))`: exit status 1, seen in 5 of 10: 50 % (19 to 81), 95 % interval; at commit <commit>; all that it printed: evidence/2.txt
    next: name what could be the cause: autoresearch hypothesis add -m "..." --predicts "what would be seen"
    "#);
    let hangs = [
        "--command",
        "sleep 100",
        "--expect-exit",
        "hangs",
        "--timeout",
        "1s",
    ];
    let answer = confirm(&bed, &hangs).ok();
    assert!(
        answer.out.contains("it does not end in time, seen"),
        "{answer:?}"
    );
}

#[test]
fn evidence_is_looked_for_in_the_commit_and_in_the_work_tree() {
    let bed = prepare();
    open(&bed);
    bed.write(
        "src/pool.sh",
        &format!("# one line more\n{}", POOL.replace("free=3", "free=4")),
    );
    bed.write("src/new.sh", "limit=9\n");
    let place = |at: &str, quote: &str| {
        let words = ["lead", "-m", "x", "--at", at, "--quote", quote, "--json"];
        let report = say(&bed, &words).ok().json();
        report["seen"][0].as_str().unwrap().to_owned()
    };
    // The line of the commit, the line of the work tree, a line that moved, a file that is new.
    insta::assert_snapshot!(place("src/pool.sh:1", "free=3"), @"src/pool.sh:1: free=3");
    insta::assert_snapshot!(place("src/pool.sh:2", "free=4"), @"src/pool.sh:2 (not committed): free=4");
    insta::assert_snapshot!(place("src/pool.sh:7", "free=$((free - 1))"), @"src/pool.sh:4 (named as line 7): free=$((free - 1))");
    insta::assert_snapshot!(place("src/new.sh:1", "limit=9"), @"src/new.sh:1 (not committed): limit=9");
    // From the folder in which it is called, too.
    let here = bed.path("src");
    let words = [
        "-C",
        here.to_str().unwrap(),
        "hypothesis",
        "result",
        "1",
        "lead",
        "-m",
        "x",
    ];
    let from_here = bed
        .run(&[&words[..], &["--at", "new.sh:1", "--quote", "limit"]].concat())
        .ok();
    assert!(
        from_here
            .out
            .contains("src/new.sh:1 (not committed): limit"),
        "{from_here:?}"
    );
}

#[test]
fn an_experiment_changes_nothing_of_the_users_and_reaches_nothing_outside_of_its_copy() {
    if !can_be_closed() {
        return;
    }
    let bed = prepare();
    bed.write("src/pool.sh", "mine, not committed\n");
    bed.write("notes", "untracked\n");
    bed.write("kept.log", "ignored\n");
    bed.write("node_modules/one/index.js", "one\n");
    bed.git(&["stash", "push", "-q", "--", "src/pool.sh"]);
    bed.write("src/pool.sh", "mine again\n");
    bed.write("staged", "x\n");
    bed.git(&["add", "staged"]);
    open(&bed);
    let before = bed.fingerprint();
    let git = || {
        (
            bed.git(&["stash", "list"]),
            bed.git(&["for-each-ref"]),
            bed.git(&["status", "--porcelain"]),
        )
    };
    let refs = git();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let lines = [
        "cat src/pool.sh notes staged node_modules/one/index.js".to_owned(),
        "test ! -e kept.log && test ! -e .git && echo hidden".to_owned(),
        "rm -rf src notes; echo gone > probe.sh; echo written".to_owned(),
        format!("! touch {} 2>&1", bed.path("new").display()),
        "! echo x > node_modules/one/index.js".to_owned(),
        format!("! touch {} 2>&1", bed.home.join("new").display()),
        format!("! touch {} 2>&1", bed.state.join("new").display()),
        format!("! bash -c 'exec 3<> /dev/tcp/127.0.0.1/{port}' 2>&1"),
        "echo all of it".to_owned(),
    ];
    let command = lines.join(" && ");
    let seen = [
        "--command",
        &command,
        "--expect-exit",
        "0",
        "--expect-output",
        "all of it",
    ];
    let answer = say(&bed, &[&["lead", "-m", "x"], &seen[..]].concat());
    assert_eq!(answer.code, 0, "{answer:?}");
    let printed = bed.read("autoresearch-results/debug-1/evidence/2.txt");
    let first: Vec<&str> = printed.lines().take(6).collect();
    assert_eq!(
        first,
        ["mine again", "untracked", "x", "one", "hidden", "written"]
    );
    assert_eq!(bed.fingerprint(), before);
    assert_eq!(git(), refs);
}

#[test]
fn a_filter_that_the_repository_names_is_not_run() {
    let bed = prepare();
    let mark = bed.home.join("ran");
    let program = format!("sh -c 'touch {}; cat'", mark.display());
    for key in [
        "filter.x.clean",
        "filter.x.smudge",
        "core.fsmonitor",
        "diff.x.textconv",
    ] {
        bed.git(&["config", key, &program]);
    }
    bed.write(".gitattributes", "*.sh filter=x diff=x\n");
    bed.write("src/pool.sh", "limit=1\n");
    open(&bed);
    confirm(&bed, &["--at", "src/pool.sh:1", "--quote", "limit=1"]).ok();
    bed.run(&["debug", "status"]).ok();
    if can_be_closed() {
        bed.run(&["debug", "start", "-m", "again"]).ok();
        bed.run(&["hypothesis", "add", "-m", "x", "--predicts", "y"])
            .ok();
        confirm(&bed, &["--command", "true", "--expect-exit", "0"]).ok();
    }
    assert!(!mark.exists());
}

#[test]
fn a_ledger_that_somebody_edited_is_not_believed_and_ends_are_named() {
    let bed = prepare();
    let limits = [
        "debug",
        "start",
        "-m",
        "x",
        "--hypotheses",
        "2",
        "--fruitless",
        "2",
    ];
    bed.run(&limits).ok();
    bed.run(&["hypothesis", "add", "-m", "a", "--predicts", "b"])
        .ok();
    bed.run(&["hypothesis", "add", "-m", "c", "--predicts", "d"])
        .ok();
    assert_answer!(bed.run(&["hypothesis", "add", "-m", "e", "--predicts", "f"]), @r#"
    exit code 2
    --- stderr
    error: 2 hypotheses are open or looked at, and the limit is as many
    hint: nothing was recorded. Say what became of those that are open, or end the search: autoresearch debug stop -m "why"
    "#);
    bed.run(&["hypothesis", "result", "1", "inconclusive", "-m", "no"])
        .ok();
    let end = bed.run(&["hypothesis", "result", "2", "inconclusive", "-m", "no"]);
    assert_answer!(end, @"
    debug-1: hypothesis 2 is inconclusive
    ended       2 results in a row led nowhere
    next: tell the person what was ruled out (autoresearch-results/debug-1/summary.md), and what would help: logs, access, a way to reproduce it
    ");
    assert_answer!(bed.run(&["hypothesis", "result", "2", "lead", "-m", "no"]), @r#"
    exit code 2
    --- stderr
    error: no search for a cause is open here
    hint: autoresearch debug start -m "the symptom" opens one
    "#);
    bed.run(&["debug", "start", "-m", "y"]).ok();
    assert_answer!(bed.run(&["debug", "stop", "-m", "no time"]), @"
    debug-2: stopped
    ended       it was stopped: no time
    next: tell the person what was ruled out (autoresearch-results/debug-2/summary.md), and what would help: logs, access, a way to reproduce it
    ");
    assert_answer!(bed.run(&["debug", "list"]), @"
    debug-2    stopped      0  y
    debug-1    no-lead      2  x
    ");
    assert_answer!(bed.run(&["debug", "status", "--run", "debug-9"]), @"
    exit code 2
    --- stderr
    error: there is no search `debug-9`
    hint: `autoresearch debug list` names those of this repository
    ");
    assert_answer!(bed.run(&["debug", "fix"]), @"
    exit code 2
    --- stderr
    error: no cause is confirmed
    hint: nothing was written. `autoresearch debug status` says what is next
    ");
    let ledger = bed.path("autoresearch-results/debug-2/ledger.jsonl");
    let text = std::fs::read_to_string(&ledger).unwrap();
    std::fs::write(&ledger, text.replace("no time", "found it")).unwrap();
    let refused = bed.run(&["debug", "status"]);
    assert_ne!(refused.code, 0, "{refused:?}");
    assert_answer!(refused.err, @"
    error: the run's files are not what this tool left
    caused by: the run `debug-2` was changed from outside: the last line of its journal was edited
    hint: nothing of it is believed. Restore its folder in autoresearch-results, or move that away and open another search
    ");
}

/// What an agent in a sandbox registers: done by the hook of its session alone, in its order, up to what is refused.
#[test]
fn the_hook_does_what_a_session_registered_and_nobody_elses() {
    let bed = prepare();
    let orders = |session: &str| {
        let text = serde_json::json!({"session": session, "orders": [
            {"open": {"symptom": "it answers 503", "limits": {"hypotheses": 20, "fruitless": 6}}},
            {"add": {"message": "a connection is lost", "predicts": "503"}},
            {"result": {"hypothesis": 1, "outcome": "lead", "message": "x", "places": [{"path": "src/pool.sh", "line": 1, "quote": "free=3"}], "experiment": null}},
            {"result": {"hypothesis": 1, "outcome": "confirmed", "message": "x", "places": [], "experiment": null}},
            {"stop": {"message": "enough"}},
        ]});
        let _ = std::fs::create_dir(bed.path("autoresearch-results"));
        bed.write("autoresearch-results/orders.json", &text.to_string());
    };
    orders("s1");
    for (event, session) in [("stop", "s2"), ("stop", ""), ("session-start", "s1")] {
        assert_eq!(
            bed.hook(event, session).ok().out,
            "",
            "{event} of {session}"
        );
    }
    let answer = bed.hook("stop", "s1").ok().json();
    assert_eq!(answer["decision"], "block");
    assert_answer!(answer["reason"].as_str().unwrap(), @r#"
    debug-1: opened
    debug-1: hypothesis 1 added
    debug-1: hypothesis 1 is lead
    seen        src/pool.sh:1: free=3
    error: `confirmed` takes evidence: a place in a file, or a command that was run
    hint: nothing was recorded. Add --at PATH:LINE --quote TEXT, or --command COMMAND with --expect-exit or --expect-output; without evidence the outcome is `inconclusive` or `lead`
    1 that were registered behind it were not done
    next: name what could be the cause: <program> hypothesis add -m "..." --predicts "what would be seen"
    "#);
    assert_eq!(bed.hook("stop", "s1").ok().out, "", "once");
    // An interruption gives up what was registered.
    orders("s1");
    assert_eq!(bed.hook("interrupt", "s1").ok().out, "");
    assert_eq!(bed.hook("stop", "s1").ok().out, "");
    bed.write(
        "autoresearch-results/orders.json",
        "{\"session\": \"s1\", \"orders\": [7]}",
    );
    assert_eq!(bed.hook("stop", "s1").ok().out, "");
}

/// All steps that the commands of a search have.
pub(crate) fn list_steps() -> BTreeSet<String> {
    let bed = prepare();
    let mut met = BTreeSet::new();
    for words in walk() {
        met.extend(steps_of(&bed, &words));
    }
    met
}

/// A search that needs no sandbox, from its opening to its end.
fn walk() -> [Vec<&'static str>; 4] {
    [
        vec!["debug", "start", "-m", "it answers 503"],
        vec![
            "hypothesis",
            "add",
            "-m",
            "a connection is lost",
            "--predicts",
            "503",
        ],
        vec![
            "experiment",
            "1",
            "lead",
            "-m",
            "x",
            "--command",
            "sh probe.sh",
            "--expect-exit",
            "1",
        ],
        vec!["debug", "stop", "-m", "enough"],
    ]
}

#[test]
fn a_crash_at_every_step_of_a_search_comes_to_the_same_end() {
    let bed = prepare();
    let mut crashes = 0;
    for (index, words) in walk().iter().enumerate() {
        let before = Saved::of(&bed, &format!("before-{index}"));
        let steps = steps_of(&bed, words);
        let whole = bed.run(&["debug", "status"]).ok().out;
        for step in 1..=steps.len() {
            let place = format!("{words:?}: crash before step {step}, {}", steps[step - 1]);
            before.lay_back(&bed);
            let answer = bed.run_with(words, &[("SEALED_CRASH_AT", &step.to_string())]);
            assert_eq!(answer.code, -1, "{place}: {answer:?}");
            crashes += 1;
            // What was recorded is refused the second time, or would be a second record: so it is looked at first.
            let status = bed.run(&["debug", "status"]);
            if !status.out.contains("debug-1") || status.out != whole {
                let again = bed.run(words);
                assert_eq!(again.code, 0, "{place}: {again:?}\n{status:?}");
            }
            let end = bed.run(&["debug", "status"]).ok().out;
            assert_eq!(end.replace("debug-2", "debug-1"), whole, "{place}");
            let name = if end.contains("debug-2") {
                "debug-2"
            } else {
                "debug-1"
            };
            let summary = bed.read(&format!("autoresearch-results/{name}/summary.md"));
            assert!(
                summary.starts_with("# it answers 503\n"),
                "{place}: {summary}"
            );
        }
    }
    assert!(crashes > 12, "{crashes}");
}
