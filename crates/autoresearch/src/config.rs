//! Owns the reading of a config file, and the part of its check that needs the repository.
//! Does not know runs.
//! Invariant: the text that was checked is the text that is frozen, but for the holdout, which is in no frozen text.

mod holdout_files;
mod on_disk;
pub mod templates;
pub mod variables;

use std::borrow::Cow;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use autoresearch_core::config::{CheckedConfig, Problem, Severity, check_config};
use autoresearch_core::shell::quote::quote_word;
use autoresearch_core::words::text::format_count;
use serde_json::{Map, Value, json};

pub(crate) use self::holdout_files::{list_holdout_files, list_secret_places};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::Git;
use autoresearch_sys::yaml;

/// The config that is read where none is named.
pub const CONFIG_FILE: &str = "autoresearch.yaml";
/// The name of a config that `-` reads.
const STANDARD_INPUT: &str = "standard input";

/// A config as it was read.
#[derive(Clone, Debug)]
pub struct ConfigSource {
    /// The file's name for messages; `standard input` for `-`.
    pub name: String,
    pub text: String,
    /// Where its file is, if it has one.
    pub path: Option<PathBuf>,
    /// Was it put together, so that its lines are in no file?
    pub merged: bool,
}

impl ConfigSource {
    /// The text that is frozen where the agent reads it. Without its holdout it is written anew: a remark beside it may
    /// say as much.
    #[must_use]
    pub fn frozen_text(&self) -> Cow<'_, str> {
        let mut document = yaml::parse_yaml(&self.text).unwrap_or_default();
        let fields = document.as_object_mut();
        let taken = fields.and_then(|fields| fields.remove("holdout"));
        match taken {
            Some(_) => Cow::Owned(format!("{document:#}\n")),
            None => Cow::Borrowed(&self.text),
        }
    }
}

/// Reads a config file, or standard input for `-`. A relative path is seen from the current directory.
pub fn read_config(world: &World, file: &Path) -> Result<ConfigSource> {
    let (name, path, text) = if file == Path::new("-") {
        let text = read_config_text(std::io::stdin());
        (STANDARD_INPUT.to_owned(), None, text)
    } else {
        let path = world.cwd.join(file);
        let text = File::open(&path).and_then(read_config_text);
        (file.display().to_string(), Some(path), text)
    };
    match text {
        Ok(text) => Ok(ConfigSource {
            name,
            text,
            path,
            merged: false,
        }),
        Err(error) => {
            let failure =
                Failure::config(format!("could not read the config {name}")).because(&error);
            // Only where there is none: the example would overwrite a file that is merely in another encoding.
            Err(match error.kind() {
                ErrorKind::NotFound => failure.hint(
                    "`autoresearch config example lint > autoresearch.yaml` writes one to start from",
                ),
                ErrorKind::InvalidData => failure.hint("save it as UTF-8"),
                _ => failure,
            })
        }
    }
}

/// Puts a config together: a file's, overlaid by fields.
pub fn merge_config(
    file: Option<ConfigSource>,
    fields: Map<String, Value>,
) -> Result<ConfigSource> {
    let (name, path, mut document) = match file {
        Some(source) => {
            let document = yaml::parse_yaml(&source.text).map_err(|error| {
                Failure::config(format!("{} is not YAML", source.name)).because(&error)
            })?;
            (source.name, source.path, document)
        }
        None => ("made of the flags".to_owned(), None, json!({})),
    };
    if !document.is_object() {
        return Err(Failure::config(format!(
            "{name} is not a block of `key: value` lines"
        )));
    }
    // The only command that may be written as its text alone.
    if let Some(command) = document["prepare"].as_str() {
        document["prepare"] = json!({"command": command});
    }
    for (key, value) in fields {
        overlay_value(&mut document[key.as_str()], value);
    }
    // JSON is YAML: the text that is frozen is the text that is checked.
    let text = serde_json::to_string_pretty(&document).map_err(|error| {
        Failure::config(format!("{name} and the flags do not make a config")).because(&error)
    })?;
    Ok(ConfigSource {
        name,
        text,
        path,
        merged: true,
    })
}

/// A block is filled key by key, everything else is replaced.
fn overlay_value(under: &mut Value, over: Value) {
    match over {
        Value::Object(fields) if under.is_object() || under.is_null() => {
            if under.is_null() {
                *under = json!({});
            }
            for (key, value) in fields {
                overlay_value(&mut under[key.as_str()], value);
            }
        }
        value => *under = value,
    }
}

/// The text, as far as a config could be long: a device has no end.
fn read_config_text(input: impl Read) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    input.take(1 << 20).read_to_end(&mut bytes)?;
    // Some editors begin a file with a mark of its encoding.
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        bytes = rest.to_vec();
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(std::io::Error::new(
            ErrorKind::InvalidData,
            "it is UTF-16, as its byte order mark says",
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        std::io::Error::new(ErrorKind::InvalidData, format!("it is not UTF-8: {error}"))
    })
}

/// Checks the text alone: shape and meaning, with lines.
#[must_use]
pub fn check_config_text(source: &ConfigSource) -> CheckedConfig {
    let mut checked = match yaml::parse_yaml(&source.text) {
        Ok(document) => check_config(&document),
        Err(error) => CheckedConfig {
            config: None,
            holdout: None,
            problems: vec![Problem::error(
                "",
                error.to_string(),
                "fix the YAML; `autoresearch config example lint` shows a good one",
            )],
        },
    };
    for problem in &mut checked.problems {
        problem.line = find_problem_line(source, &problem.place);
    }
    checked
}

/// The line of a key in the file, if its text is the file's.
fn find_problem_line(source: &ConfigSource, place: &str) -> Option<usize> {
    (!source.merged)
        .then(|| yaml::find_line_of(&source.text, place))
        .flatten()
}

/// Checks the text, and what it says about a repository and this machine.
pub fn check_config_in(world: &World, source: &ConfigSource, git: &Git) -> Result<CheckedConfig> {
    let mut checked = check_config_text(source);
    let Some(config) = &checked.config else {
        return Ok(checked);
    };
    let mut found = on_disk::find_disk_problems(world, config, git)?;
    if let Some(holdout) = &checked.holdout {
        let (root, file) = (git.work_tree(), source.path.as_deref());
        let about = holdout_files::find_holdout_problems(world, root, file, (config, holdout));
        found.extend(about);
    }
    for problem in &mut found {
        problem.line = find_problem_line(source, &problem.place);
    }
    checked.problems.append(&mut found);
    if checked
        .problems
        .iter()
        .any(|problem| problem.severity == Severity::Error)
    {
        checked.config = None;
        checked.holdout = None;
    }
    Ok(checked)
}

/// The problems as one failure.
#[must_use]
pub fn config_error(source: &ConfigSource, problems: &[Problem]) -> Failure {
    let (errors, warnings): (Vec<&Problem>, Vec<&Problem>) = problems
        .iter()
        .partition(|problem| problem.severity == Severity::Error);
    let count = errors.len();
    let mut failure = Failure::config(format!(
        "the config {} has {}",
        source.name,
        format_count(count, "error")
    ));
    let lines = |problems: Vec<&Problem>| {
        let lines = problems
            .into_iter()
            .map(|problem| format_problem(&source.name, problem));
        lines.collect()
    };
    failure.causes = lines(errors);
    failure.warnings = lines(warnings);
    failure.hint(format!("fix these, then {}", name_next_check(source)))
}

/// The command that looks at a mended config: what is in no file can only be given again.
fn name_next_check(source: &ConfigSource) -> String {
    if source.merged || source.name == STANDARD_INPUT {
        return "run the command again".to_owned();
    }
    format!(
        "run `autoresearch config check {}`",
        quote_word(&source.name)
    )
}

/// A problem in one line.
#[must_use]
pub fn format_problem(name: &str, problem: &Problem) -> String {
    let place = match (problem.line, problem.place.is_empty()) {
        (Some(line), _) => format!("{name}:{line}: {}: ", problem.place),
        (None, false) => format!("{name}: {}: ", problem.place),
        (None, true) => format!("{name}: "),
    };
    let severity = if problem.severity == Severity::Warning {
        "warning: "
    } else {
        ""
    };
    format!("{severity}{place}{} -> {}", problem.message, problem.remedy)
}

#[cfg(test)]
mod tests;
