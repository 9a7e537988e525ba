//! The thread that decodes and scales images. A new list of wanted images replaces the rest of the previous one.

use super::cache::{Picture, PictureKey};
use super::encode::encode;
use crate::data;
use crate::panics::{caught, panic_text};
use crate::terminal::image_protocol::ImageMode;
use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, unbounded};
use ratatui_image::FontSize;
use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::thread;

/// Number of full-size images kept for rescaling.
const DECODED: usize = 8;

/// A finished image or an error message.
pub struct Loaded {
    pub key: PictureKey,
    pub picture: Picture,
}

/// Sends lists of wanted images to the thread.
pub struct ImageWorker {
    wishes: Sender<Vec<PictureKey>>,
}

impl ImageWorker {
    /// Starts the thread, which passes each finished image to `deliver`. It ends when this value is dropped, or when
    /// `deliver` reports that the receiver is gone.
    ///
    /// # Errors
    /// Fails if the thread cannot be started.
    pub fn start(mode: ImageMode, cell: FontSize, deliver: impl Fn(Loaded) -> bool + Send + 'static) -> Result<Self> {
        let (wishes, inbox) = unbounded();
        thread::Builder::new()
            .name("dissent-images".into())
            .spawn(move || work(&inbox, mode, cell, &deliver))
            .context("cannot start the image thread")?;
        Ok(Self { wishes })
    }

    /// Requests these images in this order.
    pub fn want(&self, keys: Vec<PictureKey>) {
        // The thread may be gone; then no image arrives.
        drop(self.wishes.send(keys));
    }
}

fn work(inbox: &Receiver<Vec<PictureKey>>, mode: ImageMode, cell: FontSize, deliver: &dyn Fn(Loaded) -> bool) {
    let mut decoded: VecDeque<(PictureKey, Arc<data::Picture>)> = VecDeque::new();
    let mut pending: VecDeque<PictureKey> = VecDeque::new();
    // kitty keeps images by number, and inside tmux other programs share its numbers: each begins somewhere else.
    let mut next_id = (RandomState::new().build_hasher().finish() as u32).max(1);
    loop {
        if pending.is_empty() {
            let Ok(keys) = inbox.recv() else { return };
            pending = keys.into();
        }
        while let Ok(keys) = inbox.try_recv() {
            pending = keys.into();
        }
        let Some(key) = pending.pop_front() else { continue };
        let made = caught(|| {
            let picture = load(&key, &mut decoded)?;
            encode(&picture, &key, mode, cell, next_id)
        });
        let picture = match made {
            Ok(made) => made.map_err(|error| format!("{error:#}")),
            Err(panic) => Err(format!("internal error while drawing the image: {}", panic_text(&*panic))),
        };
        next_id = next_id.wrapping_add(1).max(1);
        if !deliver(Loaded { key, picture }) {
            return;
        }
    }
}

/// The decoded image, from memory or from disk.
fn load(key: &PictureKey, decoded: &mut VecDeque<(PictureKey, Arc<data::Picture>)>) -> Result<Arc<data::Picture>> {
    if let Some((_, picture)) = decoded.iter().find(|(kept, _)| kept.path == key.path) {
        return Ok(picture.clone());
    }
    let picture = Arc::new(data::Picture::read(&key.path)?);
    decoded.push_back((key.clone(), picture.clone()));
    if decoded.len() > DECODED {
        decoded.pop_front();
    }
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use crate::terminal::images::view::ImageView;
    use crate::terminal::images::worker::*;
    use ratatui::layout::Size;
    use std::time::Duration;

    #[test]
    fn images_arrive_and_a_missing_one_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        image::DynamicImage::new_luma8(4, 4).save(&path).unwrap();
        let (sender, receiver) = unbounded();
        let worker =
            ImageWorker::start(ImageMode::Half, FontSize::new(8, 16), move |loaded| sender.send(loaded).is_ok())
                .unwrap();
        let size = Size::new(10, 5);
        let missing = folder.path().join("b.png");
        let view = ImageView::default();
        worker.want(vec![PictureKey { path, size, view }, PictureKey { path: missing, size, view }]);
        let wait = Duration::from_secs(20);
        let first = receiver.recv_timeout(wait).unwrap();
        assert_eq!(first.picture.unwrap().size(), size);
        let second = receiver.recv_timeout(wait).unwrap();
        assert!(second.picture.err().unwrap().contains("b.png"));
    }
}
