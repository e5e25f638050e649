//! Whose the kept commits are: names from the environment, signatures, and what the hooks of the repository add.

use std::path::Path;

use crate::testbed::{CONFIG, Testbed, finish};

fn authors(bed: &Testbed) -> String {
    let names = bed.git(&["log", "-1", "--format=%an <%ae>, %cn <%ce>"]);
    names.trim().to_owned()
}

/// Starts a run with these variables, then keeps a trial from a shell that has none of them.
fn kept_with(bed: &Testbed, env: &[(&str, &str)]) -> String {
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    bed.run_with(&["start", "--config", file.to_str().unwrap()], env)
        .ok();
    assert_eq!(bed.try_count(4), "keep");
    authors(bed)
}

#[test]
fn names_from_the_environment_of_the_start_are_those_of_the_kept_commits() {
    let bed = Testbed::new();
    bed.git(&["config", "user.name", "Ada"]);
    bed.git(&["config", "user.email", "ada@example.org"]);
    let both = [
        ("GIT_AUTHOR_NAME", "Bea"),
        ("GIT_AUTHOR_EMAIL", "bea@example.org"),
        ("GIT_COMMITTER_EMAIL", "robot@example.org"),
    ];
    assert_eq!(
        kept_with(&bed, &both),
        "Bea <bea@example.org>, Ada <robot@example.org>"
    );

    let bed = Testbed::new();
    bed.git(&["config", "user.useConfigOnly", "true"]);
    assert_eq!(
        kept_with(&bed, &both[..2]),
        "Bea <bea@example.org>, autoresearch <autoresearch@localhost>",
        "only who is missing is lent"
    );

    let bed = Testbed::new();
    let settings = [
        ("GIT_CONFIG_COUNT", "2"),
        ("GIT_CONFIG_KEY_0", "user.name"),
        ("GIT_CONFIG_VALUE_0", "Cleo"),
        ("GIT_CONFIG_KEY_1", "http.extraHeader"),
        ("GIT_CONFIG_VALUE_1", "Authorization: hunter2"),
        ("EMAIL", "cleo@example.org"),
    ];
    assert_eq!(
        kept_with(&bed, &settings),
        "Cleo <cleo@example.org>, Cleo <cleo@example.org>"
    );
    let pinned = std::fs::read_to_string(bed.vault().join("pinned.json")).unwrap();
    assert!(!pinned.contains("hunter2"), "a password is never kept");
}

/// A repository that signs with a key that works without a question; none where `ssh-keygen` is missing.
fn signing() -> Option<Testbed> {
    let bed = Testbed::new();
    let key = bed.home.join("key");
    let mut make = std::process::Command::new("ssh-keygen");
    make.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key);
    make.status().ok()?.success().then_some(())?;
    let public = key.with_extension("pub");
    let allowed = bed.home.join("allowed");
    let line = std::fs::read_to_string(&public).unwrap();
    std::fs::write(&allowed, format!("* {line}")).unwrap();
    for (name, value) in [
        ("user.name", "Ada"),
        ("user.email", "ada@example.org"),
        ("gpg.format", "ssh"),
        ("user.signingKey", public.to_str().unwrap()),
        ("gpg.ssh.allowedSignersFile", allowed.to_str().unwrap()),
        ("commit.gpgSign", "true"),
    ] {
        bed.git(&["config", name, value]);
    }
    Some(bed)
}

/// The command between backticks that a note of `finish` gives, run by a shell.
fn follow(bed: &Testbed, note: &str) {
    let command = note.split('`').nth(1).unwrap();
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", command])
        .current_dir(&bed.repo)
        .env_clear()
        .envs(bed.env());
    finish(shell).ok();
}

fn signatures(bed: &Testbed, branch: &str) -> String {
    bed.git(&["log", "--format=%G?", &format!("HEAD@{{0}}..{branch}")])
}

#[test]
fn start_and_finish_say_that_kept_commits_are_not_signed_and_the_command_of_finish_signs_them() {
    for isolation in ["branch", "worktree"] {
        let Some(bed) = signing() else { return };
        let config = format!("{CONFIG}isolation: {isolation}\n");
        let start = bed.start(&config);
        insta::allow_duplicates! {
            insta::assert_snapshot!(start.out.lines().next().unwrap(), @"note: trial commits are not signed, although commit.gpgsign is true, because a key that asks for a passphrase would stop the run; `finish` says how to sign what was kept");
        }
        let folder = match isolation {
            "branch" => bed.repo.clone(),
            _ => bed.own_tree(),
        };
        for count in [4, 3] {
            std::fs::write(folder.join("src/a"), "any\n".repeat(count)).unwrap();
            bed.run(&["trial", "-m", "fewer"]).ok().says("keep");
        }
        let report = bed.run(&["finish", "--json"]).ok().json();
        let note = report["notes"][0].as_str().unwrap();
        assert!(note.starts_with("the kept commits are not signed: `git "));
        follow(&bed, note);
        bed.git(&["switch", "-q", "main"]);
        assert_eq!(signatures(&bed, "autoresearch/demo"), "G\nG\n");
        bed.git(&["merge", "-q", "autoresearch/demo"]);
        assert_eq!(
            std::fs::read_to_string(Path::new(&bed.repo).join("src/a")).unwrap(),
            "any\n".repeat(3)
        );
    }
}

#[test]
fn nothing_is_said_of_signatures_where_nobody_signs() {
    let bed = Testbed::new();
    bed.git(&["config", "commit.gpgSign", "false"]);
    let start = bed.start(CONFIG);
    assert!(!start.out.contains("sign"), "{start:?}");
    assert_eq!(bed.try_count(4), "keep");
    let end = bed.run(&["finish"]).ok();
    assert!(!end.out.contains("sign"), "{end:?}");
}

fn hook(bed: &Testbed, name: &str, script: &str) {
    bed.write(&format!("hk/{name}"), &format!("#!/bin/sh\n{script}\n"));
    bed.executable(&format!("hk/{name}"));
}

/// A run that lets these hooks of the repository see its commits.
fn with_hooks(hooks: &[(&str, &str)]) -> Testbed {
    let bed = Testbed::new();
    for (name, script) in hooks {
        hook(&bed, name, script);
    }
    bed.git(&["add", "hk"]);
    bed.git(&["commit", "-qm", "hooks"]);
    bed.git(&["config", "core.hooksPath", "hk"]);
    bed.start(&format!("{CONFIG}repository_hooks: run\n"));
    bed
}

const SIGN_OFF: &str = r#"[ "$2" = message ] || exit 1
printf '\nSigned-off-by: Ada <ada@example.org>\n' >> "$1""#;

#[test]
fn a_sign_off_by_prepare_commit_msg_is_a_trailer_beside_ours() {
    let bed = with_hooks(&[
        ("prepare-commit-msg", SIGN_OFF),
        ("commit-msg", r#"grep -q '^Signed-off-by: ' "$1""#),
    ]);
    assert_eq!(bed.try_count(4), "keep");
    insta::assert_snapshot!(bed.git(&["log", "-1", "--format=%B"]).trim_end(), @r"
    experiment: 4 any

    Autoresearch-Run: demo
    Autoresearch-Trial: 1
    Signed-off-by: Ada <ada@example.org>
    Autoresearch-Metric: 10 -> 9
    ");
    let trailers = bed.git(&[
        "log",
        "-1",
        "--format=%(trailers:only,key=Autoresearch-Trial,valueonly)",
    ]);
    assert_eq!(trailers.trim(), "1", "git reads all of them as trailers");
    assert_eq!(bed.try_count(20), "discard", "and it is known as ours");
    assert_eq!(bed.read("src/a"), "any\n".repeat(4));
}

#[test]
fn a_hook_that_rewrites_the_whole_message_does_not_make_the_commit_a_strangers() {
    let bed = with_hooks(&[("commit-msg", r#"echo 'feat: as our rules want it' > "$1""#)]);
    assert_eq!(bed.try_count(20), "discard");
    assert_eq!(bed.try_count(4), "keep");
    let message = bed.git(&["log", "-1", "--format=%B"]);
    assert!(message.starts_with("feat: as our rules want it\n\nAutoresearch-Run: demo\n"));
}

#[test]
fn prepare_commit_msg_can_refuse_and_an_emptied_message_is_refused() {
    for (name, script, words) in [
        (
            "prepare-commit-msg",
            "echo no ticket >&2; exit 1",
            "no ticket",
        ),
        ("commit-msg", r#": > "$1""#, "it left no message"),
    ] {
        let bed = with_hooks(&[(name, script)]);
        let head = bed.head();
        bed.edit(4);
        let report = bed.trial("four");
        assert_eq!(report["reason"], "hook-refused", "{report}");
        assert!(
            report["detail"].as_str().unwrap().contains(words),
            "{report}"
        );
        assert_eq!((bed.head(), bed.read("src/a")), (head, "any\n".repeat(5)));
    }
    // Without being asked for, none runs.
    let bed = Testbed::new();
    hook(&bed, "prepare-commit-msg", "exit 1");
    bed.git(&["add", "hk"]);
    bed.git(&["commit", "-qm", "hooks"]);
    bed.git(&["config", "core.hooksPath", "hk"]);
    bed.start(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
}
