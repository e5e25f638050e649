//! Seeded `kill -9` at any moment of a run, also inside git commands and renames; the run always goes on.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::config_text::ConfigText;
use crate::testbed::{CONFIG, Testbed, wait_until};

/// How many kills the suite makes; `AUTORESEARCH_KILLS` makes it a campaign.
const KILLS: u64 = 25;

fn next(seed: &mut u64) -> u64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// Who is killed.
#[derive(Clone, Copy, PartialEq)]
enum Victims {
    /// The tool alone: a git that it started goes on for a while.
    Tool,
    /// The tool and its git, as a loss of power does: git may leave its lock files.
    ToolAndGit,
}

/// The git processes that a process has started.
fn gits_of(parent: u32) -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_string_lossy().parse().ok());
    numbers
        .filter(|pid: &i32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let (name, rest) = stat.rsplit_once(')').unwrap_or_default();
            name.ends_with("(git") && rest.split_whitespace().nth(1) == Some(&parent.to_string())
        })
        .collect()
}

fn signal(pid: i32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    let _ = rustix::process::kill_process(pid, signal);
}

/// Starts a trial and kills it after a while; true when it was killed before it ended.
fn killed(bed: &Testbed, after: Duration, victims: Victims) -> bool {
    let start = Instant::now();
    let mut command = bed.command(&["trial", "-m", "to be killed"]);
    let mut child = command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while start.elapsed() < after {
        std::hint::spin_loop();
    }
    let alive = child.try_wait().unwrap().is_none();
    if alive && victims == Victims::ToolAndGit {
        let id = i32::try_from(child.id()).unwrap();
        signal(id, rustix::process::Signal::STOP);
        for git in gits_of(child.id()) {
            signal(git, rustix::process::Signal::KILL);
        }
    }
    let _ = child.kill();
    child.wait().unwrap();
    alive
}

#[test]
fn a_kill_at_any_moment_of_a_trial_converges() {
    let kills = std::env::var("AUTORESEARCH_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(KILLS);
    let bed = Testbed::started(&ConfigText::demo().iterations(1_000_000));
    let mut seed = 20_261_123;
    let mut interrupted = 0;
    for round in 0..kills {
        let count = usize::try_from(6 + next(&mut seed) % 5).unwrap();
        bed.edit(count);
        bed.write(&format!("src/new{}", round % 3), "x\n");
        interrupted += u64::from(killed(
            &bed,
            Duration::from_micros(next(&mut seed) % 120_000),
            if round % 2 == 0 {
                Victims::Tool
            } else {
                Victims::ToolAndGit
            },
        ));
        let answer = bed.run(&["resume", "--json"]);
        assert_eq!(answer.code, 0, "round {round}: {answer:?}");
        let left = answer.json()["unmeasured"].as_array().unwrap().len();
        if left > 0 {
            bed.run(&["trial", "--drop"]).ok();
        }
        let due = bed.run(&["status", "--json"]).ok().json()["due"]
            .as_str()
            .unwrap()
            .to_owned();
        if ["refine", "pivot", "search"].contains(&due.as_str()) {
            bed.run(&["strategy", &due, "-m", "go on"]).ok();
        }
        assert_eq!(bed.git(&["status", "--porcelain"]), "", "round {round}");
        let doctor = bed.run(&["doctor"]);
        assert_eq!(doctor.code, 0, "round {round}: {doctor:?}");
        if due == "finish" {
            return;
        }
    }
    assert!(interrupted > 0, "no kill hit a running trial");
}

/// A git in front of the real one, which tells that a command is at work and goes on only when a file is there.
fn slow_git(bed: &Testbed, command: &str, lock: &str) -> String {
    let real = std::env::var("PATH")
        .unwrap()
        .split(':')
        .map(|folder| Path::new(folder).join("git"))
        .find(|git| git.is_file())
        .unwrap();
    let folder = bed.home.join("slow");
    std::fs::create_dir_all(&folder).unwrap();
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in *\" {command} \"*) if [ -e '{home}/wait' ]; then {lock}touch '{home}/at-work'; until [ -e '{home}/go' ]; do sleep 0.01; done; fi;; esac\nexec '{real}' \"$@\"\n",
        home = bed.home.display(),
        real = real.display(),
    );
    let git = folder.join("git");
    crate::testbed::write_program(&git, &script);
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

/// Starts a run whose git waits in `command`, and kills a trial while it does.
fn killed_in(bed: &Testbed, command: &str, lock: &str) {
    let path = slow_git(bed, command, lock);
    let config = bed.home.join("config.yaml");
    std::fs::write(&config, CONFIG).unwrap();
    let start = ["start", "--config", config.to_str().unwrap()];
    bed.run_with(&start, &[("PATH", &path)]).ok();
    std::fs::write(bed.home.join("wait"), "").unwrap();
    bed.edit(3);
    let mut child = bed
        .command(&["trial", "-m", "to be killed"])
        .spawn()
        .unwrap();
    wait_until("git is at work", || bed.home.join("at-work").exists());
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_git_that_outlives_a_killed_trial_is_waited_for() {
    let bed = Testbed::new();
    killed_in(&bed, "update-index", "");
    let resumed = std::thread::scope(|scope| {
        let resume = scope.spawn(|| bed.run(&["resume", "--json"]));
        // The orphan goes on only now; without the wait, the repair would have run into it or beside it.
        wait_until("resume waits for the run", || {
            bed.run(&["status", "--json"]).json()["holder"].is_string()
        });
        std::fs::write(bed.home.join("go"), "").unwrap();
        resume.join().unwrap()
    });
    let repaired = resumed.ok().json()["repaired"].to_string();
    assert!(repaired.contains("trial 1 was interrupted"), "{repaired}");
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
    assert_eq!(bed.try_count(3), "keep");
}

#[test]
fn a_lock_file_that_a_killed_git_of_ours_left_is_removed() {
    let bed = Testbed::new();
    let take = format!("touch '{}'; ", bed.path(".git/index.lock").display());
    // The stand-in takes the lock before it waits, and the real git then fails on it: it stays.
    killed_in(&bed, "update-index", &take);
    std::fs::remove_file(bed.home.join("wait")).unwrap();
    std::fs::write(bed.home.join("go"), "").unwrap();
    let resumed = bed.run(&["resume", "--json"]).ok().json();
    let repaired = resumed["repaired"].to_string();
    assert!(repaired.contains("index.lock was removed"), "{repaired}");
    assert!(!bed.path(".git/index.lock").exists());
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
    assert_eq!(bed.try_count(3), "keep");
}

/// Edited code that ends the tool when it does not like its number buys no retries.
#[test]
fn measurements_that_are_cut_short_count_and_the_third_in_a_row_is_a_crash() {
    let bed = Testbed::new();
    let mark = bed.home.join("mark");
    let script = format!(
        "test -f src/kills && {{ touch {}; sleep 1000; }}\ncat src/a src/b | grep -c '^any$'\n",
        mark.display()
    );
    bed.write("count.sh", &script);
    bed.git(&["commit", "-qam", "may end the tool"]);
    bed.start(CONFIG);
    for killed in 1..=3 {
        bed.edit(12);
        bed.write("src/kills", "x\n");
        let mut child = bed.command(&["trial", "-m", "worse"]).spawn().unwrap();
        crate::testbed::wait_until("verify runs", || mark.exists());
        child.kill().unwrap();
        child.wait().unwrap();
        std::fs::remove_file(&mark).unwrap();
        let answer = bed.run(&["resume", "--json"]).ok().json();
        let repaired = answer["repaired"].to_string();
        let told = if killed < 3 {
            "was interrupted; it was undone and does not count"
        } else {
            "was interrupted like those before it; it was undone as a crash"
        };
        assert!(repaired.contains(told), "{repaired}");
        assert!(!bed.path("src/kills").exists(), "its edits were undone");
    }
    let rows = bed.run(&["log", "--json"]).ok().json();
    let statuses: Vec<&str> = rows["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["status"].as_str().unwrap())
        .collect();
    assert_eq!(
        statuses,
        ["baseline", "interrupted", "interrupted", "crash"]
    );
    let journal = bed.read("autoresearch-results/demo/journal.jsonl");
    assert!(journal.contains(r#""why":{"cut-short":3}"#), "{journal}");
    let state = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(state["iterations"], 1, "{state}");
    assert_eq!(bed.try_count(4), "keep", "the next trial works");
}
