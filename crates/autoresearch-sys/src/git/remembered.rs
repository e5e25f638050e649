//! Owns what is remembered of git's answers about its settings and its place, with the files that they follow from.
//! Does not judge them.
//! Invariant: an answer is taken from memory only where each of these files, absence included, is what it was to the
//! nanosecond, and none of them was young when git answered.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use autoresearch_core::journal::chain::hash_bytes;
use serde::{Deserialize, Serialize};

use super::error::GitError;
use super::program::{Git, Input};
use super::rules::is_rule;
use crate::regular_files::{NOTE_BYTES, read_file};
use crate::replacement::{Durability, replace_file};
use crate::store::FileSignature;

/// A file that changed this many seconds before git answered, or later, may change again without a sign.
const YOUNG: i64 = 2;

/// What git answered about the rules by which it works in a work tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitGround {
    /// The settings that count, with the hashes of their values.
    pub settings: BTreeMap<String, String>,
    /// Did git itself say that this folder is the root of its work tree?
    #[serde(default)]
    pub is_place_checked: bool,
    /// What tells that git would answer the same; nothing where that cannot be told.
    #[serde(default)]
    ground: Option<Ground>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ground {
    /// The variables with settings in them.
    variables: String,
    /// The files, and the folder with git's own.
    files: BTreeMap<PathBuf, FileMark>,
    /// Where git was asked.
    work_tree: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum FileMark {
    Absent,
    File(FileSignature),
    /// A folder gets a new time with each file in it: its number tells that it is the same.
    Folder(u64, u64),
}

impl FileMark {
    fn read_of(path: &Path) -> Self {
        match path.symlink_metadata() {
            Ok(meta) if meta.is_dir() => Self::Folder(meta.dev(), meta.ino()),
            Ok(_) => FileSignature::read_of(path).map_or(Self::Absent, Self::File),
            Err(_) => Self::Absent,
        }
    }
}

impl GitGround {
    /// The answer that a note holds, if git would give the same now.
    #[must_use]
    pub fn recall(git: &Git, note: &Path) -> Option<Self> {
        let known: Self = serde_json::from_slice(&read_file(note, NOTE_BYTES).ok()?).ok()?;
        let ground = known.ground.as_ref()?;
        let is_same = |(path, mark): (&PathBuf, &FileMark)| FileMark::read_of(path) == *mark;
        let holds = ground.work_tree == git.work_tree()
            && ground.variables == git.hash_variables()
            && ground.files.iter().all(is_same);
        holds.then_some(known)
    }

    /// Keeps the answer in a note. Where that fails, git is asked again.
    pub fn keep(&self, note: &Path) {
        let Ok(bytes) = serde_json::to_vec(self) else {
            return;
        };
        let _ = replace_file(note, Durability::Unsynced, None, |file| {
            file.write_all(&bytes)
        });
    }
}

impl Git {
    /// Asks git for the settings that count. `places` are its folder and the one that all work trees share; `now` is in
    /// seconds since 1970.
    pub fn read_ground(&self, places: [&Path; 2], now: i64) -> Result<GitGround, GitError> {
        let words = ["config", "--list", "-z", "--show-origin"].map(OsStr::new);
        let output = self.run_git(words, Input::Nothing)?;
        let mut parts = output.stdout.split(|byte| *byte == 0);
        let (mut settings, mut files) = (BTreeMap::new(), self.list_candidates(places));
        let mut is_known = true;
        while let (Some(origin), Some(item)) = (parts.next(), parts.next()) {
            let (origin, text) = (
                String::from_utf8_lossy(origin),
                String::from_utf8_lossy(item),
            );
            let (key, value) = text.split_once('\n').unwrap_or((&text, "true"));
            let file = origin
                .strip_prefix("file:")
                .map(|path| self.work_tree().join(path));
            files.extend(file.clone());
            if key == "include.path" || key.starts_with("includeif.") {
                // Other conditions than the place of the repository may hold tomorrow.
                let is_plain = key == "include.path" || key.starts_with("includeif.gitdir");
                let target = file
                    .as_deref()
                    .and_then(|file| self.find_included(file, value));
                is_known &= is_plain && target.is_some();
                files.extend(target);
            }
            if is_rule(key) {
                settings.insert(key.to_owned(), hash_bytes(value.as_bytes()));
            }
        }
        let files: BTreeMap<PathBuf, FileMark> = files
            .into_iter()
            .map(|path| (path.clone(), FileMark::read_of(&path)))
            .collect();
        let is_young = |path: &PathBuf| {
            let meta = path.symlink_metadata().ok();
            meta.is_some_and(|meta| !meta.is_dir() && meta.ctime() >= now - YOUNG)
        };
        let is_known = is_known && !files.keys().any(is_young);
        Ok(GitGround {
            settings,
            is_place_checked: false,
            ground: is_known.then(|| Ground {
                variables: self.hash_variables(),
                files,
                work_tree: self.work_tree().to_owned(),
            }),
        })
    }

    /// Files that hold settings as soon as they are there, and what leads to git's folder.
    fn list_candidates(&self, [own, common]: [&Path; 2]) -> Vec<PathBuf> {
        let named = |name: &str| self.find_variable(name).map(PathBuf::from);
        let home = named("HOME");
        let settings = named("XDG_CONFIG_HOME").or_else(|| Some(home.clone()?.join(".config")));
        let prefix = self
            .program()
            .ancestors()
            .nth(2)
            .map(|prefix| prefix.join("etc/gitconfig"));
        let of_user = home.map(|home| home.join(".gitconfig"));
        let more = settings.map(|settings| settings.join("git/config"));
        let said = [
            named("GIT_CONFIG_GLOBAL"),
            named("GIT_CONFIG_SYSTEM"),
            named("GIT_CONFIG"),
        ];
        let mut all = vec![
            PathBuf::from("/etc/gitconfig"),
            common.join("config"),
            own.join("config.worktree"),
            own.join("commondir"),
            own.join("gitdir"),
            self.work_tree().join(".git"),
        ];
        all.extend([prefix, of_user, more].into_iter().flatten());
        all.extend(said.into_iter().flatten());
        all
    }

    /// The file that a setting includes; `None` where only git knows where it is.
    fn find_included(&self, from: &Path, value: &str) -> Option<PathBuf> {
        let home = || self.find_variable("HOME").map(PathBuf::from);
        match value.strip_prefix("~/") {
            Some(below) => Some(home()?.join(below)),
            None if value.starts_with(['~', '%']) => None,
            None => Some(from.parent()?.join(value)),
        }
    }

    /// The variables by which git gets settings, as one hash: they are the same from command to command, unless something was
    /// disarmed.
    fn hash_variables(&self) -> String {
        let settings = self.env.iter().filter(|(name, _)| {
            let name = name.as_encoded_bytes();
            name.starts_with(b"GIT_CONFIG") || name == b"HOME" || name == b"XDG_CONFIG_HOME"
        });
        let mut lines: Vec<Vec<u8>> = settings
            .map(|(name, value)| [name.as_encoded_bytes(), b"=", value.as_encoded_bytes()].concat())
            .collect();
        lines.sort();
        hash_bytes(&lines.join(&b'\n'))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::git::scratch::ScratchRepository;

    /// Far enough ahead that no file is young.
    const LATER: i64 = 1 << 40;

    struct Bed {
        repository: ScratchRepository,
        note: PathBuf,
        own: PathBuf,
    }

    impl Bed {
        fn new() -> Self {
            let repository = ScratchRepository::with_files(&["a"]);
            let included = repository.beside("included");
            repository.run(&["config", "include.path", included.to_str().unwrap()]);
            Self {
                note: repository.beside("ground.json"),
                own: repository.root().join(".git"),
                repository,
            }
        }

        fn keep(&self, now: i64) {
            let git = &self.repository.git;
            git.read_ground([&self.own, &self.own], now)
                .unwrap()
                .keep(&self.note);
        }

        fn is_remembered(&self) -> bool {
            GitGround::recall(&self.repository.git, &self.note).is_some()
        }
    }

    #[test]
    fn an_answer_is_remembered_until_a_file_changes_that_it_follows_from() {
        for (change, act) in [
            (
                "a setting",
                (|bed| drop(bed.repository.run(&["config", "core.autocrlf", "true"]))) as fn(&Bed),
            ),
            ("other bytes of the same length, with the old time", |bed| {
                let path = bed.own.join("config");
                let (text, meta) = (
                    fs::read_to_string(&path).unwrap(),
                    fs::metadata(&path).unwrap(),
                );
                fs::write(&path, text.replace("filemode = true", "fileMode = true")).unwrap();
                let file = fs::File::options().write(true).open(&path).unwrap();
                file.set_modified(meta.modified().unwrap()).unwrap();
            }),
            ("an included file that comes to be", |bed| {
                fs::write(
                    bed.repository.beside("included"),
                    "[core]\nautocrlf = true\n",
                )
                .unwrap();
            }),
            ("a file of the user's that comes to be", |bed| {
                let home = bed
                    .repository
                    .git
                    .find_variable("HOME")
                    .map(PathBuf::from)
                    .unwrap();
                fs::create_dir_all(&home).unwrap();
                fs::write(home.join(".gitconfig"), "[core]\nautocrlf = true\n").unwrap();
            }),
            ("settings of the work tree alone", |bed| {
                fs::write(bed.own.join("config.worktree"), "[core]\nbare = false\n").unwrap();
            }),
            ("another common folder", |bed| {
                fs::write(bed.own.join("commondir"), "../elsewhere\n").unwrap();
            }),
            ("another git folder", |bed| {
                fs::rename(&bed.own, bed.repository.beside("moved")).unwrap();
                let told = format!("gitdir: {}\n", bed.repository.beside("moved").display());
                fs::write(&bed.own, told).unwrap();
            }),
        ] {
            let bed = Bed::new();
            assert!(!bed.is_remembered());
            bed.keep(LATER);
            assert!(bed.is_remembered(), "before {change}");
            act(&bed);
            assert!(!bed.is_remembered(), "{change}");
        }
    }

    #[test]
    fn nothing_is_remembered_of_young_files_of_conditions_and_for_another_environment() {
        let mut bed = Bed::new();
        bed.keep(fs::metadata(bed.own.join("config")).unwrap().ctime() + 1);
        assert!(
            !bed.is_remembered(),
            "the file may be written again within its second"
        );
        for key in [
            "includeIf.onbranch:main.path",
            "includeIf.hasconfig:remote.*.url:x.path",
        ] {
            bed.repository.run(&["config", key, "other"]);
            bed.keep(LATER);
            assert!(!bed.is_remembered(), "{key}");
            bed.repository.run(&["config", "--unset", key]);
        }
        bed.keep(LATER);
        assert!(bed.is_remembered());
        bed.repository
            .git
            .disarm_settings(&["filter.x.clean".to_owned()]);
        assert!(!bed.is_remembered());
    }

    #[test]
    fn the_settings_are_those_that_git_lists() {
        let bed = Bed::new();
        bed.repository
            .run(&["config", "filter.x.clean", "sed s/a/b/"]);
        let git = &bed.repository.git;
        let found = git
            .read_ground([&bed.own, &bed.own], LATER)
            .unwrap()
            .settings;
        let listed = git.read_settings().unwrap().into_iter();
        let listed: BTreeMap<_, _> = listed
            .map(|(key, value)| (key, hash_bytes(value.as_bytes())))
            .collect();
        assert_eq!(found, listed);
    }
}
