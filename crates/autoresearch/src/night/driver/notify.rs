//! Owns the telling of a keep, an obstacle and the end to a command of the user's.
//! Does not care what the command does with it.
//! Invariant: a command that fails, hangs or is missing costs a line in the log and nothing else.

use autoresearch_core::config::UserCommand;
use autoresearch_core::config::span::whole_millis;
use serde_json::{Value, json};

use super::{Audience, DriverEvent};
use crate::run::{Place, Run, WantedRun};
use crate::trial::report::TrialReport;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::process::{CommandEnd, CommandLine, Executor, Job, LocalExecutor};
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
    let Ok(run) = Run::open_run(world, place, WantedRun::Latest, Access::Glance, "driver") else {
        return;
    };
    let state = &run.store.state;
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
    drop(run);
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
    let run = Run::open_run(world, place, WantedRun::Latest, Access::Glance, "driver")?;
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
    let (ended, _) =
        LocalExecutor::new(world, &run.env).run_job(&make_notify_job(&run, notify, file))?;
    match ended.how {
        CommandEnd::Exited(status)
            if u8::try_from(status).is_ok_and(|status| notify.ok_exit.contains(&status)) =>
        {
            Ok(())
        }
        how => Err(Failure::environment(format!("{how:?}"))),
    }
}

fn make_notify_job(run: &Run<'_>, notify: &UserCommand, input: std::path::PathBuf) -> Job {
    Job {
        command: CommandLine::from(notify),
        directory: run.tree.path().join(&notify.working_directory),
        timeout_ms: whole_millis(notify.timeout),
        input: Some(input),
    }
}
