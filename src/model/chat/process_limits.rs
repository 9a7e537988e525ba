//! What a process that renders templates may take.

use anyhow::{Context, Result};
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, rlim_t, setrlimit};
use nix::sys::time::TimeValLike;

/// Bytes of addresses beyond those of the process before it reads a template: the deep stack, what threads set aside, and
/// several hundred MB for lists and texts. A prompt takes some MB.
pub(super) const MEMORY: rlim_t = 768 << 20;
/// Seconds for one rendering; a prompt takes a thousandth of one. Time of the processor: on a machine that is busy with
/// other things a rendering has no less.
pub(super) const PROCESSOR_TIME: rlim_t = 3;

/// Limits the memory of this process, where the system says how large it is already (Linux), and has it leave no core file.
///
/// # Errors
/// Where the system sets no limits.
pub(super) fn limit_memory() -> Result<()> {
    limit(Resource::RLIMIT_CORE, 0)?;
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let size = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
        let kilobytes: Option<rlim_t> = size.and_then(|size| size.trim().trim_end_matches(" kB").parse().ok());
        if let Some(kilobytes) = kilobytes {
            limit(Resource::RLIMIT_AS, (kilobytes << 10) + MEMORY)?;
        }
    }
    Ok(())
}

/// Gives this process time for one more rendering.
///
/// # Errors
/// Where the system sets no limits.
pub(super) fn allow_processor_time() -> Result<()> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).context("cannot ask for the processor time")?;
    // The limit is in whole seconds: a part of one more is given.
    let used = (usage.user_time() + usage.system_time()).num_seconds() + 1;
    limit(Resource::RLIMIT_CPU, rlim_t::try_from(used)? + PROCESSOR_TIME)
}

/// Within what the user has set already.
fn limit(resource: Resource, wanted: rlim_t) -> Result<()> {
    let (_, hard) = getrlimit(resource).context("cannot ask for the limits of the process")?;
    setrlimit(resource, wanted.min(hard), hard).context("cannot limit the process")
}
