//! The tensors of a checkpoint: their names and shapes, reading, checking, random first values.
//!
//! Names are those of the hub (`vision_tower.`, `multi_modal_projector.`, `language_model.model.`,
//! `language_model.lm_head.`), which transformers 5 writes too; the newer in-memory names (`model.vision_tower.`,
//! `model.language_model.`, `lm_head.`) are read as well.

use super::config::PixtralConfig;
use anyhow::{Context, Result, bail};
use candle_core::{DType, Device, Tensor, Var};
use candle_nn::VarBuilder;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// How a tensor begins.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Start {
    Zeros,
    Ones,
    /// Normal with this standard deviation.
    Normal(f64),
}

/// All tensors of a model, by name.
#[derive(Clone, Debug)]
pub struct PixtralWeights {
    pub tensors: BTreeMap<String, Tensor>,
}

impl PixtralWeights {
    /// First values from a seed, the same on every machine: normal, scaled by the root of the fan-in; layers that write
    /// to the residual stream smaller by the root of twice the number of layers, so that depth does not add variance.
    pub fn random(config: &PixtralConfig, seed: u64, device: &Device) -> Result<Self> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut tensors = BTreeMap::new();
        for (name, shape, start) in expected(config) {
            let count: usize = shape.iter().product();
            let values = match start {
                Start::Zeros => vec![0.0; count],
                Start::Ones => vec![1.0; count],
                Start::Normal(deviation) => normal_values(&mut random, count, deviation),
            };
            tensors.insert(name, Tensor::from_vec(values, shape, device)?);
        }
        Ok(Self { tensors })
    }

    /// Reads every `*.safetensors` of a checkpoint directory and checks them against `config`.
    pub fn read(folder: &Path, config: &PixtralConfig, dtype: DType, device: &Device) -> Result<Self> {
        let mut found: HashMap<String, (Tensor, String)> = HashMap::new();
        for path in safetensors_files(folder)? {
            let file = path.display().to_string();
            let tensors = candle_core::safetensors::load(&path, &Device::Cpu)
                .with_context(|| format!("{file}: not a whole safetensors file"))?;
            for (name, tensor) in tensors {
                found.insert(canonical_name(&name), (tensor, file.clone()));
            }
        }
        let mut tensors = BTreeMap::new();
        for (name, shape, _) in expected(config) {
            let Some((tensor, file)) = found.get(&name) else {
                bail!("{}: tensor {name} is missing, expected shape {shape:?}", folder.display());
            };
            if tensor.dims() != shape {
                bail!("{file}: tensor {name}: expected shape {shape:?}, found {:?}", tensor.dims());
            }
            let sum = tensor.to_dtype(DType::F32)?.abs()?.sum_all()?.to_scalar::<f32>()?;
            if !sum.is_finite() {
                bail!("{file}: tensor {name} holds values that are not finite (NaN or infinity)");
            }
            tensors.insert(name, tensor.to_dtype(dtype)?.to_device(device)?);
        }
        Ok(Self { tensors })
    }

    /// Writes `model.safetensors`, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<()> {
        // The format field is what transformers asks for.
        let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        let bytes = safetensors::serialize(&self.tensors, Some(metadata)).context("cannot serialise the weights")?;
        crate::durable::write_file(path, &bytes)
    }

    /// For [`PixtralModel::new`](super::PixtralModel::new) without training.
    pub fn builder(&self, dtype: DType, device: &Device) -> VarBuilder<'static> {
        let tensors: HashMap<String, Tensor> =
            self.tensors.iter().map(|(name, tensor)| (name.clone(), tensor.clone())).collect();
        VarBuilder::from_tensors(tensors, dtype, device)
    }

    /// Variables of all tensors, in the order of their names, and a builder that makes models of them.
    pub fn variables(&self, dtype: DType, device: &Device) -> Result<(Vec<(String, Var)>, VarBuilder<'static>)> {
        let mut variables = Vec::with_capacity(self.tensors.len());
        let mut tensors = HashMap::new();
        for (name, tensor) in &self.tensors {
            let variable = Var::from_tensor(&tensor.to_dtype(dtype)?.to_device(device)?)?;
            tensors.insert(name.clone(), variable.as_tensor().clone());
            variables.push((name.clone(), variable));
        }
        Ok((variables, VarBuilder::from_tensors(tensors, dtype, device)))
    }

    /// The present values of variables.
    pub fn of_variables(variables: &[(String, Var)]) -> Result<Self> {
        let mut tensors = BTreeMap::new();
        for (name, variable) in variables {
            tensors.insert(name.clone(), variable.as_tensor().detach().to_device(&Device::Cpu)?);
        }
        Ok(Self { tensors })
    }

    /// Number of values.
    pub fn parameters(&self) -> usize {
        self.tensors.values().map(Tensor::elem_count).sum()
    }
}

/// The hub's name of a tensor, whichever version of transformers named it.
fn canonical_name(name: &str) -> String {
    if let Some(rest) = name.strip_prefix("model.language_model.") {
        return format!("language_model.model.{rest}");
    }
    if let Some(rest) = name.strip_prefix("lm_head.") {
        return format!("language_model.lm_head.{rest}");
    }
    if let Some(rest) = name.strip_prefix("model.") {
        return rest.to_owned();
    }
    name.to_owned()
}

/// The weight files of a directory in the order of their names.
fn safetensors_files(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "safetensors") {
            files.push(path);
        }
    }
    if files.is_empty() {
        bail!("{}: expected model.safetensors, found no *.safetensors", folder.display());
    }
    files.sort();
    Ok(files)
}

/// Name, shape and first values of every tensor.
fn expected(config: &PixtralConfig) -> Vec<(String, Vec<usize>, Start)> {
    let mut list = ExpectedTensors::default();
    let vision = &config.vision;
    let patch = vision.patch_size;
    let patch_inputs = vision.channels * patch * patch;
    let kernel = vec![vision.hidden, vision.channels, patch, patch];
    list.push("vision_tower.patch_conv.weight".to_owned(), kernel, fan_in(patch_inputs));
    list.norm("vision_tower.ln_pre", vision.hidden);
    for layer in 0..vision.layers {
        let place = format!("vision_tower.transformer.layers.{layer}");
        list.norm(&format!("{place}.attention_norm"), vision.hidden);
        list.attention(&format!("{place}.attention"), vision.hidden, [vision.hidden; 2], vision.layers);
        list.norm(&format!("{place}.ffn_norm"), vision.hidden);
        list.feed_forward(&format!("{place}.feed_forward"), vision.hidden, vision.intermediate, vision.layers);
    }
    let text = &config.text;
    for (name, inputs) in [("linear_1", vision.hidden), ("linear_2", text.hidden)] {
        let place = format!("multi_modal_projector.{name}");
        list.push(format!("{place}.weight"), vec![text.hidden, inputs], fan_in(inputs));
        if config.projector_bias {
            list.push(format!("{place}.bias"), vec![text.hidden], Start::Zeros);
        }
    }
    let embedding = vec![text.vocabulary, text.hidden];
    list.push("language_model.model.embed_tokens.weight".to_owned(), embedding.clone(), fan_in(text.hidden));
    for layer in 0..text.layers {
        let place = format!("language_model.model.layers.{layer}");
        let heads = [text.heads * text.head_size, text.key_value_heads * text.head_size];
        list.norm(&format!("{place}.input_layernorm"), text.hidden);
        list.attention(&format!("{place}.self_attn"), text.hidden, heads, text.layers);
        list.norm(&format!("{place}.post_attention_layernorm"), text.hidden);
        list.feed_forward(&format!("{place}.mlp"), text.hidden, text.intermediate, text.layers);
    }
    list.norm("language_model.model.norm", text.hidden);
    if !config.tied_embeddings {
        list.push("language_model.lm_head.weight".to_owned(), embedding, fan_in(text.hidden));
    }
    list.0
}

/// Keeps the variance of a layer's input.
fn fan_in(inputs: usize) -> Start {
    Start::Normal((inputs as f64).powf(-0.5))
}

/// The same for a layer that writes to the residual stream, of which there are two per block.
fn fan_in_of_residual(inputs: usize, layers: usize) -> Start {
    Start::Normal(((inputs * 2 * layers) as f64).powf(-0.5))
}

/// The list that [`expected`] builds.
#[derive(Default)]
struct ExpectedTensors(Vec<(String, Vec<usize>, Start)>);

impl ExpectedTensors {
    fn push(&mut self, name: String, shape: Vec<usize>, start: Start) {
        self.0.push((name, shape, start));
    }

    fn norm(&mut self, place: &str, size: usize) {
        self.push(format!("{place}.weight"), vec![size], Start::Ones);
    }

    /// `widths`: of all query heads together, of all key heads together.
    fn attention(&mut self, place: &str, hidden: usize, widths: [usize; 2], layers: usize) {
        let [query, key] = widths;
        self.push(format!("{place}.q_proj.weight"), vec![query, hidden], fan_in(hidden));
        self.push(format!("{place}.k_proj.weight"), vec![key, hidden], fan_in(hidden));
        self.push(format!("{place}.v_proj.weight"), vec![key, hidden], fan_in(hidden));
        self.push(format!("{place}.o_proj.weight"), vec![hidden, query], fan_in_of_residual(query, layers));
    }

    fn feed_forward(&mut self, place: &str, hidden: usize, intermediate: usize, layers: usize) {
        self.push(format!("{place}.gate_proj.weight"), vec![intermediate, hidden], fan_in(hidden));
        self.push(format!("{place}.up_proj.weight"), vec![intermediate, hidden], fan_in(hidden));
        let start = fan_in_of_residual(intermediate, layers);
        self.push(format!("{place}.down_proj.weight"), vec![hidden, intermediate], start);
    }
}

/// Normal values by Box and Muller's method, with elementary functions that give the same bits everywhere.
fn normal_values(random: &mut ChaCha8Rng, count: usize, deviation: f64) -> Vec<f32> {
    use rand::Rng;
    let mut values = Vec::with_capacity(count);
    while values.len() < count {
        // In (0, 1], so that the logarithm is finite.
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - random.random::<f64>()));
        let angle = std::f64::consts::TAU * random.random::<f64>();
        values.push((deviation * radius * libm::cos(angle)) as f32);
        if values.len() < count {
            values.push((deviation * radius * libm::sin(angle)) as f32);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_versions_are_read() {
        for (name, expected) in [
            ("model.language_model.layers.0.mlp.up_proj.weight", "language_model.model.layers.0.mlp.up_proj.weight"),
            ("lm_head.weight", "language_model.lm_head.weight"),
            ("model.vision_tower.ln_pre.weight", "vision_tower.ln_pre.weight"),
            ("model.multi_modal_projector.linear_1.bias", "multi_modal_projector.linear_1.bias"),
            ("language_model.model.norm.weight", "language_model.model.norm.weight"),
        ] {
            assert_eq!(canonical_name(name), expected);
        }
    }

    #[test]
    fn a_seed_fixes_the_first_values() {
        let config = PixtralConfig::small(300);
        let weights = PixtralWeights::random(&config, 7, &Device::Cpu).unwrap();
        let name = "multi_modal_projector.linear_1.weight";
        let values = weights.tensors[name].flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let again = PixtralWeights::random(&config, 7, &Device::Cpu).unwrap();
        assert_eq!(values, again.tensors[name].flatten_all().unwrap().to_vec1::<f32>().unwrap());
        let variance = values.iter().map(|value| value * value).sum::<f32>() / values.len() as f32;
        assert!((variance * 96.0 - 1.0).abs() < 0.05, "variance {variance}");
    }
}
