//! Decides whether a case passes the filter.

use super::field::{FLIPPED, Field};
use super::{Comparison, Filter, Term, Test};
use crate::annotation::{CaseReview, CategoryId, Standing};
use crate::cases::Cases;
use crate::cases::answer_names::{NO_LABEL, letter};
use crate::data::{Answer, Case, LabelIndex, Task};
use crate::evaluation::{CaseOutcome, PartialCaseAnswer, Verdict};
use std::collections::BTreeSet;

impl Filter {
    /// Whether this case (a position in the dataset) passes.
    pub fn passes(&self, cases: &Cases, case: usize) -> bool {
        self.terms.iter().all(|term| term.passes(cases, case))
    }

    /// Whether the models' answers decide which cases pass.
    pub fn depends_on_answers(&self) -> bool {
        self.terms.iter().any(Term::depends_on_answers)
    }

    /// Whether a case that is not read yet could pass once it is.
    pub fn may_pass(&self, cases: &Cases, case: usize) -> bool {
        self.terms.iter().filter(|term| !term.depends_on_answers()).all(|term| term.passes(cases, case))
    }
}

impl Term {
    /// Whether the term depends on the models' answers.
    fn depends_on_answers(&self) -> bool {
        match &self.test {
            Test::Is(field, _) => field.depends_on_answers(),
            Test::Compares(..) | Test::Text(_) => true,
        }
    }

    fn passes(&self, cases: &Cases, index: usize) -> bool {
        let Some(case) = cases.dataset().cases.get(index) else { return false };
        let matches = match &self.test {
            Test::Text(text) => text_is_in(cases, case, cases.answers_of(index), text),
            Test::Compares(field, comparison, number) => {
                number_of(cases, index, *field).is_some_and(|value| compares(value, *comparison, *number))
            }
            Test::Is(field, values) => values.iter().any(|value| is(cases, index, case, *field, value)),
        };
        matches != self.negated
    }
}

fn is(cases: &Cases, index: usize, case: &Case, field: Field, value: &str) -> bool {
    let answers = cases.answers_of(index);
    let gold = || cases.gold_of(case);
    let outcome = || cases.outcome_of(index);
    let closed_book = || answers?.closed_book_is_right(Some(gold()?));
    let right = |is_right: bool| is_right == (value == "right");
    match field {
        Field::Task => same(&case.task, value),
        Field::Split => case.split.to_string() == value,
        Field::Group => case.group.as_deref().is_some_and(|group| same(group, value)),
        Field::Id => contains(&case.id, value),
        Field::Label => answer_is(cases, case, gold(), value),
        Field::Answer => answers
            .and_then(PartialCaseAnswer::fused)
            .is_some_and(|fused| answer_is(cases, case, fused.prediction.answer, value)),
        Field::Verdict => verdict_is(answers, value),
        Field::Fused => outcome().is_some_and(|outcome| right(outcome.is_right())),
        Field::Oracle => outcome().is_some_and(|outcome| right(outcome.oracle_is_right())),
        Field::ClosedBook => closed_book().is_some_and(right),
        Field::Retrieval => {
            let Some((before, outcome)) = closed_book().zip(outcome()) else { return false };
            value
                == match (before, outcome.is_right()) {
                    (true, false) => "ruined",
                    (false, true) => "rescued",
                    _ => "same",
                }
        }
        Field::RescuedBy => outcome().is_some_and(|outcome| at_rank(&outcome, value, CaseOutcome::is_rescued_by)),
        Field::RuinedBy => outcome().is_some_and(|outcome| at_rank(&outcome, value, CaseOutcome::is_ruined_by)),
        Field::Mine => annotation_is(cases, index, value),
        Field::People => {
            let standing = cases.review_of(index).map_or(Standing::Open, CaseReview::standing);
            standing.word() == value || (value == "outdated" && standing == Standing::Decided { is_outdated: true })
        }
        Field::Final => {
            let ids = cases.review_of(index).and_then(CaseReview::final_categories);
            match value {
                "none" => ids.is_some_and(BTreeSet::is_empty),
                "any" => ids.is_some(),
                "gone" => ids.is_some_and(|ids| ids.iter().any(|id| cases.category(id).is_none())),
                key => ids.is_some_and(|ids| has_key(cases, ids, key)),
            }
        }
        Field::Seen => cases.is_seen(index) == (value == "yes"),
        Field::Against if value == FLIPPED => cases.fused_flips(index),
        Field::Against => cases.who_is_right(index).is_some_and(|who| who.word() == value),
        Field::Head => hits_of(answers).any(|hit| hit.provenances.iter().any(|found| same(found.head.name(), value))),
        Field::Source => hits_of(answers).any(|hit| {
            let document = cases.dataset().corpus.get(hit.row);
            document.and_then(|document| document.source).is_some_and(|source| same(source, value))
        }),
        Field::Entropy | Field::Disagreement | Field::Confidence => false,
    }
}

fn verdict_is(answers: Option<&PartialCaseAnswer>, value: &str) -> bool {
    let failed = answers.is_some_and(|answers| answers.failed.is_some());
    let verdict = answers.and_then(PartialCaseAnswer::verdict);
    match value {
        "inconsistent" => verdict == Some(Verdict::Inconsistent),
        "consistent" => verdict == Some(Verdict::Consistent),
        "failed" => failed,
        _ => verdict.is_none() && !failed,
    }
}

fn annotation_is(cases: &Cases, index: usize, value: &str) -> bool {
    let annotation = cases.annotation_of(index);
    match value {
        "none" => !cases.is_labelled(index),
        "any" => cases.is_labelled(index),
        "skipped" => annotation.is_some_and(|annotation| annotation.skipped),
        "note" => annotation.is_some_and(|annotation| annotation.note.is_some()),
        "unsure" => annotation.is_some_and(|annotation| annotation.unsure),
        "flagged" => annotation.is_some_and(|annotation| annotation.flagged),
        "hit" => annotation.is_some_and(|annotation| !annotation.hits.is_empty()),
        "stale" => {
            annotation.is_some_and(|annotation| cases.definitions().is_outdated(annotation))
                || cases.staleness_of(index).is_stale()
        }
        key => annotation.is_some_and(|annotation| has_key(cases, &annotation.categories, key)),
    }
}

/// Whether one of these categories has this key.
fn has_key(cases: &Cases, ids: &BTreeSet<CategoryId>, key: &str) -> bool {
    cases.known_categories(ids).any(|category| category.key.to_string() == key)
}

/// Tests for `any`, or for a rank counted from 1.
fn at_rank(outcome: &CaseOutcome, value: &str, test: fn(&CaseOutcome, usize) -> bool) -> bool {
    match value.parse::<usize>() {
        Ok(place) => place > 0 && test(outcome, place - 1),
        Err(_) => (0..outcome.answers.len()).any(|hit| test(outcome, hit)),
    }
}

/// Matches an open answer by its words, a label by its id, name or letter, and a set of labels by each label in it, by id or
/// name; `none` matches the empty set.
fn answer_is(cases: &Cases, case: &Case, answer: Option<Answer>, value: &str) -> bool {
    let Some(task) = cases.task_of(case) else { return false };
    match answer {
        None => value == "?",
        Some(Answer::Text(_)) => Answer::from_words(value) == answer,
        Some(Answer::Label(label)) => label_is(task, label, value).unwrap_or_else(|| {
            // Letters after Z are in lower case on the screen, which a filter does not distinguish.
            let letter = letter(Some(label));
            letter.is_ascii_uppercase() && value.chars().eq([letter.to_ascii_lowercase()])
        }),
        Some(Answer::Set(set)) if set.is_empty() => value == NO_LABEL,
        Some(Answer::Set(set)) => set.labels().any(|label| label_is(task, label, value) == Some(true)),
    }
}

/// Whether the label has this id or, if no label of the task has it, this name; `None` if no label has it either.
fn label_is(task: &Task, label: LabelIndex, value: &str) -> Option<bool> {
    let known = task.labels.get(label)?;
    if task.labels.iter().any(|label| same(&label.id, value)) {
        return Some(same(&known.id, value));
    }
    let is_name = task.labels.iter().any(|label| same(&label.name, value));
    is_name.then(|| same(&known.name, value))
}

fn hits_of(answers: Option<&PartialCaseAnswer>) -> impl Iterator<Item = &crate::run::Hit> {
    answers.and_then(PartialCaseAnswer::hits).unwrap_or_default().iter()
}

pub(super) fn number_of(cases: &Cases, index: usize, field: Field) -> Option<f64> {
    let answers = cases.answers_of(index)?;
    match field {
        Field::Entropy => answers.entropy(),
        Field::Disagreement => answers.disagreement(),
        Field::Confidence => answers.fused()?.prediction.probability().map(f64::from),
        _ => None,
    }
}

fn compares(value: f64, comparison: Comparison, number: f64) -> bool {
    match comparison {
        Comparison::Below => value < number,
        Comparison::AtMost => value <= number,
        Comparison::AtLeast => value >= number,
        Comparison::Above => value > number,
    }
}

fn text_is_in(cases: &Cases, case: &Case, answers: Option<&PartialCaseAnswer>, text: &str) -> bool {
    if contains(&case.id, text) || contains(cases.dataset().question_of(case), text) {
        return true;
    }
    hits_of(answers)
        .any(|hit| cases.dataset().corpus.get(hit.row).is_some_and(|document| contains(document.caption, text)))
}

pub(super) fn same(name: &str, value: &str) -> bool {
    name.eq_ignore_ascii_case(value) || (!name.is_ascii() && name.to_lowercase() == value)
}

/// Whether the text contains `part` (given in lower case), ignoring case.
fn contains(text: &str, part: &str) -> bool {
    if part.is_empty() {
        return true;
    }
    if text.is_ascii() && part.is_ascii() {
        return text.as_bytes().windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()));
    }
    text.to_lowercase().contains(part)
}
