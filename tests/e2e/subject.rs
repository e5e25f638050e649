//! What verify executes is pinned; what it measures is the subject, and the trials may change it.

use crate::config_text::ConfigText;
use crate::testbed::{CONFIG, Testbed};

/// A config with this scope and verify, and with further lines.
fn config(scope: &[&str], verify: &str, more: &str) -> String {
    let config = ConfigText::demo().scope(scope).verify(verify);
    format!("{config}{more}")
}

/// A bed with a committed script in the scope that counts `any` in `src/a`.
fn with_script() -> Testbed {
    let bed = Testbed::new();
    bed.write("src/bench.sh", "grep -c '^any$' src/a || [ $? -eq 1 ]\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "bench"]);
    bed
}

#[test]
fn a_file_that_verify_measures_is_kept_when_the_scope_holds_it() {
    for verify in [
        "grep -c any src/a",
        "wc -l < src/a",
        "cat src/a src/b | sort | wc -l | tail -n 1",
        "wc -c src/a | cut -d' ' -f1",
        "awk 'END {print NR}' src/a",
        "sh count.sh src/a",
    ] {
        let bed = Testbed::new();
        bed.start(&config(&["src/**"], verify, ""));
        assert_eq!(bed.try_count(3), "keep", "{verify}");
    }
}

#[test]
fn a_script_that_verify_executes_is_pinned_however_it_is_started() {
    for verify in [
        "sh src/bench.sh",
        "cd src && cd .. && env A=1 timeout 20 sh -eu src/bench.sh",
        ". ./src/bench.sh",
        "sh < src/bench.sh",
        "cat src/bench.sh | sh",
        "sh -c 'sh src/bench.sh' | tail -n 1",
        "echo $(sh src/bench.sh)",
        "make -s -f src/bench.mk",
    ] {
        let bed = with_script();
        bed.write("src/bench.mk", "all:\n\t@sh src/bench.sh\n");
        bed.git(&["add", "-A"]);
        bed.git(&["commit", "-qm", "make"]);
        let script = if verify.starts_with("make") {
            "src/bench.mk"
        } else {
            "src/bench.sh"
        };
        bed.start(&config(&["**"], verify, ""))
            .says(script)
            .says("and the scope holds it: a trial that changes it is void");
        bed.edit(4);
        bed.write(script, "all:\n\t@echo 0\n");
        assert_eq!(bed.trial("cheat")["reason"], "protected", "{verify}");
    }
}

#[test]
fn a_script_that_the_scope_names_is_the_subject_unless_pin_says_otherwise() {
    let scope = &["src/bench.sh", "src/a"];
    let bed = with_script();
    bed.start(&config(scope, "sh src/bench.sh", ""));
    bed.write("src/bench.sh", "grep -c '^any$' src/c\n");
    assert_eq!(bed.trial("another count")["verdict"], "keep");

    let bed = with_script();
    let answer = bed.start(&config(scope, "sh src/bench.sh", "pin: [src/bench.sh]\n"));
    assert!(
        answer.out.contains("in scope (src/a)"),
        "the next step names what is left: {answer:?}"
    );
    bed.write("src/bench.sh", "echo 0\n");
    assert_eq!(bed.trial("cheat")["reason"], "protected");
}

#[test]
fn a_pattern_under_pin_keeps_files_of_the_scope() {
    let bed = Testbed::new();
    bed.start(&config(&["src/**"], "sh count.sh", "pin: [\"src/b*\"]\n"));
    bed.write("src/b", "");
    assert_eq!(bed.trial("pinned")["reason"], "protected");
    bed.git(&["checkout", "--", "src/b"]);
    assert_eq!(bed.try_count(4), "keep");
}

#[test]
fn a_scope_of_which_nothing_is_left_is_refused_with_the_remedy() {
    let bed = with_script();
    for (scope, more, remedy) in [
        (
            &["src/*.sh"][..],
            "",
            "name it in the scope without a wildcard: \"src/bench.sh\"",
        ),
        (&["src/a"], "pin: [src/a]\n", "take patterns out of `pin`"),
        (&["src/b", "src/c"], "pin: [\"src/*\"]\n", "widen the scope"),
    ] {
        let text = config(scope, "sh src/bench.sh", more);
        let answer = bed.try_start(&text).fails(3);
        let answer = answer
            .says("every file of the scope is pinned")
            .says(remedy);
        assert!(!answer.err.contains("next:"));
        let file = bed.home.join("config.yaml");
        bed.run(&["config", "check", file.to_str().unwrap()])
            .fails(3)
            .says("every file of the scope is pinned");
    }
    assert!(!bed.path("autoresearch-results").exists());
}

#[test]
fn what_verify_builds_and_measures_is_not_pinned() {
    let bed = Testbed::new();
    bed.write(".gitignore", "dist/\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "ignore"]);
    bed.write("dist/app.css", &"any\n".repeat(10));
    let build = "cat src/a src/b src/c > dist/app.css; grep -c any dist/app.css";
    for verify in [
        build.to_owned(),
        "mkdir -p dist; printf 'cat src/a' > dist/tool; sh dist/tool > dist/app.css; wc -l < dist/app.css".to_owned(),
    ] {
        let bed = &bed;
        bed.start(&config(&["src/**"], &verify, ""));
        bed.edit(3);
        assert_eq!(bed.trial("fewer")["verdict"], "keep", "{verify}");
        bed.run(&["finish"]).ok();
        bed.git(&["branch", "-D", "autoresearch/demo"]);
        bed.run(&["clean", "--yes"]).ok();
        std::fs::remove_dir_all(bed.path("autoresearch-results")).unwrap();
    }
}

#[test]
fn ignored_data_that_verify_reads_stays_pinned() {
    let bed = Testbed::new();
    bed.write(".gitignore", "data/\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "ignore"]);
    bed.write("data/words", "any\n");
    bed.start(&config(
        &["src/**"],
        "cat src/* | grep -c -f data/words",
        "",
    ));
    bed.write("data/words", "nothing\n");
    bed.edit(4);
    assert_eq!(bed.trial("other data")["reason"], "protected");
}

#[test]
fn a_protect_pattern_does_not_reach_into_ignored_folders_unless_it_names_them() {
    let bed = Testbed::new();
    bed.write(".gitignore", "node_modules/\nvendor/\n");
    bed.write("package.json", "{}\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "package"]);
    for name in ["a", "b", "c"] {
        bed.write(&format!("node_modules/{name}/package.json"), "{}\n");
    }
    bed.write("vendor/lib/x.csv", "1\n");
    let start = bed.start(&format!(
        "{CONFIG}protect: [package.json, \"/vendor/**\"]\n"
    ));
    let start = start
        .says("`package.json` also matches 3 files in folders that git ignores (node_modules/): not pinned")
        .says("write `/package.json` for the root alone");
    assert!(start.out.contains("vendor/lib/x.csv"), "{start:?}");
    bed.write("node_modules/a/package.json", "{\"a\": 1}\n");
    assert_eq!(bed.try_count(4), "keep");
    bed.write("vendor/lib/x.csv", "2\n");
    bed.edit(3);
    assert_eq!(bed.trial("vendored")["reason"], "protected");
    bed.write("vendor/lib/x.csv", "1\n");
    bed.write("package.json", "{\"a\": 1}\n");
    bed.edit(3);
    assert_eq!(bed.trial("the root's")["reason"], "protected");
}
