//! The MedMNIST sets that are known by file name: label names as their authors define them (Yang et al., Scientific
//! Data 2023), questions in the manner of the reference (docs/method.md, "Data").

use crate::data::{Label, PromptTemplate, Task, TaskKind};

/// The description of a set, besides its arrays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SetDescription {
    /// Name of the set; also the task's id.
    pub name: String,
    pub licence: Option<String>,
    pub note: Option<String>,
    /// The labels are in the order of the array's numbers.
    pub task: Task,
    /// A caption is this text plus the label's name.
    pub caption_start: String,
}

/// The set whose name a file name starts with: `pneumoniamnist.npz`, `breastmnist_224.npz`.
pub(super) fn known_set(file_stem: &str) -> Option<SetDescription> {
    let name = file_stem.split('_').next().unwrap_or(file_stem).to_ascii_lowercase();
    let set = match name.as_str() {
        "pneumoniamnist" => describe(
            &name,
            "CC BY 4.0",
            "Does this chest X-ray show pneumonia?",
            &[("No", "normal"), ("Yes", "pneumonia")],
            "chest x-ray, finding: ",
        ),
        "breastmnist" => describe(
            &name,
            "CC BY 4.0",
            "Does this breast ultrasound image show signs of cancer?",
            &[("Yes", "malignant"), ("No", "normal or benign")],
            "breast ultrasound, finding: ",
        ),
        "retinamnist" => describe(
            &name,
            "CC BY 4.0",
            "What is the severity grade of diabetic retinopathy in this fundus photograph, from 0 to 4?",
            &[("0", "grade 0"), ("1", "grade 1"), ("2", "grade 2"), ("3", "grade 3"), ("4", "grade 4")],
            "fundus photograph, diabetic retinopathy: ",
        ),
        "dermamnist" => with_label_key(describe(
            &name,
            "CC BY-NC 4.0",
            "Which type of lesion does this dermatoscopic image show?",
            &[
                ("0", "actinic keratoses and intraepithelial carcinoma"),
                ("1", "basal cell carcinoma"),
                ("2", "benign keratosis-like lesions"),
                ("3", "dermatofibroma"),
                ("4", "melanoma"),
                ("5", "melanocytic nevi"),
                ("6", "vascular lesions"),
            ],
            "dermatoscopic image, lesion: ",
        )),
        _ => return None,
    };
    Some(set)
}

/// A set described on the command line: the labels are also the reader's answers.
pub(super) fn described_set(name: &str, labels: &[String], question: &str, modality: &str) -> SetDescription {
    let labels: Vec<(&str, &str)> = labels.iter().map(|label| (label.as_str(), label.as_str())).collect();
    let set = describe(name, "", question, &labels, &format!("{modality}, finding: "));
    SetDescription { licence: None, note: None, ..set }
}

fn describe(name: &str, licence: &str, question: &str, labels: &[(&str, &str)], caption_start: &str) -> SetDescription {
    let labels = labels.iter().map(|(id, name)| Label::new(*id, *name)).collect();
    SetDescription {
        name: name.into(),
        licence: Some(licence.into()),
        note: Some(format!("{name} of MedMNIST (Yang et al., Scientific Data 2023); for research, not for diagnosis")),
        task: Task {
            id: name.into(),
            kind: TaskKind::Classification,
            question: Some(question.into()),
            labels,
            prompt: PromptTemplate::default(),
        },
        caption_start: caption_start.into(),
    }
}

fn with_label_key(mut set: SetDescription) -> SetDescription {
    add_label_key(&mut set.task);
    set
}

/// Puts the meaning of the digits in front of the question, as the reference code does for skin lesions.
pub(super) fn add_label_key(task: &mut Task) {
    let mut key = String::from("Answer with one of these numbers:\n");
    for label in &task.labels {
        key.push_str(&format!("{} - '{}'\n", label.id, label.name));
    }
    let slot = format!("{key}{{question}}");
    let prompt = &mut task.prompt;
    prompt.with_document = prompt.with_document.replace("{question}", &slot);
    prompt.closed_book = prompt.closed_book.replace("{question}", &slot);
}
