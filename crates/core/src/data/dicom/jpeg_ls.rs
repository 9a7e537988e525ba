//! JPEG-LS, lossless and near-lossless, of 2 to 16 bits (ITU-T T.87). Written here because the known library needs a C++
//! compiler, which this crate does without.

use anyhow::{Context, Result, bail, ensure};

/// Contexts of the regular mode (T.87, A.3.4), then the two of run interruptions.
const CONTEXTS: usize = 365;
const RUN_CONTEXTS: usize = 2;
/// Code order of run lengths by run index (A.2.1).
const RUN_ORDER: [u32; 32] =
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15];
/// Limits of the bias correction (A.6.2).
const BIAS: std::ops::RangeInclusive<i32> = -128..=127;

/// A decoded frame.
pub(super) struct Frame {
    /// Bits per sample.
    pub precision: u32,
    /// Samples pixel by pixel.
    pub samples: Vec<u16>,
}

/// The frame header (SOF55) and the parameters before the first scan.
#[derive(Clone)]
struct Header {
    columns: u32,
    rows: u32,
    precision: u32,
    names: Vec<u8>,
}

/// Parameters of a scan, with the defaults of C.2.4.1.1.
struct Parameters {
    near: i32,
    most: i32,
    thresholds: [i32; 3],
    reset: i32,
    range: i32,
    /// Bits of a value of the range, and the longest code.
    range_bits: u32,
    limit: u32,
}

/// Preset parameters (LSE of type 1); 0 asks for the default.
#[derive(Clone, Copy, Default)]
struct Preset {
    most: i32,
    thresholds: [i32; 3],
    reset: i32,
}

/// Decodes a frame; `fits` checks columns, rows and components before memory is allocated.
///
/// # Errors
/// Fails if the data is cut short, damaged, or uses an extension.
pub(super) fn decode(bytes: &[u8], fits: impl Fn(u32, u32, usize) -> bool) -> Result<Frame> {
    ensure!(bytes.starts_with(&[0xFF, 0xD8]), "the JPEG-LS data has no start");
    let (mut header, mut preset): (Option<Header>, _) = (None, Preset::default());
    let mut samples = Vec::new();
    let mut decoded: Vec<u8> = Vec::new();
    let mut at = 2;
    loop {
        let cut = "the JPEG-LS data is cut short";
        let [0xFF, marker] = *bytes.get(at..at + 2).context(cut)? else {
            bail!("the JPEG-LS data is damaged: no marker")
        };
        // Fill bytes, and markers without a length.
        if marker == 0xFF {
            at += 1;
            continue;
        }
        ensure!(marker != 0xD9, "{cut}: a component is missing");
        let length = bytes.get(at + 2..at + 4).map(|two| usize::from(u16::from_be_bytes([two[0], two[1]])));
        let segment = length.and_then(|length| bytes.get(at + 4..at + 2 + length)).context(cut)?;
        at += 4 + segment.len();
        match marker {
            0xF7 => {
                let found = Header::read(segment)?;
                let (columns, rows, components) = (found.columns, found.rows, found.names.len());
                ensure!(
                    header.is_none() && columns > 0 && rows > 0 && fits(columns, rows, components),
                    "the pixels do not fit the header: found a JPEG-LS image of {columns} × {rows} with {components} samples"
                );
                samples = vec![0; columns as usize * rows as usize * components];
                header = Some(found);
            }
            0xF8 => preset.read(segment)?,
            0xDD => ensure!(segment.iter().all(|byte| *byte == 0), "JPEG-LS with restart intervals is not supported"),
            0xE8 => ensure!(
                !segment.starts_with(b"mrfx") || segment.get(4) == Some(&0),
                "JPEG-LS with a colour transform of its own is not supported"
            ),
            0xDA => {
                let header = header.as_ref().context("the JPEG-LS data is damaged: a scan before the frame header")?;
                let scan = Scan::read(segment, header, preset)?;
                let used = scan.decode(&bytes[at..], header, &mut samples)?;
                at += used;
                for place in &scan.places {
                    ensure!(!decoded.contains(place), "the JPEG-LS data is damaged: a component appears twice");
                    decoded.push(*place);
                }
                if decoded.len() == header.names.len() {
                    return Ok(Frame { precision: header.precision, samples });
                }
            }
            0xE0..=0xEF | 0xFE => {}
            other => bail!("the JPEG-LS data has an unexpected marker (FF{other:02X})"),
        }
    }
}

impl Header {
    fn read(segment: &[u8]) -> Result<Self> {
        let [precision, a, b, c, d, count, rest @ ..] = segment else { bail!("the JPEG-LS frame header is cut short") };
        ensure!(
            (2..=16).contains(precision) && matches!(count, 1..=4) && rest.len() == 3 * usize::from(*count),
            "the JPEG-LS frame header is damaged"
        );
        let names: Vec<u8> = rest.chunks_exact(3).map(|component| component[0]).collect();
        ensure!(
            rest.chunks_exact(3).all(|component| component[1] == 0x11),
            "JPEG-LS with subsampling is not supported"
        );
        let (rows, columns) = (u16::from_be_bytes([*a, *b]).into(), u16::from_be_bytes([*c, *d]).into());
        Ok(Self { columns, rows, precision: (*precision).into(), names })
    }
}

impl Preset {
    fn read(&mut self, segment: &[u8]) -> Result<()> {
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
    fn new(precision: u32, near: i32, preset: Preset) -> Result<Self> {
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
    fn region(&self, gradient: i32) -> i32 {
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
    fn sample(&self, prediction: i32, error: i32) -> i32 {
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

/// How components are interleaved.
#[derive(Clone, Copy, PartialEq)]
enum Interleave {
    Line,
    Sample,
}

struct Scan {
    /// Positions of its components in the frame.
    places: Vec<u8>,
    interleave: Interleave,
    parameters: Parameters,
}

impl Scan {
    fn read(segment: &[u8], header: &Header, preset: Preset) -> Result<Self> {
        let damaged = "the JPEG-LS scan header is damaged";
        let (count, rest) = segment.split_first().context(damaged)?;
        let count = usize::from(*count);
        ensure!((1..=4).contains(&count) && rest.len() == 2 * count + 3, damaged);
        let mut places = Vec::new();
        for component in rest[..2 * count].chunks_exact(2) {
            ensure!(component[1] == 0, "JPEG-LS with mapping tables is not supported");
            places.push(header.names.iter().position(|name| *name == component[0]).context(damaged)? as u8);
        }
        let [near, interleave, transform] = rest[2 * count..] else { bail!(damaged) };
        ensure!(transform == 0, "JPEG-LS with a point transform is not supported");
        let interleave = match interleave {
            0 if count == 1 => Interleave::Line,
            1 => Interleave::Line,
            2 => Interleave::Sample,
            _ => bail!(damaged),
        };
        Ok(Self { places, interleave, parameters: Parameters::new(header.precision, near.into(), preset)? })
    }

    /// Decodes the coded data at the start of `bytes`; returns its length.
    fn decode(&self, bytes: &[u8], header: &Header, samples: &mut [u16]) -> Result<usize> {
        let (width, components) = (header.columns as usize, header.names.len());
        let mut coder = Coder::new(bytes, &self.parameters);
        // A sample to the left of the line and one to the right.
        let mut above = vec![vec![0; width + 2]; self.places.len()];
        let mut lines = above.clone();
        let mut run_indexes = vec![0; self.places.len()];
        for row in samples.chunks_exact_mut(width * components) {
            for (line, above) in lines.iter_mut().zip(&mut above) {
                above[width + 1] = above[width];
                line[0] = above[1];
            }
            if self.interleave == Interleave::Sample {
                coder.sample_line(&above, &mut lines, &mut run_indexes[0])?;
            } else {
                for ((line, above), run_index) in lines.iter_mut().zip(&above).zip(&mut run_indexes) {
                    coder.line(above, line, run_index)?;
                }
            }
            for (line, place) in lines.iter().zip(&self.places) {
                for (pixel, value) in row.chunks_exact_mut(components).zip(&line[1..=width]) {
                    pixel[usize::from(*place)] = *value as u16;
                }
            }
            std::mem::swap(&mut lines, &mut above);
        }
        Ok(coder.bits.end())
    }
}

/// State of a context (A.2.1); `bias_sum`, `bias` of the regular mode, `negative` of run interruptions.
#[derive(Clone)]
struct ErrorContext {
    error_sum: i64,
    count: i32,
    bias_sum: i32,
    bias: i32,
    negative: i32,
}

struct Coder<'a> {
    bits: Bits<'a>,
    parameters: &'a Parameters,
    contexts: Vec<ErrorContext>,
}

impl<'a> Coder<'a> {
    fn new(bytes: &'a [u8], parameters: &'a Parameters) -> Self {
        let error_sum = i64::from(((parameters.range + 32) / 64).max(2));
        let context = ErrorContext { error_sum, count: 1, bias_sum: 0, bias: 0, negative: 0 };
        Self {
            bits: Bits { bytes, at: 0, held: 0, count: 0 },
            parameters,
            contexts: vec![context; CONTEXTS + RUN_CONTEXTS],
        }
    }

    /// Decodes a line of one component.
    fn line(&mut self, above: &[i32], line: &mut [i32], run_index: &mut usize) -> Result<()> {
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
    fn sample_line(&mut self, above: &[Vec<i32>], lines: &mut [Vec<i32>], run_index: &mut usize) -> Result<()> {
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

/// The coded bits; after a byte of ones the next has seven bits (T.87, C.2.1).
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u64,
    count: u32,
}

impl Bits<'_> {
    fn fill(&mut self) {
        while self.count <= 48 {
            let Some(byte) = self.bytes.get(self.at) else { return };
            let follows = self.at > 0 && self.bytes[self.at - 1] == 0xFF;
            // A marker.
            if *byte == 0xFF && self.bytes.get(self.at + 1).is_none_or(|next| *next >= 0x80) {
                return;
            }
            let width = if follows { 7 } else { 8 };
            self.held = self.held << width | u64::from(*byte & (0xFF >> (8 - width)));
            self.count += width;
            self.at += 1;
        }
    }

    fn read(&mut self, width: u32) -> Result<u32> {
        if self.count < width {
            self.fill();
        }
        ensure!(self.count >= width, "the JPEG-LS data is cut short: its coded data ends before the picture does");
        self.count -= width;
        Ok((self.held >> self.count & ((1 << width) - 1)) as u32)
    }

    /// A value in a Golomb code of limited length (A.5.3).
    fn golomb(&mut self, order: u32, limit: u32, range_bits: u32) -> Result<i32> {
        ensure!(order <= 24, "the JPEG-LS data is damaged: a code is too long");
        let most = limit - range_bits - 1;
        let mut zeros = 0;
        while self.read(1)? == 0 {
            zeros += 1;
            ensure!(zeros <= most, "the JPEG-LS data is damaged: a code is too long");
        }
        let value = if zeros < most {
            u64::from(zeros) << order | u64::from(self.read(order)?)
        } else {
            u64::from(self.read(range_bits)?) + 1
        };
        // A whole frame of 16 bits has errors of at most 17 bits.
        i32::try_from(value)
            .ok()
            .filter(|value| *value <= 1 << 20)
            .context("the JPEG-LS data is damaged: a value is too large")
    }

    /// The place of the marker after the data: coded data is padded to whole bytes.
    fn end(&self) -> usize {
        let mut at = self.at - (self.count / 8) as usize;
        while at < self.bytes.len()
            && !(self.bytes[at] == 0xFF && self.bytes.get(at + 1).is_some_and(|next| *next >= 0x80))
        {
            at += 1;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codestream(name: &str) -> Vec<u8> {
        let file = std::fs::read(format!("../../tests/fixtures/dicom/{name}.dcm")).unwrap();
        let start = file.windows(4).position(|four| four == [0xFF, 0xD8, 0xFF, 0xF7]).unwrap();
        let end = file.windows(2).rposition(|two| two == [0xFF, 0xD9]).unwrap();
        file[start..end + 2].to_vec()
    }

    #[test]
    fn data_that_ends_early_is_an_error_and_changed_data_no_panic() {
        for name in ["jls_ct", "jls_film", "jls_colour", "jls_planes", "jls_lossy"] {
            let whole = codestream(name);
            let samples = decode(&whole, |_, _, _| true).unwrap().samples;
            for length in 0..whole.len() {
                if let Ok(frame) = decode(&whole[..length], |_, _, _| true) {
                    assert!(length + 4 >= whole.len() && frame.samples == samples, "{name} of {length} bytes");
                }
                for value in [0, 1, 0x7F, 0xFF] {
                    let mut changed = whole.clone();
                    changed[length] = value;
                    let _ = decode(&changed, |columns, rows, _| columns <= 100 && rows <= 100);
                }
            }
        }
    }
}
