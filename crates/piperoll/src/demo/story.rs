//! The demo's story as data: one week of a small shop that sells things on the web. People, names and contents are invented.
//!
//! Read [`WEEK`] (in `story/week.rs`) from the top. Each line is a moment and what happened at it; [`super::play`] sends it through the real intake, as
//! the pipelines, people, code host and monitor of the shop would have. A moment of a deployment is the one at which it finished.

mod week;

pub(crate) use week::WEEK;

/// A person who holds a key. Names, e-mails and logins are texts on the ledger.
#[derive(Debug)]
pub(crate) struct Person {
    /// Name of the key file.
    pub key: &'static str,
    pub name: &'static str,
    pub email: &'static str,
    /// Login and numeric id at the code host.
    pub login: Option<(&'static str, u64)>,
    pub roles: &'static [&'static str],
}
pub(crate) const BUSINESS: &str = "business-approver";
pub(crate) const TECHNICAL: &str = "technical-approver";

/// Founded the ledger and enrols everybody else.
pub(crate) const ADMINISTRATOR: &str = "Mara Duval";
pub(crate) const PEOPLE: [Person; 4] = [
    Person {
        key: "ines",
        name: "Ines Okafor",
        email: "ines@acme.example",
        login: None,
        roles: &[BUSINESS],
    },
    Person {
        key: "ravi",
        name: "Ravi Menon",
        email: "ravi@acme.example",
        login: Some(("ravi-menon", 4410)),
        roles: &[TECHNICAL],
    },
    Person {
        key: "tomas",
        name: "Tomas Lindqvist",
        email: "tomas@acme.example",
        login: Some(("tomas-l", 5512)),
        roles: &[],
    },
    Person {
        key: "aiko",
        name: "Aiko Tanabe",
        email: "aiko@acme.example",
        login: Some(("aiko-t", 7781)),
        roles: &[],
    },
];

/// A pipeline and the services it may speak for.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub name: &'static str,
    pub services: &'static [&'static str],
}
pub(crate) const CHECKOUT_DEPLOY: &str = "checkout-deploy";
pub(crate) const SHOP_DEPLOY: &str = "shop-deploy";
pub(crate) const PIPELINES: [Pipeline; 2] = [
    Pipeline {
        name: CHECKOUT_DEPLOY,
        services: &["checkout"],
    },
    Pipeline {
        name: SHOP_DEPLOY,
        services: &["payments", "catalogue"],
    },
];

/// A merge request, and what is built from it once it is merged.
#[derive(Debug)]
pub(crate) struct Change {
    pub number: u32,
    /// Service and repository have one name: `acme/<service>`.
    pub service: &'static str,
    /// Key of the person.
    pub author: &'static str,
    pub title: &'static str,
    /// How the image's digest begins.
    pub image: &'static str,
    /// How the merge commit begins.
    pub commit: &'static str,
}
const fn change(
    number: u32,
    service: &'static str,
    author: &'static str,
    title: &'static str,
    image: &'static str,
    commit: &'static str,
) -> Change {
    Change {
        number,
        service,
        author,
        title,
        image,
        commit,
    }
}
pub(crate) const CHANGES: [Change; 12] = [
    change(
        414,
        "checkout",
        "aiko",
        "Say why a card was refused",
        "2ad8",
        "7c01e55",
    ),
    change(
        415,
        "checkout",
        "tomas",
        "Shorter receipt mail",
        "51aa",
        "e20d9b4",
    ),
    change(416, "checkout", "aiko", "Larger buttons", "c3f0", "251a03b"),
    change(
        417,
        "checkout",
        "aiko",
        "New mail library",
        "88b1",
        "fc7559c",
    ),
    change(
        418,
        "checkout",
        "tomas",
        "Ask for the postcode before the address",
        "9f2c",
        "4be1c09",
    ),
    change(
        90,
        "payments",
        "aiko",
        "Refund in the currency of the order",
        "6e14",
        "a90c2f7",
    ),
    change(
        91,
        "payments",
        "tomas",
        "Prices with tax",
        "b7d5",
        "03bf6aa",
    ),
    change(
        92,
        "payments",
        "tomas",
        "Retry the bank once",
        "d41e",
        "c69eb40",
    ),
    change(
        227,
        "catalogue",
        "tomas",
        "Sort by price",
        "0fe3",
        "5b8d110",
    ),
    change(
        228,
        "catalogue",
        "aiko",
        "Prices with tax",
        "e6a2",
        "9d3c47e",
    ),
    change(
        229,
        "catalogue",
        "aiko",
        "Larger pictures",
        "4c90",
        "1e77bd2",
    ),
    change(
        230,
        "catalogue",
        "tomas",
        "Show what is in stock",
        "a1f8",
        "68aa0c3",
    ),
];
/// The change that the demo's question is about.
pub(crate) const HERO: u32 = 418;
/// What goes to production together, under one approval.
pub(crate) const BUNDLE: (&str, &str) = ("prices-with-tax", "1");

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
}

/// Somebody who asks for approval.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asker {
    Person(&'static str),
    Pipeline(&'static str),
}
/// The exact content meant.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content {
    /// The image of a change, and its merge commit.
    Image(u32),
    /// The manifest of [`BUNDLE`].
    Bundle,
}
/// How a deployment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Success,
    Failure,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// A merge request was opened; the code host tells.
    Opened(u32),
    /// Somebody read it and agreed, at the code host.
    Reviewed(u32, &'static str),
    /// It was merged, and the branch pushed.
    Merged(u32),
    /// A pipeline put together what goes out together.
    Bundled(Bundling),
    /// Approval for production is asked for.
    Asked(Asking),
    /// A person decides on the latest request.
    Decided(Deciding),
    /// A pipeline's run brings the images of these changes into an environment.
    Deployed(Deploying),
    /// A pipeline's run goes back to the image of a change.
    RolledBack(GoingBack),
    /// The code host's own deployment, which no pipeline of ours signs.
    HostDeployed(HostDeploying),
    /// A person goes on although a rule says no.
    Overrode(Overriding),
    AlertFired,
    AlertResolved,
    IncidentOpened(Telling),
    IncidentClosed(Telling),
    /// The last decision's answer was lost on the way, so it is sent once more.
    SentAgain,
    /// A pipeline speaks for a service it has no grant for.
    Overstepped(Deploying),
}
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bundling {
    pub(crate) pipeline: &'static str,
    pub(crate) parts: &'static [u32],
}
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking {
    pub(crate) by: Asker,
    pub(crate) content: Content,
    pub(crate) summary: &'static str,
    pub(crate) users: &'static str,
    pub(crate) risk: &'static str,
    pub(crate) undo: &'static str,
}
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deciding {
    pub(crate) by: &'static str,
    pub(crate) role: &'static str,
    pub(crate) approved: bool,
    pub(crate) comment: Option<&'static str>,
}
/// `minutes` is how long it took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deploying {
    pub(crate) pipeline: &'static str,
    pub(crate) run: u64,
    pub(crate) parts: &'static [u32],
    pub(crate) environment: &'static str,
    pub(crate) minutes: i64,
    pub(crate) end: End,
}
#[derive(Clone, Copy, Debug)]
pub(crate) struct GoingBack {
    pub(crate) pipeline: &'static str,
    pub(crate) run: u64,
    pub(crate) to: u32,
    pub(crate) environment: &'static str,
    pub(crate) minutes: i64,
    pub(crate) reason: &'static str,
}
#[derive(Clone, Copy, Debug)]
pub(crate) struct HostDeploying {
    pub(crate) change: u32,
    pub(crate) id: u64,
    pub(crate) environment: &'static str,
    pub(crate) minutes: i64,
}
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overriding {
    pub(crate) by: &'static str,
    pub(crate) content: Content,
    pub(crate) hours: i64,
    pub(crate) reason: &'static str,
}
/// What somebody says in their own words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Telling {
    pub(crate) by: &'static str,
    pub(crate) words: &'static str,
}

/// A moment of the week, UTC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub day: Day,
    /// `HH:MM`
    pub clock: &'static str,
    pub act: Act,
}
/// When the ledger was founded and everybody enrolled, before the shop's week begins.
pub(crate) const FOUNDED: (Day, &str) = (Day::Mon, "08:00");
/// When the story ends and the system's time takes over.
pub(crate) const ENDED: (Day, &str) = (Day::Sat, "13:05");

/// The alert that follows a deployment.
#[derive(Debug)]
pub(crate) struct Alert {
    pub name: &'static str,
    pub service: &'static str,
    pub environment: &'static str,
    pub severity: &'static str,
    pub summary: &'static str,
}
pub(crate) const ALERT: Alert = Alert {
    name: "HighErrorRate",
    service: "checkout",
    environment: "production",
    severity: "page",
    summary: "12 % of orders end in an error",
};
pub(crate) const INCIDENT: &str = "INC-7";

/// The change with this number.
pub(crate) fn change_of(number: u32) -> &'static Change {
    CHANGES
        .iter()
        .find(|change| change.number == number)
        .expect("the story names only changes it has; a test looks")
}
pub(crate) fn person_of(key: &str) -> &'static Person {
    PEOPLE
        .iter()
        .find(|person| person.key == key)
        .expect("the story names only people it has; a test looks")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{
        Act::{
            AlertFired, AlertResolved, Asked, Bundled, Decided, Deployed, HostDeployed,
            IncidentClosed, IncidentOpened, Merged, Opened, Overrode, Overstepped, Reviewed,
            RolledBack, SentAgain,
        },
        *,
    };

    #[test]
    fn the_week_is_in_order_and_within_the_story() {
        let times: Vec<(Day, &str)> = WEEK
            .iter()
            .map(|moment| (moment.day, moment.clock))
            .collect();
        assert!(times.is_sorted(), "{times:?}");
        assert!(*times.first().unwrap() > FOUNDED && *times.last().unwrap() < ENDED);
    }

    #[test]
    fn every_name_in_the_week_is_known() {
        let mut opened = BTreeSet::new();
        let known_change = |number: u32| {
            assert!(
                CHANGES.iter().any(|change| change.number == number),
                "{number}"
            );
        };
        let known_person =
            |key: &str| assert!(PEOPLE.iter().any(|person| person.key == key), "{key}");
        let known_pipeline = |name: &str| {
            assert!(
                PIPELINES.iter().any(|pipeline| pipeline.name == name),
                "{name}"
            );
        };
        for moment in WEEK {
            match moment.act {
                Opened(number) => assert!(opened.insert(number)),
                Reviewed(number, by) => {
                    known_change(number);
                    known_person(by);
                }
                Merged(number) => assert!(
                    opened.contains(&number),
                    "{number} was merged before it was opened"
                ),
                Asked(Asking {
                    by: Asker::Person(by),
                    ..
                })
                | Decided(Deciding { by, .. })
                | Overrode(Overriding { by, .. })
                | IncidentOpened(Telling { by, .. })
                | IncidentClosed(Telling { by, .. }) => known_person(by),
                Asked(Asking {
                    by: Asker::Pipeline(name),
                    ..
                }) => known_pipeline(name),
                Bundled(Bundling { pipeline, parts })
                | Deployed(Deploying {
                    pipeline, parts, ..
                })
                | Overstepped(Deploying {
                    pipeline, parts, ..
                }) => {
                    known_pipeline(pipeline);
                    parts.iter().copied().for_each(known_change);
                }
                RolledBack(back) => {
                    known_pipeline(back.pipeline);
                    known_change(back.to);
                }
                HostDeployed(deploying) => known_change(deploying.change),
                AlertFired | AlertResolved | SentAgain => {}
            }
        }
        assert_eq!(opened.len(), CHANGES.len());
    }
}
