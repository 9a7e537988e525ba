//! Integrated gradients: how much tokens of a prompt contribute to the log-odds between two next tokens (Sundararajan et al.
//! 2017).
//!
//! Gradient times input alone says nothing here: RMSNorm makes the decoder almost blind to the length of an embedding, so
//! the gradient is almost at right angles to it. The path from a group's mean to its tokens does change what the decoder reads.

use super::input::{DecoderInput, DecoderRow};
use super::model::Decoder;
use crate::model::layers::Mode;
use candle_core::{D, DType, Result, Tensor, Var};

impl Decoder {
    /// For each token of `row`, its contribution to `logit(answer) - logit(runner_up)` after the last token. The path leads in
    /// `steps` steps from a prompt in which each of `groups` (token indices) has its mean in place of its input embeddings
    /// (image tokens: image features) to the prompt itself; the contributions sum to the difference of the two, up to the error
    /// of the steps. Tokens in no group contribute 0.
    ///
    /// # Errors
    /// Fails if the row is invalid, or the weights are quantised: those have no backward pass.
    pub fn integrated_gradients(
        &self,
        row: &DecoderRow,
        groups: &[Vec<usize>],
        (answer, runner_up): (u32, u32),
        steps: usize,
    ) -> Result<Vec<f32>> {
        if self.stack.is_quantised() {
            candle_core::bail!("quantised weights have no gradients")
        }
        let input = DecoderInput::new(vec![row.clone()]);
        self.check(&input)?;
        let layouts = input.layouts(None, self.image_token, self.image_layout())?;
        let stack = self.stack.in_mode(Mode::Train);
        let embeddings = self.embed(&input)?.detach();
        let means = group_means(&embeddings, groups)?;
        let path = (&embeddings - &means)?;
        let mut sum: Option<Tensor> = None;
        for step in 0..steps {
            let share = (step as f64 + 0.5) / steps as f64;
            let place = Var::from_tensor(&(&means + (&path * share)?)?)?;
            let hidden = stack.forward(place.as_tensor(), &layouts, None)?;
            let last = hidden.narrow(1, row.ids.len() - 1, 1)?.squeeze(1)?;
            let logits = stack.logits(&last)?.squeeze(0)?;
            let log_odds = (logits.get(answer as usize)? - logits.get(runner_up as usize)?)?;
            let gradients = log_odds.backward()?;
            let Some(gradient) = gradients.get(place.as_tensor()) else {
                candle_core::bail!("the answer does not depend on the prompt")
            };
            sum = Some(match sum {
                None => gradient.clone(),
                Some(sum) => (sum + gradient)?,
            });
        }
        let Some(sum) = sum else { candle_core::bail!("expected at least one step") };
        let contributions = ((sum * path)? / steps as f64)?.to_dtype(DType::F32)?.sum(D::Minus1)?;
        contributions.squeeze(0)?.to_vec1()
    }
}

/// `[1, T, hidden]` with the mean of each group in place of its tokens.
fn group_means(embeddings: &Tensor, groups: &[Vec<usize>]) -> Result<Tensor> {
    let length = embeddings.dim(1)?;
    // The row of `sources` that each token takes: itself, or the mean of its group below them.
    let mut rows: Vec<u32> = (0..length as u32).collect();
    let mut sources = vec![embeddings.squeeze(0)?];
    for group in groups.iter().filter(|group| !group.is_empty()) {
        let indices: Vec<u32> = group.iter().map(|index| *index as u32).collect();
        let members = sources[0].index_select(&Tensor::new(indices.as_slice(), embeddings.device())?, 0)?;
        for index in group {
            rows[*index] = (length + sources.len() - 1) as u32;
        }
        sources.push(members.mean_keepdim(0)?);
    }
    let rows = Tensor::new(rows.as_slice(), embeddings.device())?;
    Tensor::cat(&sources, 0)?.index_select(&rows, 0)?.unsqueeze(0)
}
