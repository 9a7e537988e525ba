//! The screen that shows how far annotators agree.

use super::scroll::Scroll;
use crate::annotation::agreement::AgreementReport;
use crate::pipeline::Ticket;

/// The report that was asked for, once it is counted.
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

    /// `None` until it is counted; at first without intervals.
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
