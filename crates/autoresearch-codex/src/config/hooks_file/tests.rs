//! Whole `hooks.json` files before and after, and both ways back to the byte.

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::config::json_text::tests::json_texts;

const PROGRAM: &str = "/home/u/my bin/autoresearch-hook";

#[test]
fn a_new_file_has_a_group_for_each_of_our_hooks() {
    assert_snapshot!(add_our_hooks(None, "/h/hook").unwrap(), @r#"
        {
          "hooks": {
            "SessionStart": [
              {"hooks": [{"type": "command", "command": "/h/hook session-start", "timeout": 10}]}
            ],
            "Stop": [
              {"hooks": [{"type": "command", "command": "/h/hook stop", "timeout": 1000000, "statusMessage": "autoresearch: measuring"}]}
            ],
            "Interrupt": [
              {"hooks": [{"type": "command", "command": "/h/hook interrupt", "timeout": 3}]}
            ]
          }
        }
        "#);
}

#[test]
fn our_groups_go_behind_those_of_the_user_in_their_manner() {
    let users = r#"{
  "mine": true,
  "hooks": {
    "Stop": [
      {"hooks": [{"type": "command", "command": "say done"}]},
      {"matcher": "*", "hooks": []}
    ],
    "Interrupt" : [ ]
  }
}
"#;
    let ours = add_our_hooks(Some(users), "/h/hook").unwrap();
    assert_snapshot!(ours, @r#"
        {
          "mine": true,
          "hooks": {
            "Stop": [
              {"hooks": [{"type": "command", "command": "say done"}]},
              {"matcher": "*", "hooks": []},
              {"hooks": [{"type": "command", "command": "/h/hook stop", "timeout": 1000000, "statusMessage": "autoresearch: measuring"}]}
            ],
            "Interrupt" : [{"hooks": [{"type": "command", "command": "/h/hook interrupt", "timeout": 3}]} ],
            "SessionStart": [{"hooks": [{"type": "command", "command": "/h/hook session-start", "timeout": 10}]}]
          }
        }
        "#);
    assert_eq!(
        remove_our_hooks(&ours, Some(users), "/h/hook")
            .unwrap()
            .unwrap(),
        users
    );
}

#[test]
fn a_spot_tells_where_a_hook_stands_and_whether_it_is_as_we_write_it() {
    let ours = |timeout: u64| json!({"type": "command", "command": "/h/hook interrupt", "timeout": timeout});
    let other = json!({"type": "command", "command": "true"});
    let group = |handlers: &[&Value]| json!({"hooks": handlers});
    let spot = |group, handler, exact, behind, alone| HookSpot {
        group,
        handler,
        exact,
        behind,
        alone,
    };
    for (groups, expected) in [
        (vec![], vec![]),
        (vec![group(&[&other])], vec![]),
        (vec![group(&[&ours(3)])], vec![spot(0, 0, true, 0, true)]),
        (vec![group(&[&ours(4)])], vec![spot(0, 0, false, 0, true)]),
        (
            vec![group(&[&other]), group(&[&ours(3)])],
            vec![spot(1, 0, true, 0, true)],
        ),
        (
            vec![group(&[&ours(3)]), group(&[&other]), json!({})],
            vec![spot(0, 0, true, 2, true)],
        ),
        (
            vec![group(&[&other, &ours(3)])],
            vec![spot(0, 1, false, 0, false)],
        ),
        (
            vec![json!({"matcher": "x", "hooks": [ours(3)]})],
            vec![spot(0, 0, false, 0, true)],
        ),
        (
            vec![group(&[&ours(3)]), group(&[&ours(3)])],
            vec![spot(0, 0, true, 1, true), spot(1, 0, true, 0, true)],
        ),
        (
            vec![
                json!(1),
                json!({"hooks": 2}),
                json!({"hooks": [3, {"command": 4}]}),
            ],
            vec![],
        ),
    ] {
        let text = json!({"hooks": {"Interrupt": groups}}).to_string();
        assert_eq!(
            find_spots(&text, &HOOKS[2], "/h/hook").unwrap(),
            expected,
            "{text}"
        );
    }
    for text in [
        "{}",
        "[]",
        "1",
        r#"{"hooks": []}"#,
        r#"{"hooks": {"interrupt": []}}"#,
    ] {
        assert_eq!(find_spots(text, &HOOKS[2], "/h/hook").unwrap(), []);
    }
}

#[test]
fn handlers_are_counted_where_a_group_has_some() {
    let text = r#"{"hooks": {"Stop": [{"hooks": [{}, {}]}, {"hooks": []}, {}]}}"#;
    for (group, count) in [(0, 2), (1, 0), (2, 0), (3, 0)] {
        assert_eq!(count_handlers(text, &HOOKS[1], group).unwrap(), count);
    }
    assert_eq!(count_handlers(text, &HOOKS[0], 0).unwrap(), 0);
    assert_eq!(count_handlers("{}", &HOOKS[1], 0).unwrap(), 0);
}

#[test]
fn hooks_count_as_there_only_if_each_stands_once_and_as_we_write_it() {
    let ours = add_our_hooks(None, "/h/hook").unwrap();
    assert!(has_all_hooks(&ours, "/h/hook").unwrap());
    assert!(!has_all_hooks(&ours, "/i/hook").unwrap());
    let group = "{\"hooks\": [{\"type\": \"command\", \"command\": \"/h/hook interrupt\", \"timeout\": 3}]}";
    assert_eq!(ours.matches(group).count(), 1);
    for other in [
        "{}".to_owned(),
        ours.replace(group, ""),
        ours.replace(group, &format!("{group}, {group}")),
        ours.replace("\"timeout\": 3", "\"timeout\": 3, \"async\": true"),
        ours.replace("autoresearch: measuring", "measuring"),
    ] {
        assert!(!has_all_hooks(&other, "/h/hook").unwrap(), "{other}");
        // Whatever is there of ours, it is afterwards there once, and the rest is as it was.
        let mended = add_our_hooks(Some(&other), "/h/hook").unwrap();
        assert!(has_all_hooks(&mended, "/h/hook").unwrap(), "{mended}");
    }
}

#[test]
fn each_fault_of_a_file_is_told_in_words() {
    for (text, fault) in [
        ("[]", "is not a JSON object"),
        ("3", "is not a JSON object"),
        (
            "{\"hooks\":[]}",
            "has a member `hooks` that is not an object",
        ),
        (
            "{\"hooks\":null}",
            "has a member `hooks` that is not an object",
        ),
        (
            "{\"hooks\":{\"Stop\":{}}}",
            "has a member `Stop` that is not a list of groups",
        ),
        (
            "{\"hooks\":{\"SessionStart\":1}}",
            "has a member `SessionStart` that is not a list of groups",
        ),
        (
            "{",
            "is not valid JSON: EOF while parsing an object at line 1 column 1",
        ),
    ] {
        assert_eq!(
            add_our_hooks(Some(text), PROGRAM).unwrap_err(),
            fault,
            "{text}"
        );
    }
    let fault = "is not valid JSON: EOF while parsing a value at line 1 column 0";
    assert_eq!(remove_our_hooks("", None, PROGRAM).unwrap_err(), fault);
    assert_eq!(
        remove_our_hooks("{}", Some(""), PROGRAM).unwrap_err(),
        fault
    );
    assert_eq!(has_all_hooks("", PROGRAM).unwrap_err(), fault);
    assert_eq!(count_handlers("", &HOOKS[0], 0).unwrap_err(), fault);
}

/// A hooks file of a user's: groups of any form for some of our events and for others, with odd blanks.
fn users_files() -> impl Strategy<Value = String> {
    let list =
        (prop::collection::vec(json_texts(), 0..3), "[ \n]{0,2}").prop_map(|(groups, blank)| {
            format!("[{blank}{}{blank}]", groups.join(&format!(",{blank}")))
        });
    let events = prop::sample::subsequence(
        vec!["SessionStart", "Stop", "Interrupt", "SessionEnd"],
        0..=4,
    );
    let hooks = (events, prop::collection::vec(list, 4)).prop_map(|(events, lists)| {
        let members: Vec<String> = events
            .iter()
            .zip(lists)
            .map(|(event, list)| format!("\"{event}\" : {list}"))
            .collect();
        format!("\"hooks\": {{{}}}", members.join(","))
    });
    let other = json_texts().prop_map(|value| format!("\"other\":{value}"));
    (
        prop::option::of(hooks),
        prop::option::of(other),
        "[ \t\n]{0,3}",
    )
        .prop_map(|(hooks, other, blank)| {
            let members: Vec<String> = hooks.into_iter().chain(other).collect();
            format!(
                "{blank}{{{blank}{}{blank}}}{blank}",
                members.join(&format!(",{blank}"))
            )
        })
}

proptest! {
    #[test]
    fn our_hooks_in_any_file_of_a_users_are_added_once_and_leave_no_trace(text in users_files(), program in "/[a-zé '$]{1,8}/hook") {
        let more = add_our_hooks(Some(&text), &program).unwrap();
        prop_assert!(has_all_hooks(&more, &program).unwrap());
        prop_assert_eq!(&add_our_hooks(Some(&more), &program).unwrap(), &more);
        for hook in &HOOKS {
            prop_assert_eq!(find_spots(&more, hook, &program).unwrap()[0].behind, 0);
        }
        prop_assert_eq!(remove_our_hooks(&more, Some(&text), &program).unwrap(), Some(text));
    }

    #[test]
    fn a_file_without_our_hooks_is_not_touched(text in users_files()) {
        prop_assert_eq!(remove_our_hooks(&text, Some(&text), PROGRAM).unwrap(), Some(text));
    }
}

#[test]
fn hooks_in_the_spelling_of_an_earlier_version_are_ours_and_stay_as_they_are() {
    let program = "/home/jörg/autoresearch-hook";
    let ours = add_our_hooks(None, program).unwrap();
    let earlier = ours.replace(program, &format!("'{program}'"));
    assert_ne!(ours, earlier);
    assert_eq!(add_our_hooks(Some(&earlier), program).unwrap(), earlier);
    assert!(has_all_hooks(&earlier, program).unwrap());
    assert_eq!(remove_our_hooks(&earlier, None, program).unwrap(), None);
    // Another number of seconds is not as we write it, in any spelling.
    let other = earlier.replace("1000000", "5");
    assert_ne!(add_our_hooks(Some(&other), program).unwrap(), other);
}

#[test]
fn our_hooks_go_in_last_and_out_again_without_a_trace() {
    let odd = "{ \"x\":1,\n\t\"hooks\" :{\"Stop\":[ {\"hooks\":[{\"type\":\"command\",\"command\":\"true\"}]} ],\"SessionStart\":[]}}";
    for text in ["{}", "{\n}\n", "{\"hooks\":{}}", odd] {
        let more = add_our_hooks(Some(text), PROGRAM).unwrap();
        assert!(has_all_hooks(&more, PROGRAM).unwrap(), "{more}");
        assert_eq!(add_our_hooks(Some(&more), PROGRAM).unwrap(), more);
        let less = remove_our_hooks(&more, Some(text), PROGRAM).unwrap();
        assert_eq!(less.as_deref(), Some(text));
    }
    let more = add_our_hooks(Some(odd), PROGRAM).unwrap();
    let spot = find_spots(&more, &HOOKS[1], PROGRAM).unwrap()[0];
    assert_eq!((spot.group, spot.handler, spot.behind), (1, 0, 0));
    assert!(more.contains("'/home/u/my bin/autoresearch-hook' stop"));
}

#[test]
fn a_file_that_we_made_goes_and_what_others_added_stays() {
    let ours = add_our_hooks(None, PROGRAM).unwrap();
    assert_eq!(remove_our_hooks(&ours, None, PROGRAM).unwrap(), None);
    let theirs = ours.replace("\"hooks\": {\n", "\"hooks\": {\n    \"SessionEnd\": [],\n");
    assert_eq!(
        remove_our_hooks(&theirs, None, PROGRAM).unwrap().as_deref(),
        Some("{\n  \"hooks\": {\n    \"SessionEnd\": []\n  }\n}\n")
    );
}

#[test]
fn a_handler_that_the_user_put_into_our_group_stays() {
    let ours = add_our_hooks(None, PROGRAM).unwrap();
    let theirs = ours.replace(
        "\"timeout\": 3}",
        "\"timeout\": 3}, {\"type\": \"command\", \"command\": \"mine\"}",
    );
    let left = remove_our_hooks(&theirs, None, PROGRAM).unwrap().unwrap();
    let value: Value = serde_json::from_str(&left).unwrap();
    assert_eq!(
        value["hooks"]["Interrupt"][0]["hooks"][0]["command"],
        "mine"
    );
}

#[test]
fn a_file_of_another_shape_is_refused() {
    for text in ["[]", "{\"hooks\":[]}", "{\"hooks\":{\"Stop\":{}}}", "", "{"] {
        assert!(add_our_hooks(Some(text), PROGRAM).is_err(), "{text}");
    }
}
