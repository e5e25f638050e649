//! Owns the running of the user's commands: a deadline that holds, output to files, and no process left behind.
//! Does not judge what a command printed.
//! Invariant: when a job has ended, every process that it started has ended, and no other.
//!
//! A command runs under a small runner, this same program, in a new session. The runner adopts whatever the
//! command leaves behind (Linux: child subreaper) and ends it. The runner's standard input is a socket to us: when we
//! die, however we die, it closes and the runner ends the command; the runner's report comes back through it. What the
//! command prints goes to files without a name, so that nobody else can write into them.
//!
//! Each job has its own runner, so several can run at once in one process. Where a runner is killed, what it looked
//! after becomes a child of ours; `local` ends exactly these (`descendants` says how they are told from the rest).

mod busy_cores;
mod confinement;
mod descendants;
mod detached;
mod executor;
mod file_answers;
mod file_query;
mod job;
mod local;
#[cfg(target_os = "linux")]
mod namespaces;
mod readiness;
mod runner;
mod sandbox;
mod temporary;
mod view;

pub use self::confinement::Confinement;
pub use self::descendants::end_marked_processes;
pub use self::detached::spawn_detached;
pub use self::executor::Executor;
pub use self::file_query::{FileAnswer, FileQuery, FileSearch};
pub use self::job::{
    CommandEnd, CommandLine, CommandOutput, EndedCommand, ExecError, GRACE, Job, JobConditions,
    MAX_OUTPUT, RUNNER, ResourceUse,
};
pub use self::local::LocalExecutor;
pub(crate) use self::readiness::wait_for_exit;
pub use self::runner::main as runner_main;
pub use self::view::TreeView;

#[cfg(test)]
mod tests;
