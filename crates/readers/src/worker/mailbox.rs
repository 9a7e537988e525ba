//! The mailbox between the screen and the workers: one pending request of each kind; the newest wins.

use super::Request;
use crate::pipeline::{ExplainRequest, ImageLike, Ticket};
use dissent_core::run::Probe;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A unit of work.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Work {
    /// Answer a case that the user is looking at.
    Open(usize),
    /// Answer a case ahead of time.
    Ahead(usize),
    /// Answer a probe of the user.
    Probe(usize, Probe),
    /// Search for images.
    SearchImages(ImageSearch),
    /// Somebody wants to know why.
    Explain(WantedExplanation),
}

/// An explanation that nobody has given yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WantedExplanation {
    pub ticket: Ticket,
    pub request: ExplainRequest,
    pub most_seconds: Option<f64>,
}

/// A pending image search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ImageSearch {
    pub ticket: Ticket,
    pub case: usize,
    pub like: ImageLike,
    pub limit: usize,
}

/// A pending caption search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Search {
    pub ticket: Ticket,
    pub query: String,
    pub limit: usize,
}

#[derive(Default)]
struct Wishes {
    open: Option<usize>,
    ahead: VecDeque<usize>,
    search: Option<Search>,
    probes: VecDeque<(usize, Probe)>,
    images: Option<ImageSearch>,
    explanation: Option<WantedExplanation>,
    /// The explanation in work, until somebody no longer wants it.
    explaining: Option<Ticket>,
    closed: bool,
}

/// Pending requests, shared by the handle and the worker threads.
#[derive(Default)]
pub(super) struct Mailbox {
    wishes: Mutex<Wishes>,
    changed: Condvar,
}

impl Mailbox {
    /// Stores a request; it replaces an older one of the same kind that is still pending.
    pub fn post(&self, request: Request) {
        let mut wishes = self.lock();
        match request {
            Request::Open { case } => {
                wishes.open = Some(case);
                // It was asked for on the screen of another case.
                wishes.explanation = wishes.explanation.filter(|wanted| wanted.request.case == case);
            }
            Request::Ahead { cases } => wishes.ahead = cases.into(),
            Request::Probe { case, probe } => wishes.probes.push_back((case, probe)),
            Request::SearchImages { ticket, case, like, limit } => {
                wishes.images = Some(ImageSearch { ticket, case, like, limit });
            }
            Request::Explain { ticket, request, most_seconds } => {
                wishes.explanation = Some(WantedExplanation { ticket, request, most_seconds });
                wishes.explaining = None;
            }
            Request::StopExplaining => {
                wishes.explanation = None;
                wishes.explaining = None;
            }
            Request::SearchCaptions { ticket, query, limit } => {
                wishes.search = Some(Search { ticket, query, limit });
            }
        }
        self.changed.notify_all();
    }

    /// Tells the workers to end.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// True if the handle was dropped.
    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Waits for the next work; `None` once closed.
    pub fn next_work(&self) -> Option<Work> {
        let mut wishes = self.lock();
        loop {
            if wishes.closed {
                return None;
            }
            if let Some(case) = wishes.open.take() {
                return Some(Work::Open(case));
            }
            if let Some(search) = wishes.images.take() {
                return Some(Work::SearchImages(search));
            }
            if let Some((case, probe)) = wishes.probes.pop_front() {
                return Some(Work::Probe(case, probe));
            }
            if let Some(wanted) = wishes.explanation.take() {
                wishes.explaining = Some(wanted.ticket);
                return Some(Work::Explain(wanted));
            }
            if let Some(case) = wishes.ahead.pop_front() {
                return Some(Work::Ahead(case));
            }
            wishes = self.changed.wait(wishes).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for a caption search; `None` once closed.
    pub fn next_search(&self) -> Option<Search> {
        let mut wishes = self.lock();
        loop {
            if wishes.closed {
                return None;
            }
            if let Some(search) = wishes.search.take() {
                return Some(search);
            }
            wishes = self.changed.wait(wishes).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// True if the work on `case` is no longer needed, because another case was opened or the handle was dropped.
    pub fn is_overtaken(&self, case: usize) -> bool {
        let wishes = self.lock();
        wishes.closed || wishes.open.is_some_and(|wanted| wanted != case)
    }

    /// True if a probe, an image search or an explanation is pending. Work ahead then pauses.
    pub fn somebody_asks(&self) -> bool {
        let wishes = self.lock();
        !wishes.probes.is_empty() || wishes.images.is_some() || wishes.explanation.is_some()
    }

    /// Should the explanation in work stop: for good, or until something more urgent is done?
    pub fn explaining_should_stop(&self, wanted: &WantedExplanation) -> bool {
        let wishes = self.lock();
        let is_urgent = wishes.open.is_some() || !wishes.probes.is_empty() || wishes.images.is_some();
        wishes.closed || is_urgent || wishes.explaining != Some(wanted.ticket)
    }

    /// Puts back an explanation that stepped aside, if it is still wanted.
    pub fn put_back_explanation(&self, wanted: WantedExplanation) {
        let mut wishes = self.lock();
        let is_case_left = wishes.open.is_some_and(|case| case != wanted.request.case);
        if wishes.explaining == Some(wanted.ticket) && wishes.explanation.is_none() && !is_case_left {
            wishes.explanation = Some(wanted);
        }
    }

    /// Puts back a case whose work ahead was interrupted; it will be the next one.
    pub fn put_back(&self, case: usize) {
        let mut wishes = self.lock();
        if !wishes.ahead.contains(&case) {
            wishes.ahead.push_front(case);
        }
    }

    // A panic while the lock is held cannot leave partial changes, so a poisoned lock is used.
    fn lock(&self) -> MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use crate::explain::{Method, Wanted};
    use crate::pipeline::GridChoice;
    use crate::worker::mailbox::*;

    #[test]
    fn the_newest_open_wins_and_goes_before_work_ahead() {
        let mailbox = Mailbox::default();
        mailbox.post(Request::Ahead { cases: vec![7, 8] });
        mailbox.post(Request::Open { case: 1 });
        mailbox.post(Request::Open { case: 2 });
        assert_eq!(mailbox.next_work(), Some(Work::Open(2)));
        assert_eq!(mailbox.next_work(), Some(Work::Ahead(7)));
        mailbox.put_back(7);
        assert_eq!(mailbox.next_work(), Some(Work::Ahead(7)));
        assert_eq!(mailbox.next_work(), Some(Work::Ahead(8)));
    }

    #[test]
    fn opening_the_same_case_again_overtakes_nothing() {
        let mailbox = Mailbox::default();
        mailbox.post(Request::Open { case: 1 });
        assert!(!mailbox.is_overtaken(1));
        assert!(mailbox.is_overtaken(2));
    }

    fn explanation(ticket: Ticket, case: usize) -> WantedExplanation {
        let wanted = Wanted { words: true, regions: true };
        let request = ExplainRequest {
            case,
            probe: None,
            label: None,
            wanted,
            method: Method::Occlusion,
            grid: GridChoice::Auto,
        };
        WantedExplanation { ticket, request, most_seconds: Some(5.0) }
    }

    fn post(mailbox: &Mailbox, wanted: WantedExplanation) {
        let WantedExplanation { ticket, request, most_seconds } = wanted;
        mailbox.post(Request::Explain { ticket, request, most_seconds });
    }

    #[test]
    fn the_newest_explanation_wins_and_an_older_one_stops() {
        let mailbox = Mailbox::default();
        let (first, second) = (explanation(1, 4), explanation(2, 4));
        post(&mailbox, first);
        assert_eq!(mailbox.next_work(), Some(Work::Explain(first)));
        assert!(!mailbox.explaining_should_stop(&first));
        post(&mailbox, second);
        assert!(mailbox.explaining_should_stop(&first));
        mailbox.put_back_explanation(first);
        assert_eq!(mailbox.next_work(), Some(Work::Explain(second)));
        mailbox.post(Request::StopExplaining);
        assert!(mailbox.explaining_should_stop(&second));
        mailbox.put_back_explanation(second);
        mailbox.post(Request::Ahead { cases: vec![9] });
        assert_eq!(mailbox.next_work(), Some(Work::Ahead(9)));
    }

    #[test]
    fn an_explanation_steps_aside_for_what_is_urgent_and_goes_on() {
        let mailbox = Mailbox::default();
        let wanted = explanation(1, 4);
        post(&mailbox, wanted);
        assert_eq!(mailbox.next_work(), Some(Work::Explain(wanted)));
        mailbox.post(Request::Open { case: 4 });
        assert!(mailbox.explaining_should_stop(&wanted));
        mailbox.put_back_explanation(wanted);
        assert_eq!(mailbox.next_work(), Some(Work::Open(4)));
        assert_eq!(mailbox.next_work(), Some(Work::Explain(wanted)));
        mailbox.post(Request::Open { case: 5 });
        mailbox.put_back_explanation(wanted);
        mailbox.post(Request::Ahead { cases: vec![9] });
        assert_eq!(mailbox.next_work(), Some(Work::Open(5)));
        assert_eq!(mailbox.next_work(), Some(Work::Ahead(9)), "the case of the explanation was left");
    }

    #[test]
    fn closing_ends_every_wait() {
        let mailbox = Mailbox::default();
        mailbox.post(Request::Open { case: 1 });
        mailbox.close();
        assert_eq!(mailbox.next_work(), None);
        assert_eq!(mailbox.next_search(), None);
        assert!(mailbox.is_overtaken(1));
    }
}
