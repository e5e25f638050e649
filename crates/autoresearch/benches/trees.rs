//! Owns the benchmark of work trees: a new one, one that is lent again, and a view of one, in turns with `git worktree add`.
//! Does not test; a tree that cannot be lent only stops it.
//! Invariant: all of them check out the same commits of the same repository.
//!
//! `cargo bench -p autoresearch --bench trees` takes about a minute; `--files N` makes another repository than one of
//! 20,000 files, `--rounds N` takes other medians than those of 7.

#![expect(
    clippy::disallowed_methods,
    reason = "git is called as a person would call it, beside the program's own way"
)]
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

#[path = "trial/ground.rs"]
#[expect(dead_code, reason = "there is no run here, so it has no place")]
mod ground;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use autoresearch::trees::lending::{LentTree, TreeSource, lend_tree};
use autoresearch::trees::place::TreePlace;
use autoresearch_core::git_names::CommitId;
use autoresearch_sys::env::{Stopwatch, World, temporary_folder};
use autoresearch_sys::error::Failure;
use autoresearch_sys::git::Git;
use autoresearch_sys::process::{
    CommandEnd, CommandLine, Executor, Job, JobConditions, LocalExecutor, RUNNER, TreeView,
    runner_main,
};
use autoresearch_sys::store::{Layout, TreeKind};

use self::ground::{Stop, exit, world};

const ID: &str = "0123456789abcdef0123456789abcdef";
/// How much of `git worktree add` a tree may cost: a new one, and one that is lent again.
const BUDGETS: [f64; 2] = [1.5, 0.3];
/// How many files differ between the two commits.
const CHANGED: usize = 10;
const FILES_IN_A_FOLDER: usize = 100;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [word, spec] = words.as_slice()
        && word == RUNNER
    {
        return ExitCode::from(runner_main(spec));
    }
    exit(run(&words))
}

fn run(words: &[String]) -> Result<(), Stop> {
    let option = |name: &str, default: usize| -> Result<usize, Stop> {
        let at = words.iter().position(|word| word == name);
        let value = at.and_then(|at| words.get(at + 1));
        Ok(value.map_or(Ok(default), |text| text.parse())?)
    };
    let (files, rounds) = (option("--files", 20_000)?, option("--rounds", 7)?);
    let folder = tempfile::Builder::new()
        .prefix("autoresearch-bench-")
        .tempdir_in(temporary_folder())?;
    let base = folder.path().canonicalize()?;
    let ground = TreeGround::make(&base, files)?;
    let mut times: [Vec<f64>; 4] = Default::default();
    for round in 0..rounds {
        for (which, time) in ground.time_round(round)?.into_iter().enumerate() {
            times[which].push(time);
        }
    }
    print_table(files, rounds, times);
    Ok(())
}

fn print_table(files: usize, rounds: usize, times: [Vec<f64>; 4]) {
    let medians = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    println!("{files} files, medians of {rounds} in turns, in milliseconds:");
    let [git, new, again, view] = medians;
    println!("  git worktree add            {git:8.1}");
    for (name, time, budget) in [
        ("a new tree      ", new, BUDGETS[0]),
        ("a tree lent again", again, BUDGETS[1]),
    ] {
        let ratio = time / git;
        let over = if ratio > budget { "  OVER" } else { "" };
        println!("  {name:<26}  {time:8.1}   {ratio:.2} (at most {budget}){over}");
    }
    println!("  opening a view of it        {view:8.1}");
}

/// A repository, and where its trees lie.
struct TreeGround {
    base: PathBuf,
    world: World,
    git: Git,
    place: TreePlace,
    /// Two commits of which each is checked out in turn.
    commits: [CommitId; 2],
}

impl TreeGround {
    fn make(base: &Path, files: usize) -> Result<Self, Stop> {
        let root = base.join("repo");
        for number in 0..files {
            let folder = root.join(format!("src/{}", number / FILES_IN_A_FOLDER));
            if number % FILES_IN_A_FOLDER == 0 {
                std::fs::create_dir_all(&folder)?;
            }
            // About what a source file has.
            std::fs::write(
                folder.join(format!("{number}.txt")),
                format!("line {number}\n").repeat(200),
            )?;
        }
        std::fs::write(root.join(".gitignore"), "build/\n")?;
        std::fs::create_dir(root.join("build"))?;
        let world = world(&base.join("state"));
        let program = World::find_program(&world.vars, "git").ok_or("git was not found")?;
        let path = world.find_variable("PATH").cloned().unwrap_or_default();
        let env = [
            ("PATH".into(), path),
            ("HOME".into(), base.as_os_str().to_owned()),
            ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
        ];
        let mut git = Git::new(&program, &root, &env);
        git.take_own_identity();
        git.init_repository()?;
        let first = commit_all(base, "first")?;
        for number in 0..CHANGED.min(files) {
            let file = root.join(format!("src/{}/{number}.txt", number / FILES_IN_A_FOLDER));
            std::fs::write(file, "changed\n")?;
        }
        let second = commit_all(base, "second")?;
        let layout = Layout::new(&root, "bench");
        let place = TreePlace::choose(&world, &git, None, &layout, ID).map_err(tell)?;
        Ok(Self {
            base: base.to_owned(),
            world,
            git,
            place,
            commits: [first, second],
        })
    }

    /// The times of git's own new tree, of a new one, of one that is lent again at the other commit, and of a view.
    fn time_round(&self, round: usize) -> Result<[f64; 4], Stop> {
        let [first, second] = [&self.commits[round % 2], &self.commits[(round + 1) % 2]];
        let plain = self.base.join("plain");
        let plain = plain.to_str().ok_or("a path is not text")?;
        let git = time(|| {
            call_git(
                &self.base,
                &["worktree", "add", "-q", "--detach", plain, first.as_str()],
            )
            .map(drop)
        })?;
        call_git(&self.base, &["worktree", "remove", "--force", plain])?;
        let new = time(|| self.lend(first).map(drop))?;
        let mut view = f64::NAN;
        let again = {
            let watch = Stopwatch::start();
            let lent = self.lend(second)?;
            let taken = to_millis(watch.elapsed());
            view = self.time_view(lent.path()).unwrap_or(view);
            taken
        };
        self.forget_lent()?;
        Ok([git, new, again, view])
    }

    fn lend(&self, commit: &CommitId) -> Result<LentTree<'_>, Stop> {
        let source = TreeSource {
            git: &self.git,
            place: &self.place,
            kind: TreeKind::Lent,
        };
        lend_tree(&self.world, &source, commit).map_err(tell)
    }

    /// Takes the lent tree away, so that the next one is new.
    fn forget_lent(&self) -> Result<(), Stop> {
        for note in autoresearch_sys::store::TreeNote::list_all(&self.world.state_folder) {
            autoresearch::trees::making::remove_tree(&self.world, &self.git, &note)
                .map_err(tell)?;
        }
        Ok(())
    }

    /// What a command that does nothing takes longer in a view of the tree, with one folder over it.
    fn time_view(&self, tree: &Path) -> Option<f64> {
        let view = TreeView {
            tree: tree.to_owned(),
            checkout: self.git.work_tree().to_owned(),
            folders: vec!["build".into()],
            writes: self.base.join("view"),
        };
        let run = |view: Option<TreeView>| {
            let job = Job {
                command: CommandLine::Shell(":".to_owned()),
                directory: tree.to_owned(),
                timeout_ms: 60_000,
                input: None,
                own_temporary: false,
                view,
                confinement: None,
                conditions: JobConditions::default(),
            };
            let watch = Stopwatch::start();
            let (ended, _) = LocalExecutor::new(&self.world, &[]).run_job(&job).ok()?;
            (ended.how == CommandEnd::Exited(0)).then(|| to_millis(watch.elapsed()))
        };
        let plain = run(None)?;
        Some((run(Some(view))? - plain).max(0.0))
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is the end of a `map_err`"
)]
fn tell(failure: Failure) -> Stop {
    failure.to_string().into()
}

fn time(act: impl FnOnce() -> Result<(), Stop>) -> Result<f64, Stop> {
    let watch = Stopwatch::start();
    act()?;
    Ok(to_millis(watch.elapsed()))
}

fn to_millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn commit_all(base: &Path, message: &str) -> Result<CommitId, Stop> {
    call_git(base, &["add", "-A"])?;
    call_git(
        base,
        &[
            "-c",
            "user.name=b",
            "-c",
            "user.email=b@example.org",
            "commit",
            "-qm",
            message,
        ],
    )?;
    let head = call_git(base, &["rev-parse", "HEAD"])?;
    CommitId::parse(head.trim()).ok_or_else(|| "git named no commit".into())
}

fn call_git(base: &Path, arguments: &[&str]) -> Result<String, Stop> {
    let done = Command::new("git")
        .args(arguments)
        .current_dir(base.join("repo"))
        .env("HOME", base)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()?;
    if done.status.success() {
        Ok(String::from_utf8(done.stdout)?)
    } else {
        Err(String::from_utf8_lossy(&done.stderr).into())
    }
}
