//! Tests that ask less by whatever way, and rows that look like it: what is told, and what is not.

use super::*;

fn gone(path: &str, before: &str) -> ChangedFile {
    ChangedFile {
        after: String::new(),
        ..change(path, before, "")
    }
}

#[test]
fn a_test_that_no_runner_finds_any_more_is_told_though_its_questions_stand() {
    let test = "def test_a():\n    assert f()\n";
    let told = "tests/test_a.py:1 `0 tests, not 1`";
    assert_eq!(
        search("tests/test_a.py", test, &format!("def x{}", &test[4..])),
        told
    );
    assert_eq!(
        search("tests/test_a.py", "def test_a():\n    f()\n", "x = 1\n"),
        told
    );
    let go = "func TestA(t *testing.T) {\n}\n";
    assert_eq!(
        search("a_test.go", go, "package a\n"),
        "a_test.go:1 `0 tests, not 1`"
    );
}

#[test]
fn tests_brought_into_a_table_are_none_less_and_a_comment_is_no_table() {
    let two = "def test_a():\n    assert f(1)\n\ndef test_b():\n    assert f(2)\n";
    let one = "def test_a(x):\n    assert f(x)\n";
    let table = format!("@pytest.mark.parametrize('x', [1, 2])\n{one}");
    assert_eq!(search("tests/test_a.py", two, &table), "");
    assert_ne!(
        search("tests/test_a.py", two, &format!("# parametrize\n{one}")),
        ""
    );
}

#[test]
fn only_a_new_test_may_know_where_it_cannot_run() {
    let old = "def test_a():\n    assert f()\n";
    let new = "def test_b():\n    assert g()\n";
    for mark in [
        "@pytest.mark.skipif(X)",
        "@unittest.skipUnless(X)",
        "@skipIf(X)",
    ] {
        let told = search("tests/test_a.py", old, &format!("{mark}\n{old}\n{new}"));
        assert!(told.starts_with("tests/test_a.py:1 "), "{mark}: {told}");
        assert_eq!(
            search("tests/test_a.py", old, &format!("{old}\n{mark}\n{new}")),
            ""
        );
    }
    assert_ne!(
        search("tests/test_a.py", old, &format!("@skip('x')\n{old}")),
        ""
    );
}

#[test]
fn settings_that_asked_and_are_gone_are_told_and_those_that_moved_are_not() {
    let ini = "[mypy]\nstrict = True\n";
    let told = search_all(&[gone("mypy.ini", ini)], ALL);
    assert_eq!(told, "mypy.ini:1 `without settings of mypy`");
    let project = "{\"tool\": {\"mypy\": {\"strict\": true}}}";
    let moved = change("pyproject.toml", "{}", project);
    assert_eq!(search_all(&[gone("mypy.ini", ini), moved], ALL), "");
    assert_ne!(search("tsconfig.json", "{\"strict\": true}", "{ what"), "");
    let loose = gone("mypy.ini", "[mypy]\nignore_errors = True\n");
    assert_eq!(search_all(&[loose], ALL), "");
}

#[test]
fn one_entry_may_become_several_that_are_narrower() {
    let wide = "{\"ignore\": [\"E\"]}";
    let narrow = "{\"ignore\": [\"E501\", \"E502\"]}";
    assert_eq!(search("ruff.toml", wide, narrow), "");
    let items = "mod a {\n    fn f() {}\n    fn g() {}\n}\n";
    let wide = format!("#[allow(a, b)]\npub(crate) {items}");
    let narrow = items.replace("    fn", "    #[allow(a, b)]\n    fn");
    assert_eq!(search("a.rs", &wide, &narrow), "");
    assert_ne!(search("a.rs", &narrow, &wide), "", "a module is wider");
    let both = "#[allow(a, b)]\nfn f() {}\n";
    let split = "#[allow(a)]\nfn f() {}\n#[allow(b)]\nfn g() {}\n";
    assert_eq!(search("a.rs", both, split), "");
    let twice = split.replace("allow(b)", "allow(a)");
    assert_ne!(search("a.rs", both, &twice), "");
}

#[test]
fn a_word_that_skips_in_tests_is_a_name_elsewhere() {
    assert_eq!(search("a.rb", "x = 1\n", "x = xit\n"), "");
    assert_eq!(search("A.cs", "int a;\n", "[Ignore]\nint a;\n"), "");
    assert_ne!(search("tests/A.cs", "int a;\n", "[Ignore]\nint a;\n"), "");
    assert_eq!(
        search("a.py", "x = 1\n", "# pyright: reportX=error\nx = 1\n"),
        ""
    );
    assert_ne!(
        search("a.py", "x = 1\n", "# pyright: reportX=none\nx = 1\n"),
        ""
    );
}

#[test]
fn a_number_behind_a_severity_turns_nothing_off() {
    let rules = |value: &str| format!("{{\"rules\": {{\"max-x\": {value}}}}}");
    let before = rules("2");
    assert_eq!(
        search(".eslintrc.json", &before, &rules("[\"error\", 0]")),
        ""
    );
    assert_ne!(search(".eslintrc.json", &before, &rules("[0, 4]")), "");
    let program = |value: &str| format!("x = {{ rules: {{ 'max-x': {value} }} }};\n");
    let before = program("2");
    assert_eq!(
        search("eslint.config.js", &before, &program("['error', 0]")),
        ""
    );
    assert_ne!(search("eslint.config.js", &before, &program("[0, 4]")), "");
    assert_eq!(search("eslint.config.js", "", "0\n"), "");
}

#[test]
fn a_comment_behind_a_stray_quote_is_read() {
    let line = "const r = /\"/; f(x);";
    assert_ne!(
        search(
            "a.js",
            &format!("{line}\n"),
            &format!("{line} // eslint-disable-line\n")
        ),
        ""
    );
}
