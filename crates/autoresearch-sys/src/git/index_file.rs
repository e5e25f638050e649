//! Owns the reading of an index file: each path with the object and the times that git noted of it.
//! Does not write one, and does not look at the files.
//! Invariant: a file that is not read to its last entry is no snapshot.
//!
//! The format is that of git's `Documentation/gitformat-index`, versions 2 and 3; an index of ours never has another.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use autoresearch_core::git_names::RepoPath;

use crate::regular_files::{open_file, read_into};
use crate::store::FileSignature;

/// Ten numbers of four bytes: ctime and mtime in seconds and nanoseconds, device, inode, mode, user, group, size.
const STAT: usize = 40;
/// Where the mode stands among them.
const MODE: Range<usize> = 24..28;
/// The length of the object's name in a repository of SHA-1.
const SHA1: usize = 20;
/// The same of SHA-256.
const SHA256: usize = 32;
/// The length that stands for every longer one.
const LONG_NAME: usize = 0xfff;
/// A larger index is not read: about ten million files.
const MOST: u64 = 1 << 30;

/// What an index file held at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexSnapshot {
    bytes: Vec<u8>,
    /// Where each entry begins, and where the last one ends.
    starts: Vec<u32>,
    hash: usize,
    has_conflict: bool,
}

/// The index files that were read, each as long as it is the same file: git replaces an index, and never writes into one.
#[derive(Clone, Debug, Default)]
pub(super) struct IndexCache(Rc<RefCell<BTreeMap<PathBuf, CachedIndex>>>);

#[derive(Debug)]
struct CachedIndex {
    signature: FileSignature,
    snapshot: Rc<IndexSnapshot>,
}

impl IndexCache {
    /// Reads an index file that was not read before; `None` where there is none, or it is not one that can be read.
    pub(super) fn read_file(&self, path: &Path, is_sha256: bool) -> Option<Rc<IndexSnapshot>> {
        // A link keeps its times when the file behind it is replaced.
        let path = &path.canonicalize().ok()?;
        // Before the bytes: what is replaced meanwhile is read again the next time.
        let signature = FileSignature::read_of(path)?;
        let mut known = self.0.borrow_mut();
        if let Some(found) = known.get(path).filter(|found| found.signature == signature) {
            return Some(Rc::clone(&found.snapshot));
        }
        // What nobody holds any more makes room.
        let left = known.remove(path);
        let left = left.and_then(|left| Rc::try_unwrap(left.snapshot).ok());
        let read = IndexSnapshot::read_from(path, is_sha256, left.unwrap_or_default());
        let snapshot = Rc::new(read?);
        let cached = CachedIndex {
            signature,
            snapshot: Rc::clone(&snapshot),
        };
        known.insert(path.to_owned(), cached);
        Some(snapshot)
    }
}

/// One path of an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotedFile<'a> {
    pub path: &'a [u8],
    /// Its object, as bytes.
    pub object: &'a [u8],
    /// The whole entry, to the end of its path.
    bytes: &'a [u8],
}

impl<'a> NotedFile<'a> {
    /// The entry with which these bytes begin.
    fn at_start(bytes: &'a [u8], hash: usize) -> Option<Self> {
        let told = STAT + hash;
        let flags = bytes.get(told..told + 2)?;
        let is_extended = flags[0] & 0x40 != 0;
        let name = told + if is_extended { 4 } else { 2 };
        // The flags say the length of a name, but for very long ones.
        let length = usize::from(flags[0] & 0x0f) << 8 | usize::from(flags[1]);
        let end = if length < LONG_NAME && bytes.get(name + length) == Some(&0) {
            name + length
        } else {
            name + bytes.get(name..)?.iter().position(|byte| *byte == 0)?
        };
        Some(Self {
            path: &bytes[name..end],
            object: &bytes[STAT..told],
            bytes: &bytes[..end],
        })
    }

    fn flags(&self) -> &'a [u8] {
        &self.bytes[STAT + self.object.len()..]
    }

    fn number(&self, field: usize) -> u32 {
        let four = self.bytes[field * 4..].first_chunk();
        four.map_or(0, |four| u32::from_be_bytes(*four))
    }

    /// Its mode as git has it.
    #[must_use]
    pub fn mode(&self) -> u32 {
        self.number(6)
    }

    /// The low four bytes of its size.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.number(9)
    }

    /// A file or a link, and not a submodule.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.mode() >> 12 != 0o16
    }

    /// Was it looked at since its object was entered?
    #[must_use]
    pub fn is_noted(&self) -> bool {
        self.bytes[..24].iter().any(|byte| *byte != 0)
    }

    /// Are times, inode, owner and size the same? A size of 0 is git's word for "look again".
    #[must_use]
    pub fn is_as_noted(&self, other: &NotedFile<'_>) -> bool {
        self.bytes[..36] == other.bytes[..36]
            && (self.size() == other.size() || self.size() == 0 || other.size() == 0)
    }

    /// Does git take the file at this path for the one that it noted, although nanoseconds tell another?
    #[must_use]
    pub fn hides_change(&self, work_tree: &Path) -> bool {
        self.compare_file(work_tree)
            .is_some_and(|(by_seconds, by_parts)| by_seconds && !by_parts)
    }

    /// Is the file at this path, to the nanosecond, the one that was noted?
    #[must_use]
    pub fn is_untouched(&self, work_tree: &Path) -> bool {
        self.compare_file(work_tree) == Some((true, true))
    }

    /// Are size, inode and whole seconds of the file those that were noted, and are the parts of the seconds? git keeps the
    /// low four bytes of each number.
    fn compare_file(&self, work_tree: &Path) -> Option<(bool, bool)> {
        let path = work_tree.join(RepoPath::new(self.path).as_path());
        let meta = path.symlink_metadata().ok()?;
        let low = |number: i64| u32::try_from(number & 0xffff_ffff).unwrap_or(0);
        let low_of = |number: u64| u32::try_from(number & 0xffff_ffff).unwrap_or(0);
        let seconds = [(0, meta.ctime()), (2, meta.mtime())];
        let parts = [(1, meta.ctime_nsec()), (3, meta.mtime_nsec())];
        let is_same = |(field, now): &(usize, i64)| self.number(*field) == low(*now);
        let by_seconds = seconds.iter().all(is_same)
            && self.number(5) == low_of(meta.ino())
            && self.number(9) == low_of(meta.size());
        Some((by_seconds, parts.iter().all(is_same)))
    }
}

impl IndexSnapshot {
    /// Reads an index file into the memory of a snapshot that is left; `None` where there is none, or it is not one that can
    /// be read.
    #[must_use]
    fn read_from(path: &Path, is_sha256: bool, left: Self) -> Option<Self> {
        let mut snapshot = Self {
            hash: if is_sha256 { SHA256 } else { SHA1 },
            ..left
        };
        let file = open_file(path).ok()?;
        read_into(&file, MOST, &mut snapshot.bytes).ok()?;
        snapshot.parse_entries()?;
        Some(snapshot)
    }

    /// Finds the entries in its bytes.
    fn parse_entries(&mut self) -> Option<()> {
        let (bytes, hash) = (&self.bytes, self.hash);
        let number = |at: usize| {
            let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
            Some(u32::from_be_bytes(four))
        };
        if bytes.get(..4)? != b"DIRC" || !matches!(number(4)?, 2 | 3) {
            return None;
        }
        let count = usize::try_from(number(8)?).ok()?;
        self.starts.clear();
        self.has_conflict = false;
        // The shortest entry has 62 bytes and a name: a number that lies is not believed.
        self.starts.reserve_exact(count.min(bytes.len() / 62) + 1);
        let mut at = 12;
        for _ in 0..count {
            let entry = NotedFile::at_start(bytes.get(at..)?, hash)?;
            self.starts.push(u32::try_from(at).ok()?);
            self.has_conflict |= entry.flags()[0] & 0x30 != 0;
            // One to eight zeros end an entry, so that the next one begins at a multiple of eight from its start.
            at += (entry.bytes.len() + 8) & !7;
        }
        self.starts.push(u32::try_from(at).ok()?);
        // The checksum of the whole stands at the end.
        (at + hash <= bytes.len()).then_some(())
    }

    fn entry_at(&self, place: usize) -> Option<NotedFile<'_>> {
        NotedFile::at_start(self.raw_at(place)?, self.hash)
    }

    /// The bytes of an entry, with the zeros behind it.
    fn raw_at(&self, place: usize) -> Option<&[u8]> {
        let (start, end) = (self.starts.get(place)?, self.starts.get(place + 1)?);
        self.bytes.get(*start as usize..*end as usize)
    }

    fn count_files(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Its paths, in git's order.
    pub fn list_files(&self) -> impl Iterator<Item = NotedFile<'_>> {
        (0..self.count_files()).filter_map(|place| self.entry_at(place))
    }

    /// Those of which it was noted that they changed in this second or later.
    pub fn list_changed_since(&self, second: i64) -> impl Iterator<Item = NotedFile<'_>> {
        let is_recent = move |place: &usize| {
            let noted = self.raw_at(*place).and_then(<[u8]>::first_chunk);
            noted.is_some_and(|noted| i64::from(u32::from_be_bytes(*noted)) >= second)
        };
        let recent = (0..self.count_files()).filter(is_recent);
        recent.filter_map(|place| self.entry_at(place))
    }

    /// Is any path in conflict?
    #[must_use]
    pub fn has_conflict(&self) -> bool {
        self.has_conflict
    }

    /// One path of it.
    #[must_use]
    pub fn find_file(&self, path: &[u8]) -> Option<NotedFile<'_>> {
        let (mut low, mut high) = (0, self.count_files());
        while low < high {
            let middle = low.midpoint(high);
            let file = self.entry_at(middle)?;
            match file.path.cmp(path) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Some(file),
            }
        }
        None
    }

    /// The paths of which another index has another object or mode, or that only one of the two has.
    #[must_use]
    pub fn list_differing(&self, other: &Self) -> Vec<RepoPath> {
        let is_same = |ours: &[u8], theirs: &[u8]| {
            ours.get(MODE) == theirs.get(MODE) && ours.get(STAT..) == theirs.get(STAT..)
        };
        let mut differing = Vec::new();
        self.compare_entries(other, is_same, |ours, theirs| {
            let is_same = match (ours, theirs) {
                (Some(ours), Some(theirs)) => {
                    ours.object == theirs.object && ours.mode() == theirs.mode()
                }
                _ => false,
            };
            if !is_same {
                let path = ours.or(theirs).map_or(&[][..], |file| file.path);
                differing.push(RepoPath::new(path));
            }
        });
        differing
    }

    /// The paths whose files were touched between two looks: other times, another inode, owner or size. Those that only one
    /// of the two has are left out: git shows them.
    #[must_use]
    pub fn list_touched(&self, later: &Self) -> Vec<RepoPath> {
        let mut touched = Vec::new();
        self.compare_entries(
            later,
            |before, after| before == after,
            |before, after| {
                if let (Some(before), Some(after)) = (before, after)
                    && before.is_noted()
                    && !before.is_as_noted(&after)
                {
                    touched.push(RepoPath::new(before.path));
                }
            },
        );
        touched
    }

    /// Goes through two indexes side by side, and shows each path that one of the two has. Entries whose bytes tell that they
    /// are the same are passed over: of many files nearly all are.
    fn compare_entries(
        &self,
        other: &Self,
        is_same: impl Fn(&[u8], &[u8]) -> bool,
        mut show: impl FnMut(Option<NotedFile<'_>>, Option<NotedFile<'_>>),
    ) {
        let (mut left, mut right) = (0, 0);
        loop {
            if let (Some(ours), Some(theirs)) = (self.raw_at(left), other.raw_at(right))
                && is_same(ours, theirs)
            {
                left += 1;
                right += 1;
                continue;
            }
            let (ours, theirs) = (self.entry_at(left), other.entry_at(right));
            let order = match (ours, theirs) {
                (None, None) => return,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(ours), Some(theirs)) => ours.path.cmp(theirs.path),
            };
            left += usize::from(order.is_le());
            right += usize::from(order.is_ge());
            show(
                ours.filter(|_| order.is_le()),
                theirs.filter(|_| order.is_ge()),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::scratch::ScratchRepository;

    fn read_real(names: &[&str]) -> (ScratchRepository, Vec<u8>) {
        let repository = ScratchRepository::with_files(names);
        let bytes = std::fs::read(repository.root().join(".git/index")).unwrap();
        (repository, bytes)
    }

    fn parse(bytes: Vec<u8>) -> Option<IndexSnapshot> {
        let mut snapshot = IndexSnapshot {
            bytes,
            hash: SHA1,
            ..IndexSnapshot::default()
        };
        snapshot.parse_entries().map(|()| snapshot)
    }

    fn read_fresh(path: &Path) -> IndexSnapshot {
        IndexSnapshot::read_from(path, false, IndexSnapshot::default()).unwrap()
    }

    fn list_paths(snapshot: &IndexSnapshot) -> Vec<String> {
        let files = snapshot.list_files();
        files
            .map(|file| String::from_utf8_lossy(file.path).into_owned())
            .collect()
    }

    #[test]
    fn every_entry_of_an_index_of_gits_is_read() {
        let names = ["a", "b c", "deep/er/file", "deep/x", "long-name-of-a-file"];
        let (repository, bytes) = read_real(&names);
        let snapshot = parse(bytes).unwrap();
        assert_eq!(list_paths(&snapshot), names);
        let file = snapshot.find_file(b"deep/x").unwrap();
        assert!(file.is_file() && file.is_noted() && !file.hides_change(repository.root()));
        assert_eq!(file.mode(), 0o100_644);
        assert_eq!(snapshot.find_file(b"deep"), None);
        assert!(!snapshot.has_conflict());
        // An entry that is only intended has two more bytes of flags.
        repository.write("new", "");
        repository.run(&["add", "-N", "new"]);
        let again = read_fresh(&repository.root().join(".git/index"));
        assert_eq!(list_paths(&again), [&names[..], &["new"]].concat());
    }

    fn show_paths(paths: &[RepoPath]) -> String {
        let shown: Vec<String> = paths.iter().map(ToString::to_string).collect();
        shown.join(" ")
    }

    #[test]
    fn flags_make_no_difference_and_times_make_a_touch_alone() {
        let (repository, _) = read_real(&["a", "b", "c", "d"]);
        let long = "n".repeat(5_000);
        let object = repository.run(&["rev-parse", "HEAD:a"]);
        let entry = format!("100644,{object},{long}");
        repository.run(&["update-index", "--add", "--cacheinfo", &entry]);
        let path = repository.root().join(".git/index");
        let before = read_fresh(&path);
        assert_eq!(list_paths(&before), ["a", "b", "c", "d", &long]);
        assert_eq!(before.find_file(long.as_bytes()).unwrap().path.len(), 5_000);
        // A flag, other times with the same bytes, other bytes, other rights; the file with the long name is not there.
        repository.run(&["update-index", "--assume-unchanged", "a"]);
        repository.write("b", "b\n");
        let file = std::fs::File::options()
            .write(true)
            .open(repository.root().join("b"));
        file.unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        repository.write("c", "other");
        repository.run(&["update-index", "b", "c"]);
        repository.run(&["update-index", "--chmod=+x", "d"]);
        let after = read_fresh(&path);
        assert_eq!(show_paths(&before.list_differing(&after)), "c d");
        assert_eq!(show_paths(&after.list_differing(&before)), "c d");
        assert_eq!(show_paths(&before.list_touched(&after)), "b c d");
        let first = before.find_file(b"a").unwrap().number(0);
        let noted = before.list_changed_since(i64::from(first));
        assert_eq!(noted.count(), 4, "the long one is not noted");
        assert_eq!(before.list_changed_since(0).count(), 5);
        assert_eq!(before.list_changed_since(i64::MAX).count(), 0);
        assert_eq!(IndexSnapshot::default().list_files().count(), 0);
        assert_eq!(before.list_differing(&before), []);
        assert_eq!(before.list_touched(&before), []);
        // What only one of the two has.
        repository.run(&["update-index", "--force-remove", "a", &long]);
        let fewer = read_fresh(&path);
        let differing = fewer.list_differing(&after);
        assert_eq!(show_paths(&differing), format!("a {long}"));
        assert_eq!(after.list_touched(&fewer), []);
    }

    #[test]
    fn an_index_that_is_cut_is_none_and_no_bytes_are_too_odd() {
        let (_repository, bytes) = read_real(&["a", "deep/b"]);
        for length in 0..bytes.len() {
            // The last part may be an extension; without it the entries are whole.
            let cut = parse(bytes[..length].to_vec());
            assert!(
                cut.is_none_or(|cut| list_paths(&cut) == ["a", "deep/b"]),
                "{length}"
            );
        }
        let mut odd = bytes.clone();
        odd[8..12].fill(0xff);
        assert_eq!(parse(odd), None);
        let mut newer = bytes;
        newer[7] = 4;
        assert_eq!(parse(newer), None);
    }

    static REAL: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_reading_fall(at in 0_usize..400, byte: u8, tail in 0_usize..400) {
            let mut bytes = REAL.get_or_init(|| read_real(&["a", "deep/b", "c"]).1).clone();
            bytes.truncate(bytes.len().saturating_sub(tail));
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            if let Some(snapshot) = parse(bytes) {
                let _ = snapshot.list_touched(&snapshot);
                let _ = list_paths(&snapshot);
            }
        }
    }

    #[test]
    fn an_index_is_read_once_as_long_as_git_did_not_replace_it() {
        let (repository, _) = read_real(&["a", "b"]);
        let (cache, path) = (IndexCache::default(), repository.root().join(".git/index"));
        let first = cache.read_file(&path, false).unwrap();
        assert!(Rc::ptr_eq(&first, &cache.read_file(&path, false).unwrap()));
        repository.write("c", "");
        repository.run(&["add", "c"]);
        let second = cache.read_file(&path, false).unwrap();
        assert_eq!(list_paths(&second), ["a", "b", "c"]);
        assert_eq!(
            list_paths(&first),
            ["a", "b"],
            "who holds the old one keeps it"
        );
        // What nobody holds is overwritten, and nothing of it is left.
        drop((first, second));
        repository.run(&["rm", "--quiet", "--cached", "b", "c"]);
        let third = cache.read_file(&path, false).unwrap();
        assert_eq!(*third, read_fresh(&path));
        assert_eq!(list_paths(&third), ["a"]);
        std::fs::write(&path, "no index").unwrap();
        assert_eq!(cache.read_file(&path, false), None);
    }

    #[test]
    fn a_file_that_was_written_or_replaced_between_two_looks_was_touched() {
        let repository = ScratchRepository::with_files(&["a", "b", "c", "d", "gone"]);
        let index = repository.root().join(".git/index");
        let look = || {
            repository.run(&["status", "--short"]);
            read_fresh(&index)
        };
        // git itself does not tell two times within one second.
        let old = std::time::UNIX_EPOCH + std::time::Duration::from_mins(25_000_000);
        let file = std::fs::File::options()
            .write(true)
            .open(repository.root().join("a"));
        file.unwrap().set_modified(old).unwrap();
        let before = look();
        assert_eq!(before.list_touched(&look()), []);
        let root = repository.root();
        // The same bytes again, and another file with the same bytes: times and inode tell.
        let bytes = std::fs::read(root.join("a")).unwrap();
        std::fs::write(root.join("a"), &bytes).unwrap();
        std::fs::copy(root.join("c"), root.join("copy")).unwrap();
        std::fs::rename(root.join("copy"), root.join("c")).unwrap();
        std::fs::remove_file(root.join("gone")).unwrap();
        repository.run(&["update-index", "-q", "--really-refresh", "--ignore-missing"]);
        let touched = before.list_touched(&look());
        assert_eq!(touched, [RepoPath::new("a"), RepoPath::new("c")]);
    }
}
