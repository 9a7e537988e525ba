//! Names of annotators and hosts, which become file names.

use anyhow::{Result, bail};

/// Longest annotator or host in bytes; with `@`, a UUID and the ending the file name stays under 255.
const LONGEST: usize = 100;

/// Rejects a name that cannot be a file name on every system, or that could be mistaken for another part of one.
///
/// # Errors
/// Fails with the reason if the name is not usable.
pub fn check_annotator(name: &str) -> Result<()> {
    let allowed = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '-');
    if name.is_empty() || name.len() > LONGEST || name.starts_with(['.', '-']) || !name.chars().all(allowed) {
        bail!(
            "annotator {name:?} is not usable as a file name: expected 1 to {LONGEST} letters, digits, '.', '_' or '-', \
             not starting with '.' or '-'"
        );
    }
    Ok(())
}

/// The host with every other character replaced by `-`. Users do not choose the host here, so it is changed instead
/// of rejected.
pub(super) fn file_safe_host(host: &str) -> String {
    let mut safe = String::new();
    for letter in host.chars() {
        let kept = if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-') { letter } else { '-' };
        if safe.len() < LONGEST {
            safe.push(kept);
        }
    }
    if safe.is_empty() { "unknown-host".into() } else { safe }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotators_must_be_file_names() {
        for good in ["ada", "dr.müller", "r_2", "A-1"] {
            check_annotator(good).unwrap();
        }
        for bad in ["", "../ada", "a/b", "a@b", ".hidden", "-x", "two words", "a\nb", &"x".repeat(101)] {
            assert!(check_annotator(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn hosts_are_bent() {
        assert_eq!(file_safe_host("gpu01.example.org"), "gpu01.example.org");
        assert_eq!(file_safe_host("a/b c"), "a-b-c");
        assert_eq!(file_safe_host(""), "unknown-host");
    }
}
