//! Importers convert published formats into a dataset directory.

mod biomedica;
mod brset;
mod columns;
mod corpus_text;
mod drawn_split;
mod folder;
mod formats;
mod hf;
mod json_rows;
mod known_table;
mod label_names;
mod label_table;
mod left_out;
mod medmnist;
mod medmnist_arrays;
mod medmnist_sets;
mod merge;
mod mimic_cxr;
mod nih_cxr;
mod npy;
mod options;
mod path_vqa;
mod pmc_oa;
mod record;
mod roco;
mod rocov2;
mod session;
mod slake;
mod slake_caption;
mod slake_pictures;
mod slake_rows;
mod table;
mod transfer_syntaxes;
mod vindr_pcxr;
mod vqa_rad;
mod vqa_rad_caption;
mod vqa_rad_mirror;
mod vqa_rad_rows;

pub use biomedica::{BiomedicaOptions, import_biomedica};
pub use brset::import_brset;
pub use columns::{ColumnMapping, ImageFiles, MappedRows, MissingValue, SplitFile, TaskMapping, split_of_word};
pub use folder::{FolderOptions, import_folder};
pub use formats::{FORMATS, ImportFormat};
pub use hf::{HfOptions, import_hf};
pub use label_names::label_names;
pub use left_out::LeftOut;
pub(crate) use left_out::leave_out;
pub use medmnist::{MedmnistOptions, Slices, import_medmnist};
pub use mimic_cxr::{Labeller, MimicCxrOptions, import_mimic_cxr};
pub use nih_cxr::import_nih_cxr;
pub use options::{ImportOptions, RowsAs, Target};
pub use path_vqa::import_path_vqa;
pub use pmc_oa::import_pmc_oa;
pub use record::{Record, RowPlace, Value};
pub use roco::{RocoOptions, import_roco};
pub use rocov2::import_rocov2;
pub use session::ImportSession;
pub use slake::{SlakeLanguage, SlakeOptions, import_slake};
pub(crate) use table::JsonObjects;
pub use table::{TableOptions, guess_mapping, import_table, shipped_mapping, shipped_names, shipped_text};
pub use vindr_pcxr::import_vindr_pcxr;
pub use vqa_rad::{VqaRadOptions, import_vqa_rad};
pub use vqa_rad_mirror::{import_vqa_rad_mirror, is_vqa_rad_mirror};

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
