//! Owns `background`: handing a run over to a supervisor, looking at it, and ending or pausing it.
//! Does not drive the run; the supervisor does.
//! Invariant: whether a supervisor lives is told by its lock, and by nothing else.

use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use autoresearch_core::agent::caller::Caller;
use autoresearch_core::config::Agent;
use autoresearch_core::journal::event::Raise;
use autoresearch_core::journal::state::RunState;
use autoresearch_core::words::brief;
use autoresearch_core::words::text::escape_text;
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;

use crate::config::ConfigSource;
use crate::night::audience::DriverOrder;
use crate::night::driver;
use crate::night::supervisor::{
    SUPERVISE, SupervisorPhase, SupervisorRuntime, order_path, read_runtime,
};
use crate::run::Run;
use crate::run::driven::{MARK, find_driver};
use crate::run::glance::Glance;
use crate::run::place::{Place, WantedRun};
use crate::run::session;
use crate::run::under_way::UnderWay;
use crate::{finish, start};
use autoresearch_codex::home;
use autoresearch_sys::env::{ProcessRole, Stopwatch, World, clock_text, clock_text_of};
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::polling::{PollLimit, poll_until};
use autoresearch_sys::process;
use autoresearch_sys::store;
use autoresearch_sys::store::{Access, Holder, RunStore};

/// How long a supervisor may take until it says what it does first. Generous, because a machine may be busy.
const BEGIN: Duration = Duration::from_mins(1);
/// How long a supervisor that was told to end at once may take.
const AT_ONCE: Duration = Duration::from_secs(30);
/// The most that is read of a supervisor's log.
const MOST: u64 = 4 << 20;
/// How long a command that works on the run by hand is waited for.
const HANDS: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(20);

/// The answer of the commands about a background run.
#[derive(Clone, Debug, Serialize)]
pub struct BackgroundReport {
    pub run: String,
    /// Is a supervisor at work?
    pub alive: bool,
    pub pid: Option<u32>,
    /// What it does, or how it left the run.
    pub phase: &'static str,
    /// Why it waits, was left, or has ended.
    pub why: Option<String>,
    /// Until when it waits, in milliseconds since 1970.
    pub until_ms: Option<u64>,
    /// The trial that it is at.
    pub trial: u32,
    /// What is done on the run now, and for how long.
    pub under_way: Option<UnderWay>,
    /// The named end of the run, when it has come.
    pub end: Option<&'static str>,
    /// Where the run stands, in a phrase.
    pub standing: String,
    /// The supervisor's log, as the reader can open it.
    pub log: String,
    /// What should be looked at in the config of a run that was just started.
    pub warnings: Vec<String>,
    pub next: String,
}

/// Starts a run if a config is given, lifts ceilings, and hands the run over to a supervisor.
pub fn start_background(
    world: &World,
    place: &Place,
    source: Option<&ConfigSource>,
    raise: Raise,
) -> Result<BackgroundReport> {
    session::refuse_confined(world, || Ok(autoresearch_sys::error::READ_ONLY.to_owned()))?;
    if source.is_none() && raise != Raise::default() {
        session::refuse_agent(world, "to raise a ceiling")?;
    }
    if let Some(config) = source.and_then(|source| crate::config::check_config_text(source).config)
    {
        check_agent_program(world, &config.agent)?;
    }
    let (place, warnings) = match source {
        None => (place.clone(), Vec::new()),
        Some(source) => {
            let started = start::start_run(world, place, source)?;
            let place = Place {
                run: Some(started.run),
                directory: Some(place.search_folder(world)),
            };
            (place, started.warnings)
        }
    };
    let run = look_at_run(world, &place)?;
    refuse_second_driver(&run.store.anchor_folder)?;
    check_agent_program(world, &run.store.state.config().agent)?;
    refuse_busy(&run.store.anchor_folder)?;
    let place = Place {
        directory: Some(run.store.layout.root.clone()),
        run: Some(run.store.layout.run.clone()),
    };
    let changed = raise != Raise::default() || run.store.state.end.is_some();
    check_ceilings(&run, &raise, source)?;
    let _ = std::fs::remove_file(order_path(&run.store.anchor_folder));
    drop(run);
    if changed {
        let driver = World {
            role: ProcessRole::Driver,
            ..world.clone()
        };
        driver::reopen_run(&driver, &place, raise)?;
    }
    Ok(BackgroundReport {
        warnings,
        ..launch_supervisor(world, &place)?
    })
}

/// A run that would end at once is not handed over, and no ceiling of a run that exists is lifted here: lifting one has its
/// own command, which is a person's alone.
fn check_ceilings(run: &Run<'_>, ceilings: &Raise, source: Option<&ConfigSource>) -> Result<()> {
    let state = &run.store.state;
    crate::run::raise::refuse_final(state)?;
    let lifted = state.limits.list_lifted(ceilings);
    if let Some(first) = lifted.first().filter(|_| source.is_none()) {
        return Err(Failure::usage(format!(
            "`background start` raises no limit of a run, and {} would",
            first.as_flag()
        ))
        .hint(format!(
            "`autoresearch raise {}` does, for a person in a terminal; then `autoresearch background start`",
            first.as_flag()
        )));
    }
    let reached = state
        .find_ceiling_with(ceilings, run.world.now_ms())
        .filter(|_| state.open_trial.is_none());
    match reached {
        None => Ok(()),
        Some((_, why)) => Err(Failure::usage(format!(
            "nothing was started: the run is at its limit ({why})"
        ))
        .hint(format!(
            "{} raises it, for a person in a terminal; then `autoresearch background start`. `autoresearch finish` leaves the run",
            crate::run::raise::suggest_raise(state, run.world)
        ))),
    }
}

/// A trial that somebody runs by hand is not waited for.
fn refuse_busy(anchor_folder: &Path) -> Result<()> {
    let holder = poll_until(PollLimit::Time(HANDS), LOOK, || {
        match store::find_holder(anchor_folder) {
            None => ControlFlow::Break(None),
            holder => ControlFlow::Continue(holder),
        }
    });
    match holder {
        None => Ok(()),
        Some(holder) => Err(Failure::new(
            FailureKind::Busy,
            format!("the run is held by {holder}"),
        )
        .hint("wait until that command has ended, then hand the run over")),
    }
}

/// A night in which nobody can edit is not begun.
fn check_agent_program(world: &World, agent: &Agent) -> Result<()> {
    if agent.command.is_some() || home::find_program(world).is_some() {
        return Ok(());
    }
    Err(Failure::environment("codex was not found on PATH, so the agent could not edit").hint(
        "run the command in a shell whose PATH has codex (a login shell may have another PATH), or set `agent.command`",
    ))
}

fn refuse_second_driver(anchor_folder: &Path) -> Result<()> {
    match find_driver(anchor_folder) {
        None => Ok(()),
        Some(holder) => Err(Failure::new(
            FailureKind::Busy,
            format!("the run is already driven by {holder}"),
        )
        .hint("`autoresearch background attach` shows it")),
    }
}

/// Starts the supervisor and waits until it has taken its place and does something: `starting` would tell a person
/// neither that the run goes on, nor that it was left at once.
fn launch_supervisor(world: &World, place: &Place) -> Result<BackgroundReport> {
    let run = look_at_run(world, place)?;
    let layout = run.store.layout.clone();
    let program = world.main_program();
    let launched = serde_json::json!({
        "format": store::FORMAT,
        "program": program,
        "version": env!("CARGO_PKG_VERSION"),
        "at": world.now_text(),
    });
    store::write_output(&layout.launch_path(), format!("{launched}\n").as_bytes())?;
    let words = [
        "supervisor".into(),
        "-C".into(),
        layout.root.clone().into(),
        "--run".into(),
        layout.run.clone().into(),
    ];
    let mut child = process::spawn_detached(&program, &words, &world.vars)?;
    let (said, ended) = poll_until(PollLimit::Time(BEGIN), LOOK, || {
        let ended = child.try_wait().ok().flatten();
        let said = read_runtime(&layout).filter(|said| said.pid == child.id());
        let said = said.map(|said| said.phase);
        if ended.is_some() || said.is_some_and(|phase| phase != SupervisorPhase::Starting) {
            ControlFlow::Break((said, ended))
        } else {
            ControlFlow::Continue((said, ended))
        }
    });
    match (said, ended) {
        (Some(_), _) => read_background(world, place),
        (None, Some(status)) => {
            // Another start was faster.
            refuse_second_driver(&run.store.anchor_folder)?;
            Err(Failure::new(
                FailureKind::Internal,
                format!("the supervisor ended at once ({status})"),
            )
            .hint("`autoresearch doctor` checks the run"))
        }
        (None, None) => Err(Failure::new(
            FailureKind::Internal,
            "the supervisor did not report that it started",
        )
        .hint("`autoresearch background status` looks again")),
    }
}

fn look_at_run<'w>(world: &'w World, place: &Place) -> Result<Run<'w>> {
    Glance::open_run(
        world,
        place,
        WantedRun::Latest,
        Access::Glance,
        "background",
    )
    .map(|glance| glance.run)
}

/// How a background run stands.
pub fn read_background(world: &World, place: &Place) -> Result<BackgroundReport> {
    let run = look_at_run(world, place)?;
    let state = &run.store.state;
    let holder = find_driver(&run.store.anchor_folder);
    let said = read_runtime(&run.store.layout)
        .filter(|said| holder.as_ref().is_none_or(|holder| holder.pid == said.pid));
    let alive = holder.is_some();
    let end = state.end.as_ref().map(|ending| ending.end.as_str());
    let phase = match &said {
        _ if !alive && end.is_some() => SupervisorPhase::Ended.as_str(),
        Some(runtime) if alive || has_left_run(runtime) => runtime.phase.as_str(),
        Some(_) => "died",
        None if alive => SupervisorPhase::Starting.as_str(),
        None => "never started",
    };
    let why = match &state.end {
        Some(ending) => Some(format!(
            "{}: {}",
            ending.end.as_str(),
            escape_text(&ending.why)
        )),
        None => said.as_ref().and_then(|runtime| runtime.why.clone()),
    };
    let under_way = run.find_under_way();
    let next = if !alive && end.is_none() && under_way.is_some() {
        run.next_step_meanwhile().1
    } else {
        suggest_next_step(state, &run.caller, alive)
    };
    Ok(BackgroundReport {
        run: run.store.layout.run.clone(),
        alive,
        pid: holder.and_then(|holder| holder.known_pid()),
        phase,
        why,
        until_ms: said
            .as_ref()
            .and_then(|runtime| runtime.until_ms)
            .filter(|_| alive),
        trial: state
            .open_trial
            .as_ref()
            .map_or(state.next_trial, |open_trial| open_trial.intent.trial),
        under_way,
        end,
        standing: brief::format_best_value(state),
        log: world.path_from_here(&run.store.layout.runtime_log_path()),
        warnings: Vec::new(),
        next,
    })
}

/// What a person does next about a background run.
fn suggest_next_step(state: &RunState, caller: &Caller, alive: bool) -> String {
    let program = &caller.program;
    match (alive, &state.end) {
        (true, _) => format!(
            "next: nothing to do; `{program} background attach` shows it, `{program} background stop` ends it"
        ),
        (false, Some(ending))
            if state.finish.is_none() && ending.end.can_be_lifted() && !ending.end.is_ceiling() =>
        {
            format!(
                "next: fix the cause, then run `{program} background start`; or `{program} finish` to end the run"
            )
        }
        (false, Some(_)) => brief::format_next_step(state, caller),
        (false, None) => format!(
            "next: continue with `{program} background start`, or by hand with `{program} resume`"
        ),
    }
}

/// Did the supervisor say that it left?
fn has_left_run(runtime: &SupervisorRuntime) -> bool {
    matches!(
        runtime.phase,
        SupervisorPhase::Paused | SupervisorPhase::Blocked | SupervisorPhase::Ended
    )
}

/// How soon an order is obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderPace {
    /// A trial that is being measured is finished first; a turn is ended.
    Gracefully,
    /// Whatever is under way is undone.
    Now,
}

/// Gives an order, and waits until the supervisor has obeyed it and is gone.
pub fn give_order(
    world: &World,
    place: &Place,
    order: DriverOrder,
    when: OrderPace,
) -> Result<BackgroundReport> {
    session::refuse_confined(world, || Ok(autoresearch_sys::error::READ_ONLY.to_owned()))?;
    let run = look_at_run(world, place)?;
    let Some(holder) = find_driver(&run.store.anchor_folder) else {
        end_leftovers(&run.store);
        drop(run);
        if order == DriverOrder::Stop {
            finish::stop_run(world, place, "stopped by a person")?;
        }
        return read_background(world, place);
    };
    let takes_orders = holder.command == SUPERVISE;
    if !takes_orders && when == OrderPace::Gracefully {
        let error = format!("the run is driven by {holder}, which takes no orders");
        return Err(Failure::new(FailureKind::Busy, error).hint(
            "interrupt it, or use `--now`, which undoes the current trial and ends the run",
        ));
    }
    let path = order_path(&run.store.anchor_folder);
    store::write_output(&path, &store::encode_json(&path, &order)?)?;
    if when == OrderPace::Gracefully {
        (world.progress)("a trial that is being measured is finished first; `--now` undoes it");
    }
    wait_for_driver_end(&run, &holder, when)?;
    end_leftovers(&run.store);
    drop(run);
    if order == DriverOrder::Stop {
        // A supervisor that was killed could not record the end.
        finish::stop_run(world, place, "stopped by a person")?;
    }
    read_background(world, place)
}

/// Waits until the driver has ended, and has it undo its trial where that is asked for, or where only a turn is lost.
fn wait_for_driver_end(run: &Run<'_>, holder: &Holder, when: OrderPace) -> Result<()> {
    let watch = Stopwatch::start();
    let mut signalled = false;
    // One that was stopped by a signal would hear nothing.
    send_signal(holder.pid, Signal::CONT);
    poll_until(PollLimit::Endless, LOOK, || {
        if find_driver(&run.store.anchor_folder).is_none() {
            return ControlFlow::Break(Ok(()));
        }
        let phase = read_runtime(&run.store.layout).filter(|said| said.pid == holder.pid);
        let phase = phase.map(|runtime| runtime.phase);
        let undo = when == OrderPace::Now || matches!(phase, Some(SupervisorPhase::Turn));
        if undo && !signalled {
            signalled = true;
            (run.world.progress)("the current trial is being undone");
            send_signal(holder.pid, Signal::TERM);
        }
        if when == OrderPace::Now && watch.elapsed() > AT_ONCE {
            // It hangs: its runner ends its children, and the next command repairs the run.
            send_signal(holder.pid, Signal::KILL);
        }
        if run.world.is_interrupted() {
            return ControlFlow::Break(Err(Failure::new(
                FailureKind::Interrupted,
                "the supervisor got the order but has not ended yet",
            )
            .hint("`autoresearch background status` shows it")));
        }
        ControlFlow::Continue(Ok(()))
    })
}

/// Ends what a supervisor left that was killed together with its runner.
fn end_leftovers(store: &RunStore<'_>) {
    if find_driver(&store.anchor_folder).is_none() {
        let _ = std::fs::remove_file(order_path(&store.anchor_folder));
        let _ = process::end_marked_processes(&format!("{MARK}={}", store.state.start.id));
    }
}

/// The last lines of the supervisor's log.
pub fn read_log_lines(world: &World, place: &Place, last: usize) -> Result<Vec<String>> {
    let layout = place.find_run(world, WantedRun::Latest)?;
    let path = layout.runtime_log_path();
    let bytes = store::read_output(&path, MOST).map_err(|error| {
        Failure::usage(format!("{} cannot be read: {error}", path.display()))
            .hint("a run that was never in the background has no such log")
    })?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(last);
    Ok(lines[from..].iter().map(|line| escape_line(line)).collect())
}

/// A line of the log for people: its time is local, with UTC beside it.
#[must_use]
pub fn show_log_line(line: &str) -> String {
    line.split_once(' ').map_or_else(
        || line.to_owned(),
        |(at, rest)| format!("{} {rest}", clock_text_of(at)),
    )
}

/// A line of the log as it is; what the supervisor did not write has its control characters shown.
fn escape_line(line: &str) -> String {
    if line.chars().any(char::is_control) {
        escape_text(line)
    } else {
        line.to_owned()
    }
}

fn send_signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

impl fmt::Display for BackgroundReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for warning in &self.warnings {
            writeln!(out, "{warning}")?;
        }
        let pid = self
            .pid
            .map(|pid| format!(" (process {pid})"))
            .unwrap_or_default();
        writeln!(
            out,
            "run `{}` in the background: {}{pid}",
            self.run, self.phase
        )?;
        if let Some(why) = &self.why {
            writeln!(out, "  why       {}", escape_text(why))?;
        }
        if let Some(until) = self.until_ms {
            writeln!(out, "  until     {}", clock_text(until))?;
        }
        if let Some(under_way) = &self.under_way {
            writeln!(out, "  now       {}", under_way.describe_work())?;
        }
        writeln!(out, "  best      {}", self.standing)?;
        writeln!(out, "  trial     {}", self.trial)?;
        writeln!(out, "  log       {}", self.log)?;
        write!(out, "{}", self.next)
    }
}

#[cfg(test)]
mod tests;
