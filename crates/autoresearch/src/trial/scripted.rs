//! Owns the scripted executor: for tests, what a command prints and how it ends is written down beforehand.
//! Does not run anything.
//! Invariant: each answer is given once, in its order; a job without an answer is a mistake of the test.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use autoresearch_sys::process::{
    CommandEnd, CommandOutput, EndedCommand, ExecError, Executor, Job,
};

/// One answer: how the command ended, and what it printed to standard output.
pub(crate) type ScriptedAnswer = (CommandEnd, &'static str);

/// Answers jobs from a script, and remembers them.
pub(crate) struct ScriptedExecutor {
    answers: Mutex<VecDeque<ScriptedAnswer>>,
    jobs: Mutex<Vec<Job>>,
    cancelled: AtomicBool,
}

impl ScriptedExecutor {
    pub(crate) fn new(answers: impl IntoIterator<Item = ScriptedAnswer>) -> Self {
        Self {
            answers: Mutex::new(answers.into_iter().collect()),
            jobs: Mutex::default(),
            cancelled: AtomicBool::new(false),
        }
    }

    /// The jobs so far, as they came.
    pub(crate) fn take_jobs(&self) -> Vec<Job> {
        std::mem::take(&mut self.jobs.lock().unwrap())
    }

    /// How many answers nobody asked for.
    pub(crate) fn count_left(&self) -> usize {
        self.answers.lock().unwrap().len()
    }
}

impl Executor for ScriptedExecutor {
    fn run_job(&self, job: &Job) -> Result<(EndedCommand, CommandOutput), ExecError> {
        self.jobs.lock().unwrap().push(job.clone());
        let (how, stdout) = if self.cancelled.load(Ordering::Relaxed) {
            (CommandEnd::Cancelled, "")
        } else {
            let next = self.answers.lock().unwrap().pop_front();
            next.unwrap_or_else(|| panic!("no answer is left for `{}`", job.command))
        };
        let printed = CommandOutput {
            stdout: stdout.into(),
            stderr: Vec::new(),
        };
        Ok((EndedCommand::without_use(how), printed))
    }

    fn cancel_jobs(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}
