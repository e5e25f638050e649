//! Owns twelve small repositories with an honest config each, of twelve domains, for the tools of a plain machine.
//! Does not try them.
//! Invariant: the metric is made of the files in the scope alone, and verify leaves the tree as it was.

use crate::testbed::Testbed;

/// A repository with its config.
pub(crate) struct Domain {
    pub name: &'static str,
    /// The programs that verify needs, besides those of every system.
    tools: &'static [&'static str],
    scope: &'static str,
    direction: &'static str,
    /// `HOME` stands for the bench's home.
    verify: &'static str,
    files: &'static [(&'static str, &'static str)],
}

impl Domain {
    /// The first program that this machine lacks.
    pub(crate) fn find_missing_tool(&self) -> Option<&'static str> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let is_there =
            |tool: &str| std::env::split_paths(&path).any(|folder| folder.join(tool).exists());
        self.tools.iter().copied().find(|tool| !is_there(tool))
    }

    pub(crate) fn config(&self, bed: &Testbed) -> String {
        let verify = self.verify.replace("HOME", bed.home.to_str().unwrap());
        format!(
            "goal: Improve {name}\ntag: demo\nscope: [\"{}\"]\nmetric: {{name: {name}, direction: {}}}\nverify: {{command: {}, shell: bash, timeout: 2m}}\n",
            self.scope,
            self.direction,
            serde_json::to_string(&verify).unwrap(),
            name = self.name,
        )
    }
}

/// Writes the files of a domain into a repository, and commits them.
pub(crate) fn lay_out(bed: &Testbed, domain: &Domain) {
    for (name, text) in domain.files {
        bed.write(name, text);
    }
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "first"]);
}

pub(crate) const DOMAINS: [Domain; 12] = [
    Domain {
        name: "compiler_warnings",
        tools: &["cc"],
        scope: "src/**",
        direction: "lower",
        verify: "for file in src/*.c; do cc -fsyntax-only -Wall -Wextra $file 2>&1 || exit 1; done | { grep -c 'warning:' || [ $? -eq 1 ]; }",
        files: &[(
            "src/sum.c",
            "int sum(int a, int b) {\n    int unused;\n    return a;\n}\n",
        )],
    },
    Domain {
        name: "line_coverage",
        tools: &["python3"],
        scope: "tests/**",
        direction: "higher",
        verify: "PYTHONDONTWRITEBYTECODE=1 python3 cover.py",
        files: &[
            (
                "cover.py",
                r#"import ast, sys, unittest
seen = set()
def trace(frame, event, argument):
    if frame.f_code.co_filename.endswith("shop.py"):
        seen.add(frame.f_lineno)
        return trace
    return trace if event == "call" else None
sys.path[:0] = ["src", "tests"]
sys.settrace(trace)
suite = unittest.defaultTestLoader.discover("tests")
unittest.TextTestRunner(stream=sys.stderr).run(suite)
sys.settrace(None)
body = [n for n in ast.walk(ast.parse(open("src/shop.py").read())) if isinstance(n, ast.stmt)]
print(f"{100 * len({n.lineno for n in body} & seen) / len(body):.1f}%")
"#,
            ),
            (
                "src/shop.py",
                "def price(count):\n    if count > 10:\n        return count * 9\n    return count * 10\n\n\ndef label(name):\n    return name.title()\n",
            ),
            (
                "tests/test_shop.py",
                "import unittest\nimport shop\n\n\nclass Prices(unittest.TestCase):\n    def test_few(self):\n        self.assertEqual(shop.price(2), 20)\n",
            ),
        ],
    },
    Domain {
        name: "lint_problems",
        tools: &[],
        scope: "src/**",
        direction: "lower",
        verify: "awk 'length > 60 || /[ \\t]$/ || /TODO/ { bad++ } END { print bad + 0 \" problems\" }' src/*.js",
        files: &[(
            "src/app.js",
            "const a = 1; \n// TODO: a name that says something\nfunction f() { return a; }\n",
        )],
    },
    Domain {
        name: "bundle_bytes",
        tools: &["gzip"],
        scope: "web/**",
        direction: "lower",
        verify: "cat web/*.css web/*.js | gzip -9n | wc -c",
        files: &[
            (
                "web/app.css",
                "body { color: #112233; background-color: #ffffff; }\n",
            ),
            (
                "web/app.js",
                "export function add(first, second) { return first + second; }\n",
            ),
        ],
    },
    Domain {
        // The jitter of a clock, without a clock: it differs from run to run, and the work outweighs it.
        name: "bench_ms",
        tools: &["python3"],
        scope: "src/sort.py",
        direction: "lower",
        verify: "echo >> HOME/runs; PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=src python3 bench.py $(wc -l < HOME/runs)",
        files: &[
            (
                "bench.py",
                r#"import sys
from sort import sort
class Counted(int):
    steps = 0
    def __lt__(self, other):
        Counted.steps += 1
        return int(self) < int(other)
sort([Counted(n * 37 % 101) for n in range(60)])
jitter = [0, 3, 1, 4, 2][int(sys.argv[1]) % 5]
print(f"METRIC bench_ms={Counted.steps / 10 + jitter / 10} ms")
"#,
            ),
            (
                "src/sort.py",
                "def sort(items):\n    for end in range(len(items), 0, -1):\n        for at in range(1, end):\n            if items[at] < items[at - 1]:\n                items[at], items[at - 1] = items[at - 1], items[at]\n    return items\n",
            ),
        ],
    },
    Domain {
        name: "failing_tests",
        tools: &["python3"],
        scope: "src/**",
        direction: "lower",
        verify: "PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=src python3 checks/run.py",
        files: &[
            (
                "checks/run.py",
                r#"import unittest, words
class Words(unittest.TestCase):
    def test_upper(self):
        self.assertEqual(words.upper("a"), "A")
    def test_twice(self):
        self.assertEqual(words.twice("a"), "aa")
    def test_empty(self):
        self.assertEqual(words.twice(""), "")
result = unittest.TestResult()
unittest.defaultTestLoader.loadTestsFromTestCase(Words).run(result)
print(len(result.failures) + len(result.errors))
"#,
            ),
            (
                "src/words.py",
                "def upper(text):\n    return text\n\n\ndef twice(text):\n    return text + text\n",
            ),
        ],
    },
    Domain {
        name: "binary_bytes",
        tools: &["cc"],
        scope: "src/**",
        direction: "lower",
        verify: "out=$(mktemp) && cc -Os -o $out src/main.c && wc -c < $out && rm $out",
        files: &[(
            "src/main.c",
            "static const char table[9000] = {1};\nint main(int count, char **words) { (void)words; return table[count]; }\n",
        )],
    },
    Domain {
        name: "documented_share",
        tools: &["python3"],
        scope: "src/**",
        direction: "higher",
        verify: "python3 checks/documented.py src/api.py",
        files: &[
            (
                "checks/documented.py",
                "import ast, sys\nnodes = [n for n in ast.walk(ast.parse(open(sys.argv[1]).read())) if isinstance(n, ast.FunctionDef)]\ngood = [n for n in nodes if ast.get_docstring(n)]\nprint(f'{100 * len(good) / max(1, len(nodes)):.0f}%')\n",
            ),
            (
                "src/api.py",
                "def one():\n    \"\"\"The first.\"\"\"\n    return 1\n\n\ndef two():\n    return 2\n",
            ),
        ],
    },
    Domain {
        name: "validation_loss",
        tools: &["python3"],
        scope: "model/**",
        direction: "lower",
        verify: "PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=model python3 harness.py",
        files: &[
            (
                "harness.py",
                r#"import json, random
from train import fit
random.seed(7)
points = [(x / 20, 3 * x / 20 + 1 + random.gauss(0, 0.1)) for x in range(40)]
predict = fit(points[::2], steps=60)
loss = sum((predict(x) - y) ** 2 for x, y in points[1::2]) / 20
print(json.dumps({"primary": round(loss, 6), "points": len(points)}))
"#,
            ),
            (
                "model/train.py",
                "def fit(points, steps):\n    slope, base = 0.0, 0.0\n    for _ in range(steps):\n        for x, y in points:\n            error = slope * x + base - y\n            slope -= 0.01 * error * x\n            base -= 0.01 * error\n    return lambda x: slope * x + base\n",
            ),
        ],
    },
    Domain {
        name: "sql_queries",
        tools: &["python3"],
        scope: "app/**",
        direction: "lower",
        verify: "PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=app python3 count_queries.py",
        files: &[
            (
                "count_queries.py",
                r#"import sqlite3
from report import totals
db = sqlite3.connect(":memory:")
db.execute("create table orders (customer, amount)")
db.executemany("insert into orders values (?, ?)", [(n % 5, n) for n in range(50)])
count = []
db.set_trace_callback(count.append)
assert totals(db)[0] == 225
print(len(count))
"#,
            ),
            (
                "app/report.py",
                "def totals(db):\n    found = {}\n    for (customer,) in db.execute('select distinct customer from orders').fetchall():\n        query = 'select sum(amount) from orders where customer = ?'\n        found[customer] = db.execute(query, (customer,)).fetchone()[0]\n    return found\n",
            ),
        ],
    },
    Domain {
        name: "commands_run",
        tools: &[],
        scope: "bin/report.sh",
        direction: "lower",
        verify: "sh -x bin/report.sh data.txt 2>&1 >/dev/null | grep -c '^+'",
        files: &[
            ("data.txt", "3\n4\n5\n"),
            (
                "bin/report.sh",
                "sum=0\nwhile read -r line; do\n    sum=$(expr $sum + $line)\ndone < \"$1\"\necho $sum\n",
            ),
        ],
    },
    Domain {
        name: "words_per_sentence",
        tools: &[],
        scope: "docs/**",
        direction: "lower",
        verify: "cat docs/*.md | tr '\\n' ' ' | awk 'BEGIN { RS = \"[.]\" } NF { words += NF; count++ } END { printf \"%.2f\\n\", words / count }'",
        files: &[(
            "docs/guide.md",
            "A run begins with a sentence that says what is to become better and by which number this is seen. It ends at its target.\n",
        )],
    },
];
