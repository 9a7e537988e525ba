//! Opening a GPU, with the reason in plain words if that fails.

use super::driver;
use super::kernels::KernelTarget;
use super::libraries;
use anyhow::{Context, Result, anyhow, ensure};
use candle_core::Device;
use candle_core::cuda_backend::cudarc::driver::sys::CUresult;
use candle_core::cuda_backend::cudarc::driver::{CudaContext, DriverError};
use candle_core::cuda_backend::kernels;
use std::sync::Arc;

/// What this program's kernels were compiled for.
pub fn built_for() -> Option<KernelTarget> {
    KernelTarget::of_ptx(kernels::AFFINE.ptx())
}

/// GPU `number` of this machine.
///
/// # Errors
/// Fails if a library of CUDA is missing, the machine has no such GPU, or the GPU or its driver cannot run the kernels that this
/// program was built with. The message says what was expected and what was found.
pub fn open(number: usize) -> Result<Device> {
    libraries::load()?;
    let count = CudaContext::device_count().map_err(in_words)?;
    ensure!(count > 0, "the NVIDIA driver finds no GPU");
    ensure!(
        number < count as usize,
        "this machine has {count} GPU{}: expected cuda:0{}, found cuda:{number}",
        if count == 1 { "" } else { "s" },
        if count == 1 { String::new() } else { format!(" to cuda:{}", count - 1) }
    );
    let context = CudaContext::new(number).map_err(in_words)?;
    let target = built_for().context("the kernels do not say what they were built for")?;
    let driver = driver::newest_cuda().map_err(in_words)?;
    let name = context.name().unwrap_or_else(|_| "the GPU".into());
    if let Some(refusal) = target.refusal(&name, capability(&context).map_err(in_words)?, driver) {
        return Err(anyhow!(refusal));
    }
    Ok(Device::new_cuda(number)?)
}

/// For example "NVIDIA H200, compute capability 9.0, 139.8 GiB, driver for CUDA 13.0"; `None` for other devices.
pub fn describe(device: &Device) -> Option<String> {
    let context = context_of(device)?;
    let (major, minor) = capability(&context).ok()?;
    let gibibytes = context.total_mem().ok()? as f64 / f64::from(1 << 30);
    let (cuda, minor_of_cuda) = driver::newest_cuda().ok()?;
    let name = context.name().ok()?;
    Some(format!(
        "{name}, compute capability {major}.{minor}, {gibibytes:.1} GiB, driver for CUDA {cuda}.{minor_of_cuda}"
    ))
}

/// Free memory of a GPU in bytes; `None` for other devices.
pub fn free_bytes(device: &Device) -> Option<u64> {
    Some(context_of(device)?.mem_get_info().ok()?.0 as u64)
}

/// The most bytes that tensors have taken at a time since [`forget_peak`]; `None` for other devices.
pub fn peak_bytes(device: &Device) -> Option<u64> {
    driver::peak_bytes(&*context_of(device)?)
}

/// Begins to count [`peak_bytes`] anew.
pub fn forget_peak(device: &Device) {
    if let Some(context) = context_of(device) {
        driver::forget_peak(&context);
    }
}

fn context_of(device: &Device) -> Option<Arc<CudaContext>> {
    Some(device.as_cuda_device().ok()?.cuda_stream().context().clone())
}

fn capability(context: &CudaContext) -> Result<(u32, u32), DriverError> {
    let (major, minor) = context.compute_capability()?;
    Ok((major as u32, minor as u32))
}

/// The driver's error in plain words, with its own behind.
fn in_words(error: DriverError) -> anyhow::Error {
    let words = match error.0 {
        CUresult::CUDA_ERROR_NO_DEVICE => "the NVIDIA driver finds no GPU",
        CUresult::CUDA_ERROR_STUB_LIBRARY => "the NVIDIA driver is missing; a part of it for building only was found",
        CUresult::CUDA_ERROR_SYSTEM_DRIVER_MISMATCH => {
            "the NVIDIA driver and its kernel module are of different versions; restart the machine"
        }
        CUresult::CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE => "the NVIDIA driver is too old for the GPU",
        CUresult::CUDA_ERROR_OUT_OF_MEMORY => "the GPU's memory is taken, by other programs perhaps",
        CUresult::CUDA_ERROR_DEVICE_UNAVAILABLE => "the GPU is busy: another program uses it alone",
        _ => "the NVIDIA driver cannot be used",
    };
    anyhow!(error).context(words)
}
