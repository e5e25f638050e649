//! `config try` and the check of a start: the metric is that of the files in the scope, or it is said that it is not.
//!
//! Nothing of it stays, whatever cuts it short.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::config_text::ConfigText;
use crate::domains::{DOMAINS, lay_out};
use crate::shown::assert_answer;
use crate::testbed::{Answer, Testbed, note_skipped, wait_until};
use crate::views::can_view;

/// Writes the config where `config try` looks for it, outside the repository.
fn write_config(bed: &Testbed, config: &impl std::fmt::Display) -> String {
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, config.to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

fn try_config(bed: &Testbed, config: &impl std::fmt::Display) -> Answer {
    bed.run(&["config", "try", &write_config(bed, config)])
}

/// The JSON report.
fn tried(bed: &Testbed, config: &impl std::fmt::Display) -> Value {
    let file = write_config(bed, config);
    bed.run(&["config", "try", &file, "--json"]).json()
}

/// Everything below the state folder that is not a folder or a lock.
fn list_state(bed: &Testbed) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![bed.state.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != "lock") {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[track_caller]
fn assert_nothing_is_left(bed: &Testbed, what: &str) {
    assert!(!bed.run_file("").exists(), "{what}");
    assert_eq!(bed.git(&["worktree", "list"]).lines().count(), 1, "{what}");
    assert_eq!(
        bed.git(&["for-each-ref", "refs/autoresearch"]),
        "",
        "{what}"
    );
    assert_eq!(bed.git(&["branch", "--list", "auto*"]), "", "{what}");
    assert_eq!(list_state(bed), Vec::<String>::new(), "{what}");
}

#[test]
fn a_config_is_tried_with_all_its_runs_shown_and_nothing_stays() {
    let bed = Testbed::new();
    let before = bed.fingerprint();
    assert_answer!(try_config(&bed, &ConfigText::demo()), @"
    guard     pass
    verify    any_count = 10, 10, 10 (no noise, <span> a run)
    <trial>
    scope     untouched  10
              emptied    0
    check     2 runs in <span>, <count> times one run of verify
    <sandbox>
    verdict   any_count reacts to the files of the scope
    ");
    let mut report = tried(&bed, &ConfigText::demo());
    assert!(report["reaction"]["took_ms"].take().as_u64().unwrap() > 0);
    assert_eq!(
        (&report["ok"], &report["samples"], &report["reaction"]),
        (
            &json!(true),
            &json!([10, 10, 10]),
            &json!({
                "outcome": "reacts",
                "runs": [
                    {"state": "untouched", "value": 10, "failed": null},
                    {"state": "emptied", "value": 0, "failed": null},
                ],
                "files": 4,
                "took_ms": null,
                "remark": null,
            })
        )
    );
    assert_eq!(bed.fingerprint(), before);
    assert_nothing_is_left(&bed, "tried");
}

#[test]
fn what_a_start_would_refuse_a_try_refuses_with_the_same_words() {
    let bed = Testbed::new();
    let config = ConfigText::demo().target(10);
    let refused = bed.try_start(&config).fails(3);
    assert_eq!(try_config(&bed, &config).fails(3).err, refused.err);
    bed.edit(4);
    let dirty = bed.try_start(&ConfigText::demo()).fails(4);
    assert_eq!(
        try_config(&bed, &ConfigText::demo()).fails(4).err,
        dirty.err
    );
    assert_nothing_is_left(&bed, "refused");
}

/// A verify that measures something else than the scope, and what its metric is called.
type Deaf = (&'static str, fn(&Testbed) -> ConfigText);

/// A copy of the sources was installed elsewhere, and that is tested.
fn installed_copy(bed: &Testbed) -> ConfigText {
    let site = bed.home.join("site");
    std::fs::create_dir(&site).unwrap();
    for name in ["a", "b", "c"] {
        std::fs::copy(bed.path("src").join(name), site.join(name)).unwrap();
    }
    ConfigText::demo().verify(&format!("cat {}/* | grep -c any", site.display()))
}

/// The command in front of the pipe does not exist: its one line of error is counted.
fn failing_command(_: &Testbed) -> ConfigText {
    ConfigText::demo().verify("no-such-checker src 2>&1 | wc -l")
}

/// Measured once, and never again.
fn cached_result(bed: &Testbed) -> ConfigText {
    let cache = bed.home.join("cache");
    let cache = cache.display();
    ConfigText::demo().verify(&format!(
        "test -e {cache} || sh count.sh > {cache}; cat {cache}"
    ))
}

#[test]
fn a_metric_that_reacts_to_nothing_is_refused_with_all_its_runs() {
    let deaf: [Deaf; 3] = [
        ("an installed copy", installed_copy),
        ("a command that fails in front of a pipe", failing_command),
        ("a cached result", cached_result),
    ];
    for (name, make) in deaf {
        let bed = Testbed::new();
        let config = make(&bed);
        let before = bed.fingerprint();
        let report = tried(&bed, &config);
        let states: Vec<&Value> = report["reaction"]["runs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|run| &run["state"])
            .collect();
        assert_eq!(
            states,
            ["untouched", "emptied", "deleted", "garbage"],
            "{name}"
        );
        assert_eq!(report["reaction"]["outcome"], "indifferent", "{name}");
        assert_eq!(report["ok"], false, "{name}");
        try_config(&bed, &config)
            .fails(3)
            .says("`start` refuses it");
        let refused = bed.try_start(&config).fails(3);
        let refused = refused.says("any_count does not react to the files of the scope");
        assert_eq!(refused.err.matches("caused by: ").count(), 4, "{refused:?}");
        assert_eq!(bed.fingerprint(), before, "{name}");
        assert_nothing_is_left(&bed, name);
    }
}

#[test]
fn a_refusal_says_how_an_output_was_read_that_is_no_plain_text() {
    for (printed, told) in [
        (
            "\\033[32m5\\033[0m\\n",
            "read without its colours and other escape sequences",
        ),
        (
            "1%%\\rMETRIC any_count=5\\n",
            "read without what a carriage return overwrote, such as a progress bar",
        ),
        (
            "{\\n  \\\"any_count\\\": 5\\n}\\n",
            "read as one JSON object over more than one line",
        ),
    ] {
        let bed = Testbed::new();
        bed.write("count.sh", &format!("printf \"{printed}\"\n"));
        bed.git(&["commit", "-qam", "prints"]);
        let refused = bed.try_start(&ConfigText::demo()).fails(3);
        refused.says(&format!("caused by: output     {told}\n"));
    }
}

#[test]
fn a_refusal_says_what_each_run_gave_where_to_look_and_who_may_say_otherwise() {
    let bed = Testbed::new();
    let config = ConfigText::demo().verify("echo 5");
    assert_answer!(bed.try_start(&config), @r#"
    exit code 3
    --- stderr
    error: any_count does not react to the files of the scope: verify measures something else
    caused by: untouched  5
    caused by: emptied    5
    caused by: deleted    5
    caused by: garbage    5
    hint: verify gave the same for 4 files (src/a, src/b, src/c, src/state) untouched, emptied, deleted and full of garbage. It may test an installed copy, read a cached result, or count the lines of a command that fails in front of a pipe (`shell: bash` shows that): empty one of the files, and run verify by hand. Where it is right all the same, a person says why in `reaction: {exempt: "REASON"}`
    "#);
    assert_answer!(try_config(&bed, &config), @r#"
    exit code 3
    guard     pass
    verify    any_count = 5, 5, 5 (no noise, <span> a run)
    <trial>
    scope     untouched  5
              emptied    5
              deleted    5
              garbage    5
    check     4 runs in <span>, <count> times one run of verify
    <sandbox>
    verdict   `start` refuses it: any_count does not react to the files of the scope: verify measures something else. verify gave the same for 4 files (src/a, src/b, src/c, src/state) untouched, emptied, deleted and full of garbage. It may test an installed copy, read a cached result, or count the lines of a command that fails in front of a pipe (`shell: bash` shows that): empty one of the files, and run verify by hand. Where it is right all the same, a person says why in `reaction: {exempt: "REASON"}`
    "#);
}

#[test]
fn honest_configs_of_twelve_domains_react() {
    let mut outcomes = Vec::new();
    for domain in &DOMAINS {
        if let Some(missing) = domain.find_missing_tool() {
            note_skipped(&format!("{}: {missing} is not on PATH", domain.name));
            continue;
        }
        let bed = Testbed::bare();
        lay_out(&bed, domain);
        let report = tried(&bed, &domain.config(&bed));
        let reaction = &report["reaction"];
        if reaction["outcome"] != "reacts" || report["ok"] != true {
            outcomes.push(format!("{}: {report}", domain.name));
        }
        assert_eq!(bed.git(&["status", "--porcelain"]), "", "{}", domain.name);
        assert_nothing_is_left(&bed, domain.name);
    }
    assert_eq!(outcomes, Vec::<String>::new());
}

#[test]
fn a_metric_that_only_sees_which_files_there_are_starts_with_a_remark() {
    let bed = Testbed::new();
    let config = ConfigText::demo()
        .verify("git ls-files src | grep -c .")
        .verify_with("ok_exit", "[0, 1]");
    let started = bed.start(&config);
    let remark = "  reaction  only deleting the files of the scope changes any_count, emptying them does not: look at what verify measures";
    assert!(
        started.out.lines().any(|line| line == remark),
        "{started:?}"
    );
    assert_eq!(bed.git(&["ls-files", "src"]).lines().count(), 4);
    let bed = Testbed::new();
    let config = ConfigText::demo().verify("grep -lr replaced src | wc -l");
    let report = tried(&bed, &config);
    assert_eq!(report["reaction"]["runs"][3]["value"], 4, "{report}");
    assert_eq!(report["reaction"]["outcome"], "reacts-weakly");
}

#[test]
fn a_metric_at_zero_that_is_to_grow_starts_with_the_sentence_that_nothing_could_show() {
    let bed = Testbed::new();
    let config = ConfigText::demo()
        .direction("higher")
        .verify("cat src/* 2>/dev/null | grep -c '^none$' || [ $? -eq 1 ]");
    let remark = "not checked: any_count is 0, and stays 0 whatever is taken away; make sure by hand that it grows with the files of the scope";
    let report = tried(&bed, &config);
    assert_eq!(
        (&report["ok"], &report["reaction"]["remark"]),
        (&json!(true), &json!(remark))
    );
    assert_eq!(report["reaction"]["runs"].as_array().unwrap().len(), 4);
    let started = bed.start(&config);
    started.says(&format!("  reaction  {remark}\n"));
    let journal = std::fs::read_to_string(bed.run_file("journal.jsonl")).unwrap();
    assert!(journal.contains(r#""reaction":"not-checked""#), "{journal}");
}

#[test]
fn a_check_that_cannot_be_made_says_what_a_fresh_work_tree_lacks() {
    let bed = Testbed::new();
    bed.write(".gitignore", "tool.sh\n");
    bed.git(&["add", ".gitignore"]);
    bed.git(&["commit", "-qm", "ignore"]);
    bed.write("tool.sh", "cat src/* | grep -c '^any$'\n");
    bed.write("other/notes.md", "changed\n");
    let config = ConfigText::demo().verify("sh tool.sh");
    let before = bed.fingerprint();
    let report = tried(&bed, &config);
    assert_eq!(report["ok"], true, "a warning, not a refusal");
    assert_answer!(try_config(&bed, &config), @"
    guard     pass
    verify    any_count = 10, 10, 10 (no noise, <span> a run)
    <trial>
    scope     untouched  verify failed: exit status 2
    check     1 run in <span>, <count> times one run of verify
    <sandbox>
    verdict   whether any_count reacts to the files of the scope is not checked: verify fails in a fresh work tree (exit status 2); such a tree lacks tool.sh, other/notes.md
    ");
    assert_eq!(bed.fingerprint(), before);
    let started = bed.start(&config);
    assert!(
        started
            .out
            .contains("  reaction  not checked: verify fails in a fresh work tree"),
        "{started:?}"
    );
}

#[test]
fn what_git_ignores_in_the_checkout_is_seen_in_a_view_and_its_writes_do_not_reach_the_user() {
    let bed = Testbed::new();
    bed.write(".gitignore", "build/\nodd[1]/\n");
    bed.git(&["add", ".gitignore"]);
    bed.git(&["commit", "-qm", "ignore"]);
    // A build that names the checkout, and counts its runs.
    let root = bed.repo.display();
    let tool = format!("echo run >> {root}/build/runs; cat {root}/src/* | grep -c '^any$'\n");
    bed.write("build/tool", &tool);
    bed.write("odd[1]/file", "x\n");
    let config = ConfigText::demo()
        .verify("sh build/tool")
        .verify_with("ok_exit", "[0, 1]");
    let report = tried(&bed, &config);
    let runs = std::fs::read_to_string(bed.path("build/runs")).unwrap();
    let in_sandbox = usize::from(report["sandbox"]["works"] == true);
    assert_eq!(
        runs.lines().count(),
        3 + in_sandbox,
        "those of the baseline, and one in a sandbox: {report}"
    );
    let expected = if can_view() { "reacts" } else { "not-checked" };
    assert_eq!(report["reaction"]["outcome"], expected, "{report}");
    assert_nothing_is_left(&bed, "viewed");
}

#[test]
fn an_exemption_needs_a_reason_and_is_told_by_start_and_log() {
    let bed = Testbed::new();
    let exempt = |reason: &str| {
        format!(
            "{}reaction: {{exempt: {reason}}}\n",
            ConfigText::demo().verify("echo 5")
        )
    };
    let refused = bed.try_start(&exempt("\"  \"")).fails(3);
    refused.says("reaction.exempt: the reason is empty");
    let started = bed.start(&exempt("the service counts\n  on its own machine"));
    let told = "not checked, exempt: the service counts on its own machine";
    started.says(&format!("  reaction  {told}\n"));
    let reason = "no check of the reaction to the scope: the service counts on its own machine";
    bed.run(&["log"]).ok().says(reason);
    assert!(bed.rows()[0][6].ends_with(reason), "{:?}", bed.rows());
}

#[test]
fn a_try_of_an_exempt_config_says_so_and_no_flag_or_variable_exempts() {
    let bed = Testbed::new();
    let config = format!("{}reaction: {{exempt: why}}\n", ConfigText::demo());
    let report = tried(&bed, &config);
    assert_eq!(report["reaction"]["outcome"], "exempt");
    assert_eq!(report["reaction"]["runs"], json!([]));
    let deaf = write_config(&bed, &ConfigText::demo().verify("echo 5"));
    for name in ["AUTORESEARCH_REACTION", "AUTORESEARCH_REACTION_EXEMPT"] {
        bed.run_with(&["start", "--config", &deaf], &[(name, "why")])
            .fails(3);
    }
    bed.run(&["start", "--config", &deaf, "--reaction-exempt", "why"])
        .fails(2);
}

#[test]
fn the_check_works_or_says_why_not_in_every_kind_of_work_tree() {
    for isolation in ["in-place", "worktree"] {
        let bed = Testbed::new();
        let config = ConfigText::demo().isolation(isolation);
        let report = tried(&bed, &config);
        assert_eq!(report["reaction"]["outcome"], "reacts", "{isolation}");
        assert_nothing_is_left(&bed, isolation);
        let deaf = ConfigText::demo().isolation(isolation).verify("echo 5");
        bed.try_start(&deaf).fails(3).says("does not react");
        bed.start(&config);
    }
    let bed = Testbed::new();
    bed.git(&["sparse-checkout", "set", "--no-cone", "/*", "!/src/c"]);
    let report = tried(&bed, &ConfigText::demo());
    assert_eq!(report["baseline"], 8, "{report}");
    assert_eq!(report["reaction"]["outcome"], "reacts", "{report}");
    let bed = Testbed::new();
    bed.git(&["commit", "-q", "--allow-empty", "-m", "second"]);
    let shallow = bed.home.join("shallow");
    let from = format!("file://{}", bed.repo.display());
    bed.git(&[
        "clone",
        "-q",
        "--depth",
        "1",
        &from,
        shallow.to_str().unwrap(),
    ]);
    let file = write_config(&bed, &ConfigText::demo());
    let words = [
        "-C",
        shallow.to_str().unwrap(),
        "config",
        "try",
        &file,
        "--json",
    ];
    assert_eq!(bed.run(&words).ok().json()["reaction"]["outcome"], "reacts");
}

#[test]
fn a_scope_that_lies_in_a_submodule_is_said_to_be_out_of_reach() {
    let bed = Testbed::new();
    let library = bed.home.join("library");
    std::fs::create_dir_all(&library).unwrap();
    let at = ["-C", library.to_str().unwrap()];
    bed.git(&[&at[..], &["init", "-q", "-b", "main"]].concat());
    std::fs::write(library.join("code"), "any\n").unwrap();
    bed.git(&[&at[..], &["add", "code"]].concat());
    bed.git(&[&at[..], &["commit", "-qm", "code"]].concat());
    let add = [
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "-q",
        "add",
        library.to_str().unwrap(),
        "vendor",
    ];
    bed.git(&add);
    bed.git(&["commit", "-qm", "vendor"]);
    // git lists the submodule itself, and nothing in it.
    let config = ConfigText::demo()
        .scope(&["vendor/**", "vendor"])
        .verify("wc -l < .gitmodules");
    let report = tried(&bed, &config);
    assert_eq!(report["reaction"]["outcome"], "not-checked", "{report}");
    assert_eq!(
        report["reaction"]["remark"],
        "not checked: no tracked file of the scope stands in a fresh work tree"
    );
}

#[test]
fn no_link_of_the_scope_is_followed_and_the_files_that_verify_executes_are_left_alone() {
    let bed = Testbed::new();
    let outside = bed.home.join("outside");
    std::fs::write(&outside, "precious\n").unwrap();
    std::os::unix::fs::symlink(&outside, bed.path("src/link")).unwrap();
    bed.write("src/check.sh", "cat src/a src/b | grep -c any\n");
    bed.git(&["add", "src"]);
    bed.git(&["commit", "-qm", "more"]);
    let config = ConfigText::demo().verify("sh src/check.sh");
    let report = tried(&bed, &config);
    // a, b, c, state and the link; not the script.
    assert_eq!(report["reaction"]["files"], 5, "{report}");
    assert_eq!(
        report["reaction"]["runs"][1]["failed"],
        "verify failed: exit status 1"
    );
    let deaf = ConfigText::demo().verify("echo 5");
    assert_eq!(tried(&bed, &deaf)["reaction"]["outcome"], "indifferent");
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "precious\n");
}

#[test]
fn a_try_that_is_killed_at_any_step_leaves_nothing_that_clean_does_not_remove() {
    for config in [
        ConfigText::demo().verify("ls src | wc -l"),
        ConfigText::demo().isolation("worktree"),
    ] {
        let bed = Testbed::new();
        bed.write(".gitignore", "build/\n");
        bed.git(&["add", ".gitignore"]);
        bed.git(&["commit", "-qm", "ignore"]);
        bed.write("build/seen", "in a view, where there is one\n");
        let file = write_config(&bed, &config);
        let words = ["config", "try", file.as_str()];
        let steps = bed.home.join("steps");
        bed.run_with(&words, &[("SEALED_STEPS", steps.to_str().unwrap())])
            .ok();
        let steps = std::fs::read_to_string(&steps).unwrap();
        assert!(steps.lines().any(|step| step == "reaction"), "{steps}");
        let before = bed.fingerprint();
        for (at, step) in steps.lines().enumerate() {
            let place = format!("killed before step {}, {step}", at + 1);
            let number = (at + 1).to_string();
            bed.run_with(&words, &[("SEALED_CRASH_AT", &number)])
                .fails(-1);
            bed.run(&["clean", "--yes"]).ok();
            assert_nothing_is_left(&bed, &place);
            assert_eq!(bed.fingerprint(), before, "{place}");
        }
        // And what a killed one left is in nobody's way.
        bed.run_with(&words, &[("SEALED_CRASH_AT", "reaction")])
            .fails(-1);
        bed.run(&words).ok();
        bed.run(&["clean", "--yes"]).ok();
        assert_nothing_is_left(&bed, "after a second try");
    }
}

/// The work trees of the repository besides the user's.
fn list_further_trees(bed: &Testbed) -> Vec<PathBuf> {
    let list = bed.git(&["worktree", "list", "--porcelain"]);
    let trees = list
        .lines()
        .filter_map(|line| line.strip_prefix("worktree "));
    trees.skip(1).map(PathBuf::from).collect()
}

#[test]
fn what_a_killed_try_left_is_listed_before_it_goes_and_no_link_in_it_is_followed() {
    let bed = Testbed::new();
    let outside = bed.home.join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("file"), "precious\n").unwrap();
    let file = write_config(&bed, &ConfigText::demo());
    let words = ["config", "try", file.as_str()];
    bed.run_with(&words, &[("SEALED_CRASH_AT", "tree give back")])
        .fails(-1);
    let trees = list_further_trees(&bed);
    assert_eq!(trees.len(), 1, "{trees:?}");
    let tree = &trees[0];
    assert!(tree.starts_with(&bed.state), "{trees:?}");
    std::os::unix::fs::symlink(&outside, tree.join("src/out")).unwrap();
    std::fs::remove_dir_all(tree.join("other")).unwrap();
    std::os::unix::fs::symlink(&outside, tree.join("other")).unwrap();
    let listed = bed.run(&["clean"]).ok();
    assert!(listed.out.contains(tree.to_str().unwrap()), "{listed:?}");
    assert!(tree.join("src/a").exists(), "listed, and not removed");
    bed.run(&["clean", "--yes"]).ok();
    assert!(tree.symlink_metadata().is_err());
    let kept = std::fs::read_to_string(outside.join("file")).unwrap();
    assert_eq!(kept, "precious\n");
    assert_nothing_is_left(&bed, "cleaned");
}

#[test]
fn the_scratch_tree_lies_below_trees_and_is_filled_as_the_runs_own_is() {
    let bed = Testbed::new();
    bed.write(".gitignore", "deps/\nout/\nmade\n");
    bed.git(&["add", ".gitignore"]);
    bed.git(&["commit", "-qm", "ignore"]);
    bed.write("deps/a", "linked\n");
    bed.write("out/b", "copied\n");
    let trees = bed.home.join("trees");
    let seen = bed.home.join("seen");
    let config = ConfigText::demo().isolation("worktree").verify(&format!(
        "pwd -P >> {}; cat deps/a out/b made >/dev/null && sh count.sh",
        seen.display()
    ));
    let config = format!(
        "{config}link: deps\ncopy: out\nprepare: echo ran > made\nview: off\ntrees: {}\n",
        trees.display()
    );
    let report = tried(&bed, &config);
    assert_eq!(report["reaction"]["outcome"], "reacts", "{report}");
    let seen = std::fs::read_to_string(&seen).unwrap();
    let mut folders: Vec<&str> = seen.lines().collect();
    folders.dedup();
    assert_eq!(folders.len(), 2, "the run's own tree, and the scratch tree");
    for folder in folders {
        assert!(Path::new(folder).starts_with(&trees), "{folder}");
    }
    let left: Vec<_> = std::fs::read_dir(&trees).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    assert_nothing_is_left(&bed, "tried");
    bed.start(&config);
}

#[test]
fn an_interrupted_try_ends_with_130_and_nothing_is_left() {
    let bed = Testbed::new();
    let there = bed.home.join("there");
    // It hangs in the scratch tree alone: the user's checkout is the repository's folder.
    let verify = format!(
        "case $PWD in */repo) ;; *) : > {}; sleep 100 ;; esac; sh count.sh",
        there.display()
    );
    let file = write_config(
        &bed,
        &ConfigText::demo()
            .verify(&verify)
            .verify_with("timeout", "3m"),
    );
    let mut command = bed.command(&["config", "try", &file]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    wait_until("verify hangs in the scratch tree", || there.exists());
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_nothing_is_left(&bed, "interrupted");
}

#[test]
fn a_verify_that_reads_what_only_the_guard_builds_is_refused_in_a_tree_of_the_runs_own() {
    let bed = Testbed::new();
    bed.write(".gitignore", "out/\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "ignore"]);
    let build = "mkdir -p out && sh count.sh > out/n";
    let config = |verify: &str| {
        ConfigText::demo()
            .isolation("worktree")
            .verify(verify)
            .guard(build)
    };
    assert_answer!(bed.try_start(&config("cat out/n")), @"
    exit code 3
    --- stderr
    error: verify passes in the run's tree only after the guard: each trial would measure what the guard of the trial before has built
    caused by: verify fails in a fresh work tree (exit status 1)
    hint: let verify build what it measures, or bring what is missing with prepare, link or copy
    ");
    assert_nothing_is_left(&bed, "refused");
    // What a start refuses, a try refuses.
    let tried = tried(&bed, &config("cat out/n"));
    assert_eq!(tried["ok"], false, "{tried}");
    let verdict = tried["verdict"].as_str().unwrap();
    assert!(
        verdict.starts_with(
            "`start` refuses it: verify passes in the run's tree only after the guard"
        ),
        "{verdict}"
    );
    bed.start(&config(&format!("{build} && cat out/n")));
    std::fs::write(bed.own_tree().join("src/a"), "any\n").unwrap();
    assert_eq!(bed.trial("one")["verdict"], "keep");
}
