//! What a frame costs on the line to the terminal, without a terminal.
#![allow(dead_code, clippy::unwrap_used)]

use crossterm::style::force_color_output;
use dissent::data::Picture;
use dissent::terminal::color_depth::Depth;
use dissent::terminal::image_protocol::ImageMode;
use dissent::terminal::images::{Loaded, encode};
use dissent::terminal::quantise::quantise;
use dissent::terminal::sized_backend::SizedBackend;
use dissent::tui::{App, views};
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use ratatui_image::FontSize;
use std::cell::Cell;
use std::io::{self, Write};
use std::rc::Rc;

/// Counts what is written to it.
#[derive(Clone, Default)]
struct Meter(Rc<Cell<usize>>);

impl Write for Meter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A screen at the end of a line whose bytes are counted.
pub struct Wire {
    terminal: Terminal<SizedBackend<Meter>>,
    meter: Meter,
}

impl Wire {
    pub fn new(width: u16, height: u16) -> Self {
        force_color_output(true);
        let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
        let meter = Meter::default();
        let backend = SizedBackend::new(meter.clone());
        Self { terminal: Terminal::with_options(backend, TerminalOptions { viewport }).unwrap(), meter }
    }

    /// Bytes of a frame.
    pub fn frame(&mut self, app: &App, depth: Depth) -> usize {
        let before = self.meter.0.get();
        self.terminal
            .draw(|frame| {
                views::draw(app, frame);
                quantise(frame.buffer_mut(), depth);
            })
            .unwrap();
        self.meter.0.get() - before
    }

    /// Bytes of a frame without the images that are missing, and of the frame with them.
    pub fn frames(&mut self, app: &mut App, depth: Depth, mode: ImageMode) -> usize {
        let first = self.frame(app, depth);
        for key in app.images().pictures().take_wanted() {
            let picture = Picture::read(&key.path).unwrap();
            let encoded = encode(&picture, &key, mode, FontSize::new(8, 16), 1).unwrap();
            app.on_image(Loaded { key, picture: Ok(encoded) });
        }
        first + self.frame(app, depth)
    }
}
