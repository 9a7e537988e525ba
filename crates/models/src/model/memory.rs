//! Checking that a model fits into memory before its weights are loaded.

use super::device::free_gpu_bytes;
use anyhow::{Result, bail};
use candle_core::{DType, Device};
use std::fs;

/// Memory in bytes for a batch of prompts in addition to the weights: hidden states, scores, KV cache.
const BESIDE_WEIGHTS: u64 = 512 << 20;
/// Models below this size in bytes are not checked.
const SMALL: u64 = 256 << 20;

/// Checks that a model of `parameters` weights in `dtype` fits into the free memory of the device.
///
/// # Errors
/// Fails if it does not fit; the message names a size that would.
pub fn ensure_memory(parameters: usize, dtype: DType, device: &Device) -> Result<()> {
    free_on(device).map_or(Ok(()), |free| ensure_fits(parameters as u64, dtype, free))
}

/// [`ensure_memory`] for a model with a quantised decoder of `bytes`, which candle stores twice (also in the order of its
/// kernels), and `parameters` further weights in f32.
///
/// # Errors
/// Fails if it does not fit; the message names a size that would.
pub fn ensure_memory_for_quantised(bytes: u64, parameters: usize, device: &Device) -> Result<()> {
    match available() {
        Some(free) if device.is_cpu() => ensure_quantised_fits(bytes, parameters as u64, free),
        _ => Ok(()),
    }
}

fn ensure_quantised_fits(bytes: u64, parameters: u64, free: u64) -> Result<()> {
    let own = bytes.saturating_mul(2).saturating_add(parameters.saturating_mul(4));
    let needed = own.saturating_add(BESIDE_WEIGHTS);
    if needed <= free || own < SMALL {
        return Ok(());
    }
    let room = free.saturating_sub(BESIDE_WEIGHTS).saturating_sub(parameters.saturating_mul(4)) / 2;
    bail!(
        "a decoder of {} and {:.1} billion weights beside it need {} of memory, {} are free; a decoder file of at most {} \
         fits",
        size(bytes),
        parameters as f64 / 1e9,
        size(needed),
        size(free),
        size(room)
    )
}

fn size(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

/// True if [`ensure_memory`] succeeds.
pub fn fits_into_memory(parameters: usize, dtype: DType, device: &Device) -> bool {
    ensure_memory(parameters, dtype, device).is_ok()
}

fn ensure_fits(parameters: u64, dtype: DType, free: u64) -> Result<()> {
    let needed = |dtype: DType| parameters.saturating_mul(dtype.size_in_bytes() as u64).saturating_add(BESIDE_WEIGHTS);
    if needed(dtype) <= free || needed(dtype) < SMALL + BESIDE_WEIGHTS {
        return Ok(());
    }
    let half = needed(DType::BF16);
    let advice = if dtype.size_in_bytes() > 2 && half <= free {
        format!("; in half precision it needs {} (--dtype bf16)", size(half))
    } else {
        let fitting = free.saturating_sub(BESIDE_WEIGHTS) / 2;
        format!("; in half precision a model of at most {:.1} billion weights fits", fitting as f64 / 1e9)
    };
    bail!(
        "{:.1} billion weights in {} need {} of memory, {} are free{advice}",
        parameters as f64 / 1e9,
        dtype.as_str(),
        size(needed(dtype)),
        size(free)
    )
}

/// Free memory of the device in bytes; `None` where it is not known.
fn free_on(device: &Device) -> Option<u64> {
    if device.is_cpu() { available() } else { free_gpu_bytes(device) }
}

/// Memory available to this process in bytes: `MemAvailable` of Linux within the container's limit; unknown on other
/// systems.
fn available() -> Option<u64> {
    let table = fs::read_to_string("/proc/meminfo").ok()?;
    let line = table.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    let free = kibibytes << 10;
    let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let limit = number("/sys/fs/cgroup/memory.max");
    let used = number("/sys/fs/cgroup/memory.current");
    Some(limit.zip(used).map_or(free, |(limit, used)| free.min(limit.saturating_sub(used))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn what_fits_is_loaded() {
        assert!(ensure_fits(12_000_000_000, DType::BF16, 40 * GIB).is_ok());
        assert!(ensure_fits(1_000_000, DType::F32, 0).is_ok(), "small models are not asked about");
    }

    #[test]
    fn a_refusal_says_what_would_fit() {
        let message = ensure_fits(12_000_000_000, DType::F32, 32 * GIB).unwrap_err().to_string();
        assert!(message.contains("45.2 GiB") && message.contains("--dtype bf16"), "{message}");
        let message = ensure_fits(12_000_000_000, DType::BF16, 8 * GIB).unwrap_err().to_string();
        assert!(message.contains("at most 4.0 billion"), "{message}");
    }

    #[test]
    fn a_quantised_decoder_counts_twice() {
        assert!(ensure_quantised_fits(4 * GIB, 600_000_000, 12 * GIB).is_ok());
        let message = ensure_quantised_fits(4 * GIB, 600_000_000, 10 * GIB).unwrap_err().to_string();
        assert!(message.contains("decoder of 4.0 GiB") && message.contains("at most 3.6 GiB"), "{message}");
    }

    #[test]
    fn linux_says_what_is_free() {
        assert_eq!(available().is_some(), cfg!(target_os = "linux"));
    }
}
