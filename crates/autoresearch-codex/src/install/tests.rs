//! Whole plans, reports and refusals, and both ways back to the byte.

use std::path::PathBuf;

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::bench::{
    InstallBench, Obstacle, USERS_CONFIG, USERS_HOOKS, ask_for_hooks, ask_for_skill,
};
use super::bundle::list_bundle_files;
use super::places::{HOOK_NAME, PROGRAM, installed_path};
use super::plan::InstallState;
use super::remove::RemovalScope;
use super::skill::InstallTarget;
use crate::config::manifest::Manifest;

#[test]
fn the_plan_for_hooks_in_an_empty_home_shows_all_of_it_and_writes_nothing() {
    let bench = InstallBench::new();
    let before = bench.read_everything();
    assert_snapshot!(bench.show_plan(&ask_for_hooks()), @r#"
    write  /home/.local/share/codex-autoresearch/bin/autoresearch
    write  /home/.local/share/codex-autoresearch/bin/autoresearch-hook
    write  /home/.local/share/codex-autoresearch/bin/autoresearch-supervisor

    --- /dev/null
    +++ /home/.codex/hooks.json
    @@ -0,0 +1,13 @@
    +{
    +  "hooks": {
    +    "SessionStart": [
    +      {"hooks": [{"type": "command", "command": "/home/.local/share/codex-autoresearch/bin/autoresearch-hook session-start", "timeout": 10}]}
    +    ],
    +    "Stop": [
    +      {"hooks": [{"type": "command", "command": "/home/.local/share/codex-autoresearch/bin/autoresearch-hook stop", "timeout": 1000000, "statusMessage": "autoresearch: measuring"}]}
    +    ],
    +    "Interrupt": [
    +      {"hooks": [{"type": "command", "command": "/home/.local/share/codex-autoresearch/bin/autoresearch-hook interrupt", "timeout": 3}]}
    +    ]
    +  }
    +}

    note: hooks run outside Codex's sandbox, in every session; ours do nothing unless a run of that session is open, and in a run they execute its verify and guard, and so code that the agent has edited
    warning: codex was not found on PATH, so the hooks are not armed: run `autoresearch hooks install` where it is, or trust them in Codex with /hooks
    nothing was written yet
    "#);
    assert_eq!(bench.read_everything(), before);
}

#[test]
fn hooks_in_an_empty_home_are_reported_and_told_to_be_there_the_second_time() {
    let bench = InstallBench::new();
    assert_snapshot!(bench.install(&ask_for_hooks()), @"
    wrote   /home/.local/share/codex-autoresearch/bin/autoresearch
    wrote   /home/.local/share/codex-autoresearch/bin/autoresearch-hook
    wrote   /home/.local/share/codex-autoresearch/bin/autoresearch-supervisor
    changed /home/.codex/hooks.json
    warning: codex was not found on PATH, so the hooks are not armed: run `autoresearch hooks install` where it is, or trust them in Codex with /hooks
    SessionStart  not armed  (autoresearch hooks install)
    Stop          not armed  (autoresearch hooks install)
    Interrupt     not armed  (autoresearch hooks install)
    hooks install: done
    ");
    assert_eq!(
        bench.install(&ask_for_hooks()),
        "warning: codex was not found on PATH, so the hooks are not armed: run `autoresearch hooks install` where it is, or trust them in Codex with /hooks\nalready installed"
    );
}

#[test]
fn a_removal_shows_what_goes_and_leaves_no_trace_in_an_empty_home() {
    let bench = InstallBench::new();
    let before = bench.read_everything();
    bench.install(&ask_for_hooks());
    assert_snapshot!(bench.show_removal(RemovalScope::All), @r#"
    uninstall:
    delete /home/.local/share/codex-autoresearch/bin/autoresearch
    delete /home/.local/share/codex-autoresearch/bin/autoresearch-hook
    delete /home/.local/share/codex-autoresearch/bin/autoresearch-supervisor

    --- /home/.codex/hooks.json
    +++ /dev/null
    @@ -1,13 +0,0 @@
    -{
    -  "hooks": {
    -    "SessionStart": [
    -      {"hooks": [{"type": "command", "command": "/home/.local/share/codex-autoresearch/bin/autoresearch-hook session-start", "timeout": 10}]}
    -    ],
    -    "Stop": [
    -      {"hooks": [{"type": "command", "command": "/home/.local/share/codex-autoresearch/bin/autoresearch-hook stop", "timeout": 1000000, "statusMessage": "autoresearch: measuring"}]}
    -    ],
    -    "Interrupt": [
    -      {"hooks": [{"type": "command", "command": "/home/.local/share/codex-autoresearch/bin/autoresearch-hook interrupt", "timeout": 3}]}
    -    ]
    -  }
    -}
    nothing was written yet
    "#);
    assert_snapshot!(bench.remove(RemovalScope::All), @"
    deleted /home/.local/share/codex-autoresearch/bin/autoresearch
    deleted /home/.local/share/codex-autoresearch/bin/autoresearch-hook
    deleted /home/.local/share/codex-autoresearch/bin/autoresearch-supervisor
    changed /home/.codex/hooks.json
    uninstall: done
    ");
    assert_eq!(bench.read_everything(), before);
    assert_eq!(bench.remove(RemovalScope::All), "nothing is installed");
    assert_eq!(bench.remove(RemovalScope::Hooks), "nothing is installed");
}

/// The user has a group for `Stop`, so that ours is the second one there.
fn with_codex_of_a_user(bench: InstallBench) -> InstallBench {
    let bench = bench.with_codex(0, &[]);
    for name in ["listed", "trusted", "lines"] {
        bench.write(name, &bench.read(name).replace("stop:0:0", "stop:1:0"));
    }
    bench
}

#[test]
fn the_plan_for_hooks_beside_those_of_a_user_shows_what_codex_will_write_too() {
    let bench = with_codex_of_a_user(InstallBench::of_a_user());
    assert_snapshot!(bench.show_plan(&ask_for_hooks()), @r#"
    write  /home/.local/share/codex-autoresearch/bin/autoresearch
    write  /home/.local/share/codex-autoresearch/bin/autoresearch-hook
    write  /home/.local/share/codex-autoresearch/bin/autoresearch-supervisor

    --- /home/.codex/hooks.json
    +++ /home/.codex/hooks.json
    @@ -1,2 +1,3 @@
     { "hooks":{"Stop":[
    -	{"hooks":[{"type":"command","command":"say done"}]} ] } }
    \ No newline at end of file
    +	{"hooks":[{"type":"command","command":"say done"}]},
    +	{"hooks": [{"type": "command", "command": "/home/.local/share/codex-autoresearch/bin/autoresearch-hook stop", "timeout": 1000000, "statusMessage": "autoresearch: measuring"}]} ],"SessionStart": [{"hooks": [{"type": "command", "command": "/home/.local/share/codex-autoresearch/bin/autoresearch-hook session-start", "timeout": 10}]}],"Interrupt": [{"hooks": [{"type": "command", "command": "/home/.local/share/codex-autoresearch/bin/autoresearch-hook interrupt", "timeout": 3}]}] } }
    \ No newline at end of file

    --- /home/.codex/config.toml
    +++ /home/.codex/config.toml
    @@ -1,2 +1,11 @@
     # mine
     model = "m"   # odd
    +
    +[hooks.state."/home/.codex/hooks.json:session_start:0:0"]
    +trusted_hash = "sha256:... (Codex computes it)"
    +
    +[hooks.state."/home/.codex/hooks.json:stop:1:0"]
    +trusted_hash = "sha256:... (Codex computes it)"
    +
    +[hooks.state."/home/.codex/hooks.json:interrupt:0:0"]
    +trusted_hash = "sha256:... (Codex computes it)"

    note: hooks run outside Codex's sandbox, in every session; ours do nothing unless a run of that session is open, and in a run they execute its verify and guard, and so code that the agent has edited
    note: Codex itself writes these lines: with them it runs the hooks without a review
    nothing was written yet
    "#);
}

#[test]
fn hooks_beside_those_of_a_user_are_armed_once_codex_trusts_them() {
    let bench = with_codex_of_a_user(InstallBench::of_a_user());
    assert_snapshot!(bench.install(&ask_for_hooks()), @"
    wrote   /home/.local/share/codex-autoresearch/bin/autoresearch
    wrote   /home/.local/share/codex-autoresearch/bin/autoresearch-hook
    wrote   /home/.local/share/codex-autoresearch/bin/autoresearch-supervisor
    changed /home/.codex/hooks.json
    changed /home/.codex/config.toml
    SessionStart  armed
    Stop          armed
    Interrupt     armed
    hooks install: done
    ");
    assert_snapshot!(bench.show(&bench.read("home/.codex/config.toml")), @r#"
    # mine
    model = "m"   # odd

    [hooks.state."/home/.codex/hooks.json:session_start:0:0"]
    trusted_hash = "sha256:session-start"

    [hooks.state."/home/.codex/hooks.json:stop:1:0"]
    trusted_hash = "sha256:stop"

    [hooks.state."/home/.codex/hooks.json:interrupt:0:0"]
    trusted_hash = "sha256:interrupt"
    "#);
    let manifest = Manifest::read_from(&bench.world).unwrap();
    assert!(
        manifest.hooks[0]
            .keys
            .iter()
            .all(|(_, hash)| hash.is_some())
    );
    assert_eq!(bench.install(&ask_for_hooks()), "already installed");
}

#[test]
fn trusted_hooks_beside_those_of_a_user_go_again_to_the_byte() {
    let bench = InstallBench::of_a_user();
    let before = bench.read_everything();
    let bench = with_codex_of_a_user(bench);
    bench.install(&ask_for_hooks());
    assert_snapshot!(bench.show_removal(RemovalScope::Hooks), @r#"
    hooks uninstall:

    --- /home/.codex/hooks.json
    +++ /home/.codex/hooks.json
    @@ -1,3 +1,2 @@
     { "hooks":{"Stop":[
    -	{"hooks":[{"type":"command","command":"say done"}]},
    -	{"hooks": [{"type": "command", "command": "/home/.local/share/codex-autoresearch/bin/autoresearch-hook stop", "timeout": 1000000, "statusMessage": "autoresearch: measuring"}]} ],"SessionStart": [{"hooks": [{"type": "command", "command": "/home/.local/share/codex-autoresearch/bin/autoresearch-hook session-start", "timeout": 10}]}],"Interrupt": [{"hooks": [{"type": "command", "command": "/home/.local/share/codex-autoresearch/bin/autoresearch-hook interrupt", "timeout": 3}]}] } }
    \ No newline at end of file
    +	{"hooks":[{"type":"command","command":"say done"}]} ] } }
    \ No newline at end of file

    --- /home/.codex/config.toml
    +++ /home/.codex/config.toml
    @@ -1,11 +1,2 @@
     # mine
     model = "m"   # odd
    -
    -[hooks.state."/home/.codex/hooks.json:session_start:0:0"]
    -trusted_hash = "sha256:session-start"
    -
    -[hooks.state."/home/.codex/hooks.json:stop:1:0"]
    -trusted_hash = "sha256:stop"
    -
    -[hooks.state."/home/.codex/hooks.json:interrupt:0:0"]
    -trusted_hash = "sha256:interrupt"
    nothing was written yet
    "#);
    assert_eq!(
        bench.remove(RemovalScope::Hooks),
        "changed /home/.codex/hooks.json\nchanged /home/.codex/config.toml\nhooks uninstall: done"
    );
    // The program stays until all of it goes.
    assert_eq!(
        bench.read("home/.local/share/codex-autoresearch/bin/autoresearch"),
        "program 1"
    );
    bench.remove(RemovalScope::All);
    assert_eq!(bench.read_everything(), before);
}

#[test]
fn hooks_that_codex_does_not_trust_are_registered_and_the_failure_says_so() {
    let bench = InstallBench::of_a_user().with_codex(0, &[]);
    bench.write(
        "trusted",
        &bench.read("listed").replace("untrusted", "modified"),
    );
    let failure = bench.try_install(&ask_for_hooks()).unwrap_err();
    assert_snapshot!(bench.show_failure(&failure), @"
    environment: Codex says that the hook /home/.codex/hooks.json:session_start:0:0 is modified
    hint: the hooks are registered but not armed: `autoresearch hooks status` says what is missing; in Codex, /hooks trusts them
    ");
    assert!(
        bench
            .read("home/.codex/hooks.json")
            .contains("autoresearch-hook stop")
    );
    let less = json!({"data": [{"hooks": [], "errors": ["hooks.json: no", {"line": 1}]}]});
    bench.write("listed", &less.to_string());
    let failure = bench.try_install(&ask_for_hooks()).unwrap_err();
    assert_snapshot!(bench.show_failure(&failure), @r#"
    environment: Codex lists 0 of our 3 hooks
    cause: hooks.json: no
    cause: {"line":1}
    hint: the hooks are registered but not armed: `autoresearch hooks status` says what is missing; in Codex, /hooks trusts them
    "#);
    bench.write("listed", "3");
    let failure = bench.try_install(&ask_for_hooks()).unwrap_err();
    assert_snapshot!(bench.show_failure(&failure), @"
    environment: Codex did not answer
    cause: `codex app-server` answered `hooks/list` in another form: invalid type: null, expected a sequence
    hint: the hooks are registered but not armed: `autoresearch hooks status` says what is missing; in Codex, /hooks trusts them
    ");
}

#[test]
fn what_others_changed_after_an_installation_stays_and_only_ours_goes() {
    let bench = InstallBench::of_a_user();
    bench.install(&ask_for_hooks());
    let ours = bench.read("home/.codex/hooks.json");
    bench.write(
        "home/.codex/hooks.json",
        &ours.replacen("\"hooks\":{", "\"hooks\":{\"SessionEnd\":[],", 1),
    );
    bench.write(
        "home/.local/share/codex-autoresearch/bin/autoresearch-hook",
        "mine now",
    );
    assert_snapshot!(bench.show_removal(RemovalScope::All), @r#"
    uninstall:

    --- /home/.codex/hooks.json
    +++ /home/.codex/hooks.json
    @@ -1,3 +1,2 @@
     { "hooks":{"SessionEnd":[],"Stop":[
    -	{"hooks":[{"type":"command","command":"say done"}]},
    -	{"hooks": [{"type": "command", "command": "/home/.local/share/codex-autoresearch/bin/autoresearch-hook stop", "timeout": 1000000, "statusMessage": "autoresearch: measuring"}]} ],"SessionStart": [{"hooks": [{"type": "command", "command": "/home/.local/share/codex-autoresearch/bin/autoresearch-hook session-start", "timeout": 10}]}],"Interrupt": [{"hooks": [{"type": "command", "command": "/home/.local/share/codex-autoresearch/bin/autoresearch-hook interrupt", "timeout": 3}]}] } }
    \ No newline at end of file
    +	{"hooks":[{"type":"command","command":"say done"}]} ] } }
    \ No newline at end of file
    warning: /home/.local/share/codex-autoresearch/bin/autoresearch was changed by somebody else and stays
    warning: /home/.local/share/codex-autoresearch/bin/autoresearch-hook was changed by somebody else and stays
    warning: /home/.local/share/codex-autoresearch/bin/autoresearch-supervisor was changed by somebody else and stays
    nothing was written yet
    "#);
    bench.remove(RemovalScope::All);
    assert_eq!(
        bench.read("home/.codex/hooks.json"),
        USERS_HOOKS.replacen("\"hooks\":{", "\"hooks\":{\"SessionEnd\":[],", 1)
    );
    assert_eq!(bench.read("home/.codex/config.toml"), USERS_CONFIG);
    assert_eq!(
        bench.read("home/.local/share/codex-autoresearch/bin/autoresearch-hook"),
        "mine now"
    );
}

#[test]
fn the_trust_of_hooks_behind_ours_moves_up_with_them() {
    let bench = InstallBench::of_a_user();
    bench.install(&ask_for_hooks());
    let mut hooks: Value = serde_json::from_str(&bench.read("home/.codex/hooks.json")).unwrap();
    let later = json!({"hooks": [{"type": "command", "command": "later"}, {"type": "command", "command": "last"}]});
    hooks["hooks"]["Stop"].as_array_mut().unwrap().push(later);
    bench.write("home/.codex/hooks.json", &hooks.to_string());
    let key = |group: usize, handler: usize| {
        let file = bench.path("home/.codex/hooks.json");
        format!(
            "[hooks.state.\"{}:stop:{group}:{handler}\"]\ntrusted_hash = \"sha256:{handler}\"\n",
            file.display()
        )
    };
    bench.write(
        "home/.codex/config.toml",
        &(USERS_CONFIG.to_owned() + &key(2, 0) + &key(2, 1)),
    );
    assert_snapshot!(bench.show_removal(RemovalScope::Hooks), @r#"
    hooks uninstall:

    --- /home/.codex/hooks.json
    +++ /home/.codex/hooks.json
    @@ -1 +1 @@
    -{"hooks":{"Interrupt":[{"hooks":[{"command":"/home/.local/share/codex-autoresearch/bin/autoresearch-hook interrupt","timeout":3,"type":"command"}]}],"SessionStart":[{"hooks":[{"command":"/home/.local/share/codex-autoresearch/bin/autoresearch-hook session-start","timeout":10,"type":"command"}]}],"Stop":[{"hooks":[{"command":"say done","type":"command"}]},{"hooks":[{"command":"/home/.local/share/codex-autoresearch/bin/autoresearch-hook stop","statusMessage":"autoresearch: measuring","timeout":1000000,"type":"command"}]},{"hooks":[{"command":"later","type":"command"},{"command":"last","type":"command"}]}]}}
    \ No newline at end of file
    +{"hooks":{"Stop":[{"hooks":[{"command":"say done","type":"command"}]},{"hooks":[{"command":"later","type":"command"},{"command":"last","type":"command"}]}]}}
    \ No newline at end of file

    --- /home/.codex/config.toml
    +++ /home/.codex/config.toml
    @@ -1,6 +1,6 @@
     # mine
     model = "m"   # odd
    -[hooks.state."/home/.codex/hooks.json:stop:2:0"]
    +[hooks.state."/home/.codex/hooks.json:stop:1:0"]
     trusted_hash = "sha256:0"
    -[hooks.state."/home/.codex/hooks.json:stop:2:1"]
    +[hooks.state."/home/.codex/hooks.json:stop:1:1"]
     trusted_hash = "sha256:1"

    note: 2 hooks after ours in /home/.codex/hooks.json move up; their trust names their position, so it is moved with them
    nothing was written yet
    "#);
    bench.remove(RemovalScope::Hooks);
    assert_eq!(
        bench.read("home/.codex/config.toml"),
        USERS_CONFIG.to_owned() + &key(1, 0) + &key(1, 1)
    );
}

#[test]
fn the_skill_goes_into_the_home_or_a_project_whole_and_out_again() {
    for (target, place) in [
        (
            InstallTarget::User,
            "home/.agents/skills/codex-autoresearch",
        ),
        (
            InstallTarget::Project(PathBuf::from(".")),
            "project/.agents/skills/codex-autoresearch",
        ),
    ] {
        let bench = InstallBench::new();
        let before = bench.read_everything();
        let request = ask_for_skill(target);
        let report = bench.try_install(&request).unwrap();
        let bundle: Vec<PathBuf> = list_bundle_files()
            .iter()
            .map(|file| bench.path(place).join(file.name))
            .collect();
        assert_eq!(report.written[3..], bundle);
        assert!(bench.show(&report).ends_with(
            "install: done\nnext: in Codex, type $codex-autoresearch and one sentence, such as: get rid of the any types"
        ));
        let now = bench.read_everything();
        for (file, path) in list_bundle_files().iter().zip(&bundle) {
            let (mode, bytes) = &now[path];
            assert_eq!((mode & 0o777, bytes.as_slice()), (file.mode, file.bytes));
        }
        assert_eq!(bench.install(&request), "already installed");
        bench.remove(RemovalScope::All);
        assert_eq!(bench.read_everything(), before);
    }
}

#[test]
fn an_update_writes_what_changed_takes_what_is_gone_and_leaves_what_the_user_edited() {
    let bench = InstallBench::new();
    let request = ask_for_skill(InstallTarget::User);
    bench.install(&request);
    let skill = "home/.agents/skills/codex-autoresearch";
    // Of an earlier version: another SKILL.md, and a file that this one does not have.
    let mut manifest = Manifest::read_from(&bench.world).unwrap();
    for (name, text) in [("SKILL.md", "earlier"), ("old.md", "old")] {
        let path = bench.path(skill).join(name);
        bench.write(&format!("{skill}/{name}"), text);
        manifest.files.retain(|made| made.path != path);
        manifest.note_installed_file(&path, crate::config::files::hash_bytes(text.as_bytes()));
    }
    manifest.write_to(&bench.world).unwrap();
    std::fs::write(&bench.world.program, "program 2").unwrap();
    let edited = list_bundle_files()
        .iter()
        .map(|file| file.name)
        .find(|name| *name != "SKILL.md")
        .unwrap();
    bench.write(&format!("{skill}/{edited}"), "mine");
    let report = bench.show(&bench.try_install(&request).unwrap());
    assert_eq!(
        report,
        format!(
            "wrote   /home/.local/share/codex-autoresearch/bin/autoresearch\n\
             wrote   /home/.local/share/codex-autoresearch/bin/autoresearch-hook\n\
             wrote   /home/.local/share/codex-autoresearch/bin/autoresearch-supervisor\n\
             wrote   /{skill}/SKILL.md\n\
             deleted /{skill}/old.md\n\
             warning: /{skill}/{edited} was changed by somebody else and is left as it is; move it away and install again to get the new one\n\
             install: done\n\
             next: in Codex, type $codex-autoresearch and one sentence, such as: get rid of the any types"
        )
    );
    assert_eq!(bench.read(&format!("{skill}/{edited}")), "mine");
    assert!(!bench.path(&format!("{skill}/old.md")).exists());
    for name in [PROGRAM, HOOK_NAME] {
        assert_eq!(
            std::fs::read(installed_path(&bench.world, name)).unwrap(),
            b"program 2"
        );
    }
    let manifest = Manifest::read_from(&bench.world).unwrap();
    assert!(manifest.files.iter().all(|made| made.hashes.len() == 1));
}

#[test]
fn a_second_copy_and_a_link_in_the_place_of_the_skill_are_warned_about() {
    let bench = InstallBench::with_codex_home(&[]);
    bench.write(
        "home/.codex/skills/mine/SKILL.md",
        "---\nname: codex-autoresearch\n---\n",
    );
    bench.write("elsewhere/SKILL.md", "---\nname: other\n---\n");
    std::fs::create_dir_all(bench.path("home/.agents/skills")).unwrap();
    std::os::unix::fs::symlink(
        bench.path("elsewhere"),
        bench.path("home/.agents/skills/codex-autoresearch"),
    )
    .unwrap();
    let plan = bench.plan(&ask_for_skill(InstallTarget::User)).unwrap();
    let warnings: Vec<String> = plan
        .warnings
        .iter()
        .map(|warning| bench.show(warning))
        .collect();
    assert_eq!(
        warnings,
        [
            "/home/.agents/skills/codex-autoresearch is a link: the skill behind it is left as it is",
            "/home/.codex/skills/mine is another copy of this skill: Codex loads neither of two skills with one name. Remove one of them",
        ]
    );
}

/// How a home is made unfit before the plan, and what is said of it.
const OBSTACLES: [(Obstacle, &str); 8] = [
    (
        |bench| bench.write("home/.codex/hooks.json", "[]"),
        "blocked: /home/.codex/hooks.json is not a JSON object\nhint: nothing was written. Fix /home/.codex/hooks.json and run the command again",
    ),
    (
        |bench| std::fs::write(bench.path("home/.codex/hooks.json"), b"\xff").unwrap(),
        "blocked: /home/.codex/hooks.json is not UTF-8\nhint: nothing was written. Fix /home/.codex/hooks.json and run the command again",
    ),
    (
        |bench| bench.write("home/.codex/config.toml", "= 1"),
        "blocked: /home/.codex/config.toml is not valid TOML: unquoted keys cannot be empty, expected letters, numbers, `-`, `_` at line 1\nhint: nothing was written. Fix /home/.codex/config.toml and run the command again",
    ),
    (
        |bench| drop(bench.world.vars.remove(std::ffi::OsStr::new("HOME"))),
        "environment: HOME is not set\nhint: create that folder, or unset CODEX_HOME to use ~/.codex",
    ),
    (
        |bench| drop(bench.world.vars.insert("CODEX_HOME".into(), "/none".into())),
        "environment: CODEX_HOME is /none, which does not exist\nhint: create that folder, or unset CODEX_HOME to use ~/.codex",
    ),
    (
        |bench| std::fs::remove_file(&bench.world.program).unwrap(),
        "environment: /built cannot be read, and /home/.local/share/codex-autoresearch/bin/autoresearch-hook is not there\nhint: build it: cargo install --path crates/autoresearch --locked --force",
    ),
    (
        |bench| bench.write("home/.local/share/codex-autoresearch", "a file"),
        "blocked: /home/.local/share/codex-autoresearch is not a folder of yours\nhint: nothing was written. Move it away and run the command again",
    ),
    (
        |bench| {
            bench.write(
                "home/.local/share/codex-autoresearch/manifest.json",
                r#"{"format": 2}"#,
            );
        },
        "blocked: /home/.local/share/codex-autoresearch/manifest.json has format 2, which this version does not know\nhint: update autoresearch",
    ),
];

#[test]
fn a_home_in_which_no_hooks_can_be_registered_is_refused_with_the_step_that_helps() {
    for (obstacle, expected) in OBSTACLES {
        let mut bench = InstallBench::of_a_user();
        obstacle(&mut bench);
        let before = bench.read_everything();
        let failure = bench.plan(&ask_for_hooks()).err().unwrap();
        assert_eq!(bench.show_failure(&failure), expected);
        assert_eq!(bench.read_everything(), before);
    }
}

#[test]
fn a_project_that_is_not_there_or_leads_elsewhere_is_refused() {
    let bench = InstallBench::new();
    let refuse = |project: &str| {
        let request = ask_for_skill(InstallTarget::Project(PathBuf::from(project)));
        bench.show_failure(&bench.plan(&request).err().unwrap())
    };
    assert_eq!(
        refuse("none"),
        "usage: /project/none is not a folder\nhint: name the root of the project: autoresearch install --project DIR"
    );
    std::os::unix::fs::symlink(bench.path("home"), bench.path("project/.agents")).unwrap();
    assert_eq!(
        refuse("."),
        "blocked: a link in the path of /project/.agents/skills/codex-autoresearch leads elsewhere\nhint: nothing was written. Replace the link by a folder, or install for the user: autoresearch install --user"
    );
}

#[test]
fn a_configuration_that_switches_hooks_off_or_has_the_plugin_is_warned_about() {
    let config =
        "[features]\nhooks = false\n\n[plugins.\"codex-autoresearch@m\"]\nenabled = true\n";
    let bench = InstallBench::with_codex_home(&[("config.toml", config)]).with_codex(0, &[]);
    let plan = bench.plan(&ask_for_hooks()).unwrap();
    assert!(plan.trust.is_none());
    let warnings: Vec<String> = plan
        .warnings
        .iter()
        .map(|warning| bench.show(warning))
        .collect();
    assert_eq!(
        warnings,
        [
            "the Codex plugin brings the same hooks, and both would run: keep one of them (`codex plugin remove`, or `autoresearch hooks uninstall`)",
            "hooks are switched off in /home/.codex/config.toml (`hooks = false` under `[features]`): not armed. Remove that line, then run `autoresearch hooks install` again",
        ]
    );
}

#[test]
fn a_plan_is_one_object_in_json_with_all_that_the_person_sees() {
    let bench = InstallBench::new();
    let plan = bench.plan(&ask_for_hooks()).unwrap();
    let report = serde_json::to_string_pretty(&plan.to_report(InstallState::Planned)).unwrap();
    assert_snapshot!(bench.show(&report), @r#"
    {
      "action": "hooks install",
      "state": "planned",
      "written": [
        "/home/.local/share/codex-autoresearch/bin/autoresearch",
        "/home/.local/share/codex-autoresearch/bin/autoresearch-hook",
        "/home/.local/share/codex-autoresearch/bin/autoresearch-supervisor"
      ],
      "deleted": [],
      "changes": [
        {
          "path": "/home/.codex/hooks.json",
          "diff": "--- /dev/null\n+++ /home/.codex/hooks.json\n@@ -0,0 +1,13 @@\n+{\n+  \"hooks\": {\n+    \"SessionStart\": [\n+      {\"hooks\": [{\"type\": \"command\", \"command\": \"/home/.local/share/codex-autoresearch/bin/autoresearch-hook session-start\", \"timeout\": 10}]}\n+    ],\n+    \"Stop\": [\n+      {\"hooks\": [{\"type\": \"command\", \"command\": \"/home/.local/share/codex-autoresearch/bin/autoresearch-hook stop\", \"timeout\": 1000000, \"statusMessage\": \"autoresearch: measuring\"}]}\n+    ],\n+    \"Interrupt\": [\n+      {\"hooks\": [{\"type\": \"command\", \"command\": \"/home/.local/share/codex-autoresearch/bin/autoresearch-hook interrupt\", \"timeout\": 3}]}\n+    ]\n+  }\n+}\n"
        }
      ],
      "notes": [
        "hooks run outside Codex's sandbox, in every session; ours do nothing unless a run of that session is open, and in a run they execute its verify and guard, and so code that the agent has edited"
      ],
      "warnings": [
        "codex was not found on PATH, so the hooks are not armed: run `autoresearch hooks install` where it is, or trust them in Codex with /hooks"
      ],
      "hooks": []
    }
    "#);
}
