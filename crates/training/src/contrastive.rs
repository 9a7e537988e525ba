//! The symmetric contrastive loss of CLIP; equal captions are positives of each other.

use anyhow::Result;
use candle_core::{D, Tensor};
use candle_nn::ops::log_softmax;

/// Mean of the image-to-caption and caption-to-image cross entropies.
///
/// `images` and `captions` are unit vectors `[B, D]`, `scale` the logit scale (a scalar, already exponentiated),
/// `targets` `[B, B]` with rows that sum to 1: row i spreads its mass over the captions equal to caption i. If all
/// captions are distinct, it is the identity and the loss is CLIP's own (Radford et al. 2021). If captions repeat, the
/// plain loss would push equal captions apart (compare UniCL, Yang et al. 2022).
pub fn contrastive_loss(images: &Tensor, captions: &Tensor, scale: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let logits = images.matmul(&captions.t()?)?.broadcast_mul(scale)?;
    let by_image = (log_softmax(&logits, D::Minus1)? * targets)?.sum(D::Minus1)?.mean_all()?;
    // Equality is symmetric, so the same targets serve both directions.
    let by_caption = (log_softmax(&logits.t()?.contiguous()?, D::Minus1)? * targets)?.sum(D::Minus1)?.mean_all()?;
    Ok(((by_image + by_caption)? * -0.5)?)
}

/// Targets of [`contrastive_loss`]: equal captions share the mass equally.
pub fn caption_targets(captions: &[&str], device: &candle_core::Device) -> Result<Tensor> {
    let count = captions.len();
    let mut values = vec![0.0_f32; count * count];
    for (row, caption) in captions.iter().enumerate() {
        let equal: Vec<usize> = (0..count).filter(|&column| captions[column] == *caption).collect();
        for &column in &equal {
            values[row * count + column] = 1.0 / equal.len() as f32;
        }
    }
    Ok(Tensor::from_vec(values, (count, count), device)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    fn loss_of(captions: &[&str]) -> f32 {
        let device = Device::Cpu;
        let vectors = Tensor::new(&[[1.0_f32, 0.0], [1.0, 0.0], [0.0, 1.0]], &device).unwrap();
        let scale = Tensor::new(100.0_f32, &device).unwrap();
        let targets = caption_targets(captions, &device).unwrap();
        contrastive_loss(&vectors, &vectors, &scale, &targets).unwrap().to_scalar::<f32>().unwrap()
    }

    #[test]
    fn distinct_captions_give_the_identity() {
        let targets = caption_targets(&["a", "b"], &Device::Cpu).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(targets, [[1.0, 0.0], [0.0, 1.0]]);
    }

    #[test]
    fn equal_vectors_are_free_only_when_their_captions_are_equal_too() {
        // Two equal captions leave the entropy of an even split, ln 2, on two rows of three.
        assert!((loss_of(&["a", "a", "b"]) - 2.0 / 3.0 * std::f32::consts::LN_2).abs() < 1e-5);
        assert!((loss_of(&["a", "b", "a"]) - loss_of(&["a", "a", "b"])).abs() > 1.0);
    }

    #[test]
    fn gradient_reaches_images_captions_and_scale() {
        let device = Device::Cpu;
        let images = candle_core::Var::randn(0.0_f32, 1.0, (4, 3), &device).unwrap();
        let captions = candle_core::Var::randn(0.0_f32, 1.0, (4, 3), &device).unwrap();
        let scale = candle_core::Var::from_tensor(&Tensor::new(2.0_f32, &device).unwrap()).unwrap();
        let targets = caption_targets(&["a", "b", "c", "d"], &device).unwrap();
        let loss = contrastive_loss(&images, &captions, &scale, &targets).unwrap();
        let store = loss.backward().unwrap();
        for variable in [&images, &captions, &scale] {
            let gradient = store.get(variable.as_tensor()).unwrap().abs().unwrap().sum_all().unwrap();
            assert!(gradient.to_dtype(DType::F32).unwrap().to_scalar::<f32>().unwrap() > 0.0);
        }
    }
}
