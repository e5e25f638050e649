//! Patterns of projects as they are laid out in the wild.

use super::*;
use crate::config::globs::Globs;
use crate::scan::project::list_projects;
use crate::scan::survey::sample::make_survey;

/// The patterns of the first project of a repository.
fn describe(files: &[&str]) -> String {
    let files: Vec<(&str, &str)> = files.iter().map(|path| (*path, "x")).collect();
    let survey = make_survey(&files, "");
    let projects = list_projects(&survey);
    let rows = projects.iter().map(|project| {
        let patterns = FilePatterns::of_project(project);
        format!(
            "{}: sources {:?} in {:?}, tests {:?}, configs {:?}\n",
            project.folder,
            patterns.sources,
            patterns.source_folders,
            patterns.tests,
            patterns.configs
        )
    });
    rows.collect()
}

#[test]
fn sources_tests_and_settings_are_told_apart() {
    insta::assert_snapshot!(describe(&[
        "package.json", "tsconfig.json", "tsconfig.build.json", "vite.config.ts", "src/a.ts", "src/b.tsx", "src/a.test.ts", "e2e/x.spec.ts", "docs/x.md",
    ]), @r#": sources ["src/**/*.{ts,tsx}"] in ["src"], tests ["e2e/**", "src/**/*.{test,spec}.*"], configs ["/package.json", "/tsconfig*.json", "/vite.config.*"]"#);
}

#[test]
fn sources_at_the_root_are_named_there_alone() {
    insta::assert_snapshot!(describe(&["go.mod", "main.go", "main_test.go", "internal/a.go", "internal/a_test.go", "vendor/x/y.go"]), @r#": sources ["internal/**/*.go", "/*.go"] in [], tests ["/*_test.go", "internal/**/*_test.go"], configs ["/go.mod"]"#);
}

#[test]
fn many_folders_are_one_pattern() {
    insta::assert_snapshot!(describe(&["setup.py", "a/x.py", "b/x.py", "c/x.py", "d/x.py", "e/x.py", "tests/test_x.py"]), @r#": sources ["**/*.py"] in [], tests ["tests/**"], configs ["/setup.py"]"#);
}

/// Every test of these files is protected, and no source is.
fn assert_protected(files: &[&str], tests: &[&str]) {
    let sample: Vec<(&str, &str)> = files.iter().chain(tests).map(|path| (*path, "x")).collect();
    let survey = make_survey(&sample, "");
    let patterns = FilePatterns::of_project(&list_projects(&survey)[0]);
    let found = match_any(&patterns.tests, tests.iter().copied());
    assert_eq!(found, tests, "{:?}", patterns.tests);
    let sources = match_any(&patterns.tests, files.iter().copied());
    assert!(sources.is_empty(), "{sources:?}: {:?}", patterns.tests);
}

#[test]
fn tests_are_protected_at_every_depth_at_which_they_are() {
    let maven = ["pom.xml", "src/main/java/A.java"];
    assert_protected(&maven, &["src/test/java/A.java"]);
    assert_protected(&maven, &["src/modA/src/test/java/B.java"]);
    assert_protected(
        &maven,
        &["src/modA/src/test/java/B.java", "src/test/java/A.java"],
    );
    assert_protected(
        &["App.sln", "App/A.cs"],
        &["App.Tests/Deep/B.cs", "App.Tests/T.cs", "CoreTests/T.cs"],
    );
    assert_protected(
        &["Cargo.toml", "src/lib.rs"],
        &["src/x/tests/a.rs", "tests/a.rs", "tests/x/tests/b.rs"],
    );
    insta::assert_snapshot!(describe(&["pom.xml", "src/main/java/A.java", "src/test/java/A.java"]), @r#": sources ["src/**/*.java"] in ["src"], tests ["src/test/**"], configs ["/pom.xml"]"#);
    insta::assert_snapshot!(describe(&["pom.xml", "src/main/java/A.java", "src/test/java/A.java", "src/m/src/test/B.java"]), @r#": sources ["src/**/*.java"] in ["src"], tests ["src/test/**", "src/**/src/test/**"], configs ["/pom.xml"]"#);
}

#[test]
fn a_folder_with_letters_of_patterns_is_named_literally() {
    let text = describe(&[
        "app/[id]/package.json",
        "app/[id]/src/{x}.ts",
        "app/[id]/src/{x}.test.ts",
    ]);
    insta::assert_snapshot!(text, @r#"app/[id]: sources ["app/\\[id\\]/src/**/*.ts"] in ["src"], tests ["app/\\[id\\]/src/**/*.{test,spec}.*"], configs ["app/\\[id\\]/package.json"]"#);
    let survey = make_survey(
        &[
            ("app/[id]/package.json", "{}"),
            ("app/[id]/src/{x}.ts", "x"),
        ],
        "",
    );
    let projects = list_projects(&survey);
    let patterns = FilePatterns::of_project(&projects[0]);
    assert!(
        Globs::new(&patterns.sources)
            .unwrap()
            .matches_path("app/[id]/src/{x}.ts")
    );
}

#[test]
fn a_pattern_of_a_project_starts_at_its_folder() {
    for (folder, pattern, rooted) in [
        ("", "*.rs", "*.rs"),
        ("", "/a", "/a"),
        ("x", "/a", "x/a"),
        ("x", "a/b", "x/a/b"),
        ("x", "a", "x/**/a"),
        ("x", "**/a", "x/**/a"),
        ("[x]", "/a", r"\[x\]/a"),
    ] {
        assert_eq!(root_pattern(folder, pattern), rooted);
    }
}

#[test]
fn what_others_protect_is_taken_out_of_the_scope_where_it_lies_in_it() {
    let files = ["src/a.rs", "src/tests/b.rs", "tests/c.rs"];
    let scope = take_out(
        vec!["src/**/*.rs".to_owned()],
        &[
            "src/**/tests/**".to_owned(),
            "tests/**".to_owned(),
            "!src/a.rs".to_owned(),
        ],
        files.into_iter(),
    );
    assert_eq!(scope, ["src/**/*.rs", "!src/**/tests/**"]);
}

#[test]
fn a_broken_pattern_matches_nothing() {
    assert!(match_any(&["a[".to_owned()], ["a["].into_iter()).is_empty());
    assert!(match_any(&[], ["a"].into_iter()).is_empty());
}

proptest::proptest! {
    #[test]
    fn an_escaped_name_matches_itself_alone(name in "[a-c*?\\[\\]{}!]{1,8}", other in "[a-c*?\\[\\]{}!]{1,8}") {
        let globs = Globs::new(&[format!("/{}", escape_pattern(&name))]).unwrap();
        proptest::prop_assert!(globs.matches_path(&name));
        proptest::prop_assert_eq!(globs.matches_path(&other), name == other);
    }
}
