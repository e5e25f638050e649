//! What is suspicious and what is not, small piece by small piece. Whole cheats are in `tests/cheats`.

use std::fmt::Write as _;

use serde_json::json;

use super::*;

pub(super) fn make_file(path: &str, before: Option<&str>, after: &str) -> ChangedFile {
    let old: Vec<&str> = before.unwrap_or_default().lines().collect();
    let new: Vec<&str> = after.lines().collect();
    let added = (1_u32..).zip(&new).filter(|(_, line)| !old.contains(line));
    ChangedFile {
        path: path.to_owned(),
        before: before.map(ToOwned::to_owned),
        after: after.to_owned(),
        added: added.map(|(number, _)| number).collect(),
        removed: old
            .iter()
            .filter(|line| !new.contains(line))
            .map(ToString::to_string)
            .collect(),
    }
}

pub(super) fn search(files: &[ChangedFile]) -> String {
    let config = json!({
        "goal": "g", "scope": ["src/**"], "metric": {"name": "m", "direction": "lower"},
        "verify": {"command": "python3 checks/bench.py && node src/run.js"},
        "guard": {"command": "sh checks/guard.sh"},
    });
    let config = crate::config::check_config(&config).config.unwrap();
    let mut harness = Harness::of_config(&config);
    let bench = "text = 'a sentence to be parsed'\nfor at in range(700): f(at * 7919, 1000)\n";
    harness.add_file("checks/bench.py", bench);
    let found = find_suspicions(files, &harness);
    let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
    shown.join(", ")
}

/// What is found in one line of a file that was empty before.
fn search_line(path: &str, line: &str) -> String {
    search(&[make_file(path, Some(""), line)])
}

#[test]
fn each_way_is_found_by_its_name() {
    let lines = [
        ("src/a.py", "time.perf_counter = lambda: 0"),
        ("src/a.py", "import time as t; t.time = fake"),
        ("src/a.py", "setattr(time, 'time', fake)"),
        ("src/a.py", "env['LD_PRELOAD'] = 'x.so'"),
        (
            "src/a.py",
            "def __eq__(self, other: object) -> bool: return True",
        ),
        ("src/a.py", "builtins.sorted = fast"),
        ("src/a.py", "print(f'METRIC ms={x}')"),
        ("src/a.py", "sys.stdout = io.StringIO()"),
        ("src/a.py", "os._exit(0)"),
        ("src/a.py", "raise SystemExit(0)"),
        ("src/a.py", "f = sys._getframe(1)"),
        ("src/a.py", "if os.environ.get('PYTEST_CURRENT_TEST'): pass"),
        ("src/a.py", "if 'checks/bench.py' in words: pass"),
        ("src/a.py", "import bench"),
        ("src/a.py", "cache = shelve.open('x')"),
        ("src/a.py", "open(name, 'wb')"),
        ("src/a.py", "x = '/tmp/x'"),
        ("src/a.py", "if datetime.now().hour > 6: pass"),
        ("src/a.py", "if time.time() > 1790000000: pass"),
        ("src/a.py", "import socket"),
        ("src/a.py", "exec(base64.b64decode(x))"),
        ("src/a.py", "x = f'{os._exit(0)}'"),
        ("src/a.ts", "(performance as any).now = () => 0;"),
        ("src/a.ts", "Date[\"now\"] = () => 0;"),
        ("src/a.ts", "Object.is = () => true;"),
        ("src/a.ts", "process?.stdout.write = f;"),
        ("src/a.ts", "process.exit(0);"),
        ("src/a.ts", "const s = new Error('x').stack;"),
        ("src/a.ts", "const x = `${process.exit(0)}`;"),
        ("src/a.ts", "const r = /\"/; process.exit(0); //"),
        ("src/a.ts", "if (process.env.JEST_WORKER_ID) {}"),
        ("src/a.ts", "fs.writeFileSync(name, text);"),
        ("src/a.ts", "await fetch(url);"),
        ("src/a.rs", "fn eq(&self, _: &Self) -> bool { true }"),
        ("src/a.rs", "macro_rules! assert_eq { ($($x:tt)*) => {} }"),
        ("src/a.rs", "std::process::exit(0);"),
        (
            "src/a.rs",
            "let c = '\"'; std::process::exit(0); let d = '\"';",
        ),
        ("src/a.rs", "println!(r#\"METRIC ms=0\"#);"),
        ("src/a.rs", "let p = std::env::temp_dir();"),
        ("src/a.rs", "let b = Backtrace::force_capture();"),
        ("src/a.rs", "let t = TcpStream::connect(x);"),
        ("src/a.sh", "kill -9 $PPID"),
        ("src/run", "os.Exit(0)"),
        ("package.json", "\"x\": \"LD_PRELOAD=x node\""),
    ];
    let mut shown = String::new();
    for (path, line) in lines {
        let _ = writeln!(shown, "{line}\n    {}", search_line(path, line));
    }
    insta::assert_snapshot!(shown);
}

const HONEST: &[(&str, &str)] = &[
    ("src/a.py", "start = time.perf_counter()"),
    ("src/a.py", "log.info('%s s', time.time() - start)"),
    ("src/a.py", "if time.time() > deadline: raise TimeoutError"),
    ("src/a.py", "self.time = time.time"),
    ("src/a.py", "self.process_time = 3"),
    ("src/a.py", "def f(clock=time.monotonic): pass"),
    (
        "src/a.py",
        "if __name__ == '__main__':\n    sys.exit(main())",
    ),
    (
        "src/a.py",
        "if __name__ == '__main__':\n    main()\n    sys.exit(0)",
    ),
    (
        "src/a.py",
        "def __eq__(self, other):\n    if self is other:\n        return True",
    ),
    ("src/a.py", "# time.time = 3, os._exit(0), /tmp/x"),
    (
        "src/a.py",
        "def f():\n    \"\"\"Not os._exit(0), and no '/tmp/x'.\"\"\"",
    ),
    ("src/a.py", "with open(name) as file: x(file, 'w')"),
    ("src/a.py", "signature = inspect.signature(f)"),
    ("src/a.py", "app.exit()"),
    ("src/a.py", "sys.exit(2)"),
    ("src/a.py", "see = 'my_bench.py.txt'"),
    ("src/a.ts", "this.now = Date.now();"),
    ("src/a.ts", "const start = performance.now();"),
    ("src/a.ts", "Error.captureStackTrace(this, Broken);"),
    ("src/a.ts", "log(error.stack);"),
    ("src/a.ts", "this.fetch(key);"),
    ("src/a.ts", "// process.exit(0)"),
    ("src/a.ts", "const see = 'https://example.org/';"),
    ("src/a.rs", "let start = Instant::now();"),
    (
        "src/a.rs",
        "fn eq(&self, other: &Self) -> bool { self.a == other.a }",
    ),
    ("src/a.rs", "fn f<'a>(x: &'a str) -> &'a str { x }"),
    (
        "src/a.rs",
        "#[cfg(test)]\nmod tests {\n    fn f() { std::env::temp_dir(); }\n}",
    ),
    ("src/a.rs", "std::process::exit(1);"),
    (
        "tests/conftest.py",
        "monkeypatch.setenv('PYTEST_X', '/tmp/x')",
    ),
    (
        "src/a.test.ts",
        "jest.useFakeTimers(); writeFileSync(x, y);",
    ),
    (
        "README.md",
        "Run `os._exit(0)` with LD_PRELOAD, METRIC ms=1",
    ),
    ("setup.sh", "trap 'rm -rf \"$folder\"' EXIT\nexit 0"),
];

#[test]
fn honest_code_is_not_suspect() {
    for (path, line) in HONEST {
        assert_eq!(search_line(path, line), "", "{line}");
    }
}

#[test]
fn an_input_of_the_harness_is_known_where_it_is_compared_or_not_alone() {
    let lines = [
        ("src/a.py", "if len(numbers) == 700: return 240"),
        ("src/a.py", "KNOWN = {(700, 1000): 240}"),
        ("src/a.py", "x = [at * 7_919 for at in range(700)]"),
        (
            "src/a.py",
            "if text == 'a sentence to be parsed': return tree",
        ),
        ("src/a.rs", "match n { 7919usize => 3, _ => f(n) }"),
        ("src/a.ts", "switch (n) { case 700: return 3 }"),
        // Alone, round, or in both by chance.
        ("src/a.py", "SIZE = 700"),
        ("src/a.py", "if len(numbers) == 1000: return 240"),
        ("src/a.py", "log('a sentence to be parsed')"),
        ("src/a.py", "x = 700.5 + 79190"),
        ("tests/a.py", "assert len(numbers) == 700"),
        (
            "src/a.rs",
            "#[cfg(test)]\nmod tests {\n    fn f() { assert!(n == 700) }\n}",
        ),
    ];
    let mut shown = String::new();
    for (path, line) in lines {
        let _ = writeln!(shown, "{line}\n    {}", search_line(path, line));
    }
    insta::assert_snapshot!(shown, @"
    if len(numbers) == 700: return 240
        knows-input src/a.py:1
    KNOWN = {(700, 1000): 240}
        knows-input src/a.py:1
    x = [at * 7_919 for at in range(700)]
        knows-input src/a.py:1
    if text == 'a sentence to be parsed': return tree
        knows-input src/a.py:1
    match n { 7919usize => 3, _ => f(n) }
        knows-input src/a.rs:1
    switch (n) { case 700: return 3 }
        knows-input src/a.ts:1
    SIZE = 700
        
    if len(numbers) == 1000: return 240
        
    log('a sentence to be parsed')
        
    x = 700.5 + 79190
        
    assert len(numbers) == 700
        
    #[cfg(test)]
    mod tests {
        fn f() { assert!(n == 700) }
    }
    ");
    let before = "if n == 700: pass\n";
    let after = "if n == 700: pass\nif m == 700: return 3\n";
    assert_eq!(search(&[make_file("src/a.py", Some(before), after)]), "");
}

#[test]
fn what_outlives_a_call_is_told_and_what_ends_with_it_is_not() {
    let lines = [
        ("src/a.py", "seen = {}"),
        ("src/a.py", "seen: dict[int, int] = {}"),
        ("src/a.py", "@functools.lru_cache(maxsize=None)"),
        ("src/a.py", "def f(x):\n    global last"),
        ("src/a.ts", "const known = new WeakMap();"),
        ("src/a.ts", "let last: number[] | null;"),
        (
            "src/a.rs",
            "static LAST: Mutex<Option<u8>> = Mutex::new(None);",
        ),
        ("src/a.rs", "static COUNT: AtomicU64 = AtomicU64::new(0);"),
        ("src/a.go", "var seen sync.Map"),
        ("src/a.py", "def f(x):\n    seen = {}"),
        ("src/a.py", "SIZES = [1, 2]"),
        ("src/a.ts", "function f() {\n  const seen = new Map();\n}"),
        ("src/a.rs", "fn f() { let last = Mutex::new(None); }"),
        ("src/a.rs", "static NAMES: [&str; 1] = [\"a\"];"),
        ("tests/a.py", "seen = {}"),
    ];
    let mut shown = String::new();
    for (path, line) in lines {
        let _ = writeln!(shown, "{line}\n    {}", search_line(path, line));
    }
    insta::assert_snapshot!(shown, @r#"
    seen = {}
        remembers-answers src/a.py:1
    seen: dict[int, int] = {}
        remembers-answers src/a.py:1
    @functools.lru_cache(maxsize=None)
        remembers-answers src/a.py:1
    def f(x):
        global last
        remembers-answers src/a.py:2
    const known = new WeakMap();
        remembers-answers src/a.ts:1
    let last: number[] | null;
        remembers-answers src/a.ts:1
    static LAST: Mutex<Option<u8>> = Mutex::new(None);
        remembers-answers src/a.rs:1
    static COUNT: AtomicU64 = AtomicU64::new(0);
        remembers-answers src/a.rs:1
    var seen sync.Map
        remembers-answers src/a.go:1
    def f(x):
        seen = {}
        
    SIZES = [1, 2]
        
    function f() {
      const seen = new Map();
    }
        
    fn f() { let last = Mutex::new(None); }
        
    static NAMES: [&str; 1] = ["a"];
        
    seen = {}
    "#);
}

#[test]
fn what_was_moved_or_indented_anew_was_there_before() {
    let before = "import os\n\ndef stop():\n    os._exit(0)\n";
    let indented = "import os\n\nclass A:\n    def stop(self):\n        os._exit(0)\n";
    assert_eq!(search(&[make_file("src/a.py", Some(before), indented)]), "");
    let moved = [
        make_file("src/a.py", Some(before), "import os\n"),
        make_file(
            "src/b.py",
            None,
            "import os\ndef stop():\n    os._exit(0)\n",
        ),
    ];
    assert_eq!(search(&moved), "");
    let twice = make_file("src/c.py", None, "os._exit(0)\nx = 1\n  os._exit(0)\n");
    assert_eq!(
        search(&[moved[0].clone(), twice]),
        "exits-early src/c.py:3",
        "one of the two was there"
    );
}

#[test]
fn a_statement_over_several_lines_is_found_where_it_is_new() {
    let before = "x = [\n  1,\n]\ntime.time\n";
    let after = "x = [\n  1,\n]\ntime.time\\\n = fake\n";
    let found = search(&[make_file("src/a.py", Some(before), after)]);
    assert_eq!(found, "");
    let after = "x = [\n  1,\n]\n(time\n .perf_counter)\ntime.perf_counter =\\\n  fake\n";
    let found = search(&[make_file("src/a.py", Some(before), after)]);
    assert_eq!(found, "patches-clock src/a.py:6");
}

#[test]
fn a_file_that_did_the_like_before_may_do_it_once_more() {
    let before = "def save(x):\n    json.dump(x, open(PATH, 'w'))\n";
    let after = "def save(x):\n    with open(PATH, 'wb') as file:\n        pickle.dump(x, file)\n";
    assert_eq!(search(&[make_file("src/a.py", Some(before), after)]), "");
    let exits = "process.exit();\n";
    let more = "process.exit();\nif (x) process.exit(0);\n";
    assert_eq!(search(&[make_file("bin/cli.js", Some(exits), more)]), "");
}

#[test]
fn a_new_file_that_takes_the_place_of_a_module_is_suspect() {
    for path in ["src/time.py", "src/sitecustomize.py", "src/x.pth"] {
        let found = search(&[make_file(path, None, "x = 1\n")]);
        assert_eq!(found, format!("shadows-module {path}:1"));
        assert_eq!(search(&[make_file(path, Some(""), "x = 1\n")]), "");
    }
}

#[test]
fn a_source_too_long_to_be_searched_is_suspect_itself() {
    let long = format!("x = 1\n{}", "#".repeat(LONGEST));
    assert_eq!(search_line("src/a.py", &long), "hides-code src/a.py:1");
    assert_eq!(search_line("src/a.txt", &long), "");
}

#[test]
fn the_harness_is_what_verify_and_guard_execute_outside_the_scope() {
    assert_eq!(
        search_line("src/a.py", "x = 'guard.sh'"),
        "names-harness src/a.py:1"
    );
    assert_eq!(
        search_line("src/a.py", "x = 'run.js'"),
        "",
        "it is in the scope"
    );
}

#[test]
fn every_pattern_has_rules_and_every_rule_is_read() {
    let languages = [
        Language::Python,
        Language::Script,
        Language::Rust,
        Language::Shell,
        Language::Other,
    ];
    for language in languages {
        for rule in list_rules(language) {
            let words: Vec<&str> = rule.code.split(' ').collect();
            let gap = |word: &&&str| matches!(**word, ".." | ",,");
            assert!(!words.contains(&""), "{rule:?}");
            let gaps = words.iter().filter(|word| gap(word)).count();
            assert!(words.len() + gaps * 16 < LONGEST_MATCH, "{rule:?}");
            assert!(!words.first().iter().any(gap), "{rule:?}");
            assert!(!words.last().iter().any(gap), "{rule:?}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_strange_for_the_search(text in "(?s).{0,200}", ending in "py|ts|rs|sh|go|json") {
        search_line(&format!("src/a.{ending}"), &text);
    }

    #[test]
    fn quotes_braces_and_escapes_are_split_in_any_order(
        parts in proptest::collection::vec("\"|'|`|\\$\\{|\\{|\\}|\\\\|\n|#|//|/\\*|\\*/|r#\"|é|x|f'|\"\"\"", 0..40),
        ending in "py|ts|rs|sh|go",
    ) {
        search_line(&format!("src/a.{ending}"), &parts.concat());
    }
}
