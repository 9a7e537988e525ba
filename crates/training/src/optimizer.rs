//! AdamW (Loshchilov and Hutter 2019) whose moments are saved and restored, so that a resumed run takes exactly the
//! same steps. candle-nn's AdamW does not expose its moments.

use super::gradients::Gradients;
use anyhow::{Result, ensure};
use candle_core::{Tensor, Var};
use std::collections::HashMap;

/// Settings of AdamW.
#[derive(Clone, Copy, Debug)]
pub struct AdamWSettings {
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Do biases, norms and scalars decay too, or matrices only?
    pub decay_vectors: bool,
}

impl Default for AdamWSettings {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01, decay_vectors: false }
    }
}

struct Slot {
    name: String,
    variable: Var,
    first: Tensor,
    second: Tensor,
}

/// The optimiser over a fixed list of named variables.
pub struct AdamW {
    settings: AdamWSettings,
    slots: Vec<Slot>,
    steps: usize,
}

impl AdamW {
    /// Starts with zero moments. The order of `variables` is the order of all sums; sort it by name.
    pub fn new(variables: Vec<(String, Var)>, settings: AdamWSettings) -> Result<Self> {
        let mut slots = Vec::with_capacity(variables.len());
        for (name, variable) in variables {
            let first = variable.zeros_like()?;
            let second = variable.zeros_like()?;
            slots.push(Slot { name, variable, first, second });
        }
        Ok(Self { settings, slots, steps: 0 })
    }

    /// The variables in their order.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.slots.iter().map(|slot| (slot.name.as_str(), &slot.variable))
    }

    /// Takes one step. A variable without a gradient stays as it is.
    pub fn step(&mut self, gradients: &Gradients, learning_rate: f64) -> Result<()> {
        self.steps += 1;
        let AdamWSettings { beta1, beta2, epsilon, weight_decay, decay_vectors } = self.settings;
        let correction1 = 1.0 - beta1.powi(self.steps as i32);
        let correction2 = 1.0 - beta2.powi(self.steps as i32);
        for slot in &mut self.slots {
            let Some(gradient) = gradients.get(&slot.name) else { continue };
            slot.first = ((&slot.first * beta1)? + (gradient * (1.0 - beta1))?)?;
            slot.second = ((&slot.second * beta2)? + (gradient.sqr()? * (1.0 - beta2))?)?;
            let denominator = ((&slot.second / correction2)?.sqrt()? + epsilon)?;
            let update = ((&slot.first / correction1)? / denominator)?;
            let decays = decay_vectors || slot.variable.rank() >= 2;
            let decay = if decays { 1.0 - learning_rate * weight_decay } else { 1.0 };
            let value = ((slot.variable.as_tensor() * decay)? - (update * learning_rate)?)?;
            slot.variable.set(&value)?;
        }
        Ok(())
    }

    /// Moments by name (`first.NAME`, `second.NAME`) and the number of steps taken.
    pub fn state(&self) -> (HashMap<String, Tensor>, usize) {
        let mut tensors = HashMap::new();
        for slot in &self.slots {
            tensors.insert(format!("first.{}", slot.name), slot.first.clone());
            tensors.insert(format!("second.{}", slot.name), slot.second.clone());
        }
        (tensors, self.steps)
    }

    /// Restores the result of [`AdamW::state`].
    pub fn restore(&mut self, tensors: &HashMap<String, Tensor>, steps: usize) -> Result<()> {
        for slot in &mut self.slots {
            for (part, moment) in [("first", &mut slot.first), ("second", &mut slot.second)] {
                let key = format!("{part}.{}", slot.name);
                let Some(stored) = tensors.get(&key) else {
                    anyhow::bail!("optimiser state has no tensor {key}: it belongs to another model");
                };
                ensure!(
                    stored.shape() == moment.shape(),
                    "optimiser state {key}: expected shape {:?}, found {:?}",
                    moment.shape(),
                    stored.shape()
                );
                *moment = stored.clone();
            }
        }
        self.steps = steps;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    /// Values of `torch.optim.AdamW(lr=0.1, weight_decay=0.1)` on f(w) = sum(w^2), w = [[1, -2]], three steps
    /// (torch 2.13): see `tests/fixtures/adamw.py`.
    #[test]
    fn three_steps_match_pytorch() {
        let variable = Var::from_slice(&[1.0_f64, -2.0], (1, 2), &Device::Cpu).unwrap();
        let settings = AdamWSettings { weight_decay: 0.1, ..AdamWSettings::default() };
        let mut optimizer = AdamW::new(vec![("w".into(), variable.clone())], settings).unwrap();
        for _ in 0..3 {
            let loss = variable.as_tensor().sqr().unwrap().sum_all().unwrap();
            let gradients = Gradients::of_loss(&loss, optimizer.variables()).unwrap();
            optimizer.step(&gradients, 0.1).unwrap();
        }
        let values = variable.as_tensor().to_vec2::<f64>().unwrap();
        for (value, expected) in values[0].iter().zip([0.675_101_221_640_069_7, -1.644_368_683_560_589_3]) {
            assert!((value - expected).abs() < 1e-9, "{values:?}");
        }
    }

    #[test]
    fn a_restored_optimiser_takes_the_same_steps() {
        let step = |variable: &Var, optimizer: &mut AdamW| {
            let loss = variable.as_tensor().sqr().unwrap().sum_all().unwrap();
            let gradients = Gradients::of_loss(&loss, optimizer.variables()).unwrap();
            optimizer.step(&gradients, 0.01).unwrap();
        };
        let variable = Var::ones((2, 2), DType::F32, &Device::Cpu).unwrap();
        let mut optimizer = AdamW::new(vec![("w".into(), variable.clone())], AdamWSettings::default()).unwrap();
        step(&variable, &mut optimizer);
        let copy = Var::from_tensor(&variable.as_tensor().copy().unwrap()).unwrap();
        let (tensors, steps) = optimizer.state();
        let mut restored = AdamW::new(vec![("w".into(), copy.clone())], AdamWSettings::default()).unwrap();
        restored.restore(&tensors, steps).unwrap();
        step(&variable, &mut optimizer);
        step(&copy, &mut restored);
        assert_eq!(variable.as_tensor().to_vec2::<f32>().unwrap(), copy.as_tensor().to_vec2::<f32>().unwrap());
    }
}
