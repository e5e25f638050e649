//! Owns `doctor`: is everything of the runs here as it should be, and what did the tool make?
//! Does not guess: each finding names what was looked at and what to do.
//! Invariant: without `--repair` and `--yes` nothing changes.

mod codex;
pub mod inventory;

use std::fmt;

use serde::Serialize;

use crate::doctor::inventory::{Item, inventory, remove};
use crate::run::lost::find_lost;
use crate::run::{HOMELESS, Place, Run, history_around};
use crate::watch::tree_changes;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::GitError;
use autoresearch_sys::store::{Access, Layout, RunStore, holder, trust_folder};

/// What to do besides looking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    /// Repair interrupted trials and rebuild the views.
    pub repair: bool,
    /// List what the tool made, for removal.
    pub clean: bool,
    /// Remove it.
    pub yes: bool,
}

impl Orders {
    /// Lists what the tool made, or removes it.
    #[must_use]
    pub fn cleaning(yes: bool) -> Self {
        Self {
            repair: false,
            clean: true,
            yes,
        }
    }
}

/// One finding.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub subject: String,
    /// Is it as it should be?
    pub ok: bool,
    /// What was found.
    pub found: String,
    /// What to do.
    pub remedy: Option<String>,
}

/// The answer of `doctor`.
#[derive(Clone, Debug, Serialize)]
pub struct DoctorReport {
    /// Everything that was looked at.
    pub findings: Vec<Finding>,
    /// How many are not as they should be.
    pub problems: usize,
    /// What the tool made here; with `--clean`.
    pub made: Vec<Item>,
    /// Was it removed?
    pub removed: bool,
}

/// Looks at git, the runs of this work tree, and what was left behind.
pub fn run(world: &World, place: &Place, orders: Orders) -> Result<DoctorReport> {
    let (root, _) = place.root(world)?;
    let mut findings = vec![git(world)];
    if let Err(error) = trust_folder(&world.state_folder) {
        findings.push(failed("state folder", &error.into()));
    }
    let names = match &place.run {
        Some(name) if !Layout::runs(&root).contains(name) => {
            return Err(Failure::usage(format!("there is no run `{name}` here")));
        }
        Some(name) => vec![name.clone()],
        None => Layout::runs(&root),
    };
    for name in &names {
        examine(world, &Layout::new(&root, name), orders, &mut findings);
    }
    let history = history_around(world, &root)?;
    let lost = find_lost(world, &history, &root);
    for lost in &lost {
        let subject = format!("run {}", lost.layout.run);
        let (found, remedy) = (lost.describe(&history), lost.advise(&history));
        findings.push(if lost.is_open(&history) {
            bad(&subject, &found, &remedy)
        } else {
            note(&subject, &found, &remedy)
        });
    }
    if names.is_empty() && lost.is_empty() {
        findings.push(good("runs", "no run was started here"));
    }
    codex::examine(world, &root, &mut findings);
    let mut made = Vec::new();
    if orders.clean {
        made = inventory(world, &root, &names)?;
        if orders.yes {
            remove(world, &root, &mut made)?;
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

fn git(world: &World) -> Finding {
    let found = World::find(&world.vars, "git").map(|program| {
        (
            autoresearch_sys::git::Git::new(&program, &world.cwd, &[]).version(),
            program,
        )
    });
    match found {
        Some((Ok((version, text)), program)) if version >= autoresearch_sys::git::OLDEST => {
            good("git", &format!("{text} at {}", program.display()))
        }
        Some((Ok((_, text)), _)) => bad(
            "git",
            &format!("{text} is too old"),
            "install git 2.36 or newer",
        ),
        Some((Err(error @ GitError::NoScratch { .. }), program)) => bad(
            "git",
            &format!("at {}; not asked: {error}", program.display()),
            "set TMPDIR to a folder that this process can write",
        ),
        Some((Err(error), _)) => bad("git", &error.to_string(), "reinstall git"),
        None => bad("git", "not found on PATH", "install git 2.36 or newer"),
    }
}

fn examine(world: &World, layout: &Layout, orders: Orders, findings: &mut Vec<Finding>) {
    let subject = format!("run {}", layout.run);
    let access = if orders.repair {
        Access::WriteChecked
    } else {
        Access::Read
    };
    let store = match RunStore::open(world, layout.clone(), access, "doctor") {
        Ok(store) => store,
        Err(error) => return findings.push(failed(&subject, &error.into())),
    };
    findings.push(good(
        &subject,
        &format!("{} records, chain and anchor agree", store.head().next),
    ));
    if let Some(holder) = holder(&store.vault).filter(|_| !orders.repair) {
        findings.push(good(&subject, &format!("held by {holder}")));
        return;
    }
    match Run::with(world, store) {
        Ok(run) => inspect(run, &subject, orders, findings),
        Err(failure) => findings.push(failed(&subject, &failure)),
    }
}

fn inspect(mut run: Run<'_>, subject: &str, orders: Orders, findings: &mut Vec<Finding>) {
    if run.homeless && (run.store.state.end.is_none() || run.store.state.needs_repair()) {
        findings.push(bad(subject, &run.lost(), HOMELESS));
        return;
    }
    if orders.repair {
        match crate::run::repair::repair(&mut run).and_then(|repaired| {
            run.store
                .rebuild_views()
                .map_err(Failure::from)
                .map(|()| repaired)
        }) {
            Ok(repaired) => findings.push(good(
                subject,
                &[vec!["views rebuilt".to_owned()], repaired.done]
                    .concat()
                    .join("; "),
            )),
            Err(failure) => findings.push(failed(subject, &failure)),
        }
    } else if run.store.state.needs_repair() {
        findings.push(bad(
            subject,
            "a command was cut short",
            "`autoresearch resume` finishes or undoes it",
        ));
        return;
    }
    if run.store.state.end.is_none() {
        match tree_changes::check_head(&run) {
            Ok(()) => findings.push(good(subject, "HEAD is where the run left it")),
            Err(failure) => findings.push(failed(subject, &failure)),
        }
    }
    let torn = run.store.layout.journal().with_extension("torn");
    if torn.exists() {
        findings.push(good(
            subject,
            &format!("a torn line was set aside in {}", torn.display()),
        ));
    }
}

fn good(subject: &str, found: &str) -> Finding {
    Finding {
        subject: subject.to_owned(),
        ok: true,
        found: found.to_owned(),
        remedy: None,
    }
}

/// Not as it could be, and no fault either.
fn note(subject: &str, found: &str, remedy: &str) -> Finding {
    Finding {
        remedy: Some(remedy.to_owned()),
        ..good(subject, found)
    }
}

fn bad(subject: &str, found: &str, remedy: &str) -> Finding {
    Finding {
        ok: false,
        remedy: Some(remedy.to_owned()),
        ..good(subject, found)
    }
}

fn failed(subject: &str, failure: &Failure) -> Finding {
    let found = [vec![failure.error.clone()], failure.causes.clone()]
        .concat()
        .join(": ");
    bad(
        subject,
        &found,
        failure.hint.as_deref().unwrap_or("see GUIDE.md"),
    )
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
                    "made by this tool (nothing was removed; `autoresearch clean --yes` removes what can go):"
                }
            )?;
            for item in &self.made {
                let fate = match (&item.kept_because, self.removed) {
                    (Some(reason), _) => format!("keep: {reason}"),
                    (None, true) => "removed".to_owned(),
                    (None, false) => "can go".to_owned(),
                };
                writeln!(out, "  {:<10} {} ({fate})", item.kind, item.name)?;
            }
        }
        match self.problems {
            0 => write!(out, "no problems"),
            count => write!(out, "{count} problem(s)"),
        }
    }
}
