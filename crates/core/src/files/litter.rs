//! Files that operating systems leave in folders and archives, such as `.DS_Store`.

use std::path::Path;

/// Names of such files and folders, in lower case, besides those that begin with a dot (`._x` and `.DS_Store` of macOS).
const NAMES: [&str; 15] = [
    "__macosx",
    "thumbs.db",
    "ehthumbs.db",
    "ehthumbs_vista.db",
    "icon\r",
    "picasa.ini",
    "desktop.ini",
    "$recycle.bin",
    "system volume information",
    "lost+found",
    "@eadir",
    "@recycle",
    "@recently-snapshot",
    "#recycle",
    "#snapshot",
];

/// Prefix of the lock file of an open Office document.
const OFFICE_LOCK: &str = "~$";
/// Suffixes of Windows' alternate streams, which become files when copied to another system; the colon may
/// have become U+F03A.
const STREAMS: [&str; 2] = ["zone.identifier", "encryptable"];

/// Whether this is the name of such a file or folder.
pub fn is_litter(name: &str) -> bool {
    let small = name.to_lowercase();
    let is_stream = small.rsplit_once([':', '\u{f03a}']).is_some_and(|(_, stream)| STREAMS.contains(&stream));
    name.starts_with('.') || name.starts_with(OFFICE_LOCK) || is_stream || NAMES.contains(&small.as_str())
}

/// Like [`is_litter`], for the last part of a path.
pub fn is_litter_path(path: &Path) -> bool {
    path.file_name().is_some_and(|name| is_litter(&name.to_string_lossy()))
}

/// A remark about the skipped names, if any.
#[cfg(feature = "import")]
pub(crate) fn litter_remark(names: &[String]) -> Option<String> {
    let (first, more) = (names.first()?, names.len() - 1);
    let what = if more == 0 { format!("{first:?} is") } else { format!("{first:?} and {more} more are") };
    Some(format!("{what} skipped: hidden, or made by the operating system"))
}

#[cfg(test)]
mod tests {
    use crate::files::litter::*;

    #[test]
    fn litter_is_known_by_name() {
        for name in
            ["._a.json", ".DS_Store", "__MACOSX", "Thumbs.db", "desktop.ini", "@eaDir", "Icon\r", "ehthumbs_vista.db"]
        {
            assert!(is_litter(name), "{name}");
        }
        for name in ["Picasa.ini", ".picasa.ini", "~$x", ".directory", "$RECYCLE.BIN", "System Volume Information"] {
            assert!(is_litter(name), "{name}");
        }
        for name in ["a.png:Zone.Identifier", "a.png\u{f03a}Zone.Identifier", "Thumbs.db:encryptable"] {
            assert!(is_litter(name), "{name}");
        }
        for name in ["a.json", "images", "Icon", "icon.png", "~x", "a:b.png", "Zone.Identifier.png"] {
            assert!(!is_litter(name), "{name}");
        }
        assert_eq!(litter_remark(&[]), None);
    }
}
