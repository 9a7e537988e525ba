//! Where the lesions of the sample are: drawn again from the seed, to judge explanations by.

use super::part::Part;
use crate::phantom::rng::PhantomRng;
use crate::phantom::sites::Sites;
use crate::phantom::subject::Subject;
use crate::phantom::ultrasound::{Params, lesion_cover};
use std::collections::HashMap;

/// By id of the case or document, the share of each pixel (64 × 64, row by row) that the lesion covers. Ultrasound only: a
/// fundus has many lesions or none.
pub fn lesion_covers(seed: u64) -> HashMap<String, Vec<f32>> {
    let sites = Sites::draw(&mut PhantomRng::new(seed, 0));
    let mut covers = HashMap::new();
    for part in Part::ALL {
        for phantom in part.phantoms(&sites, seed) {
            if let Subject::Ultrasound(shown) = &phantom.subject {
                let cover = lesion_cover(shown, &Params::default(), &mut phantom.picture_rng(seed));
                covers.insert(phantom.id(), cover);
            }
        }
    }
    covers
}
