//! Finds out whether the background is light or dark: from the terminal (OSC 11) or its environment.

use super::environment::Environment;
use super::self_description::self_description;

/// Whether the background is light. `None` if the terminal does not answer, or is not asked.
pub fn is_light(environment: Environment) -> Option<bool> {
    brightness(self_description(environment)?).map(|brightness| brightness > 0.5)
}

/// Name of the theme for the background: `COLORFGBG` (rxvt, Konsole and others) ends in the background's colour number.
pub fn default_theme(environment: Environment) -> &'static str {
    let background = environment("COLORFGBG").unwrap_or_default();
    match background.rsplit(';').next() {
        Some("7" | "15") => "light",
        _ => "dark",
    }
}

/// Parses "…]11;rgb:ffff/ffff/ffff…" (one to four hexadecimal digits each) into 0 for black to 1 for white.
fn brightness(answer: &[u8]) -> Option<f64> {
    let text = String::from_utf8_lossy(answer);
    let (_, colour) = text.split_once("]11;rgb:")?;
    let mut parts = colour.split('/').map(|part| {
        let digits: String = part.chars().take_while(char::is_ascii_hexdigit).take(4).collect();
        let largest = 16_u32.checked_pow(u32::try_from(digits.len()).ok()?)?.checked_sub(1)?;
        let value = u32::from_str_radix(&digits, 16).ok()?;
        Some(f64::from(value) / f64::from(largest))
    });
    let (red, green, blue) = (parts.next()??, parts.next()??, parts.next()??);
    Some(0.2126 * red + 0.7152 * green + 0.0722 * blue)
}

#[cfg(test)]
mod tests {
    use crate::terminal::background::*;

    #[test]
    fn answers_of_terminals_are_understood() {
        assert_eq!(brightness(b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?62;c"), Some(1.0));
        assert_eq!(brightness(b"\x1b]11;rgb:00/00/00\x07"), Some(0.0));
        assert!(brightness(b"\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\").unwrap() < 0.2);
        assert_eq!(brightness(b"\x1b[?62;c"), None);
        assert_eq!(brightness(b"\x1b]11;rgb:zz/00/00"), None);
    }

    #[test]
    fn a_light_background_gets_the_light_theme() {
        let theme =
            |colours: Option<&str>| default_theme(&|name| colours.filter(|_| name == "COLORFGBG").map(str::to_owned));
        assert_eq!(theme(Some("0;15")), "light");
        assert_eq!(theme(Some("15;0")), "dark");
        assert_eq!(theme(None), "dark");
    }
}
