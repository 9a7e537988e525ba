//! `--reader` and its companions, for every command that asks a model.

use super::models::{named_checkpoint, resolve_adapter, resolve_reader};
use super::server_flags::{ServerFlags, address_in};
use crate::reader::ReaderSource;
use crate::reader::remote::{ReaderMode, SampleSettings, ServedModel, ServerRole};
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};

/// The model that answers the questions.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ReaderFlags {
    /// Model that answers: a checkpoint folder, org/name@revision in the Hugging Face cache, or the address of a server
    /// (vLLM, llama.cpp or another with OpenAI's interface); several servers of the same model are separated by commas;
    /// default: WORKSPACE/models/reader
    // The value may contain a password, so the help does not show it.
    #[arg(long, env = "DISSENT_READER", hide_env_values = true, value_name = "DIR|URL,…")]
    pub reader: Option<PathBuf>,
    /// LoRA adapter (PEFT) to merge into the model: a folder, or org/name@revision in the Hugging Face cache
    #[arg(long, env = "DISSENT_ADAPTER", value_name = "DIR")]
    pub adapter: Option<PathBuf>,
    /// Name of the model on the server, if it serves several
    #[arg(long, env = "DISSENT_READER_MODEL", value_name = "NAME")]
    pub reader_model: Option<String>,
    /// Checkpoint folder of the served model, used to resize images and to check prompts as the server does
    #[arg(long, env = "DISSENT_READER_PROCESSOR", value_name = "DIR")]
    pub reader_processor: Option<PathBuf>,
    /// File that contains the server's API key; default: the environment variable DISSENT_READER_KEY
    #[arg(long, env = "DISSENT_READER_KEY_FILE", value_name = "FILE")]
    pub reader_key_file: Option<PathBuf>,
    /// Maximum number of concurrent requests to each server [default: 16]
    #[arg(long, env = "DISSENT_READER_REQUESTS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub reader_requests: Option<u16>,
    /// Seconds to wait for each answer of a server; default: 30 for its properties, up to 180 for the first test
    /// request, a minute or more for a long prompt
    #[arg(long, env = "DISSENT_READER_TIMEOUT", value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub reader_timeout: Option<u32>,
    /// Seconds to wait for a server that is loading, unreachable or overloaded [default: 300]
    #[arg(long, env = "DISSENT_READER_PATIENCE", value_name = "SECONDS")]
    pub reader_patience: Option<u64>,
    /// What a server is asked for: exact log-probabilities of the labels, or sampled answers whose shares stand for
    /// probabilities (≈); auto samples if the server gives no log-probabilities with token ids [default: auto]
    #[arg(long, env = "DISSENT_READER_MODE", value_name = "auto|exact|answers")]
    pub reader_mode: Option<ReaderMode>,
    /// Answers that are sampled for each question, if they are [default: 5]
    #[arg(long, env = "DISSENT_SAMPLES", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub samples: Option<u32>,
    /// Temperature at which answers are sampled; default: 1, and 0 for a single answer
    #[arg(long, env = "DISSENT_SAMPLE_TEMPERATURE", value_name = "T", value_parser = temperature)]
    pub sample_temperature: Option<f32>,
}

/// Parses a temperature.
fn temperature(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(value) if (0.0..=2.0).contains(&value) => Ok(value),
        _ => Err(format!("expected a number from 0 to 2, found {text}")),
    }
}

impl ReaderFlags {
    /// The flags for a checkpoint folder.
    pub fn for_checkpoint(folder: &Path) -> Self {
        Self { reader: Some(folder.into()), ..Self::default() }
    }

    /// The servers that the flags name; `None` if they name a folder or nothing.
    ///
    /// # Errors
    /// Fails if an address is invalid, the key file or processor folder is missing, or an adapter is given.
    pub fn served(&self) -> Result<Option<ServedModel>> {
        let Some(addresses) = address_in(self.reader.as_deref()) else {
            ensure!(
                self.reader_mode != Some(ReaderMode::Answers)
                    && self.samples.is_none()
                    && self.sample_temperature.is_none(),
                "--reader-mode answers, --samples and --sample-temperature are for a server (--reader http://HOST:PORT); a \
                 checkpoint that is read here gives exact log-probabilities"
            );
            return Ok(None);
        };
        if let Some(adapter) = &self.adapter {
            bail!(
                "--adapter {}: a checkpoint read here takes it; a server is given its adapters when it starts, and \
                 --reader-model names the one that answers",
                adapter.display()
            );
        }
        let processor = self.reader_processor.as_deref().map(named_checkpoint).transpose();
        let processor = processor.context("--reader-processor")?;
        let flags = ServerFlags {
            model: self.reader_model.as_deref(),
            key_file: self.reader_key_file.as_deref(),
            requests: self.reader_requests,
            timeout: self.reader_timeout,
            patience: self.reader_patience,
        };
        Ok(Some(ServedModel {
            connection: flags.connection(ServerRole::Reader, addresses)?,
            processor,
            answers: SampleSettings::new(
                self.reader_mode.unwrap_or_default(),
                self.samples.unwrap_or(SampleSettings::SAMPLES),
                self.sample_temperature,
            ),
        }))
    }

    /// The servers or the folder that the flags name, else the workspace's reader.
    ///
    /// # Errors
    /// Fails like [`Self::served`], [`resolve_reader`] and [`resolve_adapter`].
    pub fn resolve(&self, workspace: &Path) -> Result<ReaderSource> {
        match self.served()? {
            Some(served) => Ok(ReaderSource::Served(Box::new(served))),
            None => Ok(ReaderSource::Checkpoint {
                folder: resolve_reader(self.reader.as_deref(), workspace)?,
                adapter: resolve_adapter(self.adapter.as_deref()).context("--adapter")?,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_from_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let flags = ReaderFlags::for_checkpoint(folder.path());
        assert!(
            matches!(flags.resolve(folder.path()), Ok(ReaderSource::Checkpoint { folder: found, adapter: None }) if found == folder.path())
        );
        let flags = ReaderFlags { reader: Some("http://a:1,http://b:2".into()), ..ReaderFlags::default() };
        let served = flags.served().unwrap().unwrap();
        assert_eq!((served.connection.addresses.len(), served.connection.requests), (2, 16));
        let flags = ReaderFlags { reader_processor: Some(folder.path().join("none")), ..flags };
        let message = format!("{:#}", flags.served().unwrap_err());
        assert!(
            message.contains("--reader-processor") && message.contains("expected a checkpoint folder"),
            "{message}"
        );
    }

    #[test]
    fn an_adapter_is_for_a_checkpoint_that_is_read_here() {
        let folder = tempfile::tempdir().unwrap();
        let adapter = Some(folder.path().join("adapter"));
        let flags = ReaderFlags { adapter: adapter.clone(), ..ReaderFlags::for_checkpoint(folder.path()) };
        let message = format!("{:#}", flags.resolve(folder.path()).unwrap_err());
        assert!(message.contains("--adapter") && message.contains("adapter_config.json"), "{message}");
        std::fs::create_dir(folder.path().join("adapter")).unwrap();
        let resolved = flags.resolve(folder.path()).unwrap();
        assert!(matches!(resolved, ReaderSource::Checkpoint { adapter: found, .. } if found == adapter));
        let flags = ReaderFlags { reader: Some("http://a:1".into()), ..flags };
        let message = flags.resolve(folder.path()).unwrap_err().to_string();
        assert!(message.contains("--reader-model"), "{message}");
    }
}
