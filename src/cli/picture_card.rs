//! One synthetic picture in all block characters, beside each other, so that a person sees which ones the terminal draws.

use crate::phantom::fundus::{self, Attributes, Grade};
use crate::phantom::rng::PhantomRng;
use crate::terminal::block_glyphs::BlockGrid;
use crate::terminal::color_depth::Depth;
use crate::terminal::images::in_blocks;
use crate::terminal::quantise::quantise;
use crate::terminal::styled_text::styled_text;
use image::DynamicImage;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::Style;
use ratatui::widgets::Widget;

/// Four of them and the gaps are as wide as 80 columns.
const PICTURE: Size = Size::new(18, 9);
const GAP: u16 = 2;

/// The card as lines with colours. `None` where pictures are drawn with letters: all four would be the same.
pub(super) fn picture_card(depth: Depth) -> Option<String> {
    if matches!(depth, Depth::Named | Depth::Monochrome) {
        return None;
    }
    // An eye with vessels, whose fine lines show the differences.
    let mut rng = PhantomRng::new(1, 0);
    let attributes = Attributes::draw(Grade::ALL[1], &mut rng);
    let picture = DynamicImage::ImageRgb8(fundus::draw(&attributes, &fundus::Params::default(), &mut rng));
    let count = BlockGrid::ALL.len() as u16;
    let mut buffer = Buffer::empty(Rect::new(0, 0, count * (PICTURE.width + GAP) - GAP, PICTURE.height + 1));
    for (place, grid) in (0..).zip(BlockGrid::ALL) {
        let left = place * (PICTURE.width + GAP);
        buffer.set_string(left, 0, grid.name(), Style::new());
        let area = Rect::new(left, 1, PICTURE.width, PICTURE.height);
        in_blocks(&picture, PICTURE, grid).render(area, &mut buffer);
    }
    quantise(&mut buffer, depth);
    Some(styled_text(&buffer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_four_stand_side_by_side_on_80_columns() {
        let card = picture_card(Depth::Truecolor).unwrap();
        let heading = card.lines().next().unwrap();
        let places: Vec<usize> = BlockGrid::ALL.iter().map(|grid| heading.find(grid.name()).unwrap()).collect();
        assert_eq!(places, [0, 20, 40, 60]);
        assert!(heading.len() <= 80 && card.lines().count() == 10);
        assert!(
            card.contains(['▘', '▝', '▖', '▗']) && card.contains(|glyph| ('\u{1fb00}'..='\u{1fb3b}').contains(&glyph))
        );
        assert!(card.contains(|glyph| ('\u{1cd00}'..='\u{1cde5}').contains(&glyph)));
        assert_eq!(picture_card(Depth::Monochrome), None);
    }
}
