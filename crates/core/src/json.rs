//! Strict JSON (`formats.md` section 1): I-JSON, no duplicate keys, integers within ±(2^53−1) only, at most 16 levels, no
//! forbidden characters.

/// A JSON value that passed every rule. Integers are the only numbers in it.
pub type Value = serde_json::Value;

/// Whether strings are signed (no control characters at all) or the words of a text (LF and tab allowed).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strings {
    Payload,
    /// An envelope: like a payload, but the `body` of a text may hold LF and tab.
    Envelope,
}
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub String);

/// Reads `bytes` as one strict JSON value.
pub fn read(_bytes: &[u8], _strings: Strings) -> Result<Value, Error> {
    todo!()
}
/// The first forbidden character of a payload string, if any.
pub fn forbidden_in_payload(_text: &str) -> Option<char> {
    todo!()
}
/// The first forbidden character of a text, if any.
pub fn forbidden_in_text(_text: &str) -> Option<char> {
    todo!()
}
/// For bridges: CRLF and CR become LF, every other character a text may not hold becomes U+FFFD.
pub fn clean_text(_text: &str) -> String {
    todo!()
}
/// For bridges: like [`clean_text`], and LF and tab become spaces; for strings of a payload.
pub fn clean_string(_text: &str) -> String {
    todo!()
}
