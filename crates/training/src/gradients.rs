//! Gradients by variable name: backward pass, sum over threads, clipping by global norm.

use anyhow::{Error, Result, anyhow, ensure};
use candle_core::{Tensor, Var, backprop::GradStore};
use dissent_core::panics::{caught, panic_text};
use std::any::Any;
use std::collections::BTreeMap;

/// Gradients by variable name. The map is sorted, so that sums have one order and a run repeats bit for bit.
pub struct Gradients(BTreeMap<String, Tensor>);

impl Gradients {
    /// Backward pass of a scalar loss.
    pub fn of_loss<'a>(loss: &Tensor, variables: impl Iterator<Item = (&'a str, &'a Var)>) -> Result<Self> {
        Ok(Self::of_store(&loss.backward()?, variables))
    }

    /// The gradients of named variables in a store.
    pub fn of_store<'a>(store: &GradStore, variables: impl Iterator<Item = (&'a str, &'a Var)>) -> Self {
        let mut gradients = BTreeMap::new();
        for (name, variable) in variables {
            if let Some(gradient) = store.get(variable.as_tensor()) {
                // A gradient holds on to its graph; without `detach` every step would keep the previous one alive.
                gradients.insert(name.to_owned(), gradient.detach());
            }
        }
        Self(gradients)
    }

    /// The gradient of a variable, if the loss depends on it.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.0.get(name)
    }

    /// Adds the gradients of another part of the batch.
    pub fn add(&mut self, other: Self) -> Result<()> {
        for (name, gradient) in other.0 {
            let sum = match self.0.get(&name) {
                Some(own) => (own + gradient)?,
                None => gradient,
            };
            self.0.insert(name, sum);
        }
        Ok(())
    }

    /// Scales all gradients so that their global L2 norm is at most `limit`; returns the norm before scaling.
    pub fn clip(&mut self, limit: f64) -> Result<f64> {
        let mut sum = 0.0_f64;
        for gradient in self.0.values() {
            sum += f64::from(gradient.sqr()?.sum_all()?.to_dtype(candle_core::DType::F32)?.to_scalar::<f32>()?);
        }
        let norm = sum.sqrt();
        ensure!(norm.is_finite(), "the gradient is not finite: lower the learning rate (--learning-rate)");
        if norm > limit {
            for gradient in self.0.values_mut() {
                *gradient = (&*gradient * (limit / norm))?;
            }
        }
        Ok(norm)
    }
}

/// The error of a training thread that panicked.
pub(super) fn died(panic: &(dyn Any + Send)) -> Error {
    anyhow!("internal error in a training thread: {}", panic_text(panic))
}

/// Runs `backward_of_part` for each part of a batch on its own thread and sums gradients and losses in the order of the
/// parts.
///
/// candle's element-wise kernels use one thread; two parts keep two cores busy.
pub fn sum_over_parts<S: Sync>(
    parts: &[S],
    backward_of_part: impl Fn(&S) -> Result<(f64, Gradients)> + Sync,
) -> Result<(f64, Gradients)> {
    let results: Vec<Result<(f64, Gradients)>> = std::thread::scope(|scope| {
        let work = |part| caught(|| backward_of_part(part));
        let workers: Vec<_> = parts.iter().map(|part| scope.spawn(move || work(part))).collect();
        workers.into_iter().map(|worker| worker.join().flatten().unwrap_or_else(|panic| Err(died(&*panic)))).collect()
    });
    let mut total = 0.0;
    let mut sum = Gradients(BTreeMap::new());
    for result in results {
        let (loss, gradients) = result?;
        total += loss;
        sum.add(gradients)?;
    }
    Ok((total, sum))
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn clipping_keeps_the_direction() {
        let variable = Var::from_slice(&[3.0_f32, 4.0], 2, &Device::Cpu).unwrap();
        let loss = (variable.as_tensor().sqr().unwrap().sum_all().unwrap() * 0.5).unwrap();
        let mut gradients = Gradients::of_loss(&loss, [("v", &variable)].into_iter()).unwrap();
        assert!((gradients.clip(1.0).unwrap() - 5.0).abs() < 1e-6);
        let clipped = gradients.get("v").unwrap().to_vec1::<f32>().unwrap();
        assert!((clipped[0] - 0.6).abs() < 1e-6 && (clipped[1] - 0.8).abs() < 1e-6);
    }

    #[test]
    fn parts_sum_to_the_whole() {
        let variable = Var::from_slice(&[1.0_f32, 2.0, 3.0], 3, &Device::Cpu).unwrap();
        let parts = [1.0_f64, 2.0];
        let (loss, gradients) = sum_over_parts(&parts, |factor| {
            let loss = (variable.as_tensor().sqr()?.sum_all()? * *factor)?;
            Ok((f64::from(loss.to_scalar::<f32>()?), Gradients::of_loss(&loss, [("v", &variable)].into_iter())?))
        })
        .unwrap();
        assert!((loss - 42.0).abs() < 1e-5);
        assert_eq!(gradients.get("v").unwrap().to_vec1::<f32>().unwrap(), [6.0, 12.0, 18.0]);
    }
}
