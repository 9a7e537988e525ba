//! Random numbers that give the same pictures on every machine: ChaCha8 from (seed, stream), plain arithmetic,
//! `libm`.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A stream of random numbers that depends only on its seed and stream number.
#[derive(Clone, Debug)]
pub struct PhantomRng(ChaCha8Rng);

impl PhantomRng {
    /// Streams of one seed are independent; each item of a dataset takes one stream.
    pub fn new(seed: u64, stream: u64) -> Self {
        // Written out instead of `seed_from_u64`, whose expansion belongs to another crate's version.
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(stream);
        Self(generator)
    }

    /// Uniform in [0, 1), 24 bits.
    pub fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / 16_777_216.0
    }

    /// Uniform in [low, high).
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Uniform in 0..count; `count` is at least 1.
    pub fn below(&mut self, count: usize) -> usize {
        debug_assert!(count > 0, "nothing to choose from");
        ((u64::from(self.0.next_u32()) * count as u64) >> 32) as usize
    }

    /// Uniform integer in low..=high.
    pub fn count(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// -1 or +1.
    pub fn sign(&mut self) -> f32 {
        if self.chance(0.5) { 1.0 } else { -1.0 }
    }

    /// Shuffles in place (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_and_seeds_differ_and_repeat() {
        let first = |seed, stream| PhantomRng::new(seed, stream).0.next_u64();
        assert_eq!(first(1, 2), first(1, 2));
        assert_ne!(first(1, 2), first(1, 3));
        assert_ne!(first(1, 2), first(2, 2));
    }

    #[test]
    fn draws_stay_in_their_range_and_reach_its_ends() {
        let mut rng = PhantomRng::new(7, 0);
        let mut seen = [0; 4];
        for _ in 0..4000 {
            seen[rng.count(2, 5) - 2] += 1;
            let value = rng.between(-1.0, 3.0);
            assert!((-1.0..3.0).contains(&value));
        }
        assert!(seen.iter().all(|&count| (850..1150).contains(&count)), "{seen:?}");
    }
}
