//! The agreement report, which is computed beside the loop.

use super::app::App;
use crate::annotation::agreement::AgreementReport;
use crate::pipeline::Ticket;
use crate::tui::effect::Effect;
use crate::tui::state::agreement_screen::AgreementScreen;
use crate::tui::state::overlay::Overlay;

impl App {
    pub(super) fn open_agreement(&mut self) -> Vec<Effect> {
        let ticket = self.new_ticket();
        self.open(Overlay::Agreement(AgreementScreen::awaiting(ticket)));
        vec![Effect::Agreement(ticket)]
    }

    /// Takes an agreement report, without or with intervals.
    pub fn on_agreement(&mut self, ticket: Ticket, report: AgreementReport) {
        if let Some(Overlay::Agreement(screen)) = &mut self.overlay {
            screen.take_report(ticket, report);
        }
    }
}
