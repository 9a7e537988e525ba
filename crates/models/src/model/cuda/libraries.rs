//! The libraries of CUDA, loaded before a GPU is first used. A program that `scripts/cuda-build` made is not linked with them, so
//! that it starts without; one that cargo alone has linked finds them loaded already.

use anyhow::{Result, anyhow};
use std::ffi::{CStr, CString};
use std::path::PathBuf;
use std::sync::OnceLock;

/// What is needed, with the names of its file from the newest version on. libcublasLt comes first because libcublas needs it and
/// does not look for it beside itself.
const LIBRARIES: [(&str, &[&str]); 4] = [
    ("the NVIDIA driver", &["libcuda.so.1"]),
    ("cuBLASLt", &["libcublasLt.so.13", "libcublasLt.so.12"]),
    ("cuBLAS", &["libcublas.so.13", "libcublas.so.12"]),
    ("cuRAND", &["libcurand.so.10"]),
];

/// Folders that are searched after those of the system and of LD_LIBRARY_PATH.
const USUAL: [&str; 2] = ["/usr/local/cuda/lib64", "/usr/local/nvidia/lib64"];

/// Loads all of them once; a missing one stays missing until the program ends.
///
/// # Errors
/// Fails if one is missing; the message says which, and the cause where it was looked for.
pub fn load() -> Result<()> {
    static LOADED: OnceLock<Result<(), Missing>> = OnceLock::new();
    let loaded = LOADED.get_or_init(|| LIBRARIES.iter().try_for_each(|(what, names)| load_any(what, names)));
    loaded.clone().map_err(|missing| anyhow!(missing.searched).context(format!("{} was not found", missing.what)))
}

/// A library that could not be loaded.
#[derive(Clone, Debug)]
struct Missing {
    what: &'static str,
    /// Which files were looked for, where, and what the system said.
    searched: String,
}

fn load_any(what: &'static str, names: &[&str]) -> Result<(), Missing> {
    let mut reason = String::new();
    for name in names {
        let in_folders = folders().into_iter().map(|folder| folder.join(name).to_string_lossy().into_owned());
        for path in std::iter::once((*name).to_owned()).chain(in_folders) {
            match open(&path) {
                Ok(()) => return Ok(()),
                // The first is about the system's own search; the others mostly say that there is no such file.
                Err(error) if reason.is_empty() || !error.contains("No such file") => reason = error,
                Err(_) => {}
            }
        }
    }
    let folders: Vec<String> = folders().iter().map(|folder| folder.display().to_string()).collect();
    let searched = format!(
        "expected {} in the system's folders, in one of LD_LIBRARY_PATH or in {}: {reason}",
        names.join(" or "),
        folders.join(" or ")
    );
    Err(Missing { what, searched })
}

fn folders() -> Vec<PathBuf> {
    let of_variables = ["CUDA_HOME", "CUDA_PATH"].iter().filter_map(std::env::var_os);
    let of_variables = of_variables.map(|folder| PathBuf::from(folder).join("lib64"));
    of_variables.chain(USUAL.iter().map(PathBuf::from)).collect()
}

/// Loads a library for all that is looked up later; it stays loaded.
fn open(path: &str) -> Result<(), String> {
    let path = CString::new(path).map_err(|error| error.to_string())?;
    // SAFETY: the path is NUL-terminated, NVIDIA's libraries may be loaded at any time, and `dlerror` returns a text of this
    // thread that is valid until its next call.
    #[allow(unsafe_code, reason = "only known at run time whether the machine has CUDA")]
    unsafe {
        if !libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL).is_null() {
            return Ok(());
        }
        let error = libc::dlerror();
        let text = if error.is_null() { c"unknown reason" } else { CStr::from_ptr(error) };
        Err(text.to_string_lossy().into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_is_named_with_the_places_searched() {
        let missing = load_any("a library", &["libof_nobody.so.3", "libof_nobody.so.2"]).unwrap_err();
        let searched = &missing.searched;
        assert!(searched.starts_with("expected libof_nobody.so.3 or libof_nobody.so.2"), "{searched}");
        assert!(searched.contains("/usr/local/cuda/lib64") && searched.contains("No such file"), "{searched}");
    }

    #[test]
    fn a_library_of_the_system_is_found_by_its_name() {
        load_any("the C library", &["libof_nobody.so.3", "libc.so.6"]).unwrap();
    }
}
