//! What leads from a separate work tree back to the checkout.

use autoresearch_core::config::check_config;
use insta::assert_snapshot;
use serde_json::json;
use tempfile::TempDir;

use super::*;

/// A checkout with sources and an ignored environment, and another environment outside of it.
struct Scene {
    folder: TempDir,
    world: World,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut world = World::from_process();
        world.vars.clear();
        let scene = Self { folder, world };
        scene.write("repo/src/a.py", "");
        scene.write("repo/.venv/bin/python", "");
        scene.write("env/bin/python", "");
        scene
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn set(&mut self, name: &str, value: String) {
        self.world.vars.insert(name.into(), value.into());
    }

    /// The problems, each in a line, with the folder left out.
    fn find(&self, verify: &str) -> String {
        let document = json!({
            "goal": "less", "scope": ["src/**"], "metric": {"name": "n", "direction": "lower"},
            "verify": {"command": verify}, "env": ["PYTHONPATH"],
        });
        let config = check_config(&document).config.unwrap();
        let root = self.folder.path().join("repo");
        let problems = find_checkout_problems(&self.world, &config, &root, &[".venv".to_owned()]);
        let lines: Vec<String> = problems
            .iter()
            .map(|problem| {
                format!(
                    "{}: {} -> {}",
                    problem.place, problem.message, problem.remedy
                )
            })
            .collect();
        lines.join("\n").replace(&self.path(""), "/")
    }
}

#[test]
fn a_command_that_stays_in_the_work_tree_has_no_problem() {
    let scene = Scene::new();
    for verify in ["./count src/a.py", "python -m pytest", "/usr/bin/true"] {
        assert_eq!(scene.find(verify), "", "{verify}");
    }
}

#[test]
fn a_path_in_the_checkout_is_named_unless_git_ignores_it_or_it_is_not_there() {
    let scene = Scene::new();
    let source = scene.path("repo/src/a.py");
    assert_snapshot!(scene.find(&format!("./count {source}")), @"verify.command: `/repo/src/a.py` lies in your checkout, and the trials are made in a separate work tree: verify would not see them -> write it from the work tree's root, or use `isolation: branch`");
    for name in ["repo/.venv/bin/python", "repo/gone.py", "env/bin/python"] {
        let verify = format!("{} a", scene.path(name));
        assert_eq!(scene.find(&verify), "", "{name}");
    }
}

#[test]
fn a_passed_variable_that_names_a_folder_of_the_checkout_is_named() {
    let mut scene = Scene::new();
    scene.set("PYTHONPATH", format!("/else:{}", scene.path("repo/src")));
    assert_snapshot!(scene.find("./count"), @"env: `PYTHONPATH` names a folder of your checkout, and the trials are made in a separate work tree: that folder would be measured instead -> set it in verify to a path from the work tree's root, or use `isolation: branch`");
    scene.set("PYTHONPATH", scene.path("repo/.venv"));
    assert_eq!(scene.find("./count"), "");
}

#[test]
fn an_editable_install_in_the_environment_that_is_active_is_named_by_its_file() {
    let mut scene = Scene::new();
    let source = scene.path("repo/src");
    scene.write(
        "env/lib/python3.12/site-packages/own.pth",
        &format!("{source}\n"),
    );
    assert_eq!(scene.find("pytest -q"), "", "the environment is not active");
    scene.set("VIRTUAL_ENV", scene.path("env"));
    assert_snapshot!(scene.find("pytest -q"), @"verify.command: /env/lib/python3.12/site-packages/own.pth makes Python import from your checkout, and the trials are made in a separate work tree: verify would not see them -> begin verify with `PYTHONPATH=` and the folder of the sources, such as `PYTHONPATH=src`, or use `isolation: branch`");
    assert_eq!(scene.find("PYTHONPATH=src pytest -q"), "");
    assert_eq!(scene.find("npx vitest"), "");
}

#[test]
fn an_environment_is_found_by_its_program_by_path_by_conda_and_by_the_users_own_packages() {
    for (name, value, verify) in [
        ("CONDA_PREFIX", "env", "python a.py"),
        ("PATH", "env/bin", "python a.py"),
        ("HOME", "home", "python a.py"),
        ("UNUSED", "env", "@env/bin/python a.py"),
    ] {
        let mut scene = Scene::new();
        let source = scene.path("repo/src");
        for place in ["env", "home/.local"] {
            let file = format!("{place}/lib/python3.12/site-packages/own.pth");
            scene.write(&file, &source);
        }
        scene.set(name, scene.path(value));
        let verify = verify.replace('@', &scene.path(""));
        let found = scene.find(&verify);
        assert!(
            found.contains("own.pth makes Python import from your checkout"),
            "{name}: {found}"
        );
    }
}

#[test]
fn only_files_by_which_python_finds_packages_lead_anywhere() {
    for (file, text, leads) in [
        ("own.pth", "@repo/src\n", true),
        ("own.egg-link", "@repo\n.", true),
        (
            "__editable___own_finder.py",
            "MAPPING = {'own': '@repo/src/own'}",
            true,
        ),
        ("__editable___own_finder.txt", "'@repo/src/own'", false),
        ("own.py", "'@repo/src'", false),
        (
            "own-1.dist-info/direct_url.json",
            r#"{"url": "file://@repo", "dir_info": {"editable": true}}"#,
            true,
        ),
        (
            "own-1.dist-info/direct_url.json",
            r#"{"url": "file://@repo", "dir_info": {}}"#,
            false,
        ),
        ("own.pth", "import sys\n", false),
        ("own.pth", "/elsewhere\n", false),
    ] {
        let mut scene = Scene::new();
        let text = text.replace('@', &scene.path(""));
        scene.write(&format!("env/lib/python3.12/dist-packages/{file}"), &text);
        scene.set("VIRTUAL_ENV", scene.path("env"));
        let found = scene.find("pytest");
        assert_eq!(!found.is_empty(), leads, "{file}: {found}");
    }
}

#[test]
fn an_environment_in_the_checkout_may_lead_to_itself() {
    let mut scene = Scene::new();
    let own = scene.path("repo/.venv/lib/extra");
    scene.write("repo/.venv/lib/python3.12/site-packages/own.pth", &own);
    scene.set("VIRTUAL_ENV", scene.path("repo/.venv"));
    assert_eq!(scene.find("pytest"), "");
}
