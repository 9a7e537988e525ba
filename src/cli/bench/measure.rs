//! One model on one device: how fast it computes, and what.

use super::workload::Workload;
use crate::model::device::{forget_gpu_peak, peak_gpu_bytes};
use crate::model::dual_encoder::DualEncoder;
use crate::reader::{CandleReader, Reader};
use anyhow::{Result, ensure};
use candle_core::{DType, Device};
use serde::Serialize;
use std::path::Path;
use std::time::Instant;

/// How fast a model computes.
#[derive(Clone, Debug, Serialize)]
pub struct Speed {
    pub dtype: &'static str,
    /// Cases of a reader; pictures of an encoder.
    pub cases_per_second: f64,
    /// Tokens of prompts of a reader, those of images among them; captions of an encoder, 0 if it has no text tower.
    pub tokens_per_second: f64,
    /// The most bytes of a GPU's memory that tensors took at a time, weights among them; `None` on a CPU.
    pub peak_gpu_bytes: Option<u64>,
}

/// Speed and numbers of a model.
pub struct Measured {
    pub speed: Speed,
    /// Logits after each prompt, or the unit vector of each picture and then of each caption.
    pub rows: Vec<Vec<f32>>,
}

/// Measures a reader, which sees each picture for the first time. The first prompts are read twice: the first time compiles
/// kernels.
pub fn reader(folder: &Path, device: &Device, dtype: DType, work: &Workload) -> Result<Measured> {
    forget_gpu_peak(device);
    CandleReader::load(folder, device, dtype)?.score(&work.requests[..work.requests.len().min(8)], &|| false)?;
    let mut reader = CandleReader::load(folder, device, dtype)?;
    let tokens: usize = reader.prompt_tokens(&work.requests)?.iter().sum();
    let begun = Instant::now();
    reader.score(&work.requests, &|| false)?;
    let seconds = begun.elapsed().as_secs_f64();
    let rows = finite(reader.logits(&work.requests)?, "logits after prompt")?;
    let speed = Speed {
        dtype: dtype.as_str(),
        cases_per_second: work.cases as f64 / seconds,
        tokens_per_second: tokens as f64 / seconds,
        peak_gpu_bytes: peak_gpu_bytes(device),
    };
    Ok(Measured { speed, rows })
}

/// Measures an encoder, after it has embedded the first picture and caption once.
pub fn encoder(folder: &Path, device: &Device, dtype: DType, work: &Workload) -> Result<Measured> {
    forget_gpu_peak(device);
    let encoder = DualEncoder::load(folder, device, dtype)?;
    let pictures: Vec<_> = work.pictures().iter().map(|picture| picture.to_rgb8()).collect();
    let pictures: Vec<_> = pictures.iter().collect();
    let captions = if encoder.embeds_texts() { work.captions() } else { Vec::new() };
    encoder.embed_pictures(&pictures[..pictures.len().min(1)])?;
    encoder.embed_texts(&captions[..captions.len().min(1)])?;
    let begun = Instant::now();
    let mut rows = encoder.embed_pictures(&pictures)?;
    let for_pictures = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    rows.extend(encoder.embed_texts(&captions)?);
    let for_captions = begun.elapsed().as_secs_f64();
    let speed = Speed {
        dtype: dtype.as_str(),
        cases_per_second: pictures.len() as f64 / for_pictures,
        tokens_per_second: if captions.is_empty() { 0.0 } else { captions.len() as f64 / for_captions },
        peak_gpu_bytes: peak_gpu_bytes(device),
    };
    Ok(Measured { speed, rows: finite(rows, "vector")? })
}

/// Numbers that are none would agree with everything.
fn finite(rows: Vec<Vec<f32>>, what: &str) -> Result<Vec<Vec<f32>>> {
    let bad = rows.iter().position(|row| row.iter().any(|value| !value.is_finite()));
    ensure!(bad.is_none(), "{what} {}: expected finite numbers, found NaN or infinity", bad.unwrap_or(0) + 1);
    Ok(rows)
}

/// The largest difference of two values, as a share of the row's largest value.
///
/// # Errors
/// Fails if the rows are not of the same sizes.
pub fn difference(found: &[Vec<f32>], expected: &[Vec<f32>]) -> Result<f32> {
    ensure!(found.len() == expected.len(), "expected {} rows, found {}", expected.len(), found.len());
    let mut worst = 0.0_f32;
    for (found, expected) in found.iter().zip(expected) {
        ensure!(found.len() == expected.len(), "expected {} values in a row, found {}", expected.len(), found.len());
        let largest = expected.iter().map(|value| value.abs()).fold(f32::MIN_POSITIVE, f32::max);
        let apart = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs()).fold(0.0, f32::max);
        worst = worst.max(apart / largest);
    }
    Ok(worst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_a_share_of_the_largest_value() {
        assert_eq!(difference(&[vec![1.0, -4.0], vec![2.0]], &[vec![1.0, -4.0], vec![2.0]]).unwrap(), 0.0);
        assert_eq!(difference(&[vec![1.0, -3.0], vec![2.0]], &[vec![1.0, -4.0], vec![2.0]]).unwrap(), 0.25);
        assert!(difference(&[vec![1.0]], &[vec![1.0, 2.0]]).is_err() && difference(&[], &[vec![1.0]]).is_err());
    }

    #[test]
    fn numbers_that_are_none_are_an_error() {
        let message = finite(vec![vec![0.0], vec![f32::NAN]], "vector").unwrap_err().to_string();
        assert_eq!(message, "vector 2: expected finite numbers, found NaN or infinity");
    }
}
