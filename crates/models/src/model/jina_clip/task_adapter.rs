//! The low-rank adapters of jina-clip-v2's text tower, one for each task, stored beside the weights that they change: of
//! the task `default_lora_task`, `W + alpha / rank · B · A` is computed when a weight is loaded (`LoRAParametrization` of
//! the published code).

use super::config::TextJson;
use super::names::targets;
use crate::model::checkpoint::{Adapter, CheckpointError, Part, Weights};
use candle_core::{DType, Tensor};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The end of the names of adapted weights.
const ORIGINAL: &str = "parametrizations.weight.original";
/// Tasks, alpha and rank in `config.json` of jina-embeddings-v3.
const TASKS: [&str; 5] = ["retrieval.query", "retrieval.passage", "separation", "classification", "text-matching"];
const ALPHA: f64 = 1.0;
const RANK: u64 = 4;

/// The adapter of one task.
#[derive(Clone, Debug)]
pub(super) struct TaskAdapter {
    /// Its place among the stored ones.
    place: usize,
    tasks: usize,
    rank: usize,
    alpha: f64,
}

impl TaskAdapter {
    /// The adapter that `text` asks for; `None` without `default_lora_task`.
    ///
    /// # Errors
    /// Fails if the task is not among `lora_adaptations`, or a number is out of range.
    pub fn of(text: &TextJson) -> Result<Option<Self>, String> {
        let Some(task) = &text.default_lora_task else { return Ok(None) };
        let changes = text.hf_model_config_kwargs.as_ref().unwrap_or(&Value::Null);
        let tasks: Vec<&str> = match changes["lora_adaptations"].as_array() {
            Some(names) => names.iter().filter_map(Value::as_str).collect(),
            None => TASKS.to_vec(),
        };
        let Some(place) = tasks.iter().position(|name| name == task) else {
            return Err(format!(
                "text_config: default_lora_task: expected one of {}, found {task:?}",
                tasks.join(", ")
            ));
        };
        let alpha = changes["lora_alpha"].as_f64().unwrap_or(ALPHA);
        let rank = changes["lora_rank"].as_u64().unwrap_or(RANK);
        if !(1..=1 << 16).contains(&rank) {
            return Err(format!("text_config: expected lora_rank from 1 to 65536, found {rank}"));
        }
        Ok(Some(Self { place, tasks: tasks.len(), rank: rank as usize, alpha }))
    }

    /// `weights` under the network's names, with this adapter; `stored` are the same under the names of the file.
    ///
    /// # Errors
    /// Fails if a part of an adapter is missing or has another shape than the weight.
    pub fn merge(&self, stored: &Weights, weights: Weights, path: &Path) -> Result<Weights, CheckpointError> {
        let bad = |reason: String| CheckpointError::BadJson { path: path.to_path_buf(), reason };
        let mut changes = BTreeMap::new();
        for name in stored.names() {
            let Some(module) = name.strip_suffix(ORIGINAL) else { continue };
            let part = |kind: &str| self.part(stored, &format!("{module}parametrizations.weight.0.{kind}"), path);
            let (first, second) = (part("lora_A")?, part("lora_B")?);
            // Of an embedding, the weight is [vocabulary, width] and the update A · B.
            let is_embedding = module.ends_with("_embeddings.");
            let (lora_a, lora_b) = if is_embedding { (second, first) } else { (first, second) };
            for target in targets(name) {
                let lora_b = match target.part {
                    Part::Third(place) => {
                        third(&lora_b, place).map_err(|error| bad(format!("tensor {name}: {error}")))?
                    }
                    Part::Whole | Part::Transposed => lora_b.clone(),
                };
                changes.insert(target.name, (lora_a.clone(), lora_b));
            }
        }
        if changes.is_empty() {
            return Ok(weights);
        }
        let adapter = Adapter::of_changes(path, changes, self.alpha / self.rank as f64);
        weights.with_adapter(adapter, str::to_string).map_err(|error| bad(format!("{error:#}")))
    }

    /// The task's matrix of a stored tensor [tasks, rows, columns], in f32.
    fn part(&self, stored: &Weights, name: &str, path: &Path) -> Result<Tensor, CheckpointError> {
        let all = stored.load(name)?;
        let dimensions = all.dims().to_vec();
        let has_rank = dimensions.len() == 3 && dimensions[1..].contains(&self.rank);
        if !has_rank || dimensions[0] != self.tasks {
            let (tasks, rank) = (self.tasks, self.rank);
            let reason = format!(
                "tensor {name}: expected the matrices of {tasks} tasks (lora_adaptations) and rank {rank} (lora_rank), found \
                 the shape {dimensions:?}"
            );
            return Err(CheckpointError::BadJson { path: path.to_path_buf(), reason });
        }
        let own = all.get(self.place).and_then(|own| own.to_dtype(DType::F32));
        own.map_err(|error| CheckpointError::BadJson { path: path.to_path_buf(), reason: error.to_string() })
    }
}

/// The rows of query (0), key (1) or value (2).
fn third(lora_b: &Tensor, place: usize) -> candle_core::Result<Tensor> {
    let rows = lora_b.dim(0)? / 3;
    lora_b.narrow(0, place * rows, rows)?.contiguous()
}
