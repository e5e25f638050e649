//! The text of a scan: short, whatever was found.

use autoresearch_core::scan::{SurveyFile, propose_configs, read_wish};

use super::*;

fn report(survey: &Survey, sentence: &str) -> ScanReport {
    let wish = read_wish(sentence);
    let proposals = propose_configs(survey, &wish);
    ScanReport::new(survey, wish, proposals)
}

/// A Rust repository on a machine that has everything for it.
fn make_survey() -> Survey {
    let file = |path: &str| SurveyFile {
        path: path.to_owned(),
        bytes: 10,
        counts: [("unwraps".to_owned(), 3)].into(),
    };
    Survey {
        files: ["Cargo.toml", "src/lib.rs", ".github/workflows/ci.yml"]
            .map(file)
            .into(),
        is_counted: true,
        left_out: 1,
        machine: Machine {
            cores: 4,
            memory_bytes: Some(16 << 30),
            free_bytes: Some(100 << 30),
            gpu: true,
            container: false,
            programs: ["cargo", "cargo-clippy"].map(ToOwned::to_owned).into(),
        },
        ..Survey::default()
    }
}

#[test]
fn a_scan_is_told_in_few_lines() {
    insta::assert_snapshot!(report(&make_survey(), ""), @"
    repository  Rust (1 file); CI: .github/workflows/ci.yml; 1 file left out for unusual names
    machine     4 cores, 16 GB memory, 100 GB free, GPU; programs: cargo, cargo-clippy
     1  Make the tests faster
        test_ms: the tool times the tests from outside, after a run that builds them
     2  Lower the time of a clean build
        build_ms: each run builds from nothing, and the tool times it
     3  Fix what clippy finds -> 0
        clippy_findings: clippy repeats exactly, and code that does not build gives no number
     4  Get rid of the unwrap calls -> 0
        unwraps: 3 matches in 1 file now; the tool counts them itself
    not here    Raise the line coverage; missing cargo-llvm-cov: cargo install cargo-llvm-cov
    next: autoresearch init writes candidate 1 as autoresearch.yaml (another: --candidate N), then autoresearch config try
    ");
}

#[test]
fn a_sentence_that_names_nothing_is_said_to_name_nothing() {
    insta::assert_snapshot!(report(&make_survey(), "make it nicer; it's bad"), @r#"
    repository  Rust (1 file); CI: .github/workflows/ci.yml; 1 file left out for unusual names
    machine     4 cores, 16 GB memory, 100 GB free, GPU; programs: cargo, cargo-clippy
    goal        names no number that is known; this is what the repository suggests
     1  Make the tests faster
        test_ms: the tool times the tests from outside, after a run that builds them
     2  Lower the time of a clean build
        build_ms: each run builds from nothing, and the tool times it
     3  Fix what clippy finds -> 0
        clippy_findings: clippy repeats exactly, and code that does not build gives no number
     4  Get rid of the unwrap calls -> 0
        unwraps: 3 matches in 1 file now; the tool counts them itself
    not here    Raise the line coverage; missing cargo-llvm-cov: cargo install cargo-llvm-cov
    next: autoresearch init --goal 'make it nicer; it'\''s bad' writes candidate 1 as autoresearch.yaml (another: --candidate N), then autoresearch config try
    "#);
}

#[test]
fn what_is_missing_comes_with_its_remedy() {
    insta::assert_snapshot!(report(&make_survey(), "raise coverage to 80 %"), @"
    repository  Rust (1 file); CI: .github/workflows/ci.yml; 1 file left out for unusual names
    machine     4 cores, 16 GB memory, 100 GB free, GPU; programs: cargo, cargo-clippy
    Nothing that fits can run here.
    not here    Raise the line coverage; missing cargo-llvm-cov: cargo install cargo-llvm-cov
    next: get what is missing (cargo-llvm-cov: cargo install cargo-llvm-cov), then scan again
    ");
}

#[test]
fn a_repository_that_suggests_nothing_says_what_to_do() {
    insta::assert_snapshot!(report(&Survey::default(), ""), @"
    repository  0 files, none in a language that is known
    machine     0 cores, no GPU; programs: none that would help
    Nothing that fits can run here.
    next: write a config by hand: autoresearch config example lists some to start from
    ");
}

#[test]
fn a_goal_that_fits_nothing_leads_to_what_the_repository_suggests() {
    insta::assert_snapshot!(report(&make_survey(), "make the bundle smaller"), @"
    repository  Rust (1 file); CI: .github/workflows/ci.yml; 1 file left out for unusual names
    machine     4 cores, 16 GB memory, 100 GB free, GPU; programs: cargo, cargo-clippy
    Nothing here fits this goal.
    next: autoresearch scan without --goal lists what this repository suggests
    ");
}

#[test]
fn no_text_is_longer_than_four_hundred_tokens() {
    let mut survey = make_survey();
    let long = "long/".repeat(50);
    for at in 0..40 {
        for name in ["Cargo.toml", "src/main.rs"] {
            survey.files.push(SurveyFile {
                path: format!("{long}{at}/{name}"),
                bytes: 10,
                ..SurveyFile::default()
            });
        }
    }
    let text = report(&survey, "").to_string();
    assert!(text.len() <= 1_600, "{}: {text}", text.len());
}
