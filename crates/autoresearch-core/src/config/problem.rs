//! Owns `Problem`: one thing that is wrong with a config, with its place and a remedy.
//! Does not find it.
//! Invariant: only an error stops a run.

/// Does a problem stop a run?
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The config cannot be used.
    Error,
    /// It can, and probably does not do what is meant.
    Warning,
}

/// One thing that is wrong with a config.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Does it stop a run?
    pub severity: Severity,
    /// The key, such as `verify.timeout`; empty for the whole file.
    pub place: String,
    /// The line in the file, counted from 1, when it is known.
    pub line: Option<usize>,
    pub message: String,
    pub remedy: String,
}

impl Problem {
    /// A problem that stops a run.
    pub fn error(place: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            place: place.to_owned(),
            line: None,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// A problem that does not.
    pub fn warning(place: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(place, message, remedy)
        }
    }
}
