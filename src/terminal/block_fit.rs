//! Chooses the pattern and the two colours of each cell of an image: near to the image, and short on the line to the terminal.
//!
//! A cell costs up to 40 bytes, nearly all of them for its colours; a colour that the cell before it has costs none
//! ([`super::cell_writer`]). So a cell takes over a colour where the image is hardly farther away for it.

/// Red, green and blue.
pub type Rgb = [u8; 3];

/// Number of parts of an octant cell.
pub const MOST_PARTS: usize = 8;

/// Mean squared error, in steps of 255, that a byte less is worth. Measured on 20 chest films of 34 × 17 cells: octants take
/// a fifth less bytes for 0.004 of structural similarity (docs/reference/terminal.md).
const WORTH_OF_A_BYTE: f32 = 0.2;

/// A character and its two colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockCell {
    pub glyph: char,
    pub front: Rgb,
    pub back: Rgb,
}

/// A pattern with its colours. Bit `part` of the pattern is set if the part has the front colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Choice {
    pattern: usize,
    front: Rgb,
    back: Rgb,
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
        let Choice { pattern, front, back } = self.cheapest(parts);
        self.back = Some(back);
        if pattern == 0 {
            return BlockCell { glyph: ' ', front: back, back };
        }
        self.front = Some(front);
        BlockCell { glyph: self.glyphs[pattern], front, back }
    }

    /// The nearest choice, or one with a colour less: a single colour, or colours of the cell before.
    fn cheapest(&self, parts: &[Rgb]) -> Choice {
        let all = (1 << parts.len()) - 1;
        let best = nearest(parts);
        let mut chosen = (best, self.price(best, parts));
        let mut consider = |pattern: usize, front: Rgb, back: Rgb| {
            let choice = Choice { pattern, front, back };
            let price = self.price(choice, parts);
            if pattern != all && price < chosen.1 {
                chosen = (choice, price);
            }
        };
        let flat = mean_of(parts, all);
        consider(0, flat, flat);
        if best.pattern != 0 {
            // The same picture with the colours the other way round.
            consider(all & !best.pattern, best.back, best.front);
        }
        for other in [best.front, best.back] {
            if let Some(front) = self.front {
                let behind = nearer_to(parts, other, front);
                if behind != 0 {
                    consider(all & !behind, front, mean_of(parts, behind));
                }
            }
            if let Some(back) = self.back {
                let pattern = nearer_to(parts, other, back);
                if pattern != 0 {
                    consider(pattern, mean_of(parts, pattern), back);
                }
            }
        }
        if let Some(back) = self.back {
            consider(0, back, back);
            if let Some(front) = self.front {
                consider(nearer_to(parts, front, back), front, back);
            }
        }
        chosen.0
    }

    /// Squared error of all parts and channels, with the bytes at what they are worth.
    fn price(&self, choice: Choice, parts: &[Rgb]) -> f32 {
        let mut error = 0;
        for (part, colour) in parts.iter().enumerate() {
            error += distance(*colour, if choice.pattern >> part & 1 == 1 { choice.front } else { choice.back });
        }
        error as f32 + WORTH_OF_A_BYTE * (3 * parts.len() * self.bytes(choice)) as f32
    }

    /// Bytes of the cell as [`super::cell_writer`] writes it.
    fn bytes(&self, choice: Choice) -> usize {
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
fn code_length(colour: Rgb) -> usize {
    let digits = |value: u8| match value {
        0..10 => 1,
        10..100 => 2,
        _ => 3,
    };
    7 + colour.map(digits).iter().sum::<usize>()
}

/// The pattern whose two means are nearest to the parts' colours; the brighter one is in front.
///
/// The squared error of a partition is the parts' sum of squares less `|S|²/n` of each of its two sides, whose sum of
/// colours is S and whose size is n: the largest sum of these two terms is the best.
fn nearest(parts: &[Rgb]) -> Choice {
    let total = parts.iter().fold([0; 3], |sum, part| add(sum, *part));
    let flat = mean(total, parts.len());
    if parts.iter().all(|part| *part == parts[0]) {
        return Choice { pattern: 0, front: flat, back: flat };
    }
    // A pattern and its inverse are the same partition: the last part is always behind.
    let patterns = 1 << (parts.len() - 1);
    let mut sums = [[0_i32; 3]; 1 << (MOST_PARTS - 1)];
    let (mut best, mut best_gain) = (1, f32::MIN);
    for pattern in 1..patterns {
        let rest = pattern & (pattern - 1);
        let sum = add(sums[rest], parts[pattern.trailing_zeros() as usize]);
        sums[pattern] = sum;
        let count = pattern.count_ones() as usize;
        let behind = [total[0] - sum[0], total[1] - sum[1], total[2] - sum[2]];
        let gain = square(sum) * INVERSE[count] + square(behind) * INVERSE[parts.len() - count];
        if gain > best_gain {
            (best, best_gain) = (pattern, gain);
        }
    }
    let (sum, count) = (sums[best], best.count_ones() as usize);
    let behind = [total[0] - sum[0], total[1] - sum[1], total[2] - sum[2]];
    let (front, back) = (mean(sum, count), mean(behind, parts.len() - count));
    if front == back {
        return Choice { pattern: 0, front, back };
    }
    if luminance(front) >= luminance(back) {
        return Choice { pattern: best, front, back };
    }
    Choice { pattern: ((1 << parts.len()) - 1) & !best, front: back, back: front }
}

/// 1/n; a side of a partition has at least one part.
const INVERSE: [f32; MOST_PARTS] = [0.0, 1.0, 1.0 / 2.0, 1.0 / 3.0, 1.0 / 4.0, 1.0 / 5.0, 1.0 / 6.0, 1.0 / 7.0];

/// The parts that are nearer to `one` than to `other`.
fn nearer_to(parts: &[Rgb], one: Rgb, other: Rgb) -> usize {
    let mut pattern = 0;
    for (part, colour) in parts.iter().enumerate() {
        if distance(*colour, one) < distance(*colour, other) {
            pattern |= 1 << part;
        }
    }
    pattern
}

/// The mean colour of the parts in this pattern, which is not empty.
fn mean_of(parts: &[Rgb], pattern: usize) -> Rgb {
    let members = parts.iter().enumerate().filter(|(part, _)| pattern >> part & 1 == 1);
    let sum = members.fold([0; 3], |sum, (_, part)| add(sum, *part));
    mean(sum, pattern.count_ones() as usize)
}

fn add(sum: [i32; 3], part: Rgb) -> [i32; 3] {
    [sum[0] + i32::from(part[0]), sum[1] + i32::from(part[1]), sum[2] + i32::from(part[2])]
}

fn square([red, green, blue]: [i32; 3]) -> f32 {
    (red * red + green * green + blue * blue) as f32
}

/// The squared difference of two colours.
fn distance(one: Rgb, other: Rgb) -> i32 {
    let square = |channel: usize| (i32::from(one[channel]) - i32::from(other[channel])).pow(2);
    square(0) + square(1) + square(2)
}

/// The mean colour of `count` parts, rounded.
fn mean(sum: [i32; 3], count: usize) -> Rgb {
    let count = count as i32;
    sum.map(|value| ((value + count / 2) / count) as u8)
}

/// ITU-R BT.709 weights.
fn luminance([red, green, blue]: Rgb) -> u32 {
    2126 * u32::from(red) + 7152 * u32::from(green) + 722 * u32::from(blue)
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
                let chosen = nearest(&parts);
                let least = (1..(1 << count) - 1).map(|pattern| error(&parts, pattern)).fold(f64::MAX, f64::min);
                assert!((error(&parts, chosen.pattern) - least).abs() < 1.0, "{grid:?} {parts:?}: {chosen:?}");
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

    /// No cell is farther from the image than the nearest one by more than the bytes that it saves are worth.
    #[test]
    fn what_is_saved_is_worth_the_error() {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        for grid in BlockGrid::ALL {
            let count = usize::from(grid.columns() * grid.rows());
            let mut row = RowFitter::new(grid.glyphs());
            for round in 0..400 {
                let parts = random_parts(&mut random, count, round % 2 == 0);
                let before = RowFitter { ..row };
                let cell = row.next(&parts);
                let pattern = if cell.glyph == ' ' {
                    0
                } else {
                    grid.glyphs().iter().position(|glyph| *glyph == cell.glyph).unwrap()
                };
                let chosen = Choice { pattern, front: cell.front, back: cell.back };
                let spare = before.price(nearest(&parts), &parts) - before.price(chosen, &parts);
                assert!(spare >= 0.0, "{grid:?} {parts:?}: {cell:?}");
            }
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
