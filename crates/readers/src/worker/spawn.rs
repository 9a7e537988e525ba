//! Starts the engine on a dataset with real models.

use super::WorkerHandle;
use super::loaded_pipeline::{LoadedPipeline, SearchCaptions};
use crate::pipeline::{LoadedModels, ModelChoice, load_models};
use anyhow::{Result, anyhow, bail};
use dissent_core::data::Dataset;
use dissent_core::run::Run;
use dissent_core::workspace::Workspace;
use dissent_retrieval::index::{
    CaptionResult, CaptionSearch, DocumentFilter, DocumentStore, Index, IndexError, SearchScope, TextIndex,
};
use std::sync::Arc;

/// Configuration of the engine.
pub struct WorkerConfig {
    pub dataset: Arc<Dataset>,
    pub workspace: Workspace,
    /// `Err` with the reason if there are no models: stored answers are shown and captions can be searched, but no case
    /// is read.
    pub models: Result<ModelChoice, String>,
    /// A stored run whose answers are shown at once. Its cases are not read again. The other cases are read only by the
    /// models of the run.
    pub run: Option<(String, Run)>,
}

impl WorkerHandle {
    /// Starts the engine. Models are loaded on its thread; the answers of a stored run are reported first.
    ///
    /// # Errors
    /// Fails if the stored run cannot be read, or the system cannot start a thread.
    pub fn spawn(config: WorkerConfig) -> Result<Self> {
        let mut stored = Vec::new();
        let mut stored_identity = None;
        let WorkerConfig { dataset, workspace, models, run } = config;
        if let Some((name, run)) = run {
            stored_identity = Some((name, run.identity.clone()));
            stored = run.into_answers(&dataset)?;
        }
        let checked = dataset.clone();
        let check = move || checked.remark_on_changed_images();
        let (searched, index_folder) = (dataset.clone(), workspace.index_dir());
        let store = models.as_ref().ok().and_then(|models| models.store.clone());
        let load_search = move || -> Result<Box<dyn SearchCaptions>> {
            let captions = match store {
                Some(source) => Searched::Store(source.open(&searched, None)?),
                None => Searched::Index(Index::open_text(&index_folder, &searched.corpus_fingerprint())?),
            };
            Ok(Box::new(captions))
        };
        let load_parts = move |progress: crate::pipeline::Progress,
                               cancelled: &dyn Fn() -> bool|
              -> Result<LoadedPipeline> {
            let models = models.as_ref().map_err(|message| anyhow!("{message}"))?;
            let LoadedModels { pipeline, description, identity } =
                load_models(&dataset, &workspace, models, progress, cancelled)?;
            if let Some((name, then)) = &stored_identity {
                let differences = then.differences(&identity);
                if !differences.is_empty() {
                    bail!(
                        "the run {name} was made from other inputs: {}; its cases are shown as stored, and no others are answered",
                        differences.join(", ")
                    );
                }
            }
            Ok(LoadedPipeline { pipeline, description })
        };
        Self::start_with(stored, Box::new(load_parts), Box::new(load_search), Some(Box::new(check)))
    }
}

/// What has the captions.
enum Searched {
    Index(TextIndex),
    Store(Arc<dyn DocumentStore>),
}

impl SearchCaptions for Searched {
    fn search(&mut self, query: &str, limit: usize) -> Result<Vec<CaptionResult>> {
        let captions: &dyn CaptionSearch = match self {
            Self::Index(index) => index,
            Self::Store(store) => store.captions(),
        };
        let scope = SearchScope { filter: &DocumentFilter::default(), allowed: &|_| true };
        let found = match captions.search_words(query, limit, scope) {
            // The user is still typing: an open quote is not an error yet.
            Err(IndexError::Query { .. }) => captions.search_text(query, limit, scope),
            found => found,
        };
        Ok(found?)
    }
}
