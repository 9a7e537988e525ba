//! RoPE scaling for sequences longer than in pretraining, as in transformers (`modeling_rope_utils.py`): linear
//! (kaiokendev), dynamic NTK (bloc97, emozilla), YaRN (Peng et al. 2023), Llama 3.1 and LongRoPE (Ding et al. 2024).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::f64::consts::TAU;

/// Known values of `rope_type`, for messages.
const KNOWN: &str = "default, mrope, linear, dynamic, yarn, llama3 or longrope";

/// A kind of scaling with its fields under their names in `config.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rope_type", rename_all = "lowercase")]
pub enum RopeScaling {
    Linear {
        factor: f64,
    },
    /// Applies only to prompts longer than `max_position_embeddings`.
    Dynamic {
        factor: f64,
    },
    Yarn {
        factor: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        original_max_position_embeddings: Option<usize>,
        #[serde(skip_serializing_if = "Option::is_none")]
        attention_factor: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        mscale: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        mscale_all_dim: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        beta_fast: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        beta_slow: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        truncate: Option<bool>,
    },
    Llama3 {
        factor: f64,
        low_freq_factor: f64,
        high_freq_factor: f64,
        #[serde(skip_serializing_if = "Option::is_none")]
        original_max_position_embeddings: Option<usize>,
    },
    LongRope {
        factor: Option<f64>,
        /// Divisor of each pair's frequency up to the original length; `long_factor` applies beyond it.
        short_factor: Vec<f64>,
        long_factor: Vec<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        original_max_position_embeddings: Option<usize>,
        #[serde(skip_serializing_if = "Option::is_none")]
        attention_factor: Option<f64>,
    },
}

/// The fields of `rope_parameters`, which is `rope_scaling` in files before transformers 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::model) struct RopeFields {
    pub theta: Option<f64>,
    pub sections: Option<Vec<usize>>,
    pub scaling: Option<RopeScaling>,
}

/// RoPE frequencies: `inv_freq` for each pair (radians per position), and the attention scale on cosines and sines.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::model) struct Frequencies {
    pub inv_freq: Vec<f32>,
    pub scale: f32,
}

impl RopeFields {
    /// Reads the first of `fields` that is an object. `place` is prepended to field names in messages.
    ///
    /// # Errors
    /// Fails if the kind is unknown, or a field is missing or has the wrong type; the message names it.
    pub fn of_json(fields: [Option<&Value>; 2], place: &str) -> Result<Self, String> {
        let Some(given) = fields.into_iter().flatten().find_map(Value::as_object) else { return Ok(Self::default()) };
        let name = format!("{place}rope_parameters");
        let number = |field: &str| given.get(field).filter(|value| !value.is_null());
        let theta = match number("rope_theta") {
            None => None,
            Some(value) => {
                Some(value.as_f64().ok_or_else(|| format!("{name}: rope_theta: expected a number, found {value}"))?)
            }
        };
        let sections = match number("mrope_section") {
            None => None,
            Some(value) => {
                Some(serde_json::from_value(value.clone()).map_err(|error| format!("{name}: mrope_section: {error}"))?)
            }
        };
        if let Some(part) = number("partial_rotary_factor").filter(|part| part.as_f64() != Some(1.0)) {
            return Err(format!("{name}: expected \"partial_rotary_factor\": 1, found {part}"));
        }
        // Some versions write both the old and the new name of the field.
        let kind = number("rope_type").or_else(|| number("type"));
        let kind = kind.map_or(Some("default"), Value::as_str);
        let scaling = match kind {
            Some("default" | "mrope") => None,
            Some(kind @ ("linear" | "dynamic" | "yarn" | "llama3" | "longrope")) => {
                let mut tagged: Map<String, Value> = given.clone();
                tagged.insert("rope_type".into(), kind.into());
                let read = serde_json::from_value(Value::Object(tagged));
                Some(read.map_err(|error| format!("{name}, rope_type {kind}: {error}"))?)
            }
            Some(other) => return Err(format!("{name}: expected \"rope_type\": {KNOWN}, found \"{other}\"")),
            None => return Err(format!("{name}: expected \"rope_type\": {KNOWN}, found another type")),
        };
        Ok(Self { theta, sections, scaling })
    }
}

impl RopeScaling {
    /// Fails at the first value that is out of range. `place` is prepended to field names in messages.
    pub(super) fn check(&self, head_size: usize, place: &str) -> Result<(), String> {
        let positive = |name: &str, value: f64| {
            if value.is_finite() && value > 0.0 {
                return Ok(());
            }
            Err(format!("{place}rope_parameters: {name}: expected a number above 0, found {value}"))
        };
        if let Some(factor) = self.factor() {
            positive("factor", factor)?;
        }
        if self.original(1) == 0 {
            return Err(format!(
                "{place}rope_parameters: original_max_position_embeddings: expected 1 or more, found 0"
            ));
        }
        match self {
            Self::Llama3 { low_freq_factor, high_freq_factor, .. } => {
                positive("low_freq_factor", *low_freq_factor)?;
                positive("high_freq_factor", *high_freq_factor)?;
                positive("high_freq_factor - low_freq_factor", high_freq_factor - low_freq_factor)
            }
            Self::LongRope { short_factor, long_factor, .. } => {
                for (name, factors) in [("short_factor", short_factor), ("long_factor", long_factor)] {
                    let (expected, found) = (head_size / 2, factors.len());
                    if found != expected {
                        return Err(format!(
                            "{place}rope_parameters: {name}: expected {expected} numbers, found {found}"
                        ));
                    }
                    factors.iter().try_for_each(|factor| positive(name, *factor))?;
                }
                Ok(())
            }
            Self::Dynamic { .. } if head_size <= 2 => {
                Err(format!("{place}rope_parameters: dynamic scaling needs head_dim above 2"))
            }
            _ => Ok(()),
        }
    }

    fn factor(&self) -> Option<f64> {
        match self {
            Self::Linear { factor } | Self::Dynamic { factor } | Self::Llama3 { factor, .. } => Some(*factor),
            Self::Yarn { factor, .. } | Self::LongRope { factor, .. } => *factor,
        }
    }

    /// Ratio of the longest sequence after and before scaling; `positions` is `max_position_embeddings`.
    pub(in crate::model) fn factor_for(&self, positions: usize) -> f64 {
        self.factor().unwrap_or(positions as f64 / self.original(positions) as f64)
    }

    /// Longest sequence before scaling, in tokens.
    pub(in crate::model) fn original(&self, positions: usize) -> usize {
        match self {
            Self::Linear { .. } | Self::Dynamic { .. } => positions,
            Self::Yarn { original_max_position_embeddings: original, .. }
            | Self::Llama3 { original_max_position_embeddings: original, .. }
            | Self::LongRope { original_max_position_embeddings: original, .. } => original.unwrap_or(positions),
        }
    }

    /// Longest sequence after scaling, in tokens; `max_position_embeddings` of a file may include the scaling or not.
    pub(super) fn longest(&self, positions: usize) -> usize {
        let scaled = self.original(positions) as f64 * self.factor().unwrap_or(1.0);
        positions.max(scaled as usize)
    }

    /// True if the frequencies depend on the sequence length.
    pub(super) fn depends_on_length(&self) -> bool {
        matches!(self, Self::Dynamic { .. } | Self::LongRope { .. })
    }

    /// The frequencies for a sequence of `length` tokens.
    pub(super) fn frequencies(&self, head_size: usize, theta: f64, positions: usize, length: usize) -> Frequencies {
        let plain = |theta: f64| frequencies(head_size, theta);
        let pairs = 0..head_size / 2;
        let inv_freq_of = |pair: usize| theta.powf(-2.0 * pair as f64 / head_size as f64);
        let original = self.original(positions) as f64;
        match self {
            Self::Linear { factor } => {
                let inv_freq = pairs.map(|pair| (inv_freq_of(pair) / factor) as f32).collect();
                Frequencies { inv_freq, scale: 1.0 }
            }
            Self::Dynamic { factor } => {
                let stretch = factor * length.max(positions) as f64 / positions as f64 - (factor - 1.0);
                let power = head_size as f64 / (head_size as f64 - 2.0);
                Frequencies { inv_freq: plain(theta * stretch.powf(power)), scale: 1.0 }
            }
            Self::Yarn { .. } => self.yarn(head_size, theta, positions as f64 / original, original),
            Self::Llama3 { factor, low_freq_factor, high_freq_factor, .. } => {
                let inv_freq = |pair: usize| {
                    let inv_freq = inv_freq_of(pair);
                    let wavelength = TAU / inv_freq;
                    if wavelength < original / high_freq_factor {
                        return inv_freq as f32;
                    }
                    if wavelength > original / low_freq_factor {
                        return (inv_freq / factor) as f32;
                    }
                    let smooth = (original / wavelength - low_freq_factor) / (high_freq_factor - low_freq_factor);
                    ((1.0 - smooth) * inv_freq / factor + smooth * inv_freq) as f32
                };
                Frequencies { inv_freq: pairs.map(inv_freq).collect(), scale: 1.0 }
            }
            Self::LongRope { short_factor, long_factor, factor, attention_factor, .. } => {
                let factors = if length as f64 > original { long_factor } else { short_factor };
                let inv_freq = pairs.zip(factors).map(|(pair, factor)| (inv_freq_of(pair) / factor) as f32).collect();
                let factor = factor.unwrap_or(positions as f64 / original);
                let own = if factor <= 1.0 { 1.0 } else { (1.0 + factor.ln() / original.ln()).sqrt() };
                Frequencies { inv_freq, scale: attention_factor.unwrap_or(own) as f32 }
            }
        }
    }

    /// YaRN: high-frequency pairs are unchanged, low-frequency pairs are divided by `factor`, with a linear ramp between.
    fn yarn(&self, head_size: usize, theta: f64, ratio: f64, original: f64) -> Frequencies {
        let Self::Yarn { factor, attention_factor, mscale, mscale_all_dim, beta_fast, beta_slow, truncate, .. } = self
        else {
            return Frequencies { inv_freq: frequencies(head_size, theta), scale: 1.0 };
        };
        let factor = factor.unwrap_or(ratio);
        let scale_by = |weight: f64| if factor <= 1.0 { 1.0 } else { 0.1 * weight * factor.ln() + 1.0 };
        let own = match (mscale, mscale_all_dim) {
            (Some(mscale), Some(all)) if *mscale != 0.0 && *all != 0.0 => scale_by(*mscale) / scale_by(*all),
            _ => scale_by(1.0),
        };
        let or = |value: Option<f64>, default: f64| value.filter(|value| *value != 0.0).unwrap_or(default);
        let size = head_size as f64;
        let pair_with_rotations = |rotations: f64| size * (original / (rotations * TAU)).ln() / (2.0 * theta.ln());
        let (mut low, mut high) = (pair_with_rotations(or(*beta_fast, 32.0)), pair_with_rotations(or(*beta_slow, 1.0)));
        if truncate.unwrap_or(true) {
            (low, high) = (low.floor(), high.ceil());
        }
        let (low, mut high) = (low.max(0.0), high.min(size - 1.0));
        if low == high {
            high += 0.001;
        }
        let inv_freq = |pair: usize| {
            let inv_freq = theta.powf(-2.0 * pair as f64 / size);
            let ramp = ((pair as f64 - low) / (high - low)).clamp(0.0, 1.0);
            (inv_freq / factor * ramp + inv_freq * (1.0 - ramp)) as f32
        };
        Frequencies {
            inv_freq: (0..head_size / 2).map(inv_freq).collect(),
            scale: attention_factor.unwrap_or(own) as f32,
        }
    }
}

/// `inv_freq` without scaling: `theta^(-2i / head_size)` for each pair i.
pub(super) fn frequencies(head_size: usize, theta: f64) -> Vec<f32> {
    (0..head_size / 2).map(|pair| theta.powf(-2.0 * pair as f64 / head_size as f64) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against frequencies computed by transformers (tests/fixtures/readers/rope.py).
    #[test]
    fn every_kind_matches_transformers() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/readers/rope.json");
        let cases: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let cases = cases["frequencies"].as_array().unwrap();
        assert_eq!(cases.len(), 10);
        for case in cases {
            let fields = RopeFields::of_json([Some(&case["fields"]), None], "").unwrap();
            let number = |name: &str| case[name].as_u64().unwrap() as usize;
            let (head_size, positions) = (number("head_size"), number("positions"));
            let scaling = fields.scaling.unwrap();
            scaling.check(head_size, "").unwrap();
            let theta = case["theta"].as_f64().unwrap();
            let found = scaling.frequencies(head_size, theta, positions, number("length"));
            let expected: Vec<f32> = serde_json::from_value(case["turns"].clone()).unwrap();
            assert_eq!(found.inv_freq.len(), expected.len());
            for (found, expected) in found.inv_freq.iter().zip(&expected) {
                assert!((found - expected).abs() <= 2e-6 * expected, "{}: {found}, {expected}", case["fields"]);
            }
            assert!((f64::from(found.scale) - case["scale"].as_f64().unwrap()).abs() < 1e-6, "{}", case["fields"]);
            let written = serde_json::to_value(&scaling).unwrap();
            let again = RopeFields::of_json([Some(&written), None], "").unwrap();
            assert_eq!(again.scaling, Some(scaling), "serialising and reading again gives the same");
        }
    }

    #[test]
    fn invalid_fields_are_named() {
        for (fields, word) in [
            (r#"{"rope_type": "proportional", "factor": 2}"#, "found \"proportional\""),
            (r#"{"type": "yarn", "factor": -1}"#, "factor: expected a number above 0"),
            (r#"{"rope_type": "yarn", "factor": 4, "original_max_position_embeddings": 0}"#, "found 0"),
            (r#"{"rope_type": "longrope", "short_factor": [1], "long_factor": [1, 1]}"#, "expected 2 numbers, found 1"),
            (r#"{"rope_type": "linear", "factor": 2, "partial_rotary_factor": 0.5}"#, "partial_rotary_factor"),
            (r#"{"rope_type": 3}"#, "found another type"),
        ] {
            let read = RopeFields::of_json([None, Some(&serde_json::from_str(fields).unwrap())], "");
            let checked = read.and_then(|fields| fields.scaling.map_or(Ok(()), |scaling| scaling.check(4, "")));
            let message = checked.unwrap_err();
            assert!(message.contains(word), "{fields}: {message}");
        }
    }
}
