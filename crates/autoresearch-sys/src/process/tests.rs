//! Owns the tests of the small parts of running a command: its form, the waiting for descriptors, left-over processes.
//! Does not test the runner; `tests/jobs.rs` does, in a process of its own.
//! Invariant: no child is swept that another test of this process may have started.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::Duration;

use autoresearch_core::config::{Shell, UserCommand};

use super::readiness::is_ready;
use super::*;
use crate::polling::wait_until;

/// Whatever is waited for comes long before this, or never.
const LONG: Duration = Duration::from_mins(1);

#[test]
fn a_command_of_a_config_goes_to_the_shell_that_it_names() {
    for (shell, json) in [
        (Shell::Sh, r#"{"Shell":"make | tail -1"}"#),
        (Shell::Bash, r#"{"Bash":"make | tail -1"}"#),
    ] {
        let command = UserCommand {
            command: "make | tail -1".to_owned(),
            shell,
            timeout: LONG,
            working_directory: ".".to_owned(),
            ok_exit: vec![0],
            retries: 0,
        };
        let line = CommandLine::from(&command);
        assert_eq!(line.to_string(), "make | tail -1");
        assert_eq!(serde_json::to_string(&line).unwrap(), json);
    }
    let words = CommandLine::Words(["codex", "exec", "a b"].map(ToOwned::to_owned).into());
    assert_eq!(words.to_string(), "codex exec a b");
}

#[test]
fn a_job_and_each_end_of_it_cross_to_another_process_as_json() {
    let job = Job {
        command: CommandLine::Words(vec!["true".to_owned()]),
        directory: "/r".into(),
        timeout_ms: 5_000,
        input: Some("/r/prompt".into()),
        own_temporary: false,
        view: None,
        confinement: None,
        conditions: JobConditions::default(),
    };
    let text = serde_json::to_string(&job).unwrap();
    insta::assert_snapshot!(text, @r#"{"command":{"Words":["true"]},"directory":"/r","timeout_ms":5000,"input":"/r/prompt"}"#);
    let read: Job = serde_json::from_str(&text).unwrap();
    assert_eq!(format!("{read:?}"), format!("{job:?}"));
    let ends = [
        CommandEnd::Exited(3),
        CommandEnd::Signalled(9),
        CommandEnd::TimedOut,
        CommandEnd::Flooded,
        CommandEnd::Cancelled,
        CommandEnd::NotStarted("No such file".to_owned()),
    ];
    let texts = ends.map(|how| {
        let ended = EndedCommand {
            swept: 2,
            ..EndedCommand::without_use(how)
        };
        let text = serde_json::to_string(&ended).unwrap();
        assert_eq!(serde_json::from_str::<EndedCommand>(&text).unwrap(), ended);
        text
    });
    insta::assert_snapshot!(texts.join("\n"), @r#"
    {"how":{"Exited":3},"swept":2,"used":{"wall_us":0,"cpu_us":0,"peak_bytes":0,"runs_on":false}}
    {"how":{"Signalled":9},"swept":2,"used":{"wall_us":0,"cpu_us":0,"peak_bytes":0,"runs_on":false}}
    {"how":"TimedOut","swept":2,"used":{"wall_us":0,"cpu_us":0,"peak_bytes":0,"runs_on":false}}
    {"how":"Flooded","swept":2,"used":{"wall_us":0,"cpu_us":0,"peak_bytes":0,"runs_on":false}}
    {"how":"Cancelled","swept":2,"used":{"wall_us":0,"cpu_us":0,"peak_bytes":0,"runs_on":false}}
    {"how":{"NotStarted":"No such file"},"swept":2,"used":{"wall_us":0,"cpu_us":0,"peak_bytes":0,"runs_on":false}}
    "#);
}

#[test]
fn a_stream_is_ready_when_something_came_or_the_other_side_has_gone() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let (other, quiet) = UnixStream::pair().unwrap();
    assert!(!is_ready(&[&theirs], Duration::ZERO));
    assert!(!is_ready(&[], Duration::from_millis(1)));
    ours.write_all(b"x").unwrap();
    assert!(is_ready(&[&theirs], LONG) && is_ready(&[&quiet, &theirs], Duration::MAX));
    assert!(!is_ready(&[&quiet], Duration::ZERO));
    drop(other);
    assert!(is_ready(&[&quiet], LONG));
}

#[test]
fn a_detached_program_has_the_given_variables_and_stands_at_the_root() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let script = format!(
        "{{ pwd; env | grep -v '^_=\\|^PWD=\\|^SHLVL=\\|^OLDPWD='; cat; }} > {0}.new; mv {0}.new {0}",
        out.display()
    );
    let words = ["-c", &script].map(OsString::from);
    let path = OsString::from("/usr/local/bin:/usr/bin:/bin");
    let env = BTreeMap::from([("PATH".into(), path), ("A".into(), "1".into())]);
    let mut child = spawn_detached(Path::new("/bin/sh"), &words, &env).unwrap();
    assert!(child.wait().unwrap().success());
    let text = fs::read_to_string(out).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["/", "A=1", "PATH=/usr/local/bin:/usr/bin:/bin"]);
    let failed = spawn_detached(Path::new("/absent/program"), &words, &env).unwrap_err();
    assert_eq!(failed.to_string(), "could not start /absent/program");
}

#[cfg(target_os = "linux")]
#[test]
fn a_marked_process_is_ended_and_one_whose_mark_only_begins_alike_is_not() {
    let mark = format!("AUTORESEARCH_TEST={}", std::process::id());
    let spawn = |value: String| {
        let (name, value) = value
            .split_once('=')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        let env = BTreeMap::from([(name.into(), value.into())]);
        spawn_detached(Path::new("/bin/sleep"), &["100000".into()], &env).unwrap()
    };
    assert_eq!(end_marked_processes(&mark), 0);
    let (mut marked, mut alike) = (spawn(mark.clone()), spawn(format!("{mark}0")));
    // A dead process has no environment, so the sweep ends before its parent has waited for it.
    let mut ended = 0;
    assert!(wait_until(LONG, Duration::from_millis(5), || {
        ended += end_marked_processes(&mark);
        ended > 0
    }));
    assert_eq!(marked.wait().unwrap().signal(), Some(9));
    assert_eq!((ended, alike.try_wait().unwrap()), (1, None));
    alike.kill().unwrap();
    alike.wait().unwrap();
}
