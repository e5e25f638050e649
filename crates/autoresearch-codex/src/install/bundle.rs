//! Owns the skill bundle that is built into the binary.
//! Does not put it anywhere.
//! Invariant: it is the whole of the repository's `skill/codex-autoresearch`.

use autoresearch_sys::embedded::list_embedded_files;
use include_dir::{Dir, include_dir};

static FOLDER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../skill/codex-autoresearch");

/// A file of the bundle.
pub(super) struct BundleFile {
    /// Its path below the skill's folder.
    pub name: &'static str,
    pub bytes: &'static [u8],
    pub mode: u32,
}

/// All files, in the order of their paths. Those below `scripts` can be executed.
pub(super) fn list_bundle_files() -> Vec<BundleFile> {
    let files = list_embedded_files(&FOLDER).into_iter();
    files
        .map(|(name, bytes)| BundleFile {
            name,
            bytes,
            mode: if name.starts_with("scripts/") {
                0o755
            } else {
                0o644
            },
        })
        .collect()
}
