//! Signs events and hands them to the ledger, by way of the outbox: what every command that says something goes through.
//!
//! Never in the way (`design.md` section 9): once an event is safely in the outbox, the command has done its part. What the ledger
//! said of it is a [`Sent`], and [`Sent::conclude`] is the one place where that becomes words and an exit code.

use piperoll_client::{
    courier::{Fate, Why},
    problem, query,
};
use piperoll_core::{
    Hash, draft::Draft, envelope::Envelope, event::Chain, judge::Refusal, name::LedgerId, words,
};
use piperoll_server::clock;
use piperoll_tlog::encoding;

use crate::{
    dispatch::{Dispatch, OutboxArgs},
    exit::{Exit, Problem, Result},
    keys::{self, Signer},
    ledger::LedgerArgs,
    output, rim,
};

/// Who signs, for which ledger, and where events wait.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SenderArgs {
    #[command(flatten)]
    pub ledger: LedgerArgs,
    /// Your key: the path of a key file, or its text
    #[arg(
        long,
        value_name = "KEY",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    pub key: Option<String>,
    #[command(flatten)]
    pub outbox: OutboxArgs,
    /// Fail unless the event is recorded
    #[arg(long)]
    pub strict: bool,
}
impl SenderArgs {
    /// The key that was given; for people also the only key in their folder.
    pub(crate) fn signer(&self) -> Result<Signer> {
        if let Some(key) = &self.key {
            return keys::read(key);
        }
        let folder = keys::folder(&rim::variable)?;
        let mut signers: Vec<Signer> = keys::list(&folder)?
            .into_iter()
            .filter_map(|listed| listed.signer.ok())
            .collect();
        match (signers.pop(), signers.is_empty()) {
            (Some(only), true) => Ok(only),
            (None, _) => Err(
                Problem::new(Exit::NotAuthorised, "there is no key to sign with")
                    .hint("a pipeline takes it from PIPEROLL_KEY, as piperoll add pipeline printed it")
                    .hint("a person makes one with: piperoll key new NAME"),
            ),
            (Some(_), false) => Err(
                Problem::usage(format!("there is more than one key in {}", folder.display()))
                    .hint("try: --key FILE; the keys are listed by: piperoll key list"),
            ),
        }
    }
    pub(crate) async fn connect(&self) -> Result<Emitter> {
        let signer = self.signer()?;
        self.connect_as(signer).await
    }
    pub(crate) async fn connect_as(&self, signer: Signer) -> Result<Emitter> {
        let dispatch = Dispatch::connect(&self.ledger, &self.outbox).await?;
        Ok(Emitter::new(
            dispatch,
            signer,
            std::sync::Arc::new(clock::System),
        ))
    }
}

/// Signs and sends, numbering what it sends.
pub(crate) struct Emitter {
    pub dispatch: Dispatch,
    signer: Signer,
    clock: clock::Shared,
    chain: Option<String>,
    sent: u64,
    /// Whether the first event is preceded by what earlier commands left behind.
    catches_up: bool,
}
/// What became of an event.
#[derive(Debug)]
pub(crate) struct Sent {
    pub payload_hash: Hash,
    /// The event as it was sent.
    pub message: String,
    pub fate: Fate,
    /// How many events wait in the outbox now, and where that is.
    waiting: usize,
    outbox: String,
    server: String,
    wrong_ledger: bool,
}

impl Emitter {
    pub(crate) fn new(dispatch: Dispatch, signer: Signer, clock: clock::Shared) -> Self {
        Self {
            dispatch,
            signer,
            clock,
            chain: None,
            sent: 0,
            catches_up: true,
        }
    }
    /// For many emitters in one process, which catches up once at its end.
    pub(crate) fn without_catching_up(mut self) -> Self {
        self.catches_up = false;
        self
    }
    pub(crate) fn signer(&self) -> &Signer {
        &self.signer
    }
    pub(crate) fn ledger(&self) -> LedgerId {
        self.dispatch.ledger
    }
    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// Signs, keeps and sends. `last` closes the chain of this process, so that nothing can be missing behind it.
    ///
    /// It is kept before anything else is done. One that cannot be kept is sent all the same; an error means that it is neither
    /// kept nor recorded.
    pub(crate) async fn emit(&mut self, draft: Draft, last: bool) -> Result<Sent> {
        let catches_up = self.sent == 0 && self.catches_up;
        let envelope = self.sign(draft, last)?;
        self.sent += 1;
        let payload_hash = envelope.payload_hash();
        let message = envelope.to_json();
        let outbox = &self.dispatch.outbox;
        let fate = match outbox.keep(envelope.clone(), self.clock.now()) {
            Ok(claim) => {
                if catches_up {
                    self.dispatch.catch_up().await;
                }
                self.dispatch.send(claim).await?
            }
            Err(error) => {
                let unkept = format!("{:#}", anyhow::Error::from(error));
                self.dispatch
                    .send_unkept(&envelope, &message, &unkept)
                    .await?
            }
        };
        Ok(Sent {
            payload_hash,
            message,
            // A folder that cannot be listed any more changes nothing about what became of the event.
            waiting: match &fate {
                Fate::Waiting(_) => outbox.waiting().map_or(0, |waiting| waiting.len()),
                Fate::Recorded { .. } | Fate::Refused(_) => 0,
            },
            fate,
            outbox: self.dispatch.outbox_name(),
            server: self.dispatch.server.address().to_owned(),
            wrong_ledger: self.dispatch.is_wrong_ledger(),
        })
    }
    /// Whether this could be said, for who is about to say several things that belong together.
    pub(crate) fn check(&mut self, draft: Draft) -> Result {
        self.sign(draft, false).map(drop)
    }
    /// The draft as the next event of this process.
    fn sign(&mut self, mut draft: Draft, last: bool) -> Result<Envelope> {
        let id = self
            .chain
            .get_or_insert_with(|| encoding::base64url(&rim::random::<16>()))
            .clone();
        draft.profile.ledger = Some(self.dispatch.ledger);
        draft.profile.chain = Some(Chain {
            id,
            n: self.sent + 1,
            last,
        });
        draft.profile.seen = self.seen();
        fit_texts(&mut draft)?;
        draft
            .sign(&self.signer.principal, &self.signer.key, &mut rim::fill)
            .map_err(not_an_event)
    }
    /// What was seen is wanted, never required: a damaged note keeps nobody from saying something.
    fn seen(&self) -> Option<piperoll_core::event::Seen> {
        match self.dispatch.folder.seen(self.dispatch.ledger) {
            Ok(seen) => seen,
            Err(error) => {
                output::warn(
                    &format!("{error}; the event does not say which checkpoint was seen"),
                    &[],
                );
                None
            }
        }
    }
}
/// Line ends of other systems become ours. Any other character that a text may not hold is named, with where it stands.
fn fit_texts(draft: &mut Draft) -> Result {
    for (name, text) in &mut draft.texts {
        if text.contains('\r') {
            *text = text.replace("\r\n", "\n").replace('\r', "\n");
        }
        if let Some(found) = words::forbidden_in_text(text) {
            return Err(Problem::usage(format!(
                "the text {name} holds U+{:04X}, which can disturb how it is shown",
                u32::from(found)
            ))
            .hint("take that character out; line ends and tabs are all right"));
        }
    }
    Ok(())
}
/// An event that our own reading does not take is never kept.
fn not_an_event(refusal: Refusal) -> Problem {
    let mut problem = Problem::usage(refusal.detail);
    if let Some(field) = refusal.field {
        problem = problem.hint(format!("in {field}"));
    }
    match refusal.remedy {
        Some(remedy) => problem.hint(remedy),
        None => problem,
    }
}

impl Sent {
    /// The entry's index, if it is recorded.
    pub(crate) fn index(&self) -> Option<u64> {
        match self.fate {
            Fate::Recorded { index, .. } => Some(index),
            Fate::Waiting(_) | Fate::Refused(_) => None,
        }
    }
    /// Whether it waits in the outbox.
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self.fate, Fate::Waiting(_))
    }
    /// `recorded`, `waiting` or `refused`, for programs.
    pub(crate) fn state(&self) -> &'static str {
        match self.fate {
            Fate::Recorded { .. } => "recorded",
            Fate::Waiting(_) => "waiting",
            Fate::Refused(_) => "refused",
        }
    }
    /// Says what became of `what` and decides how the command ends.
    pub(crate) fn conclude(&self, what: &str, strict: bool) -> Result {
        match &self.fate {
            Fate::Recorded {
                index,
                again: false,
            } => {
                output::say(&format!("piperoll: {what} recorded as {index}"));
                Ok(())
            }
            Fate::Recorded { index, again: true } => {
                output::say(&format!(
                    "piperoll: {what} was recorded already, as {index}"
                ));
                Ok(())
            }
            Fate::Waiting(why) => self.kept(why, strict),
            Fate::Refused(problem) => Err(self.refused(problem)),
        }
    }
    fn kept(&self, why: &Why, strict: bool) -> Result {
        let (what, exit) = match why {
            Why::Unreachable(_) => (
                format!("the ledger at {} does not answer", self.server),
                Exit::NoAnswer,
            ),
            Why::Unavailable(problem) => (
                format!(
                    "the ledger at {} takes nothing for now ({problem})",
                    self.server
                ),
                Exit::NoAnswer,
            ),
            Why::OnItsWay => (
                "the event is on the stream, and the ledger has not come to it yet".to_owned(),
                Exit::NoAnswer,
            ),
            Why::Retry(problem) => (
                format!("the ledger does not take the event yet: {problem}"),
                Exit::NotAuthorised,
            ),
            Why::Contradiction(why) if self.wrong_ledger => (why.clone(), Exit::Unverified),
            Why::Contradiction(why) => (why.clone(), Exit::NoAnswer),
        };
        let message = format!("{what}; the event is kept in {}", self.outbox);
        let hint = format!(
            "({} waiting) and goes out with the next command, or with: piperoll flush",
            self.waiting
        );
        let remedy = match why {
            Why::Retry(problem) => problem.remedy.clone(),
            _ => None,
        };
        if strict {
            let problem = Problem::new(exit, message).hint(hint);
            return Err(remedy.into_iter().fold(problem, Problem::hint));
        }
        output::warn(
            &message,
            &std::iter::once(hint).chain(remedy).collect::<Vec<_>>(),
        );
        Ok(())
    }
    fn refused(&self, problem: &problem::Problem) -> Problem {
        let exit = match problem.status {
            401 | 403 => Exit::NotAuthorised,
            _ => Exit::Failed,
        };
        let mut refused = Problem::new(exit, format!("the ledger refuses the event: {problem}"));
        if let Some(remedy) = &problem.remedy {
            refused = refused.hint(remedy.clone());
        }
        refused.hint(format!("it was put aside there: {}", self.outbox))
    }
}

/// The problem that a question to a ledger met.
pub(crate) fn no_answer(error: &query::Error) -> Problem {
    match error {
        query::Error::Unreachable(_) => Problem::new(Exit::NoAnswer, error.to_string())
            .hint("--server or PIPEROLL_SERVER names another address; --data FOLDER asks a ledger that nobody serves"),
        query::Error::Unavailable { .. } => Problem::new(Exit::NoAnswer, error.to_string()),
        query::Error::NotAuthorised { .. } => Problem::new(Exit::NotAuthorised, error.to_string()),
        query::Error::NotFound(problem) | query::Error::Refused(problem) => {
            let exit = match problem.status {
                400 => Exit::Usage,
                _ => Exit::Failed,
            };
            let told = Problem::new(exit, problem.to_string());
            problem.remedy.clone().into_iter().fold(told, Problem::hint)
        }
    }
}
