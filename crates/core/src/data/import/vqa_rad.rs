//! `import vqa-rad`: the OSF release of VQA-RAD. Closed yes/no questions become cases, open ones only on request; the
//! images that no test or validation question uses become the corpus, with captions made of their questions and answers.

use super::vqa_rad_caption::caption_of;
use super::vqa_rad_rows::{Row, read_rows};
use super::{ImportOptions, ImportSession, Imported, LONGEST_IMAGE, ProgressReport, RowsAs};
use crate::data::{Case, Document, Label, Manifest, Picture, PromptTemplate, Split, Task, TaskKind};
use crate::files::fingerprint::Fingerprint;
use crate::files::input_file;
use crate::files::litter::{is_litter, litter_remark};
use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

const TASK: &str = "vqa-rad";
/// Id of the task of open questions.
const OPEN_TASK: &str = "vqa-rad-open";

/// One in this many images without test questions is kept for validation.
const VALIDATION_ONE_IN: u64 = 5;

/// Choices of the VQA-RAD import.
#[derive(Clone, Copy, Debug, Default)]
pub struct VqaRadOptions {
    /// Skip training questions about images that test questions also use; the official split has many.
    pub drop_shared_images: bool,
    /// Also import open questions, as a separate task.
    pub open_questions: bool,
}

/// Imports the folder `source`, which holds one JSON file and one folder of images.
pub fn import_vqa_rad(
    source: &Path,
    target: &Path,
    choices: VqaRadOptions,
    options: &ImportOptions,
    progress: ProgressReport,
) -> Result<Imported> {
    let (json, images, litter) = find_parts(source)?;
    let rows = read_rows(&json)?;
    let names = names_of(&rows);
    let groups = groups_of(&rows, &names);
    let test_images: HashSet<&str> = rows.iter().filter(|row| row.test).map(|row| row.image.as_str()).collect();
    let test_groups: HashSet<&str> = test_images.iter().filter_map(|image| groups.get(*image).copied()).collect();
    let part_of = |row: &Row| {
        if row.test {
            return Split::Test;
        }
        let group = groups.get(row.image.as_str()).copied().unwrap_or(&row.image);
        // Images of the test split cannot be used for validation: their training questions stay in training.
        if !test_groups.contains(group) && is_for_validation(group) { Split::Validation } else { Split::Train }
    };

    let mut by_image: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &rows {
        by_image.entry(&row.image).or_default().push(row);
    }
    let mut session = ImportSession::start(target, options, RowsAs::Both)?;
    let (mut open, mut no_label, mut shared) = (0, 0, 0);
    for (done, (image, rows)) in by_image.iter().enumerate() {
        let is_document = !test_images.contains(image) && rows.iter().all(|row| part_of(row) == Split::Train);
        let mut asked = Vec::new();
        for row in rows {
            let (task, answer) = match (row.closed, row.yes_or_no()) {
                (true, Some(yes)) => (TASK, if yes { "yes" } else { "no" }),
                (true, None) => {
                    no_label += 1;
                    continue;
                }
                (false, _) => {
                    open += 1;
                    if !choices.open_questions {
                        continue;
                    }
                    (OPEN_TASK, row.answer.as_str())
                }
            };
            if !row.test && test_images.contains(image) {
                shared += 1;
                if choices.drop_shared_images {
                    continue;
                }
            }
            asked.push((row, task, answer));
        }
        progress(done + 1, by_image.len());
        if asked.is_empty() && !is_document {
            continue;
        }
        let path = copy_image(&mut session, &images, image, rows)?;
        let group = groups.get(image).map(|group| String::from(*group));
        for (row, task, answer) in asked {
            session.case(Case {
                id: format!("q{}", row.qid),
                task: task.into(),
                split: part_of(row),
                image: path.clone(),
                question: Some(row.question.clone()),
                answer: answer.into(),
                unknown: Vec::new(),
                group: group.clone(),
            })?;
        }
        if is_document {
            session.document(Document {
                id: names.get(image).copied().unwrap_or(image).into(),
                image: path,
                caption: caption_of(rows),
                source: Some("VQA-RAD".into()),
                group,
            })?;
        }
    }
    let what = if choices.drop_shared_images { "skipped" } else { "kept, as in the official split" };
    let shared_remark = format!("{shared} training questions are about images that test questions also use: {what}");
    let not_yes_or_no = format!("{no_label} closed questions with an answer other than yes or no");
    let left_out = if choices.open_questions {
        format!("{open} open questions are cases of the task {OPEN_TASK}; {not_yes_or_no} are not cases")
    } else {
        format!("{open} open questions and {not_yes_or_no} are not cases; --open-questions makes the open ones cases")
    };
    let mut remarks = vec![left_out, shared_remark.clone()];
    remarks.extend(litter_remark(&litter));
    if shared > 0 && !choices.drop_shared_images {
        remarks.push("--drop-shared-images skips them".into());
    }
    for remark in remarks {
        session.remark(remark);
    }
    session.finish(manifest(&shared_remark, choices))
}

fn manifest(shared_remark: &str, options: VqaRadOptions) -> Manifest {
    let task = |id: &str, kind: TaskKind, labels: Vec<Label>| Task {
        id: id.into(),
        kind,
        question: None,
        labels,
        prompt: PromptTemplate::default(),
    };
    let mut tasks = vec![task(TASK, TaskKind::ClosedVqa, vec![Label::new("yes", "Yes"), Label::new("no", "No")])];
    if options.open_questions {
        tasks.push(task(OPEN_TASK, TaskKind::OpenVqa, Vec::new()));
    }
    Manifest {
        name: "VQA-RAD".into(),
        licence: Some("CC0 1.0".into()),
        note: Some(format!(
            "VQA-RAD (Lau et al., Scientific Data 2018), images from MedPix; for research, not for diagnosis. \
             {shared_remark}."
        )),
        only: None,
        tasks,
    }
}

/// The JSON file and the folder in `source`, and the names of the operating system's files there.
pub(super) fn find_parts(source: &Path) -> Result<(PathBuf, PathBuf, Vec<String>)> {
    let entries = fs::read_dir(source).with_context(|| {
        format!(
            "cannot read {}: expected the folder of VQA-RAD, with a JSON file and an image folder",
            source.display()
        )
    })?;
    let (mut files, mut folders, mut litter) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", source.display()))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if is_litter(&name) {
            litter.push(name);
        } else if path.is_dir() {
            folders.push(path);
        } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
            files.push(path);
        }
    }
    let counts = (files.len(), folders.len());
    match (files.pop(), folders.pop(), counts) {
        (Some(json), Some(images), (1, 1)) => Ok((json, images, litter)),
        _ => bail!(
            "{}: expected one JSON file and one image folder, found {} JSON files and {} folders",
            source.display(),
            counts.0,
            counts.1
        ),
    }
}

/// The group of each image: the first image, by name, that shares a MedPix case with it, directly or through other images.
pub(super) fn groups_of<'a>(rows: &'a [Row], names: &HashMap<&'a str, &'a str>) -> HashMap<&'a str, &'a str> {
    let mut group_of: BTreeMap<&str, &str> = rows.iter().map(|row| (row.image.as_str(), row.image.as_str())).collect();
    let mut links: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for row in rows {
        links.entry(&row.medpix_case).or_default().push(&row.image);
    }
    // This takes few rounds: a case has one image, rarely two.
    loop {
        let mut changed = false;
        for images in links.values() {
            let Some(first) = images.iter().filter_map(|image| group_of.get(image).copied()).min() else { continue };
            for image in images {
                if group_of.insert(image, first) != Some(first) {
                    changed = true;
                }
            }
        }
        if !changed {
            break;
        }
    }
    group_of.into_iter().map(|(image, group)| (image, names.get(group).copied().unwrap_or(group))).collect()
}

/// The name of each image: its file name without extension, or with it if another image has the same stem.
pub(super) fn names_of(rows: &[Row]) -> HashMap<&str, &str> {
    let images: BTreeSet<&str> = rows.iter().map(|row| row.image.as_str()).collect();
    let mut count: HashMap<&str, usize> = HashMap::new();
    for image in images.iter().copied() {
        *count.entry(stem(image)).or_default() += 1;
        // Another image has this stem as its whole name.
        *count.entry(image).or_default() += 1;
    }
    let mut names = HashMap::new();
    for image in images {
        let is_alone = count.get(stem(image)).is_some_and(|count| *count == 1);
        names.insert(image, if is_alone { stem(image) } else { image });
    }
    names
}

/// Decides by the group's name, so that the result is the same on every machine and for every selection.
fn is_for_validation(group: &str) -> bool {
    let fingerprint = Fingerprint::of_parts(["validation", group]);
    u64::from_str_radix(fingerprint.as_str(), 16).is_ok_and(|number| number % VALIDATION_ONE_IN == 0)
}

fn copy_image(session: &mut ImportSession, folder: &Path, image: &str, rows: &[&Row]) -> Result<PathBuf> {
    let path = folder.join(image);
    let used_by = || {
        let qid = rows.first().map_or("?", |row| row.qid.as_str());
        format!("image of question {qid}")
    };
    let bytes = input_file::read(&path, LONGEST_IMAGE)
        .with_context(|| format!("cannot read {}", path.display()))
        .with_context(used_by)?;
    Picture::decode(&path, &bytes).with_context(used_by)?;
    session.image_bytes(image, &bytes)
}

/// A file name without its extension.
fn stem(image: &str) -> &str {
    image.rsplit_once('.').map_or(image, |(stem, _)| stem)
}
