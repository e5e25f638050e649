//! Owns where Codex looks for skills, and which copies of ours are there.
//! Does not remove any.
//! Invariant: a copy is known by the name in its head, as Codex knows it.

use std::path::{Path, PathBuf};

use crate::home::{CodexHome, SKILL, find_user_home};
use autoresearch_sys::env::World;

/// The folders in which Codex looks when it starts in `folder`.
#[must_use]
pub fn list_skill_roots(world: &World, folder: &Path) -> Vec<PathBuf> {
    let mut roots = Vec::new();
    let top = folder.ancestors().find(|above| above.join(".git").exists());
    for above in folder.ancestors() {
        roots.push(above.join(".agents/skills"));
        if top.is_none_or(|top| top == above) {
            break;
        }
    }
    roots.extend(top.map(|top| top.join(".codex/skills")));
    roots.extend(find_user_home(world).map(|home| home.join(".agents/skills")));
    roots.extend(CodexHome::find_in(world).map(|home| home.root.join("skills")));
    roots.push("/etc/codex/skills".into());
    roots
}

/// The copies of our skill that Codex would see from `folder`, by their real paths.
#[must_use]
pub fn find_skill_copies(world: &World, folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for root in list_skill_roots(world, folder) {
        let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
        for skill in entries
            .map(|entry| entry.path())
            .filter(|skill| is_our_skill(skill))
        {
            let real = skill.canonicalize().unwrap_or(skill);
            if !found.contains(&real) {
                found.push(real);
            }
        }
    }
    found.sort();
    found
}

fn is_our_skill(skill: &Path) -> bool {
    let Ok(text) = std::fs::read_to_string(skill.join("SKILL.md")) else {
        return false;
    };
    let mut head = text.lines().skip(1).take_while(|line| line.trim() != "---");
    let named = head.find_map(|line| line.strip_prefix("name:"));
    match named {
        Some(name) => name.trim().trim_matches(['"', '\'']) == SKILL,
        None => skill.file_name().is_some_and(|name| name == SKILL),
    }
}
