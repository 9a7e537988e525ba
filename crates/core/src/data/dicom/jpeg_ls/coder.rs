//! Coding of lines: regular mode, runs and their interruptions (T.87, annex A).

use super::bits::Bits;
use super::parameters::Parameters;
use anyhow::{Result, ensure};

/// Contexts of the regular mode (T.87, A.3.4), then the two of run interruptions.
const CONTEXTS: usize = 365;
const RUN_CONTEXTS: usize = 2;
/// Code order of run lengths by run index (A.2.1).
const RUN_ORDER: [u32; 32] =
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];
/// Limits of the bias correction (A.6.2).
const BIAS: std::ops::RangeInclusive<i32> = -128..=127;

/// State of a context (A.2.1); `bias_sum`, `bias` of the regular mode, `negative` of run interruptions.
#[derive(Clone)]
struct ErrorContext {
    error_sum: i64,
    count: i32,
    bias_sum: i32,
    bias: i32,
    negative: i32,
}

pub(super) struct Coder<'a> {
    pub(super) bits: Bits<'a>,
    parameters: &'a Parameters,
    contexts: Vec<ErrorContext>,
}

impl<'a> Coder<'a> {
    pub(super) fn new(bytes: &'a [u8], parameters: &'a Parameters) -> Self {
        let error_sum = i64::from(((parameters.range + 32) / 64).max(2));
        let context = ErrorContext { error_sum, count: 1, bias_sum: 0, bias: 0, negative: 0 };
        Self { bits: Bits::new(bytes), parameters, contexts: vec![context; CONTEXTS + RUN_CONTEXTS] }
    }

    /// Decodes a line of one component.
    pub(super) fn line(&mut self, above: &[i32], line: &mut [i32], run_index: &mut usize) -> Result<()> {
        let width = line.len() - 2;
        let mut x = 1;
        while x <= width {
            let regions = self.regions(above, line, x);
            if regions != [0; 3] {
                line[x] = self.regular(above, line, x, regions)?;
                x += 1;
                continue;
            }
            let run = self.run_length(width + 1 - x, run_index)?;
            let left = line[x - 1];
            line[x..x + run].fill(left);
            x += run;
            if x <= width {
                line[x] = self.interruption(left, above[x], *run_index)?;
                *run_index = run_index.saturating_sub(1);
                x += 1;
            }
        }
        Ok(())
    }

    /// Decodes a line of several components pixel by pixel; a run is one of all components.
    pub(super) fn sample_line(
        &mut self,
        above: &[Vec<i32>],
        lines: &mut [Vec<i32>],
        run_index: &mut usize,
    ) -> Result<()> {
        let width = lines.first().map_or(0, |line| line.len() - 2);
        let mut x = 1;
        while x <= width {
            let regions: Vec<[i32; 3]> =
                lines.iter().zip(above).map(|(line, above)| self.regions(above, line, x)).collect();
            if regions.iter().any(|regions| *regions != [0; 3]) {
                for ((line, above), regions) in lines.iter_mut().zip(above).zip(regions) {
                    line[x] = self.regular(above, line, x, regions)?;
                }
                x += 1;
                continue;
            }
            let run = self.run_length(width + 1 - x, run_index)?;
            for line in &mut *lines {
                let left = line[x - 1];
                line[x..x + run].fill(left);
            }
            x += run;
            if x <= width {
                for (line, above) in lines.iter_mut().zip(above) {
                    let error = self.interruption_error(0, *run_index)?;
                    let error = if above[x] < line[x - 1] { -error } else { error };
                    line[x] = self.parameters.sample(above[x], error);
                }
                *run_index = run_index.saturating_sub(1);
                x += 1;
            }
        }
        Ok(())
    }

    /// Regions of the three gradients around a sample.
    fn regions(&self, above: &[i32], line: &[i32], x: usize) -> [i32; 3] {
        let (a, b, c, d) = (line[x - 1], above[x], above[x - 1], above[x + 1]);
        [d - b, b - c, c - a].map(|gradient| self.parameters.region(gradient))
    }

    /// A sample of the regular mode (A.4 to A.6).
    fn regular(&mut self, above: &[i32], line: &[i32], x: usize, regions: [i32; 3]) -> Result<i32> {
        let (a, b, c) = (line[x - 1], above[x], above[x - 1]);
        let number = (regions[0] * 9 + regions[1]) * 9 + regions[2];
        let sign = if number < 0 { -1 } else { 1 };
        let place = number.unsigned_abs() as usize;
        let edge = if c >= a.max(b) {
            a.min(b)
        } else if c <= a.min(b) {
            a.max(b)
        } else {
            a + b - c
        };
        let context = &self.contexts[place];
        let prediction = (edge + sign * context.bias).clamp(0, self.parameters.most);
        let order = order_of(context.count, context.error_sum);
        let mapped = self.bits.golomb(order, self.parameters.limit, self.parameters.range_bits)?;
        let is_turned = self.parameters.near == 0 && order == 0 && 2 * context.bias_sum <= -context.count;
        let error = match (mapped % 2 == 0, is_turned) {
            (true, false) => mapped / 2,
            (false, false) => -((mapped + 1) / 2),
            (true, true) => -(mapped / 2) - 1,
            (false, true) => (mapped - 1) / 2,
        };
        self.contexts[place].update(error, self.parameters);
        Ok(self.parameters.sample(prediction, sign * error))
    }

    /// Number of samples equal to the left one, at most `left` (A.7.1).
    fn run_length(&mut self, left: usize, run_index: &mut usize) -> Result<usize> {
        let mut run = 0;
        loop {
            let order = RUN_ORDER[*run_index];
            if self.bits.read(1)? == 0 {
                run += self.bits.read(order)? as usize;
                ensure!(run < left, "the JPEG-LS data is damaged: a run is longer than its line");
                return Ok(run);
            }
            let whole = 1_usize << order;
            if run + whole > left {
                return Ok(left);
            }
            run += whole;
            *run_index = (*run_index + 1).min(RUN_ORDER.len() - 1);
            if run == left {
                return Ok(left);
            }
        }
    }

    /// The sample after a run (A.7.2).
    fn interruption(&mut self, left: i32, above: i32, run_index: usize) -> Result<i32> {
        if (left - above).abs() <= self.parameters.near {
            let error = self.interruption_error(1, run_index)?;
            return Ok(self.parameters.sample(left, error));
        }
        let error = self.interruption_error(0, run_index)?;
        let error = if left > above { -error } else { error };
        Ok(self.parameters.sample(above, error))
    }

    fn interruption_error(&mut self, kind: usize, run_index: usize) -> Result<i32> {
        let context = &mut self.contexts[CONTEXTS + kind];
        let half = if kind == 1 { i64::from(context.count >> 1) } else { 0 };
        let order = order_of(context.count, context.error_sum + half);
        let limit = self.parameters.limit - RUN_ORDER[run_index] - 1;
        let mapped = self.bits.golomb(order, limit, self.parameters.range_bits)?;
        let whole = mapped + kind as i32;
        let is_odd = whole % 2 == 1;
        let size = (whole + 1) / 2;
        let error = if (order != 0 || 2 * context.negative >= context.count) == is_odd { -size } else { size };
        context.negative += i32::from(error < 0);
        context.error_sum += i64::from((mapped + 1 - kind as i32) >> 1);
        if context.count == self.parameters.reset {
            context.error_sum >>= 1;
            context.count >>= 1;
            context.negative >>= 1;
        }
        context.count += 1;
        Ok(error)
    }
}

impl ErrorContext {
    /// Takes an error into account (A.6).
    fn update(&mut self, error: i32, parameters: &Parameters) {
        self.bias_sum += error * (2 * parameters.near + 1);
        self.error_sum += i64::from(error.abs());
        if self.count == parameters.reset {
            self.error_sum >>= 1;
            self.bias_sum >>= 1;
            self.count >>= 1;
        }
        self.count += 1;
        if self.bias_sum <= -self.count {
            self.bias = (self.bias - 1).max(*BIAS.start());
            self.bias_sum = (self.bias_sum + self.count).max(1 - self.count);
        } else if self.bias_sum > 0 {
            self.bias = (self.bias + 1).min(*BIAS.end());
            self.bias_sum = (self.bias_sum - self.count).min(0);
        }
    }
}

/// Order of the Golomb code (A.5.1).
fn order_of(count: i32, sum: i64) -> u32 {
    let mut order = 0;
    while i64::from(count) << order < sum {
        order += 1;
    }
    order
}
