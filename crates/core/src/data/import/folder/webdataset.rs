//! WebDataset shards (.tar); images stay inside them.

use super::Job;
use super::default_mapping::mapping_for;
use super::webdataset_sample::{IMAGE, Sample, SampleFields};
use crate::data::Split;
use crate::data::import::{ImportSession, Imported, MappedRows, Record, RowPlace, RowsAs, Value, split_of_word};
use crate::files::archive_member::for_each_member;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many samples are read to know the fields.
const FIRST: usize = 100;

/// Imports the samples of all shards, in order.
///
/// # Errors
/// Fails if a shard is damaged or compressed, or the fields say neither labels nor captions.
pub(super) fn import(job: &Job, shards: &[PathBuf]) -> Result<Imported> {
    let first = shards.first().context("expected a shard")?;
    if let Some(packed) = shards.iter().find(|shard| shard.extension().is_none_or(|extension| extension != "tar")) {
        bail!(
            "{}: expected a plain .tar file, because no member of a compressed one can be found without decompressing all \
             before it; decompress it (`gunzip FILE.tar.gz`)",
            packed.display()
        );
    }
    let columns = columns_of(first)?;
    let mapping = mapping_for(job, IMAGE, &columns).with_context(|| format!("{}", first.display()))?;
    let rows_as = if mapping.tasks.is_empty() { RowsAs::Corpus } else { RowsAs::Both };
    let columns: Arc<[String]> = columns.into();
    let mut mapped = MappedRows::new(mapping, None)?;
    let mut session = ImportSession::start(job.target, job.options, rows_as)?;
    let mut done = 0;
    for shard in shards {
        let split = split_of_shard(shard);
        let file: Arc<Path> = Arc::from(shard.as_path());
        let mut number = 0;
        for_each_sample(shard, &mut |sample| {
            let place = RowPlace { file: Arc::clone(&file), row: number };
            number += 1;
            done += 1;
            (job.progress)(done, done);
            let fields = match sample.fields(shard)? {
                Ok(fields) => fields,
                Err(reason) => {
                    session.leave_out(reason, &format!("{place} {:?}", sample.key));
                    return Ok(true);
                }
            };
            let mut values = vec![Value::Missing; columns.len()];
            for (name, value) in fields {
                if let Some(position) = columns.iter().position(|column| *column == name) {
                    values[position] = value;
                }
            }
            mapped.add(&mut session, &Record { columns: Arc::clone(&columns), values, place }, split)?;
            Ok(true)
        })?;
    }
    for remark in missing_shards(shards) {
        session.remark(remark);
    }
    mapped.finish(session)
}

/// Names of the fields of the first samples.
fn columns_of(shard: &Path) -> Result<Vec<String>> {
    let mut columns: Vec<String> = Vec::new();
    let mut count = 0;
    for_each_sample(shard, &mut |sample| {
        let fields: SampleFields = sample.fields(shard)?;
        for (name, _) in fields.unwrap_or_default() {
            if !columns.contains(&name) {
                columns.push(name);
            }
        }
        count += 1;
        Ok(count < FIRST)
    })?;
    if columns.is_empty() {
        bail!("{}: expected samples with an image each, such as a.jpg and a.txt, found none", shard.display());
    }
    Ok(columns)
}

/// Calls `visit` with each sample, until it returns false.
fn for_each_sample(shard: &Path, visit: &mut dyn FnMut(&Sample) -> Result<bool>) -> Result<()> {
    let mut sample: Option<Sample> = None;
    let mut stopped: Option<Result<()>> = None;
    let walked = for_each_member(shard, &mut |member, _| {
        let Some((key, field)) = Sample::key_and_field(member) else { return Ok(()) };
        if sample.as_ref().is_none_or(|sample| sample.key != key)
            && let Some(whole) = sample.replace(Sample::new(key))
        {
            match visit(&whole) {
                Ok(true) => {}
                Ok(false) => stopped = Some(Ok(())),
                Err(error) => stopped = Some(Err(error)),
            }
            if stopped.is_some() {
                return Err(io::Error::other("stopped"));
            }
        }
        if let Some(sample) = &mut sample {
            sample.add(field, member);
        }
        Ok(())
    });
    if let Some(stopped) = stopped {
        return stopped;
    }
    walked?;
    if let Some(last) = sample {
        visit(&last)?;
    }
    Ok(())
}

/// The first word of the shard's name, or of its folder, that names a split.
fn split_of_shard(shard: &Path) -> Option<Split> {
    let name = shard.file_stem()?.to_string_lossy().into_owned();
    let folder = shard.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    let in_text = |text: &str| text.split(|letter: char| !letter.is_ascii_alphabetic()).find_map(split_of_word);
    in_text(&name).or_else(|| in_text(&folder))
}

/// Numbers that are missing between those of the shards.
fn missing_shards(shards: &[PathBuf]) -> Vec<String> {
    let mut numbers: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for shard in shards {
        let name = shard.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let start = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
        if let Ok(number) = name[start.len()..].parse() {
            numbers.entry(start.to_owned()).or_default().push(number);
        }
    }
    let mut remarks = Vec::new();
    for (start, found) in numbers {
        let (Some(last), count) = (found.iter().max(), found.len() as u64) else { continue };
        if count <= *last {
            let first = (0..=*last).find(|number| !found.contains(number)).unwrap_or_default();
            remarks.push(format!("{} shards {start}… are missing up to {last}, {first} first", last + 1 - count));
        }
    }
    remarks
}
