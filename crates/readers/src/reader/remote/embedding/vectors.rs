//! The vectors of an answer: one for each input, in the order of the inputs, of one length, finite and not 0.

use super::super::answer::Usage;
use super::super::error::ServerErrorKind;
use serde::Deserialize;

/// Longest vector; those of published models have at most 8192 numbers.
const LONGEST_VECTOR: usize = 1 << 16;
/// Bytes of a number as JSON, with the comma.
const BYTES_PER_NUMBER: usize = 32;
/// Bytes of an answer beside its vectors.
const FRAME: usize = 1 << 16;

/// `/v1/embeddings`.
#[derive(Debug, Deserialize)]
pub(super) struct EmbeddingList {
    data: Vec<Item>,
    usage: Option<Usage>,
}

#[derive(Debug, Deserialize)]
struct Item {
    /// Its place among the inputs.
    index: Option<usize>,
    embedding: Vec<f32>,
}

/// The longest answer in bytes with `count` vectors.
pub(super) fn longest_answer(count: usize, dimension: Option<usize>) -> usize {
    FRAME + count * (dimension.unwrap_or(LONGEST_VECTOR) * BYTES_PER_NUMBER + 1024)
}

impl EmbeddingList {
    /// Tokens of the inputs, if the server counts them; there is no answer to count.
    pub fn usage(&self) -> Usage {
        let prompt_tokens = self.usage.as_ref().and_then(|usage| usage.prompt_tokens.or(usage.total_tokens));
        Usage { prompt_tokens, completion_tokens: prompt_tokens.map(|_| 0), total_tokens: None }
    }

    /// Unit vectors of `count` inputs, in their order.
    ///
    /// # Errors
    /// Fails if there are fewer or more, one is for no input or for one that has a vector, or one has another length than
    /// `dimension` or the first, or a value that is not finite, or is 0. `beginning` is shown then.
    pub fn vectors(
        self,
        count: usize,
        dimension: Option<usize>,
        beginning: &str,
    ) -> Result<Vec<Vec<f32>>, ServerErrorKind> {
        let wrong = |why: String| ServerErrorKind::OtherShape { why, found: beginning.to_owned() };
        if self.data.len() != count {
            return Err(wrong(format!("expected {count} vectors, one for each input, found {}", self.data.len())));
        }
        let mut dimension = dimension;
        let mut vectors: Vec<Option<Vec<f32>>> = vec![None; count];
        for (place, item) in self.data.into_iter().enumerate() {
            let index = match item.index {
                Some(index) => index,
                // The only vector can be for the only input alone.
                None if count == 1 => 0,
                None => return Err(wrong(format!("expected the index of its input in vector {place}, found none"))),
            };
            let Some(slot) = vectors.get_mut(index) else {
                return Err(wrong(format!("expected an index below {count}, found {index}")));
            };
            if slot.is_some() {
                return Err(wrong(format!("expected each index once, found {index} twice")));
            }
            let expected = *dimension.get_or_insert(item.embedding.len());
            if item.embedding.len() != expected || expected == 0 || expected > LONGEST_VECTOR {
                let found = item.embedding.len();
                let expected =
                    if expected == 0 || expected > LONGEST_VECTOR { "1 to 65536".into() } else { expected.to_string() };
                return Err(wrong(format!("expected {expected} numbers in vector {index}, found {found}")));
            }
            *slot = Some(unit(item.embedding).map_err(|reason| wrong(format!("vector {index}: {reason}")))?);
        }
        vectors.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| wrong("an input has no vector".into()))
    }
}

/// Brings the vector to length 1.
fn unit(mut vector: Vec<f32>) -> Result<Vec<f32>, String> {
    if let Some(place) = vector.iter().position(|value| !value.is_finite()) {
        return Err(format!("expected finite numbers, found {} at place {place}", vector[place]));
    }
    let length = vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    if length < 1e-12 {
        return Err("expected a direction, found zeros".into());
    }
    for value in &mut vector {
        *value = (f64::from(*value) / length) as f32;
    }
    Ok(vector)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, count: usize, dimension: Option<usize>) -> Result<Vec<Vec<f32>>, String> {
        let list: EmbeddingList = serde_json::from_str(json).map_err(|error| error.to_string())?;
        list.vectors(count, dimension, json).map_err(|kind| kind.to_string())
    }

    #[test]
    fn vectors_come_in_the_order_of_the_inputs() {
        let json = r#"{"object":"list","data":[{"index":1,"embedding":[0,3]},{"index":0,"embedding":[4,3]}]}"#;
        assert_eq!(read(json, 2, Some(2)).unwrap(), [[0.8, 0.6], [0.0, 1.0]]);
        assert_eq!(read(r#"{"data":[{"embedding":[2]}]}"#, 1, None).unwrap(), [[1.0]]);
    }

    #[test]
    fn wrong_vectors_are_named() {
        let two = |one: &str, other: &str| format!(r#"{{"data":[{one},{other}]}}"#);
        let good = r#"{"index":0,"embedding":[1,0]}"#;
        for (json, message) in [
            (r#"{"data":[]}"#.to_string(), "expected 2 vectors, one for each input, found 0"),
            (two(good, r#"{"index":0,"embedding":[1,0]}"#), "found 0 twice"),
            (two(good, r#"{"index":2,"embedding":[1,0]}"#), "an index below 2, found 2"),
            (two(good, r#"{"embedding":[1,0]}"#), "index of its input in vector 1"),
            (two(good, r#"{"index":1,"embedding":[1,0,0]}"#), "expected 2 numbers in vector 1, found 3"),
            (two(good, r#"{"index":1,"embedding":[0,0]}"#), "vector 1: expected a direction"),
            (two(good, r#"{"index":1,"embedding":[1e39,0]}"#), "vector 1: expected finite numbers, found inf"),
            (two(good, r#"{"index":1,"embedding":[null,0]}"#), "null"),
            (two(good, r#"{"index":1,"embedding":[[1,0]]}"#), "sequence"),
            (two(good, r#"{"index":-1,"embedding":[1,0]}"#), "-1"),
        ] {
            let found = read(&json, 2, None).unwrap_err();
            assert!(found.contains(message), "{message:?} is not in {found}");
        }
    }
}
