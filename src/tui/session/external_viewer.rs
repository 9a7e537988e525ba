//! Opens an image in a window of another program.

use crate::data::Picture;
use crate::files::archive_member::MemberPath;
use crate::files::fingerprint::Fingerprint;
use crate::text::printable::message_of;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Stands for the path in the words of the command.
const PLACE: &str = "{}";

/// Starts the command of these words with the path in the place of `{}`, or at the end. The program keeps nothing of our
/// terminal, and the explorer does not wait for it. `on_failure` is told where it ends with an error.
///
/// # Errors
/// Fails with a sentence if the command cannot be started.
pub fn open(words: &[String], path: &Path, on_failure: impl FnOnce(String) + Send + 'static) -> Result<(), String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("no viewer is set: --viewer COMMAND".to_owned());
    };
    let mut command = Command::new(program);
    for word in arguments {
        match word.split_once(PLACE) {
            Some((before, after)) => {
                let mut argument = std::ffi::OsString::from(before);
                argument.push(path);
                argument.push(after);
                command.arg(argument);
            }
            None => drop(command.arg(word)),
        }
    }
    if !arguments.iter().any(|word| word.contains(PLACE)) {
        command.arg(path);
    }
    let started = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child =
        started.map_err(|error| format!("cannot start the viewer {program}: {error}; --viewer names another"))?;
    let program = program.clone();
    let wait = move || match child.wait() {
        Ok(status) if !status.success() => {
            on_failure(format!("the viewer {program} ended with {status}; --viewer names another"));
        }
        _ => {}
    };
    // Without a thread the child stays a zombie until the explorer ends, which harms nobody.
    let _ = std::thread::Builder::new().name("dissent-viewer".into()).spawn(wait);
    Ok(())
}

/// Copies of images that are inside a zip, tar, parquet or Arrow file, for viewers, which open only files. They are removed
/// when the explorer ends, because a viewer may return before it has read its file.
#[derive(Debug, Default)]
pub struct ViewerCopies {
    folder: Option<TempDir>,
}

impl ViewerCopies {
    /// The path that a viewer can open: of the image itself, or of a copy.
    ///
    /// # Errors
    /// Fails with a sentence if the image cannot be read or the copy not be written.
    pub fn file_of(&mut self, image: &Path) -> Result<PathBuf, String> {
        if MemberPath::of(image).is_none() {
            return Ok(image.to_path_buf());
        }
        let bytes = Picture::read_bytes(image).map_err(|error| message_of(&error))?;
        let failed = |error: std::io::Error| format!("cannot write a copy of the image for the viewer: {error}");
        if self.folder.is_none() {
            self.folder = Some(tempfile::Builder::new().prefix("dissent-viewer-").tempdir().map_err(failed)?);
        }
        let Some(folder) = &self.folder else { return Ok(image.to_path_buf()) };
        let name = image.file_name().unwrap_or_default().to_string_lossy();
        // A cell of a table has no ending, by which many programs know what to do.
        let ending = match image::guess_format(&bytes).ok().and_then(|format| format.extensions_str().first()) {
            Some(ending) if image.extension().is_none() => format!(".{ending}"),
            _ => String::new(),
        };
        let path = folder.path().join(format!("{}-{name}{ending}", Fingerprint::of_bytes(&bytes)));
        std::fs::write(&path, bytes).map_err(failed)?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::bounded;
    use std::time::Duration;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_path_comes_in_its_place_or_last_and_spaces_stay_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("a film.png");
        std::fs::write(&image, b"pixels").unwrap();
        let copies = folder.path().join("copies");
        std::fs::create_dir(&copies).unwrap();
        for line in ["cp {} FOLDER", "cp -t FOLDER"] {
            let copy = copies.join("a film.png");
            let line = line.replace("FOLDER", copies.to_str().unwrap());
            let (sender, failures) = bounded(1);
            // The sender is dropped once the program has ended without an error.
            open(&words(&line), &image, move |reason| drop(sender.send(reason))).unwrap();
            assert!(failures.recv_timeout(Duration::from_secs(60)).is_err());
            assert_eq!(std::fs::read(&copy).unwrap(), b"pixels", "{line}");
            std::fs::remove_file(&copy).unwrap();
        }
    }

    #[test]
    fn a_viewer_that_is_missing_or_fails_is_named() {
        let error = open(&words("no-such-viewer-here"), Path::new("a.png"), |_| {}).unwrap_err();
        assert!(error.contains("no-such-viewer-here") && error.contains("--viewer"), "{error}");
        let (sender, failures) = bounded(1);
        open(&words("false"), Path::new("a.png"), move |reason| drop(sender.send(reason))).unwrap();
        let reason = failures.recv_timeout(Duration::from_secs(60)).unwrap();
        assert!(reason.starts_with("the viewer false ended with exit status: 1"), "{reason}");
    }

    #[test]
    fn an_image_inside_a_tar_file_is_copied_until_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let shard = folder.path().join("shard.tar");
        let mut tar = tar::Builder::new(std::fs::File::create(&shard).unwrap());
        let mut header = tar::Header::new_gnu();
        header.set_size(6);
        tar.append_data(&mut header, "a/b.png", &b"pixels"[..]).unwrap();
        tar.into_inner().unwrap();
        let mut copies = ViewerCopies::default();
        let copy = copies.file_of(&folder.path().join("shard.tar!/a/b.png")).unwrap();
        assert_eq!(std::fs::read(&copy).unwrap(), b"pixels");
        assert!(copy.to_str().unwrap().ends_with("-b.png"), "{}", copy.display());
        assert_eq!(copies.file_of(&shard).unwrap(), shard);
        let error = copies.file_of(&folder.path().join("shard.tar!/c.png")).unwrap_err();
        assert!(error.contains("c.png") && error.contains("shard.tar"), "{error}");
        drop(copies);
        assert!(!copy.exists());
    }
}
