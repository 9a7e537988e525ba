//! What operating systems leave in folders and archives that people copy.

/// Names of files and folders, in small letters, beside those that begin with a dot (`._x` and `.DS_Store` of macOS).
const NAMES: [&str; 8] = [
    "__macosx",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "$recycle.bin",
    "system volume information",
    "lost+found",
    "@eadir",
];

/// Is this the name of a file or folder that nobody put there?
pub(super) fn is_litter(name: &str) -> bool {
    name.starts_with('.') || NAMES.contains(&name.to_lowercase().as_str())
}

/// What is said of the names that were passed over, if any.
pub(super) fn litter_remark(names: &[String]) -> Option<String> {
    let (first, more) = (names.first()?, names.len() - 1);
    let what = if more == 0 { format!("{first:?} is") } else { format!("{first:?} and {more} more are") };
    Some(format!("{what} left out: hidden, or of the operating system"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn litter_is_known_by_name() {
        for name in ["._a.json", ".DS_Store", "__MACOSX", "Thumbs.db", "desktop.ini", "@eaDir"] {
            assert!(is_litter(name), "{name}");
        }
        assert!(!is_litter("a.json") && !is_litter("images"));
        assert_eq!(litter_remark(&[]), None);
    }
}
