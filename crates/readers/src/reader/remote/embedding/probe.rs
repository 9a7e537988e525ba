//! The texts and pictures of the probe, and of the requests by which a server is tried out. They have several lengths and
//! shapes, because a changed limit of tokens, resizing or cropping leaves the vectors of others as they were.

use super::super::ServerAddress;
use super::super::WITHIN_LONG;
use super::super::error::{ServerError, ServerErrorKind};
use super::super::http::Http;
use super::super::images::data_uri;
use super::form::{Form, text_body};
use super::vectors::{EmbeddingList, longest_answer};
use anyhow::Result;
use dissent_retrieval::index::EncoderProbe;
use image::{Rgb, RgbImage};
use serde_json::Value;

/// The texts of the probe; the longest one has fewer than the 77 tokens that CLIP takes.
pub(super) const TEXTS: [&str; 3] = [
    "a chest radiograph with a round mass on the left",
    "cyst",
    "Frontal view: 12 × 9 mm spiculated nodule in the right upper lobe (BI-RADS 4), no effusion; the heart is not enlarged, \
     and follow-up in three months is advised.",
];
/// Width, height and number of each picture; vision models of patches need some pixels.
const PICTURES: [(u32, u32, u32); 3] = [(64, 64, 3), (160, 72, 11), (90, 230, 7)];

/// The test inputs as they are sent.
pub(super) struct TestInputs {
    /// Data URIs of the pictures. No encoder takes the first two for the same.
    pub pictures: [String; 3],
}

impl TestInputs {
    pub fn new() -> Result<Self> {
        let [first, second, third] = PICTURES.map(test_picture);
        Ok(Self { pictures: [data_uri(&first)?, data_uri(&second)?, data_uri(&third)?] })
    }
}

/// A test picture: a gradient with stripes, of another pattern and other colours for each number.
fn test_picture((width, height, number): (u32, u32, u32)) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let value = |weight: u32| ((x * number + y * weight) % 256) as u8;
        if number == 3 { Rgb([value(1), value(2), value(5)]) } else { Rgb([value(7), value(0), value(number)]) }
    })
}

/// What a server is known by, and how it is asked.
#[derive(Clone, Debug)]
pub(in crate::reader::remote) struct KnownProbe {
    pub(super) form: Form,
    pub(super) probe: EncoderProbe,
}

impl KnownProbe {
    /// Asks a server for the vectors of the probe.
    ///
    /// # Errors
    /// Fails if it does not embed the test inputs in this form, or its vectors are not usable.
    pub(super) async fn ask(
        http: &Http,
        server: &ServerAddress,
        (model, form): (&str, &Form),
        inputs: &TestInputs,
    ) -> Result<(Vec<Vec<f32>>, Vec<Vec<f32>>), ServerError> {
        let (mut texts, mut pictures) = (Vec::new(), Vec::new());
        // One in each request: a batch of other inputs may change the last digits.
        if form.has_texts {
            for text in TEXTS {
                texts.push(one_vector(http, server, form.path, text_body(model, &[text])).await?);
            }
        }
        if let Some(images) = form.images {
            for uri in &inputs.pictures {
                pictures.push(one_vector(http, server, form.path, images.body(model, &[uri])).await?);
            }
        }
        Ok((texts, pictures))
    }

    /// Checks that a server gives nearly the same vectors as the first one did.
    ///
    /// # Errors
    /// Fails if it cannot be asked, or a vector has another direction.
    pub(in crate::reader::remote) async fn check(
        &self,
        http: &Http,
        server: &ServerAddress,
    ) -> Result<(), ServerError> {
        let wrong = |what| http.failed(server, ServerErrorKind::Unequal { what });
        let inputs = TestInputs::new().map_err(|error| wrong(error.to_string()))?;
        let asked = Self::ask(http, server, (&self.probe.model, &self.form), &inputs).await?;
        let now = EncoderProbe { texts: asked.0, pictures: asked.1, ..self.probe.clone() };
        self.probe.difference(&now).map_or(Ok(()), |what| Err(wrong(what)))
    }
}

/// The unit vector of the only input of a request.
pub(super) async fn one_vector(
    http: &Http,
    server: &ServerAddress,
    path: &str,
    body: Value,
) -> Result<Vec<f32>, ServerError> {
    let answer = http.post::<EmbeddingList>(server, path, &body, longest_answer(1, None), WITHIN_LONG).await?;
    let vectors = answer.value.vectors(1, None, &answer.beginning).map_err(|kind| http.failed(server, kind))?;
    Ok(vectors.into_iter().next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_pictures_have_several_shapes_and_no_two_are_alike() {
        let pictures = PICTURES.map(test_picture);
        for (number, one) in pictures.iter().enumerate() {
            for other in &pictures[..number] {
                assert_ne!(one.dimensions(), other.dimensions());
                assert_ne!(one.get_pixel(40, 40), other.get_pixel(40, 40));
            }
        }
        assert!(pictures[1].width() > 2 * pictures[1].height() && pictures[2].height() > 2 * pictures[2].width());
    }
}
