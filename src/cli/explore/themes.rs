//! The colours of the explorer.

use crate::cli::Common;
use crate::terminal::background::{default_theme, is_light};
use crate::terminal::color_depth::Depth;
use crate::terminal::environment::Environment;
use crate::tui::theme::Theme;
use anyhow::Result;

/// The chosen theme and all themes that this terminal can show.
pub fn choose_theme(
    common: &Common,
    color_depth: Depth,
    environment: Environment,
) -> Result<(Theme, Vec<(String, Theme)>)> {
    let fit = |theme: Theme| if color_depth == Depth::Named { theme.without_full_backgrounds() } else { Ok(theme) };
    let name = match &common.theme {
        _ if color_depth == Depth::Monochrome => "monochrome",
        Some(name_or_path) => name_or_path,
        None => match is_light(environment) {
            Some(light) => {
                if light {
                    "light"
                } else {
                    "dark"
                }
            }
            None => default_theme(environment),
        },
    };
    let theme = fit(Theme::load(name)?)?;
    let mut themes = Vec::new();
    // Without colours a coloured theme loses its distinctions.
    let is_offered = |name: &&str| color_depth != Depth::Monochrome || *name == "monochrome";
    for name in Theme::names().filter(is_offered) {
        themes.push((name.to_owned(), fit(Theme::load(name)?)?));
    }
    Ok((theme, themes))
}
