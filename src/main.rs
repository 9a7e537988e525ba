//! The main program: arguments, dispatch, exit codes (0 done, 1 failed, 2 wrong usage, 130 interrupted).

use clap::error::Error as UsageError;
use dissent::cli::interrupt::{INTERRUPTED_EXIT_CODE, Interrupted, outlive_file_size_limit};
use dissent::cli::{self, Cli, ExitWith, ParseError, panic_hook, render_template};
use dissent::model::chat::{RENDERING_SUBCOMMAND, use_program};
use dissent::out_of_memory::AdvisingAllocator;
use dissent::output::{print_styled, say, say_styled};
use dissent::processor;
use dissent::thread_counts;
use std::io::{IsTerminal, stderr, stdout};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

#[global_allocator]
static ALLOCATOR: AdvisingAllocator = AdvisingAllocator;

const FAILED: u8 = 1;
const WRONG_USAGE: u8 = 2;

/// Stack of the worker thread: the default of Linux for the main thread, whose own stack depends on the user's
/// limit (`ulimit -s`) and may be too small.
const STACK: usize = 8 << 20;

/// FAISS's static objects are made before `main`, with instructions that an old processor lacks; the loader calls functions of
/// this section earlier, those with low numbers first.
#[allow(
    unsafe_code,
    reason = "the linker's section; the function takes nothing, and needs nothing that starts in main"
)]
#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".init_array.00100")]
static BEFORE_FAISS: extern "C" fn() = stop_on_an_old_processor;

extern "C" fn stop_on_an_old_processor() {
    if let Err(error) = processor::check() {
        say(&format!("error: {error:#}"));
        signal_hook::low_level::exit(i32::from(FAILED));
    }
}

fn main() {
    stop_on_an_old_processor();
    panic_hook::log_and_say_in_one_line();
    outlive_file_size_limit();
    let worker = std::thread::Builder::new().name("main".into()).stack_size(STACK).spawn(guarded);
    let code = match worker {
        Ok(worker) => worker.join().unwrap_or(FAILED),
        // If no second thread can be started, the main thread does the work.
        Err(_) => guarded(),
    };
    // All output is written by now. The C library's exit would wait for threads of libraries.
    signal_hook::low_level::exit(i32::from(code));
}

fn guarded() -> u8 {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        panic_hook::say_the_unsaid();
        FAILED
    })
}

fn run() -> u8 {
    // Check this first, because loading a model waits for it.
    if std::env::args_os().nth(1).is_some_and(|word| word == RENDERING_SUBCOMMAND) {
        return render_template::run();
    }
    if let Some(program) = this_program() {
        use_program(program);
    }
    if let Err(error) = thread_counts::check() {
        say(&format!("error: {error:#}"));
        return WRONG_USAGE;
    }
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(ParseError::Usage(usage)) => return say_usage(&usage),
        Err(ParseError::Config(error)) => {
            say(&format!("error: {error:#}"));
            return FAILED;
        }
    };
    match cli::run(cli) {
        Ok(()) => 0,
        Err(error) if error.is::<Interrupted>() => {
            say(&error.to_string());
            INTERRUPTED_EXIT_CODE
        }
        Err(error) => {
            if let Some(ExitWith(code)) = error.downcast_ref() {
                return *code;
            }
            say(&format!("error: {error:#}"));
            FAILED
        }
    }
}

/// Path of this program's file; after an update the file has no name, but Linux still finds it.
fn this_program() -> Option<PathBuf> {
    let paths = [std::env::current_exe().ok(), Some(PathBuf::from("/proc/self/exe"))];
    paths.into_iter().flatten().find(|path| path.is_file())
}

/// Prints help, version or the error in the arguments, made safe for the terminal, which clap does not do.
fn say_usage(usage: &UsageError) -> u8 {
    let styled = |colours: bool| {
        let text = usage.render();
        if colours && std::env::var_os("NO_COLOR").is_none() { text.ansi().to_string() } else { text.to_string() }
    };
    if usage.use_stderr() {
        say_styled(styled(stderr().is_terminal()).trim_end());
        return WRONG_USAGE;
    }
    match print_styled(styled(stdout().is_terminal()).trim_end()) {
        Ok(()) => 0,
        Err(error) => {
            say(&format!("error: {error:#}"));
            FAILED
        }
    }
}
