//! Upper bounds of configured sizes, so that a broken or hostile file cannot cause huge allocations.

/// Upper bound of widths, vocabulary sizes and image sides.
const LARGEST: usize = 1 << 22;

/// Fails unless every size is in 1…[`LARGEST`]; the message names the first other one. Products of two sizes cannot
/// overflow then.
pub fn check_sizes(place: &str, sizes: &[(&str, usize)]) -> Result<(), String> {
    for (name, size) in sizes {
        if !(1..=LARGEST).contains(size) {
            return Err(format!("{place}: expected {name} from 1 to {LARGEST}, found {size}"));
        }
    }
    Ok(())
}

/// Longest side of an image processor's output in pixels; published ones have at most 2048.
pub const LONGEST_SIDE: usize = 1 << 12;

/// Fails if rescaling or normalising by these values would not give finite numbers; the message names the field.
pub fn check_scaling(mean: &[f64], std: &[f64], factor: f64) -> Result<(), String> {
    if !mean.iter().all(|mean| mean.is_finite()) {
        return Err(format!("field image_mean: expected numbers, found {mean:?}"));
    }
    if !std.iter().all(|std| std.is_finite() && *std != 0.0) {
        return Err(format!("field image_std: expected numbers other than 0, found {std:?}"));
    }
    if !factor.is_finite() || factor == 0.0 {
        return Err(format!("field rescale_factor: expected a number other than 0, found {factor}"));
    }
    Ok(())
}
