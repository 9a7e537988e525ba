//! Updates: how actions and events change the state, and the effects they ask for.
//!
//! | module | what is in it |
//! |---|---|
//! | [`app`], `current_case` | the whole state, and the current case on the screen |
//! | `explore` | actions on the screen with cases and hits |
//! | `go_to_case` | goes to a case by its id |
//! | `navigation` | moves among cases and hits, and the requests to the worker that follow |
//! | `annotate`, `edit_result` | annotates a case; handles the result of an edit |
//! | `other_session` | warns before a key changes what another session of the annotator said |
//! | [`category_target`] | what the key of a category does now |
//! | [`comparison`] | the documents of two runs side by side |
//! | [`label_many`] | marks cases and labels many at once |
//! | `adjudication`, `agreement`, `definitions` | deciding a case, the agreement report, the taxonomy |
//! | `queue_view`, `session_state` | filter, order and saved views; the state saved for the next session |
//! | `fusion`, `user_evidence` | changes to the fusion; documents that the user adds |
//! | `search`, `picker`, `overview`, `page`, `help` | the other overlays |
//! | `why` | the page that explains a prediction |
//! | `line_edit` | typing and pasting into the input line of an overlay |
//! | `casebook` | writes the queue as an HTML page |
//! | `images`, `mouse` | enlarging and zooming images; clicks and wheel |
//! | `worker_events`, [`reading_rest`] | handles the worker's reports; how many cases are answered, and answering the rest |

mod adjudication;
mod agreement;
mod annotate;
pub mod app;
mod casebook;
pub mod category_target;
pub mod comparison;
mod current_case;
mod definitions;
pub mod edit_result;
mod explore;
mod fusion;
mod go_to_case;
mod help;
mod images;
pub mod label_many;
mod line_edit;
mod mouse;
mod navigation;
mod other_session;
mod overview;
mod page;
mod picker;
mod queue_view;
pub mod reading_rest;
mod search;
mod session_state;
mod spending;
mod user_evidence;
mod why;
mod worker_events;

use self::app::App;
use super::action::{Action, Context};
use super::effect::Effect;
use super::state::overlay::Notice;

impl App {
    /// Carries out an action.
    pub fn update(&mut self, action: Action) -> Vec<Effect> {
        if matches!(self.notice, Some(Notice::Said(_))) {
            self.notice = None;
        }
        match action {
            Action::Interrupt => return vec![Effect::Quit(130)],
            Action::Redraw => return vec![Effect::Redraw],
            Action::SaveScreen => return vec![Effect::SaveScreen],
            _ => {}
        }
        if self.asks_for_help(&action) {
            return Vec::new();
        }
        match self.context() {
            Context::Explore => self.update_explorer(action),
            Context::Image => self.update_image(action),
            Context::Help => self.update_help(action),
            Context::HelpSearch => self.update_help_search(action),
            Context::Agreement => self.update_page(action),
            Context::Search => self.update_search(action),
            Context::Note => self.update_note(action),
            Context::Filter => self.update_filter(action),
            Context::Picker => self.update_picker(action),
            Context::Overview => self.update_overview(action),
            Context::Name => self.update_name(action),
            Context::Definitions => self.update_definitions(action),
            Context::Adjudication => self.update_adjudication(action),
            Context::LabelMany => self.update_label_many(action),
            Context::Spend => self.update_spend(action),
            Context::Reason => self.update_reason(action),
            Context::Why => self.update_why(action),
        }
    }
}
