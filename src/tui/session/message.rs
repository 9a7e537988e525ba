//! Everything that can happen, in one channel: keys, signals, events of the worker, images.

use crate::annotation::agreement::AgreementReport;
use crate::annotation::{AnnotationSession, Event};
use crate::pipeline::Ticket;
use crate::terminal::images::Loaded;
use crate::tui::update::app::App;
use crate::worker::WorkerHandle;
use anyhow::Result;
use crossterm::event;
use std::sync::Arc;

/// Everything that the explorer works on.
pub struct Opened {
    pub app: App,
    pub annotations: AnnotationSession,
    pub engine: WorkerHandle,
}

/// What becomes of the session where a thread panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnPanic {
    /// It ends with an error: nobody could leave it any more, or it would wait for ever.
    EndSession,
    /// It goes on without the thread and says so.
    GoOn,
}

/// One thing that happened.
pub enum Message {
    Terminal(event::Event),
    /// No key will come any more.
    InputEnded(String),
    /// A signal by number.
    Signal(i32),
    /// Everything is read, or why it cannot be.
    Opened(Box<Result<Opened>>),
    Engine(crate::pipeline::Event),
    Image(Loaded),
    /// How far annotators agree, as asked for under this number.
    Agreement(Ticket, Box<AgreementReport>),
    /// Others wrote this into their journals.
    Heard(Vec<Arc<Event>>),
    /// The full-screen image of this number is on the terminal, or why it is not.
    FullScreen {
        number: usize,
        outcome: Result<(), String>,
    },
    /// A thread of the explorer ended by a panic, which is in the log.
    Panicked {
        thread: &'static str,
        on_panic: OnPanic,
        text: String,
    },
}
