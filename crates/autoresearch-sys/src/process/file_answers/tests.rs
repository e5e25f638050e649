//! What is counted of real files, and what is left alone.

use std::cell::Cell;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

fn make_tree(files: &[(&str, &str)]) -> TempDir {
    let tree = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = tree.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    tree
}

fn ask(tree: &TempDir, query: &FileQuery) -> FileAnswer {
    answer_query(tree.path(), query, &|| None).unwrap()
}

fn search(patterns: &[&str]) -> FileSearch {
    FileSearch {
        patterns: patterns.iter().map(ToString::to_string).collect(),
        without: ".ours".to_owned(),
    }
}

fn size(tree: &TempDir, patterns: &[&str], gzip: bool) -> FileAnswer {
    let files = search(patterns);
    ask(tree, &FileQuery::Size { files, gzip })
}

fn sum(amount: u64, files: u64) -> FileAnswer {
    FileAnswer::Sum {
        amount,
        files,
        matched: Vec::new(),
    }
}

#[test]
fn a_size_is_of_regular_files_alone_each_once() {
    let tree = make_tree(&[
        ("dist/a.js", "12345"),
        ("dist/sub/b.js", "123"),
        ("dist/b.map", "1234567"),
        (".git/x.js", "1"),
        (".ours/y.js", "1"),
        ("elsewhere/big.js", "1234567890"),
    ]);
    symlink("../elsewhere/big.js", tree.path().join("dist/link.js")).unwrap();
    symlink("elsewhere", tree.path().join("linked")).unwrap();
    assert_eq!(
        size(&tree, &["dist/**/*.js", "dist/a.js"], false),
        sum(8, 2)
    );
    assert_eq!(size(&tree, &["*.js", "!elsewhere/**"], false), sum(8, 2));
    assert_eq!(size(&tree, &["dist/", "!*.map"], false), sum(8, 2));
    for patterns in [
        &["linked/**"][..],
        &["linked/big.js"],
        &["dist/link.js"],
        &["none/**"],
    ] {
        let FileAnswer::Refused(why) = size(&tree, patterns, false) else {
            panic!("{patterns:?} matched")
        };
        assert_eq!(why, format!("no file matches `{}`", patterns[0]));
    }
}

#[test]
fn the_same_bytes_are_as_many_after_gzip_whatever_the_file_is_called() {
    let text = "the same again and again ".repeat(2_000);
    let tree = make_tree(&[
        ("a.js", &text),
        ("another-name.js", &text),
        ("empty.js", ""),
    ]);
    let one = size(&tree, &["a.js"], true);
    assert_eq!(one, size(&tree, &["another-name.js"], true));
    let FileAnswer::Sum {
        amount, files: 1, ..
    } = one
    else {
        panic!("{one:?}")
    };
    assert!((20..5_000).contains(&amount), "{amount}");
    let FileAnswer::Sum { amount: empty, .. } = size(&tree, &["empty.js"], true) else {
        panic!("no size")
    };
    assert_eq!(size(&tree, &["*.js"], true), sum(2 * amount + empty, 3));
}

#[test]
fn matches_are_counted_over_all_files() {
    let tree = make_tree(&[
        ("src/a.ts", "any\nmany any"),
        ("src/b.ts", "none"),
        ("c.ts", "any"),
    ]);
    let count = |pattern: &str| {
        let (files, pattern) = (search(&["src/**"]), pattern.to_owned());
        ask(&tree, &FileQuery::Count { files, pattern })
    };
    let found = |amount, matched: &[&str]| FileAnswer::Sum {
        amount,
        files: 2,
        matched: matched.iter().map(ToString::to_string).collect(),
    };
    let lines = ["src/a.ts:1: any", "src/a.ts:2: many any"];
    assert_eq!(count(r"\bany\b"), found(2, &lines));
    assert_eq!(
        count("n."),
        found(5, &[lines[0], lines[1], "src/b.ts:1: none"])
    );
    assert_eq!(count("unknown"), sum(0, 2));
}

#[test]
fn a_report_of_before_is_taken_away_and_what_is_no_report_stays() {
    let tree = make_tree(&[
        ("out/lcov.info", "SF:a.c\nDA:1,1\nDA:2,0\nend_of_record\n"),
        ("cut.xml", "<coverage><line"),
        ("main.rs", "fn main() {}"),
    ]);
    let clear = |path: &str| {
        ask(
            &tree,
            &FileQuery::ClearReport {
                path: path.to_owned(),
            },
        )
    };
    let read = |path: &str| {
        ask(
            &tree,
            &FileQuery::ReadReport {
                path: path.to_owned(),
            },
        )
    };
    let lines = FileAnswer::Lines {
        covered: 1,
        lines: 2,
    };
    assert_eq!(read("out/lcov.info"), lines);
    for path in ["out/lcov.info", "cut.xml", "absent.xml"] {
        assert_eq!(clear(path), FileAnswer::Cleared, "{path}");
        assert!(!tree.path().join(path).exists(), "{path}");
    }
    insta::assert_debug_snapshot!(clear("main.rs"), @r#"
    Refused(
        "main.rs is there before verify runs and is not a coverage report, so it is left alone: name the report that the command writes",
    )
    "#);
    assert!(tree.path().join("main.rs").exists());
    insta::assert_debug_snapshot!(read("out/lcov.info"), @r#"
    Refused(
        "verify wrote no out/lcov.info (one of before was taken away): let the command write the report to exactly this path",
    )
    "#);
    insta::assert_debug_snapshot!(read("main.rs"), @r#"
    Refused(
        "the report main.rs is not a coverage report that is known: lcov, Cobertura, Clover or JaCoCo XML, Istanbul or coverage.py JSON, `llvm-cov export`, Go's cover profile",
    )
    "#);
}

#[test]
fn a_report_behind_a_link_is_neither_read_nor_removed() {
    let tree = make_tree(&[("real/lcov.info", "SF:a.c\nDA:1,1\nend_of_record\n")]);
    symlink("real", tree.path().join("out")).unwrap();
    symlink("real/lcov.info", tree.path().join("lcov.info")).unwrap();
    for path in ["out/lcov.info", "lcov.info"] {
        for query in [
            FileQuery::ClearReport {
                path: path.to_owned(),
            },
            FileQuery::ReadReport {
                path: path.to_owned(),
            },
        ] {
            let answer = ask(&tree, &query);
            assert!(
                matches!(answer, FileAnswer::Refused(_)),
                "{path}: {answer:?}"
            );
        }
    }
    assert!(tree.path().join("real/lcov.info").exists());
}

#[test]
fn a_query_ends_between_two_files_when_it_is_asked_to() {
    let tree = make_tree(&[("a", "1"), ("b", "1"), ("c", "1")]);
    let left = Cell::new(5);
    let ends = || {
        left.set(left.get() - 1);
        (left.get() == 0).then_some(CommandEnd::Cancelled)
    };
    let files = search(&["*"]);
    let ended = answer_query(tree.path(), &FileQuery::Size { files, gzip: false }, &ends);
    assert_eq!(ended, Err(CommandEnd::Cancelled));
}
