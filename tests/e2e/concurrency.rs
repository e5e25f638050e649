//! Two processes at once: one acts, the other learns who does.

use crate::testbed::{CONFIG, Testbed, finish, wait_until};

#[test]
fn the_second_of_two_trials_is_busy_and_names_the_holder() {
    let bed = Testbed::new();
    let (mark, go) = (bed.home.join("mark"), bed.home.join("go"));
    bed.write("count.sh", &format!("test -f src/wait && {{ touch {}; while [ ! -f {} ]; do sleep 0.02; done; }}\ncat src/* | grep -c '^any$'\n", mark.display(), go.display()));
    bed.git(&["commit", "-qam", "wait"]);
    bed.start(CONFIG);
    bed.edit(1);
    bed.write("src/wait", "x\n");
    let first = bed.command(&["trial", "-m", "first", "--json"]);
    let waiting = std::thread::spawn(move || finish(first));
    wait_until("verify runs", || mark.exists());
    let second = bed
        .run(&["trial", "-m", "second", "--json"])
        .fails(5)
        .json();
    assert_eq!(second["kind"], "busy");
    assert!(
        second["error"].as_str().unwrap().contains("`trial`"),
        "{second}"
    );
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(status["state"], "running");
    bed.run(&["log"]).ok();
    std::fs::write(&go, "").unwrap();
    assert_eq!(waiting.join().unwrap().ok().json()["verdict"], "keep");
    assert_eq!(bed.story(), ["0 baseline", "1 keep"]);
}

#[test]
fn eight_recorders_at_once_lose_nothing_and_claim_nothing() {
    let bed = Testbed::started(CONFIG);
    let threads: Vec<_> = (0..8)
        .map(|number| {
            let command = bed.command(&["strategy", "search", "-m", &format!("idea {number}")]);
            std::thread::spawn(move || finish(command).code)
        })
        .collect();
    let codes: Vec<i32> = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    assert!(codes.iter().all(|code| [0, 5].contains(code)), "{codes:?}");
    let reported = codes.iter().filter(|code| **code == 0).count();
    assert_eq!(bed.rows().len() - 1, reported);
    bed.run(&["doctor"]).ok();
}

#[test]
fn two_starts_at_once_make_one_run() {
    let bed = Testbed::new();
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    let arguments = ["start", "--config", file.to_str().unwrap()];
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let command = bed.command(&arguments);
            std::thread::spawn(move || finish(command).code)
        })
        .collect();
    let mut codes: Vec<i32> = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    codes.sort_unstable();
    assert_eq!(codes[0], 0);
    // A start that comes after the first has ended gets the answer of the first.
    assert!(
        codes[1..].iter().all(|code| [0, 4, 5].contains(code)),
        "{codes:?}"
    );
    assert_eq!(
        std::fs::read_dir(bed.state.join("runs")).unwrap().count(),
        1
    );
    assert_eq!(bed.try_count(4), "keep");
}

#[test]
fn status_is_consistent_while_trials_run() {
    let bed = Testbed::started(CONFIG);
    let commands: Vec<_> = (0..60)
        .map(|_| bed.command(&["status", "--json"]))
        .collect();
    let watcher = std::thread::spawn(move || commands.into_iter().map(finish).collect::<Vec<_>>());
    for count in [4, 7, 3, 8, 2] {
        bed.try_count(count);
    }
    for answer in watcher.join().unwrap() {
        assert_eq!(answer.code, 0, "{answer:?}");
    }
}
