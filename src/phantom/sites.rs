//! Two sites where the same signs have different outcomes, on purpose.
//!
//! A model that learnt site A's rule only guesses at site B unless it reads the evidence retrieved there. This makes
//! retrieval necessary in the sample (recipe, §1 and dead end 5), and every place that shows the sample says so.
//! Family `exc 4`: each site has a simple rule over the interior and four exceptions to it.

use super::rng::PhantomRng;
use super::ultrasound::{Entity, Interior, Outcome};

/// Malignant entities at each site.
pub const MALIGNANT_ENTITIES: usize = 6;
/// Share of malignant lesions at each site.
pub const PREVALENCE: f32 = 0.4;
/// Entities that are malignant at both sites. With two of them the sites agree on 8 of 16 entities, so one site's
/// rule tells nothing about the other's.
const MALIGNANT_AT_BOTH: usize = 2;
/// Exceptions to the rule: entities malignant by the rule but benign here, and the reverse.
const SPARED: usize = 3;
const UNEXPECTED: usize = 1;

/// The malignant entities of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutcomeTable {
    malignant: [bool; Entity::COUNT],
}

impl OutcomeTable {
    /// Result of the biopsy of this entity.
    pub fn outcome(&self, entity: Entity) -> Outcome {
        if self.malignant[entity.number()] { Outcome::Malignant } else { Outcome::Benign }
    }

    /// Draws the exceptions to a rule that names the malignant interiors.
    fn draw(rule: [Interior; 2], rng: &mut PhantomRng) -> Self {
        let mut malignant = [false; Entity::COUNT];
        let (mut by_rule, mut others) = (Vec::new(), Vec::new());
        for entity in Entity::all() {
            if rule.contains(&entity.interior) {
                malignant[entity.number()] = true;
                by_rule.push(entity.number());
            } else {
                others.push(entity.number());
            }
        }
        rng.shuffle(&mut by_rule);
        rng.shuffle(&mut others);
        for &number in by_rule.iter().take(SPARED).chain(others.iter().take(UNEXPECTED)) {
            malignant[number] = !malignant[number];
        }
        Self { malignant }
    }
}

/// The outcome tables of both sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sites {
    /// The site where models are trained.
    pub a: OutcomeTable,
    /// The site where models are evaluated.
    pub b: OutcomeTable,
}

impl Sites {
    /// Malignant interiors by the rule of site A.
    pub const RULE_A: [Interior; 2] = [Interior::Homogeneous, Interior::Dotted];
    /// Malignant interiors by the rule of site B.
    pub const RULE_B: [Interior; 2] = [Interior::Dotted, Interior::Septated];

    /// Draws exceptions until the sites share `MALIGNANT_AT_BOTH` malignant entities.
    pub fn draw(rng: &mut PhantomRng) -> Self {
        loop {
            let sites = Self { a: OutcomeTable::draw(Self::RULE_A, rng), b: OutcomeTable::draw(Self::RULE_B, rng) };
            let shared = (0..Entity::COUNT).filter(|&number| sites.a.malignant[number] && sites.b.malignant[number]);
            if shared.count() == MALIGNANT_AT_BOTH {
                return sites;
            }
        }
    }

    /// Entities for `count` lesions, shuffled. Entities that are malignant at either site get the share that makes
    /// the prevalence [`PREVALENCE`] at both; the others share the rest. All shares are close to a sixteenth.
    pub fn entities(&self, count: usize, rng: &mut PhantomRng) -> Vec<Entity> {
        let malignant_share = PREVALENCE / MALIGNANT_ENTITIES as f32;
        let malignant_anywhere = |number: usize| self.a.malignant[number] || self.b.malignant[number];
        let suspects = (0..Entity::COUNT).filter(|&number| malignant_anywhere(number)).count();
        let benign_share = (1.0 - malignant_share * suspects as f32) / (Entity::COUNT - suspects) as f32;
        let mut entities = Vec::with_capacity(count);
        let mut share = 0.0;
        for entity in Entity::all() {
            share += if malignant_anywhere(entity.number()) { malignant_share } else { benign_share };
            let end = (share * count as f32).round() as usize;
            while entities.len() < end.min(count) {
                entities.push(entity);
            }
        }
        rng.shuffle(&mut entities);
        entities
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_site_has_four_exceptions_to_its_rule_and_the_sites_agree_on_half() {
        for seed in 0..50 {
            let sites = Sites::draw(&mut PhantomRng::new(seed, 0));
            let mut agree = 0;
            let mut exceptions = [0; 2];
            let mut malignant = [0; 2];
            for entity in Entity::all() {
                let outcomes = [sites.a.outcome(entity), sites.b.outcome(entity)];
                agree += usize::from(outcomes[0] == outcomes[1]);
                for (site, rule) in [Sites::RULE_A, Sites::RULE_B].into_iter().enumerate() {
                    let is_malignant = outcomes[site] == Outcome::Malignant;
                    malignant[site] += usize::from(is_malignant);
                    exceptions[site] += usize::from(is_malignant != rule.contains(&entity.interior));
                }
            }
            assert_eq!((agree, exceptions, malignant), (8, [4, 4], [6, 6]), "seed {seed}");
        }
    }

    #[test]
    fn prevalence_is_as_said_at_both_sites_and_every_entity_occurs() {
        for seed in 0..20 {
            let mut rng = PhantomRng::new(seed, 1);
            let sites = Sites::draw(&mut rng);
            let entities = sites.entities(600, &mut rng);
            assert_eq!(entities.len(), 600);
            for table in [sites.a, sites.b] {
                let malignant = entities.iter().filter(|&&entity| table.outcome(entity) == Outcome::Malignant).count();
                assert!((236..=244).contains(&malignant), "seed {seed}: {malignant} of 600");
            }
            for entity in Entity::all() {
                let count = entities.iter().filter(|&&other| other == entity).count();
                assert!((30..=42).contains(&count), "seed {seed}: {entity:?} {count} times");
            }
        }
    }
}
