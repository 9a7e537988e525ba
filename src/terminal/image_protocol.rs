//! Decides how images reach the terminal: as pixels (kitty, iTerm2, sixel), as block characters, or not at all.
//! Flag, environment and the terminal's name choose a mode; before viuer prints, the terminal must also confirm it.

use super::block_glyphs::BlockGrid;
use super::block_support::{best_grid, is_multiplexed};
use super::environment::{Environment, is_set};
use super::query::{ask, attributes};
use clap::ValueEnum;
use serde::Deserialize;
use std::fmt;
use std::time::Duration;

/// A kitty query that every terminal with kitty graphics answers.
const KITTY: &[u8] = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\";
const KITTY_YES: &[u8] = b"_Gi=31;OK";
/// The device attribute of terminals that draw sixels.
const SIXEL: u32 = 4;
/// Far more than a connection to another continent needs.
const TIME_OUT: Duration = Duration::from_secs(2);

/// The character in place of which kitty draws its images; its text colour is the image's number.
pub const KITTY_PLACEHOLDER: char = '\u{10eeee}';

/// How the user asks for images to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageProtocol {
    Auto,
    Off,
    Half,
    Quadrant,
    Sextant,
    Octant,
    Kitty,
    Iterm,
    Sixel,
}

impl fmt::Display for ImageProtocol {
    /// Writes the value as options and files have it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        formatter.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

/// Protocol by which images are sent to the terminal. `tmux` wraps pixel images so that tmux passes them on (`allow-passthrough` must be
/// on there).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageMode {
    Off,
    /// Block characters in ratatui's buffer; see [`BlockGrid`].
    Half,
    Quadrant,
    Sextant,
    Octant,
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

    /// The parts of a cell, if images are drawn with block characters.
    pub fn block_grid(self) -> Option<BlockGrid> {
        match self {
            Self::Half => Some(BlockGrid::Half),
            Self::Quadrant => Some(BlockGrid::Quadrant),
            Self::Sextant => Some(BlockGrid::Sextant),
            Self::Octant => Some(BlockGrid::Octant),
            Self::Off | Self::Kitty { .. } | Self::Iterm { .. } | Self::Sixel { .. } => None,
        }
    }

    /// The name for the status line and the help page.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Half => "half-blocks",
            Self::Quadrant => "quadrants",
            Self::Sextant => "sextants",
            Self::Octant => "octants",
            Self::Kitty { tmux: false } => "kitty",
            Self::Kitty { tmux: true } => "kitty through tmux",
            Self::Iterm { .. } => "iTerm2",
            Self::Sixel { .. } => "sixel",
        }
    }
}

impl From<BlockGrid> for ImageMode {
    fn from(grid: BlockGrid) -> Self {
        match grid {
            BlockGrid::Half => Self::Half,
            BlockGrid::Quadrant => Self::Quadrant,
            BlockGrid::Sextant => Self::Sextant,
            BlockGrid::Octant => Self::Octant,
        }
    }
}

/// How to draw images for this flag and environment. Block characters if in doubt: screen, zellij, mosh and most tmux lose or
/// damage pixel images. `ask` returns the terminal's name and version; [`best_grid`] says when it is called.
/// `passes_tmux` says whether kitty's images come through tmux; it is called only if that can matter.
pub fn image_mode(
    choice: ImageProtocol,
    environment: Environment,
    ask: impl FnOnce() -> Option<String>,
    passes_tmux: impl FnOnce() -> bool,
) -> ImageMode {
    match choice {
        ImageProtocol::Off => ImageMode::Off,
        ImageProtocol::Half => ImageMode::Half,
        ImageProtocol::Quadrant => ImageMode::Quadrant,
        ImageProtocol::Sextant => ImageMode::Sextant,
        ImageProtocol::Octant => ImageMode::Octant,
        ImageProtocol::Kitty => ImageMode::Kitty { tmux: is_set(environment, "TMUX") },
        ImageProtocol::Iterm => ImageMode::Iterm { tmux: is_set(environment, "TMUX") },
        ImageProtocol::Sixel => ImageMode::Sixel { tmux: is_set(environment, "TMUX") },
        ImageProtocol::Auto if is_set(environment, "TMUX") && passes_tmux() => ImageMode::Kitty { tmux: true },
        ImageProtocol::Auto => pixels_by_brand(environment).unwrap_or_else(|| best_grid(environment, ask).into()),
    }
}

fn pixels_by_brand(environment: Environment) -> Option<ImageMode> {
    let term = environment("TERM").unwrap_or_default();
    let program = environment("TERM_PROGRAM").unwrap_or_default();
    if is_multiplexed(environment, &term) {
        return None;
    }
    if term == "xterm-kitty" || term == "xterm-ghostty" || program == "ghostty" {
        return Some(ImageMode::Kitty { tmux: false });
    }
    let iterm = environment("LC_TERMINAL").is_some_and(|name| name == "iTerm2");
    if iterm || program == "iTerm.app" || program == "WezTerm" {
        return Some(ImageMode::Iterm { tmux: false });
    }
    None
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
                let answer = ask(&[KITTY], TIME_OUT)?;
                answer.windows(KITTY_YES.len()).any(|part| part == KITTY_YES).then_some(Self::Kitty)
            }
            ImageMode::Sixel { tmux: false } => {
                attributes(&ask(&[], TIME_OUT)?)?.contains(&SIXEL).then_some(Self::Sixel)
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
    fn pixels_only_by_evidence_and_through_a_multiplexer_only_if_it_passes_them() {
        let kitty = with(&[("TERM", "xterm-kitty")]);
        let stale = with(&[("TERM", "tmux-256color"), ("TMUX", "/tmp/x"), ("LC_TERMINAL", "iTerm2")]);
        let xterm = with(&[("TERM", "xterm-256color")]);
        let mode = |choice, environment: Environment| image_mode(choice, environment, || None, || false);
        assert_eq!(mode(ImageProtocol::Auto, &kitty), ImageMode::Kitty { tmux: false });
        assert_eq!(mode(ImageProtocol::Auto, &stale), ImageMode::Quadrant);
        assert_eq!(mode(ImageProtocol::Kitty, &stale), ImageMode::Kitty { tmux: true });
        assert_eq!(mode(ImageProtocol::Auto, &xterm), ImageMode::Quadrant);
        assert_eq!(image_mode(ImageProtocol::Auto, &xterm, || Some("foot(1.20.2)".into()), || true), ImageMode::Octant);
        let unasked = |choice, environment| image_mode(choice, environment, || panic!("asked"), || panic!("asked"));
        assert_eq!(
            (unasked(ImageProtocol::Half, &xterm), unasked(ImageProtocol::Half, &stale)),
            (ImageMode::Half, ImageMode::Half)
        );
        let in_tmux = image_mode(ImageProtocol::Auto, &stale, || panic!("asked"), || true);
        assert_eq!(in_tmux, ImageMode::Kitty { tmux: true });
    }

    #[test]
    fn tmux_and_block_characters_are_not_asked() {
        for mode in
            [ImageMode::Off, ImageMode::Octant, ImageMode::Kitty { tmux: true }, ImageMode::Sixel { tmux: true }]
        {
            assert_eq!(PixelProtocol::confirmed(mode), None);
        }
    }
}
