//! Two jobs in one process at once: each ends its own processes, and none of the other's. And jobs that see a work tree
//! where the user's checkout is, or run in a sandbox.
//!
//! A program without the test harness: it is its own runner, and what it leaves behind is its own children. It takes the
//! harness's words for names and lists, so that `cargo test NAME` and cargo-nextest find its tests.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![expect(
    clippy::print_stdout,
    reason = "the line of results is what the suite counts"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the test reads its arguments and starts a child of its own"
)]

#[path = "jobs/sandbox.rs"]
mod sandbox;

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use autoresearch_core::agent::outage::OutagePatience;
use autoresearch_sys::env::{Clock, ProcessRole, World};
use autoresearch_sys::polling::wait_until;
use autoresearch_sys::process::{
    CommandEnd, CommandLine, EndedCommand, Executor, Job, JobConditions, LocalExecutor, RUNNER,
    TreeView, runner_main, spawn_detached,
};
use autoresearch_sys::store::removal::remove_folder_below;
use rustix::process::{Pid, RawPid, Signal, kill_process, test_kill_process};

/// Whatever is waited for comes long before this, or never.
const LONG: Duration = Duration::from_mins(2);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [word, spec] = words.as_slice()
        && word == RUNNER
    {
        return ExitCode::from(runner_main(spec));
    }
    let has = |flag: &str| words.iter().any(|word| word == flag);
    let chosen: Vec<&NamedTest> = TESTS
        .iter()
        .chain(&sandbox::TESTS)
        .filter(|(name, _)| !has("--ignored") && is_asked_for(name, &words))
        .collect();
    if has("--list") {
        for (name, _) in chosen {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    // One after the other: each looks at the children of this process.
    for (name, test) in &chosen {
        test(&Bed::new());
        println!("test {name} ... ok");
    }
    println!(
        "test result: ok. {} passed; 0 failed; 0 ignored; 0 measured; {} filtered out",
        chosen.len(),
        TESTS.len() + sandbox::TESTS.len() - chosen.len()
    );
    ExitCode::SUCCESS
}

type NamedTest = (&'static str, fn(&Bed));

const TESTS: [NamedTest; 8] = [
    (
        "a_cancelled_job_leaves_the_processes_of_another_alive",
        a_cancelled_job_leaves_the_processes_of_another_alive,
    ),
    (
        "a_job_whose_runner_is_killed_is_swept_and_the_other_goes_on",
        a_job_whose_runner_is_killed_is_swept_and_the_other_goes_on,
    ),
    (
        "a_sweep_leaves_what_this_process_started_itself",
        a_sweep_leaves_what_this_process_started_itself,
    ),
    (
        "the_busy_cores_of_a_job_are_its_runners_and_go_with_it",
        the_busy_cores_of_a_job_are_its_runners_and_go_with_it,
    ),
    (
        "the_variables_of_a_job_win_over_those_of_the_executor",
        the_variables_of_a_job_win_over_those_of_the_executor,
    ),
    (
        "a_job_sees_the_tree_and_changes_nothing_of_the_checkout",
        a_job_sees_the_tree_and_changes_nothing_of_the_checkout,
    ),
    (
        "what_a_job_wrote_to_a_folder_is_there_for_the_next",
        what_a_job_wrote_to_a_folder_is_there_for_the_next,
    ),
    (
        "a_view_that_cannot_be_opened_is_said_and_nothing_runs",
        a_view_that_cannot_be_opened_is_said_and_nothing_runs,
    ),
];

/// Is a test among those that these words name, as the test harness reads them? Without a name all are meant.
fn is_asked_for(name: &str, words: &[String]) -> bool {
    let exact = words.iter().any(|word| word == "--exact");
    let mut wanted: Vec<&str> = Vec::new();
    let mut left = words.iter();
    while let Some(word) = left.next() {
        match word.as_str() {
            "--format" | "--test-threads" | "--color" | "--skip" | "-Z" => drop(left.next()),
            word if word.starts_with('-') => {}
            word => wanted.push(word),
        }
    }
    let fits = |wanted: &&str| name == *wanted || (!exact && name.contains(*wanted));
    wanted.is_empty() || wanted.iter().any(fits)
}

struct Bed {
    folder: tempfile::TempDir,
    world: World,
    env: Vec<(OsString, OsString)>,
}

impl Bed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = World {
            cwd: folder.path().to_owned(),
            reader_at: None,
            program: std::env::current_exe().unwrap(),
            state_folder: folder.path().to_owned(),
            data_folder: folder.path().to_owned(),
            vars: std::env::vars_os().collect(),
            clock: Clock::System,
            session: None,
            role: ProcessRole::Command,
            load: || None,
            patience: OutagePatience::default(),
            step: |_| {},
            progress: |_| {},
            interrupted: Arc::new(AtomicBool::new(false)),
            dealing: Arc::new(AtomicBool::new(false)),
        };
        let env = world.vars.clone().into_iter().collect();
        Self { folder, world, env }
    }

    /// A job that starts two processes which leave its group and its session, each by way of a parent that ends at once,
    /// writes down the numbers of these two and of its runner, and ends when the file `go-on` appears.
    fn make_job(&self, name: &str) -> Job {
        let hide = |number: u32| {
            format!(
                "(setsid sh -c 'echo $$ > {name}-{number}; exec sleep 100000' >/dev/null 2>&1 &)\n"
            )
        };
        let wait = format!(
            "echo $PPID > {name}-runner; while [ ! -e go-on ]; do sleep 0.02; done; echo {name}\n"
        );
        Job {
            command: CommandLine::Shell(hide(1) + &hide(2) + &wait),
            directory: self.folder.path().to_owned(),
            timeout_ms: 600_000,
            input: None,
            own_temporary: false,
            view: None,
            confinement: None,
            conditions: JobConditions::default(),
        }
    }

    fn read_pid(&self, name: &str) -> Pid {
        let file = self.folder.path().join(name);
        let is_written = || std::fs::read_to_string(&file).is_ok_and(|text| text.ends_with('\n'));
        assert!(
            wait_until(LONG, Duration::from_millis(5), is_written),
            "{name}"
        );
        let text = std::fs::read_to_string(&file).unwrap();
        Pid::from_raw(text.trim().parse::<RawPid>().unwrap()).unwrap()
    }

    /// The hidden processes of a job, once both are there.
    fn read_hidden(&self, name: &str) -> [Pid; 2] {
        [1, 2].map(|number| self.read_pid(&format!("{name}-{number}")))
    }

    fn let_go_on(&self) {
        std::fs::write(self.folder.path().join("go-on"), "").unwrap();
    }
}

fn is_alive(pid: Pid) -> bool {
    test_kill_process(pid).is_ok()
}

fn run(executor: &dyn Executor, job: &Job) -> (EndedCommand, String) {
    let (ended, printed) = executor.run_job(job).unwrap();
    (ended, String::from_utf8(printed.stdout).unwrap())
}

/// The job that is left goes on with all of its processes, and ends with all of them.
fn check_goes_on(bed: &Bed, hidden: [Pid; 2], ended: impl FnOnce() -> (EndedCommand, String)) {
    assert!(hidden.into_iter().all(is_alive));
    bed.let_go_on();
    let (ended, printed) = ended();
    assert_eq!(
        (ended.how, printed.as_str()),
        (CommandEnd::Exited(0), "b\n")
    );
    assert_eq!(ended.swept, 2);
    assert!(!hidden.into_iter().any(is_alive));
}

fn a_cancelled_job_leaves_the_processes_of_another_alive(bed: &Bed) {
    let (first, second) = (
        LocalExecutor::new(&bed.world, &bed.env),
        LocalExecutor::new(&bed.world, &bed.env),
    );
    std::thread::scope(|scope| {
        let a = scope.spawn(|| run(&first, &bed.make_job("a")));
        let b = scope.spawn(|| run(&second, &bed.make_job("b")));
        let (hidden_a, hidden_b) = (bed.read_hidden("a"), bed.read_hidden("b"));
        assert!(hidden_a.into_iter().chain(hidden_b).all(is_alive));
        first.cancel_jobs();
        assert_eq!(a.join().unwrap().0.how, CommandEnd::Cancelled);
        assert!(!hidden_a.into_iter().any(is_alive));
        check_goes_on(bed, hidden_b, || b.join().unwrap());
        let (ended, _) = run(&first, &bed.make_job("late"));
        assert_eq!(ended.how, CommandEnd::Cancelled, "nothing more is started");
        assert!(!bed.folder.path().join("late-runner").exists());
    });
}

fn a_job_whose_runner_is_killed_is_swept_and_the_other_goes_on(bed: &Bed) {
    let executor = LocalExecutor::new(&bed.world, &bed.env);
    std::thread::scope(|scope| {
        let a = scope.spawn(|| run(&executor, &bed.make_job("a")));
        let b = scope.spawn(|| run(&executor, &bed.make_job("b")));
        let (hidden_a, hidden_b) = (bed.read_hidden("a"), bed.read_hidden("b"));
        kill_process(bed.read_pid("a-runner"), Signal::KILL).unwrap();
        let (ended, _) = a.join().unwrap();
        assert_eq!(ended.how, CommandEnd::Signalled(9));
        assert!(ended.swept >= 3, "the command and both that hid: {ended:?}");
        assert!(!hidden_a.into_iter().any(is_alive));
        check_goes_on(bed, hidden_b, || b.join().unwrap());
    });
}

fn a_sweep_leaves_what_this_process_started_itself(bed: &Bed) {
    let executor = LocalExecutor::new(&bed.world, &bed.env);
    let mut own = Command::new("sleep")
        .arg("100000")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let script = format!(
        "echo $$ > {}/detached; exec sleep 100000",
        bed.folder.path().display()
    );
    let words = ["sh", "-c", &script].map(OsString::from);
    let setsid = World::find_program(&bed.world.vars, "setsid").unwrap();
    let mut detached = spawn_detached(&setsid, &words, &bed.world.vars).unwrap();
    let detached_pid = bed.read_pid("detached");
    std::thread::scope(|scope| {
        let a = scope.spawn(|| run(&executor, &bed.make_job("a")));
        let hidden = bed.read_hidden("a");
        kill_process(bed.read_pid("a-runner"), Signal::KILL).unwrap();
        assert_eq!(a.join().unwrap().0.how, CommandEnd::Signalled(9));
        assert!(!hidden.into_iter().any(is_alive));
    });
    assert!(own.try_wait().unwrap().is_none(), "git, or a server");
    assert!(is_alive(detached_pid), "the supervisor of a run");
    for child in [&mut own, &mut detached] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

/// The threads of a process.
fn count_threads(pid: Pid) -> usize {
    let folder = format!("/proc/{}/task", pid.as_raw_nonzero());
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// The processor time of a process itself, without its children, in ticks of the system.
fn read_ticks(pid: Pid) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// They are threads of the runner: there is nothing that could outlive it, and what the command takes is without them.
fn the_busy_cores_of_a_job_are_its_runners_and_go_with_it(bed: &Bed) {
    let cores = std::thread::available_parallelism().unwrap().get();
    let make_job = |name: &str, busy_cores: bool| Job {
        conditions: JobConditions {
            busy_cores,
            ..JobConditions::default()
        },
        ..bed.make_job(name)
    };
    let (executor, second) = (
        LocalExecutor::new(&bed.world, &bed.env),
        LocalExecutor::new(&bed.world, &bed.env),
    );
    // This one waits without working, so whatever is worked meanwhile is beside it.
    let waits = "mkfifo d-go-on; echo $PPID > d-runner; read line < d-go-on";
    let waiting = Job {
        command: CommandLine::Shell(waits.to_owned()),
        ..make_job("d", true)
    };
    let has_worked = |runner: Pid| {
        let goal = read_ticks(runner) + 50;
        wait_until(LONG, Duration::from_millis(5), || read_ticks(runner) > goal)
    };
    std::thread::scope(|scope| {
        let killed = scope.spawn(|| run(&executor, &make_job("a", true)));
        let (runner, _) = (bed.read_pid("a-runner"), bed.read_hidden("a"));
        assert_eq!(count_threads(runner), 1 + cores);
        assert!(has_worked(runner), "the threads keep the cores busy");
        kill_process(runner, Signal::KILL).unwrap();
        assert_eq!(killed.join().unwrap().0.how, CommandEnd::Signalled(9));
        assert!(!is_alive(runner));

        let cancelled = scope.spawn(|| run(&executor, &make_job("b", true)));
        let (runner, _) = (bed.read_pid("b-runner"), bed.read_hidden("b"));
        executor.cancel_jobs();
        assert_eq!(cancelled.join().unwrap().0.how, CommandEnd::Cancelled);
        assert!(!is_alive(runner));

        let quiet = scope.spawn(|| run(&second, &make_job("c", false)));
        let (runner, _) = (bed.read_pid("c-runner"), bed.read_hidden("c"));
        assert_eq!(count_threads(runner), 1);
        bed.let_go_on();
        assert_eq!(quiet.join().unwrap().0.how, CommandEnd::Exited(0));

        let busy = scope.spawn(|| run(&second, &waiting));
        let runner = bed.read_pid("d-runner");
        let before = read_ticks(runner);
        assert!(has_worked(runner));
        let worked = read_ticks(runner) - before;
        std::fs::write(bed.folder.path().join("d-go-on"), "\n").unwrap();
        let (ended, _) = busy.join().unwrap();
        assert_eq!(ended.how, CommandEnd::Exited(0));
        assert!(!is_alive(runner));
        let counted = ended.used.cpu_us / 10_000;
        assert!(counted * 2 < worked, "{counted} of {worked} ticks");
    });
}

fn the_variables_of_a_job_win_over_those_of_the_executor(bed: &Bed) {
    let variables = [("TZ", "UTC0"), ("SEED", "7")];
    let job = Job {
        command: CommandLine::Shell("echo $TZ $SEED $OTHER".to_owned()),
        own_temporary: false,
        conditions: JobConditions {
            variables: variables
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            busy_cores: false,
        },
        ..bed.make_job("a")
    };
    let mut env = bed.env.clone();
    env.extend([("TZ", "CET-1"), ("OTHER", "8")].map(|(name, value)| (name.into(), value.into())));
    let (_, printed) = run(&LocalExecutor::new(&bed.world, &env), &job);
    assert_eq!(printed, "UTC0 7 8\n");
}

/// A checkout with an ignored `build`, a work tree of it outside, and a name that an option of mount would cut.
fn make_view(bed: &Bed) -> TreeView {
    let (checkout, tree) = (
        bed.folder.path().join("check,out:1"),
        bed.folder.path().join("tree"),
    );
    let (c, t) = (checkout.display(), tree.display());
    let script = format!(
        "set -e; git init -q '{c}'; cd '{c}'; echo /build/ > .gitignore; echo 1 > source; git add .
         git -c user.name=n -c user.email=e commit -qm one; mkdir -p build/deep; echo made > build/deep/made; pwd > build/path
         git worktree add -q -b other '{t}'; echo 2 > '{t}/source'"
    );
    assert_eq!(
        run_shell(bed, &script, None),
        (CommandEnd::Exited(0), String::new())
    );
    TreeView {
        tree,
        checkout,
        folders: vec!["build".into()],
        writes: bed.folder.path().join("writes"),
    }
}

fn run_shell(bed: &Bed, script: &str, view: Option<&TreeView>) -> (CommandEnd, String) {
    let job = Job {
        command: CommandLine::Shell(script.to_owned()),
        directory: view
            .map_or(bed.folder.path(), |view| view.tree.as_path())
            .to_owned(),
        timeout_ms: 600_000,
        input: None,
        own_temporary: false,
        view: view.cloned(),
        confinement: None,
        conditions: JobConditions::default(),
    };
    let (ended, printed) = run(&LocalExecutor::new(&bed.world, &bed.env), &job);
    (ended.how, printed)
}

/// Some systems forbid mount namespaces. There, that is what has to be said.
fn is_forbidden(bed: &Bed, view: &TreeView) -> bool {
    let unshare = "unshare --mount true || unshare --user --map-current-user --mount true";
    if run_shell(bed, unshare, None).0 == CommandEnd::Exited(0) {
        return false;
    }
    let (how, _) = run_shell(bed, "true", Some(view));
    assert!(matches!(how, CommandEnd::NotStarted(_)), "{how:?}");
    true
}

fn a_job_sees_the_tree_and_changes_nothing_of_the_checkout(bed: &Bed) {
    let view = make_view(bed);
    if is_forbidden(bed, &view) {
        return;
    }
    let look = "pwd; cat source build/deep/made; git status --short; git rev-parse --show-toplevel --abbrev-ref HEAD
                git log --format=%s; cat build/path";
    let change = "echo changed > build/deep/made; rm build/path; echo new > build/new; echo 3 > source; echo x > left";
    let at = view.checkout.to_str().unwrap().to_owned();
    assert_eq!(
        run_shell(bed, look, Some(&view)),
        (
            CommandEnd::Exited(0),
            format!("{at}\n2\nmade\n M source\n{at}\nother\none\n{at}\n")
        )
    );
    assert_eq!(run_shell(bed, change, Some(&view)).0, CommandEnd::Exited(0));
    let after = format!(
        "cd '{at}'; cat source build/deep/made build/path; ls build; git status --short; cd '{}'; cat source left; ls -A build",
        view.tree.display()
    );
    assert_eq!(
        run_shell(bed, &after, None).1,
        format!("1\nmade\n{at}\ndeep\npath\n3\nx\n"),
        "the checkout is as it was, and the files that git tracks were changed in the tree"
    );
}

fn what_a_job_wrote_to_a_folder_is_there_for_the_next(bed: &Bed) {
    let view = make_view(bed);
    if is_forbidden(bed, &view) {
        return;
    }
    let change = "echo object > build/object; rm -r build/deep";
    assert_eq!(run_shell(bed, change, Some(&view)).0, CommandEnd::Exited(0));
    let (how, printed) = run_shell(bed, "ls build; cat build/object", Some(&view));
    assert_eq!(
        (how, printed.as_str()),
        (CommandEnd::Exited(0), "object\npath\nobject\n")
    );
    let (_, again) = run_shell(bed, "sleep 100000 & ls build", Some(&view));
    assert_eq!(
        again, "object\npath\n",
        "also after one that left a process"
    );
    remove_folder_below(bed.folder.path(), Path::new("writes")).unwrap();
    let (_, fresh) = run_shell(bed, "ls build", Some(&view));
    assert_eq!(
        fresh, "deep\npath\n",
        "without what was written, the checkout's"
    );
}

fn a_view_that_cannot_be_opened_is_said_and_nothing_runs(bed: &Bed) {
    let view = make_view(bed);
    let covered = TreeView {
        writes: view.checkout.join("writes"),
        ..view.clone()
    };
    let gone = TreeView {
        folders: vec!["gone".into()],
        ..view.clone()
    };
    let at = view.checkout.display();
    // A trial may leave a link where a folder is to be seen, or above it.
    let (outside, link) = (bed.folder.path().join("outside"), view.tree.join("linked"));
    std::fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, &link).unwrap();
    let led_out = |folder: &str| TreeView {
        folders: vec![folder.into()],
        ..view.clone()
    };
    for folder in ["linked", "linked/deep"] {
        std::fs::create_dir_all(view.checkout.join(folder)).unwrap();
        let why = format!(
            "the work tree could not be shown at {at}: a symbolic link stands in the way of {folder} in the tree"
        );
        let (how, _) = run_shell(bed, "echo ran > ran", Some(&led_out(folder)));
        assert_eq!(how, CommandEnd::NotShown(why));
    }
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
    for (view, why) in [
        (
            &covered,
            format!(
                "the work tree could not be shown at {at}: our own files would be covered; `trees:` names another place for them"
            ),
        ),
        (
            &gone,
            format!(
                "the work tree could not be shown at {at}: {at}/gone: No such file or directory (os error 2)"
            ),
        ),
    ] {
        let (how, printed) = run_shell(bed, "echo ran > ran", Some(view));
        assert_eq!((how, printed), (CommandEnd::NotShown(why), String::new()));
        assert!(!view.checkout.join("ran").exists() && !view.tree.join("ran").exists());
    }
}
