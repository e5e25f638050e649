//! Caches that a discarded trial left must not serve the next one, by whatever rule they tell that a file changed.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::config_text::ConfigText;
use crate::testbed::Testbed;

/// The metric is what the build gives; the guard looks at the source itself.
fn config(verify: &str) -> String {
    format!(
        "goal: a higher value\ntag: demo\nscope: [\"src/**\"]\nmetric: {{name: value, direction: higher}}\nverify: {{command: \"{verify}\"}}\nguard: {{command: \"sh guard.sh\"}}\niterations: 100\n"
    )
}

/// As Python does: what was made is used as long as whole second and size of the source are those that it was made of.
const BY_SECOND_AND_SIZE: &str = "\
now=$(stat -c '%Y %s' src/value)
if [ \"$(cat cache/of 2>/dev/null)\" != \"$now\" ]; then cp src/value cache/made; echo \"$now\" > cache/of; fi
cat cache/made
";

/// As make does: what was made is used unless the source is newer.
const BY_NEWER: &str = "\
if [ ! -e cache/made ] || [ src/value -nt cache/made ]; then cat src/value > cache/made; fi
cat cache/made
";

/// As cargo does: a stamp is made before the build, and the source must not be newer than it, by whole seconds here.
const BY_STAMP: &str = "\
if [ ! -e cache/stamp ] || [ \"$(stat -c %Y src/value)\" -gt \"$(stat -c %Y cache/stamp)\" ]; then touch cache/stamp; cat src/value > cache/made; fi
cat cache/made
";

fn bench(verify: &str) -> Testbed {
    let bed = Testbed::bare();
    bed.write("build.sh", verify);
    bed.write("guard.sh", "! grep -q 99 src/value\n");
    bed.write("src/value", "10\n");
    bed.write("src/note", "0\n");
    bed.write(".gitignore", "cache/\n");
    bed.write("cache/.keep", "");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "first"]);
    bed.start(&config("sh build.sh"));
    bed
}

fn modified(path: &Path) -> SystemTime {
    path.symlink_metadata().unwrap().modified().unwrap()
}

fn set_modified(path: &Path, time: SystemTime) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

/// Logs the strategy row that is due, if one is.
fn climb(bed: &Testbed) {
    let due = bed.run(&["status", "--json"]).ok().json()["due"].clone();
    let due = due.as_str().unwrap();
    if due != "trial" {
        bed.run(&["strategy", due, "-m", "again"]).ok();
    }
}

#[test]
fn a_trial_is_never_measured_on_what_a_discarded_one_has_built() {
    for rule in [BY_SECOND_AND_SIZE, BY_NEWER, BY_STAMP] {
        let bed = bench(rule);
        for round in 0..4 {
            climb(&bed);
            bed.write("src/value", "99\n");
            assert_eq!(
                bed.trial("a value that the guard refuses")["verdict"],
                "rework"
            );
            bed.run(&["trial", "--drop"]).ok();
            assert_eq!(bed.git(&["status", "--porcelain"]), "");
            climb(&bed);
            bed.write("src/note", &format!("{round}{round}\n"));
            let report = bed.trial("something else");
            assert_eq!(
                (report["verdict"].as_str(), report["value"].as_u64()),
                (Some("discard"), Some(10)),
                "round {round} of {rule}: {report}"
            );
        }
    }
}

#[test]
fn an_edit_is_measured_although_it_is_as_old_as_what_was_built_before_it() {
    for rule in [BY_SECOND_AND_SIZE, BY_NEWER, BY_STAMP] {
        let bed = bench(rule);
        let built = modified(&bed.path("cache/made"));
        for time in [built, built - Duration::from_hours(24 * 365)] {
            let more = bed.read("src/value").trim().parse::<u64>().unwrap() + 1;
            bed.write("src/value", &format!("{more}\n"));
            set_modified(&bed.path("src/value"), time);
            let report = bed.trial("a better value with an old time");
            assert_eq!(
                (report["verdict"].as_str(), report["value"].as_u64()),
                (Some("keep"), Some(more)),
                "{rule}: {report}"
            );
        }
    }
}

#[test]
fn files_that_come_back_are_of_a_later_second_than_the_bytes_they_replace() {
    let bed = bench(BY_NEWER);
    std::os::unix::fs::symlink("value", bed.path("src/link")).unwrap();
    bed.write("src/sub/deep", "kept\n");
    bed.write("src/value", "11\n");
    assert_eq!(bed.trial("more files")["verdict"], "keep");
    std::fs::remove_file(bed.path("src/link")).unwrap();
    std::os::unix::fs::symlink("note", bed.path("src/link")).unwrap();
    std::fs::remove_dir_all(bed.path("src/sub")).unwrap();
    bed.write("src/value", "9\n");
    let second = |name: &str| {
        let since = modified(&bed.path(name)).duration_since(SystemTime::UNIX_EPOCH);
        since.unwrap().as_secs()
    };
    let untouched = modified(&bed.path("src/note"));
    let edited = second("src/value").max(second("src/link"));
    assert_eq!(bed.trial("worse")["verdict"], "discard");
    for name in ["src/value", "src/link", "src/sub/deep"] {
        assert!(second(name) > edited, "{name}");
    }
    assert_eq!(
        modified(&bed.path("src/note")),
        untouched,
        "nobody changed it"
    );
    // Two trials followed each other at once: each takes two seconds at most.
    assert!(modified(&bed.path("src/value")) <= SystemTime::now() + Duration::from_secs(4));
    // The index knows the new times: nothing has to be compared byte by byte.
    assert_eq!(bed.git(&["diff-files", "--name-only"]), "");
}

#[test]
fn finish_brings_files_back_that_no_cache_of_the_run_takes_for_its_own() {
    let bed = bench(BY_SECOND_AND_SIZE);
    bed.write("src/value", "11\n");
    assert_eq!(bed.trial("better")["verdict"], "keep");
    bed.run(&["finish"]).ok();
    assert_eq!(bed.read("src/value"), "10\n");
    let output = std::process::Command::new("sh")
        .arg("build.sh")
        .current_dir(&bed.repo)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "10\n");
    assert_eq!(bed.git(&["diff-files", "--name-only"]), "");
}

#[test]
fn nothing_in_the_temporary_folder_of_one_run_of_verify_reaches_the_next() {
    let bed = Testbed::new();
    let script = "[ \"$TMPDIR\" = \"$TMP\" ] && [ \"$TMPDIR\" = \"$TEMP\" ] || exit 1\n\
        stat -c %a \"$TMPDIR\" >&2; ls -A \"$TMPDIR\" >&2; echo \"$TMPDIR\" >&2\n\
        mkdir \"$TMPDIR/deep\" && : > \"$TMPDIR/deep/answer\" && chmod 500 \"$TMPDIR/deep\"\n\
        cat src/* | grep -c '^any$'\n";
    bed.write("count.sh", script);
    bed.write("guard.sh", script);
    bed.git(&[
        "commit",
        "-qam",
        "scripts that look at their temporary folder",
    ]);
    bed.start(&ConfigText::demo());
    // A folder that a killed process left.
    let parent = bed.state.join("tmp");
    std::fs::create_dir(parent.join("left")).unwrap();
    assert_eq!(bed.try_count(3), "keep");
    let told = |name: &str| std::fs::read_to_string(bed.run_file("trials/1").join(name)).unwrap();
    let (verify, guard) = (told("verify-1.err"), told("guard.err"));
    let lines: Vec<&str> = verify.lines().chain(guard.lines()).collect();
    let [rights, first, again, second] = lines[..] else {
        panic!("the folders were not empty: {lines:?}");
    };
    assert_eq!((rights, again), ("700", "700"));
    assert_ne!(first, second);
    let left = std::fs::read_dir(&parent).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["lock"], "no folder is left");
}
