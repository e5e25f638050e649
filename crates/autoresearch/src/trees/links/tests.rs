//! What a folder of links leads to.

use std::os::unix::fs::symlink;

use autoresearch_sys::error::FailureKind;
use insta::assert_snapshot;
use tempfile::TempDir;

use super::*;

/// A checkout and a tree of it, both with the package `packages/own`.
struct Scene {
    folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        let scene = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        scene.write("main/packages/own/i.js");
        scene.write("tree/packages/own/i.js");
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    fn write(&self, name: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }

    fn link(&self, name: &str, leads_to: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(leads_to, path).unwrap();
    }

    /// Links these paths and returns what stands in the tree: each link with its end, each file.
    fn fill(&self, patterns: &[&str]) -> String {
        self.try_fill(patterns).unwrap();
        let mut lines = Vec::new();
        list_below(&self.path("tree"), &mut lines);
        let root = self.path("");
        lines.sort();
        lines.join("\n").replace(root.to_str().unwrap(), "/")
    }

    fn try_fill(&self, patterns: &[&str]) -> Result<()> {
        let (checkout, tree) = (self.path("main"), self.path("tree"));
        let wanted = WantedPaths::of(patterns, &[]);
        let mut links = LinkMaker {
            checkout: &checkout,
            tree: &tree,
            wanted: &wanted,
            rebased: Vec::new(),
        };
        wanted
            .link
            .iter()
            .try_for_each(|path| links.link_path(&path.path))
    }
}

fn list_below(folder: &Path, lines: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match fs::read_link(&path) {
            Ok(end) => lines.push(format!("{} -> {}", path.display(), end.display())),
            Err(_) if path.is_dir() => list_below(&path, lines),
            Err(_) => lines.push(path.display().to_string()),
        }
    }
}

#[test]
fn node_modules_of_a_workspace_lead_to_the_checkout_for_packages_of_others_and_to_the_tree_for_its_own()
 {
    let scene = Scene::new();
    for name in [
        "third/i.js",
        "@of/other/i.js",
        ".cache/c",
        ".package-lock.json",
    ] {
        scene.write(&format!("main/node_modules/{name}"));
    }
    for (name, leads_to) in [
        ("own", "../packages/own"),
        ("@of/own", "../../packages/own"),
        (".bin/own", "../own/i.js"),
        (".bin/third", "../third/i.js"),
        ("gone", "../packages/gone"),
        ("far", "/nowhere/far"),
    ] {
        scene.link(&format!("main/node_modules/{name}"), leads_to);
    }
    let filled = scene.fill(&["node_modules"]);
    assert_snapshot!(filled, @r"
    /tree/node_modules/.bin/own -> /tree/packages/own/i.js
    /tree/node_modules/.bin/third -> /main/node_modules/third/i.js
    /tree/node_modules/.package-lock.json -> /main/node_modules/.package-lock.json
    /tree/node_modules/@of/other -> /main/node_modules/@of/other
    /tree/node_modules/@of/own -> /tree/packages/own
    /tree/node_modules/far -> /nowhere/far
    /tree/node_modules/gone -> /tree/packages/gone
    /tree/node_modules/own -> /tree/packages/own
    /tree/node_modules/third -> /main/node_modules/third
    /tree/packages/own/i.js
    ");
    assert_eq!(
        scene.fill(&["node_modules"]),
        filled,
        "done twice, it is the same"
    );
}

#[test]
fn the_store_of_pnpm_is_linked_and_what_it_hoists_of_the_workspace_leads_to_the_tree() {
    let scene = Scene::new();
    scene.write("main/node_modules/.pnpm/third@1/node_modules/third/i.js");
    scene.link(
        "main/node_modules/third",
        ".pnpm/third@1/node_modules/third",
    );
    let hoisted = "main/node_modules/.pnpm/node_modules";
    scene.link(&format!("{hoisted}/own"), "../../../packages/own");
    scene.link(&format!("{hoisted}/third"), "../third@1/node_modules/third");
    let app = "main/packages/app/node_modules";
    scene.link(&format!("{app}/own"), "../../own");
    scene.link(
        &format!("{app}/third"),
        "../../../node_modules/.pnpm/third@1/node_modules/third",
    );
    let filled = scene.fill(&["node_modules", "packages/app/node_modules"]);
    assert_snapshot!(filled, @r"
    /tree/node_modules/.pnpm/node_modules/own -> /tree/packages/own
    /tree/node_modules/.pnpm/node_modules/third -> /main/node_modules/.pnpm/third@1/node_modules/third
    /tree/node_modules/.pnpm/third@1 -> /main/node_modules/.pnpm/third@1
    /tree/node_modules/third -> /main/node_modules/.pnpm/third@1/node_modules/third
    /tree/packages/app/node_modules/own -> /tree/packages/own
    /tree/packages/app/node_modules/third -> /main/node_modules/.pnpm/third@1/node_modules/third
    /tree/packages/own/i.js
    ");
}

#[test]
fn a_folder_of_another_kind_is_real_and_holds_a_link_for_each_entry_but_for_what_is_taken_out() {
    let scene = Scene::new();
    for name in ["bin/python", "lib/x.py", "pyvenv.cfg", ".cache/c", "@odd/o"] {
        scene.write(&format!("main/.venv/{name}"));
    }
    scene.link("main/.venv/lib64", "lib");
    scene.write("main/.env");
    let filled = scene.fill(&[".venv", ".env", "!/.venv/.cache"]);
    assert_snapshot!(filled, @r"
    /tree/.env -> /main/.env
    /tree/.venv/@odd -> /main/.venv/@odd
    /tree/.venv/bin -> /main/.venv/bin
    /tree/.venv/lib -> /main/.venv/lib
    /tree/.venv/lib64 -> /main/.venv/lib
    /tree/.venv/pyvenv.cfg -> /main/.venv/pyvenv.cfg
    /tree/packages/own/i.js
    ");
}

#[test]
fn a_folder_that_is_ignored_by_its_own_rules_gets_these_as_a_file_and_the_checkout_keeps_its_own() {
    let scene = Scene::new();
    scene.write("main/.venv/.gitignore");
    scene.write("main/.venv/lib/.gitignore");
    // As a version before this one left it.
    let rules = scene.path("main/.venv/.gitignore");
    scene.link("tree/.venv/.gitignore", rules.to_str().unwrap());
    let filled = scene.fill(&[".venv"]);
    assert_snapshot!(filled, @r"
    /tree/.venv/.gitignore
    /tree/.venv/lib -> /main/.venv/lib
    /tree/packages/own/i.js
    ");
    let read = |name: &str| fs::read_to_string(scene.path(name)).unwrap();
    assert_eq!(read("tree/.venv/.gitignore"), "main/.venv/.gitignore");
    assert_eq!(read("main/.venv/.gitignore"), "main/.venv/.gitignore");
    assert_eq!(scene.fill(&[".venv"]), filled, "done twice, it is the same");
}

#[test]
fn a_link_of_before_is_replaced_and_what_was_made_in_the_tree_stays() {
    let scene = Scene::new();
    scene.write("main/node_modules/a/i.js");
    scene.write("main/node_modules/b/i.js");
    scene.link("tree/node_modules/a", "/elsewhere");
    scene.write("tree/node_modules/b/mine");
    let filled = scene.fill(&["node_modules"]);
    assert_snapshot!(filled, @r"
    /tree/node_modules/a -> /main/node_modules/a
    /tree/node_modules/b/mine
    /tree/packages/own/i.js
    ");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let scene = Scene::new();
    scene.write("main/node_modules/a/i.js");
    scene.write("tree/node_modules");
    let failure = scene.try_fill(&["node_modules"]).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Environment);
    let path = scene.path("tree/node_modules");
    assert_eq!(failure.error, format!("could not make {}", path.display()));
}
