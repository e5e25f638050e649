//! Owns `scan` and `init`: a survey of the repository and the machine, and the configs that it suggests.
//! Does not rank; `scan` of the core does.
//! Invariant: nothing of the repository is run, and nothing but a new config is written.

mod facts;
mod init;
mod machine;
mod manifests;
mod releases;
mod report;
mod survey;

pub use self::init::{InitReport, InitWords, init_config};
pub(crate) use self::init::{refuse_written_config, write_candidate};
pub use self::report::ScanReport;
pub use self::survey::scan_repository;
pub(crate) use self::survey::{ScannedRepository, survey_repository};
