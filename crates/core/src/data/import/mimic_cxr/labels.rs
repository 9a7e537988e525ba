//! What the cases are made of: the labels of CheXpert or NegBio for all studies, and of a radiologist for some of the test split.

use super::tables::{FINDINGS, Mention, Mentions, StudyId, find_table, read_labels, read_radiologist_labels};
use super::{FORMAT, Labeller, MimicCxrOptions};
use crate::data::{Label, LabelIndex, PromptTemplate, Split, Task, TaskKind};
use anyhow::{Result, bail};
use rustc_hash::{FxHashMap, FxHashSet};
use std::path::Path;

/// The labels of each study.
pub(super) struct Labels {
    by_study: FxHashMap<StudyId, Mentions>,
    labeller: Labeller,
    radiologist: Option<Radiologist>,
    pub task: Task,
    unmentioned_is_no: bool,
}

/// The labels of a radiologist, by the number of the study, with the test images that have them and those that have not.
struct Radiologist {
    table: String,
    by_study: FxHashMap<u32, Mentions>,
    used: FxHashSet<u32>,
    images: usize,
    other_images: usize,
}

impl Labels {
    /// Reads the tables in the folder of the release.
    ///
    /// # Errors
    /// Fails if there is no table of the labeller, or a table is not as expected.
    pub fn find(root: &Path, options: &MimicCxrOptions) -> Result<Self> {
        let ending = match options.labeller {
            Labeller::Chexpert => "-chexpert",
            Labeller::Negbio => "-negbio",
        };
        let Some(path) = find_table(root, ending)? else {
            bail!(
                "{}: expected mimic-cxr-2.0.0{ending}.csv.gz of MIMIC-CXR-JPG for the cases, found none",
                root.display()
            );
        };
        let radiologist = match find_table(root, "-test-set-labeled")? {
            Some(path) if !options.no_radiologist => Some(Radiologist {
                table: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                by_study: read_radiologist_labels(&path)?,
                used: FxHashSet::default(),
                images: 0,
                other_images: 0,
            }),
            _ => None,
        };
        let task = Task {
            id: FORMAT.into(),
            kind: TaskKind::MultiLabel,
            question: Some("Which of the findings does this chest X-ray show?".into()),
            labels: FINDINGS.iter().map(|finding| Label::new(*finding, *finding)).collect(),
            prompt: PromptTemplate::default(),
        };
        Ok(Self {
            by_study: read_labels(&path)?,
            labeller: options.labeller,
            radiologist,
            task,
            unmentioned_is_no: options.unmentioned_is_no,
        })
    }

    /// The answer and the unknown labels of an image of the study, or why there is no case. In the test split the radiologist's
    /// labels replace the labeller's, all of them: a mixture of both would be nobody's.
    pub fn of(&mut self, study: StudyId, split: Option<Split>) -> Result<(String, Vec<String>), &'static str> {
        let mentions = match &mut self.radiologist {
            Some(radiologist) if split == Some(Split::Test) => radiologist.of(study),
            _ => None,
        };
        let Some(mentions) = mentions.or_else(|| self.by_study.get(&study).copied()) else {
            return Err("no case: its study has no row of labels");
        };
        let is_unknown = |mention: Mention| match mention {
            Mention::Uncertain => true,
            Mention::NotMentioned => !self.unmentioned_is_no,
            Mention::Yes | Mention::No => false,
        };
        let of = |wanted: &dyn Fn(Mention) -> bool| -> Vec<LabelIndex> {
            (0..mentions.len()).filter(|label| wanted(mentions[*label])).collect()
        };
        let unknown = of(&is_unknown);
        if unknown.len() == mentions.len() {
            return Err("no case: all labels of its study are uncertain or not mentioned");
        }
        let answer = self.task.answer_text_of_set(&of(&|mention| mention == Mention::Yes));
        Ok((answer, unknown.into_iter().map(|label| FINDINGS[label].to_owned()).collect()))
    }

    /// What the user hears about the labels.
    pub fn remarks(&self) -> Vec<String> {
        let unmentioned = if self.unmentioned_is_no { "absent" } else { "unknown" };
        let mut remarks = vec![format!(
            "labels are of whole studies; uncertain ones (-1) are unknown, those that are not mentioned are {unmentioned}"
        )];
        let labeller = match self.labeller {
            Labeller::Chexpert => "CheXpert",
            Labeller::Negbio => "NegBio",
        };
        if let Some(Radiologist { table, by_study, used, images, other_images }) = &self.radiologist {
            remarks.push(format!(
                "{images} test images of {} studies have the labels of a radiologist ({table}) instead of {labeller}'s; \
                 {other_images} test images are not in that table and have {labeller}'s (--no-radiologist takes \
                 {labeller}'s for all)",
                used.len()
            ));
            let unused = by_study.len() - used.len();
            if unused > 0 {
                remarks.push(format!(
                    "{unused} studies of {table} have no image of the test split here, so their labels are not used"
                ));
            }
        }
        remarks
    }
}

impl Radiologist {
    fn of(&mut self, study: StudyId) -> Option<Mentions> {
        let found = self.by_study.get(&study.study).copied();
        match found {
            Some(_) => {
                self.images += 1;
                self.used.insert(study.study);
            }
            None => self.other_images += 1,
        }
        found
    }
}
