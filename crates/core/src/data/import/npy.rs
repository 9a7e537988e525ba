//! Reads numpy's `.npy` format as a stream (numpy.lib.format, versions 1 to 3).
//!
//! The crate npyz streams, too, but it allocates as many bytes as a header claims to have (up to 4 GiB), does not
//! name the wrong field, and brings twelve crates, including a parser generator, for a header of three fields.

use crate::files::npy_header::NpyHeader;
use anyhow::{Context, Result, bail};
use std::io::Read;

/// Type of the elements, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
}

impl Element {
    fn parse(descr: &str) -> Option<Self> {
        Some(match descr {
            "|u1" | "<u1" | "u1" => Self::U8,
            "|i1" | "<i1" | "i1" => Self::I8,
            "<u2" => Self::U16,
            "<i2" => Self::I16,
            "<u4" => Self::U32,
            "<i4" => Self::I32,
            "<u8" => Self::U64,
            "<i8" => Self::I64,
            "<f4" => Self::F32,
            "<f8" => Self::F64,
            _ => return None,
        })
    }

    fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }
}

/// An open array: its header, followed by the elements in C order.
pub(super) struct NpyReader<R> {
    /// Name for messages: `train_images.npy`.
    pub name: String,
    pub element: Element,
    pub shape: Vec<usize>,
    source: R,
}

impl<R: Read> NpyReader<R> {
    /// Reads the header.
    pub fn open(name: &str, mut source: R) -> Result<Self> {
        let header = NpyHeader::read(&mut source).with_context(|| format!("{name}: cannot read the array's header"))?;
        let descr = header.descr();
        let element = descr.and_then(Element::parse).with_context(|| {
            format!("{name}: expected elements of type u1 to f8, little-endian; found {}", descr.unwrap_or("none"))
        })?;
        let shape = header.shape_in_c_order().with_context(|| name.to_owned())?;
        Ok(Self { name: name.into(), element, shape, source })
    }

    /// Fills `row` with the next bytes of a `u8` array.
    pub fn read_bytes(&mut self, row: &mut [u8]) -> Result<()> {
        self.source.read_exact(row).with_context(|| format!("{}: the array is cut short or damaged", self.name))
    }

    /// Reads every element as an integer; for short arrays such as labels.
    pub fn read_integers(mut self, count: usize) -> Result<Vec<i64>> {
        let mut values = Vec::new();
        let mut buffer = [0_u8; 8];
        let width = self.element.bytes();
        for row in 0..count {
            self.read_bytes(&mut buffer[..width])?;
            let value = integer(self.element, buffer).with_context(|| {
                format!("{}: expected whole numbers, found another value in row {row} (from 0)", self.name)
            })?;
            values.push(value);
        }
        self.finish()?;
        Ok(values)
    }

    /// Checks that the array ends here; for a zip entry this also compares the checksum.
    pub fn finish(mut self) -> Result<()> {
        let mut rest = [0_u8; 1];
        match self.source.read(&mut rest) {
            Ok(0) => Ok(()),
            Ok(_) => {
                bail!("{}: expected the end of the array, found more bytes than shape {:?}", self.name, self.shape)
            }
            Err(error) => Err(error).with_context(|| format!("{}: the array is cut short or damaged", self.name)),
        }
    }
}

fn integer(element: Element, b: [u8; 8]) -> Option<i64> {
    let short = [b[0], b[1]];
    let long = [b[0], b[1], b[2], b[3]];
    let whole = |value: f64| (value.fract() == 0.0 && value.abs() < 1e15).then_some(value as i64);
    match element {
        Element::U8 => Some(i64::from(b[0])),
        Element::I8 => Some(i64::from(i8::from_le_bytes([b[0]]))),
        Element::U16 => Some(i64::from(u16::from_le_bytes(short))),
        Element::I16 => Some(i64::from(i16::from_le_bytes(short))),
        Element::U32 => Some(i64::from(u32::from_le_bytes(long))),
        Element::I32 => Some(i64::from(i32::from_le_bytes(long))),
        Element::U64 => i64::try_from(u64::from_le_bytes(b)).ok(),
        Element::I64 => Some(i64::from_le_bytes(b)),
        Element::F32 => whole(f64::from(f32::from_le_bytes(long))),
        Element::F64 => whole(f64::from_le_bytes(b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(header: &str, elements: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(elements);
        bytes
    }

    fn integers(header: &str, elements: &[u8], count: usize) -> Result<Vec<i64>> {
        NpyReader::open("x.npy", array(header, elements).as_slice())?.read_integers(count)
    }

    #[test]
    fn whole_numbers_of_several_types_are_read() {
        let header = |descr: &str| format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (2, 1), }}\n");
        assert_eq!(integers(&header("|u1"), &[7, 255], 2).unwrap(), [7, 255]);
        assert_eq!(integers(&header("<i2"), &[254, 255, 1, 1], 2).unwrap(), [-2, 257]);
        let floats: Vec<u8> = [3.0_f64, -1.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(integers(&header("<f8"), &floats, 2).unwrap(), [3, -1]);
        let halves: Vec<u8> = [0.5_f32, 1.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert!(integers(&header("<f4"), &halves, 2).is_err());
        assert!(integers(&header(">i2"), &[0, 1, 0, 2], 2).is_err(), "big-endian");
        assert!(integers(&header("|u1"), &[7], 2).is_err(), "cut short");
        assert!(integers(&header("|u1"), &[7, 8, 9], 2).is_err(), "too long");
    }

    #[test]
    fn shapes_of_any_rank_are_read() {
        for (text, shape) in [("()", vec![]), ("(5,)", vec![5]), ("(1, 2, 3)", vec![1, 2, 3])] {
            let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {text}, }}");
            assert_eq!(NpyReader::open("x", array(&header, &[]).as_slice()).unwrap().shape, shape);
        }
        for header in ["", "{'descr': '|u1'}", "{'descr': '|u1', 'fortran_order': True, 'shape': (1,)}"] {
            assert!(NpyReader::open("x", array(header, &[]).as_slice()).is_err(), "{header}");
        }
        assert!(NpyReader::open("x", b"PK\x03\x04abcdef".as_slice()).is_err());
    }
}
