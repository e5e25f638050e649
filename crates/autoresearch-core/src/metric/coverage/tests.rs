//! A report of each tool as it writes it, shortened, and what is no report.

use super::*;

fn read(text: &str) -> Result<(u64, u64), CoverageError> {
    let found = read_coverage(text.as_bytes())?;
    Ok((found.covered, found.lines))
}

#[test]
fn lcov_counts_each_line_of_a_file_once_also_when_two_tests_name_it() {
    let report = "TN:one\nSF:src/a.c\nDA:1,0\nDA:2,5,9mCwqW\nLF:2\nLH:1\nend_of_record\n\
                  SF:src/b.c\nDA:1,0\nend_of_record\n\
                  TN:two\nSF:src/a.c\nDA:1,1\nDA:3,0\nend_of_record\n";
    assert_eq!(read(report), Ok((2, 4)));
    assert_eq!(read(&report.replace('\n', "\r\n")), Ok((2, 4)));
}

#[test]
fn cobertura_counts_a_line_of_a_method_and_of_its_class_once() {
    let report = r#"<?xml version="1.0" ?>
<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">
<coverage version="7.6" lines-valid="9" lines-covered="9" line-rate="1">
  <packages><package name="."><classes>
    <class name="a.py" filename="a.py">
      <methods><method name="f"><lines><line number="2" hits="0"/></lines></method></methods>
      <lines><line number="1" hits="1"/><line number="2" hits="0"/></lines>
    </class>
    <class name="b.py" filename="b.py"><methods/><lines><line number="1" hits="0"></line></lines></class>
  </classes></package></packages>
</coverage>"#;
    assert_eq!(read(report), Ok((1, 3)));
}

#[test]
fn clover_counts_the_lines_of_each_file() {
    let report = r#"<coverage generated="1"><project timestamp="1">
<file name="/srv/a.php"><line num="3" type="method" name="f" count="2"/><line num="4" type="stmt" count="2"/></file>
<package name="p"><file name="b.js" path="/srv/b.js"><line num="3" type="cond" truecount="1" falsecount="0" count="0"/></file></package>
<metrics statements="9" coveredstatements="9"/></project></coverage>"#;
    assert_eq!(read(report), Ok((2, 3)));
}

#[test]
fn jacoco_gives_the_sum_of_the_whole_report_and_of_no_package() {
    let report = r#"<!DOCTYPE report PUBLIC "-//JACOCO//DTD Report 1.1//EN" "report.dtd">
<report name="app"><sessioninfo id="x" start="1" dump="2"/>
<package name="p"><sourcefile name="A.java"><line nr="1" mi="0" ci="2" mb="0" cb="0"/><counter type="LINE" missed="0" covered="1"/></sourcefile>
<counter type="LINE" missed="1" covered="5"/></package>
<counter type="INSTRUCTION" missed="8" covered="90"/><counter type="LINE" missed="3" covered="17"/></report>"#;
    assert_eq!(read(report), Ok((17, 20)));
}

#[test]
fn istanbul_has_a_summary_and_a_report_of_each_statement() {
    let summary = r#"{"total": {"lines": {"total": 8, "covered": 6, "skipped": 0, "pct": 75}, "branches": {"total": 0}},
        "/srv/a.js": {"lines": {"total": 8, "covered": 6}}}"#;
    assert_eq!(read(summary), Ok((6, 8)));
    let whole = r#"{"/srv/a.js": {"path": "/srv/a.js", "fnMap": {}, "s": {"0": 0, "1": 4, "2": 0},
        "statementMap": {"0": {"start": {"line": 1, "column": 0}, "end": {"line": 1, "column": null}},
                         "1": {"start": {"line": 1, "column": 9}, "end": {"line": 3, "column": 2}},
                         "2": {"start": {"line": 2, "column": 0}, "end": {"line": 2, "column": 5}}}}}"#;
    assert_eq!(read(whole), Ok((1, 2)));
}

#[test]
fn python_and_llvm_write_sums() {
    let python = r#"{"meta": {"format": 3}, "files": {"a.py": {"executed_lines": [1]}},
        "totals": {"covered_lines": 5, "num_statements": 7, "percent_covered": 71.42857142857143}}"#;
    assert_eq!(read(python), Ok((5, 7)));
    let llvm = r#"{"type": "llvm.coverage.json.export", "version": "2.0.1", "data": [
        {"files": [], "functions": [], "totals": {"lines": {"count": 10, "covered": 4, "percent": 40}}},
        {"totals": {"lines": {"count": 2, "covered": 1}}}]}"#;
    assert_eq!(read(llvm), Ok((5, 12)));
}

#[test]
fn gos_profile_weighs_blocks_by_their_statements_and_counts_each_once() {
    let report = "mode: set\nm/a.go:3.20,5.2 2 0\nm/a.go:7.1,9.2 3 1\nm/a.go:3.20,5.2 2 1\nm/b.go:1.1,2.2 5 0\n";
    assert_eq!(read(report), Ok((5, 10)));
    let merged = "mode: atomic\nm/a.go:3.20,5.2 2 0\nmode: atomic\nm/a.go:7.1,9.2 3 41\n";
    assert_eq!(read(merged), Ok((3, 5)));
}

#[test]
fn what_is_no_report_or_none_any_more_is_refused() {
    for text in [
        "",
        "fine\n",
        "{}",
        "[]",
        "{\"a\": 1}",
        "<html></html>",
        "DA:1,1",
    ] {
        let error = read(text).unwrap_err();
        let is_known = matches!(error, CoverageError::Unknown | CoverageError::Empty)
            || matches!(&error, CoverageError::Damaged(line) if line == "`DA:1,1`");
        assert!(is_known, "{text}: {error}");
    }
    for text in [
        "SF:a.c\nDA:1,1\n",
        "SF:a.c\nDA:1\nend_of_record\n",
        "{\"total\": {\"lines\": {\"total\": 8, \"cov",
        "<coverage><line number=\"1\" hits=\"1\"/>",
        "<coverage><line number=\"x\" hits=\"1\"/></coverage>",
        "<coverage></report>",
        "mode: set\nm/a.go:3.20,5.2 2\n",
    ] {
        let error = read(text).unwrap_err();
        assert!(
            matches!(error, CoverageError::Damaged(_)),
            "{text}: {error}"
        );
    }
    for text in [
        "SF:a.c\nend_of_record\n",
        "mode: set\n",
        "<coverage/>",
        "<report/>",
        "{\"total\": {\"lines\": {\"total\": 0, \"covered\": 0}}}",
        "{\"total\": {\"lines\": {\"total\": 1, \"covered\": 2}}}",
    ] {
        assert_eq!(read(text), Err(CoverageError::Empty), "{text}");
    }
}

#[test]
fn one_line_shows_in_the_share_however_many_there_are() {
    let percent = |covered, lines| LineCoverage { covered, lines }.to_percent().to_string();
    assert_eq!(percent(1, 3), "33.33");
    assert_eq!(percent(17, 20), "85");
    assert_eq!(percent(100, 120), "83.333");
    assert_ne!(percent(1_999_999, 3_000_001), percent(2_000_000, 3_000_001));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_a_report_or_refused(bytes in proptest::collection::vec(0_u8.., 0..200), head in 0..4_usize) {
        let head = ["", "{", "<coverage>", "mode: set\n"][head];
        let _ = read_coverage(&[head.as_bytes(), &bytes].concat());
    }

    #[test]
    fn more_covered_lines_are_a_larger_share(lines in 2_u64..5_000_000, part in 0_u64..5_000_000) {
        let covered = part % lines;
        let share = |covered| LineCoverage { covered, lines }.to_percent();
        proptest::prop_assert!(share(covered) < share(covered + 1));
    }
}
