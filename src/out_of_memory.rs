//! The system's allocator, which says what to change and ends the program for want of memory. It speaks where the system
//! refuses memory (a limit on addresses, no overcommitment); a process that the kernel kills has no last word.
//!
//! Rust's own way is an abort with two lines for programmers. Only where much is asked for at once does this one leave it at
//! that: whoever reads a length from a file may have asked just to see whether there is room for it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A refusal of less is the end: nothing could go on without.
const MUCH: usize = 64 << 20;
/// As after any other error.
const EXIT_CODE: i32 = 1;
/// How long a last word may take.
const LAST_WORD: Duration = Duration::from_millis(200);
const USUAL_ADVICE: &str = "end other programs, raise the limit (`ulimit -v`) or use smaller models";

/// Some thread is at its last word.
static ENDING: AtomicBool = AtomicBool::new(false);
/// Memory is limited on purpose, and the owner of this process looks for the abort.
static LEFT_TO_RUST: AtomicBool = AtomicBool::new(false);
/// What takes less memory, once a command has said so.
static ADVICE: OnceLock<&'static str> = OnceLock::new();

/// From now on running out of memory ends with this advice on standard error.
pub fn advise(advice: &'static str) {
    // The first command's word stands: there is one command per process.
    let _ = ADVICE.set(advice);
}

/// From now on running out of memory is an abort, of any size.
pub fn leave_to_rust() {
    LEFT_TO_RUST.store(true, Ordering::Relaxed);
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
    if memory.is_null() {
        refused(size);
    }
    memory
}

fn refused(size: usize) {
    let advice = ADVICE.get().copied();
    if LEFT_TO_RUST.load(Ordering::Relaxed) {
        return;
    }
    if size >= MUCH && advice.is_none() {
        return;
    }
    let wanted = if size >> 20 > 0 { (size >> 20, "MiB") } else { (size, "bytes") };
    if size < MUCH && ENDING.swap(true, Ordering::Relaxed) {
        // Another thread says it, which may wait for this one's lock on standard error.
        std::thread::sleep(LAST_WORD);
        signal_hook::low_level::exit(EXIT_CODE);
    }
    // Standard error has no buffer; where it is closed nobody can be told.
    let advice = advice.unwrap_or(USUAL_ADVICE);
    let _ = writeln!(std::io::stderr(), "out of memory ({} {} more were wanted): {advice}", wanted.0, wanted.1);
    if size < MUCH {
        signal_hook::low_level::exit(EXIT_CODE);
    }
}
