//! Instants as the formats write them.

pub use jiff::Timestamp;

/// Reads RFC 3339 in UTC with `Z` and 0 to 9 fraction digits; anything else is `None`.
pub fn parse(_text: &str) -> Option<Timestamp> {
    todo!()
}
/// RFC 3339 with exactly three fraction digits, as `recorded_at` is written.
pub fn to_millis_text(_at: Timestamp) -> String {
    todo!()
}
/// Floors to whole milliseconds.
pub fn floor_to_millis(_at: Timestamp) -> Timestamp {
    todo!()
}
