//! FAISS's crate links `-lblas -llapack -lgomp -lstdc++`. A folder that stands before the system's in the linker's search has
//! archives of these names: of BLAS and LAPACK without members, so that the functions of this crate are found instead of a library
//! that every user would have to install; on Linux the compiler's own of OpenMP, C++ and unwinding, so that the program needs
//! nothing beyond the C library.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// An archive without members (`ar`'s file format begins with this line).
const EMPTY_ARCHIVE: &str = "!<arch>\n";
/// Archives of the compiler, and the names by which they are linked. Rust links the shared `gcc_s`; `gcc_eh` is the same.
const OF_THE_COMPILER: [(&str, &str); 3] =
    [("libgomp.a", "libgomp.a"), ("libstdc++.a", "libstdc++.a"), ("libgcc_eh.a", "libgcc_s.a")];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CXX");
    let folder = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    for library in ["libblas.a", "liblapack.a"] {
        fs::write(folder.join(library), EMPTY_ARCHIVE)?;
    }
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|found| found == value);
    // Another compiler than that of this machine would have other archives.
    let is_native = env::var_os("HOST") == env::var_os("TARGET");
    if is_native && is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        for (file, linked_as) in OF_THE_COMPILER {
            if let Some(archive) = archive_of_the_compiler(file) {
                fs::copy(archive, folder.join(linked_as))?;
            }
        }
    }
    println!("cargo::rustc-link-search=native={}", folder.display());
    Ok(())
}

/// Where the C++ compiler has this archive; `None` if it has none, and then the shared library is linked.
fn archive_of_the_compiler(file: &str) -> Option<PathBuf> {
    let compiler = env::var_os("CXX").unwrap_or_else(|| "c++".into());
    let answer = Command::new(compiler).arg(format!("-print-file-name={file}")).output().ok()?;
    // An archive that it does not have is printed as it was asked for.
    let path = PathBuf::from(String::from_utf8(answer.stdout).ok()?.trim());
    path.is_absolute().then_some(path).filter(|path| Path::is_file(path))
}
