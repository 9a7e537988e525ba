//! Flags of `dissent import`: each does something or is refused.

use crate::support::dataset::{case, closed_task, document, manifest, write_dataset};
use crate::support::pictures::grey_png;
use crate::support::program::{dissent, stderr_of, stdout_of};
use dissent::data::{Dataset, Split, TaskKind};
use std::fs;
use std::path::PathBuf;
use std::process::Output;
use tempfile::TempDir;

/// A table of six rows with its images, and where its import goes.
struct Table(TempDir);

impl Table {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("films")).unwrap();
        let mut rows = String::from("Film,Finding,Effusion,Nodule,Asked,Said,Report,Patient,Part,Key\n");
        for row in 0..6_u8 {
            fs::write(folder.path().join(format!("films/f{row}.png")), grey_png(4, 4, row)).unwrap();
            let finding = ["Effusion", "Nodule", "Effusion|Nodule", "None"][usize::from(row) % 4];
            let (effusion, nodule) = (u8::from(finding.contains("Eff")), u8::from(finding.contains("Nod")));
            let part = ["train", "train", "train", "validation", "test", "test"][usize::from(row)];
            rows += &format!(
                "f{row},{finding},{effusion},{nodule},Is it {row}?,{},text {row},p{},{part},k{row}\n",
                if row % 2 == 0 { "yes" } else { "no" },
                row / 2
            );
        }
        fs::write(folder.path().join("rows.csv"), rows).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn import(&self, format: &str, flags: &[&str]) -> Output {
        let _ = fs::remove_dir_all(self.path("out"));
        let mut command = dissent();
        command.current_dir(self.0.path()).args(["import", format, "rows.csv", "out"]);
        command.args(["--images-from", "films"]).args(flags).output().unwrap()
    }

    #[track_caller]
    fn imported(&self, flags: &[&str]) -> Dataset {
        stdout_of(&self.import("table", flags));
        Dataset::open(&self.path("out")).unwrap()
    }

    #[track_caller]
    fn refused(&self, flags: &[&str]) -> String {
        let output = self.import("table", flags);
        assert!(!output.status.success(), "{flags:?} was taken");
        assert!(!self.path("out").exists());
        stderr_of(&output)
    }
}

#[test]
fn every_flag_of_a_column_reaches_the_dataset() {
    let table = Table::new();
    let all = ["--image", "Film", "--caption", "Report", "--group", "Patient", "--split-column", "Part", "--id", "Key"];
    let dataset =
        table.imported(&[&all[..], &["--label", "Finding", "--separator", "|", "--no-label", "None"]].concat());
    assert_eq!(dataset.tasks[0].kind, TaskKind::MultiLabel);
    let case = |id: &str| dataset.cases.iter().find(|case| case.id == id).unwrap();
    assert_eq!((case("k3").split, case("k3").answer.as_str()), (Split::Validation, "[]"));
    assert_eq!(case("k5").group.as_deref(), Some("p2"));
    assert_eq!(dataset.corpus.iter().map(|document| document.caption).collect::<Vec<_>>()[0], "text 0");

    let columns = ["--label", "Effusion", "--label", "Nodule", "--question", "What is there?"];
    let dataset = table.imported(&[&all[..], &columns].concat());
    assert_eq!(
        (dataset.tasks[0].kind, dataset.tasks[0].question.as_deref()),
        (TaskKind::MultiLabel, Some("What is there?"))
    );

    let dataset = table.imported(&[&all[..], &["--answer", "Said", "--question-column", "Asked"]].concat());
    assert_eq!(dataset.cases.iter().find(|case| case.id == "k4").unwrap().question.as_deref(), Some("Is it 4?"));
}

#[test]
fn flags_that_contradict_each_other_or_the_table_are_refused() {
    let table = Table::new();
    for (flags, expected) in [
        (&["--image", "Film"][..], "expected a task (--label or --answer COLUMN"),
        (&["--image", "Picture", "--label", "Finding"], "Picture"),
        (&["--image", "Film", "--label", "Findings"], "Findings"),
        (&["--image", "Film", "--label", "Finding", "--one-hot"], "--one-hot: expected several --label"),
        (
            &["--image", "Film", "--label", "Effusion", "--label", "Nodule", "--separator", "|"],
            "--separator: expected one --label",
        ),
        (&["--image", "Film", "--answer", "Said"], "--answer: expected --question-column COLUMN"),
        (&["--question", "What?"], "--question: expected with --label or --answer"),
        (
            &["--image", "Film", "--label", "Finding", "--question", "a", "--question-column", "Asked"],
            "cannot be used with",
        ),
        (&["--image", "Film", "--separator", "|"], "--label"),
        (&["--mapping", "nih-chestxray14", "--image", "Film"], "cannot be used with"),
        (&["--mapping", "no-such-file"], "expected a file or one of"),
        (
            &["--image", "Film", "--label", "Finding", "--language", "en"],
            "--language: expected with slake, found with table",
        ),
    ] {
        let message = table.refused(flags);
        assert!(message.contains(expected), "{flags:?}: {message}");
    }
}

#[test]
fn a_guessed_mapping_imports_the_table_it_was_guessed_from() {
    let table = Table::new();
    let guess = ["--guess", "guessed.toml"];
    stdout_of(&table.import("table", &guess));
    let text = fs::read_to_string(table.path("guessed.toml")).unwrap();
    assert!(text.contains("Film"), "{text}");
    let again = table.import("table", &guess);
    assert!(stderr_of(&again).contains("exists already"));
    let dataset = table.imported(&["--mapping", "guessed.toml"]);
    assert_eq!(dataset.cases.len(), 6);
}

#[test]
fn a_mapping_takes_the_question_of_its_only_task() {
    let table = Table::new();
    let task = "[[task]]\nid = \"f\"\nkind = \"multi-label\"\ncolumns = [\"Effusion\", \"Nodule\"]\n";
    let head = "name = \"films\"\nimage = \"Film\"\ngroup = \"Patient\"\n";
    fs::write(table.path("one.toml"), format!("{head}{task}")).unwrap();
    fs::write(table.path("two.toml"), format!("{head}{task}{}", task.replace("\"f\"", "\"g\""))).unwrap();
    let dataset = table.imported(&["--mapping", "one.toml", "--question", "What is there?"]);
    assert_eq!(dataset.tasks[0].question.as_deref(), Some("What is there?"));
    let message = table.refused(&["--mapping", "two.toml", "--question", "What is there?"]);
    assert!(message.contains("expected one task, found 2"), "{message}");
}

#[test]
fn a_dry_run_writes_nothing_and_an_import_into_a_dataset_keeps_it() {
    let table = Table::new();
    let flags = ["--image", "Film", "--label", "Effusion", "--label", "Nodule", "--group", "Patient"];
    let shown = stdout_of(&table.import("table", &[&flags[..], &["--dry-run"]].concat()));
    assert!(shown.contains("nothing written (--dry-run)") && !table.path("out").exists(), "{shown}");

    let other = closed_task("lesion", "Is there a lesion?", [("Yes", "lesion"), ("No", "no lesion")]);
    let root = table.path("there");
    fs::create_dir_all(root.join("images")).unwrap();
    write_dataset(&root, &manifest("there", vec![other]), &[case("c1", "lesion", "Yes")], &[document("d1", "a cyst")]);
    for name in ["c1.png", "d1.png"] {
        fs::write(root.join("images").join(name), grey_png(4, 4, 200)).unwrap();
    }
    let before = fs::read_to_string(root.join("cases.jsonl")).unwrap();
    let mut command = dissent();
    command.current_dir(table.0.path()).args(["import", "table", "rows.csv", "--into", "there", "--source", "films"]);
    stdout_of(&command.args(["--images-from", "films"]).args(flags).output().unwrap());
    let after = fs::read_to_string(root.join("cases.jsonl")).unwrap();
    assert!(after.starts_with(before.trim_end()), "{after}");
    let dataset = Dataset::open(&root).unwrap();
    assert!(dataset.cases.iter().filter(|case| case.id != "c1").all(|case| case.id.starts_with("films")));
    assert_eq!(dataset.cases.len(), 7);
}

#[test]
fn splits_choose_the_rows_and_name_what_stays_out() {
    let table = Table::new();
    let flags =
        ["--image", "Film", "--caption", "Report", "--group", "Patient", "--split-column", "Part", "--id", "Key"];
    let of_label = [&flags[..], &["--label", "Finding", "--separator", "|", "--no-label", "None"]].concat();
    let ids = |dataset: &Dataset| dataset.cases.iter().map(|case| case.id.clone()).collect::<Vec<_>>();

    assert_eq!(ids(&table.imported(&[&of_label[..], &["--splits", "train"]].concat())), ["k0", "k1", "k2"]);
    let both = table.imported(&[&of_label[..], &["--splits", "validation,test"]].concat());
    assert_eq!(ids(&both), ["k3", "k4", "k5"]);
    let said = stdout_of(&table.import("table", &[&of_label[..], &["--splits", "train"]].concat()));
    assert!(said.contains("of another split than those of --splits"), "{said}");
    // A corpus has no splits of its own; the rows are chosen all the same.
    let corpus = table.imported(&[&flags[..], &["--as", "corpus", "--splits", "test"]].concat());
    assert_eq!(corpus.corpus.iter().map(|document| document.id).collect::<Vec<_>>(), ["k4", "k5"]);
    let message = table.refused(&[&of_label[..], &["--splits", "holdout"]].concat());
    assert!(message.contains("holdout") && message.contains("validation"), "{message}");
    // A split without a row leaves nothing, and says so.
    fs::write(table.path("rows.csv"), "Film,Finding,Part\nf0,Nodule,train\n").unwrap();
    let message =
        table.refused(&["--image", "Film", "--label", "Finding", "--split-column", "Part", "--splits", "test"]);
    assert!(message.contains("nothing was imported") && message.contains("rows.csv:2"), "{message}");
}
