//! Waiting for something to be so, not for a time to pass.

use std::thread;
use std::time::{Duration, Instant};

/// Far more than anything takes, even on a loaded machine. Only a test that fails waits so long.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Looks again and again until something is so.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(1));
    }
}
