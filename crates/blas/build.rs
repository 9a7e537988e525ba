//! FAISS's crate links `-lblas -llapack`. Archives of these names, with nothing in them, stand before the system's in the search,
//! so that the functions of this crate are found instead of a library that every user would have to install.

use std::path::PathBuf;
use std::{env, fs, io};

/// An archive without members (`ar`'s file format begins with this line).
const EMPTY_ARCHIVE: &str = "!<arch>\n";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    for library in ["libblas.a", "liblapack.a"] {
        fs::write(folder.join(library), EMPTY_ARCHIVE)?;
    }
    println!("cargo::rustc-link-search=native={}", folder.display());
    Ok(())
}
