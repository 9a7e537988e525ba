//! Marks panics that a caller turns into an error, so that they are not printed (issue 18, B4).

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static CAUGHT: Cell<usize> = const { Cell::new(0) };
}

/// While this value lives, a caller on this thread turns panics into errors or events, so they are not printed.
#[must_use]
pub struct Caught(());

/// Starts a [`Caught`] scope.
pub fn caught_here() -> Caught {
    CAUGHT.with(|depth| depth.set(depth.get() + 1));
    Caught(())
}

impl Drop for Caught {
    fn drop(&mut self) {
        CAUGHT.with(|depth| depth.set(depth.get().saturating_sub(1)));
    }
}

/// Like [`caught_here`], until the thread ends.
pub fn caught_on_this_thread() {
    std::mem::forget(caught_here());
}

/// Runs the work; a panic in it is not printed.
///
/// # Errors
/// Fails with the payload of the panic.
pub fn caught<R>(work: impl FnOnce() -> R) -> std::thread::Result<R> {
    let _caught = caught_here();
    catch_unwind(AssertUnwindSafe(work))
}

/// Whether a caller on this thread turns panics into errors.
pub fn is_caught() -> bool {
    CAUGHT.try_with(Cell::get).unwrap_or(0) > 0
}

/// The message of a panic.
pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_ends_with_its_scope_also_by_a_panic() {
        let depth = || CAUGHT.with(Cell::get);
        let outcome = catch_unwind(|| {
            let _caught = caught_here();
            assert_eq!(depth(), 1);
            panic!("inside");
        });
        assert!(outcome.is_err());
        assert_eq!(depth(), 0);
    }
}
