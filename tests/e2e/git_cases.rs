//! Every shape that a change can have in git, and every setting that changes what git does with it.
//!
//! The witness is libgit2: what a keep committed is compared with the files on the disk, entry by entry.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::testbed::{CONFIG, Testbed};

/// A way of changing `src`, and the paths that it changes.
struct Shape {
    prepare: fn(&Testbed),
    change: fn(&Testbed),
    paths: &'static [&'static str],
}

/// The tree of a commit below `src`, as libgit2 reads it: path to mode and bytes.
fn committed(bed: &Testbed, commit: &str) -> BTreeMap<Vec<u8>, (u32, Vec<u8>)> {
    let repository = git2::Repository::open(&bed.repo).unwrap();
    let tree = repository
        .revparse_single(commit)
        .unwrap()
        .peel_to_tree()
        .unwrap();
    let mut found = BTreeMap::new();
    tree.walk(git2::TreeWalkMode::PreOrder, |folder, entry| {
        let path = [folder.as_bytes(), entry.name_bytes()].concat();
        if entry.kind() == Some(git2::ObjectType::Blob) && path.starts_with(b"src/") {
            let blob = repository.find_blob(entry.id()).unwrap();
            found.insert(
                path,
                (
                    u32::try_from(entry.filemode()).unwrap(),
                    blob.content().to_vec(),
                ),
            );
        }
        git2::TreeWalkResult::Ok
    })
    .unwrap();
    found
}

/// The files below `src` on the disk, in the form of `committed`.
fn on_disk(bed: &Testbed) -> BTreeMap<Vec<u8>, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    collect(&bed.repo, &bed.path("src"), &mut found);
    found
}

fn collect(root: &Path, at: &Path, found: &mut BTreeMap<Vec<u8>, (u32, Vec<u8>)>) {
    for entry in std::fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        let meta = path.symlink_metadata().unwrap();
        let name = path
            .strip_prefix(root)
            .unwrap()
            .as_os_str()
            .as_bytes()
            .to_vec();
        if meta.is_symlink() {
            let target = std::fs::read_link(&path).unwrap();
            found.insert(name, (0o120_000, target.as_os_str().as_bytes().to_vec()));
        } else if meta.is_dir() {
            collect(root, &path, found);
        } else {
            let executable = meta.permissions().mode() & 0o100 != 0;
            let mode = if executable { 0o100_755 } else { 0o100_644 };
            found.insert(name, (mode, std::fs::read(&path).unwrap()));
        }
    }
}

/// The paths in which HEAD differs from its parent.
fn changed(bed: &Testbed) -> Vec<String> {
    let (old, new) = (committed(bed, "HEAD~1"), committed(bed, "HEAD"));
    let mut paths: Vec<&Vec<u8>> = old
        .keys()
        .chain(new.keys())
        .filter(|path| old.get(*path) != new.get(*path))
        .collect();
    paths.sort();
    paths.dedup();
    paths
        .into_iter()
        .map(|path| String::from_utf8_lossy(path).into_owned())
        .collect()
}

/// Discards a change of this shape, then keeps it; both must leave exactly what they promise.
#[track_caller]
fn both_ways(shape: &Shape) {
    let bed = Testbed::new();
    (shape.prepare)(&bed);
    if !bed.git(&["status", "--porcelain"]).is_empty() {
        bed.git(&["add", "-A"]);
        bed.git(&["commit", "-qm", "prepared"]);
    }
    bed.start(CONFIG);
    let (before, base) = (bed.fingerprint(), bed.head());

    (shape.change)(&bed);
    bed.edit(20);
    let report = bed.trial("worse");
    assert_eq!(report["reason"], "worse-metric", "{report}");
    assert_eq!(bed.fingerprint(), before, "a discard leaves no trace");
    assert_eq!(
        (bed.head(), bed.git(&["status", "--porcelain"])),
        (base.clone(), String::new())
    );

    (shape.change)(&bed);
    bed.edit(0);
    let files = on_disk(&bed);
    let report = bed.trial("better");
    assert_eq!(report["verdict"], "keep", "{report}");
    assert_eq!(on_disk(&bed), files, "a keep leaves the files alone");
    assert_eq!(committed(&bed, "HEAD"), files);
    let mut paths = [shape.paths, &["src/a"]].concat();
    paths.sort_unstable();
    assert_eq!(changed(&bed), paths);
    assert_eq!(bed.git(&["rev-parse", "HEAD~1"]).trim(), base);
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_rename_is_kept_and_undone_whole() {
    both_ways(&Shape {
        prepare: |_| {},
        change: |bed| {
            std::fs::create_dir(bed.path("src/deep")).unwrap();
            std::fs::rename(bed.path("src/b"), bed.path("src/deep/renamed")).unwrap();
        },
        paths: &["src/b", "src/deep/renamed"],
    });
}

#[test]
fn a_deletion_is_kept_and_undone_whole() {
    both_ways(&Shape {
        prepare: |bed| bed.write("src/only/one", "x\n"),
        change: |bed| {
            std::fs::remove_file(bed.path("src/c")).unwrap();
            std::fs::remove_dir_all(bed.path("src/only")).unwrap();
        },
        paths: &["src/c", "src/only/one"],
    });
}

#[test]
fn a_mode_change_is_kept_and_undone() {
    both_ways(&Shape {
        prepare: |bed| {
            bed.write("src/tool", "x\n");
            bed.executable("src/tool");
        },
        change: |bed| {
            bed.executable("src/b");
            std::fs::set_permissions(bed.path("src/tool"), PermissionsExt::from_mode(0o644))
                .unwrap();
        },
        paths: &["src/b", "src/tool"],
    });
}

#[test]
fn new_and_changed_symlinks_are_kept_and_undone_as_links() {
    both_ways(&Shape {
        prepare: |bed| symlink("b", bed.path("src/link")).unwrap(),
        change: |bed| {
            std::fs::remove_file(bed.path("src/link")).unwrap();
            symlink("state", bed.path("src/link")).unwrap();
            symlink("nowhere", bed.path("src/broken")).unwrap();
        },
        paths: &["src/broken", "src/link"],
    });
}

#[test]
fn a_symlink_within_the_repository_is_kept_and_undone_as_a_link() {
    both_ways(&Shape {
        prepare: |bed| {
            bed.write("src/dir/file", "one\n");
            symlink("b", bed.path("src/link")).unwrap();
        },
        change: |bed| {
            std::fs::remove_file(bed.path("src/link")).unwrap();
            symlink("c", bed.path("src/link")).unwrap();
            symlink("dir", bed.path("src/folder")).unwrap();
            assert_eq!(bed.read("src/dir/file"), "one\n");
        },
        paths: &["src/folder", "src/link"],
    });
}

#[test]
fn a_symlink_out_of_the_repository_is_taken_back_and_its_target_is_never_touched() {
    let bed = Testbed::new();
    let outside = bed.home.join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("file"), "private\n").unwrap();
    symlink("b", bed.path("src/link")).unwrap();
    bed.git(&["add", "src/link"]);
    bed.git(&["commit", "-qm", "a link"]);
    bed.start(CONFIG);
    std::fs::remove_file(bed.path("src/link")).unwrap();
    symlink(outside.join("file"), bed.path("src/link")).unwrap();
    symlink(&outside, bed.path("src/folder")).unwrap();
    bed.edit(3);
    let answer = bed.trial("links out");
    assert_eq!(answer["reason"], "unsupported", "{answer}");
    assert_eq!(
        std::fs::read_link(bed.path("src/link")).unwrap(),
        Path::new("b")
    );
    assert!(bed.path("src/folder").symlink_metadata().is_err());
    let inside = std::fs::read_dir(&outside).unwrap();
    let inside: Vec<_> = inside.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(inside, ["file"], "the folder behind the link is as it was");
    let private = std::fs::read_to_string(outside.join("file")).unwrap();
    assert_eq!(private, "private\n");
}

#[test]
fn a_file_in_the_place_of_a_folder_is_kept_and_undone() {
    both_ways(&Shape {
        prepare: |bed| {
            bed.write("src/thing/one", "1\n");
            bed.write("src/thing/two/deep", "2\n");
        },
        change: |bed| {
            std::fs::remove_dir_all(bed.path("src/thing")).unwrap();
            bed.write("src/thing", "now a file\n");
        },
        paths: &["src/thing", "src/thing/one", "src/thing/two/deep"],
    });
}

#[test]
fn a_folder_in_the_place_of_a_file_is_kept_and_undone() {
    both_ways(&Shape {
        prepare: |bed| bed.write("src/thing", "a file\n"),
        change: |bed| {
            std::fs::remove_file(bed.path("src/thing")).unwrap();
            bed.write("src/thing/one", "1\n");
            bed.write("src/thing/two/deep", "2\n");
        },
        paths: &["src/thing", "src/thing/one", "src/thing/two/deep"],
    });
}

#[test]
fn a_symlink_in_the_place_of_a_folder_is_kept_and_undone() {
    both_ways(&Shape {
        prepare: |bed| {
            bed.write("src/thing/one", "1\n");
            bed.write("src/real/one", "2\n");
        },
        change: |bed| {
            std::fs::remove_dir_all(bed.path("src/thing")).unwrap();
            symlink("real", bed.path("src/thing")).unwrap();
        },
        paths: &["src/thing", "src/thing/one"],
    });
}

#[test]
fn a_folder_in_the_place_of_a_symlink_is_kept_and_undone() {
    both_ways(&Shape {
        prepare: |bed| {
            bed.write("src/real/one", "2\n");
            symlink("real", bed.path("src/thing")).unwrap();
        },
        change: |bed| {
            std::fs::remove_file(bed.path("src/thing")).unwrap();
            bed.write("src/thing/one", "1\n");
        },
        paths: &["src/thing", "src/thing/one"],
    });
}

const STRANGE: [&str; 9] = [
    "src/-rf",
    "src/with space",
    "src/qu\"o'te",
    "src/tab\there",
    "src/new\nline",
    "src/*",
    "src/[x]",
    "src/Grüße-日本",
    "src/back\\slash",
];

#[test]
fn strange_names_are_kept_and_undone_letter_by_letter() {
    both_ways(&Shape {
        prepare: |bed| bed.write("src/x", "the glob [x] must not mean me\n"),
        change: |bed| {
            for name in STRANGE {
                bed.write(name, "text\n");
            }
        },
        paths: &STRANGE,
    });
    both_ways(&Shape {
        prepare: |bed| {
            bed.write("src/x", "the glob [x] must not mean me\n");
            for name in STRANGE {
                bed.write(name, "text\n");
            }
        },
        change: |bed| {
            for name in STRANGE {
                std::fs::remove_file(bed.path(name)).unwrap();
            }
        },
        paths: &STRANGE,
    });
}

#[test]
fn what_the_agent_staged_in_the_scope_itself_is_kept_and_undone() {
    both_ways(&Shape {
        prepare: |bed| bed.write("src/gone", "x\n"),
        change: |bed| {
            bed.write("src/b", "any\nany\nany\nstaged\n");
            bed.write("src/staged", "1\n");
            bed.git(&["add", "src/b", "src/staged"]);
            bed.write("src/staged", "2, after it was staged\n");
            bed.write("src/intended", "3\n");
            bed.git(&["add", "--intent-to-add", "src/intended"]);
            bed.git(&["rm", "-q", "src/gone"]);
        },
        paths: &["src/b", "src/gone", "src/intended", "src/staged"],
    });
}

/// A trial with these changes is void because a trial cannot hold them; they stay where they are.
#[track_caller]
fn unsupported(bed: &Testbed, name: &str, kind: &str) {
    let (head, before) = (bed.head(), bed.fingerprint());
    let report = bed.trial("something odd");
    assert_eq!(
        (report["verdict"].as_str(), report["reason"].as_str()),
        (Some("discard"), Some("unsupported")),
        "{report}"
    );
    let detail = report["detail"].as_str().unwrap();
    assert!(
        detail.contains(name) && detail.contains(kind) && detail.contains("a trial cannot contain"),
        "{detail}"
    );
    assert!(report["value"].is_null(), "it was never measured");
    assert_eq!((bed.head(), bed.fingerprint()), (head, before));
}

#[test]
fn a_name_that_is_not_utf_8_makes_the_trial_void() {
    let bed = Testbed::started(CONFIG);
    let path = bed.path("src").join(OsStr::from_bytes(b"bad\xffname"));
    std::fs::write(&path, "x\n").unwrap();
    unsupported(&bed, "src/bad", "not UTF-8");
    std::fs::remove_file(path).unwrap();
    assert_eq!(bed.try_count(4), "keep");
}

#[test]
fn a_submodule_in_the_scope_makes_the_trial_void() {
    let bed = Testbed::new();
    let library = bed.home.join("library");
    bed.git(&["init", "-q", "-b", "main", library.to_str().unwrap()]);
    let at = ["-C", library.to_str().unwrap()];
    std::fs::write(library.join("file"), "x\n").unwrap();
    bed.git(&[&at[..], &["add", "-A"]].concat());
    bed.git(&[&at[..], &["commit", "-qm", "library"]].concat());
    bed.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        library.to_str().unwrap(),
        "src/library",
    ]);
    bed.git(&["commit", "-qam", "submodule"]);
    bed.start(CONFIG);
    bed.write("src/library/file", "changed\n");
    unsupported(&bed, "src/library", "a submodule");
    bed.git(&["-C", "src/library", "commit", "-qam", "moved on"]);
    unsupported(&bed, "src/library", "a submodule");
    bed.git(&["-C", "src/library", "reset", "-q", "--hard", "HEAD~1"]);
    assert_eq!(bed.try_count(4), "keep");
}

#[test]
fn a_nested_repository_in_the_scope_makes_the_trial_void() {
    let bed = Testbed::started(CONFIG);
    bed.git(&["init", "-q", "src/nested"]);
    bed.write("src/nested/file", "x\n");
    bed.git(&["-C", "src/nested", "add", "-A"]);
    bed.git(&["-C", "src/nested", "commit", "-qm", "nested"]);
    unsupported(&bed, "src/nested", "another repository");
    assert_eq!(bed.read("src/nested/file"), "x\n");
}

#[test]
fn a_clean_filter_makes_the_committed_bytes_and_the_smudge_filter_comes_back_after_a_discard() {
    let bed = Testbed::new();
    let store = bed.home.join("store");
    std::fs::create_dir(&store).unwrap();
    // As Git LFS does it: the content goes into a store, a pointer goes into the commit.
    let clean = format!(
        "cat > {0}/new; n=$(cksum < {0}/new | tr ' ' -); cp {0}/new {0}/$n; echo pointer $n",
        store.display()
    );
    let smudge = format!("read word n; cat {}/$n", store.display());
    bed.git(&["config", "filter.pointer.clean", &clean]);
    bed.git(&["config", "filter.pointer.smudge", &smudge]);
    bed.git(&["config", "filter.pointer.required", "true"]);
    bed.write(".gitattributes", "src/*.bin filter=pointer\n");
    bed.write("src/data.bin", "the large original\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "filtered"]);
    bed.start(CONFIG);
    let before = bed.fingerprint();
    assert!(
        committed(&bed, "HEAD")[&b"src/data.bin"[..]]
            .1
            .starts_with(b"pointer ")
    );

    bed.write("src/data.bin", "a large change\n");
    assert_eq!(bed.try_count(20), "discard");
    assert_eq!(bed.read("src/data.bin"), "the large original\n");
    assert_eq!(bed.fingerprint(), before);

    bed.write("src/data.bin", "a large change\n");
    bed.write("src/more.bin", "another\n");
    assert_eq!(bed.try_count(0), "keep");
    assert_eq!(changed(&bed), ["src/a", "src/data.bin", "src/more.bin"]);
    for name in ["src/data.bin", "src/more.bin"] {
        assert!(
            committed(&bed, "HEAD")[name.as_bytes()]
                .1
                .starts_with(b"pointer "),
            "{name}"
        );
    }
    assert_eq!(bed.read("src/data.bin"), "a large change\n");
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
}

#[test]
fn line_ends_are_normalised_in_the_commit_and_restored_in_the_work_tree() {
    for (attributes, setting) in [
        ("* text=auto eol=crlf\n", None),
        ("", Some("core.autocrlf")),
    ] {
        let bed = Testbed::new();
        if let Some(name) = setting {
            bed.git(&["config", name, "true"]);
        }
        bed.write(".gitattributes", attributes);
        bed.write("src/dos", "one\r\ntwo\r\n");
        bed.git(&["add", "-A"]);
        bed.git(&["commit", "-qm", "line ends"]);
        bed.start(CONFIG);
        bed.write("src/dos", "one\r\nthree\r\n");
        assert_eq!(bed.try_count(20), "discard");
        assert_eq!(bed.read("src/dos"), "one\r\ntwo\r\n");
        assert_eq!(bed.git(&["status", "--porcelain"]), "");
        bed.write("src/dos", "one\r\nthree\r\n");
        assert_eq!(bed.try_count(0), "keep");
        assert_eq!(committed(&bed, "HEAD")[&b"src/dos"[..]].1, b"one\nthree\n");
        assert_eq!(bed.read("src/dos"), "one\r\nthree\r\n");
        assert_eq!(bed.git(&["status", "--porcelain"]), "");
    }
}

/// Installs a hook of the repository.
fn hook(bed: &Testbed, name: &str, script: &str) {
    bed.write(
        &format!(".git/hooks/{name}"),
        &format!("#!/bin/sh\n{script}\n"),
    );
    bed.executable(&format!(".git/hooks/{name}"));
}

/// A keep, a discard and the end, with hooks that leave a mark; the hooks that ran.
fn hooks_that_ran(config: &str) -> Vec<String> {
    let bed = Testbed::new();
    let marks = bed.home.join("marks");
    std::fs::create_dir(&marks).unwrap();
    let hooks = [
        "pre-commit",
        "prepare-commit-msg",
        "commit-msg",
        "post-commit",
        "post-checkout",
        "post-rewrite",
        "pre-auto-gc",
        "post-merge",
        "reference-transaction",
        "post-index-change",
    ];
    for name in hooks {
        hook(&bed, name, &format!("touch {}/{name}", marks.display()));
    }
    let work_tree = bed.start(config).says("run `demo` started");
    let folder = if work_tree.out.contains("/trees/") {
        bed.own_tree()
    } else {
        bed.repo.clone()
    };
    for count in [4, 20] {
        std::fs::write(folder.join("src/a"), "any\n".repeat(count)).unwrap();
        bed.trial("marked");
    }
    bed.run(&["finish"]).ok();
    let mut ran: Vec<String> = std::fs::read_dir(marks)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    ran.sort();
    ran
}

#[test]
fn repository_hooks_do_not_run_by_default() {
    let ran = hooks_that_ran(CONFIG);
    for name in [
        "pre-commit",
        "prepare-commit-msg",
        "commit-msg",
        "post-commit",
        "post-checkout",
        "post-rewrite",
        "post-merge",
    ] {
        assert!(
            !ran.iter().any(|mark| mark == name),
            "{name} ran; all that ran: {ran:?}"
        );
    }
}

#[test]
fn no_repository_hook_at_all_runs_by_default_not_even_on_references_and_the_index() {
    assert_eq!(hooks_that_ran(CONFIG), Vec::<String>::new());
}

#[test]
fn no_repository_hook_runs_by_default_in_a_work_tree_of_the_runs_own() {
    assert_eq!(
        hooks_that_ran(&format!("{CONFIG}isolation: worktree\n")),
        Vec::<String>::new()
    );
}

fn with_hooks() -> String {
    format!("{CONFIG}repository_hooks: run\n")
}

#[test]
fn a_pre_commit_hook_that_refuses_makes_a_discard_with_its_words() {
    let bed = Testbed::new();
    hook(
        &bed,
        "pre-commit",
        "! grep -q forbidden src/b || { echo 'the word forbidden' >&2; exit 1; }",
    );
    bed.start(&with_hooks());
    let before = bed.fingerprint();
    bed.write("src/b", "forbidden\n");
    bed.edit(0);
    let report = bed.trial("refused");
    assert_eq!(
        (report["verdict"].as_str(), report["reason"].as_str()),
        (Some("discard"), Some("hook-refused")),
        "{report}"
    );
    let detail = report["detail"].as_str().unwrap();
    assert!(
        detail.contains("pre-commit") && detail.contains("the word forbidden"),
        "{detail}"
    );
    assert_eq!(bed.fingerprint(), before);
    assert_eq!(bed.try_count(4), "keep");
}

#[test]
fn a_commit_msg_hook_may_refuse_or_add_to_the_message() {
    let bed = Testbed::new();
    hook(
        &bed,
        "commit-msg",
        "! grep -q wip \"$1\" || exit 1\necho 'Ticket: 7' >> \"$1\"",
    );
    bed.start(&with_hooks());
    bed.edit(4);
    assert_eq!(bed.trial("wip")["reason"], "hook-refused");
    assert_eq!(bed.try_count(4), "keep");
    let message = bed.git(&["log", "-1", "--format=%B"]);
    assert!(
        message.contains("experiment: 4 any")
            && message.contains("Autoresearch-Run: demo")
            && message.contains("Ticket: 7"),
        "{message}"
    );
}

#[test]
fn what_a_pre_commit_hook_reformats_and_adds_is_what_is_committed() {
    let bed = Testbed::new();
    hook(
        &bed,
        "pre-commit",
        "sed -i 's/  */ /g' src/b && git add src/b",
    );
    bed.start(&with_hooks());
    bed.write("src/b", "any\nany\nany\nmany     spaces\n");
    assert_eq!(bed.try_count(0), "keep");
    assert_eq!(bed.read("src/b"), "any\nany\nany\nmany spaces\n");
    assert_eq!(committed(&bed, "HEAD"), on_disk(&bed));
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_hook_that_adds_a_file_outside_the_scope_makes_the_trial_void() {
    let bed = Testbed::new();
    hook(
        &bed,
        "pre-commit",
        "echo stamped >> other/notes.md && git add other/notes.md",
    );
    bed.start(&with_hooks());
    let head = bed.head();
    bed.edit(0);
    let report = bed.trial("stamped");
    assert_eq!(
        (report["verdict"].as_str(), report["reason"].as_str()),
        (Some("discard"), Some("out-of-scope")),
        "{report}"
    );
    assert!(
        report["detail"]
            .as_str()
            .unwrap()
            .contains("other/notes.md")
    );
    assert_eq!(bed.head(), head);
    assert_eq!(
        bed.git(&["diff", "--name-only", "main", "autoresearch/demo"]),
        "",
        "no kept commit holds it"
    );
    assert_eq!(bed.read("src/a"), "any\n".repeat(5));
    assert_eq!(
        bed.git(&["diff", "--cached", "--name-only"]),
        "",
        "the user's index is as it was"
    );
}

#[test]
fn a_signing_key_that_does_not_work_breaks_nothing() {
    let bed = Testbed::new();
    for (name, value) in [
        ("commit.gpgsign", "true"),
        ("gpg.program", "/bin/false"),
        ("user.signingkey", "none"),
    ] {
        bed.git(&["config", name, value]);
    }
    bed.start(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
    let commit = bed.git(&["cat-file", "-p", "HEAD"]);
    assert!(!commit.contains("gpgsig"), "{commit}");
}

/// Author and committer of HEAD.
fn authors(bed: &Testbed) -> String {
    bed.git(&["log", "-1", "--format=%an <%ae>, %cn <%ce>"])
        .trim()
        .to_owned()
}

#[test]
fn an_identity_is_lent_where_none_is_configured_and_the_users_is_taken_where_it_is() {
    let bed = Testbed::new();
    bed.git(&["config", "user.useConfigOnly", "true"]);
    let config = std::fs::read_to_string(bed.path(".git/config")).unwrap();
    bed.start(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
    assert_eq!(
        authors(&bed),
        "autoresearch <autoresearch@localhost>, autoresearch <autoresearch@localhost>"
    );
    assert_eq!(
        std::fs::read_to_string(bed.path(".git/config")).unwrap(),
        config,
        "nothing was written into the configuration"
    );

    let bed = Testbed::new();
    bed.git(&["config", "user.name", "Ada"]);
    bed.git(&["config", "user.email", "ada@example.org"]);
    bed.start(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
    assert_eq!(
        authors(&bed),
        "Ada <ada@example.org>, Ada <ada@example.org>"
    );
}

#[test]
fn a_run_can_be_started_from_a_subfolder() {
    let bed = Testbed::new();
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    let mut command = bed.command(&["start", "--config", file.to_str().unwrap()]);
    command.current_dir(bed.path("src"));
    crate::testbed::finish(command).ok();
    assert!(
        bed.run_file("journal.jsonl").is_file(),
        "the run's folder is at the root"
    );
    let mut command = bed.command(&["trial", "-m", "from below", "--json"]);
    bed.edit(4);
    command.current_dir(bed.path("other"));
    assert_eq!(
        crate::testbed::finish(command).ok().json()["verdict"],
        "keep"
    );
    assert_eq!(changed(&bed), ["src/a"]);
}

#[test]
fn a_linked_work_tree_of_the_users_can_be_the_place_of_a_run() {
    let bed = Testbed::new();
    let linked = bed.home.join("linked");
    bed.git(&[
        "worktree",
        "add",
        "-q",
        "-b",
        "side",
        linked.to_str().unwrap(),
    ]);
    let before = bed.fingerprint();
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    let at = ["-C", linked.to_str().unwrap()];
    bed.run(&[&at[..], &["start", "--config", file.to_str().unwrap()]].concat())
        .ok();
    for (count, verdict) in [(4, "keep"), (20, "discard")] {
        std::fs::write(linked.join("src/a"), "any\n".repeat(count)).unwrap();
        let report = bed
            .run(&[&at[..], &["trial", "-m", "linked", "--json"]].concat())
            .ok()
            .json();
        assert_eq!(report["verdict"], verdict);
    }
    assert_eq!(
        std::fs::read_to_string(linked.join("src/a")).unwrap(),
        "any\n".repeat(4)
    );
    bed.run(&["status"]).fails(2).says("no run was started");
    bed.run(&[&at[..], &["finish"]].concat())
        .ok()
        .says("checked out: side");
    assert_eq!(
        bed.git(&[&at[..], &["rev-parse", "--abbrev-ref", "HEAD"]].concat())
            .trim(),
        "side"
    );
    assert_eq!(bed.run_commits("autoresearch/demo").len(), 1);
    assert_eq!(bed.fingerprint(), before, "the main work tree never moved");
    assert!(!bed.path("autoresearch-results").exists());
}
