//! Small changes to a training image: shift, gain, noise. No mirror images: left and right are findings.

use image::RgbImage;
use rand::Rng;

/// How much an image may change.
#[derive(Clone, Copy, Debug)]
pub struct Augmentation {
    /// Largest shift in pixels, either way; the edge is repeated.
    pub shift: i32,
    /// Largest relative change of brightness.
    pub gain: f32,
    /// Largest added noise, in grey levels of 255.
    pub noise: f32,
}

/// Writes the image into `pixels` (planes R, G, B of `[height, width]`) as `(value / 255 - mean) / std` per channel,
/// changed at random if an augmentation is given.
pub fn write_planes(
    image: &RgbImage,
    mean: [f32; 3],
    std: [f32; 3],
    augmentation: Option<(&Augmentation, &mut impl Rng)>,
    pixels: &mut Vec<f32>,
) {
    let (width, height) = (image.width() as i32, image.height() as i32);
    let mut shift = (0, 0);
    let mut gain = 1.0_f32;
    let mut noise: Option<Vec<f32>> = None;
    if let Some((change, random)) = augmentation {
        shift = (random.random_range(-change.shift..=change.shift), random.random_range(-change.shift..=change.shift));
        gain = 1.0 + random.random_range(-1.0..=1.0) * change.gain;
        if change.noise > 0.0 {
            // One value per pixel, the same in all channels: grey images stay grey.
            noise = Some((0..width * height).map(|_| random.random_range(-change.noise..=change.noise)).collect());
        }
    }
    let raw = image.as_raw();
    for channel in 0..3 {
        for y in 0..height {
            let source_y = (y + shift.1).clamp(0, height - 1);
            for x in 0..width {
                let source_x = (x + shift.0).clamp(0, width - 1);
                let mut value = f32::from(raw[((source_y * width + source_x) * 3) as usize + channel]) * gain;
                if let Some(noise) = &noise {
                    value += noise[(y * width + x) as usize];
                }
                pixels.push((value.clamp(0.0, 255.0) / 255.0 - mean[channel]) / std[channel]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    fn gradient() -> RgbImage {
        RgbImage::from_fn(4, 4, |x, y| image::Rgb([(x * 10) as u8, (y * 10) as u8, 200]))
    }

    #[test]
    fn without_change_it_only_normalises() {
        let mut pixels = Vec::new();
        write_planes(&gradient(), [0.5; 3], [0.25; 3], None::<(&Augmentation, &mut ChaCha8Rng)>, &mut pixels);
        assert_eq!(pixels.len(), 48);
        assert!((pixels[1] - (10.0 / 255.0 - 0.5) / 0.25).abs() < 1e-6);
        assert!((pixels[16 + 4] - (10.0 / 255.0 - 0.5) / 0.25).abs() < 1e-6);
    }

    #[test]
    fn the_same_stream_gives_the_same_image() {
        let change = Augmentation { shift: 2, gain: 0.1, noise: 4.0 };
        let draw = |seed| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut pixels = Vec::new();
            write_planes(&gradient(), [0.0; 3], [1.0; 3], Some((&change, &mut random)), &mut pixels);
            pixels
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
