//! Well-known tables, in their layouts, with made-up rows.

use crate::support::{left_out, opened, put, put_image};
use dissent_core::data::import::{ImportOptions, Imported, TableOptions, import_table, shipped_mapping, shipped_names};
use dissent_core::data::{Case, Dataset, Split, TaskKind};
use std::path::Path;

fn import(source: &Path) -> (Imported, Dataset) {
    let target = source.parent().unwrap().join("out");
    let choices = TableOptions::default();
    let imported = import_table(source, &target, &choices, &ImportOptions::default(), &|_, _| {}).unwrap();
    let dataset = opened(&imported, &target);
    (imported, dataset)
}

fn rows(cases: &[Case]) -> Vec<(&str, Split, &str, &str)> {
    cases
        .iter()
        .map(|case| (case.id.as_str(), case.split, case.answer.as_str(), case.group.as_deref().unwrap()))
        .collect()
}

#[test]
fn every_shipped_mapping_is_valid() {
    for name in shipped_names() {
        let mapping = shipped_mapping(name).unwrap();
        assert!(mapping.licence.is_some() && mapping.note.is_some(), "{name}");
    }
    assert!(shipped_mapping("nothing").unwrap_err().to_string().contains("chexpert, nih-chestxray14"));
}

#[test]
fn chexpert_is_known_by_its_header() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("chexpert");
    let header = "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,\
                  Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,\
                  Fracture,Support Devices";
    let train = "CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg,Female,68,Frontal,AP,1.0,,,,,,,,,0.0,,,,1.0\n\
                 CheXpert-v1.0-small/train/patient00002/study1/view1_frontal.jpg,Male,87,Frontal,AP,,,-1.0,1.0,,-1.0,-1.0,,-1.0,,-1.0,,1.0,\n\
                 CheXpert-v1.0-small/train/patient00003/study1/view1_frontal.jpg,Male,87,Frontal,AP,1.0,,,,,,,,,0.0,,,,\n";
    let valid = "CheXpert-v1.0-small/valid/patient64541/study1/view1_frontal.jpg,Male,73,Frontal,AP,0.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0\n";
    put(&source, "train.csv", format!("{header}\n{train}"));
    put(&source, "valid.csv", format!("{header}\n{valid}"));
    // The copy without the prefix; the third patient was not copied.
    for name in ["train/patient00001", "train/patient00002", "valid/patient64541"] {
        put_image(&source, &format!("{name}/study1/view1_frontal.jpg"));
    }
    let (imported, dataset) = import(&source);
    assert_eq!(
        rows(&dataset.cases),
        [
            ("patient00001-study1-view1_frontal", Split::Train, "Support Devices", "patient00001"),
            ("patient00002-study1-view1_frontal", Split::Train, "Lung Opacity, Fracture", "patient00002"),
            ("patient64541-study1-view1_frontal", Split::Validation, "Enlarged Cardiomediastinum", "patient64541"),
        ]
    );
    assert_eq!(dataset.cases[0].unknown.len(), 0, "with No Finding, empty fields are absent");
    assert_eq!(dataset.cases[1].unknown.len(), 11, "uncertain and not mentioned are unknown, never 0");
    assert_eq!(dataset.cases[2].unknown.len(), 0);
    assert_eq!(left_out(&imported).len(), 1);
    assert!(
        left_out(&imported)[0].starts_with("1 left out: no image file (train.csv:4 has"),
        "{:?}",
        imported.left_out
    );
    assert!(dataset.licence.as_deref().unwrap().contains("not to be passed on"));
}

#[test]
fn nih_chestxray14_has_commas_in_its_header() {
    for (comma, fields) in [("", ""), (",", ","), (",", "")] {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("nih");
        let header = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,\
                      OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]";
        let text = format!(
            "{header}{comma}\n\
             00000001_000.png,Cardiomegaly|Pleural_Thickening,0,1,058Y,M,PA,2682,2749,0.143,0.143{fields}\n\
             00000001_001.png,No Finding,1,1,058Y,M,PA,2682,2749,0.143,0.143{fields}\n\
             00000002_000.png,Hernia,0,2,80,M,PA,2500,2048,0.171,0.171{fields}\n\
             00000003_000.png,Hernia,0,3,81,F,PA,2582,2991,0.143,0.143{fields}\n"
        );
        put(&source, "Data_Entry_2017.csv", text);
        put(&source, "train_val_list.txt", "00000001_000.png\n00000001_001.png\n");
        put(&source, "test_list.txt", "00000002_000.png\r\n");
        put_image(&source, "images_001/images/00000001_000.png");
        put_image(&source, "images_001/images/00000001_001.png");
        put_image(&source, "images_002/images/00000002_000.png");
        put_image(&source, "images_002/images/00000003_000.png");
        let (imported, dataset) = import(&source);
        assert_eq!(
            rows(&dataset.cases),
            [
                ("00000001_000", Split::Train, "Cardiomegaly, Pleural Thickening", "1"),
                ("00000001_001", Split::Train, "[]", "1"),
                ("00000002_000", Split::Test, "Hernia", "2"),
            ]
        );
        assert_eq!(dataset.tasks[0].labels.len(), 14);
        assert_eq!(dataset.corpus.document(1).caption, "frontal chest X-ray: No Finding");
        assert!(left_out(&imported)[0].starts_with("1 left out: no list of a split names the image"));
    }
}

#[test]
fn ham10000_groups_by_lesion() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("ham");
    let text = "lesion_id,image_id,dx,dx_type,age,sex,localization\n\
                HAM_0000118,ISIC_0027419,bkl,histo,80.0,male,scalp\n\
                HAM_0000118,ISIC_0025030,bkl,histo,,male,scalp\n\
                HAM_0002730,ISIC_0026769,mel,histo,80.0,male,scalp\n";
    put(&source, "HAM10000_metadata", text);
    put_image(&source, "HAM10000_images_part_1/ISIC_0027419.jpg");
    put_image(&source, "HAM10000_images_part_1/ISIC_0025030.jpg");
    put_image(&source, "HAM10000_images_part_2/ISIC_0026769.jpg");
    let (imported, dataset) = import(&source);
    let groups: Vec<_> = dataset.cases.iter().map(|case| case.group.as_deref().unwrap()).collect();
    assert_eq!(groups, ["HAM_0000118", "HAM_0000118", "HAM_0002730"]);
    assert_eq!(dataset.cases[0].split, dataset.cases[1].split, "images of one lesion are in one split");
    assert_eq!(dataset.cases[2].answer, "melanoma");
    assert!(imported.remarks.iter().any(|remark| remark.contains("drawn by lesion_id")), "{:?}", imported.remarks);
}

#[test]
fn isic_and_pad_ufes_tables() {
    let folder = tempfile::tempdir().unwrap();
    for (table, text, images, expected) in [
        (
            "isic18/ISIC2018_Task3_Test_GroundTruth.csv",
            "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC,score_weight,validation_weight\nI1,0.0,1.0,0.0,0.0,0.0,0.0,0.0,0.5,1\nI2,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.5,1\nI3,0,0,0,0,0,0,0,0.5,1\n",
            ["I1.jpg", "I2.jpg"],
            ["melanocytic nevus", "melanoma"],
        ),
        (
            "isic19/ISIC_2019_Training_GroundTruth.csv",
            "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK\nI1,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,0.0\nI2,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0\n",
            ["I1.jpg", "I2.jpg"],
            ["squamous cell carcinoma", "another lesion"],
        ),
        (
            "isic20/train.csv",
            "image_name,patient_id,sex,age_approx,anatom_site_general_challenge,diagnosis,benign_malignant,target\nI1,P1,male,45.0,head/neck,unknown,benign,0\nI2,P2,,,,melanoma,malignant,1\n",
            ["train/I1.jpg", "train/I2.jpg"],
            ["benign", "malignant"],
        ),
        (
            "pad/metadata.csv",
            "patient_id,lesion_id,smoke,diagnostic,img_id,biopsed\nPAT_46,881,False,BCC,PAT_46_881_14.png,True\nPAT_47,882,UNK,NEV,PAT_47_882_15.png,\n",
            ["imgs_part_1/PAT_46_881_14.png", "imgs_part_2/PAT_47_882_15.png"],
            ["basal cell carcinoma", "nevus"],
        ),
    ] {
        let table = folder.path().join(table);
        let source = table.parent().unwrap();
        put(source, table.file_name().unwrap().to_str().unwrap(), text);
        for name in images {
            put_image(source, name);
        }
        let target = source.join("out");
        let imported =
            import_table(source, &target, &TableOptions::default(), &ImportOptions::default(), &|_, _| {}).unwrap();
        let dataset = opened(&imported, &target);
        let answers: Vec<_> = dataset.cases.iter().map(|case| case.answer.as_str()).collect();
        assert_eq!(answers, expected, "{}", table.display());
        assert_eq!(dataset.tasks[0].kind, TaskKind::Classification);
    }
}
