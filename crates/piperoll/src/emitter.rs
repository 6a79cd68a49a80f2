//! Signs events and hands them to the ledger, by way of the outbox: what every command that says something goes through.
//!
//! Never in the way (`design.md` section 9): once an event is safely in the outbox, the command has done its part. What the ledger
//! said of it is a [`Sent`], and [`Sent::conclude`] is the one place where that becomes words and an exit code.

use std::{path::PathBuf, time::Duration};

use piperoll_client::{
    courier::{Alarm, Courier, Fate, Patience, Report, Why},
    delivery::Wait,
    ledger::{self, Ledger},
    outbox::Outbox,
    problem,
    query,
    server::Server,
    state::Folder,
};
use piperoll_core::{
    draft::Draft,
    event::Chain,
    name::{LedgerId, Principal},
};
use piperoll_server::clock;
use piperoll_tlog::encoding;

use crate::{
    exit::{Exit, Problem, Result},
    keys::{self, Signer},
    ledger::LedgerArgs,
    output, rim,
};

/// How long a command spends on events that waited before its own.
const OLDER_EVENTS_WITHIN: Duration = Duration::from_secs(10);
/// How long it spends on receipts of events before its own.
const RECEIPTS_WITHIN: Duration = Duration::from_secs(2);
/// How long it tries with a ledger that is there and takes nothing for now.
const PATIENCE: Patience = Patience { unavailable: Duration::from_secs(3), unreachable: Duration::ZERO };

/// Who signs, for which ledger, and where events wait.
#[derive(Clone, Debug, clap::Args)]
pub struct SenderArgs {
    #[command(flatten)]
    pub ledger: LedgerArgs,
    /// Your key: the path of a key file, or its text
    #[arg(long, value_name = "KEY", hide_default_value = true)]
    pub key: Option<String>,
    #[command(flatten)]
    pub outbox: OutboxArgs,
    /// Fail unless the event is recorded
    #[arg(long)]
    pub strict: bool,
}
#[derive(Clone, Debug, clap::Args)]
pub struct OutboxArgs {
    /// The folder where events wait for their receipt [default: ~/.local/state/piperoll]
    #[arg(long, value_name = "FOLDER")]
    pub outbox: Option<PathBuf>,
}
impl OutboxArgs {
    /// What this user's commands remember: outbox, pinned ledgers, receipts.
    pub fn folder(&self) -> Result<Folder> {
        let root = match &self.outbox {
            Some(root) => root.clone(),
            None => default_state_folder()?,
        };
        Folder::open(&root).map_err(|error| {
            Problem::from(anyhow::Error::from(error)).hint("another folder can be named with --outbox or PIPEROLL_OUTBOX")
        })
    }
}
/// `$XDG_STATE_HOME/piperoll`, by default under `~/.local/state`.
fn default_state_folder() -> Result<PathBuf> {
    let base = rim::variable("XDG_STATE_HOME").map(PathBuf::from);
    let base = base.or_else(|| rim::variable("HOME").map(|home| PathBuf::from(home).join(".local/state")));
    base.map(|base| base.join("piperoll")).ok_or_else(|| {
        Problem::usage("there is no home folder to keep events in").hint("try: --outbox FOLDER (or PIPEROLL_OUTBOX)")
    })
}
impl SenderArgs {
    /// The key that was given; for people also the only key in their folder.
    pub fn signer(&self) -> Result<Signer> {
        if let Some(key) = &self.key {
            return keys::read(key);
        }
        let folder = keys::folder(&rim::variable)?;
        match keys::list(&folder)?.as_slice() {
            [only] => keys::read_file(only),
            [] => Err(Problem::new(Exit::NotAuthorised, "there is no key to sign with")
                .hint("a pipeline takes it from PIPEROLL_KEY, as piperoll add pipeline printed it")
                .hint("a person makes one with: piperoll key new NAME")),
            _ => Err(Problem::usage(format!("there is more than one key in {}", folder.display()))
                .hint("try: --key FILE; the keys are listed by: piperoll key list")),
        }
    }
    pub async fn connect(&self) -> Result<Emitter> {
        let signer = self.signer()?;
        self.connect_as(signer).await
    }
    pub async fn connect_as(&self, signer: Signer) -> Result<Emitter> {
        let setup = Setup {
            server: self.ledger.connect()?,
            told: self.ledger.given()?,
            signer,
            folder: self.outbox.folder()?,
            clock: std::sync::Arc::new(clock::System),
        };
        Emitter::open(setup).await
    }
}

/// What an emitter is made of.
pub struct Setup {
    pub server: Server,
    /// The ledger that was named; else the one pinned for the server, or pinned now.
    pub told: Option<LedgerId>,
    pub signer: Signer,
    pub folder: Folder,
    pub clock: clock::Shared,
}

/// Signs and sends, numbering what it sends.
pub struct Emitter {
    server: Server,
    ledger: LedgerId,
    /// The verified ledger, or why the server cannot be used now.
    reached: std::result::Result<Ledger, Unreached>,
    signer: Signer,
    folder: Folder,
    outbox: Outbox,
    clock: clock::Shared,
    chain: Option<String>,
    sent: u64,
    older_done: bool,
}
/// Why events only go into the outbox for now.
#[derive(Clone, Debug)]
struct Unreached {
    why: String,
    /// The server keeps another ledger than the one events are signed for.
    wrong_ledger: bool,
}

/// What became of an event.
#[derive(Debug)]
pub struct Sent {
    pub payload_hash: piperoll_core::Hash,
    pub fate: Fate,
    /// How many events wait in the outbox now, and where that is.
    waiting: usize,
    outbox: String,
    server: String,
    wrong_ledger: bool,
}

impl Emitter {
    /// Finds out which ledger to sign for. A server that does not answer is no obstacle as long as the ledger's id is known.
    pub async fn open(setup: Setup) -> Result<Self> {
        let Setup { server, told, signer, folder, clock } = setup;
        let (ledger, reached) = match ledger::identify(&folder, &server, told).await {
            Ok(identified) => {
                let id = identified.ledger.id;
                if identified.first_use {
                    output::say(&format!(
                        "piperoll: first use of {}: its ledger {} is pinned from now on",
                        server.address(),
                        id.0
                    ));
                }
                (id, Ok(identified.ledger))
            }
            Err(error) => {
                let wrong_ledger = !matches!(error, ledger::Error::Query(_) | ledger::Error::State(_));
                let id = known(&folder, &server, told).ok_or_else(|| unknown(&server, &error))?;
                (id, Err(Unreached { why: error.to_string(), wrong_ledger }))
            }
        };
        let outbox = Outbox::open(&folder.outbox(ledger)).map_err(anyhow::Error::from)?;
        Ok(Self {
            server,
            ledger,
            reached,
            signer,
            folder,
            outbox,
            clock,
            chain: None,
            sent: 0,
            older_done: false,
        })
    }
    pub fn principal(&self) -> &Principal {
        &self.signer.principal
    }
    pub fn ledger(&self) -> LedgerId {
        self.ledger
    }
    pub fn folder(&self) -> &Folder {
        &self.folder
    }
    pub fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// Signs, keeps and sends. `last` closes the chain of this process, so that nothing can be missing behind it.
    ///
    /// An error means that the event is not kept.
    pub async fn emit(&mut self, mut draft: Draft, last: bool) -> Result<Sent> {
        self.sent += 1;
        draft.profile.ledger = Some(self.ledger);
        let id = self.chain.get_or_insert_with(|| encoding::base64url(&rim::random::<16>())).clone();
        draft.profile.chain = Some(Chain { id, n: self.sent, last });
        // What was seen is wanted, never required: a damaged note keeps nobody from saying something.
        draft.profile.seen = self.folder.seen(self.ledger).unwrap_or_else(|error| {
            output::warn(&format!("{error}; the event does not say which checkpoint was seen"), &[]);
            None
        });
        let envelope = draft.sign(&self.signer.principal, &self.signer.key, &mut rim::fill).map_err(not_an_event)?;
        let payload_hash = envelope.payload_hash();
        let claim = self.outbox.keep(envelope, self.clock.now()).map_err(anyhow::Error::from)?;
        let fate = match &self.reached {
            Err(unreached) => Fate::Waiting(Why::Contradiction(unreached.why.clone())),
            Ok(ledger) => {
                let courier = courier(&self.outbox, &self.folder, &self.server, ledger);
                if !self.older_done {
                    self.older_done = true;
                    raise(&courier.fetch_receipts(RECEIPTS_WITHIN).await.map_err(anyhow::Error::from)?);
                    raise(&courier.flush(OLDER_EVENTS_WITHIN).await.map_err(anyhow::Error::from)?);
                }
                courier.send(claim).await.map_err(anyhow::Error::from)?
            }
        };
        Ok(Sent {
            payload_hash,
            fate,
            waiting: self.outbox.counts().map_err(anyhow::Error::from)?.waiting,
            outbox: tilde(&self.outbox.root().display().to_string()),
            server: self.server.address().to_owned(),
            wrong_ledger: self.reached.as_ref().is_err_and(|unreached| unreached.wrong_ledger),
        })
    }
    /// Brings home the receipts that are ready by now; what is not ready comes with a later command.
    pub async fn fetch_receipts(&self) -> Result {
        if let Ok(ledger) = &self.reached {
            let courier = courier(&self.outbox, &self.folder, &self.server, ledger);
            raise(&courier.fetch_receipts(RECEIPTS_WITHIN).await.map_err(anyhow::Error::from)?);
        }
        Ok(())
    }
    /// Delivers whatever waits and fetches every receipt that is ready.
    pub async fn flush(&self, within: Duration) -> Result<Flushed> {
        let ledger = match &self.reached {
            Ok(ledger) => ledger,
            Err(unreached) => {
                return Err(Problem::new(Exit::NoAnswer, unreached.why.clone())
                    .hint(format!("{} waiting in {}", self.outbox.counts().map_err(anyhow::Error::from)?.waiting, tilde(&self.outbox.root().display().to_string()))));
            }
        };
        let courier = courier(&self.outbox, &self.folder, &self.server, ledger);
        let delivered = courier.flush(within).await.map_err(anyhow::Error::from)?;
        let receipts = courier.fetch_receipts(within).await.map_err(anyhow::Error::from)?;
        let counts = self.outbox.counts().map_err(anyhow::Error::from)?;
        Ok(Flushed { delivered, receipts, counts })
    }
}
/// What a flush did.
#[derive(Debug)]
pub struct Flushed {
    pub delivered: Report,
    pub receipts: Report,
    pub counts: piperoll_client::outbox::Counts,
}

/// The id to sign for without a server: what was told counts, even against what was pinned.
fn known(folder: &Folder, server: &Server, told: Option<LedgerId>) -> Option<LedgerId> {
    told.or_else(|| folder.pinned(server.address()).ok().flatten())
}
fn unknown(server: &Server, error: &ledger::Error) -> Problem {
    match error {
        ledger::Error::Query(_) => Problem::new(
            Exit::NoAnswer,
            format!("the ledger at {} does not answer, and its id is not known, so nothing can be signed for it", server.address()),
        )
        .hint("nothing was kept")
        .hint("set PIPEROLL_LEDGER (or --ledger) to the id that piperoll init printed, and events wait until it answers"),
        ledger::Error::State(error) => Problem::failed(error.to_string()),
        ledger::Error::Wrong { .. } | ledger::Error::Unproved { .. } => {
            Problem::new(Exit::Unverified, error.to_string()).hint("nothing was signed or sent; find out why before you go on")
        }
    }
}
fn courier<'a>(outbox: &'a Outbox, folder: &'a Folder, server: &'a Server, ledger: &'a Ledger) -> Courier<'a> {
    Courier { outbox, folder, server, ledger, wait: Wait::Recorded, patience: PATIENCE }
}
/// What happened to other events on the way is said, and changes nothing for this one.
fn raise(report: &Report) {
    for alarm in &report.alarms {
        output::warn(&format!("{}: {alarm}", alarm_name(alarm)), &["keep the outbox as it is and show it to whoever runs the ledger".to_owned()]);
    }
    for (_, fate) in &report.fates {
        match fate {
            Fate::Recorded { index, .. } => output::say(&format!("piperoll: an event that waited is recorded as {index}")),
            Fate::Refused(problem) => output::warn(&format!("an event that waited was refused: {problem}"), &[]),
            Fate::Waiting(_) => {}
        }
    }
}
fn alarm_name(alarm: &Alarm) -> &'static str {
    match alarm {
        Alarm::Vanished { .. } | Alarm::Moved { .. } => "the ledger changed what it had recorded",
        Alarm::Receipt(_) => "a receipt is wrong",
        Alarm::Contradiction(_) => "the ledger contradicts itself",
    }
}
/// An event that our own reading does not take is never kept.
fn not_an_event(refusal: piperoll_core::judge::Refusal) -> Problem {
    let mut problem = Problem::usage(refusal.detail);
    if let Some(field) = refusal.field {
        problem = problem.hint(format!("in {field}"));
    }
    match refusal.remedy {
        Some(remedy) => problem.hint(remedy),
        None => problem,
    }
}
fn tilde(path: &str) -> String {
    match rim::variable("HOME").and_then(|home| path.strip_prefix(&home).map(str::to_owned)) {
        Some(rest) if rest.starts_with('/') => format!("~{rest}"),
        _ => path.to_owned(),
    }
}

impl Sent {
    /// The entry's index, if it is recorded.
    pub fn index(&self) -> Option<u64> {
        match self.fate {
            Fate::Recorded { index, .. } => Some(index),
            Fate::Waiting(_) | Fate::Refused(_) => None,
        }
    }
    /// `recorded`, `waiting` or `refused`, for programs.
    pub fn state(&self) -> &'static str {
        match self.fate {
            Fate::Recorded { .. } => "recorded",
            Fate::Waiting(_) => "waiting",
            Fate::Refused(_) => "refused",
        }
    }
    /// Says what became of `what` and decides how the command ends.
    pub fn conclude(&self, what: &str, strict: bool) -> Result {
        match &self.fate {
            Fate::Recorded { index, again: false } => {
                output::say(&format!("piperoll: {what} recorded as {index}"));
                Ok(())
            }
            Fate::Recorded { index, again: true } => {
                output::say(&format!("piperoll: {what} was recorded already, as {index}"));
                Ok(())
            }
            Fate::Waiting(why) => self.kept(why, strict),
            Fate::Refused(problem) => Err(self.refused(problem)),
        }
    }
    fn kept(&self, why: &Why, strict: bool) -> Result {
        let (what, exit) = match why {
            Why::Unreachable(_) => (format!("the ledger at {} does not answer", self.server), Exit::NoAnswer),
            Why::Unavailable(problem) => {
                (format!("the ledger at {} takes nothing for now ({problem})", self.server), Exit::NoAnswer)
            }
            Why::OnItsWay => ("the event is on the stream, and the ledger has not come to it yet".to_owned(), Exit::NoAnswer),
            Why::Retry(problem) => (format!("the ledger does not take the event yet: {problem}"), Exit::NotAuthorised),
            Why::Contradiction(why) if self.wrong_ledger => (why.clone(), Exit::Unverified),
            Why::Contradiction(why) => (why.clone(), Exit::NoAnswer),
        };
        let message = format!("{what}; the event is kept in {}", self.outbox);
        let hint = format!("({} waiting) and goes out with the next command, or with: piperoll flush", self.waiting);
        let remedy = match why {
            Why::Retry(problem) => problem.remedy.clone(),
            _ => None,
        };
        if strict {
            let problem = Problem::new(exit, message).hint(hint);
            return Err(remedy.into_iter().fold(problem, Problem::hint));
        }
        output::warn(&message, &std::iter::once(hint).chain(remedy).collect::<Vec<_>>());
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
        refused.hint(format!("it was put aside in {}/refused", self.outbox))
    }
}

/// The problem that a question to a ledger met.
pub fn no_answer(error: &query::Error) -> Problem {
    match error {
        query::Error::Unreachable(_) => Problem::new(Exit::NoAnswer, error.to_string())
            .hint("--server or PIPEROLL_SERVER names another address; --data FOLDER asks a ledger that nobody serves"),
        query::Error::Unavailable { .. } => Problem::new(Exit::NoAnswer, error.to_string()),
        query::Error::NotAuthorised { .. } => Problem::new(Exit::NotAuthorised, error.to_string()),
        query::Error::NotFound(problem) | query::Error::Refused(problem) => {
            let usage = Problem::failed(problem.to_string());
            match &problem.remedy {
                Some(remedy) => usage.hint(remedy.clone()),
                None => usage,
            }
        }
    }
}
