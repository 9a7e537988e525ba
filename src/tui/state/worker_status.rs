//! What the worker is and does, for the status line.

use crate::pipeline::ModelDescription;

/// The worker as it has described itself.
#[derive(Clone, Debug, Default)]
pub struct WorkerStatus {
    models: Option<ModelDescription>,
    progress: Option<String>,
    failure: Option<String>,
}

impl WorkerStatus {
    /// A worker that says this until it is ready.
    pub fn starting(progress: String) -> Self {
        Self { progress: Some(progress), ..Self::default() }
    }

    /// The models that answer; `None` while models and index are being loaded, and where there are none.
    pub fn models(&self) -> Option<&ModelDescription> {
        self.models.as_ref()
    }

    /// What it is doing, in its own words.
    pub fn progress(&self) -> Option<&str> {
        self.progress.as_deref()
    }

    /// Why it cannot answer at all.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    pub fn ready(&mut self, models: ModelDescription) {
        self.models = Some(models);
        self.progress = None;
    }

    pub fn set_progress(&mut self, line: String) {
        self.progress = Some(line);
    }

    /// Something failed that is about no case. The first failure before the models are loaded is the reason why there are
    /// none; a later one is another matter and is given back.
    pub fn failed(&mut self, message: String) -> Option<String> {
        self.progress = None;
        if self.models.is_some() || self.failure.is_some() {
            return Some(message);
        }
        self.failure = Some(message);
        None
    }
}
