//! Owns `Executor`: whatever runs jobs.
//! Does not say where they run.
//! Invariant: when `run_job` returns, everything that the job started has ended, and nothing of another job.

use super::job::{CommandOutput, EndedCommand, ExecError, Job};

/// Runs commands: here, in a test by a script, one day elsewhere. One executor can run several jobs at once.
pub trait Executor: Sync {
    /// Runs a job and waits until all of it has ended.
    fn run_job(&self, job: &Job) -> Result<(EndedCommand, CommandOutput), ExecError>;
    /// Ends the jobs of this executor that run now, with `CommandEnd::Cancelled`; later ones are not started.
    fn cancel_jobs(&self);
}
