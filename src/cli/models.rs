//! Finds the models: the flag, else the workspace.

use super::Common;
use super::encoder_flags::EncoderFlags;
use crate::milvus::StoreSource;
use crate::model::device::choose_device;
use crate::model::hub::HubId;
use crate::output::say;
use crate::pipeline::known_probe;
use crate::retriever::{Encoder, HitsPerHead};
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail, ensure};
use candle_core::DType;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The dual encoder's folder: `flag`, else `WORKSPACE/models/encoder`.
///
/// # Errors
/// Fails if the named folder does not exist, or no folder is named and the workspace has no encoder.
pub fn resolve_encoder(flag: Option<&Path>, workspace: &Path) -> Result<PathBuf> {
    let advice = "give --encoder DIR (a checkpoint of CLIP, SigLIP, OpenCLIP, jina-clip, DINOv2 or another family of docs/reference/models.md; or the address of a server) or train one with `dissent train dual-encoder DATASET --out";
    resolve("encoder", "encoder", flag, workspace, advice)
}

/// The reader's folder: `flag`, else `WORKSPACE/models/reader`.
///
/// # Errors
/// Fails like [`resolve_encoder`].
pub fn resolve_reader(flag: Option<&Path>, workspace: &Path) -> Result<PathBuf> {
    let advice = "give --reader DIR (a checkpoint of Pixtral, Qwen2-VL, Qwen2.5-VL, Qwen3-VL, SmolVLM, LLaVA, Gemma 3, InternVL 3 or PaliGemma) or train one with `dissent train reader DATASET --out";
    resolve("reader", "reader", flag, workspace, advice)
}

/// The folder of the adapter that `flag` names.
///
/// # Errors
/// Fails if there is no such folder.
pub fn resolve_adapter(flag: Option<&Path>) -> Result<Option<PathBuf>> {
    let expected = "expected an adapter's folder with adapter_config.json and adapter_model.safetensors";
    flag.map(|flag| named_folder(flag, expected)).transpose()
}

/// The checkpoint folder that `flag` names: a path, else a model in the Hugging Face cache.
///
/// # Errors
/// Fails if there is neither; for a hub name the message says which cache was searched.
pub fn named_checkpoint(flag: &Path) -> Result<PathBuf> {
    named_folder(flag, "expected a checkpoint folder with config.json and model.safetensors")
}

fn named_folder(flag: &Path, expected: &str) -> Result<PathBuf> {
    if flag.is_dir() {
        return Ok(flag.into());
    }
    // An address may contain a password, so the message does not repeat it.
    ensure!(!flag.to_string_lossy().contains("://"), "{expected}, found an address");
    let missing = format!("{}: no such folder; {expected}", flag.display());
    match flag.to_str().map(str::parse::<HubId>) {
        Some(Ok(id)) => id.in_cache().with_context(|| missing),
        _ => bail!("{missing}"),
    }
}

/// The retrieval heads: `--retriever`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RetrieverChoice {
    /// The untrained dual encoder: standard RAG.
    #[default]
    Standard,
    /// The heads in `WORKSPACE/models/retriever`.
    Trained,
    /// The heads in this folder.
    Folder(PathBuf),
}

impl FromStr for RetrieverChoice {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "standard" => Self::Standard,
            "trained" => Self::Trained,
            folder => Self::Folder(folder.into()),
        })
    }
}

/// A retrieval head: `--heads`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum HeadChoice {
    Image,
    Caption,
    Lexical,
}

/// `k` hits for each named head.
pub fn hits_per_head(heads: &[HeadChoice], k: u16) -> HitsPerHead {
    let of = |head: HeadChoice| if heads.contains(&head) { usize::from(k) } else { 0 };
    HitsPerHead { image: of(HeadChoice::Image), caption: of(HeadChoice::Caption), lexical: of(HeadChoice::Lexical) }
}

/// The folder of the trained heads; `None` for standard RAG.
///
/// # Errors
/// Fails like [`resolve_encoder`].
pub fn resolve_retriever(choice: &RetrieverChoice, workspace: &Path) -> Result<Option<PathBuf>> {
    let flag = match choice {
        RetrieverChoice::Standard => return Ok(None),
        RetrieverChoice::Trained => None,
        RetrieverChoice::Folder(folder) => {
            let text = folder.display();
            ensure!(
                folder.is_dir(),
                "--retriever {text}: no such folder; expected standard, trained or a folder of heads"
            );
            Some(folder.as_path())
        }
    };
    let advice = "give --retriever DIR or train one with `dissent train retriever DATASET --out";
    resolve("trained retriever", "retriever", flag, workspace, advice).map(Some)
}

fn resolve(what: &str, name: &str, flag: Option<&Path>, workspace: &Path, advice: &str) -> Result<PathBuf> {
    if let Some(folder) = flag {
        return named_checkpoint(folder);
    }
    let own = workspace.join("models").join(name);
    if ["config.json", "open_clip_config.json"].iter().any(|config| own.join(config).is_file()) {
        return Ok(own);
    }
    bail!("no {what}: {advice} {}`", own.display())
}

/// Loads the encoder with the device and number type of the options, or connects to its servers.
pub(super) fn load_encoder(flags: &EncoderFlags, workspace: &Workspace, common: &Common) -> Result<Encoder> {
    load_encoder_for(flags, None, workspace, common)
}

/// Like [`load_encoder`], for the vectors of a store.
pub(super) fn load_encoder_for(
    flags: &EncoderFlags,
    store: Option<&StoreSource>,
    workspace: &Workspace,
    common: &Common,
) -> Result<Encoder> {
    let source = flags.resolve(&workspace.path)?;
    let (device, reason) = choose_device(&common.device)?;
    let number_type = source.number_type(common.dtype, &device);
    if let Some(number_type) = number_type.filter(|_| common.verbose > 0) {
        say(&format!("encoder {source} on {reason}, in {number_type}"));
    }
    let dtype = number_type.map_or(DType::F32, |chosen| chosen.dtype);
    let known = known_probe(store, workspace);
    source.open_as(&device, dtype, known, workspace, &|line| say(&line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_wins_then_the_workspace() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = folder.path();
        let message = resolve_encoder(None, workspace).unwrap_err().to_string();
        assert!(message.contains("--encoder DIR") && message.contains("models/encoder"), "{message}");
        let own = workspace.join("models/encoder");
        std::fs::create_dir_all(&own).unwrap();
        assert!(resolve_encoder(None, workspace).is_err(), "an empty folder is no checkpoint");
        std::fs::write(own.join("config.json"), "{}").unwrap();
        assert_eq!(resolve_encoder(None, workspace).unwrap(), own);
        assert_eq!(resolve_encoder(Some(workspace), workspace).unwrap(), workspace);
        assert!(resolve_reader(Some(&own.join("nowhere")), workspace).is_err());
    }
}
