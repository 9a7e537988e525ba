//! The assignment of cases to annotators. Every annotator's machine computes the same one without a server.

use anyhow::{Result, bail, ensure};
use dissent_core::files::fingerprint::Fingerprint;
use std::collections::{HashMap, HashSet};

/// The annotators and the number of cases they share. The same plan over the same cases gives the same assignment on
/// every machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// In alphabetical order, each once.
    annotators: Vec<String>,
    /// Annotators per case.
    overlap: usize,
    seed: u64,
    /// Cases that everybody gets, first and in the same order.
    calibration: usize,
}

/// The result of a plan for some cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    pub plan: Plan,
    /// By place in the list of cases: positions in the plan's annotators, ascending.
    pub of_case: Vec<Vec<usize>>,
    /// Places of the calibration round, in its order.
    pub calibration: Vec<usize>,
}

impl Plan {
    /// # Errors
    /// Fails if a name appears twice or cannot be a file name, or if the overlap is not between 1 and the number of
    /// annotators.
    pub fn new(annotators: &[String], overlap: usize, seed: u64, calibration: usize) -> Result<Self> {
        ensure!(!annotators.is_empty(), "expected at least one annotator");
        let mut sorted = annotators.to_vec();
        sorted.sort();
        for pair in sorted.windows(2) {
            if pair[0] == pair[1] {
                bail!("annotator {} is named twice", pair[0]);
            }
        }
        for name in &sorted {
            super::names::check_annotator(name)?;
        }
        ensure!(
            (1..=sorted.len()).contains(&overlap),
            "expected an overlap between 1 and {}, the number of annotators; found {overlap}",
            sorted.len()
        );
        Ok(Self { annotators: sorted, overlap, seed, calibration })
    }

    /// In alphabetical order.
    pub fn annotators(&self) -> &[String] {
        &self.annotators
    }

    pub fn overlap(&self) -> usize {
        self.overlap
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Assigns each case to its annotators. The loads of any two annotators differ by one case at most, and those who
    /// share cases change, so that every pair can be compared. Cases are taken in the order given: ones that are added
    /// at the end later leave the assignment of the others as it is (the calibration round, which is drawn from all,
    /// may change).
    pub fn assign(&self, cases: &[&str]) -> Assignment {
        let calibration = self.draw_calibration(cases);
        let is_calibration: HashSet<usize> = calibration.iter().copied().collect();
        let count = self.annotators.len();
        let mut loads = vec![0_usize; count];
        let mut shared = vec![vec![0_usize; count]; count];
        let mut of_case = Vec::with_capacity(cases.len());
        for (place, case) in cases.iter().enumerate() {
            if is_calibration.contains(&place) {
                of_case.push((0..count).collect());
                continue;
            }
            let chosen = self.choose(case, &loads, &shared);
            for annotator in &chosen {
                loads[*annotator] += 1;
                for other in chosen.iter().filter(|other| *other != annotator) {
                    shared[*annotator][*other] += 1;
                }
            }
            of_case.push(chosen);
        }
        Assignment { plan: self.clone(), of_case, calibration }
    }

    /// Chooses annotators one by one: the one with the smallest load, then the one who has shared least with those
    /// chosen already, then by the case's draw.
    fn choose(&self, case: &str, loads: &[usize], shared: &[Vec<usize>]) -> Vec<usize> {
        let draws: Vec<u64> = self.annotators.iter().map(|name| self.draw(&["who", case, name])).collect();
        let mut chosen: Vec<usize> = Vec::with_capacity(self.overlap);
        while chosen.len() < self.overlap {
            let rest = (0..loads.len()).filter(|annotator| !chosen.contains(annotator));
            let key = |annotator: &usize| {
                let together: usize = chosen.iter().map(|other| shared[*annotator][*other]).sum();
                (loads[*annotator], together, draws[*annotator])
            };
            let Some(next) = rest.min_by_key(key) else { break };
            chosen.push(next);
        }
        chosen.sort_unstable();
        chosen
    }

    /// Cases drawn by the seed from all of them.
    fn draw_calibration(&self, cases: &[&str]) -> Vec<usize> {
        if self.calibration == 0 {
            return Vec::new();
        }
        let mut places: Vec<(u64, usize)> =
            cases.iter().enumerate().map(|(place, case)| (self.draw(&["calibration", case]), place)).collect();
        places.sort_unstable();
        places.into_iter().take(self.calibration).map(|(_, place)| place).collect()
    }

    /// A number determined by the seed and these words.
    fn draw(&self, words: &[&str]) -> u64 {
        let seed = self.seed.to_string();
        let print = Fingerprint::of_parts(std::iter::once(seed.as_str()).chain(words.iter().copied()));
        u64::from_str_radix(print.as_str(), 16).unwrap_or_default()
    }
}

impl Assignment {
    /// The places of one annotator's cases: the calibration round first, then the others in the order of the list.
    ///
    /// # Errors
    /// Fails if the plan does not name the annotator.
    pub fn queue_of(&self, annotator: &str) -> Result<Vec<usize>> {
        let names = &self.plan.annotators;
        let Some(position) = names.iter().position(|name| name == annotator) else {
            bail!("{annotator} is not among the annotators of the plan: {}", names.join(", "));
        };
        let is_calibration: HashSet<usize> = self.calibration.iter().copied().collect();
        let mut queue = self.calibration.clone();
        let others = self.of_case.iter().enumerate().filter(|(place, _)| !is_calibration.contains(place));
        queue.extend(others.filter(|(_, who)| who.contains(&position)).map(|(place, _)| place));
        Ok(queue)
    }

    /// Number of cases that each two annotators share, including the calibration round; keyed by their positions, the
    /// smaller first.
    pub fn shared(&self) -> HashMap<(usize, usize), usize> {
        let mut shared = HashMap::new();
        for who in &self.of_case {
            for (index, one) in who.iter().enumerate() {
                for other in &who[index + 1..] {
                    *shared.entry((*one, *other)).or_default() += 1;
                }
            }
        }
        shared
    }

    /// Fingerprint of plan and cases: people with the same fingerprint have the same assignment.
    pub fn fingerprint(&self, cases: &[&str]) -> Fingerprint {
        let plan = &self.plan;
        let numbers = [plan.overlap as u64, plan.seed, self.calibration.len() as u64].map(|number| number.to_string());
        let parts = numbers.iter().chain(&plan.annotators).map(String::as_str);
        Fingerprint::of_parts(parts.chain(std::iter::once("of")).chain(cases.iter().copied()))
    }
}
