//! Who is out of the choice among the workers of a batch, and in which order the others are tried.

use proptest::prelude::*;

use super::*;
use crate::journal::batch::WorkerId;
use crate::journal::sample::{make_measurement, make_start};
use crate::metric::definition::Direction;

fn row(index: usize, value: Option<i64>, lines: u32) -> WorkerRow {
    let worker = WorkerId::list_of(5).nth(index).unwrap();
    WorkerRow {
        measurement: value.map(make_measurement),
        lines,
        ..WorkerRow::new(worker, "an idea")
    }
}

fn rank(direction: Direction, rows: &[WorkerRow]) -> String {
    let metric = Metric {
        direction,
        ..make_start(10).config.metric
    };
    let before = 10.into();
    let scene = ChoiceScene {
        metric: &metric,
        before: &before,
        spread: None,
    };
    let ranked = scene.rank_rows(rows.iter()).into_iter();
    ranked.map(|row| row.worker.letter()).collect()
}

#[test]
fn the_best_number_comes_first_whichever_way_is_better() {
    let rows = [row(0, Some(8), 1), row(1, Some(3), 1), row(2, Some(5), 1)];
    assert_eq!(rank(Direction::Lower, &rows), "bca");
    assert_eq!(rank(Direction::Higher, &rows), "acb");
}

#[test]
fn of_equal_numbers_the_smaller_change_comes_first_and_then_the_first() {
    let rows = [row(0, Some(3), 9), row(1, Some(3), 2), row(2, Some(3), 9)];
    assert_eq!(rank(Direction::Lower, &rows), "bac");
}

#[test]
fn who_has_no_number_is_not_in_the_order() {
    let rows = [row(0, None, 1), row(1, Some(12), 1)];
    assert_eq!(rank(Direction::Lower, &rows), "b");
}

#[test]
fn an_exact_metric_must_improve_and_a_noisy_one_may_not_be_clearly_worse() {
    let metric = make_start(10).config.metric;
    let before = 10.into();
    let exact = ChoiceScene {
        metric: &metric,
        before: &before,
        spread: None,
    };
    assert_eq!(exact.find_refusal(&9.into()), None);
    assert_eq!(exact.find_refusal(&10.into()), Some(Why::Tie));
    assert_eq!(exact.find_refusal(&11.into()), Some(Why::WorseMetric));
    let noisy = ChoiceScene {
        spread: Some(1.0),
        ..exact
    };
    assert_eq!(noisy.find_refusal(&13.into()), None);
    assert_eq!(noisy.find_refusal(&14.into()), Some(Why::WorseMetric));
}

#[test]
fn a_noisy_metric_gets_one_answer_by_its_number_and_an_exact_one_as_many_as_there_are() {
    let by_number = [
        Why::WorseMetric,
        Why::Tie,
        Why::BelowMinimum,
        Why::NotRepeated {
            first: 1.into(),
            second: 2.into(),
        },
        Why::CannotTell {
            runs: 1,
            needed: 2,
            incumbent_runs: 0,
            gain: None,
        },
    ];
    for why in &by_number {
        assert!(allows_next(why, true) && !allows_next(why, false), "{why}");
    }
    for why in [Why::Conflict(Vec::new()), Why::Holdout, Why::NothingChanged] {
        assert!(allows_next(&why, true) && allows_next(&why, false), "{why}");
    }
}

proptest! {
    #[test]
    fn an_order_holds_everyone_once_and_never_puts_the_worse_first(
        values in proptest::collection::vec((-9_i64..9, 0_u32..4), 1..4),
    ) {
        let rows: Vec<WorkerRow> = values
            .iter()
            .enumerate()
            .map(|(index, (value, lines))| row(index, Some(*value), *lines))
            .collect();
        let order = rank(Direction::Lower, &rows);
        prop_assert_eq!(order.chars().count(), rows.len());
        let found: Vec<(i64, u32)> = order
            .chars()
            .map(|letter| values["abc".find(letter).unwrap()])
            .collect();
        prop_assert!(found.is_sorted());
    }
}
