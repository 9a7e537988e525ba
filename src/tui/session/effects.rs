//! Carries out the effects of updates.

use super::event_loop::Session;
use super::external_viewer;
use super::message::Message;
use super::snapshot::{self, Ground};
use crate::annotation::{Counted, rated_cases};
use crate::casebook::Casebook;
use crate::files::durable;
use crate::pipeline::Ticket;
use crate::terminal::print_pixels::FullScreenImage;
use crate::terminal::{restoring, screen};
use crate::tui::effect::Effect;
use crate::tui::state::overlay::Notice;
use anyhow::{Context, Result};
use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::MoveTo;
use crossterm::execute;
use crossterm::terminal::{Clear, ClearType};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::getpgrp;
use ratatui::layout::Size;
use signal_hook::consts::SIGTSTP;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// Number of screens kept per case; when it is reached, the last is overwritten.
const MOST_SCREENS: u32 = 10_000;

impl Session<'_> {
    pub(super) fn carry_out(&mut self, effects: Vec<Effect>) -> Result<()> {
        for effect in effects {
            match effect {
                Effect::Worker(request) => self.worker.send(request),
                Effect::Record(edit) => {
                    self.set_shown_case();
                    self.place_is_unsaved = true;
                    let outcome = self.apply(&edit);
                    let effects = self.app.recorded(&edit, outcome);
                    self.carry_out(effects)?;
                }
                Effect::RecordMany(edits) => {
                    self.set_shown_case();
                    self.place_is_unsaved = true;
                    self.apply_many(&edits);
                }
                Effect::Agreement(ticket) => self.count_agreement(ticket),
                Effect::Remember => self.saver.save(self.app.session_state(), true),
                Effect::Copy(text) => {
                    let copy = CopyToClipboard::to_clipboard_from(text);
                    execute!(self.renderer.out(), copy).context("cannot write to the terminal")?;
                }
                Effect::SaveScreen => self.save_screen()?,
                Effect::WriteCasebook(casebook) => self.write_casebook(casebook),
                Effect::OpenInViewer(path) => self.open_in_viewer(&path),
                Effect::FullScreen(path) => self.show_full_screen(path)?,
                Effect::Mouse(on) => screen::report_mouse(on).context("cannot write to the terminal")?,
                Effect::Redraw => {
                    // tmux drops images of a window that is not on the screen, and another terminal may be attached by now.
                    if self.app.images().mode().is_in_pixels() {
                        self.app.forget_images();
                    }
                    self.renderer.redraw()?;
                }
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

    fn open_in_viewer(&mut self, path: &Path) {
        let sender = self.sender.clone();
        let on_failure = move |reason| drop(sender.send(Message::Failed(reason)));
        let opened = self.viewer_copies.file_of(path);
        let opened = opened.and_then(|file| external_viewer::open(self.viewer, &file, on_failure));
        self.app.notify(match opened {
            Ok(()) => Notice::Said(format!("opening {} with {}", path.display(), self.viewer[0])),
            Err(reason) => Notice::Error(reason),
        });
    }

    fn write_casebook(&mut self, casebook: Box<Casebook>) {
        let sender = self.sender.clone();
        let send = move |path, outcome| drop(sender.send(Message::Casebook(path, outcome)));
        if let Err(error) = self.casebooks.start(self.casebook_folder, casebook, self.explanations.clone(), send) {
            self.app.notify(Notice::Error(format!("no page is written: {error}")));
        }
    }

    /// Clears the screen and asks for the image to be printed on it.
    fn show_full_screen(&mut self, path: PathBuf) -> Result<()> {
        let Some(full_screen) = &self.full_screen else {
            let said = if self.app.images().mode().is_in_pixels() {
                "an image cannot cover the whole screen here; z enlarges it"
            } else {
                "this terminal shows no pixel images (see `dissent doctor`); z enlarges in characters"
            };
            self.app.notify(Notice::Said(said.into()));
            return Ok(());
        };
        let size = self.renderer.size()?;
        // The last row stays free: an image that touches it scrolls the screen.
        let size = Size::new(size.width, size.height.saturating_sub(1));
        execute!(self.renderer.out(), Clear(ClearType::All), MoveTo(0, 0)).context("cannot write to the terminal")?;
        let number = self.wanted_image.fetch_add(1, Ordering::SeqCst) + 1;
        self.shows_full_screen =
            full_screen.send(FullScreenImage { number, path, view: self.app.images().view(), size }).is_ok();
        Ok(())
    }

    /// Takes the image away and draws the explorer again.
    pub(super) fn leave_full_screen(&mut self) -> Result<()> {
        self.shows_full_screen = false;
        self.wanted_image.fetch_add(1, Ordering::SeqCst);
        let backend = self.renderer.out();
        if self.kitty {
            restoring::delete_kitty_images(backend).context("cannot write to the terminal")?;
        }
        execute!(backend, Clear(ClearType::All)).context("cannot write to the terminal")?;
        self.app.forget_images();
        self.renderer.redraw()
    }

    /// Writes the current screen, without the notice in the status line, to a file named after the case.
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
        match written {
            Ok(()) => {
                let path = path.display().to_string();
                self.app.notify(Notice::Said(format!("saved, as text as well, and path copied: {path}")));
                let copy = CopyToClipboard::to_clipboard_from(path);
                execute!(self.renderer.out(), copy).context("cannot write to the terminal")?;
            }
            Err(error) => self.app.notify(Notice::Error(format!("screen not saved: {error:#}"))),
        }
        Ok(())
    }

    /// Gives the terminal back and stops the whole process group (make, cargo), as the terminal itself would.
    pub(super) fn suspend(&mut self) -> Result<()> {
        screen::restore();
        self.own_stops += 1;
        if killpg(getpgrp(), Signal::SIGTSTP).is_err() {
            self.own_stops -= 1;
        }
        signal_hook::low_level::emulate_default_handler(SIGTSTP).context("cannot stop the program")?;
        self.resume()
    }

    pub(super) fn resume(&mut self) -> Result<()> {
        screen::enter(self.kitty).context("cannot take the terminal again")?;
        // kitty forgot its images when the terminal was given back.
        self.app.forget_images();
        self.renderer.redraw()
    }
}
