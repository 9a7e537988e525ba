//! The explorer's session on a terminal, from start to end.
//!
//! | module | what is in it |
//! |---|---|
//! | `startup` | shows the cases alone until everything is read |
//! | `event_loop` | waits for messages, updates, draws if anything changed |
//! | `effects`, `annotations` | carries out effects; exchanges annotations between screen and journals |
//! | `external_viewer` | opens an image in a window of another program |
//! | `message`, `threads` | the messages to the loop, and the threads that send them |
//! | `agreement_counter`, `casebook_writer` | compute agreement and write the queue as a page, beside the loop |
//! | `state_saver` | saves place, views and marks beside the loop |
//! | `renderer` | draws frames and their images on the terminal |
//! | [`recording`], [`snapshot`] | records the session, saves the screen as a picture |

mod agreement_counter;
mod annotations;
mod casebook_writer;
mod effects;
mod event_loop;
mod external_viewer;
mod message;
pub mod recording;
mod renderer;
pub mod snapshot;
mod startup;
mod state_saver;
mod threads;

pub use casebook_writer::{CasebookWriter, ExplanationSource};
pub use message::Opened;

use self::agreement_counter::AgreementCounter;
use self::event_loop::Session;
use self::external_viewer::ViewerCopies;
use self::message::Message;
use self::recording::{CastFile, CastRecorder, Recording};
use self::renderer::Renderer;
use self::startup::{Startup, Waited};
use self::state_saver::StateSaver;
use crate::annotation::AnnotationSession;
use crate::pipeline::ServerUsage;
use crate::terminal::color_depth::Depth;
use crate::terminal::image_protocol::{ImageMode, PixelProtocol};
use crate::terminal::screen;
use crate::terminal::size::terminal_size;
use crate::tui::update::app::App;
use anyhow::{Context, Result, bail};
use crossbeam_channel::unbounded;
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

/// The terminal's colours and images, and the session's files.
pub struct Output<'a> {
    pub depth: Depth,
    pub images: ImageMode,
    /// File in which place and views are saved.
    pub session_state: &'a Path,
    /// Folder for saved screens.
    pub screens: &'a Path,
    /// Folder for the queue as a page.
    pub casebooks: &'a Path,
    /// Words of the command that opens an image in a window; `{}` in one stands for the path.
    pub viewer: &'a [String],
    /// New file for a recording of the session.
    pub recording: Option<&'a Path>,
}

/// Result of a session.
pub struct Ended {
    /// The exit code.
    pub code: u8,
    /// The annotations; `None` if the session ended before everything was read.
    pub annotations: Option<AnnotationSession>,
    /// Reason why place and views could not be saved.
    pub not_kept: Option<String>,
    /// Has written the queue as a page, or is still writing.
    pub casebooks: CasebookWriter,
    /// What was asked of servers.
    pub server_usage: ServerUsage,
}

impl Ended {
    /// Ended before everything was read.
    fn early(code: u8) -> Self {
        Self {
            code,
            annotations: None,
            not_kept: None,
            casebooks: CasebookWriter::default(),
            server_usage: ServerUsage::default(),
        }
    }
}

/// Runs the explorer until the user leaves or a signal ends it. The terminal is always restored.
///
/// `open` reads everything on its own thread. If that takes a while, `preview` is shown meanwhile, which has only the
/// cases. Without a preview, or if `open` is quick, the terminal is taken once everything is read.
///
/// # Errors
/// Fails if `open` fails or the terminal cannot be used.
pub fn run(
    preview: Option<App>,
    open: impl FnOnce() -> Result<Opened> + Send + 'static,
    output: Output,
) -> Result<Ended> {
    let Output { depth, images, session_state, screens, casebooks, viewer, recording } = output;
    let (sender, messages) = unbounded();
    threads::read_signals(sender.clone())?;
    threads::open(open, sender.clone())?;
    // What tmux passes on cannot be deleted: that would delete other panes' images, too. kitty forgets the oldest itself.
    let kitty = images == ImageMode::Kitty { tmux: false };
    // Ask before the terminal is taken and before anything reads the keyboard.
    let pixels = PixelProtocol::confirmed(images);
    let mut startup = Startup::new(&messages);
    let mut waited = startup.wait(preview.is_some())?;
    if let Waited::Left(code) = waited {
        return Ok(Ended::early(code));
    }
    let size = terminal_size();
    let recording = recording.map(|path| Recording::start(path, size)).transpose()?;
    let recorder: CastRecorder = Rc::new(RefCell::new(CastFile::new(recording)));
    let taken = screen::Taken::take(kitty).context("cannot take the terminal")?;
    let mut renderer = Renderer::new(recorder.clone(), depth, images, sender.clone())?;
    let wanted_image = Arc::new(AtomicUsize::new(0));
    let (full_screen, reader) = match pixels {
        Some(pixels) => {
            let (images_to_show, images) = unbounded();
            (Some(images_to_show), Some(threads::FullScreen { pixels, images, wanted: wanted_image.clone() }))
        }
        None => (None, None),
    };
    threads::read_input(sender.clone(), reader)?;
    let mut shown = preview;
    if let (Waited::NotYet, Some(preview)) = (&waited, &mut shown) {
        waited = startup.show(preview, &mut renderer, &recorder)?;
    } else {
        shown = None;
    }
    let Opened { mut app, annotations, worker, explanations } = match waited {
        Waited::Opened(opened) => *opened,
        Waited::Left(code) => return Ok(Ended::early(code)),
        Waited::NotYet => bail!("the explorer has not started"),
    };
    let mut held = startup.held;
    if let Some(preview) = shown {
        take_over(&mut app, preview, &mut held);
    }
    threads::forward_worker_events(worker.events.clone(), sender.clone())?;
    threads::listen_to_others(annotations.watch(), sender.clone())?;
    let saver = StateSaver::start(session_state, sender.clone())?;
    let mut session = Session {
        saver,
        app,
        annotations,
        screens,
        casebook_folder: casebooks,
        viewer,
        viewer_copies: ViewerCopies::default(),
        recorder,
        worker,
        renderer,
        agreement: AgreementCounter::default(),
        casebooks: CasebookWriter::default(),
        explanations,
        sender,
        kitty,
        new_events: Vec::new(),
        warned_of_step: None,
        own_stops: 0,
        full_screen,
        wanted_image,
        shows_full_screen: false,
        begun: Instant::now(),
        exit: None,
        place_is_unsaved: false,
    };
    let code = session.run(held, &messages);
    // A state that is still being written must not replace the last one.
    session.saver.finish();
    let kept = session.app.session_state().write(session_state);
    drop(taken);
    let not_kept = kept.err().map(|error| format!("{error:#}"));
    let server_usage = session.app.server_usage().unwrap_or_default();
    let annotations = Some(session.annotations);
    Ok(Ended { code: code?, annotations, not_kept, casebooks: session.casebooks, server_usage })
}

/// Keeps the loaded images. Keys typed so far were meant for the case on the screen: if another case is opened, they
/// are dropped.
fn take_over(app: &mut App, preview: App, held: &mut Vec<Message>) {
    let id = |app: &App| app.current().map(|(_, case)| case.id.clone());
    if id(app) != id(&preview) {
        held.retain(|message| !matches!(message, Message::Terminal(_)));
    }
    app.take_images_of(preview);
}
