//! The explorer: event, action, update, view.
//!
//! | module | what is in it |
//! |---|---|
//! | [`action`] | the one table of actions: keymap, help, hints and tests are made from it |
//! | `keymap` | from a key press to an action |
//! | [`app`], `queue`, `answers`, [`mark`] | the state; it touches no file, engine or terminal |
//! | [`what_if`], [`flip`] | the fusion as a person has changed it, and the smallest change that flips the answer |
//! | [`filter`], [`order`], [`mod@column`], `triage` | which cases are in the queue, in which order, with what beside them |
//! | `open_answers` | letters and words of answers that are no labels |
//! | [`search`] | documents looked for by words or by an image |
//! | [`own_evidence`] | documents that a person puts in, hits with something withheld |
//! | [`comparison`] | another run beside the one on the screen |
//! | [`people`], [`adjudication`] | what everybody said of a case, and deciding it |
//! | [`agreement`] | how far annotators agree, counted beside the loop |
//! | [`definitions`] | the taxonomy with its examples |
//! | [`overview`] | figures of the current view, each with the cases behind it |
//! | [`picker`] | lists to pick from: commands, orders, views, columns, themes |
//! | `update`, `news` | changes of the state by a person, and by engine and journal |
//! | [`effect`] | what a change asks of the world |
//! | [`views`] | from the state to a frame |
//! | [`theme`], [`background`], [`depth`], [`quantise`] | colours: what is meant, what the terminal has |
//! | [`opening`] | the cases alone on the screen until everything is read |
//! | [`session`], `inbox`, `canvas` | the loop, what wakes it, what it draws on |
//! | [`terminal`], `question`, [`guard`] | taking, asking and giving back the terminal, also after a crash |
//! | [`recording`], [`snapshot`] | the session as a film, the screen as a picture |
//! | [`notebook`] | the journal as the explorer uses it |
//! | [`memory`] | place, views and opened cases, kept from one session to the next |
//! | [`images`] | decoding and scaling on a thread of its own |
//! | [`pixels`] | one image in the terminal's own pixels, through viuer |
//! | `mouse` | clicks and wheel, where a person wants them |
//! | `zoom` | how near one may come to an image |

pub mod action;
pub mod adjudication;
pub mod agreement;
pub mod annotation_view;
pub mod answers;
pub mod app;
pub mod comparison;
pub mod definitions;
mod edit_result;
pub mod effect;
mod engine_events;
mod events;
pub mod filter;
pub mod flip_cache;
pub mod keymap;
mod mouse;
mod named_errors;
pub mod notebook;
mod open_answers;
pub mod order;
pub mod overview;
pub mod people;
pub mod picker;
mod queue;
pub mod queue_columns;
mod queue_view;
pub mod recording;
mod renderer;
pub mod search;
pub mod session;
pub mod session_state;
pub mod snapshot;
pub mod startup;
pub mod theme;
mod update;
pub mod user_evidence;
pub mod views;
pub mod what_if;
mod zoom;

pub use app::{App, Setting};
pub use effect::Effect;
