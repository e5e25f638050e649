//! Owns `Confinement`: what a job in a sandbox may write and reach.
//! Does not close the sandbox.
//! Invariant: what is named nowhere is closed.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What a job may write and reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// Folders below which it may write, as whole paths without links.
    pub writable: Vec<PathBuf>,
    /// What it may not write although it lies below one of these.
    pub read_only: Vec<PathBuf>,
    /// Files and folders that it may not read either.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<PathBuf>,
    /// May it reach the network, and the Unix sockets of other programs?
    pub network: bool,
    /// The job's own temporary folder, which it may write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporary: Option<PathBuf>,
}

impl Confinement {
    /// All folders below which the job may write.
    pub(super) fn list_writable(&self) -> impl Iterator<Item = &Path> {
        let all = self.writable.iter().chain(&self.temporary);
        all.map(PathBuf::as_path)
    }

    /// May the job write at this path? The nearest folder above it decides.
    #[must_use]
    pub fn may_write(&self, path: &Path) -> bool {
        fn find_depth<'p>(places: impl Iterator<Item = &'p Path>, path: &Path) -> Option<usize> {
            let above = places.filter(|place| path.starts_with(place));
            above.map(|place| place.components().count()).max()
        }
        let kept = self.read_only.iter().map(PathBuf::as_path);
        find_depth(self.list_writable(), path) > find_depth(kept, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_folder_decides_and_nothing_else_may_be_written() {
        let confinement = Confinement {
            writable: vec!["/a".into(), "/a/.git/own".into()],
            read_only: vec!["/a/.git".into(), "/b".into()],
            hidden: Vec::new(),
            network: false,
            temporary: Some("/b/tmp/1".into()),
        };
        for (path, may) in [
            ("/a", true),
            ("/a/x/y", true),
            ("/a/.git", false),
            ("/a/.git/index", false),
            ("/a/.git/own/x", true),
            ("/ab", false),
            ("/b/anchor", false),
            ("/b/tmp/1/x", true),
            ("/b/tmp/2", false),
            ("/", false),
        ] {
            assert_eq!(confinement.may_write(Path::new(path)), may, "{path}");
        }
        let both = Confinement {
            writable: vec!["/a".into()],
            read_only: vec!["/a".into()],
            ..Confinement::default()
        };
        assert!(!both.may_write(Path::new("/a/x")));
    }
}
