//! Parameters of a scan (T.87, C.2.4.1) and the arithmetic that depends on them alone.

use anyhow::{Result, bail, ensure};

/// Parameters of a scan, with the defaults of C.2.4.1.1.
pub(super) struct Parameters {
    pub(super) near: i32,
    pub(super) most: i32,
    pub(super) thresholds: [i32; 3],
    pub(super) reset: i32,
    pub(super) range: i32,
    /// Bits of a value of the range, and the longest code.
    pub(super) range_bits: u32,
    pub(super) limit: u32,
}

/// Preset parameters (LSE of type 1); 0 asks for the default.
#[derive(Clone, Copy, Default)]
pub(super) struct Preset {
    pub(super) most: i32,
    pub(super) thresholds: [i32; 3],
    pub(super) reset: i32,
}

impl Preset {
    pub(super) fn read(&mut self, segment: &[u8]) -> Result<()> {
        let [1, numbers @ ..] = segment else {
            bail!("JPEG-LS with mapping tables or oversize dimensions is not supported")
        };
        ensure!(numbers.len() == 10, "the JPEG-LS parameters are damaged");
        let number = |at: usize| i32::from(u16::from_be_bytes([numbers[2 * at], numbers[2 * at + 1]]));
        *self = Self { most: number(0), thresholds: [number(1), number(2), number(3)], reset: number(4) };
        Ok(())
    }
}

impl Parameters {
    pub(super) fn new(precision: u32, near: i32, preset: Preset) -> Result<Self> {
        let top = (1 << precision) - 1;
        let most = if preset.most == 0 { top } else { preset.most };
        ensure!(most <= top && near <= most / 2, "the JPEG-LS parameters are damaged");
        let clamp = |value: i32, low: i32| if value > most || value < low { low } else { value };
        let default = |place: usize, low: i32| {
            let (own, least) = ([3, 7, 21][place], [2, 3, 4][place]);
            let step = [3, 5, 7][place] * near;
            if most >= 128 {
                let factor = (most.min(4095) + 128) / 256;
                clamp(factor * (own - least) + least + step, low)
            } else {
                let factor = 256 / (most + 1);
                clamp((own / factor + step).max(least), low)
            }
        };
        let mut thresholds = [0; 3];
        let mut low = near + 1;
        for (place, threshold) in thresholds.iter_mut().enumerate() {
            let given = preset.thresholds[place];
            *threshold = if given == 0 { default(place, low) } else { given };
            ensure!(*threshold >= low && (*threshold <= most || given == 0), "the JPEG-LS parameters are damaged");
            low = *threshold;
        }
        let reset = if preset.reset == 0 { 64 } else { preset.reset };
        ensure!(reset >= 3, "the JPEG-LS parameters are damaged");
        let range = (most + 2 * near) / (2 * near + 1) + 1;
        let bits = |values: i32| 32 - (values as u32 - 1).leading_zeros();
        let precision = bits(most + 1).max(2);
        let limit = 2 * (precision + precision.max(8));
        Ok(Self { near, most, thresholds, reset, range, range_bits: bits(range), limit })
    }

    /// The region of a gradient (A.3.3).
    pub(super) fn region(&self, gradient: i32) -> i32 {
        let [one, two, three] = self.thresholds;
        let size = gradient.abs();
        let region = match size {
            _ if size <= self.near => 0,
            _ if size < one => 1,
            _ if size < two => 2,
            _ if size < three => 3,
            _ => 4,
        };
        if gradient < 0 { -region } else { region }
    }

    /// The sample that an error leads to from its prediction (A.4.4, A.5.2).
    pub(super) fn sample(&self, prediction: i32, error: i32) -> i32 {
        let step = 2 * self.near + 1;
        let value = prediction + error * step;
        let turn = self.range * step;
        let value = if value < -self.near {
            value + turn
        } else if value > self.most + self.near {
            value - turn
        } else {
            value
        };
        value.clamp(0, self.most)
    }
}
