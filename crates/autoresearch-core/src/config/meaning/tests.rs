//! What a config means where its shape is right: defaults, refusals and warnings, one at a time.

use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::config::{
    Amount, Config, Isolation, Rollback, Sandbox, Severity, TimeOfDay, check_config, looks_secret,
};

/// The smallest config with these keys laid over it.
fn check(more: &Json) -> (Option<Config>, Vec<String>) {
    let mut document = json!({
        "goal": "less", "scope": ["src/**"], "metric": {"name": "n", "direction": "lower"},
        "verify": {"command": "./count"}, "guard": {"command": "./test"},
    });
    for (key, value) in more.as_object().unwrap() {
        document[key] = value.clone();
    }
    let checked = check_config(&document);
    let told = checked.problems.iter().map(|problem| {
        let word = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        format!("{word} {}", problem.place)
    });
    (checked.config, told.collect())
}

fn accept(more: &Json) -> Config {
    let (config, told) = check(more);
    config.unwrap_or_else(|| panic!("{more}: {told:?}"))
}

/// Each of these keys has exactly the problem behind it.
fn assert_problems(cases: &[(Json, &str)]) {
    for (more, place) in cases {
        let (config, told) = check(more);
        assert_eq!(told, [*place], "{more}");
        assert_eq!(config.is_none(), place.starts_with("error"), "{more}");
    }
}

#[test]
fn one_wrong_thing_of_the_goal_and_its_files_is_one_problem_at_its_place() {
    assert_problems(&[
        (json!({"goal": " "}), "error goal"),
        (json!({"scope": []}), "error scope"),
        (json!({"scope": ["!a"]}), "error scope"),
        (json!({"scope": ["a", "b[", "c"]}), "error scope[1]"),
        (json!({"protect": ["["]}), "error protect[0]"),
        (json!({"pin": ["["]}), "error pin[0]"),
        (json!({"tag": "A B"}), "error tag"),
        (json!({"env": ["A", "1B"]}), "error env[1]"),
        (json!({"env": ["MY_TOKEN"]}), "error env[0]"),
        (json!({"secrets": ["A=b"]}), "error secrets[0]"),
        (
            json!({"metric": {"name": "a b", "direction": "lower"}}),
            "error metric.name",
        ),
        (
            json!({"metric": {"name": "n", "direction": "lower", "target": "soon"}}),
            "error metric.target",
        ),
        (
            json!({"keep_when": [{"metric": "", "op": "<", "value": 1}]}),
            "error keep_when",
        ),
        (
            json!({"stop_when": [{"metric": "n", "op": "<", "value": "x"}]}),
            "error stop_when[0].value",
        ),
        (
            json!({"keep_when": [{"metric": "p95", "op": "<="}]}),
            "error keep_when[0].value",
        ),
        (
            json!({"keep_when": [{"metric": "p95", "op": "<=", "value": 3, "direction": "lower"}]}),
            "error keep_when[0].direction",
        ),
        (
            json!({"keep_when": [{"metric": "p95", "op": "not-worse", "value": 3}]}),
            "error keep_when[0].value",
        ),
        (
            json!({"keep_when": [{"metric": "n", "op": "not-worse"}]}),
            "error keep_when[0].metric",
        ),
        (
            json!({"stop_when": [{"metric": "p95", "op": "not-worse"}]}),
            "error stop_when[0].op",
        ),
        (
            json!({"required_labels": {"keep": ["a b"]}}),
            "error required_labels",
        ),
        (
            json!({"isolation": "in-place", "rollback": "reset"}),
            "error rollback",
        ),
    ]);
}

#[test]
fn one_wrong_thing_of_a_command_or_a_limit_is_one_problem_at_its_place() {
    assert_problems(&[
        (json!({"verify": {"command": " "}}), "error verify.command"),
        (
            json!({"verify": {"command": "v", "ok_exit": []}}),
            "error verify.ok_exit",
        ),
        (
            json!({"verify": {"command": "v", "timeout": "soon"}}),
            "error verify.timeout",
        ),
        (
            json!({"verify": {"command": "v", "working_directory": "../x"}}),
            "error verify.working_directory",
        ),
        (
            json!({"verify": {"command": "v", "working_directory": "/x"}}),
            "error verify.working_directory",
        ),
        (
            json!({"verify": {"command": "v", "retries": 1}}),
            "error verify.retries",
        ),
        (
            json!({"verify": {"command": "grep -c x a"}}),
            "warning verify.command",
        ),
        (
            json!({"verify": {"command": "a | b"}}),
            "warning verify.command",
        ),
        (
            json!({"verify": {"command": "[[ a ]]"}}),
            "warning verify.command",
        ),
        (json!({"agent": {"command": " "}}), "error agent.command"),
        (json!({"agent": {"model": ""}}), "error agent.model"),
        (json!({"agent": {"timeout": "1"}}), "error agent.timeout"),
        (json!({"budget": {"until": "25:00"}}), "error budget.until"),
        (json!({"time_limit": "0s"}), "error time_limit"),
        (json!({"min_improvement": "0"}), "error min_improvement"),
        (json!({"min_improvement": "-2%"}), "error min_improvement"),
        (json!({"iterations": "many"}), "error iterations"),
    ]);
}

#[test]
fn a_config_without_a_guard_is_warned_of_and_used() {
    let (config, told) = check(&json!({"guard": null}));
    assert_eq!(told, ["warning guard"]);
    assert_eq!(config.unwrap().guard, None);
}

#[test]
fn bash_may_use_its_syntax_and_its_pipes() {
    for command in ["a | b", "[[ a ]]"] {
        let (_, told) = check(&json!({"verify": {"command": command, "shell": "bash"}}));
        assert!(told.is_empty(), "{command}: {told:?}");
    }
}

#[test]
fn a_counting_grep_may_find_nothing_where_the_config_says_so() {
    let verify = json!({"command": "grep -c x a", "ok_exit": [0, 1]});
    assert!(check(&json!({"verify": verify})).1.is_empty());
}

#[test]
fn the_rollback_follows_from_the_isolation_where_nobody_chose() {
    for (isolation, rollback) in [
        (Isolation::Branch, Rollback::Reset),
        (Isolation::Worktree, Rollback::Reset),
        (Isolation::InPlace, Rollback::Revert),
    ] {
        let config = accept(&json!({"isolation": isolation.as_str()}));
        assert_eq!(config.rollback, rollback);
    }
    let chosen = accept(&json!({"rollback": "revert"}));
    assert_eq!(chosen.rollback, Rollback::Revert);
}

#[test]
fn what_was_typed_is_what_is_true() {
    let config = accept(&json!({
        "goal": "  fewer\n any  types ", "iterations": "none", "time_limit": "8h", "min_improvement": "2%",
        "env": ["CI"], "secrets": ["MY_TOKEN"], "outputs": {"file_mib": 2},
        "agent": {"timeout": "20m", "sandbox": "full-access"}, "budget": {"tokens": 5, "until": "07:00"},
        "guard": {"command": "./test", "timeout": "90s", "working_directory": "web", "retries": 2},
    }));
    assert_eq!(config.goal, "fewer any types");
    assert_eq!(config.iterations, None);
    assert_eq!(config.time_limit.unwrap().span, Duration::from_hours(8));
    assert_eq!(config.min_improvement, Some(Amount::Percent(2.into())));
    assert_eq!(
        (config.env, config.secrets),
        (vec!["CI".into()], vec!["MY_TOKEN".into()])
    );
    assert_eq!(
        (config.outputs.file_bytes(), config.outputs.total_mib),
        (2 << 20, 256)
    );
    assert_eq!(config.agent.timeout, Duration::from_mins(20));
    assert_eq!(config.agent.sandbox, Sandbox::FullAccess);
    assert_eq!(config.agent.turns_per_thread, 8);
    let until = TimeOfDay { hour: 7, minute: 0 };
    assert_eq!(
        (config.budget.tokens, config.budget.until),
        (Some(5), Some(until))
    );
    let guard = config.guard.unwrap();
    assert_eq!(guard.timeout, Duration::from_secs(90));
    assert_eq!(
        (guard.working_directory.as_str(), guard.retries),
        ("web", 2)
    );
    assert_eq!(guard.ok_exit, [0]);
    assert_eq!(config.verify.timeout, Duration::from_mins(10));
}

#[test]
fn a_name_that_speaks_of_a_secret_is_one() {
    for name in [
        "GITHUB_TOKEN",
        "my_password",
        "AWS_SECRET",
        "SSH_PRIVATE_KEY",
        "LICENSE_KEY",
    ] {
        assert!(looks_secret(name), "{name}");
    }
    for name in ["PATH", "KEYBOARD", "MONKEY", "CI"] {
        assert!(!looks_secret(name), "{name}");
    }
}

#[test]
fn a_tree_is_filled_only_in_a_run_that_has_one_and_nothing_is_linked_and_copied() {
    for key in ["prepare", "link", "copy"] {
        for isolation in ["branch", "in-place"] {
            let keys = json!({"isolation": isolation, (key): "a"});
            assert_problems(&[(keys, &format!("error {key}"))]);
        }
    }
    let worktree = |more: &Json| {
        let mut keys = more.clone();
        keys["isolation"] = json!("worktree");
        keys
    };
    assert_problems(&[
        (worktree(&json!({"link": ["a", "["]})), "error link[1]"),
        (worktree(&json!({"copy": "../a"})), "error copy[0]"),
        (
            worktree(&json!({"link": ["a", "b"], "copy": ["c", "b"]})),
            "error copy[1]",
        ),
        (worktree(&json!({"prepare": " "})), "error prepare.command"),
        (worktree(&json!({"prepare": 3})), "error prepare"),
        (
            worktree(&json!({"prepare": {"command": "a", "retries": 1}})),
            "error prepare.retries",
        ),
        (
            worktree(&json!({"prepare": {"command": "a", "timeout": "x"}})),
            "error prepare.timeout",
        ),
    ]);
}

#[test]
fn prepare_is_a_text_or_a_block_and_may_take_longer_than_verify() {
    let prepare = |typed: Json| {
        let keys = json!({"isolation": "worktree", "prepare": typed});
        accept(&keys).setup.prepare
    };
    let text = prepare(json!("npm ci")).unwrap();
    assert_eq!(
        (text.command.as_str(), text.timeout),
        ("npm ci", Duration::from_mins(30))
    );
    assert_eq!(prepare(json!({"command": "npm ci"})), Some(text));
    let block = json!({"command": "npm ci", "timeout": "2m", "working_directory": "web"});
    let block = prepare(block).unwrap();
    assert_eq!(
        (block.timeout, block.working_directory.as_str()),
        (Duration::from_mins(2), "web")
    );
    assert_eq!(prepare(json!(null)), None);
}

#[test]
fn a_config_without_a_set_up_is_written_and_read_as_before_there_was_one() {
    let config = accept(&json!({}));
    let written = serde_json::to_value(&config).unwrap();
    assert_eq!(written.get("setup"), None);
    assert_eq!(serde_json::from_value::<Config>(written).unwrap(), config);
    let keys = json!({"isolation": "worktree", "link": "a", "copy": ["b"], "prepare": "c"});
    let config = accept(&keys);
    let written = serde_json::to_value(&config).unwrap();
    assert_eq!(written["setup"]["link"], json!(["a"]));
    assert_eq!(serde_json::from_value::<Config>(written).unwrap(), config);
}
