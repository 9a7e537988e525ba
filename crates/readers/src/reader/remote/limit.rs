//! An adaptive limit on concurrent requests to a server: it grows while the server keeps up and is halved on overload.

use std::sync::Mutex;
use tokio::sync::Notify;

/// Concurrent requests at the start.
const FIRST: f64 = 4.0;

/// An adaptive limit: it grows by one after as many successes as it allows, and is halved by an overload.
#[derive(Debug)]
pub(super) struct AdaptiveLimit {
    state: Mutex<State>,
    most: f64,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    allowed: f64,
    under_way: usize,
}

impl AdaptiveLimit {
    /// Starts a limit that never exceeds `most` and is at least one.
    pub fn new(most: usize) -> Self {
        let most = most.max(1) as f64;
        Self { state: Mutex::new(State { allowed: FIRST.min(most), under_way: 0 }), most, changed: Notify::new() }
    }

    /// Waits for a free place; dropping the place frees it.
    pub async fn place(&self) -> Place<'_> {
        loop {
            // Registered before the check, so that a change in between is not missed.
            let changed = self.changed.notified();
            if let Some(place) = self.try_place() {
                return place;
            }
            changed.await;
        }
    }

    fn try_place(&self) -> Option<Place<'_>> {
        let mut state = self.lock();
        if state.under_way >= state.allowed as usize {
            return None;
        }
        state.under_way += 1;
        Some(Place(self))
    }

    /// Records an answered request.
    pub fn succeeded(&self) {
        let mut state = self.lock();
        state.allowed = (state.allowed + 1.0 / state.allowed).min(self.most);
        drop(state);
        self.changed.notify_waiters();
    }

    /// Records an overload.
    pub fn overloaded(&self) {
        let mut state = self.lock();
        state.allowed = (state.allowed / 2.0).max(1.0);
    }

    /// Number of requests in progress.
    pub fn under_way(&self) -> usize {
        self.lock().under_way
    }

    /// The present limit.
    pub fn allowed(&self) -> usize {
        self.lock().allowed as usize
    }

    /// No code panics while it holds the lock, so a poisoned state is still valid.
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A request's place under the limit.
#[derive(Debug)]
pub(super) struct Place<'a>(&'a AdaptiveLimit);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.lock().under_way -= 1;
        self.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_grows_with_success_and_halves_with_overload() {
        let limit = AdaptiveLimit::new(16);
        assert_eq!(limit.allowed(), 4);
        for _ in 0..200 {
            limit.succeeded();
        }
        assert_eq!(limit.allowed(), 16, "never above the most");
        limit.overloaded();
        assert_eq!(limit.allowed(), 8);
        (0..20).for_each(|_| limit.overloaded());
        assert_eq!(limit.allowed(), 1, "one request may always be sent");
        assert_eq!(AdaptiveLimit::new(0).allowed(), 1);
    }

    #[test]
    fn places_are_given_back_when_dropped() {
        let limit = AdaptiveLimit::new(2);
        let (first, second) = (limit.try_place(), limit.try_place());
        assert!(first.is_some() && second.is_some() && limit.try_place().is_none());
        drop(first);
        assert_eq!(limit.under_way(), 1);
        assert!(limit.try_place().is_some());
    }
}
