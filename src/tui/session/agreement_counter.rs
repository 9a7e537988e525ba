//! Computes agreement on a thread beside the event loop.

use crate::annotation::agreement::{AgreementReport, RatedCases, usual_agreement_table_keys};
use crate::evaluation::RESAMPLES;
use crate::panics::caught;
use crate::pipeline::Ticket;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Computes agreement on its own thread: first the figures, then the same with intervals. A new request stops an
/// earlier one after its figures.
pub struct AgreementCounter {
    latest: Arc<AtomicU64>,
}

impl Default for AgreementCounter {
    fn default() -> Self {
        Self { latest: Arc::new(AtomicU64::new(0)) }
    }
}

impl AgreementCounter {
    /// Passes each report to `send`, which returns whether anybody still listens.
    ///
    /// # Errors
    /// Fails if no thread can be started.
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
