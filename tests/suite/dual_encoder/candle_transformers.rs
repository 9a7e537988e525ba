//! A third implementation beside ours and transformers: candle-transformers from the same checkpoint. Its layers have no
//! backward pass, so that ours train; what it computes in inference must be the same. It cannot load the fixture of SigLIP 2,
//! whose texts have a projection of their own (`projection_size`).

use super::fixture::{Loaded, assert_close, fixture, numbers};
use candle_core::DType;
use candle_nn::VarBuilder;
use candle_transformers::models::clip::div_l2_norm;
use candle_transformers::models::siglip::{Config, Model};

#[test]
fn siglip_of_candle_transformers_gives_our_vectors() {
    let loaded = Loaded::new("siglip");
    let encoder = &loaded.encoder;
    let config = std::fs::read(fixture("siglip").join("config.json")).unwrap();
    let config: Config = serde_json::from_slice(&config).unwrap();
    let weights = std::fs::read(fixture("siglip").join("model.safetensors")).unwrap();
    let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, encoder.device()).unwrap();
    let model = Model::new(&config, weights).unwrap();

    let images = model.get_image_features(encoder.pixels(&loaded.pictures()).unwrap().values()).unwrap();
    let own = encoder.embed_pictures(&loaded.pictures()).unwrap().concat();
    assert_close(&numbers(&div_l2_norm(&images).unwrap()), &own, "images");

    let ids = encoder.tokenizer().unwrap().encode(&loaded.texts()).unwrap();
    let ids = encoder.tokenizer().unwrap().pad(&ids, encoder.device()).unwrap();
    let texts = model.get_text_features(&ids).unwrap();
    let own = encoder.embed_texts(&loaded.texts()).unwrap().concat();
    assert_close(&numbers(&div_l2_norm(&texts).unwrap()), &own, "texts");
}
