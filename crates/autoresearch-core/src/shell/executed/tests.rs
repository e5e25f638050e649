//! Owns the cases of what a command executes, and of what it only measures.
//! Does not test what each shell makes of a text; `shell` does.
//! Invariant: each way to start a script is written with the same script, `x.py`.

use super::*;

/// Ways to execute `x.py`.
const STARTS: &[&str] = &[
    "x.py a",
    "python x.py",
    "python3.12 -W ignore -X dev x.py a b",
    ".venv/bin/python x.py",
    "env A=1 python x.py",
    "env -u B -i python3 x.py",
    "A=1 B=2 timeout -k 5 10s python x.py",
    "time -p python x.py",
    "nice -n 5 python x.py",
    "uv run x.py",
    "uv run --with numpy python x.py",
    "poetry run python x.py",
    "conda run -n e python x.py",
    "npx tsx x.py",
    "deno run -A x.py",
    "node --max-old-space-size 100 x.py",
    "node -r ./setup.js x.py",
    "node --require x.py other.js",
    "ruby -I lib x.py",
    "perl -w x.py",
    "Rscript --vanilla x.py",
    "sh -eu x.py",
    "bash -o pipefail x.py",
    "sh -c 'python x.py'",
    "bash -lc \"cd a && python x.py | tail -1\"",
    "echo $(python x.py)",
    "cd a; if python x.py; then b; fi",
    "! python x.py",
    "(python x.py)",
    "source x.py",
    ". x.py",
    "bash --rcfile x.py -i",
    "sh < x.py",
    "cat x.py | sh",
    "cat x.py | python3 -",
    "python -m coverage run x.py",
    "coverage run --source src x.py",
    "python -m cProfile -s time x.py",
    "python -m pytest x.py",
    "pytest -q x.py::test_a",
    "hyperfine 'python x.py'",
    "find . -exec python x.py {} +",
    "$PYTHON x.py",
    "${PYTHON:-python3} x.py",
    "torchrun --nproc_per_node 2 x.py",
    "perf stat -e cycles python x.py",
    "unknown=1 nohup python x.py &",
    "exec python x.py",
    "xargs -n 1 python x.py",
    "make -f x.py all",
    "awk -f x.py data",
    "eslint --config x.py src",
    "eslint --config=x.py src",
    "vitest run -c x.py",
    "pylint --rcfile x.py src",
    "trap 'python x.py' EXIT; a",
    "a || python x.py",
    "bun test x.py",
    "npx -p typescript tsx x.py",
    "npm exec -- tsx x.py",
    "case a in b) python x.py;; esac",
    "sudo -u me python x.py",
    "strace -f -Z what python x.py",
    "python x.py | tail -1 | cut -c1-3",
    "S=x.py; python $S",
    "S=x; D=.; export E=py; python ${S}.$E",
    "for s in a.py x.py; do python \"$s\"; done",
    "RUN='python x.py'; $RUN",
    "python \"$PWD/x.py\"",
    "sh ${ROOT:-.}/x.py",
    "sh $(git rev-parse --show-toplevel)/x.py",
];

#[track_caller]
fn runs(command: &str, file: &str) {
    let found = list_executed_words(command);
    assert!(
        found
            .iter()
            .any(|word| word == file || word.strip_prefix("./") == Some(file)),
        "{command}: {found:?}"
    );
}

#[track_caller]
fn spares(command: &str, file: &str) {
    let found = list_executed_words(command);
    assert!(
        !found.iter().any(|word| word == file),
        "{command}: {found:?}"
    );
}

#[test]
fn a_program_or_script_is_executed_however_it_is_started() {
    for command in STARTS {
        runs(command, "x.py");
    }
    runs("./x.py a", "./x.py");
    runs("python -m bench.run --n 5", "bench/run.py");
    runs("python -m bench", "bench/__main__.py");
    runs("tsc -p tsconfig.build.json", "tsconfig.build.json");
    runs("tsc -p packages/a", "packages/a/tsconfig.json");
    runs("go run ./main.go", "./main.go");
    runs("cargo build --manifest-path a/Cargo.toml", "a/Cargo.toml");
}

#[test]
fn a_search_names_the_places_in_the_order_of_the_program() {
    let show = |command: &str| -> Vec<String> {
        let searches = list_searches(command);
        searches.iter().map(|it| it.places.join(" ")).collect()
    };
    // `sh` is found on the `PATH`, and is looked for nowhere else.
    assert_eq!(show("sh run.sh; ./x; grep a b"), ["run.sh", "./x"]);
    assert_eq!(show("[ -f local.env ] && . ./local.env"), ["./local.env"]);
    assert_eq!(show("make -s check"), ["GNUmakefile makefile Makefile"]);
    assert_eq!(show("make -f other.mk"), ["other.mk"]);
    assert!(show("node checks/m").contains(
        &"checks/m checks/m.js checks/m.json checks/m.node checks/m/package.json checks/m/index.js checks/m/index.json checks/m/index.node".to_owned()
    ));
    assert!(
        show("sh $DIR/x.sh")
            .iter()
            .all(|place| !place.contains('$'))
    );
    assert!(show("python -m pytest tests/a").contains(&"tests/a/conftest.py".to_owned()));
    assert!(show("sh checks/*.sh").contains(&"checks/*.sh".to_owned()));
}

#[test]
fn a_file_that_is_given_to_a_tool_is_not_executed() {
    for (command, file) in [
        ("gcc -c cJSON.c -o /tmp/x.o && size /tmp/x.o", "cJSON.c"),
        ("cc -O2 -c cJSON.c", "cJSON.c"),
        ("aarch64-linux-gnu-gcc -c cJSON.c", "cJSON.c"),
        (
            "esbuild src/index.ts --bundle --minify | gzip | wc -c",
            "src/index.ts",
        ),
        ("npx esbuild src/index.ts --bundle", "src/index.ts"),
        (
            "npx --no-install terser src/index.js -c -m | wc -c",
            "src/index.js",
        ),
        ("wc -c dist/app.css", "dist/app.css"),
        ("wc -c < dist/app.css", "dist/app.css"),
        ("gzip -c dist/app.css | wc -c", "dist/app.css"),
        ("grep -c any src/a.ts", "src/a.ts"),
        ("grep -c python src/a.ts", "src/a.ts"),
        ("python bench.py src/a.py", "src/a.py"),
        ("node scripts/count.js src/a.ts", "src/a.ts"),
        ("sh count.sh src/a", "src/a"),
        ("timeout 5 ./measure src/a", "src/a"),
        ("env LC_ALL=C sort src/a", "src/a"),
        (
            "python -c 'print(len(open(\"src/a\").read()))' src/a",
            "src/a",
        ),
        ("node -e 'console.log(1)' src/a.ts", "src/a.ts"),
        ("cat src/a | grep -c any || true", "src/a"),
        ("cat src/a | python bench.py", "src/a"),
        ("awk '{n++} END {print n}' src/a", "src/a"),
        ("sed -n 1p src/a", "src/a"),
        ("eslint src/a.ts -f json", "src/a.ts"),
        ("cp -p src/a.json /tmp", "src/a.json"),
        ("rm -f src/a && build", "src/a"),
        ("rustc -O src/main.rs", "src/main.rs"),
        ("xargs -a src/a wc -l", "src/a"),
        ("tokei src/a.rs", "src/a.rs"),
        (
            "sass src/app.scss > /tmp/o.css; wc -c < /tmp/o.css",
            "src/app.scss",
        ),
    ] {
        spares(command, file);
    }
}

#[test]
fn programs_are_named_without_folder_and_version() {
    assert_eq!(
        list_programs("A=1 .venv/bin/python3.12 x.py; gcc-13 -c a.c"),
        ["python", "x.py", "gcc"]
    );
    assert_eq!(
        list_written_words("a > out.txt 2> err; b < in"),
        ["out.txt", "err"]
    );
}

#[test]
fn all_that_a_command_executes_is_named_in_order_and_once() {
    for (command, words) in [
        ("", ""),
        ("A=1", ""),
        ("python x.py; python x.py", "python x.py"),
        (
            "python -m pytest t/a.py::b",
            "python pytest.py pytest/__main__.py t/a.py",
        ),
        (
            "python -m cProfile -s time x.py",
            "python cProfile.py cProfile/__main__.py x.py",
        ),
        ("cat a.py | sort | sh", "cat sort sh a.py"),
        ("sh -s < x.sh", "sh x.sh"),
        ("bash -c 'a $(b)' x", "bash a b"),
        ("busybox sh x.sh", "busybox sh x.sh"),
        ("node --test a.js b.js", "node a.js b.js"),
        ("node a.js b.js", "node a.js"),
        ("node -e 'x' a.js", "node"),
        (
            "timeout 5 nice -n 3 python x.py",
            "timeout nice python x.py",
        ),
        ("uv sync", "uv"),
        ("npm run bench", "npm"),
        ("find . -name '*.py' -exec wc -l {} +", "find wc"),
        ("make -C a -f b.mk all", "make b.mk"),
        ("S=x.py; python $S", "python $S x.py"),
        (
            "for s in a.py b.py; do python $s; done",
            "for python $s a.py b.py",
        ),
        ("$PYTHON x.py", "$PYTHON x.py"),
        ("jest --config=j.json a.js", "jest j.json a.js"),
    ] {
        assert_eq!(list_executed_words(command).join(" "), words, "{command}");
    }
}

use proptest::prelude::*;

proptest! {
    #[test]
    fn a_script_is_found_behind_any_wrappers(
        wrappers in prop::collection::vec(prop::sample::select(vec![
            "env A=b", "timeout 5", "timeout -k 1 2m", "nice -n 3", "time", "nohup", "uv run", "poetry run", "stdbuf -o L", "exec",
            "npx", "command", "bundle exec",
        ]), 0..3),
        interpreter in prop::sample::select(vec![
            "sh", "bash -eu", "python3", "python -u", "node", "ruby -W0", "perl", "deno run -A", "tsx", "Rscript", "php",
        ]),
        before in prop::sample::select(vec!["", "set -e; ", "cd a && ", "true | ", "if "]),
        name in "[a-z]{1,8}\\.[a-z]{1,3}",
        data in "d[a-z]{1,8}\\.[a-z]{1,3}",
    ) {
        let command = format!("{before}{} {interpreter} {name} {data} | tail -n 1", wrappers.join(" "));
        let found = list_executed_words(&command);
        prop_assert!(found.contains(&name), "{command}: {found:?}");
        prop_assert!(name == data || !found.contains(&data), "{command}: {found:?}");
        let quoted = format!("sh -c '{command}'");
        prop_assert!(list_executed_words(&quoted).contains(&name), "{quoted}");
    }

    #[test]
    fn any_command_is_read_without_a_panic(command in "(?s)[ -~\\n]{0,100}", wild in "(?s).{0,60}") {
        let _ = (list_executed_words(&command), list_written_words(&wild), list_programs(&wild));
    }
}
