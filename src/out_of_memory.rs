//! The system's allocator, which says what to change before the program ends for want of memory. It speaks where the system
//! refuses memory (a limit on addresses, no overcommitment); a process that the kernel kills has no last word.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::sync::OnceLock;

/// What takes less memory, once a command has said so.
static ADVICE: OnceLock<&'static str> = OnceLock::new();

/// From now on running out of memory ends with this advice on standard error.
pub fn advise(advice: &'static str) {
    // The first command's word stands: there is one command per process.
    let _ = ADVICE.set(advice);
}

/// [`System`] with a word on failure.
#[derive(Debug)]
pub struct AdvisingAllocator;

// The only unsafe code here: every call goes on to the system's allocator with the arguments it came with, so its
// contract is kept; what is added runs only where there is no memory, and allocates nothing.
#[allow(unsafe_code, reason = "an allocator cannot be written without")]
unsafe impl GlobalAlloc for AdvisingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        advise_if_null(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        advise_if_null(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        advise_if_null(unsafe { System.realloc(memory, layout, size) }, size)
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }
}

fn advise_if_null(memory: *mut u8, size: usize) -> *mut u8 {
    if memory.is_null()
        && let Some(advice) = ADVICE.get()
    {
        let megabytes = size >> 20;
        // Standard error has no buffer; where it is closed nobody can be told.
        let _ = writeln!(std::io::stderr(), "out of memory ({megabytes} MiB more were wanted): {advice}");
    }
    memory
}
