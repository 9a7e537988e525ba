//! Rows on their way into a dataset, by a mapping.

use super::answers::{NoAnswer, answer_of};
use super::captions::{PictureCaptions, caption_of, caption_part, hash_of};
use super::group_splits::GroupSplits;
use super::image_files::{FoundImage, ImageFiles};
use super::image_index::stem_of_image;
use super::mapping::ColumnMapping;
use super::split_words::split_of_word;
use super::tasks::GatheredTask;
use crate::data::identifier::{group_of, trimmed};
use crate::data::import::drawn_split::{drawn_split, drawn_split_remark};
use crate::data::import::{ImportSession, Imported, Record, RowPlace, RowsAs, Value};
use crate::data::{Case, Document, Manifest, Split};
use crate::files::archive_member::MemberPath;
use anyhow::{Context, Result, bail};
use rustc_hash::{FxHashMap, FxHashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Turns rows into cases and documents. It keeps a number per row (the hash of its id) and the labels, not the rows.
#[derive(Debug)]
pub struct MappedRows {
    mapping: ColumnMapping,
    tasks: Vec<GatheredTask>,
    images: Option<ImageFiles>,
    /// Splits by the hash of an image's name, from lists beside the table.
    listed_splits: FxHashMap<u64, Split>,
    /// The columns that were checked last.
    columns: Option<Arc<[String]>>,
    /// Hashes of the ids so far, and the last number behind those that several rows have.
    ids: FxHashSet<u64>,
    repeated_ids: FxHashMap<u64, u32>,
    groups: GroupSplits,
    /// Images that were copied, by their own path.
    copies: FxHashMap<PathBuf, PathBuf>,
    captions: PictureCaptions,
    /// Rows with the id of an earlier row, rows without a group although there is a column of groups, and rows whose split was
    /// drawn.
    renamed: Counted,
    ungrouped: Counted,
    drawn: usize,
}

/// A number of rows and the first of them.
#[derive(Debug, Default)]
struct Counted {
    count: usize,
    first: String,
}

impl Counted {
    fn add(&mut self, place: &RowPlace) {
        if self.count == 0 {
            self.first = place.to_string();
        }
        self.count += 1;
    }
}

/// A row's place with what was found there.
struct PlaceOf<'a>(&'a RowPlace, Option<&'a str>);

impl fmt::Display for PlaceOf<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            None => self.0.fmt(formatter),
            Some(found) => {
                let more = if found.chars().nth(60).is_some() { "…" } else { "" };
                write!(formatter, "{} has {:?}{more}", self.0, found.chars().take(60).collect::<String>())
            }
        }
    }
}

/// What a row says besides its answers.
struct RowParts {
    id: String,
    /// Where the image is in the source.
    path: PathBuf,
    picture: String,
    group: String,
    split: Split,
}

impl MappedRows {
    /// Starts; `images` finds the files that texts in the image column name. Sources whose readers name images themselves
    /// ([`Value::Image`]) need none.
    ///
    /// # Errors
    /// Fails if the mapping contradicts itself.
    pub fn new(mapping: ColumnMapping, images: Option<ImageFiles>) -> Result<Self> {
        mapping.check()?;
        let tasks = mapping.tasks.iter().cloned().map(GatheredTask::new).collect();
        Ok(Self {
            mapping,
            tasks,
            images,
            listed_splits: FxHashMap::default(),
            columns: None,
            ids: FxHashSet::default(),
            repeated_ids: FxHashMap::default(),
            groups: GroupSplits::default(),
            copies: FxHashMap::default(),
            captions: PictureCaptions::default(),
            renamed: Counted::default(),
            ungrouped: Counted::default(),
            drawn: 0,
        })
    }

    /// Says that a list names this image as one of the split.
    ///
    /// # Errors
    /// Fails if another list names it as one of another split.
    pub fn list_image(&mut self, image: &str, split: Split) -> Result<()> {
        match self.listed_splits.insert(hash_of(image), split) {
            Some(other) if other != split => bail!("image {image:?} is listed for {other} and for {split}"),
            _ => Ok(()),
        }
    }

    /// Adds one row. `split` is that of its file, if the file says one; a split column of the mapping comes first.
    ///
    /// # Errors
    /// Fails if the row has other columns than the mapping names, or the dataset cannot be written. A row that cannot be used is
    /// no error: the session counts it with the reason.
    pub fn add(&mut self, session: &mut ImportSession, record: &Record, split: Option<Split>) -> Result<()> {
        if self.columns.as_ref().is_none_or(|known| !Arc::ptr_eq(known, &record.columns)) {
            let in_file = || format!("{}", record.place.file.display());
            self.mapping.check_columns(&record.columns).with_context(in_file)?;
            self.columns = Some(Arc::clone(&record.columns));
        }
        match self.parts_of(session, record, split)? {
            Ok(parts) if !session.takes_split(Some(parts.split), &record.place) => Ok(()),
            Ok(parts) => self.write(session, record, parts),
            Err(missing) => {
                session.leave_out(&missing.reason, &PlaceOf(&record.place, missing.found.as_deref()));
                Ok(())
            }
        }
    }

    /// Writes what is left, tells the session about the rows, and finishes it.
    ///
    /// # Errors
    /// Fails if a task has only one label, or the session fails.
    pub fn finish(mut self, mut session: ImportSession) -> Result<Imported> {
        // Reading back needs the memory of these.
        drop((std::mem::take(&mut self.ids), std::mem::take(&mut self.copies)));
        for document in self.captions.finish(&self.mapping) {
            session.document_with_new_id(document)?;
        }
        if let Some(prefix) = self.images.as_ref().and_then(ImageFiles::foreign_prefix) {
            session.remark(format!("image paths begin with {prefix:?}, which is not on this disk; it was left out"));
        }
        if self.renamed.count > 0 {
            let Counted { count, first } = &self.renamed;
            session.remark(format!("{count} rows have the id of an earlier row ({first} first); they got -2, -3 …"));
        }
        if self.ungrouped.count > 0 {
            let Counted { count, first } = &self.ungrouped;
            session.remark(format!("{count} rows have no group ({first} first); their picture is their group"));
        }
        if self.drawn > 0 {
            session.remark(drawn_split_remark(self.mapping.group.as_deref().unwrap_or("picture")));
        } else {
            let shared = self.groups.shared()?;
            if shared > 0 {
                session.remark(format!("{shared} groups have rows in several splits"));
            }
        }
        let mut tasks = Vec::new();
        for task in &self.tasks {
            task.remarks().into_iter().for_each(|remark| session.remark(remark));
            tasks.extend(task.tasks()?);
        }
        let manifest = Manifest {
            name: self.mapping.name,
            licence: self.mapping.licence,
            note: self.mapping.note,
            only: None,
            tasks,
        };
        session.finish(manifest)
    }

    /// The image, the id and so on of a row, or why it cannot be used.
    fn parts_of(
        &mut self,
        session: &mut ImportSession,
        record: &Record,
        split: Option<Split>,
    ) -> Result<Result<RowParts, NoAnswer>> {
        let missing = |reason: &str, found: Option<&str>| {
            Ok(Err(NoAnswer { reason: reason.into(), found: found.map(str::to_owned) }))
        };
        let FoundImage { path, name } = match record.value(&self.mapping.image) {
            Some(Value::Image(path)) => FoundImage { path: path.clone(), name: path.to_string_lossy().into_owned() },
            Some(value) => {
                let Some(text) = value.text().filter(|text| !text.trim().is_empty()) else {
                    return missing("no image", None);
                };
                let Some(images) = &mut self.images else {
                    bail!("{}: column {:?}: expected images, found texts", record.place, self.mapping.image);
                };
                match images.find(text)? {
                    Ok(found) => found,
                    Err(reason) => return missing(reason, Some(text)),
                }
            }
            None => return missing("no image", None),
        };
        let text_in = |column: &Option<String>| {
            let text = record.value(column.as_deref()?)?.text()?;
            Some(trimmed(text)).filter(|text| !text.is_empty())
        };
        let picture = match text_in(&self.mapping.picture) {
            Some(picture) => picture.to_owned(),
            None => name.clone(),
        };
        let named_group = text_in(&self.mapping.group).and_then(|text| self.mapping.group_in(text));
        if named_group.is_none() && self.mapping.group.is_some() {
            self.ungrouped.add(&record.place);
        }
        let group = named_group.unwrap_or_else(|| picture.clone());
        let split = match (&self.mapping.split, text_in(&self.mapping.split)) {
            (Some(column), None) => return missing(&format!("column {column:?} is empty"), None),
            (Some(column), Some(word)) => match self.mapping.split_of(word) {
                Some(split) => split,
                None => return missing(&format!("column {column:?} names no split"), Some(word)),
            },
            (None, _) if !self.listed_splits.is_empty() => match self.listed_split(record) {
                Some(split) => split,
                None => return missing("no list of a split names the image", Some(&name)),
            },
            (None, _) => split.unwrap_or_else(|| {
                self.drawn += usize::from(session.rows() != RowsAs::Corpus || session.chooses_splits());
                drawn_split(&group)
            }),
        };
        let id_text = text_in(&self.mapping.id);
        let id = self.new_id(id_text, &path, &record.place);
        Ok(Ok(RowParts { id, path, picture, group, split }))
    }

    fn listed_split(&self, record: &Record) -> Option<Split> {
        let text = record.value(&self.mapping.image)?.text()?;
        self.listed_splits.get(&hash_of(text.trim())).copied()
    }

    /// The row's id, with a number behind it if an earlier row has it.
    fn new_id(&mut self, id: Option<&str>, image: &Path, place: &RowPlace) -> String {
        let wanted = id.map_or_else(|| id_of_image(image, place, self.mapping.id_path_parts), group_of);
        let key = hash_of(&wanted);
        if self.ids.insert(key) {
            return wanted;
        }
        if self.mapping.id.is_some() {
            self.renamed.add(place);
        }
        let mut number = self.repeated_ids.get(&key).copied().unwrap_or(1);
        loop {
            number += 1;
            let id = format!("{wanted}-{number}");
            if self.ids.insert(hash_of(&id)) {
                self.repeated_ids.insert(key, number);
                return id;
            }
        }
    }

    fn write(&mut self, session: &mut ImportSession, record: &Record, parts: RowParts) -> Result<()> {
        self.groups.add(&parts.group, parts.split);
        let is_document = match session.rows() {
            RowsAs::Cases => false,
            RowsAs::Corpus => true,
            RowsAs::Both => parts.split == Split::Train,
        };
        let several = self.tasks.len() > 1;
        let mut caption_parts = Vec::new();
        let mut asks = false;
        let needs_answers = session.wants_cases() || self.mapping.caption.is_none();
        for task in self.tasks.iter_mut().filter(|_| needs_answers) {
            let reason_of =
                |reason: &str| if several { format!("{}: {reason}", task.mapping.id) } else { reason.into() };
            let question = match &task.mapping.question_column {
                None => None,
                Some(column) => match record.value(column).and_then(Value::text).map(str::trim) {
                    Some(question) if !question.is_empty() => Some(question.to_owned()),
                    _ => {
                        session.leave_out(&reason_of("no question"), &record.place);
                        continue;
                    }
                },
            };
            let answer = match answer_of(&task.mapping, &mut task.labels, record)
                .with_context(|| format!("{}: task {:?}", record.place, task.mapping.id))?
            {
                Ok(answer) => answer,
                Err(NoAnswer { reason, found }) => {
                    session.leave_out(&reason_of(&reason), &PlaceOf(&record.place, found.as_deref()));
                    continue;
                }
            };
            asks |= task.mapping.is_question();
            let image = image_in_dataset(&mut self.copies, session, &parts)?;
            caption_parts.push(caption_part(&task.mapping, question.as_deref(), &answer));
            let (task_id, answer, unknown) = task.written(&answer);
            session.case(Case {
                id: if several { format!("{}-{}", parts.id, task.mapping.id) } else { parts.id.clone() },
                task: task_id,
                split: parts.split,
                image,
                question,
                answer,
                unknown,
                group: Some(parts.group.clone()),
            })?;
        }
        if !is_document {
            return Ok(());
        }
        let source_column = self.mapping.source.as_deref().and_then(|column| record.value(column)?.text());
        let document = |image: PathBuf, caption: String| Document {
            id: parts.id.clone(),
            image,
            caption,
            source: Some(source_column.map_or_else(|| self.mapping.name.clone(), |text| text.trim().to_owned())),
            group: Some(parts.group.clone()),
        };
        if let Some(column) = &self.mapping.caption {
            return match record.value(column).and_then(Value::text).map(str::trim) {
                Some(caption) if !caption.is_empty() => {
                    let image = image_in_dataset(&mut self.copies, session, &parts)?;
                    session.document_with_new_id(document(image, caption.to_owned()))
                }
                _ => {
                    session.leave_out("no caption, so no document", &record.place);
                    Ok(())
                }
            };
        }
        if caption_parts.is_empty() {
            return Ok(());
        }
        let image = image_in_dataset(&mut self.copies, session, &parts)?;
        if asks {
            self.captions.add(&parts.picture, caption_parts, || document(image, String::new()));
            return Ok(());
        }
        session.document_with_new_id(document(image, caption_of(&self.mapping, &caption_parts)))
    }
}

/// The path that cases and documents name. The image is copied only here, so that none is copied for a row that is left out.
fn image_in_dataset(
    copies: &mut FxHashMap<PathBuf, PathBuf>,
    session: &mut ImportSession,
    parts: &RowParts,
) -> Result<PathBuf> {
    let path = &parts.path;
    if let Some(copy) = copies.get(path) {
        return Ok(copy.clone());
    }
    let extension = path.extension().map_or_else(String::new, |extension| format!(".{}", extension.display()));
    let plain = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
    let name: String = parts.id.chars().map(|letter| if plain(letter) { letter } else { '_' }).collect();
    let image = session.image(path, &format!("{}{extension}", name.trim_start_matches('.')))?;
    if image != *path && image.is_relative() {
        copies.insert(path.clone(), image.clone());
    }
    Ok(image)
}

impl ColumnMapping {
    fn split_of(&self, word: &str) -> Option<Split> {
        self.split_words.get(word).copied().or_else(|| split_of_word(word))
    }

    /// The group in a text: all of it, or the part that the mapping says.
    fn group_in(&self, text: &str) -> Option<String> {
        let part = match &self.group_path_part {
            None => text,
            Some(start) => text.split(['/', '\\']).find(|part| part.starts_with(start.as_str()))?,
        };
        let part = match &self.group_before {
            None => part,
            Some(end) => part.split_once(end.as_str())?.0,
        };
        Some(group_of(part)).filter(|group| !group.is_empty())
    }
}

/// An id for a row without one: the image's name, or for an image in a table the table's name and the row.
fn id_of_image(path: &Path, place: &RowPlace, parts: Option<usize>) -> String {
    let is_row = MemberPath::of(path).is_some_and(|member| {
        let container = member.container.extension().unwrap_or_default();
        container == "parquet" || container == "arrow"
    });
    if is_row {
        let stem = place.file.file_stem().unwrap_or_default().to_string_lossy();
        return format!("{stem}-{}", place.row);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = stem_of_image(&name).unwrap_or(&name);
    let mut id = stem.to_owned();
    for folder in path.ancestors().skip(1).take(parts.unwrap_or(1).saturating_sub(1)) {
        if let Some(folder) = folder.file_name() {
            id = format!("{}-{id}", folder.to_string_lossy());
        }
    }
    id
}
