//! Which instructions the processor has, and whether they are those that FAISS was compiled for.
//!
//! Rust's own code runs on every processor, and the products of matrices choose their instructions when they run. FAISS's search
//! is compiled for one kind (`.cargo/config.toml`): on an older processor it would end without a word (SIGILL).

use anyhow::{Result, ensure};

/// The flags that FAISS was compiled with; `None` where the target has none of its own.
const FLAGS_OF_FAISS: Option<&str> = option_env!("CXXFLAGS_x86_64_unknown_linux_gnu");

/// A set of instructions, the compiler's flag for it, and whether this processor has it.
struct Instructions {
    name: &'static str,
    flag: &'static str,
    is_there: bool,
}

#[cfg(target_arch = "x86_64")]
fn known_instructions() -> Vec<Instructions> {
    let set = |name, flag, is_there| Instructions { name, flag, is_there };
    vec![
        set("SSE4.2", "-msse4.2", std::arch::is_x86_feature_detected!("sse4.2")),
        set("POPCNT", "-mpopcnt", std::arch::is_x86_feature_detected!("popcnt")),
        set("F16C", "-mf16c", std::arch::is_x86_feature_detected!("f16c")),
        set("FMA", "-mfma", std::arch::is_x86_feature_detected!("fma")),
        set("AVX2", "-mavx2", std::arch::is_x86_feature_detected!("avx2")),
        set("AVX-512", "-mavx512f", std::arch::is_x86_feature_detected!("avx512f")),
    ]
}

#[cfg(not(target_arch = "x86_64"))]
fn known_instructions() -> Vec<Instructions> {
    Vec::new()
}

/// The instructions that this processor has, for bug reports: "SSE4.2, POPCNT, F16C, FMA, AVX2".
pub fn description() -> String {
    let there: Vec<&str> = known_instructions().iter().filter(|set| set.is_there).map(|set| set.name).collect();
    if there.is_empty() { std::env::consts::ARCH.to_owned() } else { there.join(", ") }
}

/// Checks that the processor has the instructions that FAISS was compiled for.
///
/// # Errors
/// Fails with the names of those that it lacks.
pub fn check() -> Result<()> {
    check_against(FLAGS_OF_FAISS.unwrap_or_default(), &known_instructions())
}

fn check_against(flags: &str, known: &[Instructions]) -> Result<()> {
    let is_needed = |set: &&Instructions| flags.split_whitespace().any(|flag| flag == set.flag);
    let names = |sets: Vec<&Instructions>| sets.iter().map(|set| set.name).collect::<Vec<_>>().join(", ");
    let missing: Vec<&Instructions> = known.iter().filter(is_needed).filter(|set| !set.is_there).collect();
    ensure!(
        missing.is_empty(),
        "this program needs a processor with {} (Intel since 2013, AMD since 2015), and this one lacks {}; in a virtual machine, \
         let the guest see the processor of its host (QEMU: -cpu host)",
        names(known.iter().filter(is_needed).collect()),
        names(missing),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Instructions, check_against};

    #[test]
    fn what_faiss_needs_and_the_processor_lacks_is_named() {
        let set = |name, flag, is_there| Instructions { name, flag, is_there };
        let old = [set("F16C", "-mf16c", true), set("FMA", "-mfma", false), set("AVX2", "-mavx2", false)];
        let message = check_against("-mavx2 -mfma -mf16c", &old).unwrap_err().to_string();
        assert!(message.contains("with F16C, FMA, AVX2 (Intel"), "{message}");
        assert!(message.contains("lacks FMA, AVX2;"), "{message}");
        assert!(check_against("-mf16c", &old).is_ok());
        assert!(check_against("", &old).is_ok());
    }
}
