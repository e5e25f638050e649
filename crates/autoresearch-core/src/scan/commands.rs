//! Owns the filling of a table's command with the words of a project.
//! Does not run it.
//! Invariant: what comes from the repository is quoted and no option; a command that lacks a word is no command.

use crate::scan::check_kind::CheckKind;
use crate::scan::patterns::{FilePatterns, escape_pattern};
use crate::scan::project::Project;
use crate::shell::quote::quote_word;

/// The folder for reports and builds, which ignores itself.
pub(super) const OUT: &str = ".measured";

/// What a name between braces stands for.
enum FoundWord {
    /// A word; `None` where the project has none.
    Known(Option<String>),
    /// It is not the name of a word.
    Unknown,
}

/// Fills commands of one project.
pub(super) struct CommandWords<'p, 's> {
    pub project: &'p Project<'s>,
    pub patterns: &'p FilePatterns,
}

/// A path as one word, which no program takes for an option.
fn quote_file(path: &str) -> String {
    if path.starts_with('-') {
        quote_word(&format!("./{path}"))
    } else {
        quote_word(path)
    }
}

/// A text with what is found for the names between its braces.
fn fill_text(text: &str, find: impl Fn(&str) -> FoundWord) -> Option<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let (before, behind) = rest.split_at(start);
        filled.push_str(before);
        let end = behind.find('}')?;
        match find(&behind[1..end]) {
            FoundWord::Known(word) => filled.push_str(&word?),
            // Braces of the shell and of awk.
            FoundWord::Unknown => filled.push_str(&behind[..=end]),
        }
        rest = &behind[end + 1..];
    }
    filled.push_str(rest);
    Some(filled)
}

impl CommandWords<'_, '_> {
    /// A command with its words; `None` where the project lacks one.
    pub(super) fn fill_command(&self, text: &str) -> Option<String> {
        fill_text(text, |name| self.find_word(name))
    }

    /// A pattern with the names of what is built, each literally; `None` where the project lacks one.
    pub(super) fn fill_pattern(&self, text: &str) -> Option<String> {
        self.fill_names(text, escape_pattern)
    }

    /// A path with the names of what is built as they are; `None` where the project lacks one.
    pub(super) fn fill_path(&self, text: &str) -> Option<String> {
        self.fill_names(text, ToOwned::to_owned)
    }

    fn fill_names(&self, text: &str, write: fn(&str) -> String) -> Option<String> {
        fill_text(text, |name| match name {
            "exe" => FoundWord::Known(
                self.project
                    .facts
                    .executables
                    .first()
                    .map(|name| write(name)),
            ),
            name => self.find_word(name),
        })
    }

    fn find_word(&self, name: &str) -> FoundWord {
        let facts = &self.project.facts;
        let first = |names: &[String]| names.first().map(|name| quote_word(name));
        if let Some(tool) = name.strip_prefix("tool:") {
            let found = self.project.find_tool(tool);
            return FoundWord::Known(Some(quote_word(found.as_deref().unwrap_or(tool))));
        }
        FoundWord::Known(match name {
            "out" => Some(OUT.to_owned()),
            "exe" => first(&facts.executables),
            "bench" => first(&facts.benches),
            "goal" => facts.find_goal().map(quote_file),
            "src" => Some(self.name_sources()),
            "test" => self.choose_test(),
            "main" => self.find_main_folder(),
            "script" => self.find_bench_script(),
            name => {
                if !self.project.stack.words.contains_key(name) {
                    return FoundWord::Unknown;
                }
                let chosen = self.project.choose_word(name);
                chosen.and_then(|command| self.fill_command(&command.command))
            }
        })
    }

    /// The command of the tests.
    pub(super) fn choose_test(&self) -> Option<String> {
        let command = self.project.choose_check(&[CheckKind::Tests])?;
        self.fill_command(&command.command)
    }

    /// The folders of the sources as words, or where the command runs.
    fn name_sources(&self) -> String {
        let folders = &self.patterns.source_folders;
        if folders.is_empty() {
            return ".".to_owned();
        }
        let quoted: Vec<String> = folders.iter().map(|folder| quote_file(folder)).collect();
        quoted.join(" ")
    }

    /// The folder of a Go program: `./cmd/app`, or `.`.
    fn find_main_folder(&self) -> Option<String> {
        let parts = self.project.files.iter();
        let parts = parts.map(|file| file.rsplit_once('/').unwrap_or(("", file)));
        let mut mains = parts.filter(|(_, name)| *name == "main.go");
        let fits = |folder: &str| matches!(folder, "" | "cmd") || folder.starts_with("cmd/");
        let (folder, _) = mains.find(|(folder, _)| fits(folder))?;
        Some(quote_word(&format!("./{folder}")))
    }

    /// A script that looks like a benchmark.
    fn find_bench_script(&self) -> Option<String> {
        let endings = &self.project.stack.endings;
        let is_bench = |file: &&&str| {
            let name = file.rsplit('/').next().unwrap_or(file);
            let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
            let named = ["bench", "benchmark"].iter().any(|word| {
                stem == *word
                    || stem.starts_with(&format!("{word}_"))
                    || stem.starts_with(&format!("{word}-"))
            });
            named && endings.iter().any(|known| known == ending)
        };
        self.project
            .files
            .iter()
            .find(is_bench)
            .map(|file| quote_file(file))
    }
}

#[cfg(test)]
mod tests;
