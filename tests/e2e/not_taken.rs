//! What git does not hold: files that it ignores, and files that it refuses to stage. None is lost, and nothing gets stuck.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::testbed::{CONFIG, Testbed};

/// A bench whose git ignores `*.log`, with these files beside the usual ones.
fn bench(files: &[(&str, &str)]) -> Testbed {
    let bed = Testbed::new();
    bed.write(".gitignore", "*.log\n");
    for (name, text) in files {
        bed.write(name, text);
    }
    bed.git(&["add", "-A", "-f"]);
    bed.git(&["commit", "-qm", "prepared"]);
    bed
}

/// The file that a report's first note says to be somewhere else now.
#[track_caller]
fn put_aside(bed: &Testbed, report: &Value) -> String {
    let note = report["notes"][0]
        .as_str()
        .unwrap_or_else(|| panic!("{report}"));
    let (_, place) = note.split_once("it is now ").unwrap();
    bed.read(place)
}

fn is_clean(bed: &Testbed) -> bool {
    bed.git(&["status", "--porcelain"]).is_empty()
}

#[test]
fn ignored_files_in_a_folder_that_replaced_a_tracked_file_are_put_aside_by_a_discard() {
    let bed = bench(&[("src/thing", "kept\n")]);
    bed.start(CONFIG);
    std::fs::remove_file(bed.path("src/thing")).unwrap();
    bed.write("src/thing/part", "of the trial\n");
    bed.write("src/thing/mine.log", "precious\n");
    bed.edit(20);
    let report = bed.trial("a folder");
    assert_eq!(report["reason"], "worse-metric", "{report}");
    assert_eq!(bed.read("src/thing"), "kept\n");
    assert_eq!(put_aside(&bed, &report), "precious\n");
    assert!(is_clean(&bed));
    assert_eq!(bed.try_count(4), "keep");
}

#[test]
fn an_ignored_file_that_took_the_path_of_a_kept_one_is_put_aside_by_a_discard() {
    let bed = bench(&[
        ("src/made.log", "kept\n"),
        ("src/deep/er/x", "kept\n"),
        (
            "count.sh",
            "test -e src/made.log || echo precious > src/made.log\ntest -e src/deep || ln -s nowhere src/deep.log\ncat src/a src/b src/c | grep -c any\n",
        ),
    ]);
    bed.start(CONFIG);
    std::fs::remove_file(bed.path("src/made.log")).unwrap();
    bed.edit(20);
    let report = bed.trial("without it");
    assert_eq!(report["reason"], "worse-metric", "{report}");
    assert_eq!(bed.read("src/made.log"), "kept\n");
    assert_eq!(put_aside(&bed, &report), "precious\n");
    assert!(is_clean(&bed));
}

#[test]
fn finish_refuses_to_write_over_an_ignored_file_and_names_it() {
    let bed = bench(&[("src/old.log", "kept\n")]);
    bed.start(CONFIG);
    std::fs::remove_file(bed.path("src/old.log")).unwrap();
    assert_eq!(bed.try_count(4), "keep");
    bed.write("src/old.log", "precious\n");
    bed.run(&["finish"]).fails(4).says("src/old.log");
    assert_eq!(bed.read("src/old.log"), "precious\n");
    std::fs::rename(bed.path("src/old.log"), bed.home.join("old.log")).unwrap();
    bed.run(&["finish"]).ok().says("checked out: main");
    assert_eq!(bed.read("src/old.log"), "kept\n");
}

/// Makes git refuse line ends that do not survive a round trip.
fn careful(bed: &Testbed) {
    bed.git(&["config", "core.safecrlf", "true"]);
    bed.git(&["config", "core.autocrlf", "input"]);
}

const MIXED: &str = "one\r\ntwo\n";

/// A trial with a file that git refuses is a discard; the other edits are taken back, the file stays, and the run goes on.
#[track_caller]
fn refused(bed: &Testbed, name: &str, words: &str) {
    bed.edit(1);
    let report = bed.trial("refused");
    assert_eq!(
        (report["verdict"].as_str(), report["reason"].as_str()),
        (Some("discard"), Some("unsupported")),
        "{report}"
    );
    let detail = report["detail"].as_str().unwrap();
    assert!(detail.contains(name) && detail.contains(words), "{detail}");
    assert!(report["value"].is_null(), "it was never measured");
    assert_eq!(bed.read("src/a"), "any\n".repeat(5), "taken back");
    let undone = report["undone"].as_str().unwrap();
    assert_eq!(bed.git(&["show", &format!("{undone}:src/a")]), "any\n");
    assert!(bed.path(name).symlink_metadata().is_ok(), "it stays");
    bed.run(&["resume"]).ok().says(name);
    // Cut short before anything is staged, and repaired.
    bed.edit(2);
    let crashed = bed.run_with(&["trial", "-m", "cut"], &[("SEALED_CRASH_AT", "3")]);
    assert_eq!(crashed.code, -1, "{crashed:?}");
    bed.run(&["resume"]).ok().says("was interrupted").says(name);
    assert_eq!(bed.read("src/a"), "any\n".repeat(5));
    bed.edit(3);
    bed.run(&["trial", "--drop"]).ok().says("was left as it is");
    std::fs::remove_file(bed.path(name)).unwrap();
    bed.git(&["checkout", "-q", "--", "src"]);
    assert_eq!(bed.try_count(4), "keep");
    bed.run(&["doctor"]).ok();
}

#[test]
fn line_ends_that_safecrlf_refuses_make_a_discard_with_gits_words() {
    let bed = Testbed::new();
    careful(&bed);
    bed.start(CONFIG);
    bed.write("src/mixed", MIXED);
    refused(&bed, "src/mixed", "CRLF would be replaced");
}

#[test]
fn a_required_filter_that_fails_makes_a_discard_with_gits_words() {
    let bed = Testbed::new();
    bed.git(&["config", "filter.strict.clean", "grep -v ^bad"]);
    bed.git(&["config", "filter.strict.smudge", "cat"]);
    bed.git(&["config", "filter.strict.required", "true"]);
    bed.write(".gitattributes", "src/*.strict filter=strict\n");
    bed.write("src/x.strict", "good\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "filtered"]);
    bed.start(CONFIG);
    bed.write("src/x.strict", "bad\n");
    refused(
        &bed,
        "src/x.strict",
        "external filter 'grep -v ^bad' failed",
    );
}

#[test]
fn a_name_that_git_never_tracks_makes_a_discard() {
    let bed = Testbed::started(CONFIG);
    bed.write("src/git~1", "x\n");
    refused(&bed, "src/git~1", "does not take a file of this name");
}

#[test]
fn a_file_that_cannot_be_read_makes_a_discard() {
    let bed = Testbed::started(CONFIG);
    // A pipe cannot be read by anybody; rights would not hinder a test that root runs.
    std::fs::remove_file(bed.path("src/c")).unwrap();
    let made = Command::new("mkfifo").arg(bed.path("src/c")).status();
    assert!(made.unwrap().success());
    refused(&bed, "src/c", "unsupported file type");
}

#[test]
fn a_rework_that_git_refuses_is_discarded_whole_and_the_file_in_the_way_is_put_aside() {
    let bed = Testbed::new();
    careful(&bed);
    bed.start(CONFIG);
    bed.write("src/b", "any\n");
    bed.write("src/state", "broken\n");
    assert_eq!(bed.trial("guard fails")["verdict"], "rework");
    bed.write("src/state", MIXED);
    let report = bed
        .run(&["trial", "--rework", "-m", "mixed", "--json"])
        .ok()
        .json();
    assert_eq!(report["reason"], "unsupported", "{report}");
    assert_eq!(put_aside(&bed, &report), MIXED);
    assert!(is_clean(&bed));
    assert_eq!(bed.try_count(4), "keep");
}

#[test]
fn finish_leaves_what_git_refuses_and_names_it() {
    let bed = Testbed::new();
    careful(&bed);
    bed.start(CONFIG);
    bed.write("src/mixed", MIXED);
    bed.edit(3);
    let report = bed.run(&["finish", "--json"]).ok().json();
    assert_eq!(report["returned_to"], "main");
    let note = report["notes"][0].as_str().unwrap();
    assert!(
        note.contains("src/mixed") && note.contains("left"),
        "{note}"
    );
    assert_eq!(bed.read("src/mixed"), MIXED);
    assert_eq!(bed.read("src/a"), "any\n".repeat(5));
    let saved = report["saved"].as_str().unwrap();
    assert_eq!(
        bed.git(&["show", &format!("{saved}:src/a")]),
        "any\n".repeat(3)
    );
}

#[test]
fn a_repository_that_cannot_take_objects_is_no_fault_of_a_file() {
    let bed = Testbed::started(CONFIG);
    bed.edit(4);
    // A file where git wants its folder for new objects: no object can be written, as on a full disk.
    let objects = bed.path(".git/objects");
    let away = bed.home.join("objects");
    std::fs::rename(&objects, &away).unwrap();
    std::fs::create_dir(&objects).unwrap();
    std::fs::create_dir(objects.join("info")).unwrap();
    let line = format!("{}\n", away.display());
    std::fs::write(objects.join("info/alternates"), line).unwrap();
    for byte in 0..=255 {
        std::fs::write(objects.join(format!("{byte:02x}")), "").unwrap();
    }
    bed.run(&["trial", "-m", "no room"]).fails(6);
    std::fs::remove_dir_all(&objects).unwrap();
    std::fs::rename(&away, &objects).unwrap();
    assert!(Path::new(&objects).is_dir());
    bed.run(&["resume"]).ok();
    assert_eq!(bed.try_count(4), "keep", "nothing was discarded");
    assert_eq!(bed.story()[1..], ["1 interrupted", "2 keep"]);
}
