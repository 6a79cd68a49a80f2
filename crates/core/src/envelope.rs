//! The envelope: DSSE 1.0.2 with exactly one signature, and the texts beside it (`formats.md` sections 4 and 5).

use std::collections::BTreeMap;

use piperoll_tlog::{Hash, encoding, hash};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    json::{self, Strings},
    limits::ENVELOPE_BYTES_MAX,
    refusal::{Reason, Refusal},
};

pub const PAYLOAD_TYPE: &str = "application/vnd.piperoll.event.v1+json";
pub const POSSESSION_TYPE: &str = "application/vnd.piperoll.key-possession.v1";

/// Words that belong to an event, under their own salt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Text {
    pub salt: [u8; 16],
    pub body: String,
}
impl Text {
    /// SHA-256(salt ‖ UTF-8 of the body).
    pub fn hash(&self) -> Hash {
        hash::sha256_parts(&[&self.salt, self.body.as_bytes()])
    }
}

/// A signed message, with base64 taken off. `payload` holds the exact bytes that were signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Envelope {
    pub payload: Vec<u8>,
    pub keyid: String,
    pub signature: Vec<u8>,
    pub texts: BTreeMap<String, Text>,
}
impl Envelope {
    /// Step 1 of judging as far as the envelope goes: size, JSON, base64, members.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > ENVELOPE_BYTES_MAX {
            return Err(Refusal::new(
                Reason::TooLarge,
                format!(
                    "the message is {} bytes long, which is more than {ENVELOPE_BYTES_MAX}",
                    bytes.len()
                ),
            )
            .remedy("send fewer or shorter texts, and cite large evidence by its digest"));
        }
        let value = json::read(bytes, Strings::Envelope).map_err(|error| {
            let refusal = Refusal::new(
                Reason::Shape,
                format!("the envelope cannot be read: {error}"),
            )
            .remedy("send one DSSE envelope as strict JSON");
            match error.field {
                Some(field) => refusal.at(field),
                None => refusal,
            }
        })?;
        let envelope = members(
            &value,
            "",
            &["payload", "payloadType", "signatures"],
            &["texts"],
        )?;
        let payload_type = string(envelope, "payloadType", "payloadType")?;
        if payload_type != PAYLOAD_TYPE {
            return Err(shape(
                "payloadType",
                format!("the payloadType {payload_type:?} is not ours"),
                format!("write {PAYLOAD_TYPE:?}"),
            ));
        }
        let payload = either_base64(string(envelope, "payload", "payload")?, "payload")?;
        let signatures = envelope["signatures"].as_array().map(Vec::as_slice);
        let Some([signature]) = signatures else {
            return Err(shape(
                "signatures",
                "an envelope holds exactly one signature",
                "send one event for each signer",
            ));
        };
        let signature = members(signature, "signatures[0]", &["keyid", "sig"], &[])?;
        let keyid = string(signature, "keyid", "signatures[0].keyid")?.to_owned();
        let sig = string(signature, "sig", "signatures[0].sig")?;
        let signature = either_base64(sig, "signatures[0].sig")?;
        let texts = match envelope.get("texts") {
            None => BTreeMap::new(),
            Some(texts) => parse_texts(texts)?,
        };
        Ok(Self {
            payload,
            keyid,
            signature,
            texts,
        })
    }
    /// Compact JSON, as it is sent.
    pub fn to_json(&self) -> String {
        let wire = Wire {
            payload: encoding::base64(&self.payload),
            payload_type: PAYLOAD_TYPE,
            signatures: [WireSignature {
                keyid: &self.keyid,
                sig: encoding::base64(&self.signature),
            }],
            texts: self
                .texts
                .iter()
                .map(|(name, text)| {
                    let wire = WireText {
                        salt: encoding::base64url(&text.salt),
                        body: &text.body,
                    };
                    (name.as_str(), wire)
                })
                .collect(),
        };
        serde_json::to_string(&wire).expect("only strings and maps with string keys")
    }
    pub fn payload_hash(&self) -> Hash {
        hash::sha256(&self.payload)
    }
    /// What the signature is over.
    pub fn pae(&self) -> Vec<u8> {
        pae(PAYLOAD_TYPE, &self.payload)
    }
}
/// `DSSEv1 SP len SP type SP len SP body`, lengths in bytes.
pub fn pae(payload_type: &str, body: &[u8]) -> Vec<u8> {
    let mut message = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        body.len()
    )
    .into_bytes();
    message.extend_from_slice(body);
    message
}

#[derive(Serialize)]
struct Wire<'a> {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: &'static str,
    signatures: [WireSignature<'a>; 1],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    texts: BTreeMap<&'a str, WireText<'a>>,
}
#[derive(Serialize)]
struct WireSignature<'a> {
    keyid: &'a str,
    sig: String,
}
#[derive(Serialize)]
struct WireText<'a> {
    salt: String,
    body: &'a str,
}

fn shape(field: &str, detail: impl Into<String>, remedy: impl Into<String>) -> Refusal {
    Refusal::new(Reason::Shape, detail).at(field).remedy(remedy)
}
/// The object with all of `required` and nothing beside `optional`.
fn members<'a>(
    value: &'a Value,
    field: &str,
    required: &[&str],
    optional: &[&str],
) -> Result<&'a Map<String, Value>, Refusal> {
    let inside = |name: &str| {
        if field.is_empty() {
            name.to_owned()
        } else {
            format!("{field}.{name}")
        }
    };
    let all = [required, optional].concat().join(", ");
    let Some(object) = value.as_object() else {
        let detail = if field.is_empty() {
            "the message is not an object".to_owned()
        } else {
            format!("{field} is not an object")
        };
        let refusal =
            Refusal::new(Reason::Shape, detail).remedy(format!("send an object of {all}"));
        return Err(if field.is_empty() {
            refusal
        } else {
            refusal.at(field)
        });
    };
    if let Some(name) = required.iter().find(|name| !object.contains_key(**name)) {
        let name = inside(name);
        return Err(shape(&name, format!("{name} is missing"), "add it"));
    }
    let known =
        |name: &&String| required.contains(&name.as_str()) || optional.contains(&name.as_str());
    if let Some(name) = object.keys().find(|name| !known(name)) {
        let name = inside(name);
        let detail = format!("{name} is not a member of an envelope");
        return Err(shape(
            &name,
            detail,
            format!("leave it out; the members here are {all}"),
        ));
    }
    Ok(object)
}
fn string<'a>(object: &'a Map<String, Value>, name: &str, field: &str) -> Result<&'a str, Refusal> {
    object
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| shape(field, format!("{field} is not a string"), "write a string"))
}
fn either_base64(text: &str, field: &str) -> Result<Vec<u8>, Refusal> {
    encoding::from_base64_either(text).ok_or_else(|| {
        shape(
            field,
            format!("{field} is not canonical base64"),
            "pad it, use one alphabet, and leave no bits over in the last character",
        )
    })
}
fn parse_texts(texts: &Value) -> Result<BTreeMap<String, Text>, Refusal> {
    let Some(texts) = texts.as_object() else {
        return Err(shape(
            "texts",
            "texts is not an object",
            "write names with salt and body",
        ));
    };
    texts
        .iter()
        .map(|(name, text)| {
            let field = format!("texts.{name}");
            let text = members(text, &field, &["salt", "body"], &[])?;
            let salt_field = format!("{field}.salt");
            let salt = encoding::from_base64url(string(text, "salt", &salt_field)?)
                .and_then(|salt| salt.try_into().ok())
                .ok_or_else(|| {
                    shape(
                        &salt_field,
                        format!("{salt_field} is not 16 bytes as base64url without padding"),
                        "make 16 random bytes for each text",
                    )
                })?;
            let body = string(text, "body", &format!("{field}.body"))?.to_owned();
            Ok((name.clone(), Text { salt, body }))
        })
        .collect()
}
