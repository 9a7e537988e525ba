//! Duplicates in a file of the reference code; they are reported, not dropped silently.

use super::answer::AnswerParser;
use super::line::{Group, Passage, Sample};
use std::collections::HashMap;

/// Remarks on cases that occur twice, ids that name two images, and documents with two answers in one case.
pub(super) fn remarks_of_doubled(groups: &[Group], parser: &AnswerParser) -> Vec<String> {
    let mut remarks = Vec::new();
    remarks.extend(cases_twice(groups));
    remarks.extend(ids_of_two_images(groups));
    remarks.extend(documents_twice(groups, parser));
    remarks
}

fn cases_twice(groups: &[Group]) -> Option<String> {
    let mut seen: HashMap<(&str, &Sample), &Group> = HashMap::new();
    let (mut count, mut contradicting) = (0, 0);
    let mut first = None;
    for group in groups {
        let before = *seen.entry((group.query.trim(), &group.sample)).or_insert(group);
        if before.line != group.line {
            count += 1;
            contradicting += usize::from(before.gold.trim() != group.gold.trim());
            first.get_or_insert((group.line, before.line));
        }
    }
    let (line, before) = first?;
    Some(format!(
        "{count} cases have question, image and id of an earlier one, {contradicting} of them with another gold answer (the first \
         is that of line {line}, as on line {before}); each counts as a case of its own"
    ))
}

fn ids_of_two_images(groups: &[Group]) -> Option<String> {
    let mut seen: HashMap<&str, &Group> = HashMap::new();
    let mut count = 0;
    let mut first = None;
    for group in groups {
        let Some(id) = &group.sample.id else { continue };
        let before = *seen.entry(id).or_insert(group);
        if before.sample.image_path != group.sample.image_path {
            count += 1;
            first.get_or_insert((id, group.line, before.line));
        }
    }
    let (id, line, before) = first?;
    Some(format!(
        "{count} cases have the id of an earlier one, but another image (the first is {id:?} on lines {before} and {line}); such ids \
         have a number at their end here"
    ))
}

/// A document found by both heads is read twice; the first of the two answers is kept.
fn documents_twice(groups: &[Group], parser: &AnswerParser) -> Option<String> {
    let (mut other_answers, mut other_logits) = (0, 0);
    let mut first = None;
    for group in groups {
        let mut seen: HashMap<&Passage, usize> = HashMap::new();
        for (place, candidate) in group.candidates.iter().enumerate() {
            let before = *seen.entry(&candidate.passage).or_insert(place);
            let answer = |place: usize| parser.prediction(&group.candidates[place].generation, None).answer;
            let logits = |place: usize| group.logits.as_ref().and_then(|rows| rows.get(place));
            let (is_other_answer, is_other_logits) = (answer(before) != answer(place), logits(before) != logits(place));
            other_answers += usize::from(is_other_answer);
            other_logits += usize::from(is_other_logits);
            if is_other_answer || is_other_logits {
                first.get_or_insert((&candidate.passage.img_path, group.line));
            }
        }
    }
    let (image, line) = first?;
    Some(format!(
        "documents that stand on two lines of one case have another answer there {other_answers} times and other logits \
         {other_logits} times (the first is {image:?}, in the case of line {line}); the first of the two lines counts"
    ))
}
