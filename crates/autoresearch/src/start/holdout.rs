//! Owns the arming of the holdout: it runs on the untouched tree, and is written down beside the anchor.
//! Does not run it again; `trial/holdout` does.
//! Invariant: a holdout that does not pass, or that leaves something in the tree, starts no run.

use std::ffi::OsString;
use std::path::Path;

use autoresearch_core::config::{Config, Holdout, HoldoutTime};
use autoresearch_core::metric::measurement::{Reading, read_measurement};
use autoresearch_core::metric::value::Value;

use crate::config::list_holdout_files;
use crate::run::session;
use crate::start::baseline::check_clean;
use crate::start::parts::StartParts;
use crate::trial::holdout::read_as_lines;
use crate::trial::measure::Bench;
use crate::watch::yardstick::make_pin;
use autoresearch_sys::env::{ProcessRole, World};
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::Git;
use autoresearch_sys::process::{Confinement, LocalExecutor, TreeView};
use autoresearch_sys::store::{HoldoutNote, anchor_folder, make_holdout_folder};

/// Where a holdout is armed.
struct HoldoutScene<'a> {
    world: &'a World,
    /// git in the tree of the trials.
    git: &'a Git,
    env: &'a [(OsString, OsString)],
    view: Option<&'a TreeView>,
    confinement: Option<&'a Confinement>,
    config: &'a Config,
    anchor_folder: &'a Path,
}

/// Runs the holdout on the untouched tree and writes its note.
pub(super) fn arm_holdout(
    world: &World,
    parts: &StartParts<'_>,
    git: &Git,
    (env, view, confinement): (
        &[(OsString, OsString)],
        Option<&TreeView>,
        Option<&Confinement>,
    ),
) -> Result<Option<HoldoutTime>> {
    let Some(check) = &parts.holdout else {
        return Ok(None);
    };
    let scene = &HoldoutScene {
        world,
        git,
        env,
        view,
        confinement,
        config: &parts.config,
        anchor_folder: &anchor_folder(&world.state_folder, &parts.id),
    };
    let baseline = run_untouched(scene, check)?;
    let root = scene.git.work_tree();
    let files = list_holdout_files(scene.world, root, (scene.config, check));
    let outside = files.keys().filter(|path| !path.starts_with(root));
    let pins = outside.filter_map(|path| Some((path.to_str()?.to_owned(), make_pin(path)?)));
    let note = HoldoutNote {
        check: check.clone(),
        pins: pins.collect(),
        baseline,
    };
    note.write_to(scene.anchor_folder)?;
    Ok(Some(check.every))
}

/// What it printed as its value, if it did.
fn run_untouched(scene: &HoldoutScene<'_>, check: &Holdout) -> Result<Option<(Value, Reading)>> {
    let before = scene.git.read_status()?;
    let executor = LocalExecutor::new(scene.world, scene.env);
    let folder = make_holdout_folder(scene.anchor_folder)?;
    let root = scene.git.work_tree();
    let mut bench = Bench::new(
        &executor,
        (scene.world.progress, scene.world.clock),
        root,
        folder,
        "",
    );
    bench.view = scene.view.cloned();
    bench.confine(scene.confinement);
    let stdout = bench
        .run_holdout(scene.anchor_folder, (&check.command, "start"))?
        .map_err(|how| {
            let mut failure = Failure::config(format!(
                "the holdout does not pass on the untouched tree: {how}"
            ))
            .hint("run the command by hand; it must pass before the first trial");
            if !bench.tail.is_empty() {
                let tail = bench.tail.replace('\n', " | ");
                failure.causes.push(format!("its last lines: {tail}"));
            }
            failure
        })?;
    check_clean(scene.git, &before, "the holdout")?;
    let metric = read_as_lines(&scene.config.metric);
    let mark = format!("METRIC {}=", metric.name);
    if !stdout
        .lines()
        .any(|line| line.trim_start().starts_with(&mark))
    {
        return Ok(None);
    }
    let (measurement, reading) = read_measurement(&stdout, &metric, None).map_err(|error| {
        Failure::config(format!("the holdout prints no metric: {error}"))
            .hint(format!("let it print one line `{mark}NUMBER`, or none"))
    })?;
    Ok(Some((measurement.value, reading)))
}

/// Refuses a holdout that an agent starts: it would know what it is not to be shown. A driver was started by somebody, who
/// was asked then.
pub fn refuse_agent_start(world: &World, has_holdout: bool) -> Result<()> {
    if has_holdout && world.role == ProcessRole::Command {
        session::refuse_agent(world, "to start a run with a holdout")?;
    }
    Ok(())
}
