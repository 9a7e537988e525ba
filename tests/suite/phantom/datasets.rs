//! The sample and the pools are valid datasets that say what they should.

use dissent::data::{Dataset, DocumentView, Existing, Split};
use dissent::files::fingerprint::Fingerprint;
use dissent::phantom::pool::{PAIRS_FILE, Pool, Stage};
use dissent::phantom::sample::{DEFAULT_SEED, lesion_covers, write_sample};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

fn share(count: usize, total: usize) -> f64 {
    count as f64 / total as f64
}

fn content(dataset: &Dataset, image: &Path) -> Fingerprint {
    Fingerprint::of_file(&dataset.image_path(image)).unwrap()
}

fn outcome(document: DocumentView<'_>) -> &str {
    document.caption.rsplit(' ').next().unwrap()
}

#[test]
fn the_sample_is_two_datasets_that_share_images_and_differ_in_outcomes() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("sample");
    write_sample(&out, 5, Existing::Refuse).unwrap();
    let dataset = Dataset::open(&out.join("dataset")).unwrap();
    let training = Dataset::open(&out.join("training")).unwrap();

    let count = |dataset: &Dataset, task: &str, split: Split| {
        dataset.cases.iter().filter(|case| case.task == task && case.split == split).count()
    };
    assert_eq!(count(&dataset, "malignancy", Split::Validation), 150);
    assert_eq!(count(&dataset, "malignancy", Split::Test), 600);
    assert_eq!(count(&dataset, "grade", Split::Validation), 50);
    assert_eq!(count(&dataset, "grade", Split::Test), 100);
    assert_eq!(count(&dataset, "malignancy", Split::Train), 0);
    assert_eq!(count(&training, "malignancy", Split::Train), 330);
    assert_eq!(count(&training, "malignancy", Split::Validation), 80);
    assert_eq!(count(&training, "grade", Split::Train), 100);
    assert_eq!(count(&training, "malignancy", Split::Test) + count(&training, "grade", Split::Test), 0);

    // Same images and words, another outcome for half of the entities.
    assert_eq!((dataset.corpus.len(), training.corpus.len()), (570, 570));
    let (mut ultrasound, mut differ) = (0, 0);
    for (here, there) in dataset.corpus.iter().zip(&training.corpus) {
        assert_eq!(here.id, there.id);
        assert_eq!(content(&dataset, here.image), content(&training, there.image));
        if here.source == Some("fundus") {
            assert_eq!(here.caption, there.caption);
            continue;
        }
        assert_eq!((here.source, there.source), (Some("ultrasound-b"), Some("ultrasound-a")));
        assert_eq!(here.caption.rsplit_once(' ').unwrap().0, there.caption.rsplit_once(' ').unwrap().0);
        ultrasound += 1;
        differ += usize::from(outcome(here) != outcome(there));
    }
    assert_eq!(ultrasound, 420);
    assert!((0.45..0.6).contains(&share(differ, ultrasound)), "{differ} of {ultrasound} outcomes differ");

    // The prevalence of malignant lesions is .4 among documents and test cases.
    let malignant = dataset.corpus.iter().filter(|document| outcome(*document) == "malignant").count();
    assert!((share(malignant, 420) - 0.4).abs() < 0.02, "{malignant} of 420");
    let malignant = dataset.cases.iter().filter(|case| case.split == Split::Test && case.answer == "Yes").count();
    assert!((share(malignant, 600) - 0.4).abs() < 0.02, "{malignant} of 600");

    // A site's outcome depends on the entity alone.
    let entities = fs::read_to_string(out.join("entities.csv")).unwrap();
    let signs: HashMap<&str, &str> = entities.lines().skip(1).map(|line| line.split_once(',').unwrap()).collect();
    let mut answers: HashMap<&str, HashSet<&str>> = HashMap::new();
    for case in dataset.cases.iter().filter(|case| case.task == "malignancy") {
        answers.entry(signs[case.id.as_str()]).or_default().insert(&case.answer);
    }
    assert_eq!(answers.len(), 16);
    assert!(answers.values().all(|answers| answers.len() == 1));

    // No two phantoms are the same picture, so no case is in the corpus.
    let mut seen = HashSet::new();
    for (dataset, image) in dataset
        .cases
        .iter()
        .map(|case| (&dataset, case.image.as_path()))
        .chain(dataset.corpus.iter().map(|document| (&dataset, document.image)))
        .chain(training.cases.iter().map(|case| (&training, case.image.as_path())))
    {
        if image.starts_with("..") {
            continue;
        }
        assert!(seen.insert(content(dataset, image)), "{} is there twice", image.display());
    }
    assert_eq!(seen.len(), 570 + 900 + 510);
    let files = listing(&out);
    let bytes: usize = files.iter().map(|(_, content)| content.len()).sum();
    assert!(bytes < 4_000_000, "{bytes} bytes");

    // From the same seed the same bytes on every machine: pictures and signs, then words and answers.
    let mut drawn = Vec::new();
    for (path, content) in &files {
        if path.extension().is_some_and(|extension| extension == "png" || extension == "csv") {
            drawn.extend_from_slice(content);
        }
    }
    for dataset in [&dataset, &training] {
        drawn.extend(dataset.corpus.iter().flat_map(|document| document.caption.bytes()));
        drawn.extend(dataset.cases.iter().flat_map(|case| case.answer.bytes()));
    }
    assert_eq!(Fingerprint::of_bytes(&drawn).to_string(), "638b5f29ae57d471");
    let error = write_sample(&out, 5, Existing::Refuse).unwrap_err();
    assert!(error.to_string().contains("exists and is not empty"), "{error}");
}

/// Every file below a folder with its content, sorted.
fn listing(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push((path.strip_prefix(root).unwrap().to_path_buf(), fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

fn pool(stage: Stage, count: usize) -> (tempfile::TempDir, Dataset) {
    let folder = tempfile::tempdir().unwrap();
    Pool::new(stage, count, 3).write(folder.path()).unwrap();
    let dataset = Dataset::open(folder.path()).unwrap();
    (folder, dataset)
}

#[test]
fn a_pool_of_signs_has_no_other_word() {
    let (_folder, dataset) = pool(Stage::Signs, 120);
    assert_eq!(dataset.corpus.len(), 120);
    let captions: HashSet<&str> = dataset.corpus.iter().map(|document| document.caption).collect();
    assert!(captions.len() <= 16 + 5, "{captions:?}");
    assert!(dataset.cases.iter().all(|case| case.split == Split::Validation));
}

#[test]
fn a_pool_of_captions_tells_random_outcomes_in_half_of_them() {
    let (_folder, dataset) = pool(Stage::Captions, 600);
    let ultrasound: Vec<DocumentView> =
        dataset.corpus.iter().filter(|document| document.source == Some("ultrasound")).collect();
    let told = ultrasound.iter().filter(|document| document.caption.contains("biopsy")).count();
    assert!((share(told, ultrasound.len()) - 0.5).abs() < 0.1, "{told} of {}", ultrasound.len());
    assert!((share(ultrasound.len(), 600) - 0.75).abs() < 0.06);
}

#[test]
fn a_pool_of_questions_asks_about_every_attribute() {
    let (_folder, dataset) = pool(Stage::ReaderQuestions, 200);
    let asked: HashSet<&str> = dataset.cases.iter().map(|case| case.task.as_str()).collect();
    assert_eq!(asked.len(), dataset.tasks.len());
    assert_eq!(dataset.tasks.len(), 14);
}

#[derive(Deserialize)]
struct Pair {
    case: String,
    document: String,
}

#[test]
fn a_pool_of_evidence_rewards_reading_the_reference_case() {
    let (folder, dataset) = pool(Stage::ReaderEvidence, 600);
    let text = fs::read_to_string(folder.path().join(PAIRS_FILE)).unwrap();
    let pairs: HashMap<String, String> = text
        .lines()
        .map(|line| serde_json::from_str::<Pair>(line).unwrap())
        .map(|pair| (pair.case, pair.document))
        .collect();
    assert_eq!(pairs.len(), dataset.cases.len());
    let (mut cases, mut shown, mut agree, mut same) = (0, 0, 0, 0);
    for case in &dataset.cases {
        let document = dataset.corpus.document(dataset.corpus.row_of(&pairs[&case.id]).unwrap());
        same += usize::from(case.task.starts_with("same-") && case.answer == "Yes");
        if case.task != "malignancy" {
            continue;
        }
        cases += 1;
        shown += usize::from(outcome(document) == "malignant");
        agree += usize::from((outcome(document) == "malignant") == (case.answer == "Yes"));
    }
    assert!((share(shown, cases) - 0.4).abs() < 0.07, "{shown} of {cases} show a malignant lesion");
    // All of the same entity (.4 and a few by chance), and about .52 of the rest.
    assert!((share(agree, cases) - 0.71).abs() < 0.07, "{agree} of {cases} agree with the reference");
    assert!((0.45..0.7).contains(&share(same, dataset.cases.len() - dataset.cases.len() / 2)), "{same}");
    let question = dataset.task("malignancy").unwrap().question.clone();
    assert_eq!(question.as_deref(), Some("Is the lesion malignant?"));
}

#[test]
fn a_pool_is_not_written_over_files() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.txt"), "mine").unwrap();
    let error = Pool::new(Stage::Signs, 3, 1).write(folder.path()).unwrap_err();
    assert!(error.to_string().contains("expected a new or empty folder"), "{error}");
    let error = Pool::new(Stage::Signs, 0, 1).write(&folder.path().join("new")).unwrap_err();
    assert!(error.to_string().contains("expected a count"), "{error}");
}

/// The lesion is the darkest part of the tissue around it, so a wrong place shows.
#[test]
fn the_lesions_of_the_embedded_sample_are_where_they_are_said_to_be() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/dataset");
    let dataset = Dataset::open(&root).unwrap();
    let covers = lesion_covers(DEFAULT_SEED);
    let (mut darker, mut looked_at) = (0, 0);
    let corpus = dataset.corpus.iter().map(|document| (document.id, document.image));
    for (id, image) in corpus.chain(dataset.cases.iter().map(|case| (case.id.as_str(), case.image.as_path()))) {
        let Some(cover) = covers.get(id) else { continue };
        let image = dataset.picture(image).unwrap().to_rgb8();
        let mean = |is_wanted: &dyn Fn(f32, u8) -> bool| {
            let seen = image.pixels().zip(cover).filter(|(pixel, cover)| is_wanted(**cover, pixel.0[0]));
            let (count, sum) = seen.fold((0, 0), |(count, sum), (pixel, _)| (count + 1, sum + u32::from(pixel.0[0])));
            f64::from(sum) / f64::from(count)
        };
        looked_at += 1;
        // Black is outside of the probe's beam.
        darker += usize::from(mean(&|cover, _| cover > 0.9) < mean(&|cover, value| cover < 0.1 && value > 0));
    }
    assert_eq!(looked_at, 420 + 150 + 600);
    assert!(darker * 100 >= looked_at * 99, "{darker} of {looked_at}");
}
