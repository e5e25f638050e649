//! Owns the size of the outputs under `trials/`: of each file, and of all of them.
//! Does not touch what was put aside there, and believes nothing that stands there: what is read is only shown.
//! Invariant: the beginning and the end of an output stay, and what was cut between them is counted.

use std::borrow::Cow;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use autoresearch_core::config::Outputs;
use autoresearch_core::metric::open_items::read_noted_items;

use super::disk::{self, open_regular_file, read_output, write_output};
use super::error::StoreError;
use super::layout::Layout;
use super::run_store::RunStore;
use crate::regular_files::{NOTE_BYTES, read_text};

/// What is left of an output that makes room for newer ones.
const REST: u64 = 4 << 10;
/// The outputs of this many of the last trials are not cut to make room.
const RECENT: usize = 5;

/// The bytes of an output that are written: all of them, or the beginning and the end with a line that says what is missing.
#[must_use]
pub fn cut_middle(bytes: &[u8], most: u64) -> Cow<'_, [u8]> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    if bytes.len() <= most {
        return Cow::Borrowed(bytes);
    }
    let (head, tail) = (&bytes[..most / 2], &bytes[bytes.len() - most / 2..]);
    let line = format!(
        "\n[{} bytes were cut here]\n",
        bytes.len() - head.len() - tail.len()
    );
    Cow::Owned([head, line.as_bytes(), tail].concat())
}

impl RunStore<'_> {
    /// Cuts outputs of old trials, the oldest first, where all of them together are too large. The sum is kept beside the
    /// anchor, so that the folder is only walked when something has to go.
    pub fn bound_outputs(&self, trial: u32, limits: Outputs) -> Result<(), StoreError> {
        let note = self.anchor_folder.join("outputs");
        let known = read_text(&note, NOTE_BYTES).ok();
        let known = known.and_then(|text| text.trim().parse::<u64>().ok());
        let own: u64 = list_outputs(&self.layout.trial_folder(trial))
            .iter()
            .map(|(_, length)| length)
            .sum();
        let mut sum = known.unwrap_or(0) + own;
        if sum > limits.total_bytes() {
            sum = shorten_old_outputs(&self.layout, limits.total_bytes() / 4 * 3)?;
        }
        disk::replace_file_unsynced(&note, format!("{sum}\n").as_bytes())
            .map_err(StoreError::io_error("write", &note))
    }
}

/// A longer note of what is still open is not ours.
const MOST_NOTED: u64 = 1 << 14;
/// The file in a kept trial's folder that says what is still open, for later briefs.
pub const OPEN_ITEMS: &str = "still-open.txt";

/// Notes what is still open in the state that a trial leaves. Where nothing is, there is no file.
pub fn write_open_items(folder: &Path, items: &[String]) -> Result<(), StoreError> {
    if items.is_empty() {
        return Ok(());
    }
    let text = items.join("\n") + "\n";
    write_output(&folder.join(OPEN_ITEMS), text.as_bytes())
}

/// What is still open in the state that a trial left, as far as that was noted.
#[must_use]
pub fn read_open_items(layout: &Layout, trial: u32) -> Vec<String> {
    let folder = layout.trial_folder(trial);
    let links = [folder.parent(), Some(folder.as_path())];
    if links.into_iter().flatten().any(Path::is_symlink) {
        return Vec::new();
    }
    let bytes = read_output(&folder.join(OPEN_ITEMS), MOST_NOTED).unwrap_or_default();
    read_noted_items(&String::from_utf8_lossy(&bytes))
}

/// The end of what a command of a trial printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputTail {
    /// The name of its file: `verify-1.out`.
    pub name: String,
    /// The length of the file.
    pub bytes: u64,
    pub tail: Vec<u8>,
}

/// The ends of all outputs of a trial that are not empty, in the order in which the commands ran: each attempt, first verify
/// and then the guard.
#[must_use]
pub fn read_output_tails(layout: &Layout, trial: u32, most: u64) -> Vec<OutputTail> {
    let folder = layout.trial_folder(trial);
    let links = [folder.parent(), Some(folder.as_path())];
    if links.into_iter().flatten().any(Path::is_symlink) {
        return Vec::new();
    }
    let mut found: Vec<OutputTail> = list_outputs(&folder)
        .into_iter()
        .filter(|(_, bytes)| *bytes > 0)
        .filter_map(|(path, bytes)| {
            let name = path.file_name()?.to_str()?.to_owned();
            let tail = read_tail(&path, most).ok()?;
            Some(OutputTail { name, bytes, tail })
        })
        .collect();
    found.sort_by_key(|output| order_of_output(&output.name));
    found
}

/// The last bytes of a file, from the beginning of a line where one begins among them.
fn read_tail(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut file = open_regular_file(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
    let mut tail = Vec::new();
    file.take(most).read_to_end(&mut tail)?;
    if length > most
        && let Some(end) = tail.iter().position(|byte| *byte == b'\n')
    {
        tail.drain(..=end);
    }
    Ok(tail)
}

/// `rework-1-verify-2.out`: the first attempt comes first, verify before the guard, the second run after the first.
fn order_of_output(name: &str) -> (bool, String, bool, usize, String) {
    let (attempt, rest) = match name
        .strip_prefix("rework-")
        .and_then(|rest| rest.split_once('-'))
    {
        Some((attempt, rest)) => (attempt, rest),
        None => ("", name),
    };
    let is_guard = rest.starts_with("guard");
    (
        !attempt.is_empty(),
        attempt.to_owned(),
        is_guard,
        rest.len(),
        rest.replace(".out", ".a"),
    )
}

/// Cuts until the sum of all outputs is below a bound, as far as that goes. Returns the sum.
fn shorten_old_outputs(layout: &Layout, bound: u64) -> Result<u64, StoreError> {
    let folder = layout.run_folder().join("trials");
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut numbers: Vec<u32> = numbers.collect();
    numbers.sort_unstable();
    let of = |numbers: &[u32]| {
        let found = numbers
            .iter()
            .flat_map(|number| list_outputs(&layout.trial_folder(*number)));
        found.collect::<Vec<_>>()
    };
    let (old, recent) = numbers.split_at(numbers.len().saturating_sub(RECENT));
    let (old, recent) = (of(old), of(recent));
    let mut sum: u64 = old.iter().chain(&recent).map(|(_, length)| length).sum();
    // A short one gives no room.
    for (path, length) in old.iter().filter(|(_, length)| *length > 2 * REST) {
        if sum <= bound {
            break;
        }
        let Ok(bytes) = read_output(path, *length) else {
            continue;
        };
        let rest = cut_middle(&bytes, REST);
        write_output(path, &rest)?;
        sum = sum - length + rest.len() as u64;
    }
    Ok(sum)
}

/// The outputs in the folder of a trial, with their lengths.
fn list_outputs(folder: &Path) -> Vec<(PathBuf, u64)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| {
        let path = entry.path();
        path.extension()
            .is_some_and(|end| end == "out" || end == "err")
    });
    let mut found: Vec<(PathBuf, u64)> = ours
        .filter_map(|entry| {
            let meta = entry.metadata().ok()?;
            meta.is_file().then(|| (entry.path(), meta.len()))
        })
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_output_keeps_its_beginning_and_its_end_and_says_what_was_cut() {
        let bytes: Vec<u8> = (0..1_000_u32)
            .flat_map(|number| format!("{number}\n").into_bytes())
            .collect();
        let cut = cut_middle(&bytes, 40);
        let text = String::from_utf8_lossy(&cut);
        let missing = bytes.len() - 40;
        assert_eq!(
            text,
            format!(
                "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n\n[{missing} bytes were cut here]\n995\n996\n997\n998\n999\n"
            )
        );
        assert_eq!(cut_middle(b"short", 5), Cow::Borrowed(b"short"));
        assert_eq!(&*cut_middle(b"", 0), b"");
    }

    #[test]
    fn what_is_still_open_is_noted_beside_the_outputs_and_read_as_short_lines() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path(), "demo");
        let trial = layout.make_trial_folder(3).unwrap();
        assert!(read_open_items(&layout, 3).is_empty());
        write_open_items(&trial, &[]).unwrap();
        assert_eq!(std::fs::read_dir(&trial).unwrap().count(), 0);
        let items = ["src/a:1: one".to_owned(), "src/a:2: two".to_owned()];
        write_open_items(&trial, &items).unwrap();
        assert_eq!(read_open_items(&layout, 3), items);
        assert!(read_output_tails(&layout, 3, 100).is_empty(), "no output");
        let odd = "a\u{1b}[2J\n".repeat(9);
        std::fs::write(trial.join(OPEN_ITEMS), odd).unwrap();
        assert_eq!(read_open_items(&layout, 3), ["a\\u{1b}[2J"; 5]);
        std::fs::remove_file(trial.join(OPEN_ITEMS)).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", trial.join(OPEN_ITEMS)).unwrap();
        assert!(read_open_items(&layout, 3).is_empty());
    }

    #[test]
    fn the_ends_of_outputs_come_in_the_order_of_the_commands_and_begin_with_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path(), "demo");
        let trial = layout.make_trial_folder(3).unwrap();
        for (name, text) in [
            ("guard.out", "guarded\n"),
            ("rework-1-verify-1.out", "again\n"),
            ("verify-10.out", "tenth\n"),
            ("verify-2.err", "warned\n"),
            ("verify-2.out", "first line\nlast line\n"),
            ("verify-1.err", ""),
            ("precious", "not an output\n"),
        ] {
            std::fs::write(trial.join(name), text).unwrap();
        }
        std::os::unix::fs::symlink("/etc/passwd", trial.join("verify-3.out")).unwrap();
        let tails = read_output_tails(&layout, 3, 12);
        let shown: Vec<(&str, u64, String)> = tails
            .iter()
            .map(|tail| {
                (
                    tail.name.as_str(),
                    tail.bytes,
                    String::from_utf8_lossy(&tail.tail).into_owned(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("verify-2.out", 21, "last line\n".to_owned()),
                ("verify-2.err", 7, "warned\n".to_owned()),
                ("verify-10.out", 6, "tenth\n".to_owned()),
                ("guard.out", 8, "guarded\n".to_owned()),
                ("rework-1-verify-1.out", 6, "again\n".to_owned()),
            ]
        );
        assert!(read_output_tails(&layout, 4, 12).is_empty());
    }

    #[test]
    fn room_is_made_by_the_oldest_outputs_and_nothing_else_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path(), "demo");
        let write = |number: u32, name: &str| {
            let trial = layout.trial_folder(number);
            std::fs::create_dir_all(&trial).unwrap();
            std::fs::write(trial.join(name), vec![b'x'; 20_000]).unwrap();
        };
        for number in 0..10 {
            write(number, "verify-1.out");
        }
        write(1, "precious");
        let length = |number: u32, name: &str| {
            layout
                .trial_folder(number)
                .join(name)
                .metadata()
                .unwrap()
                .len()
        };
        let sum = shorten_old_outputs(&layout, 170_000).unwrap();
        assert!(sum <= 170_000 && sum > 160_000, "{sum}");
        assert!(length(0, "verify-1.out") < 5_000 && length(1, "verify-1.out") < 5_000);
        assert_eq!(
            (length(1, "precious"), length(2, "verify-1.out")),
            (20_000, 20_000)
        );
        // The newest stay whole, whatever the bound is.
        shorten_old_outputs(&layout, 0).unwrap();
        assert_eq!(
            (length(5, "verify-1.out"), length(4, "verify-1.out") < 5_000),
            (20_000, true)
        );
    }
}
