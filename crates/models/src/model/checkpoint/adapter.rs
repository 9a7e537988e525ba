//! PEFT LoRA adapters (Hu et al. 2022): low-rank updates of some weights, merged into them when a model is loaded.
//!
//! The merged weight is `W + scale · B · A` with `scale = alpha / r`, or `alpha / √r` with `use_rslora` (Kalajdzievski
//! 2023); tensors of `modules_to_save` replace the model's own.

use super::mapped::MappedFile;
use super::{read_json, typed};
use anyhow::{Context, Result, anyhow, bail, ensure};
use candle_core::{DType, Tensor};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::files::input_file::is_there;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";
/// The prefix that PEFT adds to the model's tensor names.
const PREFIX: &str = "base_model.model.";

/// `adapter_config.json`.
#[derive(Debug, Deserialize)]
struct ConfigJson {
    peft_type: String,
    r: usize,
    lora_alpha: f64,
    #[serde(default)]
    use_rslora: bool,
    #[serde(default)]
    use_dora: bool,
    #[serde(default)]
    lora_bias: bool,
    #[serde(default)]
    fan_in_fan_out: bool,
    #[serde(default)]
    bias: Option<String>,
    #[serde(default)]
    init_lora_weights: Value,
    /// Modules that are stored in full.
    #[serde(default)]
    modules_to_save: Option<Vec<String>>,
    #[serde(default)]
    rank_pattern: BTreeMap<String, usize>,
    #[serde(default)]
    alpha_pattern: BTreeMap<String, f64>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// Fields that must not be set: adapters of these kinds cannot be merged by the formula above.
const OTHER_KINDS: [&str; 9] = [
    "alora_invocation_tokens",
    "arrow_config",
    "kasa_config",
    "layer_replication",
    "trainable_token_indices",
    "use_bdlora",
    "use_qalora",
    "velora_config",
    "target_parameters",
];

/// The low-rank update of one weight.
#[derive(Clone, Debug)]
struct LowRank {
    /// `lora_A` `[r, inputs]`, f32.
    lora_a: Tensor,
    /// `lora_B` `[outputs, r]`, f32.
    lora_b: Tensor,
    scale: f64,
}

/// An adapter, ready to be merged.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// The folder.
    pub path: PathBuf,
    /// Hash of its configuration and weights.
    pub fingerprint: Fingerprint,
    changes: BTreeMap<String, LowRank>,
    replacements: BTreeMap<String, Tensor>,
    /// True if the model stores weights as `[inputs, outputs]`.
    fan_in_fan_out: bool,
}

impl Adapter {
    /// Reads `adapter_config.json` and `adapter_model.safetensors` of `folder`.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, the adapter is of a kind that cannot be merged, or a `lora_A` tensor lacks its
    /// `lora_B`. The message names the file, field or tensor.
    pub fn read(folder: &Path) -> Result<Self> {
        Self::read_parts(folder).with_context(|| format!("cannot load the adapter {}", folder.display()))
    }

    fn read_parts(folder: &Path) -> Result<Self> {
        let config = read_json(folder, CONFIG, "it describes the adapter")?;
        let config: ConfigJson = typed(config).map_err(|reason| anyhow!("{CONFIG}: {reason}"))?;
        refuse_unsupported(&config)?;
        let path = folder.join(WEIGHTS);
        if !is_there(&path) {
            ensure!(
                !is_there(&folder.join("adapter_model.bin")),
                "adapter_model.bin is a pickle, which can execute code when loaded; save the adapter as {WEIGHTS}"
            );
            bail!("{WEIGHTS} is missing: it holds the adapter's weights");
        }
        let file = MappedFile::open(&path)?;
        let print = |path: &Path| Fingerprint::of_file(path).with_context(|| format!("cannot read {}", path.display()));
        let fingerprint = Fingerprint::of_parts([print(&folder.join(CONFIG))?.as_str(), print(&path)?.as_str()]);
        let mut downs = BTreeMap::new();
        let mut ups = BTreeMap::new();
        let mut replacements = BTreeMap::new();
        for (name, _) in file.shapes() {
            let tensor = file.load(&name)?.to_dtype(DType::F32)?;
            let own = name.strip_prefix(PREFIX).unwrap_or(&name);
            if let Some(module) = own.strip_suffix(".lora_A.weight") {
                downs.insert(module.to_string(), tensor);
            } else if let Some(module) = own.strip_suffix(".lora_B.weight") {
                ups.insert(module.to_string(), tensor);
            } else if own.contains("lora_") {
                bail!("{WEIGHTS}: tensor {name}: only linear layers can be merged (lora_A.weight and lora_B.weight)");
            } else {
                replacements.insert(own.replace(".modules_to_save.", "."), tensor);
            }
        }
        let mut changes = BTreeMap::new();
        for (module, lora_a) in downs {
            let Some(lora_b) = ups.remove(&module) else {
                bail!("{WEIGHTS}: {module} has lora_A.weight but no lora_B.weight")
            };
            let change = low_rank(&config, &module, lora_a, lora_b).with_context(|| format!("{WEIGHTS}: {module}"))?;
            changes.insert(format!("{module}.weight"), change);
        }
        if let Some(module) = ups.keys().next() {
            bail!("{WEIGHTS}: {module} has lora_B.weight but no lora_A.weight");
        }
        for module in config.modules_to_save.iter().flatten() {
            let is_part = |name: &String| format!(".{name}").contains(&format!(".{module}."));
            // PEFT adds these two by default and ignores those that a model lacks.
            let is_added = ["classifier", "score"].contains(&module.as_str());
            ensure!(
                is_added || replacements.keys().any(is_part),
                "{CONFIG}: modules_to_save contains {module}, but {WEIGHTS} has no tensor of it"
            );
        }
        ensure!(
            !changes.is_empty() || !replacements.is_empty(),
            "{WEIGHTS}: expected LoRA or saved tensors, found none"
        );
        let fan_in_fan_out = config.fan_in_fan_out;
        Ok(Self { path: folder.to_path_buf(), fingerprint, changes, replacements, fan_in_fan_out })
    }

    /// An adapter of `changes`: by the weight's name, `lora_A` `[r, inputs]` and `lora_B` `[outputs, r]`, both f32. `path` is
    /// named in messages.
    pub(in crate::model) fn of_changes(path: &Path, changes: BTreeMap<String, (Tensor, Tensor)>, scale: f64) -> Self {
        let low_rank = |(name, (lora_a, lora_b))| (name, LowRank { lora_a, lora_b, scale });
        Self {
            path: path.to_path_buf(),
            fingerprint: Fingerprint::of_parts([]),
            changes: changes.into_iter().map(low_rank).collect(),
            replacements: BTreeMap::new(),
            fan_in_fan_out: false,
        }
    }

    /// Renames the changed tensors by `new_name`.
    #[must_use]
    pub fn renamed(self, new_name: impl Fn(&str) -> String) -> Self {
        let changes = self.changes.into_iter().map(|(name, change)| (new_name(&name), change)).collect();
        let replacements = self.replacements.into_iter().map(|(name, tensor)| (new_name(&name), tensor)).collect();
        Self { changes, replacements, ..self }
    }

    /// Names of the tensors that the adapter changes.
    pub fn names(&self) -> BTreeSet<&str> {
        self.changes.keys().chain(self.replacements.keys()).map(String::as_str).collect()
    }

    /// Checks that the model's tensor `name` has the shape that the adapter expects.
    ///
    /// # Errors
    /// Fails if the shapes differ.
    pub(crate) fn check_shape(&self, name: &str, shape: &[usize]) -> Result<()> {
        let wanted = match (self.changes.get(name), self.replacements.get(name)) {
            (_, Some(replacement)) => replacement.dims().to_vec(),
            (Some(change), None) => {
                let (outputs, inputs) = (change.lora_b.dim(0)?, change.lora_a.dim(1)?);
                if self.fan_in_fan_out { vec![inputs, outputs] } else { vec![outputs, inputs] }
            }
            (None, None) => return Ok(()),
        };
        ensure!(
            shape == wanted,
            "{}: tensor {name} has shape {wanted:?} in the adapter, {shape:?} in the model",
            self.path.display()
        );
        Ok(())
    }

    /// Merges the adapter into `weight`, the model's tensor `name`. The result is f32 if the adapter changes it.
    pub fn merged(&self, name: &str, weight: Tensor) -> candle_core::Result<Tensor> {
        if let Some(replacement) = self.replacements.get(name) {
            return Ok(replacement.clone());
        }
        let Some(change) = self.changes.get(name) else { return Ok(weight) };
        let product = (change.lora_b.matmul(&change.lora_a)? * change.scale)?;
        let product = if self.fan_in_fan_out { product.t()?.contiguous()? } else { product };
        weight.to_dtype(DType::F32)? + product
    }
}

/// Fails for settings under which merging would give wrong weights.
fn refuse_unsupported(config: &ConfigJson) -> Result<()> {
    ensure!(config.peft_type == "LORA", "{CONFIG}: expected \"peft_type\": \"LORA\", found \"{}\"", config.peft_type);
    ensure!(
        !config.use_dora,
        "{CONFIG}: use_dora: weight-decomposed adapters cannot be merged; merge it with PEFT first"
    );
    ensure!(!config.lora_bias, "{CONFIG}: lora_bias: adapters with biases cannot be merged; merge it with PEFT first");
    let bias = config.bias.as_deref().unwrap_or("none");
    ensure!(bias == "none", "{CONFIG}: expected \"bias\": \"none\", found \"{bias}\"; merge it with PEFT first");
    if let Some(start) = config.init_lora_weights.as_str() {
        let moves_base = ["pissa", "olora", "corda", "loftq"].iter().any(|name| start.to_lowercase().starts_with(name));
        ensure!(
            !moves_base,
            "{CONFIG}: init_lora_weights \"{start}\" changes the model's own weights too; merge it with PEFT first"
        );
    }
    for field in OTHER_KINDS {
        let is_set = config.others.get(field).is_some_and(|value| !value.is_null() && *value != Value::Bool(false));
        ensure!(!is_set, "{CONFIG}: {field}: adapters of this kind cannot be merged; merge it with PEFT first");
    }
    for pattern in config.rank_pattern.keys().chain(config.alpha_pattern.keys()) {
        let plain = pattern.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-'));
        ensure!(plain, "{CONFIG}: the pattern \"{pattern}\" is a regular expression; only module names are supported");
    }
    Ok(())
}

fn low_rank(config: &ConfigJson, module: &str, lora_a: Tensor, lora_b: Tensor) -> Result<LowRank> {
    let ((rank, _), (_, columns)) = (lora_a.dims2()?, lora_b.dims2()?);
    ensure!(config.lora_alpha.is_finite(), "{CONFIG}: lora_alpha: expected a number, found {}", config.lora_alpha);
    ensure!(rank == columns && rank > 0, "lora_A has rank {rank}, lora_B {columns}");
    let expected = of_pattern(&config.rank_pattern, module).unwrap_or(config.r);
    ensure!(rank == expected, "expected rank {expected} ({CONFIG}), found {rank}");
    let alpha = of_pattern(&config.alpha_pattern, module).unwrap_or(config.lora_alpha);
    let divisor = if config.use_rslora { (rank as f64).sqrt() } else { rank as f64 };
    Ok(LowRank { lora_a, lora_b, scale: alpha / divisor })
}

/// The value of the first pattern that equals `module` or is a suffix of it.
fn of_pattern<T: Copy>(patterns: &BTreeMap<String, T>, module: &str) -> Option<T> {
    let fits = |pattern: &str| module.strip_suffix(pattern).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    patterns.iter().find(|(pattern, _)| fits(pattern)).map(|(_, value)| *value)
}
