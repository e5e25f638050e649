//! Owns `background`: handing a run over to a supervisor, looking at it, and ending or pausing it.
//! Does not drive the run; the supervisor does.
//! Invariant: whether a supervisor lives is told by its lock, and by nothing else.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use autoresearch_core::config::Agent;
use autoresearch_core::journal::event::Raise;
use autoresearch_core::words::table::escape;
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;

use crate::config::Source;
use crate::night::driver;
use crate::night::driver::Order;
use crate::night::supervisor::{Phase, Runtime, SUPERVISE, orders, runtime};
use crate::run::session;
use crate::run::under_way::UnderWay;
use crate::run::{DRIVER, MARK, Place, Run, Wanted};
use crate::{finish, start};
use autoresearch_codex::home;
use autoresearch_sys::env::{Role, Stopwatch, World, clock_text, clock_text_of, pause};
use autoresearch_sys::error::{Failure, Kind, Result};
use autoresearch_sys::process;
use autoresearch_sys::store;
use autoresearch_sys::store::{Access, Holder};

/// How long a supervisor may take until it says what it does first. Generous: a busy machine is no fault.
const BEGIN: Duration = Duration::from_mins(1);
/// How long a supervisor that was told to end at once may take.
const AT_ONCE: Duration = Duration::from_secs(30);
/// The most that is read of a supervisor's log.
const MOST: u64 = 4 << 20;
/// How long a command that works on the run by hand is waited for.
const HANDS: Duration = Duration::from_secs(1);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// The answer of the commands about a background run.
#[derive(Clone, Debug, Serialize)]
pub struct BackgroundReport {
    /// The run.
    pub run: String,
    /// Is a supervisor at work?
    pub alive: bool,
    /// Its process.
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
    /// The next step.
    pub next: String,
}

/// Starts a run if a config is given, lifts ceilings, and hands the run over to a supervisor.
pub fn begin(
    world: &World,
    place: &Place,
    source: Option<&Source>,
    raise: Raise,
) -> Result<BackgroundReport> {
    session::refuse_confined(world, || Ok(autoresearch_sys::error::READ_ONLY.to_owned()))?;
    if source.is_none() && raise != Raise::default() {
        session::refuse_agent(world, "to raise a ceiling")?;
    }
    let program = world.sibling("supervisor");
    if !program.is_file() {
        return Err(Failure::environment(format!("{} is not there", program.display()))
            .hint("install all programs: `cargo install --path crates/autoresearch --locked --force`, then `autoresearch install` if you used it"));
    }
    if let Some(config) = source.and_then(|source| crate::config::check_text(source).config) {
        find_agent(world, &config.agent)?;
    }
    let (place, warnings) = match source {
        None => (place.clone(), Vec::new()),
        Some(source) => {
            let started = start::run(world, place, source)?;
            let place = Place {
                run: Some(started.run),
                directory: Some(place.folder(world)),
            };
            (place, started.warnings)
        }
    };
    let run = Run::open_anywhere(world, &place, Wanted::Latest, Access::Glance, "background")?;
    refuse_second(&run)?;
    find_agent(world, &run.store.state.config().agent)?;
    refuse_busy(&run)?;
    let place = Place {
        directory: Some(run.store.layout.root.clone()),
        run: Some(run.store.layout.run.clone()),
    };
    let changed = raise != Raise::default() || run.store.state.end.is_some();
    check_ceilings(&run, &raise, source)?;
    let _ = std::fs::remove_file(orders(&run));
    drop(run);
    if changed {
        let driver = World {
            role: Role::Driver,
            ..world.clone()
        };
        driver::reopen(&driver, &place, raise)?;
    }
    Ok(BackgroundReport {
        warnings,
        ..launch(world, &place, &program)?
    })
}

/// A run that would end at once is not handed over, and no ceiling of a run that exists is lifted here: lifting one has a
/// command of its own, which is a person's alone.
fn check_ceilings(run: &Run<'_>, ceilings: &Raise, source: Option<&Source>) -> Result<()> {
    let state = &run.store.state;
    crate::run::raise::refuse_final(state)?;
    let lifted = state.limits.lifted_by(ceilings);
    if let Some(first) = lifted.first().filter(|_| source.is_none()) {
        return Err(Failure::usage(format!(
            "`background start` lifts no limit of a run, and {} would",
            first.flag()
        ))
        .hint(format!(
            "`autoresearch raise {}` does, for a person in a terminal; then `autoresearch background start`",
            first.flag()
        )));
    }
    let reached = state
        .reached_with(ceilings, run.world.now_ms())
        .filter(|_| state.flight.is_none());
    match reached {
        None => Ok(()),
        Some((_, why)) => Err(Failure::usage(format!(
            "nothing was started: the run is at its limit ({why})"
        ))
        .hint(format!(
            "{} raises it, for a person in a terminal; then `autoresearch background start`. `autoresearch finish` leaves the run",
            crate::run::raise::suggestion(state, run.world)
        ))),
    }
}

/// A trial that somebody runs by hand is not waited for.
fn refuse_busy(run: &Run<'_>) -> Result<()> {
    let watch = Stopwatch::start();
    while let Some(holder) = store::holder(&run.store.vault) {
        if watch.elapsed() > HANDS {
            return Err(
                Failure::new(Kind::Busy, format!("the run is held by {holder}"))
                    .hint("wait until that command has ended, then hand the run over"),
            );
        }
        pause(LOOK);
    }
    Ok(())
}

/// A night in which nobody can edit is not begun.
fn find_agent(world: &World, agent: &Agent) -> Result<()> {
    if agent.command.is_some() || home::program(world).is_some() {
        return Ok(());
    }
    Err(Failure::environment("codex was not found on PATH, so nobody could edit").hint(
        "run the command in a shell whose PATH has codex (a login shell may have another PATH), or set `agent.command`",
    ))
}

fn refuse_second(run: &Run<'_>) -> Result<()> {
    match driving(run) {
        None => Ok(()),
        Some(holder) => Err(Failure::new(
            Kind::Busy,
            format!("the run is driven already, by {holder}"),
        )
        .hint("`autoresearch background attach` shows it")),
    }
}

/// Starts the supervisor and waits until it has taken its place and does something: `starting` would tell a person
/// neither that the run goes on, nor that it was left at once.
fn launch(world: &World, place: &Place, program: &Path) -> Result<BackgroundReport> {
    let run = Run::open_anywhere(world, place, Wanted::Latest, Access::Glance, "background")?;
    let layout = run.store.layout.clone();
    let launched = serde_json::json!({
        "format": store::FORMAT,
        "program": program,
        "version": env!("CARGO_PKG_VERSION"),
        "at": world.now_text(),
    });
    store::write_output(&layout.launch(), format!("{launched}\n").as_bytes())?;
    let words = [
        "-C".into(),
        layout.root.clone().into(),
        "--run".into(),
        layout.run.clone().into(),
    ];
    let mut child = process::detach(program, &words, &world.vars)?;
    let watch = Stopwatch::start();
    loop {
        let ended = child.try_wait().ok().flatten();
        let late = watch.elapsed() > BEGIN;
        let said = runtime(&layout).filter(|said| said.pid == child.id());
        if said.is_some_and(|said| said.phase != Phase::Starting || late || ended.is_some()) {
            return report(world, place);
        }
        if let Some(status) = ended {
            // Another start was faster.
            refuse_second(&run)?;
            return Err(Failure::new(
                Kind::Internal,
                format!("the supervisor ended at once ({status})"),
            )
            .hint("`autoresearch doctor` checks the run"));
        }
        if late {
            return Err(Failure::new(
                Kind::Internal,
                "the supervisor does not say that it is there",
            )
            .hint("`autoresearch background status` looks again"));
        }
        pause(LOOK);
    }
}

fn driving(run: &Run<'_>) -> Option<Holder> {
    store::holder(&run.store.vault.join(DRIVER))
}

/// How a background run stands.
pub fn report(world: &World, place: &Place) -> Result<BackgroundReport> {
    let run = Run::open_anywhere(world, place, Wanted::Latest, Access::Glance, "background")?;
    let state = &run.store.state;
    let holder = driving(&run);
    let said = runtime(&run.store.layout)
        .filter(|said| holder.as_ref().is_none_or(|holder| holder.pid == said.pid));
    let alive = holder.is_some();
    let end = state.end.as_ref().map(|ending| ending.end.word());
    let phase = match &said {
        _ if !alive && end.is_some() => Phase::Ended.word(),
        Some(runtime) if alive || left(runtime) => runtime.phase.word(),
        Some(_) => "died",
        None if alive => Phase::Starting.word(),
        None => "never started",
    };
    let program = &run.caller.program;
    let ending = state.end.as_ref();
    let lifted = ending.filter(|ending| state.finish.is_none() && ending.end.can_be_lifted());
    let why = match ending {
        Some(ending) => Some(format!("{}: {}", ending.end.word(), escape(&ending.why))),
        None => said.as_ref().and_then(|runtime| runtime.why.clone()),
    };
    let under_way = run.under_way();
    let next = match (alive, end) {
        (false, None) if under_way.is_some() => run.next_meanwhile().1,
        (true, _) => format!(
            "next: nothing to do; `{program} background attach` shows it, `{program} background stop` ends it"
        ),
        (false, Some(_)) if lifted.is_some_and(|ending| !ending.end.is_ceiling()) => format!(
            "next: put the obstacle right, then `{program} background start` goes on; `{program} finish` leaves the run"
        ),
        (false, Some(_)) => run.next(),
        (false, None) => format!(
            "next: `{program} background start` goes on with it; or go on by hand: `{program} resume`"
        ),
    };
    Ok(BackgroundReport {
        run: run.store.layout.run.clone(),
        alive,
        pid: holder.map(|holder| holder.pid),
        phase,
        why,
        until_ms: said
            .as_ref()
            .and_then(|runtime| runtime.until_ms)
            .filter(|_| alive),
        trial: state
            .flight
            .as_ref()
            .map_or(state.next_trial, |flight| flight.intent.trial),
        under_way,
        end,
        standing: autoresearch_core::words::brief::standing(state),
        log: world.path_from_here(&run.store.layout.runtime_log()),
        warnings: Vec::new(),
        next,
    })
}

/// Did the supervisor say that it left?
fn left(runtime: &Runtime) -> bool {
    matches!(runtime.phase, Phase::Paused | Phase::Blocked | Phase::Ended)
}

/// How soon an order is obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// A trial that is being measured is finished first; a turn is ended.
    Gracefully,
    /// Whatever is under way is undone.
    Now,
}

/// Gives an order, and waits until the supervisor has obeyed it and is gone.
pub fn order(world: &World, place: &Place, order: Order, when: When) -> Result<BackgroundReport> {
    session::refuse_confined(world, || Ok(autoresearch_sys::error::READ_ONLY.to_owned()))?;
    let run = Run::open_anywhere(world, place, Wanted::Latest, Access::Glance, "background")?;
    let Some(holder) = driving(&run) else {
        sweep(&run);
        drop(run);
        if order == Order::Stop {
            finish::stop(world, place, "stopped by a person")?;
        }
        return report(world, place);
    };
    let takes_orders = holder.command == SUPERVISE;
    if !takes_orders && when == When::Gracefully {
        return Err(Failure::new(Kind::Busy, format!("the run is driven by {holder}, which takes no orders"))
            .hint("interrupt that process, or use `--now`: it takes back what is under way and ends the run"));
    }
    let path = orders(&run);
    store::write_output(&path, &store::encode_json(&path, &order)?)?;
    let layout = run.store.layout.clone();
    let watch = Stopwatch::start();
    let mut signalled = false;
    if when == When::Gracefully {
        (world.progress)("a trial that is being measured is finished first; `--now` undoes it");
    }
    // One that was stopped by a signal would hear nothing.
    tell(holder.pid, Signal::CONT);
    while driving(&run).is_some() {
        let phase = runtime(&layout).filter(|said| said.pid == holder.pid);
        let phase = phase.map(|runtime| runtime.phase);
        let undo = when == When::Now || matches!(phase, Some(Phase::Turn));
        if undo && !signalled {
            signalled = true;
            (world.progress)("what is under way is undone");
            tell(holder.pid, Signal::TERM);
        }
        if when == When::Now && watch.elapsed() > AT_ONCE {
            // It hangs: its runner ends its children, and the next command repairs the run.
            tell(holder.pid, Signal::KILL);
        }
        if world.is_interrupted() {
            return Err(Failure::new(
                Kind::Interrupted,
                "the order was given; its end was not waited for",
            )
            .hint("`autoresearch background status` shows it"));
        }
        pause(LOOK);
    }
    sweep(&run);
    drop(run);
    if order == Order::Stop {
        // A supervisor that was killed could not record the end.
        finish::stop(world, place, "stopped by a person")?;
    }
    report(world, place)
}

/// Ends what a supervisor left that was killed together with its runner.
fn sweep(run: &Run<'_>) {
    if driving(run).is_none() {
        let _ = std::fs::remove_file(orders(run));
        let _ = process::end_marked(&format!("{MARK}={}", run.store.state.start.id));
    }
}

/// The last lines of the supervisor's log.
pub fn lines(world: &World, place: &Place, last: usize) -> Result<Vec<String>> {
    let layout = place.find(world, Wanted::Latest)?;
    let path = layout.runtime_log();
    let bytes = store::read_output(&path, MOST).map_err(|error| {
        Failure::usage(format!("{} cannot be read: {error}", path.display()))
            .hint("a run that was never in the background has no such log")
    })?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(last);
    Ok(lines[from..].iter().map(|line| plain(line)).collect())
}

/// A line of the log for people: its time is local, with UTC beside it.
#[must_use]
pub fn told_line(line: &str) -> String {
    line.split_once(' ').map_or_else(
        || line.to_owned(),
        |(at, rest)| format!("{} {rest}", clock_text_of(at)),
    )
}

/// A line of the log as it is; what the supervisor did not write has its control characters shown.
fn plain(line: &str) -> String {
    if line.chars().any(char::is_control) {
        escape(line)
    } else {
        line.to_owned()
    }
}

fn tell(pid: u32, signal: Signal) {
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
            writeln!(out, "  why       {}", escape(why))?;
        }
        if let Some(until) = self.until_ms {
            writeln!(out, "  until     {}", clock_text(until))?;
        }
        if let Some(under_way) = &self.under_way {
            writeln!(out, "  now       {}", under_way.phrase())?;
        }
        writeln!(out, "  best      {}", self.standing)?;
        writeln!(out, "  trial     {}", self.trial)?;
        writeln!(out, "  log       {}", self.log)?;
        write!(out, "{}", self.next)
    }
}
