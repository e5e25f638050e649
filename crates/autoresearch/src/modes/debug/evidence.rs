//! Owns the look at a place in a file: does the quotation stand there?
//! Does not run anything, and follows no link out of the repository.
//! Invariant: a place is found in the commit of HEAD or in the work tree, and which of them is said.

use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use autoresearch_core::git_names::RepoPath;
use autoresearch_core::journal::chain::hash_bytes;
use autoresearch_core::ledger::evidence::{FileState, Place};
use autoresearch_core::ledger::orders::ClaimedPlace;
use autoresearch_core::ledger::quote::{Quote, QuoteFound};
use autoresearch_core::words::text::{clip_text, escape_text};
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::history::TreeContent;
use autoresearch_sys::git::is_behind_link;
use autoresearch_sys::regular_files::read_file;

use super::scene::SearchScene;

/// A longer file is no source.
const MOST: u64 = 16 << 20;
/// So much of a quotation is recorded.
const MOST_QUOTED: usize = 2_000;

/// A file as one of the two states has it.
struct SeenFile {
    text: String,
    state: FileState,
}

impl SearchScene<'_> {
    /// Looks at a place that somebody names.
    pub(super) fn look_at_place(&self, claimed: &ClaimedPlace) -> Result<Place> {
        let shown = escape_text(&claimed.path);
        let quote = Quote::read(&claimed.quote).ok_or_else(|| {
            Failure::usage(format!("the quotation for {shown} is empty or too short"))
                .hint("nothing was recorded. Quote what stands there, at least three letters of it")
        })?;
        let path = self.resolve_path(&claimed.path)?;
        let seen = self.read_states(&path)?;
        if seen.is_empty() {
            return Err(Failure::usage(format!("there is no file {shown} in the repository"))
                .hint("nothing was recorded. Name a file that git tracks or would track, from the current folder or from the root of the repository"));
        }
        let found: Vec<QuoteFound> = seen
            .iter()
            .map(|file| quote.find_in(&file.text, claimed.line))
            .collect();
        // The line that was named, in either state, before another line.
        let there = found.iter().position(|found| *found == QuoteFound::There);
        let chosen = there.or_else(|| {
            let is_moved = |found: &QuoteFound| matches!(found, QuoteFound::Moved(_));
            found.iter().position(is_moved)
        });
        let Some(index) = chosen else {
            return Err(refuse_quote(claimed, &found));
        };
        let (line, moved_from) = match found[index] {
            QuoteFound::Moved(line) => (line, Some(claimed.line)),
            _ => (claimed.line, None),
        };
        Ok(Place {
            path: path.to_text().into_owned(),
            line,
            moved_from,
            quote: clip_text(claimed.quote.trim(), MOST_QUOTED),
            found_in: seen[index].state.clone(),
        })
    }

    /// A path from the repository's root; it may be typed from the current folder.
    fn resolve_path(&self, typed: &str) -> Result<RepoPath> {
        let root = &self.root;
        let typed = Path::new(typed);
        let here = self.here.join(typed);
        let from = [here, root.join(typed)];
        let inside = from.iter().filter_map(|path| {
            let clean = clean_path(path)?;
            Some(clean.strip_prefix(root).ok()?.to_owned())
        });
        let mut inside: Vec<PathBuf> = inside.collect();
        // The one that is there; the first otherwise, for the message.
        inside.sort_by_key(|path| !root.join(path).is_file());
        let path = inside.into_iter().next();
        let path = path.filter(|path| !path.as_os_str().is_empty() && !path.starts_with(".git"));
        let path = path.ok_or_else(|| {
            let shown = escape_text(&typed.to_string_lossy());
            Failure::usage(format!("{shown} lies outside the repository"))
                .hint("nothing was recorded. Name a file of the repository")
        })?;
        Ok(RepoPath::new(path.as_os_str().as_bytes()))
    }

    /// The file in the commit of HEAD, and in the work tree where that differs.
    fn read_states(&self, path: &RepoPath) -> Result<Vec<SeenFile>> {
        let mut seen = Vec::new();
        let commit = &self.site.base;
        let content = self.site.history.read_content(commit, path)?;
        let committed = match content {
            Some(TreeContent::File(_)) => Some(self.site.git.read_checked_out(commit, path)?),
            _ => None,
        };
        if let Some(bytes) = &committed {
            seen.push(SeenFile {
                text: String::from_utf8_lossy(bytes).into_owned(),
                state: FileState::Commit(commit.clone()),
            });
        }
        let place = self.root.join(path.as_path());
        let is_own = !is_behind_link(&self.root, path.as_path())
            && place.symlink_metadata().is_ok_and(|meta| meta.is_file());
        let here = is_own.then(|| read_file(&place, MOST).ok()).flatten();
        if let Some(bytes) = here.filter(|bytes| Some(bytes) != committed.as_ref()) {
            seen.push(SeenFile {
                text: String::from_utf8_lossy(&bytes).into_owned(),
                state: FileState::WorkTree(hash_bytes(&bytes)),
            });
        }
        Ok(seen)
    }
}

/// A path without `.` and `..`, whatever is there.
fn clean_path(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !clean.pop() {
                    return None;
                }
            }
            part => clean.push(part),
        }
    }
    Some(clean)
}

fn refuse_quote(claimed: &ClaimedPlace, found: &[QuoteFound]) -> Failure {
    let (path, line) = (escape_text(&claimed.path), claimed.line);
    // The work tree is what somebody looks at now.
    let there = match found.last() {
        Some(QuoteFound::Missing(Some(there))) => {
            format!("line {line} is: {}", escape_text(there))
        }
        _ => format!("it has no line {line}"),
    };
    Failure::usage(format!("the quotation does not stand in {path}: {there}"))
        .hint("nothing was recorded. Read the file again, and quote what stands there")
}
