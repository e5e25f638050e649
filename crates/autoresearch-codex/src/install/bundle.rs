//! Owns the skill bundle that is built into the binary.
//! Does not put it anywhere.
//! Invariant: it is the whole of the repository's `skill/codex-autoresearch`.

/// A file of the bundle.
#[derive(Clone, Copy, Debug)]
pub(super) struct BundleFile {
    /// Its path below the skill's folder.
    pub name: &'static str,
    /// Is it a program?
    pub executable: bool,
    pub bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/bundle.rs"));
