//! The explorer without a terminal: what keys do to its state, what it draws, what a step sends to the terminal.

mod block_glyphs;
mod bytes;
mod screens;
mod update;
