//! What is taken for a program, and what a machine has.

use std::os::unix::fs::PermissionsExt;

use super::*;

/// A world that looks for programs here.
fn look_in(folders: &[&Path]) -> World {
    let path = std::env::join_paths(folders).unwrap();
    World {
        vars: [(OsString::from("PATH"), path)].into(),
        ..World::from_process()
    }
}

fn put_program(folder: &Path, name: &str, mode: u32) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(name), "").unwrap();
    std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_program_counts_where_the_repository_cannot_have_put_it() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().canonicalize().unwrap();
    let (root, outside) = (base.join("repo"), base.join("bin"));
    put_program(&outside, "cargo", 0o755);
    put_program(&outside, "go", 0o644);
    put_program(&outside, "unheard-of", 0o755);
    put_program(&root.join("bin"), "node", 0o755);
    std::os::unix::fs::symlink(root.join("bin"), base.join("link")).unwrap();
    let world = look_in(&[&root.join("bin"), &base.join("link"), &outside]);
    let found: Vec<String> = find_programs(&world, &root).into_iter().collect();
    assert_eq!(found, ["cargo"]);
    let none = World {
        vars: [].into(),
        ..look_in(&[])
    };
    assert!(find_programs(&none, &root).is_empty());
}

#[test]
fn a_machine_has_a_core_and_room() {
    let folder = tempfile::tempdir().unwrap();
    let machine = look_at_machine(&look_in(&[]), folder.path());
    assert!(machine.cores > 0 && machine.free_bytes.is_some());
}
