//! The view of an image: zoom, position, window and inversion. Query and document share one view, so that both show the
//! same part with the same window.

use crate::data::{Picture, ValueWindow};
use image::{DynamicImage, ImageBuffer, Luma};
use ratatui::layout::Size;

/// Zoom steps, relative to the size at which the whole image fits.
const ZOOMS: [f32; 10] = [1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0];
/// A pan moves by this share of the visible part.
const PAN: f32 = 0.125;
/// The automatic window cuts off this share of the darkest and of the lightest pixels.
const TAIL: f64 = 0.01;

/// The view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct ImageView {
    /// Index of the zoom step.
    zoom: usize,
    /// Centre of the visible part, relative to the image's centre, in thousandths of its width and height.
    x: i32,
    y: i32,
    pub inverted: bool,
    pub window: Window,
}

/// The values that become black and white: a start and the user's change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Window {
    pub start: WindowStart,
    /// Percent of the full range added to the level and to the width of the start.
    level: i8,
    width: i8,
}

/// The start of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum WindowStart {
    /// The picture's own window or, if it has none, the unchanged values. The models see this.
    #[default]
    AsStored,
    /// All values.
    Full,
    /// Without the darkest and the lightest 1 %.
    Auto,
    Darker,
    Lighter,
}

/// A change of the view by a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ViewChange {
    ZoomIn,
    ZoomOut,
    /// Back to the whole image as stored.
    Reset,
    Left,
    Right,
    Up,
    Down,
    Invert,
    /// Percent added to the level or the width of the window.
    Level(i8),
    Width(i8),
    Window(WindowStart),
}

impl ImageView {
    /// Whether only a part of the image is visible. `nearest` is the maximum zoom (see the function `nearest`).
    pub fn is_zoomed(&self, nearest: f32) -> bool {
        self.factor(nearest) > 1.0
    }

    /// The zoom factor, relative to the whole image.
    fn factor(&self, nearest: f32) -> f32 {
        ZOOMS[self.zoom].min(nearest)
    }

    /// The view after a change.
    #[must_use]
    pub fn changed(mut self, change: ViewChange, nearest: f32) -> Self {
        // The image shown before may have allowed more zoom.
        let last = ZOOMS.iter().position(|zoom| *zoom >= nearest).unwrap_or(ZOOMS.len() - 1);
        match change {
            ViewChange::ZoomIn => self.zoom = (self.zoom + 1).min(last),
            ViewChange::ZoomOut => self.zoom = self.zoom.min(last).saturating_sub(1),
            ViewChange::Reset => return Self::default(),
            ViewChange::Left => self.x -= self.pan(nearest),
            ViewChange::Right => self.x += self.pan(nearest),
            ViewChange::Up => self.y -= self.pan(nearest),
            ViewChange::Down => self.y += self.pan(nearest),
            ViewChange::Invert => self.inverted = !self.inverted,
            ViewChange::Level(step) => self.window = self.window.moved(step, 0),
            ViewChange::Width(step) => self.window = self.window.moved(0, step),
            ViewChange::Window(start) => self.window = Window { start, ..Window::default() },
        }
        let reach = (500.0 * (1.0 - 1.0 / self.factor(nearest))) as i32;
        self.x = self.x.clamp(-reach, reach);
        self.y = self.y.clamp(-reach, reach);
        self
    }

    fn pan(&self, nearest: f32) -> i32 {
        (1000.0 * PAN / self.factor(nearest)).max(1.0) as i32
    }

    /// A description such as "×4 inverted level -10% width +30%"; empty for the unchanged image.
    pub fn words(&self, nearest: f32) -> String {
        let mut words = Vec::new();
        if self.is_zoomed(nearest) {
            words.push(format!("×{}", (self.factor(nearest) * 10.0).round() / 10.0));
        }
        if self.inverted {
            words.push("inverted".to_owned());
        }
        match self.window.start {
            WindowStart::AsStored => {}
            WindowStart::Full => words.push("all values".to_owned()),
            WindowStart::Auto => words.push("window auto".to_owned()),
            WindowStart::Darker => words.push("darker half".to_owned()),
            WindowStart::Lighter => words.push("lighter half".to_owned()),
        }
        for (name, moved) in [("level", self.window.level), ("width", self.window.width)] {
            if moved != 0 {
                words.push(format!("{name} {moved:+}%"));
            }
        }
        words.join(" ")
    }

    /// The visible part with the window applied. `grid` is the size of the pane in pixels: zooming stops when a pixel of
    /// the image fills a pixel of the grid.
    pub fn apply(&self, picture: &Picture, grid: Size) -> DynamicImage {
        let lit = self.lit(picture);
        if self.zoom == 0 {
            return lit;
        }
        let (width, height) = (lit.width() as f32, lit.height() as f32);
        let (columns, rows) = (f32::from(grid.width.max(1)), f32::from(grid.height.max(1)));
        let fit = (columns / width).min(rows / height);
        let scale = fit * self.factor(nearest(&lit, grid));
        let visible = |length: f32, cells: f32| (cells / scale).min(length).max(1.0);
        let (part_width, part_height) = (visible(width, columns), visible(height, rows));
        let start = |length: f32, part: f32, shift: i32| {
            (length / 2.0 + length * shift as f32 / 1000.0 - part / 2.0).clamp(0.0, length - part)
        };
        let (left, top) = (start(width, part_width, self.x), start(height, part_height, self.y));
        lit.crop_imm(left as u32, top as u32, part_width.round() as u32, part_height.round() as u32)
    }

    fn lit(&self, picture: &Picture) -> DynamicImage {
        // Unchanged, the screen shows what the models see. Colour images have no window.
        let mut lit = if self.window == Window::default() || picture.image.color().has_color() {
            picture.as_models_see()
        } else {
            DynamicImage::ImageLuma8(self.window.of(picture).apply(&picture.image))
        };
        if self.inverted {
            lit.invert();
        }
        lit
    }
}

/// The maximum zoom of an image on a grid of pixels, relative to the whole image: a pixel of the image fills a pixel
/// of the grid. 1 for an image smaller than the grid.
pub fn nearest(image: &DynamicImage, grid: Size) -> f32 {
    let pixels = |length: u32, cells: u16| length as f32 / f32::from(cells.max(1));
    pixels(image.width(), grid.width).max(pixels(image.height(), grid.height)).max(1.0)
}

impl Window {
    fn moved(self, level: i8, width: i8) -> Self {
        let add = |value: i8, step: i8| value.saturating_add(step).clamp(-100, 100);
        Self { level: add(self.level, level), width: add(self.width, width), ..self }
    }

    /// The values of this picture that become black and white.
    fn of(self, picture: &Picture) -> ValueWindow {
        let deep = picture.image.to_luma16();
        let is_8_bit = matches!(picture.image, DynamicImage::ImageLuma8(_) | DynamicImage::ImageLumaA8(_));
        let (darkest, lightest) = if is_8_bit { (0, u16::MAX) } else { range_of(&deep) };
        let full = ValueWindow { low: f64::from(darkest), high: f64::from(lightest) };
        let whole = ValueWindow { low: 0.0, high: f64::from(u16::MAX) };
        let range = (full.high - full.low).max(1.0);
        let start = match self.start {
            WindowStart::AsStored => picture.window.unwrap_or(whole),
            WindowStart::Full => full,
            WindowStart::Auto => without_tails(&deep),
            WindowStart::Darker => ValueWindow { low: full.low, high: full.low + range / 2.0 },
            WindowStart::Lighter => ValueWindow { low: full.low + range / 2.0, high: full.high },
        };
        let hundredth = range / 100.0;
        let middle = f64::midpoint(start.low, start.high) + f64::from(self.level) * hundredth;
        let half = ((start.high - start.low) + f64::from(self.width) * hundredth).max(hundredth) / 2.0;
        ValueWindow { low: middle - half, high: middle + half }
    }
}

fn range_of(image: &ImageBuffer<Luma<u16>, Vec<u16>>) -> (u16, u16) {
    let darkest = image.pixels().map(|pixel| pixel.0[0]).min().unwrap_or(0);
    let lightest = image.pixels().map(|pixel| pixel.0[0]).max().unwrap_or(u16::MAX);
    (darkest, lightest)
}

fn without_tails(image: &ImageBuffer<Luma<u16>, Vec<u16>>) -> ValueWindow {
    let mut values: Vec<u16> = image.pixels().map(|pixel| pixel.0[0]).collect();
    values.sort_unstable();
    let last = values.len().saturating_sub(1);
    let cut = (last as f64 * TAIL) as usize;
    let at = |place: usize| f64::from(values.get(place).copied().unwrap_or_default());
    ValueWindow { low: at(cut), high: at(last - cut) }
}

#[cfg(test)]
mod tests {
    use crate::files::fingerprint::Fingerprint;
    use crate::terminal::images::view::*;

    fn picture(image: DynamicImage) -> Picture {
        // As after decoding: twelve bits of sixteen are stretched.
        let window = matches!(image, DynamicImage::ImageLuma16(_)).then_some(ValueWindow { low: 0.0, high: 4095.0 });
        Picture { path: "a".into(), fingerprint: Fingerprint::of_bytes(b"a"), image, window }
    }

    fn ramp(width: u32) -> Picture {
        let deep = ImageBuffer::from_fn(width, width, |x, _| Luma([(x * 4095 / (width - 1)) as u16]));
        picture(DynamicImage::ImageLuma16(deep))
    }

    fn values(image: &DynamicImage) -> Vec<u8> {
        image.to_luma8().rows().next().unwrap().map(|pixel| pixel.0[0]).collect()
    }

    /// Maximum zoom in these tests: 400 pixels on 100.
    const NEAREST: f32 = 4.0;

    fn after(changes: &[ViewChange]) -> ImageView {
        changes.iter().fold(ImageView::default(), |view, change| view.changed(*change, NEAREST))
    }

    #[test]
    fn a_window_takes_its_part_of_all_sixteen_bits() {
        let grid = Size::new(10, 10);
        let full = values(&ImageView::default().apply(&ramp(5), grid));
        assert_eq!(full, [0, 64, 127, 191, 255]);
        let narrow = after(&[ViewChange::Width(-50)]);
        assert_eq!(values(&narrow.apply(&ramp(5), grid)), [0, 0, 127, 255, 255]);
        let dark = after(&[ViewChange::Window(WindowStart::Darker)]);
        assert_eq!(values(&dark.apply(&ramp(5), grid)), [0, 127, 255, 255, 255]);
        let inverted = after(&[ViewChange::Invert]);
        assert_eq!(values(&inverted.apply(&ramp(5), grid)), [255, 191, 128, 64, 0]);
        assert_eq!(narrow.words(NEAREST), "width -50%");
    }

    #[test]
    fn the_files_own_window_is_where_one_starts() {
        let grid = Size::new(10, 10);
        let own = Picture { window: Some(ValueWindow { low: 1023.0, high: 3071.0 }), ..ramp(5) };
        assert_eq!(values(&ImageView::default().apply(&own, grid)), [0, 0, 128, 255, 255]);
        let all = after(&[ViewChange::Window(WindowStart::Full)]);
        assert_eq!(values(&all.apply(&own, grid)), [0, 64, 127, 191, 255]);
        let wider = after(&[ViewChange::Width(50)]);
        let wider = values(&wider.apply(&own, grid));
        assert!(wider[1] > 0 && wider[3] < 255, "{wider:?}");
    }

    #[test]
    fn fine_steps_move_the_window_and_stop_at_its_ends() {
        let view = after(&[ViewChange::Level(-10), ViewChange::Width(-40), ViewChange::Level(1)]);
        assert_eq!(view.words(NEAREST), "level -9% width -40%");
        let low = after(&[ViewChange::Level(-100), ViewChange::Level(-100), ViewChange::Width(-120)]);
        assert_eq!(low.words(NEAREST), "level -100% width -100%");
        let step = after(&[ViewChange::Width(-100)]).apply(&ramp(5), Size::new(10, 10));
        assert_eq!(values(&step)[0..2], [0, 0], "one hundredth of the range is left");
    }

    #[test]
    fn zooming_shows_a_part_and_stops_at_one_pixel_for_one() {
        let grid = Size::new(100, 100);
        let twice = after(&[ViewChange::ZoomIn, ViewChange::ZoomIn]);
        assert_eq!(twice.apply(&ramp(400), grid).width(), 200);
        let far = after(&[ViewChange::ZoomIn; 9]);
        assert_eq!(far.apply(&ramp(400), grid).width(), 100);
        assert_eq!(far.apply(&ramp(50), grid).width(), 50, "a small image is whole already");
    }

    #[test]
    fn what_is_said_of_the_zoom_is_what_is_applied() {
        let grid = Size::new(100, 100);
        let limit = |width: u32| nearest(&ramp(width).image, grid);
        assert_eq!((limit(400), limit(250), limit(50)), (4.0, 2.5, 1.0));
        // The steps are 1, 1.5, 2, and then the maximum.
        let far = [ViewChange::ZoomIn; 9].iter().fold(ImageView::default(), |view, change| view.changed(*change, 2.5));
        assert_eq!(far.words(2.5), "×2.5");
        assert_eq!(far.apply(&ramp(250), grid).width(), 100);
        let back = far.changed(ViewChange::ZoomOut, 2.5);
        assert_eq!((back.words(2.5).as_str(), back.apply(&ramp(250), grid).width()), ("×2", 125));
        // The pan is an eighth of the visible part, not of what ×24 would show.
        assert_eq!(far.changed(ViewChange::Right, 2.5).x, 50);
        assert_eq!((far.is_zoomed(1.0), far.words(1.0).as_str()), (false, ""), "a small image is not zoomed");
        let small = ImageView::default().changed(ViewChange::ZoomIn, 1.0);
        assert_eq!(small, ImageView::default());
    }

    #[test]
    fn panning_stays_inside_and_the_whole_image_does_not_pan() {
        let view = after(&[ViewChange::ZoomIn, ViewChange::ZoomIn]);
        let right = [ViewChange::Right; 20].iter().fold(view, |view, change| view.changed(*change, NEAREST));
        let part = right.apply(&ramp(400), Size::new(100, 100));
        assert_eq!((part.width(), values(&part)[199]), (200, 255), "the right edge");
        assert_eq!(after(&[ViewChange::Right]), ImageView::default());
    }
}
