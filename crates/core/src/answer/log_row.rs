//! One entry: as a line of the log, and opened.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    EntryRead, Need, Reading, Words,
    asked::Asked,
    line::{self, Telling},
    names,
    part::{Detail, DetailBody, Line, Sentence},
    say,
};
use crate::{
    event::{RelayedAuth, binds},
    fold::aggregate::commit_change,
    kind::Content,
    time,
};

/// A line of `log`, and its JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRow {
    pub index: u64,
    /// RFC 3339 with three fraction digits.
    pub recorded_at: String,
    /// The emitter's time.
    pub time: Timestamp,
    /// Such as `deployment.finished`.
    pub kind: String,
    #[serde(rename = "type")]
    pub type_name: String,
    /// URN of the signer.
    pub principal: String,
    /// The change it is filed under: named by the event, or learnt through its commit or digest.
    pub change: Option<String>,
    pub service: Option<String>,
    pub environment: Option<String>,
    /// One line in plain words, such as `deployed to production by checkout-deploy`.
    pub summary: String,
    /// `context.id`
    pub id: String,
}

/// An entry opened: its row, its line, what is inside in words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntryView {
    pub row: LogRow,
    pub line: Line,
    /// Lower-case hexadecimal.
    pub payload_hash: String,
    /// Facts in plain words: binds, outcome, role, chain number, relayed from where and how it was checked.
    pub facts: Vec<Detail>,
    /// The texts beside the signature, by name.
    pub texts: Vec<NamedText>,
}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedText {
    pub name: String,
    pub words: Words,
}

/// The row of one entry. The first need is the entry itself; an index at or above `reading.size` stays needed.
pub fn log_row(index: u64, reading: &Reading) -> Result<LogRow, Need> {
    let asked = Asked::new(reading);
    let row = asked.entry_or_need(index).map(|entry| row(entry, &asked));
    asked.finish(row)?.ok_or_else(|| needed(index))
}
/// The entry, opened.
pub fn entry(index: u64, reading: &Reading) -> Result<EntryView, Need> {
    let asked = Asked::new(reading);
    let view = asked.entry_or_need(index).map(|entry| EntryView {
        row: row(entry, &asked),
        line: line::line(
            entry,
            Telling {
                story_of: None,
                services: true,
            },
            &asked,
        ),
        payload_hash: entry.payload_hash.to_hex(),
        facts: facts(entry, &asked),
        texts: entry
            .texts
            .iter()
            .map(|(name, words)| NamedText {
                name: name.clone(),
                words: words.clone(),
            })
            .collect(),
    });
    asked.finish(view)?.ok_or_else(|| needed(index))
}
fn needed(index: u64) -> Need {
    Need {
        entries: [index].into(),
        ..Need::default()
    }
}

fn row(entry: &EntryRead, asked: &Asked<'_>) -> LogRow {
    let event = &entry.event;
    LogRow {
        index: entry.index,
        recorded_at: time::to_millis_text(entry.recorded_at),
        time: event.timestamp,
        kind: event.kind().name().to_owned(),
        type_name: event.kind().type_name(),
        principal: event.source.as_str().to_owned(),
        change: change_of(entry, asked),
        service: event.profile.service.clone(),
        environment: event.profile.environment.clone(),
        summary: line::line(entry, Telling::default(), asked).plain(),
        id: event.id.clone(),
    }
}

/// The change an entry is filed under: the one it names; else the one that holds a commit or digest it binds, or a commit that its
/// digest was deployed from; else a bound commit itself.
fn change_of(entry: &EntryRead, asked: &Asked<'_>) -> Option<String> {
    let profile = &entry.event.profile;
    if let Some(named) = &profile.change {
        let commit = named.strip_prefix("commit:");
        let holder = commit.and_then(|commit| names::holder(commit, asked));
        return Some(holder.unwrap_or_else(|| named.clone()));
    }
    if let Content::BranchPushed(push) = &entry.event.content {
        return names::holder(&push.after.git_commit, asked);
    }
    let (sha256, commits) = binds::digests(profile.binds());
    if let Some(commit) = binds::commit_of(profile.binds()) {
        let holder = names::holder(&commit, asked);
        return Some(holder.unwrap_or_else(|| commit_change(&commit)));
    }
    let bound = commits.iter().chain(&sha256);
    bound
        .clone()
        .find_map(|digest| names::holder(digest, asked))
        .or_else(|| names::deployed_from(&sha256, asked))
}

/// What the event says beside its line.
fn facts(entry: &EntryRead, asked: &Asked<'_>) -> Vec<Detail> {
    let event = &entry.event;
    let profile = &event.profile;
    let mut facts = Vec::new();
    let mut fact = |label: &str, sentence: Sentence| {
        facts.push(Detail {
            label: label.to_owned(),
            body: DetailBody::Sentence(sentence),
        });
    };
    let text = |text: &str| Sentence::plain_text(say::one_line(text));
    fact(
        "signed by",
        Sentence::default().who(names::principal(event.source.as_str(), asked)),
    );
    fact("about", text(&event.subject));
    if let Some(binds) = &profile.binds
        && let DetailBody::Sentence(sentence) = line::content(binds).body
    {
        fact("content", sentence);
    }
    if !profile.aliases.is_empty() {
        fact("also known as", text(&profile.aliases.join(", ")));
    }
    if let Some(role) = &profile.role {
        fact("as", text(&say::role(role)));
    }
    if let Some(approval) = &profile.approval
        && let Some(expires) = approval.expires
    {
        fact("holds until", Sentence::default().day(expires, asked));
    }
    for evidence in &profile.evidence {
        fact("evidence", text(&evidence.uri));
    }
    if let Some(relayed) = &profile.relayed {
        let how = match relayed.auth {
            RelayedAuth::Hmac => "its signature was checked by the bridge",
            RelayedAuth::Token => "the sender had the bridge's token",
            RelayedAuth::None => "the bridge did not check who sent it",
        };
        fact(
            "relayed",
            text(&format!("from {}; {how}", say::system(&relayed.system))),
        );
    }
    if let Some(chain) = &profile.chain {
        let last = if chain.last { ", the last" } else { "" };
        fact("number", text(&format!("{} of its run{last}", chain.n)));
    }
    if let Some(seen) = &profile.seen {
        fact(
            "had seen",
            text(&format!("the ledger at {} entries", seen.size)),
        );
    }
    facts
}
