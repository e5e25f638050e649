//! Owns the proposals for a run: from facts about a repository and a machine to configs, ranked by a sentence.
//! Does not read a file or look for a program: it gets the facts.
//! Invariant: nothing of the repository is run to make a proposal, and each proposed config passes the check of `config`.

mod block_text;
mod candidate;
mod check_kind;
mod checks;
mod commands;
mod goal;
mod makefile;
mod manifest;
mod names;
mod patterns;
mod project;
mod ranking;
mod release;
mod stack;
mod survey;
mod version;

pub use self::block_text::format_config_text;
pub use self::candidate::Candidate;
pub use self::check_kind::CheckKind;
pub use self::checks::{Check, CheckedProject, STATUS_RUNS, WantedProject};
pub use self::goal::{Aim, Wish, find_metric_aim, read_wish};
pub use self::manifest::{Manifest, ManifestContent};
pub use self::project::{MissingNeed, list_installed_places};
pub use self::ranking::{Proposals, count_quoted, propose_configs};
pub use self::stack::{CountedPattern, Stack, list_stacks};
pub use self::survey::{
    Language, LastRelease, Machine, Survey, SurveyFile, find_stack_of, list_counts_of,
    list_programs,
};
pub use self::version::{Version, find_version};

#[cfg(test)]
mod tests;
