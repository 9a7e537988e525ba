//! Saves the state of the session on a thread of its own: syncing a file takes longer than a frame.

use super::message::Message;
use crate::tui::state::session_state::SessionState;
use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::path::Path;
use std::thread::JoinHandle;

/// Writes the newest state to a file; states that a newer one has overtaken are left out.
pub struct StateSaver {
    states: Option<Sender<Save>>,
    thread: Option<JoinHandle<()>>,
}

struct Save {
    state: SessionState,
    says_failure: bool,
}

impl StateSaver {
    /// Starts the thread, which sends failures to `loop_sender`.
    ///
    /// # Errors
    /// Fails if no thread can be started.
    pub fn start(path: &Path, loop_sender: Sender<Message>) -> Result<Self> {
        let (sender, states) = unbounded();
        let path = path.to_path_buf();
        let body = move || write_newest(&states, &path, &loop_sender);
        let thread = std::thread::Builder::new().name("dissent-state".into()).spawn(body);
        Ok(Self { states: Some(sender), thread: Some(thread.context("cannot start a thread")?) })
    }

    /// Saves this state. `says_failure` if a person asked for it and must know that it failed.
    pub fn save(&self, state: SessionState, says_failure: bool) {
        if let Some(states) = &self.states {
            // The thread lives until `finish`.
            drop(states.send(Save { state, says_failure }));
        }
    }

    /// Waits until the newest state is written; later ones are ignored.
    pub fn finish(&mut self) {
        self.states = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn write_newest(states: &Receiver<Save>, path: &Path, loop_sender: &Sender<Message>) {
    while let Ok(mut save) = states.recv() {
        for newer in states.try_iter() {
            save = Save { says_failure: save.says_failure || newer.says_failure, ..newer };
        }
        if let Err(error) = save.state.write(path)
            && save.says_failure
        {
            drop(loop_sender.send(Message::Failed(format!("cannot save the session: {error:#}"))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(id: usize) -> SessionState {
        SessionState { seen: vec![format!("c-{id}")], ..SessionState::default() }
    }

    #[test]
    fn the_newest_state_is_in_the_file_once_it_has_finished() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ada.toml");
        let (sender, messages) = unbounded();
        let mut saver = StateSaver::start(&path, sender).unwrap();
        (0..50).for_each(|id| saver.save(state(id), false));
        saver.finish();
        assert_eq!(SessionState::read(&path).unwrap(), state(49));
        saver.save(state(50), true);
        assert!(messages.is_empty());
    }

    #[test]
    fn a_failure_is_said_to_those_who_asked() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "in the way").unwrap();
        let (sender, messages) = unbounded();
        let mut saver = StateSaver::start(&folder.path().join("file/ada.toml"), sender).unwrap();
        saver.save(state(0), true);
        saver.finish();
        let Ok(Message::Failed(reason)) = messages.try_recv() else { panic!("nothing is said") };
        assert!(reason.starts_with("cannot save the session"), "{reason}");
    }
}
