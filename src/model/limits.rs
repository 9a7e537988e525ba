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
