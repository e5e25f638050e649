//! Owns the proposal for a release: gates of what a project checks anyway, of its version and of its changelog.
//! Does not read git: the survey says what the last release was.
//! Invariant: each gate is a command that a person can read, and none of them changes what git tracks.

use serde_json::{Value, json};

use crate::scan::candidate::Candidate;
use crate::scan::check_kind::CheckKind;
use crate::scan::checks::{CheckedProject, WantedProject};
use crate::scan::goal::{Aim, Wish};
use crate::scan::manifest::{Manifest, ManifestContent};
use crate::scan::names::find_ending;
use crate::scan::patterns::escape_pattern;
use crate::scan::project::{match_any, strip_folder};
use crate::scan::survey::{Survey, find_stack_of};
use crate::scan::version::{Version, find_version};
use crate::shell::quote::quote_word;
use crate::words::text::{format_count, shorten_names};

/// No more files of the last release are put into the scope.
const MOST_FILES: usize = 12;
/// No more manifests are asked for their version.
const MOST_VERSIONS: usize = 8;
/// A gate's name is no longer.
const LONGEST_NAME: usize = 60;
/// How long a gate of the project's checks may run.
const TIMEOUT: &str = "15m";
/// What is left in the sources only by mistake, by the endings of their names.
const DEBUG_CODE: &[(&[&str], &str)] = &[
    (&["rs"], r"dbg!\("),
    (
        &["ts", "tsx", "js", "jsx", "mjs", "cjs"],
        r"(^|[^[:alnum:]_])debugger;",
    ),
    (&["py"], r"(breakpoint\(\)|pdb\.set_trace\()"),
    (&["rb"], r"(binding\.pry|byebug)"),
    (&["php"], r"(var_dump|print_r)\("),
    (&["ex", "exs"], r"IEx\.pry"),
];

/// What a release of one project is made of.
struct ReleaseDraft<'a, 's> {
    survey: &'s Survey,
    checked: &'a CheckedProject<'s>,
    /// The project's folder, from the root; empty at the root.
    folder: &'a str,
    /// The manifests that have the project's version now.
    versioned: Vec<&'s str>,
    /// The version that is to be released, where it is known.
    version: Option<Version>,
    changelog: Option<&'s str>,
}

/// Proposes the gates of a release; none where no project is known here, or nothing of it could be released.
pub(super) fn propose_release(survey: &Survey, wish: &Wish) -> Option<Candidate> {
    let wanted = WantedProject {
        folder: survey.here.clone(),
        stack: None,
    };
    let checked = CheckedProject::find(survey, &wanted)?;
    let folder = checked.folder();
    let folder = if folder == "." { "" } else { &folder };
    let draft = ReleaseDraft::new(survey, wish, (&checked, folder));
    let gates = draft.list_gates();
    let protect = checked.list_code_patterns();
    let scope = draft.choose_scope(&protect);
    if gates.is_empty() || scope.is_empty() {
        return None;
    }
    let title = draft.name_goal();
    let asked = Some(wish.text.as_str()).filter(|text| !text.is_empty());
    let mut config = json!({
        "goal": asked.unwrap_or(&title),
        "mode": "ship",
        "scope": scope,
        "metric": {"name": "open_gates", "direction": "lower", "target": 0},
        "verify": {"gates": true},
        "gates": gates,
        "iterations": 40,
        "time_limit": "8h",
    });
    if !protect.is_empty() {
        config["protect"] = json!(protect);
    }
    Some(Candidate {
        title,
        aim: Aim::Release,
        stack: checked.title().to_owned(),
        folder: checked.folder(),
        also: Vec::new(),
        reason: draft.explain(gates.len()),
        today: None,
        missing: Vec::new(),
        config,
        worktree: checked.write_worktree(),
        score: 100 + u64::from(Aim::Release.merit()),
        report: None,
    })
    .filter(Candidate::is_accepted)
}

/// The version that a manifest gives to its project.
fn find_declared(manifest: &Manifest) -> Option<Version> {
    let ManifestContent::Document(document) = &manifest.content else {
        return None;
    };
    let name = manifest.path.rsplit('/').next().unwrap_or_default();
    let found = match name {
        "Cargo.toml" => [
            &document["package"]["version"],
            &document["workspace"]["package"]["version"],
        ],
        "pyproject.toml" => [
            &document["project"]["version"],
            &document["tool"]["poetry"]["version"],
        ],
        "package.json" | "composer.json" => [&document["version"], &Value::Null],
        _ => return None,
    };
    let text = found.into_iter().find_map(Value::as_str)?;
    find_version(text)
}

/// Is it what people call a changelog?
fn is_changelog(name: &str) -> bool {
    let lower = name.to_lowercase();
    let stem = lower.split('.').next().unwrap_or_default();
    ["changelog", "changes", "history", "news", "release-notes"].contains(&stem)
        && ["", "md", "rst", "txt"].contains(&find_ending(&lower))
}

impl<'a, 's> ReleaseDraft<'a, 's> {
    fn new(
        survey: &'s Survey,
        wish: &Wish,
        (checked, folder): (&'a CheckedProject<'s>, &'a str),
    ) -> Self {
        let declared = survey
            .manifests
            .iter()
            .filter_map(|manifest| Some((manifest.path.as_str(), find_declared(manifest)?)));
        let declared: Vec<(&str, Version)> = declared.collect();
        let own = declared
            .iter()
            .find(|(path, _)| path.rsplit_once('/').map_or("", |(folder, _)| folder) == folder);
        let own = own.map(|(_, version)| version.clone());
        let versioned = declared
            .iter()
            .filter(|(_, found)| Some(found) == own.as_ref());
        let said = wish.words.iter().find_map(|word| find_version(word));
        let last = survey.release.as_ref();
        let released = last.and_then(|last| find_version(&last.tag));
        let changelogs = survey.files.iter().filter(|file| {
            let inside = strip_folder(&file.path, folder);
            let is_near = |path: &str| !path.contains('/') && is_changelog(path);
            inside.is_some_and(is_near) || is_near(&file.path)
        });
        let nearest = changelogs.max_by_key(|file| file.path.matches('/').count());
        Self {
            survey,
            checked,
            folder,
            versioned: versioned
                .take(MOST_VERSIONS)
                .map(|(path, _)| *path)
                .collect(),
            // What was released already is not what is to be.
            version: said.or_else(|| own.filter(|own| Some(own) != released.as_ref())),
            changelog: nearest.map(|file| file.path.as_str()),
        }
    }

    fn name_goal(&self) -> String {
        let what = match &self.version {
            Some(version) => format!("Make {version} ready to release"),
            None => "Make it ready to release".to_owned(),
        };
        match self.folder {
            "" => what,
            folder => format!("{what} in {folder}"),
        }
    }

    fn explain(&self, gates: usize) -> String {
        let mut parts = vec![format_count(gates, "gate")];
        if let Some(last) = &self.survey.release {
            let names = shorten_names(&last.files, last.files.len(), 50);
            parts.push(match last.files.as_slice() {
                [] => format!("the last release is {}", last.tag),
                _ => format!("the last release, {}, changed {names}", last.tag),
            });
        }
        if self.version.is_none() && !self.versioned.is_empty() {
            parts.push("name the version in the goal to have it checked".to_owned());
        }
        let absent = self.checked.checks.iter();
        let absent = absent.filter(|check| !check.missing.is_empty());
        let absent: Vec<String> = absent
            .map(|check| {
                let needs = check.missing.iter().map(|need| need.name.as_str());
                let needs = needs.collect::<Vec<_>>().join(", ");
                format!("{} (missing {needs})", check.kind.as_str())
            })
            .collect();
        if !absent.is_empty() {
            parts.push(format!("not in it: {}", absent.join(", ")));
        }
        parts.join("; ")
    }

    /// In the order in which they run: what is quick first.
    fn list_gates(&self) -> Vec<Value> {
        let mut gates: Vec<Value> = Vec::new();
        if let Some(version) = &self.version {
            gates.extend(self.list_version_gates(version));
        }
        gates.extend(self.make_changelog_gate());
        gates.extend(self.make_links_gate());
        gates.extend(self.make_debug_gate());
        gates.extend(self.list_check_gates());
        gates.extend(self.make_package_gate());
        gates.retain(|gate| {
            let name = gate["name"].as_str().unwrap_or_default();
            name.chars().count() <= LONGEST_NAME
        });
        gates
    }

    /// One version everywhere.
    fn list_version_gates(&self, version: &Version) -> Vec<Value> {
        let pattern = version.to_pattern();
        let gates = self.versioned.iter().map(|path| {
            let line = match find_ending(path) {
                "json" => format!("\"version\": *\"{pattern}\""),
                _ => format!("^version *= *\"{pattern}\""),
            };
            json!({
                "name": format!("{path} has version {version}"),
                "command": format!("grep -nE {} {}", quote_word(&line), quote_word(path)),
            })
        });
        gates.collect()
    }

    /// An entry with content. Headings alone are none.
    fn make_changelog_gate(&self) -> Option<Value> {
        let path = self.changelog?;
        let file = quote_word(path);
        if find_ending(&path.to_lowercase()) == "md" {
            let (name, heading) = match &self.version {
                Some(version) => (
                    format!("{path} says what is new in {version}"),
                    format!("/[^0-9.]{}([^0-9.]|$)/", version.to_pattern()),
                ),
                None => (
                    format!("{path} says what is unreleased"),
                    "tolower($0) ~ /unreleased/".to_owned(),
                ),
            };
            let program = format!("/^##? /{{on = {heading}; next}} on");
            return Some(json!({
                "name": name,
                "command": format!("awk {} {file}", quote_word(&program)),
                "expect": {"prints": r"^[^#\n]*\w"},
            }));
        }
        let version = self.version.as_ref()?;
        let line = format!("(^|[^0-9.]){}([^0-9.]|$)", version.to_pattern());
        Some(json!({
            "name": format!("{path} names {version}"),
            "command": format!("grep -nE {} {file}", quote_word(&line)),
        }))
    }

    /// The README of the project, from the root.
    fn find_readme(&self) -> Option<&'s str> {
        let mut paths = self.survey.files.iter().map(|file| file.path.as_str());
        paths.find(|path| {
            strip_folder(path, self.folder).is_some_and(|inside| {
                !inside.contains('/') && inside.to_lowercase().starts_with("readme.")
            })
        })
    }

    /// The files that a README links to. Code in it may look like a link, so this is told and not counted.
    fn make_links_gate(&self) -> Option<Value> {
        let path = self.find_readme()?;
        let file = strip_folder(path, self.folder)?;
        if find_ending(file) != "md" {
            return None;
        }
        let program = r"{while (match($0, /\]\([^)#:? \/][^)#:? ]*[)#]/)) {print substr($0, RSTART + 2, RLENGTH - 3); $0 = substr($0, RSTART + RLENGTH)}}";
        let mut gate = json!({
            "name": format!("what {path} links to is there"),
            "command": format!("ls -d -- . $(awk {} {})", quote_word(program), quote_word(file)),
            "required": false,
        });
        self.add_folder(&mut gate);
        Some(gate)
    }

    /// The sources are not in the scope, so this is told and not counted.
    fn make_debug_gate(&self) -> Option<Value> {
        let endings: Vec<&str> = self.checked.list_endings();
        let (_, pattern) = DEBUG_CODE
            .iter()
            .find(|(known, _)| known.iter().any(|ending| endings.contains(ending)))?;
        let files = endings
            .iter()
            .map(|ending| quote_word(&format!("*.{ending}")));
        let files = files.collect::<Vec<_>>().join(" ");
        let mut gate = json!({
            "name": "no debug code",
            "command": format!("git grep -nE {} -- {files}", quote_word(pattern)),
            "expect": {"exit": 1},
            "required": false,
        });
        self.add_folder(&mut gate);
        Some(gate)
    }

    /// What builds, tests, checks types and lints it.
    fn list_check_gates(&self) -> Vec<Value> {
        let checks = self.checked.checks.iter();
        let gates = checks
            .filter(|check| check.missing.is_empty())
            .map(|check| {
                let name = match check.kind {
                    CheckKind::Build => "it builds",
                    CheckKind::Tests => "the tests pass",
                    CheckKind::Types => "the types are right",
                    CheckKind::Lint => "the linter finds nothing",
                };
                let mut gate =
                    json!({"name": name, "command": check.to_script(), "timeout": TIMEOUT});
                self.add_folder(&mut gate);
                gate
            });
        gates.collect()
    }

    /// What would be uploaded can be put together. Nothing is.
    fn make_package_gate(&self) -> Option<Value> {
        let has = |program: &str| self.survey.machine.programs.contains(program);
        let manifest = |name: &str| {
            let mut all = self.survey.manifests.iter();
            let path = match self.folder {
                "" => name.to_owned(),
                folder => format!("{folder}/{name}"),
            };
            all.find_map(|manifest| match &manifest.content {
                ManifestContent::Document(document) if manifest.path == path => Some(document),
                _ => None,
            })
        };
        let cargo = manifest("Cargo.toml").map(|document| &document["package"]);
        let is_crate = cargo.is_some_and(|it| it.is_object() && it["publish"] != false);
        let is_package = manifest("package.json")
            .is_some_and(|it| it["version"].is_string() && it["private"] != true);
        let command = if is_crate && has("cargo") {
            "cargo package --list --allow-dirty"
        } else if is_package && has("npm") {
            "npm pack --dry-run --ignore-scripts"
        } else {
            return None;
        };
        let mut gate =
            json!({"name": "the package can be listed", "command": command, "timeout": "5m"});
        self.add_folder(&mut gate);
        Some(gate)
    }

    fn add_folder(&self, gate: &mut Value) {
        if !self.folder.is_empty() {
            gate["working_directory"] = json!(self.folder);
        }
    }

    /// What the last release changed besides code, and what the gates look at.
    fn choose_scope(&self, protect: &[String]) -> Vec<String> {
        let last = self.survey.release.iter().flat_map(|last| &last.files);
        let wanted = self
            .changelog
            .into_iter()
            .chain(self.versioned.iter().copied());
        let wanted = wanted
            .chain(self.find_readme())
            .chain(last.map(String::as_str).take(MOST_FILES));
        let mut scope: Vec<String> = Vec::new();
        for path in wanted {
            let mut files = self.survey.files.iter();
            let is_there = files.any(|file| file.path == path);
            let is_code = find_stack_of(path).is_some() || path.starts_with(".github/");
            let is_protected = !match_any(protect, std::iter::once(path)).is_empty();
            let pattern = format!("/{}", escape_pattern(path));
            if is_there && !is_code && !is_protected && !scope.contains(&pattern) {
                scope.push(pattern);
            }
        }
        scope
    }
}

#[cfg(test)]
mod tests;
