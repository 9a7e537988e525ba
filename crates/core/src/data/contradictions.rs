//! Cases with the same picture and question but different gold answers: every model is wrong in at least one of them.

use super::image_checks::ImageContents;
use super::{CASES_FILE, Case, Dataset, Problem};
use std::collections::HashMap;

/// A warning that counts such cases and names the first pair.
pub(super) fn contradiction_warning(
    dataset: &Dataset,
    case_lines: &[usize],
    contents: &ImageContents,
) -> Option<Problem> {
    let mut asked: HashMap<(&str, &str, u64), &Case> = HashMap::new();
    let mut count = 0;
    let mut first = None;
    for (case, line) in dataset.cases.iter().zip(case_lines) {
        let Some(content) = contents.get(&case.image) else { continue };
        let before = *asked.entry((&case.task, dataset.question_of(case).trim(), content)).or_insert(case);
        if before.answer != case.answer {
            count += 1;
            first.get_or_insert((*line, case, before));
        }
    }
    let (line, case, before) = first?;
    let message = format!(
        "{count} cases have the image and question of an earlier case, but another gold answer; the first is {:?} ({:?}), which \
         {:?} answers with {:?}",
        case.id, case.answer, before.id, before.answer
    );
    Some(Problem::warning(&dataset.root.join(CASES_FILE), message).at_line(line).in_field("answer"))
}
