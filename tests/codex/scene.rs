//! Owns the scene of most tests: a repository with the skill and a config, our hooks, and an agent that does what the
//! tool's last line says.
//! Does not know what a test expects.
//! Invariant: the agent takes its commands from the text that the model sees, never from the test.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::config_text::ConfigText;
use crate::reply::{Reply, say, shell};
use crate::request::Request;
use crate::testbed::{Answer, finish};

/// Ten `any`, and the run is over at five. A file `src/crash` is a crash; a slow verify tells that it is at work.
pub(crate) fn config() -> ConfigText {
    ConfigText::demo()
        .target(5)
        .verify("test ! -e src/crash && sh slow.sh && sh count.sh")
        .verify_with("timeout", "1m")
        .iterations(20)
}

/// Waits only in trials of a test that wants it, and says so meanwhile: from then on the test may take its wish away.
const SLOW: &str = "if slow=$(cat \"$HOME/slow\" 2>/dev/null); then\n  touch \"$HOME/measuring\"; sleep \"$slow\"; rm \"$HOME/measuring\"\nfi\n";

/// The number of `any` that a shell writes into `src/a`, of ten in all at the start.
pub(crate) fn set(count: usize) -> String {
    format!("seq {count} | sed 's/.*/any/' > src/a")
}

/// A bench whose repository has the skill, and a config that is committed.
pub(crate) fn scene() -> Option<Bench> {
    let bench = scene_without_skill()?;
    copy(
        &skill(),
        &bench.bed.path(".agents/skills/codex-autoresearch"),
    );
    bench.bed.git(&["add", "-A"]);
    bench.bed.git(&["commit", "-qm", "the skill"]);
    Some(bench)
}

/// The same without the skill.
pub(crate) fn scene_without_skill() -> Option<Bench> {
    let bench = Bench::new()?;
    bench.bed.write("autoresearch.yaml", &config().to_string());
    bench.bed.write("slow.sh", SLOW);
    bench.bed.git(&["add", "-A"]);
    bench.bed.git(&["commit", "-qm", "config"]);
    Some(bench)
}

/// The bundle in this repository.
pub(crate) fn skill() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("skill/codex-autoresearch")
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            crate::testbed::copy_program(&path, &target);
        }
    }
}

/// The program as a build leaves it, under the name that is shipped.
pub(crate) fn built(folder: &Path) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    crate::testbed::copy_program(&Bench::engine(), &folder.join("autoresearch"));
    folder.join("autoresearch")
}

/// Adds our hooks, which also write down what they read and answer; they are not trusted yet.
pub(crate) fn add_hooks(bench: &Bench) {
    let words = [
        ("SessionStart", "session-start"),
        ("Stop", "stop"),
        ("Interrupt", "interrupt"),
    ];
    for (event, word) in words {
        let command = format!(
            "tee -a '{0}/{event}.in' | '{1}' hook {word} | tee -a '{0}/{event}.out'",
            bench.root.display(),
            Bench::engine().display()
        );
        let timeout = if event == "Interrupt" { 3 } else { 600 };
        let hook = json!({"type": "command", "command": command, "timeout": timeout});
        bench.hook_group(event, &json!({"hooks": [hook]}));
    }
}

/// A command of a person who has Codex on the PATH.
pub(crate) fn person(bench: &Bench, program: &Path, arguments: &[&str]) -> Answer {
    let mut command = std::process::Command::new(program);
    let folder = bench.codex.native.parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    command
        .args(arguments)
        .current_dir(&bench.bed.repo)
        .env_clear()
        .envs(bench.bed.env())
        .env("PATH", path)
        .env("CODEX_HOME", &bench.codex_home)
        .env("TMPDIR", bench.root.join("tmp"))
        .env("SEALED_PROGRAM", program)
        .env("SEALED_PATIENCE", "100");
    finish(command)
}

/// Everything that our hooks of an event have read, or answered (`in` or `out`).
pub(crate) fn hook_log(bench: &Bench, event: &str, which: &str) -> String {
    std::fs::read_to_string(bench.root.join(format!("{event}.{which}"))).unwrap_or_default()
}

/// The run is started by a person, in a terminal.
pub(crate) fn start_in_a_terminal(bench: &Bench) {
    bench.bed.run(&["start"]).ok();
}

/// Prints a figure, past the test runner, which hides what a passing test prints.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The last `next: ` line that the model sees.
pub(crate) fn last_next(request: &Request) -> Option<String> {
    let mut found = None;
    for item in request.body["input"].as_array().into_iter().flatten() {
        walk(item, &mut |text| {
            let mut lines = text.lines().rev();
            if let Some(line) = lines.find(|line| line.contains("next: ")) {
                let at = line.find("next: ").unwrap_or(0);
                found = Some(line[at..].replace("&quot;", "\""));
            }
        });
    }
    // The skill itself speaks of `next: ...`.
    found.filter(|line| !line.starts_with("next: ...") && !line.starts_with("next: `"))
}

fn walk(value: &Value, look: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => look(text),
        Value::Array(values) => values.iter().for_each(|value| walk(value, look)),
        Value::Object(fields) => fields.values().for_each(|value| walk(value, look)),
        _ => {}
    }
}

/// An agent that does what the tool's last line says, with these edits in turn.
pub(crate) struct Agent {
    /// The program, as it was told to call it.
    engine: String,
    /// What it runs first.
    first: String,
    edits: Vec<String>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    began: bool,
    edited: usize,
    asked: usize,
    finished: bool,
}

impl Agent {
    /// An agent that begins with a command of the engine, and then makes these edits.
    pub(crate) fn new(first: &str, edits: &[&str]) -> Self {
        Self::of(&Bench::engine(), first, edits)
    }

    /// The same with a program that was installed.
    pub(crate) fn of(engine: &Path, first: &str, edits: &[&str]) -> Self {
        Self {
            engine: engine.display().to_string(),
            first: format!("{} {first}", engine.display()),
            edits: edits.iter().map(|edit| (*edit).to_owned()).collect(),
            state: Mutex::default(),
        }
    }

    /// What it does next.
    pub(crate) fn answer(&self, request: &Request) -> Reply {
        let mut state = self.state.lock().unwrap();
        if !std::mem::replace(&mut state.began, true) {
            return shell(&self.first);
        }
        let Some(next) = last_next(request) else {
            return say("I was told nothing");
        };
        // The program is called as the sentence names it.
        let words: Vec<&str> = next.split_whitespace().collect();
        let known = ["trial", "propose", "strategy"];
        let is_call = |pair: &[&str]| pair[0].starts_with('/') && known.contains(&pair[1]);
        let at = words.windows(2).position(is_call);
        let engine = at.map_or(self.engine.as_str(), |at| words[at]);
        if next.contains("the run has ended") && !state.finished {
            state.finished = true;
            return shell(&format!("{engine} finish"));
        }
        if next.starts_with("next: end your turn now") || next.contains("is registered and not") {
            return say("registered");
        }
        let Some(word) = at.and_then(|at| words.get(at + 1)) else {
            return say(&format!("nothing to do: {next}"));
        };
        if next.contains("--rework") {
            return shell(&format!("{engine} {word} --drop"));
        }
        if *word == "strategy" {
            // `engine strategy refine -m "..."`, and no more of the sentence.
            let kind = at.and_then(|at| words.get(at + 2)).unwrap_or(&"");
            return shell(&format!("{engine} strategy {kind} -m \"another way\""));
        }
        if !matches!(*word, "trial" | "propose") {
            return say(&format!("nothing to do: {next}"));
        }
        if state.edited == state.asked {
            let Some(edit) = self.edits.get(state.edited) else {
                return say("out of ideas");
            };
            state.edited += 1;
            return shell(edit);
        }
        state.asked += 1;
        shell(&format!("{engine} {word} -m \"change {}\"", state.asked))
    }
}
