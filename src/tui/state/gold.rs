//! Which gold answers are on the screen: that of one case, until another case is opened, or those of all cases.

use rustc_hash::FxHashSet;

/// The gold answers that are shown. Cases are positions in `Dataset::cases`.
#[derive(Clone, Debug, Default)]
pub struct Gold {
    /// The case whose gold answer was asked for.
    revealed: Option<usize>,
    /// Gold stays shown from case to case.
    is_kept: bool,
    /// The cases that were current while their gold answer was shown, in this session.
    seen: FxHashSet<usize>,
}

impl Gold {
    /// Gold that stays shown from the start, or is hidden.
    pub fn new(is_kept: bool) -> Self {
        Self { is_kept, ..Self::default() }
    }

    pub fn is_kept(&self) -> bool {
        self.is_kept
    }

    pub fn is_visible_of(&self, case: usize) -> bool {
        self.is_kept || self.revealed == Some(case)
    }

    /// Whether the gold answer of this case was shown in this session.
    pub fn was_seen_of(&self, case: usize) -> bool {
        self.is_visible_of(case) || self.seen.contains(&case)
    }

    /// Shows the gold answer of this case, or hides every gold answer if it is shown.
    pub fn toggle(&mut self, case: usize) {
        if self.is_visible_of(case) {
            self.hide();
            self.is_kept = false;
        } else {
            self.revealed = Some(case);
        }
        self.seen.insert(case);
    }

    /// Keeps gold shown from case to case, or hides it.
    pub fn toggle_kept(&mut self) {
        self.is_kept = !self.is_kept;
        self.hide();
    }

    /// Opens a case: the gold answer of the one before is hidden unless gold is kept.
    pub fn open_case(&mut self, case: usize) {
        if self.revealed != Some(case) {
            self.hide();
        }
        if self.is_kept {
            self.seen.insert(case);
        }
    }

    fn hide(&mut self) {
        self.revealed = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gold_is_shown_for_one_case_and_hidden_at_the_next() {
        let mut gold = Gold::default();
        gold.toggle(3);
        assert_eq!([3, 4].map(|case| gold.is_visible_of(case)), [true, false]);
        gold.open_case(4);
        gold.open_case(3);
        assert_eq!((gold.is_visible_of(3), gold.was_seen_of(3), gold.was_seen_of(4)), (false, true, false));
    }

    #[test]
    fn kept_gold_stays_until_either_key_hides_it() {
        for hide in [Gold::toggle_kept as fn(&mut Gold), |gold| gold.toggle(5)] {
            let mut gold = Gold::new(true);
            gold.open_case(5);
            assert!(gold.is_visible_of(5) && gold.is_visible_of(6));
            hide(&mut gold);
            assert!(!gold.is_visible_of(5) && !gold.is_kept() && gold.was_seen_of(5));
        }
    }
}
