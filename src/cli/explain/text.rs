//! An explanation in plain words, readable at 80 columns.

use super::Explained;
use crate::explain::{GRID, Method, RegionWeights, WordWeights};
use crate::output::one_line;

/// Columns of the text.
const WIDTH: usize = 80;
/// Characters of a phrase.
const LONGEST_PHRASE: usize = 60;
/// Strongest words that are listed.
const LISTED: usize = 3;

/// The whole report.
pub(super) fn report(explained: &Explained) -> String {
    let mut lines = heading(explained);
    let explanation = &explained.explanation;
    if let Some(words) = &explanation.words {
        lines.extend(word_lines(words));
    }
    for (name, regions) in [("document's", &explanation.document), ("query", &explanation.query)] {
        if let Some(regions) = regions {
            lines.extend(region_lines(name, regions));
        }
    }
    if explanation.document.is_some() || explanation.query.is_some() {
        lines.push(String::new());
        let remark = match explanation.method {
            Method::Occlusion => OCCLUSION_REMARK,
            Method::Gradient => GRADIENT_REMARK,
        };
        lines.extend(remark.map(str::to_owned));
    }
    lines.join("\n")
}

/// What was measured about regions (docs/reference/explain.md, n = 200), printed below them.
const OCCLUSION_REMARK: [&str; 2] = [
    "On the sample the strongest region lies in the lesion in 6 of 10 predictions",
    "(chance: 1 of 10), and the outcome word is the strongest word in 199 of 200.",
];
const GRADIENT_REMARK: [&str; 2] = [
    "On the sample, regions by gradient are hardly better than chance (strongest",
    "region in the lesion: .12 to .16, chance .09): trust words, or use occlusion.",
];

fn heading(explained: &Explained) -> Vec<String> {
    let explanation = &explained.explanation;
    let with = match (explained.document, explained.hit) {
        (None, _) => "without a document".to_owned(),
        (Some(document), None) => format!("with document {}", one_line(document.id)),
        (Some(document), Some((number, count))) => {
            format!("with hit {number} of {count}, document {}", one_line(document.id))
        }
    };
    let mut lines = vec![
        format!("Case {} {with}", one_line(&explained.case.id)),
        one_line(explained.dataset.question_of(explained.case)),
    ];
    if let (Some(label), Some(set)) = (explained.label(), explained.answer_set()) {
        lines.push(format!("Label: {}, of the answer {}", one_line(label), one_line(&set)));
    }
    let value = explanation.log_odds;
    let about = if explanation.is_bound { "about " } else { "" };
    lines.push(match (&explanation.text, explained.labels()) {
        (Some(text), _) => format!("Answer: {} (log-probability {about}{value:.2})", one_line(text)),
        (None, (answer, None)) => format!("Answer: {} (log-probability {about}{value:.2})", one_line(answer)),
        (None, (answer, Some(runner_up))) => {
            format!("Answer: {}, not {} (log-odds {about}{value:.2})", one_line(answer), one_line(runner_up))
        }
    });
    lines.push(String::new());
    lines.extend(
        match explanation.method {
            Method::Occlusion => [
                "Weights: what the answer loses if the word is left out or the region covered.",
                "Positive weights speak for the answer, negative ones against it.",
            ],
            Method::Gradient => [
                "Weights: an estimate by gradients. Nothing was left out or covered.",
                "Positive weights speak for the answer, negative ones against it.",
            ],
        }
        .map(str::to_owned),
    );
    lines
}

fn word_lines(words: &WordWeights) -> Vec<String> {
    let mut lines = vec![String::new(), "Caption, with the weight of each word".to_owned()];
    let mut line = String::from(" ");
    for part in &words.parts {
        let item = format!(" {} {}", clipped(words.text(part)), signed(part.weight, part.is_bound));
        if line.chars().count() + item.chars().count() > WIDTH && line.trim() != "" {
            lines.push(std::mem::replace(&mut line, String::from(" ")));
        }
        line.push_str(&item);
        line.push(' ');
    }
    lines.push(line);
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines.extend([String::new(), "Strongest words".to_owned()]);
    for part in words.strongest(LISTED) {
        lines.push(format!("  {}  {}", signed(part.weight, part.is_bound), clipped(words.text(part))));
    }
    lines
}

fn region_lines(name: &str, regions: &RegionWeights) -> Vec<String> {
    let mut lines = vec![String::new(), format!("The {name} image, by cells of an {GRID} × {GRID} grid")];
    for row in &regions.weights {
        let cells: Vec<String> = row.iter().map(|weight| format!("{weight:>+7.2}")).collect();
        lines.push(format!(" {}", cells.join("")));
    }
    let (region, weight) = regions.strongest();
    let weight = signed(weight, regions.has_bounds);
    lines.push(format!("  strongest: row {}, column {}: {weight}", region.row + 1, region.column + 1));
    if regions.is_fine.iter().flatten().any(|is_fine| !is_fine) {
        lines.push("  Cells with equal weights in a block of four were covered together.".to_owned());
    }
    lines
}

/// A word or phrase on one line; a long phrase is cut, as JSON has all of it.
fn clipped(phrase: &str) -> String {
    let line = one_line(phrase);
    if line.chars().count() <= LONGEST_PHRASE {
        return line;
    }
    let kept: String = line.chars().take(LONGEST_PHRASE - 1).collect();
    format!("{kept}…")
}

/// "+0.42", "≈+0.42" where the reader gives bounds.
fn signed(weight: f32, is_bound: bool) -> String {
    format!("{}{weight:+.2}", if is_bound { "≈" } else { "" })
}
