//! A build that is killed goes on, and ends as one that was not. `DISSENT_KILLS=30` kills more often.

use super::equal_hits::{Setting, encoder, filled, source};
use super::milvus_server::MilvusServer;
use crate::support::fixtures::sample;
use crate::support::program::{dissent, stderr_of, stdout_of};
use dissent::index::{DocumentStore, FLAT_LIMIT, VectorSide};
use std::process::{Command, Stdio};
use std::time::Duration;

fn index(setting: &Setting, store: &str) -> Command {
    let mut command = dissent();
    command.arg("index").arg(&setting.dataset.root).args(["--store", store, "--encoder"]).arg(sample("models/encoder"));
    command
}

#[test]
fn killed_builds_end_like_an_undisturbed_one() {
    let Some(mut server) = MilvusServer::start() else { return };
    let setting = Setting::new();
    let kills = std::env::var("DISSENT_KILLS").map_or(4, |kills| kills.parse().unwrap());
    let store = server.store("killed");
    for step in 0..kills {
        let mut build = index(&setting, &store).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(150 + 170 * (step % 14)));
        build.kill().unwrap();
        build.wait().unwrap();
        match source(&server, "killed").open(&setting.dataset, None) {
            Ok(store) => assert_eq!(store.count(), setting.dataset.corpus.len()),
            Err(error) => assert!(error.to_string().contains("no such collection"), "{error:#}"),
        }
        if step == 1 {
            server.kill();
            server.restart();
        }
    }
    let output = index(&setting, &store).output().unwrap();
    assert!(output.status.success(), "{}", stderr_of(&output));
    assert!(stdout_of(&output).contains("recall@10 1.000"));
    let killed = source(&server, "killed").open(&setting.dataset, Some(&encoder())).unwrap();
    let (undisturbed, _) = filled(&source(&server, "undisturbed"), &setting.dataset, FLAT_LIMIT);
    assert_eq!(killed.fingerprint(), undisturbed.fingerprint());
    let ids: Vec<&str> = setting.dataset.corpus.iter().map(|document| document.id).collect();
    let rows: Vec<usize> = (0..ids.len()).collect();
    let content = |store: &dyn DocumentStore| {
        let vectors = [VectorSide::Image, VectorSide::Caption].map(|side| store.document_vectors(side, &rows).unwrap());
        (store.documents(&ids).unwrap(), vectors)
    };
    assert!(content(&*killed) == content(&*undisturbed), "documents and vectors are the same, to the last digit");
}
