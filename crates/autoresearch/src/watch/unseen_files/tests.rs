//! Which files are unseen, and how they are folded into folders.

use autoresearch_core::config::check_config;
use autoresearch_core::git_names::RepoPath;
use serde_json::json;
use tempfile::TempDir;

use super::*;

fn make_tree(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, file).unwrap();
    }
    folder
}

fn to_paths(paths: &[&str]) -> Vec<RepoPath> {
    paths.iter().map(|path| RepoPath::new(*path)).collect()
}

fn scan(folder: &TempDir, scope: &[&str], ignored: &[&str]) -> ScannedFiles {
    let document = json!({
        "goal": "less", "scope": scope, "metric": {"name": "n", "direction": "lower"},
        "verify": {"command": "true"}, "protect": ["src/kept/**"],
    });
    let config = check_config(&document).config.unwrap();
    let pin = Pin {
        hash: String::new(),
        signature: None,
    };
    let pins = BTreeMap::from([("src/pinned".to_owned(), pin)]);
    let look = UnseenScan::new(folder.path(), &config, &pins).unwrap();
    look.scan_ignored(&to_paths(ignored))
}

#[test]
fn ignored_files_in_the_scope_are_unseen_but_not_protected_pinned_or_rule_files() {
    let files = [
        "src/a.tmp",
        "src/out/b",
        "src/kept/c",
        "src/pinned",
        "src/.gitignore",
        "other/d",
        "autoresearch-results/e",
    ];
    let folder = make_tree(&files);
    let ignored = [
        "src/a.tmp",
        "src/out/",
        "src/kept/",
        "src/pinned",
        "src/.gitignore",
        "other/",
        "autoresearch-results/",
        "src/gone",
    ];
    let found = scan(&folder, &["**"], &ignored);
    let names: Vec<&str> = found.files.keys().map(String::as_str).collect();
    assert_eq!(names, ["utf8:other/d", "utf8:src/a.tmp", "utf8:src/out/b"]);
    let found = scan(&folder, &["src/**"], &ignored);
    let names: Vec<&str> = found.files.keys().map(String::as_str).collect();
    assert_eq!(names, ["utf8:src/a.tmp", "utf8:src/out/b"]);
}

#[test]
fn a_folder_that_marks_itself_as_a_cache_is_noted_by_name_and_not_looked_into() {
    let folder = make_tree(&["src/target/a", "src/target/CACHEDIR.TAG"]);
    let tag = "Signature: 8a477f597d28d172789f06886806bc55\n";
    std::fs::write(folder.path().join("src/target/CACHEDIR.TAG"), tag).unwrap();
    let found = scan(&folder, &["src/**"], &["src/target/"]);
    assert!(found.files.is_empty());
    assert_eq!(found.caches, BTreeSet::from(["utf8:src/target".to_owned()]));
}

#[test]
fn new_files_are_folded_into_the_highest_folder_that_holds_nothing_else() {
    let folder = make_tree(&["a/b/c", "a/b/d", "a/e", "f/g", "f/known", "h"]);
    let fold = |new: &[&str]| -> Vec<String> {
        let new = new.iter().map(PathBuf::from).collect();
        let found = fold_whole_folders(folder.path(), &new, &[]);
        found
            .iter()
            .map(|path| path.display().to_string())
            .collect()
    };
    for (new, expected) in [
        (&["a/b/c", "a/b/d", "a/e"][..], &["a"][..]),
        (&["a/b/c", "a/b/d"], &["a/b"]),
        (&["a/b/c"], &["a/b/c"]),
        (&["f/g", "h"], &["f/g", "h"]),
        (&[], &[]),
    ] {
        assert_eq!(fold(new), expected, "{new:?}");
    }
}

#[test]
fn a_rule_file_of_git_does_not_keep_its_folder_from_being_folded() {
    let folder = make_tree(&["out/.gitignore", "out/a"]);
    let new = BTreeSet::from([PathBuf::from("out/a")]);
    let ignored = to_paths(&["out/.gitignore", "out/a"]);
    assert_eq!(
        fold_whole_folders(folder.path(), &new, &ignored),
        [PathBuf::from("out")]
    );
}

#[test]
fn after_a_measurement_what_is_new_is_verifys_and_what_was_there_stays_the_users() {
    let folder = make_tree(&["src/mine", "src/changed", "src/made"]);
    let mut before = UnseenFiles::default();
    let found = || {
        scan(
            &folder,
            &["src/**"],
            &["src/mine", "src/changed", "src/made"],
        )
    };
    for (key, signature) in found().files {
        let known = KnownFile {
            yours: true,
            signature,
            hash: Some("of before".to_owned()),
        };
        if key != "utf8:src/made" {
            before.files.insert(key, known);
        }
    }
    std::fs::write(folder.path().join("src/changed"), "of another length").unwrap();
    let after = merge_scanned(folder.path(), &before, found());
    let told: Vec<(&str, bool, bool)> = after
        .files
        .iter()
        .map(|(key, known)| {
            let same = known.hash.as_deref() == Some("of before");
            (key.as_str(), known.yours, same)
        })
        .collect();
    let expected = [
        ("utf8:src/changed", true, false),
        ("utf8:src/made", false, false),
        ("utf8:src/mine", true, true),
    ];
    assert_eq!(told, expected);
    assert_eq!(
        after.files["utf8:src/made"].hash, None,
        "verify may change its own"
    );
}
