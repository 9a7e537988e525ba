//! Calls of the CUDA driver for which cudarc has no safe form.

use candle_core::cuda_backend::cudarc::driver::sys::CUmemPool_attribute_enum::CU_MEMPOOL_ATTR_USED_MEM_HIGH;
use candle_core::cuda_backend::cudarc::driver::{CudaContext, DriverError, result, sys};

/// The newest CUDA that the driver knows (major, minor).
///
/// # Errors
/// Fails if there is no driver.
pub fn newest_cuda() -> Result<(u32, u32), DriverError> {
    let mut version = 0;
    // SAFETY: the driver writes one integer to a valid address.
    #[allow(unsafe_code, reason = "cudarc has no safe form of it")]
    unsafe {
        sys::cuDriverGetVersion(&raw mut version).result()?;
    }
    Ok((version as u32 / 1000, version as u32 % 1000 / 10))
}

/// The most bytes that tensors have taken on this GPU at a time, since the program started or [`forget_peak`]; `None` if the GPU
/// has no memory pool. Workspaces of cuBLAS and the context itself (some hundred MB) are not in it.
pub fn peak_bytes(context: &CudaContext) -> Option<u64> {
    let mut bytes = 0_u64;
    of_pool(context, |pool| {
        // SAFETY: the pool is the GPU's own, and the attribute is 64 bits wide.
        #[allow(unsafe_code, reason = "cudarc has no safe form of it")]
        unsafe {
            result::mem_pool::get_attribute(pool, CU_MEMPOOL_ATTR_USED_MEM_HIGH, (&raw mut bytes).cast())
        }
    })?;
    Some(bytes)
}

/// Begins to count [`peak_bytes`] from what tensors take now.
pub fn forget_peak(context: &CudaContext) {
    let mut zero = 0_u64;
    of_pool(context, |pool| {
        // SAFETY: the pool is the GPU's own, the attribute is 64 bits wide, and 0 is the one value that may be set.
        #[allow(unsafe_code, reason = "cudarc has no safe form of it")]
        unsafe {
            result::mem_pool::set_attribute(pool, CU_MEMPOOL_ATTR_USED_MEM_HIGH, (&raw mut zero).cast())
        }
    });
}

/// Applies `call` to the pool from which tensors come; `None` if there is none or the call fails.
fn of_pool(context: &CudaContext, call: impl FnOnce(sys::CUmemoryPool) -> Result<(), DriverError>) -> Option<()> {
    if !context.has_async_alloc() {
        return None;
    }
    context.bind_to_thread().ok()?;
    // SAFETY: the device is that of a living context.
    #[allow(unsafe_code, reason = "cudarc has no safe form of it")]
    let pool = unsafe { result::device::get_default_mem_pool(context.cu_device()) };
    call(pool.ok()?).ok()
}
