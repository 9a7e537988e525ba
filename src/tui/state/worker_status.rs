//! Status of the worker, for the status line.

use crate::pipeline::ModelDescription;

/// The status as reported by the worker.
#[derive(Clone, Debug, Default)]
pub struct WorkerStatus {
    models: Option<ModelDescription>,
    progress: Option<String>,
    failure: Option<String>,
}

impl WorkerStatus {
    /// A worker that shows this progress until it is ready.
    pub fn starting(progress: String) -> Self {
        Self { progress: Some(progress), ..Self::default() }
    }

    /// The loaded models; `None` while models and index are being loaded, or if there are none.
    pub fn models(&self) -> Option<&ModelDescription> {
        self.models.as_ref()
    }

    /// The worker's current activity.
    pub fn progress(&self) -> Option<&str> {
        self.progress.as_deref()
    }

    /// Reason why the worker cannot answer at all.
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

    /// Takes a failure that concerns no case. The first one before the models are loaded is the reason why there are
    /// none; later ones are returned for display.
    pub fn failed(&mut self, message: String) -> Option<String> {
        self.progress = None;
        if self.models.is_some() || self.failure.is_some() {
            return Some(message);
        }
        self.failure = Some(message);
        None
    }
}
