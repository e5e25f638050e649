//! Batches with the real Codex: hypotheses at once in the background, and an account's limit in one of three turns.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::json;

use crate::config_text::ConfigText;
use crate::night::{Night, seconds_ahead};
use crate::permissions::with_the_rule;
use crate::reply::{Reply, say, shell, usage_limit_with_headers};
use crate::request::Request;
use crate::scene::{config, person, set};

/// How long a turn waits for the others of its batch.
const DEADLINE: Duration = Duration::from_mins(3);

/// The agent's answer.
fn answer(message: &str, hypotheses: &[String]) -> Reply {
    let answer = json!({
        "message": message, "hypothesis": "fewer", "labels": [], "simplify": false,
        "strategy": null, "hypotheses": hypotheses, "nothing_more": false,
    });
    say(&answer.to_string())
}

fn three_at_once() -> ConfigText {
    config().target(0).iterations(4).parallel(3)
}

/// What a worker is asked to try: the batch and the number that its hypothesis names.
fn find_hypothesis(request: &Request) -> Option<(usize, usize)> {
    let text = request.last_user_text();
    let (_, after) = text.split_once("asks for, and no other: \"batch ")?;
    let (batch, count) = after.split('"').next()?.split_once(": leave ")?;
    Some((batch.parse().ok()?, count.parse().ok()?))
}

/// Three hypotheses of a batch, the best in the middle. The last one is worse than the start.
fn propose(batch: usize) -> Vec<String> {
    let best = 3 - batch;
    let counts = [best + 1, best, 9];
    counts
        .map(|count| format!("batch {batch}: leave {count}"))
        .to_vec()
}

/// Those who wait for each other.
#[derive(Default)]
struct Meeting {
    came: Mutex<BTreeSet<(usize, usize)>>,
    all: Condvar,
}

impl Meeting {
    /// Comes to the meeting of a batch; whether all three were there at the same time.
    fn wait(&self, batch: usize, who: usize) -> bool {
        let mut came = self.came.lock().unwrap();
        came.insert((batch, who));
        self.all.notify_all();
        let is_missing = |came: &mut BTreeSet<(usize, usize)>| {
            came.iter().filter(|(other, _)| *other == batch).count() < 3
        };
        let waited = self
            .all
            .wait_timeout_while(came, DEADLINE, is_missing)
            .unwrap();
        !waited.1.timed_out()
    }
}

/// The log of the night.
const STORY: [&str; 17] = [
    "0 baseline",
    "1a measured",
    "1b measured",
    "1c discard",
    "1 keep",
    "2a no-op",
    "2b measured",
    "2c discard",
    "2 keep",
    "3a no-op",
    "3b measured",
    "3c discard",
    "3 keep",
    "4a no-op",
    "4b measured",
    "4c discard",
    "4 keep",
];

#[test]
fn four_batches_of_a_night_have_three_turns_at_once_and_keep_the_best_of_each() {
    let Some(night) = Night::with(&three_at_once()) else {
        return;
    };
    let meeting = Arc::new(Meeting::default());
    let alone = Arc::new(Mutex::new(Vec::new()));
    let (meets, met_nobody) = (Arc::clone(&meeting), Arc::clone(&alone));
    let asked = Mutex::new(0);
    night.bench.model.react(move |request| {
        if request.last_user_text().contains("Now: propose 3 changes") {
            let mut asked = asked.lock().unwrap();
            *asked += 1;
            return answer("", &propose(*asked - 1));
        }
        let (batch, count) = find_hypothesis(request).expect("a worker's brief");
        if !request.outputs().is_empty() {
            return answer("did it", &[]);
        }
        if !meets.wait(batch, count) {
            met_nobody.lock().unwrap().push(count);
        }
        shell(&set(count))
    });
    night.start();
    let over = night.over();
    assert_eq!(over["end"], "iteration-cap", "{over} {}", night.log());
    assert_eq!(*alone.lock().unwrap(), [0; 0], "{}", night.log());
    let bed = &night.bench.bed;
    let story: Vec<String> = bed.story();
    assert_eq!(story, STORY, "{}", night.log());
    let turns = night.turns();
    assert_eq!(
        turns.len(),
        16,
        "a turn for the hypotheses, and three at once"
    );
    let workers: Vec<&str> = turns
        .iter()
        .filter_map(|turn| turn["worker"].as_str())
        .collect();
    assert_eq!(
        workers,
        [
            "1a", "1b", "1c", "2a", "2b", "2c", "3a", "3b", "3c", "4a", "4b", "4c"
        ]
    );
    assert!(
        turns.iter().all(|turn| turn["tokens"].as_u64() > Some(0)),
        "{turns:?}"
    );
    told_of_each_other(&night);
}

/// Each worker is told what the two others try.
fn told_of_each_other(night: &Night) {
    let requests = night.bench.model.requests();
    let workers = requests
        .iter()
        .filter(|request| find_hypothesis(request).is_some());
    for request in workers {
        let text = request.last_user_text();
        let (_, others) = text.split_once("Leave these to others").expect(&text);
        assert_eq!(others.matches("\"batch ").count(), 2, "{text}");
    }
}

#[test]
fn a_usage_limit_in_one_of_three_turns_pauses_all_and_loses_none() {
    let Some(night) = Night::with(&three_at_once().iterations(1)) else {
        return;
    };
    let limited = Mutex::new(false);
    night.bench.model.react(move |request| {
        if request.last_user_text().contains("Now: propose 3 changes") {
            return answer("", &propose(0));
        }
        let (_, count) = find_hypothesis(request).expect("a worker's brief");
        if !request.outputs().is_empty() {
            return answer("did it", &[]);
        }
        if count == 9 && !std::mem::replace(&mut *limited.lock().unwrap(), true) {
            return usage_limit_with_headers(seconds_ahead(8));
        }
        shell(&set(count))
    });
    night.start();
    let over = night.over();
    assert_eq!(over["end"], "iteration-cap", "{over} {}", night.log());
    let turns = night.turns();
    let told: Vec<(Option<&str>, bool)> = turns
        .iter()
        .map(|turn| (turn["worker"].as_str(), turn["fault"].is_null()))
        .collect();
    assert_eq!(
        told,
        [
            (None, true),
            (Some("1a"), true),
            (Some("1b"), true),
            (Some("1c"), false),
            (Some("1c"), true),
        ],
        "{}",
        night.log()
    );
    let rows = night.bench.bed.rows();
    let best = rows.last().unwrap();
    assert_eq!(
        (best[0].as_str(), best[2].as_str(), best[5].as_str()),
        ("1", "8", "keep"),
        "{rows:?}"
    );
    let requests = night.bench.model.requests();
    let limited: Vec<&Request> = requests
        .iter()
        .filter(|request| find_hypothesis(request) == Some((0, 9)) && request.outputs().is_empty())
        .collect();
    let gap = limited[1].arrived - limited[0].arrived;
    assert!(
        gap > Duration::from_secs(6),
        "{gap:?}: nobody asks while the limit holds"
    );
}

/// A session whose commands are: open a batch, edit in each of its trees as the answer names them, close it.
#[test]
fn a_session_in_the_sandbox_edits_in_the_trees_of_a_batch_and_the_best_is_kept() {
    let Some((bench, engine)) = with_the_rule() else {
        return;
    };
    person(&bench, &engine, &["start"]).ok();
    let engine = engine.display().to_string();
    let step = Mutex::new(0);
    bench.model.react(move |request| {
        let mut step = step.lock().unwrap();
        *step += 1;
        match *step {
            1 => shell(&format!("{engine} parallel open -m four -m three")),
            2 => {
                let opened = request.outputs().pop().unwrap_or_default();
                let trees = opened
                    .lines()
                    .filter_map(|line| line.trim().strip_prefix("in "));
                let edits: Vec<String> = [4, 3]
                    .iter()
                    .zip(trees)
                    .map(|(count, tree)| format!("(cd {tree} && {})", set(*count)))
                    .collect();
                shell(&format!("{}; echo edited $?", edits.join(" && ")))
            }
            3 => shell(&format!("{engine} parallel close")),
            _ => say("done"),
        }
    });
    bench.exec("go").sandbox("workspace-write").run().ok();
    let outputs = bench.model.last().outputs();
    assert!(outputs[1].contains("edited 0"), "{outputs:?}");
    assert_eq!(
        bench.bed.story(),
        ["0 baseline", "1a measured", "1b measured", "1 keep"],
        "{outputs:?}"
    );
    assert!(
        outputs[2].contains("any_count 8 (-2, -20 %)"),
        "{outputs:?}"
    );
}
