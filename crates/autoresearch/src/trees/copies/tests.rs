//! What a copy is like, and what becomes of one that was cut short.

use std::os::unix::fs::symlink;
use std::sync::atomic::Ordering;

use tempfile::TempDir;

use autoresearch_core::git_names::RepoPath;

use super::*;

/// A checkout with a folder `out`, and a tree.
struct Scene {
    folder: TempDir,
    world: World,
}

impl Scene {
    fn new() -> Self {
        let scene = Self {
            folder: tempfile::tempdir().unwrap(),
            world: World::from_process(),
        };
        for folder in ["main/out/deep", "tree"] {
            fs::create_dir_all(scene.path(folder)).unwrap();
        }
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    /// A file with this text, mode and time.
    fn write(&self, name: &str, text: &str, (mode, second): (u32, i64)) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        set_time(&path, Some((second, 7))).unwrap();
    }

    fn copy(&self, patterns: &[&str], tracked: &[&str]) -> Result<Vec<PathBuf>> {
        let (main, tree) = (self.path("main"), self.path("tree"));
        let wanted = WantedPaths::of(&[], patterns);
        let names: Vec<RepoPath> = tracked.iter().map(|name| RepoPath::new(*name)).collect();
        let hidden = names.iter().cloned().collect();
        let mut copier = Copier::new(&self.world, [&main, &tree], &wanted, hidden);
        copier.copy_all()?;
        copier.make_newer(&names)?;
        Ok(copier.skipped)
    }

    /// Mode, second and text of a file, or where a link leads.
    fn show(&self, name: &str) -> String {
        let path = self.path(name);
        let meta = path.symlink_metadata().unwrap();
        let text = match fs::read_link(&path) {
            Ok(end) => format!("-> {}", end.display()),
            Err(_) if meta.is_dir() => "folder".to_owned(),
            Err(_) => fs::read_to_string(&path).unwrap(),
        };
        let mode = meta.mode() & 0o7777;
        let root = self.path("").display().to_string();
        format!("{mode:o} {} {text}", meta.mtime()).replace(&root, "/")
    }

    fn second_of(&self, name: &str) -> i64 {
        self.path(name).symlink_metadata().unwrap().mtime()
    }
}

#[test]
fn bytes_modes_links_and_times_are_kept_also_of_folders() {
    let scene = Scene::new();
    scene.write("main/out/deep/tool", "#!/bin/sh\n", (0o755, 1_000));
    scene.write("main/out/secret", "s", (0o400, 2_000));
    symlink("deep/tool", scene.path("main/out/near")).unwrap();
    symlink(scene.path("main/src/a"), scene.path("main/out/source")).unwrap();
    symlink("/elsewhere", scene.path("main/out/far")).unwrap();
    set_time(&scene.path("main/out/near"), Some((3_000, 0))).unwrap();
    fs::set_permissions(scene.path("main/out/deep"), Permissions::from_mode(0o550)).unwrap();
    set_time(&scene.path("main/out/deep"), Some((4_000, 0))).unwrap();
    for _ in 0..2 {
        assert_eq!(scene.copy(&["out"], &[]).unwrap(), [] as [PathBuf; 0]);
        assert_eq!(scene.show("tree/out/deep/tool"), "755 1000 #!/bin/sh\n");
        assert_eq!(scene.show("tree/out/secret"), "400 2000 s");
        assert_eq!(scene.show("tree/out/near"), "777 3000 -> deep/tool");
        assert_eq!(scene.show("tree/out/deep"), "550 4000 folder");
        let leads_to = |name: &str| fs::read_link(scene.path(name)).unwrap();
        assert_eq!(leads_to("tree/out/source"), scene.path("tree/src/a"));
        assert_eq!(leads_to("tree/out/far"), Path::new("/elsewhere"));
    }
}

#[test]
fn a_copy_that_was_cut_short_is_made_again_and_one_that_is_whole_is_left_alone() {
    let scene = Scene::new();
    scene.write("main/out/cut", "whole", (0o644, 1_000));
    scene.write("main/out/whole", "first", (0o644, 1_000));
    // The same length without the time of the original: it was being written.
    scene.write("tree/out/cut", "whol\0", (0o600, 5_000));
    scene.write("tree/out/whole", "FIRST", (0o644, 1_000));
    scene.copy(&["out"], &[]).unwrap();
    assert_eq!(scene.show("tree/out/cut"), "644 1000 whole");
    assert_eq!(scene.show("tree/out/whole"), "644 1000 FIRST");
}

#[test]
fn what_is_taken_out_or_tracked_is_not_copied() {
    let scene = Scene::new();
    for name in ["a", "deep/b", "doc/c", "kept"] {
        scene.write(&format!("main/out/{name}"), "main", (0o644, 1_000));
    }
    scene.write("tree/out/kept", "tree", (0o644, 2_000));
    scene.copy(&["out", "!/out/doc"], &["out/kept"]).unwrap();
    assert_eq!(scene.show("tree/out/kept"), "644 2000 tree");
    assert_eq!(scene.show("tree/out/deep/b"), "644 1000 main");
    assert!(!scene.path("tree/out/doc").exists());
}

#[test]
fn tracked_files_that_are_not_newer_than_a_product_become_so_and_the_others_keep_their_times() {
    let scene = Scene::new();
    scene.write("main/out/product", "", (0o644, 2_000));
    scene.write("tree/src/old", "", (0o644, 1_000));
    scene.write("tree/src/same", "", (0o644, 2_000));
    scene.write("tree/src/new", "", (0o644, 3_000));
    symlink("old", scene.path("tree/src/link")).unwrap();
    set_time(&scene.path("tree/src/link"), Some((1_000, 0))).unwrap();
    let tracked = ["src/old", "src/same", "src/new", "src/link", "src/deleted"];
    scene.copy(&["out"], &tracked).unwrap();
    for name in ["old", "same", "link"] {
        let second = scene.second_of(&format!("tree/src/{name}"));
        assert!(second > 1_000_000, "{name}: {second}");
    }
    assert_eq!(scene.second_of("tree/src/new"), 3_000);
    assert_eq!(scene.second_of("tree/out/product"), 2_000);
}

#[test]
fn a_product_from_the_future_is_older_than_every_source_too() {
    let scene = Scene::new();
    let future = 4_000_000_000;
    scene.write("main/out/product", "", (0o644, future));
    scene.write("tree/src/a", "", (0o644, 1_000));
    scene.copy(&["out"], &["src/a"]).unwrap();
    assert_eq!(scene.second_of("tree/src/a"), future + 1);
}

#[test]
fn a_pipe_is_not_copied_and_is_named() {
    let scene = Scene::new();
    for name in ["main/out/pipe", "main/out/deep/pipe"] {
        let kind = rustix::fs::FileType::Fifo;
        let mode = rustix::fs::Mode::RUSR;
        rustix::fs::mknodat(CWD, scene.path(name), kind, mode, 0).unwrap();
    }
    scene.write("main/out/zero", "0", (0o644, 1_000));
    let mut skipped = scene.copy(&["out"], &[]).unwrap();
    skipped.sort();
    assert_eq!(skipped, ["out/deep/pipe", "out/pipe"].map(PathBuf::from));
    assert_eq!(scene.show("tree/out/zero"), "644 1000 0");
    insta::assert_snapshot!(describe_skipped(&skipped).unwrap(), @"note: not copied, because it is neither a file, a folder nor a link: out/deep/pipe and 1 more");
    assert_eq!(describe_skipped(&[]), None);
}

#[test]
fn a_wish_to_stop_ends_the_copying() {
    let scene = Scene::new();
    scene.write("main/out/a", "a", (0o644, 1_000));
    scene.world.interrupted.store(true, Ordering::Relaxed);
    let failure = scene.copy(&["out"], &[]).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Interrupted);
    assert!(!scene.path("tree/out").exists());
}

#[test]
fn a_large_file_is_copied_whole_in_portions() {
    let scene = Scene::new();
    let text = "0123456789abcdef".repeat(1 << 20);
    let text = format!("{text}{text}end");
    scene.write("main/out/large", &text, (0o644, 1_000));
    scene.copy(&["out"], &[]).unwrap();
    assert_eq!(
        fs::read(scene.path("tree/out/large")).unwrap(),
        text.as_bytes()
    );
}
