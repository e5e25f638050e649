//! Owns `RepoPath`: a path from the root of a work tree, as git names it.
//! Does not know whether anything stands there.
//! Invariant: the bytes are git's, so a name that is not UTF-8 is found again; printed, it is one line.

use std::borrow::{Borrow, Cow};
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::words::text::escape_text;

/// Names with slashes between them, none at the beginning; a folder that git names as a whole may have one at its end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(Vec<u8>);

impl RepoPath {
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path in a work tree, from its root.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        Path::new(self.as_os_str())
    }

    /// The path as an argument of git's.
    #[must_use]
    pub fn as_os_str(&self) -> &OsStr {
        OsStr::from_bytes(&self.0)
    }

    /// The path as a text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        str::from_utf8(&self.0).ok()
    }

    /// The path as patterns are compared with it: what is not a text has marks in its place.
    #[must_use]
    pub fn to_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&escape_text(&self.to_text()))
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "RepoPath(\"{}\")", self.0.escape_ascii())
    }
}

impl Borrow<[u8]> for RepoPath {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for RepoPath {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_any_bytes_is_shown_on_one_line() {
        assert_eq!(RepoPath::new("src/a b").to_string(), "src/a b");
        let odd = RepoPath::new(b"a\nb\xff");
        assert_eq!(odd.to_string(), "a\\nb\u{fffd}");
        assert_eq!(format!("{odd:?}"), r#"RepoPath("a\nb\xff")"#);
    }

    #[test]
    fn a_path_that_is_not_a_text_is_found_by_its_bytes_alone() {
        let (odd, other) = (RepoPath::new(b"src/\xff"), RepoPath::new(b"src/\xfe"));
        assert_eq!(odd.to_text(), other.to_text());
        assert_ne!(odd, other);
        assert_eq!(odd.as_str(), None);
        assert_eq!(odd.as_path().as_os_str().as_bytes(), b"src/\xff");
        let known = std::collections::BTreeSet::from([odd]);
        assert!(known.contains(&b"src/\xff"[..]) && !known.contains(&b"src/\xfe"[..]));
        assert_eq!(RepoPath::new("ö").as_str(), Some("ö"));
    }
}
