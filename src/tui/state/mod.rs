//! What the explorer knows. No file here knows [`App`](super::App), which puts these parts together.
//!
//! | module | what is in it |
//! |---|---|
//! | [`cases`] | the dataset with all that is known of its cases |
//! | [`answer_names`] | letters and names of answers on the screen |
//! | [`annotations`], [`adjudication`] | the annotations of the dataset, deciding a case |
//! | [`comparison`] | another run beside the one on the screen |
//! | [`user_evidence`] | documents that a person puts in, hits with something withheld |
//! | [`what_if`], [`flip_cache`] | the fusion as a person has changed it, and the smallest change that flips the answer |
//! | [`queue`], [`queue_view`] | the cases in the list; how they are filtered, ordered and shown |
//! | [`filter`], [`order`], [`queue_columns`] | which cases pass, which stands first, what may stand beside them |
//! | [`selection`], [`image_panes`], [`drawn`] | where one stands on the screen, its images, what is under the mouse |
//! | [`overlay`], [`scroll`] | what lies over the screen: one of the next four rows, or a line to type in |
//! | [`search`] | documents looked for by words or by an image |
//! | [`picker`], [`definitions`] | lists to pick from: commands, orders, views, columns, themes; categories |
//! | [`overview`] | figures of the current view, each with the cases behind it |
//! | [`agreement_screen`] | how far annotators agree |
//! | [`worker_status`] | what the worker is and does |
//! | [`session_state`] | place, views and opened cases, kept from one session to the next |

pub mod adjudication;
pub mod agreement_screen;
pub mod annotations;
pub mod answer_names;
pub mod cases;
pub mod comparison;
pub mod definitions;
pub mod drawn;
pub mod filter;
pub mod flip_cache;
pub mod image_panes;
pub mod order;
pub mod overlay;
pub mod overview;
pub mod picker;
pub mod queue;
pub mod queue_columns;
pub mod queue_view;
pub mod scroll;
pub mod search;
pub mod selection;
pub mod session_state;
pub mod user_evidence;
pub mod what_if;
pub mod worker_status;
