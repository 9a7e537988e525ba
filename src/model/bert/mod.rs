//! BERT as the text tower of a dual encoder (OpenCLIP's `HFTextEncoder`, which jina-clip has too): with learned positions
//! and a plain MLP (Devlin et al. 2019), or with ALiBi and a gated one (JinaBERT; Günther et al. 2023).

mod alibi;
mod config;
mod layer;
mod text_tower;

pub use config::{BertConfig, BertSizes, Pooling, Positions, Projection};
pub use text_tower::BertTower;
