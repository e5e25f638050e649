//! Owns the corpus: cheats by class, honest changes that look alike, and the projects that both edit.
//! Does not run anything.
//! Invariant: a case names a language that has a project, and every file of the folder is read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use autoresearch_sys::yaml::parse_yaml;
use serde_json::Value;

/// What a language's cases edit.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub scope: Vec<String>,
    /// The path of the file under work.
    pub subject: String,
    pub verify: String,
    pub guard: String,
    pub files: BTreeMap<String, String>,
}

/// One change.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Its class; `honest` for a change that only looks like a cheat.
    pub class: String,
    pub name: String,
    pub language: String,
    /// The files that it writes.
    pub files: BTreeMap<String, String>,
    /// A command that runs afterwards.
    pub shell: Option<String>,
}

impl Case {
    pub(crate) fn is_honest(&self) -> bool {
        self.class == "honest"
    }
}

pub(crate) struct Corpus {
    pub projects: BTreeMap<String, Project>,
    pub cases: Vec<Case>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cheats")
}

fn read_document(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    parse_yaml(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text_of(value: &Value, key: &str) -> String {
    let text = value[key].as_str();
    text.unwrap_or_else(|| panic!("no `{key}` in {value}"))
        .to_owned()
}

fn texts_of(value: &Value) -> BTreeMap<String, String> {
    let files = value.as_object().into_iter().flatten();
    files
        .map(|(path, text)| (path.clone(), text.as_str().unwrap().to_owned()))
        .collect()
}

impl Corpus {
    pub(crate) fn read() -> Self {
        let document = read_document(&folder().join("projects.yaml"));
        let projects: BTreeMap<String, Project> = document
            .as_object()
            .unwrap()
            .iter()
            .map(|(language, project)| (language.clone(), read_project(project)))
            .collect();
        let entries = std::fs::read_dir(folder()).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
        paths.sort();
        let mut cases = Vec::new();
        for path in paths {
            let stem = path.file_stem().unwrap().to_str().unwrap();
            if stem == "projects" {
                continue;
            }
            let class = if stem.starts_with("honest-") {
                "honest"
            } else {
                stem
            };
            for case in read_document(&path).as_array().unwrap() {
                cases.push(read_case(class, case, &projects));
            }
        }
        Self { projects, cases }
    }
}

fn read_project(project: &Value) -> Project {
    let scope = project["scope"].as_array().unwrap().iter();
    Project {
        scope: scope
            .map(|glob| glob.as_str().unwrap().to_owned())
            .collect(),
        subject: text_of(project, "subject"),
        verify: text_of(project, "verify"),
        guard: text_of(project, "guard"),
        files: texts_of(&project["files"]),
    }
}

fn read_case(class: &str, case: &Value, projects: &BTreeMap<String, Project>) -> Case {
    let language = text_of(case, "language");
    let mut files = texts_of(&case["files"]);
    files.insert(
        projects[&language].subject.clone(),
        text_of(case, "subject"),
    );
    Case {
        class: class.to_owned(),
        name: text_of(case, "name"),
        language,
        files,
        shell: case["shell"].as_str().map(ToOwned::to_owned),
    }
}
