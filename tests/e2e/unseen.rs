//! A kept commit reproduces: what verify sees is what the commit holds. Files that git ignores, links that lead away, and
//! bytes that a checkout would give otherwise.

use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;

use crate::config_text::ConfigText;
use crate::testbed::{CONFIG, Testbed};

/// Counts `any` in every file below the sources, ignored ones too, and keeps a cache there as compilers do.
const VERIFY: &str = "n=$(find src -type f ! -path '*cache*' -exec cat {} + | grep -c '^any$')\nmkdir -p src/cache; echo $n >> src/cache/runs; echo $n\n";

fn bed_with(files: &[(&str, &str)]) -> Testbed {
    let bed = Testbed::new();
    bed.write("count.sh", VERIFY);
    bed.write(".gitignore", "lib/\n*.local\ncache/\n");
    for (name, text) in files {
        bed.write(name, text);
    }
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "prepared"]);
    bed
}

/// What verify measures in a fresh clone of the run's branch.
fn in_a_clone(bed: &Testbed) -> String {
    let clone = bed.home.join("clone");
    let _ = std::fs::remove_dir_all(&clone);
    let to = clone.to_str().unwrap();
    let from = bed.repo.to_str().unwrap();
    bed.git(&["clone", "-q", "-b", "autoresearch/demo", from, to]);
    let mut command = std::process::Command::new("sh");
    command.arg("count.sh").current_dir(&clone);
    crate::testbed::finish(command).ok().out.trim().to_owned()
}

/// Where the first note says that something is now.
#[track_caller]
fn place_of<'a>(report: &'a Value, name: &str) -> &'a str {
    let notes = report["notes"].as_array().unwrap();
    let mut note = notes.iter().filter_map(Value::as_str);
    let start = format!("{name} is ignored by git");
    let note = note.find(|note| note.starts_with(&start));
    let note = note.unwrap_or_else(|| panic!("{name}: {report}"));
    note.split_once("it is now ").unwrap().1
}

#[test]
fn a_new_file_that_git_ignores_is_put_aside_named_and_measured_without() {
    for (name, aside) in [
        ("src/lib/fast", "src/lib"),
        ("src/fast.local", "src/fast.local"),
        ("src/deep/er/lib/fast", "src/deep"),
        ("src/excluded", "src/excluded"),
        ("src/everywhere", "src/everywhere"),
    ] {
        let bed = bed_with(&[]);
        bed.write(".git/info/exclude", "excluded\n");
        std::fs::create_dir_all(bed.home.join(".config/git")).unwrap();
        std::fs::write(bed.home.join(".config/git/ignore"), "everywhere\n").unwrap();
        bed.start(CONFIG);
        bed.edit(4);
        bed.write(name, "any\n");
        let report = bed.trial("with a file that git ignores");
        assert_eq!(report["verdict"], "keep", "{name}: {report}");
        assert_eq!(report["value"].to_string(), "9", "{name}");
        let place = place_of(&report, aside);
        let moved = format!("{place}{}", name.strip_prefix(aside).unwrap());
        assert_eq!(bed.read(&moved), "any\n");
        assert!(!bed.path(name).exists());
        assert_eq!(in_a_clone(&bed), "9");
    }
}

#[test]
fn a_trial_of_ignored_files_alone_is_a_no_op_that_names_them() {
    let bed = bed_with(&[]);
    bed.start(CONFIG);
    bed.write("src/lib/fast", "any\n");
    let report = bed.trial("swallowed");
    assert_eq!(report["verdict"], "no-op", "{report}");
    place_of(&report, "src/lib");
    bed.edit(4);
    assert_eq!(bed.trial("next")["notes"], serde_json::json!([]));
}

#[test]
fn what_verify_makes_is_known_as_its_own_and_a_stranger_among_it_is_not() {
    let bed = bed_with(&[]);
    bed.start(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
    assert_eq!(bed.try_count(20), "discard");
    let report = {
        bed.edit(3);
        bed.trial("the cache grows with each run")
    };
    assert_eq!(report["notes"], serde_json::json!([]), "{report}");
    assert_eq!(
        bed.read("src/cache/runs"),
        "10\n10\n10\n9\n9\n9\n25\n8\n8\n8\n"
    );
    bed.write("src/cache/module", "smuggled\n");
    bed.edit(2);
    let report = bed.trial("in the cache");
    place_of(&report, "src/cache/module");
    assert_eq!(bed.read("src/cache/runs").lines().count(), 13);
    // A file of verify's that somebody else wrote is not verify's any more.
    bed.write("src/cache/runs", "0\n");
    bed.edit(1);
    let report = bed.trial("a poisoned cache");
    assert_eq!(report["verdict"], "keep");
    place_of(&report, "src/cache");
    assert_eq!(bed.read("src/cache/runs"), "6\n6\n6\n");
}

#[test]
fn an_ignored_file_of_the_users_that_changes_voids_one_trial_and_is_never_moved() {
    let changes: [fn(&Path); 3] = [
        |path| std::fs::write(path, "other\n").unwrap(),
        |path| std::fs::remove_file(path).unwrap(),
        |path| {
            std::fs::remove_file(path).unwrap();
            symlink("/etc/passwd", path).unwrap();
        },
    ];
    for change in changes {
        let bed = bed_with(&[]);
        bed.write("src/config.local", "mine\n");
        bed.write("src/lib/mine", "mine\n");
        bed.write("other/lib/mine", "mine\n");
        bed.start(CONFIG);
        // The same bytes are no change, and what is out of the scope is not looked at.
        bed.write("src/config.local", "mine\n");
        bed.write("other/lib/mine", "theirs\n");
        assert_eq!(bed.try_count(4), "keep");
        change(&bed.path("src/config.local"));
        bed.edit(1);
        let report = bed.trial("with another config");
        assert_eq!(report["reason"], "out-of-scope", "{report}");
        let detail = report["detail"].as_str().unwrap();
        assert!(
            detail.contains("src/config.local (ignored by git"),
            "{detail}"
        );
        assert!(report["value"].is_null());
        assert_eq!(bed.try_count(3), "keep", "it is asked about once");
        assert_eq!(bed.read("src/lib/mine"), "mine\n");
        // A new file beside the user's is put aside alone.
        bed.write("src/lib/fast", "any\n");
        bed.edit(2);
        place_of(&bed.trial("beside"), "src/lib/fast");
        assert_eq!(bed.read("src/lib/mine"), "mine\n");
    }
}

#[test]
fn ignored_files_of_a_trial_that_was_cut_short_are_not_taken_for_verifys() {
    let bed = bed_with(&[]);
    bed.start(CONFIG);
    bed.edit(4);
    bed.write("src/lib/fast", "any\n");
    // The process ends before it has put anything aside.
    let crashed = bed.run_with(&["trial", "-m", "cut"], &[("SEALED_CRASH_AT", "2")]);
    assert_eq!(crashed.code, -1, "{crashed:?}");
    bed.run(&["resume"]).ok();
    assert!(bed.path("src/lib/fast").exists());
    bed.edit(4);
    let report = bed.trial("again");
    assert_eq!(report["verdict"], "keep", "{report}");
    place_of(&report, "src/lib");
}

#[test]
fn the_cache_of_a_tool_that_marks_itself_is_left_alone_once_it_is_known() {
    const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n";
    let bed = bed_with(&[]);
    bed.write("src/cache/CACHEDIR.TAG", TAG);
    bed.write("src/cache/unit", "1\n");
    bed.start(CONFIG);
    bed.write("src/cache/unit", "2\n");
    bed.write("src/cache/more", "2\n");
    bed.edit(4);
    let report = bed.trial("the agent has built, too");
    assert_eq!(report["verdict"], "keep", "{report}");
    assert_eq!(report["notes"], serde_json::json!([]));
    // A folder that marks itself during the run is not known.
    bed.write("src/lib/CACHEDIR.TAG", TAG);
    bed.write("src/lib/fast", "any\n");
    bed.edit(3);
    place_of(&bed.trial("a cache of the agent's"), "src/lib");
}

/// A trial with this link is void for this reason, is taken back, and the run goes on.
#[track_caller]
fn link_is_void(bed: &Testbed, target: &str, name: &str, words: &str) {
    std::fs::remove_file(bed.path(name)).ok();
    symlink(target, bed.path(name)).unwrap();
    let report = bed.trial("a link");
    assert_eq!(report["verdict"], "discard", "{target}: {report}");
    let detail = report["detail"].as_str().unwrap();
    assert!(detail.contains(name) && detail.contains(words), "{detail}");
    assert!(report["value"].is_null(), "it was never measured");
    assert_eq!(bed.git(&["status", "--porcelain", "src"]), "");
    if let Some(word @ ("refine" | "pivot")) = report["due"].as_str() {
        bed.run(&["strategy", word, "-m", "other links"]).ok();
    }
}

#[test]
fn a_link_to_what_no_commit_holds_makes_the_trial_void_and_one_inside_is_kept() {
    let bed = bed_with(&[]);
    bed.write("untracked.txt", "any\n");
    bed.start(CONFIG);
    let outside = bed.home.join("fast");
    std::fs::write(&outside, "any\n").unwrap();
    let absolute = outside.to_str().unwrap();
    link_is_void(&bed, absolute, "src/a", "a link by an absolute path");
    let out = "a link out of the repository";
    link_is_void(&bed, "../../home/fast", "src/a", out);
    link_is_void(&bed, "../..", "src/up", out);
    let unheld = "which the commit does not hold";
    link_is_void(&bed, "../untracked.txt", "src/a", unheld);
    link_is_void(&bed, "../.git/HEAD", "src/head", unheld);
    link_is_void(&bed, "../autoresearch-results", "src/log", unheld);
    // By way of another link.
    std::fs::create_dir(bed.path("src/deep")).unwrap();
    symlink("../../..", bed.path("src/deep/up")).unwrap();
    link_is_void(&bed, "deep/up/home/fast", "src/x", out);
    std::fs::remove_file(bed.path("src/a")).unwrap();
    symlink("c", bed.path("src/a")).unwrap();
    symlink("nowhere", bed.path("src/dangling")).unwrap();
    assert_eq!(bed.trial("links inside")["verdict"], "keep");
    assert_eq!(in_a_clone(&bed), "5");
}

#[test]
fn a_link_to_a_file_that_was_dirty_before_the_run_makes_the_trial_void() {
    let bed = bed_with(&[("other/data", "any\nany\nany\n")]);
    bed.write("other/data", "any\n");
    bed.start(CONFIG);
    let unheld = "a link to other/data, which the commit does not hold";
    link_is_void(&bed, "../other/data", "src/a", unheld);
    link_is_void(&bed, "../other/data", "src/new", unheld);
}

#[test]
fn a_folder_on_the_way_to_verifys_files_that_becomes_a_link_makes_the_trial_void() {
    for (verify, directory) in [
        ("sh ../../count.sh", "src/app"),
        ("cd src/app; sh src/app/../../count.sh", "."),
    ] {
        let bed = bed_with(&[("src/app/file", "x\n"), ("src/x/y/app/file", "x\n")]);
        bed.write(
            "count.sh",
            "cd \"$(git rev-parse --show-toplevel)\"; cat src/a | grep -c any\n",
        );
        bed.git(&["commit", "-qam", "from anywhere"]);
        let verify = ConfigText::demo()
            .verify(verify)
            .verify_with("working_directory", directory);
        if directory == "." {
            bed.start(&ConfigText::demo().verify("sh src/app/../../count.sh"));
        } else {
            bed.start(&verify);
        }
        bed.write("src/x/count.sh", "echo 0\n");
        std::fs::remove_dir_all(bed.path("src/app")).unwrap();
        symlink("x/y/app", bed.path("src/app")).unwrap();
        let report = bed.trial("another layout");
        assert_eq!(report["reason"], "protected", "{report}");
        assert!(report["value"].is_null());
    }
}

#[test]
fn bytes_that_a_checkout_gives_otherwise_are_measured_as_it_gives_them() {
    // The metric is the number of bytes, and git takes the carriage returns away.
    let bed = Testbed::new();
    bed.write("count.sh", "cat src/a | wc -c\n");
    bed.git(&["config", "core.autocrlf", "input"]);
    bed.git(&["config", "core.safecrlf", "false"]);
    bed.write("src/a", &"any\n".repeat(5));
    bed.git(&["commit", "-qam", "bytes"]);
    bed.start(&ConfigText::demo().direction("higher"));
    bed.write("src/a", &"any\r\n".repeat(5));
    let report = bed.trial("line ends");
    assert_ne!(report["verdict"], "keep", "{report}");
    bed.write("src/a", &"any\r\n".repeat(6));
    let report = bed.trial("a line and line ends");
    assert_eq!(report["verdict"], "keep", "{report}");
    assert_eq!(report["value"].to_string(), "24", "what the commit holds");
    assert!(report["notes"][0].as_str().unwrap().contains("src/a"));
    assert_eq!(bed.read("src/a"), "any\n".repeat(6));
}

#[test]
fn a_filter_that_gives_back_what_it_took_is_no_difference() {
    let bed = Testbed::new();
    bed.git(&["config", "filter.turn.clean", "tr a-z n-za-m"]);
    bed.git(&["config", "filter.turn.smudge", "tr a-z n-za-m"]);
    bed.write(".gitattributes", "src/* filter=turn\n");
    // The filter counts for what git has already, too, whatever the times say.
    bed.git(&["add", "-A"]);
    bed.git(&["add", "--renormalize", "."]);
    bed.git(&["commit", "-qm", "filtered"]);
    bed.start(CONFIG);
    bed.edit(4);
    let report = bed.trial("filtered");
    assert_eq!(report["verdict"], "keep", "{report}");
    assert_eq!(report["notes"], serde_json::json!([]));
}
