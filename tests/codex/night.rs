//! Nights in the background with the real Codex: twelve trials, bad weather, agents that stray, and every way to die.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::config_text::ConfigText;
use crate::reply::{Reply, say, shell, silent, status, usage_limit_with_headers};
use crate::scene::{config, person, scene_without_skill, set};
use crate::testbed::{pids_with, wait_until};

/// What one answer of the scripted model claims to cost: its tokens, input and output together.
const COST: u64 = 101;

/// The agent's answer.
fn answer(message: &str) -> Reply {
    let answer = json!({
        "message": message, "hypothesis": "fewer", "labels": [], "simplify": false,
        "strategy": "another way", "nothing_more": false,
    });
    say(&answer.to_string())
}

/// A turn: an edit, and the answer.
fn turn(edit: &str) -> [Reply; 2] {
    [shell(edit), answer(edit)]
}

pub(crate) struct Night {
    pub bench: Bench,
}

impl Night {
    fn new() -> Option<Self> {
        Self::with(&config())
    }

    pub(crate) fn with(config: &ConfigText) -> Option<Self> {
        let bench = scene_without_skill()?;
        bench.bed.write("autoresearch.yaml", &config.to_string());
        bench
            .bed
            .git(&["commit", "-qam", "config", "--allow-empty"]);
        // Codex's own patience is measured in `turns`; here it would only take time.
        for key in ["request_max_retries", "stream_max_retries"] {
            bench.set(&["model_providers", "scripted", key], 1);
        }
        Some(Self { bench })
    }

    fn go(&self, words: &[&str]) -> Value {
        let words = [&["background"], words, &["--json"]].concat();
        person(&self.bench, &Bench::engine(), &words).ok().json()
    }

    pub(crate) fn start(&self) {
        self.go(&["start", "--config", "autoresearch.yaml"]);
    }

    pub(crate) fn over(&self) -> Value {
        wait_until("the supervisor ends", || {
            self.go(&["status"])["alive"] == false
        });
        self.go(&["status"])
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.bench.bed.run_file("runtime.log")).unwrap_or_default()
    }

    fn records(&self) -> Vec<Value> {
        let journal = std::fs::read_to_string(self.bench.bed.run_file("journal.jsonl")).unwrap();
        let lines = journal.lines();
        lines
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["event"].clone())
            .collect()
    }

    pub(crate) fn turns(&self) -> Vec<Value> {
        let records = self.records();
        let turns = records.iter().filter_map(|event| event.get("turn"));
        turns.cloned().collect()
    }
}

/// What `src/a` holds after each of twelve turns.
const COUNTS: [usize; 12] = [4, 6, 3, 9, 8, 2, 7, 1, 5, 4, 0, 3];
/// Which of them are better than all before.
const VERDICTS: [&str; 12] = [
    "keep", "discard", "keep", "discard", "discard", "keep", "discard", "keep", "discard",
    "discard", "keep", "discard",
];

#[test]
fn a_night_of_twelve_trials_agrees_in_journal_table_commits_and_requests() {
    let twelve = config()
        .target(0)
        .iterations(12)
        .agent_with("turns_per_thread", 5);
    let Some(night) = Night::with(&twelve) else {
        return;
    };
    let bench = &night.bench;
    std::fs::write(bench.bed.home.join("slow"), "0.3").unwrap();
    let (measuring, during) = (
        bench.bed.home.join("measuring"),
        Arc::new(AtomicUsize::new(0)),
    );
    let counted = Arc::clone(&during);
    bench.model.react(move |request| {
        counted.fetch_add(usize::from(measuring.exists()), Ordering::Relaxed);
        let [edit, answer] = turn(&set(COUNTS[(request.number / 2).min(11)]));
        if request.number.is_multiple_of(2) {
            edit
        } else {
            answer
        }
    });
    night.start();
    let over = night.over();
    assert_eq!(over["end"], "iteration-cap", "{over} {}", night.log());
    assert_eq!(
        during.load(Ordering::Relaxed),
        0,
        "the model was asked while verify ran"
    );
    let story = bench.bed.story();
    let verdicts: Vec<&str> = story[1..]
        .iter()
        .map(|row| row.split(' ').nth(1).unwrap())
        .collect();
    assert_eq!(verdicts, VERDICTS);
    assert_eq!(bench.bed.run_commits("autoresearch/demo").len(), 5);
    agrees(&night);
}

/// Journal, state, log and the model's own list of requests tell of the same twelve turns.
fn agrees(night: &Night) {
    let turns = night.turns();
    assert_eq!(turns.len(), 12);
    let requests = night.bench.model.requests();
    assert_eq!(requests.len(), 24, "two for each turn, and none besides");
    let mut threads: Vec<&Value> = turns.iter().map(|turn| &turn["thread"]).collect();
    threads.dedup();
    assert_eq!(threads.len(), 3, "five turns in a thread");
    for (turn, request) in turns.iter().zip(requests.iter().step_by(2)) {
        assert_eq!(turn["thread"], request.thread());
        assert_eq!(turn["tokens"], 2 * COST, "{turn}");
        assert!(request.last_user_text().contains("Goal: \"Fewer any\""));
    }
    let state = night
        .bench
        .bed
        .read("autoresearch-results/demo/autoresearch-state.json");
    assert!(state.contains("\"iteration-cap\""), "{state}");
    let log = night.log();
    assert_eq!(log.matches(": the agent edits").count(), 12, "{log}");
}

/// A moment, in seconds since 1970.
pub(crate) fn seconds_ahead(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() + seconds
}

/// After the first answers, the agent reaches the target.
fn then_done(night: &Night, first: Vec<Reply>) {
    night.bench.model.react(move |request| {
        let done = turn(&set(0));
        match request.number.checked_sub(first.len()) {
            None => first[request.number].clone(),
            Some(0) => done[0].clone(),
            Some(_) => done[1].clone(),
        }
    });
}

#[test]
fn a_usage_limit_is_slept_out_and_nobody_asks_meanwhile() {
    let Some(night) = Night::new() else { return };
    // The window is counted from the request, however long the start took.
    night.bench.model.react(|request| {
        let done = turn(&set(0));
        match request.number {
            0 => usage_limit_with_headers(seconds_ahead(20)),
            1 => done[0].clone(),
            _ => done[1].clone(),
        }
    });
    night.start();
    assert_eq!(night.over()["end"], "target", "{}", night.log());
    let requests = night.bench.model.requests();
    assert_eq!(requests.len(), 3);
    let gap = requests[1].arrived - requests[0].arrived;
    assert!(gap > Duration::from_secs(17), "{gap:?} {}", night.log());
    assert_eq!(night.bench.bed.story(), ["0 baseline", "1 keep"]);
    assert_eq!(night.turns()[0]["fault"], "the usage limit is reached");
}

#[test]
fn a_storm_of_errors_passes_and_is_no_trial() {
    let Some(night) = Night::new() else { return };
    let ill = status(500, json!({"error": {"message": "ill"}}));
    then_done(&night, vec![ill; 9]);
    night.start();
    assert_eq!(night.over()["end"], "target", "{}", night.log());
    assert_eq!(night.bench.bed.story(), ["0 baseline", "1 keep"]);
    assert!(
        night.log().contains("the service failed"),
        "{}",
        night.log()
    );
}

#[test]
fn a_refused_connection_ends_the_turn_and_the_run_goes_on_when_it_is_back() {
    let Some(night) = Night::new() else { return };
    let url = ["model_providers", "scripted", "base_url"];
    // A port that nobody listens on.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    night.bench.set(&url, format!("http://127.0.0.1:{port}/v1"));
    then_done(&night, Vec::new());
    night.start();
    wait_until("the turn fails", || {
        night.log().contains("cannot be reached")
    });
    night.bench.set(&url, night.bench.model.url());
    assert_eq!(night.over()["end"], "target", "{}", night.log());
    assert_eq!(night.bench.bed.story(), ["0 baseline", "1 keep"]);
}

#[test]
fn a_stream_that_hangs_is_ended_at_the_turns_deadline() {
    // Long enough for every turn that does not hang, also on a busy machine.
    let Some(night) = Night::with(&config().agent_with("timeout", "15s")) else {
        return;
    };
    then_done(&night, vec![shell(&set(7)), silent()]);
    night.start();
    let over = night.over();
    assert_eq!(over["end"], "target", "{}", night.log());
    // What it had edited is undone, and the next turn has a fresh thread.
    assert_eq!(
        night.bench.bed.story(),
        ["0 baseline", "1 interrupted", "2 keep"]
    );
    let turns = night.turns();
    assert_eq!(turns[0]["fault"], "the turn timed out");
    assert_ne!(turns[1]["thread"], Value::Null);
}

#[test]
fn an_agent_without_an_answer_or_with_edits_elsewhere_or_a_commit_is_handled_and_the_run_goes_on() {
    let Some(night) = Night::new() else { return };
    let stray = format!("{}; echo mine >> other/notes.md", set(3));
    let back = "printf 'notes\\n' > other/notes.md";
    let commit = format!("{}; git commit -qam mine; echo code $?", set(3));
    let script = [
        vec![shell(&set(4)), say("I am no JSON")],
        turn(&stray).to_vec(),
        vec![
            shell(&format!("{back}; {}", set(3))),
            answer("put back, and fewer"),
        ],
        vec![shell(&commit), answer("committed it myself")],
        turn(&set(0)).to_vec(),
    ];
    night.bench.model.play(script.concat());
    night.start();
    let over = night.over();
    assert_eq!(over["end"], "target", "{over} {}", night.log());
    let bed = &night.bench.bed;
    assert_eq!(
        bed.story(),
        [
            "0 baseline",
            "1 keep",
            "2 discard",
            "3 keep",
            "4 no-op",
            "5 keep"
        ],
        "{}",
        night.log()
    );
    let rows = bed.rows();
    assert!(rows[1][6].contains("did not say"), "{rows:?}");
    assert!(rows[2][6].contains("out-of-scope"), "{rows:?}");
    let outputs = night.bench.model.last().outputs().join("\n");
    assert!(outputs.contains("Read-only file system"), "{outputs}");
    let authors = bed.git(&["log", "--format=%s", "main..autoresearch/demo"]);
    assert!(
        authors.lines().all(|line| line.starts_with("experiment: ")),
        "{authors}"
    );
}

#[test]
fn a_turn_that_deletes_the_runs_folder_ends_the_night_without_a_guess() {
    let Some(night) = Night::new() else { return };
    // Not before the start was answered.
    let answer = night.bench.bed.home.join("answer");
    std::fs::write(&answer, "").unwrap();
    let later = format!(
        "while [ -e '{}' ]; do sleep 0.1; done; rm -r autoresearch-results/demo",
        answer.display()
    );
    night.bench.model.play(turn(&later));
    night.start();
    std::fs::remove_file(&answer).unwrap();
    let root = night.bench.root.to_str().unwrap().to_owned();
    wait_until("the supervisor ends", || {
        !pids_with(&root)
            .iter()
            .any(|(_, line)| line.contains("supervisor"))
    });
    assert_eq!(night.bench.bed.git(&["log", "--oneline", "main.."]), "");
    person(&night.bench, &Bench::engine(), &["background", "status"])
        .fails(4)
        .says("its folder autoresearch-results/demo is gone");
}

#[test]
fn an_expired_login_blocks_at_once_and_a_login_lets_the_same_run_go_on() {
    let Some(night) = Night::new() else { return };
    let refused = status(401, json!({"error": {"message": "expired"}}));
    then_done(&night, vec![refused; 2]);
    night.start();
    let over = night.over();
    assert_eq!(over["end"], "blocked", "{over} {}", night.log());
    let asked = night.bench.model.requests().len();
    assert!(
        asked <= 2,
        "Codex's own retries, and no turn after them: {asked}"
    );
    let why = person(&night.bench, &Bench::engine(), &["status"]).ok();
    why.says("codex login");
    then_done(&night, Vec::new());
    let from = asked;
    night.bench.model.react(move |request| {
        let done = turn(&set(0));
        if (request.number - from).is_multiple_of(2) {
            done[0].clone()
        } else {
            done[1].clone()
        }
    });
    night.go(&["start"]);
    assert_eq!(night.over()["end"], "target", "{}", night.log());
}

/// When something is killed or stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Moment {
    /// Codex edits.
    Turn,
    /// Verify runs.
    Verify,
    /// The supervisor waits for better weather.
    Wait,
}

/// A night that has come to this moment.
fn at(moment: Moment) -> Option<Night> {
    let night = Night::new()?;
    let (model, home) = (&night.bench.model, &night.bench.bed.home);
    match moment {
        Moment::Turn => {
            then_done(&night, vec![shell(&set(7)), silent()]);
            night.start();
            model.wait_for("the turn", |request| request.number == 1);
        }
        Moment::Verify => {
            then_done(&night, turn(&set(4)).to_vec());
            person(&night.bench, &Bench::engine(), &["start"]).ok();
            std::fs::write(home.join("slow"), "50").unwrap();
            night.go(&["start"]);
            wait_until("verify runs", || home.join("measuring").exists());
        }
        Moment::Wait => {
            then_done(&night, vec![usage_limit_with_headers(seconds_ahead(3_600))]);
            night.start();
            wait_until("it waits", || night.go(&["status"])["phase"] == "waiting");
        }
    }
    Some(night)
}

/// Kills these at a moment; the run goes on without losing or repeating a trial.
fn killed(victims: &[&str], moment: Moment, first: &[&str]) {
    let Some(night) = at(moment) else { return };
    // The next verify is not slow.
    let _ = std::fs::remove_file(night.bench.bed.home.join("slow"));
    let root = night.bench.root.to_str().unwrap().to_owned();
    let mut killed = 0;
    for (pid, line) in pids_with(&root) {
        let is = |what: &&str| match *what {
            "supervisor" => line.contains("sealed supervisor -C"),
            "runner" => line.contains("__run"),
            _ => line.contains("codex exec"),
        };
        if victims.iter().any(is) {
            kill(pid);
            killed += 1;
        }
    }
    assert!(killed >= victims.len(), "{victims:?}");
    if victims.contains(&"supervisor") {
        wait_until("it is gone", || night.go(&["status"])["alive"] == false);
        night.go(&["start"]);
    }
    let over = night.over();
    let told = format!("{victims:?} {moment:?} {}", night.log());
    assert_eq!(over["end"], "target", "{told}");
    assert_eq!(night.bench.bed.story(), first, "{told}");
    assert_eq!(night.bench.bed.git(&["status", "--porcelain"]), "");
}

fn kill(pid: Pid) {
    let _ = kill_process(pid, Signal::KILL);
}

/// What was under way is undone and does not count.
const UNDONE: [&str; 3] = ["0 baseline", "1 interrupted", "2 keep"];

#[test]
fn codex_or_a_verify_that_is_killed_is_a_failed_turn_or_a_crash() {
    killed(&["codex"], Moment::Turn, &UNDONE);
    let crash = ["0 baseline", "1 crash", "2 keep"];
    killed(&["runner"], Moment::Verify, &crash);
}

#[test]
fn a_supervisor_that_is_killed_takes_its_child_along_and_the_next_one_goes_on() {
    killed(&["supervisor"], Moment::Turn, &UNDONE);
    killed(&["supervisor"], Moment::Verify, &UNDONE);
    killed(&["supervisor"], Moment::Wait, &["0 baseline", "1 keep"]);
}

#[test]
fn supervisor_and_runner_that_are_killed_leave_orphans_that_the_next_one_ends() {
    killed(&["supervisor", "runner"], Moment::Turn, &UNDONE);
    killed(&["supervisor", "runner"], Moment::Verify, &UNDONE);
}

#[test]
fn a_stop_at_any_moment_leaves_nothing_behind_and_a_named_end() {
    for (moment, words, story) in [
        (
            Moment::Turn,
            &["stop"][..],
            &["0 baseline", "1 interrupted"][..],
        ),
        (
            Moment::Verify,
            &["stop", "--now"],
            &["0 baseline", "1 interrupted"],
        ),
        (Moment::Wait, &["stop"], &["0 baseline"]),
    ] {
        let Some(night) = at(moment) else { return };
        let stopped = night.go(words);
        assert_eq!(
            (&stopped["alive"], &stopped["end"]),
            (&false.into(), &"user-stop".into()),
            "{moment:?}"
        );
        assert_eq!(night.bench.bed.story(), story, "{moment:?} {}", night.log());
        assert_eq!(night.bench.bed.git(&["status", "--porcelain"]), "");
        // The answer came when the supervisor's lock was free; it is gone a moment later.
        wait_until("no process is left", || night.bench.processes().is_empty());
    }
}

#[test]
fn a_session_hands_a_run_over_and_ends_and_the_run_goes_on() {
    let Some(night) = Night::new() else { return };
    let bench = &night.bench;
    let folder = bench.codex.native.parent().unwrap().display();
    // A login shell has the PATH of its profile.
    let profile = format!("PATH={folder}:$PATH\n");
    std::fs::write(bench.bed.home.join(".profile"), profile).unwrap();
    let start = format!(
        "{} background start --config autoresearch.yaml",
        Bench::engine().display()
    );
    // Codex hands the output of a command that ends at once on to the model, or nothing of it: the file has it all.
    let kept = bench.bed.home.join("said.txt");
    let start_and_keep = format!("{start} | tee {}", kept.display());
    bench.model.play([
        shell(&start_and_keep),
        say("it runs; look with `background attach`"),
    ]);
    bench.model.play([
        shell(&set(4)),
        answer("six fewer"),
        shell(&set(0)),
        answer("none"),
    ]);
    bench.exec("go").sandbox("danger-full-access").run().ok();
    let told = std::fs::read_to_string(&kept).unwrap();
    // The answer waits for the first thing that the supervisor does; which one it sees is a matter of speed.
    let phases = ["turn", "measuring", "ended"];
    let says = |phase: &&str| told.contains(&format!("in the background: {phase}"));
    assert!(phases.iter().any(says), "{told}");
    assert_eq!(night.over()["end"], "target", "{}", night.log());
    assert_eq!(bench.bed.story(), ["0 baseline", "1 keep", "2 keep"]);
    // In the sandbox it is refused, with the way out.
    bench.model.play([shell(&start), say("told")]);
    bench.exec("go").sandbox("workspace-write").run().ok();
    let output = bench.model.last().outputs().pop().unwrap();
    assert!(output.contains("run this command outside it"), "{output}");
}

/// A session of `codex exec` whose prompt has every field: the config is written, checked, and run once.
fn in_mode_exec(sandbox: &str) -> Option<(Night, Vec<String>)> {
    let night = Night::new()?;
    let bench = &night.bench;
    let text = bench.bed.read("autoresearch.yaml");
    bench.bed.git(&["rm", "-q", "autoresearch.yaml"]);
    bench.bed.git(&["commit", "-qm", "no config"]);
    let folder = bench.codex.native.parent().unwrap().display();
    std::fs::write(
        bench.bed.home.join(".profile"),
        format!("PATH={folder}:$PATH\n"),
    )
    .unwrap();
    let engine = Bench::engine().display().to_string();
    let flags = "--iterations 2 --time-limit 10m";
    bench.model.play([
        shell(&format!("cat > autoresearch.yaml <<'END'\n{text}END")),
        shell(&format!("{engine} config check")),
        shell(&format!("{engine} exec --config autoresearch.yaml {flags}")),
        say("reported"),
    ]);
    if sandbox == "danger-full-access" {
        bench.model.play(turn(&set(0)));
    }
    let prompt = format!("mode exec. Everything is given:\n{text}{flags}");
    bench.exec(&prompt).sandbox(sandbox).run().ok();
    let is_ours = |request: &&crate::request::Request| request.saw("Everything is given");
    let requests = night.bench.model.requests();
    let outputs = requests.iter().rfind(is_ours).unwrap().outputs();
    Some((night, outputs))
}

#[test]
fn a_prompt_in_mode_exec_runs_to_its_end_in_a_session_with_full_access() {
    let Some((night, outputs)) = in_mode_exec("danger-full-access") else {
        return;
    };
    assert!(outputs[1].contains("no problems"), "{outputs:?}");
    assert!(outputs[2].contains("\"status\":\"target\""), "{outputs:?}");
    assert!(outputs[2].contains("\"improved\":true"), "{outputs:?}");
    assert_eq!(night.bench.bed.story(), ["0 baseline", "1 keep"]);
}

#[test]
fn a_prompt_in_mode_exec_ends_in_the_sandbox_with_the_one_line_of_who_can_run_it() {
    let Some((night, outputs)) = in_mode_exec("workspace-write") else {
        return;
    };
    let (_, said) = outputs[2].split_once("Output:").unwrap();
    let error: Value = serde_json::from_str(said.trim()).unwrap();
    assert_eq!(error["exit_code"], 2, "{error}");
    let hint = error["hint"].as_str().unwrap();
    assert!(
        hint.contains("run this same line in CI or in a terminal"),
        "{hint}"
    );
    assert!(!night.bench.bed.path("autoresearch-results").exists());
    assert_eq!(
        night.bench.bed.git(&["branch", "--list", "autoresearch/*"]),
        ""
    );
}

#[test]
fn exec_drives_codex_in_its_sandbox_and_keeps_its_contract() {
    let Some(night) = Night::new() else { return };
    then_done(&night, Vec::new());
    let words = ["exec", "--config", "autoresearch.yaml", "--iterations", "3"];
    let answer = person(&night.bench, &Bench::engine(), &words).ok();
    let lines: Vec<Value> = answer
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2, "{answer:?}");
    assert_eq!(lines[1]["status"], "target");
    assert_eq!(lines[1]["cost"]["tokens"], 2 * COST);
    assert_eq!(
        night.bench.bed.git(&["branch", "--show-current"]).trim(),
        "main"
    );
}
