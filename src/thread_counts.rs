//! Checks the thread counts that libraries read from the environment, before any of them starts.

use anyhow::{Result, ensure};

/// Variables that set the thread counts of rayon, OpenMP and tokio.
const VARIABLES: [&str; 3] = ["RAYON_NUM_THREADS", "OMP_NUM_THREADS", "TOKIO_WORKER_THREADS"];
/// Maximum: the cores of the largest servers. With far more, the system refuses threads during the work.
const MOST: u64 = 1024;

/// Checks the variables; the libraries ignore values that are not numbers.
///
/// # Errors
/// Fails if a variable asks for more than the maximum.
pub fn check() -> Result<()> {
    VARIABLES.iter().try_for_each(|name| check_one(name, std::env::var(name).ok().as_deref()))
}

fn check_one(name: &str, value: Option<&str>) -> Result<()> {
    let digits = value.unwrap_or_default().trim();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_bounded = !is_number || digits.parse().is_ok_and(|count: u64| count <= MOST);
    ensure!(is_bounded, "{name}: expected at most {MOST} threads, found {digits}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_one;

    #[test]
    fn more_threads_than_machines_have_are_refused() {
        for value in [None, Some("0"), Some("8"), Some("1024"), Some(""), Some("many"), Some("-1")] {
            assert!(check_one("RAYON_NUM_THREADS", value).is_ok(), "{value:?}");
        }
        for value in ["1025", "99999", "99999999999999999999999"] {
            let message = check_one("RAYON_NUM_THREADS", Some(value)).unwrap_err().to_string();
            assert_eq!(message, format!("RAYON_NUM_THREADS: expected at most 1024 threads, found {value}"));
        }
    }
}
