//! Owns what a person asks of `fix check`.
//! Does not act on it.
//! Invariant: repeated in a next step, it means the same.

use std::path::PathBuf;
use std::time::Duration;

use autoresearch_core::config::span::format_span;
use autoresearch_core::shell::quote::quote_word;

/// How long each check may run, where nothing else is said.
const LIMIT: Duration = Duration::from_mins(15);

/// What a person asks of `fix check`.
#[derive(Clone, Debug)]
pub struct FixWords {
    /// The project's folder, from where it is called.
    pub folder: Option<PathBuf>,
    /// A part of the title of its stack.
    pub stack: Option<String>,
    /// For each check.
    pub limit: Duration,
    /// Is the config written?
    pub write: bool,
    /// Is nothing run?
    pub dry_run: bool,
}

impl FixWords {
    /// The options that a second call needs to mean the same.
    pub(super) fn repeat(&self) -> String {
        let folder = self.folder.as_ref().map(|folder| folder.to_string_lossy());
        let limit = (self.limit != LIMIT).then(|| format_span(self.limit));
        let options = [
            ("folder", folder.as_deref()),
            ("stack", self.stack.as_deref()),
            ("timeout", limit.as_deref()),
        ];
        let typed = options.iter().filter_map(|(name, value)| {
            let value = quote_word((*value)?);
            Some(format!(" --{name} {value}"))
        });
        typed.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_call_means_the_same_project_and_the_same_limit() {
        let words = |folder: Option<&str>, stack: Option<&str>, limit| {
            FixWords {
                folder: folder.map(std::path::PathBuf::from),
                stack: stack.map(ToOwned::to_owned),
                limit,
                write: true,
                dry_run: false,
            }
            .repeat()
        };
        assert_eq!(words(None, None, LIMIT), "");
        let hour = Duration::from_hours(1);
        assert_eq!(
            words(Some("we b"), Some("python"), hour),
            " --folder 'we b' --stack python --timeout 1h"
        );
    }
}
