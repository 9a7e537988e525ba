//! Cache keys of predictions.

use super::ReadRequest;
use dissent_core::files::fingerprint::Fingerprint;

/// Incremented if the same request would get another answer: after a change to prompts, images or scoring.
const ANSWERS_VERSION: &str = "answers 2";

/// The version of text answers; incremented also if the rule for their end changes.
const WORDS_VERSION: &str = "words 1";

/// [`prediction_key`] of a text answer.
pub(crate) fn answer_key(reader: &Fingerprint, request: &ReadRequest) -> Fingerprint {
    Fingerprint::of_parts([WORDS_VERSION, prediction_key(reader, request).as_str()])
}

/// Fingerprint of all that the answer depends on: reader, prompt template, question, labels, query image and document
/// (image and caption). Ids do not count: a renamed case has the same answer.
pub fn prediction_key(reader: &Fingerprint, request: &ReadRequest) -> Fingerprint {
    let template = request.template();
    let mut parts =
        vec![ANSWERS_VERSION, reader.as_str(), template, &request.question, request.query.fingerprint.as_str()];
    match &request.evidence {
        Some(evidence) => {
            let image = evidence.image.as_ref().map_or("no image", |image| image.fingerprint.as_str());
            parts.extend(["document", image]);
            match &evidence.caption {
                Some(caption) => parts.push(caption),
                None => parts.extend(["no", "caption"]),
            }
        }
        None => parts.push("closed-book"),
    }
    parts.extend(request.task.labels.iter().map(|label| label.id.as_str()));
    Fingerprint::of_parts(parts)
}
