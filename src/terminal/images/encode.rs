//! Encodes an image for the terminal.

use super::cache::{Drawing, PictureKey, Scaled};
use super::view::{ImageView, nearest};
use crate::data::Picture;
use crate::terminal::block_glyphs::{BlockGrid, BlockImage};
use crate::terminal::image_protocol::ImageMode;
use anyhow::{Context, Result};
use image::DynamicImage;
use image::imageops::FilterType;
use ratatui::layout::Size;
use ratatui_image::protocol::Protocol;
use ratatui_image::protocol::iterm2::Iterm2;
use ratatui_image::protocol::kitty::Kitty;
use ratatui_image::protocol::sixel::Sixel;
use ratatui_image::{FontSize, Resize};

/// Applies window and zoom of the view, scales the image into the key's cells, keeping its shape, and encodes it. `cell` is
/// the size of a cell in pixels, for pixel protocols. `id` must be new for each image: kitty keeps images by number.
///
/// # Errors
/// Fails if the protocol's encoder fails.
pub fn encode(picture: &Picture, key: &PictureKey, mode: ImageMode, cell: FontSize, id: u32) -> Result<Scaled> {
    let resize = Resize::Scale(Some(FilterType::CatmullRom));
    let (ImageMode::Kitty { tmux } | ImageMode::Iterm { tmux } | ImageMode::Sixel { tmux }) = mode else {
        let blocks = mode.block_grid().unwrap_or(BlockGrid::Half);
        let grid = square_parts(key.size, blocks);
        let image = key.view.apply(picture, grid);
        // A cell is about twice as high as wide.
        let cells = resize.size_for(&image, FontSize::new(1, 2), key.size);
        let drawing = Drawing::Blocks(in_blocks(&image, cells, blocks));
        return Ok(Scaled { drawing, nearest: nearest(&picture.image, grid) });
    };
    let pixels =
        |cells: Size| Size::new(cells.width.saturating_mul(cell.width), cells.height.saturating_mul(cell.height));
    let grid = pixels(key.size);
    let image = key.view.apply(picture, grid);
    let cells = resize.size_for(&image, cell, key.size);
    let size = pixels(cells);
    let (width, height) = (u32::from(size.width).max(1), u32::from(size.height).max(1));
    let scaled = image.resize_exact(width, height, FilterType::CatmullRom);
    let protocol = match mode {
        ImageMode::Kitty { .. } => Kitty::new(scaled, cells, id, tmux, false).map(Protocol::Kitty),
        ImageMode::Iterm { .. } => Iterm2::new(scaled, cells, tmux).map(Protocol::ITerm2),
        _ => Sixel::new(scaled, cells, tmux).map(Protocol::Sixel),
    };
    let protocol = protocol.context("cannot encode the image for the terminal")?;
    Ok(Scaled { drawing: Drawing::Pixels(protocol), nearest: nearest(&picture.image, grid) })
}

/// How many square pixels the parts of these cells can show: parts may be narrower than high, so the rows count.
fn square_parts(cells: Size, blocks: BlockGrid) -> Size {
    let rows = blocks.rows();
    Size::new(cells.width.saturating_mul(rows) / 2, cells.height.saturating_mul(rows))
}

/// Scales an image to the parts of these cells and draws it with block characters.
pub fn in_blocks(image: &DynamicImage, cells: Size, blocks: BlockGrid) -> BlockImage {
    let width = (u32::from(cells.width) * u32::from(blocks.columns())).max(1);
    let height = (u32::from(cells.height) * u32::from(blocks.rows())).max(1);
    let scaled = image.resize_exact(width, height, FilterType::CatmullRom);
    BlockImage::fit(&scaled.to_rgb8(), cells, blocks)
}

/// The picture in the unchanged view, which is what the models see.
pub fn as_first_seen(picture: &Picture) -> DynamicImage {
    ImageView::default().apply(picture, Size::new(1, 1))
}

#[cfg(test)]
mod tests {
    use crate::data::ValueWindow;
    use crate::files::fingerprint::Fingerprint;
    use crate::terminal::images::encode::*;
    use crate::terminal::images::view::ViewChange;
    use image::{ImageBuffer, Luma};
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Color;
    use ratatui::widgets::Widget;

    fn picture(image: DynamicImage) -> Picture {
        // As after decoding: twelve bits of sixteen are stretched.
        let window = matches!(image, DynamicImage::ImageLuma16(_)).then_some(ValueWindow { low: 0.0, high: 4095.0 });
        Picture { path: "a".into(), fingerprint: Fingerprint::of_bytes(b"a"), image, window }
    }

    fn encoded(image: DynamicImage, size: Size) -> Scaled {
        let key = PictureKey { path: "a".into(), size, view: ImageView::default() };
        encode(&picture(image), &key, ImageMode::Half, FontSize::new(8, 16), 1).unwrap()
    }

    #[test]
    fn a_small_square_fills_the_pane_and_stays_square() {
        let image = DynamicImage::new_luma8(8, 8);
        assert_eq!(encoded(image.clone(), Size::new(60, 15)).size(), Size::new(30, 15));
        assert_eq!(encoded(image.clone(), Size::new(20, 15)).size(), Size::new(20, 10));
    }

    #[test]
    fn extreme_shapes_still_have_a_cell() {
        for (width, height) in [(4000, 1), (1, 4000)] {
            let size = encoded(DynamicImage::new_luma8(width, height), Size::new(10, 5)).size();
            assert!(size.width >= 1 && size.height >= 1, "{size:?}");
        }
    }

    #[test]
    fn finer_characters_can_be_zoomed_further() {
        let picture = picture(DynamicImage::new_luma8(400, 400));
        let nearest = |mode| {
            let key = PictureKey { path: "a".into(), size: Size::new(50, 25), view: ImageView::default() };
            encode(&picture, &key, mode, FontSize::new(8, 16), 1).unwrap().nearest
        };
        // A part of each for a pixel of the image; parts of quadrants are narrower than high, so their height counts.
        let modes = [ImageMode::Half, ImageMode::Quadrant, ImageMode::Sextant, ImageMode::Octant];
        assert_eq!(modes.map(nearest), [8.0, 8.0, 400.0 / 75.0, 4.0]);
    }

    #[test]
    fn inverted_and_zoomed_the_octants_show_the_view() {
        let half = ImageBuffer::from_fn(64, 64, |x, _| Luma([if x < 32 { 0_u8 } else { 200 }]));
        let picture = picture(DynamicImage::ImageLuma8(half));
        let colours = |changes: &[ViewChange]| {
            let view = changes.iter().fold(ImageView::default(), |view, change| view.changed(*change, 4.0));
            let key = PictureKey { path: "a".into(), size: Size::new(16, 8), view };
            let scaled = encode(&picture, &key, ImageMode::Octant, FontSize::new(8, 16), 1).unwrap();
            let mut buffer = Buffer::empty(Rect::new(0, 0, 16, 8));
            scaled.render(buffer.area, &mut buffer);
            (buffer[(0, 4)].bg, buffer[(15, 4)].bg)
        };
        let grey = |value| Color::Rgb(value, value, value);
        assert_eq!(colours(&[]), (grey(0), grey(200)));
        assert_eq!(colours(&[ViewChange::Invert]), (grey(255), grey(55)));
        let right = [ViewChange::ZoomIn, ViewChange::ZoomIn, ViewChange::Right, ViewChange::Right, ViewChange::Right];
        assert_eq!(colours(&[&right[..], &[ViewChange::Right; 5]].concat()), (grey(200), grey(200)));
    }

    #[test]
    fn twelve_bits_in_sixteen_are_not_shown_black() {
        let deep = ImageBuffer::from_fn(2, 1, |x, _| Luma([if x == 0 { 0_u16 } else { 4095 }]));
        let DynamicImage::ImageLuma8(shown) = as_first_seen(&picture(DynamicImage::ImageLuma16(deep))) else {
            panic!("still deep")
        };
        assert_eq!(shown.into_raw(), [0, 255]);
    }
}
