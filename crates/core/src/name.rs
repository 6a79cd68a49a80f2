//! Names of principals, ledgers and accounts (`formats.md` section 2).

use piperoll_tlog::Hash;
use serde::{Deserialize, Serialize};

const PRINCIPAL_PREFIX: &str = "urn:piperoll:";
const ACCOUNT_PREFIX: &str = "urn:piperoll:account:";
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// 128 bits in groups of five.
const RANDOM_LEN: usize = 26;
const SLUG_LEN_MAX: usize = 64;
const LEDGER_SLUG_LEN_MAX: usize = 32;
/// Longest origin: it is a key name, a URL prefix and a file path at once.
const ORIGIN_LEN_MAX: usize = 200;

/// SHA-256 of the six lines of leaf 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LedgerId(pub Hash);
impl std::fmt::Display for LedgerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.to_hex())
    }
}

/// What sort of principal a URN names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PrincipalKind {
    Ledger,
    Person,
    Pipeline,
    Bridge,
    Monitor,
}
impl PrincipalKind {
    pub const ALL: [Self; 5] = [
        Self::Ledger,
        Self::Person,
        Self::Pipeline,
        Self::Bridge,
        Self::Monitor,
    ];
    /// The word in the URN.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Person => "person",
            Self::Pipeline => "pipeline",
            Self::Bridge => "bridge",
            Self::Monitor => "monitor",
        }
    }
    fn check(self, slug: &str) -> Result<(), &'static str> {
        let (holds, rule) = match self {
            Self::Ledger => (is_ledger_slug(slug), LEDGER_SLUG_RULE),
            Self::Person => (is_random(slug), RANDOM_RULE),
            Self::Pipeline | Self::Bridge | Self::Monitor => (is_slug(slug), SLUG_RULE),
        };
        if holds { Ok(()) } else { Err(rule) }
    }
}
const LEDGER_SLUG_RULE: &str = "a ledger's slug is 1 to 32 lower-case letters, digits and hyphens";
const SLUG_RULE: &str =
    "a slug is 1 to 64 lower-case letters, digits, _ and -, and begins with a letter or a digit";
const RANDOM_RULE: &str =
    "an opaque id is 26 characters of lower-case base32 (128 bits, the two spare bits zero)";

/// A principal's URN, checked: `urn:piperoll:<kind>:<slug or 26 characters>`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Principal(String);
impl Principal {
    pub fn parse(urn: &str) -> Result<Self, InvalidName> {
        let invalid = |rule| InvalidName {
            what: "principal",
            value: urn.to_owned(),
            rule,
        };
        let (kind, slug) = split(urn).ok_or_else(|| {
            invalid("a principal is urn:piperoll:, then ledger, person, pipeline, bridge or monitor, a colon and its name")
        })?;
        kind.check(slug).map_err(invalid)?;
        Ok(Self(urn.to_owned()))
    }
    /// A pipeline, bridge, monitor or ledger by its slug (or a person by its 26 characters).
    pub fn named(kind: PrincipalKind, slug: &str) -> Result<Self, InvalidName> {
        kind.check(slug).map_err(|rule| InvalidName {
            what: kind.as_str(),
            value: slug.to_owned(),
            rule,
        })?;
        Ok(Self(format!("{PRINCIPAL_PREFIX}{}:{slug}", kind.as_str())))
    }
    /// A person from 128 random bits.
    pub fn person(random: [u8; 16]) -> Self {
        Self(format!("{PRINCIPAL_PREFIX}person:{}", base32(random)))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    pub fn kind(&self) -> PrincipalKind {
        self.parts().0
    }
    /// The slug or the 26 characters.
    pub fn slug(&self) -> &str {
        self.parts().1
    }
    fn parts(&self) -> (PrincipalKind, &str) {
        split(&self.0).expect("a principal was checked when it was made")
    }
}
impl TryFrom<String> for Principal {
    type Error = InvalidName;
    fn try_from(urn: String) -> Result<Self, InvalidName> {
        Self::parse(&urn)
    }
}
impl From<Principal> for String {
    fn from(principal: Principal) -> Self {
        principal.0
    }
}
impl std::fmt::Display for Principal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value:?} is not valid: {rule}")]
pub struct InvalidName {
    pub what: &'static str,
    pub value: String,
    pub rule: &'static str,
}

/// `urn:piperoll:account:<26>` from 128 random bits.
pub fn account_urn(random: [u8; 16]) -> String {
    format!("{ACCOUNT_PREFIX}{}", base32(random))
}
/// Whether `urn` is a well-formed account URN.
pub fn is_account_urn(urn: &str) -> bool {
    urn.strip_prefix(ACCOUNT_PREFIX).is_some_and(is_random)
}

/// The origin of a ledger: a schema-less URL whose last segment is the slug, such as `piperoll.acme.example/log/main`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin(String);
impl Origin {
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let invalid = |rule| InvalidName {
            what: "origin",
            value: text.to_owned(),
            rule,
        };
        if text.len() > ORIGIN_LEN_MAX {
            return Err(invalid("an origin is at most 200 characters"));
        }
        let (host, path) = text.split_once('/').ok_or_else(|| {
            invalid("an origin is a host and a path without a scheme, such as piperoll.acme.example/log/main")
        })?;
        if !is_host(host) {
            return Err(invalid(
                "an origin begins with a host in lower case, without a scheme, such as piperoll.acme.example",
            ));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if !path
            .split('/')
            .all(|segment| !segment.is_empty() && segment.bytes().all(plain))
        {
            return Err(invalid(
                "a path of an origin is segments of letters, digits and -._~, without a slash at its end",
            ));
        }
        let slug = path.rsplit('/').next().unwrap_or_default();
        if !is_ledger_slug(slug) {
            return Err(invalid(
                "the last segment of an origin is the ledger's slug: 1 to 32 lower-case letters, digits and hyphens",
            ));
        }
        Ok(Self(text.to_owned()))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The last segment, which is the ledger's slug.
    pub fn slug(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

fn split(urn: &str) -> Option<(PrincipalKind, &str)> {
    let (word, slug) = urn.strip_prefix(PRINCIPAL_PREFIX)?.split_once(':')?;
    let kind = PrincipalKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == word)?;
    Some((kind, slug))
}
fn is_slug(slug: &str) -> bool {
    let bytes = slug.as_bytes();
    let inner =
        |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(byte);
    bytes.len() <= SLUG_LEN_MAX
        && bytes
            .first()
            .is_some_and(|first| first.is_ascii_lowercase() || first.is_ascii_digit())
        && bytes.iter().all(inner)
}
fn is_ledger_slug(slug: &str) -> bool {
    (1..=LEDGER_SLUG_LEN_MAX).contains(&slug.len())
        && slug
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
fn is_host(host: &str) -> bool {
    let (name, port) = host
        .split_once(':')
        .map_or((host, None), |(name, port)| (name, Some(port)));
    let label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    name.split('.').all(label)
        && port.is_none_or(|port| {
            (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
        })
}
/// 26 characters whose last one holds no more than three bits.
fn is_random(text: &str) -> bool {
    let digit = |byte: u8| BASE32.iter().position(|known| *known == byte);
    text.len() == RANDOM_LEN
        && text.bytes().all(|byte| digit(byte).is_some())
        && text
            .bytes()
            .last()
            .and_then(digit)
            .is_some_and(|last| last % 4 == 0)
}
fn base32(random: [u8; 16]) -> String {
    // 128 bits and two zeros behind them are 26 groups of five bits, the highest first.
    let number = u128::from_be_bytes(random);
    (0..RANDOM_LEN)
        .map(|group| {
            let group_bits = if group + 1 == RANDOM_LEN {
                (number << 2) & 31
            } else {
                (number >> (123 - 5 * group)) & 31
            };
            char::from(BASE32[usize::try_from(group_bits).expect("five bits fit")])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_are_urns_of_five_sorts() {
        for good in [
            "urn:piperoll:ledger:main",
            "urn:piperoll:person:fbzxvus6nbdnshu54toa4f54je",
            "urn:piperoll:pipeline:checkout-deploy",
            "urn:piperoll:bridge:github",
            "urn:piperoll:monitor:up_time9",
        ] {
            let principal = Principal::parse(good).unwrap();
            assert_eq!(principal.as_str(), good);
            assert_eq!(
                Principal::named(principal.kind(), principal.slug()).unwrap(),
                principal
            );
        }
        for bad in [
            "",
            "main",
            "urn:piperoll:robot:x",
            "urn:piperoll:pipeline:",
            "urn:piperoll:pipeline:a.b",
            "urn:piperoll:pipeline:-a",
            "urn:piperoll:pipeline:A",
            "URN:piperoll:pipeline:a",
            "urn:piperoll:ledger:a_b",
            "urn:piperoll:person:maja",
            "urn:piperoll:person:fbzxvus6nbdnshu54toa4f54jf",
            "urn:piperoll:person:fbzxvus6nbdnshu54toa4f54j1",
            "urn:piperoll:account:uviaqmapssdxjdtvt4mtnsc2ye",
        ] {
            assert!(Principal::parse(bad).is_err(), "{bad}");
        }
        assert!(Principal::named(PrincipalKind::Pipeline, &"a".repeat(64)).is_ok());
        assert!(Principal::named(PrincipalKind::Pipeline, &"a".repeat(65)).is_err());
        assert!(Principal::named(PrincipalKind::Ledger, &"a".repeat(33)).is_err());
    }

    #[test]
    fn opaque_ids_hold_128_bits_and_two_zeros() {
        assert_eq!(
            Principal::person([0; 16]).as_str(),
            "urn:piperoll:person:aaaaaaaaaaaaaaaaaaaaaaaaaa"
        );
        assert_eq!(
            Principal::person([0xff; 16]).as_str(),
            "urn:piperoll:person:77777777777777777777777774"
        );
        // From Python: base64.b32encode(bytes(range(16))).
        assert_eq!(
            account_urn(std::array::from_fn(|at| u8::try_from(at).unwrap())),
            "urn:piperoll:account:aaaqeayeaudaocajbifqydiob4"
        );
        for random in [[0; 16], [0xff; 16], [0x5a; 16]] {
            assert!(Principal::parse(Principal::person(random).as_str()).is_ok());
            assert!(is_account_urn(&account_urn(random)));
        }
        assert!(!is_account_urn("urn:piperoll:account:tomas-l"));
    }

    #[test]
    fn an_origin_is_a_url_without_scheme_that_ends_in_the_slug() {
        let origin = Origin::parse("piperoll.acme.example/log/main").unwrap();
        assert_eq!(origin.slug(), "main");
        assert!(Origin::parse("localhost:7470/log/main").is_ok());
        for bad in [
            "",
            "main",
            "https://piperoll.acme.example/log/main",
            "piperoll.acme.example/log/",
            "piperoll.acme.example/log/Main",
            "piperoll.acme.example/log/ma in",
            "piperoll.acme.example/log/a+b",
            "/log/main",
            "piperoll..example/log/main",
            "piperoll.acme.example//main",
        ] {
            assert!(Origin::parse(bad).is_err(), "{bad}");
        }
    }
}
