//! The probe of an encoder on a server: vectors of a text and of a picture that are always the same, by which the server is
//! known again. Servers repeat a vector only nearly, so that the fingerprint of an index is taken over where its probe is near.

use dissent_core::files::fingerprint::Fingerprint;
use serde::{Deserialize, Serialize};

/// Vectors with a smaller cosine are different: rounding in half precision and other batches stay above, another
/// quantisation of the same model stays below.
const SAME: f64 = 1.0 - 1e-4;

/// What a server was when an index was built with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncoderProbe {
    /// The model's name on the server.
    pub model: String,
    /// What the server says about the weights.
    pub weights: String,
    /// Fingerprint of the encoder then.
    pub fingerprint: Fingerprint,
    /// Vector of the test text; empty if the server embeds no texts.
    pub text: Vec<f32>,
    /// Vector of the test picture; empty if the server embeds no images.
    pub picture: Vec<f32>,
}

impl EncoderProbe {
    /// Whether `now` is the same model with vectors that are nearly the same.
    pub fn is_near(&self, now: &Self) -> bool {
        self.model == now.model
            && self.weights == now.weights
            && is_same_direction(&self.text, &now.text)
            && is_same_direction(&self.picture, &now.picture)
    }
}

/// Whether two unit vectors are the same but for rounding. Two that are empty are.
pub fn is_same_direction(one: &[f32], other: &[f32]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let product = |(one, other): (&f32, &f32)| f64::from(*one) * f64::from(*other);
    one.is_empty() || one.iter().zip(other).map(product).sum::<f64>() > SAME
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(text: &[f32], picture: &[f32]) -> EncoderProbe {
        EncoderProbe {
            model: "m".into(),
            weights: "w".into(),
            fingerprint: Fingerprint::of_bytes(b"a"),
            text: text.to_vec(),
            picture: picture.to_vec(),
        }
    }

    #[test]
    fn rounding_is_near_and_another_model_is_not() {
        let then = probe(&[0.6, 0.8], &[1.0, 0.0]);
        assert!(then.is_near(&probe(&[0.6004, 0.7997], &[1.0, 0.001])));
        assert!(!then.is_near(&probe(&[0.63, 0.7766], &[1.0, 0.0])));
        assert!(!then.is_near(&probe(&[0.6, 0.8], &[])), "it no longer embeds images");
        assert!(!then.is_near(&EncoderProbe { weights: "x".into(), ..then.clone() }));
        assert!(probe(&[], &[1.0]).is_near(&probe(&[], &[1.0])));
    }
}
