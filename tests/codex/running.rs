//! Owns processes of a test: started with a deadline, watched, and found again when they are left behind.
//! Does not know what they run.
//! Invariant: output goes to files, so that a process which outlives its parent cannot hold up the test.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use autoresearch_sys::polling::wait_until;
use rustix::process::{Pid, Signal};

use crate::testbed::Answer;

/// No command of a test takes longer.
pub(crate) const DEADLINE: Duration = Duration::from_mins(3);

/// Between two looks at the processes, so that looking does not slow down what is looked at.
const PAUSE: Duration = Duration::from_millis(5);

/// A command that runs.
pub(crate) struct Running {
    pub pid: Pid,
    pub out: PathBuf,
    pub err: PathBuf,
    /// The bench's folder, which tells the processes of this test from all others.
    root: PathBuf,
    start: Instant,
    end: Receiver<std::io::Result<ExitStatus>>,
}

impl Running {
    /// Starts a command in a process group of its own; its output goes to files below the bench's folder.
    pub(crate) fn start(mut command: Command, root: &Path) -> Self {
        let start = Instant::now();
        let folder = tempfile::Builder::new()
            .prefix("run-")
            .tempdir_in(root)
            .unwrap()
            .keep();
        let (out, err) = (folder.join("out"), folder.join("err"));
        let mut child = command
            .stdin(Stdio::null())
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&err).unwrap())
            .process_group(0)
            .spawn()
            .unwrap();
        let pid = Pid::from_child(&child);
        let (send, end) = mpsc::channel();
        std::thread::spawn(move || send.send(child.wait()));
        Self {
            pid,
            out,
            err,
            root: root.to_owned(),
            start,
            end,
        }
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(self) -> Answer {
        let left = DEADLINE.saturating_sub(self.start.elapsed());
        let Ok(status) = self.end.recv_timeout(left) else {
            kill_all(&self.root);
            panic!(
                "longer than {DEADLINE:?}: {} {}",
                said(&self.out),
                said(&self.err)
            );
        };
        Answer {
            code: status.unwrap().code().unwrap_or(-1),
            out: said(&self.out),
            err: said(&self.err),
        }
    }

    /// Sends it a signal, and nobody else.
    pub(crate) fn signal(&self, signal: Signal) {
        let _ = rustix::process::kill_process(self.pid, signal);
    }
}

fn said(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}

/// The processes that belong to a bench: their variables, command line or folder name its root.
///
/// Everything that Codex starts inherits `HOME`, which lies below the root; also what has left its process group, its
/// session or its PID namespace. A zombie has none of the three, and does not count.
pub(crate) fn left(root: &Path) -> Vec<(Pid, String)> {
    let root = root.to_str().unwrap();
    let own = std::process::id().to_string();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter(|name| *name != own)
        .filter_map(|name| {
            let pid = Pid::from_raw(name.parse().ok()?)?;
            let folder = Path::new("/proc").join(name);
            let read = |file: &str| {
                let bytes = std::fs::read(folder.join(file)).unwrap_or_default();
                String::from_utf8_lossy(&bytes).replace('\0', " ")
            };
            let line = read("cmdline");
            let at = std::fs::read_link(folder.join("cwd")).unwrap_or_default();
            let ours =
                read("environ").contains(root) || line.contains(root) || at.starts_with(root);
            ours.then_some((pid, line))
        })
        .collect()
}

/// Kills the processes of a bench until none is left; says which there were.
pub(crate) fn kill_all(root: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    wait_until(DEADLINE, PAUSE, || {
        let left = left(root);
        for (pid, line) in &left {
            let _ = rustix::process::kill_process(*pid, Signal::KILL);
            if !lines.contains(line) {
                lines.push(line.clone());
            }
        }
        left.is_empty()
    });
    lines
}

/// Waits until something is true; `false` when it did not become true in time.
pub(crate) fn within(time: Duration, holds: impl FnMut() -> bool) -> bool {
    wait_until(time, PAUSE, holds)
}
