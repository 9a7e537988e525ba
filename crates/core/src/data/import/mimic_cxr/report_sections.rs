//! The findings and the impression of a report of MIMIC-CXR. The rules are those of MIT-LCP's `txt/section_parser.py`, without
//! its list of about 50 reports that were parted by hand.

/// Headings that are the impression, besides those that contain the word; with the misspellings of the release.
const IMPRESSIONS: [&str; 10] = [
    "conclusion",
    "impresson",
    "imprression",
    "imoression",
    "impressoin",
    "imprssion",
    "impresion",
    "imperssion",
    "mpression",
    "impession",
];

/// Headings that are the findings, besides those that contain the word.
const FINDINGS: [&str; 7] = ["finding", "findins", "findindgs", "findgings", "findngs", "findnings", "finidngs"];

/// Words of headings that describe the whole study, such as `CHEST, PA AND LATERAL`: findings follow.
const VIEWS: [&str; 18] = [
    "chest",
    "portable",
    "pa and lateral",
    "lateral and pa",
    "ap and lateral",
    "lateral and ap",
    "frontal and",
    "two views",
    "frontal view",
    "pa view",
    "ap view",
    "one view",
    "lateral view",
    "bone window",
    "frontal upright",
    "frontal semi-upright",
    "ribs",
    "pa and lat",
];

/// Underscores of a line that parts an addendum or a wet read from the report below.
const SHORTEST_RULE: usize = 10;

/// Lines of a report begin with a space, so this is an empty one.
const EMPTY_LINE: &str = "\n \n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Findings,
    Impression,
    Other,
}

/// The caption of a report: its findings, then its impression, in one line; if it has neither, the paragraphs after the first
/// empty line of its last section. `None` if there is no such text.
///
/// Addenda and wet reads stand above the report and are used only if the report itself has neither section.
pub(super) fn caption_of(report: &str) -> Option<String> {
    let parts = parts_of(&report.replace("\r\n", "\n"));
    let from_sections = parts.iter().rev().find_map(|part| {
        let sections = sections_of(part);
        let last = |kind: Kind| sections.iter().rev().find(|(known, _)| *known == kind).map(|(_, text)| *text);
        let texts: Vec<&str> = [last(Kind::Findings), last(Kind::Impression)].into_iter().flatten().collect();
        in_one_line(&texts.join(" "))
    });
    from_sections.or_else(|| {
        let sections = parts.last().map(|part| sections_of(part)).unwrap_or_default();
        let (_, text) = sections.last()?;
        in_one_line(text.split_once(EMPTY_LINE)?.1)
    })
}

fn in_one_line(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The texts between lines of underscores; each begins with a line end, so that its first line can be a heading.
fn parts_of(report: &str) -> Vec<String> {
    let mut parts = vec![String::from("\n")];
    for line in report.split_inclusive('\n') {
        let rule = line.trim();
        if rule.len() >= SHORTEST_RULE && rule.bytes().all(|byte| byte == b'_') {
            parts.push(String::from("\n"));
        } else if let Some(part) = parts.last_mut() {
            part.push_str(line);
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// The sections in order, without empty findings and impressions. The text before the first heading is one, too.
fn sections_of(report: &str) -> Vec<(Kind, &str)> {
    let mut sections = Vec::new();
    let mut heading = find_heading(report, 0);
    let first = heading.as_ref().map_or(report.len(), |heading| heading.line);
    sections.push((Kind::Other, &report[..first]));
    while let Some(Heading { kind, text, .. }) = heading {
        // The line after `CHEST, PA AND LATERAL:` may be a heading with the text, so the search goes on after a line end.
        let from = report[text..].find('\n').map_or(text, |end| text + end);
        heading = find_heading(report, from);
        let end = heading.as_ref().map_or(report.len(), |next| next.line).max(text);
        sections.push((kind, &report[text..end]));
    }
    sections.retain(|(kind, text)| *kind == Kind::Other || !text.trim().is_empty());
    sections
}

/// A heading in a report, as offsets in bytes.
struct Heading {
    kind: Kind,
    /// The end of the line before.
    line: usize,
    /// Where its text begins.
    text: usize,
}

/// The next heading: a line that begins with a space, capitals, and a colon before a blank; the regular expression
/// `\n ([A-Z ()/,-]+):\s`.
fn find_heading(report: &str, from: usize) -> Option<Heading> {
    let mut at = from;
    while let Some(found) = report[at..].find("\n ") {
        let line = at + found;
        let name_start = line + 2;
        let is_name = |byte: u8| byte.is_ascii_uppercase() || b" ()/,-".contains(&byte);
        let length = report[name_start..].bytes().take_while(|byte| is_name(*byte)).count();
        let rest = &report[name_start + length..];
        let mut after = rest.chars();
        if length > 0
            && after.next() == Some(':')
            && let Some(blank) = after.next().filter(|letter| letter.is_whitespace())
        {
            let kind = kind_of(&report[name_start..name_start + length]);
            return Some(Heading { kind, line, text: name_start + length + 1 + blank.len_utf8() });
        }
        at = line + 1;
    }
    None
}

fn kind_of(name: &str) -> Kind {
    let name = name.trim().to_lowercase();
    let contains = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if contains(&["impression"]) || IMPRESSIONS.contains(&name.as_str()) {
        Kind::Impression
    } else if contains(&["findings"]) || FINDINGS.contains(&name.as_str()) {
        Kind::Findings
    } else if contains(&["history", "comparison", "addendum"]) {
        Kind::Other
    } else if contains(&VIEWS) {
        Kind::Findings
    } else {
        Kind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "                                 FINAL REPORT\n";

    #[test]
    fn findings_come_before_the_impression_in_one_line() {
        let report = format!(
            "{HEAD} EXAMINATION:  CHEST (PA AND LAT)\n \n INDICATION:  ___F with cough  // pneumonia\n \n COMPARISON:  ___.\n \n \
             FINDINGS: \n \n There is no focal\n consolidation.\n \n IMPRESSION: \n \n No acute process.\n"
        );
        assert_eq!(caption_of(&report).unwrap(), "There is no focal consolidation. No acute process.");
        assert_eq!(caption_of(&report.replace('\n', "\r\n")).unwrap(), caption_of(&report).unwrap());
    }

    #[test]
    fn headings_of_the_release_are_known_in_every_spelling() {
        for (heading, expected) in [
            ("CONCLUSION", Kind::Impression),
            ("FINDINGS AND IMPRESSION", Kind::Impression),
            ("IMPRESSON", Kind::Impression),
            ("FINIDNGS", Kind::Findings),
            ("CHEST, TWO VIEWS", Kind::Findings),
            ("AP VIEW OF THE CHEST", Kind::Findings),
            ("CHEST RADIOGRAPHS COMPARISON", Kind::Other),
            ("CLINICAL HISTORY", Kind::Other),
            ("INDICATION", Kind::Other),
        ] {
            assert_eq!(kind_of(heading), expected, "{heading}");
        }
    }

    #[test]
    fn empty_sections_do_not_count_and_the_last_of_a_kind_does() {
        let report = format!("{HEAD} FINDINGS:\n \n IMPRESSION:  First.\n \n IMPRESSION:  Second.\n");
        assert_eq!(caption_of(&report).unwrap(), "Second.");
        // The heading that follows at once belongs to the text of the first, whose line it continues.
        let report = format!("{HEAD} CHEST, PA AND LATERAL:\n \n FINDINGS:  Clear lungs.\n");
        assert_eq!(caption_of(&report).unwrap(), "Clear lungs.");
    }

    #[test]
    fn without_both_it_is_what_follows_the_first_empty_line_of_the_last_section() {
        let report = format!("{HEAD} HISTORY:  Cough.\n \n The heart is normal.\n \n The lungs are clear.\n");
        assert_eq!(caption_of(&report).unwrap(), "The heart is normal. The lungs are clear.");
        assert_eq!(caption_of(" Single frontal view.\n \n No change.\n").unwrap(), "No change.");
        assert_eq!(caption_of(&format!("{HEAD} HISTORY:  Cough.\n")), None);
        assert_eq!(caption_of(""), None);
        assert_eq!(caption_of(" \n \n \n"), None);
    }

    #[test]
    fn addenda_above_the_report_are_not_its_text() {
        let rule = format!(" {}\n", "_".repeat(78));
        let report = format!(
            "{HEAD} ADDENDUM  The impression:\n IMPRESSION:  Addendum.\n \n{rule}{HEAD} IMPRESSION:  Report.\n"
        );
        assert_eq!(caption_of(&report).unwrap(), "Report.");
        let report = format!(" WET READ: ___\n \n FINDINGS:  Wet read.\n{rule}{HEAD} HISTORY:  Cough.\n");
        assert_eq!(caption_of(&report).unwrap(), "Wet read.");
        assert_eq!(caption_of(" FINDINGS:  Seen by Dr. ___ at ___.\n").unwrap(), "Seen by Dr. ___ at ___.");
    }

    #[test]
    fn a_heading_is_in_capitals_on_a_line_of_its_own() {
        let report = format!("{HEAD} IMPRESSION:  1. Seen on AP: no change. Findings: none.\n Compared TO:x\n");
        assert_eq!(caption_of(&report).unwrap(), "1. Seen on AP: no change. Findings: none. Compared TO:x");
    }
}
