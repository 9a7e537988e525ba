//! An answer of another program as a prediction of the case's task.

use super::given_answer::{AnswerContent, Chosen, GivenScores, LabelValue};
use crate::data::{Answer, HowNamed, LabelIndex, LabelSet, Task, TaskKind};
use crate::run::{LabelOdds, LabelSamples, LabelScores, MASKED_LOG_PROBABILITY, Prediction};
use anyhow::{Context, Result, bail, ensure};

/// Half types round a log-probability, and the sum of probabilities, to this much above.
const ROUNDING: f64 = 0.01;
/// Larger counts are not exact in a run.
const MOST_SAMPLES: f64 = 16_777_216.0;

/// How the answer was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HowRead {
    /// The line names it, or the scores do.
    Given,
    Text(HowNamed),
    /// Open words, or a set of labels in words.
    Words,
    /// The text names no label.
    Nothing,
    /// The other program's call failed.
    Failed,
}

/// A prediction and what was done to get it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ParsedAnswer {
    pub prediction: Prediction,
    pub how: HowRead,
    /// Scores were there, but are no probabilities.
    pub lost_scores: bool,
    /// The line names another label than the one with the largest score.
    pub contradicts_scores: bool,
}

/// # Errors
/// Fails if labels or numbers do not fit the task; the message names the field.
pub(super) fn parse_answer(task: &Task, content: &AnswerContent, whole_words: bool) -> Result<ParsedAnswer> {
    let mut parsed = match task.kind {
        TaskKind::OpenVqa => open_answer(content)?,
        TaskKind::MultiLabel => set_answer(task, content)?,
        TaskKind::Classification | TaskKind::ClosedVqa | TaskKind::LabelSet => {
            label_answer(task, content, whole_words)?
        }
    };
    if content.has_failed {
        parsed.how = HowRead::Failed;
        parsed.prediction.answer = None;
    }
    Ok(parsed)
}

fn plain(prediction: Prediction, how: HowRead) -> ParsedAnswer {
    ParsedAnswer { prediction, how, lost_scores: false, contradicts_scores: false }
}

fn open_answer(content: &AnswerContent) -> Result<ParsedAnswer> {
    ensure!(content.scores.is_none(), "the task's answers are open, so it has no labels; expected text alone");
    let text = match (&content.text, &content.chosen) {
        (Some(text), _) | (None, Chosen::Label(Some(text))) => text.clone(),
        (None, Chosen::Label(None)) => String::new(),
        (None, _) => bail!("field text: the field is missing; the task's answers are open"),
    };
    let prediction = Prediction::in_words(text);
    let how = if prediction.answer.is_some() { HowRead::Words } else { HowRead::Nothing };
    Ok(plain(prediction, how))
}

fn set_answer(task: &Task, content: &AnswerContent) -> Result<ParsedAnswer> {
    let threshold = task.prompt.sets.log_odds_threshold();
    let odds = match &content.scores {
        None => None,
        Some(GivenScores::LogOdds(values)) => {
            let (values, bounds) = in_order(task, values)?;
            let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
            ensure!(values.iter().all(|value| value.is_finite()), "expected finite numbers, found -Infinity");
            Some(LabelOdds::bounded(values, bounds, threshold))
        }
        Some(GivenScores::Classes { scores, are_in_range: true, .. }) => {
            ensure_one_per_label(task, scores.len())?;
            Some(LabelOdds::exact(scores.iter().map(|score| log_odds(*score)).collect(), threshold))
        }
        Some(GivenScores::Classes { .. }) => bail!(
            "the task takes several labels at once: expected a probability between 0 and 1 per label in every row of the file"
        ),
        Some(_) => bail!(
            "the task takes several labels at once: expected label_log_odds, predicted_set or text, found scores of single labels"
        ),
    };
    let chosen = match &content.chosen {
        Chosen::Set(labels) => {
            let mut found = Vec::with_capacity(labels.len());
            for label in labels {
                found.push(label_of(task, label).context("field predicted_set")?);
            }
            Some(LabelSet::of(found))
        }
        Chosen::Label(Some(label)) => {
            bail!("field prediction: the task takes several labels at once; expected predicted_set, found {label:?}")
        }
        Chosen::Label(None) | Chosen::NotNamed => None,
    };
    if let Some(odds) = odds {
        let by_odds = odds.label_set();
        let set = chosen.unwrap_or(by_odds);
        let prediction = Prediction {
            answer: Some(Answer::Set(set)),
            scores: None,
            odds: Some(odds),
            text: content.text.clone(),
            samples: None,
        };
        let contradicts_scores = set != by_odds;
        return Ok(ParsedAnswer { prediction, how: HowRead::Given, lost_scores: false, contradicts_scores });
    }
    let text = content.text.clone().unwrap_or_default();
    if let Some(set) = chosen {
        let answer = Some(Answer::Set(set));
        return Ok(plain(
            Prediction { answer, scores: None, odds: None, text: Some(text), samples: None },
            HowRead::Given,
        ));
    }
    if content.chosen == Chosen::Label(None) {
        return Ok(plain(
            Prediction { answer: None, scores: None, odds: None, text: Some(text), samples: None },
            HowRead::Nothing,
        ));
    }
    let prediction = Prediction::set_in_words(text, task);
    let how = if prediction.answer.is_some() { HowRead::Words } else { HowRead::Nothing };
    Ok(plain(prediction, how))
}

fn label_answer(task: &Task, content: &AnswerContent, whole_words: bool) -> Result<ParsedAnswer> {
    if let Some(GivenScores::Counts { named, unnamed }) = &content.scores {
        return counted_answer(task, content, named, *unnamed);
    }
    let (scores, best) = match &content.scores {
        None => (None, None),
        Some(scores) => scores_of(task, scores)?,
    };
    let lost_scores = best.is_some() && scores.is_none();
    let (label, how) = match &content.chosen {
        Chosen::Label(Some(label)) => (Some(label_of(task, label).context("field prediction")?), HowRead::Given),
        Chosen::Label(None) => (None, HowRead::Nothing),
        Chosen::Set(_) => bail!("field predicted_set: the task takes one label; expected prediction"),
        // The model's words count more than its scores, as in runs of the reference.
        Chosen::NotNamed => match &content.text {
            Some(text) => label_of_text(task, &chosen_option(text, &content.options), whole_words),
            None => (best, HowRead::Given),
        },
    };
    let contradicts_scores = label.is_some() && best.is_some() && label != best;
    // A label that was scored has no text in a run.
    let text = content
        .text
        .clone()
        .filter(|text| scores.is_none() || label.is_none_or(|label| task.labels[label].id != *text));
    // A run without scores shows what was generated.
    let text = text.or_else(|| if scores.is_none() { label.map(|label| task.labels[label].id.clone()) } else { None });
    let text = text.or_else(|| (label.is_none() || scores.is_none()).then(String::new));
    let prediction = Prediction { answer: label.map(Answer::Label), scores, odds: None, text, samples: None };
    Ok(ParsedAnswer { prediction, how, lost_scores, contradicts_scores })
}

/// The most frequent of several answers, unless the line names another one.
fn counted_answer(task: &Task, content: &AnswerContent, named: &[LabelValue], unnamed: u32) -> Result<ParsedAnswer> {
    let (counts, _) = in_order(task, named).context("field label_counts")?;
    let counts: Vec<u32> = counts.iter().map(|count| *count as u32).collect();
    let sum: f64 = counts.iter().chain([&unnamed]).map(|count| f64::from(*count)).sum();
    ensure!(
        (1.0..=MOST_SAMPLES).contains(&sum),
        "field label_counts: expected 1 to {MOST_SAMPLES} answers, found {sum}"
    );
    let samples = LabelSamples::of_counts(&counts, unnamed);
    let most_frequent = samples.answer();
    let answer = match &content.chosen {
        Chosen::Label(Some(label)) => Some(Answer::Label(label_of(task, label).context("field prediction")?)),
        Chosen::Label(None) => None,
        Chosen::Set(_) => bail!("field predicted_set: the task takes one label; expected prediction"),
        Chosen::NotNamed => most_frequent,
    };
    let how = if answer.is_some() { HowRead::Given } else { HowRead::Nothing };
    let text = content.text.clone().filter(|text| answer.is_none() && !text.is_empty());
    let prediction = Prediction { answer, scores: None, odds: None, text, samples: Some(samples) };
    Ok(ParsedAnswer { prediction, how, lost_scores: false, contradicts_scores: answer != most_frequent })
}

fn label_of_text(task: &Task, text: &str, whole_words: bool) -> (Option<LabelIndex>, HowRead) {
    match task.label_in_text(text, whole_words) {
        Some(named) => (Some(named.label), HowRead::Text(named.how)),
        None => (None, HowRead::Nothing),
    }
}

/// The text of the option whose letter the text is (`B`, `(B)`, `B.`, `B: 2 cm`), else the text itself.
fn chosen_option(text: &str, options: &[(char, String)]) -> String {
    let bare = text.trim().trim_start_matches('(');
    let mut letters = bare.chars();
    let Some(letter) = letters.next() else { return text.to_owned() };
    let ends = letters.next().is_none_or(|next| matches!(next, '.' | ')' | ':' | ','));
    let option = options.iter().find(|(known, _)| ends && *known == letter);
    option.map_or_else(|| text.to_owned(), |(_, option)| option.clone())
}

/// The log-probabilities of all labels, if the numbers are some, and the label with the largest number.
fn scores_of(task: &Task, scores: &GivenScores) -> Result<(Option<LabelScores>, Option<LabelIndex>)> {
    let (values, bounds) = match scores {
        GivenScores::LogProbabilities(values) => {
            let (values, bounds) = in_order(task, values)?;
            for value in &values {
                ensure!(
                    *value <= ROUNDING,
                    "field label_log_probabilities: expected numbers of at most 0 (not probabilities, and not logits), found {value}"
                );
            }
            (values, bounds)
        }
        GivenScores::Probabilities(values) => {
            let (values, bounds) = in_order(task, values)?;
            ensure_probabilities(&values).context("field label_probabilities")?;
            (values.into_iter().map(f64::ln).collect(), bounds)
        }
        GivenScores::Counts { .. } => bail!("field label_counts: expected no log-probabilities beside it"),
        GivenScores::LogOdds(_) => {
            bail!("field label_log_odds: the task takes one label; expected label_log_probabilities")
        }
        GivenScores::Classes { scores, are_in_range, sum_to_one } => {
            if let ([second], 2, true) = (scores.as_slice(), task.labels.len(), *are_in_range) {
                (vec![(1.0 - second).ln(), second.ln()], Vec::new())
            } else {
                ensure_one_per_label(task, scores.len())?;
                if !are_in_range || !sum_to_one {
                    return Ok((None, Some(largest(scores))));
                }
                (scores.iter().map(|score| score.ln()).collect(), Vec::new())
            }
        }
    };
    ensure!(values.iter().any(|value| value.is_finite()), "expected a label that is not masked, found -Infinity alone");
    let stored = |value: &f64| if value.is_finite() { *value as f32 } else { MASKED_LOG_PROBABILITY };
    let values = values.iter().map(stored).collect();
    let scores = LabelScores::bounded(values, bounds);
    let best = scores.arg_max();
    Ok((Some(scores), Some(best)))
}

fn largest(values: &[f64]) -> LabelIndex {
    let mut best = 0;
    for (place, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = place;
        }
    }
    best
}

fn ensure_probabilities(values: &[f64]) -> Result<()> {
    let sum: f64 = values.iter().sum();
    if let Some(wrong) = values.iter().find(|value| !(0.0..=1.0 + ROUNDING).contains(*value)) {
        bail!("expected probabilities between 0 and 1, found {wrong}");
    }
    ensure!(sum > 0.0 && sum <= 1.0 + ROUNDING, "expected probabilities that sum to at most 1, found the sum {sum}");
    Ok(())
}

fn ensure_one_per_label(task: &Task, found: usize) -> Result<()> {
    let expected = task.labels.len();
    ensure!(
        found == expected,
        "expected {expected} numbers, one per label of the task {} ({}), found {found}",
        task.id,
        names(task)
    );
    Ok(())
}

/// The numbers in the order of the task's labels, and the places of those that are bounds.
fn in_order(task: &Task, values: &[LabelValue]) -> Result<(Vec<f64>, Vec<LabelIndex>)> {
    let mut numbers: Vec<Option<f64>> = vec![None; task.labels.len()];
    let mut bounds = Vec::new();
    if values.iter().all(|value| value.label.is_none()) {
        ensure_one_per_label(task, values.len())?;
    }
    for (place, value) in values.iter().enumerate() {
        let label = match &value.label {
            Some(label) => label_of(task, label)?,
            None => place,
        };
        ensure!(numbers[label].is_none(), "the label {} has two numbers", task.labels[label].id);
        numbers[label] = Some(value.value);
        if value.is_bound {
            bounds.push(label);
        }
    }
    bounds.sort_unstable();
    let mut all = Vec::with_capacity(numbers.len());
    for (label, number) in numbers.into_iter().enumerate() {
        let id = &task.labels[label].id;
        all.push(number.with_context(|| {
            format!("expected a number for every label of the task {} ({}), found none for {id}", task.id, names(task))
        })?);
    }
    Ok((all, bounds))
}

fn label_of(task: &Task, id: &str) -> Result<LabelIndex> {
    let label = task.label_index(id);
    label.with_context(|| format!("expected labels of the task {} ({}), found {id:?}", task.id, names(task)))
}

fn names(task: &Task) -> String {
    task.labels.iter().map(|label| label.id.as_str()).collect::<Vec<_>>().join(", ")
}

/// Finite for the probabilities 0 and 1, too.
fn log_odds(probability: f64) -> f32 {
    ((probability / (1.0 - probability)).ln() as f32).clamp(MASKED_LOG_PROBABILITY, -MASKED_LOG_PROBABILITY)
}
