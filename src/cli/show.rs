//! `dissent show`: shows one picture, case or document in the terminal.

use super::Common;
use super::print_picture::PicturePrinter;
use crate::cli::open_dataset::say_remarks;
use crate::data::{Answer, Case, Dataset, DocumentView, Picture, PictureRemark, TaskKind};
use crate::output::{one_line, print_json, print_line};
use crate::terminal::size::terminal_size;
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Arguments of `dissent show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Image file or dataset directory
    #[arg(value_name = "IMAGE|DATASET")]
    target: PathBuf,
    /// Id of a case or document of the dataset
    #[arg(value_name = "CASE")]
    id: Option<String>,
    /// Print one JSON object, without the picture
    #[arg(long)]
    json: bool,
}

/// Runs `dissent show`.
pub fn run(args: Args, common: &Common) -> Result<()> {
    let Some(id) = &args.id else {
        if args.target.is_dir() {
            bail!("{} is a folder; to show a case: dissent show {0} CASE", args.target.display());
        }
        let (picture, remarks) = Picture::read_with_remarks(&args.target)?;
        return show_picture(&picture, &remarks, args.json, common);
    };
    // A bad line of the dataset does not hide its other cases.
    let (dataset, _) = Dataset::open_usable(&args.target)?;
    say_remarks(&dataset);
    if let Some(case) = dataset.cases.iter().find(|case| case.id == *id) {
        return show_case(&dataset, case, args.json, common);
    }
    let Some(row) = dataset.corpus.row_of(id) else {
        let first = dataset.cases.first().map_or("", |case| case.id.as_str());
        bail!("no case or document '{id}' in {}; the id of the first case is '{first}'", args.target.display());
    };
    show_document(&dataset, dataset.corpus.document(row), args.json, common)
}

fn show_picture(picture: &Picture, remarks: &[PictureRemark], json: bool, common: &Common) -> Result<()> {
    let kind = format!("{:?}", picture.image.color());
    if json {
        let fields = json!({ "path": picture.path, "width": picture.width(), "height": picture.height(),
            "pixels": kind, "fingerprint": picture.fingerprint,
            "remarks": remarks.iter().map(ToString::to_string).collect::<Vec<_>>() });
        return print_json(&fields);
    }
    PicturePrinter::new(common).print(picture, u32::MAX)?;
    let path = one_line(&picture.path.display().to_string());
    print_line(&format!("{path}  {} × {}  {kind}", picture.width(), picture.height()))?;
    print_remarks(remarks)
}

/// Notes about differences between the stored picture and what the screen and the models see.
fn print_remarks(remarks: &[PictureRemark]) -> Result<()> {
    remarks.iter().try_for_each(|remark| print_line(&format!("note: {}", one_line(&remark.to_string()))))
}

fn show_case(dataset: &Dataset, case: &Case, json: bool, common: &Common) -> Result<()> {
    let task = dataset.task(&case.task).with_context(|| format!("case {}: no task '{}'", case.id, case.task))?;
    let question = dataset.question_of(case);
    let path = dataset.image_path(&case.image);
    if json {
        let fields = json!({ "case": case, "question": question, "labels": task.labels, "image_path": path });
        return print_json(&fields);
    }
    // A case with unknown labels has no gold set, but its known labels are shown.
    let gold = task.answer_of(&case.answer);
    let is_gold = |label: usize| match gold {
        Some(Answer::Label(gold)) => gold == label,
        Some(Answer::Set(set)) => set.contains(label),
        _ => false,
    };
    let labels: Vec<String> = task
        .labels
        .iter()
        .enumerate()
        .map(|(position, label)| {
            let is_unknown = case.unknown.contains(&label.id);
            let mark = if is_gold(position) {
                "*"
            } else if is_unknown {
                "?"
            } else {
                ""
            };
            let name = if label.name == label.id { String::new() } else { format!(" ({})", one_line(&label.name)) };
            format!("{mark}{}{name}", one_line(&label.id))
        })
        .collect();
    let answers = match task.kind {
        TaskKind::OpenVqa => ("answer", case.answer.clone()),
        _ if !case.unknown.is_empty() => ("labels", format!("{}   * gold, ? unknown", labels.join("  "))),
        _ => ("labels", format!("{}   * gold", labels.join("  "))),
    };
    let mut fields = vec![
        ("case", case.id.clone()),
        ("task", case.task.clone()),
        ("split", case.split.to_string()),
        ("question", question.to_string()),
        answers,
    ];
    fields.extend(case.group.clone().map(|group| ("group", group)));
    fields.extend(dataset.note.clone().map(|note| ("note", note)));
    print_with_fields(&path, &fields, common)
}

fn show_document(dataset: &Dataset, document: DocumentView, json: bool, common: &Common) -> Result<()> {
    let path = dataset.image_path(document.image);
    if json {
        return print_json(&json!({ "document": document, "image_path": path }));
    }
    let mut fields = vec![("document", document.id.to_owned()), ("caption", document.caption.to_owned())];
    fields.extend(document.source.map(|source| ("source", source.to_owned())));
    fields.extend(document.group.map(|group| ("group", group.to_owned())));
    print_with_fields(&path, &fields, common)
}

/// Prints the fields first, so that they are seen even if the image is broken.
fn print_with_fields(path: &Path, fields: &[(&str, String)], common: &Common) -> Result<()> {
    for (name, value) in fields {
        print_line(&format!("{name:9} {}", one_line(value)))?;
    }
    print_line(&format!("{:9} {}", "image", one_line(&path.display().to_string())))?;
    let (picture, remarks) = Picture::read_with_remarks(path)?;
    print_remarks(&remarks)?;
    // Leaves room for the fields above the picture.
    let (_, rows) = terminal_size();
    let room = u32::from(rows).saturating_sub((fields.len() + remarks.len()) as u32 + 3).max(8);
    PicturePrinter::new(common).print(&picture, room)
}
