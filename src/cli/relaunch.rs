//! Restarts this program with settings that candle and the C library read from the environment before `main`.

use crate::reader::ReaderSource;
use anyhow::Result;

/// One thread per kernel, for small models: each core runs a part of every batch. candle's own threads on
/// top of that tripled the processor time of a training step.
const ONE_THREAD: (&str, &str) = ("RAYON_NUM_THREADS", "1");
/// Keeps memory between steps instead of returning it: page faults took a third of a training step, and a tenth of the time
/// of a reader of half a billion parameters.
const KEPT_MEMORY: [(&str, &str); 3] = [
    ("MALLOC_MMAP_THRESHOLD_", "1073741824"),
    ("MALLOC_TRIM_THRESHOLD_", "1073741824"),
    ("MALLOC_TOP_PAD_", "67108864"),
];

/// Settings for predicting a whole split with `reader` on a CPU, for throughput.
pub(super) fn for_reading(reader: &ReaderSource) -> Result<()> {
    if reader.is_data_parallel()? {
        // This takes a third less processor time per case with the sample reader.
        return with_settings_for_throughput();
    }
    match reader {
        ReaderSource::Checkpoint { .. } => relaunch(&KEPT_MEMORY),
        ReaderSource::Served(_) => Ok(()),
    }
}

/// Settings for training, for throughput.
pub(super) fn with_settings_for_throughput() -> Result<()> {
    let mut settings = vec![ONE_THREAD];
    settings.extend(KEPT_MEMORY);
    relaunch(&settings)
}

/// Settings for the explorer: the reader leaves a core to the screen, and memory is returned.
pub(super) fn with_one_thread_per_kernel() -> Result<()> {
    relaunch(&[ONE_THREAD])
}

/// Does nothing if the first of the settings is already set, by us or by the user.
#[cfg(unix)]
fn relaunch(settings: &[(&str, &str)]) -> Result<()> {
    use std::os::unix::process::CommandExt;
    if settings.first().is_none_or(|(name, _)| std::env::var_os(name).is_some()) {
        return Ok(());
    }
    let program = std::env::current_exe()?;
    let mut arguments = std::env::args_os();
    let mut command = std::process::Command::new(program);
    // Error messages keep the program name that was typed.
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
