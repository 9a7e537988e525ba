//! A caption on one line: which parts are kept where it is cut, and which of its words another caption lacks.
//!
//! ```text
//! large spic… malignant
//! ```

use crate::explain::parts_of;
use std::collections::HashSet;
use std::ops::Range;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

const ELLIPSIS: &str = "…";
/// Fewer columns of the beginning say nothing.
const SHORTEST_BEGINNING: usize = 3;
/// Words that reverse the name after them, so they are kept with it.
const NEGATIONS: [&str; 4] = ["no", "non", "not", "without"];

/// A part of a caption that is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Bytes of the caption.
    Kept(Range<usize>),
    /// What stands for the bytes between.
    Gap(&'static str),
}

/// The caption in at most `width` columns. `names`, byte ranges in order, are kept if there is room for them, and as much as
/// fits of the beginning; a name that stands twice is kept once.
pub fn cut(caption: &str, names: &[Range<usize>], width: usize) -> Vec<Part> {
    if !is_wider(caption, width) {
        return parts_from(caption, caption.len(), &[]);
    }
    let kept = names_that_fit(caption, names, width);
    if kept.is_empty() && !names.is_empty() {
        return cut_name(caption, &with_negation(caption, &names[0]), width);
    }
    let mut parts = parts_from(caption, 0, &kept);
    let mut used = 0;
    for (start, letter) in caption.char_indices() {
        used += letter.width().unwrap_or(0);
        if used > width {
            break;
        }
        let end = start + letter.len_utf8();
        let within_name = kept.iter().any(|name| name.start < end && end < name.end);
        let too_short = used < SHORTEST_BEGINNING && !kept.is_empty();
        // A letter of no width belongs to the one before it.
        let goes_on = caption[end..].chars().next().is_some_and(|next| next.width() == Some(0));
        if within_name || too_short || goes_on {
            continue;
        }
        let longer = parts_from(caption, end, &kept);
        if width_of(caption, &longer) <= width {
            parts = longer;
        }
    }
    if width == 0 { Vec::new() } else { parts }
}

/// The columns that [`cut`] needs to keep the widest of the names, whatever stands around it.
pub fn columns_for(caption: &str, names: &[Range<usize>]) -> usize {
    let whole = caption.width();
    let around = 2 * ELLIPSIS.width();
    let name = names.iter().map(|name| caption[with_negation(caption, name)].width() + around).max();
    name.map_or(0, |columns| columns.min(whole))
}

/// The caption's words in lower case without punctuation.
pub fn words_of(caption: &str) -> HashSet<String> {
    cores_of(caption).map(|word| caption[word].to_lowercase()).collect()
}

/// The text of the parts, divided where words begin or end that `others` lacks; true marks such a word. A word of which only
/// a part is kept is compared as a whole. Without `others` nothing is marked.
pub fn mark<'a>(caption: &'a str, parts: &[Part], others: Option<&HashSet<String>>) -> Vec<(&'a str, bool)> {
    let is_shared =
        |word: &Range<usize>| others.is_none_or(|others| others.contains(&caption[word.clone()].to_lowercase()));
    let mut pieces = Vec::new();
    for part in parts {
        let kept = match part {
            Part::Kept(kept) => kept,
            Part::Gap(gap) => {
                pieces.push((*gap, false));
                continue;
            }
        };
        let mut end = kept.start;
        // A caption may be long, so only what is kept is divided into words, with the rest of the words at its ends.
        let whole_start = caption[..kept.start].rfind(' ').map_or(0, |space| space + 1);
        let whole_end = caption[kept.end..].find(' ').map_or(caption.len(), |space| kept.end + space);
        for word in cores_of(&caption[whole_start..whole_end]) {
            let word = whole_start + word.start..whole_start + word.end;
            if word.end <= kept.start || word.start >= kept.end || is_shared(&word) {
                continue;
            }
            let (start, after) = (word.start.max(kept.start), word.end.min(kept.end));
            pieces.extend([(&caption[end..start], false), (&caption[start..after], true)]);
            end = after;
        }
        pieces.push((&caption[end..kept.end], false));
    }
    pieces.retain(|(piece, _)| !piece.is_empty());
    pieces
}

/// The words of a caption without the punctuation around them.
fn cores_of(caption: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let core = |word: Range<usize>| {
        let text = &caption[word.clone()];
        let separates = |letter: char| !letter.is_alphanumeric();
        let start = word.end - text.trim_start_matches(separates).len();
        start..start + caption[start..word.end].trim_end_matches(separates).len()
    };
    parts_of(caption, usize::MAX).into_iter().map(core).filter(|word| !word.is_empty())
}

fn names_that_fit(caption: &str, names: &[Range<usize>], width: usize) -> Vec<Range<usize>> {
    let mut kept: Vec<Range<usize>> = Vec::new();
    for name in names {
        let negated = with_negation(caption, name);
        // The word before may be a name itself.
        let overlaps = kept.last().is_some_and(|last| negated.start < last.end);
        let name = if overlaps { name.clone() } else { negated };
        if kept.iter().any(|other| caption[other.clone()].eq_ignore_ascii_case(&caption[name.clone()])) {
            continue;
        }
        kept.push(name);
        if width_of(caption, &parts_from(caption, 0, &kept)) > width {
            kept.pop();
        }
    }
    kept
}

/// A name with the word before it if that reverses it.
fn with_negation(caption: &str, name: &Range<usize>) -> Range<usize> {
    let before = caption[..name.start].trim_end_matches([' ', '-']);
    let start = before
        .rfind(|letter: char| !letter.is_alphanumeric())
        .map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8));
    let reverses = NEGATIONS.iter().any(|negation| before[start..].eq_ignore_ascii_case(negation));
    if reverses { start..name.end } else { name.clone() }
}

/// A name that has no room, from its beginning.
fn cut_name(caption: &str, name: &Range<usize>, width: usize) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut used = ELLIPSIS.width();
    if name.start > 0 {
        parts.push(Part::Gap(ELLIPSIS));
        used += ELLIPSIS.width();
    }
    let mut end = name.start;
    for letter in caption[name.clone()].chars() {
        used += letter.width().unwrap_or(0);
        if used > width {
            break;
        }
        end += letter.len_utf8();
    }
    if end == name.start {
        return if width == 0 { Vec::new() } else { vec![Part::Gap(ELLIPSIS)] };
    }
    parts.extend([Part::Kept(name.start..end), Part::Gap(ELLIPSIS)]);
    parts
}

/// The caption up to `beginning`, then the names after it, with gaps for what is left out.
fn parts_from(caption: &str, beginning: usize, names: &[Range<usize>]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut end = 0;
    if beginning > 0 {
        parts.push(Part::Kept(0..beginning));
        end = beginning;
    }
    for name in names.iter().filter(|name| name.start >= beginning) {
        let gap = if parts.is_empty() { ELLIPSIS } else { "… " };
        add(caption, &mut parts, (end, gap), name.clone());
        end = name.end;
    }
    let rest = &caption[end..];
    if is_wider(rest, ELLIPSIS.width()) {
        parts.push(Part::Gap(ELLIPSIS));
    } else if !rest.is_empty() {
        add(caption, &mut parts, (end, ELLIPSIS), end..caption.len());
    }
    parts
}

/// Adds a part that follows after a gap, or with what stands between if that is no wider than the gap.
fn add(caption: &str, parts: &mut Vec<Part>, (end, gap): (usize, &'static str), part: Range<usize>) {
    if is_wider(&caption[end..part.start], gap.width()) {
        parts.extend([Part::Gap(gap), Part::Kept(part)]);
        return;
    }
    match parts.last_mut() {
        Some(Part::Kept(last)) => last.end = part.end,
        _ => parts.push(Part::Kept(end..part.end)),
    }
}

fn width_of(caption: &str, parts: &[Part]) -> usize {
    let width = |part: &Part| match part {
        Part::Kept(range) => caption[range.clone()].width(),
        Part::Gap(gap) => gap.width(),
    };
    parts.iter().map(width).sum()
}

/// Whether the text takes more columns than these; a long text is not read to its end.
fn is_wider(text: &str, columns: usize) -> bool {
    let mut used = 0;
    let overflows = |letter: char| {
        used += letter.width().unwrap_or(0);
        used > columns
    };
    text.chars().any(overflows) || text.width() > columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The caption cut, with these words as names.
    fn cut_to(caption: &str, names: &[&str], width: usize) -> String {
        let mut ranges: Vec<Range<usize>> =
            names.iter().flat_map(|name| caption.match_indices(name)).map(|(at, name)| at..at + name.len()).collect();
        ranges.sort_by_key(|range| range.start);
        shown(caption, &cut(caption, &ranges, width))
    }

    fn shown(caption: &str, parts: &[Part]) -> String {
        let text = |part: &Part| match part {
            Part::Kept(range) => caption[range.clone()].to_owned(),
            Part::Gap(gap) => (*gap).to_owned(),
        };
        parts.iter().map(text).collect()
    }

    const MASS: &str = "large spiculated hollow mass, deep; biopsy malignant";

    #[test]
    fn a_name_is_not_what_is_cut_off() {
        let at = |width| cut_to(MASS, &["malignant"], width);
        assert_eq!(at(52), MASS);
        assert_eq!(at(51), "large spiculated hollow mass, deep; biop… malignant");
        assert_eq!(at(21), "large spic… malignant");
        assert_eq!(at(17), "large … malignant");
        assert_eq!(at(12), "…malignant", "two letters of the beginning say nothing");
        assert_eq!((at(9), at(1), at(0)), ("…maligna…".into(), "…".into(), String::new()));
        let columns = |caption, name| columns_for(caption, std::slice::from_ref(&name));
        assert_eq!((columns(MASS, 43..52), columns("benign", 0..6), columns_for(MASS, &[])), (11, 6, 0));
    }

    #[test]
    fn a_caption_without_names_loses_its_end() {
        assert_eq!(cut_to(MASS, &[], 10), "large spi…");
        assert_eq!((cut_to("mass", &[], 4), cut_to("", &[], 4)), ("mass".into(), String::new()));
    }

    #[test]
    fn several_names_stand_once_each_in_their_order() {
        let film = "An effusion on the left, the effusion of last year, mass, nodule; no pneumonia seen here";
        let names = ["effusion", "mass", "nodule", "pneumonia"];
        assert_eq!(cut_to(film, &names, 44), "An effusion on … mass, nodule; no pneumonia…");
        assert_eq!(cut_to(film, &names, 20), "An effusion o… mass…", "what has no room is left out");
        assert_eq!(cut_to(film, &["pneumonia"], 16), "…no pneumonia…", "a name keeps the word that reverses it");
        assert_eq!(cut_to("mass: no; size: large", &["no", "mass"], 12), "mass: no; s…");
        assert_eq!(cut_to("no mass in either of these", &["no", "mass"], 12), "no mass in …", "both are names");
    }

    #[test]
    fn wide_letters_are_cut_by_columns() {
        let caption = "胸部X線写真、右下肺野に結節影、悪性";
        assert_eq!(cut_to(caption, &["悪性"], 14), "胸部X線… 悪性");
        assert_eq!(cut_to(caption, &["悪性"], 5), "…悪性");
        assert_eq!(cut_to(caption, &["悪性"], 4), "…悪…");
        assert_eq!(cut_to("e\u{301}e\u{301}e\u{301}e\u{301}", &[], 3), "e\u{301}e\u{301}…");
    }

    fn marked(caption: &str, other: &str, width: usize) -> Vec<(String, bool)> {
        let pieces = mark(caption, &cut(caption, &[], width), Some(&words_of(other)));
        pieces.into_iter().map(|(text, differs)| (text.to_owned(), differs)).collect()
    }

    #[test]
    fn words_that_the_other_lacks_are_marked() {
        let pieces = |list: &[(&str, bool)]| -> Vec<(String, bool)> {
            list.iter().map(|(text, differs)| ((*text).to_owned(), *differs)).collect()
        };
        let other = "Large SOLID mass; biopsy: benign.";
        assert_eq!(
            marked("large (hollow) mass, biopsy malignant", other, 40),
            pieces(&[("large (", false), ("hollow", true), (") mass, biopsy ", false), ("malignant", true)])
        );
        assert_eq!(marked("large solid mass.", other, 12), pieces(&[("large solid", false), ("…", false)]));
        assert_eq!(marked("hollow", other, 4), pieces(&[("hol", true), ("…", false)]), "compared as a whole word");
        assert_eq!(marked("右肺結節", "左肺結節", 8), pieces(&[("右", true), ("肺結節", false)]));
        assert_eq!(marked("- ;", other, 8), pieces(&[("- ;", false)]), "punctuation is no word");
    }

    proptest! {
        #[test]
        fn a_cut_caption_fits_and_loses_no_text_to_its_marks(
            words in proptest::collection::vec("[a-e]{1,7}|[悪性胸]{1,3}|e\u{301}|[;, .]{1,3}", 0..12),
            chosen in 0_usize..12,
            width in 0_usize..40,
        ) {
            let caption = words.join(" ");
            let start = words.iter().take(chosen).map(|word| word.len() + 1).sum::<usize>();
            let names: Vec<_> = words.get(chosen).map(|word| start..start + word.len()).into_iter().collect();
            let parts = cut(&caption, &names, width);
            let text = shown(&caption, &parts);
            prop_assert!(text.width() <= width, "{text}");
            if names.first().is_some_and(|name| caption[name.clone()].width() + 2 <= width) {
                prop_assert!(text.contains(&words[chosen]), "{text}");
            }
            let marked: String = mark(&caption, &parts, Some(&words_of("a b 悪"))).into_iter().map(|(piece, _)| piece).collect();
            prop_assert_eq!(marked, text);
        }
    }
}
