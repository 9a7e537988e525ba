//! Images drawn with block characters. Each cell shows two colours; the pattern and the colours with the least squared
//! error are chosen. ratatui has the tables of characters, from the quadrants of Unicode 3.2 to the octants of Unicode 16.

use image::RgbImage;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::Color;
use ratatui::symbols::pixel::{OCTANTS, QUADRANTS, SEXTANTS};
use ratatui::widgets::Widget;

const HALVES: [char; 4] = [' ', '▀', '▄', '█'];
/// Number of parts of an octant cell.
const MOST_PARTS: usize = 8;

/// The parts of a cell that can differ in colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockGrid {
    /// One column, two rows.
    Half,
    /// Two columns, two rows.
    Quadrant,
    /// Two columns, three rows.
    Sextant,
    /// Two columns, four rows.
    Octant,
}

impl BlockGrid {
    /// From the coarsest to the finest.
    pub const ALL: [Self; 4] = [Self::Half, Self::Quadrant, Self::Sextant, Self::Octant];

    /// The value of `--images`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Half => "half",
            Self::Quadrant => "quadrant",
            Self::Sextant => "sextant",
            Self::Octant => "octant",
        }
    }

    /// Parts beside each other in a cell.
    pub fn columns(self) -> u16 {
        if self == Self::Half { 1 } else { 2 }
    }

    /// Parts above each other in a cell.
    pub fn rows(self) -> u16 {
        match self {
            Self::Half | Self::Quadrant => 2,
            Self::Sextant => 3,
            Self::Octant => 4,
        }
    }

    /// The character of each pattern; bit `row * columns + column` of the index is a filled part.
    fn glyphs(self) -> &'static [char] {
        match self {
            Self::Half => &HALVES,
            Self::Quadrant => &QUADRANTS,
            Self::Sextant => &SEXTANTS,
            Self::Octant => &OCTANTS,
        }
    }
}

/// Which parts of a cell a block character fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockPattern {
    grid: BlockGrid,
    /// As in the tables of characters.
    bits: usize,
}

impl BlockPattern {
    /// The pattern of a block character, in the coarsest grid that has it. `None` for other characters and for the space.
    pub fn of(symbol: &str) -> Option<Self> {
        let mut characters = symbol.chars();
        let (Some(glyph), None) = (characters.next(), characters.next()) else { return None };
        if glyph.is_ascii() {
            return None;
        }
        for grid in BlockGrid::ALL {
            if let Some(bits) = grid.glyphs().iter().position(|other| *other == glyph) {
                return Some(Self { grid, bits });
            }
        }
        None
    }

    /// Number of filled parts, and of all parts.
    pub fn filled(self) -> (u32, u32) {
        (self.bits.count_ones(), u32::from(self.grid.columns() * self.grid.rows()))
    }

    /// Whether it fills this part.
    pub fn fills(self, column: usize, row: usize) -> bool {
        self.bits >> (row * usize::from(self.grid.columns()) + column) & 1 == 1
    }

    pub fn grid(self) -> BlockGrid {
        self.grid
    }
}

type Rgb = [u8; 3];

/// A character and its two colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct BlockCell {
    glyph: char,
    front: Rgb,
    back: Rgb,
}

/// An image as block characters, drawn into ratatui's buffer.
#[derive(Clone, Debug)]
pub struct BlockImage {
    size: Size,
    cells: Vec<BlockCell>,
}

impl BlockImage {
    /// The best characters and colours for an image that has one pixel for each part of the `size` cells; pixels that are
    /// missing are black.
    pub fn fit(image: &RgbImage, size: Size, grid: BlockGrid) -> Self {
        let (columns, rows) = (u32::from(grid.columns()), u32::from(grid.rows()));
        let count = (columns * rows) as usize;
        let mut cells = Vec::with_capacity(usize::from(size.width) * usize::from(size.height));
        let mut parts = [[0; 3]; MOST_PARTS];
        for y in 0..u32::from(size.height) {
            for x in 0..u32::from(size.width) {
                for (part, colour) in (0..).zip(&mut parts[..count]) {
                    let place = (x * columns + part % columns, y * rows + part / columns);
                    *colour = image.get_pixel_checked(place.0, place.1).map_or([0; 3], |pixel| pixel.0);
                }
                cells.push(best_cell(&parts[..count], grid.glyphs()));
            }
        }
        Self { size, cells }
    }

    /// Its columns and rows.
    pub fn size(&self) -> Size {
        self.size
    }
}

impl Widget for &BlockImage {
    /// Draws what fits, from the upper left corner.
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let rows = self.cells.chunks(usize::from(self.size.width).max(1));
        for (y, row) in (area.top()..area.bottom()).zip(rows) {
            for (x, cell) in (area.left()..area.right()).zip(row) {
                let Some(target) = buffer.cell_mut((x, y)) else { continue };
                target.set_char(cell.glyph).set_fg(color(cell.front)).set_bg(color(cell.back));
            }
        }
    }
}

fn color([red, green, blue]: Rgb) -> Color {
    Color::Rgb(red, green, blue)
}

/// The pattern whose two means are nearest to the parts' colours; the brighter one is in front.
///
/// The squared error of a partition is the parts' sum of squares less `|S|²/n` of each of its two sides, whose sum of
/// colours is S and whose size is n: the largest sum of these two terms is the best.
fn best_cell(parts: &[Rgb], glyphs: &[char]) -> BlockCell {
    let total = parts.iter().fold([0; 3], |sum, part| add(sum, *part));
    let flat = mean(total, parts.len());
    if parts.iter().all(|part| *part == parts[0]) {
        return BlockCell { glyph: ' ', front: flat, back: flat };
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
        return BlockCell { glyph: ' ', front, back };
    }
    if luminance(front) >= luminance(back) {
        return BlockCell { glyph: glyphs[best], front, back };
    }
    BlockCell { glyph: glyphs[glyphs.len() - 1 - best], front: back, back: front }
}

/// 1/n; a side of a partition has at least one part.
const INVERSE: [f32; MOST_PARTS] = [0.0, 1.0, 1.0 / 2.0, 1.0 / 3.0, 1.0 / 4.0, 1.0 / 5.0, 1.0 / 6.0, 1.0 / 7.0];

fn add(sum: [i32; 3], part: Rgb) -> [i32; 3] {
    [sum[0] + i32::from(part[0]), sum[1] + i32::from(part[1]), sum[2] + i32::from(part[2])]
}

fn square([red, green, blue]: [i32; 3]) -> f32 {
    (red * red + green * green + blue * blue) as f32
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
    use image::Rgb as Pixel;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const WHITE: Rgb = [255; 3];
    const BLACK: Rgb = [0; 3];

    /// The image that these cells show, one pixel for each part.
    fn shown(image: &BlockImage, grid: BlockGrid) -> RgbImage {
        let (columns, rows) = (u32::from(grid.columns()), u32::from(grid.rows()));
        let (width, height) = (u32::from(image.size.width), u32::from(image.size.height));
        RgbImage::from_fn(width * columns, height * rows, |x, y| {
            let cell = image.cells[(y / rows * width + x / columns) as usize];
            let part = (y % rows * columns + x % columns) as usize;
            let pattern = grid.glyphs().iter().position(|glyph| *glyph == cell.glyph).unwrap();
            Pixel(if pattern >> part & 1 == 1 { cell.front } else { cell.back })
        })
    }

    fn fitted(image: &RgbImage, grid: BlockGrid) -> BlockImage {
        let size = Size::new(
            (image.width() / u32::from(grid.columns())) as u16,
            (image.height() / u32::from(grid.rows())) as u16,
        );
        BlockImage::fit(image, size, grid)
    }

    #[test]
    fn each_grid_reproduces_checkerboards_and_edges() {
        let two_colours: [fn(u32, u32) -> bool; 5] =
            [|x, y| (x + y) % 2 == 0, |x, _| x < 7, |_, y| y < 13, |x, y| x * 2 < y, |x, y| (x / 3 + y / 5) % 2 == 0];
        for grid in BlockGrid::ALL {
            for is_light in two_colours {
                let image = RgbImage::from_fn(24, 24, |x, y| Pixel(if is_light(x, y) { WHITE } else { [9, 20, 90] }));
                assert_eq!(shown(&fitted(&image, grid), grid), image, "{grid:?}");
            }
        }
    }

    #[test]
    fn no_other_partition_of_random_cells_is_better() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for round in 0..200 {
            let grey = round % 2 == 0;
            for grid in BlockGrid::ALL {
                let count = usize::from(grid.columns() * grid.rows());
                let parts: Vec<Rgb> =
                    (0..count)
                        .map(|_| {
                            if grey {
                                [random.random(); 3]
                            } else {
                                [random.random(), random.random(), random.random()]
                            }
                        })
                        .collect();
                let cell = best_cell(&parts, grid.glyphs());
                let pattern = grid.glyphs().iter().position(|glyph| *glyph == cell.glyph).unwrap();
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
    fn patterns_have_the_characters_of_unicode() {
        // From the names: BLOCK SEXTANT-1235, BLOCK OCTANT-25; older characters where they have the same form.
        let glyph =
            |grid: BlockGrid, parts: &[usize]| grid.glyphs()[parts.iter().map(|part| 1 << (part - 1)).sum::<usize>()];
        assert_eq!(glyph(BlockGrid::Sextant, &[1, 2, 3, 5]), '\u{1fb15}');
        assert_eq!(glyph(BlockGrid::Octant, &[3]), '\u{1cd00}');
        assert_eq!(glyph(BlockGrid::Octant, &[2, 3]), '\u{1cd01}');
        assert_eq!(glyph(BlockGrid::Octant, &[2, 3, 4, 5, 6, 7, 8]), '\u{1cde5}');
        assert_eq!(glyph(BlockGrid::Octant, &[1, 3]), '▘');
        assert_eq!(glyph(BlockGrid::Octant, &[7, 8]), '▂');
        assert_eq!(glyph(BlockGrid::Sextant, &[1, 3, 5]), '▌');
        for grid in BlockGrid::ALL {
            let mut glyphs = grid.glyphs().to_vec();
            assert_eq!(glyphs.len(), 1 << (grid.columns() * grid.rows()));
            glyphs.sort_unstable();
            glyphs.dedup();
            assert_eq!(glyphs.len(), grid.glyphs().len(), "{grid:?}: a character stands for two patterns");
        }
    }

    #[test]
    fn a_block_character_tells_its_parts() {
        let lower = BlockPattern::of("▄").unwrap();
        assert_eq!((lower.filled(), lower.fills(0, 0), lower.fills(0, 1)), ((1, 2), false, true));
        let octant = BlockPattern::of("\u{1cd00}").unwrap();
        assert_eq!((octant.grid(), octant.filled()), (BlockGrid::Octant, (1, 8)));
        assert!(octant.fills(0, 1) && !octant.fills(1, 0) && !octant.fills(1, 3));
        assert_eq!([" ", "a", "━", "▌x", ""].map(BlockPattern::of), [None; 5]);
    }

    #[test]
    fn the_brighter_colour_is_in_front_and_one_colour_is_a_space() {
        let cell = |parts: &[Rgb]| best_cell(parts, BlockGrid::Half.glyphs());
        assert_eq!(cell(&[WHITE, BLACK]), BlockCell { glyph: '▀', front: WHITE, back: BLACK });
        assert_eq!(cell(&[BLACK, WHITE]), BlockCell { glyph: '▄', front: WHITE, back: BLACK });
        assert_eq!(cell(&[[7; 3], [7; 3]]), BlockCell { glyph: ' ', front: [7; 3], back: [7; 3] });
    }

    #[test]
    fn what_does_not_fit_is_cut_off() {
        let image = BlockImage::fit(&RgbImage::from_pixel(4, 8, Pixel(WHITE)), Size::new(4, 4), BlockGrid::Half);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 3, 3));
        (&image).render(Rect::new(1, 1, 4, 4), &mut buffer);
        assert_eq!((buffer[(0, 1)].bg, buffer[(2, 2)].bg), (Color::Reset, Color::Rgb(255, 255, 255)));
    }
}
