//! Settings of the user's that say what git shows: submodules to ignore, and a disk that git was told not to tell case.

use crate::testbed::{CONFIG, Testbed};

/// A repository with a submodule `libs/tool` outside the scope that holds one file.
fn with_submodule() -> Testbed {
    let bed = Testbed::new();
    let other = bed.home.join("other");
    let path = other.to_str().unwrap();
    bed.git(&["init", "-q", "-b", "main", path]);
    std::fs::write(other.join("file"), "x\n").unwrap();
    bed.git(&["-C", path, "add", "file"]);
    bed.git(&["-C", path, "commit", "-qm", "tool"]);
    let add = ["-c", "protocol.file.allow=always", "submodule", "-q", "add"];
    bed.git(&[&add[..], &["--name", "tool", path, "libs/tool"]].concat());
    bed.git(&["commit", "-qam", "submodule"]);
    bed
}

#[test]
fn a_submodule_that_the_user_told_git_to_ignore_is_no_change_outside_the_scope() {
    for (key, value, change) in [
        ("submodule.tool.ignore", "untracked", "libs/tool/new"),
        ("submodule.tool.ignore", "dirty", "libs/tool/file"),
        ("submodule.tool.ignore", "all", "libs/tool/file"),
        ("diff.ignoreSubmodules", "dirty", "libs/tool/file"),
    ] {
        let bed = with_submodule();
        bed.git(&["config", key, value]);
        let start = bed.start(CONFIG);
        assert!(!start.out.contains("outside the scope: left"), "{start:?}");
        bed.write(change, "changed\n");
        assert_eq!(bed.try_count(4), "keep", "{key}={value}");
        assert_eq!(bed.try_count(20), "discard", "{key}={value}");
        assert_eq!(bed.read(change), "changed\n", "it is left alone");
    }
    // As `.gitmodules` has it.
    let bed = with_submodule();
    bed.git(&[
        "config",
        "-f",
        ".gitmodules",
        "submodule.tool.ignore",
        "dirty",
    ]);
    bed.git(&["commit", "-qam", "ignore"]);
    bed.start(CONFIG);
    bed.write("libs/tool/file", "changed\n");
    assert_eq!(bed.try_count(4), "keep");
}

#[test]
fn a_submodule_that_changes_is_a_change_unless_the_setting_was_there_at_start() {
    let bed = with_submodule();
    bed.start(CONFIG);
    bed.write("libs/tool/file", "changed\n");
    bed.edit(4);
    assert_eq!(bed.trial("four")["reason"], "out-of-scope");
    bed.git(&["config", "submodule.tool.ignore", "all"]);
    bed.edit(4);
    let report = bed.trial("hidden");
    assert_eq!(report["reason"], "protected", "{report}");
    let detail = report["detail"].as_str().unwrap();
    assert!(
        detail.contains("git config submodule.tool.ignore"),
        "{detail}"
    );
}

/// A run where git was told that the disk does not tell case, as a clone from another system has it.
fn ignoring_case() -> Testbed {
    let bed = Testbed::new();
    bed.write("src/Util", "a\n");
    bed.write("src/Deep/one", "1\n");
    bed.write("src/Deep/two", "2\n");
    bed.git(&["add", "src"]);
    bed.git(&["commit", "-qm", "names"]);
    bed.git(&["config", "core.ignoreCase", "true"]);
    let start = bed.start(CONFIG);
    insta::allow_duplicates! {
        insta::assert_snapshot!(start.out.lines().next().unwrap(), @"note: core.ignoreCase is true, but this disk tells upper from lower case: git works here as if it were false");
    }
    bed
}

fn names(bed: &Testbed) -> Vec<String> {
    let all = bed.git(&["ls-tree", "-r", "--name-only", "HEAD", "src/"]);
    all.lines().map(|name| name[4..].to_owned()).collect()
}

fn rename(bed: &Testbed, from: &str, to: &str) {
    std::fs::rename(bed.path(from), bed.path(to)).unwrap();
}

#[test]
fn a_rename_that_changes_case_alone_is_kept_and_undone_where_git_was_told_to_ignore_case() {
    let bed = ignoring_case();
    rename(&bed, "src/Util", "src/util");
    assert_eq!(bed.try_count(20), "discard");
    assert!(bed.path("src/Util").exists() && !bed.path("src/util").exists());
    rename(&bed, "src/Util", "src/util");
    assert_eq!(bed.try_count(4), "keep");
    assert_eq!(
        names(&bed),
        ["Deep/one", "Deep/two", "a", "b", "c", "state", "util"]
    );
}

#[test]
fn a_folder_that_is_renamed_in_case_alone_is_kept_and_undone() {
    let bed = ignoring_case();
    rename(&bed, "src/Deep", "src/deep");
    assert_eq!(bed.try_count(20), "discard");
    assert!(bed.path("src/Deep/two").exists() && !bed.path("src/deep").exists());
    rename(&bed, "src/Deep", "src/deep");
    assert_eq!(bed.try_count(4), "keep");
    assert_eq!(
        names(&bed),
        ["Util", "a", "b", "c", "deep/one", "deep/two", "state"]
    );
}

#[test]
fn a_new_file_beside_one_of_the_same_letters_is_part_of_the_commit() {
    let bed = ignoring_case();
    bed.write("src/UTIL", "beside\n");
    assert_eq!(bed.try_count(20), "discard");
    assert!(!bed.path("src/UTIL").exists());
    assert_eq!(bed.read("src/Util"), "a\n");
    bed.write("src/UTIL", "beside\n");
    assert_eq!(bed.try_count(4), "keep");
    assert_eq!(bed.git(&["show", "HEAD:src/UTIL"]), "beside\n");
    assert_eq!(bed.git(&["show", "HEAD:src/Util"]), "a\n");
    bed.run(&["finish"]).ok();
    assert_eq!(bed.read("src/Util"), "a\n");
}
