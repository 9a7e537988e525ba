//! The rows of the case pane: how many the images, the hits and the caption get.

use super::image_places::{ImagePlaces, TextNeeds};
use ratatui::layout::Rect;

/// From this height, the selected hit's whole caption is shown.
pub const TALL: u16 = 33;
/// Room for the answers beside the images, and below them.
const ANSWERS: TextNeeds = TextNeeds { width: 22, height: 6 };
/// Rows of a caption with the line above it. The least is always kept, so that the images of all cases are equally large.
const LEAST_CAPTION: u16 = 4;
const LARGEST_CAPTION: u16 = 7;
/// Rows of the table of hits that it gets in any case, with its heading.
const LEAST_TABLE: u16 = 4;

/// Rows that the parts of the pane need.
#[derive(Clone, Copy, Debug)]
pub struct CaseNeeds {
    pub question: u16,
    /// What was retrieved, with the heading of the table.
    pub hits: u16,
    /// The user's own evidence, with the line above it.
    pub own: u16,
    /// The longest caption of what was retrieved, with the line above it.
    pub caption: u16,
    /// 2 images side by side, 1, or none if images are off.
    pub images: u16,
}

/// Places of the parts; a part without rows is not drawn.
#[derive(Clone, Copy, Debug)]
pub struct CaseLayout {
    pub title: Rect,
    pub question: Rect,
    /// The query's image and the document's, with their headings. Without images, the first is the row of file names.
    pub images: [Rect; 2],
    pub answers: Rect,
    /// The answers stand beside the images, not below.
    pub is_beside: bool,
    pub table: Rect,
    pub caption: Rect,
}

impl CaseLayout {
    /// Divides the pane. What was retrieved takes the rows that it needs, up to a part of the pane; the images take what is
    /// left. The user's own evidence takes rows that are free, so that no image shrinks for it.
    pub fn fit(area: Rect, needs: CaseNeeds) -> Self {
        let is_tall = area.height >= TALL;
        let mut rest = Rows { area };
        let title = rest.take_top(1);
        let question = rest.take_top(needs.question);
        if needs.images == 0 {
            return Self::without_images(rest, title, question, is_tall, needs);
        }
        let most = if is_tall { area.height / 4 } else { area.height / 3 };
        let hits = needs.hits.min(most.max(LEAST_TABLE));
        if !is_tall {
            let table = rest.take_bottom((hits + needs.own).min(most.max(hits)));
            let places = ImagePlaces::fit(rest.area, needs.images, ANSWERS);
            let (images, answers, is_beside) = (places.images, places.text, places.is_text_beside);
            return Self { title, question, images, answers, is_beside, table, caption: rest.take_bottom(0) };
        }
        // A blank row above the table and one above the caption.
        let room = rest.area.height.saturating_sub(hits + 2);
        let wanted = needs.caption.clamp(LEAST_CAPTION, LARGEST_CAPTION);
        let caption = wanted.min(room.saturating_sub(rows_for_images(area.width)).max(LEAST_CAPTION));
        let upper = Rect { height: room.saturating_sub(caption), ..rest.area };
        let places = ImagePlaces::fit(upper, needs.images, ANSWERS);
        let images = places.images;
        let (answers, is_beside) = (places.text, places.is_text_beside);
        // Below the images, the answers have the rows that they need; beside them, as many as the images.
        let height = if is_beside { images[0].height } else { ANSWERS.height.min(answers.height) };
        let answers = Rect { height, ..answers };
        rest.take_top(answers.bottom() - rest.area.y);
        // The two blank rows count as free.
        let free = rest.area.height.saturating_sub(hits + needs.caption.max(LEAST_CAPTION));
        let own = needs.own.min(free);
        let blank = (free - own).min(2);
        rest.take_top(blank.min(1));
        let table = rest.take_top(hits + own);
        rest.take_top(blank.saturating_sub(1));
        Self { title, question, images, answers, is_beside, table, caption: rest.area }
    }

    /// The files' names on one row. In a low pane, the caption stands where the images would; in a tall one, at the end, and
    /// the table takes all the rows that it needs.
    fn without_images(mut rest: Rows, title: Rect, question: Rect, is_tall: bool, needs: CaseNeeds) -> Self {
        let names = rest.take_top(1);
        let images = [names, Rect { height: 0, ..names }];
        if !is_tall {
            let most = rest.area.height.div_ceil(2).max(LEAST_TABLE);
            let table = rest.take_bottom((needs.hits + needs.own).min(most));
            let places = ImagePlaces::fit(rest.area, 1, TextNeeds { height: u16::MAX, ..ANSWERS });
            let caption = Rect { height: rest.area.height, ..places.images[0] };
            return Self { title, question, images, answers: places.text, is_beside: true, table, caption };
        }
        let answers = rest.take_top(ANSWERS.height);
        rest.take_top(1);
        let most = rest.area.height.saturating_sub(needs.caption.clamp(LEAST_CAPTION, LARGEST_CAPTION) + 1);
        let table = rest.take_top((needs.hits + needs.own).min(most));
        rest.take_top(1);
        Self { title, question, images, answers, is_beside: false, table, caption: rest.area }
    }
}

/// Rows with which two images take 80 % of this width, with their heading and the answers below.
fn rows_for_images(width: u16) -> u16 {
    let side = (width * 4).div_ceil(10);
    side.div_ceil(2) + 1 + ANSWERS.height
}

/// Rows that are not given away yet.
struct Rows {
    area: Rect,
}

impl Rows {
    fn take_top(&mut self, rows: u16) -> Rect {
        let rows = rows.min(self.area.height);
        let taken = Rect { height: rows, ..self.area };
        self.area = Rect { y: self.area.y + rows, height: self.area.height - rows, ..self.area };
        taken
    }

    fn take_bottom(&mut self, rows: u16) -> Rect {
        let rows = rows.min(self.area.height);
        self.area.height -= rows;
        Rect { y: self.area.bottom(), height: rows, ..self.area }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDS: CaseNeeds = CaseNeeds { question: 1, hits: 5, own: 0, caption: 3, images: 2 };

    /// The case pane at 120×40 and at 200×60.
    const PANES: [Rect; 2] = [Rect::new(35, 1, 84, 37), Rect::new(44, 1, 155, 57)];

    #[test]
    fn two_images_take_at_least_80_percent_of_the_width() {
        for pane in PANES {
            for caption in 2..9 {
                let [query, document] = CaseLayout::fit(pane, CaseNeeds { caption, ..NEEDS }).images;
                let share = f32::from(query.width + document.width) / f32::from(pane.width);
                assert!(share >= 0.8, "{pane}: {share}");
            }
        }
    }

    #[test]
    fn ones_own_evidence_shrinks_no_image() {
        for pane in PANES {
            let images = |own| CaseLayout::fit(pane, CaseNeeds { own, ..NEEDS }).images;
            for own in 1..9 {
                assert_eq!(images(own), images(0), "{pane}");
            }
        }
    }

    #[test]
    fn parts_lie_inside_and_do_not_overlap() {
        for images in 0..3 {
            for (width, height) in (30..160).step_by(13).flat_map(|width| (10..60).map(move |height| (width, height))) {
                for (hits, own, caption) in [(1, 0, 1), (5, 0, 2), (5, 4, 9), (40, 12, 3)] {
                    let area = Rect::new(30, 1, width, height);
                    let layout = CaseLayout::fit(area, CaseNeeds { question: 2, hits, own, caption, images });
                    let [query, document] = layout.images;
                    let parts =
                        [layout.title, layout.question, query, document, layout.answers, layout.table, layout.caption];
                    for (place, part) in parts.iter().enumerate() {
                        assert!(part.is_empty() || area.union(*part) == area, "{area}: {layout:?}");
                        for other in &parts[..place] {
                            assert!(part.intersection(*other).is_empty(), "{area} {images}: {layout:?}");
                        }
                    }
                }
            }
        }
    }
}
