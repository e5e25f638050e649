//! Owns `SearchScene`: the repository that a search for a cause looks at.
//! Does not open a search.
//! Invariant: git is asked for nothing that runs a program which the repository names, and writes nothing.

use std::path::PathBuf;

use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;

use crate::run::place::Place;
use crate::start::preflight::{StartSite, read_start_site};

/// The repository that is looked at.
pub(super) struct SearchScene<'w> {
    pub world: &'w World,
    pub site: StartSite,
    /// The root of the work tree.
    pub root: PathBuf,
    /// The folder in which the command was called.
    pub here: PathBuf,
    /// The search that was named.
    pub named: Option<String>,
}

impl<'w> SearchScene<'w> {
    /// Looks at the repository around a place.
    pub(super) fn open(world: &'w World, place: &Place) -> Result<Self> {
        let (root, _) = place.find_root(world)?;
        let here = place.search_folder(world);
        let here = here.canonicalize().unwrap_or(here);
        let mut site = read_start_site(world, &root, &[])?;
        // A filter is a program that the repository names, and nobody has confirmed it.
        let settings = site.git.read_settings()?;
        let filters: Vec<String> = settings
            .into_keys()
            .filter(|key| key.starts_with("filter."))
            .collect();
        site.git.disarm_settings(&filters);
        Ok(Self {
            world,
            root: site.history.work_tree(),
            site,
            here,
            named: place.run.clone(),
        })
    }
}
