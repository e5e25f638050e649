//! Owns the proof of what one turn of Codex is asked with, and of what is heard when it ended well or badly.
//! Does not test the reading of outputs that no Codex printed; that is tested beside the code.
//! Invariant: the words are those of `turn::words`, run as they are, so that what is tested is what is run.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use autoresearch_codex::home::CodexHome;
use autoresearch_codex::turn::{TurnArguments, TurnResult, make_command_words, read_turn_result};
use autoresearch_core::agent::answer;
use autoresearch_core::agent::answer::AgentAnswer;
use autoresearch_core::agent::outage::TurnFault;
use autoresearch_core::config::Sandbox;
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::reply::{
    self, Reply, dropped, patch, say, shell, shell_with, silent, status, usage_limit,
    usage_limit_with_headers,
};
use crate::request::Request;
use crate::testbed;

/// No second tries, and a short patience with a silent stream. Codex tries five times by itself.
const IMPATIENT: [(&str, i64); 3] = [
    ("request_max_retries", 0),
    ("stream_max_retries", 0),
    ("stream_idle_timeout_ms", 3000),
];

/// A bench with the files that a turn needs.
struct Turns {
    bench: Bench,
    schema: PathBuf,
    answer: PathBuf,
}

/// What a turn left, and what it printed.
struct Turn {
    heard: TurnResult,
    printed: testbed::Answer,
    answer: Option<String>,
}

impl Turns {
    fn new() -> Option<Self> {
        let bench = Bench::new()?;
        let (schema, answer) = (bench.root.join("schema.json"), bench.root.join("answer"));
        std::fs::write(&schema, answer::SCHEMA).unwrap();
        let turns = Self {
            bench,
            schema,
            answer,
        };
        // What `words` has to switch off is on, as it is for users.
        let bench = &turns.bench;
        bench.unset(&["features", "unbounded_connection_retries"]);
        bench.unset(&["sandbox_workspace_write", "exclude_slash_tmp"]);
        Some(turns)
    }

    /// A bench on which trouble is reported at once.
    fn impatient() -> Option<Self> {
        let turns = Self::new()?;
        for (key, value) in IMPATIENT {
            turns.provider(key, value);
        }
        Some(turns)
    }

    /// Sets a key of the scripted model's provider.
    fn provider(&self, key: &str, value: impl Into<toml_edit::Value>) {
        self.bench.set(&["model_providers", "scripted", key], value);
    }

    fn ask(&self) -> TurnArguments<'_> {
        TurnArguments {
            program: &self.bench.codex.native,
            thread: None,
            schema: &self.schema,
            answer: &self.answer,
            sandbox: Sandbox::WorkspaceWrite,
            model: None,
        }
    }

    /// Runs a turn of a thread that has cost `before`; the prompt comes through a file, as in a run.
    #[track_caller]
    fn run(&self, ask: &TurnArguments<'_>, before: u64) -> Turn {
        self.run_with(ask, before, &[])
    }

    #[track_caller]
    fn run_with(&self, ask: &TurnArguments<'_>, before: u64, more: &[&str]) -> Turn {
        self.start(ask, more).wait(before)
    }

    /// Starts a turn with more options.
    #[track_caller]
    fn start(&self, ask: &TurnArguments<'_>, more: &[&str]) -> Started<'_> {
        let mut words = make_command_words(ask);
        assert_eq!(Path::new(&words.remove(0)), self.bench.codex.native);
        words.splice(1..1, more.iter().map(Into::into));
        let mut command = self.bench.command(&[]);
        let (out, err) = (self.bench.root.join("out"), self.bench.root.join("err"));
        let mut child = command
            .args(words)
            .stdin(Stdio::piped())
            .stdout(std::fs::File::create(&out).unwrap())
            .stderr(std::fs::File::create(&err).unwrap())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(b"edit one thing")
            .unwrap();
        Started {
            turns: self,
            child,
            out,
            err,
        }
    }

    /// The fault of a fresh turn with these answers of the model.
    #[track_caller]
    fn fault(&self, script: impl IntoIterator<Item = Reply>) -> TurnFault {
        self.bench.model.play(script);
        let turn = self.run(&self.ask(), 0);
        assert_eq!(turn.printed.code, 1, "{:?}", turn.printed);
        assert_eq!(turn.answer.as_deref(), Some(""));
        assert!(turn.heard.thread.is_some());
        turn.heard.fault.unwrap()
    }
}

/// A turn that runs.
struct Started<'t> {
    turns: &'t Turns,
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Started<'_> {
    /// Waits for its end; the thread had cost `before`.
    #[track_caller]
    fn wait(mut self, before: u64) -> Turn {
        let code = self.child.wait().unwrap().code();
        let (out, err) = (
            std::fs::read(self.out).unwrap(),
            std::fs::read(self.err).unwrap(),
        );
        let home = CodexHome {
            root: self.turns.bench.codex_home.clone(),
            exists: true,
        };
        Turn {
            heard: read_turn_result(&home, before, &out, &err, code),
            printed: testbed::Answer {
                code: code.unwrap_or(-1),
                out: String::from_utf8(out).unwrap(),
                err: String::from_utf8(err).unwrap(),
            },
            answer: std::fs::read_to_string(&self.turns.answer).ok(),
        }
    }
}

fn answered() -> Reply {
    say(&answer_text())
}

fn answer_text() -> String {
    json!({
        "message": "Dropped one any", "hypothesis": "One less", "labels": [],
        "simplify": false, "strategy": null, "nothing_more": false,
    })
    .to_string()
}

/// A stream in which the service itself says that it failed.
fn failed(code: &str) -> Reply {
    reply::events_only(vec![json!({
        "type": "response.failed",
        "response": {"id": "r", "error": {"code": code, "message": "said the service"}},
    })])
}

#[test]
fn a_turn_edits_and_answers_by_the_schema_and_costs_what_it_cost() {
    let Some(turns) = Turns::new() else { return };
    let edit = patch("*** Update File: src/state\n@@\n-ok\n+edited");
    turns.bench.model.play([edit, answered()]);
    let first = turns.run(&turns.ask(), 0);
    assert_eq!((first.heard.fault, first.heard.tokens), (None, 202));
    assert_eq!(turns.bench.bed.read("src/state"), "edited\n");
    let answer = AgentAnswer::find_in_text(&first.answer.unwrap()).unwrap();
    assert_eq!(answer.message, "Dropped one any");
    let last = turns.bench.model.last();
    assert_eq!(last.last_user_text(), "edit one thing");
    let format = &last.body["text"]["format"];
    assert_eq!(
        (&format["strict"], &format["type"]),
        (&json!(true), &json!("json_schema"))
    );
    let schema: Value = serde_json::from_str(answer::SCHEMA).unwrap();
    assert_eq!(format["schema"], schema);

    // The same thread again: Codex counts both turns, we one. And an answer that breaks the schema is nobody's fault.
    turns.bench.model.play([say("I have no idea").costing(300)]);
    let thread = first.heard.thread;
    let ask = TurnArguments {
        thread: thread.as_deref(),
        ..turns.ask()
    };
    let second = turns.run(&ask, first.heard.tokens);
    assert_eq!((&second.heard.fault, second.heard.tokens), (&None, 301));
    assert_eq!(second.heard.thread, thread);
    assert_eq!(second.answer.as_deref(), Some("I have no idea"));
    assert_eq!(
        turns.bench.model.last().body["text"]["format"]["schema"],
        schema
    );
}

#[test]
fn a_turn_keeps_to_its_sandbox_in_a_project_that_is_not_trusted_and_when_resumed() {
    let Some(turns) = Turns::new() else { return };
    let repo = turns.bench.bed.repo.to_str().unwrap();
    turns.bench.unset(&["projects", repo, "trust_level"]);
    turns.bench.set(&["approval_policy"], "on-request");
    let escape = json!({"cmd": "touch .git/escaped", "sandbox_permissions": "require_escalated", "justification": "why not"});
    let script = || {
        [
            shell("echo new >> src/new; touch .git/bad; touch /tmp/ar-turn-$$; mktemp -u"),
            shell_with(&escape),
            answered(),
        ]
    };
    turns.bench.model.play(script());
    let first = turns.run(&turns.ask(), 0);
    let ask = TurnArguments {
        thread: first.heard.thread.as_deref(),
        ..turns.ask()
    };
    turns.bench.model.play(script());
    assert_eq!(turns.run(&ask, first.heard.tokens).heard.fault, None);
    for output in turns.bench.model.last().outputs().chunks(2) {
        assert_eq!(
            output[0].matches("Read-only file system").count(),
            2,
            "{output:?}"
        );
        assert!(
            output[0].contains(&format!("{}/tmp/", turns.bench.root.display())),
            "{output:?}"
        );
        assert!(
            output[1].contains("approval policy is Never; reject command"),
            "{output:?}"
        );
    }
    assert_eq!(turns.bench.bed.read("src/new"), "new\nnew\n");
    assert!(!turns.bench.bed.path(".git/escaped").exists());
}

#[test]
fn full_access_is_full_and_the_model_is_the_one_that_was_asked_for() {
    let Some(turns) = Turns::new() else { return };
    turns
        .bench
        .model
        .play([shell("touch .git/there && echo yes"), answered()]);
    let ask = TurnArguments {
        sandbox: Sandbox::FullAccess,
        model: Some("gpt-6-luna"),
        ..turns.ask()
    };
    assert_eq!(turns.run(&ask, 0).heard.fault, None);
    let last = turns.bench.model.last();
    assert_eq!(last.body["model"], "gpt-6-luna");
    assert!(last.outputs()[0].contains("yes"));
    assert!(turns.bench.bed.path(".git/there").exists());
}

#[test]
fn trusted_hooks_are_off_in_a_turn_and_in_one_that_is_resumed() {
    let Some(turns) = Turns::new() else { return };
    let bench = &turns.bench;
    bench.listen("SessionStart", "true");
    bench.listen("Stop", "true");
    bench.trust_hooks();
    bench.model.play([say("with hooks")]);
    bench.exec("work").run().ok();
    assert_eq!(
        (bench.heard("SessionStart").len(), bench.heard("Stop").len()),
        (1, 1)
    );
    bench.model.react(|_| answered());
    let first = turns.run(&turns.ask(), 0);
    let ask = TurnArguments {
        thread: first.heard.thread.as_deref(),
        ..turns.ask()
    };
    assert_eq!(turns.run(&ask, first.heard.tokens).heard.fault, None);
    assert_eq!(
        (bench.heard("SessionStart").len(), bench.heard("Stop").len()),
        (1, 1)
    );
}

#[test]
fn a_usage_limit_tells_its_end_to_the_second_where_codex_keeps_it() {
    let Some(turns) = Turns::new() else { return };
    let now = jiff::Timestamp::now().as_second();
    let limit = |seconds: i64| TurnFault::UsageLimit {
        resets_at: Some(u64::try_from(now + seconds).unwrap()),
    };
    assert_eq!(
        turns.fault([usage_limit_with_headers(now + 600)]),
        limit(600)
    );
    assert_eq!(
        turns.fault([usage_limit_with_headers(now + 400_000)]),
        limit(400_000)
    );
    assert_eq!(turns.bench.model.requests().len(), 2);

    // In the middle of a resumed turn: what it cost until then counts.
    turns.bench.model.play([answered()]);
    let first = turns.run(&turns.ask(), 0);
    let ask = TurnArguments {
        thread: first.heard.thread.as_deref(),
        ..turns.ask()
    };
    let script = [
        shell("echo work").costing(500),
        usage_limit_with_headers(now + 900),
    ];
    turns.bench.model.play(script);
    let second = turns.run(&ask, first.heard.tokens).heard;
    assert_eq!((second.tokens, second.fault), (501, Some(limit(900))));
    turns.bench.model.play([answered()]);
    let third = turns.run(&ask, first.heard.tokens + second.tokens).heard;
    assert_eq!((third.tokens, third.fault), (101, None));
}

#[test]
fn a_usage_limit_that_only_the_message_dates_ends_with_its_minute() {
    let Some(mut turns) = Turns::new() else {
        return;
    };
    let now = jiff::Timestamp::now().as_second();
    let zone = std::env::var("TZ").unwrap_or_default();
    if !zone.is_empty() {
        turns.bench.env.push(("TZ".into(), zone));
    }
    for ahead in [7_200, 400_000] {
        let fault = turns.fault([usage_limit(now + ahead)]);
        let TurnFault::UsageLimit { resets_at } = fault else {
            panic!("{fault:?}");
        };
        // Close to midnight, or without a zone of the system, it is not known.
        let end = resets_at.map(|end| i64::try_from(end).unwrap() - now - ahead);
        assert!(end.is_none_or(|late| (1..=60).contains(&late)), "{end:?}");
    }
    let body = json!({"error": {"type": "usage_limit_reached", "message": "no"}});
    assert_eq!(
        turns.fault([status(429, body)]),
        TurnFault::UsageLimit { resets_at: None }
    );
}

#[test]
fn a_refusal_of_the_user_is_an_auth_fault_and_a_plan_without_codex_is_for_a_person() {
    let Some(turns) = Turns::impatient() else {
        return;
    };
    let error = |kind: &str| json!({"error": {"type": kind, "code": kind, "message": "no"}});
    for code in [401, 403] {
        let fault = turns.fault([status(code, error("x"))]);
        let TurnFault::Auth(text) = fault else {
            panic!("{fault:?}")
        };
        assert!(
            text.starts_with(&format!("unexpected status {code} ")),
            "{text}"
        );
    }
    let lasting = [
        status(429, error("insufficient_quota")),
        status(429, error("usage_not_included")),
        status(404, error("model_not_found")),
        status(404, error("x")),
    ];
    for reply in lasting {
        let fault = turns.fault([reply]);
        assert!(matches!(fault, TurnFault::Setup(_)), "{fault:?}");
    }
    turns.provider("env_key", "AR_NO_KEY");
    let fault = turns.fault([]);
    assert_eq!(
        fault,
        TurnFault::Auth("Missing environment variable: `AR_NO_KEY`.".into())
    );
}

#[test]
fn a_failing_service_a_lost_stream_and_a_silent_one_are_server_faults() {
    let Some(turns) = Turns::impatient() else {
        return;
    };
    let error = |kind: &str| json!({"error": {"type": kind, "code": kind, "message": "no"}});
    let replies = [
        status(500, error("x")),
        status(502, json!("<html>")),
        status(503, error("server_is_overloaded")),
        status(429, error("rate_limit_exceeded")),
        failed("server_is_overloaded"),
        failed("rate_limit_exceeded"),
        failed("server_error"),
        dropped(),
        silent(),
    ];
    for reply in replies {
        let what = format!("{reply:?}");
        let fault = turns.fault([reply]);
        assert!(matches!(fault, TurnFault::Server(_)), "{what}: {fault:?}");
    }
}

#[test]
fn a_turn_that_is_killed_has_cost_what_it_cost_and_its_thread_goes_on() {
    let Some(turns) = Turns::new() else { return };
    turns
        .bench
        .model
        .play([shell("echo work").costing(500), silent()]);
    std::fs::write(&turns.answer, "of an earlier turn").unwrap();
    let mut started = turns.start(&turns.ask(), &[]);
    let work = |request: &Request| !request.outputs().is_empty();
    turns.bench.model.wait_for("what the command gave", work);
    started.child.kill().unwrap();
    let killed = started.wait(0);
    assert_eq!(killed.heard.tokens, 501);
    let text = "codex was killed before the turn ended".to_owned();
    assert_eq!(killed.heard.fault, Some(TurnFault::Other(text)));
    // Only a turn that ends by itself empties the file.
    assert_eq!(killed.answer.as_deref(), Some("of an earlier turn"));
    turns.bench.model.play([answered()]);
    let ask = TurnArguments {
        thread: killed.heard.thread.as_deref(),
        ..turns.ask()
    };
    let next = turns.run(&ask, killed.heard.tokens);
    assert_eq!((next.heard.fault, next.heard.tokens), (None, 101));
    assert_eq!(next.heard.thread, killed.heard.thread);
}

#[test]
fn a_storm_of_errors_ends_by_itself() {
    let Some(turns) = Turns::new() else { return };
    turns
        .bench
        .model
        .react(|_| status(500, json!({"error": {"message": "no"}})));
    let turn = turns.run(&turns.ask(), 0);
    assert!(
        matches!(turn.heard.fault, Some(TurnFault::Server(_))),
        "{:?}",
        turn.heard
    );
    assert_eq!(turns.bench.model.requests().len(), 30);
}

#[test]
fn a_refused_connection_ends_and_is_a_fault_of_the_network() {
    let Some(turns) = Turns::impatient() else {
        return;
    };
    // Port 9 of loopback belongs to nobody: it discards, where anybody has it at all.
    turns.provider("base_url", "http://127.0.0.1:9/v1");
    let fault = turns.fault([]);
    assert_eq!(
        fault,
        TurnFault::Network("Connection failed: error sending request".into())
    );
}

#[test]
fn a_full_thread_is_a_fault_of_its_own() {
    let Some(turns) = Turns::new() else { return };
    assert_eq!(
        turns.fault([failed("context_length_exceeded")]),
        TurnFault::Context
    );
    assert!(matches!(
        turns.fault([failed("invalid_prompt")]),
        TurnFault::Other(_)
    ));
}

#[test]
fn a_thread_that_is_not_there_or_is_busy_is_a_fault_of_the_thread() {
    let Some(turns) = Turns::new() else { return };
    let ask = TurnArguments {
        thread: Some("01a21523-2e75-7d00-bf9e-d63fcf89ca99"),
        ..turns.ask()
    };
    let unknown = turns.run(&ask, 0).heard;
    let expected = TurnFault::Thread(
        "Error: thread/resume: thread/resume failed: no rollout found for thread id \
         01a21523-2e75-7d00-bf9e-d63fcf89ca99 (code -32600)"
            .into(),
    );
    assert_eq!(
        (unknown.fault, unknown.thread, unknown.tokens),
        (Some(expected), None, 0)
    );

    turns
        .bench
        .model
        .react(|request| match request.last_user_text().as_str() {
            "hold it" => silent(),
            _ => answered(),
        });
    let mut server = turns.bench.app_server();
    let thread = server.start_thread("workspace-write");
    let turn = server.start_turn(&thread, "hold it");
    turns
        .bench
        .model
        .wait_for("the turn", |request| request.thread() == thread);
    let ask = TurnArguments {
        thread: Some(&thread),
        ..turns.ask()
    };
    let busy = turns.run(&ask, 0).heard;
    assert!(
        matches!(&busy.fault, Some(TurnFault::Thread(text)) if text.contains("already has an active writer")),
        "{busy:?}"
    );
    server.interrupt(&thread, &turn);
    server.finish_turn(&turn);
    drop(server);
    assert_eq!(turns.run(&ask, 0).heard.fault, None);
}

#[test]
fn what_codex_does_not_accept_before_it_begins_is_a_fault_of_the_setup() {
    let Some(turns) = Turns::new() else { return };
    let setup = |ask: &TurnArguments<'_>, more: &[&str], words: &str| {
        let heard = turns.run_with(ask, 0, more).heard;
        let Some(TurnFault::Setup(text)) = &heard.fault else {
            panic!("{heard:?}");
        };
        assert!(text.contains(words), "{text}");
    };
    let none = Path::new("/nonexistent/file");
    let schema = TurnArguments {
        schema: none,
        ..turns.ask()
    };
    setup(
        &schema,
        &[],
        "Failed to read output schema file /nonexistent/file",
    );
    let answer = TurnArguments {
        answer: none,
        ..turns.ask()
    };
    setup(&answer, &[], "Failed to open last message file");
    setup(
        &turns.ask(),
        &["--disable", "a_feature_of_yesterday"],
        "Unknown feature flag",
    );
    setup(
        &turns.ask(),
        &["--an-option-of-yesterday"],
        "unexpected argument",
    );
    turns
        .bench
        .configure("\n[mcp_servers.x]\ncommand = \"/nonexistent/x\"\nrequired = true\n");
    setup(
        &turns.ask(),
        &[],
        "required MCP servers failed to initialize",
    );
    let required = ["mcp_servers", "x", "required"];
    turns.bench.set(&required, 3);
    setup(&turns.ask(), &[], "Error loading config.toml: invalid type");
    turns.bench.set(&required, false);
    turns.bench.allow(&["true"]);
    let rules = turns.bench.codex_home.join("rules/bench.rules");
    std::fs::write(rules, "prefix_rule(").unwrap();
    setup(&turns.ask(), &[], "Error loading rules");
    assert!(turns.bench.model.requests().is_empty());
}
