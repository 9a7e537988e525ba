//! The fuzz targets over their seeds: what was a crash once stays mended.

use crate::ground::project;
use crate::targets;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

/// Variable that names the target of this process.
const VARIABLE: &str = "DISSENT_FUZZ_TARGET";

/// Each target in a process of its own: what aborts is named, and the others go on.
#[test]
fn every_target_takes_its_seeds() {
    let mut failed = Vec::new();
    for target in targets::ALL {
        // The server of the target listens there.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "seeds::one_target_takes_its_seeds", "--nocapture"])
            .env(VARIABLE, target.name)
            .env("HF_ENDPOINT", format!("http://127.0.0.1:{port}"))
            .output()
            .unwrap();
        if !output.status.success() {
            failed.push(format!("{}: {}", target.name, String::from_utf8_lossy(&output.stderr)));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
#[ignore = "run by the test above, one process for each target"]
fn one_target_takes_its_seeds() {
    let name = std::env::var(VARIABLE).expect("a target's name");
    let target = targets::named(&name).expect("a target");
    let seeds = seeds_of(&name);
    assert!(!seeds.is_empty(), "no seed in tests/fixtures/hostile/{name}");
    for path in seeds {
        // The last one named is the one that fails.
        println!("{}", path.display());
        (target.run)(&fs::read(path).unwrap());
    }
}

fn seeds_of(target: &str) -> Vec<PathBuf> {
    let folder = project().join("tests/fixtures/hostile").join(target);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
