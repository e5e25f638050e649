//! Which variables the commands get, and which they would miss.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use autoresearch_core::config::check_config;
use autoresearch_sys::error::FailureKind;
use insta::assert_snapshot;
use serde_json::json;

use super::*;

fn make_world(names: &[&str]) -> World {
    let mut world = World::from_process();
    world.vars = names
        .iter()
        .map(|name| (name.into(), "set".into()))
        .collect();
    world
}

fn make_config(verify: &str, guard: &str) -> Config {
    let document = json!({
        "goal": "less", "scope": ["src/**"], "metric": {"name": "n", "direction": "lower"},
        "verify": {"command": verify}, "guard": {"command": guard},
        "env": ["NAMED"], "secrets": ["NAMED_TOKEN"],
    });
    check_config(&document).config.unwrap()
}

/// The message and the remedy, if the commands would miss something.
fn find(names: &[&str], verify: &str, guard: &str) -> Option<String> {
    let config = make_config(verify, guard);
    let problem = find_missed(&make_world(names), &config, Path::new("/nowhere"))?;
    assert_eq!(problem.place, "env");
    Some(format!("{} -> {}", problem.message, problem.remedy))
}

#[test]
fn commands_get_the_usual_variables_and_those_that_are_named_and_no_others() {
    let world = make_world(&["PATH", "HOME", "CFLAGS", "NAMED", "OTHER", "API_TOKEN"]);
    let env = collect_passed(&world, &["NAMED".to_owned(), "NOT_SET".to_owned()]).unwrap();
    let names: Vec<&str> = env.keys().map(String::as_str).collect();
    assert_eq!(names, ["CFLAGS", "HOME", "NAMED", "PATH"]);
    assert!(env.values().all(|value| value == "set"));
}

#[test]
fn a_passed_variable_that_is_not_utf8_is_refused_and_another_is_not_looked_at() {
    let mut world = make_world(&[]);
    let bytes = || OsString::from_vec(b"a\xff".to_vec());
    world.vars.insert("OTHER".into(), bytes());
    assert!(collect_passed(&world, &[]).unwrap().is_empty());
    world.vars.insert("LANG".into(), bytes());
    let refused = collect_passed(&world, &[]).unwrap_err();
    assert_eq!(refused.kind, FailureKind::Config);
    assert_snapshot!(refused, @"
    error: the variable `LANG` holds bytes that are not UTF-8, and the run has to keep it as text
    hint: set LANG to a value in UTF-8, or unset it, then run the command again
    ");
}

#[test]
fn no_variable_that_is_always_passed_looks_like_a_secret_or_is_there_twice() {
    let unique: BTreeSet<&str> = PASSED.into_iter().collect();
    assert_eq!(unique.len(), PASSED.len());
    let secret: Vec<&str> = PASSED
        .into_iter()
        .filter(|name| looks_secret(name))
        .collect();
    assert_eq!(secret, Vec::<&str>::new());
}

#[test]
fn a_variable_that_a_command_uses_and_would_not_get_is_told_with_the_key_that_passes_it() {
    let text = find(&["DATA"], "./count $DATA", "true").unwrap();
    assert_snapshot!(text, @"`DATA` is set here and used by verify or guard, but not passed to them -> add `env: [DATA]` to the config to pass what is set now");
    let text = find(
        &["DATA", "API_TOKEN"],
        "./count ${DATA}",
        "./check $API_TOKEN",
    )
    .unwrap();
    assert_snapshot!(text, @"`API_TOKEN`, `DATA` are set here and used by verify or guard, but not passed to them -> add `env: [DATA]` and `secrets: [API_TOKEN]` to the config to pass what is set now");
}

#[test]
fn what_is_not_set_is_passed_anyway_or_is_named_in_the_config_is_not_missed() {
    for (names, verify) in [
        (&[][..], "./count $DATA"),
        (&["DATA"], "./count"),
        (&["HOME", "PATH"], "$HOME/count $PATH"),
        (&["NAMED", "NAMED_TOKEN"], "./count $NAMED $NAMED_TOKEN"),
    ] {
        assert_eq!(find(names, verify, "true"), None, "{verify}");
    }
    let mut world = make_world(&["DATA"]);
    world.vars.insert("DATA".into(), "".into());
    let config = make_config("./count $DATA", "true");
    assert!(
        find_missed(&world, &config, Path::new("/nowhere")).is_none(),
        "empty"
    );
}

#[test]
fn a_variable_by_which_people_steer_a_tool_is_missed_where_that_tool_runs() {
    for (name, verify, is_missed) in [
        ("PYTHONPATH", "python -m count", true),
        ("PYTHONPATH", "pytest -q", true),
        ("PYTHONPATH", "PYTHONPATH=src pytest -q", false),
        ("PYTHONPATH", "node count.js", false),
        ("NODE_OPTIONS", "npx tsc", true),
        ("JAVA_OPTS", "mvn -q test", true),
        ("RUBYOPT", "bundle exec rspec", true),
        ("GOFLAGS", "go test ./...", false),
        ("GODEBUG", "go test ./...", true),
        ("MAKEFLAGS", "make -s count", true),
        ("MAKEFLAGS", "echo make", false),
    ] {
        let missed = find(&[name], verify, "true");
        assert_eq!(missed.is_some(), is_missed, "{name} in `{verify}`");
    }
}

#[test]
fn a_script_that_verify_executes_is_searched_too_if_a_shell_reads_it_and_it_is_not_large() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("named.sh", "echo $DATA\n");
    write("marked", "#!/usr/bin/env bash\necho $DATA\n");
    write("python.py", "#!/usr/bin/env python3\n# $DATA\n");
    write("large.sh", &format!("echo $DATA\n{}", "#\n".repeat(40_000)));
    for (verify, is_missed) in [
        ("./named.sh", true),
        ("./marked", true),
        ("./python.py", false),
        ("./large.sh", false),
        ("./gone.sh", false),
    ] {
        let config = make_config(verify, "true");
        let missed = find_missed(&make_world(&["DATA"]), &config, folder.path());
        assert_eq!(missed.is_some(), is_missed, "{verify}");
    }
}
