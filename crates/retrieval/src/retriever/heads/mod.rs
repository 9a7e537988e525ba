//! Heads compute the query vectors of a case (docs/method.md, "Heads").
//!
//! ```text
//! q = α · norm(E_h(x)) + (1 − α) · norm(E_0(x))      h: image head or caption head, E_0: the frozen dual encoder
//! ```
//!
//! | file | what is in it |
//! |---|---|
//! | `kind` | the three architectures of E_h: a copy of the tower, an adapter, an adapter with the question |
//! | `base` | what heads start from: the encoder, or vectors that another program computed |
//! | `inputs` | the inputs of a head for a case, computed once |
//! | `query_head` | one head with its variables |
//! | `checkpoint` | the trained heads of a folder, bound to the dual encoder they were trained on |

mod base;
mod checkpoint;
mod inputs;
mod kind;
mod query_head;

pub use base::HeadBase;
pub use checkpoint::{HEADS_MODEL_TYPE, HeadRecord, HeadsRecord, TrainedHeads, save_heads};
pub use inputs::QueryInputs;
pub use kind::HeadKind;
pub use query_head::QueryHead;
