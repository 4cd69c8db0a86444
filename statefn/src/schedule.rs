//! When a timer is due: once, at an interval, or by the calendar of a time zone.

use std::str::FromStr;
use std::time::Duration;

use croner::Cron;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use statefn_store::Timestamp;

use crate::call_error::Failure;
use crate::codec::Codec;

/// When a timer is due; see [`Context::schedule`](crate::Context::schedule).
///
/// ```
/// use std::time::Duration;
///
/// use statefn::Timestamp;
/// use statefn::schedule::{Missed, Schedule};
///
/// let once = Schedule::after(Duration::from_secs(30 * 60));
/// assert_eq!(once, Duration::from_secs(30 * 60).into());
/// let then = Schedule::at(Timestamp::from_millis(253_402_300_799_999));    // the end of the year 9999
/// let often = Schedule::every(Duration::from_secs(60)).missed(Missed::Skip);
/// let mornings = Schedule::cron("30 8 * * MON-FRI", "Europe/Berlin");
/// # let _ = (then, often, mornings);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    first: First,
    repeat: Repeat,
    missed: Missed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum First {
    At(Timestamp),
    After(Duration),
    Next,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Repeat {
    Once,
    Every { millis: u64 },
    Cron { pattern: String, zone: String },
}

/// What becomes of firings whose time has passed: while no program ran, or while the store or the target
/// was not to be had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Missed {
    /// One firing, at once, for all of them.
    #[default]
    Once,
    /// Each of them, one after another.
    Each,
    /// None of those that were due before this runtime started. A timer that is due once is gone then.
    Skip,
}

/// What is stored of a schedule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rule {
    repeat: Repeat,
    pub(crate) missed: Missed,
}

impl Schedule {
    /// Once, this long after the command; zero means right after its commit.
    #[must_use]
    pub fn after(wait: Duration) -> Self {
        Self::new(First::After(wait), Repeat::Once)
    }

    /// Once, at this time; one that has passed means right after the commit.
    #[must_use]
    pub fn at(time: Timestamp) -> Self {
        Self::new(First::At(time), Repeat::Once)
    }

    /// Again and again at this interval, in whole milliseconds, for the first time one interval after the
    /// command. An interval below a millisecond fails the command.
    #[must_use]
    pub fn every(interval: Duration) -> Self {
        let millis = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
        Self::new(First::After(interval), Repeat::Every { millis })
    }

    /// Whenever a cron pattern matches: minute, hour, day of month, month, day of week (and a field of
    /// seconds in front, if there are six), in a time zone of the IANA database (which the program
    /// contains), like `Europe/Berlin` or `UTC`.
    ///
    /// A time of day that the clock skips in spring is due when the clock has gone forward, one that comes
    /// twice in autumn once, unless the hour is a `*`. A pattern or a zone that does not exist, and a pattern
    /// that never matches again, fail the command.
    #[must_use]
    pub fn cron(pattern: impl Into<String>, zone: impl Into<String>) -> Self {
        let (pattern, zone) = (pattern.into(), zone.into());
        Self::new(First::Next, Repeat::Cron { pattern, zone })
    }

    /// What becomes of firings whose time has passed.
    #[must_use]
    pub fn missed(mut self, missed: Missed) -> Self {
        self.missed = missed;
        self
    }

    fn new(first: First, repeat: Repeat) -> Self {
        Self {
            first,
            repeat,
            missed: Missed::default(),
        }
    }

    /// When it is due first, and what is stored of the rest.
    pub(crate) fn begin(self, now: Timestamp) -> Result<(Timestamp, Vec<u8>), Failure> {
        let rule = Rule {
            repeat: self.repeat,
            missed: self.missed,
        };
        if rule.repeat == (Repeat::Every { millis: 0 }) {
            return Err(invalid(
                "an interval has at least one millisecond".to_owned(),
            ));
        }
        let due = match self.first {
            First::At(time) => time,
            First::After(wait) => plus(now, u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            First::Next => rule
                .repeat
                .after(now, now)
                .map_err(invalid)?
                .ok_or_else(|| invalid("the pattern never matches again".to_owned()))?,
        };
        Ok((due, rule.encoded()?))
    }
}

impl From<Duration> for Schedule {
    fn from(wait: Duration) -> Self {
        Self::after(wait)
    }
}

impl From<Timestamp> for Schedule {
    fn from(time: Timestamp) -> Self {
        Self::at(time)
    }
}

fn invalid(reason: String) -> Failure {
    Failure::Invalid {
        what: "timer",
        reason: reason.into(),
    }
}

fn plus(time: Timestamp, millis: u64) -> Timestamp {
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    Timestamp::from_millis(time.as_millis().saturating_add(millis))
}

impl Rule {
    fn encoded(&self) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        let is_plain = self.repeat == Repeat::Once && self.missed == Missed::Once;
        if !is_plain {
            let encoded = Codec::Bincode.encode(self, &mut bytes);
            encoded.map_err(|error| Failure::Encoding {
                what: "the schedule of a timer",
                reason: error.to_string().into(),
            })?;
        }
        Ok(bytes)
    }

    /// The stored rule.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        if bytes.is_empty() {
            return Ok(Self {
                repeat: Repeat::Once,
                missed: Missed::Once,
            });
        }
        Codec::Bincode.decode(bytes).map_err(|e| e.to_string())
    }

    /// When a timer that was due at `due` is due again, as seen at `now`. `None`: never.
    pub(crate) fn next(&self, due: Timestamp, now: Timestamp) -> Result<Option<Timestamp>, String> {
        let after = match self.missed {
            Missed::Each => due,
            Missed::Once | Missed::Skip => due.max(now),
        };
        self.repeat.after(due, after)
    }
}

impl Repeat {
    /// The first time after `after`; an interval counts from `due`.
    fn after(&self, due: Timestamp, after: Timestamp) -> Result<Option<Timestamp>, String> {
        match self {
            Self::Once => Ok(None),
            Self::Every { millis } => {
                let interval = i64::try_from((*millis).max(1)).unwrap_or(i64::MAX);
                let passed = after.as_millis().saturating_sub(due.as_millis());
                let steps = passed.max(0) / interval + 1;
                let next = due.as_millis().checked_add(interval.saturating_mul(steps));
                Ok(next.map(Timestamp::from_millis))
            }
            Self::Cron { pattern, zone } => by_calendar(pattern, zone, after),
        }
    }
}

fn by_calendar(pattern: &str, zone: &str, after: Timestamp) -> Result<Option<Timestamp>, String> {
    let cron = Cron::from_str(pattern).map_err(|error| format!("{pattern:?}: {error}"))?;
    let zone = TimeZone::get(zone).map_err(|error| error.to_string())?;
    let Ok(after) = jiff::Timestamp::from_millisecond(after.as_millis()) else {
        return Ok(None);
    };
    match cron.find_next_occurrence(&after.to_zoned(zone), false) {
        Ok(next) => Ok(Some(Timestamp::from_millis(
            next.timestamp().as_millisecond(),
        ))),
        // It searches some years ahead and then gives up.
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let time: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_millis(time.as_millisecond())
    }

    fn first(schedule: Schedule, now: &str) -> Timestamp {
        schedule.begin(at(now)).unwrap().0
    }

    #[test]
    fn a_cron_pattern_follows_its_time_zone_over_the_change_of_clocks() {
        let mornings = || Schedule::cron("30 8 * * MON-FRI", "Europe/Berlin");
        // Friday before the clocks go forward, then Monday after it.
        assert_eq!(
            first(mornings(), "2026-03-27T00:00:00Z"),
            at("2026-03-27T07:30:00Z")
        );
        assert_eq!(
            first(mornings(), "2026-03-27T12:00:00Z"),
            at("2026-03-30T06:30:00Z")
        );
        // A time that comes twice in autumn is due once.
        let nights = Schedule::cron("30 2 * * *", "Europe/Berlin");
        let (due, rule) = nights.begin(at("2026-10-24T12:00:00Z")).unwrap();
        let rule = Rule::decode(&rule).unwrap();
        let next = rule.next(due, due).unwrap().unwrap();
        assert!(
            next.as_millis() - due.as_millis() > 20 * 3_600_000,
            "{due} {next}"
        );
    }

    #[test]
    fn what_can_never_be_due_is_said_at_once() {
        for (schedule, part) in [
            (Schedule::every(Duration::ZERO), "at least one millisecond"),
            (
                Schedule::every(Duration::from_nanos(1)),
                "at least one millisecond",
            ),
            (Schedule::cron("61 * * * *", "UTC"), "61 * * * *"),
            (Schedule::cron("* * * * *", "Europe/Atlantis"), "Atlantis"),
            (Schedule::cron("0 0 30 2 *", "UTC"), "never"),
        ] {
            let failure = schedule
                .begin(at("2026-01-01T00:00:00Z"))
                .unwrap_err()
                .to_string();
            assert!(failure.contains(part), "{failure}");
        }
    }

    #[test]
    fn an_interval_keeps_its_beat_and_missed_firings_follow_the_policy() {
        let rule = |missed| {
            let schedule = Schedule::every(Duration::from_secs(60)).missed(missed);
            let (due, rule) = schedule.begin(at("2026-01-01T00:00:00Z")).unwrap();
            assert_eq!(due, at("2026-01-01T00:01:00Z"));
            Rule::decode(&rule).unwrap()
        };
        let (due, now) = (at("2026-01-01T00:01:00Z"), at("2026-01-01T01:00:30Z"));
        let next = |missed| rule(missed).next(due, now).unwrap();
        assert_eq!(next(Missed::Once), Some(at("2026-01-01T01:01:00Z")));
        assert_eq!(next(Missed::Skip), Some(at("2026-01-01T01:01:00Z")));
        assert_eq!(next(Missed::Each), Some(at("2026-01-01T00:02:00Z")));
    }

    #[test]
    fn times_at_the_ends_of_what_can_be_stored_are_no_trouble() {
        let now = at("2026-01-01T00:00:00Z");
        let end = Schedule::after(Duration::MAX).begin(now).unwrap().0;
        assert_eq!(end, Timestamp::from_millis(i64::MAX));
        let (due, rule) = Schedule::every(Duration::MAX).begin(now).unwrap();
        assert_eq!(due, Timestamp::from_millis(i64::MAX));
        assert_eq!(Rule::decode(&rule).unwrap().next(due, due), Ok(None));
    }
}
