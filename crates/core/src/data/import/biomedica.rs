//! `import biomedica`: the WebDataset shards of BIOMEDICA. A sample is adjacent members of a tar file with one key:
//! `KEY.jpg`, `KEY.txt` (caption) and `KEY.json`; the images stay in the shards.

use super::corpus_text::{Licences, article_group, article_of, refuse_cases};
use super::{ImportOptions, ImportSession, Imported, ProgressReport, RowsAs};
use crate::data::{Document, Manifest};
use crate::files::archive_member::{self, for_each_member};
use crate::files::input_file;
use crate::files::litter::is_litter;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};

const FORMAT: &str = "biomedica";
/// Maximum length of the JSON of a sample; it may hold the text of the whole article.
const LONGEST_JSON: u64 = 64 << 20;
/// Maximum length of a caption.
const LONGEST_CAPTION: u64 = 1 << 20;
/// Fields of a sample that are its image.
const IMAGES: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// Choices for [`import_biomedica`].
#[derive(Clone, Debug, Default)]
pub struct BiomedicaOptions {
    /// Takes only images under these licences; none takes all.
    pub licences: Vec<String>,
}

/// The fields of a sample's JSON that matter here.
#[derive(Deserialize)]
struct SampleJson {
    article_accession_id: Option<String>,
    article_license: Option<String>,
}

/// The members of a sample: the text before the first dot of their names, and what follows it.
#[derive(Default)]
struct Sample {
    key: String,
    fields: Vec<String>,
}

/// Imports a shard, or a folder of shards, as a corpus; one sample is in memory at a time, and the list of one shard.
///
/// # Errors
/// Fails if there is no shard, one is damaged, a sample's JSON is not as expected, or the target cannot be written.
pub fn import_biomedica(
    source: &Path,
    target: &Path,
    options: &BiomedicaOptions,
    choices: &ImportOptions,
    progress: ProgressReport,
) -> Result<Imported> {
    refuse_cases(choices, FORMAT)?;
    let shards = find_shards(source)?;
    let lengths: Vec<u64> = shards.iter().map(|(_, path)| path.metadata().map_or(0, |found| found.len())).collect();
    let mut session = ImportSession::start(target, choices, RowsAs::Corpus)?;
    let mut licences = Licences::new(&options.licences);
    let mut done = 0;
    for ((name, path), length) in shards.iter().zip(&lengths) {
        for sample in samples_of(path)? {
            import_sample(&mut session, name, path, &sample, &mut licences)?;
        }
        done += length;
        progress((done >> 10) as usize, (lengths.iter().sum::<u64>() >> 10) as usize);
    }
    session.remark(format!("licences of the images: {}", licences.listed()));
    session.finish(Manifest {
        licence: Some(format!("of each article: {}", licences.listed())),
        note: Some("BIOMEDICA (Lozano et al., CVPR 2025); figures of PubMed Central, grouped by article".into()),
        ..Manifest::new("BIOMEDICA", Vec::new())
    })
}

/// Names (relative, without `.tar`) and paths of the shards, sorted.
fn find_shards(source: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut shards = Vec::new();
    let mut other = None;
    if source.is_dir() {
        find_below(source, "", &mut shards, &mut other)?;
    } else {
        let name = source.file_name().unwrap_or_default().to_string_lossy();
        shards.push((name.trim_end_matches(".tar").to_owned(), source.to_owned()));
    }
    shards.sort_unstable();
    if shards.is_empty() {
        let found = other.map_or("none".into(), |name: String| format!("only files such as {name}"));
        bail!(
            "{}: expected shards of BIOMEDICA (x-000000.tar), found {found}; `import hf` reads parquet files",
            source.display()
        );
    }
    Ok(shards)
}

fn find_below(
    folder: &Path,
    before: &str,
    shards: &mut Vec<(String, PathBuf)>,
    other: &mut Option<String>,
) -> Result<()> {
    let cannot_list = || format!("cannot list the folder {}", folder.display());
    for entry in fs::read_dir(folder).with_context(cannot_list)? {
        let entry = entry.with_context(cannot_list)?;
        let Ok(name) = entry.file_name().into_string() else {
            bail!("{}: expected a name in UTF-8, found other bytes", entry.path().display());
        };
        if is_litter(&name) {
            continue;
        }
        if entry.file_type().with_context(cannot_list)?.is_dir() {
            find_below(&entry.path(), &format!("{before}{name}/"), shards, other)?;
        } else if let Some(stem) = name.strip_suffix(".tar") {
            shards.push((format!("{before}{stem}"), entry.path()));
        } else {
            *other = Some(name);
        }
    }
    Ok(())
}

/// Adjacent members with the same key, in the order of the shard.
fn samples_of(shard: &Path) -> Result<Vec<Sample>> {
    let mut samples: Vec<Sample> = Vec::new();
    for_each_member(shard, &mut |member, _| {
        let (folder, name) =
            member.rsplit_once('/').map_or(("", member), |(folder, name)| (&member[..=folder.len()], name));
        if is_litter(name) {
            return Ok(());
        }
        let (stem, field) = name.split_once('.').unwrap_or((name, ""));
        let key = format!("{folder}{stem}");
        match samples.last_mut() {
            Some(last) if last.key == key => last.fields.push(field.into()),
            _ => samples.push(Sample { key, fields: vec![field.into()] }),
        }
        Ok(())
    })
    .with_context(|| format!("cannot read the shard {}", shard.display()))?;
    Ok(samples)
}

fn import_sample(
    session: &mut ImportSession,
    shard_name: &str,
    shard: &Path,
    sample: &Sample,
    licences: &mut Licences,
) -> Result<()> {
    let key = &sample.key;
    let place = format!("{shard_name}.tar: {key}");
    let has = |field: &str| sample.fields.iter().any(|known| known == field);
    let member = |field: &str| PathBuf::from(format!("{}!/{key}.{field}", shard.display()));
    let Some(image_field) = IMAGES.into_iter().find(|field| has(field)) else {
        // A dot in the name parts it wrongly: `img.1.jpg` is the field `1.jpg` of the sample `img`.
        let is_cut = sample.fields.iter().any(|field| IMAGES.iter().any(|image| field.ends_with(&format!(".{image}"))));
        let reason = if is_cut { "a dot in the name of the sample, so that its image has no name" } else { "no image" };
        session.leave_out(reason, &place);
        return Ok(());
    };
    if !has("json") {
        session.leave_out("no .json, so that its article is unknown", &place);
        return Ok(());
    }
    let read = |field: &str, most: u64| -> Result<Vec<u8>> {
        let path = member(field);
        archive_member::read(&path, most).with_context(|| format!("cannot read {}", path.display()))
    };
    let json: SampleJson = serde_json::from_slice(&read("json", LONGEST_JSON)?)
        .with_context(|| format!("{}: expected an object with article_accession_id", member("json").display()))?;
    let Some(article) = json.article_accession_id.as_deref().and_then(article_of) else {
        session.leave_out("no article (PMC…) in the field article_accession_id", &place);
        return Ok(());
    };
    let licence = json.article_license.as_deref().map_or("not named", str::trim);
    if !licences.take(licence) {
        session.leave_out(&format!("licence {licence}"), &place);
        return Ok(());
    }
    let caption = if has("txt") { read("txt", LONGEST_CAPTION)? } else { Vec::new() };
    let caption = input_file::text(&caption).with_context(|| member("txt").display().to_string())?.trim();
    if caption.is_empty() {
        session.leave_out("no caption", &place);
        return Ok(());
    }
    let image = session.image(&member(image_field), &format!("{shard_name}/{key}.{image_field}"))?;
    licences.count(licence);
    // Keys are counted anew in each shard.
    session.document(Document {
        id: format!("{shard_name}/{key}"),
        image,
        caption: caption.into(),
        source: Some(FORMAT.into()),
        group: Some(article_group(article)),
    })
}
