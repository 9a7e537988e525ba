//! The explorer's state in parts, beside the [`cases`](crate::cases). No file here uses [`App`](super::App), which combines the parts.
//!
//! | module | what is in it |
//! |---|---|
//! | [`adjudication`] | the decision of a case |
//! | [`throughput`] | how fast the annotator labels |
//! | [`label_many`] | labelling many cases at once |
//! | [`gold`] | which gold answers are on the screen |
//! | [`what_if`], [`flip_cache`] | the fusion as changed by the user, and the smallest change that flips the answer |
//! | [`caption_names`] | where the captions of the current case name labels |
//! | [`queue`], [`queue_view`] | the cases in the list, and their filter, order and columns |
//! | [`filter_edit`], [`order`], [`queue_columns`] | the filter while it is typed, how cases are sorted, optional columns |
//! | [`selection`], [`image_panes`], [`drawn`] | the selection, its images, places of parts for the mouse |
//! | [`overlay`], [`scroll`], [`help_page`] | what covers the screen: one of the next four rows, or an input line |
//! | [`search`] | the search for documents by words or by an image |
//! | [`picker`], [`definitions`] | lists to choose from: commands, orders, views, columns, themes; categories |
//! | [`overview`] | figures of the current view, each with its cases |
//! | [`agreement_screen`] | the agreement report |
//! | [`worker_status`], [`reading_rest`] | models and progress of the worker; answering every case that the figures lack |
//! | [`session_state`] | place, views, opened and marked cases, saved between sessions |

pub mod adjudication;
pub mod agreement_screen;
pub mod caption_names;
pub mod definitions;
pub mod drawn;
pub mod filter_edit;
pub mod flip_cache;
pub mod gold;
pub mod help_page;
pub mod image_panes;
pub mod label_many;
pub mod order;
pub mod overlay;
pub mod overview;
pub mod picker;
pub mod queue;
pub mod queue_columns;
pub mod queue_view;
pub mod reading_rest;
pub mod scroll;
pub mod search;
pub mod selection;
pub mod session_state;
pub mod spend;
pub mod throughput;
pub mod what_if;
pub mod why;
pub mod worker_status;
