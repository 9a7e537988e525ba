//! Waiting times between retries.

use super::error::ServerErrorKind;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// The first waiting time; it doubles with every retry.
const FIRST: Duration = Duration::from_millis(100);
/// Longest waiting time, unless the server asks for more.
const LONGEST: Duration = Duration::from_secs(5);
/// If a server asks for a longer wait, the request fails.
const LONGEST_ASKED: Duration = Duration::from_secs(300);

/// Parses `Retry-After`: seconds or a date.
pub(super) fn retry_after(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = OffsetDateTime::parse(&value.trim().replace("GMT", "+0000"), &Rfc2822).ok()?;
    Some(Duration::try_from(date - OffsetDateTime::now_utc()).unwrap_or_default())
}

/// The waiting time before attempt `tried + 1`, or `None` if a retry is hopeless. `jitter` in [0, 1) spreads retries of
/// many requests between half the waiting time and all of it.
pub(super) fn wait_before_next(kind: &ServerErrorKind, tried: u32, jitter: f64) -> Option<Duration> {
    if !kind.passes() {
        return None;
    }
    let own = FIRST.saturating_mul(1 << tried.saturating_sub(1).min(10)).min(LONGEST);
    let own = own.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
    match kind {
        ServerErrorKind::Busy { retry_after: Some(asked), .. } if *asked > LONGEST_ASKED => None,
        ServerErrorKind::Busy { retry_after: Some(asked), .. } => Some(own.max(*asked)),
        _ => Some(own),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(retry_after: Option<Duration>) -> ServerErrorKind {
        ServerErrorKind::Busy { status: 429, said: String::new(), retry_after }
    }

    #[test]
    fn waits_double_with_jitter_up_to_a_limit() {
        let wait = |tried, jitter| wait_before_next(&busy(None), tried, jitter).unwrap().as_millis();
        assert_eq!([wait(1, 0.0), wait(1, 1.0)], [50, 100]);
        assert_eq!([wait(2, 0.0), wait(4, 1.0), wait(60, 1.0)], [100, 800, 5000]);
        assert_eq!(wait_before_next(&ServerErrorKind::TimedOut { within: FIRST, is_given: true }, 1, 0.5), None);
    }

    #[test]
    fn the_server_says_when() {
        assert_eq!(retry_after(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let soon = OffsetDateTime::now_utc() + Duration::from_secs(100);
        let wait = retry_after(&soon.format(&Rfc2822).unwrap()).unwrap().as_secs();
        assert!((98..=100).contains(&wait), "{wait}");
        assert_eq!(retry_after("soon"), None);
        assert_eq!(wait_before_next(&busy(Some(Duration::from_secs(7))), 1, 0.0), Some(Duration::from_secs(7)));
        assert_eq!(wait_before_next(&busy(Some(Duration::from_secs(3000))), 1, 0.0), None);
    }
}
