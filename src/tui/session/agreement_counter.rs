//! Counts how far annotators agree while a person goes on looking.

use crate::annotation::agreement::{AgreementReport, RatedCases, usual_agreement_table_keys};
use crate::evaluation::RESAMPLES;
use crate::panics::caught;
use crate::pipeline::Ticket;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
