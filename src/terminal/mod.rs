//! The terminal: its capabilities, taking and restoring it, colours and pictures on it.

pub mod background;
pub mod caps;
pub mod guard;
pub mod images;
pub mod pixels;
pub mod quantise;
pub mod query;
pub mod restoring;
pub mod screen;
pub mod size;
pub mod sized_backend;
