//! Owns `Manifest`: what the files that describe a project say of it.
//! Does not parse TOML, JSON or YAML; it gets the document.
//! Invariant: whatever a manifest holds, a name that is taken out of it is a plain word or is left out.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use crate::scan::makefile::{Makefile, rank_makefile};
use crate::scan::names::{find_ending, is_plain_name};

/// A file that describes a project.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// From the repository's root.
    pub path: String,
    pub content: ManifestContent,
}

/// What it holds.
#[derive(Clone, Debug)]
pub enum ManifestContent {
    /// A document of JSON or TOML.
    Document(Value),
    /// Anything else.
    Text(String),
}

/// What several manifests of one folder say together.
#[derive(Clone, Debug, Default)]
pub(super) struct ManifestFacts {
    pub name: Option<String>,
    pub dependencies: BTreeSet<String>,
    /// Scripts of a package, targets of a Makefile.
    pub scripts: BTreeSet<String>,
    /// The target of the Makefile that builds, and the rank of the file.
    goal: Option<(usize, Option<String>)>,
    pub executables: Vec<String>,
    pub benches: Vec<String>,
    /// Does it hold other projects?
    pub is_workspace: bool,
    /// All texts, in lower case.
    pub text: String,
}

fn list_keys(value: &Value) -> impl Iterator<Item = String> {
    let fields = value
        .as_object()
        .into_iter()
        .flat_map(serde_json::Map::keys);
    fields
        .filter(|key| is_plain_name(key))
        .cloned()
        .collect::<Vec<_>>()
        .into_iter()
}

/// The package of a requirement such as `pytest>=8 ; python_version > "3.9"`.
fn find_required_name(line: &str) -> Option<String> {
    let line = line.trim();
    let end = line
        .find(|letter: char| !(letter.is_ascii_alphanumeric() || "._-".contains(letter)))
        .unwrap_or(line.len());
    let name = line[..end].to_lowercase().replace('_', "-");
    let begins = name.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    (begins && is_plain_name(&name)).then_some(name)
}

fn list_texts(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

impl ManifestFacts {
    /// Adds what a manifest says.
    pub(super) fn add_manifest(&mut self, manifest: &Manifest) {
        let name = manifest.path.rsplit('/').next().unwrap_or_default();
        match &manifest.content {
            ManifestContent::Document(document) => match name {
                "Cargo.toml" => self.add_cargo(document),
                "package.json" => self.add_package(document),
                "composer.json" => self.add_composer(document),
                _ => self.add_pyproject(document),
            },
            ManifestContent::Text(text) => self.add_text(name, text),
        }
    }

    fn set_name(&mut self, name: &Value) {
        let name = name.as_str().filter(|name| is_plain_name(name));
        self.name = self.name.take().or_else(|| name.map(ToOwned::to_owned));
    }

    fn add_cargo(&mut self, document: &Value) {
        self.set_name(&document["package"]["name"]);
        self.is_workspace |= document["workspace"].is_object();
        for key in ["dependencies", "dev-dependencies", "build-dependencies"] {
            self.dependencies.extend(list_keys(&document[key]));
        }
        self.dependencies
            .extend(list_keys(&document["workspace"]["dependencies"]));
        let named = |key: &str| -> Vec<String> {
            let tables = document[key].as_array().into_iter().flatten();
            let names = tables.filter_map(|table| table["name"].as_str());
            names
                .filter(|name| is_plain_name(name))
                .map(ToOwned::to_owned)
                .collect()
        };
        self.executables.extend(named("bin"));
        self.benches.extend(named("bench"));
    }

    fn add_package(&mut self, document: &Value) {
        self.set_name(&document["name"]);
        self.is_workspace |= !document["workspaces"].is_null();
        for key in ["dependencies", "devDependencies", "peerDependencies"] {
            self.dependencies.extend(list_keys(&document[key]));
        }
        let scripts = document["scripts"].as_object();
        for (script, text) in scripts.into_iter().flatten() {
            let text = text.as_str().unwrap_or_default();
            // What `npm init` writes is no test.
            if is_plain_name(script) && !text.contains("no test specified") {
                self.scripts.insert(script.clone());
            }
            if script == "test" && text.contains("node --test") {
                self.scripts.insert("node-test".to_owned());
            }
        }
        if let Some(manager) = document["packageManager"].as_str() {
            let name = manager.split('@').next().unwrap_or_default();
            let _ = writeln!(self.text, "manager={name}");
        }
    }

    fn add_composer(&mut self, document: &Value) {
        self.set_name(&document["name"]);
        for key in ["require", "require-dev"] {
            self.dependencies.extend(list_keys(&document[key]));
        }
        self.scripts.extend(list_keys(&document["scripts"]));
    }

    fn add_pyproject(&mut self, document: &Value) {
        self.set_name(&document["project"]["name"]);
        self.set_name(&document["tool"]["poetry"]["name"]);
        let project = &document["project"];
        let groups = [
            &project["optional-dependencies"],
            &document["dependency-groups"],
        ];
        let groups = groups
            .into_iter()
            .filter_map(Value::as_object)
            .flat_map(serde_json::Map::values);
        let lists = [&project["dependencies"]].into_iter().chain(groups);
        let named = lists.flat_map(list_texts).filter_map(find_required_name);
        self.dependencies.extend(named);
        let poetry = &document["tool"]["poetry"];
        self.dependencies.extend(list_keys(&poetry["dependencies"]));
        self.dependencies
            .extend(list_keys(&poetry["dev-dependencies"]));
        for group in poetry["group"].as_object().into_iter().flatten() {
            self.dependencies
                .extend(list_keys(&group.1["dependencies"]));
        }
        // A tool that is configured is used.
        self.dependencies.extend(list_keys(&document["tool"]));
    }

    fn add_makefile(&mut self, rank: usize, text: &str) {
        let makefile = Makefile::read(text);
        self.scripts.extend(makefile.targets);
        if self.goal.as_ref().is_none_or(|(first, _)| rank < *first) {
            self.goal = Some((rank, makefile.goal));
        }
    }

    /// The target that make is called with to build.
    pub(super) fn find_goal(&self) -> Option<&str> {
        self.goal.as_ref()?.1.as_deref()
    }

    fn add_text(&mut self, name: &str, text: &str) {
        let lower = text.to_lowercase();
        if let Some(rank) = rank_makefile(name) {
            self.add_makefile(rank, text);
        }
        match name {
            "CMakeLists.txt" => self.executables.extend(list_cmake_programs(text)),
            name if find_ending(name) == "txt" => self
                .dependencies
                .extend(lower.lines().filter_map(find_required_name)),
            _ => {}
        }
        self.text.push_str(&lower);
        self.text.push('\n');
    }
}

fn list_cmake_programs(text: &str) -> Vec<String> {
    let calls = text.split("add_executable(").skip(1);
    let names = calls.filter_map(|rest| {
        rest.split([' ', '\n', ')', '\t'])
            .find(|word| !word.is_empty())
    });
    names
        .filter(|name| is_plain_name(name))
        .map(ToOwned::to_owned)
        .collect()
}

#[cfg(test)]
mod tests;
