//! Data parallelism for small models: each core gets a part of the batch instead of a part of every kernel.
//!
//! candle spreads each matrix product over all cores. With a few hundred columns that costs more than it gives
//! (measured on two cores with the sample reader: 82 ms of processor time per case of five prompts, 46 ms with one
//! thread per kernel). Each part of a batch runs in its own pool of one thread, so that its kernels use no other
//! thread.

use anyhow::{Context, Result, anyhow};
use dissent_core::panics::panic_text;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::any::Any;

/// Batches for models with fewer columns than this are split.
const SMALL_MODEL: usize = 512;
/// Name of the threads; a panic on one is an error of the batch.
const PART_THREAD: &str = "dissent-part";
/// A case has few prompts, so more parts are of no use.
const MOST_POOLS: usize = 8;

/// True if batches for a model of `hidden` columns are split on a CPU.
pub(super) fn suits_data_parallel(hidden: usize) -> bool {
    hidden < SMALL_MODEL
}

/// Thread pools of one thread each.
pub(super) struct DataParallel {
    /// Empty if batches are not split.
    pools: Vec<ThreadPool>,
}

impl DataParallel {
    /// One pool per core for a small model of `hidden` columns on the CPU, none for other models.
    pub fn for_model(hidden: usize, on_cpu: bool) -> Result<Self> {
        let mut pools = Vec::new();
        if on_cpu && suits_data_parallel(hidden) {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            for _ in 0..cores.min(MOST_POOLS) {
                let pool = ThreadPoolBuilder::new().num_threads(1).thread_name(|_| PART_THREAD.into());
                pools.push(pool.build().context("cannot start a reader thread")?);
            }
        }
        Ok(Self { pools })
    }

    /// True if batches run as a whole, on the kernels' own threads.
    pub fn is_empty(&self) -> bool {
        self.pools.is_empty()
    }

    /// Runs `work` on parts of the items and joins the results in order.
    ///
    /// # Errors
    /// Fails with the first error of a part.
    pub fn run<T: Sync, R: Send>(&self, items: &[T], work: impl Fn(&[T]) -> Result<Vec<R>> + Sync) -> Result<Vec<R>> {
        if self.pools.is_empty() || items.is_empty() {
            return work(items);
        }
        let share = items.len().div_ceil(self.pools.len());
        let outcomes: Vec<Result<Vec<R>>> = std::thread::scope(|scope| {
            let shares: Vec<_> = items
                .chunks(share)
                .zip(&self.pools)
                .map(|(items, pool)| {
                    let caught = || {
                        let _caught = dissent_core::panics::caught_here();
                        work(items)
                    };
                    scope.spawn(move || pool.install(caught))
                })
                .collect();
            let panicked = |panic: Box<dyn Any + Send>| {
                Err(anyhow!("internal error while reading a part of a batch: {}", panic_text(&*panic)))
            };
            shares.into_iter().map(|share| share.join().unwrap_or_else(panicked)).collect()
        });
        let mut results = Vec::with_capacity(items.len());
        for outcome in outcomes {
            results.extend(outcome?);
        }
        Ok(results)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_their_order_and_errors_come_through() {
        for (hidden, on_cpu) in [(128, true), (128, false), (5120, true)] {
            let data_parallel = DataParallel::for_model(hidden, on_cpu).unwrap();
            for count in 0..20 {
                let items: Vec<usize> = (0..count).collect();
                let doubled =
                    data_parallel.run(&items, |share| Ok(share.iter().map(|item| item * 2).collect())).unwrap();
                assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
            }
            let refused = data_parallel.run(&[1, 2, 3], |share| {
                anyhow::ensure!(!share.contains(&3), "no threes");
                Ok(share.to_vec())
            });
            assert_eq!(refused.unwrap_err().to_string(), "no threes");
        }
    }
}
