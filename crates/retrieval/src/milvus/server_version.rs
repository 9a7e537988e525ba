//! The version of a server, and what it can do.

use std::fmt;

/// What a server said about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerVersion {
    text: String,
    is_lite: bool,
    /// Major and minor number; `None` if the text has none.
    numbers: Option<(u32, u32)>,
}

impl ServerVersion {
    /// Reads a version such as `v2.5.4`, `2.6.1-dev` or `milvus_lite-3.2.2`.
    pub fn parse(text: &str) -> Self {
        let is_lite = text.to_lowercase().contains("lite");
        let start = text.find(|letter: char| letter.is_ascii_digit()).unwrap_or(text.len());
        let mut numbers = text[start..].split(|letter: char| !letter.is_ascii_digit()).map(str::parse);
        let numbers = match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Some((major, minor)),
            _ => None,
        };
        Self { text: text.into(), is_lite, numbers }
    }

    /// Whether a document can have more than one vector (Milvus 2.4).
    pub fn has_several_vectors(&self) -> bool {
        self.is_lite || self.numbers.is_none_or(|numbers| numbers >= (2, 4))
    }

    /// Whether captions can be searched by words (Milvus 2.5).
    pub fn has_words(&self) -> bool {
        self.is_lite || self.numbers.is_none_or(|numbers| numbers >= (2, 5))
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_servers_can_do_less() {
        let of = |text| {
            let version = ServerVersion::parse(text);
            (version.has_several_vectors(), version.has_words())
        };
        assert_eq!(of("v2.3.5"), (false, false));
        assert_eq!(of("2.4.15"), (true, false));
        assert_eq!(of("v2.5.4-gpu"), (true, true));
        assert_eq!(of("milvus_lite-3.2.2"), (true, true));
        assert_eq!(of("master-20260101"), (true, true));
    }
}
