//! Everyday words for actions, so that help and palette find what a new user asks for: "report" finds the page of the queue.

/// Name of an action in the table, and the words that find it beside those of its sentence.
const WORDS: [(&str, &str); 24] = [
    ("export-queue", "report export save print share send html page results download"),
    ("save-screen", "export print screenshot picture capture"),
    ("save-view", "keep store remember"),
    ("keep-what-if", "save keep store"),
    ("note", "save comment remark text write"),
    ("quit", "exit leave close end stop"),
    ("interrupt", "exit leave stop"),
    ("undo", "back revert mistake take back"),
    ("redo", "again repeat"),
    ("enlarge", "zoom magnify bigger larger"),
    ("full-screen", "zoom magnify bigger larger"),
    ("zoom-in", "enlarge magnify bigger larger"),
    ("compare", "versus runs difference other run"),
    ("swap-caption", "compare counterfactual"),
    ("toggle-gold", "truth correct answer solution reference right"),
    ("keep-gold", "truth correct answer solution reference right"),
    ("definitions", "label labels tag classify errors digits"),
    ("mark", "label select choose bookmark tick"),
    ("label-many", "batch bulk several"),
    ("search", "find look text words"),
    ("search-images", "find look neighbours"),
    ("filter", "find look only subset choose"),
    ("palette", "find jump goto go to case id number action menu"),
    ("overview", "statistics accuracy numbers results"),
];

/// The words of the action with this name; empty if it has none of its own.
pub fn everyday_words(name: &str) -> &'static str {
    WORDS.iter().find(|(known, _)| *known == name).map_or("", |(_, words)| words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::action::bindings;

    #[test]
    fn every_name_is_that_of_an_action() {
        for (name, _) in WORDS {
            assert!(bindings().any(|binding| binding.name == name), "{name}");
        }
    }
}
