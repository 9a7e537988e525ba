//! Loading a Pixtral checkpoint for inference or training, and saving it.

use super::config::PixtralConfig;
use super::config_json::check_fixed;
use super::model::PixtralModel;
use super::processor::PixtralProcessor;
use crate::model::checkpoint::{
    Adapter, CheckpointError, CheckpointFiles, StoredType, Weights, fingerprint_of, folder_name, read_json,
    save_checkpoint, typed, variables_of,
};
use crate::model::decoder::Decoder;
use crate::model::gguf::DecoderSpec;
use crate::model::initialise::seeded_builder;
use crate::model::layers::Mode;
use crate::model::vlm::{
    CheckpointParts, PreparedImage, PromptProcessor, ReaderCheckpoint, VisionLanguageModel, open_weights,
};
use anyhow::{Context, Result};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarMap;
use dissent_core::files::fingerprint::Fingerprint;
use serde_json::{Value, json};
use std::path::Path;

/// A Pixtral model with its processor, for inference.
#[derive(Clone, Debug)]
pub struct PixtralCheckpoint {
    pub model: PixtralModel,
    pub processor: PixtralProcessor,
    /// The folder's name.
    pub name: String,
    /// Hash of the weights and every file that influences an answer.
    pub fingerprint: Fingerprint,
    /// Remarks for the user about the checkpoint.
    pub notes: Vec<String>,
}

impl PixtralCheckpoint {
    /// Loads the checkpoint `folder`.
    ///
    /// # Errors
    /// Fails if a file is missing or broken, a tensor is missing, has the wrong shape or is not finite, or the tokenizer
    /// does not fit the model. The message names the file or tensor.
    pub fn load(folder: &Path, device: &Device, dtype: DType) -> Result<Self> {
        Self::load_with(folder, None, device, dtype)
            .with_context(|| format!("cannot load the reader {}", folder.display()))
    }

    /// [`Self::load`] with an adapter merged into the weights.
    ///
    /// # Errors
    /// Fails as [`Self::load`] does, and if the adapter does not fit.
    pub fn load_with(folder: &Path, adapter: Option<Adapter>, device: &Device, dtype: DType) -> Result<Self> {
        let config = PixtralConfig::read(folder)?;
        let processor = PixtralProcessor::read(folder)?;
        check_tokenizer(folder, &config, &processor)?;
        let mut parts = CheckpointParts {
            name: folder_name(folder),
            fingerprint: pixtral_fingerprint(folder, &processor)?,
            notes: Vec::new(),
        };
        if !processor.has_template() {
            parts.notes.push("the checkpoint has no chat template; prompts are <s>[INST] … [/INST]".to_string());
        }
        let spec = DecoderSpec {
            config: &config.text,
            tied: config.tied_embeddings,
            inner: "language_model.model",
            outer: "language_model",
        };
        let weights = open_weights(folder, adapter, canonical_name, spec, dtype, device, &mut parts)?;
        let CheckpointParts { name, fingerprint, notes } = parts;
        let quantised = weights.decoder().cloned();
        let vars = weights.clone().builder(dtype, device);
        let model = PixtralModel::with_decoder(&config, &vars, quantised.as_ref(), Mode::Infer)?;
        weights.check_all_used(config.tied_embeddings)?;
        Ok(Self { model, processor, name, fingerprint, notes })
    }
}

impl VisionLanguageModel for PixtralCheckpoint {
    fn processor(&self) -> &dyn PromptProcessor {
        &self.processor
    }

    fn vision_features(&self, images: &[PreparedImage]) -> Result<Vec<Tensor>> {
        let pixels: Vec<Tensor> = images.iter().map(|image| image.pixels.clone()).collect();
        Ok(self.model.vision_features(&pixels)?)
    }

    fn decoder(&self) -> &Decoder {
        self.model.decoder()
    }
}

impl From<PixtralCheckpoint> for ReaderCheckpoint {
    fn from(checkpoint: PixtralCheckpoint) -> Self {
        let (name, fingerprint, notes) =
            (checkpoint.name.clone(), checkpoint.fingerprint.clone(), checkpoint.notes.clone());
        Self { model: Box::new(checkpoint), name, fingerprint, notes }
    }
}

impl PixtralConfig {
    /// Reads `config.json` of a checkpoint directory.
    pub fn read(folder: &Path) -> Result<Self, CheckpointError> {
        let mut value = read_json(folder, "config.json", "it describes the model")?;
        let bad = |reason: String| CheckpointError::BadJson { path: folder.join("config.json"), reason };
        check_fixed(&value).map_err(bad)?;
        drop_old_name_of_dtype(&mut value).map_err(bad)?;
        typed(value).map_err(bad)
    }
}

/// Removes the unused one of `dtype` and `torch_dtype`, its name before transformers 5; some versions write both.
///
/// # Errors
/// Fails if they differ.
fn drop_old_name_of_dtype(config: &mut Value) -> Result<(), String> {
    let (new, old) = (&config["dtype"], &config["torch_dtype"]);
    if !new.is_null() && !old.is_null() && new != old {
        return Err(format!("fields dtype and torch_dtype: expected the same type, found {new} and {old}"));
    }
    let dropped = if new.is_null() { "dtype" } else { "torch_dtype" };
    if let Some(fields) = config.as_object_mut() {
        fields.remove(dropped);
    }
    Ok(())
}

/// Hash of the weights of `folder` and every file that influences an answer. A chat template is included only if it
/// differs from the built-in prompt format.
pub(crate) fn pixtral_fingerprint(folder: &Path, processor: &PixtralProcessor) -> Result<Fingerprint> {
    let files = fingerprint_of(folder)?;
    Ok(match processor.own_template()? {
        None => files,
        Some(template) => Fingerprint::of_parts([files.as_str(), "template", template]),
    })
}

/// A trainable f32 model with its parameters in `variables`: loaded from `folder` if given, otherwise initialised at
/// random from `seed`.
pub fn trainable_pixtral(
    config: &PixtralConfig,
    variables: &VarMap,
    seed: u64,
    folder: Option<&Path>,
    device: &Device,
) -> Result<PixtralModel> {
    let model = PixtralModel::new(config, &seeded_builder(variables, seed, DType::F32, device), Mode::Train)?;
    if let Some(folder) = folder {
        let weights = Weights::read(folder)?.renamed(canonical_name);
        weights.load_into(variables)?;
        weights.check_all_used(config.tied_embeddings)?;
    }
    Ok(model)
}

/// Atomically replaces `folder` by a checkpoint of these variables. `files` come from `processor_files` or from the
/// checkpoint that training started from.
pub fn save_pixtral(
    folder: &Path,
    config: &PixtralConfig,
    variables: &VarMap,
    files: &CheckpointFiles,
    stored_type: StoredType,
) -> Result<()> {
    let tensors = variables_of(variables);
    save_checkpoint(folder, &tensors, &json!(config), files, stored_type)
}

/// Maps a tensor name of any transformers version to the published one. Newer versions (in memory) and some tools (on
/// disk) use `model.vision_tower.`, `model.language_model.` and `lm_head.`.
pub(in crate::model) fn canonical_name(name: &str) -> String {
    if let Some(rest) = name.strip_prefix("model.language_model.") {
        return format!("language_model.model.{rest}");
    }
    if let Some(rest) = name.strip_prefix("lm_head.") {
        return format!("language_model.lm_head.{rest}");
    }
    name.strip_prefix("model.").unwrap_or(name).to_string()
}

/// Checks that tokenizer and model agree on vocabulary and image token.
fn check_tokenizer(folder: &Path, config: &PixtralConfig, processor: &PixtralProcessor) -> Result<(), CheckpointError> {
    let bad = |reason: String| Err(CheckpointError::BadJson { path: folder.join("tokenizer.json"), reason });
    let (size, vocabulary) = (processor.tokenizer().size(), config.text.vocabulary);
    if size > vocabulary {
        return bad(format!(
            "{size} tokens exceed the model's vocabulary of {vocabulary} (text_config.vocab_size in config.json)"
        ));
    }
    let largest = processor.tokenizer().inner().largest_id();
    if largest as usize >= vocabulary {
        return bad(format!(
            "token id {largest} is outside the model's vocabulary of {vocabulary} (text_config.vocab_size in config.json)"
        ));
    }
    let (image, expected) = (processor.tokenizer().special().image, config.image_token);
    if image != expected {
        return bad(format!("the image token has id {image}, config.json says {expected} (image_token_index)"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::vlm::skeleton::{assert_skeleton, config_of};

    #[test]
    fn full_size_weights_match_transformers() {
        let config: PixtralConfig = serde_json::from_value(config_of("pixtral")).unwrap();
        assert_skeleton("pixtral", canonical_name, |weights| Ok(PixtralModel::new(&config, &weights, Mode::Infer)?));
    }

    #[test]
    fn tensor_names_of_all_versions_are_mapped() {
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
}
