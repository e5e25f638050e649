//! Owns the git binary: how it is called, what it may see, and what its failure means.
//! Does not know a single git command by its purpose.
//! Invariant: nothing of git's own environment comes from the caller, and a git that did not get its lock has done nothing.

mod waiting;

use std::cell::{Cell, OnceCell};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::ops::ControlFlow;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::rc::Rc;
use std::time::Duration;

use autoresearch_core::git_names::RepoPath;

use self::waiting::GitPatience;
use super::error::GitError;
use super::index_file::{IndexCache, IndexSnapshot};
use super::locks::{self, LockPatience, Traces, WorkNote};
use super::messages::{LockRefusal, read_lock_refusal, read_signal};
use crate::env::{Stopwatch, World};
use crate::polling::{PollLimit, poll_until};

/// What changed is told by the files, not by a program that the repository's config names.
const TOLD_BY_FILES: [&str; 4] = [
    "core.fsmonitor=false",
    "core.checkStat=default",
    "core.trustctime=true",
    "core.ignoreStat=false",
];

/// How an index of ours is written: whole, into one file, with an entry for each path. No git reads the hash of its bytes,
/// which is a third of the time of writing it.
const OWN_INDEX: [&str; 4] = [
    "core.splitIndex=false",
    "core.untrackedCache=false",
    "index.sparse=false",
    "index.skipHash=true",
];

/// The status of a git that gives up.
const DIED: i32 = 128;

/// The git binary, at work in one work tree.
pub struct Git {
    program: PathBuf,
    work_tree: PathBuf,
    pub(super) env: Vec<(OsString, OsString)>,
    /// The index that it works with; the work tree's own otherwise.
    index: Option<PathBuf>,
    /// The index files that were read last.
    read_indexes: IndexCache,
    note: Option<(PathBuf, Traces)>,
    patience: GitPatience,
    spent: Rc<Cell<Duration>>,
    tells_case: OnceCell<bool>,
}

impl Git {
    /// A git at work in a work tree, with exactly these variables.
    #[must_use]
    pub fn new(program: &Path, work_tree: &Path, env: &[(OsString, OsString)]) -> Self {
        let mut env = env.to_vec();
        // Nothing of git's own environment comes from the caller, nothing may ask, and messages are in one language.
        for (name, value) in [
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_EDITOR", "true"),
            ("LC_ALL", "C"),
            ("GIT_ADVICE", "0"),
            ("GIT_LITERAL_PATHSPECS", "1"),
            // What a reference in refs/replace stands for is not what a commit holds.
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            // Nor are the parents those of `info/grafts`: this is a file that cannot be.
            ("GIT_GRAFT_FILE", "/dev/null/grafts"),
        ] {
            env.retain(|(known, _)| known != name);
            env.push((name.into(), value.into()));
        }
        Self {
            program: program.to_owned(),
            work_tree: work_tree.to_owned(),
            env,
            index: None,
            read_indexes: IndexCache::default(),
            note: None,
            patience: GitPatience::default(),
            spent: Rc::default(),
            tells_case: OnceCell::new(),
        }
    }

    /// The same git, which does not outlast a process that is asked to end.
    #[must_use]
    pub fn obeying(mut self, world: &World) -> Self {
        self.patience.interruption = world.interruption();
        self
    }

    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The same git with the same variables, at work in another folder.
    #[must_use]
    pub fn at_folder(&self, folder: &Path) -> Self {
        Self {
            program: self.program.clone(),
            work_tree: folder.to_owned(),
            env: self.env.clone(),
            index: None,
            read_indexes: IndexCache::default(),
            note: None,
            patience: self.patience.clone(),
            spent: Rc::default(),
            tells_case: OnceCell::new(),
        }
    }

    /// The same git in the same work tree with another index, an absolute path. Its time counts as this one's.
    pub(super) fn with_index(&self, index: &Path) -> Self {
        Self {
            index: Some(index.to_owned()),
            read_indexes: self.read_indexes.clone(),
            note: self.note.clone(),
            spent: Rc::clone(&self.spent),
            ..self.at_folder(&self.work_tree)
        }
    }

    /// What an index file holds; `None` where there is none that can be read.
    pub(super) fn read_index(&self, path: &Path, is_sha256: bool) -> Option<Rc<IndexSnapshot>> {
        self.read_indexes.read_file(path, is_sha256)
    }

    /// The file of the index that it works with.
    pub(super) fn index_file(&self) -> Result<PathBuf, GitError> {
        let words = ["rev-parse", "--path-format=absolute", "--git-path", "index"];
        match &self.index {
            Some(index) => Ok(index.clone()),
            None => self.run_for_text(&words).map(PathBuf::from),
        }
    }

    /// Does the disk below the root of the work tree tell upper from lower case?
    #[must_use]
    pub fn tells_case(&self) -> bool {
        *self.tells_case.get_or_init(|| {
            let here = |name: &str| self.work_tree.join(name).symlink_metadata().is_ok();
            here(".git") && !here(".GIT")
        })
    }

    /// A setting of a yes or no, as the user has it.
    #[must_use]
    pub fn is_setting_on(&self, key: &str) -> bool {
        let files = ["config", "--type=bool", "--show-scope", "--get-all", key];
        let answer = self.run_for_text(&files).unwrap_or_default();
        // What this program itself adds is not the user's.
        let mut users = answer
            .lines()
            .filter(|line| !line.starts_with("command\t") || key != "core.ignoreCase");
        users
            .next_back()
            .is_some_and(|line| line.ends_with("\ttrue"))
    }

    #[must_use]
    pub fn work_tree(&self) -> &Path {
        &self.work_tree
    }

    /// From now on a file tells, as long as a git is at work, that it is: the next command finds it when we die. A git
    /// that is killed alone leaves none of these traces.
    pub fn leave_notes(&mut self, note: &Path, traces: Traces) {
        self.note = Some((note.to_owned(), traces));
    }

    /// The time spent in git commands so far.
    #[must_use]
    pub fn time_spent(&self) -> Duration {
        self.spent.get()
    }

    /// The version, as `(2, 47)` and as text.
    pub fn read_version(&self) -> Result<((u32, u32), String), GitError> {
        let answer = self.run_for_text(&["--version"])?;
        let numbers = answer.split(' ').nth(2).unwrap_or_default().to_owned();
        let mut parts = numbers.split('.').map_while(|part| part.parse().ok());
        match (parts.next(), parts.next()) {
            (Some(major), Some(minor)) => Ok(((major, minor), numbers)),
            _ => Err(GitError::Unexpected {
                arguments: "--version".into(),
                answer,
            }),
        }
    }

    /// Runs a hook of the repository, if it has it.
    pub(super) fn run_hook(
        &self,
        hook: &'static str,
        arguments: &[&OsStr],
        env: &[(&str, &OsStr)],
    ) -> Result<(), GitError> {
        let all = ["hook", "run", "--ignore-missing", hook, "--"].map(OsStr::new);
        match self.run_with_env(
            all.into_iter().chain(arguments.iter().copied()),
            Input::Nothing,
            env,
        ) {
            Err(GitError::Failed { stderr, .. }) => Err(GitError::Hook {
                hook,
                output: stderr,
            }),
            other => other.map(drop),
        }
    }

    /// Runs git and returns what it printed, trimmed.
    pub(super) fn run_for_text(&self, arguments: &[&str]) -> Result<String, GitError> {
        let output = self.run_git(arguments.iter().map(OsStr::new), Input::Nothing)?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    pub(super) fn run_git<'a>(
        &self,
        arguments: impl IntoIterator<Item = &'a OsStr>,
        input: Input<'_>,
    ) -> Result<Output, GitError> {
        self.run_with_env(arguments, input, &[])
    }

    pub(super) fn run_with_env<'a>(
        &self,
        arguments: impl IntoIterator<Item = &'a OsStr>,
        input: Input<'_>,
        env: &[(&str, &OsStr)],
    ) -> Result<Output, GitError> {
        let arguments: Vec<&OsStr> = arguments.into_iter().collect();
        let watch = Stopwatch::start();
        let mut patience = LockPatience::begin_wait();
        let answer = poll_until(PollLimit::Endless, locks::LOOK, || {
            match self.try_git(&arguments, input, env) {
                // A git that does not get its lock has done nothing yet: it is asked again.
                Err(GitError::Locked { lock }) if patience.is_worth_waiting(&lock) => {
                    ControlFlow::Continue(Err(GitError::Locked { lock }))
                }
                answer => ControlFlow::Break(answer),
            }
        });
        self.spent.set(self.spent.get() + watch.elapsed());
        answer
    }

    fn try_git(
        &self,
        arguments: &[&OsStr],
        input: Input<'_>,
        env: &[(&str, &OsStr)],
    ) -> Result<Output, GitError> {
        let output = self.spawn_git(arguments, input, env)?;
        if output.status.success() {
            Ok(output)
        } else {
            Err(self.explain_failure(arguments, &output))
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the home of spawning git"
    )]
    fn spawn_git(
        &self,
        arguments: &[&OsStr],
        input: Input<'_>,
        env: &[(&str, &OsStr)],
    ) -> Result<Output, GitError> {
        let asked = arguments.first() == Some(&OsStr::new("hook"));
        let index = self.index.iter().flat_map(|index| {
            [
                ("GIT_INDEX_FILE", index.as_os_str()),
                ("GIT_INDEX_VERSION", OsStr::new("2")),
            ]
        });
        let start_error = |source| GitError::Start {
            program: self.program.clone(),
            source,
        };
        // Files, not pipes: a process that a filter or a hook leaves behind would hold a pipe open, and keep us waiting.
        let (stdout, stderr) = (make_scratch_file()?, make_scratch_file()?);
        let to = |file: &File| file.try_clone().map_err(start_error);
        let note = self.note.as_ref().filter(|_| !asked);
        let at_work = note.map(|(note, traces)| (WorkNote::write_locked(note), traces));
        let mut child = Command::new(&self.program)
            .arg("-C")
            .arg(&self.work_tree)
            .args(self.list_fixed_settings(asked))
            .args(arguments)
            .env_clear()
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .envs(index)
            .envs(env.iter().copied())
            .stdin(make_stdin(input)?)
            .stdout(to(&stdout)?)
            .stderr(to(&stderr)?)
            // Ctrl-C on the terminal reaches us alone: git finishes what it began.
            .process_group(0)
            .spawn()
            .map_err(start_error)?;
        let (status, stopped) = self
            .patience
            .wait_for_git(&mut child)
            .map_err(start_error)?;
        let output = Output {
            status,
            stdout: read_written(stdout).map_err(start_error)?,
            stderr: read_written(stderr).map_err(start_error)?,
        };
        if let Some((at_work, traces)) = at_work.filter(|_| self.may_leave_locks(&output)) {
            at_work.clear_locks(traces);
        }
        match stopped {
            Some(cause) if !output.status.success() => Err(GitError::Stopped {
                arguments: describe_arguments(arguments),
                cause,
            }),
            _ => Ok(output),
        }
    }

    /// Was this git killed, or perhaps one that it had started (it then dies itself)? One that met a lock has left none.
    fn may_leave_locks(&self, output: &Output) -> bool {
        let has_died = output.status.code() == Some(DIED) || read_signal(output.status).is_some();
        let said = String::from_utf8_lossy(&output.stderr);
        has_died && read_lock_refusal(&said, &self.work_tree).is_none()
    }

    /// The settings by which git works here, whatever the user has; `asked` is the call of a hook by its name.
    fn list_fixed_settings(&self, asked: bool) -> impl Iterator<Item = &'static str> {
        // A setting that came with a clone from another system would hide files that differ in case alone.
        let case = self.tells_case().then_some("core.ignoreCase=false");
        // A setting of the user's must not have git write parts of our index into the repository.
        let alone = self.index.is_some().then_some(OWN_INDEX);
        // The repository's hooks run only where they are asked for, and may leave processes behind.
        let hooks = (!asked).then_some("core.hooksPath=/dev/null");
        let settings = TOLD_BY_FILES.into_iter().chain(case);
        let settings = settings.chain(alone.into_iter().flatten()).chain(hooks);
        settings.flat_map(|setting| ["-c", setting])
    }

    fn explain_failure(&self, arguments: &[&OsStr], output: &Output) -> GitError {
        let said = String::from_utf8_lossy(&output.stderr);
        let stderr: String = said.trim().chars().take(600).collect();
        let arguments = describe_arguments(arguments);
        if let Some(signal) = read_signal(output.status) {
            return GitError::Killed { arguments, signal };
        }
        match read_lock_refusal(&said, &self.work_tree) {
            Some(LockRefusal::Held(lock)) => GitError::Locked { lock },
            Some(LockRefusal::Denied(lock)) if lock.parent().is_some_and(is_read_only) => {
                GitError::ReadOnly { stderr }
            }
            Some(LockRefusal::Denied(lock)) => GitError::NoLock { lock, stderr },
            None => GitError::Failed {
                arguments,
                work_tree: self.work_tree.clone(),
                stderr,
            },
        }
    }
}

fn describe_arguments(arguments: &[&OsStr]) -> String {
    let shown: Vec<_> = arguments
        .iter()
        .map(|argument| argument.to_string_lossy())
        .collect();
    shown.join(" ")
}

/// What git reads. A file, not a pipe: one who does not read would keep us waiting.
fn make_stdin(input: Input<'_>) -> Result<Stdio, GitError> {
    let Input::Bytes(bytes) = input else {
        return Ok(Stdio::null());
    };
    let mut file = make_scratch_file()?;
    let written = file.write_all(bytes).and_then(|()| file.rewind());
    written.map_err(|source| GitError::NoScratch { source })?;
    Ok(file.into())
}

/// A file without a name. Where no folder can be written, as in a read-only sandbox, it is one in memory: a look at a run
/// must work there too.
fn make_scratch_file() -> Result<File, GitError> {
    let made = tempfile::tempfile();
    #[cfg(target_os = "linux")]
    let made = made.or_else(|error| {
        let flags = rustix::fs::MemfdFlags::CLOEXEC;
        let memory = rustix::fs::memfd_create("autoresearch-git", flags);
        memory.map(File::from).map_err(|_| error)
    });
    made.map_err(|source| GitError::NoScratch { source })
}

/// What was written to a file, from its beginning.
fn read_written(mut file: File) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn join_nul<P: AsRef<[u8]>>(paths: &[P]) -> Vec<u8> {
    paths
        .iter()
        .flat_map(|path| path.as_ref().iter().copied().chain([0]))
        .collect()
}

pub(super) fn split_nul(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    bytes
        .split(|byte| *byte == 0)
        .filter(|path| !path.is_empty())
        .map(<[u8]>::to_vec)
}

/// The paths in an answer of git's, each with a NUL behind it.
pub(super) fn split_paths(bytes: &[u8]) -> impl Iterator<Item = RepoPath> {
    split_nul(bytes).map(RepoPath::new)
}

/// Standard input of a git command.
#[derive(Clone, Copy)]
pub(super) enum Input<'a> {
    Nothing,
    Bytes(&'a [u8]),
}

/// Can nothing be written in a folder, because of its rights or because it is mounted read-only?
#[must_use]
pub fn is_read_only(folder: &Path) -> bool {
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_err()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn explain(status: i32, stderr: &str) -> GitError {
        let git = Git::new(Path::new("git"), Path::new("/absent/repo"), &[]);
        let output = Output {
            status: ExitStatus::from_raw(status),
            stdout: b"what was printed does not count".to_vec(),
            stderr: stderr.as_bytes().to_vec(),
        };
        git.explain_failure(&["write-tree", "a b"].map(OsStr::new), &output)
    }

    #[test]
    fn a_failure_is_told_by_its_status_and_by_the_last_words_of_git() {
        let lock = "fatal: Unable to create '/absent/repo/.git/index.lock': ";
        let told = [
            (1 << 8, "error: no\n".to_owned()),
            (
                128 << 8,
                format!("{lock}File exists.\n\nAnother git process seems to be running"),
            ),
            (128 << 8, format!("{lock}No space left on device")),
            (9, String::new()),
            (143 << 8, "fatal: the wrapper passed it on".to_owned()),
            (129 << 8, "usage: git write-tree".to_owned()),
        ];
        let told = told.map(|(status, stderr)| explain(status, &stderr).to_string());
        insta::assert_snapshot!(told.join("\n"), @"
        `git write-tree a b` failed in /absent/repo: error: no
        the repository is locked by /absent/repo/.git/index.lock
        git cannot write to its folder: fatal: Unable to create '/absent/repo/.git/index.lock': No space left on device
        `git write-tree a b` was killed by signal 9
        `git write-tree a b` was killed by signal 15
        `git write-tree a b` failed in /absent/repo: usage: git write-tree
        ");
        let GitError::Failed { stderr, .. } = explain(1 << 8, &"é".repeat(900)) else {
            panic!("it failed")
        };
        assert_eq!(stderr, "é".repeat(600), "cut between two letters");
    }

    #[test]
    fn git_gets_the_given_variables_but_for_those_that_are_its_own() {
        let given = [
            ("HOME", "/h"),
            ("LC_ALL", "de_DE"),
            ("GIT_EDITOR", "vi"),
            ("A", "1"),
        ];
        let given = given.map(|(name, value)| (name.into(), value.into()));
        let git = Git::new(Path::new("git"), Path::new("/r"), &given);
        let mut told: Vec<_> = git
            .env
            .iter()
            .map(|(name, value)| format!("{}={}", name.display(), value.display()))
            .collect();
        told.sort();
        insta::assert_snapshot!(told.join("\n"), @"
        A=1
        GIT_ADVICE=0
        GIT_EDITOR=true
        GIT_GRAFT_FILE=/dev/null/grafts
        GIT_LITERAL_PATHSPECS=1
        GIT_NO_REPLACE_OBJECTS=1
        GIT_TERMINAL_PROMPT=0
        HOME=/h
        LC_ALL=C
        ");
        assert_eq!(git.at_folder(Path::new("/x")).env, git.env);
    }

    proptest::proptest! {
        #[test]
        fn paths_between_nul_bytes_come_back_in_their_order(
            paths in proptest::collection::vec(proptest::collection::vec(1_u8..=255, 1..9), 0..9),
        ) {
            assert_eq!(split_nul(&join_nul(&paths)).collect::<Vec<_>>(), paths);
        }
    }
}
