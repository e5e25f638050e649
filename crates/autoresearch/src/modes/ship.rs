//! Owns mode ship: the gates of a release are run, and become a checklist.
//! Does not release anything, and makes no run.
//! Invariant: a gate passes because its command ran here and did what the config expects, and for no other reason.

mod check;
mod checklist;
mod report;

pub use self::check::{ShipWords, check_gates};
pub(crate) use self::checklist::is_checklist_folder;
