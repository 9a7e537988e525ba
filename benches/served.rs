//! Served readers compared with the one in this process: the explorer on the sample in a pseudo-terminal, timed from
//! a key to the first prediction of a case that is not read yet, and to all of them. The arguments are the addresses
//! of servers of the sample's reader: `cargo bench --profile dev --bench served -- http://127.0.0.1:8123`.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

mod on_screen;
#[path = "../tests/support/pty.rs"]
mod terminal;

use on_screen::{is_read, new_cases, report};
use std::path::Path;
use terminal::Pty;

/// Takes turns, so that other load on the machine affects all of them.
const ROUNDS: usize = 3;

fn main() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data");
    let here = sample.join("models/reader");
    let here = here.to_str().unwrap();
    let mut readers = vec![here.to_owned()];
    readers.extend(std::env::args().skip(1).filter(|argument| argument.starts_with("http")));
    let mut times: Vec<(Vec<f64>, Vec<f64>)> = vec![(Vec::new(), Vec::new()); readers.len()];
    for _ in 0..ROUNDS {
        for (reader, (first, all)) in readers.iter().zip(&mut times) {
            let home = tempfile::tempdir().unwrap();
            let mut pty = start(home.path(), &sample, reader, here);
            pty.wait_until("the first case", |pty| is_read(&pty.screen()));
            let (own_first, own_all) = new_cases(&mut pty);
            first.extend(own_first);
            all.extend(own_all);
            pty.type_keys("q");
            assert_eq!(pty.exit_code(), 0);
        }
    }
    for (reader, (first, all)) in readers.iter().zip(times) {
        println!("{}", if reader == here { "in this process" } else { reader });
        report("  new case: key to first prediction", "ms", first);
        report("  new case: key to all K and the fused answer", "ms", all);
    }
}

fn start(home: &Path, sample: &Path, reader: &str, processor: &str) -> Pty {
    let (home, dataset) = (home.to_str().unwrap(), sample.join("dataset"));
    let (encoder, workspace) = (sample.join("models/encoder"), format!("{home}/workspace"));
    let environment = [("HOME", home), ("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("USER", "bench")];
    let mut arguments = vec!["explore", dataset.to_str().unwrap(), "--encoder", encoder.to_str().unwrap()];
    arguments.extend(["--workspace", &workspace, "--device", "cpu", "--images", "half", "--theme", "dark"]);
    arguments.extend(["--reader", reader]);
    if reader.starts_with("http") {
        arguments.extend(["--reader-processor", processor]);
    }
    Pty::start(Path::new(env!("CARGO_BIN_EXE_dissent")), &arguments, &environment, (120, 40))
}
