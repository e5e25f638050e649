//! Seeded `kill -9` at any moment of a run, also inside git commands and renames; the run always goes on.

use std::time::{Duration, Instant};

use crate::testbed::{CONFIG, Testbed};

/// How many kills the suite makes; `AUTORESEARCH_KILLS` makes it a campaign.
const KILLS: u64 = 25;

fn next(seed: &mut u64) -> u64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// Starts a trial and kills it after a while; true when it was killed before it ended.
fn killed(bed: &Testbed, after: Duration) -> bool {
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
    let bed = Testbed::started(&CONFIG.replace("iterations: 100", "iterations: 1000000"));
    let mut seed = 20_261_123;
    let mut interrupted = 0;
    for round in 0..kills {
        let count = usize::try_from(6 + next(&mut seed) % 5).unwrap();
        bed.edit(count);
        bed.write(&format!("src/new{}", round % 3), "x\n");
        interrupted += u64::from(killed(
            &bed,
            Duration::from_micros(next(&mut seed) % 120_000),
        ));
        let lock = bed.path(".git/index.lock");
        let _ = std::fs::remove_file(&lock);
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
