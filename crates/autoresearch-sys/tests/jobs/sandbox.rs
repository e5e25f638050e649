//! Owns the tests of jobs in a sandbox: what it refuses, and that all else of a job stays as it is.
//! Does not choose what a run puts into one.
//! Invariant: what is refused works in the same job without the sandbox.

use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use autoresearch_sys::env::World;
use autoresearch_sys::process::{
    CommandEnd, CommandLine, Confinement, Job, JobConditions, LocalExecutor,
};

use super::{Bed, NamedTest, make_view, run};

pub(super) const TESTS: [NamedTest; 9] = [
    (
        "a_sandbox_keeps_what_lies_outside_its_folders",
        a_sandbox_keeps_what_lies_outside_its_folders,
    ),
    (
        "a_sandbox_hides_what_its_job_may_not_read",
        a_sandbox_hides_what_its_job_may_not_read,
    ),
    (
        "a_sandbox_reaches_no_program_outside",
        a_sandbox_reaches_no_program_outside,
    ),
    (
        "a_sandbox_has_a_loopback_and_shared_memory_of_its_own",
        a_sandbox_has_a_loopback_and_shared_memory_of_its_own,
    ),
    (
        "a_sandbox_cannot_be_opened_from_within",
        a_sandbox_cannot_be_opened_from_within,
    ),
    (
        "a_job_in_a_sandbox_ends_and_is_counted_as_any_other",
        a_job_in_a_sandbox_ends_and_is_counted_as_any_other,
    ),
    (
        "a_sandbox_that_cannot_be_closed_is_said_and_nothing_runs",
        a_sandbox_that_cannot_be_closed_is_said_and_nothing_runs,
    ),
    (
        "a_sandbox_lies_around_a_view_too",
        a_sandbox_lies_around_a_view_too,
    ),
    (
        "a_sandbox_holds_without_the_rights_of_root",
        a_sandbox_holds_without_the_rights_of_root,
    ),
];

/// Some systems forbid namespaces. There, that is what has to be said.
fn is_forbidden(bed: &Bed, ground: &Ground) -> bool {
    let unshare =
        "unshare --mount --net true || unshare --user --map-current-user --mount --net true";
    let open = LocalExecutor::new(&bed.world, &bed.env);
    if run(&open, &ground.make_job(unshare, None)).0.how == CommandEnd::Exited(0) {
        return false;
    }
    let (how, _) = ground.run_confined(bed, "true");
    assert!(matches!(how, CommandEnd::NotConfined(_)), "{how:?}");
    true
}

/// A tree with a git folder, and a folder outside with a file. The state folder is the bed's, above both.
struct Ground {
    tree: PathBuf,
    outside: PathBuf,
}

impl Ground {
    fn make(bed: &Bed) -> Self {
        let root = bed.folder.path().canonicalize().unwrap();
        let (tree, outside) = (root.join("a tree"), root.join("outside"));
        for folder in [&tree.join(".git"), &tree.join("sub"), &outside] {
            std::fs::create_dir_all(folder).unwrap();
        }
        for file in [tree.join(".git/config"), outside.join("file")] {
            std::fs::write(file, "as it was").unwrap();
        }
        Self { tree, outside }
    }

    fn confine(&self) -> Confinement {
        let state = self.tree.parent().unwrap().to_owned();
        Confinement {
            writable: vec![self.tree.clone()],
            read_only: vec![self.tree.join(".git"), state],
            ..Confinement::default()
        }
    }

    fn make_job(&self, script: &str, confinement: Option<Confinement>) -> Job {
        Job {
            command: CommandLine::Bash(script.to_owned()),
            directory: self.tree.clone(),
            timeout_ms: 600_000,
            input: None,
            own_temporary: true,
            view: None,
            confinement,
            conditions: JobConditions::default(),
        }
    }

    /// How the script ended in the sandbox, and what it printed.
    fn run_confined(&self, bed: &Bed, script: &str) -> (CommandEnd, String) {
        let job = self.make_job(script, Some(self.confine()));
        let (ended, printed) = run(&LocalExecutor::new(&bed.world, &bed.env), &job);
        (ended.how, printed)
    }

    /// None of these works in the sandbox.
    fn check_all_refused(&self, bed: &Bed, words: &str, lines: &[&str]) {
        let quoted: Vec<String> = lines.iter().map(|line| format!("'{line}'")).collect();
        let script = format!(
            "{words}\nfor it in {}; do (eval \"$it\") 2>/dev/null && echo \"not refused: $it\"; done; echo tried",
            quoted.join(" ")
        );
        let tried = (CommandEnd::Exited(0), "tried\n".to_owned());
        assert_eq!(self.run_confined(bed, &script), tried);
    }

    /// Each works outside the sandbox, one after the other.
    fn check_all_work(&self, bed: &Bed, lines: &[&str]) {
        let open = LocalExecutor::new(&bed.world, &bed.env);
        for line in lines {
            let (free, _) = run(&open, &self.make_job(line, None));
            assert_eq!(free.how, CommandEnd::Exited(0), "{line}");
        }
    }
}

fn a_sandbox_keeps_what_lies_outside_its_folders(bed: &Bed) {
    let ground = Ground::make(bed);
    if is_forbidden(bed, &ground) {
        return;
    }
    let file = ground.outside.join("file");
    let look = || {
        let meta = file.metadata().unwrap();
        let times = (meta.mtime_nsec(), meta.ctime_nsec(), meta.nlink());
        let rights = meta.permissions().mode();
        (std::fs::read(&file).unwrap(), rights, times)
    };
    let before = look();
    let lines = [
        "echo x > ../outside/file",
        "echo x > ../outside/new",
        "ln ../outside/file linked",
        "mkdir ../outside/folder",
        "chmod 640 ../outside/file",
        "touch -d 2001-01-01 ../outside/file",
        "truncate -s 0 ../outside/file",
        "mv sub ../outside/sub",
        "mv ../outside/file ../outside/moved",
        "rm ../outside/moved || rm ../outside/file",
        "echo x > ../journal",
        "echo x > .git/config",
        "echo x > .git/index.lock",
        "touch .git",
        "rm .git/config",
        "mv .git other",
        "echo x > ~/.sandbox-test && rm ~/.sandbox-test",
    ];
    ground.check_all_refused(bed, "", &lines);
    assert_eq!(look(), before, "neither bytes nor rights, times or names");
    let works = "set -e; echo x > new; mkdir -p deep/er; echo y > deep/er/file; mv deep moved; ln new linked; rm new linked
        echo t > \"$TMPDIR/t\"; mv \"$TMPDIR/t\" t; echo n > /dev/null; cat t .git/config; mkfifo pipe; echo again >> /dev/stdout";
    assert_eq!(
        ground.run_confined(bed, works),
        (CommandEnd::Exited(0), "t\nas it wasagain\n".to_owned())
    );
    ground.check_all_work(bed, &lines);
}

fn a_sandbox_hides_what_its_job_may_not_read(bed: &Bed) {
    let ground = Ground::make(bed);
    if is_forbidden(bed, &ground) {
        return;
    }
    let folder = ground.outside.join("hidden");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("secret"), "hidden").unwrap();
    let absent = ground.outside.join("absent");
    let confinement = Confinement {
        hidden: vec![ground.outside.join("file"), folder.clone(), absent],
        ..ground.confine()
    };
    let script = "cat ../outside/file; ls -A ../outside/hidden; cat ../outside/hidden/secret; umount ../outside/hidden; \
        ls -A ../outside/hidden; echo tried";
    let job = ground.make_job(script, Some(confinement));
    let (ended, printed) = run(&LocalExecutor::new(&bed.world, &bed.env), &job);
    let expected = (CommandEnd::Exited(0), "tried\n");
    assert_eq!((ended.how, printed.as_str()), expected);
    let secret = std::fs::read_to_string(folder.join("secret")).unwrap();
    assert_eq!(secret, "hidden", "outside it is as it was");
}

fn a_sandbox_reaches_no_program_outside(bed: &Bed) {
    let ground = Ground::make(bed);
    if is_forbidden(bed, &ground) {
        return;
    }
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let _unix = UnixListener::bind(ground.outside.join("socket")).unwrap();
    let (t, u) = (
        tcp.local_addr().unwrap().port(),
        udp.local_addr().unwrap().port(),
    );
    let connect = format!("exec 3<> /dev/tcp/127.0.0.1/{t}");
    let by_path = "python3 -c \"import socket; socket.socket(socket.AF_UNIX).connect(\\\"../outside/socket\\\")\"";
    ground.check_all_refused(bed, "", &[&connect, by_path]);
    ground.check_all_work(bed, &[&connect, by_path]);
    // Whoever sends by UDP is not told that nobody gets it.
    udp.set_nonblocking(true).unwrap();
    let send = format!("echo word > /dev/udp/127.0.0.1/{u}; true");
    assert_eq!(ground.run_confined(bed, &send).0, CommandEnd::Exited(0));
    let mut got = [0; 16];
    assert!(udp.recv(&mut got).is_err());
    let open = Confinement {
        network: true,
        ..ground.confine()
    };
    let all = format!("set -e; {connect}; {by_path}; {send}; echo x > ../outside/file || exit 9");
    let (ended, _) = run(
        &LocalExecutor::new(&bed.world, &bed.env),
        &ground.make_job(&all, Some(open)),
    );
    assert_eq!(ended.how, CommandEnd::Exited(9), "writing alone is refused");
    assert_eq!(udp.recv(&mut got).unwrap(), 5);
}

fn a_sandbox_has_a_loopback_and_shared_memory_of_its_own(bed: &Bed) {
    let ground = Ground::make(bed);
    if is_forbidden(bed, &ground) {
        return;
    }
    let script = "python3 - <<'PY'
import multiprocessing, os, socket
with socket.create_server(('127.0.0.1', 0)) as server, socket.create_connection(server.getsockname()) as client:
    client.sendall(b'heard')
    print(server.accept()[0].recv(5).decode())
with multiprocessing.Lock():
    print(os.listdir('/dev/shm'))
open('/dev/shm/left', 'w').close()
PY
ls /dev/shm";
    for _ in 0..2 {
        assert_eq!(
            ground.run_confined(bed, script),
            (CommandEnd::Exited(0), "heard\n[]\nleft\n".to_owned())
        );
    }
    assert!(!PathBuf::from("/dev/shm/left").exists());
}

fn a_sandbox_cannot_be_opened_from_within(bed: &Bed) {
    let ground = Ground::make(bed);
    if is_forbidden(bed, &ground) {
        return;
    }
    let lines = [
        "mount -o remount,rw,bind /",
        "mount --bind / sub",
        "mount -t tmpfs none ../outside",
        "umount .git",
        "nsenter -t $OUTER -n true",
        "nsenter -t $OUTER -m true",
        "unshare --mount umount .git",
        "unshare -r --mount mount -o remount,rw,bind /",
        "echo x > /proc/$OUTER/root$PWD/../outside/file",
        "echo x > /proc/$OUTER/cwd/new",
        "mknod disk b 8 0",
        "kill -0 $OUTER",
        "echo x > /proc/sys/kernel/core_pattern",
        "echo 0 > /proc/$OUTER/oom_score_adj",
    ];
    ground.check_all_refused(bed, &format!("OUTER={}", std::process::id()), &lines);
}

fn a_job_in_a_sandbox_ends_and_is_counted_as_any_other(bed: &Bed) {
    let ground = Ground::make(bed);
    if is_forbidden(bed, &ground) {
        return;
    }
    assert_eq!(ground.run_confined(bed, "exit 7").0, CommandEnd::Exited(7));
    let killed = ground.run_confined(bed, "kill -9 $$").0;
    assert_eq!(killed, CommandEnd::Signalled(9));
    let executor = LocalExecutor::new(&bed.world, &bed.env);
    let slow = Job {
        timeout_ms: 300,
        ..ground.make_job("setsid sleep 100000 & sleep 100000", Some(ground.confine()))
    };
    let (ended, _) = run(&executor, &slow);
    assert_eq!(ended.how, CommandEnd::TimedOut);
    assert!(ended.swept >= 1, "{ended:?}");
    // A process that left the command's session is counted with it.
    let work = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
    let script =
        format!("setsid --fork sh -c '{work}; : > done'; while [ ! -e done ]; do sleep 0.02; done");
    let (ended, _) = run(&executor, &ground.make_job(&script, Some(ground.confine())));
    assert_eq!(ended.how, CommandEnd::Exited(0));
    assert!(
        ended.used.cpu_us > 50_000 && ended.used.peak_bytes > 1 << 20,
        "{ended:?}"
    );
}

fn a_sandbox_that_cannot_be_closed_is_said_and_nothing_runs(bed: &Bed) {
    let ground = Ground::make(bed);
    let executor = LocalExecutor::new(&bed.world, &bed.env);
    let missing = ground.outside.join("gone");
    let gone = Confinement {
        writable: vec![ground.tree.clone(), missing.clone()],
        ..ground.confine()
    };
    let (ended, printed) = run(&executor, &ground.make_job("echo ran > ran", Some(gone)));
    let why = format!(
        "{}: No such file or directory (os error 2)",
        missing.display()
    );
    if !is_forbidden(bed, &ground) {
        assert_eq!(
            (ended.how, printed.as_str()),
            (CommandEnd::NotConfined(why), "")
        );
    }
    assert!(!ground.tree.join("ran").exists());
}

fn a_sandbox_lies_around_a_view_too(bed: &Bed) {
    let view = make_view(bed);
    let ground = Ground::make(bed);
    if is_forbidden(bed, &ground) {
        return;
    }
    let checkout = view.checkout.canonicalize().unwrap();
    let confinement = Confinement {
        writable: vec![checkout.clone()],
        read_only: vec![checkout.join(".git"), bed.folder.path().to_owned()],
        ..Confinement::default()
    };
    let script = "set -e; echo changed > build/deep/made; echo 3 > source; git status --short
        for it in 'echo x >> .git' 'git add source' 'echo x > ../outside/file'; do
            (eval \"$it\") 2>/dev/null && echo \"not refused: $it\"; done; cat source build/deep/made";
    let job = Job {
        directory: view.tree.clone(),
        view: Some(view.clone()),
        ..ground.make_job(script, Some(confinement))
    };
    let (ended, printed) = run(&LocalExecutor::new(&bed.world, &bed.env), &job);
    assert_eq!(
        (ended.how, printed.as_str()),
        (CommandEnd::Exited(0), " M source\n3\nchanged\n")
    );
    let made = std::fs::read_to_string(checkout.join("build/deep/made")).unwrap();
    assert_eq!(made, "made\n", "the checkout is as it was");
}

/// The tests of this file once more, as a user who may do little.
fn a_sandbox_holds_without_the_rights_of_root(bed: &Bed) {
    let variables = bed.world.vars.clone();
    let setpriv = World::find_program(&variables, "setpriv");
    let (Some(setpriv), true) = (setpriv, rustix::process::geteuid().is_root()) else {
        return;
    };
    // Where this program was built, another user may not look.
    let (program, home) = (
        bed.folder.path().join("jobs"),
        bed.folder.path().join("home"),
    );
    std::fs::copy(&bed.world.program, &program).unwrap();
    std::fs::create_dir(&home).unwrap();
    for path in [bed.folder.path(), &home] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o777)).unwrap();
    }
    let ran = Command::new(setpriv)
        .args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "--inh-caps=-all",
        ])
        .arg(&program)
        .arg("sandbox")
        .current_dir(&home)
        .env_clear()
        .envs([
            ("HOME", home.as_path()),
            ("PATH", Path::new("/usr/bin:/bin")),
            ("TMPDIR", home.as_path()),
        ])
        .output()
        .unwrap();
    let told = String::from_utf8(ran.stdout).unwrap();
    let all = format!("{} passed; 0 failed", TESTS.len());
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(told.contains(&all), "{told}{said}");
}
