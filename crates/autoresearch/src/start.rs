//! Owns the start of a run: preflight, baseline, the freezing of the config, the run's branch or work tree.
//! Does not run a trial.
//! Invariant: a start that is refused leaves nothing behind.

mod again;
pub mod baseline;
pub mod editable_installs;
pub mod own_files;
pub mod preflight;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use autoresearch_core::config::globs::Globs;
use autoresearch_core::config::name::make_run_name;
use autoresearch_core::config::span;
use autoresearch_core::config::{Config, Isolation};
use autoresearch_core::journal::event::{Event, Start};
use autoresearch_core::metric::value::Value;
use autoresearch_core::words::text::{clip_text, escape_text, format_count};
use serde::Serialize;

use self::again::find_same_start;
use crate::config::{ConfigSource, check_config_in, config_error, format_problem};
use crate::run::repair::set_up_branch;
use crate::run::session;
use crate::run::work_tree_check;
use crate::run::{Place, Run, check_free_space};
use crate::start::baseline::{Baseline, measure_baseline};
use crate::start::own_files::OwnFiles;
use crate::start::preflight::StartSite;
use crate::trial::report::shorten_names;
use crate::watch::git_rules;
use crate::watch::unseen_files;
use crate::watch::user_files;
use crate::watch::user_files::FileOwner;
use crate::watch::yardstick;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, READ_ONLY, Result};
use autoresearch_sys::git::Git;
use autoresearch_sys::git::history::History;
use autoresearch_sys::git::status::StatusKind;
use autoresearch_sys::store;
use autoresearch_sys::store::{CreatedFolders, FileNotes, Layout, Pinned, RunStore, UnseenFiles};

/// The answer of `start`.
#[derive(Clone, Debug, Serialize)]
pub struct StartReport {
    pub run: String,
    /// Its folder, as the reader can open it.
    pub folder: String,
    pub goal: String,
    pub scope: Vec<String>,
    /// The files that are pinned.
    pub pinned: Vec<String>,
    pub metric: String,
    /// Which way is better.
    pub direction: &'static str,
    pub target: Option<Value>,
    /// The value at start.
    pub baseline: Value,
    /// Every run of the baseline.
    pub samples: Vec<Value>,
    /// Did all runs give the same value?
    pub deterministic: bool,
    /// The standard deviation of one run.
    pub spread: f64,
    /// The guard on the untouched tree.
    pub guard: &'static str,
    /// The branch of the trials.
    pub branch: String,
    /// The work tree of the trials.
    pub work_tree: PathBuf,
    /// How many files were dirty outside the scope; they are left alone.
    pub left_alone: usize,
    pub limits: String,
    /// The last lines that verify wrote to standard error, although it succeeded.
    pub stderr: Option<String>,
    /// What should be looked at, without stopping the run.
    pub warnings: Vec<String>,
    pub next: String,
}

/// What `start` makes outside git and the state folder, to be taken away again when it is refused.
struct StartParts<'g> {
    start_site: &'g StartSite,
    layout: Layout,
    /// What making the run's folder made.
    extent: Cell<CreatedFolders>,
    branch: String,
    config: Config,
    /// The run's id, by which its notes outside the repository are found.
    id: String,
    /// Was the branch made, so that a refusal takes it away?
    made_branch: Cell<bool>,
    /// And the work tree?
    made_tree: Cell<bool>,
}

/// Makes the run's folder. What is about to be made is noted outside the repository first: after a kill, the note and not
/// the shape of what lies there tells what is ours.
fn make_run_folder(world: &World, parts: &StartParts<'_>) -> Result<()> {
    let anchor_folder = store::anchor_folder(&world.state_folder, &parts.id);
    let mut made = store::MadeNote {
        format: store::FORMAT,
        id: parts.id.clone(),
        run: parts.layout.run.clone(),
        root: parts.layout.root.clone(),
        branch: (parts.config.isolation != Isolation::InPlace).then(|| parts.branch.clone()),
        base: parts.start_site.base.clone(),
        ..store::MadeNote::default()
    };
    let created = made
        .write_to(&anchor_folder)
        .and_then(|()| parts.layout.create_folders());
    match created {
        Ok(extent) => parts.extent.set(extent),
        Err(error) => {
            store::MadeNote::remove_from(&anchor_folder);
            return Err(error.into());
        }
    }
    made.inode = store::removal::folder_inode(&parts.layout.run_folder());
    if let Err(error) = made.write_to(&anchor_folder) {
        remove_made_parts(world, parts);
        return Err(error.into());
    }
    Ok(())
}

pub fn start_run(world: &World, place: &Place, source: &ConfigSource) -> Result<StartReport> {
    if place.run.is_some() {
        return Err(Failure::usage("`start` makes a new run")
            .hint("its name comes from `tag` or from the goal; leave out --run"));
    }
    store::check_folder_trust(&world.state_folder)?;
    session::refuse_confined(world, || Ok(READ_ONLY.to_owned()))?;
    let wanted = crate::config::check_config_text(source)
        .config
        .map(|config| config.env)
        .unwrap_or_default();
    let site = preflight::read_start_site(world, &place.search_folder(world), &wanted)?;
    let checked = check_config_in(world, source, &site.git)?;
    let Some(config) = checked.config else {
        return Err(config_error(source, &checked.problems));
    };
    let _starting = store::take_lock(&start_lock_folder(world, &site.history), world, "start")?;
    if let Some(report) = find_same_start(world, &site.history.work_tree(), source, &config)? {
        return Ok(report);
    }
    preflight::check_start_site(world, &site, &config)?;
    check_room(world, &site)?;
    let dirty_files = if config.isolation == Isolation::Worktree {
        store::DirtyFiles::default()
    } else {
        preflight::find_dirty_files(&site.git, &config)?
    };
    let ingredients = gather_parts(&site, config)?;
    make_run_folder(world, &ingredients)?;
    let mut pinned = Pinned {
        dirty_files,
        ..Pinned::default()
    };
    match prepare_start(world, &ingredients, &mut pinned) {
        Ok(prepared) => {
            let said = prepared.said.clone();
            let mut report = record_start(world, &ingredients, pinned, prepared, &source.text)?;
            report.stderr = Some(said).filter(|said| !said.is_empty());
            let problems = checked.problems.iter();
            let problems = problems.map(|problem| format_problem(&source.name, problem));
            let remarks = preflight::list_remarks(&ingredients.start_site.git);
            report.warnings.extend(problems.chain(remarks));
            Ok(report)
        }
        Err(failure) => {
            remove_made_parts(world, &ingredients);
            Err(failure)
        }
    }
}

/// The names that nobody has yet, and what is to be made.
fn gather_parts(site: &StartSite, config: Config) -> Result<StartParts<'_>> {
    let layout = choose_name(site, &config);
    let branch = match config.isolation {
        Isolation::InPlace => site.origin.clone(),
        _ => format!("refs/heads/autoresearch/{}", layout.run),
    };
    Ok(StartParts {
        start_site: site,
        layout,
        extent: Cell::new(CreatedFolders::Run),
        branch,
        config,
        id: make_run_id()?,
        made_branch: Cell::new(false),
        made_tree: Cell::new(false),
    })
}

/// The folder of the lock that a start holds: one start at a time in a repository.
#[must_use]
pub fn start_lock_folder(world: &World, history: &History) -> PathBuf {
    let repository = history.common_folder();
    let key =
        autoresearch_core::journal::chain::hash_bytes(repository.as_os_str().as_encoded_bytes());
    world.state_folder.join("starts").join(key)
}

/// The first name that no folder, no branch and no edits that an earlier run put aside have: a reference to these is often
/// their only copy, and would be overwritten.
fn choose_name(site: &StartSite, config: &Config) -> Layout {
    let root = site.history.work_tree();
    let base = config
        .tag
        .clone()
        .unwrap_or_else(|| make_run_name(&config.goal));
    let taken = |layout: &Layout| {
        layout.run_folder().symlink_metadata().is_ok()
            || site
                .history
                .read_reference(&format!("refs/heads/autoresearch/{}", layout.run))
                .is_some()
            || site
                .history
                .list_references(&format!("refs/autoresearch/{}/", layout.run))
                .is_ok_and(|found| !found.is_empty())
    };
    let first = Layout::new(&root, &base);
    if !taken(&first) {
        return first;
    }
    (2..1_000)
        .map(|number| Layout::new(&root, &format!("{base}-{number}")))
        .find(|layout| !taken(layout))
        .unwrap_or(first)
}

/// What was found out about the untouched tree.
struct PreparedStart {
    start: Start,
    unseen: UnseenFiles,
    /// What verify said on its standard error.
    said: String,
}

/// Measures the untouched tree and pins the yardstick.
fn prepare_start(
    world: &World,
    parts: &StartParts<'_>,
    pinned: &mut Pinned,
) -> Result<PreparedStart> {
    let StartParts {
        start_site: site,
        layout,
        config,
        id,
        ..
    } = parts;
    let (sealed, open) = preflight::seal_secrets(world, &config.secrets, id)?;
    let plain: Vec<(OsString, OsString)> = site
        .env
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let program = site.git.program().to_owned();
    let work_tree = if config.isolation == Isolation::Worktree {
        make_work_tree(parts)?
    } else {
        site.history.work_tree()
    };
    let git = Git::new(&program, &work_tree, &plain);
    let protect =
        Globs::new(&config.protect).map_err(|error| Failure::config(error.to_string()))?;
    pinned.git = program;
    pinned.repository = Some(site.history.common_folder());
    pinned.env.clone_from(&site.env);
    pinned.secrets = sealed;
    pinned.lend_identity = site.lend_identity;
    let chosen = yardstick::choose_files(&work_tree, config, &git.list_ignored_folders()?)
        .map_err(|error| Failure::config(error.to_string()))?;
    pinned.yardstick = yardstick::pin_files(&work_tree, &chosen);
    pin_changed_rules(&work_tree, pinned);
    let none = BTreeSet::new();
    let before = user_files::make_notes(
        &work_tree,
        &pinned.dirty_files,
        &none,
        &FileNotes::default(),
    );
    let unseen = unseen_files::find_at_start(&git, config, &pinned.yardstick)?;
    let env: Vec<(OsString, OsString)> = plain.into_iter().chain(open).collect();
    let own = OwnFiles::new(layout, config, &start_lock_folder(world, &site.history))?;
    let baseline = measure_baseline(world, &git, &env, config, &own)
        .map_err(|failure| explain_bare_tree(failure, parts))?;
    let known = git.list_files()?.into_iter().collect();
    yardstick::drop_products(&work_tree, &chosen, &mut pinned.yardstick, &known);
    refuse_touched(&work_tree, &protect, pinned, &before)?;
    pinned.rules = git_rules::pin_rules(&git, &site.history.common_folder())?;
    let said = baseline.said.clone();
    let unseen = unseen_files::find_after_baseline(&git, config, &pinned.yardstick, &unseen)?;
    let config = baseline::convert_to_units(config, &baseline)?;
    Ok(PreparedStart {
        start: make_start_event(world, parts, (config, baseline))?,
        unseen,
        said,
    })
}

/// Verify and guard must leave pinned files alone, and tracked files of the user's.
fn refuse_touched(
    work_tree: &Path,
    protect: &Globs,
    pinned: &Pinned,
    before: &FileNotes,
) -> Result<()> {
    let touched = yardstick::list_changed(work_tree, &pinned.yardstick, protect);
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

/// What the run's separate work tree does not have is told to whom verify failed there.
fn explain_bare_tree(failure: Failure, parts: &StartParts<'_>) -> Failure {
    if parts.config.isolation != Isolation::Worktree {
        return failure;
    }
    let entries = parts
        .start_site
        .git
        .read_status_with_ignored()
        .unwrap_or_default();
    let ignored: Vec<String> = entries
        .iter()
        .filter(|entry| entry.kind == StatusKind::Ignored)
        .map(|entry| escape_text(&String::from_utf8_lossy(&entry.path)))
        .filter(|path| !path.starts_with(store::FOLDER))
        .collect();
    if ignored.is_empty() {
        return failure;
    }
    let lacks = format!(
        "the run's own work tree has tracked files only, so it lacks what git ignores here ({}): let verify make that first, or use `isolation: branch`",
        shorten_names(&ignored, ignored.len(), 80)
    );
    failure.also_hint(&lacks)
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
        worktree: (config.isolation == Isolation::Worktree)
            .then(|| format!("{}/{}/worktree", store::FOLDER, layout.run)),
        measurement: baseline.measurement,
        reading: Some(baseline.reading),
        samples: baseline.samples,
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
        config,
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
        .map(|run| make_start_report(&run, left_alone, pinned_files))
        .map_err(|failure| {
            let run = &parts.layout.run;
            failure.hint(format!("the run `{run}` is recorded: fix what failed, then run `autoresearch resume` to complete its start"))
        })
}

/// Makes a recorded run ready for its first trial.
fn make_ready<'w>(world: &'w World, store: RunStore<'w>) -> Result<Run<'w>> {
    let mut run = Run::from_store(world, store)?;
    set_up_branch(&mut run)?;
    user_files::update_notes(&run.tree, &run.store.state.left_files, &[])?;
    run.store.write_views()?;
    session::claim_run(&run);
    Ok(run)
}

/// Makes the run's branch and work tree, each noted as made as soon as it is. git must take the work tree for one.
fn make_work_tree(parts: &StartParts<'_>) -> Result<PathBuf> {
    let (git, path) = (&parts.start_site.git, parts.layout.worktree_path());
    git.create_branch(&parts.branch, &parts.start_site.base)?;
    parts.made_branch.set(true);
    git.add_work_tree(&path, &parts.branch)?;
    parts.made_tree.set(true);
    let inside = git.at_folder(&path);
    let seen = History::open_with_git(&inside)?;
    work_tree_check::check_root(&inside, &path, &seen.git_folder())?;
    Ok(path)
}

/// Takes away what a refused start had made, and nothing else. A branch that verify committed to stays: it holds the only
/// copy of that.
fn remove_made_parts(world: &World, parts: &StartParts<'_>) {
    let git = &parts.start_site.git;
    if parts.made_tree.get() {
        let _ = git.discard_work_tree(&parts.layout.worktree_path());
    }
    if parts.made_branch.get() {
        let _ = git.delete_branch(&parts.branch, &parts.start_site.base);
    }
    parts.layout.remove_folders(parts.extent.get());
    // Without an anchor nothing outside the repository belongs to a run.
    let anchor_folder = store::anchor_folder(&world.state_folder, &parts.id);
    if !anchor_folder.join("anchor.json").exists() {
        let below = Path::new("runs").join(&parts.id);
        let _ = store::removal::remove_folder_below(&world.state_folder, &below);
    }
}

/// 128 random bits in hex.
fn make_run_id() -> Result<String> {
    let mut bytes = [0_u8; 16];
    let read = std::fs::File::open("/dev/urandom")
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut bytes));
    read.map_err(|error| Failure::io("could not read /dev/urandom", &error))?;
    Ok(autoresearch_core::journal::chain::hash_bytes(&bytes)
        .chars()
        .take(32)
        .collect())
}

fn make_start_report(run: &Run<'_>, left_alone: usize, pinned: Vec<String>) -> StartReport {
    let state = &run.store.state;
    let (start, config) = (&state.start, state.config());
    let time = config
        .time_limit
        .map(|limit| format!(", {}", span::format_span(limit.span)))
        .unwrap_or_default();
    StartReport {
        run: start.run.clone(),
        folder: run.world.path_from_here(&run.store.layout.run_folder()),
        goal: config.goal.clone(),
        scope: config.scope.clone(),
        pinned,
        metric: config.metric.name.clone(),
        direction: config.metric.direction.as_str(),
        target: config.metric.target_number(),
        baseline: start.measurement.value.clone(),
        samples: start.samples.clone(),
        deterministic: state.noise.is_deterministic(),
        spread: state.noise.run_spread(),
        guard: start.guard.as_str(),
        branch: start.branch.trim_start_matches("refs/heads/").to_owned(),
        work_tree: run.tree.path().to_owned(),
        left_alone,
        stderr: None,
        limits: match config.iterations {
            Some(most) => format!("{most} iterations{time}"),
            None => format!("no limit of trials{time}"),
        },
        warnings: warn_of_flaky_guard(start.guard_retries)
            .into_iter()
            .collect(),
        next: run.next_step(),
    }
}

/// Is there room where a run writes?
fn check_room(world: &World, site: &StartSite) -> Result<()> {
    let (root, common) = (site.history.work_tree(), site.history.common_folder());
    check_free_space(&[&root, &common, &world.state_folder])
}

/// A guard that failed on the untouched tree before it passed.
fn warn_of_flaky_guard(retries: u32) -> Option<String> {
    (retries > 0).then(|| {
        format!("warning: the guard failed {} before it passed on the untouched tree: its result does not depend only on the code", format_count(retries, "time"))
    })
}

impl fmt::Display for StartReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for warning in &self.warnings {
            writeln!(out, "{warning}")?;
        }
        let target = self
            .target
            .as_ref()
            .map(|target| format!(", target {target}"))
            .unwrap_or_default();
        writeln!(out, "run `{}` started: {}", self.run, self.goal)?;
        writeln!(
            out,
            "  metric    {} = {} ({} is better{target})",
            self.metric, self.baseline, self.direction
        )?;
        if self.deterministic {
            writeln!(
                out,
                "  noise     none: {} equal runs, so one run decides a trial",
                self.samples.len()
            )?;
        } else {
            writeln!(
                out,
                "  noise     spread {:.3} over {} runs: a keep needs fresh runs as evidence",
                self.spread,
                self.samples.len()
            )?;
        }
        self.write_details(out)
    }
}

impl StartReport {
    fn write_details(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(said) = &self.stderr {
            writeln!(out, "  stderr    of verify, although it succeeded:")?;
            for line in said.lines() {
                writeln!(out, "            | {line}")?;
            }
        }
        writeln!(
            out,
            "  guard     {}",
            if self.guard == "-" {
                "none"
            } else {
                self.guard
            }
        )?;
        writeln!(out, "  scope     {}", clip_text(&self.scope.join(" "), 160))?;
        writeln!(
            out,
            "  pinned    {}{}; a trial that changes one is void",
            format_count(self.pinned.len(), "file"),
            if self.pinned.is_empty() {
                String::new()
            } else {
                format!(": {}", shorten_names(&self.pinned, self.pinned.len(), 80))
            }
        )?;
        if self.left_alone > 0 {
            writeln!(
                out,
                "  yours     {} outside the scope: left alone, never committed",
                format_count(self.left_alone, "changed file")
            )?;
        }
        writeln!(
            out,
            "  branch    {} in {}",
            self.branch,
            self.work_tree.display()
        )?;
        writeln!(out, "  limits    {}", self.limits)?;
        writeln!(out, "  log       {}/research-results.tsv", self.folder)?;
        write!(out, "{}", self.next)
    }
}
