//! What the explorer knows.
//!
//! | module | what is in it |
//! |---|---|
//! | [`queue`], [`order`], [`filter`] | the cases in the list, their order, and which pass the filter |
//! | [`queue_columns`] | columns of the list that a person may add |
//! | [`answers`], `open_answers` | what the worker has said of a case; letters and words of answers in free text |
//! | [`what_if`], [`flip_cache`] | the fusion as a person has changed it, and the smallest change that flips the answer |
//! | [`comparison`] | another run beside the one on the screen |
//! | [`overview`], `named_errors` | figures of the current view, each with the cases behind it |
//! | [`session_state`] | place, views and opened cases, kept from one session to the next |

pub mod answers;
pub mod comparison;
pub mod filter;
pub mod flip_cache;
mod named_errors;
mod open_answers;
pub mod order;
pub mod overview;
pub mod queue;
pub mod queue_columns;
pub mod session_state;
pub mod what_if;
