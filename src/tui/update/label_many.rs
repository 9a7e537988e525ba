//! Marking cases, and labelling all marked or filtered ones at once.

use super::app::App;
use crate::annotation::{AnnotationEdit, CaseAnnotation, CategoryId};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::state::label_many::LabelMany;
use crate::tui::state::overlay::{Notice, Overlay};

impl App {
    /// Marks the current case, or takes its mark away, and goes to the next case.
    pub(super) fn toggle_mark(&mut self) -> Vec<Effect> {
        let Some(case) = self.queue.current() else { return Vec::new() };
        if !self.marked.remove(&case) {
            self.marked.insert(case);
        }
        self.say(match self.marked_cases().len() {
            0 => "no case is marked".to_owned(),
            count => format!("{} marked; L labels them at once", cases_in_words(count)),
        });
        self.step_case(1)
    }

    pub fn is_marked(&self, case: usize) -> bool {
        self.marked.contains(&case)
    }

    /// The marked cases of the queue, in its order, whether the filter shows them or not.
    pub fn marked_cases(&self) -> Vec<usize> {
        if self.marked.is_empty() {
            return Vec::new();
        }
        self.queue.all().iter().copied().filter(|case| self.marked.contains(case)).collect()
    }

    /// Number of marks, those of cases outside the queue among them.
    pub fn marked_count(&self) -> usize {
        self.marked.len()
    }

    /// Opens the question for the marked cases or, if none is marked, for those that the filter leaves.
    pub(super) fn open_label_many(&mut self) {
        let marked = self.marked_cases();
        let are_marked = !marked.is_empty();
        let cases: Vec<usize> = if are_marked {
            marked
        } else if self.view.filter().is_empty() {
            Vec::new()
        } else {
            self.queue.shown().to_vec()
        };
        if cases.is_empty() {
            self.say("nothing to label at once: S marks a case, f shows the cases that match a filter");
            return;
        }
        self.open(Overlay::LabelMany(LabelMany { cases, are_marked, chosen: None }));
    }

    pub(super) fn update_label_many(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::LabelMany(open)) = &mut self.overlay else { return Vec::new() };
        match action {
            Action::Annotate(id) if self.cases.category(&id).is_some_and(|known| known.level.is_of_case()) => {
                open.chosen = Some(id);
            }
            Action::Accept => {
                let Some(category) = open.chosen.clone() else {
                    self.say("nothing labelled: press a category's key first");
                    return Vec::new();
                };
                let cases = open.cases.clone();
                if self.warns_of_another_session_for(&cases) {
                    return Vec::new();
                }
                let edits = self.edits_for_many(&category);
                self.overlay = None;
                return vec![Effect::RecordMany(edits)];
            }
            Action::Cancel => self.overlay = None,
            _ => {}
        }
        Vec::new()
    }

    /// Number of the cases in question that have another category, which a new one would replace.
    pub fn count_to_replace(&self, open: &LabelMany) -> usize {
        if self.cases.takes_several_categories() {
            return 0;
        }
        let Some(chosen) = &open.chosen else { return 0 };
        let differs = |own: &CaseAnnotation| !own.categories.is_empty() && !own.categories.contains(chosen);
        open.cases.iter().filter(|case| self.cases.annotation_of(**case).is_some_and(differs)).count()
    }

    /// One edit per case in question. A case that has the category among several keeps it.
    fn edits_for_many(&self, category: &CategoryId) -> Vec<AnnotationEdit> {
        let Some(Overlay::LabelMany(open)) = &self.overlay else { return Vec::new() };
        let several = self.cases.takes_several_categories();
        let has_it = |case: usize| self.cases.annotation_of(case).is_some_and(|own| own.categories.contains(category));
        let cases = open.cases.iter().copied().filter(|case| !(several && has_it(*case)));
        let edit = |case| AnnotationEdit::ToggleCategory { case: self.cases.id_of(case), category: category.clone() };
        cases.map(edit).collect()
    }

    /// Handles the result of labelling many cases: how many are on disk, and the error that stopped the rest.
    pub fn recorded_many(&mut self, asked: usize, written: usize, error: Option<String>) {
        if let Some(message) = error {
            self.notify(Notice::Error(format!("{written} of {} saved: {message}", cases_in_words(asked))));
            return;
        }
        let labelled = self.marked_cases();
        self.marked.retain(|case| !labelled.contains(case));
        self.say(format!("{} labelled (u takes all of them back)", cases_in_words(written)));
    }
}

/// A number of cases, such as "1 case".
pub fn cases_in_words(count: usize) -> String {
    if count == 1 { "1 case".to_owned() } else { format!("{count} cases") }
}
