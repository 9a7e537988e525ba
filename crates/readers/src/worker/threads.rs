//! The two worker threads: one answers cases with the models, the other searches captions and never waits for the
//! reader.

use super::loaded_pipeline::{LoadPipeline, LoadSearch, LoadedPipeline};
use super::mailbox::{ImageSearch, Mailbox, WantedExplanation, Work};
use crate::pipeline::{Event, ServerUsage};
use crate::reader::ReaderError;
use crossbeam_channel::{Receiver, Sender};
use dissent_core::panics::{caught, panic_text};
use dissent_core::run::Probe;
use dissent_core::text::printable::message_of;
use std::any::Any;
use std::collections::HashSet;

/// Loads the models, then answers cases until the mailbox is closed. Errors and panics become events, and the loop
/// continues. `loaded` receives one message when loading has ended, with or without success. Cases in `known` are not
/// answered.
pub(super) fn answer_cases(
    mailbox: &Mailbox,
    sender: &Sender<Event>,
    load_parts: LoadPipeline,
    loaded: &Sender<()>,
    known: &HashSet<usize>,
) {
    let progress = |line: String| report(sender, Event::Progress(line));
    let outcome = caught(|| load_parts(&progress, &|| mailbox.is_closed()));
    let mut parts = match outcome {
        Ok(Ok(parts)) => Some(parts),
        Ok(Err(error)) => {
            report(sender, Event::Failed { case: None, message: message_of(&error) });
            None
        }
        Err(panic) => {
            report(sender, Event::Failed { case: None, message: panic_message("loading the models", &*panic) });
            None
        }
    };
    if let Some(parts) = &parts {
        report(sender, Event::Ready(parts.description.clone()));
    }
    // The search thread may be gone; ignore that.
    let _ = loaded.send(());
    let mut reported = ServerUsage::default();
    while let Some(work) = mailbox.next_work() {
        match work {
            // All answers to a known case were reported at the start.
            Work::Open(case) | Work::Ahead(case) if known.contains(&case) => {}
            Work::Open(case) => answer_case(mailbox, sender, parts.as_mut(), case, Urgency::Now),
            Work::Ahead(case) => answer_case(mailbox, sender, parts.as_mut(), case, Urgency::Ahead),
            Work::Probe(case, probe) => answer_probe(mailbox, sender, parts.as_mut(), case, probe),
            Work::Explain(wanted) => explain(mailbox, sender, parts.as_mut(), wanted),
            Work::SearchImages(search) => answer_image_search(sender, parts.as_mut(), &search),
        }
        let usage = parts.as_ref().map_or(reported, |parts| parts.pipeline.server_usage());
        if usage != reported && usage.was_asked() {
            reported = usage;
            report(sender, Event::Usage(usage));
        }
    }
}

/// Priority of a case: the user looks at it now, or it is answered ahead of time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Urgency {
    Now,
    Ahead,
}

/// The reason why no case is read.
const NO_MODELS: &str = "no models are loaded, so nothing can be read";

fn answer_probe(
    mailbox: &Mailbox,
    sender: &Sender<Event>,
    parts: Option<&mut LoadedPipeline>,
    case: usize,
    probe: Probe,
) {
    let mut shown = None;
    let outcome = match parts {
        None => Err(NO_MODELS.to_owned()),
        Some(parts) => {
            let cancelled = || mailbox.is_closed();
            match caught(|| parts.pipeline.probe(case, probe, &cancelled)) {
                Ok(Ok((prediction, given))) => {
                    shown = given;
                    Ok(prediction)
                }
                Ok(Err(ReaderError::Cancelled)) => return,
                Ok(Err(ReaderError::Failed(error))) => Err(message_of(&error)),
                Err(panic) => Err(panic_message("asking again with another document or caption", &*panic)),
            }
        }
    };
    report(sender, Event::Probed { case, probe, shown, outcome });
}

fn explain(mailbox: &Mailbox, sender: &Sender<Event>, parts: Option<&mut LoadedPipeline>, wanted: WantedExplanation) {
    let WantedExplanation { ticket, request, most_seconds } = wanted;
    let outcome = match parts {
        None => Err(NO_MODELS.to_owned()),
        Some(parts) => {
            let stopped = || mailbox.explaining_should_stop(&wanted);
            let mut progress = |progress| report(sender, Event::Explaining { ticket, progress });
            let outcome = caught(|| parts.pipeline.explain(&request, most_seconds, &stopped, &mut progress));
            for error in parts.pipeline.take_errors() {
                report(sender, Event::Failed { case: None, message: message_of(&error) });
            }
            match outcome {
                Ok(Ok(outcome)) => Ok(outcome),
                Ok(Err(ReaderError::Cancelled)) => return mailbox.put_back_explanation(wanted),
                Ok(Err(ReaderError::Failed(error))) => Err(message_of(&error)),
                Err(panic) => Err(panic_message("explaining a prediction", &*panic)),
            }
        }
    };
    report(sender, Event::Explained { ticket, request, outcome });
}

fn answer_image_search(sender: &Sender<Event>, parts: Option<&mut LoadedPipeline>, search: &ImageSearch) {
    let ImageSearch { ticket, case, ref like, limit } = *search;
    let outcome = match parts {
        None => Err("no models are loaded, so no image can be searched".to_owned()),
        Some(parts) => match caught(|| parts.pipeline.similar_images(case, like, limit)) {
            Ok(found) => found.map_err(|error| message_of(&error)),
            Err(panic) => Err(panic_message("searching images", &*panic)),
        },
    };
    report(
        sender,
        match outcome {
            Ok(results) => Event::SearchResults { ticket, results },
            Err(message) => Event::SearchFailed { ticket, message },
        },
    );
}

fn answer_case(
    mailbox: &Mailbox,
    sender: &Sender<Event>,
    parts: Option<&mut LoadedPipeline>,
    case: usize,
    urgency: Urgency,
) {
    let Some(parts) = parts else {
        if urgency == Urgency::Now {
            let message = "no models are loaded, so this case cannot be read".to_string();
            report(sender, Event::Failed { case: Some(case), message });
        }
        return;
    };
    let cancelled = || mailbox.is_overtaken(case) || (urgency == Urgency::Ahead && mailbox.somebody_asks());
    let mut emit = |event| report(sender, event);
    let outcome = caught(|| parts.pipeline.answer(case, &cancelled, &mut emit));
    for error in parts.pipeline.take_errors() {
        report(sender, Event::Failed { case: None, message: message_of(&error) });
    }
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(ReaderError::Cancelled)) => {
            if urgency == Urgency::Ahead {
                mailbox.put_back(case);
            }
        }
        Ok(Err(ReaderError::Failed(error))) => {
            report(sender, Event::Failed { case: Some(case), message: message_of(&error) });
        }
        Err(panic) => {
            let what = format!("reading case number {case}");
            report(sender, Event::Failed { case: Some(case), message: panic_message(&what, &*panic) });
        }
    }
}

/// Answers caption searches until the mailbox is closed. Waits for the loading first, because it may rebuild the index.
pub(super) fn answer_searches(
    mailbox: &Mailbox,
    sender: &Sender<Event>,
    when_loaded: &Receiver<()>,
    load_search: LoadSearch,
) {
    // An error means that the reading thread is gone; the mailbox then ends the loop below.
    let _ = when_loaded.recv();
    if mailbox.is_closed() {
        return;
    }
    let mut captions = match caught(load_search) {
        Ok(Ok(captions)) => Ok(captions),
        Ok(Err(error)) => Err(format!("captions cannot be searched: {error:#}")),
        Err(panic) => Err(panic_message("opening the caption index", &*panic)),
    };
    while let Some(search) = mailbox.next_search() {
        let captions = match &mut captions {
            Ok(captions) => captions,
            Err(message) => {
                report(sender, Event::Failed { case: None, message: message.clone() });
                continue;
            }
        };
        let outcome = caught(|| captions.search(&search.query, search.limit));
        report(
            sender,
            match outcome {
                Ok(Ok(results)) => Event::SearchResults { ticket: search.ticket, results },
                Ok(Err(error)) => Event::Failed { case: None, message: message_of(&error) },
                Err(panic) => Event::Failed { case: None, message: panic_message("searching captions", &*panic) },
            },
        );
    }
}

/// Reports an event. The receiver may be gone when the threads are about to end; ignore that.
pub(super) fn report(sender: &Sender<Event>, event: Event) {
    drop(sender.send(event));
}

/// A message about a panic, which is a bug of this program.
fn panic_message(what: &str, panic: &(dyn Any + Send)) -> String {
    format!("internal error while {what}: {}", panic_text(panic))
}
