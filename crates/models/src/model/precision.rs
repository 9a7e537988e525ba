//! Choosing the dtype in which a model computes.

use super::checkpoint::{Weights, read_json};
use super::gguf::decoder_files;
use super::memory::fits_into_memory;
use candle_core::{DType, Device};
use serde_json::Value;
use std::fmt;
use std::path::Path;

/// The values of `--dtype`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Precision {
    /// Chosen from the checkpoint's dtype and the device.
    Auto,
    F32,
    Bf16,
    F16,
}

/// A dtype with the reason for the choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChosenDtype {
    pub dtype: DType,
    reason: &'static str,
}

/// For example "bf16, the checkpoint's own".
impl fmt::Display for ChosenDtype {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, {}", self.dtype.as_str(), self.reason)
    }
}

impl Precision {
    /// The dtype for the checkpoint `folder` on `device`: the requested one or, with `auto`, the checkpoint's own if the
    /// device supports it. On a CPU `auto` means f32, which is more exact than half precision and on most processors
    /// faster, unless only half precision fits into memory. Errors in the checkpoint are reported when it is loaded.
    pub fn choose(self, folder: &Path, device: &Device) -> ChosenDtype {
        if let Some(dtype) = self.named() {
            return ChosenDtype { dtype, reason: "as requested" };
        }
        if decoder_files(folder).is_ok_and(|files| !files.is_empty()) {
            return ChosenDtype { dtype: DType::F32, reason: "as quantised decoders require" };
        }
        let Ok(weights) = Weights::read(folder) else {
            return ChosenDtype { dtype: DType::F32, reason: "as the checkpoint's dtype cannot be read" };
        };
        let own = named_dtype(folder).or_else(|| weights.usual_dtype()).unwrap_or(DType::F32);
        let fits = |dtype: DType| fits_into_memory(weights.parameters(), dtype, device);
        automatic(own, device.is_cpu(), has_bf16(device), fits)
    }

    fn named(self) -> Option<DType> {
        match self {
            Self::Auto => None,
            Self::F32 => Some(DType::F32),
            Self::Bf16 => Some(DType::BF16),
            Self::F16 => Some(DType::F16),
        }
    }
}

fn automatic(own: DType, on_cpu: bool, has_bf16: bool, fits: impl Fn(DType) -> bool) -> ChosenDtype {
    let is_half = matches!(own, DType::BF16 | DType::F16);
    let (dtype, reason) = match own {
        _ if !is_half => (DType::F32, "the checkpoint's own"),
        DType::BF16 if !on_cpu && !has_bf16 => {
            (DType::F16, "as the device does not support bf16, the checkpoint's own")
        }
        _ if !on_cpu => (own, "the checkpoint's own"),
        _ if !fits(DType::F32) && fits(own) => (own, "the checkpoint's own, as f32 does not fit into memory"),
        DType::BF16 => (DType::F32, "more exact than bf16, the checkpoint's own"),
        _ => (DType::F32, "more exact than f16, the checkpoint's own"),
    };
    ChosenDtype { dtype, reason }
}

/// True if a GPU supports bf16. candle assumes it for all; NVIDIA GPUs need compute capability 8.0.
#[cfg(feature = "cuda")]
fn has_bf16(device: &Device) -> bool {
    match device.as_cuda_device() {
        Ok(cuda) => cuda.cuda_stream().context().compute_capability().is_ok_and(|(major, _)| major >= 8),
        Err(_) => device.supports_bf16(),
    }
}

#[cfg(not(feature = "cuda"))]
fn has_bf16(device: &Device) -> bool {
    device.supports_bf16()
}

/// `dtype` of `config.json` (`torch_dtype` before transformers 5), at the top level or in the decoder's section.
fn named_dtype(folder: &Path) -> Option<DType> {
    let config = read_json(folder, "config.json", "it describes the model").ok()?;
    let places = [&config, &config["text_config"]];
    let said = places.iter().flat_map(|place| [&place["dtype"], &place["torch_dtype"]]).find_map(Value::as_str);
    match said? {
        "float32" => Some(DType::F32),
        "bfloat16" => Some(DType::BF16),
        "float16" => Some(DType::F16),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Tensor;
    use std::collections::HashMap;
    use std::fs;

    const GPU: (bool, bool) = (false, true);
    const OLD_GPU: (bool, bool) = (false, false);
    const CPU: (bool, bool) = (true, false);

    #[test]
    fn the_device_and_its_memory_decide_with_the_checkpoint() {
        for ((on_cpu, has_bf16), own, largest, expected) in [
            (GPU, DType::BF16, DType::F32, "bf16, the checkpoint's own"),
            (GPU, DType::F16, DType::F32, "f16, the checkpoint's own"),
            (GPU, DType::F32, DType::F32, "f32, the checkpoint's own"),
            (OLD_GPU, DType::BF16, DType::F32, "f16, as the device does not support bf16, the checkpoint's own"),
            (CPU, DType::F32, DType::BF16, "f32, the checkpoint's own"),
            (CPU, DType::BF16, DType::F32, "f32, more exact than bf16, the checkpoint's own"),
            (CPU, DType::BF16, DType::BF16, "bf16, the checkpoint's own, as f32 does not fit into memory"),
            (CPU, DType::F16, DType::U8, "f32, more exact than f16, the checkpoint's own"),
        ] {
            let fits = |dtype: DType| dtype.size_in_bytes() <= largest.size_in_bytes();
            assert_eq!(automatic(own, on_cpu, has_bf16, fits).to_string(), expected);
        }
    }

    #[test]
    fn the_configuration_says_it_before_the_weights_do() {
        let folder = tempfile::tempdir().unwrap();
        let tensor = |dtype| Tensor::zeros(64, dtype, &Device::Cpu).unwrap();
        let one = Tensor::zeros(1, DType::F32, &Device::Cpu).unwrap();
        let tensors = HashMap::from([("a".to_string(), tensor(DType::F16)), ("b".to_string(), one)]);
        candle_core::safetensors::save(&tensors, folder.path().join("model.safetensors")).unwrap();
        assert_eq!(Weights::read(folder.path()).unwrap().usual_dtype(), Some(DType::F16));
        for (config, expected) in [
            (r#"{"dtype": "bfloat16", "torch_dtype": "float32"}"#, Some(DType::BF16)),
            (r#"{"torch_dtype": "float16"}"#, Some(DType::F16)),
            (r#"{"text_config": {"dtype": "float32"}}"#, Some(DType::F32)),
            (r#"{"dtype": null}"#, None),
        ] {
            fs::write(folder.path().join("config.json"), config).unwrap();
            assert_eq!(named_dtype(folder.path()), expected, "{config}");
        }
        let chosen = Precision::Auto.choose(folder.path(), &Device::Cpu);
        assert_eq!(chosen.to_string(), "f32, more exact than f16, the checkpoint's own");
        assert_eq!(Precision::F16.choose(folder.path(), &Device::Cpu).to_string(), "f16, as requested");
    }
}
