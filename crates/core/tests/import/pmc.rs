//! `import rocov2`, `pmc-oa` and `biomedica`: figures of PubMed Central, whose images stay in archives.

use crate::made_files::{failure, tar_of, write, zip_of};
use crate::support::{grey_png, opened};
use dissent_core::data::import::{
    BiomedicaOptions, ImportOptions, Imported, import_biomedica, import_pmc_oa, import_rocov2,
};
use dissent_core::data::{Dataset, Existing};
use std::fs;
use std::path::Path;

fn left_out(imported: &Imported) -> Vec<String> {
    imported.left_out.iter().map(ToString::to_string).collect()
}

fn rocov2(source: &Path) -> anyhow::Result<(Imported, Dataset)> {
    let target = tempfile::tempdir().unwrap();
    let target = target.path().join("out");
    let imported = import_rocov2(source, &target, &ImportOptions::default(), &|_, _| ())?;
    let dataset = opened(&imported, &target);
    Ok((imported, dataset))
}

/// A release with one zip file that is not unpacked and one that is.
fn rocov2_source() -> tempfile::TempDir {
    let source = tempfile::tempdir().unwrap();
    let at = |name: &str| source.path().join(name);
    write(
        &at("train_captions.csv"),
        "\u{feff}ID, Caption\nROCOv2_2023_train_000001,\"A \"\"halo\"\", two\nlines, and commas\"\nROCOv2_2023_train_000002,Gone\n\
         ROCOv2_2023_train_000003,\" \"\n",
    );
    write(
        &at("valid_captions.csv"),
        "ID,Caption\nROCOv2_2023_valid_000001,Unpacked\nROCOv2_2023_valid_000002,No article\n",
    );
    write(
        &at("license_information.csv"),
        "ID , PMCID,Attribution,Link\nROCOv2_2023_train_000001,PMC42,\"A, B\",http://x\nROCOv2_2023_valid_000001,42,C,http://x\n",
    );
    zip_of(&at("train_images.zip"), &[("train/ROCOv2_2023_train_000001.jpg", &grey_png(1)), ("train/x.txt", b"x")]);
    fs::create_dir_all(at("valid_images/valid")).unwrap();
    for number in [1, 2_u8] {
        fs::write(at(&format!("valid_images/valid/ROCOv2_2023_valid_00000{number}.jpg")), grey_png(number + 1))
            .unwrap();
    }
    source
}

#[test]
fn rocov2_reads_quoted_captions_and_images_in_zip_files() {
    let source = rocov2_source();
    let (imported, dataset) = rocov2(source.path()).unwrap();
    let captions: Vec<&str> = dataset.corpus.iter().map(|document| document.caption).collect();
    assert_eq!(captions, ["A \"halo\", two\nlines, and commas", "Unpacked", "No article"]);
    let groups: Vec<_> = dataset.corpus.iter().map(|document| document.group).collect();
    assert_eq!(groups, [Some("PMC42"), Some("PMC42"), None]);
    let member = source.path().join("train_images.zip!/train/ROCOv2_2023_train_000001.jpg");
    assert_eq!(dataset.corpus.document(0).image, member);
    assert_eq!(dataset.picture(&member).unwrap().width(), 4);
    assert_eq!(
        left_out(&imported),
        ["1 left out: no image file (train_captions.csv:4)", "1 left out: no caption (train_captions.csv:5)"]
    );
    assert!(
        imported.remarks.iter().any(|remark| remark.starts_with("1 images have no row in license_information.csv"))
    );
}

#[test]
fn rocov2_names_what_is_wrong() {
    let source = rocov2_source();
    let at = |name: &str| source.path().join(name);
    write(&at("license_information.csv"), "ID,PMCID\nROCOv2_2023_train_000001,unknown\n");
    let message = failure(rocov2(source.path()));
    assert!(message.contains("license_information.csv:2, column PMCID: expected an article"), "{message}");
    fs::remove_file(at("license_information.csv")).unwrap();
    assert!(failure(rocov2(source.path())).contains("no case can be kept from figures of its own article"));
    write(&at("train_captions.csv"), "name,text\na,b\n");
    write(&at("license_information.csv"), "ID,PMCID\n");
    assert!(failure(rocov2(source.path())).contains("expected a column \"ID\", found only \"name\", \"text\""));
    let empty = tempfile::tempdir().unwrap();
    assert!(failure(rocov2(empty.path())).contains("train_captions.csv"));
}

fn pmc_oa(source: &Path, options: &ImportOptions) -> anyhow::Result<(Imported, Dataset)> {
    let target = tempfile::tempdir().unwrap();
    let target = target.path().join("out");
    let imported = import_pmc_oa(source, &target, options, &|_, _| ())?;
    let dataset = opened(&imported, &target);
    Ok((imported, dataset))
}

fn pmc_oa_source(lines: &str) -> tempfile::TempDir {
    let source = tempfile::tempdir().unwrap();
    write(&source.path().join("pmc_oa.jsonl"), lines);
    let names = ["figures/PMC212319_Fig3_4.jpg", "figures/PMC212319_Fig3_5.jpg", "other/fig9.png", "PMC5_Fig1.mov"];
    let images: Vec<Vec<u8>> = (0..names.len()).map(|value| grey_png(value as u8)).collect();
    let members: Vec<(&str, &[u8])> = names.into_iter().zip(images.iter().map(Vec::as_slice)).collect();
    zip_of(&source.path().join("images.zip"), &members);
    source
}

#[test]
fn pmc_oa_finds_images_by_base_name_and_groups_by_article() {
    let source = pmc_oa_source(concat!(
        r#"{"image":"PMC212319_Fig3_4.jpg","caption":"A. Real time image","alignment_type":"x","alignment_score":null}"#,
        "\n",
        r#"{"image":"figures/PMC212319_Fig3_5.jpg","caption":"A. Real time image ","alignment_score":NaN}"#,
        "\n\n",
        r#"{"image":"fig9.png","caption":"é","pmcid":"77","url_name":"u"}"#,
        "\n",
        r#"{"image":"PMC5_Fig1.mov","caption":"a film"}"#,
        "\n",
        r#"{"image":"PMC6_Fig1.jpg","caption":""}"#,
        "\n",
        r#"{"image":"PMC7_Fig1.jpg","caption":"not in the zip"}"#,
        "\n",
        r#"{"image":"PMC212319_Fig3_4.jpg","caption":"once more"}"#,
        "\n",
    ));
    let (imported, dataset) = pmc_oa(source.path(), &ImportOptions::default()).unwrap();
    let rows: Vec<(&str, Option<&str>)> = dataset.corpus.iter().map(|document| (document.id, document.group)).collect();
    assert_eq!(
        rows,
        [("PMC212319_Fig3_4", Some("PMC212319")), ("PMC212319_Fig3_5", Some("PMC212319")), ("fig9.png", Some("PMC77"))]
    );
    assert_eq!(dataset.corpus.document(1).image, source.path().join("images.zip!/figures/PMC212319_Fig3_5.jpg"));
    assert_eq!(dataset.picture(dataset.corpus.document(1).image).unwrap().image.to_luma8().get_pixel(0, 0).0, [1]);
    assert_eq!(
        left_out(&imported),
        [
            "1 left out: not a picture, but another file of the article (pmc_oa.jsonl:5)",
            "1 left out: no caption (pmc_oa.jsonl:6)",
            "1 left out: no image file (pmc_oa.jsonl:7)",
            "1 left out: an earlier row has the image (pmc_oa.jsonl:8)",
        ]
    );
    assert!(imported.remarks[0].starts_with("1 captions repeat one of an earlier row"), "{:?}", imported.remarks);
    // The table itself is a source, too; images can be copied.
    let copy = ImportOptions { copy: true, ..ImportOptions::default() };
    let (_, dataset) = pmc_oa(&source.path().join("pmc_oa.jsonl"), &copy).unwrap();
    assert_eq!(dataset.corpus.document(0).image, Path::new("images/PMC212319_Fig3_4.jpg"));
}

#[test]
fn pmc_oa_refuses_names_that_lead_out_and_lines_that_are_no_rows() {
    for (line, expected) in [
        (
            r#"{"image":"../../etc/passwd.jpg","caption":"x"}"#,
            "pmc_oa.jsonl:1: field image: expected the name of a member",
        ),
        (r#"{"image":"/a.jpg","caption":"x"}"#, "field image: expected the name of a member"),
        (r#"{"image":"https://x/a.jpg","caption":"x"}"#, "field image: expected the name of a member"),
        (r#"{"image":"a.jpg","image":"b.jpg","caption":"x"}"#, "the key \"image\" appears twice"),
        (r#"{"url_name":"a.jpg","caption":"x"}"#, "expected a field image, found only url_name, caption"),
        (r#"{"image":3,"caption":"x"}"#, "field image: expected the name of an image"),
        (r#"{"image":"fig9.png","caption":["x"]}"#, "pmc_oa.jsonl:1: field caption: expected a text"),
        ("[", "pmc_oa.jsonl:1: not valid JSON"),
    ] {
        let source = pmc_oa_source(line);
        let message = failure(pmc_oa(source.path(), &ImportOptions::default()));
        assert!(message.contains(expected), "{message}");
    }
    let source = pmc_oa_source("{}");
    fs::write(source.path().join("pmc_oa.jsonl"), b"{\"image\":\"\xff.jpg\"}").unwrap();
    assert!(failure(pmc_oa(source.path(), &ImportOptions::default())).contains("pmc_oa.jsonl:1: expected UTF-8"));
    fs::remove_file(source.path().join("pmc_oa.jsonl")).unwrap();
    assert!(failure(pmc_oa(source.path(), &ImportOptions::default())).contains("train.jsonl"));
    for (name, image) in [("train", "PMC212319_Fig3_4.jpg"), ("test", "fig9.png")] {
        write(
            &source.path().join(format!("{name}.jsonl")),
            &format!("{{\"image\":\"{image}\",\"caption\":\"{name}\"}}\n"),
        );
    }
    let (imported, dataset) = pmc_oa(source.path(), &ImportOptions::default()).unwrap();
    assert_eq!((dataset.corpus.len(), dataset.corpus.document(1).caption), (2, "test"));
    assert!(
        imported.remarks.iter().any(|remark| remark.contains("1 images name no article")),
        "{:?}",
        imported.remarks
    );
}

const JSON: &str =
    r#"{"article_accession_id":"PMC9","article_license":"CC BY","image_size":[4,4],"article_text":"long"}"#;

fn biomedica(source: &Path, licences: &[&str]) -> anyhow::Result<(Imported, Dataset)> {
    let target = tempfile::tempdir().unwrap();
    let target = target.path().join("out");
    let options = BiomedicaOptions { licences: licences.iter().map(|name| (*name).to_owned()).collect() };
    let imported = import_biomedica(source, &target, &options, &ImportOptions::default(), &|_, _| ())?;
    let dataset = opened(&imported, &target);
    Ok((imported, dataset))
}

#[test]
fn biomedica_reads_samples_of_shards_and_leaves_the_images_there() {
    let source = tempfile::tempdir().unwrap();
    let at = |name: &str| source.path().join(name);
    let (one, two) = (grey_png(1), grey_png(2));
    let json = JSON.as_bytes();
    let other = JSON.replace("CC BY", "CC BY-NC");
    let nameless = br#"{"article_accession_id":null}"#;
    tar_of(
        &at("x-000000.tar"),
        &[
            ("a/0.jpg", &one),
            ("a/0.txt", b"First\n"),
            ("a/0.json", json),
            ("1.json", other.as_bytes()),
            ("1.txt", b"Second"),
            ("1.jpg", &two),
            ("2.v.jpg", &one),
            ("2.v.json", json),
            ("3.jpg", &one),
            ("3.json", json),
            ("4.jpg", &one),
            ("4.json", nameless),
            ("5.txt", b"alone"),
            ("6.jpg", &one),
        ],
    );
    // The same keys again, in another shard.
    tar_of(&at("x-000001.tar"), &[("1.jpg", &one), ("1.json", json), ("1.txt", b"Third")]);
    let (imported, dataset) = biomedica(source.path(), &[]).unwrap();
    let rows: Vec<(&str, &str)> = dataset.corpus.iter().map(|document| (document.id, document.caption)).collect();
    assert_eq!(rows, [("x-000000/a/0", "First"), ("x-000000/1", "Second"), ("x-000001/1", "Third")]);
    assert_eq!(dataset.corpus.document(0).group, Some("PMC9"));
    assert_eq!(dataset.corpus.document(1).image, at("x-000000.tar!/1.jpg"));
    assert_eq!(dataset.picture(dataset.corpus.document(1).image).unwrap().image.to_luma8().get_pixel(0, 0).0, [2]);
    assert_eq!(
        left_out(&imported),
        [
            "1 left out: a dot in the name of the sample, so that its image has no name (x-000000.tar: 2)",
            "1 left out: no caption (x-000000.tar: 3)",
            "1 left out: no article (PMC…) in the field article_accession_id (x-000000.tar: 4)",
            "1 left out: no image (x-000000.tar: 5)",
            "1 left out: no .json, so that its article is unknown (x-000000.tar: 6)",
        ]
    );
    assert_eq!(dataset.licence.as_deref(), Some("of each article: CC BY 2, CC BY-NC 1"));
    assert_eq!(biomedica(source.path(), &["cc by"]).unwrap().1.corpus.len(), 2);
    assert_eq!(biomedica(&at("x-000001.tar"), &[]).unwrap().1.corpus.document(0).id, "x-000001/1");

    tar_of(&at("x-000002.tar"), &[("1.jpg", &one), ("1.json", b"[]"), ("1.txt", b"x")]);
    assert!(failure(biomedica(source.path(), &[])).contains("x-000002.tar!/1.json"));
    let cut = fs::read(at("x-000000.tar")).unwrap();
    fs::write(at("x-000002.tar"), &cut[..1500]).unwrap();
    assert!(failure(biomedica(source.path(), &[])).contains("x-000002.tar"));
    let empty = tempfile::tempdir().unwrap();
    write(&empty.path().join("a.parquet"), "");
    assert!(failure(biomedica(empty.path(), &[])).contains("only files such as a.parquet; `import hf`"));
}

#[test]
fn a_corpus_is_added_to_a_dataset_with_its_own_ids_and_groups() {
    let source = rocov2_source();
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("out");
    import_rocov2(source.path(), &target, &ImportOptions::default(), &|_, _| ()).unwrap();
    let line = "{\"image\":\"PMC212319_Fig3_4.jpg\",\"caption\":\"x\"}\n";
    let other = pmc_oa_source(line);
    let options = crate::support::into("pmc-oa", Existing::Refuse);
    import_pmc_oa(other.path(), &target, &options, &|_, _| ()).unwrap();
    let dataset = Dataset::open(&target).unwrap();
    let last = dataset.corpus.iter().last().unwrap();
    assert_eq!((last.id, last.group), ("pmc-oa:PMC212319_Fig3_4", Some("pmc-oa:PMC212319")));
    // A row that comes twice is known by the id that it has in the dataset.
    let again = pmc_oa_source(&line.repeat(2));
    let replacing = crate::support::into("pmc-oa", Existing::Replace);
    let imported = import_pmc_oa(again.path(), &target, &replacing, &|_, _| ()).unwrap();
    assert_eq!(imported.left_out[0].reason, "an earlier row has the image");
}
