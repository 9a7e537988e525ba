//! A table of ratings: each annotator's answer per unit.

use std::collections::{HashMap, HashSet};

/// Units × annotators: each place is missing or holds an answer, which is a set of categories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ratings {
    pub annotators: Vec<String>,
    /// Names of the categories; answers hold their positions.
    pub categories: Vec<String>,
    answers: Vec<Vec<usize>>,
    positions: HashMap<Vec<usize>, usize>,
    /// One row per unit, one place per annotator: the position of the answer.
    units: Vec<Vec<Option<usize>>>,
    /// Number of the group of each unit; units of one group (a patient's cases) are not independent.
    groups: Vec<usize>,
}

impl Ratings {
    /// A table without units.
    pub fn new(annotators: Vec<String>, categories: Vec<String>) -> Self {
        Self { annotators, categories, ..Self::default() }
    }

    /// Adds a unit, with one place per annotator; the order and repetition of categories within a set do not matter.
    pub fn push(&mut self, said: Vec<Option<Vec<usize>>>) {
        self.push_of_group(said, self.units.len());
    }

    /// Like [`Ratings::push`], for a unit of this group: intervals draw whole groups if two units share one.
    pub fn push_of_group(&mut self, said: Vec<Option<Vec<usize>>>, group: usize) {
        debug_assert_eq!(said.len(), self.annotators.len());
        let unit = said.into_iter().map(|set| set.map(|set| self.position_of(set))).collect();
        self.units.push(unit);
        self.groups.push(group);
    }

    /// The different answers that were given, each a set of categories in ascending order.
    pub fn answers(&self) -> &[Vec<usize>] {
        &self.answers
    }

    /// One row per unit, one place per annotator: the position in [`Ratings::answers`].
    pub fn units(&self) -> &[Vec<Option<usize>>] {
        &self.units
    }

    /// The groups of the units that pass, in order; `None` if no two of all units share one.
    pub(super) fn groups_of(&self, passes: impl Fn(&[Option<usize>]) -> bool) -> Option<Vec<usize>> {
        if !self.has_groups() {
            return None;
        }
        let groups = self.units.iter().zip(&self.groups).filter(|(unit, _)| passes(unit));
        Some(groups.map(|(_, group)| *group).collect())
    }

    /// Whether two units share a group.
    pub fn has_groups(&self) -> bool {
        let mut seen = HashSet::new();
        !self.groups.iter().all(|group| seen.insert(group))
    }

    /// The table with these units only.
    #[must_use]
    pub(crate) fn of_units(&self, units: impl Iterator<Item = usize> + Clone) -> Self {
        Self {
            units: units.clone().map(|unit| self.units[unit].clone()).collect(),
            groups: units.map(|unit| self.groups[unit]).collect(),
            ..self.clone()
        }
    }

    /// The ratings reduced to whether an answer has the category: answers are the empty set and the category alone.
    #[must_use]
    pub fn one_against_rest(&self, category: usize) -> Self {
        let has_it: Vec<usize> = self.answers.iter().map(|answer| usize::from(answer.contains(&category))).collect();
        let with = |said: &Option<usize>| said.map(|answer| has_it[answer]);
        Self {
            annotators: self.annotators.clone(),
            categories: self.categories.clone(),
            answers: vec![Vec::new(), vec![category]],
            positions: HashMap::from([(Vec::new(), 0), (vec![category], 1)]),
            units: self.units.iter().map(|unit| unit.iter().map(with).collect()).collect(),
            groups: self.groups.clone(),
        }
    }

    /// Number of units with answers by two annotators or more.
    pub fn shared(&self) -> usize {
        self.units.iter().filter(|unit| unit.iter().flatten().count() > 1).count()
    }

    /// Number of annotators with an answer.
    pub(crate) fn active_annotators(&self) -> usize {
        (0..self.annotators.len()).filter(|annotator| self.units.iter().any(|unit| unit[*annotator].is_some())).count()
    }

    /// Name such as "look-alike + other", or "none" for the empty set.
    pub fn name_of(&self, answer: usize) -> String {
        let names: Vec<&str> =
            self.answers[answer].iter().map(|category| self.categories[*category].as_str()).collect();
        if names.is_empty() { "none".into() } else { names.join(" + ") }
    }

    fn position_of(&mut self, mut set: Vec<usize>) -> usize {
        set.sort_unstable();
        set.dedup();
        if let Some(known) = self.positions.get(&set) {
            return *known;
        }
        self.answers.push(set.clone());
        self.positions.insert(set, self.answers.len() - 1);
        self.answers.len() - 1
    }
}
