//! Where images stand in an area, and where the text that belongs to them does.

use ratatui::layout::Rect;

/// Columns between two images, and between images and text.
pub const GAP: u16 = 2;

/// The room that text needs beside the images, or else below them.
#[derive(Clone, Copy)]
pub struct TextNeeds {
    /// Columns beside the images.
    pub width: u16,
    /// Rows below the images.
    pub height: u16,
}

/// Places of one image or two, each with a heading row, and of their text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImagePlaces {
    pub images: [Rect; 2],
    pub text: Rect,
    pub is_text_beside: bool,
}

impl ImagePlaces {
    /// Makes `count` images (1 or 2) as large as they can be, each as wide as a square one would be; a cell is about twice as
    /// high as wide. The text stands beside them if they are as large as with the text below, or still take 80 % of the width.
    pub fn fit(area: Rect, count: u16, text: TextNeeds) -> Self {
        let beside = side(area.width.saturating_sub(text.width + GAP), area.height, count);
        let below = side(area.width, area.height.saturating_sub(text.height), count);
        let is_text_beside = beside >= below || u32::from(beside * count) * 10 >= u32::from(area.width) * 8;
        let width = if is_text_beside { beside } else { below };
        let height = (width.div_ceil(2) + 1).min(area.height);
        let first = Rect { width, height, ..area };
        let second =
            if count > 1 { Rect { x: area.x + width + GAP, ..first } } else { Rect { width: 0, height: 0, ..first } };
        let used = (width + GAP) * count;
        let text = if is_text_beside {
            Rect { x: area.x + used, width: area.width.saturating_sub(used), ..area }
        } else {
            Rect { y: area.y + height, height: area.height - height, ..area }
        };
        Self { images: [first, second], text, is_text_beside }
    }
}

/// Columns of an image if `count` of them share this width and height, of which one row is the heading.
fn side(width: u16, height: u16, count: u16) -> u16 {
    let wide = width.saturating_sub(GAP * (count - 1)) / count;
    wide.min(height.saturating_sub(1) * 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: TextNeeds = TextNeeds { width: 22, height: 5 };

    fn sizes(width: u16, height: u16, count: u16) -> (u16, u16, bool) {
        let places = ImagePlaces::fit(Rect::new(3, 2, width, height), count, TEXT);
        (places.images[0].width, places.images[0].height, places.is_text_beside)
    }

    #[test]
    fn text_stands_where_it_takes_least_from_the_images() {
        assert_eq!(sizes(50, 14, 1), (26, 14, true));
        assert_eq!(sizes(84, 23, 2), (34, 18, false), "below");
        assert_eq!(sizes(155, 50, 2), (64, 33, true), "below, they would be 75 wide");
        assert_eq!(sizes(64, 19, 2), (26, 14, false));
    }

    #[test]
    fn nothing_leaves_the_area_and_nothing_overlaps() {
        for count in [1, 2] {
            for (width, height) in (0..120).step_by(3).flat_map(|width| (0..50).map(move |height| (width, height))) {
                let area = Rect::new(5, 7, width, height);
                let places = ImagePlaces::fit(area, count, TEXT);
                let [one, two] = places.images;
                for part in [one, two, places.text] {
                    assert!(part.is_empty() || area.union(part) == area, "{area}: {places:?}");
                }
                let overlap = |one: Rect, two: Rect| !one.intersection(two).is_empty();
                assert!(!overlap(one, two) && !overlap(one, places.text) && !overlap(two, places.text), "{places:?}");
            }
        }
    }
}
