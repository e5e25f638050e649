//! Owns what `doctor` says of Codex: version, hooks, skill, rule, and whether git is writable for this process.
//! Does not change anything, and does not start a Codex that was never used here.
//! Invariant: a machine without Codex has no problem, and what was not found out is not shown as fine.

use std::path::Path;

use super::{Finding, bad, good, note};
use crate::run::history_around;
use autoresearch_codex::app_server;
use autoresearch_codex::app_server::Server;
use autoresearch_codex::config::manifest::Manifest;
use autoresearch_codex::config::{files, rules, skills};
use autoresearch_codex::home;
use autoresearch_codex::home::{Armed, CodexError, Home, SKILL};
use autoresearch_codex::install::{stable, standing};
use autoresearch_codex::release::{Release, judge_release, tested_releases};
use autoresearch_sys::env::World;
use autoresearch_sys::git::is_read_only;

/// Looks at everything that has to do with Codex.
pub fn examine(world: &World, root: &Path, findings: &mut Vec<Finding>) {
    let program = home::program(world);
    findings.push(match &program {
        _ if home::in_session(world) => match home::session_release(world) {
            Some(release) => judged(&release, "runs this session"),
            None => good("codex", "runs this session; its release is not known"),
        },
        Some(program) => version(world, program),
        None => {
            let found = "not found on PATH; only needed for its skill and hooks";
            return findings.push(good("codex", found));
        }
    });
    findings.push(git_folder(world, root));
    let home = match Home::of(world) {
        Ok(home) if home.exists => home,
        Ok(home) => {
            let found = format!(
                "{} is not there: Codex was never used here",
                home.root.display()
            );
            return findings.push(note("codex home", &found, "start Codex once"));
        }
        Err(error) => {
            return findings.push(bad(
                "codex home",
                &error.to_string(),
                "unset CODEX_HOME, or create the folder",
            ));
        }
    };
    hooks(world, root, findings);
    findings.push(skill(world, root, program.as_deref()));
    findings.push(rule(world, root, &home));
}

fn version(world: &World, program: &Path) -> Finding {
    match app_server::version(world, program) {
        Ok(release) => judged(&release, &format!("at {}", program.display())),
        Err(error @ CodexError::NoScratch(_)) => note(
            "codex",
            &format!("at {}; not asked: {error}", program.display()),
            "set TMPDIR to a folder that this process can write",
        ),
        Err(error) => bad("codex", &error.to_string(), "reinstall Codex"),
    }
}

/// A release of Codex, and whether it is one that this program is tested with.
fn judged(release: &str, place: &str) -> Finding {
    let tested = tested_releases();
    let found = |how: &str| format!("{release} {place}; {how} {tested}");
    let report = "if hooks or the skill do not work, report this release";
    match judge_release(release) {
        Release::Tested => good("codex", &format!("{release} {place}")),
        Release::Older => note(
            "codex",
            &found("older than the tested releases"),
            "update Codex: npm install -g @openai/codex",
        ),
        Release::Newer => note("codex", &found("newer than the tested releases"), report),
        Release::Between | Release::Unknown => {
            note("codex", &found("not one of the tested releases"), report)
        }
    }
}

fn git_folder(world: &World, root: &Path) -> Finding {
    let writable = history_around(world, root).is_ok_and(|history| {
        !is_read_only(&history.git_folder()) && !is_read_only(&history.common_folder())
    });
    let in_codex = home::in_session(world);
    match (writable, in_codex) {
        (true, _) => good("git folder", "this process can write it"),
        (false, true) if home::armed(world) == Armed::Armed => note(
            "git folder",
            "read-only for this process, which runs in Codex's sandbox; the hooks are armed",
            "hand trials over with `autoresearch propose`",
        ),
        (false, true) => bad(
            "git folder",
            "read-only for this process, which runs in Codex's sandbox",
            "autoresearch install --rule lets trials run outside it; or arm the hooks: autoresearch hooks install",
        ),
        (false, false) => bad(
            "git folder",
            "read-only for this process",
            "run where it can be written",
        ),
    }
}

fn hooks(world: &World, root: &Path, findings: &mut Vec<Finding>) {
    let registered = Manifest::load(world).is_ok_and(|manifest| !manifest.hooks.is_empty());
    let report = standing::look(world, root);
    for hook in report.hooks {
        let subject = format!("hook {}", hook.event);
        let step = hook.step.unwrap_or_default();
        findings.push(match hook.state {
            Armed::Armed => good(&subject, "armed"),
            Armed::NotArmed if !registered => note(&subject, "not armed", &step),
            state => bad(&subject, state.word(), &step),
        });
    }
    for fault in report.notes {
        findings.push(note("hooks", &fault, "autoresearch hooks status"));
    }
}

fn skill(world: &World, root: &Path, program: Option<&Path>) -> Finding {
    let subject = format!("skill ${SKILL}");
    let asked = program
        .filter(|_| !home::in_session(world))
        .map(|program| Server::start(world, program).and_then(|mut server| server.skills(root)));
    let (seen, who): (Vec<String>, &str) = match asked {
        Some(Ok(skills)) => (
            skills
                .into_iter()
                .filter(|(name, _)| name.rsplit(':').next() == Some(SKILL))
                .map(|(_, path)| path)
                .collect(),
            "Codex sees it",
        ),
        _ => (
            skills::copies(world, root)
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
            "Codex was not asked; it stands",
        ),
    };
    let (from_plugins, seen): (Vec<_>, Vec<_>) = seen
        .into_iter()
        .partition(|path| path.contains("/plugins/cache/"));
    match seen.as_slice() {
        [] if !from_plugins.is_empty() => {
            good(&subject, &format!("{who} as a plugin's: ${SKILL}:{SKILL}"))
        }
        [] => note(&subject, &format!("{who} nowhere"), "autoresearch install"),
        [one] => good(&subject, &format!("{who} in {one}")),
        several => bad(
            &subject,
            &format!(
                "{who} {} times, and injects none of them: {}",
                several.len(),
                several.join(", ")
            ),
            "remove all but one",
        ),
    }
}

fn rule(world: &World, root: &Path, home: &Home) -> Finding {
    let program = stable(world, "autoresearch");
    let path = home.rules_file();
    let install =
        "autoresearch install --rule adds it, if trials are to run outside Codex's sandbox";
    match files::read_text(&path) {
        Ok(None) => note("execution rule", "none", install),
        Ok(Some(_)) if program.starts_with(root) => bad(
            "execution rule",
            &format!(
                "{} lies in this work tree, where an agent can replace it",
                program.display()
            ),
            "do not use Codex with this folder as its workspace, or take the rule out",
        ),
        Ok(Some(text)) => match rules::start_rule(&text, &program.to_string_lossy()) {
            Some(rules::StartRule::Prompt) => good(
                "execution rule",
                "trials run outside the sandbox, `start` asks",
            ),
            Some(rules::StartRule::Allow) => note(
                "execution rule",
                "trials and `start` run outside the sandbox: an agent can execute anything without a question",
                "autoresearch install --rule has `start` ask again",
            ),
            None => note(
                "execution rule",
                &format!("{} is not what this version writes", path.display()),
                "autoresearch install --rule",
            ),
        },
        Err(error) => bad("execution rule", &error.to_string(), install),
    }
}
