//! Owns the start of a run: preflight, baseline, the freezing of the config, the run's branch or work tree.
//! Does not run a trial.
//! Invariant: a start that is refused leaves nothing behind.

mod again;
pub mod baseline;
mod holdout;
mod kept_tree;
pub mod own_files;
mod parts;
pub mod preflight;
pub mod reaction;
pub mod report;
mod sandboxed;
mod scope_files;
mod trial_time;
pub mod trying;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use autoresearch_core::config::globs::{GlobError, Globs};
use autoresearch_core::config::{Config, Holdout, Isolation, Problem};
use autoresearch_core::journal::event::{Event, Start};
use autoresearch_core::words::text::{escape_text, shorten_names};

use self::again::find_same_start;
use self::holdout::arm_holdout;
pub use self::holdout::refuse_agent_start;
use self::parts::{StartParts, gather_parts, make_run_folder, make_work_tree, remove_made_parts};
use self::report::{StartReport, make_start_report};
use crate::config::{
    ConfigSource, check_config_in, config_error, format_problem, list_secret_places,
};
use crate::run::glance::{Glance, INDEX};
use crate::run::held::Held;
use crate::run::place::Place;
use crate::run::repair::set_up_branch;
use crate::run::session;
use crate::start::baseline::Baseline;
use crate::start::kept_tree::{KeptTreeAnswer, describe_kept_tree, try_kept_tree};
use crate::start::own_files::OwnFiles;
use crate::start::preflight::StartSite;
use crate::start::reaction::{CheckPatience, ReactionReport, ReactionScene, check_reaction};
use crate::start::sandboxed::{SandboxReport, SandboxScene};
use crate::trees::left_gits::{recover_left_gits, start_lock_folder};
use crate::trees::missing::{FailedCommand, explain_missing, list_ignored_names};
use crate::trees::sandboxing::{choose_confinement, hide_holdout};
use crate::trees::setup::{FillReport, TreeFilling, fill_once, filled_mark};
use crate::trees::viewing::describe_view;
use crate::watch::command_files::CommandSite;
use crate::watch::empty_places;
use crate::watch::git_rules;
use crate::watch::space::check_free_space;
use crate::watch::touched::TouchScene;
use crate::watch::unseen_files;
use crate::watch::user_files;
use crate::watch::user_files::FileOwner;
use crate::watch::yardstick;
use crate::watch::yardstick::PinChoice;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, FailureKind, READ_ONLY, Result};
use autoresearch_sys::git::{Git, PrivateIndex};
use autoresearch_sys::process::{Confinement, TreeView};
use autoresearch_sys::replacement::make_temporary;
use autoresearch_sys::store;
use autoresearch_sys::store::{FileNotes, Pinned, RunStore, SealedSecret, UnseenFiles};
use tempfile::TempDir;

pub fn start_run(world: &World, place: &Place, source: &ConfigSource) -> Result<StartReport> {
    if place.run.is_some() {
        return Err(Failure::usage("`start` makes a new run")
            .hint("its name comes from `tag` or from the goal; leave out --run"));
    }
    let wanted = read_wanted_start(world, place, source)?;
    let history = &wanted.site.history;
    let _starting = store::take_lock(&start_lock_folder(world, history), world, "start")?;
    recover_left_gits(world, &wanted.site.git, &history.work_tree())?;
    let what = (&wanted.config, wanted.holdout.as_ref());
    if let Some(report) = find_same_start(world, &history.work_tree(), source, what)? {
        return Ok(report);
    }
    let (parts, mut pinned) = begin_start(world, &wanted)?;
    let prepared = prepare_start(world, &parts, &mut pinned, CheckPatience::Brief);
    match prepared.and_then(PreparedStart::refuse_untrue_metric) {
        Ok(prepared) => {
            let (said, mut notes) = (prepared.said.clone(), prepared.notes.clone());
            let sandbox = prepared.sandbox.as_ref();
            notes.extend(sandbox.map(|sandbox| format!("note: {}", sandbox.said)));
            let reaction = prepared.reaction.clone();
            let mut report = record_start(world, &parts, pinned, prepared, &source.frozen_text())?;
            report.reaction = Some(reaction);
            report.stderr = Some(said).filter(|said| !said.is_empty());
            let problems = wanted.problems.iter();
            let problems = problems.map(|problem| format_problem(&source.name, problem));
            let remarks = preflight::list_remarks(&parts.start_site.git);
            report.warnings.extend(problems.chain(remarks).chain(notes));
            Ok(report)
        }
        Err(failure) => {
            remove_made_parts(world, &parts);
            Err(failure)
        }
    }
}

/// Where a run is to start, and its config with what is to be said of it.
struct WantedStart {
    site: StartSite,
    config: Config,
    holdout: Option<Holdout>,
    secrets: Vec<PathBuf>,
    problems: Vec<Problem>,
}

fn read_wanted_start(world: &World, place: &Place, source: &ConfigSource) -> Result<WantedStart> {
    store::check_folder_trust(&world.state_folder)?;
    session::refuse_confined(world, || Ok(READ_ONLY.to_owned()))?;
    let typed = crate::config::check_config_text(source);
    refuse_agent_start(world, typed.holdout.is_some())?;
    let wanted = typed.config.map(|config| config.env).unwrap_or_default();
    let site = preflight::read_start_site(world, &place.search_folder(world), &wanted)?;
    let checked = check_config_in(world, source, &site.git)?;
    let Some(config) = checked.config else {
        return Err(config_error(source, &checked.problems));
    };
    let (root, file) = (site.history.work_tree(), source.path.as_deref());
    let hide = |holdout| list_secret_places(world, &root, file, (&config, holdout));
    Ok(WantedStart {
        secrets: checked.holdout.as_ref().map(hide).unwrap_or_default(),
        site,
        config,
        holdout: checked.holdout,
        problems: checked.problems,
    })
}

/// Refuses ground on which a run cannot work, and makes the run's folder.
fn begin_start<'s>(world: &World, wanted: &'s WantedStart) -> Result<(StartParts<'s>, Pinned)> {
    let (site, config) = (&wanted.site, &wanted.config);
    preflight::check_start_site(world, site, config)?;
    check_room(world, site)?;
    let folder = make_index_folder(world)?;
    let index = PrivateIndex::new(&site.git, &folder.path().join(INDEX));
    let dirty_files = if config.isolation == Isolation::Worktree {
        store::DirtyFiles::default()
    } else {
        index.prepare(&site.base, world.now().as_second())?;
        preflight::find_dirty_files(&index, site, config)?
    };
    let mut parts = gather_parts(world, site, (config.clone(), wanted.holdout.clone()))?;
    parts.secrets.clone_from(&wanted.secrets);
    make_run_folder(world, &parts)?;
    index.move_to(&store::anchor_folder(&world.state_folder, &parts.id).join(INDEX));
    let pinned = Pinned {
        dirty_files,
        ..Pinned::default()
    };
    Ok((parts, pinned))
}

/// A folder for the run's own index, as long as the run has none.
fn make_index_folder(world: &World) -> Result<TempDir> {
    let below = &world.state_folder;
    make_temporary().tempdir_in(below).map_err(|error| {
        Failure::io(
            format!("could not make a folder in {}", below.display()),
            &error,
        )
    })
}

/// What was found out about the untouched tree.
struct PreparedStart {
    start: Start,
    unseen: UnseenFiles,
    /// What verify said on its standard error.
    said: String,
    /// How long the guard takes, in milliseconds.
    guard_ms: u64,
    /// What the filling of the run's tree had to say.
    notes: Vec<String>,
    reaction: ReactionReport,
    /// What was found of the sandbox, where it is asked for or looked for.
    sandbox: Option<SandboxReport>,
}

impl PreparedStart {
    fn refuse_untrue_metric(self) -> Result<Self> {
        let refusal = self.reaction.find_refusal(&self.start.config);
        refusal.map_or(Ok(self), Err)
    }
}

/// The tree in which a run begins, with all that its commands get.
struct EnteredTree {
    git: Git,
    env: Vec<(OsString, OsString)>,
    filled: FillReport,
    /// The sandbox of the config, or the one that it could have.
    confinement: Confinement,
    /// The run's folder outside the repository.
    outside: PathBuf,
}

/// Makes the tree, and fills it.
fn enter_tree(world: &World, parts: &StartParts<'_>, pinned: &mut Pinned) -> Result<EnteredTree> {
    let (site, config) = (parts.start_site, &parts.config);
    let (sealed, open) = preflight::seal_secrets(world, &config.secrets, &parts.id)?;
    pin_site(pinned, site, sealed);
    let rule = config.sandbox.clone().unwrap_or_default();
    let mut confinement = choose_confinement(world, &site.history.common_folder(), &rule)?;
    hide_holdout(world, (&parts.id, &parts.secrets), &mut confinement);
    pinned.confinement = config.sandbox.as_ref().map(|_| confinement.clone());
    let plain = to_pairs(&site.env);
    let work_tree = make_work_tree(world, parts)?;
    let git = Git::new(site.git.program(), &work_tree, &plain).obeying(world);
    let env: Vec<(OsString, OsString)> = plain.into_iter().chain(open).collect();
    pinned.view = parts.choose_view(world)?;
    let view = pinned.view.as_ref();
    let outside = store::anchor_folder(&world.state_folder, &parts.id);
    let index = PrivateIndex::new(&git, &outside.join(INDEX));
    index.prepare(&site.base, world.now().as_second())?;
    let filled = fill_own_tree(world, parts, (&git, view), &env)
        .map_err(|failure| explain_bare_tree(failure, parts, (&work_tree, view)))?;
    Ok(EnteredTree {
        git,
        env,
        filled,
        confinement,
        outside,
    })
}

/// Measures the untouched tree, pins the yardstick, and checks that the metric reacts to the scope.
fn prepare_start(
    world: &World,
    parts: &StartParts<'_>,
    pinned: &mut Pinned,
    patience: CheckPatience,
) -> Result<PreparedStart> {
    let (site, config) = (parts.start_site, &parts.config);
    let entered = enter_tree(world, parts, pinned)?;
    let index = PrivateIndex::new(&entered.git, &entered.outside.join(INDEX));
    let (git, env, view) = (index.git(), &entered.env, pinned.view.clone());
    let (work_tree, view) = (git.work_tree(), view.as_ref());
    let chosen = pin_yardstick(world, git, config, pinned)?;
    let before = note_dirty_files(work_tree, pinned);
    let unseen = unseen_files::find_at_start(git, config, &pinned.yardstick)?;
    let own = OwnFiles::new(&parts.layout, config, &entered.outside)?;
    let scene = TouchScene {
        index: &index,
        head: &site.base,
        config,
        yardstick: &pinned.yardstick,
    };
    let measured = SandboxScene {
        world,
        tree: git,
        env,
        config,
        own: &own,
        view,
        confinement: &entered.confinement,
    };
    let (baseline, touched) = scene.watch_while(world, || {
        let explain = |failure| explain_bare_tree(failure, parts, (work_tree, view));
        measured.measure_baseline().map_err(explain)
    })?;
    pinned.touched = touched;
    let sandbox = measured.look_at_sandbox(&baseline, patience)?;
    let reaction = check_reaction(&ReactionScene {
        world,
        parts,
        env,
        baseline: &baseline,
        confinement: pinned.confinement.as_ref(),
        changed: &pinned.dirty_files,
        patience,
    })?;
    let kept = try_kept_tree(world, parts, env, (&baseline, pinned))?;
    let armed = arm_holdout(world, parts, git, (env, view, pinned.confinement.as_ref()))?;
    settle_pins(git, (site, config), (&chosen, &before), pinned)?;
    let unseen = unseen_files::find_after_baseline(git, config, &pinned.yardstick, &unseen)?;
    let config = baseline::convert_to_units(config, &baseline)?;
    let notes = list_notes(view, entered.filled, &pinned.touched, &kept);
    Ok(PreparedStart {
        said: baseline.said.clone(),
        guard_ms: baseline.guard_ms,
        start: Start {
            reaction: Some(reaction.outcome),
            holdout: armed,
            runs: [&baseline.runs[..], &kept.runs].concat(),
            incumbent_tree: kept.tree,
            ..make_start_event(world, parts, (config, baseline))?
        },
        unseen,
        notes,
        reaction,
        sandbox,
    })
}

/// How the files are that were dirty before the run.
fn note_dirty_files(work_tree: &Path, pinned: &Pinned) -> FileNotes {
    let (none, unknown) = (BTreeSet::new(), FileNotes::default());
    user_files::make_notes(work_tree, &pinned.dirty_files, &none, &unknown)
}

/// Pins what decides what is measured: files as they are, and places where nothing is.
fn pin_yardstick(
    world: &World,
    git: &Git,
    config: &Config,
    pinned: &mut Pinned,
) -> Result<PinChoice> {
    let broken = |error: GlobError| Failure::config(error.to_string());
    let (work_tree, view) = (git.work_tree(), pinned.view.as_ref());
    let site = CommandSite::new(world, work_tree);
    let ignored = git.list_ignored_folders()?;
    let chosen = yardstick::choose_in_view(&site, view, config, &ignored).map_err(broken)?;
    pinned.yardstick = yardstick::pin_files(work_tree, &chosen);
    pinned.empty = empty_places::choose_places(&site, view, config).map_err(broken)?;
    pin_changed_rules(work_tree, pinned);
    Ok(chosen)
}

/// Takes out of the pins what the commands have made, refuses those that they changed, and pins git's own rules.
fn settle_pins(
    git: &Git,
    (site, config): (&StartSite, &Config),
    (chosen, before): (&PinChoice, &FileNotes),
    pinned: &mut Pinned,
) -> Result<()> {
    let work_tree = git.work_tree();
    let known = git.list_files()?.into_iter().collect();
    yardstick::drop_products(work_tree, chosen, &mut pinned.yardstick, &known);
    yardstick::drop_written(pinned.view.as_ref(), chosen, &mut pinned.yardstick);
    empty_places::drop_filled(work_tree, &mut pinned.empty);
    refuse_touched(work_tree, config, pinned, before)?;
    pinned.rules = git_rules::pin_rules(git, &site.history.common_folder())?;
    Ok(())
}

/// What is to be said of the view, of the filling of the tree, and of files that the commands write with the bytes that
/// they had.
fn list_notes(
    view: Option<&TreeView>,
    filled: FillReport,
    touched: &BTreeSet<String>,
    kept: &KeptTreeAnswer,
) -> Vec<String> {
    let names: Vec<String> = touched.iter().map(|name| escape_text(name)).collect();
    let rewritten = (!names.is_empty()).then(|| {
        format!(
            "note: verify or guard writes files again that no trial may change ({}): they are compared by their bytes alone",
            shorten_names(&names, names.len(), 80)
        )
    });
    let notes = view.map(describe_view).into_iter().chain(filled.notes);
    let kept = describe_kept_tree(kept.tree.as_ref());
    notes.chain(rewritten).chain(kept).collect()
}

/// Fills the run's own tree as the config says.
fn fill_own_tree(
    world: &World,
    parts: &StartParts<'_>,
    (tree, view): (&Git, Option<&TreeView>),
    env: &[(OsString, OsString)],
) -> Result<FillReport> {
    let filling = TreeFilling {
        world,
        env,
        checkout: &parts.start_site.git,
        tree,
        config: &parts.config,
        view,
    };
    let mark = filled_mark(&store::anchor_folder(&world.state_folder, &parts.id));
    fill_once(&filling, &mark)
}

fn to_pairs(env: &BTreeMap<String, String>) -> Vec<(OsString, OsString)> {
    let pairs = env.iter();
    pairs
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

/// What the run's git and commands work with.
fn pin_site(pinned: &mut Pinned, site: &StartSite, secrets: BTreeMap<String, SealedSecret>) {
    pinned.secrets = secrets;
    site.git.program().clone_into(&mut pinned.git);
    pinned.repository = Some(site.history.common_folder());
    pinned.env.clone_from(&site.env);
    pinned.lend_identity = site.lend_identity;
}

/// Verify and guard must leave pinned files alone, and tracked files of the user's.
fn refuse_touched(
    work_tree: &Path,
    config: &Config,
    pinned: &Pinned,
    before: &FileNotes,
) -> Result<()> {
    let protect =
        Globs::new(&config.protect).map_err(|error| Failure::config(error.to_string()))?;
    let touched = yardstick::list_changed(work_tree, &pinned.yardstick, &protect);
    if let Some(first) = touched.first() {
        return Err(
            Failure::config(format!("verify or guard changed a pinned file: {first}"))
                .hint(pinned_hint(first)),
        );
    }
    let disturbed =
        user_files::find_changed(work_tree, &pinned.dirty_files, &BTreeSet::new(), before);
    if let Some(first) = disturbed
        .iter()
        .find(|changed| changed.whose == FileOwner::Tracked)
    {
        return Err(Failure::config(format!("verify or guard changed one of your files: {}", first.name))
            .hint("it is tracked and has changes that are not committed; write reports to a temporary or ignored folder"));
    }
    Ok(())
}

/// What the run's tree does not have is told to whom a command failed there.
fn explain_bare_tree(
    failure: Failure,
    parts: &StartParts<'_>,
    (tree, view): (&Path, Option<&TreeView>),
) -> Failure {
    if parts.config.isolation != Isolation::Worktree || failure.kind != FailureKind::Config {
        return failure;
    }
    let output = failure.causes.join("\n");
    let prepare = parts.config.setup.prepare.iter();
    let measuring = parts.config.list_commands().into_iter();
    let failed = FailedCommand {
        checkout: &parts.start_site.git,
        tree,
        commands: prepare
            .chain(measuring.map(|(_, command)| command))
            .collect(),
        output: &output,
        view,
    };
    if let Some(missing) = explain_missing(&failed) {
        return failure.also_hint(&missing);
    }
    let ignored = list_ignored_names(&failed);
    if ignored.is_empty() || output.is_empty() {
        return failure;
    }
    let names = shorten_names(&ignored, ignored.len(), 80);
    failure.also_hint(&format!(
        "the run's tree has tracked files only; what git ignores in your checkout ({names}) is not there: if a command needs it, add prepare, link or copy"
    ))
}

fn pinned_hint(name: &str) -> &'static str {
    if name.contains("__pycache__/") {
        "Python writes its caches beside the sources: set PYTHONDONTWRITEBYTECODE=1 in verify and guard, or protect `*.py` below that folder instead of all of it"
    } else {
        "verify must not write to its own scripts or to protected files; write reports to a temporary folder. If verify builds the file, delete it before the start"
    }
}

/// A rule file that is dirty from the start belongs to no trial, and must stay as it is all the same.
fn pin_changed_rules(root: &Path, pinned: &mut Pinned) {
    let paths = pinned.dirty_files.list_paths().map(|(_, path, _)| path);
    let names = paths.filter_map(|path| Some(path.to_str()?.to_owned()));
    let files = names.filter(|name| git_rules::find_rule_role(name).is_some());
    let pins: Vec<_> = files
        .filter_map(|name| yardstick::make_pin(&root.join(&name)).map(|pin| (name, pin)))
        .collect();
    pinned.yardstick.extend(pins);
}

fn make_start_event(
    world: &World,
    parts: &StartParts<'_>,
    (config, baseline): (Config, Baseline),
) -> Result<Start> {
    let StartParts {
        start_site: site,
        layout,
        branch,
        id,
        ..
    } = parts;
    Ok(Start {
        format: store::FORMAT,
        run: layout.run.clone(),
        id: id.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_ms: world.now_ms(),
        branch: branch.clone(),
        origin: site.origin.clone(),
        base: site.base.clone(),
        tree: site.history.tree_of(&site.base)?,
        worktree: parts
            .own_tree()
            .map(|note| to_text(&note.path))
            .transpose()?,
        measurement: baseline.measurement,
        reading: Some(baseline.reading),
        samples: baseline.samples,
        runs: Vec::new(),
        incumbent_tree: None,
        guard: baseline.guard,
        verify_ms: baseline.verify_ms,
        environment: format!(
            "{} {}, git {}, autoresearch {}",
            std::env::consts::OS,
            std::env::consts::ARCH,
            site.git_version,
            env!("CARGO_PKG_VERSION")
        ),
        until_ms: config
            .budget
            .until
            .map(|time| world.next_time_of_day_ms(time)),
        guard_retries: baseline.guard_retries,
        reaction: None,
        holdout: None,
        config,
    })
}

/// A path as the journal writes it down.
fn to_text(path: &Path) -> Result<String> {
    path.to_str().map(ToOwned::to_owned).ok_or_else(|| {
        Failure::blocked(format!(
            "the path of the run's work tree is not UTF-8: {}",
            escape_text(&path.to_string_lossy())
        ))
        .hint("name another folder with `trees:` in the config")
    })
}

/// Records the start, makes HEAD name the run's branch, writes the views.
fn record_start(
    world: &World,
    parts: &StartParts<'_>,
    pinned: Pinned,
    PreparedStart { start, unseen, .. }: PreparedStart,
    config: &str,
) -> Result<StartReport> {
    let left_alone = pinned.dirty_files.len();
    let pinned_files = pinned.yardstick.keys().cloned().collect();
    let store = RunStore::create_run(
        world,
        parts.layout.clone(),
        Event::Start(Box::new(start)),
        pinned,
        config,
    )
    .inspect_err(|_| remove_made_parts(world, parts))?;
    // Without this memory the first look takes everything for known.
    let _ = store::TreeNotes::beside_anchor(&store.anchor_folder).write_unseen(&unseen);
    make_ready(world, store)
        .map(|glance| make_start_report(&glance, left_alone, (pinned_files, parts.load)))
        .map_err(|failure| {
            let run = &parts.layout.run;
            failure.hint(format!("the run `{run}` is recorded: fix what failed, then run `autoresearch resume` to complete its start"))
        })
}

/// Makes a recorded run ready for its first trial.
fn make_ready<'w>(world: &'w World, store: RunStore<'w>) -> Result<Glance<'w>> {
    let mut ready = Held::from_store(world, store)?.take_tree()?;
    set_up_branch(&mut ready)?;
    user_files::update_notes(&ready.tree, &ready.run.store.state.left_files, &[])?;
    let glance = ready.finish()?;
    session::claim_run(&glance.run, glance.seat.history());
    Ok(glance)
}

/// Is there room where a run writes?
fn check_room(world: &World, site: &StartSite) -> Result<()> {
    let (root, common) = (site.history.work_tree(), site.history.common_folder());
    check_free_space(&[&root, &common, &world.state_folder])
}
