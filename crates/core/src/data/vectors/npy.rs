//! Rows of a two-dimensional `.npy` array in C order, mapped.

use super::number::Number;
use super::table::MappedRows;
use crate::files::mapped_bytes::MappedBytes;
use crate::files::npy_header::NpyHeader;
use anyhow::{Context, Result, bail};
use std::io::Cursor;
use std::path::Path;

/// Maps the array.
///
/// # Errors
/// Fails if the file is not an array of two dimensions in C order, of a floating-point type, whole.
pub fn open(path: &Path) -> Result<MappedRows> {
    let bytes = MappedBytes::open(path)?;
    let mut source = Cursor::new(&*bytes);
    let header = NpyHeader::read(&mut source).context("cannot read the array's header")?;
    let start = source.position() as usize;
    let descr = header.descr().unwrap_or("none");
    let number = Number::of_descr(descr).with_context(|| {
        format!("expected numbers of type <f2, <f4 or <f8 (little-endian floating point), found {descr}")
    })?;
    let shape = header.shape_in_c_order()?;
    let [count, dimension] = shape[..] else {
        bail!("expected an array [rows, dimension], found the shape {shape:?}");
    };
    MappedRows::new(bytes, start, None, number, count, dimension)
}
