//! Owns the telling of a keep, an obstacle and the end to a command of the user's.
//! Does not care what the command does with it.
//! Invariant: a command that fails, hangs or is missing costs a line in the log and nothing else.

use autoresearch_core::config::UserCommand;
use autoresearch_core::config::span::whole_millis;
use serde_json::{Value, json};

use crate::night::audience::{Audience, DriverEvent};
use crate::run::glance::Glance;
use crate::run::place::{Place, WantedRun};
use crate::run::tree::Tree;
use crate::trial::report::TrialReport;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::process::{
    CommandEnd, CommandLine, Executor, Job, JobConditions, LocalExecutor,
};
use autoresearch_sys::store::Access;

/// Tells of a keep.
pub(super) fn notify_keep(
    world: &World,
    place: &Place,
    report: &TrialReport,
    audience: &mut dyn Audience,
) {
    let news = json!({
        "what": "keep",
        "trial": report.trial,
        "value": report.value,
        "delta": report.delta,
        "commit": report.commit,
    });
    send_news(world, place, news, audience);
}

/// Tells of the end, or of an obstacle.
pub(super) fn notify_end(world: &World, place: &Place, audience: &mut dyn Audience) {
    let Ok(glance) = look_at_run(world, place) else {
        return;
    };
    let state = &glance.run.store.state;
    let Some(ending) = &state.end else { return };
    let news = json!({
        "what": if ending.end == autoresearch_core::journal::event::End::Blocked { "blocked" } else { "end" },
        "end": ending.end.as_str(),
        "why": ending.why,
        "start": state.start.measurement.value,
        "value": state.incumbent.measurement.value,
        "kept": state.counts.keep,
        "iterations": state.counts.count_iterations(),
    });
    drop(glance);
    send_news(world, place, news, audience);
}

/// Tells of a run that was left because something is wrong that a person must fix.
pub(super) fn notify_stuck(
    world: &World,
    place: &Place,
    failure: &Failure,
    audience: &mut dyn Audience,
) {
    let news = json!({
        "what": "blocked",
        "end": null,
        "why": failure.to_string(),
    });
    send_news(world, place, news, audience);
}

fn send_news(world: &World, place: &Place, news: Value, audience: &mut dyn Audience) {
    let told = try_notify(world, place, news);
    if let Err(failure) = told {
        audience.hear_event(&DriverEvent::Note(&format!(
            "notify failed: {}",
            failure.error
        )));
    }
}

fn try_notify(world: &World, place: &Place, mut news: Value) -> Result<()> {
    let glance = look_at_run(world, place)?;
    let run = &glance.run;
    let config = run.store.state.config();
    let Some(notify) = &config.notify else {
        return Ok(());
    };
    news["run"] = json!(run.store.layout.run);
    news["goal"] = json!(config.goal);
    news["metric"] = json!(config.metric.name);
    let file = run.store.anchor_folder.join("notify.json");
    std::fs::write(&file, format!("{news}\n"))
        .map_err(|error| Failure::io(format!("could not write {}", file.display()), &error))?;
    let job = make_notify_job(glance.tree()?, notify, file);
    let (ended, _) = LocalExecutor::new(world, &run.env).run_job(&job)?;
    match ended.how {
        CommandEnd::Exited(status)
            if u8::try_from(status).is_ok_and(|status| notify.ok_exit.contains(&status)) =>
        {
            Ok(())
        }
        how => Err(Failure::environment(format!("{how:?}"))),
    }
}

fn look_at_run<'w>(world: &'w World, place: &Place) -> Result<Glance<'w>> {
    Glance::open_run(world, place, WantedRun::Latest, Access::Glance, "driver")?.with_tree()
}

fn make_notify_job(tree: &Tree<'_>, notify: &UserCommand, input: std::path::PathBuf) -> Job {
    Job {
        command: CommandLine::from(notify),
        directory: tree.path().join(&notify.working_directory),
        timeout_ms: whole_millis(notify.timeout),
        input: Some(input),
        own_temporary: false,
        view: None,
        confinement: None,
        conditions: JobConditions::default(),
    }
}
