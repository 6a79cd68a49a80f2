//! From bytes to an event: the members of context and subject, then profile and content by their tables.

use serde_json::Value;

use crate::{
    event::{Event, Payload, profile},
    json::{self, Strings},
    kind::{Content, Kind},
    limits::PAYLOAD_BYTES_MAX,
    name::Principal,
    refusal::{Reason, Refusal},
    shape::{self, Fault, Field, Shape, optional, required},
    time,
};

/// The members `CDEvents` allows around a content (its JSON schemas allow no others).
const ROOT: &[Field] = &[
    required("context", Shape::Object(CONTEXT)),
    required("subject", Shape::Object(SUBJECT)),
    required("customData", Shape::AnyObject),
    optional("customDataContentType", Shape::Words),
];
const CONTEXT: &[Field] = &[
    required("specversion", Shape::Words),
    required("id", Shape::Id),
    required("source", Shape::Principal),
    required("type", Shape::Words),
    required("timestamp", Shape::Time),
    optional("schemaUri", Shape::Words),
    optional("chainId", Shape::Id),
    optional("links", Shape::List(&Shape::AnyObject, LINKS_MAX)),
];
const SUBJECT: &[Field] = &[
    required("id", Shape::Id),
    optional("source", Shape::Words),
    required("content", Shape::AnyObject),
];
/// We write none; others may.
const LINKS_MAX: usize = 200;

pub(super) fn payload(bytes: &[u8]) -> Result<Payload, Refusal> {
    if bytes.len() > PAYLOAD_BYTES_MAX {
        return Err(Refusal::new(
            Reason::TooLarge,
            format!(
                "the payload is {} bytes long, which is more than {PAYLOAD_BYTES_MAX}",
                bytes.len()
            ),
        )
        .at("payload")
        .remedy("put large evidence elsewhere and cite it by its digest"));
    }
    let value = json::read(bytes, Strings::Payload).map_err(|error| {
        let refusal = Refusal::new(Reason::Shape, format!("the payload cannot be read: {error}"))
            .remedy("send strict JSON: UTF-8, no member twice, whole numbers only, at most 16 levels, no control characters");
        match error.field {
            Some(field) => refusal.at(field),
            None => refusal.at("payload"),
        }
    })?;
    let text = |name: &str| {
        value
            .pointer(&format!("/context/{name}"))
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| {
                Refusal::new(
                    Reason::Shape,
                    format!("context.{name} is missing or not a string"),
                )
                .at(format!("context.{name}"))
                .remedy("send a CDEvents document: context, subject and customData")
            })
    };
    Ok(Payload {
        id: text("id")?,
        source: text("source")?,
        type_name: text("type")?,
        value,
    })
}

pub(super) fn event(payload: &Payload) -> Result<Event, Refusal> {
    let kind = kind_of(&payload.type_name)?;
    let value = &payload.value;
    shape::check(value, ROOT).map_err(|fault| refuse(fault, "", Some(kind)))?;
    let specversion = string(value, "/context/specversion");
    if specversion != kind.specversion() {
        return Err(Refusal::new(
            Reason::Content,
            format!("specversion {specversion:?} is not that of {}", kind.name()),
        )
        .at("context.specversion")
        .remedy(format!("write {:?}", kind.specversion())));
    }
    let unreadable = |field: &str| {
        Refusal::new(Reason::Content, format!("{field} cannot be read")).at(field.to_owned())
    };
    let piperoll = value.pointer("/customData/piperoll").ok_or_else(|| {
        Refusal::new(Reason::Content, "customData.piperoll is missing")
            .at("customData.piperoll")
            .remedy("say at least profile, ledger and salt in it")
    })?;
    let profile = profile::read(piperoll)
        .map_err(|fault| refuse(fault, "customData.piperoll", Some(kind)))?;
    let content = value
        .pointer("/subject/content")
        .ok_or_else(|| unreadable("subject.content"))?;
    let content = Content::from_value(kind, content)
        .map_err(|fault| refuse(fault, "subject.content", Some(kind)))?;
    Ok(Event {
        id: payload.id.clone(),
        source: Principal::parse(&payload.source).map_err(|_| unreadable("context.source"))?,
        timestamp: time::parse(string(value, "/context/timestamp"))
            .ok_or_else(|| unreadable("context.timestamp"))?,
        subject: string(value, "/subject/id").to_owned(),
        content,
        profile,
    })
}

fn kind_of(type_name: &str) -> Result<Kind, Refusal> {
    Kind::from_type(type_name).ok_or_else(|| {
        let refusal = Refusal::new(
            Reason::Content,
            format!("the kind {type_name:?} is not known here"),
        )
        .at("context.type");
        // The same kind in another version or under another prefix is the likeliest mistake.
        match Kind::ALL
            .iter()
            .find(|kind| type_name.contains(kind.name()))
        {
            Some(kind) => refusal.remedy(format!("write {:?}", kind.type_name())),
            None => refusal.remedy("take one of the kinds that `piperoll kinds` lists"),
        }
    })
}
fn string<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// A fault of a table as a refusal; `within` is the member the table describes.
fn refuse(fault: Fault, within: &str, kind: Option<Kind>) -> Refusal {
    let field = match (within.is_empty(), fault.path.is_empty()) {
        (true, _) => fault.path.clone(),
        (false, true) => within.to_owned(),
        (false, false) => format!("{within}.{}", fault.path),
    };
    let named = if fault.path.is_empty() {
        within.rsplit('.').next().unwrap_or(within)
    } else {
        &fault.path
    };
    let detail = if fault.problem == "is missing" || fault.problem.starts_with("is not a member") {
        format!("{named} {}", fault.problem)
    } else {
        format!("{named}: {}", fault.problem)
    };
    let remedy = fault
        .remedy
        .or_else(|| kind.map(Kind::needs))
        .unwrap_or_else(|| "add it".to_owned());
    Refusal::new(Reason::Content, detail)
        .at(field)
        .remedy(remedy)
}
