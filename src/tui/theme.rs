//! Themes: the style of each part of the screen, one TOML file per theme.

use crate::text::toml_text;
use anyhow::{Context, Result, bail};
use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Role of a part of the screen; the theme gives it a style.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Plain text.
    Text,
    /// Name of the dataset, headings.
    Title,
    /// Secondary text: labels, units, hints.
    Muted,
    /// Lines between panes, empty places.
    Faint,
    /// The part that has the focus.
    Accent,
    /// The selected row of the list that has the focus.
    Selection,
    /// The selected row of the other list.
    SelectionResting,
    /// An answer equal to the fused one; a consistent case.
    Same,
    /// An answer that differs; an inconsistent case.
    Differs,
    /// An answer equal to the gold label, once gold is shown.
    Right,
    /// Filled part of a probability bar.
    Bar,
    /// Unfilled part of a probability bar.
    BarRest,
    /// An annotation.
    Annotation,
    /// A notice in the status line.
    Notice,
    /// An error.
    Error,
    /// A key in hints and on the help page.
    Key,
    /// Words of a caption that match the search.
    Match,
    /// What the reader was given in place of a document's own caption or image, or that it was given none.
    Substituted,
    /// Words of a caption that the selected caption does not have; added to the caption's own style.
    Unlike,
    /// Border of an overlay.
    Frame,
}

impl Role {
    /// The role whose style this one takes in a theme file that lacks it: files of earlier versions stay themes.
    fn stand_in(self) -> Option<Self> {
        match self {
            Self::Substituted => Some(Self::Accent),
            Self::Unlike => Some(Self::Key),
            _ => None,
        }
    }

    /// Every role with its name in theme files.
    pub const ALL: [(Self, &'static str); 20] = [
        (Self::Text, "text"),
        (Self::Title, "title"),
        (Self::Muted, "muted"),
        (Self::Faint, "faint"),
        (Self::Accent, "accent"),
        (Self::Selection, "selection"),
        (Self::SelectionResting, "selection-resting"),
        (Self::Same, "same"),
        (Self::Differs, "differs"),
        (Self::Right, "right"),
        (Self::Bar, "bar"),
        (Self::BarRest, "bar-rest"),
        (Self::Annotation, "mark"),
        (Self::Notice, "notice"),
        (Self::Error, "error"),
        (Self::Key, "key"),
        (Self::Match, "match"),
        (Self::Substituted, "substituted"),
        (Self::Unlike, "unlike"),
        (Self::Frame, "frame"),
    ];
}

/// The themes inside the program, by name.
const BUILT_IN: [(&str, &str); 6] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("sixteen", include_str!("../../themes/sixteen.toml")),
    ("deuteranopia", include_str!("../../themes/deuteranopia.toml")),
    ("tritanopia", include_str!("../../themes/tritanopia.toml")),
    ("monochrome", include_str!("../../themes/monochrome.toml")),
];

/// A style for every role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    styles: BTreeMap<Role, Style>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ThemeFile {
    /// A built-in theme for roles that this file lacks.
    inherits: Option<String>,
    /// Colours by name, for use in `fg` and `bg`.
    #[serde(default)]
    palette: BTreeMap<String, String>,
    #[serde(default)]
    roles: BTreeMap<String, StyleText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StyleText {
    fg: Option<String>,
    bg: Option<String>,
    #[serde(default)]
    bold: bool,
    #[serde(default)]
    dim: bool,
    #[serde(default)]
    italic: bool,
    #[serde(default)]
    underlined: bool,
    #[serde(default)]
    reversed: bool,
}

/// Size limit of a theme file, bytes; the built-in ones have 3 KB.
const LONGEST: u64 = 1 << 20;

impl Theme {
    /// A built-in theme by name, else a theme file by path.
    ///
    /// # Errors
    /// Fails if the theme cannot be read or a key is wrong; the message names file and key.
    pub fn load(name_or_path: &str) -> Result<Self> {
        let path = Path::new(name_or_path);
        if Self::names().any(|name| name == name_or_path) || !path.exists() {
            return Self::built_in(name_or_path);
        }
        let text = crate::files::input_file::read_text(path, LONGEST)
            .with_context(|| format!("cannot read theme {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("theme {}", path.display()))
    }

    /// The same theme for 16 colours. A background given as a full colour has no good counterpart there (the nearest
    /// named colour may be loud or invisible), so such a style is taken from the monochrome theme.
    ///
    /// # Errors
    /// Fails if the monochrome theme cannot be read.
    pub fn without_full_backgrounds(mut self) -> Result<Self> {
        let plain = Self::load("monochrome")?;
        for (role, style) in &mut self.styles {
            if matches!(style.bg, Some(Color::Rgb(..) | Color::Indexed(_))) {
                *style = plain.style(*role);
            }
        }
        Ok(self)
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(&role).copied().unwrap_or_default()
    }

    /// Names of the built-in themes.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    fn built_in(name: &str) -> Result<Self> {
        let Some((_, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) else {
            let names: Vec<&str> = Self::names().collect();
            bail!("no theme {name}: expected {} or the path of a theme file", names.join(", "));
        };
        Self::parse(text).with_context(|| format!("built-in theme {name}"))
    }

    fn parse(text: &str) -> Result<Self> {
        let mut file: ThemeFile = toml_text::parse(text)?;
        let mut styles = match &file.inherits {
            None => BTreeMap::new(),
            Some(name) => Self::built_in(name).with_context(|| format!("inherits = {name:?}"))?.styles,
        };
        for (role, name) in Role::ALL {
            match file.roles.remove(name) {
                Some(style) => drop(styles.insert(role, style.resolve(name, &file.palette)?)),
                None if styles.contains_key(&role) => {}
                None => match role.stand_in().and_then(|other| styles.get(&other).copied()) {
                    Some(style) => drop(styles.insert(role, style)),
                    None => bail!("roles.{name} is missing"),
                },
            }
        }
        if let Some(name) = file.roles.keys().next() {
            let names: Vec<&str> = Role::ALL.iter().map(|(_, name)| *name).collect();
            bail!("roles.{name} is not a role: expected one of {}", names.join(", "));
        }
        Ok(Self { styles })
    }
}

impl StyleText {
    fn resolve(&self, role: &str, palette: &BTreeMap<String, String>) -> Result<Style> {
        let mut style = Style::new();
        if let Some(text) = &self.fg {
            style = style.fg(color(text, palette, role, "fg")?);
        }
        if let Some(text) = &self.bg {
            style = style.bg(color(text, palette, role, "bg")?);
        }
        let switches = [
            (self.bold, Modifier::BOLD),
            (self.dim, Modifier::DIM),
            (self.italic, Modifier::ITALIC),
            (self.underlined, Modifier::UNDERLINED),
            (self.reversed, Modifier::REVERSED),
        ];
        for (on, modifier) in switches {
            if on {
                style = style.add_modifier(modifier);
            }
        }
        Ok(style)
    }
}

fn color(text: &str, palette: &BTreeMap<String, String>, role: &str, field: &str) -> Result<Color> {
    palette.get(text).map_or(text, String::as_str).parse().map_err(|_| {
        anyhow::anyhow!(
            "roles.{role}.{field}: expected a colour such as blue, bright-blue, 39, #5a9bc5 or a name of [palette], found {text:?}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_theme_has_every_role() {
        for (name, _) in BUILT_IN {
            let theme = Theme::load(name).unwrap();
            assert_eq!(theme.styles.len(), Role::ALL.len(), "{name}");
        }
    }

    #[test]
    fn the_monochrome_theme_has_no_colour() {
        for style in Theme::load("monochrome").unwrap().styles.values() {
            assert_eq!((style.fg, style.bg), (None, None));
        }
    }

    #[test]
    fn in_sixteen_colours_the_selection_is_reversed() {
        let theme = Theme::load("dark").unwrap().without_full_backgrounds().unwrap();
        assert_eq!(theme.style(Role::Selection), Style::new().add_modifier(Modifier::REVERSED));
        assert_eq!(theme.style(Role::Same), Theme::load("dark").unwrap().style(Role::Same));
    }

    #[test]
    fn the_roles_are_these() {
        let names: Vec<&str> = Role::ALL.iter().map(|(_, name)| *name).collect();
        let expected = "text title muted faint accent selection selection-resting same differs right bar bar-rest mark notice error \
                        key match substituted unlike frame";
        assert_eq!(names.join(" "), expected);
    }

    #[test]
    fn a_bad_colour_is_named_with_file_and_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        let text = include_str!("../../themes/dark.toml").replace("#e69f00\", bold", "orangish\", bold");
        std::fs::write(&path, text).unwrap();
        let message = format!("{:#}", Theme::load(path.to_str().unwrap()).unwrap_err());
        assert!(message.contains("mine.toml: roles.differs.fg: expected a colour"), "{message}");
        assert!(message.contains("\"orangish\""), "{message}");
    }

    #[test]
    fn a_missing_and_an_unknown_role_are_named() {
        let dark = include_str!("../../themes/dark.toml");
        let message = |text: &str| format!("{:#}", Theme::parse(text).unwrap_err());
        assert_eq!(message(&dark.replace("mark = ", "marc = ")), "roles.mark is missing");
        assert!(message(&format!("{dark}\nglow = {{}}\n")).starts_with("roles.glow is not a role"));
    }

    #[test]
    fn a_theme_of_an_earlier_version_is_read() {
        let dark = include_str!("../../themes/dark.toml");
        let without: Vec<&str> =
            dark.lines().filter(|line| !line.starts_with("substituted") && !line.starts_with("unlike")).collect();
        let theme = Theme::parse(&without.join("\n")).unwrap();
        assert_eq!(theme.style(Role::Substituted), theme.style(Role::Accent));
        assert_eq!(theme.style(Role::Unlike), theme.style(Role::Key));
    }

    #[test]
    fn a_theme_inherits_what_it_does_not_say() {
        let theme =
            Theme::parse("inherits = \"dark\"\n[palette]\nink = \"#102030\"\n[roles]\nmark = { fg = \"ink\" }\n")
                .unwrap();
        assert_eq!(theme.style(Role::Annotation), Style::new().fg(Color::Rgb(0x10, 0x20, 0x30)));
        assert_eq!(theme.style(Role::Same), Theme::load("dark").unwrap().style(Role::Same));
        let message = format!("{:#}", Theme::parse("inherits = \"drak\"").unwrap_err());
        assert!(message.starts_with("inherits = \"drak\": no theme drak"), "{message}");
    }

    #[test]
    fn an_unknown_name_lists_the_themes() {
        let message = format!("{:#}", Theme::load("solarised").unwrap_err());
        assert!(message.contains("dark, light, sixteen"), "{message}");
    }
}
