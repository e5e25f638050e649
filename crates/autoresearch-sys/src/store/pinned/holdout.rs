//! Owns the holdout of a run, beside its anchor: the check that nothing in the repository names, what it printed, and the
//! values that were accepted of it.
//! Does not run it.
//! Invariant: what is run is what the start wrote down: the anchor holds its hash.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use autoresearch_core::config::Holdout;
use autoresearch_core::git_names::TreeId;
use autoresearch_core::journal::chain::hash_bytes;
use autoresearch_core::metric::measurement::Reading;
use autoresearch_core::metric::value::Value;
use serde::{Deserialize, Serialize};

use super::Pin;
use crate::store::disk::{
    Disk, RealDisk, encode_with_format, find_newer_format, make_private_folder, write_output,
};
use crate::store::error::{FORMAT, StoreError, describe_damage};

/// The note, beside the anchor.
const NOTE: &str = "holdout.json";
/// The folder of what it printed, beside the anchor.
const FOLDER: &str = "holdout";
/// The values that were accepted, in that folder.
const VALUES: &str = "values.json";

/// A holdout as the start found it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HoldoutNote {
    pub check: Holdout,
    /// The files outside the work tree that it names, by path.
    pub pins: BTreeMap<String, Pin>,
    /// The value of the untouched tree and how it is read, where it prints one.
    pub baseline: Option<(Value, Reading)>,
}

/// The bound that a later value is held against, by the tree at which it was accepted.
#[derive(Default, Serialize, Deserialize)]
struct AcceptedValues {
    bounds: BTreeMap<String, Value>,
}

impl HoldoutNote {
    /// Where all of it lies: what edited code is kept from, where something keeps it.
    #[must_use]
    pub fn list_places(anchor_folder: &Path) -> Vec<PathBuf> {
        [NOTE, FOLDER].map(|name| anchor_folder.join(name)).into()
    }

    pub fn write_to(&self, anchor_folder: &Path) -> Result<(), StoreError> {
        let path = anchor_folder.join(NOTE);
        RealDisk
            .replace_file(&path, &encode_with_format(&path, self)?)
            .map_err(StoreError::io_error("write", &path))
    }

    /// The hash of the note that a start has written, if it has.
    pub(crate) fn find_hash(anchor_folder: &Path) -> Result<Option<String>, StoreError> {
        Ok(read_note(anchor_folder)?.map(|bytes| hash_bytes(&bytes)))
    }

    /// Reads the note that has this hash; nothing else is a holdout.
    pub(crate) fn read_from(
        anchor_folder: &Path,
        run: &str,
        hash: Option<&str>,
    ) -> Result<Option<Self>, StoreError> {
        let Some(hash) = hash else {
            return Ok(None);
        };
        let path = anchor_folder.join(NOTE);
        let tampered = |what: &str| StoreError::Tampered {
            run: run.to_owned(),
            what: what.to_owned(),
        };
        let bytes =
            read_note(anchor_folder)?.ok_or_else(|| tampered("the note of its holdout is gone"))?;
        if hash_bytes(&bytes) != hash {
            return Err(tampered("the note of its holdout was edited"));
        }
        if let Some(found) = find_newer_format(&bytes) {
            let known = FORMAT;
            return Err(StoreError::Newer { path, found, known });
        }
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| StoreError::Damaged {
                run: run.to_owned(),
                what: describe_damage(&bytes, &error),
                path,
            })
    }

    /// What a value at a trial on this tree is held against, where the holdout prints one.
    pub fn find_bound(
        &self,
        anchor_folder: &Path,
        kept: &TreeId,
    ) -> Result<Option<Value>, StoreError> {
        let Some((baseline, _)) = &self.baseline else {
            return Ok(None);
        };
        let mut accepted = read_values(anchor_folder)?;
        let bound = accepted.bounds.remove(&kept.to_string());
        Ok(Some(bound.unwrap_or_else(|| baseline.clone())))
    }
}

/// Notes the bound from this tree on. It is durable before the keep is: what is noted for a tree that was never kept is
/// never looked up.
pub fn accept_bound(anchor_folder: &Path, tree: &TreeId, bound: Value) -> Result<(), StoreError> {
    let mut accepted = read_values(anchor_folder)?;
    accepted.bounds.insert(tree.to_string(), bound);
    let path = make_holdout_folder(anchor_folder)?.join(VALUES);
    RealDisk
        .replace_file(&path, &encode_with_format(&path, &accepted)?)
        .map_err(StoreError::io_error("write", &path))
}

/// The folder for what the holdout prints. Nobody but the owner of the run can read it.
pub fn make_holdout_folder(anchor_folder: &Path) -> Result<PathBuf, StoreError> {
    let folder = anchor_folder.join(FOLDER);
    make_private_folder(&folder)?;
    Ok(folder)
}

/// Keeps why the holdout of a trial did not pass, for the person alone.
pub fn write_holdout_reason(folder: &Path, name: &str, reason: &str) -> Result<(), StoreError> {
    let path = folder.join(format!("{name}.reason"));
    write_output(&path, format!("{reason}\n").as_bytes())
}

fn read_note(anchor_folder: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    let path = anchor_folder.join(NOTE);
    RealDisk
        .read_file(&path)
        .map_err(StoreError::io_error("read", &path))
}

/// What was accepted so far. A file that cannot be read is no reason to accept a fall.
fn read_values(anchor_folder: &Path) -> Result<AcceptedValues, StoreError> {
    let path = anchor_folder.join(FOLDER).join(VALUES);
    let bytes = RealDisk
        .read_file(&path)
        .map_err(StoreError::io_error("read", &path))?;
    let Some(bytes) = bytes else {
        return Ok(AcceptedValues::default());
    };
    serde_json::from_slice(&bytes)
        .map_err(std::io::Error::from)
        .map_err(StoreError::io_error("read", &path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use autoresearch_core::config::{HoldoutTime, Shell, UserCommand};
    use autoresearch_core::metric::definition::{Direction, Format, Metric};
    use autoresearch_core::metric::measurement::read_measurement;

    use super::*;

    fn make_note(with_value: bool) -> HoldoutNote {
        let metric = Metric {
            name: "wrong".to_owned(),
            direction: Direction::Lower,
            target: None,
            format: Format::Lines,
        };
        let (measurement, reading) = read_measurement("METRIC wrong=9\n", &metric, None).unwrap();
        HoldoutNote {
            check: Holdout {
                command: UserCommand {
                    command: "sh /home/me/hidden.sh".to_owned(),
                    shell: Shell::Sh,
                    timeout: Duration::from_mins(10),
                    working_directory: ".".to_owned(),
                    ok_exit: vec![0],
                    retries: 0,
                },
                every: HoldoutTime::Keep,
            },
            pins: BTreeMap::new(),
            baseline: with_value.then_some((measurement.value, reading)),
        }
    }

    fn read(folder: &Path, hash: Option<&str>) -> Result<Option<HoldoutNote>, StoreError> {
        HoldoutNote::read_from(folder, "demo", hash)
    }

    #[test]
    fn only_the_note_of_the_start_is_read_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let (path, at) = (folder.path().join(NOTE), folder.path());
        assert_eq!(HoldoutNote::find_hash(at).unwrap(), None);
        make_note(true).write_to(at).unwrap();
        let hash = HoldoutNote::find_hash(at).unwrap().unwrap();
        assert_eq!(read(at, Some(&hash)).unwrap(), Some(make_note(true)));
        assert_eq!(read(at, None).unwrap(), None, "the anchor knows of none");
        let rights = path.metadata().unwrap().permissions().mode();
        assert_eq!(rights & 0o777, 0o600);

        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("hidden.sh", "harmless.sh")).unwrap();
        let told = |hash| read(at, hash).unwrap_err().to_string();
        assert!(told(Some(&hash)).contains("the note of its holdout was edited"));
        std::fs::remove_file(&path).unwrap();
        assert!(told(Some(&hash)).contains("the note of its holdout is gone"));
    }

    #[test]
    fn a_value_is_held_against_the_one_of_the_kept_tree_and_at_first_against_the_baseline() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let [start, kept] = [1, 2].map(|byte| TreeId::from_bytes(&[byte; 20]));
        let note = make_note(true);
        assert_eq!(note.find_bound(at, &start).unwrap(), Some(9.into()));
        accept_bound(at, &kept, 7.into()).unwrap();
        assert_eq!(note.find_bound(at, &kept).unwrap(), Some(7.into()));
        assert_eq!(note.find_bound(at, &start).unwrap(), Some(9.into()));
        assert_eq!(make_note(false).find_bound(at, &kept).unwrap(), None);
        let rights = at.join(FOLDER).metadata().unwrap().permissions().mode();
        assert_eq!(rights & 0o777, 0o700);
        std::fs::write(at.join(FOLDER).join(VALUES), "{").unwrap();
        assert!(note.find_bound(at, &kept).is_err(), "nothing is guessed");
    }
}
