//! An event before it is signed, and signing it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use piperoll_tlog::key::SecretKey;

use crate::{envelope::Envelope, event::Profile, kind::Content, name::Principal};

/// Fills a buffer with random bytes; the rim passes the operating system's.
pub type Entropy<'a> = &'a mut dyn FnMut(&mut [u8]);

/// What an emitter wants to say. `profile.salt` and `profile.texts` are filled in by signing.
#[derive(Clone, Debug)]
pub struct Draft {
    /// `context.id`; `None` makes a UUIDv7 of `timestamp`. Bridges and tests give their own.
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
        _source: &Principal,
        _entropy: Entropy<'_>,
    ) -> (Vec<u8>, BTreeMap<String, crate::envelope::Text>) {
        todo!()
    }
    /// Signs with scheme `ed25519`. The result passed our own reading (`Event::read`), so that a wrong event is found before it is sent.
    pub fn sign(
        &self,
        _source: &Principal,
        _key: &SecretKey,
        _entropy: Entropy<'_>,
    ) -> Result<Envelope, crate::judge::Refusal> {
        todo!()
    }
}
/// Signs payload bytes as they are.
pub fn sign_payload(
    _payload: Vec<u8>,
    _texts: BTreeMap<String, crate::envelope::Text>,
    _key: &SecretKey,
) -> Envelope {
    todo!()
}
/// A UUIDv7 of `at` whose 74 random bits come from the given 10 bytes.
pub fn uuid_v7(_at: Timestamp, _random: [u8; 10]) -> String {
    todo!()
}
/// `context.id` of a relayed event (`formats.md` section 10).
pub fn relayed_id(_source: &Principal, _at: Timestamp, _dedupe_key: &str, _ordinal: u32) -> String {
    todo!()
}
