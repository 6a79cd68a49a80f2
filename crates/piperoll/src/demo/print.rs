//! What the demo prints: the question, the answer with its records, and how to check it. Every number is counted, none is written
//! down here.

use std::{collections::BTreeSet, fmt::Write, path::Path};

use piperoll_core::{
    answer::{LogRow, Story},
    name::{LedgerId, Principal, PrincipalKind},
    words::url_segment,
};
use piperoll_server::{audit, serve::Running};
use serde::Deserialize;

use super::story;
use crate::{
    ask::Source,
    exit::{Exit, Problem, Result},
    output, render,
};

#[derive(Deserialize)]
struct Page {
    rows: Vec<LogRow>,
    next: Option<String>,
}

/// Where the demo's ledger lies, as it is named in lines to copy.
pub(crate) struct Stored<'a> {
    pub folder: &'a Path,
    /// In place of `ledger.db` in the folder, quoted for a shell.
    pub database: Option<String>,
}
impl Stored<'_> {
    fn named(&self) -> String {
        match &self.database {
            Some(database) => format!("--database {database}"),
            None => format!("--data {}", self.folder.display()),
        }
    }
    /// What serves it again.
    fn served(&self) -> String {
        let folder = self.folder.display();
        match &self.database {
            Some(database) => format!("piperoll demo --data {folder} --database {database}"),
            None => format!("piperoll demo --data {folder}"),
        }
    }
    /// What changes one word of an approval's payload, as whoever owns the database can.
    fn change(&self, index: u64) -> String {
        match &self.database {
            Some(database) => format!(
                "psql {database} -c \"alter table payload disable trigger payload_only_erased; update payload set body = \
                 convert_to(replace(convert_from(body, 'UTF8'), 'approved', 'rejected'), 'UTF8') where idx = {index}\""
            ),
            None => format!(
                "sqlite3 {}/ledger.db \"drop trigger payload_only_erased; update payload set body = \
                 cast(replace(cast(body as text), 'approved', 'rejected') as blob) where idx = {index}\"",
                self.folder.display()
            ),
        }
    }
}

/// The whole answer, on stdout; `ends` says that the server ends after it.
pub(crate) async fn answer(
    running: &Running,
    source: &Source,
    ledger: LedgerId,
    stored: &Stored<'_>,
    ends: bool,
) -> Result {
    let report = audit::audit(&*running.state().store, Some(ledger)).await;
    let report = report.map_err(|error| Problem::new(Exit::Unverified, error.to_string()))?;
    let hero = format!(
        "github:acme/{}#{}",
        story::change_of(story::HERO).service,
        story::HERO
    );
    let told: Story = source
        .ask(&format!("/v1/changes/{}", url_segment(&hero)), &[])
        .await?;
    let rows = whole_log(source).await?;
    let folder = stored.folder.display().to_string();
    let mut text = counts(&rows, report.messages, &folder);
    text.push_str(
        "\nCheckout broke on Thursday evening. What had changed, and who had agreed to it?\n\n",
    );
    text.push_str(&render::answer(&told));
    let _ = writeln!(
        text,
        "\nDo not take our word for it:\n  piperoll verify {}",
        stored.named()
    );
    let _ = writeln!(
        text,
        "  {} entries, {} signatures, 1 tree of {} leaves, {}: all as signed",
        report.entries,
        report.signatures,
        report.entries,
        counted(report.checkpoints, "checkpoint"),
    );
    text.push_str(&attack(&told, stored));
    let _ = if ends {
        writeln!(
            text,
            "\nThe story as a page, from a server on this ledger: {}",
            stored.served()
        )
    } else {
        let page = format!(
            "http://{}/changes/{}",
            running.address(),
            url_segment(&hero)
        );
        writeln!(
            text,
            "\nThe story as a page: {page}      Ctrl-C ends the server; the ledger stays."
        )
    };
    output::data(&text)
}

/// How much was sent by whom, and what became of it. `messages` are recorded, duplicate, refused and junk.
fn counts(rows: &[LogRow], messages: [u64; 4], folder: &str) -> String {
    let signers: BTreeSet<&str> = rows.iter().map(|row| row.principal.as_str()).collect();
    let of = |kind: PrincipalKind| {
        let is_kind =
            |urn: &&str| Principal::parse(urn).is_ok_and(|principal| principal.kind() == kind);
        signers.iter().copied().filter(is_kind).count() as u64
    };
    let [recorded, duplicate, refused, junk] = messages;
    let all = recorded + duplicate + refused + junk;
    format!(
        "Piperoll demo: one week of a small shop, sent through the real intake into {folder}\n  \
         {all} events from {}, {} and {}: {recorded} recorded, {duplicate} sent twice, {refused} refused\n  \
         ({} may not speak for {}: piperoll log --refused)\n",
        counted(of(PrincipalKind::Pipeline), "pipeline"),
        counted(of(PrincipalKind::Bridge), "bridge"),
        people(of(PrincipalKind::Person)),
        story::CHECKOUT_DEPLOY,
        overstepped_service(),
    )
}
fn overstepped_service() -> &'static str {
    let service = story::WEEK.iter().find_map(|moment| match moment.act {
        story::Act::Overstepped(deploying) => deploying.parts.first(),
        _ => None,
    });
    service.map_or("another service", |part| story::change_of(*part).service)
}
fn counted(number: u64, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}
fn people(number: u64) -> String {
    if number == 1 {
        "1 person".to_owned()
    } else {
        format!("{number} people")
    }
}

/// A line that changes one word of an approval in the database, and what comes of it.
fn attack(told: &Story, stored: &Stored<'_>) -> String {
    let Some(approval) = told
        .agreements
        .iter()
        .find(|agreement| agreement.decision == "approved")
    else {
        return String::new();
    };
    let index = approval.at.index;
    format!(
        "\nNow be the attacker. Change one word of record {index}, then verify again:\n  \
         {}\n  \
         → entry {index}: its payload is not the one that was signed   (exit {})\n",
        stored.change(index),
        Exit::Unverified.code()
    )
}

async fn whole_log(source: &Source) -> Result<Vec<LogRow>> {
    let mut rows = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", "500")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page: Page = source.ask("/v1/log", &query).await?;
        rows.extend(page.rows);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(rows);
        }
    }
}
