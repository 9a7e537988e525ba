//! Encodes an image for the terminal.

use super::cache::{PictureKey, Scaled};
use super::view::{ImageView, nearest};
use crate::data::Picture;
use crate::terminal::image_protocol::ImageMode;
use anyhow::{Context, Result};
use image::DynamicImage;
use image::imageops::FilterType;
use ratatui::layout::Size;
use ratatui_image::protocol::Protocol;
use ratatui_image::protocol::halfblocks::Halfblocks;
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
    let size = key.size;
    // Half-blocks have one column and two rows of pixels per cell: scaling to that grid scales only once.
    let cell = if matches!(mode, ImageMode::Half | ImageMode::Off) { FontSize::new(1, 2) } else { cell };
    let grid = Size::new(size.width.saturating_mul(cell.width), size.height.saturating_mul(cell.height));
    let image = key.view.apply(picture, grid);
    let resize = Resize::Scale(Some(FilterType::CatmullRom));
    let cells = resize.size_for(&image, cell, size);
    let width = u32::from(cells.width) * u32::from(cell.width);
    let height = u32::from(cells.height) * u32::from(cell.height);
    let scaled = image.resize_exact(width.max(1), height.max(1), FilterType::CatmullRom);
    let protocol = match mode {
        ImageMode::Off | ImageMode::Half => Halfblocks::new(scaled, cells).map(Protocol::Halfblocks),
        ImageMode::Kitty { tmux } => Kitty::new(scaled, cells, id, tmux, false).map(Protocol::Kitty),
        ImageMode::Iterm { tmux } => Iterm2::new(scaled, cells, tmux).map(Protocol::ITerm2),
        ImageMode::Sixel { tmux } => Sixel::new(scaled, cells, tmux).map(Protocol::Sixel),
    };
    let protocol = protocol.context("cannot encode the image for the terminal")?;
    Ok(Scaled { protocol, nearest: nearest(&picture.image, grid) })
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
    use image::{ImageBuffer, Luma};

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
    fn twelve_bits_in_sixteen_are_not_shown_black() {
        let deep = ImageBuffer::from_fn(2, 1, |x, _| Luma([if x == 0 { 0_u16 } else { 4095 }]));
        let DynamicImage::ImageLuma8(shown) = as_first_seen(&picture(DynamicImage::ImageLuma16(deep))) else {
            panic!("still deep")
        };
        assert_eq!(shown.into_raw(), [0, 255]);
    }
}
