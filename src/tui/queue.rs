//! The list of cases on the left: what is in it and where one stands.

/// Cases in the order of the dataset, a filter and a place.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Positions in `Dataset::cases`.
    all: Vec<usize>,
    /// The part of `all` that passes the filter; never empty unless `all` is.
    shown: Vec<usize>,
    /// Place in `shown`.
    place: usize,
    filtered: bool,
}

impl Queue {
    /// A queue of these cases, unfiltered, standing on the first.
    pub fn new(all: Vec<usize>) -> Self {
        Self { shown: all.clone(), all, place: 0, filtered: false }
    }

    /// Every case, filtered out or not.
    pub fn all(&self) -> &[usize] {
        &self.all
    }

    /// The cases in the list now.
    pub fn shown(&self) -> &[usize] {
        &self.shown
    }

    /// The case one stands on.
    pub fn current(&self) -> Option<usize> {
        self.shown.get(self.place).copied()
    }

    /// Place of the current case in the shown list.
    pub fn place(&self) -> usize {
        self.place
    }

    /// Is a filter on?
    pub fn is_filtered(&self) -> bool {
        self.filtered
    }

    /// Moves by `steps` places, not beyond the ends. True if the place changed.
    pub fn step(&mut self, steps: isize) -> bool {
        let last = self.shown.len().saturating_sub(1);
        let place = self.place.saturating_add_signed(steps).min(last);
        let moved = place != self.place;
        self.place = place;
        moved
    }

    /// Stands on this case, if it is in the list.
    pub fn go_to(&mut self, case: usize) -> bool {
        let Some(place) = self.shown.iter().position(|shown| *shown == case) else { return false };
        self.place = place;
        true
    }

    /// Shows only the cases that pass; stays on the current case or goes to the next one that passes. False, and no
    /// change, where none passes.
    pub fn filter(&mut self, passes: impl Fn(usize) -> bool) -> bool {
        let shown: Vec<usize> = self.all.iter().copied().filter(|case| passes(*case)).collect();
        if shown.is_empty() {
            return false;
        }
        let order = |case: usize| self.all.iter().position(|other| *other == case);
        let current = self.current().and_then(order);
        let next = shown.iter().position(|case| order(*case) >= current);
        self.place = next.unwrap_or(shown.len() - 1);
        self.shown = shown;
        self.filtered = true;
        true
    }

    /// Takes a case into a filtered list at its place in the dataset's order.
    pub fn admit(&mut self, case: usize) {
        if !self.filtered || self.shown.contains(&case) || !self.all.contains(&case) {
            return;
        }
        let current = self.current();
        self.shown = self.all.iter().copied().filter(|other| *other == case || self.shown.contains(other)).collect();
        if let Some(current) = current {
            self.go_to(current);
        }
    }

    /// Shows all cases again, standing on the same one.
    pub fn unfilter(&mut self) {
        let current = self.current();
        self.shown.clone_from(&self.all);
        self.filtered = false;
        if let Some(current) = current {
            self.go_to(current);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stop_at_the_ends() {
        let mut queue = Queue::new(vec![3, 5, 7]);
        assert!(!queue.step(-1));
        assert!(queue.step(10));
        assert_eq!(queue.current(), Some(7));
        assert!(!Queue::new(Vec::new()).step(1));
    }

    #[test]
    fn a_filter_keeps_the_place_and_gives_it_back() {
        let mut queue = Queue::new((0..10).collect());
        queue.step(4);
        assert!(queue.filter(|case| case % 3 == 0));
        assert_eq!((queue.shown(), queue.current()), ([0, 3, 6, 9].as_slice(), Some(6)));
        queue.admit(5);
        assert_eq!((queue.shown(), queue.current()), ([0, 3, 5, 6, 9].as_slice(), Some(6)));
        queue.unfilter();
        assert_eq!((queue.shown().len(), queue.current()), (10, Some(6)));
    }

    #[test]
    fn a_filter_that_nothing_passes_changes_nothing() {
        let mut queue = Queue::new(vec![1, 2]);
        assert!(!queue.filter(|_| false));
        assert_eq!((queue.shown().len(), queue.is_filtered()), (2, false));
    }
}
