//! Progress of `dissent predict`: a bar on a terminal, elsewhere (in a log) a line every ten seconds.

use crate::output::say;
use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Time from line to line.
const EVERY: Duration = Duration::from_secs(10);

/// Shows how many cases are done, until it is dropped.
pub(super) enum PredictProgress {
    Bar(ProgressBar),
    Lines(Lines),
}

/// A thread that says a line now and then.
pub(super) struct Lines {
    done: Arc<AtomicUsize>,
    /// The thread ends with it.
    _end: Sender<()>,
}

impl PredictProgress {
    /// For this many cases, on standard error.
    pub fn start(cases: usize) -> Self {
        if std::io::stderr().is_terminal() {
            Self::Bar(bar(cases))
        } else {
            Self::Lines(Lines::start(cases, EVERY, |line| say(&line)))
        }
    }

    /// This many more cases are done.
    pub fn add(&self, cases: usize) {
        match self {
            Self::Bar(bar) => bar.inc(cases as u64),
            Self::Lines(lines) => drop(lines.done.fetch_add(cases, Ordering::SeqCst)),
        }
    }

    /// Says a line without damaging the bar.
    pub fn say(&self, line: &str) {
        match self {
            Self::Bar(bar) => bar.suspend(|| say(line)),
            Self::Lines(_) => say(line),
        }
    }

    /// Takes the bar off the screen.
    pub fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }

    /// Leaves the bar where it stands.
    pub fn abandon(&self) {
        if let Self::Bar(bar) = self {
            bar.abandon();
        }
    }
}

impl Lines {
    fn start(cases: usize, every: Duration, tell: impl Fn(String) + Send + 'static) -> Self {
        let done = Arc::new(AtomicUsize::new(0));
        let (end, ended) = bounded::<()>(0);
        let begun = Instant::now();
        let counted = Arc::clone(&done);
        let body = move || {
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                tell(line(counted.load(Ordering::SeqCst), cases, begun.elapsed()));
            }
        };
        // Without a thread for it the command works as well, silently.
        let _ = std::thread::Builder::new().name("dissent-progress".into()).spawn(body);
        Self { done, _end: end }
    }
}

/// "predicting: 120 of 700 cases, 3.2 cases/s, 181 s left".
fn line(done: usize, cases: usize, elapsed: Duration) -> String {
    let start = format!("predicting: {done} of {cases} cases");
    if done == 0 {
        return format!("{start} after {}", in_words(elapsed));
    }
    let rate = done as f64 / elapsed.as_secs_f64().max(1e-3);
    let left = Duration::from_secs_f64(cases.saturating_sub(done) as f64 / rate);
    format!("{start}, {rate:.1} cases/s, {} left", in_words(left))
}

fn in_words(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

/// A progress bar with cases per second and the time left.
fn bar(cases: usize) -> ProgressBar {
    let bar = ProgressBar::new(cases as u64);
    let template = "predicting {bar:30} {pos}/{len} cases, {per_sec}, {eta} left";
    // The template is a constant; with a wrong one the bar keeps its default style.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.with_key("per_sec", |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = write!(out, "{:.1} cases/s", state.per_sec());
        }));
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_count_rate_and_time_left() {
        let after = Duration::from_secs(40);
        assert_eq!(line(120, 700, after), "predicting: 120 of 700 cases, 3.0 cases/s, 3 min left");
        assert_eq!(line(0, 700, after), "predicting: 0 of 700 cases after 40 s");
        assert_eq!(line(700, 700, after), "predicting: 700 of 700 cases, 17.5 cases/s, 0 s left");
    }

    #[test]
    fn lines_come_until_the_progress_is_dropped() {
        let (sender, lines) = crossbeam_channel::unbounded();
        let progress = Lines::start(20, Duration::from_millis(1), move |line| drop(sender.send(line)));
        progress.done.fetch_add(8, Ordering::SeqCst);
        assert!(lines.iter().any(|line| line.starts_with("predicting: 8 of 20 cases, ")));
        drop(progress);
        // The channel closes once the thread has ended.
        for _ in lines {}
    }
}
