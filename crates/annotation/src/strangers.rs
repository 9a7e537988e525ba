//! Unknown ids in the journals: cases that the dataset lacks are left out, categories that the taxonomy lacks count as
//! others.

use super::{AnnotationState, CategoryId, Taxonomy};
use dissent_core::data::Case;
use dissent_core::data::identifier::{likeness, look_alikes};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Ids that a remark lists; it counts the rest.
const NAMED: usize = 3;

/// Remarks on annotated cases that the dataset lacks, categories that the taxonomy lacks, and annotators who are
/// probably one person.
pub fn strangers(state: &AnnotationState, taxonomy: &Taxonomy, cases: &[Case]) -> Vec<String> {
    let mut remarks = Vec::new();
    let known: HashSet<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    let unknown: BTreeSet<&str> = state.cases().into_iter().filter(|case| !known.contains(case)).collect();
    if !unknown.is_empty() {
        let named = named_with_alike(&unknown, &known.into_iter().collect());
        remarks.push(format!("{} annotated cases are not in the dataset and are left out: {named}", unknown.len()));
    }
    let known: BTreeSet<&str> = taxonomy.categories.iter().map(|category| category.id.as_str()).collect();
    let given = state
        .iter()
        .flat_map(|(_, _, annotation)| annotation.categories.iter().chain(annotation.hits.values().flatten()));
    let unknown: BTreeSet<&str> = given.map(CategoryId::as_str).filter(|id| !known.contains(id)).collect();
    if !unknown.is_empty() {
        let named = named_with_alike(&unknown, &known);
        remarks.push(format!("{} categories are not in the taxonomy and count as others: {named}", unknown.len()));
    }
    for (field, texts) in [
        ("ids", taxonomy.categories.iter().map(|category| category.id.as_str()).collect::<Vec<_>>()),
        ("names", taxonomy.categories.iter().map(|category| category.name.as_str()).collect()),
    ] {
        for (one, other) in look_alikes(texts.iter().copied()) {
            remarks.push(format!("the {field} of categories {one:?} and {other:?} differ in case or spelling only"));
        }
        let mut seen = BTreeSet::new();
        for same in texts.iter().filter(|text| !seen.insert(**text)) {
            remarks.push(format!("two categories have {same:?} among their {field}"));
        }
    }
    for (one, other) in look_alikes(state.annotators()) {
        remarks.push(format!("annotators {one:?} and {other:?} differ in case or spelling only; they are two people"));
    }
    remarks
}

/// The first few, each with the known one that it looks like.
fn named_with_alike(unknown: &BTreeSet<&str>, known: &BTreeSet<&str>) -> String {
    let mut by_likeness: BTreeMap<String, &str> = BTreeMap::new();
    for known in known {
        by_likeness.entry(likeness(known)).or_insert(known);
    }
    let shown = |unknown: &&str| match by_likeness.get(&likeness(unknown)) {
        Some(alike) => format!("{unknown:?} (there is {alike:?})"),
        None => format!("{unknown:?}"),
    };
    let mut named: Vec<String> = unknown.iter().take(NAMED).map(shown).collect();
    if unknown.len() > NAMED {
        named.push("…".into());
    }
    named.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::{EventContext, EventKind, Journal};
    use super::*;
    use dissent_core::data::Split;

    #[test]
    fn unknown_cases_categories_and_doubled_people_are_said() {
        let folder = tempfile::tempdir().unwrap();
        let case = Case {
            id: "c0".into(),
            task: "t".into(),
            split: Split::Test,
            image: "a.png".into(),
            question: None,
            answer: "Yes".into(),
            unknown: Vec::new(),
            group: None,
        };
        let say = |annotator: &str, case: &str, category: &str| {
            let mut journal = Journal::open(folder.path(), annotator, "box").unwrap();
            let categories = std::sync::Arc::new(BTreeSet::from([category.into()]));
            journal.append(case, EventKind::Annotate { categories }, EventContext::default()).unwrap();
        };
        let remarks = || {
            let (state, problems) = AnnotationState::read(folder.path()).unwrap();
            assert!(problems.is_empty());
            strangers(&state, &Taxonomy::default(), std::slice::from_ref(&case))
        };
        say("ada", "c0", "look-alike");
        assert_eq!(remarks(), [""; 0]);
        say("bob", "C0", "Look-Alike");
        say("bob", "c7", "other");
        say("Ada", "c0", "other");
        assert_eq!(
            remarks(),
            [
                "2 annotated cases are not in the dataset and are left out: \"C0\" (there is \"c0\"), \"c7\"",
                "1 categories are not in the taxonomy and count as others: \"Look-Alike\" (there is \"look-alike\")",
                "annotators \"Ada\" and \"ada\" differ in case or spelling only; they are two people",
            ]
        );
        let mut taxonomy = Taxonomy::default();
        taxonomy.categories[1].name = taxonomy.categories[0].name.clone();
        taxonomy.categories[3].id = taxonomy.categories[2].id.to_uppercase().into();
        let remarks = strangers(&AnnotationState::default(), &taxonomy, &[]);
        assert_eq!(remarks.len(), 2, "{remarks:?}");
        assert!(remarks[0].starts_with("the ids of categories") && remarks[1].starts_with("two categories have"));
    }
}
