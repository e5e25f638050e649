//! Which files a measurement rests on, in work trees that are made for each case.

use serde_json::json;

use super::*;

/// A work tree with these files, each of which holds its own name.
fn tree(files: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for name in files {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, name).unwrap();
    }
    root
}

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

fn site(root: &Path) -> CommandSite<'_> {
    CommandSite { root, home: None }
}

/// The chosen files by name, each with its reason.
fn chosen(root: &Path, config: &Config, ignored: &[&str]) -> Vec<(String, PinWhy)> {
    let ignored: Vec<String> = ignored.iter().map(|&name| name.to_owned()).collect();
    let choice = choose_files(&site(root), config, &ignored).unwrap();
    let files = choice.files.iter();
    files
        .map(|(file, because)| (name_path(root, file), *because))
        .collect()
}

#[test]
fn a_script_in_the_scope_is_pinned_when_it_is_executed_and_not_when_it_is_measured() {
    let root = tree(&["src/bench.sh", "src/a", "data/words", "count.sh"]);
    let pinned = |verify| chosen(root.path(), &config(verify, &json!({})), &[]);
    let executed = |name: &str| (name.to_owned(), PinWhy::Executed);
    assert_eq!(pinned("sh src/bench.sh"), [executed("src/bench.sh")]);
    assert_eq!(pinned("cd src && sh bench.sh"), [executed("src/bench.sh")]);
    assert_eq!(pinned("wc -c src/bench.sh"), []);
    assert_eq!(
        pinned("sh count.sh src/a data/words"),
        [
            executed("count.sh"),
            ("data/words".to_owned(), PinWhy::Named)
        ]
    );
    assert_eq!(
        pinned("sort src/a > data/words; sh count.sh"),
        [executed("count.sh")]
    );
}

#[test]
fn what_the_scope_names_is_the_subject_unless_pin_or_protect_match_it() {
    let root = tree(&["src/bench.sh", "src/a"]);
    let named = json!({"scope": ["src/bench.sh", "src/a"]});
    let pinned =
        |more: &serde_json::Value| chosen(root.path(), &config("sh src/bench.sh", more), &[]);
    assert_eq!(pinned(&named), []);
    for key in ["pin", "protect"] {
        let mut both = named.clone();
        both[key] = json!(["src/bench.sh"]);
        assert_eq!(pinned(&both), [("src/bench.sh".to_owned(), PinWhy::Said)]);
    }
}

#[test]
fn a_pattern_that_begins_anywhere_does_not_reach_into_ignored_folders_and_says_so() {
    let root = tree(&[
        "package.json",
        "node_modules/a/package.json",
        "vendor/x.csv",
    ]);
    let guarded = config(
        "true",
        &json!({"protect": ["**/package.json", "vendor/**"]}),
    );
    let said = |name: &str| (name.to_owned(), PinWhy::Said);
    assert_eq!(
        chosen(root.path(), &guarded, &["node_modules", "vendor"]),
        [said("package.json"), said("vendor/x.csv")]
    );
    let ignored = ["node_modules".to_owned(), "vendor".to_owned()];
    let choice = choose_files(&site(root.path()), &guarded, &ignored).unwrap();
    let [left_out] = choice.unreached.as_slice() else {
        panic!("{choice:?}")
    };
    assert_eq!(
        (
            left_out.place.as_str(),
            left_out.count,
            &left_out.folders[..]
        ),
        ("protect[0]", 1, &["node_modules/".to_owned()][..])
    );
}

#[test]
fn a_pin_notices_other_bytes_a_lost_file_and_a_new_one_below_a_protected_folder() {
    let root = tree(&["count.sh", "data/words"]);
    let guarded = config("sh count.sh", &json!({"protect": ["data/**"]}));
    let choice = choose_files(&site(root.path()), &guarded, &[]).unwrap();
    let pins = pin_files(root.path(), &choice);
    let globs = Globs::new(&guarded.protect).unwrap();
    let changed = || list_changed(root.path(), &pins, &globs);
    assert_eq!(changed(), Vec::<String>::new());
    // The same bytes, written again, are no change.
    std::fs::write(root.path().join("count.sh"), "count.sh").unwrap();
    assert_eq!(changed(), Vec::<String>::new());
    std::fs::write(root.path().join("count.sh"), "COUNT.sh").unwrap();
    std::fs::remove_file(root.path().join("data/words")).unwrap();
    std::fs::write(root.path().join("data/more"), "").unwrap();
    assert_eq!(changed(), ["count.sh", "data/more", "data/words"]);
}
