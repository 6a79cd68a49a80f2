//! What an administrator says of others: registrations, names, accounts, roles. The demo says the same through the same functions.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use piperoll_core::{
    authority::Grants,
    draft::Draft,
    event::Profile,
    kind::{AccountLinked, Content, Empty, RoleGranted},
    name::{LedgerId, Principal},
};
use piperoll_server::clock;

use crate::{
    dispatch::Dispatch,
    emitter::Emitter,
    exit::{Exit, Problem, Result},
    keys::{Enrolment, Signer},
};

/// What a pipeline usually says.
pub(crate) const PIPELINE_KINDS: &[&str] = &[
    "deployment.*",
    "rollback.*",
    "service.*",
    "bundle.defined",
    "artifact.published",
    "approval.created",
    "override.declared",
];
/// What a person may say: ask, decide, override, roll back, open and close incidents.
const PERSON_KINDS: &[&str] = &[
    "approval.*",
    "override.declared",
    "rollback.*",
    "incident.*",
];

/// A role somebody holds; without services or environments it holds for all of them.
#[derive(Clone, Debug)]
pub(crate) struct PersonRole {
    pub role: String,
    pub services: Option<Vec<String>>,
    pub environments: Option<Vec<String>>,
}
impl PersonRole {
    /// Each role, narrowed to the same services and environments.
    pub(crate) fn all(roles: &[String], services: &[String], environments: &[String]) -> Vec<Self> {
        let narrowed = |names: &[String]| (!names.is_empty()).then(|| names.to_vec());
        roles
            .iter()
            .map(|role| Self {
                role: role.clone(),
                services: narrowed(services),
                environments: narrowed(environments),
            })
            .collect()
    }
}

/// What an administrator says of somebody, before it is signed.
struct Saying {
    subject: String,
    content: Content,
    texts: BTreeMap<String, String>,
}
impl Saying {
    fn draft(&self, timestamp: Timestamp) -> Draft {
        Draft {
            id: None,
            timestamp,
            subject: Some(self.subject.clone()),
            content: self.content.clone(),
            profile: Profile::default(),
            texts: self.texts.clone(),
        }
    }
}
/// How far an enrolment has come.
pub(crate) enum Enrolled {
    At(u64),
    /// Signed and kept, and not recorded yet; the problem says why.
    Waiting(Problem),
}
impl Enrolled {
    /// The record, for who can do nothing before there is one.
    pub(crate) fn recorded(self) -> Result<u64> {
        match self {
            Self::At(index) => Ok(index),
            Self::Waiting(problem) => Err(problem),
        }
    }
}

/// An administrator at a ledger that answers.
pub(crate) struct Administrator {
    emitter: Emitter,
}
impl Administrator {
    pub(crate) fn new(dispatch: Dispatch, signer: Signer) -> Self {
        Self::with_clock(dispatch, signer, Arc::new(clock::System))
    }
    pub(crate) fn with_clock(dispatch: Dispatch, signer: Signer, clock: clock::Shared) -> Self {
        Self {
            emitter: Emitter::new(dispatch, signer, clock),
        }
    }
    pub(crate) fn ledger(&self) -> LedgerId {
        self.emitter.ledger()
    }
    pub(crate) fn principal(&self) -> &Principal {
        &self.emitter.signer().principal
    }

    /// Registers a key.
    pub(crate) async fn register(
        &mut self,
        enrolment: &Enrolment,
        grants: Grants,
        established: Option<&str>,
    ) -> Result<Enrolled> {
        let registration = self.registration(enrolment, grants, established)?;
        self.say(registration).await
    }
    /// Whether a key could be registered so; nothing is said yet.
    pub(crate) fn check(&mut self, enrolment: &Enrolment, grants: Grants) -> Result {
        let registration = self.registration(enrolment, grants, None)?;
        let draft = registration.draft(self.emitter.now());
        self.emitter.check(draft)
    }
    fn registration(
        &self,
        enrolment: &Enrolment,
        grants: Grants,
        established: Option<&str>,
    ) -> Result<Saying> {
        if enrolment.ledger != self.ledger().0.to_hex() {
            return Err(Problem::usage(format!(
                "the enrolment is for another ledger, {}",
                enrolment.ledger
            ))
            .hint(format!(
                "this one is {}; its owner makes another with: piperoll key new NAME --ledger {}",
                self.ledger().0,
                self.ledger().0
            )));
        }
        let mut registration = enrolment.registration(Some(grants));
        registration.established = established.map(str::to_owned);
        Ok(Saying {
            subject: enrolment.keyid()?,
            content: Content::KeyRegistered(registration),
            texts: BTreeMap::new(),
        })
    }
    /// Registers a person's key, says what they are called, and gives them their roles; gives the registration's record. Nothing is
    /// said unless all of it can be.
    pub(crate) async fn enrol_person(
        &mut self,
        name: &str,
        email: Option<&str>,
        enrolment: &Enrolment,
        roles: &[PersonRole],
        established: Option<&str>,
    ) -> Result<u64> {
        enrolment.must_be_of_a_person()?;
        let everything = owned(&["*"]);
        let grants = Grants {
            kinds: owned(PERSON_KINDS),
            services: everything.clone(),
            environments: everything,
        };
        let person = &enrolment.principal;
        let mut sayings = vec![
            self.registration(enrolment, grants, established)?,
            description(person, name, email),
        ];
        sayings.extend(roles.iter().map(|role| grant(person, role)));
        for saying in &sayings {
            let draft = saying.draft(self.emitter.now());
            self.emitter.check(draft)?;
        }
        let mut indexes = Vec::new();
        for saying in sayings {
            indexes.push(self.say(saying).await?.recorded()?);
        }
        Ok(indexes[0])
    }
    pub(crate) async fn describe(
        &mut self,
        person: &Principal,
        name: &str,
        email: Option<&str>,
    ) -> Result<u64> {
        self.say(description(person, name, email)).await?.recorded()
    }
    /// Says that an account at another system is this person's.
    pub(crate) async fn link(
        &mut self,
        person: &Principal,
        account: &str,
        system: &str,
        login: &str,
    ) -> Result<u64> {
        let content = AccountLinked {
            account: account.to_owned(),
            system: system.to_owned(),
        };
        let saying = Saying {
            subject: person.to_string(),
            content: Content::AccountLinked(content),
            texts: BTreeMap::from([("login".to_owned(), login.to_owned())]),
        };
        self.say(saying).await?.recorded()
    }
    /// An enrolment counts when it is recorded, not before: whoever is enrolled acts next.
    async fn say(&mut self, saying: Saying) -> Result<Enrolled> {
        let kind = saying.content.kind();
        let draft = saying.draft(self.emitter.now());
        let sent = self.emitter.emit(draft, false).await?;
        if let Some(index) = sent.index() {
            return Ok(Enrolled::At(index));
        }
        match sent.conclude(kind.name(), true) {
            Err(problem) if sent.is_waiting() => Ok(Enrolled::Waiting(problem)),
            Err(problem) => Err(problem),
            Ok(()) => Err(Problem::new(
                Exit::NoAnswer,
                format!("{} is not recorded yet", kind.name()),
            )),
        }
    }
}
fn description(person: &Principal, name: &str, email: Option<&str>) -> Saying {
    let mut texts = BTreeMap::from([("name".to_owned(), name.to_owned())]);
    texts.extend(email.map(|email| ("email".to_owned(), email.to_owned())));
    Saying {
        subject: person.to_string(),
        content: Content::PersonDescribed(Empty {}),
        texts,
    }
}
fn grant(person: &Principal, role: &PersonRole) -> Saying {
    let content = RoleGranted {
        role: role.role.clone(),
        services: role.services.clone(),
        environments: role.environments.clone(),
    };
    Saying {
        subject: person.to_string(),
        content: Content::RoleGranted(content),
        texts: BTreeMap::new(),
    }
}
pub(super) fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
