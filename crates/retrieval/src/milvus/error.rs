//! Errors of a Milvus server, for callers that decide how to handle them, with advice.

use super::wire::Status;
use std::fmt;
use std::time::Duration;

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// Nobody answers at the address, or the connection broke.
    Unreachable {
        said: String,
    },
    TimedOut {
        within: Duration,
    },
    /// The server is starting or asks for fewer requests.
    Busy {
        said: String,
    },
    /// No token, a wrong one, or one without the privilege.
    Denied {
        said: String,
    },
    NoCollection,
    /// The collection is not in the server's memory, as after its restart.
    NotLoaded {
        said: String,
    },
    /// Disk or memory of the server is full.
    Full {
        said: String,
    },
    /// The server does not have this call.
    NoSuchCall,
    /// An answer that is none of the interface.
    Unexpected {
        said: String,
    },
    Other {
        code: i32,
        said: String,
    },
}

/// A failed call.
#[derive(Clone, Debug, thiserror::Error)]
pub struct StoreError {
    /// The address.
    pub place: String,
    /// Name of the call in the interface, such as `Search`.
    pub call: &'static str,
    pub kind: StoreErrorKind,
}

impl StoreErrorKind {
    /// Whether the same call may succeed later.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Busy { .. })
    }

    /// The error of a status; `None` if the call succeeded. `said` is its reason without secrets.
    pub(super) fn of_status(status: &Status, said: String) -> Option<Self> {
        // The codes are those of Milvus 2.3 and later (pkg/util/merr); before, only `error_code` was set.
        let code = if status.code != 0 { status.code } else { status.error_code };
        let lower = said.to_lowercase();
        let mentions = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        Some(match code {
            0 => return None,
            _ if mentions(&["no space left", "disk quota", "disk full", "memory quota", "memory limit"]) => {
                Self::Full { said }
            }
            // The server's memory or disk limit.
            3 | 7 => Self::Full { said },
            // Starting, unavailable, too many requests, rate limit; 49 is the rate limit of before.
            1 | 2 | 4 | 8 | 49 if status.retriable || mentions(&["not ready", "unavailable", "too many", "rate"]) => {
                Self::Busy { said }
            }
            100 => Self::NoCollection,
            101 => Self::NotLoaded { said },
            4 if mentions(&["not exist", "not found", "can't find"]) => Self::NoCollection,
            _ if mentions(&["permission den", "privilege", "unauthenticated", "auth check failure"]) => {
                Self::Denied { said }
            }
            _ if status.retriable => Self::Busy { said },
            _ => Self::Other { code, said },
        })
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, call, kind } = self;
        match kind {
            StoreErrorKind::Unreachable { said } => write!(
                formatter,
                "the store {place} does not answer ({said}); start it again, or check host and port; what was done so far is \
                 kept, and the same command goes on"
            ),
            StoreErrorKind::TimedOut { within } => write!(
                formatter,
                "the store {place} did not answer {call} within {} s; --store-timeout SECONDS waits longer",
                within.as_secs()
            ),
            StoreErrorKind::Busy { said } => {
                write!(formatter, "the store {place} is busy or not ready ({said}); try again later")
            }
            StoreErrorKind::Denied { said } => write!(
                formatter,
                "the store {place} refuses {call} ({said}); give a token that may do so in {} or --store-token-file",
                super::TOKEN_VARIABLE
            ),
            StoreErrorKind::NoCollection => write!(
                formatter,
                "the store {place} has no such collection; `dissent index DATASET --store {place}` fills it"
            ),
            StoreErrorKind::NotLoaded { said } => write!(
                formatter,
                "the store {place} has the collection on its disk but not in its memory ({said}); look at the server's memory"
            ),
            StoreErrorKind::Full { said } => write!(
                formatter,
                "the store {place} has no room left ({said}); free disk or memory on the server, then run the same command, \
                 which goes on where it stopped"
            ),
            StoreErrorKind::NoSuchCall => {
                write!(
                    formatter,
                    "the store {place} does not know {call}; expected Milvus 2.3 or later, or milvus-lite 3"
                )
            }
            StoreErrorKind::Unexpected { said } => {
                write!(formatter, "the store {place}: expected an answer to {call}, found {said}")
            }
            StoreErrorKind::Other { code, said } => {
                write!(formatter, "the store {place} failed at {call} (code {code}): {said}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(code: i32, retriable: bool, reason: &str) -> Option<StoreErrorKind> {
        let status = Status { error_code: 0, reason: reason.into(), code, retriable };
        StoreErrorKind::of_status(&status, reason.into())
    }

    #[test]
    fn only_what_passes_is_tried_again() {
        assert_eq!(kind(0, false, ""), None);
        for (code, retriable, reason) in [
            (8, true, "rate limit exceeded"),
            (1, false, "service not ready[standby]"),
            (503, true, "channel not available"),
        ] {
            assert!(kind(code, retriable, reason).unwrap().passes(), "{reason}");
        }
        for (code, reason) in [
            (9, "quota exceeded[reason=disk quota exhausted]"),
            (1, "[Errno 28] No space left on device"),
            (1100, "privilege InsertPrivilege is not permitted"),
            (100, "collection not found"),
            (1100, "invalid parameter"),
        ] {
            assert!(!kind(code, false, reason).unwrap().passes(), "{reason}");
        }
        assert!(matches!(
            kind(9, false, "quota exceeded[reason=disk quota exhausted]"),
            Some(StoreErrorKind::Full { .. })
        ));
        assert!(matches!(kind(1, false, "No space left on device"), Some(StoreErrorKind::Full { .. })));
        assert!(matches!(kind(101, false, "is in state 'released'"), Some(StoreErrorKind::NotLoaded { .. })));
        assert_eq!(kind(100, false, "collection not found[x]"), Some(StoreErrorKind::NoCollection));
    }
}
