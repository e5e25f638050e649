//! Two processes at once: one acts, the other learns who does.

use std::path::Path;

use crate::testbed::{CONFIG, Testbed, finish, wait_until, write_program};

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

/// Puts a git before the real one, which writes to a file of the scope as long as there are words to write, whenever a trial
/// is taken back.
fn write_before_the_undo(bed: &Testbed) -> String {
    let path = std::env::var("PATH").unwrap();
    let mut places = path.split(':').map(|folder| Path::new(folder).join("git"));
    let real = places.find(|git| git.is_file()).unwrap();
    let folder = bed.home.join("writing");
    std::fs::create_dir(&folder).unwrap();
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in *' read-tree -m -u '*) next=$(ls '{home}'/words-* 2>/dev/null | head -1); [ -z \"$next\" ] || mv \"$next\" '{file}';; esac\nexec '{real}' \"$@\"\n",
        home = bed.home.display(),
        file = bed.path("src/a").display(),
        real = real.display(),
    );
    write_program(&folder.join("git"), &script);
    format!("{}:{path}", folder.display())
}

#[test]
fn what_is_written_while_a_trial_is_taken_back_is_saved_and_the_trial_has_its_verdict() {
    let bed = Testbed::new();
    let path = write_before_the_undo(&bed);
    let config = bed.home.join("config.yaml");
    std::fs::write(&config, CONFIG).unwrap();
    let start = ["start", "--config", config.to_str().unwrap()];
    bed.run_with(&start, &[("PATH", &path)]).ok();
    for word in ["one", "two"] {
        let file = bed.home.join(format!("words-{word}"));
        std::fs::write(file, format!("{word} more idea\n")).unwrap();
    }
    bed.edit(6);
    assert_eq!(bed.trial("worse")["verdict"], "discard");
    assert_eq!(bed.read("src/a"), "any\n".repeat(5));
    let held = bed.git(&["show", "refs/autoresearch/demo/trial/1:src/a"]);
    assert_eq!(held, "two more idea\n");
    let before = bed.git(&["show", "refs/autoresearch/demo/trial/1~:src/a"]);
    assert_eq!(before, "one more idea\n");
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
    bed.run(&["doctor"]).ok();
    // Somebody who never stops is told so.
    for number in 0..9 {
        let file = bed.home.join(format!("words-{number}"));
        std::fs::write(file, format!("idea {number}\n")).unwrap();
    }
    bed.edit(6);
    bed.run(&["trial", "-m", "worse again"])
        .fails(4)
        .says("something else is writing to them: stop it");
    for number in 0..9 {
        let _ = std::fs::remove_file(bed.home.join(format!("words-{number}")));
    }
    bed.run(&["resume"]).ok();
    assert_eq!(bed.story(), ["0 baseline", "1 discard", "2 discard"]);
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
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
