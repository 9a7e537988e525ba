//! Gradients reach every variable of Pixtral, and training lowers the loss.

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::VarMap;
use dissent::model::pixtral::{
    DecoderInput, DecoderRow, PaddingSide, PixtralConfig, PixtralModel, SmallPixtral, TokenIndex, trainable_pixtral,
};

fn tiny() -> PixtralConfig {
    let sizes = SmallPixtral {
        image_size: 16,
        vision_hidden: 32,
        vision_intermediate: 40,
        vision_layers: 3,
        text_hidden: 64,
        text_intermediate: 48,
        text_layers: 2,
        key_value_heads: 1,
        ..SmallPixtral::default()
    };
    PixtralConfig::small_with(30, &sizes)
}

/// Two rows of different lengths, the first with a 16 × 16 and a 16 × 8 image.
fn input(model: &PixtralModel, padding: PaddingSide) -> DecoderInput {
    let pixels = |height: usize, width: usize| {
        let values: Vec<f32> = (0..3 * height * width).map(|index| ((index * 37 % 101) as f32 - 50.0) / 40.0).collect();
        Tensor::from_vec(values, (3, height, width), &Device::Cpu).unwrap()
    };
    let features = model.vision_features(&[pixels(16, 16), pixels(8, 16)]).unwrap();
    // The second row covers the rest of the vocabulary, so that every embedding is used.
    let first = DecoderRow { ids: vec![1, 3, 5, 5, 7, 5, 5, 8, 9, 10, 5, 5, 8, 11, 4], features };
    let second = DecoderRow::text(vec![0, 2, 6, 12, 13, 14, 15, 16, 17, 18]);
    DecoderInput { rows: vec![first, second], padding }
}

/// Cross-entropy of a few answers.
fn loss(model: &PixtralModel, padding: PaddingSide) -> Tensor {
    let decoded = model.decode(&input(model, padding), None).unwrap();
    let places = [TokenIndex { row: 0, index: 14 }, TokenIndex { row: 0, index: 3 }, TokenIndex { row: 1, index: 9 }];
    let logits = model.logits(&decoded, &places).unwrap();
    candle_nn::loss::cross_entropy(&logits, &Tensor::new(&[20_u32, 21, 22], &Device::Cpu).unwrap()).unwrap()
}

#[test]
fn every_variable_gets_a_gradient() {
    for tied in [false, true] {
        for padding in [PaddingSide::Left, PaddingSide::Right] {
            let variables = VarMap::new();
            let config = PixtralConfig { tied_embeddings: tied, ..tiny() };
            let model = trainable_pixtral(&config, &variables, 3, None, &Device::Cpu).unwrap();
            let gradients = loss(&model, padding).backward().unwrap();
            let all: Vec<(String, Var)> =
                variables.data().lock().unwrap().iter().map(|(name, var)| (name.clone(), var.clone())).collect();
            // 9 tensors per block, 2 of the tower's input, 4 of the projector, embedding, norm, output.
            assert_eq!(all.len(), 9 * (3 + 2) + 2 + 4 + 2 + usize::from(!tied));
            for (name, variable) in all {
                let gradient = gradients.get(&variable).unwrap_or_else(|| panic!("{name} has no gradient"));
                let size = gradient.abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
                assert!(size > 0.0 && size.is_finite(), "{name}: gradient of size {size}");
            }
        }
    }
}

#[test]
fn gradients_are_those_of_the_loss() {
    let variables = VarMap::new();
    let model = trainable_pixtral(&tiny(), &variables, 3, None, &Device::Cpu).unwrap();
    let gradients = loss(&model, PaddingSide::Right).backward().unwrap();
    for name in [
        "vision_tower.patch_conv.weight",
        "vision_tower.transformer.layers.0.attention.q_proj.weight",
        "vision_tower.transformer.layers.1.ffn_norm.weight",
        "multi_modal_projector.linear_1.bias",
        "language_model.model.layers.0.self_attn.k_proj.weight",
        "language_model.model.layers.1.mlp.gate_proj.weight",
        "language_model.model.norm.weight",
    ] {
        let variable = variables.data().lock().unwrap()[name].clone();
        let gradient = gradients.get(&variable).unwrap().clone();
        // Along the gradient's own direction the loss changes by the gradient's length.
        let length = gradient.sqr().unwrap().sum_all().unwrap().sqrt().unwrap().to_scalar::<f32>().unwrap();
        let direction = (&gradient / f64::from(length)).unwrap();
        let start = variable.as_detached_tensor().copy().unwrap();
        let step = 3e-3;
        let at = |offset: f64| {
            variable.set(&(&start + (&direction * offset).unwrap()).unwrap()).unwrap();
            loss(&model, PaddingSide::Right).to_scalar::<f32>().unwrap()
        };
        let slope = (at(step) - at(-step)) / (2.0 * step as f32);
        variable.set(&start).unwrap();
        assert!((slope - length).abs() < 0.05 * length + 2e-3, "{name}: slope {slope}, gradient {length}");
    }
}

#[test]
fn a_seed_fixes_the_model() {
    let values = |seed: u64| {
        let variables = VarMap::new();
        let model = trainable_pixtral(&tiny(), &variables, seed, None, &Device::Cpu).unwrap();
        loss(&model, PaddingSide::Right).to_dtype(DType::F32).unwrap().to_scalar::<f32>().unwrap()
    };
    assert_eq!(values(1), values(1));
    assert_ne!(values(1), values(2));
}

/// Integrated gradients are complete: they sum to what the tokens change against the means of their groups.
#[test]
fn integrated_gradients_sum_to_the_difference_from_the_mean() {
    let model = trainable_pixtral(&tiny(), &VarMap::new(), 3, None, &Device::Cpu).unwrap();
    let decoder = model.decoder();
    let row = input(&model, PaddingSide::Right).rows.remove(0);
    let (answer, runner_up) = (20, 21);
    let image_tokens = |first: usize, count: usize| -> Vec<usize> {
        let all = row.ids.iter().enumerate().filter(|(_, id)| **id == decoder.image_token());
        all.map(|(index, _)| index).skip(first).take(count).collect()
    };
    let groups = vec![image_tokens(0, 4), image_tokens(4, 2)];
    let contributions = decoder.integrated_gradients(&row, &groups, (answer, runner_up), 64).unwrap();
    assert_eq!(contributions.len(), row.ids.len());
    for (index, value) in contributions.iter().enumerate() {
        assert_eq!(*value != 0.0, row.ids[index] == decoder.image_token(), "token {index}: {value}");
    }

    let log_odds = |row: &DecoderRow| {
        let decoded = decoder.decode(&DecoderInput::new(vec![row.clone()]), None).unwrap();
        let logits = decoder.logits(&decoded, &decoded.last_tokens()).unwrap().to_vec2::<f32>().unwrap();
        logits[0][answer as usize] - logits[0][runner_up as usize]
    };
    let mut even = row.clone();
    for features in &mut even.features {
        *features = features.mean_keepdim(0).unwrap().broadcast_as(features.shape()).unwrap().contiguous().unwrap();
    }
    let difference = log_odds(&row) - log_odds(&even);
    let sum: f32 = contributions.iter().sum();
    assert!(difference.abs() > 1e-3, "the images matter: {difference}");
    assert!((sum - difference).abs() < 0.01 * difference.abs() + 1e-4, "{sum}, not {difference}");
}
