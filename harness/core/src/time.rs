//! Points in time as numbers: who reads the clock hands them in.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl From<SystemTime> for Timestamp {
    /// A clock before 1970 counts as 1970.
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// As RFC 3339 in UTC, to the second.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The largest time that the format can hold is in the year 9999.
        let time = UNIX_EPOCH + Duration::from_millis(self.0.min(253_402_300_799_000));
        write!(f, "{}", humantime::format_rfc3339_seconds(time))
    }
}

/// A duration as people say it: two units, the smaller one rounded down (`1h 12m`, `4m 3s`, `850ms`).
pub fn words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{}ms", duration.as_millis()),
        1..60 => format!("{}.{}s", seconds, duration.subsec_millis() / 100),
        60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h {}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_utc() {
        assert_eq!(Timestamp(1_764_000_000_123).to_string(), "2025-11-24T16:00:00Z");
        assert_eq!(Timestamp(u64::MAX).to_string(), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn durations_have_two_units_at_most() {
        let said = |millis| words(Duration::from_millis(millis));
        assert_eq!(
            [850, 4_250, 243_000, 4_320_000, 90_000_000].map(said),
            ["850ms", "4.2s", "4m 3s", "1h 12m", "1d 1h"]
        );
    }
}
