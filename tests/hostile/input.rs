//! One hostile input: files in a folder of its own, what is run on them, and what must come of it.

use crate::ground::Ground;
use crate::program::Outcome;
use rand_chacha::ChaCha8Rng;
use std::path::Path;

/// The source of everything random: the same seed and number give the same input.
pub type Random = ChaCha8Rng;

/// Makes the files of an input in the empty folder and says what is run.
pub type Make = fn(&mut Random, &Ground, &Path) -> Input;

/// Looks at the outcome and the folder; says what is wrong.
pub type Look = Box<dyn Fn(&Outcome, &Path) -> Result<(), String> + Send>;

/// A command to run.
pub struct Input {
    /// In one line, for the report: what was done to what.
    pub what: String,
    pub arguments: Vec<String>,
    pub environment: Vec<(String, String)>,
    /// Lines or keys, each typed once the program is quiet.
    pub typed: Vec<String>,
    /// A further check of the outcome, besides that nothing crashes.
    pub look: Option<Look>,
    /// Ends with the input: a server, say.
    pub beside: Option<Box<dyn Send>>,
}

impl Input {
    /// An input whose outcome may be anything in good order.
    pub fn new(what: impl Into<String>, arguments: &[&str]) -> Self {
        Self {
            what: what.into(),
            arguments: arguments.iter().map(ToString::to_string).collect(),
            environment: Vec::new(),
            typed: Vec::new(),
            look: None,
            beside: None,
        }
    }

    /// `predict` of this dataset as run `x`, with the sample's encoder.
    pub fn predict(what: impl Into<String>, dataset: &Path, reader: &str, more: &[&str]) -> Self {
        let encoder = Ground::encoder();
        let arguments = ["predict", text_of(dataset), "--run", "x", "--encoder", text_of(&encoder), "--reader", reader];
        Self::new(what, &[&arguments, more].concat())
    }

    /// With a variable of the environment.
    pub fn with_variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// With keys or a line.
    pub fn typing(mut self, keys: impl Into<String>) -> Self {
        self.typed.push(keys.into());
        self
    }

    /// With a right value.
    pub fn expecting(mut self, look: impl Fn(&Outcome, &Path) -> Result<(), String> + Send + 'static) -> Self {
        self.look = Some(Box::new(look));
        self
    }

    /// Expects that the command ends with an error.
    pub fn refused(self) -> Self {
        self.expecting(|outcome, _| match outcome.code {
            Some(0) => Err("taken without a word".into()),
            _ => Ok(()),
        })
    }

    /// Expects that the command ends with an error or prints one of these words.
    pub fn said(self, words: &'static [&'static str]) -> Self {
        self.expecting(move |outcome, _| {
            let is_said = outcome.code != Some(0) || words.iter().any(|word| outcome.text().contains(word));
            if is_said { Ok(()) } else { Err(format!("not said: none of {words:?} in the output")) }
        })
    }
}

/// The text of a path.
pub fn text_of(path: &Path) -> &str {
    path.to_str().unwrap()
}
