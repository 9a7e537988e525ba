//! Lets events share equal sets of categories and equal definitions. A tree with one entry takes a whole node (0.5 KB
//! for definitions, 0.3 KB for categories), and a million events have only a handful of different ones.

use super::category_id::{CategoryId, GivenDefinitions};
use super::event::{Event, EventKind};
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;
use std::hash::Hash;
use std::sync::Arc;

/// The sets and maps seen so far.
#[derive(Default)]
pub(super) struct Interner {
    categories: FxHashSet<Arc<BTreeSet<CategoryId>>>,
    definitions: FxHashSet<Arc<GivenDefinitions>>,
}

impl Interner {
    /// Lets the event share its categories and definitions with earlier events that have equal ones.
    pub fn intern(&mut self, event: &mut Event) {
        share(&mut self.definitions, &mut event.context.definitions);
        match &mut event.kind {
            EventKind::Annotate { categories }
            | EventKind::Hit { categories, .. }
            | EventKind::Decide { categories, .. } => {
                share(&mut self.categories, categories);
            }
            _ => {}
        }
    }
}

fn share<T: Eq + Hash>(known: &mut FxHashSet<Arc<T>>, value: &mut Arc<T>) {
    match known.get(value) {
        Some(same) => *value = Arc::clone(same),
        None => drop(known.insert(Arc::clone(value))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{EventContext, Taxonomy};
    use super::*;
    use time::OffsetDateTime;
    use uuid::Uuid;

    #[test]
    fn equal_definitions_and_categories_are_kept_once() {
        let taxonomy = Taxonomy::default();
        let event = |category: &str| Event {
            v: 2,
            id: Uuid::nil(),
            ts: OffsetDateTime::UNIX_EPOCH,
            annotator: "ada".into(),
            host: "box".into(),
            case: "c1".into(),
            kind: EventKind::annotate(category),
            context: EventContext {
                definitions: taxonomy.definitions_of(&[category.into()]).into(),
                ..EventContext::default()
            },
        };
        let mut interner = Interner::default();
        let mut events = [event("look-alike"), event("other"), event("look-alike")];
        let before = events.clone();
        for event in &mut events {
            interner.intern(event);
        }
        assert_eq!(events, before);
        let [first, other, again] = &events;
        let is_shared = |one: &Event, other: &Event| {
            let of_sets = one.kind.categories().zip(other.kind.categories());
            let of_maps = Arc::ptr_eq(&one.context.definitions, &other.context.definitions);
            (of_sets.is_some_and(|(one, other)| std::ptr::eq(one, other)), of_maps)
        };
        assert_eq!((is_shared(first, again), is_shared(first, other)), ((true, true), (false, false)));
    }
}
