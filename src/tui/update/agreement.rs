//! How far annotators agree, counted while a person goes on looking.

use super::app::{App, Overlay};
use crate::analysis::RESAMPLES;
use crate::annotation::agreement::{AgreementReport, RatedCases, usual_agreement_table_keys};
use crate::panics::caught;
use crate::pipeline::Ticket;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The screen of agreement.
#[derive(Clone, Debug, Default)]
pub struct AgreementScreen {
    /// Of what was asked for; reports of an earlier one are dropped.
    pub ticket: Ticket,
    /// `None` until it is counted; at first without intervals.
    pub report: Option<AgreementReport>,
    /// First line shown; drawing keeps it within the page.
    pub scroll: Cell<usize>,
}

/// Counts on a thread of its own: the figures at once, then the same with intervals. Whoever asks anew ends an earlier
/// count after its figures.
pub struct AgreementCounter {
    latest: Arc<AtomicU64>,
}

impl Default for AgreementCounter {
    fn default() -> Self {
        Self { latest: Arc::new(AtomicU64::new(0)) }
    }
}

impl AgreementCounter {
    /// Gives each report to `send`, which says whether anybody still listens.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn start(
        &self,
        ticket: Ticket,
        dataset: String,
        rated: RatedCases,
        send: impl Fn(AgreementReport) -> bool + Send + 'static,
    ) -> std::io::Result<()> {
        self.latest.store(ticket, Ordering::SeqCst);
        let latest = self.latest.clone();
        let body = move || {
            for resamples in [0, RESAMPLES] {
                if latest.load(Ordering::SeqCst) != ticket {
                    return;
                }
                if !send(AgreementReport::of(&dataset, &rated, resamples, &usual_agreement_table_keys())) {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("dissent-agreement".into()).spawn(|| drop(caught(body))).map(drop)
    }
}

impl App {
    pub(super) fn open_agreement(&mut self) -> Vec<Effect> {
        self.last_ticket += 1;
        let ticket = self.last_ticket;
        self.overlay = Some(Overlay::Agreement(AgreementScreen { ticket, ..AgreementScreen::default() }));
        vec![Effect::Agreement(ticket)]
    }

    /// Figures, or the same with intervals, are counted.
    pub fn on_agreement(&mut self, ticket: Ticket, report: AgreementReport) {
        if let Some(Overlay::Agreement(screen)) = &mut self.overlay
            && screen.ticket == ticket
        {
            screen.report = Some(report);
        }
    }

    pub(super) fn update_agreement(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Agreement(screen)) = &self.overlay else { return Vec::new() };
        let scroll = &screen.scroll;
        match action {
            Action::Down => scroll.set(scroll.get() + 1),
            Action::Up => scroll.set(scroll.get().saturating_sub(1)),
            Action::PageDown => scroll.set(scroll.get() + 10),
            Action::PageUp => scroll.set(scroll.get().saturating_sub(10)),
            Action::Cancel => self.overlay = None,
            _ => {}
        }
        Vec::new()
    }
}
