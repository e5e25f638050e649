//! What can be typed under `gates`, and what of it means nothing.

use serde_json::{Value, json};

use crate::config::{Config, Gate, GaugeKind, check_config};

fn document(gates: &Value, verify: &Value) -> Value {
    json!({
        "goal": "ship it", "scope": ["CHANGELOG.md"],
        "metric": {"name": "open_gates", "direction": "lower", "target": 0},
        "verify": verify, "guard": {"command": "make test"}, "gates": gates,
    })
}

/// Every problem, one a line.
fn list_problems(gates: &Value, verify: &Value) -> String {
    let problems = check_config(&document(gates, verify)).problems;
    let rows = problems.iter().map(|problem| {
        format!(
            "{:?} {}: {} -> {}",
            problem.severity, problem.place, problem.message, problem.remedy
        )
    });
    rows.collect::<Vec<_>>().join("\n")
}

fn resolve(gates: &Value, verify: &Value) -> Config {
    let checked = check_config(&document(gates, verify));
    checked
        .config
        .unwrap_or_else(|| panic!("{:?}", checked.problems))
}

#[test]
fn a_gate_has_the_defaults_of_every_command_and_expects_success() {
    let gates = json!([
        {"name": " tests pass ", "command": "make test"},
        {"name": "no TODO", "command": "grep -rn TODO src", "expect": {"exit": 1}, "required": false,
         "shell": "bash", "timeout": "90s", "working_directory": "app"},
        {"name": "version", "command": "./app -V", "expect": {"prints": "^1\\.2", "prints_not": "dirty"}},
    ]);
    let config = resolve(&gates, &json!({"gates": true}));
    assert_eq!(config.gauge.kind, GaugeKind::Gates);
    insta::assert_snapshot!(serde_json::to_string(&config.gates).unwrap(), @r#"[{"name":"tests pass","command":{"command":"make test","shell":"sh","timeout_ms":600000,"working_directory":".","ok_exit":[0],"retries":0},"required":true},{"name":"no TODO","command":{"command":"grep -rn TODO src","shell":"bash","timeout_ms":90000,"working_directory":"app","ok_exit":[1],"retries":0},"required":false},{"name":"version","command":{"command":"./app -V","shell":"sh","timeout_ms":600000,"working_directory":".","ok_exit":[0],"retries":0},"prints":"^1\\.2","prints_not":"dirty","required":true}]"#);
    let frozen = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<Config>(&frozen).unwrap(), config);
}

#[test]
fn only_the_gates_that_are_counted_are_commands_of_the_measurement() {
    let gates = json!([
        {"name": "a", "command": "sh a.sh"},
        {"name": "b", "command": "sh b.sh", "required": false},
        {"name": "c", "command": "sh c.sh"},
    ]);
    let list = |verify: Value| {
        let config = resolve(&gates, &verify);
        let commands = config.list_commands().into_iter();
        let rows = commands.map(|(key, command)| format!("{key}: {}", command.command));
        rows.collect::<Vec<_>>()
    };
    assert_eq!(
        list(json!({"gates": true})),
        ["guard: make test", "gates[0]: sh a.sh", "gates[2]: sh c.sh"]
    );
    assert_eq!(
        list(json!({"command": "./bench"})),
        ["verify: ./bench", "guard: make test"]
    );
}

#[test]
fn a_config_without_gates_is_frozen_as_it_always_was() {
    let text = serde_json::to_string(&resolve(&json!([]), &json!({"command": "./bench"}))).unwrap();
    assert!(!text.contains("gates\":"), "{text}");
    let frozen: Config = serde_json::from_str(&text).unwrap();
    assert_eq!(frozen.gates, Vec::<Gate>::new());
}

#[test]
fn every_wrong_part_of_a_gate_is_one_problem_at_its_place() {
    let gates = json!([
        {"name": " ", "command": " "},
        {"name": "same", "command": "true", "expect": {"exit": 127}, "timeout": "soon"},
        {"name": "same", "command": "true", "expect": {"prints": "a(", "prints_not": "a*"}, "working_directory": "../x"},
        {"name": "two\nlines", "command": "true", "expect": {"prints": "a", "prints_not": "a"}},
    ]);
    insta::assert_snapshot!(list_problems(&gates, &json!({"gates": true})), @r#"
    Error gates[0].name: the name is empty -> say in a few words what the gate checks, such as `tests pass`
    Error gates[0].command: the command is empty -> write the command that the shell should run
    Error gates[1].expect.exit: the shell ends with 127 when it cannot run the command -> expect a status that only the command itself gives
    Error gates[1].timeout: `soon` is not a span of time between 1ms and 366d -> write it like `90s`, `10m` or `1h30m`
    Error gates[2].name: another gate is called `same` too -> say in a few words what the gate checks, such as `tests pass`
    Error gates[2].expect.prints: `a(` is not a regular expression: unclosed group -> write a regular expression for a part of what is printed; `\` makes the next letter plain
    Error gates[2].expect.prints_not: `a*` matches an empty text, so it would match between any two letters -> write a regular expression for a part of what is printed; `\` makes the next letter plain
    Error gates[2].working_directory: `../x` is outside the repository -> name a folder inside the repository
    Error gates[3].name: the name is not one line of at most 60 characters -> say in a few words what the gate checks, such as `tests pass`
    Error gates[3].expect.prints_not: `prints` asks for what `prints_not` forbids -> keep one of them
    "#);
}

#[test]
fn wrong_keys_and_words_are_named_as_everywhere() {
    let gates = json!([
        {"name": "a"},
        {"nmae": "b", "command": "true", "expect": {"print": "x"}, "required": "no", "shell": "fish"},
        {"name": "c", "command": "true", "expect": {"exit": 256}},
        {"name": "d", "command": "true", "expect": 1},
    ]);
    insta::assert_snapshot!(list_problems(&gates, &json!({"gates": true})), @"
    Error gates[0]: `command` is missing -> add `command:` (The text for the shell)
    Error gates[1].expect.print: unknown key `print` -> did you mean `prints`?
    Error gates[1].nmae: unknown key `nmae` -> did you mean `name`?
    Error gates[1].required: expected true or false, found `no` -> write true or false
    Error gates[1].shell: unknown word `fish` -> use one of `sh`, `bash`
    Error gates[1]: `name` is missing -> add `name:` (What stands in the checklist, in a few words)
    Error gates[2].expect.exit: 256 is out of range -> write a number from 0 to 255
    Error gates[3].expect: expected a block of keys, found `1` -> write a block of keys, such as `{command: ...}` for a command
    ");
    insta::assert_snapshot!(list_problems(&json!({"name": "a", "command": "true"}), &json!({"command": "x"})), @"Error gates: expected a list, found a block of keys -> write a list");
}

#[test]
fn a_metric_that_counts_gates_needs_one_that_is_required_and_nothing_of_a_command() {
    insta::assert_snapshot!(list_problems(&json!([]), &json!({"gates": true})), @"Error verify.gates: the config has no gates, so none of them could be open -> add one: `gates: [{name: tests pass, command: make test}]`");
    insta::assert_snapshot!(list_problems(&json!([{"name": "a", "command": "true", "required": false}]), &json!({"gates": true})), @"Error verify.gates: no gate is required, so none of them would be counted -> add one: `gates: [{name: tests pass, command: make test}]`");
    let gates = json!([{"name": "a", "command": "true"}]);
    insta::assert_snapshot!(list_problems(&gates, &json!({"gates": true, "command": "make", "timeout": "5m", "working_directory": "app", "shell": "bash", "repeats": 3})), @"
    Error verify.repeats: `repeats` belongs to `wall`, `cpu` and `peak_memory`, and verify has `gates` -> remove it
    Error verify.command: with `verify.gates` each gate has its own command -> write it in the gate it is meant for, under `gates`; a gate's status is `expect: {exit: N}`
    Error verify.timeout: with `verify.gates` each gate has its own timeout -> write it in the gate it is meant for, under `gates`; a gate's status is `expect: {exit: N}`
    Error verify.working_directory: with `verify.gates` each gate has its own working_directory -> write it in the gate it is meant for, under `gates`; a gate's status is `expect: {exit: N}`
    Error verify: with `verify.gates` each gate has its own shell and ok_exit -> write it in the gate it is meant for, under `gates`; a gate's status is `expect: {exit: N}`
    ");
    insta::assert_snapshot!(list_problems(&gates, &json!({"gates": true, "wall": "./app"})), @"Error verify: `wall` and `gates` are given, and only one of them can be the metric -> keep one");
    insta::assert_snapshot!(list_problems(&gates, &json!({"gates": false})), @"Error verify: nothing says how the metric is measured -> add `command` (it prints the metric), or `wall`, `cpu`, `peak_memory`, `size`, `count`, `exit_rate`, `gates` or `covered`, which the tool measures itself");
}
