//! The members of a kind's content as flags: their names, their values from words, and an example for the help.

use jiff::Timestamp;
use piperoll_core::{
    kind::Kind,
    shape::{Field, Shape},
};
use serde_json::{Map, Value, json};

use crate::content;

/// Members of contents that are no flags of their own: the command fills them in from what else it knows.
const FILLED_IN: &[&str] = &[
    "environment",
    "service",
    "approvalDetailsUrl",
    "resourceTargetUrl",
    "requestor",
    "responder",
    "role",
];

/// The members of a kind that are flags. A member that is also the name of a text is given as the text.
pub(crate) fn flags(kind: Kind) -> impl Iterator<Item = &'static Field> {
    kind.content_fields()
        .iter()
        .filter(move |field| !FILLED_IN.contains(&field.name) && !is_text(kind, field.name))
}
pub(crate) fn is_text(kind: Kind, name: &str) -> bool {
    kind.texts_required().contains(&name) || kind.texts_optional().contains(&name)
}
/// `failureType` is `--failure-type`.
pub(crate) fn flag_name(member: &str) -> String {
    let mut flag = String::with_capacity(member.len() + 2);
    for c in member.chars() {
        if c.is_ascii_uppercase() {
            flag.push('-');
            flag.push(c.to_ascii_lowercase());
        } else {
            flag.push(if c == '_' { '-' } else { c });
        }
    }
    // Lists are given one element a flag.
    match flag.as_str() {
        "elements" => "element".to_owned(),
        "labels" => "label".to_owned(),
        "commits" => "pushed-commit".to_owned(),
        "unmet-criteria" => "unmet".to_owned(),
        _ => flag,
    }
}
/// Whether the flag may be repeated.
pub(crate) fn is_list(shape: Shape) -> bool {
    matches!(shape, Shape::List(..) | Shape::Labels)
}

/// The member's value from what was typed, one string for each time the flag stood there.
pub(crate) fn value(shape: Shape, typed: &[String], now: Timestamp) -> Result<Value, String> {
    match shape {
        Shape::List(element, _) => {
            let elements = typed.iter().map(|text| single(*element, text, now));
            Ok(Value::Array(elements.collect::<Result<_, _>>()?))
        }
        Shape::Labels => {
            let pairs = typed.iter().map(|text| {
                let (name, label) = text
                    .split_once('=')
                    .ok_or_else(|| format!("{text:?} is not NAME=VALUE"))?;
                Ok((name.to_owned(), json!(label)))
            });
            Ok(Value::Object(pairs.collect::<Result<Map<_, _>, String>>()?))
        }
        single_shape => match typed {
            [text] => single(single_shape, text, now),
            _ => Err("is given more than once".to_owned()),
        },
    }
}
fn single(shape: Shape, text: &str, now: Timestamp) -> Result<Value, String> {
    match shape {
        Shape::Flag => match text {
            "true" => Ok(json!(true)),
            "false" => Ok(json!(false)),
            _ => Err(format!("{text:?} is not true or false")),
        },
        Shape::Count | Shape::Ordinal | Shape::Exactly(_) => {
            let number: u64 = text
                .parse()
                .map_err(|_| format!("{text:?} is not a whole number"))?;
            Ok(json!(number))
        }
        Shape::Time => instant(text, now).map(|at| json!(at.to_string())),
        Shape::CommitDigest => Ok(json!({ "gitCommit": text.to_lowercase() })),
        Shape::Sha256Digest => Ok(json!({ "sha256": text.trim_start_matches("sha256:") })),
        Shape::Digest => match text.strip_prefix("sha256:") {
            Some(hex) => Ok(json!({ "sha256": hex })),
            None => Ok(json!({ "gitCommit": text.to_lowercase() })),
        },
        Shape::Object(fields) => object(fields, text),
        Shape::AnyObject | Shape::TextHashes => {
            serde_json::from_str(text).map_err(|error| format!("{text:?} is not JSON: {error}"))
        }
        Shape::OrNull(_) if text == "null" => Ok(Value::Null),
        Shape::OrNull(inner) => single(*inner, text, now),
        Shape::List(..) | Shape::Labels => value(shape, &[text.to_owned()], now),
        Shape::Id
        | Shape::Change
        | Shape::Alias
        | Shape::Words
        | Shape::Text
        | Shape::Sha256
        | Shape::Bytes16
        | Shape::Key
        | Shape::Base64
        | Shape::Principal
        | Shape::Account
        | Shape::Actor
        | Shape::OneOf(_)
        | Shape::Pattern => Ok(json!(text)),
    }
}
/// JSON; or, where the first two members are enough, `FIRST` or `FIRST=SECOND` (a repository, an element of a bundle).
fn object(fields: &'static [Field], text: &str) -> Result<Value, String> {
    if text.starts_with('{') {
        return serde_json::from_str(text)
            .map_err(|error| format!("{text:?} is not JSON: {error}"));
    }
    let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
    match (names.as_slice(), text.rsplit_once('=')) {
        (["purl", "sha256"], Some((purl, digest))) => {
            Ok(json!({ "purl": purl, "sha256": digest.trim_start_matches("sha256:") }))
        }
        (["id", "source"], Some((id, source))) => Ok(json!({ "id": id, "source": source })),
        (["id", "source"], None) => Ok(json!({ "id": text, "source": "https://github.com" })),
        (["uri"], _) => Ok(json!({ "uri": text })),
        _ => Err(format!("{text:?} is not JSON")),
    }
}
/// RFC 3339 with any offset, `now`, or a span from now such as `+8h`, `-30m` or `-7d`; in UTC.
pub(crate) fn instant(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let wrong = || format!("{text:?} is not a time such as 2026-11-12T20:04:00Z, +8h or -7d");
    if text == "now" {
        return Ok(now);
    }
    if let Some(span) = text.strip_prefix('+') {
        let span = span_of(span).ok_or_else(wrong)?;
        return now.checked_add(span).map_err(|_| wrong());
    }
    if let Some(span) = text.strip_prefix('-') {
        let span = span_of(span).ok_or_else(wrong)?;
        return now.checked_sub(span).map_err(|_| wrong());
    }
    text.parse().map_err(|_| wrong())
}

/// A span such as `30m`, `8h`, `7d` or `2w`. A day is 24 hours here and a week seven of them.
fn span_of(text: &str) -> Option<jiff::SignedDuration> {
    for (unit, hours) in [('d', 24), ('w', 7 * 24)] {
        if let Some(count) = text.strip_suffix(unit) {
            let count: u32 = count.parse().ok()?;
            return Some(jiff::SignedDuration::from_hours(i64::from(count) * hours));
        }
    }
    text.parse().ok()
}

/// What an example says for a member, by its name or its shape.
pub(crate) fn example(member: &str, shape: Option<Shape>) -> String {
    let by_name = match member {
        "service" => "checkout",
        "environment" => "production",
        "change" => "github:acme/checkout#418",
        "verdict" => "approved",
        "role" => "technical-approver",
        "outcome" => "success",
        "trigger" => "manual",
        "branch" => "main",
        "repository" => "acme/checkout",
        "expiresAt" => "+8h",
        "startsAt" | "endsAt" => "now",
        "elements" => "PURL=SHA256",
        "artifactId" => "pkg:oci/checkout@sha256:…",
        _ => "",
    };
    if !by_name.is_empty() {
        return by_name.to_owned();
    }
    match shape {
        Some(Shape::OneOf(words)) => words.first().copied().unwrap_or("…").to_owned(),
        Some(Shape::Flag) => "false".to_owned(),
        Some(Shape::Count | Shape::Ordinal) => "1".to_owned(),
        Some(Shape::CommitDigest) => "$(git rev-parse HEAD)".to_owned(),
        _ => "…".to_owned(),
    }
}
/// The artifact of `service.*` as a package URL, made of the first content that is meant.
pub(crate) fn artifact_id(binds: &[piperoll_core::event::Bind], service: &str) -> Option<String> {
    let first = binds.first()?;
    let digest = content::show(&first.digest);
    Some(match first.digest {
        piperoll_core::event::Digest::Sha256(_) => format!("pkg:oci/{service}@{digest}"),
        piperoll_core::event::Digest::GitCommit(_) => format!("pkg:generic/{service}@{digest}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-12T20:04:00Z".parse().unwrap()
    }

    #[test]
    fn flags_are_named_after_members() {
        assert_eq!(flag_name("failureType"), "failure-type");
        assert_eq!(flag_name("expiresAt"), "expires-at");
        assert_eq!(flag_name("outcome"), "outcome");
    }

    #[test]
    fn no_two_flags_of_a_kind_have_one_name() {
        for kind in Kind::ALL {
            let mut names: Vec<String> = flags(*kind).map(|field| flag_name(field.name)).collect();
            names.extend(
                kind.texts_required()
                    .iter()
                    .chain(kind.texts_optional())
                    .map(|name| flag_name(name)),
            );
            let count = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), count, "{}", kind.name());
        }
    }

    #[test]
    fn values_take_the_shape_of_their_member() {
        let one = |shape, text: &str| value(shape, &[text.to_owned()], now());
        assert_eq!(one(Shape::Flag, "true").unwrap(), json!(true));
        assert_eq!(one(Shape::Count, "7").unwrap(), json!(7));
        assert!(one(Shape::Count, "7.5").is_err());
        assert_eq!(
            one(Shape::CommitDigest, "ABC").unwrap(),
            json!({"gitCommit": "abc"})
        );
        let repository: &[Field] = Kind::ChangeMerged.content_fields();
        assert_eq!(
            one(repository[0].shape, "acme/checkout").unwrap(),
            json!({"id": "acme/checkout", "source": "https://github.com"})
        );
        let labels = ["a=b".to_owned(), "c=d=e".to_owned()];
        assert_eq!(
            value(Shape::Labels, &labels, now()).unwrap(),
            json!({"a": "b", "c": "d=e"})
        );
    }

    #[test]
    fn times_may_be_given_from_now() {
        let text = |typed: &str| instant(typed, now()).map(|at| at.to_string());
        assert_eq!(text("-7d").unwrap(), "2026-11-05T20:04:00Z");
        assert_eq!(text("+2w").unwrap(), "2026-11-26T20:04:00Z");
        assert!(text("-1.5d").is_err());
        assert_eq!(text("now").unwrap(), "2026-11-12T20:04:00Z");
        assert_eq!(text("+8h").unwrap(), "2026-11-13T04:04:00Z");
        assert_eq!(text("-30m").unwrap(), "2026-11-12T19:34:00Z");
        assert_eq!(
            text("2026-11-12T21:04:00+01:00").unwrap(),
            "2026-11-12T20:04:00Z"
        );
        assert!(text("tomorrow").unwrap_err().contains("+8h"));
    }
}
