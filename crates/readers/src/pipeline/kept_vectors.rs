//! Vectors of a served encoder that are kept in the workspace, and the probe of the server that gave them. A server that gives
//! nearly the vectors of that probe goes on with the file, even where it repeats none to the last bit.

use super::vector_log::VectorLog;
use anyhow::{Context, Result};
use dissent_core::files::durable;
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::files::input_file;
use dissent_retrieval::index::EncoderProbe;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Names of the files: `vectors-FINGERPRINT.bin` and `vectors-FINGERPRINT.probe.json`.
const PREFIX: &str = "vectors-";
const PROBE_ENDING: &str = ".probe.json";
/// Largest file of a probe in bytes.
const LONGEST_PROBE: u64 = 64 << 20;
/// Most probes that are looked through.
const MOST_PROBES: usize = 100;

/// The file of kept vectors, shared by the threads that ask.
#[derive(Debug)]
pub(super) struct KeptVectors(Mutex<State>);

#[derive(Debug)]
struct State {
    /// `None` if the file cannot be used.
    log: Option<VectorLog>,
    /// Why vectors are no longer kept, until it is taken.
    remark: Option<String>,
}

impl KeptVectors {
    /// Opens the vectors of this probe, or begins with none. A file that cannot be used is a remark.
    pub fn open(folder: &Path, probe: &EncoderProbe, dimension: usize) -> Self {
        let path = file_of(folder, &probe.fingerprint, ".bin");
        let opened = VectorLog::open(&path, dimension).and_then(|log| {
            let probe_path = file_of(folder, &probe.fingerprint, PROBE_ENDING);
            if !input_file::is_there(&probe_path) {
                durable::write_file(&probe_path, &serde_json::to_vec(probe)?)?;
            }
            Ok(log)
        });
        let (log, remark) = match opened {
            Ok(log) => (Some(log), None),
            Err(error) => (None, Some(no_longer(&error))),
        };
        Self(Mutex::new(State { log, remark }))
    }

    /// Probes of the servers that gave the vectors in this folder. Files that cannot be read are passed over.
    pub fn probes_in(folder: &Path) -> Vec<EncoderProbe> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        let is_probe = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(PREFIX) && name.ends_with(PROBE_ENDING)
        };
        paths.retain(is_probe);
        paths.sort();
        paths.truncate(MOST_PROBES);
        let read = |path: PathBuf| serde_json::from_slice(&input_file::read(&path, LONGEST_PROBE).ok()?).ok();
        paths.into_iter().filter_map(read).collect()
    }

    /// Vectors under these keys: kept ones, and those that `ask` returns for the places of the others. Other threads may use
    /// the file while `ask` waits for a server.
    ///
    /// # Errors
    /// Fails if `ask` fails or returns too few vectors.
    pub fn kept_or(
        &self,
        keys: &[Fingerprint],
        ask: impl FnOnce(&[usize]) -> Result<Vec<Vec<f32>>>,
    ) -> Result<Vec<Vec<f32>>> {
        let mut vectors: Vec<Option<Vec<f32>>> = Vec::with_capacity(keys.len());
        {
            let mut state = self.lock();
            for key in keys {
                vectors.push(state.log.as_mut().and_then(|log| log.get(key).ok().flatten()));
            }
        }
        let missing: Vec<usize> = (0..keys.len()).filter(|place| vectors[*place].is_none()).collect();
        if !missing.is_empty() {
            let asked = ask(&missing)?;
            let mut state = self.lock();
            for (place, vector) in missing.into_iter().zip(asked) {
                state.keep(keys[place].clone(), &vector);
                vectors[place] = Some(vector);
            }
        }
        vectors.into_iter().collect::<Option<Vec<_>>>().context("the server returned too few vectors")
    }

    /// Removes all vectors.
    ///
    /// # Errors
    /// Fails if the file cannot be changed.
    pub fn clear(&self) -> Result<()> {
        self.lock().log.as_mut().map_or(Ok(()), VectorLog::clear)
    }

    /// Takes the reason why vectors are no longer kept; it is returned once.
    pub fn take_remark(&self) -> Option<String> {
        self.lock().remark.take()
    }

    // A panic while the lock is held leaves whole records, so a poisoned lock is used.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A full disk must not end the work: vectors are not kept from then on, and that is said once.
    fn keep(&mut self, key: Fingerprint, vector: &[f32]) {
        let Some(log) = &mut self.log else { return };
        if let Err(error) = log.insert(key, vector) {
            self.remark = Some(no_longer(&error));
            self.log = None;
        }
    }
}

fn no_longer(error: &anyhow::Error) -> String {
    format!("vectors of the encoder are no longer kept, so that an interrupted index starts over: {error:#}")
}

fn file_of(folder: &Path, fingerprint: &Fingerprint, ending: &str) -> PathBuf {
    folder.join(format!("{PREFIX}{fingerprint}{ending}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    fn probe() -> EncoderProbe {
        let fingerprint = Fingerprint::of_bytes(b"probe");
        let texts = vec![vec![0.6, 0.8]];
        EncoderProbe { model: "m".into(), weights: String::new(), fingerprint, texts, pictures: Vec::new() }
    }

    fn key(text: &str) -> Fingerprint {
        Fingerprint::of_bytes(text.as_bytes())
    }

    #[test]
    fn kept_vectors_are_found_by_their_probe() {
        let folder = tempfile::tempdir().unwrap();
        assert!(KeptVectors::probes_in(&folder.path().join("none")).is_empty());
        let kept = KeptVectors::open(folder.path(), &probe(), 2);
        kept.kept_or(&[key("a")], |places| Ok(vec![vec![1.0, 0.0]; places.len()])).unwrap();
        assert_eq!(kept.take_remark(), None);
        drop(kept);
        assert_eq!(KeptVectors::probes_in(folder.path()), [probe()]);
        let again = KeptVectors::open(folder.path(), &probe(), 2);
        let ask = |places: &[usize]| Ok(vec![vec![0.0, 1.0]; places.len()]);
        assert_eq!(again.kept_or(&[key("b"), key("a")], ask).unwrap(), [[0.0, 1.0], [1.0, 0.0]]);
    }

    /// A slow server must not stop the threads whose vectors are known.
    #[test]
    fn others_go_on_while_a_server_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Arc::new(KeptVectors::open(folder.path(), &probe(), 2));
        let (sender, answered) = channel();
        let inner = Arc::clone(&kept);
        let ask = |_: &[usize]| {
            std::thread::spawn(move || {
                let vectors = inner.kept_or(&[key("b")], |_| Ok(vec![vec![0.0, 1.0]])).unwrap();
                drop(sender.send(vectors));
            });
            assert_eq!(answered.recv_timeout(Duration::from_secs(20)).unwrap(), [[0.0, 1.0]]);
            Ok(vec![vec![1.0, 0.0]])
        };
        assert_eq!(kept.kept_or(&[key("a")], ask).unwrap(), [[1.0, 0.0]]);
    }

    /// Every write to /dev/full fails as on a full disk.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_said_once_and_ends_nothing() {
        let log = VectorLog::open(Path::new("/dev/full"), 2).unwrap();
        let kept = KeptVectors(Mutex::new(State { log: Some(log), remark: None }));
        let ask = |places: &[usize]| Ok(vec![vec![1.0, 0.0]; places.len()]);
        for name in ["a", "b"] {
            assert_eq!(kept.kept_or(&[key(name)], ask).unwrap(), [[1.0, 0.0]]);
        }
        let remark = kept.take_remark().unwrap();
        assert!(remark.contains("no longer kept") && remark.contains("No space left"), "{remark}");
        assert_eq!(kept.take_remark(), None);
    }
}
