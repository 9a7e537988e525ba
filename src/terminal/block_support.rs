//! Which block characters the terminal is known to draw well: by its own answer, else by its environment.
//!
//! A terminal that takes these characters from a font leaves gaps, or has none of them. So only terminals that draw them
//! themselves are listed, from the version that began to. `dissent doctor` shows all of them for a person to judge.

use super::block_glyphs::BlockGrid;
use super::environment::{Environment, is_set};

/// A terminal, and the versions from which it draws sextants and octants by itself.
struct Known {
    name: &'static str,
    sextants: Option<Version>,
    octants: Option<Version>,
}

type Version = (u32, u32);

/// From the release notes and issue trackers of each. Terminals that are not here get quadrants: Alacritty and Windows
/// Terminal, because they do not tell their version; Konsole, because it takes sextants from the font.
const KNOWN: [Known; 6] = [
    Known { name: "kitty", sextants: Some((0, 20)), octants: Some((0, 40)) },
    Known { name: "ghostty", sextants: Some((1, 0)), octants: Some((1, 2)) },
    Known { name: "foot", sextants: Some((1, 9)), octants: Some((1, 20)) },
    Known { name: "vte", sextants: Some((0, 70)), octants: Some((0, 78)) },
    Known { name: "wezterm", sextants: Some((20_220_101, 0)), octants: None },
    Known { name: "contour", sextants: Some((0, 3)), octants: None },
];

/// The finest block characters that this terminal is known to draw. `ask` returns the terminal's name and version in its
/// own words; it is called only if the answer can matter.
pub fn best_grid(environment: Environment, ask: impl FnOnce() -> Option<String>) -> BlockGrid {
    let term = environment("TERM").unwrap_or_default();
    if is_bitmap_console(&term) || has_other_locale(environment) {
        return BlockGrid::Half;
    }
    if is_multiplexed(environment, &term) {
        // A multiplexer replaces characters that its own tables do not have, and hides the terminal.
        return BlockGrid::Quadrant;
    }
    let named = ask().and_then(|answer| name_and_version(&answer)).or_else(|| named_by_environment(environment, &term));
    named.map_or(BlockGrid::Quadrant, |(name, version)| finest(&name, version))
}

/// Consoles whose fonts have 256 or 512 characters.
fn is_bitmap_console(term: &str) -> bool {
    let is_vt = term.strip_prefix("vt").is_some_and(|number| number.starts_with(|digit: char| digit.is_ascii_digit()));
    is_vt || matches!(term, "linux" | "dumb" | "cons25")
}

/// Whether the locale names another encoding than UTF-8. A locale that is not set says nothing: containers have none.
fn has_other_locale(environment: Environment) -> bool {
    let set =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| environment(name).filter(|value| !value.is_empty()));
    set.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        !locale.contains("utf-8") && !locale.contains("utf8")
    })
}

/// Whether tmux, screen or zellij stands between the program and the terminal.
pub fn is_multiplexed(environment: Environment, term: &str) -> bool {
    ["TMUX", "STY", "ZELLIJ"].into_iter().any(|name| is_set(environment, name))
        || term.starts_with("tmux")
        || term.starts_with("screen")
}

/// Reads "kitty(0.40.1)", "ghostty 1.2.0", "VTE(7802)", "WezTerm 20240203-110809-5046fc22".
pub(super) fn name_and_version(answer: &str) -> Option<(String, Version)> {
    let end = answer.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(answer.len());
    let name = answer[..end].to_ascii_lowercase();
    (!name.is_empty()).then(|| (name.clone(), version(&name, &answer[end..])))
}

/// The first two numbers. VTE writes 0.78.2 as 7802.
fn version(name: &str, text: &str) -> Version {
    let mut numbers = text.split(|letter: char| !letter.is_ascii_digit()).filter_map(|number| number.parse().ok());
    match (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) {
        (number, 0) if name == "vte" => (0, number / 100),
        version => version,
    }
}

/// TERM is the most credible: the other variables stay set in a terminal that was started from another one.
fn named_by_environment(environment: Environment, term: &str) -> Option<(String, Version)> {
    let program = environment("TERM_PROGRAM").unwrap_or_default().to_ascii_lowercase();
    let program_version = environment("TERM_PROGRAM_VERSION").unwrap_or_default();
    let of_program = |name: &str| {
        let version = if program == name { version(name, &program_version) } else { (0, 0) };
        (name.to_owned(), version)
    };
    let of_term = ["kitty", "ghostty", "foot", "wezterm", "contour"].into_iter().find(|name| {
        let rest = term.strip_prefix("xterm-").unwrap_or(term).strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    });
    if let Some(name) = of_term {
        return Some(of_program(name));
    }
    if let Some(number) = environment("VTE_VERSION") {
        return Some(("vte".into(), version("vte", &number)));
    }
    if KNOWN.iter().any(|known| known.name == program) {
        return Some(of_program(&program));
    }
    environment("KITTY_WINDOW_ID").map(|_| of_program("kitty"))
}

/// A version of 0.0 is unknown; every terminal here has drawn sextants for years.
fn finest(name: &str, version: Version) -> BlockGrid {
    let Some(known) = KNOWN.iter().find(|known| known.name == name) else { return BlockGrid::Quadrant };
    let since = |first: Option<Version>| first.is_some_and(|first| version >= first);
    if since(known.octants) {
        BlockGrid::Octant
    } else if since(known.sextants) || version == (0, 0) {
        BlockGrid::Sextant
    } else {
        BlockGrid::Quadrant
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(pairs: &'static [(&'static str, &'static str)], answer: Option<&str>) -> BlockGrid {
        let environment = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        best_grid(&environment, || answer.map(str::to_owned))
    }

    const XTERM: &[(&str, &str)] = &[("TERM", "xterm-256color"), ("LANG", "en_GB.UTF-8")];

    #[test]
    fn the_terminals_own_answer_decides() {
        let answered = |answer| grid(XTERM, Some(answer));
        assert_eq!(
            ["kitty(0.40.1)", "ghostty 1.2.0", "foot(1.20.2)", "VTE(7802)"].map(answered),
            [BlockGrid::Octant; 4]
        );
        let older = ["kitty(0.39.0)", "ghostty 1.1.3", "foot(1.13.1)", "VTE(7003)", "WezTerm 20240203-110809-5046fc22"];
        assert_eq!(older.map(answered), [BlockGrid::Sextant; 5]);
        assert_eq!(["XTerm(390)", "Konsole 24.08.1", "VTE(6003)", ""].map(answered), [BlockGrid::Quadrant; 4]);
        let nested = &[("TERM", "xterm-256color"), ("KITTY_WINDOW_ID", "1")];
        assert_eq!(grid(nested, Some("Konsole 24.08.1")), BlockGrid::Quadrant, "started from kitty");
    }

    #[test]
    fn without_an_answer_the_environment_decides() {
        assert_eq!(grid(XTERM, None), BlockGrid::Quadrant);
        assert_eq!(grid(&[], None), BlockGrid::Quadrant);
        assert_eq!(grid(&[("TERM", "foot")], None), BlockGrid::Sextant);
        assert_eq!(grid(&[("TERM", "foot-direct")], None), BlockGrid::Sextant);
        assert_eq!(grid(&[("TERM", "xterm-kitty")], None), BlockGrid::Sextant);
        assert_eq!(grid(&[("TERM", "alacritty")], None), BlockGrid::Quadrant);
        assert_eq!(grid(&[("TERM", "xterm-256color"), ("VTE_VERSION", "8203")], None), BlockGrid::Octant);
        assert_eq!(grid(&[("TERM", "xterm-256color"), ("KITTY_WINDOW_ID", "1")], None), BlockGrid::Sextant);
        assert_eq!(grid(&[("TERM", "xterm-256color"), ("WT_SESSION", "a")], None), BlockGrid::Quadrant);
        let ghostty = &[("TERM", "xterm-ghostty"), ("TERM_PROGRAM", "ghostty"), ("TERM_PROGRAM_VERSION", "1.3.1")];
        assert_eq!(grid(ghostty, None), BlockGrid::Octant);
    }

    #[test]
    fn consoles_and_other_encodings_get_half_blocks() {
        for term in ["linux", "vt100", "vt220", "dumb"] {
            let environment = |name: &str| (name == "TERM").then(|| term.to_owned());
            assert_eq!(best_grid(&environment, || panic!("{term} is asked")), BlockGrid::Half);
        }
        assert_eq!(grid(&[("TERM", "xterm"), ("LANG", "de_DE.ISO-8859-1")], None), BlockGrid::Half);
        assert_eq!(grid(&[("TERM", "xterm"), ("LANG", "C")], Some("foot(1.20.0)")), BlockGrid::Half);
        assert_eq!(grid(&[("TERM", "foot"), ("LC_ALL", "C.utf8"), ("LANG", "C")], None), BlockGrid::Sextant);
        assert_eq!(grid(&[("TERM", "foot"), ("LC_ALL", ""), ("LANG", "C.UTF-8")], None), BlockGrid::Sextant);
    }

    #[test]
    fn a_multiplexer_is_not_asked() {
        let environment = |name: &str| match name {
            "TERM" => Some("tmux-256color".to_owned()),
            "KITTY_WINDOW_ID" => Some("1".to_owned()),
            _ => None,
        };
        assert_eq!(best_grid(&environment, || panic!("asked")), BlockGrid::Quadrant);
    }
}
