//! The models that retrieve and read: options shared by `explore`, `annotate` and `predict`.

use super::Common;
use super::costs::ConsentFlag;
use super::encoder_flags::EncoderFlags;
use super::given_hits::given_hits;
use super::models::{HeadChoice, RetrieverChoice, hits_per_head, resolve_retriever};
use super::reader_flags::ReaderFlags;
use super::store_flags::StoreFlags;
use crate::data::Dataset;
use crate::index::Index;
use crate::model::device::choose_device;
use crate::pipeline::{Confirm, ModelChoice};
use crate::retriever::Merging;
use crate::run::{Ablation, Run};
use crate::worker::{WorkerConfig, WorkerHandle};
use crate::workspace::Workspace;
use anyhow::Result;
use std::sync::Arc;

/// The dual encoder, the heads, the reader, and how many documents are retrieved.
#[derive(Clone, Debug, clap::Args)]
pub struct ModelOptions {
    #[command(flatten)]
    pub encoder: EncoderFlags,
    #[command(flatten)]
    pub store: StoreFlags,
    /// Retrieval heads: standard (the dual encoder itself), trained (WORKSPACE/models/retriever) or a folder of heads
    #[arg(long, env = "DISSENT_RETRIEVER", default_value = "standard", value_name = "standard|trained|DIR")]
    pub retriever: RetrieverChoice,
    #[command(flatten)]
    pub reader: ReaderFlags,
    /// Heads that retrieve documents; `lexical` searches for the words of the question and the closed-book answer, and
    /// with it the hits of all heads are merged by reciprocal rank
    #[arg(long, value_enum, value_delimiter = ',', default_value = "image,caption", value_name = "A,B,…")]
    pub heads: Vec<HeadChoice>,
    /// Hits that another program found: a TREC run, JSON lines or CSV, or the name of imported ones (`dissent import hits`);
    /// neither an encoder nor an index is needed
    #[arg(long, value_name = "FILE|NAME", conflicts_with = "heads")]
    pub hits: Option<String>,
    /// With --hits: how the lists of several heads become one; default: one after another, and by reciprocal rank if one of
    /// them is lexical
    #[arg(long, value_enum, value_name = "HOW", requires = "hits")]
    pub merge: Option<Merging>,
    /// Documents retrieved per head
    #[arg(short, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub k: u16,
}

impl Default for ModelOptions {
    fn default() -> Self {
        Self {
            encoder: EncoderFlags::default(),
            store: StoreFlags::default(),
            retriever: RetrieverChoice::Standard,
            reader: ReaderFlags::default(),
            heads: vec![HeadChoice::Image, HeadChoice::Caption],
            hits: None,
            merge: None,
            k: 2,
        }
    }
}

impl ModelOptions {
    /// The models and what the reader is shown of each document.
    ///
    /// # Errors
    /// Fails if a model that the options name, or that the workspace should have, is not there.
    pub fn choice(
        &self,
        common: &Common,
        workspace: &Workspace,
        ablation: Ablation,
        confirm: Confirm,
    ) -> Result<ModelChoice> {
        if let Some(name) = &self.hits {
            let given = given_hits(name, workspace, self.k, self.merge)?;
            return Ok(ModelChoice {
                given: Some(given),
                ..self.closed_book_choice(common, workspace, ablation, confirm)?
            });
        }
        let store = self.store.resolve()?;
        let given_vectors = store.is_none() && Index::is_given(&workspace.index_dir());
        // Vectors that another program computed need no encoder; one that was named is looked for all the same.
        let needs_encoder = !given_vectors || self.encoder.is_named();
        let encoder = needs_encoder.then(|| self.encoder.resolve(&workspace.path)).transpose()?;
        Ok(ModelChoice {
            encoder,
            given_vectors,
            store,
            heads: resolve_retriever(&self.retriever, &workspace.path)?,
            ..self.closed_book_choice(common, workspace, ablation, confirm)?
        })
    }

    /// Like [`Self::choice`], without the models that retrieve.
    ///
    /// # Errors
    /// Fails if the reader is not there.
    pub fn closed_book_choice(
        &self,
        common: &Common,
        workspace: &Workspace,
        ablation: Ablation,
        confirm: Confirm,
    ) -> Result<ModelChoice> {
        Ok(ModelChoice {
            encoder: None,
            given_vectors: false,
            store: None,
            heads: None,
            given: None,
            reader: self.reader.resolve(&workspace.path)?,
            device: common.device.clone(),
            precision: common.dtype,
            hits: hits_per_head(&self.heads, self.k),
            ablation,
            confirm,
        })
    }

    /// Whether the reader is small enough for one thread per kernel. Errors of the reader are reported when it is loaded.
    pub fn reader_is_small(&self, common: &Common, workspace: &Workspace) -> bool {
        let Ok((device, _)) = choose_device(&common.device) else { return false };
        let Ok(reader) = self.reader.resolve(&workspace.path) else { return false };
        device.is_cpu() && reader.is_data_parallel().unwrap_or(false)
    }

    /// Starts the worker with the models. Without them it shows stored answers, searches captions and reports what is
    /// missing.
    ///
    /// # Errors
    /// Fails if a model that the options name is not there, or no thread can be started.
    pub fn start_worker(
        &self,
        common: &Common,
        dataset: &Arc<Dataset>,
        workspace: &Workspace,
        run: Option<(String, Run)>,
        consent: ConsentFlag,
    ) -> Result<WorkerHandle> {
        // Cases that the run lacks are answered under its conditions, because the screen shows them as cases of the run.
        let ablation = run.as_ref().map_or(Ok(Ablation::default()), |(_, run)| run.identity.ablation.parse())?;
        // The screen is the explorer's: nothing may be said beside it.
        let choice = self.choice(common, workspace, ablation, consent.confirm_before_the_screen());
        let choice = choice.and_then(|choice| match choice.store {
            Some(_) => Ok(ModelChoice { store: self.store.resolve_quietly()?, ..choice }),
            None => Ok(choice),
        });
        let models = match choice {
            // The user named a model that is not there, so report it.
            Err(error) if self.name_a_model() => return Err(error),
            models => models.map_err(|error| format!("{error:#}")),
        };
        WorkerHandle::spawn(WorkerConfig { dataset: dataset.clone(), workspace: workspace.clone(), models, run })
    }

    /// Whether the options name a model that retrieves.
    pub fn names_a_retriever(&self) -> bool {
        self.encoder.is_named() || self.store.is_named() || self.retriever != RetrieverChoice::Standard
    }

    fn name_a_model(&self) -> bool {
        self.hits.is_some()
            || self.heads.contains(&HeadChoice::Lexical)
            || self.names_a_retriever()
            || self.reader.reader.is_some()
            || self.reader.adapter.is_some()
    }
}
