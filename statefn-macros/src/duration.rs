//! Durations as options spell them: `500ms`, `30s`, `10m`, `24h`, `7d`.

use std::time::Duration;

/// What a duration looks like, for messages.
pub(crate) const FORM: &str = "a string with a whole number and a unit: `\"500ms\"`, `\"30s\"`, `\"10m\"`, `\"24h\"` or `\"7d\"`";

/// Reads a duration; zero, an unknown unit or a number that is too large is `None`.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_unit() {
        let millis = |text| parse(text).map(|duration| duration.as_millis());
        assert_eq!(millis("500ms"), Some(500));
        assert_eq!(millis("30s"), Some(30_000));
        assert_eq!(millis("10m"), Some(600_000));
        assert_eq!(millis("24h"), Some(86_400_000));
        assert_eq!(millis("7d"), Some(604_800_000));
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "10",
            "m",
            "0s",
            "-1s",
            "1.5h",
            "10 m",
            "10min",
            "99999999999999999999s",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
