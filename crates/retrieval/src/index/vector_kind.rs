//! The kinds of FAISS index, and which one a number of vectors gets.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Maximum number of vectors for exhaustive search; at 512 dimensions a query takes about 20 ms.
pub const FLAT_LIMIT: usize = 100_000;

/// k-means needs at least this many vectors per list (FAISS warns below it).
const VECTORS_PER_LIST: usize = 39;

/// With more lists than this the clustering takes longer than the shorter lists save.
const MOST_LISTS: usize = 4096;

/// Above this size in bytes, the vectors of one side are kept as codes of one byte per number.
const MOST_FULL_BYTES: usize = 1 << 30;

/// How inverted lists keep a number of a vector. The best of the codes are compared again by the vectors themselves, so scores
/// are exact whatever the code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum VectorCode {
    /// 32 bits: the vectors themselves
    #[default]
    F32,
    /// 16 bits
    F16,
    /// 8 bits, from the smallest to the largest value of each dimension
    Sq8,
}

impl VectorCode {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    fn is_full(&self) -> bool {
        *self == Self::F32
    }

    fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Sq8 => "8 bit",
        }
    }
}

/// The kind of FAISS index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum VectorKind {
    /// Exact search: compares every vector.
    Flat,
    /// Approximate search: compares the vectors of the nearest `probes` of `lists` clusters.
    Ivf {
        lists: usize,
        probes: usize,
        #[serde(default, skip_serializing_if = "VectorCode::is_full")]
        code: VectorCode,
    },
}

impl VectorKind {
    /// Flat up to `exact_up_to` vectors; above that about 4 √count lists, at most 4,096, and 8-bit codes if the vectors are
    /// larger than 1 GiB. The number of probes is a first guess (a sixteenth of the lists, at least 8); a build measures it.
    pub fn choose(count: usize, dimension: usize, exact_up_to: usize, code: Option<VectorCode>) -> Self {
        if count <= exact_up_to || count < 2 * VECTORS_PER_LIST {
            return Self::Flat;
        }
        let lists = ((4.0 * (count as f64).sqrt()) as usize).min(count / VECTORS_PER_LIST).min(MOST_LISTS);
        let is_large = count.saturating_mul(dimension * size_of::<f32>()) > MOST_FULL_BYTES;
        let code = code.unwrap_or(if is_large { VectorCode::Sq8 } else { VectorCode::F32 });
        Self::Ivf { lists, probes: (lists / 16).max(8).min(lists), code }
    }

    /// The name by which FAISS makes it.
    pub(super) fn factory(self) -> String {
        match self {
            Self::Flat => "Flat".into(),
            Self::Ivf { lists, code, .. } => {
                let code = match code {
                    VectorCode::F32 => "Flat",
                    VectorCode::F16 => "SQfp16",
                    VectorCode::Sq8 => "SQ8",
                };
                format!("IVF{lists},{code}")
            }
        }
    }

    /// The code of its numbers.
    pub fn code(self) -> VectorCode {
        match self {
            Self::Flat => VectorCode::F32,
            Self::Ivf { code, .. } => code,
        }
    }
}

impl fmt::Display for VectorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flat => formatter.write_str("Flat"),
            Self::Ivf { lists, probes, code: VectorCode::F32 } => {
                write!(formatter, "IVF of {lists} lists, {probes} probed")
            }
            Self::Ivf { lists, probes, code } => {
                write!(formatter, "IVF of {lists} lists in {}, {probes} probed", code.name())
            }
        }
    }
}
