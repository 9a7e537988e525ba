//! A hub that lies, repeats keys or never ends: one line each, and no panic.

use super::fault_proxy::{Fault, FaultProxy};
use crate::support::program;
use std::process::{Command, Output};

const KEY: &str = "hf_SECRETTOKEN0123456789abcdefXYZ";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// `git hash-object` of `{}`.
const TAG: &str = "9e26dfeeb6e641a33dae4961196235bdb965b21b";

fn listing(sha: &str, names: &[String]) -> Fault {
    let siblings: Vec<_> = names.iter().map(|name| serde_json::json!({"rfilename": name})).collect();
    Fault::answer("200 OK", "", &serde_json::json!({"sha": sha, "siblings": siblings}).to_string())
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// The end of `dissent download` from a hub with this list and these headers of files.
fn download(list: Fault, headers: &'static str) -> Output {
    let hub = FaultProxy::start(None, move |_, path| match path {
        path if path.starts_with("/api/") => list.clone(),
        path => Fault::answer("200 OK", &headers.replace("DIGIT", &(path.len() % 10).to_string()), "{}"),
    });
    let home = tempfile::tempdir().unwrap();
    let output = command(&hub.url()).env("HF_HOME", home.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("SECRET") && !said.contains("panicked"), "{said}");
    assert!(!said.chars().any(|letter| letter.is_control() && letter != '\n'), "{said:?}");
    assert!(said.lines().count() <= 2 && said.len() < 2000, "{said}");
    output
}

fn command(endpoint: &str) -> Command {
    let mut command = program::dissent();
    for name in ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN_PATH", "HF_HUB_OFFLINE"] {
        command.env_remove(name);
    }
    command.env("HF_ENDPOINT", endpoint).env("HF_TOKEN", KEY).env("NO_PROXY", "127.0.0.1");
    command.args(["-v", "download", "org/name"]);
    command
}

fn refused(list: Fault, headers: &'static str) -> String {
    let output = download(list, headers);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    said
}

#[test]
fn lists_that_cannot_be_are_refused() {
    let usual = names(&["config.json", "model.safetensors"]);
    let many: Vec<String> = (0..200_000).map(|number| format!("model-{number}.safetensors")).collect();
    let many = [names(&["config.json", "model.safetensors.index.json"]), many].concat();
    let with = |name: &str| listing(COMMIT, &names(&["model.safetensors.index.json", name]));
    let tagged = "ETag: \"9e26dfeeb6e641a33dae4961196235bdb965b21b\"\r\n";
    for (list, expected) in [
        (listing(KEY, &usual), "expected a commit, found '[key]'"),
        (listing("\u{1b}]52;c;eA==\u{7}", &usual), "expected a commit"),
        (listing(&"../".repeat(13), &usual), "expected a commit"),
        (listing(&"z".repeat(1_000_000), &usual), "expected a commit"),
        (listing(COMMIT, &many), "at most 1000 files"),
        (with("model-/../../../x.safetensors"), "expected the name of a file"),
        (with("model-\u{1b}]52;c;eA==\u{7}.safetensors"), "expected the name of a file"),
        (with(&format!("model-{KEY} .safetensors")), "expected the name of a file"),
        (listing(COMMIT, &names(&["\u{1b}]0;x\u{7}.bin"])), "pickles"),
        (Fault::answer("200 OK", "", &format!(r#"{{"sha": ["{KEY}"]}}"#)), "the hub's list of files"),
        (Fault::answer("200 OK", "", &format!("{{\"siblings\":{}", "[".repeat(1_000_000))), "the hub's list of files"),
        (Fault::answer("200 OK", "", &format!("{{\"x\":\"{}", "a".repeat(17 << 20))), "longer than"),
        (Fault::answer("302 Found", "Location: file:///etc/passwd\r\n", ""), "redirects to an invalid address"),
        (Fault::answer("302 Found", "Location: /again\r\n", ""), "the hub's list of files"),
        (Fault::answer("401 Unauthorized", "", KEY), "HF_TOKEN"),
    ] {
        let said = refused(list, tagged);
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn sizes_are_added_with_care() {
    let usual = || listing(COMMIT, &names(&["config.json", "model.safetensors"]));
    for (headers, expected) in [
        ("X-Linked-Size: 9223372036854775808\r\nX-Linked-ETag: \"DIGIT\"\r\n", "no size and checksum"),
        ("X-Linked-Size: -1\r\nETag: \"9e26dfeeb6e641a33dae4961196235bdb965b21b\"\r\n", "no size and checksum"),
        ("X-Linked-Size: 9223372036854775808\r\nETag: \"9e26dfeeb6e641a33dae4961196235bdb965b21b\"\r\n", "a model has"),
        (
            "X-Linked-Size: 18446744073709551615\r\nETag: \"DIGITe26dfeeb6e641a33dae4961196235bdb965b21b\"\r\n",
            "a model has",
        ),
        ("X-Linked-Size: 800000000000000\r\nETag: \"DIGITe26dfeeb6e641a33dae4961196235bdb965b21b\"\r\n", "a model has"),
        ("ETag: \"../../../../x\"\r\n", "no size and checksum"),
    ] {
        let said = refused(usual(), headers);
        assert!(said.contains(expected), "{headers}: {said}");
    }
    assert_eq!(TAG.len(), COMMIT.len());
}

#[test]
fn a_list_that_trickles_has_an_end() {
    let said = refused(Fault::Endless("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n".into()), "");
    assert!(said.contains("did not come within 15 s"), "{said}");
}

#[test]
fn passwords_of_the_endpoint_are_not_shown() {
    for endpoint in ["http://user:hunter2SECRET@host", "ftp://user:hunter2SECRET@host", "hunter2SECRET"] {
        let output = command(endpoint).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("HF_ENDPOINT"), "{said}");
        assert!(!said.contains("hunter2") && !said.contains("SECRET"), "{said}");
    }
}
