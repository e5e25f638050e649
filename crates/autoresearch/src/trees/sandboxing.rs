//! Owns what the sandbox of verify and guard leaves open: which folders they may write in a tree, and outside of it.
//! Does not close one; the runner of a job does.
//! Invariant: no folder that is opened holds, or lies in, what the tool or git writes of a run.

use std::path::{Path, PathBuf};

use autoresearch_core::config::SandboxRule;
use autoresearch_core::words::text::{escape_text, shorten_names};

use crate::trees::place::expand_home;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::process::{Confinement, TreeView};
use autoresearch_sys::store::{FOLDER as RUNS, HoldoutNote, anchor_folder};

/// What commands may write and reach in any tree of a run. `repository` is the folder that all of its trees share.
pub(crate) fn choose_confinement(
    world: &World,
    repository: &Path,
    rule: &SandboxRule,
) -> Result<Confinement> {
    let read_only = vec![
        resolve_links(&world.state_folder),
        resolve_links(repository),
    ];
    let mut writable = Vec::new();
    for (index, typed) in rule.writable.iter().enumerate() {
        let place = format!("verify.sandbox.writable[{index}]");
        let folder = expand_home(world, &place, typed)?;
        let Some(folder) = folder.canonicalize().ok().filter(|it| it.is_dir()) else {
            return Err(
                Failure::config(format!("{place}: there is no folder `{typed}`"))
                    .hint("make it, or leave it out"),
            );
        };
        let is_ours =
            |kept: &&PathBuf| kept.starts_with(&folder) || folder.starts_with(kept.as_path());
        if let Some(kept) = read_only.iter().find(is_ours) {
            let kept = escape_text(&kept.to_string_lossy());
            return Err(Failure::config(format!(
                "{place}: `{typed}` and {kept}, which no command may write, lie in each other"
            ))
            .hint("name the folder of one cache"));
        }
        writable.push(folder);
    }
    Ok(Confinement {
        writable,
        read_only,
        hidden: Vec::new(),
        network: rule.network,
        temporary: None,
    })
}

/// Hides what no command of a run may read of its holdout: what lies beside the anchor, and these places. What the
/// commands write stays open.
pub(crate) fn hide_holdout(
    world: &World,
    (id, secrets): (&str, &[PathBuf]),
    confinement: &mut Confinement,
) {
    let folder = anchor_folder(&resolve_links(&world.state_folder), id);
    let needed = |place: &PathBuf| {
        let mut open = confinement.writable.iter().chain(&confinement.read_only);
        open.any(|path| path.starts_with(place))
    };
    let secrets = secrets.iter().filter(|place| !needed(place)).cloned();
    confinement.hidden = secrets.chain(HoldoutNote::list_places(&folder)).collect();
}

/// Lets the holdout itself read what it names; what lies beside the anchor it need not know.
pub(crate) fn reveal_holdout(anchor_folder: &Path, confinement: &mut Confinement) {
    let beside = HoldoutNote::list_places(&resolve_links(anchor_folder));
    confinement.hidden.retain(|place| beside.contains(place));
}

/// The same in one tree, as its commands see it.
pub(crate) fn confine_to_tree(
    confinement: &Confinement,
    tree: &Path,
    view: Option<&TreeView>,
) -> Confinement {
    let seen = resolve_links(view.map_or(tree, |view| &view.checkout));
    let mut confined = confinement.clone();
    confined.hidden.retain(|place| !seen.starts_with(place));
    let kept = [".git", RUNS].map(|name| seen.join(name));
    confined.read_only.extend(kept);
    confined.writable.push(seen);
    confined
}

fn resolve_links(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// What a person is told of a sandbox.
pub(crate) fn describe_confinement(confinement: &Confinement) -> String {
    let folders = confinement.writable.iter();
    let others = folders.map(|folder| escape_text(&folder.to_string_lossy()));
    let others: Vec<String> = others.collect();
    let places = match others.as_slice() {
        [] => "the tree and a temporary folder".to_owned(),
        _ => format!(
            "the tree, a temporary folder and {}",
            shorten_names(&others, others.len(), 200)
        ),
    };
    let network = if confinement.network {
        "the network"
    } else {
        "no network"
    };
    format!("verify and guard run in a sandbox: {network}, and writes only in {places}")
}

/// What a machine needs for a sandbox.
pub(crate) const SANDBOX_NEEDS: &str = "a sandbox needs Linux 5.13 or newer with Landlock, mount and network namespaces, and for anybody but root user namespaces (sysctl `kernel.apparmor_restrict_unprivileged_userns` and `user.max_user_namespaces`; many containers forbid them)";

/// The stop of a command whose sandbox could not be closed: it never runs without.
pub(crate) fn explain_open_sandbox(error: &str) -> Failure {
    let failure = format!("the sandbox of verify and guard cannot be closed: {error}");
    Failure::environment(failure).hint(format!(
        "nothing was measured: {SANDBOX_NEEDS}. Call the command where they are allowed, or start a run without `sandbox`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sandbox_is_told_with_what_is_open_in_it() {
        let confinement = Confinement {
            writable: vec!["/home/u/.cache/a\nb".into()],
            ..Confinement::default()
        };
        insta::assert_snapshot!(
            describe_confinement(&confinement),
            @r"verify and guard run in a sandbox: no network, and writes only in the tree, a temporary folder and /home/u/.cache/a\nb"
        );
    }

    #[test]
    fn a_tree_is_open_but_for_what_is_not_the_commands() {
        let tree = tempfile::tempdir().unwrap();
        let tree = tree.path().canonicalize().unwrap();
        let base = Confinement {
            writable: vec!["/cache".into()],
            read_only: vec!["/state".into()],
            hidden: Vec::new(),
            network: true,
            temporary: None,
        };
        let confined = confine_to_tree(&base, &tree, None);
        for (path, may) in [
            (tree.join("src/a"), true),
            (tree.join(".git/index"), false),
            (tree.join(RUNS).join("demo/journal.jsonl"), false),
            ("/cache/x".into(), true),
            ("/state/x".into(), false),
        ] {
            assert_eq!(confined.may_write(&path), may, "{}", path.display());
        }
        let view = TreeView {
            tree: tree.join("made"),
            checkout: tree.clone(),
            folders: Vec::new(),
            writes: PathBuf::new(),
        };
        let seen = confine_to_tree(&base, &view.tree, Some(&view));
        assert!(seen.may_write(&tree.join("src/a")), "where they see it");
    }
}
