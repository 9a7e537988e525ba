//! Test support: names and shapes of the weights that a model loads, without any weights.

use candle_core::{DType, Device, Result, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Maps names, with block numbers replaced by `#`, to shape and number of weights.
type Weights = BTreeMap<String, (Vec<usize>, usize)>;

/// Records each request and returns a broadcast zero of the requested shape.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Weights>>);

impl SimpleBackend for Recorder {
    fn get(&self, shape: Shape, name: &str, _: Init, dtype: DType, device: &Device) -> Result<Tensor> {
        note(&mut self.0.lock().unwrap(), name, shape.dims());
        Tensor::zeros((), dtype, device)?.broadcast_as(shape)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> Result<Tensor> {
        candle_core::bail!("{name} without a shape")
    }

    fn contains_tensor(&self, _: &str) -> bool {
        true
    }
}

fn note(weights: &mut Weights, name: &str, shape: &[usize]) {
    let parts: Vec<&str> = name.split('.').collect();
    let mut pattern = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        let counts_blocks = place > 0 && matches!(parts[place - 1], "layer" | "layers" | "blocks");
        pattern.push(if counts_blocks { "#" } else { part });
    }
    let entry = weights.entry(pattern.join(".")).or_insert_with(|| (shape.to_vec(), 0));
    assert_eq!(entry.0, shape, "{name}");
    entry.1 += 1;
}

/// `config.json` of a full-size model, from tests/fixtures/readers/skeletons.py or the family's own generator.
pub(crate) fn config_of(family: &str) -> Value {
    skeleton_of(family)["config"].clone()
}

fn skeleton_of(family: &str) -> Value {
    let readers = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/readers");
    let read = |path: String| std::fs::read(path).map(|bytes| serde_json::from_slice::<Value>(&bytes).unwrap());
    for own in [format!("{readers}/{family}/skeleton.json"), format!("{readers}/skeletons/{family}.json")] {
        if let Ok(skeleton) = read(own) {
            return skeleton;
        }
    }
    read(format!("{readers}/skeletons.json")).unwrap()[family].clone()
}

/// Asserts that `build` loads exactly the weights of the transformers model, renamed by `canonical_name`.
pub(crate) fn assert_skeleton<T>(
    family: &str,
    canonical_name: impl Fn(&str) -> String,
    build: impl FnOnce(VarBuilder<'static>) -> anyhow::Result<T>,
) {
    let recorder = Recorder::default();
    let builder = VarBuilder::from_backend(Box::new(recorder.clone()), DType::F32, Device::Cpu);
    build(builder).unwrap();
    let own = recorder.0.lock().unwrap();
    let skeleton = skeleton_of(family);
    let mut theirs = Weights::new();
    for (name, weight) in skeleton["weights"].as_object().unwrap() {
        let shape = serde_json::from_value(weight["shape"].clone()).unwrap();
        theirs.insert(canonical_name(name), (shape, weight["count"].as_u64().unwrap() as usize));
    }
    assert!(theirs.len() > 20);
    assert_eq!(*own, theirs, "{family}");
}
