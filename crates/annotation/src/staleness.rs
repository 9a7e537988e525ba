//! Staleness: whether a case has changed since it was annotated.

use super::CaseAnnotation;
use dissent_core::files::fingerprint::Fingerprint;

/// Comparison of the current screen with the one at the annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staleness {
    /// The annotator saw the same documents and answers, or at least the same run.
    Current,
    /// The case's documents or the reader's answers to it have changed.
    AnswersChanged,
    /// The run is another one, and the answers that the annotator saw are unknown.
    RunChanged,
    /// The event does not record the screen, or there is nothing on the current screen to compare it with.
    Unknown,
}

impl Staleness {
    /// Whether the annotator should look again.
    pub fn is_stale(self) -> bool {
        matches!(self, Self::AnswersChanged | Self::RunChanged)
    }

    /// Compares fingerprints of (run, answers) at the annotation and now. If the answers were recorded, they decide:
    /// another run with the same answers does not make the annotation stale, and the result is unknown until the
    /// current answers are read.
    pub fn between(then: (Option<&str>, Option<&str>), now: (Option<&str>, Option<&str>)) -> Self {
        match (then.1, now.1) {
            (Some(then), Some(now)) if then == now => return Self::Current,
            (Some(_), Some(_)) => return Self::AnswersChanged,
            (Some(_), None) => return Self::Unknown,
            (None, _) => {}
        }
        match (then.0, now.0) {
            (Some(then), Some(now)) if then == now => Self::Current,
            (Some(_), Some(_)) => Self::RunChanged,
            _ => Self::Unknown,
        }
    }
}

/// Fingerprint of the answers that an annotation of the case is about: each document with the label that the reader
/// answered (its id; `None` if the answer named none), in the order of the screen. Scores do not count: they vary
/// between machines.
pub fn answers_fingerprint<'a, T: AsRef<str>>(answers: impl IntoIterator<Item = (&'a str, Option<T>)>) -> Fingerprint {
    let mut parts: Vec<String> = Vec::new();
    for (document, label) in answers {
        let is_answered = if label.is_some() { "answered" } else { "no label" };
        let label = label.as_ref().map(AsRef::as_ref).unwrap_or_default();
        parts.extend([document, is_answered, label].map(str::to_owned));
    }
    Fingerprint::of_parts(parts.iter().map(String::as_str))
}

impl CaseAnnotation {
    /// See [`Staleness::between`]; without a label of the case or of a document it counts as not stale.
    pub fn staleness(&self, run_now: Option<&str>, answers_now: Option<&str>) -> Staleness {
        if !self.is_labelled() && self.hits.is_empty() {
            return Staleness::Unknown;
        }
        let then = (self.run_fingerprint.as_deref(), self.answers_fingerprint.as_deref());
        Staleness::between(then, (run_now, answers_now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotation(run: Option<&str>, answers: Option<&str>) -> CaseAnnotation {
        CaseAnnotation {
            skipped: true,
            run_fingerprint: run.map(Into::into),
            answers_fingerprint: answers.map(Into::into),
            ..CaseAnnotation::default()
        }
    }

    #[test]
    fn the_answers_of_the_case_decide_where_they_are_known() {
        let both = annotation(Some("run1"), Some("a1"));
        assert_eq!(both.staleness(Some("run2"), Some("a1")), Staleness::Current);
        assert_eq!(both.staleness(Some("run1"), Some("a2")), Staleness::AnswersChanged);
        assert_eq!(both.staleness(Some("run2"), None), Staleness::Unknown, "its answers are not read yet");
        assert_eq!(both.staleness(None, None), Staleness::Unknown);
        let old = annotation(Some("run1"), None);
        assert_eq!(old.staleness(Some("run1"), Some("a1")), Staleness::Current);
        assert_eq!(old.staleness(Some("run2"), Some("a1")), Staleness::RunChanged);
        let undecided = CaseAnnotation { skipped: false, ..both };
        assert_eq!(undecided.staleness(Some("run1"), Some("a2")), Staleness::Unknown);
        assert_eq!(annotation(None, None).staleness(Some("run1"), Some("a1")), Staleness::Unknown);
    }

    #[test]
    fn documents_answers_and_their_order_count() {
        let one = answers_fingerprint([("d1", Some("Yes")), ("d2", None)]);
        assert_eq!(one, answers_fingerprint([("d1", Some("Yes")), ("d2", None)]));
        for other in [
            answers_fingerprint([("d2", None), ("d1", Some("Yes"))]),
            answers_fingerprint([("d1", Some("No")), ("d2", None)]),
            answers_fingerprint([("d1", Some("Yes")), ("d2", Some(""))]),
            answers_fingerprint([("d1", Some("Yes"))]),
        ] {
            assert_ne!(one, other);
        }
    }
}
