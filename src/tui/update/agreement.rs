//! How far annotators agree: the report is counted beside the loop.

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

    /// Figures, or the same with intervals, are counted.
    pub fn on_agreement(&mut self, ticket: Ticket, report: AgreementReport) {
        if let Some(Overlay::Agreement(screen)) = &mut self.overlay {
            screen.take_report(ticket, report);
        }
    }
}
