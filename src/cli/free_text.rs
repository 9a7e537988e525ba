//! Options that take any text, even one that begins with a minus: `--text '-left mass'`.

/// The text, unless it looks like another option because the text was forgotten.
pub(super) fn free_text(typed: &str) -> Result<String, String> {
    let is_option =
        typed.strip_prefix("--").is_some_and(|name| name.starts_with(|first: char| first.is_ascii_lowercase()));
    if is_option {
        return Err(
            "expected a text, found another option (put a space in front of a text that begins like this)".into()
        );
    }
    Ok(typed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_begins_a_text_and_two_an_option() {
        for text in ["-left mass", "- ", "-5", "--", "-- see below", " --json", "mass --left"] {
            assert_eq!(free_text(text).as_deref(), Ok(text));
        }
        assert!(free_text("--json").is_err_and(|message| message.contains("another option")));
    }
}
