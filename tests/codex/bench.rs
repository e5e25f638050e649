//! Owns the sealed world of one test: a repository, a home and a Codex home of its own, and the scripted model.
//! Does not script the model, and does not install the CLI.
//! Invariant: at the end no process of the test is left, and the model was asked for nothing that no script foresaw.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::app_server::AppServer;
use crate::install::{self, Codex};
use crate::model::Model;
use crate::running::{self, Running};
use crate::testbed::{Answer, Testbed};

/// How long processes may take to end by themselves once a test is over.
const GRACE: Duration = Duration::from_mins(1);

/// One test's world. Everything is below `bed.folder`.
pub(crate) struct Bench {
    pub codex: &'static Codex,
    pub model: Model,
    /// The repository, the home and the state folder; `bed.run` runs the binary under test outside of Codex.
    pub bed: Testbed,
    pub root: PathBuf,
    pub codex_home: PathBuf,
    /// Variables of every Codex that this bench starts, besides the sealed ones.
    pub env: Vec<(String, String)>,
}

impl Bench {
    /// A bench with the repository of `Testbed::new`, trusted by Codex; `None` when there is no CLI (see `install`).
    pub(crate) fn new() -> Option<Self> {
        let codex = install::codex()?;
        let below = Path::new(env!("CARGO_TARGET_TMPDIR")).join("codex-benches");
        std::fs::create_dir_all(&below).unwrap();
        let bed = Testbed::new_in(&below);
        let root = bed.folder.path().canonicalize().unwrap();
        let codex_home = root.join("codex-home");
        std::fs::create_dir(&codex_home).unwrap();
        std::fs::create_dir(root.join("tmp")).unwrap();
        let model = Model::new();
        let bench = Self {
            codex,
            model,
            bed,
            root,
            codex_home,
            env: Vec::new(),
        };
        std::fs::write(bench.codex_home.join("config.toml"), bench.config()).unwrap();
        Some(bench)
    }

    /// The bundled model `gpt-6.1-sol` works in code mode, as users have it; an unknown one would get other tools.
    fn config(&self) -> String {
        format!(
            r#"model = "gpt-6.1-sol"
model_provider = "scripted"
check_for_update_on_startup = false

[model_providers.scripted]
name = "scripted"
base_url = "{}"
wire_api = "responses"
requires_openai_auth = false
supports_websockets = false

[analytics]
enabled = false

[features]
enable_request_compression = false
# Where the test runner is killed, its Codex must end soon after the model's server.
unbounded_connection_retries = false

# For each command, the sandbox makes and removes `.git`, `.codex`, `.agents` and `.aws` in every folder that may be
# written in, with a lock below TMPDIR. The benches have a TMPDIR each, so in a shared folder they would remove them
# under each other's hands, and commands would fail. It also keeps the home out of reach if the build is below /tmp.
[sandbox_workspace_write]
exclude_slash_tmp = true

[projects."{}"]
trust_level = "trusted"
"#,
            self.model.url(),
            self.bed.repo.display(),
        )
    }

    /// The native program in the repository, with the sealed variables and no others.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.codex.native);
        command
            .args(arguments)
            .current_dir(&self.bed.repo)
            .env_clear()
            .envs(self.bed.env())
            .env("CODEX_HOME", &self.codex_home)
            // Codex makes no helper links in a home below the temporary folder; this one is beside it, wherever the
            // build's folder is.
            .env("TMPDIR", self.root.join("tmp"))
            // Whoever asks for a host beyond loopback asks the model's server for a tunnel, which refuses it.
            .env("HTTP_PROXY", self.model.proxy())
            .env("HTTPS_PROXY", self.model.proxy())
            .env("NO_PROXY", "127.0.0.1,localhost")
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// `codex exec` with a prompt, still to be started.
    pub(crate) fn exec(&self, prompt: &str) -> Exec<'_> {
        self.exec_raw(&[], &[prompt])
    }

    /// `codex exec resume` of a thread.
    pub(crate) fn resume(&self, thread: &str, prompt: &str) -> Exec<'_> {
        self.exec_raw(&["resume"], &[thread, prompt])
    }

    /// `codex exec review` of what is not committed.
    pub(crate) fn review(&self) -> Exec<'_> {
        self.exec_raw(&["review", "--uncommitted"], &[])
    }

    /// Any `codex exec <options> <subcommand> <operands>`, such as `fork`.
    pub(crate) fn exec_raw(&self, command: &[&str], operands: &[&str]) -> Exec<'_> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Exec {
            bench: self,
            options: Vec::new(),
            command: owned(command),
            operands: owned(operands),
            env: Vec::new(),
        }
    }

    /// An app server, initialized.
    pub(crate) fn app_server(&self) -> AppServer<'_> {
        AppServer::start(self)
    }

    /// Runs any other command of the CLI to its end.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Answer {
        Running::start(self.command(arguments), &self.root).wait()
    }

    /// Adds tables to `$CODEX_HOME/config.toml`; single settings are for `Exec::config`.
    pub(crate) fn configure(&self, tables: &str) {
        let path = self.codex_home.join("config.toml");
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str(tables);
        std::fs::write(path, text).unwrap();
    }

    /// Sets one key of `$CODEX_HOME/config.toml`, by the names of the tables that lead to it.
    pub(crate) fn set(&self, key: &[&str], value: impl Into<toml_edit::Value>) {
        self.edit(key, |table, name| {
            table.insert(name, toml_edit::value(value));
        });
    }

    /// Takes one key out, which must be there.
    pub(crate) fn unset(&self, key: &[&str]) {
        self.edit(key, |table, name| {
            table.remove(name).unwrap();
        });
    }

    fn edit(&self, key: &[&str], act: impl FnOnce(&mut toml_edit::Table, &str)) {
        let path = self.codex_home.join("config.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let mut file: toml_edit::DocumentMut = text.parse().unwrap();
        let (name, tables) = key.split_last().unwrap();
        let table = tables.iter().fold(file.as_table_mut(), |table, name| {
            table[name].as_table_mut().unwrap()
        });
        act(table, name);
        std::fs::write(path, file.to_string()).unwrap();
    }

    /// Adds a hook to `$CODEX_HOME/hooks.json`. It is not trusted yet.
    pub(crate) fn hook(&self, event: &str, command: &str) {
        let mut hook = json!({"type": "command", "command": command});
        if ["SessionEnd", "Interrupt"].contains(&event) {
            // The most that Codex allows these two; the default of one second is short for a busy machine.
            hook["timeout"] = 3.into();
        }
        self.hook_group(event, &json!({"hooks": [hook]}));
    }

    /// Adds a whole group: `matcher`, and hooks with `timeout`, `async`, `statusMessage`, ...
    pub(crate) fn hook_group(&self, event: &str, group: &Value) {
        let path = self.codex_home.join("hooks.json");
        let old = std::fs::read(&path).unwrap_or_else(|_| b"{\"hooks\":{}}".to_vec());
        let mut file: Value = serde_json::from_slice(&old).unwrap();
        let groups = file["hooks"].as_object_mut().unwrap();
        let groups = groups.entry(event).or_insert_with(|| json!([]));
        groups.as_array_mut().unwrap().push(group.clone());
        std::fs::write(path, file.to_string()).unwrap();
    }

    /// The binary under test, for commands of the model. Its state folder comes from the bench's variables.
    pub(crate) fn engine() -> PathBuf {
        assert_cmd::cargo::cargo_bin("autoresearch-sealed")
    }

    /// Adds a rule: a command that begins with these words runs outside of the sandbox.
    ///
    /// Codex applies it only to a command of plain words: no `cd`, pipe, redirection, variable or quoted program.
    pub(crate) fn allow(&self, words: &[&str]) {
        let folder = self.codex_home.join("rules");
        std::fs::create_dir_all(&folder).unwrap();
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(folder.join("bench.rules"))
            .unwrap();
        writeln!(file, "prefix_rule(pattern={words:?}, decision=\"allow\")").unwrap();
    }

    /// Adds a hook that records its input, for `heard`, and then runs a command.
    pub(crate) fn listen(&self, event: &str, then: &str) {
        let log = self.log(event);
        self.hook(event, &format!("cat >> '{}'; {then}", log.display()));
    }

    /// The inputs of the hooks of `listen`, oldest first.
    pub(crate) fn heard(&self, event: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.log(event)).unwrap_or_default();
        let inputs = serde_json::Deserializer::from_str(&text).into_iter();
        inputs.map(Result::unwrap).collect()
    }

    fn log(&self, event: &str) -> PathBuf {
        self.root.join(format!("heard-{event}"))
    }

    /// Trusts every hook, as the app server offers it, and checks that Codex agrees.
    pub(crate) fn trust_hooks(&self) {
        let mut server = self.app_server();
        server.trust_hooks();
        for hook in server.hooks() {
            assert_eq!(hook["trustStatus"], "trusted", "{hook}");
        }
    }

    /// The processes of this test that run now.
    pub(crate) fn processes(&self) -> Vec<String> {
        let left = running::left(&self.root);
        left.into_iter().map(|(_, line)| line).collect()
    }

    /// Kills every process of this test; for those that left something behind on purpose.
    pub(crate) fn kill_all(&self) {
        running::kill_all(&self.root);
    }
}

impl Drop for Bench {
    #[expect(
        clippy::print_stderr,
        reason = "the test runner shows it with the failure"
    )]
    fn drop(&mut self) {
        let gone = running::within(GRACE, || running::left(&self.root).is_empty());
        let killed = running::kill_all(&self.root);
        // A test that fails already must not fail twice: that would abort the others.
        if std::thread::panicking() {
            let faults = self.model.faults();
            eprintln!("processes left: {killed:?}; faults of the model: {faults:?}");
        } else {
            assert!(gone, "processes were left behind: {killed:?}");
            assert_eq!(self.model.faults(), Vec::<String>::new());
        }
    }
}

/// A `codex exec` that is being put together.
pub(crate) struct Exec<'bench> {
    bench: &'bench Bench,
    options: Vec<String>,
    command: Vec<String>,
    operands: Vec<String>,
    env: Vec<(String, String)>,
}

impl Exec<'_> {
    /// `read-only`, `workspace-write` or `danger-full-access`.
    pub(crate) fn sandbox(self, mode: &str) -> Self {
        self.args(&["--sandbox", mode])
    }

    /// Events as JSON lines, for `events` and `thread`.
    pub(crate) fn json(self) -> Self {
        self.args(&["--json"])
    }

    /// A setting: `key=value` as in `-c`.
    pub(crate) fn config(self, setting: &str) -> Self {
        self.args(&["-c", setting])
    }

    /// Options of `codex exec`.
    pub(crate) fn args(mut self, arguments: &[&str]) -> Self {
        let owned = arguments.iter().map(|argument| (*argument).to_owned());
        self.options.extend(owned);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts it.
    pub(crate) fn start(self) -> Running {
        // The options of `exec` stand before its subcommand: `resume` and `review` do not know all of them.
        let words = [&self.options, &self.command, &self.operands];
        let words: Vec<&str> = words.into_iter().flatten().map(String::as_str).collect();
        let mut command = self.bench.command(&["exec"]);
        command.args(words).envs(self.env);
        Running::start(command, &self.bench.root)
    }

    /// Runs it to its end.
    #[track_caller]
    pub(crate) fn run(self) -> Answer {
        self.start().wait()
    }
}

/// The events that `codex exec --json` printed.
#[track_caller]
pub(crate) fn events(answer: &Answer) -> Vec<Value> {
    let lines = answer.out.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The thread that `codex exec --json` worked in.
#[track_caller]
pub(crate) fn thread(answer: &Answer) -> String {
    let events = events(answer);
    let started = events
        .iter()
        .find(|event| event["type"] == "thread.started");
    let started = started.unwrap_or_else(|| panic!("no thread: {answer:?}"));
    started["thread_id"].as_str().unwrap().to_owned()
}
