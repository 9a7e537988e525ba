//! `dissent bench`: how fast models run on a device, and whether it computes what the CPU computes.

mod measure;
mod workload;

use self::measure::{Measured, Speed, difference};
use self::workload::Workload;
use super::models::named_checkpoint;
use super::{Common, ExitWith};
use crate::data::Dataset;
use crate::model::device::choose_device;
use crate::model::dual_encoder::architecture_of;
use crate::model::gguf::has_decoder;
use crate::model::reader_family::ReaderFamily;
use crate::output::{one_line, print_document, print_line, say};
use crate::sample::Sample;
use anyhow::{Context, Result};
use candle_core::{DType, Device};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Largest differences that agree, as shares of the largest number. On a CPU, the tiny checkpoints of the tests in bf16 differ from
/// f32 by at most 2.7e-2 (readers) and 5.4e-2 (encoders, a CLIP of two layers).
const F32_TOLERANCE: f32 = 1e-4;
const HALF_TOLERANCE_OF_READERS: f32 = 5e-2;
const HALF_TOLERANCE_OF_ENCODERS: f32 = 1e-1;
/// Products round to 8 bits, on each device in another order (docs/reference/model-parity.md).
const GGUF_TOLERANCE: f32 = 5e-2;

/// Arguments of `dissent bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Checkpoints of readers and dual encoders; default: those of the embedded sample
    #[arg(value_name = "MODEL")]
    models: Vec<PathBuf>,
    /// Cases of the sample that are read
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    cases: u16,
    /// Documents of each case, beside one prompt without
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    documents: u16,
    /// Scale the pictures to squares of this side; default: as they are, 64 pixels and more
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(8..=4096))]
    side: Option<u32>,
    /// Compute the same on the CPU in f32 and compare: speed, and the largest difference of a number
    #[arg(long)]
    against_cpu: bool,
    /// With --against-cpu: largest difference that agrees, as a share of the largest number; default: 1e-4 in f32, 5e-2
    /// in half types (encoders: 1e-1) and for GGUF decoders
    #[arg(long, value_name = "SHARE", requires = "against_cpu")]
    tolerance: Option<f32>,
    /// Print one JSON object in a line for each model, when it is done
    #[arg(long)]
    json: bool,
}

/// What was found about one model.
#[derive(Debug, Serialize)]
struct Outcome {
    model: String,
    kind: &'static str,
    device: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    speed: Option<Speed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_cpu: Option<Speed>,
    /// Largest difference from the CPU as a share of the largest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tolerance: Option<f32>,
    /// Whether it was computed and, with a comparison, agrees.
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Runs `dissent bench`. A model that fails does not keep the others from being measured; then the exit code is 1.
pub fn run(args: Args, common: &Common) -> Result<()> {
    let (device, reason) = choose_device(&common.device)?;
    let sample = Sample::unpack()?;
    let dataset = Dataset::open(&sample.dataset)?;
    let work = Workload::new(&dataset, args.cases.into(), args.documents.into(), args.side)?;
    let models = if args.models.is_empty() { vec![sample.encoder, sample.reader] } else { args.models.clone() };
    say(&format!("models run on {reason}"));
    let name = reason.split(',').next().unwrap_or_default();
    let mut all_ok = true;
    for model in models {
        let outcome = measured(&model, &device, name, &work, &args, common);
        all_ok &= outcome.ok;
        if args.json {
            print_document(format!("{}\n", serde_json::to_string(&outcome)?).as_bytes())?;
        } else {
            print_line(&line_of(&outcome))?;
        }
    }
    if all_ok { Ok(()) } else { Err(ExitWith(1).into()) }
}

fn measured(
    model: &Path,
    device: &Device,
    device_name: &str,
    work: &Workload,
    args: &Args,
    common: &Common,
) -> Outcome {
    let mut outcome = Outcome {
        model: model.display().to_string(),
        kind: "unknown",
        device: device_name.into(),
        speed: None,
        on_cpu: None,
        difference: None,
        tolerance: None,
        ok: false,
        error: None,
    };
    match fill(&mut outcome, model, device, work, args, common) {
        Ok(()) => outcome.ok = outcome.difference.zip(outcome.tolerance).is_none_or(|(found, most)| found <= most),
        Err(error) => outcome.error = Some(format!("{error:#}")),
    }
    outcome
}

fn fill(
    outcome: &mut Outcome,
    model: &Path,
    device: &Device,
    work: &Workload,
    args: &Args,
    common: &Common,
) -> Result<()> {
    type Measure = fn(&Path, &Device, DType, &Workload) -> Result<Measured>;
    let folder = named_checkpoint(model)?;
    let is_reader = ReaderFamily::of(&folder);
    let (kind, measure): (_, Measure) = match is_reader {
        Ok(_) => ("reader", measure::reader),
        Err(not_reader) => {
            architecture_of(&folder).with_context(|| format!("neither a reader ({not_reader}) nor a dual encoder"))?;
            ("encoder", measure::encoder)
        }
    };
    outcome.kind = kind;
    let dtype = common.dtype.choose(&folder, device).dtype;
    let found = measure(&folder, device, dtype, work)?;
    outcome.speed = Some(found.speed);
    if !args.against_cpu {
        return Ok(());
    }
    let expected = measure(&folder, &Device::Cpu, DType::F32, work).context("on the CPU")?;
    outcome.on_cpu = Some(expected.speed);
    let usual = match dtype {
        _ if has_decoder(&folder) => GGUF_TOLERANCE,
        DType::F32 => F32_TOLERANCE,
        _ if kind == "reader" => HALF_TOLERANCE_OF_READERS,
        _ => HALF_TOLERANCE_OF_ENCODERS,
    };
    outcome.tolerance = Some(args.tolerance.unwrap_or(usual));
    outcome.difference = Some(difference(&found.rows, &expected.rows)?);
    Ok(())
}

fn line_of(outcome: &Outcome) -> String {
    let name = one_line(&outcome.model);
    let Some(speed) = &outcome.speed else {
        return format!("{name}: failed: {}", one_line(outcome.error.as_deref().unwrap_or("unknown")));
    };
    let [cases, tokens] = if outcome.kind == "reader" { ["cases", "prompt tokens"] } else { ["pictures", "captions"] };
    let of = |speed: &Speed| {
        format!("{:.1} {cases}/s, {:.0} {tokens}/s ({})", speed.cases_per_second, speed.tokens_per_second, speed.dtype)
    };
    let mut line = format!("{name}: {} on {}", of(speed), outcome.device);
    if let Some(bytes) = speed.peak_gpu_bytes {
        line.push_str(&format!(", {:.2} GiB at most", bytes as f64 / f64::from(1 << 30)));
    }
    if let (Some(cpu), Some(found), Some(most)) = (&outcome.on_cpu, outcome.difference, outcome.tolerance) {
        let verdict = if outcome.ok { "agrees" } else { "DIFFERS" };
        line.push_str(&format!("; {} on the CPU; {verdict}: {found:.1e}, expected at most {most:.0e}", of(cpu)));
    }
    if let Some(error) = &outcome.error {
        line.push_str(&format!("; failed: {}", one_line(error)));
    }
    line
}
