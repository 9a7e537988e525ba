//! Filters in Milvus's language.

use super::columns::{GROUP, ID, IMAGE, PROBLEM, ROW, SOURCE, STEMS, server_word};
use crate::index::{CaptionTerm, DocumentFilter, QueryShape, VectorSide};

/// A text as a literal.
pub(super) fn literal(text: &str) -> String {
    // JSON's escapes are a part of Milvus's.
    serde_json::Value::from(text).to_string()
}

/// The documents between two rows, without the second.
pub(super) fn between(start: usize, end: usize) -> String {
    format!("{ROW} >= {start} and {ROW} < {end}")
}

/// The documents in these rows.
pub(super) fn in_rows(rows: &[usize]) -> String {
    let rows: Vec<String> = rows.iter().map(ToString::to_string).collect();
    format!("{ROW} in [{}]", rows.join(", "))
}

/// The clauses of a filter, without its words.
pub(super) fn of_filter(filter: &DocumentFilter) -> Vec<String> {
    let mut clauses = Vec::new();
    let excluded = [(GROUP, &filter.not_group), (IMAGE, &filter.not_image), (ID, &filter.not_id)];
    for (field, value) in excluded {
        clauses.extend(value.as_ref().map(|value| format!("{field} != {}", literal(value))));
    }
    clauses.extend(filter.source.as_ref().map(|source| format!("{SOURCE} == {}", literal(source))));
    clauses
}

/// The clause for vectors of a side that are ones: a document whose image could not be read has a zero in its place.
pub(super) fn with_vector(side: VectorSide) -> Option<String> {
    (side == VectorSide::Image).then(|| format!("{PROBLEM} == \"\""))
}

/// One term.
pub(super) fn of_term(term: &CaptionTerm) -> String {
    match term {
        CaptionTerm::Word(word) => format!("TEXT_MATCH({STEMS}, {})", literal(&server_word(word))),
        CaptionTerm::Field { name, value } => {
            let field = match *name {
                "source" => SOURCE,
                "image" => IMAGE,
                _ => ID,
            };
            format!("{field} == {}", literal(value))
        }
        CaptionTerm::Row(row) => format!("{ROW} == {row}"),
    }
}

/// A filter that every document with a match passes, and perhaps others: phrases become their words, and what has no counterpart
/// is left out. `None` if that is everything.
pub(super) fn covering(query: &QueryShape) -> Option<String> {
    match query {
        QueryShape::Term(term) => Some(of_term(term)),
        QueryShape::Phrase(words) => {
            joined(words.iter().map(|word| Some(of_term(&CaptionTerm::Word(word.clone())))), "and")
        }
        QueryShape::Nothing => Some(format!("{ROW} < 0")),
        QueryShape::Anything => None,
        QueryShape::Group { must, should, must_not } => {
            let mut clauses: Vec<String> = must.iter().filter_map(covering).collect();
            if must.is_empty() {
                // One that is everything makes the whole so.
                let all: Option<Vec<String>> = should.iter().map(covering).collect();
                clauses.extend(all.and_then(|all| joined(all.into_iter().map(Some), "or")));
            }
            // Only what is left out exactly: a caption with the words of an excluded phrase need not have the phrase.
            for excluded in must_not {
                if let QueryShape::Term(term) = excluded {
                    clauses.push(format!("not ({})", of_term(term)));
                }
            }
            joined(clauses.into_iter().map(Some), "and")
        }
    }
}

/// The clauses with a word between them; those that are `None` are left out.
pub(super) fn joined(clauses: impl IntoIterator<Item = Option<String>>, word: &str) -> Option<String> {
    let clauses: Vec<String> = clauses.into_iter().flatten().collect();
    match clauses.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        _ => Some(clauses.iter().map(|clause| format!("({clause})")).collect::<Vec<_>>().join(&format!(" {word} "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> QueryShape {
        QueryShape::Term(CaptionTerm::Word(text.into()))
    }

    #[test]
    fn a_case_never_sees_its_own_group_image_or_id() {
        let filter = DocumentFilter {
            not_group: Some("p\"1\\".into()),
            not_id: Some("c1".into()),
            source: Some("us".into()),
            ..DocumentFilter::default()
        };
        assert_eq!(of_filter(&filter), [r#"group_id != "p\"1\\""#, r#"id != "c1""#, r#"source == "us""#]);
        assert_eq!(of_filter(&DocumentFilter::default()), Vec::<String>::new());
    }

    #[test]
    fn a_covering_filter_lets_every_match_pass() {
        let group = |must: Vec<QueryShape>, should: Vec<QueryShape>, must_not: Vec<QueryShape>| QueryShape::Group {
            must,
            should,
            must_not,
        };
        let phrase = QueryShape::Phrase(vec!["pleural".into(), "effus".into()]);
        assert_eq!(
            covering(&group(vec![word("mass")], vec![word("left")], vec![word("benign"), phrase.clone()])).unwrap(),
            r#"(TEXT_MATCH(stems, "mass")) and (not (TEXT_MATCH(stems, "benign")))"#
        );
        assert_eq!(
            covering(&group(Vec::new(), vec![word("a"), phrase], Vec::new())).unwrap(),
            r#"(TEXT_MATCH(stems, "a")) or ((TEXT_MATCH(stems, "pleural")) and (TEXT_MATCH(stems, "effus")))"#
        );
        assert_eq!(covering(&group(Vec::new(), vec![word("a"), QueryShape::Anything], Vec::new())), None);
    }
}
