//! What would lead a tree back to the checkout, and what would not.

use autoresearch_core::config::check_config;
use serde_json::json;
use tempfile::TempDir;

use super::*;

struct Scene {
    folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("main")
    }

    /// A file of the checkout; `@` in it is the checkout's path.
    fn write(&self, name: &str, text: &str) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.replace('@', self.root().to_str().unwrap())).unwrap();
    }

    /// The refusals, each in a line.
    fn find(&self, link: &[&str], copy: &[&str], verify: &str) -> String {
        let document = json!({
            "goal": "less", "scope": ["src/**"], "metric": {"name": "n", "direction": "lower"},
            "verify": {"command": verify},
        });
        let config = check_config(&document).config.unwrap();
        let wanted = WantedPaths::of(link, copy);
        let problems = find_refusals(&self.root(), &config, &wanted);
        let lines = problems.iter().map(|problem| {
            format!(
                "{}: {} -> {}",
                problem.place, problem.message, problem.remedy
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn a_plan_that_holds_the_checkouts_path_is_refused_linked_and_copied() {
    for (name, text) in [
        ("build/CMakeCache.txt", "CMAKE_HOME_DIRECTORY:INTERNAL=@\n"),
        ("build/deep/build.ninja", "build a.o: CXX @/src/a.cpp\n"),
        ("build/compile_commands.json", r#"[{"directory": "@"}]"#),
        ("build/config.status", "ac_pwd='@'\n"),
        ("build/Makefile", "CMAKE_SOURCE_DIR = @\n"),
    ] {
        let scene = Scene::new();
        scene.write(name, text);
        let linked = scene.find(&["build"], &[], "ninja");
        let head = format!(
            "link[0]: `{name}` holds the path of your checkout: that would be built and measured instead of the tree -> "
        );
        assert!(linked.starts_with(&head), "{linked}");
        let copied = scene.find(&[], &["build"], "ninja");
        assert_eq!(copied, linked.replace("link[0]", "copy[0]"));
    }
}

#[test]
fn a_plan_with_relative_paths_or_those_of_another_folder_may_be_brought() {
    let scene = Scene::new();
    scene.write("build/build.ninja", "build a.o: CXX ../src/a.cpp\n");
    scene.write(
        "build/CMakeCache.txt",
        "CMAKE_HOME_DIRECTORY:INTERNAL=@-other/x\n",
    );
    scene.write("build/notes.txt", "@/src\n");
    scene.write(
        "node_modules/native/build/Makefile",
        "abs = @/node_modules/native\n",
    );
    scene.write("target/.rustc_info.json", "{}");
    scene.write(
        "target/debug/build/x/out/build/CMakeCache.txt",
        "HOME=@/x\n",
    );
    let copies = ["build", "node_modules", "target"];
    assert_eq!(scene.find(&[], &copies, "make"), "");
    assert_eq!(scene.find(&["build", "node_modules"], &[], "make"), "");
}

#[test]
fn a_linked_target_of_cargo_is_refused_by_what_is_in_it_and_a_copied_one_is_not() {
    let scene = Scene::new();
    scene.write("out/.rustc_info.json", "{}");
    scene.write("target/notes", "not Cargo's");
    assert_eq!(scene.find(&["target"], &["out"], "cargo test"), "");
    insta::assert_snapshot!(scene.find(&["out"], &[], "cargo test"), @"link[0]: `out` is Cargo's: through links, your own `cargo build` would take what a trial built for yours -> `copy: out`, or set CARGO_TARGET_DIR in prepare, verify and guard");
}

#[test]
fn an_environment_with_an_editable_install_is_refused_unless_verify_says_where_the_sources_are() {
    let scene = Scene::new();
    scene.write(".venv/pyvenv.cfg", "home = /usr/bin\n");
    scene.write("envs/py/pyvenv.cfg", "home = /usr/bin\n");
    assert_eq!(scene.find(&[".venv", "envs"], &[], "pytest"), "");
    let finder = "lib/python3.12/site-packages/__editable__.own.pth";
    scene.write(&format!(".venv/{finder}"), "@/src\n");
    scene.write(&format!("envs/py/{finder}"), "@/src\n");
    insta::assert_snapshot!(scene.find(&[".venv", "envs"], &[], ".venv/bin/pytest"), @r"
    link[0]: `.venv/lib/python3.12/site-packages/__editable__.own.pth` makes Python import from your checkout: that would be measured instead of the tree -> begin verify with `PYTHONPATH=` and the folder of the sources, such as `PYTHONPATH=src`, or let `prepare` make an environment of the tree: `python3 -m venv .venv && .venv/bin/pip install -e .`
    link[1]: `envs/py/lib/python3.12/site-packages/__editable__.own.pth` makes Python import from your checkout: that would be measured instead of the tree -> begin verify with `PYTHONPATH=` and the folder of the sources, such as `PYTHONPATH=src`, or let `prepare` make an environment of the tree: `python3 -m venv .venv && .venv/bin/pip install -e .`
    ");
    assert_eq!(
        scene.find(&[".venv"], &[], "PYTHONPATH=src .venv/bin/pytest"),
        ""
    );
}

#[test]
fn a_copied_environment_whose_programs_start_the_checkouts_is_refused_and_a_linked_one_is_not() {
    let scene = Scene::new();
    scene.write(".venv/pyvenv.cfg", "home = /usr/bin\n");
    scene.write(".venv/bin/pip", "#!@/.venv/bin/python\n");
    scene.write(".venv/bin/other", "#!/bin/sh\n");
    assert_eq!(scene.find(&[".venv"], &[], "pytest"), "");
    insta::assert_snapshot!(scene.find(&[], &[".venv"], "pytest"), @"copy[0]: `.venv/bin/pip` starts the Python of your checkout's environment, also from a copy -> `link: .venv` for one that verify only reads, or let `prepare` make one in each tree");
}
