//! Pictures.

use dissent::data::Picture;
use dissent::files::fingerprint::Fingerprint;
use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

/// An image as PNG bytes, in its own depth and channels.
pub fn png(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A grey 8-bit PNG of one value.
pub fn grey_png(width: u32, height: u32, value: u8) -> Vec<u8> {
    png(&DynamicImage::ImageLuma8(GrayImage::from_pixel(width, height, Luma([value]))))
}

/// Writes a picture of one colour.
pub fn write_picture(root: &Path, name: &str, colour: [u8; 3]) {
    RgbImage::from_pixel(8, 6, Rgb(colour)).save(root.join(name)).unwrap();
}

/// Noise over a gradient: what the generators of the fixtures draw too.
pub fn noise_over_gradient(width: u32, height: u32, seed: u64) -> RgbImage {
    let mut state = seed;
    let mut picture = RgbImage::new(width, height);
    for row in 0..height {
        for column in 0..width {
            let mut pixel = [0_u8; 3];
            for (channel, value) in pixel.iter_mut().enumerate() {
                state = (state * 1_103_515_245 + 12_345) % (1 << 31);
                let noise = (state >> 16) % 64;
                *value = ((3 * u64::from(row) + 2 * u64::from(column) + 40 * channel as u64 + noise) % 256) as u8;
            }
            picture.put_pixel(column, row, Rgb(pixel));
        }
    }
    picture
}

/// A grey picture that differs by its size and seed.
pub fn grey_picture(width: u32, height: u32, seed: u32) -> Arc<Picture> {
    let pixel = |x: u32, y: u32| Luma([((x * 7 + y * 13 + seed * 29 + x * y) % 251) as u8]);
    named_picture(&format!("{width}x{height}-{seed}"), GrayImage::from_fn(width, height, pixel).into())
}

/// An image as a picture whose path and fingerprint are those of this name.
pub fn named_picture(name: &str, image: DynamicImage) -> Arc<Picture> {
    Arc::new(Picture { path: name.into(), fingerprint: Fingerprint::of_bytes(name.as_bytes()), image, window: None })
}
