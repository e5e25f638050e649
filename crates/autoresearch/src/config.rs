//! Owns the reading of a config file, and the part of its check that needs the repository.
//! Does not know runs.
//! Invariant: the text that was checked is the text that is frozen.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use autoresearch_core::config::{Checked, Config, Problem, Severity, check};
use autoresearch_core::globs::Globs;

use crate::env::World;
use crate::error::{Failure, Result};
use crate::git::Git;
use crate::{yaml, yardstick};

/// A config as it was read.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file's name for messages; `standard input` for `-`.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Reads a config file, or standard input for `-`. A relative path is seen from the current directory.
pub fn read(world: &World, file: &Path) -> Result<Source> {
    let (name, text) = if file == Path::new("-") {
        ("standard input".to_owned(), text_of(std::io::stdin()))
    } else {
        let opened = File::open(world.cwd.join(file));
        (file.display().to_string(), opened.and_then(text_of))
    };
    match text {
        Ok(text) => Ok(Source { name, text }),
        Err(error) => Err(Failure::config(format!("could not read the config {name}"))
            .because(&error)
            .hint(
                "`autoresearch config example lint > autoresearch.yaml` writes one to start from",
            )),
    }
}

/// The text, as far as a config could be long: a device has no end.
fn text_of(input: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    input.take(1 << 20).read_to_string(&mut text)?;
    Ok(text)
}

/// Checks the text alone: shape and meaning, with lines.
#[must_use]
pub fn check_text(source: &Source) -> Checked {
    let mut checked = match yaml::parse(&source.text) {
        Ok(document) => check(&document),
        Err(error) => Checked {
            config: None,
            problems: vec![Problem::error(
                "",
                error.to_string(),
                "mend the YAML; `autoresearch config example lint` shows a good one",
            )],
        },
    };
    for problem in &mut checked.problems {
        problem.line = yaml::line_of(&source.text, &problem.place);
    }
    checked
}

/// Checks the text, and what it says about a repository.
pub fn check_in(source: &Source, git: &Git) -> Result<Checked> {
    let mut checked = check_text(source);
    let Some(config) = &checked.config else {
        return Ok(checked);
    };
    let mut found = on_disk(config, git)?;
    found.extend(pinned_in_scope(config, git.work_tree()));
    for problem in &mut found {
        problem.line = yaml::line_of(&source.text, &problem.place);
    }
    checked.problems.append(&mut found);
    if checked
        .problems
        .iter()
        .any(|problem| problem.severity == Severity::Error)
    {
        checked.config = None;
    }
    Ok(checked)
}

/// What only the files of the repository can tell.
fn on_disk(config: &Config, git: &Git) -> Result<Vec<Problem>> {
    let (Ok(scope), Ok(protect)) = (Globs::new(&config.scope), Globs::new(&config.protect)) else {
        return Ok(Vec::new());
    };
    let files: Vec<String> = git
        .files()?
        .iter()
        .filter_map(|path| String::from_utf8(path.clone()).ok())
        .collect();
    let mut problems = Vec::new();
    let in_scope: Vec<&String> = files.iter().filter(|path| scope.matches(path)).collect();
    if in_scope.is_empty() {
        problems.push(Problem::error("scope", "the scope matches no file of the repository", "check the patterns: they start at the repository's root, and ignored files do not count"));
    }
    let both: Vec<&str> = in_scope
        .iter()
        .filter(|path| protect.matches(path))
        .map(|path| path.as_str())
        .collect();
    if !both.is_empty() {
        let shown = both.iter().take(3).copied().collect::<Vec<_>>().join(", ");
        let more = if both.len() > 3 {
            format!(" and {} more", both.len() - 3)
        } else {
            String::new()
        };
        let message = format!("protected paths lie inside the scope: {shown}{more}");
        problems.push(Problem::error(
            "protect",
            message,
            format!("take them out of the scope: add \"!{}\" to it", both[0]),
        ));
    }
    problems.extend(idle_protection(config, git, &files));
    for (key, command) in [
        ("verify", Some(&config.verify)),
        ("guard", config.guard.as_ref()),
    ] {
        let missing =
            command.filter(|command| !git.work_tree().join(&command.working_directory).is_dir());
        if let Some(command) = missing {
            let place = format!("{key}.working_directory");
            problems.push(Problem::error(
                &place,
                format!("`{}` is not a folder", command.working_directory),
                "give a folder below the repository's root",
            ));
        }
    }
    Ok(problems)
}

/// Patterns that protect nothing.
fn idle_protection(config: &Config, git: &Git, files: &[String]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, pattern) in config.protect.iter().enumerate() {
        let alone = Globs::new(std::slice::from_ref(pattern)).ok();
        let exists = |globs: &Globs| {
            files.iter().any(|path| globs.matches(path))
                || globs
                    .prefixes()
                    .iter()
                    .any(|prefix| !prefix.is_empty() && git.work_tree().join(prefix).exists())
        };
        if alone.is_some_and(|globs| !pattern.starts_with('!') && !exists(&globs)) {
            problems.push(Problem::warning(
                &format!("protect[{index}]"),
                format!("`{pattern}` matches no file"),
                "check the pattern: it protects nothing now",
            ));
        }
    }
    problems
}

/// Files that verify or guard name are pinned; in the scope that is worth a word.
fn pinned_in_scope(config: &Config, root: &Path) -> Vec<Problem> {
    let Ok(scope) = Globs::new(&config.scope) else {
        return Vec::new();
    };
    let named = yardstick::named_files(root, config)
        .into_iter()
        .map(|path| yardstick::name(root, &path));
    let inside: Vec<String> = named.filter(|name| scope.matches(name)).collect();
    inside
        .first()
        .map(|first| {
            let message = format!("verify or guard name `{}`, which the scope holds: it is pinned, and a trial that touches it is void", inside.join("`, `"));
            Problem::warning("scope", message, format!("take it out of the scope: add \"!{first}\" to it"))
        })
        .into_iter()
        .collect()
}

/// The problems as one failure.
#[must_use]
pub fn refused(source: &Source, problems: &[Problem]) -> Failure {
    let (errors, warnings): (Vec<&Problem>, Vec<&Problem>) = problems
        .iter()
        .partition(|problem| problem.severity == Severity::Error);
    let count = errors.len();
    let mut failure = Failure::config(format!("the config {} has {count} error(s)", source.name));
    let lines = |problems: Vec<&Problem>| {
        let lines = problems
            .into_iter()
            .map(|problem| line(&source.name, problem));
        lines.collect()
    };
    failure.causes = lines(errors);
    failure.warnings = lines(warnings);
    failure.hint("mend these, then run `autoresearch config check`")
}

/// A problem in one line.
#[must_use]
pub fn line(name: &str, problem: &Problem) -> String {
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
