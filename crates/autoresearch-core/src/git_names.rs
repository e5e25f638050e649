//! Owns the types for what git names, so that a branch, a commit and a path cannot stand in for one another.
//! Does not ask git anything.
//! Invariant: on disk and in reports each of them is the plain text that git has for it.

mod head_target;
mod object_id;
mod ref_name;
mod repo_path;

pub use self::head_target::HeadTarget;
pub use self::object_id::{BlobId, CommitId, TreeId};
pub use self::ref_name::RefName;
pub use self::repo_path::RepoPath;
