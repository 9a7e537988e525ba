//! Servers that say anything: readers asked by `doctor` and `predict`, the hub asked by `download`.

use crate::ground::Ground;
use crate::input::{Input, Random, text_of};
use crate::mutate;
use rand::Rng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Given to the program; nothing that it prints or writes may have it.
const KEY: &str = "sk-SECRETSECRETSECRET-0123456789abcdef";

/// A server on this machine; it ends with the input.
struct Server {
    port: u16,
    over: Arc<AtomicBool>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for the next question.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// A server's reaction to every question.
#[derive(Clone)]
enum Manner {
    /// Status, headers and body.
    Says(String, Vec<u8>),
    /// This body for a path that ends so; for others what the good server says.
    At(&'static str, Vec<u8>),
    /// Sends without end, or a byte a while.
    Endless,
    Trickles,
    /// Takes the question and is silent.
    Silent,
    /// Ends within its answer.
    CutShort,
    Garbage(Vec<u8>),
}

fn serve(manner: Manner, good: fn(&str) -> Value) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let over = Arc::new(AtomicBool::new(false));
    let ended = over.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if ended.load(Ordering::SeqCst) {
                return;
            }
            let (manner, ended) = (manner.clone(), ended.clone());
            // Several clients may ask at once and are answered at once.
            thread::spawn(move || answer(stream, &manner, good, &ended));
        }
    });
    Server { port, over }
}

fn answer(mut stream: TcpStream, manner: &Manner, good: fn(&str) -> Value, over: &AtomicBool) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut first, mut line, mut length) = (String::new(), String::new(), 0);
    reader.read_line(&mut first)?;
    while reader.read_line(&mut line)? > 0 && !line.trim().is_empty() {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
    let path = first.split_whitespace().nth(1).unwrap_or("/");
    let whole = |body: &[u8]| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Linked-ETag: \"{}\"\r\nX-Linked-Size: 9\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            "ab".repeat(32),
            body.len()
        );
        [head.as_bytes(), if first.starts_with("HEAD") { b"" } else { body }].concat()
    };
    match manner {
        Manner::Says(head, body) => {
            let head = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all(&[head.as_bytes(), body].concat())
        }
        Manner::At(end, body) if path.split('?').next().unwrap_or(path).ends_with(end) => {
            stream.write_all(&whole(body))
        }
        Manner::At(..) => stream.write_all(&whole(good(path).to_string().as_bytes())),
        Manner::Garbage(bytes) => stream.write_all(bytes),
        Manner::CutShort => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"data\":"),
        Manner::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            while !over.load(Ordering::SeqCst) {
                stream.write_all(format!("10000\r\n{}\r\n", " ".repeat(65536)).as_bytes())?;
            }
            Ok(())
        }
        Manner::Trickles => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            while !over.load(Ordering::SeqCst) {
                stream.write_all(b"1\r\n \r\n")?;
                thread::sleep(Duration::from_millis(100));
            }
            Ok(())
        }
        Manner::Silent => {
            while !over.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(50));
            }
            Ok(())
        }
    }
}

/// An engine that is not known by name and answers every question.
fn engine(path: &str) -> Value {
    if path.ends_with("/v1/models") {
        return json!({"object": "list", "data": [{"id": "m", "object": "model", "owned_by": "llamacpp", "meta": {"n_vocab": 512}}]});
    }
    if path.ends_with("/props") {
        return json!({"build_info": "b1", "default_generation_settings": {"n_ctx": 4096}});
    }
    if path.ends_with("/tokenize") {
        return json!({"tokens": [5]});
    }
    chat(-0.5)
}

fn chat(log_probability: f64) -> Value {
    let token = json!({"id": 5, "token": "Yes", "logprob": log_probability, "top_logprobs":
        [{"id": 5, "token": "Yes", "logprob": log_probability}, {"id": 6, "token": "No", "logprob": -2.0}]});
    json!({"choices": [{"index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": "Yes"},
        "logprobs": {"content": [token]}}], "usage": {"prompt_tokens": 7}})
}

fn hub(path: &str) -> Value {
    if path.starts_with("/api") {
        return json!({"sha": "0123456789012345678901234567890123456789", "siblings": [{"rfilename": "config.json"}, {"rfilename": "model.safetensors"}]});
    }
    json!({})
}

fn manner(random: &mut Random, paths: &[&'static str], good: fn(&str) -> Value) -> (Manner, String) {
    let end = *paths.choose(random).unwrap();
    match random.random_range(0..10) {
        0 => (Manner::Endless, "without end".into()),
        1 => (Manner::Trickles, "a byte a while".into()),
        2 => (Manner::Silent, "silent".into()),
        3 => (Manner::CutShort, "cut short".into()),
        4 => {
            let mut bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_vec();
            let what = mutate::bytes(random, &mut bytes);
            (Manner::Garbage(bytes), format!("HTTP {what}"))
        }
        5 => {
            let text = mutate::hostile_text(random);
            let heads = [
                "500 Oops",
                "400 Bad",
                "401 No",
                "403 No",
                "404 None",
                "429 Busy\r\nRetry-After: NaN",
                "503 Busy\r\nRetry-After: 999999999999",
                "307 There\r\nLocation: http://127.0.0.1:1/\u{1b}]0;x",
                "302 Loop\r\nLocation: /v1/models",
                "204 Nothing",
                "200 Ok\r\nContent-Encoding: gzip",
                "999 What",
            ];
            let head = *heads.choose(random).unwrap();
            let filler = "A".repeat(random.random_range(0..300));
            let body = json!({"error": {"message": format!("{text} {filler} {KEY}")}}).to_string();
            (Manner::Says(head.into(), body.into_bytes()), format!("{head:?} {text:.40?}"))
        }
        6 => {
            let many: Vec<Value> = (0..random.random_range(1..30_000))
                .map(|number| json!({"id": format!("m{number}"), "rfilename": format!("model-{number}.safetensors")}))
                .collect();
            (
                Manner::At(
                    end,
                    json!({"data": many, "siblings": many, "sha": "0123456789012345678901234567890123456789"})
                        .to_string()
                        .into_bytes(),
                ),
                format!("{} entries", many.len()),
            )
        }
        _ => {
            let (text, what) = mutate::json(random, &good(end).to_string());
            (Manner::At(end, text.into_bytes()), format!("{end} {what}"))
        }
    }
}

/// Waits of a second or three.
const BOUNDS: [&str; 4] = ["--reader-timeout", "3", "--reader-patience", "1"];

fn predict_at(what: String, ground: &Ground, folder: &Path, address: &str) -> Input {
    let workspace = folder.join("ws");
    let more = [&["--limit", "1", "--workspace", text_of(&workspace)][..], &BOUNDS].concat();
    Input::predict(what, &ground.dataset(), address, &more)
}

/// `doctor --reader URL`, or `predict` with it.
pub fn reader(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let (manner, what) = manner(random, &["/v1/models", "/v1/chat/completions", "/props", "/tokenize"], engine);
    let server = serve(manner, engine);
    let address = format!("http://127.0.0.1:{}", server.port);
    let input = if random.random() {
        Input::new(what, &[&["doctor", "--reader", &address][..], &BOUNDS].concat())
    } else {
        predict_at(what, ground, folder, &address)
    };
    let mut input = input
        .with_variable("DISSENT_READER_KEY", KEY)
        .expecting(|outcome, folder| hidden(KEY, &outcome.text(), folder));
    input.beside = Some(Box::new(server));
    input
}

/// `download`.
pub fn download(random: &mut Random, _: &Ground, folder: &Path) -> Input {
    let (manner, what) = manner(random, &["/revision/main", "/config.json", "/model.safetensors"], hub);
    let server = serve(manner, hub);
    let address = format!("http://127.0.0.1:{}", server.port);
    let home = folder.join("hub");
    let mut input = Input::new(what, &["download", "org/name"])
        .with_variable("HF_ENDPOINT", address)
        .with_variable("HF_HUB_DOWNLOAD_TIMEOUT", "2")
        .with_variable("HF_HOME", text_of(&home))
        .with_variable("HF_TOKEN", KEY)
        .expecting(|outcome, folder| hidden(KEY, &outcome.text(), folder));
    input.beside = Some(Box::new(server));
    input
}

/// The key is neither on the terminal nor in a file, not even its first half.
fn hidden(key: &str, text: &str, folder: &Path) -> Result<(), String> {
    let part = &key[..key.len() / 2];
    if text.contains(part) {
        return Err("the key is on the terminal".into());
    }
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(content) = std::fs::read(&path)
                && content.windows(part.len()).any(|window| window == part.as_bytes())
            {
                return Err(format!("the key is in {}", path.display()));
            }
        }
    }
    Ok(())
}

/// A server whose log-probability is above 0, or no number: refused.
pub fn impossible_probability(random: &mut Random, ground: &Ground, folder: &Path) -> Input {
    let value = *[3.0, 0.5, 1e300].choose(random).unwrap();
    let server = serve(Manner::At("/v1/chat/completions", chat(value).to_string().into_bytes()), engine);
    let address = format!("http://127.0.0.1:{}", server.port);
    let mut input = predict_at(format!("log p = {value}"), ground, folder, &address).refused();
    input.beside = Some(Box::new(server));
    input
}
