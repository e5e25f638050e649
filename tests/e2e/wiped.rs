//! Runs whose files were deleted, moved or cleaned away: every command says so, what is left, and how to go back.

use crate::testbed::{CONFIG, Testbed};

/// Every command that means the run refuses with these words; HEAD, branch and files stay.
#[track_caller]
fn is_found(bed: &Testbed, words: &str) {
    let before = bed.fingerprint();
    for command in [
        &["status"][..],
        &["resume"],
        &["finish"],
        &["trial", "-m", "x"],
        &["log"],
        &["status", "--run", "demo"],
    ] {
        bed.run(command)
            .fails(4)
            .says("the run `demo` was started here, but")
            .says(words)
            .says("1 kept commit on autoresearch/demo (any_count 10 -> 9)")
            .says("put it back, and the run can continue");
    }
    let report = bed.run(&["doctor", "--json"]).fails(4).json();
    assert_eq!(report["problems"], 1, "{report}");
    assert!(report["findings"].to_string().contains(words), "{report}");
    let kept = bed.run(&["clean", "--yes", "--json"]).json();
    let items = kept["made"].as_array().unwrap();
    assert!(
        items.iter().all(|item| !item["kept_because"].is_null()),
        "{kept}"
    );
    assert_eq!(bed.fingerprint(), before);
    assert_eq!(bed.run_commits("autoresearch/demo").len(), 1);
    assert!(bed.vault().join("anchor.json").exists());
}

fn one_kept() -> Testbed {
    let bed = Testbed::started(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
    bed
}

#[test]
fn git_clean_is_found_and_the_way_back_that_is_named_works() {
    let bed = one_kept();
    bed.edit(3);
    bed.git(&["clean", "-fdxq"]);
    is_found(&bed, "its folder autoresearch-results/demo is gone");
    bed.run(&["status"])
        .fails(4)
        .says("`git switch main` goes back");
    bed.git(&["checkout", "-q", "src/a"]);
    bed.git(&["switch", "-q", "main"]);
    bed.git(&["merge", "-q", "autoresearch/demo"]);
    bed.start(CONFIG);
    assert_eq!(bed.run(&["status", "--json"]).ok().json()["baseline"], 9);
}

#[test]
fn a_new_run_goes_on_from_the_branch_of_one_that_was_cleaned_away() {
    let bed = one_kept();
    bed.git(&["clean", "-fdxq"]);
    bed.start(CONFIG);
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(
        (status["run"].as_str(), status["baseline"].as_u64()),
        (Some("demo-2"), Some(9))
    );
}

#[test]
fn a_deleted_journal_and_a_deleted_folder_of_all_runs_are_found() {
    let bed = one_kept();
    std::fs::remove_file(bed.run_file("journal.jsonl")).unwrap();
    is_found(
        &bed,
        "its journal autoresearch-results/demo/journal.jsonl is gone",
    );
    let bed = one_kept();
    std::fs::remove_dir_all(bed.path("autoresearch-results")).unwrap();
    is_found(&bed, "its folder autoresearch-results/demo is gone");
}

#[test]
fn a_folder_that_was_moved_away_is_found_and_goes_on_when_it_is_put_back() {
    let bed = one_kept();
    let away = bed.home.join("away");
    std::fs::rename(bed.run_file(""), &away).unwrap();
    is_found(&bed, "its folder autoresearch-results/demo is gone");
    std::fs::rename(&away, bed.run_file("")).unwrap();
    assert_eq!(bed.try_count(3), "keep");
}

#[test]
fn a_repository_that_was_moved_and_cleaned_is_known_by_its_branch() {
    let mut bed = one_kept();
    bed.git(&["clean", "-fdxq"]);
    let moved = bed.repo.with_file_name("moved");
    std::fs::rename(&bed.repo, &moved).unwrap();
    bed.repo = moved;
    is_found(&bed, "its folder autoresearch-results/demo is gone");
    // A repository that has nothing of the run is not told about it.
    let other = Testbed::new();
    bed.repo.clone_from(&other.repo);
    bed.run(&["doctor"]).ok().says("no run was started here");
}

#[test]
fn a_run_with_a_work_tree_of_its_own_is_found_and_can_be_removed_when_its_branch_is_merged() {
    let bed = Testbed::started(&format!("{CONFIG}isolation: worktree\n"));
    std::fs::write(bed.own_tree().join("src/a"), "any\n".repeat(4)).unwrap();
    bed.run(&["trial", "-m", "four"]).ok();
    bed.run(&["finish"]).ok();
    std::fs::remove_dir_all(bed.path("autoresearch-results")).unwrap();
    // It was finished: nothing is wrong, something is left.
    bed.run(&["doctor"])
        .ok()
        .says("1 kept commit on autoresearch/demo");
    bed.run(&["clean", "--yes"])
        .ok()
        .says("1 kept commit not merged yet");
    assert!(bed.vault().join("anchor.json").exists());
    bed.git(&["merge", "-q", "autoresearch/demo"]);
    bed.run(&["clean", "--yes"]).ok();
    assert_eq!(bed.git(&["branch", "--list", "autoresearch/*"]), "");
    assert_eq!(bed.git(&["worktree", "list"]).lines().count(), 1);
    assert_eq!(
        std::fs::read_dir(bed.state.join("runs")).unwrap().count(),
        0
    );
    bed.run(&["doctor"]).ok().says("no run was started here");
}
