//! Choosing the device on which models run.

use anyhow::{Context, Result, bail};
use candle_core::Device;
use candle_core::utils::{cuda_is_available, metal_is_available};

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

/// The first GPU if it can be initialised, otherwise the CPU.
fn best_device() -> (Device, String) {
    if cuda_is_available() {
        return match Device::new_cuda(0) {
            Ok(device) => (device, "cuda:0, the first GPU".to_string()),
            Err(error) => (Device::Cpu, format!("cpu, because cuda:0 does not start: {error}")),
        };
    }
    if metal_is_available() {
        return match Device::new_metal(0) {
            Ok(device) => (device, "metal, the first GPU".to_string()),
            Err(error) => (Device::Cpu, format!("cpu, because metal does not start: {error}")),
        };
    }
    (Device::Cpu, "cpu, because this program was built without GPU support".to_string())
}

fn cuda(number: usize) -> Result<Device> {
    if !cuda_is_available() {
        bail!("device cuda:{number}: this program was built without CUDA; use --device cpu");
    }
    Device::new_cuda(number).with_context(|| format!("device cuda:{number} does not start"))
}

fn metal() -> Result<Device> {
    if !metal_is_available() {
        bail!("device metal: this program was built without Metal; use --device cpu");
    }
    Device::new_metal(0).context("device metal does not start")
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
