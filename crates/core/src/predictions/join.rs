//! Finds the case of an answer: by id, else by question and picture. An answer that fits several cases, or none, is not joined.

use super::given_answer::{GivenCase, GivenPicture};
use crate::data::identifier::trimmed;
use crate::data::{Dataset, KnownIds, Split};
use crate::files::archive_member;
use crate::files::fingerprint::Fingerprint;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

/// Size of the largest picture that is compared, bytes.
const LARGEST_PICTURE: u64 = 512 << 20;
/// LLaVA's place of the picture in a question.
const PICTURE_TOKEN: &str = "<image>";

/// The cases of a dataset by what files say of them.
pub(super) struct CaseIndex<'a> {
    dataset: &'a Dataset,
    split: Option<Split>,
    by_id: KnownIds<'a>,
    by_question: HashMap<String, Vec<usize>>,
    /// Cases of the split, in order.
    of_split: Vec<usize>,
    /// Cases by the last part of their picture's path, made on first use. All cases may have the same question.
    by_file_name: OnceCell<HashMap<String, Vec<usize>>>,
    /// Contents of the pictures of all cases, and cases by them, read on first use.
    contents: OnceCell<Vec<Option<Fingerprint>>>,
    by_content: OnceCell<HashMap<Fingerprint, Vec<usize>>>,
    /// Folder that relative paths of pictures start from.
    images: Option<PathBuf>,
    /// Contents of the files in that folder that were asked for: a file has many answers to its picture.
    files: RefCell<HashMap<PathBuf, Option<Fingerprint>>>,
}

/// Why an answer belongs to no case; a clause that follows a number of answers.
pub(super) type NotJoined = &'static str;

impl<'a> CaseIndex<'a> {
    /// With a split, only its cases are joined.
    pub fn new(dataset: &'a Dataset, split: Option<Split>, images: Option<&Path>) -> Self {
        let mut by_question: HashMap<String, Vec<usize>> = HashMap::new();
        let mut of_split = Vec::new();
        for (position, case) in dataset.cases.iter().enumerate() {
            if split.is_none_or(|split| case.split == split) {
                of_split.push(position);
                by_question.entry(plain_question(dataset.question_of(case))).or_default().push(position);
            }
        }
        let images = images.map(Path::to_path_buf);
        let (by_file_name, contents, by_content) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        let by_id = dataset.known_cases();
        let files = RefCell::default();
        Self { dataset, split, by_id, by_question, of_split, by_file_name, contents, by_content, images, files }
    }

    /// Number of cases that can be joined.
    pub fn len(&self) -> usize {
        self.of_split.len()
    }

    /// Position of the case in the dataset.
    pub fn find(&self, given: &GivenCase) -> Result<usize, NotJoined> {
        if let Some(position) = given.position {
            return self.of_split.get(position).copied().ok_or("the split has fewer cases");
        }
        let picture = given.picture.as_ref().map(|picture| self.with_content(picture));
        let mut reason = "no case has this id";
        if let Some(id) = &given.id
            && let Some(position) = self.of_id(trimmed(id))?
        {
            if !self.is_in_split(position) {
                return Err("the case is in another split");
            }
            // A path proves nothing against the id: datasets rename their pictures.
            let has_other_picture =
                matches!(&picture, Some(content @ GivenPicture::Content(_)) if !self.has_picture(position, content));
            if self.has_question(position, given) && !has_other_picture {
                return Ok(position);
            }
            reason = "the case with this id has another question or picture";
        }
        let question = match given.question.as_ref().or(given.prompt.as_ref()) {
            Some(question) => plain_question(question),
            None => return Err(reason),
        };
        let Some(same_question) = self.by_question.get(&question) else {
            return Err(if given.id.is_some() { reason } else { "no case has this question" });
        };
        let Some(picture) = &picture else {
            return match same_question.as_slice() {
                [one] => Ok(*one),
                _ => Err("several cases have this question, and the file names no picture (--questions may)"),
            };
        };
        let mut of_picture = self.cases_with(picture).to_vec();
        of_picture.retain(|position| {
            let own = self.dataset.question_of(&self.dataset.cases[*position]);
            self.is_in_split(*position) && self.has_picture(*position, picture) && plain_question(own) == question
        });
        match of_picture.as_slice() {
            [] => Err("no case has this question and picture"),
            [one] => Ok(*one),
            _ => Err("several cases have this question and picture"),
        }
    }

    /// The cases whose picture may be this one: those of the same content, or of the same file name.
    fn cases_with(&self, picture: &GivenPicture) -> &[usize] {
        let found = match picture {
            GivenPicture::Content(content) => {
                let index = || {
                    let mut cases: HashMap<Fingerprint, Vec<usize>> = HashMap::new();
                    for position in 0..self.dataset.cases.len() {
                        if let Some(content) = self.content_of(position) {
                            cases.entry(content.clone()).or_default().push(position);
                        }
                    }
                    cases
                };
                self.by_content.get_or_init(index).get(content)
            }
            GivenPicture::Path(path) => {
                let index = || {
                    let mut cases: HashMap<String, Vec<usize>> = HashMap::new();
                    for (position, case) in self.dataset.cases.iter().enumerate() {
                        let name = parts(&case.image).pop().unwrap_or_default();
                        cases.entry(name).or_default().push(position);
                    }
                    cases
                };
                self.by_file_name.get_or_init(index).get(&parts(Path::new(path)).pop().unwrap_or_default())
            }
        };
        found.map(Vec::as_slice).unwrap_or_default()
    }

    /// Importers of datasets with numbered questions write `q12` for 12.
    fn of_id(&self, id: &str) -> Result<Option<usize>, NotJoined> {
        let several = |_| "the id may be that of several cases, in another spelling";
        if let Some(position) = self.by_id.find(id).map_err(several)? {
            return Ok(Some(position));
        }
        let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { self.by_id.find(&format!("q{id}")).map_err(several) } else { Ok(None) }
    }

    fn is_in_split(&self, position: usize) -> bool {
        self.split.is_none_or(|split| self.dataset.cases[position].split == split)
    }

    /// Whether the case has the question that the file names; true if it names none.
    fn has_question(&self, position: usize, given: &GivenCase) -> bool {
        let own = plain_question(self.dataset.question_of(&self.dataset.cases[position]));
        match (&given.question, &given.prompt) {
            (Some(question), _) => plain_question(question) == own,
            // Harnesses put their own instructions after the question.
            (None, Some(prompt)) => plain_question(prompt).contains(&own),
            (None, None) => true,
        }
    }

    /// The picture by its content, if its file is in the folder of pictures.
    fn with_content(&self, picture: &GivenPicture) -> GivenPicture {
        let GivenPicture::Path(path) = picture else { return picture.clone() };
        let content = self.images.as_ref().and_then(|folder| {
            let path = folder.join(path);
            let mut files = self.files.borrow_mut();
            files.entry(path).or_insert_with_key(|path| content_of_file(path)).clone()
        });
        content.map_or_else(|| picture.clone(), GivenPicture::Content)
    }

    fn has_picture(&self, position: usize, picture: &GivenPicture) -> bool {
        match picture {
            GivenPicture::Content(content) => self.content_of(position) == Some(content),
            GivenPicture::Path(path) => ends_with(&self.dataset.cases[position].image, Path::new(path)),
        }
    }

    fn content_of(&self, position: usize) -> Option<&Fingerprint> {
        let read = || self.dataset.image_contents(self.dataset.cases.iter().map(|case| &case.image));
        self.contents.get_or_init(read).get(position)?.as_ref()
    }
}

fn content_of_file(path: &Path) -> Option<Fingerprint> {
    Some(Fingerprint::of_bytes(&archive_member::read(path, LARGEST_PICTURE).ok()?))
}

/// Whether one path ends with the whole other one: `xmlab401/source.jpg` and `/data/imgs/xmlab401/source.jpg`.
fn ends_with(one: &Path, other: &Path) -> bool {
    let (one, other) = (parts(one), parts(other));
    let shared = one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count();
    shared > 0 && shared == one.len().min(other.len())
}

/// The names in a path.
fn parts(path: &Path) -> Vec<String> {
    let names = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy()),
        _ => None,
    });
    // A member of a container stands after the container's name and `!`.
    names.map(|name| name.trim_end_matches('!').to_owned()).collect()
}

/// A question without LLaVA's place of the picture, letter case and repeated space.
pub(super) fn plain_question(question: &str) -> String {
    let lower = question.replace(PICTURE_TOKEN, " ").to_lowercase();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_from_their_end() {
        let same = |one: &str, other: &str| ends_with(Path::new(one), Path::new(other));
        assert!(same("/data/imgs/xmlab401/source.jpg", "xmlab401/source.jpg"));
        assert!(same("source.jpg", "imgs/xmlab401/source.jpg") && same("./a.png", "a.png"));
        assert!(!same("imgs/xmlab401/source.jpg", "imgs/xmlab402/source.jpg"));
        assert!(!same("ab.png", "b.png") && !same("", "a.png") && !same("x/a.png", "y/a.png"));
    }

    #[test]
    fn questions_are_compared_without_the_place_of_the_picture() {
        assert_eq!(plain_question("Is this  CT?\n<image>"), "is this ct?");
        assert_eq!(plain_question("<image>\nIs this CT?"), "is this ct?");
    }
    #[test]
    fn a_picture_of_many_answers_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.png");
        std::fs::write(&file, b"pixels").unwrap();
        let dataset = small_dataset(folder.path());
        let index = CaseIndex::new(&dataset, None, Some(folder.path()));
        let given = GivenPicture::Path("a.png".into());
        let content = |index: &CaseIndex| match index.with_content(&given) {
            GivenPicture::Content(content) => Some(content),
            GivenPicture::Path(_) => None,
        };
        assert_eq!(content(&index), Some(Fingerprint::of_bytes(b"pixels")));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(content(&index), Some(Fingerprint::of_bytes(b"pixels")), "the file is not asked for again");
        assert_eq!(content(&CaseIndex::new(&dataset, None, Some(folder.path()))), None);
    }
    fn small_dataset(folder: &Path) -> Dataset {
        let task = r#"id = "t", kind = "closed-vqa", question = "?", labels = [{ id = "A", name = "a" }, { id = "B", name = "b" }]"#;
        std::fs::write(folder.join("dataset.toml"), format!("name = \"small\"\ntask = [{{ {task} }}]\n")).unwrap();
        let case = r#"{"id": "c", "task": "t", "split": "test", "image": "a.png", "answer": "A"}"#;
        std::fs::write(folder.join("cases.jsonl"), case).unwrap();
        std::fs::write(folder.join("corpus.jsonl"), r#"{"id": "d", "image": "a.png", "caption": "a"}"#).unwrap();
        Dataset::open(folder).unwrap()
    }
}
