//! Hits of other programs: exported, imported, predicted with, explored, evaluated.

use super::predict::write_dataset;
use super::support::{encoder_fixture, reader_fixture};
use crate::support::patience::PATIENCE;
use crate::support::program::{dissent, stderr_of, stdout_of};
use dissent::data::Dataset;
use dissent::model::precision::Precision;
use dissent::pipeline::{Event, GivenHitsChoice, ModelChoice};
use dissent::retriever::HitsPerHead;
use dissent::run::{Ablation, PREDICTIONS_FILE, Run, RunIdentity};
use dissent::worker::{Request, WorkerConfig, WorkerHandle};
use dissent::workspace::Workspace;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

struct Setting {
    folder: tempfile::TempDir,
    root: PathBuf,
}

impl Setting {
    fn new(cases: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("dataset");
        write_dataset(&root, cases);
        Self { folder, root }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.file(name), text).unwrap();
        self.file(name)
    }

    /// Predicts with an encoder.
    fn retrieve(&self, run: &str, arguments: &[&str]) -> Output {
        let mut command = self.predict(run);
        command.arg("--encoder").arg(encoder_fixture()).args(arguments).output().unwrap()
    }

    /// Predicts with the hits of a file or of a name, without an encoder.
    fn predict_hits(&self, run: &str, hits: impl AsRef<Path>, arguments: &[&str]) -> Output {
        self.predict(run).arg("--hits").arg(hits.as_ref()).args(arguments).output().unwrap()
    }

    fn predict(&self, run: &str) -> Command {
        let mut command = dissent();
        command.arg("predict").arg(&self.root).args(["--run", run, "--device", "cpu", "--reader"]);
        command.arg(reader_fixture());
        command
    }

    fn of_dataset(&self, words: &[&str]) -> Command {
        let mut command = dissent();
        command.args(words).arg(&self.root);
        command
    }

    fn export(&self, run: &str, file: &str) -> PathBuf {
        let out = self.file(file);
        stdout_of(&self.of_dataset(&["export", "hits"]).args(["--run", run, "--out"]).arg(&out).output().unwrap());
        out
    }

    fn run_folder(&self, run: &str) -> PathBuf {
        self.root.join(".dissent/runs").join(run)
    }

    /// The lines of a run without what names its retriever.
    fn lines(&self, run: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.run_folder(run).join(PREDICTIONS_FILE)).unwrap();
        let without = |line: &str| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            let fields = line.as_object_mut().unwrap();
            assert!(fields.remove("retriever").is_some_and(|print| print.is_string()));
            fields.remove("checksum");
            line
        };
        text.lines().map(without).collect()
    }

    /// All tables of a run, without its name.
    fn tables(&self, run: &str) -> String {
        let arguments = ["--runs", run, "--tables", "all", "--resamples", "200", "--json"];
        let output = self.of_dataset(&["evaluate"]).args(arguments).output().unwrap();
        let report: Value = serde_json::from_str(&stdout_of(&output)).unwrap();
        report["tables"].to_string().replace(run, "RUN")
    }
}

#[test]
fn a_run_exported_and_predicted_again_is_the_same_to_the_last_digit() {
    let setting = Setting::new(6);
    // The lexical head finds nothing in these captions, so it is not among the runs.
    for (run, flags, options) in
        [("run-plain", vec!["-k", "2"], vec!["-k", "2"]), ("run-deep", vec!["-k", "3"], vec!["-k", "3"])]
    {
        stdout_of(&setting.retrieve(run, &flags));
        fs::rename(setting.root.join(".dissent/index"), setting.file(&format!("index of {run}"))).unwrap();
        for ending in ["trec", "jsonl", "csv"] {
            let again = format!("{run}-{ending}");
            let exported = setting.export(run, &format!("{again}.{ending}"));
            stdout_of(&setting.predict_hits(&again, &exported, &options));
            assert_eq!(setting.lines(&again), setting.lines(run), "{again}");
            assert_eq!(setting.tables(&again), setting.tables(run), "{again}");
        }
        assert!(!setting.root.join(".dissent/index").exists(), "no index is needed");
        // The folder of a run is enough.
        let out = setting.file("folder.trec");
        let mut command = dissent();
        command.args(["export", "hits"]).arg(setting.run_folder(run)).arg("--out").arg(&out);
        stdout_of(&command.output().unwrap());
        assert_eq!(fs::read(&out).unwrap(), fs::read(setting.file(&format!("{run}-trec.trec"))).unwrap());
    }
    // What the retriever finds now is what the run has.
    let out = setting.file("now.trec");
    let output =
        setting.of_dataset(&["export", "hits"]).arg("--encoder").arg(encoder_fixture()).arg("--out").arg(&out).output();
    stdout_of(&output.unwrap());
    assert_eq!(fs::read(&out).unwrap(), fs::read(setting.file("run-plain-trec.trec")).unwrap());
}

/// Case 0 is of the patient of document 0, case 1 has document 1's picture, case 3 is not in the file.
const GIVEN: &str = "\
case-0 Q0 document-0 1 31.5 colpali
case-0 Q0 document-3 2 30 colpali
case-0 Q0 document-4 3 29 colpali
case-0 Q0 document-5 4 28 colpali
case-1 Q0 document-1 1 12 colpali
case-2 Q0 document-2 1 9 colpali
case-2 Q0 document-2 1 0.5 bm25
case-2 Q0 document-5 2 0.25 bm25
";

#[test]
fn imported_hits_are_checked_counted_and_predicted_with() {
    let setting = Setting::new(4);
    let file = setting.write("colpali.run", GIVEN);
    let import =
        |arguments: &[&str]| setting.of_dataset(&["import", "hits"]).arg(&file).args(arguments).output().unwrap();
    let said = stdout_of(&import(&["--dry-run"]));
    assert!(said.contains("8 hits of 3 cases") && said.contains("head colpali: 6 hits of 3 cases"), "{said}");
    assert!(
        said.contains("split test: 1 of 4 cases have no hit") && said.contains("2 hits will never be shown"),
        "{said}"
    );
    assert!(said.contains("nothing written") && !setting.root.join(".dissent/hits").exists(), "{said}");
    let report: Value = serde_json::from_str(&stdout_of(&import(&["--json"]))).unwrap();
    assert_eq!((&report["name"], &report["not_allowed"], &report["hits"]), (&"colpali".into(), &2.into(), &8.into()));
    assert!(stderr_of(&import(&[])).contains("there are hits of the name colpali already"));
    stdout_of(&import(&["--replace"]));

    let output = setting.predict_hits("given", "colpali", &["--json", "--limit", "2"]);
    let report: Value = serde_json::from_str(&stdout_of(&output)).unwrap();
    let account = serde_json::json!({"cases": 2, "cases_without_hits": 1, "not_allowed": 2, "beyond_k": 1});
    assert_eq!(report["hits"], account);
    let words = stderr_of(&output);
    assert!(
        words.contains("hits of colpali, at most 2 each by colpali, bm25: 2 cases; 1 of them without a hit"),
        "{words}"
    );
    assert!(words.contains("2 hits left out, because the document has the case's own id, group or picture"), "{words}");
    // The file that was imported has the same hits, so it may continue the run.
    let output = setting.predict_hits("given", &file, &[]);
    stdout_of(&output);
    assert!(stderr_of(&output).contains("2 of 4 cases are in the run already"), "{}", stderr_of(&output));
    let run = Run::open(&setting.run_folder("given")).unwrap();
    let identity = run.identity.clone();
    let given = identity.given_hits.as_ref().unwrap();
    assert_eq!((given.file.as_str(), given.k, given.heads.join(",")), ("colpali", 2, "colpali,bm25".into()));
    assert!(identity.encoder_name.is_none() && identity.fingerprints.index.is_none());
    let answers = run.into_answers(&Dataset::open(&setting.root).unwrap()).unwrap();
    let hits = |case: usize| -> Vec<String> {
        let hits = answers[case].hits.iter();
        let found = |hit: &dissent::run::Hit| -> Vec<String> {
            hit.provenances.iter().map(|found| format!("{}#{}", found.head, found.rank)).collect()
        };
        hits.map(|hit| format!("{} {}", hit.document, found(hit).join("+"))).collect()
    };
    assert_eq!(hits(0), ["document-3 colpali#2", "document-4 colpali#3"], "the patient's own document is never shown");
    assert!(hits(1).is_empty() && hits(3).is_empty() && answers[1].closed_book.is_some());
    assert_eq!(hits(2), ["document-2 colpali#1+bm25#1", "document-5 bm25#2"]);

    let other = setting.write("other.run", &GIVEN.replace("31.5", "31.25"));
    let refused = stderr_of(&setting.predict_hits("given", &other, &[]));
    assert!(refused.contains("was made from other inputs") && refused.contains("hits from a file ("), "{refused}");
    let refused = stderr_of(&setting.predict_hits("given", "colpali", &["-k", "1"]));
    assert!(refused.contains("2 by colpali, bm25 one after another then"), "{refused}");
    let refused = stderr_of(&setting.predict_hits("given", "colpali", &["--merge", "reciprocal-rank"]));
    assert!(refused.contains("by reciprocal rank now"), "{refused}");
}

#[test]
fn a_run_of_given_hits_is_explored_compared_and_evaluated() {
    let setting = Setting::new(4);
    let file = setting.write("colpali.run", GIVEN);
    stdout_of(&setting.retrieve("own", &[]));
    stdout_of(&setting.predict_hits("given", &file, &["--limit", "3"]));
    let qrels = setting.write("qrels.txt", "case-0 0 document-4 2\ncase-1 0 document-3 1\ncase-2 0 document-2 1\n");
    let mut command = setting.of_dataset(&["evaluate"]);
    command.args(["--runs", "given,own", "--tables", "retrieval", "--csv", "--qrels"]).arg(&qrels);
    let csv = stdout_of(&command.output().unwrap());
    // Case 0 has it in place 2, case 1 no hit, case 2 in place 1.
    let line = |begin: &str| csv.lines().find(|line| line.contains(begin)).unwrap_or_else(|| panic!("{begin}: {csv}"));
    assert!(line("\"given, all heads, 1\",recall,").contains(",recall,0.3333333333333333,"), "{csv}");
    assert!(line("\"given, all heads, 2\",MRR,").contains(",MRR,0.5,"), "{csv}");
    assert!(line("\"own, all heads, 1\",n,").contains(",n,3,"), "{csv}");
    let both = stdout_of(&setting.of_dataset(&["evaluate"]).args(["--runs", "own,given"]).output().unwrap());
    assert!(both.contains("own and given differ in index (") && both.contains("hits from a file (none then"), "{both}");

    // The worker shows the stored answers, answers the case that the run lacks, and searches captions.
    let workspace = Workspace::open(&setting.root, None).unwrap();
    let run = Run::open(&setting.run_folder("given")).unwrap();
    let models = ModelChoice {
        encoder: None,
        given_vectors: false,
        store: None,
        heads: None,
        given: Some(GivenHitsChoice { path: file, name: "colpali.run".into(), k: 2, merging: None }),
        reader: reader_fixture().into(),
        device: "cpu".into(),
        precision: Precision::Auto,
        hits: HitsPerHead::default(),
        ablation: Ablation::default(),
        confirm: |_| Ok(()),
    };
    let engine = WorkerHandle::spawn(WorkerConfig {
        dataset: Arc::new(Dataset::open(&setting.root).unwrap()),
        workspace,
        models: Ok(models),
        run: Some(("given".into(), run)),
    })
    .unwrap();
    engine.send(Request::Open { case: 3 });
    engine.send(Request::SearchCaptions { ticket: 1, query: "mass".into(), limit: 3 });
    let (mut stored, mut results, mut described, mut answered) = (0, 0, String::new(), false);
    while !answered || results == 0 {
        match engine.events.recv_timeout(PATIENCE).unwrap() {
            Event::Stored(_) => stored += 1,
            Event::Ready(description) => described = description.retriever,
            Event::SearchResults { results: found, .. } => results = found.len(),
            Event::ClosedBook { case: 3, .. } => answered = true,
            Event::Failed { message, .. } => panic!("{message}"),
            _ => {}
        }
    }
    assert_eq!((stored, results), (3, 3));
    assert_eq!(described, "hits of colpali.run, 2 by colpali and bm25");
}

#[test]
fn random_documents_replace_given_hits() {
    let setting = Setting::new(3);
    let file = setting.write("colpali.run", GIVEN);
    stdout_of(&setting.predict_hits("given", &file, &[]));
    stdout_of(&setting.predict_hits("random", &file, &["--random-documents"]));
    let [given, random] = ["given", "random"].map(|run| setting.lines(run));
    assert_eq!(given.len(), random.len(), "as many documents as hits");
    for line in random.iter().filter(|line| !line["document"].is_null()) {
        assert_eq!(line["heads"][0]["head"], "random");
    }
    let identity = RunIdentity::read(&setting.run_folder("random").join("run.toml")).unwrap();
    assert_eq!((identity.ablation.as_str(), identity.given_hits.is_some()), ("random-documents", true));
    // Random documents have no scores, which a TREC run needs.
    let mut command = setting.of_dataset(&["export", "hits"]);
    let output = command.args(["--run", "random", "--out"]).arg(setting.file("random.trec")).output().unwrap();
    assert!(stderr_of(&output).contains("no file is written: case case-0: the hits of the head random have no scores"));
    assert!(!setting.file("random.trec").exists());
    let exported = setting.export("random", "random.jsonl");
    stdout_of(&setting.predict_hits("again", exported, &[]));
    assert_eq!(setting.lines("again"), random);
}

#[test]
fn what_cannot_be_used_is_refused_with_the_way_out() {
    let setting = Setting::new(2);
    let file = setting.write("colpali.run", GIVEN);
    let refused = setting.predict_hits("a", &file, &[]);
    assert_eq!(refused.status.code(), Some(1));
    let message = stderr_of(&refused);
    assert!(message.contains("colpali.run:6: case: the case \"case-2\" is not in cases.jsonl"), "{message}");
    assert!(!setting.run_folder("a").join(PREDICTIONS_FILE).exists(), "nothing is begun");
    let message = stderr_of(&setting.predict_hits("a", "missing", &[]));
    assert!(
        message.contains("--hits missing: no such file and no imported hits of this name: there are none"),
        "{message}"
    );
    for arguments in [["--heads", "image"], ["--closed-book", "--json"]] {
        let refused = setting.predict_hits("a", &file, &arguments);
        assert_eq!(refused.status.code(), Some(2));
        assert!(stderr_of(&refused).contains("cannot be used with"), "{}", stderr_of(&refused));
    }
    let mut command = dissent();
    let output = command.args(["import", "hits"]).arg(&file).arg(&setting.root).output().unwrap();
    assert!(stderr_of(&output).contains("expected the dataset first and then the file"), "{}", stderr_of(&output));
    let mut command = setting.of_dataset(&["import", "hits"]);
    let output = command.arg(&file).output().unwrap();
    let message = stderr_of(&output);
    assert!(message.contains("nothing was imported") && message.contains("colpali.run:6: case:"), "{message}");
    let mut command = setting.of_dataset(&["export", "hits"]);
    let output = command.args(["--run", "a", "--out"]).arg(setting.file("hits.txt")).output().unwrap();
    assert!(
        stderr_of(&output).contains("--out: ") && stderr_of(&output).contains("ends in .trec"),
        "{}",
        stderr_of(&output)
    );
    let mut command = setting.of_dataset(&["export", "hits"]);
    let output = command.args(["--heads", "lexical", "--out"]).arg(setting.file("hits.csv")).output().unwrap();
    assert!(stderr_of(&output).contains("predict a run with it"), "{}", stderr_of(&output));
    let contradicting = setting.write("x.run", "case-0 Q0 document-3 1 1 a\ncase-0 Q0 document-4 2 2 a\n");
    let output = setting.predict_hits("a", contradicting, &[]);
    stdout_of(&output);
    let message = stderr_of(&output);
    assert!(
        message.contains("warning: ") && message.contains("the ranks of 1 of 1 lists are not in the order"),
        "{message}"
    );
    let qrels = setting.write("qrels.txt", "case-0 0 document-9 1\n");
    let output = setting.of_dataset(&["evaluate"]).args(["--runs", "a", "--qrels"]).arg(&qrels).output().unwrap();
    assert!(stderr_of(&output).contains("qrels.txt:1: document: the document \"document-9\" is not in corpus.jsonl"));
}
