//! Writing the queue as an HTML page.

use super::app::App;
use crate::casebook::case_page::Told;
use crate::casebook::{Casebook, PIXELS, Written};
use crate::tui::effect::Effect;
use crate::tui::state::overlay::Notice;
use std::path::Path;

impl App {
    /// The page has neither gold answers nor others' annotations: reading it would unblind the annotator without a record.
    pub(super) fn export_queue(&mut self) -> Vec<Effect> {
        let shown = self.queue.shown();
        if shown.is_empty() {
            self.say("no case is in the queue: nothing to write");
            return Vec::new();
        }
        let told = Told { gold: false, everybody: false };
        let casebook = Casebook::of(&self.cases, shown, &self.view.filter().to_string(), told, PIXELS);
        self.say(format!("writing a page of {} cases …", casebook.cases.len()));
        vec![Effect::WriteCasebook(Box::new(casebook))]
    }

    /// The page is written, or why it is not. Its path goes to the clipboard.
    pub fn on_casebook(&mut self, path: &Path, outcome: Result<Written, String>) -> Vec<Effect> {
        match outcome {
            Ok(written) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                // The name last: a long message is cut in the middle.
                self.say(format!("{}; path copied: {name}", written.size_first()));
                vec![Effect::Copy(path.display().to_string())]
            }
            Err(reason) => {
                self.notify(Notice::Error(format!("no page is written: {reason}")));
                Vec::new()
            }
        }
    }
}
