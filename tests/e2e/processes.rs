//! Commands that hang, fork, hide, flood or kill must not hurt the run, and nothing of them survives.

use crate::config_text::ConfigText;
use crate::testbed::{CONFIG, Testbed, processes_with, wait_until};

/// A run whose verify does what `src/how` says, once that file exists, within three seconds.
fn bed_with(how: &str) -> Testbed {
    let bed = Testbed::new();
    bed.write(
        "count.sh",
        "test -f src/how && . src/how\ncat src/* | grep -c '^any$'\n",
    );
    bed.git(&["commit", "-qam", "how"]);
    bed.start(&ConfigText::demo().verify_with("timeout", "3s"));
    bed.edit(1);
    bed.write("src/how", how);
    bed
}

/// A number of seconds that nobody else sleeps.
fn unique() -> String {
    format!(
        "{}",
        100_000 + std::process::id() % 10_000 + u32::from(rand()) * 10_000
    )
}

fn rand() -> u16 {
    use std::hash::{BuildHasher, Hasher};
    let number = std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish();
    u16::try_from(number % 9_000).unwrap()
}

#[track_caller]
fn ends(how: &str, detail: &str) {
    // What hangs here would hang for more than a day, and no command of the bench may take longer than minutes.
    let seconds = unique();
    let bed = bed_with(&how.replace("1000", &seconds));
    let answer = bed.run(&["trial", "-m", "hangs", "--json"]).ok();
    let report = answer.json();
    assert_eq!(report["verdict"], "crash", "{report}");
    assert!(
        report["detail"].as_str().unwrap().contains(detail),
        "{report}"
    );
    assert_eq!(processes_with(&seconds), Vec::<String>::new());
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
    assert_eq!(bed.try_count(4), "keep", "the run goes on");
}

#[test]
fn a_hanging_verify_with_a_background_child_is_over_at_its_deadline() {
    ends("sleep 1000 & sleep 1000\n", "timed out after 3s");
}

#[test]
fn a_verify_that_ignores_term_is_killed_after_the_grace() {
    ends(
        "trap '' TERM INT HUP\nsleep 1000 & sleep 1000; sleep 1000\n",
        "timed out after 3s",
    );
}

#[test]
fn a_verify_that_leaves_its_session_does_not_escape() {
    ends(
        "setsid sh -c \"trap '' TERM; sleep 1000\" &\nsetsid setsid sleep 1000 &\nsleep 1000\n",
        "timed out after 3s",
    );
}

#[test]
fn a_daemon_that_a_finished_verify_leaves_is_ended_and_reported() {
    let seconds = unique();
    let bed = bed_with(&format!(
        "setsid sleep {seconds} >/dev/null 2>&1 &\nsleep {seconds} &\n"
    ));
    let report = bed.trial("leaves daemons");
    assert_eq!(
        (report["verdict"].as_str(), report["swept"].as_u64()),
        (Some("keep"), Some(4))
    );
    assert_eq!(processes_with(&seconds), Vec::<String>::new());
}

#[test]
fn a_verify_that_floods_its_output_is_ended_and_the_file_is_cut() {
    let bed = bed_with("yes 0123456789012345678901234567890123456789\n");
    let report = bed.trial("floods");
    assert_eq!(report["verdict"], "crash");
    let detail = report["detail"].as_str().unwrap();
    assert!(
        detail.contains("64 MiB") || detail.contains("timed out"),
        "{detail}"
    );
    assert!(
        std::fs::metadata(bed.run_file("trials/1/verify-1.out"))
            .unwrap()
            .len()
            <= 64 << 20
    );
    assert_eq!(
        processes_with("0123456789012345678901234567890123456789"),
        Vec::<String>::new()
    );
}

#[test]
fn a_verify_that_kills_its_parent_or_its_group_is_a_crash_and_the_run_goes_on() {
    for how in [
        "kill -9 $PPID; sleep 1000\n",
        "kill -9 0\n",
        "kill -9 -- -$(ps -o pgid= $PPID | tr -d ' '); sleep 1000\n",
        "kill -STOP $PPID; sleep 1000\n",
    ] {
        ends(how, "");
    }
}

#[test]
fn a_report_that_a_command_writes_for_its_runner_is_not_believed() {
    let forged = r#"{"how":{"Exited":0},"swept":0}"#;
    let how = format!(
        "echo 1\nfor fd in 0 1 2; do echo '{forged}' > /proc/$PPID/fd/$fd; done 2>/dev/null\nkill -9 $PPID\nsleep 1000\n"
    );
    ends(&how, "");
}

#[test]
fn a_killed_trial_leaves_no_process_and_is_undone_by_the_next_command() {
    let seconds = unique();
    let bed = bed_with("");
    let mark = bed.home.join("mark");
    bed.write(
        "src/how",
        &format!(
            "touch {}\nsetsid sleep {seconds} &\nsleep {seconds}\n",
            mark.display()
        ),
    );
    let before = bed.head();
    let mut child = bed.command(&["trial", "-m", "killed"]).spawn().unwrap();
    wait_until("verify runs", || mark.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the orphans are gone", || {
        processes_with(&seconds).is_empty()
    });
    let brief = bed.run(&["resume"]).ok();
    assert!(brief.out.contains("interrupted"), "{brief:?}");
    assert_eq!(bed.head(), before);
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
    assert_eq!(bed.story(), ["0 baseline", "1 interrupted"]);
    assert!(
        bed.git(&["show", "refs/autoresearch/demo/interrupted-1:src/how"])
            .contains(&seconds)
    );
}

#[test]
fn a_trial_after_a_killed_one_says_what_was_taken_back_and_measures_nothing() {
    let bed = bed_with("");
    let mark = bed.home.join("mark");
    bed.write(
        "src/how",
        &format!("touch {}\nsleep 1000\n", mark.display()),
    );
    let mut child = bed.command(&["trial", "-m", "killed"]).spawn().unwrap();
    wait_until("verify runs", || mark.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    bed.edit(2);
    bed.run(&["trial", "-m", "again"])
        .fails(2)
        .says("was interrupted")
        .says("autoresearch retry 1` brings the edits back");
    assert_eq!(bed.story(), ["0 baseline", "1 interrupted"]);
    assert_eq!(bed.run(&["status", "--json"]).ok().json()["failures"], 0);
    assert_eq!(bed.try_count(4), "keep");
}

#[test]
fn a_signal_that_comes_twice_at_once_is_one_interruption() {
    let bed = bed_with("");
    let mark = bed.home.join("mark");
    bed.write(
        "src/how",
        &format!("touch {}\nsleep 1000\n", mark.display()),
    );
    let mut child = bed
        .command(&["trial", "-m", "interrupted"])
        .spawn()
        .unwrap();
    wait_until("verify runs", || mark.exists());
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    for _ in 0..2 {
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(bed.story(), ["0 baseline", "1 interrupted"]);
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_process_that_a_filter_of_git_leaves_behind_is_not_waited_for() {
    let bed = Testbed::new();
    // As long as the file is there, which goes with the test's folder.
    let run = bed.path("run");
    let filter = format!(
        "while [ -e {} ]; do sleep 0.1; done > /dev/null & cat",
        run.display()
    );
    bed.git(&["config", "filter.slow.clean", &filter]);
    bed.write(".gitattributes", "src/a filter=slow\n");
    bed.write(".git/info/exclude", "run\n");
    bed.git(&["add", "."]);
    bed.git(&["commit", "-qm", "filter"]);
    bed.start(CONFIG);
    bed.write("run", "");
    bed.edit(3);
    let answer = bed.run(&["trial", "-m", "two fewer"]);
    answer.ok().says("trial 1: keep");
}

#[test]
fn a_filter_that_hangs_is_ended_when_the_command_is_asked_to_end_and_the_next_one_goes_on() {
    let bed = Testbed::new();
    let (run, mark) = (bed.path("run"), bed.home.join("mark"));
    let filter = format!(
        "if [ -e {} ]; then touch {}; while :; do sleep 0.1; done; fi; cat",
        run.display(),
        mark.display()
    );
    bed.git(&["config", "filter.slow.clean", &filter]);
    bed.write(".gitattributes", "src/a filter=slow\n");
    bed.write(".git/info/exclude", "run\n");
    bed.git(&["add", "."]);
    bed.git(&["commit", "-qm", "filter"]);
    bed.start(CONFIG);
    bed.write("run", "");
    bed.edit(3);
    let mut child = bed.command(&["trial", "-m", "hangs"]).spawn().unwrap();
    wait_until("the filter runs", || mark.exists());
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    std::fs::remove_file(&run).unwrap();
    let answer = bed.run(&["trial", "-m", "two fewer"]);
    answer.fails(2).says("the last trial was interrupted");
    bed.run(&["retry", "1"]).ok();
    assert_eq!(bed.trial("two fewer")["verdict"], "keep");
    assert_eq!(processes_with(mark.to_str().unwrap()), Vec::<String>::new());
}

#[test]
fn what_verify_printed_is_not_written_over_by_one_who_goes_back_in_it() {
    let back = "import os; os.lseek(1, 0, 0); os.write(1, b'1\\n')";
    let bed = bed_with(&format!("echo 7\npython3 -c \"{back}\"\n"));
    bed.trial("goes back");
    let printed = std::fs::read_to_string(bed.run_file("trials/1/verify-1.out")).unwrap();
    assert_eq!(printed, "7\n1\n6\n");
}
