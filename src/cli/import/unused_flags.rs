//! Refuses flags that the format does not read: without this, `--language zh` of another format would change nothing and say
//! nothing.

use super::Args;
use anyhow::{Result, bail};

/// Formats whose columns flags or a mapping describe.
const WITH_COLUMNS: [&str; 4] = ["hf", "path-vqa", "table", "folder"];

/// # Errors
/// Fails with the first flag that was given and that the format does not read, and with the formats that do.
pub(super) fn refuse_unused_flags(args: &Args, format: &str, is_parquet_vqa_rad: bool) -> Result<()> {
    let (columns, hf) = (&args.columns, &args.hf);
    let columns_given = [
        ("--mapping", columns.mapping.is_some()),
        ("--image", columns.image.is_some()),
        ("--label", !columns.label.is_empty()),
        ("--answer", columns.answer.is_some()),
        ("--caption", columns.caption.is_some()),
        ("--group", columns.group.is_some()),
        ("--split-column", columns.split_column.is_some()),
        ("--question-column", columns.question_column.is_some()),
        ("--id", columns.id.is_some()),
    ];
    let hf_formats: &[&str] = if is_parquet_vqa_rad { &["hf", "path-vqa", "vqa-rad"] } else { &["hf", "path-vqa"] };
    let mut given: Vec<(&str, bool, &[&str])> =
        columns_given.into_iter().map(|(flag, is_given)| (flag, is_given, &WITH_COLUMNS[..])).collect();
    let with_splits: &[&str] = &["mimic-cxr", "roco", "rocov2", "pmc-oa", "hf", "path-vqa", "table", "folder"];
    given.extend::<[(&str, bool, &[&str]); 22]>([
        ("--splits", !args.splits.is_empty(), with_splits),
        ("--labels", !args.labels.is_empty(), &["medmnist"]),
        ("--question", args.question.is_some(), &["medmnist", "hf", "path-vqa", "table", "folder"]),
        ("--modality", args.modality.is_some(), &["medmnist"]),
        ("--slices", args.slices.is_some(), &["medmnist"]),
        ("--language", args.language.is_some(), &["slake"]),
        (
            "--drop-shared-images",
            args.drop_shared_images,
            if is_parquet_vqa_rad { &["slake"] } else { &["vqa-rad", "slake"] },
        ),
        ("--open-questions", args.open_questions, if is_parquet_vqa_rad { &[] } else { &["vqa-rad"] }),
        ("--grades", args.grades, &["brset"]),
        ("--all-views", args.all_views, &["mimic-cxr"]),
        ("--reports", args.reports.is_some(), &["mimic-cxr"]),
        ("--labeller", args.labeller.is_some(), &["mimic-cxr"]),
        ("--no-radiologist", args.no_radiologist, &["mimic-cxr"]),
        ("--unmentioned-is-no", args.unmentioned_is_no, &["mimic-cxr"]),
        ("--licence", !args.licences.is_empty(), &["roco", "biomedica"]),
        ("--non-radiology", args.non_radiology, &["roco"]),
        ("--config", hf.config.is_some(), hf_formats),
        ("--incomplete", hf.incomplete, hf_formats),
        ("--split-as", !hf.split_as.is_empty(), hf_formats),
        ("--draw-splits", hf.draw_splits, hf_formats),
        ("--osf", hf.osf.is_some(), if is_parquet_vqa_rad { &["vqa-rad"] } else { &[] }),
        ("--images-from", args.images_from.is_some(), &["table", "folder"]),
    ]);
    for (flag, is_given, formats) in given {
        if is_given && !formats.contains(&format) {
            let readers = if formats.is_empty() { "the other form of this source".into() } else { formats.join(", ") };
            bail!("{flag}: expected with {readers}, found with {format}, which does not read it");
        }
    }
    Ok(())
}
