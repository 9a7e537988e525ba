//! `import pmc-oa`: the figures of PMC-OA, a JSONL file beside `images.zip`, which is not unpacked.

use super::corpus_text::{BytesRead, article_group, article_of, for_each_line, refuse_cases};
use super::{ImageFiles, ImportOptions, ImportSession, Imported, ProgressReport, RowsAs};
use crate::data::{Document, Manifest, Split};
use crate::files::fingerprint::Fingerprint;
use crate::files::input_file::is_there;
use crate::text::written_json::Written;
use anyhow::{Context, Result, anyhow, bail};
use rustc_hash::FxHashSet;
use std::path::{Path, PathBuf};

const FORMAT: &str = "pmc-oa";
/// Tables of one release; the first that is there is read.
const WHOLE: [&str; 2] = ["pmc_oa.jsonl", "pmc_oa_beta.jsonl"];
/// Tables of the first release.
const SPLITS: [(&str, Split); 3] =
    [("train.jsonl", Split::Train), ("valid.jsonl", Split::Validation), ("test.jsonl", Split::Test)];
/// Endings of pictures; articles also have films, sheets and documents.
const PICTURES: [&str; 9] = ["jpg", "jpeg", "png", "gif", "bmp", "tif", "tiff", "webp", "dcm"];

/// Imports a JSONL file, or the folder that holds it, as a corpus. Images are found by their base names in the folder and in its
/// zip files; a few numbers per row are in memory.
///
/// # Errors
/// Fails if there is no table, a line is not as expected, an archive is damaged, or the target cannot be written.
pub fn import_pmc_oa(
    source: &Path,
    target: &Path,
    choices: &ImportOptions,
    progress: ProgressReport,
) -> Result<Imported> {
    refuse_cases(choices, FORMAT)?;
    let (folder, tables) = find_tables(source, choices)?;
    let images = ImageFiles::with_archives(&folder)?;
    let all = tables.iter().filter_map(|table| Some(table.metadata().ok()?.len())).sum();
    let mut bytes_read = BytesRead::new(all, progress);
    let mut session = ImportSession::start(target, choices, RowsAs::Corpus)?;
    let mut rows = Rows { images, captions: FxHashSet::default(), repeated: 0, without_article: 0 };
    for table in &tables {
        for_each_line(table, &mut |number, line| {
            bytes_read.add(line.len() as u64 + 1);
            if line.trim().is_empty() {
                return Ok(());
            }
            let place = Place { table, number };
            rows.import(&mut session, line, &place)
        })?;
    }
    rows.remark(&mut session);
    if tables.len() == 1 && folder == source {
        let unread: Vec<&str> = WHOLE.into_iter().filter(|name| is_there(&folder.join(name))).skip(1).collect();
        if !unread.is_empty() {
            session.remark(format!("{} is read; name {} to read that instead", WHOLE[0], unread.join(", ")));
        }
    }
    session.finish(Manifest {
        licence: Some("of each article, from the commercial-use subset of PubMed Central; not in the file".into()),
        note: Some("PMC-OA (Lin et al., MICCAI 2023); figures of PubMed Central, grouped by article".into()),
        ..Manifest::new("PMC-OA", Vec::new())
    })
}

/// The folder of the images, and the tables. Only the first release has splits; all that were named must be there.
fn find_tables(source: &Path, choices: &ImportOptions) -> Result<(PathBuf, Vec<PathBuf>)> {
    if !choices.splits.is_empty() {
        let mut tables = Vec::new();
        for (name, split) in SPLITS.into_iter().filter(|(_, split)| choices.takes(*split)) {
            let path = source.join(name);
            if !is_there(&path) {
                bail!(
                    "--splits {split}: expected {name} in the folder {}, found none; {} and other tables have no splits",
                    source.display(),
                    WHOLE.join(", ")
                );
            }
            tables.push(path);
        }
        return Ok((source.into(), tables));
    }
    if !source.is_dir() {
        let folder = source.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        return Ok((folder.into(), vec![source.into()]));
    }
    let there = |names: &[&str]| -> Vec<PathBuf> {
        names.iter().map(|name| source.join(name)).filter(|path| is_there(path)).collect()
    };
    let mut tables = there(&WHOLE);
    tables.truncate(1);
    let splits = SPLITS.map(|(name, _)| name);
    if tables.is_empty() {
        tables = there(&splits);
    }
    if tables.is_empty() {
        bail!(
            "{}: expected {} or {}, found none; a table with another name can be given itself",
            source.display(),
            WHOLE.join(", "),
            splits.join(", ")
        );
    }
    Ok((source.into(), tables))
}

/// A line, for errors with its path and for lists with its name.
struct Place<'a> {
    table: &'a Path,
    number: usize,
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.table.file_name().unwrap_or_default().to_string_lossy();
        write!(formatter, "{name}:{}", self.number)
    }
}

impl Place<'_> {
    fn wrong(&self, message: &str) -> anyhow::Error {
        anyhow!("{}:{}: {message}", self.table.display(), self.number)
    }
}

struct Rows {
    images: ImageFiles,
    /// Hashes of the captions so far.
    captions: FxHashSet<u64>,
    repeated: usize,
    without_article: usize,
}

impl Rows {
    fn import(&mut self, session: &mut ImportSession, line: &str, place: &Place) -> Result<()> {
        let written = Written::parse_line(line.as_bytes()).map_err(|error| place.wrong(&error))?;
        let Written::Object(fields) = &written else { return Err(place.wrong("expected a JSON object")) };
        let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        let image = match field("image") {
            Some(Written::Text(image)) if !image.trim().is_empty() => image.trim(),
            Some(_) => return Err(place.wrong("field image: expected the name of an image, found another value")),
            None => {
                let found: Vec<&str> = fields.iter().map(|(key, _)| key.as_str()).collect();
                return Err(place.wrong(&format!("expected a field image, found only {}", found.join(", "))));
            }
        };
        if image.starts_with('/')
            || image.contains("://")
            || image.contains('\\')
            || image.split('/').any(|part| part == "..")
        {
            let message = format!("field image: expected the name of a member of images.zip, found {image:?}");
            return Err(place.wrong(&message));
        }
        let name = image.rsplit('/').next().unwrap_or(image);
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
        if !PICTURES.contains(&ending.as_str()) {
            session.leave_out("not a picture, but another file of the article", place);
            return Ok(());
        }
        let caption = match field("caption") {
            Some(Written::Text(caption)) => caption.trim(),
            None | Some(Written::Null) => "",
            Some(_) => return Err(place.wrong("field caption: expected a text, found another value")),
        };
        if caption.is_empty() {
            session.leave_out("no caption", place);
            return Ok(());
        }
        let path = match self.images.find_named(name)? {
            Ok(found) => found.path,
            Err(reason) => {
                session.leave_out(reason, place);
                return Ok(());
            }
        };
        // Names that end in .jpg are the rule; others keep their ending, so that two files never share an id.
        let id = name.strip_suffix(".jpg").unwrap_or(name);
        if session.has_document(id) {
            session.leave_out("an earlier row has the image", place);
            return Ok(());
        }
        let article = article_of(name).or_else(|| match field("pmcid") {
            Some(Written::Text(article)) => article_of(article).or_else(|| article.trim().parse().ok()),
            Some(Written::Number(digits)) => digits.parse().ok(),
            _ => None,
        });
        self.without_article += usize::from(article.is_none());
        self.repeated += usize::from(!self.captions.insert(Fingerprint::number_of(caption.as_bytes())));
        let image = session.image(&path, name)?;
        session
            .document(Document {
                id: id.into(),
                image,
                caption: caption.into(),
                source: Some(FORMAT.into()),
                group: article.map(article_group),
            })
            .with_context(|| place.to_string())
    }

    fn remark(&self, session: &mut ImportSession) {
        if self.repeated > 0 {
            session.remark(format!(
                "{} captions repeat one of an earlier row; PMC-OA Beta gives every part of a figure the caption of the whole",
                self.repeated
            ));
        }
        if self.without_article > 0 {
            let text =
                format!("{} images name no article (PMC…), so their documents have no group", self.without_article);
            session.remark(text);
        }
        self.images.remark().into_iter().for_each(|remark| session.remark(remark));
    }
}
