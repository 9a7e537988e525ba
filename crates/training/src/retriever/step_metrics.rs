//! Cost and content of the steps since the last validation.

use super::reader_scores::ReaderCalls;
use std::collections::BTreeMap;
use std::time::Instant;

/// Counts since the last validation.
pub struct StepMetrics {
    before: ReaderCalls,
    /// Reader calls up to the last step.
    pub calls: ReaderCalls,
    pub cases: usize,
    /// Cases whose candidates lead the reader to different answers; the others teach little or nothing.
    pub disagreeing: usize,
    pub steps: usize,
    since: Instant,
}

impl StepMetrics {
    /// Starts to count.
    pub fn new(calls: ReaderCalls) -> Self {
        Self { before: calls, calls, cases: 0, disagreeing: 0, steps: 0, since: Instant::now() }
    }

    /// Text for the progress bar.
    pub fn note(&self) -> String {
        let saved = 1.0 - self.asked() as f64 / self.wanted().max(1) as f64;
        let (disagreeing, calls) = (100.0 * self.disagreeing(), self.calls.asked);
        format!("  {disagreeing:.0} % disagree  {calls} reader calls, {:.0} % saved", 100.0 * saved)
    }

    /// Figures for the log.
    pub fn figures(&self) -> BTreeMap<String, f64> {
        let seconds = self.since.elapsed().as_secs_f64() / self.steps.max(1) as f64;
        BTreeMap::from([
            ("reader_calls".to_owned(), self.asked() as f64),
            ("reader_answers_wanted".to_owned(), self.wanted() as f64),
            ("seconds_per_step".to_owned(), seconds),
            ("disagreeing".to_owned(), self.disagreeing()),
        ])
    }

    fn disagreeing(&self) -> f64 {
        self.disagreeing as f64 / self.cases.max(1) as f64
    }

    fn asked(&self) -> usize {
        self.calls.asked - self.before.asked
    }

    fn wanted(&self) -> usize {
        self.calls.wanted - self.before.wanted
    }
}
