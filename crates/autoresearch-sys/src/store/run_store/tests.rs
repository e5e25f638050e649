//! Owns the tests of a run that is opened: what is refused and why, what a crash leaves and how it is repaired, the views.
//! Does not test what the events mean; that is core.
//! Invariant: each case begins with a run of its own.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use autoresearch_core::journal::event::Event;

use super::*;
use crate::store::phase::find_acting_holder;
use crate::store::scratch::{ID, ScratchRun, make_start, make_trial};
use crate::store::{TrialPhase, find_holder, list_anchors, read_remembered_state};

/// What opening a run says.
fn tell_opening(run: &ScratchRun, access: Access) -> String {
    match run.open(access) {
        Ok(store) => format!(
            "opened at record {}, {:?}",
            store.journal_head().next,
            store.repaired
        ),
        Err(error) => run.tell_error(&error),
    }
}

fn append(path: &Path, text: &str) {
    let old = fs::read_to_string(path).unwrap();
    fs::write(path, old + text).unwrap();
}

fn replace(path: &Path, from: &str, to: &str) {
    let old = fs::read_to_string(path).unwrap();
    assert!(old.contains(from), "{old}");
    fs::write(path, old.replacen(from, to, 1)).unwrap();
}

fn replace_by_link(path: &Path) {
    let moved = path.with_extension("moved");
    fs::rename(path, &moved).unwrap();
    symlink(&moved, path).unwrap();
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

type NamedDamage = (&'static str, fn(&ScratchRun));

fn tell_damages(damages: &[NamedDamage]) -> String {
    let told = damages.iter().map(|(name, damage)| {
        let run = ScratchRun::start();
        damage(&run);
        let [read, write] = [Access::Read, Access::Write].map(|access| tell_opening(&run, access));
        if read == write {
            format!("{name}\n  {read}")
        } else {
            format!("{name}\n  read: {read}\n  write: {write}")
        }
    });
    told.collect::<Vec<_>>().join("\n")
}

/// What can happen to the folder of a run in the repository.
const INSIDE: &[NamedDamage] = &[
    ("nothing", |_| {}),
    ("config edited", |run| {
        append(&run.layout.config_path(), "#");
    }),
    ("config gone", |run| {
        fs::remove_file(run.layout.config_path()).unwrap();
    }),
    ("config too long", |run| {
        append(&run.layout.config_path(), &"#".repeat(2 << 20));
    }),
    ("config a link", |run| {
        replace_by_link(&run.layout.config_path());
    }),
    ("journal gone", |run| {
        fs::remove_file(run.layout.journal_path()).unwrap();
    }),
    ("journal a link", |run| {
        replace_by_link(&run.layout.journal_path());
    }),
    ("journal empty", |run| {
        fs::write(run.layout.journal_path(), "").unwrap();
    }),
    ("first line of another format", |run| {
        replace(&run.layout.journal_path(), r#""format":1"#, r#""format":7"#);
    }),
    ("first line without its id", |run| {
        replace(&run.layout.journal_path(), ID, "../../x");
    }),
    ("first line of another run", |run| {
        replace(&run.layout.journal_path(), ID, &ID.replace('0', "f"));
    }),
    ("a number edited", |run| {
        replace(&run.layout.journal_path(), "100", "900");
    }),
    ("last line edited", |run| {
        let mut text = fs::read_to_string(run.layout.journal_path()).unwrap();
        let at = text.rfind("2026").unwrap();
        text.replace_range(at..at + 4, "2027");
        fs::write(run.layout.journal_path(), text).unwrap();
    }),
    ("a record more", |run| {
        append(&run.layout.journal_path(), "{}\n");
    }),
    ("folder renamed", |run| {
        let other = run.layout.run_folder().with_file_name("other");
        fs::rename(run.layout.run_folder(), &other).unwrap();
        symlink(other, run.layout.run_folder()).unwrap();
    }),
];

#[test]
fn every_damage_inside_the_repository_is_refused_with_its_reason() {
    let told = tell_damages(INSIDE);
    insta::assert_snapshot!(told, @"
    nothing
      opened at record 2, JournalRepair { torn_bytes: 0, restored: false }
    config edited
      the run `fast` was changed from outside: its frozen config.yaml was edited
    config gone
      the run `fast` was changed from outside: its frozen config.yaml is gone
    config too long
      the run `fast` was changed from outside: its frozen config.yaml was edited
    config a link
      /repo/autoresearch-results/fast/config.yaml is a symbolic link
    journal gone
      could not read /repo/autoresearch-results/fast/journal.jsonl: No such file or directory (os error 2)
    journal a link
      /repo/autoresearch-results/fast/journal.jsonl is a symbolic link
    journal empty
      the run `fast` was changed from outside: the first line of its journal is not a start
    first line of another format
      /repo/autoresearch-results/fast/journal.jsonl has format 7; this version reads up to format 1
    first line without its id
      the run `fast` was changed from outside: the first line of its journal is not a start
    first line of another run
      the run `fast` was not started by this user on this machine: it has no anchor
    a number edited
      the journal of `fast` cannot be trusted: line 2 does not follow the line before it: the journal was edited
    last line edited
      the run `fast` was changed from outside: the last line of its journal was edited
    a record more
      read: the journal of `fast` cannot be trusted: line 3 is not a record: missing field `seq` at line 1 column 2
      write: the run `fast` was changed from outside: its journal holds records that this tool did not write
    folder renamed
      /repo/autoresearch-results/fast is a symbolic link
    ");
}

/// What can happen to what is kept outside of it.
const OUTSIDE: &[NamedDamage] = &[
    ("anchor gone", |run| {
        fs::remove_file(run.anchor_folder().join("anchor.json")).unwrap();
    }),
    ("anchor empty", |run| {
        fs::write(run.anchor_folder().join("anchor.json"), "").unwrap();
    }),
    ("anchor not JSON", |run| {
        fs::write(run.anchor_folder().join("anchor.json"), "{\"format\":1").unwrap();
    }),
    ("anchor of a later version", |run| {
        replace(
            &run.anchor_folder().join("anchor.json"),
            r#""format":2"#,
            r#""format":3"#,
        );
    }),
    ("anchor's log gone", |run| {
        fs::remove_file(run.anchor_folder().join("anchor.log")).unwrap();
    }),
    ("anchor's log cut", |run| {
        fs::write(run.anchor_folder().join("anchor.log"), "").unwrap();
    }),
    ("anchor of another run", |run| {
        replace(
            &run.anchor_folder().join("anchor.json"),
            r#""fast""#,
            r#""slow""#,
        );
    }),
    ("anchor writable by others", |run| {
        set_mode(&run.anchor_folder().join("anchor.json"), 0o666);
    }),
    ("pins gone", |run| {
        fs::remove_file(run.anchor_folder().join("pinned.json")).unwrap();
    }),
    ("pins not JSON", |run| {
        fs::write(run.anchor_folder().join("pinned.json"), "x").unwrap();
    }),
    ("run folder writable by others", |run| {
        set_mode(&run.anchor_folder(), 0o777);
    }),
    ("state folder writable by others", |run| {
        set_mode(&run.world.state_folder, 0o777);
    }),
    ("state folder open to read", |run| {
        set_mode(&run.world.state_folder, 0o755);
    }),
    ("checkpoint not JSON", |run| {
        fs::write(run.anchor_folder().join("checkpoint.json"), "{").unwrap();
    }),
];

#[test]
fn every_damage_outside_the_repository_is_refused_with_its_reason() {
    let told = tell_damages(OUTSIDE);
    insta::assert_snapshot!(told, @"
    anchor gone
      the run `fast` was not started by this user on this machine: it has no anchor
    anchor empty
      /state/runs/0123456789abcdef0123456789abcdef/anchor.json of the run `fast` is empty
    anchor not JSON
      /state/runs/0123456789abcdef0123456789abcdef/anchor.json of the run `fast` cannot be read (EOF while parsing an object at line 1 column 11)
    anchor of a later version
      /state/runs/0123456789abcdef0123456789abcdef/anchor.json has format 3; this version reads up to format 2
    anchor's log gone
      /state/runs/0123456789abcdef0123456789abcdef/anchor.log of the run `fast` is gone
    anchor's log cut
      read: the run `fast` was changed from outside: its journal ends at record 2, its anchor at record 1
      write: the run `fast` was changed from outside: its journal holds records that this tool did not write
    anchor of another run
      the run `slow` was changed from outside: it was renamed from `slow`
    anchor writable by others
      /state/runs/0123456789abcdef0123456789abcdef/anchor.json is writable by others, so nothing in it can be trusted
    pins gone
      /state/runs/0123456789abcdef0123456789abcdef/pinned.json of the run `fast` is empty
    pins not JSON
      /state/runs/0123456789abcdef0123456789abcdef/pinned.json of the run `fast` cannot be read (expected value at line 1 column 1)
    run folder writable by others
      /state/runs/0123456789abcdef0123456789abcdef is writable by others, so nothing in it can be trusted
    state folder writable by others
      /state is writable by others, so nothing in it can be trusted
    state folder open to read
      opened at record 2, JournalRepair { torn_bytes: 0, restored: false }
    checkpoint not JSON
      opened at record 2, JournalRepair { torn_bytes: 0, restored: false }
    ");
}

#[test]
fn a_repository_that_was_moved_is_followed_and_a_copy_of_it_is_refused() {
    let mut run = ScratchRun::start();
    let (old, new) = (run.base().join("repo"), run.base().join("moved"));
    fs::rename(&old, &new).unwrap();
    run.layout = Layout::new(&new, "fast");
    let store = run.open(Access::Read).unwrap();
    assert_eq!(store.read_anchored_root(), old, "a reader writes nothing");
    let store = run.open(Access::Write).unwrap();
    assert_eq!(store.read_anchored_root(), new);
    drop(store);
    let copied = Layout::new(&old, "fast");
    fs::create_dir(&old).unwrap();
    copied.create_folders().unwrap();
    for path in [Layout::journal_path, Layout::config_path] {
        fs::copy(path(&run.layout), path(&copied)).unwrap();
    }
    run.layout = copied;
    insta::assert_snapshot!(tell_opening(&run, Access::Write), @"the run `fast` is a copy: the original is in /moved/autoresearch-results/fast");
}

#[test]
fn a_journal_cut_anywhere_in_its_last_line_is_made_whole_and_a_shorter_one_is_refused() {
    let run = ScratchRun::start();
    let path = run.layout.journal_path();
    let whole = fs::read(&path).unwrap();
    let before = whole[..whole.len() - 1]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .unwrap()
        + 1;
    for length in before..=whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let reader = run.open(Access::Read).unwrap();
        assert_eq!(reader.read_records().unwrap().len(), 2, "{length}");
        let store = run.open(Access::Write).unwrap();
        let is_cut = length < whole.len();
        let torn = if is_cut { length - before } else { 0 };
        let expected = JournalRepair {
            torn_bytes: torn as u64,
            restored: is_cut,
        };
        assert_eq!(store.repaired, expected, "{length}");
        assert_eq!(fs::read(&path).unwrap(), whole, "{length}");
    }
    fs::write(&path, &whole[..before - 1]).unwrap();
    insta::assert_snapshot!(tell_opening(&run, Access::Write), @"the run `fast` was changed from outside: its journal is 1 bytes shorter than it was");
    fs::write(&path, [&whole[..], b"half a re"].concat()).unwrap();
    insta::assert_snapshot!(tell_opening(&run, Access::Write), @"opened at record 2, JournalRepair { torn_bytes: 9, restored: false }");
    let torn = fs::read_to_string(path.with_extension("torn")).unwrap();
    assert!(
        torn.ends_with("\nhalf a re\n"),
        "what was set aside is kept: {torn}"
    );
}

#[test]
fn a_run_whose_first_line_was_torn_is_found_by_its_anchor() {
    let run = ScratchRun::start();
    let fresh = ScratchRun::start_with(&[]);
    let path = fresh.layout.journal_path();
    let whole = fs::read(&path).unwrap();
    for length in [0, 1, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let store = fresh.open(Access::Write).unwrap();
        assert!(store.repaired.restored, "{length}");
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
    // With a second record the first line cannot have been torn by a crash.
    fs::write(run.layout.journal_path(), &whole[..10]).unwrap();
    insta::assert_snapshot!(tell_opening(&run, Access::Write), @"the run `fast` was changed from outside: the first line of its journal is not a start");
}

#[test]
fn one_process_acts_on_a_run_and_all_others_may_look() {
    let run = ScratchRun::start();
    let store = run.open(Access::Write).unwrap();
    assert!(store.holds_lock() && !run.open(Access::Read).unwrap().holds_lock());
    let Err(StoreError::Busy(holder)) = run.open(Access::WriteChecked) else {
        panic!("it is held")
    };
    assert_eq!(holder.pid, std::process::id());
    assert_eq!(
        (holder.command.as_str(), holder.since.as_str()),
        ("test", "2026-01-02T03:04:05Z")
    );
    assert_eq!(find_holder(&run.anchor_folder()), Some(holder));
    drop(store);
    assert_eq!(find_holder(&run.anchor_folder()), None);
    run.open(Access::WriteChecked).unwrap();
}

#[test]
fn the_phase_of_a_trial_is_told_as_long_as_the_process_that_noted_it_holds_the_run() {
    let run = ScratchRun::start();
    let store = run.open(Access::Write).unwrap();
    let phase = || find_acting_holder(&run.anchor_folder()).map(|(_, note)| note);
    assert_eq!(phase(), Some(None), "no trial is made");
    run.open(Access::Read)
        .unwrap()
        .write_phase_note(8, TrialPhase::Guard);
    assert_eq!(phase(), Some(None), "who only looks notes nothing");
    store.write_phase_note(7, TrialPhase::Verify(2));
    let note = phase().unwrap().unwrap();
    assert_eq!((note.trial, note.phase), (7, TrialPhase::Verify(2)));
    assert_eq!(note.since_ms, run.world.now_ms());
    replace(
        &run.anchor_folder().join("phase.json"),
        "{\"pid\":",
        "{\"pid\":1",
    );
    assert_eq!(phase(), Some(None), "another process noted it");
    drop(store);
    assert_eq!(phase(), None);
    drop(run.open(Access::Write).unwrap());
    assert!(!run.anchor_folder().join("phase.json").exists());
}

#[test]
fn a_checkpoint_spares_the_reading_of_the_journal_until_somebody_touches_it() {
    let run = ScratchRun::start();
    let mut store = run.open(Access::Write).unwrap();
    for event in make_trial(1, 90, true) {
        store.record_event(event).unwrap();
    }
    store.write_views().unwrap();
    let state = store.state.clone();
    drop(store);
    for access in [
        Access::Glance,
        Access::Read,
        Access::Write,
        Access::WriteChecked,
    ] {
        let store = run.open(access).unwrap();
        assert_eq!(
            format!("{:?}", store.state),
            format!("{state:?}"),
            "{access:?}"
        );
        let is_folded = matches!(access, Access::Read | Access::WriteChecked);
        assert_eq!(store.seen.is_some(), is_folded, "{access:?}");
        assert_eq!(store.read_records().unwrap().len(), 4);
        assert_eq!(store.read_last_records().unwrap().len(), 4);
    }
    let [(folder, anchor)] = list_anchors(&run.world.state_folder).try_into().unwrap();
    assert_eq!(folder, run.anchor_folder());
    let remembered = read_remembered_state(&folder, &anchor).unwrap();
    assert_eq!(remembered.incumbent.trial, 1);
    let journal = fs::read(run.layout.journal_path()).unwrap();
    fs::write(run.layout.journal_path(), journal).unwrap();
    assert!(
        run.open(Access::Glance).unwrap().seen.is_some(),
        "the same bytes, written again"
    );
}

#[test]
fn the_table_shows_what_was_recorded_and_both_views_are_made_again_when_they_are_gone() {
    let run = ScratchRun::start();
    let mut store = run.open(Access::Write).unwrap();
    store.write_views().unwrap();
    for event in [make_trial(1, 90, true), make_trial(2, 95, false)].concat() {
        store.record_event(event).unwrap();
    }
    let table = || fs::read_to_string(run.layout.table_path()).unwrap();
    let appended = table();
    store.write_views().unwrap();
    assert_eq!(table(), appended, "rows are added as they come");
    insta::assert_snapshot!(appended.replace('\t', " | "), @"
    # format: 1
    # goal: faster
    # run: fast
    # metric: ms
    # metric_direction: lower
    # environment: test
    iteration | commit | metric | delta | guard | status | description
    0 | c0 | 100 | 0 | - | baseline | the untouched tree, 2 runs
    1 | c1 | 90 | - | - | keep | idea 1 #cache
    2 | - | 95 | - | - | discard | idea 2 #cache [worse-metric: the metric is not better]
    ");
    let snapshot = fs::read_to_string(run.layout.snapshot_path()).unwrap();
    for edited in ["", "mine\n"] {
        fs::write(run.layout.table_path(), edited).unwrap();
        store.write_views().unwrap();
        assert_eq!(table(), appended);
    }
    fs::remove_file(run.layout.table_path()).unwrap();
    fs::remove_file(run.layout.snapshot_path()).unwrap();
    store.distrust_table();
    store.write_views().unwrap();
    assert_eq!(
        (
            table(),
            fs::read_to_string(run.layout.snapshot_path()).unwrap()
        ),
        (appended, snapshot)
    );
}

#[test]
fn the_snapshot_shows_what_was_recorded() {
    let run = ScratchRun::start();
    let mut store = run.open(Access::Write).unwrap();
    for event in [make_trial(1, 90, true), make_trial(2, 95, false)].concat() {
        store.record_event(event).unwrap();
    }
    store.write_views().unwrap();
    let snapshot = fs::read_to_string(run.layout.snapshot_path()).unwrap();
    insta::assert_snapshot!(snapshot, @r#"
    {
      "base": "c0",
      "baseline": 100,
      "branch": "refs/heads/autoresearch/fast",
      "counts": {
        "crash": 0,
        "discard": 1,
        "interrupted": 0,
        "keep": 1,
        "no_op": 0
      },
      "due": "trial",
      "end": null,
      "format": 1,
      "goal": "faster",
      "incumbent": {
        "commit": "c1",
        "labels": [
          "cache"
        ],
        "metrics": {
          "ms": 90
        },
        "trial": 1,
        "value": 90
      },
      "iterations": {
        "limit": 50,
        "used": 2
      },
      "ladder": {
        "failures": 1,
        "pivots": 0,
        "refined": false
      },
      "metric": {
        "direction": "lower",
        "name": "ms",
        "target": null
      },
      "mode": "loop",
      "noise": {
        "deterministic": true,
        "spread": 0.0
      },
      "records": 7,
      "run": "fast"
    }
    "#);
}

#[test]
fn an_event_that_cannot_follow_is_not_written_anywhere() {
    let run = ScratchRun::start();
    let mut store = run.open(Access::Write).unwrap();
    let files = || {
        let paths = [
            run.layout.journal_path(),
            run.anchor_folder().join("anchor.json"),
        ];
        paths.map(|path| fs::read(path).unwrap())
    };
    let before = files();
    let [_, verdict] = make_trial(1, 90, true).try_into().unwrap();
    for event in [verdict, Event::Start(Box::new(make_start()))] {
        let error = store.record_event(event).unwrap_err();
        assert!(
            matches!(error, StoreError::Fold { seq: 2, .. }),
            "{error:?}"
        );
    }
    assert_eq!(files(), before);
    assert_eq!(store.journal_head().next, 2);
}

#[test]
fn a_run_that_could_not_be_created_leaves_neither_a_journal_nor_an_anchor() {
    let run = ScratchRun::start_with(&[]);
    let layout = Layout::new(&run.layout.root, "second");
    let mut start = make_start();
    start.id = ID.replace('0', "f");
    let anchor_folder = anchor_folder(&run.world.state_folder, &start.id);
    let create = |event| {
        let pinned = Pinned::default();
        let created = RunStore::create_run(&run.world, layout.clone(), event, pinned, "goal: x\n");
        let told = run.tell_error(&created.map(drop).unwrap_err());
        // The file beside it has a random name.
        told.split(" at path").next().unwrap().to_owned()
    };
    insta::assert_snapshot!(create(Event::Ready), @"the journal of `second` makes no sense at record 0: the journal says `ready` where it cannot occur");
    let event = || Event::Start(Box::new(start.clone()));
    insta::assert_snapshot!(create(event()), @"could not write /repo/autoresearch-results/second/config.yaml: No such file or directory (os error 2)");
    assert!(!anchor_folder.exists());
    layout.create_folders().unwrap();
    fs::create_dir(layout.journal_path()).unwrap();
    let told = create(event());
    assert!(
        told.contains("append to /repo/autoresearch-results/second/journal.jsonl"),
        "{told}"
    );
    fs::remove_dir(layout.journal_path()).unwrap();
    let created = RunStore::create_run(&run.world, layout.clone(), event(), Pinned::default(), "");
    assert!(
        created.unwrap().holds_lock(),
        "once the cause is gone, the same start works"
    );
}
