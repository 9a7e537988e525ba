//! A whole small world: a dataset with images, random models of our own architecture, and the binary.

use super::dataset::{case, closed_task, document, manifest, replace_line, write_dataset};
use super::folders::copy_folder;
use super::pictures::png;
use super::program::dissent;
use candle_core::{DType, Device};
use candle_nn::VarMap;
use dissent::data::{Case, Document, Split};
use dissent::model::checkpoint::{StoredType, pretty_json, save_checkpoint, variables_of};
use dissent::model::clip::{ClipConfig, ClipModel};
use dissent::model::dual_encoder::ImageProcessor;
use dissent::model::initialise::seeded_builder;
use dissent::model::layers::Mode;
use dissent::model::pixtral::{
    PixtralConfig, PixtralImageProcessor, SmallPixtral, processor_files, save_pixtral, train_tokenizer,
    trainable_pixtral,
};
use dissent::model::tokenizer::{TokenizerPlan, build_tokenizer_files};
use image::DynamicImage;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tempfile::TempDir;

const CAPTIONS: [&str; 6] =
    ["a dark mass", "a bright cyst", "no lesion", "spiculated margin", "smooth margin", "noise"];
const CASES: usize = 20;
/// A dataset of 20 cases (`c1` on line 1 and so on; `c3` and `c17` are of the test split, with images of their own) and
/// 6 documents, with models in `checkpoints/` that every command is told of.
pub struct World {
    folder: TempDir,
}

/// Result of running the binary.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl World {
    pub fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        let lesion = closed_task("lesion", "Is there a lesion?", [("Yes", "lesion"), ("No", "no lesion")]);
        let of = |number: usize| {
            let split = if matches!(number, 3 | 17) { Split::Test } else { Split::Train };
            Case { split, ..case(&format!("c{number}"), "lesion", if number.is_multiple_of(2) { "No" } else { "Yes" }) }
        };
        let cases: Vec<Case> = (1..=CASES).map(of).collect();
        let of = |(index, caption): (usize, &&str)| document(&format!("d{index}"), caption);
        let corpus: Vec<Document> = CAPTIONS.iter().enumerate().map(of).collect();
        write_dataset(&world.root(), &manifest("world", vec![lesion]), &cases, &corpus);
        for (case, number) in cases.iter().zip(1_u8..) {
            fs::write(world.root().join(&case.image), grey_blocks(number)).unwrap();
        }
        for (document, number) in corpus.iter().zip(0_u8..) {
            fs::write(world.root().join(&document.image), grey_blocks(number + 100)).unwrap();
        }
        copy_folder(models(), &world.path("checkpoints"));
        world
    }

    /// A world with documents enough to train on, each train case's image being one more, and two validation cases.
    pub fn trainable() -> Self {
        let world = Self::new();
        for (line, answer) in [(19, "Yes"), (20, "No")] {
            let case = case_line(&format!("c{line}"), "validation", &format!("images/c{line}.png"), answer);
            world.replace_line("cases.jsonl", line, &case);
        }
        let mut corpus = fs::read_to_string(world.path("corpus.jsonl")).unwrap();
        for number in (1..=20).filter(|number| !matches!(number, 3 | 17)) {
            let caption = format!("a mass of {number} millimetres");
            corpus += &format!(r#"{{"id":"t{number}","image":"images/c{number}.png","caption":"{caption}"}}"#);
            corpus.push('\n');
        }
        fs::write(world.path("corpus.jsonl"), corpus).unwrap();
        world
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("dataset")
    }

    /// A path inside the dataset.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// The home folder of the binary's user.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Replaces one line of a file of the dataset, counted from 1.
    pub fn replace_line(&self, file: &str, line: usize, text: &str) {
        replace_line(&self.path(file), line, text);
    }

    /// `dissent ARGUMENTS`, where `DATASET` stands for the dataset directory.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = dissent();
        for argument in arguments {
            match *argument {
                "DATASET" => command.arg(self.root()),
                other => command.arg(other),
            };
        }
        command
            .env("DISSENT_ENCODER", self.path("checkpoints/dual-encoder"))
            .env("DISSENT_READER", self.path("checkpoints/reader"));
        command.env("HOME", self.home()).env_remove("XDG_DATA_HOME").env_remove("XDG_CONFIG_HOME");
        command
    }

    /// Runs the binary; a panic or a death by signal fails the test.
    pub fn dissent(&self, arguments: &[&str]) -> Outcome {
        outcome_of(&mut self.command(arguments))
    }

    /// Predicts both test cases into the run `r`.
    pub fn predict(&self) -> Outcome {
        self.dissent(&["predict", "DATASET", "--run", "r", "--split", "test", "--device", "cpu"])
    }

    /// Builds the index.
    pub fn index(&self) -> Outcome {
        self.dissent(&["index", "DATASET", "--device", "cpu"])
    }
}

impl Outcome {
    /// Exit code 1, and a message with all these parts.
    #[track_caller]
    pub fn fails_with(&self, parts: &[&str]) {
        assert_eq!(self.code, 1, "{self:#?}");
        let said = format!("{}{}", self.stdout, self.stderr);
        assert!(self.stderr.contains("error: "), "{self:#?}");
        for part in parts {
            assert!(said.contains(part), "{part:?} is not in {self:#?}");
        }
    }

    #[track_caller]
    pub fn succeeds(&self) -> &Self {
        assert_eq!(self.code, 0, "{self:#?}");
        self
    }
}

/// The lines of the run `r`, by case, wherever the workspace is.
pub fn predictions(workspace: &Path, case: &str) -> usize {
    let text = fs::read_to_string(workspace.join("runs/r/predictions.jsonl")).unwrap_or_default();
    text.lines().filter(|line| line.contains(&format!("\"{case}\""))).count()
}

/// Runs a command; a panic or a death by signal fails the test.
#[track_caller]
pub fn outcome_of(command: &mut Command) -> Outcome {
    let output = command.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!stderr.contains("panicked at") && !stdout.contains("panicked at"), "{stderr}");
    let Some(code) = output.status.code() else { panic!("died: {:?}\n{stderr}", output.status) };
    Outcome { code, stdout, stderr }
}

/// One line of `cases.jsonl`.
pub fn case_line(id: &str, split: &str, image: &str, answer: &str) -> String {
    let line = serde_json::json!({"id": id, "task": "lesion", "split": split, "image": image, "answer": answer});
    format!("{line}\n")
}

/// Grey blocks drawn from a number, 48 pixels square, so that no image shows the picture of another.
fn grey_blocks(number: u8) -> Vec<u8> {
    let blocks = image::GrayImage::from_fn(48, 48, |x, y| {
        let place = u32::from(number) * 64 + (y / 6) * 8 + x / 6 + 1;
        image::Luma([(place.wrapping_mul(2_654_435_761) >> 24) as u8])
    });
    png(&DynamicImage::ImageLuma8(blocks))
}

/// Random checkpoints, made once for all tests: `dual-encoder` and `reader`.
fn models() -> &'static Path {
    static MODELS: OnceLock<TempDir> = OnceLock::new();
    let folder = MODELS.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        save_dual_encoder(&folder.path().join("dual-encoder"));
        save_reader(&folder.path().join("reader"));
        folder
    });
    folder.path()
}

fn save_dual_encoder(folder: &Path) {
    let plan = TokenizerPlan { largest_vocabulary: 500, least_count: 1, longest_text: 77 };
    let (mut files, vocabulary) = build_tokenizer_files(CAPTIONS, plan).unwrap();
    let processor = pretty_json(&ImageProcessor::clip(64).to_json()).unwrap();
    files.insert("preprocessor_config.json".to_string(), processor);
    let config = ClipConfig::small(vocabulary);
    let variables = VarMap::new();
    let vars = seeded_builder(&variables, 11, DType::F32, &Device::Cpu);
    ClipModel::new(&config, &vars, Mode::Train).unwrap();
    save_checkpoint(folder, &variables_of(&variables), &config.to_json(), &files, StoredType::F16).unwrap();
}

fn save_reader(folder: &Path) {
    let sizes = SmallPixtral { vision_layers: 3, text_layers: 2, text_hidden: 64, ..SmallPixtral::default() };
    let texts = CAPTIONS.into_iter().chain(["background: Is there a lesion? Yes No"]);
    let (tokenizer, vocabulary) = train_tokenizer(texts, 300).unwrap();
    let config = PixtralConfig::small_with(vocabulary, &sizes);
    let variables = VarMap::new();
    trainable_pixtral(&config, &variables, 1, None, &Device::Cpu).unwrap();
    let files = processor_files(&PixtralImageProcessor::new(64, 8), tokenizer, 2048).unwrap();
    save_pixtral(folder, &config, &variables, &files, StoredType::F16).unwrap();
}
