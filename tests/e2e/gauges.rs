//! Metrics that the tool measures itself: time, memory, sizes, matches, failures and coverage, of real processes and files.

use crate::shown::assert_answer;
use crate::testbed::{CONFIG, Testbed, wait_until};

/// A config whose subject is `app.sh`, which is named so that it may be what verify executes.
fn config(verify: &str) -> String {
    format!(
        "goal: Less\ntag: demo\nscope: [app.sh]\nmetric: {{name: m, direction: lower}}\nverify: {verify}\n"
    )
}

/// A repository with a run whose `app.sh` is this.
fn bed_with(app: &str, verify: &str) -> Testbed {
    let bed = prepare(app);
    bed.start(&config(verify));
    bed
}

fn prepare(app: &str) -> Testbed {
    let bed = Testbed::new();
    bed.write("app.sh", app);
    bed.write(".gitignore", "dist/\nlcov.info\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "app"]);
    bed
}

/// The verdict of a trial with another `app.sh`, and why.
fn try_app(bed: &Testbed, app: &str) -> String {
    bed.write("app.sh", app);
    let report = bed.trial("a change");
    let why = report["detail"].as_str().unwrap_or_default();
    format!("{} {why}", report["verdict"].as_str().unwrap())
        .trim_end()
        .to_owned()
}

/// The output file of a trial's first measurement.
fn read_samples(bed: &Testbed, trial: u32) -> String {
    bed.read(&format!(
        "autoresearch-results/demo/trials/{trial}/verify-1.out"
    ))
}

#[test]
fn a_shorter_time_is_kept_and_a_number_that_is_printed_counts_for_nothing() {
    let bed = bed_with("sleep 0.3\n", r#"{wall: "sh app.sh", warmup: 0}"#);
    let forged = "sleep 0.8\necho 'METRIC m=0'\necho '{\"primary\": 0}'\necho 0\n";
    let told = try_app(&bed, forged);
    assert!(!told.starts_with("keep"), "{told}");
    let samples = read_samples(&bed, 1);
    let (_, wall) = samples.split_once("[run 3 of 3: wall ").unwrap();
    let wall: f64 = wall.split(' ').next().unwrap().parse().unwrap();
    assert!(
        samples.contains("METRIC m=0\n") && wall >= 800.0,
        "{samples}"
    );
    assert_eq!(try_app(&bed, "sleep 0\n"), "keep");
    let record = bed.read("autoresearch-results/demo/journal.jsonl");
    assert!(record.contains(r#""format":"measured""#), "{record}");
}

#[test]
fn the_time_of_an_orphan_counts_also_when_its_parent_ended_before() {
    let app = |count: u32| {
        format!(
            "mark=$(mktemp)\n( sh -c 'i=0; while [ $i -lt {count} ]; do i=$((i+1)); done; rm '$mark & )\nwhile [ -e $mark ]; do sleep 0.02; done\n"
        )
    };
    let bed = bed_with(&app(150_000), r#"{cpu: "sh app.sh", warmup: 0}"#);
    // Not next to nothing: what a busy machine adds is told from a third, and not from one part in thousands.
    assert_eq!(try_app(&bed, &app(50_000)), "keep");
}

#[test]
fn the_memory_of_a_child_counts() {
    let app = |bytes: u32| format!("head -c {bytes} /dev/zero | tail -c {bytes} > /dev/null\n");
    let bed = bed_with(&app(120_000_000), r#"{peak_memory: "sh app.sh"}"#);
    assert_eq!(try_app(&bed, &app(60_000_000)), "keep");
    let samples = read_samples(&bed, 1);
    let (_, peak) = samples
        .rsplit_once("\n[m: ")
        .unwrap_or_else(|| samples.rsplit_once("[m: ").unwrap());
    let peak: u64 = peak.split(' ').next().unwrap().parse().unwrap();
    assert!((60_000_000..110_000_000).contains(&peak), "{samples}");
}

#[test]
fn a_size_is_of_what_the_command_made_and_of_no_link() {
    let make = "mkdir -p dist; head -c 200000 /etc/services >dist/a 2>/dev/null; ";
    let app = |count: u32| {
        format!(
            "{make}head -c {count} /dev/zero > dist/a; ln -sfn ../other dist/other; ln -sfn a dist/b\n"
        )
    };
    let bed = bed_with(&app(5_000), r#"{size: "dist/**", command: "sh app.sh"}"#);
    assert_answer!(bed.read("autoresearch-results/demo/trials/0/verify-1.out"), @"[m: 5000 bytes in 1 file]");
    assert_eq!(try_app(&bed, &app(4_000)), "keep");
    assert_answer!(read_samples(&bed, 1), @"[m: 4000 bytes in 1 file]");
    assert_eq!(
        try_app(&bed, "rm -r dist\n"),
        "crash no file matches `dist/**`"
    );
}

#[test]
fn matches_are_counted_without_any_command() {
    let bed = Testbed::new();
    bed.write("src/d", "many\nany any\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "more"]);
    let typed = CONFIG.replace(
        r#"verify: {command: "sh count.sh", timeout: 20s}"#,
        r"verify: {count: {pattern: '\bany\b', files: src/**}}",
    );
    let started = bed.start(&typed);
    assert!(started.out.contains("12"), "{started:?}");
    bed.write("src/d", "many\n");
    assert_eq!(bed.trial("fewer")["verdict"], "keep");
    bed.write("src/d", "any\nany\nany\n");
    assert_eq!(bed.trial("more")["verdict"], "discard");
}

/// Two tests in one file: without `app.sh` it cannot be loaded, and is one failure, as before.
const SUITE: &str = "[ -s app.sh ] && sh -n app.sh || { echo 'not ok the file'; exit; }
. ./app.sh
[ \"$(sum 1 2)\" = 3 ] && echo 'ok adds' || echo 'not ok adds'
[ \"$(sum 2 2)\" = 5 ] && echo 'ok wrong' || echo 'not ok wrong'
";

#[test]
fn a_count_among_a_total_tells_a_suite_that_no_longer_loads_from_one_with_a_failure() {
    let bed = prepare("sum() { echo $(($1 + $2)); }\n");
    bed.write("suite.sh", SUITE);
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "suite"]);
    let verify = |of: &str| {
        format!(
            "{{count: {{pattern: '^not ok', {of}files: dist/tap}}, command: 'mkdir -p dist; sh suite.sh > dist/tap'}}"
        )
    };
    bed.write("autoresearch.yaml", &config(&verify("")));
    let alone = bed.run(&["config", "try"]);
    assert!(alone.out.contains("does not react"), "{alone:?}");
    let text = config(&verify("of: '^(not )?ok', "));
    let held = format!("{text}keep_when: [{{metric: total, op: not-worse, direction: higher}}]\n");
    bed.write("autoresearch.yaml", &held);
    assert_answer!(bed.run(&["config", "try"]), @"
    warning: autoresearch.yaml: guard: there is no guard, so a trial that breaks the program can be kept -> add `guard: {command: ...}`, such as your tests
    guard     none
    verify    m = 1, 1, 1 (no noise, <span> a run)
    <trial>
    scope     untouched  1
              emptied    1 of 1
    check     2 runs in <span>, <count> times one run of verify
    <sandbox>
    verdict   m reacts to the files of the scope
    ");
    std::fs::remove_file(bed.path("autoresearch.yaml")).unwrap();
    bed.start(&held);
    assert!(read_samples(&bed, 0).ends_with("[m: 1 in 1 file]\n[total: 2]\n"));
    let told = try_app(&bed, "sum() { echo 1; }\n");
    assert!(told.starts_with("discard"), "{told}");
    let told = try_app(&bed, "sum() { [ $1 = 1 ] && echo 3 || echo 5; }\n");
    assert_eq!(told, "keep");
}

#[test]
fn failed_runs_are_counted() {
    let flaky =
        "n=$(cat ../count 2>/dev/null || echo 0); echo $((n+1)) > ../count\n[ $((n % 4)) -ne 0 ]\n";
    let bed = bed_with(flaky, r#"{exit_rate: "sh app.sh", runs: 8}"#);
    assert!(read_samples(&bed, 0).ends_with("[m: 2 of 8 runs failed]\n"));
    assert_eq!(try_app(&bed, "exit 0\n"), "keep");
}

/// A text without the intervals of gains, which depend a little on how many runs the clock asked for.
pub(crate) fn hide_intervals(text: &str) -> String {
    let parts = text.split('(').map(|part| match part.split_once(')') {
        Some((inner, rest)) if inner.contains(" to ") => format!("<interval>){rest}"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("(")
}

/// What a command answers, without these intervals.
fn tell_rate(bed: &Testbed, arguments: &[&str]) -> String {
    hide_intervals(&bed.run(arguments).ok().out)
}

/// No run of the program failed, and nobody is told that none will.
#[test]
fn a_rate_is_told_with_what_its_runs_leave_possible() {
    let bed = prepare("exit 1\n");
    bed.write(
        "autoresearch.yaml",
        &config(r#"{exit_rate: "sh app.sh", runs: 8}"#),
    );
    assert_answer!(tell_rate(&bed, &["start"]), @r#"
    warning: autoresearch.yaml: guard: there is no guard, so a trial that breaks the program can be kept -> add `guard: {command: ...}`, such as your tests
    run `demo` started: Less
      metric    m = 8 (lower is better)
      rate      48 of 48: at least 93.9 %, with 95 % confidence
      noise     that of counting at least (6 runs): a change of less than about 0.6 cases cannot be told in one trial of at most 20 runs
      guard     none
      scope     app.sh
      pinned    none
      yours     1 changed file outside the scope: left alone, never committed
      branch    autoresearch/demo in <bed>/repo
      limits    50 iterations
      log       autoresearch-results/demo/research-results.tsv
    next: change one thing in scope (app.sh), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    bed.write("app.sh", "exit 0\n");
    assert_answer!(tell_rate(&bed, &["trial", "-m", "a fix"]), @r#"
    trial 1: keep, m 0 failed runs (-8), commit <commit>
    gain: 100 % (<interval>), 95 % interval
    rate: 0 of 16: at most 17 %, with 95 % confidence
    jump: far outside everything measured before; a second run agrees; make sure that verify still measures what it should: autoresearch-results/demo/trials/1
    files: app.sh
      | [run 7 of 8: succeeded]
      | [run 8 of 8: succeeded]
      | [m: 0 of 8 runs failed]
    whole output: autoresearch-results/demo/trials/1
    next: change one thing in scope (app.sh), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    let shown = tell_rate(&bed, &["show", "1"]);
    let timeless = |line: &&str| !line.starts_with("  time ");
    let shown: Vec<&str> = shown.lines().filter(timeless).collect();
    assert_answer!(shown.join("\n"), @"
    trial 1 of run `demo`: keep
      change    a fix
      metric    m 8 failed runs -> 0 failed runs (-8, lower is better)
      gain      a gain of 100 % (<interval>), 95 % interval
      rate      0 of 16: at most 17 %, with 95 % confidence
      guard     -
      commit    <commit> on <commit>
      files     1 file changed, +1 -1
        app.sh  +1 -1
      output    autoresearch-results/demo/trials/1
    next: `autoresearch show 1 --diff` shows what it changed, `--output` what was printed
    ");
    assert_answer!(tell_rate(&bed, &["log"]), @"
    iter  commit       metric     delta  guard  status       description
       0  <commit>           8         0  -      baseline     the untouched tree, 6 runs [48 of 48: at least 93.9 %, with 95 % confidence]
       1  <commit>           0        -8  -      keep         a fix [a gain of 100 % (<interval>)] [jump: far outside everything measured before; a second run agrees] [0 of 16: at most 17 %, with 95 % conf…
    ");
    assert_answer!(tell_rate(&bed, &["finish"]), @"
    run `demo` ended: user-stop (finished by a person)
    improved: m 8 failed runs -> 0 failed runs, 1 trial kept on autoresearch/demo
    rate: 0 of 48: at most 6.1 %, with 95 % confidence
    claim: a gain of 100 % (<interval>), 95 % interval, measured afresh in 6 pairs
      <commit> experiment: a fix [jump: far outside everything measured before; a second run agrees; look at it before you merge]
    checked out: main
    left here: branch autoresearch/demo, folder autoresearch-results/demo, config autoresearch.yaml; `autoresearch clean` lists what can be removed
    next: look at it with `git log -p <commit>..autoresearch/demo`, then `git merge autoresearch/demo`; `git branch -D autoresearch/demo` discards it
    ");
    let story = hide_intervals(&bed.read("autoresearch-results/demo/research-results.tsv"));
    let rows: Vec<&str> = story
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    assert_answer!(rows.join("\n"), @"
    iteration	commit	metric	delta	guard	status	description
    0	<commit>	8	0	-	baseline	the untouched tree, 6 runs [48 of 48: at least 93.9 %, with 95 % confidence]
    1	<commit>	0	-8	-	keep	a fix [a gain of 100 % (<interval>)] [jump: far outside everything measured before; a second run agrees] [0 of 16: at most 17 %, with 95 % confidence]
    ");
}

/// A program that fails now and then: the runs of a commit count together, and JSON has both ends.
#[test]
fn programs_are_told_the_rate_of_all_runs_of_a_commit() {
    let flaky =
        "n=$(cat ../count 2>/dev/null || echo 0); echo $((n+1)) > ../count\n[ $((n % 4)) -ne 0 ]\n";
    let bed = bed_with(flaky, r#"{exit_rate: "sh app.sh", runs: 8}"#);
    let shown = bed.run(&["show", "0", "--json"]).ok().json();
    insta::assert_snapshot!(shown["rate"], @r#"{"count":12,"high":40,"low":14,"of":48}"#);
    bed.write("app.sh", "exit 0\n");
    let report = bed.trial("a fix");
    assert_eq!(report["verdict"], "keep");
    let rate = &report["rate"];
    assert_eq!((&rate["count"], &rate["low"]), (&0.into(), &0.into()));
    let of = rate["of"].as_u64().unwrap();
    assert!(of >= 16 && of.is_multiple_of(8), "{rate}");
    let exact = 100.0 * (1.0 - 0.05_f64.powf(1.0 / f64::from(u32::try_from(of).unwrap())));
    let told = rate["high"].as_f64().unwrap();
    assert!((told - exact).abs() < 0.5, "{told} for {exact}");
    let rows = bed.run(&["log", "--json"]).ok().json();
    let rates: Vec<u64> = rows["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["rate"]["of"].as_u64().unwrap())
        .collect();
    assert_eq!(rates, [48, of]);
}

/// What verify counts is judged alike, and no trial counts fewer cases than the baseline.
#[test]
fn a_printed_count_of_cases_is_a_rate_whose_cases_stay_what_they_are() {
    let bed = bed_with(
        "echo 30 of 60\n",
        r#"{command: "echo METRIC m=$(sh app.sh)"}"#,
    );
    let baseline = bed.run(&["show", "0", "--json"]).ok().json();
    insta::assert_snapshot!(baseline["rate"], @r#"{"count":180,"high":55,"low":45,"of":360}"#);
    assert_eq!(
        try_app(&bed, "echo 0 of 59\n"),
        "crash the unit changed: verify printed `0 of 59`, and the baseline had `of 60`; one cannot be converted into the other"
    );
    let lucky = try_app(&bed, "echo 29 of 60\n");
    assert!(lucky.starts_with("discard"), "{lucky}");
    assert_eq!(try_app(&bed, "echo 3 of 60\n"), "keep");
    let ended = bed.run(&["finish"]).ok().out;
    let ended: Vec<&str> = ended.lines().skip(1).take(2).collect();
    assert_answer!(ended.join("\n"), @"
    improved: m 30 of 60 -> 3 of 60, 1 trial kept on autoresearch/demo
    rate: 18 of 360: 5 % (3 to 7.8), 95 % interval
    ");
}

#[test]
fn a_report_that_was_not_written_again_is_never_read() {
    let report = |hits: u32| {
        format!("printf 'SF:a.c\\nDA:1,1\\nDA:2,{hits}\\nend_of_record\\n' > lcov.info\n")
    };
    let bed = prepare(&report(0));
    let verify = r#"{covered: lcov.info, command: "sh app.sh"}"#;
    bed.start(&config(verify).replace("lower", "higher"));
    assert_eq!(
        try_app(&bed, "exit 0\n"),
        "crash verify wrote no lcov.info (one of before was taken away): let the command write the report to exactly this path"
    );
    assert_eq!(
        try_app(&bed, "ln -sf other/notes.md lcov.info\n"),
        "crash lcov.info is a symbolic link, and none is followed: remove it, and let the command write a file"
    );
    std::fs::remove_file(bed.path("lcov.info")).unwrap();
    assert_eq!(try_app(&bed, &report(3)), "keep");
}

#[test]
fn a_check_that_fails_is_a_failure_with_its_own_words_and_is_pinned() {
    let bed = prepare("sleep 0.1; echo right > dist/answer\n");
    bed.write("check.sh", "mkdir -p dist; sh app.sh; grep -qx right dist/answer || { echo 'a wrong answer'; exit 7; }\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "check"]);
    bed.start(&config(r#"{wall: "sh app.sh", check: "sh check.sh"}"#));
    assert_eq!(
        try_app(&bed, "echo wrong > dist/answer\n"),
        "crash the check before verify failed: exit status 7"
    );
    let shown = bed.run(&["show", "1", "--output"]).ok().out;
    assert!(shown.contains("a wrong answer"), "{shown}");
    bed.write("check.sh", "exit 0\n");
    assert_eq!(
        try_app(&bed, "echo wrong > dist/answer\n"),
        "discard protected files were changed: check.sh"
    );
}

#[test]
fn a_run_that_hangs_or_leaves_work_behind_is_a_crash_that_says_so() {
    let bed = bed_with("sleep 0.2\n", r#"{wall: "sh app.sh", timeout: 5s}"#);
    assert_eq!(
        try_app(&bed, "sleep 1000\n"),
        "crash verify failed: timed out after 5s"
    );
    assert_eq!(
        try_app(&bed, "sleep 1000 &\n"),
        "crash the command ended before a process that it had started, so what it takes is not known: let it wait for all of them"
    );
    assert_eq!(try_app(&bed, "sleep 0\n"), "keep");
}

#[test]
fn an_interruption_between_two_runs_leaves_no_trial_half_done() {
    let bed = bed_with("sleep 0.2\n", r#"{wall: "sh app.sh", repeats: 5}"#);
    let (ran, waits) = (
        bed.folder.path().join("ran"),
        bed.folder.path().join("waits"),
    );
    bed.write(
        "app.sh",
        &format!(
            "echo >> '{0}'\n[ $(wc -l < '{0}') -lt 3 ] || {{ : > '{1}'; sleep 1000; }}\n",
            ran.display(),
            waits.display()
        ),
    );
    let mut trial = bed.command(&["trial", "-m", "waits"]);
    let mut trial = trial.stdout(std::process::Stdio::piped()).spawn().unwrap();
    wait_until("the third run", || waits.exists());
    let pid = rustix::process::Pid::from_raw(i32::try_from(trial.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(trial.wait().unwrap().code(), Some(130));
    bed.run(&["resume"]).ok();
    assert_eq!(bed.story(), ["0 baseline", "1 interrupted"]);
    assert_eq!(try_app(&bed, "sleep 0\n"), "keep");
}

#[test]
fn a_config_is_tried_with_what_it_measures() {
    let bed = prepare("mkdir -p dist; printf 12345 > dist/a\n");
    bed.write(
        "autoresearch.yaml",
        &config(r#"{size: "dist/*", command: "sh app.sh"}"#),
    );
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "config"]);
    assert_answer!(bed.run(&["config", "try", "autoresearch.yaml"]), @"
    warning: autoresearch.yaml: guard: there is no guard, so a trial that breaks the program can be kept -> add `guard: {command: ...}`, such as your tests
    guard     none
    verify    m = 5, 5, 5 (no noise, <span> a run)
    <trial>
    scope     untouched  5
              emptied    5
              deleted    verify failed: exit status 2
    check     3 runs in <span>, <count> times one run of verify
    <sandbox>
    verdict   m reacts, but only deleting the files of the scope changes m, emptying them does not: look at what verify measures
    ");
    bed.write(
        "autoresearch.yaml",
        &config(r#"{size: "build/*", command: "sh app.sh"}"#),
    );
    assert_answer!(bed.run(&["config", "try", "autoresearch.yaml"]), @r#"
    exit code 3
    --- stderr
    error: verify gives no metric on the untouched tree: no file matches `build/*`
    hint: `config try` measures again; what `verify` may hold is in the GUIDE under "Let the tool measure"
    "#);
}

/// Starts a run by flags alone, without a config file.
fn start_by_flags(app: &str, flags: &[&str]) -> Testbed {
    let bed = prepare(app);
    let words = [
        "start", "--goal", "Less", "--tag", "demo", "--scope", "app.sh", "--metric", "m",
    ];
    let words = [&words[..], &["--direction", "lower"], flags].concat();
    bed.run(&words).ok();
    bed
}

#[test]
fn a_run_is_started_by_flags_with_what_the_tool_measures() {
    let made = "mkdir -p dist\nhead -c 5000 /dev/zero > dist/a\n";
    let flags = ["--verify", "sh app.sh", "--verify-size", "dist/*"];
    let packed = [&flags[..], &["--verify-gzip"]].concat();
    for (flags, least, most) in [(&flags[..], 5_000, 5_000), (&packed, 10, 100)] {
        let bed = start_by_flags(made, flags);
        let told = read_samples(&bed, 0);
        let (_, figures) = told.split_once("[m: ").unwrap();
        let bytes: u32 = figures.split(' ').next().unwrap().parse().unwrap();
        assert!((least..=most).contains(&bytes), "{flags:?}: {told}");
        let forged = made.to_owned() + "echo METRIC m=0\n";
        assert!(!try_app(&bed, &forged).starts_with("keep"));
    }
    let check = "grep -q sleep app.sh";
    let flags = ["--verify-wall", "sh app.sh", "--verify-check", check];
    let bed = start_by_flags("sleep 0.3\n", &flags);
    let told = try_app(&bed, "true\n");
    assert!(told.starts_with("crash"), "the check holds: {told}");
    assert_eq!(try_app(&bed, "sleep 0\n"), "keep");
}
