//! What a server is for: messages name the flags and variables of that.

/// A server of a reader or of an encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerRole {
    Reader,
    Encoder,
}

impl ServerRole {
    /// "reader" or "encoder": flags, variables and messages begin with it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Encoder => "encoder",
        }
    }

    /// The flag of this setting: "requests" is `--reader-requests` or `--encoder-requests`.
    pub fn flag(self, setting: &str) -> String {
        format!("--{}-{setting}", self.name())
    }

    /// Environment variable that holds the key.
    pub fn key_variable(self) -> &'static str {
        match self {
            Self::Reader => "DISSENT_READER_KEY",
            Self::Encoder => "DISSENT_ENCODER_KEY",
        }
    }

    /// How to give a key.
    pub fn key_advice(self) -> String {
        format!("give it in {} or {}", self.key_variable(), self.flag("key-file"))
    }
}
