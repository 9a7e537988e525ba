//! Fits text into columns.

use super::super::theme::{Role, Theme};
use crate::run::{Prediction, Provenance};
use crate::text::printable::one_line;
use ratatui::text::Span;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The text in at most `width` columns, safe to print; a cut text ends in an ellipsis.
pub fn fit(text: &str, width: usize) -> String {
    let clean = one_line(text);
    if clean.width() <= width {
        return clean;
    }
    let mut kept = String::new();
    let mut used = 0;
    for character in clean.chars() {
        let columns = character.width().unwrap_or(0);
        if used + columns + 1 > width {
            break;
        }
        kept.push(character);
        used += columns;
    }
    if width > 0 {
        kept.push('…');
    }
    kept
}

/// Like [`fit`], but keeps the end, where ids often differ.
pub fn fit_end(text: &str, width: usize) -> String {
    let text = one_line(text);
    if text.width() <= width {
        return text;
    }
    let mut kept: Vec<char> = Vec::new();
    let mut used = 1;
    for character in text.chars().rev() {
        let columns = character.width().unwrap_or(0);
        if used + columns > width {
            break;
        }
        kept.push(character);
        used += columns;
    }
    let tail: String = kept.into_iter().rev().collect();
    if width == 0 { String::new() } else { format!("…{tail}") }
}

/// Like [`fit`], but cuts in the middle, because the end of a message often names the file or the key.
pub fn fit_middle(text: &str, width: usize) -> String {
    let text = one_line(text);
    if text.width() <= width {
        return text;
    }
    let head = width / 2;
    let kept = fit(&text, head);
    let kept = kept.trim_end_matches('…');
    format!("{kept}{}", fit_end(&text, width - kept.width()))
}

/// Spans that take at most `width` columns in all.
pub fn fit_spans(spans: Vec<Span<'static>>, width: usize) -> Vec<Span<'static>> {
    let mut left = width;
    let mut kept = Vec::new();
    for span in spans {
        let fitted = fit(&span.content, left);
        left -= fitted.width().min(left);
        kept.push(Span::styled(fitted, span.style));
    }
    kept
}

/// The text in exactly `width` columns.
pub fn column(text: &str, width: usize) -> String {
    let fitted = fit(text, width);
    let rest = width.saturating_sub(fitted.width());
    format!("{fitted}{}", " ".repeat(rest))
}

/// Breaks text into lines of at most `width` columns, at spaces where possible.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in one_line(text).split_whitespace() {
        let needed = if line.is_empty() { word.width() } else { line.width() + 1 + word.width() };
        if needed > width && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for character in word.chars() {
            if line.width() + character.width().unwrap_or(0) > width && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line.push(character);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Like [`wrap`], but in at most `rows` lines, the last ending in an ellipsis if text is left over.
pub fn wrap_into(text: &str, width: usize, rows: usize) -> Vec<String> {
    let mut lines = wrap(text, width);
    if lines.len() > rows {
        lines.truncate(rows);
        if let Some(last) = lines.last_mut() {
            *last = fit(&format!("{last} …"), width.max(1));
            if !last.ends_with('…') {
                last.push('…');
            }
        }
    }
    lines
}

/// A probability bar of `width` columns, in half columns.
pub fn bar(theme: &Theme, probability: Option<f32>, width: usize) -> [Span<'static>; 2] {
    let share = probability.filter(|value| value.is_finite()).map_or(0.0, |value| value.clamp(0.0, 1.0));
    let halves = (share * width as f32 * 2.0).round() as usize;
    let (whole, half) = (halves / 2, halves % 2);
    let filled = format!("{}{}", "━".repeat(whole), if half == 1 { "╸" } else { "" });
    let rest = "─".repeat(width.saturating_sub(whole + half));
    [Span::styled(filled, theme.style(Role::Bar)), Span::styled(rest, theme.style(Role::BarRest))]
}

/// A probability in four columns.
pub fn probability(value: Option<f32>) -> String {
    match value {
        Some(value) if value.is_finite() => format!("{value:.2}"),
        // Also four columns: software of an imported run may not write log-probabilities.
        _ => "  ? ".to_owned(),
    }
}

/// The 95 % interval of a share of sampled answers, such as "0.23-0.88"; empty if the probability is no such share.
pub fn interval(prediction: &Prediction) -> String {
    prediction.interval().map_or_else(String::new, |(low, high)| format!("{low:.2}-{high:.2}"))
}

/// A retriever's score, or `?` if the run has none.
pub fn score(value: Option<f32>) -> String {
    value.map_or_else(|| "?".to_owned(), |value| format!("{value:.3}"))
}

/// A score in at most five columns, so that a large one keeps off the next column: `0.912`, `12.38`, `123.4`, `1234`.
pub fn score_column(value: Option<f32>) -> String {
    let Some(value) = value else { return "?".to_owned() };
    let width = |text: &String| text.len() <= 5;
    (0..=3).rev().map(|digits| format!("{value:.digits$}")).find(width).unwrap_or_else(|| format!("{value:.0e}"))
}

/// A push in at most five columns: `+0.27`, `-12.3`, `+123`.
pub fn push_column(value: f32) -> String {
    let width = |text: &String| text.len() <= 5;
    (0..=2).rev().map(|digits| format!("{value:+.digits$}")).find(width).unwrap_or_else(|| format!("{value:+.0e}"))
}

/// How a head found a document, such as "image #2 0.893".
pub fn provenance(found: &Provenance) -> String {
    format!("{} #{} {}", found.head, found.rank, score(found.score))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_text_ends_in_an_ellipsis() {
        assert_eq!(
            (fit("hypoechoic", 6).as_str(), fit("mass", 6).as_str(), fit("mass", 0).as_str()),
            ("hypoe…", "mass", "")
        );
        assert_eq!(fit_end("us-test-0012", 6), "…-0012");
        assert_eq!(fit_middle("saved /home/ada/us-0012-1.svg", 20), "saved /ho…0012-1.svg");
        assert_eq!((fit_middle("a long one", 1).as_str(), fit_middle("short", 5).as_str()), ("…", "short"));
        assert_eq!(fit("two\nlines", 20), "two lines");
        assert_eq!(fit("超音波検査", 5), "超音…");
        assert_eq!(column("a", 3), "a  ");
    }

    #[test]
    fn figures_stay_within_their_columns() {
        let scores = [0.9124, -0.9124, 12.377, 123.45, 1234.5, 123_456.0, 1e30, f32::NAN, f32::INFINITY];
        for score in scores.iter().flat_map(|score| [*score, -score]) {
            assert!(score_column(Some(score)).len() <= 5, "{}", score_column(Some(score)));
            assert!(push_column(score).len() <= 5, "{}", push_column(score));
        }
        assert_eq!((score_column(Some(12.377)), push_column(-12.377)), ("12.38".into(), "-12.4".into()));
    }

    #[test]
    fn text_wraps_at_spaces_and_long_words_break() {
        assert_eq!(wrap("a round mass", 7), ["a round", "mass"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap_into("one two three four", 5, 2), ["one", "two …"]);
        assert!(wrap("", 5).is_empty());
    }

    #[test]
    fn a_bar_is_as_wide_as_told_whatever_the_number() {
        let theme = Theme::load("monochrome").unwrap();
        for value in [0.0, 0.05, 0.5, 0.97, 1.0, 7.0, -1.0, f32::NAN] {
            let width: usize = bar(&theme, Some(value), 8).iter().map(Span::width).sum();
            assert_eq!(width, 8, "{value}");
        }
    }
}
