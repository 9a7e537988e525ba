//! Guesses a mapping from the header and the first rows of a table, with the reason for each guess.

use super::guess_columns::ColumnSample;
use super::shipped::{recognised, shipped_text};
use super::table_rows::TableRows;
use crate::data::import::columns::ImageFiles;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// How many rows are looked at.
const ROWS: usize = 200;

/// A mapping in TOML for the table `source`, to be read by a person before it is used.
///
/// # Errors
/// Fails if the table cannot be read, or no column names images.
pub fn guess_mapping(source: &Path, images: Option<&Path>) -> Result<String> {
    let mut rows = TableRows::open(source)?;
    let columns = rows.columns().clone();
    if let Some(text) = recognised(&columns)?.and_then(|(name, _)| shipped_text(name)) {
        return Ok(format!("# The header is that of a known table.\n{text}"));
    }
    let mut samples: Vec<ColumnSample> = columns.iter().map(|name| ColumnSample::new(name)).collect();
    let mut count = 0;
    while count < ROWS {
        let Some(row) = rows.next_row()? else { break };
        if let Ok(record) = row {
            record.values.iter().zip(&mut samples).for_each(|(value, sample)| sample.add(value));
            count += 1;
        }
    }
    if count == 0 {
        bail!("{}: expected rows, found none", source.display());
    }
    let folder = source.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let root: PathBuf = images.unwrap_or(folder).to_owned();
    let mut files = ImageFiles::new(std::slice::from_ref(&root), None)?;
    Guess { samples, count, lines: Vec::new(), used: Vec::new() }.text(source, &mut files)
}

struct Guess {
    samples: Vec<ColumnSample>,
    count: usize,
    lines: Vec<String>,
    /// Positions of columns that have a meaning already.
    used: Vec<usize>,
}

impl Guess {
    fn text(mut self, source: &Path, files: &mut ImageFiles) -> Result<String> {
        let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stem = name.split('.').next().unwrap_or(&name).to_owned();
        self.lines.push(format!("# Guessed from the first {} rows of {name}. Read it before you use it.", self.count));
        self.lines.push(format!("name = {}", quoted(&stem)));
        self.image(files)?;
        if let Some(found) = self.find(|sample| sample.is_different_in_every_row() && sample.is_called(&["id", "qid"]))
        {
            self.field("id", found, "different in every row");
        }
        if let Some(found) = self.find(ColumnSample::is_split) {
            let why = format!("its values are splits: {}", self.samples[found].shown());
            self.field("split", found, &why);
        }
        let of_groups = [&["patient", "subject"][..], &["lesion", "study", "article", "pmcid", "case"]];
        for words in of_groups {
            if let Some(found) = self.find(|sample| sample.filled > 0 && sample.is_called(words)) {
                self.field("group", found, "its name; rows with the same value are never split");
                break;
            }
        }
        let question = self.find(|sample| sample.filled > 0 && sample.is_called(&["question"]));
        self.used.extend(question);
        let answer = self.find(|sample| sample.filled > 0 && sample.is_called(&["answer", "answers"]));
        self.used.extend(answer);
        let captions = ["caption", "captions", "text", "report", "findings", "impression", "description"];
        let is_caption = |sample: &ColumnSample| sample.mean_length() > 15 && sample.is_called(&captions);
        if let Some(found) = self.find(is_caption) {
            let why = format!("its name, and texts of {} letters on average", self.samples[found].mean_length());
            self.field("caption", found, &why);
        }
        if let (Some(question), Some(answer)) = (question, answer) {
            self.lines.push("\n# Answers that are not yes or no become open questions of the task vqa-open.".into());
            self.lines.push("[[task]]\nid = \"vqa\"\nkind = \"closed-vqa\"".into());
            self.lines.push(format!("question_column = {}", quoted(&self.samples[question].name)));
            self.lines.push(format!("answer = {}", quoted(&self.samples[answer].name)));
        } else {
            self.labels();
        }
        Ok(self.lines.join("\n") + "\n")
    }

    /// The first unused column that fits.
    fn find(&self, fits: impl Fn(&ColumnSample) -> bool) -> Option<usize> {
        (0..self.samples.len()).find(|position| !self.used.contains(position) && fits(&self.samples[*position]))
    }

    fn field(&mut self, field: &str, column: usize, why: &str) {
        self.used.push(column);
        self.lines.push(format!("# {why}"));
        self.lines.push(format!("{field} = {}", quoted(&self.samples[column].name)));
    }

    /// The column whose values name most image files.
    fn image(&mut self, files: &mut ImageFiles) -> Result<()> {
        let mut best = (0, 0);
        for (position, sample) in self.samples.iter().enumerate() {
            let mut there = 0;
            for (text, count) in &sample.values {
                there += if files.find(text)?.is_ok() { *count } else { 0 };
            }
            if there > best.0 {
                best = (there, position);
            }
        }
        let known = ["image", "images", "img", "file", "filename", "path"];
        let found = if best.0 > 0 { Some(best.1) } else { self.find(|sample| sample.is_called(&known)) };
        let found = found.with_context(|| {
            let columns: Vec<&str> = self.samples.iter().map(|sample| sample.name.as_str()).collect();
            format!(
                "no column names images that are there: {}; --images-from DIR says where they are",
                columns.join(", ")
            )
        })?;
        let why = format!("{} of {} values name image files that are there", best.0, self.samples[found].filled);
        self.field("image", found, &why);
        Ok(())
    }

    fn labels(&mut self) {
        let names =
            ["label", "labels", "class", "diagnosis", "diagnostic", "dx", "target", "category", "finding", "findings"];
        let marks: Vec<usize> = (0..self.samples.len())
            .filter(|position| !self.used.contains(position) && self.samples[*position].is_zero_or_one())
            .collect();
        let named = self.find(|sample| sample.is_called(&names) && (sample.is_label() || sample.separator().is_some()));
        if let Some(found) = named.or_else(|| if marks.len() < 2 { self.find(ColumnSample::is_label) } else { None }) {
            let sample = &self.samples[found];
            self.lines.push(format!("\n# {} different values: {}, …", sample.values.len(), sample.shown()));
            self.lines.push("[[task]]\nid = \"label\"".into());
            match sample.separator() {
                Some(separator) => {
                    self.lines.push(format!("# some values have {separator:?} between labels"));
                    self.lines.push(format!("kind = \"multi-label\"\nseparator = {}", quoted(separator)));
                    self.lines.push("# none = [\"No Finding\"]   # values that say that no label applies".into());
                }
                None => self.lines.push("kind = \"classification\"".into()),
            }
            self.lines.push(format!("answer = {}", quoted(&sample.name)));
            self.lines.push("# names = { code = \"name\" }   # what codes mean".into());
            return;
        }
        if marks.len() < 2 {
            self.lines.push("\n# No column looks like an answer. Without a [[task]], the rows become a corpus.".into());
            return;
        }
        let columns: Vec<String> = marks.iter().map(|position| quoted(&self.samples[*position].name)).collect();
        self.lines.push(format!("\n# these {} columns hold nothing but 0, 1 and -1", columns.len()));
        self.lines.push("# kind classification asks for exactly one 1 in each row".into());
        self.lines.push("[[task]]\nid = \"labels\"\nkind = \"multi-label\"".into());
        self.lines.push(format!("columns = [{}]", columns.join(", ")));
        self.lines.push("# none = [\"No Finding\"]   # columns that say that no label applies".into());
        self.lines
            .push("# an empty field: absent, unknown or leave-out; -1 is always unknown\nmissing = \"unknown\"".into());
    }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
