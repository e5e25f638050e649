//! git's own rules are part of the yardstick: what git hides, or would write in other bytes, makes a trial void.

use crate::testbed::{CONFIG, Testbed};

/// The trial is void, names this, was not measured, and nothing of it is kept.
#[track_caller]
fn is_void(bed: &Testbed, name: &str) {
    let head = bed.head();
    let report = bed.trial("hides something");
    assert_eq!(
        (report["verdict"].as_str(), report["reason"].as_str()),
        (Some("discard"), Some("protected")),
        "{report}"
    );
    let detail = report["detail"].as_str().unwrap();
    assert!(detail.contains(name), "`{name}` is missing in {detail}");
    assert!(report["value"].is_null(), "verify must not have run");
    assert_eq!(bed.head(), head);
}

#[test]
fn an_index_flag_set_after_the_start_hides_nothing() {
    for flag in ["skip-worktree", "assume-unchanged"] {
        let bed = Testbed::started(CONFIG);
        bed.git(&[
            "update-index",
            &format!("--{flag}"),
            "other/notes.md",
            "src/b",
        ]);
        bed.write("other/notes.md", "hidden\n");
        bed.edit(4);
        let report = bed.trial("hides a file");
        assert_eq!(report["reason"], "out-of-scope", "{report}");
        assert_eq!(
            bed.read("other/notes.md"),
            "hidden\n",
            "it is only reported"
        );
        bed.git(&["update-index", &format!("--no-{flag}"), "other/notes.md"]);
        bed.git(&["checkout", "--", "other/notes.md"]);
        // In the scope it is a part of the trial, as if there were no flag.
        bed.write("src/b", "hidden\n");
        assert_eq!(bed.try_count(4), "keep");
        assert_eq!(bed.git(&["show", "HEAD:src/b"]), "hidden\n");
        assert_eq!(bed.git(&["status", "--porcelain"]), "");
    }
}

#[test]
fn a_setting_that_changes_what_git_sees_or_writes_makes_the_trial_void_and_nothing_is_rewritten() {
    for (key, value) in [
        ("core.autocrlf", "true"),
        ("core.eol", "crlf"),
        ("core.fileMode", "false"),
        ("filter.x.clean", "sed s/any/none/"),
    ] {
        let bed = Testbed::started(CONFIG);
        let before = bed.read(".git/config");
        bed.git(&["config", key, value]);
        bed.edit(4);
        let name = key.replace("fileMode", "filemode");
        is_void(&bed, &format!("git config {name}"));
        assert_eq!(
            bed.read("src/a"),
            "any\n".repeat(4),
            "git would write other bytes, so the edits stay"
        );
        bed.run(&["trial", "--drop"])
            .fails(4)
            .says("git's rules changed since the start");
        assert_eq!(bed.read("src/a"), "any\n".repeat(4));
        bed.write(".git/config", &before);
        assert_eq!(bed.trial("the same edits")["verdict"], "keep");
        assert_eq!(bed.git(&["show", "HEAD:src/a"]), "any\n".repeat(4));
    }
}

#[test]
fn a_setting_in_the_users_own_file_and_an_included_one_count_too() {
    for (file, text) in [
        (".gitconfig", "[core]\n\tautocrlf = input\n"),
        (".config/git/config", "[filter \"x\"]\n\tsmudge = cat\n"),
    ] {
        let bed = Testbed::started(CONFIG);
        let path = bed.home.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        bed.edit(4);
        is_void(&bed, "git config ");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(bed.trial("the same edits")["verdict"], "keep");
    }
    let bed = Testbed::new();
    bed.git(&["config", "include.path", "more"]);
    bed.start(CONFIG);
    bed.write(".git/more", "[core]\n\texcludesFile = /tmp/none\n");
    bed.edit(4);
    is_void(&bed, "git config core.excludesfile");
}

#[test]
fn settings_that_a_person_changes_in_the_night_do_not_matter() {
    let bed = Testbed::started(CONFIG);
    for (key, value) in [
        ("remote.origin.url", "https://example.org/x.git"),
        ("branch.main.remote", "origin"),
        ("alias.st", "status"),
        ("user.name", "Ada"),
        ("core.editor", "vi"),
    ] {
        bed.git(&["config", key, value]);
    }
    bed.git(&["branch", "mine", "main"]);
    assert_eq!(bed.try_count(4), "keep");
    assert_eq!(bed.try_count(9), "discard");
}

#[test]
fn the_lists_of_ignored_files_and_attributes_are_pinned_also_when_they_did_not_exist() {
    for list in [
        "repo/.git/info/exclude",
        "repo/.git/info/attributes",
        "home/.config/git/ignore",
        "home/.config/git/attributes",
    ] {
        let bed = Testbed::started(CONFIG);
        let path = bed.folder.path().join(list);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "helper\n").unwrap();
        bed.write("src/helper", "hidden\n");
        bed.edit(4);
        is_void(&bed, list.trim_start_matches("repo/"));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(bed.trial("visible")["verdict"], "keep");
        assert_eq!(bed.git(&["show", "HEAD:src/helper"]), "hidden\n");
    }
}

#[test]
fn the_file_that_a_setting_names_is_pinned() {
    let bed = Testbed::new();
    let list = bed.home.join("my-ignores");
    std::fs::write(&list, "*.tmp\n").unwrap();
    bed.git(&["config", "core.excludesFile", "~/my-ignores"]);
    bed.start(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
    std::fs::write(&list, "*.tmp\nhelper\n").unwrap();
    bed.edit(3);
    is_void(&bed, "my-ignores");
}

#[test]
fn the_lists_of_the_common_git_folder_are_pinned_for_a_linked_work_tree() {
    let bed = Testbed::new();
    let linked = bed.home.join("linked");
    let at = linked.to_str().unwrap().to_owned();
    bed.git(&["worktree", "add", "-q", "-b", "side", &at]);
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    bed.run(&["-C", &at, "start", "--config", file.to_str().unwrap()])
        .ok();
    bed.write(".git/info/exclude", "helper\n");
    std::fs::write(linked.join("src/a"), "any\n".repeat(4)).unwrap();
    let report = bed
        .run(&["-C", &at, "trial", "-m", "linked", "--json"])
        .ok()
        .json();
    assert_eq!(report["reason"], "protected", "{report}");
    let detail = report["detail"].as_str().unwrap();
    assert!(detail.contains("info/exclude"), "{detail}");
}

#[test]
fn a_rule_file_in_the_work_tree_that_is_made_edited_or_deleted_makes_the_trial_void() {
    for name in [".gitignore", ".gitattributes", ".gitmodules"] {
        for folder in ["", "src/", "other/", "src/new/"] {
            let bed = Testbed::started(CONFIG);
            let path = format!("{folder}{name}");
            bed.write(&path, "# rules\n");
            bed.edit(4);
            is_void(&bed, &path);
            std::fs::remove_file(bed.path(&path)).unwrap();
            assert_eq!(bed.try_count(4), "keep");
        }
        let bed = Testbed::new();
        let path = format!("src/{name}");
        bed.write(&path, "# rules\n");
        bed.git(&["add", "-A"]);
        bed.git(&["commit", "-qm", "rules"]);
        bed.start(CONFIG);
        bed.write(&path, "# other rules\n");
        bed.edit(4);
        is_void(&bed, &path);
        std::fs::remove_file(bed.path(&path)).unwrap();
        is_void(&bed, &path);
        bed.git(&["checkout", "--", &path]);
        assert_eq!(bed.try_count(4), "keep");
    }
}

#[test]
fn a_gitignore_that_hides_itself_makes_the_trial_void_wherever_it_is() {
    for (folder, rules) in [
        ("src/", "*\n"),
        ("src/", ".gitignore\nhelper\n"),
        ("src/new/", "*\n"),
        ("src/new/deep/", "/*\n"),
        ("", ".gitignore\nhelper\n"),
        ("helpers/", "*\n"),
        ("src/.cache/", "*\n"),
    ] {
        let bed = Testbed::started(CONFIG);
        let path = format!("{folder}.gitignore");
        bed.write(&path, rules);
        bed.write(&format!("{folder}helper"), "hidden\n");
        bed.edit(4);
        assert!(!bed.git(&["status", "--porcelain"]).contains("helper"));
        is_void(&bed, &path);
        assert_eq!(bed.trial("again")["reason"], "protected");
    }
}

#[test]
fn a_new_rule_file_is_found_where_every_dotted_file_is_ignored() {
    let bed = Testbed::new();
    bed.write(".gitignore", ".*\n!/.gitignore\n");
    bed.write("src/.gitignore", "*.tmp\n");
    bed.git(&["add", ".gitignore"]);
    bed.git(&["commit", "-qm", "ignore"]);
    bed.start(CONFIG);
    assert_eq!(bed.try_count(4), "keep", "what stood at start is no change");
    bed.write("src/.gitignore", "*.tmp\nhelper\n");
    bed.edit(3);
    is_void(&bed, "src/.gitignore");
    bed.write("src/.gitignore", "*.tmp\n");
    bed.write("src/.gitattributes", "* text eol=crlf\n");
    bed.edit(3);
    is_void(&bed, "src/.gitattributes");
    assert_eq!(bed.read("src/a"), "any\n".repeat(3), "not rewritten");
}

#[test]
fn what_tools_and_folders_ignored_at_start_hold_is_no_rule_of_the_repository() {
    let bed = Testbed::new();
    bed.write(".gitignore", "node_modules/\n");
    bed.git(&["add", ".gitignore"]);
    bed.git(&["commit", "-qm", "ignore"]);
    bed.start(CONFIG);
    bed.write("node_modules/package/.gitignore", "*\n");
    bed.write(".ruff_cache/.gitignore", "*\n");
    bed.write(
        ".ruff_cache/CACHEDIR.TAG",
        "Signature: 8a477f597d28d172789f06886806bc55\n",
    );
    assert_eq!(bed.try_count(4), "keep");
}

#[test]
fn a_rule_file_that_verify_itself_makes_goes_outside_the_scope_and_voids_inside() {
    let bed = Testbed::new();
    bed.write(
        "count.sh",
        "for at in build src/made; do test -f src/make && mkdir -p $at && echo '*' > $at/.gitignore; test -f src/deep || break; done\ncat src/* 2>/dev/null | grep -c '^any$'\n",
    );
    bed.git(&["commit", "-qam", "build"]);
    bed.start(CONFIG);
    bed.write("src/make", "x\n");
    bed.edit(4);
    let report = bed.trial("builds");
    assert_eq!(report["verdict"], "keep", "{report}");
    assert!(!bed.path("build/.gitignore").exists());
    assert_eq!(bed.try_count(3), "keep", "it is held against nobody");
    bed.write("src/deep", "x\n");
    bed.edit(2);
    let report = bed.trial("hides in the scope");
    assert_eq!(report["reason"], "changed-during-verify", "{report}");
}

#[test]
fn rules_that_change_while_verify_runs_void_a_keep() {
    let bed = Testbed::new();
    bed.write(
        "count.sh",
        "test -f src/meddle && echo '*.tmp' >> .gitignore\ncat src/* | grep -c '^any$'\n",
    );
    bed.write(".gitignore", "*.log\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "meddle"]);
    bed.start(CONFIG);
    bed.edit(1);
    bed.write("src/meddle", "x\n");
    let report = bed.trial("meddles");
    assert_eq!(report["reason"], "changed-during-verify", "{report}");
}

#[test]
fn a_work_tree_of_the_runs_own_is_rid_of_a_gitignore_that_hides_itself() {
    let bed = Testbed::started(&format!("{CONFIG}isolation: worktree\n"));
    let tree = bed.own_tree();
    std::fs::write(tree.join("src/.gitignore"), "*\n").unwrap();
    std::fs::write(tree.join("src/a"), "any\n".repeat(4)).unwrap();
    assert_eq!(bed.trial("hides")["reason"], "protected");
    assert!(!tree.join("src/.gitignore").exists());
    std::fs::write(tree.join("src/a"), "any\n".repeat(4)).unwrap();
    assert_eq!(bed.trial("open")["verdict"], "keep");
}

#[test]
fn grafts_give_a_commit_no_other_parents_and_void_a_trial() {
    let bed = Testbed::started(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
    let head = bed.git(&["rev-parse", "HEAD"]);
    let first = bed.git(&["rev-list", "--max-parents=0", "HEAD"]);
    for (name, text) in [
        (".git/info/grafts", format!("{}\n", head.trim())),
        (".git/shallow", format!("{}\n", first.trim())),
    ] {
        bed.write(name, &text);
        bed.edit(3);
        let report = bed.trial("other parents");
        assert_eq!(report["reason"], "protected", "{name}: {report}");
        std::fs::remove_file(bed.path(name)).unwrap();
    }
    assert_eq!(bed.try_count(3), "keep");
}
