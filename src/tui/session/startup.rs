//! The startup: while documents and runs are read, the screen shows the cases alone; keys typed meanwhile are handled
//! afterwards.

use super::message::{Message, OnPanic, Opened};
use super::recording::{CastRecorder, record};
use super::renderer::Renderer;
use crate::tui::keymap::key_name;
use crate::tui::update::app::App;
use anyhow::{Context, Result, bail};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use crossterm::event::Event;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::time::{Duration, Instant};

/// Time during which nothing is drawn: most datasets are read by then, so their first frame is complete.
const PATIENCE: Duration = Duration::from_millis(60);
/// Exit code after Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Result of waiting.
pub enum Waited {
    Opened(Box<Opened>),
    /// The program must end with this exit code.
    Left(u8),
    NotYet,
}

/// The startup phase, until everything is read.
pub struct Startup<'a> {
    messages: &'a Receiver<Message>,
    /// Messages that can only be handled afterwards, in order.
    pub held: Vec<Message>,
}

impl<'a> Startup<'a> {
    /// Takes its messages, among them `Message::Opened`, from this channel.
    pub fn new(messages: &'a Receiver<Message>) -> Self {
        Self { messages, held: Vec::new() }
    }

    /// Waits before the terminal is taken: a moment if the cases can be shown meanwhile, else until everything is
    /// read.
    ///
    /// # Errors
    /// Fails if startup fails.
    pub fn wait(&mut self, shows_cases: bool) -> Result<Waited> {
        let until = shows_cases.then(|| Instant::now() + PATIENCE);
        loop {
            let message = match until.map(|until| self.messages.recv_deadline(until)) {
                Some(Ok(message)) => message,
                Some(Err(RecvTimeoutError::Timeout)) => return Ok(Waited::NotYet),
                Some(Err(RecvTimeoutError::Disconnected)) => bail!("all threads of the explorer ended"),
                None => self.messages.recv().context("all threads of the explorer ended")?,
            };
            if let Some(waited) = self.take(message)? {
                return Ok(waited);
            }
        }
    }

    /// Shows the cases until everything is read.
    ///
    /// # Errors
    /// Fails if startup fails or the terminal cannot be used.
    pub fn show(&mut self, preview: &mut App, renderer: &mut Renderer, recorder: &CastRecorder) -> Result<Waited> {
        loop {
            renderer.draw(preview, false)?;
            let mut next = Some(self.messages.recv().context("all threads of the explorer ended")?);
            // Messages that arrived meanwhile go into the same frame.
            while let Some(message) = next {
                match message {
                    Message::Image(loaded) => renderer.loaded(loaded, preview),
                    Message::Terminal(Event::Resize(columns, rows)) => {
                        record(recorder, |recorder| recorder.resized(columns, rows));
                    }
                    other => {
                        if let Some(waited) = self.take(other)? {
                            return Ok(waited);
                        }
                    }
                }
                next = self.messages.try_recv().ok();
            }
        }
    }

    /// Ends the wait, or holds the message back.
    fn take(&mut self, message: Message) -> Result<Option<Waited>> {
        match message {
            Message::Opened(opened) => Ok(Some(Waited::Opened(Box::new((*opened)?)))),
            Message::Signal(signal @ (SIGINT | SIGTERM | SIGHUP)) => Ok(Some(Waited::Left(128 + signal as u8))),
            Message::Terminal(Event::Key(key)) if key_name(key).is_some_and(|name| name == "ctrl-c") => {
                Ok(Some(Waited::Left(INTERRUPTED)))
            }
            Message::InputEnded(reason) => bail!("cannot read keys: {reason}"),
            Message::Panicked { thread, on_panic: OnPanic::EndSession, text } => {
                bail!("internal error in {thread}: {text}; please report")
            }
            other => {
                self.held.push(other);
                Ok(None)
            }
        }
    }
}
