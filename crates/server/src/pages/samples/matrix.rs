//! The matrix of the mock.

use piperoll_core::answer::{
    Behind, Cell, Contents, Where, WhereRow,
    part::{AsOf, ChangeRef, Mark, Part, Sentence, Tone},
};

use super::{LONG, at, digest, mark, moment, text, who};

fn cell(number: u32, title: &str, start: &str, since: &str, marks: Vec<Mark>) -> Cell {
    Cell {
        service: "checkout".to_owned(),
        environment: "production".to_owned(),
        change: Some(ChangeRef {
            id: format!("github:acme/checkout#{number}"),
            label: format!("#{number}"),
            service: None,
            title: Some(title.to_owned()),
        }),
        contents: Contents::Known {
            commits: Vec::new(),
            changes: Vec::new(),
        },
        digests: vec![digest(start)],
        commit: None,
        since: moment(58, since),
        again: number == 415,
        deployment: "d".to_owned(),
        by: who("checkout-deploy"),
        via: None,
        agreements: Vec::new(),
        deciders: Sentence(vec![
            text("approved by "),
            Part::Who { who: who(LONG) },
            text(" and "),
            Part::Who {
                who: who("Ravi Menon"),
            },
        ]),
        marks,
    }
}
/// Contents that nobody knows, by a clock that goes a hundred years ahead.
fn unknown() -> Cell {
    let mut unknown = cell(
        0,
        "",
        "c07d",
        "13T16:00",
        vec![mark('!', Tone::Warn, "override, review owed")],
    );
    unknown.change = None;
    unknown.contents = Contents::Unknown;
    unknown.since.recorded_at = Some(unknown.since.time);
    unknown.since.time = "2126-11-20T16:00:00Z".parse().expect("it is an instant");
    unknown
}
/// The matrix of the mock, and a service with a long name that is in one environment only.
pub(in crate::pages) fn matrix() -> Where {
    let behind = |words: &str| {
        Some(Behind {
            ahead: "staging".to_owned(),
            behind: "production".to_owned(),
            changes: None,
            other_commits: 0,
            sentence: Sentence(vec![text(words)]),
        })
    };
    let mut with_others = cell(
        418,
        "Ask for the postcode before the address",
        "9f2c",
        "11T11:45",
        Vec::new(),
    );
    with_others.contents = Contents::Known {
        commits: Vec::new(),
        changes: [416, 417, 418]
            .map(|number| ChangeRef {
                id: format!("github:acme/checkout#{number}"),
                label: format!("#{number}"),
                service: None,
                title: None,
            })
            .to_vec(),
    };
    Where {
        as_of: AsOf {
            size: 86,
            recorded_at: Some(at("14T13:05")),
        },
        lead: Sentence(vec![text(
            "Three services, two environments. Production is 4 changes behind staging.",
        )]),
        environments: vec!["staging".to_owned(), LONG.to_owned()],
        rows: vec![
            WhereRow {
                service: "checkout".to_owned(),
                behind: behind("production is 3 changes behind"),
                cells: vec![
                    Some(with_others),
                    Some(cell(
                        415,
                        "Shorter receipt mail",
                        "51aa",
                        "12T20:31",
                        vec![
                            mark('↶', Tone::Bad, "rolled back from #418"),
                            mark('✓', Tone::Good, "approved, exact content"),
                        ],
                    )),
                ],
            },
            WhereRow {
                service: LONG.to_owned(),
                behind: None,
                cells: vec![None, Some(unknown())],
            },
        ],
    }
}
