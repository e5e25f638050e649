//! Owns the door to git: everything that writes is the git program.
//! Does not decide what may be committed.
//! Invariant: only the given paths enter a commit; no `add -A`, no stash, no clean, no hard reset.

mod branches;
mod commit;
mod differences;
mod error;
mod files;
pub mod history;
mod index_file;
pub mod locks;
mod merging;
mod messages;
mod private_index;
mod program;
mod reading;
mod remembered;
pub mod rules;
mod scratch;
pub mod status;
pub mod surroundings;
pub mod variables;
pub mod worktrees;

pub use self::commit::{Hooks, NewCommit, RefusedPath, is_behind_link};
pub use self::differences::FileDifference;
pub use self::error::{GitError, StopCause};
pub use self::files::IndexEntry;
pub use self::index_file::IndexSnapshot;
pub use self::merging::{FileChange, MergeResult};
pub use self::private_index::{IndexDifference, PrivateIndex};
pub use self::program::{Git, is_read_only};
pub use self::remembered::GitGround;

/// The oldest git with everything that is used here (`git hook run`, `status --porcelain=v2`).
pub const OLDEST: (u32, u32) = (2, 36);

#[cfg(test)]
mod tests;
