//! Owns the reading of manifests: JSON and TOML become documents, all else stays text.
//! Does not know what they mean.
//! Invariant: a manifest that is broken, too long or not text says nothing, and stops nothing.

use std::path::Path;

use autoresearch_core::config::globs::Globs;
use autoresearch_core::scan::{Manifest, ManifestContent, list_stacks};
use autoresearch_sys::regular_files::{open_unlinked, read_whole};
use autoresearch_sys::toml::parse_toml;

/// No manifest is longer.
const MOST: u64 = 1 << 20;

/// Is a file one that describes a project?
pub(super) fn is_manifest(path: &str) -> bool {
    use std::sync::LazyLock;
    static NAMES: LazyLock<Option<Globs>> = LazyLock::new(|| {
        let names = list_stacks()
            .iter()
            .flat_map(|stack| stack.manifests.clone());
        Globs::new(&names.collect::<Vec<_>>()).ok()
    });
    let name = path.rsplit('/').next().unwrap_or(path);
    NAMES.as_ref().is_some_and(|names| names.matches_path(name))
}

/// What a manifest holds, as far as it can be read.
pub(super) fn read_manifest(root: &Path, path: &str) -> Option<Manifest> {
    let opened = open_unlinked(&root.join(path)).ok()?;
    let text = String::from_utf8(read_whole(&opened, MOST).ok()?).ok()?;
    let content = if has_ending(path, "json") {
        ManifestContent::Document(serde_json::from_str(&text).ok()?)
    } else if has_ending(path, "toml") {
        ManifestContent::Document(parse_toml(&text)?)
    } else {
        ManifestContent::Text(text)
    };
    Some(Manifest {
        path: path.to_owned(),
        content,
    })
}

fn has_ending(path: &str, ending: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|found| found == ending)
}

#[cfg(test)]
mod tests;
