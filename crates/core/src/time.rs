//! Instants as the formats write them (`formats.md` section 1): RFC 3339, UTC, `Z`, 0 to 9 fraction digits.

pub use jiff::Timestamp;

/// Rules go by an emitter's time only if it lies this near to when it was recorded; beyond, people are shown both (`design.md`
/// section 5, "Time in rules").
pub(crate) const RULE_WITHIN: jiff::SignedDuration = jiff::SignedDuration::from_mins(5);

const NANOSECONDS_PER_MILLISECOND: i128 = 1_000_000;
/// `2026-11-09T08:00:00`, before the fraction and the `Z`.
const SECONDS_TEXT_LEN: usize = 19;
const FRACTION_DIGITS_MAX: usize = 9;

/// Reads RFC 3339 in UTC with `Z` and 0 to 9 fraction digits; anything else is `None`.
pub fn parse(text: &str) -> Option<Timestamp> {
    let body = text.strip_suffix('Z')?;
    let (seconds, fraction) = body.split_at_checked(SECONDS_TEXT_LEN)?;
    let shape_holds = seconds.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    // A leap second has no instant of its own here, so it is not read as another one.
    if !shape_holds || &seconds[17..] == "60" {
        return None;
    }
    if !fraction.is_empty() {
        let digits = fraction.strip_prefix('.')?;
        let count_fits = (1..=FRACTION_DIGITS_MAX).contains(&digits.len());
        if !count_fits || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
    }
    text.parse().ok()
}
/// RFC 3339 with exactly three fraction digits, as `recorded_at` is written; what is finer is cut off.
pub fn to_millis_text(at: Timestamp) -> String {
    format!("{:.3}", floor_to_millis(at))
}
/// Floors to whole milliseconds.
pub fn floor_to_millis(at: Timestamp) -> Timestamp {
    let nanoseconds = at.as_nanosecond();
    let floored = nanoseconds - nanoseconds.rem_euclid(NANOSECONDS_PER_MILLISECOND);
    // Only the very first instant that exists could floor to one that does not.
    Timestamp::from_nanosecond(floored).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rfc_3339_in_utc_with_at_most_nine_fraction_digits_is_read() {
        for good in [
            "2026-11-09T08:00:00Z",
            "2026-11-09T08:00:00.1Z",
            "2026-11-09T08:00:00.123456789Z",
            "2024-02-29T23:59:59Z",
        ] {
            assert!(parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "Z",
            "2026-11-09T08:00:00",
            "2026-11-09t08:00:00Z",
            "2026-11-09T08:00:00z",
            "2026-11-09 08:00:00Z",
            "2026-11-09T08:00:00+00:00",
            "2026-11-09T09:00:00+01:00",
            "2026-11-09T08:00:00.Z",
            "2026-11-09T08:00:00.1234567890Z",
            "2026-11-09T08:00:00,5Z",
            "2026-02-30T08:00:00Z",
            "2026-11-09T24:00:00Z",
            "2026-11-09T23:59:60Z",
            "+02026-11-09T08:00:00Z",
            "2026-11-09T08:00:0\u{e9}Z",
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn milliseconds_are_floored_and_always_three_digits() {
        for (text, floored) in [
            ("2026-11-09T08:00:00Z", "2026-11-09T08:00:00.000Z"),
            ("2026-11-09T08:00:00.15056Z", "2026-11-09T08:00:00.150Z"),
            ("2026-11-09T08:00:00.999999999Z", "2026-11-09T08:00:00.999Z"),
            ("1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999Z"),
        ] {
            let at = parse(text).unwrap();
            assert_eq!(to_millis_text(at), floored);
            assert_eq!(parse(floored).unwrap(), floor_to_millis(at));
        }
    }
}
