//! `dissent index`, `search`, `predict` and `train retriever` with an encoder on a server, which has the vectors of the sample's
//! encoder: what is found is what the encoder in this process finds.

use super::commands::dissent;
use super::embedding_server::{respond, start};
use super::fault_proxy::{Fault, FaultProxy, message};
use super::support::{sample_dataset, sample_encoder, sample_reader};
use crate::support::program::{stderr_of, stdout_of};
use serde_json::Value;
use std::path::Path;
use std::process::Output;

/// Runs a command on the sample in this workspace.
fn on_sample(workspace: &Path, command: &[&str], encoder: &str) -> Output {
    let mut process = dissent(command);
    process.arg(sample_dataset()).arg("--workspace").arg(workspace).args(["--encoder", encoder, "--device", "cpu"]);
    process.output().unwrap()
}

fn ids(output: &Output) -> Vec<String> {
    let value: Value = serde_json::from_str(&stdout_of(output)).unwrap();
    value["results"].as_array().unwrap().iter().map(|found| found["id"].as_str().unwrap().to_string()).collect()
}

/// Requests for vectors so far.
fn asked(proxy: &FaultProxy) -> usize {
    proxy.seen().iter().filter(|seen| seen.what.ends_with("embeddings")).count()
}

#[test]
fn a_served_encoder_finds_what_the_encoder_here_finds() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    let proxy = start();
    let (local, served) = (sample_encoder(), format!("{}/infinity", proxy.url()));
    let local = local.to_str().unwrap();
    stdout_of(&on_sample(&here, &["index"], local));
    let built = on_sample(&there, &["index"], &served);
    assert!(stdout_of(&built).contains("encoder   m"), "{built:?}");
    assert!(stderr_of(&built).contains("embeds texts and images as vectors of 64"), "{built:?}");
    let images = sample_dataset().join("images");
    let mut pictures: Vec<_> = std::fs::read_dir(images).unwrap().map(|entry| entry.unwrap().path()).collect();
    pictures.sort();
    for picture in pictures.iter().step_by(pictures.len() / 3).take(3) {
        let search = ["search", "--json", "--image", picture.to_str().unwrap()];
        assert_eq!(ids(&on_sample(&there, &search, &served)), ids(&on_sample(&here, &search, local)), "{picture:?}");
    }
    let search = ["search", "--json", "--by", "captions", "--text", "a large round mass"];
    assert_eq!(ids(&on_sample(&there, &search, &served)), ids(&on_sample(&here, &search, local)));

    // A second build has nothing to ask for but the probe; with --force it asks for everything.
    let before = asked(&proxy);
    std::fs::remove_dir_all(there.join("index")).unwrap();
    stdout_of(&on_sample(&there, &["index"], &served));
    let second = asked(&proxy) - before;
    // What the server is, its form, and three texts and three pictures.
    assert!(second < 16, "{second}");
    stdout_of(&on_sample(&there, &["index", "--force"], &served));
    let forced = asked(&proxy) - before - second;
    assert!(forced > 2 * second, "{forced} requests after {second}");

    let reader = sample_reader();
    let predict = ["predict", "--run", "r", "--limit", "6", "--json", "--reader", reader.to_str().unwrap()];
    stdout_of(&on_sample(&here, &predict, local));
    stdout_of(&on_sample(&there, &predict, &served));
    let lines = |workspace: &Path| std::fs::read_to_string(workspace.join("runs/r/predictions.jsonl")).unwrap();
    let documents = |text: String| -> Vec<(Value, Value)> {
        let line = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        text.lines().map(line).map(|line| (line["case"].clone(), line["document"].clone())).collect()
    };
    assert_eq!(documents(lines(&there)), documents(lines(&here)));

    let out = folder.path().join("heads");
    let train = ["train", "retriever", "--kind", "tower", "--out", out.to_str().unwrap()];
    let refused = on_sample(&there, &[&train[..], &["--reader", reader.to_str().unwrap()]].concat(), &served);
    assert!(stderr_of(&refused).contains("use --kind adapter"), "{refused:?}");
}

#[test]
fn a_server_that_gives_other_vectors_is_refused_for_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path();
    let proxy = start();
    let url = |mode: &str| format!("{}/{mode}", proxy.url());
    let built = on_sample(workspace, &["index", "--json"], &url("infinity"));
    stdout_of(&built);
    let manifest = std::fs::read_to_string(workspace.join("index/index.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let fingerprint = manifest["encoder"]["fingerprint"].as_str().unwrap().to_string();
    let rounded = on_sample(workspace, &["index"], &url("infinity-rounded"));
    assert!(stdout_of(&rounded).contains("up to date"), "{rounded:?}");
    for command in [&["index"][..], &["search", "--by", "captions", "--text", "a mass"]] {
        let refused = on_sample(workspace, command, &url("infinity-changed"));
        let said = stderr_of(&refused);
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains(&fingerprint) && said.contains("now it is") && said.contains("--force"), "{said}");
    }
    let forced = on_sample(workspace, &["index", "--force"], &url("infinity-changed"));
    assert!(stdout_of(&forced).contains("index built"), "{forced:?}");
    let refused = on_sample(workspace, &["index"], &url("infinity"));
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
}

#[test]
fn a_build_that_was_interrupted_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path();
    let proxy = FaultProxy::start(None, |number, path| {
        let broken = message("500 Internal Server Error", "", r#"{"error": "out of memory"}"#);
        if path.ends_with("embeddings") && number >= 30 { Fault::Raw(broken) } else { Fault::Respond(respond) }
    });
    let url = format!("{}/infinity", proxy.url());
    let failed = on_sample(workspace, &["index"], &url);
    assert!(stderr_of(&failed).contains("out of memory"), "{failed:?}");
    proxy.plan(|_, _| Fault::Respond(respond));
    stdout_of(&on_sample(workspace, &["index"], &url));
    let rest = asked(&proxy);
    std::fs::remove_dir_all(workspace.join("cache")).unwrap();
    proxy.plan(|_, _| Fault::Respond(respond));
    stdout_of(&on_sample(workspace, &["index", "--force"], &url));
    assert!(rest + 15 < asked(&proxy), "{rest} requests after the interruption, {} for everything", asked(&proxy));
}

#[test]
fn a_server_of_texts_alone_makes_an_index_of_captions() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path();
    let proxy = start();
    let url = format!("{}/tei", proxy.url());
    let built = on_sample(workspace, &["index"], &url);
    stdout_of(&built);
    assert!(stderr_of(&built).contains("embeds texts alone"), "{built:?}");
    let found = on_sample(workspace, &["search", "--json", "--by", "captions", "--text", "a large mass"], &url);
    assert_eq!(ids(&found).len(), 10);
    let reader = sample_reader();
    let predict = ["predict", "--run", "r", "--limit", "1", "--reader", reader.to_str().unwrap()];
    let refused = on_sample(workspace, &predict, &url);
    let said = stderr_of(&refused);
    assert!(said.contains("the image head is left out") && said.contains("none of the chosen heads"), "{said}");
    let lexical = on_sample(workspace, &[&predict[..], &["--heads", "lexical"]].concat(), &url);
    stdout_of(&lexical);
}
