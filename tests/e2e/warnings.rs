//! What `config check` and `start` say of a good config that does not do what is meant: pipes, shells, variables, paths.

use std::collections::BTreeSet;

use std::fmt::Display;

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::{Answer, CONFIG, Testbed};

fn check_with(bed: &Testbed, text: &(impl Display + ?Sized), env: &[(&str, &str)]) -> Answer {
    let file = bed.home.join("run.yaml");
    std::fs::write(&file, text.to_string()).unwrap();
    let mut answer = bed.run_with(&["config", "check", file.to_str().unwrap()], env);
    answer.out = answer.out.replace(bed.home.to_str().unwrap(), "~");
    answer
}

fn check(bed: &Testbed, text: &(impl Display + ?Sized)) -> Answer {
    check_with(bed, text, &[])
}

#[track_caller]
fn is_good(answer: &Answer) {
    assert_eq!(answer.to_string(), "~/run.yaml: no problems\n");
}

fn verify(command: &str) -> ConfigText {
    ConfigText::demo().verify(command)
}

fn verify_in_bash(command: &str) -> ConfigText {
    verify(command).verify_with("shell", "bash")
}

#[test]
fn a_pipe_under_sh_is_warned_of_and_one_under_bash_fails_with_any_part() {
    let bed = Testbed::new();
    insta::assert_snapshot!(check(&bed, &verify("cat src/* | grep any | wc -l")).ok().out.trim_end(), @r"
    warning: ~/run.yaml:6: verify.command: `sh` reports only the status of the last command in a pipe, so an earlier failure is hidden -> add `shell: bash` to verify, which fails when any part of a pipe fails
    ~/run.yaml: 0 errors, 1 warning
    ");
    for quiet in [
        "grep -o any src/a > /dev/null || true; echo 3",
        "grep -cE \"any|none\" src/a",
        "sh count.sh",
    ] {
        is_good(&check(&bed, &verify(quiet)));
    }
    let broken = "sh src/build.sh | sort | wc -l";
    bed.write("src/build.sh", "cat src/a; [ ! -e src/broken ]\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "build"]);
    assert_answer!(check(
        &bed,
        &verify_in_bash(broken).scope(&["src/**", "!src/build.sh"]),
    ), @"~/run.yaml: no problems");
    bed.start(&verify_in_bash(broken));
    bed.write("src/a", "any\n");
    bed.write("src/broken", "x\n");
    let report = bed.trial("a smaller bundle of broken code");
    assert_eq!(
        (report["verdict"].as_str(), report["reason"].as_str()),
        (Some("crash"), Some("verify-failed")),
        "{report}"
    );
    assert_eq!(bed.try_count(4), "keep");
}

#[test]
fn a_guard_can_run_in_bash_too() {
    let bed = Testbed::new();
    let text = ConfigText::demo()
        .guard("[[ -f src/state ]] && cat src/state | grep -qx ok")
        .guard_with("shell", "bash");
    assert_answer!(check(&bed, &text), @"~/run.yaml: no problems");
    bed.start(&text);
    assert_eq!(bed.try_count(4), "keep");
    bed.write("src/state", "broken\n");
    assert_eq!(bed.try_count(2), "rework");
}

#[test]
fn a_ci_job_chooses_shell_and_pins_by_flags() {
    let bed = Testbed::new();
    let words =
        "exec --goal g --scope src/** --pin src/b --metric m --direction lower --verify-shell zsh";
    let mut words: Vec<&str> = words.split(' ').collect();
    words.extend([
        "--verify",
        "sh count.sh",
        "--guard",
        "true",
        "--guard-shell",
        "bash",
    ]);
    assert_answer!(bed.run(&words), @r#"
    exit code 2
    --- stderr
    {"caused_by":["made of the flags: verify.shell: unknown word `zsh` -> use one of `sh`, `bash`"],"error":"the config made of the flags has 1 error","exit_code":2,"hint":"fix these, then run the command again","kind":"config","warnings":[]}
    "#);
    words.extend(["--pin", "src/*", "--verify-shell", "bash"]);
    words.retain(|word| *word != "zsh");
    let at = words
        .iter()
        .position(|word| *word == "--verify-shell")
        .unwrap();
    words.remove(at);
    assert_answer!(bed.run(&words), @r#"
    exit code 2
    --- stderr
    {"caused_by":["made of the flags: scope: every file of the scope is pinned, so no trial could change anything -> widen the scope, or take patterns out of `pin`"],"error":"the config made of the flags has 1 error","exit_code":2,"hint":"fix these, then run the command again","kind":"config","warnings":[]}
    "#);
}

#[test]
fn without_bash_on_path_a_config_that_asks_for_it_is_refused() {
    let bed = Testbed::new();
    let bin = bed.home.join("bin");
    std::fs::create_dir(&bin).unwrap();
    let path = std::env::var("PATH").unwrap();
    for name in ["git", "sh", "cat", "grep"] {
        let program = std::env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
            .unwrap();
        std::os::unix::fs::symlink(program, bin.join(name)).unwrap();
    }
    let text = verify_in_bash("sh count.sh");
    assert_answer!(check_with(&bed, &text, &[("PATH", bin.to_str().unwrap())]), @"
    exit code 3
    ~/run.yaml:6: verify.shell: bash was not found on PATH -> install bash, or write the command for `sh` and remove `shell`
    ~/run.yaml: 1 error, 0 warnings
    ");
    assert_answer!(check(&bed, &text), @"~/run.yaml: no problems");
}

#[test]
fn bash_syntax_under_sh_is_named_at_check_and_where_start_fails() {
    let bed = Testbed::new();
    bed.write("other/activate", "export A=1\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "activate"]);
    let mut told = String::new();
    for command in [
        "source other/activate && sh count.sh",
        "[[ -f count.sh ]] && sh count.sh",
        "set -o pipefail; cat src/* | grep -c any",
    ] {
        let text = verify(command);
        told += &check(&bed, &text).ok().to_string();
        let answer = bed.try_start(&text);
        if answer.code != 0 {
            let hint = answer.err.lines().find(|line| line.starts_with("hint: "));
            assert!(
                hint.is_some_and(|hint| hint.contains("shell: bash")),
                "{answer:?}"
            );
        }
        let bash = verify_in_bash(command);
        check(&bed, &bash).ok();
        if answer.code != 0 {
            bed.start(&bash);
        }
        bed.run(&["finish"]);
    }
    assert_answer!(told, @"
    warning: ~/run.yaml:6: verify.command: `source` is bash syntax, and `sh` may not support it -> add `shell: bash` to verify
    ~/run.yaml: 0 errors, 1 warning
    warning: ~/run.yaml:6: verify.command: `[[ ]]` is bash syntax, and `sh` may not support it -> add `shell: bash` to verify
    ~/run.yaml: 0 errors, 1 warning
    warning: ~/run.yaml:6: verify.command: `grep -c` exits with 1 when it counts zero, so reaching zero would count as a crash -> add `ok_exit: [0, 1]` to verify
    warning: ~/run.yaml:6: verify.command: `set -o pipefail` is bash syntax, and `sh` may not support it -> add `shell: bash` to verify
    ~/run.yaml: 0 errors, 2 warnings
    ");
}

#[test]
fn what_verify_says_on_stderr_is_shown_at_start_although_it_succeeded() {
    let bed = Testbed::new();
    let answer = bed.start(&verify(
        "echo one >&2; echo \"deprecated: x\" >&2; sh count.sh",
    ));
    assert_answer!(answer, @r#"
    run `demo` started: Fewer any
      metric    any_count = 10 (lower is better)
      noise     none: 3 equal runs; a keep takes two equal runs or three, a discard one
      stderr    of verify, although it succeeded:
                | one
                | deprecated: x
      guard     pass
      scope     src/**
      pinned    2 files: count.sh, guard.sh; a trial that changes one is void
      branch    autoresearch/demo in <bed>/repo
      limits    100 iterations
      log       autoresearch-results/demo/research-results.tsv
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    bed.run(&["finish"]).ok();
    let quiet = bed.run(&[
        "start",
        "--config",
        bed.run_file("config.yaml").to_str().unwrap(),
        "--json",
    ]);
    let loud = quiet.ok().json();
    assert_eq!(loud["stderr"], "one\ndeprecated: x");
    let bed = Testbed::new();
    assert!(!bed.start(CONFIG).out.contains("stderr"));
}

#[test]
fn a_config_without_a_guard_is_warned_of_and_a_good_one_prints_no_warning() {
    let bed = Testbed::new();
    let bare = ConfigText::demo().without_guard();
    insta::assert_snapshot!(check(&bed, &bare).ok().out.trim_end(), @r"
    warning: ~/run.yaml: guard: there is no guard, so a trial that breaks the program can be kept -> add `guard: {command: ...}`, such as your tests
    ~/run.yaml: 0 errors, 1 warning
    ");
    assert_answer!(bed.start(&bare), @r#"
    warning: <bed>/home/config.yaml: guard: there is no guard, so a trial that breaks the program can be kept -> add `guard: {command: ...}`, such as your tests
    run `demo` started: Fewer any
      metric    any_count = 10 (lower is better)
      noise     none: 3 equal runs; a keep takes two equal runs or three, a discard one
      guard     none
      scope     src/**
      pinned    1 file: count.sh; a trial that changes one is void
      branch    autoresearch/demo in <bed>/repo
      limits    100 iterations
      log       autoresearch-results/demo/research-results.tsv
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    let bed = Testbed::new();
    let start = bed.start(CONFIG);
    assert!(!start.out.contains("warning"), "{start:?}");
}

#[test]
fn a_variable_that_verify_uses_and_would_not_get_is_named_with_the_remedy() {
    let bed = Testbed::new();
    bed.write(
        "scripts/gpu.sh",
        "echo \"$((${CUDA_VISIBLE_DEVICES:-0} + 10))\"\n",
    );
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "gpu"]);
    let mut told = String::new();
    for (command, name) in [
        (
            "echo $((${CUDA_VISIBLE_DEVICES:-0} + 10))",
            "CUDA_VISIBLE_DEVICES",
        ),
        ("sh scripts/gpu.sh", "CUDA_VISIBLE_DEVICES"),
        ("python3 -c \"print(3)\"", "PYTHONPATH"),
        ("npx --no-install vitest run; echo 3", "CI"),
        ("node --version > /dev/null; echo 3", "NODE_OPTIONS"),
        ("echo \"${MY_SIZE}\"", "MY_SIZE"),
    ] {
        let text = verify(command);
        told += &check_with(&bed, &text, &[(name, "3")]).ok().to_string();
        is_good(&check_with(
            &bed,
            &format!("{text}env: [{name}]\n"),
            &[(name, "3")],
        ));
        is_good(&check(&bed, &text));
    }
    assert_answer!(told, @"
    warning: ~/run.yaml: env: `CUDA_VISIBLE_DEVICES` is set here and used by verify or guard, but not passed to them -> add `env: [CUDA_VISIBLE_DEVICES]` to the config to pass what is set now
    ~/run.yaml: 0 errors, 1 warning
    warning: ~/run.yaml: env: `CUDA_VISIBLE_DEVICES` is set here and used by verify or guard, but not passed to them -> add `env: [CUDA_VISIBLE_DEVICES]` to the config to pass what is set now
    ~/run.yaml: 0 errors, 1 warning
    warning: ~/run.yaml: env: `PYTHONPATH` is set here and used by verify or guard, but not passed to them -> add `env: [PYTHONPATH]` to the config to pass what is set now
    ~/run.yaml: 0 errors, 1 warning
    warning: ~/run.yaml: env: `CI` is set here and used by verify or guard, but not passed to them -> add `env: [CI]` to the config to pass what is set now
    ~/run.yaml: 0 errors, 1 warning
    warning: ~/run.yaml: env: `NODE_OPTIONS` is set here and used by verify or guard, but not passed to them -> add `env: [NODE_OPTIONS]` to the config to pass what is set now
    ~/run.yaml: 0 errors, 1 warning
    warning: ~/run.yaml: env: `MY_SIZE` is set here and used by verify or guard, but not passed to them -> add `env: [MY_SIZE]` to the config to pass what is set now
    ~/run.yaml: 0 errors, 1 warning
    ");
    assert_answer!(check_with(
        &bed,
        &verify("echo \"$MY_TOKEN\" \"$X\""),
        &[("MY_TOKEN", "s3cret"), ("X", "1")],
    ), @"
    warning: ~/run.yaml: env: `MY_TOKEN`, `X` are set here and used by verify or guard, but not passed to them -> add `env: [X]` and `secrets: [MY_TOKEN]` to the config to pass what is set now
    ~/run.yaml: 0 errors, 1 warning
    ");
    let own = verify("X=3; for Y in 1; do echo $X$Y; done");
    assert_answer!(check_with(&bed, &own, &[("X", "1"), ("Y", "2")]), @"~/run.yaml: no problems");
}

#[test]
fn build_variables_are_passed_and_the_guide_lists_every_name_that_is() {
    let bed = Testbed::new();
    let names = ["CFLAGS", "RUSTFLAGS", "GIT_LFS_SKIP_SMUDGE"];
    let text = verify("test \"$CFLAGS$RUSTFLAGS$GIT_LFS_SKIP_SMUDGE\" = 111 && sh count.sh");
    let file = bed.home.join("run.yaml");
    std::fs::write(&file, text.to_string()).unwrap();
    let env = names.map(|name| (name, "1"));
    bed.run_with(&["start", "--config", file.to_str().unwrap()], &env)
        .ok();
    assert_eq!(bed.try_count(4), "keep", "they are kept for the trials");

    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../GUIDE.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let (_, section) = guide.split_once("\n## Environment\n").unwrap();
    let (all, _) = section
        .split_once("\n\nplus the names under `env`")
        .unwrap();
    let (list, of_git) = all.split_once("\n\nand of git's own variables").unwrap();
    let listed: BTreeSet<&str> = list.split('`').skip(1).step_by(2).collect();
    let passed: BTreeSet<&str> = autoresearch::config::variables::PASSED
        .into_iter()
        .collect();
    assert_eq!(listed, passed);
    for name in autoresearch_sys::git::variables::OWN {
        assert!(of_git.contains(&format!("`{name}`")), "{name}");
    }
    assert_eq!(
        passed.len(),
        autoresearch::config::variables::PASSED.len(),
        "no name twice"
    );
    for name in passed {
        assert!(!autoresearch_core::config::looks_secret(name), "{name}");
    }
}

#[test]
fn a_config_with_a_byte_order_mark_is_read_and_utf_16_is_named() {
    let bed = Testbed::new();
    assert_answer!(check(&bed, &format!("\u{feff}{CONFIG}")), @"~/run.yaml: no problems");
    bed.start(&format!("\u{feff}{}", CONFIG.replace('\n', "\r\n")));
    let file = bed.home.join("wide.yaml");
    let mut refused = BTreeSet::new();
    for (mark, swap) in [([0xff, 0xfe], false), ([0xfe, 0xff], true)] {
        let letters = CONFIG.encode_utf16().flat_map(|letter| {
            if swap {
                letter.to_be_bytes()
            } else {
                letter.to_le_bytes()
            }
        });
        std::fs::write(&file, mark.into_iter().chain(letters).collect::<Vec<u8>>()).unwrap();
        let words = ["config", "check", file.to_str().unwrap()];
        refused.insert(bed.run(&words).fails(3).to_string());
    }
    let refused = Vec::from_iter(refused);
    assert_eq!(refused.len(), 1, "both orders of bytes are named alike");
    assert_answer!(refused[0], @"
    exit code 3
    --- stderr
    error: could not read the config <bed>/home/wide.yaml
    caused by: it is UTF-16, as its byte order mark says
    hint: save it as UTF-8
    ");
}

#[test]
fn patterns_of_the_scope_that_match_nothing_are_said_and_brackets_explained() {
    let bed = Testbed::new();
    bed.write("app/[slug]/page.tsx", "any\n");
    bed.write("app/(group)/[...rest]/page.tsx", "any\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "next"]);
    let scoped = |scope: &[&str]| ConfigText::demo().scope(scope);
    insta::assert_snapshot!(
        check(&bed, &scoped(&["src/**", "app/[slug]/**", "lib/**", "!app/(group)/[...rest]/*", "!docs/**"])).ok().out.trim_end(),
        @r"
    warning: ~/run.yaml:4: scope[1]: `app/[slug]/**` matches no file of the repository: `[...]` in a pattern matches one character, not a folder of that name -> write 'app/\[slug\]/**' in single quotes
    warning: ~/run.yaml:4: scope[2]: `lib/**` matches no file of the repository -> check the pattern: it starts at the repository's root, and ignored files do not count
    warning: ~/run.yaml:4: scope[3]: `!app/(group)/[...rest]/*` matches no file of the repository: `[...]` in a pattern matches one character, not a folder of that name -> write '!app/(group)/\[...rest\]/*' in single quotes
    ~/run.yaml: 0 errors, 3 warnings
    "
    );
    assert_answer!(check(&bed, &scoped(&["app/[slug]/**"])), @r"
    exit code 3
    warning: ~/run.yaml:4: scope[0]: `app/[slug]/**` matches no file of the repository: `[...]` in a pattern matches one character, not a folder of that name -> write 'app/\[slug\]/**' in single quotes
    ~/run.yaml:4: scope: the scope matches no file of the repository -> check the patterns: they start at the repository's root, and ignored files do not count
    ~/run.yaml: 1 error, 1 warning
    ");
    assert_answer!(check(&bed, &scoped(&[r"app/\[slug\]/**"])), @"~/run.yaml: no problems");
}

#[test]
fn a_work_tree_of_the_runs_own_says_what_it_lacks_when_verify_fails_there() {
    let bed = Testbed::new();
    bed.write(".gitignore", ".env\nnode_modules/\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "ignore"]);
    bed.write(".env", "N=10\n");
    bed.write("node_modules/x/index.js", "\n");
    let text = verify(". ./.env && echo $N");
    let answer = bed
        .try_start(&format!("{text}isolation: worktree\n"))
        .fails(3);
    assert_answer!(answer, @"
    exit code 3
    --- stderr
    error: verify gives no metric on the untouched tree: verify failed: exit status 2
    caused by: its last lines: /bin/sh: 1: .: cannot open ./.env: No such file
    hint: run the command by hand; statuses that count as success belong in `verify.ok_exit`; `.env` is ignored and not in the run's tree: add prepare, link or copy
    ");
    let there = bed.try_start(&verify(". ./.env && echo x")).fails(3);
    assert_answer!(there, @"
    exit code 3
    --- stderr
    error: verify gives no metric on the untouched tree: the last line `x` is not a number with an optional unit
    caused by: its last lines: x
    hint: verify must end with the number alone on its last line, or a JSON object with `primary`, or `METRIC name=value` lines
    ");
}

#[test]
fn a_path_into_the_checkout_is_warned_of_where_trials_have_their_own_work_tree() {
    let bed = Testbed::new();
    bed.write(".gitignore", ".venv/\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "ignore"]);
    let root = bed.repo.to_str().unwrap();
    let tree = "isolation: worktree\nview: off\n";
    let mut told = String::new();
    for command in [
        format!("sh {root}/count.sh"),
        format!("cd {root} && sh count.sh"),
        format!("cat {root}/src/a > /dev/null; sh count.sh"),
    ] {
        let text = verify(&command);
        told += &check(&bed, &format!("{text}{tree}")).ok().to_string();
        is_good(&check(&bed, &text));
    }
    assert_answer!(told, @"
    warning: ~/run.yaml:6: verify.command: `<bed>/repo/count.sh` lies in your checkout, and the trials are made in a separate work tree: verify would not see them -> write it from the work tree's root, or use `isolation: branch`
    ~/run.yaml: 0 errors, 1 warning
    warning: ~/run.yaml:6: verify.command: `<bed>/repo` lies in your checkout, and the trials are made in a separate work tree: verify would not see them -> write it from the work tree's root, or use `isolation: branch`
    ~/run.yaml: 0 errors, 1 warning
    warning: ~/run.yaml:6: verify.command: `<bed>/repo/src/a` lies in your checkout, and the trials are made in a separate work tree: verify would not see them -> write it from the work tree's root, or use `isolation: branch`
    ~/run.yaml: 0 errors, 1 warning
    ");
    let env = format!("{CONFIG}{tree}env: [EXTRA]\n");
    assert_answer!(check_with(&bed, &env, &[("EXTRA", &format!("/usr:{root}/src"))]), @"
    warning: ~/run.yaml:11: env: `EXTRA` names a folder of your checkout, and the trials are made in a separate work tree: that folder would be measured instead -> set it in verify to a path from the work tree's root, or use `isolation: branch`
    ~/run.yaml: 0 errors, 1 warning
    ");
}

#[test]
fn an_editable_install_of_the_checkout_is_warned_of() {
    let bed = Testbed::new();
    bed.write(".gitignore", ".venv/\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "ignore"]);
    let root = bed.repo.to_str().unwrap().to_owned();
    let packages = ".venv/lib/python3.11/site-packages";
    bed.write(".venv/pyvenv.cfg", "home = /usr/bin\n");
    bed.write(".venv/bin/python", "#!/bin/sh\necho 3\n");
    bed.executable(".venv/bin/python");
    let command = format!("{root}/.venv/bin/python bench.py");
    let text = verify(&command).isolation("worktree");
    let off = |text: &ConfigText| format!("{text}view: off\n");
    bed.write(
        &format!("{packages}/other.pth"),
        &format!("{root}/.venv/lib/x\n/elsewhere\n"),
    );
    assert_answer!(check(&bed, &off(&text)), @"~/run.yaml: no problems");
    let mut told = String::new();
    for (name, content) in [
        ("__editable__.demo.pth", format!("{root}/src\n")),
        ("demo.egg-link", format!("{root}\n.")),
        (
            "__editable___demo_finder.py",
            format!("MAPPING = {{'demo': '{root}/src/demo'}}\n"),
        ),
    ] {
        let link = format!("{packages}/{name}");
        bed.write(&link, &content);
        told += &check(&bed, &off(&text)).ok().to_string();
        let first = text.clone().verify(&format!("PYTHONPATH=src {command}"));
        is_good(&check(&bed, &off(&first)));
        let active = verify("python bench.py").isolation("worktree");
        let venv = format!("{root}/.venv");
        told += &check_with(&bed, &off(&active), &[("VIRTUAL_ENV", &venv)])
            .ok()
            .to_string();
        std::fs::remove_file(bed.path(&link)).unwrap();
    }
    assert_answer!(told, @"
    warning: ~/run.yaml:6: verify.command: <bed>/repo/.venv/lib/python3.11/site-packages/__editable__.demo.pth makes Python import from your checkout, and the trials are made in a separate work tree: verify would not see them -> begin verify with `PYTHONPATH=` and the folder of the sources, such as `PYTHONPATH=src`, or use `isolation: branch`
    ~/run.yaml: 0 errors, 1 warning
    warning: ~/run.yaml:6: verify.command: <bed>/repo/.venv/lib/python3.11/site-packages/__editable__.demo.pth makes Python import from your checkout, and the trials are made in a separate work tree: verify would not see them -> begin verify with `PYTHONPATH=` and the folder of the sources, such as `PYTHONPATH=src`, or use `isolation: branch`
    ~/run.yaml: 0 errors, 1 warning
    warning: ~/run.yaml:6: verify.command: <bed>/repo/.venv/lib/python3.11/site-packages/demo.egg-link makes Python import from your checkout, and the trials are made in a separate work tree: verify would not see them -> begin verify with `PYTHONPATH=` and the folder of the sources, such as `PYTHONPATH=src`, or use `isolation: branch`
    ~/run.yaml: 0 errors, 1 warning
    warning: ~/run.yaml:6: verify.command: <bed>/repo/.venv/lib/python3.11/site-packages/demo.egg-link makes Python import from your checkout, and the trials are made in a separate work tree: verify would not see them -> begin verify with `PYTHONPATH=` and the folder of the sources, such as `PYTHONPATH=src`, or use `isolation: branch`
    ~/run.yaml: 0 errors, 1 warning
    warning: ~/run.yaml:6: verify.command: <bed>/repo/.venv/lib/python3.11/site-packages/__editable___demo_finder.py makes Python import from your checkout, and the trials are made in a separate work tree: verify would not see them -> begin verify with `PYTHONPATH=` and the folder of the sources, such as `PYTHONPATH=src`, or use `isolation: branch`
    ~/run.yaml: 0 errors, 1 warning
    warning: ~/run.yaml:6: verify.command: <bed>/repo/.venv/lib/python3.11/site-packages/__editable___demo_finder.py makes Python import from your checkout, and the trials are made in a separate work tree: verify would not see them -> begin verify with `PYTHONPATH=` and the folder of the sources, such as `PYTHONPATH=src`, or use `isolation: branch`
    ~/run.yaml: 0 errors, 1 warning
    ");
    let user = bed.home.join(".local/lib/python3.12/site-packages");
    std::fs::create_dir_all(&user).unwrap();
    std::fs::write(user.join("easy-install.pth"), format!("{root}/src\n")).unwrap();
    let plain = verify("python3 bench.py");
    assert_answer!(check(&bed, &off(&plain.clone().isolation("worktree"))), @"
    warning: ~/run.yaml:6: verify.command: ~/.local/lib/python3.12/site-packages/easy-install.pth makes Python import from your checkout, and the trials are made in a separate work tree: verify would not see them -> begin verify with `PYTHONPATH=` and the folder of the sources, such as `PYTHONPATH=src`, or use `isolation: branch`
    ~/run.yaml: 0 errors, 1 warning
    ");
    assert_answer!(check(&bed, &plain), @"~/run.yaml: no problems");
}

#[test]
fn a_script_that_cannot_be_told_from_the_command_is_a_warning_where_nothing_is_pinned() {
    let bed = Testbed::new();
    let unknown = "nothing is pinned: which file `$DIR/v.sh` is could not be told from the command";
    bed.write("checks/v.sh", "cat src/* | grep -c any\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "checks"]);
    let hidden = "DIR=$(printf che; printf cks); sh $DIR/v.sh";
    let text = ConfigText::demo().verify(hidden).without_guard();
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, text.to_string()).unwrap();
    for word in ["check", "try"] {
        let answer = bed.run(&["config", word, file.to_str().unwrap()]).ok();
        let all = format!("{}{}", answer.out, answer.err);
        assert!(all.contains(unknown), "{word}: {all}");
    }
    bed.start(&text)
        .says(unknown)
        .says("name the script plainly, as in `sh checks/verify.sh`");
    for verify in [
        "grep -c any src/a",
        "sh count.sh",
        "cat src/a | wc -l; python3 -m json.tool --help > /dev/null",
    ] {
        let bed = Testbed::new();
        let answer = bed.start(&ConfigText::demo().verify(verify).without_guard());
        let all = format!("{}{}", answer.out, answer.err);
        assert!(!all.contains("nothing is pinned"), "{verify}: {all}");
    }
}
