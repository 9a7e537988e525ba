//! A proxy that breaks what passes: between a reader and a real server, or alone where HTTP itself is what is tested.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Treatment of one request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The server answers it.
    Pass,
    /// The server answers it with this body in place of its own, which is changed by the function.
    Rewrite(fn(String) -> String),
    /// The server answers it, but only after so long.
    Delay(Duration),
    /// The connection is closed without a byte.
    Cut,
    /// The connection is closed after the half of the server's answer.
    HalfBody,
    /// The server's answer comes byte by byte with so much time between.
    SlowLoris(Duration),
    /// These bytes in place of an answer.
    Raw(String),
    /// These bytes, then a space now and then until the client goes.
    Endless(String),
    /// Answers with the function's result for path and body.
    Respond(fn(&str, &str) -> String),
}

impl Fault {
    /// An answer with this status, headers (each ended by CR LF) and body.
    pub fn answer(status: &str, headers: &str, body: &str) -> Self {
        Self::Raw(message(status, headers, body))
    }
}

/// An answer with this status, headers (each ended by CR LF) and body.
pub fn message(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}",
        body.len()
    )
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// `POST /v1/chat/completions`.
    pub what: String,
    pub headers: String,
    /// Whether the client left before it was answered.
    pub given_up: bool,
}

/// Decides about a request by its number among those of its path, and the path.
pub type Plan = Box<dyn Fn(usize, &str) -> Fault + Send + Sync>;

pub struct FaultProxy {
    pub port: u16,
    state: Arc<State>,
}

struct State {
    upstream: Option<u16>,
    plan: Mutex<Plan>,
    seen: Mutex<Vec<Seen>>,
}

impl FaultProxy {
    /// Before the server on this port, or alone.
    pub fn start(upstream: Option<u16>, plan: impl Fn(usize, &str) -> Fault + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State { upstream, plan: Mutex::new(Box::new(plan)), seen: Mutex::default() });
        let serving = state.clone();
        // It listens until the test program ends.
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let state = serving.clone();
                thread::spawn(move || serve(&state, client));
            }
        });
        Self { port, state }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on another plan; requests are counted anew.
    pub fn plan(&self, plan: impl Fn(usize, &str) -> Fault + Send + Sync + 'static) {
        *self.state.plan.lock().unwrap() = Box::new(plan);
        self.state.seen.lock().unwrap().clear();
    }

    /// Requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }
}

/// One request per connection: the answer says so, and the client opens another.
fn serve(state: &State, mut client: TcpStream) {
    let Some((head, body)) = read_message(&client) else { return };
    let what = head.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let (place, fault) = {
        let mut seen = state.seen.lock().unwrap();
        let number = seen.iter().filter(|earlier| earlier.what == what).count();
        let fault = (state.plan.lock().unwrap())(number, what.split(' ').next_back().unwrap());
        seen.push(Seen { what, headers: head.clone(), given_up: false });
        (seen.len() - 1, fault)
    };
    match fault {
        Fault::Pass => relay(state, &mut client, &head, &body),
        Fault::Rewrite(change) => relay(state, &mut client, &head, &change(body)),
        Fault::Delay(time) => {
            // A client that goes closes its side: the read ends then, and would block else.
            client.set_read_timeout(Some(time)).unwrap();
            if matches!(client.read(&mut [0]), Ok(0)) {
                let mut seen = state.seen.lock().unwrap();
                if let Some(seen) = seen.get_mut(place) {
                    seen.given_up = true;
                }
                return;
            }
            relay(state, &mut client, &head, &body);
        }
        Fault::Cut => {}
        Fault::HalfBody => {
            let answer = ask(state, &head, &body);
            let _ = client.write_all(&answer[..answer.len() - answer.len() / 4]);
        }
        Fault::SlowLoris(time) => {
            for byte in ask(state, &head, &body) {
                if client.write_all(&[byte]).is_err() {
                    return;
                }
                thread::sleep(time);
            }
        }
        Fault::Endless(text) => {
            let mut alive = client.write_all(text.as_bytes()).is_ok();
            while alive {
                thread::sleep(Duration::from_millis(20));
                alive = client.write_all(b" ").is_ok();
            }
        }
        Fault::Respond(respond) => {
            let path = head.split(' ').nth(1).unwrap_or_default();
            let _ = client.write_all(respond(path, &body).as_bytes());
        }
        Fault::Raw(text) => {
            let _ = client.write_all(text.as_bytes());
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}

fn relay(state: &State, client: &mut TcpStream, head: &str, body: &str) {
    let answer = ask(state, head, body);
    let _ = client.write_all(&answer);
}

/// The server's whole answer; empty where it is gone.
fn ask(state: &State, head: &str, body: &str) -> Vec<u8> {
    let upstream = state.upstream.expect("a plan that passes requests on needs a server");
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", upstream)) else { return Vec::new() };
    let kept = head.lines().filter(|line| {
        let lower = line.to_lowercase();
        !lower.starts_with("content-length") && !lower.starts_with("connection") && !line.is_empty()
    });
    let head = kept.collect::<Vec<_>>().join("\r\n");
    let request = format!("{head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    let mut answer = Vec::new();
    if server.write_all(request.as_bytes()).is_ok() {
        let _ = server.read_to_end(&mut answer);
    }
    answer
}

/// Head and body of a request with `Content-Length`.
fn read_message(stream: &TcpStream) -> Option<(String, String)> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((head, String::from_utf8(body).ok()?))
}
