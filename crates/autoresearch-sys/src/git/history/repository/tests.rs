//! Owns the tests of the reading of a repository: what libgit2 says, and that the git program says the same.
//! Does not test when which of the two is asked.
//! Invariant: every question is put to both.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;
use crate::git::scratch::ScratchRepository;
use autoresearch_core::git_names::{BlobId, CommitId, HeadTarget, RefName, RepoPath};

/// A repository with a branch that was merged, files of every kind, and what happened to them.
struct MergedRepository {
    repository: ScratchRepository,
    commits: Vec<(&'static str, CommitId)>,
}

impl MergedRepository {
    fn tell() -> Self {
        let repository = ScratchRepository::with_files(&["a", "dir/b", "dir/deep/c", "was a file"]);
        let mut commits = vec![("first", repository.find_commit("HEAD"))];
        repository.write("a", "one\ntwo\nthree\n");
        fs::write(repository.root().join("binary"), [0, 159, 146, 150]).unwrap();
        symlink("a", repository.root().join("link")).unwrap();
        commits.push(("second", repository.commit("second\n\nwith a body\n")));
        repository.run(&["switch", "--quiet", "-c", "side", "HEAD^"]);
        repository.run(&["rm", "--quiet", "-r", "dir/deep", "was a file"]);
        repository.write("dir/deep", "a file now");
        repository.write("was a file/x", "a folder now");
        commits.push(("side", repository.commit("side")));
        repository.run(&["switch", "--quiet", "main"]);
        repository.run(&["merge", "--quiet", "--no-ff", "-m", "merged", "side"]);
        let module = format!("160000,{},module", commits[0].1);
        repository.run(&["update-index", "--add", "--cacheinfo", &module]);
        repository.run(&["commit", "--quiet", "-m", "module"]);
        commits.push(("last", repository.find_commit("HEAD")));
        repository.run(&["tag", "-a", "-m", "released", "v1"]);
        repository.run(&["update-ref", "refs/remotes/origin/main", "HEAD^"]);
        Self {
            repository,
            commits,
        }
    }

    /// What libgit2 reads, and what the program is asked.
    fn open_both(&self) -> [History; 2] {
        let git = &self.repository.git;
        let asked = git.at_folder(git.work_tree());
        let places = asked.read_surroundings().unwrap();
        let asked = History::from_asked_git(asked, places).unwrap();
        assert!(asked.asked_git().is_some());
        [History::open_with_git(git).unwrap(), asked]
    }

    /// An answer that both give, with the names of the commits for their hashes.
    fn agree(&self, ask: impl Fn(&History) -> String) -> String {
        let [read, asked] = self.open_both().map(|history| ask(&history));
        assert_eq!(read, asked, "libgit2 and the program");
        let named =
            |text: String, (name, commit): &(&str, CommitId)| text.replace(commit.as_str(), name);
        self.commits.iter().fold(read, named)
    }

    fn list_pairs(&self) -> impl Iterator<Item = [&(&'static str, CommitId); 2]> {
        let all = self.commits.iter();
        all.flat_map(|from| self.commits.iter().map(move |to| [from, to]))
    }
}

#[test]
fn libgit2_and_the_program_tell_the_same_places_and_references() {
    let story = MergedRepository::tell();
    let root = story.repository.root().display().to_string();
    let told = story.agree(|history| {
        let places = [
            history.work_tree(),
            history.git_folder(),
            history.common_folder(),
        ];
        let mut lines = places
            .map(|place| place.display().to_string().replace(&root, "/r"))
            .to_vec();
        lines.push(format!("{:?}", history.read_head().unwrap()));
        for prefix in ["refs/heads/", "refs/remotes/", "refs/heads/s", "refs/none/"] {
            let found = history.list_references(prefix).unwrap();
            lines.push(format!("{prefix}* {found:?}"));
        }
        for name in ["refs/heads/side", "HEAD", "refs/heads/absent", "side"] {
            let recorded = serde_json::from_value(name.into()).unwrap();
            lines.push(format!("{name} {:?}", history.read_reference(&recorded)));
        }
        lines.push(format!("{:?}", history.find_operation()));
        lines.join("\n")
    });
    insta::assert_snapshot!(told, @r#"
    /r
    /r/.git
    /r/.git
    HeadState { branch: Some(RefName("refs/heads/main")), commit: Some(CommitId("last")) }
    refs/heads/* [(RefName("refs/heads/main"), CommitId("last")), (RefName("refs/heads/side"), CommitId("side"))]
    refs/remotes/* [(RefName("refs/remotes/origin/main"), CommitId("c1a5d692180e909cb12c81a714aa3fc457d18003"))]
    refs/heads/s* [(RefName("refs/heads/side"), CommitId("side"))]
    refs/none/* []
    refs/heads/side Some(CommitId("side"))
    HEAD None
    refs/heads/absent None
    side None
    None
    "#);
}

#[test]
fn head_is_told_on_a_branch_detached_and_before_the_first_commit() {
    let story = MergedRepository::tell();
    story
        .repository
        .run(&["switch", "--quiet", "--detach", "side"]);
    let head = |story: &MergedRepository| {
        story.agree(|history| format!("{:?}", history.read_head().unwrap()))
    };
    assert_eq!(
        head(&story),
        r#"HeadState { branch: None, commit: Some(CommitId("side")) }"#
    );
    let empty = MergedRepository {
        repository: ScratchRepository::init(),
        commits: Vec::new(),
    };
    assert_eq!(
        head(&empty),
        r#"HeadState { branch: Some(RefName("refs/heads/main")), commit: None }"#
    );
}

#[test]
fn libgit2_and_the_program_tell_the_same_of_every_commit() {
    let story = MergedRepository::tell();
    let told = story.agree(|history| {
        let told = story.commits.iter().map(|(name, commit)| {
            let parent = history.parent_of(commit).unwrap();
            let message = history.message_of(commit).unwrap();
            let at_root = ["a", "dir", "binary", "module", "b"]
                .into_iter()
                .filter(|name| history.has_at_root(commit, name).unwrap());
            let at_root: Vec<_> = at_root.collect();
            let tree = history.tree_of(commit).unwrap();
            assert_eq!(
                story
                    .repository
                    .run(&["rev-parse", &format!("{commit}^{{tree}}")]),
                tree.as_str()
            );
            let mut all = story.commits.iter().map(|(_, commit)| commit);
            let known = all.find(|commit| parent.as_ref() == Some(*commit));
            let known = known.map(CommitId::as_str);
            format!("{name}: parent {known:?}, {message:?}, {at_root:?}")
        });
        told.collect::<Vec<_>>().join("\n")
    });
    insta::assert_snapshot!(told, @r#"
    first: parent None, "first\n", ["a", "dir"]
    second: parent Some("first"), "second\n\nwith a body\n", ["a", "dir", "binary"]
    side: parent Some("first"), "side\n", ["a", "dir"]
    last: parent None, "module\n", ["a", "dir", "binary", "module"]
    "#);
}

#[test]
fn libgit2_and_the_program_tell_the_same_of_every_path_in_a_tree() {
    let story = MergedRepository::tell();
    let paths = [
        "a",
        "dir",
        "dir/b",
        "dir/deep",
        "dir/deep/c",
        "link",
        "link/x",
        "module",
        "was a file",
        "was a file/x",
        "absent",
    ];
    let told = story.agree(|history| {
        let told = paths.map(|path| {
            let words = story.commits.iter().map(|(_, commit)| {
                let is_file = history.has_file(commit, &RepoPath::new(path)).unwrap();
                let is_there = history.has_path(commit, Path::new(path)).unwrap();
                let content = history.read_content(commit, &RepoPath::new(path)).unwrap();
                match (content, is_file, is_there) {
                    (Some(TreeContent::File(_)), true, true) => "file",
                    (Some(TreeContent::Link), true, true) => "link",
                    (None, true, true) => "module",
                    (None, false, true) => "folder",
                    (None, false, false) => "-",
                    other => panic!("{path} {other:?}"),
                }
            });
            format!("{path}: {}", words.collect::<Vec<_>>().join(", "))
        });
        told.join("\n")
    });
    insta::assert_snapshot!(told, @"
    a: file, file, file, file
    dir: folder, folder, folder, folder
    dir/b: file, file, file, file
    dir/deep: folder, folder, file, file
    dir/deep/c: file, file, -, -
    link: -, link, -, link
    link/x: -, -, -, -
    module: -, -, -, module
    was a file: file, file, folder, folder
    was a file/x: -, -, file, file
    absent: -, -, -, -
    ");
}

#[test]
fn libgit2_and_the_program_tell_the_same_difference_of_any_two_commits() {
    let story = MergedRepository::tell();
    let told = story.agree(|history| {
        let told = story.list_pairs().map(|[(from, old), (to, new)]| {
            let paths = history.changed_paths(old, new).unwrap();
            let paths: Vec<_> = paths.iter().map(|path| path.to_text()).collect();
            let size = history.count_changed_lines(old, new).unwrap();
            let is_merged = history.is_merged(old, new).unwrap();
            let merged = if is_merged { "merged" } else { "apart" };
            let DiffSize { added, removed } = size;
            let line = format!(
                "{from}..{to}: {merged} +{added} -{removed} {}",
                paths.join("|")
            );
            line.trim_end().to_owned()
        });
        told.collect::<Vec<_>>().join("\n")
    });
    insta::assert_snapshot!(told, @"
    first..first: merged +0 -0
    first..second: merged +4 -1 a|binary|link
    first..side: merged +2 -2 dir/deep|dir/deep/c|was a file|was a file/x
    first..last: merged +7 -3 a|binary|dir/deep|dir/deep/c|link|module|was a file|was a file/x
    second..first: apart +1 -4 a|binary|link
    second..second: merged +0 -0
    second..side: apart +3 -6 a|binary|dir/deep|dir/deep/c|link|was a file|was a file/x
    second..last: merged +3 -2 dir/deep|dir/deep/c|module|was a file|was a file/x
    side..first: apart +2 -2 dir/deep|dir/deep/c|was a file|was a file/x
    side..second: apart +6 -3 a|binary|dir/deep|dir/deep/c|link|was a file|was a file/x
    side..side: merged +0 -0
    side..last: merged +5 -1 a|binary|link|module
    last..first: apart +3 -7 a|binary|dir/deep|dir/deep/c|link|module|was a file|was a file/x
    last..second: apart +2 -3 dir/deep|dir/deep/c|module|was a file|was a file/x
    last..side: apart +1 -5 a|binary|link|module
    last..last: merged +0 -0
    ");
}

#[test]
fn a_commit_is_held_elsewhere_by_other_branches_remotes_and_a_detached_head() {
    let story = MergedRepository::tell();
    let [(_, first), _, (_, side), (_, last)] = &story.commits[..] else {
        panic!("four commits")
    };
    let held = |name: &str, commit: &CommitId| {
        story.agree(|history| {
            history
                .is_held_elsewhere(&RefName::of_branch(name), commit)
                .unwrap()
                .to_string()
        })
    };
    assert_eq!(held("side", side), "true", "main holds it");
    assert_eq!(held("main", last), "false");
    assert_eq!(held("main", first), "true");
    story
        .repository
        .run(&["switch", "--quiet", "--detach", "main"]);
    assert_eq!(held("main", last), "true", "HEAD holds it");
}

#[test]
fn commits_are_listed_oldest_first_up_to_a_number_and_to_the_root() {
    let story = MergedRepository::tell();
    let [(_, first), _, _, (_, last)] = &story.commits[..] else {
        panic!("four commits")
    };
    let subjects = |base: &CommitId, most| {
        story.agree(|history| {
            let found = history.list_commits(base, last, most).unwrap();
            found
                .into_iter()
                .map(|(_, subject)| subject)
                .collect::<Vec<_>>()
                .join(", ")
        })
    };
    assert_eq!(subjects(first, 9), "second, merged, module");
    assert_eq!(subjects(first, 2), "merged, module");
    assert_eq!(
        subjects(&first.to_null(), 9),
        "first, second, merged, module"
    );
    assert_eq!(subjects(last, 9), "");
}

#[test]
fn an_operation_under_way_is_told_by_its_traces() {
    let story = MergedRepository::tell();
    let git = story.repository.root().join(".git");
    for (file, operation) in [
        ("MERGE_HEAD", "merge"),
        ("REVERT_HEAD", "revert"),
        ("CHERRY_PICK_HEAD", "cherry-pick"),
        ("BISECT_LOG", "bisect"),
        ("rebase-merge/interactive", "rebase"),
        ("rebase-apply/rebasing", "rebase"),
        ("rebase-apply/applying", "am"),
    ] {
        let path = git.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, story.commits[0].1.as_str()).unwrap();
        let told = story.agree(|history| format!("{:?}", history.find_operation()));
        assert_eq!(told, format!("Some({operation:?})"), "{file}");
        fs::remove_file(&path).unwrap();
        if path.parent() != Some(&git) {
            fs::remove_dir(path.parent().unwrap()).unwrap();
        }
    }
}

#[test]
fn the_object_of_a_file_is_that_of_its_bytes_and_nothing_else_has_one() {
    let story = MergedRepository::tell();
    let root = story.repository.root();
    let [history, _] = story.open_both();
    let object = BlobId::parse(&story.repository.run(&["rev-parse", "HEAD:a"]));
    assert_eq!(history.hash_of(&root.join("a")).unwrap(), object);
    assert!(object.is_some());
    let content = history
        .read_content(&story.commits[3].1, &RepoPath::new("a"))
        .unwrap();
    assert_eq!(content, Some(TreeContent::File(object)));
    for name in ["link", "dir", "absent"] {
        assert_eq!(history.hash_of(&root.join(name)).unwrap(), None, "{name}");
    }
}

#[test]
fn what_is_not_a_repository_with_files_is_refused_in_words() {
    let repository = ScratchRepository::init();
    let base = repository.beside("").display().to_string();
    let tell = |folder: &Path| {
        let opened = History::open_with_git(&repository.git.at_folder(folder));
        let text = opened.map(drop).unwrap_err().to_string();
        text.replace(base.trim_end_matches('/'), "")
    };
    let fileless = repository.beside("bare.git");
    repository.run(&["init", "--quiet", "--bare", fileless.to_str().unwrap()]);
    assert_eq!(
        tell(&repository.beside("")),
        "/ is not inside a git repository"
    );
    assert_eq!(
        tell(&fileless),
        "/bare.git/ is a bare repository: it has no files to work on"
    );
    repository.run(&["config", "core.repositoryFormatVersion", "9"]);
    assert_eq!(
        tell(repository.root()),
        "git cannot use the repository at /repo"
    );
}

#[test]
fn an_extension_that_libgit2_does_not_know_is_left_to_the_program() {
    let story = MergedRepository::tell();
    story
        .repository
        .run(&["config", "core.repositoryFormatVersion", "1"]);
    story
        .repository
        .run(&["config", "extensions.partialClone", "origin"]);
    story
        .repository
        .run(&["config", "extensions.worktreeConfig", "true"]);
    let history = History::open_with_git(&story.repository.git).unwrap();
    assert_eq!(
        history.read_head().unwrap().commit.as_ref(),
        Some(&story.commits[3].1)
    );
    let [absent, odd] = ["0".repeat(40).into(), "no commit".into()]
        .map(|recorded| serde_json::from_value::<CommitId>(recorded).unwrap());
    for error in [
        history.tree_of(&absent).map(drop),
        history.message_of(&odd).map(drop),
        history.changed_paths(&absent, &odd).map(drop),
        history.is_merged(&odd, &absent).map(drop),
    ] {
        error.unwrap_err();
    }
}

/// A branch `work` with two changes, and `main`, which has gone on without them.
fn make_branches() -> (ScratchRepository, CommitId) {
    let repository = ScratchRepository::with_files(&["a", "b", "other"]);
    let base = repository.find_commit("HEAD");
    repository.run(&["switch", "--quiet", "-c", "work"]);
    for name in ["a", "b"] {
        repository.write(name, &format!("{name}\nbetter\n"));
        repository.commit(name);
    }
    repository.run(&["switch", "--quiet", "main"]);
    repository.write("other", "gone on\n");
    repository.commit("gone on");
    (repository, base)
}

fn branch(name: &str) -> HeadTarget {
    HeadTarget::Branch(RefName::of_branch(name))
}

#[test]
fn content_is_held_when_it_was_squashed_picked_or_rewritten_and_not_when_half_of_it_was() {
    let ways: [(&str, &[&[&str]], bool); 5] = [
        ("left alone", &[], false),
        (
            "merged",
            &[&["merge", "--quiet", "--no-edit", "work"]],
            true,
        ),
        (
            "squashed",
            &[
                &["merge", "--quiet", "--squash", "work"],
                &["commit", "--quiet", "-m", "x"],
            ],
            true,
        ),
        (
            "picked",
            &[&["cherry-pick", "work~1"], &["cherry-pick", "work"]],
            true,
        ),
        ("half picked", &[&["cherry-pick", "work~1"]], false),
    ];
    for (way, commands, is_held) in ways {
        let (repository, base) = make_branches();
        for command in commands {
            repository.run(command);
        }
        let history = History::open_folder(repository.root()).unwrap();
        let tip = history.read_reference(&RefName::of_branch("work")).unwrap();
        let main = history.read_reference(&RefName::of_branch("main")).unwrap();
        for into in [branch("main"), HeadTarget::Commit(main)] {
            assert_eq!(
                history.holds_content(&base, &tip, &into).unwrap(),
                is_held,
                "{way}"
            );
        }
        // What was held once is held, whatever came later.
        repository.write("a", "otherwise\n");
        repository.commit("later");
        assert_eq!(
            history.holds_content(&base, &tip, &branch("main")).unwrap(),
            is_held,
            "{way}"
        );
        assert!(
            !history
                .holds_content(&base, &tip, &branch("absent"))
                .unwrap()
        );
        assert!(
            history
                .holds_content(&base, &base, &branch("main"))
                .unwrap(),
            "nothing to hold"
        );
    }
}

#[test]
fn the_holder_of_content_is_the_branch_or_what_a_remote_has_under_its_name() {
    let (repository, base) = make_branches();
    let history = History::open_folder(repository.root()).unwrap();
    let tip = history.read_reference(&RefName::of_branch("work")).unwrap();
    let holder = || {
        history
            .find_content_holder(&base, &tip, &branch("main"))
            .unwrap()
    };
    assert_eq!(holder(), None);
    repository.run(&["update-ref", "refs/remotes/origin/other", "work"]);
    assert_eq!(holder(), None, "another name");
    repository.run(&["update-ref", "refs/remotes/origin/main", "work"]);
    assert_eq!(holder().unwrap().as_str(), "refs/remotes/origin/main");
    repository.run(&["merge", "--quiet", "--no-edit", "work"]);
    assert_eq!(holder(), Some(branch("main")));
}

#[test]
fn both_tell_the_tags_of_commits_and_of_nothing_else() {
    let story = MergedRepository::tell();
    let repository = &story.repository;
    repository.run(&["tag", "app/v0.9", "HEAD^"]);
    repository.run(&["tag", "a-file", "HEAD:a"]);
    repository.run(&["tag", "-a", "-m", "of a file", "noted-file", "HEAD:a"]);
    repository.run(&["tag", "-a", "-m", "of a tag", "twice", "v1"]);
    repository.run(&["tag", "first", "main~3"]);
    let told = story.agree(|history| {
        let tags = history.list_tags().unwrap().into_iter();
        let lines = tags.filter(|(name, _)| name != "twice");
        let lines = lines.map(|(name, commit)| format!("{name} {commit}"));
        lines.collect::<Vec<_>>().join("\n")
    });
    insta::assert_snapshot!(told, @"
    app/v0.9 c1a5d692180e909cb12c81a714aa3fc457d18003
    first first
    v1 last
    ");
}
