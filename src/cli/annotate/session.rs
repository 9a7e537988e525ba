//! The loop of `dissent annotate`: print a case, read a line, write the event, confirm that it is written.

use super::answers::Answers;
use super::command::{Command, parse};
use super::help::{definition_text, help_json, help_text};
use super::input::{Line, read_line};
use super::page::{AnnotationText, Page, Shown};
use super::review::ReviewPage;
use crate::annotation::{
    AnnotationEdit, AnnotationSession, CategoryId, Event, EventKind, JournalWatch, Staleness, answers_fingerprint,
};
use crate::cases::given_evidence::RunEvidence;
use crate::data::Dataset;
use crate::output::{count, one_line, say, try_write_out};
use crate::pipeline::ServerUsage;
use crate::text::printable::{json_lines, our_lines};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::{self, BufRead, ErrorKind, IsTerminal};
use std::sync::Arc;
use uuid::Uuid;

/// Cases that the reader works on in advance.
const AHEAD: usize = 4;
const NO_CASE: &str = "no case is left in this queue; back goes to the last";

/// The form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    /// One object per line.
    Json,
}

/// One annotator's session with a queue of cases.
pub(super) struct Session {
    dataset: Arc<Dataset>,
    annotations: AnnotationSession,
    /// Reports events of other annotators.
    watch: JournalWatch,
    queue: Vec<usize>,
    /// Position in the queue; one beyond the last if every case was passed.
    place: usize,
    answers: Answers,
    /// What the run gives its model with each document.
    evidence: RunEvidence,
    form: Form,
    /// Cases whose gold answer was shown.
    gold_shown: HashSet<usize>,
    /// Per case: ids of the annotations shown to the adjudicator.
    reviews_shown: HashMap<usize, Vec<Uuid>>,
    /// Edits that could not be saved and were not saved since, such as "the note of c7".
    unsaved: BTreeSet<String>,
    /// A person corrects a mistake; a script goes on as if it had been understood.
    stops_at_mistakes: bool,
}

/// The next step after a line.
enum Next {
    Stay,
    /// The line was a mistake; nothing has changed.
    Refused,
    /// Print the current case.
    Print,
    Quit,
}

/// How the input ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    AsAsked,
    /// At the line of this number, from 1.
    AtMistake(usize),
}

impl Session {
    pub fn new(
        dataset: Arc<Dataset>,
        annotations: AnnotationSession,
        queue: Vec<usize>,
        answers: Answers,
        evidence: RunEvidence,
        form: Form,
        stops_at_mistakes: bool,
    ) -> Self {
        Self {
            dataset,
            watch: annotations.watch(),
            annotations,
            queue,
            place: 0,
            answers,
            evidence,
            form,
            gold_shown: HashSet::new(),
            reviews_shown: HashMap::new(),
            unsaved: BTreeSet::new(),
            stops_at_mistakes,
        }
    }

    /// Reads lines until the input ends. Returns the number of events written, their file, and what servers
    /// were asked.
    ///
    /// # Errors
    /// Fails if something could not be saved until the end, at a mistake in a script, or if input or output breaks. It is no
    /// error if the output is closed by its reader.
    pub fn run(mut self, mut input: impl BufRead) -> Result<(usize, String, ServerUsage)> {
        let ended = match self.talk(&mut input) {
            Err(error) if is_broken_pipe(&error) => Ended::AsAsked,
            outcome => outcome?,
        };
        if !self.unsaved.is_empty() {
            bail!("not saved: {}", self.unsaved.iter().map(String::as_str).collect::<Vec<_>>().join(", "));
        }
        if let Ended::AtMistake(line) = ended {
            let written = count(self.annotations.written(), "annotation event");
            bail!(
                "line {line} of the input is a mistake, and no later line was read; {written} written before it; \
                 --keep-going goes on after mistakes"
            );
        }
        let path = self.annotations.path().map(|path| path.display().to_string()).unwrap_or_default();
        Ok((self.annotations.written(), path, self.answers.usage))
    }

    fn talk(&mut self, input: &mut impl BufRead) -> Result<Ended> {
        self.print_page()?;
        for line in 1.. {
            if self.form == Form::Text && io::stdin().is_terminal() {
                write_out(b"> ")?;
            }
            let next = match read_line(input)? {
                Line::End => return Ok(Ended::AsAsked),
                Line::Unusable(message) => self.refuse(&message),
                Line::Text(text) => match parse(&text, self.annotations.taxonomy()) {
                    Ok(Some(command)) => self.carry_out(command),
                    Ok(None) => Ok(Next::Stay),
                    Err(message) => self.refuse(&message),
                },
            };
            match next? {
                Next::Refused if self.stops_at_mistakes => return Ok(Ended::AtMistake(line)),
                Next::Stay | Next::Refused => {}
                Next::Print => self.print_page()?,
                Next::Quit => return Ok(Ended::AsAsked),
            }
        }
        Ok(Ended::AsAsked)
    }

    fn carry_out(&mut self, command: Command) -> Result<Next> {
        match command {
            Command::Annotate(categories) => {
                let goes_on = !categories.is_empty();
                self.edit(|case| AnnotationEdit::SetCategories { case, categories }, goes_on)
            }
            Command::Hit { place, categories } => self.annotate_hit(place, categories),
            Command::Note(text) => self.edit(|case| AnnotationEdit::Note { case, text }, false),
            Command::Skip => self.edit(|case| AnnotationEdit::Skip { case }, true),
            Command::Unsure => self.edit(|case| AnnotationEdit::ToggleUnsure { case }, false),
            Command::Flag => self.edit(|case| AnnotationEdit::ToggleFlag { case }, false),
            Command::Undo => self.turn_back(&AnnotationEdit::Undo),
            Command::Redo => self.turn_back(&AnnotationEdit::Redo),
            Command::Gold => self.show_gold(),
            Command::People => self.show_review(),
            Command::Decide { categories, reason } => self.decide(categories, reason),
            Command::Again => Ok(Next::Print),
            Command::Next => {
                self.place = (self.place + 1).min(self.queue.len());
                Ok(Next::Print)
            }
            Command::Back => {
                self.place = self.place.saturating_sub(1);
                Ok(Next::Print)
            }
            Command::GoTo(id) => match self.place_of(&id) {
                Some(place) => {
                    self.place = place;
                    Ok(Next::Print)
                }
                None => self.refuse(&format!("no case {id:?} in this queue")),
            },
            Command::Define(id) => self.define(&id),
            Command::Help => self.help(),
            Command::Quit => Ok(Next::Quit),
        }
    }

    /// Carries out an edit of the current case. Only what is on disk is acknowledged.
    fn edit(&mut self, edit: impl FnOnce(String) -> AnnotationEdit, goes_on: bool) -> Result<Next> {
        let Some(case) = self.queue.get(self.place).copied() else { return self.refuse(NO_CASE) };
        let id = self.dataset.cases[case].id.clone();
        let edit = edit(id.clone());
        let what = format!("{} of {id}", what_is_edited(&edit));
        self.set_shown_case(case);
        match self.annotations.apply(&edit) {
            Ok(event) => {
                self.unsaved.remove(&what);
                if let Some(event) = event {
                    self.acknowledge(&event)?;
                }
            }
            Err(error) => {
                self.unsaved.insert(what);
                return self.refuse(&format!("{error:#}"));
            }
        }
        if !goes_on {
            return Ok(Next::Stay);
        }
        self.place += 1;
        Ok(Next::Print)
    }

    /// Sets the run and the answers on the screen, so that events record them.
    fn set_shown_case(&mut self, case: usize) {
        let answers = self.answers_fingerprint(case);
        self.annotations.set_run_fingerprint(self.answers.run_fingerprint.as_deref());
        self.annotations.show(&self.dataset.cases[case].id, answers.as_deref());
    }

    fn decide(&mut self, categories: BTreeSet<CategoryId>, reason: String) -> Result<Next> {
        let Some(case) = self.queue.get(self.place).copied() else { return self.refuse(NO_CASE) };
        let now = self.annotations.review(&self.dataset.cases[case].id).seen_by_a_decision();
        match self.reviews_shown.get(&case) {
            None => return self.refuse("nothing decided: enter people first, which shows the annotations of the case"),
            Some(seen) if *seen != now => {
                return self.refuse("nothing decided: there are new annotations of the case; people shows them");
            }
            Some(_) => {}
        }
        self.edit(|case| AnnotationEdit::Decide { case, categories, reason }, true)
    }

    fn annotate_hit(&mut self, place: usize, categories: BTreeSet<CategoryId>) -> Result<Next> {
        let Some(case) = self.queue.get(self.place).copied() else { return self.refuse(NO_CASE) };
        let hits = self.answers.wait_for(case).hits().unwrap_or_default();
        let Some(document) = hits.get(place - 1).map(|hit| hit.document.clone()) else {
            let message = match hits.len() {
                0 => "this case has no documents here".to_owned(),
                count => format!("expected a document from 1 to {count}, found {place}"),
            };
            return self.refuse(&message);
        };
        self.edit(|case| AnnotationEdit::SetHitCategories { case, document, categories }, false)
    }

    /// Undoes or redoes, and goes to the case concerned.
    fn turn_back(&mut self, edit: &AnnotationEdit) -> Result<Next> {
        let what = what_is_edited(edit);
        let event = match self.annotations.apply(edit) {
            Ok(Some(event)) => {
                self.unsaved.remove(&what);
                event
            }
            Ok(None) if *edit == AnnotationEdit::Redo => return self.refuse("nothing to redo"),
            Ok(None) => return self.refuse("nothing to undo"),
            Err(error) => {
                self.unsaved.insert(what);
                return self.refuse(&format!("{error:#}"));
            }
        };
        self.acknowledge(&event)?;
        match self.place_of(&event.case) {
            Some(place) if place != self.place => {
                self.place = place;
                Ok(Next::Print)
            }
            _ => Ok(Next::Stay),
        }
    }

    fn show_gold(&mut self) -> Result<Next> {
        let Some(case) = self.queue.get(self.place).copied() else { return self.refuse(NO_CASE) };
        self.gold_shown.insert(case);
        self.unblind(case);
        let case = &self.dataset.cases[case];
        let text = format!("gold: {}", one_line(&case.answer));
        self.put(&text, json!({ "type": "gold", "case": case.id, "gold": case.answer }))?;
        Ok(Next::Stay)
    }

    fn show_review(&mut self) -> Result<Next> {
        let Some(case) = self.queue.get(self.place).copied() else { return self.refuse(NO_CASE) };
        for event in self.watch.new_events() {
            self.annotations.receive(&event);
        }
        let review = self.annotations.review(&self.dataset.cases[case].id);
        self.reviews_shown.insert(case, review.seen_by_a_decision());
        self.unblind(case);
        let page = ReviewPage::of(&review, &self.annotations);
        let mut object = serde_json::to_value(&page).context("cannot write the annotations of a case as JSON")?;
        object["type"] = json!("people");
        self.put(&page.text(), object)?;
        Ok(Next::Stay)
    }

    /// Marks the case as unblinded: annotations of it are not blind from now on.
    fn unblind(&mut self, case: usize) {
        if let Err(error) = self.annotations.unblind(&self.dataset.cases[case].id) {
            say(&format!("{error:#}"));
        }
    }

    fn define(&self, id: &str) -> Result<Next> {
        let category = self.annotations.taxonomy().by_id(id).context("no such category")?;
        self.put(&definition_text(category), json!({ "type": "definition", "category": category }))?;
        Ok(Next::Stay)
    }

    fn help(&self) -> Result<Next> {
        let taxonomy = self.annotations.taxonomy();
        self.put(&help_text(taxonomy), help_json(taxonomy))?;
        Ok(Next::Stay)
    }

    fn print_page(&mut self) -> Result<()> {
        let Some(case) = self.queue.get(self.place).copied() else {
            let text = "no case is left in this queue; back goes to the last, quit ends";
            return self.put(text, json!({ "type": "end-of-queue" }));
        };
        let ahead = self.queue.iter().skip(self.place + 1).take(AHEAD).copied().collect();
        let answers_now = self.answers_fingerprint(case);
        let run_now = self.answers.run_fingerprint.clone();
        let shown_case = &self.dataset.cases[case];
        let annotation = self.annotations.own_annotation(&shown_case.id);
        let staleness = annotation
            .map_or(Staleness::Unknown, |annotation| annotation.staleness(run_now.as_deref(), answers_now.as_deref()));
        let shown = Shown {
            place: self.place + 1,
            of: self.queue.len(),
            annotation: annotation.map(|annotation| AnnotationText::of(annotation, &self.annotations)),
            staleness,
            with_gold: self.gold_shown.contains(&case),
            evidence: &self.evidence,
        };
        let answers = self.answers.wait_for(case);
        let page = Page::of(&self.dataset, shown_case, answers, shown);
        let mut object = serde_json::to_value(&page).context("cannot write the case as JSON")?;
        object["type"] = json!("case");
        let text = page.text();
        self.put(&text, object)?;
        self.answers.work_ahead(ahead);
        // The time spent on the case begins once it is on the screen.
        self.set_shown_case(case);
        Ok(())
    }

    /// Confirms that the event is on disk, with its id and the current annotation.
    fn acknowledge(&self, event: &Event) -> Result<()> {
        let own = self.annotations.own_annotation(&event.case);
        let own = own.map(|annotation| AnnotationText::of(annotation, &self.annotations));
        let mut said = own.as_ref().map_or_else(|| "nothing said".to_owned(), AnnotationText::text);
        let standing = || one_line(&self.annotations.review(&event.case).standing_in_words());
        let case = self.queue.iter().find(|case| self.dataset.cases[**case].id == *event.case);
        if matches!(event.kind, EventKind::Decide { .. }) {
            said = standing();
        } else if case.is_some_and(|case| self.reviews_shown.contains_key(case)) {
            said += &format!("; {}", standing());
        }
        let what = match event.kind {
            EventKind::Undo { .. } => "taken back, now ",
            EventKind::Redo { .. } => "brought back, now ",
            _ => "",
        };
        let text = format!("saved {}: {}: {what}{said}", event.id, one_line(&event.case));
        self.put(&text, json!({ "type": "saved", "event": event, "annotation": own }))
    }

    /// Reports a mistake in the line.
    fn refuse(&self, message: &str) -> Result<Next> {
        self.put(&format!("mistake: {}", one_line(message)), json!({ "type": "mistake", "message": message }))?;
        Ok(Next::Refused)
    }

    fn put(&self, text: &str, object: Value) -> Result<()> {
        match self.form {
            Form::Text => write_out(format!("{}\n", our_lines(text)).as_bytes()),
            Form::Json => write_out(format!("{}\n", json_lines(&object.to_string())).as_bytes()),
        }
    }

    fn place_of(&self, id: &str) -> Option<usize> {
        self.queue.iter().position(|case| self.dataset.cases[*case].id == id)
    }

    fn answers_fingerprint(&mut self, case: usize) -> Option<String> {
        let labels = self.dataset.task(&self.dataset.cases[case].task)?.labels.as_slice();
        Some(answers_fingerprint(self.answers.wait_for(case).answer_by_document(labels)?).to_string())
    }
}

/// Names an edit that could not be saved, so that the annotator can enter it again.
fn what_is_edited(edit: &AnnotationEdit) -> String {
    match edit {
        AnnotationEdit::SetHitCategories { document, .. } | AnnotationEdit::ToggleHitCategory { document, .. } => {
            format!("the categories of document {document}")
        }
        AnnotationEdit::SetCategories { .. } | AnnotationEdit::ToggleCategory { .. } | AnnotationEdit::Skip { .. } => {
            "the categories".to_owned()
        }
        AnnotationEdit::Note { .. } => "the note".to_owned(),
        AnnotationEdit::ToggleUnsure { .. } => "the unsure mark".to_owned(),
        AnnotationEdit::ToggleFlag { .. } => "the flag".to_owned(),
        AnnotationEdit::Decide { .. } => "the decision".to_owned(),
        AnnotationEdit::Undo => "the undo".to_owned(),
        AnnotationEdit::Redo => "the redo".to_owned(),
    }
}

fn write_out(bytes: &[u8]) -> Result<()> {
    try_write_out(bytes).context("cannot write to standard output")
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
