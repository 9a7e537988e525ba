//! Heads begin as the encoder, are saved alone, and belong to one encoder.

use crate::support::world::World;
use candle_core::{DType, Device};
use candle_nn::VarMap;
use dissent::files::fingerprint::Fingerprint;
use dissent::model::checkpoint::{StoredType, Weights, variables_of};
use dissent::model::dual_encoder::DualEncoder;
use dissent::model::initialise::seeded_builder;
use dissent::model::layers::Mode;
use dissent::retriever::heads::{
    HEADS_MODEL_TYPE, HeadKind, HeadRecord, HeadsRecord, QueryHead, QueryInputs, TrainedHeads, save_heads,
};
use image::RgbImage;
use std::collections::BTreeMap;
use std::path::Path;

const KINDS: [HeadKind; 3] = [HeadKind::Tower, HeadKind::Adapter, HeadKind::Question];

fn encoder(world: &World) -> DualEncoder {
    DualEncoder::load(&world.path("checkpoints/dual-encoder"), &Device::Cpu, DType::F32).unwrap()
}

fn picture(start: u8) -> RgbImage {
    RgbImage::from_fn(64, 64, |x, y| image::Rgb([start.wrapping_add(x as u8), (2 * y) as u8, 90]))
}

/// A head over the base's weights, and its variables.
fn head(encoder: &DualEncoder, kind: HeadKind) -> (QueryHead, VarMap) {
    let variables = VarMap::new();
    let builder = seeded_builder(&variables, 3, DType::F32, &Device::Cpu);
    let head = QueryHead::new(kind, encoder.architecture(), 0.6, &builder, Mode::Train).unwrap();
    let base = encoder.weights().unwrap();
    base.load_part_into(&variables, kind.taken_from_base()).unwrap();
    (head, variables)
}

fn inputs(encoder: &DualEncoder, kind: HeadKind) -> QueryInputs {
    let pictures = [picture(0), picture(120)];
    let pixels = encoder.pixels(&pictures.iter().collect::<Vec<_>>()).unwrap();
    QueryInputs::of(encoder, kind, pixels, &["a mass?", "a cyst?"]).unwrap()
}

/// Before the first step retrieval is standard RAG (docs/method.md, "Runs to compare").
#[test]
fn a_new_head_is_the_encoder() {
    let world = World::new();
    let encoder = encoder(&world);
    for kind in KINDS {
        let queries = head(&encoder, kind).0.queries(&inputs(&encoder, kind)).unwrap().to_vec2::<f32>().unwrap();
        let expected = encoder.embed_pictures(&[&picture(0), &picture(120)]).unwrap();
        for (query, expected) in queries.iter().flatten().zip(expected.iter().flatten()) {
            assert!((query - expected).abs() < 1e-5, "{kind}: {query} is not {expected}");
        }
    }
}

/// GPUs use the half types by default.
#[test]
fn heads_work_in_half_types() {
    let world = World::new();
    let folder = world.path("checkpoints/dual-encoder");
    let encoder = DualEncoder::load(&folder, &Device::Cpu, DType::BF16).unwrap();
    for kind in KINDS {
        let variables = VarMap::new();
        let builder = seeded_builder(&variables, 3, DType::BF16, &Device::Cpu);
        let head = QueryHead::new(kind, encoder.architecture(), 0.6, &builder, Mode::Infer).unwrap();
        let queries = head.queries(&inputs(&encoder, kind)).unwrap();
        assert_eq!((queries.dims(), queries.dtype()), (&[2, encoder.dimension()][..], DType::F32), "{kind}");
    }
}

#[test]
fn every_variable_of_a_head_gets_a_gradient() {
    let world = World::new();
    let encoder = encoder(&world);
    for kind in KINDS {
        let (head, variables) = head(&encoder, kind);
        let queries = head.queries(&inputs(&encoder, kind)).unwrap();
        let store = queries.narrow(1, 0, 7).unwrap().sum_all().unwrap().backward().unwrap();
        for (name, variable) in variables.data().lock().unwrap().iter() {
            let gradient = store.get(variable.as_tensor()).unwrap_or_else(|| panic!("{kind}: no gradient for {name}"));
            let largest = gradient.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
            // A bias added to every key cancels in the softmax.
            let may_be_zero = name.ends_with("k_proj.bias");
            assert!(largest > 0.0 || may_be_zero, "{kind}: the gradient of {name} is zero");
        }
    }
}

fn save(encoder: &DualEncoder, folder: &Path, base: &Fingerprint) {
    let (_, variables) = head(encoder, HeadKind::Adapter);
    let tensors: BTreeMap<_, _> =
        variables_of(&variables).into_iter().map(|(name, tensor)| (format!("caption_head.{name}"), tensor)).collect();
    let record = HeadsRecord {
        model_type: HEADS_MODEL_TYPE.into(),
        kind: HeadKind::Adapter,
        image: None,
        caption: Some(HeadRecord { alpha: 0.6, steps: 5 }),
        base: base.clone(),
        base_name: "then".into(),
        reader: Fingerprint::of_bytes(b"reader"),
        reader_name: "reader".into(),
        prompts: Fingerprint::of_bytes(b"prompts"),
        corpus: Fingerprint::of_bytes(b"corpus"),
        seed: 1,
    };
    save_heads(folder, &record, &tensors, StoredType::F32).unwrap();
}

#[test]
fn saved_heads_hold_what_was_trained_and_nothing_else() {
    let world = World::new();
    let (encoder, folder) = (encoder(&world), world.path("heads"));
    save(&encoder, &folder, encoder.checkpoint_fingerprint());
    let names: Vec<String> = Weights::read(&folder).unwrap().names().into_iter().map(str::to_owned).collect();
    assert_eq!(names, ["caption_head.visual_projection.weight"]);
    let heads = TrainedHeads::load(&folder, &encoder).unwrap();
    let (image, caption) = heads.queries(&inputs(&encoder, HeadKind::Adapter)).unwrap();
    for (a, b) in image.iter().zip(&caption) {
        assert!((a - b).abs() < 1e-5, "untrained heads ask the same");
    }
}

#[test]
fn heads_of_another_encoder_are_refused_with_both_fingerprints() {
    let world = World::new();
    let (encoder, folder) = (encoder(&world), world.path("heads"));
    let other = Fingerprint::of_bytes(b"another encoder");
    save(&encoder, &folder, &other);
    let message = TrainedHeads::load(&folder, &encoder).unwrap_err().to_string();
    for part in [other.as_str(), encoder.checkpoint_fingerprint().as_str(), "then", "dual-encoder"] {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
    let folder = folder.to_str().unwrap();
    let arguments = ["predict", "DATASET", "--run", "r", "--device", "cpu", "--retriever", folder];
    world.dissent(&arguments).fails_with(&[other.as_str(), encoder.checkpoint_fingerprint().as_str()]);
}

#[test]
fn a_folder_without_heads_is_named() {
    let world = World::new();
    let encoder = world.path("checkpoints/dual-encoder");
    let encoder = encoder.to_str().unwrap();
    let predict = ["predict", "DATASET", "--run", "r", "--device", "cpu", "--retriever"];
    world.dissent(&[&predict[..], &[encoder]].concat()).fails_with(&["model_type dissent-heads", "model_type clip"]);
    world.dissent(&[&predict[..], &["/nowhere"]].concat()).fails_with(&["/nowhere", "no such folder"]);
    world.dissent(&[&predict[..], &["trained"]].concat()).fails_with(&["dissent train retriever"]);
}
