//! Pairs of a query and one reference case, which teach a reader to use evidence that matches (recipe, P4, P4b).
//!
//! The outcome shown is random, so only the reference case can tell the answer. If the reference shows another
//! entity, nothing tells it, and the gold answer is a coin that leans to `No`.

use super::folder::{Item, Pair, numbered_image};
use super::settings::Pool;
use crate::data::{Case, Document, Split};
use crate::phantom::encode::Effort;
use crate::phantom::rng::PhantomRng;
use crate::phantom::subject::Subject;
use crate::phantom::tasks::{GRADE, MALIGNANCY, yes_or_no};
use crate::phantom::ultrasound::{Entity, Interior, Margin, Outcome};
use crate::phantom::wording::Wording;
use crate::phantom::{fundus, ultrasound};
use anyhow::Result;

/// Share of pairs with the same entity (or the same grade), and share of pairs with one sign in common. The rest is
/// random.
const SAME_ENTITY: f32 = 0.4;
const ONE_SIGN_SHARED: f32 = 0.3;

/// The two phantoms of a pair and the questions about them.
struct Drawn {
    query: Subject,
    reference: Subject,
    caption: String,
    /// Task and gold answer of each question.
    asked: Vec<(&'static str, &'static str)>,
}

/// The pair of this number: two images, a document, and the cases asked about them.
pub fn evidence_item(pool: &Pool, index: usize, split: Split, rng: &mut PhantomRng) -> Result<Item> {
    let drawn = match Subject::draw(pool.fundus_share, rng) {
        Subject::Ultrasound(query) => ultrasound_pair(pool, query, index, rng),
        Subject::Fundus(query) => fundus_pair(query, rng),
    };
    let (query_image, reference_image) = (numbered_image("q", index), numbered_image("d", index));
    let mut item = Item::default();
    item.images.push((query_image.clone(), drawn.query.png(Effort::Quick, rng)?));
    item.images.push((reference_image.clone(), drawn.reference.png(Effort::Quick, rng)?));
    let document = format!("d{index:06}");
    for (task, answer) in drawn.asked {
        let id = format!("q{index:06}-{task}");
        item.pairs.push(Pair { case: id.clone(), document: document.clone() });
        item.cases.push(Case {
            id,
            task: task.into(),
            split,
            image: query_image.clone().into(),
            question: None,
            answer: answer.into(),
            unknown: Vec::new(),
            group: None,
        });
    }
    item.documents.push(Document {
        id: document,
        image: reference_image.into(),
        caption: drawn.caption,
        source: Some(drawn.reference.source().into()),
        group: None,
    });
    Ok(item)
}

fn ultrasound_pair(pool: &Pool, query: ultrasound::Attributes, index: usize, rng: &mut PhantomRng) -> Drawn {
    let entity = reference_entity(query.entity, rng);
    let reference = ultrasound::Attributes::draw(entity, rng);
    let malignant_shown = rng.chance(pool.shown_malignant);
    let outcome = if malignant_shown { Outcome::Malignant } else { Outcome::Benign };
    let malignant = if entity == query.entity { malignant_shown } else { !rng.chance(pool.default_no) };
    let same = if index.is_multiple_of(2) {
        ("same-margin", yes_or_no(entity.margin == query.entity.margin))
    } else {
        ("same-interior", yes_or_no(entity.interior == query.entity.interior))
    };
    Drawn {
        query: Subject::Ultrasound(query),
        reference: Subject::Ultrasound(reference),
        caption: ultrasound::caption(&reference, &Wording::CORPUS, Some(outcome), rng),
        asked: vec![(MALIGNANCY, yes_or_no(malignant)), same],
    }
}

fn reference_entity(query: Entity, rng: &mut PhantomRng) -> Entity {
    let kind = rng.unit();
    if kind < SAME_ENTITY {
        return query;
    }
    if kind >= SAME_ENTITY + ONE_SIGN_SHARED {
        return Entity::draw(rng);
    }
    // Replace one sign by one of its three other values.
    let other = rng.count(1, 3);
    if rng.chance(0.5) {
        Entity { margin: Margin::ALL[(query.margin as usize + other) % Margin::ALL.len()], ..query }
    } else {
        Entity { interior: Interior::ALL[(query.interior as usize + other) % Interior::ALL.len()], ..query }
    }
}

/// The reference has its own grade; its caption helps only if the two retinas look alike.
fn fundus_pair(query: fundus::Attributes, rng: &mut PhantomRng) -> Drawn {
    let grade = if rng.chance(SAME_ENTITY) { query.grade } else { fundus::Grade::draw(rng) };
    let reference = fundus::Attributes::draw(grade, rng);
    Drawn {
        query: Subject::Fundus(query),
        reference: Subject::Fundus(reference),
        caption: fundus::caption(&reference, &Wording::CORPUS, true, rng),
        asked: vec![(GRADE, query.grade.word()), ("same-grade", yes_or_no(grade == query.grade))],
    }
}
