//! Class-balanced sampling within a task (docs/method.md, "Class balance"). The reference cuts every class to the size
//! of the smallest one; here smaller classes are repeated instead, so no case is lost.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Returns `items` in random order, with each class repeated to the size of the largest class of its task. `class_of`
/// returns the task and the label of an item.
pub fn balanced(items: &[usize], class_of: impl Fn(usize) -> (usize, usize), random: &mut ChaCha8Rng) -> Vec<usize> {
    let mut classes: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for &item in items {
        classes.entry(class_of(item)).or_default().push(item);
    }
    let mut largest: BTreeMap<usize, usize> = BTreeMap::new();
    for ((task, _), members) in &classes {
        let size = largest.entry(*task).or_default();
        *size = members.len().max(*size);
    }
    let mut chosen = Vec::new();
    for ((task, _), mut members) in classes {
        members.shuffle(random);
        chosen.extend(members.iter().cycle().take(largest[&task]));
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn small_classes_are_repeated_and_tasks_keep_their_size() {
        // Task 0 has four items of label 0 and one of label 1. Task 1 has two of label 0.
        let classes = [(0, 0), (0, 0), (0, 0), (0, 0), (0, 1), (1, 0), (1, 0)];
        let items: Vec<usize> = (0..classes.len()).collect();
        let chosen = balanced(&items, |item| classes[item], &mut ChaCha8Rng::seed_from_u64(1));
        let count = |wanted| chosen.iter().filter(|&&item| classes[item] == wanted).count();
        assert_eq!((count((0, 0)), count((0, 1)), count((1, 0))), (4, 4, 2));
        assert!(items.iter().all(|item| chosen.contains(item)));
    }
}
