//! The embedded sample: synthetic dataset and small models, unpacked on first use.

use crate::files::durable::make_folder;
use crate::files::fingerprint::Fingerprint;
use anyhow::{Context, Result, bail};
use directories::ProjectDirs;
use flate2::read::GzDecoder;
use std::fs;
use std::path::{Path, PathBuf};

/// `sample-data/` as packed by the build script.
const ARCHIVE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sample.tar.gz"));

/// The unpacked sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Dataset directory. It is a cache: user data is stored elsewhere.
    pub dataset: PathBuf,
    /// Checkpoint of the dual encoder.
    pub encoder: PathBuf,
    /// Trained heads.
    pub retriever: PathBuf,
    /// Checkpoint of the reader.
    pub reader: PathBuf,
    /// Folder for index, runs and annotations.
    pub workspace: PathBuf,
}

impl Sample {
    /// The sample in the user's cache folder; unpacks it on first use.
    ///
    /// # Errors
    /// Fails if the folder cannot be written, or this program was built without a sample.
    pub fn unpack() -> Result<Self> {
        let folders = ProjectDirs::from("", "", "dissent")
            .context("found no home folder for the sample's files; set HOME, or XDG_CACHE_HOME and XDG_DATA_HOME")?;
        Self::unpack_into(ARCHIVE, folders.cache_dir(), folders.data_dir())
    }

    fn unpack_into(archive: &[u8], cache: &Path, data: &Path) -> Result<Self> {
        let fingerprint = Fingerprint::of_bytes(archive);
        let target = cache.join("sample").join(fingerprint.as_str());
        let sample = Self {
            dataset: target.join("dataset"),
            encoder: target.join("models").join("encoder"),
            retriever: target.join("models").join("retriever"),
            reader: target.join("models").join("reader"),
            workspace: data.join("sample").join(fingerprint.as_str()),
        };
        if target.is_dir() {
            return Ok(sample);
        }
        let parent = cache.join("sample");
        make_folder(&parent)?;
        let aside = tempfile::Builder::new()
            .prefix(".unpacking-")
            .tempdir_in(&parent)
            .with_context(|| format!("cannot write in {}", parent.display()))?;
        let mut entries = tar::Archive::new(GzDecoder::new(archive));
        entries
            .unpack(aside.path())
            .with_context(|| format!("cannot unpack the sample in {} (is the disk full?)", parent.display()))?;
        if !aside.path().join("dataset").is_dir() {
            bail!(
                "this program was built without the sample; build it where sample-data/ is, or use `dissent explore`"
            );
        }
        let unpacked = aside.keep();
        if let Err(error) = fs::rename(&unpacked, &target) {
            // Another process may have been faster; its copy is identical.
            let _ = fs::remove_dir_all(&unpacked);
            if !target.is_dir() {
                return Err(error).with_context(|| format!("cannot create folder {}", target.display()));
            }
        }
        Ok(sample)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn archive(files: &[(&str, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            builder.append_data(&mut header, name, content.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn the_sample_is_unpacked_once_per_content() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, data) = (folder.path().join("cache"), folder.path().join("data"));
        let bytes = archive(&[("dataset/cases.jsonl", "{}"), ("models/reader/config.json", "{}")]);
        let sample = Sample::unpack_into(&bytes, &cache, &data).unwrap();
        assert_eq!(fs::read_to_string(sample.dataset.join("cases.jsonl")).unwrap(), "{}");
        assert!(sample.reader.join("config.json").is_file());
        assert!(sample.workspace.starts_with(&data));
        assert_eq!(Sample::unpack_into(&bytes, &cache, &data).unwrap(), sample);
        let other = Sample::unpack_into(&archive(&[("dataset/cases.jsonl", "[]")]), &cache, &data).unwrap();
        assert_ne!(other.dataset, sample.dataset);
        let left = fs::read_dir(cache.join("sample")).unwrap().count();
        assert_eq!(left, 2, "no half-unpacked folder is left");
    }

    #[test]
    fn an_empty_archive_says_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let error = Sample::unpack_into(&archive(&[]), folder.path(), folder.path()).unwrap_err();
        assert!(error.to_string().contains("built without the sample"), "{error}");
        assert_eq!(fs::read_dir(folder.path().join("sample")).unwrap().count(), 0);
    }
}
