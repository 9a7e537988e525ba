//! Makes the caption of a picture of SLAKE from its region, its modality and the answers about it.

use super::slake_rows::{Language, Row};
use super::vqa_rad_caption::{as_caption, sentence_of, starts_with};
use std::collections::HashSet;

/// How most questions about organs begin.
const CONTAINS: &str = "Does the picture contain ";

/// A caption from the training rows about one picture, in their order. English rows are used if there are any, so that
/// captions have one language. Questions of the knowledge graph are about organs in general and stay out.
pub(super) fn caption_of(rows: &[&Row]) -> String {
    let has_english = rows.iter().any(|row| row.language == Language::English);
    let mut head: Vec<String> = Vec::new();
    if let Some(row) = rows.first() {
        head.push(row.location.replace('_', " ").to_lowercase());
        // MRI and CT are abbreviations.
        head.push(if row.modality == "X-Ray" { "x-ray".into() } else { row.modality.clone() });
    }
    let mut sentences = Vec::new();
    let mut said = HashSet::new();
    for row in rows {
        if row.needs_knowledge || row.answer.is_empty() || (has_english && row.language == Language::Chinese) {
            continue;
        }
        if row.language == Language::Chinese {
            sentences.push(format!("{} {}。", row.question, row.answer));
            continue;
        }
        if row.content == "Modality" || row.content == "Plane" {
            // "Is this a CT?" and "No" say less than the head.
            let stated = row.answer.split_whitespace().collect::<Vec<_>>().join(" ");
            let is_new = !head.iter().any(|known| known.eq_ignore_ascii_case(&stated));
            if row.yes_or_no().is_none() && is_new {
                head.push(if row.content == "Plane" { stated.to_lowercase() } else { stated });
            }
            continue;
        }
        let question = match row.question.get(CONTAINS.len()..) {
            Some(rest) if starts_with(&row.question, CONTAINS) => format!("Is there {rest}"),
            _ => row.question.clone(),
        };
        let sentence = sentence_of(&question, &row.answer, row.yes_or_no());
        if said.insert(sentence.to_lowercase()) {
            sentences.push(sentence);
        }
    }
    sentences.insert(0, head.join(", "));
    as_caption(&sentences)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(language: Language, content: &str, question: &str, answer: &str) -> Row {
        Row {
            qid: question.into(),
            picture: 1,
            language,
            closed: true,
            needs_knowledge: content == "KG",
            content: content.into(),
            location: "Chest_lung".into(),
            modality: "CT".into(),
            question: question.into(),
            answer: answer.into(),
        }
    }

    #[test]
    fn answers_become_a_caption_in_one_language() {
        let english = |content, question, answer| row(Language::English, content, question, answer);
        let rows = [
            row(Language::Chinese, "Organ", "图像里包含肝脏吗?", "不包含"),
            english("Modality", "What modality is used to take this image?", "CT"),
            english("Plane", "What is the scanning plane of this image?", "Transverse  Plane"),
            english("Organ", "Does the picture contain liver?", "No"),
            english("Organ", "Does the picture contain lung?", "Yes"),
            english("Organ", "Does the picture contain heart?", ""),
            english("Size", "What is the largest organ in the picture?", "Lung"),
            english("KG", "What is the function of the lung?", "Breathe"),
        ];
        let rows: Vec<&Row> = rows.iter().collect();
        assert_eq!(
            caption_of(&rows),
            "Chest lung, CT, transverse plane. No liver. Lung. What is the largest organ in the picture? Lung."
        );
        assert_eq!(caption_of(&rows[..1]), "Chest lung, CT. 图像里包含肝脏吗? 不包含。");
    }
}
