//! The values of the configuration file as the defaults of the options that have their names.

use super::config::Config;
use clap::Command;
use std::path::Path;

/// The commands that take an option, each as its path below `dissent`.
type Commands = &'static [&'static [&'static str]];

/// The option of every command ([`super::Common`]).
const EVERY: Commands = &[&[]];
/// The sample has its own models, so the models of the file are not for `demo`.
const WITH_MODELS: Commands = &[&["explore"], &["annotate"], &["predict"], &["explain"]];
const ON_SCREEN: Commands = &[&["explore"], &["demo"]];
const WITH_ANNOTATOR: Commands = &[&["explore"], &["demo"], &["annotate"], &["export", "casebook"]];

impl Config {
    /// The values that the file has: the option's name in clap, the commands that take it, the value.
    fn values(&self) -> Vec<(&'static str, Commands, String)> {
        let mut values = Vec::new();
        let mut add = |id: &'static str, commands: Commands, value: Option<String>| {
            values.extend(value.map(|value| (id, commands, value)));
        };
        add("images", EVERY, self.images.map(|images| images.to_string()));
        add("theme", EVERY, self.theme.as_deref().map(in_home));
        add("color", EVERY, self.color.clone());
        add("device", EVERY, self.device.clone());
        add("dtype", EVERY, self.dtype.clone());
        add("annotator", WITH_ANNOTATOR, self.annotator.clone());
        add("keep_gold", &[&["explore"]], self.keep_gold.map(|keeps| keeps.to_string()));
        add("viewer", ON_SCREEN, self.viewer.clone());
        add("encoder", WITH_MODELS, self.encoder.as_deref().map(in_home));
        add("retriever", WITH_MODELS, self.retriever.as_deref().map(in_home));
        add("reader", WITH_MODELS, self.reader.as_deref().map(in_home));
        values
    }

    /// Names of the options that the file sets, as flags have them.
    pub fn names(&self) -> Vec<String> {
        self.values().into_iter().map(|(id, ..)| id.replace('_', "-")).collect()
    }

    /// The command line with the file's values as defaults: flags and the environment come before them.
    pub fn applied_to(&self, mut command: Command) -> Command {
        for (id, commands, value) in self.values() {
            // clap keeps defaults for the life of the program.
            let value: &'static str = value.leak();
            for path in commands {
                command = with_default(command, path, id, value);
            }
        }
        command
    }
}

fn with_default(command: Command, path: &[&'static str], id: &'static str, value: &'static str) -> Command {
    let Some((first, rest)) = path.split_first() else {
        // The address of a server may contain a password, so the help does not show it.
        return command.mut_arg(id, |arg| arg.default_value(value).hide_default_value(id == "reader"));
    };
    command.mut_subcommand(first, |sub| with_default(sub, rest, id, value))
}

/// A path with the user's home folder in place of `~`, as a shell would have it.
fn in_home(value: &str) -> String {
    let home = directories::UserDirs::new();
    match (value.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.home_dir().join(Path::new(rest)).display().to_string(),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::{ArgMatches, CommandFactory};

    const FILE: &str = "images = \"octant\"\ntheme = \"light\"\ncolor = \"256\"\ndevice = \"cpu\"\ndtype = \"bf16\"\n\
                        annotator = \"ada\"\nkeep-gold = true\nviewer = \"feh {}\"\nencoder = \"/m/encoder\"\n\
                        retriever = \"trained\"\nreader = \"~/reader\"\n";

    fn config() -> Config {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, FILE).unwrap();
        Config::read(&path).unwrap()
    }

    fn matched(words: &[&str]) -> ArgMatches {
        let matches = config().applied_to(Cli::command()).get_matches_from([&["dissent"], words].concat());
        let (_, sub) = matches.subcommand().unwrap();
        sub.clone()
    }

    fn shown(matches: &ArgMatches, id: &str) -> String {
        matches.get_raw(id).and_then(|mut raw| raw.next()).unwrap_or_default().to_string_lossy().into_owned()
    }

    #[test]
    fn every_value_is_the_default_of_its_flag_and_a_flag_comes_first() {
        let explore = matched(&["explore", "d"]);
        for (id, value) in [
            ("images", "octant"),
            ("theme", "light"),
            ("color", "256"),
            ("device", "cpu"),
            ("dtype", "bf16"),
            ("annotator", "ada"),
            ("keep_gold", "true"),
            ("viewer", "feh {}"),
            ("encoder", "/m/encoder"),
            ("retriever", "trained"),
        ] {
            assert_eq!(shown(&explore, id), value, "{id}");
        }
        let reader = shown(&explore, "reader");
        assert!(reader.ends_with("/reader") && !reader.starts_with('~'), "{reader}");
        let flags = ["explore", "d", "--theme", "dark", "--keep-gold=false", "--annotator", "bob", "--images=half"];
        let explore = matched(&flags);
        let values = ["theme", "keep_gold", "annotator", "images"].map(|id| shown(&explore, id));
        assert_eq!(values, ["dark", "false", "bob", "half"]);
        assert_eq!(config().names().len(), FILE.lines().count(), "every key has a row of the table");
    }

    #[test]
    fn models_of_the_file_are_not_for_the_sample_and_names_are_for_those_who_annotate() {
        let demo = matched(&["demo"]);
        assert_eq!((shown(&demo, "retriever").as_str(), shown(&demo, "viewer").as_str()), ("standard", "feh {}"));
        let listed = matched(&["annotations", "list", "d"]);
        let (_, list) = listed.subcommand().unwrap();
        assert_eq!(shown(list, "annotator"), "", "there the name chooses whose annotations are listed");
        Cli::command().debug_assert();
        config().applied_to(Cli::command()).debug_assert();
    }
}
