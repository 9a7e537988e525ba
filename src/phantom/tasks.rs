//! The questions about phantoms.

use super::{fundus, ultrasound};
use crate::data::{Label, PromptTemplate, Task, TaskKind};

/// Id of the main ultrasound task.
pub const MALIGNANCY: &str = "malignancy";
/// Id of the fundus task.
pub const GRADE: &str = "grade";

/// Asks whether the lesion is malignant (Yes or No); the right answer depends on the site.
pub fn malignancy_task() -> Task {
    let mut task = yes_no_task(MALIGNANCY, "Is the lesion malignant?");
    for (label, words) in task.labels.iter_mut().zip(["malignant", "benign"]) {
        label.named_as = vec![words.into()];
    }
    task
}

/// Grade 0 to 4 of the retinopathy.
pub fn grade_task() -> Task {
    let label = |grade: &fundus::Grade| Label {
        id: grade.word().into(),
        name: format!("grade {}: {}", grade.word(), grade.findings()),
        named_as: vec![format!("grade {}", grade.word())],
    };
    Task {
        id: GRADE.into(),
        kind: TaskKind::Classification,
        question: Some("What is the grade of retinopathy?".into()),
        labels: fundus::Grade::ALL.iter().map(label).collect(),
        prompt: PromptTemplate::default(),
    }
}

/// A closed question; the answers are `Yes` and `No`.
pub fn yes_no_task(id: &str, question: &str) -> Task {
    word_task(id, question, &["Yes", "No"], TaskKind::ClosedVqa)
}

/// A question whose answers are these words.
pub fn word_task(id: &str, question: &str, words: &[&str], kind: TaskKind) -> Task {
    Task {
        id: id.into(),
        kind,
        question: Some(question.into()),
        labels: words.iter().map(|word| Label::new(*word, *word)).collect(),
        prompt: PromptTemplate::default(),
    }
}

/// `Yes` or `No`.
pub fn yes_or_no(yes: bool) -> &'static str {
    if yes { "Yes" } else { "No" }
}

/// A question about one attribute of a phantom.
pub struct AttributeQuestion<A> {
    /// Task id.
    pub id: &'static str,
    pub question: &'static str,
    pub words: &'static [&'static str],
    /// The right word.
    pub answer: fn(&A) -> &'static str,
}

/// Questions about an ultrasound phantom; the two signs come first.
pub const ULTRASOUND_QUESTIONS: [AttributeQuestion<ultrasound::Attributes>; 9] = [
    AttributeQuestion {
        id: "margin",
        question: "What is the margin?",
        words: ultrasound::Margin::WORDS,
        answer: |shown| shown.entity.margin.word(),
    },
    AttributeQuestion {
        id: "interior",
        question: "What is the interior?",
        words: ultrasound::Interior::WORDS,
        answer: |shown| shown.entity.interior.word(),
    },
    AttributeQuestion {
        id: "gain",
        question: "What is the gain?",
        words: ultrasound::Gain::WORDS,
        answer: |shown| shown.gain.word(),
    },
    AttributeQuestion {
        id: "probe",
        question: "What is the probe?",
        words: ultrasound::ProbeShape::WORDS,
        answer: |shown| shown.probe.word(),
    },
    AttributeQuestion {
        id: "tissue",
        question: "What is the tissue?",
        words: ultrasound::Tissue::WORDS,
        answer: |shown| shown.tissue.word(),
    },
    AttributeQuestion {
        id: "side",
        question: "What is the side?",
        words: ultrasound::Side::WORDS,
        answer: |shown| shown.side.word(),
    },
    AttributeQuestion {
        id: "depth",
        question: "What is the depth?",
        words: ultrasound::Depth::WORDS,
        answer: |shown| shown.depth.word(),
    },
    AttributeQuestion {
        id: "size",
        question: "What is the size?",
        words: ultrasound::Size::WORDS,
        answer: |shown| shown.size.word(),
    },
    AttributeQuestion {
        id: "posterior",
        question: "What is behind the lesion?",
        words: ultrasound::Posterior::WORDS,
        answer: |shown| shown.posterior.word(),
    },
];

/// Questions about the nuisances of a fundus phantom; [`grade_task`] asks about its sign.
pub const FUNDUS_QUESTIONS: [AttributeQuestion<fundus::Attributes>; 4] = [
    AttributeQuestion {
        id: "eye",
        question: "Which eye is it?",
        words: fundus::EyeSide::WORDS,
        answer: |shown| shown.eye.word(),
    },
    AttributeQuestion {
        id: "illumination",
        question: "What is the illumination?",
        words: fundus::Illumination::WORDS,
        answer: |shown| shown.illumination.word(),
    },
    AttributeQuestion {
        id: "tint",
        question: "What is the tint?",
        words: fundus::Tint::WORDS,
        answer: |shown| shown.tint.word(),
    },
    AttributeQuestion {
        id: "focus",
        question: "What is the focus?",
        words: fundus::Focus::WORDS,
        answer: |shown| shown.focus.word(),
    },
];

/// All questions about attributes as tasks, including [`grade_task`].
pub fn attribute_tasks() -> Vec<Task> {
    let ultrasound = ULTRASOUND_QUESTIONS
        .iter()
        .map(|asked| word_task(asked.id, asked.question, asked.words, TaskKind::Classification));
    let fundus =
        FUNDUS_QUESTIONS.iter().map(|asked| word_task(asked.id, asked.question, asked.words, TaskKind::Classification));
    ultrasound.chain([grade_task()]).chain(fundus).collect()
}
