//! Flags of `dissent import` for Hugging Face tables, and the formats that are such tables.

use crate::data::Split;
use crate::data::import::{
    ColumnMapping, HfOptions, ImportOptions, Imported, ProgressReport, import_hf, import_path_vqa,
    import_vqa_rad_mirror,
};
use anyhow::Result;
use clap::ValueEnum;
use std::path::{Path, PathBuf};

/// Flags for Hugging Face tables.
#[derive(Debug, clap::Args)]
pub struct HfFlags {
    /// hf, path-vqa, vqa-rad (parquet): the configuration to import, where a dataset has several
    #[arg(long, value_name = "NAME")]
    pub config: Option<String>,
    /// hf, path-vqa, vqa-rad (parquet): import although shards are missing
    #[arg(long)]
    pub incomplete: bool,
    /// hf: the split (train, validation or test) that a split of the source with another name is
    #[arg(long, value_name = "NAME=SPLIT", value_parser = split_as)]
    pub split_as: Vec<(String, Split)>,
    /// hf: draw the splits by group, whatever the source says
    #[arg(long)]
    pub draw_splits: bool,
    /// vqa-rad (parquet): folder of the OSF release, whose ids and patients are joined
    #[arg(long, value_name = "DIR")]
    pub osf: Option<PathBuf>,
}

/// Parses `NAME=SPLIT`.
fn split_as(text: &str) -> Result<(String, Split), String> {
    let (name, split) = text.rsplit_once('=').ok_or_else(|| format!("expected NAME=SPLIT, found {text:?}"))?;
    Ok((name.into(), Split::from_str(split, true)?))
}

impl HfFlags {
    /// Imports a Hugging Face table as one of `hf`, `path-vqa` and `vqa-rad`.
    pub(super) fn import(
        &self,
        format: &str,
        source: &Path,
        dataset: &Path,
        (mapping, question): (ColumnMapping, Option<String>),
        choices: &ImportOptions,
        progress: ProgressReport,
    ) -> Result<Imported> {
        let hf = HfOptions {
            config: self.config.clone(),
            incomplete: self.incomplete,
            splits: self.split_as.clone(),
            draw_splits: self.draw_splits,
            mapping,
            question,
        };
        match format {
            "path-vqa" => import_path_vqa(source, dataset, &hf, choices, progress),
            "vqa-rad" => import_vqa_rad_mirror(source, self.osf.as_deref(), dataset, &hf, choices, progress),
            _ => import_hf(source, dataset, &hf, choices, progress),
        }
    }
}
