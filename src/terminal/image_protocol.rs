//! Decides how images reach the terminal: as pixels (kitty, iTerm2, sixel), as half-block characters, or not at all.
//! Flag and environment choose a mode; before viuer prints, the terminal must also confirm it.

use super::environment::{Environment, is_set};
use super::query::{ask, attributes};
use clap::ValueEnum;
use std::time::Duration;

/// A kitty query that every terminal with kitty graphics answers.
const KITTY: &[u8] = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\";
const KITTY_YES: &[u8] = b"_Gi=31;OK";
/// The device attribute of terminals that draw sixels.
const SIXEL: u32 = 4;
/// Far more than a connection to another continent needs.
const TIME_OUT: Duration = Duration::from_secs(2);

/// How the user asks for images to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImageProtocol {
    Auto,
    Off,
    Half,
    Kitty,
    Iterm,
    Sixel,
}

/// Protocol by which images are sent to the terminal. `tmux` wraps pixel images so that tmux passes them on (`allow-passthrough` must be
/// on there).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageMode {
    Off,
    /// Two pixels per cell, in ratatui's buffer.
    Half,
    Kitty {
        tmux: bool,
    },
    Iterm {
        tmux: bool,
    },
    Sixel {
        tmux: bool,
    },
}

impl ImageMode {
    /// Whether the terminal receives pixels rather than characters.
    pub fn is_in_pixels(self) -> bool {
        matches!(self, Self::Kitty { .. } | Self::Iterm { .. } | Self::Sixel { .. })
    }

    /// The name for the status line and the help page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Half => "half-blocks",
            Self::Kitty { .. } => "kitty",
            Self::Iterm { .. } => "iTerm2",
            Self::Sixel { .. } => "sixel",
        }
    }
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

/// A pixel protocol that the terminal has confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelProtocol {
    Kitty,
    Iterm,
    Sixel,
}

impl PixelProtocol {
    /// The protocol of this mode, if the terminal confirms it (at most 2 seconds; iTerm2 is recognised by its environment).
    /// Nothing else may read the keyboard meanwhile. tmux is not asked: viuer does not wrap images for it.
    pub fn confirmed(mode: ImageMode) -> Option<Self> {
        match mode {
            ImageMode::Kitty { tmux: false } => {
                let answer = ask(KITTY, TIME_OUT)?;
                answer.windows(KITTY_YES.len()).any(|part| part == KITTY_YES).then_some(Self::Kitty)
            }
            ImageMode::Sixel { tmux: false } => {
                attributes(&ask(b"", TIME_OUT)?)?.contains(&SIXEL).then_some(Self::Sixel)
            }
            ImageMode::Iterm { tmux: false } => viuer::is_iterm_supported().then_some(Self::Iterm),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
        |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
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
    fn tmux_and_half_blocks_are_not_asked() {
        for mode in [ImageMode::Off, ImageMode::Half, ImageMode::Kitty { tmux: true }, ImageMode::Sixel { tmux: true }]
        {
            assert_eq!(PixelProtocol::confirmed(mode), None);
        }
    }
}
