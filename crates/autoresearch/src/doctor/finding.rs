//! Owns one finding of `doctor`: what was looked at, whether it is as it should be, and the remedy.
//! Does not look.
//! Invariant: what is not as it should be has a remedy.

use autoresearch_sys::error::Failure;
use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
pub(crate) struct DoctorFinding {
    /// What was looked at.
    pub subject: String,
    /// Is it as it should be?
    pub ok: bool,
    pub found: String,
    pub remedy: Option<String>,
}

pub(super) fn report_good(subject: &str, found: &str) -> DoctorFinding {
    DoctorFinding {
        subject: subject.to_owned(),
        ok: true,
        found: found.to_owned(),
        remedy: None,
    }
}

/// Not as it could be, and no fault either.
pub(super) fn report_note(subject: &str, found: &str, remedy: &str) -> DoctorFinding {
    DoctorFinding {
        remedy: Some(remedy.to_owned()),
        ..report_good(subject, found)
    }
}

pub(super) fn report_problem(subject: &str, found: &str, remedy: &str) -> DoctorFinding {
    DoctorFinding {
        ok: false,
        remedy: Some(remedy.to_owned()),
        ..report_good(subject, found)
    }
}

pub(super) fn report_failure(subject: &str, failure: &Failure) -> DoctorFinding {
    let found = [vec![failure.error.clone()], failure.causes.clone()]
        .concat()
        .join(": ");
    report_problem(
        subject,
        &found,
        failure.hint.as_deref().unwrap_or("see GUIDE.md"),
    )
}
