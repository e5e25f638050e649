//! Owns the manifest of what was installed: every file made, every file changed, and what was there before.
//! Does not install or remove anything.
//! Invariant: it is written before what it lists is made, so that a half of an installation can be finished or undone.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files;
use crate::error::CodexError;
use autoresearch_sys::env::World;

/// The version of the format.
pub const FORMAT: u64 = 1;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format.
    pub format: u64,
    /// The version of the program that wrote it.
    pub version: String,
    /// Files that we made.
    pub files: Vec<InstalledFile>,
    /// Folders that we made, from the outside in.
    pub folders: Vec<PathBuf>,
    /// The user's files that we changed.
    pub changed: Vec<PatchedFile>,
    /// The hooks that we registered, by Codex home.
    pub hooks: Vec<RegisteredHooks>,
}

/// A file that we made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledFile {
    pub path: PathBuf,
    /// Hashes of what we wrote there: one, and during an update two.
    pub hashes: Vec<String>,
}

/// A file of the user's that we changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchedFile {
    pub path: PathBuf,
    /// The text before; absent when there was no file.
    pub original: Option<String>,
    pub mode: Option<u32>,
    /// The hash of the text after; absent while it is being changed.
    pub written: Option<String>,
}

/// The hooks that we registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredHooks {
    /// The real path of the Codex home.
    pub home: PathBuf,
    /// The program that the hooks run.
    pub program: String,
    /// Keys and hashes for which Codex confirmed the trust; the hash is absent as long as it did not.
    pub keys: Vec<(String, Option<String>)>,
}

impl InstalledFile {
    /// Does the file hold what we wrote there?
    pub fn is_unchanged(&self) -> Result<bool, CodexError> {
        let now = files::hash_file(&self.path)?;
        Ok(now.is_some_and(|now| self.hashes.contains(&now)))
    }
}

impl Manifest {
    #[must_use]
    pub fn path_in(world: &World) -> PathBuf {
        world.data_folder.join("manifest.json")
    }

    /// Reads it; an empty one if nothing was installed.
    pub fn read_from(world: &World) -> Result<Self, CodexError> {
        let path = Self::path_in(world);
        let Some(bytes) = files::read_bytes(&path)? else {
            return Ok(Self::default());
        };
        let unreadable = |error: serde_json::Error| CodexError::Unreadable {
            path: path.clone(),
            fault: format!("is not a manifest: {error}"),
        };
        let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(unreadable)?;
        let format = value["format"].as_u64().unwrap_or(0);
        if format > FORMAT {
            return Err(CodexError::Newer { path, format });
        }
        serde_json::from_value(value).map_err(unreadable)
    }

    /// Writes it; deletes it when it lists nothing.
    pub fn write_to(&mut self, world: &World) -> Result<(), CodexError> {
        let path = Self::path_in(world);
        if self.is_empty() {
            return files::remove_if_present(&path);
        }
        self.format = FORMAT;
        env!("CARGO_PKG_VERSION").clone_into(&mut self.version);
        let text = serde_json::to_string_pretty(self).map_err(|error| CodexError::Unreadable {
            path: path.clone(),
            fault: format!("cannot list what is to be made: {error}"),
        })?;
        files::make_parent_folder(&path)?;
        files::replace_file(&path, (text + "\n").as_bytes(), 0o600)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.changed.is_empty() && self.hooks.is_empty()
    }

    /// The file that we made at a path.
    #[must_use]
    pub fn find_installed_file(&self, path: &Path) -> Option<&InstalledFile> {
        self.files.iter().find(|made| made.path == path)
    }

    /// Notes that a file gets these bytes, besides those that it had from us.
    pub fn note_installed_file(&mut self, path: &Path, hash: String) {
        self.note_missing_folders(path);
        match self.files.iter_mut().find(|made| made.path == path) {
            Some(made) if made.hashes.contains(&hash) => {}
            Some(made) => made.hashes.push(hash),
            None => self.files.push(InstalledFile {
                path: path.to_owned(),
                hashes: vec![hash],
            }),
        }
    }

    /// Notes the folders that a file needs and that are not there.
    pub fn note_missing_folders(&mut self, file: &Path) {
        for folder in files::list_missing_folders(file) {
            if !self.folders.contains(&folder) {
                self.folders.push(folder);
            }
        }
    }

    /// The user's file that we changed at a path.
    #[must_use]
    pub fn find_patched_file(&self, path: &Path) -> Option<&PatchedFile> {
        self.changed.iter().find(|changed| changed.path == path)
    }

    /// Notes that a file of the user's is about to change.
    pub fn note_patched_file(&mut self, path: &Path, original: Option<String>) {
        self.note_missing_folders(path);
        let mode = match self.find_patched_file(path) {
            Some(changed) => changed.mode,
            None => files::read_mode(path),
        };
        self.changed.retain(|changed| changed.path != path);
        self.changed.push(PatchedFile {
            path: path.to_owned(),
            original,
            mode,
            written: None,
        });
    }

    /// What a file of the user's would be without us, if this is its text now.
    pub fn compute_original<E>(
        &self,
        path: &Path,
        now: Option<&str>,
        strip: impl FnOnce(&str, Option<&str>) -> Result<Option<String>, E>,
    ) -> Result<Option<String>, E> {
        let changed = self.find_patched_file(path);
        let before = changed.and_then(|changed| changed.original.as_deref());
        let Some(now) = now else { return Ok(None) };
        let untouched = changed.is_some_and(|changed| {
            changed.written.as_deref() == Some(files::hash_bytes(now.as_bytes()).as_str())
        });
        if untouched {
            return Ok(before.map(ToOwned::to_owned));
        }
        if changed.is_none() {
            // Whatever of ours is in a file that no manifest lists was put there by hand, next to the user's own.
            return strip(now, Some(now));
        }
        strip(now, before)
    }

    /// The hooks that we registered in a Codex home.
    #[must_use]
    pub fn find_registered_hooks(&self, home: &Path) -> Option<&RegisteredHooks> {
        self.hooks.iter().find(|hooks| hooks.home == home)
    }

    /// Notes what a changed file has become.
    pub fn note_written_hash(&mut self, path: &Path, hash: &str) {
        for changed in self.changed.iter_mut().filter(|each| each.path == path) {
            changed.written = Some(hash.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::bench::InstallBench;

    const FOLDER: &str = "home/.local/share/codex-autoresearch";

    #[test]
    fn a_manifest_that_lists_nothing_is_not_there() {
        let bench = InstallBench::new();
        let mut manifest = Manifest::read_from(&bench.world).unwrap();
        assert!(manifest.is_empty());
        manifest.write_to(&bench.world).unwrap();
        assert!(!bench.path(FOLDER).exists());
        manifest.note_installed_file(&bench.path("home/a/b"), "1".to_owned());
        manifest.write_to(&bench.world).unwrap();
        assert_eq!(Manifest::read_from(&bench.world).unwrap(), manifest);
        manifest.files.clear();
        manifest.write_to(&bench.world).unwrap();
        assert!(!Manifest::path_in(&bench.world).exists());
    }

    /// A manifest with an entry of each kind.
    fn fill_manifest(bench: &InstallBench) -> Manifest {
        bench.write("home/file", "text");
        let mut manifest = Manifest::default();
        manifest.note_installed_file(&bench.path("home/a/b"), "1".to_owned());
        manifest.note_installed_file(&bench.path("home/a/b"), "2".to_owned());
        manifest.note_installed_file(&bench.path("home/a/b"), "2".to_owned());
        manifest.note_patched_file(&bench.path("home/file"), Some("text".to_owned()));
        manifest.changed[0].mode = Some(0o644);
        manifest.hooks.push(RegisteredHooks {
            home: bench.path("home/.codex"),
            program: "/p".to_owned(),
            keys: vec![
                ("k".to_owned(), Some("sha256:1".to_owned())),
                ("l".to_owned(), None),
            ],
        });
        manifest
    }

    #[test]
    fn the_form_of_the_manifest_is_that_of_the_versions_before() {
        let bench = InstallBench::new();
        fill_manifest(&bench).write_to(&bench.world).unwrap();
        let text = bench.read(&format!("{FOLDER}/manifest.json"));
        let text = bench.show(&text.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
        insta::assert_snapshot!(text, @r#"
        {
          "format": 1,
          "version": "VERSION",
          "files": [
            {
              "path": "/home/a/b",
              "hashes": [
                "1",
                "2"
              ]
            }
          ],
          "folders": [
            "/home/a"
          ],
          "changed": [
            {
              "path": "/home/file",
              "original": "text",
              "mode": 420,
              "written": null
            }
          ],
          "hooks": [
            {
              "home": "/home/.codex",
              "program": "/p",
              "keys": [
                [
                  "k",
                  "sha256:1"
                ],
                [
                  "l",
                  null
                ]
              ]
            }
          ]
        }
        "#);
        assert_eq!(
            files::read_mode(&Manifest::path_in(&bench.world)),
            Some(0o600)
        );
    }

    #[test]
    fn a_manifest_that_cannot_be_read_says_why() {
        for (text, fault) in [
            (
                "{",
                "is not a manifest: EOF while parsing an object at line 1 column 1",
            ),
            ("{}", "is not a manifest: missing field `format`"),
            (
                "[]",
                "is not a manifest: invalid length 0, expected struct Manifest with 6 elements",
            ),
            (
                r#"{"format": 2, "more": 1}"#,
                "has format 2, which this version does not know",
            ),
        ] {
            let bench = InstallBench::new();
            bench.write(&format!("{FOLDER}/manifest.json"), text);
            let error = Manifest::read_from(&bench.world).unwrap_err();
            let expected = format!("/{FOLDER}/manifest.json {fault}");
            assert_eq!(bench.show(&error), expected, "{text}");
        }
    }

    #[test]
    fn a_text_is_what_it_was_before_us_unless_somebody_changed_it_since() {
        let path = Path::new("/h/hooks.json");
        // What takes our part out is told what the text was before, if that is known.
        let strip = |text: &str, before: Option<&str>| {
            Ok::<_, ()>(Some(format!(
                "{text} without ours, once {}",
                before.unwrap_or("absent")
            )))
        };
        let listed = |original: Option<&str>, written: Option<&str>| {
            let written = written.map(|text| files::hash_bytes(text.as_bytes()));
            let path = path.to_owned();
            let original = original.map(ToOwned::to_owned);
            vec![PatchedFile {
                path,
                original,
                mode: None,
                written,
            }]
        };
        for (changed, now, expected) in [
            (vec![], None, None),
            (vec![], Some("now"), Some("now without ours, once now")),
            (listed(None, Some("ours")), None, None),
            (listed(None, Some("ours")), Some("ours"), None),
            (
                listed(Some("users"), Some("ours")),
                Some("ours"),
                Some("users"),
            ),
            (
                listed(Some("users"), Some("ours")),
                Some("now"),
                Some("now without ours, once users"),
            ),
            (
                listed(Some("users"), None),
                Some("ours"),
                Some("ours without ours, once users"),
            ),
            (
                listed(None, None),
                Some("ours"),
                Some("ours without ours, once absent"),
            ),
        ] {
            let manifest = Manifest {
                changed,
                ..Manifest::default()
            };
            let found = manifest.compute_original(path, now, strip).unwrap();
            assert_eq!(found.as_deref(), expected, "{manifest:?} {now:?}");
        }
    }

    #[test]
    fn the_rights_of_before_the_first_change_are_kept_through_all_further_ones() {
        let bench = InstallBench::new();
        bench.write("home/file", "text");
        bench.set_mode("home/file", 0o640);
        let path = bench.path("home/file");
        let mut manifest = Manifest::default();
        manifest.note_patched_file(&path, Some("text".to_owned()));
        manifest.note_written_hash(&path, "hash");
        manifest.note_written_hash(Path::new("/other"), "other");
        assert_eq!(manifest.changed[0].written.as_deref(), Some("hash"));
        bench.set_mode("home/file", 0o600);
        manifest.note_patched_file(&path, Some("text".to_owned()));
        let expected = PatchedFile {
            path,
            original: Some("text".to_owned()),
            mode: Some(0o640),
            written: None,
        };
        assert_eq!(manifest.changed, [expected]);
    }
}
