//! Owns the conversation with Codex itself: its version, its app server, its check of rules.
//! Does not decide what is trusted.
//! Invariant: each conversation has a deadline, and when it ends no process of it is left.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::CodexError;
use autoresearch_sys::env::{Stopwatch, World};
use autoresearch_sys::polling::wait_until;

/// A conversation takes no longer. Half a second is usual, and a busy machine must not fail it.
const PATIENCE: Duration = Duration::from_mins(1);
/// Time to end by itself once its input is closed.
const GRACE: Duration = Duration::from_secs(2);

/// A `codex` process and what it prints.
struct CodexProcess<'w> {
    world: &'w World,
    command: String,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    watch: Stopwatch,
}

impl<'w> CodexProcess<'w> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the home of talking to Codex; it runs in its own group, which ends with us"
    )]
    fn start(world: &'w World, program: &Path, arguments: &[&str]) -> Result<Self, CodexError> {
        let command = format!("codex {}", arguments.join(" "));
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(&world.vars)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(CodexError::wrap_io("start", program))?;
        let (send, lines) = channel();
        let output = child.stdout.take();
        std::thread::spawn(move || {
            let lines = output
                .into_iter()
                .flat_map(|out| BufReader::new(out).lines());
            for line in lines.map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            world,
            command,
            input: child.stdin.take(),
            child,
            lines,
            watch: Stopwatch::start(),
        })
    }

    fn child_pid(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }

    /// Has it ended? It is looked at without being reaped: until then the number of its group is nobody else's.
    fn has_ended(&self) -> bool {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let Some(pid) = self.child_pid() else {
            return true;
        };
        !matches!(waitid(WaitId::Pid(pid), look), Ok(None))
    }

    fn make_error(&self, fault: impl Into<String>) -> CodexError {
        CodexError::Codex {
            command: self.command.clone(),
            fault: fault.into(),
        }
    }

    /// The next line; `None` at the end of the output.
    fn read_output_line(&self) -> Result<Option<String>, CodexError> {
        loop {
            let ended = self.has_ended();
            match self.lines.recv_timeout(Duration::from_millis(100)) {
                Ok(line) => return Ok(Some(line)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                // Something that it left behind may hold its output open.
                Err(RecvTimeoutError::Timeout) if ended => return Ok(None),
                Err(RecvTimeoutError::Timeout) if self.world.is_interrupted() => {
                    return Err(self.make_error("was interrupted"));
                }
                Err(RecvTimeoutError::Timeout) if self.watch.elapsed() > PATIENCE => {
                    return Err(self.make_error(format!("did not answer within {PATIENCE:?}")));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Drop for CodexProcess<'_> {
    fn drop(&mut self) {
        self.input = None;
        wait_until(GRACE, Duration::from_millis(2), || self.has_ended());
        if let Some(pid) = self.child_pid() {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// What `codex --version` says, without the program's name.
///
/// Even this question makes Codex create its home with a folder for links in it. So it gets an empty one that goes again:
/// where Codex was never used, nothing of it is there afterwards.
pub fn read_version(world: &World, program: &Path) -> Result<String, CodexError> {
    let home = tempfile::tempdir().map_err(CodexError::NoScratch)?;
    let mut vars = world.vars.clone();
    vars.insert("CODEX_HOME".into(), home.path().into());
    let elsewhere = World {
        vars,
        ..world.clone()
    };
    let process = CodexProcess::start(&elsewhere, program, &["--version"])?;
    let line = process.read_output_line()?.unwrap_or_default();
    line.split_whitespace()
        .last()
        .map(ToOwned::to_owned)
        .ok_or_else(|| process.make_error("said nothing"))
}

/// What a rule file says of a command: `allow`, `prompt`, `forbidden`, or nothing. An error if Codex cannot read it.
pub fn read_rule_decision(
    world: &World,
    program: &Path,
    rules: &Path,
    command: &[&str],
) -> Result<Option<String>, CodexError> {
    let rules = rules.to_string_lossy();
    let mut arguments = vec!["execpolicy", "check", "--rules", &rules, "--"];
    arguments.extend(command);
    let process = CodexProcess::start(world, program, &arguments)?;
    let mut text = String::new();
    while let Some(line) = process.read_output_line()? {
        text += &line;
    }
    let answer: Value =
        serde_json::from_str(&text).map_err(|_| process.make_error("cannot read the rule"))?;
    Ok(answer["decision"].as_str().map(ToOwned::to_owned))
}

/// A hook as Codex lists it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedHook {
    /// The key of its trust.
    pub key: String,
    #[serde(default)]
    pub command: Option<String>,
    /// The plugin that it comes from.
    #[serde(default)]
    pub plugin_id: Option<String>,
    /// The event, in Codex's own spelling.
    pub event_name: String,
    /// Was it not switched off?
    #[serde(default = "default_enabled")]
    pub enabled: bool,
    /// What Codex would have to trust.
    #[serde(default)]
    pub current_hash: String,
    /// `trusted`, `managed`, `untrusted` or `modified`.
    pub trust_status: String,
}

impl ListedHook {
    /// Does Codex run it?
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        matches!(self.trust_status.as_str(), "trusted" | "managed")
    }
}

fn default_enabled() -> bool {
    true
}

pub struct AppServer<'w> {
    process: CodexProcess<'w>,
    asked: u64,
}

impl<'w> AppServer<'w> {
    /// Starts it and says who we are.
    pub fn start(world: &'w World, program: &Path) -> Result<Self, CodexError> {
        let mut server = Self {
            process: CodexProcess::start(world, program, &["app-server"])?,
            asked: 0,
        };
        let client = json!({"name": "autoresearch", "title": "autoresearch", "version": env!("CARGO_PKG_VERSION")});
        server.send_request("initialize", &json!({"clientInfo": client}))?;
        server.send_message(&json!({"method": "initialized"}))?;
        Ok(server)
    }

    fn send_message(&mut self, message: &Value) -> Result<(), CodexError> {
        let line = format!("{message}\n");
        let sent = self.process.input.as_mut().map(|input| {
            input
                .write_all(line.as_bytes())
                .and_then(|()| input.flush())
        });
        match sent {
            Some(Ok(())) => Ok(()),
            _ => Err(self.process.make_error("does not listen")),
        }
    }

    fn send_request(&mut self, method: &str, params: &Value) -> Result<Value, CodexError> {
        self.asked += 1;
        let request = json!({"id": self.asked, "method": method, "params": params});
        // Whether the pipe breaks or the answers end first is a matter of chance where it has ended.
        if self.send_message(&request).is_err() {
            return Err(self.make_unanswered(method));
        }
        while let Some(line) = self.process.read_output_line()? {
            let Ok(mut message) = serde_json::from_str::<Value>(&line) else {
                continue;
            };
            if message["id"] != self.asked || message["method"].is_string() {
                continue;
            }
            if let Some(error) = message["error"]["message"].as_str() {
                return Err(self
                    .process
                    .make_error(format!("refused `{method}`: {error}")));
            }
            return Ok(message["result"].take());
        }
        Err(self.make_unanswered(method))
    }

    fn make_unanswered(&self, method: &str) -> CodexError {
        self.process
            .make_error(format!("ended before it answered `{method}`"))
    }

    /// The hooks that count in a folder, and what Codex says is wrong with their files.
    pub fn list_hooks(
        &mut self,
        folder: &Path,
    ) -> Result<(Vec<ListedHook>, Vec<String>), CodexError> {
        let answer = self.send_request("hooks/list", &json!({"cwds": [folder]}))?;
        let data = &answer["data"][0];
        let hooks = Vec::deserialize(&data["hooks"]).map_err(|error| {
            self.process
                .make_error(format!("answered `hooks/list` in another form: {error}"))
        })?;
        let faults = ["warnings", "errors"].iter().flat_map(|kind| {
            let list = data[kind].as_array().cloned().unwrap_or_default();
            list.into_iter().map(|fault| {
                fault
                    .as_str()
                    .map_or_else(|| fault.to_string(), ToOwned::to_owned)
            })
        });
        Ok((hooks, faults.collect()))
    }

    /// Trusts hooks: each with the hash that Codex listed.
    pub fn trust_hooks(&mut self, hooks: &[ListedHook]) -> Result<(), CodexError> {
        let states: serde_json::Map<String, Value> = hooks
            .iter()
            .map(|hook| (hook.key.clone(), json!({"trusted_hash": hook.current_hash})))
            .collect();
        let edit = json!({"keyPath": "hooks.state", "mergeStrategy": "upsert", "value": states});
        self.send_request(
            "config/batchWrite",
            &json!({"edits": [edit], "reloadUserConfig": true}),
        )
        .map(drop)
    }

    /// Name and path of every skill that Codex sees in a folder.
    pub fn list_skills(&mut self, folder: &Path) -> Result<Vec<(String, String)>, CodexError> {
        let answer = self.send_request("skills/list", &json!({"cwds": [folder]}))?;
        let skills = answer["data"][0]["skills"].as_array().cloned();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(skills
            .unwrap_or_default()
            .iter()
            .map(|skill| (text(&skill["name"]), text(&skill["path"])))
            .collect())
    }
}
