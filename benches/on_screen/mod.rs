//! Recognises states of the explorer's screen, for benchmarks that look at it from outside.
#![allow(dead_code, reason = "each benchmark looks at its own part")]

use crate::terminal::Pty;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Number of cases in the sample's test split, as the status line counts them.
const CASES: usize = 700;
/// Steps from case to case whose bytes are counted.
pub const STEPS: usize = 40;
const JUMPS: usize = 28;
/// Number of cases per jump, more than are read ahead.
const JUMP: usize = 20;

/// Jumps to a case that is not read yet, and waits for its first prediction and for all of them. Returns both in
/// milliseconds from the key, one per jump.
pub fn new_cases(pty: &mut Pty) -> (Vec<f64>, Vec<f64>) {
    let (mut first, mut all) = (Vec::new(), Vec::new());
    for jump in 1..=JUMPS {
        let place = jump * JUMP + 1;
        let begun = Instant::now();
        // Page down moves by ten.
        pty.type_keys("\x1b[6~\x1b[6~");
        pty.wait_until("the case", |pty| is_at(&pty.screen(), place));
        pty.wait_until("a prediction", |pty| predictions(&pty.screen()) > 0);
        first.push(milliseconds(begun));
        pty.wait_until("all predictions", |pty| is_read(&pty.screen()));
        all.push(milliseconds(begun));
    }
    (first, all)
}

/// Whether the status line says that this is the case at `place`.
pub fn is_at(screen: &str, place: usize) -> bool {
    screen.contains(&format!(" {place}/{CASES} "))
}

/// Number of rows in the table of hits that have an answer with its bar.
pub fn predictions(screen: &str) -> usize {
    let table = screen.lines().skip_while(|line| !line.contains("# head"));
    table.filter(|line| line.contains('━')).count()
}

/// Whether the fused answer is shown.
pub fn is_read(screen: &str) -> bool {
    let fused = screen.lines().find(|line| line.contains("fused  "));
    fused.is_some_and(|line| line.contains("differ") || line.contains("agree"))
}

pub fn milliseconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0
}

/// Prints median, 99th percentile and largest value.
pub fn report(what: &str, unit: &str, mut values: Vec<f64>) {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    println!(
        "{what:<46} {:>8.1} {unit}  median, p99 {:.1}, largest {:.1} (n={})",
        at(0.5),
        at(0.99),
        at(1.0),
        values.len()
    );
}

/// Bytes per step from case to case, everything drawn: text, two images if they are on, answers.
pub fn steps(what: &str, pty: &mut Pty) {
    let mut bytes = Vec::new();
    for _ in 0..STEPS {
        let before = pty.byte_count();
        pty.type_keys("k");
        settle(pty);
        bytes.push((pty.byte_count() - before) as f64 / 1024.0);
    }
    report(what, "KB", bytes);
}

/// Waits until nothing has come for half a second.
pub fn settle(pty: &Pty) {
    let mut last = pty.byte_count();
    loop {
        sleep(Duration::from_millis(500));
        let now = pty.byte_count();
        if now == last {
            return;
        }
        last = now;
    }
}
