//! Answering every case that the figures lack: how far it is, and how long it will take.

use rustc_hash::FxHashSet;
use std::time::Duration;

/// Cases after which the time left is more than a guess.
const LEAST: usize = 2;

/// The cases that were asked for and are still to be answered.
#[derive(Clone, Debug)]
pub struct ReadingRest {
    left: FxHashSet<usize>,
    asked: usize,
    /// When it began and when the latest case was answered, since the start of the session.
    begun: Duration,
    latest: Duration,
}

impl ReadingRest {
    /// Begins now with these cases; `None` if there are none.
    pub fn of(cases: impl IntoIterator<Item = usize>, now: Duration) -> Option<Self> {
        let left: FxHashSet<usize> = cases.into_iter().collect();
        let asked = left.len();
        (asked > 0).then_some(Self { left, asked, begun: now, latest: now })
    }

    /// Is this case still to be answered?
    pub fn wants(&self, case: usize) -> bool {
        self.left.contains(&case)
    }

    /// A case is answered, whether it was asked for or not.
    pub fn answered(&mut self, case: usize, now: Duration) {
        if self.left.remove(&case) {
            self.latest = now;
        }
    }

    pub fn is_done(&self) -> bool {
        self.left.is_empty()
    }

    /// At the pace so far; `None` after the first cases, which say little.
    pub fn time_left(&self) -> Option<Duration> {
        let done = self.asked - self.left.len();
        let taken = self.latest.saturating_sub(self.begun);
        (done >= LEAST && !taken.is_zero()).then(|| taken.mul_f64(self.left.len() as f64 / done as f64))
    }
}

/// "40 s", "4 min", "2 h 10 min".
pub fn in_words(time: Duration) -> String {
    let seconds = time.as_secs_f64().ceil() as u64;
    let minutes = seconds.div_ceil(60);
    match (seconds, minutes) {
        (0..60, _) => format!("{seconds} s"),
        (_, 0..60) => format!("{minutes} min"),
        _ if minutes.is_multiple_of(60) => format!("{} h", minutes / 60),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_the_pace() {
        let mut reading = ReadingRest::of(0..100, Duration::from_secs(7)).unwrap();
        reading.answered(3, Duration::from_secs(8));
        assert_eq!(reading.time_left(), None);
        reading.answered(500, Duration::from_secs(9));
        reading.answered(4, Duration::from_secs(17));
        assert_eq!(reading.time_left().map(in_words), Some("9 min".into()), "98 cases of 5 s");
        for case in 0..100 {
            reading.answered(case, Duration::from_secs(20));
        }
        assert!(reading.is_done());
        assert!(ReadingRest::of([], Duration::ZERO).is_none());
    }

    #[test]
    fn times_are_rounded_up() {
        let words = |seconds| in_words(Duration::from_secs(seconds));
        assert_eq!(
            [words(40), words(60), words(61), words(7200), words(7800)],
            ["40 s", "1 min", "2 min", "2 h", "2 h 10 min"]
        );
    }
}
