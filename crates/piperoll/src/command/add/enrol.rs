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

    /// Registers a key; gives the record.
    pub(crate) async fn register(
        &mut self,
        enrolment: &Enrolment,
        grants: Grants,
        established: Option<&str>,
    ) -> Result<u64> {
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
        self.say(
            Some(enrolment.keyid()?),
            Content::KeyRegistered(registration),
            BTreeMap::new(),
        )
        .await
    }
    /// Registers a person's key, says what they are called, and gives them their roles; gives the registration's record.
    pub(crate) async fn enrol_person(
        &mut self,
        name: &str,
        email: Option<&str>,
        enrolment: &Enrolment,
        roles: &[PersonRole],
        established: Option<&str>,
    ) -> Result<u64> {
        let everything = owned(&["*"]);
        let grants = Grants {
            kinds: owned(PERSON_KINDS),
            services: everything.clone(),
            environments: everything,
        };
        let index = self.register(enrolment, grants, established).await?;
        self.describe(&enrolment.principal, name, email).await?;
        for role in roles {
            self.grant(&enrolment.principal, role).await?;
        }
        Ok(index)
    }
    pub(crate) async fn describe(
        &mut self,
        person: &Principal,
        name: &str,
        email: Option<&str>,
    ) -> Result<u64> {
        let mut texts = BTreeMap::from([("name".to_owned(), name.to_owned())]);
        texts.extend(email.map(|email| ("email".to_owned(), email.to_owned())));
        self.say(
            Some(person.to_string()),
            Content::PersonDescribed(Empty {}),
            texts,
        )
        .await
    }
    pub(crate) async fn grant(&mut self, person: &Principal, role: &PersonRole) -> Result<u64> {
        let content = RoleGranted {
            role: role.role.clone(),
            services: role.services.clone(),
            environments: role.environments.clone(),
        };
        self.say(
            Some(person.to_string()),
            Content::RoleGranted(content),
            BTreeMap::new(),
        )
        .await
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
        let texts = BTreeMap::from([("login".to_owned(), login.to_owned())]);
        self.say(
            Some(person.to_string()),
            Content::AccountLinked(content),
            texts,
        )
        .await
    }
    /// An enrolment counts when it is recorded, not before: whoever is enrolled acts next.
    async fn say(
        &mut self,
        subject: Option<String>,
        content: Content,
        texts: BTreeMap<String, String>,
    ) -> Result<u64> {
        let timestamp: Timestamp = self.emitter.now();
        let kind = content.kind();
        let draft = Draft {
            id: None,
            timestamp,
            subject,
            content,
            profile: Profile::default(),
            texts,
        };
        let sent = self.emitter.emit(draft, false).await?;
        if let Some(index) = sent.index() {
            return Ok(index);
        }
        sent.conclude(kind.name(), true)?;
        Err(Problem::new(
            Exit::NoAnswer,
            format!("{} is not recorded yet", kind.name()),
        ))
    }
}
pub(super) fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
