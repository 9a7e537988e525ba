//! Columns and rows of the terminal, determined in one place (issue 18, B7).

/// The default: the size of a VT100.
const USUAL: (u16, u16) = (80, 24);
/// The maximum, more than any screen has: a terminal that claims 65535 × 65535 would cost gigabytes per frame.
const MOST: (u16, u16) = (1000, 500);

/// Columns and rows as the terminal reports them. A reported 0 (as under `docker exec` or `expect`) is replaced by
/// `COLUMNS` and `LINES`, else by 80 × 24. At most 1000 × 500. crossterm falls back to `tput`, without a maximum.
pub fn terminal_size() -> (u16, u16) {
    let variable = |name: &str| std::env::var(name).ok();
    size_of(asked().unwrap_or((0, 0)), variable("COLUMNS").as_deref(), variable("LINES").as_deref())
}

fn size_of((columns, rows): (u16, u16), columns_said: Option<&str>, rows_said: Option<&str>) -> (u16, u16) {
    let side = |asked: u16, said: Option<&str>, usual: u16, most: u16| {
        let said = || said.and_then(|said| said.trim().parse().ok()).filter(|said| *said > 0);
        if asked > 0 { asked.min(most) } else { said().unwrap_or(usual).min(most) }
    };
    (side(columns, columns_said, USUAL.0, MOST.0), side(rows, rows_said, USUAL.1, MOST.1))
}

/// Columns and rows that the kernel reports; `None` without a terminal.
fn asked() -> Option<(u16, u16)> {
    let size = crossterm::terminal::window_size().ok()?;
    Some((size.columns, size.rows))
}

#[cfg(test)]
mod tests {
    use crate::terminal::size::size_of;

    #[test]
    fn a_size_is_what_the_terminal_says_else_the_environment_else_the_usual() {
        assert_eq!(size_of((120, 40), Some("7"), Some("7")), (120, 40));
        assert_eq!(size_of((0, 0), Some("100"), Some(" 30 ")), (100, 30));
        assert_eq!(size_of((0, 40), None, None), (80, 40));
        for wrong in ["0", "-3", "99999999999", "65536", "wide", ""] {
            assert_eq!(size_of((0, 0), Some(wrong), Some(wrong)), (80, 24), "{wrong:?}");
        }
        assert_eq!(size_of((65535, 65535), None, None), (1000, 500));
        assert_eq!(size_of((0, 0), Some("65535"), Some("65535")), (1000, 500));
    }
}
