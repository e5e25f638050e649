//! Owns where Codex looks for skills, and which copies of ours are there.
//! Does not remove any.
//! Invariant: a copy is known by the name in its head, as Codex knows it.

use std::path::{Path, PathBuf};

use crate::home::{CodexHome, SKILL, find_user_home};
use autoresearch_sys::env::World;
use autoresearch_sys::regular_files::{NOTE_BYTES, read_text};

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
    let Ok(text) = read_text(&skill.join("SKILL.md"), NOTE_BYTES) else {
        return false;
    };
    let mut head = text.lines().skip(1).take_while(|line| line.trim() != "---");
    let named = head.find_map(|line| line.strip_prefix("name:"));
    match named {
        Some(name) => name.trim().trim_matches(['"', '\'']) == SKILL,
        None => skill.file_name().is_some_and(|name| name == SKILL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::bench::InstallBench;

    fn show_paths(bench: &InstallBench, paths: &[PathBuf]) -> Vec<String> {
        paths
            .iter()
            .map(|path| bench.show(&path.display()))
            .collect()
    }

    #[test]
    fn skills_are_looked_for_from_the_folder_up_to_the_top_of_the_repository() {
        let bench = InstallBench::with_codex_home(&[]);
        bench.write("project/a/b/file", "");
        let roots = list_skill_roots(&bench.world, &bench.path("project/a/b"));
        let everywhere = [
            "/home/.agents/skills",
            "/home/.codex/skills",
            "/etc/codex/skills",
        ];
        assert_eq!(
            show_paths(&bench, &roots),
            [&["/project/a/b/.agents/skills"][..], &everywhere].concat()
        );
        std::fs::create_dir(bench.path("project/.git")).unwrap();
        let roots = list_skill_roots(&bench.world, &bench.path("project/a/b"));
        let inside = [
            "/project/a/b/.agents/skills",
            "/project/a/.agents/skills",
            "/project/.agents/skills",
            "/project/.codex/skills",
        ];
        assert_eq!(
            show_paths(&bench, &roots),
            [&inside[..], &everywhere].concat()
        );
    }

    #[test]
    fn a_copy_of_ours_is_known_by_the_name_in_its_head_and_each_is_listed_once() {
        let bench = InstallBench::with_codex_home(&[]);
        for (place, text) in [
            (
                "home/.agents/skills/one",
                "---\nname: codex-autoresearch\n---\n",
            ),
            (
                "home/.agents/skills/two",
                "---\nversion: 1\nname:  \"codex-autoresearch\" \n---\n",
            ),
            (
                "home/.agents/skills/three",
                "---\nname: other\n---\nname: codex-autoresearch\n",
            ),
            (
                "home/.agents/skills/four",
                "---\nversion: 1\n---\nname: codex-autoresearch\n",
            ),
            (
                "home/.codex/skills/codex-autoresearch",
                "---\nversion: 1\n---\n",
            ),
            (
                "project/.agents/skills/codex-autoresearch",
                "---\nname: renamed\n---\n",
            ),
        ] {
            bench.write(&format!("{place}/SKILL.md"), text);
        }
        bench.write("home/.codex/skills/empty/README.md", "");
        let link = bench.path("project/.agents/skills/link");
        std::os::unix::fs::symlink(bench.path("home/.agents/skills/one"), link).unwrap();
        let found = find_skill_copies(&bench.world, &bench.world.cwd);
        assert_eq!(
            show_paths(&bench, &found),
            [
                "/home/.agents/skills/one",
                "/home/.agents/skills/two",
                "/home/.codex/skills/codex-autoresearch"
            ]
        );
    }
}
