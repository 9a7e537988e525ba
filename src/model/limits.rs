//! Sizes that no real configuration has: a wrong or hostile file must not make the program ask for the memory.

/// Wider than any tower, longer than any vocabulary, larger than any picture's side.
const LARGEST: usize = 1 << 22;

/// Whether every size lies between 1 and some millions; says which does not. Sizes are then safe to multiply in pairs.
pub fn check_sizes(place: &str, sizes: &[(&str, usize)]) -> Result<(), String> {
    for (name, size) in sizes {
        if !(1..=LARGEST).contains(size) {
            return Err(format!("{place}: expected {name} from 1 to {LARGEST}, found {size}"));
        }
    }
    Ok(())
}

/// Longest side in pixels that an image processor may ask for: published ones ask for 2048 at most.
pub const LONGEST_SIDE: usize = 1 << 12;

/// Whether bytes become numbers by these; says which field is wrong.
pub fn check_scaling(mean: &[f64], deviation: &[f64], factor: f64) -> Result<(), String> {
    if !mean.iter().all(|mean| mean.is_finite()) {
        return Err(format!("field image_mean: expected numbers, found {mean:?}"));
    }
    if !deviation.iter().all(|deviation| deviation.is_finite() && *deviation != 0.0) {
        return Err(format!("field image_std: expected numbers other than 0, found {deviation:?}"));
    }
    if !factor.is_finite() || factor == 0.0 {
        return Err(format!("field rescale_factor: expected a number other than 0, found {factor}"));
    }
    Ok(())
}
