//! Before the week begins: the administrator enrols bridges, pipelines and people, with what `piperoll add` does.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use piperoll_core::{
    authority::{Grants, Purpose},
    event::Event,
    kind::Custody,
    name::{Principal, PrincipalKind},
};
use piperoll_server::{
    bridges::config::{Alertmanager, Config, Github, Labels, Names},
    clock,
};
use serde_json::Value;

use super::{Player, Secrets};
use crate::{
    command::add::{Administrator, PIPELINE_KINDS, PersonRole, bridge},
    demo::story::{self, ADMINISTRATOR, PEOPLE, PIPELINES, Person},
    exit::{Problem, Result},
    keys::{self, Enrolment, Signer},
    rim,
};

/// Between two enrolments.
const PAUSE: SignedDuration = SignedDuration::from_mins(2);
const MACHINE: &str = "administrator";

impl Player {
    pub(super) async fn enrol_everybody(&mut self) -> Result {
        let (day, clock) = story::FOUNDED;
        let founded = self.week.at(day, clock);
        self.clock.set(founded);
        let mut administrator = self.administrator().await?;
        let person = administrator.principal().clone();
        self.later();
        administrator
            .describe(&person, ADMINISTRATOR, Some("mara@acme.example"))
            .await?;
        self.recorded(1).await?;
        self.enrol_bridges(&mut administrator).await?;
        for pipeline in &PIPELINES {
            self.later();
            let principal = Principal::named(PrincipalKind::Pipeline, pipeline.name)
                .map_err(anyhow::Error::from)?;
            let signer = Signer::generate(principal);
            keys::write_new(&self.layout.key(pipeline.name), &signer)?;
            let grants = Grants {
                kinds: owned(PIPELINE_KINDS),
                services: owned(pipeline.services),
                environments: owned(&["staging", "production"]),
            };
            let enrolment =
                Enrolment::new(&signer, Purpose::EventPipeline, Custody::File, &self.ledger);
            administrator
                .register(&enrolment, grants, None)
                .await?
                .recorded()?;
            self.recorded(1).await?;
        }
        for person in &PEOPLE {
            self.enrol_person(&mut administrator, person).await?;
        }
        Ok(())
    }
    async fn administrator(&self) -> Result<Administrator> {
        let signer = keys::read_file(&self.layout.data.join("keys").join("admin"))?;
        let clock = Arc::clone(&self.clock) as clock::Shared;
        Ok(Administrator::with_clock(
            self.dispatch(MACHINE).await?,
            signer,
            clock,
        ))
    }
    async fn enrol_bridges(&mut self, administrator: &mut Administrator) -> Result {
        self.secrets = Secrets {
            github: bridge::new_secret(),
            alertmanager: bridge::new_secret(),
        };
        let github = Config::Github(Github {
            secret: self.secrets.github.clone(),
            services: Names::new(),
            environments: Names::new(),
        });
        let alertmanager = Config::Alertmanager(Alertmanager {
            token: self.secrets.alertmanager.clone(),
            labels: Labels::default(),
            services: Names::new(),
            environments: Names::new(),
        });
        for (system, config) in [
            (bridge::System::Github, github),
            (bridge::System::Alertmanager, alertmanager),
        ] {
            self.later();
            bridge::add(
                administrator,
                &self.layout.data,
                system.name(),
                system,
                &config,
            )
            .await?;
            self.recorded(1).await?;
        }
        Ok(())
    }
    /// The person makes the key on their own machine; the administrator sees the enrolment alone.
    async fn enrol_person(&mut self, administrator: &mut Administrator, person: &Person) -> Result {
        self.later();
        let signer = Signer::generate(Principal::person(rim::random()));
        keys::write_new(&self.layout.key(person.key), &signer)?;
        let enrolment = Enrolment::new(&signer, Purpose::EventPerson, Custody::File, &self.ledger);
        let roles = PersonRole::all(&owned(person.roles), &[], &[]);
        administrator
            .enrol_person(
                person.name,
                Some(person.email),
                &enrolment,
                &roles,
                Some("seen in person"),
            )
            .await?;
        // The key, the name, and each role.
        self.recorded(2 + roles.len() as u64).await
    }
    fn later(&self) {
        let now: Timestamp = clock::Clock::now(&*self.clock);
        self.clock.set(now.saturating_add(PAUSE).unwrap_or(now));
    }

    /// Links the account behind the latest webhook to its person, the first time it is seen.
    pub(super) async fn link_once(&mut self, person: &'static Person) -> Result {
        let Some((login, _)) = person
            .login
            .filter(|(login, _)| !self.linked.contains(login))
        else {
            return Ok(());
        };
        self.linked.push(login);
        let account = self.latest_actor().await?;
        let principal = keys::read_file(&self.layout.key(person.key))?.principal;
        self.later();
        let mut administrator = self.administrator().await?;
        administrator
            .link(&principal, &account, "github.com", login)
            .await?;
        self.recorded(1).await
    }
    /// The account that the bridge gave to whoever did what the latest entry tells.
    async fn latest_actor(&self) -> Result<String> {
        let index = self.expected - 1;
        let entry: Value = self
            .source()
            .get(&format!("/v1/entries/{index}"), &[])
            .await?;
        let payload = entry
            .get("payload")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let event = Event::parse(payload.as_bytes());
        let actor = event.ok().and_then(|event| event.profile.actor);
        actor.ok_or_else(|| Problem::failed(format!("the demo's entry {index} names no account")))
    }
}
fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
