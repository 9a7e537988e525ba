//! A caption on one line of the terminal: clipped to its columns, with matching words highlighted, safe to print.

use crate::text::printable::letters;
use std::ops::Range;
use unicode_width::UnicodeWidthChar;

const MARK: &str = "\x1b[1;4m";
const UNMARK: &str = "\x1b[0m";
/// Columns shown before the first match if the start of the caption is cut.
const LEAD: usize = 12;

/// At most `columns` columns of `caption`; with `marked`, the byte ranges `highlights` are bold and underlined. The
/// first match is always in view.
pub(super) fn caption_line(caption: &str, highlights: &[Range<usize>], columns: usize, marked: bool) -> String {
    let shown: Vec<(usize, char)> = letters(caption).collect();
    let width = |letters: &[(usize, char)]| letters.iter().filter_map(|(_, letter)| letter.width()).sum::<usize>();
    let first_match = highlights.first().map_or(0, |range| range.end);
    let until_match = shown.partition_point(|(start, _)| *start < first_match);
    let mut skipped = 0;
    if width(&shown) > columns && width(&shown[..until_match]) + 1 > columns {
        let match_start =
            shown.partition_point(|(start, _)| highlights.first().is_some_and(|range| *start < range.start));
        skipped = match_start.saturating_sub(LEAD.min(columns / 4));
        // Columns that stay empty at the end show more before the match.
        while skipped > 0 && width(&shown[skipped - 1..]) < columns {
            skipped -= 1;
        }
    }
    let mut line = String::new();
    let mut used = 0;
    if skipped > 0 {
        line.push('…');
        used = 1;
    }
    let rest = &shown[skipped..];
    let cut = used + width(rest) > columns;
    let room = if cut { columns.saturating_sub(1) } else { columns };
    let mut inside = false;
    for (start, letter) in rest {
        let letter_width = letter.width().unwrap_or(0);
        if used + letter_width > room {
            break;
        }
        let matching = marked && highlights.iter().any(|range| range.contains(start));
        if matching != inside {
            line.push_str(if matching { MARK } else { UNMARK });
            inside = matching;
        }
        line.push(*letter);
        used += letter_width;
    }
    if inside {
        line.push_str(UNMARK);
    }
    if cut {
        line.push('…');
    }
    line
}

#[cfg(test)]
// A list of one range is one highlight here, not a range of numbers.
#[allow(clippy::single_range_in_vec_init)]
mod tests {
    use super::*;

    #[test]
    fn a_short_caption_is_whole_and_marked() {
        assert_eq!(caption_line("no effusion", &[3..11], 80, false), "no effusion");
        assert_eq!(caption_line("no effusion seen", &[3..11], 80, true), "no \x1b[1;4meffusion\x1b[0m seen");
    }

    #[test]
    fn a_long_caption_is_clipped_by_columns() {
        assert_eq!(caption_line("abcdefgh", &[], 8, false), "abcdefgh");
        assert_eq!(caption_line("abcdefgh", &[], 5, false), "abcd…");
        // Each character takes two columns.
        assert_eq!(caption_line("胸部胸部", &[], 5, false), "胸部…");
    }

    #[test]
    fn the_first_match_is_in_view() {
        let caption = format!("{}effusion and more", "x ".repeat(40));
        let line = |columns| caption_line(&caption, &[80..88, 93..97], columns, false);
        assert_eq!(line(24), "…x x x effusion and more");
        let at_the_end = caption_line(&caption[..88], &[80..88], 24, false);
        assert_eq!(at_the_end, "… x x x x x x x effusion", "no column is wasted");
        assert_eq!(line(22), "… x x effusion and mo…");
    }

    #[test]
    fn a_caption_cannot_send_escape_sequences() {
        assert_eq!(caption_line("a\x1b[2Jb\nc", &[], 80, false), "a␛[2Jb c");
    }
}
