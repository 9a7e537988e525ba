//! The threads that send messages: keys, signals, events of the worker, events of other annotators.

use super::message::{Message, OnPanic, Opened};
use crate::annotation::JournalWatch;
use crate::panics::{caught, panic_text};
use crate::terminal::image_protocol::PixelProtocol;
use crate::terminal::print_pixels::FullScreenImage;
use crate::terminal::query;
use anyhow::{Context, Result};
use crossbeam_channel::{Receiver, Sender};
use crossterm::event;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Interval at which the input thread checks for an image to show, on terminals that show any.
const LOOK_FOR_IMAGES: Duration = Duration::from_millis(100);

/// Interval at which the journals of others are checked: often enough for people who talk to each other, seldom
/// enough for a network file system.
const LOOK_FOR_JOURNALS: Duration = Duration::from_secs(5);

/// Shows images over the whole screen, on the thread that reads keys, because viuer reads the terminal's answers from
/// the keyboard, too.
pub struct FullScreen {
    pub pixels: PixelProtocol,
    pub images: Receiver<FullScreenImage>,
    /// Number of the wanted image; images with other numbers came too late.
    pub wanted: Arc<AtomicUsize>,
}

impl FullScreen {
    /// The next image that is still wanted.
    fn next(&self) -> Option<FullScreenImage> {
        self.images.try_iter().find(|image| image.number == self.wanted.load(Ordering::SeqCst))
    }
}

/// Reads keys on a thread. Every thread here ends once the receiver is gone.
pub fn read_input(sender: Sender<Message>, full_screen: Option<FullScreen>) -> Result<()> {
    start("dissent-input", OnPanic::EndSession, sender.clone(), move || {
        let mut late = query::LateAnswers::owed();
        for key in query::typed_meanwhile() {
            if sender.send(Message::Terminal(event::Event::Key(key))).is_err() {
                return;
            }
        }
        loop {
            if let Some(full_screen) = &full_screen
                && !show_until_a_key_comes(full_screen, &sender)
            {
                return;
            }
            let (message, last) = match event::read() {
                Ok(event) if late.takes(&event, Instant::now()) => continue,
                Ok(event) => (Message::Terminal(event), false),
                Err(error) => (Message::InputEnded(error.to_string()), true),
            };
            if sender.send(message).is_err() || last {
                return;
            }
        }
    })
}

/// Shows requested images until a key arrives; returns false once nobody listens any more.
fn show_until_a_key_comes(full_screen: &FullScreen, sender: &Sender<Message>) -> bool {
    loop {
        if let Some(image) = full_screen.next() {
            let outcome = image.print(full_screen.pixels).map_err(|error| format!("{error:#}"));
            if sender.send(Message::FullScreen { number: image.number, outcome }).is_err() {
                return false;
            }
        }
        // If polling fails, the read that follows fails too and reports it.
        if event::poll(LOOK_FOR_IMAGES).unwrap_or(true) {
            return true;
        }
    }
}

/// Sends signals as messages.
pub fn read_signals(sender: Sender<Message>) -> Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGTSTP, SIGCONT]).context("cannot listen for signals")?;
    start("dissent-signals", OnPanic::EndSession, sender.clone(), move || {
        for signal in signals.forever() {
            if sender.send(Message::Signal(signal)).is_err() {
                return;
            }
        }
    })
}

/// Reads everything that the explorer shows, which may take a while.
pub fn open(open: impl FnOnce() -> Result<Opened> + Send + 'static, sender: Sender<Message>) -> Result<()> {
    start("dissent-open", OnPanic::EndSession, sender.clone(), move || {
        // The receiver may be gone; ignore that.
        drop(sender.send(Message::Opened(Box::new(open()))));
    })
}

/// Sends new events of other annotators' journals.
pub fn listen_to_others(mut watch: JournalWatch, sender: Sender<Message>) -> Result<()> {
    start("dissent-journals", OnPanic::GoOn, sender.clone(), move || {
        loop {
            thread::sleep(LOOK_FOR_JOURNALS);
            let events = watch.new_events();
            if !events.is_empty() && sender.send(Message::JournalEvents(events)).is_err() {
                return;
            }
        }
    })
}

/// Forwards events of the worker.
pub fn forward_worker_events(events: Receiver<crate::pipeline::Event>, sender: Sender<Message>) -> Result<()> {
    start("dissent-events", OnPanic::EndSession, sender.clone(), move || {
        for event in events {
            if sender.send(Message::Worker(Box::new(event))).is_err() {
                return;
            }
        }
    })
}

fn start(
    name: &'static str,
    on_panic: OnPanic,
    sender: Sender<Message>,
    body: impl FnOnce() + Send + 'static,
) -> Result<()> {
    let body = move || {
        if let Err(panic) = caught(body) {
            // If nobody listens, the explorer has ended.
            drop(sender.send(Message::Panicked { thread: name, on_panic, text: panic_text(&*panic) }));
        }
    };
    let builder = thread::Builder::new().name(name.to_owned());
    builder.spawn(body).with_context(|| format!("cannot start the thread {name}"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::images::ImageView;
    use crossbeam_channel::unbounded;
    use ratatui::layout::Size;

    #[test]
    fn an_image_that_was_dismissed_before_it_came_is_not_shown() {
        let (sender, images) = unbounded();
        let wanted = Arc::new(AtomicUsize::new(4));
        let full_screen = FullScreen { pixels: PixelProtocol::Kitty, images, wanted: wanted.clone() };
        for number in [1, 3, 4] {
            let (path, view) = (format!("{number}.png").into(), ImageView::default());
            sender.send(FullScreenImage { number, path, view, size: Size::new(80, 23) }).unwrap();
        }
        assert_eq!(full_screen.next().map(|image| image.number), Some(4));
        sender
            .send(FullScreenImage {
                number: 4,
                path: "4.png".into(),
                view: ImageView::default(),
                size: Size::new(1, 1),
            })
            .unwrap();
        wanted.store(5, Ordering::SeqCst);
        assert!(full_screen.next().is_none());
    }
}
