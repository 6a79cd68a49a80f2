//! Who may say what at a position: registered keys, their grants, and roles, all folded from entries (`formats.md` section 7).
//!
//! The state holds immutable key bytes, so that signatures can be checked ahead on all cores; who may use a key is judged in order.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use piperoll_tlog::{
    encoding, hash,
    key::{KeyError, PublicKey},
};

pub use crate::key::{Grants, KeyPlace, Purpose, Scheme, keyid, possession_message};
use crate::{
    event::Event,
    kind::{Content, KeyRegistered, Kind, LedgerCreated},
    name::{InvalidName, LedgerId, Origin, Principal, PrincipalKind},
    time,
};

/// A registration in force.
#[derive(Clone, Debug)]
pub struct Registration {
    pub place: KeyPlace,
    pub keyid: String,
    pub key: PublicKey,
    pub scheme: Scheme,
    pub principal: Principal,
    pub purpose: Purpose,
    pub grants: Grants,
    pub until: Option<Timestamp>,
}
impl Registration {
    /// Whether `signature` by this key holds over `pae`, in the registration's own scheme.
    pub fn verifies(&self, pae: &[u8], signature: &[u8]) -> bool {
        self.scheme.verifies(&self.key, pae, signature)
    }
    /// A key is live while `recorded_at` is earlier than its end.
    pub fn is_live(&self, recorded_at: Timestamp) -> bool {
        self.until.is_none_or(|until| recorded_at < until)
    }
}
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Role {
    pub role: String,
    /// `None` means all.
    pub services: Option<Vec<String>>,
    pub environments: Option<Vec<String>>,
}

impl Role {
    /// Whether it holds where these are named; what is not named is not asked.
    fn covers(&self, service: Option<&str>, environment: Option<&str>) -> bool {
        let covers = |patterns: &Option<Vec<String>>, name: Option<&str>| match (patterns, name) {
            (None, _) | (_, None) => true,
            (Some(patterns), Some(name)) => Grants::covers(patterns, name),
        };
        covers(&self.services, service) && covers(&self.environments, environment)
    }
}

/// All keys and roles at a position. Clone is cheap (shared until changed).
#[derive(Clone, Debug, Default)]
pub struct Authority(Arc<State>);
#[derive(Clone, Debug, Default)]
struct State {
    genesis: Option<Arc<Genesis>>,
    /// By keyid; the registration in force.
    registrations: BTreeMap<String, Arc<Registration>>,
    roles: BTreeMap<Principal, Vec<Role>>,
}

/// An entry that cannot have been judged by these rules: the ledger was altered, or written by another admission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {index} cannot be taken in: {what}")]
pub struct Corrupt {
    pub index: u64,
    pub what: String,
}

impl Authority {
    /// Before entry 0.
    pub fn new() -> Self {
        Self::default()
    }
    /// The ledger's id and what genesis says; `None` before entry 0.
    pub fn genesis(&self) -> Option<&Genesis> {
        self.0.genesis.as_deref()
    }
    pub fn registration(&self, keyid: &str) -> Option<&Registration> {
        self.0.registrations.get(keyid).map(Arc::as_ref)
    }
    /// In the order of their keyids.
    pub fn registrations(&self) -> impl Iterator<Item = &Registration> {
        self.0.registrations.values().map(Arc::as_ref)
    }
    pub fn roles(&self, person: &Principal) -> &[Role] {
        self.0.roles.get(person).map_or(&[], Vec::as_slice)
    }
    /// Whether `person` holds `role` for this service and environment; one that is `None` is not asked.
    pub fn holds(
        &self,
        person: &Principal,
        role: &str,
        service: Option<&str>,
        environment: Option<&str>,
    ) -> bool {
        self.roles(person)
            .iter()
            .any(|held| held.role == role && held.covers(service, environment))
    }
    /// Takes in a recorded event. Only the kinds of [`Authority::concerns`] change anything. `leaf` is the entry's six lines.
    ///
    /// Fails only for an event that [`crate::judge::judge`] would not have recorded; nothing has changed then.
    pub fn apply(&mut self, index: u64, leaf: &[u8], event: &Event) -> Result<(), Corrupt> {
        let corrupt = |what: String| Corrupt { index, what };
        match &event.content {
            Content::LedgerCreated(content) => {
                let genesis = Genesis::read(leaf, content).map_err(corrupt)?;
                let registrations = content
                    .keys
                    .iter()
                    .enumerate()
                    .map(|(at, _)| genesis_registration(index, content, at))
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(|error| corrupt(error.to_string()))?;
                let state = Arc::make_mut(&mut self.0);
                state.genesis = Some(Arc::new(genesis));
                for registration in registrations {
                    state
                        .registrations
                        .insert(registration.keyid.clone(), Arc::new(registration));
                }
            }
            Content::KeyRegistered(content) => {
                let registration = registration(index, content).map_err(corrupt)?;
                Arc::make_mut(&mut self.0)
                    .registrations
                    .insert(registration.keyid.clone(), Arc::new(registration));
            }
            Content::RoleGranted(content) => {
                let person =
                    Principal::parse(&event.subject).map_err(|error| corrupt(error.to_string()))?;
                let role = Role {
                    role: content.role.clone(),
                    services: content.services.clone(),
                    environments: content.environments.clone(),
                };
                Arc::make_mut(&mut self.0)
                    .roles
                    .entry(person)
                    .or_default()
                    .push(role);
            }
            _ => {}
        }
        Ok(())
    }
    /// The kinds that must be applied, in order of index, to rebuild the state at start.
    pub fn concerns(kind: Kind) -> bool {
        matches!(
            kind,
            Kind::LedgerCreated | Kind::KeyRegistered | Kind::RoleGranted
        )
    }
}

/// What entry 0 says.
#[derive(Clone, Debug)]
pub struct Genesis {
    pub ledger: LedgerId,
    pub origin: Origin,
    pub admission: u32,
    pub checkpoint_key: PublicKey,
    pub event_keyid: String,
}
impl Genesis {
    fn read(leaf: &[u8], content: &LedgerCreated) -> Result<Self, String> {
        let [event_key, checkpoint_key, ..] = content.keys.as_slice() else {
            return Err("it lists no event key and no checkpoint key".to_owned());
        };
        let key = |key: &str| admit(key).map_err(|error| error.to_string());
        Ok(Self {
            ledger: LedgerId(hash::sha256(leaf)),
            origin: Origin::parse(&content.origin)
                .map_err(|error: InvalidName| error.to_string())?,
            admission: content.admission,
            checkpoint_key: key(&checkpoint_key.key)?,
            event_keyid: keyid(key(&event_key.key)?.as_bytes()),
        })
    }
    /// The URN of the ledger itself.
    pub fn principal(&self) -> Principal {
        Principal::named(PrincipalKind::Ledger, self.origin.slug())
            .expect("an origin ends in a ledger's slug")
    }
}

fn admit(base64: &str) -> Result<PublicKey, KeyError> {
    PublicKey::admit(&encoding::from_base64(base64).unwrap_or_default())
}
/// The key at `at` of a genesis event, which is recorded at `index` (or would be).
pub(crate) fn genesis_registration(
    index: u64,
    content: &LedgerCreated,
    at: usize,
) -> Result<Registration, KeyError> {
    let listed = &content.keys[at];
    let key = admit(&listed.key)?;
    Ok(Registration {
        place: KeyPlace {
            index,
            ordinal: u32::try_from(at).expect("a genesis lists few keys"),
        },
        keyid: keyid(key.as_bytes()),
        key,
        scheme: listed.scheme,
        principal: listed.principal.clone(),
        purpose: listed.purpose,
        grants: Grants::default(),
        until: None,
    })
}
fn registration(index: u64, content: &KeyRegistered) -> Result<Registration, String> {
    let key = admit(&content.key).map_err(|error| error.to_string())?;
    let until = match &content.until {
        None => None,
        Some(text) => Some(time::parse(text).ok_or("its end is not a time")?),
    };
    Ok(Registration {
        place: KeyPlace { index, ordinal: 0 },
        keyid: keyid(key.as_bytes()),
        key,
        scheme: content.scheme,
        principal: content.principal.clone(),
        purpose: content.purpose,
        grants: content.grants.clone().unwrap_or_default(),
        until,
    })
}
