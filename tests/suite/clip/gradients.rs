//! Every variable of CLIP learns, and the gradients are those of finite differences.

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::VarMap;
use dissent::model::clip::{ClipConfig, ClipModel};
use dissent::model::initialise::seeded_builder;
use dissent::model::layers::{Activation, Mode};
use std::collections::BTreeMap;

fn tiny(activation: Activation) -> ClipConfig {
    let mut config = ClipConfig::small(12);
    config.projection_dim = 6;
    let vision = &mut config.vision_config;
    (vision.hidden_size, vision.intermediate_size, vision.num_attention_heads) = (8, 12, 2);
    (vision.image_size, vision.num_hidden_layers, vision.hidden_act) = (16, 2, activation);
    let text = &mut config.text_config;
    (text.hidden_size, text.intermediate_size, text.num_attention_heads) = (8, 12, 2);
    (text.max_position_embeddings, text.hidden_act) = (5, activation);
    // Larger than usual, so that no gradient drowns in rounding.
    (vision.initializer_factor, text.initializer_factor) = (3.0, 3.0);
    config
}

fn pixels(count: usize) -> Tensor {
    let values: Vec<f32> = (0..count * 3 * 16 * 16).map(|at| ((at * at + 7 * at) % 23) as f32 / 11.0 - 1.0).collect();
    Tensor::from_vec(values, (count, 3, 16, 16), &Device::Cpu).unwrap()
}

fn unit(features: &Tensor) -> Tensor {
    let lengths = features.sqr().unwrap().sum_keepdim(1).unwrap().sqrt().unwrap();
    features.broadcast_div(&lengths).unwrap()
}

/// CLIP's own similarity, weighed so that it depends on every entry.
fn loss(model: &ClipModel) -> Tensor {
    let images = unit(&model.image_features(&pixels(3)).unwrap());
    let ids = Tensor::new(&[[2_u32, 4, 5, 6, 3], [2, 7, 3, 0, 0], [2, 8, 9, 3, 0]], &Device::Cpu).unwrap();
    let texts = unit(&model.text_features(&ids).unwrap());
    let scale = model.logit_scale().exp().unwrap();
    let logits = images.matmul(&texts.t().unwrap()).unwrap().broadcast_mul(&scale).unwrap();
    let weights = Tensor::new(&[[0.9_f32, -0.4, 0.2], [0.1, 0.8, -0.3], [-0.5, 0.3, 0.7]], &Device::Cpu).unwrap();
    (logits * weights).unwrap().sum_all().unwrap()
}

fn sorted(variables: &VarMap) -> BTreeMap<String, Var> {
    variables.data().lock().unwrap().iter().map(|(name, variable)| (name.clone(), variable.clone())).collect()
}

fn model(variables: &VarMap, activation: Activation, mode: Mode) -> ClipModel {
    let vars = seeded_builder(variables, 3, DType::F32, &Device::Cpu);
    ClipModel::new(&tiny(activation), &vars, mode).unwrap()
}

#[test]
fn every_variable_gets_a_gradient() {
    for activation in [Activation::QuickGelu, Activation::Gelu, Activation::GeluPytorchTanh] {
        let variables = VarMap::new();
        let model = model(&variables, activation, Mode::Train);
        let gradients = loss(&model).backward().unwrap();
        let variables = sorted(&variables);
        assert_eq!(variables.len(), 16 * (2 + 2) + 7 + 4 + 3);
        assert!(variables.contains_key("logit_scale"));
        assert!(variables.contains_key("vision_model.embeddings.class_embedding"));
        for (name, variable) in variables {
            let gradient = gradients.get(variable.as_tensor()).unwrap_or_else(|| panic!("{name}: no gradient"));
            assert_eq!(gradient.shape(), variable.shape(), "{name}");
            let largest = gradient.abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar::<f32>().unwrap();
            // A bias on keys shifts all scores of a query alike, which softmax ignores: zero but for rounding.
            if !name.ends_with("k_proj.bias") {
                assert!(largest > 1e-4, "{name}: largest gradient {largest}");
            }
        }
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let variables = VarMap::new();
    let model = model(&variables, Activation::QuickGelu, Mode::Train);
    let gradients = loss(&model).backward().unwrap();
    for (name, variable) in sorted(&variables) {
        let gradient = gradients.get(variable.as_tensor()).unwrap().copy().unwrap();
        let original = variable.as_tensor().copy().unwrap();
        // Along the gradient itself the slope is the gradient's length: large, so rounding matters little.
        let length = gradient.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap().sqrt();
        if name.ends_with("k_proj.bias") {
            assert!(length < 1e-3, "{name}: {length}");
            continue;
        }
        let step = 2e-3_f32;
        let along = |sign: f32| {
            let change = (&gradient * f64::from(sign * step / length)).unwrap();
            variable.set(&(&original + change).unwrap()).unwrap();
            loss(&model).to_scalar::<f32>().unwrap()
        };
        let slope = (along(1.0) - along(-1.0)) / (2.0 * step);
        variable.set(&original).unwrap();
        assert!((slope - length).abs() < 0.02 * length + 0.01, "{name}: slope {slope}, gradient {length}");
    }
}

#[test]
fn training_and_inference_share_variables_and_agree() {
    let variables = VarMap::new();
    let train = model(&variables, Activation::QuickGelu, Mode::Train);
    let infer = model(&variables, Activation::QuickGelu, Mode::Infer);
    let difference = |a: &ClipModel, b: &ClipModel| {
        let (a, b) = (a.image_features(&pixels(2)).unwrap(), b.image_features(&pixels(2)).unwrap());
        (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap()
    };
    assert!(difference(&train, &infer) < 1e-5);
    let before = infer.image_features(&pixels(2)).unwrap();
    let weight = &sorted(&variables)["visual_projection.weight"];
    weight.set(&(weight.as_tensor() * 2.0).unwrap()).unwrap();
    assert!(difference(&train, &infer) < 1e-5);
    let after = infer.image_features(&pixels(2)).unwrap();
    let change = (after - before).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
    assert!(change > 1e-3, "the inference model follows the training: {change}");
}
