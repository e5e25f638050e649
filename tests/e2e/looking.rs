//! The commands that look: `status`, `log`, `resume`, `doctor`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::{CONFIG, Testbed, wait_until};

/// A run with a keep, a discard, a crash and a no-op; 9 is the best.
fn eventful() -> Testbed {
    let bed = Testbed::new();
    bed.write(
        "count.sh",
        "test ! -e src/crash || exit 3\ncat src/* | grep -c '^any$'\n",
    );
    bed.git(&["commit", "-qam", "count"]);
    bed.start(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
    assert_eq!(bed.try_count(20), "discard");
    bed.write("src/crash", "");
    assert_eq!(bed.trial("crash")["verdict"], "crash");
    assert_eq!(bed.agents_trial("4 any")["verdict"], "no-op");
    bed.run(&["strategy", "refine", "-m", "smaller steps"]).ok();
    bed
}

/// Every file below a folder, with its bytes.
fn bytes_below(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(bytes_below(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

fn refs(bed: &Testbed) -> String {
    bed.git(&["for-each-ref", "--format=%(refname) %(objectname)"])
}

#[test]
fn status_gives_programs_every_number_of_the_run() {
    let bed = eventful();
    let status = bed.run(&["status", "--json"]).ok().json();
    for (field, expected) in [
        ("run", "demo"),
        ("goal", "Fewer any"),
        ("state", "active"),
        ("metric", "any_count"),
        ("direction", "lower"),
        ("branch", "autoresearch/demo"),
        ("due", "trial"),
    ] {
        assert_eq!(status[field], expected, "{field}");
    }
    for (field, expected) in [
        ("baseline", 10),
        ("incumbent", 9),
        ("incumbent_trial", 1),
        ("iterations", 4),
        ("iterations_limit", 100),
        ("keep", 1),
        ("discard", 1),
        ("crash", 1),
        ("no_op", 1),
        ("interrupted", 0),
        ("failures", 3),
        ("pivots", 0),
    ] {
        assert_eq!(status[field].as_u64(), Some(expected), "{field}");
    }
    for field in ["end", "why", "target", "holder", "obstacle"] {
        assert!(status[field].is_null(), "{field}");
    }
    assert_eq!(status["deterministic"], true);
    assert_eq!(
        status["incumbent_commit"].as_str(),
        Some(bed.head().as_str())
    );
    assert!(status["next"].as_str().unwrap().starts_with("next: "));
}

#[test]
fn status_tells_people_the_same_in_a_few_lines() {
    let bed = eventful();
    let text = bed
        .run(&["status"])
        .ok()
        .out
        .replace(&bed.head()[..7], "COMMIT7");
    let started = text.lines().find(|line| line.starts_with("  started   "));
    let started = started.unwrap();
    assert!(started.ends_with(" ago"), "{started}");
    let text = text.replace(started, "  started   TIME ago");
    insta::assert_snapshot!(text.trim_end(), @r#"
    run `demo`: Fewer any
      active    no process works on it now
      started   TIME ago
      metric    any_count (lower is better)
      start     10
      best      9 (-10 %) from trial 1, commit COMMIT7
      trials    4 of 100: 1 keep, 1 discard, 1 crash, 1 no-op
      ladder    3 failed in a row, 0 pivots without a keep
      branch    autoresearch/demo
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    bed.run(&["stop", "-m", "enough\u{1b}[31m"]).ok();
    assert_answer!(bed.run(&["status"]), @r#"
    run `demo`: Fewer any
      ended     user-stop (enough\u{1b}[31m)
      started   <time>, <span> ago
      metric    any_count (lower is better)
      start     10
      best      9 (-10 %) from trial 1, commit <commit>
      trials    4 of 100: 1 keep, 1 discard, 1 crash, 1 no-op
      ladder    3 failed in a row, 0 pivots without a keep
      branch    autoresearch/demo
    next: the run has ended (user-stop: enough\u{1b}[31m); `autoresearch finish` goes back to your branch and shows what was kept
    "#);
}

/// A run whose verify waits for a word from the test, once the gate is shut.
pub(crate) struct Gated {
    pub bed: Testbed,
    waiting: std::path::PathBuf,
    gate: std::path::PathBuf,
}

impl Gated {
    pub(crate) fn started() -> Self {
        let bed = Testbed::new();
        let (gate, waiting) = (bed.home.join("gate"), bed.home.join("waiting"));
        let wait = format!(
            "if [ -p {0} ]; then touch {1}; read word < {0}; fi",
            gate.display(),
            waiting.display()
        );
        bed.write(
            "count.sh",
            &format!("{wait}\ncat src/* | grep -c '^any$'\n"),
        );
        bed.git(&["commit", "-qam", "gate"]);
        bed.start(CONFIG);
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &gate,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        Self { bed, waiting, gate }
    }

    /// A trial that has reached verify and waits there.
    pub(crate) fn trial(&self, count: usize) -> Child {
        self.bed.edit(count);
        let mut command = self.bed.command(&["trial", "-m", "held up", "--json"]);
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_until("verify waits", || self.waiting.exists());
        child
    }

    /// Lets verify go on, now and from now on.
    pub(crate) fn open(&self) {
        std::fs::write(&self.gate, "go\n").unwrap();
        self.disarm();
    }

    /// No later verify waits.
    pub(crate) fn disarm(&self) {
        std::fs::remove_file(&self.gate).unwrap();
    }
}

#[test]
fn status_names_the_command_that_holds_the_run_and_a_second_one_is_busy() {
    let gated = Gated::started();
    let child = gated.trial(4);
    let pid = child.id().to_string();
    let status = gated.bed.run(&["status", "--json"]).ok().json();
    assert_eq!(status["state"], "running");
    let holder = status["holder"].as_str().unwrap();
    assert!(
        holder.contains(&pid) && holder.contains("`trial`"),
        "{holder}"
    );
    gated
        .bed
        .run(&["status"])
        .ok()
        .says(&format!("running   process {pid}"));
    let busy = gated
        .bed
        .run(&["trial", "-m", "me too", "--json"])
        .fails(5)
        .json();
    assert!(busy["error"].as_str().unwrap().contains(&pid), "{busy}");
    gated.bed.run(&["log"]).ok();
    assert_answer!(gated.bed.run(&["doctor"]), @"
    ok       git: <version> at <git>
    ok       run demo: 3 records, chain and anchor agree
    ok       run demo: held by process <pid> (`trial`, since <time>)
    <sandbox>
    <codex>
    no problems
    ");
    gated.open();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        gated.bed.run(&["status", "--json"]).ok().json()["state"],
        "active"
    );
    assert_eq!(gated.bed.story(), ["0 baseline", "1 keep"]);
}

#[test]
fn status_says_when_somebody_went_to_another_branch() {
    let bed = eventful();
    bed.git(&["switch", "-q", "main"]);
    assert_answer!(bed.run(&["status"]), @"
    run `demo`: Fewer any
      active    no process works on it now
      started   <time>, <span> ago
      obstacle  another branch is checked out: main instead of autoresearch/demo
      metric    any_count (lower is better)
      start     10
      best      9 (-10 %) from trial 1, commit <commit>
      trials    4 of 100: 1 keep, 1 discard, 1 crash, 1 no-op
      ladder    3 failed in a row, 0 pivots without a keep
      branch    autoresearch/demo
    next: fix the cause, then run `autoresearch resume`
    ");
    bed.git(&["switch", "-q", "autoresearch/demo"]);
    assert!(bed.run(&["status", "--json"]).ok().json()["obstacle"].is_null());
}

#[test]
fn looking_changes_nothing() {
    let bed = eventful();
    bed.edit(1);
    let all = || {
        (
            bytes_below(&bed.path("autoresearch-results")),
            bytes_below(&bed.state),
            bed.fingerprint(),
            refs(&bed),
        )
    };
    let before = all();
    for arguments in [
        &["status"][..],
        &["log"],
        &["doctor"],
        &["doctor", "--clean"],
        &["status", "--json"],
    ] {
        bed.run(arguments).ok();
        assert!(all() == before, "{arguments:?} changed something");
    }
}

#[test]
fn log_shows_rows_filtered_by_status_and_number() {
    let bed = eventful();
    let statuses = |arguments: &[&str]| -> Vec<String> {
        let report = bed
            .run(&[&["log", "--json"][..], arguments].concat())
            .ok()
            .json();
        assert_eq!(report["run"], "demo");
        report["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["status"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        statuses(&[]),
        ["baseline", "keep", "discard", "crash", "no-op", "refine"]
    );
    assert_eq!(statuses(&["--last", "2"]), ["no-op", "refine"]);
    assert_eq!(statuses(&["--last", "99"]).len(), 6);
    assert_eq!(
        statuses(&["--status", "keep", "--status", "crash"]),
        ["keep", "crash"]
    );
    assert_eq!(
        statuses(&["--status", "crash", "--status", "keep", "--last", "1"]),
        ["crash"]
    );
    assert_eq!(statuses(&["--status", "pivot"]), Vec::<String>::new());
    let text = bed.run(&["log", "--last", "1"]).ok().out;
    assert_eq!(text.lines().count(), 2, "the head and one row: {text}");
    assert!(
        text.starts_with("iter") && text.contains("smaller steps"),
        "{text}"
    );
}

#[test]
fn log_refuses_a_status_that_does_not_exist() {
    let bed = eventful();
    assert_answer!(bed.run(&["log", "--status", "kept"]), @"
    exit code 2
    --- stderr
    error: invalid value 'kept' for '--status <STATUS>'
      [possible values: baseline, keep, discard, crash, no-op, blocked, refine, pivot, search, interrupted, remeasured, measured]

      tip: a similar value exists: 'keep'

    For more information, try '--help'.
    ");
}

/// Lines of a process as they come.
fn lines_of(child: &mut Child) -> Receiver<String> {
    let (send, receive) = std::sync::mpsc::channel();
    let out = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || {
        out.lines()
            .map_while(Result::ok)
            .try_for_each(|line| send.send(line))
    });
    receive
}

#[track_caller]
fn next_line(lines: &Receiver<String>) -> String {
    lines
        .recv_timeout(Duration::from_mins(2))
        .expect("a line within two minutes")
}

#[test]
fn log_follow_shows_each_row_as_it_comes_and_ends_with_the_run() {
    let bed = eventful();
    let mut command = bed.command(&["log", "--follow", "--last", "1"]);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = lines_of(&mut child);
    assert!(next_line(&lines).contains("description"));
    assert!(next_line(&lines).contains("smaller steps"));
    assert_eq!(bed.try_count(3), "keep");
    let row = next_line(&lines);
    assert!(row.contains("keep") && row.contains("3 any"), "{row}");
    bed.run(&["stop", "-m", "done"]).ok();
    assert!(child.wait().unwrap().success());
    assert!(
        lines.recv_timeout(Duration::from_mins(2)).is_err(),
        "nothing more was shown"
    );
}

#[test]
fn log_follow_with_json_is_one_object_a_row() {
    let bed = eventful();
    bed.run(&["stop"]).ok();
    let answer = bed.run(&["log", "--follow", "--json"]).ok();
    let statuses: Vec<String> = answer
        .out
        .lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            row["status"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(
        statuses,
        ["baseline", "keep", "discard", "crash", "no-op", "refine"]
    );
}

#[test]
fn resume_prints_a_short_brief_that_ends_with_the_next_step() {
    let bed =
        Testbed::started(&ConfigText::demo().goal(&"Fewer any and a very long story ".repeat(40)));
    for trial in 0..12 {
        bed.edit(20 + trial);
        let report = bed
            .run(&["trial", "-m", &"a long description ".repeat(60), "--json"])
            .ok()
            .json();
        let due = report["due"].as_str().unwrap();
        if ["refine", "pivot", "search"].contains(&due) {
            bed.run(&["strategy", due, "-m", &"a long plan ".repeat(60)])
                .ok();
        }
    }
    let report = bed.run(&["resume", "--json"]).ok().json();
    let brief = report["brief"].as_str().unwrap();
    assert!(
        brief.chars().count() < 1_500,
        "{} characters",
        brief.chars().count()
    );
    assert!(
        brief
            .lines()
            .last()
            .unwrap()
            .starts_with("next: change one thing"),
        "{brief}"
    );
    assert!(
        brief.contains("Goal: \"Fewer any")
            && brief.contains("best: any_count 10")
            && brief.contains("12 of 100"),
        "{brief}"
    );
    assert!(
        bed.run(&["resume"])
            .ok()
            .out
            .trim_end()
            .lines()
            .last()
            .unwrap()
            .starts_with("next: ")
    );
}

#[test]
fn resume_reports_edits_that_were_not_measured_and_leaves_them() {
    let bed = eventful();
    bed.edit(1);
    bed.write("src/new", "x\n");
    let report = bed.run(&["resume", "--json"]).ok().json();
    assert_eq!(
        report["unmeasured"],
        serde_json::json!(["src/a", "src/new"])
    );
    assert_answer!(bed.run(&["resume"]), @r#"
    changed and not measured: src/a and 1 more; a trial measures them, `autoresearch trial --drop` undoes them
    autoresearch run `demo`. Goal: "Fewer any"
    best: any_count 9 (lower is better, start 10, -10 %) from trial 1
    so far: 4 of 100 iterations: 1 keep, 1 discard, 1 crash, 1 no-op; 3 failed in a row
    edit only: src/**; never: the scripts that verify and guard run
      #- refine  "smaller steps"
      #4 no-op  "4 any [nothing-changed: no file in the scope was changed]"
      #3 crash  "crash [verify-failed: verify failed: exit status 3]"
      #2 discard 25 (+16) "20 any [worse-metric: the metric is not better]"
      #1 keep 9 (-1) "4 any"
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    assert_eq!(
        (bed.read("src/a").as_str(), bed.read("src/new").as_str()),
        ("any\n", "x\n")
    );
}

#[test]
fn resume_needs_nothing_but_the_journal() {
    let bed = eventful();
    let views = ["research-results.tsv", "autoresearch-state.json"];
    let before = views.map(|view| std::fs::read_to_string(bed.run_file(view)).unwrap());
    let brief = bed.run(&["resume"]).ok().out;
    for view in views {
        std::fs::remove_file(bed.run_file(view)).unwrap();
    }
    std::fs::remove_file(bed.vault().join("checkpoint.json")).unwrap();
    std::fs::remove_dir_all(bed.run_file("trials")).unwrap();
    assert_eq!(bed.run(&["resume"]).ok().out, brief);
    assert_eq!(
        views.map(|view| std::fs::read_to_string(bed.run_file(view)).unwrap()),
        before
    );
    assert_eq!(bed.try_count(3), "keep");
}

#[test]
fn resume_of_a_run_that_has_ended_says_so() {
    let bed = eventful();
    bed.run(&["stop", "-m", "enough"]).ok();
    let report = bed.run(&["resume", "--json"]).ok().json();
    assert_eq!(
        (report["end"].as_str(), report["due"].as_str()),
        (Some("user-stop"), Some("finish"))
    );
}

#[test]
fn doctor_finds_nothing_wrong_with_a_good_run() {
    let bed = eventful();
    let report = bed.run(&["doctor", "--json"]).ok().json();
    assert_eq!(report["problems"], 0);
    let said = report["findings"].to_string();
    assert!(
        said.contains("chain and anchor agree") && said.contains("HEAD is where the run left it"),
        "{said}"
    );
    assert_answer!(bed.run(&["doctor"]), @"
    ok       git: <version> at <git>
    ok       run demo: 12 records, chain and anchor agree
    ok       run demo: HEAD is where the run left it
    <sandbox>
    <codex>
    no problems
    ");
}

/// Doctor must find exactly this after this damage, with a remedy.
#[track_caller]
fn damaged(damage: impl FnOnce(&Testbed), words: &str) {
    let bed = eventful();
    damage(&bed);
    let answer = bed.run(&["doctor", "--json"]).fails(4);
    let report = answer.json();
    let bad: Vec<&serde_json::Value> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["ok"] == false)
        .collect();
    assert_eq!(
        (bad.len(), report["problems"].as_u64()),
        (1, Some(1)),
        "{report}"
    );
    assert!(
        bad[0]["found"].as_str().unwrap().contains(words),
        "{report}"
    );
    assert!(
        bad[0]["remedy"]
            .as_str()
            .is_some_and(|remedy| !remedy.is_empty()),
        "{report}"
    );
}

#[test]
fn doctor_finds_an_edited_journal() {
    damaged(
        |bed| {
            let path = bed.run_file("journal.jsonl");
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, text.replace("\"20 any\"", "\"02 any\"")).unwrap();
        },
        "journal",
    );
}

#[test]
fn doctor_finds_a_journal_that_was_cut() {
    damaged(
        |bed| {
            let path = bed.run_file("journal.jsonl");
            let text = std::fs::read_to_string(&path).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            std::fs::write(&path, lines[..lines.len() - 3].join("\n") + "\n").unwrap();
        },
        "journal",
    );
}

#[test]
fn doctor_finds_an_edited_config() {
    damaged(
        |bed| {
            std::fs::write(
                bed.run_file("config.yaml"),
                ConfigText::demo().iterations(200).to_string(),
            )
            .unwrap();
        },
        "config.yaml was edited",
    );
}

#[test]
fn doctor_finds_that_the_anchor_is_missing() {
    damaged(
        |bed| std::fs::remove_dir_all(bed.vault()).unwrap(),
        "it has no anchor",
    );
}

#[test]
fn doctor_finds_that_head_was_moved() {
    damaged(
        |bed| drop(bed.git(&["commit", "-q", "--allow-empty", "-m", "foreign"])),
        "1 commit that this run did not make",
    );
}

#[test]
fn doctor_repair_makes_deleted_and_falsified_views_anew() {
    let bed = eventful();
    let table = std::fs::read_to_string(bed.run_file("research-results.tsv")).unwrap();
    let snapshot = std::fs::read_to_string(bed.run_file("autoresearch-state.json")).unwrap();
    std::fs::remove_file(bed.run_file("autoresearch-state.json")).unwrap();
    std::fs::write(
        bed.run_file("research-results.tsv"),
        table.replace("discard", "keep"),
    )
    .unwrap();
    assert_answer!(bed.run(&["doctor", "--repair"]), @"
    ok       git: <version> at <git>
    ok       run demo: 12 records, chain and anchor agree
    ok       run demo: views rebuilt
    ok       run demo: HEAD is where the run left it
    <sandbox>
    <codex>
    no problems
    ");
    assert_eq!(
        std::fs::read_to_string(bed.run_file("research-results.tsv")).unwrap(),
        table
    );
    assert_eq!(
        std::fs::read_to_string(bed.run_file("autoresearch-state.json")).unwrap(),
        snapshot
    );
}

/// A run that is finished, with edits that were given up, so that it has a reference of its own.
fn finished() -> Testbed {
    let bed = eventful();
    bed.edit(1);
    bed.run(&["trial", "--drop"]).ok();
    bed.run(&["finish"]).ok();
    assert!(refs(&bed).contains("refs/autoresearch/demo/"));
    bed
}

#[test]
fn doctor_clean_removes_everything_of_a_merged_run() {
    let bed = finished();
    bed.git(&["merge", "-q", "autoresearch/demo"]);
    let before = bed.fingerprint();
    let vault = bed.vault();
    let dry = bed.run(&["clean", "--json"]).ok().json();
    let kinds: Vec<&str> = dry["made"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["kind"].as_str().unwrap())
        .collect();
    for kind in ["reference", "branch", "folder", "anchor"] {
        assert!(kinds.contains(&kind), "{kind} is missing in {dry}");
    }
    assert!(
        vault.exists() && bed.run_file("journal.jsonl").exists(),
        "a dry run removes nothing"
    );
    assert_answer!(bed.run(&["clean", "--yes"]), @"
    ok       git: <version> at <git>
    ok       run demo: 17 records, chain and anchor agree
    <sandbox>
    <codex>
    removed, or kept for the reason given:
      reference  refs/autoresearch/demo/interrupted-5 (keep: the only copy of interrupted or dropped edits; `git update-ref -d refs/autoresearch/demo/interrupted-5` deletes it)
      branch     refs/heads/autoresearch/demo (removed)
      trials     refs/autoresearch/demo/trial/* (4 trials) (removed)
      folder     <bed>/repo/autoresearch-results/demo (removed)
      anchor     <bed>/state/runs/<id> (removed)
    no problems
    ");
    assert!(!vault.join("anchor.json").exists());
    assert!(!bed.run_file("").exists());
    let saved = "refs/autoresearch/demo/interrupted-";
    let left = refs(&bed);
    let ours: Vec<&str> = left
        .lines()
        .filter(|line| line.contains("autoresearch"))
        .collect();
    assert!(ours.len() == 1 && ours[0].contains(saved), "{ours:?}");
    assert_eq!(bed.fingerprint(), before);
    assert_answer!(bed.run(&["doctor"]), @"
    ok       git: <version> at <git>
    ok       runs: no run was started here
    <sandbox>
    <codex>
    no problems
    ");
    bed.start(CONFIG);
}

#[test]
fn doctor_clean_keeps_a_branch_that_is_merged_nowhere_and_says_why() {
    let bed = finished();
    assert_answer!(bed.run(&["clean", "--yes"]), @"
    ok       git: <version> at <git>
    ok       run demo: 17 records, chain and anchor agree
    <sandbox>
    <codex>
    removed, or kept for the reason given:
      reference  refs/autoresearch/demo/interrupted-5 (keep: the only copy of interrupted or dropped edits; `git update-ref -d refs/autoresearch/demo/interrupted-5` deletes it)
      branch     refs/heads/autoresearch/demo (keep: 1 kept commit not merged yet; `git branch -D autoresearch/demo` deletes it)
      trials     refs/autoresearch/demo/trial/* (4 trials) (keep: their log, the run's folder, stays)
      folder     <bed>/repo/autoresearch-results/demo (keep: it is the log of autoresearch/demo, which stays)
      anchor     <bed>/state/runs/<id> (keep: it is the log of autoresearch/demo, which stays, and the anchor is needed to remove it later)
    no problems
    ");
    assert_eq!(
        refs(&bed)
            .lines()
            .filter(|line| line.contains("autoresearch"))
            .count(),
        6,
        "the branch is left, the reference to edits that are nowhere else, and those to the trials"
    );
    assert_eq!(bed.run_commits("autoresearch/demo").len(), 1);
}

#[test]
fn doctor_clean_keeps_the_only_copy_of_edits_and_says_how_to_remove_it_also_when_the_run_is_gone() {
    let bed = finished();
    bed.git(&["merge", "-q", "autoresearch/demo"]);
    let name = "refs/autoresearch/demo/interrupted-5";
    for arguments in [
        &["doctor", "--clean"][..],
        &["clean", "--yes"],
        &["doctor", "--clean"],
    ] {
        bed.run(arguments)
            .ok()
            .says(&format!(
                "{name} (keep: the only copy of interrupted or dropped edits"
            ))
            .says(&format!("`git update-ref -d {name}` deletes it"));
    }
    assert_eq!(bed.git(&["show", &format!("{name}:src/a")]), "any\n");
    bed.git(&["branch", "mine", name]);
    bed.run(&["clean", "--yes"]).ok();
    assert!(!refs(&bed).contains(name), "a branch holds them now");
}

#[test]
fn doctor_clean_touches_nothing_of_an_active_run() {
    let bed = eventful();
    let all = || {
        (
            bytes_below(&bed.path("autoresearch-results")),
            bytes_below(&bed.state),
            refs(&bed),
        )
    };
    let before = all();
    assert_answer!(bed.run(&["clean", "--yes"]), @"
    ok       git: <version> at <git>
    ok       run demo: 12 records, chain and anchor agree
    ok       run demo: HEAD is where the run left it
    <sandbox>
    <codex>
    removed, or kept for the reason given:
      branch     refs/heads/autoresearch/demo (keep: the run `demo` is active)
      trials     refs/autoresearch/demo/trial/* (3 trials) (keep: their log, the run's folder, stays)
      folder     <bed>/repo/autoresearch-results/demo (keep: the run `demo` is active)
      anchor     <bed>/state/runs/<id> (keep: the run `demo` is active, and the anchor is needed to remove it later)
    no problems
    ");
    assert!(all() == before);
    bed.run(&["doctor", "--yes"]).fails(2);
}
