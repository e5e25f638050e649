//! Owns the scripted model: a server on loopback that speaks as much of the Responses API as Codex needs.
//! Does not know what a test is about; scripts and reactions come from the test.
//! Invariant: a request that no script foresaw is answered with an error and fails the test at its end.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::reply::{self, Kind, Reply};
use crate::request::Request;

/// How long a test waits for a request, and the server for the rest of one.
const DEADLINE: Duration = Duration::from_mins(2);

type React = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

/// The server. Dropping it closes every connection.
pub(crate) struct Model {
    port: u16,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    played: Mutex<Played>,
    arrived: Condvar,
}

#[derive(Default)]
struct Played {
    /// Scripts that no conversation has taken yet.
    scripts: VecDeque<VecDeque<Reply>>,
    /// The rest of each conversation's script.
    threads: HashMap<String, VecDeque<Reply>>,
    react: Option<React>,
    requests: Vec<Request>,
    faults: Vec<String>,
    refused: Vec<String>,
    /// Connections, by their peer's port.
    open: HashMap<u16, TcpStream>,
    closed: bool,
}

impl Shared {
    /// A test that failed elsewhere must not hide why.
    fn played(&self) -> MutexGuard<'_, Played> {
        self.played.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Model {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::<Shared>::default();
        let server = Arc::clone(&shared);
        let listener = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&server);
                let mut played = shared.played();
                if played.closed {
                    return;
                }
                let (Ok(copy), Ok(peer)) = (stream.try_clone(), stream.peer_addr()) else {
                    continue;
                };
                played.open.insert(peer.port(), copy);
                drop(played);
                std::thread::spawn(move || {
                    serve(&shared, stream);
                    // The answer ends here, although the list has a copy of the stream.
                    if let Some(copy) = shared.played().open.remove(&peer.port()) {
                        let _ = copy.shutdown(Shutdown::Both);
                    }
                });
            }
        });
        Self {
            port,
            shared,
            listener: Some(listener),
        }
    }

    /// The `base_url` for Codex.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// The same server as a proxy that refuses everything, so that nothing leaves loopback.
    pub(crate) fn proxy(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A script: one answer per request, in order.
    ///
    /// The first conversation that asks takes the first script, and so on. A conversation at the end of its script (one
    /// that is resumed, say) takes the next script.
    pub(crate) fn play(&self, script: impl IntoIterator<Item = Reply>) {
        let script = script.into_iter().collect();
        self.shared.played().scripts.push_back(script);
    }

    /// What answers when there is no script left. It may block: each request has a thread of its own.
    pub(crate) fn react(&self, react: impl Fn(&Request) -> Reply + Send + Sync + 'static) {
        self.shared.played().react = Some(Arc::new(react));
    }

    /// All requests until now.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.played().requests.clone()
    }

    /// One request, which must have come.
    #[track_caller]
    pub(crate) fn request(&self, number: usize) -> Request {
        let requests = self.requests();
        let count = requests.len();
        let found = requests.into_iter().nth(number);
        found.unwrap_or_else(|| panic!("no request {number} among {count}"))
    }

    /// The last request, which must have come.
    #[track_caller]
    pub(crate) fn last(&self) -> Request {
        self.requests().pop().expect("the model was never asked")
    }

    /// Waits until a request is one that the test waits for.
    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, is: impl Fn(&Request) -> bool) -> Request {
        let start = Instant::now();
        let mut played = self.shared.played();
        loop {
            if let Some(request) = played.requests.iter().find(|request| is(request)) {
                return request.clone();
            }
            let left = DEADLINE.saturating_sub(start.elapsed());
            assert!(!left.is_zero(), "never asked: {what}");
            let woken = self.shared.arrived.wait_timeout(played, left);
            played = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What was asked of the proxy. Codex looks for its curated plugins at every start, and goes on without them.
    pub(crate) fn refused(&self) -> Vec<String> {
        self.shared.played().refused.clone()
    }

    /// What went wrong on the server's side, scripts that nobody asked for among it.
    pub(crate) fn faults(&self) -> Vec<String> {
        let played = self.shared.played();
        let mut faults = played.faults.clone();
        let rest = played.threads.values().chain(&played.scripts);
        faults.extend(
            rest.flatten()
                .map(|reply| format!("never asked for: {reply:?}")),
        );
        faults
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        let mut played = self.shared.played();
        played.closed = true;
        for stream in played.open.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(played);
        // The listener waits for a connection: it gets one.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

/// One request per connection: the answer ends where the connection ends.
fn serve(shared: &Shared, mut stream: TcpStream) {
    let _ = stream.set_read_timeout(Some(DEADLINE));
    // Codex opens connections in advance and may close them unused.
    let Some((line, headers, body)) = read(&mut stream) else {
        return;
    };
    let path = line.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    match (line.split(' ').next(), path) {
        (Some("GET"), "/v1/models") => respond(&mut stream, 200, &json!({"models": []})),
        (Some("POST"), "/v1/responses") => answer(shared, &mut stream, headers, &body),
        _ if !path.starts_with('/') => {
            shared.played().refused.push(line);
            respond(
                &mut stream,
                403,
                &json!({"error": "nothing leaves loopback"}),
            );
        }
        _ => {
            shared.played().faults.push(format!("unexpected {line}"));
            respond(&mut stream, 404, &json!({"error": {"message": line}}));
        }
    }
}

type Read3 = (String, BTreeMap<String, String>, Vec<u8>);

fn read(stream: &mut TcpStream) -> Option<Read3> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader
        .read_line(&mut line)
        .ok()
        .filter(|count| *count > 0)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .and_then(|text| text.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((line.trim_end().to_owned(), headers, body))
}

fn answer(shared: &Shared, stream: &mut TcpStream, headers: BTreeMap<String, String>, body: &[u8]) {
    let parsed = serde_json::from_slice(body);
    let mut played = shared.played();
    if let Err(error) = &parsed {
        // Compression is off in the bench's config (`features.enable_request_compression`).
        let encoding = headers.get("content-encoding").cloned();
        played
            .faults
            .push(format!("a body is no JSON ({encoding:?}): {error}"));
    }
    let request = Request {
        number: played.requests.len(),
        headers,
        body: parsed.unwrap_or_default(),
        bytes: body.len(),
        arrived: Instant::now(),
    };
    played.requests.push(request.clone());
    shared.arrived.notify_all();
    let next = next(&mut played, request.thread());
    let react = played.react.clone();
    drop(played);
    // The test's own code runs without the lock, so that it may look at the model or wait.
    let reply = next.or_else(|| {
        let react = react?;
        let run = std::panic::AssertUnwindSafe(|| react(&request));
        std::panic::catch_unwind(run).ok()
    });
    let Some(reply) = reply else {
        let text = request.last_user_text();
        let fault = format!("no answer for request {} after `{text}`", request.number);
        shared.played().faults.push(fault.clone());
        return respond(stream, 400, &json!({"error": {"message": fault}}));
    };
    send(stream, &reply, request.number);
}

/// The next answer of the conversation's script.
fn next(played: &mut Played, thread: &str) -> Option<Reply> {
    let script = played.threads.entry(thread.to_owned()).or_default();
    if script.is_empty() {
        *script = played.scripts.pop_front()?;
    }
    script.pop_front()
}

fn send(stream: &mut TcpStream, reply: &Reply, number: usize) {
    match &reply.kind {
        Kind::Status(code, body) => respond_with(stream, *code, &reply.headers, body),
        Kind::Items(items) => {
            let events = reply::events(items, reply.tokens, number);
            stream_events(stream, &reply.headers, &events);
        }
        Kind::Events(events) => {
            let events = [&[reply::created(number)], events.as_slice()].concat();
            stream_events(stream, &reply.headers, &events);
        }
        Kind::Dropped => stream_events(stream, &reply.headers, &[reply::created(number)]),
        Kind::Silent => {
            stream_events(stream, &reply.headers, &[reply::created(number)]);
            // Until Codex closes the connection, or the model is dropped.
            let _ = stream.set_read_timeout(None);
            let _ = stream.read(&mut [0]);
        }
    }
}

type Headers = [(&'static str, String)];

fn lines(headers: &Headers) -> String {
    let lines = headers
        .iter()
        .map(|(name, value)| [name, ": ", value, "\r\n"].concat());
    lines.collect()
}

fn stream_events(stream: &mut TcpStream, headers: &Headers, events: &[Value]) {
    let mut text = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n{}\r\n",
        lines(headers)
    );
    for event in events {
        let kind = event["type"].as_str().unwrap_or_default();
        text.extend(["event: ", kind, "\ndata: ", &event.to_string(), "\n\n"]);
    }
    // Codex may be gone already: that is for the test to notice.
    let _ = stream.write_all(text.as_bytes());
}

fn respond(stream: &mut TcpStream, code: u16, body: &Value) {
    respond_with(stream, code, &[], body);
}

fn respond_with(stream: &mut TcpStream, code: u16, headers: &Headers, body: &Value) {
    let headers = lines(headers);
    let body = body.to_string();
    let length = body.len();
    let _ = stream.write_all(
        format!(
            "HTTP/1.1 {code} Scripted\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
        )
        .as_bytes(),
    );
}
