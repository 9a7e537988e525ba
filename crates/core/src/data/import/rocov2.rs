//! `import rocov2`: ROCOv2 as on Zenodo, its zip files unpacked or not.

use super::corpus_text::{article_group, article_of, refuse_cases};
use super::known_table::KnownTable;
use super::{ImageFiles, ImportOptions, ImportSession, Imported, ProgressReport, RowsAs};
use crate::data::{Document, Manifest, Split};
use crate::files::fingerprint::Fingerprint;
use crate::files::input_file::is_there;
use anyhow::{Result, bail};
use rustc_hash::FxHashMap;
use std::path::{Path, PathBuf};

const FORMAT: &str = "rocov2";
const SPLITS: [(&str, Split); 3] = [("train", Split::Train), ("valid", Split::Validation), ("test", Split::Test)];
const LICENCES: &str = "license_information.csv";
/// Rows between two reports of progress.
const REPORTED: usize = 1024;

/// Imports the folder with the tables and the images, or `*_images.zip`, as a corpus; one row of a table is in memory at a time.
///
/// # Errors
/// Fails if a table or `license_information.csv` is missing or not as expected, or the target cannot be written.
pub fn import_rocov2(
    source: &Path,
    target: &Path,
    choices: &ImportOptions,
    progress: ProgressReport,
) -> Result<Imported> {
    refuse_cases(choices, FORMAT)?;
    let tables = find_tables(source, choices)?;
    let articles = read_articles(&source.join(LICENCES))?;
    let mut images = ImageFiles::with_archives(source)?;
    let mut session = ImportSession::start(target, choices, RowsAs::Corpus)?;
    let mut without_article = 0;
    let before: Vec<u64> = tables.iter().map(|(_, path)| path.metadata().map_or(0, |found| found.len())).collect();
    for (number, (split, path)) in tables.iter().enumerate() {
        let mut table = KnownTable::open(path)?;
        let (id_column, caption_column) = (table.column("ID")?, table.column("Caption")?);
        let mut rows = 0;
        loop {
            rows += 1;
            if rows % REPORTED == 0 {
                let done = before[..number].iter().sum::<u64>() + table.bytes_read();
                progress((done >> 10) as usize, (before.iter().sum::<u64>() >> 10) as usize);
            }
            let Some(row) = table.next_row()? else { break };
            let (id, caption) = (row.text(id_column), row.text(caption_column));
            if id.is_empty() {
                return Err(row.wrong(id_column, "the name of an image"));
            }
            if caption.is_empty() {
                session.leave_out("no caption", &row);
                continue;
            }
            let name = format!("{id}.jpg");
            let image = match images.find_named(&name)? {
                Ok(found) => found.path,
                Err(reason) => {
                    session.leave_out(reason, &row);
                    continue;
                }
            };
            let article = articles.get(&Fingerprint::number_of(id.as_bytes()));
            without_article += usize::from(article.is_none());
            let image = session.image(&image, &format!("{split}/{name}"))?;
            session.document(Document {
                id: id.into(),
                image,
                caption: caption.into(),
                source: Some(FORMAT.into()),
                group: article.copied().map(article_group),
            })?;
        }
    }
    images.remark().into_iter().for_each(|remark| session.remark(remark));
    if without_article > 0 {
        session.remark(format!("{without_article} images have no row in {LICENCES}, so their documents have no group"));
    }
    session.remark(choices.remark_on_splits());
    session.finish(Manifest {
        licence: Some("of each article: see license_information.csv".into()),
        note: Some(
            "ROCOv2 (Rückert et al., Scientific Data 2024); figures of PubMed Central, grouped by article".into(),
        ),
        ..Manifest::new("ROCOv2", Vec::new())
    })
}

/// The tables of the splits that are wanted, each with the name of its split. All of them must be there if they were named.
fn find_tables(source: &Path, choices: &ImportOptions) -> Result<Vec<(&'static str, PathBuf)>> {
    let mut tables = Vec::new();
    for (name, split) in SPLITS {
        let path = source.join(format!("{name}_captions.csv"));
        if !choices.takes(split) {
            continue;
        }
        if is_there(&path) {
            tables.push((name, path));
        } else if !choices.splits.is_empty() {
            bail!("--splits {split}: expected {name}_captions.csv in {}, found none", source.display());
        }
    }
    if tables.is_empty() {
        bail!("{}: expected train_captions.csv, valid_captions.csv or test_captions.csv, found none", source.display());
    }
    Ok(tables)
}

/// The article of each image, by the hash of its name.
fn read_articles(path: &Path) -> Result<FxHashMap<u64, u64>> {
    if !is_there(path) {
        bail!(
            "{}: expected the articles of the images, found no such file; without it no case can be kept from figures of its \
             own article. It is on Zenodo beside the captions",
            path.display()
        );
    }
    let mut table = KnownTable::open(path)?;
    let (id, article) = (table.column("ID")?, table.column("PMCID")?);
    let mut articles = FxHashMap::default();
    while let Some(row) = table.next_row()? {
        let text = row.text(article);
        let Some(number) = article_of(text).or_else(|| text.parse().ok()) else {
            return Err(row.wrong(article, "an article of PubMed Central, such as PMC4608653"));
        };
        articles.insert(Fingerprint::number_of(row.text(id).as_bytes()), number);
    }
    Ok(articles)
}
