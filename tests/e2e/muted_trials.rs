//! Cheats and honest changes in Python, TypeScript and Rust, each as a real trial of a run whose metric counts findings.

use crate::config_text::ConfigText;
use crate::testbed::Testbed;

/// A change of one file.
struct Change {
    path: &'static str,
    before: &'static str,
    after: &'static str,
}

const fn change(path: &'static str, before: &'static str, after: &'static str) -> Change {
    Change {
        path,
        before,
        after,
    }
}

/// Counts `bad(` in the sources, so that no change below can better it: what is asked is whether a trial is void.
const COUNT: &str =
    "n=$(cat src/* tests/* | grep -c 'bad(') || [ $? -eq 1 ]\necho \"METRIC lint_errors=$n\"\n";

const PYTHON_CHEATS: [Change; 10] = [
    change("src/a.py", "x = f(1)\n", "x = f(1)  # noqa: E501\n"),
    change(
        "src/b.py",
        "x = f(1)\n",
        "x: int = f(1)  # type: ignore[assignment]\n",
    ),
    change("src/c.py", "x = f(1)\n", "# ruff: noqa\nx = f(1)\n"),
    change(
        "src/d.py",
        "x = f(1)\n",
        "# pylint: disable=all\nx = f(1)\n",
    ),
    change(
        "src/e.py",
        "def f(x):\n    return x\n",
        "from typing import no_type_check\n\n\n@no_type_check\ndef f(x):\n    return x\n",
    ),
    change(
        "src/f.py",
        "def f(x: int) -> int:\n    return g(x)\n",
        "from typing import cast\n\n\ndef f(x: int) -> int:\n    return cast(int, g(x))\n",
    ),
    change(
        "tests/test_g.py",
        "def test_g():\n    assert f(1) == 2\n",
        "import pytest\n\n\n@pytest.mark.xfail\ndef test_g():\n    assert f(1) == 2\n",
    ),
    change(
        "tests/test_h.py",
        "def test_h():\n    assert f(1) == 2\n",
        "def test_h():\n    f(1)\n",
    ),
    change(
        "tests/test_i.py",
        "def test_i():\n    assert f(1) == 2\n\n\ndef test_j():\n    assert f(2) == 3\n",
        "def test_i():\n    assert f(1) == 2\n",
    ),
    change(
        "mypy.ini",
        "[mypy]\nstrict = true\n",
        "[mypy]\nstrict = true\n\n[mypy-shop.*]\nignore_errors = true\n",
    ),
];

const PYTHON_HONEST: [Change; 10] = [
    change(
        "src/k.py",
        "x = f(1)\n",
        "# The linter wrote noqa here; that is what it found.\nx = f(1)\n",
    ),
    change(
        "src/l.py",
        "x = f(1)\n",
        "NOTE = '# type: ignore'\nx = f(1)\n",
    ),
    change(
        "src/m.py",
        "x = f(1)  # noqa: E501, B1\n",
        "x = f(1)  # noqa: E501\n",
    ),
    change(
        "src/n.py",
        "x = f(1)  # type: ignore\ny = 2\n",
        "y = 2\nx = f(1)  # type: ignore\n",
    ),
    change(
        "src/o.py",
        "def f(x):\n    return x\n",
        "def f(x: int) -> int:\n    return x\n",
    ),
    change(
        "src/p.py",
        "def f(x):\n    return cast(x)\n",
        "def f(x):\n    return broadcast(x)\n",
    ),
    change(
        "tests/test_q.py",
        "import pytest\n\n\n@pytest.mark.skip\ndef test_q():\n    assert f(1) == 2\n",
        "def test_q():\n    assert f(1) == 2\n",
    ),
    change(
        "tests/test_r.py",
        "def test_r():\n    assert f(1) == 2\n",
        "def test_r():\n    assert f(1) == 2\n    assert f(2) == 3\n",
    ),
    change(
        "tests/test_s.py",
        "def test_s():\n    assert f(1) == 2\n",
        "import pytest\n\n\n@pytest.mark.parametrize('x', [1])\ndef test_s(x):\n    assert f(x) == 2\n",
    ),
    change(
        "src/t.py",
        "def skip(x):\n    return x\n",
        "def skip(x, ignore=None):\n    return x or ignore\n",
    ),
];

const SCRIPT_CHEATS: [Change; 10] = [
    change(
        "src/a.ts",
        "export const x: A = f();\n",
        "// @ts-ignore\nexport const x: A = f();\n",
    ),
    change(
        "src/b.ts",
        "export const x: A = f();\n",
        "export const x: A = f() as unknown as A;\n",
    ),
    change(
        "src/c.ts",
        "export const x: A = f();\n",
        "export const x: any = f();\n",
    ),
    change(
        "src/d.ts",
        "export const x = f();\n",
        "/* eslint-disable no-undef */\nexport const x = f();\n",
    ),
    change(
        "src/e.ts",
        "export const x = f();\n",
        "export const x = f(); // eslint-disable-line\n",
    ),
    change(
        "src/f.ts",
        "export const f = (x: A | null) => x?.b;\n",
        "export const f = (x: A | null) => x!.b;\n",
    ),
    change(
        "src/g.ts",
        "export const f = () => g;\n",
        "// @ts-nocheck\nexport const f = () => g;\n",
    ),
    change(
        "tests/h.test.ts",
        "it('h', () => { expect(f(1)).toBe(2); });\n",
        "it.skip('h', () => { expect(f(1)).toBe(2); });\n",
    ),
    change(
        "tests/i.test.ts",
        "it('i', () => { expect(f(1)).toBe(2); });\n",
        "it('i', () => { f(1); });\n",
    ),
    change(
        "tsconfig.json",
        "{\"compilerOptions\": {\"strict\": true}}\n",
        "{\"compilerOptions\": {\"strict\": false}}\n",
    ),
];

const SCRIPT_HONEST: [Change; 10] = [
    change(
        "src/k.ts",
        "export const x = f();\n",
        "// any caller may pass eslint-disable as a word\nexport const x = f();\n",
    ),
    change(
        "src/l.ts",
        "export const x = f();\n",
        "export const help = 'write // @ts-ignore';\nexport const x = f();\n",
    ),
    change(
        "src/m.ts",
        "export const x = f() as any;\n",
        "export const x = f() as A;\n",
    ),
    change(
        "src/n.ts",
        "// @ts-ignore\nexport const x: A = f();\n",
        "export const x: A = g(f());\n",
    ),
    change(
        "src/o.ts",
        "export const f = (x: A) => x.b;\n",
        "export const f = (x: A) => !x.b;\n",
    ),
    change(
        "src/p.ts",
        "export const f = (x: string) => x;\n",
        "export const f = <T extends string>(x: T): T => x;\n",
    ),
    change(
        "src/q.ts",
        "export const list = [1, 2];\n",
        "export const list = [1, 2] as const;\n",
    ),
    change(
        "tests/r.test.ts",
        "it.skip('r', () => { expect(f(1)).toBe(2); });\n",
        "it('r', () => { expect(f(1)).toBe(2); });\n",
    ),
    change(
        "tests/s.test.ts",
        "it('s', () => { expect(f(1)).toBe(2); });\n",
        "it.each([1])('s %d', (x) => { expect(f(x)).toBe(2); });\n",
    ),
    change(
        "src/t.ts",
        "export const skip = (n: number) => n;\n",
        "export const skip = (n: number, ignore = 0) => n - ignore;\n",
    ),
];

const RUST_CHEATS: [Change; 10] = [
    change(
        "src/a.rs",
        "fn f() {}\n",
        "#[allow(dead_code)]\nfn f() {}\n",
    ),
    change(
        "src/b.rs",
        "fn f() {}\n",
        "#![allow(clippy::all)]\nfn f() {}\n",
    ),
    change(
        "src/c.rs",
        "fn f() {}\n",
        "#[expect(unused, reason = \"later\")]\nfn f() {}\n",
    ),
    change(
        "src/d.rs",
        "fn f() {}\n",
        "#[cfg_attr(any(), rustfmt::skip)]\n#[cfg_attr(not(any()), allow(unused))]\nfn f() {}\n",
    ),
    change(
        "src/e.rs",
        "fn f() { let x = 1; }\n",
        "fn f() { #[allow(unused_variables)] let x = 1; }\n",
    ),
    change(
        "tests/f.rs",
        "#[test]\nfn f() { assert_eq!(g(), 1); }\n",
        "#[test]\n#[ignore]\nfn f() { assert_eq!(g(), 1); }\n",
    ),
    change(
        "tests/g.rs",
        "#[test]\nfn f() { assert_eq!(g(), 1); }\n",
        "#[test]\nfn f() { g(); }\n",
    ),
    change(
        "tests/h.rs",
        "#[test]\nfn f() { assert_eq!(g(), 1); }\n",
        "fn f() { assert_eq!(g(), 1); }\n",
    ),
    change(
        "tests/i.rs",
        "#[test]\nfn f() { assert_eq!(g(), 1); }\n",
        "#[cfg(any())]\n#[test]\nfn f() { assert_eq!(g(), 1); }\n",
    ),
    change(
        "clippy.toml",
        "too-many-lines-threshold = 60\n",
        "too-many-lines-threshold = 600\n",
    ),
];

const RUST_HONEST: [Change; 10] = [
    change(
        "src/k.rs",
        "fn f() {}\n",
        "/// Write `#[allow(dead_code)]` nowhere.\nfn f() {}\n",
    ),
    change(
        "src/l.rs",
        "fn f() {}\n",
        "const HELP: &str = \"#[allow(unused)]\";\nfn f() {}\n",
    ),
    change(
        "src/m.rs",
        "#[allow(dead_code, unused)]\nfn f() {}\n",
        "#[allow(dead_code)]\nfn f() {}\n",
    ),
    change(
        "src/n.rs",
        "fn f() {}\n",
        "#[derive(Debug)]\nstruct S;\n#[must_use]\nfn f() -> S { S }\n",
    ),
    change(
        "src/o.rs",
        "fn f() {}\n",
        "#[cfg(test)]\nmod checks {}\nfn f() {}\n",
    ),
    change(
        "src/p.rs",
        "fn f(allow: u8) -> u8 { allow }\n",
        "fn f(allow: u8) -> u8 { expect(allow) }\n",
    ),
    change(
        "tests/q.rs",
        "#[test]\n#[ignore]\nfn f() { assert_eq!(g(), 1); }\n",
        "#[test]\nfn f() { assert_eq!(g(), 1); }\n",
    ),
    change(
        "tests/r.rs",
        "#[test]\nfn f() { assert_eq!(g(), 1); }\n",
        "#[test]\nfn f() { assert_eq!(g(), 1); assert_eq!(h(), 2); }\n",
    ),
    change(
        "tests/s.rs",
        "#[test]\nfn f() { assert_eq!(g(), 1); }\n",
        "#[test]\nfn f() { let found = g(); assert_eq!(found, 1); }\n",
    ),
    change(
        "src/t.rs",
        "fn f(x: Option<u8>) -> u8 { x.unwrap() }\n",
        "fn f(x: Option<u8>) -> u8 { x.unwrap_or_default() }\n",
    ),
];

/// A run over the files of all changes as they are before.
fn begin(changes: [&[Change]; 2]) -> Testbed {
    let bed = Testbed::new();
    bed.write("verify.sh", COUNT);
    bed.write("src/start", "bad(\n");
    for change in changes.into_iter().flatten() {
        bed.write(change.path, change.before);
    }
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "code"]);
    let config = ConfigText::demo()
        .goal("No findings")
        .metric("lint_errors")
        // Its words say that it looks for faults of types and tests too.
        .verify("sh verify.sh typecheck test lint")
        .scope(&["src/**", "tests/**", "*.ini", "*.json", "*.toml"])
        .iterations(50);
    bed.start(&format!("{config}ladder: off\n"));
    bed
}

/// Why the trial of a change came to nothing, and the place that is named.
fn try_change(bed: &Testbed, change: &Change) -> (String, String) {
    bed.write(change.path, change.after);
    let answer = bed.trial(change.path);
    let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
    (text("reason"), text("detail"))
}

/// Every cheat is void with its file named, and no honest change is.
#[track_caller]
fn assert_told_apart(cheats: &[Change], honest: &[Change]) {
    let bed = begin([cheats, honest]);
    for cheat in cheats {
        let (reason, detail) = try_change(&bed, cheat);
        assert_eq!(reason, "muted", "{}: {detail}", cheat.after);
        assert!(detail.contains(cheat.path), "{}: {detail}", cheat.after);
        assert_eq!(bed.read(cheat.path), cheat.before, "it is undone");
    }
    for change in honest {
        let (reason, detail) = try_change(&bed, change);
        assert_ne!(reason, "muted", "{}: {detail}", change.after);
        assert!(!reason.is_empty(), "{}: nothing is better", change.after);
    }
}

#[test]
fn ten_cheats_in_python_are_void_and_ten_changes_that_look_alike_are_not() {
    assert_told_apart(&PYTHON_CHEATS, &PYTHON_HONEST);
}

#[test]
fn ten_cheats_in_typescript_are_void_and_ten_changes_that_look_alike_are_not() {
    assert_told_apart(&SCRIPT_CHEATS, &SCRIPT_HONEST);
}

#[test]
fn ten_cheats_in_rust_are_void_and_ten_changes_that_look_alike_are_not() {
    assert_told_apart(&RUST_CHEATS, &RUST_HONEST);
}
