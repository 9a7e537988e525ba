//! The explorer: event, action, update, view.
//!
//! | module | what is in it |
//! |---|---|
//! | [`action`] | the table of actions: keymap, help, hints and tests are made from it |
//! | [`keymap`] | maps key presses to actions |
//! | [`state`] | the explorer's state; it uses no file, worker or terminal |
//! | [`update`] | how actions, events of the worker and results of edits change the state |
//! | [`effect`] | what an update asks the session to do |
//! | [`views`] | draws the state as a frame |
//! | [`theme`] | roles of colours, and themes that assign the colours |
//! | [`session`] | the event loop: messages, drawing, recording |

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
