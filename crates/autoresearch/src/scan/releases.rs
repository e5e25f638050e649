//! Owns the look for the last release: the newest tag with a version that HEAD holds, and what its commit changed.
//! Does not know what follows from it.
//! Invariant: a repository whose tags cannot be read has no release, and the scan goes on.

use autoresearch_core::scan::{LastRelease, Version, find_version};
use autoresearch_core::words::text::escape_text;
use autoresearch_sys::git::history::History;

/// No more tags are looked at, the newest versions first.
const MOST_TAGS: usize = 50;
/// No more files are told.
const MOST_FILES: usize = 200;

/// The last release, where git knows one.
pub(super) fn find_last_release(history: &History) -> Option<LastRelease> {
    let head = history.read_head().ok()?.commit?;
    let tags = history.list_tags().ok()?;
    let mut versions: Vec<(Version, String, _)> = tags
        .into_iter()
        .filter(|(name, _)| escape_text(name) == *name)
        .filter_map(|(name, commit)| Some((find_version(&name)?, name, commit)))
        .collect();
    versions.sort_by(|one, other| other.0.compare(&one.0).then(one.1.cmp(&other.1)));
    let mut newest = versions.into_iter().take(MOST_TAGS);
    let (_, tag, commit) =
        newest.find(|(_, _, commit)| history.is_merged(commit, &head).unwrap_or(false))?;
    let parent = history.parent_of(&commit).ok().flatten();
    let changed = parent.and_then(|parent| history.changed_paths(&parent, &commit).ok());
    let files = changed.into_iter().flatten().filter_map(|path| {
        let path = path.as_str()?;
        (escape_text(path) == path).then(|| path.to_owned())
    });
    Some(LastRelease {
        tag,
        files: files.take(MOST_FILES).collect(),
    })
}
