//! Background runs with a scripted command as the agent: handing over, looking, ending, and every way to die.

use std::fmt::Display;
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::{Testbed, processes_with, wait_until};

/// Takes the next line of `$HOME/moves` and does it; then waits as long as there is a file `$HOME/hold`.
const AGENT: &str = r#"cat > /dev/null
move=$(head -n 1 "$HOME/moves"); sed -i 1d "$HOME/moves"
if [ -z "$move" ]; then echo '{"message": "nothing left", "nothing_more": true}'; exit 0; fi
eval "$move"
touch "$HOME/edited"
while [ -e "$HOME/hold" ]; do sleep 0.02; done
echo "{\"message\": \"did: $move\", \"hypothesis\": \"a shorter list has fewer\"}"
"#;

/// Counts, after it has waited as long as there is a file `$HOME/measure`.
const VERIFY: &str =
    "touch $HOME/measuring; while [ -e $HOME/measure ]; do sleep 0.02; done; sh count.sh";

/// The config of a run that nobody has to attend.
fn unattended() -> ConfigText {
    ConfigText::demo()
        .target(5)
        .verify(VERIFY)
        .verify_with("timeout", "50s")
        .agent("sh \"$HOME/agent.sh\"")
        .agent_with("timeout", "50s")
}

fn set(count: usize) -> String {
    format!("seq {count} | sed s/.*/any/ > src/a")
}

/// A bench whose agent makes these moves.
struct Night {
    bed: Testbed,
}

impl Night {
    fn new(moves: &[String]) -> Self {
        let bed = Testbed::new();
        std::fs::write(bed.home.join("agent.sh"), AGENT).unwrap();
        let night = Self { bed };
        night.configure(unattended());
        night.moves(moves);
        night
    }

    fn moves(&self, moves: &[String]) {
        std::fs::write(self.home("moves"), moves.join("\n") + "\n").unwrap();
    }

    fn configure(&self, config: impl Display) {
        std::fs::write(self.home("config.yaml"), config.to_string()).unwrap();
    }

    fn home(&self, name: &str) -> PathBuf {
        self.bed.home.join(name)
    }

    fn hold(&self, name: &str) {
        std::fs::write(self.home(name), "").unwrap();
    }

    fn release(&self, name: &str) {
        let _ = std::fs::remove_file(self.home(name));
    }

    fn config(&self) -> String {
        self.home("config.yaml").to_str().unwrap().to_owned()
    }

    /// Starts a run that nobody drives yet.
    fn start_by_hand(&self) {
        self.bed.run(&["start", "--config", &self.config()]).ok();
    }

    fn start(&self) -> Value {
        self.go(&["start", "--config", &self.config()])
    }

    fn go(&self, words: &[&str]) -> Value {
        let words = [&["background"], words, &["--json"]].concat();
        let patience = [("SEALED_PATIENCE", "50")];
        self.bed.run_with(&words, &patience).ok().json()
    }

    fn status(&self) -> Value {
        self.go(&["status"])
    }

    /// Waits until the supervisor is gone.
    fn over(&self) -> Value {
        wait_until("the supervisor ends", || self.status()["alive"] == false);
        self.status()
    }

    fn pid(&self) -> Pid {
        let pid = self.status()["pid"].as_i64().unwrap();
        Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
    }

    fn wait(&self, file: &str) {
        wait_until(file, || self.home(file).exists());
    }

    /// Nothing of the run is left: no process, no change in the work tree.
    #[track_caller]
    fn clean(&self) {
        assert_eq!(self.bed.git(&["status", "--porcelain"]), "");
        let root = self.bed.folder.path().to_str().unwrap();
        // A supervisor lets its lock go a moment before it is gone.
        wait_until("no process is left", || processes_with(root).is_empty());
    }
}

#[test]
fn a_background_run_goes_to_its_end_alone() {
    let night = Night::new(&[set(4), set(8), set(2), set(0)]);
    night.hold("hold");
    let started = night.start();
    // Not `starting`: the answer says what the supervisor does.
    assert_eq!(
        (&started["alive"], &started["phase"]),
        (&true.into(), &"turn".into())
    );
    night.release("hold");
    let over = night.over();
    assert_eq!(
        (&over["phase"], &over["end"]),
        (&"ended".into(), &"target".into())
    );
    assert_eq!(
        night.bed.story(),
        ["0 baseline", "1 keep", "2 discard", "3 keep", "4 keep"]
    );
    assert_answer!(night.bed.run(&["background", "logs"]).ok(), @"
    <time> supervisor <pid> starts
    <time> trial 1: the agent edits
    <time> trial 1: keep, any_count 9 (-1, -10 %), guard pass, commit <commit>
    <time> trial 2: the agent edits
    <time> trial 2: discard (worse-metric), any_count 13 (+4, +44 %); the best is 9 from trial 1
    <time> trial 3: the agent edits
    <time> trial 3: keep, any_count 7 (-2, -22 %), guard pass, commit <commit>
    <time> trial 4: the agent edits
    <time> trial 4: keep, any_count 5 (-2, -29 %), guard pass, commit <commit>
    <time> supervisor ends
    ");
    night.clean();
    let lessons = night.bed.read("autoresearch-results/lessons.md");
    let why = " keep: did: seq 4 | sed s/.*/any/ > src/a; why: a shorter list has fewer (any_count -1; src)\n";
    assert!(lessons.contains(why), "{lessons}");
    assert_answer!(night.bed.run(&["finish"]).ok(), @"
    run `demo` ended: target (any_count is 5)
    improved: any_count 10 -> 5, 3 trials kept on autoresearch/demo
    claim: a gain of 50 %: a clean checkout of the last commit was measured again
      <commit> experiment: did: seq 4 | sed s/.*/any/ > src/a
      <commit> experiment: did: seq 2 | sed s/.*/any/ > src/a
      <commit> experiment: did: seq 0 | sed s/.*/any/ > src/a
    checked out: main
    left here: branch autoresearch/demo, folder autoresearch-results/demo; `autoresearch clean` lists what can be removed
    next: look at it with `git log -p <commit>..autoresearch/demo`, then `git merge autoresearch/demo`; `git branch -D autoresearch/demo` discards it
    ");
}

#[test]
fn a_start_in_the_background_shows_what_the_config_check_would_warn_of() {
    let night = Night::new(&[set(4)]);
    night.configure(unattended().verify("cat src/a | sh count.sh"));
    night.hold("hold");
    let words = ["background", "start", "--config", &night.config()];
    assert_answer!(night.bed.run(&words).ok(), @"
    warning: <bed>/home/config.yaml:6: verify.command: `sh` reports only the status of the last command in a pipe, so an earlier failure is hidden -> add `shell: bash` to verify, which fails when any part of a pipe fails
    run `demo` in the background: turn (process <pid>)
      best      any_count 10 (lower is better, start 10, target 5)
      trial     1
      log       autoresearch-results/demo/runtime.log
    next: nothing to do; `autoresearch background attach` shows it, `autoresearch background stop` ends it
    ");
    night.go(&["stop", "--now"]);
    assert_answer!(night.status()["why"].as_str().unwrap(), @"user-stop: stopped by a person");
}

#[test]
fn a_night_in_which_nobody_could_edit_is_not_begun() {
    let night = Night::new(&[]);
    night.configure(ConfigText::demo());
    let words = ["background", "start", "--config", &night.config()];
    let path = [("PATH", night.bed.home.to_str().unwrap())];
    assert_answer!(night.bed.run_with(&words, &path).fails(6), @"
    exit code 6
    --- stderr
    error: codex was not found on PATH, so the agent could not edit
    hint: run the command in a shell whose PATH has codex (a login shell may have another PATH), or set `agent.command`
    ");
    assert!(!night.bed.path("autoresearch-results").exists());
}

#[test]
fn a_supervisor_has_a_session_of_its_own_and_is_alone() {
    let night = Night::new(&[set(4)]);
    night.hold("hold");
    night.start();
    night.wait("edited");
    let pid = night.pid();
    let session = rustix::process::getsid(Some(pid)).unwrap();
    assert_eq!(session, pid, "it outlives whoever started it");
    assert_answer!(night.bed.run(&["background", "start"]).fails(5), @"
    exit code 5
    --- stderr
    error: the run is already driven by process <pid> (`supervise`, since <time>)
    hint: `autoresearch background attach` shows it
    ");
    let refused = |words: &[&str]| night.bed.run(words).fails(5).to_string();
    let by_hand = refused(&["trial", "-m", "by hand"]);
    assert_answer!(by_hand, @"
    exit code 5
    --- stderr
    error: the run is driven by process <pid> (`supervise`, since <time>)
    hint: `autoresearch background status` shows it; `autoresearch background pause` gives the run back to you
    ");
    for words in [&["stop"][..], &["finish"], &["resume"]] {
        assert_eq!(refused(words), by_hand, "{words:?}");
    }
    assert_eq!(
        night.bed.run(&["status", "--json"]).ok().json()["run"],
        "demo"
    );
    let proposal = night.bed.agent("0199-me", &["propose", "-m", "x"]);
    assert_answer!(proposal.fails(5), @"
    exit code 5
    --- stderr
    error: the run is driven by process <pid> (`supervise`, since <time>)
    hint: `autoresearch background status` shows it; `autoresearch background pause` gives the run back to you
    ");
    let status = night.bed.run(&["status", "--json"]).ok().json();
    assert_eq!(status["state"], "running", "{status}");
    night.go(&["stop", "--now"]);
    night.clean();
}

#[test]
fn a_run_that_somebody_measures_by_hand_is_not_handed_over() {
    let night = Night::new(&[set(0)]);
    night.start_by_hand();
    night.release("measuring");
    night.hold("measure");
    night.bed.edit(4);
    std::thread::scope(|scope| {
        let trial = scope.spawn(|| night.bed.run(&["trial", "-m", "by hand"]).ok());
        night.wait("measuring");
        assert_answer!(night.bed.run(&["background", "start"]).fails(5), @"
        exit code 5
        --- stderr
        error: the run is held by process <pid> (`trial`, since <time>)
        hint: wait until that command has ended, then hand the run over
        ");
        night.release("measure");
        trial.join().unwrap();
    });
    assert_eq!(night.bed.story(), ["0 baseline", "1 keep"]);
    night.clean();
}

#[test]
fn a_stop_during_an_edit_takes_the_edit_back_and_names_the_end() {
    let night = Night::new(&[set(4), set(3)]);
    night.hold("hold");
    night.start();
    night.wait("edited");
    let stopped = night.go(&["stop"]);
    assert_eq!(
        (&stopped["alive"], &stopped["end"]),
        (&false.into(), &"user-stop".into())
    );
    assert_eq!(night.bed.story(), ["0 baseline", "1 interrupted"]);
    night.clean();
}

#[test]
fn a_stop_during_a_measurement_finishes_the_trial_and_stop_now_undoes_it() {
    for (words, story) in [
        (&["stop"][..], ["0 baseline", "1 keep"]),
        (&["stop", "--now"], ["0 baseline", "1 interrupted"]),
    ] {
        let night = Night::new(&[set(4), set(3)]);
        night.start_by_hand();
        night.release("measuring");
        night.hold("measure");
        night.go(&["start"]);
        night.wait("measuring");
        if words.len() == 1 {
            // The stop waits for the trial, which is let go only now.
            std::thread::scope(|scope| {
                let stop = scope.spawn(|| night.go(words));
                let order = night.bed.vault().join("driver/order.json");
                wait_until("the order is there", || order.exists());
                night.release("measure");
                assert_eq!(stop.join().unwrap()["end"], "user-stop");
            });
        } else {
            assert_eq!(night.go(words)["end"], "user-stop");
        }
        assert_eq!(night.bed.story(), story);
        night.release("measure");
        night.clean();
    }
}

#[test]
fn a_paused_run_goes_on_by_hand_and_then_in_the_background_again() {
    let night = Night::new(&[set(4), set(0)]);
    night.hold("hold");
    night.start();
    night.wait("edited");
    let paused = night.go(&["pause"]);
    assert_eq!(
        (&paused["alive"], &paused["phase"]),
        (&false.into(), &"paused".into())
    );
    assert_eq!(paused["end"], Value::Null);
    assert_eq!(night.bed.try_count(3), "keep");
    night.release("hold");
    night.moves(&[set(0)]);
    night.go(&["resume"]);
    assert_eq!(night.over()["end"], "target");
    assert_eq!(
        night.bed.story(),
        ["0 baseline", "1 interrupted", "2 keep", "3 keep"]
    );
    night.clean();
}

#[test]
fn a_ceiling_is_raised_and_the_same_run_goes_on() {
    let night = Night::new(&[set(4), set(3), set(0)]);
    night.configure(unattended().iterations(1));
    night.start();
    assert_eq!(night.over()["end"], "iteration-cap");
    // At its ceiling nothing is started, and nothing claims to be.
    let refused = night.bed.run(&["background", "start"]).fails(2).to_string();
    assert_answer!(refused, @"
    exit code 2
    --- stderr
    error: nothing was started: the run is at its limit (the only iteration is used)
    hint: `autoresearch raise --iterations N` raises it, for a person in a terminal; then `autoresearch background start`. `autoresearch finish` leaves the run
    ");
    let resumed = night.bed.run(&["background", "resume"]);
    assert_eq!(resumed.to_string(), refused);
    assert_eq!(night.bed.story(), ["0 baseline", "1 keep"]);
    let raising = ["background", "start", "--iterations", "3"];
    assert_answer!(night.bed.run(&raising).fails(2), @"
    exit code 2
    --- stderr
    error: `background start` raises no limit of a run, and --iterations N would
    hint: `autoresearch raise --iterations N` does, for a person in a terminal; then `autoresearch background start`
    ");
    let raised = night
        .bed
        .run(&["raise", "--iterations", "3", "--json"])
        .ok()
        .json();
    assert_eq!(raised["reopened"], true);
    night.go(&["start"]);
    assert_eq!(night.over()["end"], "target");
    assert_eq!(
        night.bed.story(),
        ["0 baseline", "1 keep", "2 keep", "3 keep"]
    );
    let refused = ["raise", "--iterations", "9"];
    assert_answer!(night.bed.run(&refused).fails(2), @"
    exit code 2
    --- stderr
    error: the run `demo` has ended: target
    hint: only a run that reached a limit or was blocked can be reopened; `autoresearch start` starts a new run
    ");
    night.bed.run(&["finish"]).ok();
    assert_answer!(night.bed.run(&refused).fails(2), @"
    exit code 2
    --- stderr
    error: the run `demo` is finished: `finish` has checked out what was there before it
    hint: `autoresearch start` starts a new run
    ");
    let status = night.bed.run(&["status", "--json"]).ok().json();
    assert_eq!(
        status["iterations_limit"], 3,
        "what was refused is not recorded"
    );
}

/// Kills the supervisor, and whatever else, at a moment; the next start goes on and loses nothing.
fn killed_at(gate: &str, sign: &str, victims: &str) {
    let night = Night::new(&[set(4)]);
    night.start_by_hand();
    night.release("measuring");
    night.hold(gate);
    night.go(&["start"]);
    night.wait(sign);
    let pid = night.pid();
    if victims != "child" {
        kill_process(pid, Signal::KILL).unwrap();
    }
    if victims != "supervisor" {
        for line in crate::testbed::pids_with(night.bed.folder.path().to_str().unwrap()) {
            let is_runner = line.1.contains("__run");
            if is_runner {
                let _ = kill_process(line.0, Signal::KILL);
            }
        }
    }
    let survives = victims == "child";
    if !survives {
        wait_until("it is gone", || night.status()["alive"] == false);
        assert_eq!(night.status()["phase"], "died");
    }
    night.moves(&[set(0)]);
    night.release(gate);
    if !survives {
        night.go(&["resume"]);
    }
    let over = night.over();
    assert_eq!(over["end"], "target", "{gate} {victims}: {over}");
    let story = night.bed.story();
    assert_eq!(
        story.last().unwrap().split(' ').nth(1),
        Some("keep"),
        "{story:?}"
    );
    let keeps = story.iter().filter(|row| row.ends_with("keep")).count();
    assert_eq!(
        night.bed.run_commits("autoresearch/demo").len(),
        keeps,
        "{story:?}"
    );
    night.clean();
}

#[test]
fn a_supervisor_that_is_killed_while_the_agent_edits_is_followed_by_one_that_goes_on() {
    killed_at("hold", "edited", "supervisor");
}

#[test]
fn a_supervisor_that_is_killed_while_verify_runs_is_followed_by_one_that_goes_on() {
    killed_at("measure", "measuring", "supervisor");
}

#[test]
fn supervisor_and_runner_that_are_killed_together_leave_orphans_that_the_next_one_ends() {
    killed_at("hold", "edited", "both");
    killed_at("measure", "measuring", "both");
}

#[test]
fn a_supervisor_that_is_killed_while_it_waits_is_followed_by_one_that_goes_on() {
    let night = Night::new(&["exit 75".to_owned(), set(0)]);
    let long = [("SEALED_PATIENCE", "6000000")];
    let words = ["background", "start", "--config", &night.config()];
    night.bed.run_with(&words, &long).ok();
    wait_until("it waits", || night.status()["phase"] == "waiting");
    assert_answer!(night.status()["why"].as_str().unwrap(), @"the service failed");
    kill_process(night.pid(), Signal::KILL).unwrap();
    wait_until("it is gone", || night.status()["alive"] == false);
    night.go(&["resume"]);
    assert_eq!(night.over()["end"], "target");
    assert_eq!(night.bed.story(), ["0 baseline", "1 keep"]);
    night.clean();
}

#[test]
fn a_child_that_is_killed_is_a_failed_turn_or_trial_and_the_run_goes_on() {
    killed_at("hold", "edited", "child");
    killed_at("measure", "measuring", "child");
}

#[test]
fn a_lock_file_that_nobody_holds_stops_nothing() {
    let night = Night::new(&[set(0)]);
    night.start_by_hand();
    let folder = night.bed.vault().join("driver");
    std::fs::create_dir_all(&folder).unwrap();
    let own = format!(
        "{{\"pid\":{},\"command\":\"supervise\",\"since\":\"x\"}}",
        std::process::id()
    );
    std::fs::write(folder.join("lock"), own).unwrap();
    night.go(&["start"]);
    assert_eq!(night.over()["end"], "target");
}

#[test]
fn an_agent_that_deletes_the_runs_folder_stops_the_supervisor_and_nothing_is_guessed() {
    // Not before the start was answered.
    let later =
        "while [ -e \"$HOME/answer\" ]; do sleep 0.02; done; rm -r autoresearch-results/demo";
    let night = Night::new(&[later.to_owned(), set(0)]);
    night.hold("answer");
    night.start();
    night.release("answer");
    wait_until("the supervisor ends", || {
        processes_with(night.bed.folder.path().to_str().unwrap()).is_empty()
    });
    assert_eq!(night.bed.git(&["log", "--oneline", "main.."]), "");
    assert_answer!(night.bed.run(&["background", "status"]).fails(4), @"
    exit code 4
    --- stderr
    error: the run `demo` was started here, but its folder autoresearch-results/demo is gone (`git clean -x` deletes it, because git ignores it); no trial was kept
    hint: if you moved it, put it back, and the run can continue. Otherwise this run cannot continue, and its log is lost; no commit and no file of yours was touched. autoresearch/demo is still checked out: `git switch main` goes back. `autoresearch clean` shows what is left and what can be removed
    ");
}

#[test]
fn a_session_that_had_the_run_is_silent_while_a_supervisor_drives_it() {
    let night = Night::new(&[set(4)]);
    night
        .bed
        .agent("0199-me", &["start", "--config", &night.config()])
        .ok();
    night.hold("hold");
    night.go(&["start"]);
    night.wait("edited");
    for event in ["session-start", "stop", "interrupt"] {
        let answer = night.bed.hook(event, "0199-me");
        assert_eq!((answer.code, answer.out.as_str()), (0, ""), "{event}");
    }
    night.go(&["stop"]);
    night.clean();
}

#[test]
fn commands_that_are_refused_while_a_run_is_driven_never_end_it() {
    let worse: Vec<String> = (11..15).map(set).collect();
    let night = Night::new(&worse);
    night.configure(unattended().iterations(4));
    night.start();
    let over = loop {
        night.bed.run(&["trial", "-m", "by hand"]);
        let status = night.status();
        if status["alive"] == false {
            break status;
        }
    };
    assert_eq!(over["end"], "iteration-cap", "{over}");
    night.clean();
}

#[test]
fn a_stop_after_supervisor_and_runner_were_killed_ends_the_orphans_as_well() {
    let night = Night::new(&[set(4)]);
    night.hold("hold");
    night.start();
    night.wait("edited");
    kill_process(night.pid(), Signal::STOP).unwrap();
    let supervisor = night.pid();
    for (pid, line) in crate::testbed::pids_with(night.bed.folder.path().to_str().unwrap()) {
        if line.contains("__run") {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    kill_process(supervisor, Signal::KILL).unwrap();
    wait_until("it is gone", || night.status()["alive"] == false);
    assert_eq!(night.go(&["stop"])["end"], "user-stop");
    let root = night.bed.folder.path().to_str().unwrap();
    wait_until("no process is left", || processes_with(root).is_empty());
}

#[test]
fn a_supervisor_that_a_signal_has_stopped_hears_an_order_all_the_same() {
    let night = Night::new(&[set(4)]);
    night.hold("hold");
    night.start();
    night.wait("edited");
    kill_process(night.pid(), Signal::STOP).unwrap();
    assert_eq!(night.go(&["stop"])["end"], "user-stop");
    night.clean();
}

#[test]
fn of_starts_at_the_same_time_one_wins_and_the_others_are_told_so() {
    let night = Night::new(&[set(4)]);
    night.start_by_hand();
    night.hold("hold");
    let codes: Vec<i32> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| night.bed.run(&["background", "start"])))
            .collect();
        let answers = starts.into_iter().map(|start| start.join().unwrap());
        answers.map(|answer| answer.code).collect()
    });
    let won = codes.iter().filter(|code| **code == 0).count();
    assert!(
        won == 1 && codes.iter().all(|code| [0, 5].contains(code)),
        "{codes:?}"
    );
    night.go(&["stop"]);
    night.clean();
}

#[test]
fn a_pipe_in_the_place_of_the_log_or_a_flood_of_words_makes_nobody_wait() {
    let flood = "yes x | head -c 3000000 | tr -d '\\n' >&2; printf '\\033[31m' >&2; exit 75";
    let night = Night::new(&[flood.to_owned(), set(4)]);
    night.hold("hold");
    night.start();
    night.wait("edited");
    let log = night.bed.run_file("runtime.log");
    let length = std::fs::metadata(&log).unwrap().len();
    assert!(length < 10_000, "{length}");
    for file in [log, night.bed.run_file("runtime.json")] {
        std::fs::remove_file(&file).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&file).status();
        assert!(made.unwrap().success());
    }
    assert_answer!(night.bed.run(&["background", "logs"]).fails(2), @"
    exit code 2
    --- stderr
    error: <bed>/repo/autoresearch-results/demo/runtime.log cannot be read: is not a regular file
    hint: a run that was never in the background has no such log
    ");
    assert_eq!(night.status()["alive"], true);
    assert_eq!(night.go(&["stop", "--now"])["end"], "user-stop");
    night.clean();
}

#[test]
fn a_run_that_is_left_because_something_is_wrong_is_notified_as_well() {
    let night = Night::new(&["git checkout -q --detach".to_owned()]);
    let notify = "notify: {command: 'cat >> \"$HOME/news\"', timeout: 1m}\n";
    night.configure(format!("{}{notify}", unattended()));
    night.start();
    assert_eq!(night.over()["phase"], "blocked");
    let news = std::fs::read_to_string(night.home("news")).unwrap();
    let news: Value = serde_json::from_str(news.trim()).unwrap();
    assert_eq!(
        (&news["what"], &news["end"]),
        (&"blocked".into(), &Value::Null)
    );
    assert_answer!(news["why"].as_str().unwrap(), @"
    error: HEAD is detached at <commit>
    hint: nothing was changed. `git switch autoresearch/demo` goes back to the run
    ");
}
