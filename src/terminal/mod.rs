//! The terminal: its capabilities, taking and restoring it, colours and pictures on it.

pub mod background;
pub mod block_fit;
pub mod block_glyphs;
pub mod block_support;
pub mod cell_writer;
pub mod color_depth;
pub mod environment;
pub mod guard;
pub mod image_protocol;
pub mod images;
pub mod print_pixels;
pub mod quantise;
pub mod query;
pub mod restoring;
pub mod screen;
pub mod self_description;
pub mod size;
pub mod sized_backend;
pub mod styled_text;
pub mod tmux;
