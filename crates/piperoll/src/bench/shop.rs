//! What the events say: merge requests of a dozen services, each proposed, reviewed, merged, built, tried in staging, asked for,
//! approved by two people and brought to production; now and then an alert, an incident, a rollback, an override. In the proportions
//! of the demo's week.
//!
//! Each change is made apart from the others, so that all cores can sign; what it refers to follows from its number.

mod drafts;
mod week;

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use piperoll_core::{
    Hash, authority,
    event::{Bind, Digest, Seen},
    kind::Repository,
    name::LedgerId,
};
use piperoll_tlog::{hash, key::PublicKey};

use super::emitters::Emitters;
use week::Week;

const SERVICES: [&str; 12] = [
    "checkout",
    "payments",
    "catalogue",
    "search",
    "accounts",
    "basket",
    "mailer",
    "stock",
    "returns",
    "reviews",
    "vouchers",
    "delivery-times",
];
const STAGING: &str = "staging";
const PRODUCTION: &str = "production";
/// Everybody and everything that events speak of.
pub(super) struct Shop {
    emitters: Emitters,
    keys: HashMap<String, PublicKey>,
    ledger: LedgerId,
    seen: Seen,
    begun: Timestamp,
}
impl Shop {
    /// A shop whose life begins a week before `now`.
    pub(super) fn new(
        emitters: Emitters,
        ledger: LedgerId,
        seen: Seen,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let keys = emitters
            .all()
            .map(|emitter| {
                let keyid = authority::keyid(emitter.public.as_bytes());
                (keyid, emitter.public.clone())
            })
            .collect();
        Ok(Self {
            emitters,
            keys,
            ledger,
            seen,
            begun: now.checked_sub(SignedDuration::from_hours(24 * 7))?,
        })
    }
    /// An emitter's public key, by its id.
    pub(super) fn key(&self, keyid: &str) -> Option<&PublicKey> {
        self.keys.get(keyid)
    }
    /// All events of the change with this number, signed, in the order in which they happened.
    pub(super) fn change(&self, number: u64) -> anyhow::Result<Vec<String>> {
        Week::new(self, number)?.whole()
    }
}

/// A merge request; all names and digests follow from its number.
struct Change {
    number: u64,
    service: &'static str,
    /// Of the merge request in its repository, from 100 on.
    request: u64,
}
impl Change {
    fn new(number: u64) -> Self {
        let services = SERVICES.len() as u64;
        let service = usize::try_from(number % services).expect("below twelve");
        Self {
            number,
            service: SERVICES[service],
            request: 100 + number / services,
        }
    }
    fn repository(&self) -> Repository {
        Repository {
            id: format!("acme/{}", self.service),
            source: "https://github.com".to_owned(),
        }
    }
    fn id(&self) -> String {
        format!("github:acme/{}#{}", self.service, self.request)
    }
    fn ticket(&self) -> String {
        format!("ticket:SHOP-{}", 1_000 + self.number)
    }
    fn hash(&self, what: &str, request: u64) -> Hash {
        hash::sha256(format!("{what} {} {request}", self.service).as_bytes())
    }
    fn commit(&self, what: &str, request: u64) -> String {
        self.hash(what, request).to_hex()[..40].to_owned()
    }
    fn head(&self) -> String {
        self.commit("head", self.request)
    }
    fn merge(&self) -> String {
        self.commit("merge", self.request)
    }
    /// The merge commit of the merge request before it, from which the branch goes on.
    fn before(&self) -> String {
        self.commit("merge", self.request - 1)
    }
    fn image(&self) -> Hash {
        self.hash("image", self.request)
    }
    fn image_before(&self) -> Hash {
        self.hash("image", self.request - 1)
    }
    fn title(&self) -> String {
        format!(
            "Ask for the postcode before the address, part {} of what {} needs",
            self.request, self.service
        )
    }
    /// `run:<url without scheme>`
    fn run(&self, environment: &str) -> String {
        let which = match environment {
            STAGING => 0,
            PRODUCTION => 1,
            _ => 2,
        };
        let run = 1_000_000 + self.number * 3 + which;
        format!(
            "run:github.com/acme/{}/actions/runs/{run}/attempts/1",
            self.service
        )
    }
    /// Whether something happens to this change that happens to one of `many`.
    fn is_one_of(&self, many: u64) -> bool {
        self.number % many == many - 1
    }
}
fn commit_bind(name: &str, commit: String) -> Bind {
    Bind {
        name: name.to_owned(),
        digest: Digest::GitCommit(commit),
    }
}
fn image_bind(image: Hash) -> Bind {
    Bind {
        name: "image".to_owned(),
        digest: Digest::Sha256(image),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use piperoll_core::{envelope::Envelope, event::Payload, kind::Kind};

    use super::*;

    fn shop() -> Shop {
        let seen = Seen {
            size: 1,
            root: Hash([1; 32]),
        };
        let now = "2026-11-14T13:05:00Z".parse().unwrap();
        Shop::new(Emitters::new().unwrap(), LedgerId(Hash([2; 32])), seen, now).unwrap()
    }
    fn payloads(shop: &Shop, changes: u64) -> Vec<Vec<u8>> {
        let messages = (0..changes).flat_map(|number| shop.change(number).unwrap());
        messages
            .map(|message| Envelope::parse(message.as_bytes()).unwrap().payload)
            .collect()
    }

    #[test]
    fn payloads_have_600_to_1200_bytes() {
        for payload in payloads(&shop(), 48) {
            let text = String::from_utf8_lossy(&payload);
            assert!(
                (600..=1200).contains(&payload.len()),
                "{} bytes: {text}",
                payload.len()
            );
        }
    }

    #[test]
    fn a_shops_life_has_every_kind_that_the_demos_week_has() {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let payloads = payloads(&shop(), 48);
        for payload in &payloads {
            let kind = Kind::from_type(&Payload::parse(payload).unwrap().type_name).unwrap();
            *counts.entry(kind.name().to_owned()).or_default() += 1;
        }
        for (kind, in_48_changes) in [
            ("change.created", 48),
            ("change.updated", 24),
            ("change.merged", 48),
            ("branch.pushed", 48),
            ("approval.created", 48),
            ("approval.updated", 48 + 45),
            ("override.declared", 3),
            ("deployment.finished", 96),
            ("rollback.finished", 6),
            ("service.deployed", 16),
            ("alert.fired", 12),
            ("incident.resolved", 6),
        ] {
            assert_eq!(counts.get(kind), Some(&in_48_changes), "{kind}: {counts:?}");
        }
    }

    #[test]
    fn every_key_that_signs_is_known() {
        let shop = shop();
        assert_eq!(shop.emitters.all().count(), super::super::emitters::COUNT);
        for message in shop.change(7).unwrap() {
            let envelope = Envelope::parse(message.as_bytes()).unwrap();
            let key = shop.key(&envelope.keyid).unwrap();
            assert!(key.verifies(&envelope.pae(), &envelope.signature));
        }
    }
}
