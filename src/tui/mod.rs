//! The explorer: event, action, update, view.
//!
//! | module | what is in it |
//! |---|---|
//! | [`action`] | the one table of actions: keymap, help, hints and tests are made from it |
//! | `keymap` | from a key press to an action |
//! | [`app`], `queue`, `answers`, [`mark`] | the state; it touches no file, engine or terminal |
//! | `update`, `news` | changes of the state by a person, and by engine and journal |
//! | [`effect`] | what a change asks of the world |
//! | [`views`] | from the state to a frame |
//! | [`theme`], [`depth`], [`quantise`] | colours: what is meant, what the terminal has |
//! | [`images`] | decoding and scaling on a thread of its own |

pub mod action;
mod answers;
pub mod app;
pub mod depth;
pub mod effect;
pub mod images;
pub mod keymap;
pub mod mark;
mod news;
pub mod quantise;
mod queue;
pub mod theme;
mod update;
pub mod views;

pub use app::{App, Setting};
pub use effect::Effect;
