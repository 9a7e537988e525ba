//! The system's allocator; if memory runs out, it prints advice and ends the program. This works only if the system
//! refuses memory (a limit on addresses, no overcommitment), not if the kernel kills the process.
//!
//! By default Rust aborts with two lines for programmers. A large refused request is left to the caller:
//! code that reads a length from a file may only try whether there is room for it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// If a request smaller than this is refused, nothing can continue.
const MUCH: usize = 64 << 20;
/// Exit code, the same as for any other error.
const EXIT_CODE: i32 = 1;
/// Time limit for the last message.
const LAST_WORD: Duration = Duration::from_millis(200);
const USUAL_ADVICE: &str = "end other programs, raise the limit (`ulimit -v`) or use smaller models";

/// Some thread is printing the last message.
static ENDING: AtomicBool = AtomicBool::new(false);
/// Memory is limited on purpose, and the parent process expects the abort.
static LEFT_TO_RUST: AtomicBool = AtomicBool::new(false);
/// The advice of the current command, if it has set one.
static ADVICE: OnceLock<&'static str> = OnceLock::new();

/// Sets the advice that is printed if memory runs out.
pub fn advise(advice: &'static str) {
    // There is one command per process, so the first advice stays.
    let _ = ADVICE.set(advice);
}

/// From now on, running out of memory aborts, for requests of any size.
pub fn leave_to_rust() {
    LEFT_TO_RUST.store(true, Ordering::Relaxed);
}

/// [`System`] with a message on failure.
#[derive(Debug)]
pub struct AdvisingAllocator;

// The only unsafe code here: every call is forwarded to the system's allocator with its arguments, so its
// contract is kept; the added code runs only if memory is refused, and allocates nothing.
#[allow(unsafe_code, reason = "an allocator needs unsafe code")]
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
        // Another thread prints the message, and may wait for this one's lock on standard error.
        std::thread::sleep(LAST_WORD);
        signal_hook::low_level::exit(EXIT_CODE);
    }
    // Standard error has no buffer; errors are ignored.
    let advice = advice.unwrap_or(USUAL_ADVICE);
    let _ = writeln!(std::io::stderr(), "out of memory ({} {} more were needed): {advice}", wanted.0, wanted.1);
    if size < MUCH {
        signal_hook::low_level::exit(EXIT_CODE);
    }
}
