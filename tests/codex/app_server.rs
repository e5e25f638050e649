//! Owns a client of `codex app-server`: JSON-RPC by lines on its standard input and output.
//! Does not share a server between tests, and speaks to no daemon.
//! Invariant: every wait has a deadline, and dropping the client ends the server.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bench::Bench;
use crate::running::{DEADLINE, within};

/// An app server that runs. Its messages have no `jsonrpc` field.
pub(crate) struct AppServer<'bench> {
    child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    /// What came that was no answer: notifications, and requests of the server.
    notices: Vec<Value>,
    calls: u64,
    /// Borrowed, so that the bench looks for what is left behind after the server's end.
    bench: &'bench Bench,
}

impl<'bench> AppServer<'bench> {
    /// Starts a server and introduces the client.
    pub(crate) fn start(bench: &'bench Bench) -> Self {
        let mut child = bench
            .command(&["app-server"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(bench.root.join("app-server.err")).unwrap())
            .process_group(0)
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, messages) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // Whoever listened may be gone.
                let _ = send.send(serde_json::from_str(&line).expect("a line is JSON"));
            }
        });
        let mut server = Self {
            input: child.stdin.take(),
            child,
            messages,
            notices: Vec::new(),
            calls: 0,
            bench,
        };
        let client = json!({"name": "bench", "title": null, "version": "0"});
        server.call("initialize", &json!({"clientInfo": client}));
        server.send(&json!({"method": "initialized"}));
        server
    }

    fn send(&mut self, message: &Value) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{message}").expect("the server reads");
    }

    fn complaints(&self) -> String {
        std::fs::read_to_string(self.bench.root.join("app-server.err")).unwrap_or_default()
    }

    fn receive(&mut self, until: Instant) -> Option<Value> {
        let left = until.saturating_duration_since(Instant::now());
        self.messages.recv_timeout(left).ok()
    }

    /// Calls a method; its result, or the error's object.
    #[track_caller]
    pub(crate) fn try_call(&mut self, method: &str, params: &Value) -> Result<Value, Value> {
        self.calls += 1;
        let id = self.calls;
        self.send(&json!({"id": id, "method": method, "params": params}));
        let until = Instant::now() + DEADLINE;
        while let Some(mut message) = self.receive(until) {
            if message["id"] == id && message.get("method").is_none() {
                return match message.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(message["result"].take()),
                };
            }
            self.notices.push(message);
        }
        panic!("{method} was not answered: {}", self.complaints());
    }

    /// Calls a method that must succeed.
    #[track_caller]
    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        self.try_call(method, params)
            .unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Answers a request of the server's, such as one for an approval.
    pub(crate) fn answer(&mut self, id: &Value, result: &Value) {
        self.send(&json!({"id": id, "result": result}));
    }

    /// Takes the first notice of this method that fits, now or when it comes: its parameters.
    #[track_caller]
    pub(crate) fn take(&mut self, method: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.take_whole(method, fits)["params"].take()
    }

    /// The same, with its `id` if the server asks for an answer.
    #[track_caller]
    pub(crate) fn take_whole(&mut self, method: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + DEADLINE;
        let is = |notice: &Value| notice["method"] == method && fits(&notice["params"]);
        loop {
            if let Some(index) = self.notices.iter().position(is) {
                return self.notices.remove(index);
            }
            let seen: Vec<_> = self
                .notices
                .iter()
                .map(|notice| &notice["method"])
                .collect();
            let seen = format!("{seen:?}");
            let message = self.receive(until);
            let message = message.unwrap_or_else(|| {
                panic!("no {method} that fits in {seen}: {}", self.complaints())
            });
            self.notices.push(message);
        }
    }

    /// The requests of the server that came and were not taken.
    pub(crate) fn questions(&self) -> Vec<&Value> {
        let asks = |notice: &&Value| notice.get("id").is_some();
        self.notices.iter().filter(asks).collect()
    }

    /// The hooks that Codex finds for the repository, with their `trustStatus`.
    #[track_caller]
    pub(crate) fn hooks(&mut self) -> Vec<Value> {
        let list = self.call("hooks/list", &json!({"cwds": [self.bench.bed.repo]}));
        let entry = &list["data"][0];
        assert_eq!(entry["errors"], json!([]), "{entry}");
        entry["hooks"].as_array().unwrap().clone()
    }

    /// Trusts every hook that Codex finds, as they are now.
    pub(crate) fn trust_hooks(&mut self) {
        let hooks = self.hooks();
        let trusted = hooks.iter().map(|hook| {
            let key = hook["key"].as_str().unwrap().to_owned();
            (key, json!({"trusted_hash": hook["currentHash"]}))
        });
        let value: Value = trusted.collect::<serde_json::Map<_, _>>().into();
        let edit = json!({"keyPath": "hooks.state", "mergeStrategy": "upsert", "value": value});
        let edits = json!({"edits": [edit], "reloadUserConfig": true});
        self.call("config/batchWrite", &edits);
    }

    /// The skills that Codex finds for the repository.
    #[track_caller]
    pub(crate) fn skills(&mut self) -> Vec<Value> {
        let list = self.call(
            "skills/list",
            &json!({"cwds": [self.bench.bed.repo], "forceReload": true}),
        );
        list["data"][0]["skills"].as_array().unwrap().clone()
    }

    /// Starts a thread in the repository; its id.
    #[track_caller]
    pub(crate) fn start_thread(&mut self, sandbox: &str) -> String {
        self.start_thread_that_asks(sandbox, "never")
    }

    /// The same with a policy of approval: `never`, `on-request`, ...
    #[track_caller]
    pub(crate) fn start_thread_that_asks(&mut self, sandbox: &str, policy: &str) -> String {
        let params =
            json!({"cwd": self.bench.bed.repo, "sandbox": sandbox, "approvalPolicy": policy});
        let answer = self.call("thread/start", &params);
        answer["thread"]["id"].as_str().unwrap().to_owned()
    }

    /// Starts a turn with a prompt; its id.
    #[track_caller]
    pub(crate) fn start_turn(&mut self, thread: &str, prompt: &str) -> String {
        let input = json!([{"type": "text", "text": prompt}]);
        let answer = self.call("turn/start", &json!({"threadId": thread, "input": input}));
        answer["turn"]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn interrupt(&mut self, thread: &str, turn: &str) {
        self.call(
            "turn/interrupt",
            &json!({"threadId": thread, "turnId": turn}),
        );
    }

    /// Waits for the end of a turn: the turn, with `status` and `error`.
    #[track_caller]
    pub(crate) fn finish_turn(&mut self, turn: &str) -> Value {
        let mut end = self.take("turn/completed", |params| params["turn"]["id"] == turn);
        end["turn"].take()
    }
}

impl Drop for AppServer<'_> {
    fn drop(&mut self) {
        // The end of its input is the end of a server on standard input and output.
        self.input = None;
        let ended = within(Duration::from_mins(1), || {
            matches!(self.child.try_wait(), Ok(Some(_)))
        });
        if !ended {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        assert!(ended || std::thread::panicking(), "the app server stayed");
    }
}
