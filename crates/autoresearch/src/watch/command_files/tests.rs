//! How the words of a command lead to files, in work trees that are made for each case.

use serde_json::json;

use super::*;

fn config(verify: &str, more: &serde_json::Value) -> Config {
    let mut document = json!({
        "goal": "g", "scope": ["src/**"], "metric": {"name": "m", "direction": "lower"},
        "verify": {"command": verify},
    });
    for (key, value) in more.as_object().unwrap() {
        document[key] = value.clone();
    }
    autoresearch_core::config::check_config(&document)
        .config
        .unwrap()
}

/// A work tree with these files, and a home in it.
fn tree(files: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for name in files {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, name).unwrap();
    }
    root
}

#[track_caller]
fn finds(root: &Path, verify: &str, wanted: &[(&str, PinWhy)]) {
    let home = Some(root.join("home"));
    let site = CommandSite { root, home };
    let found = find_named_files(&site, &config(verify, &json!({})));
    let found: Vec<(String, PinWhy)> = found
        .iter()
        .map(|(file, why)| (name_path(root, file), *why))
        .collect();
    let wanted = wanted.iter().map(|(name, why)| ((*name).to_owned(), *why));
    assert_eq!(found, wanted.collect::<Vec<_>>(), "{verify}");
}

#[test]
fn a_file_is_found_by_its_place_however_the_command_says_it() {
    use PinWhy::{Executed, Named};
    let root = tree(&[
        "checks/a.sh",
        "checks/b.sh",
        "checks/.c.sh",
        "home/h.sh",
        "data/w",
    ]);
    let root = root.path();
    for verify in [
        "sh $PWD/checks/a.sh",
        "sh \"${PWD}\"/checks/a.sh",
        "sh $(pwd)/checks/a.sh",
        "cd checks; . ./a.sh",
    ] {
        finds(root, verify, &[("checks/a.sh", Executed)]);
    }
    finds(root, "sh ~/h.sh", &[("home/h.sh", Executed)]);
    finds(root, "sh $HOME/h.sh", &[("home/h.sh", Executed)]);
    finds(
        root,
        "sh checks/*.sh",
        &[("checks/a.sh", Executed), ("checks/b.sh", Executed)],
    );
    finds(root, "cat \"$PWD\"/data/* | wc -l", &[("data/w", Named)]);
    // A pattern for another program than a reader is none of the shell's files.
    finds(root, "find . -name '*.sh'; rm -f data/*", &[]);
}

#[test]
fn a_tool_finds_its_rules_in_its_folder_and_above_and_takes_the_first() {
    use PinWhy::{Executed, Named};
    let root = tree(&[
        "Makefile",
        "makefile",
        "app/package.json",
        "package.json",
        "tests/conftest.py",
        "pkg/__init__.py",
        "pkg/run.py",
    ]);
    let root = root.path();
    finds(root, "make check", &[("makefile", Named)]);
    finds(
        root,
        "cd app && npm run bench",
        &[("app/package.json", Named), ("package.json", Named)],
    );
    finds(
        root,
        "pytest tests/a_test.py",
        &[("tests/conftest.py", Executed)],
    );
    finds(
        root,
        "python -m pkg.run",
        &[("pkg/__init__.py", Executed), ("pkg/run.py", Executed)],
    );
}

#[test]
fn a_pattern_matches_as_a_shell_does() {
    let root = tree(&["a/x.sh", "b/x.sh", "b/.y.sh", "b/c/x.sh", "b/z.py"]);
    let names = |pattern: &str| -> Vec<String> {
        let found = expand_pattern(&root.path().join(pattern));
        found
            .iter()
            .map(|path| name_path(root.path(), path))
            .collect()
    };
    assert_eq!(names("*/x.sh"), ["a/x.sh", "b/x.sh"]);
    assert_eq!(names("b/*"), ["b/x.sh", "b/z.py"]);
    assert_eq!(names("b/.*"), ["b/.y.sh"]);
    assert_eq!(names("b/[xz].*"), ["b/x.sh", "b/z.py"]);
    assert_eq!(names("none/*"), Vec::<String>::new());
}

#[test]
fn the_ways_are_the_folders_above_each_word_and_the_whole_working_directory() {
    let away = json!({"verify": {"command": "sh ./tools/../bin/run.sh x /usr/bin/wc", "working_directory": "src/app"}});
    let ways = list_ways(&config("", &away));
    let names: Vec<&str> = ways.iter().filter_map(|way| way.to_str()).collect();
    let app = ["src", "src/app", "src/app/bin", "src/app/tools"];
    assert_eq!(names, [&["", "bin"][..], &app, &["tools"]].concat());
}

#[test]
fn a_tidy_path_has_no_dots_and_never_climbs_above_its_root() {
    for (path, tidy) in [
        ("a/./b/../c", "a/c"),
        ("/a/../../b", "/b"),
        ("./a", "a"),
        ("..", ""),
    ] {
        assert_eq!(tidy_path(Path::new(path)), Path::new(tidy), "{path}");
    }
}
