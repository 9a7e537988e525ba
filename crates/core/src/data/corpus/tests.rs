use super::*;
use crate::data::{CORPUS_FILE, Dataset, DocumentView};
use crate::files::file_state::SETTLED;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

const LINES: &str = r#"{"id":"d1","image":"images/1.png","caption":"a cyst","source":"north","group":"p 1"}
{"id":"d2","image":"images/2.png","caption":"größer","source":"south"}
no line
{"id":"d3","image":"more/3.png","caption":"none","group":"p 1"}
{"id":"d1","image":"images/4.png","caption":"the same id"}
{"id":"d4","image":"box.zip!/4.png","caption":"last","source":"north"}
"#;

/// A dataset folder with a corpus that was not changed just now, and a folder for what is kept.
struct Setting {
    folder: tempfile::TempDir,
    corpus: PathBuf,
    kept: PathBuf,
}

impl Setting {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (corpus, kept) = (folder.path().join(CORPUS_FILE), folder.path().join("cache/kept"));
        fs::write(&corpus, LINES).unwrap();
        settle();
        Self { folder, corpus, kept }
    }

    fn read(&self) -> ReadCorpus {
        Corpus::read_kept(&self.corpus, &self.kept)
    }

    fn file(&self) -> PathBuf {
        self.kept.join("documents")
    }
}

/// The inode change time cannot be set, so the tests wait.
fn settle() {
    std::thread::sleep(SETTLED + Duration::from_millis(50));
}

fn expected() -> Vec<DocumentView<'static>> {
    let document = |id, image: &'static str, caption, source, group| DocumentView {
        id,
        image: Path::new(image),
        caption,
        source,
        group,
    };
    vec![
        document("d1", "images/1.png", "a cyst", Some("north"), Some("p 1")),
        document("d2", "images/2.png", "größer", Some("south"), None),
        document("d3", "more/3.png", "none", None, Some("p 1")),
        document("d4", "box.zip!/4.png", "last", Some("north"), None),
    ]
}

fn assert_whole(corpus: &Corpus, at: &str) {
    assert_eq!(corpus.iter().collect::<Vec<_>>(), expected(), "{at}");
    let rows = ["d1", "d2", "d3", "d4", "d5", ""].map(|id| corpus.row_of(id));
    assert_eq!(rows, [Some(0), Some(1), Some(2), Some(3), None, None], "{at}");
    assert_eq!(corpus.sources().collect::<Vec<_>>(), ["north", "south"], "{at}");
}

#[test]
fn documents_are_the_same_in_memory_and_in_a_file() {
    let setting = Setting::new();
    let in_memory = Corpus::read(&setting.corpus);
    assert!(in_memory.corpus.kept().is_none() && in_memory.remark.is_none(), "it is small");
    assert_whole(&in_memory.corpus, "in memory");
    let first = setting.read();
    assert!(first.remark.unwrap().starts_with("4 documents: they are kept in "));
    let mut second = setting.read();
    assert_eq!(second.remark, None);
    assert!(second.corpus.kept().is_some());
    assert_whole(&second.corpus, "in a file");
    assert_eq!((&second.problems, second.problems.len()), (&in_memory.problems, 2));
    assert!(in_memory.corpus == second.corpus);
    assert_whole(&Corpus::of(&second.corpus.to_documents()), "copied");
    // The rows of models come after the documents, in a clone of its own.
    let alone = second.corpus.clone();
    second.corpus.add_model("m");
    second.corpus.add_model("d2");
    let model = second.corpus.document(4);
    assert_eq!((model.id, model.caption, model.image), ("m", "", Path::new("")));
    assert_eq!((second.corpus.len(), second.corpus.document_count(), alone.len()), (6, 4, 4));
    assert_eq!((second.corpus.row_of("d2"), second.corpus.model_row_of("d2")), (Some(1), Some(5)));
    assert_eq!((second.corpus.row_of("m"), second.corpus.document_row_of("m")), (Some(4), None));
    assert!(second.corpus.get(6).is_none());
    assert!(Corpus::default().is_empty() && Corpus::default().row_of("d1").is_none());
}

#[test]
fn a_file_of_another_corpus_is_not_used() {
    let setting = Setting::new();
    setting.read();
    let other = setting.folder.path().join("moved");
    fs::rename(&setting.corpus, &other).unwrap();
    fs::write(&setting.corpus, LINES.replace("cyst", "mass")).unwrap();
    // Written just now: the reading waits until a later change would show.
    let read = setting.read();
    assert!(read.remark.unwrap().contains("corpus.jsonl has changed, so they are kept anew in"));
    assert_eq!(read.corpus.document(0).caption, "a mass");
    fs::rename(&other, &setting.corpus).unwrap();
    assert_eq!(setting.read().corpus.document(0).caption, "a cyst");
}

#[test]
fn no_damaged_byte_is_believed_and_none_is_a_crash() {
    let setting = Setting::new();
    setting.read();
    let sound = fs::read(setting.file()).unwrap();
    let (mut anew, mut again) = (0, 0);
    for place in 0..sound.len() {
        for change in [1, 0x80, 0xff] {
            let mut damaged = sound.clone();
            damaged[place] ^= change;
            fs::write(setting.file(), damaged).unwrap();
            let read = setting.read();
            anew += usize::from(read.remark.is_some());
            assert_whole(&read.corpus, &format!("byte {place} changed by {change}"));
            assert_eq!(read.problems.len(), 2);
            again += usize::from(read.corpus.documents.again.get().is_some());
        }
        fs::write(setting.file(), &sound[..place]).unwrap();
        let read = setting.read();
        assert!(read.remark.unwrap().contains("was damaged"), "cut at {place}");
        assert_whole(&read.corpus, "cut");
    }
    // What is found at the opening, and what is found where it is used.
    assert!(anew > 100 && again > 100, "{anew} {again}");
    fs::write(setting.file(), [&sound[..], b"more"].concat()).unwrap();
    assert!(setting.read().remark.unwrap().contains("was damaged"));
}

#[test]
fn a_damaged_document_whose_source_is_gone_says_so() {
    let setting = Setting::new();
    setting.read();
    let mut damaged = fs::read(setting.file()).unwrap();
    let place = damaged.windows(4).position(|bytes| bytes == b"cyst").unwrap();
    damaged[place] = b'C';
    fs::write(setting.file(), damaged).unwrap();
    let read = setting.read();
    fs::remove_file(&setting.corpus).unwrap();
    assert_eq!((read.corpus.document(0).id, read.corpus.document(0).caption), ("", LOST));
    assert_eq!(read.corpus.document(1).caption, "größer", "the others are as they were");
    assert!(!setting.file().exists(), "the next start makes it anew");
}

#[test]
fn a_corpus_that_cannot_be_kept_is_read_into_memory_with_a_word() {
    let setting = Setting::new();
    // A file in place of the folder stops even root.
    fs::write(setting.folder.path().join("cache"), "").unwrap();
    let read = setting.read();
    assert!(read.corpus.kept().is_none());
    assert!(read.remark.unwrap().starts_with("all documents are in memory, and parsed at each start: "));
    assert_whole(&read.corpus, "in memory");
    fs::remove_file(&setting.corpus).unwrap();
    let read = setting.read();
    assert!(read.problems[0].message.starts_with("cannot read the file"), "{:?}", read.problems);
}

#[test]
fn what_programs_that_were_ended_have_left_is_removed() {
    let setting = Setting::new();
    fs::create_dir_all(&setting.kept).unwrap();
    let (old, new) = (setting.kept.join(".tmpOLD"), setting.kept.join(".tmpNEW"));
    for path in [&old, &new] {
        fs::write(path, "half").unwrap();
    }
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(7200);
    fs::File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
    setting.read();
    assert!(!old.exists() && new.exists());
}

#[test]
fn a_noted_fingerprint_holds_until_corpus_or_folders_change() {
    let setting = Setting::new();
    let root = setting.folder.path().join("set");
    fs::create_dir_all(root.join("images")).unwrap();
    let corpus = root.join(CORPUS_FILE);
    fs::write(&corpus, LINES).unwrap();
    let image = |number: usize| root.join(format!("images/{number}.png"));
    fs::write(image(1), "one").unwrap();
    fs::write(image(2), "two").unwrap();
    settle();
    let open = || {
        let manifest = crate::data::Manifest::new("set", Vec::new());
        let dataset = Dataset::new(&root, manifest, Vec::new(), Vec::new());
        Dataset { corpus: Corpus::read_kept(&corpus, &setting.kept).corpus, ..dataset }
    };
    let note = setting.kept.join("fingerprint");
    let dataset = open();
    let first = dataset.corpus_fingerprint();
    assert!(note.exists());
    assert_eq!(Dataset { corpus: Corpus::of(&dataset.corpus.to_documents()), ..dataset }.corpus_fingerprint(), first);
    // A changed note shows that it is read.
    let sound = fs::read_to_string(&note).unwrap();
    fs::write(&note, sound.replace(first.as_str(), "00000000000000aa")).unwrap();
    assert_eq!(open().corpus_fingerprint().as_str(), "00000000000000aa");
    assert!(open().remark_on_changed_images().is_some());
    assert_eq!(open().corpus_fingerprint(), first, "looking at the files mends the note");
    assert_eq!(open().remark_on_changed_images(), None);
    // Written over in place: found by looking at the files.
    fs::write(image(1), "ONE").unwrap();
    assert_eq!(open().corpus_fingerprint(), first);
    assert!(open().remark_on_changed_images().is_some());
    let second = open().corpus_fingerprint();
    assert_ne!(second, first);
    // A file that comes or goes changes the folder.
    fs::remove_file(image(2)).unwrap();
    assert_ne!(open().corpus_fingerprint(), second);
    settle();
    for broken in ["", "x y z", "é"] {
        fs::write(&note, broken).unwrap();
        assert_eq!(open().corpus_fingerprint(), open().corpus_fingerprint_now());
    }
}
