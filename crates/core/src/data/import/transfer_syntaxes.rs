//! Counts the transfer syntaxes of DICOM files, so that an import tells how many images cannot be decoded.

#[cfg(feature = "dicom")]
use crate::data::dicom::TransferSyntax;
#[cfg(feature = "dicom")]
use crate::files::input_file;
#[cfg(feature = "dicom")]
use std::io::Read;
use std::path::Path;

/// Bytes that are read of each file: the file meta information of most files has less than 1 KiB.
#[cfg(feature = "dicom")]
const START: u64 = 16 << 10;

/// How many files have each syntax.
#[derive(Default)]
pub(super) struct TransferSyntaxes {
    #[cfg(feature = "dicom")]
    counts: std::collections::BTreeMap<Option<TransferSyntax>, (usize, String)>,
}

impl TransferSyntaxes {
    /// Counts a file by its first bytes. A file that cannot be read counts as one without a syntax; `check` says more.
    #[cfg(feature = "dicom")]
    pub fn count(&mut self, path: &Path) {
        let mut start = Vec::new();
        let read = input_file::open(path).and_then(|file| file.take(START).read_to_end(&mut start));
        let syntax = read.ok().and_then(|_| TransferSyntax::of_start(&start));
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.counts.entry(syntax).or_insert((0, name)).0 += 1;
    }

    #[cfg(not(feature = "dicom"))]
    pub fn count(&mut self, _: &Path) {}

    /// A line per syntax.
    #[cfg(feature = "dicom")]
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        for (syntax, (count, first)) in &self.counts {
            remarks.push(match syntax {
                Some(TransferSyntax { identifier, name, is_decoded: true }) => {
                    format!("{count} images are {name} ({identifier})")
                }
                Some(TransferSyntax { identifier, name, is_decoded: false }) => format!(
                    "{count} images are {name} ({identifier}), which cannot be decoded here, the first of them {first}; \
                     `gdcmconv --raw IN OUT` decompresses them"
                ),
                None => {
                    format!("{count} images are not DICOM files with a transfer syntax, the first of them {first}")
                }
            });
        }
        remarks
    }

    #[cfg(not(feature = "dicom"))]
    pub fn remarks(&self) -> Vec<String> {
        vec!["this build cannot decode DICOM images".into()]
    }
}
