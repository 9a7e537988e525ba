//! Rendering in a process of our own (issue 18, B2). The engine counts steps, not what a step walks through: a list that was
//! doubled fifty times takes fifty steps, and asking for its length never ends. A process has limits of time and memory that
//! nothing within it can pass, and neither its abort nor its overflown stack is ours.
//!
//! One line goes to it for each request, one comes back: first the template, then the values of each rendering.

use serde::Serialize;
use serde_json::{Map, Value};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Name of the program's subcommand that runs [`answer_requests`](super::answer_requests).
pub const RENDERING_SUBCOMMAND: &str = "render-template";

/// Seconds until a process that says nothing is given up: it has used up its processor time long before, also where a
/// dozen others want the processor.
const LONGEST_WAIT: u64 = 60;
/// What glibc takes from the environment for models would count against the process's memory.
const NOT_FOR_IT: [&str; 3] = ["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_"];

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
/// Renderings that have been waited for longer than a second.
static HANGING: AtomicUsize = AtomicUsize::new(0);

/// From now on the templates that checkpoints bring are rendered by processes of `program`, which has the subcommand
/// [`RENDERING_SUBCOMMAND`]. Without this call they are rendered here, within the engine's limits alone, and a hostile one
/// may never end. The first call stands.
pub fn use_program(program: PathBuf) {
    let _ = PROGRAM.set(program);
}

pub(super) fn program() -> Option<&'static Path> {
    PROGRAM.get().map(PathBuf::as_path)
}

/// Is a rendering waited for that takes longer than a second? Then the work comes to no good place soon, and who wants it
/// to end need not wait for one.
pub fn a_rendering_hangs() -> bool {
    HANGING.load(Ordering::Relaxed) > 0
}

/// Counted in [`HANGING`] while it lives.
struct Hanging;

impl Hanging {
    fn begin() -> Self {
        HANGING.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        HANGING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A template that a process of its own holds and renders; the process ends with this value.
#[derive(Debug)]
pub(super) struct RenderingProcess {
    program: PathBuf,
    source: String,
    /// `None` after it ended; the next rendering starts another.
    running: Mutex<Option<Running>>,
}

impl RenderingProcess {
    /// Starts the process and gives it the template, which was looked over.
    ///
    /// # Errors
    /// What is wrong with the template, on one line; a process that cannot be started.
    pub fn start(program: &Path, source: String) -> Result<Self, String> {
        let running = Mutex::new(Some(Running::start(program, &source)?));
        Ok(Self { program: program.to_path_buf(), source, running })
    }

    /// What the template makes of these values.
    ///
    /// # Errors
    /// What it refuses, on one line; the limit that it passed.
    pub fn render(&self, context: &Map<String, Value>) -> Result<String, String> {
        let mut place = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // It comes back if it answers; else it is dropped, which ends it.
        let mut running = match place.take().map(Running::if_alive) {
            Some(Some(running)) => running,
            _ => Running::start(&self.program, &self.source)?,
        };
        let answer = running.ask(context)?;
        *place = Some(running);
        answer
    }
}

#[derive(Debug)]
struct Running {
    child: Child,
    requests: ChildStdin,
    answers: Receiver<String>,
}

impl Running {
    fn start(program: &Path, source: &str) -> Result<Self, String> {
        let mut command = Command::new(program);
        command.arg(RENDERING_SUBCOMMAND).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // It multiplies nothing, and OpenBLAS would start a thread for each core.
        command.env("OPENBLAS_NUM_THREADS", "1");
        for name in NOT_FOR_IT {
            command.env_remove(name);
        }
        apart_from_the_keys(&mut command);
        let unusable = |reason: String| format!("cannot start the process that renders it: {reason}");
        let mut child = command.spawn().map_err(|error| unusable(error.to_string()))?;
        let (Some(requests), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(unusable("it has no pipes".to_string()));
        };
        let (sender, answers) = channel();
        let mut running = Self { child, requests, answers };
        let reader = std::thread::Builder::new().name("dissent-template".into()).spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        reader.map_err(|error| unusable(error.to_string()))?;
        running.ask(source)??;
        Ok(running)
    }

    /// Its answer, or why there is none: then it is of no more use.
    fn ask(&mut self, request: &(impl Serialize + ?Sized)) -> Result<Result<String, String>, String> {
        let mut line = serde_json::to_vec(request).map_err(|error| error.to_string())?;
        line.push(b'\n');
        if self.requests.write_all(&line).is_err() {
            return Err(self.why_it_ended());
        }
        let mut hanging = None;
        // A second at a time: while this process is stopped (Ctrl-Z) no more than one passes.
        for _ in 0..LONGEST_WAIT {
            match self.answers.recv_timeout(Duration::from_secs(1)) {
                Ok(line) => {
                    return serde_json::from_str(&line).map_err(|_| "its process answered nonsense".to_string());
                }
                Err(RecvTimeoutError::Timeout) => {
                    hanging.get_or_insert_with(Hanging::begin);
                }
                Err(RecvTimeoutError::Disconnected) => return Err(self.why_it_ended()),
            }
        }
        Err(format!("rendering it takes more than {LONGEST_WAIT} s"))
    }

    /// Somebody else may have ended it since the last answer.
    fn if_alive(mut self) -> Option<Self> {
        matches!(self.child.try_wait(), Ok(None)).then_some(self)
    }

    fn why_it_ended(&mut self) -> String {
        self.child.wait().map_or_else(|error| format!("its process is lost: {error}"), why)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The terminal's Ctrl-C and Ctrl-Z are for the program.
fn apart_from_the_keys(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
}

#[cfg(unix)]
fn why(status: ExitStatus) -> String {
    use super::process_limits::{MEMORY, PROCESSOR_TIME};
    use nix::sys::signal::Signal;
    use std::os::unix::process::ExitStatusExt;
    match status.signal().and_then(|signal| Signal::try_from(signal).ok()) {
        Some(Signal::SIGXCPU) => format!("rendering it takes more than {PROCESSOR_TIME} s of processor time"),
        Some(Signal::SIGABRT | Signal::SIGSEGV) => {
            format!("rendering it takes more than {} MiB of memory", MEMORY >> 20)
        }
        _ => format!("the process that renders it ended ({status})"),
    }
}

#[cfg(not(unix))]
fn why(status: ExitStatus) -> String {
    format!("the process that renders it ended ({status})")
}
