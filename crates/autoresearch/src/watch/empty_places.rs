//! Owns the places that would decide what is measured if something came to be there: what verify and guard would find before
//! the files that they find now, or in addition to them.
//! Does not pin files; the yardstick does.
//! Invariant: a place is chosen only where nothing is, a look at it reads no file, and what verify makes itself is none.

use std::path::{Path, PathBuf};

use autoresearch_core::config::globs::{GlobError, Globs};
use autoresearch_core::config::{Config, UserCommand};
use autoresearch_core::shell::executed::{FileSearch, SearchKind, list_programs, list_searches};
use autoresearch_core::shell::uses::find_file_uses;
use autoresearch_core::words::text::escape_text;

use crate::watch::command_files::{
    CommandSite, PinWhy, expand_pattern, find_executed_files, has_wildcard, is_in_reach, list_ways,
    name_path, search_folder, tell_why,
};
use autoresearch_sys::process::TreeView;
use autoresearch_sys::store::{EmptyPlaces, FOLDER, PinnedMatches};

/// What tools look for in each folder above the one in which they stand.
const ABOVE: &str = "package.json .npmrc .yarnrc .yarnrc.yml .pnp.cjs .pnp.loader.mjs tsconfig.json .babelrc babel.config.js \
    .cargo/config .cargo/config.toml rust-toolchain rust-toolchain.toml Cargo.toml clippy.toml .clippy.toml rustfmt.toml \
    pyproject.toml pytest.ini .pytest.ini tox.ini setup.cfg setup.py conftest.py mypy.ini ruff.toml .ruff.toml go.mod \
    go.work .eslintrc .eslintrc.js .eslintrc.json .editorconfig justfile .justfile .tool-versions .python-version";
/// The same, as a folder.
const FOLDER_ABOVE: &str = "node_modules";
/// Programs that look for that folder.
const NODES: [&str; 9] = [
    "node", "nodejs", "npm", "npx", "pnpm", "yarn", "bun", "tsx", "jest",
];

/// Chooses the places of a run's tree, and of the folders above it, also of those above the path at which a view shows it.
pub(crate) fn choose_places(
    site: &CommandSite<'_>,
    view: Option<&TreeView>,
    config: &Config,
) -> Result<EmptyPlaces, GlobError> {
    let mut choice = PlaceChoice {
        site,
        scope: Globs::new(&config.scope)?,
        made: Vec::new(),
        places: EmptyPlaces::default(),
    };
    for (_, command) in config.list_commands() {
        choice.add_command(command);
    }
    for way in list_ways(config) {
        choice.add_place(&site.root.join(way), PinWhy::Named);
    }
    choice.add_module_folders(config);
    choice.add_above(site.root);
    if let Some(view) = view {
        choice.add_above(&view.checkout);
    }
    Ok(choice.places)
}

struct PlaceChoice<'a> {
    site: &'a CommandSite<'a>,
    scope: Globs,
    /// What the command makes or takes away itself.
    made: Vec<PathBuf>,
    places: EmptyPlaces,
}

impl PlaceChoice<'_> {
    fn add_command(&mut self, command: &UserCommand) {
        let site = self.site;
        let folders = site.list_folders(command);
        let uses = find_file_uses(&command.command);
        let paths = |word: &String| -> Vec<PathBuf> {
            let folders = folders.iter();
            folders.map(|folder| site.join_word(folder, word)).collect()
        };
        self.made = uses.made.iter().flat_map(&paths).collect();
        self.made.retain(|path| !site.root.starts_with(path));
        for search in list_searches(&command.command) {
            self.add_search(command, &search);
        }
        for word in &uses.read {
            // Outside the tree such a file is a sign of another program: a lock, a socket, a switch of the user's.
            let places: Vec<PathBuf> = paths(word)
                .into_iter()
                .filter(|path| path.starts_with(site.root))
                .collect();
            if places.iter().all(|path| path.symlink_metadata().is_err()) {
                for path in &places {
                    self.add_place(path, PinWhy::Named);
                }
            }
        }
    }

    /// A place before what a program takes would be taken in its stead; where it takes nothing, each place counts.
    fn add_search(&mut self, command: &UserCommand, search: &FileSearch) {
        let site = self.site;
        let why = tell_why(search.kind);
        let folders = match search.kind {
            SearchKind::Executed => site.list_folders(command),
            SearchKind::Default => site.list_folders_above(command),
        };
        let (mut is_found, mut missing) = (false, Vec::new());
        for folder in folders {
            let result = search_folder(site, &folder, search);
            let is_subject = |file: &PathBuf| self.is_subject(&name_path(site.root, file), why);
            match result.found.first() {
                None => missing.extend(result.before),
                Some(file) => {
                    is_found = true;
                    if !is_subject(file)
                        || has_wildcard(&result.before.last().cloned().unwrap_or_default())
                    {
                        for path in &result.before {
                            self.add_place(path, why);
                        }
                    }
                }
            }
        }
        if !is_found || search.kind == SearchKind::Default {
            for path in &missing {
                self.add_place(path, why);
            }
        }
    }

    /// Each folder from a script to the root is one in which node looks for modules.
    fn add_module_folders(&mut self, config: &Config) {
        let root = self.site.root;
        let commands = config.list_commands();
        let uses_node = commands.iter().any(|(_, command)| {
            let programs = list_programs(&command.command);
            programs.iter().any(|name| NODES.contains(&name.as_str()))
        });
        for file in find_executed_files(self.site, config) {
            let folders = file.ancestors().skip(1);
            for folder in folders.take_while(|folder| folder.starts_with(root)) {
                if folder != root || uses_node {
                    self.add_nothing(&folder.join(FOLDER_ABOVE));
                }
            }
        }
    }

    /// The folders above a tree, but for the home and those above it, which are a person's.
    fn add_above(&mut self, tree: &Path) {
        let home = self.site.home.as_deref();
        let is_ours = |folder: &&Path| !home.unwrap_or(Path::new("/")).starts_with(folder);
        for folder in tree.ancestors().skip(1).take_while(is_ours) {
            self.add_nothing(&folder.join(FOLDER_ABOVE));
            for name in ABOVE.split_ascii_whitespace() {
                let path = folder.join(name);
                if is_vacant(&path) {
                    self.places.no_file.insert(name_path(self.site.root, &path));
                }
            }
        }
    }

    fn add_nothing(&mut self, path: &Path) {
        let name = name_path(self.site.root, path);
        if path.symlink_metadata().is_err() && !self.scope.matches_path(&name) {
            self.places.nothing.insert(name);
        }
    }

    fn add_place(&mut self, path: &Path, why: PinWhy) {
        let root = self.site.root;
        let name = name_path(root, path);
        let is_git = |name: &str| name.split('/').any(|part| part == ".git");
        if path == root
            || !is_in_reach(root, path)
            || is_git(&name)
            || Path::new(&name).starts_with(FOLDER)
            || self.made.iter().any(|made| path.starts_with(made))
        {
            return;
        }
        if has_wildcard(path) {
            let names = expand_names(root, path);
            let executed = why == PinWhy::Executed;
            let matches = PinnedMatches { executed, names };
            self.places.patterns.insert(name, matches);
        } else if is_vacant(path) && !self.is_subject(&name, why) {
            self.places.no_file.insert(name);
        }
    }

    fn is_subject(&self, name: &str, why: PinWhy) -> bool {
        is_subject(&self.scope, name, why)
    }
}

/// May trials decide what stands here? As with files: what the scope names, and what it matches and nothing executes.
fn is_subject(scope: &Globs, name: &str, why: PinWhy) -> bool {
    scope.names_file(name) || (why == PinWhy::Named && scope.matches_path(name))
}

/// Is there no file and no link?
fn is_vacant(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|meta| meta.is_dir()) || path.symlink_metadata().is_err()
}

fn expand_names(root: &Path, pattern: &Path) -> std::collections::BTreeSet<String> {
    let files = expand_pattern(pattern);
    files.iter().map(|file| name_path(root, file)).collect()
}

/// Takes out the places that verify and guard filled on the untouched tree.
pub(crate) fn drop_filled(root: &Path, places: &mut EmptyPlaces) {
    places.no_file.retain(|name| is_vacant(&root.join(name)));
    places
        .nothing
        .retain(|name| root.join(name).symlink_metadata().is_err());
    places
        .patterns
        .retain(|pattern, known| expand_names(root, &root.join(pattern)) == known.names);
}

/// What stands where nothing stood, with words for a person.
pub(crate) fn list_filled(root: &Path, places: &EmptyPlaces, scope: &Globs) -> Vec<String> {
    let mut found = Vec::new();
    for name in &places.no_file {
        let path = root.join(name);
        match path.symlink_metadata() {
            Ok(meta) if meta.is_symlink() && path.is_dir() => {
                found.push(format!(
                    "{} (a link on the way to verify's files)",
                    escape_text(name)
                ));
            }
            Ok(meta) if !meta.is_dir() => found.push(describe_new(name)),
            _ => {}
        }
    }
    let stands = |name: &&String| root.join(name).symlink_metadata().is_ok();
    found.extend(
        places
            .nothing
            .iter()
            .filter(stands)
            .map(|name| describe_new(name)),
    );
    for (pattern, known) in &places.patterns {
        let why = if known.executed {
            PinWhy::Executed
        } else {
            PinWhy::Named
        };
        let now = expand_names(root, &root.join(pattern));
        let new = now.difference(&known.names);
        let new = new.filter(|name| !is_subject(scope, name, why));
        found.extend(new.map(|name| describe_new(name)));
    }
    found.sort();
    found.dedup();
    found
}

fn describe_new(name: &str) -> String {
    format!(
        "{} (verify would find it, and it was not there at start)",
        escape_text(name)
    )
}

#[cfg(test)]
mod tests;
