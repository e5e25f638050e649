//! Owns the look at files that were touched while commands ran: written and put back, or replaced by the same bytes.
//! Does not compare bytes; `tree_changes` and `yardstick` do.
//! Invariant: a file that no trial may change and that was written during a measurement is named, whatever it holds now.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;

use autoresearch_core::config::Config;
use autoresearch_core::config::globs::{GlobError, Globs};
use autoresearch_core::git_names::CommitId;
use autoresearch_core::words::text::escape_text;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::{IndexSnapshot, PrivateIndex};
use autoresearch_sys::store::{FileSignature, Pin};

/// Times and inodes of the files that a measurement must leave alone: of git's, and of the pinned ones.
pub(crate) struct TouchNote {
    index: Rc<IndexSnapshot>,
    pinned: BTreeMap<String, Option<FileSignature>>,
}

/// What a look at the times needs to know.
pub(crate) struct TouchScene<'a> {
    pub index: &'a PrivateIndex<'a>,
    /// The commit that HEAD names.
    pub head: &'a CommitId,
    pub config: &'a Config,
    pub yardstick: &'a BTreeMap<String, Pin>,
}

impl TouchScene<'_> {
    fn root(&self) -> &Path {
        self.index.git().work_tree()
    }

    /// Does something, and names the files that were touched meanwhile.
    pub(crate) fn watch_while<T>(
        &self,
        world: &World,
        act: impl FnOnce() -> Result<T>,
    ) -> Result<(T, BTreeSet<String>)> {
        let before = self.note_times();
        let done = act()?;
        self.index.prepare(self.head, world.now().as_second())?;
        self.index.git().read_status()?;
        Ok((done, self.list_touched(&before)?))
    }

    /// Notes how the files are. git has just looked at the tree.
    pub(crate) fn note_times(&self) -> TouchNote {
        let signature = |name: &String| {
            let path = self.root().join(name);
            (name.clone(), FileSignature::read_of(&path))
        };
        TouchNote {
            index: self.index.read_snapshot(self.head).unwrap_or_default(),
            pinned: self.yardstick.keys().map(signature).collect(),
        }
    }

    /// The files outside the scope that were touched since, and the pinned ones. git has just looked at the tree again.
    pub(crate) fn list_touched(&self, before: &TouchNote) -> Result<BTreeSet<String>> {
        let compile = |patterns: &[String]| {
            Globs::new(patterns).map_err(|error: GlobError| Failure::config(error.to_string()))
        };
        let (scope, protect) = (compile(&self.config.scope)?, compile(&self.config.protect)?);
        let now = self.note_times();
        let is_subject = |name: &str| {
            let is_pinned = self.yardstick.contains_key(name) || protect.matches_path(name);
            scope.matches_path(name) && !is_pinned
        };
        // Where git had nothing to write down, nothing that it tracks was touched.
        let tracked = if Rc::ptr_eq(&before.index, &now.index) {
            Vec::new()
        } else {
            before.index.list_touched(&now.index)
        };
        let tracked = tracked.into_iter();
        let tracked = tracked.map(|path| path.to_text().into_owned());
        let pinned = before.pinned.iter();
        let pinned = pinned.filter(|(name, then)| now.pinned.get(*name) != Some(then));
        let pinned = pinned.map(|(name, _)| name.clone());
        Ok(tracked
            .filter(|name| !is_subject(name))
            .chain(pinned)
            .collect())
    }
}

/// The names of touched files, as a trial that they made void tells them.
pub(crate) fn describe_touched(touched: &BTreeSet<String>) -> Vec<String> {
    let names = touched.iter().map(|name| escape_text(name));
    names
        .map(|name| format!("{name} (written while verify or guard ran, twice)"))
        .collect()
}
