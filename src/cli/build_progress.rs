//! The progress of building an index: a bar, and what bounds the requests to an encoder's server.

use super::costs::CostFlags;
use super::interrupt::{InterruptFlag, Interrupted};
use crate::index::{Embedder, Progress, Stage};
use crate::output::say;
use crate::pipeline::{PlannedRequests, planned_build};
use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::Instant;

/// A progress bar on standard error. Without a terminal only a wait is reported, because it would look like a hang.
pub(super) struct BuildBar<'a> {
    interrupt: Option<&'a InterruptFlag>,
    bar: ProgressBar,
    stage: Option<Stage>,
    start: Instant,
    /// Time spent on the images, or on reading the vectors of another program.
    pub image_seconds: f64,
}

impl<'a> BuildBar<'a> {
    pub fn new(interrupt: Option<&'a InterruptFlag>) -> Self {
        Self { interrupt, bar: ProgressBar::no_length(), stage: None, start: Instant::now(), image_seconds: 0.0 }
    }

    pub fn show(&mut self, progress: Progress) -> Result<()> {
        if self.interrupt.is_some_and(InterruptFlag::is_set) {
            self.bar.finish_and_clear();
            let kept = "the index is unchanged; run the same command to start again".into();
            return Err(Interrupted { kept }.into());
        }
        if self.stage != Some(progress.stage) {
            if self.stage == Some(Stage::Images) {
                self.image_seconds = self.start.elapsed().as_secs_f64();
            }
            self.stage = Some(progress.stage);
            if progress.stage == Stage::Waiting && !std::io::stderr().is_terminal() {
                say("another program is building this index; waiting");
            }
            let (what, template) = match progress.stage {
                Stage::Waiting => ("waiting", "another program is building this index; {msg} {elapsed}"),
                Stage::Images => ("images", "{msg:9} {bar:32} {pos}/{len}  {per_sec}  {eta} left"),
                Stage::Documents => ("documents", "{msg:9} {bar:32} {pos}/{len}  {per_sec}  {eta} left"),
                Stage::Captions => ("captions", "{msg:9} {bar:32} {pos}/{len}  {per_sec}  {eta} left"),
                Stage::Clusters => ("clusters", "{msg:9} {elapsed}"),
                Stage::Vectors => ("vectors", "{msg:9} {bar:32} {pos}/{len}  {per_sec}  {eta} left"),
                Stage::Recall => ("recall", "{msg:9} {elapsed}"),
                Stage::Writing => ("writing", "{msg:9} {elapsed}"),
            };
            self.bar.reset();
            // The template is a constant; with a wrong one the bar keeps its default style.
            if let Ok(style) = ProgressStyle::with_template(template) {
                self.bar.set_style(style);
            }
            self.bar.set_length(progress.total as u64);
            self.bar.set_message(what);
        }
        self.bar.set_position(progress.done as u64);
        Ok(())
    }

    /// Says what the encoder has to say, such as that its vectors are no longer kept, without damaging the bar.
    fn say_remark(&self, encoder: &dyn Embedder) {
        if let Some(remark) = encoder.take_remark() {
            self.bar.suspend(|| say(&format!("warning: {remark}")));
        }
    }

    pub fn finish(&self) {
        if self.stage.is_some() {
            self.bar.finish_and_clear();
        }
    }
}

/// A build with an encoder that may be on a server: it asks before many requests, and stops at the budget.
pub(super) struct BoundedBuild<'a, 'b> {
    bar: &'a mut BuildBar<'b>,
    encoder: &'a dyn Embedder,
    costs: CostFlags,
    /// What nobody has agreed to yet.
    planned: Option<PlannedRequests>,
}

impl<'a, 'b> BoundedBuild<'a, 'b> {
    pub fn new(bar: &'a mut BuildBar<'b>, encoder: &'a dyn Embedder, costs: CostFlags, documents: usize) -> Self {
        Self { bar, encoder, costs, planned: planned_build(documents, encoder) }
    }

    /// Forgets the vectors that were kept if the user `wants` it: a server may have other settings than then. It asks first
    /// whether they may be requested again.
    pub fn forget_kept(&mut self, wants: bool) -> Result<()> {
        if !wants {
            return Ok(());
        }
        self.agree()?;
        self.encoder.forget_kept()
    }

    /// Shows a part of the build; fails if the user does not agree to it, or the budget is spent. Nothing is asked if there is
    /// nothing to build.
    pub fn show(&mut self, progress: Progress) -> Result<()> {
        if progress.stage != Stage::Waiting {
            self.agree()?;
        }
        self.bar.show(progress)?;
        self.bar.say_remark(self.encoder);
        if self.costs.is_spent(self.encoder.usage(), 0)? {
            bail!(
                "stopped by --budget: the vectors so far are kept, and the same command continues with as many tokens again"
            );
        }
        Ok(())
    }

    fn agree(&mut self) -> Result<()> {
        let planned = self.planned.take();
        self.costs.agreement().check(planned.as_ref())
    }
}
