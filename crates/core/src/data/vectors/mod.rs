//! Vectors that another program computed, one per document or case, in a file.
//!
//! | file | what is in it |
//! |---|---|
//! | `table` | an open file: its rows and their ids |
//! | `number` | f16, bf16, f32 and f64 as `f32` |
//! | `npy`, `safetensors`, `parquet`, `jsonl` | the four formats |
//! | `id_list` | ids in a text file beside the vectors |
//! | `unit_length` | the check of a vector's length |
//! | `match_ids` | which row belongs to which document or case |
//! | `write` | the same formats, written |

mod id_list;
mod jsonl;
mod match_ids;
mod npy;
mod number;
#[cfg(feature = "import")]
mod parquet;
mod safetensors;
mod table;
#[cfg(all(test, feature = "import"))]
mod tests;
mod unit_length;
mod write;

pub use id_list::ids_beside;
pub use match_ids::MatchedRows;
pub use table::{VectorFormat, VectorTable};
pub use unit_length::{Lengths, unit_row};
pub use write::write_vectors;
