//! The table of a run over many inputs.

use crate::drive::Ran;
use crate::judge::KINDS;
use std::collections::BTreeMap;

/// Results of all inputs, in order.
pub struct Report {
    pub seed: u64,
    pub done: Vec<Ran>,
}

impl Report {
    /// Prints the table; fails where anything is wrong.
    pub fn assert_good(&self) {
        println!("{}", self.table());
        let failed = self.done.iter().filter(|ran| !ran.wrong.is_empty()).count();
        assert!(failed == 0, "{failed} of {} hostile inputs failed; they are in target/hostile", self.done.len());
    }

    fn table(&self) -> String {
        let mut classes: BTreeMap<&str, Vec<&Ran>> = BTreeMap::new();
        for ran in &self.done {
            classes.entry(ran.class).or_default().push(ran);
        }
        let mut lines = vec![format!("{:<16}{:>6}{:>6}{:>6}", "class", "runs", "done", "bad")];
        for (_, heading) in KINDS {
            lines[0].push_str(&format!("{heading:>9}"));
        }
        lines[0].push_str("  longest  first failing input");
        for (class, of_class) in &classes {
            let bad: Vec<&&Ran> = of_class.iter().filter(|ran| !ran.wrong.is_empty()).collect();
            let succeeded = of_class.iter().filter(|ran| ran.succeeded).count();
            let mut line = format!("{class:<16}{:>6}{succeeded:>6}{:>6}", of_class.len(), bad.len());
            for (kind, _) in KINDS {
                let count = bad.iter().filter(|ran| ran.wrong.iter().any(|(found, _)| *found == kind)).count();
                line.push_str(&format!("{count:>9}"));
            }
            let longest = of_class.iter().map(|ran| ran.seconds).fold(0.0, f64::max);
            line.push_str(&format!("{longest:>8.1}s  "));
            if let Some(first) = bad.first() {
                line.push_str(&format!("HOSTILE_SEED={} HOSTILE_ONLY={}", self.seed, first.number));
            }
            lines.push(line);
        }
        for ran in self.done.iter().filter(|ran| !ran.wrong.is_empty()) {
            for (kind, reason) in &ran.wrong {
                lines.push(format!("{} {} {kind:?}: {} ({})", ran.number, ran.class, one_line(reason), ran.what));
            }
        }
        lines.join("\n")
    }
}

/// The beginning of a text without anything that a terminal would do.
pub fn one_line(text: &str) -> String {
    text.chars().take(160).flat_map(char::escape_debug).collect()
}
