//! The options of `dissent explore`.

use super::screen_options::ScreenOptions;
use crate::cli::costs::ConsentFlag;
use crate::cli::model_options::ModelOptions;
use crate::cli::queue_options::QueueOptions;
use crate::data::Split;
use std::path::PathBuf;

/// Arguments of `dissent explore`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Dataset directory
    pub dataset: PathBuf,
    /// Only cases of this split; default: test if the dataset has test cases, else all
    #[arg(long, value_enum)]
    pub split: Option<Split>,
    /// Show the answers of this stored run instead of asking the models
    #[arg(long, value_name = "NAME")]
    pub run: Option<String>,
    /// Compare every case with this stored run
    #[arg(long, value_name = "NAME")]
    pub against: Option<String>,
    /// Name of the annotator; default: the name kept from an earlier answer, else the user's login name
    #[arg(long, value_name = "NAME")]
    pub annotator: Option<String>,
    /// Keep gold answers shown from case to case; without it, g shows the gold answer of one case
    #[arg(
        long,
        num_args = 0..=1,
        require_equals = true,
        default_value = "false",
        default_missing_value = "true",
        hide_default_value = true,
        value_name = "BOOL",
        action = clap::ArgAction::Set
    )]
    pub keep_gold: bool,
    #[command(flatten)]
    pub screen: ScreenOptions,
    #[command(flatten)]
    pub models: ModelOptions,
    #[command(flatten)]
    pub consent: ConsentFlag,
    #[command(flatten)]
    pub queue: QueueOptions,
}

impl Args {
    /// The default options.
    pub fn for_dataset(dataset: PathBuf) -> Self {
        Self {
            dataset,
            split: None,
            run: None,
            against: None,
            annotator: None,
            keep_gold: false,
            screen: ScreenOptions::default(),
            models: ModelOptions::default(),
            consent: ConsentFlag::default(),
            queue: QueueOptions::default(),
        }
    }
}
