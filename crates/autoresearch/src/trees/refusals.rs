//! Owns the refusal of links and copies with which a tree would measure the user's checkout, or write into it.
//! Does not look at what was not chosen, and changes nothing.
//! Invariant: what is refused holds the checkout's path, or was seen to measure it; the file is named, with what to do instead.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use autoresearch_core::config::{Config, Problem};

use crate::trees::editable_installs::find_link_to;
use crate::trees::wanted::{WantedPath, WantedPaths};
use autoresearch_sys::regular_files::open_file;

/// Files that say where the sources of a build are, and what to do instead of bringing them.
const PLANS: [(&str, &str); 6] = [
    (
        "CMakeCache.txt",
        "configure each tree: `prepare: cmake -S . -B build` with your options, instead of this",
    ),
    (
        "build.ninja",
        "let `prepare` make it in each tree: `cmake -S . -B build -G Ninja`, or `meson setup build`",
    ),
    (
        "compile_commands.json",
        "let `prepare` make it in each tree",
    ),
    (
        "config.status",
        "let `prepare` run `./configure` in each tree",
    ),
    ("Makefile", "let `prepare` make it in each tree"),
    ("GNUmakefile", "let `prepare` make it in each tree"),
];
/// Folders of packages: what was built there was not built of the checkout's sources.
const PACKAGES: [&str; 3] = ["node_modules", "site-packages", "dist-packages"];
/// How deep plans and environments are looked for below a chosen path.
const DEPTH: usize = 4;
/// How much of a plan is read.
const MOST: u64 = 128 << 20;

/// What a tree must not get, at its place in the config. `root` is the user's checkout.
pub(crate) fn find_refusals(root: &Path, config: &Config, wanted: &WantedPaths) -> Vec<Problem> {
    let search = RefusalSearch { root, config };
    let linked = wanted.link.iter().map(|path| (path, true));
    let copied = wanted.copy.iter().map(|path| (path, false));
    let all = linked.chain(copied);
    all.filter_map(|(path, is_link)| search.find_in(path, is_link, &path.path, DEPTH))
        .collect()
}

struct RefusalSearch<'a> {
    root: &'a Path,
    config: &'a Config,
}

impl RefusalSearch<'_> {
    /// The first thing to refuse at a path or below it.
    fn find_in(
        &self,
        wanted: &WantedPath,
        is_link: bool,
        path: &Path,
        depth: usize,
    ) -> Option<Problem> {
        let whole = self.root.join(path);
        let name = path.file_name().unwrap_or_default();
        if whole.is_symlink() || PACKAGES.iter().any(|packages| name == *packages) {
            return None;
        }
        if whole.is_file() {
            return self.find_plan(wanted, path);
        }
        if whole.join(".rustc_info.json").is_file() {
            // The build scripts of Cargo's packages keep plans below it, and make them again.
            return is_link.then(|| refuse_target(wanted, path));
        }
        if whole.join("pyvenv.cfg").is_file() {
            return self.find_environment(wanted, is_link, path);
        }
        let depth = depth.checked_sub(1)?;
        let mut names: Vec<PathBuf> = fs::read_dir(&whole)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| path.join(entry.file_name()))
            .collect();
        // Plans of this folder before those of deeper ones.
        names.sort_by_key(|path| (self.root.join(path).is_dir(), path.clone()));
        names
            .iter()
            .find_map(|path| self.find_in(wanted, is_link, path, depth))
    }

    fn find_plan(&self, wanted: &WantedPath, path: &Path) -> Option<Problem> {
        let name = path.file_name()?;
        let (_, remedy) = PLANS.iter().find(|(plan, _)| name == *plan)?;
        let holds = holds_path(&self.root.join(path), self.root);
        holds.then(|| {
            Problem::error(
                &wanted.place,
                format!(
                    "`{}` holds the path of your checkout: that would be built and measured instead of the tree",
                    path.display()
                ),
                *remedy,
            )
        })
    }

    /// A Python environment. A linked one works as it is, but for what leads it to the checkout's sources.
    fn find_environment(&self, wanted: &WantedPath, is_link: bool, path: &Path) -> Option<Problem> {
        let environment = self.root.join(path);
        let mut commands = self.config.list_commands().into_iter();
        if !commands.any(|(_, command)| command.command.contains("PYTHONPATH="))
            && let Some(link) = find_link_to(&environment, self.root)
        {
            return Some(Problem::error(
                &wanted.place,
                format!(
                    "`{}` makes Python import from your checkout: that would be measured instead of the tree",
                    link.strip_prefix(self.root).unwrap_or(&link).display()
                ),
                "begin verify with `PYTHONPATH=` and the folder of the sources, such as `PYTHONPATH=src`, or let `prepare` make an environment of the tree: `python3 -m venv .venv && .venv/bin/pip install -e .`",
            ));
        }
        let script = find_bound_script(&environment.join("bin"), self.root).filter(|_| !is_link)?;
        Some(Problem::error(
            &wanted.place,
            format!(
                "`{}` starts the Python of your checkout's environment, also from a copy",
                script.strip_prefix(self.root).unwrap_or(&script).display()
            ),
            format!(
                "`link: {}` for one that verify only reads, or let `prepare` make one in each tree",
                path.display()
            ),
        ))
    }
}

fn refuse_target(wanted: &WantedPath, path: &Path) -> Problem {
    let name = path.display();
    Problem::error(
        &wanted.place,
        format!(
            "`{name}` is Cargo's: through links, your own `cargo build` would take what a trial built for yours"
        ),
        format!("`copy: {name}`, or set CARGO_TARGET_DIR in prepare, verify and guard"),
    )
}

/// A program of an environment whose first line names a path in the checkout.
fn find_bound_script(programs: &Path, root: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(programs).ok()?.flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort();
    let start = [b"#!", root.as_os_str().as_encoded_bytes()].concat();
    files.into_iter().find(|file| {
        let mut head = vec![0; start.len()];
        let opened = open_file(file).ok().filter(|_| !file.is_symlink());
        opened.is_some_and(|mut file| file.read_exact(&mut head).is_ok()) && head == start
    })
}

/// Does a file hold this path, as a whole or as the beginning of a longer one?
fn holds_path(file: &Path, path: &Path) -> bool {
    let mut bytes = Vec::new();
    let opened = open_file(file).ok();
    if opened.is_none_or(|file| file.take(MOST).read_to_end(&mut bytes).is_err()) {
        return false;
    }
    let wanted = path.as_os_str().as_encoded_bytes();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let mut found = bytes.windows(wanted.len()).enumerate();
    found.any(|(at, part)| part == wanted && !bytes.get(at + wanted.len()).is_some_and(is_name))
}

#[cfg(test)]
mod tests;
