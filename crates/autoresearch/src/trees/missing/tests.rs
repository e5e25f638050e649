//! What failed commands name of a checkout that has a virtual environment, `node_modules` and a build.

use autoresearch_core::config::Config;
use autoresearch_core::config::check_config;
use serde_json::json;

use super::*;
use crate::trees::scratch::TreeBed;

/// A repository with ignored and untracked files, and an empty folder for a tree.
fn make_bed() -> TreeBed {
    let bed = TreeBed::new();
    bed.write(
        ".gitignore",
        ".venv/\nnode_modules/\nbuild/\n.env\nsrc/pkg/_version.py\n",
    );
    let site = ".venv/lib/python3.12/site-packages";
    for name in [
        ".venv/pyvenv.cfg",
        ".venv/bin/python",
        ".venv/bin/pytest",
        &format!("{site}/numpy/__init__.py"),
        &format!("{site}/six.py"),
        "node_modules/.bin/tsc",
        "node_modules/left-pad/index.js",
        "node_modules/@of/one/index.js",
        "build/build.ninja",
        ".env",
        "src/pkg/__init__.py",
        "src/pkg/_version.py",
        "tools/measure.sh",
    ] {
        let path = bed.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    fs::create_dir_all(bed.base().join("tree")).unwrap();
    bed
}

fn make_config(verify: &str, folder: &str) -> Config {
    let document = json!({
        "goal": "less", "scope": ["src/**"], "metric": {"name": "n", "direction": "lower"},
        "verify": {"command": verify, "working_directory": folder},
    });
    check_config(&document).config.unwrap()
}

fn explain(bed: &TreeBed, config: &Config, output: &str) -> Option<String> {
    let tree = bed.base().join("tree");
    let output = output.replace('%', tree.to_str().unwrap());
    explain_missing(&FailedCommand {
        checkout: &bed.git,
        tree: &tree,
        commands: vec![&config.verify],
        output: &output,
        view: None,
    })
}

/// A command, what it printed when it failed, and what that names.
const FAILURES: [(&str, &str, &str); 16] = [
    (
        ".venv/bin/python bench.py",
        "sh: 1: .venv/bin/python: not found",
        "`.venv/`",
    ),
    ("pytest -q", "sh: 1: pytest: not found", "`.venv/`"),
    (
        "python bench.py",
        "ModuleNotFoundError: No module named 'numpy.linalg'",
        "`.venv/`",
    ),
    (
        "python b.py",
        "ImportError: No module named six",
        "`.venv/`",
    ),
    (
        "ninja -C build",
        "ninja: error: chdir to 'build' - No such file or directory",
        "`build/`",
    ),
    (
        "cd build && ./bench",
        "sh: 1: cd: can't cd to build",
        "`build/`",
    ),
    (
        "make -s measure",
        "sh: 1: build/bench: not found",
        "`build/`",
    ),
    (
        "run",
        "%/build/bench: No such file or directory",
        "`build/`",
    ),
    (
        "node bench.js",
        "Error: Cannot find module 'left-pad'",
        "`node_modules/`",
    ),
    (
        "node bench.mjs",
        "Error [ERR_MODULE_NOT_FOUND]: Cannot find package '@of/one' imported from %/b.mjs",
        "`node_modules/`",
    ),
    ("tsc --noEmit", "sh: 1: tsc: not found", "`node_modules/`"),
    (
        "npm test",
        "a.ts(1,1): error TS2307: Cannot find module 'left-pad' or its types",
        "`node_modules/`",
    ),
    (
        "sh m.sh",
        "m.sh: 1: .: cannot open ./.env: No such file",
        "`.env`",
    ),
    (
        "python b.py",
        "ModuleNotFoundError: No module named 'pkg._version'",
        "`src/pkg/_version.py`",
    ),
    ("./build/bench", "", "`build/`"),
    ("cmake --build build", "Error: it failed", "`build/`"),
];

#[test]
fn what_a_failure_names_is_told_by_its_name_in_the_checkout() {
    let bed = make_bed();
    for (verify, output, named) in FAILURES {
        let config = make_config(verify, ".");
        let wanted =
            format!("{named} is ignored and not in the run's tree: add prepare, link or copy");
        assert_eq!(
            explain(&bed, &config, output),
            Some(wanted),
            "{verify}: {output}"
        );
    }
}

#[test]
fn a_script_that_was_never_committed_is_told_as_such() {
    let bed = make_bed();
    let config = make_config("sh tools/measure.sh", ".");
    insta::assert_snapshot!(
        explain(&bed, &config, "sh: 0: cannot open tools/measure.sh: No such file").unwrap(),
        @"`tools/measure.sh` is not committed and not in the run's tree: commit it, or ignore it and add link or copy"
    );
    let config = make_config("sh measure.sh", "tools");
    assert!(explain(&bed, &config, "measure.sh: not found").is_some());
}

#[test]
fn a_failure_of_another_kind_names_nothing() {
    let bed = make_bed();
    for (verify, output) in [
        ("cargo build", "error: could not compile `demo`"),
        ("make", "ninja: build stopped: subcommand failed."),
        ("cargo build", "sh: 1: cargo: not found"),
        ("node b.js", "Error: Cannot find module 'elsewhere'"),
        ("python b.py", "AssertionError: build"),
        ("cat /build/x", "cat: /build/x: No such file or directory"),
    ] {
        let config = make_config(verify, ".");
        assert_eq!(explain(&bed, &config, output), None, "{verify}: {output}");
    }
}

#[test]
fn what_the_tree_has_is_not_missing() {
    let bed = make_bed();
    fs::create_dir_all(bed.base().join("tree/build")).unwrap();
    let config = make_config("ninja -C build", ".");
    let output = "ninja: error: chdir to 'build' - No such file or directory";
    assert_eq!(explain(&bed, &config, output), None);
    let tree = bed.base().join("tree");
    let names = list_ignored_names(&FailedCommand {
        checkout: &bed.git,
        tree: &tree,
        commands: vec![&config.verify],
        output,
        view: None,
    });
    assert_eq!(
        names,
        [".env", ".venv/", "node_modules/", "src/pkg/_version.py"]
    );
}
