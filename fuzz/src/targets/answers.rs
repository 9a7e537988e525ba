//! Answers of servers: a server in this process sends them over HTTP to the code that asks real servers.

use super::check_message;
use dissent::download::{Hub, plan};
use dissent::model::hub::HubId;
use dissent::reader::remote::{RemoteReader, SampleSettings, ServedModel, ServerAddress, ServerConnection, ServerRole};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Separates the answers of one input: the first is given first, the last is repeated.
const SEPARATOR: &[u8] = b"\n---\n";
/// Variable with the hub's address; the server of this process listens there.
const HUB_VARIABLE: &str = "HF_ENDPOINT";

/// A server on this machine with the answers that it gives.
struct Server {
    port: u16,
    answers: &'static Mutex<Vec<Vec<u8>>>,
}

/// The server, which gives these answers from now on.
fn server_of(bytes: &[u8]) -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let endpoint = std::env::var(HUB_VARIABLE).unwrap_or_default();
        let address = endpoint.strip_prefix("http://").unwrap_or("127.0.0.1:0");
        assert!(address.starts_with("127.0.0.1:"), "{HUB_VARIABLE}: expected http://127.0.0.1:PORT, found {endpoint}");
        let listener = TcpListener::bind(address).expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let answers: &'static Mutex<Vec<Vec<u8>>> = Box::leak(Box::default());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // It is no failure if the client does not wait for the answer.
                let _ = answer(stream, answers);
            }
        });
        Server { port, answers }
    });
    let mut parts = Vec::new();
    let mut rest = bytes;
    while let Some(place) = rest.windows(SEPARATOR.len()).position(|window| window == SEPARATOR) {
        parts.push(rest[..place].to_vec());
        rest = &rest[place + SEPARATOR.len()..];
    }
    parts.push(rest.to_vec());
    parts.reverse();
    *server.answers.lock().unwrap_or_else(PoisonError::into_inner) = parts;
    server
}

fn answer(stream: TcpStream, answers: &Mutex<Vec<Vec<u8>>>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut line, mut length, mut is_head) = (String::new(), 0, None);
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        is_head.get_or_insert(line.starts_with("HEAD "));
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
    let body = {
        let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() > 1 { answers.pop() } else { answers.last().cloned() }.unwrap_or_default()
    };
    let mut stream = stream;
    if is_head == Some(true) {
        // A header value is one line.
        let text: String = String::from_utf8_lossy(&body).chars().filter(|letter| !letter.is_control()).collect();
        let (tag, size) = text.split_once(' ').unwrap_or((&text, "0"));
        return write!(
            stream,
            "HTTP/1.1 200 OK\r\nX-Linked-ETag: {tag}\r\nX-Linked-Size: {size}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}

/// Answers of a reader's server to the questions at the start.
pub fn server(bytes: &[u8]) {
    let port = server_of(bytes).port;
    let role = ServerRole::Reader;
    let connection = ServerConnection {
        role,
        addresses: ServerAddress::parse_list(&format!("http://127.0.0.1:{port}"), role).expect("an address"),
        model: None,
        key: None,
        requests: 1,
        timeout: Some(Duration::from_secs(5)),
        patience: Duration::ZERO,
    };
    let served = ServedModel { connection, processor: None, answers: SampleSettings::default() };
    match RemoteReader::connect(&served, &|_| {}, &|| false) {
        Ok(reader) => drop(reader.record().facts()),
        Err(error) => check_message(&error),
    }
}

/// The hub's list of a model's files. The hub's address comes from the environment: [`HUB_VARIABLE`] names a free
/// port here.
pub fn hub(bytes: &[u8]) {
    static HUB: OnceLock<Hub> = OnceLock::new();
    server_of(bytes);
    let hub = HUB.get_or_init(|| Hub::of_environment().expect("the hub's address"));
    let id: HubId = "org/name".parse().expect("an id");
    match plan(hub, &id, &|| false) {
        Err(error) => check_message(&error),
        Ok(plan) => {
            assert_eq!(plan.commit().len(), 40, "a commit");
            assert!(plan.missing() <= plan.total(), "more is missing than there is");
        }
    }
}
