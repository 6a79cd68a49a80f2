//! Strict JSON (`formats.md` section 1): I-JSON, no duplicate keys, integers within ±(2^53−1) only, at most 16 levels, no
//! forbidden characters.
//!
//! A scan over the bytes bounds the depth and refuses fractions before `serde_json` tokenises; the rest is checked while the
//! value is built, so a hostile message costs no more than its length.

use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use crate::{
    limits::{INTEGER_MAX, JSON_LEVELS_MAX},
    words,
};

/// A JSON value that passed every rule. Integers are the only numbers in it.
pub type Value = serde_json::Value;

/// Whether strings are signed (no control characters at all) or the words of a text (LF and tab allowed).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strings {
    Payload,
    /// An envelope: like a payload, but the `body` of a text may hold LF and tab.
    Envelope,
}
/// Why bytes are not strict JSON, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Error {
    /// One sentence, lower case, no full stop.
    pub detail: String,
    /// The member it is about in dotted form, where there is one.
    pub field: Option<String>,
}
impl Error {
    fn new(detail: impl Into<String>) -> Self {
        Self {
            detail: detail.into(),
            field: None,
        }
    }
}

/// Reads `bytes` as one strict JSON value.
pub fn read(bytes: &[u8], strings: Strings) -> Result<Value, Error> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Error::new(format!(
            "not UTF-8: the byte at {} belongs to no character",
            error.valid_up_to()
        ))
    })?;
    scan(text.as_bytes())?;
    let place = match strings {
        Strings::Payload => Place::Payload,
        Strings::Envelope => Place::Envelope,
    };
    let mut fault = Fault::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = Reader {
        place,
        fault: &mut fault,
    }
    .deserialize(&mut deserializer)
    .and_then(|value| deserializer.end().map(|()| value));
    read.map_err(|error| fault.into_error(&error))
}

/// Bounds the depth and refuses numbers with a fraction or an exponent; leaves everything else to the tokeniser.
fn scan(bytes: &[u8]) -> Result<(), Error> {
    let mut level = 0_usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_string(bytes, at),
            b'{' | b'[' => {
                level += 1;
                if level > JSON_LEVELS_MAX {
                    return Err(Error::new(format!(
                        "more than {JSON_LEVELS_MAX} levels of JSON"
                    )));
                }
            }
            b'}' | b']' => level = level.saturating_sub(1),
            b'-' | b'0'..=b'9' => {
                let end = end_of_number(bytes, at);
                let number = &bytes[at..end];
                if number.iter().any(|byte| b".eE".contains(byte)) {
                    return Err(Error::new(format!(
                        "the number {} is not an integer: no fraction and no exponent are allowed",
                        String::from_utf8_lossy(&number[..number.len().min(40)])
                    )));
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    Ok(())
}
/// Index of the quote that closes the string that opens at `open`, or of the last byte.
fn end_of_string(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}
/// Index behind the number that begins at `start`.
fn end_of_number(bytes: &[u8], start: usize) -> usize {
    let inner = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    bytes[start..]
        .iter()
        .position(|byte| !inner(byte))
        .map_or(bytes.len(), |length| start + length)
}

/// Where in a message a value stands, as far as it decides which characters a string may hold.
#[derive(Clone, Copy)]
enum Place {
    Payload,
    Envelope,
    /// The member `texts` of an envelope.
    Texts,
    /// One text in it.
    Text,
    /// Its `body`.
    Body,
}
impl Place {
    fn member(self, name: &str) -> Self {
        match (self, name) {
            (Self::Envelope, "texts") => Self::Texts,
            (Self::Texts, _) => Self::Text,
            (Self::Text, "body") => Self::Body,
            _ => Self::Payload,
        }
    }
    fn forbidden(self, text: &str) -> Option<char> {
        match self {
            Self::Body => words::forbidden_in_text(text),
            Self::Payload | Self::Envelope | Self::Texts | Self::Text => {
                words::forbidden_in_payload(text)
            }
        }
    }
}

/// What was found wrong, and the way to it, innermost step first (written while the tokeniser unwinds).
#[derive(Default)]
struct Fault {
    detail: Option<String>,
    steps: Vec<Step>,
}
enum Step {
    Member(String),
    Element(usize),
}
impl Fault {
    fn into_error(self, error: &serde_json::Error) -> Error {
        let Some(detail) = self.detail else {
            return Error::new(format!("not JSON: {error}"));
        };
        let mut path = String::new();
        for step in self.steps.into_iter().rev() {
            match step {
                Step::Member(name) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(&name);
                }
                Step::Element(index) => {
                    path.push('[');
                    path.push_str(&index.to_string());
                    path.push(']');
                }
            }
        }
        Error {
            detail: if path.is_empty() {
                detail
            } else {
                format!("{path}: {detail}")
            },
            field: Some(path).filter(|path| !path.is_empty()),
        }
    }
    fn set<E: serde::de::Error>(&mut self, detail: String) -> E {
        self.detail = Some(detail);
        E::custom("refused")
    }
}

struct Reader<'a> {
    place: Place,
    fault: &'a mut Fault,
}
impl Reader<'_> {
    fn check<E: serde::de::Error>(&mut self, text: &str) -> Result<(), E> {
        match self.place.forbidden(text) {
            None => Ok(()),
            Some(char) => Err(self.fault.set(format!(
                "the character U+{:04X} is not allowed",
                u32::from(char)
            ))),
        }
    }
    fn integer<E: serde::de::Error>(self, number: Option<i64>) -> Result<Value, E> {
        match number {
            Some(number) if (-INTEGER_MAX..=INTEGER_MAX).contains(&number) => Ok(number.into()),
            _ => Err(self.fault.set("an integer lies beyond 2^53-1".to_owned())),
        }
    }
}
impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}
impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Value, E> {
        self.integer(Some(value))
    }
    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        self.integer(i64::try_from(value).ok())
    }
    /// Fractions and exponents were refused before, so this is `-0` or an integer of more than 64 bits.
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        self.integer((value == 0.0).then_some(0))
    }
    fn visit_str<E: serde::de::Error>(mut self, value: &str) -> Result<Value, E> {
        self.check(value)?;
        Ok(Value::String(value.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let next = elements.next_element_seed(Reader {
                place: Place::Payload,
                fault: &mut *self.fault,
            });
            match next {
                Ok(Some(value)) => list.push(value),
                Ok(None) => return Ok(Value::Array(list)),
                Err(error) => {
                    self.fault.steps.push(Step::Element(list.len()));
                    return Err(error);
                }
            }
        }
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Value, A::Error> {
        let mut object = serde_json::Map::new();
        while let Some(name) = members.next_key::<String>()? {
            self.check(&name)?;
            let value = members.next_value_seed(Reader {
                place: self.place.member(&name),
                fault: &mut *self.fault,
            });
            let value = match value {
                Ok(value) => value,
                Err(error) => {
                    self.fault.steps.push(Step::Member(name));
                    return Err(error);
                }
            };
            if object.contains_key(&name) {
                self.fault.steps.push(Step::Member(name));
                return Err(self.fault.set("the member stands twice".to_owned()));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Error {
        read(text.as_bytes(), Strings::Payload).unwrap_err()
    }

    #[test]
    fn integers_are_the_only_numbers_and_lie_within_2_to_the_53() {
        for good in ["0", "-0", "9007199254740991", "-9007199254740991", " 1 "] {
            assert!(read(good.as_bytes(), Strings::Payload).is_ok(), "{good}");
        }
        for bad in [
            "1.0",
            "1e3",
            "1E3",
            "-0.0",
            "0e0",
            "9007199254740992",
            "-9007199254740992",
            "18446744073709551616",
            "123456789012345678901234567890",
            "01",
            "+1",
            "-",
            ".5",
            "NaN",
            "1e400",
        ] {
            let error = refused(bad);
            assert!(!error.detail.is_empty(), "{bad}");
        }
        // Digits, dots and e's inside strings are words.
        assert!(read(br#"{"1.5e3": "2.0 \" 3e4"}"#, Strings::Payload).is_ok());
    }

    #[test]
    fn a_member_that_stands_twice_is_found_however_it_is_written() {
        let error = refused(r#"{"a": {"b": 1, "\u0062": 2}}"#);
        assert_eq!(error.field.as_deref(), Some("a.b"));
        assert!(error.detail.contains("twice"));
    }

    #[test]
    fn the_outermost_value_is_level_1_and_level_16_the_last() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(nested(16).as_bytes(), Strings::Payload).is_ok());
        assert!(refused(&nested(17)).detail.contains("16 levels"));
        assert!(refused(&nested(100_000)).detail.contains("16 levels"));
        // Brackets in strings are no levels.
        let text = format!("{:?}", "[".repeat(40));
        assert!(read(text.as_bytes(), Strings::Payload).is_ok());
    }

    #[test]
    fn characters_that_hide_or_move_others_are_refused_with_their_place() {
        let forbidden = [
            0x0, 0x1f, 0x7f, 0x9f, 0x61c, 0x200e, 0x200f, 0x202a, 0x202e, 0x2066, 0x2069, 0xfdd0,
            0xfdef, 0xfffe, 0xffff, 0x1_fffe, 0x10_ffff,
        ];
        for code in forbidden {
            let char = char::from_u32(code).unwrap();
            let text = serde_json::json!({"a": [1, char.to_string()]}).to_string();
            let error = refused(&text);
            assert_eq!(error.field.as_deref(), Some("a[1]"), "U+{code:04X}");
            assert!(error.detail.contains(&format!("U+{code:04X}")));
            let name = serde_json::json!({ char.to_string(): 1 }).to_string();
            assert!(
                read(name.as_bytes(), Strings::Payload).is_err(),
                "U+{code:04X}"
            );
            assert_eq!(
                words::clean_text(&char.to_string()),
                "\u{fffd}",
                "U+{code:04X}"
            );
        }
        for code in [0x20, 0x7e, 0xa0, 0x200b, 0x2028, 0xfffd, 0xfdcf, 0x1_f4ee] {
            let text = serde_json::json!(char::from_u32(code).unwrap().to_string()).to_string();
            assert!(
                read(text.as_bytes(), Strings::Payload).is_ok(),
                "U+{code:04X}"
            );
        }
        for bad in [
            r#""\ud800""#,
            r#""\udc00x""#,
            "\"\u{1}\"",
            "\u{feff}1",
            "1 2",
            "",
            "\"a",
        ] {
            assert!(read(bad.as_bytes(), Strings::Payload).is_err(), "{bad}");
        }
        assert!(read(b"\"\xff\"", Strings::Payload).is_err());
    }

    #[test]
    fn only_the_body_of_a_text_holds_line_feeds_and_tabs() {
        let envelope = |text: &str| read(text.as_bytes(), Strings::Envelope);
        assert!(envelope(r#"{"texts": {"a": {"salt": "x", "body": "a\n\tb"}}}"#).is_ok());
        for bad in [
            r#"{"texts": {"a": {"salt": "x\n", "body": ""}}}"#,
            r#"{"texts": {"a\n": {"body": ""}}}"#,
            r#"{"texts": {"a": {"body": "\r"}}}"#,
            r#"{"texts": {"a": {"body": ["\n"]}}}"#,
            r#"{"body": "\n"}"#,
            r#"{"payload": {"texts": {"a": {"body": "\n"}}}}"#,
        ] {
            assert!(envelope(bad).is_err(), "{bad}");
        }
        assert!(read(br#"{"texts": {"a": {"body": "\n"}}}"#, Strings::Payload).is_err());
    }
}
