//! Bicubic, bilinear and Lanczos resizing of 8-bit RGB images, identical to Pillow's bit for bit.
//!
//! Image processors of transformers resize with Pillow, so another filter would change a model's input. This follows
//! `src/libImaging/Resample.c` of Pillow: a kernel whose support grows with the scale, fixed-point weights with 22
//! fractional bits, and two passes that each round to 8 bits. The horizontal pass is first, except for images whose height
//! shrinks much (since Pillow 13).

use image::RgbImage;

/// Fractional bits of a weight: 32 minus 8 for the pixel and 2 for overshoot.
const PRECISION_BITS: u32 = 32 - 8 - 2;

/// The resampling filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Triangular kernel.
    Bilinear,
    /// Cubic convolution (Keys 1981) with a = -0.5.
    Bicubic,
    /// Windowed sinc with support 3 (Duchon 1979).
    Lanczos,
}

impl Filter {
    /// Support of the kernel in source pixels, without downscaling.
    fn support(self) -> f64 {
        match self {
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    fn weight(self, distance: f64) -> f64 {
        match self {
            Self::Bilinear => (1.0 - distance.abs()).max(0.0),
            Self::Bicubic => cubic(distance),
            Self::Lanczos if (-3.0..3.0).contains(&distance) => sinc(distance) * sinc(distance / 3.0),
            Self::Lanczos => 0.0,
        }
    }
}

/// Resizes `picture` to `width` × `height` pixels; equals Pillow's `resize((width, height), BICUBIC)`.
///
/// An empty input gives a black picture.
pub fn resize_bicubic(picture: &RgbImage, width: u32, height: u32) -> RgbImage {
    resize(picture, Filter::Bicubic, width, height)
}

/// [`resize_bicubic`] with another filter.
pub fn resize(picture: &RgbImage, filter: Filter, width: u32, height: u32) -> RgbImage {
    if picture.width() == 0 || picture.height() == 0 || width == 0 || height == 0 {
        return RgbImage::new(width, height);
    }
    let rows = |picture: &RgbImage| {
        if width == picture.width() { picture.clone() } else { resize_rows(picture, filter, width) }
    };
    let columns = |picture: &RgbImage| {
        if height == picture.height() { picture.clone() } else { resize_columns(picture, filter, height) }
    };
    let shorter = i64::from(picture.height()) - i64::from(height);
    let narrower = i64::from(picture.width()) - i64::from(width);
    // Each pass rounds to 8 bits, so their order matters.
    if shorter > 0 && shorter > 2 * narrower { rows(&columns(picture)) } else { columns(&rows(picture)) }
}

/// An output pixel: the sum of source pixels from `first`, weighted by `weights`.
struct Window {
    first: u32,
    weights: Vec<i32>,
}

fn resize_rows(picture: &RgbImage, filter: Filter, width: u32) -> RgbImage {
    let windows = windows(filter, picture.width(), width);
    let mut resized = RgbImage::new(width, picture.height());
    for (x, y, pixel) in resized.enumerate_pixels_mut() {
        let window = &windows[x as usize];
        let mut sums = [1_i32 << (PRECISION_BITS - 1); 3];
        for (source, &weight) in (window.first..).zip(&window.weights) {
            add(&mut sums, picture.get_pixel(source, y).0, weight);
        }
        pixel.0 = sums.map(to_byte);
    }
    resized
}

fn resize_columns(picture: &RgbImage, filter: Filter, height: u32) -> RgbImage {
    let windows = windows(filter, picture.height(), height);
    let mut resized = RgbImage::new(picture.width(), height);
    for (x, y, pixel) in resized.enumerate_pixels_mut() {
        let window = &windows[y as usize];
        let mut sums = [1_i32 << (PRECISION_BITS - 1); 3];
        for (source, &weight) in (window.first..).zip(&window.weights) {
            add(&mut sums, picture.get_pixel(x, source).0, weight);
        }
        pixel.0 = sums.map(to_byte);
    }
    resized
}

fn add(sums: &mut [i32; 3], pixel: [u8; 3], weight: i32) {
    for (sum, channel) in sums.iter_mut().zip(pixel) {
        *sum += i32::from(channel) * weight;
    }
}

fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

/// `precompute_coeffs` and `normalize_coeffs_8bpc` of Pillow.
fn windows(filter: Filter, source_size: u32, target_size: u32) -> Vec<Window> {
    let scale = f64::from(source_size) / f64::from(target_size);
    let filter_scale = scale.max(1.0);
    let support = filter.support() * filter_scale;
    let mut windows = Vec::with_capacity(target_size as usize);
    for target in 0..target_size {
        let centre = (f64::from(target) + 0.5) * scale;
        // `as u32` truncates and saturates at 0, like Pillow's cast and check.
        let first = (centre - support + 0.5) as u32;
        let end = ((centre + support + 0.5) as u32).min(source_size);
        let mut weights = Vec::with_capacity((end - first) as usize);
        for source in first..end {
            weights.push(filter.weight((f64::from(source) - centre + 0.5) * (1.0 / filter_scale)));
        }
        let total: f64 = weights.iter().sum();
        let weights = weights.iter().map(|weight| to_fixed_point(weight / total)).collect();
        windows.push(Window { first, weights });
    }
    windows
}

fn to_fixed_point(weight: f64) -> i32 {
    (weight * f64::from(1_u32 << PRECISION_BITS)).round() as i32
}

fn cubic(distance: f64) -> f64 {
    const A: f64 = -0.5;
    let x = distance.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

/// sin(πx) / πx.
fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    let x = x * std::f64::consts::PI;
    x.sin() / x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resizing_to_the_same_size_changes_nothing() {
        let picture = RgbImage::from_fn(5, 3, |x, y| image::Rgb([x as u8, y as u8, 9]));
        assert_eq!(resize_bicubic(&picture, 5, 3), picture);
    }

    #[test]
    fn a_constant_picture_stays_constant() {
        let picture = RgbImage::from_pixel(7, 5, image::Rgb([200, 3, 255]));
        for (width, height) in [(3, 2), (1, 1), (20, 31)] {
            for filter in [Filter::Bilinear, Filter::Bicubic, Filter::Lanczos] {
                let resized = resize(&picture, filter, width, height);
                assert!(resized.pixels().all(|pixel| pixel.0 == [200, 3, 255]), "{filter:?}, {width}×{height}");
            }
        }
    }
}
