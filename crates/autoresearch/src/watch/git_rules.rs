//! Owns the comparison of git's own rules with those of the start: settings, lists, rule files.
//! Does not change them back.
//! Invariant: while they differ, what git shows and commits is not believed, and nothing is written by other rules than
//! those of the start.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use autoresearch_core::journal::chain::hash_bytes;
use autoresearch_core::words::text::escape_text;

use crate::run::tree::Tree;
use crate::watch::command_files;
use crate::watch::yardstick;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::history::History;
use autoresearch_sys::git::rules::is_newly_pinned;
use autoresearch_sys::git::status::{StatusEntry, StatusKind};
use autoresearch_sys::git::{Git, GitGround};
use autoresearch_sys::regular_files::{NOTE_BYTES, read_file};
use autoresearch_sys::store::{FOLDER, PinnedRules, TreeNotes};

/// How a cache folder begins the file that marks it (bford.info/cachedir).
const CACHE: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// What a rule file can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuleRole {
    /// It hides files from `git status`, or says what lies in a folder.
    Hides,
    /// It decides which bytes a commit or a file gets.
    Rewrites,
}

/// The role of a file that git takes rules from, in whatever folder it lies.
#[must_use]
pub(crate) fn find_rule_role(path: &str) -> Option<RuleRole> {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.to_ascii_lowercase().as_str() {
        ".gitignore" | ".gitmodules" => Some(RuleRole::Hides),
        ".gitattributes" => Some(RuleRole::Rewrites),
        _ => None,
    }
}

/// Pins the rules as they are.
pub(crate) fn pin_rules(git: &Git, common: &Path) -> Result<PinnedRules> {
    let settings = git.read_settings()?;
    let root = git.work_tree();
    let lists = git.rule_lists(&settings, common);
    let ignored = git
        .read_status_with_ignored()?
        .into_iter()
        .filter(|entry| entry.kind == StatusKind::Ignored)
        .map(|entry| entry.path.to_text().into_owned())
        .filter(|path| find_rule_role(path).is_some() && !path.starts_with(&format!("{FOLDER}/")));
    Ok(PinnedRules {
        lists: lists
            .iter()
            .map(|path| {
                (
                    command_files::name_path(root, path),
                    yardstick::make_pin(path),
                )
            })
            .collect(),
        ignored: ignored
            .filter_map(|path| Some((path.clone(), yardstick::make_pin(&root.join(&path))?)))
            .collect(),
        settings: hash_settings(&settings),
    })
}

/// Values of settings are nobody's business: their hashes are enough.
fn hash_settings(settings: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    settings
        .iter()
        .map(|(key, value)| (key.clone(), hash_bytes(value.as_bytes())))
        .collect()
}

/// What is needed to ask git for its settings no more often than they can have changed.
pub(crate) struct GroundScene<'a> {
    pub notes: &'a TreeNotes,
    /// In seconds since 1970.
    pub now: i64,
    /// Whoever only looks writes nothing down.
    pub is_held: bool,
}

/// What git answers about its settings, from memory where it would answer the same.
fn recall_ground(git: &Git, history: &History, scene: &GroundScene<'_>) -> Result<GitGround> {
    let note = scene.notes.ground_path();
    if let Some(ground) = GitGround::recall(git, &note) {
        return Ok(ground);
    }
    let places = (history.git_folder(), history.common_folder());
    let ground = git.read_ground([&places.0, &places.1], scene.now)?;
    if scene.is_held {
        ground.keep(&note);
    }
    Ok(ground)
}

/// Has git itself said before that this is the root of its work tree, and would it say the same?
#[must_use]
pub(crate) fn is_place_known(git: &Git, notes: &TreeNotes) -> bool {
    let known = GitGround::recall(git, &notes.ground_path());
    known.is_some_and(|ground| ground.is_place_checked)
}

/// Notes that git has said so.
pub(crate) fn note_place(git: &Git, history: &History, scene: &GroundScene<'_>) -> Result<()> {
    let mut ground = recall_ground(git, history, scene)?;
    ground.is_place_checked = true;
    ground.keep(&scene.notes.ground_path());
    Ok(())
}

/// The settings and lists that are not what they were: git would write other bytes, or hide other files.
pub(crate) fn list_rewriting(tree: &Tree<'_>) -> Result<Vec<String>> {
    let rules = &tree.pinned.rules;
    let scene = GroundScene {
        notes: &tree.notes,
        now: tree.world.now().as_second(),
        is_held: tree.is_held,
    };
    let now = recall_ground(&tree.git, &tree.history, &scene)?.settings;
    let before = &rules.settings;
    let by_an_older_version = tree.pinned.repository.is_none();
    let keys: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let settings = keys
        .into_iter()
        .filter(|key| before.get(*key) != now.get(*key))
        .filter(|key| !(by_an_older_version && is_newly_pinned(key)))
        .map(|key| format!("git config {}", escape_text(key)));
    let lists = rules
        .lists
        .iter()
        .filter(|(name, pin)| yardstick::differs_from_pin(&tree.path().join(name), pin.as_ref()))
        .map(|(name, _)| escape_text(name));
    Ok(settings.chain(lists).collect())
}

/// The settings of filters whose program is not that of the start. An agent that can write the repository's settings, as
/// below the folder that Codex protects, would have git run it, outside of any sandbox and at the first look: so git gets
/// them without a value. The trial is void all the same, because the settings have changed.
pub(crate) fn list_foreign_filters(
    git: &Git,
    history: &History,
    rules: &PinnedRules,
    scene: &GroundScene<'_>,
) -> Vec<String> {
    // Where git cannot even list its settings, it does nothing else either.
    let ground = recall_ground(git, history, scene).unwrap_or_default();
    let now = ground.settings;
    let strange = |key: &&String| rules.settings.get(*key) != now.get(*key);
    let driver = |key: &str| {
        let (driver, what) = key.strip_prefix("filter.")?.rsplit_once('.')?;
        let runs = ["clean", "smudge", "process"].contains(&what);
        runs.then(|| driver.to_owned())
    };
    let drivers: BTreeSet<String> = now
        .keys()
        .filter(strange)
        .filter_map(|key| driver(key))
        .collect();
    let keys = drivers.iter().flat_map(|driver| {
        let key = move |what| format!("filter.{driver}.{what}");
        ["clean", "smudge", "process", "required"].map(key)
    });
    keys.filter(|key| now.contains_key(key)).collect()
}

/// A rule file that git ignores does not count as changed when it is what it was at start, or when it hides the cache of a tool: a
/// folder with a dot that marks itself with `CACHEDIR.TAG`.
#[must_use]
pub(crate) fn is_known_rule_file(tree: &Tree<'_>, entry: &StatusEntry, path: &str) -> bool {
    let pinned = tree.pinned.rules.ignored.get(path);
    let file = tree.path().join(path);
    entry.kind == StatusKind::Ignored
        && (is_in_cache(&file)
            || pinned.is_some_and(|pin| !yardstick::differs_from_pin(&file, Some(pin))))
}

fn is_in_cache(file: &Path) -> bool {
    let Some(folder) = file.parent() else {
        return false;
    };
    let dotted = folder
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    dotted && is_tagged_cache(folder)
}

/// Does a folder mark itself as the cache of a tool?
#[must_use]
pub(crate) fn is_tagged_cache(folder: &Path) -> bool {
    read_file(&folder.join("CACHEDIR.TAG"), NOTE_BYTES).is_ok_and(|tag| tag.starts_with(CACHE))
}

/// Refuses to write by other rules than those of the start.
pub(crate) fn refuse_other_rules(names: &[String]) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let shown = names
        .iter()
        .take(5)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    Err(Failure::blocked(format!(
        "git's rules changed since the start: {shown}"
    ))
    .hint("nothing was written, because git would write other bytes. Restore them, then run the command again"))
}
