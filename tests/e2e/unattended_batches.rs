//! Batches in runs without a person, with a scripted command as the agent: what it is asked, which of three turns fail, and
//! where it goes on with one trial after the other.

use serde_json::Value;

use crate::config_text::ConfigText;
use crate::testbed::{Answer, Testbed};

/// Proposes what `$HOME/proposals` holds, and does what a hypothesis says: it is a shell command.
const AGENT: &str = r#"brief=$(cat)
turn=$(mktemp "$HOME/turn-XXXXXX"); printf '%s' "$brief" > "$turn"
case $brief in
  *'Now: propose'*) cat "$HOME/proposals"; exit;;
  *'and no other: "'*) move=${brief#*and no other: \"}; move=${move%%\"*};;
  *) move='seq 4 | sed s/.*/any/ > src/a';;
esac
eval "$move" || exit
echo '{"message": "did it"}'
"#;

/// A bench whose agent proposes these moves in each of its batches.
fn bed(moves: &[&str]) -> Testbed {
    let bed = Testbed::new();
    std::fs::write(bed.home.join("agent.sh"), AGENT).unwrap();
    let answer = serde_json::json!({"message": "", "hypotheses": moves});
    std::fs::write(bed.home.join("proposals"), answer.to_string()).unwrap();
    bed
}

fn exec(bed: &Testbed, iterations: usize, change: impl Fn(ConfigText) -> ConfigText) -> Answer {
    let config = ConfigText::demo()
        .agent("sh \"$HOME/agent.sh\"")
        .iterations(iterations)
        .parallel(3);
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, change(config).to_string()).unwrap();
    let words = ["exec", "--config", file.to_str().unwrap()];
    bed.run_with(&words, &[("SEALED_PATIENCE", "20")])
}

/// What a number of lines `any` in `src/a` is as a move.
const SET_3: &str = "seq 3 | sed s/.*/any/ > src/a";
const SET_2: &str = "seq 2 | sed s/.*/any/ > src/a";
const SET_1: &str = "seq 1 | sed s/.*/any/ > src/a";

fn turns(bed: &Testbed) -> Vec<Value> {
    let journal = std::fs::read_to_string(bed.run_file("journal.jsonl")).unwrap();
    let records = journal.lines().map(|line| {
        let record: Value = serde_json::from_str(line).unwrap();
        record["event"]["turn"].clone()
    });
    records.filter(Value::is_object).collect()
}

#[test]
fn the_best_of_three_is_kept_and_the_whole_batch_is_one_iteration() {
    let bed = bed(&[SET_3, SET_1, SET_2]);
    let answer = exec(&bed, 1, |config| config);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(
        bed.story(),
        [
            "0 baseline",
            "1a measured",
            "1b measured",
            "1c measured",
            "1 keep"
        ]
    );
    let summary: Value = serde_json::from_str(answer.out.lines().last().unwrap()).unwrap();
    assert_eq!(summary["status"], "iteration-cap", "{summary}");
    assert_eq!(summary["cost"]["turns"], 4);
    // One of the untouched first tree, one of each worker, two in the run's own tree, and one for the claim.
    assert_eq!(summary["cost"]["verify_runs"], 7, "{summary}");
    let line: Value = serde_json::from_str(answer.out.lines().next().unwrap()).unwrap();
    assert_eq!(line["files"], serde_json::json!(["src/a"]));
    assert!(line["timings"]["own_ms"].as_f64() > Some(0.0), "{line}");
}

#[test]
fn a_turn_that_fails_by_itself_costs_only_its_worker() {
    let bed = bed(&[SET_3, "exit 9", "exit 3"]);
    exec(&bed, 1, |config| config);
    assert_eq!(
        bed.story(),
        [
            "0 baseline",
            "1a measured",
            "1b no-op",
            "1c no-op",
            "1 keep"
        ]
    );
    let given_up = turns(&bed)
        .into_iter()
        .filter(|turn| turn["given_up"] == true);
    let given_up: Vec<Value> = given_up.map(|turn| turn["worker"].clone()).collect();
    assert_eq!(given_up, ["1b", "1c"]);
}

#[test]
fn a_service_that_cannot_be_had_for_one_is_asked_again_for_this_one_alone() {
    let once = format!("if mkdir $HOME/ill 2>/dev/null; then exit 75; else {SET_1}; fi");
    let bed = bed(&[SET_3, &once, SET_2]);
    exec(&bed, 1, |config| config);
    let workers: Vec<Value> = turns(&bed)
        .iter()
        .map(|turn| turn["worker"].clone())
        .collect();
    let expected = ["null", "\"1a\"", "\"1b\"", "\"1c\"", "\"1b\""];
    let told: Vec<String> = workers.iter().map(ToString::to_string).collect();
    assert_eq!(told, expected);
    assert_eq!(
        bed.rows().last().unwrap()[6],
        format!("{once} [picked from 1b]")
    );
}

#[test]
fn an_agent_with_one_idea_is_asked_for_an_edit_and_one_without_any_ends_the_run() {
    let bed = bed(&[SET_3]);
    let answer = exec(&bed, 2, |config| config);
    assert_eq!(
        bed.story(),
        ["0 baseline", "1 no-op", "2 no-op"],
        "{answer:?}"
    );
}

#[test]
fn where_no_tree_can_be_had_it_says_why_and_goes_on_with_one_trial_after_the_other() {
    let bed = bed(&[SET_3, SET_2]);
    // In another place verify gives another number.
    let odd = "sh count.sh | sed \"s/$/$(case $PWD in */repo) ;; *) echo 7;; esac)/\"";
    let answer = exec(&bed, 2, |config| config.verify(odd));
    let summary: Value = serde_json::from_str(answer.out.lines().last().unwrap()).unwrap();
    let why = "verify gives 107 in a tree of its own, and 10 in the run's: it depends on the place, or on files that git does not hold";
    assert_eq!(summary["serial"], why, "{answer:?}");
    assert_eq!(
        bed.story(),
        ["0 baseline", "1 keep", "2 no-op"],
        "{answer:?}"
    );
    let asked = turns(&bed).len();
    assert_eq!(asked, 3, "it was asked for hypotheses once");
}
