//! The teacher rates candidates: the reader, or one of two controls that bound what the reader can teach.

use super::loss::{ReaderScore, reader_score};
use anyhow::{Context, Result, bail};
use dissent_core::data::{Dataset, LabelIndex};
use dissent_core::files::fingerprint::Fingerprint;
use dissent_core::files::input_file;
use dissent_core::run::LabelScores;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// p(gold) of a candidate of the right entity, and of another entity, in the control that knows the entities.
const ENTITY_PROBABILITIES: [f32; 2] = [0.9, 0.1];

/// Source of ℓ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TeacherSource {
    /// The reader's answers.
    Reader,
    /// The reader's answers, shuffled among the candidates: a control from which nothing can be learned.
    Shuffled,
    /// A CSV file `id,entity` over cases and documents: the upper bound, with the true entities as teacher.
    Entities(PathBuf),
}

impl FromStr for TeacherSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "reader" => Ok(Self::Reader),
            "shuffled" => Ok(Self::Shuffled),
            file if Path::new(file).extension().is_some_and(|extension| extension == "csv") => {
                Ok(Self::Entities(file.into()))
            }
            other => Err(format!("expected reader, shuffled or a CSV file of entities, found {other:?}")),
        }
    }
}

/// A teacher that is ready to rate.
pub enum Teacher {
    Reader,
    Shuffled { seed: u64 },
    Entities { of_case: Vec<Option<String>>, of_document: Vec<Option<String>> },
}

impl Teacher {
    /// Reads the data of the source.
    ///
    /// # Errors
    /// Fails if the file of entities cannot be read or contains none of the cases.
    pub fn open(source: &TeacherSource, dataset: &Dataset, seed: u64) -> Result<Self> {
        match source {
            TeacherSource::Reader => Ok(Self::Reader),
            TeacherSource::Shuffled => Ok(Self::Shuffled { seed }),
            TeacherSource::Entities(path) => {
                let entities = read_entities(path)?;
                let of = |id: &str| entities.get(id).cloned();
                let of_case: Vec<_> = dataset.cases.iter().map(|case| of(&case.id)).collect();
                let of_document: Vec<_> = dataset.corpus.iter().map(|document| of(document.id)).collect();
                if of_case.iter().all(Option::is_none) || of_document.iter().all(Option::is_none) {
                    bail!(
                        "{}: expected lines id,entity for cases and documents, found none of their ids",
                        path.display()
                    );
                }
                Ok(Self::Entities { of_case, of_document })
            }
        }
    }

    /// Fingerprint of the source's data.
    pub fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Reader | Self::Shuffled { .. } => Fingerprint::of_bytes(b""),
            Self::Entities { of_case, of_document } => {
                let entities = of_case.iter().chain(of_document);
                Fingerprint::of_parts(entities.map(|entity| entity.as_deref().unwrap_or_default()))
            }
        }
    }

    /// ℓ of a case's candidates, from the reader's answers to them.
    pub fn scores(
        &self,
        kind: ReaderScore,
        case: usize,
        gold: LabelIndex,
        answers: &[&LabelScores],
        rows: &[usize],
    ) -> Vec<f32> {
        let mut scores: Vec<f32> = answers.iter().map(|answer| reader_score(kind, answer, gold)).collect();
        match self {
            Self::Reader => {}
            Self::Shuffled { seed } => {
                let mut random = ChaCha8Rng::seed_from_u64(*seed);
                random.set_stream(case as u64);
                scores.shuffle(&mut random);
            }
            Self::Entities { of_case, of_document } => {
                for (score, row) in scores.iter_mut().zip(rows) {
                    let same = of_case[case].is_some() && of_case[case] == of_document[*row];
                    *score = ENTITY_PROBABILITIES[usize::from(!same)].ln();
                }
            }
        }
        scores
    }
}

fn read_entities(path: &Path) -> Result<HashMap<String, String>> {
    let file = input_file::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut reader = csv::Reader::from_reader(file);
    let mut entities = HashMap::new();
    for line in reader.deserialize::<(String, String)>() {
        let (id, entity) = line.with_context(|| format!("{}: expected lines id,entity", path.display()))?;
        entities.insert(id, entity);
    }
    Ok(entities)
}
