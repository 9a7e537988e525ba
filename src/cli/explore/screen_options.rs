//! Options of the explorer's screen, shared by `explore` and `demo`.

use std::path::PathBuf;

/// Keys, recording, viewer.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ScreenOptions {
    /// File with your own keys; default: keys.toml in the user's configuration folder (see `dissent keys`)
    #[arg(long, env = "DISSENT_KEYS", value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// Record the session into a new file (asciicast v2, played by asciinema)
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Program that opens an enlarged image in a window of its own (key o); {} stands for the image's path, which otherwise
    /// comes last; default: xdg-open, or open on macOS
    #[arg(long, env = "DISSENT_VIEWER", value_name = "COMMAND")]
    pub viewer: Option<String>,
}
