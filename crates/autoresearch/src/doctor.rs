//! Owns `doctor`: is everything of the runs here as it should be, and what did the tool make?
//! Does not guess: each finding names what was looked at and what to do.
//! Invariant: without `--repair` and `--yes` nothing changes.

mod codex;
mod finding;
pub(crate) mod inventory;
mod sandbox_probe;

use std::fmt;

use serde::Serialize;

use self::finding::{DoctorFinding, report_failure, report_good, report_note, report_problem};
use crate::doctor::inventory::{InventoryItem, list_items, remove_items};
use crate::run::entry::repair_held;
use crate::run::glance::{Glance, lost_tree_error};
use crate::run::held::Held;
use crate::run::lost::find_lost_runs;
use crate::run::place::{Place, history_around};
use crate::watch::tree_changes;
use autoresearch_core::words::text::format_count;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::GitError;
use autoresearch_sys::store::{Access, Layout, RunStore, check_folder_trust, find_holder};

/// What to do besides looking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DoctorOptions {
    /// Repair interrupted trials and rebuild the views.
    pub repair: bool,
    /// List what the tool made, for removal.
    pub clean: bool,
    pub yes: bool,
}

impl DoctorOptions {
    /// Lists what the tool made, or removes it.
    #[must_use]
    pub(crate) fn for_cleaning(yes: bool) -> Self {
        Self {
            repair: false,
            clean: true,
            yes,
        }
    }
}

/// The answer of `doctor`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DoctorReport {
    /// Everything that was looked at.
    pub findings: Vec<DoctorFinding>,
    /// How many are not as they should be.
    pub problems: usize,
    /// What the tool made here; with `--clean`.
    pub made: Vec<InventoryItem>,
    pub removed: bool,
}

/// Looks at git, the runs of this work tree, and what was left behind.
pub(crate) fn run_doctor(
    world: &World,
    place: &Place,
    orders: DoctorOptions,
) -> Result<DoctorReport> {
    let (root, _) = place.find_root(world)?;
    let mut findings = vec![examine_git(world)];
    if let Err(error) = check_folder_trust(&world.state_folder) {
        findings.push(report_failure("state folder", &error.into()));
    }
    let names = match &place.run {
        Some(name) if !Layout::list_runs(&root).contains(name) => {
            return Err(Failure::usage(format!("there is no run `{name}` here")));
        }
        Some(name) => vec![name.clone()],
        None => Layout::list_runs(&root),
    };
    for name in &names {
        examine_run(world, &Layout::new(&root, name), orders, &mut findings);
    }
    let history = history_around(world, &root)?;
    let lost = find_lost_runs(world, &history, &root);
    for lost in &lost {
        let subject = format!("run {}", lost.layout.run);
        let (found, remedy) = (lost.describe_loss(&history), lost.advise_next(&history));
        findings.push(if lost.is_open(&history) {
            report_problem(&subject, &found, &remedy)
        } else {
            report_note(&subject, &found, &remedy)
        });
    }
    if names.is_empty() && lost.is_empty() {
        findings.push(report_good("runs", "no run was started here"));
    }
    findings.push(sandbox_probe::examine_sandbox(world));
    codex::examine_codex(world, &root, &mut findings);
    let mut made = Vec::new();
    if orders.clean {
        made = list_items(world, &root, &names)?;
        if orders.yes {
            remove_items(world, &root, &mut made)?;
        }
    }
    let problems = findings.iter().filter(|finding| !finding.ok).count();
    Ok(DoctorReport {
        findings,
        problems,
        made,
        removed: orders.clean && orders.yes,
    })
}

fn examine_git(world: &World) -> DoctorFinding {
    let found = World::find_program(&world.vars, "git").map(|program| {
        (
            autoresearch_sys::git::Git::new(&program, &world.cwd, &[]).read_version(),
            program,
        )
    });
    match found {
        Some((Ok((version, text)), program)) if version >= autoresearch_sys::git::OLDEST => {
            report_good("git", &format!("{text} at {}", program.display()))
        }
        Some((Ok((_, text)), _)) => report_problem(
            "git",
            &format!("{text} is too old"),
            "install git 2.36 or newer",
        ),
        Some((Err(error @ GitError::NoScratch { .. }), program)) => report_problem(
            "git",
            &format!("at {}; not asked: {error}", program.display()),
            "set TMPDIR to a folder that this process can write",
        ),
        Some((Err(error), _)) => report_problem("git", &error.to_string(), "reinstall git"),
        None => report_problem("git", "not found on PATH", "install git 2.36 or newer"),
    }
}

fn examine_run(
    world: &World,
    layout: &Layout,
    orders: DoctorOptions,
    findings: &mut Vec<DoctorFinding>,
) {
    let subject = format!("run {}", layout.run);
    let access = if orders.repair {
        Access::WriteChecked
    } else {
        Access::Read
    };
    let store = match RunStore::open_run(world, layout.clone(), access, "doctor") {
        Ok(store) => store,
        Err(error) => return findings.push(report_failure(&subject, &error.into())),
    };
    findings.push(report_good(
        &subject,
        &format!(
            "{} records, chain and anchor agree",
            store.journal_head().next
        ),
    ));
    if let Some(holder) = find_holder(&store.anchor_folder).filter(|_| !orders.repair) {
        findings.push(report_good(&subject, &format!("held by {holder}")));
        return;
    }
    let looked = if orders.repair {
        Held::from_store(world, store).and_then(|held| repair_and_look(held, &subject, findings))
    } else {
        Glance::from_store(world, store)
            .map(|glance| look_at_damage(&glance, &subject, findings).then_some(glance))
    };
    match looked {
        Ok(Some(glance)) => examine_rest(&glance, &subject, findings),
        Ok(None) => {}
        Err(failure) => findings.push(report_failure(&subject, &failure)),
    }
}

/// Repairs a run and writes its views anew; none where the rest cannot be looked at.
fn repair_and_look<'w>(
    held: Held<'w>,
    subject: &str,
    findings: &mut Vec<DoctorFinding>,
) -> Result<Option<Glance<'w>>> {
    let state = &held.run.store.state;
    let is_lost = held.seat.tree().is_none();
    if is_lost && (state.end.is_none() || state.needs_repair()) {
        let failure = lost_tree_error(&held.run.store);
        findings.push(report_failure(subject, &failure));
        return Ok(None);
    }
    let (world, layout) = (held.run.world, held.run.store.layout.clone());
    let repaired = repair_held(held).and_then(|mut entered| {
        entered.run_mut().store.distrust_table();
        let done = entered.list_repairs().join("; ");
        Ok((entered.finish()?, done))
    });
    match repaired {
        Ok((glance, done)) => {
            let more = if done.is_empty() { "" } else { "; " };
            findings.push(report_good(subject, &format!("views rebuilt{more}{done}")));
            Ok(Some(glance))
        }
        Err(failure) => {
            findings.push(report_failure(subject, &failure));
            let store = RunStore::open_run(world, layout, Access::Read, "doctor")?;
            Glance::from_store(world, store).map(Some)
        }
    }
}

/// Says what a repair would have to do; is there nothing, so that the rest can be looked at?
fn look_at_damage(glance: &Glance<'_>, subject: &str, findings: &mut Vec<DoctorFinding>) -> bool {
    let state = &glance.run.store.state;
    if glance.seat.tree().is_none() && (state.end.is_none() || state.needs_repair()) {
        let failure = lost_tree_error(&glance.run.store);
        findings.push(report_failure(subject, &failure));
        return false;
    }
    if state.needs_repair() {
        findings.push(report_problem(
            subject,
            "a command was interrupted",
            "`autoresearch resume` finishes or undoes it",
        ));
        return false;
    }
    true
}

/// Looks at HEAD, and at what an earlier repair set aside.
fn examine_rest(glance: &Glance<'_>, subject: &str, findings: &mut Vec<DoctorFinding>) {
    let run = &glance.run;
    if run.store.state.end.is_none() {
        let head = glance
            .tree()
            .and_then(|tree| tree_changes::check_head(tree, &run.store.state));
        match head {
            Ok(()) => findings.push(report_good(subject, "HEAD is where the run left it")),
            Err(failure) => findings.push(report_failure(subject, &failure)),
        }
    }
    let torn = run.store.layout.journal_path().with_extension("torn");
    if torn.exists() {
        findings.push(report_good(
            subject,
            &format!("an incomplete line was moved to {}", torn.display()),
        ));
    }
}

impl fmt::Display for DoctorReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(
                out,
                "{}  {}: {}",
                match (finding.ok, &finding.remedy) {
                    (true, None) => "ok     ",
                    (true, Some(_)) => "note   ",
                    (false, _) => "PROBLEM",
                },
                finding.subject,
                finding.found
            )?;
            if let Some(remedy) = &finding.remedy {
                writeln!(out, "         {remedy}")?;
            }
        }
        if !self.made.is_empty() {
            writeln!(
                out,
                "{}",
                if self.removed {
                    "removed, or kept for the reason given:"
                } else {
                    "made by this tool (nothing was removed; `autoresearch clean --yes` removes what it can):"
                }
            )?;
            for item in &self.made {
                let fate = match (&item.kept_because, self.removed) {
                    (Some(reason), _) => format!("keep: {reason}"),
                    (None, true) => "removed".to_owned(),
                    (None, false) => "can be removed".to_owned(),
                };
                writeln!(out, "  {:<10} {} ({fate})", item.kind, item.name)?;
            }
        }
        match self.problems {
            0 => write!(out, "no problems"),
            count => out.write_str(&format_count(count, "problem")),
        }
    }
}

#[cfg(test)]
mod tests;
