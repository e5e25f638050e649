//! Owns the demonstration: a small repository made from embedded files, and a whole run on it.
//! Does not fake anything: the moves are scripted, the commits, measurements and verdicts are real.
//! Invariant: it needs git and a shell, nothing else, and touches nothing but its own folder.

mod script;

use std::fmt;
use std::path::{Path, PathBuf};

use autoresearch_core::git_names::RepoPath;
use autoresearch_core::journal::claim::Claim;
use autoresearch_core::metric::value::Value;
use autoresearch_core::words::text::clip_text;
use include_dir::{Dir, include_dir};
use serde::Serialize;

use self::script::{ScriptMove, list_moves, list_noisy_moves};
use crate::config::ConfigSource;
use crate::finish::claim::ClaimPatience;
use crate::look::{log, status};
use crate::run::Place;
use crate::run::strategy;
use crate::{finish, start, trial};
use autoresearch_sys::embedded::list_embedded_files;
use autoresearch_sys::env::{World, temporary_folder};
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::git::Git;
use autoresearch_sys::regular_files::{NOTE_BYTES, read_text};

/// Who watches the demonstration.
pub(crate) trait DemoAudience {
    /// A person at a terminal, where a line can be rewritten?
    fn is_terminal(&self) -> bool;
    fn show_text(&self, text: &str) -> Result<()>;
}

/// The answer of `demo`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DemoReport {
    /// The repository that was made.
    pub folder: PathBuf,
    pub log: PathBuf,
    pub run: String,
    /// The metric before and after.
    pub baseline: Value,
    pub value: Value,
    pub end: &'static str,
    /// Rows of the log by status.
    pub rows: std::collections::BTreeMap<String, usize>,
    /// The kept commits, oldest first.
    pub kept: Vec<finish::report::KeptTrial>,
    /// The second run, on a metric that comes out differently each time.
    pub noisy: NoisyReport,
}

/// What came of the noisy run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct NoisyReport {
    pub run: String,
    /// The value before and after, as the trials measured it.
    pub baseline: Value,
    pub value: Value,
    /// What was gained, measured afresh.
    pub claim: Option<Claim>,
}

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/demo/files");

/// Makes the repository and runs the loop on it.
pub(crate) fn run_demo(
    world: &World,
    folder: Option<&Path>,
    audience: &dyn DemoAudience,
) -> Result<DemoReport> {
    // The audience sees each row; what is being waited for would only come between.
    let world = &World {
        progress: |_| {},
        // The demonstration's folder is nowhere near the reader.
        reader_at: None,
        ..world.clone()
    };
    let folder = make_folder(world, folder)?;
    make_repository(world, &folder)?;
    let place = Place {
        directory: Some(folder.clone()),
        run: None,
    };
    audience.show_text(&format!("a repository with 47 `any` was made in {}\n\n$ autoresearch start --config autoresearch.yaml\n", folder.display()))?;
    let source = embedded_config("autoresearch.yaml");
    let started = start::start_run(world, &place, &source)?;
    audience.show_text(&format!("{started}\n\n{}\n", log::format_head()))?;
    for next in list_moves() {
        refuse_interrupted(world, &folder)?;
        play_move(world, &place, &folder, &next, audience)?;
    }
    let status = status::read_status(world, &place)?;
    let ended = finish::finish_run(world, &place, ClaimPatience::Whole)?;
    let mut rows = std::collections::BTreeMap::new();
    for row in log::read_log(world, &place, &log::LogFilter::default())?.rows {
        *rows.entry(row.status.to_owned()).or_default() += 1;
    }
    Ok(DemoReport {
        log: folder.join(&started.folder).join("research-results.tsv"),
        folder,
        run: started.run,
        baseline: status.baseline,
        value: status.incumbent,
        end: ended.end,
        rows,
        kept: ended.kept,
        noisy: play_noisy_run(world, &place, audience)?,
    })
}

/// A second run in the same repository: what does nothing is not kept, however lucky its runs are, and what helps is
/// measured afresh at the end.
fn play_noisy_run(
    world: &World,
    place: &Place,
    audience: &dyn DemoAudience,
) -> Result<NoisyReport> {
    audience.show_text("\nand a metric that comes out differently each time:\n\n$ autoresearch start --config noisy.yaml\n")?;
    let started = start::start_run(world, place, &embedded_config("noisy.yaml"))?;
    audience.show_text(&format!("{started}\n\n{}\n", log::format_head()))?;
    let folder = place.search_folder(world);
    for next in list_noisy_moves() {
        refuse_interrupted(world, &folder)?;
        play_move(world, place, &folder, &next, audience)?;
    }
    audience.show_text("\n$ autoresearch finish\n")?;
    let ended = finish::finish_run(world, place, ClaimPatience::Whole)?;
    Ok(NoisyReport {
        run: started.run,
        baseline: ended.baseline,
        value: ended.value,
        claim: ended.claim,
    })
}

fn refuse_interrupted(world: &World, folder: &Path) -> Result<()> {
    if !world.is_interrupted() {
        return Ok(());
    }
    Err(Failure::new(FailureKind::Interrupted, "interrupted")
        .hint(format!("the repository is in {}", folder.display())))
}

fn embedded_config(name: &str) -> ConfigSource {
    ConfigSource {
        path: None,
        name: name.to_owned(),
        text: find_embedded_text(name).to_owned(),
        merged: false,
    }
}

fn find_embedded_text(path: &str) -> &'static str {
    let file = FILES.get_file(path);
    file.and_then(|file| file.contents_utf8())
        .unwrap_or_default()
}

fn make_folder(world: &World, wanted: Option<&Path>) -> Result<PathBuf> {
    let io = |path: &Path, error: &std::io::Error| {
        Failure::io(format!("could not make {}", path.display()), error)
    };
    match wanted {
        None => {
            let made = tempfile::Builder::new()
                .prefix("autoresearch-demo-")
                .tempdir_in(temporary_folder());
            let kept = made
                .map_err(|error| io(&temporary_folder(), &error))?
                .keep();
            kept.canonicalize().map_err(|error| io(&kept, &error))
        }
        Some(path) => {
            let path = world.cwd.join(path);
            std::fs::create_dir_all(&path).map_err(|error| io(&path, &error))?;
            let empty = std::fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_none());
            if !empty {
                return Err(Failure::usage(format!("{} is not empty", path.display()))
                    .hint("name a new folder, or none"));
            }
            path.canonicalize().map_err(|error| io(&path, &error))
        }
    }
}

/// Writes the embedded files and commits them, with an identity of the demonstration's own.
fn make_repository(world: &World, folder: &Path) -> Result<()> {
    let files = list_embedded_files(&FILES);
    for (path, bytes) in &files {
        write_file(folder, path, bytes)?;
    }
    let program = World::find_program(&world.vars, "git").ok_or_else(|| {
        Failure::environment("git was not found on PATH").hint("install git 2.36 or newer")
    })?;
    let kept = ["PATH", "HOME"]
        .into_iter()
        .filter_map(|name| Some((name.into(), world.find_variable(name)?.clone())));
    let mut git = Git::new(&program, folder, &kept.collect::<Vec<_>>()).obeying(world);
    git.take_own_identity();
    git.init_repository()?;
    let paths = files.iter().map(|(path, _)| RepoPath::new(*path));
    let paths: Vec<RepoPath> = paths.collect();
    git.make_first_commit(&paths, "A shop front with too many any")?;
    Ok(())
}

fn write_file(folder: &Path, path: &str, bytes: &[u8]) -> Result<()> {
    let file = folder.join(path);
    let parent = file.parent().unwrap_or(folder);
    let written = std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&file, bytes));
    written.map_err(|error| Failure::io(format!("could not write {}", file.display()), &error))
}

/// Does what the scripted proposer does next, and shows the row that comes of it.
fn play_move(
    world: &World,
    place: &Place,
    folder: &Path,
    next: &ScriptMove,
    audience: &dyn DemoAudience,
) -> Result<()> {
    for edit in &next.edits {
        let path = folder.join(edit.file);
        let before = read_text(&path, NOTE_BYTES).unwrap_or_default();
        match edit.apply_to(&before) {
            Some(after) => write_file(folder, edit.file, after.as_bytes())?,
            None => std::fs::remove_file(&path).map_err(|error| {
                Failure::io(format!("could not remove {}", path.display()), &error)
            })?,
        }
    }
    if audience.is_terminal() && !next.message.is_empty() {
        audience.show_text(&format!("      … {}", clip_text(next.message, 60)))?;
    }
    let remark = match next.kind {
        script::MoveKind::Trial { rework } => {
            let request = trial::TrialRequest {
                message: next.message.to_owned(),
                rework,
                again: false,
                ..trial::TrialRequest::default()
            };
            let ended = trial::run_trial(world, place, &request)?;
            matches!(ended.decided, trial::verdict::Decided::Rework(_)).then(|| {
                format!(
                    "      the guard failed; the trial may be reworked: {}",
                    ended.report.tail.unwrap_or_default()
                )
            })
        }
        script::MoveKind::Drop => trial::drop_changes(world, place).map(|_| None)?,
        script::MoveKind::Strategy(strategy) => {
            strategy::log_strategy(world, place, strategy, next.message).map(|_| None)?
        }
        script::MoveKind::Tidy => return Ok(()),
    };
    let back = if audience.is_terminal() {
        "\r\x1b[2K"
    } else {
        ""
    };
    let shown = match remark {
        Some(remark) => remark,
        None => log::read_log(
            world,
            place,
            &log::LogFilter {
                last: Some(1),
                ..log::LogFilter::default()
            },
        )?
        .rows
        .first()
        .map(|row| log::format_row(row, 150))
        .unwrap_or_default(),
    };
    audience.show_text(&format!("{back}{shown}\n"))
}

impl fmt::Display for DemoReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(claim) = &self.noisy.claim {
            writeln!(out, "claim: {claim}")?;
        }
        writeln!(out)?;
        writeln!(
            out,
            "the first run ended: {}. any_count {} -> {}",
            self.end, self.baseline, self.value
        )?;
        writeln!(
            out,
            "kept on autoresearch/{}, the last commit of each kept trial:",
            self.run
        )?;
        for kept in &self.kept {
            writeln!(out, "  {} {}", kept.commit.short(), kept.subject)?;
        }
        writeln!(out, "the log:  {}", self.log.display())?;
        writeln!(
            out,
            "look:     git -C {} log --oneline --stat autoresearch/{}",
            self.folder.display(),
            self.run
        )?;
        write!(
            out,
            "merge:    git -C {} merge autoresearch/{}",
            self.folder.display(),
            self.run
        )
    }
}
