//! Rendering templates in a child process. The engine counts steps, not the work of a step: a list that is doubled fifty
//! times takes fifty steps, and computing its length never ends. A process has CPU and memory limits that the template
//! cannot evade, and its abort or stack overflow does not affect the parent.
//!
//! Each request is one line, and so is its answer. The first request is the template; each later one holds the variables of
//! a rendering.

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

/// Seconds until a process without an answer is given up. Its CPU limit stops it long before, even on a machine with a
/// dozen busy processes.
const LONGEST_WAIT: u64 = 60;
/// glibc settings made for loading models, which would count against the child's memory limit.
const REMOVED_VARIABLES: [&str; 3] = ["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_"];

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
/// Number of renderings in progress for more than a second.
static HANGING: AtomicUsize = AtomicUsize::new(0);

/// Sets the program whose subcommand [`RENDERING_SUBCOMMAND`] renders the templates of checkpoints from now on. Without
/// this call they are rendered in this process under the engine's limits only, and a hostile one may never end. Only the
/// first call has an effect.
pub fn use_program(program: PathBuf) {
    let _ = PROGRAM.set(program);
}

pub(super) fn program() -> Option<&'static Path> {
    PROGRAM.get().map(PathBuf::as_path)
}

/// True if a rendering has been in progress for more than a second. Cancelling then need not wait for it.
pub fn a_rendering_hangs() -> bool {
    HANGING.load(Ordering::Relaxed) > 0
}

/// Counts as one in [`HANGING`] until dropped.
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

/// A template held by a child process, which ends when this value is dropped.
#[derive(Debug)]
pub(super) struct RenderingProcess {
    program: PathBuf,
    source: String,
    /// `None` after the process has ended; the next rendering starts another.
    running: Mutex<Option<Running>>,
}

impl RenderingProcess {
    /// Starts the process with a template that has passed [`check_source`](super::limits::check_source).
    ///
    /// # Errors
    /// Fails if the template is invalid or the process cannot be started; the message has one line.
    pub fn start(program: &Path, source: String) -> Result<Self, String> {
        let running = Mutex::new(Some(Running::start(program, &source)?));
        Ok(Self { program: program.to_path_buf(), source, running })
    }

    /// Renders the template with these variables.
    ///
    /// # Errors
    /// Fails if the template raises an error or exceeds a limit; the message has one line.
    pub fn render(&self, context: &Map<String, Value>) -> Result<String, String> {
        let mut place = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // A process that does not answer is dropped, which ends it.
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
        for name in REMOVED_VARIABLES {
            command.env_remove(name);
        }
        detach_from_terminal_signals(&mut command);
        let unusable = |reason: String| format!("cannot start the process that renders it: {reason}");
        let mut child = command.spawn().map_err(|error| unusable(error.to_string()))?;
        let (Some(requests), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(unusable("it has no standard input or output".to_string()));
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

    /// Sends a request and returns the answer. After an outer error the process must not be used again.
    fn ask(&mut self, request: &(impl Serialize + ?Sized)) -> Result<Result<String, String>, String> {
        let mut line = serde_json::to_vec(request).map_err(|error| error.to_string())?;
        line.push(b'\n');
        if self.requests.write_all(&line).is_err() {
            return Err(self.reason_of_exit());
        }
        let mut hanging = None;
        // One second at a time, so that time in which this process is stopped (Ctrl-Z) counts as one second at most.
        for _ in 0..LONGEST_WAIT {
            match self.answers.recv_timeout(Duration::from_secs(1)) {
                Ok(line) => {
                    return serde_json::from_str(&line)
                        .map_err(|_| "the process that renders it sent an invalid answer".to_string());
                }
                Err(RecvTimeoutError::Timeout) => {
                    hanging.get_or_insert_with(Hanging::begin);
                }
                Err(RecvTimeoutError::Disconnected) => return Err(self.reason_of_exit()),
            }
        }
        Err(format!("rendering it takes more than {LONGEST_WAIT} s"))
    }

    /// `None` if the process has ended since the last answer.
    fn if_alive(mut self) -> Option<Self> {
        matches!(self.child.try_wait(), Ok(None)).then_some(self)
    }

    fn reason_of_exit(&mut self) -> String {
        self.child.wait().map_or_else(|error| format!("the process that renders it is lost: {error}"), exit_reason)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only if it has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Gives the child its own process group, so that Ctrl-C and Ctrl-Z reach only the parent.
fn detach_from_terminal_signals(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
}

#[cfg(unix)]
fn exit_reason(status: ExitStatus) -> String {
    use super::process_limits::{MEMORY, PROCESSOR_TIME};
    use nix::sys::signal::Signal;
    use std::os::unix::process::ExitStatusExt;
    match status.signal().and_then(|signal| Signal::try_from(signal).ok()) {
        Some(Signal::SIGXCPU) => format!("rendering it takes more than {PROCESSOR_TIME} s of CPU time"),
        Some(Signal::SIGABRT | Signal::SIGSEGV) => {
            format!("rendering it takes more than {} MiB of memory", MEMORY >> 20)
        }
        _ => format!("the process that renders it ended ({status})"),
    }
}

#[cfg(not(unix))]
fn exit_reason(status: ExitStatus) -> String {
    format!("the process that renders it ended ({status})")
}
