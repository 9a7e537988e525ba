//! `import roco`: ROCO as its repository has it (`data/SPLIT/radiology/captions.txt` and others), with the images that
//! `scripts/fetch.py` puts beside the captions. Articles are groups: 64 % of the test articles are also in training.

use super::corpus_text::{BytesRead, Licences, article_group, article_of, for_each_line, refuse_cases};
use super::known_table::KnownTable;
use super::{ImageFiles, ImportOptions, ImportSession, Imported, ProgressReport, RowsAs};
use crate::data::{Document, Manifest, Split};
use crate::files::fingerprint::Fingerprint;
use crate::files::input_file::is_there;
use anyhow::{Result, bail};
use rustc_hash::FxHashMap;
use std::path::{Path, PathBuf};

const FORMAT: &str = "roco";
const SPLITS: [Split; 3] = [Split::Train, Split::Validation, Split::Test];
const CAPTIONS: &str = "captions.txt";
const LICENCES: &str = "licences.txt";

/// Choices for [`import_roco`].
#[derive(Clone, Debug, Default)]
pub struct RocoOptions {
    /// Also imports `non-radiology`: photographs, diagrams, tables.
    pub non_radiology: bool,
    /// Takes only images under these licences; none takes all.
    pub licences: Vec<String>,
}

/// A folder of the release.
struct Part {
    folder: PathBuf,
    /// `radiology` or `non-radiology`.
    class: &'static str,
}

/// Imports the repository, or its folder `data`, as a corpus; one row is in memory at a time.
///
/// # Errors
/// Fails if there is no `captions.txt`, a line has no caption field, an article is not named as expected, or the target
/// cannot be written.
pub fn import_roco(
    source: &Path,
    target: &Path,
    options: &RocoOptions,
    choices: &ImportOptions,
    progress: ProgressReport,
) -> Result<Imported> {
    refuse_cases(choices, FORMAT)?;
    let parts = find_parts(source, options.non_radiology, choices)?;
    let all = parts.iter().filter_map(|part| Some(part.folder.join(CAPTIONS).metadata().ok()?.len())).sum();
    let mut bytes_read = BytesRead::new(all, progress);
    let mut session = ImportSession::start(target, choices, RowsAs::Corpus)?;
    let mut licences = Licences::new(&options.licences);
    let mut without_images = Vec::new();
    for part in &parts {
        if import_part(&mut session, part, &mut licences, &mut bytes_read)? {
            without_images.push(part.folder.join("images").display().to_string());
        }
    }
    if !without_images.is_empty() {
        session.leave_out_help(format!(
            "expected images that the repository's scripts/fetch.py downloads, found none in {}",
            without_images.join(", ")
        ));
    }
    if !options.non_radiology {
        session.remark("only the folders `radiology`; --non-radiology takes the others, too");
    }
    let manifest = Manifest {
        licence: Some(format!("of each article: {}", licences.listed())),
        note: Some("ROCO (Pelka et al., LABELS 2018); figures of PubMed Central, grouped by article".into()),
        ..Manifest::new("ROCO", Vec::new())
    };
    session.remark(format!("licences of the images: {}", licences.listed()));
    session.remark(choices.remark_on_splits());
    session.finish(manifest)
}

/// The folders of the splits that are wanted. Each split must have one if they were named.
fn find_parts(source: &Path, non_radiology: bool, choices: &ImportOptions) -> Result<Vec<Part>> {
    let classes: &[&'static str] = if non_radiology { &["radiology", "non-radiology"] } else { &["radiology"] };
    let mut parts = Vec::new();
    let data = [source.join("data"), source.to_owned()];
    for data in &data {
        let mut missing = None;
        for split in SPLITS.into_iter().filter(|split| choices.takes(*split)) {
            let before = parts.len();
            for class in classes.iter().copied() {
                let folder = data.join(split.to_string()).join(class);
                if is_there(&folder.join(CAPTIONS)) {
                    parts.push(Part { folder, class });
                }
            }
            if parts.len() == before {
                missing = Some(split);
            }
        }
        match missing {
            _ if parts.is_empty() => {}
            Some(split) if !choices.splits.is_empty() => {
                bail!("--splits {split}: expected {split}/radiology/{CAPTIONS} in {}, found none", data.display())
            }
            _ => return Ok(parts),
        }
    }
    bail!(
        "{}: expected the repository of ROCO, or its folder data, with {{train,validation,test}}/radiology/{CAPTIONS}, found no \
         such file",
        source.display()
    )
}

/// Imports a folder; returns whether it has rows, but no image.
fn import_part(
    session: &mut ImportSession,
    part: &Part,
    licences: &mut Licences,
    bytes_read: &mut BytesRead,
) -> Result<bool> {
    let mut images = match part.folder.join("images") {
        folder if folder.is_dir() => Some(ImageFiles::with_archives(&folder)?),
        _ => None,
    };
    let captions = part.folder.join(CAPTIONS);
    let mut articles = Articles::open(&part.folder.join(LICENCES))?;
    let source = format!("{FORMAT} {}", part.class);
    let in_release =
        part.folder.components().rev().take(2).fold(PathBuf::new(), |end, name| Path::new(&name).join(end));
    for_each_line(&captions, &mut |number, line| {
        bytes_read.add(line.len() as u64 + 1);
        if line.trim().is_empty() {
            return Ok(());
        }
        let Some((id, caption)) = line.split_once('\t') else {
            bail!("{}:{number}: expected an id, a tab and a caption, found no tab", captions.display());
        };
        let place = format!("{}:{number}", in_release.join(CAPTIONS).display());
        let (id, caption) = (id.trim(), caption.trim());
        let Some((article, licence)) = articles.of(id)? else {
            session.leave_out("no row in licences.txt, so that its article is unknown", &place);
            return Ok(());
        };
        if !licences.take(&licence) {
            session.leave_out(&format!("licence {licence}"), &place);
            return Ok(());
        }
        if caption.is_empty() {
            session.leave_out("no caption", &place);
            return Ok(());
        }
        let name = format!("{id}.jpg");
        let found = match &mut images {
            Some(images) => images.find_named(&name)?,
            None => Err("no image file"),
        };
        let path = match found {
            Ok(found) => found.path,
            Err(reason) => {
                session.leave_out(reason, &place);
                return Ok(());
            }
        };
        let image = session.image(&path, &name)?;
        licences.count(&licence);
        session.document(Document {
            id: id.into(),
            image,
            caption: caption.into(),
            source: Some(source.clone()),
            group: Some(article_group(article)),
        })
    })?;
    Ok(images.is_none_or(|images| images.is_empty()))
}

/// The article and licence of each image. The rows of `licences.txt` are in the order of the captions, so that one row is in
/// memory; if they are not, all of them.
struct Articles {
    path: PathBuf,
    table: KnownTable,
    columns: [usize; 3],
    all: Option<FxHashMap<u64, (u64, String)>>,
}

impl Articles {
    fn open(path: &Path) -> Result<Self> {
        if !is_there(path) {
            bail!(
                "{}: expected the articles and licences of the images, found no such file; without it no case can be kept \
                 from figures of its own article. It is in the repository of ROCO",
                path.display()
            );
        }
        let table = KnownTable::open(path)?;
        let columns = [table.column("ROCO_ID")?, table.column("PMC_ID")?, table.column("CC")?];
        Ok(Self { path: path.into(), table, columns, all: None })
    }

    /// Article and licence of an image.
    fn of(&mut self, id: &str) -> Result<Option<(u64, String)>> {
        if self.all.is_none() {
            match self.next_row()? {
                Some((next, article, licence)) if next == id => return Ok(Some((article, licence))),
                _ => self.read_all()?,
            }
        }
        Ok(self.all.as_ref().and_then(|all| all.get(&Fingerprint::number_of(id.as_bytes())).cloned()))
    }

    fn next_row(&mut self) -> Result<Option<(String, u64, String)>> {
        let [id, article, licence] = self.columns;
        let Some(row) = self.table.next_row()? else { return Ok(None) };
        let Some(number) = article_of(row.text(article)) else {
            return Err(row.wrong(article, "a name that begins with an article, such as PMC4608653_cro-0008.jpg"));
        };
        Ok(Some((row.text(id).into(), number, row.text(licence).into())))
    }

    fn read_all(&mut self) -> Result<()> {
        self.table = KnownTable::open(&self.path)?;
        let mut all = FxHashMap::default();
        while let Some((id, article, licence)) = self.next_row()? {
            if let Some(other) = all.insert(Fingerprint::number_of(id.as_bytes()), (article, licence))
                && other.0 != article
            {
                bail!("{}: expected one row for {id}, found two with different articles", self.path.display());
            }
        }
        self.all = Some(all);
        Ok(())
    }
}
