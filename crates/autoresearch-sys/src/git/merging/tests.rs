//! Merges beside the index, in real repositories.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::git::scratch::ScratchRepository;

/// A repository with a state that both sides start from, the kept state, and a trial; the folder aside.
struct Sides {
    repository: ScratchRepository,
    base: CommitId,
    scratch: PathBuf,
}

impl Sides {
    fn begin(files: &[(&str, &str)]) -> Self {
        let repository = ScratchRepository::init();
        for (name, text) in files {
            repository.write(name, text);
        }
        let base = repository.commit("base");
        let scratch = repository.beside("scratch");
        fs::create_dir(&scratch).unwrap();
        Self {
            repository,
            base,
            scratch,
        }
    }

    /// What an edit of the base comes to, as a commit; the work tree is that of the base again.
    fn commit_edit(&self, edit: impl FnOnce(&Path)) -> CommitId {
        edit(self.repository.root());
        let commit = self.repository.commit("side");
        self.repository
            .run(&["reset", "--quiet", "--hard", self.base.as_str()]);
        commit
    }

    fn merge(&self, ours: &CommitId, theirs: &CommitId) -> MergeResult {
        let before = self.list_untouched();
        let merged = self
            .repository
            .git
            .merge_aside((&self.base, ours, theirs), &self.scratch)
            .unwrap();
        assert_eq!(
            self.list_untouched(),
            before,
            "neither index nor files move"
        );
        merged
    }

    fn list_untouched(&self) -> [String; 2] {
        [&["ls-files", "--stage"][..], &["status", "--porcelain"]]
            .map(|arguments| self.repository.run(arguments))
    }
}

fn write(name: &'static str, text: &'static str) -> impl FnOnce(&Path) {
    move |root| fs::write(root.join(name), text).unwrap()
}

fn conflicts(paths: &[&str]) -> MergeResult {
    MergeResult::Conflicts(paths.iter().map(|path| RepoPath::new(*path)).collect())
}

const LINES: &str = "1\n2\n3\n4\n5\n6\n7\n";

#[test]
fn changes_in_other_files_and_other_lines_go_together() {
    let sides = Sides::begin(&[("a", LINES), ("b", "b\n"), ("gone", "x\n")]);
    let ours = sides.commit_edit(write("a", "one\n2\n3\n4\n5\n6\n7\n"));
    let theirs = sides.commit_edit(|root| {
        fs::write(root.join("a"), "1\n2\n3\n4\n5\n6\nseven\n").unwrap();
        fs::write(root.join("added"), "new\n").unwrap();
        fs::remove_file(root.join("gone")).unwrap();
        fs::set_permissions(root.join("b"), fs::Permissions::from_mode(0o755)).unwrap();
    });
    let MergeResult::Tree(tree) = sides.merge(&ours, &theirs) else {
        panic!("they go together")
    };
    let git = &sides.repository.git;
    let shown = sides.repository.run(&["show", &format!("{tree}:a")]);
    assert_eq!(shown, "one\n2\n3\n4\n5\n6\nseven");
    let mode = sides.repository.run(&["ls-tree", tree.as_str(), "b"]);
    assert!(mode.starts_with("100755"), "{mode}");
    let told: Vec<(String, bool, bool)> = git
        .list_changes(&ours, &tree)
        .unwrap()
        .into_iter()
        .map(|change| {
            let name = change.path.to_string();
            (name, change.before, change.after)
        })
        .collect();
    let expected = [
        ("a", true, true),
        ("added", false, true),
        ("b", true, true),
        ("gone", true, false),
    ];
    let expected = expected.map(|(name, before, after)| (name.to_owned(), before, after));
    assert_eq!(told, expected);
    assert!(
        fs::read_dir(&sides.scratch).unwrap().count() <= 1,
        "the index alone is left"
    );
}

#[test]
fn the_same_lines_a_deletion_and_binary_bytes_are_conflicts_by_name() {
    let sides = Sides::begin(&[("a", LINES), ("b", "b\n"), ("bin", "\0one")]);
    let ours = sides.commit_edit(|root| {
        fs::write(root.join("a"), "one\n2\n3\n4\n5\n6\n7\n").unwrap();
        fs::remove_file(root.join("b")).unwrap();
        fs::write(root.join("bin"), "\0two").unwrap();
    });
    let theirs = sides.commit_edit(|root| {
        fs::write(root.join("a"), "uno\n2\n3\n4\n5\n6\n7\n").unwrap();
        fs::write(root.join("b"), "changed\n").unwrap();
        fs::write(root.join("bin"), "\0three").unwrap();
    });
    assert_eq!(sides.merge(&ours, &theirs), conflicts(&["a", "b", "bin"]));
    assert_eq!(sides.merge(&theirs, &ours), conflicts(&["a", "b", "bin"]));
}

#[test]
fn a_merge_program_of_the_settings_is_not_started() {
    let sides = Sides::begin(&[("a", LINES), (".gitattributes", "* merge=evil\n")]);
    let ran = sides.repository.beside("was-run");
    let touch = format!("touch {}", ran.display());
    sides
        .repository
        .run(&["config", "merge.evil.driver", &touch]);
    let ours = sides.commit_edit(write("a", "one\n2\n3\n4\n5\n6\n7\n"));
    let theirs = sides.commit_edit(write("a", "1\n2\n3\n4\n5\n6\nseven\n"));
    assert!(matches!(sides.merge(&ours, &theirs), MergeResult::Tree(_)));
    assert!(!ran.exists());
}

#[test]
fn what_is_not_as_in_a_tree_is_found_and_only_the_named_files_are_written() {
    let sides = Sides::begin(&[("a", "a\n"), ("b", "b\n")]);
    let git = &sides.repository.git;
    let other = sides.commit_edit(|root| {
        fs::write(root.join("a"), "new\n").unwrap();
        fs::write(root.join("b"), "new\n").unwrap();
        fs::create_dir(root.join("in")).unwrap();
        fs::write(root.join("in/c"), "new\n").unwrap();
    });
    let other = git.ask_tree(&other).unwrap();
    let paths = ["a", "in/c", "stray"].map(RepoPath::new);
    let others = || git.list_other_than(&other, &paths, &sides.scratch).unwrap();
    sides.repository.write("stray", "in no tree\n");
    assert_eq!(others(), paths);
    let index = sides.repository.run(&["ls-files", "--stage"]);
    git.write_files_of(&other, &paths[..2], &sides.scratch)
        .unwrap();
    assert_eq!(others(), [RepoPath::new("stray")]);
    assert_eq!(sides.repository.read("in/c"), "new\n");
    assert_eq!(sides.repository.read("b"), "b\n", "it was not named");
    assert_eq!(sides.repository.run(&["ls-files", "--stage"]), index);
}
