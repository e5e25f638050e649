//! Owns the campaign of a crowd: many commands at the same time on one repository.
//! Does not wait between them: whoever is too late is told so.
//! Invariant: each command answers with one JSON object, and what it reported is in the log once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::Figures;
use super::asked::Asked;
use super::belongings::{Picture, leave_out_the_runs, move_in, picture_all, tell_differences};
use super::bench::{Bench, Said, Started, make_folder, write_file};
use super::dice::Dice;
use super::rounds;

/// Commands in one round.
const COMMANDS: usize = 100;
/// Commands at the same time.
const AT_ONCE: usize = 25;

/// The exit code of a command that finds another at work.
const BUSY: i32 = 5;

const CONFIG: &str = "goal: Fewer any\ntag: crowd\nscope: [\"src/**\"]\nmetric: {name: any_count, direction: lower}\n\
    verify: {command: \"sh count.sh\", timeout: 60s}\nguard: {command: \"sh guard.sh\", timeout: 60s}\niterations: 1000\n";

/// What is called, each as often as it stands here.
const WORDS: [&[&str]; 20] = [
    &["trial", "-m", "an idea"],
    &["trial", "-m", "an idea"],
    &["trial", "-m", "an idea"],
    &["trial", "-m", "an idea"],
    &["trial", "-m", "simpler", "--simplify"],
    &["trial", "--drop"],
    &["status"],
    &["status"],
    &["log"],
    &["log", "--last", "3"],
    &["show", "0"],
    &["show", "1", "--diff"],
    &["strategy", "refine", "-m", "another way"],
    &["strategy", "pivot", "-m", "another way"],
    &["retry", "1"],
    &["resume"],
    &["doctor"],
    &["doctor", "--repair"],
    &["runs"],
    &["clean"],
];

/// What a round came to.
#[derive(Default)]
struct Counts {
    commands: u64,
    done: u64,
    busy: u64,
    refused: u64,
    verdicts: u64,
}

/// Calls commands at the same time, until the rounds are over.
pub(crate) fn try_crowd(asked: &Asked) -> Figures {
    let mut counts = Counts::default();
    let tried = rounds::try_rounds(asked, 1, |round, dice| {
        let bench = Bench::new(make_folder(), Bench::side_by_side);
        move_in(&bench);
        let theirs = leave_out_the_runs(&picture_all(&bench), false);
        std::fs::write(bench.base.join("config.yaml"), CONFIG).unwrap();
        let answers = call_crowd(&bench, dice);
        for (words, said) in &answers {
            count_answer(&mut counts, words, said);
        }
        let case = format!("round {round}");
        survey(&bench, &answers, &theirs, &case);
    });
    Figures {
        line: format!(
            "{}; {} commands, {AT_ONCE} at a time: {} done, {} told that another was at work, {} refused; {} verdicts, each of them in the log once",
            tried.opening(asked),
            counts.commands,
            counts.done,
            counts.busy,
            counts.refused,
            counts.verdicts
        ),
        held: tried.broken == 0,
    }
}

type Answers = Vec<(Vec<String>, Said)>;

/// Calls the commands; whenever one has ended, the next begins.
fn call_crowd(bench: &Bench, dice: &mut Dice) -> Answers {
    let mut at_work: Vec<(Vec<String>, Started<'_>)> = Vec::new();
    let mut answers = Answers::new();
    let mut called = 0;
    while called < COMMANDS || !at_work.is_empty() {
        rounds::end_if_interrupted();
        if called < COMMANDS && at_work.len() < AT_ONCE {
            let words = choose_words(bench, dice, called);
            let borrowed: Vec<&str> = words.iter().map(String::as_str).collect();
            let started = bench.started(bench.tool(&borrowed));
            called += 1;
            if called == 1 {
                // With edits from the beginning on, nothing would ever start.
                answers.push((words, started.finish()));
                continue;
            }
            at_work.push((words, started));
            continue;
        }
        let ended = at_work
            .iter_mut()
            .position(|(_, started)| started.has_ended());
        // Where none has ended, the oldest one is waited for.
        let (words, started) = at_work.remove(ended.unwrap_or(0));
        let said = started.finish();
        if said.code == BUSY {
            // Whoever was at work gets on, so that more than one trial comes to its end.
            std::thread::sleep(Duration::from_millis(dice.below(40)));
        }
        answers.push((words, said));
    }
    answers
}

/// Now and then the run ends and another begins; some trials have something to try.
fn choose_words(bench: &Bench, dice: &mut Dice, called: usize) -> Vec<String> {
    let config = bench.base.join("config.yaml");
    let start = ["start", "--config", config.to_str().unwrap()];
    let words = match dice.below(100) {
        _ if called == 0 => &start,
        0..6 => &start,
        6 => &["stop"][..],
        7 => &["finish"],
        8..35 => WORDS[0],
        _ => dice.pick(&WORDS),
    };
    let edited = bench.places.repo.join("src/a");
    match words[0] {
        // A start wants a clean scope.
        "start" => write_file(&edited, &"any\n".repeat(40)),
        "trial" if dice.chance(25) => {
            let lines = dice.index(60);
            let text = format!("{}# {called}\n", "any\n".repeat(lines));
            write_file(&edited, &text);
        }
        _ => {}
    }
    let words = words.iter().chain(&["--json"]);
    words.map(ToString::to_string).collect()
}

fn count_answer(counts: &mut Counts, words: &[String], said: &Said) {
    counts.commands += 1;
    match said.code {
        0 => counts.done += 1,
        BUSY => counts.busy += 1,
        _ => counts.refused += 1,
    }
    counts.verdicts += u64::from(find_verdict(words, said).is_some());
}

/// Run, number and verdict, where this answer is that of a trial that got a row.
fn find_verdict(words: &[String], said: &Said) -> Option<(String, u64, String)> {
    if words[0] != "trial" || said.code != 0 {
        return None;
    }
    let answer = said.json();
    let verdict = answer["verdict"].as_str()?;
    let is_row = ["keep", "discard", "crash"].contains(&verdict);
    let of = (
        answer["run"].as_str()?.to_owned(),
        answer["trial"].as_u64()?,
        verdict.to_owned(),
    );
    is_row.then_some(of)
}

fn survey(bench: &Bench, answers: &Answers, theirs: &Picture, case: &str) {
    for (words, said) in answers {
        // A start whose files are edited while it measures may find a metric that does not react (3).
        let is_answer =
            [0, 2, 4, BUSY, 6].contains(&said.code) || (words[0] == "start" && said.code == 3);
        assert!(is_answer, "{case}, {words:?}: {said:?}");
        said.json();
    }
    bench.run(&["resume", "--json"]).ok(case);
    let doctor = bench.run(&["doctor", "--json"]).ok(case).json();
    assert_eq!(doctor["problems"], 0, "{case}: {doctor}");
    let runs = bench.run(&["runs", "--json"]).ok(case).json();
    let runs = runs["runs"].as_array().unwrap().clone();
    let open = runs.iter().filter(|run| run["end"].is_null()).count();
    assert!(open <= 1, "{case}: {open} runs are open: {runs:?}");
    survey_starts(answers, &runs, case);
    survey_rows(bench, answers, &runs, case);
    bench.run(&["finish"]).ok(case);
    bench.expect_no_process(case);
    let now = leave_out_the_runs(&picture_all(bench), false);
    let differences = tell_differences(theirs, &now);
    assert!(differences.is_empty(), "{case}: {differences:#?}");
    let checked = bench.try_git(&["fsck", "--full", "--strict"]);
    assert_eq!(checked.code, 0, "{case}: git fsck: {checked:?}");
}

/// Each run that was reported as started is there.
fn survey_starts(answers: &Answers, runs: &[Value], case: &str) {
    let there: BTreeSet<&str> = runs.iter().filter_map(|run| run["run"].as_str()).collect();
    for (words, said) in answers {
        if words[0] == "start" && said.code == 0 {
            let answer = said.json();
            let name = answer["run"].as_str().unwrap_or("").to_owned();
            assert!(
                there.contains(name.as_str()),
                "{case}: {name} is not among {there:?}"
            );
        }
    }
}

/// The rows of all runs are those that were reported, each once.
fn survey_rows(bench: &Bench, answers: &Answers, runs: &[Value], case: &str) {
    let mut reported: BTreeMap<(String, u64), String> = BTreeMap::new();
    let mut strategies = 0;
    for (words, said) in answers {
        strategies += usize::from(words[0] == "strategy" && said.code == 0);
        if let Some((run, trial, verdict)) = find_verdict(words, said) {
            let before = reported.insert((run, trial), verdict);
            assert!(
                before.is_none(),
                "{case}: two answers for one trial: {said:?}"
            );
        }
    }
    let (mut logged, mut logged_strategies) = (BTreeMap::new(), 0);
    for run in runs {
        let name = run["run"].as_str().unwrap();
        let log = bench.run(&["log", "--json", "--run", name]).ok(case).json();
        for row in log["rows"].as_array().unwrap() {
            let status = row["status"].as_str().unwrap();
            match status {
                "keep" | "discard" | "crash" => {
                    let number = row["iteration"].as_u64().unwrap();
                    let before = logged.insert((name.to_owned(), number), status.to_owned());
                    assert!(before.is_none(), "{case}: two rows for one trial: {log}");
                }
                "refine" | "pivot" | "search" => logged_strategies += 1,
                _ => {}
            }
        }
    }
    let is_blocked = |(words, said): &&(Vec<String>, Said)| words[0] == "trial" && said.code == 4;
    let blocked: Vec<_> = answers.iter().filter(is_blocked).collect();
    let is_logged = |told: (&(String, u64), &String)| logged.get(told.0) == Some(told.1);
    assert!(
        reported.iter().all(is_logged),
        "{case}: {reported:?} was told, and {logged:?} is in the log"
    );
    // Where somebody edited while it was taken back, the verdict stands, and the answer is to stop that.
    assert!(
        logged.len() <= reported.len() + blocked.len(),
        "{case}: {logged:?} is in the log, and only {reported:?} was told: {blocked:?}"
    );
    assert_eq!(strategies, logged_strategies, "{case}");
}
