//! The loop: wait for something to happen, update, carry out effects, draw if anything changed.

use super::agreement::AgreementCounter;
use super::app::{App, Notice};
use super::depth::Depth;
use super::effect::Effect;
use super::images::{ImageMode, ImageWorker, PictureKey, Pictures};
use super::inbox::{self, Message};
use super::keymap::{Pressed, key_name};
use super::mark::Recorded;
use super::notebook::Notebook;
use super::pixels::{FullScreenImage, Pixels};
use super::quantise::quantise;
use super::recording::{Film, Recording, Reel, Screenward, tell};
use super::{snapshot, terminal, views};
use crate::durable;
use crate::engine::{self, EngineHandle};
use anyhow::{Context, Result, bail};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::MoveTo;
use crossterm::event;
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use crossterm::{execute, queue};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::getpgrp;
use ratatui::Terminal;
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui_image::FontSize;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use std::cell::RefCell;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Shortest time from frame to frame; what happens in between is drawn together.
const FRAME: Duration = Duration::from_millis(8);
/// Screens of one case that are kept apart; the last is written over.
const MOST_SCREENS: u32 = 10_000;
/// Cell size in pixels where the terminal does not say: pixel images are then scaled by the terminal.
const USUAL_CELL: FontSize = FontSize::new(8, 16);

type Screen = Terminal<CrosstermBackend<BufWriter<Screenward>>>;

/// Where the session shows and writes things.
pub struct Output<'a> {
    pub depth: Depth,
    /// Place and views are remembered in this file.
    pub memory: &'a Path,
    /// Folder for screens as pictures.
    pub screens: &'a Path,
    /// The film of the session, where one is made.
    pub recording: Option<Recording>,
}

/// The explorer at work.
struct Session<'a> {
    app: App,
    notebook: &'a mut Notebook,
    /// Where place and views are written down.
    memory: &'a Path,
    /// Folder for screens as pictures.
    screens: &'a Path,
    film: Film,
    engine: &'a EngineHandle,
    images: ImageWorker,
    agreement: AgreementCounter,
    /// For threads that have something to say.
    sender: Sender<Message>,
    screen: Screen,
    depth: Depth,
    kitty: bool,
    /// Images asked for and not here yet.
    in_flight: Vec<PictureKey>,
    /// Stop signals that we sent to our own process group and will hear of.
    own_stops: usize,
    /// Images to show over the whole screen; `None` where the terminal takes none.
    full_screen: Option<Sender<FullScreenImage>>,
    /// Such an image is on the screen, or on its way: nothing is drawn until a key is pressed.
    covered: bool,
    /// Set once the loop is to end.
    exit: Option<u8>,
}

/// Runs the explorer until a person leaves or a signal ends it; the result is the exit code. The terminal is restored in
/// any case.
pub fn run(app: App, notebook: &mut Notebook, engine: &EngineHandle, output: Output) -> Result<u8> {
    let Output { depth, memory, screens, recording } = output;
    let (sender, messages) = unbounded();
    let on_panic = sender.clone();
    terminal::restore_on_panic(move || drop(on_panic.send(Message::Panicked)));
    inbox::read_signals(sender.clone())?;
    let kitty = matches!(app.images, ImageMode::Kitty { .. });
    // Asked before the terminal is taken, and before anything reads the keyboard.
    let pixels = Pixels::spoken(app.images);
    let taken = terminal::Taken::take(kitty).context("cannot take the terminal")?;
    let images = start_images(app.images, sender.clone())?;
    inbox::read_engine(engine.events.clone(), sender.clone())?;
    let (full_screen, reader) = match pixels {
        Some(pixels) => {
            let (images_to_show, images) = unbounded();
            (Some(images_to_show), Some(inbox::FullScreen { pixels, images }))
        }
        None => (None, None),
    };
    inbox::read_input(sender.clone(), reader)?;
    let film: Film = Rc::new(RefCell::new(Reel::new(recording)));
    let backend = CrosstermBackend::new(BufWriter::with_capacity(1 << 16, Screenward::new(film.clone())));
    let screen = Terminal::new(backend).context("cannot draw on the terminal")?;
    let mut session = Session {
        app,
        notebook,
        memory,
        screens,
        film,
        engine,
        images,
        agreement: AgreementCounter::default(),
        sender,
        screen,
        depth,
        kitty,
        in_flight: Vec::new(),
        own_stops: 0,
        full_screen,
        covered: false,
        exit: None,
    };
    let code = session.run(&messages);
    session.remember();
    drop(taken);
    code
}

fn start_images(mode: ImageMode, sender: Sender<Message>) -> Result<ImageWorker> {
    let cell = match crossterm::terminal::window_size() {
        Ok(size) if size.width > size.columns && size.height > size.rows && size.columns > 0 && size.rows > 0 => {
            FontSize::new(size.width / size.columns, size.height / size.rows)
        }
        _ => USUAL_CELL,
    };
    ImageWorker::start(mode, cell, move |loaded| sender.send(Message::Image(loaded)).is_ok())
}

impl Session<'_> {
    fn run(&mut self, messages: &Receiver<Message>) -> Result<u8> {
        let effects = self.app.start();
        self.tell_notebook();
        self.carry_out(effects)?;
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
                if let engine::Event::Ready(description) = &event {
                    self.notebook.run_fingerprint = Some(description.run_fingerprint.clone());
                }
                let effects = self.app.on_engine_event(event);
                self.carry_out(effects)?;
            }
            Message::Image(loaded) => {
                self.in_flight.retain(|key| *key != loaded.key);
                self.app.pictures.insert(loaded.key, loaded.picture);
            }
            Message::Agreement(ticket, report) => self.app.on_agreement(ticket, *report),
            Message::FullScreen(Ok(())) => return Ok(false),
            Message::FullScreen(Err(reason)) => {
                self.app.notice = Some(Notice::Error(reason));
                self.uncover()?;
            }
            Message::Panicked => bail!("a part of the program panicked; the message is above"),
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
            event::Event::Key(key) => match self.app.keymap.pressed(key, self.app.context(), &self.app.categories) {
                Pressed::Action(action) => self.app.update(action),
                Pressed::Edit(request) => self.app.edit(request),
                Pressed::Nothing => return Ok(false),
            },
            event::Event::Paste(text) => self.app.paste(&text),
            event::Event::Resize(..) => Vec::new(),
            event::Event::Mouse(mouse) => match self.app.on_mouse(mouse) {
                Some(effects) => effects,
                None => return Ok(false),
            },
            event::Event::FocusGained | event::Event::FocusLost => return Ok(false),
        };
        self.carry_out(effects)?;
        self.tell_notebook();
        Ok(true)
    }

    /// What a person has before them: annotations say so.
    fn tell_notebook(&mut self) {
        if let Some(case) = self.app.case_with_people() {
            self.notebook.is_revealed(case);
        }
        let Some(case) = self.app.queue.current() else { return };
        if self.app.tells_of_gold() {
            self.notebook.is_revealed(case);
        }
        self.notebook.shows(case, self.app.answers_fingerprint_of(case));
    }

    fn on_signal(&mut self, signal: i32) -> Result<bool> {
        match signal {
            SIGINT | SIGTERM | SIGHUP => self.exit = Some(128 + signal as u8),
            SIGTSTP if self.own_stops > 0 => {
                self.own_stops -= 1;
                return Ok(false);
            }
            SIGTSTP => self.suspend()?,
            SIGCONT if !terminal::is_taken() => self.resume()?,
            SIGCONT => self.redraw()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> Result<()> {
        for effect in effects {
            match effect {
                Effect::Engine(request) => self.engine.send(request),
                Effect::Record(record) => {
                    self.tell_notebook();
                    let outcome = self.notebook.record(&record).map_err(|error| format!("{error:#}"));
                    if let Ok(Recorded::Changed { case, .. }) = &outcome {
                        match self.notebook.people_of(*case) {
                            Some(people) => drop(self.app.people.insert(*case, people)),
                            None => drop(self.app.people.remove(case)),
                        }
                    }
                    let effects = self.app.recorded(&record, outcome);
                    self.carry_out(effects)?;
                }
                Effect::Agreement(ticket) => self.count_agreement(ticket),
                Effect::Remember => self.remember(),
                Effect::Copy(text) => {
                    let copy = CopyToClipboard::to_clipboard_from(text);
                    execute!(self.screen.backend_mut(), copy).context("cannot write to the terminal")?;
                }
                Effect::SaveScreen => self.save_screen()?,
                Effect::FullScreen(path) => self.cover(path)?,
                Effect::Mouse(on) => terminal::report_mouse(on).context("cannot write to the terminal")?,
                Effect::Redraw => self.redraw()?,
                Effect::Suspend => self.suspend()?,
                Effect::Quit(code) => self.exit = Some(code),
            }
        }
        Ok(())
    }

    fn count_agreement(&mut self, ticket: engine::Ticket) {
        let (sender, name) = (self.sender.clone(), self.app.dataset.name.clone());
        let send = move |report| sender.send(Message::Agreement(ticket, Box::new(report))).is_ok();
        if let Err(error) = self.agreement.start(ticket, name, self.notebook.ratings(), send) {
            self.app.notice = Some(Notice::Error(format!("agreement is not counted: {error}")));
        }
    }

    /// Clears the screen and has the image printed on it.
    fn cover(&mut self, path: PathBuf) -> Result<()> {
        let Some(full_screen) = &self.full_screen else {
            let said = "this terminal takes no pixel images (see dissent doctor): z enlarges as it can";
            self.app.notice = Some(Notice::Said(said.into()));
            return Ok(());
        };
        let size = self.screen.backend().size()?;
        // The last row stays free: an image that touches it scrolls the screen.
        let size = Size::new(size.width, size.height.saturating_sub(1));
        execute!(self.screen.backend_mut(), Clear(ClearType::All), MoveTo(0, 0))
            .context("cannot write to the terminal")?;
        self.covered = full_screen.send(FullScreenImage { path, view: self.app.image_view, size }).is_ok();
        Ok(())
    }

    /// Takes the image away and draws the explorer again.
    fn uncover(&mut self) -> Result<()> {
        self.covered = false;
        let backend = self.screen.backend_mut();
        if self.kitty {
            terminal::delete_kitty_images(backend).context("cannot write to the terminal")?;
        }
        execute!(backend, Clear(ClearType::All)).context("cannot write to the terminal")?;
        self.app.pictures = Pictures::default();
        self.redraw()
    }

    /// Writes the screen as it stands, without the news of the status line, under the name of the case.
    fn save_screen(&mut self) -> Result<()> {
        self.app.notice = None;
        let buffer = self.draw(true)?;
        let Some(buffer) = buffer else { return Ok(()) };
        let case = self.app.current().map_or("screen", |(_, case)| case.id.as_str());
        let name: String = case.chars().map(|sign| if sign.is_alphanumeric() { sign } else { '-' }).collect();
        let numbered = |number: u32| self.screens.join(format!("{name}-{number}.svg"));
        let path = (1..MOST_SCREENS).map(numbered).find(|path| !path.exists());
        let path = path.unwrap_or_else(|| numbered(MOST_SCREENS));
        let written = durable::write_file(&path, snapshot::to_svg(&buffer).as_bytes())
            .and_then(|()| durable::write_file(&path.with_extension("txt"), snapshot::to_text(&buffer).as_bytes()));
        self.app.notice = Some(match written {
            Ok(()) => Notice::Said(format!("written: {} and .txt", path.display())),
            Err(error) => Notice::Error(format!("not written: {error:#}")),
        });
        Ok(())
    }

    /// Writes place and views down. A place that cannot be kept is no reason to stop.
    fn remember(&mut self) {
        if let Err(error) = self.app.memory().write(self.memory) {
            self.app.notice = Some(Notice::Error(format!("the place is not kept: {error:#}")));
        }
    }

    /// Forgets what is on the screen, so that the next frame draws every cell. (`Terminal::clear` would ask the terminal
    /// for its cursor and wait for an answer.)
    fn redraw(&mut self) -> Result<()> {
        let size = self.screen.backend().size()?;
        self.screen.resize(Rect::from(size)).context("cannot draw on the terminal")
    }

    /// Gives the terminal back and stops, together with whoever started us (make, cargo), as the terminal itself would.
    fn suspend(&mut self) -> Result<()> {
        terminal::restore();
        self.own_stops += 1;
        if killpg(getpgrp(), Signal::SIGTSTP).is_err() {
            self.own_stops -= 1;
        }
        signal_hook::low_level::emulate_default_handler(SIGTSTP).context("cannot stop the program")?;
        self.resume()
    }

    fn resume(&mut self) -> Result<()> {
        terminal::enter(self.kitty).context("cannot take the terminal again")?;
        self.redraw()
    }

    /// Draws a frame, and gives it back where it is wanted; draws nothing where the terminal is not ours.
    fn draw(&mut self, wanted_back: bool) -> Result<Option<Buffer>> {
        if !terminal::is_taken() || self.covered {
            return Ok(None);
        }
        if let Some(error) = self.film.borrow_mut().take_failure() {
            self.app.notice = Some(Notice::Error(format!("the recording has ended: {error}")));
        }
        let Self { app, screen, depth, .. } = self;
        queue!(screen.backend_mut(), BeginSynchronizedUpdate).context("cannot draw on the terminal")?;
        let drawn = screen
            .draw(|frame| {
                views::draw(app, frame);
                quantise(frame.buffer_mut(), *depth);
            })
            .context("cannot draw on the terminal")?;
        let buffer = wanted_back.then(|| drawn.buffer.clone());
        execute!(screen.backend_mut(), EndSynchronizedUpdate).context("cannot draw on the terminal")?;
        let wanted = self.app.pictures.take_wanted();
        if !wanted.iter().all(|key| self.in_flight.contains(key)) {
            self.in_flight.clone_from(&wanted);
            self.images.want(wanted);
        }
        Ok(buffer)
    }
}
