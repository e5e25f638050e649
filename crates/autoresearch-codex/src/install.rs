//! Owns `install` and its parts: what goes where, in which order, so that a half of it can be finished or undone.
//! Does not ask or print: the edge shows the plan and brings the yes.
//! Invariant: the manifest is written first, and a file of the user's is changed only as the plan showed it.

mod bundle;
pub mod plan;
mod register;
pub mod remove;
pub mod standing;

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use self::bundle::{BundleFile, FILES};
use self::plan::{FileDiff, FileWrite, InstallPlan, InstallReport, InstallState};
use crate::config::manifest::Manifest;
use crate::config::rules;
use crate::config::rules::StartRule;
use crate::config::{files, skills};
use crate::home::{CodexError, CodexHome, SKILL, find_user_home};
use crate::{app_server, home};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, FailureKind, Result};

/// The programs, by the names under which they are installed.
const PROGRAMS: [&str; 3] = [
    "autoresearch",
    "autoresearch-hook",
    "autoresearch-supervisor",
];

/// Where the bundle goes.
#[derive(Clone, Debug)]
pub enum InstallTarget {
    User,
    Project(PathBuf),
}

#[derive(Clone, Debug, Default)]
pub struct InstallRequest {
    pub target: Option<InstallTarget>,
    pub hooks: bool,
    pub rule: Option<StartRule>,
}

/// The installed place of a program.
#[must_use]
pub fn installed_path(world: &World, program: &str) -> PathBuf {
    world.data_folder.join("bin").join(program)
}

/// A path as text, for places where it must be.
fn path_to_text(path: &Path) -> Result<String> {
    path.to_str().map(ToOwned::to_owned).ok_or_else(|| {
        Failure::environment(format!("{} is not UTF-8", path.display()))
            .hint("Codex's files can only name paths that are UTF-8")
    })
}

/// What an installation is going to do.
pub fn plan_installation(world: &World, request: &InstallRequest) -> Result<InstallPlan> {
    let mut plan = InstallPlan {
        action: if request.target.is_some() {
            "install"
        } else {
            "hooks install"
        },
        manifest: Manifest::read_from(world)?,
        ..InstallPlan::default()
    };
    check_owner(&world.data_folder)?;
    plan_programs(world, &mut plan)?;
    if let Some(target) = &request.target {
        plan_skill(world, target, &mut plan)?;
    }
    if let Some(start) = request.rule {
        plan_rule(world, start, &mut plan)?;
    }
    if request.hooks {
        register::plan_registration(world, &mut plan)?;
    }
    Ok(plan)
}

/// What Codex is told to run must not lie in somebody else's folder.
fn check_owner(folder: &Path) -> Result<()> {
    autoresearch_sys::store::check_folder_trust(folder)?;
    let owner = folder.metadata().map(|meta| (meta.is_dir(), meta.uid()));
    let me = rustix::process::geteuid().as_raw();
    match owner {
        Ok(found) if found != (true, me) => Err(Failure::blocked(format!(
            "{} is not a folder of yours",
            folder.display()
        ))
        .hint("nothing was written. Move it away and run the command again")),
        _ => Ok(()),
    }
}

/// Adds a file of our own, unless it is there. One that the user changed stays.
fn plan_own_file(plan: &mut InstallPlan, path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let now = files::read_bytes(path)?;
    if now.as_deref() == Some(bytes) {
        return Ok(());
    }
    if let Some(now) = now {
        let known = plan.manifest.find_installed_file(path);
        if !known.is_some_and(|made| made.hashes.contains(&files::hash_bytes(&now))) {
            plan.warnings.push(format!(
                "{} was changed by somebody else and is left as it is; move it away and install again to get the new one",
                path.display()
            ));
            return Ok(());
        }
    }
    plan_write(plan, path, bytes, mode)
}

fn plan_write(plan: &mut InstallPlan, path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    plan.manifest
        .note_installed_file(path, files::hash_bytes(bytes));
    plan.writes.push(FileWrite {
        path: path.to_owned(),
        before: files::read_bytes(path)?,
        bytes: bytes.to_owned(),
        mode,
    });
    Ok(())
}

fn plan_programs(world: &World, plan: &mut InstallPlan) -> Result<()> {
    let running = world.program.canonicalize();
    let running = running.unwrap_or_else(|_| world.program.clone());
    for name in PROGRAMS {
        let source = match name {
            "autoresearch" => running.clone(),
            _ => running.with_file_name(name),
        };
        let target = installed_path(world, name);
        let Some(bytes) = files::read_bytes(&source)? else {
            continue;
        };
        // One that no manifest lists is from an installation whose manifest is gone: it is listed again.
        let listed = plan.manifest.find_installed_file(&target).is_some();
        if !listed || files::read_bytes(&target)?.as_deref() != Some(&bytes) {
            plan_write(plan, &target, &bytes, 0o755)?;
        }
    }
    Ok(())
}

fn plan_skill(world: &World, target: &InstallTarget, plan: &mut InstallPlan) -> Result<()> {
    let base = match target {
        InstallTarget::User => find_user_home(world)?,
        InstallTarget::Project(folder) => {
            let folder = world.cwd.join(folder);
            folder
                .canonicalize()
                .ok()
                .filter(|real| real.is_dir())
                .ok_or_else(|| {
                    Failure::usage(format!("{} is not a folder", folder.display()))
                        .hint("name the root of the project: autoresearch install --project DIR")
                })?
        }
    };
    let folder = base.join(".agents/skills").join(SKILL);
    if folder.is_symlink() {
        plan.warnings.push(format!(
            "{} is a link: the skill behind it is left as it is",
            folder.display()
        ));
    } else {
        check_links(&base, &folder, target)?;
        for BundleFile {
            name,
            executable,
            bytes,
        } in FILES
        {
            let mode = if *executable { 0o755 } else { 0o644 };
            plan_own_file(plan, &folder.join(name), bytes, mode)?;
        }
        plan_stale_deletes(plan, &folder);
    }
    let seen_from = match target {
        InstallTarget::User => world.cwd.clone(),
        InstallTarget::Project(_) => base,
    };
    let real = folder.canonicalize().unwrap_or(folder);
    for copy in skills::find_skill_copies(world, &seen_from) {
        if copy != real {
            plan.warnings.push(format!(
                "{} is another copy of this skill: Codex injects neither of two with one name. Remove one of them",
                copy.display()
            ));
        }
    }
    Ok(())
}

/// A project came from somebody, perhaps with links that lead our files out of it. A user's own `.agents` may be a link.
fn check_links(base: &Path, folder: &Path, target: &InstallTarget) -> Result<()> {
    let real = files::resolve_path(folder);
    let stays = match target {
        InstallTarget::User => real.is_some(),
        InstallTarget::Project(_) => real.as_ref().is_some_and(|real| real.starts_with(base)),
    };
    let mut places = FILES.iter().map(|file| folder.join(file.name));
    let astray = if stays {
        places.find(|place| {
            let above = files::resolve_path(place.parent().unwrap_or(place));
            !above
                .zip(real.as_ref())
                .is_some_and(|(above, real)| above.starts_with(real))
        })
    } else {
        Some(folder.to_owned())
    };
    match astray {
        Some(place) => Err(Failure::blocked(format!(
            "a link on the way to {} leads elsewhere",
            place.display()
        ))
        .hint("nothing was written. Put a folder in the place of the link, or install for the user: autoresearch install --user")),
        None => Ok(()),
    }
}

/// Files of an earlier bundle that this one does not have.
fn plan_stale_deletes(plan: &mut InstallPlan, folder: &Path) {
    for made in &plan.manifest.files {
        let Ok(name) = made.path.strip_prefix(folder) else {
            continue;
        };
        let current = FILES.iter().any(|file| Path::new(file.name) == name);
        let ours = files::read_bytes(&made.path)
            .ok()
            .flatten()
            .is_some_and(|bytes| made.hashes.contains(&files::hash_bytes(&bytes)));
        if !current && ours {
            plan.deletes.push(made.path.clone());
        }
    }
}

fn plan_rule(world: &World, start: StartRule, plan: &mut InstallPlan) -> Result<()> {
    let path = CodexHome::find_in(world)?.rules_file();
    let program = path_to_text(&installed_path(world, "autoresearch"))?;
    let before = files::read_text(&path)?;
    let after = rules::format_rules(&program, start);
    if before.as_deref() != Some(after.as_str()) {
        let changes = plan.writes.len();
        plan_own_file(plan, &path, after.as_bytes(), 0o644)?;
        if plan.writes.len() > changes {
            plan.changes
                .push(FileDiff::new(&path, before.as_deref(), Some(&after)));
            plan.rule = Some((path, program.clone()));
        }
    }
    plan.notes.push(format!(
        "with this rule verify and guard, and so any code they execute that the agent has edited, run outside Codex's sandbox, with network and without a question; {}",
        match start {
            StartRule::Prompt => "only `start`, which fixes the commands of a run, still asks you (and is refused where nobody can be asked)",
            StartRule::Allow => "`start` too, so that the agent chooses these commands itself: it can run anything",
        }
    ));
    if home::quote_shell_word(&program) != program {
        plan.warnings.push(format!(
            "Codex applies a rule only to a command typed without quotes, so the rule has no effect for {program}"
        ));
    }
    Ok(())
}

/// Does what the plan says, and what Codex says of it afterwards.
pub fn apply_installation(world: &World, mut plan: InstallPlan) -> Result<InstallReport> {
    if plan.is_empty() {
        return Ok(plan.to_report(InstallState::NothingToDo));
    }
    let manifest_path = Manifest::path_in(world);
    plan.manifest.note_missing_folders(&manifest_path);
    files::make_parent_folder(&manifest_path)?;
    let _lock = lock_installation(&world.data_folder)?;
    check_unchanged(&plan)?;
    plan.manifest.write_to(world)?;
    for write in &plan.writes {
        (world.step)("install file");
        files::make_parent_folder(&write.path)?;
        files::replace_file(&write.path, &write.bytes, write.mode)?;
        if files::read_mode(&write.path) != Some(write.mode) {
            files::set_mode(&write.path, write.mode)?;
        }
    }
    for path in &plan.deletes {
        files::remove_if_present(path)?;
    }
    check_written_rule(world, &plan)?;
    for edit in &plan.edits {
        (world.step)("install edit");
        let after = edit.after.as_deref().unwrap_or_default();
        files::make_parent_folder(&edit.path)?;
        files::replace_file(&edit.path, after.as_bytes(), 0o600)?;
        let hash = files::hash_bytes(after.as_bytes());
        plan.manifest.note_written_hash(&edit.path, &hash);
    }
    let trusted = match plan.trust.take() {
        Some(trust) => register::trust_our_hooks(world, &trust, &mut plan.manifest),
        None => Ok(()),
    };
    settle_manifest(&mut plan);
    (world.step)("install end");
    plan.manifest.write_to(world)?;
    trusted?;
    let mut report = plan.to_report(InstallState::Done);
    if !plan.manifest.hooks.is_empty() {
        report.hooks = standing::report_hooks(world, &world.cwd).hooks;
    }
    Ok(report)
}

/// Forgets what was there before an update, and files that are gone.
fn settle_manifest(plan: &mut InstallPlan) {
    for write in &plan.writes {
        let hash = files::hash_bytes(&write.bytes);
        for made in &mut plan.manifest.files {
            if made.path == write.path {
                made.hashes = vec![hash.clone()];
            }
        }
    }
    let deletes = &plan.deletes;
    plan.manifest
        .files
        .retain(|made| !deletes.contains(&made.path));
}

/// Two installations at once would each undo what the other notes.
fn lock_installation(folder: &Path) -> Result<File> {
    let file = File::open(folder).map_err(CodexError::wrap_io("open", folder))?;
    file.try_lock().map_err(|_| {
        Failure::new(FailureKind::Busy, "another installation is under way")
            .hint("wait until it is done; a dead process holds nothing")
    })?;
    Ok(file)
}

/// The person said yes to these changes, and to no others.
fn check_unchanged(plan: &InstallPlan) -> Result<()> {
    let edits = plan.edits.iter().map(|edit| {
        let before = edit.before.as_ref().map(String::as_bytes);
        (&edit.path, before)
    });
    let writes = plan.writes.iter();
    let writes = writes.map(|write| (&write.path, write.before.as_deref()));
    for (path, before) in edits.chain(writes) {
        if files::read_bytes(path)?.as_deref() != before {
            return Err(Failure::blocked(format!(
                "{} was changed while the change was being shown",
                path.display()
            ))
            .hint("nothing was written. Run the command again"));
        }
        if before.is_none() && path.is_symlink() {
            return Err(Failure::blocked(format!(
                "{} is a link that leads nowhere",
                path.display()
            ))
            .hint("nothing was written. Make the file that it names, or remove the link"));
        }
    }
    Ok(())
}

/// Codex does not start with a rule file that it cannot read: such a file is taken back at once.
fn check_written_rule(world: &World, plan: &InstallPlan) -> Result<()> {
    let (Some((path, program)), Some(codex)) = (&plan.rule, home::find_program(world)) else {
        return Ok(());
    };
    let answer = app_server::read_rule_decision(world, &codex, path, &[program, "status"]);
    match answer {
        Ok(Some(decision)) if decision == "allow" => Ok(()),
        answer => {
            files::remove_if_present(path)?;
            let failure =
                Failure::environment("Codex does not take the rule; it was removed again");
            let hint = "run again without --rule; the rest is installed";
            Err(match answer {
                Err(error) => failure.because(&error),
                Ok(_) => failure,
            }
            .hint(hint))
        }
    }
}
