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
    /// The labels are in the order of the array's numbers, or of its columns.
    pub task: Task,
    /// A caption is this text plus the names of the labels.
    pub caption_start: String,
    /// Whether the rows are volumes; `None` for a set that is described on the command line.
    pub is_3d: Option<bool>,
    /// What the user should know about the set.
    pub remark: Option<&'static str>,
}

const ORGANS: [&str; 11] = [
    "bladder",
    "femur-left",
    "femur-right",
    "heart",
    "kidney-left",
    "kidney-right",
    "liver",
    "lung-left",
    "lung-right",
    "pancreas",
    "spleen",
];

/// The volumes have another order than the three sets of slices.
const ORGANS_3D: [&str; 11] = [
    "liver",
    "kidney-right",
    "kidney-left",
    "femur-right",
    "femur-left",
    "bladder",
    "heart",
    "lung-right",
    "lung-left",
    "spleen",
    "pancreas",
];

/// The names of all known sets, for messages.
pub(super) const KNOWN_SETS: [&str; 18] = [
    "pathmnist",
    "chestmnist",
    "dermamnist",
    "octmnist",
    "pneumoniamnist",
    "retinamnist",
    "breastmnist",
    "bloodmnist",
    "tissuemnist",
    "organamnist",
    "organcmnist",
    "organsmnist",
    "organmnist3d",
    "nodulemnist3d",
    "adrenalmnist3d",
    "fracturemnist3d",
    "vesselmnist3d",
    "synapsemnist3d",
];

/// The set whose name a file name starts with: `pneumoniamnist.npz`, `breastmnist_224.npz`, `retinamnist (1).npz`.
pub(super) fn known_set(file_stem: &str) -> Option<SetDescription> {
    let end = file_stem.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(file_stem.len());
    let name = file_stem[..end].to_ascii_lowercase();
    let set = match name.as_str() {
        "pneumoniamnist" => choice(
            &name,
            "Does this chest X-ray show pneumonia?",
            &[("No", "normal"), ("Yes", "pneumonia")],
            "chest x-ray, finding: ",
        ),
        "breastmnist" => choice(
            &name,
            "Does this breast ultrasound image show signs of cancer?",
            &[("Yes", "malignant"), ("No", "normal or benign")],
            "breast ultrasound, finding: ",
        ),
        "retinamnist" => choice(
            &name,
            "What is the severity grade of diabetic retinopathy in this fundus photograph, from 0 to 4?",
            &[("0", "grade 0"), ("1", "grade 1"), ("2", "grade 2"), ("3", "grade 3"), ("4", "grade 4")],
            "fundus photograph, diabetic retinopathy: ",
        ),
        "dermamnist" => derma(&name),
        "pathmnist" => numbered(
            &name,
            "Which kind of tissue does this histology image of colorectal cancer show?",
            &[
                "adipose",
                "background",
                "debris",
                "lymphocytes",
                "mucus",
                "smooth muscle",
                "normal colon mucosa",
                "cancer-associated stroma",
                "colorectal adenocarcinoma epithelium",
            ],
            "colorectal histology, tissue: ",
        ),
        "octmnist" => numbered(
            &name,
            "What does this optical coherence tomography image of the retina show?",
            &["choroidal neovascularization", "diabetic macular edema", "drusen", "normal"],
            "retinal OCT, finding: ",
        ),
        "bloodmnist" => numbered(
            &name,
            "Which kind of blood cell does this microscope image show?",
            &[
                "basophil",
                "eosinophil",
                "erythroblast",
                "immature granulocytes(myelocytes, metamyelocytes and promyelocytes)",
                "lymphocyte",
                "monocyte",
                "neutrophil",
                "platelet",
            ],
            "blood cell microscopy, cell: ",
        ),
        "tissuemnist" => numbered(
            &name,
            "Which kind of kidney cell does this microscope image show?",
            &[
                "Collecting Duct, Connecting Tubule",
                "Distal Convoluted Tubule",
                "Glomerular endothelial cells",
                "Interstitial endothelial cells",
                "Leukocytes",
                "Podocytes",
                "Proximal Tubule Segments",
                "Thick Ascending Limb",
            ],
            "kidney cortex microscopy, cell: ",
        ),
        "organamnist" => organs(&name, "axial CT image", &ORGANS),
        "organcmnist" => organs(&name, "coronal CT image", &ORGANS),
        "organsmnist" => organs(&name, "sagittal CT image", &ORGANS),
        "chestmnist" => chest(&name),
        _ => return known_volumes(&name),
    };
    Some(set)
}

fn known_volumes(name: &str) -> Option<SetDescription> {
    let set = match name {
        "organmnist3d" => volumes(organs(name, "CT slice", &ORGANS_3D)),
        "nodulemnist3d" => volumes(choice(
            name,
            "Is the lung nodule in this CT slice malignant?",
            &[("No", "benign"), ("Yes", "malignant")],
            "chest CT, lung nodule: ",
        )),
        "adrenalmnist3d" => volumes(choice(
            name,
            "Does this slice of the shape of an adrenal gland show hyperplasia?",
            &[("No", "normal"), ("Yes", "hyperplasia")],
            "shape of an adrenal gland: ",
        )),
        "fracturemnist3d" => volumes(numbered(
            name,
            "Which kind of rib fracture does this CT slice show?",
            &["buckle rib fracture", "nondisplaced rib fracture", "displaced rib fracture"],
            "chest CT, fracture: ",
        )),
        "vesselmnist3d" => volumes(choice(
            name,
            "Does this slice of the shape of a brain vessel show an aneurysm?",
            &[("No", "vessel"), ("Yes", "aneurysm")],
            "shape of a brain vessel: ",
        )),
        "synapsemnist3d" => volumes(choice(
            name,
            "Is the synapse in this electron microscopy image excitatory?",
            &[("No", "inhibitory synapse"), ("Yes", "excitatory synapse")],
            "electron microscopy, synapse: ",
        )),
        _ => return None,
    };
    Some(set)
}

fn derma(name: &str) -> SetDescription {
    let lesions = [
        "actinic keratoses and intraepithelial carcinoma",
        "basal cell carcinoma",
        "benign keratosis-like lesions",
        "dermatofibroma",
        "melanoma",
        "melanocytic nevi",
        "vascular lesions",
    ];
    let question = "Which type of lesion does this dermatoscopic image show?";
    let remark = "HAM10000 has several images of many lesions, and the file does not say which: expect images of one lesion \
                  in two splits";
    SetDescription {
        licence: Some("CC BY-NC 4.0".into()),
        remark: Some(remark),
        ..numbered(name, question, &lesions, "dermatoscopic image, lesion: ")
    }
}

/// The findings of ChestX-ray14, several at once or none of them.
fn chest(name: &str) -> SetDescription {
    let findings = [
        ("atelectasis", "atelectasis"),
        ("cardiomegaly", "cardiomegaly"),
        ("effusion", "effusion"),
        ("infiltration", "infiltration"),
        ("mass", "mass"),
        ("nodule", "nodule"),
        ("pneumonia", "pneumonia"),
        ("pneumothorax", "pneumothorax"),
        ("consolidation", "consolidation"),
        ("edema", "edema"),
        ("emphysema", "emphysema"),
        ("fibrosis", "fibrosis"),
        ("pleural", "pleural thickening"),
        ("hernia", "hernia"),
    ];
    let mut set = choice(name, "Which findings does this chest X-ray show?", &findings, "chest x-ray, findings: ");
    set.task.kind = TaskKind::MultiLabel;
    set.remark =
        Some("the splits are the official ones of NIH ChestX-ray14, by patient; the file does not name patients");
    set
}

fn organs(name: &str, view: &str, organs: &[&str]) -> SetDescription {
    numbered(name, &format!("Which organ does this {view} show?"), organs, "abdominal CT, organ: ")
}

fn volumes(mut set: SetDescription) -> SetDescription {
    set.is_3d = Some(true);
    if set.name == "nodulemnist3d" {
        set.remark = Some("an early upload of nodulemnist3d had blank volumes; such volumes are left out and counted");
    }
    set
}

/// A set described on the command line: the labels are also the reader's answers. `several` if an image has several labels.
pub(super) fn described_set(
    name: &str,
    labels: &[String],
    question: &str,
    modality: &str,
    several: bool,
) -> SetDescription {
    let labels: Vec<(&str, &str)> = labels.iter().map(|label| (label.as_str(), label.as_str())).collect();
    let plural = if several { "s" } else { "" };
    let mut set = choice(name, question, &labels, &format!("{modality}, finding{plural}: "));
    if several {
        set.task.kind = TaskKind::MultiLabel;
    }
    SetDescription { licence: None, note: None, is_3d: None, ..set }
}

/// A set whose labels (id and name) the reader answers by their ids.
fn choice(name: &str, question: &str, labels: &[(&str, &str)], caption_start: &str) -> SetDescription {
    let labels = labels.iter().map(|(id, name)| Label::new(*id, *name)).collect();
    SetDescription {
        name: name.into(),
        licence: Some("CC BY 4.0".into()),
        note: Some(format!("{name} of MedMNIST (Yang et al., Scientific Data 2023); for research, not for diagnosis")),
        task: Task {
            id: name.into(),
            kind: TaskKind::Classification,
            question: Some(question.into()),
            labels,
            prompt: PromptTemplate::default(),
        },
        caption_start: caption_start.into(),
        is_3d: Some(false),
        remark: None,
    }
}

/// A set whose labels the reader answers by number; the prompt says what the numbers mean.
fn numbered(name: &str, question: &str, labels: &[&str], caption_start: &str) -> SetDescription {
    let numbers: Vec<String> = (0..labels.len()).map(|number| number.to_string()).collect();
    let labels: Vec<(&str, &str)> = numbers.iter().map(String::as_str).zip(labels.iter().copied()).collect();
    let mut set = choice(name, question, &labels, caption_start);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_of_medmnist_is_known_in_every_size() {
        for name in KNOWN_SETS {
            for file in [name.to_owned(), format!("{name}_64"), format!("{name} (1)"), name.to_uppercase()] {
                let set = known_set(&file).unwrap();
                assert_eq!((set.name.as_str(), set.is_3d), (name, Some(name.ends_with("3d"))), "{file}");
                assert_eq!(set.task.kind == TaskKind::MultiLabel, name == "chestmnist");
            }
        }
        assert_eq!(known_set("mnist"), None);
        assert_eq!(known_set("mypathmnist"), None);
    }

    #[test]
    fn the_organs_of_volumes_have_another_order() {
        let name = |set: &str, label: usize| known_set(set).unwrap().task.labels[label].name.clone();
        assert_eq!((name("organamnist", 0), name("organmnist3d", 0)), ("bladder".into(), "liver".into()));
        assert_eq!(
            (name("organsmnist_224", 4), name("organmnist3d_64", 4)),
            ("kidney-left".into(), "femur-left".into())
        );
        assert_eq!(name("tissuemnist", 0), "Collecting Duct, Connecting Tubule");
        assert_eq!(name("bloodmnist", 3), "immature granulocytes(myelocytes, metamyelocytes and promyelocytes)");
    }
}
