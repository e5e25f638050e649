//! What the files of a repository tell about the patterns of a config.

use autoresearch_core::config::check_config;
use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::config::format_problem;

fn make_config(scope: &[&str]) -> Config {
    let document = json!({
        "goal": "less", "scope": scope, "metric": {"name": "n", "direction": "lower"},
        "verify": {"command": "true"},
    });
    check_config(&document).config.unwrap()
}

fn show(problems: impl IntoIterator<Item = Problem>) -> String {
    let lines = problems
        .into_iter()
        .map(|problem| format_problem("a.yaml", &problem));
    lines.collect::<Vec<_>>().join("\n")
}

fn to_names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_pattern_of_the_scope_that_matches_nothing_is_warned_of_and_an_exclusion_may() {
    let files = to_names(&["src/a.ts", "app/[id]/page.ts"]);
    let find = |scope: &[&str]| show(find_idle_scope(&make_config(scope), &files, false));
    assert_eq!(find(&["src/**"]), "");
    assert_eq!(find(&["src/**", "!src/gone/**"]), "");
    assert_snapshot!(find(&["src/**", "lib/**"]), @"warning: a.yaml: scope[1]: `lib/**` matches no file of the repository -> check the pattern: it starts at the repository's root, and ignored files do not count");
    assert_snapshot!(find(&["src/**", "app/[id]/**"]), @r"warning: a.yaml: scope[1]: `app/[id]/**` matches no file of the repository: `[...]` in a pattern matches one character, not a folder of that name -> write 'app/\[id\]/**' in single quotes");
}

#[test]
fn a_scope_that_matches_nothing_at_all_is_one_error() {
    let files = to_names(&["src/a.ts"]);
    assert_snapshot!(show(find_idle_scope(&make_config(&["lib/**", "app/**"]), &files, true)), @"a.yaml: scope: the scope matches no file of the repository -> check the patterns: they start at the repository's root, and ignored files do not count");
}

#[test]
fn protected_files_in_the_scope_are_named_to_three_and_the_rest_is_counted() {
    assert_eq!(show(find_protected_in_scope(&[])), "");
    assert_snapshot!(show(find_protected_in_scope(&["src/a"])), @r#"a.yaml: protect: protected paths lie inside the scope: src/a -> take them out of the scope: add "!src/a" to it"#);
    assert_snapshot!(show(find_protected_in_scope(&["a", "b", "c", "d", "e"])), @r#"a.yaml: protect: protected paths lie inside the scope: a, b, c and 2 more -> take them out of the scope: add "!a" to it"#);
}

#[test]
fn a_pinned_file_in_the_scope_is_a_warning_and_a_scope_of_pinned_files_alone_an_error() {
    let root = Path::new("/repo");
    let find = |pins: &[(&str, PinWhy)], names: &[&str]| {
        let choice = PinChoice {
            files: pins
                .iter()
                .map(|(name, why)| (root.join(name), *why))
                .collect(),
            unreached: Vec::new(),
        };
        let names = to_names(names);
        show(find_pinned_in_scope(
            root,
            &names.iter().collect::<Vec<_>>(),
            &choice,
        ))
    };
    assert_eq!(find(&[], &["a"]), "");
    assert_eq!(find(&[("a", PinWhy::Said)], &["a", "b"]), "");
    assert_snapshot!(find(&[("a", PinWhy::Executed)], &["a", "b"]), @r#"warning: a.yaml: scope: verify or guard execute `a` or take rules from it, and the scope holds it: a trial that changes it is void -> take it out: add "!a" to the scope; or, if trials are to change it, name it there without a wildcard: "a""#);
    assert_snapshot!(find(&[("a", PinWhy::Executed)], &["a"]), @r#"a.yaml: scope: every file of the scope is pinned (`a`: verify or guard execute it or take rules from it), so no trial could change anything -> if `a` is what trials are to change, name it in the scope without a wildcard: "a"; else widen the scope"#);
    assert_snapshot!(find(&[("a", PinWhy::Said)], &["a"]), @"a.yaml: scope: every file of the scope is pinned, so no trial could change anything -> widen the scope, or take patterns out of `pin`");
}

#[test]
fn a_folder_that_is_not_there_and_a_shell_that_is_not_there_are_errors_of_their_key() {
    let mut world = World::from_process();
    world.vars.clear();
    let document = json!({
        "goal": "less", "scope": ["src/**"], "metric": {"name": "n", "direction": "lower"},
        "verify": {"command": "true", "working_directory": "gone"},
        "guard": {"command": "true", "shell": "bash"},
    });
    let config = check_config(&document).config.unwrap();
    let folder = tempfile::tempdir().unwrap();
    assert_snapshot!(show(find_command_problems(&world, &config, folder.path())), @"
    a.yaml: verify.working_directory: `gone` is not a folder -> name a folder inside the repository
    a.yaml: guard.shell: bash was not found on PATH -> install bash, or write the command for `sh` and remove `shell`
    ");
}
