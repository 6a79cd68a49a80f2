//! Judging a message, in the order of `formats.md` section 8.
//!
//! Steps 1 and 2 ([`check`]) run ahead on all cores; steps 3 to 5 ([`judge`]) in order, each after the entries before it.

mod standing;

use std::sync::OnceLock;

use jiff::Timestamp;
use piperoll_tlog::Hash;

pub use crate::refusal::{Reason, Refusal};
use crate::{
    authority::{self, Authority, KeyPlace, Registration},
    envelope::{Envelope, Text},
    event::{Event, Payload},
    kind::{Content, Kind},
    leaf::Leaf,
    limits::{TEXT_BYTES_MAX, TEXTS_BYTES_MAX},
    time,
};

/// A message that passed step 1.
#[derive(Clone, Debug)]
pub struct Read {
    pub envelope: Envelope,
    pub payload: Payload,
    pub payload_hash: Hash,
    /// What the payload says, read at most once.
    event: OnceLock<Result<Event, Refusal>>,
}
impl Read {
    /// Step 4 as far as it needs no ledger.
    pub fn event(&self) -> Result<&Event, &Refusal> {
        self.event
            .get_or_init(|| Event::read(&self.payload))
            .as_ref()
    }
}
/// Step 1.
pub fn read(message: &[u8]) -> Result<Read, Refusal> {
    let envelope = Envelope::parse(message)?;
    let payload = Payload::parse(&envelope.payload)?;
    Ok(Read {
        payload_hash: envelope.payload_hash(),
        envelope,
        payload,
        event: OnceLock::new(),
    })
}

/// What steps 1 and 2 found out ahead.
#[derive(Clone, Debug)]
pub enum Checked {
    /// The signature holds under the key bytes of its keyid.
    Signed(Box<Read>),
    /// No entry so far registers the keyid: looked at again in order.
    KeyNotKnownYet(Box<Read>),
    Refused(Refusal),
}
/// Steps 1 and 2, against a state that may be older than the message's position (key bytes never change).
pub fn check(message: &[u8], authority: &Authority) -> Checked {
    let read = match read(message) {
        Ok(read) => Box::new(read),
        Err(refusal) => return Checked::Refused(refusal),
    };
    match authority.registration(&read.envelope.keyid) {
        None => Checked::KeyNotKnownYet(read),
        Some(registration) => match check_signature(&read, registration) {
            Ok(()) => {
                // Step 4 needs no order where it needs no ledger: done here, it is done on all cores.
                let _ = read.event();
                Checked::Signed(read)
            }
            Err(refusal) => Checked::Refused(refusal),
        },
    }
}
/// Step 2, and the texts, which are checked right after it.
fn check_signature(read: &Read, registration: &Registration) -> Result<(), Refusal> {
    if !registration.verifies(&read.envelope.pae(), &read.envelope.signature) {
        return Err(Refusal::new(
            Reason::BadSignature,
            format!(
                "the signature does not verify under the key {}",
                registration.keyid
            ),
        )
        .at("signatures[0].sig")
        .remedy("sign the exact payload bytes that are sent, with the key that keyid names"));
    }
    if read.payload.source != registration.principal.as_str() {
        return Err(Refusal::new(
            Reason::PrincipalNotKeys,
            format!(
                "source {:?} is not {}, whose key signed",
                read.payload.source, registration.principal
            ),
        )
        .at("context.source")
        .remedy(format!("write {:?}", registration.principal.as_str())));
    }
    check_texts(read)
}
/// The texts that came along are not too long, and each has its hash in the payload.
pub fn check_texts(read: &Read) -> Result<(), Refusal> {
    let texts = &read.envelope.texts;
    let too_large = |field: String, bytes: usize, most: usize| {
        Refusal::new(
            Reason::TooLarge,
            format!("{field}: {bytes} bytes, which is more than {most}"),
        )
        .at(field)
        .remedy("shorten it")
    };
    for (name, text) in texts {
        if text.body.len() > TEXT_BYTES_MAX {
            return Err(too_large(
                format!("texts.{name}"),
                text.body.len(),
                TEXT_BYTES_MAX,
            ));
        }
    }
    let all_bytes: usize = texts.values().map(|text| text.body.len()).sum();
    if all_bytes > TEXTS_BYTES_MAX {
        return Err(too_large("texts".to_owned(), all_bytes, TEXTS_BYTES_MAX));
    }
    for (name, text) in texts {
        if read.payload.text_hash(name) != Some(text.hash()) {
            return Err(Refusal::new(
                Reason::TextMismatch,
                format!("the text {name:?} does not match its hash in the payload"),
            )
            .at(format!("texts.{name}"))
            .remedy(
                "send the words and the salt that were hashed; the event itself may still be good",
            ));
        }
    }
    Ok(())
}

/// What is known of an event's (source, id) at this position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Known {
    pub index: u64,
    pub payload_hash: Hash,
}

/// What becomes of a message.
#[derive(Clone, Debug)]
pub enum Verdict {
    Recorded(Box<Recorded>),
    /// The same payload is entry `first`; `texts` are those that match and came along (the store keeps what was missing).
    Duplicate {
        first: u64,
        texts: Vec<(String, Text)>,
    },
    /// `first`: the entry that has the id, for an equivocation. `kept`: whether the event goes to the refused table.
    Refused {
        refusal: Refusal,
        read: Option<Box<Read>>,
        first: Option<u64>,
        kept: bool,
    },
}
/// An event that gets an index.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub event: Event,
    pub payload_hash: Hash,
    pub envelope: Envelope,
    pub key: KeyPlace,
    /// max(previous, stream time floored to milliseconds).
    pub recorded_at: Timestamp,
    /// The six lines.
    pub leaf: Vec<u8>,
}

/// Steps 2 (where the key was not known yet) to 5.
///
/// `index` is the one the event would get; `previous` the `recorded_at` of the entry before it (`None` for genesis);
/// `stream_time` the message's own; `known` what is recorded under its (source, id).
pub fn judge(
    checked: Checked,
    authority: &Authority,
    index: u64,
    previous: Option<Timestamp>,
    stream_time: Timestamp,
    known: Option<Known>,
) -> Verdict {
    let floored = time::floor_to_millis(stream_time);
    let recorded_at = previous.map_or(floored, |previous| previous.max(floored));
    let (read, is_checked) = match checked {
        Checked::Refused(refusal) => return junk(refusal, None),
        Checked::Signed(read) => (read, true),
        Checked::KeyNotKnownYet(read) => (read, false),
    };
    let registration = match registration_of(&read, authority, index) {
        Ok(registration) => registration,
        Err(refusal) => return junk(refusal, Some(read)),
    };
    if !is_checked && let Err(refusal) = check_signature(&read, &registration) {
        return junk(refusal, Some(read));
    }
    if let Some(known) = known {
        return once(read, known);
    }
    let judged = read
        .event()
        .map_err(Clone::clone)
        .and_then(|event| standing::check(event, &registration, authority, recorded_at));
    match judged {
        Ok(()) => Verdict::Recorded(Box::new(record(*read, &registration, recorded_at))),
        Err(refusal) => Verdict::Refused {
            refusal,
            read: Some(read),
            first: None,
            kept: true,
        },
    }
}
fn junk(refusal: Refusal, read: Option<Box<Read>>) -> Verdict {
    Verdict::Refused {
        refusal,
        read,
        first: None,
        kept: false,
    }
}
/// Step 3.
fn once(read: Box<Read>, known: Known) -> Verdict {
    if known.payload_hash == read.payload_hash {
        return Verdict::Duplicate {
            first: known.index,
            texts: read.envelope.texts.into_iter().collect(),
        };
    }
    let refusal = Refusal::new(
        Reason::Equivocation,
        format!(
            "entry {} has the same source and id with other content",
            known.index
        ),
    )
    .at("context.id")
    .remedy("give every event an id of its own; what is recorded stays as it is");
    Verdict::Refused {
        refusal,
        read: Some(read),
        first: Some(known.index),
        kept: true,
    }
}
/// The registration of the key that signed; genesis brings its own.
fn registration_of(
    read: &Read,
    authority: &Authority,
    index: u64,
) -> Result<Registration, Refusal> {
    let keyid = &read.envelope.keyid;
    if let Some(registration) = authority.registration(keyid) {
        return Ok(registration.clone());
    }
    let unknown = || Refusal::unknown_key(keyid);
    if authority.genesis().is_some() || read.payload.type_name != Kind::LedgerCreated.type_name() {
        return Err(unknown());
    }
    let event = read.event().map_err(Clone::clone)?;
    let Content::LedgerCreated(content) = &event.content else {
        return Err(unknown());
    };
    // Event::read made sure that the first key is the event key and that every key is admissible.
    authority::genesis_registration(index, content, 0)
        .ok()
        .filter(|registration| registration.keyid == *keyid)
        .ok_or_else(unknown)
}
fn record(read: Read, registration: &Registration, recorded_at: Timestamp) -> Recorded {
    let event = read
        .event
        .into_inner()
        .and_then(Result::ok)
        .expect("an event was read before it was judged");
    let leaf = Leaf {
        recorded_at,
        payload_hash: read.payload_hash,
        key: registration.place,
        scheme: registration.scheme,
        signature: read.envelope.signature.clone(),
    };
    Recorded {
        event,
        payload_hash: read.payload_hash,
        key: registration.place,
        recorded_at,
        leaf: leaf.to_bytes(),
        envelope: read.envelope,
    }
}
