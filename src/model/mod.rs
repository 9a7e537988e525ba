//! Encoders and language models over candle: CLIP (`clip`), Pixtral (`pixtral`) and the layers they share.

pub mod clip;
pub mod pixtral;
