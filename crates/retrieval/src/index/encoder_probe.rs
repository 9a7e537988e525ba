//! The probe of an encoder on a server: vectors of texts and pictures that are always the same, by which the server is known
//! again. Servers repeat a vector only nearly, so that the fingerprint of an index is taken over where its probe is near.

use dissent_core::files::fingerprint::Fingerprint;
use serde::{Deserialize, Serialize};

/// Vectors with a smaller cosine are different: rounding in half precision and other batches stay above, another
/// quantisation of the same model stays below.
pub const SAME_COSINE: f64 = 1.0 - 1e-4;

/// What a server was when an index was built with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncoderProbe {
    /// The model's name on the server.
    pub model: String,
    /// What the server says about the weights.
    pub weights: String,
    /// Fingerprint of the encoder then.
    pub fingerprint: Fingerprint,
    /// Vectors of the test texts; none if the server embeds no texts.
    // An index of an earlier version has none, and is built anew.
    #[serde(default)]
    pub texts: Vec<Vec<f32>>,
    /// Vectors of the test pictures; none if the server embeds no images.
    #[serde(default)]
    pub pictures: Vec<Vec<f32>>,
}

impl EncoderProbe {
    /// Whether `now` is the same model with vectors that are nearly the same.
    pub fn is_near(&self, now: &Self) -> bool {
        self.model == now.model && self.weights == now.weights && self.difference(now).is_none()
    }

    /// The first test input whose vector is not nearly the same: "its vector of test picture 2 has a cosine of 0.9312". `None`
    /// if all are.
    pub fn difference(&self, now: &Self) -> Option<String> {
        for (what, then, now) in [("text", &self.texts, &now.texts), ("picture", &self.pictures, &now.pictures)] {
            if then.len() != now.len() {
                return Some(format!("vectors of {} test {what}s instead of {}", now.len(), then.len()));
            }
            for (number, (then, now)) in then.iter().zip(now).enumerate() {
                let place = number + 1;
                match cosine(then, now) {
                    None => {
                        let (expected, found) = (then.len(), now.len());
                        return Some(format!(
                            "its vector of test {what} {place} has {found} numbers instead of {expected}"
                        ));
                    }
                    Some(cosine) if cosine <= SAME_COSINE => {
                        return Some(format!(
                            "its vector of test {what} {place} has a cosine of {cosine:.4} to the other, below {SAME_COSINE}"
                        ));
                    }
                    Some(_) => {}
                }
            }
        }
        None
    }
}

/// Whether two unit vectors are the same but for rounding.
pub fn is_same_direction(one: &[f32], other: &[f32]) -> bool {
    cosine(one, other).is_some_and(|cosine| cosine > SAME_COSINE)
}

/// `None` for vectors of different lengths.
fn cosine(one: &[f32], other: &[f32]) -> Option<f64> {
    let product = |(one, other): (&f32, &f32)| f64::from(*one) * f64::from(*other);
    (one.len() == other.len()).then(|| one.iter().zip(other).map(product).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(texts: &[&[f32]], pictures: &[&[f32]]) -> EncoderProbe {
        let owned = |vectors: &[&[f32]]| vectors.iter().map(|vector| vector.to_vec()).collect();
        EncoderProbe {
            model: "m".into(),
            weights: "w".into(),
            fingerprint: Fingerprint::of_bytes(b"a"),
            texts: owned(texts),
            pictures: owned(pictures),
        }
    }

    #[test]
    fn rounding_is_near_and_another_model_is_not() {
        let then = probe(&[&[0.6, 0.8], &[0.0, 1.0]], &[&[1.0, 0.0]]);
        assert!(then.is_near(&probe(&[&[0.6004, 0.7997], &[0.0, 1.0]], &[&[1.0, 0.001]])));
        let other = probe(&[&[0.6, 0.8], &[0.1, 0.995]], &[&[1.0, 0.0]]);
        assert!(!then.is_near(&other), "the second text alone differs");
        let words = then.difference(&other).unwrap();
        assert!(words.contains("test text 2 has a cosine of 0.9950"), "{words}");
        assert!(!then.is_near(&probe(&[&[0.6, 0.8], &[0.0, 1.0]], &[])), "it no longer embeds images");
        assert!(!then.is_near(&EncoderProbe { weights: "x".into(), ..then.clone() }));
        assert!(probe(&[], &[&[1.0]]).is_near(&probe(&[], &[&[1.0]])));
    }

    #[test]
    fn a_probe_of_an_earlier_version_is_not_near() {
        let json = r#"{"model":"m","weights":"w","fingerprint":"0123456789abcdef","text":[1.0],"picture":[]}"#;
        let old: EncoderProbe = serde_json::from_str(json).unwrap();
        assert!(!old.is_near(&probe(&[&[1.0]], &[])));
    }
}
