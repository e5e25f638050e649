//! Owns `resume`: a fresh agent finds the run as it is, with everything repaired, and a brief to go on from.
//! Does not need anything but the files of the run.
//! Invariant: the brief is under 1,500 characters and ends with the next step.

use std::fmt;

use autoresearch_core::words::brief;
use autoresearch_core::words::text::{escape_text, format_count};
use serde::Serialize;

use crate::run::{MARK, Place, Run, WantedRun, refuse_driven};
use crate::run::{lessons, repair, session, work_tree_check};
use crate::watch::tree_changes;
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;
use autoresearch_sys::process;
use autoresearch_sys::store::Access;

/// How many rows the brief quotes.
const ROWS: usize = 5;

/// The answer of `resume`.
#[derive(Clone, Debug, Serialize)]
pub struct ResumeReport {
    pub run: String,
    pub repaired: Vec<String>,
    /// Files in the scope that are changed and not measured yet.
    pub unmeasured: Vec<String>,
    pub brief: String,
    /// The run's end, when it has come.
    pub end: Option<&'static str>,
    pub due: &'static str,
}

/// Finds, checks and repairs the run.
pub fn resume_run(world: &World, place: &Place) -> Result<ResumeReport> {
    let confined = session::is_confined(world);
    let access = if confined {
        Access::Read
    } else {
        Access::WriteChecked
    };
    let mut run = Run::open_run_anywhere(world, place, WantedRun::Latest, access, "resume")?;
    let mut done = Vec::new();
    if confined {
        refuse_driven(world, &run.store)?;
        done.extend(describe_hook_repair(&run));
    } else {
        let left = process::end_marked_processes(&format!("{MARK}={}", run.store.state.start.id));
        if left > 0 {
            let processes = format_count(left, "process");
            done.push(format!("killed {processes} of a dead driver"));
        }
        if run.tree_is_gone && (run.store.state.end.is_none() || run.store.state.needs_repair()) {
            run = run.remake_work_tree()?;
            done.push("the run's work tree was gone; it was recreated from its branch, without its unmeasured edits".to_owned());
        }
        run.check_repository()?;
        if run.store.state.end.is_none() || run.store.state.needs_repair() {
            work_tree_check::check_branch_alone(&run.tree)?;
        }
        done.extend(repair::repair_run(&mut run)?.done);
        run.store.rebuild_views()?;
    }
    session::take_up_run(&run);
    let mut unmeasured = Vec::new();
    if run.store.state.end.is_none() {
        if !run.store.state.needs_repair() {
            tree_changes::check_head(&run.tree, &run.store.state)?;
        }
        unmeasured = tree_changes::read_changes(&run.tree, &run.store.state)?
            .ours
            .iter()
            .map(|path| escape_text(&String::from_utf8_lossy(path)))
            .collect();
    }
    let rows = run.read_last_rows(ROWS)?;
    let waits = confined.then(|| run.next_step_meanwhile());
    let lessons = lessons::find_matching_lessons(&run);
    let lessons: Vec<&str> = lessons.iter().map(String::as_str).collect();
    let state = &run.store.state;
    let mut brief = brief::format_brief(state, &rows, &lessons, &run.caller);
    let mut due_now = state.next_step().as_str();
    if let Some(("wait", next)) = waits {
        brief = brief::format_busy_brief(&brief, &next);
        due_now = "wait";
    }
    Ok(ResumeReport {
        run: state.start.run.clone(),
        repaired: done,
        unmeasured,
        brief,
        end: state.end.as_ref().map(|ending| ending.end.as_str()),
        due: due_now,
    })
}

/// In a sandbox nothing can be repaired.
fn describe_hook_repair(run: &Run<'_>) -> Vec<String> {
    if run.store.state.needs_repair() {
        vec!["nothing yet: a command was interrupted, and the session hook undoes it when this turn ends".to_owned()]
    } else {
        Vec::new()
    }
}

impl fmt::Display for ResumeReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for done in &self.repaired {
            writeln!(out, "repaired: {done}")?;
        }
        if let Some(first) = self.unmeasured.first() {
            let more = if self.unmeasured.len() > 1 {
                format!(" and {} more", self.unmeasured.len() - 1)
            } else {
                String::new()
            };
            writeln!(
                out,
                "changed and not measured: {first}{more}; a trial measures them, `autoresearch trial --drop` undoes them"
            )?;
        }
        write!(out, "{}", self.brief)
    }
}
