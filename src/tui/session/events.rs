//! Everything that can happen, in one channel: keys, signals, engine events, images.

use super::startup::Opened;
use crate::annotation::agreement::AgreementReport;
use crate::annotation::{Event, JournalWatch};
use crate::pipeline::Ticket;

use crate::panics::caught;
use crate::panics::panic_text;
use crate::terminal::images::Loaded;
use crate::terminal::pixels::{FullScreenImage, Pixels};
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

/// How often the thread that reads keys looks for an image to show, on terminals that show any.
const LOOK_FOR_IMAGES: Duration = Duration::from_millis(100);

/// How often the journals of others are looked at: often enough for people who talk to each other, seldom enough for a
/// network file system.
const LOOK_FOR_JOURNALS: Duration = Duration::from_secs(5);

const INPUT: &str = "dissent-input";
const SIGNALS: &str = "dissent-signals";
const OPEN: &str = "dissent-open";
const EVENTS: &str = "dissent-events";

/// Can the explorer go on without this thread? Not where nobody could leave it, and not where it would wait for ever.
pub fn is_dispensable(thread: &str) -> bool {
    ![INPUT, SIGNALS, OPEN, EVENTS].contains(&thread)
}

/// One thing that happened.
pub enum Message {
    Terminal(event::Event),
    /// No key will come any more.
    InputEnded(String),
    /// A signal by number.
    Signal(i32),
    /// Everything is read, or why it cannot be.
    Opened(Box<Result<Opened>>),
    Engine(crate::pipeline::Event),
    Image(Loaded),
    /// How far annotators agree, as asked for under this number.
    Agreement(Ticket, Box<AgreementReport>),
    /// Others wrote this into their journals.
    Heard(Vec<Arc<Event>>),
    /// The full-screen image of this number is on the terminal, or why it is not.
    FullScreen {
        number: usize,
        outcome: Result<(), String>,
    },
    /// A thread of the explorer ended by a panic, which is in the log.
    Died {
        thread: &'static str,
        said: String,
    },
}

/// Shows images over the whole screen, on the thread that reads the keys: viuer reads the keyboard too, for what the
/// terminal answers.
pub struct FullScreen {
    pub pixels: Pixels,
    pub images: Receiver<FullScreenImage>,
    /// Number of the image that is wanted; one with another number came too late.
    pub wanted: Arc<AtomicUsize>,
}

impl FullScreen {
    /// The next image that is still wanted.
    fn next(&self) -> Option<FullScreenImage> {
        self.images.try_iter().find(|image| image.number == self.wanted.load(Ordering::SeqCst))
    }
}

/// Reads keys on a thread of its own. Each thread here ends when the receiver is gone.
pub fn read_input(sender: Sender<Message>, full_screen: Option<FullScreen>) -> Result<()> {
    start(INPUT, sender.clone(), move || {
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

/// Shows what is to be shown until there is a key to read; false once nobody listens any more.
fn show_until_a_key_comes(full_screen: &FullScreen, sender: &Sender<Message>) -> bool {
    loop {
        if let Some(image) = full_screen.next() {
            let outcome = image.print(full_screen.pixels).map_err(|error| format!("{error:#}"));
            if sender.send(Message::FullScreen { number: image.number, outcome }).is_err() {
                return false;
            }
        }
        // An error is that of the read which follows.
        if event::poll(LOOK_FOR_IMAGES).unwrap_or(true) {
            return true;
        }
    }
}

/// Turns signals into messages.
pub fn read_signals(sender: Sender<Message>) -> Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGTSTP, SIGCONT]).context("cannot listen for signals")?;
    start(SIGNALS, sender.clone(), move || {
        for signal in signals.forever() {
            if sender.send(Message::Signal(signal)).is_err() {
                return;
            }
        }
    })
}

/// Reads what the explorer shows, which may take a while.
pub fn open(open: impl FnOnce() -> Result<Opened> + Send + 'static, sender: Sender<Message>) -> Result<()> {
    start(OPEN, sender.clone(), move || {
        // Who has left meanwhile waits for nothing.
        drop(sender.send(Message::Opened(Box::new(open()))));
    })
}

/// Looks from time to time what others have written.
pub fn listen_to_others(mut watch: JournalWatch, sender: Sender<Message>) -> Result<()> {
    start("dissent-journals", sender.clone(), move || {
        loop {
            thread::sleep(LOOK_FOR_JOURNALS);
            let events = watch.new_events();
            if !events.is_empty() && sender.send(Message::Heard(events)).is_err() {
                return;
            }
        }
    })
}

/// Passes engine events on.
pub fn read_engine(events: Receiver<crate::pipeline::Event>, sender: Sender<Message>) -> Result<()> {
    start(EVENTS, sender.clone(), move || {
        for event in events {
            if sender.send(Message::Engine(event)).is_err() {
                return;
            }
        }
    })
}

fn start(name: &'static str, sender: Sender<Message>, body: impl FnOnce() + Send + 'static) -> Result<()> {
    let body = move || {
        if let Err(panic) = caught(body) {
            // Where nobody listens the explorer has ended.
            drop(sender.send(Message::Died { thread: name, said: panic_text(&*panic) }));
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
        let full_screen = FullScreen { pixels: Pixels::Kitty, images, wanted: wanted.clone() };
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
