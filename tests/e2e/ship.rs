//! `ship check`: the gates of a release in real repositories, the checklist that is written, and a run that closes them.

use crate::fix::{hide_spans, project};
use crate::shown::assert_answer;
use crate::testbed::{Answer, Testbed, processes_with, wait_until};

/// A release of which two gates are open: no entry in the changelog, and the version in one place only.
const RELEASE: &str = r"
goal: Ready to release 1.2.0
tag: demo
mode: ship
scope: [CHANGELOG.md, version.txt]
metric: {name: open_gates, direction: lower, target: 0}
verify: {gates: true}
guard: {command: test -s app.sh}
gates:
  - {name: tests pass, command: sh app.sh --test}
  - name: a changelog entry with content
    command: sh checks/changelog.sh 1.2.0
  - name: the version is 1.2.0
    command: cat version.txt
    expect: {prints: '^1\.2\.0$'}
  - {name: no debug code, command: grep -n DEBUG app.sh, expect: {exit: 1}}
  - {name: a page for users, command: test -s USERS.md, required: false}
";
const CHANGELOG_CHECK: &str =
    "grep -A2 \"^## $1\" CHANGELOG.md | grep '^- ' || { echo \"no entry for $1\" >&2; exit 1; }\n";

fn release() -> Testbed {
    let bed = project(&[
        ("app.sh", "echo 1 test passed\n"),
        ("CHANGELOG.md", "# Changes\n\n## 1.1.0\n\n- first\n"),
        ("version.txt", "1.1.0\n"),
        ("checks/changelog.sh", CHANGELOG_CHECK),
    ]);
    bed.write("autoresearch.yaml", RELEASE);
    bed
}

fn check(bed: &Testbed, more: &[&str]) -> String {
    hide_spans(&bed.run(&[&["ship", "check"], more].concat()))
}

/// A file that was written, without how long each gate took.
fn read_written(bed: &Testbed, name: &str) -> String {
    let text = bed.read(&format!("autoresearch-results/ship/{name}"));
    let lines = text
        .lines()
        .map(|line| match line.split_once("\"took_ms\": ") {
            Some((before, after)) if after.starts_with(|digit: char| digit.is_ascii_digit()) => {
                format!("{before}\"took_ms\": <ms>,")
            }
            _ => line.to_owned(),
        });
    let out = lines.collect::<Vec<_>>().join("\n");
    let (code, err) = (0, String::new());
    hide_spans(&Answer { code, out, err })
}

/// A release with these gates, one a line.
fn with_gates(gates: &str) -> Testbed {
    let bed = project(&[("app.sh", "echo fine\n"), (".gitignore", "made/\n")]);
    bed.write(
        "autoresearch.yaml",
        &format!(
            "goal: g\nscope: [app.sh]\nmetric: {{name: m, direction: lower}}\nverify: {{command: echo 1}}\nguard: {{command: 'true'}}\ngates:\n{gates}"
        ),
    );
    bed
}

#[test]
fn what_is_open_is_listed_with_its_reason_and_written_as_a_checklist() {
    let bed = release();
    assert_answer!(check(&bed, &["--dry-run"]), @r#"
    tests pass                      sh app.sh --test
    a changelog entry with content  sh checks/changelog.sh 1.2.0
    the version is 1.2.0            cat version.txt  (expects exit status 0, and prints what `^1\.2\.0$` matches)
    no debug code                   grep -n DEBUG app.sh  (expects exit status 1)
    a page for users                not required: test -s USERS.md
    next: autoresearch ship check runs these
    "#);
    assert!(!bed.path("autoresearch-results").exists());
    assert_answer!(check(&bed, &[]), @r#"
    exit code 1
    tests pass                      passes (<span>)
    a changelog entry with content  open (<span>): exit status 1
                                    | no entry for 1.2.0
    the version is 1.2.0            open (<span>): prints nothing that `^1\.2\.0$` matches
                                    | 1.1.0
    no debug code                   passes (<span>)
    a page for users                open (<span>), not required: exit status 1
    ready                           2 of 4 required gates pass, at commit <commit>
    wrote                           autoresearch-results/ship/checklist.md
    next: close `a changelog entry with content`, then: autoresearch ship check
    "#);
    assert_answer!(read_written(&bed, "checklist.md"), @r#"
    # Release checklist

    2 of 4 required gates pass, at commit <commit> (<time>).

    - [x] tests pass: passes (<span>)
    - [ ] a changelog entry with content: open (<span>): exit status 1

          sh checks/changelog.sh 1.2.0
          | no entry for 1.2.0

    - [ ] the version is 1.2.0: open (<span>): prints nothing that `^1\.2\.0$` matches

          cat version.txt
          | 1.1.0

    - [x] no debug code: passes (<span>)
    - [ ] a page for users: open (<span>), not required: exit status 1

          test -s USERS.md
    "#);
    assert_answer!(read_written(&bed, "checklist.json"), @r#"
    {
      "file": "autoresearch.yaml",
      "at": "<time>",
      "commit": "<commit>",
      "clean": true,
      "gates": [
        {
          "name": "tests pass",
          "command": "sh app.sh --test",
          "required": true,
          "expect": "exit status 0",
          "outcome": "passes",
          "why": null,
          "took_ms": <ms>,
          "said": "1 test passed"
        },
        {
          "name": "a changelog entry with content",
          "command": "sh checks/changelog.sh 1.2.0",
          "required": true,
          "expect": "exit status 0",
          "outcome": "open",
          "why": "exit status 1",
          "took_ms": <ms>,
          "said": "no entry for 1.2.0"
        },
        {
          "name": "the version is 1.2.0",
          "command": "cat version.txt",
          "required": true,
          "expect": "exit status 0, and prints what `^1\\.2\\.0$` matches",
          "outcome": "open",
          "why": "prints nothing that `^1\\.2\\.0$` matches",
          "took_ms": <ms>,
          "said": "1.1.0"
        },
        {
          "name": "no debug code",
          "command": "grep -n DEBUG app.sh",
          "required": true,
          "expect": "exit status 1",
          "outcome": "passes",
          "why": null,
          "took_ms": <ms>,
          "said": ""
        },
        {
          "name": "a page for users",
          "command": "test -s USERS.md",
          "required": false,
          "expect": "exit status 0",
          "outcome": "open",
          "why": "exit status 1",
          "took_ms": <ms>,
          "said": ""
        }
      ],
      "required": 4,
      "open": 2,
      "left": [],
      "changed": [],
      "checklist": "autoresearch-results/ship/checklist.md",
      "next": "close `a changelog entry with content`, then: autoresearch ship check"
    }
    "#);
    // git sees nothing of it, and neither doctor nor clean wonders about it.
    assert_answer!(bed.git(&["status", "--short"]), @"?? autoresearch.yaml");
    let clean = bed.run(&["clean"]).ok();
    assert!(!clean.out.contains("ship"), "{clean}");
}

#[test]
fn a_release_without_an_open_gate_says_so_and_exits_with_success() {
    let bed = release();
    bed.write("version.txt", "1.2.0\n");
    bed.write("CHANGELOG.md", "# Changes\n\n## 1.2.0\n\n- second\n");
    assert_answer!(check(&bed, &[]), @"
    tests pass                      passes (<span>)
    a changelog entry with content  passes (<span>)
    the version is 1.2.0            passes (<span>)
    no debug code                   passes (<span>)
    a page for users                open (<span>), not required: exit status 1
    ready                           4 of 4 required gates pass, at commit <commit> and uncommitted changes
    wrote                           autoresearch-results/ship/checklist.md
    next: every required gate passes, with changes that no commit holds: commit them, then: autoresearch ship check
    ");
    bed.git(&["commit", "-qam", "1.2.0"]);
    assert_answer!(check(&bed, &["--json"]), @r#"{"file":"autoresearch.yaml","at":"<time>","commit":"<commit>","clean":true,"gates":[{"name":"tests pass","command":"sh app.sh --test","required":true,"expect":"exit status 0","outcome":"passes","why":null,"took_ms":<ms>,"said":"1 test passed"},{"name":"a changelog entry with content","command":"sh checks/changelog.sh 1.2.0","required":true,"expect":"exit status 0","outcome":"passes","why":null,"took_ms":<ms>,"said":"- second"},{"name":"the version is 1.2.0","command":"cat version.txt","required":true,"expect":"exit status 0, and prints what `^1\\.2\\.0$` matches","outcome":"passes","why":null,"took_ms":<ms>,"said":"1.2.0"},{"name":"no debug code","command":"grep -n DEBUG app.sh","required":true,"expect":"exit status 1","outcome":"passes","why":null,"took_ms":<ms>,"said":""},{"name":"a page for users","command":"test -s USERS.md","required":false,"expect":"exit status 0","outcome":"open","why":"exit status 1","took_ms":<ms>,"said":""}],"required":4,"open":0,"left":[],"changed":[],"checklist":"autoresearch-results/ship/checklist.md","next":"every required gate passes; what leaves this machine (merge, tag, push, publish) is for a person"}"#);
    assert_answer!(read_written(&bed, "checklist.md"), @"
    # Release checklist

    4 of 4 required gates pass, at commit <commit> (<time>).

    - [x] tests pass: passes (<span>)
    - [x] a changelog entry with content: passes (<span>)
    - [x] the version is 1.2.0: passes (<span>)
    - [x] no debug code: passes (<span>)
    - [ ] a page for users: open (<span>), not required: exit status 1

          test -s USERS.md
    ");
}

#[test]
fn a_gate_that_hangs_ends_at_its_limit_and_one_that_lacks_a_program_cannot_run() {
    let bed = with_gates(
        "  - {name: hangs, command: 'echo waits; sleep 1000', timeout: 1s}\n  - {name: lacks, command: no-such-program --check}\n  - {name: leaves a process, command: 'sleep 1000 >/dev/null 2>&1 & echo done'}\n  - {name: in its folder, command: pwd, working_directory: docs}\n",
    );
    bed.write("docs/a.md", "x\n");
    let shown = check(&bed, &[]);
    let shown = shown
        .lines()
        .filter(|line| !line.contains("no-such-program:"));
    let shown = shown.filter(|line| !line.contains("not found") || line.contains("127"));
    assert_answer!(shown.collect::<Vec<_>>().join("\n"), @"
    exit code 1
    hangs             open (<span>): timed out after 1s
                      | waits
    lacks             cannot run here (<span>): exit status 127 (command not found)
    leaves a process  passes (<span>)
    in its folder     passes (<span>)
    ready             2 of 4 required gates pass, at commit <commit> and uncommitted changes
    wrote             autoresearch-results/ship/checklist.md
    next: close `hangs`, then: autoresearch ship check
    ");
    assert_eq!(
        processes_with(bed.repo.to_str().unwrap()),
        Vec::<String>::new()
    );
}

#[test]
fn what_is_printed_decides_where_it_is_asked_for_and_in_both_outputs() {
    let bed = with_gates(
        "  - {name: prints it, command: 'echo v1.2.0', expect: {prints: '^v1'}}\n  - {name: prints it aside, command: 'echo v1.2.0 >&2', expect: {prints: '^v1'}}\n  - {name: does not, command: 'echo v2', expect: {prints: '^v1'}}\n  - {name: warns, command: 'echo all fine; echo \"warning: old\" >&2', expect: {prints_not: 'warning:'}}\n  - {name: is quiet, command: 'true', expect: {prints_not: '.'}}\n  - {name: fails in silence, command: 'exit 3', expect: {prints_not: '.'}}\n  - {name: finds nothing, command: 'exit 1', expect: {exit: 1}}\n  - {name: finds something, command: 'echo x', expect: {exit: 1}}\n",
    );
    assert_answer!(check(&bed, &[]), @"
    exit code 1
    prints it         passes (<span>)
    prints it aside   passes (<span>)
    does not          open (<span>): prints nothing that `^v1` matches
                      | v2
    warns             open (<span>): prints what `warning:` matches: warning: old
                      | warning: old
    is quiet          passes (<span>)
    fails in silence  open (<span>): exit status 3
    finds nothing     passes (<span>)
    finds something   open (<span>): exit status 0, not 1
                      | x
    ready             4 of 8 required gates pass, at commit <commit>
    wrote             autoresearch-results/ship/checklist.md
    next: close `does not`, then: autoresearch ship check
    ");
}

#[test]
fn a_gate_that_writes_into_the_tree_is_told_by_the_names_of_the_files() {
    let bed = with_gates(
        "  - {name: writes, command: 'mkdir -p made dist; echo x > made/ignored; echo x > dist/a.tgz; echo more >> app.sh'}\n",
    );
    assert_answer!(check(&bed, &[]), @"
    writes   passes (<span>)
    ready    1 of 1 required gate passes, at commit <commit>
    left     by the gates: dist/a.tgz; let git ignore it, or let the gate remove it
    changed  by the gates: app.sh; look at it, and keep the gates from writing what is yours
    wrote    autoresearch-results/ship/checklist.md
    next: every required gate passes, with changes that no commit holds: commit them, then: autoresearch ship check
    ");
}

#[test]
fn what_is_not_ours_in_the_place_of_the_checklist_is_neither_written_nor_followed() {
    let bed = release();
    let ran = bed.path("ran");
    bed.write("app.sh", "touch ran\n");
    bed.write("autoresearch-results/ship/notes.txt", "mine\n");
    assert_answer!(check(&bed, &[]), @"
    exit code 4
    --- stderr
    error: <bed>/repo/autoresearch-results/ship holds `notes.txt`, which is not of a checklist
    hint: nothing was run. The checklist is written there, so move away what is; where it is of a run called `ship`, `autoresearch clean` removes that
    ");
    std::fs::remove_dir_all(bed.path("autoresearch-results/ship")).unwrap();
    let elsewhere = bed.folder.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, bed.path("autoresearch-results/ship")).unwrap();
    assert_answer!(check(&bed, &[]), @"
    exit code 4
    --- stderr
    error: <bed>/repo/autoresearch-results/ship is a symbolic link
    hint: nothing was run. Remove the link
    ");
    std::fs::remove_file(bed.path("autoresearch-results/ship")).unwrap();
    bed.write("autoresearch-results/ship", "a file\n");
    assert_answer!(check(&bed, &[]), @"
    exit code 4
    --- stderr
    error: <bed>/repo/autoresearch-results/ship is not a folder
    hint: nothing was run. The checklist is written there, so move away what is; where it is of a run called `ship`, `autoresearch clean` removes that
    ");
    assert!(!ran.exists());
    // A link in the place of a file is replaced.
    std::fs::remove_file(bed.path("autoresearch-results/ship")).unwrap();
    std::fs::create_dir(bed.path("autoresearch-results/ship")).unwrap();
    let target = elsewhere.join("theirs");
    std::fs::write(&target, "theirs\n").unwrap();
    let link = bed.path("autoresearch-results/ship/checklist.md");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    check(&bed, &[]);
    assert!(ran.exists() && !link.is_symlink());
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "theirs\n");
}

#[test]
fn a_config_without_gates_or_with_a_wrong_one_is_refused_before_anything_runs() {
    let bed = with_gates("  []\n");
    assert_answer!(check(&bed, &[]), @r#"
    exit code 3
    --- stderr
    error: the config autoresearch.yaml has no gates
    hint: add what must hold before a release: `gates: [{name: tests pass, command: make test}]`; GUIDE.md has more under "Ship"
    "#);
    assert_answer!(check(&bed, &["--config", "release.yaml"]), @"
    exit code 3
    --- stderr
    error: could not read the config release.yaml
    caused by: No such file or directory (os error 2)
    hint: `autoresearch config example lint > autoresearch.yaml` writes one to start from
    ");
    let bed = with_gates("  - {name: a, command: 'true', working_directory: absent}\n");
    assert_answer!(check(&bed, &[]), @"
    exit code 3
    --- stderr
    error: the config autoresearch.yaml has 1 error
    caused by: autoresearch.yaml:7: gates[0].working_directory: `absent` is not a folder -> name a folder inside the repository
    hint: fix these, then run `autoresearch config check autoresearch.yaml`
    ");
    bed.write(
        "release.yaml",
        "goal: g\nscope: [app.sh]\nmetric: {name: m, direction: lower}\nverify: {gates: true}\ngates:\n  - {name: a, command: 'true', working_directory: absent}\n  - {name: a, comand: 'true'}\n",
    );
    assert_answer!(check(&bed, &["--config", "release.yaml"]), @"
    exit code 3
    --- stderr
    error: the config release.yaml has 2 errors
    caused by: release.yaml:7: gates[1].comand: unknown key `comand` -> did you mean `command`?
    caused by: release.yaml:7: gates[1]: `command` is missing -> add `command:` (The text for the shell)
    hint: fix these, then run `autoresearch config check release.yaml`
    ");
}

#[test]
fn an_interruption_leaves_nothing_running_and_no_checklist() {
    let bed =
        with_gates("  - {name: hangs, command: 'mkdir -p made; touch made/at-work; sleep 1000'}\n");
    let child = bed.command(&["ship", "check"]).spawn().unwrap();
    wait_until("the gate runs", || bed.path("made/at-work").exists());
    assert_answer!(check(&bed, &[]), @"
    exit code 5
    --- stderr
    error: the run is held by process <pid> (`ship check`, since <time>)
    hint: wait until it is done: `autoresearch status` shows what it does, and for how long. A dead process holds no lock
    ");
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    assert_eq!(
        processes_with(bed.repo.to_str().unwrap()),
        Vec::<String>::new()
    );
    assert!(!bed.path("autoresearch-results").exists());
}

#[test]
fn a_run_counts_what_is_open_names_it_and_ends_when_nothing_is() {
    let bed = release();
    assert_answer!(hide_spans(&bed.run(&["start"]).ok()), @r#"
    run `demo` started: Ready to release 1.2.0
      metric    open_gates = 2 (lower is better, target 0)
      noise     none: 3 equal runs; a keep takes two equal runs or three, a discard one
      reaction  not checked: no gate that passes needs the files of the scope, and open_gates says nothing of one that is open already; make sure by hand that these files can close it
      stderr    of verify, although it succeeded:
                | no entry for 1.2.0
      guard     pass
      scope     CHANGELOG.md version.txt
      pinned    2 files: app.sh, checks/changelog.sh; a trial that changes one is void
      yours     1 changed file outside the scope: left alone, never committed
      branch    autoresearch/demo in <bed>/repo
      limits    50 iterations
      log       autoresearch-results/demo/research-results.tsv
    next: change one thing in scope (CHANGELOG.md version.txt), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    assert_answer!(check(&bed, &[]), @"
    exit code 4
    --- stderr
    error: the run `demo` works in this work tree
    hint: continue it (`autoresearch resume`), end it (`autoresearch finish --run demo`), or use `isolation: worktree`
    ");
    bed.write("version.txt", "1.2.0\n");
    assert_answer!(bed.run(&["trial", "-m", "the version"]).ok(), @r#"
    trial 1: keep, open_gates 1 open gates (-1, -50 %), guard pass, commit <commit>
    still open:
      | a changelog entry with content: exit status 1: no entry for 1.2.0
    files: version.txt
    next: change one thing in scope (CHANGELOG.md version.txt), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    assert_answer!(bed.read("autoresearch-results/demo/trials/1/verify-1.out"), @"
    1 test passed
    [gate 1 of 4, tests pass: passes]
    [gate 2 of 4, a changelog entry with content: open: exit status 1]
    1.2.0
    [gate 3 of 4, the version is 1.2.0: passes]
    [gate 4 of 4, no debug code: passes]
    [open_gates: 1 of 4 gates open]
    ");
    // What checks is not the agent's to change.
    bed.write("checks/changelog.sh", "true\n");
    assert_answer!(bed.run(&["trial", "-m", "an easier gate"]).ok(), @r#"
    trial 2: discard (protected); the best is 1 from trial 1
    why: protected files were changed: checks/changelog.sh
    still changed: checks/changelog.sh; restore it first, or the next trial is void too
    next: change one thing in scope (CHANGELOG.md version.txt), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    bed.write("checks/changelog.sh", CHANGELOG_CHECK);
    bed.write("CHANGELOG.md", "# Changes\n\n## 1.2.0\n\n- second\n");
    assert_answer!(bed.run(&["trial", "-m", "the entry"]).ok(), @"
    trial 3: keep, open_gates 0 open gates (-1, -100 %), guard pass, commit <commit>
    files: CHANGELOG.md
    next: the run has ended (target: open_gates is 0 open gates); `autoresearch finish` goes back to your branch and shows what was kept
    ");
    bed.run(&["finish"]).ok();
    bed.git(&["merge", "-q", "--ff-only", "autoresearch/demo"]);
    let ready = bed.run(&["ship", "check"]).ok();
    assert!(ready.out.contains("4 of 4 required gates pass"), "{ready}");
}

#[test]
fn a_gate_that_cannot_run_gives_a_run_no_number() {
    let bed = release();
    let gates = RELEASE.replace("sh app.sh --test", "no-such-program");
    bed.write("autoresearch.yaml", &gates);
    let refused = bed.run(&["start"]);
    let told = refused.to_string();
    let lines = told.lines().filter(|line| !line.contains("its last lines"));
    assert_answer!(lines.collect::<Vec<_>>().join("\n"), @"
    exit code 3
    --- stderr
    error: verify gives no metric on the untouched tree: the gate `tests pass` cannot run: exit status 127 (command not found)
    hint: `autoresearch ship check` tells what each gate lacks: get it, or take the gate out
    ");
    assert!(!bed.path("autoresearch-results").exists());
}

#[test]
fn gates_that_are_open_already_hide_the_scope_and_the_start_says_so() {
    let bed = release();
    let alone = "  - {name: tests pass, command: sh app.sh --test}\n  - name: a changelog entry with content\n    command: sh checks/changelog.sh 1.2.0\n";
    let (before, _) = RELEASE.split_once("  - {name: tests").unwrap();
    let text = format!("{before}{alone}").replace(", version.txt", "");
    bed.write("autoresearch.yaml", &text);
    assert_answer!(bed.run(&["config", "try"]).ok(), @"
    guard     pass
    verify    open_gates = 1, 1, 1 (no noise, <span> a run)
    <trial>
    stderr    of verify, although it succeeded:
              | no entry for 1.2.0
    scope     untouched  1
              emptied    1
              deleted    1
              garbage    1
    check     4 runs in <span>, <count> times one run of verify
    <sandbox>
    verdict   whether open_gates reacts to the files of the scope is not checked: no gate that passes needs the files of the scope, and open_gates says nothing of one that is open already; make sure by hand that these files can close it
    ");
    bed.write("CHANGELOG.md", "# Changes\n\n## 1.2.0\n\n- second\n");
    bed.git(&["commit", "-qam", "entry"]);
    assert_answer!(bed.run(&["config", "try"]), @"
    exit code 3
    --- stderr
    error: the target is already met: open_gates is 0 open gates
    hint: nothing is left to do here: take another candidate of `autoresearch scan`, or set a lower `metric.target`
    ");
}

/// A small project in shell with a release behind it, and checks that can run anywhere.
fn released() -> Testbed {
    let bed = project(&[
        (
            "package.json",
            "{\n  \"name\": \"tool\",\n  \"version\": \"1.1.0\",\n  \"private\": true,\n  \"scripts\": {\"test\": \"sh test.sh\"}\n}\n",
        ),
        ("index.js", "console.log(1);\n"),
        ("test.sh", "test -s index.js\n"),
        ("CHANGELOG.md", "# Changes\n\n## Unreleased\n"),
        ("docs/install.md", "npm install tool@1.0.0\n"),
        (
            "README.md",
            "# Tool\n\n[how](docs/install.md#npm), [why](docs/why.md) and [more](https://example.org/a), [top](#tool)\n",
        ),
    ]);
    bed.git(&["tag", "v0.1.0"]);
    bed.write("CHANGELOG.md", "# Changes\n\n## 1.1.0\n\n- first\n");
    bed.write("docs/install.md", "npm install tool@1.1.0\n");
    bed.write("index.js", "console.log(2);\n");
    bed.git(&["commit", "-qam", "1.1.0"]);
    bed.git(&["tag", "-a", "-m", "1.1.0", "v1.1.0"]);
    bed.write("index.js", "console.log(3);\n");
    bed.git(&["commit", "-qam", "more"]);
    // Newer, but of another branch.
    bed.git(&["switch", "-qc", "next", "HEAD~1"]);
    bed.git(&["commit", "-q", "--allow-empty", "-m", "2.0.0"]);
    bed.git(&["tag", "v2.0.0"]);
    bed.git(&["switch", "-q", "main"]);
    bed
}

/// A path with npm that runs the script of the package, as npm would.
fn path_with_npm(bed: &Testbed) -> String {
    let folder = bed.folder.path().join("programs");
    std::fs::create_dir_all(&folder).unwrap();
    crate::testbed::write_program(
        &folder.join("npm"),
        "case $* in *test) sh test.sh;; *) exit 9;; esac\n",
    );
    crate::testbed::write_program(&folder.join("node"), "exit 9\n");
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

#[test]
fn a_sentence_about_a_release_proposes_gates_from_the_last_one_and_a_run_closes_them() {
    let bed = released();
    let path = path_with_npm(&bed);
    let run = |words: &[&str]| hide_spans(&bed.run_with(words, &[("PATH", &path)]));
    let scanned = run(&["scan", "--goal", "release 1.2.0"]);
    let scanned: Vec<&str> = scanned
        .lines()
        .filter(|line| !line.starts_with("machine"))
        .collect();
    assert_answer!(scanned.join("\n"), @"
    repository  Shell (1 file), TypeScript and JavaScript (1 file)
     1  Make 1.2.0 ready to release -> 0
        open_gates: 5 gates; the last release, v1.1.0, changed CHANGELOG.md, docs/install.md, index.js
    next: autoresearch init --goal 'release 1.2.0' writes candidate 1 as autoresearch.yaml, then autoresearch ship check
    ");
    assert_answer!(run(&["init", "--goal", "release 1.2.0"]), @"
    wrote autoresearch.yaml: Make 1.2.0 ready to release
    next: read it, then autoresearch ship check, then autoresearch start
    ");
    assert_answer!(bed.read("autoresearch.yaml"), @r#"
    # Proposed by `autoresearch scan`. Change what you like, then: autoresearch ship check
    # Why: 5 gates; the last release, v1.1.0, changed CHANGELOG.md, docs/install.md, index.js
    goal: release 1.2.0
    mode: ship

    # What a trial may change.
    scope:
      - '/CHANGELOG.md'
      - '/package.json'
      - '/README.md'
      - '/docs/install.md'

    # What no trial may change: tests and settings are the yardstick.
    protect:
      - '/*.js'

    metric:
      name: open_gates
      direction: lower
      target: 0

    # How the number is made.
    verify:
      gates: true

    # What must hold before the release: `autoresearch ship check` runs these.
    gates:
      - name: package.json has version 1.2.0
        command: 'grep -nE ''"version": *"1\.2\.0"'' package.json'
      - name: CHANGELOG.md says what is new in 1.2.0
        command: 'awk ''/^##? /{on = /[^0-9.]1\.2\.0([^0-9.]|$)/; next} on'' CHANGELOG.md'
        expect:
          prints: '^[^#\n]*\w'
      - name: what README.md links to is there
        command: 'ls -d -- . $(awk ''{while (match($0, /\]\([^)#:? \/][^)#:? ]*[)#]/)) {print substr($0, RSTART + 2, RLENGTH - 3); $0 = substr($0, RSTART + RLENGTH)}}'' README.md)'
        required: false
      - name: no debug code
        command: 'git grep -nE ''(^|[^[:alnum:]_])debugger;'' -- ''*.js'''
        expect:
          exit: 1
        required: false
      - name: the tests pass
        command: 'CI=1 npm run -s test'
        timeout: 15m

    iterations: 40
    time_limit: 8h

    # To go on working in these files meanwhile, let the run work in a separate tree:
    # isolation: worktree
    "#);
    assert_answer!(run(&["config", "check"]), @"autoresearch.yaml: no problems");
    // ls says it in its own words.
    let checked = run(&["ship", "check"]).replace("exit status 2", "exit status 1");
    let checked = checked.lines().filter(|line| !line.contains("| ls: "));
    assert_answer!(checked.collect::<Vec<_>>().join("\n"), @r#"
    exit code 1
    package.json has version 1.2.0          open (<span>): exit status 1
    CHANGELOG.md says what is new in 1.2.0  open (<span>): prints nothing that `^[^#\n]*\w` matches
    what README.md links to is there        open (<span>), not required: exit status 1
    no debug code                           passes (<span>), not required
    the tests pass                          passes (<span>)
    ready                                   1 of 3 required gates pass, at commit <commit>
    wrote                                   autoresearch-results/ship/checklist.md
    next: close `package.json has version 1.2.0`, then: autoresearch ship check
    "#);
    let started = run(&["start"]);
    assert!(started.contains("open_gates = 2"), "{started}");
    let manifest = bed.read("package.json");
    bed.write("package.json", &manifest.replace("1.1.0", "1.2.0"));
    assert_answer!(run(&["trial", "-m", "the version"]), @r#"
    trial 1: keep, open_gates 1 open gates (-1, -50 %), commit <commit>
    still open:
      | CHANGELOG.md says what is new in 1.2.0: prints nothing that `^[^#\n]*\w` matches
    files: package.json
    next: change one thing in scope (/CHANGELOG.md /package.json /README.md /docs/install.md), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    bed.write("CHANGELOG.md", "# Changes\n\n## 1.2.0\n\n### Added\n");
    assert_answer!(run(&["trial", "-m", "an empty entry"]), @r#"
    trial 2: discard (tie), open_gates 1 open gates (0); the best is 1 from trial 1
    why: the metric is equal
    files: CHANGELOG.md
    next: change one thing in scope (/CHANGELOG.md /package.json /README.md /docs/install.md), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    bed.write(
        "CHANGELOG.md",
        "# Changes\n\n## 1.2.0\n\n### Added\n\n- three\n",
    );
    assert_answer!(run(&["trial", "-m", "an entry"]), @"
    trial 3: keep, open_gates 0 open gates (-1, -100 %), commit <commit>
    files: CHANGELOG.md
    next: the run has ended (target: open_gates is 0 open gates); `autoresearch finish` goes back to your branch and shows what was kept
    ");
}

#[test]
fn a_gate_runs_in_the_sandbox_that_the_config_asks_for() {
    let bed = with_gates(
        "  - {name: writes elsewhere, command: 'echo x > ../elsewhere'}\n  - {name: writes here, command: 'mkdir -p made && echo x > made/x'}\n",
    );
    let mut unshare = std::process::Command::new("sh");
    unshare
        .arg("-c")
        .arg("unshare --mount --net true || unshare --user --map-current-user --mount --net true");
    if !unshare.output().is_ok_and(|it| it.status.success()) {
        crate::testbed::note_skipped("this system forbids namespaces");
        return;
    }
    let elsewhere = bed.repo.parent().unwrap().join("elsewhere");
    let open = bed.run(&["ship", "check"]).ok();
    assert!(open.out.contains("2 of 2 required gates pass"), "{open}");
    std::fs::remove_file(&elsewhere).unwrap();
    let text = bed.read("autoresearch.yaml");
    let closed = text.replace("{command: echo 1}", "{command: echo 1, sandbox: true}");
    bed.write("autoresearch.yaml", &closed);
    let shown = check(&bed, &[]).replace("exit status 2", "exit status 1");
    let shown = shown.lines().filter(|line| !line.contains("| "));
    assert_answer!(shown.collect::<Vec<_>>().join("\n"), @"
    exit code 1
    writes elsewhere  open (<span>): exit status 1
    writes here       passes (<span>)
    ready             1 of 2 required gates pass, at commit <commit>
    wrote             autoresearch-results/ship/checklist.md
    next: close `writes elsewhere`, then: autoresearch ship check
    ");
    assert!(!elsewhere.exists());
}
