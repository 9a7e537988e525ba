//! Everything that can happen, in one channel: keys, signals, engine events, images.

use super::images::Loaded;
use crate::engine;
use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender};
use crossterm::event;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use std::thread;

/// One thing that happened.
pub enum Message {
    Terminal(event::Event),
    /// No key will come any more.
    InputEnded(String),
    /// A signal by number.
    Signal(i32),
    Engine(engine::Event),
    Image(Loaded),
    /// A thread panicked; the terminal is restored and the message printed.
    Panicked,
}

/// Reads keys on a thread of its own. Each thread here ends when the receiver is gone.
pub fn read_input(sender: Sender<Message>) -> Result<()> {
    start("dissent-input", move || {
        loop {
            let (message, last) = match event::read() {
                Ok(event) => (Message::Terminal(event), false),
                Err(error) => (Message::InputEnded(error.to_string()), true),
            };
            if sender.send(message).is_err() || last {
                return;
            }
        }
    })
}

/// Turns signals into messages.
pub fn read_signals(sender: Sender<Message>) -> Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGTSTP, SIGCONT]).context("cannot listen for signals")?;
    start("dissent-signals", move || {
        for signal in signals.forever() {
            if sender.send(Message::Signal(signal)).is_err() {
                return;
            }
        }
    })
}

/// Passes engine events on.
pub fn read_engine(events: Receiver<engine::Event>, sender: Sender<Message>) -> Result<()> {
    start("dissent-events", move || {
        for event in events {
            if sender.send(Message::Engine(event)).is_err() {
                return;
            }
        }
    })
}

fn start(name: &str, body: impl FnOnce() + Send + 'static) -> Result<()> {
    let builder = thread::Builder::new().name(name.to_owned());
    builder.spawn(body).with_context(|| format!("cannot start the thread {name}"))?;
    Ok(())
}
