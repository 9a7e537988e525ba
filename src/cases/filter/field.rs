//! The fields of a filter.

use crate::cases::comparison::WhoIsRight;

/// A field of the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    Task,
    Split,
    Label,
    Answer,
    Verdict,
    Fused,
    ClosedBook,
    Oracle,
    Retrieval,
    RescuedBy,
    RuinedBy,
    Mine,
    People,
    Final,
    Seen,
    Against,
    Head,
    Source,
    Group,
    Id,
    Entropy,
    Disagreement,
    Confidence,
}

/// Type of a field's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One of these words.
    Words(&'static [&'static str]),
    /// A rank from 1, or `any`.
    Rank,
    /// A name from the dataset: task, label or source.
    Name,
    /// A number, compared with `>` or `<`.
    Number,
}

/// A field with its name in a filter, its values and its meaning.
pub struct Row {
    pub field: Field,
    pub name: &'static str,
    pub kind: Kind,
    pub meaning: &'static str,
}

const fn row(field: Field, name: &'static str, kind: Kind, meaning: &'static str) -> Row {
    Row { field, name, kind, meaning }
}

const RIGHT_OR_WRONG: Kind = Kind::Words(&["right", "wrong"]);
/// Value for cases whose fused answers differ between the two runs.
pub const FLIPPED: &str = "flipped";
const AGAINST: &[&str] =
    &[WhoIsRight::Both.word(), WhoIsRight::OnlyA.word(), WhoIsRight::OnlyB.word(), WhoIsRight::Neither.word(), FLIPPED];

/// All fields, in the order of completion and help.
pub const FIELDS: &[Row] = &[
    row(
        Field::Verdict,
        "verdict",
        Kind::Words(&["consistent", "inconsistent", "unread", "failed"]),
        "whether the answers of the case agree",
    ),
    row(Field::Fused, "fused", RIGHT_OR_WRONG, "whether the fused answer is right"),
    row(Field::ClosedBook, "closed-book", RIGHT_OR_WRONG, "whether the answer without documents is right"),
    row(Field::Oracle, "oracle", RIGHT_OR_WRONG, "whether at least one hit alone gives the right answer"),
    row(
        Field::Retrieval,
        "retrieval",
        Kind::Words(&["ruined", "rescued", "same"]),
        "whether the hits ruined or rescued the closed-book answer",
    ),
    row(Field::RescuedBy, "rescued-by", Kind::Rank, "the fused answer is wrong, the hit of this rank right"),
    row(Field::RuinedBy, "ruined-by", Kind::Rank, "the fused answer is right, the hit of this rank wrong"),
    row(Field::Against, "against", Kind::Words(AGAINST), "who is right, this run (a) or the other (b)"),
    row(
        Field::Mine,
        "mine",
        Kind::Words(&["none", "any", "skipped", "note", "unsure", "flagged", "hit", "stale"]),
        "your annotation, or a category's key; none: not labelled yet (a note or a hit's label alone is no label of the \
         case); any: labelled or skipped; stale: made on other answers or under another definition",
    ),
    row(
        Field::People,
        "people",
        Kind::Words(&["disputed", "agreed", "single", "decided", "outdated", "open"]),
        "where the annotators agree or differ; outdated: annotated again since the decision",
    ),
    row(
        Field::Final,
        "final",
        Kind::Words(&["none", "any", "gone"]),
        "key of a final category; none: decided that no category applies; any: has a final annotation; gone: has a \
         category that the taxonomy no longer contains",
    ),
    row(Field::Seen, "seen", Kind::Words(&["yes", "no"]), "whether you opened the case"),
    row(Field::Task, "task", Kind::Name, "id of the task"),
    row(Field::Label, "label", Kind::Name, "gold label"),
    row(Field::Answer, "answer", Kind::Name, "label of the fused answer"),
    row(Field::Split, "split", Kind::Words(&["train", "validation", "test"]), "split of the dataset"),
    row(
        Field::Head,
        "head",
        Kind::Name,
        "at least one hit was found by this head: image, caption, lexical, person, random, or the tag of given hits",
    ),
    row(Field::Source, "source", Kind::Name, "source of a retrieved document"),
    row(Field::Group, "group", Kind::Name, "patient or study"),
    row(Field::Id, "id", Kind::Name, "a part of the case's id"),
    row(Field::Entropy, "entropy", Kind::Number, "how evenly the answers split, in bits: entropy:>0.5"),
    row(Field::Disagreement, "disagreement", Kind::Number, "share of pairs of answers that differ"),
    row(Field::Confidence, "confidence", Kind::Number, "probability of the fused answer"),
];

impl Field {
    /// Whether the field reveals something of the gold answer.
    pub fn depends_on_gold(self) -> bool {
        matches!(
            self,
            Self::Fused
                | Self::ClosedBook
                | Self::Oracle
                | Self::Retrieval
                | Self::RescuedBy
                | Self::RuinedBy
                | Self::Against
                | Self::Label
        )
    }

    /// The field's row of the table; every field has one.
    pub fn row(self) -> &'static Row {
        FIELDS.iter().find(|row| row.field == self).unwrap_or(&FIELDS[0])
    }

    /// Whether the field depends on the models' answers.
    pub fn depends_on_answers(self) -> bool {
        !matches!(
            self,
            Self::Task
                | Self::Split
                | Self::Label
                | Self::Group
                | Self::Id
                | Self::Mine
                | Self::People
                | Self::Final
                | Self::Seen
        )
    }

    /// Whether the field also takes the key of a category.
    pub fn takes_keys(self) -> bool {
        matches!(self, Self::Mine | Self::Final)
    }
}

/// The row with this name.
pub fn named(name: &str) -> Option<&'static Row> {
    FIELDS.iter().find(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_by_its_name() {
        for row in FIELDS {
            assert_eq!(named(row.name).map(|found| found.field), Some(row.field));
            assert_eq!(row.field.row().name, row.name);
        }
    }
}
