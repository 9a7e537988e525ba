//! Messages to the event loop, all in one channel: keys, signals, events of the worker, images.

use super::casebook_writer::ExplanationSource;
use crate::annotation::agreement::AgreementReport;
use crate::annotation::{AnnotationSession, Event};
use crate::casebook::Written;
use crate::pipeline::Ticket;
use crate::terminal::images::Loaded;
use crate::tui::update::app::App;
use crate::worker::WorkerHandle;
use anyhow::Result;
use crossterm::event;
use std::path::PathBuf;
use std::sync::Arc;

/// The explorer's state and sources, opened and read.
pub struct Opened {
    pub app: App,
    pub annotations: AnnotationSession,
    pub worker: WorkerHandle,
    pub explanations: ExplanationSource,
}

/// Effect of a thread's panic on the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnPanic {
    /// The session ends with an error, because it could not be left any more or would wait for ever.
    EndSession,
    /// The session goes on without the thread and reports it.
    GoOn,
}

/// One message.
pub enum Message {
    Terminal(event::Event),
    /// The input has ended: no key will come any more.
    InputEnded(String),
    /// A signal by number.
    Signal(i32),
    /// Opening has finished or failed.
    Opened(Box<Result<Opened>>),
    Worker(Box<crate::pipeline::Event>),
    Image(Loaded),
    /// An agreement report for the request with this ticket.
    Agreement(Ticket, Box<AgreementReport>),
    /// Something beside the loop failed, such as the program that was to open an image.
    Failed(String),
    /// A casebook is written to this path, or could not be.
    Casebook(PathBuf, Result<Written, String>),
    /// New events in the journals of others.
    JournalEvents(Vec<Arc<Event>>),
    /// The full-screen image with this number is on the terminal, or could not be shown.
    FullScreen {
        number: usize,
        outcome: Result<(), String>,
    },
    /// A thread of the explorer panicked; the log has the panic.
    Panicked {
        thread: &'static str,
        on_panic: OnPanic,
        text: String,
    },
}
