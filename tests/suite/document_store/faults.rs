//! What is said when a server is gone, and that commands go on when it is back.

use super::equal_hits::{Setting, filled, source};
use super::milvus_server::MilvusServer;
use crate::support::fixtures::sample;
use crate::support::program::{dissent, stderr_of, stdout_of};
use dissent::data::Dataset;
use dissent::index::FLAT_LIMIT;
use std::process::{Output, Stdio};
use std::time::Duration;

fn search(setting: &Setting, store: &str, more: &[&str]) -> Output {
    let mut command = dissent();
    command.arg("search").arg(&setting.dataset.root).args(["--text", "benign", "--store", store]).args(more);
    command.output().unwrap()
}

#[test]
fn a_store_that_is_gone_is_waited_for_and_named() {
    let Some(mut server) = MilvusServer::start() else { return };
    let setting = Setting::new();
    let store = server.store("sample");
    let missing = stderr_of(&search(&setting, &store, &[]));
    assert!(missing.contains("no such collection") && missing.contains("dissent index"), "{missing}");
    filled(&source(&server, "sample"), &setting.dataset, FLAT_LIMIT);
    let expected = stdout_of(&search(&setting, &store, &[]));

    server.kill();
    let output = search(&setting, &store, &["--store-patience", "1"]);
    let said = stderr_of(&output);
    assert!(!output.status.success() && said.contains("does not answer") && said.contains("start it again"), "{said}");

    // It comes back while a command waits.
    let mut waiting = dissent();
    waiting.arg("search").arg(&setting.dataset.root).args(["--text", "benign", "--store", &store]);
    let waiting = waiting.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    server.restart();
    let output = waiting.wait_with_output().unwrap();
    assert!(stderr_of(&output).contains("does not answer"), "{}", stderr_of(&output));
    assert_eq!(stdout_of(&output), expected);
}

#[test]
fn a_collection_of_another_corpus_or_encoder_is_refused() {
    let Some(server) = MilvusServer::start() else { return };
    let setting = Setting::new();
    filled(&source(&server, "sample"), &setting.dataset, FLAT_LIMIT);
    let store = server.store("sample");
    let path = setting.dataset.root.join("corpus.jsonl");
    let corpus = std::fs::read_to_string(&path).unwrap();
    let (shorter, _) = corpus.trim_end().rsplit_once('\n').unwrap();
    std::fs::write(&path, format!("{shorter}\n")).unwrap();
    let changed = Dataset::open(&setting.dataset.root).unwrap();
    let said = stderr_of(&search(&setting, &store, &[]));
    for print in [setting.dataset.corpus_fingerprint(), changed.corpus_fingerprint()] {
        assert!(said.contains("another corpus") && said.contains(print.as_str()), "{said}");
    }
    std::fs::write(&path, corpus).unwrap();
    let other = stderr_of(&search(
        &setting,
        &store,
        &["--by", "captions", "--encoder", sample("models/encoder").to_str().unwrap(), "--dtype", "f16"],
    ));
    assert!(other.contains("another encoder"), "{other}");
    let doctor = dissent().args(["doctor", "--store", &store]).output().unwrap();
    let text = stdout_of(&doctor);
    for part in ["milvus_lite", "recall@10 1.000", "word~ and word*"] {
        assert!(text.contains(part), "{text}");
    }
}
