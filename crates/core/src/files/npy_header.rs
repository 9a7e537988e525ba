//! The header of numpy's `.npy` format (numpy.lib.format, versions 1 to 3).

use anyhow::{Context, Result, bail};
use std::io::Read;

/// Maximum length of a header, to limit memory.
const LONGEST: usize = 1 << 16;

/// The text of a header: a Python dictionary with `descr`, `fortran_order` and `shape`.
pub struct NpyHeader(String);

impl NpyHeader {
    /// Reads a header; the elements follow it in `source`.
    ///
    /// # Errors
    /// Fails if the source does not begin with a header.
    pub fn read(source: &mut impl Read) -> Result<Self> {
        let mut start = [0_u8; 8];
        source.read_exact(&mut start)?;
        if &start[..6] != b"\x93NUMPY" {
            bail!("expected the magic bytes \\x93NUMPY, found {}", start[..6].escape_ascii());
        }
        let length = match start[6] {
            1 => {
                let mut bytes = [0_u8; 2];
                source.read_exact(&mut bytes)?;
                usize::from(u16::from_le_bytes(bytes))
            }
            2 | 3 => {
                let mut bytes = [0_u8; 4];
                source.read_exact(&mut bytes)?;
                u32::from_le_bytes(bytes) as usize
            }
            version => bail!("expected format version 1, 2 or 3, found {version}"),
        };
        if length > LONGEST {
            bail!("expected a header of at most {LONGEST} bytes, found {length}");
        }
        let mut header = vec![0_u8; length];
        source.read_exact(&mut header)?;
        Ok(Self(String::from_utf8(header).context("expected a header in UTF-8")?))
    }

    /// The type of the elements, such as `<f4`.
    pub fn descr(&self) -> Option<&str> {
        let (_, rest) = self.0.split_once("'descr'")?;
        let value = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('\'')?;
        value.split_once('\'').map(|(text, _)| text)
    }

    /// The shape of an array in C order.
    ///
    /// # Errors
    /// Fails if the array is in Fortran order or has no shape.
    pub fn shape_in_c_order(&self) -> Result<Vec<usize>> {
        if !self.0.replace(' ', "").contains("'fortran_order':False") {
            bail!("expected C order, found Fortran order; `numpy.ascontiguousarray` converts it");
        }
        self.shape().with_context(|| format!("expected a shape, found none in {:?}", self.0))
    }

    /// The numbers of `'shape': (3882, 28, 28)`.
    fn shape(&self) -> Option<Vec<usize>> {
        let (_, rest) = self.0.split_once("'shape'")?;
        let (_, rest) = rest.split_once('(')?;
        let (inside, _) = rest.split_once(')')?;
        let mut shape = Vec::new();
        for number in inside.split(',').map(str::trim).filter(|number| !number.is_empty()) {
            shape.push(number.parse().ok()?);
        }
        Some(shape)
    }

    /// The bytes of a header of version 1 for rows of `f32` in C order, padded so that the elements begin at a multiple
    /// of 64 bytes, as numpy does it.
    pub fn bytes_for_f32_rows(count: usize, dimension: usize) -> Vec<u8> {
        let mut text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({count}, {dimension}), }}");
        while (10 + text.len() + 1) % 64 != 0 {
            text.push(' ');
        }
        text.push('\n');
        // The text has at most 128 bytes.
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend_from_slice(&(text.len() as u16).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_header_is_read_back() {
        for (count, dimension) in [(0, 1), (570, 64), (12_345_678_901, 16_384)] {
            let bytes = NpyHeader::bytes_for_f32_rows(count, dimension);
            assert_eq!(bytes.len() % 64, 0);
            let header = NpyHeader::read(&mut bytes.as_slice()).unwrap();
            assert_eq!(header.descr(), Some("<f4"));
            assert_eq!(header.shape_in_c_order().unwrap(), [count, dimension]);
        }
    }
}
