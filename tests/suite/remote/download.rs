//! `dissent download` against a hub of our own: layout of the cache, cuts, checksums, keys and redirects.

use crate::support::program;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::{fs, thread};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const KEY: &str = "hf_secretKey123";
/// `git hash-object` of `{}`.
const CONFIG_TAG: &str = "9e26dfeeb6e641a33dae4961196235bdb965b21b";

/// Faults of the hub.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Faults {
    /// Every answer with weights ends after so many bytes.
    cut_after: Option<usize>,
    /// The other host sends other bytes of the same number.
    wrong_bytes: bool,
    /// Ranges are answered with the whole file.
    no_ranges: bool,
    /// Requests without the key are refused.
    private: bool,
    /// The size that the hub gives for the weights.
    claimed_size: Option<u64>,
}

/// A hub with one model, whose weights are on another host.
struct TestHub {
    hub: u16,
    seen: Arc<Mutex<Vec<String>>>,
    faults: Arc<Mutex<Faults>>,
    weights: Vec<u8>,
}

impl TestHub {
    fn start() -> Self {
        let weights: Vec<u8> = (0..200_000_u32).map(|number| (number * 7 % 251) as u8).collect();
        let (seen, faults) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Faults::default())));
        let store = listen("store", seen.clone(), {
            let (weights, faults) = (weights.clone(), faults.clone());
            move |head| store_answer(head, &weights, *faults.lock().unwrap())
        });
        let sha256 = hex(&Sha256::digest(&weights));
        let hub = listen("hub", seen.clone(), {
            let (size, faults) = (weights.len() as u64, faults.clone());
            move |head| hub_answer(head, store, &sha256, size, *faults.lock().unwrap())
        });
        Self { hub, seen, faults, weights }
    }

    fn set(&self, faults: Faults) {
        *self.faults.lock().unwrap() = faults;
        self.seen.lock().unwrap().clear();
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    fn download(&self, home: &Path, model: &str, more: &[&str]) -> Output {
        let mut command = program::dissent();
        for name in ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "HF_TOKEN"] {
            command.env_remove(name);
        }
        command.env("HF_HOME", home).env("HF_ENDPOINT", format!("http://127.0.0.1:{}", self.hub));
        command.env("NO_PROXY", "127.0.0.1").arg("download").arg(model).args(more);
        if home.join("with-key").exists() {
            command.env("HF_TOKEN", KEY);
        }
        command.output().unwrap()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn listen(
    name: &'static str,
    seen: Arc<Mutex<Vec<String>>>,
    answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static,
) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let (seen, answer) = (seen.clone(), answer.clone());
            thread::spawn(move || serve(name, client, &seen, &*answer));
        }
    });
    port
}

fn serve(name: &str, mut client: TcpStream, seen: &Mutex<Vec<String>>, answer: &dyn Fn(&str) -> Vec<u8>) {
    let mut head = String::new();
    let mut reader = BufReader::new(client.try_clone().unwrap());
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap_or(0) == 0 {
            return;
        }
    }
    seen.lock().unwrap().push(format!("{name} {head}"));
    let _ = client.write_all(&answer(&head));
    let _ = client.shutdown(Shutdown::Both);
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

fn message(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn hub_answer(head: &str, store: u16, sha256: &str, size: u64, faults: Faults) -> Vec<u8> {
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    if faults.private && header(head, "authorization") != Some(&format!("Bearer {KEY}")) {
        return message("401 Unauthorized", "", b"");
    }
    if path == "/api/models/org/name/revision/main" {
        let names = ["config.json", "model.safetensors", "pytorch_model.bin", "README.md"];
        let siblings: Vec<String> = names.iter().map(|name| format!("{{\"rfilename\": \"{name}\"}}")).collect();
        let list = format!("{{\"sha\": \"{COMMIT}\", \"siblings\": [{}]}}", siblings.join(","));
        return message("200 OK", "", list.as_bytes());
    }
    if path == "/api/models/org/pickled/revision/main" {
        let list = format!("{{\"sha\": \"{COMMIT}\", \"siblings\": [{{\"rfilename\": \"pytorch_model.bin\"}}]}}");
        return message("200 OK", "", list.as_bytes());
    }
    if path == format!("/org/name/resolve/{COMMIT}/config.json") {
        let mut answer = message("200 OK", &format!("ETag: \"{CONFIG_TAG}\"\r\n"), b"{}");
        if method == "HEAD" {
            answer.truncate(answer.len() - 2);
        }
        return answer;
    }
    if path == format!("/org/name/resolve/{COMMIT}/model.safetensors") {
        let size = faults.claimed_size.unwrap_or(size);
        let headers = format!(
            "ETag: \"elsewhere\"\r\nX-Linked-ETag: \"{sha256}\"\r\nX-Linked-Size: {size}\r\nLocation: http://127.0.0.1:{store}/signed\r\n"
        );
        return message("302 Found", &headers, b"");
    }
    message("404 Not Found", "", b"")
}

fn store_answer(head: &str, weights: &[u8], faults: Faults) -> Vec<u8> {
    let content: Vec<u8> =
        if faults.wrong_bytes { weights.iter().map(|byte| byte ^ 1).collect() } else { weights.to_vec() };
    let from = header(head, "range").filter(|_| !faults.no_ranges);
    let from = from.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let mut answer = match from {
        None => message("200 OK", "", &content),
        Some(from) => {
            let last = content.len() - 1;
            let range = format!("Content-Range: bytes {from}-{last}/{}\r\n", content.len());
            message("206 Partial Content", &range, &content[from..])
        }
    };
    if let Some(cut) = faults.cut_after {
        let body = content.len() - from.unwrap_or(0);
        answer.truncate(answer.len() - body + cut.min(body));
    }
    answer
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Every file below the model's folder: relative path to content, links followed.
fn tree(home: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let root = home.join("hub/models--org--name");
    let mut files = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(&root).unwrap().to_path_buf(), fs::read(&path).unwrap());
            }
        }
    }
    files
}

fn snapshot_file(name: &str) -> PathBuf {
    Path::new("snapshots").join(COMMIT).join(name)
}

#[test]
fn a_model_comes_into_the_cache_as_huggingface_hub_lays_it_out() {
    let (hub, home) = (TestHub::start(), tempfile::tempdir().unwrap());
    let output = hub.download(home.path(), "org/name", &["--dry-run"]);
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("2 files, 200 kB, into") && said.contains("models--org--name/snapshots/0123456"), "{said}");
    assert_eq!(tree(home.path()), BTreeMap::new(), "nothing is written");
    let output = hub.download(home.path(), "org/name", &["--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let facts: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((facts["bytes"].as_u64(), facts["missing_bytes"].as_u64()), (Some(200_002), Some(0)));
    let sha256 = hex(&Sha256::digest(&hub.weights));
    let expected = BTreeMap::from([
        (Path::new("blobs").join(CONFIG_TAG), b"{}".to_vec()),
        (Path::new("blobs").join(&sha256), hub.weights.clone()),
        (snapshot_file("config.json"), b"{}".to_vec()),
        (snapshot_file("model.safetensors"), hub.weights.clone()),
        ("refs/main".into(), COMMIT.as_bytes().to_vec()),
    ]);
    assert!(tree(home.path()) == expected, "{:?}", tree(home.path()).keys());
    let link = home.path().join("hub/models--org--name").join(snapshot_file("model.safetensors"));
    assert_eq!(fs::read_link(link).unwrap(), Path::new("../../blobs").join(&sha256));
    // A second time nothing is fetched.
    hub.set(Faults::default());
    assert!(hub.download(home.path(), "org/name", &[]).status.success());
    assert!(!hub.seen().iter().any(|request| request.starts_with("store")), "{:?}", hub.seen());
}

#[test]
fn what_is_cut_off_is_continued_and_never_looks_whole() {
    let (hub, home) = (TestHub::start(), tempfile::tempdir().unwrap());
    // No progress at all: given up after some attempts, with what came kept.
    hub.set(Faults { cut_after: Some(0), ..Faults::default() });
    let output = hub.download(home.path(), "org/name", &[]);
    assert!(!output.status.success());
    assert!(stderr(&output).contains("model.safetensors"), "{}", stderr(&output));
    assert!(!home.path().join("hub/models--org--name/snapshots").exists());
    assert!(!home.path().join("hub/models--org--name/refs").exists());
    // Pieces: each continues where the last ended.
    hub.set(Faults { cut_after: Some(70_000), ..Faults::default() });
    let output = hub.download(home.path(), "org/name", &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let to_store: Vec<String> = hub.seen().into_iter().filter(|request| request.starts_with("store")).collect();
    let ranges: Vec<&str> = to_store.iter().filter_map(|request| header(request, "range")).collect();
    assert_eq!(ranges, ["bytes=70000-", "bytes=140000-"]);
    assert_eq!(tree(home.path())[&snapshot_file("model.safetensors")], hub.weights);
    assert!(!tree(home.path()).keys().any(|path| path.to_string_lossy().ends_with(".incomplete")));
}

#[test]
fn a_server_without_ranges_begins_again() {
    let (hub, home) = (TestHub::start(), tempfile::tempdir().unwrap());
    let blobs = home.path().join("hub/models--org--name/blobs");
    fs::create_dir_all(&blobs).unwrap();
    let aside = blobs.join(format!("{}.incomplete", hex(&Sha256::digest(&hub.weights))));
    fs::write(&aside, &hub.weights[..50_000]).unwrap();
    hub.set(Faults { no_ranges: true, ..Faults::default() });
    let output = hub.download(home.path(), "org/name", &[]);
    let said = stderr(&output);
    assert!(output.status.success() && said.contains("150 kB of them still missing"), "{said}");
    assert_eq!(tree(home.path())[&snapshot_file("model.safetensors")], hub.weights);
}

#[test]
fn other_bytes_than_the_hub_names_are_removed() {
    let (hub, home) = (TestHub::start(), tempfile::tempdir().unwrap());
    for (faults, word) in [
        (Faults { wrong_bytes: true, ..Faults::default() }, "checksum"),
        (Faults { claimed_size: Some(150_000), ..Faults::default() }, "longer than the 150000 bytes"),
    ] {
        hub.set(faults);
        let output = hub.download(home.path(), "org/name", &[]);
        assert!(!output.status.success() && stderr(&output).contains(word), "{}", stderr(&output));
        let kept: Vec<PathBuf> = tree(home.path()).into_keys().collect();
        assert_eq!(kept, [Path::new("blobs").join(CONFIG_TAG)], "{faults:?}");
    }
}

#[test]
fn the_key_goes_to_the_hub_alone_and_into_no_message() {
    let (hub, home) = (TestHub::start(), tempfile::tempdir().unwrap());
    hub.set(Faults { private: true, ..Faults::default() });
    let output = hub.download(home.path(), "org/name", &[]);
    assert!(!output.status.success() && stderr(&output).contains("HF_TOKEN"), "{}", stderr(&output));
    fs::write(home.path().join("with-key"), "").unwrap();
    let output = hub.download(home.path(), "org/name", &["-v"]);
    assert!(output.status.success() && !stderr(&output).contains(KEY), "{}", stderr(&output));
    let (store, own): (Vec<_>, Vec<_>) = hub.seen().into_iter().partition(|request| request.starts_with("store"));
    assert!(!store.is_empty() && store.iter().all(|request| header(request, "authorization").is_none()), "{store:?}");
    assert!(own.iter().any(|request| request.contains(KEY)));
    // The key of `hf auth login`.
    fs::remove_file(home.path().join("with-key")).unwrap();
    fs::write(home.path().join("token"), format!("{KEY}\n")).unwrap();
    assert!(hub.download(home.path(), "org/name", &["--dry-run"]).status.success());
}

#[test]
fn what_cannot_be_fetched_says_why() {
    let (hub, home) = (TestHub::start(), tempfile::tempdir().unwrap());
    for (model, word) in [
        ("org/nothing", "the hub has no such model, revision or file"),
        ("org/name@v9", "the hub has no such model, revision or file"),
        ("org/pickled", "its weights are pickles (pytorch_model.bin)"),
    ] {
        let output = hub.download(home.path(), model, &[]);
        assert!(!output.status.success() && stderr(&output).contains(word), "{model}: {}", stderr(&output));
    }
    assert_eq!(hub.download(home.path(), "nonsense", &[]).status.code(), Some(2));
    hub.set(Faults { claimed_size: Some(1 << 49), ..Faults::default() });
    let output = hub.download(home.path(), "org/name", &[]);
    assert!(!output.status.success() && stderr(&output).contains("are free; HF_HOME"), "{}", stderr(&output));
    assert!(!hub.seen().iter().any(|request| request.starts_with("store")), "nothing is begun");
}
