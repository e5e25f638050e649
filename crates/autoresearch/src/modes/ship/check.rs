//! Owns `ship check`: the gates of a config, run one after the other in the work tree as it is.
//! Does not judge an output; core does.
//! Invariant: what runs is listed before it runs, and what a sandbox holds in a run it holds here.

use std::ffi::OsString;
use std::path::PathBuf;

use autoresearch_core::config::span::{format_span, whole_millis};
use autoresearch_core::config::{Config, Severity};
use autoresearch_sys::env::{Stopwatch, World};
use autoresearch_sys::error::{Failure, READ_ONLY, Result};
use autoresearch_sys::process::LocalExecutor;
use autoresearch_sys::replacement::make_temporary;
use autoresearch_sys::store;

use super::checklist::ChecklistFolder;
use super::report::ShipReport;
use crate::config::{ConfigSource, check_config_in, config_error, read_config};
use crate::run::place::Place;
use crate::run::session;
use crate::start::preflight::{StartSite, check_alone, read_start_site, seal_secrets};
use crate::trees::left_gits::start_lock_folder;
use crate::trees::sandboxing::choose_confinement;
use crate::trial::measure::Bench;
use crate::watch::traces::TreeBefore;

/// What a person asks of `ship check`.
#[derive(Clone, Debug)]
pub struct ShipWords {
    /// The config, from the current folder.
    pub config: PathBuf,
    /// Is nothing run?
    pub dry_run: bool,
}

/// Runs the gates of a config, and writes what became of them as a checklist.
pub fn check_gates(world: &World, place: &Place, words: &ShipWords) -> Result<ShipReport> {
    if !words.dry_run {
        store::check_folder_trust(&world.state_folder)?;
        session::refuse_confined(world, || Ok(READ_ONLY.to_owned()))?;
    }
    let source = read_config(world, &words.config)?;
    let folder = place.search_folder(world);
    let site = read_start_site(world, &folder, &[])?;
    let config = read_gates(world, &source, &site)?;
    let mut report = ShipReport::new(&source.name, &config.gates);
    if words.dry_run {
        report.name_next(&source);
        return Ok(report);
    }
    let checklist = ChecklistFolder::check(&site.history.work_tree())?;
    let site = read_start_site(world, &folder, &config.env)?;
    let lock = start_lock_folder(world, &site.history);
    let _checking = store::take_lock(&lock, world, "ship check")?;
    check_alone(world, &site)?;
    let before = TreeBefore::look(&site.git)?;
    report.note_state(
        world.now_text(),
        &site.base,
        before.is_clean_without(source.path.as_deref()),
    );
    run_gates(world, (&site, &config), &mut report)?;
    report.take_traces(before.find_traces()?);
    report.name_next(&source);
    checklist.write(&mut report)?;
    Ok(report)
}

/// The config, where it is one and has gates.
fn read_gates(world: &World, source: &ConfigSource, site: &StartSite) -> Result<Config> {
    let checked = check_config_in(world, source, &site.git)?;
    let has_errors = checked
        .problems
        .iter()
        .any(|problem| problem.severity == Severity::Error);
    match checked.config {
        Some(config) if !has_errors && config.gates.is_empty() => Err(Failure::config(format!(
            "the config {} has no gates",
            source.name
        ))
        .hint("add what must hold before a release: `gates: [{name: tests pass, command: make test}]`; GUIDE.md has more under \"Ship\"")),
        Some(config) if !has_errors => Ok(config),
        _ => Err(config_error(source, &checked.problems)),
    }
}

fn run_gates(
    world: &World,
    (site, config): (&StartSite, &Config),
    report: &mut ShipReport,
) -> Result<()> {
    let (_, secrets) = seal_secrets(world, &config.secrets, "")?;
    let pairs = site.env.iter();
    let plain = pairs.map(|(name, value)| (name.into(), value.into()));
    let env: Vec<(OsString, OsString)> = plain.chain(secrets).collect();
    let executor = LocalExecutor::new(world, &env);
    let state = &world.state_folder;
    let outputs = make_temporary().tempdir_in(state).map_err(|error| {
        Failure::io(
            format!("could not make a folder in {}", state.display()),
            &error,
        )
    })?;
    let mut bench = Bench::new(
        &executor,
        (world.progress, world.clock),
        site.git.work_tree(),
        outputs.path().to_owned(),
        "",
    );
    let rule = config.sandbox.as_ref();
    let confinement = rule
        .map(|rule| choose_confinement(world, &site.history.common_folder(), rule))
        .transpose()?;
    bench.confine(confinement.as_ref());
    announce_gates(world, config);
    for (index, (gate, row)) in config.gates.iter().zip(&mut report.gates).enumerate() {
        let watch = Stopwatch::start();
        let outcome = bench.run_gate(gate, &format!("gate-{}", index + 1))?;
        row.take_outcome(&outcome, whole_millis(watch.elapsed()), &bench.tail);
    }
    Ok(())
}

/// Tells a person at a terminal what is about to run.
fn announce_gates(world: &World, config: &Config) {
    (world.progress)("these run in the work tree, one after the other:");
    for gate in &config.gates {
        let limit = format_span(gate.command.timeout);
        (world.progress)(&format!(
            "  {}, for at most {limit}: {}",
            gate.name, gate.command.command
        ));
    }
}
