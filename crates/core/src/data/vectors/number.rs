//! The floating-point types of vector files, little-endian.

use half::{bf16, f16};
use std::fmt;

/// Type of the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    F16,
    Bf16,
    F32,
    F64,
}

impl Number {
    /// Type by numpy's name.
    pub fn of_descr(descr: &str) -> Option<Self> {
        Some(match descr {
            "<f2" => Self::F16,
            "<f4" => Self::F32,
            "<f8" => Self::F64,
            _ => return None,
        })
    }

    /// Type by the name in a safetensors header.
    pub fn of_safetensors(name: &str) -> Option<Self> {
        Some(match name {
            "F16" => Self::F16,
            "BF16" => Self::Bf16,
            "F32" => Self::F32,
            "F64" => Self::F64,
            _ => return None,
        })
    }

    /// Size of an element in bytes.
    pub fn bytes(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// Converts as many elements as `values` has. An `f64` is rounded; beyond the range of `f32` it becomes infinite.
    pub fn convert(self, bytes: &[u8], values: &mut [f32]) {
        for (value, bytes) in values.iter_mut().zip(bytes.chunks_exact(self.bytes())) {
            *value = match (self, bytes) {
                (Self::F16, [a, b]) => f16::from_le_bytes([*a, *b]).to_f32(),
                (Self::Bf16, [a, b]) => bf16::from_le_bytes([*a, *b]).to_f32(),
                (Self::F32, [a, b, c, d]) => f32::from_le_bytes([*a, *b, *c, *d]),
                (Self::F64, [a, b, c, d, e, f, g, h]) => f64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]) as f32,
                // `chunks_exact` gives no other lengths.
                _ => f32::NAN,
            };
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_becomes_the_same_number() {
        let of = |number: Number, bytes: &[u8]| {
            let mut value = [0.0];
            number.convert(bytes, &mut value);
            value[0]
        };
        assert_eq!(of(Number::F16, &[0x00, 0xB8]), -0.5);
        assert_eq!(of(Number::Bf16, &[0x00, 0xBF]), -0.5);
        assert_eq!(of(Number::F32, &(-0.5_f32).to_le_bytes()), -0.5);
        assert_eq!(of(Number::F64, &(-0.5_f64).to_le_bytes()), -0.5);
        assert!(of(Number::F64, &1e300_f64.to_le_bytes()).is_infinite());
    }
}
