//! Work that is put off, what a build makes, and tests that ask less: what is told, and what honest code may do.

use std::fmt::Write as _;

use super::tests::{make_file, search};

/// What is found in a file that had this before.
fn search_change(path: &str, before: &str, after: &str) -> String {
    search(&[make_file(path, Some(before), after)])
}

const LATE: &[(&str, &str)] = &[
    (
        "src/a.py",
        "class A:\n    def __float__(self):\n        return slow(self.x)\ndef slow(x):\n    for y in x: pass\n",
    ),
    (
        "src/a.py",
        "class A:\n    def __add__(self, o):\n        return self.work() + o\n",
    ),
    (
        "src/a.py",
        "class A(int):\n    __index__ = lambda self: sum(self.x)\n",
    ),
    (
        "src/a.py",
        "A = type('A', (), {'__eq__': lambda self, o: o == max(x for x in self.x)})\n",
    ),
    (
        "src/a.py",
        "class A:\n    def __str__(self):\n        self.text = self.text or make(self.x)\n",
    ),
    (
        "src/a.py",
        "class A:\n    def __iter__(self):\n        for x in self.x:\n            for y in self.x:\n                yield x\n",
    ),
    ("src/a.py", "from functools import cached_property\n"),
    (
        "src/a.ts",
        "class A { valueOf(): number { return this.work(); } }\n",
    ),
    (
        "src/a.ts",
        "const a = { [Symbol.toPrimitive](hint: string) { return xs.reduce(add); } };\n",
    ),
    (
        "src/a.ts",
        "const a = { valueOf: () => { for (const x of xs) y(x); } };\n",
    ),
    (
        "src/a.ts",
        "A.prototype.toString = function () { return (this.#text ??= f(this.x)); };\n",
    ),
    (
        "src/a.ts",
        "class A { get count() { return (this.n ??= f(this.x)); } }\n",
    ),
    ("src/a.ts", "return new Proxy({}, { get: f });\n"),
    (
        "src/a.rs",
        "impl PartialEq<usize> for A {\n    fn eq(&self, o: &usize) -> bool { *o == slow(&self.x) }\n}\nfn slow(x: &[u8]) -> usize { x.iter().count() }\n",
    ),
    (
        "src/a.rs",
        "impl std::ops::Deref for A {\n    type Target = u8;\n    fn deref(&self) -> &u8 { self.x.get_or_init(f) }\n}\n",
    ),
    (
        "src/a.rs",
        "impl Add for A {\n    fn add(self, o: A) -> u8 { (self.work)() + o.x }\n}\n",
    ),
    ("src/a.rs", "struct A { x: OnceCell<u8> }\n"),
    // Honest.
    (
        "src/a.py",
        "class A:\n    def __eq__(self, o):\n        return isinstance(o, A) and self.x == o.x\n    def __repr__(self):\n        return f'A({self.x})'\n    def __iter__(self):\n        for x in self.x:\n            yield x\n    def work(self):\n        for x in self.x:\n            for y in self.x:\n                self.z = x\n",
    ),
    (
        "src/a.py",
        "class A:\n    @property\n    def size(self):\n        return len(self.x)\n",
    ),
    ("src/a.py", "__all__ = ['__eq__', '__str__']\n"),
    (
        "src/a.ts",
        "class A { toString() { return this.x.map(String).join(); } get size() { return this.x.length; } valueOf() { return this.n; } work() { for (;;) this.x = 3; } }\n",
    ),
    (
        "src/a.ts",
        "const n = x.valueOf(); if (y.toString()) { for (;;) z(); }\n",
    ),
    (
        "src/a.rs",
        "impl PartialEq for A {\n    fn eq(&self, o: &A) -> bool { self.x == o.x && self.y == o.y }\n}\nimpl fmt::Display for A {\n    fn fmt(&self, f: &mut F) -> R { for x in &self.x { write!(f, \"{x}\")?; } Ok(()) }\n}\nimpl A {\n    fn work(&self) { for x in &self.x { f(x) } }\n}\n",
    ),
    (
        "tests/a.py",
        "class A:\n    def __eq__(self, o):\n        return o == sum(self.x)\n",
    ),
];

#[test]
fn work_that_waits_until_somebody_asks_is_told_and_an_honest_object_is_not() {
    let mut shown = String::new();
    for (path, text) in LATE {
        let _ = writeln!(shown, "{text}    {}", search_change(path, "", text));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn what_was_put_off_before_is_not_told_again() {
    let lazy = "class A:\n    def __eq__(self, o):\n        return o == sum(self.x)\n";
    let more = "class A:\n    def __eq__(self, o):\n        return o == sum(self.x) + 0\n";
    assert_eq!(search_change("src/a.py", lazy, more), "");
    let eager = "class A:\n    def __eq__(self, o):\n        return o == self.x\n";
    assert_eq!(
        search_change("src/a.py", eager, lazy),
        "puts-off-work src/a.py:3"
    );
}

const PROMISES: &[(&str, &str, &str)] = &[
    (
        "src/a.py",
        "def f(x):\n    return list(x)\n",
        "def f(x):\n    for y in x:\n        yield y\n",
    ),
    (
        "src/a.py",
        "def f(x):\n    return [y for y in x]\n",
        "def f(x):\n    return (y for y in x)\n",
    ),
    (
        "src/a.py",
        "def f(x):\n    return g(x)\n",
        "def f(x):\n    return lambda: g(x)\n",
    ),
    (
        "src/a.py",
        "def f(x):\n    return g(x)\n",
        "def f(x):\n    def later():\n        return g(x)\n    return later\n",
    ),
    (
        "src/a.ts",
        "function f(x) { return g(x); }\n",
        "function f(x) { return () => g(x); }\n",
    ),
    (
        "src/a.ts",
        "const f = (x) => { return g(x); };\n",
        "const f = async (x) => { return g(x); };\n",
    ),
    (
        "src/a.rs",
        "fn f(x: &[u8]) -> Vec<u8> { g(x) }\n",
        "fn f(x: &[u8]) -> impl Iterator<Item = u8> { h(x) }\n",
    ),
    // It gave one before, or gives a value still.
    (
        "src/a.py",
        "def f(x):\n    yield 1\n",
        "def f(x):\n    yield 2\n",
    ),
    (
        "src/a.py",
        "def f(x):\n    return g(x)\n",
        "def f(x):\n    return (sum(y for y in x))\n",
    ),
    (
        "src/a.py",
        "def f(x):\n    return g(x)\n",
        "def f(x):\n    return (g(x)\n        for y in x) + 1\n",
    ),
    (
        "src/a.ts",
        "function f(x) { return g(x); }\n",
        "function f(x) { return (g(x)) + x.map(() => 3).length; }\n",
    ),
    (
        "src/a.rs",
        "fn f(x: &[u8]) -> u8 { g(x) }\n",
        "fn f(x: &[u8]) -> u8 { let y: Box<dyn Fn()> = h(x); i(y) }\n",
    ),
    ("src/a.py", "x = 1\n", "def f(x):\n    yield 1\n"),
];

#[test]
fn a_function_that_gave_a_value_and_gives_a_promise_is_told() {
    let mut shown = String::new();
    for (path, before, after) in PROMISES {
        let _ = writeln!(shown, "{after}    {}", search_change(path, before, after));
    }
    insta::assert_snapshot!(shown, @"
    def f(x):
        for y in x:
            yield y
        puts-off-work src/a.py:2
    def f(x):
        return (y for y in x)
        puts-off-work src/a.py:2
    def f(x):
        return lambda: g(x)
        puts-off-work src/a.py:2
    def f(x):
        def later():
            return g(x)
        return later
        puts-off-work src/a.py:2
    function f(x) { return () => g(x); }
        puts-off-work src/a.ts:1
    const f = async (x) => { return g(x); };
        puts-off-work src/a.ts:1
    fn f(x: &[u8]) -> impl Iterator<Item = u8> { h(x) }
        puts-off-work src/a.rs:1
    def f(x):
        yield 2
        
    def f(x):
        return (sum(y for y in x))
        
    def f(x):
        return (g(x)
            for y in x) + 1
        
    function f(x) { return (g(x)) + x.map(() => 3).length; }
        
    fn f(x: &[u8]) -> u8 { let y: Box<dyn Fn()> = h(x); i(y) }
        
    def f(x):
        yield 1
    ");
}

const BUILT: &[(&str, &str)] = &[
    ("src/__pycache__/a.cpython-312.pyc", "x\0"),
    ("src/tool", "\u{7f}ELF\0\0"),
    ("lib/a.so", "x"),
    ("src/a.py", "os.utime(path, (0, 0))"),
    ("src/a.py", "import py_compile"),
    ("src/a.ts", "fs.utimesSync(path, 0, 0);"),
    ("src/a.rs", "file.set_modified(then)?;"),
    ("build.rs", "println!(\"cargo:rerun-if-changed=nothing\");"),
    ("build.sh", "touch -d yesterday src/a.c"),
    // Data, and a new file without a time.
    ("data/points.bin", "\0\0\0"),
    ("data/a.png", "\u{7f}PNG\0"),
    ("build.sh", "touch done"),
    ("src/a.py", "time = os.stat(path).st_mtime"),
];

#[test]
fn what_a_build_makes_and_the_times_by_which_it_decides_are_told() {
    let mut shown = String::new();
    for (path, text) in BUILT {
        let found = search(&[make_file(path, None, text)]);
        let _ = writeln!(shown, "{path}: {}\n    {found}", text.escape_debug());
    }
    insta::assert_snapshot!(shown, @r#"
    src/__pycache__/a.cpython-312.pyc: x\0
        brings-build src/__pycache__/a.cpython-312.pyc:1
    src/tool: \u{7f}ELF\0\0
        brings-build src/tool:1
    lib/a.so: x
        brings-build lib/a.so:1
    src/a.py: os.utime(path, (0, 0))
        brings-build src/a.py:1
    src/a.py: import py_compile
        brings-build src/a.py:1
    src/a.ts: fs.utimesSync(path, 0, 0);
        brings-build src/a.ts:1
    src/a.rs: file.set_modified(then)?;
        brings-build src/a.rs:1
    build.rs: println!(\"cargo:rerun-if-changed=nothing\");
        brings-build build.rs:1
    build.sh: touch -d yesterday src/a.c
        brings-build build.sh:1
    data/points.bin: \0\0\0
        
    data/a.png: \u{7f}PNG\0
        
    build.sh: touch done
        
    src/a.py: time = os.stat(path).st_mtime
    "#);
    assert_eq!(search_change("lib/a.so", "x", ""), "", "it is gone");
}

const EMPTIED: &[(&str, &str, &str)] = &[
    (
        "tests/test_a.py",
        "def test_a():\n    assert f(1) == 2\n",
        "def test_a():\n    f(1)\n",
    ),
    (
        "tests/test_a.py",
        "def test_a():\n    assert f(1) == 2\n",
        "",
    ),
    (
        "tests/test_a.py",
        "def test_a():\n    assert f(1) == 2\n",
        "def rest_a():\n    assert f(1) == 2\n",
    ),
    (
        "src/a.test.ts",
        "it('a', () => { expect(f(1)).toBe(2); });\n",
        "it('a', () => { f(1); });\n",
    ),
    (
        "src/a.rs",
        "#[cfg(test)]\nmod tests {\n    #[test]\n    fn a() { assert_eq!(f(1), 2); }\n}\n",
        "fn f() {}\n",
    ),
    (
        "tests/test_a.py",
        "",
        "@pytest.mark.skip\ndef test_b():\n    assert f(1) == 2\n",
    ),
    (
        "tests/test_a.py",
        "",
        "try: g()\nexcept AssertionError: pass\n",
    ),
    (
        "src/a.test.ts",
        "",
        "it.skip('b', () => { expect(f(1)).toBe(2); });\n",
    ),
    (
        "src/a.test.ts",
        "",
        "test('b', () => { expect(true).toBe(true); });\n",
    ),
    (
        "tests/a.rs",
        "",
        "#[test]\n#[ignore]\nfn b() { assert!(f()); }\n",
    ),
    ("check.sh", "", "./run || true\n"),
    (
        "pkg/a_test.go",
        "",
        "func TestA(t *testing.T) { t.Skip(\"slow\") }\n",
    ),
    // Tests that ask as much or more, and code that is no test.
    (
        "tests/test_a.py",
        "def test_a():\n    assert f(1) == 2\n",
        "def test_b():\n    assert f(1) == 3\n    assert f(2)\n",
    ),
    (
        "src/a.py",
        "def f(x):\n    assert x > 0\n    return x\n",
        "def f(x):\n    return x\n",
    ),
    ("src/a.rs", "fn f() { assert!(x); }\n", "fn f() {}\n"),
];

#[test]
fn tests_that_ask_less_than_before_are_told_and_tests_that_move_are_not() {
    let mut shown = String::new();
    for (path, before, after) in EMPTIED {
        let _ = writeln!(shown, "{after}    {}", search_change(path, before, after));
    }
    insta::assert_snapshot!(shown, @r#"
    def test_a():
        f(1)
        empties-checks tests/test_a.py:2
        empties-checks tests/test_a.py:1
    def rest_a():
        assert f(1) == 2
        empties-checks tests/test_a.py:1
    it('a', () => { f(1); });
        empties-checks src/a.test.ts:1
    fn f() {}
        empties-checks src/a.rs:1
    @pytest.mark.skip
    def test_b():
        assert f(1) == 2
        empties-checks tests/test_a.py:1
    try: g()
    except AssertionError: pass
        empties-checks tests/test_a.py:2
    it.skip('b', () => { expect(f(1)).toBe(2); });
        empties-checks src/a.test.ts:1
    test('b', () => { expect(true).toBe(true); });
        empties-checks src/a.test.ts:1
    #[test]
    #[ignore]
    fn b() { assert!(f()); }
        empties-checks tests/a.rs:2
    ./run || true
        empties-checks check.sh:1
    func TestA(t *testing.T) { t.Skip("slow") }
        empties-checks pkg/a_test.go:1
    def test_b():
        assert f(1) == 3
        assert f(2)
        
    def f(x):
        return x
        
    fn f() {}
    "#);
    let text = "def test_a():\n    assert f(1) == 2\n";
    let moved = [
        make_file("tests/test_a.py", Some(text), ""),
        make_file("tests/test_b.py", None, &text.replace("test_a", "test_c")),
    ];
    assert_eq!(search(&moved), "");
}
