//! Owns the door to the files of a run: where they are, the journal with its anchor, the lock, the views made from it.
//! Does not decide what is recorded, and never touches git.
//! Invariant: nothing of a run is believed or executed unless the anchor outside the repository agrees with it.

mod access;
mod anchor;
mod checkpoint;
pub(crate) mod disk;
mod error;
mod holder;
mod journal;
mod layout;
mod lock;
mod made;
mod notes;
mod outputs;
mod phase;
mod pinned;
pub mod removal;
mod run_store;
mod scratch;
mod session;
mod trust;
mod unseen;
mod views;

pub use self::access::Access;
pub use self::anchor::listing::{list_anchors, read_remembered_state};
pub use self::anchor::{ANCHOR_FORMAT, Anchor};
pub use self::disk::{
    Disk, FileSignature, RealDisk, append_line, encode_json, encode_pretty_json, read_output,
    write_output,
};
pub use self::error::{FORMAT, StoreError};
pub use self::holder::Holder;
pub use self::journal::{Journal, JournalRepair};
pub use self::layout::{CreatedFolders, FOLDER, Layout, anchor_folder, list_anchor_folders};
pub use self::lock::{HeldLock, find_holder, lock_folder, take_lock};
pub use self::made::MadeNote;
pub use self::made::tree_note::{TreeKind, TreeNote, tree_note_folder};
pub use self::notes::TreeNotes;
pub use self::outputs::{
    OPEN_ITEMS, OutputTail, cut_middle, read_open_items, read_output_tails, write_open_items,
};
pub use self::phase::{PhaseNote, TrialPhase, find_acting_holder};
pub use self::pinned::holdout::{
    HoldoutNote, accept_bound, make_holdout_folder, write_holdout_reason,
};
pub use self::pinned::{
    DirtyFiles, EmptyPlaces, FileNotes, Pin, Pinned, PinnedMatches, PinnedRules, SealedSecret,
    path_from_key, path_to_key,
};
pub use self::run_store::RunStore;
pub(crate) use self::run_store::find_run_id;
pub use self::trust::check_folder_trust;
pub use self::unseen::{KnownFile, UnseenFiles};

#[cfg(test)]
pub(crate) use self::scratch::make_world as scratch_world;

#[cfg(test)]
mod tests;
