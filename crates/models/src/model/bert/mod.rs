//! BERT as the text tower of a dual encoder (`HFTextEncoder` of OpenCLIP and jina-clip): with learned positions and a plain
//! MLP (Devlin et al. 2019), with ALiBi and a gated MLP (JinaBERT; Günther et al. 2023), or with RoPE and a plain MLP
//! (jina-embeddings-v3; Sturua et al. 2024).

mod alibi;
mod config;
mod layer;
mod rope;
mod text_tower;

pub use config::{BertConfig, BertSizes, Pooling, Positions, Projection};
pub use text_tower::BertTower;
