//! `vary`: what differs between the runs of `exit_rate`, is the same for the kept state and for a trial, and ends with a run.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::gauges::hide_intervals;
use crate::shown::assert_answer;
use crate::testbed::{Testbed, wait_until};

/// What each run met, one a line in a file beside the repository.
const NOTES: &str = "echo \"$AUTORESEARCH_RUN $AUTORESEARCH_SEED $PYTHONHASHSEED $TZ\" >> ../met\n";

fn config(verify: &str) -> String {
    format!(
        "goal: No test fails now and then\ntag: demo\nscope: [app.sh]\nmetric: {{name: failed, direction: lower, target: 0}}\nverify: {verify}\n"
    )
}

fn prepare(app: &str, verify: &str) -> Testbed {
    let bed = Testbed::new();
    bed.write("app.sh", app);
    bed.write("autoresearch.yaml", &config(verify));
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "app"]);
    bed
}

/// What the runs met since the last time that somebody asked.
fn take_met(bed: &Testbed) -> Vec<String> {
    let file = bed.folder.path().join("met");
    let met = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    met.lines().map(ToOwned::to_owned).collect()
}

#[test]
fn every_measurement_meets_the_same_run_by_run_and_a_failed_run_is_named_with_what_it_met() {
    let by_zone = format!("{NOTES}[ \"$(date +%z)\" = +0000 ]\n");
    let by_seed = format!("{NOTES}[ \"$AUTORESEARCH_SEED\" -ne 4 ]\n");
    let verify = "{exit_rate: sh app.sh, runs: 5, vary: [seed, zone, load]}";
    let bed = prepare(&by_zone, verify);
    bed.run(&["start"]).ok();
    let at_start = take_met(&bed);
    assert!(at_start.len() >= 10, "{at_start:?}");
    bed.write("app.sh", &by_seed);
    let answer = bed.run(&["trial", "-m", "the zone of the machine is not asked for"]);
    let answer = hide_intervals(&answer.to_string());
    assert_answer!(answer, @r#"
    trial 1: keep, failed 1 failed runs (-3), commit <commit>
    gain: 75 % (<interval>), 95 % interval
    rate: 2 of 10: 20 % (<interval>), 95 % interval
    failed: run 4 (seed 4, zone Asia/Kolkata, load); what they printed: autoresearch-results/demo/trials/1
    files: app.sh
    next: change one thing in scope (app.sh), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    let in_trial = take_met(&bed);
    for (which, met) in [("the kept state", &at_start), ("the trial", &in_trial)] {
        for (index, line) in met.iter().enumerate() {
            assert_eq!(*line, at_start[index % 5], "run {index} of {which}");
        }
    }
    insta::assert_snapshot!(at_start[..5].join("\n"), @"
    0 1 1 UTC
    1 2 2 Pacific/Chatham
    2 3 3 America/New_York
    3 4 4 Asia/Kolkata
    4 5 5 Pacific/Pago_Pago
    ");
    let output = bed.read("autoresearch-results/demo/trials/1/verify-1.out");
    insta::assert_snapshot!(output, @"
    [run 1 of 5, seed 1, zone UTC: succeeded]
    [run 2 of 5, seed 2, zone Pacific/Chatham, load: succeeded]
    [run 3 of 5, seed 3, zone America/New_York: succeeded]
    [run 4 of 5, seed 4, zone Asia/Kolkata, load: exit status 1]
    [run 5 of 5, seed 5, zone Pacific/Pago_Pago: succeeded]
    [failed: 1 of 5 runs failed: run 4 (seed 4, zone Asia/Kolkata, load)]
    ");
}

#[test]
fn without_vary_a_run_is_told_its_number_alone() {
    let bed = prepare(
        &format!("{NOTES}false\n"),
        "{exit_rate: sh app.sh, runs: 3}",
    );
    bed.run(&["config", "try", "autoresearch.yaml"]).ok();
    let met = take_met(&bed);
    let expected = ["0", "1", "2"].map(|run| format!("{run}   "));
    assert_eq!(met[..3], expected);
}

/// The number of the runner, which a command finds as its parent.
fn read_runner(file: &Path) -> Pid {
    let read = || std::fs::read_to_string(file).unwrap_or_default();
    wait_until("the number of the runner", || read().ends_with('\n'));
    Pid::from_raw(read().trim().parse().unwrap()).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn every_second_run_has_the_cores_busy_and_what_keeps_them_busy_ends_with_it() {
    let cores = std::thread::available_parallelism().unwrap().get();
    let app = "ls /proc/$PPID/task | wc -l >> ../threads\n[ ! -e ../wait ] || { echo $PPID > ../runner; sleep 1000; }\nfalse\n";
    for (signal, code) in [(Signal::INT, Some(130)), (Signal::KILL, None)] {
        let bed = prepare(app, "{exit_rate: exec sh app.sh, runs: 4, vary: [load]}");
        bed.run(&["start"]).ok();
        let beside = |name: &str| bed.folder.path().join(name);
        let threads = std::fs::read_to_string(beside("threads")).unwrap();
        let threads: Vec<usize> = threads
            .lines()
            .map(|line| line.trim().parse().unwrap())
            .collect();
        assert_eq!(threads[..4], [1, 1 + cores, 1, 1 + cores]);
        // The first run waits, is let go, and the second waits under load.
        bed.write(
            "app.sh",
            &format!("[ \"$AUTORESEARCH_RUN\" = 0 ] || {{ : > ../wait; }}\n{app}"),
        );
        let mut trial = bed.command(&["trial", "-m", "waits"]);
        let mut trial = trial.stdout(std::process::Stdio::null()).spawn().unwrap();
        let runner = read_runner(&beside("runner"));
        let at = format!("/proc/{}/task", runner.as_raw_nonzero());
        assert_eq!(std::fs::read_dir(at).unwrap().count(), 1 + cores);
        let pid = Pid::from_raw(i32::try_from(trial.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
        let ended = trial.wait().unwrap();
        assert_eq!(ended.code(), code);
        assert_eq!(ended.signal(), code.is_none().then_some(9));
        wait_until("the end of the runner", || {
            test_kill_process(runner).is_err()
        });
        std::fs::remove_file(beside("wait")).unwrap();
        bed.run(&["resume"]).ok();
        assert_eq!(bed.story(), ["0 baseline", "1 interrupted"]);
    }
}
