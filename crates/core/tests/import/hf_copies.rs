//! PathVQA and VQA-RAD as the Hugging Face hub has them.

use crate::hf::{cases, copied, fixture, left_out};
use crate::support::opened;
use dissent_core::data::Split;
use dissent_core::data::import::{HfOptions, ImportOptions, import_path_vqa, import_vqa_rad_mirror, is_vqa_rad_mirror};
use std::fs;
use std::path::Path;

#[test]
fn path_vqa_reads_parquet_and_no_pickle() {
    let folder = copied("vqa");
    let target = folder.path().join("out");
    let import =
        |source: &Path| import_path_vqa(source, &target, &HfOptions::default(), &ImportOptions::default(), &|_, _| {});
    fs::write(folder.path().join("train_qa.pkl"), "cos\nsystem\n(S'true'\ntR.").unwrap();
    let imported = import(folder.path()).unwrap();
    let dataset = opened(&imported, &target);
    assert!(imported.remarks.iter().any(|remark| remark.starts_with("1 pickles are not read")), "{imported:?}");
    assert_eq!(cases(&dataset)[0], ("train-000000", "path-vqa-open", Split::Train, "a gland"));
    assert_eq!(cases(&dataset)[1], ("train-000001", "path-vqa", Split::Train, "yes"));
    assert_eq!(dataset.cases.len(), 8);
    assert!(left_out(&imported)[0].contains("train-00001-of-00002.parquet:2 has \"nan\""), "{imported:?}");
    fs::remove_dir_all(folder.path().join("data")).unwrap();
    fs::remove_dir_all(&target).unwrap();
    for source in [folder.path().to_owned(), folder.path().join("train_qa.pkl")] {
        let error = import(&source).unwrap_err().to_string();
        assert!(error.contains("1 pickles (train_qa.pkl)") && error.contains("give its folder"), "{error}");
        assert!(!target.exists());
    }
}

#[test]
fn the_copy_of_vqa_rad_gets_ids_and_patients_from_the_release() {
    let copy = fixture("vqa_rad/copy");
    let import = |osf: Option<&Path>| {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out");
        let options = ImportOptions::default();
        let imported = import_vqa_rad_mirror(&copy, osf, &target, &HfOptions::default(), &options, &|_, _| {}).unwrap();
        let dataset = opened(&imported, &target);
        (imported, dataset)
    };
    assert!(is_vqa_rad_mirror(&copy) && !is_vqa_rad_mirror(&fixture("vqa_rad/osf")));
    let (imported, dataset) = import(Some(&fixture("vqa_rad/osf")));
    let found: Vec<_> = dataset.cases.iter().map(|case| (case.id.as_str(), case.group.as_deref().unwrap())).collect();
    let own = found[6].1;
    assert_eq!(
        found,
        [
            ("q1", "made0"),
            ("q2", "made0"),
            // Another picture of the same patient.
            ("q3", "made0"),
            ("q4", "made2"),
            ("q5", "made2"),
            ("train-000005", "made0"),
            ("train-000006", own),
            ("q6", "made0"),
        ]
    );
    assert_eq!((dataset.cases[3].answer.as_str(), dataset.cases[4].answer.as_str()), ("no", "yes"));
    assert!(!own.starts_with("made"));
    let expected = "6 of 8 rows joined to the OSF release by picture and question; 1 more only by picture";
    assert!(imported.remarks.iter().any(|remark| remark.starts_with(expected)), "{imported:?}");
    let (imported, dataset) = import(None);
    assert_eq!(dataset.cases[0].id, "train-000000");
    assert_ne!(dataset.cases[0].group, dataset.cases[2].group);
    assert!(imported.remarks.iter().any(|remark| remark.contains("--osf DIR")), "{imported:?}");
}
