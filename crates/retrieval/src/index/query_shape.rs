//! A parsed query without Tantivy's types, for engines that translate it.

use super::TextIndex;
use tantivy::Term;
use tantivy::query::{BooleanQuery, EmptyQuery, Occur, PhraseQuery, Query, TermQuery};

/// One term of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CaptionTerm {
    /// A stem of the caption.
    Word(String),
    /// The whole value of `id`, `source` or `image`.
    Field {
        name: &'static str,
        value: String,
    },
    Row(u64),
}

/// What a query asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum QueryShape {
    Term(CaptionTerm),
    /// Stems that follow one another.
    Phrase(Vec<String>),
    Group {
        must: Vec<QueryShape>,
        should: Vec<QueryShape>,
        must_not: Vec<QueryShape>,
    },
    Nothing,
    /// Everything, or something that has no name here.
    Anything,
}

impl QueryShape {
    /// The stems that make a caption rank higher, in their order, each once.
    pub fn words(&self) -> Vec<&str> {
        let mut words = Vec::new();
        self.add_words(&mut words);
        words
    }

    fn add_words<'a>(&'a self, words: &mut Vec<&'a str>) {
        let mut add = |word: &'a str| {
            if !words.contains(&word) {
                words.push(word);
            }
        };
        match self {
            Self::Term(CaptionTerm::Word(word)) => add(word),
            Self::Phrase(phrase) => phrase.iter().for_each(|word| add(word)),
            Self::Group { must, should, .. } => must.iter().chain(should).for_each(|inner| inner.add_words(words)),
            Self::Term(_) | Self::Nothing | Self::Anything => {}
        }
    }

    /// Whether every match contains one of [`Self::words`].
    pub fn needs_a_word(&self) -> bool {
        match self {
            Self::Term(CaptionTerm::Word(_)) | Self::Phrase(_) | Self::Nothing => true,
            Self::Term(_) | Self::Anything => false,
            Self::Group { must, should, .. } if must.is_empty() => {
                !should.is_empty() && should.iter().all(Self::needs_a_word)
            }
            Self::Group { must, .. } => must.iter().any(Self::needs_a_word),
        }
    }
}

impl TextIndex {
    /// The shape of a parsed query.
    pub(crate) fn shape(&self, query: &dyn Query) -> QueryShape {
        if let Some(term) = query.downcast_ref::<TermQuery>() {
            return self.term(term.term()).map_or(QueryShape::Anything, QueryShape::Term);
        }
        if let Some(phrase) = query.downcast_ref::<PhraseQuery>() {
            let mut words = Vec::new();
            for term in phrase.phrase_terms() {
                match self.term(&term) {
                    Some(CaptionTerm::Word(word)) => words.push(word),
                    _ => return QueryShape::Anything,
                }
            }
            return QueryShape::Phrase(words);
        }
        if query.downcast_ref::<EmptyQuery>().is_some() {
            return QueryShape::Nothing;
        }
        let Some(group) = query.downcast_ref::<BooleanQuery>() else { return QueryShape::Anything };
        let of = |wanted: Occur| -> Vec<QueryShape> {
            let clauses = group.clauses().iter().filter(|(occur, _)| *occur == wanted);
            clauses.map(|(_, inner)| self.shape(&**inner)).collect()
        };
        QueryShape::Group { must: of(Occur::Must), should: of(Occur::Should), must_not: of(Occur::MustNot) }
    }

    /// A term; `None` if its field is none of those that a query can name.
    pub(crate) fn term(&self, term: &Term) -> Option<CaptionTerm> {
        let (fields, field) = (&self.fields, term.field());
        if field == fields.row {
            return term.value().as_u64().map(CaptionTerm::Row);
        }
        let value = term.value().as_str()?.to_owned();
        if field == fields.caption {
            return Some(CaptionTerm::Word(value));
        }
        let named = [("id", fields.id), ("source", fields.source), ("image", fields.image)];
        let (name, _) = named.into_iter().find(|(_, known)| *known == field)?;
        Some(CaptionTerm::Field { name, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(query: &str) -> QueryShape {
        let index = TextIndex::of_candidates(&[]).unwrap();
        let parsed = index.parse_with(query, false, &Vec::new).unwrap();
        index.shape(&*parsed)
    }

    #[test]
    fn words_are_stems_and_excluded_ones_do_not_rank() {
        let mass = shape("masses \"pleural effusions\" -benign source:us");
        assert_eq!(mass.words(), ["mass", "pleural", "effus"]);
        assert!(!mass.needs_a_word(), "a document of the source needs none of the words: {mass:?}");
        assert!(shape("mass OR left").needs_a_word());
        assert!(shape("+mass source:us").needs_a_word());
        assert!(!shape("*").needs_a_word());
        assert_eq!(shape("row:7"), QueryShape::Term(CaptionTerm::Row(7)));
    }
}
