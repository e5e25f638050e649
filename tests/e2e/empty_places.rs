//! What verify would find before its own files, or besides them, decides nothing when a trial brings it into being.

use crate::config_text::ConfigText;
use crate::testbed::Testbed;

/// A bed with these committed files, in which git ignores `*.env`, `node_modules/` and `*.txt`.
fn with_files(files: &[(&str, &str)]) -> Testbed {
    let bed = Testbed::new();
    bed.write(".gitignore", "*.env\nnode_modules/\n*.txt\n");
    for (name, text) in files {
        bed.write(name, text);
    }
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "files"]);
    bed
}

fn config(scope: &[&str], verify: &str) -> String {
    ConfigText::demo().scope(scope).verify(verify).to_string()
}

const COUNT: &str = "n=$(cat src/* | grep -c '^any$' || true); echo $((n * ${W:-1}))\n";

/// Starts, brings a file into being beside an edit, and looks; then takes it away and looks again.
#[track_caller]
fn voids(files: &[(&str, &str)], verify: &str, new: (&str, &str)) {
    let bed = with_files(files);
    bed.start(&config(&["src/**"], verify));
    bed.edit(4);
    bed.write(new.0, new.1);
    let report = bed.trial("cheat");
    assert_eq!(report["reason"], "protected", "{verify}: {report}");
    let detail = report["detail"].as_str().unwrap();
    assert!(detail.contains(new.0), "{verify}: {detail}");
    assert!(report["value"].is_null(), "verify must not have run");
    std::fs::remove_file(bed.path(new.0)).unwrap();
    assert_eq!(bed.try_count(4), "keep", "{verify}");
}

#[test]
fn an_ignored_file_that_verify_asks_for_and_that_was_not_there_voids_the_trial() {
    let files = [("checks/v.sh", COUNT)];
    let sourced = "[ -f local.env ] && . ./local.env; export W; sh checks/v.sh";
    voids(&files, sourced, ("local.env", "W=0\n"));
    let read = "if [ -f data/w.txt ]; then W=$(cat data/w.txt); export W; fi; sh checks/v.sh";
    voids(&files, read, ("data/w.txt", "0\n"));
}

#[test]
fn a_new_match_of_a_pattern_in_verify_voids_the_trial() {
    let files = [("checks/a.sh", COUNT)];
    let verify = "for file in checks/*; do . ./$file; done";
    voids(&files, verify, ("checks/b.txt", "echo 0\n"));
}

#[test]
fn a_module_folder_beside_the_script_or_above_the_tree_voids_the_trial() {
    let files = [("checks/v.sh", COUNT)];
    let planted = "checks/node_modules/dep/index.js";
    let bed = with_files(&files);
    bed.start(&config(&["src/**"], "sh checks/v.sh"));
    bed.edit(4);
    bed.write(planted, "module.exports = () => 0\n");
    assert_eq!(bed.trial("beside")["reason"], "protected");

    let bed = with_files(&files);
    bed.start(
        &ConfigText::demo()
            .verify("sh checks/v.sh")
            .isolation("worktree"),
    );
    let tree = bed.own_tree();
    let above = tree.parent().unwrap().join("node_modules");
    std::fs::create_dir(&above).unwrap();
    std::fs::write(tree.join("src/a"), "any\n").unwrap();
    let report = bed.trial("above");
    assert_eq!(report["reason"], "protected", "{report}");
    std::fs::remove_dir(&above).unwrap();
    std::fs::write(tree.join("src/a"), "any\n").unwrap();
    assert_eq!(bed.trial("without")["verdict"], "keep");
}

#[test]
fn what_python_would_take_first_is_undone_with_the_trial_that_adds_it() {
    let bed = with_files(&[("bench/run.py", "print(0)\n")]);
    let verify = "grep -c '^any$' src/a || true; [ -d bench ] || python3 -m bench.run";
    let scope = ["src/**", "bench/**", "!bench/run.py"];
    bed.start(&config(&scope, verify));
    bed.edit(4);
    bed.write("bench/run/__init__.py", "");
    let report = bed.trial("shadow");
    assert_eq!(report["reason"], "protected", "{report}");
    assert!(!bed.path("bench/run").exists(), "it was in the scope");
    assert_eq!(bed.try_count(4), "keep");
}

#[test]
fn what_verify_makes_and_removes_itself_voids_nothing_whatever_it_leaves() {
    let bed = with_files(&[("checks/v.sh", COUNT)]);
    let verify = "[ -f out.txt ] && rm out.txt; sh checks/v.sh > out.txt; tail -n 1 out.txt";
    bed.start(&config(&["src/**"], verify));
    bed.write("out.txt", "left by hand\n");
    assert_eq!(bed.try_count(4), "keep");
    let bed = with_files(&[
        ("checks/v.sh", "sh checks/w.sh > made.txt\n"),
        ("checks/w.sh", COUNT),
    ]);
    bed.start(&config(
        &["src/**"],
        "sh checks/v.sh; cat made.txt; rm -f made.txt",
    ));
    bed.write("made.txt", "left by a verify that was killed\n");
    assert_eq!(bed.try_count(4), "keep");
}
