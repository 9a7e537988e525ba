//! `--encoder` and its companions, for every command that retrieves.

use super::models::resolve_encoder;
use super::server_flags::{ServerFlags, address_in};
use crate::pipeline::EncoderSource;
use crate::reader::remote::{ServerAddress, ServerConnection, ServerRole};
use anyhow::Result;
use std::path::{Path, PathBuf};

/// The encoder of images and texts.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct EncoderFlags {
    /// Encoder: a checkpoint folder, org/name@revision in the Hugging Face cache, or the address of a server of embeddings
    /// (vLLM, Infinity, Jina's API; of texts alone Text Embeddings Inference or llama.cpp); several servers of the same
    /// model are separated by commas; default: WORKSPACE/models/encoder
    // The value may contain a password, so the help does not show it.
    #[arg(long, env = "DISSENT_ENCODER", hide_env_values = true, value_name = "DIR|URL,…")]
    pub encoder: Option<PathBuf>,
    /// Name of the encoder's model on the server, if it serves several
    #[arg(long, env = "DISSENT_ENCODER_MODEL", value_name = "NAME")]
    pub encoder_model: Option<String>,
    /// File that contains the API key of the encoder's server; default: the environment variable DISSENT_ENCODER_KEY
    #[arg(long, env = "DISSENT_ENCODER_KEY_FILE", value_name = "FILE")]
    pub encoder_key_file: Option<PathBuf>,
    /// Maximum number of concurrent requests to each server of the encoder [default: 16]
    #[arg(long, env = "DISSENT_ENCODER_REQUESTS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub encoder_requests: Option<u16>,
    /// Seconds to wait for each answer of the encoder's server; default: as for a reader
    #[arg(long, env = "DISSENT_ENCODER_TIMEOUT", value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub encoder_timeout: Option<u32>,
    /// Seconds to wait for an encoder's server that is loading, unreachable or overloaded [default: 300]
    #[arg(long, env = "DISSENT_ENCODER_PATIENCE", value_name = "SECONDS")]
    pub encoder_patience: Option<u64>,
}

impl EncoderFlags {
    /// The flags for a checkpoint folder.
    pub fn for_checkpoint(folder: &Path) -> Self {
        Self { encoder: Some(folder.into()), ..Self::default() }
    }

    /// Whether an encoder is named.
    pub fn is_named(&self) -> bool {
        self.encoder.is_some()
    }

    /// The encoder that is named, for messages; an address is shown without a password, which is refused later.
    pub fn name(&self) -> Option<String> {
        let text = self.encoder.as_ref()?.display().to_string();
        let is_address = ServerAddress::looks_like_one(&text);
        Some(if is_address && text.contains('@') { "on a server".into() } else { text })
    }

    /// The servers that the flags name; `None` if they name a folder or nothing.
    ///
    /// # Errors
    /// Fails if an address is invalid or the key file cannot be read.
    fn served(&self) -> Result<Option<ServerConnection>> {
        let Some(addresses) = address_in(self.encoder.as_deref()) else { return Ok(None) };
        let flags = ServerFlags {
            model: self.encoder_model.as_deref(),
            key_file: self.encoder_key_file.as_deref(),
            requests: self.encoder_requests,
            timeout: self.encoder_timeout,
            patience: self.encoder_patience,
        };
        flags.connection(ServerRole::Encoder, addresses).map(Some)
    }

    /// The servers or the folder that the flags name, else the workspace's encoder.
    ///
    /// # Errors
    /// Fails like [`Self::served`] and [`resolve_encoder`].
    pub fn resolve(&self, workspace: &Path) -> Result<EncoderSource> {
        match self.served()? {
            Some(served) => Ok(EncoderSource::Served(Box::new(served))),
            None => Ok(EncoderSource::Checkpoint(resolve_encoder(self.encoder.as_deref(), workspace)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_from_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let flags = EncoderFlags::for_checkpoint(folder.path());
        assert!(
            matches!(flags.resolve(folder.path()).unwrap(), EncoderSource::Checkpoint(found) if found == folder.path())
        );
        let flags = EncoderFlags { encoder: Some("http://a:1,http://b:2".into()), ..EncoderFlags::default() };
        let EncoderSource::Served(served) = flags.resolve(folder.path()).unwrap() else { panic!("two servers") };
        assert_eq!((served.addresses.len(), served.requests), (2, 16));
        let flags = EncoderFlags { encoder: Some("http://user:hunter2@a:1".into()), ..EncoderFlags::default() };
        let message = format!("{:#}", flags.resolve(folder.path()).unwrap_err());
        assert!(message.contains("--encoder-key-file") && !message.contains("hunter2"), "{message}");
        assert!(!message.contains("READER") && !message.contains("--reader"), "{message}");
    }
}
