//! The kind of a vector field's index.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Links of a document in the graph, candidates when it is built, and when it is searched.
const LINKS: usize = 32;
const BUILD_CANDIDATES: usize = 360;
const SEARCH_CANDIDATES: usize = 256;

/// How the server searches vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum StoreIndexKind {
    /// Exact: compares every vector.
    Flat,
    /// Approximate: follows a graph of neighbours (HNSW).
    Hnsw { links: usize, build: usize, search: usize },
}

impl StoreIndexKind {
    /// Flat up to `flat_limit` vectors, a graph above: Milvus's clusters (IVF) take less memory, but lose more at the same speed.
    pub fn choose(count: usize, flat_limit: usize) -> Self {
        if count <= flat_limit {
            return Self::Flat;
        }
        Self::Hnsw { links: LINKS, build: BUILD_CANDIDATES, search: SEARCH_CANDIDATES }
    }

    /// Whether nothing is missed.
    pub fn is_exact(self) -> bool {
        self == Self::Flat
    }

    /// The parameters of `CreateIndex`.
    pub fn build_params(self) -> Vec<(&'static str, String)> {
        let named = |kind: &str, params: String| {
            vec![("index_type", kind.to_owned()), ("metric_type", "IP".into()), ("params", params)]
        };
        match self {
            Self::Flat => named("FLAT", "{}".into()),
            Self::Hnsw { links, build, .. } => {
                named("HNSW", serde_json::json!({ "M": links, "efConstruction": build }).to_string())
            }
        }
    }

    /// The parameters of `Search` for `count` results, of which a graph needs at least as many candidates.
    pub fn search_params(self, count: usize) -> String {
        match self {
            Self::Flat => "{}".into(),
            Self::Hnsw { search, .. } => serde_json::json!({ "ef": search.max(count) }).to_string(),
        }
    }
}

impl fmt::Display for StoreIndexKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flat => formatter.write_str("FLAT"),
            Self::Hnsw { links, build, search } => {
                write!(formatter, "HNSW (M {links}, efConstruction {build}, ef {search})")
            }
        }
    }
}
