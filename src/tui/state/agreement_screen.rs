//! State of the screen with the agreement report.

use super::scroll::Scroll;
use crate::annotation::agreement::AgreementReport;
use crate::pipeline::Ticket;

/// The requested report, once it is computed.
#[derive(Clone, Debug, Default)]
pub struct AgreementScreen {
    ticket: Ticket,
    report: Option<AgreementReport>,
    scroll: Scroll,
}

impl AgreementScreen {
    /// Waits for reports with this ticket; others are dropped.
    pub fn awaiting(ticket: Ticket) -> Self {
        Self { ticket, ..Self::default() }
    }

    /// The report; `None` until it is computed, at first without intervals.
    pub fn report(&self) -> Option<&AgreementReport> {
        self.report.as_ref()
    }

    pub fn take_report(&mut self, ticket: Ticket, report: AgreementReport) {
        if ticket == self.ticket {
            self.report = Some(report);
        }
    }

    pub fn scroll(&self) -> &Scroll {
        &self.scroll
    }
}
