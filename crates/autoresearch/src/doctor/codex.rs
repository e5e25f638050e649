//! Owns what `doctor` says of Codex: version, hooks, skill, rule, and whether git is writable for this process.
//! Does not change anything, and does not start a Codex that was never used here.
//! Invariant: a machine without Codex has no problem, and what was not found out is not shown as fine.

use std::path::Path;

use autoresearch_core::agent::caller::HookReadiness;

use super::finding::{DoctorFinding, report_good, report_note, report_problem};
use crate::run::place::history_around;
use autoresearch_codex::app_server;
use autoresearch_codex::app_server::AppServer;
use autoresearch_codex::config::armed;
use autoresearch_codex::config::manifest::Manifest;
use autoresearch_codex::config::{files, rules, skills};
use autoresearch_codex::error::CodexError;
use autoresearch_codex::home;
use autoresearch_codex::home::{CodexHome, SKILL};
use autoresearch_codex::install::places::{PROGRAM, installed_path};
use autoresearch_codex::install::standing;
use autoresearch_codex::release::{ReleaseStanding, format_tested_releases, judge_release};
use autoresearch_sys::env::World;
use autoresearch_sys::git::is_read_only;

/// Looks at everything that has to do with Codex.
pub(super) fn examine_codex(world: &World, root: &Path, findings: &mut Vec<DoctorFinding>) {
    let program = home::find_program(world);
    findings.push(match &program {
        _ if home::is_in_session(world) => match home::read_session_release(world) {
            Some(release) => report_release(&release, "runs this session"),
            None => report_good("codex", "runs this session; its release is not known"),
        },
        Some(program) => examine_version(world, program),
        None => {
            let found = "not found on PATH; only needed for its skill and hooks";
            return findings.push(report_good("codex", found));
        }
    });
    findings.push(examine_git_folder(world, root));
    let home = match CodexHome::find_in(world) {
        Ok(home) if home.exists => home,
        Ok(home) => {
            let found = format!(
                "{} does not exist: Codex was never used here",
                home.root.display()
            );
            return findings.push(report_note("codex home", &found, "start Codex once"));
        }
        Err(error) => {
            return findings.push(report_problem(
                "codex home",
                &error.to_string(),
                "unset CODEX_HOME, or create the folder",
            ));
        }
    };
    examine_hooks(world, root, findings);
    findings.push(examine_skill(world, root, program.as_deref()));
    findings.push(examine_rule(world, root, &home));
}

fn examine_version(world: &World, program: &Path) -> DoctorFinding {
    match app_server::read_version(world, program) {
        Ok(release) => report_release(&release, &format!("at {}", program.display())),
        Err(error @ CodexError::NoScratch(_)) => report_note(
            "codex",
            &format!("at {}; not asked: {error}", program.display()),
            "set TMPDIR to a folder that this process can write",
        ),
        Err(error) => report_problem("codex", &error.to_string(), "reinstall Codex"),
    }
}

/// A release of Codex, and whether it is one that this program is tested with.
fn report_release(release: &str, place: &str) -> DoctorFinding {
    let tested = format_tested_releases();
    let found = |how: &str| format!("{release} {place}; {how} {tested}");
    let report = "if hooks or the skill do not work, report this release";
    match judge_release(release) {
        ReleaseStanding::Tested => report_good("codex", &format!("{release} {place}")),
        ReleaseStanding::Older => report_note(
            "codex",
            &found("older than the tested releases"),
            "update Codex: npm install -g @openai/codex",
        ),
        ReleaseStanding::Newer => {
            report_note("codex", &found("newer than the tested releases"), report)
        }
        ReleaseStanding::Between | ReleaseStanding::Unknown => {
            report_note("codex", &found("not one of the tested releases"), report)
        }
    }
}

fn examine_git_folder(world: &World, root: &Path) -> DoctorFinding {
    let writable = history_around(world, root).is_ok_and(|history| {
        !is_read_only(&history.git_folder()) && !is_read_only(&history.common_folder())
    });
    let in_codex = home::is_in_session(world);
    match (writable, in_codex) {
        (true, _) => report_good("git folder", "this process can write it"),
        (false, true) if armed::read_armed(world) == HookReadiness::Armed => report_note(
            "git folder",
            "read-only for this process, which runs in Codex's sandbox; the hooks are armed",
            "hand trials over with `autoresearch propose`",
        ),
        (false, true) => report_problem(
            "git folder",
            "read-only for this process, which runs in Codex's sandbox",
            "autoresearch install --rule lets trials run outside it; or arm the hooks: autoresearch hooks install",
        ),
        (false, false) => report_problem(
            "git folder",
            "read-only for this process",
            "run this where the git folder is writable",
        ),
    }
}

fn examine_hooks(world: &World, root: &Path, findings: &mut Vec<DoctorFinding>) {
    let registered = Manifest::read_from(world).is_ok_and(|manifest| !manifest.hooks.is_empty());
    let report = standing::report_hooks(world, root);
    for hook in report.hooks {
        let subject = format!("hook {}", hook.event);
        let step = hook.step.unwrap_or_default();
        findings.push(match hook.state {
            HookReadiness::Armed => report_good(&subject, "armed"),
            HookReadiness::NotArmed if !registered => report_note(&subject, "not armed", &step),
            state => report_problem(&subject, state.as_str(), &step),
        });
    }
    for fault in report.notes {
        findings.push(report_note("hooks", &fault, "autoresearch hooks status"));
    }
}

/// Who was asked for the skill: Codex, or, where it does not answer, the folders.
#[derive(Clone, Copy)]
enum SkillLook {
    Codex,
    Files,
}

impl SkillLook {
    fn as_str(self) -> &'static str {
        match self {
            Self::Codex => "Codex sees it",
            Self::Files => "installed",
        }
    }

    fn say_absent(self) -> &'static str {
        match self {
            Self::Codex => "Codex does not see it",
            Self::Files => "not installed",
        }
    }
}

fn examine_skill(world: &World, root: &Path, program: Option<&Path>) -> DoctorFinding {
    let subject = format!("skill ${SKILL}");
    let asked = program
        .filter(|_| !home::is_in_session(world))
        .map(|program| {
            AppServer::start(world, program).and_then(|mut server| server.list_skills(root))
        });
    let (seen, way): (Vec<String>, SkillLook) = match asked {
        Some(Ok(skills)) => (
            skills
                .into_iter()
                .filter(|(name, _)| name.rsplit(':').next() == Some(SKILL))
                .map(|(_, path)| path)
                .collect(),
            SkillLook::Codex,
        ),
        _ => (
            skills::find_skill_copies(world, root)
                .iter()
                .map(|path| path.display().to_string())
                .collect(),
            SkillLook::Files,
        ),
    };
    let (from_plugins, seen): (Vec<_>, Vec<_>) = seen
        .into_iter()
        .partition(|path| path.contains("/plugins/cache/"));
    match seen.as_slice() {
        [] if !from_plugins.is_empty() => report_good(
            &subject,
            &format!("{} as a plugin's: ${SKILL}:{SKILL}", way.as_str()),
        ),
        [] => report_note(&subject, way.say_absent(), "autoresearch install"),
        [one] => report_good(&subject, &format!("{} in {one}", way.as_str())),
        several => report_problem(
            &subject,
            &format!(
                "{} copies, of which Codex loads none: {}",
                several.len(),
                several.join(", ")
            ),
            "remove all but one",
        ),
    }
}

fn examine_rule(world: &World, root: &Path, home: &CodexHome) -> DoctorFinding {
    let program = installed_path(world, PROGRAM);
    let path = home.rules_file();
    let install =
        "autoresearch install --rule adds it, if trials are to run outside Codex's sandbox";
    match files::read_text(&path) {
        Ok(None) => report_note("execution rule", "none", install),
        Ok(Some(_)) if program.starts_with(root) => report_problem(
            "execution rule",
            &format!(
                "{} lies in this work tree, where an agent can replace it",
                program.display()
            ),
            "do not use Codex with this folder as its workspace, or remove the rule",
        ),
        Ok(Some(text)) => match rules::parse_start_rule(&text, &program.to_string_lossy()) {
            Some(rules::StartRule::Prompt) => report_good(
                "execution rule",
                "trials run outside the sandbox, `start` asks",
            ),
            Some(rules::StartRule::Allow) => report_note(
                "execution rule",
                "trials and `start` run outside the sandbox: an agent can execute anything without a question",
                "autoresearch install --rule has `start` ask again",
            ),
            None => report_note(
                "execution rule",
                &format!("{} is not what this version writes", path.display()),
                "autoresearch install --rule",
            ),
        },
        Err(error) => report_problem("execution rule", &error.to_string(), install),
    }
}
