//! Response times of the explorer on the embedded sample, in a pseudo-terminal of 120x40 with half-block images, with
//! the reader at work. Prints one line per figure; `make bench` runs it. Everything is timed from outside, on the
//! screen.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first surprise")]

mod on_screen;
#[path = "../tests/support/pty.rs"]
mod terminal;

use on_screen::{is_at, milliseconds, new_cases, predictions, report, settle, steps};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};
use terminal::Pty;

const SIZE: (u16, u16) = (120, 40);
const STARTS: usize = 20;
const KEYS: usize = 300;
const IDLE: Duration = Duration::from_secs(10);

fn main() {
    let home = tempfile::tempdir().unwrap();
    println!("explorer on the embedded sample, {}x{}, half-blocks, truecolor", SIZE.0, SIZE.1);
    first_frames(home.path());
    println!(
        "{:<46} {:>8.0} ms  (n=1: sample unpacked, index built)",
        "first answer of the very first start",
        first_start()
    );
    let mut pty = start(home.path());
    pty.wait_for("exact search");
    let (first, all) = new_cases(&mut pty);
    report("new case: key to first prediction", "ms", first);
    report("new case: key to all K and the fused answer", "ms", all);
    keys(&mut pty);
    idle(&pty);
    steps("bytes written per step, half-blocks", &mut pty);
    println!("{:<46} {:>8.0} MB  (n=1)", "peak memory after all this", pty.peak_memory());
    pty.type_keys("q");
    assert_eq!(pty.exit_code(), 0);
    let mut pty = start_with(home.path(), "off");
    pty.wait_for("exact search");
    settle(&pty);
    steps("bytes written per step, images off", &mut pty);
}

fn start(home: &Path) -> Pty {
    start_with(home, "half")
}

fn start_with(home: &Path, images: &str) -> Pty {
    let environment =
        [("HOME", home.to_str().unwrap()), ("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("USER", "bench")];
    Pty::start(
        Path::new(env!("CARGO_BIN_EXE_dissent")),
        &["demo", "--images", images, "--theme", "dark"],
        &environment,
        SIZE,
    )
}

/// Time from the start of the program to the first frame with the first case; the sample is unpacked already.
fn first_frames(home: &Path) {
    let mut pty = start(home);
    pty.wait_for("differ");
    pty.type_keys("q");
    pty.exit_code();
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let mut pty = start(home);
        pty.wait_for("us-t0001 · test");
        times.push(milliseconds(begun));
        pty.type_keys("q");
        pty.exit_code();
    }
    report("time to first frame", "ms", times);
}

/// The very first start: nothing unpacked, no index. Milliseconds to the first prediction.
fn first_start() -> f64 {
    let home = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let pty = start(home.path());
    pty.wait_until("a prediction", |pty| predictions(&pty.screen()) > 0);
    milliseconds(begun)
}

/// Time from a key to the frame with its case, while the reader works ahead.
fn keys(pty: &mut Pty) {
    pty.type_keys("\x1b[H");
    pty.wait_until("the first case", |pty| is_at(&pty.screen(), 1));
    let mut times = Vec::new();
    for press in 1..=KEYS {
        // This delay keeps the keys out of step with the reader and the frames.
        sleep(Duration::from_millis(23 + (press % 7) as u64));
        let begun = Instant::now();
        pty.type_keys("j");
        pty.wait_until("the next case", |pty| is_at(&pty.screen(), 1 + press));
        times.push(milliseconds(begun));
    }
    report("key to frame, reader at work", "ms", times);
}

fn idle(pty: &Pty) {
    settle(pty);
    let (before, ticks) = (pty.byte_count(), pty.cpu_ticks());
    sleep(IDLE);
    println!(
        "{:<46} {:>8} B   and {:.2} % CPU in {} s",
        "idle",
        pty.byte_count() - before,
        (pty.cpu_ticks() - ticks) / IDLE.as_secs_f64(),
        IDLE.as_secs()
    );
}
