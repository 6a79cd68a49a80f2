//! Answers made up for tests: the story of the mock, a crowded one with long names, and one whose words are hostile.

mod matrix;

use jiff::{Timestamp, ToSpan};
use piperoll_core::answer::{
    Agreement, AlertBar, AttemptMark, Bar, Covers, Lane, PersonMark, Picture, Stage, State, Story,
    Words,
    part::{
        AsOf, ChangeRef, Detail, DetailBody, DigestRef, Line, Mark, Moment, Part, Sentence,
        TimeForm, Tone, Who,
    },
};

pub(super) use matrix::matrix;

/// A name of 60 characters without a space.
pub(super) const LONG: &str = "payments-reconciliation-service-for-the-northern-region-0001";
/// Words that try to be more than words.
pub(super) const HOSTILE: &str =
    "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}\u{5e9}\u{5dc}\u{5d5}\u{5dd}";

pub(super) fn at(text: &str) -> Timestamp {
    format!("2026-11-{text}:00Z").parse().unwrap()
}
fn moment(index: u64, text: &str) -> Moment {
    Moment {
        index,
        time: at(text),
        recorded_at: None,
    }
}
pub(super) fn text(text: &str) -> Part {
    Part::Text {
        text: text.to_owned(),
    }
}
fn strong(text: &str) -> Part {
    Part::Strong {
        text: text.to_owned(),
    }
}
fn change(number: u32) -> Part {
    Part::Change {
        id: format!("github:acme/checkout#{number}"),
        label: format!("#{number}"),
    }
}
pub(super) fn who(name: &str) -> Who {
    Who {
        name: name.to_owned(),
        urn: Some("urn:piperoll:person:aeaqcaibaeaqcaibaeaqcaibae".to_owned()),
        sort: "person".to_owned(),
    }
}
fn digest(start: &str) -> DigestRef {
    DigestRef {
        algorithm: "sha256".to_owned(),
        hex: format!("{start}{}", "0".repeat(64 - start.len())),
        name: Some("image".to_owned()),
    }
}
fn mark(sign: char, tone: Tone, word: &str) -> Mark {
    Mark {
        sign: Some(sign),
        word: word.to_owned(),
        tone,
    }
}
fn bar(from: &str, to: Option<&str>, start: &str, label: &str, this: bool) -> Bar {
    Bar {
        from: at(from),
        to: to.map(at),
        index: 44,
        digest: Some(digest(start)),
        label: label.to_owned(),
        this,
        tone: if this { Tone::Good } else { Tone::Soft },
    }
}
fn line(
    index: u64,
    when: &str,
    sign: Option<char>,
    tone: Tone,
    parts: Vec<Part>,
    via: Option<&str>,
) -> Line {
    Line {
        at: moment(index, when),
        kind: "deployment.finished".to_owned(),
        sign,
        tone,
        sentence: Sentence(parts),
        via: via.map(str::to_owned),
        details: Vec::new(),
        also: Vec::new(),
    }
}
fn agreement(index: u64, when: &str, name: &str, role: &str, shown: &str) -> Agreement {
    Agreement {
        who: who(name),
        role: Some(role.to_owned()),
        decision: "approved".to_owned(),
        at: moment(index, when),
        until: None,
        doubt: Some("the request it answers is not recorded".to_owned()),
        shown: Some(Words::Said(shown.to_owned())),
        comment: Some(Words::Erased),
        service: Some("checkout".to_owned()),
        environment: Some("production".to_owned()),
        covers: Covers::Exactly,
        mark: mark('✓', Tone::Good, "exactly what ran"),
    }
}
fn person(index: u64, when: &str, stage: Stage, label: &str) -> PersonMark {
    PersonMark {
        at: moment(index, when),
        stage,
        label: label.to_owned(),
        tone: Tone::Step,
    }
}

/// The change of the mock: approved, deployed, rolled back after an alert.
pub(super) fn story() -> Story {
    Story {
        as_of: AsOf {
            size: 86,
            recorded_at: Some(at("14T13:05")),
        },
        change: ChangeRef {
            id: "github:acme/checkout#418".to_owned(),
            label: "#418".to_owned(),
            service: Some("checkout".to_owned()),
            title: Some("Ask for the postcode before the address".to_owned()),
        },
        title: Words::Said("Ask for the postcode before the address".to_owned()),
        state: State::Merged,
        proposer: Some(who("Tomas Lindqvist")),
        via: Some("GitHub".to_owned()),
        also_known_as: vec!["4be1c09".to_owned(), "SHOP-77".to_owned()],
        deployed_as: vec![digest("9f2c")],
        lead: vec![
            Sentence(vec![text("Two people approved exactly what was deployed.")]),
            Sentence(vec![
                text("It went to production on "),
                Part::Time {
                    at: at("12T20:04"),
                    form: TimeForm::Day,
                },
                text(" with two other changes."),
            ]),
            Sentence(vec![
                text("An alert followed 13 minutes later, and the deployment was rolled back at "),
                Part::Time {
                    at: at("12T20:31"),
                    form: TimeForm::Clock,
                },
                text("."),
            ]),
        ],
        chips: vec![
            mark('✓', Tone::Good, "approved, exact content"),
            mark('↶', Tone::Bad, "rolled back in production"),
            mark('!', Tone::Warn, "one alert followed"),
        ],
        agreements: vec![
            agreement(
                38,
                "11T10:15",
                "Ines Okafor",
                "business approver",
                "Timing and effect on users; not code or infrastructure.",
            ),
            agreement(
                41,
                "11T11:30",
                "Ravi Menon",
                "technical approver",
                "Code, risk and the way back.",
            ),
        ],
        picture: picture(),
        lines: lines(),
        entries: vec![31, 35, 38, 41, 44, 52, 55, 58, 60],
        completeness: vec![Sentence(vec![text(
            "Nothing missing: each run of checkout-deploy numbered its events, and none is absent.",
        )])],
        disputed: Vec::new(),
    }
}
fn picture() -> Picture {
    Picture {
        from: at("10T14:02"),
        to: at("12T20:33"),
        description: Sentence(vec![text(
            "Proposed on Tuesday, approved on Wednesday, in production on Thursday from 20:04 to 20:31.",
        )]),
        people: vec![
            person(31, "10T14:02", Stage::Proposed, "proposed"),
            person(35, "11T09:40", Stage::Asked, "asked"),
            person(38, "11T10:15", Stage::Approved, "business approver"),
            person(41, "11T11:30", Stage::Approved, "technical approver"),
        ],
        lanes: vec![
            Lane {
                environment: "staging".to_owned(),
                service: "checkout".to_owned(),
                bars: vec![Bar {
                    tone: Tone::Step,
                    ..bar("11T11:45", None, "9f2c", "this change, alone", true)
                }],
                attempts: vec![AttemptMark {
                    at: moment(43, "11T11:40"),
                    label: "failed".to_owned(),
                    tone: Tone::Bad,
                }],
            },
            Lane {
                environment: "production".to_owned(),
                service: "checkout".to_owned(),
                bars: vec![
                    bar("10T10:02", Some("12T20:04"), "51aa", "change #415", false),
                    bar(
                        "12T20:04",
                        Some("12T20:31"),
                        "9f2c",
                        "with #416, #417",
                        true,
                    ),
                    bar("12T20:31", None, "51aa", "back", false),
                ],
                attempts: Vec::new(),
            },
        ],
        alerts: vec![AlertBar {
            from: at("12T20:17"),
            to: Some(at("12T20:33")),
            index: 55,
            environment: "production".to_owned(),
            label: "HighErrorRate, 13 min after".to_owned(),
        }],
    }
}
fn by(name: &str) -> Part {
    Part::Who { who: who(name) }
}
fn approved() -> Line {
    let mut approved = line(
        38,
        "11T10:15",
        Some('✓'),
        Tone::Good,
        vec![
            strong("Approved"),
            text(" by "),
            by("Ines Okafor"),
            text(", business approver"),
        ],
        None,
    );
    approved.details = vec![Detail {
        label: "was shown".to_owned(),
        body: DetailBody::Words(Words::Said(
            "Timing and effect on users.\nNot code or infrastructure.".to_owned(),
        )),
    }];
    approved.at.recorded_at = Some(at("11T10:35"));
    approved
}
fn deployed() -> Line {
    let mut deployed = line(
        52,
        "12T20:04",
        None,
        Tone::Plain,
        vec![
            strong("Deployed"),
            text(" to production by "),
            by("checkout-deploy"),
            text(", with "),
            change(416),
            text(" and "),
            change(417),
        ],
        None,
    );
    deployed.also = vec![51];
    deployed
}
fn lines() -> Vec<Line> {
    vec![
        line(
            31,
            "10T14:02",
            None,
            Tone::Step,
            vec![strong("Proposed"), text(" by "), by("Tomas Lindqvist")],
            Some("GitHub"),
        ),
        line(
            35,
            "11T09:40",
            None,
            Tone::Step,
            vec![
                strong("Approval asked"),
                text(" for production, image "),
                Part::Digest {
                    digest: digest("9f2c"),
                },
            ],
            None,
        ),
        approved(),
        deployed(),
        line(
            55,
            "12T20:17",
            Some('!'),
            Tone::Bad,
            vec![strong("Alert"), text(" HighErrorRate, 13 min after")],
            Some("Alertmanager"),
        ),
        line(
            58,
            "12T20:31",
            Some('↶'),
            Tone::Warn,
            vec![
                strong("Rolled back"),
                text(" to "),
                Part::Digest {
                    digest: digest("51aa"),
                },
                text(" by "),
                by("checkout-deploy"),
            ],
            None,
        ),
    ]
}

/// Thirty marks of people with long names within two days, four environments with long names, many deployments in an hour.
pub(super) fn crowded() -> Story {
    let mut story = story();
    story.title = Words::Said(format!("{LONG} and {LONG} go together"));
    story.picture.people = (0..30)
        .map(|count: i64| {
            let stage = if count % 3 == 0 {
                Stage::Approved
            } else {
                Stage::Reviewed
            };
            let mut mark = person(
                100 + count.unsigned_abs(),
                "11T09:00",
                stage,
                &format!("approved by {LONG}"),
            );
            mark.at.time = at("11T09:00").checked_add((count * 37).minutes()).unwrap();
            mark
        })
        .collect();
    story.picture.lanes = ["staging", "production", LONG, "pre-production-eu-west-1"]
        .into_iter()
        .map(|environment| Lane {
            environment: environment.to_owned(),
            service: "checkout".to_owned(),
            bars: (0..9_i64)
                .map(|count| {
                    let mut bar = bar(
                        "12T20:00",
                        None,
                        "9f2c",
                        "with #416, #417 and 12 others",
                        count % 2 == 0,
                    );
                    bar.from = at("12T20:00").checked_add((count * 7).minutes()).unwrap();
                    bar.to = (count < 8).then(|| bar.from.checked_add(7.minutes()).unwrap());
                    bar
                })
                .collect(),
            attempts: Vec::new(),
        })
        .collect();
    story.picture.alerts = (0..6_i64)
        .map(|count| AlertBar {
            from: at("12T20:10").checked_add((count * 4).minutes()).unwrap(),
            to: (count % 2 == 0).then(|| at("12T20:50")),
            index: 200,
            environment: "production".to_owned(),
            label: format!("{LONG}, {} min after", 10 + count * 4),
        })
        .collect();
    for agreement in &mut story.agreements {
        agreement.who.name = LONG.to_owned();
        agreement.environment = Some(LONG.to_owned());
    }
    story.lines.push(line(
        99,
        "13T08:00",
        None,
        Tone::Plain,
        vec![strong("Deployed"), text(&format!(" to {LONG} by {LONG}"))],
        Some("GitHub"),
    ));
    story.completeness.push(Sentence(vec![text(
        "Three of the records behind these lines were relayed by bridges, which vouch for them.",
    )]));
    story
}

/// Every word of the story says something to a browser.
pub(super) fn hostile() -> Story {
    let mut story = story();
    HOSTILE.clone_into(&mut story.change.label);
    story.change.service = Some(HOSTILE.to_owned());
    story.title = Words::Said(HOSTILE.to_owned());
    story.proposer = Some(who(HOSTILE));
    story.via = Some(HOSTILE.to_owned());
    story.also_known_as = vec![HOSTILE.to_owned()];
    story.disputed = vec![HOSTILE.to_owned()];
    story.lead = vec![Sentence(vec![
        text(HOSTILE),
        strong(HOSTILE),
        Part::Change {
            id: HOSTILE.to_owned(),
            label: HOSTILE.to_owned(),
        },
        Part::Digest {
            digest: DigestRef {
                algorithm: HOSTILE.to_owned(),
                hex: HOSTILE.to_owned(),
                name: Some(HOSTILE.to_owned()),
            },
        },
    ])];
    story.chips = vec![mark('✓', Tone::Good, HOSTILE)];
    story.picture.description = Sentence(vec![text(HOSTILE)]);
    story.picture.people[0].label = HOSTILE.to_owned();
    story.picture.lanes[0].environment = HOSTILE.to_owned();
    story.picture.lanes[0].bars[0].label = HOSTILE.to_owned();
    story.picture.alerts[0].label = HOSTILE.to_owned();
    story.agreements[0].role = Some(HOSTILE.to_owned());
    story.agreements[0].decision = HOSTILE.to_owned();
    story.agreements[0].shown = Some(Words::Said(HOSTILE.to_owned()));
    story.agreements[0].comment = Some(Words::Said(HOSTILE.to_owned()));
    story.agreements[0].environment = Some(HOSTILE.to_owned());
    story.agreements[0].mark.word = HOSTILE.to_owned();
    story.lines[2].details[0] = Detail {
        label: HOSTILE.to_owned(),
        body: DetailBody::Words(Words::Said(HOSTILE.to_owned())),
    };
    story.completeness = vec![Sentence(vec![text(HOSTILE)])];
    story
}
