//! Our key in every field of every answer: it reaches no file, no screen and no message.

use super::commands::{dissent, open_dataset};
use super::rule_server::{self, KEY, spelled};
use super::support::{sample_dataset, sample_encoder};
use std::path::Path;
use std::process::{Command, Output};

const FIELDS: [&str; 24] = [
    "id",
    "root",
    "owned_by",
    "max_model_len",
    "models",
    "data",
    "version",
    "build_info.llama",
    "eos_token.llama",
    "tokens",
    "prompt",
    "content",
    "token",
    "logprob",
    "choices",
    "prompt_token_ids",
    "usage",
    "refusal",
    "chatrefusal",
    "chatfailure",
    "errorin200",
    "garbage",
    "location",
    "encoding",
];
const SPELLINGS: [&str; 7] = ["whole", "cut", "spaced", "capitals", "percent", "base64", "half"];

fn address(url: &str, field: &str, spelling: &str) -> String {
    let (field, kind) = field.split_once('.').unwrap_or((field, ""));
    format!("{url}/planted-{field}-{spelling}{}", if kind.is_empty() { "" } else { "/llama" })
}

/// Pieces of eight letters of the key, and of what it is in base64.
fn pieces() -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    for text in [KEY.to_owned(), spelled("base64")[12..].to_owned()] {
        pieces.extend(text.to_lowercase().as_bytes().windows(8).map(<[u8]>::to_vec));
    }
    pieces
}

fn assert_no_piece(what: &str, bytes: &[u8], pieces: &[Vec<u8>]) {
    let lower = bytes.to_ascii_lowercase();
    let found = pieces.iter().find(|piece| memchr::memmem::find(&lower, piece).is_some());
    let found = found.map(|piece| String::from_utf8_lossy(piece).into_owned());
    let text = bytes.get(..2000).unwrap_or(bytes).escape_ascii();
    assert_eq!(found, None, "{what}: {text}");
}

fn with_key(mut command: Command) -> Output {
    command.env("DISSENT_READER_KEY", KEY).output().unwrap()
}

fn assert_streams(what: &str, output: &Output, pieces: &[Vec<u8>]) {
    assert_no_piece(what, &output.stdout, pieces);
    assert_no_piece(what, &output.stderr, pieces);
    let lines = output.stderr.split(|byte| *byte == b'\n').count();
    assert!(lines < 6, "{what}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.code().is_some_and(|code| code <= 1), "{what}: {:?}", output.status);
}

fn assert_files(folder: &Path, pieces: &[Vec<u8>]) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        assert_no_piece("a file's name", entry.file_name().as_encoded_bytes(), pieces);
        if path.is_dir() && !path.is_symlink() {
            count += assert_files(&path, pieces);
        } else if path.is_file() {
            assert_no_piece(&path.display().to_string(), &std::fs::read(&path).unwrap(), pieces);
            count += 1;
        }
    }
    count
}

#[test]
fn doctor_shows_no_piece_of_a_key_that_a_server_repeats() {
    let (server, pieces) = (rule_server::start(), pieces());
    let mut answered = 0;
    for field in FIELDS {
        for spelling in SPELLINGS {
            let url = address(&server.url(), field, spelling);
            let output = with_key(dissent(&["doctor", "--reader", &url]));
            assert_streams(&url, &output, &pieces);
            answered += usize::from(output.status.success());
        }
        let url = address(&server.url(), field, "whole");
        assert_streams(&url, &with_key(dissent(&["doctor", "--json", "--reader", &url])), &pieces);
    }
    assert!(answered >= 5 * SPELLINGS.len(), "most fields do not keep a server from being used: {answered}");
    let sent = server.seen().iter().filter(|seen| seen.headers.contains(KEY)).count();
    assert!(sent > FIELDS.len(), "the key is sent");
}

#[test]
fn runs_and_reports_hold_no_piece_of_a_key_that_a_server_repeats() {
    let (server, pieces) = (rule_server::start(), pieces());
    let folder = tempfile::tempdir().unwrap();
    let open = open_dataset(folder.path());
    let closed = sample_dataset();
    let workspace = folder.path().join("workspace");
    let mut done = 0;
    for (field, spelling) in [
        ("id", "whole"),
        ("id", "spaced"),
        ("version", "cut"),
        ("root", "whole"),
        ("content", "whole"),
        ("content", "cut"),
        ("content", "base64"),
        ("tokens", "whole"),
        ("token", "whole"),
        ("errorin200", "cut"),
    ] {
        let url = address(&server.url(), field, spelling);
        let dataset = if field == "content" { &open } else { &closed };
        let run = format!("{field}-{spelling}");
        let mut command = dissent(&["-v", "predict", "--run", &run, "--limit", "2", "--device", "cpu"]);
        command.arg(dataset).arg("--workspace").arg(&workspace).arg("--encoder").arg(sample_encoder());
        command.args(["--reader", &url]);
        let output = with_key(command);
        assert_no_piece(&url, &output.stdout, &pieces);
        assert_no_piece(&url, &output.stderr, &pieces);
        if output.status.success() {
            done += 1;
            let page = workspace.join(format!("{run}.html"));
            let mut command = dissent(&["evaluate", "--runs", &run, "--html"]);
            command.arg(&page).arg(dataset).arg("--workspace").arg(&workspace);
            assert_streams(&run, &with_key(command), &pieces);
        }
    }
    assert!(done >= 7, "{done} runs");
    assert!(assert_files(&workspace, &pieces) > 2 * done);
}

#[test]
fn passwords_in_addresses_are_not_repeated() {
    for address in ["http://user:hunter2secret@host:1", "ftp://user:hunter2secret@host", "HTTP://u:hunter2secret@h"] {
        for (command, flag) in [("doctor", "--reader"), ("doctor", "--reader-processor")] {
            let mut command = dissent(&[command, flag, address]);
            if flag != "--reader" {
                command.args(["--reader", "http://127.0.0.1:1"]);
            }
            let output = command.output().unwrap();
            let said = [output.stdout, output.stderr].concat();
            assert!(!output.status.success(), "{address}");
            assert!(!String::from_utf8_lossy(&said).contains("hunter2"), "{}", String::from_utf8_lossy(&said));
        }
    }
    let output =
        dissent(&["doctor", "--help"]).env("DISSENT_READER", "http://user:hunter2secret@host").output().unwrap();
    assert!(!String::from_utf8_lossy(&output.stdout).contains("hunter2"));
}
