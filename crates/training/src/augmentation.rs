//! Augmentation of training images: position, exposure, noise. It never mirrors an image, because left and right are
//! findings.

use image::{Rgb, RgbImage};
use rand::Rng;

/// Limits of the random changes to an image.
#[derive(Clone, Copy, Debug)]
pub struct Augmentation {
    /// Largest shift in pixels in each direction; the edge is repeated.
    pub shift: i32,
    /// Largest relative change of brightness.
    pub gain: f32,
    /// Largest relative change of contrast, about middle grey.
    pub contrast: f32,
    /// Largest rotation in degrees in each direction.
    pub turn: f32,
    /// Largest relative change of size.
    pub zoom: f32,
    /// Largest added noise, in grey levels of 255.
    pub noise: f32,
}

impl Augmentation {
    /// For images that all come from one device, as in the sample.
    pub const LIGHT: Self = Self { shift: 2, gain: 0.1, contrast: 0.0, turn: 0.0, zoom: 0.0, noise: 6.0 };
    /// For images whose exposure and position vary, such as radiographs.
    pub const STRONG: Self = Self { shift: 2, gain: 0.2, contrast: 0.3, turn: 10.0, zoom: 0.12, noise: 8.0 };

    /// Returns a changed copy; the same random stream gives the same copy.
    pub fn apply(&self, image: &RgbImage, random: &mut impl Rng) -> RgbImage {
        let (width, height) = image.dimensions();
        let (right, down) = (self.draw_shift(random), self.draw_shift(random));
        let gain = 1.0 + draw(self.gain, random);
        let contrast = 1.0 + draw(self.contrast, random);
        let turn = draw(self.turn, random).to_radians();
        let size = 1.0 + draw(self.zoom, random);
        let (across, along) = (turn.cos() / size, turn.sin() / size);
        let (middle_x, middle_y) = (width.saturating_sub(1) as f32 / 2.0, height.saturating_sub(1) as f32 / 2.0);
        let mut changed = RgbImage::new(width, height);
        for y in 0..height {
            for x in 0..width {
                let (from_x, from_y) = (x as f32 - middle_x, y as f32 - middle_y);
                let source_x = middle_x + across * from_x - along * from_y + right as f32;
                let source_y = middle_y + along * from_x + across * from_y + down as f32;
                // One noise value for all channels keeps grey images grey.
                let noise = draw(self.noise, random);
                let values = between_pixels(image, source_x, source_y);
                let change = |value: f32| (((value - 128.0) * contrast + 128.0) * gain + noise).round() as u8;
                changed.put_pixel(x, y, Rgb(values.map(change)));
            }
        }
        changed
    }

    fn draw_shift(&self, random: &mut impl Rng) -> i32 {
        random.random_range(-self.shift..=self.shift)
    }
}

/// A random number between minus and plus `largest`. If `largest` is 0, nothing is drawn.
fn draw(largest: f32, random: &mut impl Rng) -> f32 {
    if largest == 0.0 { 0.0 } else { random.random_range(-1.0..=1.0_f32) * largest }
}

/// Bilinear interpolation of the image; the edge pixels are repeated beyond the edge.
fn between_pixels(image: &RgbImage, x: f32, y: f32) -> [f32; 3] {
    let x = x.clamp(0.0, image.width().saturating_sub(1) as f32);
    let y = y.clamp(0.0, image.height().saturating_sub(1) as f32);
    let (left, top) = (x.floor() as u32, y.floor() as u32);
    let (right, bottom) = ((x.ceil()) as u32, (y.ceil()) as u32);
    let (part_x, part_y) = (x.fract(), y.fract());
    let at = |x: u32, y: u32, channel: usize| f32::from(image.get_pixel(x, y).0[channel]);
    [0, 1, 2].map(|channel| {
        let above = at(left, top, channel) * (1.0 - part_x) + at(right, top, channel) * part_x;
        let below = at(left, bottom, channel) * (1.0 - part_x) + at(right, bottom, channel) * part_x;
        above * (1.0 - part_y) + below * part_y
    })
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
        assert_eq!(changed(Augmentation::STRONG, 1), changed(Augmentation::STRONG, 1));
        assert_ne!(changed(Augmentation::STRONG, 1), changed(Augmentation::STRONG, 2));
    }

    const STILL: Augmentation = Augmentation { shift: 0, gain: 0.0, contrast: 0.0, turn: 0.0, zoom: 0.0, noise: 0.0 };

    #[test]
    fn no_change_is_possible() {
        assert_eq!(changed(STILL, 1).get_pixel(3, 5), &Rgb([30, 50, 100]));
    }

    #[test]
    fn turning_and_zooming_leave_the_middle_and_move_the_rest() {
        let image = RgbImage::from_fn(9, 9, |x, y| Rgb([(x * 20) as u8, (y * 20) as u8, 0]));
        let turned = Augmentation { turn: 40.0, zoom: 0.4, ..STILL }.apply(&image, &mut ChaCha8Rng::seed_from_u64(3));
        assert_eq!(turned.get_pixel(4, 4), image.get_pixel(4, 4));
        assert_ne!(turned, image);
    }

    #[test]
    fn contrast_leaves_middle_grey_alone() {
        let image = RgbImage::from_pixel(2, 2, Rgb([128, 28, 228]));
        let changed = Augmentation { contrast: 0.5, ..STILL }.apply(&image, &mut ChaCha8Rng::seed_from_u64(4));
        let Rgb([middle, dark, bright]) = *changed.get_pixel(0, 0);
        assert_eq!(middle, 128);
        assert_ne!(dark, 28);
        // Noise raises and lowers values by the same amount.
        assert_eq!(i32::from(bright) - 128, 128 - i32::from(dark));
    }
}
