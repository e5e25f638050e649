//! What an agent reads at each step, whole, and the promise that it stays short whatever was typed.

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::decide::why::{CommandFailure, Why};
use crate::git_names::{HeadTarget, RefName};
use crate::journal::event::{End, Event, Finish, Intent, Rework, Verdict};
use crate::journal::sample::{
    make_commit, make_decision, make_intent, make_measurement, make_reading, make_records,
    make_start,
};
use crate::journal::story::Story;

fn begin() -> RunState {
    let mut state = RunState::from_start(Event::Start(Box::new(make_start(47)))).unwrap();
    state.ready = true;
    state
}

fn agent(way: MeasureWay) -> Caller {
    Caller {
        program: "autoresearch".to_owned(),
        way,
        reader: Reader::Agent,
        work_tree: None,
        is_tree_shut: false,
    }
}

fn await_rework(state: &mut RunState) {
    let intent: Intent = make_intent(1, 0);
    state.apply_event(Event::Intent(intent)).unwrap();
    state
        .apply_event(Event::Rework(Rework {
            trial: 1,
            attempt: 0,
            commit: make_commit(1),
            measurement: make_measurement(30),
            why: Why::GuardFailed(CommandFailure::Exit { status: 1 }),
            left_files: Vec::new(),
            guard_retries: 0,
            verify_runs: None,
            cases: None,
            runs: Vec::new(),
        }))
        .unwrap();
}

fn end(state: &mut RunState, end: End) {
    let why = "so\tit is".to_owned();
    state.apply_event(Event::End(Ending { end, why })).unwrap();
}

/// States at each of the steps, with the name of the step.
fn list_states() -> Vec<(&'static str, RunState)> {
    let mut states = vec![("trial", begin())];
    let mut state = begin();
    await_rework(&mut state);
    states.push(("rework", state));
    for (name, failures, pivots) in [("refine", 3, 0), ("pivot", 5, 0), ("search", 5, 1)] {
        let mut state = begin();
        state.ladder.failures = failures;
        state.ladder.pivots = pivots;
        state.ladder.refined = failures > 3;
        states.push((name, state));
    }
    for (name, which) in [("target", End::Target), ("ceiling", End::Budget)] {
        let mut state = begin();
        end(&mut state, which);
        states.push((name, state));
    }
    let mut state = begin();
    end(&mut state, End::UserStop);
    let head = HeadTarget::Branch(RefName::of_branch("main"));
    state
        .apply_event(Event::Finish(Finish {
            head,
            holdout: None,
        }))
        .unwrap();
    states.push(("left", state));
    states
}

#[test]
fn the_next_step_says_what_to_call_at_each_step() {
    let told: Vec<String> = list_states()
        .iter()
        .map(|(name, state)| {
            let next = format_next_step(state, &agent(MeasureWay::Trial));
            format!("{name}: {next}")
        })
        .collect();
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn the_next_step_follows_the_way_in_which_trials_are_measured() {
    let state = begin();
    let ways = [
        MeasureWay::Trial,
        MeasureWay::Long,
        MeasureWay::Propose,
        MeasureWay::ProposeUnsure,
        MeasureWay::Nothing,
    ];
    let told: Vec<String> = ways
        .into_iter()
        .map(|way| format!("{way:?}: {}", format_next_step(&state, &agent(way))))
        .collect();
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn only_a_person_is_told_how_to_raise_a_ceiling() {
    let mut state = begin();
    end(&mut state, End::IterationCap);
    let person = format_next_step(&state, &Caller::for_person());
    assert!(person.contains("raise --help"), "{person}");
    let told = format_next_step(&state, &agent(MeasureWay::Trial));
    assert!(told.contains("only the person can raise"), "{told}");
    let mut state = begin();
    end(&mut state, End::Target);
    assert!(!format_next_step(&state, &Caller::for_person()).contains("raise"));
}

#[test]
fn advice_is_given_only_where_the_ladder_only_advises() {
    let mut state = begin();
    state.ladder.failures = 5;
    state.start.config.ladder = LadderMode::Off;
    assert_eq!(format_advice(&state), "");
    state.start.config.ladder = LadderMode::Advise;
    for (pivots, part) in [
        (0, "choose another strategy"),
        (1, "look outside"),
        (2, "ask whether"),
    ] {
        state.ladder.pivots = pivots;
        assert!(format_advice(&state).contains(part), "{pivots} pivots");
    }
    state.ladder.failures = 0;
    state.ladder.pivots = 0;
    assert_eq!(format_advice(&state), "");
}

#[test]
fn a_brief_says_where_the_run_is_and_ends_with_the_next_step() {
    let state = begin();
    let records = make_records([
        Event::Verdict(Box::new(make_decision(1, Verdict::Keep, Some(40)))),
        Event::Verdict(Box::new(make_decision(2, Verdict::Discard, Some(45)))),
    ]);
    let rows = Story::of(&state.start, &records).list_last_rows(9);
    let caller = Caller {
        work_tree: Some("../less".to_owned()),
        ..agent(MeasureWay::Trial)
    };
    let brief = format_brief(
        &state,
        &rows,
        &BriefQuotes {
            lessons: vec!["- 2026-01-01 keep: less is more".to_owned()],
            open: vec!["src/a.ts:3: error TS2322: no".to_owned()],
        },
        &caller,
    );
    insta::assert_snapshot!(brief);
}

#[test]
fn a_reader_who_stands_in_the_runs_work_tree_is_told_so_in_words() {
    let caller = Caller {
        work_tree: Some(".".to_owned()),
        ..agent(MeasureWay::Trial)
    };
    let state = begin();
    let step = format_next_step(&state, &caller);
    assert!(
        step.contains("(src/**) in this folder, the run's own work tree, leave git alone"),
        "{step}"
    );
    let brief = format_brief(&state, &[], &BriefQuotes::default(), &caller);
    assert!(
        brief.contains("\nedit in this folder, the run's own work tree\n"),
        "{brief}"
    );
}

#[test]
fn the_brief_of_a_turn_forbids_git_and_quotes_what_others_wrote() {
    let mut state = begin();
    state.start.config.required_labels.keep = vec!["real".to_owned()];
    await_rework(&mut state);
    let notes = ["`a.txt` is not yours to change".to_owned()];
    let brief = format_turn_brief(
        &state,
        &[],
        (
            &BriefQuotes {
                lessons: vec!["a\nlesson".to_owned()],
                open: vec![
                    "src/a.ts:3: \\u{202e}no".to_owned(),
                    "src/b.ts:4: no".to_owned(),
                ],
            },
            &notes,
        ),
        TurnTask::Step,
    );
    insta::assert_snapshot!(brief);
}

#[test]
fn the_task_of_a_turn_is_the_step_that_is_due() {
    let told: Vec<String> = list_states()
        .iter()
        .map(|(name, state)| format!("{name}: {}", format_turn_task(state)))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn another_next_step_replaces_the_last_line_and_nothing_else() {
    let brief = "facts\nnext: edit\n";
    for (told, begin) in [
        (
            format_paused_brief(brief, &Caller::for_person()),
            "next: the run is paused",
        ),
        (
            format_busy_brief(brief, "next: wait for trial 3"),
            "next: wait for trial 3",
        ),
        (
            format_registered_brief(brief),
            "next: what you changed is registered",
        ),
    ] {
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 2, "{told}");
        assert_eq!(lines[0], "facts");
        assert!(lines[1].starts_with(begin), "{told}");
    }
}

#[test]
fn a_pinned_file_that_the_scope_names_is_nothing_to_edit() {
    let mut config = make_start(1).config;
    config.scope = vec!["src/**".to_owned(), "/a.sh".to_owned(), "b\tc".to_owned()];
    config.pin = vec!["a.sh".to_owned()];
    assert_eq!(format_scope(&config, 80), "src/** b\\tc");
    assert_eq!(format_scope(&config, 4), "src…");
}

#[test]
fn protected_files_are_named_with_the_scripts_that_are_always_protected() {
    let mut config = make_start(1).config;
    assert_eq!(
        format_protected_files(&config),
        "the scripts that verify and guard run"
    );
    config.protect = vec!["tests/**".to_owned()];
    config.pin = vec!["a.sh".to_owned()];
    assert_eq!(
        format_protected_files(&config),
        "tests/** a.sh and the scripts that verify and guard run"
    );
}

#[test]
fn what_is_used_is_shown_with_its_limit_where_there_is_one() {
    assert_eq!(format_used_of_limit(3, Some(50)), "3 of 50");
    assert_eq!(format_used_of_limit(3, None), "3");
}

#[test]
fn the_best_value_is_shown_with_its_direction_start_and_target() {
    let mut state = begin();
    assert_eq!(
        format_best_value(&state),
        "n 47 (lower is better, start 47)"
    );
    state.start.config.metric.target = Some(Value::from(0).into());
    state.incumbent.measurement = make_measurement(40);
    assert_eq!(
        format_best_value(&state),
        "n 40 (lower is better, start 47, -15 %, target 0)"
    );
    state.start.reading = Some(make_reading("ms"));
    assert_eq!(
        format_best_value(&state),
        "n 40 ms (lower is better, start 47 ms, -15 %, target 0 ms)"
    );
}

proptest! {
    #[test]
    fn a_brief_is_short_whatever_was_typed(
        goal in ".{0,400}", message in "(?s).{0,300}", lesson in ".{0,400}", scope in "[a-z/*]{1,300}",
    ) {
        let mut state = begin();
        state.start.config.goal = goal;
        state.start.config.scope = vec![scope.clone(), scope];
        let mut decided = make_decision(1, Verdict::Discard, Some(50));
        decided.message = message;
        let records = make_records([Event::Verdict(Box::new(decided))]);
        let row = Story::of(&state.start, &records).list_last_rows(1).remove(0);
        let rows = vec![row; 9];
        let lessons = vec![lesson; 3];
        let quoted = BriefQuotes { lessons: lessons.clone(), open: lessons };
        let brief = format_brief(&state, &rows, &quoted, &agent(MeasureWay::ProposeUnsure));
        prop_assert!(brief.chars().count() <= MAX, "{} characters", brief.chars().count());
        prop_assert!(brief.lines().last().unwrap().starts_with("next: "));
        prop_assert_eq!(format_row(&rows[0]).lines().count(), 1);
    }
}

#[test]
fn a_turn_can_be_asked_for_hypotheses_or_for_one_of_several() {
    let state = begin();
    let task_of = |task: TurnTask<'_>| {
        let brief = format_turn_brief(&state, &[], (&BriefQuotes::default(), &[]), task);
        let task = brief.lines().find(|line| line.starts_with("Now: "));
        task.unwrap().to_owned()
    };
    insta::assert_snapshot!(task_of(TurnTask::Propose(3)), @"Now: propose 3 changes that differ in kind, each of which should move the metric by itself, and edit nothing. Give one sentence for each in `hypotheses`, the best first: each is made by an agent of its own, in a tree of its own, at the same time. If you have fewer ideas, give those; if none, set nothing_more.");
    let task = TurnTask::Try {
        hypothesis: "cache\nthe parse",
        others: &["drop \"it\"", "sort once"],
    };
    insta::assert_snapshot!(task_of(task), @r#"Now: make the change that this hypothesis asks for, and no other: "cache\nthe parse". Leave these to others, who try them at the same time in trees of their own: "drop 'it'"; "sort once"."#);
}
