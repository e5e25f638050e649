//! The two files of an anchor: what is torn, stale, edited or of the first format, at each place where a crash can come.

use std::fs;

use autoresearch_core::journal::event::{End, Ending, Event};

use super::*;
use crate::store::disk::RealDisk;

struct Bed {
    folder: tempfile::TempDir,
}

impl Bed {
    /// An anchor that was written whole at record 1.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bed = Self { folder };
        let mut anchor = Anchor {
            format: ANCHOR_FORMAT,
            id: "1".to_owned(),
            run: "fast".to_owned(),
            root: "/r".into(),
            config_hash: String::new(),
            holdout_hash: None,
            head: ChainHead::default(),
            last: String::new(),
        };
        let mut file = AnchorFile::new(&RealDisk, bed.json());
        add_record(&mut anchor, 1);
        file.write_last(&mut anchor).unwrap();
        bed
    }

    fn json(&self) -> PathBuf {
        self.folder.path().join("anchor.json")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join(LOG)
    }

    fn open(&self) -> (Anchor, AnchorFile<'static>) {
        AnchorFile::read_files(&RealDisk, self.json(), "fast")
            .unwrap()
            .unwrap()
    }

    /// Adds a record of about this length as a command does that opens the anchor for it.
    fn record(&self, length: usize) -> Anchor {
        let (mut anchor, mut file) = self.open();
        add_record(&mut anchor, length);
        file.write_last(&mut anchor).unwrap();
        anchor
    }

    fn tell_error(&self) -> String {
        let error = AnchorFile::read_files(&RealDisk, self.json(), "fast");
        let told = error.err().unwrap().to_string();
        told.replace(self.folder.path().to_str().unwrap(), "/s")
    }
}

fn add_record(anchor: &mut Anchor, length: usize) {
    let event = Event::End(Ending {
        end: End::UserStop,
        why: "x".repeat(length),
    });
    let line = anchor.head.format_record("2026-01-01T00:00:00Z", event);
    anchor.head = anchor.head.after_line(&line);
    anchor.last = line;
}

#[test]
fn a_record_is_one_more_line_of_the_log_and_the_file_stays() {
    let bed = Bed::new();
    let json = fs::read(bed.json()).unwrap();
    assert_eq!(fs::read(bed.log()).unwrap(), b"");
    let mut lines = String::new();
    for _ in 0..3 {
        let anchor = bed.record(20);
        lines.extend([anchor.last.as_str(), "\n"]);
        assert_eq!(fs::read_to_string(bed.log()).unwrap(), lines);
        assert_eq!(bed.open().0, anchor);
        assert_eq!(Anchor::find_in(&RealDisk, bed.folder.path()), Some(anchor));
    }
    assert_eq!(fs::read(bed.json()).unwrap(), json);
}

#[test]
fn a_line_that_the_disk_never_got_whole_is_no_record_and_is_cut_before_the_next_one() {
    let bed = Bed::new();
    let before = bed.record(20);
    let (start, whole) = (fs::read(bed.log()).unwrap().len(), bed.record(20));
    let all = fs::read(bed.log()).unwrap();
    for length in start..all.len() {
        let zeros = [&all[..length], &vec![0; all.len() - length]].concat();
        let late = [&zeros[..all.len() - 1], b"\n"].concat();
        for torn in [&all[..length], &zeros, &late] {
            fs::write(bed.log(), torn).unwrap();
            if *torn == all {
                continue;
            }
            assert_eq!(bed.open().0, before, "{length}");
            assert_eq!(bed.record(20), whole, "{length}");
            assert_eq!(fs::read(bed.log()).unwrap(), all);
        }
    }
}

#[test]
fn a_long_log_is_emptied_into_the_file_and_a_crash_between_the_two_is_passed_over() {
    let bed = Bed::new();
    let mut most = 0;
    let mut seen = 0;
    for _ in 0..300 {
        let anchor = bed.record(1_000);
        let length = fs::metadata(bed.log()).unwrap().len();
        if length == 0 {
            seen += 1;
            let json: Anchor = serde_json::from_slice(&fs::read(bed.json()).unwrap()).unwrap();
            assert_eq!(json, anchor);
        }
        most = most.max(length);
    }
    assert!(seen >= 4, "{seen}");
    assert!(most < MOST_LOG + 2_000, "{most}");
    bed.record(10);
    let stale = fs::read(bed.log()).unwrap();
    let (mut anchor, mut file) = bed.open();
    add_record(&mut anchor, 10);
    file.write_whole(&mut anchor).unwrap();
    fs::write(bed.log(), &stale).unwrap();
    assert_eq!(bed.open().0, anchor);
    let next = bed.record(10);
    assert_eq!(bed.open().0, next);
}

#[test]
fn a_log_that_was_edited_or_is_gone_is_told_with_its_place() {
    let bed = Bed::new();
    let records: Vec<Anchor> = (0..3).map(|_| bed.record(20)).collect();
    let log = fs::read_to_string(bed.log()).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    let [first, second, third] = lines[..].try_into().unwrap();
    let mut told = Vec::new();
    for (name, text) in [
        ("gap", format!("{first}\n{third}\n{second}\n")),
        ("edited", log.replacen("user", "used", 1)),
        ("rubbish before", format!("x\n{log}")),
    ] {
        fs::write(bed.log(), text).unwrap();
        told.push(format!("{name}: {}", bed.tell_error()));
    }
    // The last line alone may be one that the disk never got.
    fs::write(bed.log(), format!("{first}\n{third}\n")).unwrap();
    assert_eq!(bed.open().0, records[0]);
    fs::remove_file(bed.log()).unwrap();
    told.push(format!("gone: {}", bed.tell_error()));
    fs::write(
        bed.json(),
        fs::read_to_string(bed.json())
            .unwrap()
            .replacen(":2", ":3", 1),
    )
    .unwrap();
    told.push(format!("later: {}", bed.tell_error()));
    insta::assert_snapshot!(told.join("\n"), @"
    gap: /s/anchor.log of the run `fast` does not hold record 2
    edited: /s/anchor.log of the run `fast` does not hold record 2
    rubbish before: /s/anchor.log of the run `fast` does not hold record 1
    gone: /s/anchor.log of the run `fast` is gone
    later: /s/anchor.json has format 3; this version reads up to format 2
    ");
}

#[test]
fn the_first_format_is_read_and_its_next_record_brings_the_log() {
    let bed = Bed::new();
    let text = fs::read_to_string(bed.json()).unwrap();
    fs::write(bed.json(), text.replacen("\"format\":2", "\"format\":1", 1)).unwrap();
    fs::remove_file(bed.log()).unwrap();
    let anchor = bed.record(5);
    assert_eq!((anchor.format, anchor.head.next), (ANCHOR_FORMAT, 2));
    assert_eq!(fs::read(bed.log()).unwrap(), b"");
    bed.record(5);
    assert!(fs::metadata(bed.log()).unwrap().len() > 0);
}
