//! An event before it is signed, and signing it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use piperoll_tlog::{hash, key::SecretKey};
use serde::Serialize;

use crate::{
    envelope::{self, Envelope, PAYLOAD_TYPE, Text},
    event::Profile,
    judge,
    key::keyid,
    kind::Content,
    name::Principal,
    refusal::Refusal,
};

/// Fills a buffer with random bytes; the rim passes the operating system's.
pub type Entropy<'a> = &'a mut dyn FnMut(&mut [u8]);

/// What an emitter wants to say. `profile.salt` and `profile.texts` are filled in by signing.
#[derive(Clone, Debug)]
pub struct Draft {
    /// `context.id`; `None` makes a `UUIDv7` of `timestamp`. Bridges and tests give their own.
    pub id: Option<String>,
    pub timestamp: Timestamp,
    /// `None` where the subject is the event's own `context.id` (`approval.created`, `override.declared`).
    pub subject: Option<String>,
    pub content: Content,
    pub profile: Profile,
    /// Name to words.
    pub texts: BTreeMap<String, String>,
}
impl Draft {
    /// The payload bytes and the texts beside them, unsigned; for showing what will be signed.
    pub fn payload(
        &self,
        source: &Principal,
        entropy: Entropy<'_>,
    ) -> (Vec<u8>, BTreeMap<String, Text>) {
        let id = self.id.clone().unwrap_or_else(|| {
            let mut random = [0; 10];
            entropy(&mut random);
            uuid_v7(self.timestamp, random)
        });
        let texts: BTreeMap<String, Text> = self
            .texts
            .iter()
            .map(|(name, body)| {
                let text = Text {
                    salt: salt(entropy),
                    body: body.clone(),
                };
                (name.clone(), text)
            })
            .collect();
        let profile = Profile {
            salt: salt(entropy),
            texts: texts
                .iter()
                .map(|(name, text)| (name.clone(), text.hash()))
                .collect(),
            ..self.profile.clone()
        };
        let kind = self.content.kind();
        let wire = Wire {
            context: WireContext {
                specversion: kind.specversion(),
                id: &id,
                source: source.as_str(),
                type_name: kind.type_name(),
                timestamp: self.timestamp.to_string(),
            },
            subject: WireSubject {
                id: self.subject.as_deref().unwrap_or(&id),
                content: &self.content,
            },
            custom_data: WireCustomData { piperoll: &profile },
        };
        let payload = serde_json::to_vec(&wire).expect("only strings, integers, lists and maps");
        (payload, texts)
    }
    /// Signs with scheme `ed25519`. The result passed our own reading (`Event::read`), so that a wrong event is found before it is sent.
    pub fn sign(
        &self,
        source: &Principal,
        key: &SecretKey,
        entropy: Entropy<'_>,
    ) -> Result<Envelope, Refusal> {
        let (payload, texts) = self.payload(source, entropy);
        let envelope = sign_payload(payload, texts, key);
        let read = judge::read(envelope.to_json().as_bytes())?;
        judge::check_texts(&read)?;
        read.event().map_err(Clone::clone)?;
        Ok(envelope)
    }
}
/// Signs payload bytes as they are.
pub fn sign_payload(payload: Vec<u8>, texts: BTreeMap<String, Text>, key: &SecretKey) -> Envelope {
    let signature = key.sign(&envelope::pae(PAYLOAD_TYPE, &payload));
    Envelope {
        payload,
        keyid: keyid(key.public().as_bytes()),
        signature: signature.to_vec(),
        texts,
    }
}
/// A `UUIDv7` of `at` whose 74 random bits come from the given 10 bytes.
pub fn uuid_v7(at: Timestamp, random: [u8; 10]) -> String {
    // A moment before 1970 has no UUIDv7; the first one that exists stands for it.
    let milliseconds = u64::try_from(at.as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &random)
        .into_uuid()
        .to_string()
}
/// `context.id` of a relayed event (`formats.md` section 10).
pub fn relayed_id(source: &Principal, at: Timestamp, dedupe_key: &str, ordinal: u32) -> String {
    let digest = hash::sha256(format!("{source}\n{dedupe_key}\n{ordinal}").as_bytes());
    let mut random = [0; 10];
    random.copy_from_slice(&digest.as_bytes()[..10]);
    uuid_v7(at, random)
}

fn salt(entropy: Entropy<'_>) -> [u8; 16] {
    let mut salt = [0; 16];
    entropy(&mut salt);
    salt
}

#[derive(Serialize)]
struct Wire<'a> {
    context: WireContext<'a>,
    subject: WireSubject<'a>,
    #[serde(rename = "customData")]
    custom_data: WireCustomData<'a>,
}
#[derive(Serialize)]
struct WireContext<'a> {
    specversion: &'static str,
    id: &'a str,
    source: &'a str,
    #[serde(rename = "type")]
    type_name: String,
    timestamp: String,
}
#[derive(Serialize)]
struct WireSubject<'a> {
    id: &'a str,
    content: &'a Content,
}
#[derive(Serialize)]
struct WireCustomData<'a> {
    piperoll: &'a Profile,
}
