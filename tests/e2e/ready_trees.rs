//! Trees of a run that are ready to measure: what `link`, `copy` and `prepare` bring, and what is refused.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use crate::shown::assert_answer;
use crate::testbed::{Answer, Testbed, finish, note_skipped};

/// A repository of some kind, whose metric is what its verify prints.
pub(crate) struct Project {
    pub(crate) bed: Testbed,
    pub(crate) verify: String,
    pub(crate) scope: &'static str,
}

impl Project {
    /// A repository with these files committed, and with these ones ignored.
    pub(crate) fn new(verify: &str, tracked: &[(&str, &str)], ignored: &[(&str, &str)]) -> Self {
        let bed = Testbed::bare();
        for (name, text) in tracked {
            bed.write(name, text);
        }
        bed.git(&["add", "-A"]);
        bed.git(&["commit", "-qm", "first"]);
        for (name, text) in ignored {
            bed.write(name, text);
        }
        Self {
            bed,
            verify: verify.to_owned(),
            scope: "src/**",
        }
    }

    /// Tries to start a run in a tree of its own, with these lines in its config, and with links and copies.
    fn start(&self, setup: &str) -> Answer {
        self.start_in_view(&format!("{setup}view: off\n"))
    }

    /// The same in a view, where the system allows one.
    pub(crate) fn start_in_view(&self, setup: &str) -> Answer {
        let verify = serde_json::to_string(&self.verify).unwrap();
        let text = format!(
            "goal: less\ntag: demo\nscope: [\"{}\"]\nmetric: {{name: m, direction: lower}}\n\
             verify: {{command: {verify}}}\nguard: {{command: \"true\"}}\nisolation: worktree\n{setup}",
            self.scope
        );
        self.bed.try_start(&text)
    }

    pub(crate) fn tree(&self) -> PathBuf {
        let status = self.bed.run(&["status", "--json"]).ok().json();
        let run = status["run"].as_str().unwrap();
        self.bed.own_tree_of(run)
    }

    /// Edits a file in the run's tree; the value that the trial measured.
    pub(crate) fn try_text(&self, name: &str, text: &str) -> serde_json::Value {
        let tree = self.tree();
        std::fs::write(tree.join(name), text).unwrap();
        let mut command = self.bed.command(&["trial", "-m", "an edit", "--json"]);
        command.current_dir(tree);
        let report = finish(command).ok().json();
        assert_eq!(report["verdict"], "keep", "{report}");
        report["value"].clone()
    }

    /// Bytes, modes and times of everything in the user's checkout but git's folder and the runs.
    pub(crate) fn picture(&self) -> BTreeMap<PathBuf, String> {
        let mut found = BTreeMap::new();
        note_below(&self.bed.repo, &mut found);
        found
    }
}

fn note_below(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with(".git") || path.ends_with("autoresearch-results") {
            continue;
        }
        let meta = path.symlink_metadata().unwrap();
        let bytes = match std::fs::read_link(&path) {
            Ok(end) => end.display().to_string(),
            Err(_) if meta.is_dir() => {
                note_below(&path, found);
                String::new()
            }
            Err(_) => autoresearch_core::journal::chain::hash_bytes(&std::fs::read(&path).unwrap()),
        };
        let line = format!(
            "{:o} {}.{} {bytes}",
            meta.mode(),
            meta.mtime(),
            meta.mtime_nsec()
        );
        found.insert(path, line);
    }
}

/// Does the machine have these programs? A test that cannot run is noted.
pub(crate) fn has_programs(names: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has = |name: &&&str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    match names.iter().find(|name| !has(name)) {
        Some(name) => {
            note_skipped(&format!("{name} is not installed"));
            false
        }
        None => true,
    }
}

/// A workspace as npm makes one: a package of the repository is a link in `node_modules`.
pub(crate) fn make_npm_workspace() -> Project {
    let project = Project::new(
        "node src/app/main.js",
        &[
            (".gitignore", "node_modules/\n"),
            ("src/own/package.json", r#"{"name": "own", "main": "i.js"}"#),
            ("src/own/i.js", "module.exports = 10\n"),
            (
                "src/app/main.js",
                "console.log(require('own') + require('third'))\n",
            ),
        ],
        &[
            (
                "node_modules/third/package.json",
                r#"{"name": "third", "main": "i.js"}"#,
            ),
            ("node_modules/third/i.js", "module.exports = 1\n"),
            ("node_modules/.cache/x", "a tool's cache\n"),
        ],
    );
    symlink("../src/own", project.bed.path("node_modules/own")).unwrap();
    project
}

#[test]
fn a_workspace_of_npm_needs_one_line_and_its_own_packages_are_those_of_the_tree() {
    if !has_programs(&["node"]) {
        return;
    }
    let project = make_npm_workspace();
    let before = project.picture();
    project.start("link: node_modules\n").ok();
    let tree = project.tree();
    assert_eq!(
        tree.join("node_modules/own").canonicalize().unwrap(),
        tree.join("src/own")
    );
    assert!(!tree.join("node_modules/.cache").exists());
    assert_eq!(project.try_text("src/own/i.js", "module.exports = 3\n"), 4);
    std::fs::write(tree.join("node_modules/.cache"), "written in the tree").unwrap();
    assert_eq!(
        project.picture(),
        before,
        "the user's checkout is as it was"
    );
}

#[test]
fn a_path_that_a_tree_cannot_get_is_a_problem_of_the_config_at_its_place() {
    let project = Project::new(
        "cat src/n",
        &[
            (".gitignore", "data\nout/\nlink\n"),
            ("src/n", "5\n"),
            ("known/x", ""),
        ],
        &[("out/x", ""), ("seen/x", "")],
    );
    symlink("out", project.bed.path("link")).unwrap();
    let absolute = project.bed.path("out");
    let lines = format!(
        "link: [known, seen, gone, link, \"{}\", out]\ncopy: [/out/x, \"*.none\"]\n",
        absolute.display()
    );
    assert_answer!(project.start(&lines), @r"
    exit code 3
    --- stderr
    error: the config <bed>/home/config.yaml has 7 errors
    caused by: <bed>/home/config.yaml:8: link[0]: `known` is tracked by git, so each tree has it as it was committed -> remove it
    caused by: <bed>/home/config.yaml:8: link[1]: git does not ignore `seen`, so in a tree it would be an edit -> add it to .gitignore or .git/info/exclude, or commit it
    caused by: <bed>/home/config.yaml:8: link[2]: `gone` names nothing that git ignores in your checkout -> make it there first (install, build), let `prepare` make it in each tree, or remove it
    caused by: <bed>/home/config.yaml:8: link[3]: `link` is a symbolic link in your checkout -> let `prepare` make the link in each tree, such as `ln -s /data data`
    caused by: <bed>/home/config.yaml:8: link[4]: `<bed>/repo/out` is an absolute path -> write it from the repository's root: `/out`
    caused by: <bed>/home/config.yaml:9: copy[1]: `*.none` names nothing that git ignores in your checkout -> make it there first (install, build), let `prepare` make it in each tree, or remove it
    caused by: <bed>/home/config.yaml:9: copy[0]: `out/x` is named by link[5] too -> link or copy it once; `!` takes a path out of a list
    hint: fix these, then run `autoresearch config check <bed>/home/config.yaml`
    ");
}

#[test]
fn what_prepare_makes_is_in_every_new_tree_and_its_failure_is_an_error_with_its_last_lines() {
    let project = Project::new(
        "cat src/n out/made",
        &[(".gitignore", "out/\n"), ("src/n", "5\n")],
        &[],
    );
    let refused = project.start("prepare: \"echo no compiler >&2; exit 3\"\n");
    assert_answer!(refused, @r"
    exit code 3
    --- stderr
    error: `prepare` failed in the run's tree: exit status 3
    caused by: its last lines: no compiler
    hint: run it by hand in a fresh `git worktree`: it starts there with the tracked files, `link` and `copy` alone
    ");
    let refused = project.start("prepare: {command: \"sleep 60\", timeout: 1s}\n");
    assert_answer!(refused, @r"
    exit code 3
    --- stderr
    error: `prepare` failed in the run's tree: it ran longer than 1s
    hint: raise `prepare.timeout`, or let it do less
    ");
    let refused = project.start("prepare: \"mkdir out; echo 1 > src/new\"\n");
    assert_answer!(refused, @r"
    exit code 3
    --- stderr
    error: `prepare` leaves the run's tree dirty: src/new
    hint: let it write to ignored files alone (such as `npm ci` instead of `npm install`), or add the file to .gitignore and commit that
    ");
    assert_eq!(project.bed.git(&["worktree", "list"]).lines().count(), 1);
    project
        .start("prepare: \"mkdir out; echo 7 > out/made\"\n")
        .ok();
    assert_eq!(
        project.bed.run(&["status", "--json"]).ok().json()["baseline"],
        7
    );
}

#[test]
fn what_git_ignores_in_the_checkout_alone_is_refused_with_the_commit_that_is_missing() {
    let project = Project::new(
        "cat src/n",
        &[("src/n", "5\n")],
        &[(".gitignore", "deps\n")],
    );
    project.bed.write("deps/x", "");
    assert_answer!(project.start("link: deps\n"), @r"
    exit code 3
    --- stderr
    error: link[0]: git ignores `deps` in your checkout and not in the run's tree
    hint: commit the .gitignore that ignores it, or name it in .git/info/exclude
    ");
}

/// A package of Cargo that prints the number in `src/n.txt`, built in the checkout.
pub(crate) fn make_cargo_project() -> Project {
    let project = Project::new(
        &with_cargo("cargo run -q --offline"),
        &[
            (".gitignore", "target/\n"),
            (
                "Cargo.toml",
                "[package]\nname = \"own\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
            ),
            (
                "src/main.rs",
                "fn main() { println!(\"{}\", include_str!(\"n.txt\").trim()); }\n",
            ),
            ("src/n.txt", "10\n"),
        ],
        &[],
    );
    run_in(&project.bed, &with_cargo("cargo build -q --offline"));
    project.bed.git(&["add", "Cargo.lock"]);
    project.bed.git(&["commit", "-qm", "lock"]);
    project
}

/// A command of the user's, in the checkout.
fn run_in(bed: &Testbed, command: &str) -> Answer {
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", command])
        .current_dir(&bed.repo)
        .env("HOME", std::env::var_os("HOME").unwrap_or_default());
    finish(shell).ok()
}

/// The command that has cargo and the compiler beside it on its path; the tests were built by them.
fn with_cargo(command: &str) -> String {
    let programs = Path::new(env!("CARGO")).parent().unwrap();
    format!("PATH={}:$PATH {command}", programs.display())
}

#[test]
fn a_copied_target_of_cargo_is_built_again_from_the_sources_of_the_tree() {
    let project = make_cargo_project();
    // What was built last in the checkout was never committed, and is newer than the commit.
    project.bed.write("src/n.txt", "77\n");
    run_in(&project.bed, &with_cargo("cargo build -q --offline"));
    let before = project.picture();
    assert_answer!(project.start("link: target\n"), @r"
    exit code 3
    --- stderr
    error: the config <bed>/home/config.yaml has 1 error
    caused by: <bed>/home/config.yaml:8: link[0]: `target` is Cargo's: through links, your own `cargo build` would take what a trial built for yours -> `copy: target`, or set CARGO_TARGET_DIR in prepare, verify and guard
    hint: fix these, then run `autoresearch config check <bed>/home/config.yaml`
    ");
    project.start("copy: target\n").ok();
    assert_eq!(
        project.bed.run(&["status", "--json"]).ok().json()["baseline"],
        10
    );
    assert_eq!(project.try_text("src/n.txt", "3\n"), 3);
    assert_eq!(
        project.picture(),
        before,
        "the user's checkout is as it was"
    );
}

#[test]
fn a_build_folder_with_the_checkouts_path_is_refused_and_without_it_the_error_names_the_folder() {
    let project = Project::new(
        "cat build/n src/n",
        &[(".gitignore", "build/\n"), ("src/n", "5\n")],
        &[("build/n", "1\n")],
    );
    let home = format!(
        "CMAKE_HOME_DIRECTORY:INTERNAL={}\n",
        project.bed.repo.display()
    );
    project.bed.write("build/CMakeCache.txt", &home);
    assert_answer!(project.start("copy: build\n"), @r"
    exit code 3
    --- stderr
    error: the config <bed>/home/config.yaml has 1 error
    caused by: <bed>/home/config.yaml:8: copy[0]: `build/CMakeCache.txt` holds the path of your checkout: that would be built and measured instead of the tree -> configure each tree: `prepare: cmake -S . -B build` with your options, instead of this
    hint: fix these, then run `autoresearch config check <bed>/home/config.yaml`
    ");
    assert_answer!(project.start(""), @r"
    exit code 3
    --- stderr
    error: verify gives no metric on the untouched tree: verify failed: exit status 1
    caused by: its last lines: cat: build/n: No such file or directory
    hint: run the command by hand; statuses that count as success belong in `verify.ok_exit`; `build/` is ignored and not in the run's tree: add prepare, link or copy
    ");
    project
        .start("prepare: \"mkdir -p build && echo 2 > build/n\"\n")
        .ok();
    assert_eq!(project.try_text("src/n", "3\n"), 3);
}

/// A project with an environment in which it is installed in place, as `pip install -e .` leaves it.
pub(crate) fn make_python_project(verify: &str) -> Project {
    let project = Project::new(
        verify,
        &[
            (".gitignore", ".venv/\n__pycache__/\n"),
            ("src/own/__init__.py", "V = 10\n"),
            ("bench.py", "import own, dep; print(own.V + dep.D)\n"),
        ],
        &[],
    );
    run_in(&project.bed, "python3 -m venv --without-pip .venv");
    let site = run_in(&project.bed, "ls -d .venv/lib/python*/site-packages").out;
    let site = site.trim().to_owned();
    project.bed.write(&format!("{site}/dep.py"), "D = 1\n");
    let source = project.bed.path("src").display().to_string();
    project
        .bed
        .write(&format!("{site}/__editable__.own.pth"), &source);
    project
}

#[test]
fn an_environment_with_an_editable_install_is_refused_until_verify_names_the_sources_of_the_tree() {
    if !has_programs(&["python3"]) {
        return;
    }
    let project = make_python_project(".venv/bin/python -B bench.py");
    let refused = project.start("link: .venv\n");
    refused
        .fails(3)
        .says("makes Python import from your checkout");
    let project = make_python_project("PYTHONPATH=src .venv/bin/python -B bench.py");
    let refused = project.start("");
    refused
        .fails(3)
        .says("`.venv/` is ignored and not in the run's tree: add prepare, link or copy");
    let before = project.picture();
    project.start("link: .venv\n").ok();
    assert_eq!(project.try_text("src/own/__init__.py", "V = 3\n"), 4);
    assert_eq!(
        project.picture(),
        before,
        "the user's checkout is as it was"
    );
}

#[test]
fn a_trial_that_fails_on_what_its_tree_does_not_have_names_it() {
    let project = Project::new(
        "cat src/n && if test -e src/more; then cat data/x; fi",
        &[(".gitignore", "data/\n"), ("src/n", "5\n")],
        &[("data/x", "1\n")],
    );
    project.start("").ok();
    let tree = project.tree();
    std::fs::write(tree.join("src/more"), "").unwrap();
    let mut command = project.bed.command(&["trial", "-m", "with data"]);
    command.current_dir(tree);
    finish(command)
        .ok()
        .says("`data/` is ignored and not in the run's tree: add prepare, link or copy");
}
