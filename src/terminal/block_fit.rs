//! Chooses the pattern and the two colours of each cell of an image: near to the image, and short on the line to the terminal.
//!
//! A cell costs up to 40 bytes, nearly all of them for its colours; a colour that the cell before it has costs none
//! ([`super::cell_writer`]). So a cell takes over a colour where the image is hardly farther away for it.

/// Red, green and blue.
pub type Rgb = [u8; 3];

/// Number of parts of an octant cell.
pub const MOST_PARTS: usize = 8;

/// Mean squared error, in steps of 255, that a byte less is worth; and what it is worth more in a cell with contrast, for each
/// unit of the variance of its parts, because there an error is seen less. Measured on chest films and on ultrasound
/// (docs/reference/terminal.md).
const WORTH_OF_A_BYTE: f32 = 0.15;
const WORTH_BY_VARIANCE: f32 = 0.002;

/// A character and its two colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockCell {
    pub glyph: char,
    pub front: Rgb,
    pub back: Rgb,
}

/// A pattern with its colours, of one channel if all is grey, else of three. Bit `part` of the pattern is set if the part has
/// the front colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Choice<const CHANNELS: usize> {
    pattern: usize,
    front: [i32; CHANNELS],
    back: [i32; CHANNELS],
}

/// Fits the cells of a row from left to right.
pub struct RowFitter {
    glyphs: &'static [char],
    /// The terminal's colours after the cell before.
    front: Option<Rgb>,
    back: Option<Rgb>,
}

impl RowFitter {
    /// For a row of cells with these characters, one for each pattern.
    pub fn new(glyphs: &'static [char]) -> Self {
        Self { glyphs, front: None, back: None }
    }

    /// The cell for parts of these colours.
    pub fn next(&mut self, parts: &[Rgb]) -> BlockCell {
        let is_grey = |colour: Rgb| colour[0] == colour[1] && colour[0] == colour[2];
        let all_grey = parts.iter().copied().chain(self.front).chain(self.back).all(is_grey);
        let (pattern, front, back) = if all_grey {
            let Choice { pattern, front, back } = self.cell(|colour| [i32::from(colour[0])], parts).cheapest();
            (pattern, [front[0] as u8; 3], [back[0] as u8; 3])
        } else {
            let Choice { pattern, front, back } = self.cell(|colour| colour.map(i32::from), parts).cheapest();
            (pattern, front.map(|value| value as u8), back.map(|value| value as u8))
        };
        self.back = Some(back);
        if pattern == 0 {
            return BlockCell { glyph: ' ', front: back, back };
        }
        self.front = Some(front);
        BlockCell { glyph: self.glyphs[pattern], front, back }
    }

    fn cell<const C: usize>(&self, channels: impl Fn(Rgb) -> [i32; C], parts: &[Rgb]) -> Cell<'_, C> {
        let mut colours = [[0; C]; MOST_PARTS];
        for (colour, part) in colours.iter_mut().zip(parts) {
            *colour = channels(*part);
        }
        Cell {
            glyphs: self.glyphs,
            parts: colours,
            count: parts.len(),
            front: self.front.map(&channels),
            back: self.back.map(&channels),
        }
    }
}

/// A cell to be fitted, after one that left these colours.
struct Cell<'a, const CHANNELS: usize> {
    glyphs: &'a [char],
    parts: [[i32; CHANNELS]; MOST_PARTS],
    count: usize,
    front: Option<[i32; CHANNELS]>,
    back: Option<[i32; CHANNELS]>,
}

/// Squared distances of the parts from a colour.
type Distances = [i32; MOST_PARTS];

impl<const C: usize> Cell<'_, C> {
    /// The nearest choice, or one with a colour less: a single colour, or colours of the cell before.
    fn cheapest(&self) -> Choice<C> {
        let all = (1 << self.count) - 1;
        let best = self.nearest();
        if best.pattern == 0 && self.back == Some(best.back) {
            return best;
        }
        let (to_front, to_back) = (self.distances(best.front), self.distances(best.back));
        let mean = self.mean_of(all);
        let to_mean = self.distances(mean);
        let variance = self.error(0, &to_mean, &to_mean) as f32 / (C * self.count) as f32;
        let worth = (WORTH_OF_A_BYTE + WORTH_BY_VARIANCE * variance) * (C * self.count) as f32;
        let price = |choice: Choice<C>, error: i32| error as f32 + worth * self.bytes(choice) as f32;
        let error = self.error(best.pattern, &to_front, &to_back);
        let mut chosen = (best, price(best, error));
        let mut consider = |pattern: usize, front: [i32; C], back: [i32; C], error: i32| {
            let choice = Choice { pattern, front, back };
            let price = price(choice, error);
            if pattern != all && price < chosen.1 {
                chosen = (choice, price);
            }
        };
        if best.pattern != 0 {
            // The same picture with the colours the other way round.
            consider(all & !best.pattern, best.back, best.front, error);
            consider(0, mean, mean, self.error(0, &to_mean, &to_mean));
        }
        let before_front = self.front.map(|front| (front, self.distances(front)));
        let before_back = self.back.map(|back| (back, self.distances(back)));
        for to_other in [&to_front, &to_back] {
            if let Some((front, to_front)) = &before_front {
                let behind = self.nearer(to_other, to_front);
                if behind != 0 {
                    let (back, pattern) = (self.mean_of(behind), all & !behind);
                    consider(pattern, *front, back, self.error(pattern, to_front, &self.distances(back)));
                }
            }
            if let Some((back, to_back)) = &before_back {
                let pattern = self.nearer(to_other, to_back);
                if pattern != 0 {
                    let front = self.mean_of(pattern);
                    consider(pattern, front, *back, self.error(pattern, &self.distances(front), to_back));
                }
            }
        }
        if let Some((back, to_back)) = &before_back {
            consider(0, *back, *back, self.error(0, to_back, to_back));
            if let Some((front, to_front)) = &before_front {
                let pattern = self.nearer(to_front, to_back);
                consider(pattern, *front, *back, self.error(pattern, to_front, to_back));
            }
        }
        chosen.0
    }

    /// The pattern whose two means are nearest to the parts' colours; the brighter one is in front.
    ///
    /// The squared error of a partition is the parts' sum of squares less `|S|²/n` of each of its two sides, whose sum of
    /// colours is S and whose size is n: the largest sum of these two terms is the best.
    fn nearest(&self) -> Choice<C> {
        let parts = &self.parts[..self.count];
        if parts.iter().all(|part| *part == parts[0]) {
            return Choice { pattern: 0, front: parts[0], back: parts[0] };
        }
        let best = if C == 1 { self.best_threshold() } else { self.best_partition() };
        let rest = ((1 << self.count) - 1) & !best;
        let (one, other) = (self.mean_of(best), self.mean_of(rest));
        if one == other {
            return Choice { pattern: 0, front: one, back: one };
        }
        if luminance(one) >= luminance(other) {
            return Choice { pattern: best, front: one, back: other };
        }
        Choice { pattern: rest, front: other, back: one }
    }

    /// The best of all partitions.
    fn best_partition(&self) -> usize {
        let total = self.sum_of((1 << self.count) - 1);
        // A pattern and its inverse are the same partition: the last part is always behind.
        let patterns = 1 << (self.count - 1);
        let mut sums = [[0_i32; C]; 1 << (MOST_PARTS - 1)];
        let (mut best, mut best_gain) = (1, f32::MIN);
        for pattern in 1..patterns {
            let sum = add(sums[pattern & (pattern - 1)], self.parts[pattern.trailing_zeros() as usize]);
            sums[pattern] = sum;
            let gain = self.gain(sum, total, pattern.count_ones() as usize);
            if gain > best_gain {
                (best, best_gain) = (pattern, gain);
            }
        }
        best
    }

    /// The same for greys: of the best partition, every part of one side is brighter than each of the other.
    fn best_threshold(&self) -> usize {
        let mut order: [usize; MOST_PARTS] = [0, 1, 2, 3, 4, 5, 6, 7];
        for sorted in 1..self.count {
            let mut place = sorted;
            while place > 0 && self.parts[order[place - 1]][0] > self.parts[order[place]][0] {
                order.swap(place - 1, place);
                place -= 1;
            }
        }
        let total = self.sum_of((1 << self.count) - 1);
        let (mut sum, mut pattern) = ([0; C], 0);
        let (mut best, mut best_gain) = (1, f32::MIN);
        for (place, part) in order[..self.count - 1].iter().enumerate() {
            sum = add(sum, self.parts[*part]);
            pattern |= 1 << part;
            let gain = self.gain(sum, total, place + 1);
            if gain > best_gain {
                (best, best_gain) = (pattern, gain);
            }
        }
        best
    }

    fn gain(&self, sum: [i32; C], total: [i32; C], size: usize) -> f32 {
        let (mut one, mut other) = (0, 0);
        for channel in 0..C {
            one += sum[channel] * sum[channel];
            other += (total[channel] - sum[channel]) * (total[channel] - sum[channel]);
        }
        one as f32 * INVERSE[size] + other as f32 * INVERSE[self.count - size]
    }

    fn distances(&self, colour: [i32; C]) -> Distances {
        let mut distances = [0; MOST_PARTS];
        for (distance, part) in distances.iter_mut().zip(&self.parts[..self.count]) {
            for channel in 0..C {
                let difference = part[channel] - colour[channel];
                *distance += difference * difference;
            }
        }
        distances
    }

    /// Squared error of the parts in the pattern by their distance from the front colour, and of the others from the back.
    fn error(&self, pattern: usize, to_front: &Distances, to_back: &Distances) -> i32 {
        let mut error = 0;
        for part in 0..self.count {
            error += if pattern >> part & 1 == 1 { to_front[part] } else { to_back[part] };
        }
        error
    }

    /// The parts that are nearer to one colour than to the other.
    fn nearer(&self, to_one: &Distances, to_other: &Distances) -> usize {
        let mut pattern = 0;
        for part in 0..self.count {
            pattern |= usize::from(to_one[part] < to_other[part]) << part;
        }
        pattern
    }

    fn sum_of(&self, pattern: usize) -> [i32; C] {
        let mut sum = [0; C];
        for (part, colour) in self.parts[..self.count].iter().enumerate() {
            if pattern >> part & 1 == 1 {
                sum = add(sum, *colour);
            }
        }
        sum
    }

    /// The mean colour of the parts in this pattern, which is not empty, rounded.
    fn mean_of(&self, pattern: usize) -> [i32; C] {
        let count = pattern.count_ones() as i32;
        self.sum_of(pattern).map(|value| (value + count / 2) / count)
    }

    /// Bytes of the cell as [`super::cell_writer`] writes it.
    fn bytes(&self, choice: Choice<C>) -> usize {
        let is_blank = choice.pattern == 0;
        let front = if is_blank || self.front == Some(choice.front) { 0 } else { code_length(choice.front) };
        let back = if self.back == Some(choice.back) { 0 } else { code_length(choice.back) };
        let codes = match (front, back) {
            (0, 0) => 0,
            (0, one) | (one, 0) => one + 3,
            (front, back) => front + 1 + back + 3,
        };
        codes + if is_blank { 1 } else { self.glyphs[choice.pattern].len_utf8() }
    }
}

/// Length of "38;2;red;green;blue".
fn code_length<const C: usize>(colour: [i32; C]) -> usize {
    let mut digits = 0;
    for value in colour {
        digits += if value < 10 { 1 } else { 2 + usize::from(value >= 100) };
    }
    7 + digits * 3 / C
}

/// 1/n; a side of a partition has at least one part.
const INVERSE: [f32; MOST_PARTS] = [0.0, 1.0, 1.0 / 2.0, 1.0 / 3.0, 1.0 / 4.0, 1.0 / 5.0, 1.0 / 6.0, 1.0 / 7.0];

fn add<const C: usize>(mut sum: [i32; C], part: [i32; C]) -> [i32; C] {
    for channel in 0..C {
        sum[channel] += part[channel];
    }
    sum
}

/// ITU-R BT.709 weights.
fn luminance<const C: usize>(colour: [i32; C]) -> i32 {
    colour.iter().zip([2126, 7152, 722]).map(|(value, weight)| value * weight).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::block_glyphs::BlockGrid;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const WHITE: Rgb = [255; 3];
    const BLACK: Rgb = [0; 3];

    fn random_parts(random: &mut ChaCha8Rng, count: usize, is_grey: bool) -> Vec<Rgb> {
        let mut parts = Vec::new();
        for _ in 0..count {
            let grey = [random.random(); 3];
            parts.push(if is_grey { grey } else { [random.random(), random.random(), random.random()] });
        }
        parts
    }

    #[test]
    fn no_other_partition_of_random_cells_is_nearer() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for round in 0..200 {
            for grid in BlockGrid::ALL {
                let count = usize::from(grid.columns() * grid.rows());
                let parts = random_parts(&mut random, count, round % 2 == 0);
                let row = RowFitter::new(grid.glyphs());
                let pattern = if round % 2 == 0 {
                    row.cell(|colour| [i32::from(colour[0])], &parts).nearest().pattern
                } else {
                    row.cell(|colour| colour.map(i32::from), &parts).nearest().pattern
                };
                let least = (1..(1 << count) - 1).map(|pattern| error(&parts, pattern)).fold(f64::MAX, f64::min);
                assert!((error(&parts, pattern) - least).abs() < 1.0, "{grid:?} {parts:?}: {pattern:b}");
            }
        }
    }

    /// Squared error of the parts with the two means of this pattern, computed without the formula above.
    fn error(parts: &[Rgb], pattern: usize) -> f64 {
        let mut error = 0.0;
        for side in [0, 1] {
            let members: Vec<&Rgb> = parts
                .iter()
                .enumerate()
                .filter(|(part, _)| pattern >> part & 1 == side)
                .map(|(_, part)| part)
                .collect();
            for channel in 0..3 {
                let values: Vec<f64> = members.iter().map(|part| f64::from(part[channel])).collect();
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                error += values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
            }
        }
        error
    }

    #[test]
    fn the_brighter_colour_is_in_front_and_one_colour_is_a_space() {
        let cell = |parts: &[Rgb]| RowFitter::new(BlockGrid::Half.glyphs()).next(parts);
        assert_eq!(cell(&[WHITE, BLACK]), BlockCell { glyph: '▀', front: WHITE, back: BLACK });
        assert_eq!(cell(&[BLACK, WHITE]), BlockCell { glyph: '▄', front: WHITE, back: BLACK });
        assert_eq!(cell(&[[7; 3], [7; 3]]), BlockCell { glyph: ' ', front: [7; 3], back: [7; 3] });
    }

    /// The error of what is shown, and the bytes that it costs after the cell before.
    fn error_and_bytes(before: &RowFitter, parts: &[Rgb], cell: BlockCell) -> (f32, usize) {
        let glyphs = before.glyphs;
        let pattern = glyphs.iter().position(|glyph| *glyph == cell.glyph).unwrap();
        let fitted = before.cell(|colour| colour.map(i32::from), parts);
        let choice = Choice { pattern, front: cell.front.map(i32::from), back: cell.back.map(i32::from) };
        let error = fitted.error(pattern, &fitted.distances(choice.front), &fitted.distances(choice.back));
        (error as f32 / (3 * parts.len()) as f32, fitted.bytes(choice))
    }

    /// Compared with the nearest cell, the mean squared error grows by no more than the bytes that are saved are worth.
    #[test]
    fn what_is_saved_is_worth_the_error() {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        for grid in BlockGrid::ALL {
            let count = usize::from(grid.columns() * grid.rows());
            let mut row = RowFitter::new(grid.glyphs());
            let mut saved = 0;
            for round in 0..400 {
                let parts = random_parts(&mut random, count, round % 2 == 0);
                let before = RowFitter { ..row };
                let nearest = RowFitter::new(grid.glyphs()).cell(|colour| colour.map(i32::from), &parts).nearest();
                let nearest = BlockCell {
                    glyph: grid.glyphs()[nearest.pattern],
                    front: nearest.front.map(|value| value as u8),
                    back: nearest.back.map(|value| value as u8),
                };
                let (error, bytes) = error_and_bytes(&before, &parts, row.next(&parts));
                let (least, most) = error_and_bytes(&before, &parts, nearest);
                // The variance of values from 0 to 255 is at most a quarter of 255².
                let worth = WORTH_OF_A_BYTE + WORTH_BY_VARIANCE * 255.0 * 255.0 / 4.0;
                assert!(error <= least + worth * (most as f32 - bytes as f32) + 0.01, "{grid:?} {parts:?}");
                saved += most.saturating_sub(bytes);
            }
            assert!(saved > 0, "{grid:?}: nothing is saved");
        }
    }

    #[test]
    fn a_small_difference_from_the_cell_before_takes_its_colours() {
        let mut row = RowFitter::new(BlockGrid::Quadrant.glyphs());
        row.next(&[[200; 3], [200; 3], [90; 3], [90; 3]]);
        let alike = row.next(&[[201; 3], [91; 3], [199; 3], [89; 3]]);
        assert_eq!(alike, BlockCell { glyph: '▌', front: [200; 3], back: [90; 3] });
        let lighter = row.next(&[[220; 3], [91; 3], [220; 3], [89; 3]]);
        assert_eq!(lighter, BlockCell { glyph: '▌', front: [220; 3], back: [90; 3] });
    }
}
