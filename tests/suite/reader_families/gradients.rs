//! Integrated gradients run through the differentiable layers; their sum is what the fused layers say of both ends of the path.

use super::world::{load, logits_at, row};
use candle_core::DType;
use dissent::model::decoder::{DecoderInput, DecoderRow};
use dissent::model::vlm::ReaderCheckpoint;

/// Readers whose features have no rows and columns.
const FAMILIES: [&str; 4] = ["smolvlm", "gemma3", "internvl", "paligemma"];
const ANSWERS: (u32, u32) = (40, 60);

fn log_odds(checkpoint: &ReaderCheckpoint, row: DecoderRow) -> f32 {
    let logits = logits_at(checkpoint, &DecoderInput::new(vec![row]), None, None).remove(0);
    logits[ANSWERS.0 as usize] - logits[ANSWERS.1 as usize]
}

#[test]
fn contributions_sum_to_the_difference_between_an_image_and_its_mean() {
    for family in FAMILIES {
        let checkpoint = load(family);
        let decoder = checkpoint.model.decoder();
        let whole = row(&checkpoint, "two images", DType::F32);
        let tokens = whole.features[0].dim(0).unwrap();
        let image: Vec<usize> =
            (0..whole.ids.len()).filter(|place| whole.ids[*place] == decoder.image_token()).take(tokens).collect();
        let mut without = whole.clone();
        let mean = without.features[0].mean_keepdim(0).unwrap();
        without.features[0] = mean.broadcast_as(whole.features[0].shape()).unwrap().contiguous().unwrap();
        let contributions = decoder.integrated_gradients(&whole, std::slice::from_ref(&image), ANSWERS, 100).unwrap();
        let expected = log_odds(&checkpoint, whole) - log_odds(&checkpoint, without);
        let sum: f32 = contributions.iter().sum();
        println!("{family}: {sum} for {expected}");
        assert!(expected.abs() > 1e-3, "{family}: the image changes nothing, {expected}");
        assert!((sum - expected).abs() < 0.02 * expected.abs(), "{family}: {sum} is not {expected}");
        let outside = (0..contributions.len()).filter(|place| !image.contains(place));
        assert!(outside.map(|place| contributions[place]).all(|value| value == 0.0), "{family}");
    }
}
