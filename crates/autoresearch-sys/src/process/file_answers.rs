//! Owns the answers to a `FileQuery`, which the runner of a job gives.
//! Does not start a process; the runner asks it for its view, its deadline and its end.
//! Invariant: only regular files are read, no link is followed, and a file that cannot be read is an error, never nothing.
//!
//! The runner answers because it sees the tree as the commands of the user do: in a view, where there is one.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use autoresearch_core::config::globs::Globs;
use autoresearch_core::metric::coverage::{CoverageError, read_coverage};
use autoresearch_core::metric::matches::MatchPattern;
use autoresearch_core::metric::open_items::{MOST_OPEN, describe_match};
use flate2::{Compression, GzBuilder};

use super::file_query::{FileAnswer, FileQuery, FileSearch};
use super::job::CommandEnd;
use crate::regular_files::{open_unlinked, read_whole};

/// A coverage report, or a file in which something is counted, has no more bytes.
const MOST_BYTES: u64 = 256 << 20;
/// No more files are looked at.
const MOST_FILES: usize = 1_000_000;

/// Why a query came to no answer.
enum QueryStop {
    Refused(String),
    /// The runner was asked to end, or its time is over.
    Ended(CommandEnd),
}

type QueryResult<T> = Result<T, QueryStop>;

/// Says between two files whether the job has to end.
pub(super) type EndCheck<'a> = &'a dyn Fn() -> Option<CommandEnd>;

/// Answers a query about the tree at `root`.
pub(super) fn answer_query(
    root: &Path,
    query: &FileQuery,
    end_check: EndCheck<'_>,
) -> Result<FileAnswer, CommandEnd> {
    let walk = TreeWalk { root, end_check };
    let answered = match query {
        FileQuery::Size { files, gzip } => walk.sum_over(files, |path, _| {
            let path = &walk.root.join(path);
            if *gzip {
                Ok(count_packed(open_unlinked(path)?)?)
            } else {
                Ok(path.symlink_metadata()?.len())
            }
        }),
        FileQuery::Count { files, pattern } => match MatchPattern::new(pattern) {
            Ok(pattern) => walk.sum_over(files, |path, matched| {
                let bytes = read_whole(&open_unlinked(&walk.root.join(path))?, MOST_BYTES)?;
                let count = pattern.count_in(&bytes);
                if count == 0 {
                    return Ok(0);
                }
                let name = path.to_string_lossy();
                for line in pattern.find_lines(&bytes, MOST_OPEN - matched.len()) {
                    matched.push(describe_match(&name, line.number, &line.text));
                }
                Ok(count)
            }),
            Err(error) => Err(QueryStop::Refused(error.to_string())),
        },
        FileQuery::ClearReport { path } => walk.clear_report(path),
        FileQuery::ReadReport { path } => walk.read_report(path),
    };
    match answered {
        Ok(answer) => Ok(answer),
        Err(QueryStop::Refused(why)) => Ok(FileAnswer::Refused(why)),
        Err(QueryStop::Ended(how)) => Err(how),
    }
}

/// The length of a file after gzip. Neither its name nor a time goes into it, so that the same bytes give the same length.
fn count_packed(mut file: File) -> io::Result<u64> {
    let mut packer = GzBuilder::new().write(ByteCount(0), Compression::best());
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(packer.finish()?.0),
            length => packer.write_all(&piece[..length])?,
        }
    }
}

/// Counts what is written.
struct ByteCount(u64);

impl Write for ByteCount {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A look at the files of a tree.
struct TreeWalk<'a> {
    root: &'a Path,
    end_check: EndCheck<'a>,
}

impl TreeWalk<'_> {
    fn sum_over(
        &self,
        search: &FileSearch,
        measure: impl Fn(&Path, &mut Vec<String>) -> io::Result<u64>,
    ) -> QueryResult<FileAnswer> {
        let found = self.find_files(search)?;
        if found.is_empty() {
            return Err(QueryStop::Refused(format!(
                "no file matches {}",
                quote_all(&search.patterns)
            )));
        }
        let (mut amount, mut matched) = (0_u64, Vec::new());
        for path in &found {
            self.check_end()?;
            let measured = measure(path, &mut matched);
            amount = amount.saturating_add(measured.map_err(|error| refuse_path(path, &error))?);
        }
        Ok(FileAnswer::Sum {
            amount,
            files: found.len() as u64,
            matched,
        })
    }

    fn check_end(&self) -> QueryResult<()> {
        match (self.end_check)() {
            Some(how) => Err(QueryStop::Ended(how)),
            None => Ok(()),
        }
    }

    /// In the order of their names, each once.
    fn find_files(&self, search: &FileSearch) -> QueryResult<BTreeSet<PathBuf>> {
        let globs =
            Globs::new(&search.patterns).map_err(|error| QueryStop::Refused(error.to_string()))?;
        let mut found = BTreeSet::new();
        for prefix in globs.literal_prefixes() {
            let prefix = Path::new(prefix);
            if !self.is_behind_link(prefix) {
                self.walk(prefix, (&globs, &search.without), &mut found)?;
            }
        }
        Ok(found)
    }

    /// Does a folder above this path lead elsewhere?
    fn is_behind_link(&self, path: &Path) -> bool {
        let above = path.ancestors().skip(1);
        let mut above = above.filter(|folder| !folder.as_os_str().is_empty());
        above.any(|folder| self.root.join(folder).is_symlink())
    }

    fn walk(
        &self,
        at: &Path,
        (globs, without): (&Globs, &str),
        found: &mut BTreeSet<PathBuf>,
    ) -> QueryResult<()> {
        self.check_end()?;
        let whole = self.root.join(at);
        let meta = match whole.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            meta => meta.map_err(|error| refuse_path(at, &error))?,
        };
        if meta.is_file() && globs.matches_path(&at.to_string_lossy()) {
            found.insert(at.to_owned());
            if found.len() > MOST_FILES {
                return Err(QueryStop::Refused(format!(
                    "the patterns match more than {MOST_FILES} files"
                )));
            }
        }
        let is_skipped = at.ends_with(".git") || (!without.is_empty() && at == Path::new(without));
        if !meta.is_dir() || is_skipped {
            return Ok(());
        }
        let entries = std::fs::read_dir(&whole).map_err(|error| refuse_path(at, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| refuse_path(at, &error))?;
            self.walk(&at.join(entry.file_name()), (globs, without), found)?;
        }
        Ok(())
    }

    /// A file that is no report is somebody's: it stays.
    fn clear_report(&self, path: &str) -> QueryResult<FileAnswer> {
        let Some(bytes) = self.open_report(path)? else {
            return Ok(FileAnswer::Cleared);
        };
        let is_report =
            bytes.is_empty() || !matches!(read_coverage(&bytes), Err(CoverageError::Unknown));
        if !is_report {
            return Err(QueryStop::Refused(format!(
                "{path} is there before verify runs and is not a coverage report, so it is left alone: name the report that the command writes"
            )));
        }
        std::fs::remove_file(self.root.join(path))
            .map_err(|error| refuse_path(Path::new(path), &error))?;
        Ok(FileAnswer::Cleared)
    }

    fn read_report(&self, path: &str) -> QueryResult<FileAnswer> {
        let bytes = self.open_report(path)?.ok_or_else(|| {
            QueryStop::Refused(format!(
                "verify wrote no {path} (one of before was taken away): let the command write the report to exactly this path"
            ))
        })?;
        let found = read_coverage(&bytes)
            .map_err(|error| QueryStop::Refused(format!("the report {path} {error}")))?;
        Ok(FileAnswer::Lines {
            covered: found.covered,
            lines: found.lines,
        })
    }

    fn open_report(&self, path: &str) -> QueryResult<Option<Vec<u8>>> {
        let name = Path::new(path);
        if self.is_behind_link(name) {
            return Err(QueryStop::Refused(format!(
                "{path} lies behind a symbolic link: name the folder that it leads to"
            )));
        }
        if self.root.join(name).is_symlink() {
            return Err(QueryStop::Refused(format!(
                "{path} is a symbolic link, and none is followed: remove it, and let the command write a file"
            )));
        }
        let file = match open_unlinked(&self.root.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|error| refuse_path(name, &error))?,
        };
        let bytes = read_whole(&file, MOST_BYTES);
        Ok(Some(bytes.map_err(|error| refuse_path(name, &error))?))
    }
}

fn refuse_path(path: &Path, error: &io::Error) -> QueryStop {
    QueryStop::Refused(format!("{}: {error}", path.display()))
}

fn quote_all(patterns: &[String]) -> String {
    let quoted: Vec<String> = patterns
        .iter()
        .map(|pattern| format!("`{pattern}`"))
        .collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests;
