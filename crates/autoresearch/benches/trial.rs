//! Owns the benchmark of a trial: what the tool itself costs, in turns with a floor that does only what must be done.
//! Does not test; wrong answers of the tool only stop it.
//! Invariant: every figure is a median over turns of tool and floor in one run, on the same disk, in twin repositories.
//!
//! `cargo bench -p autoresearch --bench trial` takes minutes; with `-- --quick` it takes seconds, at small sizes. With
//! `-- --files` it prints the own cost of a trial by the number of files alone.

#![expect(
    clippy::disallowed_methods,
    reason = "the benchmark starts the floor's shell, git, and itself as the tool's process"
)]
#![expect(clippy::print_stdout, reason = "the tables are what it is for")]

#[path = "trial/bed.rs"]
mod bed;
#[path = "trial/figures.rs"]
mod figures;
#[path = "trial/floor.rs"]
mod floor;
#[path = "trial/ground.rs"]
mod ground;
#[path = "trial/journal.rs"]
mod journal;

use std::path::Path;
use std::process::ExitCode;

use autoresearch::run::resume;
use autoresearch_core::journal::chain::hash_bytes;
use autoresearch_sys::env::{Stopwatch, temporary_folder};
use autoresearch_sys::process::{RUNNER, runner_main};
use autoresearch_sys::store::{Access, RunStore};

use self::bed::{Bed, Kind, TRIAL, Turn};
use self::figures::Samples;
use self::ground::{Stop, exit, place, world};

/// How large and how often.
struct Plan {
    /// Rows of log, with the budget for the own cost in milliseconds.
    rows: [(u32, Option<f64>); 3],
    /// Turns of each kind of trial at each number of rows.
    turns: usize,
    /// Files in a repository, the fewest first.
    files: &'static [u32],
    /// Turns of each kind of trial at each number of files.
    file_turns: usize,
    /// Turns of fold and resume.
    folds: usize,
}

const FULL: Plan = Plan {
    rows: [(10, Some(15.0)), (1_000, None), (100_000, Some(25.0))],
    turns: 25,
    files: &[20, 5_000, 100_000],
    file_turns: 7,
    folds: 7,
};

/// The budgets hold at every size, so they are looked at in the quick run too.
const QUICK: Plan = Plan {
    rows: [(10, Some(15.0)), (200, None), (2_000, Some(25.0))],
    turns: 4,
    files: &[20, 2_000],
    file_turns: 2,
    folds: 2,
};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [word, spec] if *word == RUNNER => return ExitCode::from(runner_main(spec)),
        [word, state, root, message] if *word == TRIAL => {
            bed::process(Path::new(state), Path::new(root), message)
        }
        flags => {
            let plan = if flags.contains(&"--quick") {
                &QUICK
            } else {
                &FULL
            };
            run(plan, flags.contains(&"--files"))
        }
    };
    exit(done)
}

fn run(plan: &Plan, only_files: bool) -> Result<(), Stop> {
    let watch = Stopwatch::start();
    let folder = tempfile::Builder::new()
        .prefix("ar-bench-")
        .tempdir_in(temporary_folder())?;
    let at = folder.path().canonicalize()?;
    println!("below {}; medians, in milliseconds", at.display());
    println!();
    if !only_files && let Some(longest) = trials(plan, &at)?.pop() {
        folds(plan, &longest)?;
    }
    compare_sizes(plan, &at)?;
    println!();
    println!("the whole took {:.0} s", watch.elapsed().as_secs_f64());
    Ok(())
}

/// The own cost of a trial, at every number of rows; all sizes take turns.
fn trials(plan: &Plan, at: &Path) -> Result<Vec<Bed>, Stop> {
    let mut beds = Vec::new();
    for (rows, _) in plan.rows {
        let bed = Bed::new(&at.join(format!("rows-{rows}")), 20)?;
        journal::lengthen(&bed, rows)?;
        beds.push(bed);
    }
    let mut turns: Vec<Vec<Turn>> = plan.rows.iter().map(|_| Vec::new()).collect();
    for turn in 0..=plan.turns {
        for (bed, turns) in beds.iter_mut().zip(&mut turns) {
            let both = bed.turns()?;
            // The first turn writes the views of a log that was prepared.
            if turn > 0 {
                turns.extend(both);
            }
        }
    }
    println!(
        "A trial, {} turns each. `own` is trial::run less verify, guard and git; `reported` is what the tool says it is;",
        plan.turns
    );
    println!(
        "`syncs` are the journal's syncs alone, made in one process; `process` is own with the start of a process;"
    );
    println!(
        "`whole` is the tool's process, `floor` a shell script with the same git commands, verify and syncs."
    );
    println!("{}", figures::head("rows"));
    for ((rows, budget), turns) in plan.rows.into_iter().zip(&turns) {
        for kind in [Kind::Discard, Kind::Keep] {
            println!(
                "{}",
                figures::row(&figures::grouped(rows), kind, turns, budget)
            );
        }
    }
    println!();
    Ok(beds)
}

/// The whole check of a long log, against reading and hashing its bytes.
fn folds(plan: &Plan, bed: &Bed) -> Result<(), Stop> {
    let path = bed.layout.journal_path();
    let place = place(&bed.root);
    let [mut fold, mut resumed, mut shell, mut bytes] = [(); 4].map(|()| Samples::default());
    let mut rows = 0;
    for _ in 0..plan.folds {
        fold.time(|| {
            let store = RunStore::open_run(
                &bed.world,
                bed.layout.clone(),
                Access::WriteChecked,
                "benchmark",
            )?;
            rows = store.state.counts.count_iterations() + 1;
            Ok(())
        })?;
        shell.time(|| floor::sha256sum(&path))?;
        resumed.time(|| {
            resume::resume_run(&bed.world, &place)
                .map(drop)
                .map_err(floor::stop)
        })?;
        bytes.time(|| {
            let sum = hash_bytes(&std::fs::read(&path)?);
            (sum.len() == 64).then_some(()).ok_or("no hash".into())
        })?;
    }
    let size = std::fs::metadata(&path)?.len();
    println!(
        "Fold and resume at {} rows ({} kB), {} turns; in times of the shell's floor, and of our own hash.",
        figures::grouped(rows),
        size / 1_000,
        plan.folds
    );
    for (what, samples) in [
        ("sha256sum   the shell's, the file", &shell),
        ("hash        read the file, chain::hash over it", &bytes),
        ("fold        RunStore::open, every line checked", &fold),
        ("resume      resume::run, the whole command", &resumed),
    ] {
        println!(
            "{what:<48} {:>9.1}  {:>6.2}x  {:>6.2}x",
            samples.median(),
            samples.median() / shell.median(),
            samples.median() / bytes.median()
        );
    }
    println!();
    Ok(())
}

/// A bed with so many files, and what was measured in it.
struct FileBed {
    files: u32,
    bed: Bed,
    turns: Vec<Turn>,
    status: Samples,
}

/// So much more a trial may cost us among many files than among few, in milliseconds...
const MORE: f64 = 5.0;
/// ...or, where that is more, in times of a `git status` there.
const SHARE: f64 = 0.15;

/// A trial by the number of files; all sizes take turns.
fn compare_sizes(plan: &Plan, at: &Path) -> Result<(), Stop> {
    let mut beds = Vec::new();
    for files in plan.files {
        beds.push(FileBed {
            files: *files,
            bed: Bed::new(&at.join(format!("files-{files}")), *files)?,
            turns: Vec::new(),
            status: Samples::default(),
        });
    }
    for turn in 0..=plan.file_turns {
        for place in &mut beds {
            let both = place.bed.turns()?;
            if turn > 0 {
                place.turns.extend(both);
                place.status.time(|| place.bed.run_status())?;
            }
        }
    }
    println!(
        "A trial by the number of files, {} turns each. Among more files than the fewest it may cost us {MORE} ms more, or",
        plan.file_turns
    );
    println!("{SHARE} times a `git status` there, whichever is more.");
    println!("{}", figures::head("files"));
    for kind in [Kind::Discard, Kind::Keep] {
        let mut budget = None;
        for place in &beds {
            let most = budget.map(|least: f64| least + MORE.max(SHARE * place.status.median()));
            let files = figures::grouped(place.files);
            println!("{}", figures::row(&files, kind, &place.turns, most));
            budget = budget.or(Some(figures::find_own_cost(kind, &place.turns)));
        }
    }
    for place in &beds {
        let (files, status) = (figures::grouped(place.files), place.status.median());
        println!("{files:>8}  git status {status:.1}");
    }
    Ok(())
}
