//! Window attention of Qwen2.5-VL (`get_window_index` in transformers).

use crate::model::vlm::ImageGrid;

/// An order of an image's tokens in which windows of the same size are consecutive, so that they can be batched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WindowPlan {
    /// Row-major token indices in the new order.
    pub order: Vec<u32>,
    /// (number of windows, tokens per window) for each size.
    pub groups: Vec<(usize, usize)>,
}

impl WindowPlan {
    /// Divides an image into windows of `side` × `side` tokens; those at the right and lower edge may be smaller.
    pub fn new(grid: ImageGrid, merge: usize, side: usize) -> Self {
        let (rows, columns) = (grid.rows / merge, grid.columns / merge);
        let mut windows: Vec<Vec<u32>> = Vec::new();
        for top in (0..rows).step_by(side) {
            for left in (0..columns).step_by(side) {
                let mut window = Vec::with_capacity(side * side);
                for row in top..(top + side).min(rows) {
                    window.extend((left..(left + side).min(columns)).map(|column| (row * columns + column) as u32));
                }
                windows.push(window);
            }
        }
        windows.sort_by_key(|window| std::cmp::Reverse(window.len()));
        let mut groups: Vec<(usize, usize)> = Vec::new();
        for window in &windows {
            match groups.last_mut() {
                Some((count, length)) if *length == window.len() => *count += 1,
                _ => groups.push((1, window.len())),
            }
        }
        Self { order: windows.concat(), groups }
    }

    /// The inverse permutation of `order`.
    pub fn inverse_order(&self) -> Vec<u32> {
        let mut inverse = vec![0; self.order.len()];
        for (position, token) in self.order.iter().enumerate() {
            inverse[*token as usize] = position as u32;
        }
        inverse
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_at_the_edges_are_smaller() {
        // 3 × 5 tokens in windows of 2.
        let plan = WindowPlan::new(ImageGrid { rows: 6, columns: 10 }, 2, 2);
        assert_eq!(plan.groups, [(2, 4), (3, 2), (1, 1)]);
        assert_eq!(plan.order, [0, 1, 5, 6, 2, 3, 7, 8, 4, 9, 10, 11, 12, 13, 14]);
        let inverse = plan.inverse_order();
        assert!((0..15).all(|token| plan.order[inverse[token] as usize] == token as u32));
    }
}
