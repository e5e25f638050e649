//! What a survey says of languages and continuous integration.

use super::sample::make_survey;
use super::*;

#[test]
fn languages_are_told_by_their_bytes_and_build_tools_with_the_same_sources_are_one() {
    let survey = make_survey(
        &[
            ("src/main.c", "int main() {}"),
            ("Makefile", "all:\n"),
            ("CMakeLists.txt", "project(x)"),
            ("include/a.hpp", "int a;"),
            ("build.sh", "make"),
            ("README.md", "text"),
        ],
        "",
    );
    let told: Vec<String> = survey
        .list_languages()
        .iter()
        .map(|language| format!("{} {} {}", language.name, language.files, language.bytes))
        .collect();
    assert_eq!(told, ["C and C++ 2 21", "Shell 1 5"]);
}

#[test]
fn files_of_continuous_integration_are_known_by_their_places() {
    let survey = make_survey(
        &[
            (".github/workflows/ci.yml", "on: push"),
            (".github/workflows/deep/x.yml", ""),
            ("sub/.gitlab-ci.yml", ""),
            (".gitlab-ci.yml", ""),
            ("Jenkinsfile", ""),
        ],
        "",
    );
    assert_eq!(
        survey.list_ci_files(),
        [".github/workflows/ci.yml", ".gitlab-ci.yml", "Jenkinsfile"]
    );
}

#[test]
fn the_programs_to_look_for_are_those_that_the_tables_need() {
    let programs: Vec<&str> = list_programs().into_iter().collect();
    insta::assert_snapshot!(programs.join(" "), @"ava bash bats biome bun bundle c8 cargo cargo-clippy cargo-llvm-cov cmake coverage ctest dotnet eslint flake8 gcovr go golangci-lint gradle java jest make mix mocha mvn mypy node npm npx pest php phpstan phpunit pnpm poetry pyright pytest python3 ruby ruff shellcheck swift tsc uv vitest yarn");
}

#[test]
fn an_ending_belongs_to_a_name_and_not_to_a_folder() {
    for (path, ending) in [
        ("a/b.rs", "rs"),
        ("a.b/c", ""),
        ("Makefile", ""),
        ("x.tar.gz", "gz"),
        (".sh", "sh"),
    ] {
        assert_eq!(find_ending(path), ending, "{path}");
    }
}

#[test]
fn what_kotlin_suppresses_is_counted_whatever_builds_it() {
    for manifest in ["pom.xml", "build.gradle.kts"] {
        let survey = make_survey(
            &[
                (manifest, "x"),
                (
                    "src/main/kotlin/A.kt",
                    "@Suppress(\"x\") @SuppressWarnings @Suppressed",
                ),
            ],
            "",
        );
        let counts = &survey.files[1].counts;
        assert_eq!(counts.get("suppressions"), Some(&2), "{manifest}");
    }
}

#[test]
fn each_metric_of_a_path_is_counted_once() {
    for stack in list_stacks() {
        let metrics: Vec<&str> = list_counts_of(stack)
            .iter()
            .map(|counted| counted.metric.as_str())
            .collect();
        let once: BTreeSet<&str> = metrics.iter().copied().collect();
        assert_eq!(once.len(), metrics.len(), "{}: {metrics:?}", stack.title);
        assert!(
            stack
                .counts
                .iter()
                .all(|counted| once.contains(counted.metric.as_str()))
        );
    }
}
