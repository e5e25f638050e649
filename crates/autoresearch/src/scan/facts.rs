//! Owns the reading of a repository's files for a survey: what there is, what manifests say, what can be counted.
//! Does not run anything, and follows no link.
//! Invariant: what is read is bounded, and a name that no command line should hold is left out.

use std::fs::File;
use std::path::Path;

use autoresearch_core::git_names::RepoPath;
use autoresearch_core::metric::matches::MatchPattern;
use autoresearch_core::scan::{
    CountedPattern, Stack, Survey, SurveyFile, find_stack_of, list_counts_of,
};
use autoresearch_core::words::text::escape_text;
use autoresearch_sys::git::is_behind_link;
use autoresearch_sys::regular_files::{open_unlinked, read_into};

use super::manifests::{is_manifest, read_manifest};

/// No more files are looked at.
const MOST_FILES: usize = 200_000;
/// No more manifests are read.
const MOST_MANIFESTS: usize = 300;
/// No more bytes of manifests are read: what they hold stays in memory.
const MOST_MANIFEST_BYTES: u64 = 16 << 20;
/// No longer source is read.
const MOST_SOURCE: u64 = 1 << 20;
/// No more bytes of sources are read.
const MOST_SOURCES: u64 = 64 << 20;
/// No longer path is put into a command.
const MOST_PATH: usize = 300;

/// The patterns of a stack, ready to count.
struct StackCounter {
    stack: &'static str,
    patterns: Vec<(String, MatchPattern)>,
}

/// Tells which files lie behind a linked folder: git lists a file still where a link has taken the place of its folder.
struct LinkedFolders<'r> {
    root: &'r Path,
    /// The folder that was looked at last: files of a folder are listed one after the other.
    last: Option<(String, bool)>,
}

impl<'r> LinkedFolders<'r> {
    fn new(root: &'r Path) -> Self {
        Self { root, last: None }
    }

    fn hold(&mut self, path: &str) -> bool {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if let Some((last, is_linked)) = &self.last
            && last == folder
        {
            return *is_linked;
        }
        let is_linked = is_behind_link(self.root, Path::new(path));
        self.last = Some((folder.to_owned(), is_linked));
        is_linked
    }
}

/// Reads what a survey needs of the listed files. `wanted` is counted in all sources too.
pub(super) fn read_survey(
    root: &Path,
    listed: &[RepoPath],
    wanted: Option<&CountedPattern>,
) -> Survey {
    let mut survey = Survey {
        is_counted: listed.len() <= MOST_FILES,
        ..Survey::default()
    };
    let mut counters: Vec<StackCounter> = Vec::new();
    let mut bytes = Vec::new();
    let (mut left, mut left_of_manifests) = (MOST_SOURCES, MOST_MANIFEST_BYTES);
    let mut linked = LinkedFolders::new(root);
    for path in listed.iter().take(MOST_FILES) {
        let Some(path) = path.as_path().to_str().filter(|path| is_plain_path(path)) else {
            survey.left_out += 1;
            continue;
        };
        let Ok(meta) = root.join(path).symlink_metadata() else {
            continue;
        };
        if !meta.is_file() || linked.hold(path) {
            continue;
        }
        let mut file = SurveyFile {
            path: path.to_owned(),
            bytes: meta.len(),
            ..SurveyFile::default()
        };
        let has_room = survey.manifests.len() < MOST_MANIFESTS && file.bytes <= left_of_manifests;
        if has_room && is_manifest(path) {
            left_of_manifests -= file.bytes;
            survey.manifests.extend(read_manifest(root, path));
        }
        if let Some(stack) = find_stack_of(path) {
            if file.bytes > left.min(MOST_SOURCE) {
                survey.is_counted = false;
            } else if let Ok(opened) = open_unlinked(&root.join(path)) {
                left -= file.bytes;
                let counter = find_counter(&mut counters, stack, wanted);
                count_in(&opened, counter, &mut bytes, &mut file);
            }
        }
        survey.files.push(file);
    }
    survey
}

/// Is a path such that it can be shown, quoted and matched without surprises?
fn is_plain_path(path: &str) -> bool {
    let is_character = |letter: char| !matches!(letter, '\u{fffe}' | '\u{ffff}');
    path.len() <= MOST_PATH && escape_text(path) == path && path.chars().all(is_character)
}

fn find_counter<'c>(
    counters: &'c mut Vec<StackCounter>,
    stack: &'static Stack,
    wanted: Option<&CountedPattern>,
) -> &'c StackCounter {
    if let Some(at) = counters
        .iter()
        .position(|counter| counter.stack == stack.title)
    {
        return &counters[at];
    }
    let mut patterns: Vec<(String, MatchPattern)> = Vec::new();
    for counted in list_counts_of(stack).into_iter().chain(wanted) {
        if let Ok(pattern) = MatchPattern::new(&counted.pattern) {
            patterns.push((counted.metric.clone(), pattern));
        }
    }
    counters.push(StackCounter {
        stack: &stack.title,
        patterns,
    });
    let last = counters.len() - 1;
    &counters[last]
}

fn count_in(opened: &File, counter: &StackCounter, bytes: &mut Vec<u8>, file: &mut SurveyFile) {
    if read_into(opened, MOST_SOURCE, bytes).is_err() {
        return;
    }
    for (metric, pattern) in &counter.patterns {
        let matches = pattern.count_in(bytes);
        if matches > 0 {
            file.counts.insert(metric.clone(), matches);
        }
    }
}

#[cfg(test)]
mod tests;
