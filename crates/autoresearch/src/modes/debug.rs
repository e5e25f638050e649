//! Owns mode debug: the search for a cause as a ledger, whose evidence the tool saw itself.
//! Does not change a file, a branch or a commit of the user's.
//! Invariant: a claim whose evidence is not there is refused with what is there, and leaves no record.

mod evidence;
mod experiment;
mod experiment_tree;
mod orders;
mod report;
mod reproduction;
mod scene;
mod search;

pub use self::experiment::Enclosure;
pub(crate) use self::orders::carry_out_registered;
pub use self::orders::{OrderAnswer, answer_order};
pub use self::report::DebugReport;
pub use self::reproduction::{FixReport, write_fix};
pub use self::search::{list_searches, show_search};
