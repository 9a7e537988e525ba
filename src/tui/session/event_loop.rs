//! The event loop: waits for messages, updates, carries out effects, draws if anything changed.

use super::agreement_counter::AgreementCounter;
use super::casebook_writer::{CasebookWriter, ExplanationSource};
use super::external_viewer::ViewerCopies;
use super::message::{Message, OnPanic};
use super::recording::{CastRecorder, record};
use super::renderer::Renderer;
use super::state_saver::StateSaver;
use crate::annotation::{AnnotationSession, Event};
use crate::terminal::print_pixels::FullScreenImage;
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
use uuid::Uuid;

/// Shortest time between frames; changes in between are drawn together.
const FRAME: Duration = Duration::from_millis(8);

/// The running explorer.
pub struct Session<'a> {
    pub(super) app: App,
    pub(super) annotations: AnnotationSession,
    /// Folder for saved screens.
    pub(super) screens: &'a Path,
    /// Folder for the queue as a page.
    pub(super) casebook_folder: &'a Path,
    /// Words of the command that opens an image in a window.
    pub(super) viewer: &'a [String],
    pub(super) viewer_copies: ViewerCopies,
    pub(super) recorder: CastRecorder,
    pub(super) worker: WorkerHandle,
    pub(super) renderer: Renderer,
    pub(super) agreement: AgreementCounter,
    pub(super) casebooks: CasebookWriter,
    pub(super) explanations: ExplanationSource,
    /// Given to threads that send messages.
    pub(super) sender: Sender<Message>,
    pub(super) kitty: bool,
    /// Events of others that are not on the screen yet.
    pub(super) new_events: Vec<Arc<Event>>,
    /// The event of another session of the annotator whose undo or redo was warned of.
    pub(super) warned_of_step: Option<Uuid>,
    /// Stop signals sent to our own process group that will come back to us.
    pub(super) own_stops: usize,
    /// Sends images to show over the whole screen; `None` if the terminal cannot show any.
    pub(super) full_screen: Option<Sender<FullScreenImage>>,
    /// Number of the wanted full-screen image. It rises with each request and each dismissal.
    pub(super) wanted_image: Arc<AtomicUsize>,
    /// A full-screen image is shown or about to be: nothing is drawn until a key is pressed.
    pub(super) shows_full_screen: bool,
    /// When the session began.
    pub(super) begun: Instant,
    /// Exit code, set once the loop is to end.
    pub(super) exit: Option<u8>,
    /// Something was labelled or marked, or the queue shows other cases, since the state of the session was saved.
    pub(super) place_is_unsaved: bool,
    /// Saves the state of the session.
    pub(super) saver: StateSaver,
}

impl Session<'_> {
    /// Handles the messages held back during startup, then new ones.
    pub(super) fn run(&mut self, held: Vec<Message>, messages: &Receiver<Message>) -> Result<u8> {
        let effects = self.app.start();
        self.set_shown_case();
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
                self.save_place();
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
            // Messages that arrived meanwhile go into the same frame.
            while self.exit.is_none()
                && let Ok(message) = messages.try_recv()
            {
                changed |= self.take(message)?;
            }
        }
    }

    /// Handles one message; returns whether the screen may have changed.
    fn take(&mut self, message: Message) -> Result<bool> {
        self.app.set_clock(self.begun.elapsed());
        match message {
            Message::Terminal(event) => return self.on_terminal(event),
            Message::InputEnded(reason) => bail!("cannot read keys: {reason}"),
            Message::Signal(signal) => return self.on_signal(signal),
            Message::Worker(event) => {
                if let crate::pipeline::Event::Ready(description) = &*event {
                    self.annotations.set_run_fingerprint(Some(&description.run_fingerprint));
                    // A stored run has its own reader.
                    let reader = &mut self.explanations.reader;
                    reader.get_or_insert_with(|| description.reader_fingerprint.clone());
                }
                let effects = self.app.on_worker_event(*event);
                self.carry_out(effects)?;
            }
            Message::Image(loaded) => self.renderer.loaded(loaded, &mut self.app),
            Message::Agreement(ticket, report) => self.app.on_agreement(ticket, *report),
            Message::Failed(reason) => self.app.notify(Notice::Error(reason)),
            Message::Casebook(path, outcome) => {
                let effects = self.app.on_casebook(&path, outcome);
                self.carry_out(effects)?;
            }
            Message::JournalEvents(events) => {
                self.new_events.extend(events);
                return Ok(self.show_new_events());
            }
            // The startup has handled it.
            Message::Opened(_) => return Ok(false),
            Message::FullScreen { number, outcome } => {
                let is_wanted = self.shows_full_screen && number == self.wanted_image.load(Ordering::SeqCst);
                match outcome {
                    Ok(()) if self.shows_full_screen => return Ok(false),
                    // The image was dismissed while it was being printed.
                    Ok(()) => self.leave_full_screen()?,
                    Err(reason) => {
                        self.app.notify(Notice::Error(reason));
                        if is_wanted {
                            self.leave_full_screen()?;
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
            record(&self.recorder, |recorder| recorder.resized(columns, rows));
        }
        if self.shows_full_screen {
            let is_ctrl_c = |key: &event::KeyEvent| key_name(*key).is_some_and(|name| name == "ctrl-c");
            match &event {
                event::Event::Key(key) if is_ctrl_c(key) => {}
                event::Event::Key(_) | event::Event::Resize(..) => {
                    self.leave_full_screen()?;
                    return Ok(true);
                }
                _ => return Ok(false),
            }
        }
        let before = self.worth_saving();
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
        self.place_is_unsaved |= self.worth_saving() != before;
        self.show_new_events();
        self.set_shown_case();
        Ok(true)
    }

    /// What is saved as soon as it changes: filter and order of the queue, as text, and how many cases are marked.
    fn worth_saving(&self) -> (String, &'static str, usize) {
        let view = self.app.view();
        (view.filter().to_string(), view.order().name(), self.app.marked_count())
    }

    /// Saves the place after a label, a mark or a new filter, so that it survives a kill. That the file cannot be written
    /// is said when the session ends.
    fn save_place(&mut self) {
        if std::mem::take(&mut self.place_is_unsaved) {
            self.saver.save(self.app.session_state(), false);
        }
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
            SIGCONT => self.renderer.redraw()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Draws a frame, unless an image covers the screen.
    pub(super) fn draw(&mut self, wanted_back: bool) -> Result<Option<Buffer>> {
        if self.shows_full_screen {
            return Ok(None);
        }
        if let Some(error) = self.recorder.borrow_mut().take_failure() {
            self.app.notify(Notice::Error(format!("the recording has ended: {error}")));
        }
        self.renderer.draw(&self.app, wanted_back)
    }
}
