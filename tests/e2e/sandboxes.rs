//! Verify and guard in their sandbox: what code that a trial edited cannot do there, when a run gets one, and what is said
//! where it cannot be closed.

use std::net::{TcpListener, UdpSocket};
use std::process::Command;

use crate::shown::assert_answer;
use crate::testbed::{Answer, Testbed, finish, note_skipped};

/// The number that `app.sh` prints is the metric, so that a trial may do in it what it likes.
fn config(sandbox: &str) -> String {
    format!(
        "goal: Less\ntag: demo\nscope: [app.sh]\nmetric: {{name: m, direction: lower}}\n\
         verify: {{command: sh app.sh, timeout: 60s{sandbox}}}\nguard: {{command: sh guard.sh}}\nreaction: {{exempt: a test}}\n"
    )
}

const ON: &str = ", sandbox: true";

/// Can a sandbox be closed here? Where not, the test is noted as skipped.
pub(crate) fn can_be_closed() -> bool {
    let mut unshare = Command::new("sh");
    unshare
        .arg("-c")
        .arg("unshare --mount --net true || unshare --user --map-current-user --mount --net true");
    let can = unshare.output().is_ok_and(|it| it.status.success());
    if !can {
        note_skipped("this system forbids namespaces");
    }
    can
}

/// A repository with this program, and with a folder beside it; none where the system forbids namespaces.
fn prepare(app: &str) -> Option<Testbed> {
    let bed = Testbed::new();
    if !can_be_closed() {
        return None;
    }
    bed.write("app.sh", app);
    bed.write("guard.sh", "true\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "app"]);
    std::fs::create_dir(bed.folder.path().join("other")).unwrap();
    Some(bed)
}

/// Tries each line in `app.sh` of a trial, and returns those that were not refused.
fn try_lines(bed: &Testbed, trial: u32, lines: &[&str]) -> Vec<String> {
    let mut app = lines.iter().fold(String::new(), |app, line| {
        format!("{app}( {line} ) 2>/dev/null && echo 'not refused: {line}' >&2\n")
    });
    app.push_str("echo tried >&2\necho 1\n");
    bed.write("app.sh", &app);
    bed.trial("tries what it likes");
    let said = bed.run_file(&format!("trials/{trial}/verify-1.err"));
    let said = std::fs::read_to_string(said).unwrap();
    let (refused, end) = said.rsplit_once("tried\n").unwrap();
    assert_eq!(end, "");
    refused.lines().map(ToOwned::to_owned).collect()
}

#[test]
fn edited_code_in_the_sandbox_writes_nowhere_but_in_the_tree_and_its_temporary_folder() {
    let Some(bed) = prepare("echo 2\n") else {
        return;
    };
    bed.start(&config(ON));
    let anchor = bed.vault().join("anchor.json");
    let base = bed.folder.path().canonicalize().unwrap();
    let lines = [
        "echo x > ~/.profile".to_owned(),
        "echo x > ../other/file".to_owned(),
        "mkdir ../new".to_owned(),
        format!("echo x > {}", anchor.display()),
        format!("echo x > {}", bed.state.join("new").display()),
        format!("touch {}", anchor.display()),
        format!("chmod 644 {}", anchor.display()),
        format!("mv {0} {0}-old", bed.state.display()),
        "echo x > .git/hooks-of-mine".to_owned(),
        "echo x > .git/HEAD".to_owned(),
        "git update-ref refs/heads/mine HEAD".to_owned(),
        "git config user.name other".to_owned(),
        "echo x >> autoresearch-results/demo/journal.jsonl".to_owned(),
        format!("ln {} stolen", anchor.display()),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(try_lines(&bed, 1, &lines), Vec::<String>::new());
    assert!(!base.join("other/file").exists() && !bed.home.join(".profile").exists());
    assert_eq!(
        try_lines(
            &bed,
            2,
            &[
                "echo x > \"$TMPDIR/x\"",
                "git status >/dev/null",
                "echo x > /dev/shm/x",
                "echo x > left && rm left"
            ]
        )
        .len(),
        4
    );
    // The run stands as it did.
    bed.run(&["doctor"]).ok().says("no problems");
}

#[test]
fn edited_code_in_the_sandbox_reaches_no_listener_of_the_machine() {
    let Some(bed) = prepare("echo 2\n") else {
        return;
    };
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_nonblocking(true).unwrap();
    let (t, u) = (
        tcp.local_addr().unwrap().port(),
        udp.local_addr().unwrap().port(),
    );
    let connect = format!("bash -c \"exec 3<> /dev/tcp/127.0.0.1/{t}\"");
    let send = format!("bash -c \"echo word > /dev/udp/127.0.0.1/{u}\"; false");
    bed.start(&config(ON));
    assert_eq!(try_lines(&bed, 1, &[&connect, &send]), Vec::<String>::new());
    let mut got = [0; 16];
    assert!(udp.recv(&mut got).is_err());
    bed.run(&["stop"]).ok();
    bed.run(&["finish"]).ok();
    bed.start(&config(", sandbox: {network: true}").replace("tag: demo", "tag: open"));
    bed.write("app.sh", &format!("{connect} && {send}\necho 1\n"));
    bed.trial("with the network");
    assert_eq!(udp.recv(&mut got).unwrap(), 5);
}

/// Writes to a cache below the home, and fails where it cannot.
const CACHING: &str = "mkdir -p ~/cache && echo x > ~/cache/file || exit 3\necho 2\n";

#[test]
fn a_start_whose_verify_needs_more_says_what_failed_and_a_folder_that_is_named_is_open() {
    let Some(bed) = prepare(CACHING) else {
        return;
    };
    assert_answer!(bed.try_start(&config(ON)).fails(3), @"
    exit code 3
    --- stderr
    error: in the sandbox, verify gives no metric: verify failed: exit status 3 (its last lines: mkdir: cannot create directory ‘<bed>/home/cache’: Read-only file system); without it, verify and guard work
    hint: there is no network in it, and only the tree and the temporary folder ($TMPDIR) can be written: add `network: true` or `writable: [FOLDER]` under `verify.sandbox`, or leave it out
    ");
    let open = config(", sandbox: {writable: [~/cache]}");
    std::fs::remove_dir_all(bed.home.join("cache")).unwrap();
    assert_answer!(bed.try_start(&open).fails(3), @"
    exit code 3
    --- stderr
    error: verify.sandbox.writable[0]: there is no folder `~/cache`
    hint: make it, or leave it out
    ");
    let ours = config(&format!(
        ", sandbox: {{writable: [{}]}}",
        bed.state.display()
    ));
    assert_answer!(bed.try_start(&ours).fails(3), @"
    exit code 3
    --- stderr
    error: verify.sandbox.writable[0]: `<bed>/state` and <bed>/state, which no command may write, lie in each other
    hint: name the folder of one cache
    ");
    std::fs::create_dir(bed.home.join("cache")).unwrap();
    assert_answer!(bed.try_start(&open), @r#"
    note: verify and guard run in a sandbox: no network, and writes only in the tree, a temporary folder and <bed>/home/cache; m is the same without it
    run `demo` started: Less
      metric    m = 2 (lower is better)
      noise     none: 3 equal runs; a keep takes two equal runs or three, a discard one
      reaction  not checked, exempt: a test
      guard     pass
      scope     app.sh
      pinned    1 file: guard.sh; a trial that changes one is void
      branch    autoresearch/demo in <bed>/repo
      limits    50 iterations
      log       autoresearch-results/demo/research-results.tsv
    next: change one thing in scope (app.sh), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    bed.write(
        "app.sh",
        "echo y > ~/cache/file; echo y > ~/other; echo 1\n",
    );
    bed.trial("writes there and elsewhere");
    let cached = std::fs::read_to_string(bed.home.join("cache/file")).unwrap();
    assert_eq!(cached, "y\n");
    assert!(!bed.home.join("other").exists());
}

#[test]
fn a_sandbox_in_which_verify_gives_another_value_is_refused_with_both() {
    let Some(bed) = prepare("{ echo x > ~/mark; } 2>/dev/null && echo 2 || echo 5\n") else {
        return;
    };
    assert_answer!(bed.try_start(&config(ON)).fails(3), @"
    exit code 3
    --- stderr
    error: verify gives 5 in its sandbox and 2 without it
    hint: what it measures depends on the network or on a folder outside the tree: name that in `verify.sandbox`, or leave `sandbox` out
    ");
    assert!(!bed.path("autoresearch-results").exists());
}

#[test]
fn config_try_says_whether_verify_and_guard_would_work_in_a_sandbox() {
    let Some(bed) = prepare("echo 2\n") else {
        return;
    };
    let try_with = |app: &str, guard: &str, sandbox: &str| {
        bed.write("app.sh", app);
        bed.write("guard.sh", guard);
        bed.git(&["commit", "-qam", "next", "--allow-empty"]);
        let file = bed.home.join("try.yaml");
        std::fs::write(&file, config(sandbox)).unwrap();
        bed.run(&["config", "try", file.to_str().unwrap()])
    };
    let line = |answer: Answer| {
        let shown = answer.ok().out;
        let line = shown.lines().find(|line| line.starts_with("sandbox"));
        let place = bed.folder.path().to_string_lossy().into_owned();
        line.unwrap_or_default().replace(&place, "<bed>")
    };
    insta::assert_snapshot!(line(try_with("echo 2\n", "true\n", "")), @"
    sandbox   verify and guard work in a sandbox too: add `sandbox: true` under `verify`, above all for background and exec runs
    ");
    insta::assert_snapshot!(line(try_with("echo 2\n", "true\n", ON)), @"
    sandbox   verify and guard run in a sandbox: no network, and writes only in the tree and a temporary folder; m is the same without it
    ");
    insta::assert_snapshot!(line(try_with(CACHING, "true\n", "")), @"
    sandbox   in a sandbox, verify gives no metric: verify failed: exit status 3 (its last lines: app.sh: 1: cannot create <bed>/home/cache/file: Read-only file system)
    ");
    insta::assert_snapshot!(line(try_with("echo 2\n", "echo wanted >&2; : > ~/mark\n", "")), @"
    sandbox   in a sandbox, the guard fails: exit status 2 (its last lines: wanted | guard.sh: 1: cannot create <bed>/home/mark: Read-only file system)
    ");
    let marked = "{ echo x > ~/mark; } 2>/dev/null && echo 2 || echo 5\n";
    insta::assert_snapshot!(line(try_with(marked, "true\n", "")), @"sandbox   in a sandbox, verify gives 5, and 2 without it");
}

/// The command as root without the one right that a container of the usual kind does not give.
fn run_contained(bed: &Testbed, arguments: &[&str]) -> Option<Answer> {
    let plain = bed.command(arguments);
    let mut contained = Command::new("setpriv");
    contained
        .args(["--bounding-set=-sys_admin", "--inh-caps=-all", "--"])
        .arg(plain.get_program())
        .args(plain.get_args())
        .current_dir(&bed.repo)
        .env_clear()
        .envs(bed.env());
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        note_skipped("only root can give up the right to make namespaces");
    }
    is_root.then(|| finish(contained))
}

#[test]
fn where_a_sandbox_cannot_be_closed_nothing_is_measured_and_that_is_said() {
    let Some(bed) = prepare("echo 2\n") else {
        return;
    };
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, config(ON)).unwrap();
    let start = ["start", "--config", file.to_str().unwrap()];
    let Some(refused) = run_contained(&bed, &start) else {
        return;
    };
    assert_answer!(refused, @"
    exit code 6
    --- stderr
    error: the sandbox of verify and guard cannot be closed: no namespaces: Operation not permitted (os error 1)
    hint: nothing was measured: a sandbox needs Linux 5.13 or newer with Landlock, mount and network namespaces, and for anybody but root user namespaces (sysctl `kernel.apparmor_restrict_unprivileged_userns` and `user.max_user_namespaces`; many containers forbid them). Call the command where they are allowed, or start a run without `sandbox`
    ");
    bed.run(&start).ok();
    bed.write("app.sh", "echo ran > ran; echo 1\n");
    let stopped = run_contained(&bed, &["trial", "-m", "less"]).unwrap();
    assert_answer!(stopped, @"
    exit code 6
    --- stderr
    error: the sandbox of verify and guard cannot be closed: no namespaces: Operation not permitted (os error 1)
    hint: nothing was measured: a sandbox needs Linux 5.13 or newer with Landlock, mount and network namespaces, and for anybody but root user namespaces (sysctl `kernel.apparmor_restrict_unprivileged_userns` and `user.max_user_namespaces`; many containers forbid them). Call the command where they are allowed, or start a run without `sandbox`
    ");
    assert!(!bed.path("ran").exists(), "never without its sandbox");
    bed.run(&["resume"]).ok();
    bed.write("app.sh", "echo 1\n");
    assert_eq!(bed.trial("less")["verdict"], "keep");
    let tried = run_contained(&bed, &["doctor"]).unwrap();
    let line = tried.out.lines().find(|line| line.contains("sandbox"));
    insta::assert_snapshot!(line.unwrap_or_default(), @"
    note     sandbox: not here: no namespaces: Operation not permitted (os error 1)
    ");
}

#[test]
fn a_run_in_its_own_tree_has_the_same_sandbox_and_the_checkout_stays() {
    let Some(bed) = prepare("echo 2\n") else {
        return;
    };
    bed.start(&format!("{}isolation: worktree\n", config(ON)));
    let tree = bed.own_tree();
    let lines = format!(
        "for it in '{0}/app.sh' '{0}/.git/config' .git ~/x; do (echo x >> $it) 2>/dev/null && echo \"not refused: $it\" >&2; done\necho x > inside && rm inside && echo 1\n",
        bed.repo.display()
    );
    std::fs::write(tree.join("app.sh"), lines).unwrap();
    let report = bed.trial("tries");
    assert_eq!(bed.read("app.sh"), "echo 2\n");
    let said = std::fs::read_to_string(bed.run_file("trials/1/verify-1.err")).unwrap();
    assert_eq!(said, "", "{report}");
    let printed = std::fs::read_to_string(bed.run_file("trials/1/verify-1.out")).unwrap();
    assert_eq!(printed, "1\n");
}
