//! A model in the cache: plans a download and performs it.

use super::client::{Hub, HubError};
use super::listing::{Remote, list};
use super::transfer::Blob;
use crate::model::hub::HubId;
use anyhow::{Context, Result, ensure};
use dissent_core::files::durable;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Pause between checks for cancellation.
const LOOK: Duration = Duration::from_millis(50);

/// The files to download and their destination.
pub struct Plan {
    id: HubId,
    commit: String,
    files: Vec<Remote>,
    /// Folder of the model in the cache.
    folder: PathBuf,
}

/// Progress of a download.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    pub file: &'a str,
    /// Downloaded bytes of all files.
    pub done: u64,
    pub total: u64,
}

impl Plan {
    /// The commit that the revision points to.
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// Number of files.
    pub fn count(&self) -> usize {
        self.files.len()
    }

    /// Bytes of all files; their sum was checked when they were listed.
    pub fn total(&self) -> u64 {
        self.unique().map(|file| file.size).sum()
    }

    /// Number of bytes that are not downloaded yet.
    pub fn missing(&self) -> u64 {
        let blobs = self.blobs();
        self.unique().map(|file| file.size - kept(file, &blobs)).sum()
    }

    /// Folder of the downloaded files.
    pub fn destination(&self) -> PathBuf {
        self.folder.join("snapshots").join(&self.commit)
    }

    fn blobs(&self) -> PathBuf {
        self.folder.join("blobs")
    }

    /// The files without duplicates: files of the same content share one blob.
    fn unique(&self) -> impl Iterator<Item = &Remote> {
        let mut seen = BTreeSet::new();
        self.files.iter().filter(move |file| seen.insert(file.checksum.name()))
    }
}

fn kept(file: &Remote, blobs: &Path) -> u64 {
    let length = |name: String| fs::metadata(blobs.join(name)).map(|data| data.len()).ok();
    let name = file.checksum.name();
    length(name.to_string()).or_else(|| length(format!("{name}.incomplete"))).unwrap_or(0).min(file.size)
}

/// Asks the hub for the files of the model. Writes nothing.
///
/// # Errors
/// Fails if the hub does not have the model, revision or file or refuses access, the model has no safetensors weights,
/// or the connection fails. Returns [`HubError::Cancelled`] if cancelled.
pub fn plan(hub: &Hub, id: &HubId, cancelled: &dyn Fn() -> bool) -> Result<Plan> {
    let runtime = runtime()?;
    let listed = runtime.block_on(wanted_still(cancelled, list(hub, id)));
    // Does not wait for a DNS look-up, which cannot be cancelled.
    runtime.shutdown_background();
    let (commit, files) = listed.with_context(|| format!("cannot ask the hub for {id}"))?;
    Ok(Plan { folder: id.cache_entry()?, id: id.clone(), commit, files })
}

/// Downloads what is missing, verifies it and puts it into the cache.
///
/// # Errors
/// Fails with a [`HubError`] if the hub or the connection fails or the download is cancelled; the received data is kept
/// for the next attempt. Fails if the disk is too small or a file does not have the hub's checksum.
pub fn download(
    hub: &Hub,
    plan: &Plan,
    cancelled: &dyn Fn() -> bool,
    on_step: &mut dyn FnMut(Step),
) -> Result<PathBuf> {
    let blobs = plan.blobs();
    fs::create_dir_all(&blobs).with_context(|| format!("cannot make the folder {}", blobs.display()))?;
    ensure_room(&blobs, plan.missing())?;
    let runtime = runtime()?;
    let (total, mut before) = (plan.total(), 0);
    for file in plan.unique() {
        let address = hub.address(&[plan.id.organisation(), plan.id.name(), "resolve", &plan.commit, &file.name]);
        let blob = Blob { file, address, folder: &blobs };
        let mut on_bytes = |here: u64| on_step(Step { file: &file.name, done: before + here, total });
        runtime.block_on(wanted_still(cancelled, blob.fetch(hub, &mut on_bytes)))?;
        before += file.size;
    }
    let snapshot = link(plan)?;
    let reference = plan.folder.join("refs").join(plan.id.revision());
    if plan.id.revision() != plan.commit {
        durable::write_file(&reference, plan.commit.as_bytes())?;
    }
    Ok(snapshot)
}

/// Creates the snapshot's folder with a link for each file; a new folder appears whole.
fn link(plan: &Plan) -> Result<PathBuf> {
    let target = plan.destination();
    let at = |folder: &Path| format!("cannot make links in {}", folder.display());
    if target.is_dir() {
        for file in &plan.files {
            let link = target.join(&file.name);
            if !link.exists() {
                // Removes a link whose blob is missing.
                let _ = fs::remove_file(&link);
                std::os::unix::fs::symlink(link_to(file), &link).with_context(|| at(&target))?;
            }
        }
        return Ok(target);
    }
    let aside = plan.folder.join("snapshots").join(format!(".new-{}", uuid::Uuid::now_v7()));
    fs::create_dir_all(&aside).with_context(|| at(&aside))?;
    for file in &plan.files {
        std::os::unix::fs::symlink(link_to(file), aside.join(&file.name)).with_context(|| at(&aside))?;
    }
    durable::replace_folder(&aside, &target)?;
    Ok(target)
}

fn link_to(file: &Remote) -> PathBuf {
    Path::new("../../blobs").join(file.checksum.name())
}

fn ensure_room(folder: &Path, needed: u64) -> Result<()> {
    let Ok(disk) = nix::sys::statvfs::statvfs(folder) else { return Ok(()) };
    // The types differ between systems.
    #[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
    let free = (disk.blocks_available() as u64).saturating_mul(disk.fragment_size() as u64);
    ensure!(
        needed <= free,
        "{} are needed in {}, {} are free; HF_HOME or HF_HUB_CACHE puts the cache on another disk",
        readable_size(needed),
        folder.display(),
        readable_size(free)
    );
    Ok(())
}

/// For example "1.2 GB" or "17 kB".
pub fn readable_size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.0} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// Runs a future until it is done or cancelled; cancelling drops it.
async fn wanted_still<T>(
    cancelled: &dyn Fn() -> bool,
    work: impl Future<Output = Result<T, HubError>>,
) -> Result<T, HubError> {
    tokio::pin!(work);
    loop {
        tokio::select! {
            result = &mut work => return result,
            () = tokio::time::sleep(LOOK) => {
                if cancelled() {
                    return Err(HubError::Cancelled);
                }
            }
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start a runtime")
}

/// True if an error of [`plan`] or [`download`] is a cancellation.
pub fn was_cancelled(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(HubError::Cancelled))
}
