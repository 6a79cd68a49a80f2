//! `piperoll approve` and `piperoll reject`: a person decides on a request, after seeing exactly what they will sign.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, IsTerminal, Write},
};

use piperoll_core::{
    Hash,
    answer::{EntryView, LogRow, Where, Words, part::Part},
    event::{ApprovalFrom, Digest, Event},
    kind::{Decision, Kind},
};
use piperoll_tlog::hash::sha256;
use serde::Deserialize;

use crate::{
    ask::Source,
    compose::{self, Asked, Judged},
    content,
    emitter::SenderArgs,
    exit::{Problem, Result},
    members,
    output::{self, FormatArgs},
    terminal,
};

/// Approve exactly what a request asks for, with your own key
#[derive(Debug, clap::Args)]
#[command(after_help = "example: piperoll approve 35 --role business-approver")]
pub(crate) struct ApproveArgs {
    #[command(flatten)]
    decision: DecisionArgs,
    /// The approval lapses then: RFC 3339, or +48h
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
}
/// Reject what a request asks for, and say why
#[derive(Debug, clap::Args)]
#[command(
    after_help = "example: piperoll reject 35 --role business-approver --comment \"not on a Friday\""
)]
pub(crate) struct RejectArgs {
    #[command(flatten)]
    decision: DecisionArgs,
}
#[derive(Debug, clap::Args)]
struct DecisionArgs {
    /// The request's record number, or its change by any name
    request: String,
    /// The role you decide in
    #[arg(long, value_name = "ROLE")]
    role: String,
    /// What you want to say about it
    #[arg(long, value_name = "WORDS")]
    comment: Option<String>,
    /// Sign without asking back
    #[arg(long, short = 'y')]
    yes: bool,
    #[command(flatten)]
    sender: SenderArgs,
    #[command(flatten)]
    format: FormatArgs,
}

pub(crate) async fn approve(args: ApproveArgs) -> Result {
    decide(args.decision, Decision::Approved, args.expires.as_deref()).await
}
pub(crate) async fn reject(args: RejectArgs) -> Result {
    if args.decision.comment.is_none() {
        return Err(Problem::usage("a rejection says why").hint(format!(
            "try: piperoll reject {} --role {} --comment \"…\"",
            args.decision.request, args.decision.role
        )));
    }
    decide(args.decision, Decision::Rejected, None).await
}

async fn decide(args: DecisionArgs, decision: Decision, expires: Option<&str>) -> Result {
    let signer = args.sender.signer()?;
    let mut emitter = args.sender.connect_as(signer).await?;
    let source = Source::Server(args.sender.ledger.connect()?);
    let asked = find(&source, &args.request).await?;
    let now = emitter.now();
    let expires = expires
        .map(|typed| members::instant(typed, now))
        .transpose();
    let judged = Judged {
        decision,
        role: args.role.clone(),
        comment: args.comment.clone(),
        expires: expires.map_err(|what| Problem::usage(format!("--expires: {what}")))?,
        from: what_runs(&source, &asked).await?,
    };
    let shown = compose::shown(&asked, &judged);
    confirm(&shown, args.yes, decision)?;
    let draft = compose::decision(
        emitter.now(),
        &asked,
        &judged,
        &shown,
        &emitter.signer().principal,
    );
    let sent = emitter.emit(draft, true).await?;
    let what = if decision == Decision::Approved {
        "approval"
    } else {
        "rejection"
    };
    super::emit::finish(
        &emitter,
        &sent,
        what,
        args.sender.strict,
        args.format.format(),
    )
}

/// Shows what will be signed, and asks on a terminal. Elsewhere only `--yes` signs.
fn confirm(shown: &str, yes: bool, decision: Decision) -> Result {
    let verb = if decision == Decision::Approved {
        "approve"
    } else {
        "reject"
    };
    output::say(&format!(
        "You will sign this:\n\n{}\n",
        indent(&terminal::escape_block(shown))
    ));
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(
            Problem::usage("nobody can be asked here whether to sign this").hint(format!(
                "read the above; then, to {verb} it: the same command with --yes"
            )),
        );
    }
    let mut stderr = io::stderr().lock();
    write!(stderr, "Sign and {verb}? Type yes: ")?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if answer.trim() == "yes" {
        return Ok(());
    }
    Err(Problem::failed("nothing was signed"))
}
fn indent(text: &str) -> String {
    text.lines().fold(String::new(), |mut block, line| {
        block.push_str("  ");
        block.push_str(line);
        block.push('\n');
        block
    })
}

/// What `/v1/entries/<index>` gives, as far as a decision needs it.
#[derive(Deserialize)]
struct OpenEntry {
    #[serde(flatten)]
    view: EntryView,
    /// The signed bytes.
    payload: String,
}
#[derive(Deserialize)]
struct Page {
    rows: Vec<LogRow>,
}

/// The request by its number, or the latest one of a change.
pub(crate) async fn find(source: &Source, typed: &str) -> Result<Asked> {
    let index = match typed.parse::<u64>() {
        Ok(index) => index,
        Err(_) => latest_of_change(source, typed).await?,
    };
    let entry: OpenEntry = source.ask(&format!("/v1/entries/{index}"), &[]).await?;
    read(index, entry)
}
async fn latest_of_change(source: &Source, change: &str) -> Result<u64> {
    let query = [
        ("change", change),
        ("kind", Kind::ApprovalCreated.name()),
        ("limit", "1"),
    ];
    let page: Page = source.ask("/v1/log", &query).await?;
    page.rows.first().map(|row| row.index).ok_or_else(|| {
        Problem::failed(format!("no approval is asked for {change}"))
            .hint("requests are listed by: piperoll log --kind approval.created")
    })
}
/// Reads the request from its signed bytes: what the approver binds comes from these, not from what a server says about them.
fn read(index: u64, entry: OpenEntry) -> Result<Asked> {
    let payload = entry.payload.into_bytes();
    let unreadable =
        |what: String| Problem::failed(format!("record {index} cannot be read: {what}"));
    let event = Event::parse(&payload).map_err(|refusal| unreadable(refusal.to_string()))?;
    if event.kind() != Kind::ApprovalCreated {
        return Err(Problem::usage(format!(
            "record {index} is {}, not a request for approval",
            event.kind().name()
        ))
        .hint("requests are listed by: piperoll log --kind approval.created"));
    }
    let payload_hash: Hash = sha256(&payload);
    if payload_hash.to_hex() != entry.view.payload_hash {
        return Err(unreadable(
            "its bytes are not those that were signed".to_owned(),
        ));
    }
    let requestor = entry
        .view
        .line
        .sentence
        .0
        .iter()
        .find_map(|part| match part {
            Part::Who { who } => Some(who.name.clone()),
            _ => None,
        });
    let words = |words: Words| match words {
        Words::Said(text) => Some(text),
        Words::NotSupplied | Words::Erased => None,
    };
    let texts: BTreeMap<String, String> = entry
        .view
        .texts
        .into_iter()
        .filter_map(|text| Some((text.name, words(text.words)?)))
        .collect();
    Ok(Asked {
        index,
        payload_hash,
        subject: event.subject,
        requestor: requestor.unwrap_or_else(|| event.source.slug().to_owned()),
        service: event.profile.service,
        environment: event.profile.environment,
        change: event.profile.change,
        binds: event.profile.binds.unwrap_or_default(),
        texts,
    })
}
/// What runs now where the request would go. Where nothing is recorded nothing is known: the digest is left out.
pub(crate) async fn what_runs(source: &Source, asked: &Asked) -> Result<Vec<ApprovalFrom>> {
    let (Some(service), Some(environment)) = (&asked.service, &asked.environment) else {
        return Ok(Vec::new());
    };
    let answer: Where = source.ask("/v1/where", &[]).await?;
    let column = answer
        .environments
        .iter()
        .position(|name| name == environment);
    let row = answer.rows.iter().find(|row| row.service == *service);
    let cell = column
        .zip(row)
        .and_then(|(column, row)| row.cells.get(column)?.as_ref());
    let digest = cell
        .and_then(|cell| cell.digests.first())
        .and_then(|digest| match digest.algorithm.as_str() {
            "sha256" => Hash::from_hex(&digest.hex).map(Digest::Sha256),
            _ => content::parse_commit(&digest.hex)
                .ok()
                .map(Digest::GitCommit),
        });
    Ok(vec![ApprovalFrom {
        service: service.clone(),
        environment: environment.clone(),
        digest: digest.map(Some),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_a_terminal_nothing_is_signed_without_yes() {
        assert!(confirm("text", true, Decision::Approved).is_ok());
        if !io::stdin().is_terminal() {
            let problem = confirm("text", false, Decision::Approved).unwrap_err();
            assert!(problem.lines().contains("--yes"));
        }
    }
}
