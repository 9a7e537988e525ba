//! The loop: wait for something to happen, update, carry out effects, draw if anything changed.
//!
//! | module | what is in it |
//! |---|---|
//! | `startup` | the cases alone on the screen until everything is read |
//! | `message`, `threads` | everything that wakes the loop, and the threads that report it |
//! | `agreement_counter` | counts how far annotators agree beside the loop |
//! | `renderer` | what frames are drawn on |
//! | [`recording`], [`snapshot`] | the session as a film, the screen as a picture |

mod agreement_counter;
mod message;
pub mod recording;
mod renderer;
pub mod snapshot;
mod startup;
mod threads;

pub use message::Opened;

use self::agreement_counter::AgreementCounter;
use self::message::{Message, OnPanic};
use self::recording::{CastFile, CastRecorder, Recording, tell};
use self::renderer::Renderer;
use self::snapshot::Ground;
use self::startup::{Startup, Waited};
use crate::annotation::{AnnotationEdit, AnnotationSession, Counted, rated_cases};
use crate::pipeline::Ticket;
use crate::tui::effect::Effect;
use crate::tui::keymap::{Pressed, key_name};
use crate::tui::state::annotations::cases_of;
use crate::tui::state::overlay::Notice;
use crate::tui::update::app::App;
use crate::tui::update::edit_result::EditOutcome;

use crate::files::durable;
use crate::terminal::caps::Depth;
use crate::terminal::images::ImageMode;
use crate::terminal::pixels::{FullScreenImage, Pixels};
use crate::terminal::size::terminal_size;
use crate::terminal::{restoring, screen};
use crate::worker::WorkerHandle;
use anyhow::{Context, Result, bail};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::MoveTo;
use crossterm::event;
use crossterm::execute;
use crossterm::terminal::{Clear, ClearType};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::getpgrp;
use ratatui::buffer::Buffer;
use ratatui::layout::Size;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Shortest time from frame to frame; what happens in between is drawn together.
const FRAME: Duration = Duration::from_millis(8);
/// Screens of one case that are kept apart; the last is written over.
const MOST_SCREENS: u32 = 10_000;
/// Where the session shows and writes things.
pub struct Output<'a> {
    pub depth: Depth,
    pub images: ImageMode,
    /// Place and views are remembered in this file.
    pub memory: &'a Path,
    /// Folder for screens as pictures.
    pub screens: &'a Path,
    /// A film of the session is written into this new file.
    pub recording: Option<&'a Path>,
}

/// How a session ended.
pub struct Ended {
    /// The exit code.
    pub code: u8,
    /// `None` where it ended before everything was read.
    pub annotations: Option<AnnotationSession>,
    /// Why place and views could not be written down.
    pub not_kept: Option<String>,
}

/// The explorer at work.
struct Session<'a> {
    app: App,
    annotations: AnnotationSession,
    /// Where place and views are written down.
    memory: &'a Path,
    /// Folder for screens as pictures.
    screens: &'a Path,
    film: CastRecorder,
    engine: WorkerHandle,
    canvas: Renderer,
    agreement: AgreementCounter,
    /// For threads that have something to say.
    sender: Sender<Message>,
    kitty: bool,
    /// What others wrote and is not on the screen yet.
    heard: Vec<Arc<crate::annotation::Event>>,
    /// Stop signals that we sent to our own process group and will hear of.
    own_stops: usize,
    /// Images to show over the whole screen; `None` where the terminal takes none.
    full_screen: Option<Sender<FullScreenImage>>,
    /// Number of the image that is wanted; it goes on when one is asked for and when it is dismissed.
    wanted_image: Arc<AtomicUsize>,
    /// Such an image is on the screen, or on its way: nothing is drawn until a key is pressed.
    covered: bool,
    /// Set once the loop is to end.
    exit: Option<u8>,
}

/// Runs the explorer until a person leaves or a signal ends it. The terminal is restored in any case.
///
/// `open` reads everything on a thread of its own; where that takes a while, `cover` is shown, which knows the cases only.
/// Without a cover, or where `open` is quick, the terminal is taken once everything is read.
///
/// # Errors
/// Where `open` fails, and where the terminal cannot be used.
pub fn run(
    cover: Option<App>,
    open: impl FnOnce() -> Result<Opened> + Send + 'static,
    output: Output,
) -> Result<Ended> {
    let Output { depth, images, memory, screens, recording } = output;
    let (sender, messages) = unbounded();
    threads::read_signals(sender.clone())?;
    threads::open(open, sender.clone())?;
    let kitty = matches!(images, ImageMode::Kitty { .. });
    // Asked before the terminal is taken, and before anything reads the keyboard.
    let pixels = Pixels::spoken(images);
    let mut opening = Startup::new(&messages);
    let mut waited = opening.wait(cover.is_some())?;
    if let Waited::Left(code) = waited {
        return Ok(Ended { code, annotations: None, not_kept: None });
    }
    let size = terminal_size();
    let recording = recording.map(|path| Recording::start(path, size)).transpose()?;
    let film: CastRecorder = Rc::new(RefCell::new(CastFile::new(recording)));
    let taken = screen::Taken::take(kitty).context("cannot take the terminal")?;
    let mut canvas = Renderer::new(film.clone(), depth, images, sender.clone())?;
    let wanted_image = Arc::new(AtomicUsize::new(0));
    let (full_screen, reader) = match pixels {
        Some(pixels) => {
            let (images_to_show, images) = unbounded();
            (Some(images_to_show), Some(threads::FullScreen { pixels, images, wanted: wanted_image.clone() }))
        }
        None => (None, None),
    };
    threads::read_input(sender.clone(), reader)?;
    let mut shown = cover;
    if let (Waited::NotYet, Some(cover)) = (&waited, &mut shown) {
        waited = opening.show(cover, &mut canvas, &film)?;
    } else {
        shown = None;
    }
    let Opened { mut app, annotations, engine } = match waited {
        Waited::Opened(opened) => *opened,
        Waited::Left(code) => return Ok(Ended { code, annotations: None, not_kept: None }),
        Waited::NotYet => bail!("the explorer has not started"),
    };
    let mut held = opening.held;
    if let Some(cover) = shown {
        take_over(&mut app, cover, &mut held);
    }
    threads::read_engine(engine.events.clone(), sender.clone())?;
    threads::listen_to_others(annotations.watch(), sender.clone())?;
    let mut session = Session {
        app,
        annotations,
        memory,
        screens,
        film,
        engine,
        canvas,
        agreement: AgreementCounter::default(),
        sender,
        kitty,
        heard: Vec::new(),
        own_stops: 0,
        full_screen,
        wanted_image,
        covered: false,
        exit: None,
    };
    let code = session.run(held, &messages);
    let kept = session.app.memory().write(session.memory);
    drop(taken);
    let not_kept = kept.err().map(|error| format!("{error:#}"));
    Ok(Ended { code: code?, annotations: Some(session.annotations), not_kept })
}

/// Keeps the images that are there. What was typed was meant for the case on the screen: where another one is opened, it
/// is not carried out.
fn take_over(app: &mut App, cover: App, held: &mut Vec<Message>) {
    let id = |app: &App| app.current().map(|(_, case)| case.id.clone());
    if id(app) != id(&cover) {
        held.retain(|message| !matches!(message, Message::Terminal(_)));
    }
    app.take_images_of(cover);
}

impl Session<'_> {
    /// Carries out what was held back, then what comes.
    fn run(&mut self, held: Vec<Message>, messages: &Receiver<Message>) -> Result<u8> {
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

    /// Shows what others wrote; true where there is any. What they wrote of the case that somebody is about to decide waits:
    /// what is decided is what was on the screen.
    fn show_heard(&mut self) -> bool {
        let decided = self.app.case_with_people().and_then(|case| self.app.cases().get(case));
        let waits = |event: &Arc<crate::annotation::Event>| decided.is_some_and(|case| *case.id == *event.case);
        let (waiting, heard): (Vec<_>, Vec<_>) = std::mem::take(&mut self.heard).into_iter().partition(waits);
        self.heard = waiting;
        for event in &heard {
            self.annotations.receive(event);
        }
        for case in cases_of(&heard, self.app.dataset()) {
            self.app.refresh_annotations(case, &self.annotations);
        }
        !heard.is_empty()
    }

    /// Has the journal written an edit; the case that it changed, with its annotation now.
    fn apply(&mut self, edit: &AnnotationEdit) -> Result<EditOutcome, String> {
        let Some(event) = self.annotations.apply(edit).map_err(|error| format!("{error:#}"))? else {
            return Ok(EditOutcome::Nothing);
        };
        let Some(case) = self.app.dataset().cases.iter().position(|case| case.id == *event.case) else {
            return Ok(EditOutcome::Elsewhere { id: event.case.to_string() });
        };
        self.app.refresh_annotations(case, &self.annotations);
        Ok(EditOutcome::Changed { case, annotation: self.annotations.own_annotation(&event.case).cloned() })
    }

    /// Events record what the annotator has on the screen.
    fn tell_what_is_shown(&mut self) {
        let mut told = self.app.cases_told_by_figures().to_vec();
        told.extend(self.app.case_with_people());
        if let Some(case) = self.app.queue().current() {
            let tells_of_others =
                self.app.cases().standing_shown(case).is_some() || self.app.view().filter().looks_at_others_words();
            if self.app.tells_of_gold() || tells_of_others {
                told.push(case);
            }
            let answers = self.app.cases().answers_fingerprint_of(case);
            if let Some(shown) = self.app.cases().get(case) {
                self.annotations.show(&shown.id, answers.as_deref());
            }
        }
        for case in told {
            if let Err(error) = self.annotations.unblind(&self.app.cases().id_of(case)) {
                self.app.notify(Notice::Error(format!("{error:#}")));
            }
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
            SIGCONT => self.canvas.redraw()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> Result<()> {
        for effect in effects {
            match effect {
                Effect::Engine(request) => self.engine.send(request),
                Effect::Record(edit) => {
                    self.tell_what_is_shown();
                    let outcome = self.apply(&edit);
                    let effects = self.app.recorded(&edit, outcome);
                    self.carry_out(effects)?;
                }
                Effect::Agreement(ticket) => self.count_agreement(ticket),
                Effect::Remember => self.remember(),
                Effect::Copy(text) => {
                    let copy = CopyToClipboard::to_clipboard_from(text);
                    execute!(self.canvas.out(), copy).context("cannot write to the terminal")?;
                }
                Effect::SaveScreen => self.save_screen()?,
                Effect::FullScreen(path) => self.cover(path)?,
                Effect::Mouse(on) => screen::report_mouse(on).context("cannot write to the terminal")?,
                Effect::Redraw => self.canvas.redraw()?,
                Effect::Suspend => self.suspend()?,
                Effect::Quit(code) => self.exit = Some(code),
            }
        }
        Ok(())
    }

    fn count_agreement(&mut self, ticket: Ticket) {
        let (sender, name) = (self.sender.clone(), self.app.dataset().name.clone());
        let send = move |report| sender.send(Message::Agreement(ticket, Box::new(report))).is_ok();
        let dataset = self.app.dataset();
        let (state, taxonomy) = (self.annotations.state(), self.annotations.taxonomy());
        let rated = rated_cases(state, taxonomy, &dataset.tasks, &dataset.cases, Counted::default());
        if let Err(error) = self.agreement.start(ticket, name, rated, send) {
            self.app.notify(Notice::Error(format!("cannot compute agreement: {error}")));
        }
    }

    /// Clears the screen and has the image printed on it.
    fn cover(&mut self, path: PathBuf) -> Result<()> {
        let Some(full_screen) = &self.full_screen else {
            let said = "this terminal shows no pixel images (see `dissent doctor`); z enlarges in characters";
            self.app.notify(Notice::Said(said.into()));
            return Ok(());
        };
        let size = self.canvas.size()?;
        // The last row stays free: an image that touches it scrolls the screen.
        let size = Size::new(size.width, size.height.saturating_sub(1));
        execute!(self.canvas.out(), Clear(ClearType::All), MoveTo(0, 0)).context("cannot write to the terminal")?;
        let number = self.wanted_image.fetch_add(1, Ordering::SeqCst) + 1;
        self.covered = full_screen.send(FullScreenImage { number, path, view: self.app.images().view(), size }).is_ok();
        Ok(())
    }

    /// Takes the image away and draws the explorer again.
    fn uncover(&mut self) -> Result<()> {
        self.covered = false;
        self.wanted_image.fetch_add(1, Ordering::SeqCst);
        let backend = self.canvas.out();
        if self.kitty {
            restoring::delete_kitty_images(backend).context("cannot write to the terminal")?;
        }
        execute!(backend, Clear(ClearType::All)).context("cannot write to the terminal")?;
        self.app.forget_images();
        self.canvas.redraw()
    }

    /// Writes the screen as it stands, without the news of the status line, under the name of the case.
    fn save_screen(&mut self) -> Result<()> {
        self.app.clear_notice();
        let buffer = self.draw(true)?;
        let Some(buffer) = buffer else { return Ok(()) };
        let case = self.app.current().map_or("screen", |(_, case)| case.id.as_str());
        let name: String = case.chars().map(|sign| if sign.is_alphanumeric() { sign } else { '-' }).collect();
        let numbered = |number: u32| self.screens.join(format!("{name}-{number}.svg"));
        let path = (1..MOST_SCREENS).map(numbered).find(|path| !path.exists());
        let path = path.unwrap_or_else(|| numbered(MOST_SCREENS));
        let written = durable::write_file(&path, snapshot::to_svg(&buffer, Ground::of(self.app.theme())).as_bytes())
            .and_then(|()| durable::write_file(&path.with_extension("txt"), snapshot::to_text(&buffer).as_bytes()));
        self.app.notify(match written {
            Ok(()) => Notice::Said(format!("saved {} and .txt", path.display())),
            Err(error) => Notice::Error(format!("screen not saved: {error:#}")),
        });
        Ok(())
    }

    /// Writes place and views down. A place that cannot be kept is no reason to stop.
    fn remember(&mut self) {
        if let Err(error) = self.app.memory().write(self.memory) {
            self.app.notify(Notice::Error(format!("cannot save the session: {error:#}")));
        }
    }

    /// Gives the terminal back and stops, together with whoever started us (make, cargo), as the terminal itself would.
    fn suspend(&mut self) -> Result<()> {
        screen::restore();
        self.own_stops += 1;
        if killpg(getpgrp(), Signal::SIGTSTP).is_err() {
            self.own_stops -= 1;
        }
        signal_hook::low_level::emulate_default_handler(SIGTSTP).context("cannot stop the program")?;
        self.resume()
    }

    fn resume(&mut self) -> Result<()> {
        screen::enter(self.kitty).context("cannot take the terminal again")?;
        // kitty forgot its images when the terminal was given back.
        self.app.forget_images();
        self.canvas.redraw()
    }

    /// Draws a frame, unless an image covers the screen.
    fn draw(&mut self, wanted_back: bool) -> Result<Option<Buffer>> {
        if self.covered {
            return Ok(None);
        }
        if let Some(error) = self.film.borrow_mut().take_failure() {
            self.app.notify(Notice::Error(format!("the recording has ended: {error}")));
        }
        self.canvas.draw(&self.app, wanted_back)
    }
}
