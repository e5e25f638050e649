//! The run's own files, and a folder of their name that was the user's before.

use std::path::Path;

use crate::config_text::ConfigText;
use crate::testbed::Testbed;

/// Everything in the folder of the runs but the run itself: name and content.
fn theirs(bed: &Testbed) -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(&bed.path("autoresearch-results"), &mut found);
    found.retain(|(name, _)| !name.contains("autoresearch-results/demo"));
    found.sort();
    found
}

fn walk(at: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path.to_string_lossy().into_owned(), text));
        }
    }
}

#[test]
fn a_folder_of_the_runs_name_that_was_there_stays_byte_for_byte_and_hides_the_run_all_the_same() {
    let files: [&[(&str, &str)]; 3] = [
        &[("results.tsv", "old\n"), (".gitignore", "*.log\n")],
        &[("deep/notes.md", "mine\n")],
        &[(".gitignore", "!*\n"), ("noise.log", "x\n")],
    ];
    for files in files {
        let bed = Testbed::new();
        for (name, text) in files {
            bed.write(&format!("autoresearch-results/{name}"), text);
        }
        let before = theirs(&bed);
        // Refused at the last moment: what was there stays.
        bed.try_start(&ConfigText::demo().verify("echo none"))
            .fails(3);
        assert_eq!(theirs(&bed), before);
        assert!(!bed.run_file("").exists());
        let seen = bed.git(&["status", "--porcelain", "--untracked-files=all"]);
        bed.start(&ConfigText::demo().scope(&["**", "!*.sh"]));
        assert_eq!(bed.try_count(4), "keep");
        assert_eq!(bed.try_count(20), "discard");
        assert_eq!(bed.try_count(3), "keep");
        bed.run(&["resume"]).ok();
        bed.run(&["finish"]).ok();
        let after = bed.git(&["status", "--porcelain", "--untracked-files=all"]);
        assert_eq!(
            after.replace("?? autoresearch-results/lessons.md\n", ""),
            seen,
            "git sees nothing of the run"
        );
        let mut after = theirs(&bed);
        after.retain(|(name, _)| !name.ends_with("lessons.md"));
        assert_eq!(after, before);
    }
}

#[test]
fn a_refused_start_takes_away_the_folder_that_it_made_and_keeps_what_others_left_in_it() {
    let bed = Testbed::new();
    let refused = ConfigText::demo().verify("echo none");
    bed.try_start(&refused).fails(3);
    assert!(!bed.path("autoresearch-results").exists());
    // Verify writes there: that is not ours to delete.
    let writes = "echo x > autoresearch-results/report.txt; echo none";
    bed.try_start(&ConfigText::demo().verify(writes)).fails(3);
    assert_eq!(bed.read("autoresearch-results/report.txt"), "x\n");
    assert!(!bed.run_file("").exists());
}

#[test]
fn a_verify_that_counts_the_runs_own_files_is_refused_with_the_remedy() {
    let goal = ConfigText::demo().goal("Resolve every any");
    for (verify, told) in [
        (
            "grep -rw any . --exclude-dir=.git | wc -l",
            "any_count is 11 without them and",
        ),
        (
            "find . -type f -not -path './.git/*' | wc -l",
            "verify counts",
        ),
        ("cat */*/*.yaml src/a | grep -c any", "verify counts"),
        (
            "test ! -e autoresearch-results/demo/config.yaml && echo 1",
            "verify works on the untouched tree, and fails when",
        ),
    ] {
        let bed = Testbed::new();
        let answer = bed.try_start(&goal.clone().verify(verify));
        answer
            .fails(3)
            .says(told)
            .says("exclude `autoresearch-results`");
        assert!(!bed.path("autoresearch-results").exists());
    }
}

#[test]
fn a_guard_that_counts_the_runs_own_files_is_refused_with_the_remedy() {
    let bed = Testbed::new();
    let guard = "test $(grep -rlw any . --exclude-dir=.git | wc -l) -eq 4";
    bed.try_start(&ConfigText::demo().guard(guard))
        .fails(3)
        .says(
            "the guard passes on the untouched tree, and fails when the run's own files are in it",
        )
        .says("exclude `autoresearch-results`");
    bed.try_start(&ConfigText::demo().guard("false"))
        .fails(3)
        .says("the guard fails on the untouched tree");
}

#[test]
fn a_scan_without_the_runs_own_files_or_in_another_work_tree_is_accepted_and_its_outputs_are_kept()
{
    let scan = "grep -rw any . --exclude-dir=.git";
    let clean = format!("{scan} --exclude-dir=autoresearch-results | wc -l");
    let whole = format!("{scan} | wc -l");
    for (verify, isolation) in [(clean, "branch"), (whole, "worktree")] {
        let bed = Testbed::new();
        bed.start(&ConfigText::demo().verify(&verify).isolation(isolation));
        for run in 1..=2 {
            let output = bed.run_file(&format!("trials/0/verify-{run}.out"));
            assert_eq!(std::fs::read_to_string(output).unwrap(), "11\n");
        }
        assert!(!bed.run_file("trials/1").exists());
    }
}

#[test]
fn noise_is_not_taken_for_the_runs_own_files() {
    let bed = Testbed::new();
    // Another value at each run, and no two alike.
    let verify = "test -s src/a || exit 1; n=$(cat .git/n 2>/dev/null || echo 0); n=$((n + 1)); echo $n > .git/n; echo $((n * n % 7 + 10)).$n";
    bed.start(&ConfigText::demo().verify(verify).direction("higher"));
    let report = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(report["incumbent_trial"], 0, "{report}");
}
