//! Verify and guard in a view: the run's tree at the path of the user's checkout, whose folders are copied on write.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ready_trees::{Project, has_programs, make_python_project};
use crate::shown::assert_answer;
use crate::testbed::{Testbed, finish, note_skipped};

/// Does the system open views here? In a container it may not.
pub(crate) fn can_view() -> bool {
    let script = "unshare -m true && d=$(mktemp -d) && mkdir $d/l $d/u $d/w $d/m && \
                  unshare -m mount -t overlay overlay -o lowerdir=$d/l,upperdir=$d/u,workdir=$d/w $d/m; \
                  code=$?; rm -rf $d; exit $code";
    let mut shell = Command::new("sh");
    shell.args(["-c", script]);
    let can = finish(shell).code == 0;
    if !can {
        note_skipped("no overlay can be mounted here");
    }
    can
}

/// A build whose plan names the checkout that made it, as the plans of `CMake` and ninja do.
fn make_planned_project() -> Project {
    let project = Project::new(
        "sh build/plan",
        &[(".gitignore", "build/\n"), ("src/n", "10\n")],
        &[("build/CMakeCache.txt", "")],
    );
    let here = project.bed.repo.display().to_string();
    let home = format!("CMAKE_HOME_DIRECTORY:INTERNAL={here}\n");
    project.bed.write("build/CMakeCache.txt", &home);
    let plan = format!("echo built >> {here}/build/log\ncat {here}/src/n\n");
    project.bed.write("build/plan", &plan);
    project.bed.write("build/log", "");
    project
}

fn count_notes(bed: &Testbed) -> usize {
    std::fs::read_dir(bed.state.join("tree-notes")).map_or(0, Iterator::count)
}

#[test]
fn a_build_that_names_the_checkout_measures_the_tree_and_leaves_the_checkout_as_it_is() {
    if !can_view() {
        return;
    }
    let project = make_planned_project();
    let before = project.picture();
    assert_answer!(project.start_in_view("copy: build\n"), @r#"
    note: verify and guard see the run's tree at the path of your checkout, with its build/ copied on write
    run `demo` started: less
      metric    m = 10 (lower is better)
      noise     none: 3 equal runs; a keep takes two equal runs or three, a discard one
      guard     pass
      scope     src/**
      pinned    1 file: <bed>/repo/build/plan; a trial that changes one is void
      branch    autoresearch/demo in <bed>/state/trees/<id>/autoresearch-demo
      limits    50 iterations
      log       autoresearch-results/demo/research-results.tsv
    next: change one thing in scope (src/**) in the run's own work tree <bed>/state/trees/<id>/autoresearch-demo, leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    assert!(!project.tree().join("build/plan").exists(), "not copied");
    assert_eq!(project.try_text("src/n", "3\n"), 3);
    // The person works on in the checkout, and builds there.
    project.bed.write("src/n", "7\n");
    assert_eq!(project.try_text("src/n", "2\n"), 2);
    project.bed.write("src/n", "10\n");
    let after = project.picture();
    let changed =
        |name: &str| before.get(&project.bed.path(name)) != after.get(&project.bed.path(name));
    assert!(!changed("build/log") && !changed("build/plan"));
    // What verify wrote stays from one trial to the next, as in a build folder of its own.
    let written = project.bed.state.join("tree-notes");
    let mut find = Command::new("sh");
    find.args(["-c", "cat $(find . -name log)"])
        .current_dir(&written);
    assert_eq!(
        finish(find).ok().out.lines().count(),
        8,
        "three at start, two for the first keep, and three for the one by a digit"
    );
    project.bed.run(&["finish"]).ok();
    assert_eq!(count_notes(&project.bed), 0, "nothing of the view is left");
}

#[test]
fn where_views_are_off_or_another_process_would_do_the_work_the_same_build_is_refused() {
    for (verify, view) in [
        ("sh build/plan", "view: off\n"),
        ("docker run -v $PWD:/src image sh build/plan", ""),
        ("./gradlew -q count", ""),
    ] {
        let project = make_planned_project();
        let project = Project {
            verify: verify.to_owned(),
            ..project
        };
        project
            .start_in_view(&format!("copy: build\n{view}"))
            .fails(3)
            .says("`build/CMakeCache.txt` holds the path of your checkout");
    }
    // A view shows a folder whole.
    let project = make_planned_project();
    project
        .start_in_view("copy: [build, \"!build/log\"]\n")
        .fails(3)
        .says("holds the path of your checkout");
}

#[test]
fn an_environment_with_an_editable_install_measures_the_tree_also_by_a_whole_path_and_without_a_line_of_config()
 {
    if !can_view() || !has_programs(&["python3"]) {
        return;
    }
    for whole in [false, true] {
        let project = make_python_project(".venv/bin/python -B bench.py");
        let python = project.bed.path(".venv/bin/python").display().to_string();
        let (verify, setup) = if whole {
            (format!("{python} -B bench.py"), "")
        } else {
            (".venv/bin/python -B bench.py".to_owned(), "link: .venv\n")
        };
        let project = Project { verify, ..project };
        let before = project.picture();
        project.start_in_view(setup).ok();
        assert_eq!(project.try_text("src/own/__init__.py", "V = 3\n"), 4);
        project.bed.write("src/own/__init__.py", "V = 7\n");
        assert_eq!(project.try_text("src/own/__init__.py", "V = 2\n"), 3);
        project.bed.write("src/own/__init__.py", "V = 10\n");
        let after = project.picture();
        let venv = project.bed.path(".venv");
        let below = |all: &BTreeMap<PathBuf, String>| {
            all.iter()
                .filter(|(path, _)| path.starts_with(&venv))
                .map(|(path, line)| (path.clone(), line.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(below(&after), below(&before));
    }
}

#[test]
fn what_verify_executes_in_a_folder_of_the_checkout_is_pinned_unless_verify_makes_it() {
    if !can_view() {
        return;
    }
    let project = Project::new(
        "cat src/n; cp tools/check tools/made; sh tools/made && sh tools/check; \
         t=tools; if grep -q 3 src/n; then echo true > $t/check; fi",
        &[(".gitignore", "tools/\n"), ("src/n", "5\n")],
        &[("tools/check", "exit 0\n"), ("tools/made", "exit 1\n")],
    );
    let check = project.bed.path("tools/check").display().to_string();
    project
        .start_in_view("copy: tools\n")
        .ok()
        .says(&format!("pinned    1 file: {check};"));
    project.bed.write("tools/made", "exit 2\n");
    assert_eq!(project.try_text("src/n", "4\n"), 4);
    project.bed.write("tools/check", "echo 1\n");
    std::fs::write(project.tree().join("src/n"), "3\n").unwrap();
    project
        .bed
        .run(&["trial", "-m", "a check of one's own"])
        .ok()
        .says("trial 2: discard (protected)")
        .says(&format!("protected files were changed: {check}"));
    // A command of a trial may write it in the view: then that one is named, and its removal restores what was pinned.
    project.bed.write("tools/check", "exit 0\n");
    std::fs::write(project.tree().join("src/n"), "3\n").unwrap();
    let spoilt = project.bed.run(&["trial", "-m", "spoils it"]).ok();
    let mut words = spoilt.out.split([' ', '\n', ',', ';']);
    let written = words.find(|word| word.ends_with("/written/check"));
    let written = written.unwrap_or_else(|| panic!("it is not named: {spoilt:?}"));
    std::fs::remove_file(written).unwrap();
    assert_eq!(project.try_text("src/n", "2\n"), 2);
    assert_eq!(
        project.bed.story(),
        ["0 baseline", "1 keep", "2 discard", "3 discard", "4 keep"]
    );
}

#[test]
fn a_failure_names_the_files_of_the_tree_and_not_those_of_the_checkout() {
    if !can_view() {
        return;
    }
    let project = make_planned_project();
    project.start_in_view("copy: build\n").ok();
    let tree = project.tree();
    std::fs::remove_file(tree.join("src/n")).unwrap();
    let mut command = project.bed.command(&["trial", "-m", "an edit"]);
    command.current_dir(&tree);
    let answer = finish(command);
    assert!(
        answer.out.contains(&format!("{}/src/n", tree.display())),
        "{answer:?}"
    );
}

#[test]
fn a_view_that_cannot_be_opened_any_more_is_no_failed_trial_and_no_edit_is_lost() {
    if !can_view() {
        return;
    }
    let project = make_planned_project();
    project.start_in_view("copy: build\n").ok();
    let (build, away) = (project.bed.path("build"), project.bed.path("src/away"));
    std::fs::rename(&build, &away).unwrap();
    std::fs::write(project.tree().join("src/n"), "4\n").unwrap();
    assert_answer!(project.bed.run(&["trial", "-m", "four"]), @"
    exit code 6
    --- stderr
    error: the work tree could not be shown at <bed>/repo: <bed>/repo/build: No such file or directory (os error 2)
    hint: nothing was measured. This run's commands see its tree in a view since its start: bring back what is named, or call the command where the system opens views (outside a sandbox or container); a new run with `view: off` gets links and copies instead
    ");
    std::fs::rename(&away, &build).unwrap();
    project.bed.run(&["resume"]).ok();
    assert_eq!(project.bed.story(), ["0 baseline", "1 interrupted"]);
    assert_eq!(project.try_text("src/n", "4\n"), 4);
}

#[test]
fn a_crash_at_every_step_of_a_start_in_a_view_leaves_no_run_or_a_whole_one_and_clean_takes_all() {
    if !can_view() {
        return;
    }
    for step in [
        "tree note",
        "git worktree add",
        "tree touch",
        "tree filled",
        "anchor start",
        "journal start",
    ] {
        let project = make_planned_project();
        let config = project.bed.home.join("config.yaml");
        let text = "goal: less\ntag: demo\nscope: [\"src/**\"]\nmetric: {name: m, direction: lower}\nverify: {command: sh build/plan}\nguard: {command: \"true\"}\nisolation: worktree\ncopy: build\n";
        std::fs::write(&config, text).unwrap();
        let start = ["start", "--config", config.to_str().unwrap()];
        let before = project.picture();
        let crashed = project.bed.run_with(&start, &[("SEALED_CRASH_AT", step)]);
        assert_eq!(crashed.code, -1, "{step}: {crashed:?}");
        project.bed.run(&["clean", "--yes"]).ok();
        if project.bed.run(&["status"]).code != 0 {
            assert_eq!(count_notes(&project.bed), 0, "{step}");
            project.bed.run(&start).ok();
        }
        project.bed.run(&["resume"]).ok();
        assert_eq!(project.try_text("src/n", "3\n"), 3, "{step}");
        project.bed.run(&["finish"]).ok();
        assert_eq!(count_notes(&project.bed), 0, "{step}");
        assert_eq!(project.picture(), before, "{step}");
        assert!(Path::new(&project.bed.repo).join("build/plan").exists());
    }
}
