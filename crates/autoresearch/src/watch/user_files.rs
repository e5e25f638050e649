//! Owns the bystanders: files that are nobody's change and that verify sees all the same. What the user had dirty
//! outside the scope at start, and what verify left.
//! Does not restore them, and never commits them.
//! Invariant: no trial is measured with a bystander that changed since the last look and was not named.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use autoresearch_core::journal::chain::hash;
use autoresearch_core::words::table::escape;

use crate::run::Run;
use crate::watch::yardstick;
use autoresearch_sys::error::Result;
use autoresearch_sys::store::{Dirt, Notes, Pin, Signature, dirt_key};

/// Of a larger file only the signature is noted, so that a look at a data set costs nothing.
const LARGE: u64 = 16 << 20;

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The user's, tracked by git: verify must leave it alone.
    Tracked,
    /// The user's, unknown to git: verify may write it.
    Untracked,
    /// Verify's own: what is gone is no change, since no commit holds it either.
    Dropping,
}

/// A bystander that is not as it was noted.
#[derive(Clone, Debug)]
pub struct Changed {
    /// Its path, for messages.
    pub name: String,
    /// Whose it is.
    pub whose: Whose,
}

struct Bystander {
    key: String,
    path: PathBuf,
    whose: Whose,
}

fn all(dirt: &Dirt, droppings: &BTreeSet<String>) -> Vec<Bystander> {
    let yours = dirt.paths().map(|(key, path, tracked)| Bystander {
        key: key.clone(),
        path,
        whose: if tracked {
            Whose::Tracked
        } else {
            Whose::Untracked
        },
    });
    let left = droppings.iter().map(|text| Bystander {
        key: dirt_key(text.as_bytes()),
        path: PathBuf::from(text),
        whose: Whose::Dropping,
    });
    yours.chain(left).collect()
}

/// The bystanders that are not as they were noted.
#[must_use]
pub fn changed(
    root: &Path,
    dirt: &Dirt,
    droppings: &BTreeSet<String>,
    notes: &Notes,
) -> Vec<Changed> {
    let differ = |bystander: &Bystander| {
        let path = root.join(&bystander.path);
        let gone = bystander.whose == Whose::Dropping && Signature::of(&path).is_none();
        let known = notes.get(&bystander.key);
        !gone && known.is_some_and(|known| differs(&path, known.as_ref()))
    };
    all(dirt, droppings)
        .into_iter()
        .filter(differ)
        .map(|bystander| Changed {
            name: escape(&bystander.path.to_string_lossy()),
            whose: bystander.whose,
        })
        .collect()
}

/// How the bystanders are now. What did not change keeps its note.
#[must_use]
pub fn notes(root: &Path, dirt: &Dirt, droppings: &BTreeSet<String>, before: &Notes) -> Notes {
    let now = |bystander: Bystander| {
        let path = root.join(&bystander.path);
        let known = before.get(&bystander.key);
        let note = match known {
            Some(Some(pin)) if pin.signature.is_some() && pin.signature == Signature::of(&path) => {
                Some(pin.clone())
            }
            _ => pin(&path),
        };
        (bystander.key, note)
    };
    all(dirt, droppings).into_iter().map(now).collect()
}

/// The bystanders that changed since the last look, as a void trial names them.
pub fn touched(run: &Run<'_>) -> Result<Vec<String>> {
    let named = |changed: Changed| match changed.whose {
        Whose::Dropping => format!("{} (left by verify)", changed.name),
        _ => format!(
            "{} (changed before the run too; taken as it is from now on)",
            changed.name
        ),
    };
    Ok(since_the_last_look(run)?.into_iter().map(named).collect())
}

/// The tracked files of the user's that changed since the last look.
pub fn disturbed(run: &Run<'_>) -> Result<Vec<String>> {
    let tracked = |changed: &Changed| changed.whose == Whose::Tracked;
    let found = since_the_last_look(run)?.into_iter().filter(tracked);
    Ok(found.map(|changed| changed.name).collect())
}

fn since_the_last_look(run: &Run<'_>) -> Result<Vec<Changed>> {
    let store = &run.store;
    let mut found = changed(
        run.work_tree(),
        &store.pinned.dirt,
        &store.state.droppings,
        &store.notes()?,
    );
    // What is part of the yardstick too must stay as it was at start.
    found.retain(|changed| !store.pinned.yardstick.contains_key(&changed.name));
    Ok(found)
}

/// Takes the bystanders as they are now. `new` are droppings that the journal does not know yet.
pub fn note(run: &Run<'_>, new: &[String]) -> Result<()> {
    let before = run.store.notes()?;
    let mut droppings = run.store.state.droppings.clone();
    droppings.extend(new.iter().cloned());
    let now = notes(run.work_tree(), &run.store.pinned.dirt, &droppings, &before);
    if now != before {
        run.store.write_notes(&now)?;
    }
    Ok(())
}

fn differs(path: &Path, pinned: Option<&Pin>) -> bool {
    match pinned {
        None => Signature::of(path).is_some(),
        Some(known) if known.signature.is_some() && known.signature == Signature::of(path) => false,
        Some(known) => {
            known.hash.is_empty() || pin(path).is_none_or(|found| found.hash != known.hash)
        }
    }
}

fn pin(path: &Path) -> Option<Pin> {
    match path.metadata() {
        // What lies in a folder (a submodule, a repository of its own) is not looked at.
        Ok(meta) if meta.is_dir() => {
            let target = std::fs::read_link(path).unwrap_or_default();
            Some(Pin {
                hash: hash(target.as_os_str().as_encoded_bytes()),
                signature: None,
            })
        }
        Ok(meta) if !meta.is_file() || meta.len() > LARGE => Some(Pin {
            hash: String::new(),
            signature: Signature::of(path),
        }),
        _ => yardstick::measure(path),
    }
}
