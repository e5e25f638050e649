//! What is read of files, hostile ones among them.

use autoresearch_core::scan::{count_quoted, read_wish};

use super::*;

/// A survey of a folder with these files.
fn survey(files: &[(&str, &str)], wanted: Option<&CountedPattern>) -> Survey {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let whole = folder.path().join(path);
        std::fs::create_dir_all(whole.parent().unwrap()).unwrap();
        std::fs::write(whole, text).unwrap();
    }
    let listed: Vec<RepoPath> = files
        .iter()
        .map(|(path, _)| RepoPath::new(path.as_bytes()))
        .collect();
    read_survey(folder.path(), &listed, wanted)
}

#[test]
fn files_are_counted_in_by_the_patterns_of_their_language() {
    let found = survey(
        &[
            ("a.rs", "x.unwrap(); // TODO"),
            ("b.ts", "as any"),
            ("c.md", "TODO"),
            ("Cargo.toml", "[package]\n"),
        ],
        None,
    );
    let told: Vec<String> = found
        .files
        .iter()
        .map(|file| format!("{} {} {:?}", file.path, file.bytes, file.counts))
        .collect();
    assert_eq!(
        told,
        [
            "a.rs 19 {\"todos\": 1, \"unwraps\": 1}",
            "b.ts 6 {\"any_count\": 1}",
            "c.md 4 {}",
            "Cargo.toml 10 {}"
        ]
    );
    assert!(found.is_counted);
    assert_eq!(found.manifests.len(), 1);
}

#[test]
fn what_a_sentence_names_is_counted_too() {
    let wanted = count_quoted(&read_wish("get rid of `lazy_static!`"));
    let found = survey(&[("a.rs", "lazy_static! lazy_static!")], wanted.as_ref());
    assert_eq!(found.files[0].counts.get("matches"), Some(&2));
}

#[test]
fn names_that_no_command_should_hold_are_left_out_and_counted() {
    let long = format!("{}/x.rs", ["d"; 160].join("/"));
    let found = survey(
        &[
            ("a\nb.rs", "x"),
            ("a\u{1b}[31m.rs", "x"),
            ("a\\b.rs", "x"),
            ("a\u{fffe}.rs", "x"),
            ("a\u{ffff}/b.rs", "x"),
            (&long, "x"),
            ("it's $(a).rs", "x"),
        ],
        None,
    );
    let kept: Vec<&str> = found.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(kept, ["it's $(a).rs"]);
    assert_eq!(found.left_out, 6);
}

#[test]
fn a_source_that_is_too_long_is_not_read_and_nothing_is_said_of_counts() {
    let long = "x".repeat(usize::try_from(MOST_SOURCE).unwrap() + 1);
    let found = survey(&[("a.rs", &long), ("b.rs", "unwrap()")], None);
    assert!(!found.is_counted);
    assert_eq!(found.files.len(), 2);
}

#[test]
fn files_that_are_gone_links_and_folders_are_no_files() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link.rs")).unwrap();
    std::fs::create_dir(folder.path().join("sub.rs")).unwrap();
    let listed = ["gone.rs", "link.rs", "sub.rs"].map(|name| RepoPath::new(name.as_bytes()));
    assert!(read_survey(folder.path(), &listed, None).files.is_empty());
}

#[test]
fn manifests_are_read_until_their_room_is_used_up() {
    let text = "#".repeat(1 << 20);
    let names: Vec<String> = (0..18).map(|at| format!("p{at:02}/Makefile")).collect();
    let mut files: Vec<(&str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), text.as_str()))
        .collect();
    files.push(("small/go.mod", "module x"));
    let found = survey(&files, None);
    assert_eq!(found.files.len(), files.len());
    let most = usize::try_from(MOST_MANIFEST_BYTES >> 20).unwrap();
    assert_eq!(found.manifests.len(), most);
}

#[test]
fn a_file_behind_a_linked_folder_is_no_file_of_the_repository() {
    let folder = tempfile::tempdir().unwrap();
    let (root, outside) = (folder.path().join("repo"), folder.path().join("outside"));
    for place in [&root, &outside] {
        std::fs::create_dir(place).unwrap();
        std::fs::write(place.join("a.rs"), "x.unwrap()").unwrap();
        std::fs::write(place.join("Cargo.toml"), "[package]\n").unwrap();
    }
    std::os::unix::fs::symlink(&outside, root.join("linked")).unwrap();
    let listed = ["a.rs", "linked/a.rs", "linked/Cargo.toml", "linked/in/b.rs"]
        .map(|name| RepoPath::new(name.as_bytes()));
    let found = read_survey(&root, &listed, None);
    let kept: Vec<&str> = found.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(kept, ["a.rs"]);
    assert!(found.manifests.is_empty());
}
