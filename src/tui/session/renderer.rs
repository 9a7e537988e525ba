//! The renderer: the screen, and the thread that prepares its images.

use super::message::Message;
use super::recording::{CastRecorder, TeeWriter};
use crate::terminal::color_depth::Depth;
use crate::terminal::image_protocol::ImageMode;
use crate::terminal::images::{ImageWorker, Loaded, PictureKey};
use crate::terminal::quantise::quantise;
use crate::terminal::screen;
use crate::terminal::sized_backend::SizedBackend;
use crate::tui::update::app::App;
use crate::tui::views;
use anyhow::{Context, Result};
use crossbeam_channel::Sender;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use crossterm::{execute, queue};
use ratatui::Terminal;
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui_image::FontSize;
use std::io::BufWriter;

/// Assumed cell size in pixels if the terminal does not report it: the terminal then scales pixel images.
const USUAL_CELL: FontSize = FontSize::new(8, 16);

/// The writer to the terminal.
type Out = CrosstermBackend<BufWriter<TeeWriter>>;

/// Draws frames and requests the images in them.
pub struct Renderer {
    screen: Terminal<SizedBackend<BufWriter<TeeWriter>>>,
    depth: Depth,
    images: ImageWorker,
    /// Images that were requested and have not arrived.
    in_flight: Vec<PictureKey>,
}

impl Renderer {
    /// A renderer on the terminal, which must be taken.
    pub fn new(recorder: CastRecorder, depth: Depth, mode: ImageMode, sender: Sender<Message>) -> Result<Self> {
        let images = start_images(mode, sender)?;
        let backend = SizedBackend::new(BufWriter::with_capacity(1 << 16, TeeWriter::new(recorder)));
        let screen = Terminal::new(backend).context("cannot draw on the terminal")?;
        Ok(Self { screen, depth, images, in_flight: Vec::new() })
    }

    /// The writer, for output past the frame.
    pub fn out(&mut self) -> &mut Out {
        self.screen.backend_mut().out()
    }

    /// Columns and rows of the terminal.
    pub fn size(&self) -> Result<Size> {
        self.screen.backend().size().context("cannot ask for the terminal's size")
    }

    /// Draws a frame and returns it if `wanted_back`; draws nothing if the terminal is not ours.
    pub fn draw(&mut self, app: &App, wanted_back: bool) -> Result<Option<Buffer>> {
        if !screen::is_taken() {
            return Ok(None);
        }
        let Self { screen, depth, .. } = self;
        queue!(screen.backend_mut().out(), BeginSynchronizedUpdate).context("cannot draw on the terminal")?;
        let drawn = screen
            .draw(|frame| {
                views::draw(app, frame);
                quantise(frame.buffer_mut(), *depth);
            })
            .context("cannot draw on the terminal")?;
        let buffer = wanted_back.then(|| drawn.buffer.clone());
        execute!(screen.backend_mut().out(), EndSynchronizedUpdate).context("cannot draw on the terminal")?;
        let wanted = app.images().pictures().take_wanted();
        if !wanted.iter().all(|key| self.in_flight.contains(key)) {
            self.in_flight.clone_from(&wanted);
            self.images.want(wanted);
        }
        Ok(buffer)
    }

    /// Handles a loaded image.
    pub fn loaded(&mut self, loaded: Loaded, app: &mut App) {
        self.in_flight.retain(|key| *key != loaded.key);
        app.on_image(loaded);
    }

    /// Forgets the screen's contents, so that the next frame draws every cell. (`Terminal::clear` would ask the
    /// terminal for its cursor and wait for an answer.)
    pub fn redraw(&mut self) -> Result<()> {
        let size = self.size()?;
        self.screen.resize(Rect::from(size)).context("cannot draw on the terminal")
    }
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
