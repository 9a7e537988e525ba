//! Choosing the device on which models run.

use anyhow::{Context, Result, bail};
use candle_core::Device;
use candle_core::utils::metal_is_available;

/// The device for `wish` (`auto`, `cpu`, `cuda`, `cuda:N` or `metal`), with the reason for the user.
///
/// # Errors
/// Fails if `wish` is unknown, or the device is not available in this build or on this machine.
pub fn choose_device(wish: &str) -> Result<(Device, String)> {
    match wish {
        "auto" => Ok(best_device()),
        "cpu" => Ok((Device::Cpu, "cpu, as requested".to_string())),
        "metal" => Ok((metal()?, "metal, as requested".to_string())),
        "cuda" => Ok((cuda(0)?, "cuda:0, as requested".to_string())),
        _ => {
            let Some(number) = wish.strip_prefix("cuda:") else {
                bail!("unknown device '{wish}': expected auto, cpu, cuda, cuda:N or metal");
            };
            let number = number.parse().with_context(|| format!("device '{wish}': '{number}' is not a number"))?;
            Ok((cuda(number)?, format!("{wish}, as requested")))
        }
    }
}

/// The first GPU if it can be used, otherwise the CPU.
fn best_device() -> (Device, String) {
    #[cfg(feature = "cuda")]
    match super::cuda::open(0) {
        Ok(device) => return (device, "cuda:0, the first GPU".to_string()),
        // `doctor` and `--device cuda` say the rest.
        Err(error) if !metal_is_available() => return (Device::Cpu, format!("cpu, because {error}")),
        Err(_) => {}
    }
    if metal_is_available() {
        return match Device::new_metal(0) {
            Ok(device) => (device, "metal, the first GPU".to_string()),
            Err(error) => (Device::Cpu, format!("cpu, because metal does not start: {error}")),
        };
    }
    (Device::Cpu, "cpu, because this program was built without GPU support".to_string())
}

#[cfg(feature = "cuda")]
fn cuda(number: usize) -> Result<Device> {
    super::cuda::open(number).with_context(|| format!("device cuda:{number}"))
}

#[cfg(not(feature = "cuda"))]
fn cuda(number: usize) -> Result<Device> {
    bail!("device cuda:{number}: this program was built without CUDA; use --device cpu");
}

fn metal() -> Result<Device> {
    if !metal_is_available() {
        bail!("device metal: this program was built without Metal; use --device cpu");
    }
    Device::new_metal(0).context("device metal does not start")
}

/// What a program that was built for NVIDIA GPUs says about `device`: names and values for `doctor`; nothing otherwise.
pub fn gpu_facts(device: &Device) -> Vec<(&'static str, String)> {
    #[cfg(feature = "cuda")]
    {
        use super::cuda;
        let found = cuda::describe(device).unwrap_or_else(|| match cuda::open(0) {
            Ok(first) => format!("not used: {}", cuda::describe(&first).unwrap_or_else(|| "cuda:0".into())),
            Err(error) => format!("none: {error:#}"),
        });
        let built_for = cuda::built_for().map(|target| ("built for", target.to_string()));
        built_for.into_iter().chain([("GPU", found)]).collect()
    }
    #[cfg(not(feature = "cuda"))]
    {
        let _ = device;
        Vec::new()
    }
}

/// Free memory of a GPU in bytes; `None` for the CPU and where it is not known.
pub fn free_gpu_bytes(device: &Device) -> Option<u64> {
    #[cfg(feature = "cuda")]
    return super::cuda::free_bytes(device);
    #[cfg(not(feature = "cuda"))]
    {
        let _ = device;
        None
    }
}

/// The most bytes that tensors have taken on a GPU at a time since [`forget_gpu_peak`]; `None` where it is not known. Workspaces
/// of NVIDIA's libraries are not in it.
pub fn peak_gpu_bytes(device: &Device) -> Option<u64> {
    #[cfg(feature = "cuda")]
    return super::cuda::peak_bytes(device);
    #[cfg(not(feature = "cuda"))]
    {
        let _ = device;
        None
    }
}

/// Begins to count [`peak_gpu_bytes`] anew.
pub fn forget_gpu_peak(device: &Device) {
    #[cfg(feature = "cuda")]
    super::cuda::forget_peak(device);
    #[cfg(not(feature = "cuda"))]
    let _ = device;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_says_why() {
        let (device, reason) = choose_device("auto").unwrap();
        assert!(device.is_cpu() == reason.starts_with("cpu"), "{reason}");
    }

    #[test]
    fn an_unknown_word_names_the_right_ones() {
        let message = choose_device("gpu").unwrap_err().to_string();
        assert_eq!(message, "unknown device 'gpu': expected auto, cpu, cuda, cuda:N or metal");
        assert!(format!("{:#}", choose_device("cuda:x").unwrap_err()).contains("'x' is not a number"));
    }
}
