//! The explorer: event, action, update, view.
//!
//! | module | what is in it |
//! |---|---|
//! | [`action`] | the one table of actions: keymap, help, hints and tests are made from it |
//! | [`keymap`] | from a key press to an action |
//! | [`state`] | what the explorer knows; it touches no file, worker or terminal |
//! | [`update`] | how actions, events of the worker and results of edits change the state |
//! | [`effect`] | what an update asks the session to do |
//! | [`views`] | from the state to a frame |
//! | [`theme`] | roles of colours, and the themes that give each a colour |
//! | [`session`] | the loop: what wakes it, what it draws on, what it records |

pub mod action;
pub mod effect;
pub mod keymap;
pub mod session;
pub mod state;
pub mod theme;
pub mod update;
pub mod views;

pub use effect::Effect;
pub use update::app::{App, Setting};
