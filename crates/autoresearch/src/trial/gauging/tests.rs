//! What each kind makes of what it is given, with scripted commands and files.

use std::collections::VecDeque;

use autoresearch_core::config::check_config;
use serde_json::json;

use super::*;

/// Answers from a script, and writes down what it was asked.
#[derive(Default)]
struct ScriptedTools {
    runs: VecDeque<GaugedRun>,
    answers: VecDeque<FileAnswer>,
    gates: VecDeque<(GateOutcome, &'static str)>,
    has_no_zones: bool,
    told: Vec<String>,
}

impl GaugeTools for ScriptedTools {
    fn run_command(
        &mut self,
        command: &UserCommand,
        label: &str,
        conditions: JobConditions,
    ) -> Result<GaugedRun> {
        let variables = conditions.variables.iter();
        let variables = variables.map(|(name, value)| format!("{name}={value} "));
        let busy = if conditions.busy_cores { " &" } else { "" };
        let variables: String = variables.collect();
        self.told
            .push(format!("{label}: {variables}{}{busy}", command.command));
        Ok(self.runs.pop_front().expect("a run in the script"))
    }

    fn run_gate(&mut self, gate: &Gate, label: &str) -> Result<(GateOutcome, String)> {
        self.told.push(format!("{label}: {}", gate.command.command));
        let (outcome, said) = self.gates.pop_front().expect("a gate in the script");
        Ok((outcome, said.to_owned()))
    }

    fn ask_files(&mut self, query: &FileQuery) -> Result<std::result::Result<FileAnswer, How>> {
        self.told.push(serde_json::to_string(query).unwrap());
        Ok(Ok(self
            .answers
            .pop_front()
            .expect("an answer in the script")))
    }

    fn note_failed(&mut self, run: u32, told: &str) {
        self.told.push(format!("{run} failed: {told}"));
    }

    fn choose_zone_form(&self, _: &Zone) -> ZoneForm {
        if self.has_no_zones {
            ZoneForm::Rule
        } else {
            ZoneForm::Name
        }
    }

    fn note_line(&mut self, line: &str) {
        self.told.push(format!("[{line}]"));
    }

    fn note_matches(&mut self, matched: Vec<String>) {
        self.told.extend(matched);
    }
}

impl ScriptedTools {
    fn with_runs(runs: impl IntoIterator<Item = GaugedRun>) -> Self {
        Self {
            runs: runs.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Measures, and shows the metrics or why there are none, with all that was done; every answer was asked for.
    fn measure(self, verify: &serde_json::Value) -> String {
        self.measure_document(&json!({
            "goal": "g", "scope": ["src/**"], "metric": {"name": "m", "direction": "lower"},
            "guard": {"command": "make test"}, "verify": verify,
        }))
    }

    fn measure_document(mut self, document: &serde_json::Value) -> String {
        let config = check_config(document).config.unwrap();
        let mut rows = match take_gauge(&config, &mut self).unwrap() {
            Ok(metrics) => metrics
                .iter()
                .map(|(name, found)| format!("{name} = {found}"))
                .collect(),
            Err(why) => vec![format!("{}: {why}", why.as_str())],
        };
        assert!(self.runs.is_empty() && self.answers.is_empty() && self.gates.is_empty());
        rows.extend(self.told);
        rows.join("\n")
    }
}

fn took(wall_us: u64, cpu_us: u64, peak_bytes: u64) -> GaugedRun {
    let used = ResourceUse {
        wall_us,
        cpu_us,
        peak_bytes,
        runs_on: false,
    };
    GaugedRun { ended: Ok(0), used }
}

fn failed(how: How) -> GaugedRun {
    GaugedRun {
        ended: Err(how),
        used: ResourceUse::default(),
    }
}

#[test]
fn the_median_counts_and_no_run_of_the_warmup() {
    let runs = [(9, 9, 9), (2, 40, 1), (1, 50, 3), (3, 60, 2)];
    let tools = || {
        let runs = runs.map(|(wall, cpu, peak)| took(wall * 1_500, cpu * 1_000, peak << 20));
        ScriptedTools::with_runs(runs)
    };
    insta::assert_snapshot!(tools().measure(&json!({"wall": "./app"})), @"
    cpu = 50 ms
    m = 3 ms
    peak_memory = 2097152 bytes
    wall = 3 ms
    warmup 1 of 1: ./app
    [warmup 1 of 1: wall 13.5 ms, cpu 9 ms, peak_memory 9437184 bytes]
    run 1 of 3: ./app
    [run 1 of 3: wall 3 ms, cpu 40 ms, peak_memory 1048576 bytes]
    run 2 of 3: ./app
    [run 2 of 3: wall 1.5 ms, cpu 50 ms, peak_memory 3145728 bytes]
    run 3 of 3: ./app
    [run 3 of 3: wall 4.5 ms, cpu 60 ms, peak_memory 2097152 bytes]
    [m: 3 ms]
    ");
    let cpu = tools().measure(&json!({"cpu": "./app"}));
    assert!(cpu.contains("m = 50 ms\n"), "{cpu}");
    let peak = tools().measure(&json!({"peak_memory": "./app", "repeats": 4}));
    assert!(peak.contains("m = 2621440 bytes\n"), "{peak}");
}

#[test]
fn a_run_that_fails_or_leaves_work_behind_gives_no_time() {
    let mut unfinished = took(1, 1, 1);
    unfinished.used.runs_on = true;
    for (runs, told) in [
        (
            vec![took(1, 1, 1), failed(How::Exit { status: 3 })],
            "verify-failed: verify failed: exit status 3",
        ),
        (vec![failed(How::Timeout { limit_ms: 9_000 })], "timeout: "),
        (
            vec![unfinished],
            "no-metric: the command ended before a process that it had started",
        ),
    ] {
        let measured = ScriptedTools::with_runs(runs).measure(&json!({"wall": "./app"}));
        assert!(measured.starts_with(told), "{measured}");
    }
}

#[test]
fn a_run_that_somebody_else_ended_is_no_failed_run() {
    for (signal, is_told) in [
        (6, true),
        (8, true),
        (11, true),
        (1, false),
        (2, false),
        (9, false),
        (15, false),
    ] {
        let verify = json!({"exit_rate": "make flaky", "runs": 2});
        // Where it is none, nothing is run after it.
        let runs = [failed(How::Signal { signal }), took(1, 1, 1)];
        let runs = runs.into_iter().take(1 + usize::from(is_told));
        let measured = ScriptedTools::with_runs(runs).measure(&verify);
        assert_eq!(
            measured.starts_with("m = 1 failed runs"),
            is_told,
            "{measured}"
        );
        let how = format!("killed by signal {signal}");
        assert!(measured.contains(&how), "{measured}");
    }
}

#[test]
fn failures_are_counted_and_a_command_that_is_not_there_is_none() {
    let runs = [
        took(1, 1, 1),
        failed(How::Exit { status: 1 }),
        failed(How::Signal { signal: 11 }),
        failed(How::Timeout { limit_ms: 9_000 }),
    ];
    let verify = json!({"exit_rate": "make flaky", "runs": 4});
    insta::assert_snapshot!(ScriptedTools::with_runs(runs).measure(&verify), @"
    m = 3 failed runs
    run 1 of 4: AUTORESEARCH_RUN=0 make flaky
    [run 1 of 4: succeeded]
    run 2 of 4: AUTORESEARCH_RUN=1 make flaky
    [run 2 of 4: exit status 1]
    run 3 of 4: AUTORESEARCH_RUN=2 make flaky
    [run 3 of 4: killed by signal 11]
    run 4 of 4: AUTORESEARCH_RUN=3 make flaky
    [run 4 of 4: timed out after 9s]
    [m: 3 of 4 runs failed]
    ");
    let runs = [took(1, 1, 1), failed(How::Exit { status: 127 })];
    let measured = ScriptedTools::with_runs(runs).measure(&verify);
    assert!(measured.starts_with("verify-failed: "), "{measured}");
}

#[test]
fn a_run_meets_the_conditions_of_its_number_and_is_named_with_them_when_it_fails() {
    let runs = || {
        [
            took(1, 1, 1),
            failed(How::Exit { status: 1 }),
            took(1, 1, 1),
            failed(How::Exit { status: 3 }),
        ]
    };
    let verify = json!({"exit_rate": "make flaky", "runs": 4, "vary": ["seed", "zone", "load"]});
    insta::assert_snapshot!(ScriptedTools::with_runs(runs()).measure(&verify), @"
    m = 2 failed runs
    run 1 of 4, seed 1, zone UTC: AUTORESEARCH_RUN=0 AUTORESEARCH_SEED=1 PYTHONHASHSEED=1 TZ=UTC make flaky
    [run 1 of 4, seed 1, zone UTC: succeeded]
    run 2 of 4, seed 2, zone Pacific/Chatham, load: AUTORESEARCH_RUN=1 AUTORESEARCH_SEED=2 PYTHONHASHSEED=2 TZ=Pacific/Chatham make flaky &
    [run 2 of 4, seed 2, zone Pacific/Chatham, load: exit status 1]
    2 failed: run 2 (seed 2, zone Pacific/Chatham, load)
    run 3 of 4, seed 3, zone America/New_York: AUTORESEARCH_RUN=2 AUTORESEARCH_SEED=3 PYTHONHASHSEED=3 TZ=America/New_York make flaky
    [run 3 of 4, seed 3, zone America/New_York: succeeded]
    run 4 of 4, seed 4, zone Asia/Kolkata, load: AUTORESEARCH_RUN=3 AUTORESEARCH_SEED=4 PYTHONHASHSEED=4 TZ=Asia/Kolkata make flaky &
    [run 4 of 4, seed 4, zone Asia/Kolkata, load: exit status 3]
    4 failed: run 4 (seed 4, zone Asia/Kolkata, load)
    [m: 2 of 4 runs failed: run 2 (seed 2, zone Pacific/Chatham, load), run 4 (seed 4, zone Asia/Kolkata, load)]
    ");
    let mut without_data = ScriptedTools::with_runs(runs());
    without_data.has_no_zones = true;
    let verify = json!({"exit_rate": "make flaky", "runs": 4, "vary": ["zone"]});
    insta::assert_snapshot!(without_data.measure(&verify), @"
    m = 2 failed runs
    run 1 of 4, zone UTC0: AUTORESEARCH_RUN=0 TZ=UTC0 make flaky
    [run 1 of 4, zone UTC0: succeeded]
    run 2 of 4, zone <+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45: AUTORESEARCH_RUN=1 TZ=<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45 make flaky
    [run 2 of 4, zone <+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45: exit status 1]
    2 failed: run 2 (zone <+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45)
    run 3 of 4, zone EST5EDT,M3.2.0,M11.1.0: AUTORESEARCH_RUN=2 TZ=EST5EDT,M3.2.0,M11.1.0 make flaky
    [run 3 of 4, zone EST5EDT,M3.2.0,M11.1.0: succeeded]
    run 4 of 4, zone IST-5:30: AUTORESEARCH_RUN=3 TZ=IST-5:30 make flaky
    [run 4 of 4, zone IST-5:30: exit status 3]
    4 failed: run 4 (zone IST-5:30)
    [m: 2 of 4 runs failed: run 2 (zone <+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45), run 4 (zone IST-5:30)]
    ");
    let all_fail = (0..7).map(|_| failed(How::Exit { status: 1 }));
    let verify = json!({"exit_rate": "make flaky", "runs": 7, "vary": ["load"]});
    let measured = ScriptedTools::with_runs(all_fail).measure(&verify);
    insta::assert_snapshot!(measured.lines().last().unwrap(), @"[m: 7 of 7 runs failed: run 1, run 2 (load), run 3, run 4 (load), run 5 and 2 more]");
}

#[test]
fn files_are_asked_for_behind_the_command_that_makes_them() {
    let sum = FileAnswer::Sum {
        amount: 1_200,
        files: 3,
        matched: vec!["src/a.ts:7: any".to_owned()],
    };
    let mut tools = ScriptedTools::with_runs([took(1, 1, 1)]);
    tools.answers.push_back(sum.clone());
    let verify = json!({"size": "dist/**", "gzip": true, "command": "make dist"});
    insta::assert_snapshot!(tools.measure(&verify), @r#"
    files = 3
    m = 1200 bytes
    run: make dist
    {"Size":{"files":{"patterns":["dist/**"],"without":"autoresearch-results"},"gzip":true}}
    src/a.ts:7: any
    [m: 1200 bytes in 3 files]
    "#);
    let mut tools = ScriptedTools::default();
    tools.answers.push_back(sum);
    let verify = json!({"count": {"pattern": "any", "files": "src/**"}});
    insta::assert_snapshot!(tools.measure(&verify), @r#"
    files = 3
    m = 1200
    {"Count":{"files":{"patterns":["src/**"],"without":"autoresearch-results"},"pattern":"any"}}
    src/a.ts:7: any
    [m: 1200 in 3 files]
    "#);
    let mut tools = ScriptedTools::default();
    for amount in [2, 148] {
        let files = 1;
        tools.answers.push_back(FileAnswer::Sum {
            amount,
            files,
            matched: Vec::new(),
        });
    }
    let verify = json!({"count": {"pattern": "^not ok", "of": "ok", "files": "tap"}});
    insta::assert_snapshot!(tools.measure(&verify), @r#"
    files = 1
    m = 2
    total = 148
    {"Count":{"files":{"patterns":["tap"],"without":"autoresearch-results"},"pattern":"^not ok"}}
    [m: 2 in 1 file]
    {"Count":{"files":{"patterns":["tap"],"without":"autoresearch-results"},"pattern":"ok"}}
    [total: 148]
    "#);
    let mut tools = ScriptedTools::default();
    tools
        .answers
        .push_back(FileAnswer::Refused("no file matches `x`".to_owned()));
    let measured = tools.measure(&json!({"size": "x"}));
    assert!(
        measured.starts_with("no-metric: no file matches `x`\n"),
        "{measured}"
    );
}

#[test]
fn nothing_that_matches_is_no_zero_where_the_command_says_that_something_was_found() {
    let verify = json!({
        "count": {"pattern": "FAILED", "files": "report"}, "command": "cargo test", "ok_exit": [0, 101],
    });
    let measure = |status: i32, amount: u64| {
        let mut run = took(1, 1, 1);
        run.ended = Ok(status);
        let mut tools = ScriptedTools::with_runs([run]);
        tools.answers.push_back(FileAnswer::Sum {
            amount,
            files: 1,
            matched: Vec::new(),
        });
        let told = tools.measure(&verify);
        told.lines().next().unwrap().to_owned()
    };
    let told = measure(101, 0);
    assert!(
        told.starts_with("no-metric: the command ended with 101, which `ok_exit` allows"),
        "{told}"
    );
    assert!(!measure(101, 2).starts_with("no-metric"));
    assert!(!measure(0, 0).starts_with("no-metric"));
}

#[test]
fn a_report_is_taken_away_before_the_command_that_writes_it() {
    let mut tools = ScriptedTools::with_runs([took(1, 1, 1)]);
    let lines = FileAnswer::Lines {
        covered: 2,
        lines: 3,
    };
    tools.answers.extend([FileAnswer::Cleared, lines]);
    let verify = json!({"covered": "lcov.info", "command": "make cov"});
    insta::assert_snapshot!(tools.measure(&verify), @r#"
    lines = 3
    m = 66.67%
    {"ClearReport":{"path":"lcov.info"}}
    run: make cov
    {"ReadReport":{"path":"lcov.info"}}
    [m: 66.67% (2 of 3 lines in lcov.info)]
    "#);
}

/// What three gates come to, of which the second is not required.
fn measure_gates(gates: impl IntoIterator<Item = (GateOutcome, &'static str)>) -> String {
    let tools = ScriptedTools {
        gates: gates.into_iter().collect(),
        ..ScriptedTools::default()
    };
    tools.measure_document(&json!({
        "goal": "g", "scope": ["src/**"], "metric": {"name": "open_gates", "direction": "lower"},
        "guard": {"command": "make test"}, "verify": {"gates": true},
        "gates": [
            {"name": "tests pass", "command": "make test"},
            {"name": "links", "command": "sh links.sh", "required": false},
            {"name": "changelog", "command": "sh changelog.sh"},
        ],
    }))
}

#[test]
fn the_open_ones_of_the_required_gates_are_counted_and_named_with_their_last_line() {
    let open = |why: &str| GateOutcome::Open(why.to_owned());
    insta::assert_snapshot!(measure_gates([
        (open("exit status 2"), "make: *** [test] Error\n  2 failed"),
        (open("exit status 1"), ""),
    ]), @"
    open_gates = 2 open gates
    gate 1 of 2, tests pass: make test
    [gate 1 of 2, tests pass: open: exit status 2]
    gate 2 of 2, changelog: sh changelog.sh
    [gate 2 of 2, changelog: open: exit status 1]
    [open_gates: 2 of 2 gates open]
    tests pass: exit status 2: 2 failed
    changelog: exit status 1
    ");
    insta::assert_snapshot!(measure_gates([
        (GateOutcome::Passes, "fine"),
        (open("prints what `x` matches: a x b"), "a x b"),
    ]), @"
    open_gates = 1 open gates
    gate 1 of 2, tests pass: make test
    [gate 1 of 2, tests pass: passes]
    gate 2 of 2, changelog: sh changelog.sh
    [gate 2 of 2, changelog: open: prints what `x` matches: a x b]
    [open_gates: 1 of 2 gates open]
    changelog: prints what `x` matches: a x b
    ");
}

#[test]
fn a_gate_that_cannot_run_gives_no_number() {
    let missing = GateOutcome::CannotRun("exit status 127 (command not found)".to_owned());
    insta::assert_snapshot!(measure_gates([(missing, "sh: 1: make: not found")]), @"
    no-metric: the gate `tests pass` cannot run: exit status 127 (command not found)
    gate 1 of 2, tests pass: make test
    [gate 1 of 2, tests pass: cannot run: exit status 127 (command not found)]
    ");
}
