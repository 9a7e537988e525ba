//! A caption in words, or in phrases where it has many words.

use std::ops::Range;

/// Maximum number of parts, each of which costs one question to the reader.
pub const MOST_PARTS: usize = 48;

/// The words of a caption as byte ranges, in order; at most `most` of them. A word is what stands between white space, with
/// its punctuation; a letter of a script without spaces (Chinese, Japanese, Korean) is a word of its own. If there are more
/// words than `most`, neighbours are joined to phrases, which end at punctuation where that is possible.
pub fn parts_of(caption: &str, most: usize) -> Vec<Range<usize>> {
    let words = words_of(caption);
    if words.len() <= most {
        return words;
    }
    let clauses = clauses_of(caption, &words);
    let phrases = if clauses.len() > most { merged(clauses, most) } else { split(clauses, most) };
    phrases.into_iter().map(|phrase| words[phrase.start].start..words[phrase.end - 1].end).collect()
}

/// The caption without this part, and without the white space that would be left over.
pub fn without(caption: &str, part: &Range<usize>) -> String {
    let (before, after) = (&caption[..part.start], &caption[part.end..]);
    let rest = after.trim_start();
    if rest.is_empty() { before.trim_end().to_owned() } else { format!("{before}{rest}") }
}

fn words_of(caption: &str) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    // Whether the next letter continues the last word.
    let mut continues = false;
    for (start, letter) in caption.char_indices() {
        let end = start + letter.len_utf8();
        if letter.is_whitespace() {
            continues = false;
        } else if is_word_of_its_own(letter) {
            words.push(start..end);
            continues = true;
        } else if let Some(word) = words.last_mut().filter(|word| continues && joins(caption, word, letter)) {
            word.end = end;
        } else {
            words.push(start..end);
            continues = true;
        }
    }
    words
}

/// Whether the letter belongs to the word before it: always, except that after an ideograph only punctuation does.
fn joins(caption: &str, word: &Range<usize>, letter: char) -> bool {
    let first = caption[word.clone()].chars().next();
    !first.is_some_and(is_word_of_its_own) || !letter.is_alphanumeric()
}

/// Ideographs, kana and Hangul.
fn is_word_of_its_own(letter: char) -> bool {
    let is_east_asian = matches!(u32::from(letter),
        0x2E80..=0x2FDF | 0x3040..=0x30FF | 0x3400..=0x9FFF | 0xAC00..=0xD7AF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF);
    is_east_asian && letter.is_alphanumeric()
}

/// Words from one punctuation mark to the next, as ranges of words.
fn clauses_of(caption: &str, words: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut clauses = Vec::new();
    let mut start = 0;
    for (number, word) in words.iter().enumerate() {
        let ends = caption[word.clone()].ends_with([',', ';', ':', '.', '!', '?', '、', '。', '，', '；']);
        if ends || number + 1 == words.len() {
            clauses.push(start..number + 1);
            start = number + 1;
        }
    }
    clauses
}

/// Joins the two neighbours with the fewest words until at most `most` phrases are left.
fn merged(mut phrases: Vec<Range<usize>>, most: usize) -> Vec<Range<usize>> {
    while phrases.len() > most.max(1) {
        let shortest = (0..phrases.len() - 1).min_by_key(|first| phrases[first + 1].end - phrases[*first].start);
        let Some(first) = shortest else { break };
        phrases[first].end = phrases[first + 1].end;
        phrases.remove(first + 1);
    }
    phrases
}

/// Halves the phrase with the most words until there are `most`.
fn split(mut phrases: Vec<Range<usize>>, most: usize) -> Vec<Range<usize>> {
    while phrases.len() < most {
        let mut longest = 0;
        for (number, phrase) in phrases.iter().enumerate() {
            if phrase.len() > phrases[longest].len() {
                longest = number;
            }
        }
        let phrase = phrases[longest].clone();
        if phrase.len() < 2 {
            break;
        }
        let middle = phrase.start + phrase.len().div_ceil(2);
        phrases[longest] = phrase.start..middle;
        phrases.insert(longest + 1, middle..phrase.end);
    }
    phrases
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(caption: &str, most: usize) -> Vec<&str> {
        parts_of(caption, most).into_iter().map(|part| &caption[part]).collect()
    }

    #[test]
    fn a_short_caption_is_cut_into_words() {
        assert_eq!(texts("  large mass, deep; biopsy benign ", 48), ["large", "mass,", "deep;", "biopsy", "benign"]);
        assert_eq!(texts("", 48), Vec::<&str>::new());
        assert_eq!(texts("胸部、X線 ok", 48), ["胸", "部、", "X", "線", "ok"]);
    }

    #[test]
    fn leaving_a_word_out_leaves_no_double_space() {
        let caption = "large mass, deep";
        let shortened: Vec<String> = parts_of(caption, 48).iter().map(|part| without(caption, part)).collect();
        assert_eq!(shortened, ["mass, deep", "large deep", "large mass,"]);
        assert_eq!(without("benign", &(0..6)), "");
    }

    #[test]
    fn a_long_caption_is_cut_into_phrases_that_end_at_punctuation() {
        let caption = "a large mass in the left lobe, no effusion; heart normal, lungs clear";
        assert_eq!(
            texts(caption, 4),
            ["a large mass in the left lobe,", "no effusion;", "heart normal,", "lungs clear"]
        );
        assert_eq!(
            texts(caption, 5),
            ["a large mass in", "the left lobe,", "no effusion;", "heart normal,", "lungs clear"]
        );
        assert_eq!(texts(caption, 2), ["a large mass in the left lobe,", "no effusion; heart normal, lungs clear"]);
    }

    #[test]
    fn phrases_cover_every_word_once_whatever_the_caption() {
        for count in [1, 47, 48, 49, 200, 1000] {
            let caption: Vec<String> =
                (0..count).map(|number| format!("w{number}{}", if number % 7 == 3 { "," } else { "" })).collect();
            let caption = caption.join(" ");
            for most in [1, 5, 48] {
                let parts = parts_of(&caption, most);
                assert!(parts.len() <= most && parts.len() >= count.min(most).min(2), "{count} words, {}", parts.len());
                let rejoined: Vec<&str> = parts.iter().map(|part| &caption[part.clone()]).collect();
                assert_eq!(rejoined.join(" "), caption);
            }
        }
    }
}
