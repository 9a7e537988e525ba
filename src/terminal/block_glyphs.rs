//! Images drawn with block characters. Each cell shows two colours in a pattern, which [`super::block_fit`] chooses. ratatui
//! has the tables of characters, from the quadrants of Unicode 3.2 to the octants of Unicode 16.

use super::block_fit::{BlockCell, MOST_PARTS, Rgb, RowFitter};
use image::RgbImage;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::Color;
use ratatui::symbols::pixel::{OCTANTS, QUADRANTS, SEXTANTS};
use ratatui::widgets::Widget;

const HALVES: [char; 4] = [' ', '▀', '▄', '█'];

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
    pub(super) fn glyphs(self) -> &'static [char] {
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

/// An image as block characters, drawn into ratatui's buffer.
#[derive(Clone, Debug)]
pub struct BlockImage {
    size: Size,
    cells: Vec<BlockCell>,
}

impl BlockImage {
    /// The characters and colours for an image that has one pixel for each part of the `size` cells; pixels that are
    /// missing are black.
    pub fn fit(image: &RgbImage, size: Size, grid: BlockGrid) -> Self {
        let (columns, rows) = (u32::from(grid.columns()), u32::from(grid.rows()));
        let count = (columns * rows) as usize;
        let mut cells = Vec::with_capacity(usize::from(size.width) * usize::from(size.height));
        let mut parts = [[0; 3]; MOST_PARTS];
        for y in 0..u32::from(size.height) {
            let mut row = RowFitter::new(grid.glyphs());
            for x in 0..u32::from(size.width) {
                for (part, colour) in (0..).zip(&mut parts[..count]) {
                    let place = (x * columns + part % columns, y * rows + part / columns);
                    *colour = image.get_pixel_checked(place.0, place.1).map_or([0; 3], |pixel| pixel.0);
                }
                cells.push(row.next(&parts[..count]));
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

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb as Pixel;

    const WHITE: Rgb = [255; 3];

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
    fn what_does_not_fit_is_cut_off() {
        let image = BlockImage::fit(&RgbImage::from_pixel(4, 8, Pixel(WHITE)), Size::new(4, 4), BlockGrid::Half);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 3, 3));
        (&image).render(Rect::new(1, 1, 4, 4), &mut buffer);
        assert_eq!((buffer[(0, 1)].bg, buffer[(2, 2)].bg), (Color::Reset, Color::Rgb(255, 255, 255)));
    }
}
