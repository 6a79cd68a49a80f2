//! The demo's story as data: one week of a small shop that sells things on the web. People, names and contents are invented.
//!
//! Read [`WEEK`] from the top. Each line is a moment and what happened at it; [`super::play`] sends it through the real intake, as
//! the pipelines, people, code host and monitor of the shop would have. A moment of a deployment is the one at which it finished.

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
    Bundled {
        pipeline: &'static str,
        parts: &'static [u32],
    },
    /// Approval for production is asked for.
    Asked {
        by: Asker,
        content: Content,
        summary: &'static str,
        users: &'static str,
        risk: &'static str,
        undo: &'static str,
    },
    /// A person decides on the latest request.
    Approved {
        by: &'static str,
        role: &'static str,
        comment: Option<&'static str>,
    },
    Rejected {
        by: &'static str,
        role: &'static str,
        comment: &'static str,
    },
    /// A pipeline's run brings the images of these changes into an environment.
    Deployed {
        pipeline: &'static str,
        run: u64,
        parts: &'static [u32],
        environment: &'static str,
        minutes: i64,
        end: End,
    },
    /// A pipeline's run goes back to the image of a change.
    RolledBack {
        pipeline: &'static str,
        run: u64,
        to: u32,
        environment: &'static str,
        minutes: i64,
        reason: &'static str,
    },
    /// The code host's own deployment, which no pipeline of ours signs.
    HostDeployed {
        change: u32,
        id: u64,
        environment: &'static str,
        minutes: i64,
    },
    /// A person goes on although a rule says no.
    Overrode {
        by: &'static str,
        content: Content,
        hours: i64,
        reason: &'static str,
    },
    AlertFired,
    AlertResolved,
    IncidentOpened {
        by: &'static str,
        words: &'static str,
    },
    IncidentClosed {
        by: &'static str,
        words: &'static str,
    },
    /// The last decision's answer was lost on the way, so it is sent once more.
    SentAgain,
    /// A pipeline speaks for a service it has no grant for.
    Overstepped {
        pipeline: &'static str,
        run: u64,
        change: u32,
        environment: &'static str,
    },
}

/// A moment of the week, UTC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub day: Day,
    /// `HH:MM`
    pub clock: &'static str,
    pub act: Act,
}
const fn at(day: Day, clock: &'static str, act: Act) -> Moment {
    Moment { day, clock, act }
}
const fn deployed(
    pipeline: &'static str,
    run: u64,
    parts: &'static [u32],
    environment: &'static str,
    minutes: i64,
) -> Act {
    Act::Deployed {
        pipeline,
        run,
        parts,
        environment,
        minutes,
        end: End::Success,
    }
}
const fn approved(by: &'static str, role: &'static str) -> Act {
    Act::Approved {
        by,
        role,
        comment: None,
    }
}

use Act::{
    AlertFired, AlertResolved, Approved, Asked, Bundled, Deployed, HostDeployed, IncidentClosed,
    IncidentOpened, Merged, Opened, Overrode, Overstepped, Rejected, Reviewed, RolledBack,
    SentAgain,
};
use Day::{Fri, Mon, Sat, Thu, Tue, Wed};

/// When the ledger was founded and everybody enrolled, before the shop's week begins.
pub(crate) const FOUNDED: (Day, &str) = (Mon, "08:00");
/// When the story ends and the system's time takes over.
pub(crate) const ENDED: (Day, &str) = (Sat, "13:05");

pub(crate) const WEEK: &[Moment] = &[
    at(Mon, "08:50", Opened(227)),
    at(Mon, "09:10", Opened(414)),
    at(Mon, "09:35", Reviewed(414, "ravi")),
    at(Mon, "09:50", Merged(227)),
    at(Mon, "10:10", Opened(90)),
    at(Mon, "10:40", Merged(414)),
    at(
        Mon,
        "11:00",
        deployed(CHECKOUT_DEPLOY, 7001, &[414], "staging", 3),
    ),
    at(Mon, "11:20", Merged(90)),
    at(
        Mon,
        "12:50",
        Asked {
            by: Asker::Pipeline(CHECKOUT_DEPLOY),
            content: Content::Image(414),
            summary: "Checkout says why a card was refused",
            users: "People whose card is refused read the bank's reason instead of “an error occurred”.",
            risk: "low: one sentence on one page",
            undo: "deploy the image before, four minutes",
        },
    ),
    at(Mon, "13:20", approved("ines", BUSINESS)),
    at(Mon, "14:05", approved("ravi", TECHNICAL)),
    at(
        Mon,
        "14:30",
        deployed(CHECKOUT_DEPLOY, 7002, &[414], "production", 4),
    ),
    at(Mon, "15:00", Opened(415)),
    at(Mon, "15:40", Opened(91)),
    at(Mon, "16:10", Opened(228)),
    at(Tue, "08:45", Merged(415)),
    at(
        Tue,
        "09:05",
        deployed(CHECKOUT_DEPLOY, 7003, &[415], "staging", 3),
    ),
    at(Tue, "09:20", Merged(91)),
    at(Tue, "09:25", Merged(228)),
    at(
        Tue,
        "09:45",
        deployed(SHOP_DEPLOY, 7101, &[91, 228], "staging", 5),
    ),
    at(
        Tue,
        "10:00",
        Asked {
            by: Asker::Pipeline(CHECKOUT_DEPLOY),
            content: Content::Image(415),
            summary: "A shorter receipt mail",
            users: "The mail after an order has one screen instead of three.",
            risk: "low: a template",
            undo: "deploy the image before, four minutes",
        },
    ),
    at(Tue, "10:30", approved("ines", BUSINESS)),
    at(
        Tue,
        "10:40",
        Bundled {
            pipeline: SHOP_DEPLOY,
            parts: &[91, 228],
        },
    ),
    at(
        Tue,
        "10:50",
        Asked {
            by: Asker::Person("tomas"),
            content: Content::Bundle,
            summary: "Prices with tax, in the catalogue and at the till at the same time",
            users: "Every price shown includes tax, and the sum to pay does not change.",
            risk: "medium: the two must change together, or sums disagree",
            undo: "deploy both images before, in one run, six minutes",
        },
    ),
    at(
        Tue,
        "11:15",
        Approved {
            by: "ines",
            role: BUSINESS,
            comment: Some("Marketing knows. Please before the afternoon."),
        },
    ),
    at(Tue, "11:35", approved("ravi", TECHNICAL)),
    at(
        Tue,
        "12:10",
        deployed(SHOP_DEPLOY, 7102, &[91, 228], "production", 6),
    ),
    at(
        Tue,
        "12:40",
        deployed(CHECKOUT_DEPLOY, 7004, &[415], "production", 4),
    ),
    at(Tue, "14:02", Opened(418)),
    at(Tue, "15:10", Opened(416)),
    at(Tue, "16:20", Merged(416)),
    at(
        Tue,
        "16:40",
        deployed(CHECKOUT_DEPLOY, 7005, &[416], "staging", 3),
    ),
    at(Tue, "17:05", Opened(417)),
    at(Wed, "08:30", Reviewed(418, "aiko")),
    at(Wed, "08:40", Merged(417)),
    at(
        Wed,
        "08:58",
        deployed(CHECKOUT_DEPLOY, 7006, &[417], "staging", 3),
    ),
    at(Wed, "09:15", Merged(418)),
    at(
        Wed,
        "09:40",
        Asked {
            by: Asker::Pipeline(CHECKOUT_DEPLOY),
            content: Content::Image(HERO),
            summary: "Checkout asks for the postcode before the address",
            users: "The address fills itself in from the postcode; people type less.",
            risk: "medium: the order of the form changes for everybody",
            undo: "deploy image 51aa, four minutes; no data changes",
        },
    ),
    at(Wed, "10:00", Opened(229)),
    at(
        Wed,
        "10:15",
        Approved {
            by: "ines",
            role: BUSINESS,
            comment: Some("Fine. Not on Friday, please."),
        },
    ),
    at(Wed, "10:16", SentAgain),
    at(Wed, "11:05", Merged(229)),
    at(Wed, "11:30", approved("ravi", TECHNICAL)),
    at(
        Wed,
        "11:45",
        deployed(CHECKOUT_DEPLOY, 7007, &[418], "staging", 3),
    ),
    at(
        Wed,
        "12:20",
        HostDeployed {
            change: 229,
            id: 5501,
            environment: "production",
            minutes: 4,
        },
    ),
    at(Wed, "13:10", Opened(92)),
    at(Thu, "09:10", Merged(92)),
    at(
        Thu,
        "09:45",
        Deployed {
            pipeline: SHOP_DEPLOY,
            run: 7103,
            parts: &[92],
            environment: "staging",
            minutes: 6,
            end: End::Failure,
        },
    ),
    at(
        Thu,
        "09:56",
        RolledBack {
            pipeline: SHOP_DEPLOY,
            run: 7104,
            to: 91,
            environment: "staging",
            minutes: 3,
            reason: "the test bank does not answer, nobody can test payments",
        },
    ),
    at(Thu, "13:00", Opened(230)),
    at(
        Thu,
        "20:04",
        deployed(CHECKOUT_DEPLOY, 7008, &[418], "production", 4),
    ),
    at(Thu, "20:17", AlertFired),
    at(
        Thu,
        "20:21",
        IncidentOpened {
            by: "aiko",
            words: "Orders fail for addresses abroad: their postcodes are refused.",
        },
    ),
    at(
        Thu,
        "20:31",
        RolledBack {
            pipeline: CHECKOUT_DEPLOY,
            run: 7009,
            to: 415,
            environment: "production",
            minutes: 4,
            reason: "errors at checkout since the deployment",
        },
    ),
    at(Thu, "20:33", AlertResolved),
    at(
        Thu,
        "20:50",
        IncidentClosed {
            by: "aiko",
            words: "Orders go through again since the rollback.",
        },
    ),
    at(
        Fri,
        "10:20",
        deployed(SHOP_DEPLOY, 7105, &[92], "staging", 5),
    ),
    at(
        Fri,
        "14:10",
        Overstepped {
            pipeline: CHECKOUT_DEPLOY,
            run: 7010,
            change: 92,
            environment: "production",
        },
    ),
    at(
        Fri,
        "15:55",
        Overrode {
            by: "ravi",
            content: Content::Image(92),
            hours: 8,
            reason: "The bank changed its certificate and refuses every second request; nobody can pay.",
        },
    ),
    at(
        Fri,
        "16:05",
        deployed(SHOP_DEPLOY, 7106, &[92], "production", 5),
    ),
    at(Fri, "16:30", Merged(230)),
    at(
        Fri,
        "17:00",
        deployed(SHOP_DEPLOY, 7107, &[230], "staging", 4),
    ),
    at(
        Sat,
        "09:30",
        Asked {
            by: Asker::Person("tomas"),
            content: Content::Image(230),
            summary: "The catalogue shows what is in stock",
            users: "Every product says how many are left.",
            risk: "medium: asks the warehouse for every page",
            undo: "deploy the image before, four minutes",
        },
    ),
    at(
        Sat,
        "11:20",
        Rejected {
            by: "ines",
            role: BUSINESS,
            comment: "Not on a weekend: the warehouse is not staffed to answer questions.",
        },
    ),
];

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

    use super::*;

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
            )
        };
        let known_person =
            |key: &str| assert!(PEOPLE.iter().any(|person| person.key == key), "{key}");
        let known_pipeline = |name: &str| {
            assert!(
                PIPELINES.iter().any(|pipeline| pipeline.name == name),
                "{name}"
            )
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
                Asked {
                    by: Asker::Person(key),
                    ..
                }
                | Approved { by: key, .. }
                | Rejected { by: key, .. }
                | Overrode { by: key, .. }
                | IncidentOpened { by: key, .. }
                | IncidentClosed { by: key, .. } => known_person(key),
                Asked {
                    by: Asker::Pipeline(name),
                    ..
                }
                | Bundled { pipeline: name, .. } => known_pipeline(name),
                Deployed {
                    pipeline, parts, ..
                } => {
                    known_pipeline(pipeline);
                    parts.iter().for_each(|part| known_change(*part));
                }
                RolledBack { pipeline, to, .. }
                | Overstepped {
                    pipeline,
                    change: to,
                    ..
                } => {
                    known_pipeline(pipeline);
                    known_change(to);
                }
                HostDeployed { change, .. } => known_change(change),
                AlertFired | AlertResolved | SentAgain => {}
            }
        }
        assert_eq!(opened.len(), CHANGES.len());
    }
}
