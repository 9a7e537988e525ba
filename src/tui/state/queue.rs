//! The queue: the list of cases and the current position in it.

use rustc_hash::{FxHashMap, FxHashSet};

/// All cases, the shown ones and the current position among those.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Positions in `Dataset::cases`, in working order: the dataset's or an assignment's.
    all: Vec<usize>,
    /// Place of each case in `all`.
    places: FxHashMap<usize, usize>,
    /// The cases of `all` that pass the filter, in the chosen order.
    shown: Vec<usize>,
    /// Set of the cases in `shown`, for fast lookup.
    shown_set: FxHashSet<usize>,
    /// Current position in `shown`.
    place: usize,
    /// The case that was current when the list became empty.
    left: Option<usize>,
}

impl Queue {
    /// A queue of these cases in this order, all shown, with the first as current.
    pub fn new(all: Vec<usize>) -> Self {
        let places = all.iter().enumerate().map(|(place, case)| (*case, place)).collect();
        Self { shown: all.clone(), shown_set: all.iter().copied().collect(), all, places, place: 0, left: None }
    }

    /// All cases, shown or not.
    pub fn all(&self) -> &[usize] {
        &self.all
    }

    /// Position of the case among all; `usize::MAX` if it is not in the queue.
    pub fn place_among_all(&self, case: usize) -> usize {
        self.places.get(&case).copied().unwrap_or(usize::MAX)
    }

    /// The cases in the list now.
    pub fn shown(&self) -> &[usize] {
        &self.shown
    }

    /// Whether the case is in the list.
    pub fn shows(&self, case: usize) -> bool {
        self.shown_set.contains(&case)
    }

    /// The current case.
    pub fn current(&self) -> Option<usize> {
        self.shown.get(self.place).copied()
    }

    /// The current case or, if the list is empty, the one that was current before.
    pub fn here(&self) -> Option<usize> {
        self.current().or(self.left)
    }

    /// Position of the current case in the shown list.
    pub fn place(&self) -> usize {
        self.place
    }

    /// Whether some cases are left out.
    pub fn is_filtered(&self) -> bool {
        self.shown.len() < self.all.len()
    }

    /// Moves by `steps` and stops at the ends; returns whether the position changed.
    pub fn step(&mut self, steps: isize) -> bool {
        let last = self.shown.len().saturating_sub(1);
        let place = self.place.saturating_add_signed(steps).min(last);
        let moved = place != self.place;
        self.place = place;
        moved
    }

    /// Makes this case current if it is in the list; returns whether it is.
    pub fn go_to(&mut self, case: usize) -> bool {
        let Some(place) = self.shown.iter().position(|shown| *shown == case) else { return false };
        self.place = place;
        true
    }

    /// Shows these cases in this order. Stays on the current case, or returns to the one that was current before the
    /// list became empty. If that case is left out, goes to the next shown one in the queue's own order, else to the
    /// last.
    pub fn show(&mut self, cases: Vec<usize>) {
        let here = self.here();
        self.left = if cases.is_empty() { here } else { None };
        self.shown_set = cases.iter().copied().collect();
        self.shown = cases;
        let Some(current) = here else { return };
        if !self.go_to(current) {
            let current = self.place_among_all(current);
            let places = self.shown.iter().map(|case| self.place_among_all(*case)).enumerate();
            let after = places.filter(|(_, among_all)| *among_all > current).min_by_key(|(_, among_all)| *among_all);
            self.place = after.map_or(self.shown.len().saturating_sub(1), |(place, _)| place);
        }
    }

    /// Inserts a case into a list that has the queue's own order.
    pub fn admit(&mut self, case: usize) {
        let Some(among_all) = self.places.get(&case).copied() else { return };
        if !self.shown_set.insert(case) {
            return;
        }
        let at = self.shown.partition_point(|other| self.place_among_all(*other) < among_all);
        self.shown.insert(at, case);
        if at <= self.place && self.shown.len() > 1 {
            self.place += 1;
        }
    }

    /// Appends a case to a list that has another order.
    pub fn admit_last(&mut self, case: usize) {
        if self.places.contains_key(&case) && self.shown_set.insert(case) {
            self.shown.push(case);
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
    fn a_shorter_list_keeps_the_place_and_gives_it_back() {
        let mut queue = Queue::new((0..10).collect());
        queue.step(4);
        queue.show(vec![0, 3, 6, 9]);
        assert_eq!((queue.shown(), queue.current()), ([0, 3, 6, 9].as_slice(), Some(6)));
        queue.admit(5);
        assert_eq!((queue.shown(), queue.current()), ([0, 3, 5, 6, 9].as_slice(), Some(6)));
        queue.show((0..10).collect());
        assert_eq!((queue.is_filtered(), queue.current()), (false, Some(6)));
        queue.show(vec![9, 2, 8]);
        assert_eq!(queue.current(), Some(8), "the next in the dataset's order");
    }

    #[test]
    fn an_order_that_was_given_is_kept() {
        let mut queue = Queue::new(vec![7, 3, 9, 1]);
        assert_eq!((queue.shown(), queue.current()), ([7, 3, 9, 1].as_slice(), Some(7)));
        queue.step(1);
        queue.show(vec![7, 1]);
        assert_eq!(queue.current(), Some(1), "the next in that order");
        queue.admit(9);
        queue.admit(4);
        assert_eq!((queue.shown(), queue.current()), ([7, 9, 1].as_slice(), Some(1)));
    }

    #[test]
    fn an_empty_list_gives_the_place_back_unless_one_has_gone_elsewhere() {
        let mut queue = Queue::new((0..10).collect());
        queue.step(4);
        queue.show(Vec::new());
        assert_eq!((queue.current(), queue.here()), (None, Some(4)));
        queue.show((0..10).collect());
        assert_eq!(queue.current(), Some(4));
        queue.show(Vec::new());
        queue.admit(7);
        queue.admit(2);
        assert_eq!((queue.shown(), queue.current()), ([2, 7].as_slice(), Some(7)), "the first that came");
        queue.show((0..10).collect());
        assert_eq!(queue.current(), Some(7));
    }
}
