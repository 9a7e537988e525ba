//! `import nih-cxr`: images of NIH ChestX-ray8 sorted into one folder per finding. The splits are drawn by patient; the
//! training images are cases and also the corpus, and the patient as group keeps a case from finding its own images.

use super::drawn_split::drawn_split;
use super::medmnist_sets::add_label_key;
use super::{ImportOptions, ImportSession, Imported, LONGEST_IMAGE, ProgressReport, RowsAs};
use crate::data::{Case, Document, Label, Manifest, Picture, PromptTemplate, Split, Task, TaskKind};
use crate::files::input_file;
use crate::files::litter::{is_litter, litter_remark};
use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

const FORMAT: &str = "nih-cxr";
const CREDIT: &str = "Wang et al., CVPR 2017; images provided by the NIH Clinical Center";
const NOISE: &str = "labels were mined from reports and are noisy";

struct Folder {
    path: PathBuf,
    /// Name of the label.
    label: String,
}

struct Xray {
    /// File name without its extension.
    id: String,
    file_name: String,
    path: PathBuf,
    /// Number without leading zeros, as in the tables of the release.
    patient: String,
    split: Split,
    /// Position in the task's labels.
    label: usize,
}

/// Imports the folder `source`, which holds one folder of images per finding; one image is in memory at a time.
///
/// # Errors
/// Fails if there are fewer than two folders, a file is not an image or its name contains no patient, an image is in two
/// folders, or the target cannot be written.
pub fn import_nih_cxr(
    source: &Path,
    target: &Path,
    options: &ImportOptions,
    progress: ProgressReport,
) -> Result<Imported> {
    let mut litter = Vec::new();
    let (folders, loose_files) = find_folders(source, &mut litter)?;
    let xrays = find_xrays(&folders, &mut litter)?;
    if !xrays.iter().any(|xray| xray.split == Split::Train) {
        bail!(
            "{}: expected more patients; none was drawn for the training split, which becomes the corpus",
            source.display()
        );
    }
    let task = task_of(&folders);
    let mut session = ImportSession::start(target, options, RowsAs::Both)?;
    for (done, xray) in xrays.iter().enumerate() {
        write_xray(&mut session, &task, xray)?;
        progress(done + 1, xrays.len());
    }
    let manifest = Manifest {
        name: "NIH ChestX-ray8".into(),
        licence: Some("no restriction on use".into()),
        note: Some(format!("{CREDIT}; {NOISE}; for research, not for diagnosis")),
        only: None,
        tasks: vec![task],
    };
    for remark in remarks_about(&xrays).into_iter().chain(litter_remark(&litter)) {
        session.remark(remark);
    }
    if loose_files > 0 {
        session.remark(format!("{loose_files} files beside the folders have no label and are skipped"));
    }
    session.finish(manifest)
}

/// The folders of `source`, the one without a finding first, then by label, and the number of loose files.
fn find_folders(source: &Path, litter: &mut Vec<String>) -> Result<(Vec<Folder>, usize)> {
    let mut by_label = BTreeMap::new();
    let mut loose_files = 0;
    for (name, path) in visible_entries(source, litter)? {
        if !path.is_dir() {
            loose_files += 1;
            continue;
        }
        let label = name.replace('_', " ").trim().to_lowercase();
        if label.is_empty() {
            bail!("{}: expected a folder named by a finding, such as Pneumonia, found {name:?}", path.display());
        }
        if let Some(other) = by_label.insert((!is_no_finding(&label), label), path.clone()) {
            bail!("{}: expected one folder per finding, found {} too", path.display(), other.display());
        }
    }
    if by_label.len() < 2 {
        let found = by_label.values().next().map_or("none".into(), |path| format!("only {}", path.display()));
        bail!("{}: expected a folder for each of two findings or more, found {found}", source.display());
    }
    Ok((by_label.into_iter().map(|((_, label), path)| Folder { path, label }).collect(), loose_files))
}

/// Every image, sorted by id, so that cases of one patient are neighbours but cases of one label are not.
fn find_xrays(folders: &[Folder], litter: &mut Vec<String>) -> Result<Vec<Xray>> {
    let mut by_id: BTreeMap<String, Xray> = BTreeMap::new();
    for (label, folder) in folders.iter().enumerate() {
        let files = visible_entries(&folder.path, litter)?;
        if files.is_empty() {
            bail!("{}: expected images, found none", folder.path.display());
        }
        for (file_name, path) in files {
            let shown = path.display();
            if !path.is_file() {
                bail!("{shown}: expected an image, found a folder or device");
            }
            let Some(patient) = patient_of(&file_name) else {
                bail!(
                    "{shown}: expected a name that starts with a patient's number and _, such as 00001280_004.jpg, found {file_name:?}"
                );
            };
            let mut id = file_name.rsplit_once('.').map_or(file_name.as_str(), |(stem, _)| stem).to_string();
            if by_id.get(&id).is_some_and(|other| other.label == label) && !by_id.contains_key(&file_name) {
                // Two files in one folder have the same stem.
                id.clone_from(&file_name);
            }
            if let Some(other) = by_id.get(&id) {
                bail!("{shown}: expected each image once, with one finding, found {} too", other.path.display());
            }
            let split = drawn_split(&patient);
            by_id.insert(id.clone(), Xray { id, file_name, path, patient, split, label });
        }
    }
    Ok(by_id.into_values().collect())
}

/// Names and paths of the entries of a folder, in order; hidden files and those of the operating system go to `litter`.
fn visible_entries(folder: &Path, litter: &mut Vec<String>) -> Result<BTreeMap<String, PathBuf>> {
    let cannot_read = || format!("cannot read {}: expected a folder", folder.display());
    let mut visible = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(cannot_read)? {
        let entry = entry.with_context(cannot_read)?;
        let Ok(name) = entry.file_name().into_string() else {
            bail!("{}: expected a name in UTF-8, found other bytes", entry.path().display());
        };
        if is_litter(&name) {
            litter.push(name);
        } else {
            visible.insert(name, entry.path());
        }
    }
    Ok(visible)
}

/// Whether the folder is the one without a finding. The release writes "No Finding", subsets of it also
/// "No_findings".
fn is_no_finding(label: &str) -> bool {
    label == "no finding" || label == "no findings"
}

/// The number before the first `_`, without leading zeros; `None` if there is none.
fn patient_of(file_name: &str) -> Option<String> {
    let (digits, _) = file_name.split_once('_')?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok().map(|number| number.to_string())
}

/// A yes/no question for one finding against none, else a choice by number.
fn task_of(folders: &[Folder]) -> Task {
    let yes_no = match folders {
        [none, finding] if is_no_finding(&none.label) && !is_no_finding(&finding.label) => Some(&finding.label),
        _ => None,
    };
    let mut labels = Vec::new();
    for (number, folder) in folders.iter().enumerate() {
        let id = if yes_no.is_some() { ["No", "Yes"][number].into() } else { number.to_string() };
        labels.push(Label::new(id, folder.label.clone()));
    }
    let (kind, question) = match yes_no {
        Some(finding) => (TaskKind::ClosedVqa, format!("Does this chest X-ray show signs of {finding}?")),
        None => (TaskKind::Classification, "Which finding does this chest X-ray show?".into()),
    };
    let prompt = PromptTemplate::default();
    let mut task = Task { id: FORMAT.into(), kind, question: Some(question), labels, prompt };
    if yes_no.is_none() {
        add_label_key(&mut task);
    }
    task
}

/// Copies one image and writes its case and, in the training split, its document.
fn write_xray(session: &mut ImportSession, task: &Task, xray: &Xray) -> Result<()> {
    let bytes =
        input_file::read(&xray.path, LONGEST_IMAGE).with_context(|| format!("cannot read {}", xray.path.display()))?;
    Picture::decode(&xray.path, &bytes)?;
    // The path contains the split and not the finding, because it must not reveal the answer.
    let image = session.image_bytes(&format!("{}/{}", xray.split, xray.file_name), &bytes)?;
    let label = &task.labels[xray.label];
    session.case(Case {
        id: xray.id.clone(),
        task: task.id.clone(),
        split: xray.split,
        image: image.clone(),
        question: None,
        answer: label.id.clone(),
        unknown: Vec::new(),
        group: Some(xray.patient.clone()),
    })?;
    if xray.split != Split::Train {
        return Ok(());
    }
    session.document(Document {
        id: xray.id.clone(),
        image,
        caption: format!("frontal chest X-ray: {}", label.name),
        source: Some(FORMAT.into()),
        group: Some(xray.patient.clone()),
    })
}

fn remarks_about(xrays: &[Xray]) -> Vec<String> {
    let (mut counts, mut all_patients) = (Vec::new(), 0);
    for split in [Split::Train, Split::Validation, Split::Test] {
        let of_split: Vec<&Xray> = xrays.iter().filter(|xray| xray.split == split).collect();
        let patients: HashSet<&str> = of_split.iter().map(|xray| xray.patient.as_str()).collect();
        all_patients += patients.len();
        counts.push(format!("{split} {} images ({} patients)", of_split.len(), patients.len()));
    }
    vec![
        format!("{} images of {all_patients} patients; split by patient: {}", xrays.len(), counts.join(", ")),
        NOISE.into(),
        format!("credit: {CREDIT}"),
    ]
}
