//! Rows of a tensor in a safetensors file, mapped; its metadata may hold the ids.

use super::number::Number;
use super::table::MappedRows;
use crate::data::identifier::identifier_of;
use crate::files::mapped_bytes::MappedBytes;
use crate::text::written_json::Written;
use anyhow::{Context, Result, bail, ensure};
use std::path::Path;

/// Name of the tensor that `dissent export vectors` writes.
pub const TENSOR: &str = "vectors";
/// Key of the metadata whose value is a JSON list of the rows' ids.
pub const IDS: &str = "ids";
/// The entry of the header that is no tensor.
const METADATA: &str = "__metadata__";
/// Maximum length of a header, as in the safetensors crate: ids of a few million rows.
const LONGEST_HEADER: u64 = 100_000_000;

/// Maps the tensor `vectors`, or the only one of the file, and reads the ids of its rows, if there are any.
///
/// # Errors
/// Fails if the file is damaged, or has several tensors and none of that name.
pub fn open(path: &Path) -> Result<(MappedRows, Option<Vec<String>>)> {
    let bytes = MappedBytes::open(path)?;
    let (header, start) = header_of(&bytes)?;
    let Written::Object(entries) = &header else { bail!("expected a JSON object as the header") };
    if let Some(key) = header.repeated_key() {
        bail!("the header has two different entries {key:?}");
    }
    let tensors: Vec<&(String, Written)> = entries.iter().filter(|(name, _)| name != METADATA).collect();
    let found =
        tensors.iter().find(|(name, _)| name == TENSOR).or(if let [only] = &tensors[..] { Some(only) } else { None });
    let Some((name, entry)) = found else {
        let names: Vec<&str> = tensors.iter().map(|(name, _)| name.as_str()).collect();
        bail!("expected a tensor {TENSOR:?} or only one tensor, found {}", names.join(", "));
    };
    let rows = rows_of(bytes, start, entry).with_context(|| format!("tensor {name}"))?;
    let ids = header.get(METADATA).and_then(|metadata| metadata.get(IDS)).map(ids_of).transpose()?;
    Ok((rows, ids))
}

/// The header, and the offset behind it.
fn header_of(bytes: &[u8]) -> Result<(Written, usize)> {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        bail!("expected a safetensors file, found {} bytes", bytes.len());
    };
    let length = u64::from_le_bytes(*length);
    if length > LONGEST_HEADER || length > rest.len() as u64 {
        bail!("expected a safetensors header of at most {} bytes, found the length {length}", rest.len());
    }
    let text = &rest[..length as usize];
    let header = Written::parse(text).map_err(|error| anyhow::anyhow!("the header is not JSON: {error}"))?;
    Ok((header, 8 + length as usize))
}

fn rows_of(bytes: MappedBytes, start: usize, entry: &Written) -> Result<MappedRows> {
    let name = entry.get("dtype").and_then(Written::as_text).unwrap_or("none");
    let number = Number::of_safetensors(name)
        .with_context(|| format!("expected numbers of type F16, BF16, F32 or F64, found {name}"))?;
    let shape = whole_numbers(entry.get("shape")).context("expected a shape")?;
    let [count, dimension] = shape[..] else { bail!("expected a tensor [rows, dimension], found the shape {shape:?}") };
    let offsets = whole_numbers(entry.get("data_offsets")).context("expected data_offsets")?;
    let [from, to] = offsets[..] else { bail!("expected two data_offsets, found {}", offsets.len()) };
    ensure!(from <= to, "expected data_offsets in order, found {from} and {to}");
    let (from, to) = (start.checked_add(from), start.checked_add(to));
    let (from, to) = from.zip(to).context("the data_offsets are too large")?;
    MappedRows::new(bytes, from, Some(to), number, count, dimension)
}

fn whole_numbers(value: Option<&Written>) -> Option<Vec<usize>> {
    let Written::List(items) = value? else { return None };
    let number = |item: &Written| match item {
        Written::Number(digits) => digits.parse().ok(),
        _ => None,
    };
    items.iter().map(number).collect()
}

fn ids_of(value: &Written) -> Result<Vec<String>> {
    let expected = "expected metadata \"ids\" with a JSON list of texts or numbers, as a text";
    let text = value.as_text().context(expected)?;
    let Ok(Written::List(items)) = Written::parse(text.as_bytes()) else { bail!("{expected}") };
    items.iter().map(|item| identifier_of(item).context(expected)).collect()
}
