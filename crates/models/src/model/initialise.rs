//! Random initial weights that depend only on a seed and the variable's name, not on construction order or machine.
//!
//! candle's CPU generator cannot be seeded, so training would not be reproducible.

use candle_core::{DType, Device, Result, Shape, Tensor, Var};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder, VarMap};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// A builder over `variables`: existing variables are used, missing ones are created from `seed`.
pub fn seeded_builder(variables: &VarMap, seed: u64, dtype: DType, device: &Device) -> VarBuilder<'static> {
    let backend = SeededVariables { variables: variables.clone(), seed };
    VarBuilder::from_backend(Box::new(backend), dtype, device.clone())
}

struct SeededVariables {
    variables: VarMap,
    seed: u64,
}

impl SimpleBackend for SeededVariables {
    fn get(&self, shape: Shape, name: &str, init: Init, dtype: DType, device: &Device) -> Result<Tensor> {
        if !self.contains_tensor(name) {
            let fresh = Var::from_tensor(&self.draw(&shape, name, init, device)?.to_dtype(dtype)?)?;
            lock(&self.variables).insert(name.to_string(), fresh);
        }
        // The map also checks the shape of existing variables.
        self.variables.get(shape, name, init, dtype, device)
    }

    fn get_unchecked(&self, name: &str, _dtype: DType, _device: &Device) -> Result<Tensor> {
        match lock(&self.variables).get(name) {
            Some(variable) => Ok(variable.as_tensor().clone()),
            None => candle_core::bail!("no variable {name}, and without a shape it cannot be created"),
        }
    }

    fn contains_tensor(&self, name: &str) -> bool {
        lock(&self.variables).contains_key(name)
    }
}

impl SeededVariables {
    fn draw(&self, shape: &Shape, name: &str, init: Init, device: &Device) -> Result<Tensor> {
        let mut generator = generator_of(self.seed, name);
        let count = shape.elem_count();
        let mut values = Vec::with_capacity(count);
        match init {
            Init::Const(value) => values.resize(count, value as f32),
            Init::Randn { mean, stdev } => {
                for _ in 0..count {
                    values.push((mean + stdev * normal(&mut generator)) as f32);
                }
            }
            Init::Uniform { lo, up } => {
                for _ in 0..count {
                    values.push((lo + (up - lo) * generator.random::<f64>()) as f32);
                }
            }
            Init::Kaiming { .. } => candle_core::bail!("{name}: Kaiming initialisation is not supported"),
        }
        Tensor::from_vec(values, shape, device)
    }
}

fn generator_of(seed: u64, name: &str) -> ChaCha8Rng {
    let digest = Sha256::new_with_prefix(seed.to_le_bytes()).chain_update(name.as_bytes()).finalize();
    let mut key = [0_u8; 32];
    key.copy_from_slice(&digest);
    ChaCha8Rng::from_seed(key)
}

/// A standard normal sample (Box and Muller 1958), computed by libm for identical bits on all machines.
fn normal(generator: &mut ChaCha8Rng) -> f64 {
    let radius = libm::sqrt(-2.0 * libm::log(1.0 - generator.random::<f64>()));
    radius * libm::cos(std::f64::consts::TAU * generator.random::<f64>())
}

/// Locks the map. A poisoned lock is used, since no panic can leave a partial entry.
fn lock(variables: &VarMap) -> std::sync::MutexGuard<'_, std::collections::HashMap<String, Var>> {
    variables.data().lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(seed: u64, name: &str) -> Vec<f32> {
        let variables = VarMap::new();
        let builder = seeded_builder(&variables, seed, DType::F32, &Device::Cpu);
        let init = Init::Randn { mean: 1.0, stdev: 0.5 };
        let tensor = builder.get_with_hints((40, 50), name, init).unwrap();
        assert_eq!(variables.all_vars().len(), 1);
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn seed_and_name_decide() {
        assert_eq!(weight(1, "a"), weight(1, "a"));
        assert_ne!(weight(1, "a"), weight(2, "a"));
        assert_ne!(weight(1, "a"), weight(1, "b"));
    }

    #[test]
    fn the_standard_deviation_is_as_requested() {
        let values = weight(7, "a");
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / values.len() as f32;
        assert!((mean - 1.0).abs() < 0.05, "mean {mean}");
        assert!((variance.sqrt() - 0.5).abs() < 0.03, "deviation {}", variance.sqrt());
    }

    #[test]
    fn a_second_model_shares_the_variables() {
        let variables = VarMap::new();
        let builder = seeded_builder(&variables, 1, DType::F32, &Device::Cpu);
        let first = builder.get_with_hints(3, "a", Init::Const(2.0)).unwrap();
        let second = builder.get_with_hints(3, "a", Init::Const(5.0)).unwrap();
        assert_eq!(first.to_vec1::<f32>().unwrap(), second.to_vec1::<f32>().unwrap());
        assert!(builder.get_with_hints(4, "a", Init::Const(5.0)).is_err());
    }
}
