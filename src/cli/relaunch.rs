//! Starting this program again with settings that candle and the C library read from the environment before `main`.

use crate::reader::ReaderSource;
use anyhow::Result;

/// Kernels on one thread each: for small models, where a shard of every batch runs on each core. candle's own threads on
/// top took three times the processor time of a training step.
const ONE_THREAD: (&str, &str) = ("RAYON_NUM_THREADS", "1");
/// Memory kept between steps instead of handed back: a third of a training step went to page faults, and a tenth of the time
/// of a reader of half a billion parameters.
const KEPT_MEMORY: [(&str, &str); 3] = [
    ("MALLOC_MMAP_THRESHOLD_", "1073741824"),
    ("MALLOC_TRIM_THRESHOLD_", "1073741824"),
    ("MALLOC_TOP_PAD_", "67108864"),
];

/// For reading a whole split with `reader` on a CPU: throughput counts.
pub(super) fn for_reading(reader: &ReaderSource) -> Result<()> {
    if reader.runs_in_shards()? {
        // Shards are why training does it, too: a third less processor time per case with the sample reader.
        return with_settings_for_throughput();
    }
    match reader {
        ReaderSource::Checkpoint { .. } => relaunch(&KEPT_MEMORY),
        ReaderSource::Served(_) => Ok(()),
    }
}

/// For training: throughput counts.
pub(super) fn with_settings_for_throughput() -> Result<()> {
    let mut settings = vec![ONE_THREAD];
    settings.extend(KEPT_MEMORY);
    relaunch(&settings)
}

/// For the explorer: the reader leaves a core to the screen, and memory is given back.
pub(super) fn with_one_thread_per_kernel() -> Result<()> {
    relaunch(&[ONE_THREAD])
}

/// Does nothing where the first of the settings is there already, be it by us or by the user.
#[cfg(unix)]
fn relaunch(settings: &[(&str, &str)]) -> Result<()> {
    use std::os::unix::process::CommandExt;
    if settings.first().is_none_or(|(name, _)| std::env::var_os(name).is_some()) {
        return Ok(());
    }
    let program = std::env::current_exe()?;
    let mut arguments = std::env::args_os();
    let mut command = std::process::Command::new(program);
    // The name in error messages stays the one that was typed.
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    let error = command.args(arguments).envs(settings.iter().copied()).exec();
    Err(error.into())
}

#[cfg(not(unix))]
fn relaunch(_settings: &[(&str, &str)]) -> Result<()> {
    Ok(())
}
