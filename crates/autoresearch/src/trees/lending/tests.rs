//! Trees of a real repository: what a borrower gets, what stays for the next one, and what goes.

use std::os::unix::fs::MetadataExt;

use autoresearch_core::git_names::{RefName, RepoPath};
use autoresearch_sys::git::history::History;

use super::*;
use crate::trees::left_gits::recover_left_gits;
use crate::trees::scratch::TreeBed;

fn read(tree: &LentTree<'_>, name: &str) -> String {
    std::fs::read_to_string(tree.path().join(name)).unwrap()
}

#[test]
fn a_lent_tree_is_at_its_commit_outside_the_repository_and_the_users_tree_stays() {
    let bed = TreeBed::new();
    let first = bed.head();
    bed.write("src/a", "two\n");
    let second = bed.commit(&["src/a"]);
    bed.write("src/b", "not committed\n");
    let tree = bed.lend(TreeKind::Lent, &first);
    assert!(!tree.path().starts_with(bed.root()));
    assert_eq!(
        (read(&tree, "src/a"), read(&tree, "src/b")),
        ("one\n".into(), "one\n".into())
    );
    let other = bed.lend(TreeKind::Lent, &second);
    assert_ne!(tree.path(), other.path());
    assert_eq!(read(&other, "src/a"), "two\n");
    drop((tree, other));
    assert_eq!(bed.head(), second);
    let changed = bed.git.list_differing(&second).unwrap();
    assert_eq!(changed, [RepoPath::new("src/b")]);
}

#[test]
fn a_record_of_git_that_a_kill_cut_short_goes_with_its_tree_and_a_users_stays() {
    for cut in ["gitdir", "HEAD", "commondir"] {
        let bed = TreeBed::new();
        let tree = bed.lend(TreeKind::Scratch, &bed.head());
        let name = tree.path().file_name().unwrap().to_owned();
        let records = bed.root().join(".git/worktrees");
        let record = records.join(&name);
        assert!(record.is_dir());
        // As git leaves it while it makes one: locked, with a HEAD that names nothing.
        std::fs::write(record.join("locked"), "initializing").unwrap();
        std::fs::write(record.join("HEAD"), format!("{:040}\n", 0)).unwrap();
        std::fs::remove_file(record.join(cut)).unwrap();
        drop(tree);
        assert!(!record.exists(), "{cut}");
        assert!(bed.git.list_work_trees().unwrap().len() == 1, "{cut}");
    }
    // One of the user's with the same name, for a tree elsewhere.
    let bed = TreeBed::new();
    let tree = bed.lend(TreeKind::Scratch, &bed.head());
    let record = bed
        .root()
        .join(".git/worktrees")
        .join(tree.path().file_name().unwrap());
    std::fs::write(record.join("gitdir"), "/elsewhere/.git\n").unwrap();
    drop(tree);
    assert!(record.is_dir());
}

#[test]
fn a_record_that_git_cannot_read_is_removed_before_anybody_lists_trees() {
    for cut in ["gitdir", "HEAD", "commondir"] {
        let bed = TreeBed::new();
        let tree = bed.lend(TreeKind::Lent, &bed.head());
        let record = bed
            .root()
            .join(".git/worktrees")
            .join(tree.path().file_name().unwrap());
        let note = tree.note_folder();
        drop(tree);
        // A git that was killed while it wrote, and its note that it is at work.
        std::fs::write(record.join(cut), "").unwrap();
        recover_left_gits(&bed.world, &bed.git, &bed.root()).unwrap();
        assert!(record.exists(), "{cut}: no git of ours was at work");
        std::fs::write(note.join("git-at-work"), "").unwrap();
        recover_left_gits(&bed.world, &bed.git, &bed.root()).unwrap();
        assert!(!record.exists(), "{cut}");
        bed.git.list_work_trees().unwrap();
    }
}

#[test]
fn who_wants_a_new_tree_does_not_get_one_that_was_given_back() {
    let bed = TreeBed::new();
    let lent = bed.lend(TreeKind::Lent, &bed.head());
    std::fs::write(lent.path().join("left.log"), "x").unwrap();
    let path = lent.path().to_owned();
    drop(lent);
    let clean = bed.lend(TreeKind::Scratch, &bed.head());
    assert_ne!(clean.path(), path);
    drop(clean);
    assert_eq!(bed.lend(TreeKind::Lent, &bed.head()).path(), path);
}

#[test]
fn a_tree_that_was_given_back_is_brought_to_the_commit_and_keeps_what_git_ignores() {
    let bed = TreeBed::new();
    let first = bed.head();
    bed.write("src/a", "two\n");
    bed.write("src/new", "two\n");
    let second = bed.commit(&["src/a", "src/new"]);
    let tree = bed.lend(TreeKind::Lent, &first);
    let path = tree.path().to_owned();
    let seconds = |name: &str| path.join(name).metadata().unwrap().mtime();
    std::fs::create_dir_all(path.join("build/deep")).unwrap();
    std::fs::write(path.join("build/deep/object"), "built").unwrap();
    std::fs::create_dir_all(path.join("left/deep")).unwrap();
    std::fs::write(path.join("left/deep/file"), "left").unwrap();
    std::fs::remove_file(path.join("src/b")).unwrap();
    std::fs::write(path.join("src/a"), "edited\n").unwrap();
    let edited = seconds("src/a");
    drop(tree);
    let tree = bed.lend(TreeKind::Lent, &second);
    assert_eq!(tree.path(), path, "the same tree");
    for (name, text) in [
        ("src/a", "two\n"),
        ("src/b", "one\n"),
        ("src/new", "two\n"),
        ("build/deep/object", "built"),
    ] {
        assert_eq!(read(&tree, name), text, "{name}");
    }
    assert!(!path.join("left").exists());
    // A cache by second and size cannot take the new bytes for the old.
    assert!(seconds("src/a") > edited);
    let (at, unchanged) = (seconds("src/a"), seconds(".gitignore"));
    drop(tree);
    let tree = bed.lend(TreeKind::Lent, &first);
    assert_eq!(read(&tree, "src/a"), "one\n");
    assert!(!path.join("src/new").exists());
    assert!(seconds("src/a") > at);
    assert_eq!(
        seconds(".gitignore"),
        unchanged,
        "nothing has to be built again"
    );
    assert_eq!(tree.git().list_differing(&first).unwrap(), []);
}

#[test]
fn a_file_in_the_place_of_a_folder_and_a_link_out_are_undone_and_nothing_behind_the_link() {
    let bed = TreeBed::new();
    let first = bed.head();
    let tree = bed.lend(TreeKind::Lent, &first);
    let (path, outside) = (tree.path().to_owned(), bed.base().join("outside"));
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("a"), "mine\n").unwrap();
    std::fs::remove_dir_all(path.join("src")).unwrap();
    std::os::unix::fs::symlink(&outside, path.join("src")).unwrap();
    std::fs::remove_file(path.join(".gitignore")).unwrap();
    std::fs::create_dir_all(path.join(".gitignore/deep")).unwrap();
    std::fs::write(path.join(".gitignore/deep/file"), "x").unwrap();
    drop(tree);
    let tree = bed.lend(TreeKind::Lent, &first);
    assert_eq!(tree.path(), path);
    assert!(!path.join("src").is_symlink());
    assert_eq!(read(&tree, "src/a"), "one\n");
    assert_eq!(read(&tree, ".gitignore"), "build\n");
    assert_eq!(std::fs::read(outside.join("a")).unwrap(), b"mine\n");
}

#[test]
fn a_scratch_tree_is_gone_when_it_is_given_back() {
    let bed = TreeBed::new();
    let tree = bed.lend(TreeKind::Scratch, &bed.head());
    let path = tree.path().to_owned();
    std::fs::write(path.join("src/a"), "edited\n").unwrap();
    std::fs::write(path.join("untracked"), "x").unwrap();
    drop(tree);
    assert!(!path.exists() && !path.parent().unwrap().exists());
    assert_eq!((bed.notes(), bed.count_linked()), (vec![], 0));
}

#[test]
fn a_tree_whose_borrower_died_or_whose_git_was_led_elsewhere_is_made_anew() {
    let spoil: [fn(&TreeBed, &Path); 4] = [
        // Its borrower was killed.
        |bed, _| mark_borrowed(&bed.world, &bed.notes()[0]).unwrap(),
        // git would work on the user's index and HEAD from here.
        |bed, path| {
            let main = format!("gitdir: {}\n", bed.root().join(".git").display());
            std::fs::write(path.join(".git"), main).unwrap();
        },
        |_, path| std::fs::remove_file(path.join(".git")).unwrap(),
        |bed, path| {
            std::fs::remove_dir_all(path).unwrap();
            bed.git.forget_work_tree(path).unwrap();
        },
    ];
    for spoil in spoil {
        let bed = TreeBed::new();
        let first = bed.head();
        let tree = bed.lend(TreeKind::Lent, &first);
        let path = tree.path().to_owned();
        std::fs::create_dir(path.join("build")).unwrap();
        drop(tree);
        spoil(&bed, &path);
        bed.write("src/b", "not committed\n");
        let tree = bed.lend(TreeKind::Lent, &first);
        assert_eq!(tree.path(), path);
        assert!(
            !path.join("build").exists(),
            "nothing of before is believed"
        );
        assert_eq!(read(&tree, "src/b"), "one\n");
        assert_eq!(bed.count_linked(), 1);
        let user = History::open_folder(&bed.root()).unwrap();
        let head = user.read_head().unwrap();
        assert_eq!(head.branch, Some(RefName::of_branch("main")));
        assert_eq!(
            std::fs::read(bed.root().join("src/b")).unwrap(),
            b"not committed\n"
        );
    }
}

#[test]
fn what_took_the_place_of_a_tree_is_refused_and_stays() {
    let bed = TreeBed::new();
    let tree = bed.lend(TreeKind::Lent, &bed.head());
    let path = tree.path().to_owned();
    drop(tree);
    std::fs::rename(&path, bed.base().join("moved")).unwrap();
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("precious"), "mine").unwrap();
    let source = TreeSource {
        git: &bed.git,
        place: &bed.place,
        kind: TreeKind::Lent,
    };
    let refused = lend_tree(&bed.world, &source, &bed.head()).err().unwrap();
    assert!(
        refused
            .error
            .ends_with("is not the folder that was made for the run"),
        "{refused:?}"
    );
    assert!(path.join("precious").exists());
}

thread_local! {
    /// How many steps are left before one that is never taken.
    static STEPS_LEFT: std::cell::Cell<Option<u32>> = const { std::cell::Cell::new(None) };
    /// The last step that was met.
    static LAST: std::cell::Cell<&'static str> = const { std::cell::Cell::new("") };
}

fn stop_at_a_step(name: &'static str) {
    LAST.set(name);
    match STEPS_LEFT.get() {
        Some(0) => panic!("stopped before {name}"),
        left => STEPS_LEFT.set(left.map(|left| left - 1)),
    }
}

#[test]
fn a_lending_that_stops_at_any_step_is_followed_by_one_that_gets_its_tree() {
    // A new tree; one that is lent again at another commit; and one that has to be made anew.
    let spoil: [fn(&TreeBed); 3] = [
        |_| {},
        |bed| drop(bed.lend(TreeKind::Lent, &bed.head())),
        |bed| {
            drop(bed.lend(TreeKind::Lent, &bed.head()));
            mark_borrowed(&bed.world, &bed.notes()[0]).unwrap();
        },
    ];
    let mut met = std::collections::BTreeSet::new();
    for prepare in spoil {
        for step in 0.. {
            let mut bed = TreeBed::new();
            bed.world.step = stop_at_a_step;
            prepare(&bed);
            bed.write("src/a", "two\n");
            let second = bed.commit(&["src/a"]);
            STEPS_LEFT.set(Some(step));
            let lend = std::panic::AssertUnwindSafe(|| {
                let tree = bed.lend(TreeKind::Lent, &second);
                STEPS_LEFT.set(None);
                drop(tree);
            });
            let stopped = std::panic::catch_unwind(lend).is_err();
            STEPS_LEFT.set(None);
            if !stopped {
                break;
            }
            let place = LAST.get();
            met.insert(place);
            let tree = bed.lend(TreeKind::Lent, &second);
            assert_eq!(read(&tree, "src/a"), "two\n", "{place}");
            assert_eq!(bed.count_linked(), 1, "{place}");
            drop(tree);
            for note in bed.notes() {
                remove_tree(&bed.world, &bed.git, &note).unwrap();
            }
            assert_eq!((bed.notes().len(), bed.count_linked()), (0, 0), "{place}");
        }
    }
    for step in [
        "tree note",
        "git worktree add",
        "tree borrow",
        "tree reset",
        "tree removal",
    ] {
        assert!(met.contains(step), "{step} is missing in {met:?}");
    }
}
