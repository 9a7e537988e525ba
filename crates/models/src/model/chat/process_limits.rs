//! Resource limits of the process that renders templates.

use anyhow::{Context, Result};
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, rlim_t, setrlimit};
use nix::sys::time::TimeValLike;

/// Address space in bytes beyond that of the idle process: the deep stack, thread arenas, and several hundred MB for
/// values. A prompt needs a few MB.
pub(super) const MEMORY: rlim_t = 768 << 20;
/// CPU seconds per rendering; a prompt takes about a millisecond.
pub(super) const PROCESSOR_TIME: rlim_t = 3;

/// Limits the memory of this process (on Linux, where its current size is known) and disables core dumps.
///
/// # Errors
/// Fails if the system refuses the limits.
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

/// Allows this process the CPU time for one more rendering.
///
/// # Errors
/// Fails if the system refuses the limits.
pub(super) fn allow_processor_time() -> Result<()> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).context("cannot read the used CPU time")?;
    // The limit is in whole seconds, so it is rounded up.
    let used = (usage.user_time() + usage.system_time()).num_seconds() + 1;
    limit(Resource::RLIMIT_CPU, rlim_t::try_from(used)? + PROCESSOR_TIME)
}

/// Sets a limit, at most the hard limit that is already set.
fn limit(resource: Resource, wanted: rlim_t) -> Result<()> {
    let (_, hard) = getrlimit(resource).context("cannot read the resource limits of the process")?;
    setrlimit(resource, wanted.min(hard), hard).context("cannot set a resource limit of the process")
}
