//! The loop: wait for something to happen, update, carry out effects, draw if anything changed.

use super::agreement_counter::AgreementCounter;
use super::message::{Message, OnPanic};
use super::recording::{CastRecorder, tell};
use super::renderer::Renderer;
use crate::annotation::{AnnotationSession, Event};
use crate::terminal::pixels::FullScreenImage;
use crate::terminal::screen;
use crate::tui::keymap::{Pressed, key_name};
use crate::tui::state::overlay::Notice;
use crate::tui::update::app::App;
use crate::worker::WorkerHandle;
use anyhow::{Context, Result, bail};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use crossterm::event;
use ratatui::buffer::Buffer;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Shortest time from frame to frame; what happens in between is drawn together.
const FRAME: Duration = Duration::from_millis(8);

/// The explorer at work.
pub struct Session<'a> {
    pub(super) app: App,
    pub(super) annotations: AnnotationSession,
    /// Where place and views are written down.
    pub(super) memory: &'a Path,
    /// Folder for screens as pictures.
    pub(super) screens: &'a Path,
    pub(super) film: CastRecorder,
    pub(super) engine: WorkerHandle,
    pub(super) canvas: Renderer,
    pub(super) agreement: AgreementCounter,
    /// For threads that have something to say.
    pub(super) sender: Sender<Message>,
    pub(super) kitty: bool,
    /// What others wrote and is not on the screen yet.
    pub(super) heard: Vec<Arc<Event>>,
    /// Stop signals that we sent to our own process group and will hear of.
    pub(super) own_stops: usize,
    /// Images to show over the whole screen; `None` where the terminal takes none.
    pub(super) full_screen: Option<Sender<FullScreenImage>>,
    /// Number of the image that is wanted; it goes on when one is asked for and when it is dismissed.
    pub(super) wanted_image: Arc<AtomicUsize>,
    /// Such an image is on the screen, or on its way: nothing is drawn until a key is pressed.
    pub(super) covered: bool,
    /// Set once the loop is to end.
    pub(super) exit: Option<u8>,
}

impl Session<'_> {
    /// Carries out what was held back, then what comes.
    pub(super) fn run(&mut self, held: Vec<Message>, messages: &Receiver<Message>) -> Result<u8> {
        let effects = self.app.start();
        self.tell_what_is_shown();
        self.carry_out(effects)?;
        for message in held {
            if self.exit.is_none() {
                self.take(message)?;
            }
        }
        let mut changed = true;
        let mut last_frame: Option<Instant> = None;
        loop {
            if let Some(code) = self.exit {
                return Ok(code);
            }
            let wait = last_frame.map_or(Duration::ZERO, |last| FRAME.saturating_sub(last.elapsed()));
            if changed && wait.is_zero() {
                self.draw(false)?;
                changed = false;
                last_frame = Some(Instant::now());
                continue;
            }
            let first = if changed {
                match messages.recv_timeout(wait) {
                    Ok(message) => message,
                    Err(RecvTimeoutError::Timeout) => continue,
                    Err(RecvTimeoutError::Disconnected) => bail!("all threads of the explorer ended"),
                }
            } else {
                messages.recv().context("all threads of the explorer ended")?
            };
            changed |= self.take(first)?;
            // What came meanwhile goes into the same frame.
            while self.exit.is_none()
                && let Ok(message) = messages.try_recv()
            {
                changed |= self.take(message)?;
            }
        }
    }

    /// Takes one message in; true if the screen may have changed.
    fn take(&mut self, message: Message) -> Result<bool> {
        match message {
            Message::Terminal(event) => return self.on_terminal(event),
            Message::InputEnded(reason) => bail!("cannot read keys: {reason}"),
            Message::Signal(signal) => return self.on_signal(signal),
            Message::Engine(event) => {
                if let crate::pipeline::Event::Ready(description) = &event {
                    self.annotations.set_run_fingerprint(Some(&description.run_fingerprint));
                }
                let effects = self.app.on_engine_event(event);
                self.carry_out(effects)?;
            }
            Message::Image(loaded) => self.canvas.loaded(loaded, &mut self.app),
            Message::Agreement(ticket, report) => self.app.on_agreement(ticket, *report),
            Message::Heard(events) => {
                self.heard.extend(events);
                return Ok(self.show_heard());
            }
            // It was opened before the loop.
            Message::Opened(_) => return Ok(false),
            Message::FullScreen { number, outcome } => {
                let is_wanted = self.covered && number == self.wanted_image.load(Ordering::SeqCst);
                match outcome {
                    Ok(()) if self.covered => return Ok(false),
                    // It was dismissed while it was printed.
                    Ok(()) => self.uncover()?,
                    Err(reason) => {
                        self.app.notify(Notice::Error(reason));
                        if is_wanted {
                            self.uncover()?;
                        }
                    }
                }
            }
            Message::Panicked { thread, on_panic: OnPanic::GoOn, text } => {
                self.app.notify(Notice::Error(format!("internal error in {thread}, which has ended: {text}")));
            }
            Message::Panicked { thread, on_panic: OnPanic::EndSession, text } => {
                bail!("internal error in {thread}: {text}; please report")
            }
        }
        Ok(true)
    }

    fn on_terminal(&mut self, event: event::Event) -> Result<bool> {
        if let event::Event::Resize(columns, rows) = event {
            tell(&self.film, |film| film.resized(columns, rows));
        }
        if self.covered {
            let is_ctrl_c = |key: &event::KeyEvent| key_name(*key).is_some_and(|name| name == "ctrl-c");
            match &event {
                event::Event::Key(key) if is_ctrl_c(key) => {}
                event::Event::Key(_) | event::Event::Resize(..) => {
                    self.uncover()?;
                    return Ok(true);
                }
                _ => return Ok(false),
            }
        }
        let effects = match event {
            event::Event::Key(key) => {
                match self.app.keymap().pressed(key, self.app.context(), self.app.cases().categories()) {
                    Pressed::Action(action) => self.app.update(action),
                    Pressed::Edit(request) => self.app.edit(request),
                    Pressed::Nothing => return Ok(false),
                }
            }
            event::Event::Paste(text) => self.app.paste(&text),
            event::Event::Resize(..) => Vec::new(),
            event::Event::Mouse(mouse) => match self.app.on_mouse(mouse) {
                Some(effects) => effects,
                None => return Ok(false),
            },
            event::Event::FocusGained | event::Event::FocusLost => return Ok(false),
        };
        self.carry_out(effects)?;
        self.show_heard();
        self.tell_what_is_shown();
        Ok(true)
    }

    fn on_signal(&mut self, signal: i32) -> Result<bool> {
        match signal {
            SIGINT | SIGTERM | SIGHUP => self.exit = Some(128 + signal as u8),
            SIGTSTP if self.own_stops > 0 => {
                self.own_stops -= 1;
                return Ok(false);
            }
            SIGTSTP => self.suspend()?,
            SIGCONT if !screen::is_taken() => self.resume()?,
            SIGCONT => self.canvas.redraw()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Draws a frame, unless an image covers the screen.
    pub(super) fn draw(&mut self, wanted_back: bool) -> Result<Option<Buffer>> {
        if self.covered {
            return Ok(None);
        }
        if let Some(error) = self.film.borrow_mut().take_failure() {
            self.app.notify(Notice::Error(format!("the recording has ended: {error}")));
        }
        self.canvas.draw(&self.app, wanted_back)
    }
}
