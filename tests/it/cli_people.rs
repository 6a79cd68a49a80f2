//! People: a key of one's own, an enrolment, a request, and a decision on exactly what was shown.

use crate::{
    cli::{Pipeline, Said, run},
    ledger::Ledger,
    server::Server,
};

const IMAGE: &str = "sha256:9f2c000000000000000000000000000000000000000000000000000000000000";

struct Shop {
    ledger: Ledger,
    server: Server,
    pipeline: Pipeline,
}
impl Shop {
    /// A ledger with a pipeline, and Ines, who may approve in production.
    fn open() -> Self {
        let ledger = Ledger::found();
        let server = ledger.serve();
        let pipeline = Pipeline::enrolled(&ledger, &server);
        let shop = Self {
            ledger,
            server,
            pipeline,
        };
        shop.run(&["key", "new", "ines"]).succeeds();
        let enrol = [
            "add",
            "person",
            "Ines Okafor",
            "--enrol",
            "ines.enrol",
            "--data",
            "data",
        ];
        let role = ["--role", "business-approver", "-e", "production"];
        shop.run(&[&enrol[..], &role].concat()).succeeds();
        shop
    }
    fn run(&self, words: &[&str]) -> Said {
        run(
            &self.ledger,
            words,
            &[("PIPEROLL_SERVER", &self.server.url)],
        )
    }
    /// Asks for approval; gives the request's record.
    fn request(&self) -> String {
        let words = [
            "request",
            "-s",
            "checkout",
            "-e",
            "production",
            "--artifact",
            IMAGE,
            "--summary",
            "Ask for the postcode first",
            "--risk",
            "low: one form",
            "--json",
        ];
        let said = self.pipeline.run(&self.ledger, &words);
        let told: serde_json::Value = serde_json::from_str(&said.succeeds().out).unwrap();
        told["index"].to_string()
    }
}

#[test]
fn an_approval_binds_what_was_asked_and_carries_what_was_shown() {
    let shop = Shop::open();
    let request = shop.request();
    let words = ["approve", &request, "--role", "business-approver"];
    let said = shop.run(&words);
    said.complains(
        2,
        &[
            "You will sign this",
            "Ask for the postcode first",
            IMAGE,
            "--yes",
        ],
    );
    let said = shop.run(&[&words[..], &["--yes", "--comment", "fine"]].concat());
    said.complains(0, &["approval recorded as"]);
    let decision = shop.ledger.sql(
        "select cast(body as text) from payload where idx = (select max(idx) from entry where kind = 'approval.updated')",
    );
    let decision: serde_json::Value = serde_json::from_str(&decision).unwrap();
    let profile = &decision["customData"]["piperoll"];
    assert_eq!(decision["subject"]["content"]["decision"], "approved");
    assert_eq!(
        profile["binds"][0]["digest"]["sha256"],
        IMAGE["sha256:".len()..]
    );
    assert_eq!(profile["role"], "business-approver");
    let asked = shop.ledger.sql(&format!(
        "select lower(hex(payload_hash)) from entry where idx = {request}"
    ));
    assert_eq!(profile["approval"]["request"], asked.as_str());
    let shown = shop
        .ledger
        .sql("select body from text where name = 'shown'");
    assert!(
        shown.contains("Ask for the postcode first")
            && shown.contains("low: one form")
            && shown.contains(IMAGE),
        "{shown}"
    );
    assert!(
        !shown.contains("urn:piperoll"),
        "an id stands where a name can: {shown}"
    );
}

#[test]
fn a_rejection_says_why() {
    let shop = Shop::open();
    let request = shop.request();
    let words = ["reject", &request, "--role", "business-approver", "--yes"];
    shop.run(&words)
        .complains(2, &["a rejection says why", "--comment"]);
    shop.run(&[&words[..], &["--comment", "not on a Friday"]].concat())
        .complains(0, &["rejection recorded as"]);
    assert_eq!(
        shop.ledger
            .sql("select body from text where name = 'comment'"),
        "not on a Friday"
    );
}

#[test]
fn a_role_one_does_not_hold_decides_nothing() {
    let shop = Shop::open();
    let request = shop.request();
    let words = [
        "approve",
        &request,
        "--role",
        "technical-approver",
        "--yes",
        "--strict",
    ];
    shop.run(&words).complains(4, &["technical-approver"]);
    assert_eq!(
        shop.ledger
            .sql("select count(*) from entry where kind = 'approval.updated'"),
        "0"
    );
}

#[test]
fn only_a_request_can_be_decided_on() {
    let shop = Shop::open();
    shop.run(&["approve", "0", "--role", "business-approver", "--yes"])
        .complains(2, &["ledger.created, not a request"]);
    shop.run(&["approve", "99", "--role", "business-approver", "--yes"])
        .complains(1, &["no record"]);
}

#[test]
fn an_enrolment_for_another_ledger_registers_nobody() {
    let shop = Shop::open();
    shop.run(&["key", "new", "ravi", "--ledger", &"ab".repeat(32)])
        .succeeds();
    let words = [
        "add",
        "person",
        "Ravi Menon",
        "--enrol",
        "ravi.enrol",
        "--data",
        "data",
    ];
    shop.run(&words)
        .complains(2, &["for another ledger", "piperoll key new"]);
    std::fs::write(shop.ledger.path("broken.enrol"), "{}").unwrap();
    let words = [
        "add",
        "person",
        "Ravi Menon",
        "--enrol",
        "broken.enrol",
        "--data",
        "data",
    ];
    shop.run(&words)
        .complains(2, &["not an enrolment file", "piperoll key new"]);
}

#[test]
fn a_bridge_is_added_once_and_nothing_else_is_to_do() {
    let shop = Shop::open();
    let words = ["add", "bridge", "alertmanager", "--data", "data"];
    let said = shop.run(&words);
    let address = format!("url: '{}/bridges/alertmanager'", shop.server.url);
    assert!(said.succeeds().out.contains(&address), "{}", said.out);
    let settings = shop.ledger.path("data/bridges/alertmanager.toml");
    let before = std::fs::read(&settings).unwrap();
    shop.run(&words).complains(1, &["already"]);
    assert_eq!(std::fs::read(&settings).unwrap(), before);
    shop.run(&["add", "bridge", "github"])
        .complains(2, &["--data FOLDER"]);
}
