//! Importers convert published formats into a dataset directory.

#[cfg(feature = "import")]
mod brset;
mod columns;
mod drawn_split;
mod json_rows;
mod label_names;
#[cfg(feature = "import")]
mod label_table;
mod left_out;
mod medmnist;
mod medmnist_arrays;
mod medmnist_sets;
mod merge;
mod nih_cxr;
mod npy;
mod options;
mod record;
mod session;
mod slake;
mod slake_caption;
mod slake_pictures;
mod slake_rows;
#[cfg(feature = "import")]
mod transfer_syntaxes;
#[cfg(feature = "import")]
mod vindr_pcxr;
mod vqa_rad;
mod vqa_rad_caption;
mod vqa_rad_rows;

#[cfg(feature = "import")]
pub use brset::import_brset;
pub use columns::{ColumnMapping, ImageFiles, MappedRows, MissingValue, TaskMapping, split_of_word};
pub use label_names::label_names;
pub use left_out::LeftOut;
pub use medmnist::{MedmnistOptions, Slices, import_medmnist};
pub use nih_cxr::import_nih_cxr;
pub use options::{ImportOptions, RowsAs, Target};
pub use record::{Record, RowPlace, Value};
pub use session::ImportSession;
pub use slake::{SlakeLanguage, SlakeOptions, import_slake};
#[cfg(feature = "import")]
pub use vindr_pcxr::import_vindr_pcxr;
pub use vqa_rad::{VqaRadOptions, import_vqa_rad};

use super::Summary;

/// Maximum size in bytes of a copied image file; an uncompressed whole-body image has 100 MB.
const LONGEST_IMAGE: u64 = 512 << 20;

/// Receives the number of finished and of all items.
pub type ProgressReport<'a> = &'a dyn Fn(usize, usize);

/// A finished import.
#[derive(Debug)]
pub struct Imported {
    /// What came in.
    pub summary: Summary,
    /// Rows of the source that did not come in.
    pub left_out: Vec<LeftOut>,
    /// Remarks for the user: images shared between splits, splits that were drawn.
    pub remarks: Vec<String>,
}

/// One line of `dissent import --list`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ImportFormat {
    pub name: &'static str,
    /// Description of SOURCE.
    pub source: &'static str,
    /// Description of the result.
    pub result: &'static str,
}

/// Every format that can be imported.
pub const FORMATS: [ImportFormat; 7] = [
    ImportFormat {
        name: "medmnist",
        source: "an npz file of MedMNIST or MedMNIST+ in any size: {train,val,test}_{images,labels}; the 18 sets are known by \
                 file name, others need --labels and --question (medmnist.com; CC BY 4.0, dermamnist CC BY-NC 4.0)",
        result: "every image a case; the training split is also the corpus, captioned with its label names",
    },
    ImportFormat {
        name: "vqa-rad",
        source: "the folder of VQA-RAD as released on OSF: one JSON file and one folder of images",
        result: "closed yes/no questions as cases, with --open-questions also open ones; training images as the corpus, captioned with their answers",
    },
    ImportFormat {
        name: "slake",
        source: "the folder Slake1.0 of the release, or the Hugging Face copy BoKelvin/SLAKE: train.json, validate.json or \
                 validation.json, test.json, and imgs or imgs.zip (CC BY 4.0)",
        result: "yes/no questions, choices and open questions as cases of a task each; --language en, zh or both; training \
                 pictures as the corpus, captioned with their answers",
    },
    ImportFormat {
        name: "brset",
        source: "the folder of BRSET: labels_brset.csv (or labels.csv) and fundus_photos (physionet.org, project \
                 brazilian-ophthalmological; credentialed access, do not redistribute)",
        result: "every image a case with its diseases, several or none, split by patient; --grades adds the ICDR grade; \
                 training images as the corpus, captioned with their diseases",
    },
    ImportFormat {
        name: "vindr-pcxr",
        source: "the folder of VinDr-PCXR: image_labels_train.csv, image_labels_test.csv, train and test with .dicom files \
                 (physionet.org, project vindr-pcxr; restricted access, do not redistribute)",
        result: "every image a case with its diagnoses, several or none; 1 in 10 training images for validation; training \
                 images as the corpus, captioned with their diagnoses",
    },
    ImportFormat {
        name: "nih-cxr",
        source: "a folder of NIH ChestX-ray8 images, one folder per finding, files named PATIENT_….jpg or .png",
        result: "every image a case, split by patient; training images are also the corpus, captioned with the finding",
    },
    ImportFormat {
        name: "predictions",
        source: "a per-candidate prediction file of JOMED's evaluation (…-step-N.jsonl)",
        result: "its cases and retrieved documents as a dataset, its predictions as a run that can be explored without a model",
    },
];
