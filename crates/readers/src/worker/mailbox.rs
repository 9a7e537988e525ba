//! The mailbox between the screen and the workers: one pending request of each kind; the newest wins.

use super::Request;
use crate::pipeline::{ImageLike, Ticket};
use dissent_core::run::Probe;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A unit of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Answer a case that the user is looking at.
    Open(usize),
    /// Answer a case ahead of time.
    Ahead(usize),
    /// Answer a probe of the user.
    Probe(usize, Probe),
    /// Search for images.
    SearchImages(ImageSearch),
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
            Request::Open { case } => wishes.open = Some(case),
            Request::Ahead { cases } => wishes.ahead = cases.into(),
            Request::Probe { case, probe } => wishes.probes.push_back((case, probe)),
            Request::SearchImages { ticket, case, like, limit } => {
                wishes.images = Some(ImageSearch { ticket, case, like, limit });
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

    /// True if a probe or an image search is pending. Work ahead then pauses.
    pub fn somebody_asks(&self) -> bool {
        let wishes = self.lock();
        !wishes.probes.is_empty() || wishes.images.is_some()
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
