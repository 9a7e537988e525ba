//! Small C libraries that take the place of a function of the system in the program under test (`LD_PRELOAD`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles `source` in `folder`. The C compiler is there, because the build of this program needs it.
pub fn library(folder: &Path, name: &str, source: &str) -> PathBuf {
    let (file, library) = (folder.join(format!("{name}.c")), folder.join(format!("{name}.so")));
    fs::write(&file, source).unwrap();
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&file).arg("-ldl").status();
    assert!(built.is_ok_and(|status| status.success()), "expected a C compiler, `cc`");
    library
}
