//! The terminal's colours and image protocol, from flags and environment. `background` and `pixels` ask the terminal
//! for what the environment does not say.

use super::images::ImageMode;
use clap::ValueEnum;

/// Number of colours of the terminal.
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

/// Protocol by which images are sent to the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImageProtocol {
    Auto,
    Off,
    Half,
    Kitty,
    Iterm,
    Sixel,
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

/// Looks up an environment variable.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

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

/// How to draw images for this flag and environment. Half-blocks if in doubt: tmux, screen, zellij
/// and mosh lose or damage pixel images.
pub fn image_mode(choice: ImageProtocol, environment: Environment) -> ImageMode {
    let between = is_set(environment, "TMUX") || is_set(environment, "STY") || is_set(environment, "ZELLIJ");
    match choice {
        ImageProtocol::Off => ImageMode::Off,
        ImageProtocol::Half => ImageMode::Half,
        ImageProtocol::Kitty => ImageMode::Kitty { tmux: is_set(environment, "TMUX") },
        ImageProtocol::Iterm => ImageMode::Iterm { tmux: is_set(environment, "TMUX") },
        ImageProtocol::Sixel => ImageMode::Sixel { tmux: is_set(environment, "TMUX") },
        ImageProtocol::Auto if between => ImageMode::Half,
        ImageProtocol::Auto => from_terminal_brand(environment),
    }
}

fn from_terminal_brand(environment: Environment) -> ImageMode {
    let term = environment("TERM").unwrap_or_default();
    let program = environment("TERM_PROGRAM").unwrap_or_default();
    if term.starts_with("tmux") || term.starts_with("screen") {
        return ImageMode::Half;
    }
    if term == "xterm-kitty" || term == "xterm-ghostty" || program == "ghostty" {
        return ImageMode::Kitty { tmux: false };
    }
    let iterm = environment("LC_TERMINAL").is_some_and(|name| name == "iTerm2");
    if iterm || program == "iTerm.app" || program == "WezTerm" {
        return ImageMode::Iterm { tmux: false };
    }
    ImageMode::Half
}

/// Name of the theme for the background: `COLORFGBG` (rxvt, Konsole and others) ends in the background's colour number.
pub fn default_theme(environment: Environment) -> &'static str {
    let background = environment("COLORFGBG").unwrap_or_default();
    match background.rsplit(';').next() {
        Some("7" | "15") => "light",
        _ => "dark",
    }
}

/// Whether the variable is set and not empty, as defined by <https://no-color.org>.
fn is_set(environment: Environment, name: &str) -> bool {
    environment(name).is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use crate::terminal::caps::*;

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

    #[test]
    fn pixels_only_by_evidence_and_never_through_a_multiplexer() {
        let kitty = with(&[("TERM", "xterm-kitty")]);
        let stale = with(&[("TERM", "tmux-256color"), ("TMUX", "/tmp/x"), ("LC_TERMINAL", "iTerm2")]);
        assert_eq!(image_mode(ImageProtocol::Auto, &kitty), ImageMode::Kitty { tmux: false });
        assert_eq!(image_mode(ImageProtocol::Auto, &stale), ImageMode::Half);
        assert_eq!(image_mode(ImageProtocol::Kitty, &stale), ImageMode::Kitty { tmux: true });
        assert_eq!(image_mode(ImageProtocol::Auto, &with(&[("TERM", "xterm-256color")])), ImageMode::Half);
    }

    #[test]
    fn a_light_background_gets_the_light_theme() {
        assert_eq!(default_theme(&with(&[("COLORFGBG", "0;15")])), "light");
        assert_eq!(default_theme(&with(&[("COLORFGBG", "15;0")])), "dark");
        assert_eq!(default_theme(&with(&[])), "dark");
    }
}
