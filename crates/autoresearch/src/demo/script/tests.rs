//! The moves of the scripted proposer and their edits.

use super::*;

#[test]
fn the_first_words_any_become_another_type_and_words_that_only_hold_it_stay() {
    for (before, count, after) in [
        ("a: any, b: any;", 1, "a: T, b: any;"),
        ("a: any, b: any;", 9, "a: T, b: T;"),
        ("any", 1, "T"),
        ("any any", 0, "any any"),
        ("company anything any_", 9, "company anything T_"),
        ("many any", 9, "many T"),
        ("", 9, ""),
    ] {
        assert_eq!(replace_any_words(before, count, "T"), after, "{before}");
    }
}

#[test]
fn every_kind_of_edit_gives_its_text() {
    let edit = |change| ScriptEdit { file: "f", change };
    assert_eq!(
        edit(TextChange::Narrow(1, "T")).apply_to("any any"),
        Some("T any".to_owned())
    );
    assert_eq!(
        edit(TextChange::Replace("a", "b")).apply_to("aa"),
        Some("ba".to_owned())
    );
    assert_eq!(
        edit(TextChange::Replace("x", "b")).apply_to("aa"),
        Some("aa".to_owned())
    );
    assert_eq!(
        edit(TextChange::Append("b")).apply_to("a"),
        Some("ab".to_owned())
    );
    assert_eq!(edit(TextChange::Remove).apply_to("a"), None);
}

#[test]
fn the_moves_ask_for_everything_that_a_proposer_can_ask_for() {
    let moves = list_moves();
    let count = |is: fn(&MoveKind) -> bool| moves.iter().filter(|next| is(&next.kind)).count();
    assert_eq!(moves.len(), 17);
    assert_eq!(
        count(|kind| matches!(kind, MoveKind::Trial { rework: false })),
        12
    );
    assert_eq!(
        count(|kind| matches!(kind, MoveKind::Trial { rework: true })),
        1
    );
    assert_eq!(count(|kind| matches!(kind, MoveKind::Drop)), 1);
    assert_eq!(count(|kind| matches!(kind, MoveKind::Tidy)), 1);
    assert_eq!(
        count(|kind| matches!(kind, MoveKind::Strategy(Strategy::Refine))),
        1
    );
    assert_eq!(
        count(|kind| matches!(kind, MoveKind::Strategy(Strategy::Pivot))),
        1
    );
}

#[test]
fn a_trial_says_what_it_changes_and_what_asks_for_none_edits_nothing_in_the_scope() {
    for next in list_moves() {
        match next.kind {
            MoveKind::Trial { .. } => assert!(!next.message.is_empty() && !next.edits.is_empty()),
            MoveKind::Strategy(_) => assert!(!next.message.is_empty() && next.edits.is_empty()),
            MoveKind::Drop => assert!(next.message.is_empty() && next.edits.is_empty()),
            MoveKind::Tidy => assert!(next.edits.iter().all(|edit| !edit.file.starts_with("src/"))),
        }
    }
}

#[test]
fn every_file_that_is_edited_is_in_the_demo_but_for_the_one_that_a_move_adds() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/files");
    let moves = list_moves();
    let edits = moves.iter().flat_map(|next| &next.edits);
    let added: Vec<&str> = edits
        .map(|edit| edit.file)
        .filter(|file| !root.join(file).is_file())
        .collect();
    assert_eq!(added, ["src/shapes.ts"]);
}
