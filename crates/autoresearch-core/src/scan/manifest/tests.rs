//! What manifests say, and what hostile ones cannot.

use serde_json::json;

use super::*;

fn read(path: &str, content: ManifestContent) -> ManifestFacts {
    let mut facts = ManifestFacts::default();
    facts.add_manifest(&Manifest {
        path: path.to_owned(),
        content,
    });
    facts
}

fn read_document(path: &str, document: Value) -> ManifestFacts {
    read(path, ManifestContent::Document(document))
}

fn read_text(path: &str, text: &str) -> ManifestFacts {
    read(path, ManifestContent::Text(text.to_owned()))
}

fn list(names: &BTreeSet<String>) -> String {
    names.iter().cloned().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_cargo_manifest_names_its_package_programs_benchmarks_and_dependencies() {
    let facts = read_document(
        "Cargo.toml",
        json!({
            "package": {"name": "tool"},
            "workspace": {"dependencies": {"serde": "1"}},
            "bin": [{"name": "one"}, {"path": "x.rs"}, {"name": "two"}],
            "bench": [{"name": "parse", "harness": false}],
            "dependencies": {"regex": "1"},
            "dev-dependencies": {"criterion": {"version": "0.5"}},
            "build-dependencies": {"cc": "1"},
        }),
    );
    assert_eq!(facts.name.as_deref(), Some("tool"));
    assert_eq!(facts.executables, ["one", "two"]);
    assert_eq!(facts.benches, ["parse"]);
    assert!(facts.is_workspace);
    assert_eq!(list(&facts.dependencies), "cc criterion regex serde");
}

#[test]
fn a_package_names_its_scripts_its_manager_and_whether_it_holds_others() {
    let facts = read_document(
        "package.json",
        json!({
            "name": "@me/app", "workspaces": ["packages/*"], "packageManager": "pnpm@9.1.0",
            "scripts": {"build": "vite build", "test": "node --test", "weird; rm -rf": "x"},
            "dependencies": {"vue": "3"}, "devDependencies": {"vitest": "1"}, "peerDependencies": {"react": "*"},
        }),
    );
    assert_eq!(facts.name.as_deref(), Some("@me/app"));
    assert_eq!(list(&facts.scripts), "build node-test test");
    assert_eq!(list(&facts.dependencies), "react vitest vue");
    assert!(facts.is_workspace && facts.text.contains("manager=pnpm"));
}

#[test]
fn what_npm_init_writes_is_no_test() {
    let script = "echo \"Error: no test specified\" && exit 1";
    let facts = read_document("package.json", json!({"scripts": {"test": script}}));
    assert_eq!(list(&facts.scripts), "");
}

#[test]
fn a_pyproject_names_what_is_required_in_each_of_its_ways() {
    let facts = read_document(
        "pyproject.toml",
        json!({
            "project": {
                "name": "flask-app",
                "dependencies": ["Flask>=3", "typing_extensions; python_version<'3.12'"],
                "optional-dependencies": {"test": ["pytest[xdist] ~= 8.0"]},
            },
            "dependency-groups": {"dev": ["ruff", {"include-group": "test"}]},
            "tool": {
                "mypy": {"strict": true},
                "poetry": {"dependencies": {"httpx": "*"}, "dev-dependencies": {"black": "*"}, "group": {"t": {"dependencies": {"coverage": "*"}}}},
            },
        }),
    );
    assert_eq!(facts.name.as_deref(), Some("flask-app"));
    assert_eq!(
        list(&facts.dependencies),
        "black coverage flask httpx mypy poetry pytest ruff typing-extensions"
    );
}

#[test]
fn a_list_of_requirements_is_read_by_its_names() {
    let facts = read_text(
        "requirements-dev.txt",
        "# for tests\n-r requirements.txt\nPyTest==8.1\n\nzope.interface\n./local\n",
    );
    assert_eq!(list(&facts.dependencies), "pytest zope.interface");
}

#[test]
fn makefiles_name_their_targets_and_the_one_that_make_reads_its_goal() {
    let mut facts = read_text("Makefile", "program: a.o\nCLEAN: x\n");
    assert_eq!(list(&facts.scripts), "CLEAN program");
    assert_eq!(facts.find_goal(), Some("program"));
    for (name, text, goal) in [
        ("GNUmakefile", "clean:\n", None),
        ("makefile", "all: a.o\n", None),
    ] {
        facts.add_manifest(&Manifest {
            path: format!("folder/{name}"),
            content: ManifestContent::Text(text.to_owned()),
        });
        assert_eq!(facts.find_goal(), goal, "{name}");
    }
    assert_eq!(list(&facts.scripts), "CLEAN all clean program");
}

#[test]
fn cmake_names_its_programs() {
    let text = "add_executable(app main.c)\nadd_executable(\n  tool\n  t.c)\nadd_executable(${NAME} x.c)\nadd_test(NAME t COMMAND app)\n";
    let facts = read_text("CMakeLists.txt", text);
    assert_eq!(facts.executables, ["app", "tool"]);
    assert!(facts.text.contains("add_test"));
}

#[test]
fn a_composer_file_names_packages_and_scripts() {
    let facts = read_document(
        "composer.json",
        json!({"name": "a/b", "require": {"php": "8"}, "require-dev": {"phpunit/phpunit": "11"}, "scripts": {"test": "x"}}),
    );
    assert_eq!(list(&facts.dependencies), "php phpunit/phpunit");
    assert_eq!(list(&facts.scripts), "test");
}

#[test]
fn a_name_that_no_command_should_hold_is_left_out() {
    for name in ["", "-rf", "a b", "a;b", "$(x)", "a\nb", "ä", "`x`"] {
        assert!(!is_plain_name(name), "{name}");
        let facts = read_document(
            "Cargo.toml",
            json!({"package": {"name": name}, "bin": [{"name": name}], "dependencies": {name: "1"}}),
        );
        assert_eq!(facts.name, None);
        assert!(
            facts.executables.is_empty() && facts.dependencies.is_empty(),
            "{name}"
        );
    }
    assert!(!is_plain_name(&"x".repeat(101)));
}

#[test]
fn a_document_of_another_shape_says_nothing() {
    for document in [
        json!(null),
        json!([1]),
        json!("x"),
        json!({"package": [], "bin": 3, "scripts": "x", "workspaces": null, "project": {"dependencies": {"a": 1}}}),
    ] {
        for path in [
            "Cargo.toml",
            "package.json",
            "composer.json",
            "pyproject.toml",
        ] {
            let facts = read_document(path, document.clone());
            assert!(
                facts.name.is_none() && facts.dependencies.is_empty() && !facts.is_workspace,
                "{path}"
            );
        }
    }
}
