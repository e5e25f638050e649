//! Owns the tests of the small files beside a run: sessions, notes, outputs, what was made, and the ways to the disk.
//! Does not test the journal and the opening of a run; `run_store` does.
//! Invariant: each test has a folder of its own.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use autoresearch_core::agent::session::{GitAccess, Proposal, ProposedOrder, Session, Stops};
use autoresearch_core::config::Outputs;
use autoresearch_core::git_names::{CommitId, RefName};

use super::disk::{make_private_folder, remove_file_if_there};
use super::pinned::SealedSecret;
use super::removal::{SweepError, folder_inode, list_folder, remove_folder_below};
use super::scratch::ScratchRun;
use super::trust::check_anchor_folder;
use super::*;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn list_names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A pipe in the place of a file: whoever waits for it waits for ever.
fn put_pipe(path: &Path) {
    let _ = fs::remove_file(path);
    let (kind, rights) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
    rustix::fs::mknodat(rustix::fs::CWD, path, kind, rights, 0).unwrap();
}

#[test]
fn a_session_and_a_proposal_come_back_as_they_were_written_and_a_proposal_once() {
    let run = ScratchRun::start();
    let layout = &run.layout;
    assert_eq!(
        (layout.read_session(), layout.read_proposal()),
        (None, None)
    );
    let session = Session::new("s1", GitAccess::ReadOnly);
    let proposal = |records| Proposal {
        session: "s1".to_owned(),
        records,
        order: ProposedOrder::Block {
            message: "no compiler".to_owned(),
        },
    };
    layout.write_session(&session).unwrap();
    layout.write_proposal(&proposal(1)).unwrap();
    layout.write_proposal(&proposal(2)).unwrap();
    assert_eq!(layout.read_session().as_ref(), Some(&session));
    assert_eq!(
        layout.read_proposal(),
        Some(proposal(2)),
        "the last one counts"
    );
    assert_eq!(layout.take_proposal(), Some(proposal(2)));
    assert_eq!(
        (layout.take_proposal(), layout.read_proposal()),
        (None, None)
    );
    layout.write_proposal(&proposal(3)).unwrap();
    layout.remove_session();
    assert_eq!(
        (layout.read_session(), layout.read_proposal()),
        (None, None)
    );
    let left = list_names(&layout.run_folder());
    assert_eq!(
        left,
        [".gitignore", "config.yaml", "journal.jsonl", "trials"]
    );
}

#[test]
fn what_anybody_may_have_put_in_place_of_a_session_is_no_session() {
    let run = ScratchRun::start();
    let path = run.layout.run_folder().join("session.json");
    let session = Session::new("s1", GitAccess::Write);
    run.layout.write_session(&session).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let long = text.trim_end().to_owned() + &" ".repeat(65 << 10);
    for (name, content) in [
        ("empty", ""),
        ("not JSON", "{"),
        ("a list", "[]x"),
        ("long", &long),
    ] {
        fs::write(&path, content).unwrap();
        assert_eq!(run.layout.read_session(), None, "{name}");
    }
    put_pipe(&path);
    assert_eq!(run.layout.read_session(), None, "a pipe");
    fs::remove_file(&path).unwrap();
    fs::write(run.base().join("theirs"), &text).unwrap();
    symlink(run.base().join("theirs"), &path).unwrap();
    assert_eq!(run.layout.read_session(), None, "a link");
    run.layout.write_session(&session).unwrap();
    assert_eq!(
        run.layout.read_session(),
        Some(session),
        "the link is replaced"
    );
    assert_eq!(fs::read_to_string(run.base().join("theirs")).unwrap(), text);
}

#[test]
fn stops_are_counted_outside_the_repository() {
    let run = ScratchRun::start();
    let store = run.open(Access::Write).unwrap();
    assert_eq!(store.read_stops(), Stops::default());
    let stops = Stops {
        session: "s1".to_owned(),
        answered: 2,
        ..Stops::default()
    };
    store.write_stops(&stops).unwrap();
    assert_eq!(store.read_stops(), stops);
    assert!(run.anchor_folder().join("stops.json").is_file());
}

#[test]
fn the_log_of_the_hooks_is_cut_when_it_is_long_and_a_link_in_its_place_is_not_followed() {
    let run = ScratchRun::start();
    let path = run.layout.run_folder().join("hooks.log");
    run.layout.append_hook_log("12:00", "stop: go on");
    run.layout.append_hook_log("12:01", "stop: allow");
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "12:00 stop: go on\n12:01 stop: allow\n"
    );
    fs::write(&path, "x".repeat((256 << 10) + 1)).unwrap();
    run.layout.append_hook_log("12:02", "again");
    assert_eq!(fs::read_to_string(&path).unwrap(), "12:02 again\n");
    let theirs = run.base().join("theirs");
    fs::write(&theirs, "mine").unwrap();
    fs::remove_file(&path).unwrap();
    symlink(&theirs, &path).unwrap();
    run.layout.append_hook_log("12:03", "lost");
    assert_eq!(fs::read_to_string(&theirs).unwrap(), "mine");
}

#[test]
fn the_floor_of_the_times_and_the_mark_of_measuring_are_kept_and_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let notes = TreeNotes::beside_anchor(folder.path());
    assert_eq!(
        (notes.read_time_floor(), notes.was_measuring()),
        (None, false)
    );
    for second in [0, -1, 1_700_000_000] {
        notes.write_time_floor(second);
        assert_eq!(notes.read_time_floor(), Some(second));
    }
    for text in ["", "soon", "1.5"] {
        fs::write(folder.path().join("floor"), text).unwrap();
        assert_eq!(notes.read_time_floor(), None, "{text}");
    }
    for begins in [true, true, false, false] {
        notes.mark_measuring(begins).unwrap();
        assert_eq!(notes.was_measuring(), begins);
    }
}

#[test]
fn unseen_files_come_back_and_those_of_another_form_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let notes = TreeNotes::beside_anchor(folder.path());
    assert_eq!(notes.read_unseen().unwrap(), None);
    let known = KnownFile {
        yours: true,
        signature: FileSignature::read_of(folder.path()).unwrap(),
        hash: Some("abc".to_owned()),
    };
    let unseen = UnseenFiles {
        files: BTreeMap::from([("utf8:src/x.log".to_owned(), known)]),
        caches: ["utf8:src/.cache".to_owned()].into(),
    };
    notes.write_unseen(&unseen).unwrap();
    assert_eq!(notes.read_unseen().unwrap(), Some(unseen));
    let path = folder.path().join("unseen.json");
    let written = fs::read_to_string(&path).unwrap();
    fs::write(&path, r#"{"files":{}}"#).unwrap();
    let empty = Some(UnseenFiles::default());
    assert_eq!(
        notes.read_unseen().unwrap(),
        empty,
        "an older version knew no caches"
    );
    for text in ["", "[1]", &written.replacen(":1,", ":7,", 1)] {
        fs::write(&path, text).unwrap();
        assert_eq!(notes.read_unseen().unwrap(), None, "{text}");
    }
    put_pipe(&path);
    assert!(notes.read_unseen().is_err());
}

fn make_note() -> MadeNote {
    let [base, saved] = [0xc0, 0xc1].map(|number| CommitId::from_bytes(&[number; 20]));
    MadeNote {
        format: FORMAT,
        id: "1".to_owned(),
        run: "fast".to_owned(),
        root: "/r".into(),
        branch: Some(RefName::of_trials("fast")),
        base: Some(base),
        inode: Some(7),
        references: BTreeMap::from([(RefName::parse("refs/x").unwrap(), saved)]),
    }
}

#[test]
fn the_note_of_what_was_made_comes_back_unless_it_is_of_a_later_format_or_no_note() {
    let folder = tempfile::tempdir().unwrap();
    let anchor_folder = folder.path().join("runs/1");
    assert_eq!(MadeNote::read_from(&anchor_folder), None);
    let made = make_note();
    made.write_to(&anchor_folder).unwrap();
    assert_eq!(MadeNote::read_from(&anchor_folder), Some(made.clone()));
    assert_eq!(
        anchor_folder.metadata().unwrap().permissions().mode() & 0o777,
        0o700
    );
    let path = anchor_folder.join("made.json");
    let text = fs::read_to_string(&path).unwrap();
    let old = text.split(r#","references""#).next().unwrap().to_owned() + "}";
    fs::write(&path, old).unwrap();
    let expected = MadeNote {
        references: BTreeMap::new(),
        ..made.clone()
    };
    assert_eq!(
        MadeNote::read_from(&anchor_folder),
        Some(expected),
        "an older version"
    );
    let long = text.clone() + &" ".repeat(1 << 20);
    for content in [
        "",
        "{}",
        &text.replace(r#""format":1"#, r#""format":2"#),
        &long,
    ] {
        fs::write(&path, content).unwrap();
        assert_eq!(MadeNote::read_from(&anchor_folder), None);
    }
    fs::write(anchor_folder.join("anchor.json"), "").unwrap();
    MadeNote::remove_from(&anchor_folder);
    assert_eq!(
        list_names(&anchor_folder),
        ["anchor.json"],
        "what a run needs stays"
    );
    fs::remove_file(anchor_folder.join("anchor.json")).unwrap();
    MadeNote::remove_from(&anchor_folder);
    assert!(!anchor_folder.exists());
    let bad = MadeNote {
        root: PathBuf::from(OsStr::from_bytes(b"/bad\xff")),
        ..made
    };
    assert!(
        bad.write_to(&anchor_folder).is_err(),
        "a path without a text is never an empty one"
    );
}

#[test]
fn a_note_without_a_commit_has_an_empty_text_for_it_as_older_versions_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let read = || fs::read_to_string(folder.path().join("made.json")).unwrap();
    let made = make_note();
    made.write_to(folder.path()).unwrap();
    let expected = read().replace(made.base.as_ref().unwrap().as_str(), "");
    let baseless = MadeNote { base: None, ..made };
    baseless.write_to(folder.path()).unwrap();
    assert_eq!(read(), expected);
    assert_eq!(MadeNote::read_from(folder.path()), Some(baseless));
}

#[test]
fn outputs_are_summed_beside_the_anchor_and_cut_when_the_sum_is_too_large() {
    let run = ScratchRun::start();
    let store = run.open(Access::Write).unwrap();
    let note = run.anchor_folder().join("outputs");
    let limits = Outputs {
        file_mib: 1,
        total_mib: 1,
    };
    let mut sums = Vec::new();
    for trial in 1..=8 {
        let folder = run.layout.make_trial_folder(trial).unwrap();
        fs::write(folder.join("verify-1.out"), vec![b'x'; 150_000]).unwrap();
        fs::write(folder.join("verify-1.err"), "warning\n").unwrap();
        fs::write(folder.join("notes"), vec![b'x'; 1_000_000]).unwrap();
        symlink("/etc/passwd", folder.join("guard.out")).unwrap();
        store.bound_outputs(trial, limits).unwrap();
        sums.push(
            fs::read_to_string(&note)
                .unwrap()
                .trim()
                .parse::<u64>()
                .unwrap(),
        );
    }
    let each = 150_008;
    assert_eq!(sums[..6], [1, 2, 3, 4, 5, 6].map(|trials| trials * each));
    let cut = 4_096 + "\n[145904 bytes were cut here]\n".len() as u64 + 8;
    assert_eq!(sums[6..], [5 * each + 2 * cut, 6 * each + 2 * cut]);
    fs::write(&note, "no number").unwrap();
    store.bound_outputs(8, limits).unwrap();
    assert_eq!(fs::read_to_string(&note).unwrap(), format!("{each}\n"));
}

proptest::proptest! {
    #[test]
    fn what_is_cut_has_the_beginning_and_the_end_and_counts_what_is_missing(
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
        most in 0_u64..320,
    ) {
        let cut = cut_middle(&bytes, most);
        let half = usize::try_from(most / 2).unwrap();
        if bytes.len() as u64 <= most {
            assert_eq!(&*cut, &bytes[..]);
        } else {
            let missing = bytes.len() - 2 * half;
            let line = format!("\n[{missing} bytes were cut here]\n");
            let expected = [&bytes[..half], line.as_bytes(), &bytes[bytes.len() - half..]].concat();
            assert_eq!(&*cut, &expected[..]);
        }
    }

    #[test]
    fn a_path_of_any_bytes_comes_back_from_its_text_and_two_paths_have_two_texts(
        one in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..12),
        other in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..12),
    ) {
        assert_eq!(path_from_key(&path_to_key(&one)).as_os_str().as_bytes(), &one[..]);
        assert_eq!(path_to_key(&one) == path_to_key(&other), one == other);
    }

    #[test]
    fn a_text_of_a_path_that_somebody_else_wrote_is_read_without_a_panic(text in "(hex:|utf8:)?.{0,12}") {
        let _ = path_from_key(&text);
    }
}

#[test]
fn a_secret_is_known_by_its_salted_hash_alone() {
    let sealed = SealedSecret::seal_value("salt", "hunter2");
    assert!(sealed.is_value("hunter2"));
    for other in ["", "hunter", "hunter22", "salt\0hunter2"] {
        assert!(!sealed.is_value(other), "{other}");
    }
    assert_ne!(sealed, SealedSecret::seal_value("pepper", "hunter2"));
    let text = serde_json::to_string(&sealed).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
    assert_eq!(serde_json::from_str::<SealedSecret>(&text).unwrap(), sealed);
}

#[test]
fn a_folder_is_listed_in_the_order_of_its_names_without_what_is_skipped() {
    let root = tempfile::tempdir().unwrap();
    for folder in ["ours/b/deep", "ours/skipped/deep"] {
        fs::create_dir_all(root.path().join(folder)).unwrap();
    }
    for file in ["ours/b/deep/x", "ours/a", "ours/c"] {
        fs::write(root.path().join(file), "").unwrap();
    }
    symlink("b", root.path().join("ours/z")).unwrap();
    let skip = |path: &Path| path == Path::new("skipped");
    let list = |below: &str| list_folder(root.path(), Path::new(below), &skip);
    let found = list("ours").unwrap().unwrap().into_iter();
    let told: Vec<_> = found
        .map(|entry| format!("{} {:?}", entry.path.display(), entry.kind))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    a RegularFile
    b Directory
    b/deep Directory
    b/deep/x RegularFile
    c RegularFile
    z Symlink
    ");
    assert_eq!(list("absent").unwrap(), None);
    assert_eq!(list("absent/deeper").unwrap(), None);
    let tell = |error: SweepError| error.to_string().replace(root.path().to_str().unwrap(), "");
    insta::assert_snapshot!(tell(list("ours/a").unwrap_err()), @"/ours/a is not a folder");
    insta::assert_snapshot!(tell(list("ours/z").unwrap_err()), @"/ours/z is a symbolic link");
    insta::assert_snapshot!(tell(list_folder(&root.path().join("no"), Path::new("x"), &skip).unwrap_err()), @"could not open /no: No such file or directory (os error 2)");
    let removed = remove_folder_below(root.path(), Path::new(""));
    assert!(
        matches!(removed, Err(SweepError::NotAFolder(_))),
        "the root itself stays"
    );
    assert!(folder_inode(&root.path().join("ours")).is_some());
    assert_eq!(
        ["ours/z", "ours/a", "no"].map(|name| folder_inode(&root.path().join(name))),
        [None; 3]
    );
}

#[test]
fn each_file_beside_an_anchor_has_to_be_this_users_alone() {
    let run = ScratchRun::start();
    let folder = run.anchor_folder();
    check_anchor_folder(&folder).unwrap();
    check_anchor_folder(&folder.join("absent")).unwrap();
    for name in [
        "anchor.json",
        "anchor.log",
        "pinned.json",
        "checkpoint.json",
        "made.json",
        "notes.json",
    ] {
        let path = folder.join(name);
        let old = fs::read(&path).ok();
        fs::write(&path, "").unwrap();
        set_mode(&path, 0o620);
        let told = run.tell_error(&check_anchor_folder(&folder).unwrap_err());
        assert!(
            told.ends_with(&format!(
                "{name} is writable by others, so nothing in it can be trusted"
            )),
            "{told}"
        );
        set_mode(&path, 0o644);
        check_anchor_folder(&folder).unwrap();
        remove_file_if_there(&path).unwrap();
        old.map_or(Ok(()), |old| fs::write(&path, old)).unwrap();
    }
}

#[test]
fn the_disk_follows_no_link_and_waits_for_no_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let (file, target) = (folder.path().join("file"), folder.path().join("target"));
    fs::write(&target, "mine").unwrap();
    let try_all = || {
        [
            RealDisk.read_file(&file).is_ok(),
            RealDisk.read_file_from(&file, 0).is_ok(),
            RealDisk.append_bytes(&file, b"x").is_ok(),
            RealDisk.truncate_file(&file, 0).is_ok(),
            RealDisk.sync_file(&file).is_ok(),
            read_output(&file, 9).is_ok(),
            append_line(&file, "x").is_ok(),
        ]
    };
    symlink(&target, &file).unwrap();
    assert_eq!(try_all(), [false; 7], "a link");
    put_pipe(&file);
    assert_eq!(try_all(), [false; 7], "a pipe");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_eq!(try_all(), [false; 7], "a folder");
    assert_eq!(fs::read(&target).unwrap(), b"mine");
    fs::remove_dir(&file).unwrap();
    symlink(&target, &file).unwrap();
    write_output(&file, b"output").unwrap();
    assert!(!file.is_symlink() && fs::read(&target).unwrap() == b"mine");
    assert_eq!(try_all(), [true; 7], "a file");
}

#[test]
fn the_disk_reads_appends_and_cuts_and_what_is_absent_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    assert_eq!(RealDisk.read_file(&path).unwrap(), None);
    assert_eq!(RealDisk.file_length(&path).unwrap(), 0);
    RealDisk.append_bytes(&path, b"one ").unwrap();
    append_line(&path, "two").unwrap();
    assert_eq!(RealDisk.read_file_from(&path, 4).unwrap(), b"two\n");
    assert_eq!(RealDisk.read_file_from(&path, 99).unwrap(), b"");
    assert_eq!(read_output(&path, 5).unwrap(), b"one t");
    RealDisk.truncate_file(&path, 3).unwrap();
    assert_eq!(
        (
            RealDisk.read_file(&path).unwrap(),
            RealDisk.file_length(&path).unwrap()
        ),
        (Some(b"one".to_vec()), 3)
    );
    let before = FileSignature::read_of(&path);
    assert_eq!(before, FileSignature::read_of(&path));
    RealDisk.replace_file(&path, b"eno").unwrap();
    assert_ne!(
        before,
        FileSignature::read_of(&path),
        "the same length, and another file"
    );
    remove_file_if_there(&path).unwrap();
    remove_file_if_there(&path).unwrap();
    assert_eq!(FileSignature::read_of(&path), None);
    let private = folder.path().join("a/b");
    make_private_folder(&private).unwrap();
    make_private_folder(&private).unwrap();
    for folder in [private.parent().unwrap(), &private] {
        assert_eq!(
            folder.metadata().unwrap().permissions().mode() & 0o777,
            0o700
        );
    }
}

#[test]
fn a_value_without_a_text_is_an_error_that_names_the_file() {
    let bad = Path::new(OsStr::from_bytes(b"/bad\xff"));
    let tell = |made: Result<Vec<u8>, StoreError>| made.unwrap_err().to_string();
    let told = "could not make the contents of /s/anchor.json";
    assert_eq!(tell(encode_json(Path::new("/s/anchor.json"), &bad)), told);
    assert_eq!(
        tell(encode_pretty_json(Path::new("/s/anchor.json"), &bad)),
        told
    );
    let pretty = encode_pretty_json(Path::new("/s/x"), &BTreeMap::from([("a", 1)])).unwrap();
    assert_eq!(String::from_utf8(pretty).unwrap(), "{\n  \"a\": 1\n}\n");
}

#[test]
fn anchors_that_cannot_be_read_or_trusted_are_left_out() {
    let run = ScratchRun::start();
    let state = &run.world.state_folder;
    for (name, text) in [("empty", ""), ("half", "{\"format\":1")] {
        let folder = anchor_folder(state, name);
        make_private_folder(&folder).unwrap();
        fs::write(folder.join("anchor.json"), text).unwrap();
    }
    make_private_folder(&anchor_folder(state, "without")).unwrap();
    assert_eq!(list_anchor_folders(state).len(), 4);
    let found = list_anchors(state);
    let runs: Vec<_> = found
        .iter()
        .map(|(_, anchor)| anchor.run.as_str())
        .collect();
    assert_eq!(runs, ["fast"]);
    assert!(
        read_remembered_state(&found[0].0, &found[0].1).is_none(),
        "no command left a note"
    );
    set_mode(state, 0o777);
    assert_eq!(list_anchors(state), []);
    assert_eq!(list_anchors(&run.base().join("absent")), []);
}
