//! The week itself, line by line.

use super::{
    Act::{
        self, AlertFired, AlertResolved, Asked, Bundled, Decided, Deployed, HostDeployed,
        IncidentClosed, IncidentOpened, Merged, Opened, Overrode, Overstepped, Reviewed,
        RolledBack, SentAgain,
    },
    Asker, Asking, BUSINESS, Bundling, CHECKOUT_DEPLOY, Content,
    Day::{self, Fri, Mon, Sat, Thu, Tue, Wed},
    Deciding, Deploying, End, GoingBack, HERO, HostDeploying, Moment, Overriding, SHOP_DEPLOY,
    TECHNICAL, Telling,
};

/// From the first merge request on Monday to the last decision on Saturday.
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
        Asked(Asking {
            by: Asker::Pipeline(CHECKOUT_DEPLOY),
            content: Content::Image(414),
            summary: "Checkout says why a card was refused",
            users: "People whose card is refused read the bank's reason instead of “an error occurred”.",
            risk: "low: one sentence on one page",
            undo: "deploy the image before, four minutes",
        }),
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
        Asked(Asking {
            by: Asker::Pipeline(CHECKOUT_DEPLOY),
            content: Content::Image(415),
            summary: "A shorter receipt mail",
            users: "The mail after an order has one screen instead of three.",
            risk: "low: a template",
            undo: "deploy the image before, four minutes",
        }),
    ),
    at(Tue, "10:30", approved("ines", BUSINESS)),
    at(
        Tue,
        "10:40",
        Bundled(Bundling {
            pipeline: SHOP_DEPLOY,
            parts: &[91, 228],
        }),
    ),
    at(
        Tue,
        "10:50",
        Asked(Asking {
            by: Asker::Person("tomas"),
            content: Content::Bundle,
            summary: "Prices with tax, in the catalogue and at the till at the same time",
            users: "Every price shown includes tax, and the sum to pay does not change.",
            risk: "medium: the two must change together, or sums disagree",
            undo: "deploy both images before, in one run, six minutes",
        }),
    ),
    at(
        Tue,
        "11:15",
        decided(
            "ines",
            BUSINESS,
            true,
            "Marketing knows. Please before the afternoon.",
        ),
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
        Asked(Asking {
            by: Asker::Pipeline(CHECKOUT_DEPLOY),
            content: Content::Image(HERO),
            summary: "Checkout asks for the postcode before the address",
            users: "The address fills itself in from the postcode; people type less.",
            risk: "medium: the order of the form changes for everybody",
            undo: "deploy image 51aa, four minutes; no data changes",
        }),
    ),
    at(Wed, "10:00", Opened(229)),
    at(
        Wed,
        "10:15",
        decided("ines", BUSINESS, true, "Fine. Not on Friday, please."),
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
        HostDeployed(HostDeploying {
            change: 229,
            id: 5501,
            environment: "production",
            minutes: 4,
        }),
    ),
    at(Wed, "13:10", Opened(92)),
    at(Thu, "09:10", Merged(92)),
    at(
        Thu,
        "09:45",
        Deployed(Deploying {
            pipeline: SHOP_DEPLOY,
            run: 7103,
            parts: &[92],
            environment: "staging",
            minutes: 6,
            end: End::Failure,
        }),
    ),
    at(
        Thu,
        "09:56",
        RolledBack(GoingBack {
            pipeline: SHOP_DEPLOY,
            run: 7104,
            to: 91,
            environment: "staging",
            minutes: 3,
            reason: "the test bank does not answer, nobody can test payments",
        }),
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
        IncidentOpened(Telling {
            by: "aiko",
            words: "Orders fail for addresses abroad: their postcodes are refused.",
        }),
    ),
    at(
        Thu,
        "20:31",
        RolledBack(GoingBack {
            pipeline: CHECKOUT_DEPLOY,
            run: 7009,
            to: 415,
            environment: "production",
            minutes: 4,
            reason: "errors at checkout since the deployment",
        }),
    ),
    at(Thu, "20:33", AlertResolved),
    at(
        Thu,
        "20:50",
        IncidentClosed(Telling {
            by: "aiko",
            words: "Orders go through again since the rollback.",
        }),
    ),
    at(
        Fri,
        "10:20",
        deployed(SHOP_DEPLOY, 7105, &[92], "staging", 5),
    ),
    at(
        Fri,
        "14:10",
        Overstepped(Deploying {
            pipeline: CHECKOUT_DEPLOY,
            run: 7010,
            parts: &[92],
            environment: "production",
            minutes: 1,
            end: End::Success,
        }),
    ),
    at(
        Fri,
        "15:55",
        Overrode(Overriding {
            by: "ravi",
            content: Content::Image(92),
            hours: 8,
            reason: "The bank changed its certificate and refuses every second request; nobody can pay.",
        }),
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
        Asked(Asking {
            by: Asker::Person("tomas"),
            content: Content::Image(230),
            summary: "The catalogue shows what is in stock",
            users: "Every product says how many are left.",
            risk: "medium: asks the warehouse for every page",
            undo: "deploy the image before, four minutes",
        }),
    ),
    at(
        Sat,
        "11:20",
        decided(
            "ines",
            BUSINESS,
            false,
            "Not on a weekend: the warehouse is not staffed to answer questions.",
        ),
    ),
];

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
    let end = End::Success;
    Deployed(Deploying {
        pipeline,
        run,
        parts,
        environment,
        minutes,
        end,
    })
}
const fn decided(
    by: &'static str,
    role: &'static str,
    approved: bool,
    comment: &'static str,
) -> Act {
    let comment = Some(comment);
    Decided(Deciding {
        by,
        role,
        approved,
        comment,
    })
}
const fn approved(by: &'static str, role: &'static str) -> Act {
    Decided(Deciding {
        by,
        role,
        approved: true,
        comment: None,
    })
}
