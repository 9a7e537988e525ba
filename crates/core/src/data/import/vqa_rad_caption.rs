//! Makes the caption of an image from its questions and answers: region, modality and plane, then the findings.

use super::vqa_rad_rows::Row;
use std::collections::HashSet;

/// Names of modalities and planes in questions and in captions. Longer names come first.
const MODALITIES: [(&str, &str); 11] = [
    ("diffusion weighted", "diffusion-weighted MRI"),
    ("flair", "FLAIR MRI"),
    ("t1 weighted", "T1-weighted MRI"),
    ("t2 weighted", "T2-weighted MRI"),
    ("mri", "MRI"),
    ("mr", "MRI"),
    ("ct", "CT"),
    ("cxr", "x-ray"),
    ("x-ray", "x-ray"),
    ("xray", "x-ray"),
    ("ultrasound", "ultrasound"),
];
const PLANES: [(&str, &str); 10] = [
    ("axial", "axial"),
    ("transverse", "axial"),
    ("coronal", "coronal"),
    ("sagittal", "sagittal"),
    ("lateral", "lateral"),
    ("posterior anterior", "posteroanterior"),
    ("posteroanterior", "posteroanterior"),
    ("pa", "posteroanterior"),
    ("anterior posterior", "anteroposterior"),
    ("ap", "anteroposterior"),
];

/// Beginnings of questions about the presence of something.
const PRESENCE: [&str; 11] = [
    "is there evidence of ",
    "is there any evidence of ",
    "are there signs of ",
    "is there ",
    "are there ",
    "do you see ",
    "can you see ",
    "does the patient have ",
    "does this patient have ",
    "does the image show ",
    "does this image show ",
];

/// A caption from the rows about one image, in their order, without rephrased questions.
pub(super) fn caption_of(rows: &[&Row]) -> String {
    let mut head = vec![region(rows)];
    for (kind, names) in [("MODALITY", &MODALITIES[..]), ("PLANE", &PLANES[..])] {
        for name in stated(rows, kind, names) {
            if !head.contains(&name) {
                head.push(name);
            }
        }
    }
    let mut sentences = vec![head.join(", ")];
    let mut linked = HashSet::new();
    let mut said = HashSet::new();
    for row in rows {
        let is_head = (row.has_type("MODALITY") || row.has_type("PLANE"))
            && (row.yes_or_no().is_some()
                || names_in(&row.answer, &MODALITIES).or(names_in(&row.answer, &PLANES)).is_some());
        if is_head || !linked.insert(row.linked_id.as_str()) {
            continue;
        }
        let sentence = sentence_of(&row.question, &row.answer, row.yes_or_no());
        if said.insert(sentence.to_lowercase()) {
            sentences.push(sentence);
        }
    }
    as_caption(&sentences)
}

/// Joins sentences: each begins with a capital and ends with a full stop.
pub(super) fn as_caption(sentences: &[String]) -> String {
    let mut caption = String::new();
    for sentence in sentences {
        if !caption.is_empty() {
            caption.push(' ');
        }
        // Some answers contain tabs and line ends.
        let words: Vec<&str> = sentence.split_whitespace().collect();
        caption.push_str(&capitalised(&words.join(" ")));
        if !caption.ends_with(['.', '?', '!', '。']) {
            caption.push('.');
        }
    }
    caption
}

fn region(rows: &[&Row]) -> String {
    match rows.first().map(|row| row.organ.as_str()) {
        Some("ABD") => "abdomen".into(),
        Some(organ) => organ.to_lowercase(),
        None => "image".into(),
    }
}

/// The statements of the rows of one type: an open answer, or a question answered with yes.
fn stated(rows: &[&Row], kind: &str, names: &[(&str, &str)]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for row in rows.iter().filter(|row| row.has_type(kind)) {
        // "What type of imaging does this not represent?"
        if words(&row.question).contains(" not ") {
            continue;
        }
        let text = match row.yes_or_no() {
            Some(true) => &row.question,
            Some(false) => continue,
            None => &row.answer,
        };
        if let Some(name) = names_in(text, names)
            && !found.contains(&name)
        {
            found.push(name);
        }
    }
    // "MRI" is redundant beside "FLAIR MRI".
    let all = found.clone();
    found.retain(|name| !all.iter().any(|other| other != name && other.ends_with(name.as_str())));
    found
}

/// The first of the names that the text contains as whole words.
fn names_in(text: &str, names: &[(&str, &str)]) -> Option<String> {
    let text = words(text);
    for (spelling, name) in names {
        if text.contains(&words(spelling)) {
            return Some((*name).into());
        }
    }
    None
}

/// Lower case, one space between and around words, no punctuation, so that whole words can be found.
fn words(text: &str) -> String {
    let mut result = String::from(" ");
    for word in text.to_lowercase().split(|letter: char| !letter.is_alphanumeric()) {
        if !word.is_empty() {
            result.push_str(word);
            result.push(' ');
        }
    }
    result
}

/// Converts "Is there a pneumothorax?" and "No" to "no pneumothorax"; otherwise keeps question and answer.
pub(super) fn sentence_of(question: &str, answer: &str, yes_or_no: Option<bool>) -> String {
    let question = question.trim().trim_end_matches(['?', '.', ' ']);
    if let Some(yes) = yes_or_no
        && let Some(finding) = finding_in(question)
    {
        return if yes { finding } else { format!("no {finding}") };
    }
    format!("{question}? {}", capitalised(answer))
}

fn finding_in(question: &str) -> Option<String> {
    let start = PRESENCE.iter().find(|start| starts_with(question, start)).copied().or_else(|| {
        // "Is a pneumothorax present?"
        (starts_with(question, "is a") && question.ends_with(" present")).then_some("is ")
    })?;
    let mut finding = question.get(start.len()..)?.trim();
    for start in ["any ", "a ", "an ", "the ", "evidence of "] {
        if starts_with(finding, start) {
            finding = finding.get(start.len()..)?.trim_start();
        }
    }
    for end in [" in this image", " in the image", " on this image", " present", " seen", " visible", " pictured"] {
        finding = finding.strip_suffix(end).unwrap_or(finding);
    }
    let unfit = ["no ", "not ", "only ", "more ", "less ", "anything ", "something ", "all "]
        .iter()
        .any(|word| finding.to_lowercase().starts_with(word));
    (!finding.is_empty() && !unfit).then(|| finding.to_string())
}

/// Whether the text starts so, ignoring ASCII case.
pub(super) fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(start))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: &str, question: &str, answer: &str) -> Row {
        Row {
            qid: question.into(),
            linked_id: question.into(),
            test: false,
            closed: true,
            image: "a.jpg".into(),
            medpix_case: "case".into(),
            organ: "CHEST".into(),
            question_type: kind.into(),
            question: question.into(),
            answer: answer.into(),
        }
    }

    #[test]
    fn answers_become_findings() {
        let rows = [
            row("PRES", "Is there evidence of a pleural effusion?", "Yes"),
            row("PRES", "Are there any rib fractures in this image?", "no"),
            row("PRES", "Is a pneumothorax present?", "No"),
            row("POS", "Where is the mass?", "left\tupper lobe"),
            row("ABN", "Is the trachea midline", "yes"),
            row("PRES", "Is there no free air?", "no"),
        ];
        assert_eq!(
            caption_of(&rows.iter().collect::<Vec<_>>()),
            "Chest. Pleural effusion. No rib fractures. No pneumothorax. Where is the mass? Left upper lobe. \
             Is the trachea midline? Yes. Is there no free air? No."
        );
    }

    #[test]
    fn modality_and_plane_come_first_and_only_if_stated() {
        let rows = [
            row("PRES", "Is there a mass?", "yes"),
            row("MODALITY", "Is this a CT?", "no"),
            row("MODALITY", "What type of imaging does this not represent?", "ultrasound"),
            row("MODALITY", "Is this an MRI?", "yes"),
            row("MODALITY", "What sequence is this?", "FLAIR"),
            row("PLANE", "In what plane is this?", "Axial"),
            row("PLANE", "Is this a transverse section?", "yes"),
        ];
        assert_eq!(caption_of(&rows.iter().collect::<Vec<_>>()), "Chest, FLAIR MRI, axial. Mass.");
    }

    #[test]
    fn a_rephrased_question_is_said_once() {
        let first = row("PRES", "Is there a nodule?", "yes");
        let again = Row { question: "Is a nodule seen?".into(), ..first.clone() };
        assert_eq!(caption_of(&[&first, &again]), "Chest. Nodule.");
    }

    #[test]
    fn letters_of_any_script_do_not_break_a_caption() {
        let odd = row("PRES", "Is there a İstanbul sign ß?", "yes");
        assert_eq!(caption_of(&[&odd]), "Chest. İstanbul sign ß.");
    }
}
