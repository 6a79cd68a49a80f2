//! The shape of a member: what it must look like, said once for checking, for error messages and for help.
//!
//! Contents and the profile are checked against tables of [`Field`]s before they are turned into types, so that a wrong member is
//! named in the sender's words and the types behind it never have to explain themselves.

mod compound;

use piperoll_tlog::encoding;
use serde_json::Value;

use self::compound::{
    as_object, check_digest, check_elements, check_members, check_text_hashes, shown,
};
use crate::{
    limits::ID_BYTES_MAX,
    name::{self, Principal, PrincipalKind},
    time,
};

/// A member of a JSON object.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub required: bool,
    pub shape: Shape,
}
/// A member that must be there.
pub const fn required(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        required: true,
        shape,
    }
}
/// A member that may be left out.
pub const fn optional(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        required: false,
        shape,
    }
}
/// What a value looks like.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// 1 to 200 bytes.
    Id,
    /// The id of a change (`formats.md` section 2).
    Change,
    /// Another name of a change: `run:…`, `ticket:…` or `tag:<repo>@<tag>` (`formats.md` section 2).
    Alias,
    /// A string that is not empty.
    Words,
    /// Any string.
    Text,
    Flag,
    /// A whole number from 0 on.
    Count,
    /// A whole number from 1 on.
    Ordinal,
    /// Exactly this number.
    Exactly(u64),
    /// RFC 3339, UTC, at most 9 fraction digits.
    Time,
    /// 64 lower-case hexadecimal digits.
    Sha256,
    /// `{"sha256": …}` or `{"gitCommit": …}`.
    Digest,
    /// `{"sha256": …}`
    Sha256Digest,
    /// `{"gitCommit": …}`
    CommitDigest,
    /// 16 bytes as unpadded base64url.
    Bytes16,
    /// Standard base64 of the 32 bytes of a public key.
    Key,
    /// Standard base64.
    Base64,
    Principal,
    Account,
    /// A person's URN or an account's.
    Actor,
    OneOf(&'static [&'static str]),
    /// An exact name, `name*`, or `*`.
    Pattern,
    Object(&'static [Field]),
    /// Any object at all.
    AnyObject,
    List(&'static Shape, usize),
    /// The value or `null`.
    OrNull(&'static Shape),
    /// Names of texts to bare hashes.
    TextHashes,
    /// Any names to strings.
    Labels,
}

/// A member that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, relative to the object that was checked; empty for the object itself.
    pub path: String,
    /// Such as `is missing` or `has 201 elements, which is more than 200`; follows the path.
    pub problem: String,
    /// What to do about it; `None` where the owner of the table knows better.
    pub remedy: Option<String>,
}
impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.path, self.problem)
    }
}
impl Fault {
    fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            path: String::new(),
            problem: problem.into(),
            remedy: Some(remedy.into()),
        }
    }
    fn missing(name: &str) -> Self {
        Self {
            path: name.to_owned(),
            problem: "is missing".to_owned(),
            remedy: None,
        }
    }
    /// The same fault seen from one level further out.
    fn within(mut self, step: &str) -> Self {
        let joint = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("{step}{joint}{}", self.path);
        self
    }
}

/// Checks that `value` is an object with the required members, no unknown ones, each in its shape.
pub fn check(value: &Value, fields: &'static [Field]) -> Result<(), Fault> {
    Shape::Object(fields).check(value)
}

impl Shape {
    pub fn check(self, value: &Value) -> Result<(), Fault> {
        match self {
            Self::Object(fields) => check_members(as_object(value)?, fields),
            Self::List(shape, max) => check_elements(value, *shape, max),
            Self::OrNull(shape) if value.is_null() => {
                let _ = shape;
                Ok(())
            }
            Self::OrNull(shape) => shape.check(value),
            Self::Digest => check_digest(value, &["sha256", "gitCommit"]),
            Self::Sha256Digest => check_digest(value, &["sha256"]),
            Self::CommitDigest => check_digest(value, &["gitCommit"]),
            Self::TextHashes => check_text_hashes(as_object(value)?),
            Self::Labels => as_object(value)?.iter().try_for_each(|(name, label)| {
                if label.is_string() {
                    Ok(())
                } else {
                    Err(self.mismatch(label).within(name))
                }
            }),
            Self::AnyObject => self.demand(value, value.is_object()),
            Self::Flag => self.demand(value, value.is_boolean()),
            Self::Count => self.demand(value, value.is_u64()),
            Self::Ordinal => self.demand(value, value.as_u64().is_some_and(|number| number > 0)),
            Self::Exactly(number) => self.demand(value, value.as_u64() == Some(number)),
            Self::Text => self.demand(value, value.is_string()),
            Self::Id
            | Self::Change
            | Self::Alias
            | Self::Words
            | Self::Time
            | Self::Sha256
            | Self::Bytes16
            | Self::Key
            | Self::Base64
            | Self::Principal
            | Self::Account
            | Self::Actor
            | Self::OneOf(_)
            | Self::Pattern => {
                let fits = value.as_str().is_some_and(|text| self.fits(text));
                self.demand(value, fits)
            }
        }
    }
    /// In words, after "is not" or "write": `an id of 1 to 200 bytes`.
    pub fn describe(self) -> String {
        match self {
            Self::Id => format!("a name of 1 to {ID_BYTES_MAX} bytes"),
            Self::Change => format!("a change: github:<owner>/<repo>#<n> in lower case, commit:<full hash>, or another name of at most {ID_BYTES_MAX} bytes"),
            Self::Alias => format!("another name of a change: run:<url without scheme>, ticket:<KEY-1> or tag:<repo>@<tag>, at most {ID_BYTES_MAX} bytes"),
            Self::Words => "a string that is not empty".to_owned(),
            Self::Text => "a string".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Count => "a whole number from 0 on".to_owned(),
            Self::Ordinal => "a whole number from 1 on".to_owned(),
            Self::Exactly(number) => format!("the number {number}"),
            Self::Time => "a time in UTC such as 2026-11-09T08:00:00Z, with at most 9 fraction digits".to_owned(),
            Self::Sha256 => "64 lower-case hexadecimal digits".to_owned(),
            Self::Digest => r#"{"sha256": 64 digits} or {"gitCommit": 40 or 64 digits}, in lower-case hexadecimal"#.to_owned(),
            Self::Sha256Digest => r#"{"sha256": 64 lower-case hexadecimal digits}"#.to_owned(),
            Self::CommitDigest => r#"{"gitCommit": 40 or 64 lower-case hexadecimal digits}"#.to_owned(),
            Self::Bytes16 => "16 bytes as base64url without padding".to_owned(),
            Self::Key => "the 32 bytes of a public key as standard base64".to_owned(),
            Self::Base64 => "standard base64".to_owned(),
            Self::Principal => "a principal such as urn:piperoll:pipeline:checkout-deploy".to_owned(),
            Self::Account => "an account such as urn:piperoll:account:<26 characters>".to_owned(),
            Self::Actor => "a person or an account, urn:piperoll:person:<26 characters> or urn:piperoll:account:<26 characters>".to_owned(),
            Self::OneOf(words) => any_of(words),
            Self::Pattern => "an exact name, the beginning of one with * behind it, or *".to_owned(),
            Self::Object(fields) => {
                let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
                format!("an object of {}", names.join(", "))
            }
            Self::AnyObject => "an object".to_owned(),
            Self::List(shape, max) => format!("a list of at most {max}, each {}", shape.describe()),
            Self::OrNull(shape) => format!("{}, or null", shape.describe()),
            Self::TextHashes => "names of texts with the hash of each".to_owned(),
            Self::Labels => "an object whose values are strings".to_owned(),
        }
    }
    fn demand(self, value: &Value, holds: bool) -> Result<(), Fault> {
        if holds {
            Ok(())
        } else {
            Err(self.mismatch(value))
        }
    }
    fn mismatch(self, value: &Value) -> Fault {
        let wanted = match self {
            Self::Labels => "a string".to_owned(),
            other => other.describe(),
        };
        Fault::new(
            format!("{} is not {wanted}", shown(value)),
            format!("write {wanted}"),
        )
    }
    fn fits(self, text: &str) -> bool {
        match self {
            Self::Id => is_id(text),
            Self::Change => is_id(text) && is_change(text),
            Self::Alias => is_id(text) && is_alias(text),
            Self::Words => !text.is_empty(),
            Self::Time => time::parse(text).is_some(),
            Self::Sha256 => is_hex(text, &[64]),
            Self::Bytes16 => encoding::from_base64url(text).is_some_and(|bytes| bytes.len() == 16),
            Self::Key => encoding::from_base64(text).is_some_and(|bytes| bytes.len() == 32),
            Self::Base64 => encoding::from_base64(text).is_some_and(|bytes| !bytes.is_empty()),
            Self::Principal => Principal::parse(text).is_ok(),
            Self::Account => name::is_account_urn(text),
            Self::Actor => name::is_account_urn(text) || is_person(text),
            Self::OneOf(words) => words.contains(&text),
            Self::Pattern => {
                let stem = text.strip_suffix('*').unwrap_or(text);
                is_id(text) && !stem.contains('*')
            }
            Self::Text => true,
            Self::Flag
            | Self::Count
            | Self::Ordinal
            | Self::Exactly(_)
            | Self::Digest
            | Self::Sha256Digest
            | Self::CommitDigest
            | Self::Object(_)
            | Self::AnyObject
            | Self::List(..)
            | Self::OrNull(_)
            | Self::TextHashes
            | Self::Labels => false,
        }
    }
}

fn is_id(text: &str) -> bool {
    (1..=ID_BYTES_MAX).contains(&text.len())
}
/// A change that a host or a commit names is written in one way only.
fn is_change(text: &str) -> bool {
    match text.split_once(':') {
        Some(("github", path)) => !path.bytes().any(|byte| byte.is_ascii_uppercase()),
        Some(("commit", hash)) => is_hex(hash, &[40, 64]),
        _ => true,
    }
}
fn is_alias(text: &str) -> bool {
    match text.split_once(':') {
        Some(("run" | "ticket", rest)) => !rest.is_empty(),
        Some(("tag", rest)) => rest
            .rsplit_once('@')
            .is_some_and(|(repository, tag)| !repository.is_empty() && !tag.is_empty()),
        _ => false,
    }
}

/// Whether `text` is a person's URN.
pub fn is_person(text: &str) -> bool {
    Principal::parse(text).is_ok_and(|principal| principal.kind() == PrincipalKind::Person)
}
/// Whether `text` is lower-case hexadecimal of one of these lengths.
pub fn is_hex(text: &str, lengths: &[usize]) -> bool {
    lengths.contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}
/// `a, b or c`
pub fn any_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
