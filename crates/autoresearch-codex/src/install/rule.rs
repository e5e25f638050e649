//! Owns the plan for the execution rule, and Codex's word on the file once it is written.
//! Does not decide whether the person wants it.
//! Invariant: a rule file that Codex does not take is gone again at once.

use autoresearch_core::shell::quote::quote_word;

use super::places::{PROGRAM, installed_path, path_to_text};
use super::plan::{FileDiff, InstallPlan};
use crate::config::files;
use crate::config::rules;
use crate::config::rules::StartRule;
use crate::home::CodexHome;
use crate::{app_server, home};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};

/// Adds the execution rule to a plan.
pub(super) fn plan_rule(world: &World, start: StartRule, plan: &mut InstallPlan) -> Result<()> {
    let path = CodexHome::find_in(world)?.rules_file();
    let program = path_to_text(&installed_path(world, PROGRAM))?;
    let before = files::read_text(&path)?;
    let after = rules::format_rules(&program, start);
    if before.as_deref() != Some(after.as_str()) {
        let changes = plan.writes.len();
        plan.add_own_file(&path, after.as_bytes(), 0o644)?;
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
    if quote_word(&program) != program {
        plan.warnings.push(format!(
            "Codex applies a rule only to a command typed without quotes, so the rule has no effect for {program}"
        ));
    }
    Ok(())
}

/// Codex does not start with a rule file that it cannot read: such a file is taken back at once.
pub(super) fn check_written_rule(world: &World, plan: &InstallPlan) -> Result<()> {
    let (Some((path, program)), Some(codex)) = (&plan.rule, home::find_program(world)) else {
        return Ok(());
    };
    let answer = app_server::read_rule_decision(world, &codex, path, &[program, "status"]);
    match answer {
        Ok(Some(decision)) if decision == "allow" => Ok(()),
        answer => {
            files::remove_if_present(path)?;
            let failure = Failure::environment("Codex rejected the rule, so it was removed again");
            let hint = "run again without --rule; the rest is installed";
            Err(match answer {
                Err(error) => failure.because(&error),
                Ok(_) => failure,
            }
            .hint(hint))
        }
    }
}

#[cfg(test)]
mod tests;
