//! Small changes to a training image: shift, gain, noise. No mirror images: left and right are findings.

use image::{Rgb, RgbImage};
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

impl Default for Augmentation {
    fn default() -> Self {
        Self { shift: 2, gain: 0.1, noise: 6.0 }
    }
}

impl Augmentation {
    /// A changed copy; the same random stream gives the same copy.
    pub fn apply(&self, image: &RgbImage, random: &mut impl Rng) -> RgbImage {
        let (width, height) = image.dimensions();
        let (right, down) = (self.draw_shift(random), self.draw_shift(random));
        let gain = 1.0 + random.random_range(-1.0..=1.0_f32) * self.gain;
        let mut changed = RgbImage::new(width, height);
        for y in 0..height {
            for x in 0..width {
                let source_x = (x as i32 + right).clamp(0, width as i32 - 1) as u32;
                let source_y = (y as i32 + down).clamp(0, height as i32 - 1) as u32;
                // One value for all channels: grey images stay grey.
                let noise = random.random_range(-1.0..=1.0_f32) * self.noise;
                let change = |value: u8| (f32::from(value) * gain + noise).round().clamp(0.0, 255.0) as u8;
                let Rgb([red, green, blue]) = *image.get_pixel(source_x, source_y);
                changed.put_pixel(x, y, Rgb([change(red), change(green), change(blue)]));
            }
        }
        changed
    }

    fn draw_shift(&self, random: &mut impl Rng) -> i32 {
        random.random_range(-self.shift..=self.shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    fn changed(augmentation: Augmentation, seed: u64) -> RgbImage {
        let image = RgbImage::from_fn(8, 8, |x, y| Rgb([(x * 10) as u8, (y * 10) as u8, 100]));
        augmentation.apply(&image, &mut ChaCha8Rng::seed_from_u64(seed))
    }

    #[test]
    fn the_same_stream_gives_the_same_image() {
        assert_eq!(changed(Augmentation::default(), 1), changed(Augmentation::default(), 1));
        assert_ne!(changed(Augmentation::default(), 1), changed(Augmentation::default(), 2));
    }

    #[test]
    fn no_change_is_possible() {
        let still = Augmentation { shift: 0, gain: 0.0, noise: 0.0 };
        assert_eq!(changed(still, 1).get_pixel(3, 5), &Rgb([30, 50, 100]));
    }
}
