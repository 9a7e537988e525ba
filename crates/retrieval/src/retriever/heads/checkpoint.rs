//! Trained heads on disk: only the trained tensors, and fingerprints of what they were trained with.
//!
//! ```text
//! DIR/config.json         kind, α of each head, fingerprints of base encoder, reader and prompts, seed
//! DIR/model.safetensors   tensors `image_head.…` and `caption_head.…`, named below that as in a `CLIPModel`,
//!                         whatever the family of the dual encoder (see `model::dual_encoder::Architecture`)
//! ```

use super::{HeadBase, HeadKind, QueryHead, QueryInputs};
use anyhow::{Context, Result, bail, ensure};
use candle_core::Tensor;
use dissent_core::files::fingerprint::Fingerprint;
use dissent_models::model::checkpoint::{
    CheckpointFiles, StoredType, Weights, fingerprint_of, folder_name, read_json, save_checkpoint,
};
use dissent_models::model::dual_encoder::DualEncoder;
use dissent_models::model::layers::Mode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// `model_type` of the configuration.
pub const HEADS_MODEL_TYPE: &str = "dissent-heads";

/// `config.json` of trained heads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeadsRecord {
    pub model_type: String,
    pub kind: HeadKind,
    /// `None` if this head is not trained; the encoder's own vectors are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<HeadRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<HeadRecord>,
    /// The dual encoder, or the given vectors, that the heads start from and are mixed with, and whose vectors they search.
    pub base: Fingerprint,
    pub base_name: String,
    /// The reader whose answers trained them.
    pub reader: Fingerprint,
    pub reader_name: String,
    /// Fingerprint of questions, labels and prompt templates.
    pub prompts: Fingerprint,
    pub corpus: Fingerprint,
    pub seed: u64,
}

/// One head of [`HeadsRecord`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeadRecord {
    /// Weight of the head in the query vector.
    pub alpha: f64,
    /// Number of training steps.
    pub steps: usize,
}

impl HeadsRecord {
    fn read(folder: &Path) -> Result<Self> {
        let config = read_json(folder, "config.json", "it describes the heads")?;
        let path = folder.join("config.json");
        let found = config.get("model_type").and_then(serde_json::Value::as_str).unwrap_or("none");
        ensure!(
            found == HEADS_MODEL_TYPE,
            "{}: expected the trained heads of a retriever (model_type {HEADS_MODEL_TYPE}), found model_type {found}",
            path.display()
        );
        serde_json::from_value(config).with_context(|| path.display().to_string())
    }
}

/// The heads of one checkpoint, ready to search with.
#[derive(Clone, Debug)]
pub struct TrainedHeads {
    pub record: HeadsRecord,
    pub name: String,
    image: Option<QueryHead>,
    caption: Option<QueryHead>,
    fingerprint: Fingerprint,
}

impl TrainedHeads {
    /// Loads the heads in `folder` for this dual encoder.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, or the heads belong to another dual encoder.
    pub fn load(folder: &Path, encoder: &DualEncoder) -> Result<Self> {
        Self::load_over(folder, HeadBase::Encoder(encoder))
    }

    /// Loads the heads in `folder` for this base.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, or the heads belong to another base.
    pub fn load_over(folder: &Path, base: HeadBase) -> Result<Self> {
        let in_folder = || format!("cannot load the retriever {}", folder.display());
        let record = HeadsRecord::read(folder).with_context(in_folder)?;
        if record.base != *base.fingerprint() {
            let what = if matches!(base, HeadBase::Given { .. }) { "" } else { "the dual encoder " };
            bail!(
                "the heads in {} were trained on {what}{} ({}) and cannot search with {} ({})",
                folder.display(),
                record.base_name,
                record.base,
                base.name(),
                base.fingerprint()
            );
        }
        let weights = Weights::read(folder).with_context(in_folder)?;
        let vars = weights.clone().builder(base.dtype(), base.device());
        let head = |name: &str, record_of_head: &Option<HeadRecord>| -> Result<Option<QueryHead>> {
            let Some(HeadRecord { alpha, .. }) = record_of_head else { return Ok(None) };
            ensure!((0.0..=1.0).contains(alpha), "{name}: expected alpha from 0 to 1, found {alpha}");
            base.head(record.kind, *alpha, &vars.pp(name), Mode::Infer).map(Some)
        };
        let image = head("image_head", &record.image).with_context(in_folder)?;
        let caption = head("caption_head", &record.caption).with_context(in_folder)?;
        weights.check_all_used(false).with_context(in_folder)?;
        Ok(Self {
            image,
            caption,
            name: folder_name(folder),
            fingerprint: fingerprint_of(folder).with_context(in_folder)?,
            record,
        })
    }

    /// Query vectors of one case for the image index and for the caption index.
    ///
    /// # Errors
    /// Fails if the network cannot be run.
    pub fn queries(&self, inputs: &QueryInputs) -> Result<(Vec<f32>, Vec<f32>)> {
        let query = |head: &Option<QueryHead>| -> Result<Vec<f32>> {
            let vectors = match head {
                Some(head) => head.queries(inputs)?,
                None => inputs.base.to_dtype(candle_core::DType::F32)?,
            };
            vectors.to_vec2()?.into_iter().next().context("the head returned no vector")
        };
        Ok((query(&self.image)?, query(&self.caption)?))
    }

    /// Fingerprint of weights and configuration.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Text such as "retriever, adapter, α 0.5".
    pub fn description(&self) -> String {
        let alpha =
            |head: &Option<HeadRecord>| head.as_ref().map_or_else(|| "none".into(), |head| head.alpha.to_string());
        let (image, caption) = (alpha(&self.record.image), alpha(&self.record.caption));
        let alpha = if image == caption { image } else { format!("{image} and {caption}") };
        format!("{}, {}, α {alpha}", self.name, self.record.kind)
    }
}

/// Writes heads: `tensors` by full name (`image_head.…`, `caption_head.…`).
///
/// # Errors
/// Fails if the folder cannot be written.
pub fn save_heads(
    folder: &Path,
    record: &HeadsRecord,
    tensors: &BTreeMap<String, Tensor>,
    stored_type: StoredType,
) -> Result<()> {
    save_checkpoint(folder, tensors, &serde_json::to_value(record)?, &CheckpointFiles::new(), stored_type)
}
