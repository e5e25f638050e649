//! Owns the part of a config's check that needs the repository and the machine.
//! Does not change anything.
//! Invariant: what is an error here would make every trial void or impossible; what is a warning would not.

use std::borrow::Cow;
use std::path::Path;

use autoresearch_core::config::globs::{GlobError, Globs, without_classes};
use autoresearch_core::config::{Config, Isolation, Problem, Shell};
use autoresearch_core::shell::executed::list_executed_words;
use autoresearch_core::shell::uses::find_file_uses;
use autoresearch_core::words::text::format_count;

use crate::config::variables;
use crate::trees::editable_installs;
use crate::trees::refusals::find_refusals;
use crate::trees::viewing::could_view;
use crate::trees::wanted::choose_paths;
use crate::watch::command_files::{CommandSite, PinWhy};
use crate::watch::yardstick;
use crate::watch::yardstick::{PinChoice, UnreachedPattern};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::Git;

/// Everything that the repository and the machine tell about a config.
pub(super) fn find_disk_problems(
    world: &World,
    config: &Config,
    git: &Git,
) -> Result<Vec<Problem>> {
    let (Ok(scope), Ok(protect)) = (Globs::new(&config.scope), Globs::new(&config.protect)) else {
        return Ok(Vec::new());
    };
    let root = git.work_tree();
    let listed = git.list_files()?;
    let files: Vec<String> = listed
        .iter()
        .filter_map(|path| path.as_str().map(ToOwned::to_owned))
        .collect();
    let ignored = git.list_ignored_folders()?;
    let choice = yardstick::choose_files(&CommandSite::new(world, root), config, &ignored)
        .map_err(|error: GlobError| Failure::config(error.to_string()))?;
    let in_scope: Vec<&String> = files
        .iter()
        .filter(|path| scope.matches_path(path))
        .collect();
    let both: Vec<&str> = in_scope
        .iter()
        .filter(|path| protect.matches_path(path))
        .map(|path| path.as_str())
        .collect();
    let mut problems = find_idle_scope(config, &files, in_scope.is_empty());
    problems.extend(find_protected_in_scope(&both));
    if both.is_empty() {
        problems.extend(find_pinned_in_scope(root, &in_scope, &choice));
    }
    problems.extend(find_idle_protection(config, git, &files));
    problems.extend(choice.unreached.iter().map(describe_unreached));
    if choice.files.is_empty() {
        problems.extend(find_unpinned_scripts(config, &scope));
    }
    problems.extend(find_command_problems(world, config, root));
    problems.extend(variables::find_missed(world, config, root));
    if config.isolation == Isolation::Worktree {
        let (wanted, wrong) = choose_paths(git, &config.setup)?;
        problems.extend(wrong);
        let mut leading = find_refusals(root, config, &wanted);
        leading.extend(editable_installs::find_checkout_problems(
            world, config, root, &ignored,
        ));
        if !leading.is_empty() && !could_view(world, git, config) {
            problems.extend(leading);
        }
    }
    Ok(problems)
}

/// A pattern that does not reach all that it matches.
fn describe_unreached(unreached: &UnreachedPattern) -> Problem {
    Problem::warning(
        &unreached.place,
        format!(
            "`{}` also matches {} in folders that git ignores ({}): not pinned",
            unreached.pattern,
            format_count(unreached.count, "file"),
            autoresearch_core::words::text::shorten_names(
                &unreached.folders,
                unreached.folders.len(),
                60
            )
        ),
        format!(
            "write `/{}` for the root alone, or name an ignored folder to pin what is in it",
            unreached.pattern.trim_start_matches("**/")
        ),
    )
}

/// Endings of scripts.
const SCRIPTS: [&str; 12] = [
    ".sh", ".bash", ".py", ".js", ".mjs", ".cjs", ".ts", ".rb", ".pl", ".R", ".php", ".lua",
];

/// Commands that execute a script of which no file was found, so that nothing of what measures is pinned.
fn find_unpinned_scripts(config: &Config, scope: &Globs) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, command) in config.list_commands() {
        let text = &command.command;
        let made = find_file_uses(text).made;
        let is_script = |word: &String| {
            let is_named = SCRIPTS.iter().any(|ending| word.ends_with(ending));
            let is_hidden = word.starts_with('$') && word.contains('/');
            // A module is looked for by a path that the command does not say.
            (is_named || is_hidden) && text.contains(word.as_str()) && !made.contains(word)
        };
        let words = list_executed_words(text);
        let plain = |word: &String| scope.names_file(word.trim_start_matches("./"));
        if words.iter().any(plain) {
            continue;
        }
        if let Some(script) = words.iter().find(|word| is_script(word)) {
            problems.push(Problem::warning(
                &key,
                format!("nothing is pinned: which file `{script}` is could not be told from the command"),
                "name the script plainly, as in `sh checks/verify.sh`, or list its files under `pin`",
            ));
        }
    }
    problems
}

/// What the machine does not have.
fn find_command_problems(world: &World, config: &Config, root: &Path) -> Vec<Problem> {
    let others = [
        ("prepare", config.setup.prepare.as_ref()),
        ("notify", config.notify.as_ref()),
    ];
    let others = others
        .into_iter()
        .filter_map(|(key, command)| Some((Cow::Borrowed(key), command?)));
    let gates = config.gates.iter().enumerate();
    let uncounted = gates.filter(|(_, gate)| !config.counts_gate(gate));
    let uncounted =
        uncounted.map(|(index, gate)| (Cow::Owned(format!("gates[{index}]")), &gate.command));
    let others = others.chain(uncounted);
    let mut problems = Vec::new();
    for (key, command) in config.list_commands().into_iter().chain(others) {
        if !root.join(&command.working_directory).is_dir() {
            problems.push(Problem::error(
                &format!("{key}.working_directory"),
                format!("`{}` is not a folder", command.working_directory),
                "name a folder inside the repository",
            ));
        }
        if command.shell == Shell::Bash && World::find_program(&world.vars, "bash").is_none() {
            problems.push(Problem::error(
                &format!("{key}.shell"),
                "bash was not found on PATH",
                "install bash, or write the command for `sh` and remove `shell`",
            ));
        }
    }
    problems
}

/// Patterns of the scope that match nothing.
fn find_idle_scope(config: &Config, files: &[String], none: bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, pattern) in config.scope.iter().enumerate() {
        let bare = pattern.strip_prefix('!');
        let text = bare.unwrap_or(pattern).to_owned();
        let matches = |text: &String| {
            Globs::new(std::slice::from_ref(text))
                .is_ok_and(|globs| files.iter().any(|path| globs.matches_path(path)))
        };
        if matches(&text) {
            continue;
        }
        let place = format!("scope[{index}]");
        let message = format!("`{pattern}` matches no file of the repository");
        let plain = without_classes(&text).filter(|plain| matches(plain));
        if let Some(plain) = plain {
            let mark = if bare.is_some() { "!" } else { "" };
            problems.push(Problem::warning(
                &place,
                format!("{message}: `[...]` in a pattern matches one character, not a folder of that name"),
                format!("write '{mark}{plain}' in single quotes"),
            ));
        } else if bare.is_none() && !none {
            problems.push(Problem::warning(
                &place,
                message,
                "check the pattern: it starts at the repository's root, and ignored files do not count",
            ));
        }
    }
    if none {
        problems.push(Problem::error(
            "scope",
            "the scope matches no file of the repository",
            "check the patterns: they start at the repository's root, and ignored files do not count",
        ));
    }
    problems
}

fn find_protected_in_scope(both: &[&str]) -> Option<Problem> {
    let first = both.first()?;
    let shown = both.iter().take(3).copied().collect::<Vec<_>>().join(", ");
    let more = if both.len() > 3 {
        format!(" and {} more", both.len() - 3)
    } else {
        String::new()
    };
    Some(Problem::error(
        "protect",
        format!("protected paths lie inside the scope: {shown}{more}"),
        format!("take them out of the scope: add \"!{first}\" to it"),
    ))
}

/// Files of the scope that no trial may change: those that verify or guard execute, and those of `pin`.
fn find_pinned_in_scope(root: &Path, in_scope: &[&String], choice: &PinChoice) -> Vec<Problem> {
    let because = |path: &str| choice.files.get(&root.join(path)).copied();
    let pinned = in_scope
        .iter()
        .filter(|path| because(path).is_some())
        .count();
    let executed: Vec<&str> = in_scope
        .iter()
        .filter(|path| because(path) == Some(PinWhy::Executed))
        .map(|path| path.as_str())
        .collect();
    let shown = executed
        .iter()
        .take(3)
        .copied()
        .collect::<Vec<_>>()
        .join("`, `");
    let more = if executed.len() > 3 {
        format!(" and {} more", executed.len() - 3)
    } else {
        String::new()
    };
    if pinned > 0 && pinned == in_scope.len() {
        let (message, remedy) = match executed.first() {
            Some(first) => (
                format!(
                    "every file of the scope is pinned (`{shown}`{more}: verify or guard execute it or take rules from it), so no trial could change anything"
                ),
                format!(
                    "if `{first}` is what trials are to change, name it in the scope without a wildcard: \"{first}\"; else widen the scope"
                ),
            ),
            None => (
                "every file of the scope is pinned, so no trial could change anything".to_owned(),
                "widen the scope, or take patterns out of `pin`".to_owned(),
            ),
        };
        return vec![Problem::error("scope", message, remedy)];
    }
    let Some(first) = executed.first() else {
        return Vec::new();
    };
    let message = format!(
        "verify or guard execute `{shown}`{more} or take rules from it, and the scope holds it: a trial that changes it is void"
    );
    let remedy = format!(
        "take it out: add \"!{first}\" to the scope; or, if trials are to change it, name it there without a wildcard: \"{first}\""
    );
    vec![Problem::warning("scope", message, remedy)]
}

/// Patterns of `protect` and `pin` that match nothing.
fn find_idle_protection(config: &Config, git: &Git, files: &[String]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, patterns) in [("protect", &config.protect), ("pin", &config.pin)] {
        for (index, pattern) in patterns.iter().enumerate() {
            let alone = Globs::new(std::slice::from_ref(pattern)).ok();
            let exists = |globs: &Globs| {
                files.iter().any(|path| globs.matches_path(path))
                    || globs
                        .literal_prefixes()
                        .iter()
                        .any(|prefix| !prefix.is_empty() && git.work_tree().join(prefix).exists())
            };
            if alone.is_some_and(|globs| !pattern.starts_with('!') && !exists(&globs)) {
                problems.push(Problem::warning(
                    &format!("{key}[{index}]"),
                    format!("`{pattern}` matches no file"),
                    "check the pattern: it protects nothing now",
                ));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests;
