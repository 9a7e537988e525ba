//! Handles requirements of a test that this machine does not meet.

/// Says that a test does not run. Where `variable` is 1, as in `.ci/run`, that is a failure: a test that cannot run must not
/// count as passed.
pub fn absent(what: &str, variable: &str) {
    let is_required = std::env::var(variable).is_ok_and(|value| value == "1");
    assert!(!is_required, "{variable}=1, and {what}");
    eprintln!("not run: {what}");
}
