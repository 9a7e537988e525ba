//! Decides how many colours the screen may use, from a flag and the environment.

use super::environment::{Environment, is_set};
use clap::ValueEnum;

/// How many colours the user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorDepth {
    Auto,
    Always,
    Never,
    #[value(name = "16")]
    Ansi16,
    #[value(name = "256")]
    Ansi256,
    Truecolor,
}

/// Colours the screen may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    Truecolor,
    /// The 6×6×6 cube and 24 greys.
    Indexed,
    /// The 16 named colours.
    Named,
    /// No colour; bold, reverse and underline stay.
    Monochrome,
}

/// The colour depth for this flag and environment.
pub fn color_depth(choice: ColorDepth, environment: Environment) -> Depth {
    match choice {
        ColorDepth::Never => Depth::Monochrome,
        ColorDepth::Ansi16 => Depth::Named,
        ColorDepth::Ansi256 => Depth::Indexed,
        ColorDepth::Truecolor => Depth::Truecolor,
        ColorDepth::Auto if is_set(environment, "NO_COLOR") => Depth::Monochrome,
        ColorDepth::Auto | ColorDepth::Always => from_terminal_name(choice, environment),
    }
}

fn from_terminal_name(choice: ColorDepth, environment: Environment) -> Depth {
    let term = environment("TERM").unwrap_or_default();
    let colorterm = environment("COLORTERM").unwrap_or_default();
    if colorterm == "truecolor" || colorterm == "24bit" || term.ends_with("-direct") || term == "xterm-kitty" {
        return Depth::Truecolor;
    }
    if term.contains("256color") || term == "xterm-ghostty" || term == "alacritty" || term == "foot" {
        return Depth::Indexed;
    }
    if matches!(term.as_str(), "" | "dumb" | "vt100" | "vt220") && choice == ColorDepth::Auto {
        return Depth::Monochrome;
    }
    Depth::Named
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
        |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn colours_follow_flag_then_no_color_then_terminal() {
        let xterm = with(&[("TERM", "xterm-256color")]);
        let modern = with(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]);
        let quiet = with(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("NO_COLOR", "1")]);
        let empty = with(&[("TERM", "xterm"), ("NO_COLOR", "")]);
        assert_eq!(color_depth(ColorDepth::Auto, &xterm), Depth::Indexed);
        assert_eq!(color_depth(ColorDepth::Auto, &modern), Depth::Truecolor);
        assert_eq!(color_depth(ColorDepth::Auto, &quiet), Depth::Monochrome);
        assert_eq!(color_depth(ColorDepth::Always, &quiet), Depth::Truecolor);
        assert_eq!(color_depth(ColorDepth::Ansi16, &quiet), Depth::Named);
        assert_eq!(color_depth(ColorDepth::Auto, &empty), Depth::Named);
        assert_eq!(color_depth(ColorDepth::Auto, &with(&[("TERM", "dumb")])), Depth::Monochrome);
    }
}
