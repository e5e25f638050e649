//! What people are told: times of their own clock with UTC beside it, and paths that they can open from where they stand.

use std::path::Path;

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::{Answer, CONFIG, Testbed, finish};

/// Runs a command in a folder below the repository.
fn in_folder(bed: &Testbed, folder: &Path, words: &[&str]) -> Answer {
    let mut command = bed.command(words);
    command.current_dir(folder);
    finish(command)
}

/// A run whose trials crash where there is a file `src/crash`.
fn crashing(config: &str) -> Testbed {
    let bed = Testbed::new();
    bed.write(
        "count.sh",
        "test ! -e src/crash || { echo broken >&2; exit 3; }\ncat src/* | grep -c '^any$'\n",
    );
    bed.git(&["commit", "-qam", "count"]);
    bed.start(config);
    bed
}

/// The place of the whole output that an answer names.
fn named(answer: &Answer) -> String {
    let line = answer
        .out
        .lines()
        .find_map(|line| line.strip_prefix("whole output: "));
    line.unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

#[test]
fn a_path_in_an_answer_opens_from_where_the_command_was_called() {
    let bed = crashing(CONFIG);
    let (sub, home) = (bed.path("src"), bed.home.clone());
    let repo = bed.repo.to_str().unwrap().to_owned();
    let cases: [(&Path, Vec<&str>); 3] = [
        (&bed.repo, vec!["trial", "-m", "x"]),
        (&sub, vec!["trial", "-m", "x"]),
        (&home, vec!["-C", &repo, "trial", "-m", "x"]),
    ];
    for (number, (folder, words)) in (1..).zip(&cases) {
        bed.write("src/crash", "");
        let answer = in_folder(&bed, folder, words).ok();
        let place = folder.join(named(&answer));
        assert!(place.join("verify-1.out").exists(), "{answer:?}");
        assert_eq!(
            place.canonicalize().unwrap(),
            bed.run_file(&format!("trials/{number}")),
            "{answer:?}"
        );
        if number == 3 {
            bed.run(&["strategy", "refine", "-m", "x"]).ok();
        }
    }
    let log = in_folder(&bed, &sub, &["background", "status", "--json"])
        .ok()
        .json();
    assert_eq!(log["log"], "../autoresearch-results/demo/runtime.log");
    // A hook is called by nobody's hand: what it says is whole.
    bed.write("src/crash", "");
    bed.agent("s1", &["propose", "-m", "by the hook"]).ok();
    let said = bed.hook("stop", "s1").ok().json();
    assert_answer!(said["reason"].as_str().unwrap(), @r#"
    trial 4: crash (verify-failed); the best is 10 from trial 0
    why: verify failed: exit status 3
    files: src/crash
      | broken
    whole output: <bed>/repo/autoresearch-results/demo/trials/4
    next: change one thing in scope (src/**), leave git alone, then run: <program> trial -m "what you changed"
    "#);
}

#[test]
fn the_work_tree_of_a_run_is_named_as_it_is_seen() {
    let bed = Testbed::started(&ConfigText::demo().isolation("worktree"));
    let own = bed.own_tree();
    let mut told = String::new();
    for folder in [
        bed.repo.clone(),
        bed.path("src"),
        own.clone(),
        own.join("src"),
    ] {
        let status = in_folder(&bed, &folder, &["status", "--json"]).ok().json();
        told += status["next"].as_str().unwrap();
        told += "\n";
    }
    assert_answer!(told, @r#"
    next: change one thing in scope (src/**) in the run's own work tree <bed>/state/trees/<id>/autoresearch-demo, leave git alone, then run: autoresearch trial -m "what you changed"
    next: change one thing in scope (src/**) in the run's own work tree <bed>/state/trees/<id>/autoresearch-demo, leave git alone, then run: autoresearch trial -m "what you changed"
    next: change one thing in scope (src/**) in this folder, the run's own work tree, leave git alone, then run: autoresearch trial -m "what you changed"
    next: change one thing in scope (src/**) in the run's own work tree .., leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
}

#[test]
fn people_read_their_own_time_with_utc_beside_it_and_programs_utc_alone() {
    let bed = Testbed::started(CONFIG);
    let zone = [("TZ", "XYZ-5:45")];
    let status = bed.run_with(&["status"], &zone).ok().out;
    let started = status
        .lines()
        .find(|line| line.starts_with("  started   "))
        .unwrap();
    assert!(
        started.contains(" UTC), ") && started.ends_with(" ago"),
        "{started}"
    );
    let minutes = |text: &str| -> i32 {
        let (hours, rest) = text.split_once(':').unwrap();
        hours.parse::<i32>().unwrap() * 60 + rest[..2].parse::<i32>().unwrap()
    };
    let (local, utc) = started.split_once(" (").unwrap();
    let (local, utc) = (
        &local[local.len() - 8..],
        &utc[utc.find(" UTC").unwrap() - 8..],
    );
    assert_eq!(
        (minutes(local) - minutes(utc)).rem_euclid(24 * 60),
        5 * 60 + 45,
        "{started}"
    );
    let rows = bed.run_with(&["log", "--times"], &zone).ok().out;
    assert!(rows.lines().all(|row| row.contains(" UTC)  ")), "{rows}");
    let plain = bed.run_with(&["log", "--times"], &[("TZ", "UTC")]).ok().out;
    assert!(plain.contains(" UTC     0  "), "{plain}");
    // Files and JSON have one clock.
    let journal = std::fs::read_to_string(bed.run_file("journal.jsonl")).unwrap();
    assert!(journal.contains("Z\""), "{journal}");
    let json = bed.run_with(&["status", "--json"], &zone).ok().out;
    assert!(!json.contains("UTC"), "{json}");
}
