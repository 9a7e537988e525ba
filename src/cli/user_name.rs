//! The default name of an annotator.

/// The user's login name, without characters that a file name cannot hold.
pub fn user_name() -> String {
    let name = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|variable| std::env::var(variable).ok());
    let name = name.unwrap_or_default();
    let bent: String = name
        .chars()
        .map(|letter| if letter.is_alphanumeric() || "._-".contains(letter) { letter } else { '-' })
        .collect();
    let bent = bent.trim_start_matches(['.', '-']);
    if bent.is_empty() { "anonymous".to_owned() } else { bent.to_owned() }
}
