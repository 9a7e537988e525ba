//! crossterm's backend with [`terminal_size`] as its size: a terminal that reports 0 × 0 (as under
//! `docker exec`) would get empty frames, one that reports 65535 × 65535 frames of gigabytes (issue 18). Its frames are
//! written by [`write_cells`].

use super::cell_writer::write_cells;
use super::size::terminal_size;
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use std::io::{self, Write};

/// Like crossterm's backend except for [`Backend::size`] and [`Backend::draw`].
pub struct SizedBackend<W: Write>(CrosstermBackend<W>);

impl<W: Write> SizedBackend<W> {
    /// A backend that writes to `out`.
    pub fn new(out: W) -> Self {
        Self(CrosstermBackend::new(out))
    }

    /// For writing to the terminal outside a frame.
    pub fn out(&mut self) -> &mut CrosstermBackend<W> {
        &mut self.0
    }
}

impl<W: Write> Backend for SizedBackend<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        write_cells(&mut self.0, content)
    }

    fn append_lines(&mut self, count: u16) -> io::Result<()> {
        self.0.append_lines(count)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.0.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.0.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.0.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.0.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.0.clear()
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.0.clear_region(region)
    }

    fn size(&self) -> io::Result<Size> {
        let (columns, rows) = terminal_size();
        Ok(Size::new(columns, rows))
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.0.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.0)
    }
}
