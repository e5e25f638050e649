//! GUIDE.md tells the truth about what programs read: the fields of every answer, file and record are those of the types.
//!
//! Each is made by a real command here and compared with the tables and examples there, both ways round.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use autoresearch_core::journal::event::Event;
use serde_json::Value;

use crate::batch::put_any;
use crate::config_text::ConfigText;
use crate::testbed::{Testbed, wait_until};

/// Objects whose keys are names of the user's, or one of several forms.
const OPEN: [&str; 6] = [
    "metrics",
    "order",
    "environment",
    "config",
    "worktree",
    "evidence",
];

/// Fields that are written only where there is something to say.
const SOMETIMES: [&str; 17] = [
    "runs",
    "droppings",
    "head",
    "jump",
    "leaves_out",
    "guard_retries",
    "again",
    "saved",
    "suspects",
    "verify_runs",
    "holdout",
    "incumbent_tree",
    "gain",
    "cases",
    "why",
    "worker",
    "given_up",
];

fn guide() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../GUIDE.md");
    std::fs::read_to_string(path).unwrap()
}

/// The text between a heading and the next one of its rank.
fn section(heading: &str) -> String {
    let guide = guide();
    let (_, rest) = guide.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split("\n## ").next().unwrap().to_owned()
}

/// The JSON objects that a text shows, one a line.
fn shown(text: &str) -> Vec<Value> {
    let blocks = text.split("```json\n").skip(1);
    let lines = blocks.flat_map(|block| block.split("```").next().unwrap().lines());
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// Where two objects differ in their keys: the first such place. What is null or empty on one side says nothing.
fn difference(shown: &Value, real: &Value, place: &str) -> Option<String> {
    match (shown, real) {
        (Value::Object(left), Value::Object(right)) => {
            let keys = |object: &serde_json::Map<String, Value>| -> BTreeSet<String> {
                object.keys().cloned().collect()
            };
            let (left_keys, right_keys) = (keys(left), keys(right));
            if left_keys != right_keys {
                let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| -> Vec<String> {
                    one.difference(other).cloned().collect()
                };
                return Some(format!(
                    "at `{place}` GUIDE alone has {:?}, the program alone has {:?}",
                    only(&left_keys, &right_keys),
                    only(&right_keys, &left_keys)
                ));
            }
            let mut deeper = left.iter().filter(|(key, _)| !OPEN.contains(&key.as_str()));
            deeper
                .find_map(|(key, value)| difference(value, &right[key], &format!("{place}.{key}")))
        }
        (Value::Array(left), Value::Array(right)) => match (left.first(), right.first()) {
            (Some(left), Some(right)) => difference(left, right, &format!("{place}[]")),
            _ => None,
        },
        _ => None,
    }
}

/// Every answer of the commands, by name.
struct Answers(Vec<(String, Value)>);

impl Answers {
    fn take(&mut self, name: &str, answer: Value) {
        self.0.push((name.to_owned(), answer));
    }

    fn ask(&mut self, bed: &Testbed, words: &[&str]) {
        let mut with = words.to_vec();
        with.push("--json");
        self.take(&words.join(" "), bed.run(&with).json());
    }
}

/// A run by hand that meets everything that a run can meet.
fn by_hand(answers: &mut Answers) -> Testbed {
    let bed = Testbed::new();
    bed.write("bench.sh", "true # TODO\n");
    bed.git(&["add", "bench.sh"]);
    answers.ask(&bed, &["scan", "--goal", "resolve the TODOs"]);
    answers.ask(&bed, &["init", "--goal", "resolve the TODOs"]);
    std::fs::remove_file(bed.path("autoresearch.yaml")).unwrap();
    bed.write("bench.sh", "if true\n");
    answers.ask(&bed, &["fix", "check"]);
    bed.git(&["rm", "-qf", "bench.sh"]);
    std::fs::write(
        bed.path("autoresearch.yaml"),
        ConfigText::demo().iterations(3).to_string(),
    )
    .unwrap();
    let gates = "gates: [{name: tests pass, command: sh guard.sh}]";
    let release = ConfigText::demo().to_string() + gates + "\n";
    std::fs::write(bed.home.join("release.yaml"), release).unwrap();
    let file = bed.home.join("release.yaml");
    let words = ["ship", "check", "--config", file.to_str().unwrap()];
    answers.ask(&bed, &words);
    answers.ask(&bed, &["config", "check"]);
    answers.ask(&bed, &["config", "try"]);
    answers.ask(&bed, &["config", "example"]);
    answers.ask(&bed, &["config", "example", "lint"]);
    answers.ask(&bed, &["completions", "bash"]);
    answers.ask(&bed, &["start"]);
    bed.edit(4);
    answers.ask(&bed, &["trial", "-m", "fewer"]);
    bed.edit(1);
    bed.write("src/state", "bad\n");
    answers.ask(&bed, &["trial", "-m", "the guard fails"]);
    bed.write("src/state", "ok\n");
    answers.ask(&bed, &["trial", "--rework", "-m", "mended"]);
    bed.edit(9);
    answers.ask(&bed, &["trial", "--drop"]);
    answers.ask(&bed, &["strategy", "refine", "-m", "smaller"]);
    bed.edit(9);
    let words = ["propose", "-m", "worse", "--json"];
    answers.take("propose", bed.agent("s1", &words).ok().json());
    bed.hook("session-start", "s1").ok();
    answers.ask(&bed, &["status"]);
    answers.ask(&bed, &["log"]);
    answers.ask(&bed, &["show", "1"]);
    answers.ask(&bed, &["show", "1", "--output"]);
    bed.run(&["trial", "--drop"]).ok();
    answers.ask(&bed, &["retry", "3"]);
    answers.ask(&bed, &["remeasure", "--runs", "2"]);
    answers.ask(&bed, &["runs"]);
    answers.ask(&bed, &["resume"]);
    answers.ask(&bed, &["doctor", "--clean"]);
    answers.ask(&bed, &["trial", "--rework", "-m", "there is none"]);
    bed
}

/// Two searches for a cause: one that finds it, and one that is stopped.
fn searches(answers: &mut Answers) -> Testbed {
    let bed = Testbed::new();
    answers.ask(&bed, &["debug", "list"]);
    answers.ask(&bed, &["debug", "start", "-m", "it has any"]);
    answers.ask(
        &bed,
        &[
            "hypothesis",
            "add",
            "-m",
            "src/a",
            "--predicts",
            "grep finds it",
        ],
    );
    let places = ["--at", "src/a:1", "--quote", "any"];
    let result = [
        "hypothesis",
        "result",
        "1",
        "confirmed",
        "-m",
        "it is there",
    ];
    answers.ask(&bed, &[&result[..], &places[..]].concat());
    answers.ask(&bed, &["debug", "status"]);
    bed.run(&["debug", "start", "-m", "it is slow"]).ok();
    bed.run(&["hypothesis", "add", "-m", "grep", "--predicts", "it fails"])
        .ok();
    let command = ["--command", "! grep -q any src/a", "--expect-exit", "1"];
    // Outside of a sandbox, which not every machine has.
    let experiment = ["experiment", "1", "confirmed", "-m", "it fails"];
    answers.ask(&bed, &[&experiment[..], &command[..]].concat());
    std::fs::remove_file(bed.path("autoresearch.yaml")).ok();
    answers.ask(&bed, &["debug", "fix", "--scope", "src/**"]);
    bed.run(&["debug", "start", "-m", "it is large"]).ok();
    answers.ask(&bed, &["debug", "stop", "-m", "it is not"]);
    answers.ask(&bed, &["debug", "list"]);
    bed
}

/// Its end, after the files of its session were looked at.
fn to_its_end(bed: &Testbed, answers: &mut Answers) {
    answers.ask(bed, &["trial", "-m", "worse"]);
    answers.ask(bed, &["raise", "--iterations", "9"]);
    answers.ask(bed, &["stop"]);
    answers.ask(bed, &["finish"]);
    answers.ask(bed, &["background", "status"]);
    let demo = bed.home.join("demo");
    answers.ask(bed, &["demo", demo.to_str().unwrap()]);
    answers.ask(bed, &["install", "--yes"]);
    answers.ask(bed, &["hooks", "status"]);
    let doctor = answers
        .0
        .iter()
        .find(|(name, _)| name.starts_with("doctor"));
    let finding = doctor.unwrap().1["findings"][0].clone();
    answers.take("doctor's finding", finding);
}

/// A run with a batch that is closed and one that is given up, and a run that has none.
fn in_batches(answers: &mut Answers) -> [Testbed; 2] {
    let bed = Testbed::started(&ConfigText::demo());
    let open = ["parallel", "open", "-m", "one", "-m", "two", "--stack"];
    answers.ask(&bed, &open);
    answers.ask(&bed, &["status"]);
    put_any(&bed, 'a', "src/a", 4);
    put_any(&bed, 'b', "src/b", 0);
    answers.ask(&bed, &["parallel", "close"]);
    answers.ask(&bed, &["show", "1b"]);
    bed.run(&open).ok();
    answers.ask(&bed, &["parallel", "abort"]);
    let other = Testbed::new();
    other.write(
        "count.sh",
        "case $PWD in *-worker-?) echo 3; exit;; esac\ncat src/* | grep -c any\n",
    );
    other.git(&["commit", "-qam", "count"]);
    other.start(&ConfigText::demo());
    other.run(&open).fails(4);
    [bed, other]
}

const AGENT: &str = "cat > /dev/null; sed -i 1d src/a; echo '{\"message\": \"one less\"}'";

/// A run without a person, in the background and as `exec`.
fn unattended(answers: &mut Answers) -> Testbed {
    let bed = Testbed::new();
    let agent = bed.home.join("agent.sh");
    std::fs::write(&agent, AGENT).unwrap();
    let config = ConfigText::demo()
        .iterations(1)
        .agent(&format!("sh {}", agent.display()));
    let config = format!("{config}holdout: {{command: \"true\"}}\n");
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, config).unwrap();
    let file = file.to_str().unwrap();
    answers.ask(&bed, &["background", "start", "--config", file]);
    wait_until("the end", || {
        bed.run(&["background", "status", "--json"]).json()["phase"] == "ended"
    });
    answers.ask(&bed, &["background", "logs"]);
    bed.run(&["finish"]).ok();
    let lines = bed.run(&["exec", "--config", file, "--tag", "ci"]).ok().out;
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        answers.take(&format!("exec: {}", line["type"]), line);
    }
    bed
}

#[test]
fn the_fields_that_guide_shows_of_every_answer_are_those_that_it_has() {
    let mut answers = Answers(Vec::new());
    let bed = by_hand(&mut answers);
    to_its_end(&bed, &mut answers);
    unattended(&mut answers);
    in_batches(&mut answers);
    searches(&mut answers);
    let examples = shown(&section("JSON"));
    let fits = |example: &Value, answer: &Value| difference(example, answer, "").is_none();
    let mut faults = Vec::new();
    for (name, answer) in &answers.0 {
        // These are told in words.
        let in_words = ["completions", "demo", "background logs", "exec: \"trial\""];
        if in_words.iter().any(|word| name.starts_with(word)) {
            continue;
        }
        if !examples.iter().any(|example| fits(example, answer)) {
            let nearest = examples
                .iter()
                .max_by_key(|example| shared(example, answer))
                .unwrap();
            faults.push(format!(
                "{name}: {}",
                difference(nearest, answer, "").unwrap()
            ));
        }
    }
    for example in &examples {
        if !answers.0.iter().any(|(_, answer)| fits(example, answer)) {
            faults.push(format!("no command answers {example}"));
        }
    }
    assert_eq!(faults, Vec::<String>::new(), "mend GUIDE.md, section JSON");
}

fn shared(example: &Value, answer: &Value) -> usize {
    let (Some(example), Some(answer)) = (example.as_object(), answer.as_object()) else {
        return 0;
    };
    example
        .keys()
        .filter(|key| answer.contains_key(*key))
        .count()
}

/// The fields of an object by their paths, such as `metric.name`.
fn paths(value: &Value, before: &str, found: &mut BTreeSet<String>) {
    for (key, inner) in value.as_object().into_iter().flatten() {
        let path = format!("{before}{key}");
        match inner {
            Value::Object(_) if !OPEN.contains(&key.as_str()) => {
                paths(inner, &format!("{path}."), found);
            }
            _ => {
                found.insert(path);
            }
        }
    }
}

/// The words between backticks in a text.
fn quoted(text: &str) -> BTreeSet<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(ToOwned::to_owned)
        .collect()
}

/// The rows of the tables of a text by their first cell, with their last one.
fn table(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let name = quoted(cells[0]).into_iter().next().unwrap();
        (name, quoted(cells[cells.len() - 1]))
    })
    .collect()
}

fn compare(
    faults: &mut Vec<String>,
    name: &str,
    documented: Option<&BTreeSet<String>>,
    real: &BTreeSet<String>,
) {
    let always = documented.map(|fields| -> BTreeSet<String> {
        let sure = |field: &&String| !SOMETIMES.contains(&field.as_str()) || real.contains(*field);
        fields.iter().filter(sure).cloned().collect()
    });
    if always.as_ref() != Some(real) {
        let list: Vec<String> = real.iter().map(|path| format!("`{path}`")).collect();
        faults.push(format!(
            "`{name}` has: {}; GUIDE says {documented:?}",
            list.join(" ")
        ));
    }
}

/// Every kind of record in these journals, with the fields that it has somewhere.
fn kinds_of_records(journals: &[PathBuf]) -> BTreeMap<String, BTreeSet<String>> {
    let mut events: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for journal in journals {
        let journal = std::fs::read_to_string(journal).unwrap();
        for line in journal.lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            let (name, fields) = match &record["event"] {
                Value::String(word) => (word.clone(), None),
                event => event
                    .as_object()
                    .unwrap()
                    .iter()
                    .next()
                    .map(|(name, fields)| (name.clone(), Some(fields)))
                    .unwrap(),
            };
            let keys = fields
                .and_then(Value::as_object)
                .into_iter()
                .flat_map(|fields| fields.keys().cloned());
            events.entry(name).or_default().extend(keys);
        }
    }
    events
}

#[test]
fn the_fields_that_guide_lists_of_every_file_and_record_are_those_that_it_has() {
    let mut answers = Answers(Vec::new());
    let hand = by_hand(&mut answers);
    let vault = hand.vault();
    let mut files: BTreeMap<&str, PathBuf> = ["session.json", "proposal.json"]
        .map(|name| (name, hand.run_file(name)))
        .into();
    let parsed =
        |path: &Path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let mut objects: BTreeMap<&str, Value> = files
        .iter()
        .map(|(name, path)| (*name, parsed(path)))
        .collect();
    std::fs::remove_file(hand.run_file("proposal.json")).unwrap();
    hand.hook("stop", "s1").ok();
    hand.edit(9);
    hand.run(&["trial", "-m", "worse"]).ok();
    objects.insert("phase.json", parsed(&vault.join("phase.json")));
    to_its_end(&hand, &mut answers);
    let night = unattended(&mut answers);
    let [batches, serial] = in_batches(&mut answers);
    files = BTreeMap::from([
        (
            "autoresearch-state.json",
            hand.run_file("autoresearch-state.json"),
        ),
        ("launch.json", night.run_file("launch.json")),
        ("runtime.json", night.run_file("runtime.json")),
        ("stops.json", vault.join("stops.json")),
    ]);
    objects.extend(files.iter().map(|(name, path)| (*name, parsed(path))));
    let documented = table(&section("Files"));
    let mut faults = Vec::new();
    for (name, object) in &objects {
        let mut real = BTreeSet::new();
        paths(object, "", &mut real);
        compare(&mut faults, name, documented.get(*name), &real);
    }
    let searched = searches(&mut answers);
    let mut journals = [&hand, &night, &batches, &serial]
        .map(|bed| bed.run_file("journal.jsonl"))
        .to_vec();
    let ledgers =
        ["debug-1", "debug-3"].map(|name| format!("autoresearch-results/{name}/ledger.jsonl"));
    journals.extend(ledgers.map(|ledger| searched.path(&ledger)));
    let events = kinds_of_records(&journals);
    let met: BTreeSet<&str> = events.keys().map(String::as_str).collect();
    assert_eq!(
        met,
        Event::WORDS.iter().copied().collect(),
        "left: the kinds of record that these runs have; right: all that there are"
    );
    for (name, real) in &events {
        compare(&mut faults, name, documented.get(name), real);
    }
    assert_eq!(faults, Vec::<String>::new(), "mend GUIDE.md, section Files");
}
