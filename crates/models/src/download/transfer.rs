//! Downloads one blob: resumes a partial file, verifies it, and then gives it its final name.

use super::client::{Hub, HubError};
use super::listing::Remote;
use reqwest::header::CONTENT_RANGE;
use reqwest::{Method, Response, StatusCode, Url};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Attempts without progress after which a failing connection is given up.
const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Fewest bytes that must arrive within the longest time without data.
const SLOWEST: u64 = 1024;

/// Measures the speed of a transfer in intervals.
struct Pace {
    since: Instant,
    from: u64,
}

impl Pace {
    fn from(length: u64) -> Self {
        Self { since: Instant::now(), from: length }
    }

    /// True if fewer than [`SLOWEST`] bytes arrived in a whole interval.
    fn is_too_slow(&mut self, length: u64, stretch: Duration) -> bool {
        if self.since.elapsed() < stretch {
            return false;
        }
        let came = length - self.from;
        *self = Self::from(length);
        came < SLOWEST
    }
}

/// A blob that is being downloaded.
pub(super) struct Blob<'a> {
    pub file: &'a Remote,
    pub address: Url,
    /// Folder of the blobs.
    pub folder: &'a Path,
}

impl Blob<'_> {
    /// Final path of the blob.
    pub fn path(&self) -> PathBuf {
        self.folder.join(self.file.checksum.name())
    }

    fn aside(&self) -> PathBuf {
        self.folder.join(format!("{}.incomplete", self.file.checksum.name()))
    }

    /// Downloads what is missing. `on_bytes` receives the number of bytes so far.
    pub async fn fetch(&self, hub: &Hub, on_bytes: &mut dyn FnMut(u64)) -> Result<(), HubError> {
        if self.path().is_file() {
            return Ok(());
        }
        let mut aside = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(self.aside());
        let aside =
            aside.as_mut().map_err(|error| self.broken(format!("cannot write {}: {error}", self.aside().display())))?;
        match aside.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(self.broken("another program is downloading it".into())),
            Err(TryLockError::Error(error)) => return Err(self.broken(format!("cannot lock the file: {error}"))),
        }
        let mut attempt = 0;
        loop {
            let before = self.length(aside)?;
            match self.continue_from(before, hub, aside, on_bytes).await {
                Ok(()) => break,
                Err(error) if !error.may_pass() => return Err(error),
                Err(error) => {
                    attempt = if self.length(aside)? >= before + SLOWEST { 0 } else { attempt + 1 };
                    if attempt >= ATTEMPTS {
                        return Err(error);
                    }
                    tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(attempt)).await;
                    on_bytes(self.length(aside)?);
                }
            }
        }
        self.keep(aside)
    }

    async fn continue_from(
        &self,
        from: u64,
        hub: &Hub,
        aside: &mut File,
        on_bytes: &mut dyn FnMut(u64),
    ) -> Result<(), HubError> {
        let size = self.file.size;
        if from == size {
            return Ok(());
        }
        let from = if from > size { 0 } else { from };
        let mut answer = hub.ask(Method::GET, self.address.clone(), from, false).await?;
        // A server without ranges starts from the beginning, and so does one that sends another range.
        let begins_at = if answer.status() == StatusCode::PARTIAL_CONTENT { first_byte(&answer) } else { Some(0) };
        let refused =
            answer.status() == StatusCode::RANGE_NOT_SATISFIABLE || begins_at.is_none_or(|first| first > from);
        let mut length = if refused { 0 } else { begins_at.unwrap_or(0) };
        aside.set_len(length).and_then(|()| aside.seek(SeekFrom::Start(length))).map_err(|error| self.full(&error))?;
        if refused {
            return Err(self.broken("the server does not resume the interrupted file".into()));
        }
        let mut pace = Pace::from(length);
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.broken(hub.reason_of(&error)))? {
            length += chunk.len() as u64;
            if pace.is_too_slow(length, hub.silence()) {
                return Err(self.broken(format!("fewer than {SLOWEST} bytes arrived in {} s", hub.silence().as_secs())));
            }
            if length > size {
                // The server sends another file.
                let _ = fs::remove_file(self.aside());
                return Err(self.other_content(format!("it is longer than the {size} bytes that the hub gives")));
            }
            aside.write_all(&chunk).map_err(|error| self.full(&error))?;
            on_bytes(length);
        }
        if length < size {
            return Err(self.broken(format!("the answer ended after {length} of {size} bytes")));
        }
        Ok(())
    }

    /// Verifies the whole file and gives it its final name.
    fn keep(&self, aside: &mut File) -> Result<(), HubError> {
        let fits = self.file.checksum.fits(aside, self.file.size);
        if !fits.map_err(|error| self.broken(format!("cannot read the downloaded file: {error}")))? {
            // A continued download would not repair it.
            let _ = fs::remove_file(self.aside());
            let expected = self.file.checksum.name();
            return Err(self.other_content(format!(
                "the downloaded file does not have the checksum {expected} that the hub gives, and was removed"
            )));
        }
        aside.sync_all().and_then(|()| fs::rename(self.aside(), self.path())).map_err(|error| self.full(&error))
    }

    fn length(&self, file: &File) -> Result<u64, HubError> {
        file.metadata().map(|data| data.len()).map_err(|error| self.broken(error.to_string()))
    }

    fn broken(&self, reason: String) -> HubError {
        HubError::Broken { place: self.file.name.clone(), reason }
    }

    fn other_content(&self, reason: String) -> HubError {
        HubError::OtherContent { file: self.file.name.clone(), reason }
    }

    fn full(&self, error: &std::io::Error) -> HubError {
        HubError::Disk { path: self.aside(), reason: error.to_string() }
    }
}

/// The first byte of a range: `Content-Range: bytes FIRST-LAST/SIZE`.
fn first_byte(answer: &Response) -> Option<u64> {
    let range = answer.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    range.trim().strip_prefix("bytes ")?.split_once('-')?.0.trim().parse().ok()
}
